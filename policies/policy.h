/*
 * policy - what is allowed: policy files, counters, and one verdict a message.
 *
 * A policy is loaded once and never changes; it may be shared.  Counters are
 * what a policy's limits have counted; they belong to one policy and to one
 * thread.  Neither policy_judge() nor policy_lists() allocates, blocks or
 * reads a clock.  Nothing here knows a stream or a process.
 */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#include "../parser/message.h"

/* The longest policy file and the longest reason, decoded; the largest max of a
 * limit and its longest window, 366 days; the longest rule of a verdict. */
#define POLICY_FILE_BYTES     ((size_t)16 << 20)
#define POLICY_REASON_BYTES   ((size_t)4096)
#define POLICY_LIMIT_MAX      1000000
#define POLICY_WINDOW_SECONDS 31622400
#define POLICY_RULE_BYTES     (6 * MESSAGE_NAME_BYTES + 64)

struct policy;
struct counters;

/* Takes one fault or warning: a line of printable text without its LF, which
 * is only lent. */
typedef void policy_report(void *context, const char *line);

/*
 * Loads the policy file at path.  NULL: it cannot be read or is not sound;
 * every fault has been reported.  The policy is the caller's to free.
 */
struct policy *policy_load(const char *path, policy_report *report,
			   void *context);

/* The same from memory; name stands for the file in what is reported. */
struct policy *policy_compile(const char *name, const char *text, size_t len,
			      policy_report *report, void *context);

void policy_free(struct policy *policy);

/* Reports what is sound but hardly meant.  Returns how many there are. */
int policy_warn(const struct policy *policy, policy_report *report,
		void *context);

/* Can a tool be hidden, so that lists have to be read? */
bool policy_hides(const struct policy *policy);

/* Empty counters for the policy's limits; NULL if there is no memory. */
struct counters *counters_new(const struct policy *policy);
void counters_free(struct counters *counters);

enum verdict_kind {
	VERDICT_PASS,      /* goes to the server */
	VERDICT_HIDDEN,    /* no such tool, as far as the client can tell */
	VERDICT_REFUSED,   /* told to the agent, with the reason */
	VERDICT_MALFORMED, /* a name that readers could take differently */
	VERDICT_DROPPED,   /* goes nowhere and has no answer */
};

struct verdict {
	enum verdict_kind kind;
	/* The rule that decided, a JSON Pointer into the policy or a word in
	 * parentheses; of at most POLICY_RULE_BYTES.  It and the reason are
	 * escaped for a JSON string, and live as long as the policy. */
	const char *rule;
	const char *reason;
	/* When a limit refuses: the time after which the same call would be
	 * allowed, in nanoseconds; else -1. */
	int64_t wait;
};

/*
 * Judges a message from the client at the time now, in nanoseconds of a clock
 * that never goes back.  A call that passes is counted; nothing else is.
 * Order: hidden, denied by an entry, malformed name, denied by default, limits
 * (all count it, or none does).
 */
struct verdict policy_judge(const struct policy *policy,
			    struct counters *counters, const struct message *m,
			    int64_t now);

/* Is a tool of this name shown in lists?  A list_keep of reply.h: context is
 * the policy, and a name with a NULL ptr is not shown. */
bool policy_lists(void *policy, struct text name);

#endif
