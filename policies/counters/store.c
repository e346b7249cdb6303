/* Memory or a file.  The contract is in store.h. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MICROSECOND 1000L /* in nanoseconds */
#define MILLISECOND 1000000L
#define TRIES       8 /* to lock a file that is replaced meanwhile */

const char *store_path(const struct store *s)
{
	return s->path ? s->path : s->copy_of ? s->copy_of : "memory";
}

void store_fail(struct store *s, const char *what)
{
	snprintf(s->trouble, sizeof(s->trouble), "%.*s %s",
		 STORE_TROUBLE_BYTES - 200, store_path(s), what);
}

/* "cannot WHAT FILE: why" */
static bool fail_errno(struct store *s, const char *what, const char *path)
{
	snprintf(s->trouble, sizeof(s->trouble), "cannot %s %.*s: %s", what,
		 STORE_TROUBLE_BYTES - 200, path, strerror(errno));
	return false;
}

/* The same where another directory helps. */
static bool fail_place(struct store *s, const char *what, const char *path)
{
	snprintf(s->trouble, sizeof(s->trouble),
		 "cannot %s %.*s (counters for limits): %s; name another "
		 "directory with -s DIR",
		 what, STORE_TROUBLE_BYTES - 200, path, strerror(errno));
	return false;
}

void store_memory(struct store *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

/* ---- the file -------------------------------------------------------- */

/* Makes every directory on the way to the file that is not there. */
static bool make_directories(struct store *s)
{
	char *last = strrchr(s->path, '/'), *slash;
	bool made = true;

	for (slash = s->path + 1; made && (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		made = mkdir(s->path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
	}
	if (made)
		return true;
	*last = '\0';
	fail_place(s, "create", s->path);
	*last = '/';
	return false;
}

/* Whoever can write in the directory can take the file away. */
static bool is_private(struct store *s, const char *path, const struct stat *st,
		       mode_t others)
{
	if (st->st_uid != geteuid()) {
		snprintf(s->trouble, sizeof(s->trouble),
			 "%.*s belongs to another user: name another directory "
			 "with -s DIR",
			 STORE_TROUBLE_BYTES - 200, path);
		return false;
	}
	if (st->st_mode & others) {
		snprintf(s->trouble, sizeof(s->trouble),
			 "%.*s is open to other users: chmod go-rwx it",
			 STORE_TROUBLE_BYTES - 200, path);
		return false;
	}
	return true;
}

static bool check_directory(struct store *s)
{
	char *slash = strrchr(s->path, '/');
	struct stat st;
	bool fine;

	*slash = '\0';
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): a copy keeps the path */
	if (stat(s->path, &st) != 0)
		fine = fail_errno(s, "read the directory", s->path);
	else
		fine = is_private(s, s->path, &st, 022);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	*slash = '/';
	return fine;
}

static bool check_file(struct store *s)
{
	struct stat st;

	if (fstat(s->fd, &st) != 0)
		return fail_errno(s, "read", s->path);
	if (!S_ISREG(st.st_mode)) {
		store_fail(s, "is not a regular file");
		return false;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->looked = 0;
	return is_private(s, s->path, &st, 077);
}

/* Gives a new file its name, once it is whole: nobody sees half of it. */
static bool name_file(struct store *s, int fd, const char *from, int flags)
{
	return fchmod(fd, 0600) == 0 &&
	       write(fd, s->first, s->first_len) == (ssize_t)s->first_len &&
	       (linkat(AT_FDCWD, from, AT_FDCWD, s->path, flags) == 0 ||
		errno == EEXIST);
}

/* One without a name, so that a process that is killed leaves nothing.  Not
 * every file system has these. */
static bool make_nameless(struct store *s)
{
	char *slash = strrchr(s->path, '/'), from[32];
	bool made;
	int fd;

	*slash = '\0';
	fd = open(s->path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	*slash = '/';
	if (fd < 0)
		return false;
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	made = name_file(s, fd, from, AT_SYMLINK_FOLLOW);
	close(fd);
	return made;
}

static bool make_named(struct store *s)
{
	char name[PATH_MAX];
	int fd, len = snprintf(name, sizeof(name), "%s.XXXXXX", s->path);
	bool made;

	errno = ENAMETOOLONG;
	if (len < 0 || (size_t)len >= sizeof(name) ||
	    (fd = mkostemp(name, O_CLOEXEC)) < 0)
		return fail_place(s, "create", s->path);
	made = name_file(s, fd, name, 0);
	if (!made)
		fail_place(s, "create", s->path);
	close(fd);
	unlink(name);
	return made;
}

static bool open_file(struct store *s)
{
	const int flags =
		O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

	s->fd = open(s->path, flags);
	if (s->fd < 0 && errno == ENOENT) {
		if (!make_directories(s) || !check_directory(s) ||
		    (!make_nameless(s) && !make_named(s)))
			return false;
		s->fd = open(s->path, flags);
	}
	if (s->fd < 0)
		return fail_place(s, "open", s->path);
	if (check_directory(s) && check_file(s))
		return true;
	close(s->fd);
	s->fd = -1;
	return false;
}

bool store_file(struct store *s, const char *path, const void *first,
		size_t len)
{
	store_memory(s);
	memcpy(s->first, first, len);
	s->first_len = len;
	s->look_every = STORE_LOOK_EVERY;
	s->path = strdup(path);
	if (s->path)
		return open_file(s);
	snprintf(s->trouble, sizeof(s->trouble), "out of memory");
	return false;
}

void store_close(struct store *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s->copy_of);
	free(s->bytes);
	store_memory(s);
}

/* A process that is stopped while it has the lock must not stop this one. */
static bool take_lock(struct store *s)
{
	struct timespec pause = {.tv_nsec = 20 * MICROSECOND};
	long waited = 0;

	while (flock(s->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return fail_errno(s, "lock", s->path);
		if (waited > STORE_LOCK_MOST * MILLISECOND) {
			store_fail(s, "is locked by another process");
			return false;
		}
		nanosleep(&pause, NULL);
		waited += pause.tv_nsec;
		if (pause.tv_nsec < 500 * MICROSECOND)
			pause.tv_nsec *= 2;
	}
	return true;
}

/* Reads all of the open file into the memory of to, while nobody writes. */
static bool copy_file(struct store *s, struct store *to)
{
	if (!check_directory(s) || !check_file(s) || !take_lock(s) ||
	    !store_measure(s))
		return false;
	to->len = s->len;
	to->bytes = malloc((size_t)s->len + 1);
	if (!to->bytes)
		store_fail(s, "does not fit into memory");
	return to->bytes && store_read(s, 0, to->bytes, (size_t)s->len);
}

bool store_copy(struct store *s, const char *path)
{
	struct store file;
	bool copied = false;

	store_memory(s);
	store_memory(&file);
	file.path = strdup(path);
	if (file.path)
		file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
					     O_NOCTTY | O_NONBLOCK);
	if (!file.path)
		snprintf(file.trouble, sizeof(file.trouble), "out of memory");
	else if (file.fd < 0 && errno == ENOENT)
		copied = true;
	else if (file.fd < 0)
		fail_place(&file, "open", path);
	else
		copied = copy_file(&file, s);
	memcpy(s->trouble, file.trouble, sizeof(s->trouble));
	s->copy_of = file.path;
	file.path = NULL;
	store_close(&file);
	return copied;
}

static int64_t steady(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Is it the file that has the name now?  That it still has links would not do:
 * it may have been moved, or a process that was killed while it made it has
 * left another name. */
static bool is_named(struct store *s)
{
	int64_t now = steady();
	struct stat st;

	if (s->looked > 0 && now - s->looked < s->look_every)
		return true;
	if (lstat(s->path, &st) != 0 || st.st_dev != s->dev ||
	    st.st_ino != s->ino)
		return false;
	s->len = (uint64_t)st.st_size;
	s->looked = now;
	return true;
}

/* Locks the file that has the name now. */
static bool lock_file(struct store *s, bool *anew)
{
	for (int i = 0; i < TRIES; i++) {
		if (s->fd < 0) {
			if (!open_file(s))
				return false;
			*anew = true;
		}
		if (!take_lock(s))
			return false;
		if (is_named(s))
			return true;
		close(s->fd);
		s->fd = -1;
	}
	store_fail(s, "keeps being replaced");
	return false;
}

bool store_lock(struct store *s, bool *anew)
{
	*anew = false;
	s->trouble[0] = '\0';
	return !s->path || lock_file(s, anew);
}

void store_unlock(struct store *s)
{
	if (s->path && s->fd >= 0)
		flock(s->fd, LOCK_UN);
}

/* ---- bytes ----------------------------------------------------------- */

static bool fail_short(struct store *s)
{
	store_fail(
		s,
		"is truncated: remove it to start over with nothing counted");
	return false;
}

static bool read_file(struct store *s, uint64_t at, char *buf, size_t len)
{
	while (len > 0) {
		ssize_t got = pread(s->fd, buf, len, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_errno(s, "read", s->path);
		if (got == 0)
			return fail_short(s);
		buf += got;
		at += (size_t)got;
		len -= (size_t)got;
	}
	return true;
}

bool store_read(struct store *s, uint64_t at, void *buf, size_t len)
{
	if (s->path)
		return read_file(s, at, buf, len);
	/* A copy may be of half a file. */
	if (at > s->len || len > s->len - at)
		return fail_short(s);
	memcpy(buf, s->bytes + at, len);
	return true;
}

static bool write_file(struct store *s, uint64_t at, const char *buf,
		       size_t len)
{
	while (len > 0) {
		ssize_t put = pwrite(s->fd, buf, len, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return fail_errno(s, "write", s->path);
		buf += put;
		at += (size_t)put;
		len -= (size_t)put;
	}
	return true;
}

bool store_write(struct store *s, uint64_t at, const void *buf, size_t len)
{
	if (s->path)
		return write_file(s, at, buf, len);
	memcpy(s->bytes + at, buf, len);
	return true;
}

bool store_measure(struct store *s)
{
	struct stat st;

	if (!s->path)
		return true;
	if (fstat(s->fd, &st) != 0)
		return fail_errno(s, "read", s->path);
	s->len = (uint64_t)st.st_size;
	return true;
}

bool store_extend(struct store *s, uint64_t len)
{
	char *more;

	if (len <= s->len)
		return true;
	if (s->path) {
		if (ftruncate(s->fd, (off_t)len) != 0)
			return fail_errno(s, "write", s->path);
		s->len = len;
		return true;
	}
	/* Not realloc() and memset(): most of it is never touched. */
	more = len < SIZE_MAX ? calloc(1, (size_t)len) : NULL;
	if (!more) {
		store_fail(s, "is exhausted");
		return false;
	}
	if (s->bytes)
		memcpy(more, s->bytes, (size_t)s->len);
	free(s->bytes);
	s->bytes = more;
	s->len = len;
	return true;
}
