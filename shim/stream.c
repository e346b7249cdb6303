/* One direction's bytes.  The contract is in stream.h. */
#include "stream.h"

#include "system.h"

#include <string.h>
#include <sys/mman.h>

bool stream_open(struct stream *s, size_t max_line)
{
	memset(s, 0, sizeof(*s));
	s->cap = max_line + 4 * STREAM_CHUNK;
	s->buf = system_reserve(s->cap + 1);
	return s->buf;
}

void stream_close(struct stream *s)
{
	if (s->buf)
		munmap(s->buf, s->cap + 1);
	s->buf = NULL;
}

static void move_down(struct stream *s)
{
	size_t by = s->run;

	memmove(s->buf, s->buf + by, s->fill - by);
	s->run = 0;
	s->run_end -= by;
	s->last -= s->last < by ? s->last : by;
	s->next -= by;
	s->fill -= by;
	s->searched -= s->searched < by ? s->searched : by;
}

/* A move must free as much as it moves, so that the moves stay cheap.  The
 * longest line finds room that way, too: behind a run that waits less than two
 * chunks are read, so what is sent of it makes up the most. */
static bool may_move(const struct stream *s)
{
	return s->run > 0 && s->fill >= STREAM_NEAR &&
	       s->run >= s->fill - s->run;
}

size_t stream_room(struct stream *s, char **at)
{
	size_t room;

	if (s->fill > STREAM_KEPT)
		s->rests = 0;
	if (s->fill > s->touched)
		s->touched = s->fill;
	if (s->run == s->fill) {
		if (s->touched > STREAM_KEPT && s->fill > 0 &&
		    ++s->rests == STREAM_RESTS) {
			system_release(s->buf + STREAM_KEPT,
				       s->touched - STREAM_KEPT);
			s->touched = 0;
		}
		stream_forget(s);
	} else if (may_move(s)) {
		move_down(s);
	}
	*at = s->buf + s->fill;
	/* Enough waits to be sent, or to be judged, which pauses if nobody has
	 * looked for a line in it: more would only fill memory. */
	if (s->run_end - s->run >= STREAM_AHEAD ||
	    (s->fill - s->next >= STREAM_AHEAD && s->searched < s->fill))
		return 0;
	room = s->cap - s->fill;
	return room < STREAM_CHUNK ? room : STREAM_CHUNK;
}

bool stream_may_judge(const struct stream *s)
{
	return s->next < s->fill &&
	       (s->run_end == s->next || s->run == s->run_end);
}

size_t stream_line(struct stream *s)
{
	const char *lf;

	if (s->searched < s->next)
		s->searched = s->next;
	lf = memchr(s->buf + s->searched, '\n', s->fill - s->searched);
	if (!lf) {
		s->searched = s->fill;
		s->buf[s->fill] = '\n';
		return 0;
	}
	s->searched = (size_t)(lf - s->buf);
	return s->searched + 1 - s->next;
}

void stream_pass(struct stream *s, size_t len)
{
	if (s->run == s->run_end)
		s->run = s->next;
	s->last = s->next;
	s->next += len;
	s->run_end = s->next;
}

void stream_drop(struct stream *s, size_t len)
{
	s->next += len;
	if (s->run == s->run_end)
		s->run = s->run_end = s->next;
}

void stream_sent(struct stream *s, size_t len)
{
	s->run += len;
	if (s->run == s->run_end)
		s->run = s->run_end = s->next;
}

void stream_forget(struct stream *s)
{
	s->run = s->run_end = s->last = s->next = s->fill = s->searched = 0;
}
