/*
 * grant - where the counters of a grant are.
 */
#ifndef SHIM_GRANT_H
#define SHIM_GRANT_H

#include "../policies/policy.h"
#include "options.h"

#include <limits.h>

/*
 * Opens the counters of the grant that the options name, else of the first
 * policy file's canonical path.  They are in the state directory that the
 * options name, else in $XDG_STATE_HOME/weir or ~/.local/state/weir; or in
 * Redis, where the grant has to be named.  copy: opens a copy to ask, and makes
 * no file.  The caller closes it.  NULL: reported.
 */
struct backend *grant_for(const struct options *o, bool copy,
			  policy_report *report, void *context);

/* Puts into dir the state directory that the options name, else the default
 * one; with counters in Redis always the default one.  make: the caller will
 * create it if it is missing.  False: there is none, and why says why. */
bool grant_state(const struct options *o, bool make, char dir[PATH_MAX],
		 char why[PATH_MAX]);

/* Reports the files that an allowed call may overwrite: of the policy, the
 * lock, the log, the state directory, and, if is_weir, this program.  Returns
 * the number of warnings. */
int grant_warn_within(const struct options *o, const struct policy *policy,
		      const char *const *files, size_t count, bool is_weir,
		      policy_report *report, void *context);

#endif
