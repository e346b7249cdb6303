/* Tests for a policy, as they are read; and what explain and test say of a
 * condition. */
#include "said.h"

#include "../../policies/cases.h"

static bool read_text(struct policy_cases *c, const char *text,
		      struct said *said)
{
	const struct policy_source source = {"t.json", text, strlen(text)};

	*said = (struct said){.len = 0};
	return policy_cases_read(c, &source, listen, said);
}

/* The text, and a part of its only fault. */
static const char *const faults[][2] = {
	{"[]", "t.json:1:1: at least one test"},
	{"{}", "an array of tests"},
	{"[1]", "t.json:1:2: /0: a test, {\"call\""},
	{"[{\"call\":\"a\",\"expect\":\"allowed\"},\n {}]", "is missing"},
	{"[{\"expect\":\"allowed\"}]", "\"call\" or \"method\" is missing"},
	{"[{\"call\":\"a\"}]", "\"expect\" is missing"},
	{"[{\"call\":1,\"expect\":\"allowed\"}]", ":1:10: /0/call: the name"},
	{"[{\"method\":[],\"expect\":\"allowed\"}]", "/0/method: the name"},
	{"[{\"call\":\"a\",\"expect\":\"denied\"}]",
	 "unknown verdict \"denied"},
	{"[{\"call\":\"a\",\"expect\":\"alowed\"}]", "mean \"allowed\""},
	{"[{\"call\":\"a\",\"expect\":\"\xe2\x80\xae\x7f\xc2\x85\xd8\x9c\"}]",
	 "unknown verdict \"\\u202e\\u007f\\u0085\\u061c\""},
	{"[{\"call\":\"a\",\"expect\":\"\xe2\x81\xa5\xd8\x9d\xc2\xa0\"}]",
	 "unknown verdict \"\xe2\x81\xa5\xd8\x9d\xc2\xa0\""},
	{"[{\"call\":\"a\",\"expect\":null}]",
	 "allowed, ask, refused or hidden"},
	{"[{\"call\":\"a\",\"method\":\"b\",\"expect\":\"allowed\"}]",
	 "one of"},
	{"[{\"call\":\"a\",\"params\":{},\"expect\":\"allowed\"}]",
	 "not \"par"},
	{"[{\"method\":\"a\",\"arguments\":{},\"expect\":\"hidden\"}]",
	 "not \"ar"},
	{"[{\"call\":\"a\",\"expect\":\"allowed\",\"rule\":\"/a\"}]",
	 "no \"rule\""},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"rule\":1}]",
	 "the rule that"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"repeat\":0}]", "from 1 to"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"repeat\":1.5}]",
	 "/0/repeat: a w"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"repeat\":1000002}]",
	 "1000001"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"after\":-1}]",
	 "/0/after: a w"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"after\":\"1\"}]",
	 "/0/after: a"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"after\":1e99}]",
	 "/0/after: a"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"argument\":1}]",
	 "\"arguments"},
	{"[{\"call\":\"a\",\"expect\":\"hidden\",\"call\":\"a\"}]",
	 "there twice"},
	{"[{\"call\":\"a\",\n\"expect\":\"hidden\",}]", "t.json:2:"},
};

TEST(faults_are_told)
{
	struct policy_cases c;
	struct said said;

	for (size_t i = 0; i < COUNT(faults); i++) {
		row_true(faults[i][0], !read_text(&c, faults[i][0], &said));
		policy_cases_free(&c);
		if (!strstr(said.text, faults[i][1]) || said.lines > 2)
			print_error("said: %s", said.text);
		row_true(faults[i][0], strstr(said.text, faults[i][1]));
	}
}

/* All waits together have a bound; what is past it does not go round. */
TEST(waits_are_bounded)
{
	static char text[32768] = "[";
	struct policy_cases c;
	struct said said;
	size_t len = 1;

	for (int i = 0; i < 101; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len,
			"{\"call\":\"a\",\"expect\":\"allowed\",\"after\":"
			"31622400},");
	text[len - 1] = ']';
	assert_true(len < sizeof(text));
	assert_false(read_text(&c, text, &said));
	assert_non_null(strstr(said.text, "of \"after\" in all"));
	policy_cases_free(&c);
}

TEST(a_case_is_read)
{
	struct policy_cases c;
	struct said said;

	assert_true(read_text(
		&c,
		"[{\"call\":\"a\\\"\",\"arguments\":{\"a\":\n1,\"a\":\r\n[]},"
		"\"expect\":\"refused\",\"rule\":\"/tools/a\\\"/action\","
		"\"repeat\":1000001,\"after\":31622400,\"description\":\"\"},\n\n"
		"{\"method\":\"x/y\",\"params\":null,\"expect\":\"hidden\"},"
		"{\"call\":\"\",\"expect\":\"allowed\"},"
		"{\"call\":\"\",\"expect\":\"ask\",\"rule\":\"/a\"}]",
		&said));
	assert_int_equal(c.count, 4);
	assert_int_equal(c.list[2].expect, CASE_ALLOWED);
	assert_int_equal(c.list[3].expect, CASE_ASK);
	assert_string_equal(c.list[3].rule, "/a");
	assert_true(c.list[0].call);
	assert_string_equal(c.list[0].name, "a\\\"");
	assert_string_equal(c.list[0].json, "{\"a\": 1,\"a\":  []}");
	assert_int_equal(c.list[0].expect, CASE_REFUSED);
	assert_string_equal(c.list[0].rule, "/tools/a\\\"/action");
	assert_int_equal(c.list[0].repeat, 1000001);
	assert_int_equal(c.list[0].after, 31622400 * SECOND);
	assert_false(c.list[1].call);
	assert_string_equal(c.list[1].name, "x/y");
	assert_string_equal(c.list[1].json, "null");
	assert_int_equal(c.list[1].line, 5);
	assert_int_equal(c.list[1].expect, CASE_HIDDEN);
	assert_null(c.list[2].json);
	assert_int_equal(c.list[2].repeat, 1);
	assert_int_equal(c.list[2].after, 0);
	policy_cases_free(&c);
}

/* ---- what a condition says ------------------------------------------- */

/* A condition in "require", or in "deny_if" ("!"); arguments; what is said, ""
 * if the call passes. */
#define A "{\"path\":\"args.a\",\"op\":\"eq\",\"value\":1}"
#define B "{\"path\":\"/b\",\"op\":\"gt\",\"value\":1}"
static const char *const told[][3] = {
	{"\"path\":\"args.a\",\"op\":\"lte\",\"value\":10000", "{\"a\":20000}",
	 "args.a is 20000; must not be greater than 10000"},
	{"!\"path\":\"args.a\",\"op\":\"gt\",\"value\":10000", "{\"a\":2e4}",
	 "args.a is 2e4; must not be greater than 10000"},
	{"!\"value\":1,\"op\":\"g\\u0074\",\"path\":\"/a\"", "{\"a\":\"2\"}",
	 "/a is \"2\"; must be a number, and must not be greater than 1"},
	{"!\"path\":\"args.a\",\"op\":\"gt\",\"value\":1", "{\"a\":1,\"A\":1}",
	 "args.a is ambiguous; must not be greater than 1"},
	{"\"path\":\"args.a\",\"op\":\"in\",\"value\":[\"x\", 1]", "{}",
	 "args.a is missing or ambiguous; must be one of [\"x\", 1]"},
	{"\"path\":\"args.a[*]\",\"op\":\"glob\",\"value\":\"x*\"",
	 "{\"a\":[\"x\",\"y\"]}", "args.a[*] is \"y\"; must match \"x*\""},
	{"\"path\":\"args.a\",\"op\":\"regex\",\"value\":\"^x$\"",
	 "{\"a\":[\"x\"]}",
	 "args.a is [\"x\"]; must be a string, and must match \"^x$\""},
	{"\"path\":\"args.a\",\"op\":\"under\",\"value\":\"/srv\"",
	 "{\"a\":\"/srv/../x\"}",
	 "args.a is \"/srv/../x\"; must be under \"/srv\""},
	{"\"path\":\"args.a\",\"op\":\"exists\",\"value\":true", "{}",
	 "args.a is missing or ambiguous; must be there"},
	{"!\"path\":\"args.a\",\"op\":\"exists\",\"value\":true", "{\"a\":1}",
	 "args.a is 1; must not be there"},
	{"\"path\":\"args.a\",\"op\":\"exists\",\"value\":false", "{\"a\":1}",
	 "args.a is 1; must not be there"},
	{"!\"path\":\"args.a\",\"op\":\"contains\",\"value\":\"x\"",
	 "{\"a\":\"axa\"}", "args.a is \"axa\"; must not contain \"x\""},
	{"!\"path\":\"args.a\",\"op\":\"eq\",\"value\":\"x\"", "{\"a\":\"y\"}",
	 ""},
	{"\"path\":\"args.a\",\"op\":\"host\",\"value\":\"a.example\"",
	 "{\"a\":\"http://127.1/\"}",
	 "args.a is \"http://127.1/\"; must have the host \"a.example\""},
	{"\"path\":\"args.a\",\"op\":\"max_length\",\"value\":1",
	 "{\"a\":[1,2]}", "args.a is [1,2]; must not be longer than 1"},
	{"!\"path\":\"args.**\",\"op\":\"eq\",\"value\":\"x\"",
	 "{\"a\":[{\"x\":0}]}", "args.** is \"x\"; must not be \"x\""},
	{"!\"all\":[" A ",{\"any\":[" B "," B "]}]", "{\"a\":1,\"b\":2}",
	 "these must not all hold: args.a eq 1, one of (/b gt 1, /b gt 1)"},
	{"!\"any\":[" A "," B "]", "{\"a\":1}",
	 "none of these may hold: args.a eq 1, /b gt 1"},
	{"\"any\":[" A ",{\"all\":[" A "," B "]}]", "{}",
	 "one of these must hold: args.a eq 1, all of (args.a eq 1, /b gt 1)"},
	{"\"all\":[" A "," B "]", "{\"a\":1,\"b\":0}",
	 "all of these must hold: args.a eq 1, /b gt 1"},
	{"\"path\":\"args.a\",\"op\":\"eq\",\"value\":\"x\"",
	 "{\"a\":\"01234567890123456789012345678901234567890123456789012345678"
	 "\xc3\xa9yz\"}",
	 "args.a is "
	 "\"01234567890123456789012345678901234567890123456789012345678...; "
	 "must be \"x\""},
};

TEST(conditions_are_told)
{
	char policy[1024], line[1024], why[POLICY_WHY_BYTES];

	for (size_t i = 0; i < COUNT(told); i++) {
		bool deny_if = told[i][0][0] == '!';
		struct said said = {.len = 0};
		struct strbuf o = {.ptr = why, .cap = sizeof(why)};
		struct message m;
		struct fault fault;
		struct policy *p;
		struct judged j;
		int len;

		snprintf(policy, sizeof(policy),
			 "{\"version\":\"1\",\"default\":\"deny\",\"tools\":{"
			 "\"t\":{\"%s\":[ { %s}]}}}",
			 deny_if ? "deny_if" : "require", told[i][0] + deny_if);
		p = COMPILE(policy, listen, &said);
		row_true(policy, p);
		len = snprintf(line, sizeof(line),
			       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
			       "\"tools/call\",\"params\":{\"name\":\"t\","
			       "\"arguments\":%s}}",
			       told[i][1]);
		assert_true(message_read(line, (size_t)len, &m, &fault));
		policy_judge(p, &m, &j);
		policy_explain(p, &j.verdict, &o);
		if (o.len != strlen(told[i][2]) ||
		    memcmp(why, told[i][2], o.len) != 0)
			print_error("said: %.*s\n", (int)o.len, why);
		row_true(told[i][2],
			 o.len == strlen(told[i][2]) &&
				 memcmp(why, told[i][2], o.len) == 0);
		policy_free(p);
	}
}

RUN(NULL, NULL)
