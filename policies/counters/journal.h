/*
 * journal - the counters of a grant in a file that all its processes append to.
 *
 * A call is one record, whatever the number of its limits, and one write under
 * an exclusive lock; it is counted once its record is whole.  What the records
 * add up to lies in each process's memory, and is brought up to date from the
 * tail.  So a call takes four system calls: lock, read, write, unlock.
 *
 *   - Killed anywhere: half a record at the end is cut off by the next.
 *   - Power cut: the file is on the disk when it gets its name; what was
 *     written since may be gone.  A file that is empty, or all zeros, is new.
 *   - Grown to twice what it holds: what the windows still need is written to
 *     another file.  Once that is on the disk, which nobody else waits for, it
 *     gets what was added since, and the name.  A process does so when it
 *     starts, and calls only if the file has grown by far more.  The last
 *     record of the file before says so; if it still has the name, that process
 *     was killed, and the record is cut off.
 *   - Policies of one grant may differ.  Each writes down which windows and how
 *     many calls its counters need, and what any of them needs is kept, for
 *     JOURNAL_KEPT after a policy was read last.
 *   - Removed or replaced by a person: noticed within JOURNAL_LOOK.
 *
 * Time.  The file's own time goes on with the machine's clock since boot, which
 * all processes share and nobody sets.  Across a boot it goes on with the wall
 * clock, and it is never earlier than what was counted last: so a clock that
 * was set gives at most one more window's worth, and keeps nothing waiting for
 * longer than one window.
 */
#ifndef POLICIES_JOURNAL_H
#define POLICIES_JOURNAL_H

#include "../policy.h"
#include "private.h"
#include "windows.h"

#define JOURNAL_LOOK MILLISECOND
#define JOURNAL_KEPT (INT64_C(30) * 86400 * SECOND)
/* It is rewritten when it has more than twice what it had then, and this: at
 * a start; and by a call. */
#define JOURNAL_MORE   1048576
#define JOURNAL_BUSY   16777216
#define JOURNAL_SETTLE SECOND

/* Where the file's time and the machine's clocks were one. */
struct tie {
	int64_t time, steady, wall;
	uint64_t boot;
};

/* A counter of other policies, and how long its calls are needed. */
struct foreign {
	uint64_t id;
	int64_t window; /* 0: none is here */
};
#define JOURNAL_FOREIGN 4096

struct journal {
	struct backend b;
	struct private_file file;
	struct policy_clock clock;
	struct windows *windows; /* of the counters that are bound */
	const struct counter *const *counters;
	size_t n;
	uint64_t set;    /* a hash of what they need */
	int64_t defined; /* when the file was told; -1: it was not */
	uint64_t base;   /* what a file had when it was made or replaced */
	uint64_t end;    /* of what the windows hold of it; 0: of nothing */
	uint64_t word, first; /* the last before the end; of the header */
	uint64_t seen;        /* the length of the file, when it was read */
	bool moved;           /* the last record says that it was replaced */
	struct tie tie;
	bool tied;                  /* the tie is in the file */
	int64_t last;               /* when something was counted last */
	int64_t now;                /* of the file */
	int64_t looked, look_every; /* whether it still has the name */
	uint64_t busy;              /* JOURNAL_BUSY */
	uint64_t compact_at;        /* the length at which a call rewrites it */
	struct {
		int fd; /* of the file that is to take its place, or -1 */
		uint64_t from, from_word;   /* what it lacks of this one */
		uint64_t size, word, first; /* of what it has */
		int64_t begun;
		bool synced;
	} next;
	int64_t settle; /* until it is on the disk, most likely */
	bool renamed;   /* and the directory is to be synced */
	struct foreign *foreign;
	size_t foreign_count;
	uint64_t *in, *out; /* what is read, and is to be written at out_at */
	size_t out_words;
	uint64_t out_at;
	int out_fd;
	uint64_t written; /* the last word of it */
	/* The question under way. */
	struct question *q;
	size_t asked;
	bool count;
	int64_t due, pause;
};

#endif
