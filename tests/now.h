/* now - the time that limits are judged at: what a test says. */
#ifndef TESTS_NOW_H
#define TESTS_NOW_H

#include "../policies/policy.h"

static int64_t now_is; /* in nanoseconds */
static int now_asked;  /* how often */

/* The verdict on a message, whose limits are answered at once. */
static inline struct verdict now_judge(const struct policy *policy,
				       struct counters *counters,
				       const struct message *m)
{
	static struct judged j;

	policy_judge(policy, m, &j);
	if (j.count > 0) {
		now_asked++;
		policy_counted(&j, counters_ask(counters, j.questions, j.count,
						true, now_is));
	}
	return j.verdict;
}

#endif
