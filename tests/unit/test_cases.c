/* Tests for a policy, as they are read; and what explain and test say of a
 * condition. */
#include "rows.h"

#include "../../policies/cases.h"

static bool read_text(struct policy_cases *c, const char *text,
		      struct said *said)
{
	const struct policy_source source = {"t.json", text, strlen(text)};

	*said = (struct said){.len = 0};
	return policy_cases_read(c, &source, listen, said);
}

TEST(faults_are_told)
{
	struct rows r = {.file = "cases.tsv", .table = "faults"};
	struct policy_cases c;
	struct said said;

	while (rows_next(&r)) {
		row_true(r.place, !read_text(&c, r.field[0], &said));
		policy_cases_free(&c);
		row_check(strstr(said.text, r.field[1]), "%s: %s", r.place,
			  said.text);
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

TEST(conditions_are_told)
{
	struct rows r = {.file = "cases.tsv", .table = "told"};
	char line[TEXT_BYTES], text[TEXT_BYTES], why[POLICY_WHY_BYTES + 1];

	while (rows_next(&r)) {
		struct strbuf o = {.ptr = why, .cap = sizeof(why) - 1};
		struct policy *p = rows_load(&r, r.field[0]);
		struct message m;
		struct fault fault;
		struct judged j;

		snprintf(text, sizeof(text), "call \"t\" %s", r.field[1]);
		rows_line(line, text);
		assert_true(message_read(line, strlen(line), &m, &fault));
		policy_judge(p, &m, &j);
		policy_explain(p, &j.verdict, &o);
		why[o.len] = '\0';
		row_check(strcmp(why, r.field[2]) == 0, "%s: %s", r.place, why);
		policy_free(p);
	}
}

RUN(NULL, NULL)
