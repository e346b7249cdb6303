/*
 * Answers among the server's lines: which call a line answers, however it comes
 * in pieces, and which lines answer none.
 */
#include "rows.h"

#include <stdio.h>

#include "../../shim/served.h"

static struct span id_of(const char *id)
{
	return (struct span){id, strlen(id)};
}

/* So much of anything: longer than both ends together. */
static char *pad(void)
{
	static char text[3 * SERVED_LOOK];

	memset(text, 'x', sizeof(text) - 1);
	return text;
}

/* The line of a row, with its line end. */
static size_t spell(const char *from, char *line)
{
	char *to = line;

	for (; *from; from++)
		to = *from == '~' ? stpcpy(to, pad()) : (*to = *from, to + 1);
	*to++ = '\n';
	return (size_t)(to - line);
}

static void feed(struct served *s, const char *p, size_t len, size_t piece,
		 struct served_line *line)
{
	while (len > 0) {
		size_t used =
			served_take(s, p, piece < len ? piece : len, line);

		assert_true(used > 0);
		p += used;
		len -= used;
		assert_true(!line->call || len == 0);
	}
}

/* In two pieces, cut at every byte, and in pieces of every small size. */
TEST(lines_answer_calls)
{
	static char line[8 * SERVED_LOOK];
	struct rows r = {.file = "served.tsv", .table = "lines"};

	while (rows_next(&r)) {
		const bool answers = strcmp(r.field[2], "-") != 0;
		const bool error = strcmp(r.field[2], "error") == 0;
		const size_t len = spell(r.field[3], line);
		const size_t cuts = len < 64 ? len : 64;

		for (size_t cut = 0; cut < len + cuts; cut++) {
			struct served *s = served_new();
			struct served_line l = {.call = NULL};
			const size_t first = cut < len ? cut : 0;

			served_add(s, id_of(r.field[1]), false);
			feed(s, line, first, len, &l);
			feed(s, line + first, len - first,
			     cut < len ? len : cut - len + 1, &l);
			row_true(r.place, (l.call != NULL) == answers);
			row_true(r.place, served_waits(s) == !answers);
			row_true(r.place, l.bytes == len - 1);
			row_true(r.place, !answers || l.error == error);
			served_free(s);
		}
	}
}

/* How many of the lines answer a call. */
static int answered(struct served *s, const char *lines)
{
	size_t len = strlen(lines);
	struct served_line line;
	int count = 0;

	while (len > 0) {
		size_t used = served_take(s, lines, len, &line);

		count += line.call != NULL;
		lines += used;
		len -= used;
	}
	return count;
}

TEST(many_lines_at_once)
{
	struct served *s = served_new();

	assert_false(served_waits(NULL));
	assert_false(served_waits(s));
	served_add(s, id_of("1"), false);
	served_add(s, id_of("2"), false);
	served_add(s, id_of("2"), false)->seq = 7;
	assert_int_equal(answered(s, "\n\nnoise\n{\"id\":2,\"result\":1}\n"
				     "{\"id\":3,\"result\":1}\n"
				     "{\"id\":1,\"result\":1}\n{\"id\":2,"),
			 2);
	assert_true(served_waits(s));
	assert_int_equal(answered(s, "\"result\":1}\n{"), 1);
	assert_false(served_waits(s));
	served_free(s);
}

/* What the server had begun before is no answer, and what follows on that line
 * is none either, until weir ends the line. */
TEST(half_a_line)
{
	struct served *s = served_new();

	served_add(s, id_of("1"), true);
	assert_int_equal(answered(s, "{\"id\":1,\"result\":1}\n"), 0);
	assert_int_equal(answered(s, "{\"id\":1,\"result\":1}\n"), 1);
	served_add(s, id_of("1"), true);
	served_break(s);
	assert_int_equal(answered(s, "{\"id\":1,\"result\":1}\n"), 1);
	served_free(s);
}

/* One more than there is room for: the oldest is forgotten. */
TEST(the_oldest_is_forgotten)
{
	struct served *s = served_new();
	char id[16], line[64];

	for (int i = 0; i <= SERVED_CALLS; i++) {
		snprintf(id, sizeof(id), "%d", i);
		served_add(s, id_of(id), false)->seq = (uint64_t)i;
	}
	for (int i = SERVED_CALLS; i >= 0; i--) {
		snprintf(line, sizeof(line), "{\"id\":%d,\"result\":1}\n", i);
		assert_int_equal(answered(s, line), i > 0);
	}
	assert_false(served_waits(s));
	served_free(s);
}

/* Of two calls with one id, the first is answered first; and what is said of a
 * call is what was kept of that. */
TEST(calls_keep_what_is_theirs)
{
	static const char line[] = "{\"id\":1,\"result\":1}\n";
	struct served *s = served_new();
	struct served_line l;

	for (uint64_t i = 0; i < 3; i++)
		served_add(s, id_of("1"), false)->seq = i;
	for (uint64_t i = 0; i < 3; i++) {
		served_take(s, line, sizeof(line) - 1, &l);
		assert_non_null(l.call);
		assert_int_equal(l.call->seq, i);
		assert_memory_equal(l.call->id, "1", l.call->id_len);
	}
	served_free(s);
}

RUN(NULL, NULL)
