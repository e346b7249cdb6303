/* Processes and their pipes.  The contract is in behind.h. */
#include "behind.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUFFER    ((size_t)64 << 10)
#define WORDS_MAX 32

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

double behind_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The first and the last processor that this program was given; and where
 * the relay is to be. */
static struct {
	cpu_set_t all, ours, relays;
	bool known;
} places;

static void only(cpu_set_t *set, size_t cpu)
{
	CPU_ZERO(set);
	CPU_SET(cpu, set);
}

void behind_place(enum place place)
{
	size_t first = 0, last = CPU_SETSIZE - 1;
	char on[16];

	if (!places.known)
		sched_getaffinity(0, sizeof(places.all), &places.all);
	places.known = true;
	while (first < last && !CPU_ISSET(first, &places.all))
		first++;
	while (last > first && !CPU_ISSET(last, &places.all))
		last--;
	places.ours = places.relays = places.all;
	unsetenv("BENCH_SERVER_ON");
	if (place != SCHEDULED) {
		snprintf(on, sizeof(on), "%zu", last);
		setenv("BENCH_SERVER_ON", on, 1);
		only(&places.ours, last);
		only(&places.relays, place == APART ? first : last);
	}
	sched_setaffinity(0, sizeof(places.ours), &places.ours);
}

struct behind behind_start(const char *const *relay, const char *const *server)
{
	const char *argv[WORDS_MAX];
	size_t argc = 0;
	int in[2], out[2];
	struct behind b;

	while (*relay && argc < WORDS_MAX - 1)
		argv[argc++] = *relay++;
	while (*server && argc < WORDS_MAX - 1)
		argv[argc++] = *server++;
	argv[argc] = NULL;
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		fail("pipe");
	b.pid = fork();
	if (b.pid < 0)
		fail("fork");
	if (b.pid == 0) {
		if (places.known)
			sched_setaffinity(0, sizeof(places.relays),
					  &places.relays);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execvp(argv[0], (char *const *)argv);
		fail(argv[0]);
	}
	close(in[0]);
	close(out[1]);
	b.in = in[1];
	b.out = out[0];
	return b;
}

void behind_write(const struct behind *b, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(b->in, p, len);

		if (n < 0 && errno != EINTR)
			fail("nobody reads");
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

void behind_lines(const struct behind *b, size_t count, size_t len)
{
	static char buf[BUFFER];
	size_t came = 0;
	ssize_t n = 0;

	while (came < count * len) {
		n = read(b->out, buf, BUFFER);
		if (n == 0 || (n < 0 && errno != EINTR))
			fail("the answer did not come");
		if (n > 0)
			came += (size_t)n;
	}
	errno = 0;
	if (came > count * len || buf[n - 1] != '\n')
		fail("this is not the server's answer");
}

void behind_end(struct behind *b)
{
	int status;

	close(b->in);
	close(b->out);
	if (waitpid(b->pid, &status, 0) < 0)
		fail("wait");
	/* Another proxy may end as it likes. */
	if (!getenv("PEER") &&
	    (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		fprintf(stderr, "bench: ended with status %d\n", status);
		exit(1);
	}
}
