/*
 * private - a file that is this user's alone, at a path that others may take it
 * from.
 *
 * Mode 0600, no link, in a directory that nobody else can write.  It is never
 * mapped: truncating a mapped file would kill.  Locks are flock(2)'s, which end
 * with the process that holds them.
 */
#ifndef POLICIES_PRIVATE_H
#define POLICIES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct private_file {
	char *path; /* owned */
	int fd;     /* -1 while it is not open */
	dev_t dev;  /* which file fd is */
	ino_t ino;
	bool read_only; /* set by the caller: nothing is made or written */
	char *trouble;  /* the caller's COUNTERS_TROUBLE_BYTES: why something
			   failed, in words */
};

/* Opens it.  If it is not there, it is made with its directories, and has the
 * first bytes, on the disk, before it has its name; but if it is read_only,
 * nothing is made, and fd stays -1.  False: trouble. */
bool private_open(struct private_file *f, const void *first, size_t len);
void private_close(struct private_file *f);

/* Is what has the path now this file?  Then *size is its length. */
bool private_is_named(const struct private_file *f, uint64_t *size);

/* A new file that is to take the place of this one, empty, and locked: nobody
 * else makes one.  Its descriptor, and its path of at most PATH_MAX bytes; or
 * -1 and trouble. */
int private_make(struct private_file *f, char *path);

/* Is fd the file at that path? */
bool private_is_at(int fd, const char *path);

/* Gives it the name of the other, whose place it takes in *f as well.  False:
 * trouble, and all is as it was. */
bool private_replace(struct private_file *f, int fd, const char *path);

/* So that a name is on the disk as well. */
void private_sync_directory(struct private_file *f);

/* All len bytes, or trouble. */
bool private_write(struct private_file *f, int fd, const void *bytes,
		   size_t len, uint64_t at);

/* "FILE WHAT", and "cannot WHAT FILE: why". */
bool private_fail(struct private_file *f, const char *what);
bool private_fail_errno(struct private_file *f, const char *what);

#endif
