/*
 * Servers for tests of counting in Redis: a real one, in a directory of its
 * own, and one that answers what a test wants.
 */
#ifndef TESTS_UNIT_REDIS_H
#define TESTS_UNIT_REDIS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char redis_dir[] = "/tmp/weir-redis-XXXXXX";
static char redis_socket[64], redis_url[96];
static pid_t redis_pid; /* 0: none */

static inline void redis_nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* A connection that blocks, or -1. */
static inline int redis_connect(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, strlen(path) + 1);
	if (connect(fd, (void *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Sends a line of words, and returns what is answered at once, until the next
 * call. */
static inline const char *redis_say(const char *format, ...)
{
	static char text[65536];
	int fd = redis_connect(redis_socket);
	va_list args;
	ssize_t got;
	int len;

	if (fd < 0)
		return "";
	va_start(args, format);
	len = vsnprintf(text, sizeof(text) - 2, format, args);
	va_end(args);
	memcpy(text + len, "\r\n", 2);
	got = write(fd, text, (size_t)len + 2);
	if (got > 0)
		got = read(fd, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	close(fd);
	return text;
}

static inline void redis_stop(void)
{
	if (redis_pid <= 0)
		return;
	kill(redis_pid, SIGKILL);
	waitpid(redis_pid, NULL, 0);
	redis_pid = 0;
	unlink(redis_socket);
}

static inline void redis_place_names(void)
{
	if (!redis_socket[0] && mkdtemp(redis_dir)) {
		snprintf(redis_socket, sizeof(redis_socket), "%s/s", redis_dir);
		snprintf(redis_url, sizeof(redis_url), "redis+unix:%s",
			 redis_socket);
	}
}

/* Starts redis-server with more options, a NULL-ended list, or NULL.  False: it
 * is not installed. */
static inline bool redis_start(const char *const *more)
{
	const char *argv[32] = {"redis-server", "--port", "0",     "--save", "",
				"--unixsocket", NULL,     "--dir", redis_dir};
	size_t n = 9;
	int null;

	redis_stop();
	redis_place_names();
	argv[6] = redis_socket;
	for (; more && *more; more++)
		argv[n++] = *more;
	redis_pid = fork();
	if (redis_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		null = open("/dev/null", O_RDWR);
		dup2(null, 1);
		execvp(argv[0], (char *const *)(void *)argv);
		_exit(127);
	}
	while (strncmp(redis_say("PING"), "+PONG", 5) != 0 &&
	       strncmp(redis_say("PING"), "-", 1) != 0) {
		if (waitpid(redis_pid, NULL, WNOHANG) == redis_pid) {
			redis_pid = 0;
			return false;
		}
		redis_nap();
	}
	return true;
}

static inline void redis_end(void)
{
	char command[128];

	redis_stop();
	snprintf(command, sizeof(command), "rm -rf %s", redis_dir);
	if (redis_socket[0] && system(command) != 0)
		perror(command);
}

#endif
