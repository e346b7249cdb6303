/*
 * policy - policy files, counters, and one verdict for each message.
 *
 * A policy is immutable once it is loaded, but for memory that policy_judge()
 * works in: use it in one thread.  policy_judge(), policy_counted() and
 * policy_lists() never allocate, and never wait.  What the limits have counted
 * is in counters/counters.h.  Nothing here knows streams or processes.
 */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#include "../parser/message.h"
#include "../parser/strbuf.h"
#include "counters/counters.h"

/* Upper bounds: a policy file; a reason, decoded; the max of a limit, of calls
 * and of a sum; its window, 366 days; the rule of a verdict. */
#define POLICY_FILE_BYTES     ((size_t)16 << 20)
#define POLICY_REASON_BYTES   ((size_t)4096)
#define POLICY_LIMIT_MAX      1000000
#define POLICY_SUM_MAX        1000000000000
#define POLICY_WINDOW_SECONDS 31622400
#define POLICY_VALUES_MAX     1000    /* of "per", at a time */
#define POLICY_VALUES_CALLS   1000000 /* of all of them */
#define POLICY_RULE_BYTES     (6 * MESSAGE_NAME_BYTES + 64)
#define POLICY_ASKS_MAX       16   /* rules that one question names */
#define POLICY_ASK_LEAST      5    /* seconds that a question waits */
#define POLICY_ASK_MOST       3600 /* and at most */
#define POLICY_ASK_SECONDS    50   /* if no rule says */
#define POLICY_DIGEST_BYTES   32

struct policy;
struct location;

/* What rules apply to: tools, prompts and methods by name, resources by uri. */
enum policy_section {
	POLICY_TOOLS,
	POLICY_PROMPTS,
	POLICY_RESOURCES,
	POLICY_METHODS,
	POLICY_SECTIONS,
};

/* Receives one error or warning: a printable line without LF, valid during the
 * call. */
typedef void policy_report(void *context, const char *line);

/*
 * A list of words is one string, "allow\0deny\0": each word has its NUL, and
 * the empty word ends the list.
 */

/* The word of this index; or, of one behind the last, the empty word. */
const char *policy_word(const char *words, int index);

/* The word that s was probably meant to be, or NULL. */
const char *policy_nearest(const char *s, size_t len, const char *words);

/* What "~/" and "./" stand for in a policy, as the process has them; NULL: not
 * known. */
struct policy_places {
	const char *home;      /* HOME */
	const char *directory; /* the working directory */
};

/*
 * Loads the policy files and merges them in order: the strictest default, all
 * entries, all rules.  Returns NULL after reporting every error: a file cannot
 * be read, others than root and this user may write it, or it is not sound. The
 * caller frees the policy, and keeps the paths and the places as long.
 */
struct policy *policy_load(const char *const *paths, size_t count,
			   const struct policy_places *places,
			   policy_report *report, void *context);

/*
 * Loads the same files again.  Reads only regular files, so that nothing
 * blocks. A file that was not regular, or is named by a descriptor, keeps its
 * text; this is reported once.  Returns before itself if all files do.
 */
struct policy *policy_reload(struct policy *before, policy_report *report,
			     void *context);

/* Does the path name a descriptor, as /dev/fd/3 does?  It may be another file
 * later. */
bool policy_names_descriptor(const char *path);

/* Loads policies from memory: text has a NUL behind its len bytes; reports use
 * name as the file name.  places may be NULL. */
struct policy_source {
	const char *name;
	const char *text;
	size_t len;
	bool shared; /* its group may write it: warn */
};
struct policy *policy_compile(const struct policy_source *sources, size_t count,
			      const struct policy_places *places,
			      policy_report *report, void *context);

void policy_free(struct policy *policy);

/*
 * What a server has, from a file: replies to tools/list, prompts/list ...,
 * their results, the array of tools, or names.  NULL: out of memory.  The
 * source stays the caller's, and must live as long.
 */
struct policy_list;
struct policy_list *policy_list_read(const struct policy_source *source);
void policy_list_free(struct policy_list *list);

/* Why the file is no such list, or NULL; words has room for cap bytes. */
const char *policy_list_fault(const struct policy_list *list, char *words,
			      size_t cap);

/* The item of this index: a tool or prompt by name, a resource or template by
 * uri; name.ptr is NULL if it has none.  False: there is none. */
bool policy_list_item(const struct policy_list *list, size_t index,
		      enum policy_section *section, struct text *name);

/* Reports probable mistakes, also those that the list of what the server has
 * shows, if there is one.  Returns their number. */
int policy_warn(struct policy *policy, const struct policy_list *list,
		policy_report *report, void *context);

/* A file or directory that weir relies on; path is canonical. */
struct policy_kept {
	const char *what; /* "the log" */
	const char *path;
};

/* Reports which of them lie in a directory of a required "under", and are not
 * denied.  Returns their number. */
int policy_warn_within(const struct policy *policy,
		       const struct policy_kept *kept, size_t count,
		       policy_report *report, void *context);

/* Notes that the server has a tool, prompt or resource of this name. */
void policy_note(struct policy *policy, enum policy_section section,
		 struct text name);

/* The entry, not "all_tools", that names it: the last that covers it as it is
 * spelled, else the first in another case or, with alias, by FastMCP's second
 * name; NULL: there is none. */
const struct location *policy_names(const struct policy *policy,
				    enum policy_section section,
				    struct text name, bool alias);

/* Says in one sentence which entries for tools cover none of the tools noted.
 * False: there are none. */
bool policy_say_unused(const struct policy *policy, struct strbuf *out);

/* Reports each counter that several limits share by name, with their rules. */
void policy_shared_counters(const struct policy *policy, policy_report *report,
			    void *context);

/* Appends what happens to calls of a tool, or of a prompt or resource, in
 * words: "allowed, at most 10 calls a minute". */
void policy_describe(const struct policy *policy, enum policy_section section,
		     struct text name, struct strbuf *out);

/* Appends what happens to a method that entries are about, as above; false:
 * none are. */
bool policy_describe_method(const struct policy *policy, const char *name,
			    struct strbuf *out);

/* The methods that a client sends in some revision of MCP, a list of words. */
extern const char policy_methods[];

/* Is it a method of MCP that a client never sends? */
bool policy_only_servers_send(struct text method);

/* The method that was probably meant by another one, or NULL. */
const char *policy_meant_method(struct text method);

/* Appends what a condition that refused has found, and what it wants:
 * "args.amount is 20000; must not be greater than 10000", at most
 * POLICY_WHY_BYTES as they stand in the call and in the policy.  Nothing if no
 * condition refused. */
#define POLICY_WHY_BYTES 1024
struct verdict;
struct judged;
void policy_explain(const struct policy *policy, const struct verdict *v,
		    struct strbuf *out);

/* Appends the limits that the message is counted in, escaped for a JSON string:
 * "at most 10 calls a minute, ...". */
void policy_say_limits(const struct judged *j, struct strbuf *out);

/* Tells each directory of "under" that is a path: its rule, and how it is
 * written if that is with "~/" or "./", else NULL. */
typedef void policy_directory(void *context, const struct location *rule,
			      const char *written, const char *directory);
void policy_directories(const struct policy *policy, policy_directory *tell,
			void *context);

/* Appends the merged policy as one policy file of the same meaning.  Valid only
 * if out is not full afterwards. */
void policy_print(const struct policy *policy, struct strbuf *out);

/* Can the policy hide something of this section?  Then its lists are filtered.
 */
bool policy_hides(const struct policy *policy, enum policy_section section);

/* Does the policy have limits of scope "grant"? */
bool policy_shares(const struct policy *policy);

/* The ways to ask a person. */
enum policy_ask {
	POLICY_ASK_CLIENT = 1,   /* a question that the client shows */
	POLICY_ASK_TERMINAL = 2, /* weir approve */
	POLICY_ASK_PROGRAM = 4,  /* WEIR_ASK */
	POLICY_ASK_ALL = 7,
};

extern const char policy_ways[]; /* a list of their words, by bit */

/* The ways in which the policy can ask about anything at all, a set; 0: it asks
 * nobody. */
unsigned policy_asks(const struct policy *policy);

/* Tells each "approve_by" of the policy: its rule, and "USER" or "@GROUP". */
typedef void policy_approver(void *context, const struct location *rule,
			     const char *by);
void policy_approvers(const struct policy *policy, policy_approver *tell,
		      void *context);

/* The SHA-256 of its file; of several, the SHA-256 of theirs, one after the
 * other, POLICY_DIGEST_BYTES each. */
const unsigned char *policy_digest(const struct policy *policy);

/* The clocks of the machine. */
struct policy_moment {
	int64_t steady; /* since boot; cannot be set */
	int64_t wall;   /* since 1970; can be set */
	uint64_t boot;  /* differs after each boot */
};
struct policy_clock {
	struct policy_moment (*read)(void *context);
	void *context;
};

/*
 * Opens the counters that all processes with this grant name share: a file in
 * the state directory dir, an absolute path.  Creates both, private to this
 * user, if they do not exist.  Returns NULL after reporting why it cannot.
 */
struct backend *grant_open(const char *dir, const char *name,
			   struct policy_clock clock, policy_report *report,
			   void *context);

/* Reads a copy of them, to ask questions: creates and writes nothing. */
struct backend *grant_copy(const char *dir, const char *name,
			   struct policy_clock clock, policy_report *report,
			   void *context);

/* Where a rule is.  rule is a JSON Pointer into the merged policy or a word in
 * parentheses, at most POLICY_RULE_BYTES. */
struct location {
	const char *rule; /* escaped for a JSON string */
	const char *file; /* as the user named it, or NULL */
	size_t line;      /* from 1 */
};

enum verdict_kind {
	VERDICT_UNJUDGED,  /* passes: no rule can apply to such a message */
	VERDICT_PASS,      /* goes to the server */
	VERDICT_HIDDEN,    /* answered as if the name did not exist */
	VERDICT_REFUSED,   /* answered with the reason */
	VERDICT_MALFORMED, /* the name is ambiguous */
	VERDICT_DROPPED,   /* not passed on, not answered */
};

/* Valid as long as the policy, except value. */
struct verdict {
	enum verdict_kind kind;
	enum policy_section section; /* of the rule that decided */
	struct location location;
	const char *reason; /* escaped for a JSON string */
	/* If a limit refuses: nanoseconds until the same call is allowed; else
	 * -1. */
	int64_t wait;
	/* If a sum refuses: what is left of it, in millionths; else 0. */
	int64_t left;
	/* If a condition refuses: the value that decided, in the message or,
	 * until the next message, in the policy's memory; ptr is NULL if the
	 * value is missing. */
	struct span value;
	/* What is hidden, if the message names it in passing; else none. */
	struct text name;
};

struct limit;

/* What a person is asked about a message.  Valid as long as the policy. */
struct ask {
	size_t count; /* of the rules that ask, also those beyond the most; 0:
			 nobody is asked */
	/* In the order of judgement. */
	struct location rules[POLICY_ASKS_MAX];
	const char *reasons[POLICY_ASKS_MAX]; /* NULL, or escaped for a JSON
						 string */
	enum policy_section section;          /* of the first */
	unsigned in; /* how it can be asked, a set of enum policy_ask: what all
			rules allow; never 0 */
	/* Who must say yes, "USER" or "@GROUP", decoded: all must hold. */
	const char *by[POLICY_ASKS_MAX];
	size_t by_count; /* then only POLICY_ASK_TERMINAL is in the set */
	int timeout;     /* in seconds, the shortest */
};

/* A message that has been judged. */
struct judged {
	/* With questions it passes, as far as they are concerned. */
	struct verdict verdict;
	size_t count; /* of the limits that have a word yet: what they ask, for
			 counters_ask() */
	struct question questions[COUNTERS_ASKED_MAX];
	const struct limit *limits[COUNTERS_ASKED_MAX];
	enum policy_section sections[COUNTERS_ASKED_MAX]; /* of the limits */
	struct ask ask; /* with a count it passes only if a person says yes */
	bool notification;
};

/*
 * Judges a message from the client, and asks nobody.  If j->count is not 0, the
 * limits are to be asked, and then policy_counted() gives the verdict.  If
 * j->ask.count is not 0, a person is to be asked as well: the limits are asked
 * before the person, and counted when the message passes; a notification is
 * never asked about.
 * Order: hidden, changed since it was locked, denied by an entry, malformed
 * name, denied by default, require, deny_if, limits (all count it, or none
 * does), approval.
 */
void policy_judge(const struct policy *policy, const struct message *m,
		  struct judged *j);
void policy_counted(struct judged *j, enum counted answer);

/* Nobody said yes to what j asks: the verdict is a refusal by the first rule,
 * with this reason, which is escaped for a JSON string. */
void policy_not_approved(struct judged *j, const char *reason);

/* Is something of this name shown in the section's lists?  A name with a NULL
 * ptr is not. */
bool policy_lists(const struct policy *policy, enum policy_section section,
		  struct text name);

#endif
