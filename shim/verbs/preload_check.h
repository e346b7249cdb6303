/*
 * preload_check - the verb check --preload: would a command load libweir.so?
 *
 * LD_PRELOAD is read by the dynamic loader that the kernel starts with a
 * program, if it has one (ld.so(8)); for a script it is that of the program
 * behind "#!".  Only what the command starts first is looked at: behind that,
 * all is behind the same relay.
 */
#ifndef SHIM_LOADS_H
#define SHIM_LOADS_H

#include <limits.h>
#include <stdbool.h>

#define PRELOAD_YES     0
#define PRELOAD_NO      1 /* nothing would be enforced, and nothing said */
#define PRELOAD_UNKNOWN 2

/* Says on stdout what becomes of command, found in PATH, and why.  Returns the
 * status to exit with. */
int preload_check_run(const char *command);

/* The program that execvp() would run.  False: there is none. */
bool preload_check_find(const char *command, char path[PATH_MAX]);

#endif
