/*
 * upstream - the client's lines on their way to the server.
 *
 * Lines are decided (decide.h) in the order in which they came.  While a call
 * is being counted its line stays at s->up.next, and those behind it wait.  A
 * call that waits for a person was copied to a slot of the approvals, and left
 * the stream (asking.h): what comes after it goes on.  Once approved, it goes
 * up between two lines of the stream.
 */
#ifndef SHIM_UPSTREAM_H
#define SHIM_UPSTREAM_H

#include "session.h"

/* Decides what has come, as far as there is room for the answers.  False:
 * nothing could be decided. */
bool upstream_judge(struct session *s);

/* What may go to the server now, and its length, 0 if nothing; *one: it is at
 * most one line. */
const char *upstream_next(const struct session *s, size_t *len, bool *one);

/* The first len > 0 bytes of that have been sent. */
void upstream_sent(struct session *s, size_t len);

/* Has all gone up that ever will? */
bool upstream_ended(const struct session *s);

/* Nobody reads what goes up: forgets it. */
void upstream_forget(struct session *s);

#endif
