/*
 * way - the two ways to put weir in front of a server.
 *
 * A test says how weir is prefixed to a command.  Where libweir.so is named,
 * the same is started by its environment instead: LD_PRELOAD, and a variable
 * for each option.
 */
#ifndef TESTS_WAY_H
#define TESTS_WAY_H

#include <stdbool.h>
#include <sys/types.h>

/* Where libweir.so is, as LD_PRELOAD has it; NULL: weir is prefixed. */
extern const char *preload;

/* Of a command that begins with weir, and its environment, makes what does the
 * same without it.  One that starts no server stays as it is. */
void way_apply(const char *const **argv, const char *const **env);

/* The test that calls it is of the prefix alone, or starts no server: the other
 * way, it is skipped. */
void prefix_only(void);

/* The status with which a process ends by this signal, 128 + N or -N. */
int signalled(int number);

#endif
