/* wrap_show - what weir wrap and weir unwrap print. */
#ifndef SHIM_VERBS_WRAP_SHOW_H
#define SHIM_VERBS_WRAP_SHOW_H

#include "config.h"

/* What became of a server. */
struct outcome {
	bool failed;
	const char *state, *why;     /* NULL: nothing is said about it */
	char *put[POLICIES_MAX + 1]; /* the new policies, NULL-ended; owned */
};

/* Says what became of each server, and what to do now.  changes: there are
 * some; made: the file as it was was copied. */
void wrap_show(const struct options *o, const struct config *c,
	       const struct outcome *all, bool changes, bool made);

/* Prints a server as a JSON object; policies, NULL-ended, if it is behind weir.
 */
void wrap_show_server(const struct server *v, const char *state, bool behind,
		      char *const *policies);

#endif
