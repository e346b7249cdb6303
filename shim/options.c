/* The command line.  The contract is in options.h. */
#include "options.h"

#include "verbs/check.h"
#include "child.h"
#include "verbs/explain.h"
#include "verbs/limits.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
	"Usage: weir [OPTION]... [--] COMMAND [ARG]...\n"
	"   or: weir check [--strict] [--print] [--tools FILE] POLICY...\n"
	"   or: weir check --preload COMMAND [ARG]...\n"
	"   or: weir explain [-p POLICY]... [--json] TOOL [ARGUMENTS]\n"
	"   or: weir limits [-p POLICY]... [-g NAME] [-s DIR] [--json]\n"
	"                   [--reset COUNTER [--yes]]\n"
	"\n"
	"Runs COMMAND, an MCP server on stdin and stdout, behind a policy: hides,\n"
	"denies and limits its tools, and passes everything else byte for byte.\n"
	"check tells whether policy files are sound, or a command loads libweir.so;\n"
	"explain, what becomes of a call, and why; limits, what is used up.\n"
	"\n"
	"  -p, --policy FILE     the policy; once more lays another file over it; or\n"
	"                        WEIR_POLICY in the environment (a colon between)\n"
	"  -g, --grant NAME      whose counters these are (default: the first policy\n"
	"                        file's path); or WEIR_GRANT\n"
	"  -s, --state DIR       where counters live (default ~/.local/state/weir);\n"
	"                        or WEIR_STATE\n"
	"  -l, --log FILE        append one JSON line for each decision; or WEIR_LOG\n"
	"  -n, --observe         decide and log, but let everything through; or\n"
	"                        WEIR_OBSERVE=1\n"
	"      --max-line BYTES  longest line that is weighed (default 67108864);\n"
	"                        or WEIR_MAX_LINE\n"
	"  -h, --help            this text\n"
	"  -V, --version\n"
	"\n"
	"  check   --strict         a warning counts\n"
	"          --print          print the merged policy\n"
	"          --tools FILE     what becomes of each tool of a list\n"
	"          --preload        would COMMAND load libweir.so?\n"
	"  explain --json           as JSON\n"
	"  limits  --json           as JSON\n"
	"          --reset COUNTER  forget what it has counted\n"
	"          --yes            do not ask first\n"
	"\n"
	"Exit status: that of COMMAND; 128+N if signal N ended it; 125 if weir\n"
	"failed, 126 if COMMAND could not be run, 127 if it was not found.\n"
	"check: 0 sound, 1 sound with warnings under --strict, 2 unsound.\n"
	"check --preload: 0 it loads it, 1 it does not, 2 weir cannot tell.\n"
	"explain: 0 allowed, 1 refused, 2 error.\n"
	"limits: 0 told or reset, 1 not reset, 2 error.\n";

static struct options fail(struct options o)
{
	o.run = RUN_ERROR;
	return o;
}

static bool read_size(const char *what, const char *text, size_t *size)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    n < MAX_LINE_LEAST || n > MAX_LINE_MOST) {
		report("%s %s: a number of bytes from %zu to %zu was expected",
		       what, text, MAX_LINE_LEAST, MAX_LINE_MOST);
		return false;
	}
	*size = (size_t)n;
	return true;
}

/* What getopt() does not know, or knows and lacks the value of. */
static struct options bad_option(struct options o, int c, char **argv)
{
	/* Where a value lacks, some C libraries are past the end by one. */
	const char *word =
		argv[optind - 1] ? argv[optind - 1] : argv[optind - 2];

	if (c == ':')
		report("%s needs a value (see weir --help)", word);
	else if (optopt && word[1] != '-')
		report("-%c: unknown option (see weir --help)", optopt);
	else
		report("%s: unknown option (see weir --help)", word);
	return fail(o);
}

static struct options read_check(struct options o, int argc, char **argv)
{
	static const struct option table[] = {
		{"strict", no_argument, NULL, 's'},
		{"print", no_argument, NULL, 'P'},
		{"preload", no_argument, NULL, 'L'},
		{"tools", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	o.run = RUN_CHECK;
	o.status = CHECK_UNSOUND;
	while ((c = getopt_long(argc, argv, "+:h", table, NULL)) != -1) {
		if (c == 's')
			o.strict = true;
		else if (c == 'P')
			o.print = true;
		else if (c == 'L')
			o.preload = true;
		else if (c == 't')
			o.tools = optarg;
		else if (c == 'h')
			o.run = RUN_HELP;
		else
			return bad_option(o, c, argv);
	}
	o.rest = argv + optind;
	if (o.run == RUN_CHECK && !*o.rest) {
		report(o.preload ? "check: which command? Usage: weir check "
				   "--preload COMMAND"
				 : "check: which file? Usage: weir check "
				   "[--strict] POLICY...");
		return fail(o);
	}
	return o;
}

/* A name that is not empty. */
static bool take_name(const char *what, const char *name, const char **into)
{
	*into = name;
	if (*name)
		return true;
	report("the name of the %s is empty", what);
	return false;
}

/* Lays a file over those that were named before. */
static bool add_policy(struct options *o, const char *file)
{
	if (!*file) {
		report("the name of a policy file is empty");
		return false;
	}
	if (o->policy_count == POLICIES_MAX) {
		report("more than %d policy files", POLICIES_MAX);
		return false;
	}
	o->policies[o->policy_count++] = file;
	return true;
}

/* The files that WEIR_POLICY names, a colon between them; list is cut up. */
static bool add_policies(struct options *o, char *list)
{
	char *colon;

	for (; (colon = strchr(list, ':')); list = colon + 1) {
		*colon = '\0';
		if (!add_policy(o, list))
			return false;
	}
	return add_policy(o, list);
}

static bool read_environment(struct options *o)
{
	const char *policy = getenv("WEIR_POLICY");
	const char *max_line = getenv("WEIR_MAX_LINE");
	const char *log = getenv("WEIR_LOG");
	const char *grant = getenv("WEIR_GRANT");
	const char *state = getenv("WEIR_STATE");
	const char *observe = getenv("WEIR_OBSERVE");

	if (o->policy_count == 0 && policy && *policy) {
		o->list = strdup(policy);
		if (!o->list || !add_policies(o, o->list))
			return false;
	}
	if (!o->log && log && *log)
		o->log = log;
	if (!o->grant && grant && *grant)
		o->grant = grant;
	if (!o->state && state && *state)
		o->state = state;
	if (observe && *observe && strcmp(observe, "0") != 0) {
		if (strcmp(observe, "1") != 0) {
			report("WEIR_OBSERVE=%s: 1 or 0 was expected", observe);
			return false;
		}
		o->observe = true;
	}
	if (o->max_line == 0 && max_line && *max_line &&
	    !read_size("WEIR_MAX_LINE", max_line, &o->max_line))
		return false;
	return true;
}

static bool need_policy(const struct options *o)
{
	if (o->policy_count > 0)
		return true;
	report("no policy, so nothing runs: name one with -p FILE or in "
	       "WEIR_POLICY");
	return false;
}

static struct options read_explain(struct options o, int argc, char **argv)
{
	static const struct option table[] = {
		{"policy", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	o.run = RUN_EXPLAIN;
	o.status = EXPLAIN_ERROR;
	while ((c = getopt_long(argc, argv, "+:p:h", table, NULL)) != -1) {
		if (c == 'p' && !add_policy(&o, optarg))
			return fail(o);
		if (c == 'j')
			o.json = true;
		if (c == 'h')
			o.run = RUN_HELP;
		if (c == '?' || c == ':')
			return bad_option(o, c, argv);
	}
	o.rest = argv + optind;
	if (o.run == RUN_HELP)
		return o;
	if (!o.rest[0] || (o.rest[1] && o.rest[2])) {
		report("explain: which call? Usage: weir explain [-p POLICY]... "
		       "[--json] TOOL [ARGUMENTS]");
		return fail(o);
	}
	if (!read_environment(&o) || !need_policy(&o))
		return fail(o);
	return o;
}

static struct options read_limits(struct options o, int argc, char **argv)
{
	static const struct option table[] = {
		{"policy", required_argument, NULL, 'p'},
		{"grant", required_argument, NULL, 'g'},
		{"state", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"reset", required_argument, NULL, 'r'},
		{"yes", no_argument, NULL, 'y'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	o.run = RUN_LIMITS;
	o.status = LIMITS_ERROR;
	while ((c = getopt_long(argc, argv, "+:p:g:s:h", table, NULL)) != -1) {
		if ((c == 'p' && !add_policy(&o, optarg)) ||
		    (c == 'g' && !take_name("grant", optarg, &o.grant)) ||
		    (c == 's' &&
		     !take_name("state directory", optarg, &o.state)) ||
		    (c == 'r' && !take_name("counter", optarg, &o.reset)))
			return fail(o);
		o.json |= c == 'j';
		o.sure |= c == 'y';
		if (c == 'h')
			o.run = RUN_HELP;
		if (c == '?' || c == ':')
			return bad_option(o, c, argv);
	}
	if (o.run == RUN_HELP)
		return o;
	if (argv[optind]) {
		report("limits: %s? Usage: weir limits [-p POLICY]... "
		       "[-g NAME] [-s DIR] [--json] [--reset COUNTER "
		       "[--yes]]",
		       argv[optind]);
		return fail(o);
	}
	if (!read_environment(&o) || !need_policy(&o))
		return fail(o);
	return o;
}

static struct options read_relay(struct options o, int argc, char **argv)
{
	static const struct option table[] = {
		{"policy", required_argument, NULL, 'p'},
		{"grant", required_argument, NULL, 'g'},
		{"state", required_argument, NULL, 's'},
		{"log", required_argument, NULL, 'l'},
		{"observe", no_argument, NULL, 'n'},
		{"max-line", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+:p:g:s:l:nhV", table, NULL)) !=
	       -1) {
		switch (c) {
		case 'p':
			if (!add_policy(&o, optarg))
				return fail(o);
			break;
		case 'g':
			if (!take_name("grant", optarg, &o.grant))
				return fail(o);
			break;
		case 's':
			if (!take_name("state directory", optarg, &o.state))
				return fail(o);
			break;
		case 'l':
			o.log = optarg;
			break;
		case 'n':
			o.observe = true;
			break;
		case 'm':
			if (!read_size("--max-line", optarg, &o.max_line))
				return fail(o);
			break;
		case 'h':
			o.run = RUN_HELP;
			return o;
		case 'V':
			o.run = RUN_VERSION;
			return o;
		default:
			return bad_option(o, c, argv);
		}
	}
	o.rest = argv + optind;
	if (!*o.rest) {
		report("which server? Usage: weir -p POLICY -- COMMAND "
		       "[ARG]... (see weir --help)");
		return fail(o);
	}
	if (!read_environment(&o))
		return fail(o);
	if (!need_policy(&o))
		return fail(o);
	if (o.max_line == 0)
		o.max_line = MAX_LINE_DEFAULT;
	return o;
}

struct options options_read(int argc, char **argv)
{
	struct options o = {.run = RUN_RELAY, .status = EXIT_WEIR};

	opterr = 0;
	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return read_check(o, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "explain") == 0)
		return read_explain(o, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "limits") == 0)
		return read_limits(o, argc - 1, argv + 1);
	return read_relay(o, argc, argv);
}

struct options options_environment(void)
{
	struct options o = {.run = RUN_RELAY, .status = EXIT_WEIR};

	if (!read_environment(&o))
		return fail(o);
	if (o.policy_count == 0) {
		report("no policy, so nothing runs: name one in WEIR_POLICY");
		return fail(o);
	}
	if (o.max_line == 0)
		o.max_line = MAX_LINE_DEFAULT;
	return o;
}

void options_free(struct options *o)
{
	free(o->list);
	o->list = NULL;
}
