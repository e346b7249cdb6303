/* A weir that cannot start tells its client why. */
#include "answers.h"
#include "ends.h"
#include "fields.h"
#include "way.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define GREETING                                                               \
	"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"  \
	"{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}}\n"

static const char good[] = "'default':'deny','tools':{'echo':{}}";
static const char counts[] =
	"'default':'deny','tools':{'echo':{'rate_limit':'1/minute'}}";

/* Each start that fails: what the client is told of it, and not told. */
TEST(every_reason)
{
	const char *policy = policy_file("good", good);
	const char *limits = policy_file("counts", counts);
	const char *faulty =
		policy_file("faulty", "\n'default':'secret','tools':{}");
	const char *no_json = file("no_json", "root:x:0:0:root:/root");
	const struct {
		const char *const *words;
		int status;
		const char *says;
		const char *hides; /* what it must not quote; or NULL */
	} rows[] = {
		{WORDS(weir, server), 125, "no policy, so nothing runs"},
		{WORDS(weir, "p.json", "--", server), 125,
		 "no policy: p.json is taken for the command; write weir -p "
		 "p.json -- COMMAND"},
		{WORDS(weir), 125, "missing COMMAND"},
		{WORDS(weir, "--polizy"), 125, "--polizy: unknown option"},
		{WORDS(weir, "chek", "policy"), 127, "did you mean weir check"},
		{WORDS(weir, "-p", path("none"), server), 125,
		 text("%s: No such file", path("none"))},
		{WORDS(weir, "-p", faulty, server), 125,
		 text("%s:2:11: the policy is not sound", faulty), "secret"},
		{WORDS(weir, "-p", policy, "-p", no_json, server), 125,
		 text("%s:1:1: the policy is not sound", no_json), "root:x"},
		{WORDS(weir, "-p", limits, "-s", "/proc/weir", server), 125,
		 "cannot create /proc/weir"},
		{WORDS(weir, "-p", policy, "-l", "/proc/weir", server), 125,
		 "cannot open log /proc/weir"},
		{WORDS(weir, "-p", policy, path("")), 126, "Permission denied"},
		{WORDS(weir, "-p", policy, "no-such-command"), 127,
		 "no-such-command: no such command"},
		{WORDS(weir, "-p", policy, "\xFF\"\xE2\x82"), 127,
		 "?\"??: no such command"},
	};

	prefix_only("libweir.so answers nothing");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p = proc_run(rows[i].words, GREETING);
		const char *told;

		in_case(rows[i].says);
		check_status(p, rows[i].status);
		check(weir_lines(p->told.ptr) > 0, "nothing on stderr");
		check(count_lines(p->said.ptr) == 1, "said: %s", p->said.ptr);
		check_error(p->said.ptr, "0", -32603);
		told = field(p->said.ptr, "error.message");
		check_has(told, rows[i].says);
		check(!rows[i].hides || !strstr(told, rows[i].hides),
		      "quotes the file: %s", told);
	}
}

/* What arrives, and the ids of the answers, each followed by a space. */
TEST(every_line)
{
	const char *longer = long_ping("8", 200000);
	const struct {
		const char *name, *input, *ids;
	} rows[] = {
		{"nothing", "", ""},
		{"two requests", GREETING GREETING, "0 0 "},
		{"an id as it is spelled",
		 "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0061\\/b\",\"method\":\"m\"}\n",
		 "\"\\u0061\\/b\" "},
		{"the longest integer",
		 "{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"method\":\"m\"}\n",
		 "-9223372036854775808 "},
		{"CRLF, blank lines",
		 "\r\n \n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}\r\n",
		 "1 "},
		{"no line end",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", "1 "},
		{"nothing to answer",
		 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\"}}\n",
		 ""},
		{"no JSON", "hello\n", "null "},
		{"half a message", "{\"jsonrpc\":\"2.0\",\"id\":1,", "null "},
		{"malformed, with an id",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n", "1 "},
		{"a batch",
		 "["
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]\n",
		 "null "},
		{"a long line, and one behind it", text("%s" GREETING, longer),
		 "null 0 "},
		{"a long line without an end", text("%.100000s", longer),
		 "null "},
	};

	prefix_only("libweir.so answers nothing");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p = proc_run(WORDS(weir), rows[i].input);
		struct bytes ids = {.ptr = NULL};
		const char *line, *id;

		in_case(rows[i].name);
		check_status(p, 125);
		append_text(&ids, "");
		while ((line = proc_line(p))) {
			id = strstr(line, "\"id\":") + 5;
			check_error(line, NULL, -32603);
			append(&ids, id, strcspn(id, ","));
			append_text(&ids, " ");
		}
		check_text("the ids", ids.ptr ? ids.ptr : "", rows[i].ids);
	}
}

/* The first request has a second, and so has each that follows; but five in
 * all, also where nobody reads the answers. */
TEST(takes_its_time)
{
	const int64_t start = milliseconds();
	struct proc *silent, *asks, *unread;
	struct bytes many = {.ptr = NULL};
	int answered = 0, out;

	prefix_only("libweir.so answers nothing");
	silent = proc_start(WORDS(weir));
	asks = proc_start(WORDS(weir));
	unread = proc_start(WORDS(weir));
	out = proc_unread(unread);
	for (int i = 0; i < 2000; i++)
		append_text(&many, "x\n");
	proc_write(unread, many.ptr, many.len);
	proc_send(silent, "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n");
	/* Answered late, each keeps it waiting. */
	do {
		poll(NULL, 0, 300);
		if (!proc_write(asks, GREETING, strlen(GREETING)))
			break;
		answered += proc_line(asks) != NULL;
	} while (milliseconds() < start + DEADLINE);
	check(answered >= 8, "%d answers", answered);
	check(milliseconds() >= start + 4900, "it waited %d ms",
	      (int)(milliseconds() - start));
	check_equal(proc_wait(silent), 125);
	check_equal(proc_wait(asks), 125);
	check_equal(proc_wait(unread), 125);
	check(milliseconds() < start + 10000, "it waited %d ms",
	      (int)(milliseconds() - start));
	close(out);
}

/* Nobody types a message. */
TEST(no_terminal)
{
	const struct ends_kind *kind = ends_kinds;
	int64_t took = 1000;

	prefix_only("libweir.so answers nothing");
	while (!kind->terminal)
		kind++;
	/* Less than it would wait, in one of several tries at least. */
	for (int i = 0; i < 5 && took >= 1000; i++) {
		struct ends e;
		int64_t start = milliseconds();
		struct proc *p = ends_start(kind, &e, 0, WORDS(weir));

		ends_close_theirs(&e);
		check_equal(proc_wait(p), 125);
		took = milliseconds() - start;
	}
	check(took < 1000, "it waited %d ms", (int)took);
}

static void take_sigpipe(void)
{
	signal(SIGPIPE, SIG_DFL);
}

/* A client that has gone, or wants it gone. */
TEST(ends_early)
{
	struct how how = {.prepare = take_sigpipe};
	struct proc *p;

	prefix_only("libweir.so answers nothing");
	p = proc_start_how(WORDS(weir), &how);
	proc_close_out(p);
	proc_send(p, GREETING);
	check_equal(proc_wait(p), 125);

	p = proc_start(WORDS(weir, "-p", policy_file("good", good),
			     "no-such-command"));
	check_error(proc_ask(p, GREETING), "0", -32603);
	kill(p->pid, SIGTERM);
	check_status(p, -SIGTERM);
}

/* Their stdin is not an MCP client's. */
TEST(not_for_others)
{
	const char *const *const words[] = {
		WORDS(weir, "check", path("none")),
		WORDS(weir, "explain", "-p", path("none"), "echo"),
		WORDS(weir, "explain"),
		WORDS(weir, "-p", path("none"), "--", "cat"), /* libweir.so */
	};
	size_t first = preload ? COUNT(words) - 1 : 0;

	for (size_t i = first; i < COUNT(words) - !preload; i++) {
		struct proc *p = proc_run(words[i], GREETING);

		in_case(words[i][1]);
		check(proc_wait(p) != 0, "it started");
		check(!strstr(p->said.ptr, "jsonrpc"), "said: %s", p->said.ptr);
	}
}

/* What weir says on a terminal has lines of 80 columns; elsewhere, one. */
TEST(lines_fit_a_terminal)
{
	const char *sound = policy_file("sound", good);
	const char *all =
		policy_file("all", "'default':'deny','tools':{'*':{}}");
	const char *const *const commands[] = {
		WORDS(weir, "check", all),
		WORDS(weir, "scan", "-o", sound, "true"),
		WORDS(weir, "test", sound),
		WORDS(weir, "scan", "--diff", "true"),
	};
	size_t kind = 0, folded = 0;

	while (!ends_kinds[kind].terminal)
		kind++;
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct ends e;
		struct proc *p =
			ends_start(&ends_kinds[kind], &e, 0, commands[i]);
		const char *at, *line, *once;

		in_case(text("%s %s", commands[i][1], commands[i][2]));
		pid_wait(fcntl(p->pidfd, F_DUPFD_CLOEXEC, 0));
		ends_close_theirs(&e);
		proc_wait(p);
		for (at = p->said.ptr; (line = next_line(&at));) {
			/* A path is as long as it is. */
			check(strlen(line) <= 81 || !strchr(line + 7, ' '),
			      "too wide: %s", line);
			folded += strchr("we/", *line) == NULL;
		}
		p = proc_run(commands[i], "");
		once = p->told.len > 0 ? p->told.ptr : p->said.ptr;
		check(strlen(once) > 81, "not folded elsewhere: %s", once);
	}
	check(folded > 0, "nothing was too long");
}
