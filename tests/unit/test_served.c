/*
 * Answers among the server's lines: which call a line answers, however it comes
 * in pieces, and which lines answer none.
 */
#include "unit.h"

#include <stdio.h>

#include "../../shim/served.h"

#define RPC "\"jsonrpc\":\"2.0\","

#define row_same(name, got, want) row_true(name, (got) == (want))

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

static const struct row {
	const char *name;
	const char *id; /* of the call that waits */
	bool answers, error;
	const char *line; /* ~ stands for what is too long to be looked at */
} rows[] = {
	{"a result", "1", true, false, "{" RPC "\"id\":1,\"result\":{}}"},
	{"its id last", "1", true, false, "{\"result\":{}," RPC "\"id\":1}"},
	{"white space", "1", true, false,
	 " \t{ \"id\" : 1 , \"result\" : { } } \t\r"},
	{"a byte order mark", "1", true, false,
	 "\xEF\xBB\xBF{\"id\":1,\"result\":{}}"},
	{"an error", "1", true, true,
	 "{\"id\":1,\"error\":{\"code\":1,\"message\":\"m\"}}"},
	{"no error", "1", true, false,
	 "{\"id\":1,\"result\":{},\"error\":null}"},
	{"the tool's error", "1", true, true,
	 "{\"id\":1,\"result\":{\"isError\":true,\"content\":[]}}"},
	{"none of the tool's", "1", true, false,
	 "{\"id\":1,\"result\":{\"isError\":false}}"},
	{"an error of something else", "1", true, false,
	 "{\"id\":1,\"result\":{\"a\":{\"isError\":true}}}"},
	{"a string", "\"a\"", true, false, "{\"id\":\"a\",\"result\":1}"},
	{"spelled otherwise", "\"\\u0061\"", true, false,
	 "{\"id\":\"a\",\"result\":1}"},
	{"and so by the server", "\"\xC3\xA9\"", true, false,
	 "{\"id\":\"\\u00e9\",\"result\":1}"},
	{"half an escape", "\"a\"", false, false,
	 "{\"id\":\"\\u00\",\"result\":1}"},
	{"a string is no number", "1", false, false,
	 "{\"id\":\"1\",\"result\":1}"},
	{"a longer number", "1", false, false, "{\"id\":12,\"result\":1}"},
	{"null", "1", false, false, "{\"id\":null,\"result\":1}"},
	{"the server's request", "1", false, false,
	 "{\"id\":1,\"method\":\"roots/list\",\"result\":1}"},
	{"its method last", "1", false, false,
	 "{\"id\":1,\"params\":{\"a\":1},\"method\":\"x\",\"error\":1}"},
	{"neither result nor error", "1", false, false, "{\"id\":1}"},
	{"a notification", "1", false, false,
	 "{" RPC "\"method\":\"x\",\"params\":{\"id\":1}}"},
	{"noise", "1", false, false, "\"id\":1,\"result\":1"},
	{"words before it", "1", false, false, "log: {\"id\":1,\"result\":1}"},
	{"an array", "1", false, false, "[{\"id\":1,\"result\":1}]"},
	{"an id inside", "1", false, false, "{\"result\":{\"id\":1},\"id\":2}"},
	{"an id in a text", "1", false, false,
	 "{\"result\":\",\\\"id\\\":1}\",\"id\":2}"},
	{"two ids", "1", false, false, "{\"id\":1,\"result\":1,\"id\":2}"},
	{"the same one twice", "1", true, false,
	 "{\"id\":1,\"result\":1,\"id\":1}"},
	{"another key", "1", false, false, "{\"ID\":1,\"result\":1,\"i\":1}"},
	{"a value like a key", "1", false, false,
	 "{\"a\":\"id\",\"b\":1,\"result\":1}"},
	{"nothing", "1", false, false, ""},
	{"a brace", "1", false, false, "{"},
	{"no end", "1", false, false, "{\"id\":1,\"result\":{\"a"},

	{"long", "1", true, false, "{\"id\":1,\"result\":\"~\"}"},
	{"long, its id last", "1", true, false,
	 "{\"result\":{\"content\":[{\"text\":\"~\"}]}," RPC "\"id\":1}"},
	{"long, an error last", "1", true, true,
	 "{\"id\":1,\"result\":{\"a\":\"~\",\"isError\":true}}"},
	{"long, all of it last", "1", true, true,
	 "{\"result\":{\"a\":\"~\",\"isError\":true},\"id\":1}"},
	{"long, the same id from both ends", "1", true, false,
	 "{\"id\":1,\"result\":\"~\",\"id\":1}"},
	{"long, two ids", "1", false, false,
	 "{\"id\":1,\"result\":\"~\",\"id\":2}"},
	{"long, its id between", "1", false, false,
	 "{\"result\":\"~\",\"id\":1,\"a\":\"~\"}"},
	{"long, an id in a text at the end", "1", false, false,
	 "{\"result\":\"~,\\\"id\\\":1}\",\"id\":2}"},
	{"long, an id inside at the end", "1", false, false,
	 "{\"result\":{\"a\":\"~\",\"id\":1},\"id\":2}"},
	{"long, an id in what is escaped", "1", false, false,
	 "{\"result\":\"~\\\\\\\",\\\"id\\\":1,\\\"a\\\":1}\"}"},
	{"long, backslashes before a quote", "1", true, false,
	 "{\"result\":\"~\\\\\",\"id\":1}"},
	{"long, white space", "1", true, false,
	 "{\"result\":\"~\" , \"id\" : 1 } \r"},
	{"long, a request", "1", false, false,
	 "{\"id\":1,\"params\":{\"a\":\"~\",\"result\":1},\"method\":\"x\"}"},
	{"long, no end", "1", false, false, "{\"id\":1,\"result\":\"~"},
	{"long noise", "1", false, false, "~"},
	{"long noise with an end", "1", false, false,
	 "~{\"result\":1,\"id\":1}"},
};

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

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		const size_t len = spell(row->line, line);
		const size_t cuts = len < 64 ? len : 64;

		for (size_t cut = 0; cut < len + cuts; cut++) {
			struct served *s = served_new();
			struct served_line l = {.call = NULL};
			const size_t first = cut < len ? cut : 0;

			served_add(s, id_of(row->id), false);
			feed(s, line, first, len, &l);
			feed(s, line + first, len - first,
			     cut < len ? len : cut - len + 1, &l);
			row_same(row->name, l.call != NULL, row->answers);
			row_same(row->name, served_waits(s), !row->answers);
			row_same(row->name, l.bytes, len - 1);
			if (row->answers)
				row_same(row->name, l.error, row->error);
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
