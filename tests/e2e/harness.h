/*
 * harness - programs under test, started and spoken to from outside.
 *
 * A test starts processes, which are ended after it whatever happens, and
 * works in a directory of its own.  Nothing waits for a time: each wait is for
 * a condition, and the test fails when that has not come about after DEADLINE.
 * While a test waits, or writes, what the process says is taken in, so that
 * the test itself never stops it.
 *
 * Strings that are handed out live until the test ends.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

/* What cmocka.h needs before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#define DEADLINE     20000 /* milliseconds */
#define END_DEADLINE 5000  /* the same, for the end of a process */

/* The two programs, from the environment variables WEIR and SERVER. */
extern const char *weir, *server;

/* Is it the weir of system_posix.c?  From the variable SYSTEM. */
extern bool posix;

/* A list of words, NULL-ended. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

/* weir with this policy, as policy_of() has it; before the test server with
 * these options; before one that writes what it gets to the file "record". */
#define WEIR(policy, ...)   WORDS(weir, "-p", policy_of(policy), __VA_ARGS__)
#define BEHIND(policy, ...) WEIR(policy, "--", server, ##__VA_ARGS__)
#define RECORDED(policy, ...)                                                  \
	BEHIND(policy, "--record", path("record"), ##__VA_ARGS__)

struct bytes {
	char *ptr; /* NUL-ended once it is not empty */
	size_t len, cap;
};

struct proc {
	pid_t pid;         /* 0: this place is free */
	int pidfd;         /* readable once it has ended */
	int in, out, err;  /* our ends of its 0, 1 and 2; -1: closed, or none */
	struct bytes said; /* all of its stdout so far */
	size_t taken;      /* of these, by proc_line() */
	struct bytes told; /* all of its stderr so far */
	bool ended;
	int status; /* as of wait(2), once it has ended */
};

/* How a process is started; all zero is the plain way. */
struct how {
	const char *const *env; /* NAME=VALUE, added to what all get */
	bool given[3];          /* 0, 1, 2 are not pipes of ours, but: */
	int fds[3];             /* these, which stay the test's; -1: closed */
	void (*prepare)(void);  /* in the new process, before it becomes one */
};

/* A test, of the group that its file is named after: TEST(name) { ... }  It is
 * in the list of all tests before main() begins. */
struct test {
	const char *name, *file;
	int line;
	void (*run)(void);
	struct test *next;
};
extern struct test *all_tests;
void harness_add(struct test *test);
#define TEST(f)                                                                \
	static void f(void);                                                   \
	__attribute__((constructor)) static void add_##f(void)                 \
	{                                                                      \
		static struct test test = {#f, __FILE__, __LINE__, f};         \
                                                                               \
		harness_add(&test);                                            \
	}                                                                      \
	static void f(void)

/* Around each test. */
int harness_setup(void **state);
int harness_teardown(void **state);

/* Once the test has ended, and before what it left is looked for. */
void after_test(void (*run)(void));

struct proc *proc_start(const char *const *argv);
struct proc *proc_start_how(const char *const *argv, const struct how *how);

/* Writes all of it.  False: nobody reads any more. */
bool proc_write(struct proc *p, const char *ptr, size_t len);
void proc_send(struct proc *p, const char *line);

/* Sends the line; the next line of its stdout. */
const char *proc_ask(struct proc *p, const char *line);

/* The next line of its stdout, with its LF; NULL: there is none any more. */
const char *proc_line(struct proc *p);

/* Nobody reads its stdout from now on: what does is returned, and may be given
 * back as p->out. */
int proc_unread(struct proc *p);

/* Waits until its stdout holds this many bytes more than were taken. */
void proc_more(struct proc *p, size_t len);

/* Waits until its stderr holds the text. */
void proc_told(struct proc *p, const char *text);

/* Waits until it has read all that was written to it. */
void proc_idle(struct proc *p);

void proc_close_in(struct proc *p);
void proc_close_out(struct proc *p);

/* Waits for its end and that of its output; the status to exit with, 128+N
 * being minus N if signal N ended it. */
int proc_wait(struct proc *p);

/* The same, whoever else may still have its output. */
int proc_end(struct proc *p);

/* Starts it, sends the input, closes, waits for the end. */
struct proc *proc_run(const char *const *argv, const char *input);

/* The process of weir itself, once there is one; where weir is preloaded, only
 * while the other one lives. */
pid_t weir_pid(const struct proc *p);

/* Where weir is preloaded: the one before the server of this pid. */
pid_t relay_of(pid_t of);

/* Waits for the end of a process that is not our child. */
int pid_open(pid_t pid);
void pid_wait(int pidfd);

/* In the test's directory: a path, a file, a file's content. */
const char *path(const char *name);
const char *file(const char *name, const char *content);
struct bytes content(const char *path);
/* JSON with ' for "; NULL stays what it is. */
const char *json(const char *text);
/* A policy, without its version and the braces around it, so spelled. */
const char *policy_text(const char *members);
const char *policy_file(const char *name, const char *members);
const char *policy_of(const char *members); /* the file "policy" */
/* A copy of a file, which is this user's, whoever has the tree. */
const char *copy_of(const char *at);
bool exists(const char *path);

/* Of a clock that never goes back. */
int64_t milliseconds(void);

/* Waits for the condition; what to say if it does not come about. */
#define await(condition, ...)                                                  \
	for (int64_t until_ = milliseconds() + DEADLINE; !(condition); nap())  \
	check(milliseconds() < until_, __VA_ARGS__)
void nap(void);

/* Waits until the file has so many bytes. */
void await_size(const char *at, size_t len);

/* Opens a FIFO to write, once somebody reads it. */
int open_fifo(const char *at);

/* printf() to a string. */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Grows a string. */
void append(struct bytes *b, const char *ptr, size_t len);
void append_text(struct bytes *b, const char *s);

/* The words of both lists. */
const char *const *join(const char *const *a, const char *const *b);

/* What follows is part of the case of this name, which a failure tells. */
void in_case(const char *name);

/* Fails the test, and says what was expected. */
#define check(condition, ...)                                                  \
	do {                                                                   \
		if (!(condition))                                              \
			check_failed(__FILE__, __LINE__, __VA_ARGS__);         \
	} while (0)
void check_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));

/* The same number? */
#define check_equal(got, want)                                                 \
	do {                                                                   \
		long long got_ = (long long)(got), want_ = (long long)(want);  \
		check(got_ == want_, "%s: %lld, and %lld was expected", #got,  \
		      got_, want_);                                            \
	} while (0)

/* The same bytes?  If not, the test fails and shows where they part. */
void check_same(const char *what, const char *got, size_t got_len,
		const char *want, size_t want_len);
void check_text(const char *what, const char *got, const char *want);
void check_status(struct proc *p, int want); /* as proc_wait() has it */
void check_end(struct proc *p, int want);    /* once its input has ended */

/* Is this all that is in the file "record", which is removed? */
void check_got(const char *want);
void check_got_bytes(struct bytes want);

/* Is each of these parts in the text? */
#define check_has(text, ...)                                                   \
	check_parts(__FILE__, __LINE__, text, WORDS(__VA_ARGS__))
void check_parts(const char *file, int line, const char *all,
		 const char *const *parts);
void check_said(const struct proc *got, const struct proc *want);

/* Skips the test that needs root for this. */
void root_only(const char *what);

/* Skips the test where a command cannot be started by these words. */
void can_only(const char *const *way);

/* Is all of it lines that begin with "weir: ", and how many? */
int weir_lines(const char *told);

#endif
