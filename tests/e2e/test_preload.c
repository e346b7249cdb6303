/*
 * libweir.so: what becomes of the process that loads it, of its relay, and of
 * either when the other ends.  Run where PRELOAD names it.
 */
#include "answers.h"
#include "processes.h"
#include "way.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file of this name where the server is. */
static const char *beside_server(const char *name)
{
	return text("%.*s%s", (int)(strrchr(server, '/') + 1 - server), server,
		    name);
}

/* A command with LD_PRELOAD as it is here, spelled out. */
static struct proc *start_with(const char *const *command, const char *list)
{
	const char *variable = text("LD_PRELOAD=%s", list);
	const char *named = text("WEIR_POLICY=%s", behind_weir(WORDS(NULL))[2]);
	const char *place = text("LD_LIBRARY_PATH=%.*s:%s",
				 (int)(strrchr(preload, '/') - preload),
				 preload, beside_server(""));

	return proc_start_how(
		command, &(struct how){.env = WORDS(variable, named, place)});
}

/* Of /proc/PID/stat, the field of this number, 3 or more. */
static int field(pid_t pid, int number)
{
	const char *at = strrchr(content(text("/proc/%d/stat", pid)).ptr, ')');

	for (int i = 2; i < number; i++)
		at = strchr(at + 1, ' ');
	return atoi(at + 1);
}

enum { GROUP = 5, SESSION = 6 };

static const char *name_of(pid_t pid)
{
	return content(text("/proc/%d/comm", pid)).ptr;
}

/* How many relays run: each came to us when its parent ended. */
static int relays(void)
{
	FILE *f = fopen(text("/proc/self/task/%d/children", getpid()), "re");
	int pid, count = 0;

	check(f, "no /proc");
	while (fscanf(f, "%d", &pid) == 1)
		count += strcmp(name_of(pid), "weir\n") == 0 &&
			 !strstr(content(text("/proc/%d/stat", pid)).ptr,
				 ") Z ");
	fclose(f);
	return count;
}

/* Its input ends, it does, and so does its relay. */
static void check_both_end(struct proc *p, int status)
{
	int relay = pid_open(weir_pid(p));

	check_end(p, status);
	pid_wait(relay);
}

/* What a descriptor leads to; "" if it is not open. */
static const char *leads(pid_t pid, int fd)
{
	char to[256];
	ssize_t len = readlink(text("/proc/%d/fd/%d", pid, fd), to, sizeof(to));

	return text("%.*s", (int)(len > 0 ? len : 0), to);
}

enum { FDS = 256 };

/* Which descriptor of the process leads there; -1: none. */
static int has_open(pid_t pid, const char *to)
{
	for (int fd = 0; fd < FDS; fd++)
		if (*to && strcmp(leads(pid, fd), to) == 0)
			return fd;
	return -1;
}

/* ---- what the server is given ---------------------------------------- */

/* libweir.so is there as @, in full. */
static const struct {
	const char *list, *left; /* NULL: there is no such variable */
} lists[] = {
	{"@", NULL},
	{" @: ", NULL},
	{"@:@ @", NULL},
	{"libweir.so", NULL},
	{"@:libweir.so", NULL},
	{"@ libm.so.6", "libm.so.6"},
	{"libm.so.6:@", "libm.so.6"},
	{"libm.so.6 @:libdl.so.2", "libm.so.6:libdl.so.2"},
	{":libm.so.6:libdl.so.2 @::", "libm.so.6:libdl.so.2"},
	{"@:libm.so.6:@", "libm.so.6"},
};

static const char *fill_in(const char *list)
{
	struct bytes b = {.ptr = NULL};

	append(&b, "", 0);
	for (; *list; list++) {
		if (*list == '@')
			append_text(&b, preload);
		else
			append(&b, list, 1);
	}
	return b.ptr;
}

TEST(environment)
{
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct proc *p = start_with(WORDS(server, "--report"),
					    fill_in(lists[i].list));
		const char *line;

		in_case(lists[i].list);
		check_default(p, "1", "remove");
		line = proc_ask(p, request("2", "test/given", NULL));
		if (lists[i].left)
			check_has(line,
				  text("\"LD_PRELOAD=%s\"", lists[i].left));
		else
			check(!strstr(line, "LD_PRELOAD"), "still there: %s",
			      line);
		check_end(p, 0);
	}
}

static void adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* A child of before, as a shell may leave one to what it becomes, has ended;
 * the signal that tells it waits. */
static void leave_a_child(void)
{
	siginfo_t ended;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT);
}

static void ignore_children(void)
{
	signal(SIGCHLD, SIG_IGN);
	leave_a_child();
}

/* Where the prefix cannot be as good: the process is the client's own child. */
TEST(given)
{
	static const struct {
		const char *name;
		void (*prepare)(void);
	} rows[] = {
		{"adopting orphans", adopt_orphans},
		{"a child that has ended", leave_a_child},
		{"children ignored", ignore_children},
	};
	const char *named = text("WEIR_POLICY=%s", behind_weir(WORDS(NULL))[2]);
	const char *const *env = WORDS("HOME=/h", "XDG_STATE_HOME=/x", named);
	const char *ask = request("1", "test/given", NULL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct how how = {.env = env, .prepare = rows[i].prepare};
		struct proc *plain =
			proc_start_how(WORDS(server, "--report"), &how);
		struct proc *behind = proc_start_how(
			WORDS(weir, "--", server, "--report"), &how);

		in_case(rows[i].name);
		proc_send(plain, ask);
		check_answer(behind, ask, proc_line(plain));
		check_equal(relays(), 1);
		check_both_end(behind, 0);
	}
}

/* The process is the one that was started, and its pid the one that the client
 * knows; the relay is beside it. */
TEST(pids)
{
	struct proc *p = proc_start(behind_weir(WORDS(server, "--report")));
	pid_t relay;

	check_equal(server_pid(p), p->pid);
	relay = weir_pid(p);
	check(relay != p->pid, "the server is the relay");
	check_text("the relay's name", name_of(relay), "weir\n");
	check_equal(field(relay, GROUP), field(p->pid, GROUP));
	check_equal(field(relay, SESSION), field(p->pid, SESSION));
	check_end(p, 0);
}

static void open_more(void)
{
	int fd = open("/dev/full", O_WRONLY);

	for (int to = 3; to < 100; to += 7)
		dup2(fd, to);
	if ((fd - 3) % 7)
		close(fd);
}

/* Each has what it needs, and nothing of the other's: the server nothing of
 * the client's, the relay nothing that was the server's alone. */
TEST(descriptors)
{
	struct how how = {.prepare = open_more};
	struct proc *p =
		proc_start_how(behind_weir(WORDS(server, "--report")), &how);
	const char *ours[] = {leads(getpid(), p->in), leads(getpid(), p->out)};
	pid_t relay;
	int open = 0;

	ping(p, "1");
	relay = weir_pid(p);
	for (size_t i = 0; i < COUNT(ours); i++) {
		check_equal(has_open(p->pid, ours[i]), -1);
		check(has_open(relay, ours[i]) >= 0, "the relay lost %s",
		      ours[i]);
	}
	check(has_open(p->pid, "/dev/full") == 3, "the server lost its own");
	check_equal(has_open(relay, "/dev/full"), -1);
	for (int fd = 0; fd < FDS; fd++)
		open += *leads(relay, fd) != '\0';
	/* The client's three, the server's two, its process, the signals. */
	check_equal(open, 7);
	check_equal(has_open(relay, leads(p->pid, 0)) >= 3, 1);
	check_end(p, 0);
}

/* Programs that start, or become, one another: the first has the relay. */
TEST(interposed_once)
{
	const char *const *const chains[] = {
		WORDS("sh", "-c", "exec \"$0\" --report", server),
		WORDS("sh", "-c", "\"$0\" --report; exit $?", server),
		WORDS("env", "sh", "-c",
		      "sh -c 'exec env \"$0\" --report' \"$0\"; exit $?",
		      server),
		WORDS("env", "-i", server, "--report"),
	};

	for (size_t i = 0; i < COUNT(chains); i++) {
		struct proc *p = proc_start(behind_weir(chains[i]));

		in_case(text("%zu", i));
		check_default(p, "1", "remove");
		check(!strstr(proc_ask(p, request("2", "test/given", NULL)),
			      "LD_PRELOAD"),
		      "still there");
		check_equal(relays(), 1);
		check_both_end(p, 0);
	}
}

/* ---- what runs before main -------------------------------------------- */

/* Who takes a line, in this order; early.c. */
static const struct {
	const char *list, *program, *takers[6];
} early[] = {
	{"early-library.so:@", "server", {"library"}},
	{"@:early-library.so", "server", {"library"}},
	{"early-first.so:@", "server", {"library"}},
	{"@", "early-program", {"preinit", "library", "program", "main"}},
	{"early-first.so:@ early-library.so",
	 "early-program",
	 {"preinit", "library", "library", "program", "main"}},
};

/* None of them meets what the client gave. */
TEST(before_main)
{
	for (size_t i = 0; i < COUNT(early); i++) {
		struct proc *p =
			start_with(WORDS(beside_server(early[i].program)),
				   fill_in(early[i].list));

		in_case(text("%s %s", early[i].list, early[i].program));
		check_default(p, "0", "remove");
		for (const char *const *who = early[i].takers; *who; who++) {
			const char *line = request("1", "ping", NULL);

			check_answer(p, line, text("%s %s", *who, line));
		}
		check_end(p, 0);
	}
}

/* What libweir.so cannot be before meets what the client gave; but then the
 * program does not run. */
TEST(another_is_first)
{
	const char *line = call("0", "remove");
	struct proc *p = start_with(WORDS(server), fill_in("@:early-first.so"));

	proc_send(p, line);
	check_status(p, 125);
	check_text("stdout", p->said.ptr, text("library %s", line));
	check_equal(weir_lines(p->told.ptr), 1);
	check_has(p->told.ptr, "early-first.so");
}

/* ---- who speaks ------------------------------------------------------ */

/* A program that starts the server itself may have what it wants of it without
 * a word to its own client; where no message came, that is told. */
TEST(no_message)
{
	static const char by_itself[] =
		"echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}' | "
		"\"$0\" | grep -c result";
	static const struct {
		const char *script, *sends, *says;
		bool stays; /* the client's input is open until it is told */
		bool told;
	} rows[] = {
		{by_itself, "", "1\n", true, true},
		{"exit 0", "", "", true, true},
		{"exec >&-; read x; exit 0", "", "", true, true},
		{"read x; echo bye", "", "bye\n", false, true},
		{"read x; exit 0", "", "", false, false},
		{"read x; echo bye", "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n",
		 "bye\n", false, false},
		{"echo '{\"jsonrpc\": \"2.0\"}'; read x; exit 0", "",
		 "{\"jsonrpc\": \"2.0\"}\n", false, false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p = proc_start(
			behind_weir(WORDS("sh", "-c", rows[i].script, server)));

		in_case(rows[i].script);
		proc_send(p, rows[i].sends);
		if (rows[i].stays)
			proc_told(p, "without an MCP message");
		check_end(p, 0);
		check_text("stdout", p->said.ptr, rows[i].says);
		check_equal(weir_lines(p->told.ptr), rows[i].told);
	}
}

/* ---- the end --------------------------------------------------------- */

/* Without the relay the server meets what a client that has gone leaves. */
TEST(relay_is_killed)
{
	struct proc *p = proc_start(behind_weir(WORDS(server, "--exit", "4")));

	ping(p, "1");
	kill(weir_pid(p), SIGKILL);
	check_status(p, 4);

	in_case("while it writes");
	p = proc_start(behind_weir(WORDS(
		"sh", "-c", "read line; while echo \"$line\"; do :; done")));
	proc_send(p, request("1", "ping", NULL));
	proc_line(p);
	kill(weir_pid(p), SIGKILL);
	check_status(p, -SIGPIPE);
}

/* The relay does not outlive it, whoever else has its ends. */
TEST(server_is_killed)
{
	const char *const *const commands[] = {
		WORDS(server, "--report", "--ignore-eof"),
		WORDS("sh", "-c",
		      "sleep 1000 2>&- & echo $! >\"$1\"; exec \"$0\" --report",
		      server, path("left")),
	};

	for (size_t i = 0; i < COUNT(commands); i++) {
		struct proc *p = proc_start(behind_weir(commands[i]));
		int relay;

		in_case(text("%zu", i));
		check_equal(server_pid(p), p->pid);
		relay = pid_open(weir_pid(p));
		kill(p->pid, SIGKILL);
		pid_wait(relay);
		check_status(p, -SIGKILL);
	}
	kill(atoi(content(path("left")).ptr), SIGKILL);
}

/* ---- signals --------------------------------------------------------- */

static void lead_a_group(void)
{
	setpgid(0, 0);
}

/* They reach the server once, and leave the relay alone. */
TEST(signals_to_the_group)
{
	static const int numbers[] = {SIGTERM, SIGINT,  SIGQUIT,
				      SIGUSR1, SIGUSR2, SIGHUP};
	struct how how = {.prepare = lead_a_group};
	struct proc *p =
		proc_start_how(behind_weir(WORDS(server, "--signals")), &how);

	ping(p, "1");
	for (size_t i = 0; i < COUNT(numbers); i++) {
		in_case(strsignal(numbers[i]));
		check_equal(kill(-p->pid, numbers[i]), 0);
		check_text("what the server says", proc_line(p),
			   text("{\"jsonrpc\":\"2.0\",\"method\":"
				"\"test/signal\",\"params\":{\"number\":%02d}}"
				"\n",
				numbers[i]));
		ping(p, "2");
	}
	proc_told(p, "policy reloaded");
	check_end(p, 0);
}

/* What a group gets as it ends does not cost the last words. */
TEST(group_is_ended)
{
	struct proc *plain =
		proc_run(WORDS(server, "--huge", "3000000"), call("1", "echo"));
	const char *big = file("big", plain->said.ptr);
	struct how how = {.prepare = lead_a_group};
	struct proc *p = proc_start_how(
		behind_weir(WORDS("sh", "-c",
				  "trap 'cat \"$0\"; exit 3' TERM; echo; "
				  "while :; do sleep 0.01; done",
				  big)),
		&how);

	check_text("a line", proc_line(p), "\n");
	check_equal(kill(-p->pid, SIGTERM), 0);
	check_status(p, 3);
	check_same("stdout", p->said.ptr + 1, p->said.len - 1, plain->said.ptr,
		   plain->said.len);
}

/* The server has ended, the client takes its time, and whoever cleans up ends
 * what is left of the group: nothing is lost.  It is more than one pipe holds,
 * and less than two, so that the server can end. */
TEST(last_words)
{
	struct proc *plain =
		proc_run(WORDS(server, "--huge", "100000"), call("1", "echo"));
	const char *big = file("big", plain->said.ptr);
	struct proc *p = proc_start(
		behind_weir(WORDS("sh", "-c", "read x; exec cat \"$0\"", big)));
	int out = proc_unread(p), relay = weir_pid(p), ended = pid_open(p->pid);

	proc_send(p, request("1", "ping", NULL));
	pid_wait(ended);
	for (int i = 0; i < 3; i++)
		kill(relay, SIGTERM);
	p->out = out;
	check_status(p, 0);
	check_said(p, plain);
}

/* ---- failing --------------------------------------------------------- */

static void few_descriptors(void)
{
	struct rlimit few = {6, 6};

	setrlimit(RLIMIT_NOFILE, &few);
}

static void little_memory(void)
{
	struct rlimit little = {64 << 20, 64 << 20};

	setrlimit(RLIMIT_AS, &little);
}

/* Whatever keeps the relay from starting keeps the server from it. */
TEST(cannot_start)
{
	static const struct {
		const char *says;
		void (*prepare)(void);
	} rows[] = {
		{"cannot make a pipe", few_descriptors},
		{"out of memory", little_memory},
	};

#ifdef __SANITIZE_ADDRESS__
	skip(); /* it cannot start with little memory itself */
#endif
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct how how = {.prepare = rows[i].prepare};
		struct proc *p = proc_start_how(
			behind_weir(WORDS("sh", "-c", "echo >\"$0\"",
					  path("started"))),
			&how);

		in_case(rows[i].says);
		check_status(p, 125);
		check_text("stdout", p->said.ptr, "");
		check_equal(weir_lines(p->told.ptr), 1);
		check_has(p->told.ptr, rows[i].says);
		check(!exists(path("started")), "the server was started");
	}
}

/* ---- process 1 ------------------------------------------------------- */

/* As in a container without an init.  Skips the test where that may not be. */
static struct proc *start_apart(const char *const *command)
{
	const char *const *apart =
		WORDS("unshare", "-r", "-p", "-f", "--kill-child", "--");
	const char *const *variables =
		WORDS("env", text("LD_PRELOAD=%s", preload),
		      text("WEIR_POLICY=%s", behind_weir(WORDS(NULL))[2]));

	can_only(apart);
	return proc_start(join(apart, join(variables, command)));
}

/* Of a process that has one. */
static pid_t child_of(pid_t pid)
{
	return atoi(content(text("/proc/%d/task/%d/children", pid, pid)).ptr);
}

/* What the server says last is not lost, and neither is its status, nor a
 * signal. */
TEST(process_one)
{
	const char *const *command =
		WORDS(server, "--huge", "3000000", "--exit", "9", "--signals");
	struct proc *plain = proc_run(command, call("1", "echo"));
	struct proc *p = start_apart(command);
	pid_t one, inside;

	check_default(p, "\"no\"", "remove");
	ping(p, "0");
	one = child_of(p->pid);
	inside = child_of(one);
	check(inside > 0, "process 1 has no child");
	kill(one, SIGUSR1);
	check_has(proc_line(p), "\"number\":10}");
	proc_send(p, call("1", "echo"));
	proc_close_in(p);
	check_text("the answer", proc_line(p), plain->said.ptr);
	check_status(p, 9);
}

/* Nobody is left, and nothing runs without the relay. */
TEST(process_one_is_killed)
{
	struct proc *p = start_apart(WORDS(server, "--ignore-eof"));
	pid_t one;
	int inside;

	ping(p, "0");
	one = child_of(p->pid);
	inside = pid_open(child_of(one));
	kill(one, SIGKILL);
	pid_wait(inside);
	proc_wait(p);
}
