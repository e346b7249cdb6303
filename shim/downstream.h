/*
 * downstream - the server's bytes, and weir's answers, on their way to the
 * client.
 *
 * Bytes pass as they come.  Lines are read, and so have to be whole, only while
 * one may hold what matters: a list in which something is hidden, the answer to
 * initialize, any list while there is a lock.  Answers never stand inside a
 * line of the server's.
 */
#ifndef SHIM_DOWNSTREAM_H
#define SHIM_DOWNSTREAM_H

#include "session.h"

/* This request goes to the server: is its answer to be read? */
void downstream_expect(struct session *s, const struct message *m);

/* The policy is another one: notifies the client of each list that the server
 * promised to notify of. */
void downstream_changed(struct session *s);

/* Looks at what has come, as far as it has to.  False: nothing could be passed
 * on or left out. */
bool downstream_judge(struct session *s);

/* What may go to the client now, and its length, 0 if nothing. */
const char *downstream_next(const struct session *s, size_t *len);

/* The first len > 0 bytes of that have been sent. */
void downstream_sent(struct session *s, size_t len);

/* Has all gone down that ever will? */
bool downstream_ended(const struct session *s);

/* Do answers wait for the end of half a line that begins like no message, with
 * nothing else to send? */
bool downstream_stuck(const struct session *s);

/* Ends that line: what the server writes next is the begin of one. */
void downstream_break(struct session *s);

/* Nobody reads what goes down: forgets it. */
void downstream_forget(struct session *s);

#endif
