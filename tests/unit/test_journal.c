/*
 * What can be wrong with a grant's file: nothing is counted in it then, and
 * nothing passes that would have to be.  It is said in words, and it goes on
 * by itself once it is right again.
 */
#include "grant.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#define FILE_MOST 65536
#define HEADER    64 /* bytes that a file begins with */

/* The linker puts it before the library's own (--wrap). */
int __real_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);

static int64_t slept;          /* nanoseconds that were asked for */
static void (*on_sleep)(void); /* is done instead; or NULL */

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	slept += time->tv_nsec;
	if (!on_sleep)
		return __real_nanosleep(time, rest);
	on_sleep();
	return 0;
}

static int synced; /* how often the disk was waited for */
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	synced++;
	return __real_fsync(fd);
}

#define POLICY(limits)                                                         \
	"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":{"          \
	"\"limits\":[" limits "]},\"s\":{\"limits\":[{\"max\":1,\"window\":1," \
	"\"scope\":\"session\"}]}}}"
#define ONE "{\"counter\":\"one\",\"window\":64,\"max\":5}"
#define TWO "{\"counter\":\"two\",\"window\":64,\"max\":4}"
#define SUM                                                                    \
	"{\"counter\":\"sum\",\"window\":64,\"max\":4.5,"                      \
	"\"increment_from\":\"args.x\"}"

static const char policy[] = POLICY(ONE "," TWO "," SUM);

/* Each limit alone, so that no other covers for it. */
static const char apart[] =
	"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":{"
	"\"limits\":[" TWO "]},\"u\":{\"rate_limit\":\"4/minute\"},\"v\":{"
	"\"limits\":[" SUM "]}}}";
static const char *const tools[] = {"t", "u", "v"};

static char whole[FILE_MOST]; /* a file after two calls, so that two are left */
static size_t size;

static void put(const char *buf, size_t len)
{
	int fd = open(grant_file, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, buf, len) == (ssize_t)len);
	close(fd);
}

static void begin_with(const char *text)
{
	struct process p;
	int fd;

	unlink(grant_file);
	on_sleep = now_waits = NULL;
	grant_clock = (struct policy_moment){
		.steady = 500 * SECOND, .wall = 1700000000 * SECOND, .boot = 1};
	row_true(grant_said, process_start(&p, text));
	for (size_t i = 0; i < 2 * COUNT(tools); i++)
		if (text == apart || i < 2)
			row_true(text,
				 process_call(&p, tools[i / 2], "1").kind ==
					 VERDICT_PASS);
	process_end(&p);
	fd = open(grant_file, O_RDONLY);
	size = (size_t)read(fd, whole, sizeof(whole));
	close(fd);
	assert_true(size > HEADER && size < sizeof(whole));
}

static int begin(void **state)
{
	(void)state;
	begin_with(policy);
	return 0;
}

/* A process cannot start, says so, and says all of the words. */
static void no_start(const char *name, const char *words)
{
	struct process p;

	row_true(name, !process_start(&p, policy));
	process_end(&p);
	row_has(name, grant_said, words);
}

/* One that runs passes nothing, says why, and limits what it can. */
static void no_calls(const char *name, struct process *p, const char *words)
{
	struct verdict v = process_call(p, "t", "1");
	const char *trouble = counters_trouble(p->counters);

	row_true(name, v.kind == VERDICT_REFUSED);
	row_true(name, strstr(v.reason, "cannot be checked"));
	row_true(name, v.wait == -1);
	row_has(name, trouble, words);
	row_true(name, process_call(p, "other", "1").kind == VERDICT_PASS);
	row_true(name, process_call(p, "s", "1").kind == VERDICT_PASS);
	row_true(name, process_call(p, "s", "1").kind == VERDICT_REFUSED);
	grant_wait(SECOND);
}

/* ---- damage ------------------------------------------------------------ */

/* Nothing that is in the file makes more pass than should. */
static void no_more_than(const char *name, int most)
{
	struct process p;

	if (!process_start(&p, apart)) {
		row_true(name, strstr(grant_said, "to start over"));
		process_end(&p);
		return;
	}
	for (size_t i = 0; i < COUNT(tools); i++) {
		int passed = process_spend_on(&p, tools[i]);

		row_true(name,
			 passed == most || (passed == 0 &&
					    strstr(counters_trouble(p.counters),
						   "damage")));
	}
	process_end(&p);
}

TEST(each_byte_is_damaged)
{
	static const unsigned char flips[] = {0x01, 0x02, 0x04, 0x80, 0xff};
	static char buf[FILE_MOST];

	begin_with(apart);
	for (size_t at = 0; at < size; at++)
		for (size_t i = 0; i < COUNT(flips); i++) {
			char name[64];

			memcpy(buf, whole, size);
			buf[at] = (char)(buf[at] ^ flips[i]);
			put(buf, size);
			snprintf(name, sizeof(name), "byte %zu ^ %02x", at,
				 flips[i]);
			no_more_than(name, 2);
		}
}

static void no_use(void *context, const struct limit_use *use)
{
	(void)context;
	(void)use;
}

/* A copy of what is there is told of as far as it can be, and left alone. */
static void copy_is_told(const char *name, bool fine)
{
	const struct policy_clock clock = {.read = grant_read};
	struct policy *p = COMPILE(policy, grant_listen, NULL);
	struct backend *l =
		grant_copy(grant_directory, "g", clock, grant_listen, NULL);
	struct counters *c =
		l ? counters_new(p, l, NULL, grant_listen, NULL) : NULL;

	row_true(name, fine == (c && counters_uses(p, c, no_use, NULL)));
	row_true(name, fine || strstr(grant_said, "to start over"));
	row_true(name, fine || strstr(grant_said, "/g.limits is "));
	counters_free(c);
	backend_close(l);
	policy_free(p);
}

/* One that is cut has less, or, within its first bytes, nothing that could be
 * known.  Empty, it is new. */
TEST(each_length_is_copied)
{
	char name[64];

	for (size_t len = 0; len <= size; len++) {
		struct stat st;

		snprintf(name, sizeof(name), "%zu bytes", len);
		put(whole, len);
		copy_is_told(name, len == 0 || len >= HEADER);
		row_true(name, stat(grant_file, &st) == 0 &&
				       st.st_size == (off_t)len);
	}
}

TEST(each_length)
{
	struct process p;
	char name[64];
	int passed, least = 2;

	row_true(grant_said, process_start(&p, policy));
	for (size_t len = size; len-- > 0;) {
		snprintf(name, sizeof(name), "%zu bytes", len);
		put(whole, len);
		if (len == 0 || len >= HEADER) {
			struct process q;

			row_true(name, process_start(&q, policy));
			passed = process_spend(&q);
			process_end(&q);
			row_true(name, passed >= least && passed <= 4);
			least = passed;
			put(whole, len);
			row_true(name, process_spend(&p) == passed);
		} else {
			no_calls(name, &p, "to start over");
			put(whole, len);
			no_start(name, "to start over");
		}
	}
	process_end(&p);
}

/* A page that a power cut took holds zeros: what is behind it counts. */
TEST(page_of_zeros)
{
	static const char many[] =
		POLICY("{\"counter\":\"c\",\"window\":64,\"max\":500},"
		       "{\"counter\":\"d\",\"window\":64,\"max\":500}");
	static char buf[FILE_MOST];
	struct process p;
	int fd, calls = 200, passed = 0;
	ssize_t len;

	for (int from = 4096; from < 8192; from += 1000) {
		unlink(grant_file);
		row_true(grant_said, process_start(&p, many));
		for (int i = 0; i < calls; i++)
			process_call(&p, "t", "1");
		process_end(&p);
		fd = open(grant_file, O_RDWR);
		len = read(fd, buf, sizeof(buf));
		assert_true(len > 3 * 4096);
		/* It has its begin, if it was written before. */
		memset(buf + from, 0, (size_t)(8192 - from));
		assert_int_equal(pwrite(fd, buf, (size_t)len, 0), len);
		close(fd);
		row_true(grant_said, process_start(&p, many));
		for (passed = 0;
		     passed < 600 &&
		     process_call(&p, "t", "1").kind == VERDICT_PASS;)
			passed++;
		process_end(&p);
		assert_true(passed >= 500 - calls);
		assert_true(passed < 500 - calls + 100);
	}
}

TEST(longer_than_it_was)
{
	static char buf[FILE_MOST];

	begin_with(apart);
	for (size_t more = 1; more < 5000; more += 37) {
		memcpy(buf, whole, size);
		memset(buf + size, 0, more);
		put(buf, size + more);
		no_more_than("zeros", 2);
		memset(buf + size, 0xa5, more);
		put(buf, size + more);
		no_more_than("others", 2);
	}
}

TEST(other_files)
{
	static const char words[] = "{\"version\":1}\n";
	static char buf[FILE_MOST];
	static const size_t zeros[] = {0, 1, 64, 128, 8192, FILE_MOST};
	struct process p;

	/* A power cut leaves these. */
	for (size_t i = 0; i < COUNT(zeros); i++) {
		put(buf, zeros[i]);
		copy_is_told("zeros", true);
		row_true("zeros", process_start(&p, policy));
		assert_int_equal(process_spend(&p), 4);
		process_end(&p);
	}
	put(words, sizeof(words) - 1);
	no_start("something else", "to start over");
	buf[FILE_MOST - 1] = 1;
	put(buf, FILE_MOST);
	no_start("not all zeros", "to start over");
	memcpy(buf, whole, size);
	buf[8]++;
	put(buf, size);
	no_start("another version", "by another version of weir");
	memcpy(buf, "weirlim\n", 8);
	put(buf, size);
	no_start("the form before the journal", "by another version of weir");
	memcpy(buf, whole, size);
	buf[size - 3]++;
	put(buf, size);
	no_start("a record", "is damaged");
}

/* ---- the file and its directory ---------------------------------------- */

static char other[128]; /* a path */

static void file_mode(void)
{
	assert_int_equal(chmod(grant_file, 0640), 0);
}

static void directory_mode(void)
{
	assert_int_equal(chmod(grant_directory, 0770), 0);
}

static void directory_without_file(void)
{
	directory_mode();
	unlink(grant_file);
}

static void symbolic_link(void)
{
	assert_int_equal(rename(grant_file, other), 0);
	assert_int_equal(symlink(other, grant_file), 0);
}

static void fifo(void)
{
	unlink(grant_file);
	assert_int_equal(mkfifo(grant_file, 0600), 0);
}

static void directory(void)
{
	unlink(grant_file);
	assert_int_equal(mkdir(grant_file, 0700), 0);
}

static void device(void)
{
	unlink(grant_file);
	assert_int_equal(symlink("/dev/null", grant_file), 0);
}

static const struct {
	const char *name;
	void (*make)(void);
	const char *words;
} wrongs[] = {
	{"the file's mode", file_mode, "is open to other users"},
	{"the directory's mode", directory_mode, "is open to other users"},
	{"the directory's mode, and no file", directory_without_file,
	 "is open to other users"},
	{"a link", symbolic_link, "cannot open"},
	{"a FIFO", fifo, "is not a regular file"},
	{"a directory", directory, "cannot open"},
	{"a link to a device", device, "cannot open"},
};

static void make_right(void)
{
	unlink(grant_file);
	rmdir(grant_file);
	unlink(other);
	chmod(grant_directory, 0700);
}

TEST(wrong_places)
{
	struct process p;

	snprintf(other, sizeof(other), "%s/other", grant_directory);
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		begin(NULL);
		wrongs[i].make();
		no_start(wrongs[i].name, wrongs[i].words);
		make_right();
	}
	/* And what happens to it while it is used. */
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		begin(NULL);
		row_true(grant_said, process_start(&p, policy));
		if (wrongs[i].make == file_mode ||
		    wrongs[i].make == directory_mode) {
			/* Known once it is opened anew. */
			unlink(grant_file);
			put(whole, size);
		}
		wrongs[i].make();
		no_calls(wrongs[i].name, &p, wrongs[i].words);
		make_right();
		row_true(wrongs[i].name, process_spend(&p) == 4);
		row_true(wrongs[i].name, !counters_trouble(p.counters)[0]);
		process_end(&p);
	}
}

/* Another name of the same file does no harm. */
TEST(hard_link)
{
	struct process p, q;

	row_true(grant_said, process_start(&p, policy));
	assert_int_equal(link(grant_file, other), 0);
	assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_PASS);
	row_true(grant_said, process_start(&q, policy));
	assert_int_equal(process_spend(&q), 1);
	/* It is not the grant's any more: all know that. */
	assert_int_equal(unlink(grant_file), 0);
	process_end(&q);
	row_true(grant_said, process_start(&q, policy));
	assert_int_equal(process_spend(&q), 4);
	assert_int_equal(process_spend(&p), 0);
	process_end(&p);
	process_end(&q);
	assert_int_equal(unlink(other), 0);
}

TEST(removed)
{
	struct process p;

	row_true(grant_said, process_start(&p, policy));
	unlink(grant_file);
	assert_int_equal(process_spend(&p), 4);
	assert_int_equal(process_spend(&p), 0);
	/* With its directory. */
	unlink(grant_file);
	assert_int_equal(rmdir(grant_directory), 0);
	assert_int_equal(process_spend(&p), 4);
	process_end(&p);
}

TEST(moved_and_back)
{
	struct process p, q;

	row_true(grant_said, process_start(&p, policy));
	assert_int_equal(rename(grant_file, other), 0);
	row_true(grant_said, process_start(&q, policy));
	assert_int_equal(process_call(&q, "t", "1").kind, VERDICT_PASS);
	/* Both count in the one that has the name. */
	assert_int_equal(process_spend(&p), 3);
	assert_int_equal(process_spend(&q), 0);
	assert_int_equal(rename(other, grant_file), 0);
	assert_int_equal(process_spend(&p), 2);
	assert_int_equal(process_spend(&q), 0);
	process_end(&p);
	process_end(&q);
}

/* In place, with another file's content: the meters are elsewhere. */
TEST(replaced_by_another)
{
	static char buf[FILE_MOST];
	struct process p, q;
	ssize_t len;
	int fd;

	unlink(grant_file);
	row_true(grant_said, process_start(&q, POLICY(TWO)));
	for (int i = 0; i < 3; i++)
		assert_int_equal(process_call(&q, "t", "1").kind, VERDICT_PASS);
	process_end(&q);
	row_true(grant_said, process_start(&q, policy));
	process_end(&q);
	fd = open(grant_file, O_RDONLY);
	len = read(fd, buf, sizeof(buf));
	close(fd);
	assert_true(len > 0);
	put(whole, size);
	row_true(grant_said, process_start(&p, policy));
	put(buf, (size_t)len);
	assert_int_equal(process_spend(&p), 1);
	process_end(&p);
}

/* By one that has been bound as often, and has its meters elsewhere. */
TEST(replaced_by_a_like)
{
	struct process p, q;

	row_true(grant_said, process_start(&p, policy));
	assert_int_equal(rename(grant_file, other), 0);
	row_true(
		grant_said,
		process_start(
			&q,
			POLICY(SUM
			       ",{\"counter\":\"one\",\"window\":64,\"max\":50},{\"counter\":\"two\",\"window\":64,\"max\":50}")));
	assert_int_equal(process_call(&q, "t", "1").kind, VERDICT_PASS);
	process_end(&q);
	assert_int_equal(process_spend(&p), 3);
	process_end(&p);
	unlink(other);
}

/* ---- directories that cannot be made ----------------------------------- */

static const struct {
	const char *directory;
	const char *words;
} nowhere[] = {
	{"/proc/weir/a", "cannot create /proc/weir/a (counters for limits): "},
	{"/proc/self", "cannot create /proc/self"},
	{"/dev/null/a", "cannot open /dev/null/a"},
	{"/dev/null", "cannot open /dev/null"},
	{"FILE", "cannot open"},
	{"FILE/a/b", "cannot open"},
	{"LONG", "cannot open"},
};

TEST(no_directory)
{
	static char longest[8192];

	for (size_t i = 0; i < COUNT(nowhere); i++) {
		const struct policy_clock clock = {.read = grant_read};
		const char *at = nowhere[i].directory;

		memset(longest, 'a', sizeof(longest) - 1);
		longest[0] = '/';
		if (strcmp(at, "LONG") == 0)
			at = longest;
		if (strncmp(at, "FILE", 4) == 0) {
			snprintf(longest, sizeof(longest), "%s%s", grant_file,
				 at + 4);
			at = longest;
		}
		grant_said[0] = '\0';
		row_true(at, !grant_open(at, "g", clock, grant_listen, NULL));
		row_has(at, grant_said, nowhere[i].words);
	}
}

/* The longest name there is: one to make the file under would not fit. */
TEST(name_without_room)
{
	const struct policy_clock clock = {.read = grant_read};
	static char at[5000];
	char command[200];
	struct backend *l;
	size_t len;

	if (system_is_posix())
		skip();
	len = (size_t)snprintf(at, sizeof(at), "%s/long", grant_directory);
	while (len < 4085) {
		size_t more = 4085 - len < 200 ? 4085 - len : 200;

		memset(at + len, 'a', more);
		at[len] = '/';
		len += more;
	}
	at[4084] = 'a';
	l = grant_open(at, "g", clock, grant_listen, NULL);
	row_true(grant_said, l);
	backend_close(l);
	snprintf(command, sizeof(command), "rm -r %s/long", grant_directory);
	assert_int_equal(system(command), 0);
}

/* Directories are made, for this user alone, as is the file. */
TEST(modes)
{
	const struct policy_clock clock = {.read = grant_read};
	char a[400], b[200];
	struct backend *l;
	struct stat st;
	mode_t mask;

	snprintf(a, sizeof(a), "%s/a", grant_directory);
	snprintf(b, sizeof(b), "%s/a//b", grant_directory);
	for (int i = 0; i < 2; i++) {
		mask = umask(i ? 0 : 0777 & ~0700);
		l = grant_open(b, ".n/%\xc3", clock, grant_listen, NULL);
		umask(mask);
		row_true(grant_said, l);
		backend_close(l);
		assert_int_equal(stat(a, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
		assert_int_equal(stat(b, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
		snprintf(a, sizeof(a), "%s/%%2En%%2F%%25%%C3.limits", b);
		assert_int_equal(stat(a, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		unlink(a);
		rmdir(b);
		snprintf(a, sizeof(a), "%s/a", grant_directory);
		assert_int_equal(rmdir(a), 0);
	}
}

/* ---- names --------------------------------------------------------------- */

static size_t files(void)
{
	DIR *d = opendir(grant_directory);
	size_t count = 0;
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

/* Each name has a file of its own, whose name is none of the special ones. */
TEST(names_are_apart)
{
	static const char *const names[] = {
		"a",   "A",        "a.",   "a.limits", ".",   "..",   "/",
		"a/b", "a%2Fb",    "%",    "%2F",      "a b", "a\nb", "~",
		"a~b", "\xc3\xa9", "\xff", "-",        "a_b", "a-b",
	};
	const struct policy_clock clock = {.read = grant_read};
	char name[600], command[160];

	unlink(grant_file);
	for (size_t i = 0; i < COUNT(names); i++) {
		backend_close(grant_open(grant_directory, names[i], clock,
					 grant_listen, NULL));
		row_true(names[i], files() == i + 1);
	}
	/* Long ones that differ only at the end, or in length. */
	for (size_t i = 0; i < 30; i++) {
		size_t len = 150 + i * 8;

		memset(name, i % 3 ? 'a' : '/', len);
		snprintf(name + len, sizeof(name) - len, "%c",
			 i % 2 ? 'b' : 'c');
		backend_close(grant_open(grant_directory, name, clock,
					 grant_listen, NULL));
		row_true(name, files() == COUNT(names) + i + 1);
	}
	snprintf(command, sizeof(command), "rm %s/*.limits", grant_directory);
	assert_int_equal(system(command), 0);
}

/* ---- locks ------------------------------------------------------------------
 */

static int locked = -1;
static int sleeps;

static void lock(void)
{
	locked = open(grant_file, O_RDWR);
	assert_true(locked >= 0);
	/* Even one that only keeps others from writing. */
	assert_int_equal(flock(locked, LOCK_SH), 0);
	sleeps = 0;
	slept = 0;
}

static void stay(void)
{
	sleeps++;
}

static void unlock_in_time(void)
{
	if (++sleeps == 20)
		close(locked);
}

static void replace_in_time(void)
{
	unlink(grant_file);
	close(locked);
	put(whole, size);
	lock();
}

TEST(lock_is_kept)
{
	struct process p;

	row_true(grant_said, process_start(&p, policy));
	lock();
	on_sleep = now_waits = stay;
	no_calls("locked", &p, "is locked by another process");
	/* 250 ms for the call, not for each of its limits. */
	assert_true(sleeps >= 249 && sleeps <= 251);
	/* For a second nothing waits. */
	sleeps = 0;
	now_is = grant_clock.steady -= 500 * MILLISECOND;
	assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_REFUSED);
	assert_int_equal(sleeps, 0);
	grant_wait(2 * SECOND);
	assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_REFUSED);
	assert_true(sleeps >= 249 && sleeps <= 251);
	slept = 0;
	no_start("locked", "is locked by another process");
	assert_true(slept >= COUNTERS_START && slept < 6 * SECOND);
	close(locked);
	assert_int_equal(process_spend(&p), 2);
	process_end(&p);
}

TEST(lock_is_waited_for)
{
	struct process p;

	row_true(grant_said, process_start(&p, policy));
	lock();
	on_sleep = now_waits = unlock_in_time;
	assert_int_equal(process_spend(&p), 2);
	assert_true(sleeps >= 20);
	process_end(&p);
}

/* It is another file each time the lock is had. */
TEST(replaced_again_and_again)
{
	struct process p;

	row_true(grant_said, process_start(&p, policy));
	lock();
	on_sleep = now_waits = replace_in_time;
	no_calls("replaced", &p, "is locked by another process");
	close(locked);
	assert_int_equal(process_spend(&p), 2);
	process_end(&p);
}

/* Between two looks another process makes the file longer: what it added is
 * not taken for damage, and both count in it. */
TEST(longer_between_looks)
{
	static const char small[] =
		"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":{"
		"\"limits\":[{\"counter\":\"c\",\"max\":3,\"window\":9}]}}}";
	static const char large[] =
		"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":{"
		"\"limits\":[{\"counter\":\"c\",\"max\":400,\"window\":9}]},"
		"\"u\":{\"rate_limit\":\"900/day\"}}}";
	struct process a, b;

	row_true(grant_said, process_start(&a, small));
	((struct journal *)a.grant)->look_every = INT64_MAX;
	assert_int_equal(process_call(&a, "t", "1").kind, VERDICT_PASS);
	row_true(grant_said, process_start(&b, large));
	assert_int_equal(process_call(&b, "t", "1").kind, VERDICT_PASS);
	assert_int_equal(process_spend(&a), 1);
	assert_string_equal(counters_trouble(a.counters), "");
	process_end(&a);
	process_end(&b);
}

/* ---- several policies -------------------------------------------------- */

#define PER(more)                                                              \
	"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"u\":{"          \
	"\"rate_limit\":\"900/day\"},\"t\":{\"limits\":[{\"counter\":\"c\","   \
	"\"per\":\"args.x\"," more "}]}}}"
#define ADD "\"increment_from\":\"args.x\","

/* Policies of one counter: how many values it may have, and what of each. */
static const struct share {
	const char *text;
	bool sum;
	int max, window;
} shares[] = {
	{PER("\"max\":2,\"window\":9,\"values\":1"), false, 2, 9},
	{PER("\"max\":2,\"window\":9,\"values\":6"), false, 2, 9},
	{PER("\"max\":3,\"window\":9,\"values\":3"), false, 3, 9},
	{PER("\"max\":1,\"window\":4,\"values\":2"), false, 1, 4},
	{PER("\"max\":4,\"window\":64,\"values\":5"), false, 4, 64},
	{PER(ADD "\"max\":9,\"window\":9,\"values\":1"), true, 9, 9},
	{PER(ADD "\"max\":9,\"window\":9,\"values\":6"), true, 9, 9},
	{PER(ADD "\"max\":5,\"window\":64,\"values\":3"), true, 5, 64},
};

/* A call passes only if its policy allows it, whoever counted, and whoever has
 * written the file anew. */
TEST(nobody_cuts_the_history)
{
	enum { CALLS = 600, PLAYS = 60, SIDES = 3, VALUES = 7 };
	static int64_t when[CALLS];
	static int value[CALLS];
	static bool sum[CALLS];
	unsigned seed = 1;

	for (int play = 0; play < PLAYS; play++) {
		const struct share *of[SIDES], *of_play[2];
		struct process p[SIDES] = {{.policy = NULL}};
		size_t counted = 0;

		unlink(grant_file);
		/* The file knows what each needs. */
		for (size_t i = 0; i < COUNT(of_play); i++) {
			of_play[i] =
				&shares[(size_t)rand_r(&seed) % COUNT(shares)];
			row_true(grant_said,
				 process_start(&p[0], of_play[i]->text));
			process_end(&p[0]);
		}
		for (size_t i = 0; i < SIDES; i++) {
			of[i] = of_play[rand_r(&seed) % 2];
			row_true(grant_said, process_start(&p[i], of[i]->text));
		}
		for (int call = 0; call < CALLS; call++) {
			const size_t i = (size_t)rand_r(&seed) % SIDES;
			const int v = 1 + rand_r(&seed) % VALUES;
			const int dice = rand_r(&seed) % 16;
			int spent = 0, adds;
			char x[8];

			if (dice == 0) {
				process_end(&p[i]);
				row_true(grant_said,
					 process_start(&p[i], of[i]->text));
			} else if (dice == 1) {
				((struct journal *)p[i].grant)->compact_at = 0;
				process_call(&p[i], "u", "1");
			} else if (dice == 2) {
				of[i] = of_play[rand_r(&seed) % 2];
				process_end(&p[i]);
				row_true(grant_said,
					 process_start(&p[i], of[i]->text));
			} else if (dice < 6) {
				grant_wait(rand_r(&seed) % 5 * SECOND / 2);
			}
			adds = of[i]->sum ? v : 1;
			snprintf(x, sizeof(x), "%d", v);
			if (process_call(&p[i], "t", x).kind != VERDICT_PASS)
				continue;
			for (size_t k = 0; k < counted; k++)
				if (value[k] == v && sum[k] == of[i]->sum &&
				    grant_clock.steady - when[k] <
					    of[i]->window * SECOND)
					spent += adds;
			if (spent + adds > of[i]->max)
				print_error("play %d, call %d: %d\n", play,
					    call, spent);
			row_true(of[i]->text, spent + adds <= of[i]->max);
			when[counted] = grant_clock.steady;
			sum[counted] = of[i]->sum;
			value[counted++] = v;
		}
		for (size_t i = 0; i < SIDES; i++)
			process_end(&p[i]);
	}
}

/* Calls do not wait for the disk, however many there are between two starts;
 * and no more of them are read by a start than need be. */
TEST(a_start_writes_anew)
{
	static const char often[] =
		"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":"
		"{\"rate_limit\":\"1000000/second\"}}}";
	struct process p;
	struct stat st;

	row_true(grant_said, process_start(&p, often));
	synced = 0;
	do {
		grant_wait(SECOND);
		assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_PASS);
		assert_int_equal(stat(grant_file, &st), 0);
	} while (st.st_size <= 3 * JOURNAL_MORE / 2);
	assert_int_equal(synced, 0);
	process_end(&p);
	row_true(grant_said, process_start(&p, often));
	assert_true(synced > 0);
	assert_int_equal(stat(grant_file, &st), 0);
	assert_true(st.st_size < JOURNAL_MORE / 2);
	/* But no file grows without end. */
	((struct journal *)p.grant)->compact_at -= JOURNAL_BUSY;
	synced = 0;
	do
		process_call(&p, "t", "1");
	while (synced == 0 && ((struct journal *)p.grant)->end < JOURNAL_MORE);
	assert_true(synced > 0);
	process_end(&p);
}

/* What was counted long before the file is replaced is on the disk; so it is in
 * the new file, too, before that takes the name. */
TEST(what_is_old_is_synced)
{
	for (int old = 0; old < 2; old++) {
		struct process p, q;
		struct journal *j;

		begin(NULL);
		row_true(grant_said, process_start(&p, policy));
		row_true(grant_said, process_start(&q, policy));
		grant_wait(100 * SECOND);
		j = (struct journal *)p.grant;
		j->settle = 1;
		j->compact_at = 0;
		process_call(&p, "t", "1");
		assert_true(j->next.fd >= 0);
		process_call(&q, "t", "1");
		j->next.begun -= old * 10 * SECOND;
		synced = 0;
		process_call(&p, "t", "1");
		assert_int_equal(j->next.fd, -1);
		/* The file; that again; and the directory. */
		assert_int_equal(synced, 2 + old);
		assert_int_equal(process_spend(&q), 1);
		process_end(&p);
		process_end(&q);
	}
}

/* What was given up is not tried any more: nothing wakes up for it. */
TEST(dropped)
{
	struct process p;
	struct pollfd fd;

	row_true(grant_said, process_start(&p, policy));
	lock();
	on_sleep = now_waits = stay;
	no_calls("locked", &p, "is locked by another process");
	assert_true(counters_poll(p.counters, &fd) < 0);
	close(locked);
	process_end(&p);
}

RUN_EACH(grant_setup, grant_teardown, begin, NULL)
