/*
 * What check warns of: each warning on the wrong policy, and none on right
 * ones.  The table is in check.tsv.
 */
#include "rows.h"

/* What a server has: its list; or the schema of t, which is all of it. */
static struct policy_list *read_list(const char *has)
{
	static char text[TEXT_BYTES]; /* which the list points into */
	struct policy_source source = {.name = "list"};
	struct policy_list *list;
	char why[256];

	if (strncmp(has, "schema ", 7) == 0)
		snprintf(text, sizeof(text),
			 "[{\"name\":\"t\",\"inputSchema\":%s}]", has + 7);
	else
		strcpy(text, has);
	source.text = text;
	source.len = strlen(text);
	list = policy_list_read(&source);
	assert_non_null(list);
	assert_null(policy_list_fault(list, why, sizeof(why)));
	return list;
}

TEST(warnings_are_told)
{
	struct rows r = {.file = "check.tsv", .table = "warnings"};

	while (rows_next(&r)) {
		const char *words = r.field[1];
		struct said said;
		struct policy *p = rows_load(&r, r.field[0]);
		struct policy_list *list =
			*r.field[2] ? read_list(r.field[2]) : NULL;
		int count;

		clear(&said);
		count = policy_warn(p, list, listen, &said);
		row_check(count == said.lines && count == (*words != '\0') &&
				  strstr(said.text, words),
			  "%s: %s", r.place, said.text);
		policy_list_free(list);
		policy_free(p);
	}
}

/* What is no list, and why. */
TEST(other_files_are_no_lists)
{
	static const char *const rows[][2] = {
		{"", "no list of tools; expected a reply"},
		{"{\"tools\":[{\"name\":\"t\"}", "line 1, column 23 on: "},
		{"{\"tools\":[\n{\"name\":\"t\",}\n]}", "line 2, column 13 on"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "no list of"},
		{"{\"a\":1}", "no list of tools"},
		{"{\n\"a\":,\n\"x\"\n", "line 2, column 5 on"},
	};
	char words[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_source source = {.name = "list",
					       .text = rows[i][0],
					       .len = strlen(rows[i][0])};
		struct policy_list *list = policy_list_read(&source);
		const char *fault;

		assert_non_null(list);
		fault = policy_list_fault(list, words, sizeof(words));
		if (fault && !strstr(fault, rows[i][1]))
			print_error("%s\n", fault);
		row_true(rows[i][0], fault && strstr(fault, rows[i][1]));
		policy_list_free(list);
	}
}

RUN(NULL, NULL)
