/* now - the time that limits are judged at: what a test says. */
#ifndef TESTS_NOW_H
#define TESTS_NOW_H

#include "../policies/policy.h"

static int64_t now_is; /* in nanoseconds */
static int now_asked;  /* how often */

static inline int64_t now_tell(void)
{
	now_asked++;
	return now_is;
}

#endif
