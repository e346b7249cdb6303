/*
 * counters - asks and counts the limits of a call: in memory, in the file of a
 * grant, or on another machine.
 *
 * All limits of a call are one question, which is answered at once or later:
 *
 *	answer = counters_ask(c, questions, n, true, now);
 *	while (answer == COUNTED_LATER) {
 *		poll what counters_poll() names, at most until its time;
 *		answer = counters_resume(c, now);
 *	}
 *
 * One question at a time: the questions stay the caller's, and where they are,
 * until it is answered or dropped.  All limits count the call, or none does.  A
 * question that has waited for COUNTERS_WAIT is COUNTED_NOT; for
 * COUNTERS_REST after that a question is tried once, without waiting.  Nothing
 * here blocks or allocates but what says so.
 */
#ifndef POLICIES_COUNTERS_H
#define POLICIES_COUNTERS_H

#include "../host/host.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTERS_WAIT  (250 * MILLISECOND)
#define COUNTERS_REST  SECOND
#define COUNTERS_START (5 * SECOND) /* that a start waits for a lock */

#define COUNTERS_TROUBLE_BYTES 600
#define COUNTERS_ASKED_MAX     64 /* questions of one call */

/* One count.  Limits with the same "counter" name share one.  Made at load,
 * and as immutable as the policy. */
struct counter {
	uint64_t id; /* a hash of its name, else of section, entry, window and
			path: the same in every process, whatever is reloaded */
	const char *name; /* for people, escaped; "/0" if it has none */
	bool sum;         /* amounts are added; else calls are counted */
	bool grant;       /* scope "grant"; else of this process alone */
	size_t values;    /* of "per": live at a time; 0: there is no per */
	uint64_t max;     /* the largest max of its limits; sums: millionths */
	int64_t window;   /* the longest of theirs */
	const int64_t *windows; /* all of theirs, each once, the shortest
				   first */
	size_t window_count;    /* at least 1 */
	size_t index;           /* in the policy's counters */
};

/* What one limit of a call asks, and is told. */
struct question {
	const struct counter *counter;
	uint64_t value;  /* hash of the value of "per", never 0; 0 without.  Of
			    a counter with per, 0 asks (and never counts) about
			    the value that has used most */
	uint64_t max;    /* of the limit */
	int64_t window;  /* of the limit */
	uint64_t amount; /* calls: 1; sums: millionths */
	/* The answer: */
	int64_t wait;  /* 0: allows; -1: never will; else until it does */
	uint64_t used; /* in the window, without this call.  Of calls only where
			  nothing is counted */
	size_t live;   /* values of per, where nothing is counted */
	bool full;     /* as many values live as may: refused for that */
};

enum counted {
	COUNTED_YES,     /* all allow it, and have counted it if they should */
	COUNTED_REFUSED, /* some question's wait is not 0; none has counted */
	COUNTED_LATER,
	COUNTED_NOT /* cannot be known: trouble says why; it is possible that it
		       was counted */
};

/* What keeps the counters of a grant: its file, or Redis. */
struct backend;
struct backend_ops {
	/* The counters of a loaded policy, until the next bind: reserves what
	 * they need, and may wait for COUNTERS_START if start.  False: trouble,
	 * and those before are still bound. */
	bool (*bind)(struct backend *b, const struct counter *const *counters,
		     size_t n, bool start);
	/* Asks; counts all if count and all allow. */
	enum counted (*ask)(struct backend *b, struct question *q, size_t n,
			    bool count);
	enum counted (*resume)(struct backend *b);
	/* The question is given up, whatever becomes of it. */
	void (*drop)(struct backend *b);
	/* While LATER, or a connection is made again: the descriptor to poll or
	 * -1, its events, and the time when resume() is due at the latest (-1:
	 * never). */
	int64_t (*poll)(struct backend *b, struct pollfd *p);
	/* Forgets all of a counter.  May block: for weir limits. */
	bool (*reset)(struct backend *b, const struct counter *counter);
	void (*close)(struct backend *b);
};
struct backend {
	const struct backend_ops *ops;
	const char *place; /* the file or URL, for people, without secrets */
	bool empty;        /* nothing is there yet */
	char trouble[COUNTERS_TROUBLE_BYTES]; /* why the last question, or bind,
						 failed, in words; or "" */
	const void *bound; /* for counters.c: whose counters were bound last */
};

/* NULL is nothing to close. */
void backend_close(struct backend *b);

struct policy;
struct counters;
/* A policy_report. */
typedef void counters_report(void *context, const char *line);

/*
 * Creates counters for the limits of the policy.  Limits of scope "grant" count
 * in the grant, which the caller keeps as long as the counters; without a grant
 * they count in memory from zero, like the others.  from: the counters of the
 * policy before, or NULL at the start; what they hold in memory is carried over
 * to counters of the same id.  Returns NULL after reporting why: out of memory,
 * or the grant cannot be read or written.
 */
struct counters *counters_new(const struct policy *policy,
			      struct backend *grant,
			      const struct counters *from,
			      counters_report *report, void *context);
void counters_free(struct counters *counters);

enum counted counters_ask(struct counters *c, struct question *q, size_t n,
			  bool count, int64_t now);
enum counted counters_resume(struct counters *c, int64_t now);
void counters_drop(struct counters *c);

/* What to poll, as in backend_ops, and until when: -1 if nothing waits. */
int64_t counters_poll(struct counters *c, struct pollfd *p);

/* Why the last question was COUNTED_NOT, or "". */
const char *counters_trouble(const struct counters *c);

/* What a limit of scope "grant" has counted; sums in millionths. */
struct limit_use {
	const char *rule;    /* as location.rule */
	const char *counter; /* its name, or its position; escaped */
	const char *words;   /* "at most 10 calls a minute" */
	bool sum;
	uint64_t used, max;  /* with per: of the value that has used most */
	int64_t length;      /* of the window */
	int64_t wait;        /* until a call may pass: 0 now, -1 never */
	size_t live, values; /* of per; values is 0 without */
};
typedef void policy_use(void *context, const struct limit_use *use);

/* Calls tell for each limit of scope "grant", in the order of the policy.  On
 * false see counters_trouble().  May block. */
bool counters_uses(const struct policy *policy, struct counters *counters,
		   policy_use *tell, void *context);

/* Resets the counters of scope "grant" with this name or a limit of this rule.
 * On false see counters_trouble().  May block. */
bool counters_reset(const struct policy *policy, struct counters *counters,
		    const char *name);

#endif
