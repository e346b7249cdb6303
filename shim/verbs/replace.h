/*
 * replace - a person's file, read whole and rewritten in one step.
 *
 * Whoever dies at any moment leaves the old file or the new one: the new text
 * goes into a temporary file beside it, with the same mode, group and access
 * list, is synced, and takes its name.  A symbolic link is followed once, when
 * the file is read; the link itself stays.
 */
#ifndef SHIM_REPLACE_H
#define SHIM_REPLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define REPLACE_BYTES  ((size_t)16 << 20) /* of the largest file */
#define REPLACE_BACKUP ".weir-backup"

struct replace {
	char path[PATH_MAX]; /* of the regular file */
	char *text;          /* all of it, and a NUL; owned */
	size_t len;
	struct stat st; /* when it was read */
};

/* Reads the file, unless it is no regular file, or it or the link to it is
 * another user's, or it is too large.  False: reported; free it all the same.
 */
bool replace_read(struct replace *r, const char *file);

/*
 * Writes the text in place of the file, unless that has changed since it was
 * read.  Before, a copy of the file as it was read is made under its name and
 * REPLACE_BACKUP, mode 0600, unless there is something of that name; *made
 * tells.  backup false: not that.  False: reported, and the file is unchanged.
 */
bool replace_write(const struct replace *r, const char *text, size_t len,
		   bool backup, bool *made);

/* Writes the text to a new file, mode 0644 as the umask allows, all of it or
 * none.  False: reported; so is a name that is there already. */
bool replace_create(const char *file, const char *text, size_t len);

void replace_free(struct replace *r);

/*
 * Puts the text into the file in one step: a new one; or in place of one that
 * is empty, or has the mark in its first so many bytes, as each such file has;
 * mark NULL: of any.  False: reported.
 */
bool replace_put(const char *file, const char *text, size_t len,
		 const char *mark, size_t within, const char *what);

/* All of a file or a pipe, at most REPLACE_INPUT bytes, with a NUL behind it;
 * the caller frees it.  NULL: reported. */
#define REPLACE_INPUT ((size_t)64 << 20)
char *replace_input(const char *file, size_t *len);

/* Are these paths of the same file? */
bool replace_same(const char *a, const char *b);

/* The directory above this path that has a .git; false: none. */
bool replace_in_git(const char *path, char dir[PATH_MAX]);

#endif
