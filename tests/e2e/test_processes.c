/*
 * Processes: what the server is given, how signals and ends travel, and that
 * nobody is left behind (which is checked after every test).
 */
#include "answers.h"
#include "ends.h"
#include "processes.h"
#include "way.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool exited(const struct proc *p)
{
	struct pollfd f = {.fd = p->pidfd, .events = POLLIN};

	return poll(&f, 1, 1) == 1;
}

/* ---- what the server is given ---------------------------------------- */

static void block_some(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void ignore_some(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
}

static void ignore_children(void)
{
	signal(SIGCHLD, SIG_IGN);
	umask(027);
}

static void open_more(void)
{
	dup2(STDERR_FILENO, 3);
	dup2(STDERR_FILENO, 77);
}

static void close_stderr(void)
{
	close(STDERR_FILENO);
}

static void block_all(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static const struct {
	const char *name;
	void (*prepare)(void);
	bool only_three; /* descriptors */
} starts[] = {
	{"plainly", NULL, true},
	{"signals blocked", block_some, true},
	{"every signal blocked", block_all, true},
	{"signals ignored", ignore_some, true},
	{"SIGCHLD ignored", ignore_children, true},
	{"more descriptors", open_more, false},
	{"no stderr", close_stderr, false},
};

/* The server is asked what it sees; it is the same with weir and without. */
TEST(given)
{
	const char *const *command =
		WORDS(server, "--report", "--page", "-- * '$A'\t", "--page", "",
		      "--page", "\xc3\xa9 \"");
	const char *named = text("WEIR_POLICY=%s", behind_weir(WORDS(NULL))[2]);
	struct how how = {.env = WORDS("HOME=/h", "XDG_STATE_HOME=/x", named,
				       "A=1", "A=2", "EMPTY=", "no-equals",
				       "=x", "L=a\nb\"\\", "\xff=\xc3\xa9")};
	const char *ask = request("1", "test/given", NULL), *line;

	for (size_t i = 0; i < COUNT(starts); i++) {
		struct proc *plain, *behind;

		in_case(starts[i].name);
		how.prepare = starts[i].prepare;
		plain = proc_start_how(command, &how);
		behind = proc_start_how(join(WORDS(weir, "--"), command), &how);
		proc_send(plain, ask);
		proc_send(behind, ask);
		line = proc_line(plain);
		check(!starts[i].only_three ||
			      strstr(line,
				     "\"descriptors\":[\"0\",\"1\",\"2\"],"),
		      "not just 0, 1, 2: %s", line);
		check_text("what the server sees", proc_line(behind), line);
		check_end(behind, 0);
	}
}

/* stderr is the server's own: not a byte of it is weir's business. */
TEST(stderr_is_the_servers)
{
	struct proc *p = proc_run(
		behind_weir(
			WORDS("sh", "-c",
			      "printf 'a\\0\\377\\r\\n' >&2; cat; echo b >&2")),
		"");

	check_status(p, 0);
	check_same("stderr", p->told.ptr, p->told.len, "a\0\xff\r\nb\n", 7);
}

/* ---- the end --------------------------------------------------------- */

/* The end of the input reaches the server, and all that it has to say before
 * its own end reaches the client. */
TEST(input_ends)
{
	struct bytes input = {.ptr = NULL}, output = {.ptr = NULL};
	struct proc *p;

	for (int i = 0; i < 20; i++) {
		append_text(&input, request(text("%d", i), "ping", NULL));
		append_text(&output, text("{\"jsonrpc\":\"2.0\",\"id\":%d,"
					  "\"result\":{}}\n",
					  i));
	}
	p = proc_run(behind_weir(WORDS(server, "--slow", "10", "--exit", "3")),
		     input.ptr);
	check_status(p, 3);
	check_text("what the client sees", p->said.ptr, output.ptr);
}

/* More than a pipe holds is still on its way when the server ends. */
TEST(server_ends)
{
	struct proc *plain =
		proc_run(WORDS(server, "--huge", "5000000"), call("1", "echo"));
	const char *big = file("big", plain->said.ptr);
	struct proc *p = proc_start(behind_weir(
		WORDS("sh", "-c", "cat \"$0\"; printf 'no end'; exit 5", big)));

	check_status(p, 5);
	check_text("what the client sees", p->said.ptr,
		   text("%sno end", plain->said.ptr));
}

/* The server's end is the end, whoever else still has its stdout. */
TEST(server_leaves_a_child)
{
	struct proc *p = proc_start(behind_weir(
		WORDS("sh", "-c",
		      "sleep 1000 2>&- & echo \"{\\\"pid\\\":$!}\"; exit 5")));
	pid_t left = number_of(p, "pid");

	check_status(p, 5);
	kill(left, SIGKILL); /* it would have been left without weir too */
}

/* It closes its stdout, and lives on until the client is done. */
TEST(server_closes_stdout)
{
	const char *record = path("record");
	struct proc *p = proc_start(behind_weir(
		WORDS("sh", "-c", "echo '[INFO]'; exec cat >\"$0\"", record)));
	const char *line = request("1", "ping", NULL);

	check_text("a line", proc_line(p), "[INFO]\n");
	proc_send(p, line);
	check_end(p, 0);
	check_got(line);
}

/* It closes its stdin, as it may: it is still heard, up to its end. */
TEST(server_closes_stdin)
{
	const char *fifo = path("fifo");
	struct proc *p = proc_start(behind_weir(WORDS(
		"sh", "-c",
		"mkfifo \"$0\"; exec 0<&-; echo '[INFO]'; cat \"$0\"; exit 6",
		fifo)));
	const char *line = request("1", "ping", NULL);
	FILE *f;

	check_text("a line", proc_line(p), "[INFO]\n");
	proc_write(p, line, strlen(line));
	f = fopen(fifo, "we");
	check(f, "no fifo");
	fputs("more\n", f);
	fflush(f);
	check_text("the next line", proc_line(p), "more\n");
	fclose(f);
	check_status(p, 6);
}

/* The client is gone: whatever the server says, it meets a closed pipe. */
TEST(client_goes)
{
	const char *line = request("1", "ping", NULL);
	struct proc *p = proc_start(behind_weir(WORDS(server, "--report")));
	int left;

	left = pid_open(server_pid(p));
	proc_close_out(p);
	while (proc_write(p, line, strlen(line)))
		;
	pid_wait(left);
	check_status(p, signalled(SIGPIPE));

	in_case("both ends at once");
	p = proc_start(behind_weir(WORDS(server, "--exit", "9")));
	ping(p, "1");
	proc_close_out(p);
	check_end(p, 9);
}

/* The server has ended, and the client does not take what is left: it can
 * still end weir by a signal. */
TEST(ended_without_a_reader)
{
	struct proc *plain =
		proc_run(WORDS(server, "--huge", "100000"), call("1", "echo"));
	const char *big = file("big", plain->said.ptr), *pid = path("pid");
	struct proc *p = proc_start(behind_weir(
		WORDS("sh", "-c",
		      "echo $$ >\"$1.new\"; mv \"$1.new\" \"$1\"; read x; "
		      "exec cat \"$0\"",
		      big, pid)));
	int out = proc_unread(p), left;

	await(exists(pid), "the server does not start");
	left = pid_open(atoi(content(pid).ptr));
	proc_send(p, request("1", "ping", NULL));
	pid_wait(left);
	/* weir may not have noticed yet: then it tries to pass it on. */
	await(kill(p->pid, SIGTERM) != 0 || exited(p), "weir lives on");
	close(out);
	proc_wait(p);
}

/* ---- signals --------------------------------------------------------- */

static const int passed_on[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};

/* One that does not ends by them. */
TEST(signals_end)
{
	for (size_t i = 0; i < COUNT(passed_on); i++) {
		struct proc *p =
			proc_start(behind_weir(WORDS(server, "--ignore-eof")));

		in_case(strsignal(passed_on[i]));
		ping(p, "1");
		proc_close_in(p);
		kill(p->pid, passed_on[i]);
		check_status(p, signalled(passed_on[i]));
	}
}

/* ^C reaches weir and the server alike: it must not be passed on as well. */
TEST(control_c)
{
	struct proc *p = start_on_terminal(
		behind_weir(WORDS(server, "--signals")), false);

	for (int i = 0; i < 5; i++) {
		ping(p, "1");
		proc_send(p, "\x03");
		check_equal(number_of(p, "number"), SIGINT);
	}
	ping(p, "2");
	proc_send(p, "\x04"); /* ^D: the end of the input */
	check_status(p, 0);
}

/* Sent at any moment of the start, it ends both or neither. */
TEST(signal_at_start)
{
	for (int i = 0; i < 40; i++) {
		struct proc *p = proc_start(behind_weir(WORDS(server)));
		int status;

		/* A little later each time. */
		for (int nap = 0; nap < i * 200000; nap++)
			__asm__ volatile("");
		kill(p->pid, SIGTERM);
		status = proc_wait(p);
		check(status == -SIGTERM || status == 128 + SIGTERM,
		      "status %d", status);
	}
}
