/*
 * unstarted - answers the client of a weir that could not start with the
 * reason.
 *
 * No client shows what a server writes to stderr; all of them show the error
 * that answers their first request.  Some ask server/discover before
 * initialize, so one answer is not enough.
 */
#ifndef SHIM_UNSTARTED_H
#define SHIM_UNSTARTED_H

#include <signal.h>

/*
 * Answers each request on stdin with -32603 and the reason, which is what was
 * reported last, less what it quotes from a policy file: the first if it
 * arrives within a second, those that follow within a second of one another,
 * and none later than five seconds from now.  Lines that are no message are
 * answered, too; all else is swallowed.  Returns at once if stdin is a terminal
 * or has ended.  Signals arrive as this mask has them.
 */
void unstarted_answer(const sigset_t *mask);

#endif
