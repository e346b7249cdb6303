/* lint - what is sound but probably a mistake.  For policies/language/ alone.
 */
#ifndef POLICIES_LINT_H
#define POLICIES_LINT_H

#include "../internal.h"

struct lint {
	const struct policy *policy;
	const struct policy_list *list; /* what the server has, or NULL */
	policy_report *report;
	void *context;
	int count; /* of warnings */
};

/* A warning about a rule: its file, line and pointer, and the words. */
void lint_warn(struct lint *l, const struct location *location,
	       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Does the entry cover all that the name of r, which may be a glob, covers? */
bool lint_covers(const struct entry *e, const struct rules *r);

/* Do both paths have the same steps? */
bool lint_same_path(const struct condition *a, const struct condition *b);

/* Are they the same value? */
bool lint_same_operand(const struct operand *o, const struct operand *p);

/* Decodes a string, with a NUL behind it.  False: it is none, does not fit, or
 * has a NUL or an unpaired surrogate. */
bool lint_string(struct span value, char *out, size_t cap);

/* Names that match nothing, and entries that open more than they seem to. */
void lint_names(struct lint *l);

/* Entries of a section that cover nothing that was noted. */
void lint_unused(struct lint *l, enum policy_section section);

/* Conditions that mean something else than they seem to. */
void lint_conditions(struct lint *l);

/* Rules that ask a person and never do, or that nobody can say yes to. */
void lint_asks(struct lint *l);

/* Limits that an agent can get around. */
void lint_limits(struct lint *l);

/* Does a tool that the rules are about have the argument of the condition, as
 * far as the list tells? */
bool lint_has_argument(const struct lint *l, const struct rules *r,
		       const struct condition *c);

/* The policy against what the server has. */
void lint_list(struct lint *l);

#endif
