/* A file of this user's alone.  The contract is in private.h. */
#include "private.h"

#include "../host/host.h"
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SHOWN (COUNTERS_TROUBLE_BYTES - 200)

bool private_fail(struct private_file *f, const char *what)
{
	snprintf(f->trouble, COUNTERS_TROUBLE_BYTES, "%.*s %s", PATH_SHOWN,
		 f->path, what);
	return false;
}

bool private_fail_errno(struct private_file *f, const char *what)
{
	snprintf(f->trouble, COUNTERS_TROUBLE_BYTES, "cannot %s %.*s: %s", what,
		 PATH_SHOWN, f->path, strerror(errno));
	return false;
}

/* The same where another directory helps. */
static bool fail_place(struct private_file *f, const char *what,
		       const char *path)
{
	snprintf(f->trouble, COUNTERS_TROUBLE_BYTES,
		 "cannot %s %.*s (counters for limits): %s; name another "
		 "directory with -s DIR",
		 what, PATH_SHOWN, path, strerror(errno));
	return false;
}

/* Makes every directory on the way to the file that is not there. */
static bool make_directories(struct private_file *f)
{
	char *last = strrchr(f->path, '/'), *slash;
	bool made = true;

	for (slash = f->path + 1; made && (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		made = mkdir(f->path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
	}
	if (made)
		return true;
	*last = '\0';
	fail_place(f, "create", f->path);
	*last = '/';
	return false;
}

/* Whoever can write in the directory can take the file away. */
static bool is_private(struct private_file *f, const struct stat *st,
		       mode_t others)
{
	if (st->st_uid != geteuid())
		return private_fail(f, "belongs to another user: name another "
				       "directory with -s DIR");
	if (st->st_mode & others)
		return private_fail(f, "is open to other users: chmod go-rwx "
				       "it");
	return true;
}

static bool check_directory(struct private_file *f)
{
	char *slash = strrchr(f->path, '/');
	struct stat st;
	bool fine;

	*slash = '\0';
	if (stat(f->path, &st) != 0)
		fine = private_fail_errno(f, "read the directory");
	else
		fine = is_private(f, &st, 022);
	*slash = '/';
	return fine;
}

static bool check_file(struct private_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) != 0)
		return private_fail_errno(f, "read");
	if (!S_ISREG(st.st_mode))
		return private_fail(f, "is not a regular file");
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	return is_private(f, &st, 077);
}

/* So that the name is on the disk as well. */
void private_sync_directory(struct private_file *f)
{
	char *slash = strrchr(f->path, '/');
	int fd;

	*slash = '\0';
	fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* Gives a new file its name, once it is whole: nobody sees half of it. */
static bool name_file(struct private_file *f, int fd, const char *from,
		      int flags, const void *first, size_t len)
{
	return fchmod(fd, 0600) == 0 && write(fd, first, len) == (ssize_t)len &&
	       fsync(fd) == 0 &&
	       (linkat(AT_FDCWD, from, AT_FDCWD, f->path, flags) == 0 ||
		errno == EEXIST);
}

/* One without a name, so that a process that is killed leaves nothing.  Not
 * every file system has these. */
static bool make_nameless(struct private_file *f, const void *first, size_t len)
{
	char *slash = strrchr(f->path, '/'), from[32];
	bool made;
	int fd;

	*slash = '\0';
	fd = host_nameless(f->path, from);
	*slash = '/';
	if (fd < 0)
		return false;
	made = name_file(f, fd, from, AT_SYMLINK_FOLLOW, first, len);
	close(fd);
	return made;
}

static bool make_named(struct private_file *f, const void *first, size_t len)
{
	char name[PATH_MAX];
	int fd, written = snprintf(name, sizeof(name), "%s.XXXXXX", f->path);
	bool made;

	errno = ENAMETOOLONG;
	if (written < 0 || (size_t)written >= sizeof(name) ||
	    (fd = mkostemp(name, O_CLOEXEC)) < 0)
		return fail_place(f, "create", f->path);
	made = name_file(f, fd, name, 0, first, len);
	if (!made)
		fail_place(f, "create", f->path);
	close(fd);
	unlink(name);
	return made;
}

bool private_open(struct private_file *f, const void *first, size_t len)
{
	const int flags = (f->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC |
			  O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

	f->fd = open(f->path, flags);
	if (f->fd < 0 && errno == ENOENT && f->read_only)
		return true;
	if (f->fd < 0 && errno == ENOENT) {
		if (!make_directories(f) || !check_directory(f) ||
		    (!make_nameless(f, first, len) &&
		     !make_named(f, first, len)))
			return false;
		private_sync_directory(f);
		f->fd = open(f->path, flags);
	}
	if (f->fd < 0)
		return fail_place(f, "open", f->path);
	if (check_directory(f) && check_file(f))
		return true;
	private_close(f);
	return false;
}

void private_close(struct private_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* That it still has links would not do: it may have been moved, or a process
 * that was killed while it made it has left another name. */
bool private_is_named(const struct private_file *f, uint64_t *size)
{
	struct stat st;

	if (lstat(f->path, &st) != 0 || st.st_dev != f->dev ||
	    st.st_ino != f->ino)
		return false;
	*size = (uint64_t)st.st_size;
	return true;
}

bool private_is_at(int fd, const char *path)
{
	struct stat named, st;

	return lstat(path, &named) == 0 && fstat(fd, &st) == 0 &&
	       named.st_dev == st.st_dev && named.st_ino == st.st_ino;
}

int private_make(struct private_file *f, char *path)
{
	int fd, len = snprintf(path, PATH_MAX, "%s.new", f->path);

	errno = ENAMETOOLONG;
	fd = len < 0 || len >= PATH_MAX
		     ? -1
		     : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    0600);
	/* Whoever has its lock makes it; one that was killed has left it. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    private_is_at(fd, path) && fchmod(fd, 0600) == 0 &&
	    ftruncate(fd, 0) == 0)
		return fd;
	private_fail_errno(f, "replace");
	if (fd >= 0)
		close(fd);
	return -1;
}

bool private_replace(struct private_file *f, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || rename(path, f->path) != 0)
		return private_fail_errno(f, "replace");
	close(f->fd);
	f->fd = fd;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	return true;
}

bool private_write(struct private_file *f, int fd, const void *bytes,
		   size_t len, uint64_t at)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t put = pwrite(fd, p, len, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return private_fail_errno(f, "write");
		p += put;
		at += (size_t)put;
		len -= (size_t)put;
	}
	return true;
}
