/*
 * host - what the policies ask of the system, and POSIX has not.
 *
 * As shim/system.h: host_linux.c stands behind it, or host_posix.c.
 */
#ifndef POLICIES_HOST_H
#define POLICIES_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of a clock that is never set, and goes on while the machine
 * sleeps, where there is such a clock.  Times are of this clock. */
int64_t host_now(void);
#define MILLISECOND INT64_C(1000000)
#define SECOND      INT64_C(1000000000)

/* False: there are no random bytes. */
bool host_random(void *to, size_t len);

/* A new file in a directory, without a name, for this user alone, to write to;
 * link_from names it for linkat() with AT_SYMLINK_FOLLOW.  -1: not here. */
int host_nameless(const char *dir, char link_from[32]);

/* The disk begins with what was written to the file; nobody waits for it. */
void host_begin_sync(int fd);

/* Forgets a secret. */
void host_wipe(void *at, size_t len);

/* Is it a pipe that nobody could have opened by a name? */
bool host_is_pipe(int fd);

#endif
