/*
 * bare - a relay that judges nothing: what a process in the middle costs.
 *
 *   bare COMMAND [ARG]...
 *
 * Runs COMMAND with a pipe on its 0 and one on its 1, and passes on what comes,
 * both ways: poll, read, write, nothing else, one thread.  A good plain relay:
 * a buffer of 64 KiB for each way, what was read is written at once, and
 * poll() waits for room only after a write that found none.  The server's pipes
 * are as large as weir makes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFER ((size_t)64 << 10)
#define PIPE   (1 << 20)

struct way {
	int from, to; /* -1: closed */
	bool full;    /* the last write found no room */
	size_t at, len;
	char buf[BUFFER];
};

static void never_block(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void send_on(struct way *w)
{
	ssize_t put = write(w->to, w->buf + w->at, w->len);

	w->full = put < 0 && errno == EAGAIN;
	if (put < 0 && !w->full) {
		end(&w->from);
		end(&w->to);
		return;
	}
	if (put > 0) {
		w->at += (size_t)put;
		w->len -= (size_t)put;
	}
}

static void step(struct way *w, const struct pollfd *from,
		 const struct pollfd *to)
{
	ssize_t got;

	if (to->revents)
		w->full = false;
	if (from->revents) {
		got = read(w->from, w->buf, BUFFER);
		w->at = 0;
		w->len = got > 0 ? (size_t)got : 0;
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			end(&w->from);
	}
	while (w->len > 0 && !w->full && w->to >= 0)
		send_on(w);
	if (w->from < 0 && w->len == 0)
		end(&w->to);
}

static void relay(struct way *up, struct way *down)
{
	while (down->to >= 0) {
		struct pollfd p[] = {
			{.fd = up->len ? -1 : up->from, .events = POLLIN},
			{.fd = up->full ? up->to : -1, .events = POLLOUT},
			{.fd = down->len ? -1 : down->from, .events = POLLIN},
			{.fd = down->full ? down->to : -1, .events = POLLOUT},
		};

		if (poll(p, 4, -1) < 0)
			continue;
		step(up, &p[0], &p[1]);
		step(down, &p[2], &p[3]);
	}
}

int main(int argc, char **argv)
{
	static struct way up, down;
	int in[2], out[2], status = 0;
	pid_t pid;

	if (argc < 2 || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return 125;
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	up.from = STDIN_FILENO;
	up.to = in[1];
	down.from = out[0];
	down.to = STDOUT_FILENO;
	fcntl(up.to, F_SETPIPE_SZ, PIPE);
	never_block(up.to);
	never_block(down.to);
	relay(&up, &down);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
