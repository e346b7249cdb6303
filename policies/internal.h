/* internal - what a compiled policy is made of.  For policies/ alone. */
#ifndef POLICIES_INTERNAL_H
#define POLICIES_INTERNAL_H

#include "judge/condition.h"
#include "judge/names.h"
#include "policy.h"

/* From the mildest to the strictest: of all that apply, the last one wins. */
enum action { ACTION_ALLOW, ACTION_DENY, ACTION_HIDE };

/* All text here is escaped for a JSON string, and lives in the arena. */
struct limit {
	uint64_t max;             /* calls; with an amount, millionths */
	const char *max_text;     /* of an amount, as it was written */
	struct condition *amount; /* what each call adds, which is at least 0;
				     NULL: calls are counted */
	const char *path;         /* of the amount, as it was written */
	const char *unfit;        /* told when a call has none that counts */
	int64_t length;           /* of the window, in nanoseconds */
	const char *counter;      /* its name */
	size_t index;             /* its place in the counters */
	bool session;             /* its scope */
	bool rate;                /* was written as a rate_limit */
	const char *on_deny;      /* as it was written, or NULL */
	struct location location; /* "/tools/NAME/limits/0" */
	const char *words;        /* "at most 10 calls a minute" */
	const char *reason;       /* its on_deny, else these */
};

struct conditions {
	struct condition *list;
	size_t count;
};

/* What the entries that cover a name, and all_tools, say of it together. */
struct rules;
struct match {
	enum action action;               /* the strictest */
	const struct rules *by;           /* who says so; NULL: the default */
	bool exact;                       /* by a literal, to the letter */
	bool conditions, limits;          /* some of the rules have such */
	const struct rules *const *rules; /* those that have */
	size_t count;
};

/* What an entry says of what it names; the entry comes first, so that a
 * pointer to it is one to the whole. */
struct rules {
	struct entry entry;
	enum policy_section section;
	size_t layer; /* the file that named it last, from 1 */
	enum action action;
	struct location location; /* of the action */
	struct location place;    /* of the entry */
	const char *told;         /* the reason that a file gives, or NULL */
	const char *reason;       /* that is told when the action refuses */
	struct conditions require, deny_if;
	struct limit *limits;
	size_t limit_count;
	size_t listed;           /* of these, in "limits": for their pointers */
	struct rules *following; /* in the order of the files */
	struct match known;      /* of a literal: what is said of its name */
};

/* Memory that is given back all at once. */
struct chunk;
struct arena {
	struct chunk *chunks;
	size_t least; /* bytes taken from the system at once; 0: a few pages */
};

/* len zeroed bytes, or NULL. */
void *arena_take(struct arena *a, size_t len);
void arena_free(struct arena *a);

/* A block from malloc() that goes with the policy. */
struct owned {
	void *block;
	struct owned *next;
};

enum asked_limit {
	LIMIT_ASKED,
	LIMIT_INVALID, /* the call has no amount, or one that is none */
	LIMIT_TROUBLE  /* what was counted cannot be read */
};

/* How long until the limit allows the call: 0 is now, -1 is never. */
enum asked_limit counters_ask(struct counters *c, const struct limit *limit,
			      struct arguments *arguments, int64_t now,
			      int64_t *wait);

/* After all limits of a call were asked: counts it, if it passes, for all of
 * them.  False: it could not be counted, for none. */
bool counters_end(struct counters *c, bool passes);

/* The rules after r, which is NULL at first; all_tools is the first of all. */
const struct rules *policy_rules_after(const struct policy *policy,
				       const struct rules *r);

/* What a message is judged by: a name in a section, and its arguments. */
struct subject {
	enum policy_section section;
	const char *name;
	size_t len;
	struct span arguments;
};

/* A walk over the rules that apply to a subject: of all tools, of each entry
 * that covers the name. */
struct applying {
	const struct policy *policy;
	struct walk walk;
	bool all; /* those of all tools come next */
};
void applying_begin(struct applying *a, const struct policy *policy,
		    const struct subject *s);

/* The next rules, or NULL.  *exact: their entry spells the name so. */
const struct rules *applying_next(struct applying *a, bool *exact);

/* What the policy says of the subject.  list has room for the policy's
 * rules_most, and is what the match points to if its name is none that an entry
 * spells; NULL: the rules are not listed. */
void match_find(const struct policy *policy, const struct subject *s,
		const struct rules **list, struct match *m);

/* The same by a walk over all entries, as it is found at load. */
void match_walk(const struct policy *policy, const struct subject *s,
		const struct rules **list, struct match *m);

/* Is it a name beyond printable ASCII, of a tool or a prompt, that no entry
 * spells?  Readers may take it for another. */
bool subject_is_ambiguous(const struct subject *s, const struct match *m);

/* Room for the matches of the two subjects of a message. */
const struct rules **counters_matches(const struct counters *c);

/* Memory for condition_test(). */
void *counters_scratch(const struct counters *c);

/* A file that the policy was loaded from. */
struct policy_file {
	const char *path; /* the caller's */
	char *text;       /* owned; NULL once it has been read, unless: */
	size_t len;
	bool once;   /* there is nothing to read again */
	bool said;   /* and that was reported */
	bool shared; /* its group may write it */
};

struct policy {
	struct arena arena;
	struct policy_file *files; /* owned */
	size_t file_count;
	struct owned *owned;
	enum action fallback; /* "default": for tools that no entry names */
	struct location fallback_location;
	const char **shared; /* files that their group may write */
	size_t shared_count;
	struct rules *all_tools; /* apply to every tool; or NULL */
	struct names names[POLICY_SECTIONS];
	struct rules *first, *last; /* all entries, not all_tools */
	size_t limit_count;
	size_t rules_most; /* that can apply to one name and have conditions or
			      limits */
	size_t scratch;    /* bytes that the largest regex works in */
	bool hides[POLICY_SECTIONS];
	bool has[POLICY_SECTIONS]; /* an entry at all */
};

#endif
