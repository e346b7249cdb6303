/* now - the time that limits are judged at: what a test says. */
#ifndef TESTS_NOW_H
#define TESTS_NOW_H

#include "../policies/policy.h"

static int64_t now_is; /* in nanoseconds */
static int now_asked;  /* how often */

static void (*now_waits)(void); /* is done while an answer is waited for */

/* The verdict on a message, if nobody approves it: then it has the reason of
 * the first rule that asks.  While it waits, time goes on by milliseconds. */
static inline struct verdict now_judge(const struct policy *policy,
				       struct counters *counters,
				       const struct message *m)
{
	static struct judged j;
	enum counted answer;

	policy_judge(policy, m, &j);
	if (j.count > 0) {
		now_asked++;
		answer = counters_ask(counters, j.questions, j.count, true,
				      now_is);
		while (answer == COUNTED_LATER) {
			if (now_waits)
				now_waits();
			now_is += MILLISECOND;
			answer = counters_resume(counters, now_is);
		}
		policy_counted(&j, answer);
	}
	if (j.ask.count > 0 && j.verdict.kind == VERDICT_PASS)
		policy_not_approved(&j, j.ask.reasons[0] ? j.ask.reasons[0]
							 : "no reason");
	return j.verdict;
}

#endif
