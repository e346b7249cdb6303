/* A file rewritten.  The contract is in replace.h. */
#include "replace.h"

#include "../fd.h"
#include "../report.h"
#include "../system.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading --------------------------------------------------------- */

/* Reads all of a file whose size is known; *text is NUL-ended. */
static bool read_all(int fd, size_t len, char **text)
{
	size_t at = 0;
	ssize_t got = 1;

	*text = malloc(len + 1);
	if (!*text)
		return false;
	/* A byte more: it may have grown. */
	while (at <= len && got > 0) {
		RETRY(got = read(fd, *text + at, len + 1 - at));
		at += got > 0 ? (size_t)got : 0;
	}
	errno = got < 0 ? errno : EBUSY;
	if (got < 0 || at != len)
		return false;
	(*text)[len] = '\0';
	return true;
}

bool replace_read(struct replace *r, const char *file)
{
	struct stat link;
	int fd = -1;
	bool opened, whole = false;

	r->text = NULL;
	if (lstat(file, &link) != 0 || !realpath(file, r->path)) {
		report_all("%s: %s", file, strerror(errno));
		return false;
	}
	fd = open(r->path,
		  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	opened = fd >= 0 && fstat(fd, &r->st) == 0;
	if (opened && !S_ISREG(r->st.st_mode))
		report_all("%s: not a regular file", file);
	else if (opened &&
		 (r->st.st_uid != geteuid() || link.st_uid != r->st.st_uid))
		report_all("%s: belongs to another user; run weir as that user",
			   file);
	else if (opened && (size_t)r->st.st_size > REPLACE_BYTES)
		report_all("%s: larger than %zu MiB", file,
			   REPLACE_BYTES >> 20);
	else if (!opened || !read_all(fd, (size_t)r->st.st_size, &r->text))
		report_all("%s: %s", file, strerror(errno));
	else
		whole = true;
	r->len = whole ? (size_t)r->st.st_size : 0;
	if (fd >= 0)
		close(fd);
	return whole;
}

void replace_free(struct replace *r)
{
	free(r->text);
	r->text = NULL;
}

/* ---- writing --------------------------------------------------------- */

static bool write_all(int fd, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t put;

		RETRY(put = write(fd, text + at, len - at));
		if (put < 0)
			return false;
		at += (size_t)put;
	}
	return fsync(fd) == 0;
}

/* The mode, the group and the rest of the file that is read. */
static bool copy_rights(const struct replace *r, int to)
{
	int from = open(r->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
					 O_CLOEXEC);
	struct stat st;
	bool done = from >= 0 && fstat(to, &st) == 0 &&
		    (st.st_gid == r->st.st_gid ||
		     fchown(to, (uid_t)-1, r->st.st_gid) == 0) &&
		    system_copy_attributes(from, to) &&
		    fchmod(to, r->st.st_mode & 07777) == 0;

	if (from >= 0)
		close(from);
	return done;
}

/* Is the file what was read? */
static bool is_unchanged(const struct replace *r)
{
	struct replace now;
	bool same = replace_read(&now, r->path) &&
		    now.st.st_dev == r->st.st_dev &&
		    now.st.st_ino == r->st.st_ino &&
		    now.st.st_mode == r->st.st_mode && now.len == r->len &&
		    memcmp(now.text, r->text, r->len) == 0;

	replace_free(&now);
	return same;
}

/* Makes a new file beside it, and writes the text.  Returns its descriptor, or
 * -1. */
static int write_beside(const struct replace *r, char beside[PATH_MAX],
			const char *text, size_t len)
{
	int fd, error;

	errno = ENAMETOOLONG;
	if (snprintf(beside, PATH_MAX, "%s.weir.XXXXXX", r->path) >= PATH_MAX)
		return -1;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd >= 0 && !write_all(fd, text, len)) {
		error = errno;
		unlink(beside);
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* The copy gets its name once it is whole. */
static bool make_backup(const struct replace *r, bool *made)
{
	char beside[PATH_MAX], name[PATH_MAX];
	int fd, error;

	snprintf(name, sizeof(name), "%s", r->path);
	errno = ENAMETOOLONG;
	if (strlen(name) + sizeof(REPLACE_BACKUP) > sizeof(name))
		return false;
	strcat(name, REPLACE_BACKUP);
	if (access(name, F_OK) == 0)
		return true;
	fd = write_beside(r, beside, r->text, r->len);
	if (fd < 0)
		return false;
	*made = link(beside, name) == 0;
	error = *made ? EEXIST : errno;
	unlink(beside);
	close(fd);
	errno = error;
	return error == EEXIST;
}

/* The directory, so that the name lasts, too; not every system can. */
static void sync_directory(const char *path)
{
	char dir[PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	*(strrchr(dir, '/') + 1) = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static bool write_anew(const struct replace *r, const char *text, size_t len)
{
	char beside[PATH_MAX];
	int fd = write_beside(r, beside, text, len);
	bool done = false;

	if (fd < 0) {
		report_all("%s: cannot write beside it: %s", r->path,
			   strerror(errno));
		return false;
	}
	if (!copy_rights(r, fd) || fsync(fd) != 0)
		report_all(
			"%s: cannot keep its mode, group and access list: %s",
			r->path, strerror(errno));
	else if (!is_unchanged(r))
		report_all(
			"%s has changed meanwhile: close the programs that write it, and try again",
			r->path);
	else if (rename(beside, r->path) != 0)
		report_all("%s: cannot replace it: %s", r->path,
			   strerror(errno));
	else
		done = true;
	if (!done)
		unlink(beside);
	close(fd);
	return done;
}

bool replace_write(const struct replace *r, const char *text, size_t len,
		   bool backup, bool *made)
{
	sigset_t all, before;
	bool done = false;

	*made = false;
	/* A signal would leave the temporary file behind; and a file that may
	 * not grow is reported. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	if (backup && !make_backup(r, made))
		report_all("%s: cannot make the copy %s%s: %s", r->path,
			   r->path, REPLACE_BACKUP, strerror(errno));
	else
		done = write_anew(r, text, len);
	if (done || *made)
		sync_directory(r->path);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return done;
}

bool replace_create(const char *file, const char *text, size_t len)
{
	struct replace r = {.text = NULL};
	char beside[PATH_MAX];
	sigset_t all, before;
	int fd = -1;
	bool done = false;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	errno = ENAMETOOLONG;
	if (snprintf(r.path, sizeof(r.path), "%s%s",
		     strchr(file, '/') ? "" : "./", file) < (int)sizeof(r.path))
		fd = write_beside(&r, beside, text, len);
	if (fd >= 0) {
		const mode_t mask = umask(0);

		umask(mask);
		done = fchmod(fd, 0644 & ~mask) == 0 && fsync(fd) == 0 &&
		       link(beside, r.path) == 0;
		if (!done)
			report_all("%s: cannot create it: %s", file,
				   strerror(errno));
		unlink(beside);
		close(fd);
		sync_directory(r.path);
	} else {
		report_all("%s: cannot create it: %s", file, strerror(errno));
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return done;
}

bool replace_put(const char *file, const char *text, size_t len,
		 const char *mark, size_t within, const char *what)
{
	struct replace old;
	struct stat st;
	bool done, made;

	if (lstat(file, &st) != 0 && errno == ENOENT)
		return replace_create(file, text, len);
	done = replace_read(&old, file);
	if (done && mark && old.len > 0 &&
	    !memmem(old.text, old.len < within ? old.len : within, mark,
		    strlen(mark))) {
		report_all("%s is no %s, and is not replaced", show(file).text,
			   what);
		done = false;
	}
	done = done && replace_write(&old, text, len, false, &made);
	replace_free(&old);
	return done;
}

/* ---- files ----------------------------------------------------------- */

char *replace_input(const char *file, size_t *len)
{
	FILE *f = fopen(file, "re");
	char *text = f ? malloc(REPLACE_INPUT + 2) : NULL;
	bool whole = false;

	*len = text ? fread(text, 1, REPLACE_INPUT + 1, f) : 0;
	if (!text || ferror(f))
		report("%s: %s", file, strerror(errno));
	else if (*len > REPLACE_INPUT)
		report("%s: at most %zu MiB are read", file,
		       REPLACE_INPUT >> 20);
	else
		whole = true;
	if (f)
		fclose(f);
	if (whole)
		text[*len] = '\0';
	else
		free(text);
	return whole ? text : NULL;
}

bool replace_same(const char *a, const char *b)
{
	struct stat s, t;

	return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev &&
	       s.st_ino == t.st_ino;
}

bool replace_in_git(const char *path, char dir[PATH_MAX])
{
	char git[PATH_MAX + 8], *slash;

	snprintf(dir, PATH_MAX, "%s", path);
	while ((slash = strrchr(dir, '/'))) {
		*slash = '\0';
		snprintf(git, sizeof(git), "%s/.git", dir);
		if (access(git, F_OK) == 0)
			return true;
	}
	return false;
}
