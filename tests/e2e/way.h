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

/* weir, or where PRELOAD is set libweir.so, with other system calls (fault.c):
 * it may stand where weir does.  NULL: it was not built. */
extern const char *faulty_weir;

/* Of a command that begins with weir, and its environment, makes what does the
 * same without it.  One that starts no server stays as it is; and so does an
 * LD_PRELOAD that the environment has. */
void way_apply(const char *const **argv, const char *const **env);

/* The same as words for a program that starts it. */
const char *const *way_words(const char *const *argv);

/* The test that calls it is of the prefix alone, and why; the other way, it is
 * skipped. */
void prefix_only(const char *why);

/* The status with which a process ends by this signal, 128 + N or -N. */
int signalled(int number);

#endif
