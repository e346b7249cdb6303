/*
 * What is cut out of the server's lists: the hidden tools, and not one byte
 * more.
 *
 * The server answers with the lines of a row, whatever it is asked; expected
 * are the lines that reach the client.
 */
#include "answers.h"

#include <stdlib.h>

static const char policy[] = "'default':'allow','hide':['hid','bad_*']";

#define RPC     "{\"jsonrpc\":\"2.0\","
#define LIST(s) RPC "\"id\":1,\"result\":{\"tools\":[" s "]}}\n"
#define A       "{\"name\":\"a\"}"
#define B       "{\"name\":\"b\",\"x\":[{}]}"
#define HID     "{\"name\":\"hid\"}"
#define SAME    "" /* as the server sent it */

static const struct row {
	const char *name;
	const char *sent;
	const char *seen; /* NULL: one error in its place */
} rows[] = {
	/* The others are in tests/corpus/server.tsv. */
	{"nothing hidden", LIST(A "," B), SAME},
	{"middle", LIST(A "," HID "," B), LIST(A "," B)},
	{"space, everywhere",
	 " { \"jsonrpc\" :\t\"2.0\" , \"id\" : 1 , \"result\" : { \"tools\" : ["
	 " "
	 "{ \"name\" : \"hid\" } , " A " ] , \"ttlMs\" : 1.50e+2 } } \t\n",
	 " { \"jsonrpc\" :\t\"2.0\" , \"id\" : 1 , \"result\" : { \"tools\" : "
	 "[ " A " ] , \"ttlMs\" : 1.50e+2 } } \t\n"},
	{"CRLF", RPC "\"id\":1,\"result\":{\"tools\":[" HID "," A "]}}\r\n",
	 RPC "\"id\":1,\"result\":{\"tools\":[" A "]}}\r\n"},
	{"CR behind the LF", "\r" LIST(HID "," A), "\r" LIST(A)},
	{"space behind the LF", "\n \t" LIST(HID "," A), "\n \t" LIST(A)},
	{"a byte order mark", "\xef\xbb\xbf" LIST(HID "," A),
	 "\xef\xbb\xbf" LIST(A)},
	{"escapes in the name", LIST("{\"name\":\"\\u0068i\\u0064\"}," A),
	 LIST(A)},
	{"other case", LIST("{\"name\":\"HID\"}," A), LIST(A)},
	{"name twice, hidden", LIST("{\"name\":\"a\",\"name\":\"hid\"}," A),
	 LIST(A)},
	/* No list, or none yet. */
	{"an error", RPC "\"id\":1,\"error\":{\"code\":-1,\"message\":\"\"}}\n",
	 SAME},
	{"noise before it",
	 "npm WARN \"tools\":[\n\n[INFO] {" HID "}\n" LIST(HID),
	 "npm WARN \"tools\":[\n\n[INFO] {" HID "}\n" LIST("")},
	{"a request of the server's before it",
	 RPC "\"id\":1,\"method\":\"roots/list\"}\n" LIST(HID "," A),
	 RPC "\"id\":1,\"method\":\"roots/list\"}\n" LIST(A)},
	{"a notification before it",
	 RPC "\"method\":\"x\",\"params\":{\"tools\":[" HID "]}}\n" LIST(HID),
	 RPC "\"method\":\"x\",\"params\":{\"tools\":[" HID "]}}\n" LIST("")},
	{"another answer of this id before it",
	 RPC "\"id\":1,\"result\":{}}\n" LIST(HID "," A),
	 RPC "\"id\":1,\"result\":{}}\n" LIST(A)},
	{"a list of another id before it",
	 RPC "\"id\":9,\"result\":{\"tools\":[" HID "]}}\n" LIST(HID),
	 RPC "\"id\":9,\"result\":{\"tools\":[]}}\n" LIST("")},
	/* Not passed on unread. */
	{"tools twice",
	 RPC "\"id\":1,\"result\":{\"tools\":[" A "],\"tools\":[" HID "]}}\n",
	 NULL},
	{"cut short", RPC "\"id\":1,\"result\":{\"tools\":[" HID "\n", NULL},
	{"CR inside",
	 RPC "\"id\":1,\"result\":{\"tools\":[" A "]},\r" LIST(HID), NULL},
};

/* As many requests as the server has lines: a list first. */
static struct proc *serve(const char *lines, const char *max_line)
{
	struct bytes input = {.ptr = NULL};
	struct proc *p;

	append_text(&input, request("1", "tools/list", "{}"));
	for (size_t i = 0; lines[i] && lines[i + 1]; i++)
		if (lines[i] == '\n')
			append_text(&input, request("2", "ping", NULL));
	p = proc_run(WEIR(policy, "--max-line", max_line, "--", server,
			  "--reply", file("reply", lines)),
		     input.ptr);
	return p;
}

TEST(each_list)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct proc *p = serve(row->sent, "1000000");

		in_case(row->name);
		check_status(p, 0);
		if (row->seen)
			check_text("what the client sees", p->said.ptr,
				   *row->seen ? row->seen : row->sent);
		else
			check_error(proc_line(p), "1", -32603);
		check(row->seen || !proc_line(p), "one answer was expected");
		check(!strstr(p->told.ptr, "withheld") == !!row->seen,
		      "a word on stderr, if and only if it is withheld: %s",
		      p->told.ptr);
	}
}

/* More than a pipe holds, every third one hidden. */
TEST(long_list)
{
	struct bytes sent = {.ptr = NULL}, seen = {.ptr = NULL};
	struct proc *p;

	append_text(&sent, RPC "\"id\":1,\"result\":{\"tools\":[");
	append_text(&seen, sent.ptr);
	for (int i = 0; i < 1000; i++) {
		const char *tool = text(
			"{\"description\":\"%0200d \xe2\x89\xa5\",\"name\":"
			"\"%s_%d\"}",
			i, i % 3 == 1 ? "bad" : "good", i);

		append_text(&sent, i > 0 ? "," : "");
		append_text(&sent, tool);
		if (i % 3 == 1)
			continue;
		append_text(&seen, i > 0 ? "," : "");
		append_text(&seen, tool);
	}
	append_text(&sent, "],\"nextCursor\":\"\"}}\n");
	append_text(&seen, "],\"nextCursor\":\"\"}}\n");
	p = serve(sent.ptr, "1000000");
	check_text("what the client sees", p->said.ptr, seen.ptr);
}

/* Neither the request nor the list need end in LF, at the end of each. */
TEST(no_line_end)
{
	const char *asked = request("1", "tools/list", NULL);
	const char *reply =
		file("reply",
		     RPC "\"id\":1,\"result\":{\"tools\":[" A "," HID "]}}");
	struct proc *p;

	p = proc_run(BEHIND(policy, "--reply", reply),
		     text("%.*s", (int)strlen(asked) - 1, asked));
	check_text("what the client sees", p->said.ptr,
		   RPC "\"id\":1,\"result\":{\"tools\":[" A "]}}");
}

/* ---- the right policy? ----------------------------------------------- */

#define ALLOW "'default':'allow',"

/* The entries that cover no tool of the server, said once all its pages have
 * come. */
TEST(right_policy)
{
	static const struct {
		const char *name, *policy, *option, *value;
		int pages; /* that the client asks for */
		const char *told;
	} cases[] = {
		{"all are there", ALLOW "'tools':{'echo':{},'a*':{}}",
		 "--split", "0", 1, NULL},
		{"it names none", ALLOW "'hide':['x']", "--split", "0", 1,
		 "weir: this policy names 1 tool, this server has none of them: is it the right one?\n"},
		{"some are not there, and nothing is hidden",
		 ALLOW "'tools':{'echo':{},'x':{},'y*':{}}", "--split", "0", 1,
		 "weir: this server has no tool for 2 of the 3 entries of this policy: \"x\", \"y*\"\n"},
		{"no entries for tools", ALLOW "'prompts':{'x':{}}", "--split",
		 "0", 1, NULL},
		{"the last page is to come", ALLOW "'hide':['x']", "--page",
		 "1", 2, NULL},
		{"it is on the last page", ALLOW "'hide':['remove']", "--page",
		 "1", 3, NULL},
		{"it is on none", ALLOW "'hide':['echo','x']", "--page", "1", 3,
		 "weir: this server has no tool for 1 of the 2 entries of this policy: \"x\"\n"},
	};

	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const size_t c = i / 2;
		const char *log = path(text("log%zu", i));
		struct proc *p = proc_start_how(
			WEIR(cases[c].policy, "-l", log, "--", server,
			     cases[c].option, cases[c].value),
			&(struct how){.env = WORDS(i % 2 ? "WEIR_OBSERVE=1"
							 : "A=1")});
		const char *told = cases[c].told ? cases[c].told : "";

		in_case(cases[c].name);
		/* Once is enough. */
		for (int again = 0; again < 2; again++)
			for (int page = 0; page < cases[c].pages; page++) {
				check_has(
					proc_ask(
						p,
						request("1", "tools/list",
							page ? text("{\"cursor\":\"%d\"}",
								    page)
							     : "{}")),
					"\"tools\":");
			}
		check_end(p, 0);
		check_text("stderr", p->told.ptr, told);
		check(!strstr(content(log).ptr, "warning") == !*told, "log: %s",
		      content(log).ptr);
	}
}
