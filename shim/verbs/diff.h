/* diff - the edits of a text as a unified diff, for people. */
#ifndef SHIM_DIFF_H
#define SHIM_DIFF_H

#include "servers.h"

/* Prints what the edits do to the text, which a NUL follows.  What a terminal
 * would obey is escaped, and CR at a line's end is left out.  False: out of
 * memory, reported. */
bool diff_print(const char *file, const char *text, const struct edits *e);

/* The begin of the line that p is in. */
const char *diff_line(const char *text, const char *p);

#endif
