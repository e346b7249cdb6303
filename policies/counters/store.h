/*
 * store - keeps the bytes of counters: in memory, or in a file that processes
 * share and that outlives them.
 *
 * The file is read and written in place, under an exclusive lock of the whole
 * file (flock(2)), which ends with the process that holds it.  It is never
 * mapped: truncating a mapped file would kill.  It is this user's alone: mode
 * 0600, no link, in a directory that nobody else can write.  If it is removed,
 * replaced or moved, the next lock opens or creates the one at its path; but
 * locks look for that only every STORE_LOOK_EVERY.
 *
 * For policies/ alone.  A failure leaves its reason, in words, in trouble.
 */
#ifndef POLICIES_STORE_H
#define POLICIES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_LOCK_MOST 250 /* milliseconds to wait for a lock */
/* Nanoseconds.  A look for each call would double its cost: after stat(2), the
 * next write stores exact times. */
#define STORE_LOOK_EVERY    1000000
#define STORE_FIRST_MOST    128 /* bytes that a new file begins with */
#define STORE_TROUBLE_BYTES 600

struct store {
	char *path;     /* of the file, owned; NULL: in memory */
	char *copy_of;  /* in memory, of this file: its path, owned; or NULL */
	int fd;         /* -1 while it cannot be opened */
	dev_t dev;      /* which file fd is */
	ino_t ino;      /* the same */
	char *bytes;    /* of the memory */
	uint64_t len;   /* of either; of a file, when it was looked at last */
	int64_t looked; /* when it was, by a monotonic clock */
	int64_t look_every;           /* STORE_LOOK_EVERY */
	char first[STORE_FIRST_MOST]; /* what a new file begins with */
	size_t first_len;
	char trouble[STORE_TROUBLE_BYTES]; /* what failed last; or "" */
};

/* An empty store in memory. */
void store_memory(struct store *s);

/* Opens a store in the file at path.  If it is not there, it is created with
 * its directories, and has the first bytes before it has its name.  False:
 * trouble. */
bool store_file(struct store *s, const char *path, const void *first,
		size_t len);

/* A store in memory with what the file at path has now; the file is neither
 * created nor written.  If there is none, bytes is NULL.  False: trouble. */
bool store_copy(struct store *s, const char *path);

/* Where the file is, for people. */
const char *store_path(const struct store *s);

void store_close(struct store *s);

/* Nobody else reads or writes until store_unlock().  *anew: the file is not
 * that of the last lock.  False: trouble, and nothing is locked. */
bool store_lock(struct store *s, bool *anew);
void store_unlock(struct store *s);

/* All len bytes at the offset, or trouble. */
bool store_read(struct store *s, uint64_t at, void *buf, size_t len);
bool store_write(struct store *s, uint64_t at, const void *buf, size_t len);

/* Reads the length of the file anew. */
bool store_measure(struct store *s);

/* Makes it len bytes long, the new ones zero.  Only memory allocates. */
bool store_extend(struct store *s, uint64_t len);

/* Stores the caller's trouble: "FILE WHAT". */
void store_fail(struct store *s, const char *what);

#endif
