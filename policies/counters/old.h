/*
 * old - reads the counters' files of weir 0.1.0 before the journal, once.
 *
 * They were a header, a journal of the write under way, and meters in place.
 * The ids of what they counted are counter.old, for who has them.
 */
#ifndef POLICIES_OLD_H
#define POLICIES_OLD_H

#include "journal.h"

#define OLD_BYTES ((off_t)1 << 30)

/* Does a file of the old form begin so? */
bool old_is(const char first[8]);

/* Completes the write under way, and tells the time.  False: damaged. */
bool old_begin(char *bytes, size_t len, struct tie *tie);

/* Each meter's pieces.  False: damaged, or take returned that. */
bool old_each(char *bytes, size_t len, windows_take *take, void *context);

#endif
