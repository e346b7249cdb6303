/*
 * A server that greets as Redis does, takes the first question, which only
 * tries, and answers the next ones as the test says.
 */
#ifndef TESTS_UNIT_REDIS_FAKE_H
#define TESTS_UNIT_REDIS_FAKE_H

#include "redis.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#define FAKE_INFO   "$28\r\nmaxmemory_policy:noeviction\n\r\n"
#define FAKE_NUMBER '#' /* in an answer: the number of the question */

enum fake_end { FAKE_HOLD, FAKE_CLOSE };
struct fake {
	const char *info;     /* the answer to INFO; NULL: FAKE_INFO */
	const char *answer;   /* to a question; a NUL ends it */
	size_t len;           /* of the answer, where it has NULs */
	enum fake_end end;    /* what comes behind the answer */
	bool bytes;           /* the answer comes byte by byte */
	bool first;           /* so is the first question answered */
	const char *through;  /* the socket of a true server that answers */
	bool lose;            /* its first true answer, with the connection */
	const int64_t *clock; /* by which it counts, in microseconds; or NULL:
				 by its own */
};

static pid_t fake_pid;
static char fake_path[64], fake_url[96];

/* One command: its words end with NUL.  0: the connection has ended. */
static inline size_t fake_read(FILE *in, char *text, size_t room,
			       char *words[512])
{
	size_t n = 0, count = 0, len;
	char line[64];

	if (!fgets(line, sizeof(line), in))
		return 0;
	count = strtoul(line + 1, NULL, 10);
	for (; n < count && n < 512; n++) {
		if (!fgets(line, sizeof(line), in))
			return 0;
		len = strtoul(line + 1, NULL, 10);
		if (len + 2 > room || fread(text, 1, len + 2, in) != len + 2)
			return 0;
		text[len] = '\0';
		words[n] = text;
		text += len + 2;
		room -= len + 2;
	}
	return n;
}

/* Byte by byte: each is sent once the one before it is read. */
static inline void fake_write(int fd, const char *text, size_t len, bool bytes)
{
	const struct timespec moment = {.tv_nsec = 20000};
	int unread;

	for (size_t i = 0; i < len; i += bytes ? 1 : len) {
		while (bytes && ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0)
			nanosleep(&moment, NULL);
		if (send(fd, text + i, bytes ? 1 : len, MSG_NOSIGNAL) < 0)
			return;
	}
}

/* The script, by the clock of the test. */
static inline char *fake_script(const char *text)
{
	static const char from[] = "call('TIME')";
	static const char to[] = "{0, table.remove(ARGV)}";
	static char script[16384];
	const char *at = strstr(text, from);

	snprintf(script, sizeof(script), "%.*s%s%s", (int)(at - text), text, to,
		 at + strlen(from));
	return script;
}

/* Asks the true server the same, and returns its answer. */
static inline size_t fake_through(const struct fake *f, char *words[], size_t n,
				  char *answer, size_t room)
{
	static int fd = -1;
	static char time[32];
	FILE *out;
	ssize_t got;

	if (fd < 0)
		fd = redis_connect(f->through);
	if (f->clock) {
		snprintf(time, sizeof(time), "%lld", (long long)*f->clock);
		words[n++] = time;
		if (strcmp(words[0], "EVAL") == 0)
			words[1] = fake_script(words[1]);
	}
	out = fdopen(dup(fd), "w");
	fprintf(out, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
	fclose(out);
	got = read(fd, answer, room);
	return got > 0 ? (size_t)got : 0;
}

static inline void fake_answer(const struct fake *f, int fd, const char *number)
{
	char text[65536];
	size_t len = 0, from = f->len ? f->len : strlen(f->answer);

	for (size_t i = 0; i < from && len < sizeof(text) - 32; i++)
		if (f->answer[i] == FAKE_NUMBER)
			len += (size_t)sprintf(text + len, "%s", number);
		else
			text[len++] = f->answer[i];
	fake_write(fd, text, len, f->bytes);
}

/* False: the connection ends. */
static inline bool fake_serve(const struct fake *f, int fd, char *words[],
			      size_t n, bool *lost)
{
	const char *info = f->info ? f->info : FAKE_INFO;
	char text[65536], *number;
	size_t len;

	if (strcmp(words[0], "INFO") == 0) {
		fake_write(fd, info, strlen(info), f->bytes);
		return true;
	}
	if (strncmp(words[0], "EVAL", 4) != 0) {
		fake_write(fd, "+OK\r\n", 5, false);
		return true;
	}
	number = words[3 + strtoul(words[2], NULL, 10) + 1];
	if (strcmp(number, "1") == 0 && !f->first && !f->through) {
		len = (size_t)sprintf(text, "*2\r\n:1\r\n:1\r\n");
		fake_write(fd, text, len, false);
		return true;
	}
	if (f->through) {
		len = fake_through(f, words, n, text, sizeof(text));
		if (f->lose && text[0] == '*' && strcmp(number, "1") != 0 &&
		    !*lost) {
			*lost = true;
			return false;
		}
		fake_write(fd, text, len, false);
		return true;
	}
	fake_answer(f, fd, number);
	return f->end == FAKE_HOLD;
}

static inline void fake_run(const struct fake *f, int listener)
{
	static char text[131072], *words[512];
	bool lost = false;
	size_t n;
	FILE *in;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		in = fdopen(fd, "r");
		while ((n = fake_read(in, text, sizeof(text), words)) > 0 &&
		       fake_serve(f, fd, words, n, &lost))
			;
		fclose(in);
	}
	_exit(0);
}

static inline void fake_start(const struct fake *f)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	redis_place_names();
	snprintf(fake_path, sizeof(fake_path), "%s/f", redis_dir);
	snprintf(fake_url, sizeof(fake_url), "redis+unix:%s", fake_path);
	memcpy(un.sun_path, fake_path, strlen(fake_path) + 1);
	unlink(fake_path);
	if (bind(fd, (void *)&un, sizeof(un)) != 0 || listen(fd, 16) != 0)
		abort();
	fake_pid = fork();
	if (fake_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fake_run(f, fd);
	}
	close(fd);
}

static inline void fake_stop(void)
{
	kill(fake_pid, SIGKILL);
	waitpid(fake_pid, NULL, 0);
	unlink(fake_path);
}

#endif
