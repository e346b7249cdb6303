/*
 * Bytes in pieces, in masses, out of step, and through all that a client may
 * use as stdin and stdout.
 *
 * What is expected is what the same server says without weir.
 */
#include "answers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Of the tools of workflows-mcp: the first, the last, two in the middle. */
static const char hiding[] =
	"'default':'allow','hide':['execute_workflow','memory',"
	"'cancel_job','project_sync','tool_1*']";
static const char *const hidden[] = {"execute_workflow", "memory", "cancel_job",
				     "project_sync"};

static const char denying[] = "'default':'deny','tools':{'echo':{}}";

/* ---- what servers do ------------------------------------------------- */

static const char *session(void)
{
	return text("%s%s%s%s%s%s%s", request("1", "initialize", "{}"),
		    request("2", "tools/list", NULL),
		    request("3", "tools/list", "{\"cursor\":\"5\"}"),
		    call("4", "list_jobs"),
		    request("5", "tools/list", "{\"cursor\":\"10\"}"),
		    request("6", "no/such/method", NULL),
		    request("7", "tools/list", "{}"));
}

TEST(same_but_hidden)
{
	static const char *const options[][8] = {
		{NULL},
		{"--noise"},
		{"--split", "1"},
		{"--split", "7"},
		{"--slow", "10"},
		{"--id-last"},
		{"--pretty"},
		{"--page", "5"},
		{"--page", "1", "--noise"},
		{"--noise", "--split", "1", "--id-last", "--pretty"},
		{"--noise", "--split", "4096", "--page", "5", "--slow", "3"},
	};

	for (size_t i = 0; i < COUNT(options); i++) {
		const char *const *command =
			join(WORDS(server, "--catalogue", "workflows-mcp"),
			     options[i]);
		struct proc *plain = proc_run(command, session());
		struct proc *behind =
			proc_run(join(WEIR(hiding, "--"), command), session());
		const char *line;

		in_case(text("%s %s", options[i][0] ? options[i][0] : "",
			     options[i][1] ? options[i][1] : ""));
		while ((line = proc_line(plain))) {
			for (size_t h = 0; h < COUNT(hidden); h++)
				line = without(line, hidden[h]);
			check_text("a line", proc_line(behind), line);
		}
		check_text("the end", proc_line(behind), "(no line)");
		check(!strstr(behind->said.ptr, "Does: memory"),
		      "the tool is still there");
	}
}

/* A line under way is never broken into, neither while bytes are passed on as
 * they come nor while whole lines are read. */
TEST(never_inside)
{
	static const char *const methods[] = {"ping", "tools/list"};

	for (size_t i = 0; i < COUNT(methods); i++) {
		struct proc *plain =
			proc_run(WORDS(server, "--tools-count", "50"),
				 request("1", methods[i], NULL));
		struct proc *p =
			proc_start(BEHIND("'default':'deny','hide':['x']",
					  "--halves", "--tools-count", "50"));
		const char *line = request("3", "ping", NULL);

		in_case(methods[i]);
		proc_send(p, request("1", methods[i], NULL));
		if (i == 0)
			proc_more(p, 1);
		proc_send(p, call("2", "denied"));
		/* Once stderr speaks of this one, that one was judged. */
		proc_send(p, "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\","
			     "\"params\":{\"name\":\"denied\"}}\n");
		proc_told(p, "without an id");
		proc_send(p, line); /* the server goes on */
		proc_close_in(p);
		proc_wait(p);
		line = proc_line(p);
		if (i == 1 && from_weir(line)) {
			check_refused(line, "2", false, RULE_DEFAULT, NULL);
			check_text("the line", proc_line(p), plain->said.ptr);
		} else {
			check_text("the line", line, plain->said.ptr);
			check_refused(proc_line(p), "2", false, RULE_DEFAULT,
				      NULL);
		}
		check_text("the last", proc_line(p),
			   "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n");
	}
}

/* ---- masses ---------------------------------------------------------- */

TEST(huge_result)
{
	const char *const *command =
		join(WORDS(server, "--huge", "20971520"), WORDS(NULL));
	const char *line = long_ping("1", 3 << 20);
	const char *input = text("%s%s%s", call("1", "echo"), line,
				 request("2", "ping", NULL));
	struct proc *plain = proc_run(command, input);
	struct proc *behind =
		proc_run(join(WEIR(denying, "--"),
			      join(command, WORDS("--record", path("record")))),
			 input);

	check(plain->said.len > 20 << 20, "not huge");
	check_said(behind, plain);
	check_got(input);
}

/* Every other one is refused; all are sent before an answer is read. */
TEST(pipelined)
{
	struct bytes input = {.ptr = NULL}, passed = {.ptr = NULL};
	int own = 1, theirs = 0;
	const char *line;
	struct proc *p;

	for (int i = 0; i < 1000; i++) {
		line = call(text("%d", i), i % 2 ? "remove" : "echo");
		append_text(&input, line);
		if (i % 2 == 0)
			append_text(&passed, line);
	}
	p = proc_run(RECORDED(denying), input.ptr);
	while ((line = proc_line(p))) {
		if (from_weir(line)) {
			check_refused(line, text("%d", own), false,
				      RULE_DEFAULT, NULL);
			own += 2;
			continue;
		}
		check_text("a result", line,
			   text("{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{"
				"\"content\":[{\"type\":\"text\",\"text\":"
				"\"echo\"},{\"type\":\"text\",\"text\":\"call "
				"%d\"}]}}\n",
				theirs, theirs / 2 + 1));
		theirs += 2;
	}
	check(own == 1001 && theirs == 1000, "refused up to %d, passed to %d",
	      own, theirs);
	check_got(passed.ptr);
}

/* A pause inside a line ends it for some servers: each read of theirs has to
 * end where a line ends, also when they are slow and both sides are full. */
TEST(lines_in_one_piece)
{
	struct proc *p = proc_start(
		BEHIND(denying, "--report", "--slow", "1", "--huge", "300000"));
	struct bytes input = {.ptr = NULL};
	/* Where no pipe can be made larger. */
	const size_t most = posix ? 60013 : 300007;
	const char *line;

	for (size_t i = 0; i < 80; i++) {
		append_text(&input, long_ping("1", 100 + i * i * i % most));
		if (i % 4 == 0)
			append_text(&input, call("2", "echo"));
		if (i % 4 == 1)
			append_text(&input, call("3", "remove"));
	}
	append_text(&input, request("4", "test/now", NULL));
	for (size_t i = 0; i < input.len; i += 10007)
		proc_write(p, input.ptr + i,
			   input.len - i < 10007 ? input.len - i : 10007);
	while ((line = proc_line(p)) && !strstr(line, "\"id\":4"))
		;
	check(line && strstr(line, "\"torn\":0}"), "a line was torn: %s", line);
}

/* The most that the process ever had in memory, in KiB. */
static long peak(const struct proc *p)
{
	const char *status = content(text("/proc/%d/status", weir_pid(p))).ptr;
	const char *at = strstr(status, "VmHWM:");

	check(at, "no VmHWM");
	return atol(at + 6);
}

static int held(int fd)
{
	int bytes = -1;

	ioctl(fd, FIONREAD, &bytes);
	return bytes;
}

/* A client that only writes: weir stops reading, and keeps nothing more.  Once
 * the client reads, everything comes. */
TEST(client_does_not_read)
{
	enum { CALLS = 100000, KIB_MORE = 8192 };
	struct how how = {.given = {[1] = true}};
	struct bytes input = {.ptr = NULL};
	const char *line = call("1", "remove");
	int64_t until = milliseconds() + DEADLINE;
	struct pollfd ready = {.events = POLLOUT};
	size_t sent = strlen(line), count = 0;
	struct proc *p;
	long before;
	int out[2];

	for (int i = 0; i < CALLS; i++)
		append_text(&input, line);
	check_equal(pipe2(out, O_CLOEXEC), 0);
	how.fds[1] = out[1];
	p = proc_start_how(WEIR(denying, "--max-line", "4096", "--", server),
			   &how);
	close(out[1]);
	proc_send(p, line);
	ready.fd = p->in;
	while (held(out[0]) == 0) {
		check(milliseconds() < until, "no answer");
		poll(NULL, 0, 1);
	}
	before = peak(p);
	while (held(out[0]) < 60000 || held(p->in) < 60000) {
		ssize_t put = write(p->in, input.ptr + sent, input.len - sent);

		check(put > 0 || (put < 0 && errno == EAGAIN), "all is read");
		check(milliseconds() < until, "never full");
		sent += put > 0 ? (size_t)put : 0;
		poll(&ready, 1, 1);
	}
	check(peak(p) - before < KIB_MORE, "%ld KiB, then %ld", before,
	      peak(p));
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	p->out = out[0];
	proc_write(p, input.ptr + sent, input.len - sent);
	proc_close_in(p);
	proc_wait(p);
	for (const char *c = p->said.ptr; (c = strchr(c, '\n')); c++)
		count++;
	check_equal((int)count, CALLS);
}

/* ---- what a client may use as stdin and stdout ----------------------- */

/* Two ends of each: weir's, and ours. */
struct link {
	int in[2];
	int out[2];
};

static void make_pipes(struct link *l)
{
	int in[2], out[2];

	check_equal(pipe2(in, O_CLOEXEC), 0);
	check_equal(pipe2(out, O_CLOEXEC), 0);
	*l = (struct link){{in[0], in[1]}, {out[1], out[0]}};
}

static void make_sockets(struct link *l)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC;

	check_equal(socketpair(AF_UNIX, type, 0, l->in), 0);
	check_equal(socketpair(AF_UNIX, type, 0, l->out), 0);
}

static void make_one_socket(struct link *l)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC;

	check_equal(socketpair(AF_UNIX, type, 0, l->in), 0);
	for (int i = 0; i < 2; i++)
		l->out[i] = fcntl(l->in[i], F_DUPFD_CLOEXEC, 0);
}

static void make_raw(int fd)
{
	struct termios t;

	check_equal(tcgetattr(fd, &t), 0);
	cfmakeraw(&t);
	check_equal(tcsetattr(fd, TCSANOW, &t), 0);
}

static void make_terminal(struct link *l)
{
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), theirs;
	struct termios t;

	check(ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0, "pty");
	theirs = open(ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
	check(theirs >= 0 && tcgetattr(theirs, &t) == 0, "pty");
	t.c_lflag &= ~(tcflag_t)ECHO;
	t.c_oflag &= ~(tcflag_t)OPOST;
	tcsetattr(theirs, TCSANOW, &t);
	l->in[0] = theirs;
	l->in[1] = ours;
	l->out[0] = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
	l->out[1] = fcntl(ours, F_DUPFD_CLOEXEC, 0);
}

/* What is written to a master goes to the other side of its terminal. */
static void make_master(struct link *l)
{
	struct link terminal;

	make_pipes(l);
	make_terminal(&terminal);
	close(l->out[0]);
	close(l->out[1]);
	l->out[0] = terminal.in[1];
	l->out[1] = terminal.in[0];
	make_raw(l->out[1]);
	close(terminal.out[0]);
	close(terminal.out[1]);
}

/* The end of the input, as far as that needs more than a close(). */
static void end_input(struct proc *p, const struct link *l)
{
	if (isatty(l->in[0]))
		proc_send(p, "\x04"); /* ^D */
	shutdown(p->in, SHUT_WR);
	proc_close_in(p);
}

/* Others share the descriptions: their flags are what they were, during and
 * after. */
static void check_link(void (*make)(struct link *), int flags)
{
	struct how how = {.given = {true, true}};
	struct link l;
	struct proc *p;
	int was[2];

	make(&l);
	for (int i = 0; i < 2; i++) {
		how.fds[i] = i == 0 ? l.in[0] : l.out[0];
		was[i] = fcntl(how.fds[i], F_GETFL) | flags;
		fcntl(how.fds[i], F_SETFL, was[i]);
	}
	fcntl(l.out[1], F_SETFL, fcntl(l.out[1], F_GETFL) | O_NONBLOCK);
	p = proc_start_how(BEHIND(denying, "--exit", "7"), &how);
	p->in = l.in[1];
	p->out = l.out[1];
	ping(p, "1");
	check_default(p, "2", "remove");
	for (int i = 0; i < 2; i++)
		check_equal(fcntl(how.fds[i], F_GETFL), was[i]);
	ping(p, "3");
	end_input(p, &l);
	pid_wait(fcntl(p->pidfd, F_DUPFD_CLOEXEC, 0));
	for (int i = 0; i < 2; i++) {
		check_equal(fcntl(how.fds[i], F_GETFL), was[i]);
		close(how.fds[i]);
	}
	check_status(p, 7);
}

TEST(links)
{
	static const struct {
		const char *name;
		void (*make)(struct link *);
	} kinds[] = {
		{"pipes", make_pipes},
		{"sockets", make_sockets},
		{"one socket", make_one_socket},
		{"a terminal", make_terminal},
		{"a terminal's master", make_master},
	};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		in_case(kinds[i].name);
		check_link(kinds[i].make, 0);
		in_case(text("%s, non-blocking", kinds[i].name));
		check_link(kinds[i].make, O_NONBLOCK);
	}
}

/* weir -p policy -- server < in > out */
TEST(files)
{
	const char *input = text("%s%s%s", session(), call("8", "remove"),
				 long_ping("9", 100000));
	const char *in = file("in", input), *out = file("out", "");
	struct proc *plain =
		proc_run(WORDS(server, "--catalogue", "workflows-mcp"), input);
	struct how how = {.given = {true, true}};
	const char *line, *said, *found;
	struct proc *p;

	how.fds[0] = open(in, O_RDONLY | O_CLOEXEC);
	how.fds[1] = open(out, O_WRONLY | O_CLOEXEC);
	p = proc_start_how(BEHIND(hiding, "--catalogue", "workflows-mcp"),
			   &how);
	check_status(p, 0);
	check_equal(fcntl(how.fds[0], F_GETFL) & O_NONBLOCK, 0);
	check_equal(fcntl(how.fds[1], F_GETFL) & O_NONBLOCK, 0);
	close(how.fds[0]);
	close(how.fds[1]);
	said = content(out).ptr;
	while ((line = proc_line(plain))) {
		for (size_t h = 0; h < COUNT(hidden); h++)
			line = without(line, hidden[h]);
		found = strstr(said, line);
		check(found == said, "in the file: %.300s\nexpected: %.300s",
		      said, line);
		said += strlen(line);
	}
	check_text("the end", said, "");
}

/* A named pipe whose writers have been and gone before weir looks at it. */
TEST(named_pipe)
{
	const char *fifo = path("fifo"), *line = request("1", "ping", NULL);
	struct how how = {.given = {true}};
	struct proc *p;
	int end;

	check_equal(mkfifo(fifo, 0600), 0);
	how.fds[0] = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fcntl(how.fds[0], F_SETFL, 0);
	end = open(fifo, O_WRONLY | O_CLOEXEC);
	check(write(end, line, strlen(line)) == (ssize_t)strlen(line), "write");
	close(end);
	p = proc_start_how(BEHIND(denying), &how);
	check_status(p, 0);
	check_text("what the client sees", p->said.ptr,
		   "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
	close(how.fds[0]);
}
