/*
 * cases - a file of tests for a policy: calls, and the verdicts expected.
 *
 *   [{"call": "write_file", "arguments": {"path": "/etc/passwd"},
 *     "expect": "refused", "rule": "/tools/write_file/require/0"},
 *    {"method": "prompts/get", "params": {"name": "x"}, "expect": "hidden"},
 *    {"call": "search", "expect": "refused", "repeat": 11, "after": 60}]
 *
 * It is read as strictly as a policy file, and its faults are reported alike.
 */
#ifndef POLICIES_CASES_H
#define POLICIES_CASES_H

#include "policy.h"

/* Upper bounds: of "repeat"; of "after", all together, a century. */
#define CASES_REPEAT_MAX    (POLICY_LIMIT_MAX + 1)
#define CASES_AFTER_SECONDS INT64_C(3153600000)

/* What becomes of a message. */
enum policy_outcome {
	CASE_ALLOWED,
	CASE_ASK,
	CASE_REFUSED, /* in any other way than the next */
	CASE_HIDDEN,
	CASE_OUTCOMES
};
extern const char policy_outcomes[]; /* a list of their words */

struct policy_case {
	size_t line;      /* of the file, from 1 */
	bool call;        /* of a tool; else any other message */
	const char *name; /* of the tool, or the method; escaped for a JSON
			     string */
	const char *json; /* arguments or params without line ends; or
			     NULL */
	enum policy_outcome expect;
	const char *rule;        /* as location.rule; one that asks; NULL: any
				  */
	const char *description; /* escaped; or NULL */
	int64_t repeat;          /* how often it is called; the last counts */
	int64_t after;           /* nanoseconds that pass before it */
};

struct policy_cases {
	struct policy_case *list;
	size_t count;
	int64_t lasts;         /* nanoseconds, all together */
	struct policy *memory; /* of all of them */
};

/* Reads the file.  False after reporting every fault. */
bool policy_cases_read(struct policy_cases *cases,
		       const struct policy_source *source,
		       policy_report *report, void *context);
void policy_cases_free(struct policy_cases *cases);

#endif
