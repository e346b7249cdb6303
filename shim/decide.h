/*
 * decide - the decision on one message of the client's, and what it entails.
 *
 * The policy gives the verdict (policies/policy.h).  Here its limits are
 * counted, it is logged, and the client is answered unless the message passes;
 * with --observe all pass.  Nothing is sent here: answers are added to
 * s->answers, where session_has_room() was true.
 */
#ifndef SHIM_DECIDE_H
#define SHIM_DECIDE_H

#include "session.h"

/*
 * Judges m into s->current, and has its limits counted: at once, or once a
 * person has approved it, until when they are only asked.  of is where an
 * approved call lies aside, else NULL.  False: the counters take time
 * (s->current.counting) and decide_resume() brings their answer; then call it
 * again with the same message, read again, as its bytes may have moved.
 */
bool decide_judge(struct session *s, const struct message *m,
		  struct approval *of);

/* Logs the verdict on m, of so many bytes at line, and answers m unless it
 * passes.  Returns whether it passes. */
bool decide_finish(struct session *s, const char *line, size_t bytes,
		   const struct message *m);

/* The same for a line that is malformed; id: its id, if that is certain. */
bool decide_fault(struct session *s, struct span id, const struct fault *fault,
		  size_t bytes);

/* Call it once the descriptor or the time of counters_poll() is there: takes
 * the answer for the call that is being counted. */
void decide_resume(struct session *s);

/* Gives up what is being counted: the message is judged again.  It may have
 * been counted. */
void decide_drop(struct session *s);

#endif
