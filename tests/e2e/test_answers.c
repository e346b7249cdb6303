/* What a client sees when a call is refused, and which calls are. */
#include "answers.h"
#include "fields.h"

#include <poll.h>
#include <stdlib.h>

static const char mixed[] =
	"'default':'deny','hide':['remove','admin_*','both'],"
	"'tools':{'echo':{},'tool_?':{},'both':{},"
	"'add':{'action':'deny','reason':'no \\'sums\\' \\u00e9'},"
	"'tool_x':{'action':'deny'},'a/b~c':{'action':'deny'},"
	"'r\\u00e9sum\\u00e9':{}}";

enum outcome { PASSES, HIDDEN, REFUSED, FAULTY };

static const struct row {
	const char *name; /* of the tool, as it stands in the line */
	enum outcome outcome;
	const char *rule;
	const char *reason;
} rows[] = {
	{"echo", PASSES, NULL, NULL},
	{"ech\\u006f", PASSES, NULL, NULL},
	{"r\xc3\xa9sum\\u00e9", PASSES, NULL, NULL},
	{"remove", HIDDEN, NULL, NULL},
	{"r\\u0065move", HIDDEN, NULL, NULL},
	{"remove\\t ", HIDDEN, NULL, NULL},
	{"add", REFUSED, "/tools/add/action", "no \"sums\" \xc3\xa9"},
	{"a\\/b~c", REFUSED, "/tools/a~1b~0c/action", NULL},
	{"Echo", REFUSED, RULE_DEFAULT, NULL}, /* not what is allowed */
	{"echo\\u0301", FAULTY, NULL, NULL},
	{"R\xc3\xa9sum\xc3\xa9", FAULTY, NULL, NULL},
	{"echo\\u0000", FAULTY, NULL, NULL},
};

/* What the name is once it is decoded and escaped again. */
static const char *plain_name(const char *name)
{
	return strcmp(name, "r\\u0065move") == 0 ? "remove"
	       : strcmp(name, "remove\\t ") == 0 ? "remove\t "
						 : name;
}

static void check_row(struct proc *p, const struct row *row)
{
	const char *line;

	in_case(row->name);
	line = proc_ask(p, call("5", row->name));
	switch (row->outcome) {
	case PASSES:
		check(!from_weir(line), "should pass: %s", line);
		break;
	case HIDDEN:
		check_hidden(line, "5", plain_name(row->name));
		break;
	case REFUSED:
		check_refused(line, "5", false, row->rule, row->reason);
		break;
	case FAULTY:
		check_error(line, "5", -32600);
		break;
	}
	in_case(NULL);
}

TEST(verdicts)
{
	struct bytes passed = {.ptr = NULL};
	struct proc *p = proc_start(RECORDED(mixed));

	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(p, &rows[i]);
		if (rows[i].outcome == PASSES)
			append_text(&passed, call("5", rows[i].name));
	}
	check_end(p, 0);
	check_got_bytes(passed);
}

/* ids are copied byte for byte, whatever the answer is. */
TEST(ids)
{
	static const char *const texts[] = {
		"0",
		"-1",
		"1234567890123456789",
		"-1234567890123456789",
		"\"\"",
		"\"a\\\"b\\\\c\\/d\"",
		"\"\\u0041\\ud83d\\ude00\\n\"",
		"\"null\"",
		"\"\xe6\x97\xa5\xe6\x9c\xac id: {}\"",
		"\"0123456789012345678901234567890123456789012345678901234567"
		"89012345678901234567890123456789012345678901234567890123456789"
		"01234567890123456789012345678901234567890123456789012345678901"
		"23456789012345678901234567890123456789012345678901234567890123"
		"4567890123\"",
	};
	struct proc *p = proc_start(BEHIND(mixed));

	for (size_t i = 0; i < COUNT(texts); i++) {
		in_case(texts[i]);
		check_refused(proc_ask(p, call(texts[i], "add")), texts[i],
			      false, "/tools/add/action", NULL);
		check_hides(p, texts[i], "remove");
		check_error(proc_ask(p, call(texts[i], "echo\\u0301")),
			    texts[i], -32600);
	}
}

/* Only requests of MCP 2026-07-28 are answered with a resultType; which these
 * are, test_message.c says. */
TEST(modern_requests)
{
#define VERSION "io.modelcontextprotocol/protocolVersion"
	static const struct {
		const char *params; /* after the name */
		bool modern;
	} cases[] = {
		{",\"_meta\":{\"" VERSION "\":\"2026-07-28\"}", true},
		{"", false},
		{",\"arguments\":{\"_meta\":{\"" VERSION "\":\"x\"}}", false},
	};
	struct proc *p = proc_start(BEHIND(mixed));

	for (size_t i = 0; i < COUNT(cases); i++) {
		in_case(cases[i].params);
		check_refused(proc_ask(p, request("3", "tools/call",
						  text("{\"name\":\"add\"%s}",
						       cases[i].params))),
			      "3", cases[i].modern, "/tools/add/action", NULL);
		/* An error has none in either. */
		check_hidden(proc_ask(p, request("3", "tools/call",
						 text("{\"name\":\"remove\"%s}",
						      cases[i].params))),
			     "3", "remove");
	}
}

/* Who asks for a task awaits one, and rejects the result of a call. */
TEST(refused_tasks)
{
	struct proc *p = proc_start(BEHIND(mixed));
	const char *line;

	line = proc_ask(p,
			request("3", "tools/call",
				"{\"task\":{\"ttl\":60000},\"name\":\"add\"}"));
	check_error(line, "3", -32602);
	check_field(line, "error.data.weir/rule", "/tools/add/action");
}

/* ---- limits ---------------------------------------------------------- */

static const struct limit_row {
	const char *rules;  /* of the policy, after its version */
	const char *calls;  /* a letter each: e(cho), a(dd); capital: refused */
	const char *rule;   /* that refuses */
	const char *reason; /* that it gives */
} limit_rows[] = {
	{"'default':'deny','tools':{'echo':{'rate_limit':'2/minute'},'add':{}}",
	 "eaeaEaE", "/tools/echo/rate_limit", "at most 2 calls a minute"},
	{"'default':'allow','tools':{'echo':{'rate_limit':{'max':3,"
	 "'window':60}}}",
	 "eeeEaE", "/tools/echo/rate_limit", "at most 3 calls a minute"},
	{"'default':'allow','tools':{'echo':{'limits':[{'counter':'c',"
	 "'window':'minute','max':5},{'counter':'d','window':60,'max':1,"
	 "'on_deny':'once, \\'please\\''}]}}",
	 "eEaE", "/tools/echo/limits/1", "once, \"please\""},
	/* one counter for all that the entry names */
	{"'default':'deny','tools':{'*':{'limits':[{'counter':'c',"
	 "'window':'minute','max':3}]}}",
	 "eaeAE", "/tools/*/limits/0", "at most 3 calls a minute"},
	/* either all limits count a call, or none does */
	{"'default':'deny','tools':{'echo':{'limits':[{'window':'minute',"
	 "'max':1,'counter':'c'}]},'*':{'limits':[{'window':'minute','max':2,"
	 "'counter':'c'}]}}",
	 "eEEa", "/tools/echo/limits/0", "at most 1 call a minute"},
};

TEST(limits)
{
	for (size_t i = 0; i < COUNT(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		/* Counters belong to a file of this name. */
		const char *policy =
			policy_file(text("policy-%zu", i), row->rules);
		struct proc *p =
			proc_start(WORDS(weir, "-p", policy, "--", server));
		const char *line;

		in_case(row->rules);
		for (const char *c = row->calls; *c; c++) {
			proc_send(p,
				  call("1", *c == 'a' || *c == 'A' ? "add"
								   : "echo"));
			line = proc_line(p);
			if (*c >= 'a')
				check(!from_weir(line), "should pass: %s",
				      line);
			else
				check_limited(line, "1", row->rule,
					      row->reason);
		}
		proc_close_in(p);
		proc_wait(p);
	}
}

/* What the line says of when to try again, in milliseconds; -1: it passed. */
static int retry_after(const char *line)
{
	const char *at = strstr(line, "\"weir/retryAfterMs\":");

	check(at || !from_weir(line), "should be limited: %s", line);
	return at ? atoi(strchr(at, ':') + 1) : -1;
}

/* A window slides: what was used up comes back by itself, not before the
 * window is over and not after the time that was told. */
TEST(limit_comes_back)
{
	const char *policy =
		policy_of("'default':'deny','tools':{'echo':{'rate_limit':"
			  "'2/second'}}");
	struct proc *p = proc_start(WORDS(weir, "-p", policy, "--", server));
	int64_t first = milliseconds(), sent, due = first + DEADLINE;
	int wait, passed = 0;

	while (passed < 3) {
		sent = milliseconds();
		proc_send(p, call("1", "echo"));
		wait = retry_after(proc_line(p));
		if (wait < 0) {
			passed++;
			continue;
		}
		check(passed == 2, "call %d should pass", passed);
		check(sent <= due, "later than was told");
		if (milliseconds() + wait < due)
			due = milliseconds() + wait;
		poll(NULL, 0, wait < 100 ? wait : 100);
	}
	check(milliseconds() - first >= 1000, "came back early");
}
