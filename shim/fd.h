/*
 * fd - a descriptor that is read or written without ever blocking, and
 * without a change to a description that others share.
 *
 * O_NONBLOCK belongs to the open file description, which the client may share;
 * so it is set only on weir's own descriptions.  A pipe or terminal that is
 * inherited is reopened to write to where that is possible; a socket is
 * asked call by call; what is left is used only once poll() says that it is
 * ready, and written in pieces that cannot block then.
 */
#ifndef SHIM_FD_H
#define SHIM_FD_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Makes a system call again as long as a signal interrupts it. */
#define RETRY(call)                                                            \
	while ((call) < 0 && errno == EINTR) {                                 \
	}

enum fd_kind {
	FD_OWN,      /* never blocks: non-blocking, weir's own; or a file */
	FD_SOCKET,   /* asked with MSG_DONTWAIT */
	FD_SHARED,   /* only after poll(), at most PIPE_BUF at once */
	FD_TERMINAL, /* the same, a byte at once: it has room for one */
};

/* A port: a descriptor, and how it may be used. */
struct fd {
	int fd; /* -1: closed; owned by the port */
	enum fd_kind kind;
};

/* As dup2(), but EINTR is tried again. */
bool fd_put(int from, int to);

/* Takes over an inherited descriptor, to read from it or to write to it. */
struct fd fd_adopt(int fd, bool write);

/* The same, to write to it, but fd stays the caller's.  Where the port has
 * another descriptor (fd was reopened), the caller closes the port. */
struct fd fd_borrow(int fd);

/* Takes over a descriptor whose description nobody shares. */
struct fd fd_own(int fd);

void fd_close(struct fd *port);

/* As read() and write(), but EINTR is tried again, and no SIGPIPE comes from
 * a socket.  -1 with errno EAGAIN: not now. */
ssize_t fd_read(const struct fd *port, void *buf, size_t len);
ssize_t fd_write(const struct fd *port, const void *buf, size_t len);

/* May it be used without asking poll() first? */
bool fd_eager(const struct fd *port);

#endif
