/*
 * window - an exact sliding window: at most max calls in any span of it.
 *
 * The times of the last max calls are kept in a ring, so both functions take
 * the same time whatever max is.  Times are nanoseconds and never go back.
 */
#ifndef POLICIES_WINDOW_H
#define POLICIES_WINDOW_H

#include <stdint.h>

struct window {
	int64_t *times; /* of the last calls, max places; the caller's */
	uint32_t max;
	uint32_t count; /* places in use */
	uint32_t next;  /* where the next goes; the oldest once all are used */
	int64_t length; /* of the window, in nanoseconds */
};

/* How long until a call is allowed: 0 is now, -1 is never (max is 0). */
int64_t window_wait(const struct window *w, int64_t now);

/* Counts a call that window_wait() allowed at the same time. */
void window_count(struct window *w, int64_t now);

#endif
