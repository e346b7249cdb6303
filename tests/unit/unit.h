/* unit - what the unit tests share. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNIT_TESTS_MAX 64
static struct CMUnitTest unit_tests[UNIT_TESTS_MAX];
static size_t unit_count;
static int unit_failed; /* rows of the test that runs */

static inline void unit_add(struct CMUnitTest test)
{
	if (unit_count == UNIT_TESTS_MAX)
		abort();
	unit_tests[unit_count++] = test;
}

/* A test.  They run in the order in which they stand; a file ends with RUN().
 */
#define TEST(test)                                                             \
	static void test(void);                                                \
	static void run_##test(void **state)                                   \
	{                                                                      \
		(void)state;                                                   \
		unit_failed = 0;                                               \
		test();                                                        \
		assert_int_equal(unit_failed, 0);                              \
	}                                                                      \
	__attribute__((constructor)) static void add_##test(void)              \
	{                                                                      \
		unit_add((struct CMUnitTest){.name = #test,                    \
					     .test_func = run_##test});        \
	}                                                                      \
	static void test(void)

/* Runs them: set_up before all, begin before each. */
static inline int unit_run(int (*set_up)(void **), int (*tear_down)(void **),
			   int (*begin)(void **), int (*end)(void **))
{
	for (size_t i = 0; i < unit_count; i++) {
		unit_tests[i].setup_func = begin;
		unit_tests[i].teardown_func = end;
	}
	return cmocka_run_group_tests(unit_tests, set_up, tear_down);
}

#define RUN_EACH(set_up, tear_down, begin, end)                                \
	int main(void)                                                         \
	{                                                                      \
		return unit_run(set_up, tear_down, begin, end);                \
	}
#define RUN(set_up, tear_down) RUN_EACH(set_up, tear_down, NULL, NULL)

/* As assert_true(), but a failing row of a table names itself. */
#define row_true(name, ok)                                                     \
	do {                                                                   \
		bool ok_ = (ok);                                               \
		if (!ok_)                                                      \
			print_error("row: %s\n", (name));                      \
		assert_true(ok_);                                              \
	} while (0)

/* The same of a row after which others are looked at, too. */
#define row_check(ok, ...)                                                     \
	do {                                                                   \
		if (!(ok)) {                                                   \
			print_error("row: " __VA_ARGS__);                      \
			print_error("\n");                                     \
			unit_failed++;                                         \
		}                                                              \
	} while (0)

/* The part is in the text; if not, the text is shown. */
#define row_has(name, text, part)                                              \
	do {                                                                   \
		if (!strstr((text), (part)))                                   \
			print_error("row: %s: \"%s\" is not in: %s\n", (name), \
				    (part), (text));                           \
		assert_non_null(strstr((text), (part)));                       \
	} while (0)

/* A policy of one text, "p.json". */
#define COMPILE(text, listen, context)                                         \
	policy_compile(                                                        \
		&(struct policy_source){"p.json", (text), strlen(text)}, 1,    \
		NULL, (listen), (context))

/* Is what is tested built of POSIX alone?  make says it. */
static inline bool system_is_posix(void)
{
	const char *system = getenv("SYSTEM");

	return system && strcmp(system, "posix") == 0;
}

/* Counters of a policy's own, in memory. */
static inline void unit_silent(void *context, const char *line)
{
	(void)context;
	(void)line;
}
#define COUNTERS(policy) counters_new((policy), NULL, NULL, unit_silent, NULL)

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#endif
