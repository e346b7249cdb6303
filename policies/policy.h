/*
 * policy - what is allowed: policy files, counters, and one verdict a message.
 *
 * A policy is loaded once and never changes; it may be shared.  Counters are
 * what a policy's limits have counted; they belong to one policy and to one
 * thread.  Neither policy_judge() nor policy_lists() allocates; only limits of
 * a grant read and write its file, and wait for its lock.  Nothing here knows
 * a stream or a process.
 */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#include "../parser/message.h"
#include "../parser/strbuf.h"

/* The longest policy file and the longest reason, decoded; the largest max of a
 * limit, of calls and of a sum, and its longest window, 366 days; the longest
 * rule of a verdict. */
#define POLICY_FILE_BYTES     ((size_t)16 << 20)
#define POLICY_REASON_BYTES   ((size_t)4096)
#define POLICY_LIMIT_MAX      1000000
#define POLICY_SUM_MAX        1000000000000
#define POLICY_WINDOW_SECONDS 31622400
#define POLICY_RULE_BYTES     (6 * MESSAGE_NAME_BYTES + 64)

struct policy;
struct counters;

/* What rules are about: a tool, prompt or method by its name, a resource by
 * its uri. */
enum policy_section {
	POLICY_TOOLS,
	POLICY_PROMPTS,
	POLICY_RESOURCES,
	POLICY_METHODS,
	POLICY_SECTIONS,
};

/* Takes one fault or warning: a line of printable text without its LF, which
 * is only lent. */
typedef void policy_report(void *context, const char *line);

/*
 * Loads the policy files at the paths, each laid over those before it: the
 * strictest default, all entries, all rules.  NULL: one cannot be read, is
 * written by others than root and this user, or is not sound; every fault has
 * been reported.  The policy is the caller's to free; the paths live as long as
 * it does.
 */
struct policy *policy_load(const char *const *paths, size_t count,
			   policy_report *report, void *context);

/*
 * The same files as before, read again: regular ones only, so that nothing
 * waits.  What was none, or is named by a descriptor, keeps the text that it
 * had, which is reported the first time.  Returns before itself if all do.
 */
struct policy *policy_reload(struct policy *before, policy_report *report,
			     void *context);

/* Is it the name of a descriptor, as /dev/fd/3, which may be another file
 * later? */
bool policy_names_descriptor(const char *path);

/* The same from memory: text has a NUL behind its len bytes.  The name stands
 * for the file in what is reported. */
struct policy_source {
	const char *name;
	const char *text;
	size_t len;
	bool shared; /* its group may write it: a warning */
};
struct policy *policy_compile(const struct policy_source *sources, size_t count,
			      policy_report *report, void *context);

void policy_free(struct policy *policy);

/* Reports what is sound but probably a mistake.  Returns how many there are. */
int policy_warn(const struct policy *policy, policy_report *report,
		void *context);

/* Reports the entries for tools that cover none of the names, of tools that a
 * server has.  Returns how many there are. */
int policy_unused(const struct policy *policy, const struct text *names,
		  size_t count, policy_report *report, void *context);

/* Appends in words what becomes of calls of a tool: "allowed, at most 10 calls
 * a minute". */
void policy_describe(const struct policy *policy, struct text name,
		     struct strbuf *out);

/* Appends the merged policy, as a policy file of its own that means the same.
 * It is good only if out is not full at the end. */
void policy_print(const struct policy *policy, struct strbuf *out);

/* Can something of the section be hidden, so that its lists must be read? */
bool policy_hides(const struct policy *policy, enum policy_section section);

/* Has it limits of scope "grant", which are counted in a grant? */
bool policy_shares(const struct policy *policy);

/* What the clocks of the machine say, in nanoseconds. */
struct policy_moment {
	int64_t steady; /* since boot; nobody sets it */
	int64_t wall;   /* since 1970; anybody may set it */
	uint64_t boot;  /* another number after each boot */
};
struct policy_clock {
	struct policy_moment (*read)(void *context);
	void *context;
};

/*
 * What all processes with the grant of this name have counted: a file in the
 * state directory dir, an absolute path.  Both are made if they are not there,
 * for this user alone.  NULL: it cannot be used, and the reason is reported.
 */
struct ledger;
struct ledger *grant_open(const char *dir, const char *name,
			  struct policy_clock clock, policy_report *report,
			  void *context);

/* What they have counted until now, to be asked about: nothing is made or
 * written.  Empty, until counters are made of it: there is no file. */
struct ledger *grant_copy(const char *dir, const char *name,
			  struct policy_clock clock, policy_report *report,
			  void *context);
bool grant_is_empty(const struct ledger *grant);
void grant_close(struct ledger *grant);

/*
 * Counters for the policy's limits.  Limits of scope "grant" are counted in the
 * grant, which is the caller's and outlives the counters; without one they
 * are counted like the others, in memory, from nothing.  What was counted in
 * the memory of from, which may be NULL, is carried over to each limit whose
 * entry and counter were there.  NULL: there is no memory, or the grant cannot
 * be written; reported.
 */
struct counters *counters_new(const struct policy *policy, struct ledger *grant,
			      struct counters *from, policy_report *report,
			      void *context);
void counters_free(struct counters *counters);

/* What a limit of scope "grant" has counted; of a sum, in millionths. */
struct limit_use {
	const char *rule;    /* as location.rule */
	const char *counter; /* its name, or its place; escaped likewise */
	const char *words;   /* "at most 10 calls a minute" */
	bool sum;
	uint64_t used, max;
	int64_t length; /* of the window, in nanoseconds */
	int64_t wait;   /* until a call may pass: 0 is now, -1 is never */
};
typedef void policy_use(void *context, const struct limit_use *use);

/* Tells of each limit of scope "grant", in the order of the policy.  False:
 * counters_trouble(). */
bool counters_uses(const struct policy *policy, struct counters *counters,
		   policy_use *tell, void *context);

/* Forgets what limits of scope "grant" have counted whose counter has this
 * name, or whose rule this is.  False: counters_trouble(). */
bool counters_reset(const struct policy *policy, struct counters *counters,
		    const char *name);

/* Where the grant's counters are: for people. */
const char *grant_path(const struct ledger *grant);

/* Why the last message's limits could not be counted, or "".  Until then, what
 * they limit is refused. */
const char *counters_trouble(const struct counters *counters);

/* Where a rule stands.  Its name is a JSON Pointer into the merged policy, or
 * a word in parentheses, of at most POLICY_RULE_BYTES. */
struct location {
	const char *rule; /* escaped for a JSON string */
	const char *file; /* as it was named; NULL: in none */
	size_t line;      /* from 1 */
};

enum verdict_kind {
	VERDICT_UNWEIGHED, /* passes; the policy says nothing of such a thing */
	VERDICT_PASS,      /* goes to the server */
	VERDICT_HIDDEN,    /* as if there were none of that name */
	VERDICT_REFUSED,   /* told to the agent, with the reason */
	VERDICT_MALFORMED, /* a name that readers could take differently */
	VERDICT_DROPPED,   /* goes nowhere and has no answer */
};

/* All of it lives as long as the policy, but for the value. */
struct verdict {
	enum verdict_kind kind;
	enum policy_section section; /* of the rule that decided */
	struct location location;
	const char *reason; /* escaped for a JSON string */
	/* When a limit refuses: the time after which the same call would be
	 * allowed, in nanoseconds; else -1. */
	int64_t wait;
	/* When a condition refuses: the value that decided, in the message,
	 * or, until the next is judged, in the counters; its ptr is NULL when
	 * none was there. */
	struct span value;
};

/* Tells the time, in nanoseconds of a clock that never goes back. */
typedef int64_t policy_now(void);

/*
 * Judges a message from the client.  A message that passes is counted; nothing
 * else is.  now() is called only where a limit is weighed, once for a message;
 * a grant reads its own clock.
 * Order: hidden, denied by an entry, malformed name, denied by default,
 * require, deny_if, limits (all count it, or none does).
 */
struct verdict policy_judge(const struct policy *policy,
			    struct counters *counters, const struct message *m,
			    policy_now *now);

/* Is something of this name shown in the section's lists?  A name with a NULL
 * ptr is not. */
bool policy_lists(const struct policy *policy, enum policy_section section,
		  struct text name);

#endif
