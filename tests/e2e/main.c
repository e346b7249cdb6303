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

/* Through libweir.so runs what can differ there. */
enum { PREFIX = 1, PRELOAD = 2, BOTH = 3 };
static const struct {
	int (*run)(void);
	int ways;
} groups[] = {
	{run_seeds, PREFIX},     {run_answers, PREFIX},
	{run_lines, PREFIX},     {run_lists, BOTH},
	{run_streams, BOTH},     {run_command, BOTH},
	{run_processes, BOTH},   {run_signals, BOTH},
	{run_leftovers, BOTH},   {run_descriptors, BOTH},
	{run_pressure, BOTH},    {run_faults, BOTH},
	{run_million, PREFIX},   {run_layers, PREFIX},
	{run_verbs, BOTH}, /* reloads, and checks of the start */
	{run_log_lines, BOTH},   {run_unstarted, BOTH},
	{run_limits, PREFIX},    {run_preload, PRELOAD},
	{run_loads, PREFIX},     {run_grant, PREFIX},
	{run_held, PREFIX},      {run_redis, PREFIX},
	{run_wrap, PREFIX},      {run_scan, PREFIX},
	{run_approve, BOTH},     {run_log_verb, PREFIX},
	{run_terminal, BOTH},    {run_lock, BOTH},
	{run_scan_lock, PREFIX},
};

int main(int argc, char **argv)
{
	int failed = 0;

	/* A policy that its group may write is warned of. */
	umask(022);
	weir = getenv("WEIR");
	server = getenv("SERVER");
	preload = getenv("PRELOAD");
	posix = getenv("SYSTEM") && strcmp(getenv("SYSTEM"), "posix") == 0;
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
	for (size_t i = 0; i < COUNT(groups); i++)
		if (groups[i].ways & (preload ? PRELOAD : PREFIX))
			failed += groups[i].run();
	if (posix)
		failed += run_guard();
	return failed > 0;
}
