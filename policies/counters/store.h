/*
 * store - bytes that counters are kept in: memory, or a file that several
 * processes share and that outlives them.
 *
 * The file is read and written in place, under an exclusive lock of the whole
 * file (flock(2)), which ends with the process that holds it.  It is never
 * mapped, so that no truncation can kill.  It is this user's alone: mode 0600,
 * no link, in a directory in which nobody else can write.  If it is removed or
 * replaced, or moved away, the next lock opens the one that is there then, or
 * makes one; a lock within STORE_LOOK_EVERY of a look does not look again.
 *
 * For policies/ alone.  What fails leaves its reason, in words, in trouble.
 */
#ifndef POLICIES_STORE_H
#define POLICIES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_LOCK_MOST 250 /* milliseconds that a lock is waited for */
/* Nanoseconds.  A look for each call would cost as much again: a file whose
 * times were asked for gets exact ones at the next write. */
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
	int64_t looked; /* when it was, of a clock that never goes back */
	int64_t look_every;           /* STORE_LOOK_EVERY */
	char first[STORE_FIRST_MOST]; /* what a new file begins with */
	size_t first_len;
	char trouble[STORE_TROUBLE_BYTES]; /* what failed last; or "" */
};

/* An empty store in memory. */
void store_memory(struct store *s);

/* A store in the file at path, which is opened.  If it is not there, it is made
 * with its directories; it begins with the first bytes from the moment that it
 * has its name.  False: trouble. */
bool store_file(struct store *s, const char *path, const void *first,
		size_t len);

/* A store in memory with what the file at path has now, which is neither made
 * nor written; its bytes are NULL where there is none.  False: trouble. */
bool store_copy(struct store *s, const char *path);

/* Where the file is, for people. */
const char *store_path(const struct store *s);

void store_close(struct store *s);

/* Nobody else reads or writes until store_unlock().  *anew: it is another file
 * than at the last lock.  False: trouble, and nothing is locked. */
bool store_lock(struct store *s, bool *anew);
void store_unlock(struct store *s);

/* All len bytes at the offset, or trouble. */
bool store_read(struct store *s, uint64_t at, void *buf, size_t len);
bool store_write(struct store *s, uint64_t at, const void *buf, size_t len);

/* Looks how long the file is now. */
bool store_measure(struct store *s);

/* Makes it len bytes long, the new ones zero.  Only memory allocates. */
bool store_extend(struct store *s, uint64_t len);

/* Notes a trouble of the caller's own: "FILE WHAT". */
void store_fail(struct store *s, const char *what);

#endif
