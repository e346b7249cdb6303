/* Policy files, and the verdicts that they give. */
#include "said.h"

#include <stdlib.h>

#include "../../policies/internal.h"
#include "../now.h"

static struct policy *compile(const char *text, struct said *said)
{
	clear(said);
	return COMPILE(text, listen, said);
}

/* ---- files that do not load ------------------------------------------ */

#define HEAD        "{\"version\":\"1\",\"default\":\"deny\","
#define TOOL(rules) HEAD "\"tools\":{\"t\":" rules "}}"
TEST(long_things_are_refused)
{
	char text[8192], long_name[1100], reason[5000];
	struct said said;

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
TEST(many_limits_are_refused)
{
	char text[8192];
	struct said said;

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

TEST(missing_files_are_told)
{
	const char *none = "/nonexistent/p.json", *root = "/",
		   *zero = "/dev/zero";
	struct said said = {.len = 0};

	assert_null(policy_load(&none, 1, NULL, listen, &said));
	assert_string_equal(said.text,
			    "/nonexistent/p.json: No such file or directory\n");
	assert_null(policy_load(&root, 1, NULL, listen, &said));
	assert_int_equal(said.lines, 2);
	/* One that has no end is longer than any may be. */
	assert_null(policy_load(&zero, 1, NULL, listen, &said));
	assert_non_null(strstr(said.text, "/dev/zero: File too large"));
}

/* ---- verdicts -------------------------------------------------------- */

#define CALL(name)                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"  \
	"{\"name\":\"" name "\"}}"
static struct verdict judge(const struct policy *p, struct counters *c,
			    const char *line, int64_t now)
{
	struct message m;
	struct fault f;
	struct verdict v;

	row_true(line, message_read(line, strlen(line), &m, &f));
	now_is = now;
	v = now_judge(p, c, &m);
	if (v.kind == VERDICT_UNJUDGED)
		v.kind = VERDICT_PASS;
	return v;
}

/* ---- limits ---------------------------------------------------------- */

/* To ask for the time takes a twelfth of what a message takes. */
TEST(time_is_asked_for_limits)
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

	for (size_t i = 0; i < COUNT(rows); i++) {
		now_asked = 0;
		judge(p, c, rows[i].line, 5);
		row_true(rows[i].line, now_asked == rows[i].asked);
	}
	counters_free(c);
	policy_free(p);
}

/* A look-up costs the same among many: each section has slots for its own. */
TEST(tables_are_roomy)
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

TEST(matches_agree)
{
	static char texts[2][16384];
	struct said said = {.len = 0};

	srand(1);
	for (int round = 0; round < 500; round++) {
		const struct policy_source sources[] = {
			random_source(texts[0]), random_source(texts[1])};
		struct policy *p = policy_compile(
			sources, 1 + (size_t)round % 2, NULL, listen, &said);
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
			struct match a, b, room;

			match_walk(p, &s, walked, &b);
			row_true(name, b.count <= p->rules_most);
			a = *match_find(p, &s, found, &room);
			row_true(name, a.action == b.action && a.by == b.by &&
					       a.exact == b.exact &&
					       a.plain == b.plain &&
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

RUN(NULL, NULL)
