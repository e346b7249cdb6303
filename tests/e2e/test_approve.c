/*
 * Calls that a person must approve, from outside: the client is this test, and
 * the server writes down every byte that it gets.
 */
#include "answers.h"
#include "processes.h"
#include "way.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const char policy[] =
	"'default':'allow','tools':{'pay':{'action':'require_approval',"
	"'reason':'costs money'},'here':{'action':'require_approval',"
	"'approve_in':['client']},'few':{'action':'require_approval',"
	"'rate_limit':'9/minute'},'soon':{'action':'require_approval',"
	"'approval_timeout':5}}";

#define RULE    "/tools/pay/action"
#define MUST    "a person must approve this"
#define SAID_NO "a person has refused this"

/* A session of a client that shows questions, or does not. */
static struct proc *begin(const char *const *words, bool elicits)
{
	struct proc *p = proc_start(
		join(WORDS(weir, "-s", path("state"), "-g", "g", "-l",
			   path("log"), "-p", policy_of(policy), "--"),
		     words));

	check_has(
		proc_ask(
			p,
			request("\"i\"", "initialize",
				elicits ? "{\"protocolVersion\":\"2025-06-18\","
					  "\"capabilities\":{\"elicitation\":{}}}"
					: "{\"capabilities\":{}}")),
		"\"id\":\"i\"");
	return p;
}

static struct proc *recorded(bool elicits)
{
	return begin(WORDS(server, "--record", path("record")), elicits);
}

/* The id of the question that comes next. */
static const char *question(struct proc *p)
{
	const char *line = proc_line(p), *at;

	check(line && strstr(line, "\"method\":\"elicitation/create\""),
	      "a question was expected: %s", line);
	at = strstr(line, "\"id\":\"weir-");
	check(at, "an id was expected: %s", line);
	return text("%.37s", at + 6);
}

static void answer(struct proc *p, const char *id, const char *action)
{
	proc_send(p, text("{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{"
			  "\"action\":\"%s\"}}\n",
			  id, action));
}

/* A call of len bytes with its line end, that asks little. */
static struct bytes long_call(size_t len, const char *before, const char *end)
{
	struct bytes b = {.ptr = NULL};
	const char *head = text("{%s\"jsonrpc\":\"2.0\",\"id\":7,\"method\":"
				"\"tools/call\",\"params\":{\"name\":"
				"\"p\\u0061y\",\"arguments\":{\"\xC3\xA9\":"
				"\"\\u00e9\\/\\ud83d\\ude00\"}}",
				before);

	append_text(&b, head);
	while (b.len + strlen(end) + 1 < len)
		append_text(&b, b.len % 3 ? " " : "\t");
	append_text(&b, "}");
	append_text(&b, end);
	return b;
}

/* The server gets each line as the client sent it, whatever its length, and
 * whole, with others around it. */
TEST(lines_are_the_same)
{
	static const size_t lengths[] = {0,     4095,  4096,  4097,   8192,
					 65535, 65536, 65537, 300000, 1 << 20};
	static const char *const ends[] = {"\n", "\r\n"};

	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct proc *p;
		struct bytes want = {.ptr = NULL}, line;
		const char *id;

		in_case(text("%zu bytes", lengths[i]));
		remove(path("record"));
		p = recorded(true);
		want = content(path("record"));
		line = long_call(lengths[i], i % 2 ? " \t" : "", ends[i % 2]);
		for (int k = 0; k < 2; k++) {
			proc_write(p, line.ptr, line.len);
			id = question(p);
			/* All else goes on. */
			ping(p, "1");
			answer(p, id, "accept");
			append_text(&want, request("1", "ping", NULL));
			append(&want, line.ptr, line.len);
			check_has(proc_line(p), "\"id\":7,\"result\"");
		}
		check_end(p, 0);
		check_got_bytes(want);
	}
}

/* What the person says, and what becomes of the call. */
static const struct {
	const char *name, *line; /* %s is the question's id */
	bool passes;
} said[] = {
	{"accept", "\"result\":{\"action\":\"accept\",\"content\":{}}", true},
	{"decline", "\"result\":{\"action\":\"decline\"}", false},
	{"cancel", "\"result\":{\"action\":\"cancel\"}", false},
	{"error", "\"error\":{\"code\":-32601,\"message\":\"none\"}", false},
	{"twice", "\"result\":{\"action\":\"accept\",\"action\":\"accept\"}",
	 false},
	{"folded", "\"result\":{\"action\":\"accept\",\"Action\":\"accept\"}",
	 false},
};

TEST(answers_of_the_client)
{
	struct proc *p = recorded(true);
	const char *ids[COUNT(said)], *line;
	struct bytes want = content(path("record"));

	/* All at once, and answered in another order. */
	for (size_t i = 0; i < COUNT(said); i++) {
		line = request(text("%zu", i), "tools/call",
			       text("{\"name\":\"pay\",\"arguments\":{\"n\":"
				    "%zu}}",
				    i));
		proc_send(p, line);
		ids[i] = question(p);
		if (said[i].passes)
			append_text(&want, line);
	}
	for (size_t i = COUNT(said); i-- > 0;) {
		in_case(said[i].name);
		line = proc_ask(p,
				text("{\"jsonrpc\":\"2.0\",\"id\":\"%s\",%s}\n",
				     ids[i], said[i].line));
		if (said[i].passes)
			check(!from_weir(line), "passes: %s", line);
		else
			check_refused(line, text("%zu", i), false, RULE,
				      SAID_NO);
		/* Late, and again. */
		answer(p, ids[i], "accept");
	}
	ping(p, "99");
	append_text(&want, request("99", "ping", NULL));
	check_end(p, 0);
	check_got(want.ptr);
	check_has(content(path("log")).ptr, "\"approval\"");
}

/* Nobody answers: refused after its time, by no message's coming. */
TEST(nobody_answers)
{
	struct proc *p = recorded(true);
	const char *id, *line;
	int64_t since = milliseconds();

	proc_send(p, call("7", "soon"));
	id = question(p);
	line = proc_line(p);
	check_has(line, "\"notifications/cancelled\"", id);
	check_refused(proc_line(p), "7", false, "/tools/soon/action", MUST);
	check(milliseconds() - since >= 5000, "too soon");
	answer(p, id, "accept");
	ping(p, "8");
	check_end(p, 0);
	check(!strstr(content(path("record")).ptr, "tools/call"), "it passed");
}

/* A client that shows no questions is told that a person must approve. */
TEST(client_without)
{
	struct proc *p = recorded(false);

	check_refused(proc_ask(p, call("7", "here")), "7", false,
		      "/tools/here/action", MUST);
	ping(p, "8");
	check_end(p, 0);
}

/* The client ends, its input or all of it, while a call waits. */
TEST(client_ends)
{
	for (int all = 0; all < 2; all++) {
		struct proc *p = recorded(true);

		in_case(all ? "all of it" : "its input");
		proc_send(p, call("7", "pay"));
		question(p);
		if (all)
			proc_close_out(p);
		check_end(p, 0);
		if (!all)
			check_has(proc_line(p), "cancelled");
		if (!all)
			check_refused(proc_line(p), "7", false, RULE,
				      "the session ended while this waited for "
				      "a person");
		check(!strstr(content(path("record")).ptr, "tools/call"),
		      "it passed");
		remove(path("record"));
	}
}

/* A server with questions of its own, whose answers are its own; and which ends
 * while a call waits. */
TEST(server_asks)
{
	static const char asked[] =
		"{\"jsonrpc\":\"2.0\",\"id\":\"weir-0\",\"method\":"
		"\"elicitation/create\",\"params\":{\"message\":\"?\"}}\n";
	static const char answered[] =
		"{\"jsonrpc\":\"2.0\",\"id\":\"weir-0\",\"result\":{\"action\":"
		"\"accept\"}}\n";
	struct proc *p = begin(
		WORDS("sh", "-c",
		      "read -r i; echo '{\"jsonrpc\":\"2.0\",\"id\":\"i\","
		      "\"result\":{}}'; read -r a; printf %s \"$1\"; read -r b; "
		      "printf '%s\\n' \"$b\"; read -r c; printf '%s\\n' \"$c\"",
		      "sh", asked),
		true);
	const char *id;

	proc_send(p, call("7", "pay"));
	id = question(p);
	check_answer(p, request("1", "ping", NULL), asked);
	check_answer(p, answered, answered);
	answer(p, id, "accept");
	check_text("the call", proc_line(p), call("7", "pay"));
	check_status(p, 0);

	p = begin(WORDS("sh", "-c",
			"read -r i; echo '{\"jsonrpc\":\"2.0\",\"id\":\"i\","
			"\"result\":{}}'; read -r b; exit 3"),
		  true);
	proc_send(p, call("7", "pay"));
	question(p);
	check_has(proc_ask(p, request("1", "ping", NULL)), "cancelled");
	check_refused(proc_line(p), "7", false, RULE,
		      "the session ended while this waited for a person");
	check_status(p, 3);
}

/* A reload refuses what waits if the policy is another. */
TEST(reloaded)
{
	struct proc *p = recorded(true);
	const char *id;

	proc_send(p, call("7", "pay"));
	id = question(p);
	kill(weir_pid(p), SIGHUP);
	proc_told(p, "policy reloaded");
	answer(p, id, "accept");
	check_has(proc_line(p), "\"id\":7,\"result\"");
	proc_send(p, call("8", "pay"));
	id = question(p);
	policy_of(text("%s ", policy));
	kill(weir_pid(p), SIGHUP);
	check_has(proc_line(p), "cancelled");
	check_refused(proc_line(p), "8", false, RULE,
		      "the policy has changed while this waited for a person");
	answer(p, id, "accept");
	ping(p, "9");
	check_end(p, 0);
}

/* The limit of an approved call cannot be counted now: it is refused with
 * words, and the yes is kept for the next. */
TEST(limit_is_locked)
{
	struct proc *p = recorded(true), *holder;
	const char *id;
	pid_t pid;

	proc_send(p, call("7", "few"));
	id = question(p);
	holder = proc_start(WORDS("flock", path("state/g.limits"), "sh", "-c",
				  "echo $$; kill -STOP $$"));
	pid = (pid_t)strtol(proc_line(holder), NULL, 10);
	answer(p, id, "accept");
	check_refused(proc_line(p), "7", false, "/tools/few/rate_limit",
		      "the call limit cannot be checked right now");
	ping(p, "8");
	kill(pid, SIGKILL);
	kill(pid, SIGCONT);
	proc_wait(holder);
	check_has(proc_ask(p, call("9", "few")), "\"id\":9,\"result\"");
	proc_send(p, call("10", "few"));
	question(p);
	check_end(p, 0);
}

/* Two weirs, one behind the other: each asks once. */
TEST(behind_another)
{
	struct proc *p = recorded(true), *q;
	const char *id[2];

	check_end(p, 0);
	remove(path("record"));
	q = begin(RECORDED(policy), true);
	proc_send(q, call("7", "pay"));
	id[0] = question(q);
	answer(q, id[0], "accept");
	id[1] = question(q);
	check(strcmp(id[0], id[1]) != 0, "another question");
	answer(q, id[0], "accept");
	answer(q, id[1], "accept");
	check_has(proc_line(q), "\"id\":7,\"result\"");
	check_end(q, 0);
	check(!strstr(content(path("record")).ptr, "weir-"),
	      "an answer to a weir reached the server");
}
