/* weir scan: a policy from what a server says that it has. */
#include "answers.h"
#include "lines.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *read_back(const char *name)
{
	struct bytes b = content(path(name));

	return b.ptr ? b.ptr : "";
}

#define GREETING                                                               \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":"       \
	"\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":"       \
	"{\"name\":\"s\",\"version\":\"1\"}}}\n"
#define TOOLS(list)                                                            \
	"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[" list "]}}\n"
#define TOOL(name) "{\"name\":\"" name "\",\"inputSchema\":{}}"

/* ---- classes and profiles -------------------------------------------- */

#define CALLS 35

static const struct {
	const char *profile;
	const char *tool;
	const char *words; /* of weir check --tools */
	int calls;         /* of CALLS in a minute that pass; -1: not tried */
} verdicts[] = {
	{"balanced", "get_x", "allowed", CALLS},
	{"balanced", "set_x", "allowed, at most 30 calls a minute", 30},
	{"balanced", "run_x", "allowed, at most 10 calls a minute", 10},
	{"balanced", "drop_x", "hidden, by /tools/drop_x/action", 0},
	{"balanced", "pay_x", "hidden, by /tools/pay_x/action", 0},
	{"strict", "get_x", "allowed", CALLS},
	{"strict", "set_x", "hidden, by /tools/set_x/action", 0},
	{"strict", "run_x", "allowed, a person is asked", -1},
	{"strict", "drop_x", "hidden, by /tools/drop_x/action", 0},
	{"strict", "pay_x", "hidden, by /tools/pay_x/action", 0},
	{"open", "get_x", "allowed", CALLS},
	{"open", "set_x", "allowed", CALLS},
	{"open", "run_x", "allowed", CALLS},
	{"open", "drop_x", "allowed, a person is asked", -1},
	{"open", "pay_x", "allowed, a person is asked", -1},
};

/* Calls the tool, behind the policy, of a server that has any. */
static int count_calls(const char *tool)
{
	struct proc *p = proc_start(WORDS(weir, "-p", path("p.json"), "-s",
					  path("state"), "-g", tool, "--",
					  server, "--catalogue", "sktime-mcp"));
	int passed = 0;

	for (int i = 0; i < CALLS; i++) {
		proc_send(p, call("1", tool));
		passed += !from_weir(proc_line(p));
	}
	check_end(p, 0);
	return passed;
}

TEST(scan_profiles_rule)
{
	const char *profile = "", *said = "";

	file("r", GREETING TOOLS(TOOL("pay_x") "," TOOL("drop_x") "," TOOL(
			  "run_x") "," TOOL("set_x") "," TOOL("get_x")));
	check_equal(mkdir(path("state"), 0700), 0);
	run_to("scan --list -o l.json -- ^ --reply r", 0);
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		if (strcmp(profile, verdicts[i].profile) != 0) {
			profile = verdicts[i].profile;
			check_has(
				run_to(text("scan --profile %s --force -o "
					    "p.json -- ^ --reply r",
					    profile),
				       0),
				text("p.json: 5 tools, profile %s\n", profile));
			said = run_to("check --strict --tools l.json p.json",
				      0);
		}
		in_case(text("%s %s", profile, verdicts[i].tool));
		check_has(said, text("%-32s %s\n", verdicts[i].tool,
				     verdicts[i].words));
		if (verdicts[i].calls >= 0)
			check_equal(count_calls(verdicts[i].tool),
				    verdicts[i].calls);
	}
	/* In the order of the classes, each with its reason. */
	said = read_back("p.json");
	for (size_t i = 0; i < 5; i++) {
		static const char *const reasons[] = {
			"\"Read: the name says \\\"get\\\"\"",
			"\"Write: the name says \\\"set\\\"\"",
			"\"Execute: the name says \\\"run\\\"\"",
			"\"Destructive: the name says \\\"drop\\\"\"",
			"\"Financial: the name says \\\"pay\\\"\"",
		};

		check_has(said, reasons[i]);
		said = strstr(said, reasons[i]);
	}
}

/* ---- servers --------------------------------------------------------- */

/* A server of the newer kind alone, which asks something itself. */
static const char modern[] =
	"say() { printf '%s\\n' \"$1\"; }\n"
	"need() { read -r l; case $l in $1) ;; *) exit 9 ;; esac; }\n"
	"m='*\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"*'\n"
	"need '*\"method\":\"initialize\"*2025-11-25*'\n"
	"say '{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32022,"
	"\"message\":\"old\"}}'\n"
	"need '*\"method\":\"server/discover\"*'\"$m\"\n"
	"say '{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}'\n"
	"say '{\"jsonrpc\":\"2.0\",\"id\":\"r\",\"method\":\"roots/list\"}'\n"
	"need '{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}'\n"
	"need '{\"jsonrpc\":\"2.0\",\"id\":\"r\",\"error\":*'\n"
	"say '{\"jsonrpc\":\"2.0\",\"id\":\"2\",\"result\":{\"capabilities\":"
	"{\"tools\":{},\"resources\":{}}}}'\n"
	"need '*\"method\":\"tools/list\"*'\"$m\"\n"
	"say '{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"tools\":[" TOOL(
		"get_a") "],\"nextCursor\":\"\\u0022}\"}}'\n"
			 "need '*\"cursor\":\"\\\\u0022}\"*'\"$m\"\n"
			 "say '{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{"
			 "\"tools\":[" TOOL(
				 "get_b") "],\"nextCursor\":\"\"}}'\n"
					  "need '*resources/list*'\n"
					  "say '{\"jsonrpc\":\"2.0\",\"id\":5,"
					  "\"result\":{\"resources\":[{\"uri\":"
					  "\"file:///x\"}]}}'\n"
					  "need '*templates/list*'\n"
					  "say '{\"jsonrpc\":\"2.0\",\"id\":6,"
					  "\"error\":{\"code\":-32601,"
					  "\"message\":\"none\"}}'\n"
					  "cat >/dev/null\n";

static const struct {
	const char *command;
	int lines; /* of the list that is written */
	const char *has[3];
} servers[] = {
	{"^", 3, {"\"echo\"", "\"greet\"", "\"file:///motd\""}},
	{"^ --noise", 3, {"\"remove\""}},
	{"^ --noise --page 1 --id-last --pretty --split 7", 5, {"\"remove\""}},
	{"^ --tools-count 10000 --page 997", 13, {"\"tool_9999\""}},
	{"^ --ignore-eof", 3, {"\"add\""}},
	{"sh modern", 3, {"\"get_a\"", "\"get_b\"", "\"file:///x\""}},
	{"^ --reply plain", 1, {"\"get_x\""}},
	{"^ --reply obeyed", 1, {"[{\"name\": \"get_\\u202ex\"}]"}},
};

TEST(scan_asks_every_server)
{
	struct proc *p;

	file("modern", modern);
	file("plain", GREETING TOOLS(TOOL("get_x")));
	file("obeyed", GREETING TOOLS("{\"name\":\t\"get_\xe2\x80\xaex\"}"));
	for (size_t i = 0; i < COUNT(servers); i++) {
		const char *got = run_to(
			text("scan --list -- %s", servers[i].command), 0);
		int lines = 0;

		for (const char *c = got; (c = strchr(c, '\n')); c++)
			lines++;
		check_equal(lines, servers[i].lines);
		for (size_t n = 0; n < 3 && servers[i].has[n]; n++)
			check_has(got, servers[i].has[n]);
		run_to(text("scan -o p.json --force -- %s", servers[i].command),
		       0);
		file("l.json", got);
		p = run_line("check --strict --tools l.json p.json");
		check(proc_wait(p) == (i == 3), "%s: %s", servers[i].command,
		      p->said.ptr);
	}
}

/* One message, status 2, and no file. */
static const struct {
	const char *script; /* of sh; or begins with @ */
	const char *tells;
} failures[] = {
	{"exit 3", "sh ended with status 3 before it answered initialize"},
	{"read l; kill -9 $$", "sh was ended by signal 9 before it answered"},
	{"exec >&-; exec cat >/dev/null",
	 "closed its stdout before it answered"},
	{"read l; cat r; read l; exit 0",
	 "ended with status 0 before it answered tools/list"},
	{"exec <&-; cat r; exit 0", "before it answered tools/list"},
	{"cat e; read l; cat e2; cat >/dev/null",
	 "sh answers initialize with an error: no\\u001b[2J\\u202e"},
	{"cat r; echo '{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":1}}';"
	 "cat >/dev/null",
	 "sh answers tools/list with an error: it does not say why"},
	{"cat r; echo '{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}';"
	 "cat >/dev/null",
	 "sh answers tools/list without an array tools"},
	{"cat r; echo '{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[';"
	 "cat >/dev/null",
	 "its answer to tools/list cannot be read"},
	{"cat r; echo '{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[],"
	 "\"tools\":[]}}'; cat >/dev/null",
	 "its answer to tools/list cannot be read: a list twice"},
	{"cat r; n=2; while read l; do echo '{\"jsonrpc\":\"2.0\",\"id\":'$n',"
	 "\"result\":{\"tools\":[],\"nextCursor\":\"x'$((n % 3))'\"}}';"
	 "n=$((n + 1)); done",
	 "tools/list never ends: page 4 has the cursor of page 1"},
	{"exec cat /dev/zero", "sh has written more than 64 MiB"},
	{"none", "none: no such command"},
	{"slow", "sh has not answered initialize within 1 s (--timeout)"},
};

TEST(scan_fails_with_one_message)
{
	file("r", GREETING);
	file("e", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":"
		  "\"no\\u001b[2J\xe2\x80\xae\"}}\n");
	file("e2", "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"message\":"
		   "\"two\"}}\n");
	file("slow", "exec sleep 30\n");
	for (size_t i = 0; i < COUNT(failures); i++) {
		const char *script = failures[i].script;
		struct line_row row = {"scan -o p.json -- sh s", 2, "",
				       failures[i].tells};

		file("s", script);
		if (strcmp(script, "none") == 0)
			row.words = "scan -o p.json -- none";
		else if (strcmp(script, "slow") == 0)
			row.words = "scan -o p.json --timeout 1 -- sh slow";
		check_row(&row);
		check(!exists(path("p.json")), "a file was written");
	}
}

/* ---- names ----------------------------------------------------------- */

/* Names that could widen a policy, or show as others; tool_names() of what may
 * be called. */
TEST(scan_hostile_names)
{
	const char *const names[] = {"*",
				     "get_*",
				     "get_?",
				     "",
				     "get_(x)",
				     "mcp__s__get_x",
				     "get_\\u0000x",
				     "get_\\u0007",
				     "get_\\ud800",
				     " get_x",
				     "get_q\\u0022",
				     "get_\xe2\x80\xaex",
				     "get_twice",
				     "get_twice",
				     "Get_Case",
				     "get_plain",
				     "__proto__x",
				     text("%02000d", 7)};
	static const struct {
		const char *tool;
		int status; /* of weir explain */
	} calls[] = {
		{"get_plain", 0}, {"get_twice", 0}, {"get_other", 1},
		{"get_a", 1},     {"get_case", 1},  {"Get_Case", 1},
		{"x", 1},         {"get_(x)", 1},   {"__proto__x", 1},
	};
	struct bytes list = {.ptr = NULL};
	struct proc *p;

	append_text(&list, GREETING);
	append_text(&list,
		    "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[");
	for (size_t i = 0; i < COUNT(names); i++)
		append_text(&list, text(TOOL("%s") ",", names[i]));
	append_text(&list,
		    "{\"name\":\"get_case\",\"description\":\"Deletes\"}]}}\n");
	file("r", list.ptr);
	p = run_line("scan -o p.json -- ^ --reply r");
	check_status(p, 0);
	check_has(p->told.ptr, "no entry can name this tool alone, so its "
			       "calls are refused: \"get_*\"");
	check_has(p->told.ptr, "weir: and 6 more\n");
	check_has(p->said.ptr, "p.json: 7 tools");
	run_to("scan --list -o l.json -- ^ --reply r", 0);
	run_to("check --strict --tools l.json p.json", 0);
	check_has(read_back("p.json"), "\"get_\\u202ex\": {");
	check(!strchr(read_back("p.json"), '*'), "a glob");
	for (size_t i = 0; i < COUNT(calls); i++)
		run_to(text("explain -p p.json %s", calls[i].tool),
		       calls[i].status);
}

/* What the descriptions name is what a policy takes. */
TEST(scan_names_guards)
{
	static const char *const arguments[] = {
		"args.path", "/a.b~1url", "args.urls[*]",
		"args.sql",  "args.cmd",  "args.amount",
	};
	const char *at;

	file("r", GREETING TOOLS(
			  "{\"name\":\"get_x\",\"inputSchema\":{\"properties\":"
			  "{\"path\":{\"type\":\"string\"},\"a.b/url\":{},"
			  "\"urls\":{\"type\":\"array\",\"items\":{\"type\":"
			  "\"string\"}},\"sql\":{\"type\":\"string\"},\"cmd\":"
			  "{\"type\":\"string\"},\"amount\":{\"type\":"
			  "\"number\"},\"note\":{\"type\":\"string\"}}}}"));
	run_to("scan --list -o l.json -- ^ --reply r", 0);
	run_to("scan -o p.json -- ^ --reply r", 0);
	at = read_back("p.json");
	for (size_t i = 0; i < COUNT(arguments); i++) {
		struct bytes b = {.ptr = NULL};
		const char *end;

		in_case(arguments[i]);
		at = strstr(at, "\\\"require\\\": ");
		check(at, "no condition");
		end = strstr(at, "}]") + 2;
		append_text(&b, "{\"version\":\"1\",\"default\":\"deny\","
				"\"tools\":{\"get_x\":{");
		for (; at < end; at++)
			if (*at != '\\' || at[1] == '\\')
				append(&b, at, 1);
		append_text(&b, "}}}");
		check_has(b.ptr, text("\"path\": \"%s\"", arguments[i]));
		file("g.json", b.ptr);
		run_to("check --tools l.json g.json", 0);
	}
	check(!strstr(at, "note"), "%s", at);
}

/* ---- a policy that is there ------------------------------------------ */

#define PLAIN "{\n  \"version\": \"1\", \"default\": \"deny\",\n  \"tools\": {"
static const struct {
	const char *before;
	const char *tools; /* of the server */
	const char *after;
} merges[] = {
	/* Nothing is new: not a byte changes. */
	{PLAIN "\n\t\"get_x\" : { \"reason\":\"mine\",\"action\":\"deny\"}}}",
	 TOOL("get_x"),
	 PLAIN "\n\t\"get_x\" : { \"reason\":\"mine\",\"action\":\"deny\"}}}"},
	{PLAIN "}\n}\n", TOOL("get_x"),
	 PLAIN "\n    \"get_x\": {\n      \"description\": \"(new) Read: the "
	       "name says \\\"get\\\"\"\n    }\n  }\n}\n"},
	{PLAIN "\"a\":{}}}", TOOL("a") "," TOOL("drop_x"),
	 PLAIN "\"a\":{},\n    \"drop_x\": {\n      \"description\": \"(new) "
	       "Destructive: the name says \\\"drop\\\"\",\n      \"action\": "
	       "\"hide\"\n    }}}"},
	/* Hidden, or covered by a glob, is known. */
	{"{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"drop_x\"],"
	 "\"tools\":{\"get_*\":{}}}",
	 TOOL("drop_x") "," TOOL("get_x") "," TOOL("get_y"),
	 "{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"drop_x\"],"
	 "\"tools\":{\"get_*\":{}}}"},
	{"{\"version\":\"1\",\"default\":\"deny\"}", TOOL("get_x"),
	 "{\"version\":\"1\",\"default\":\"deny\",\n  \"tools\": {\n"
	 "    \"get_x\": {\n      \"description\": \"(new) Read: the name says "
	 "\\\"get\\\"\"\n    }\n  }}"},
	/* Gone, and back. */
	{PLAIN "\"a\":{},\"b\":{\"action\":\"deny\"},\"c\":{\"description\":"
	       "\"mine\"},\"d\":{\"description\":\"\"}}}",
	 "",
	 PLAIN "\"a\":{\"description\": \"(gone)\"},\"b\":{\"description\": "
	       "\"(gone)\", \"action\":\"deny\"},\"c\":{\"description\":"
	       "\"(gone) mine\"},\"d\":{\"description\":\"(gone)\"}}}"},
	{PLAIN "\"a\":{\"description\": \"(gone)\"},\"c\":{\"description\":"
	       "\"(gone) mine\"},\"e\":{\"description\":\"(new) x\"}}}",
	 TOOL("a") "," TOOL("c") "," TOOL("e"),
	 PLAIN "\"a\":{\"description\": \"\"},\"c\":{\"description\":\"mine\"},"
	       "\"e\":{\"description\":\"x\"}}}"},
	{PLAIN "\"c\":{\"description\":\"(gone) mine\"},\"e\":{\"description\":"
	       "\"(new) x\"}}}",
	 "",
	 PLAIN "\"c\":{\"description\":\"(gone) mine\"},\"e\":{\"description\":"
	       "\"(gone) x\"}}}"},
};

static const struct line_row kept[] = {
	{"scan --merge p.json -o p.json -- ^", 2, NULL,
	 "p.json: only a policy that loads can be merged"},
	{"scan -o p.json -- ^", 2, NULL,
	 "p.json exists: use --merge p.json to"},
	{"scan --merge r -o p.json -- ^", 2, NULL, NULL},
	{"scan -o none/p.json -- ^", 2, NULL,
	 "none/p.json: cannot create it: No such file"},
};

TEST(scan_merges)
{
	for (size_t i = 0; i < COUNT(merges); i++) {
		file("p.json", merges[i].before);
		file("r", text("%s" TOOLS("%s"), GREETING, merges[i].tools));
		run_to("scan --merge p.json -o p.json -- ^ --reply r", 0);
		in_case(text("merge %zu", i));
		check_text("the policy", read_back("p.json"), merges[i].after);
		check_text(
			"stdout",
			run_to("scan --merge p.json -- ^ --reply r", 0),
			i == 1 || i == 2 || i == 4
				? run_to("scan --merge p.json -- ^ --reply r",
					 0)
				: merges[i].after);
	}
	/* What is there stays. */
	file("p.json", "{\"version\":\"1\"}");
	check_rows(kept, COUNT(kept));
	check_text("the policy", read_back("p.json"), "{\"version\":\"1\"}");
	run_to("scan --force -o p.json -- ^", 0);
	check_has(read_back("p.json"), "\"echo\"");
}

/* ---- configurations -------------------------------------------------- */

/* One after the other; p.json names no tool of the server, q.json does. */
static const struct line_row configured[] = {
	{"scan --config c.json one", 0, "\"get_x\": {", ""},
	{"scan --config c.json", 0, "\"get_x\": {", NULL},
	{"scan --config c.json far", 2, "", "far: it is reached by a URL"},
	{"scan --config c.json none", 2, "", "c.json has no server none"},
	{"scan --config two.json", 2, "", "has several servers; name one:"},
	{"scan --config empty.json", 2, "",
	 "has no server that is started by a command"},
	{"scan", 2, "", "missing COMMAND"},
	{"wrap --scan c.json one -p p.json", 2, NULL,
	 "one: its policy names none of its tools, so nothing was changed"},
	{"wrap --scan c.json one -p q.json", 0, "one: wrapped", NULL},
	{"unwrap c.json one", 0, NULL, NULL},
	{"wrap --scan d.json --all -p q.json", 0, "a: wrapped\n    -p ", NULL},
	{"wrap --scan c.json one -p q.json", 0, "wrapped", NULL},
	/* It is asked itself, not through weir. */
	{"scan --config c.json one", 0, "\"get_x\": {", NULL},
};

TEST(scan_from_a_configuration)
{
	check_equal(mkdir(path("in"), 0700), 0);
	file("r", GREETING TOOLS(TOOL("get_x")));
	file("c.json",
	     fill("{\"mcpServers\":{\"one\":{\"command\":\"sh\",\"args\":["
		  "\"-c\",\"test $A-$PWD = a-$B || exit 7; cat \\\"$R\\\"; "
		  "cat >/dev/null\"],\"env\":{\"A\":\"a\",\"B\":\"@/in\","
		  "\"R\":\"@/r\"},\"cwd\":\"in\"},"
		  "\"far\":{\"url\":\"http://h\"}}}"));
	file("d.json", "{\"mcpServers\":{\"a\":{\"command\":\"sh\",\"args\":"
		       "[\"-c\",\"cat ../r r; cat >/dev/null\"],\"cwd\":"
		       "\"in\"},\"b\":{\"command\":\"sh\",\"args\":[\"-c\","
		       "\"cat r; cat >/dev/null\"]}}}");
	file("two.json", "{\"mcpServers\":{\"a\":{\"command\":\"a\"},"
			 "\"b\":{\"command\":\"b\"}}}");
	file("empty.json", "{\"mcpServers\":{}}");
	policy_file("p.json", "'default':'deny','tools':{'set_x':{}}");
	policy_file("q.json", "'default':'deny','tools':{'get_x':{}}");
	check_rows(configured, COUNT(configured));
}
