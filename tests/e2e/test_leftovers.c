/*
 * Nobody is left behind, whoever goes first.
 *
 * Each way in which a session can end meets each kind of server.  Once weir has
 * ended nothing is left of the server and of what it started, not even a
 * zombie; when it was killed, soon after.  Where something stays nevertheless,
 * it stays without weir as well, which is shown beside it.
 *
 * A relay that was preloaded is not the server's parent.  It is gone soon after
 * the process that was started, and no more stays than without it.
 */
#include "answers.h"
#include "ends.h"
#include "processes.h"
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Milliseconds from the cause until nobody is left: one second is for what
 * takes no notice of SIGTERM, the rest for a machine that is busy. */
#define BOUND (2 * END_DEADLINE)

/* ---- every cause with every server ----------------------------------- */

enum cause {
	INPUT_ENDS,    /* the client closes its end of stdin */
	CLIENT_DIES,   /* of both */
	WEIR_TERM,     /* weir is sent SIGTERM; without it, the server */
	WEIR_INT,      /* the same, SIGINT */
	WEIR_KILL,     /* the same, SIGKILL */
	SERVER_KILLED, /* what answers is killed, not what was started */
	CAUSES
};

static const char *const cause_names[CAUSES] = {
	"the input ends", "the client dies", "SIGTERM",
	"SIGINT",         "SIGKILL",         "the server is killed",
};

#define ENDS    (1 << INPUT_ENDS | 1 << CLIENT_DIES)
#define SIGNALS (1 << WEIR_TERM | 1 << WEIR_INT)
#define KILL    (1 << WEIR_KILL)

/* $0 is the server, $1 a script that starts itself again, ever deeper. */
static const struct shape {
	const char *name;
	const char *script;
	int others; /* processes beside the one that is started */
	int stays;  /* causes after which something stays; without weir too */
} shapes[] = {
	{"a server", "exec \"$0\" --report", 0, 0},
	{"takes no notice of the end", "exec \"$0\" --report --ignore-eof", 0,
	 ENDS},
	/* A shell waits for its child, whatever SIGINT says. */
	{"a shell before it", "\"$0\" --report; exit $?", 1, 1 << WEIR_INT},
	{"two shells before it",
	 "sh -c '\"$0\" --report; exit $?' \"$0\"; exit $?", 2, 1 << WEIR_INT},
	{"a shell, and no notice of the end",
	 "\"$0\" --report --ignore-eof; exit $?", 1,
	 ENDS | KILL | 1 << WEIR_INT},
	{"a helper in the background", "sleep 1000 & exec \"$0\" --report", 1,
	 KILL},
	{"a helper in a session of its own",
	 "setsid sleep 1000 & exec \"$0\" --report", 1, KILL},
	{"a daemon", "(setsid sleep 1000 &) ; exec \"$0\" --report", 1, KILL},
	{"dead children, not waited for",
	 "true & true & sh -c 'sleep 1000 & true' & exec \"$0\" --report", 4,
	 KILL},
	{"many helpers",
	 "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do "
	 "sleep 1000 & done; exec \"$0\" --report",
	 16, KILL},
	{"takes no notice of signals",
	 "trap '' TERM INT; sleep 1000 & exec \"$0\" --report", 1,
	 SIGNALS | KILL},
	{"takes no notice of anything",
	 "trap '' TERM INT; sleep 1000 & exec \"$0\" --report --ignore-eof", 1,
	 ENDS | SIGNALS | KILL},
	{"deep, and no notice of signals",
	 "(trap '' TERM INT; exec \"$1\" 30) & exec \"$0\" --report", 31, KILL},
};

#define BATCH 5 /* shapes side by side */

static const char *deep_script(void)
{
	static const char script[] = "#!/bin/sh\n"
				     "[ $1 = 0 ] && exec sleep 1000\n"
				     "\"$0\" $(($1 - 1))\n"
				     "exit 0\n";
	const char *at = file("deep", script);

	chmod(at, 0700);
	return at;
}

/* The case, in the environment of all that belongs to it. */
static const char *mark(const struct shape *shape, enum cause cause,
			bool behind)
{
	return text("CASE=%s%s: %s", behind ? "" : "without weir, ",
		    shape->name, cause_names[cause]);
}

static struct proc *start(const struct shape *shape, enum cause cause,
			  bool behind)
{
	const char *name = mark(shape, cause, behind);
	struct how how = {.env = WORDS(name)};
	const char *const *command =
		WORDS("sh", "-c", shape->script, server, path("deep"));

	in_case(name + 5);
	return proc_start_how(behind ? behind_weir(command) : command, &how);
}

static void make_happen(struct proc *p, enum cause cause, pid_t pid)
{
	switch (cause) {
	case CLIENT_DIES:
		proc_close_out(p);
		proc_close_in(p);
		break;
	case INPUT_ENDS:
		proc_close_in(p);
		break;
	case WEIR_TERM:
		kill(p->pid, SIGTERM);
		break;
	case WEIR_INT:
		kill(p->pid, SIGINT);
		break;
	case WEIR_KILL:
		kill(p->pid, SIGKILL);
		break;
	case SERVER_KILLED:
		kill(pid, SIGKILL);
		break;
	case CAUSES:
		break;
	}
}

/* How many processes are part of the case: those that we started, those that
 * were left to us, and all below them. */
static int members(const char *beginning)
{
	static char list[1 << 16], environ[1 << 12];
	char *next = list, *end;
	int count = 0;
	size_t got;
	long pid;

	proc_read(getpid(), "children", list, sizeof(list));
	while ((pid = strtol(next, &end, 10)) > 0) {
		next = end;
		got = proc_read((pid_t)pid, "environ", environ,
				sizeof(environ));
		/* A zombie has none. */
		if (memmem(environ, got, beginning, strlen(beginning)))
			count += 1 + descendants_of((pid_t)pid);
	}
	return count;
}

/* Everything that the shape has is there; then it happens. */
static void end_session(const struct shape *shape, enum cause cause,
			struct proc *p, bool behind)
{
	const char *beginning = mark(shape, cause, behind);
	pid_t pid = server_pid(p);

	await(members(beginning) == shape->others + 1 + behind,
	      "%d processes, not %d", members(beginning),
	      shape->others + 1 + behind);
	make_happen(p, cause, pid);
}

/* Nobody of it is left when weir ends; if that was killed, soon. */
static void check_ended(const struct shape *shape, enum cause cause,
			struct proc *p, int64_t until)
{
	const char *beginning = mark(shape, cause, true);

	in_case(beginning + 5);
	proc_wait(p);
	while (members(beginning) > 0) {
		check(cause == WEIR_KILL, "it left a process behind");
		check(milliseconds() < until, "what it left behind lives on");
		poll(NULL, 0, 1);
	}
	check(milliseconds() < until, "it took too long");
}

static bool stays(const struct shape *shape, enum cause cause)
{
	return shape->stays >> cause & 1;
}

/* A case, with weir and without. */
struct pair {
	struct proc *behind;
	struct proc *plain; /* NULL: it has nothing to show */
	int relay;          /* where weir is preloaded: its pidfd */
};

/* Waits until no more is left than without weir. */
static void await_as_few(const struct shape *shape, enum cause cause, int more,
			 int64_t until)
{
	const char *with = mark(shape, cause, true);
	const char *without = mark(shape, cause, false);

	while (members(with) > members(without) + more) {
		check(milliseconds() < until, "%d stay, and %d without weir",
		      members(with) - more, members(without));
		poll(NULL, 0, 1);
	}
}

/* The same where weir is preloaded: the process that was started is what it
 * would be without weir.  While it lives, so does the relay. */
static void check_beside(const struct shape *shape, enum cause cause,
			 struct pair *pair, int64_t until)
{
	bool lives = stays(shape, cause) && cause != WEIR_KILL;
	struct pollfd ended = {.fd = pair->relay, .events = POLLIN};

	in_case(text("%s: %s", shape->name, cause_names[cause]));
	if (lives) {
		check(state_of(pair->plain->pid) != 'Z', "the plain one ended");
		check(state_of(pair->behind->pid) != 'Z', "it ended");
		check(poll(&ended, 1, 0) == 0, "the relay ended");
		close(pair->relay);
	} else {
		check_equal(proc_end(pair->behind), proc_end(pair->plain));
		pid_wait(pair->relay);
	}
	await_as_few(shape, cause, lives, until);
	check(milliseconds() < until, "it took too long");
}

static void check_pair(const struct shape *shape, enum cause cause,
		       struct pair *pair, int64_t until)
{
	if (preload)
		check_beside(shape, cause, pair, until);
	else if (pair->plain)
		check(members(mark(shape, cause, false)) > 0,
		      "nothing stays without weir");
	else
		check_ended(shape, cause, pair->behind, until);
}

static void check_batch(const struct shape *batch, size_t count)
{
	struct pair pairs[BATCH][CAUSES];
	int64_t until;

	for (size_t i = 0; i < count; i++)
		for (enum cause c = 0; c < CAUSES; c++) {
			pairs[i][c].behind = start(&batch[i], c, true);
			pairs[i][c].plain = preload || stays(&batch[i], c)
						    ? start(&batch[i], c, false)
						    : NULL;
		}
	for (size_t i = 0; i < count; i++)
		for (enum cause c = 0; c < CAUSES; c++) {
			struct pair *pair = &pairs[i][c];

			in_case(text("%s: %s", batch[i].name, cause_names[c]));
			if (preload)
				pair->relay = pid_open(weir_pid(pair->behind));
			end_session(&batch[i], c, pair->behind, true);
			if (pair->plain)
				end_session(&batch[i], c, pair->plain, false);
		}
	until = milliseconds() + BOUND;
	for (size_t i = 0; i < count; i++)
		for (enum cause c = 0; c < CAUSES; c++)
			check_pair(&batch[i], c, &pairs[i][c], until);
}

/* What stays is the test's to end; how many there were. */
static int kill_the_rest(void)
{
	char list[1024];
	int count = 0;
	pid_t pid;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	for (;; count++) {
		proc_read(getpid(), "children", list, sizeof(list));
		pid = (pid_t)strtol(list, NULL, 10);
		if (pid <= 0)
			return count;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

TEST(every_cause)
{
	deep_script();
	for (size_t i = 0; i < COUNT(shapes); i += BATCH) {
		check_batch(&shapes[i], COUNT(shapes) - i < BATCH
						? COUNT(shapes) - i
						: BATCH);
		kill_the_rest();
	}
}

/* ---- more of the end ------------------------------------------------- */

/* Orphans and zombies are weir's as long as it is above the server, and there
 * are none once it has ended.  A preloaded relay has no children, and the
 * server has those that it would have. */
TEST(no_zombies)
{
	static const struct {
		const char *script;
		int children; /* of the server, dead or alive */
		int orphans;  /* that live on */
	} rows[] = {
		{"true & true & exec \"$0\" --report", 2, 0},
		{"(true &) ; (true &) ; exec \"$0\" --report", 0, 0},
		{"sleep 1000 & (sleep 1000 &) ; exec \"$0\" --report", 1, 1},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p = proc_start(
			behind_weir(WORDS("sh", "-c", rows[i].script, server)));
		int relay = -1;

		in_case(rows[i].script);
		server_pid(p);
		/* An orphan that ends is waited for at once. */
		await_descendants(p->pid,
				  rows[i].children + (preload ? 0 : 1) +
					  (preload ? 0 : rows[i].orphans));
		if (preload) {
			check_equal(descendants_of(weir_pid(p)), 0);
			relay = pid_open(weir_pid(p));
		}
		proc_close_in(p);
		check_equal(proc_end(p), 0);
		if (preload) {
			pid_wait(relay);
			kill_the_rest();
			continue;
		}
		check_status(p, 0);
		check(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
		      "a process or a zombie is left");
	}
}

/* What is left has a second to put its house in order, also when others of
 * its kind have ended before. */
TEST(a_second_for_all)
{
	const char *done = path("done"), *ready = path("ready");
	struct proc *p = proc_start(behind_weir(WORDS(
		"sh", "-c",
		"sleep 1000 & (trap 'sleep 0.3; echo >\"$1\"; exit' TERM; "
		"echo >\"$2\"; while :; do sleep 0.01; done) & "
		"exec \"$0\" --report",
		server, done, ready)));

	prefix_only("what the server leaves is not the relay's child");
	server_pid(p);
	await(exists(ready), "no helper");
	check_end(p, 0);
	check(exists(done), "it had no time");
}

/* A shell with so many jobs becomes weir, or the server. */
static struct proc *start_with_jobs(int jobs, const char *const *command)
{
	return proc_start(
		join(WORDS("sh", "-c",
			   text("i=0; while [ $i -lt %d ]; do sleep 1000 "
				">&- 2>&- & i=$((i+1)); done; exec \"$@\"",
				jobs),
			   "sh"),
		     way_words(behind_weir(command))));
}

/* They are nobody's business; what the server leaves is weir's, as always. */
TEST(strangers)
{
	static const int jobs[] = {1, 40, 300};
	const char *leaves = preload ? "" : "sleep 1000 & ";

	for (size_t i = 0; i < COUNT(jobs); i++) {
		struct proc *p = start_with_jobs(
			jobs[i],
			WORDS("sh", "-c",
			      text("%sexec \"$0\" --report --exit 7", leaves),
			      server));
		int own;

		in_case(text("%d", jobs[i]));
		check_equal(server_pid(p) == p->pid, preload != NULL);
		own = pid_open(weir_pid(p));
		check_end(p, 7);
		pid_wait(own);
		check_equal(kill_the_rest(), jobs[i]);
	}
}

/* The one that stands before it passes on what it is sent, and takes the other
 * and the server with it. */
TEST(strangers_and_signals)
{
	struct proc *p;
	int left;

	prefix_only("the relay has no strangers");
	p = start_with_jobs(1, WORDS(server, "--signals", "--report"));
	left = pid_open(server_pid(p));
	kill(p->pid, SIGTERM);
	check_equal(number_of(p, "number"), SIGTERM);
	kill(p->pid, SIGHUP);
	proc_told(p, "policy reloaded");
	kill(p->pid, SIGKILL);
	pid_wait(left);
	check_status(p, -SIGKILL);
	kill_the_rest();
}

static pid_t parent_of(pid_t pid)
{
	char buf[1024];

	proc_read(pid, "stat", buf, sizeof(buf));
	check(strrchr(buf, ')'), "process %d has ended", pid);
	return atoi(strrchr(buf, ')') + 4);
}

/* A job that ends during the session leaves something behind. */
TEST(left_by_a_stranger)
{
	const char *fifo = path("fifo"), *pid = path("pid");
	struct proc *p;
	pid_t job, left;
	int own;

	check_equal(mkfifo(fifo, 0600), 0);
	p = proc_start(join(WORDS("sh", "-c",
				  "f=$1 p=$2; shift 2; (sleep 1000 & echo $! "
				  ">\"$p.new\"; mv \"$p.new\" \"$p\"; read x "
				  "<\"$f\") >&- 2>&- & exec \"$@\"",
				  "sh", fifo, pid),
			    way_words(behind_weir(WORDS(server)))));
	ping(p, "1");
	await(exists(pid), "no job");
	left = atoi(content(pid).ptr);
	job = parent_of(left);
	file("fifo", "\n");
	await(parent_of(left) != job, "the job lives on");
	own = pid_open(weir_pid(p));
	check_end(p, 0);
	pid_wait(own);
	check(kill(left, 0) == 0 && state_of(left) != 'Z', "it was ended");
	check_equal(kill_the_rest(), 1);
}

/* Where the numbers of /proc are missing, or are others', it is said that
 * nothing is cleared; and where only children are in another namespace, weir
 * works. */
TEST(other_namespaces)
{
	static const struct {
		const char *name;
		const char *option;
		const char *script;
		bool warns;
	} rows[] = {
		{"children in another", "--pid", "exec \"$@\"", false},
		{"/proc of another", "--fork", "exec \"$@\"", true},
#ifndef __SANITIZE_ADDRESS__ /* which needs it */
		{"no /proc", "--mount",
		 "mount -t tmpfs none /proc && exec \"$@\"", true},
#endif
	};
	/* What looks for leaks does not work in the first two. */
	struct how how = {.env = WORDS("ASAN_OPTIONS=verify_asan_link_order=0:"
				       "detect_leaks=0")};

	prefix_only("the relay has no children");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const *way =
			join(WORDS("unshare", "--user", "--map-root-user",
				   rows[i].option),
			     i == 1 ? WORDS("--pid", "sh", "-c", rows[i].script,
					    "sh")
				    : WORDS("sh", "-c", rows[i].script, "sh"));
		struct proc *p;

		in_case(rows[i].name);
		can_only(way);
		p = proc_start_how(
			join(way, behind_weir(WORDS(server, "--exit", "7"))),
			&how);
		ping(p, "1");
		check_end(p, 7);
		check(!strstr(p->told.ptr, "leaves running") == !rows[i].warns,
		      "%s", p->told.ptr);
	}
}

/* The way that the manual shows to end all that the server started, also when
 * weir is killed. */
TEST(in_a_namespace)
{
	const char *const *way =
		WORDS("unshare", "--user", "--map-current-user", "--pid",
		      "--fork", "--kill-child");
	int64_t until = milliseconds() + BOUND;
	struct proc *p;

	can_only(way);
	p = proc_start(behind_weir(
		join(way, WORDS("sh", "-c",
				"trap '' TERM; sleep 1000 & "
				"\"$0\" --report --ignore-eof; exit $?",
				server))));
	server_pid(p);
	kill(p->pid, SIGKILL);
	check_status(p, -SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		check(milliseconds() < until, "it left a process behind");
		poll(NULL, 0, 1);
	}
}

/* The window is closed, or the line drops: the terminal hangs up. */
TEST(terminal_goes)
{
	struct proc *p = start_on_terminal(
		behind_weir(
			WORDS("sh", "-c", "\"$0\" --report; exit $?", server)),
		false);
	int left = pid_open(server_pid(p));

	proc_close_in(p);
	pid_wait(left);
	proc_wait(p);
}
