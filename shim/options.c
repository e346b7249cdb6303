/* The command line and the environment.  The contract is in options.h. */
#include "options.h"

#include "../policies/counters/redis.h"
#include "../policies/counters/redis_place.h"
#include "../policies/policy.h"
#include "verbs/approve.h"
#include "verbs/check.h"
#include "verbs/explain.h"
#include "verbs/help.h"
#include "verbs/limits.h"
#include "verbs/log.h"
#include "verbs/scan.h"
#include "verbs/test.h"
#include "verbs/wrap.h"
#include "child.h"
#include "program.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A new verb is a row of verbs[], its bit in the rows[] of the options that it
 * takes, and its function in main.c. */

/* ---- verbs ----------------------------------------------------------- */

enum { MANY = 255 };

static const struct verb {
	char name[8];              /* the first word; "": none */
	unsigned char status;      /* when the command line is wrong */
	unsigned char least, most; /* number of operands, or MANY */
	char operand[8];           /* what to call a missing one */
	/* Of the help, without the last LF; and what it does, on one line. */
	const char *usage, *statuses, *brief;
} verbs[RUN_VERBS] = {
	[RUN_RELAY] =
		{"", EXIT_WEIR, 1, MANY, "COMMAND",
		 "weir [OPTION]... [--] COMMAND [ARG]...\n"
		 "   or: weir VERB [OPTION]... [OPERAND]...\n\n"
		 "Runs COMMAND, an MCP server on stdin and stdout, behind a "
		 "policy. The policy\n"
		 "hides, denies or limits its tools, or asks a person about a "
		 "call. Everything\nelse passes unchanged.",
		 "that of COMMAND; 128+N if signal N ended it; 125 if weir\n"
		 "failed, 126 if COMMAND could not be run, 127 if it was not "
		 "found.",
		 NULL},
	[RUN_CHECK] =
		{"check", CHECK_UNSOUND, 1, MANY, "POLICY",
		 "weir check [--strict] [--print] [--tools FILE] POLICY...\n"
		 "   or: weir check --preload COMMAND [ARG]...\n\n"
		 "Checks policy files, each alone and then layered, or says "
		 "whether COMMAND\nwould load libweir.so.",
		 "0 sound, 1 sound with warnings under --strict, 2 unsound or "
		 "error;\n"
		 "with --preload: 0 loads it, 1 does not, 2 weir cannot tell.",
		 "check a policy, by itself or with a server's tools"},
	[RUN_EXPLAIN] =
		{"explain", EXPLAIN_ERROR, 1, 2, "TOOL",
		 "weir explain [-p POLICY]... [--json] TOOL [ARGUMENTS]\n"
		 "   or: weir explain [-p POLICY]... [--json] --method METHOD "
		 "[PARAMS]\n\n"
		 "Shows the verdict on one call or message, and the rule that "
		 "decides.\n"
		 "ARGUMENTS and PARAMS are JSON objects.",
		 "0 allowed, 1 refused or a person is asked, 2 error.",
		 "show the verdict on one call, and why"},
	[RUN_TEST] =
		{"test", TEST_ERROR, 1, MANY, "FILE",
		 "weir test [-p POLICY]... FILE...\n\n"
		 "Tests a policy with FILE, an array of calls and "
		 "expected verdicts:\n"
		 "[{\"call\": \"pay\", \"arguments\": {\"amount\": 9}, "
		 "\"expect\": \"allowed\"}]\n"
		 "If FILE is a recorded session, shows the verdict on each "
		 "message. Without -p,\n"
		 "NAME.test.json tests NAME.json in the same directory.",
		 "0 all passed, 1 some failed, 2 error.",
		 "run test calls, or a recorded session, through a policy"},
	[RUN_LIMITS] =
		{"limits", LIMITS_ERROR, 0, 0, "",
		 "weir limits [-p POLICY]... [-g NAME] [-s PLACE] [--json]\n"
		 "                   [--reset COUNTER [--yes]]\n\n"
		 "Shows what the limits of a grant have used up, or resets a "
		 "counter.",
		 "0 shown or reset, 1 not reset, 2 error.",
		 "show what limits have used up, or reset one"},
	[RUN_LOG] =
		{"log", LOG_ERROR, 0, MANY, "",
		 "weir log [--since TIME] [--tool GLOB] [--refused] [--json]\n"
		 "                [--html PAGE] [FILE]...\n"
		 "   or: weir log --list [--since TIME] [--tool GLOB] "
		 "[--refused] [--json]\n"
		 "                [FILE]...\n"
		 "   or: weir log --follow [--since TIME] [--tool GLOB] "
		 "[--refused] [--json]\n"
		 "                [FILE]\n"
		 "   or: weir log --verify [--head HASH] [FILE]...\n\n"
		 "Sums up a log, lists its decisions, follows it, or checks that "
		 "its lines are\n"
		 "unchanged. Name rotated files in order, oldest first.\nDefault: $WEIR_LOG.",
		 "0 done, 1 lines were changed, 2 error.",
		 "sum up, list, follow or verify a log"},
	[RUN_APPROVE] =
		{"approve", APPROVE_ERROR, 0, 1, "",
		 "weir approve [-s DIR] [NUMBER [--digest DIGEST [--yes]]]\n"
		 "   or: weir approve [-s DIR] --deny NUMBER | --watch\n\n"
		 "Lists the calls that wait for a person, or shows one call and "
		 "asks y or n.",
		 "0 listed, or answered as asked; 1 not approved, or no such "
		 "call;\n2 error.",
		 "answer the calls that wait for a person"},
	[RUN_WRAP] =
		{"wrap", WRAP_ERROR, 1, MANY, "CONFIG",
		 "weir wrap [OPTION]... -p POLICY CONFIG [SERVER]...\n"
		 "   or: weir wrap --find [--json]\n\n"
		 "Puts weir before the command of each SERVER in CONFIG, a "
		 "client's\n"
		 "configuration in JSON. For TOML and YAML it prints what to "
		 "write there.\n"
		 "SERVER is a name or a JSON Pointer. If there is only one, "
		 "leave it out.",
		 "0 wrapped, 1 a server is not wrapped, 2 error.",
		 "put weir into a client's configuration"},
	[RUN_UNWRAP] =
		{"unwrap", WRAP_ERROR, 1, MANY, "CONFIG",
		 "weir unwrap [--all] [--dry-run] [--json] CONFIG [SERVER]...\n\n"
		 "Removes weir from CONFIG and restores what was there before.",
		 "0 none of them is wrapped now, 1 some are, 2 error.",
		 "remove weir from a client's configuration"},
	[RUN_SCAN] =
		{"scan", SCAN_ERROR, 1, MANY, "COMMAND",
		 "weir scan [OPTION]... [--] COMMAND [ARG]...\n"
		 "   or: weir scan [OPTION]... --config FILE [SERVER]\n"
		 "   or: weir scan --write-lock FILE | --lock FILE --diff "
		 "[--] COMMAND...\n\n"
		 "Asks COMMAND, an MCP server, for its tools, and drafts a "
		 "policy that names\n"
		 "each of them. A tool gets its rule by class: it reads, "
		 "writes, executes,\n"
		 "destroys or moves money. Or writes a lock of the tools, or "
		 "shows what has\nchanged since.",
		 "0 written, or nothing has changed, 1 something has, 2 error.",
		 "draft a policy, or write a lock, from a server's tools"},
	[RUN_HELP] = {"help", HELP_ERROR, 0, 2, "",
		      "weir help [VERB | TOPIC | policy [PART]]\n\n"
		      "Prints the manual's part about a verb, the policy or a "
		      "topic. Without an\nargument, prints an overview.",
		      "0 printed, 2 no such topic, or error.",
		      "print the manual: weir help policy, weir help VERB"},
};

/* ---- options --------------------------------------------------------- */

const char options_profiles[PROFILES][9] = {
	[PROFILE_BALANCED] = "balanced",
	[PROFILE_STRICT] = "strict",
	[PROFILE_OPEN] = "open",
};

/* What an option does with its value. */
enum kind { STOP, FLAG, TEXT, PATHS, PLACE, BYTES, SECONDS, PROFILE, POLICIES };

struct row {
	char name[13], letter, argument[8], variable[18]; /* "", 0: none */
	unsigned short verbs; /* those that take it: bits 1 << enum run */
	unsigned char kind;
	unsigned short at; /* offset in struct options, for FLAG to PLACE */
	const char *help;  /* lines of at most 55 columns */
};

static bool set_flag(bool *flag, const char *what, const char *value)
{
	*flag = !value || strcmp(value, "1") == 0;
	if (*flag || strcmp(value, "0") == 0)
		return true;
	report("%s=%s: expected 1 or 0", what, value);
	return false;
}

/* Paths of keys with dots between, and commas between the paths. */
static bool is_paths(const char *p)
{
	for (size_t len;; p += len + 1) {
		len = strcspn(p, ",");
		if (strncmp(p, "args.", 5) != 0 || p[len - 1] == '.' ||
		    strcspn(p, "[*") < len || memmem(p, len, "..", 2))
			return false;
		if (!p[len])
			return true;
	}
}

/* A directory or a URL.  A URL may hold a password, which is not shown. */
static bool check_place(const char *what, const char *value)
{
	const bool is_url = redis_is_url(value);
	struct redis_place place = {.count = 0};
	char why[256];

	if (*value == '~' || strncmp(value, "${", 2) == 0)
		snprintf(why, sizeof(why),
			 "%s is not expanded here, so write the whole path",
			 *value == '~' ? "~" : "${");
	else if (!is_url || redis_place_read(&place, value, why, sizeof(why)))
		return true;
	report("%s %s: %s", what, strchr(value, '@') ? "URL" : value, why);
	return false;
}

static bool set_number(size_t *number, size_t least, size_t most,
		       const char *unit, const char *what, const char *value)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	*number = (size_t)n;
	if (value[0] >= '0' && value[0] <= '9' && !*end && errno == 0 &&
	    n >= least && n <= most)
		return true;
	report("%s %s: expected a number of %s from %zu to %zu", what, value,
	       unit, least, most);
	return false;
}

static bool set_profile(struct options *o, const char *what, const char *value)
{
	for (o->profile = 0; o->profile < PROFILES; o->profile++)
		if (strcmp(value, options_profiles[o->profile]) == 0)
			return true;
	report("%s %s: expected strict, balanced or open", what, value);
	return false;
}

/* The variable holds several, separated by colons; -p holds one. */
static bool set_policies(struct options *o, bool several, const char *what,
			 char *value)
{
	char *next = NULL, *file = value;

	if (several) {
		o->list = next = strdup(value);
		file = strsep(&next, ":");
	}
	for (; file && *file && o->policy_count < POLICIES_MAX;
	     file = strsep(&next, ":")) {
		o->policies[o->policy_count++] = file;
		if (!next)
			return true;
	}
	if (!file)
		report("out of memory");
	else if (*file)
		report("more than %d policy files", POLICIES_MAX);
	else
		report("%s: the name is empty", what);
	return false;
}

/* Stores the value of what, "--log" or "WEIR_LOG"; NULL for an option without
 * argument.  False: reported. */
static bool set(struct options *o, const struct row *r, const char *what,
		char *value)
{
	void *field = (char *)o + r->at;

	switch ((enum kind)r->kind) {
	case STOP:
		o->run = r->letter == 'h' ? RUN_USAGE : RUN_VERSION;
		return true;
	case FLAG:
		return set_flag(field, what, value);
	case BYTES:
		return set_number(&o->max_line, MAX_LINE_LEAST, MAX_LINE_MOST,
				  "bytes", what, value);
	case SECONDS:
		return set_number(&o->timeout, 1, TIMEOUT_MOST, "seconds", what,
				  value);
	case PROFILE:
		return set_profile(o, what, value);
	case POLICIES:
		return set_policies(o, what == r->variable, what, value);
	case TEXT:
	case PATHS:
	case PLACE:
		break;
	}
	*(const char **)field = value;
	if (r->kind == PATHS && !is_paths(value))
		report("%s %s: expected paths such as args.amount,args.to.name",
		       what, value);
	else if (!*value)
		report("%s: the name is empty", what);
	else
		return r->kind != PLACE || check_place(what, value);
	return false;
}

#define AT(field) offsetof(struct options, field)
enum {
	RELAY = 1 << RUN_RELAY,
	CHECK = 1 << RUN_CHECK,
	EXPLAIN = 1 << RUN_EXPLAIN,
	TEST = 1 << RUN_TEST,
	LIMITS = 1 << RUN_LIMITS,
	LOG = 1 << RUN_LOG,
	APPROVE = 1 << RUN_APPROVE,
	WRAP = 1 << RUN_WRAP,
	UNWRAP = 1 << RUN_UNWRAP,
	SCAN = 1 << RUN_SCAN,
	ALL = (1 << RUN_VERBS) - 1,
};

static const struct row rows[] = {
	{"policy", 'p', "FILE", "WEIR_POLICY",
	 RELAY | EXPLAIN | TEST | LIMITS | WRAP, POLICIES, 0,
	 "policy file; may be repeated to layer policies\n"
	 "Default: $WEIR_POLICY (colon-separated)"},
	{"grant", 'g', "NAME", "WEIR_GRANT", RELAY | LIMITS, TEXT, AT(grant),
	 "name under which processes share their counters\n"
	 "Default: $WEIR_GRANT, else the first policy file's path"},
	{"state", 's', "PLACE", "WEIR_STATE", RELAY | LIMITS, PLACE, AT(state),
	 "directory of the counters, or URL of a Redis\n"
	 "Default: $WEIR_STATE, else ~/.local/state/weir"},
	{"log", 'l', "FILE", "WEIR_LOG", RELAY, TEXT, AT(log),
	 "append one JSON line per decision\n"
	 "Default: $WEIR_LOG"},
	{"log-args", 0, "PATHS", "WEIR_LOG_ARGS", RELAY, PATHS, AT(log_args),
	 "log these arguments' values: args.a,args.b.c\n"
	 "Default: $WEIR_LOG_ARGS"},
	{"log-required", 0, "", "WEIR_LOG_REQUIRED", RELAY, FLAG,
	 AT(log_required),
	 "refuse what cannot be logged\n"
	 "Default: $WEIR_LOG_REQUIRED (1 or 0)"},
	{"lock", 0, "FILE", "WEIR_LOCK", RELAY, TEXT, AT(lock),
	 "hide and refuse tools whose definition differs from\n"
	 "FILE, which weir scan --write-lock writes\n"
	 "Default: $WEIR_LOCK"},
	{"observe", 'n', "", "WEIR_OBSERVE", RELAY, FLAG, AT(observe),
	 "decide and log, but let everything through\n"
	 "Default: $WEIR_OBSERVE (1 or 0)"},
	{"max-line", 0, "BYTES", "WEIR_MAX_LINE", RELAY, BYTES, 0,
	 "refuse lines that are longer\n"
	 "Default: $WEIR_MAX_LINE, else 67108864"},
	{"strict", 0, "", "", CHECK, FLAG, AT(strict),
	 "exit with 1 if there are warnings"},
	{"print", 0, "", "", CHECK, FLAG, AT(print), "print the merged policy"},
	{"tools", 0, "FILE", "", CHECK, TEXT, AT(tools),
	 "show what the policy does to each tool in FILE, a\n"
	 "reply to tools/list"},
	{"preload", 0, "", "", CHECK, FLAG, AT(preload),
	 "say whether COMMAND would load libweir.so"},
	{"method", 0, "METHOD", "", EXPLAIN, TEXT, AT(method),
	 "ask about another message, such as prompts/get"},
	{"find", 0, "", "", WRAP, FLAG, AT(find),
	 "list the configurations of known clients on this\n"
	 "machine, and their servers"},
	{"all", 0, "", "", UNWRAP, FLAG, AT(all), "all servers of the file"},
	{"all", 0, "", "", WRAP, FLAG, AT(all),
	 "all servers of the file; %s in a policy's name stands\n"
	 "for the server's name"},
	{"replace", 0, "", "", WRAP, FLAG, AT(replace),
	 "give this policy to a server that is already wrapped"},
	{"dry-run", 0, "", "", WRAP | UNWRAP, FLAG, AT(dry_run),
	 "print a diff and change nothing"},
	{"force", 0, "", "", WRAP, FLAG, AT(force),
	 "wrap even if the client allows or denies servers by\n"
	 "their command"},
	{"scan", 0, "", "", WRAP, FLAG, AT(scan),
	 "ask each server for its tools; do not wrap it with a\n"
	 "policy that names none of them"},
	{"output", 'o', "FILE", "", SCAN, TEXT, AT(output),
	 "write to FILE instead of stdout"},
	{"profile", 0, "NAME", "", SCAN, PROFILE, 0,
	 "strict, balanced or open: what each class may do;\n"
	 "default: balanced"},
	{"merge", 0, "FILE", "", SCAN, TEXT, AT(merge),
	 "keep the policy FILE as it is, add tools that are\n"
	 "new, and mark those that are gone"},
	{"list", 0, "", "", SCAN, FLAG, AT(list_only),
	 "write what the server lists, for weir check --tools"},
	{"timeout", 0, "SECONDS", "", SCAN | WRAP, SECONDS, 0,
	 "how long a server may take; default: no limit"},
	{"config", 0, "FILE", "", SCAN, TEXT, AT(config),
	 "take the command of SERVER from a client's\n"
	 "configuration"},
	{"write-lock", 0, "FILE", "", SCAN, TEXT, AT(write_lock),
	 "write the lock of these tools, for weir --lock"},
	{"lock", 0, "FILE", "", SCAN, TEXT, AT(lock),
	 "a lock to compare with, see --diff"},
	{"diff", 0, "", "", SCAN, FLAG, AT(diff),
	 "print what differs from the lock"},
	{"force", 0, "", "", SCAN, FLAG, AT(force),
	 "overwrite FILE if it exists"},
	{"since", 0, "TIME", "", LOG, TEXT, AT(since),
	 "only the last TIME, such as 30s, 15m, 2h or 7d"},
	{"tool", 0, "GLOB", "", LOG, TEXT, AT(tool),
	 "only calls of these tools"},
	{"refused", 0, "", "", LOG, FLAG, AT(refused),
	 "only what was not passed"},
	{"html", 0, "PAGE", "", LOG, TEXT, AT(html),
	 "write a page with tables and charts to PAGE"},
	{"list", 0, "", "", LOG, FLAG, AT(list_only),
	 "print each decision and approval, with its date"},
	{"follow", 0, "", "", LOG, FLAG, AT(follow),
	 "print lines as they come, even after FILE is rotated"},
	{"verify", 0, "", "", LOG, FLAG, AT(verify),
	 "find lines that were changed, cut out, added or moved"},
	{"head", 0, "HASH", "", LOG, TEXT, AT(head),
	 "the SHA-256 of a line that must be there"},
	{"json", 0, "", "", EXPLAIN | LIMITS | LOG | WRAP | UNWRAP, FLAG,
	 AT(json), "print JSON"},
	{"reset", 0, "COUNTER", "", LIMITS, TEXT, AT(reset),
	 "set COUNTER back to zero"},
	{"state", 's', "DIR", "WEIR_STATE", APPROVE, PLACE, AT(state),
	 "state directory of the sessions\n"
	 "Default: $WEIR_STATE, else ~/.local/state/weir"},
	{"deny", 0, "NUMBER", "", APPROVE, TEXT, AT(deny),
	 "say no to this call"},
	{"digest", 0, "DIGEST", "", APPROVE, TEXT, AT(digest),
	 "answer only if the call's digest begins with DIGEST,\n"
	 "8 digits or more"},
	{"watch", 0, "", "", APPROVE, FLAG, AT(watch),
	 "ask about calls as they come"},
	{"yes", 0, "", "", LIMITS, FLAG, AT(sure), "do not ask to confirm"},
	{"yes", 0, "", "", APPROVE, FLAG, AT(sure),
	 "do not ask to confirm; needs --digest"},
	{"help", 'h', "", "", RELAY, STOP, 0,
	 "print this help; weir VERB --help prints a verb's"},
	{"help", 'h', "", "", ALL & ~RELAY, STOP, 0, "print this help"},
	{"version", 'V', "", "", RELAY, STOP, 0, "print the version"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROWS <= 64, "given has a bit for each");

/* ---- help ------------------------------------------------------------ */

static void print_row(const struct row *r)
{
	const char *line = r->help;
	char left[32], letter[] = {'-', r->letter, ',', '\0'};

	snprintf(left, sizeof(left), "  %3s --%.12s %.7s",
		 r->letter ? letter : "", r->name, r->argument);
	for (int len; line; line = line[len] ? line + len + 1 : NULL) {
		len = (int)strcspn(line, "\n");
		printf("%-23s %.*s\n", left, len, line);
		left[0] = '\0';
	}
}

void options_verbs(void)
{
	puts("Verbs:");
	for (const struct verb *v = verbs + 1; v < verbs + RUN_VERBS; v++)
		printf("  %-8s  %s\n", v->name, v->brief);
}

enum run options_verb(const char *word)
{
	enum run v = RUN_VERBS - 1;

	while (v > RUN_RELAY && strcmp(word, verbs[v].name) != 0)
		v--;
	return v;
}

void options_help(enum run verb)
{
	const struct verb *v = &verbs[verb];

	printf("Usage: %s\n\n", v->usage);
	for (const struct row *r = rows; r < rows + ROWS; r++)
		if (r->verbs >> verb & 1)
			print_row(r);
	putchar('\n');
	if (verb == RUN_RELAY) {
		options_verbs();
		putchar('\n');
	}
	printf("Exit status: %s\n", v->statuses);
}

/* ---- reading --------------------------------------------------------- */

/* Reports what is wrong with the command line. */
static bool wrong(const struct options *o, const char *what, const char *more)
{
	const char *name = verbs[o->verb].name;

	report("%s%s (see weir%s%s --help)", what, more, *name ? " " : "",
	       name);
	return false;
}

/* Reports an unknown option, or one without its argument. */
static bool bad_option(const struct options *o, int c, char **argv)
{
	/* Without an argument some C libraries step past the end by one. */
	const char *word =
		argv[optind - 1] ? argv[optind - 1] : argv[optind - 2];
	char letter[] = {'-', (char)optopt, '\0'};

	if (c == '?' && optopt && word[1] != '-')
		word = letter;
	return wrong(o, word,
		     c == ':' ? " needs a value"
		     : o->verb == RUN_CHECK && strcmp(word, "-p") == 0
			     ? ": unknown option: name the files without it"
			     : ": unknown option");
}

/* Reads options up to the first operand, --help or --version. */
static bool read_options(struct options *o, int argc, char **argv)
{
	struct option longs[ROWS + 1] = {{.name = NULL}};
	char shorts[2 * ROWS + 3] = "+:", *s = shorts + 2, what[32];
	const struct row *r;
	int c, count = 0;
	/* Where no COMMAND has its own, options stand behind operands, too: no
	 * "+". */
	const bool preload = o->verb == RUN_CHECK && argc > 1 &&
			     strncmp(argv[1], "--pre", 5) == 0;
	const bool anywhere =
		o->verb != RUN_RELAY && o->verb != RUN_SCAN && !preload;

	/* A long option is returned as its row; no letter is that small. */
	for (r = rows; r < rows + ROWS; r++) {
		if (!(r->verbs >> o->verb & 1))
			continue;
		longs[count++] = (struct option){
			r->name, *r->argument ? required_argument : no_argument,
			NULL, (int)(r - rows)};
		if (r->letter)
			*s++ = r->letter;
		if (r->letter && *r->argument)
			*s++ = ':';
	}
	opterr = 0;
	while (o->run == o->verb &&
	       (c = getopt_long(argc, argv, shorts + anywhere, longs, NULL)) !=
		       -1) {
		if (c == '?' || c == ':')
			return bad_option(o, c, argv);
		/* Two verbs may have a letter with other words for each. */
		for (r = rows; r - rows != c &&
			       (r->letter != c || !(r->verbs >> o->verb & 1));)
			r++;
		o->given |= UINT64_C(1) << (r - rows);
		snprintf(what, sizeof(what), "--%s", r->name);
		if (!set(o, r, what, optarg))
			return false;
	}
	o->rest = argv + optind;
	return true;
}

static bool check_operands(const struct options *o)
{
	const struct verb *v = &verbs[o->verb];
	/* A method stands for the tool, a configuration for the command. */
	const size_t less = o->method || o->config ? 1 : 0;
	const size_t most = o->find           ? 0
			    : o->config       ? 1
			    : v->most == MANY ? SIZE_MAX
					      : v->most - less;
	size_t count = 0;

	while (count < most && o->rest[count])
		count++;
	if (count < v->least - less && !o->find)
		return wrong(o, "missing ",
			     o->preload ? "COMMAND" : v->operand);
	return !o->rest[count] ||
	       wrong(o, "unexpected operand ", o->rest[count]);
}

static bool read_environment(struct options *o)
{
	for (const struct row *r = rows; r < rows + ROWS; r++) {
		char *value = *r->variable ? getenv(r->variable) : NULL;

		if (r->verbs >> o->verb & 1 && !(o->given >> (r - rows) & 1) &&
		    value && *value && !set(o, r, r->variable, value))
			return false;
	}
	return true;
}

static struct policy_places find_places(void)
{
	return (struct policy_places){.home = getenv("HOME"),
				      .directory = getcwd(NULL, 0)};
}

static bool need_files(const struct options *o, const char *with)
{
	const char *word = o->rest ? o->rest[0] : NULL;
	const char *dot = word ? strrchr(word, '.') : NULL;

	if (o->log_required && !o->log) {
		report("--log-required without a log: name one with -l FILE or in WEIR_LOG");
		return false;
	}
	/* A test may have one beside it. */
	if (o->policy_count > 0 || !(rows[0].verbs >> o->verb & 1) ||
	    o->verb == RUN_TEST || o->find)
		return true;
	if (o->verb == RUN_RELAY && dot && strcmp(dot, ".json") == 0)
		report("no policy: %s is taken for the command; write weir -p %s -- COMMAND",
		       word, word);
	else
		report("no policy%s: name one %s",
		       o->verb == RUN_RELAY ? ", so nothing runs" : "", with);
	return false;
}

const char *options_meant(const char *word)
{
	char names[RUN_VERBS * 16] = "";
	struct strbuf list = {.ptr = names, .cap = sizeof(names) - 1};
	const char *meant;

	if (strcmp(word, "lint") == 0 || strcmp(word, "validate") == 0)
		return verbs[RUN_CHECK].name;
	for (int v = 1; v < RUN_VERBS; v++)
		strbuf_bytes(&list, verbs[v].name, strlen(verbs[v].name) + 1);
	meant = policy_nearest(word, strlen(word), names);
	return meant ? verbs[options_verb(meant)].name : NULL;
}

/* Is the word a misspelled verb, and no option or command in PATH? */
static bool is_slip(const char *word)
{
	const char *meant = options_meant(word);
	char path[PATH_MAX];

	if (!meant || *word == '-' || program_find(word, path))
		return false;
	report("%s: no such command: did you mean weir %s?", word, meant);
	return true;
}

static bool read_words(struct options *o, int argc, char **argv)
{
	int skip = o->verb != RUN_RELAY;

	if (!skip && argc > 1 && is_slip(argv[1])) {
		o->status = EXIT_NOT_FOUND;
		return false;
	}
	if (!read_options(o, argc - skip, argv + skip))
		return false;
	return o->run != o->verb ||
	       (check_operands(o) && read_environment(o) &&
		need_files(o, "with -p FILE or in WEIR_POLICY"));
}

struct options options_read(int argc, char **argv)
{
	struct options o = {.self = argv[0],
			    .max_line = MAX_LINE_DEFAULT,
			    .places = find_places()};

	if (argc > 1)
		o.run = options_verb(argv[1]);
	o.verb = o.run;
	o.status = verbs[o.verb].status;
	if (!read_words(&o, argc, argv))
		o.run = RUN_ERROR;
	return o;
}

struct options options_environment(void)
{
	struct options o = {.status = EXIT_WEIR,
			    .max_line = MAX_LINE_DEFAULT,
			    .places = find_places()};

	if (!read_environment(&o) || !need_files(&o, "in WEIR_POLICY"))
		o.run = RUN_ERROR;
	return o;
}

/* The relay's option of this letter; or of this name, or the only one whose
 * name begins so. */
static const struct row *find_row(char letter, const char *name, size_t len)
{
	const struct row *found = NULL;

	for (const struct row *r = rows; r < rows + ROWS; r++) {
		if (!(r->verbs & RELAY) ||
		    (name ? strncmp(r->name, name, len) != 0
			  : r->letter != letter))
			continue;
		if (!name || strlen(r->name) == len)
			return r;
		if (found)
			return NULL;
		found = r;
	}
	return found;
}

size_t options_words(char *const *words, char *policies[POLICIES_MAX + 1])
{
	size_t at = 1, count = 0;

	for (; words[at] && words[at][0] == '-' && words[at][1]; at++) {
		char *name = words[at] + 1, *value;
		const bool is_long = *name == '-';
		const struct row *r;

		if (strcmp(name, "-") == 0)
			return words[at + 1] ? at + 1 : 0;
		do {
			if (is_long) {
				name++;
				value = name + strcspn(name, "=");
				r = find_row(0, name, (size_t)(value - name));
				value = *value ? value + 1 : NULL;
			} else {
				r = find_row(*name++, NULL, 0);
				value = *name ? name : NULL;
			}
			if (!r || r->kind == STOP)
				return 0;
			if (*r->argument && !value && !(value = words[++at]))
				return 0;
			if (r->kind == POLICIES && count < POLICIES_MAX)
				policies[count++] = value;
		} while (!is_long && !*r->argument && value);
	}
	policies[count] = NULL;
	return words[at] ? at : 0;
}

void options_free(struct options *o)
{
	free(o->list);
	free((char *)o->places.directory);
	o->list = NULL;
	o->places.directory = NULL;
}
