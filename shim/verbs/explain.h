/* explain - the verb: what becomes of one call, and which rule says so. */
#ifndef SHIM_EXPLAIN_H
#define SHIM_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#define EXPLAIN_ALLOWED 0
#define EXPLAIN_REFUSED 1
#define EXPLAIN_ERROR   2

/*
 * Judges a call of the tool, with the arguments, a JSON object, or NULL for
 * none, just as the relay would: the same bytes, the same function; nothing was
 * counted before.  Says on stdout what comes of it: for a person, or as one
 * line of JSON.  Returns the status to exit with.
 */
int explain_run(const char *const *policies, size_t count, const char *tool,
		const char *arguments, bool json);

#endif
