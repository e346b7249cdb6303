/* program - the file that a command is. */
#ifndef SHIM_PROGRAM_H
#define SHIM_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* Is it a file that may be run? */
bool program_runs(const char *path);

/* The program that execvp() would run.  False: there is none. */
bool program_find(const char *command, char path[PATH_MAX]);

#endif
