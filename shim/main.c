/* weir: the launcher.  What each word of the command line does. */
#include "verbs/approve.h"
#include "verbs/check.h"
#include "verbs/config.h"
#include "verbs/explain.h"
#include "verbs/help.h"
#include "verbs/limits.h"
#include "verbs/log.h"
#include "verbs/scan.h"
#include "verbs/test.h"
#include "verbs/wrap.h"
#include "options.h"
#include "relay.h"
#include "report.h"
#include "unstarted.h"
#include "version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int run_relay(const struct options *o, const sigset_t *mask)
{
	int status;

	if (!child_standard())
		return EXIT_WEIR;
	return child_apart(&status) ? relay_run(o, mask, NULL) : status;
}

/* As run_relay(): a shell's children are not the server's. */
static int run_scan(const struct options *o)
{
	int status;

	if (!child_standard())
		return SCAN_ERROR;
	if (!child_apart(&status))
		return status;
	return o->config ? config_scan(o) : scan_server(o, o->rest);
}

static int run_usage(const struct options *o)
{
	options_help(o->verb);
	return 0;
}

static int run_version(const struct options *o)
{
	(void)o;
	printf("weir %s\n", version);
	return 0;
}

static int run_verb(const struct options *o)
{
	static int (*const verbs[RUN_ERROR])(const struct options *o) = {
		[RUN_CHECK] = check_run, [RUN_EXPLAIN] = explain_run,
		[RUN_TEST] = test_run,   [RUN_LIMITS] = limits_run,
		[RUN_LOG] = log_run,     [RUN_APPROVE] = approve_run,
		[RUN_WRAP] = wrap_run,   [RUN_UNWRAP] = wrap_run,
		[RUN_SCAN] = run_scan,   [RUN_HELP] = help_run,
		[RUN_USAGE] = run_usage, [RUN_VERSION] = run_version,
	};
	int status;

	if (o->run == RUN_ERROR)
		return o->status;
	status = verbs[o->run](o);
	/* Output that could not be written is a failure, not a success; what
	 * did not fit into the buffer may have failed before. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	report("cannot write to stdout: %s", strerror(errno));
	return o->status;
}

int main(int argc, char **argv)
{
	struct options o;
	sigset_t mask;
	int status;

	child_hold(&mask);
	o = options_read(argc, argv);
	if (o.run != RUN_RELAY)
		child_release(&mask);
	status = o.run == RUN_RELAY ? run_relay(&o, &mask) : run_verb(&o);
	if (o.run == RUN_ERROR && o.verb == RUN_RELAY)
		unstarted_answer(&mask);
	options_free(&o);
	return status;
}
