/*
 * asking - what a session does with the calls that a person must approve.
 *
 * A call that asks is judged like any other (decide.h); then
 *
 *	asking_recall()    has a person said already?  Sets current.approved, or
 *	                 refuses.
 *	                 Its limits are asked; counted only if it is approved.
 *	asking_hold()    lays the call aside, and asks: in the client, if it can
 *	                 show all of it.  The client's other lines go on.
 *	asking_reads()   an answer of the client's, or that it gives a call up
 *	asking_settle()  an answer is there, of whomever, or the time is over: a
 *	                 no is sent, and a yes makes the call PASSING
 *	                 Its limits are counted.
 *	asking_passed()  its line goes to the server, or a limit refuses it:
 *	                 then the yes is kept
 */
#ifndef SHIM_ASKING_H
#define SHIM_ASKING_H

#include "session.h"

void asking_recall(struct session *s, const struct message *m);

/* line: len bytes with the line end, if it has one.  False: it is refused; so
 * is each with --observe, which asks nobody. */
bool asking_hold(struct session *s, const char *line, size_t len,
		 const struct message *m);

/* Of each line of the client's, len bytes without its end.  *m loses its id if
 * it is not to be answered with it. */
enum asking {
	ASKING_NOTHING, /* it is not about a question */
	ASKING_TAKEN,   /* it was, and nothing else */
	ASKING_FAULT,   /* it is to be refused for *fault */
};
enum asking asking_reads(struct session *s, const char *line, size_t len,
			 struct message *m, struct fault *fault);

/* Settles one that is decided.  False: there is none. */
bool asking_settle(struct session *s);

void asking_passed(struct session *s, const struct message *m, bool passed);

/* Tells the clients that wait how much of the time has gone. */
void asking_progress(struct session *s, int64_t now);

#endif
