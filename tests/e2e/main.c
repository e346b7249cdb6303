/*
 * Every end-to-end test.  test_e2e PATTERN runs those of these names, test_e2e
 * --group NAME those of one file, and --groups lists the names for that: groups
 * can run side by side.
 */
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

/* Through libweir.so runs what can differ there.  What takes long comes first,
 * as that is the order in which they begin. */
enum { PREFIX = 1, PRELOAD = 2, BOTH = 3, POSIX = 4 };
#define GROUP(name, ways)                                                      \
	{                                                                      \
#name, run_##name, ways                                        \
	}
static const struct group {
	const char *name;
	int (*run)(void);
	int ways;
} groups[] = {
	GROUP(unstarted, BOTH),  GROUP(terminal, BOTH),
	GROUP(pressure, BOTH),   GROUP(million, PREFIX),
	GROUP(grant, PREFIX),    GROUP(verbs, BOTH),
	GROUP(approve, BOTH),    GROUP(scan, PREFIX),
	GROUP(leftovers, BOTH),  GROUP(descriptors, BOTH),
	GROUP(command, BOTH),    GROUP(faults, BOTH),
	GROUP(streams, BOTH),    GROUP(processes, BOTH),
	GROUP(signals, BOTH),    GROUP(layers, PREFIX),
	GROUP(limits, PREFIX),   GROUP(log_verb, PREFIX),
	GROUP(redis, PREFIX),    GROUP(seeds, PREFIX),
	GROUP(answers, PREFIX),  GROUP(lines, PREFIX),
	GROUP(lists, BOTH),      GROUP(log_lines, BOTH),
	GROUP(preload, PRELOAD), GROUP(loads, PREFIX),
	GROUP(held, PREFIX),     GROUP(wrap, PREFIX),
	GROUP(lock, BOTH),       GROUP(scan_lock, PREFIX),
	GROUP(guard, POSIX),
};

int main(int argc, char **argv)
{
	bool list = argc == 2 && strcmp(argv[1], "--groups") == 0;
	const char *only = NULL;
	int failed = 0, runs = 0, ways;

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
	if (argc == 3 && strcmp(argv[1], "--group") == 0)
		only = argv[2];
	else if (argc > 1 && !list)
		cmocka_set_test_filter(argv[1]);
	ways = (preload ? PRELOAD : PREFIX) | (posix ? POSIX : 0);
	for (const struct group *g = groups; g < groups + COUNT(groups); g++) {
		if (!(g->ways & ways) || (only && strcmp(g->name, only) != 0))
			continue;
		runs++;
		if (list)
			puts(g->name);
		else
			failed += g->run();
	}
	return failed > 0 || runs == 0;
}
