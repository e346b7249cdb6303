/* internal - the parts of a compiled policy, for policies/ only. */
#ifndef POLICIES_INTERNAL_H
#define POLICIES_INTERNAL_H

#include "judge/condition.h"
#include "judge/names.h"
#include "policy.h"

/* From the mildest to the strictest; the strictest that applies wins. */
enum action { ACTION_ALLOW, ACTION_ASK, ACTION_DENY, ACTION_HIDE };
static inline bool refuses(enum action a)
{
	return a >= ACTION_DENY;
}

extern const char policy_actions[]; /* a list of their words */

/* All text is escaped for a JSON string and lives in the arena. */
struct limit {
	uint64_t max;             /* calls; with an amount, millionths */
	const char *max_text;     /* as the file has it; with an amount */
	struct condition *amount; /* finds what a call adds, at least 0; NULL:
				     calls are counted */
	const char *path;         /* of the amount, as the file has it */
	const char *invalid;      /* reason if a call has no valid amount */
	int64_t length;           /* of the window, in nanoseconds */
	const char *per;          /* as the file has it, or NULL */
	bool per_name;            /* each name is counted by itself */
	struct condition *value;  /* finds the value of another per */
	const char *no_value;     /* reason if a call has none */
	const char *full;         /* reason if there are too many */
	size_t values;            /* at a time */
	const char *counter;      /* its name, or "/" and its place */
	bool named;
	struct counter *count;    /* what it counts in */
	bool session;             /* its scope */
	bool rate;                /* was written as a rate_limit */
	const char *on_deny;      /* as the file has it, or NULL */
	struct location location; /* "/tools/NAME/limits/0" */
	const char *words;        /* "at most 10 calls a minute" */
	const char *reason;       /* on_deny, else words */
};

/* What all_tools and all entries that match a name say together. */
struct rules;
struct match {
	enum action action;     /* the strictest */
	const struct rules *by; /* has the action; NULL: the default */
	bool exact;             /* a literal entry spells the name */
	bool plain; /* spelled and allowed, without any of these: it passes */
	const struct rules *const *rules; /* that ask, or have conditions or
					     limits */
	size_t count;
};

/* The lists of conditions that an entry may have. */
enum list { REQUIRE, DENY_IF, ASK_IF, ASK_UNLESS, LISTS };

/* The rules of an entry.  entry comes first: a pointer to it is a pointer to
 * the rules. */
struct rules {
	struct entry entry;
	enum policy_section section;
	size_t since; /* the first file that names it, from 1 */
	size_t layer; /* the last */
	bool decided; /* "action" is written */
	bool used;    /* covers a tool that was noted */
	bool spelled; /* a glob: some entry that allows spells what it covers */
	enum action action;
	struct location location; /* of the action */
	struct location place;    /* of the entry */
	const char *told;         /* the reason in the file, or NULL */
	const char *reason;       /* sent when the action refuses */
	union {
		struct {
			struct conditions require, deny_if, ask_if, ask_unless;
		};
		struct conditions lists[LISTS]; /* the same */
	};
	unsigned barred;          /* ways that it may not ask in */
	int timeout;              /* in seconds; 0: none is written */
	const char *by;           /* "approve_by", decoded, or NULL */
	struct location by_at;    /* of that */
	struct location approval; /* of the last of these three */
	struct limit *limits;
	size_t limit_count;
	size_t listed;           /* how many of them "limits" has */
	struct rules *following; /* in the order of the files */
	struct match known;      /* of a literal: the match of its name */
};

/* Memory that is freed all at once. */
struct chunk;
struct arena {
	struct chunk *chunks;
	size_t least; /* bytes of a chunk; 0: a few pages */
};

/* len zeroed bytes, or NULL. */
void *arena_take(struct arena *a, size_t len);
/* The slots of names, for so many entries.  False: out of memory. */
bool arena_names(struct arena *a, struct names *n, size_t most);
void arena_free(struct arena *a);

/* A block from malloc() that is freed with the policy. */
struct owned {
	void *block;
	struct owned *next;
};

/* Iterates over all rules: NULL gives the first; all_tools comes first. */
const struct rules *policy_rules_after(const struct policy *policy,
				       const struct rules *r);

/* What is judged in a message: a name in a section, with arguments. */
struct subject {
	enum policy_section section;
	const char *name;
	size_t len;
	struct span arguments;
};

/* Iterates over the rules that apply to a subject: all_tools, then each entry
 * that matches the name. */
struct applying {
	const struct policy *policy;
	struct walk walk;
	bool all;   /* all_tools comes next */
	bool exact; /* those that came last match the exact spelling */
};
void applying_begin(struct applying *a, const struct policy *policy,
		    const struct subject *s);

/* The next rules, or NULL. */
const struct rules *applying_next(struct applying *a);

/* Finds what the policy says about the subject: what was resolved at load if a
 * literal entry spells the name, else *room, whose rules are in list, which has
 * room for rules_most pointers.  With NULL these are not listed. */
const struct match *match_find(const struct policy *policy,
			       const struct subject *s,
			       const struct rules **list, struct match *room);

/* The same without what was resolved at load. */
void match_walk(const struct policy *policy, const struct subject *s,
		const struct rules **list, struct match *m);

/* What a section is called in a policy, and the methods that call one of it and
 * list all; a method is called by itself. */
struct section {
	char key[10], call[15], list[15];
};
extern const struct section policy_sections[POLICY_SECTIONS];

/* Do the rules ask a person about some call? */
bool rules_ask(const struct rules *r);

/* Appends a condition in a few words: "args.amount gt 500". */
void condition_words(const struct condition *c, struct strbuf *out);

/* A member of the condition, as the policy has it; ptr NULL: none. */
struct span condition_source(const struct condition *c, const char *key);

/* Is it the name of a tool or prompt beyond printable ASCII that no entry
 * spells?  Readers may take it for another name. */
bool subject_is_ambiguous(const struct subject *s, const struct match *m);

/* A file that the policy was loaded from. */
struct policy_file {
	const char *path; /* the caller's */
	char *text;       /* owned; NULL after loading unless once is set */
	size_t len;
	bool once;   /* cannot be read again: not a regular file */
	bool said;   /* this was reported */
	bool shared; /* its group may write it */
};

struct policy {
	struct arena arena;
	const struct policy_places *places; /* the caller's, or NULL */
	struct policy_file *files;          /* owned */
	size_t file_count;
	struct owned *owned;
	enum action fallback; /* "default": for tools that no entry matches */
	struct location fallback_location;
	enum action *fallbacks; /* "default" of each file */
	const char **shared;    /* files that their group may write */
	size_t shared_count;
	struct rules *all_tools; /* or NULL */
	struct names names[POLICY_SECTIONS];
	struct rules *first, *last; /* all entries, not all_tools */
	size_t limit_count;
	const struct counter **counters; /* of the limits, by their index */
	size_t counter_count;
	size_t rules_most; /* with conditions or limits for one name, at most */
	size_t scratch;    /* bytes that the largest regex needs */
	/* What judging a message needs: the rules of its two subjects, and
	 * memory for condition_test(). */
	const struct rules **matches;
	void *memory;
	bool asking; /* some rule asks */
	unsigned char digest[POLICY_DIGEST_BYTES];
	struct lock *lock; /* the caller's, or NULL */
	bool hides[POLICY_SECTIONS];
	bool has[POLICY_SECTIONS]; /* has entries */
};

#endif
