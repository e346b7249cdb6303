/*
 * grant - where the counters of a grant are, and by which clock they count.
 */
#ifndef SHIM_GRANT_H
#define SHIM_GRANT_H

#include "../policies/policy.h"
#include "options.h"

#include <limits.h>

/* The grant that the options name, in the state directory that they name: else
 * the first policy file's canonical path, in $XDG_STATE_HOME/weir or
 * ~/.local/state/weir; or in Redis, where the grant has to be named.  copy:
 * only to be asked about; no file is made.  NULL: reported. */
struct backend *grant_for(const struct options *o, bool copy,
			  policy_report *report, void *context);

/* The state directory that the options name, else the default one, which it is
 * as well where the counters are in Redis.  make: it may be made.  False: why
 * says why there is none. */
bool grant_state(const struct options *o, bool make, char dir[PATH_MAX],
		 char why[PATH_MAX]);

/* Reports what a call that the policy allows may write over: the policy files,
 * the log, the state directory, this program if it is weir.  Returns the number
 * of warnings. */
int grant_warn_within(const struct options *o, const struct policy *policy,
		      const char *const *files, size_t count, bool is_weir,
		      policy_report *report, void *context);

/* Nanoseconds since boot, for limits of a session: time that the machine slept
 * counts. */
int64_t grant_now(void);

#endif
