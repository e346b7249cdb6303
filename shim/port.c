/* Descriptors that never block.  The contract is in port.h. */
#include "port.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool port_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0) {
			report("descriptor %d is closed: weir speaks to the "
			       "client on 0 and 1",
			       fd);
			return false;
		}
	if (fcntl(STDERR_FILENO, F_GETFD) < 0)
		return open("/dev/null", O_WRONLY | O_CLOEXEC) == STDERR_FILENO;
	return true;
}

bool port_put(int from, int to)
{
	int done;

	do
		done = dup2(from, to);
	while (done < 0 && errno == EINTR);
	return done >= 0;
}

struct port port_own(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return (struct port){.fd = fd, .kind = PORT_OWN};
}

/*
 * The same pipe or terminal, to write to, through a description of weir's own;
 * or -1.  Some devices are another thing each time that they are opened: a
 * pseudo-terminal's master (/dev/ptmx), /dev/tty of another session.  TIOCGDEV
 * tells the terminal behind each (tty_ioctl(4)).
 */
static int reopen(int fd, bool device)
{
	unsigned was = 0, is = 0;
	char path[32];
	int again;

	if (device && ioctl(fd, TIOCGDEV, &was) != 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (again < 0 || !device)
		return again;
	if (ioctl(again, TIOCGDEV, &is) == 0 && is == was)
		return again;
	close(again);
	return -1;
}

struct port port_adopt(int fd, bool write)
{
	struct port port = {.fd = fd, .kind = PORT_SHARED};
	struct stat st;
	int again;

	if (fstat(fd, &st) != 0)
		return port;
	if (S_ISSOCK(st.st_mode)) {
		port.kind = PORT_SOCKET;
		return port;
	}
	if (S_ISREG(st.st_mode))
		port.kind = PORT_OWN;
	/* A FIFO opened anew would not tell that its writers had gone; and to
	 * read, poll() is enough. */
	if (!write || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return port;
	again = reopen(fd, S_ISCHR(st.st_mode));
	if (again < 0) {
		if (isatty(fd))
			port.kind = PORT_TERMINAL;
		return port;
	}
	close(fd);
	return (struct port){.fd = again, .kind = PORT_OWN};
}

void port_close(struct port *port)
{
	if (port->fd >= 0)
		close(port->fd);
	port->fd = -1;
}

ssize_t port_read(const struct port *port, void *buf, size_t len)
{
	ssize_t got;

	do {
		if (port->kind == PORT_SOCKET)
			got = recv(port->fd, buf, len, MSG_DONTWAIT);
		else
			got = read(port->fd, buf, len);
	} while (got < 0 && errno == EINTR);
	return got;
}

ssize_t port_write(const struct port *port, const void *buf, size_t len)
{
	ssize_t put;

	if (port->kind == PORT_SHARED && len > PIPE_BUF)
		len = PIPE_BUF;
	if (port->kind == PORT_TERMINAL && len > 1)
		len = 1;
	do {
		if (port->kind == PORT_SOCKET)
			put = send(port->fd, buf, len,
				   MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			put = write(port->fd, buf, len);
	} while (put < 0 && errno == EINTR);
	return put;
}

bool port_eager(const struct port *port)
{
	return port->kind != PORT_SHARED && port->kind != PORT_TERMINAL;
}
