/* Every end-to-end test; an argument is a pattern of those to run. */
#include "harness.h"

#include "groups.h"
#include "way.h"

#include <stdlib.h>
#include <sys/stat.h>

/* The words of the sanitizers, for a library that has them: it comes before
 * its runtime, and into programs that have none, whose faults are their own. */
static void allow_sanitized(void)
{
	static const char more[] = "verify_asan_link_order=0:handle_segv=0:"
				   "handle_sigbus=0:handle_sigfpe=0:"
				   "handle_sigill=0";
	const char *set = getenv("ASAN_OPTIONS");
	char all[1024];

	snprintf(all, sizeof(all), "%s%s%s", set ? set : "", set ? ":" : "",
		 more);
	setenv("ASAN_OPTIONS", all, 1);
}

int main(int argc, char **argv)
{
	int failed = 0;

	/* A policy that its group may write is warned of. */
	umask(022);
	weir = getenv("WEIR");
	server = getenv("SERVER");
	preload = getenv("PRELOAD");
	faulty_weir = getenv("FAULTY");
	if (preload) {
		preload = realpath(preload, NULL);
		allow_sanitized();
	}
	if (!weir || !server || (getenv("PRELOAD") && !preload)) {
		fprintf(stderr, "WEIR and SERVER have to name the programs, "
				"PRELOAD the library or nothing\n");
		return 2;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed += run_seeds();
	failed += run_answers();
	failed += run_lines();
	failed += run_lists();
	failed += run_streams();
	failed += run_command();
	failed += run_processes();
	failed += run_signals();
	failed += run_leftovers();
	failed += run_descriptors();
	failed += run_pressure();
	failed += run_faults();
	failed += run_million();
	failed += run_layers();
	failed += run_verbs();
	failed += run_limits();
	failed += preload ? run_preload() : run_loads();
	failed += run_grant();
	return failed > 0;
}
