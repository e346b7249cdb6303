/*
 * lines - command lines of weir, and what comes of them.
 *
 * A line has blanks between its words, and '' around a word that is empty or
 * has blanks; variables come first.  In it, and in what is expected, @ is the
 * test's directory, # is weir's own path, and ^ that of the test server.
 */
#ifndef TESTS_LINES_H
#define TESTS_LINES_H

#include "harness.h"

const char *fill(const char *pattern);

/* Runs weir with these words in the test's directory, which is its HOME, and
 * names the case after them. */
struct proc *run_line(const char *words);

/* The same once it has ended with this status; what it said. */
const char *run_to(const char *words, int status);

struct line_row {
	const char *words;
	int status;
	const char *said, *told; /* parts; "": nothing; NULL: whatever it is */
};

struct proc *check_row(const struct line_row *row);
void check_rows(const struct line_row *rows, size_t count);

#endif
