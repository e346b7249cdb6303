/* options - the command line and the environment, read once. */
#ifndef SHIM_OPTIONS_H
#define SHIM_OPTIONS_H

#include "../policies/policy.h"

#define MAX_LINE_DEFAULT ((size_t)64 << 20)
#define MAX_LINE_LEAST   ((size_t)4096)
#define MAX_LINE_MOST    ((size_t)1 << (sizeof(size_t) > 4 ? 32 : 29))

#define POLICIES_MAX 32
#define TIMEOUT_MOST 86400 /* seconds */

enum run {
	RUN_RELAY,
	RUN_CHECK,
	RUN_EXPLAIN,
	RUN_TEST,
	RUN_LIMITS,
	RUN_LOG,
	RUN_APPROVE,
	RUN_WRAP,
	RUN_UNWRAP,
	RUN_SCAN,
	RUN_HELP,
	RUN_VERBS, /* how many there are */
	RUN_USAGE = RUN_VERBS,
	RUN_VERSION,
	RUN_ERROR
};

/* What weir scan makes of the classes of tools. */
enum profile { PROFILE_BALANCED, PROFILE_STRICT, PROFILE_OPEN, PROFILES };
extern const char options_profiles[PROFILES][9]; /* their names */

struct options {
	enum run run;
	const char *self; /* the first word of the command line, or NULL */
	enum run verb;    /* of the command line, or RUN_RELAY */
	int status;       /* to exit with when run is RUN_ERROR, or fails */
	uint64_t given;   /* the options of the command line: a bit each */
	/* The policy files, each layered over those before it. */
	const char *policies[POLICIES_MAX];
	size_t policy_count;
	char *list; /* a copy of WEIR_POLICY, split; owned */
	struct policy_places
		places;    /* of the process; the directory is owned */
	const char *grant; /* NULL: the first policy file's path */
	const char *state; /* the state directory; NULL: the default */
	size_t max_line;   /* longest line judged, in bytes without its LF */
	const char *log;   /* where decisions are appended; NULL: none */
	bool log_required; /* what cannot be logged is refused */
	/* The arguments whose values are logged too; NULL: none. */
	const char *log_args;
	const char *lock;   /* the tools as they were looked at; NULL: any */
	bool observe;       /* decide and log, but let everything through */
	bool json;          /* explain, limits, log: print JSON */
	const char *method; /* explain: of the message, or NULL: a call */
	const char *reset;  /* limits: the counter to reset, or NULL */
	const char *since;  /* log: only what is not older, or NULL */
	const char *tool;   /* log: only these tools, a glob, or NULL */
	bool refused;       /* log: only what was not passed */
	const char *html;   /* log: write a page to this file, or NULL */
	bool follow;        /* log: print lines as they come */
	bool verify;        /* log: is it as it was written? */
	const char *head;   /* log: the hash of a line, or NULL */
	bool sure;          /* limits, approve: do not ask */
	const char *deny;   /* approve: the call to deny, or NULL */
	const char *digest; /* approve: what the call's begins with, or NULL */
	bool watch;         /* approve: ask about calls as they come */
	bool strict;        /* check: a warning fails */
	bool print;         /* check: print the merged policy */
	bool preload;       /* check: does a command load libweir.so? */
	const char *tools;  /* check: file with a list of tools, or NULL */
	bool find;          /* wrap: list the files of known clients */
	bool all;           /* wrap, unwrap: every server of the file */
	bool dry_run;       /* wrap, unwrap: print a diff, write nothing */
	bool replace;       /* wrap: give another policy to what is wrapped */
	bool force;         /* wrap: in spite of the client's lists */
	bool scan;          /* wrap: ask the server for its tools */
	unsigned profile;   /* scan: an enum profile */
	const char *output; /* scan: the file to write; NULL: stdout */
	const char *merge;  /* scan: a policy to keep, or NULL */
	const char *config; /* scan: a client's configuration, or NULL */
	const char *write_lock; /* scan: a lock to write, or NULL */
	bool diff;              /* scan: compare with the lock */
	bool list_only;         /* scan: write the lists, no policy */
	size_t timeout;         /* scan, wrap: seconds; 0: no limit */
	char **rest;            /* the operands, NULL-ended */
};

/* Reads both.  RUN_ERROR: reported.  All pointers are into argv and the
 * environment, or live until options_free(). */
struct options options_read(int argc, char **argv);

/* Reads the environment alone, for a relay without a command line. */
struct options options_environment(void);

/* Reads a command that begins with weir, as a configuration has it: words,
 * NULL-ended.  Returns which of them is the server's command, and the policies,
 * NULL-ended; 0: weir would start no server. */
size_t options_words(char *const *words, char *policies[POLICIES_MAX + 1]);

void options_free(struct options *o);

/* The verb of this name, or RUN_RELAY. */
enum run options_verb(const char *word);

/* The verb that was probably meant, or NULL. */
const char *options_meant(const char *word);

/* Prints the usage of a verb; of RUN_RELAY, that of weir. */
void options_help(enum run verb);

/* Prints the verbs, one a line. */
void options_verbs(void);

#endif
