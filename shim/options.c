/* The command line.  The contract is in options.h. */
#include "options.h"

#include "check.h"
#include "child.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
	"Usage: weir [OPTION]... [--] COMMAND [ARG]...\n"
	"   or: weir check [--strict] POLICY...\n"
	"\n"
	"Runs COMMAND, an MCP server on stdin and stdout, behind a policy: hides,\n"
	"denies and limits its tools, and passes everything else byte for byte.\n"
	"check tells whether policy files are sound.\n"
	"\n"
	"  -p, --policy FILE     the policy; or WEIR_POLICY in the environment\n"
	"      --max-line BYTES  longest line that is weighed (default 67108864);\n"
	"                        or WEIR_MAX_LINE\n"
	"  -h, --help            this text\n"
	"  -V, --version\n"
	"\n"
	"Exit status: that of COMMAND; 128+N if signal N ended it; 125 if weir\n"
	"failed, 126 if COMMAND could not be run, 127 if it was not found.\n"
	"check: 0 sound, 1 sound with warnings under --strict, 2 unsound.\n";

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
	const char *word = argv[optind - 1];

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
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	o.run = RUN_CHECK;
	o.status = CHECK_UNSOUND;
	while ((c = getopt_long(argc, argv, "+:h", table, NULL)) != -1) {
		if (c == 's')
			o.strict = true;
		else if (c == 'h')
			o.run = RUN_HELP;
		else
			return bad_option(o, c, argv);
	}
	o.rest = argv + optind;
	if (o.run == RUN_CHECK && !*o.rest) {
		report("check: which file? Usage: weir check [--strict] "
		       "POLICY...");
		return fail(o);
	}
	return o;
}

/* One policy file; several are laid over one another one day. */
static bool set_policy(struct options *o, const char *file)
{
	if (o->policy && strcmp(o->policy, file) != 0) {
		report("more than one policy file: this version of weir takes "
		       "one");
		return false;
	}
	if (!*file) {
		report("the name of the policy file is empty");
		return false;
	}
	o->policy = file;
	return true;
}

static bool read_environment(struct options *o)
{
	const char *policy = getenv("WEIR_POLICY");
	const char *max_line = getenv("WEIR_MAX_LINE");

	if (!o->policy && policy && *policy) {
		if (strchr(policy, ':')) {
			report("WEIR_POLICY=%s names more than one policy "
			       "file: this version of weir takes one",
			       policy);
			return false;
		}
		o->policy = policy;
	}
	if (o->max_line == 0 && max_line &&
	    !read_size("WEIR_MAX_LINE", max_line, &o->max_line))
		return false;
	return true;
}

static struct options read_relay(struct options o, int argc, char **argv)
{
	static const struct option table[] = {
		{"policy", required_argument, NULL, 'p'},
		{"max-line", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+:p:hV", table, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (!set_policy(&o, optarg))
				return fail(o);
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
	if (!o.policy) {
		report("no policy, so nothing runs: name one with -p FILE or "
		       "in WEIR_POLICY");
		return fail(o);
	}
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
	return read_relay(o, argc, argv);
}
