/*
 * A person's file, when the process is killed at any system call, or when any
 * one of them fails: the old text or the new, and never a part.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../shim/verbs/replace.h"

/* The linker puts these before the library's own (--wrap). */
static long left = -1; /* calls until one fails; below 0: none does */
static bool halves;    /* no more than half is read or written */

static bool fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	errno = ENOSPC;
	return true;
}

#define WRAP(type, name, parameters, ...)                                      \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		return fails() ? -1 : __real_##name(__VA_ARGS__);              \
	}
#define HALF(len) (halves && (len) > 1 ? (len) / 2 : (len))

WRAP(ssize_t, read, (int fd, void *buf, size_t len), fd, buf, HALF(len))
WRAP(ssize_t, write, (int fd, const void *buf, size_t len), fd, buf, HALF(len))
WRAP(int, fsync, (int fd), fd)
WRAP(int, rename, (const char *from, const char *to), from, to)
WRAP(int, link, (const char *from, const char *to), from, to)
WRAP(int, mkostemp, (char *name, int flags), name, flags)
WRAP(int, fchmod, (int fd, mode_t mode), fd, mode)
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), fd, uid, gid)
WRAP(int, fsetxattr,
     (int fd, const char *name, const void *value, size_t size, int flags), fd,
     name, value, size, flags)

/* ---- a directory with a file ----------------------------------------- */

#define OLD "{\"old\": \"text\"}\n"
#define NEW "{\"new\": \"text, which is longer than the old one\"}\n"

static char dir[64], path[128], backup[160];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/weir-replace-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/config.json", dir);
	snprintf(backup, sizeof(backup), "%s" REPLACE_BACKUP, path);
	return 0;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	left = -1;
	halves = false;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void put_file(const char *at, const char *text, mode_t mode)
{
	FILE *f;

	unlink(at);
	f = fopen(at, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(at, mode);
}

static bool has(const char *at, const char *text)
{
	char got[256];
	FILE *f = fopen(at, "r");
	size_t len = f ? fread(got, 1, sizeof(got), f) : 0;

	if (f)
		fclose(f);
	return f && len == strlen(text) && memcmp(got, text, len) == 0;
}

static mode_t mode_of(const char *at)
{
	struct stat st;

	return stat(at, &st) == 0 ? st.st_mode & 07777 : 0;
}

static size_t leftovers(void)
{
	char pattern[160];
	glob_t g;
	size_t count = 0;

	snprintf(pattern, sizeof(pattern), "%s.weir.??????", path);
	if (glob(pattern, 0, NULL, &g) == 0)
		count = g.gl_pathc;
	globfree(&g);
	return count;
}

static bool replace(const char *at)
{
	struct replace r;
	bool made, done = replace_read(&r, at) &&
			  replace_write(&r, NEW, strlen(NEW), true, &made);

	replace_free(&r);
	return done;
}

static bool create(const char *at)
{
	return replace_create(at, NEW, strlen(NEW));
}

/* ---- what can go wrong ------------------------------------------------ */

TEST(any_call_may_fail)
{
	bool failed = true;
	long at = 0;

	for (; failed; at++) {
		bool done;

		put_file(path, OLD, 0640);
		unlink(backup);
		left = at;
		halves = at % 2;
		done = replace(path);
		failed = left < 0;
		left = -1;
		assert_true(has(path, done ? NEW : OLD));
		assert_int_equal(mode_of(path), 0640);
		assert_int_equal(leftovers(), 0);
		assert_true(access(backup, F_OK) != 0 || has(backup, OLD));
		/* Only that the directory was synced may be amiss. */
		assert_true(failed || done);
	}
	assert_true(at > 10);
}

/* Steps from one system call to the next; at the one of this number, kills.
 * Returns whether there were so many. */
static bool kill_at(long number, bool (*work)(const char *at))
{
	pid_t pid = fork();
	int status;
	long at = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(77);
		raise(SIGSTOP);
		_exit(work(path) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status)) {
		if (at++ == number)
			kill(pid, SIGKILL);
		else
			ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

TEST(killed_at_any_call)
{
	size_t old = 0, new = 0;
	bool killed = true;

	for (long number = 1; killed; number++) {
		put_file(path, OLD, 0600);
		unlink(backup);
		killed = kill_at(number, replace);
		old += has(path, OLD);
		new += has(path, NEW);
		assert_int_equal(old + new, number);
		assert_int_equal(mode_of(path), 0600);
		assert_true(access(backup, F_OK) != 0 || has(backup, OLD));
	}
	assert_true(old > 20 && new > 2);
}

/* A new file: all of it, or none. */
TEST(created_whole_or_not)
{
	size_t none = 0, whole = 0;
	bool failed = true, done;

	for (long at = 0; failed; at++) {
		unlink(path);
		left = at;
		halves = at % 2;
		done = create(path);
		failed = left < 0;
		left = -1;
		assert_true(done ? has(path, NEW) : access(path, F_OK) != 0);
		assert_int_equal(leftovers(), 0);
		assert_true(failed || done);
	}
	halves = false;
	for (long number = 1; failed || number == 1; number++) {
		unlink(path);
		failed = kill_at(number, create);
		whole += has(path, NEW);
		none += access(path, F_OK) != 0;
		assert_int_equal(whole + none, number);
	}
	assert_true(none > 5 && whole > 1);
	none = leftovers(); /* of what was killed */
	put_file(path, OLD, 0600);
	assert_false(create(path));
	assert_true(has(path, OLD));
	assert_int_equal(leftovers(), none);
	unlink(path);
	umask(027);
	assert_true(create(path));
	assert_int_equal(mode_of(path), 0640);
	umask(022);
}

TEST(refuses_what_it_should)
{
	char link_to[160], other[160];
	struct replace r;
	bool made;

	snprintf(link_to, sizeof(link_to), "%s/link.json", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_false(replace(dir));
	assert_false(replace(path));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(replace(path));
	put_file(path, "", 0600);
	assert_int_equal(truncate(path, (off_t)REPLACE_BYTES + 1), 0);
	assert_false(replace(path));
	/* Written to, another mode, another file: between the two steps. */
	for (int i = 0; i < 3; i++) {
		put_file(path, OLD, 0600);
		assert_true(replace_read(&r, path));
		if (i == 0)
			put_file(path, "{}", 0600);
		if (i == 1)
			chmod(path, 0644);
		if (i == 2) {
			put_file(other, OLD, 0600);
			assert_int_equal(__real_rename(other, path), 0);
		}
		assert_false(replace_write(&r, NEW, strlen(NEW), false, &made));
		assert_true(has(path, i == 0 ? "{}" : OLD));
		assert_int_equal(leftovers(), 0);
		replace_free(&r);
	}
	/* A link of another user's to this file. */
	assert_int_equal(symlink("config.json", link_to), 0);
	if (geteuid() == 0) {
		assert_int_equal(lchown(link_to, 12345, 12345), 0);
		assert_false(replace(link_to));
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_false(replace(path));
	}
}

TEST(keeps_what_is_there)
{
	char link_to[160], value[8] = "";
	struct stat st;

	put_file(path, OLD, 0604);
	put_file(backup, "mine", 0644);
	snprintf(link_to, sizeof(link_to), "%s/link.json", dir);
	assert_int_equal(symlink("config.json", link_to), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, (uid_t)-1, 12345), 0);
	chmod(path, 0604);
	/* With nothing but POSIX none is seen. */
	bool labelled = !system_is_posix() &&
			setxattr(path, "user.kept", "yes", 3, 0) == 0;

	assert_true(replace(link_to));
	assert_true(has(path, NEW));
	assert_true(has(backup, "mine"));
	assert_int_equal(lstat(link_to, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_true(geteuid() != 0 || st.st_gid == 12345);
	assert_true(!labelled || (getxattr(path, "user.kept", value, 8) == 3 &&
				  strcmp(value, "yes") == 0));
	unlink(backup);
	assert_true(replace(path));
	assert_true(has(backup, NEW));
	assert_int_equal(mode_of(backup), 0600);
}

RUN_EACH(NULL, NULL, make_dir, remove_dir)
