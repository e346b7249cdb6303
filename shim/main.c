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

static int run_verb(const struct options *o)
{
	int status = 0;

	switch (o->run) {
	case RUN_CHECK:
		status = check_run(o);
		break;
	case RUN_EXPLAIN:
		status = explain_run(o);
		break;
	case RUN_TEST:
		status = test_run(o);
		break;
	case RUN_LIMITS:
		status = limits_run(o);
		break;
	case RUN_LOG:
		status = log_run(o);
		break;
	case RUN_APPROVE:
		status = approve_run(o);
		break;
	case RUN_WRAP:
	case RUN_UNWRAP:
		status = wrap_run(o);
		break;
	case RUN_SCAN:
		status = run_scan(o);
		break;
	case RUN_HELP:
		status = help_run(o);
		break;
	case RUN_USAGE:
		options_help(o->verb);
		break;
	case RUN_VERSION:
		printf("weir %s\n", version);
		break;
	default:
		return o->status;
	}
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
