/* lint - what is sound but probably a mistake.  For policies/language/ alone.
 */
#ifndef POLICIES_LINT_H
#define POLICIES_LINT_H

#include "../internal.h"

#include <limits.h>

/* Of a file, escaped, with a rule. */
#define LINT_PLACE_BYTES ((size_t)6 * PATH_MAX + POLICY_RULE_BYTES)

struct lint {
	const struct policy *policy;
	policy_report *report;
	void *context;
	int count; /* of warnings */
};

/* A warning about a rule: its file, line and pointer, and the words. */
void lint_warn(struct lint *l, const struct location *location,
	       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Does the entry cover all that the name of r, which may be a glob, covers? */
bool lint_covers(const struct entry *e, const struct rules *r);

/* Names that match nothing, and entries that open more than they seem to. */
void lint_names(struct lint *l);

#endif
