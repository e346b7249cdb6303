/* The two streams and what lies between.  The contract is in session.h. */
#include "session.h"

#include "asking.h"
#include "decide.h"
#include "downstream.h"
#include "report.h"
#include "upstream.h"

#include <stdlib.h>
#include <string.h>

bool session_open(struct session *s, struct policy *policy,
		  struct counters *counters, size_t max_line)
{
	memset(s, 0, sizeof(*s));
	s->policy = policy;
	s->max_line = max_line;
	s->log.fd = -1;
	s->counters = counters;
	s->answers.ptr = malloc(SESSION_ANSWERS);
	s->answers.cap = SESSION_ANSWERS;
	return s->counters && s->answers.ptr && stream_open(&s->up, max_line) &&
	       stream_open(&s->down, max_line);
}

void session_close(struct session *s)
{
	if (s->observed_count > 0)
		report("and %zu more would not pass", s->observed_count);
	decide_drop(s);
	counters_free(s->counters);
	approvals_close(s->approvals);
	free(s->answers.ptr);
	stream_close(&s->up);
	stream_close(&s->down);
	served_free(s->served);
}

bool session_ask(struct session *s, const char *const *server, unsigned ways)
{
	static const char *const none[] = {NULL};

	s->server = server ? server : none;
	s->ways = ways;
	if (policy_asks(s->policy) && !s->approvals)
		s->approvals = approvals_open(s->server);
	return s->approvals || !policy_asks(s->policy);
}

/* What waits for a person is refused once nobody is left to ask for it, or to
 * do it; and what has been decided, is done. */
static bool settle(struct session *s)
{
	bool any = false;

	if (!s->approvals)
		return false;
	if (s->down_ended) {
		/* What is being counted of it is no longer there, then. */
		if (s->current.of) {
			decide_drop(s);
			s->current.counting = false;
		}
		approvals_end(s->approvals, APPROVAL_ENDED, true);
	} else if (s->up_ended && s->up.next == s->up.fill) {
		approvals_end(s->approvals, APPROVAL_ENDED, false);
	}
	while (session_has_room(s) && asking_settle(s))
		any = true;
	return any;
}

bool session_judge(struct session *s)
{
	bool any = settle(s);

	any |= upstream_judge(s);
	any |= downstream_judge(s);
	return any;
}

void session_tick(struct session *s, int64_t now)
{
	if (!s->approvals)
		return;
	approvals_tick(s->approvals, now);
	asking_progress(s, now);
}

bool session_reload(struct session *s, struct policy *policy,
		    struct counters *counters)
{
	if (!session_has_room(s))
		return false;
	if (s->approvals &&
	    memcmp(policy_digest(policy), policy_digest(s->policy),
		   POLICY_DIGEST_BYTES) != 0)
		approvals_end(s->approvals, APPROVAL_RELOADED, true);
	s->policy = policy;
	if (s->server && !session_ask(s, s->server, s->ways))
		report("out of memory: what a person must approve is refused");
	counters_free(s->counters);
	s->counters = counters;
	downstream_changed(s);
	return true;
}
