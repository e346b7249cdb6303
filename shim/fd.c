/* Descriptors that never block.  The contract is in fd.h. */
#include "fd.h"

#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool fd_put(int from, int to)
{
	int done;

	RETRY(done = dup2(from, to));
	return done >= 0;
}

struct fd fd_own(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return (struct fd){.fd = fd, .kind = FD_OWN};
}

struct fd fd_borrow(int fd)
{
	struct fd port = {.fd = fd, .kind = FD_SHARED};
	struct stat st;
	int again = -1;

	if (fstat(fd, &st) != 0)
		return port;
	if (S_ISSOCK(st.st_mode))
		port.kind = FD_SOCKET;
	else if (S_ISREG(st.st_mode))
		port.kind = FD_OWN;
	else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		again = system_reopen(fd);
	if (again >= 0)
		return (struct fd){.fd = again, .kind = FD_OWN};
	if (isatty(fd))
		port.kind = FD_TERMINAL;
	return port;
}

struct fd fd_adopt(int fd, bool write)
{
	struct fd port = {.fd = fd, .kind = FD_SHARED};
	struct stat st;

	if (write) {
		port = fd_borrow(fd);
		if (port.fd != fd)
			close(fd);
	} else if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode)) {
		/* All else is read after poll() alone; and a FIFO that
		 * was reopened would not show that its writers had gone. */
		port.kind = FD_SOCKET;
	}
	return port;
}

void fd_close(struct fd *port)
{
	if (port->fd >= 0)
		close(port->fd);
	port->fd = -1;
}

ssize_t fd_read(const struct fd *port, void *buf, size_t len)
{
	ssize_t got;

	RETRY(got = port->kind == FD_SOCKET
			    ? recv(port->fd, buf, len, MSG_DONTWAIT)
			    : read(port->fd, buf, len));
	return got;
}

ssize_t fd_write(const struct fd *port, const void *buf, size_t len)
{
	ssize_t put;

	if (port->kind == FD_SHARED && len > PIPE_BUF)
		len = PIPE_BUF;
	if (port->kind == FD_TERMINAL && len > 1)
		len = 1;
	RETRY(put = port->kind == FD_SOCKET ? send(port->fd, buf, len,
						   MSG_DONTWAIT | MSG_NOSIGNAL)
					    : write(port->fd, buf, len));
	return put;
}

bool fd_eager(const struct fd *port)
{
	return port->kind != FD_SHARED && port->kind != FD_TERMINAL;
}
