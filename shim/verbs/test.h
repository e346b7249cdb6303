/* test - weir test: calls with the verdicts expected, and recorded sessions. */
#ifndef SHIM_TEST_H
#define SHIM_TEST_H

#include "../options.h"

#define TEST_PASSED 0 /* or told, of a session */
#define TEST_FAILED 1
#define TEST_ERROR  2

/*
 * Judges what the files o->rest hold, each with its own counters in memory:
 *
 *   - tests (cases.h): prints those whose verdict is not the one expected, and
 *     at the end how many passed and failed.  The clock of the counters goes on
 *     by "after" alone.
 *   - lines of a session: prints what would have become of each that a client
 *     sent and a rule is about; lines that only a server writes are skipped.
 *     As nothing tells when they came, it is as if all came at once.
 *
 * The policy is that of -p; else, for NAME.test.json, NAME.json beside it; else
 * that of the environment.  Returns the status to exit with.
 */
int test_run(const struct options *o);

#endif
