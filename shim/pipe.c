/* Lines that stay whole.  The contract is in pipe.h. */
#include "pipe.h"

#include "../parser/scan_simd.h"
#include "report.h"

#include <limits.h>
#include <string.h>

#define SIZE_MOST ((size_t)1 << 20)   /* that Linux gives without privilege */
#define SIZE_BUSY ((size_t)512 << 10) /* enough for short lines */
#define WAIT_MOST 1000 /* milliseconds between looks at a full pipe */
#define LOOKS     32   /* before that, at a session's begin */

/* The bytes that lie in it; 0 where that is not to be known. */
static size_t queued(struct pipe *p)
{
	size_t bytes = 0;

	if (p->blind || system_queued(p->fd.fd, &bytes))
		return bytes;
	p->blind = true;
	report("cannot tell how full the server's stdin is (FIONREAD: %s): lines over %d bytes may reach it in pieces",
	       strerror(errno), PIPE_BUF);
	return 0;
}

static void resize(struct pipe *p, size_t size)
{
	const size_t got = p->varies ? system_resize(p->fd.fd, size) : 0;

	if (got == 0)
		return;
	p->size = got;
	p->room = 0; /* until it is looked for */
}

/* Has it but one page?  Then poll() says when it is empty. */
static bool narrow(const struct pipe *p)
{
	return p->varies && p->size == p->page;
}

/* Looks what it takes now for certain, and makes it larger, up to most, if len
 * more bytes need it.  Neighbouring pages of a pipe hold more than one page
 * together, but for the one being read. */
static void look_for_room(struct pipe *p, size_t len, size_t most)
{
	size_t full = queued(p), used = full ? 2 * (full / p->page) + 3 : 0;
	size_t need = (used + len / p->page + 1) * p->page;

	need = need < most ? need : most;
	if (p->size < need)
		resize(p, need);
	p->room = p->size > used * p->page ? p->size - used * p->page : 0;
}

/* How many of the len bytes may be written now so that no line is torn: whole
 * lines that fit, and at most PIPE_BUF bytes are written all or not at all
 * (pipe(7)). */
static size_t untorn(struct pipe *p, const char *bytes, size_t len, bool one)
{
	const char *lf = NULL;
	size_t line = len;
	bool begin = p->begun < PIPE_BEGIN;

	if (p->torn > 0)
		return p->torn;
	if (!begin && p->size != p->usual &&
	    (p->size < p->usual || (len <= PIPE_BUF && queued(p) == 0)))
		resize(p, p->usual);
	if (!begin && (len <= PIPE_BUF || len <= p->room))
		return len;
	/* One line has but one LF, which is not worth the search. */
	if (!one && (lf = memchr(bytes, '\n', len)))
		line = (size_t)(lf - bytes) + 1;
	if (begin) {
		/* Pieces of a line follow each other without a pause. */
		if (narrow(p) || queued(p) == 0)
			p->torn = line;
		if (p->torn > p->size)
			resize(p, line < SIZE_MOST ? line : SIZE_MOST);
		return p->torn;
	}
	if (line <= PIPE_BUF)
		look_for_room(p, len, SIZE_BUSY);
	else
		look_for_room(p, line, SIZE_MOST);
	if (len <= p->room)
		return len;
	if (lf)
		lf = scan_last(bytes, p->room > PIPE_BUF ? p->room : PIPE_BUF,
			       '\n');
	if (lf)
		return (size_t)(lf - bytes) + 1;
	if (p->room == p->size || p->blind)
		p->torn = line;
	return p->torn;
}

void pipe_open(struct pipe *p, int fd, struct room room)
{
	*p = (struct pipe){.fd = fd_own(fd),
			   .usual = room.bytes,
			   .size = room.bytes,
			   .page = room.page,
			   .varies = room.varies,
			   .blind = room.blind};
	resize(p, p->page);
}

void pipe_close(struct pipe *p)
{
	fd_close(&p->fd);
	p->wait = p->looks = 0;
}

ssize_t pipe_write(struct pipe *p, const char *bytes, size_t len, bool one,
		   bool inside)
{
	ssize_t put;
	size_t taken;

	/* The line that was to be torn has not begun, and another may go
	 * before it. */
	if (!inside)
		p->torn = 0;
	len = untorn(p, bytes, len, one);
	if (len == 0) {
		p->full = true;
		/* While the server reads there will be room soon; within
		 * microseconds where it has but one line to read. */
		if (p->wait == 0 || p->room > p->seen) {
			p->looks = p->begun < PIPE_BEGIN ? LOOKS : 0;
			p->wait = 1;
		}
		p->seen = p->room;
		errno = EAGAIN;
		return -1;
	}
	p->wait = p->looks = 0;
	put = fd_write(&p->fd, bytes, len);
	if (put < 0) {
		p->full = errno == EAGAIN;
		return put;
	}
	if (p->torn > 0)
		p->torn -= (size_t)put;
	/* Each write may leave a page not full. */
	taken = ((size_t)put / p->page + 1) * p->page;
	p->room -= taken < p->room ? taken : p->room;
	if (p->begun < PIPE_BEGIN) {
		p->begun += (size_t)put;
		p->full = narrow(p);
	}
	return put;
}

void pipe_waited(struct pipe *p, bool idle)
{
	if (p->wait == 0)
		return;
	p->full = false;
	if (p->looks > 0)
		p->looks--;
	else if (idle && p->wait < WAIT_MOST)
		p->wait *= 2;
}
