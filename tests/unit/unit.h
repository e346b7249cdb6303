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

/* As assert_true(), but a failing row of a table names itself. */
#define row_true(name, ok)                                                     \
	do {                                                                   \
		bool ok_ = (ok);                                               \
		if (!ok_)                                                      \
			print_error("row: %s\n", (name));                      \
		assert_true(ok_);                                              \
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
