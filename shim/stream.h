/*
 * stream - the bytes on their way in one direction, in one fixed buffer.
 *
 *      0        run       run_end      next          fill         cap
 *      |  sent   |  to send  |  left out |  to judge   |   free     |
 *
 * 0 <= run <= run_end <= next <= fill <= cap.  Bytes are judged where they lie,
 * and sent in runs: what is judged good while nothing is left out (run_end is
 * next) makes the run longer.  Once something was left out, the run must have
 * been sent before more can join it: until then, the judging pauses.
 *
 * The bytes are moved down to the begin of the buffer before they come far, so
 * that a stream that is never empty stays in the memory that it has touched,
 * and in the cache.  After a long line its pages are returned, once the buffer
 * has been empty 64 times without having been filled past 1 MiB.
 */
#ifndef SHIM_STREAM_H
#define SHIM_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#define STREAM_CHUNK ((size_t)64 << 10)  /* read at once, in bytes */
#define STREAM_AHEAD ((size_t)64 << 10)  /* so many wait: read no more */
#define STREAM_NEAR  ((size_t)128 << 10) /* past this, they are moved down */
#define STREAM_KEPT  ((size_t)1 << 20)   /* past this, pages are returned */
#define STREAM_RESTS 64 /* after it was empty so often, and not that full */

struct stream {
	char *buf; /* the stream's own mapping */
	size_t cap;
	size_t run;
	size_t run_end;
	size_t last; /* the bytes passed last begin here */
	size_t next;
	size_t fill;
	size_t searched; /* no LF from next up to here; >= next or stale */
	size_t touched;  /* the most that fill was since pages were returned */
	unsigned rests;  /* how often it was empty since fill was past KEPT */
};

/* Room for a line of max_line bytes and more; reserved, not touched.  False:
 * there is no memory. */
bool stream_open(struct stream *s, size_t max_line);
void stream_close(struct stream *s);

/* Where to read, and how many bytes (at most STREAM_CHUNK); 0 until more of
 * the run has been sent, or more has been judged. */
size_t stream_room(struct stream *s, char **at);

/* Are there bytes at next, and may they be judged now? */
bool stream_may_judge(const struct stream *s);

/* The length of the line at next with its LF; 0: its LF has not come.  Then an
 * LF is put behind the last byte, which ends every token (scan.h). */
size_t stream_line(struct stream *s);

/* The len bytes at next are good, or are left out. */
void stream_pass(struct stream *s, size_t len);
void stream_drop(struct stream *s, size_t len);

/* len bytes of the run have been sent. */
void stream_sent(struct stream *s, size_t len);

/* Nothing will be sent any more: forgets what is here. */
void stream_forget(struct stream *s);

#endif
