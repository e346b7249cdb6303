/*
 * A grant's file, when the process is killed before any one of its writes, or
 * when any one of the system's calls fails: no call that passed is forgotten,
 * all limits of a call count it or none does, nothing stays locked, and nothing
 * waits for longer than one window.
 */
#include "grant.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../../policies/internal.h"

/* The linker puts these before the library's own (--wrap). */
#define WRAP(how, name, parameters, ...)                                       \
	int __real_##name parameters;                                          \
	int __wrap_##name parameters;                                          \
	int __wrap_##name parameters                                           \
	{                                                                      \
		return fails(how) ? -1 : __real_##name(__VA_ARGS__);           \
	}
#define WRAP_BYTES(how, name, buffer)                                          \
	ssize_t __real_##name(int fd, buffer *buf, size_t len, off_t at);      \
	ssize_t __wrap_##name(int fd, buffer *buf, size_t len, off_t at);      \
	ssize_t __wrap_##name(int fd, buffer *buf, size_t len, off_t at)       \
	{                                                                      \
		if (fails((how) | LOOPS))                                      \
			return -1;                                             \
		return __real_##name(fd, buf, part(how, len, at), at);         \
	}

enum { READS = 1, WRITES = 2, LOOPS = 4 };

static long left = -1; /* calls until one fails; below 0: none does */
static int which;      /* of them */
static int error;      /* that it fails with; 0: it kills */
static bool stays;     /* what follows fails too */
static bool halves;    /* no more than half is read or written */
static bool fails(int how)
{
	if (!(how & which) || left < 0 || left-- > 0)
		return false;
	if (error == 0)
		kill(getpid(), SIGKILL);
	left = stays ? 0 : -1;
	errno = error;
	return true;
}

/* Of reads, to the end of a page, as where the next cannot be read. */
static size_t part(int how, size_t len, off_t at)
{
	if (!halves || len < 2)
		return len;
	if (how == WRITES)
		return len / 2;
	return (size_t)(4096 - at % 4096) < len ? (size_t)(4096 - at % 4096)
						: len;
}

WRAP_BYTES(READS, pread, void)
WRAP_BYTES(WRITES, pwrite, const void)
WRAP(READS, stat, (const char *name, struct stat *st), name, st)
WRAP(READS, lstat, (const char *name, struct stat *st), name, st)
WRAP(READS, fstat, (int fd, struct stat *st), fd, st)
WRAP(WRITES, ftruncate, (int fd, off_t len), fd, len)
WRAP(WRITES, fchmod, (int fd, mode_t mode), fd, mode)
WRAP(WRITES, mkostemp, (char *name, int flags), name, flags)
WRAP(WRITES, unlink, (const char *name), name)
WRAP(WRITES, rename, (const char *from, const char *to), from, to)
WRAP(WRITES, fsync, (int fd), fd)

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	return fails(WRITES) ? -1 : __real_write(fd, buf, len);
}

/* What another process does just before. */
static void (*race)(void);
static bool nameless = true; /* has the file system files without a name? */
int __real_linkat(int at, const char *from, int to_at, const char *to,
		  int flags);
int __wrap_linkat(int at, const char *from, int to_at, const char *to,
		  int flags);
int __wrap_linkat(int at, const char *from, int to_at, const char *to,
		  int flags)
{
	void (*first)(void) = race;

	race = NULL;
	if (first)
		first();
	if (fails(WRITES))
		return -1;
	if (nameless || !(flags & AT_SYMLINK_FOLLOW))
		return __real_linkat(at, from, to_at, to, flags);
	errno = EOPNOTSUPP;
	return -1;
}

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how)
{
	/* Nothing can go wrong with giving it back. */
	return how != LOCK_UN && fails(READS | LOOPS) ? -1
						      : __real_flock(fd, how);
}

/* Another user's, if this is one. */
static uid_t somebody;
uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
	return __real_geteuid() + somebody;
}

/* ---- what is done, and what was counted ------------------------------- */

#define POLICY(limits)                                                         \
	"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":{"          \
	"\"limits\":[" limits "]}}}"
#define ONE(max) "{\"counter\":\"one\",\"window\":64,\"max\":" max "}"
#define TWO(max) "{\"counter\":\"two\",\"window\":32,\"max\":" max "}"
#define SUM(n, w)                                                              \
	"{\"counter\":\"sum\",\"window\":" w ",\"max\":" n                     \
	",\"increment_from\":\"args.x\"}"
#define MORE                                                                   \
	"{\"counter\":\"more\",\"window\":50,\"max\":9,"                       \
	"\"increment_from\":\"args.x\"}"

/* One policy for each counter of another, to see how much of it is left. */
static const char *const probes[] = {
	POLICY(ONE("9")),
	POLICY(TWO("9")),
	POLICY(SUM("9", "64")),
	POLICY(MORE),
};

#define FOUR ONE("9") "," TWO("9") "," SUM("9", "64") "," MORE

static const struct act {
	const char *name;
	const char *before; /* the policy of the file that is there; or NULL */
	int calls;          /* that passed under it */
	const char *after;  /* the policy of the process */
	int more;           /* calls of it */
	unsigned counters;  /* which of the probes count the calls: bits */
	enum { STAYS, BOOTS, GOES_BACK } clock; /* before it */
	bool reset;                             /* of the first counter */
	bool compact; /* the file is written anew by its first call */
} acts[] = {
	{"the first", NULL, 0, POLICY(FOUR), 0, 15},
	{"the first, and a call", NULL, 0, POLICY(FOUR), 1, 15},
	{"one limit", POLICY(ONE("9")), 3, POLICY(ONE("9")), 3, 1},
	{"a sum", POLICY(SUM("9", "64")), 3, POLICY(SUM("9", "64")), 3, 4},
	{"two limits", POLICY(ONE("9") "," TWO("9")), 3,
	 POLICY(ONE("9") "," TWO("9")), 3, 3},
	{"four limits", POLICY(FOUR), 3, POLICY(FOUR), 3, 15},
	{"after a boot", POLICY(FOUR), 3, POLICY(FOUR), 2, 15, BOOTS},
	{"more room", POLICY(ONE("4") "," TWO("4")), 3,
	 POLICY(ONE("9") "," TWO("7")), 1, 3},
	{"more limits", POLICY(ONE("9")), 0, POLICY(FOUR), 1, 15},
	{"another window", POLICY(SUM("9", "90")), 3, POLICY(SUM("9", "64")), 2,
	 4},
	{"a reset", POLICY(ONE("9")), 3, POLICY(ONE("9")), 0, 1, STAYS, true},
	{"a reset of a sum", POLICY(SUM("9", "64")), 3, POLICY(SUM("9", "64")),
	 0, 4, STAYS, true},
	{"written anew", POLICY(FOUR), 3, POLICY(FOUR), 2, 15, STAYS, false,
	 true},
	{"written anew after a boot", POLICY(FOUR), 3, POLICY(FOUR), 2, 15,
	 BOOTS, false, true},
	{"written anew by one that needs less", POLICY(FOUR), 3,
	 POLICY(ONE("7") ",{\"counter\":\"two\",\"window\":1,\"max\":9}," SUM(
		 "9", "1") "," MORE),
	 2, 15, STAYS, false, true},
	{"written anew with other windows", POLICY(SUM("9", "64")), 3,
	 POLICY(SUM("9", "1")), 2, 4, STAYS, false, true},
	{"time goes back", POLICY(ONE("9")), 3, POLICY(ONE("9")), 2, 1,
	 GOES_BACK},
	{"time goes back for a sum", POLICY(SUM("9", "64")), 3,
	 POLICY(SUM("9", "64")), 2, 4, GOES_BACK},
};

/* What the process tells, though it is killed. */
static struct told {
	int before; /* calls that had been counted */
	int passed; /* of its own */
	bool done;
} * told;

static void act(const struct act *a, struct process *p)
{
	if (!process_start(p, a->after)) {
		row_true(a->name, grant_said[0]);
		return;
	}
	if (a->compact)
		((struct journal *)p->grant)->compact_at = 0;
	for (int i = 0; i < a->more; i++) {
		if (process_call(p, "t", "1").kind == VERDICT_PASS)
			told->passed++;
		else
			row_true(a->name, counters_trouble(p->counters)[0]);
	}
	told->done = !a->reset ||
		     p->grant->ops->reset(p->grant, p->policy->counters[0]);
}

/* ---- what is left ------------------------------------------------------ */

#define FILE_MOST 65536

static size_t read_all(char *buf)
{
	int fd = open(grant_file, O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, buf, FILE_MOST);

	if (fd >= 0)
		close(fd);
	assert_true(got >= 0 && got < FILE_MOST);
	return (size_t)got;
}

static void write_file(const char *buf, size_t len)
{
	int fd = open(grant_file, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0 && __real_write(fd, buf, len) == (ssize_t)len);
	close(fd);
}

/* How many calls the counter of the probe has counted.  A window later there
 * are none. */
static int counted(const char *name, const char *probe)
{
	static char buf[FILE_MOST];
	struct policy_moment moment = grant_clock;
	size_t len = read_all(buf);
	struct process p;
	int used;

	if (!process_start(&p, probe))
		print_error("said: %s\n", grant_said);
	row_true(name, p.counters);
	used = 9 - process_spend(&p);
	grant_wait(65 * SECOND);
	row_true(name, process_spend(&p) == 9);
	process_end(&p);
	grant_clock = moment;
	if (len > 0)
		write_file(buf, len);
	return used;
}

/* Lets a process do it that is killed before write n.  Was it? */
static bool do_it(const struct act *a, long n)
{
	struct process p;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		left = n;
		which = WRITES;
		error = 0;
		act(a, &p);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	row_true(a->name, WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void begin(const struct act *a)
{
	struct process p;

	__real_unlink(grant_file);
	grant_clock = (struct policy_moment){
		.steady = 500 * SECOND, .wall = 1700000000 * SECOND, .boot = 1};
	*told = (struct told){.before = a->calls};
	if (!a->before)
		return;
	row_true(a->name, process_start(&p, a->before));
	if (a->clock == GOES_BACK)
		grant_wait(1000 * SECOND);
	for (int i = 0; i < a->calls; i++)
		row_true(a->name,
			 process_call(&p, "t", "1").kind == VERDICT_PASS);
	process_end(&p);
	grant_wait(SECOND);
	if (a->clock == GOES_BACK)
		grant_clock.steady -= 900 * SECOND;
	if (a->clock == BOOTS) {
		grant_clock.boot++;
		grant_clock.steady = SECOND;
	}
}

/* Have all counters counted the same calls: those that passed, and perhaps the
 * one that was under way? */
static void check_counted(const struct act *a, long n, bool killed)
{
	int least = told->before + told->passed, one = -1;
	char name[100];

	snprintf(name, sizeof(name), "%s, write %ld", a->name, n);
	for (size_t i = 0; i < COUNT(probes); i++) {
		int used = a->counters >> i & 1 ? counted(name, probes[i]) : -1;

		if (used < 0)
			continue;
		if (!a->reset) {
			row_true(name, used == least ||
					       (killed && used == least + 1));
			row_true(name, one < 0 || used == one);
		} else {
			row_true(name, !told->done || used == 0);
		}
		one = used;
	}
}

/* Leftovers of files that were being made. */
static void sweep(void)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -f %s.*", grant_file);
	assert_int_equal(system(command), 0);
}

static void kill_everywhere(void)
{
	for (size_t i = 0; i < COUNT(acts); i++) {
		const struct act *a = &acts[i];

		for (long n = 0; n == 0 || !told->done; n++) {
			bool killed;

			begin(a);
			killed = do_it(a, n);
			check_counted(a, n, killed);
			assert_true(n < 2000);
		}
	}
}

TEST(killed_before_each_write)
{
	glob_t found;
	char pattern[100];

	kill_everywhere();
	snprintf(pattern, sizeof(pattern), "%s.*", grant_file);
	/* With nothing but POSIX, a new file has a name. */
	if (system_is_posix())
		skip();
	assert_int_equal(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
}

/* Where a file has a name while it is made, that may stay. */
TEST(killed_without_nameless_files)
{
	nameless = false;
	kill_everywhere();
	nameless = true;
	sweep();
}

/* Every one of them fails in turn, alone or with all that follow. */
static const struct {
	int which, error;
	bool stays;
} failures[] = {
	{WRITES, ENOSPC, false}, {WRITES, EDQUOT, true}, {READS, EIO, false},
	{READS, EIO, true},      {LOOPS, EINTR, false},
};

static void act_while(const struct act *a, size_t kind)
{
	bool over = false;

	for (long n = 0; !over; n++) {
		struct process p;

		begin(a);
		left = n;
		which = failures[kind].which;
		error = failures[kind].error;
		stays = failures[kind].stays;
		act(a, &p);
		over = left > 0;
		left = -1;
		row_true(a->name, error != EINTR || told->passed == a->more);
		check_counted(a, n, false);
		/* And so it goes on. */
		if (p.counters && !a->reset) {
			row_true(a->name, process_call(&p, "t", "1").kind ==
						  VERDICT_PASS);
			told->passed++;
			check_counted(a, n, false);
		}
		process_end(&p);
		assert_true(n < 2000);
	}
}

TEST(each_call_fails)
{
	for (size_t i = 0; i < COUNT(acts); i++)
		for (size_t k = 0; k < COUNT(failures); k++)
			act_while(&acts[i], k);
	sweep();
}

/* Bytes that are read and written in pieces. */
TEST(halves_are_joined)
{
	struct process p;

	for (size_t i = 0; i < COUNT(acts); i++) {
		begin(&acts[i]);
		halves = true;
		act(&acts[i], &p);
		halves = false;
		row_true(acts[i].name, told->passed == acts[i].more);
		process_end(&p);
		check_counted(&acts[i], 0, false);
	}
}

/* Another user has made the file, or the directory. */
TEST(files_of_others)
{
	struct process p;

	begin(&acts[2]);
	somebody = 1;
	assert_false(process_start(&p, acts[2].after));
	assert_non_null(strstr(grant_said, "belongs to another user"));
	process_end(&p);
	somebody = 0;
}

static void call_first(void)
{
	struct process q;

	row_true(grant_said, process_start(&q, acts[0].after));
	for (int i = 0; i < 5; i++)
		assert_int_equal(process_call(&q, "t", "1").kind, VERDICT_PASS);
	process_end(&q);
}

/* Two make the file at the same time: one of them has made it. */
TEST(made_by_another)
{
	struct process p;

	begin(&acts[0]);
	race = call_first;
	row_true(grant_said, process_start(&p, acts[0].after));
	assert_null(race);
	assert_int_equal(process_spend(&p), 4);
	process_end(&p);
}

/* What the file cannot count, memory does not count either. */
TEST(memory_counts_with_it)
{
	struct process p;

	begin(&acts[0]);
	row_true(grant_said,
		 process_start(&p, POLICY(ONE("9") ",{\"window\":64,\"max\":2,"
						   "\"scope\":\"session\"}")));
	which = WRITES;
	error = ENOSPC;
	left = 0;
	stays = false;
	assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_REFUSED);
	assert_int_equal(process_spend(&p), 2);
	process_end(&p);
}

static int set_up(void **state)
{
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return told == MAP_FAILED ? -1 : grant_setup(state);
}

RUN(set_up, grant_teardown)
