/*
 * fault - system calls that are interrupted, or do less than they could.
 *
 * Linked with weir's own objects (--wrap), so that each call that could wait
 * comes here first.  From the first pipe on, which is the server's, calls are
 * counted from 1; the environment says which:
 *
 *   FAULT_AT=N     that one fails with EINTR; the file FAULT_FILE is made then
 *   FAULT_EVERY=N  every Nth does
 *   FAULT_BYTES=N  reads and writes take N bytes at most
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_dup2(int from, int to);
int __real_close(int fd);
pid_t __real_waitpid(pid_t pid, int *status, int options);
int __real_pipe(int fds[2]);
int __real_pipe2(int fds[2], int flags);

ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_dup2(int from, int to);
int __wrap_close(int fd);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __wrap_pipe(int fds[2]);
int __wrap_pipe2(int fds[2], int flags);

static bool begun;

static unsigned long number(const char *name)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : 0;
}

/* Shall this call be interrupted? */
static bool interrupted(void)
{
	static unsigned long calls;
	unsigned long at = number("FAULT_AT"), every = number("FAULT_EVERY");
	int fd;

	if (!begun)
		return false;
	calls++;
	if (calls == at) {
		fd = open(getenv("FAULT_FILE"), O_WRONLY | O_CREAT, 0600);
		__real_close(fd);
	} else if (every == 0 || calls % every != 0) {
		return false;
	}
	errno = EINTR;
	return true;
}

/* A record of a signal is read whole or not at all. */
static size_t most(size_t len)
{
	unsigned long bytes = number("FAULT_BYTES");

	return bytes > 0 && len > 128 && bytes < len ? bytes : len;
}

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	return interrupted() ? -1 : __real_read(fd, buf, most(len));
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	return interrupted() ? -1 : __real_write(fd, buf, most(len));
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	return interrupted() ? -1 : __real_recv(fd, buf, most(len), flags);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	return interrupted() ? -1 : __real_send(fd, buf, most(len), flags);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return interrupted() ? -1 : __real_poll(fds, count, timeout);
}

int __wrap_dup2(int from, int to)
{
	return interrupted() ? -1 : __real_dup2(from, to);
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	return interrupted() ? -1 : __real_waitpid(pid, status, options);
}

int __wrap_pipe2(int fds[2], int flags)
{
	begun = true;
	return __real_pipe2(fds, flags);
}

int __wrap_pipe(int fds[2])
{
	begun = true;
	return __real_pipe(fds);
}

/* It is closed all the same, on Linux. */
int __wrap_close(int fd)
{
	int done = __real_close(fd);

	return interrupted() ? -1 : done;
}
