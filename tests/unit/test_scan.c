/* Strict JSON text: what is read, what is refused, and where. */
#include "edge.h"

#include <stdlib.h>

#include "../../parser/scan.h"

static struct fault read_all(const char *text, size_t len)
{
	char *edge = at_the_edge(text, len);
	struct scan r;
	const char *p = scan_begin(&r, edge, len);

	p = scan_value(&r, scan_space(&r, p));
	if (p)
		scan_end(&r, p);
	let_go(edge, len);
	return r.fault;
}

/* Texts, "|" between, @ where the fault is.  What is no JSON is told before
 * what is in doubt, and of that the first. */
static const struct {
	const char *reason; /* a part of it; NULL: no fault */
	bool doubt;
	const char *texts;
} values[] = {
	{NULL, false,
	 "null|true|false| [ ] |{}|\t{ \"a\" : [ 1 , -2.5e+3 , \"x\" ] }\t|0"
	 "|-0|0.0e-0|1E5|\"\"|\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""
	 "|\"\\ud83d\\ude00\"|\"\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC\x7F\""
	 "|[[[[]]],{\"a\":{\"b\":[{}]}}]|\"\\u0000\\ud800\""},
	{"value was expected", false,
	 "@| @|@nul|@nulL|@True|@NaN|@Infinity|@'a'|@/**/1|@+1|@.5|[1,@]"
	 "|[@,1]|[@|[1,@|{@|{\"a\":@|{\"a\":@}|{\"a\":1,@|@\n1|@\v1"
	 "|\r{\"__proto__\":@}"},
	{"without a digit", false,
	 "-@|-@a|1.@|1.@e1|1e@|1e+@|[1.@,1]|{\"a\":-@}"},
	{"begins with 0", false, "0@1|-0@0|[0@1,1]|{\"a\":0@0}|[-0@1,1]"},
	{"more than one", false, "0@x1|1 @2|{}@{}|[]@]"},
	{"comma", false, "[1 @2]|[1@|{\"a\":1@]|[1@}"},
	{"colon", false, "{\"a\"@|{\"a\" @1}"},
	{"string was expected", false, "{\"a\":1,@}|{@a:1}|{@1:1}"},
	{"without its end", false, "\"@|\"a@|\"@\\|\"\\\"@"},
	{"escape", false, "\"@\\q\"|\"@\\U0041\""},
	{"hex", false, "\"@\\u12\"|\"@\\u12g4\"|\"@\\u123"},
	{"control", false, "\"@\t\"|\"@\x1F\"|\"@\n\""},
	{"UTF-8", false,
	 "\"@\x80\"|\"@\xC0\xAF\"|\"@\xC1\xBF\"|\"@\xC3\"|\"@\xC3"
	 "|\"@\xE0\x9F\x80\"|\"@\xE2\x82\"|\"@\xE2\x82|\"@\xED\xA0\x80\""
	 "|\"@\xF0\x8F\xBF\xBF\"|\"@\xF0\x9F\x98\"|\"@\xF4\x90\x80\x80\""
	 "|\"@\xF5\x80\x80\x80\"|\"@\xFE\""},
	{"CR", true, "@\r1|[1,@\r2]|1@\r|@\r{\"__proto__\":1}"},
	{"__proto__", true,
	 "{\"a\":{@\"__proto__\":1}}|{@\"\\u005f_proto__\":1}"},
	{"$serde_json", true,
	 "[{@\"$serde_json::private::RawValue\":\"1\"}]"
	 "|{\"a\":{@\"$serde_json::private::\":1}}"
	 "|{@\"$serde_json:\\u003aprivate::Number\":1}"},
	{"u0000", true, "{@\"a\\u0000\":1}"},
	{"surrogate", true, "{@\"\\ud800\":1}|{@\"\\udc00\\ud800\":1}"},
};

/* The text behind so many spaces, which shift it against the steps in which
 * text is looked at, up to its end. */
static void check_value(const char *text, size_t len, const char *reason,
			bool doubt, size_t spaces)
{
	const char *at = memchr(text, '@', len);
	size_t before = at ? (size_t)(at - text) : len;
	char padded[512];
	struct fault f;

	memset(padded, ' ', spaces);
	memcpy(padded + spaces, text, before);
	if (at)
		memcpy(padded + spaces + before, at + 1, len - before - 1);
	f = read_all(padded, spaces + len - (at != NULL));
	row_true(text, !f.reason == !reason);
	if (!f.reason)
		return;
	row_true(text, strstr(f.reason, reason));
	row_true(text, f.offset == before + spaces);
	row_true(text, f.grammar == !doubt);
}

TEST(reads_values)
{
	for (size_t i = 0; i < COUNT(values); i++) {
		const char *text = values[i].texts;

		for (;; text = strchr(text, '|') + 1) {
			size_t len = strcspn(text, "|");

			for (size_t spaces = 0; spaces < 130; spaces++)
				check_value(text, len, values[i].reason,
					    values[i].doubt, spaces);
			if (!text[len])
				break;
		}
	}
}

/* A string of any length, between others, with the end of what can be read
 * behind it or in it. */
TEST(reads_long_strings)
{
	char text[512];

	for (size_t len = 0; len < 300; len++) {
		size_t used = (size_t)sprintf(text, "[\"a\",\"%0*d\",\"b\\n\"]",
					      (int)len + 1, 0);

		assert_null(read_all(text, used).reason);
		assert_int_equal(read_all(text, used - 6).offset, used - 6);
		assert_int_equal(read_all(text, used - 8).offset, used - 8);
		text[6] = '\x1F';
		assert_int_equal(read_all(text, used).offset, 6);
	}
}

TEST(refuses_nul_bytes)
{
	assert_non_null(read_all("1\0", 2).reason);
	assert_non_null(read_all("\0001", 2).reason);
	assert_non_null(read_all("\"\0\"", 3).reason);
	assert_non_null(read_all("\"\\\0\"", 4).reason);
}

/* Every cut of a value ends at the edge: none is read as whole. */
TEST(cuts_are_no_values)
{
	static const char text[] =
		"{\"a\":[1,{\"b\":\"\\u00e9\\ud83d\\ude00\xE2\x82\xAC\"},null]}";

	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_true(read_all(text, len).grammar);
	assert_null(read_all(text, sizeof(text) - 1).reason);
}

static void check_depth(char open, char close, int depth, bool good)
{
	char text[1024];
	size_t len = 0;
	struct fault f;

	for (int i = 0; i < depth; i++) {
		text[len++] = open;
		if (open == '{' && i < depth - 1) {
			memcpy(text + len, "\"\":", 3);
			len += 3;
		}
	}
	for (int i = 0; i < depth; i++)
		text[len++] = close;
	f = read_all(text, len);
	assert_int_equal(!f.reason, good);
	assert_false(f.grammar);
}

TEST(depth_is_bounded)
{
	check_depth('[', ']', SCAN_DEPTH_MAX, true);
	check_depth('[', ']', SCAN_DEPTH_MAX + 1, false);
	check_depth('{', '}', SCAN_DEPTH_MAX, true);
	check_depth('{', '}', SCAN_DEPTH_MAX + 1, false);
}

/* Objects and arrays in turn, at every depth: each bracket is matched by its
 * own kind. */
TEST(brackets_match)
{
	char text[4 * SCAN_DEPTH_MAX];
	size_t len = 0, close;

	for (int i = 0; i < SCAN_DEPTH_MAX; i += 2) {
		memcpy(text + len, "[{\"\":", 5);
		len += 5;
	}
	text[len++] = '0';
	close = len;
	for (int i = 0; i < SCAN_DEPTH_MAX; i += 2) {
		memcpy(text + len, "}]", 2);
		len += 2;
	}
	assert_null(read_all(text, len).reason);
	for (; close < len; close++) {
		char was = text[close];

		text[close] = was == '}' ? ']' : '}';
		assert_true(read_all(text, len).grammar);
		text[close] = was;
	}
}

static struct text text_of(const char *quoted)
{
	struct scan r;
	struct text text = {.ptr = NULL};

	scan_begin(&r, quoted, strlen(quoted));
	assert_non_null(scan_string(&r, quoted, &text));
	return text;
}

static const struct {
	const char *quoted, *plain;
	bool is, resembles;
} names[] = {
	{"\"name\"", "name", true, true},
	{"\"n\\u0061me\"", "name", true, true},
	{"\"NAME\"", "name", false, true},
	{"\"Na\\u004de\"", "name", false, true},
	{"\" name\\t\"", "name", false, true},
	{"\"\\u00a0name\\ufeff\"", "name", false, true},
	{"\"param\\u017f\"", "params", false, true},
	{"\"params\xC5\xBF\"", "params", false, false},
	{"\"tas\xE2\x84\xAA\"", "task", false, true},
	{"\"tools\\/call\"", "tools/call", true, true},
	{"\"tools\\u002fcall\"", "tools/call", true, true},
	{"\"nam\"", "name", false, false},
	{"\"names\"", "name", false, false},
	{"\"name\\u0000\"", "name", false, true},
	/* White space and format characters, and what is next to them. */
	{"\"\\u007f\\u0080\\u1680name\\u2000\\u200f\\u2028\\u202f\"", "name",
	 false, true},
	{"\"\\u205f\\u206f\\u3000\\u0009name\\u00a0\"", "name", false, true},
	{"\"\\u00a1name\"", "name", false, false},
	{"\"name\\u1fff\"", "name", false, false},
	{"\"name\\u2010\"", "name", false, false},
	{"\"name\\u2027\"", "name", false, false},
	{"\"name\\u2030\"", "name", false, false},
	{"\"name\\u205e\"", "name", false, false},
	{"\"name\\u2070\"", "name", false, false},
	{"\"name\\u0301\"", "name", false, false},
	{"\"na me\"", "name", false, false},
	{"\"\"", "name", false, false},
	{"\" \"", "name", false, false},
	{"\"\x7Fname\"", "name", false, true},
	{"\"_name\"", "_NAME", false, true},
	{"\"name\x7F\"", "name", false, true},
	{"\"\xEF\xBD\x8E"
	 "ame\"",
	 "name", false, false},
	{"\"\xC3\xA9\\ud83d\\ude00\"", "\xC3\xA9\xF0\x9F\x98\x80", true, false},
};

TEST(compares_as_readers_do)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		struct text text = text_of(names[i].quoted);
		size_t len = strlen(names[i].plain);
		struct text other = {.ptr = names[i].plain, .len = len};

		row_true(names[i].quoted,
			 text_is(text, names[i].plain, len) == names[i].is);
		row_true(names[i].quoted,
			 text_equal(other, text) == names[i].is);
		row_true(names[i].quoted,
			 text_resembles(text, names[i].plain, len) ==
				 names[i].resembles);
	}
}

TEST(strings_have_quotes)
{
	struct scan r;
	struct text text;

	assert_null(scan_string(&r, scan_begin(&r, "a\"", 2), &text));
	assert_true(r.fault.grammar);
	assert_int_equal(r.fault.offset, 0);
}

static const struct {
	const char *quoted, *plain; /* NULL: cannot be decoded */
} decoded[] = {
	{"\"\"", ""},
	{"\"abc\"", "abc"},
	{"\"\\b\\f\\n\\r\\t\\\"\\\\\\/\"", "\b\f\n\r\t\"\\/"},
	{"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
	 "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
	{"\"A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\n\"",
	 "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n"},
	{"\"\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80"},
	{"\"\\ud800\"", NULL},
	{"\"x\\ude00\\ud83d\"", NULL},
};

TEST(decodes)
{
	char out[32];

	for (size_t i = 0; i < COUNT(decoded); i++) {
		struct text text = text_of(decoded[i].quoted);
		ptrdiff_t len = text_decode(text, out, sizeof(out));
		const char *plain = decoded[i].plain;

		if (!plain) {
			row_true(decoded[i].quoted, len == -1);
			continue;
		}
		row_true(decoded[i].quoted,
			 len == (ptrdiff_t)strlen(plain) &&
				 !memcmp(out, plain, (size_t)len));
		/* Room for all of it, and for all but one byte of it. */
		row_true(decoded[i].quoted,
			 text_decode(text, out, strlen(plain)) == len);
		if (len > 0)
			row_true(decoded[i].quoted,
				 text_decode(text, out, strlen(plain) - 1) ==
					 -1);
	}
}

/* Tokens that begin and end at every place around the end of a window, on each
 * side of a block's end: behind a string, a number, white space that is a stop
 * and white space that is none, and an escape. */
static const struct {
	const char *head;
	char fill;
	const char *rest;
} windows[] = {
	{"[\"", 'x', "\",{\"key\":\"value\",\"\":\"\\n\"},\"\",\"b\"]"},
	{"[1", '7', ",{\"k\":[\"a\",\"\",1]},\"b\"]"},
	{"[", '\t', "{\"k\"\t:\t\"v\"\t,\t\"l\" : [ ] }\t]"},
	{"{\"k\":", ' ', "\"v\", \"l\": [1, \"b\"]}"},
	{"[\"", 'x', "\\\"\xE2\x82\xAC\\\\\",\"\\u00e9\",\"b\\\"\"]"},
};

TEST(strings_meet_the_window)
{
	static char text[2 * SCAN_WINDOW + 256];

	for (size_t i = 0; i < COUNT(windows); i++)
		/* What is behind the value moves it against the blocks. */
		for (size_t at = 0; at < 140 * 32; at++) {
			const char *rest = windows[i].rest;
			size_t len = SCAN_WINDOW - 70 + at / 32;
			size_t behind = at % 32 * 2 + i % 2;
			size_t all = len + strlen(rest);

			memset(text, windows[i].fill, len);
			memcpy(text, windows[i].head, strlen(windows[i].head));
			memcpy(text + len, rest, strlen(rest));
			memset(text + all, ' ', behind);
			row_true(rest, !read_all(text, all + behind).reason);
			/* Without its last bracket it is no value. */
			text[all - 1] = ' ';
			row_true(rest, read_all(text, all + behind).reason);
		}
}

RUN(NULL, NULL)
