/*
 * pipe - the server's stdin, into which each line goes in one piece.
 *
 * A pause inside a line ends it for some readers.  So a line that fits into the
 * pipe waits until it fits whole; one that no pipe can hold waits until the
 * pipe is empty, so that its pieces follow one another as fast as the server
 * reads.  The pipe is made larger for long lines only, as all pipes of a user
 * share a quota.
 *
 * For the first PIPE_BEGIN bytes of a session each line waits until the pipe is
 * empty: a server that keeps slices of its first buffer would else mix lines.
 * Where the pipe can be resized it has one page until then, so that poll() says
 * when it is empty.
 */
#ifndef SHIM_PIPE_H
#define SHIM_PIPE_H

#include "fd.h"
#include "system.h"

#define PIPE_BEGIN 8192

struct pipe {
	struct fd fd; /* -1: closed */
	bool full;    /* until poll() says otherwise, or wait is over */
	int wait;     /* ms until the room is looked at again, as poll() does
			 not say when there is more than a page; 0: not */
	int looks;    /* how often to look at once, without waiting, before the
			 first wait: the server may be as quick as that */
	/* The rest is pipe.c's own, in bytes. */
	size_t usual; /* what it holds unless a line needs more */
	size_t size;  /* what it holds now */
	size_t page;  /* of these a buffer of it holds */
	size_t begun; /* what was written, up to PIPE_BEGIN */
	bool varies;  /* it can be resized */
	bool blind;   /* how full it is cannot be known */
	size_t room;  /* what it takes for certain; it may take more by now */
	size_t torn;  /* what is left of a line that goes out in pieces if need
			 be: no pipe holds it, or the session begins */
	size_t seen;  /* the room when it last waited: if there is more by now,
			 the server reads, and wait begins at 1 ms again */
};

/* Takes over the write end of an empty pipe. */
void pipe_open(struct pipe *p, int fd, struct room room);
void pipe_close(struct pipe *p);

/*
 * Writes what may be written now of the len > 0 bytes, one line or more; one:
 * for certain no more than one; inside: they begin inside a line of which a
 * part was written.  Returns as write() does; -1 with errno EAGAIN: not now,
 * see full and wait.
 */
ssize_t pipe_write(struct pipe *p, const char *bytes, size_t len, bool one,
		   bool inside);

/* poll() has returned; idle: nothing happened for all of p->wait. */
void pipe_waited(struct pipe *p, bool idle);

#endif
