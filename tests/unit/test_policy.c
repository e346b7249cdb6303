/* Policy files, and the verdicts that they give. */
#include "unit.h"

#include <stdlib.h>

#include "../../policies/internal.h"
#include "../now.h"

struct said {
	char text[8192];
	size_t len;
	int lines;
};

static void listen(void *context, const char *line)
{
	struct said *s = context;
	int more = snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s\n",
			    line);

	s->len += (size_t)more;
	assert_true(s->len < sizeof(s->text));
	s->lines++;
}

static struct policy *compile(const char *text, struct said *said)
{
	memset(said, 0, sizeof(*said));
	return COMPILE(text, listen, said);
}

/* ---- files that do not load ------------------------------------------ */

#define HEAD         "{\"version\":\"1\",\"default\":\"deny\","
#define TOOL(rules)  HEAD "\"tools\":{\"t\":" rules "}}"
#define LIMIT(limit) TOOL("{\"limits\":[" limit "]}")
#define SUM(max)                                                               \
	LIMIT("{\"increment_from\":\"args.a\",\"max\":" max ",\"window\":1}")

/* A file, and a part of each line that is said; in their order. */
static const struct {
	const char *text;
	const char *said[4];
} faults[] = {
	{"", {"p.json:1:1: a value was expected"}},
	{"[]", {"a policy", "an array"}},
	{"{\n \"version\": \"1\",\n}", {"p.json:3:1: a string"}},
	{HEAD "}", {"string was expected"}},
	{"{\"version\":\"1\",\"default\":\"deny\"}}", {"more than one value"}},
	{"{\"version\":\"1\",\"default\":\"deny\"} // x", {"more than one"}},
	{"\xEF\xBB\xBF{}", {"value was expected"}},
	{"{\"version\":\"1\",\"default\":\"\xC3\"}", {"not UTF-8"}},
	{HEAD "\"description\":\"\\ud800\"}", {"unpaired surrogate"}},
	{HEAD "\"hide\":[\"a\\u0000b\"]}", {"u0000"}},
	{HEAD "\"description\":12345678901234567890.5}",
	 {"json-parser cannot"}},
	{HEAD "\"hide\":[\"\\ud840\\udc00\"]}", {"past U+1FFFF"}},
	{HEAD "\"tools\":{\"__proto__\":{}}}", {"__proto__"}},
	{"{\"default\":\"deny\"}", {"\"version\" is missing"}},
	{"{\"version\":\"1\"}", {"\"default\" is missing"}},
	{"{}", {"\"version\" is missing", "\"default\" is missing"}},
	{"{\"version\":1,\"default\":\"deny\"}",
	 {"/version: the string \"1\""}},
	{"{\"version\":\"2\",\"default\":\"deny\"}", {"/version: the string"}},
	{"{\"version\":\"1\",\"default\":\"block\"}",
	 {"/default: unknown default \"block\" (allowed: allow, deny, hide)"}},
	{"{\"version\":\"1\",\"default\":true}",
	 {"/default: ", "true or false"}},
	{"{\"version\":\"1\",\"defualt\":\"deny\"}",
	 {"unknown key \"defualt\": did you mean \"default\"?",
	  "\"default\" is missing"}},
	{HEAD "\"version\":\"1\"}", {"/version: this key is there twice"}},
	{HEAD "\"ve\\u0072sion\":\"1\"}",
	 {"/version: this key is there twice"}},
	{HEAD "\"hide\":\"a\"}", {"/hide: an array of names", "a string"}},
	{HEAD "\"hide\":[1]}", {"/hide/0: a tool's name", "a number"}},
	{HEAD "\"hide\":[\"a\",\"\"]}", {"/hide/1: a name has 1 to"}},
	{HEAD "\"tools\":[]}", {"/tools: an object of names", "an array"}},
	{HEAD "\"tools\":{\"\":{}}}", {"/tools/: a name has 1 to"}},
	{HEAD "\"tools\":{\"a\":{},\"a\":{}}}",
	 {"/tools/a: this name is there"}},
	{HEAD "\"tools\":{\"a\":{},\"\\u0061\":{}}}", {"there twice"}},
	{HEAD "\"tools\":{\"a*\":{},\"a*\":{}}}", {"/tools/a*: this name is"}},
	{HEAD "\"tools\":{\"a/b~c\":3}}",
	 {"/tools/a~1b~0c: an object of rules"}},
	{TOOL("null"), {"/tools/t: an object of rules", "null"}},
	{TOOL("{\"limts\":[]}"), {"did you mean \"limits\"?"}},
	{TOOL("{\"x\\n\\u001b[2J\":1}"), {"unknown key \"x\\n\\u001b[2J\""}},
	{TOOL("{\"action\":\"alow\"}"), {"did you mean \"allow\"?"}},
	{TOOL("{\"action\":1}"), {"/tools/t/action: allow, deny or hide"}},
	{TOOL("{\"action\":\"require_approval\"}"), {"does not have"}},
	{TOOL("{\"reason\":1}"), {"/tools/t/reason: a string"}},
	{TOOL("{\"limits\":{}}"), {"/tools/t/limits: an array of limits"}},
	{LIMIT("1"), {"/tools/t/limits/0: an object with max"}},
	{LIMIT("{}"), {"\"max\" is missing", "\"window\" is missing"}},
	{LIMIT("{\"window\":\"minute\"}"), {"/tools/t/limits/0: \"max\" is"}},
	{LIMIT("{\"max\":1}"), {"\"window\" is missing"}},
	{LIMIT("{\"max\":\"1\",\"window\":1}"), {"/max: a whole", "a string"}},
	{LIMIT("{\"max\":-1,\"window\":1}"),
	 {"/max: a whole number", "not -1"}},
	{LIMIT("{\"max\":1.5,\"window\":1}"), {"/max: a whole", "not 1.5"}},
	{LIMIT("{\"max\":1000001,\"window\":1}"), {"not 1000001"}},
	{LIMIT("{\"max\":18446744073709551626,\"window\":1}"),
	 {"/max: a whole"}},
	{LIMIT("{\"max\":1,\"window\":0}"), {"/window: a whole", "not 0"}},
	{LIMIT("{\"max\":1,\"window\":1e2}"), {"/window: a whole"}},
	{LIMIT("{\"max\":1,\"window\":31622401}"), {"/window: a whole"}},
	{LIMIT("{\"max\":1,\"window\":\"minut\"}"),
	 {"did you mean \"minute\"?"}},
	{LIMIT("{\"max\":1,\"window\":1,\"scope\":\"user\"}"),
	 {"unknown scope"}},
	{LIMIT("{\"max\":1,\"window\":1,\"counter\":\"\"}"), {"name is empty"}},
	{LIMIT("{\"max\":1,\"window\":1,\"max\":2}"), {"/max: this key is"}},
	{LIMIT("{\"max\":1,\"window\":1,\"increment_from\":\"a\"}"),
	 {"/increment_from: \"a\" is no path"}},
	{LIMIT("{\"window\":1,\"increment_from\":\"args.a\"}"),
	 {"\"max\" is missing"}},
	{LIMIT("{\"max\":1,\"window\":1,\"increment_from\":1}"),
	 {"/increment_from: ", "a number"}},
	{LIMIT("{\"max\":1,\"window\":1,\"increment_from\":\"args\"}"),
	 {"/increment_from: args is no number: name one in it"}},
	{LIMIT("{\"max\":1,\"window\":1,\"increment_from\":\"args[*]\"}"),
	 {"/increment_from: an amount is one number"}},
	{LIMIT("{\"max\":1,\"window\":1,\"increment_from\":\"args.a[*].b\"}"),
	 {"/increment_from: an amount is one number"}},
	{SUM("0.0000001"),
	 {"/max: a number from 0 to 1000000000000 was", "at most 6 digits",
	  "not 0.0000001"}},
	{SUM("-0.5"), {"/max: a number from 0", "not -0.5"}},
	{SUM("1000000000000.1"), {"/max: a number from 0 to 1000000000000"}},
	{SUM("1e13"), {"/max: a number from 0 to 1000000000000"}},
	{SUM("1e400"), {"/max: a number", "not 1e400"}},
	{SUM("1e100000000000000000000"), {"/max: a number"}},
	{SUM("\"1\""), {"/max: a number", "not a string"}},
	{SUM("null"), {"/max: a number", "not null"}},
	{LIMIT("{\"max\":1,\"window\":1,\"on_deny\":[]}"),
	 {"/on_deny: a string"}},
	{LIMIT("{\"max\":1,\"window\":1,\"x\":1}"),
	 {"unknown key \"x\" (allowed: max"}},
	{LIMIT("{\"max\":1,\"window\":1,\"scope\":1}"), {"/scope: "}},
	{LIMIT("{\"max\":1,\"window\":1,\"counter\":1}"), {"/counter: "}},
	{TOOL("{\"a key of more than sixty-four bytes, the last of which is in a "
	      "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\":1}"),
	 {"unknown key \"a key of more", "...\" (allowed"}},
	{"{\"t\":{\"limits\":[]},\"x\":1}", {"unknown key \"t\""}},
	{TOOL("{\"rate_limit\":\"10x\"}"), {"is no rate"}},
	{TOOL("{\"rate_limit\":\"x\"}"), {"is no rate"}},
	{TOOL("{\"rate_limit\":10}"), {"/tools/t/rate_limit: {\"max\": 10"}},
	{TOOL("{\"rate_limit\":\"10\"}"), {"\"10\" is no rate"}},
	{TOOL("{\"rate_limit\":\"/minute\"}"), {"is no rate"}},
	{TOOL("{\"rate_limit\":\"10/minutes\"}"), {"is no rate"}},
	{TOOL("{\"rate_limit\":\"-1/minute\"}"), {"is no rate"}},
	{TOOL("{\"rate_limit\":\"1000001/minute\"}"), {"is no rate"}},
	{TOOL("{\"rate_limit\":\"99999999999999999999/minute\"}"), {"no rate"}},
	{TOOL("{\"rate_limit\":{\"max\":1}}"), {"/rate_limit: \"window\""}},
	{TOOL("{\"rate_limit\":{\"max\":1,\"window\":1,\"scope\":\"grant\"}}"),
	 {"unknown key \"scope\""}},
	/* The line of each fault, also of one that stands before another. */
	{"{\n\"version\":\"1\",\n\"default\":\"deny\",\n\"tools\":{\"t\":{"
	 "\"limits\":[{\n\"window\":\n\"minut\"}]}}}",
	 {"p.json:6:1: ", "p.json:4:25: /tools/t/limits/0: \"max\""}},
	/* What the catalogue also prints: a tool's rules alone. */
	{"{\"t\":{\"limits\":[]}}", {"put \"t\" in the place of ... in {\"v"}},
	{"\"tools\": {\"t\":{}}",
	 {"more than one value; a policy is {\"version"}},
	{"{\"tools\":{}}",
	 {"\"version\" is missing: a policy is {", "\"default\""}},
};

static void faults_are_told(void **state)
{
	struct said said;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		const char *at = said.text;

		row_true(faults[i].text, !compile(faults[i].text, &said));
		row_true(faults[i].text, strncmp(said.text, "p.json:", 7) == 0);
		for (int j = 0; j < 4 && faults[i].said[j]; j++) {
			at = strstr(at, faults[i].said[j]);
			if (!at)
				print_error("said: %s", said.text);
			row_true(faults[i].text, at);
		}
		/* One line for each fault, and nothing raw from the file. */
		for (const char *p = said.text; *p; p++)
			row_true(faults[i].text,
				 *p == '\n' || (unsigned char)*p >= ' ');
	}
}

static void long_things_are_refused(void **state)
{
	char text[8192], long_name[1100], reason[5000];
	struct said said;

	(void)state;
	memset(long_name, 'n', 1025);
	long_name[1025] = '\0';
	snprintf(text, sizeof(text), HEAD "\"hide\":[\"%s\"]}", long_name);
	assert_null(compile(text, &said));
	long_name[1024] = '\0';
	snprintf(text, sizeof(text), HEAD "\"hide\":[\"%s\"]}", long_name);
	policy_free(compile(text, &said));
	assert_int_equal(said.lines, 0);
	memset(reason, 'r', 4097);
	reason[4097] = '\0';
	snprintf(text, sizeof(text), TOOL("{\"reason\":\"%s\"}"), reason);
	assert_null(compile(text, &said));
	assert_non_null(strstr(said.text, "longer than 4096 bytes"));
}

/* Of a call, no more are counted than those of one entry may be. */
static void many_limits_are_refused(void **state)
{
	char text[8192];
	struct said said;

	(void)state;
	for (int count = 63; count < 65; count++) {
		size_t len = (size_t)sprintf(
			text, HEAD "\"tools\":{\"t\":{\"rate_limit\":\"1/day\","
				   "\"limits\":[");
		struct policy *p;

		for (int i = 0; i < count; i++)
			len += (size_t)sprintf(
				text + len,
				"%s{\"counter\":\"c%d\",\"max\":1,"
				"\"window\":1}",
				i > 0 ? "," : "", i);
		strcpy(text + len, "]}}}");
		p = compile(text, &said);
		assert_int_equal(!p, count == 64);
		if (count == 64)
			assert_non_null(strstr(said.text, "at most 64 limits"));
		policy_free(p);
	}
}

static void missing_files_are_told(void **state)
{
	const char *none = "/nonexistent/p.json", *root = "/",
		   *zero = "/dev/zero";
	struct said said = {.len = 0};

	(void)state;
	assert_null(policy_load(&none, 1, listen, &said));
	assert_string_equal(said.text,
			    "/nonexistent/p.json: No such file or directory\n");
	assert_null(policy_load(&root, 1, listen, &said));
	assert_int_equal(said.lines, 2);
	/* One that has no end is longer than any may be. */
	assert_null(policy_load(&zero, 1, listen, &said));
	assert_non_null(strstr(said.text, "/dev/zero: File too large"));
}

/* ---- warnings -------------------------------------------------------- */

static const struct {
	const char *text;
	int warnings;
	bool hides;
} sound[] = {
	{"{\"version\":\"1\",\"default\":\"allow\"}", 0, false},
	{"{\"version\":\"1\",\"default\":\"deny\"}", 1, false},
	{"{\"version\":\"1\",\"default\":\"hide\"}", 1, true},
	{HEAD "\"hide\":[\"a\"]}", 1, true},
	{HEAD "\"hide\":[]}", 1, false},
	{HEAD "\"tools\":{\"a\":{\"action\":\"deny\"}}}", 1, false},
	{HEAD "\"tools\":{\"a\":{\"action\":\"hide\"}}}", 1, true},
	{HEAD "\"tools\":{\"a\":{}}}", 0, false},
	{HEAD "\"hide\":[\"a\\/\xF0\xA0\x80\x80\"]}", 1, true},
	{"\r\n\t" HEAD "\r\n\"description\":\"\xE2\x82\xAC\"}\r\n", 1, false},
};

static void warns_when_nothing_is_allowed(void **state)
{
	struct said said;

	(void)state;
	for (size_t i = 0; i < COUNT(sound); i++) {
		struct policy *p = compile(sound[i].text, &said);

		row_true(sound[i].text, p);
		row_true(sound[i].text,
			 policy_warn(p, listen, &said) == sound[i].warnings);
		row_true(sound[i].text, said.lines == sound[i].warnings);
		row_true(sound[i].text,
			 policy_hides(p, POLICY_TOOLS) == sound[i].hides);
		policy_free(p);
	}
}

/* ---- verdicts -------------------------------------------------------- */

#define CALL(name)                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"  \
	"{\"name\":\"" name "\"}}"
#define NOTIFY(method, params)                                                 \
	"{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}"

static const char some[] =
	"{\"version\":\"1\",\"default\":\"deny\","
	"\"hide\":[\"gone\",\"gone_*\",\"both\",\"caf\xC3\xA9_*\"],"
	"\"tools\":{"
	"\"ok\":{},\"Mixed\":{},\"sp ace\":{},\"caf\xC3\xA9\":{},"
	"\"read_*\":{},\"read_secret\":{\"action\":\"deny\","
	"\"reason\":\"it is \\\"secret\\\"\"},"
	"\"read_gone\":{\"action\":\"hide\"},"
	"\"both\":{},\"no/w~\":{\"action\":\"deny\"}}}";
static const char open[] = "{\"version\":\"1\",\"default\":\"allow\","
			   "\"hide\":[\"gone\"],\"tools\":{\"no\":"
			   "{\"action\":\"deny\"}}}";
static const char shut[] = "{\"version\":\"1\",\"default\":\"hide\","
			   "\"tools\":{\"ok\":{},\"no\":{\"action\":"
			   "\"deny\"}}}";

/* What is said of a tool is said of its other name, but that it is allowed. */
#define ALIAS(name) CALL("__0123456789aB_" name)
#define ALIAS_WITH(name, args)                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"  \
	"{\"name\":\"__0123456789ab_" name "\",\"arguments\":" args "}}"
static const char apps[] =
	HEAD "\"hide\":[\"gone*\"],\"tools\":{\"ok\":{},\"ask\":{\"deny_if\":"
	     "[{\"path\":\"args.a\",\"op\":\"eq\",\"value\":1}],\"rate_limit\":"
	     "\"1/day\"},\"none\":{\"rate_limit\":\"0/day\"},"
	     "\"no\":{\"action\":\"deny\"},"
	     "\"__0123456789ab_ask\":{},\"__0123456789ab_none\":{},"
	     "\"__0123456789ab_no\":{},\"__0123456789ab_gone\":{},"
	     "\"__0123456789ab_app\":{}}}";

static const struct {
	const char *policy, *line;
	enum verdict_kind kind;
	const char *rule;
} verdicts[] = {
	{some, CALL("ok"), VERDICT_PASS},
	{some, CALL("\\u006fk"), VERDICT_PASS},
	{some, CALL("OK"), VERDICT_REFUSED, "(default deny)"},
	{some, CALL("ok "), VERDICT_REFUSED, "(default deny)"},
	{some, CALL("mixed"), VERDICT_REFUSED, "(default deny)"},
	{some, CALL("Mixed"), VERDICT_PASS},
	{some, CALL("sp ace"), VERDICT_PASS},
	{some, CALL("other"), VERDICT_REFUSED, "(default deny)"},
	{some, CALL(""), VERDICT_REFUSED, "(default deny)"},
	{some, CALL("gone"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("GONE"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("\\tgone "), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("g\\u006fne"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("gone_with"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("Gone_With"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("both"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("read_this"), VERDICT_PASS},
	{some, CALL("READ_this"), VERDICT_REFUSED, "(default deny)"},
	{some, CALL("read_secret"), VERDICT_REFUSED,
	 "/tools/read_secret/action"},
	{some, CALL("READ_SECRET"), VERDICT_REFUSED,
	 "/tools/read_secret/action"},
	{some, CALL("read_gone"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("no/w~"), VERDICT_REFUSED, "/tools/no~1w~0/action"},
	{some, CALL("caf\xC3\xA9"), VERDICT_PASS},
	{some, CALL("caf\\u00e9"), VERDICT_PASS},
	{some, CALL("caf\xC3\x89"), VERDICT_MALFORMED, "(malformed)"},
	{some, CALL("caf\xC3\xA9_x"), VERDICT_HIDDEN, "(hidden)"},
	{some, CALL("read_\xC3\xA9"), VERDICT_MALFORMED, "(malformed)"},
	{some, CALL("ok\\u0007"), VERDICT_MALFORMED, "(malformed)"},
	{some, CALL("ok\\u007f"), VERDICT_MALFORMED, "(malformed)"},
	{some, CALL("o\xE2\x84\xAA"), VERDICT_MALFORMED, "(malformed)"},

	{open, CALL("other"), VERDICT_PASS},
	{open, CALL("gone"), VERDICT_HIDDEN, "(hidden)"},
	{open, CALL("no"), VERDICT_REFUSED, "/tools/no/action"},
	{open, CALL("NO"), VERDICT_REFUSED, "/tools/no/action"},
	{open, CALL("nO\\n"), VERDICT_REFUSED, "/tools/no/action"},
	{open, CALL("\xC3\xA9"), VERDICT_MALFORMED, "(malformed)"},

	{open, ALIAS("other"), VERDICT_PASS},
	{open, ALIAS("gone"), VERDICT_HIDDEN, "(hidden)"},
	{open, ALIAS("No"), VERDICT_REFUSED, "/tools/no/action"},
	{apps, ALIAS("ok"), VERDICT_REFUSED, "(default deny)"},
	{apps, ALIAS_WITH("app", "{}"), VERDICT_PASS},
	{apps, ALIAS("app"), VERDICT_REFUSED, "(default deny)"},
	{apps, ALIAS_WITH("gone", "{}"), VERDICT_HIDDEN, "(hidden)"},
	{apps, ALIAS_WITH("gone_x", "{}"), VERDICT_HIDDEN, "(hidden)"},
	{apps, ALIAS_WITH("no", "{}"), VERDICT_REFUSED, "/tools/no/action"},
	{apps, ALIAS_WITH("ask", "{}"), VERDICT_PASS},
	{apps, ALIAS_WITH("ask", "{\"a\":1}"), VERDICT_REFUSED,
	 "/tools/ask/deny_if/0"},
	{apps, ALIAS_WITH("none", "{}"), VERDICT_REFUSED,
	 "/tools/none/rate_limit"},

	/* Escapes in the policy, below and above U+FFFF. */
	{"{\"version\":\"1\",\"default\":\"allow\",\"hide\":"
	 "[\"\\u00e9\\ud83d\\ude00\"]}",
	 CALL("\xC3\xA9\xF0\x9F\x98\x80"), VERDICT_HIDDEN, "(hidden)"},

	{shut, CALL("ok"), VERDICT_PASS},
	{shut, CALL("Ok"), VERDICT_HIDDEN, "(hidden)"},
	{shut, CALL("other"), VERDICT_HIDDEN, "(hidden)"},
	{shut, CALL("no"), VERDICT_REFUSED, "/tools/no/action"},

	{some, NOTIFY("tools/call", "{\"name\":\"ok\"}"), VERDICT_DROPPED,
	 "(malformed)"},
	{open, NOTIFY("prompts/get", "{\"name\":\"p\"}"), VERDICT_DROPPED,
	 "(malformed)"},
	{open, NOTIFY("resources/read", "{\"uri\":\"u\"}"), VERDICT_DROPPED,
	 "(malformed)"},
	{some, NOTIFY("notifications/initialized", "{}"), VERDICT_PASS},
	{some, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}",
	 VERDICT_PASS},
	{some, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"name\":\"x\"}}",
	 VERDICT_PASS},
};

static struct verdict judge(const struct policy *p, struct counters *c,
			    const char *line, int64_t now)
{
	struct message m;
	struct fault f;
	struct verdict v;

	row_true(line, message_read(line, strlen(line), &m, &f));
	now_is = now;
	v = policy_judge(p, c, &m, now_tell);
	if (v.kind == VERDICT_UNWEIGHED)
		v.kind = VERDICT_PASS;
	return v;
}

static void verdicts_name_their_rule(void **state)
{
	struct said said;

	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct policy *p = compile(verdicts[i].policy, &said);
		struct counters *c = COUNTERS(p);
		struct verdict v = judge(p, c, verdicts[i].line, 0);
		const char *rule = verdicts[i].rule ? verdicts[i].rule : "";

		row_true(verdicts[i].line, v.kind == verdicts[i].kind);
		row_true(verdicts[i].line, strcmp(v.location.rule, rule) == 0);
		row_true(verdicts[i].line, v.wait == -1);
		counters_free(c);
		policy_free(p);
	}
}

/* Names of more than 1024 bytes, which only methods and uris can have. */
static void long_names_are_not_weighed(void **state)
{
	static const char *const formats[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\u0061%s\"}",
		("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\","
		 "\"params\":{\"uri\":\"%s\"}}"),
	};
	struct said said;
	struct policy *p = compile(HEAD "\"methods\":{\"x\":{}},\"resources\":"
					"{\"x\":{}}}",
				   &said);
	struct policy *none = compile("{\"version\":\"1\",\"default\":"
				      "\"allow\",\"methods\":{\"x\":{}}}",
				      &said);
	struct counters *c = COUNTERS(p);
	char name[1100], line[2048];
	struct text text = {.ptr = name, .len = 1099};

	(void)state;
	memset(name, 'n', sizeof(name));
	name[1099] = '\0';
	for (size_t i = 0; i < COUNT(formats); i++) {
		snprintf(line, sizeof(line), formats[i], name);
		assert_int_equal(judge(p, c, line, 0).kind, VERDICT_MALFORMED);
	}
	/* Where nothing is weighed, length does not matter. */
	assert_int_equal(judge(none, c, line, 0).kind, VERDICT_PASS);
	assert_int_equal(judge(none, c,
			       "{\"jsonrpc\":\"2.0\",\"id\":1,"
			       "\"method\":\"prompts/get\",\"params\":"
			       "{\"name\":\"p\"}}",
			       0)
				 .kind,
			 VERDICT_PASS);
	assert_false(policy_lists(p, POLICY_RESOURCES, text));
	counters_free(c);
	policy_free(p);
	policy_free(none);
}

/* A tool is listed unless a call of it is answered as unknown. */
static void lists_agree_with_calls(void **state)
{
	struct said said;
	struct text none = {.ptr = NULL};

	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct policy *p = compile(verdicts[i].policy, &said);
		size_t len = strlen(verdicts[i].line);
		struct message m;
		struct fault f;

		message_read(verdicts[i].line, len, &m, &f);
		if (m.method == METHOD_TOOLS_CALL && m.id.ptr)
			row_true(verdicts[i].line,
				 policy_lists(p, POLICY_TOOLS, m.name) ==
					 (verdicts[i].kind != VERDICT_HIDDEN));
		assert_false(policy_lists(p, POLICY_TOOLS, none));
		policy_free(p);
	}
}

static void reasons_are_fit_for_json(void **state)
{
	struct said said;
	struct policy *p = compile(
		TOOL("{\"action\":\"deny\",\"reason\":\"a \\\"b\\\" \\\\ \\n "
		     "\\u0001 \xC3\xA9\"}"),
		&said);
	struct counters *c = COUNTERS(p);
	struct verdict v = judge(p, c, CALL("t"), 0);

	(void)state;
	assert_string_equal(v.reason, "a \\\"b\\\" \\\\ \\n \\u0001 \xC3\xA9");
	counters_free(c);
	policy_free(p);
}

/* ---- limits ---------------------------------------------------------- */

static const struct {
	const char *rules, *reason;
} words[] = {
	{"{\"rate_limit\":\"0/second\"}", "at most 0 calls a second"},
	{"{\"rate_limit\":{\"max\":0,\"window\":60}}",
	 "at most 0 calls a minute"},
	{"{\"rate_limit\":{\"max\":0,\"window\":\"hour\"}}",
	 "at most 0 calls an hour"},
	{"{\"limits\":[{\"max\":0,\"window\":86400}]}",
	 "at most 0 calls a day"},
	{"{\"limits\":[{\"max\":0,\"window\":90}]}",
	 "at most 0 calls in 90 seconds"},
	{"{\"limits\":[{\"max\":0,\"window\":1,\"on_deny\":\"ask Ann\"}]}",
	 "ask Ann"},
	{"{\"limits\":[{\"max\":0,\"window\":1,\"increment_from\":\"/x\\\"\"}]}",
	 "/x\\\" must be one number, and not negative"},
	{"{\"limits\":[{\"max\":0,\"window\":1,\"increment_from\":\"args.a\","
	 "\"on_deny\":\"ask Ann\"}]}",
	 "args.a must be one number, and not negative"},
};

static const struct {
	const char *sum, *reason;
} sum_words[] = {
	{SUM("0"), "at most 0 of args.a a second"},
	{SUM("0.50"), "at most 0.50 of args.a a second"},
	{SUM("1e-6"), "at most 1e-6 of args.a a second"},
	{LIMIT("{\"window\":3600,\"increment_from\":\"/\\\"/a\",\"max\":1}"),
	 "at most 1 of /\\\"/a an hour"},
	{LIMIT("{\"window\":7,\"increment_from\":\"args.a\",\"max\":1}"),
	 "at most 1 of args.a in 7 seconds"},
	{LIMIT("{\"window\":7,\"increment_from\":\"args.a\",\"max\":1,"
	       "\"on_deny\":\"ask Ann\"}"),
	 "ask Ann"},
};

static void sums_have_words(void **state)
{
	static const char line[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"t\",\"arguments\":{\"a\":2,"
		"\"\\\"\":{\"a\":1.000001}}}}";
	struct said said;

	(void)state;
	for (size_t i = 0; i < COUNT(sum_words); i++) {
		struct policy *p = compile(sum_words[i].sum, &said);
		struct counters *c = COUNTERS(p);
		struct verdict v = judge(p, c, line, 5);

		row_true(sum_words[i].sum, v.kind == VERDICT_REFUSED);
		row_true(sum_words[i].sum,
			 !strcmp(v.reason, sum_words[i].reason));
		row_true(sum_words[i].sum, v.wait == -1);
		row_true(sum_words[i].sum,
			 !strcmp(v.location.rule, "/tools/t/limits/0"));
		counters_free(c);
		policy_free(p);
	}
}

static void limits_have_words(void **state)
{
	char text[512];
	struct said said;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct policy *p;
		struct counters *c;
		struct verdict v;

		snprintf(text, sizeof(text), TOOL("%s"), words[i].rules);
		p = compile(text, &said);
		row_true(words[i].rules, p);
		c = COUNTERS(p);
		v = judge(p, c, CALL("t"), 5);
		row_true(words[i].rules, v.kind == VERDICT_REFUSED);
		row_true(words[i].rules, !strcmp(v.reason, words[i].reason));
		row_true(words[i].rules, v.wait == -1);
		counters_free(c);
		policy_free(p);
	}
}

static void limits_slide(void **state)
{
	struct said said;
	struct policy *p =
		compile(TOOL("{\"rate_limit\":\"2/minute\"}"), &said);
	struct counters *c = COUNTERS(p);
	struct verdict v;

	(void)state;
	assert_int_equal(judge(p, c, CALL("t"), 0).kind, VERDICT_PASS);
	assert_int_equal(judge(p, c, CALL("t"), 30 * SECOND).kind,
			 VERDICT_PASS);
	v = judge(p, c, CALL("t"), 60 * SECOND - 1);
	assert_int_equal(v.kind, VERDICT_REFUSED);
	assert_string_equal(v.location.rule, "/tools/t/rate_limit");
	assert_int_equal(v.wait, 1);
	/* One window after the oldest; the refused call used nothing up. */
	assert_int_equal(judge(p, c, CALL("t"), 60 * SECOND).kind,
			 VERDICT_PASS);
	v = judge(p, c, CALL("t"), 60 * SECOND);
	assert_int_equal(v.kind, VERDICT_REFUSED);
	assert_int_equal(v.wait, 30 * SECOND);
	counters_free(c);
	policy_free(p);
}

/* Either all limits count a call, or none does; the wait is the longest; a
 * name in another case has no quota of its own. */
static void limits_count_together(void **state)
{
	struct said said;
	struct policy *p =
		compile("{\"version\":\"1\",\"default\":\"allow\",\"tools\":{"
			"\"t\":{\"limits\":[{\"max\":3,\"window\":100},"
			"{\"max\":1,\"window\":10}]},"
			"\"t*\":{\"rate_limit\":{\"max\":4,\"window\":1000}}}}",
			&said);
	struct counters *c = COUNTERS(p);
	struct verdict v;

	(void)state;
	assert_int_equal(judge(p, c, CALL("t"), 0).kind, VERDICT_PASS);
	for (int i = 1; i < 10; i++) {
		v = judge(p, c, CALL("t"), i * SECOND);
		assert_int_equal(v.kind, VERDICT_REFUSED);
		assert_string_equal(v.location.rule, "/tools/t/limits/1");
		assert_int_equal(v.wait, (10 - i) * SECOND);
	}
	/* None of these nine were counted by the others. */
	assert_int_equal(judge(p, c, CALL("t"), 10 * SECOND).kind,
			 VERDICT_PASS);
	assert_int_equal(judge(p, c, CALL("T"), 20 * SECOND).kind,
			 VERDICT_PASS);
	v = judge(p, c, CALL(" T"), 25 * SECOND);
	assert_int_equal(v.kind, VERDICT_REFUSED);
	assert_string_equal(v.location.rule, "/tools/t/limits/0");
	assert_int_equal(v.wait, 75 * SECOND);
	/* The glob's limit is one for all the tools that it names. */
	assert_int_equal(judge(p, c, CALL("tx"), 26 * SECOND).kind,
			 VERDICT_PASS);
	v = judge(p, c, CALL("ty"), 27 * SECOND);
	assert_int_equal(v.kind, VERDICT_REFUSED);
	assert_string_equal(v.location.rule, "/tools/t*/rate_limit");
	counters_free(c);
	policy_free(p);
}

/* A limit that never allows a call has no wait, whatever others there are. */
static void never_is_the_longest_wait(void **state)
{
	static const char *const limits[] = {
		TOOL("{\"limits\":[{\"max\":0,\"window\":1},{\"max\":1,"
		     "\"window\":9},{\"max\":0,\"window\":5}]}"),
		TOOL("{\"limits\":[{\"max\":1,\"window\":9},{\"max\":0,"
		     "\"window\":1},{\"max\":0,\"window\":5}]}"),
	};
	struct said said;

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct policy *p = compile(limits[i], &said);
		struct counters *c = COUNTERS(p);

		for (int j = 0; j < 2; j++)
			row_true(limits[i],
				 judge(p, c, CALL("t"), 0).wait == -1);
		counters_free(c);
		policy_free(p);
	}
}

/* Also when another limit has a wait, as it counted another tool. */
static void never_beats_a_wait(void **state)
{
	struct said said;
	struct policy *p =
		compile(HEAD "\"tools\":{\"a*\":{\"rate_limit\":"
			     "\"1/hour\"},\"ab\":{\"rate_limit\":"
			     "\"0/day\",\"deny_if\":[{\"path\":\"/1a\","
			     "\"op\":\"exists\",\"value\":true}]}}}",
			&said);
	struct counters *c = COUNTERS(p);
	struct verdict v;

	(void)state;
	assert_int_equal(judge(p, c, CALL("ac"), 0).kind, VERDICT_PASS);
	v = judge(p, c, CALL("ab"), 0);
	assert_string_equal(v.location.rule, "/tools/a*/rate_limit");
	assert_int_equal(v.wait, -1);
	counters_free(c);
	policy_free(p);
}

/* Of two limits that refuse, the longer wait is told, whichever is first. */
static void the_longest_wait_is_told(void **state)
{
	struct said said;
	struct policy *p =
		compile(TOOL("{\"limits\":[{\"max\":1,\"window\":9},{\"max\":1,"
			     "\"window\":5},{\"max\":1,\"window\":20}]}"),
			&said);
	struct counters *c = COUNTERS(p);
	struct verdict v;

	(void)state;
	judge(p, c, CALL("t"), 0);
	v = judge(p, c, CALL("t"), 0);
	assert_int_equal(v.wait, 20 * SECOND);
	assert_string_equal(v.location.rule, "/tools/t/limits/0");
	counters_free(c);
	policy_free(p);
}

/* To ask for the time takes a twelfth of what a message takes. */
static void time_is_asked_for_limits(void **state)
{
	static const char policy[] = HEAD
		"\"tools\":{\"free\":{},"
		"\"rare\":{\"rate_limit\":\"1/minute\"}},"
		"\"methods\":{\"tools/*\":{},\"p*\":{\"rate_limit\":\"9/day\"}},"
		"\"prompts\":{\"p\":{\"rate_limit\":\"9/day\"}}}";
	static const struct {
		const char *line;
		int asked;
	} rows[] = {
		{CALL("free"), 0},
		{CALL("other"), 0},
		{CALL("rare"), 1},
		{CALL("rare"), 1}, /* refused */
		/* Two limits, of the method and of the prompt. */
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\","
		 "\"params\":{\"name\":\"p\"}}",
		 1},
	};
	struct said said;
	struct policy *p = compile(policy, &said);
	struct counters *c = COUNTERS(p);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		now_asked = 0;
		judge(p, c, rows[i].line, 5);
		row_true(rows[i].line, now_asked == rows[i].asked);
	}
	counters_free(c);
	policy_free(p);
}

/* A look-up costs the same among many: each section has slots for its own. */
static void tables_are_roomy(void **state)
{
	enum { ENTRIES = 1000 };
	static const char *const keys[POLICY_SECTIONS] = {
		[POLICY_TOOLS] = "tools",
		[POLICY_PROMPTS] = "prompts",
		[POLICY_RESOURCES] = "resources",
		[POLICY_METHODS] = "methods",
	};
	static char text[64 + ENTRIES * 16];
	struct said said;

	(void)state;
	for (int i = 0; i < POLICY_SECTIONS; i++) {
		size_t len = (size_t)sprintf(text, HEAD "\"%s\":{", keys[i]);
		struct policy *p;

		for (int k = 0; k < ENTRIES; k++)
			len += (size_t)sprintf(text + len, "%s\"t%d\":{}",
					       k ? "," : "", k);
		strcpy(text + len, "}}");
		p = compile(text, &said);
		row_true(keys[i], p->names[i].mask > 4 * ENTRIES);
		policy_free(p);
	}
}

/* ---- what is resolved at load, and what a walk finds ------------------ */

/* Names that meet one another's entries; "a" has the hash of "aa0uquw3". */
static const char *const spelled[] = {"t",
				      "T",
				      " t",
				      "s",
				      "\xC5\xBF",
				      "tool",
				      "__0123456789ab_t",
				      "__0123456789AB_T",
				      "__0123456789ab_tool",
				      "__0123456789ab_ t",
				      "__0123456789ab___0123456789ab_t",
				      "a",
				      "aa0uquw3",
				      "t*",
				      "*",
				      "?",
				      "__*",
				      "a*",
				      "*l",
				      "*_t",
				      "T?ol",
				      " *"};
static const char *const said_of[] = {
	"{}",
	"{}",
	"{\"action\":\"deny\"}",
	"{\"action\":\"hide\"}",
	"{\"require\":[{\"path\":\"args.a\",\"op\":\"gt\",\"value\":1}]}",
	"{\"limits\":[{\"max\":1,\"window\":1}]}"};

/* A policy at random, or a layer of one. */
static struct policy_source random_source(char text[16384])
{
	static const char *const sections[] = {"tools", "prompts", "resources",
					       "methods"};
	static const char *const defaults[] = {"allow", "deny", "hide"};
	size_t len = (size_t)sprintf(text,
				     "{\"version\":\"1\",\"default\":"
				     "\"%s\"",
				     defaults[rand() % 3]);

	if (rand() % 2)
		len += (size_t)sprintf(text + len, ",\"all_tools\":%s",
				       said_of[4 + rand() % 2]);
	for (size_t i = 0; i < COUNT(sections); i++) {
		const char *comma = "";

		len += (size_t)sprintf(text + len, ",\"%s\":{", sections[i]);
		for (size_t k = 0; k < COUNT(spelled); k++) {
			if (rand() % 3)
				continue;
			len += (size_t)sprintf(
				text + len, "%s\"%s\":%s", comma, spelled[k],
				said_of[(size_t)rand() % COUNT(said_of)]);
			comma = ",";
		}
		len += (size_t)sprintf(text + len, "}");
	}
	return (struct policy_source){"p.json", text,
				      len + (size_t)sprintf(text + len, "}")};
}

static void matches_agree(void **state)
{
	static char texts[2][16384];
	struct said said = {.len = 0};

	(void)state;
	srand(1);
	for (int round = 0; round < 500; round++) {
		const struct policy_source sources[] = {
			random_source(texts[0]), random_source(texts[1])};
		struct policy *p = policy_compile(
			sources, 1 + (size_t)round % 2, listen, &said);
		const struct rules **found, **walked;

		row_true(said.text, p != NULL);
		found = calloc(p->rules_most + 1, sizeof(*found));
		walked = calloc(2 * COUNT(spelled) + 1, sizeof(*walked));
		for (size_t i = 0; i < POLICY_SECTIONS * COUNT(spelled); i++) {
			const char *name = spelled[i / POLICY_SECTIONS];
			const struct subject s = {.section =
							  i % POLICY_SECTIONS,
						  .name = name,
						  .len = strlen(name)};
			struct match a, b;

			match_walk(p, &s, walked, &b);
			row_true(name, b.count <= p->rules_most);
			match_find(p, &s, found, &a);
			row_true(name, a.action == b.action && a.by == b.by &&
					       a.exact == b.exact &&
					       a.conditions == b.conditions &&
					       a.limits == b.limits &&
					       a.count == b.count);
			for (size_t k = 0; k < a.count; k++) {
				row_true(name, a.rules[k] == b.rules[k]);
				for (size_t j = 0; j < k; j++)
					row_true(name,
						 a.rules[j] != a.rules[k]);
			}
		}
		free(found);
		free(walked);
		policy_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_told),
		cmocka_unit_test(long_things_are_refused),
		cmocka_unit_test(many_limits_are_refused),
		cmocka_unit_test(missing_files_are_told),
		cmocka_unit_test(warns_when_nothing_is_allowed),
		cmocka_unit_test(verdicts_name_their_rule),
		cmocka_unit_test(long_names_are_not_weighed),
		cmocka_unit_test(lists_agree_with_calls),
		cmocka_unit_test(reasons_are_fit_for_json),
		cmocka_unit_test(limits_have_words),
		cmocka_unit_test(sums_have_words),
		cmocka_unit_test(limits_slide),
		cmocka_unit_test(limits_count_together),
		cmocka_unit_test(never_is_the_longest_wait),
		cmocka_unit_test(never_beats_a_wait),
		cmocka_unit_test(the_longest_wait_is_told),
		cmocka_unit_test(time_is_asked_for_limits),
		cmocka_unit_test(tables_are_roomy),
		cmocka_unit_test(matches_agree),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
