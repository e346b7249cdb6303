/*
 * Policies laid over one another, and the sections of a policy besides tools:
 * prompts, resources, methods.
 */
#include "answers.h"
#include "fields.h"

#include "groups.h"

#define NAMES_MAX 64

/* ---- a rule of the catalogue over a list of tools -------------------- */

static const struct seed {
	const char *server; /* its catalogue in the test server */
	const char *tool;   /* that the rule is about; the file is named so */
	int max;            /* calls a minute; 0: it is hidden */
} seeds[] = {
	{"sast-mcp", "cancel_scan_job", 0},
	{"webscrapertoolkit", "cancel_job", 10},
	{"workflows-mcp", "cancel_job", 0},
	{"sktime-mcp", "cancel_job", 0},
	{"cross-llm-mcp", "cancel-async-job", 30},
};

/* Nothing of this is a tool call, and all of it passes. */
static const char no_calls[] =
	"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
	"\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}}\n"
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
	"{\"id\":\"p-1\", \"method\":\"ping\",\t\"jsonrpc\":\"2.0\"}\n"
	"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"resources/list\"}\r\n"
	"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"resources/read\",\"params\""
	":{\"uri\":\"file:///motd\"}}\n"
	"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"prompts/list\"}\n"
	"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"prompts/get\",\"params\":{"
	"\"name\":\"cancel_job\"}}\n";

/* What the seed is laid over: every tool of the server, and its calls. */
struct base {
	const char *file, *rule;
	const char *calls; /* of all tools but the seed's */
	const char *other; /* one of these */
};

static struct base base_of(const struct seed *seed)
{
	struct base b = {.rule = copy_of(text("tests/policies/%s.%s.json",
					      seed->server, seed->tool))};
	struct proc *plain =
		proc_run(WORDS(server, "--catalogue", seed->server),
			 request("1", "tools/list", NULL));
	struct bytes policy = {.ptr = NULL}, calls = {.ptr = NULL};
	const char *names[NAMES_MAX];
	size_t count = tool_names(proc_line(plain), names, NAMES_MAX);

	append_text(&policy,
		    "{\"version\":\"1\",\"default\":\"deny\",\"tools\":{");
	for (size_t i = 0; i < count; i++) {
		append_text(&policy,
			    text("%s\"%s\":{}", i > 0 ? "," : "", names[i]));
		if (strcmp(names[i], seed->tool) == 0)
			continue;
		append_text(&calls, call(text("%zu", i), names[i]));
		b.other = names[i];
	}
	append_text(&policy, "}}");
	b.file = file(text("%s.base", seed->server), policy.ptr);
	b.calls = calls.ptr;
	return b;
}

enum way { BASE_FIRST, RULE_FIRST, IN_ENVIRONMENT, WAYS };

static struct proc *start_over(const struct base *b, enum way way,
			       const char *const *command)
{
	const char *variable = text("WEIR_POLICY=%s:%s", b->file, b->rule);
	const char *const *env = WORDS(variable);
	struct how how = {.env = env};

	in_case(text("%s, %d", b->rule, way));
	if (way == IN_ENVIRONMENT)
		return proc_start_how(join(WORDS(weir, "--"), command), &how);
	return proc_start(
		join(WORDS(weir, "-p", way == BASE_FIRST ? b->file : b->rule,
			   "-p", way == BASE_FIRST ? b->rule : b->file, "--"),
		     command));
}

/* Every other tool, and all that is no call: as if weir were not there. */
static void check_others(const struct seed *seed, const struct base *b,
			 enum way way)
{
	const char *const *command =
		join(WORDS(server, "--catalogue", seed->server), WORDS(NULL));
	const char *record = path(text("record-%s-%d", seed->server, way));
	const char *list = request("9", "tools/list", "{}"), *line;
	const char *input = text("%s%s%s%s", list, no_calls, b->calls, list);
	struct proc *plain = proc_run(command, input);
	struct proc *p =
		start_over(b, way, join(command, WORDS("--record", record)));

	proc_send(p, input);
	proc_close_in(p);
	check_status(p, 0);
	check_text("stderr", p->told.ptr, "");
	while ((line = proc_line(plain))) {
		if (seed->max == 0 && strstr(line, "\"tools\":[")) {
			check(strstr(line, seed->tool), "no such tool");
			line = without(line, seed->tool);
		}
		check_text("a line", proc_line(p), line);
	}
	check_text("the end", proc_line(p), "(no line)");
	check_text("what the server got", content(record).ptr, input);
}

/* The tool that the rule is about, and one that nobody names. */
static void check_ruled(const struct seed *seed, const struct base *b,
			enum way way)
{
	struct proc *p =
		start_over(b, way, WORDS(server, "--catalogue", seed->server));

	for (int i = 0; i < seed->max; i++) {
		proc_send(p, call("1", seed->tool));
		check(!from_weir(proc_line(p)), "call %d should pass", i);
	}
	proc_send(p, call("2", seed->tool));
	if (seed->max == 0)
		check_hidden(proc_line(p), "2", seed->tool);
	else
		check_limited(proc_line(p), "2",
			      text("/tools/%s/limits/0", seed->tool),
			      text("at most %d calls a minute", seed->max));
	proc_send(p, call("3", b->other));
	check(!from_weir(proc_line(p)), "%s should pass", b->other);
	proc_send(p, call("4", "not_listed"));
	check_refused(proc_line(p), "4", false, RULE_DEFAULT, NULL);
	ping(p, "5");
}

static void seeds_over_a_base(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(seeds); i++) {
		struct base b = base_of(&seeds[i]);

		for (enum way way = 0; way < WAYS; way++) {
			check_others(&seeds[i], &b, way);
			check_ruled(&seeds[i], &b, way);
		}
		check_status(proc_run(WORDS(weir, "check", "--strict", b.file,
					    b.rule),
				      ""),
			     0);
	}
}

/* ---- any layers ------------------------------------------------------ */

enum outcome { PASSES, HIDDEN, REFUSED, LIMITED };

static void check_outcome(const char *line, enum outcome outcome,
			  const char *name, const char *rule,
			  const char *reason)
{
	if (!rule && outcome >= REFUSED)
		rule = field(line, "result._meta.weir/rule");
	switch (outcome) {
	case PASSES:
		check(!from_weir(line), "should pass: %s", line);
		break;
	case HIDDEN:
		check_hidden(line, "1", name);
		break;
	case REFUSED:
		check_refused(line, "1", false, rule ? rule : "", reason);
		break;
	case LIMITED:
		check(strstr(line, text("policy: %s; try again", reason)),
		      "%s was expected: %s", reason, line);
		check_field(line, "result._meta.weir/rule", rule);
		break;
	}
}

static void strictest_default(void **state)
{
	static const char *const words[] = {"allow", "deny", "hide"};
	static const enum outcome outcomes[] = {PASSES, REFUSED, HIDDEN};
	const char *files[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		files[i] = file(words[i],
				text("{\"version\":\"1\",\"default\":\"%s\","
				     "\"tools\":{\"echo\":{}}}",
				     words[i]));
	for (size_t i = 0; i < 9; i++) {
		size_t a = i / 3, b = i % 3, strictest = a > b ? a : b;
		struct proc *p = proc_start(WORDS(weir, "-p", files[a], "-p",
						  files[b], "--", server));
		const char *list;

		in_case(text("%s, %s", words[a], words[b]));
		proc_send(p, call("1", "add"));
		check_outcome(proc_line(p), outcomes[strictest], "add",
			      RULE_DEFAULT, NULL);
		proc_send(p, request("2", "tools/list", NULL));
		list = proc_line(p);
		check(strstr(list, "\"echo\""), "echo is not there: %s", list);
		check(!strstr(list, "\"add\"") == (strictest == 2),
		      "add is there, or not: %s", list);
	}
}

static const char *const layers[] = {
	"{\"version\":\"1\",\"default\":\"deny\",\"tools\":{\"echo\":{},"
	"\"remove\":{},\"get_*\":{},\"both\":{},\"add\":{},\"gone\":{"
	"\"action\":\"deny\"},\"few\":{\"limits\":[{\"max\":3,\"window\":"
	"\"hour\",\"counter\":\"a\"}]},\"pay\":{\"require\":[{\"path\":"
	"\"args.why\",\"op\":\"exists\",\"value\":true,\"on_deny\":\"say why\"}"
	"]}}}",

	"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"add\":{"
	"\"action\":\"deny\",\"reason\":\"no \\\"sums\\\"\"},\"get_s*\":{"
	"\"action\":\"hide\"},\"gone\":{\"action\":\"hide\"},\"few\":{"
	"\"rate_limit\":\"5/day\"},\"pay\":{\"deny_if\":[{\"path\":"
	"\"args.amount\",\"op\":\"gt\",\"value\":100.0,\"on_deny\":"
	"\"too much\"}]}}}",

	"{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"remove\",\"r*t\"],"
	"\"all_tools\":{\"deny_if\":[{\"path\":\"/force\",\"op\":\"eq\","
	"\"value\":true,\"on_deny\":\"no force\"}]},\"tools\":{\"both\":{"
	"\"action\":\"deny\"},\"gone\":{},\"few\":{\"limits\":[{\"max\":1,"
	"\"window\":\"hour\",\"counter\":\"b\"}]},\"pay\":{\"limits\":[{"
	"\"max\":2,\"window\":\"hour\",\"counter\":\"pays\"}],\"deny_if\":[{"
	"\"path\":\"args.why\",\"op\":\"eq\",\"value\":0,\"on_deny\":"
	"\"no reason\"}]},\"add\":{\"rate_limit\":\"9/day\"}}}",
};

/* One after another. */
static const struct row {
	const char *name, *arguments;
	enum outcome outcome;
	const char *rule; /* NULL: its place depends on the order */
	const char *reason;
} rows[] = {
	{"echo", "{}", PASSES, NULL, NULL},
	{"echo", "{\"force\":true}", REFUSED, "/all_tools/deny_if/0",
	 "no force"},
	{"echo", "{\"force\":false}", PASSES, NULL, NULL},
	{"ECHO", "{}", REFUSED, RULE_DEFAULT, NULL},
	{"other", "{}", REFUSED, RULE_DEFAULT, NULL},
	{"add", "{}", REFUSED, "/tools/add/action", "no \"sums\""},
	{"add", "{\"force\":true}", REFUSED, "/tools/add/action", NULL},
	{"both", "{}", REFUSED, "/tools/both/action", NULL},
	{"remove", "{}", HIDDEN, NULL, NULL},
	{"Remove", "{\"force\":true}", HIDDEN, NULL, NULL},
	{"reset", "{}", HIDDEN, NULL, NULL},
	{"gone", "{}", HIDDEN, NULL, NULL},
	{"few", "{}", PASSES, NULL, NULL},
	{"few", "{}", LIMITED, NULL, "at most 1 call an hour"},
	{"get_time", "{}", PASSES, NULL, NULL},
	{"get_secret", "{}", HIDDEN, NULL, NULL},
	{"pay", "{\"amount\":1}", REFUSED, "/tools/pay/require/0", "say why"},
	{"pay", "{\"amount\":100.01,\"why\":1}", REFUSED, NULL, "too much"},
	{"pay", "{\"why\":0}", REFUSED, NULL, "no reason"},
	{"pay", "{\"amount\":100,\"why\":1}", PASSES, NULL, NULL},
	{"pay", "{\"why\":null}", PASSES, NULL, NULL},
	{"pay", "{\"why\":1}", LIMITED, "/tools/pay/limits/0",
	 "at most 2 calls an hour"},
	{"pay", "{\"amount\":101,\"why\":1}", REFUSED, NULL, "too much"},
	{"echo", "{}", PASSES, NULL, NULL},
};

/* The rows, and the list, behind these policies. */
static void check_rows(const char *const *policies)
{
	struct proc *plain =
		proc_run(WORDS(server), request("1", "tools/list", NULL));
	struct proc *p = proc_start(
		join(join(WORDS(weir), policies), WORDS("--", server)));

	for (size_t i = 0; i < COUNT(rows); i++) {
		in_case(text("%s %s, %s %s", rows[i].name, rows[i].arguments,
			     policies[0], policies[1]));
		proc_send(p, request("1", "tools/call",
				     text("{\"name\":\"%s\",\"arguments\":%s}",
					  rows[i].name, rows[i].arguments)));
		check_outcome(proc_line(p), rows[i].outcome, rows[i].name,
			      rows[i].rule, rows[i].reason);
	}
	proc_send(p, request("1", "tools/list", NULL));
	check_text("the list", proc_line(p),
		   without(proc_line(plain), "remove"));
}

static void any_order(void **state)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					{1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	const char *files[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		files[i] = file(text("layer-%d", i), layers[i]);
	for (size_t i = 0; i < COUNT(orders); i++)
		check_rows(WORDS("-p", files[orders[i][0]], "-p",
				 files[orders[i][1]], "-p",
				 files[orders[i][2]]));
}

/* What check --print makes of them means the same, whatever it warns of. */
static void printed_policy(void **state)
{
	struct proc *p = proc_run(
		WORDS(weir, "check", "--print", file("layer-0", layers[0]),
		      file("layer-1", layers[1]), file("layer-2", layers[2])),
		"");

	(void)state;
	check_status(p, 0);
	check_rows(WORDS("-p", file("printed", p->said.ptr)));
}

static const char good[] =
	"{\"version\":\"1\",\"default\":\"deny\",\"tools\":{\"echo\":{}}}";

/* Which of these files a fault is told of, and at which line. */
static const struct faults {
	const char *policies; /* as WEIR_POLICY has them, % for the directory */
	int lines;
	const char *says[2];
} faults[] = {
	{"%/good:%/bad", 1, {"/bad:2:11: /default"}},
	{"%/bad:%/good", 1, {"/bad:2:11: /default"}},
	{"%/good:%/worse", 1, {"/worse:3:"}},
	{"%/bad:%/good:%/worse", 2, {"/bad:2:", "/worse:3:"}},
	{"%/good:%/none", 1, {"/none: "}},
	{"%/none:%/good", 1, {"/none: "}},
	{"%/good:", 1, {"empty"}},
	{":%/good", 1, {"empty"}},
	{"%/good::%/good", 1, {"empty"}},
};

static const char *in_directory(const char *policies)
{
	struct bytes b = {.ptr = NULL};

	for (; *policies; policies++)
		append_text(&b, *policies == '%' ? path("")
						 : text("%c", *policies));
	return b.ptr;
}

static void faults_name_their_file(void **state)
{
	(void)state;
	file("good", good);
	file("bad", "{\"version\":\"1\",\n\"default\":\"maybe\"}");
	file("worse", "{\"version\":\"1\",\"default\":\"deny\",\n\"tools\":{\n"
		      "\"a\":{\"actoin\":\"deny\"}}}");
	for (size_t i = 0; i < COUNT(faults); i++) {
		const char *variable = text("WEIR_POLICY=%s",
					    in_directory(faults[i].policies));
		const char *const *env = WORDS(variable);
		struct how how = {.env = env};
		struct proc *p =
			proc_start_how(WORDS(weir, "--", "sh", "-c",
					     "echo >\"$0\"", path("started")),
				       &how);

		in_case(faults[i].policies);
		check_status(p, 125);
		check(!exists(path("started")), "the server was started");
		check_equal(weir_lines(p->told.ptr), faults[i].lines);
		check(!strstr(p->told.ptr, "/good:"), "of the good one: %s",
		      p->told.ptr);
		for (int s = 0; s < 2 && faults[i].says[s]; s++)
			check(strstr(p->told.ptr, faults[i].says[s]),
			      "\"%s\" was expected: %s", faults[i].says[s],
			      p->told.ptr);
		p = proc_start_how(WORDS(weir, "explain", "echo"), &how);
		check_status(p, 2);
		check_equal(weir_lines(p->told.ptr), faults[i].lines);
	}
}

/* check says all of them on stdout. */
static void check_names_files(void **state)
{
	const char *bad = file("bad", "{\"version\":\"1\",\n\"default\":7}");
	struct proc *p = proc_run(WORDS(weir, "check", bad, file("good", good),
					path("none"), bad),
				  "");

	(void)state;
	check_status(p, 2);
	check(strstr(p->said.ptr, text("%s:2:11: /default", bad)),
	      "the fault was expected: %s", p->said.ptr);
	check(strstr(p->said.ptr, path("none")), "not named: %s", p->said.ptr);
}

/* Where the fault is, in the sections besides tools. */
static void check_sections(void **state)
{
	static const struct {
		const char *rules, *says;
	} cases[] = {
		{"\"prompts\":[]", ": /prompts: "},
		{"\"resources\":{\"x\":{\"acton\":\"deny\"}}",
		 ": /resources/x/acton: "},
		{"\"methods\":{\"\":{}}", ": /methods/: "},
		{"\"methods\":{\"a/b\":{\"limits\":[{\"max\":1}]}}",
		 ": /methods/a~1b/limits/0: "},
		{"\"prompts\":{\"a\":{\"require\":[{\"path\":\"x\",\"op\":"
		 "\"eq\",\"value\":1}]}}",
		 ": /prompts/a/require/0/path: "},
		{"\"all_tools\":{\"deny_if\":[{\"path\":\"args.a\",\"op\":"
		 "\"regex\",\"value\":\"(\"}]}",
		 ": /all_tools/deny_if/0/value: "},
		{"\"prompts\":{\"a\":{},\"\\u0061\":{}}", ": /prompts/a: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *policy = file(
			"policy",
			text("{\"version\":\"1\",\"default\":\"allow\",%s}",
			     cases[i].rules));
		struct proc *p = proc_run(WORDS(weir, "check", policy), "");

		in_case(cases[i].rules);
		check_status(p, 2);
		check(count_lines(p->said.ptr) == 1 &&
			      strstr(p->said.ptr, cases[i].says),
		      "one line with %s was expected: %s", cases[i].says,
		      p->said.ptr);
	}
}

/* What becomes of each tool in a server's list, whole or in part. */
static void check_tools(void **state)
{
	static const char *const says[][2] = {{"echo ", " allowed"},
					      {"add ", " denied"},
					      {"remove ", " hidden"}};
	struct proc *p =
		proc_run(WORDS(server), request("1", "tools/list", NULL));
	const char *answer = proc_line(p), *result = strstr(answer, "{\"tools");
	const char *array = strchr(result, '[');
	const char *const lists[] = {
		answer,
		text("%.*s", (int)strlen(result) - 2, result),
		text("\n%.*s\n", (int)(strstr(array, "],\"ttl") + 1 - array),
		     array),
	};
	const char *const *files =
		WORDS(file("layer-0", layers[0]), file("layer-1", layers[1]),
		      file("layer-2", layers[2]));

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		const char *const *command = join(
			WORDS(weir, "check", "--tools", file("list", lists[i])),
			WORDS(NULL));
		const char *line;

		in_case(lists[i]);
		p = proc_run(join(command, files), "");
		check_status(p, 0);
		for (size_t t = 0; t < COUNT(says); t++) {
			line = strstr(p->said.ptr, text("\n%s", says[t][0]));
			check(line, "%s is not there: %s", says[t][0],
			      p->said.ptr);
			line = text("%.*s", (int)strcspn(line + 1, "\n"),
				    line + 1);
			check(strstr(line, says[t][1]), "%s was expected: %s",
			      says[t][1], line);
		}
	}
}

/* An entry for a tool that is not in the list. */
static void check_unused(void **state)
{
	const char *list = file("list", "[{\"name\":\"a\"},{\"name\":\"b1\"}]");
	const char *used = file("used", "{\"version\":\"1\",\"default\":"
					"\"deny\",\"tools\":{\"a\":{},\"b?\":{"
					"}}}");
	const char *unused = file("unused", "{\"version\":\"1\",\"default\":"
					    "\"deny\",\"tools\":{\"a\":{},\n"
					    "\"b\":{},\"b1\":{}}}");
	struct proc *p = proc_run(
		WORDS(weir, "check", "--strict", "--tools", list, used), "");

	(void)state;
	check_status(p, 0);
	p = proc_run(WORDS(weir, "check", "--strict", "--tools", list, unused),
		     "");
	check_status(p, 1);
	check(strstr(p->said.ptr, text("warning: %s:2:", unused)),
	      "a warning of line 2 was expected: %s", p->said.ptr);
}

/* ---- lists of prompts and resources ---------------------------------- */

static const char hiding[] =
	"{\"version\":\"1\",\"default\":\"allow\",\"prompts\":{\"hid\":{"
	"\"action\":\"hide\"},\"bad_*\":{\"action\":\"hide\"},\"no\":{"
	"\"action\":\"deny\"}},\"resources\":{\"file:///hid\":{\"action\":"
	"\"hide\"},\"secret://*\":{\"action\":\"hide\"},\"no://*\":{"
	"\"action\":\"deny\"}}}";

#define RPC          "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{"
#define PROMPTS(s)   RPC "\"prompts\":[" s "]}}\n"
#define RESOURCES(s) RPC "\"resources\":[" s "]}}\n"
#define TEMPLATES(s) RPC "\"resourceTemplates\":[" s "]}}\n"
#define TOOLS(s)     RPC "\"tools\":[" s "]}}\n"
#define MIXED(r, t, p)                                                         \
	RPC "\"resources\":[" r "],\"x\":[\"hid\"],\"resourceTemplates\":[" t  \
	    "],\"prompts\":[" p "]}}\n"
#define N(n) "{\"name\":\"" n "\"}"
#define U(u) "{\"name\":\"hid\",\"uri\":\"" u "\"}"
#define T(u) "{\"uriTemplate\":\"" u "\",\"name\":\"hid\"}"
#define SAME "" /* as the server sent it */

static const struct list_row {
	const char *method;
	const char *sent;
	const char *seen; /* NULL: one error in its place */
} list_rows[] = {
	{"prompts/list", PROMPTS(N("a") "," N("no") ",{\"name\":\"b\"}"), SAME},
	{"prompts/list", PROMPTS(""), SAME},
	{"prompts/list", PROMPTS(N("hid") "," N("a")), PROMPTS(N("a"))},
	{"prompts/list", PROMPTS(N("a") "," N("hid") "," N("b")),
	 PROMPTS(N("a") "," N("b"))},
	{"prompts/list", PROMPTS(N("a") "," N("bad_1")), PROMPTS(N("a"))},
	{"prompts/list", PROMPTS(N("hid") "," N("bad_")), PROMPTS("")},
	{"prompts/list", PROMPTS(N("HID") "," N("h\\u0069d") "," N("a")),
	 PROMPTS(N("a"))},
	{"prompts/list",
	 PROMPTS("{\"title\":\"hid\",\"name\":\"a\",\"arguments\":[" N(
		 "hid") "]}"),
	 SAME},
	{"prompts/list", PROMPTS("{\"name\":\"a\",\"name\":\"b\"},{}," N("a")),
	 PROMPTS(N("a"))},
	{"prompts/list",
	 RPC " \"nextCursor\" : \"hid\",\t\"prompts\" : [ " N("hid") " , " N(
		 "a") " ], \"ttlMs\" : 1.0e1 }}\r\n",
	 RPC " \"nextCursor\" : \"hid\",\t\"prompts\" : [ " N(
		 "a") " ], \"ttlMs\" : 1.0e1 }}\r\n"},
	{"prompts/list", RPC "\"prompts\":[],\"prompts\":[]}}\n", NULL},
	{"prompts/list", RPC "\"Prompts\":[" N("hid") "]}}\n", NULL},
	{"prompts/list", PROMPTS(N("a") ","), NULL},

	{"resources/list", RESOURCES(U("file:///a") "," U("no://a")), SAME},
	{"resources/list", RESOURCES(U("file:///hid") "," U("file:///a")),
	 RESOURCES(U("file:///a"))},
	{"resources/list",
	 RESOURCES(U("a") "," U("secret://") "," U("secret://x/y?z")),
	 RESOURCES(U("a"))},
	{"resources/list",
	 RESOURCES(U("file:\\/\\/\\/hid") "," U("Secret://\xc3\xa9") "," U("")),
	 RESOURCES(U(""))},
	{"resources/list", RESOURCES(N("a") ",{\"uri\":[\"a\"]}," U("a")),
	 RESOURCES(U("a"))},
	{"resources/list", RESOURCES("") "\n", SAME},
	{"resources/list", RPC "\"resources\":[" U("\xff") "]}}\n", NULL},

	{"resources/templates/list", TEMPLATES(T("file:///{hid}")), SAME},
	{"resources/templates/list",
	 TEMPLATES(T("secret://{id}") "," T("a://{id}") "," T("file:///hid")),
	 TEMPLATES(T("a://{id}"))},
	{"resources/templates/list", TEMPLATES(U("a") "," T("b")),
	 TEMPLATES(T("b"))},
	{"resources/templates/list",
	 RPC "\"resourceTemplates\":[],\"RESOURCETEMPLATES\":[]}}\n", NULL},

	/* Several lists in one answer: each by its own section. */
	{"resources/list",
	 MIXED(U("file:///hid") "," U("a"), T("b") "," T("secret://"),
	       N("hid")),
	 MIXED(U("a"), T("b"), "")},
	{"prompts/list", RPC "\"tools\":[" N("hid") "],\"prompts\":[]}}\n",
	 SAME},

	/* No tool can be hidden: their list is not read. */
	{"tools/list", RPC "\"tools\":[" N("hid") "],\"tools\":[,]}}\n", SAME},
};

static void lists(void **state)
{
	const char *policy = file("policy", hiding);

	(void)state;
	for (size_t i = 0; i < COUNT(list_rows); i++) {
		const struct list_row *row = &list_rows[i];
		struct proc *p =
			proc_run(WORDS(weir, "-p", policy, "--", server,
				       "--reply", file("reply", row->sent)),
				 text("%s%s", request("1", row->method, "{}"),
				      strcmp(row->sent, RESOURCES("") "\n") == 0
					      ? request("2", "ping", NULL)
					      : ""));

		in_case(row->sent);
		check_status(p, 0);
		if (row->seen)
			check_text("what the client sees", p->said.ptr,
				   *row->seen ? row->seen : row->sent);
		else
			check_error(proc_line(p), "1", -32603);
		check(row->seen || !proc_line(p), "one answer was expected");
		check(weir_lines(p->told.ptr) == !row->seen,
		      "a word on stderr, if and only if it is withheld: %s",
		      p->told.ptr);
	}
}

/* Answers to requests of one id, in the order of the server. */
static const struct reused {
	const char *asked[4]; /* methods, all with id 1 */
	const char *sent, *seen;
} reused[] = {
	{{"tools/list", "prompts/list"},
	 PROMPTS(N("hid") "," N("a")) TOOLS(N("hid") "," N("a")),
	 PROMPTS(N("a")) TOOLS(N("a"))},
	{{"prompts/list", "tools/list"},
	 PROMPTS(N("a")) TOOLS(N("hid") "," N("a")),
	 PROMPTS(N("a")) TOOLS(N("a"))},
	{{"tools/list", "resources/list", "ping"},
	 RPC "}}\n" RESOURCES(U("hid")) TOOLS(N("hid")),
	 RPC "}}\n" RESOURCES("") TOOLS("")},
	{{"resources/list", "resources/templates/list"},
	 TEMPLATES(T("hid")) RESOURCES(U("hid") "," U("a")),
	 TEMPLATES("") RESOURCES(U("a"))},
	{{"resources/list", "resources/templates/list", "prompts/list",
	  "tools/list"},
	 PROMPTS(N("hid")) TEMPLATES(T("hid")) RESOURCES(U("hid"))
		 TOOLS(N("hid")),
	 PROMPTS("") TEMPLATES("") RESOURCES("") TOOLS("")},
	{{"tools/list", "prompts/list", "prompts/list"},
	 PROMPTS(N("hid")) PROMPTS(N("hid")) TOOLS(N("hid")),
	 PROMPTS("") PROMPTS("") TOOLS("")},
	{{"tools/list", "tools/list", "prompts/list"},
	 PROMPTS("") TOOLS(N("hid")) TOOLS(N("hid")),
	 PROMPTS("") TOOLS("") TOOLS("")},
	{{"tools/list", "x/y"},
	 "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\""
	 "}}\n" TOOLS(N("hid")),
	 "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\""
	 "}}\n" TOOLS("")},
};

/* In which sections something is hidden; the list of tools always is read. */
static const char *const where[] = {
	"\"prompts\":{\"hid\":{\"action\":\"hide\"}},\"resources\":{\"hid\":{"
	"\"action\":\"hide\"}}",
	"\"prompts\":{}",
};

static void ids_reused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reused) * COUNT(where); i++) {
		const struct reused *row = &reused[i / COUNT(where)];
		const char *seen = row->seen, *sent = row->sent, *line;
		struct bytes asked = {.ptr = NULL};
		struct proc *p;
		bool all = i % COUNT(where) == 0;

		in_case(row->sent);
		for (int m = 0; m < 4 && row->asked[m]; m++)
			append_text(&asked, request("1", row->asked[m], NULL));
		p = proc_run(WORDS(weir, "-p",
				   file("policy",
					text("{\"version\":\"1\",\"default\":"
					     "\"allow\",\"hide\":[\"hid\"],%s}",
					     where[i % COUNT(where)])),
				   "--", server, "--reply",
				   file("reply", sent)),
			     asked.ptr);
		while ((line = next_line(&sent))) {
			const char *cut = next_line(&seen);
			bool whole = !all && !strstr(line, "\"tools\"");

			check_text("a line", proc_line(p), whole ? line : cut);
		}
		check(!proc_line(p), "no more was expected");
	}
}

/* Once the list has come, nothing waits for the end of a line any more. */
static void lists_end_the_waiting(void **state)
{
	static const struct {
		const char *method, *list;
	} cases[] = {
		{"prompts/list", PROMPTS(N("a"))},
		{"resources/list", RESOURCES(U("a"))},
		{"resources/templates/list", TEMPLATES(T("a"))},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct proc *p = proc_start(WORDS(
			weir, "-p", file("policy", hiding), "--", "sh", "-c",
			"read a; cat \"$0\"; printf half; read b; echo",
			file("reply", cases[i].list)));

		in_case(cases[i].method);
		proc_send(p, request("1", cases[i].method, NULL));
		check_text("the list", proc_line(p), cases[i].list);
		proc_more(p, strlen("half"));
		proc_send(p, request("2", "ping", NULL));
		check_text("the line", proc_line(p), "half\n");
	}
}

/* What is withheld may be the answer to any list that is due, but to none that
 * has come. */
static void withheld_for_what_is_due(void **state)
{
	const char *reply = file("reply", TOOLS(N("hid")) "[" RESOURCES("")
						  PROMPTS(N("hid")));
	struct proc *p = proc_start(WORDS(weir, "-p", file("policy", hiding),
					  "--", server, "--reply", reply));

	(void)state;
	proc_send(p, request("1", "tools/list", NULL));
	check_text("the first list", proc_line(p), TOOLS(N("hid")));
	proc_send(p, request("2", "resources/list", NULL));
	check_error(proc_line(p), "2", -32603);
	proc_send(p, request("1", "prompts/list", NULL));
	check_text("the last list", proc_line(p), PROMPTS(""));
	proc_close_in(p);
	check_status(p, 0);
	check_text("the end", proc_line(p), "(no line)");
}

/* ---- calls of them, and of any method -------------------------------- */

static const char judging[] =
	"{\"version\":\"1\",\"default\":\"allow\",\"hide\":[\"remove\"],"
	"\"prompts\":{\"greet\":{},\"hid*\":{\"action\":\"hide\"},\"no\":{"
	"\"action\":\"deny\",\"reason\":\"no \\\"prompt\\\"\"},\"few\":{"
	"\"rate_limit\":\"2/hour\"},\"long\":{\"deny_if\":[{\"path\":"
	"\"args.text\",\"op\":\"regex\",\"value\":\"^x{3,}$\",\"on_deny\":"
	"\"too many\"}]}},"
	"\"resources\":{\"secret://*\":{\"action\":\"hide\"},\"file:///etc/*\":"
	"{\"action\":\"deny\",\"reason\":\"not /etc\"},\"once://a\":{"
	"\"limits\":[{\"max\":1,\"window\":\"day\",\"on_deny\":\"once\"}]},"
	"\"db://*\":{\"require\":[{\"path\":\"args.uri\",\"op\":\"glob\","
	"\"value\":\"db://public/*\",\"on_deny\":\"public\"}]}},"
	"\"methods\":{\"tasks/cancel\":{\"action\":\"deny\",\"reason\":"
	"\"tasks end by themselves\"},\"logging/*\":{\"action\":\"hide\"},"
	"\"resources/read\":{\"limits\":[{\"max\":3,\"window\":\"day\"}]},"
	"\"subscriptions/listen\":{\"limits\":[{\"max\":2,\"window\":\"hour\"}]"
	"},\"completion/*\":{\"deny_if\":[{\"path\":\"args.ref.name\",\"op\":"
	"\"eq\",\"value\":\"no\"}]},\"notifications/cancelled\":{\"action\":"
	"\"deny\"}}}";

/* One after another. */
static const struct call_row {
	const char *method, *params;
	const char *rule; /* NULL: passes; "": hidden, without a rule */
	const char *says; /* what the message begins with */
	int code;
} call_rows[] = {
	{"prompts/get", "{\"name\":\"greet\"}", NULL, NULL, 0},
	{"prompts/get", "{\"name\":\"other\",\"arguments\":{}}", NULL, NULL, 0},
	{"prompts/get", "{\"name\":\"hidden\"}", "", "Unknown prompt: hidden",
	 -32602},
	{"prompts/get", "{\"name\":\"H\\u0049D\"}", "", "Unknown prompt: HID",
	 -32602},
	{"prompts/get", "{\"name\":\"no\"}", "/prompts/no/action",
	 "Denied by policy: no \"prompt\"", -32602},
	{"prompts/get", "{\"name\":\"No\"}", "/prompts/no/action",
	 "Denied by policy: no \"prompt\"", -32602},
	{"prompts/get", "{\"name\":\"few\"}", NULL, NULL, 0},
	{"prompts/get", "{\"name\":\"few\",\"arguments\":{}}", NULL, NULL, 0},
	{"prompts/get", "{\"name\":\"few\"}", "/prompts/few/rate_limit",
	 "Denied by policy: at most 2 calls an hour; try again in ", -32602},
	{"prompts/get", "{\"name\":\"long\",\"arguments\":{\"text\":\"xx\"}}",
	 NULL, NULL, 0},
	{"prompts/get", "{\"name\":\"long\",\"arguments\":{\"text\":\"xxxx\"}}",
	 "/prompts/long/deny_if/0", "Denied by policy: too many", -32602},
	{"prompts/get", "{\"name\":\"long\",\"arguments\":{\"text\":7}}",
	 "/prompts/long/deny_if/0", "Denied by policy: too many", -32602},

	{"resources/read", "{\"uri\":\"file:///motd\"}", NULL, NULL, 0},
	{"resources/read", "{\"uri\":\"secret://\\u0061\"}", "",
	 "Resource not found: secret://a", -32602},
	{"resources/read", "{\"uri\":\"SECRET://a\"}", "",
	 "Resource not found: SECRET://a", -32602},
	{"resources/read", "{\"uri\":\"file:///etc/passwd\"}",
	 "/resources/file:~1~1~1etc~1*/action", "Denied by policy: not /etc",
	 -32602},
	{"resources/read", "{\"uri\":\"once://a\"}", NULL, NULL, 0},
	{"resources/read", "{\"uri\":\"once://a\"}",
	 "/resources/once:~1~1a/limits/0",
	 "Denied by policy: once; try again in ", -32602},
	{"resources/read", "{\"uri\":\"db://public/x\"}", NULL, NULL, 0},
	{"resources/read", "{\"uri\":\"db://x\"}",
	 "/resources/db:~1~1*/require/0", "Denied by policy: public", -32602},

	{"resources/read", "{\"uri\":\"file:///motd\"}",
	 "/methods/resources~1read/limits/0",
	 "Denied by policy: at most 3 calls a day; try again in ", -32602},

	{"tasks/get", "{\"taskId\":\"1\"}", NULL, NULL, 0},
	{"tasks/cancel", "{\"taskId\":\"1\"}", "/methods/tasks~1cancel/action",
	 "Denied by policy: tasks end by themselves", -32602},
	{"tasks\\/cance\\u006c", NULL, "/methods/tasks~1cancel/action",
	 "Denied by policy: tasks end by themselves", -32602},
	{"Tasks/Cancel", NULL, "/methods/tasks~1cancel/action",
	 "Denied by policy: tasks end by themselves", -32602},
	{"logging/setLevel", "{\"level\":\"info\"}", "",
	 "Method not found: logging/setLevel", -32601},
	{"subscriptions/listen", "{}", NULL, NULL, 0},
	{"subscriptions/listen", NULL, NULL, NULL, 0},
	{"subscriptions/listen", "{}",
	 "/methods/subscriptions~1listen/limits/0",
	 "Denied by policy: at most 2 calls an hour; try again in ", -32602},
	{"completion/complete", "{\"ref\":{\"name\":\"a\"}}", NULL, NULL, 0},
	{"completion/complete", "{\"ref\":{\"name\":\"no\"}}",
	 "/methods/completion~1*/deny_if/0", "Denied by policy: ", -32602},
	{"tools/call", "{\"name\":\"remove\"}", "", "Unknown tool: remove",
	 -32602},
	{"tools/call", "{\"name\":\"no\"}", NULL, NULL, 0},
	{"tools/list", NULL, NULL, NULL, 0},
	{"tools/list", "null", NULL, NULL, 0},
	{"ping", NULL, NULL, NULL, 0},
};

static void check_call(const char *line, const struct call_row *row)
{
	const char *message;

	check_error(line, "\"i\\u0064\"", row->code);
	message = field(line, "error.message");
	check(strncmp(message, row->says, strlen(row->says)) == 0,
	      "\"%s\" was expected: %s", row->says, line);
	check_field(line, "error.data.weir/rule",
		    *row->rule ? row->rule : NULL);
	check(!strstr(row->says, "; try") ==
		      !field(line, "error.data.weir/retryAfterMs"),
	      "a time to wait, if and only if it is limited: %s", line);
}

static void calls(void **state)
{
	const char *record = path("record");
	struct proc *p = proc_start(WORDS(weir, "-p", file("policy", judging),
					  "--", server, "--record", record));
	struct bytes passed = {.ptr = NULL};

	(void)state;
	for (size_t i = 0; i < COUNT(call_rows); i++) {
		const struct call_row *row = &call_rows[i];
		const char *line =
			request("\"i\\u0064\"", row->method, row->params);

		in_case(line);
		proc_send(p, line);
		if (row->rule)
			check_call(proc_line(p), row);
		else
			check(!from_weir(proc_line(p)), "should pass");
		if (!row->rule)
			append_text(&passed, line);
	}
	proc_close_in(p);
	check_status(p, 0);
	check_text("what the server got", content(record).ptr, passed.ptr);
	check_text("stderr", p->told.ptr, "");
}

/* No answer, and not one byte of it for the server. */
static void denied_notifications(void **state)
{
	static const struct {
		const char *line;
		bool passes;
	} sent[] = {
		{"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
		 "\"params\":{\"requestId\":1}}\n",
		 false},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"Notifications/cancelled\"}"
		 "\r\n",
		 false},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"tasks/cancel\"}\n", false},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"logging/setLevel\"}\n",
		 false},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"prompts/get\",\"params\":{"
		 "\"name\":\"greet\"}}\n",
		 false},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"resources/read\","
		 "\"params\":{\"uri\":\"a\"}}\n",
		 false},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}"
		 "\n",
		 true},
	};
	const char *record = path("record");
	struct proc *p = proc_start(WORDS(weir, "-p", file("policy", judging),
					  "--", server, "--record", record));
	struct bytes passed = {.ptr = NULL};
	int refused = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(sent); i++) {
		in_case(sent[i].line);
		proc_send(p, sent[i].line);
		ping(p, "1"); /* and nothing before its answer */
		if (sent[i].passes)
			append_text(&passed, sent[i].line);
		refused += !sent[i].passes;
		append_text(&passed, request("1", "ping", NULL));
	}
	proc_close_in(p);
	check_status(p, 0);
	check_text("what the server got", content(record).ptr, passed.ptr);
	check_equal(weir_lines(p->told.ptr), refused);
}

int run_layers(void)
{
	const struct CMUnitTest tests[] = {
		TEST(seeds_over_a_base),
		TEST(strictest_default),
		TEST(any_order),
		TEST(printed_policy),
		TEST(faults_name_their_file),
		TEST(check_names_files),
		TEST(check_sections),
		TEST(check_tools),
		TEST(check_unused),
		TEST(lists),
		TEST(ids_reused),
		TEST(lists_end_the_waiting),
		TEST(withheld_for_what_is_due),
		TEST(calls),
		TEST(denied_notifications),
	};

	return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
