/*
 * Bytes in pieces, in masses, out of step, and through all that a client may
 * use as stdin and stdout.
 *
 * What is expected is what the same server says without weir.
 */
#include "answers.h"
#include "fields.h"
#include "processes.h"

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

/* Writes on behind what was sent of the lines, again and again; are both pipes
 * full?  One may be while weir has not come to fill the other. */
static bool fills(struct proc *p, int out, struct bytes lines, size_t *sent)
{
	const size_t at = *sent % lines.len;
	ssize_t put = write(p->in, lines.ptr + at, lines.len - at);

	check(put > 0 || (put < 0 && errno == EAGAIN), "all is read");
	*sent += put > 0 ? (size_t)put : 0;
	return held(out) >= 60000 && held(p->in) >= 60000;
}

/* A client that only writes: weir stops reading, and keeps nothing more.  Once
 * the client reads, everything comes. */
TEST(client_does_not_read)
{
	enum { KIB_MORE = 8192, LINES = 1000 };
	struct bytes lines = {.ptr = NULL};
	const char *line = call("1", "remove");
	struct proc *p =
		proc_start(WEIR(denying, "--max-line", "4096", "--", server));
	int out = proc_unread(p);
	size_t sent = 0, rest;
	long before, more;

	for (int i = 0; i < LINES; i++)
		append_text(&lines, line);
	proc_send(p, line);
	await(held(out) > 0, "no answer");
	before = memory_of(weir_pid(p), true);
	await(fills(p, out, lines, &sent), "never full");
	more = memory_of(weir_pid(p), true) - before;
	check(more < KIB_MORE, "%ld KiB, and %ld more", before, more);
	p->out = out;
	rest = sent % lines.len;
	proc_write(p, lines.ptr + rest, lines.len - rest);
	check_end(p, 0);
	check_equal(count_lines(p->said.ptr),
		    1 + LINES * (sent / lines.len + 1));
}

/* ---- files and named pipes; the other kinds are in test_descriptors.c --- */

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
