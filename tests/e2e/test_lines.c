/*
 * Which of the client's lines are passed on, and that they are as they came.
 *
 * Each row is a line, in the middle of a session that goes on after it.
 */
#include "answers.h"

#include <stdlib.h>

static const char policy[] =
	"'default':'deny','hide':['remove'],'tools':{'echo':{}}";

enum { PASS = 1, SWALLOW = 2, EITHER = 0, PARSE = -32700, REQUEST = -32600 };

struct row {
	const char *line; /* whole, with its LF */
	size_t len;       /* of it: it may hold a NUL */
	int outcome;      /* of the enum, or the code of the error */
	const char *id;   /* in the error; NULL: any */
};

#define PASSED(line)                                                           \
	{                                                                      \
		line, sizeof(line) - 1, PASS, NULL                             \
	}
#define SWALLOWED(line)                                                        \
	{                                                                      \
		line, sizeof(line) - 1, SWALLOW, NULL                          \
	}
#define FAULT(line, code, id)                                                  \
	{                                                                      \
		line, sizeof(line) - 1, code, id                               \
	}

#define RPC        "{\"jsonrpc\":\"2.0\","
#define CALL       RPC "\"id\":5,\"method\":\"tools/call\",\"params\":"
#define ECHO       CALL "{\"name\":\"echo\"}}"
#define PING(rest) RPC "\"id\":5,\"method\":\"ping\"" rest "}\n"

static const struct row rows[] = {
	/* ---- passed on ---- */
	PASSED(ECHO "\n"),
	PASSED(ECHO "\r\n"),
	PASSED(" \t" ECHO "\t \n"),
	PASSED("{\t\"params\" : {\"arguments\" : { } , \"name\":\"echo\" } , "
	       "\"method\":\"tools/call\" , \"id\":\"\\u0035\" , \"jsonrpc\" : "
	       "\"2.0\" }\n"),
	PASSED(CALL "{\"\\u006eame\":\"\\u0065cho\"}}\n"),
	PASSED(CALL
	       "{\"name\":\"echo\",\"arguments\":{\"name\":\"remove\",\"name\":"
	       "1,\"Name\":[[[]]],\"method\":\"tools/call\"},\"x\":-1.5e+"
	       "3}}\n"),
	PASSED(CALL
	       "{\"name\":\"echo\",\"arguments\":{\"s\":\"\\u0000 \\ud800\"}}}"
	       "\n"),
	PASSED(PING()),
	PASSED(PING(",\"params\":{}")),
	PASSED(PING(",\"params\":null")),
	PASSED(CALL "{\"name\":\"echo\",\"arguments\":null}}\n"),
	PASSED(RPC "\"method\":\"tools/list\",\"id\":-12}\n"),
	PASSED(RPC "\"id\":\"\",\"method\":\"no/such/method\"}\n"),
	PASSED(RPC "\"id\":5,\"method\":\"toolsXcall\"}\n"),
	PASSED(RPC "\"method\":\"notifications/x\",\"params\":{\"a\":{\"a\":1"
		   "}}}\n"),
	PASSED(RPC "\"id\":0,\"result\":{\"roots\":[]}}\n"),
	PASSED(RPC "\"id\":\"a\",\"error\":{\"code\":1,\"message\":\"\"}}\n"),

	/* ---- swallowed ---- */
	SWALLOWED("\n"),
	SWALLOWED("\r\n"),
	SWALLOWED(" \t \n"),

	/* One of each kind of fault; the others are in tests/corpus. */
	FAULT("garbage\n", PARSE, "null"),
	FAULT(ECHO ECHO "\n", PARSE, "null"),
	FAULT(PING(",\"params\":{\"a\":\"\xff\"}"), EITHER, NULL),
	FAULT("\xef\xbb\xbf" ECHO "\n", EITHER, NULL),
	FAULT("\0" ECHO "\n", EITHER, NULL),
	FAULT(ECHO "\0\n", EITHER, NULL),
	FAULT(RPC "\"id\":5,\"method\":\"ping\0\"}\n", EITHER, NULL),
	FAULT(PING(",\"params\":{\"x\":\r" ECHO "\r}"), EITHER, NULL),
	FAULT("\r" ECHO "\n", EITHER, NULL),
	FAULT(ECHO "\r\r\n", EITHER, NULL),
	FAULT("[" ECHO "]\n", REQUEST, "null"),
	FAULT("{\"id\":5,\"method\":\"ping\"}\n", REQUEST, "5"),
	FAULT(RPC "\"id\":null,\"method\":\"tools/call\",\"params\":{\"name\":"
		  "\"echo\"}}\n",
	      REQUEST, "null"),
	FAULT(RPC "\"id\":5,\"id\":6,\"method\":\"ping\"}\n", REQUEST, "null"),
	FAULT(CALL "{\"name\":\"echo\",\"n\\u0061me\":\"remove\"}}\n", REQUEST,
	      "5"),
	FAULT(CALL "{\"name\":\"echo\",\"ta\\u017fk\":{}}}\n", REQUEST, "5"),
	FAULT(CALL "{\"name\":\"echo\",\"__proto__\":{\"a\":1}}}\n", REQUEST,
	      "5"),
	FAULT(RPC "\"id\":5,\"method\":\"tool\\u017f/li\\u017ft\"}\n", REQUEST,
	      "5"),
	FAULT(CALL "{\"name\":7}}\n", REQUEST, "5"),
};

/* What was answered before the answer to the ping: only what weir says, for
 * the server answers in order and may have something to say too. */
static const char *answer_before(struct proc *p, const char *ping)
{
	const char *said = NULL, *line;

	proc_send(p, request(ping, "ping", NULL));
	while ((line = proc_line(p)) && !strstr(line, ping))
		if (from_weir(line)) {
			check(!said, "two answers: %s%s", said, line);
			said = line;
		}
	check(line, "the session has ended");
	return said;
}

static void check_row(struct proc *p, const struct row *row)
{
	const char *said;

	in_case(row->line);
	check(proc_write(p, row->line, row->len), "nobody reads");
	said = answer_before(p, "\"mark\"");
	if (row->outcome == PASS || row->outcome == SWALLOW)
		check(!said, "no answer was expected: %s", said);
	else
		check_error(said, row->id, row->outcome);
	in_case(NULL);
}

TEST(each_line)
{
	struct proc *p = proc_start(RECORDED(policy));
	struct bytes passed = {.ptr = NULL};

	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(p, &rows[i]);
		if (rows[i].outcome == PASS)
			append(&passed, rows[i].line, rows[i].len);
		append_text(&passed, request("\"mark\"", "ping", NULL));
	}
	check_end(p, 0);
	check_text("stderr", p->told.ptr, "");
	check_got_bytes(passed);
}

/* The same lines as one stream that is cut anywhere. */
TEST(any_cut)
{
	static const size_t cuts[] = {1, 2, 3, 7, 4096, 1 << 20};

	for (size_t c = 0; c < COUNT(cuts); c++) {
		struct proc *p = proc_start(RECORDED(policy));
		struct bytes sent = {.ptr = NULL}, passed = {.ptr = NULL};

		in_case(text("%zu bytes at a time", cuts[c]));
		for (size_t i = 0; i < COUNT(rows); i++) {
			append(&sent, rows[i].line, rows[i].len);
			if (rows[i].outcome == PASS)
				append(&passed, rows[i].line, rows[i].len);
		}
		for (size_t i = 0; i < sent.len; i += cuts[c])
			proc_write(p, sent.ptr + i,
				   sent.len - i < cuts[c] ? sent.len - i
							  : cuts[c]);
		check_end(p, 0);
		check_got_bytes(passed);
	}
}

/* The end of the input ends the last line: if it is good it passes as it is,
 * if it is not it is answered. */
TEST(last_line)
{
	static const struct {
		const char *line;
		bool good;
	} cases[] = {
		{ECHO, true},
		{ECHO "\r", false},
		{"garbage", false},
		{"[" ECHO "]", false},
		{"{\"jsonrpc\":", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct proc *p = proc_run(RECORDED(policy), cases[i].line);
		const char *line = proc_line(p);

		in_case(cases[i].line);
		if (cases[i].good)
			check(!from_weir(line), "should pass: %s", line);
		else
			check_error(line, NULL, EITHER);
		check(!proc_line(p), "one answer was expected");
		check_got(cases[i].good ? cases[i].line : "");
	}
}

/* Not a byte of a line reaches the server before all of it was judged. */
TEST(judged_whole)
{
	static const struct {
		const char *begin;
		const char *end;
	} cases[] = {
		{CALL "{\"name\":\"echo\",", "\"name\":\"remove\"}}\n"},
		{ECHO, " ,\n"},
		{RPC "\"id\":5,\"method\":\"ping\",\"params\":{\"x\":",
		 ECHO "}\r}\n"},
	};
	struct proc *p = proc_start(RECORDED(policy));

	for (size_t i = 0; i < COUNT(cases); i++) {
		in_case(cases[i].begin);
		proc_send(p, cases[i].begin);
		proc_idle(p);
		check_error(proc_ask(p, cases[i].end), NULL, EITHER);
	}
	ping(p, "1");
	proc_close_in(p);
	proc_wait(p);
	check_got(request("1", "ping", NULL));
}

/* Nobody would know what became of a call without an id, so it goes nowhere;
 * stderr says so. */
TEST(call_without_id)
{
	static const char *const lines[] = {
		RPC
		"\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"}}\n",
		RPC
		"\"method\":\"tools/call\",\"params\":{\"name\":\"remove\"}}"
		"\n",
		RPC "\"method\":\"prompts/get\",\"params\":{\"name\":\"a\"}}\n",
		RPC
		"\"method\":\"resources/read\",\"params\":{\"uri\":\"a\"}}\n",
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct proc *p = proc_start(RECORDED(policy));

		in_case(lines[i]);
		proc_send(p, lines[i]);
		ping(p, "1"); /* it has no answer */
		check_end(p, 0);
		check_equal(weir_lines(p->told.ptr), 1);
		check_got(request("1", "ping", NULL));
	}
}

/* ---- the longest line ------------------------------------------------ */

/* The line of the limit and more bytes, and the next one. */
static void check_long(const char *option, size_t limit, size_t more, bool lf)
{
	struct proc *p =
		proc_start(WEIR(policy, option, text("%zu", limit), "--",
				server, "--record", path("record")));
	const char *line = long_ping("1", limit + more), *passed = "";
	const char *next = request("2", "ping", NULL);

	in_case(text("%zu bytes too long%s", more, lf ? "" : ", no LF"));
	proc_write(p, line, limit + more + lf);
	if (lf)
		proc_send(p, next);
	proc_close_in(p);
	proc_wait(p);
	if (more == 0) {
		check(!from_weir(proc_line(p)), "should pass");
		passed = lf ? line : text("%.*s", (int)limit, line);
	} else {
		check_error(proc_line(p), "null", REQUEST);
	}
	if (lf)
		check_text("the answer to the next line", proc_line(p),
			   "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
	check(!proc_line(p), "one answer was expected");
	check_got(text("%s%s", passed, lf ? next : ""));
}

TEST(max_line)
{
	static const size_t more[] = {0, 1, 2, 4096, 1 << 20};

	for (size_t i = 0; i < COUNT(more); i++) {
		check_long("--max-line", 4096, more[i], true);
		check_long("--max-line", 4096, more[i], false);
	}
}

/* 64 MiB, when nothing else is said. */
TEST(max_line_default)
{
	const size_t limit = (size_t)64 << 20;
	struct proc *p = proc_start(BEHIND(policy));

	check_passes(p, long_ping("1", limit));
	check_error(proc_ask(p, long_ping("1", limit + 1)), "null", REQUEST);
	ping(p, "2");
}
