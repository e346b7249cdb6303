/*
 * ends - what a client may give as stdin, stdout and stderr.
 */
#ifndef TESTS_ENDS_H
#define TESTS_ENDS_H

#include "harness.h"

/* Both ends of 0, 1 and 2; where there is one for several, duplicates. */
struct ends {
	int theirs[3]; /* blocking, unless the test makes them otherwise */
	int ours[3];   /* non-blocking */
};

struct ends_kind {
	const char *name;
	void (*make)(struct ends *e);
	bool merged;   /* 1 and 2 are the same */
	bool terminal; /* whose input ends by ^D */
	bool as_user;  /* it shall not be possible to open it anew */
};

#define ENDS_KINDS 8
extern const struct ends_kind ends_kinds[ENDS_KINDS];
extern const struct ends_kind ends_master; /* of a terminal, as stdout */

/* A process that has these; the pids and descriptors of *p are as those of
 * any other.  flags: set on each of theirs, which stay open: the test's. */
struct proc *ends_start(const struct ends_kind *kind, struct ends *e, int flags,
			const char *const *argv);

/* The client has no more to send. */
void ends_close_in(const struct ends_kind *kind, struct proc *p);

void ends_close_theirs(struct ends *e);

/* Our end of a new terminal, and theirs, open. */
int open_terminal(int *theirs);

/* A process whose stdin is a terminal of its own, which ends by ^D, or (all)
 * so is what it says, too. */
struct proc *start_on_terminal(const char *const *argv, bool all);

#endif
