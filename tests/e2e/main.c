/*
 * Every end-to-end test.  test_e2e PATTERN runs those of these names, test_e2e
 * --group NAME those of one file, and --groups lists the names for that: groups
 * can run side by side.
 */
#include "harness.h"

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

#define GROUP_MAX 64 /* tests of a file */

/* Through libweir.so runs what can differ there.  What takes long comes first,
 * as that is the order in which they begin. */
enum { PREFIX = 1, PRELOAD = 2, BOTH = 3, POSIX = 4 };
static const struct group {
	const char *name; /* that of its file */
	int ways;
} groups[] = {
	{"unstarted", BOTH},   {"terminal", BOTH},  {"pressure", BOTH},
	{"million", PREFIX},   {"grant", PREFIX},   {"verbs", BOTH},
	{"approve", BOTH},     {"scan", PREFIX},    {"leftovers", BOTH},
	{"descriptors", BOTH}, {"command", BOTH},   {"faults", BOTH},
	{"streams", BOTH},     {"processes", BOTH}, {"signals", BOTH},
	{"layers", PREFIX},    {"limits", PREFIX},  {"log_verb", PREFIX},
	{"redis", PREFIX},     {"seeds", PREFIX},   {"answers", PREFIX},
	{"lines", PREFIX},     {"lists", BOTH},     {"log", BOTH},
	{"preload", PRELOAD},  {"loads", PREFIX},   {"held", PREFIX},
	{"wrap", PREFIX},      {"lock", BOTH},      {"scan_lock", PREFIX},
	{"guard", POSIX},
};

#define PRELOADED "libweir.so"
#define PEERS     "a socket tells who is at its other end"
#define LEFT      "what the server leaves running comes to weir"

/* What system_linux.c alone can do; the manual lists it, too. */
static const struct {
	const char *test, *why;
} linux_own[] = {
	{"every_cause", LEFT},
	{"no_zombies", LEFT},
	{"a_second_for_all", LEFT},
	{"strangers", LEFT},
	{"strangers_and_signals", LEFT},
	{"left_by_a_stranger", LEFT},
	{"other_namespaces", "/proc, and process ids, of another namespace"},
	{"pipe_is_as_large_as_needed", "the size of a pipe is asked for"},
	{"door_reloaded", PEERS},
	{"other_users", PEERS},
	{"not_the_same_user", PEERS},
	{"a_listener_of_another_user", PEERS},
	{"of_programs", PRELOADED},
	{"of_capabilities", PRELOADED},
	{"of_scripts", PRELOADED},
	{"in_path", PRELOADED},
	{"in_working_directory", PRELOADED},
	{"without_proc", PRELOADED},
	{"time_namespaces", "a clock that counts sleep, and the boot's name"},
	{"in_a_namespace", "the guard is not in the server's namespace"},
};

static bool is_of(const struct test *test, const char *group)
{
	const char *name = strstr(test->file, "test_") + 5;
	size_t len = strlen(group);

	return strncmp(name, group, len) == 0 && strcmp(name + len, ".c") == 0;
}

static int by_line(const void *a, const void *b)
{
	const struct test *x = ((const struct CMUnitTest *)a)->initial_state;
	const struct test *y = ((const struct CMUnitTest *)b)->initial_state;

	return x->line - y->line;
}

static void run_one(void **state)
{
	const struct test *test = *state;

	for (size_t i = 0; posix && i < COUNT(linux_own); i++)
		if (strcmp(linux_own[i].test, test->name) == 0) {
			print_message("of Linux alone: %s\n", linux_own[i].why);
			skip();
		}
	test->run();
}

/* How many failed. */
static int run_group(const char *group)
{
	struct CMUnitTest tests[GROUP_MAX];
	size_t count = 0;

	for (struct test *t = all_tests; t; t = t->next) {
		if (!is_of(t, group))
			continue;
		check(count < GROUP_MAX, "more tests than GROUP_MAX");
		tests[count++] = (struct CMUnitTest){
			t->name, run_one, harness_setup, harness_teardown, t};
	}
	qsort(tests, count, sizeof(*tests), by_line);
	return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}

/* A file that no group is for would be left out without a word. */
static void check_groups(void)
{
	for (const struct test *t = all_tests; t; t = t->next) {
		size_t i = 0;

		while (i < COUNT(groups) && !is_of(t, groups[i].name))
			i++;
		if (i == COUNT(groups)) {
			fprintf(stderr, "%s: no group in main.c\n", t->file);
			exit(2);
		}
	}
}

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
	check_groups();
	ways = (preload ? PRELOAD : PREFIX) | (posix ? POSIX : 0);
	for (const struct group *g = groups; g < groups + COUNT(groups); g++) {
		if (!(g->ways & ways) || (only && strcmp(g->name, only) != 0))
			continue;
		runs++;
		if (list)
			puts(g->name);
		else
			failed += run_group(g->name);
	}
	return failed > 0 || runs == 0;
}
