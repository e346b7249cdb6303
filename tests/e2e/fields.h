/*
 * fields - what stands in lines of JSON: a log's, an answer, what explain says.
 */
#ifndef TESTS_FIELDS_H
#define TESTS_FIELDS_H

#include "harness.h"

/* The value at the path, keys and places in arrays with dots between: a string
 * decoded, an integer or a boolean as text, anything else as its type; NULL if
 * there is none.  The test fails if the line is no JSON object. */
const char *field(const char *line, const char *path);

/* Is it this text?  NULL: is there none? */
void check_field(const char *line, const char *path, const char *want);

/* The line at *at with its LF, *at moved past it; NULL at the end. */
const char *next_line(const char **at);

/* The lines of a log that are about this: "decision". */
const char *lines_about(const char *log, const char *what);

/* How many lines there are. */
size_t count_lines(const char *text);

#endif
