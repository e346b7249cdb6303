/* options - the command line and the environment, read once. */
#ifndef SHIM_OPTIONS_H
#define SHIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_LINE_DEFAULT ((size_t)64 << 20)
#define MAX_LINE_LEAST   ((size_t)4096)
#define MAX_LINE_MOST    ((size_t)4 << 30)

enum run { RUN_RELAY, RUN_CHECK, RUN_HELP, RUN_VERSION, RUN_ERROR };

struct options {
	enum run run;
	int status;         /* RUN_ERROR: to exit with */
	const char *policy; /* the policy file; NULL: none is named */
	size_t max_line;    /* longest line weighed, in bytes without its LF */
	bool strict;        /* check: a warning is a fault */
	char **rest;        /* the command, or the files to check; NULL-ended */
};

/* Reads both.  RUN_ERROR: said on stderr what is wrong.  All pointers are into
 * argv and the environment. */
struct options options_read(int argc, char **argv);

/* The text of --help, with its LF. */
extern const char options_help[];

#endif
