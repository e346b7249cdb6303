/*
 * port - a descriptor that is read or written without ever blocking, and
 * without a change to a description that others share.
 *
 * O_NONBLOCK belongs to the open file description, which the client may share;
 * so it is set on descriptions of weir's own only.  A pipe or terminal that is
 * inherited is opened anew to write to where that is possible; a socket is
 * asked call by call; what is left is used only once poll() says that it is
 * ready, and written in pieces that cannot block then.
 */
#ifndef SHIM_PORT_H
#define SHIM_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum port_kind {
	PORT_OWN,      /* never blocks: non-blocking, weir's own; or a file */
	PORT_SOCKET,   /* asked with MSG_DONTWAIT */
	PORT_SHARED,   /* only after poll(), at most PIPE_BUF at once */
	PORT_TERMINAL, /* the same, a byte at once: it has room for one */
};

struct port {
	int fd; /* -1: closed; owned by the port */
	enum port_kind kind;
};

/*
 * Are 0 and 1 there, to speak to the client?  False: said on stderr which is
 * not.  A stderr that is not becomes /dev/null for weir alone, closed again by
 * exec, so that nothing else lands on 2.
 */
bool port_standard(void);

/* As dup2(), but EINTR is tried again. */
bool port_put(int from, int to);

/* Takes over an inherited descriptor, to read it or to write it. */
struct port port_adopt(int fd, bool write);

/* Takes over a descriptor whose description nobody shares. */
struct port port_own(int fd);

void port_close(struct port *port);

/* As read() and write(), but EINTR is tried again, and no SIGPIPE comes from
 * a socket.  -1 with errno EAGAIN: not now. */
ssize_t port_read(const struct port *port, void *buf, size_t len);
ssize_t port_write(const struct port *port, const void *buf, size_t len);

/* May it be used without asking poll() first? */
bool port_eager(const struct port *port);

#endif
