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
 * What is on its way is moved down before it comes far, so that a stream that
 * never rests stays in the memory that it has touched, and in the cache.  What
 * a long line has touched is given back once others have come that are not.
 */
#ifndef SHIM_STREAM_H
#define SHIM_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#define STREAM_CHUNK ((size_t)64 << 10)  /* read at once, in bytes */
#define STREAM_AHEAD ((size_t)64 << 10)  /* waiting: read no more */
#define STREAM_NEAR  ((size_t)128 << 10) /* past this, it is moved down */
#define STREAM_KEPT  ((size_t)1 << 20)   /* past this, it is given back */
#define STREAM_RESTS 64 /* when it was empty so often, and not that full */

struct stream {
	char *buf; /* the stream's own mapping */
	size_t cap;
	size_t run;
	size_t run_end;
	size_t last; /* the bytes passed last begin here */
	size_t next;
	size_t fill;
	size_t searched; /* no LF from next up to here; >= next or stale */
	size_t touched;  /* fill has come so far since it was given back */
	unsigned rests;  /* how often it was empty since it came past KEPT */
};

/* Room for a line of max_line bytes and more; reserved, not touched.  False:
 * there is no memory. */
bool stream_open(struct stream *s, size_t max_line);
void stream_close(struct stream *s);

/* Where to read, and how many bytes (at most STREAM_CHUNK); 0 until more of
 * the run has been sent, or more has been judged. */
size_t stream_room(struct stream *s, char **at);

/* May the bytes from next on be judged now? */
bool stream_may_judge(const struct stream *s);

/* The length of the line at next with its LF, or 0 if its LF is not here: then
 * one lies behind what is here, where the reader of a last line stops. */
size_t stream_line(struct stream *s);

/* The len bytes at next are good, or are left out. */
void stream_pass(struct stream *s, size_t len);
void stream_drop(struct stream *s, size_t len);

/* len bytes of the run have been sent. */
void stream_sent(struct stream *s, size_t len);

/* Nothing will be sent any more: forgets what is here. */
void stream_forget(struct stream *s);

#endif
