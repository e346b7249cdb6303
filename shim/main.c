/* weir: the launcher.  What each word of the command line does. */
#include "verbs/check.h"
#include "verbs/explain.h"
#include "verbs/limits.h"
#include "verbs/preload_check.h"
#include "options.h"
#include "fd.h"
#include "relay.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WEIR_VERSION "0.1.0"

static int run_relay(const struct options *o, const sigset_t *mask)
{
	int status;

	if (!fd_standard())
		return EXIT_WEIR;
	return child_apart(&status) ? relay_run(o, mask, NULL) : status;
}

/* Output that could not be written is a failure, not a success. */
static int finish(int status, int failed)
{
	/* What did not fit into the buffer may have failed before. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	report("cannot write to stdout: %s", strerror(errno));
	return failed;
}

static int run(const struct options *o, const sigset_t *mask)
{
	switch (o->run) {
	case RUN_RELAY:
		return run_relay(o, mask);
	case RUN_CHECK:
		return finish(o->preload ? preload_check_run(o->rest[0])
					 : check_run(o),
			      CHECK_UNSOUND);
	case RUN_EXPLAIN:
		return finish(explain_run(o->policies, o->policy_count,
					  o->rest[0], o->rest[1], o->json),
			      EXPLAIN_ERROR);
	case RUN_LIMITS:
		return finish(limits_run(o), LIMITS_ERROR);
	case RUN_HELP:
		fputs(options_help, stdout);
		return finish(0, EXIT_WEIR);
	case RUN_VERSION:
		puts("weir " WEIR_VERSION);
		return finish(0, EXIT_WEIR);
	case RUN_ERROR:
		break;
	}
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
	status = run(&o, &mask);
	options_free(&o);
	return status;
}
