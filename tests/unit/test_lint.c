/* What check says of a sound policy: a table, the merged policy; and counters
 * that go on under another policy.  Tables are in check.tsv. */
#include "rows.h"

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

static const char some[] = HEAD(
	"deny") "\"hide\":[\"gone\"],\"all_tools\":{\"rate_limit\":\"9/hour\"},"
		"\"tools\":{\"a\":{},\"b*\":{\"limits\":[{\"max\":2,\"window\":5}],"
		"\"require\":[{\"path\":\"args.x\",\"op\":\"eq\",\"value\":1}]},"
		"\"bb\":{\"deny_if\":[{\"path\":\"args.y\",\"op\":\"eq\",\"value\":1}]},"
		"\"no\":{\"action\":\"deny\"}},"
		"\"methods\":{\"ping\":{}}}";

static struct text text_of(const char *s)
{
	return (struct text){.ptr = s, .len = strlen(s)};
}

static void check_words(const char *place, const struct policy *p,
			struct text name, const char *want)
{
	char words[512];
	struct strbuf o = {.ptr = words, .cap = sizeof(words) - 1};

	policy_describe(p, POLICY_TOOLS, name, &o);
	words[o.len] = '\0';
	row_check(strcmp(words, want) == 0, "%s: %s", place, words);
}

TEST(tools_are_described)
{
	struct rows r = {.file = "check.tsv", .table = "described"};
	char name[2000];
	struct text lone = {.ptr = "\\ud800", .len = 6, .flags = 5};
	struct text longest = {.ptr = name, .len = sizeof(name)};
	struct policy *p;

	while (rows_next(&r)) {
		p = rows_load(&r, r.field[0]);
		check_words(r.place, p, text_of(r.field[1]), r.field[2]);
		policy_free(p);
	}
	p = compile(some);
	memset(name, 'a', sizeof(name));
	check_words("longest", p, longest, "refused, for its name");
	check_words("lone", p, lone, "refused, for its name");
	policy_free(p);
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

/* Each list of tools, and words of the sentence about the entries that cover
 * none of them. */
TEST(unused_entries_are_told)
{
	static const char many[] = HEAD(
		"deny") "\"hide\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\","
			"\"\\u0007\\\"\"]}";
	static const struct {
		const char *policy, *tools[4];
		const char *said;
	} rows[] = {
		/* In another case it is there. */
		{some,
		 {"A", "bx", "x", "\\ud800"},
		 "no tool for 3 of the 5 entries of this policy: \"gone\", \""},
		{some, {"A"}, "4 of the 5"},
		{some,
		 {NULL},
		 "this policy names 5 tools, this server has none of them: is it the right one?"},
		{many,
		 {"a"},
		 "7 of the 8 entries of this policy: \"b\", \"c\", \"d\", \"e\", \"f\" and 2 more"},
		{many,
		 {"a", "b", "c", "d\",\"e"},
		 "\"d\", \"e\", \"f\", \"g\", \"\\u0007\\\"\""},
		{HEAD("deny") "\"tools\":{\"a*\":{}}}", {"abc"}, NULL},
		{HEAD("deny") "\"all_tools\":{}}", {"abc"}, NULL},
	};
	char text[2048];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = compile(rows[i].policy);
		struct strbuf out = {.ptr = text, .cap = sizeof(text) - 1};

		for (int t = 0; t < 4 && rows[i].tools[t]; t++)
			policy_note(p, POLICY_TOOLS, text_of(rows[i].tools[t]));
		policy_note(p, POLICY_TOOLS, (struct text){.ptr = NULL});
		assert_int_equal(policy_say_unused(p, &out), !!rows[i].said);
		text[out.len] = '\0';
		assert_non_null(strstr(text, rows[i].said ? rows[i].said : ""));
		policy_free(p);
	}
}

/* Several files: what is printed is all of them. */
TEST(merged_policies_are_printed)
{
	const struct rows r = {.place = "merged"};
	struct policy *p = rows_load(
		&r, "allow \"tools\":{\"t\":{\"rate_limit\":\"1/day\"}} + "
		    "deny \"tools\":{\"t\":{\"rate_limit\":\"2/day\"}}");
	char text[1024];
	struct strbuf o = {.ptr = text, .cap = sizeof(text) - 1};

	policy_print(p, &o);
	text[o.len] = '\0';
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

#define TOOL(limit) HEAD("allow") "\"tools\":{\"t\":{" limit "}}}"

TEST(counters_go_on)
{
	struct rows r = {.file = "check.tsv", .table = "carried"};

	while (rows_next(&r)) {
		struct policy *before = rows_load(&r, r.field[0]);
		struct policy *after = rows_load(&r, r.field[1]);
		struct counters *from = COUNTERS(before);
		struct counters *to;
		int more = 0;

		judge(before, from, CALL("t"), 0);
		judge(before, from, CALL("t"), 0);
		to = counters_new(after, NULL, from, unit_silent, NULL);
		while (more < 99 &&
		       judge(after, to, CALL("t"), 0) == VERDICT_PASS)
			more++;
		row_check(more == atoi(r.field[2]), "%s: %d", r.place, more);
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
