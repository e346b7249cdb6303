/* What a person answers from outside the client: weir approve, WEIR_ASK. */
#include "answers.h"
#include "ends.h"
#include "fields.h"
#include "processes.h"
#include "way.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASKS(more)                                                             \
	"'default':'allow','tools':{'echo':{'action':'require_approval',"      \
	"'reason':'it is \\'dear\\''" more "}}"
#define TERMINAL ",'approve_in':['terminal']"
#define PROGRAM  ",'approve_in':['program']"
#define DENIED   "a person said no"
#define NOBODY   "65534"

/* ---- sessions -------------------------------------------------------- */

static const char *echo_with(const char *id, const char *arguments)
{
	return request(id, "tools/call",
		       text("{\"name\":\"echo\",\"arguments\":%s}", arguments));
}

/* A session of this policy, in the state directory "state". */
static struct proc *begin_how(const char *policy, const char *const *env)
{
	struct proc *p = proc_start_how(WORDS(weir, "-s", path("state"), "-l",
					      path("log"), "-p",
					      policy_of(policy), "--", server),
					&(struct how){.env = env});

	ping(p, "0");
	return p;
}

static struct proc *begin(const char *policy)
{
	return begin_how(policy, NULL);
}

/* ---- the verb -------------------------------------------------------- */

static struct proc *approve(const char *const *words)
{
	return proc_run(join(WORDS("setsid", "-w", weir, "approve", "-s",
				   path("state")),
			     words),
			"");
}

/* What it lists, once so many calls wait; every line has at most 80 columns. */
static const char *await_list(size_t calls)
{
	const int64_t end = milliseconds() + DEADLINE;
	struct proc *p;
	const char *at, *line;

	do {
		p = approve(WORDS(NULL));
		check_status(p, 0);
		check(p->said.ptr, "it said nothing");
		if (calls == 0 && strstr(p->said.ptr, "No call waits"))
			return p->said.ptr;
	} while (count_lines(p->said.ptr) != calls + 1 && milliseconds() < end);
	check(count_lines(p->said.ptr) == calls + 1, "listed: %s", p->said.ptr);
	for (at = p->said.ptr; (line = next_line(&at));)
		check(strlen(line) <= 81, "too wide: %s", line);
	return p->said.ptr;
}

/* The number in the line of this list, from 1. */
static const char *number_in(const char *list, size_t row)
{
	const char *line = NULL;

	for (size_t i = 0; i <= row; i++)
		line = next_line(&list);
	return text("%ld", strtol(line, NULL, 10));
}

/* What it shows of a call, but the answer. */
static const char *shown(const char *number)
{
	struct proc *p = approve(WORDS(number));

	check_status(p, 2); /* there is no terminal */
	return p->said.ptr;
}

static const char *digest_of(const char *number)
{
	const char *at = strstr(shown(number), "\nDigest: ");

	check(at, "no digest");
	return text("%.16s", at + 9);
}

static void say_yes(const char *number)
{
	struct proc *p =
		approve(WORDS(number, "--digest", digest_of(number), "--yes"));

	check_status(p, 0);
	check_text("said", strstr(p->said.ptr, "\ncall ") + 1,
		   text("call %s: approved\n", number));
}

static void say_no(const char *number)
{
	check_status(approve(WORDS("--deny", number)), 0);
}

static void check_denied(const char *line, const char *id)
{
	check_refused(line, id, false, "/tools/echo/action", NULL);
}

/* One is denied, one is approved; numbers rise; all is shown. */
TEST(lists_and_answers)
{
	struct proc *p = begin(ASKS(TERMINAL));
	const char *list, *first, *second, *call, *line;

	await_list(0);
	proc_send(p, echo_with("1", "{\"a\":\"\xE2\x80\xAE\xC2\x9B [31m\"}"));
	list = await_list(1);
	check_has(list, "echo", "  server\n");
	first = number_in(list, 1);
	call = shown(first);
	check_has(call, "\nTool: echo\n", "/tools/echo/action", "dear",
		  "\nArguments: {\"a\":\"\\u202e\\u009b [31m\"}\n");
	/* The client's other messages go on. */
	ping(p, "2");
	say_no(first);
	check_denied(proc_line(p), "1");
	await_list(0);
	proc_send(p, echo_with("3", "{\"a\":1}"));
	proc_send(p, echo_with("4", "{\"a\":2}"));
	list = await_list(2);
	second = number_in(list, 2);
	check(atoi(number_in(list, 1)) > atoi(first), "%s", list);
	check(atoi(second) > atoi(first), "%s", list);
	say_yes(second);
	line = proc_line(p);
	check(!from_weir(line), "%s", line);
	say_yes(number_in(list, 1));
	check(!from_weir(proc_line(p)), "it did not pass");
	check_end(p, 0);
	await_list(0);
	/* Nor does another session use them again. */
	p = begin(ASKS(TERMINAL));
	proc_send(p, echo_with("1", "{}"));
	check(atoi(number_in(await_list(1), 1)) > atoi(second), "again");
	check_end(p, 0);
}

/* A yes comes while a line that no pipe takes whole waits for a full one, of
 * which it is not told how full it is: neither is torn, nor mixed. */
TEST(beside_a_long_line)
{
	/* The second fills a pipe, with its end. */
	const size_t sizes[] = {9000, posix ? 65535 : (1 << 20) - 1, 3 << 20};
	struct proc *p =
		proc_start_how(WORDS(weir, "-s", path("state"), "-p",
				     policy_of(ASKS(TERMINAL)), "--", server,
				     "--report", "--record", path("record")),
			       &(struct how){.prepare = fullness_untold});
	pid_t pid = server_pid(p);
	struct bytes want = content(path("record"));
	const char *number = NULL;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		if (i == 1) {
			check(proc_line(p), "an answer");
			proc_send(p, echo_with("2", "{}"));
			number = number_in(await_list(1), 1);
			kill(pid, SIGSTOP);
			await_state(pid, "Tt");
		}
		proc_send(p, long_ping("1", sizes[i]));
		await_rest(weir_pid(p));
		if (i == 2)
			append_text(&want, echo_with("2", "{}"));
		append_text(&want, long_ping("1", sizes[i]));
	}
	say_yes(number);
	await_rest(weir_pid(p));
	kill(pid, SIGCONT);
	check_end(p, 0);
	check_got_bytes(want);
}

/* approve, by another user, of a copy of weir that it may run. */
static struct proc *approve_as(const char *user, const char *const *words)
{
	const char *ids = text("--reuid=%s", user),
		   *group = text("--regid=%s", user);

	return proc_run(join(WORDS("setsid", "-w", "setpriv", ids, group,
				   "--clear-groups", path("weir"), "approve",
				   "-s", path("state")),
			     words),
			"");
}

/* As far as the session's directory. */
static void let_others_in(void)
{
	check_status(proc_run(WORDS("cp", weir, path("weir")), ""), 0);
	check_equal(chmod(path(""), 0711), 0);
	check_equal(chmod(path("state"), 0711), 0);
}

/* In the client and in the terminal: the first answer wins. */
TEST(first_answer_wins)
{
	static const char *const question = "\"method\":\"elicitation/create\"";
	struct proc *p = begin(ASKS(""));

	proc_send(p, request("1", "initialize",
			     "{\"protocolVersion\":\"2025-11-25\","
			     "\"capabilities\":{\"elicitation\":{}}}"));
	proc_line(p);
	for (int i = 0; i < 4; i++) {
		const char *call = text("%d", i + 2), *line, *id, *n, *digest;
		bool client = i & 1, yes = i & 2;

		in_case(text("%s %s", client ? "client" : "terminal",
			     yes ? "yes" : "no"));
		line = proc_ask(p, echo_with(call, text("{\"i\":%d}", i)));
		check_has(line, question);
		id = field(line, "id");
		n = number_in(await_list(1), 1);
		digest = digest_of(n);
		if (!client && yes)
			say_yes(n);
		else if (!client)
			say_no(n);
		/* The client's answer: the first, or too late. */
		proc_send(p, text("{\"jsonrpc\":\"2.0\",\"id\":\"%s\","
				  "\"result\":{\"action\":\"%s\"}}\n",
				  id, client == yes ? "accept" : "decline"));
		if (!client) {
			line = proc_line(p);
			check_has(line, "notifications/cancelled", id);
		}
		line = proc_line(p);
		if (yes)
			check(!from_weir(line), "%s", line);
		else
			check_denied(line, call);
		check_status(approve(WORDS(n, "--digest", digest, "--yes")), 1);
		ping(p, "9");
	}
	check_end(p, 0);
}

/* A policy that asks only since a reload has a door, and who may answer is as
 * the last one says. */
TEST(door_reloaded)
{
	struct proc *p = begin("'default':'allow'");
	const char *n;

	check(!exists(path("state")), "it was made");
	policy_of(ASKS(TERMINAL));
	kill(weir_pid(p), SIGHUP);
	proc_told(p, "policy reloaded");
	proc_send(p, echo_with("1", "{}"));
	n = number_in(await_list(1), 1);
	policy_of(ASKS(",'approve_by':'12345'"));
	kill(weir_pid(p), SIGHUP);
	/* What waited is refused. */
	check_denied(proc_line(p), "1");
	await_list(0);
	check_status(approve(WORDS("--deny", n)), 1);
	proc_send(p, echo_with("2", "{}"));
	n = number_in(await_list(1), 1);
	if (geteuid() != 0) {
		check_status(approve(WORDS("--deny", n)), 1);
		check_end(p, 0);
		return;
	}
	say_no(n);
	check_denied(proc_line(p), "2");
	policy_of(ASKS(",'approve_by':'" NOBODY "'"));
	kill(weir_pid(p), SIGHUP);
	ping(p, "3");
	proc_send(p, echo_with("4", "{}"));
	n = number_in(await_list(1), 1);
	let_others_in();
	check_status(approve_as(NOBODY, WORDS("--deny", n)), 0);
	check_denied(proc_line(p), "4");
	check_end(p, 0);
}

/* The start says how to reach it, where that is not the usual place. */
TEST(start_line)
{
	const char *home = text("HOME=%s", path("h")), *at = path("a b");
	const char *policy = policy_of(ASKS(TERMINAL));
	struct proc *p;

	check_equal(mkdir(path("h"), 0700), 0);
	p = proc_run(
		WORDS("env", "-u", "XDG_STATE_HOME", home, weir, "approve"),
		"");
	check_status(p, 0);
	check_has(p->said.ptr, "No call waits");
	p = proc_start_how(WORDS("env", "-u", "XDG_STATE_HOME", home, weir,
				 "-p", policy, "--", server),
			   &(struct how){.env = NULL});
	ping(p, "1");
	check(!p->told.ptr || !strstr(p->told.ptr, "weir approve"), "told: %s",
	      p->told.ptr);
	check(exists(path("h/.local/state/weir/approve")), "no door");
	check_end(p, 0);
	p = proc_start(WORDS(weir, "-s", at, "-p", policy, "--", server));
	ping(p, "1");
	check_has(p->told.ptr, text("weir approve -s '%s'\n", at));
	check_end(p, 0);
}

/* Arguments of a megabyte are shown to the last byte. */
TEST(shows_all_of_it)
{
	enum { MOST = 1000000 };
	struct proc *p = begin(ASKS(TERMINAL));
	struct bytes long_one = {.ptr = NULL};
	const char *number, *all;

	append_text(&long_one, "{\"a\":\"");
	while (long_one.len < MOST)
		append_text(&long_one, "0123456789abcdef");
	append_text(&long_one, "THE END\"}");
	proc_send(p, echo_with("1", long_one.ptr));
	number = number_in(await_list(1), 1);
	all = shown(number);
	check_has(all, text("\nArguments: %s\n", long_one.ptr));
	say_yes(number);
	check(!from_weir(proc_line(p)), "it did not pass");
	check_end(p, 0);
}

/* What answers nothing. */
TEST(wrong_answers)
{
	struct proc *p = begin(ASKS(TERMINAL));
	const char *n, *digest, *other;

	proc_send(p, echo_with("1", "{}"));
	n = number_in(await_list(1), 1);
	digest = digest_of(n);
	other = text("%c%s", *digest == '0' ? '1' : '0', digest + 1);
	{
		const struct {
			const char *const *words;
			int status;
			const char *told;
		} rows[] = {
			{WORDS(n, "--digest", other, "--yes"), 1,
			 "has another digest"},
			{WORDS(n, "--digest",
			       text("%.15s%c", digest,
				    digest[15] == '0' ? '1' : '0'),
			       "--yes"),
			 1, "has another digest"},
			{WORDS("--deny", n, "--digest", other), 1,
			 "has another digest"},
			{WORDS(n, "--digest", text("%.7s", digest), "--yes"), 2,
			 "expected 8 to 64 hexadecimal digits"},
			{WORDS(n, "--digest", "", "--yes"), 2, "is empty"},
			{WORDS(n, "--digest", "0123456x", "--yes"), 2,
			 "expected 8 to 64 hexadecimal digits"},
			{WORDS(n, "--yes"), 2, "--yes needs --digest"},
			{WORDS(n), 2, "no terminal to ask on"},
			{WORDS(n, "--digest", digest), 2,
			 "no terminal to ask on"},
			{WORDS("--watch"), 2, "needs a terminal"},
			{WORDS("-s", "/none"), 2, "/none/approve: No such"},
			{WORDS("-s", "/none", "1"), 2,
			 "/none/approve: No such"},
			{WORDS("-s", "/dev/null"), 2, "Not a directory"},
			{WORDS("-s", "ftp://x"), 2, "expected redis://"},
			{WORDS("999999"), 1, "no call 999999 waits"},
			{WORDS("--deny", "999999"), 1, "no call 999999 waits"},
			{WORDS("0"), 2, "expected a call's number"},
			{WORDS("-1"), 2, "unknown option"},
			{WORDS("1x"), 2, "expected a call's number"},
			{WORDS("99999999999999999999"), 2,
			 "expected a call's number"},
			{WORDS("--deny", "all"), 2, "expected a call's number"},
			{WORDS("--deny", n, n), 2, "it takes one number"},
			{WORDS(n, n), 2, "unexpected operand"},
		};

		for (size_t i = 0; i < COUNT(rows); i++) {
			struct proc *v = approve(rows[i].words);

			in_case(rows[i].told);
			check_status(v, rows[i].status);
			check_has(v->told.ptr, rows[i].told);
		}
	}
	/* It waits all the same. */
	await_list(1);
	check_status(
		approve(WORDS(n, "--digest", text("%.8s", digest), "--yes")),
		0);
	check(!from_weir(proc_line(p)), "it did not pass");
	check_status(approve(WORDS(n, "--digest", digest, "--yes")), 1);
	check_end(p, 0);
}

/* Two at a time, one that is killed, one that is stopped. */
TEST(many_sessions)
{
	struct proc *a = begin(ASKS(TERMINAL)), *b = begin(ASKS(TERMINAL)),
		    *c = begin(ASKS(TERMINAL)), *v;
	const char *list;
	int64_t start;
	DIR *dir;
	size_t sockets = 0;

	proc_send(a, echo_with("1", "{\"of\":\"a\"}"));
	list = await_list(1);
	proc_send(b, echo_with("1", "{\"of\":\"b\"}"));
	await_list(2);
	say_no(number_in(list, 1));
	check_denied(proc_line(a), "1");
	list = await_list(1);
	check_has(shown(number_in(list, 1)), "{\"of\":\"b\"}");
	/* A session that is killed leaves a socket, until it is noticed. */
	kill(weir_pid(c), SIGKILL);
	proc_end(c);
	await_list(1);
	dir = opendir(path("state/approve"));
	check(dir, "no directory");
	for (struct dirent *e; (e = readdir(dir));)
		sockets += e->d_type == DT_SOCK;
	closedir(dir);
	check_equal((int)sockets, 2);
	/* One that is stopped costs a second, and is told of. */
	kill(weir_pid(a), SIGSTOP);
	start = milliseconds();
	v = approve(WORDS(NULL));
	check_status(v, 2);
	check(milliseconds() - start < 10000, "it took %d ms",
	      (int)(milliseconds() - start));
	check_has(v->told.ptr, "no answer; is it stopped?");
	check_equal(count_lines(v->said.ptr), 2);
	kill(weir_pid(a), SIGCONT);
	say_yes(number_in(list, 1));
	check(!from_weir(proc_line(b)), "it did not pass");
	check_end(a, 0);
	check_end(b, 0);
	rmdir(path("state/approve")); /* "numbers" is there */
}

/* ---- the socket ------------------------------------------------------ */

/* Where the session's socket is. */
static const char *socket_path(void)
{
	DIR *dir = opendir(path("state/approve"));
	const char *found = NULL;

	check(dir, "no directory");
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_type == DT_SOCK)
			found = text("%s/%s", path("state/approve"), e->d_name);
	closedir(dir);
	check(found, "no socket");
	return found;
}

static int try_knock(const char *at)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", at);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int knock(const char *at)
{
	int fd;

	while ((fd = try_knock(at)) < 0 && errno == EAGAIN)
		poll(NULL, 0, 1);
	check(fd >= 0, "cannot connect: %s", strerror(errno));
	return fd;
}

/* What comes until the end; "late" if none comes. */
static const char *reply_of(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct bytes got = {.ptr = NULL};
	char buf[4096];
	ssize_t n;

	append_text(&got, "");
	for (;;) {
		if (poll(&p, 1, 5000) != 1)
			return "late";
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		append(&got, buf, (size_t)n);
	}
	close(fd);
	return got.ptr ? got.ptr : "";
}

/* Whatever is sent, nothing is approved. */
TEST(garbage_at_the_door)
{
	static const char zeros[64] = "0000000000000000000000000000000"
				      "000000000000000000000000000000000";
	struct proc *p = begin(ASKS(TERMINAL));
	const char *at = socket_path(), *n;

	proc_send(p, echo_with("1", "{}"));
	n = number_in(await_list(1), 1);
	{
		const struct {
			const char *sent, *reply;
		} rows[] = {
			{"\n", "bad\n"},
			{"hello\n", "bad\n"},
			{"lis\n", "bad\n"},
			{"list\r\n", "bad\n"},
			{"LIST\n", "bad\n"},
			{"show\n", "gone\n"},
			{"show \n", "gone\n"},
			{"show 0\n", "gone\n"},
			{"show -1\n", "gone\n"},
			{"show 18446744073709551617\n", "gone\n"},
			{"yes\n", "gone\n"},
			{"no\n", "gone\n"},
			{text("yes %s\n", n), "changed\n"},
			{text("no %s\n", n), "changed\n"},
			{text("yes %s \n", n), "changed\n"},
			{text("yes %s %.64s\n", n, zeros), "changed\n"},
			{text("yes %s %.64s0\n", n, zeros), "changed\n"},
			{text("%0200d\n", 7), ""},
			{"GET / HTTP/1.1\r\nHost: weir\r\n\r\n", "bad\n"},
			{"\x01\x02\xFF\xFE\n", "bad\n"},
		};

		for (size_t i = 0; i < COUNT(rows); i++) {
			int fd = knock(at);

			in_case(rows[i].sent);
			check(write(fd, rows[i].sent, strlen(rows[i].sent)) > 0,
			      "write");
			check_text("reply", reply_of(fd), rows[i].reply);
		}
		/* Half a request is not waited for, nor is one without end. */
		in_case("half a request");
		check_text("reply", reply_of(knock(at)), "");
	}
	await_list(1);
	ping(p, "2");
	check_end(p, 0);
}

/* A flood of connections, some of which stay, holds up neither the relay nor a
 * person. */
TEST(a_flood_at_the_door)
{
	enum { PEERS = 200, PINGS = 1000 };
	struct proc *p = begin(ASKS(TERMINAL));
	const char *at = socket_path();
	struct bytes pings = {.ptr = NULL};
	int fds[PEERS], fd;
	const int before = descriptors_of(weir_pid(p));
	int64_t start;
	long answered;

	proc_send(p, echo_with("1", "{}"));
	await_list(1);
	for (int i = 0; i < PEERS; i++) {
		fds[i] = knock(at);
		check(write(fds[i], "list", (size_t)i % 5) >= 0, "write");
	}
	check(descriptors_of(weir_pid(p)) <= before + 9, "%d descriptors",
	      descriptors_of(weir_pid(p)) - before);
	start = milliseconds();
	for (int i = 0; i < PINGS; i++)
		append_text(&pings, request("2", "ping", NULL));
	proc_write(p, pings.ptr, pings.len);
	for (answered = 0; answered < PINGS; answered++)
		check_has(proc_line(p), "\"id\":2,");
	check(milliseconds() - start < 5000, "%d ms",
	      (int)(milliseconds() - start));
	start = milliseconds();
	fd = knock(at);
	check(write(fd, "list\n", 5) == 5, "write");
	check_has(reply_of(fd), "\techo\t");
	check(milliseconds() - start < 2500, "%d ms",
	      (int)(milliseconds() - start));
	for (int i = 0; i < PEERS; i++)
		close(fds[i]);
	await_list(1);
	await_rest(weir_pid(p));
	check_equal(descriptors_of(weir_pid(p)), before);
	check_end(p, 0);
}

/* All who were silent speak just when another one comes.  In one of several
 * tries, as who is silent for too long is sent away. */
TEST(all_speak_at_once)
{
	enum { PEERS = 8 };
	struct proc *p = begin(ASKS(TERMINAL));
	const pid_t pid = weir_pid(p);
	const char *at = socket_path();
	const int before = descriptors_of(pid);
	int fds[PEERS + 1], listed = 0;

	proc_send(p, echo_with("1", "{}"));
	for (int try = 0; try < 5 && listed <= PEERS; try++) {
		for (int i = 0; i < PEERS; i++)
			fds[i] = knock(at);
		for (int i = 0; i < 200 && descriptors_of(pid) < before + PEERS;
		     i++)
			poll(NULL, 0, 1);
		poll(NULL, 0, 30); /* longer than the youngest has to itself */
		ping(p, "2");
		await_rest(pid);
		kill(pid, SIGSTOP);
		await_state(pid, "Tt");
		fds[PEERS] = knock(at);
		listed = 0;
		for (int i = 0; i <= PEERS; i++)
			send(fds[i], "list\n", 5, MSG_NOSIGNAL);
		kill(pid, SIGCONT);
		for (int i = 0; i <= PEERS; i++)
			listed += strstr(reply_of(fds[i]), "\techo\t") != NULL;
		ping(p, "3");
	}
	check_equal(listed, PEERS + 1);
	check_end(p, 0);
}

/* Without a descriptor for one more, nobody is let in, and it costs nothing. */
TEST(no_descriptor_to_spare)
{
	struct proc *p = begin(ASKS(TERMINAL));
	const pid_t pid = weir_pid(p);
	const char *at = socket_path();
	struct rlimit all, few;
	int64_t used;
	char name[32];
	int fd, lowest = 0, before[4], count = 0;

	proc_send(p, echo_with("1", "{}"));
	await_list(1);
	await_rest(pid);
	/* Those below 10 are in use: poll() needs as many. */
	for (; lowest < 10; lowest++) {
		struct stat st;

		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid,
			 lowest);
		for (int i = 0; lstat(name, &st) != 0; i++) {
			if (i == 0 && count < 4)
				before[count++] = knock(at);
			poll(NULL, 0, 1);
		}
	}
	check_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &all), 0);
	few = (struct rlimit){.rlim_cur = 10, .rlim_max = all.rlim_max};
	check_equal(prlimit(pid, RLIMIT_NOFILE, &few, NULL), 0);
	fd = knock(at);
	used = cpu_of(pid);
	poll(NULL, 0, 300);
	ping(p, "2");
	used = cpu_of(pid) - used;
	check(used < 20000000, "it used %d ms", (int)(used / 1000000));
	check_equal(prlimit(pid, RLIMIT_NOFILE, &all, NULL), 0);
	check(write(fd, "list\n", 5) == 5, "write");
	check_has(reply_of(fd), "\techo\t");
	while (count > 0)
		close(before[--count]);
	check_end(p, 0);
}

/* What others may have put there is not followed. */
TEST(planted)
{
	struct proc *p = begin(ASKS(TERMINAL)), *v;
	const char *at = socket_path(), *aside = path("aside");

	proc_send(p, echo_with("1", "{}"));
	await_list(1);
	check_equal(rename(at, aside), 0);
	check_equal(symlink(aside, at), 0);
	v = approve(WORDS(NULL));
	check_has(v->said.ptr, "No call waits");
	unlink(at);
	file("state/approve/x.1", "");
	check_equal(mkdir(path("state/approve/y.2"), 0700), 0);
	check_equal(mkfifo(path("state/approve/z.3"), 0600), 0);
	v = approve(WORDS(NULL));
	check_has(v->said.ptr, "No call waits");
	check(exists(path("state/approve/x.1")), "it was removed");
	for (int i = 0; i < 2 && geteuid() == 0; i++) {
		check_equal(rename(aside, at), 0);
		check_equal(lchown(at, 12345, 12345), 0);
		check_has(approve(WORDS(NULL))->said.ptr, "No call waits");
		check_equal(lchown(at, 0, 0), 0);
		check_equal(rename(at, aside), 0);
	}
	/* Who may write there may answer. */
	for (int i = 0; i < 4; i++) {
		const char *dir = path(i < 2 ? "state" : "state/approve");

		check_equal(chmod(dir, i % 2 ? 0702 : 0720), 0);
		v = approve(WORDS(NULL));
		check_status(v, 2);
		check_has(v->told.ptr, "chmod go-w");
		check_equal(chmod(dir, 0700), 0);
	}
	unlink(path("state/approve/x.1"));
	rmdir(path("state/approve/y.2"));
	unlink(path("state/approve/z.3"));
	check_equal(rename(aside, at), 0);
	await_list(1);
	check_end(p, 0);
}

/* Where there can be no door, it is told, and the call is refused. */
TEST(no_door)
{
	static const struct {
		const char *name, *told;
		mode_t mode;
	} rows[] = {
		{"a file", "Not a directory", 0},
		{"others may write", "chmod go-w", 0777},
		{"a link", "Not a directory", 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p;

		in_case(rows[i].name);
		mkdir(path("state"), 0700);
		if (i == 0) {
			file("state/approve", "");
		} else if (i == 1) {
			check_equal(mkdir(path("state/approve"), 0700), 0);
			check_equal(chmod(path("state/approve"), rows[i].mode),
				    0);
		} else {
			check_equal(mkdir(path("other"), 0700), 0);
			check_equal(
				symlink(path("other"), path("state/approve")),
				0);
		}
		p = begin(ASKS(TERMINAL));
		check_has(p->told.ptr, rows[i].told, "-s DIR");
		check_denied(proc_ask(p, echo_with("1", "{}")), "1");
		check_end(p, 0);
		unlink(path("state/approve"));
		rmdir(path("state/approve"));
	}
	/* Nothing is made for a policy that asks nobody there. */
	check_end(begin(ASKS(PROGRAM)), 0);
	check(!exists(path("state/approve")), "it was made");
}

/* Without /proc no socket can be named, from either side. */
TEST(door_without_proc)
{
	const char *const *apart =
		WORDS("unshare", "-r", "-m", "sh", "-c",
		      "mount -t tmpfs none /proc && exec \"$@\"", "sh");
	static const char why[] =
		"the socket needs /proc, which is not mounted";
	struct proc *p, *q;

	/* ASan cannot start without it; POSIX needs none. */
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	if (posix)
		skip();
	can_only(apart);
	p = proc_run(
		join(apart, WORDS(weir, "-s", path("other"), "-p",
				  policy_of(ASKS(TERMINAL)), "--", "true")),
		"");
	check_status(p, 0);
	check_has(p->told.ptr, text("approve: %s\n", why));
	p = begin(ASKS(TERMINAL));
	proc_send(p, echo_with("1", "{}"));
	await_list(1);
	q = proc_run(join(apart, WORDS(weir, "approve", "-s", path("state"))),
		     "");
	check_status(q, 2);
	check_has(q->told.ptr, why);
	check_end(p, 0);
}

/* ---- users ----------------------------------------------------------- */

TEST(other_users)
{
	static const struct {
		const char *by, *user;
		bool may;
	} rows[] = {
		{"", NOBODY, false},
		{",'approve_by':'nobody'", NOBODY, true},
		{",'approve_by':'" NOBODY "'", NOBODY, true},
		{",'approve_by':'@" NOBODY "'", NOBODY, true},
		{",'approve_by':'nobody'", "12345", false},
		{",'approve_by':'@" NOBODY "'", "12345", false},
		{",'approve_by':'12345'", NOBODY, false},
		{",'approve_by':'root'", NOBODY, false},
		/* Who may answer others. */
		{",'approve_by':'12345'", "54321", false},
		{"", "54321", false},
		{",'approve_by':'nosuchuser'", NOBODY, false},
	};

	root_only("be another user");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *policy = text(
			"'default':'allow','tools':{'echo':{"
			"'action':'require_approval','approve_in':['terminal']%s},"
			"'other':{'action':'require_approval','approve_by':'@54321'}}",
			rows[i].by);
		struct proc *p = begin(policy), *v;
		const char *n;

		in_case(text("%s %s", rows[i].by, rows[i].user));
		let_others_in();
		proc_send(p, echo_with("1", "{\"secret\":1}"));
		n = number_in(await_list(1), 1);
		v = approve_as(rows[i].user,
			       WORDS(n, "--digest", digest_of(n), "--yes"));
		if (rows[i].may) {
			check_status(v, 0);
			check(!from_weir(proc_line(p)), "it did not pass");
		} else {
			check(proc_wait(v) != 0, "it was approved");
			check(!v->said.ptr || !strstr(v->said.ptr, "secret"),
			      "it was shown: %s", v->said.ptr);
			await_list(1);
			say_yes(n); /* root always may */
			check(!from_weir(proc_line(p)), "it did not pass");
		}
		check_end(p, 0);
		check_equal(chmod(path("state/approve"), 0700), 0);
	}
}

/* Who runs weir is one like any other, where a rule names who must say yes: it
 * sees the call, as it is its own.  root always may, so it is not root. */
TEST(not_the_same_user)
{
	static const char *const same[] = {"setsid", "-w", NULL};
	static const char *const other[] = {"setsid",
					    "-w",
					    "setpriv",
					    "--reuid=" NOBODY,
					    "--regid=" NOBODY,
					    "--clear-groups",
					    NULL};
	const bool root = geteuid() == 0;
	const char *const *as = root ? other : same;
	const char *ours = root ? path("weir") : weir, *state = path("state"),
		   *theirs = root ? path("server") : server;
	struct proc *p, *v;
	const char *n;

	prefix_only("its command begins otherwise");
	if (root) {
		can_only(as);
		check_equal(mkdir(state, 0700), 0);
		check_equal(chown(state, 65534, 65534), 0);
		let_others_in();
		check_status(proc_run(WORDS("cp", server, theirs), ""), 0);
	}
	p = proc_start(join(as, WORDS(ours, "-s", state, "-p",
				      policy_of(ASKS(",'approve_by':'root'")),
				      "--", theirs)));
	ping(p, "0");
	proc_send(p, echo_with("1", "{}"));
	n = number_in(await_list(1), 1);
	v = proc_run(join(as, WORDS(ours, "approve", "-s", state, n, "--digest",
				    digest_of(n), "--yes")),
		     "");
	check_status(v, 1);
	check_has(v->told.ptr, "approve_by");
	v = proc_run(join(as, WORDS(ours, "approve", "-s", state, "--deny", n)),
		     "");
	check_status(v, 1);
	await_list(1);
	check_end(p, 0);
}

/* A listener that became another user's, at a socket that is ours: it gets an
 * end, and not one byte.  Exits with what it got. */
static void listen_as_nobody(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "x.4"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte;

	alarm(DEADLINE / 1000);
	if (chdir(path("state/approve")) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    setuid(65534) != 0 || listen(fd, 1) != 0)
		_exit(9);
	fd = accept(fd, NULL, NULL);
	_exit(fd < 0 || read(fd, &byte, 1) != 0);
}

TEST(a_listener_of_another_user)
{
	struct proc *p, *v;
	int status;
	pid_t pid;

	root_only("be another user");
	p = begin(ASKS(TERMINAL));
	pid = fork();
	if (pid == 0)
		listen_as_nobody();
	await(exists(path("state/approve/x.4")) && state_of(pid) == 'S',
	      "it does not listen");
	v = approve(WORDS(NULL));
	check_status(v, 2);
	check_has(v->told.ptr, "x.4");
	check_has(v->told.ptr, "no socket of the directory's owner");
	check_equal(waitpid(pid, &status, 0), pid);
	check_equal(status, 0);
	check_end(p, 0);
}

/* ---- on a terminal --------------------------------------------------- */

/* The verb on a terminal of its own. */
static struct proc *on_terminal(const char *const *words)
{
	return start_on_terminal(
		join(WORDS(weir, "approve", "-s", path("state")), words), true);
}

/* Waits until the terminal shows this, behind what was seen before. */
static void await_text(struct proc *p, const char *want)
{
	char *at;

	proc_more(p, 1);
	while (!(at = strstr(p->said.ptr + p->taken, want)))
		proc_more(p, p->said.len - p->taken + 1);
	p->taken = (size_t)(at - p->said.ptr) + strlen(want);
}

TEST(asks_on_a_terminal)
{
	static const struct {
		const char *typed;
		int status;
		bool answered, passes;
	} rows[] = {
		{"y\n", 0, true, true},          {"yes\n", 0, true, true},
		{"n\n", 1, true, false},         {"\n", 1, false, false},
		{"yess\n", 1, false, false},     {"\x04", 1, false, false},
		{"\x03", -SIGINT, false, false},
	};
	struct proc *p = begin(ASKS(TERMINAL));

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *id = text("%zu", i + 1), *n;
		struct proc *v;

		in_case(rows[i].typed);
		proc_send(p, echo_with(id, text("{\"i\":%zu}", i)));
		n = number_in(await_list(1), 1);
		v = on_terminal(WORDS(n));
		await_text(v, text("{\"i\":%zu}", i));
		await_text(v, "[y/n, Enter: not now] ");
		proc_send(v, rows[i].typed);
		check_equal(proc_end(v), rows[i].status);
		if (!rows[i].answered) {
			await_list(1);
			say_no(n);
		}
		if (rows[i].passes)
			check(!from_weir(proc_line(p)), "it did not pass");
		else
			check_denied(proc_line(p), id);
	}
	check_end(p, 0);
}

/* It asks about sessions that come and go, and notices what others answer. */
TEST(watches)
{
	struct proc *v = on_terminal(WORDS("--watch")), *a, *b;

	await_text(v, "^C leaves.");
	a = begin(ASKS(TERMINAL));
	/* What is typed before the question is no answer. */
	proc_send(v, "n\n");
	proc_send(a, echo_with("1", "{\"n\":1}"));
	await_text(v, "\a");
	await_text(v, "{\"n\":1}");
	await_text(v, "not now] ");
	proc_send(v, "y\n");
	await_text(v, "approved");
	check(!from_weir(proc_line(a)), "it did not pass");
	check_end(a, 0);
	b = begin(ASKS(TERMINAL));
	proc_send(b, echo_with("1", "{\"n\":2}"));
	proc_send(b, echo_with("2", "{\"n\":3}"));
	await_text(v, "{\"n\":2}");
	await_text(v, "not now] ");
	proc_send(v, "n\n");
	await_text(v, "denied");
	check_denied(proc_line(b), "1");
	await_text(v, "{\"n\":3}");
	await_text(v, "not now] ");
	/* Answered elsewhere: the question is over. */
	say_no(number_in(await_list(1), 1));
	check_denied(proc_line(b), "2");
	await_text(v, "\n");
	proc_send(b, echo_with("3", "{\"n\":4}"));
	await_text(v, "{\"n\":4}");
	await_text(v, "not now] ");
	check_end(b, 0);
	await_text(v, "\n");
	proc_send(v, "\x03");
	check_equal(proc_end(v), -SIGINT);
}

/* ---- WEIR_ASK -------------------------------------------------------- */

static const char *program(const char *words)
{
	const char *at = file("ask", text("#!/bin/sh\n%s\n", words));

	check_equal(chmod(at, 0700), 0);
	return text("WEIR_ASK=%s", at);
}

TEST(asks_a_program)
{
	static const struct {
		const char *words;
		bool passes;
	} rows[] = {
		{"cat >/dev/null; echo yes", true},
		{"grep -q '{\"it\":\"is this\"}' && echo yes", true},
		{"t=$(cat); case $t in *echo*dear*it*) echo yes;; esac", true},
		{"cat >/dev/null; ls -l /proc/$$/fd | "
		 "grep -qE 'socket|approve' || echo yes",
		 true},
		{"cat >/dev/null", false},
		{"echo yes; exit 1", false},
		{"kill -9 $$", false},
		{"cat >/dev/null; sleep 60 & echo yes", false},
		{"while :; do echo yes; done", false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p =
			begin_how(ASKS(PROGRAM), WORDS(program(rows[i].words)));
		const char *line;

		in_case(rows[i].words);
		line = proc_ask(p, echo_with("1", "{\"it\":\"is this\"}"));
		if (rows[i].passes)
			check(!from_weir(line), "%s", line);
		else
			check_denied(line, "1");
		await_descendants(weir_pid(p), preload ? 0 : 1 + posix);
		check_end(p, 0);
	}
}

/* One at a time, in their order; the end of the session ends it. */
TEST(programs_wait_their_turn)
{
	const char *ask = program(
		text("cat >>%s; while [ ! -e %s ]; do sleep 0.02; done; rm %s; "
		     "echo yes",
		     path("asked"), path("go"), path("go")));
	struct proc *p = begin_how(ASKS(PROGRAM), WORDS(ask));

	for (int i = 1; i <= 3; i++)
		proc_send(p, echo_with(text("%d", i), text("{\"n\":%d}", i)));
	for (int i = 1; i <= 2; i++) {
		const char *all = "", *next = text("{\"n\":%d}", i);

		await(exists(path("asked")) &&
			      strstr(all = content(path("asked")).ptr, next),
		      "not asked: %s", all);
		check(!strstr(all, text("{\"n\":%d}", i + 1)), "two at a time");
		ping(p, "7");
		file("go", "");
		check_has(proc_line(p), text("\"id\":%d,", i));
	}
	/* The third is still asked about. */
	check_end(p, 0);
	if (!preload && !posix)
		check_equal(descendants_of(getpid()), 0);
}

/* Neither does a program that hangs, at the timeout. */
TEST(a_program_that_hangs)
{
	struct proc *p = begin_how(
		ASKS(PROGRAM ",'approval_timeout':5"),
		WORDS(program("trap '' TERM; sleep 60 & sleep 60; echo yes")));

	proc_send(p, echo_with("1", "{}"));
	await_descendants(weir_pid(p), preload ? 3 : 4 + posix);
	ping(p, "2");
	check_denied(proc_line(p), "1");
	await_descendants(weir_pid(p), preload ? 0 : 1 + posix);
	check_end(p, 0);
}

TEST(no_program)
{
	static const char *const rows[] = {"ask",         "./ask",
					   "/",           "/dev/null",
					   "/etc/passwd", "/nonexistent"};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p = proc_start_how(
			BEHIND(ASKS(PROGRAM)),
			&(struct how){
				.env = WORDS(text("WEIR_ASK=%s", rows[i]))});

		in_case(rows[i]);
		check_end(p, 125);
		check_has(p->told.ptr, "WEIR_ASK=", "whole path");
	}
}
