/* The classes of tools.  Another table of the same form as its argument: how
 * many of its rows are of the class that it gives. */
#include "rows.h"

#include "../../shim/verbs/classify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE  "tests/unit/classes.tsv"
#define SOURCE "shim/verbs/classify.c"

static char *read_file(const char *name)
{
	FILE *f = fopen(name, "r");
	char *text = calloc(1, 1 << 20);

	if (!f || !text) {
		perror(name);
		exit(2);
	}
	if (fread(text, 1, (1 << 20) - 1, f) == 0)
		exit(2);
	fclose(f);
	return text;
}

TEST(classes_are_those_of_the_table)
{
	struct rows r = {.file = TABLE};
	int count = 0;

	for (; rows_next(&r); count++) {
		struct classified c = classify(r.field[1], "", r.field[3], 0);

		row_check(strcmp(class_names[c.class], r.field[2]) == 0,
			  "%s: %s (%s): %s: %s", r.place, r.field[1],
			  r.field[3], class_names[c.class], c.why);
	}
	assert_true(count >= 400);
}

/* Every verb of the source is in a row of the table. */
TEST(every_verb_has_a_row)
{
	char *table = read_file(TABLE), *source = read_file(SOURCE);
	char *at = strstr(source, "} verbs[] = {"), *end;
	int count = 0, missing = 0;

	assert_non_null(at);
	end = strstr(at, "\n};");
	assert_non_null(end);
	*end = '\0';
	for (char *quoted; (quoted = strsep(&at, "\"")) && at;) {
		char *words = strsep(&at, "\""), *word;

		while ((word = strsep(&words, " "))) {
			count += *word != '\0';
			if (!*word || strcasestr(table, word))
				continue;
			missing++;
			/* A pair may be two words in a description. */
			for (char *p = strchr(word, '_'); p; p = NULL) {
				*p = ' ';
				missing -= strcasestr(table, word) != NULL;
			}
			if (!strcasestr(table, word))
				printf("no row has the verb %s\n", word);
		}
	}
	free(table);
	free(source);
	assert_int_equal(missing, 0);
	assert_true(count > 400);
}

TEST(titles_and_hints_make_it_stricter_only)
{
	static const struct {
		const char *name, *title, *description;
		unsigned hints;
		enum tool_class class;
	} rows[] = {
		{"get_x", "Get X", "", 0, CLASS_READ},
		{"get_x", "Delete X", "", 0, CLASS_DESTRUCTIVE},
		{"delete_x", "Get X", "", 0, CLASS_DESTRUCTIVE},
		{"frob", "List X", "", 0, CLASS_READ},
		{"frob", NULL, NULL, 0, CLASS_DESTRUCTIVE},
		{"get_x", NULL, NULL, HINT_WRITES, CLASS_WRITE},
		{"get_x", NULL, NULL, HINT_DESTROYS, CLASS_DESTRUCTIVE},
		{"get_x", NULL, NULL, HINT_WRITES | HINT_DESTROYS,
		 CLASS_DESTRUCTIVE},
		{"run_x", NULL, NULL, HINT_WRITES, CLASS_EXECUTE},
		{"run_x", NULL, NULL, HINT_DESTROYS, CLASS_DESTRUCTIVE},
		{"pay_x", NULL, NULL, HINT_DESTROYS, CLASS_FINANCIAL},
		{"", "", "", 0, CLASS_DESTRUCTIVE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct classified c =
			classify(rows[i].name, rows[i].title,
				 rows[i].description, rows[i].hints);

		if (c.class != rows[i].class)
			fail_msg("row %zu: %s: %s", i, class_names[c.class],
				 c.why);
	}
}

/* Words beyond what is kept, and texts of one byte after the other. */
TEST(long_texts_are_no_fault)
{
	char *text = calloc(1, 100001);

	for (int c = 1; c < 256; c += 9) {
		memset(text, c, 100000);
		assert_int_equal(classify(text, text, text, 0).class,
				 CLASS_DESTRUCTIVE);
	}
	for (int i = 0; i < 100000; i++)
		text[i] = "get_ "[i % 5];
	assert_int_equal(classify(text, text, text, 0).class, CLASS_READ);
	memcpy(text + 99990, " and delete", 10);
	free(text);
}

TEST(arguments_that_could_be_guarded)
{
	static const struct {
		const char *name, *type, *op;
	} rows[] = {
		{"path", "string", "under"},       {"filePath", "", "under"},
		{"output_dir", "string", "under"}, {"path", "integer", NULL},
		{"file_count", "integer", NULL},   {"url", "string", "host"},
		{"webhookUrl", "string", "host"},  {"sql", "string", "regex"},
		{"cmd", "string", "in"},           {"script", "string", "in"},
		{"amount", "number", "lte"},       {"amount", "string", NULL},
		{"total", "integer", "lte"},       {"name", "string", NULL},
		{"profile", "string", NULL},       {"", "string", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct guard *g =
			classify_argument(rows[i].name, rows[i].type);

		if (!g != !rows[i].op || (g && strcmp(g->op, rows[i].op) != 0))
			fail_msg("%s: %s", rows[i].name, g ? g->op : "none");
	}
}

/* How a table classes the same tools.  What it calls by none of the names
 * counts for nothing. */
static int measure(const char *name)
{
	int count = 0, same = 0, changing = 0, milder = 0;
	struct rows r = {.file = name};

	while (rows_next(&r)) {
		const char *tool = r.field[1], *class = r.field[2];
		struct classified c = classify(tool, "", r.field[3], 0);
		int want = 0;

		while (want < CLASSES && strcmp(class_names[want], class) != 0)
			want++;
		if (want == CLASSES)
			continue;
		count++;
		changing += want > CLASS_READ;
		milder += (int)c.class < want;
		same += (int)c.class == want;
		if ((int)c.class != want)
			printf("%s\t%s\t%s%s\t%s\t%s\n", tool, class,
			       class_names[c.class],
			       (int)c.class < want ? " (milder)" : "", c.why,
			       r.field[3]);
	}
	printf("%d of %d in the same class; of %d that change something, %d "
	       "in a milder one\n",
	       same, count, changing, milder);
	return 0;
}

int main(int argc, char **argv)
{
	return argc > 1 ? measure(argv[1]) : unit_run(NULL, NULL, NULL, NULL);
}
