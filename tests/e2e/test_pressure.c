/*
 * Both sides full, one side slow, long lines, bytes one by one, processes that
 * stop: all that is sent arrives, nothing waits for what does not move, and
 * memory stays flat.
 */
#include "answers.h"
#include "ends.h"
#include "processes.h"
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Lines of 100 bytes, each with its number. */
static struct bytes many_lines(int count)
{
	struct bytes b = {.ptr = NULL};
	char line[128];

	for (int i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "%099d\n", i);
		append_text(&b, line);
	}
	return b;
}

/* Pings of as many bytes. */
static struct bytes many_pings(int count)
{
	const char *line = long_ping("1", 99);
	struct bytes b = {.ptr = NULL};

	for (int i = 0; i < count; i++)
		append_text(&b, line);
	return b;
}

static struct bytes one_line(const char *line)
{
	return (struct bytes){.ptr = (char *)line, .len = strlen(line)};
}

/* ---- one side does not move ------------------------------------------ */

/* The client does not read, whatever its stdout is: its lines go up all the
 * same, and once it reads, everything is there. */
static void client_stuck(const struct ends_kind *kind)
{
	/* A terminal is slow, and weir itself can hold a megabyte. */
	struct bytes flood = many_lines(kind->terminal ? 1200 : 20000);
	const char *big = file("flood", flood.ptr), *record = path("record");
	const char *line = request("1", "ping", NULL);
	struct ends e;
	struct proc *p;
	size_t sent = 0;
	int was = -1, still = 0;

	unlink(record);
	p = ends_start(kind, &e, 0,
		       behind_weir(WORDS("sh", "-c",
					 "dd bs=100 if=\"$0\" 2>/dev/null & "
					 "cat >\"$1\"; wait",
					 big, record)));
	ends_close_theirs(&e);
	/* Until nothing more comes, line after line goes up. */
	for (; still < STILL; was = held(e.ours[1])) {
		check(write(p->in, line, strlen(line)) == (ssize_t)strlen(line),
		      "the input is full");
		await_size(record, sent += strlen(line));
		still = held(e.ours[1]) == was ? still + 1 : 0;
	}
	/* dd and cat; and behind weir, the shell, and the guard. */
	check(kind->terminal ||
		      descendants_of(p->pid) == (preload ? 2 : 3 + posix),
	      "all was read");
	proc_more(p, flood.len);
	ends_close_in(kind, p);
	check_status(p, 0);
	check_same("stdout", p->said.ptr, p->said.len, flood.ptr, flood.len);
	check_equal(content(record).len, sent);
}

TEST(client_does_not_move)
{
	for (size_t i = 0; i < ENDS_KINDS; i++) {
		in_case(ends_kinds[i].name);
		client_stuck(&ends_kinds[i]);
	}
}

/* The server does not read: what it says comes all the same. */
TEST(server_does_not_move)
{
	const char *fifo = path("fifo"), *record = path("record");
	struct bytes flood = many_pings(60000);
	size_t sent = 0;
	struct proc *p;
	FILE *f;

	check_equal(mkfifo(fifo, 0600), 0);
	p = proc_start(behind_weir(WORDS(
		"sh", "-c", "cat \"$0\"; exec cat >\"$1\"", fifo, record)));
	f = fopen(fifo, "we");
	check(f, "no fifo");
	for (int still = 0; still < STILL;) {
		ssize_t put = write(p->in, flood.ptr + sent, flood.len - sent);

		check(put > 0 || errno == EAGAIN, "it reads all");
		sent += put > 0 ? (size_t)put : 0;
		still = put > 0 ? 0 : still + 1;
		fputs("tick\n", f);
		fflush(f);
		check_text("a line", proc_line(p), "tick\n");
	}
	fclose(f);
	proc_write(p, flood.ptr + sent, flood.len - sent);
	check_end(p, 0);
	check_got_bytes(flood);
}

/* Neither reads before the other does. */
TEST(both_full)
{
	struct bytes flood = many_lines(30000), input = many_pings(60000);
	const char *big = file("flood", flood.ptr), *record = path("record");
	struct proc *p = proc_start(behind_weir(WORDS(
		"sh", "-c", "cat \"$0\"; exec cat >\"$1\"", big, record)));
	int out = proc_unread(p);
	size_t sent;

	await(held(out) >= 60000, "the output is not full");
	sent = proc_fill(p, input);
	check(sent < input.len, "it reads all");
	p->out = out;
	proc_write(p, input.ptr + sent, input.len - sent);
	check_end(p, 0);
	check_same("stdout", p->said.ptr, p->said.len, flood.ptr, flood.len);
	check_got_bytes(input);
}

/* Refusals wait for the end of a line of the server's, as many as weir can
 * hold; it comes all the same. */
TEST(answers_wait_for_a_line)
{
	const char *fifo = path("fifo"), *line = call("1", "remove");
	struct proc *p;
	FILE *f;

	check_equal(mkfifo(fifo, 0600), 0);
	p = proc_start(behind_weir(WORDS(
		"sh", "-c", "printf '{half '; cat \"$0\"; exec cat", fifo)));
	proc_more(p, 6);
	f = fopen(fifo, "we");
	check(f, "no fifo");
	proc_fill(p, one_line(line));
	fputs("a line\n", f);
	fclose(f);
	check_text("the line", proc_line(p), "{half a line\n");
	check_refused(proc_line(p), "1", false, RULE_DEFAULT, NULL);
	check_end(p, 0);
}

/* A prompt has no end: it is given one, after a second, and all are answered;
 * what comes next is read as any other line. */
TEST(answers_do_not_wait_for_a_prompt)
{
	enum { CALLS = 1000 };
	int64_t began = milliseconds();
	struct proc *p = proc_start(
		WEIR("'default':'deny','hide':['x'],'tools':{'echo':{}}", "--",
		     "sh", "-c",
		     "printf '\\n> '; read x; echo '{\"id\":2,\"result\":{"
		     "\"tools\":[{\"name\":\"x\"}]}}'; read x"));

	proc_more(p, 3);
	for (int i = 0; i < CALLS; i++)
		proc_send(p, call("1", "remove"));
	check_text("the end of a line", proc_line(p), "\n");
	check_text("the prompt", proc_line(p), "> \n");
	check(milliseconds() - began >= 1000, "at once");
	for (int i = 0; i < CALLS; i++)
		check_refused(proc_line(p), "1", false, RULE_DEFAULT, NULL);
	check_answer(p, request("2", "tools/list", NULL),
		     "{\"id\":2,\"result\":{\"tools\":[]}}\n");
	proc_close_in(p);
	proc_wait(p);
	check_equal(weir_lines(p->told.ptr), 2);
	check_has(p->told.ptr, "has no tool for", "a line unfinished");
}

/* ---- the server's pipe ----------------------------------------------- */

/* The stdin of a process that does not read it. */
static int input_of(pid_t pid)
{
	int fd = open(text("/proc/%d/fd/0", pid),
		      O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	check(fd >= 0, "no stdin");
	return fd;
}

/* At the begin of a session each read has one line, whatever is in it. */
TEST(first_lines_come_alone)
{
	static const size_t sizes[] = {80, 1500, 100, 4095, 500, 81, 2000};
	struct proc *p =
		proc_start(behind_weir(WORDS("sh", "-c",
					     "echo \"{\\\"pid\\\":$$}\"; "
					     "exec sleep 1000")));
	int in = input_of(number_of(p, "pid"));
	struct bytes input = {.ptr = NULL};
	static char buf[65536];

	for (size_t i = 0; i < COUNT(sizes); i++)
		append_text(&input, long_ping("1", sizes[i]));
	append_text(&input, many_pings(20).ptr);
	proc_write(p, input.ptr, input.len);
	for (size_t i = 0, at = 0; at < 8192; i++) {
		/* What follows goes with the last, if the pipe has room. */
		const size_t most = posix && i == COUNT(sizes) - 1
					    ? sizes[i] + 1
					    : sizeof(buf);

		struct pollfd f = {.fd = in, .events = POLLIN};

		check(poll(&f, 1, DEADLINE) == 1, "line %zu does not come", i);
		await_rest(weir_pid(p));
		check_equal(read(in, buf, most), (ssize_t)sizes[i] + 1);
		check_same("a line", buf, sizes[i] + 1, input.ptr + at,
			   sizes[i] + 1);
		at += sizes[i] + 1;
	}
	while (held(in) < 2000)
		poll(NULL, 0, 1);
	close(in);
}

/* What the stdin of the process holds. */
static int size_of_input(pid_t pid)
{
	int fd = open(text("/proc/%d/fd/0", pid), O_RDONLY | O_NONBLOCK);
	int size = fcntl(fd, F_GETPIPE_SZ);

	close(fd);
	return size;
}

/* Others of this user need pipes, too. */
TEST(pipe_is_as_large_as_needed)
{
	struct proc *p = proc_start(behind_weir(WORDS(server, "--report")));
	pid_t pid = server_pid(p);
	int pipe[2], usual;

	check_equal(pipe2(pipe, O_CLOEXEC), 0);
	usual = fcntl(pipe[0], F_GETPIPE_SZ);
	for (int i = 0; i < 200; i++)
		ping(p, "1");
	check_equal(size_of_input(pid), usual);
	proc_send(p, long_ping("1", 300000));
	proc_line(p);
	check(size_of_input(pid) >= 300000, "%d", size_of_input(pid));
	ping(p, "1");
	ping(p, "1");
	check_equal(size_of_input(pid), usual);
	close(pipe[0]);
	close(pipe[1]);
}

static void fill_input(struct proc *p)
{
	proc_fill(p, many_pings(30000));
}

/* What it sleeps in, poll() or ppoll(): until an event, or for some time? */
static enum { NEITHER, EVENT, TIME } awaited_by(pid_t pid)
{
	unsigned long long timeout;
	char buf[256];

	proc_read(pid, "syscall", buf, sizeof(buf));
	if (sscanf(buf, "%*d %*x %*x %llx", &timeout) != 1)
		return NEITHER;
	return (int)timeout == -1 || timeout == 0 ? EVENT : TIME;
}

/* Sends long lines until one waits for room. */
static void fill_until_it_waits(struct proc *p, pid_t pid)
{
	int64_t until = milliseconds() + DEADLINE;
	struct bytes lines = {.ptr = NULL};
	size_t sent = 0;

	for (int i = 0; i < 8; i++)
		append_text(&lines, long_ping("1", posix ? 30000 : 300000));
	while (awaited_by(pid) != TIME) {
		ssize_t put = write(p->in, lines.ptr + sent, lines.len - sent);

		sent += put > 0 ? (size_t)put : 0;
		check(milliseconds() < until, "no line waits");
		poll(NULL, 0, 1);
	}
}

static long wakeups_of(pid_t pid)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	char buf[4096];
	const char *at;

	proc_read(pid, "status", buf, sizeof(buf));
	at = strstr(buf, key);
	check(at, "no count of switches");
	return atol(at + sizeof(key) - 1);
}

/* A long line waits for room, and weir looks less and less often. */
TEST(waits_ever_longer)
{
	enum { LOOKS = 12, PAUSE = 400 };
	struct proc *p =
		proc_start(behind_weir(WORDS("sh", "-c", "exec sleep 1000")));
	pid_t pid = weir_pid(p);
	int64_t last;
	long first, seen;

	fill_until_it_waits(p, pid);
	first = seen = wakeups_of(pid);
	last = milliseconds();
	while (milliseconds() - last < PAUSE) {
		check(seen - first < LOOKS, "%d looks, and no pause", LOOKS);
		if (wakeups_of(pid) != seen)
			last = milliseconds();
		seen = wakeups_of(pid);
		poll(NULL, 0, 1);
	}
}

/* Once the server has closed its stdin, there is nothing to look for. */
TEST(waits_no_more)
{
	struct proc *p = proc_start(behind_weir(
		WORDS("sh", "-c",
		      "trap 'kill $!; exec sleep 1000 <&-' USR1; "
		      "echo \"{\\\"pid\\\":$$}\"; sleep 1000 & wait")));
	pid_t server_pid = number_of(p, "pid"), pid = weir_pid(p);
	struct pollfd in = {.fd = p->in};

	fill_until_it_waits(p, pid);
	kill(server_pid, SIGUSR1);
	check_equal(poll(&in, 1, DEADLINE), 1);
	await_rest(pid);
	check(awaited_by(pid) == EVENT, "it still looks for room");
}

/* Long lines come all the same, and it is said once. */
TEST(fullness_is_not_told)
{
	static const size_t sizes[] = {100, 20000, 300000, 3 << 20, 5000};
	struct how how = {.prepare = fullness_untold};
	struct bytes input = {.ptr = NULL};
	struct proc *p;

	for (size_t i = 0; i < 10; i++)
		append_text(&input, long_ping("1", sizes[i % COUNT(sizes)]));
	p = proc_start_how(
		behind_weir(WORDS(server, "--record", path("record"))), &how);
	proc_write(p, input.ptr, input.len);
	check_end(p, 0);
	check_got_bytes(input);
	check_equal(weir_lines(p->told.ptr), posix ? 0 : 1);
	check(posix || strstr(p->told.ptr, "FIONREAD"), "%s", p->told.ptr);
}

/* ---- nothing to do --------------------------------------------------- */

static void end_both(struct proc *p)
{
	proc_close_out(p);
	proc_close_in(p);
}

static void say_something(struct proc *p)
{
	proc_send(p, request("1", "ping", NULL));
}

static void nothing(struct proc *p)
{
	(void)p;
}

static const struct {
	const char *name;
	const char *script; /* of the server */
	void (*client)(struct proc *p);
} rests[] = {
	{"nobody says anything", "read x; exit 3", nothing},
	{"the input has ended", "exec sleep 1000", proc_close_in},
	{"the client does not read", "exec yes", nothing},
	{"the input has ended, and the client does not read", "exec yes",
	 proc_close_in},
	{"the server does not read", "exec sleep 1000", fill_input},
	{"neither reads", "exec yes", fill_input},
	{"nobody reads the output", "exec sleep 1000", proc_close_out},
	{"the client has gone", "exec sleep 1000", end_both},
	{"the server has closed its output", "exec sleep 1000 >&-", nothing},
	{"the server has closed its input", "exec sleep 1000 <&-", nothing},
	{"the server has closed both", "exec sleep 1000 <&- >&-", nothing},
	{"the server has closed its input, and more comes",
	 "exec sleep 1000 <&-", fill_input},
	{"the server has closed its output, and the input ends",
	 "exec sleep 1000 >&-", proc_close_in},
	{"the server has ended, and the client does not read",
	 "read x; exec dd if=/dev/zero bs=200000 count=1 2>/dev/null",
	 say_something},
};

/* Whatever is open, closed or full: where nothing moves weir rests. */
TEST(rest)
{
	struct proc *p[COUNT(rests)];
	pid_t pids[COUNT(rests)];

	for (size_t i = 0; i < COUNT(rests); i++) {
		in_case(rests[i].name);
		p[i] = proc_start(
			behind_weir(WORDS("sh", "-c", rests[i].script)));
		pids[i] = weir_pid(p[i]);
		rests[i].client(p[i]);
	}
	for (size_t i = 0; i < COUNT(rests); i++) {
		in_case(rests[i].name);
		await_rest(pids[i]);
		check(state_of(pids[i]) == 'S', "weir has ended");
		kill(p[i]->pid, SIGKILL);
	}
}

/* A line that is left out holds up the judging until what came before it is
 * sent: no more is read meanwhile than without it. */
TEST(refused_do_not_pile_up)
{
	struct bytes lines = many_pings(1000);
	struct proc *p =
		proc_start(behind_weir(WORDS("sh", "-c", "exec sleep 1000")));
	size_t sent;

	append_text(&lines, call("2", "remove"));
	sent = proc_fill(p, lines);
	check(sent < 8 << 20, "%zu bytes were read", sent);
}

/* What the server closes, the client sees closed, while both live on. */
TEST(closed_by_the_server)
{
	const char *line = request("1", "ping", NULL);
	struct proc *p = proc_start(
		behind_weir(WORDS("sh", "-c", "exec sleep 1000 >&-")));

	check_text("the output", proc_line(p), "(no line)");
	p = proc_start(behind_weir(WORDS("sh", "-c", "exec sleep 1000 <&-")));
	while (proc_write(p, line, strlen(line)))
		;
	while (strchr("RD", state_of(p->pid)))
		poll(NULL, 0, 1);
	check(state_of(p->pid) == 'S', "weir has ended");
}

/* ---- pieces ---------------------------------------------------------- */

/* A line waits until the pipe has room for all of it; the server closes it. */
TEST(closed_when_full)
{
	const char *fifo = path("fifo"), *line = long_ping("1", 300000);
	const size_t len = strlen(line);
	struct proc *p;
	size_t sent;
	FILE *f;

	check_equal(mkfifo(fifo, 0600), 0);
	p = proc_start(behind_weir(
		WORDS("sh", "-c", "cat \"$0\"; exec sleep 1000 <&-", fifo)));
	sent = proc_fill(p, one_line(line));
	f = fopen(fifo, "we");
	check(f, "no fifo");
	fclose(f);
	while (proc_write(p, line + sent % len, len - sent % len))
		sent += len - sent % len;
}

/* Sends the byte if that can be, else reads one. */
static bool one_byte(struct proc *p, char byte)
{
	struct pollfd f[] = {{.fd = p->in, .events = POLLOUT},
			     {.fd = p->out, .events = POLLIN}};

	check(poll(f, 2, DEADLINE) > 0, "nothing happens");
	if (f[1].revents && read(p->out, &byte, 1) == 1) {
		append(&p->said, &byte, 1);
		return false;
	}
	return write(p->in, &byte, 1) == 1;
}

/* What the client sends, the server says and the client reads: byte by byte,
 * through each kind of ends. */
TEST(byte_by_byte)
{
	const char *input =
		text("%s%s%s%s", request("1", "ping", NULL), call("2", "echo"),
		     long_ping("3", 300), request("4", "tools/list", "{}"));
	struct proc *plain = proc_run(WORDS(server), input);

	for (size_t i = 0; i < ENDS_KINDS; i++) {
		const struct ends_kind *kind = &ends_kinds[i];
		struct ends e;
		struct proc *p =
			ends_start(kind, &e, 0,
				   behind_weir(WORDS(server, "--split", "1")));

		in_case(kind->name);
		ends_close_theirs(&e);
		for (const char *c = input; *c;)
			c += one_byte(p, *c);
		ends_close_in(kind, p);
		proc_wait(p);
		check_said(p, plain);
	}
}

/* Either process is stopped and goes on, at any moment. */
TEST(stopped_and_continued)
{
	enum { LINES = 3000 };
	struct bytes input = {.ptr = NULL};
	struct proc *plain, *p;
	size_t sent = 0;
	pid_t pids[2];

	for (int i = 0; i < LINES; i++)
		append_text(&input,
			    i % 7 ? long_ping("1", 200) : call("2", "echo"));
	plain = proc_run(WORDS(server), input.ptr);
	p = proc_start(behind_weir(WORDS(server, "--report")));
	pids[0] = weir_pid(p);
	pids[1] = server_pid(p);
	p->said.len = p->taken = 0;
	for (int i = 0; sent < input.len; i++) {
		size_t len = input.len - sent < 1500 ? input.len - sent : 1500;

		ssize_t put;

		kill(pids[i % 2], SIGSTOP);
		if (i % 3 == 0)
			await_state(pids[i % 2], "T");
		put = write(p->in, input.ptr + sent, len);
		kill(pids[i % 2], SIGCONT);
		if (put > 0)
			sent += (size_t)put;
		else
			proc_more(p, 0);
	}
	check_end(p, 0);
	check_said(p, plain);
}

/* Pipes of a megabyte, until the user has so many that no more are given. */
static size_t take_pipes(int (*pipes)[2], size_t most)
{
	long pages = atol(content("/proc/sys/fs/pipe-user-pages-soft").ptr);
	size_t count = 0;

	while (count < most && (long)count * 256 <= pages) {
		check_equal(pipe2(pipes[count], O_CLOEXEC), 0);
		if (fcntl(pipes[count++][1], F_SETPIPE_SZ, 1 << 20) < 0)
			break;
	}
	return count;
}

static void no_privilege(void)
{
	prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE);
	prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN);
}

/* Where many pipes are open, new ones hold a page or two, and cannot be made
 * larger: all arrives nevertheless. */
TEST(small_pipes)
{
	static const size_t sizes[] = {100,  4094,  4095,  4096,  8191,  8192,
				       8193, 65535, 65536, 65537, 200000};
	const char *record = path("record");
	struct how how = {.prepare = no_privilege};
	struct bytes input = {.ptr = NULL};
	int pipes[100][2];
	size_t count = take_pipes(pipes, COUNT(pipes));
	struct bytes got;
	const char *at;
	struct proc *p;

	for (size_t i = 0; i < 40; i++) {
		append_text(&input, long_ping("1", sizes[i % COUNT(sizes)]));
		append_text(&input, call("2", "echo"));
	}
	p = proc_start_how(behind_weir(WORDS(server, "--record", path("record"),
					     "--report")),
			   &how);
	if (size_of_input(server_pid(p)) > 8192)
		print_message("not tried: pipes are large here\n");
	proc_write(p, input.ptr, input.len);
	check_end(p, 0);
	got = content(record);
	at = strchr(got.ptr, '\n') + 1; /* what was asked first */
	check_same("what the server got", at, strlen(at), input.ptr, input.len);
	while (count-- > 0) {
		close(pipes[count][0]);
		close(pipes[count][1]);
	}
}

/* ---- long lines ------------------------------------------------------ */

#define LONGEST ((size_t)64 << 20)

/* A line of the longest there may be goes both ways; one byte more is refused
 * from the client, and passes from the server. */
TEST(longest_line)
{
	const char *record = path("record");
	const char *fits = long_ping("1", LONGEST);
	const char *more = long_ping("1", LONGEST + 1);
	struct proc *p = proc_start(behind_weir(
		WORDS("sh", "-c", "head -n 1; cat >\"$0\"; cat \"$1\"", record,
		      file("more", more))));

	proc_send(p, fits);
	proc_more(p, LONGEST + 1);
	check_text("the line", p->said.ptr, fits);
	p->said.len = 0;
	check_error(proc_ask(p, more), NULL, 0);
	check_default(p, "3", "remove");
	proc_send(p, request("4", "ping", NULL));
	check_end(p, 0);
	check_text("the longer line", p->said.ptr + p->taken, more);
	check_got(request("4", "ping", NULL));
}

/* The beginning of a result is with the client before its end is written, and
 * weir does not keep what is between. */
TEST(result_streams)
{
	enum { KIB_MORE = 4096 };
	static const char begin[] = "{\"jsonrpc\":\"2.0\",\"id\":1,"
				    "\"result\":{\"pad\":\"";
	static char buf[1 << 20];
	const size_t flood = (size_t)256 << 20;
	const char *const *command =
		behind_weir(WORDS(server, "--flood", text("%zu", flood)));
	struct how how = {.env = WORDS("WEIR_MAX_LINE=1000000")};
	struct proc *p = proc_start_how(command, &how);
	size_t got;
	long before;
	pid_t pid;

	proc_send(p, request("1", "ping", NULL));
	proc_more(p, 1);
	pid = weir_pid(p);
	before = memory_of(pid, true);
	/* Its end is not written before the input ends. */
	for (got = p->said.len; got < strlen(begin) + flood;) {
		struct pollfd f = {.fd = p->out, .events = POLLIN};
		ssize_t len;

		check(poll(&f, 1, DEADLINE) == 1, "no more than %zu", got);
		len = read(p->out, buf, sizeof(buf));
		check(len > 0, "no more than %zu", got);
		got += (size_t)len;
	}
	check(memory_of(pid, true) - before < KIB_MORE, "%ld KiB, then %ld",
	      before, memory_of(pid, true));
	p->said.len = 0;
	check_end(p, 0);
	check_text("the end", p->said.ptr, "\"}}\n");
}

/* Memory for a long line is not kept for the ones that follow. */
TEST(long_line_is_given_back)
{
	enum { KIB_MORE = 4096 };
	const size_t long_line = (size_t)16 << 20;
	struct proc *p = proc_start(behind_weir(WORDS(server)));
	pid_t pid;
	long before;

	for (int i = 0; i < 100; i++) {
		proc_send(p, request("1", "ping", NULL));
		proc_line(p);
	}
	pid = weir_pid(p);
	before = memory_of(pid, false);
	proc_send(p, long_ping("1", long_line));
	proc_line(p);
	check(memory_of(pid, true) - before > (long)(long_line >> 11),
	      "it was never there");
	for (int i = 0; i < 100; i++) {
		proc_send(p, request("1", "ping", NULL));
		proc_line(p);
	}
	check(memory_of(pid, false) - before < KIB_MORE, "%ld KiB, then %ld",
	      before, memory_of(pid, false));
	check_end(p, 0);
}

/* A server that knows no initialize: lines are not read whole from then on. */
TEST(refused_greeting)
{
	static const char no[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":"
				 "{\"code\":-32601,\"message\":\"no\"}}";
	struct proc *p = proc_start(behind_weir(
		WORDS("sh", "-c",
		      "read x; echo \"$0\"; printf 'half a '; read x; "
		      "echo line",
		      no)));

	check_answer(p, request("1", "initialize", "{}"), text("%s\n", no));
	proc_more(p, strlen("half a "));
	check_end(p, 0);
	check_text("the line", proc_line(p), "half a line\n");
}
