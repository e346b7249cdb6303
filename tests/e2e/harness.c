/* Processes under test.  The contract is in harness.h. */
#include "harness.h"

#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCS_MAX 1024
#define KEPT_MAX  65536

const char *weir, *server;
bool posix;

static struct proc procs[PROCS_MAX];
static char directory[64];
static size_t started; /* processes */
static const char *case_name;
static bool failed;
static void (*after)(void);

/* What was handed out, to be freed. */
static void *kept[KEPT_MAX];
static size_t kept_count;

/* ---- failing --------------------------------------------------------- */

void in_case(const char *name)
{
	case_name = name;
}

void check_failed(const char *file, int line, const char *format, ...)
{
	va_list args;

	failed = true;
	if (case_name)
		print_error("case: %s\n", case_name);
	va_start(args, format);
	vprint_error(format, args);
	va_end(args);
	print_error("\n");
	_fail(file, line);
	abort();
}

void check_same(const char *what, const char *got, size_t got_len,
		const char *want, size_t want_len)
{
	size_t at = 0, from;

	while (at < got_len && at < want_len && got[at] == want[at])
		at++;
	if (at == got_len && at == want_len)
		return;
	from = at > 60 ? at - 60 : 0;
	check(false,
	      "%s: %zu bytes, %zu expected; they part at %zu\n"
	      "  got:      %.*s\n  expected: %.*s",
	      what, got_len, want_len, at,
	      (int)(got_len - from > 200 ? 200 : got_len - from), got + from,
	      (int)(want_len - from > 200 ? 200 : want_len - from),
	      want + from);
}

void check_text(const char *what, const char *got, const char *want)
{
	got = got ? got : "(no line)";
	check_same(what, got, strlen(got), want, strlen(want));
}

void check_parts(const char *file, int line, const char *all,
		 const char *const *parts)
{
	all = all ? all : "(no line)";
	for (; *parts; parts++)
		if (!strstr(all, *parts))
			check_failed(file, line, "\"%s\" was expected: %.4000s",
				     *parts, all);
}

void check_said(const struct proc *got, const struct proc *want)
{
	check_same("stdout", got->said.ptr, got->said.len, want->said.ptr,
		   want->said.len);
}

int weir_lines(const char *told)
{
	int count = 0;

	for (; *told; count++) {
		const char *lf = strchr(told, '\n');

		check(lf && strncmp(told, "weir: ", 6) == 0,
		      "on stderr, lines that begin with \"weir: \" were "
		      "expected, not: %s",
		      told);
		told = lf + 1;
	}
	return count;
}

void root_only(const char *what)
{
	if (geteuid() == 0)
		return;
	print_message("only root can %s: skipped\n", what);
	skip();
}

void can_only(const char *const *way)
{
	if (proc_wait(proc_run(join(way, WORDS("true")), "")) == 0)
		return;
	print_message("not tried: no %s here\n", way[0]);
	skip();
}

/* ---- text and files -------------------------------------------------- */

static void *keep(void *p)
{
	check(p && kept_count < KEPT_MAX, "out of memory");
	return kept[kept_count++] = p;
}

void append(struct bytes *b, const char *ptr, size_t len)
{
	if (b->cap - b->len <= len) {
		char *more;

		b->cap = 2 * (b->len + len) + 256;
		more = keep(malloc(b->cap));
		if (b->len > 0)
			memcpy(more, b->ptr, b->len);
		b->ptr = more;
	}
	if (len > 0)
		memcpy(b->ptr + b->len, ptr, len);
	b->len += len;
	b->ptr[b->len] = '\0';
}

void append_text(struct bytes *b, const char *s)
{
	append(b, s, strlen(s));
}

const char *text(const char *format, ...)
{
	char *s = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		s = NULL;
	va_end(args);
	return keep(s);
}

const char *const *join(const char *const *a, const char *const *b)
{
	size_t count = 0;
	const char **all;

	for (const char *const *w = a; *w; w++)
		count++;
	for (const char *const *w = b; *w; w++)
		count++;
	all = keep(calloc(count + 1, sizeof(*all)));
	count = 0;
	while (*a)
		all[count++] = *a++;
	while (*b)
		all[count++] = *b++;
	return all;
}

const char *path(const char *name)
{
	return text("%s/%s", directory, name);
}

const char *file(const char *name, const char *content)
{
	const char *at = path(name);
	FILE *f = fopen(at, "we");

	check(f, "%s: %s", at, strerror(errno));
	fputs(content, f);
	fclose(f);
	return at;
}

const char *json(const char *spelled)
{
	char *all = spelled ? (char *)text("%s", spelled) : NULL;

	for (char *c = all; c && (c = strchr(c, '\''));)
		*c = '"';
	return all;
}

const char *policy_text(const char *members)
{
	return json(text("{'version':'1',%s}", members));
}

const char *policy_file(const char *name, const char *members)
{
	return file(name, policy_text(members));
}

const char *policy_of(const char *members)
{
	return policy_file("policy", members);
}

const char *copy_of(const char *at)
{
	return file(strrchr(at, '/') + 1, content(at).ptr);
}

/* As much of it as there is room for, as a string; false: there is none. */
static bool read_file(const char *at, char *buf, size_t size)
{
	FILE *f = fopen(at, "re");

	if (!f)
		return false;
	buf[fread(buf, 1, size - 1, f)] = '\0';
	fclose(f);
	return true;
}

struct bytes content(const char *path)
{
	struct bytes b = {.ptr = NULL};
	FILE *f = fopen(path, "re");
	char buf[4096];
	size_t got;

	check(f, "%s: %s", path, strerror(errno));
	append(&b, "", 0);
	while ((got = fread(buf, 1, sizeof(buf), f)) > 0)
		append(&b, buf, got);
	fclose(f);
	return b;
}

bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

void check_got_bytes(struct bytes want)
{
	struct bytes got = content(path("record"));

	check_same("what the server got", got.ptr, got.len, want.ptr, want.len);
	unlink(path("record"));
}

void check_got(const char *want)
{
	check_got_bytes(
		(struct bytes){.ptr = (char *)want, .len = strlen(want)});
}

/* ---- waiting --------------------------------------------------------- */

int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void nap(void)
{
	poll(NULL, 0, 1);
}

void await_size(const char *at, size_t len)
{
	struct stat st = {0};

	await(stat(at, &st) == 0 && (size_t)st.st_size >= len,
	      "%s: %lld bytes, not %zu", at, (long long)st.st_size, len);
}

int open_fifo(const char *at)
{
	int fd;

	await((fd = open(at, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0,
	      "nobody reads %s", at);
	return fd;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Takes in what is there. */
static void take(int *fd, struct bytes *b)
{
	static char buf[1 << 20];
	ssize_t got = read(*fd, buf, sizeof(buf));

	if (got > 0)
		append(b, buf, (size_t)got);
	else if (got == 0 || errno != EAGAIN)
		shut(fd);
}

/* Waits until something can be done with p, and takes in what it says.
 * writing: also until it can be written to, which is returned. */
static bool step(struct proc *p, bool writing, int64_t until)
{
	struct pollfd f[] = {
		{.fd = p->out, .events = POLLIN},
		{.fd = p->err, .events = POLLIN},
		{.fd = p->ended ? -1 : p->pidfd, .events = POLLIN},
		{.fd = writing ? p->in : -1, .events = POLLOUT},
	};
	int64_t left = until - milliseconds();

	check(left > 0 && poll(f, COUNT(f), (int)left) > 0,
	      "nothing happened before the deadline; stdout so far: "
	      "%.2000s\nstderr: %.2000s",
	      p->said.ptr, p->told.ptr);
	if (f[0].revents)
		take(&p->out, &p->said);
	if (f[1].revents)
		take(&p->err, &p->told);
	if (f[2].revents)
		p->ended = waitpid(p->pid, &p->status, 0) == p->pid;
	return f[3].revents;
}

bool proc_write(struct proc *p, const char *ptr, size_t len)
{
	int64_t until = milliseconds() + DEADLINE;

	while (len > 0) {
		ssize_t put = -1;

		if (p->in < 0)
			return false;
		if (!step(p, true, until))
			continue;
		put = write(p->in, ptr, len);
		if (put < 0 && errno != EAGAIN)
			shut(&p->in);
		if (put > 0) {
			ptr += put;
			len -= (size_t)put;
		}
	}
	return true;
}

void proc_send(struct proc *p, const char *line)
{
	check(proc_write(p, line, strlen(line)), "nobody reads: %.200s", line);
}

const char *proc_line(struct proc *p)
{
	int64_t until = milliseconds() + DEADLINE;
	const char *start, *lf;

	while (!(lf = memchr(p->said.ptr + p->taken, '\n',
			     p->said.len - p->taken))) {
		if (p->out < 0)
			return NULL;
		step(p, false, until);
	}
	start = p->said.ptr + p->taken;
	p->taken += (size_t)(lf + 1 - start);
	return keep(strndup(start, (size_t)(lf + 1 - start)));
}

const char *proc_ask(struct proc *p, const char *line)
{
	proc_send(p, line);
	return proc_line(p);
}

int proc_unread(struct proc *p)
{
	int out = p->out;

	p->out = -1;
	return out;
}

void proc_more(struct proc *p, size_t len)
{
	int64_t until = milliseconds() + DEADLINE;

	while (p->said.len < p->taken + len) {
		check(p->out >= 0, "there is no more output");
		step(p, false, until);
	}
}

void proc_told(struct proc *p, const char *what)
{
	int64_t until = milliseconds() + DEADLINE;

	while (!strstr(p->told.ptr, what)) {
		check(p->err >= 0, "on stderr, %s was expected, not: %s", what,
		      p->told.ptr);
		step(p, false, until);
	}
}

void proc_idle(struct proc *p)
{
	int left = 1;

	await(ioctl(p->in, FIONREAD, &left) != 0 || left <= 0,
	      "%d bytes are not read", left);
}

void proc_close_in(struct proc *p)
{
	shut(&p->in);
}

void proc_close_out(struct proc *p)
{
	shut(&p->out);
}

int proc_end(struct proc *p)
{
	int64_t until = milliseconds() + DEADLINE;

	while (!p->ended)
		step(p, false, until);
	return WIFEXITED(p->status) ? WEXITSTATUS(p->status)
				    : -WTERMSIG(p->status);
}

int proc_wait(struct proc *p)
{
	int64_t until = milliseconds() + DEADLINE;

	while (!p->ended || p->out >= 0 || p->err >= 0)
		step(p, false, until);
	shut(&p->in);
	shut(&p->pidfd);
	return proc_end(p);
}

int pid_open(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	check(pidfd >= 0, "there is no process %d", pid);
	return pidfd;
}

/* Is it a relay that takes signals, and has it a pidfd of the server? */
static bool watches(pid_t pid, pid_t of)
{
	bool takes_signals = false, has_server = false;
	char at[64], buf[512], line[32];

	snprintf(line, sizeof(line), "\nPid:\t%d\n", of);
	snprintf(at, sizeof(at), "/proc/%d/comm", pid);
	if (!read_file(at, buf, sizeof(buf)) || strcmp(buf, "weir\n") != 0)
		return false;
	for (int fd = 3; fd < 64; fd++) {
		snprintf(at, sizeof(at), "/proc/%d/fdinfo/%d", pid, fd);
		if (!read_file(at, buf, sizeof(buf)))
			continue;
		takes_signals |= strstr(buf, "\nsigmask:") != NULL;
		has_server |= strstr(buf, line) != NULL;
	}
	return takes_signals && has_server;
}

/* Of the processes that came to us when their parents ended. */
static pid_t find_relay(pid_t of)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	bool found = false;
	pid_t pid = 0;

	check(f, "no children: %s", strerror(errno));
	while (!found && fscanf(f, "%d", &pid) == 1)
		found = watches(pid, of);
	fclose(f);
	return found ? pid : 0;
}

pid_t relay_of(pid_t of)
{
	pid_t pid;

	await((pid = find_relay(of)) != 0, "%d has no relay", of);
	return pid;
}

pid_t weir_pid(const struct proc *p)
{
	return preload ? relay_of(p->pid) : p->pid;
}

void pid_wait(int pidfd)
{
	struct pollfd f = {.fd = pidfd, .events = POLLIN};

	check(poll(&f, 1, END_DEADLINE) == 1, "the process lives on");
	close(pidfd);
}

void check_status(struct proc *p, int want)
{
	int status;

	/* For its first request, a weir that cannot start waits a second. */
	if (want >= 125 && want <= 127)
		proc_close_in(p);
	status = proc_wait(p);
	check(status == want,
	      "it ended with %d, and %d was expected; stderr: %.900s", status,
	      want, p->told.ptr);
}

void check_end(struct proc *p, int want)
{
	proc_close_in(p);
	check_status(p, want);
}

/* ---- starting -------------------------------------------------------- */

static bool sets(const char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return true;
	return false;
}

/* Nothing of the tester's own environment, but for the sanitizers' options.
 * State goes to the test's directory, for each process to a place of its own:
 * those that shall share it name it themselves. */
static char **environment(const char *const *more)
{
	static const char *const names[] = {"HOME", "XDG_STATE_HOME", "PATH",
					    "ASAN_OPTIONS", "UBSAN_OPTIONS"};
	const char *words[COUNT(names) + 1] = {NULL};
	const char *home = text("%s/home-%zu", directory, started++);
	size_t count = 0;

	for (size_t i = 0; i < COUNT(names); i++) {
		const char *value = i < 2 ? home : getenv(names[i]);

		if (value && !sets(more, names[i]))
			words[count++] = text("%s=%s", names[i], value);
	}
	return (char **)join(words, more ? more : WORDS(NULL));
}

/* In the new process, which gets nothing from us but what a test says.
 * Descriptors go through high numbers, so that none is overwritten before it
 * is used. */
static void become(const char *const *argv, const struct how *how,
		   const int fds[3], char **env)
{
	sigset_t none;
	int high[3];

	for (int number = 1; number < SIGRTMIN; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 0; i < 3; i++)
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
	for (int i = 0; i < 3; i++) {
		if (high[i] >= 0)
			dup2(high[i], i);
		else
			close(i);
	}
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	if (how->prepare)
		how->prepare();
	execvpe(argv[0], (char *const *)argv, env);
	_exit(99);
}

static struct proc *free_place(void)
{
	for (int i = 0; i < PROCS_MAX; i++)
		if (procs[i].pid == 0)
			return &procs[i];
	check(false, "too many processes");
}

struct proc *proc_start_how(const char *const *argv, const struct how *how)
{
	struct proc *p = free_place();
	const char *const *more = how->env;
	char **env;
	int pipes[3][2], theirs[3], ours[3];

	way_apply(&argv, &more);
	env = environment(more);
	for (int i = 0; i < 3; i++) {
		theirs[i] = how->given[i] ? how->fds[i] : -1;
		ours[i] = -1;
		if (how->given[i])
			continue;
		check(pipe2(pipes[i], O_CLOEXEC) == 0, "pipe2");
		theirs[i] = pipes[i][i != 0];
		ours[i] = pipes[i][i == 0];
		fcntl(ours[i], F_SETFL, O_NONBLOCK);
	}
	*p = (struct proc){.in = ours[0], .out = ours[1], .err = ours[2]};
	append(&p->said, "", 0);
	append(&p->told, "", 0);
	p->pid = fork();
	check(p->pid >= 0, "fork: %s", strerror(errno));
	if (p->pid == 0)
		become(argv, how, theirs, env);
	p->pidfd = pid_open(p->pid);
	for (int i = 0; i < 3; i++)
		if (!how->given[i])
			close(theirs[i]);
	return p;
}

struct proc *proc_start(const char *const *argv)
{
	return proc_start_how(argv, &(struct how){.env = NULL});
}

struct proc *proc_run(const char *const *argv, const char *input)
{
	struct proc *p = proc_start(argv);

	proc_write(p, input, strlen(input));
	proc_close_in(p);
	proc_wait(p);
	return p;
}

/* ---- around each test ------------------------------------------------ */

struct test *all_tests;

void harness_add(struct test *test)
{
	test->next = all_tests;
	all_tests = test;
}

void after_test(void (*run)(void))
{
	after = run;
}

int harness_setup(void **state)
{
	(void)state;
	case_name = NULL;
	failed = false;
	strcpy(directory, "/tmp/weir-test-XXXXXX");
	/* What outlives its parent comes to us, to be ended. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_one(const char *at, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(at);
}

/* Of the processes that were started, or came to us, one; 0: there is none. */
static pid_t any_child(void)
{
	FILE *f = fopen(text("/proc/self/task/%d/children", getpid()), "re");
	int pid = 0;

	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

static void kill_children(void)
{
	pid_t pid;

	while ((pid = any_child()) > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* What a process started must not outlive it: no test may leave one behind.
 * Waits until all have ended. */
static bool none_left(void)
{
	int64_t until = milliseconds() + END_DEADLINE;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (milliseconds() > until)
			return false;
		if (pid == 0)
			poll(NULL, 0, 1);
	}
	return true;
}

static void end(struct proc *p)
{
	shut(&p->in);
	shut(&p->out);
	shut(&p->err);
	shut(&p->pidfd);
	p->pid = 0;
}

int harness_teardown(void **state)
{
	bool none;

	(void)state;
	if (after)
		after();
	after = NULL;
	for (int i = 0; i < PROCS_MAX; i++)
		if (procs[i].pid > 0 && !procs[i].ended) {
			kill(procs[i].pid, SIGKILL);
			waitpid(procs[i].pid, NULL, 0);
		}
	for (int i = 0; i < PROCS_MAX; i++)
		if (procs[i].pid > 0)
			end(&procs[i]);
	none = failed || none_left();
	if (!none)
		print_error("a process was left behind\n");
	kill_children();
	while (kept_count > 0)
		free(kept[--kept_count]);
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return none ? 0 : -1;
}
