/*
 * server - the far end of a benchmark, which costs as little as it can.
 *
 *   server echo             for each line one short result
 *   server sink BYTES...    reads, and says one line each time that so many
 *                           bytes more have come
 *   server source BYTES N   one short result; after the next line N results of
 *                           BYTES each
 *
 * It ends when its input does.
 */
#include "server.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER ((size_t)64 << 10)

static void put(const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, p, len);

		if (n < 0 && errno != EINTR)
			exit(1);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

static size_t get(char *buf)
{
	ssize_t n;

	do
		n = read(STDIN_FILENO, buf, BUFFER);
	while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

static void echo(char *buf)
{
	const char *p;
	size_t len;

	while ((len = get(buf)) > 0)
		for (p = buf; (p = memchr(p, '\n', (size_t)(buf + len - p)));
		     p++)
			put(RESULT, RESULT_BYTES);
}

static void sink(char *buf, char **counts)
{
	size_t len, came = 0, due = strtoul(*counts, NULL, 10);

	while ((len = get(buf)) > 0) {
		came += len;
		while (*counts && came >= due) {
			put(RESULT, RESULT_BYTES);
			counts++;
			due += *counts ? strtoul(*counts, NULL, 10) : 0;
		}
	}
}

static void source(char *buf, size_t bytes, size_t times)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"
				   "{\"text\":\"",
			  tail[] = "\"}}\n";
	size_t body = bytes - (sizeof(head) - 1) - (sizeof(tail) - 1);
	char *line = malloc(bytes);

	if (!line)
		exit(1);
	memcpy(line, head, sizeof(head) - 1);
	memset(line + sizeof(head) - 1, 'x', body);
	memcpy(line + sizeof(head) - 1 + body, tail, sizeof(tail) - 1);
	get(buf);
	put(RESULT, RESULT_BYTES);
	get(buf);
	for (size_t i = 0; i < times; i++)
		put(line, bytes);
	while (get(buf) > 0)
		;
	free(line);
}

/* On the processor that BENCH_SERVER_ON names. */
static void take_place(void)
{
	const char *on = getenv("BENCH_SERVER_ON");
	cpu_set_t set;

	if (!on)
		return;
	CPU_ZERO(&set);
	CPU_SET(strtoul(on, NULL, 10), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	static char buf[BUFFER];

	take_place();

	if (argc == 2 && strcmp(argv[1], "echo") == 0)
		echo(buf);
	else if (argc >= 3 && strcmp(argv[1], "sink") == 0)
		sink(buf, argv + 2);
	else if (argc == 4 && strcmp(argv[1], "source") == 0)
		source(buf, strtoul(argv[2], NULL, 10),
		       strtoul(argv[3], NULL, 10));
	else
		return 2;
	return 0;
}
