/*
 * Limits of a grant: through restarts, in several processes at once, with a
 * state directory that is right, wrong, or damaged meanwhile.
 */
#include "answers.h"
#include "fields.h"
#include "way.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMITED(limits)                                                        \
	"'default':'allow','tools':{'echo':{'limits':[" limits "]}}"
#define RATE(rate)                                                             \
	"'default':'allow','tools':{'echo':{'rate_limit':'" rate "'}}"
#define UNCOUNTED "the call limit cannot be checked right now"

/* weir with this policy; all share their state. */
static struct proc *start(const char *policy)
{
	return proc_start(WORDS(weir, "-s", path("state"), "-g", "g", "-p",
				policy_of(policy), "--", server));
}

/* How many calls pass, up to 20. */
static int spend(struct proc *p)
{
	int count = 0;

	do
		proc_send(p, call("1", "echo"));
	while (!from_weir(proc_line(p)) && ++count < 20);
	return count;
}

static void end(struct proc *p)
{
	check_end(p, 0);
	check_text("stderr", p->told.ptr, "");
}

/* ---- at all times, and in all processes --------------------------------- */

TEST(anew_for_each_call)
{
	for (int i = 0; i < 13; i++) {
		struct proc *p = start(RATE("10/minute"));

		proc_send(p, call("7", "echo"));
		if (i < 10)
			check(!from_weir(proc_line(p)), "%d should pass", i);
		else
			check_limited(proc_line(p), "7",
				      "/tools/echo/rate_limit",
				      "at most 10 calls a minute");
		/* Half of them are killed. */
		if (i % 2)
			end(p);
		else
			kill(p->pid, SIGKILL);
		proc_wait(p);
	}
}

TEST(two_at_once)
{
	struct proc *p = start(RATE("5/minute")), *q = start(RATE("5/minute"));

	for (int i = 0; i < 8; i++) {
		struct proc *one = i % 2 ? p : q;

		check_equal(from_weir(proc_ask(one, call("1", "echo"))),
			    i >= 5);
	}
	end(p);
	end(q);
}

/* Clocks since boot that differ, also where the number of a namespace that has
 * ended was given to the next: no call passes again. */
TEST(time_namespaces)
{
	static const char *const boots[] = {"1000000", "0",      "-1000",
					    "500",     "100000", "0"};

	for (size_t i = 0; i < COUNT(boots); i++) {
		const char *const *way =
			WORDS("unshare", "--time", "--boottime", boots[i],
			      "--fork", geteuid() == 0 ? "--" : "-r");
		struct proc *p;

		in_case(boots[i]);
		can_only(way);
		p = proc_start(join(
			way, WORDS(weir, "-s", path("state"), "-g", "g", "-p",
				   policy_of(RATE("2/minute")), "--", server)));
		check_equal(spend(p), i == 0 ? 2 : 0);
		check_end(p, 0);
	}
}

/* What is told is true: just then, and not before. */
TEST(the_wait_that_is_told)
{
	struct proc *p = start(LIMITED("{'max':1,'window':1}"));
	struct proc *q = start(LIMITED("{'max':1,'window':1}"));
	int64_t before, after, told;

	/* Both are up: what a start takes would be off the second. */
	ping(q, "1");
	before = milliseconds();
	check_equal(spend(p), 1);
	proc_send(q, call("1", "echo"));
	told = strtol(field(proc_line(q), "result._meta.weir/retryAfterMs"),
		      NULL, 10);
	after = milliseconds();
	check(told > 0 && told <= 1000, "%lld ms", (long long)told);
	/* Of both times the rest of a millisecond was cut off. */
	while (milliseconds() <= after + told)
		poll(NULL, 0, 1);
	check_passes(q, call("1", "echo"));
	check(milliseconds() - before >= 1000, "too soon");
}

/* Another policy, after a start or a reload, and what it has still to give. */
static const struct {
	const char *before, *after;
	int spent, left;
} changes[] = {
	{RATE("5/minute"), RATE("8/minute"), 5, 3},
	{RATE("5/minute"), RATE("3/minute"), 5, 0},
	/* Without a name, a limit of another window is another count. */
	{RATE("5/minute"), RATE("5/hour"), 5, 5},
	{LIMITED("{'counter':'a','max':5,'window':60}"),
	 LIMITED("{'counter':'a','max':7,'window':'week'}"), 5, 2},
	{LIMITED("{'counter':'a','max':2,'window':60}"),
	 LIMITED("{'counter':'b','max':2,'window':60}"), 2, 2},
	{LIMITED("{'counter':'a','max':2,'window':60}"),
	 LIMITED("{'counter':'a','max':3,'window':60,'scope':'session'}"), 2,
	 3},
	{LIMITED("{'counter':'a','max':2,'window':60,'increment_from':"
		 "'args.n'}"),
	 LIMITED("{'counter':'a','max':5,'window':90,'increment_from':"
		 "'args.n'}"),
	 2, 3},
};

TEST(policy_changes)
{
	for (size_t i = 0; i < 2 * COUNT(changes); i++) {
		const char *before = changes[i / 2].before;
		const char *after = changes[i / 2].after;
		const char *at = policy_of(before);
		const char *dir = path(text("state-%zu", i));
		struct proc *p = proc_start(
			WORDS(weir, "-s", dir, "-p", at, "--", server));

		in_case(after);
		check_equal(spend(p), changes[i / 2].spent);
		policy_of(after);
		if (i % 2) {
			end(p);
			p = proc_start(
				WORDS(weir, "-s", dir, "-p", at, "--", server));
		} else {
			kill(weir_pid(p), SIGHUP);
			proc_told(p, "policy reloaded");
		}
		check_equal(spend(p), changes[i / 2].left);
	}
}

/* ---- which grant, and where ------------------------------------------------
 */

/* Each row has spent its only call, and the next one on the same state finds
 * it spent if it is of the same grant. */
TEST(names)
{
	const char *a = policy_file("a", RATE("1/day")),
		   *b = policy_file("b", RATE("1/day"));
	const char *link = path("link"), *dir = path("state");
	const struct {
		const char *words[4], *env;
		int left;
	} rows[] = {
		{{"-p", a}, NULL, 1},
		{{"-p", a}, NULL, 0},
		{{"-p", link}, NULL, 0}, /* to a */
		{{"-p", b}, NULL, 1},
		{{"-p", b, "-p", a}, NULL, 0},
		{{"-p", a, "-p", b}, NULL, 0},
		{{"-p", a, "-g", "one"}, NULL, 1},
		{{"-p", b, "-g", "one"}, NULL, 0},
		{{"-p", b, "--grant", "one "}, NULL, 1},
		{{"-p", b, "-g", "One"}, NULL, 1},
		{{"-p", a}, "WEIR_GRANT=one", 0},
		{{"-p", a, "-g", "two"}, "WEIR_GRANT=one", 1},
		{{"-p", b}, "WEIR_GRANT=two", 0},
		{{"-p", b}, "WEIR_GRANT=", 0}, /* none: that of b */
		{{"-p", b, "-g", "../../../x"}, NULL, 1},
		{{"-p", b, "-g", "../../../x"}, NULL, 0},
		{{"-p", b, "-g", a}, NULL, 0}, /* as its path */
	};

	check_equal(symlink(a, link), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct how how = {.env = rows[i].env ? WORDS(rows[i].env)
						     : WORDS(NULL)};
		const char *const *w = rows[i].words;
		struct proc *p = proc_start_how(
			w[2] ? WORDS(weir, "-s", dir, w[0], w[1], w[2], w[3],
				     "--", server)
			     : WORDS(weir, "-s", dir, w[0], w[1], "--", server),
			&how);

		in_case(text("row %zu", i));
		check_equal(spend(p), rows[i].left);
		end(p);
	}
	check(!exists(path("../x.limits")), "outside");
}

static size_t limit_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	size_t count = 0;

	if (!d)
		return 0;
	while ((e = readdir(d))) {
		if (!strstr(e->d_name, ".limits"))
			continue;
		check_equal(stat(text("%s/%s", dir, e->d_name), &st), 0);
		check_equal(st.st_mode & 07777, 0600);
		count++;
	}
	closedir(d);
	check_equal(stat(dir, &st), 0);
	check_equal(st.st_mode & 07777, 0700);
	return count;
}

TEST(places)
{
	const char *policy = policy_of(RATE("1/day"));
	/* They are started in another directory. */
	char program[PATH_MAX], served[PATH_MAX];
	const char *h = text("HOME=%s", path("h"));
	const char *x = text("XDG_STATE_HOME=%s", path("x"));
	const char *w = text("WEIR_STATE=%s", path("w"));
	const char *n = text("HOME=%s", path("none"));
	const struct {
		const char *env[4], *option;
		const char *dir; /* NULL: none */
	} rows[] = {
		{{h, x, w}, "s/a/b", "s/a/b"},
		{{h, x, w}, "/s", "s/c"},
		{{h, x, w}, NULL, "w"},
		{{h, x, "WEIR_STATE=rel"}, NULL, "rel"},
		{{h, x, "WEIR_STATE="}, NULL, "x/weir"},
		{{h, x}, NULL, "x/weir"},
		{{h, "XDG_STATE_HOME=x"}, NULL, "h/.local/state/weir"},
		{{h, "XDG_STATE_HOME="}, NULL, "h/.local/state/weir"},
		{{h}, NULL, "h/.local/state/weir"},
		{{x}, NULL, "x/weir"},
		{{w}, NULL, "w"},
		{{NULL}, "s/a", "s/a"},
		{{NULL}, NULL, NULL},
		{{"HOME="}, NULL, NULL},
		{{"HOME=h", "XDG_STATE_HOME=x"}, NULL, NULL},
		{{n}, NULL, NULL},
		{{"HOME=/dev/null"}, NULL, NULL},
		{{h}, "./a:b", "a:b"},
	};

	check(realpath(weir, program) && realpath(server, served), "realpath");
	check_equal(mkdir(path("h"), 0700), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const *e = rows[i].env;
		const char *const clean[] = {
			"env", "-u",     "HOME", "-u", "XDG_STATE_HOME",
			"-C",  path(""), NULL};
		const char *option = rows[i].option;
		const char *const *words = join(clean, e);
		struct proc *p;
		size_t before;

		in_case(text("row %zu", i));
		if (option && *option == '/')
			option = path("s/c");
		words = join(words, option ? WORDS(program, "-s", option)
					   : WORDS(program));
		before = rows[i].dir ? limit_files(path(rows[i].dir)) : 0;
		p = proc_start(join(words, WORDS("-g", text("%zu", i), "-p",
						 policy, "--", served)));
		if (rows[i].dir) {
			check_equal(spend(p), 1);
			end(p);
			check(limit_files(path(rows[i].dir)) == before + 1,
			      "no file in %s", rows[i].dir);
			continue;
		}
		check_status(p, 125);
		check_has(p->told.ptr, "no state directory", "for the counters",
			  "HOME is ", "-s DIR or in WEIR_STATE");
		check(!exists(path("none")) && !exists(path("~")),
		      "it was made");
		/* It is not needed by limits of a session. */
		p = proc_start(join(
			words,
			WORDS("-p",
			      policy_file(
				      "session",
				      LIMITED("{'max':1,'window':60,'scope':"
					      "'session'}")),
			      "--", served)));
		check_equal(spend(p), 1);
		end(p);
	}
}

/* Root could make its state in anybody's home. */
TEST(home_of_another)
{
	const char *home = text("HOME=%s", path("h"));
	const char *const *command =
		WORDS("env", "-u", "XDG_STATE_HOME", home, weir, "-p",
		      policy_of(RATE("1/day")), "--", server);
	struct proc *p;

	root_only("give a home away");
	check_equal(mkdir(path("h"), 0700), 0);
	check_equal(chown(path("h"), 12345, 12345), 0);
	p = proc_run(command, "");
	check_status(p, 125);
	check_has(p->told.ptr, "HOME belongs to another user", "-s DIR");
	check(!exists(path("h/.local")), "it was made");
	check_equal(chown(path("h"), 0, 0), 0);
	p = proc_run(command, "");
	check_status(p, 0);
	check(exists(path("h/.local/state/weir")), "it was not made");
}

TEST(empty_names)
{
	const char *policy = policy_of(RATE("1/day"));
	struct proc *p;

	prefix_only("an empty variable is none");
	p = proc_run(WORDS(weir, "-g", "", "-p", policy, "--", server), "");
	check_status(p, 125);
	check_has(p->told.ptr, "--grant: the name is empty");
	p = proc_run(WORDS(weir, "-s", "", "-p", policy, "--", server), "");
	check_status(p, 125);
	check_has(p->told.ptr, "--state: the name is empty");
	p = proc_run(WORDS(weir, "-s"), "");
	check_status(p, 125);
}

/* ---- what goes wrong
 * --------------------------------------------------------- */

static void no_files(void)
{
	struct rlimit limit = {150, RLIM_INFINITY};

	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
}

/* Nothing runs, and why is told. */
static void no_start(const char *dir, const char *words, void (*prepare)(void))
{
	struct how how = {.prepare = prepare};
	const char *ran = path("ran");
	struct proc *p = proc_start_how(WORDS(weir, "-s", dir, "-g", "g", "-p",
					      policy_of(RATE("1/day")), "--",
					      "touch", ran),
					&how);

	in_case(words);
	check_status(p, 125);
	/* What measures coverage has something to say of a disk that is full.
	 */
	check(prepare || weir_lines(p->told.ptr) == 1, "%s", p->told.ptr);
	check_has(p->told.ptr, words);
	check(!exists(ran), "it ran");
}

TEST(wrong_from_the_start)
{
	const char *dir = path("state"), *limits = path("state/g.limits");
	FILE *f;

	no_start(file("file", ""), "Not a directory", NULL);
	no_start("/proc/weir/a",
		 "cannot create /proc/weir/a (counters for limits): No such "
		 "file or directory; name another directory with -s DIR",
		 NULL);
	no_start(dir, "cannot write", no_files);
	end(start(RATE("1/day")));
	check_equal(chmod(dir, 0777), 0);
	no_start(dir, "is open to other users", NULL);
	check_equal(chmod(dir, 0700), 0);
	check_equal(chmod(limits, 0604), 0);
	no_start(dir, "is open to other users", NULL);
	check_equal(chmod(limits, 0600), 0);
	f = fopen(limits, "r+");
	check(f, "no file");
	fseek(f, 24, SEEK_SET);
	putc(255, f);
	fclose(f);
	no_start(dir, "is damaged: remove it to start over", NULL);
	check_equal(truncate(limits, 30), 0);
	no_start(dir, "remove it to start over", NULL);
	unlink(limits);
	check_equal(mkfifo(limits, 0600), 0);
	no_start(dir, "is not a regular file", NULL);
}

/* A file is looked at anew once a millisecond has gone by. */
static void until_it_is_looked_at(void)
{
	int64_t start = milliseconds();

	while (milliseconds() < start + 2)
		poll(NULL, 0, 1);
}

/* Calls under a limit of the grant are refused, all else goes on; it is told
 * once, and when it is over. */
static void check_troubled(struct proc *p, const char *words)
{
	until_it_is_looked_at();
	for (int i = 0; i < 3; i++) {
		check_refused(proc_ask(p, call("1", "echo")), "1", false,
			      "/tools/echo/rate_limit", UNCOUNTED);
		check_passes(p, call("2", "add"));
		ping(p, "3");
	}
	proc_told(p, words);
	check_equal(weir_lines(p->told.ptr), 1);
	check_has(p->told.ptr, "refusing calls");
}

static void check_over(struct proc *p, int left)
{
	until_it_is_looked_at();
	check_equal(spend(p), left);
	proc_told(p, "limits can be checked again");
	check_end(p, 0);
	check_equal(weir_lines(p->told.ptr), 2);
}

TEST(wrong_while_running)
{
	const char *limits = path("state/g.limits"), *away = path("away");
	const char *log = path("log"), *at, *line;
	int refused = 0;
	struct proc *p = proc_start(
		WORDS(weir, "-s", path("state"), "-g", "g", "-l", log, "-p",
		      policy_of(RATE("5/day")), "--", server));

	for (int i = 0; i < 3; i++)
		check_passes(p, call("1", "echo"));
	check_equal(rename(limits, away), 0);
	check_equal(mkdir(limits, 0700), 0);
	check_troubled(p, "cannot open");
	check_equal(rmdir(limits), 0);
	check_equal(rename(away, limits), 0);
	check_over(p, 2);
	for (at = content(log).ptr; (line = next_line(&at));)
		if (strstr(line, UNCOUNTED)) {
			check_field(line, "verdict", "refused");
			check_field(line, "rule", "/tools/echo/rate_limit");
			refused++;
		}
	check_equal(refused, 3);
}

TEST(damaged_while_running)
{
	const char *limits = path("state/g.limits");
	struct proc *p = start(RATE("5/day"));
	struct bytes whole;
	int fd;

	check_passes(p, call("1", "echo"));
	whole = content(limits);
	check_equal(truncate(limits, 30), 0);
	check_troubled(p, "remove it to start over");
	fd = open(limits, O_WRONLY);
	check(write(fd, whole.ptr, whole.len) == (ssize_t)whole.len, "write");
	close(fd);
	check_over(p, 4);
}

/* As on a disk that is full: what is there cannot be written to. */
TEST(full_while_running)
{
	struct rlimit little = {100, RLIM_INFINITY};
	struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
	struct proc *p;

	p = proc_start_how(WORDS("sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh",
				 weir, "-s", path("state"), "-g", "g", "-p",
				 policy_of(RATE("5/day")), "--", server),
			   &(struct how){.env = NULL});
	ping(p, "1");
	check_equal(prlimit(p->pid, RLIMIT_FSIZE, &little, NULL), 0);
	check_troubled(p, "cannot write");
	check_equal(prlimit(p->pid, RLIMIT_FSIZE, &more, NULL), 0);
	check_over(p, 5);
}

/* Another process was stopped while it had the lock. */
TEST(locked_while_running)
{
	struct proc *p = start(RATE("5/day"));
	int fd;

	ping(p, "1");
	fd = open(path("state/g.limits"), O_RDWR | O_CLOEXEC);
	check_equal(flock(fd, LOCK_EX), 0);
	check_troubled(p, "is locked by another process");
	close(fd);
	check_over(p, 5);
}

/* ---- many at once
 * ------------------------------------------------------------- */

#define CLIENTS 8
#define MAX     200
#define WINDOW  1000000000LL
#define KILLED  10 /* ms that the ninth lives */

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The client's end of a weir with a server. */
struct client {
	pid_t pid;
	int in, out;
};

static struct client client_start(const char *const *argv)
{
	struct client c;
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		_exit(9);
	c.pid = fork();
	if (c.pid < 0)
		_exit(9);
	if (c.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execv(argv[0], (char *const *)argv);
		_exit(9);
	}
	close(in[0]);
	close(out[1]);
	c.in = in[1];
	c.out = out[0];
	return c;
}

/* One call, which tells when it was sent.  False: it was not answered until
 * then. */
static bool client_call(const struct client *c, int64_t until)
{
	char buf[4096];
	struct pollfd p = {.fd = c->out, .events = POLLIN};
	int len = snprintf(buf, sizeof(buf),
			   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
			   "\"tools/call\",\"params\":{\"name\":\"echo\","
			   "\"arguments\":{\"sent\":\"%lld\"}}}\n",
			   (long long)now());
	size_t got = 0;

	if (write(c->in, buf, (size_t)len) != len)
		_exit(9);
	while (got == 0 || buf[got - 1] != '\n') {
		int64_t left = (until - now()) / 1000000;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) != 1)
			return false;
		n = read(c->out, buf + got, sizeof(buf) - got);
		if (n <= 0)
			_exit(9);
		got += (size_t)n;
	}
	return true;
}

static void client_end(struct client *c)
{
	int status;

	close(c->in);
	close(c->out);
	if (waitpid(c->pid, &status, 0) != c->pid)
		_exit(9);
}

/* In a process of its own: one call after another. */
static void hammer(const char *const *argv, int64_t until, bool killed)
{
	while (now() < until) {
		struct client c = client_start(argv);
		int64_t end = killed ? now() + KILLED * 1000000 : until;

		while (now() < end)
			if (!client_call(&c,
					 killed ? end : until + 20 * WINDOW))
				break;
		if (killed)
			kill(c.pid, SIGKILL);
		client_end(&c);
	}
	_exit(0);
}

static int ascending(const void *a, const void *b)
{
	const int64_t *m = a, *n = b;

	return (*m > *n) - (*m < *n);
}

/* The server's record: when each call was sent, and when it came.  What was
 * decided lies between, so whatever the order was, each window holds. */
static size_t check_record(const char *record, int seconds)
{
	struct bytes b = content(record);
	size_t count = count_lines(b.ptr);
	int64_t *sent = calloc(2 * count + 1, sizeof(*sent));
	int64_t *came = sent + count, least = INT64_MAX;
	char *at = b.ptr;

	check(sent && count > MAX, "%zu calls", count);
	for (size_t i = 0; i < count; i++) {
		sent[i] = strtoll(at, &at, 10);
		came[i] = strtoll(at, &at, 10);
		check(sent[i] < came[i] && *at++ == '\n', "line %zu", i);
	}
	qsort(sent, count, sizeof(*sent), ascending);
	qsort(came, count, sizeof(*came), ascending);
	for (size_t i = 0; i + MAX < count; i++)
		if (came[i + MAX] - sent[i] < least)
			least = came[i + MAX] - sent[i];
	check(least >= WINDOW, "%d calls in %lld ns", MAX + 1,
	      (long long)least);
	if (getenv("HAMMER_SECONDS"))
		print_message(
			"%zu calls in %d s: %.2f a second after the first "
			"%d; %d calls and one more took %lld ns at least\n",
			count, seconds,
			(double)(count - MAX) * WINDOW /
				(double)(came[count - 1] - came[0]),
			MAX, MAX, (long long)least);
	free(sent);
	return count;
}

/* Starts them, and waits until all that descends from them has ended: it has
 * their stderr. */
static void hammer_all(int clients, int killed, int seconds)
{
	const char *const *argv =
		WORDS(weir, "-s", path("state"), "-g", "g", "-p",
		      policy_of(LIMITED("{'max':200,'window':1}")), "--",
		      server, "--stamps", path("record"));
	int64_t until = now() + seconds * WINDOW;
	struct pollfd p = {.events = POLLIN};
	char said[512];
	ssize_t got = -1;
	pid_t pids[CLIENTS + 1];
	int fds[2], status;

	check_equal(pipe2(fds, O_CLOEXEC), 0);
	for (int i = 0; i < clients + killed; i++) {
		pids[i] = fork();
		check(pids[i] >= 0, "fork");
		if (pids[i] > 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], 2);
		hammer(argv, until, i >= clients);
	}
	close(fds[1]);
	p.fd = fds[0];
	if (poll(&p, 1, seconds * 1000 + DEADLINE) == 1)
		got = read(fds[0], said, sizeof(said) - 1);
	close(fds[0]);
	for (int i = 0; i < clients + killed; i++)
		check(waitpid(pids[i], &status, 0) > 0 && status == 0,
		      "status %d", status);
	said[got > 0 ? got : 0] = '\0';
	check(got == 0, "on stderr: %s", said);
}

/* At least so much of what is allowed has passed, in percent. */
static void check_hammered(int killed, size_t percent)
{
	const char *given = getenv("HAMMER_SECONDS");
	int seconds = given ? (int)strtol(given, NULL, 10) : 2;
	size_t count;

	hammer_all(CLIENTS, killed, seconds);
	count = check_record(path("record"), seconds);
	check(count * 100 >= (size_t)(seconds * MAX) * percent,
	      "only %zu calls in %d s", count, seconds);
}

TEST(hammer_at_once)
{
	check_hammered(0, 99);
}

/* What it had counted, and nobody was told, is lost. */
TEST(hammer_while_one_is_killed)
{
	check_hammered(1, 90);
}
