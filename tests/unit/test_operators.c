/* The table of operators, and what the man page and the schema say of it. */
#include "unit.h"

#include <json-parser/json.h>
#include <stdlib.h>

#include "../../policies/internal.h"

#define FILE_BYTES 262144

static char *read_file(const char *path)
{
	char *text = calloc(1, FILE_BYTES);
	FILE *f = fopen(path, "r");

	assert_non_null(text);
	row_true(path, f);
	row_true(path, fread(text, 1, FILE_BYTES - 1, f) > 0);
	fclose(f);
	return text;
}

/* A set of types in words, as the man page has it. */
static void put_set(char *out, unsigned set)
{
	static const char *const words[] = {"string", "number", "array",
					    "true",   "false",  "null"};
	static const enum type types[] = {TYPE_STRING,  TYPE_NUMBER,
					  TYPE_ARRAY,   TYPE_BOOLEAN,
					  TYPE_BOOLEAN, TYPE_NULL};

	strcpy(out, set ? "" : "the key");
	for (size_t i = 0; i < COUNT(types); i++) {
		if (!(set >> types[i] & 1))
			continue;
		strcat(out, *out ? ", " : "");
		strcat(out, words[i]);
	}
}

/* ---- the man page ---------------------------------------------------- */

/* Its table has these rows, in this order, and no more. */
TEST(the_man_page_has_the_table)
{
	char *page = read_file("policies/weir-policy.5"), about[64], row[256];
	const char *at;
	int width = 0;

	for (size_t i = 0; i < OP_COUNT; i++)
		if ((int)strlen(operators[i].name) > width)
			width = (int)strlen(operators[i].name);
	snprintf(row, sizeof(row), "\n%-*s  about", width, "op");
	at = strstr(page, row);
	row_true(row, at);
	at = strchr(at + 1, '\n') + 1;
	for (size_t i = 0; i < OP_COUNT; i++) {
		const struct operator* o = & operators[i];

		put_set(about, o->about);
		snprintf(row, sizeof(row), "%-*s  %-33s  %s\n", width, o->name,
			 about, o->compares);
		row_true(row, strncmp(at, row, strlen(row)) == 0);
		at += strlen(row);
	}
	assert_true(strncmp(at, ".Ed\n", 4) == 0);
	free(page);
}

/* ---- the schema ------------------------------------------------------ */

static const json_value *member(const json_value *v, const char *key)
{
	for (unsigned i = 0; v && i < v->u.object.length; i++)
		if (strcmp(v->u.object.values[i].name, key) == 0)
			return v->u.object.values[i].value;
	return NULL;
}

/* What a schema refers to in $defs, or itself. */
static const json_value *resolve(const json_value *root, const json_value *v)
{
	const json_value *ref = member(v, "$ref");

	return ref ? member(member(root, "$defs"),
			    strrchr(ref->u.string.ptr, '/') + 1)
		   : v;
}

static unsigned set_of(const char *type)
{
	static const char *const words[] = {
		[TYPE_NULL] = "null",     [TYPE_BOOLEAN] = "boolean",
		[TYPE_NUMBER] = "number", [TYPE_STRING] = "string",
		[TYPE_ARRAY] = "array",
	};

	if (strcmp(type, "integer") == 0)
		return SET_NUMBER;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], type) == 0)
			return 1u << i;
	return 0;
}

/* The types that a schema of a value allows. */
static unsigned types_of(const json_value *root, const json_value *v)
{
	const json_value *type = member(resolve(root, v), "type");
	unsigned set = 0;

	if (type && type->type == json_string)
		return set_of(type->u.string.ptr);
	for (unsigned i = 0; type && i < type->u.array.length; i++)
		set |= set_of(type->u.array.values[i]->u.string.ptr);
	return set;
}

/* Does the condition of a rule name the operator? */
static bool names(const json_value *rule, const char *name)
{
	const json_value *op =
		member(member(member(rule, "if"), "properties"), "op");
	const json_value *one = member(op, "const"), *all = member(op, "enum");

	for (unsigned i = 0; all && i < all->u.array.length; i++)
		if (strcmp(all->u.array.values[i]->u.string.ptr, name) == 0)
			return true;
	return one && strcmp(one->u.string.ptr, name) == 0;
}

/* The operators in the same order, and the types of what each compares with. */
TEST(the_schema_has_the_table)
{
	char *text = read_file("policies/policy.schema.json");
	json_value *root = json_parse(text, strlen(text));
	const json_value *c = member(member(root, "$defs"), "condition");
	const json_value *op = member(member(c, "properties"), "op");
	const json_value *words = member(op, "enum"), *all = member(c, "allOf");

	assert_non_null(words);
	assert_non_null(all);
	assert_int_equal(words->u.array.length, OP_COUNT);
	for (size_t i = 0; i < OP_COUNT; i++) {
		const char *name = operators[i].name;
		unsigned set = 0;

		row_true(name, strcmp(words->u.array.values[i]->u.string.ptr,
				      name) == 0);
		row_true(name,
			 strstr(member(op, "description")->u.string.ptr, name));
		for (unsigned k = 0; k < all->u.array.length; k++) {
			const json_value *rule = all->u.array.values[k];

			if (names(rule, name))
				set |= types_of(
					root,
					member(member(member(rule, "then"),
						      "properties"),
					       "value"));
		}
		row_true(name, set == operators[i].operand);
	}
	json_value_free(root);
	free(text);
}

/* ---- the loader ------------------------------------------------------ */

static void count_line(void *context, const char *line)
{
	(void)line;
	++*(int *)context;
}

/* A value of any other type does not load; of each type of the row, one does.
 */
TEST(operands_have_their_types)
{
	static const char *const values[][4] = {
		[TYPE_NULL] = {"null"},
		[TYPE_BOOLEAN] = {"true"},
		[TYPE_NUMBER] = {"1"},
		[TYPE_STRING] = {"\"/a\"", "\"a.example\""},
		[TYPE_ARRAY] = {"[1]", "[\"/a\"]", "[\"a.example\"]"},
		[TYPE_OBJECT] = {"{}"},
	};
	char text[512];

	for (size_t i = 0; i < OP_COUNT; i++)
		for (size_t type = 0; type < COUNT(values); type++) {
			bool loads = false;

			for (int k = 0; k < 4 && values[type][k]; k++) {
				int faults = 0;
				struct policy *p;

				snprintf(text, sizeof(text),
					 "{\"version\":\"1\",\"default\":"
					 "\"allow\",\"tools\":{\"t\":{"
					 "\"require\":[{\"path\":\"args.a\","
					 "\"op\":\"%s\",\"value\":%s}]}}}",
					 operators[i].name, values[type][k]);
				p = COMPILE(text, count_line, &faults);
				loads |= p != NULL;
				policy_free(p);
			}
			row_true(text,
				 loads == (operators[i].operand >> type & 1));
		}
}

/* The types that a condition is about: those of its operand, if that says. */
TEST(conditions_are_about_types)
{
	static const struct {
		const char *op, *value;
		unsigned about;
	} rows[] = {
		{"eq", "\"a\"", SET_STRING},
		{"neq", "1", SET_NUMBER},
		{"eq", "null", SET_SCALAR},
		{"in", "[1,true]", SET_NUMBER | SET_BOOLEAN},
		{"lt", "1", SET_NUMBER},
		{"contains", "\"a\"", SET_STRING | SET_ARRAY},
		{"contains", "1", SET_ARRAY},
		{"exists", "true", SET_KEY},
		{"regex", "\"a\"", SET_STRING},
		{"under", "\"/a\"", SET_STRING},
	};
	char text[512];

	for (size_t i = 0; i < COUNT(rows); i++) {
		int faults = 0;
		struct policy *p;

		snprintf(text, sizeof(text),
			 "{\"version\":\"1\",\"default\":\"allow\","
			 "\"tools\":{\"t\":{\"require\":[{\"path\":\"args.a\","
			 "\"op\":\"%s\",\"value\":%s}]}}}",
			 rows[i].op, rows[i].value);
		p = COMPILE(text, count_line, &faults);
		row_true(text, p);
		row_true(text, condition_about(&policy_rules_after(p, NULL)
							->require.list[0]) ==
				       rows[i].about);
		policy_free(p);
	}
}

RUN(NULL, NULL)
