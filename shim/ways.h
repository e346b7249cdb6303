/*
 * ways - how a person is asked outside the client: at the door, by weir
 * approve, and by the program of WEIR_ASK, about one call at a time.
 */
#ifndef SHIM_WAYS_H
#define SHIM_WAYS_H

#include "asker.h"
#include "door.h"
#include "options.h"

enum { WAYS_POLLED = DOOR_POLLED + ASKER_POLLED };

struct ways {
	const struct options *options; /* the caller's */
	struct door door;
	struct asker asker;
	uint64_t asked; /* serial of the last call that the program got */
};

/* False: WEIR_ASK names no program; reported. */
bool ways_open(struct ways *w, const struct options *o, struct child *child);
void ways_close(struct ways *w);

/* Makes the door, if this policy needs one, or uses it for this policy from now
 * on.  Returns how a person can be asked, a set of enum policy_ask. */
unsigned ways_use(struct ways *w, const struct policy *policy);

/* What to wait for, which is so many; and *due, -1: for ever.
 * approvals: the session's, or NULL. */
int ways_poll(struct ways *w, struct approvals *approvals,
	      struct pollfd p[WAYS_POLLED], int64_t *due);

/* Goes on, after poll() and child_signals(). */
void ways_go_on(struct ways *w, struct approvals *approvals,
		const struct pollfd p[WAYS_POLLED]);

#endif
