/* play - a whole session without a process: what the client and the server
 * write, in which order, and what comes out on both sides. */
#ifndef TESTS_PLAY_H
#define TESTS_PLAY_H

#include "unit.h"

#include <stdlib.h>

#include "../../shim/decide.h"
#include "../../shim/downstream.h"
#include "../../shim/upstream.h"

#define MAX_LINE  4096
#define OUT_BYTES (1 << 18)

/* A session, and all that came out of it. */
struct play {
	const char *name; /* of the row that is played, or NULL */
	struct policy *policy;
	struct session s;
	char *up, *down;
	size_t up_len, down_len;
};

static inline void no_report(void *context, const char *line)
{
	(void)context;
	print_error("%s\n", line);
	fail();
}

static inline void begin_long(struct play *p, const char *policy,
			      size_t max_line)
{
	p->policy = COMPILE(policy, no_report, NULL);
	p->up = calloc(1, OUT_BYTES);
	p->down = calloc(1, OUT_BYTES);
	p->up_len = p->down_len = 0;
	p->name = "";
	assert_true(
		session_open(&p->s, p->policy, COUNTERS(p->policy), max_line));
}

static inline void begin(struct play *p, const char *policy)
{
	begin_long(p, policy, MAX_LINE);
}

static inline void end(struct play *p)
{
	session_close(&p->s);
	policy_free(p->policy);
	free(p->up);
	free(p->down);
}

static inline void settle(struct play *p)
{
	bool any;

	do {
		const char *up, *down;
		size_t len;
		bool one;

		any = session_judge(&p->s);
		up = upstream_next(&p->s, &len, &one);
		assert_true(p->up_len + len < OUT_BYTES);
		memcpy(p->up + p->up_len, up, len);
		p->up_len += len;
		if (len > 0)
			upstream_sent(&p->s, len);
		any |= len > 0;
		down = downstream_next(&p->s, &len);
		assert_true(p->down_len + len < OUT_BYTES);
		memcpy(p->down + p->down_len, down, len);
		p->down_len += len;
		if (len > 0)
			downstream_sent(&p->s, len);
		any |= len > 0;
	} while (any);
	p->up[p->up_len] = p->down[p->down_len] = '\0';
}

static inline void feed(struct play *p, struct stream *stream, const char *s,
			size_t len)
{
	while (len > 0) {
		char *at;
		size_t room = stream_room(stream, &at);

		room = room < len ? room : len;
		assert_true(room > 0);
		memcpy(at, s, room);
		stream->fill += room;
		s += room;
		len -= room;
		settle(p);
	}
}

static inline void client(struct play *p, const char *s)
{
	feed(p, &p->s.up, s, strlen(s));
}

static inline void server(struct play *p, const char *s)
{
	feed(p, &p->s.down, s, strlen(s));
}

/* What came out on a side is this, since it was looked at last. */
static inline void came(const struct play *p, const char *what, char *out,
			size_t *len, const char *want)
{
	if (strcmp(out, want) != 0)
		print_error("%s\n%s: %s\ninstead of: %s\n", p->name, what, out,
			    want);
	assert_true(strcmp(out, want) == 0);
	out[0] = '\0';
	*len = 0;
}

static inline void up_came(struct play *p, const char *want)
{
	came(p, "up", p->up, &p->up_len, want);
}

static inline void down_came(struct play *p, const char *want)
{
	came(p, "down", p->down, &p->down_len, want);
}

/* Something came down, and it has this in it. */
static inline void down_has(struct play *p, const char *part)
{
	if (!strstr(p->down, part))
		print_error("%s\ndown: %s\nwithout: %s\n", p->name, p->down,
			    part);
	assert_non_null(strstr(p->down, part));
	p->down[0] = '\0';
	p->down_len = 0;
}

#endif
