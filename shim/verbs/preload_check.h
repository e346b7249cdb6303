/*
 * preload_check - weir check --preload: would a command load libweir.so?
 *
 * The dynamic loader that the kernel starts with a program reads LD_PRELOAD, if
 * the program has one (ld.so(8)); for a script that is the loader of the
 * interpreter behind "#!".  Only the first program counts: whatever it starts
 * is behind the same relay.
 *
 * Like system.h it has two files: preload_check_linux.c, and for all others,
 * which have no libweir.so, preload_check_posix.c.
 */
#ifndef SHIM_PRELOAD_CHECK_H
#define SHIM_PRELOAD_CHECK_H

#include <limits.h>
#include <stdbool.h>

#define PRELOAD_YES     0
#define PRELOAD_NO      1 /* nothing would be enforced, silently */
#define PRELOAD_UNKNOWN 2

/* Prints whether the command, looked up in PATH, loads it, and why.  Returns
 * the status to exit with. */
int preload_check_run(const char *command);

#endif
