/*
 * asked - a message that a client might send, and what is told of its verdict:
 * for explain and test.
 */
#ifndef SHIM_ASKED_H
#define SHIM_ASKED_H

#include "../../policies/policy.h"

/*
 * The line of a tools/call of this tool, or of a message of this method; json
 * is its arguments or its params, or NULL for none.  The name is escaped for a
 * JSON string.  A notification has no id.  The caller frees it; a NUL follows.
 * NULL: out of memory, reported.
 */
char *asked_line(bool call, const char *name, const char *json, size_t *len);

/* The verdict of a policy with counters in memory: if it passes, it is counted.
 * What a person is to be asked about does not pass, and j->ask.count is not 0.
 */
void asked_judge(const struct policy *policy, struct counters *counters,
		 const struct message *m, int64_t now, struct judged *j);

/* Is it let through, without asking a person? */
bool asked_passes(const struct judged *j);

/* Prints on stdout why a message does not pass: the rule, its place, what a
 * condition wants, what the client is told; or each rule that asks a person,
 * how, and whom.  Lines begin with indent and have at most 80 columns where
 * that can be. */
void asked_tell(const struct policy *policy, const struct message *m,
		const struct judged *j, const char *indent);

/* Prints that it is allowed, by which entry, and its limits. */
void asked_tell_allowed(const struct policy *policy, const struct message *m,
			const struct judged *j);

#endif
