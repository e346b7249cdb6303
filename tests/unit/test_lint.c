/* What check says of a sound policy: warnings, a table, the merged policy. */
#include "said.h"

#include <stdlib.h>

#include "../now.h"

static struct policy *compile(const char *text)
{
	struct said said = {.len = 0};
	struct policy *p = COMPILE(text, listen, &said);

	if (!p)
		print_error("%s", said.text);
	row_true(text, p);
	return p;
}

#define HEAD(fallback) "{\"version\":\"1\",\"default\":\"" fallback "\","

static const struct {
	const char *policy, *said; /* a part of the only warning; "": none */
} warnings[] = {
	{HEAD("allow") "\"tools\":{}}", ""},
	{HEAD("deny") "\"tools\":{\"a\":{}}}", ""},
	{HEAD("deny") "\"prompts\":{\"a\":{}}}", "p.json:1: no tool can be"},
	{HEAD("hide") "\"tools\":{\"a\":{\"action\":\"deny\"}}}",
	 "\"default\" is \"hide\""},
	{HEAD("allow") "\"all_tools\":{\"action\":\"deny\"}}",
	 "\"all_tools\" refuses every call"},
	{HEAD("allow") "\"all_tools\":{\"rate_limit\":\"1/day\"}}", ""},
	{HEAD("allow") "\"tools\":{\"a\":{\"action\":\"deny\",\"rate_limit\":"
		       "\"1/day\"}}}",
	 "can never apply"},
	{HEAD("allow") "\"tools\":{\"a\":{\"action\":\"hide\",\"deny_if\":[{"
		       "\"path\":\"args.a\",\"op\":\"eq\",\"value\":1}]}}}",
	 "can never apply"},
	{HEAD("allow") "\n\"hide\":[\"a*\"],\n\"tools\":{\"ab\":{}}}",
	 "p.json:3: /tools/ab: this entry has no effect: line 2 of p.json, "
	 "/hide/0,"},
	{HEAD("allow") "\"tools\":{\"a*\":{\"action\":\"deny\"},\"ab\":{}}}",
	 "/tools/a*/action, refuses"},
	{HEAD("allow") "\"tools\":{\"a*\":{\"action\":\"deny\"},\"ab\":{"
		       "\"action\":\"hide\"}}}",
	 ""},
	{HEAD("allow") "\"hide\":[\"a*\"],\"tools\":{\"ab*\":{}}}",
	 "no effect"},
	{HEAD("allow") "\"methods\":{\"tools/*\":{\"action\":\"deny\"}}}",
	 "no tool can be called: this refuses tools/call"},
	{HEAD("allow") "\"methods\":{\"tools/list\":{\"action\":\"deny\"}}}",
	 ""},
	{HEAD("allow") "\"tools\":{\"ab\":{\"action\":\"deny\"},\"a*\":{"
		       "\"action\":\"deny\"},\"a?\":{\"action\":\"deny\"}}}",
	 ""},
};

TEST(warnings_are_told)
{
	for (size_t i = 0; i < COUNT(warnings); i++) {
		struct policy *p = compile(warnings[i].policy);
		struct said said = {.len = 0};
		int count = policy_warn(p, NULL, listen, &said);

		if (!strstr(said.text, warnings[i].said))
			print_error("%s", said.text);
		row_true(warnings[i].policy, count == said.lines);
		row_true(warnings[i].policy, count == !!*warnings[i].said);
		row_true(warnings[i].policy,
			 strstr(said.text, warnings[i].said));
		policy_free(p);
	}
}

static const char some[] = HEAD(
	"deny") "\"hide\":[\"gone\"],\"all_tools\":{\"rate_limit\":\"9/hour\"},"
		"\"tools\":{\"a\":{},\"b*\":{\"limits\":[{\"max\":2,\"window\":5}],"
		"\"require\":[{\"path\":\"args.x\",\"op\":\"eq\",\"value\":1}]},"
		"\"bb\":{\"deny_if\":[{\"path\":\"args.y\",\"op\":\"eq\",\"value\":1}]},"
		"\"no\":{\"action\":\"deny\"}},"
		"\"methods\":{\"ping\":{}}}";

static const struct {
	const char *name, *words;
} tools[] = {
	{"a", "allowed, at most 9 calls an hour"},
	{"bx", "allowed, at most 9 calls an hour, at most 2 calls in 5 "
	       "seconds, on 1 condition"},
	{"bb", "allowed, at most 9 calls an hour, at most 2 calls in 5 "
	       "seconds, on 2 conditions"},
	{"no", "denied, by /tools/no/action"},
	{"gone", "hidden, by /hide/0"},
	{"zz", "denied, by default"},
};

static struct text text_of(const char *s)
{
	return (struct text){.ptr = s, .len = strlen(s)};
}

static void describes(const struct policy *p, struct text name,
		      const char *want)
{
	char words[512];
	struct strbuf o = {.ptr = words, .cap = sizeof(words) - 1};

	policy_describe(p, POLICY_TOOLS, name, &o);
	words[o.len] = '\0';
	if (strcmp(words, want) != 0)
		print_error("%s\n", words);
	row_true(want, strcmp(words, want) == 0);
}

/* Names beyond printable ASCII. */
TEST(odd_names_are_described)
{
	static const char odd[] =
		HEAD("allow") "\"tools\":{\"b*\":{},"
			      "\"no*\":{\"action\":\"deny\"},"
			      "\"gone*\":{\"action\":\"hide\"},"
			      "\"\xC3\xA9\":{}}}";
	static const struct {
		const char *name, *words;
	} rows[] = {
		{"\xC3\xA9", "allowed"},
		{"\xC3\x89", "refused, for its name: no entry spells it"},
		{"b\xC3\xA9", "refused, for its name: no entry spells it"},
		{"no\xC3\xA9", "denied, by /tools/no*/action"},
		{"gone\xC3\xA9", "hidden, by /tools/gone*/action"},
	};
	struct policy *p = compile(odd);

	for (size_t i = 0; i < COUNT(rows); i++)
		describes(p, text_of(rows[i].name), rows[i].words);
	policy_free(p);
}

TEST(tools_are_described)
{
	struct policy *p = compile(some);
	char name[2000];
	struct text lone = {.ptr = "\\ud800", .len = 6, .flags = 5};
	struct text longest = {.ptr = name, .len = sizeof(name)};

	for (size_t i = 0; i < COUNT(tools); i++)
		describes(p, text_of(tools[i].name), tools[i].words);
	memset(name, 'a', sizeof(name));
	describes(p, longest, "refused, for its name");
	describes(p, lone, "refused, for its name");
	policy_free(p);
}

/* What is said of a tool by an entry for the method. */
TEST(methods_are_described)
{
	static const struct {
		const char *methods, *words;
	} rows[] = {
		{"\"tools/call\":{\"action\":\"deny\"}",
		 "denied, by /methods/tools~1call/action"},
		{"\"*\":{\"action\":\"hide\"}",
		 "denied, by /methods/*/action, not listed, by "
		 "/methods/*/action"},
		{"\"tools/list\":{\"action\":\"hide\"}",
		 "allowed, at most 2 calls in 5 seconds, not listed, by "
		 "/methods/tools~1list/action"},
		{"\"Tools/Call\":{\"rate_limit\":\"1/day\",\"deny_if\":[{"
		 "\"path\":\"args.x\",\"op\":\"eq\",\"value\":1}]}",
		 "allowed, at most 1 call a day, at most 2 calls in 5 seconds, "
		 "on 1 condition"},
		{"\"tools/callx\":{\"action\":\"deny\"}",
		 "allowed, at most 2 calls in 5 seconds"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[512];
		struct policy *p;

		snprintf(text, sizeof(text),
			 HEAD("allow") "\"tools\":{\"a\":{\"rate_limit\":{"
				       "\"max\":2,\"window\":5}}},"
				       "\"methods\":{%s}}",
			 rows[i].methods);
		p = compile(text);
		describes(p, text_of("a"), rows[i].words);
		policy_free(p);
	}
}

/* A warning that names two rules, as long as they come. */
TEST(long_places_are_whole)
{
	static char text[16384];
	struct said said = {.len = 0};
	struct policy *p;
	char *at = text;
	int count;

	at += sprintf(at, HEAD("allow") "\"tools\":{\"");
	for (int i = 0; i < 1000; i++)
		at += sprintf(at, "\\u007f");
	at += sprintf(at, "*\":{\"action\":\"deny\"},\"");
	for (int i = 0; i < 1000; i++)
		at += sprintf(at, "\\u007f");
	sprintf(at, "a\":{}}}");
	p = compile(text);
	count = policy_warn(p, NULL, listen, &said);
	assert_int_equal(count, 1);
	assert_non_null(strstr(said.text, "this entry has no effect: line 1"));
	assert_non_null(strstr(said.text, "/action, refuses every call\n"));
	policy_free(p);
}

/* Each list of tools, how many entries cover none of them, and a word of what
 * is reported and of what is said in one sentence. */
TEST(unused_entries_are_told)
{
	static const char many[] = HEAD(
		"deny") "\"hide\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\","
			"\"\\u0007\\\"\"]}";
	static const struct {
		const char *policy, *tools[4];
		int count;
		const char *reported, *said;
	} rows[] = {
		/* In another case it is there. */
		{some,
		 {"A", "bx", "x", "\\ud800"},
		 3,
		 "no tool of the list has this name",
		 "no tool for 3 of the 5 entries of this policy: \"gone\", \""},
		{some, {"A"}, 4, "this glob covers no tool", "4 of the 5"},
		{some,
		 {NULL},
		 5,
		 "no tool",
		 "this policy names 5 tools, this server has none of them: is it the right one?"},
		{many,
		 {"a"},
		 7,
		 "no tool",
		 "7 of the 8 entries of this policy: \"b\", \"c\", \"d\", \"e\", \"f\" and 2 more"},
		{many,
		 {"a", "b", "c", "d\",\"e"},
		 5,
		 "no tool",
		 "\"d\", \"e\", \"f\", \"g\", \"\\u0007\\\"\""},
		{HEAD("deny") "\"tools\":{\"a*\":{}}}", {"abc"}, 0, "", NULL},
		{HEAD("deny") "\"all_tools\":{}}", {"abc"}, 0, "", NULL},
	};
	char text[2048];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = compile(rows[i].policy);
		struct strbuf out = {.ptr = text, .cap = sizeof(text) - 1};
		struct said said = {.len = 0};

		for (int t = 0; t < 4 && rows[i].tools[t]; t++)
			policy_note(p, POLICY_TOOLS, text_of(rows[i].tools[t]));
		policy_note(p, POLICY_TOOLS, (struct text){.ptr = NULL});
		assert_int_equal(policy_unused(p, listen, &said),
				 rows[i].count);
		assert_int_equal(said.lines, rows[i].count);
		assert_non_null(strstr(said.text, rows[i].reported));
		assert_int_equal(policy_say_unused(p, &out), !!rows[i].said);
		text[out.len] = '\0';
		assert_non_null(strstr(text, rows[i].said ? rows[i].said : ""));
		policy_free(p);
	}
}

/* ---- print ----------------------------------------------------------- */

static const char *const printed[] = {
	HEAD("allow") "\"description\":\"x\"}",
	some,
	HEAD("hide") "\"all_tools\":{\"action\":\"deny\",\"reason\":\"a \\\"b\\\" \\u0007\"},"
		     "\"tools\":{\"t\\\"\\\\\":{\"rate_limit\":{\"max\":1,\"window\":60},"
		     "\"limits\":[{\"max\":1,\"window\":\"day\",\"counter\":\"c\","
		     "\"scope\":\"session\",\"on_deny\":\"no\"},{\"max\":0,\"window\":7}]}},"
		     "\"prompts\":{\"p\":{\"action\":\"hide\"}},"
		     "\"resources\":{\"u\":{\"action\":\"deny\"},\"v\":{}}}",
	HEAD("deny") "\"tools\":{\"t\":{\"limits\":[{\"max\":99.50,\"window\":7,"
		     "\"increment_from\":\"args.a[0].b\"},{\"window\":\"day\","
		     "\"increment_from\":\"/\\\"~1\",\"max\":1E+2,\"counter\":"
		     "\"c\",\"scope\":\"session\"}]}}}",
};

static size_t print(const struct policy *p, char *text, size_t size)
{
	struct strbuf o = {.ptr = text, .cap = size - 1};

	policy_print(p, &o);
	assert_false(o.full);
	text[o.len] = '\0';
	return o.len;
}

/* What is printed loads, and prints the same again. */
TEST(printed_policies_are_the_same)
{
	char once[8192], twice[8192];

	for (size_t i = 0; i < COUNT(printed); i++) {
		struct policy *p = compile(printed[i]), *q;

		print(p, once, sizeof(once));
		q = compile(once);
		print(q, twice, sizeof(twice));
		row_true(printed[i], strcmp(once, twice) == 0);
		row_true(printed[i], !strstr(printed[i], "increment") ||
					     (strstr(once, "\"max\": 99.50,") &&
					      strstr(once, "\"max\": 1E+2,") &&
					      strstr(once, "\"args.a[0].b\"") &&
					      strstr(once, "\"/\\\"~1\"")));
		policy_free(p);
		policy_free(q);
	}
}

/* Several files: what is printed is all of them. */
TEST(merged_policies_are_printed)
{
	static const struct policy_source sources[] = {
		{"a",
		 HEAD("allow") "\"tools\":{\"t\":{\"rate_limit\":\"1/day\"}}}",
		 0},
		{"b",
		 HEAD("deny") "\"tools\":{\"t\":{\"rate_limit\":\"2/day\"}}}",
		 0},
	};
	struct policy_source both[2] = {sources[0], sources[1]};
	struct said said = {.len = 0};
	struct policy *p;
	char text[1024];

	both[0].len = strlen(both[0].text);
	both[1].len = strlen(both[1].text);
	p = policy_compile(both, 2, NULL, listen, &said);
	assert_non_null(p);
	print(p, text, sizeof(text));
	assert_non_null(strstr(text, "\"default\": \"deny\""));
	assert_non_null(strstr(text, "\"rate_limit\": {\"max\": 1, \"window\": "
				     "86400}"));
	assert_non_null(strstr(text, "\"limits\": [{\"max\": 2, \"window\": "
				     "86400}]"));
	policy_free(p);
}

/* ---- counters -------------------------------------------------------- */

#define CALL(name)                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"  \
	"{\"name\":\"" name "\"}}"

static enum verdict_kind judge(struct policy *p, struct counters *c,
			       const char *line, int64_t now)
{
	struct message m;
	struct fault f;

	assert_true(message_read(line, strlen(line), &m, &f));
	now_is = now;
	return now_judge(p, c, &m).kind;
}

#define ALL_TOOLS(limit) HEAD("allow") "\"all_tools\":{" limit "}}"
#define TOOL(limit)      HEAD("allow") "\"tools\":{\"t\":{" limit "}}}"
#define LIMIT(max, name)                                                       \
	"\"limits\":[{\"max\":" max ",\"window\":9,\"counter\":\"" name "\"}]"

/* Two calls under the first policy; how many more pass under the second. */
static const struct {
	const char *before, *after;
	int more;
} carried[] = {
	{TOOL(LIMIT("3", "c")), TOOL(LIMIT("3", "c")), 1},
	{TOOL(LIMIT("3", "c")), TOOL(LIMIT("5", "c")), 3},
	{TOOL(LIMIT("3", "c")), TOOL(LIMIT("1", "c")), 0},
	{TOOL(LIMIT("3", "c")), TOOL(LIMIT("3", "d")), 3},
	{TOOL(LIMIT("3", "c")), TOOL(LIMIT("0", "c")), 0},
	{TOOL(LIMIT("0", "c")), TOOL(LIMIT("3", "c")), 3},
	{TOOL("\"rate_limit\":\"3/day\""), TOOL("\"rate_limit\":\"4/day\""), 2},
	{TOOL(LIMIT("3", "c")), ALL_TOOLS(LIMIT("3", "c")), 1},
	{ALL_TOOLS(LIMIT("3", "c")), ALL_TOOLS(LIMIT("3", "c")), 1},
	{ALL_TOOLS(LIMIT("3", "c")), TOOL(LIMIT("3", "c")), 1},
	{TOOL("\"rate_limit\":\"3/day\""), TOOL("\"rate_limit\":\"3/hour\""),
	 3},
	{TOOL("\"limits\":[{\"max\":3,\"window\":9},{\"max\":9,\"window\":90}]"),
	 TOOL("\"limits\":[{\"max\":9,\"window\":90},{\"max\":3,\"window\":9}]"),
	 1},
	{HEAD("allow") "\"tools\":{}}", TOOL(LIMIT("3", "c")), 3},
	{TOOL(LIMIT("3", "c") ",\"rate_limit\":\"9/day\""),
	 TOOL("\"rate_limit\":\"9/day\""), 7},
};

TEST(counters_go_on)
{
	for (size_t i = 0; i < COUNT(carried); i++) {
		struct policy *before = compile(carried[i].before);
		struct policy *after = compile(carried[i].after);
		struct counters *from = COUNTERS(before);
		struct counters *to;
		int more = 0;

		judge(before, from, CALL("t"), 0);
		judge(before, from, CALL("t"), 0);
		to = counters_new(after, NULL, from, unit_silent, NULL);
		while (more < 99 &&
		       judge(after, to, CALL("t"), 0) == VERDICT_PASS)
			more++;
		row_true(carried[i].after, more == carried[i].more);
		counters_free(from);
		counters_free(to);
		policy_free(before);
		policy_free(after);
	}
	policy_free(NULL);
	counters_free(NULL);
}

#define SHORT "{\"max\":1,\"window\":9,\"counter\":\"c\"}"
#define LONG  "{\"max\":5,\"window\":900,\"counter\":\"c\"}"

/* Of two limits with one counter, the one that knows more calls is carried,
 * whichever is first. */
TEST(the_longer_memory_goes_on)
{
	static const char *const orders[] = {
		TOOL("\"limits\":[" SHORT "," LONG "]"),
		TOOL("\"limits\":[" LONG "," SHORT "]"),
	};
	const int64_t later = 10000000000;

	for (size_t i = 0; i < COUNT(orders); i++) {
		struct policy *before = compile(orders[i]);
		struct policy *after = compile(TOOL(
			"\"limits\":[{\"max\":3,\"window\":900,\"counter\":\"c\"}]"));
		struct counters *from = COUNTERS(before);
		struct counters *to;

		judge(before, from, CALL("t"), 0);
		judge(before, from, CALL("t"), later);
		to = counters_new(after, NULL, from, unit_silent, NULL);
		/* Two were carried, so a third is the last. */
		row_true(orders[i],
			 judge(after, to, CALL("t"), later) == VERDICT_PASS);
		row_true(orders[i],
			 judge(after, to, CALL("t"), later) == VERDICT_REFUSED);
		counters_free(from);
		counters_free(to);
		policy_free(before);
		policy_free(after);
	}
}

RUN(NULL, NULL)
