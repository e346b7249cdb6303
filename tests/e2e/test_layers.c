/*
 * Policies laid over one another, and the sections of a policy besides tools:
 * prompts, resources, methods.
 */
#include "answers.h"
#include "fields.h"

/* ---- their files ----------------------------------------------------- */

static const char good[] = "'default':'deny','tools':{'echo':{}}";

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

TEST(faults_name_their_file)
{
	policy_file("good", good);
	policy_file("bad", "\n'default':'maybe'");
	policy_file("worse",
		    "'default':'deny',\n'tools':{\n'a':{'actoin':'deny'}}");
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct how how = {
			.env = WORDS(text("WEIR_POLICY=%s",
					  in_directory(faults[i].policies)))};
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
			check_has(p->told.ptr, faults[i].says[s]);
		p = proc_start_how(WORDS(weir, "explain", "echo"), &how);
		check_status(p, 2);
		check_equal(weir_lines(p->told.ptr), faults[i].lines);
	}
}

/* check says all of them on stdout. */
TEST(check_names_files)
{
	const char *bad = policy_file("bad", "\n'default':7");
	struct proc *p =
		proc_run(WORDS(weir, "check", bad, policy_file("good", good),
			       path("none"), bad),
			 "");

	check_status(p, 2);
	check_has(p->said.ptr, text("%s:2:11: /default", bad));
	check_has(p->said.ptr, path("none"));
}

/* What becomes of each tool in a server's list, whole or in part. */
TEST(check_tools)
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
	const char *const *files = WORDS(
		policy_file("a",
			    "'default':'deny','tools':{'echo':{},'add':{}}"),
		policy_file("b", "'default':'deny','hide':['remove'],"
				 "'tools':{'add':{'action':'deny'}}"));

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
			check_has(line, says[t][1]);
		}
	}
}

/* An entry for a tool that is not in the list. */
TEST(check_unused)
{
	const char *list = file("list", "[{\"name\":\"a\"},{\"name\":\"b1\"}]");
	const char *used =
		policy_file("used", "'default':'deny','tools':{'a':{},"
				    "'b?':{}}");
	const char *unused =
		policy_file("unused", "'default':'deny','tools':{'a':{},"
				      "\n'b':{},'b1':{}}");
	struct proc *p = proc_run(
		WORDS(weir, "check", "--strict", "--tools", list, used), "");

	check_status(p, 0);
	p = proc_run(WORDS(weir, "check", "--strict", "--tools", list, unused),
		     "");
	check_status(p, 1);
	check_has(p->said.ptr, text("warning: %s:2:", unused));
}

/* ---- lists of prompts and resources ---------------------------------- */

static const char hiding[] =
	"'default':'allow','prompts':{'hid':{'action':'hide'},"
	"'bad_*':{'action':'hide'},'no':{'action':'deny'}},"
	"'resources':{'file:///hid':{'action':'hide'},"
	"'secret://*':{'action':'hide'},'no://*':{'action':'deny'}}";

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
	{"prompts/list", PROMPTS(N("a") "," N("hid") "," N("b")),
	 PROMPTS(N("a") "," N("b"))},
	{"prompts/list", PROMPTS(N("HID") "," N("h\\u0069d") "," N("a")),
	 PROMPTS(N("a"))},
	{"prompts/list",
	 RPC " \"nextCursor\" : \"hid\",\t\"prompts\" : [ " N("hid") " , " N(
		 "a") " ], \"ttlMs\" : 1.0e1 }}\r\n",
	 RPC " \"nextCursor\" : \"hid\",\t\"prompts\" : [ " N(
		 "a") " ], \"ttlMs\" : 1.0e1 }}\r\n"},
	{"prompts/list", RPC "\"prompts\":[],\"prompts\":[]}}\n", NULL},
	{"resources/list",
	 RESOURCES(U("a") "," U("secret://") "," U("secret://x/y?z")),
	 RESOURCES(U("a"))},
	{"resources/list",
	 RESOURCES(U("file:\\/\\/\\/hid") "," U("Secret://\xc3\xa9") "," U("")),
	 RESOURCES(U(""))},
	{"resources/list", RESOURCES("") "\n", SAME},
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

TEST(lists)
{
	const char *policy = policy_of(hiding);

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
	"'prompts':{'hid':{'action':'hide'}},'resources':{'hid':{'action':'hide'}}",
	"'prompts':{}",
};

TEST(ids_reused)
{
	for (size_t i = 0; i < COUNT(reused) * COUNT(where); i++) {
		const struct reused *row = &reused[i / COUNT(where)];
		const char *seen = row->seen, *sent = row->sent, *line;
		struct bytes asked = {.ptr = NULL};
		struct proc *p;
		bool all = i % COUNT(where) == 0;

		in_case(row->sent);
		for (int m = 0; m < 4 && row->asked[m]; m++)
			append_text(&asked, request("1", row->asked[m], NULL));
		p = proc_run(BEHIND(text("'default':'allow','hide':['hid'],%s",
					 where[i % COUNT(where)]),
				    "--reply", file("reply", sent)),
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
TEST(lists_end_the_waiting)
{
	static const struct {
		const char *method, *list;
	} cases[] = {
		{"prompts/list", PROMPTS(N("a"))},
		{"resources/list", RESOURCES(U("a"))},
		{"resources/templates/list", TEMPLATES(T("a"))},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct proc *p = proc_start(
			WEIR(hiding, "--", "sh", "-c",
			     "read a; cat \"$0\"; printf half; read b; echo",
			     file("reply", cases[i].list)));

		in_case(cases[i].method);
		check_answer(p, request("1", cases[i].method, NULL),
			     cases[i].list);
		proc_more(p, strlen("half"));
		check_answer(p, request("2", "ping", NULL), "half\n");
	}
}

/* What is withheld may be the answer to any list that is due, but to none that
 * has come. */
TEST(withheld_for_what_is_due)
{
	const char *reply = file("reply", TOOLS(N("hid")) "[" RESOURCES("")
						  PROMPTS(N("hid")));
	struct proc *p = proc_start(BEHIND(hiding, "--reply", reply));

	check_answer(p, request("1", "tools/list", NULL), TOOLS(N("hid")));
	check_error(proc_ask(p, request("2", "resources/list", NULL)), "2",
		    -32603);
	check_answer(p, request("1", "prompts/list", NULL), PROMPTS(""));
	check_end(p, 0);
	check_text("the end", proc_line(p), "(no line)");
}

/* ---- calls of them, and of any method -------------------------------- */

static const char judging[] =
	"'default':'allow','hide':['remove'],'prompts':{'greet':{},"
	"'hid*':{'action':'hide'},'no':{'action':'deny',"
	"'reason':'no \\'prompt\\''},'few':{'rate_limit':'2/hour'},"
	"'long':{'deny_if':[{'path':'args.text','op':'regex',"
	"'value':'^x{3,}$','on_deny':'too many'}]}},"
	"'resources':{'secret://*':{'action':'hide'},"
	"'file:///etc/*':{'action':'deny','reason':'not /etc'},"
	"'once://a':{'limits':[{'max':1,'window':'day',"
	"'on_deny':'once'}]},'db://*':{'require':[{'path':'args.uri',"
	"'op':'contains','value':'/public/','on_deny':'public'}]}},"
	"'methods':{'tasks/cancel':{'action':'deny',"
	"'reason':'tasks end by themselves'},'logging/*':{'action':"
	"'hide'},'resources/read':{'limits':[{'max':3,"
	"'window':'day'}]},'subscriptions/listen':{'limits':[{'max':1,"
	"'window':'hour'}]},'completion/*':{'deny_if':[{'path':"
	"'args.ref.name','op':'eq','value':'off'}]},"
	"'notifications/cancelled':{'action':'deny'}}";

/* One after another. */
static const struct call_row {
	const char *method, *params;
	const char *rule; /* NULL: passes; "": hidden, without a rule */
	const char *says; /* what the message begins with */
	int code;
} call_rows[] = {
	{"prompts/get", "{'name':'greet'}", NULL, NULL, 0},
	{"prompts/get", "{'name':'hidden'}", "", "Unknown prompt: hidden",
	 -32602},
	{"prompts/get", "{'name':'no'}", "/prompts/no/action",
	 "Denied by policy: no \"prompt\"", -32602},
	{"prompts/get", "{'name':'few'}", NULL, NULL, 0},
	{"prompts/get", "{'name':'few','arguments':{}}", NULL, NULL, 0},
	{"prompts/get", "{'name':'few'}", "/prompts/few/rate_limit",
	 "Denied by policy: at most 2 calls an hour; try again in ", -32602},
	{"prompts/get", "{'name':'long','arguments':{'text':'xx'}}", NULL, NULL,
	 0},
	{"prompts/get", "{'name':'long','arguments':{'text':'xxxx'}}",
	 "/prompts/long/deny_if/0", "Denied by policy: too many", -32602},

	{"resources/read", "{'uri':'file:///motd'}", NULL, NULL, 0},
	{"resources/read", "{'uri':'secret://\\u0061'}", "",
	 "Resource not found: secret://a", -32602},
	{"resources/read", "{'uri':'file:///etc/passwd'}",
	 "/resources/file:~1~1~1etc~1*/action", "Denied by policy: not /etc",
	 -32602},
	{"resources/read", "{'uri':'once://a'}", NULL, NULL, 0},
	{"resources/read", "{'uri':'once://a'}",
	 "/resources/once:~1~1a/limits/0",
	 "Denied by policy: once; try again in ", -32602},
	{"resources/read", "{'uri':'db://public/x'}", NULL, NULL, 0},
	{"resources/read", "{'uri':'db://x'}", "/resources/db:~1~1*/require/0",
	 "Denied by policy: public", -32602},

	{"resources/read", "{'uri':'file:///motd'}",
	 "/methods/resources~1read/limits/0",
	 "Denied by policy: at most 3 calls a day; try again in ", -32602},

	{"tasks/get", "{'taskId':'1'}", NULL, NULL, 0},
	{"tasks/cancel", "{'taskId':'1'}", "/methods/tasks~1cancel/action",
	 "Denied by policy: tasks end by themselves", -32602},
	{"tasks\\/cance\\u006c", NULL, "/methods/tasks~1cancel/action",
	 "Denied by policy: tasks end by themselves", -32602},
	{"logging/setLevel", "{'level':'info'}", "",
	 "Method not found: logging/setLevel", -32601},
	{"subscriptions/listen", "{}", NULL, NULL, 0},
	{"subscriptions/listen", "{}",
	 "/methods/subscriptions~1listen/limits/0",
	 "Denied by policy: at most 1 call an hour; try again in ", -32602},
	{"completion/complete", "{'ref':{'name':'a'}}", NULL, NULL, 0},
	{"completion/complete", "{'ref':{'name':'off'}}",
	 "/methods/completion~1*/deny_if/0", "Denied by policy: ", -32602},
	{"completion/complete", "{'ref':{'name':'no'}}", "/prompts/no/action",
	 "Denied by policy: no \"prompt\"", -32602},
	{"completion/complete", "{'ref':{'name':'hidden'}}", "",
	 "Unknown prompt: hidden", -32602},
	{"completion/complete", "{'ref':{'uri':'secret://{x}'}}", "",
	 "Resource not found: secret://{x}", -32602},
	{"resources/subscribe", "{'uri':'secret://a'}", "",
	 "Resource not found: secret://a", -32602},
	{"resources/unsubscribe", "{'uri':'secret://a'}", NULL, NULL, 0},
	{"subscriptions/listen",
	 "{'notifications':{'resourceSubscriptions':['once://a','secret://b']}}",
	 "", "Resource not found: secret://b", -32602},
	{"tools/call", "{'name':'remove'}", "", "Unknown tool: remove", -32602},
	{"tools/list", NULL, NULL, NULL, 0},
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

TEST(calls)
{
	struct proc *p = proc_start(RECORDED(judging));
	struct bytes passed = {.ptr = NULL};

	for (size_t i = 0; i < COUNT(call_rows); i++) {
		const struct call_row *row = &call_rows[i];
		const char *line =
			request("\"i\\u0064\"", row->method, json(row->params));

		in_case(line);
		proc_send(p, line);
		if (row->rule)
			check_call(proc_line(p), row);
		else
			check(!from_weir(proc_line(p)), "should pass");
		if (!row->rule)
			append_text(&passed, line);
	}
	check_end(p, 0);
	check_got(passed.ptr);
	check_text("stderr", p->told.ptr, "");
}

/* No answer, and not one byte of it for the server. */
TEST(denied_notifications)
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
	struct proc *p = proc_start(RECORDED(judging));
	struct bytes passed = {.ptr = NULL};
	int refused = 0;

	for (size_t i = 0; i < COUNT(sent); i++) {
		in_case(sent[i].line);
		proc_send(p, sent[i].line);
		ping(p, "1"); /* and nothing before its answer */
		if (sent[i].passes)
			append_text(&passed, sent[i].line);
		refused += !sent[i].passes;
		append_text(&passed, request("1", "ping", NULL));
	}
	check_end(p, 0);
	check_got(passed.ptr);
	check_equal(weir_lines(p->told.ptr), refused);
}
