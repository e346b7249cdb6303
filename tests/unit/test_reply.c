/* Lists in the server's lines: found, cut, or withheld. */
#include "unit.h"

#include <stdlib.h>

#include "../../parser/reply.h"
#include "../../parser/strbuf.h"

#define LIST(tools)                                                            \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":" tools "}}"

static const struct {
	const char *line;
	enum reply_kind kind;
	bool answers;
	const char *id; /* NULL: none */
} lines[] = {
	{"", REPLY_NOISE},
	{"npm WARN deprecated", REPLY_NOISE},
	{"[INFO] listening", REPLY_NOISE},
	{"[1,2]", REPLY_NOISE},
	{"\"{}\"", REPLY_NOISE},
	{"[{}]", REPLY_UNREAD},
	{" [ {\"id\":1}]", REPLY_UNREAD},
	{"{", REPLY_UNREAD},
	{"{ a: 1 }", REPLY_UNREAD},
	{"{}x", REPLY_UNREAD},
	/* Behind white space and a byte order mark it is read. */
	{"\xEF\xBB\xBF{}", REPLY_OTHER},
	{"\xBB\xBF" LIST("[]"), REPLY_LIST, true, "1"},
	{"\r \t{}\r\n", REPLY_OTHER},
	{"\x7F\x01{}", REPLY_UNREAD},
	{"}{}", REPLY_NOISE},
	{"log: " LIST("[]") " \v", REPLY_UNREAD},
	{"log: " LIST("[]") " x", REPLY_NOISE},
	{"[x] " LIST("[]") " x", REPLY_NOISE},
	{"}" LIST("[]") " x", REPLY_UNREAD},
	{"1} \v[" LIST("[]") "]", REPLY_UNREAD},
	{"]" LIST("[]") " x", REPLY_UNREAD},
	{"\xC2\xA0[\xC2\xA0{}]", REPLY_UNREAD},
	{"\xC2\xA1{}", REPLY_NOISE},
	{"{}", REPLY_OTHER},
	{"{\"id\":1,\"method\":\"ping\"}\r\n", REPLY_OTHER, false, "1"},
	{"{\"id\":\"a\",\"result\":{}}\n", REPLY_OTHER, true, "\"a\""},
	{"{\"id\":2,\"error\":{\"code\":1}}", REPLY_OTHER, true, "2"},
	{"{\"result\":[],\"id\":1.0}", REPLY_OTHER, true, "1.0"},
	{LIST("{}"), REPLY_OTHER, true, "1"},
	{"{\"result\":{\"a\":{\"tools\":[]}},\"id\":1}", REPLY_OTHER, true,
	 "1"},
	{"{\"tools\":[],\"id\":1}", REPLY_OTHER, false, "1"},
	{"{\"params\":{\"tools\":[]},\"id\":1}", REPLY_OTHER, false, "1"},
	{LIST("[]"), REPLY_LIST, true, "1"},
	{"{\"result\":{\"x\":1,\"t\\u006fols\":[]},\"\\u0069d\":7}", REPLY_LIST,
	 true, "7"},
	{"{\"id\":1,\"method\":\"x\",\"result\":{\"tools\":[]}}", REPLY_LIST,
	 true, "1"},
	{"{\"result\":{\"tools\":[],\"tools\":[]}}", REPLY_UNREAD, true},
	{"{\"result\":{\"tools\":[],\"Tools\":[]}}", REPLY_UNREAD, true},
	{"{\"result\":{\"TOOLS\":[]}}", REPLY_UNREAD, true},
	{"{\"result\":{\"tool\xC5\xBF\":[]}}", REPLY_UNREAD, true},
	{"{\"Result\":{\"tools\":[]}}", REPLY_UNREAD},
	{"{\"result\":{},\"result\":{\"tools\":[]}}", REPLY_UNREAD, true},
	{"{\"result\":{\"__proto__\":{\"tools\":[]}}}", REPLY_UNREAD, true},
	/* Which id it has is not certain: none. */
	{"{\"id\":1,\"id\":2,\"result\":{}}", REPLY_UNREAD, true},
	{"{\"id\":1,\"ID\":2,\"result\":{}}", REPLY_UNREAD, true},
	{"{\"id\":1,\"result\":{", REPLY_UNREAD, true},
};

TEST(kinds_are_told)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		const char *line = lines[i].line, *id = lines[i].id;
		struct reply r;

		reply_read(line, strlen(line), &r);
		row_true(line, r.kind == lines[i].kind);
		row_true(line, !r.fault.reason == (r.kind != REPLY_UNREAD));
		row_true(line, r.answers == lines[i].answers);
		row_true(line, !r.id.ptr == !id);
		if (id)
			row_true(line, r.id.len == strlen(id) &&
					       !memcmp(r.id.ptr, id, r.id.len));
	}
}

/* What follows half a line, and how much of it shows no list: while there is
 * more to come, and in the end. */
static const struct {
	const char *half, *rest;
	int some, all; /* -1: all of it */
} rests[] = {
	{"{\"id\":9,", "\"result\":{\"x\":[{},{}]}}\n", -1, -1},
	{"{\"id\":9,\"result\":", LIST("[]") "}\n", -1, -1},
	{"{\"id\":9,\"result\":[", LIST("[]") "]}\n", -1, -1},
	{"{\"id\":9,\"result\":\"", "a}{b\"}\n", 2, -1},
	{"{\"id\":9", "}" LIST("[]") "\n", 1, 1},
	{"{\"id\":9", "} \r[" LIST("[]") "]\n", 4, 4},
	{"{\"id\":9} \t", LIST("[]") "x\n", 0, 0},
	{"{\"id\":9}[", LIST("[]") "]\n", 0, 0},
	{"{\"id\":9,\"x\":\r", LIST("[]"), 0, 0},
	{"> ", LIST("[]") "\n", 0, 0},
	{"log", ": " LIST("[]") "\n", 2, 2},
	{"log", ": {} x\n", 2, -1},
	{"[", LIST("[]") "]\n", 0, 0},
};

TEST(rests_are_looked_through)
{
	for (size_t i = 0; i < COUNT(rests); i++) {
		const char *rest = rests[i].rest, *half = rests[i].half;
		int len = (int)strlen(rest);
		struct half h = {.first = 0};

		half_add(&h, "x:\n \xEF\xBB\xBF", 7);
		assert_int_equal(h.first, 0);
		half_add(&h, half, 1);
		half_add(&h, half + 1, strlen(half + 1));
		assert_int_equal(h.first, half[0]);
		row_true(half,
			 (int)reply_rest(&h, rest, (size_t)len, false) ==
				 (rests[i].some < 0 ? len : rests[i].some));
		row_true(half, (int)reply_rest(&h, rest, (size_t)len, true) ==
				       (rests[i].all < 0 ? len : rests[i].all));
	}
}

/* Keeps all but the names that begin with x, and those that are unclear.
 * context: what writes down each element, or NULL. */
static bool keep(void *context, enum reply_list list, struct text name,
		 struct span item)
{
	(void)list;
	if (context) {
		strbuf_bytes(context, item.ptr, item.len);
		strbuf_string(context, "\n");
	}
	return name.ptr && text_next(&name) != 'x';
}

#define A "{\"name\":\"a\"}"
#define B "{\"title\":\"x\",\"name\":\"b\"}"
#define X "{\"name\":\"x1\"}"
#define Y                                                                      \
	"{\"inputSchema\":{\"name\":{},\"properties\":{\"name\":{\"name\":\"a\"}}},\"name\":\"xy\"}"

static const struct {
	const char *array, *cut;
	size_t count;
} cuts[] = {
	/* Where the hidden ones stand: tests/corpus/server.tsv. */
	{"[]", "[]", 0},
	{"[ " A " , " X "," B " ]", "[ " A "," B " ]", 1},
	{"[" X "," A "," Y "," B "," X "]", "[" A "," B "]", 3},
	/* Escapes are read, and stay. */
	{"[{\"n\\u0061me\":\"\\u0078\"},{\"n\\u0061me\":\"\\u0061\"}]",
	 "[{\"n\\u0061me\":\"\\u0061\"}]", 1},
	/* Keys that look like it, from the first letter or not. */
	{"[{\"\":1,\" name\":\"a\"}," A "]", "[" A "]", 1},
	{"[{\"\x7Fname\":\"a\"}," A "]", "[" A "]", 1},
	{"[{\"nam\":1,\"names\":2,\"\xC3\xA9\":3,\"name\":\"a\"}]",
	 "[{\"nam\":1,\"names\":2,\"\xC3\xA9\":3,\"name\":\"a\"}]", 0},
	{"[{ \"name\" : \"a\" , \"nine_long\" : 1 , \"_nine_too\":2 }]",
	 "[{ \"name\" : \"a\" , \"nine_long\" : 1 , \"_nine_too\":2 }]", 0},
	/* A name that is not clear. */
	{"[1," A ",null,[],\"a\"]", "[" A "]", 4},
	{"[{\"name\":\"a\",\"Name\":\"x\"}]", "[]", 1},
	{"[{\"name\":1,\"name\":\"a\"}]", "[]", 1},
};

TEST(cuts_touch_nothing_else)
{
	for (size_t i = 0; i < COUNT(cuts); i++) {
		size_t len = strlen(cuts[i].array), cut, used;
		char *in = malloc(len), *out = malloc(len);
		struct span array = {.ptr = in, .len = len};
		char seen[2][500];
		struct strbuf items[2] = {{seen[0], 500}, {seen[1], 500}};

		memcpy(in, cuts[i].array, len);
		used = list_cut(array, REPLY_TOOLS, keep, &items[0], out, &cut);
		row_true(cuts[i].array, cut == cuts[i].count);
		row_true(cuts[i].array, used == strlen(cuts[i].cut));
		row_true(cuts[i].array, !memcmp(out, cuts[i].cut, used));
		/* And in place. */
		used = list_cut(array, REPLY_TOOLS, keep, &items[1], in, &cut);
		row_true(cuts[i].array, used == strlen(cuts[i].cut));
		row_true(cuts[i].array, !memcmp(in, cuts[i].cut, used));
		row_true(cuts[i].array,
			 items[0].len == items[1].len &&
				 !memcmp(seen[0], seen[1], items[0].len));
		if (i == 1)
			assert_memory_equal(seen[1], A "\n" X "\n" B "\n",
					    items[1].len);
		free(in);
		free(out);
	}
}

TEST(the_array_is_found)
{
	static const char line[] =
		"{\"result\":{\"a\":[],\"tools\" : [ 1 ] },\"id\":1}";
	struct reply r;

	reply_read(line, sizeof(line) - 1, &r);
	assert_int_equal(r.kind, REPLY_LIST);
	assert_int_equal(r.lists[REPLY_TOOLS].len, 5);
	assert_memory_equal(r.lists[REPLY_TOOLS].ptr, "[ 1 ]", 5);
}

/* Which changes of lists the server promises to tell. */
static const struct {
	const char *capabilities;
	unsigned changes;
} promises[] = {
	{"{}", 0},
	{"[]", 0},
	{"{\"tools\":{}}", 0},
	{"{\"tools\":true}", 0},
	{"{\"tools\":{\"listChanged\":false}}", 0},
	{"{\"tools\":{\"x\":1,\"listChanged\":true}}", 1u << REPLY_TOOLS},
	{"{\"logging\":{\"listChanged\":true}}", 0},
	{"{\"resourceTemplates\":{\"listChanged\":true}}", 0},
	{"{\"prompts\":{\"listChanged\":true},\"resources\":{\"subscribe\":"
	 "true,\"listChanged\":true}}",
	 1u << REPLY_PROMPTS | 1u << REPLY_RESOURCES},
};

TEST(promises_are_read)
{
	static const char head[] = "{\"id\":0,\"result\":{\"capabilities\":";
	char line[512];
	struct reply r;

	for (size_t i = 0; i < COUNT(promises); i++) {
		int len = snprintf(line, sizeof(line), "%s%s}}", head,
				   promises[i].capabilities);

		reply_read(line, (size_t)len, &r);
		row_true(line, r.kind == REPLY_OTHER && r.answers);
		row_true(line, r.changes == promises[i].changes);
		/* Cut short anywhere, it is no reply. */
		for (; len > (int)sizeof(head); len--) {
			line[len - 1] = '\0';
			reply_read(line, (size_t)len - 1, &r);
			row_true(line, r.kind == REPLY_UNREAD);
		}
	}
}

/* Every list of a result, by the key that names its elements. */
TEST(other_lists_are_found)
{
	static const char line[] =
		"{\"id\":1,\"result\":{\"prompts\":[{\"name\":\"x\"}],"
		"\"resourceTemplates\":[{\"uriTemplate\":\"x\"}],"
		"\"resources\":[{\"uri\":\"x\",\"name\":\"a\"}]}}";
	char out[sizeof(line)];
	struct reply r;
	size_t cut;

	reply_read(line, sizeof(line) - 1, &r);
	assert_int_equal(r.kind, REPLY_LIST);
	assert_null(r.lists[REPLY_TOOLS].ptr);
	for (int i = REPLY_PROMPTS; i < REPLY_LISTS; i++) {
		assert_non_null(r.lists[i].ptr);
		assert_int_equal(list_cut(r.lists[i], (enum reply_list)i, keep,
					  NULL, out, &cut),
				 2);
		assert_int_equal(cut, 1);
	}
}

/* A whole line, cut while it is read; the id is told where it then stands. */
static const struct {
	const char *line, *left;
	const char *id;
} passes[] = {
	{"npm WARN x", "npm WARN x"},
	{"{\"id\":1,\"result\":{}}\n", "{\"id\":1,\"result\":{}}\n", "1"},
	{LIST("[" A "]") "\r\n", LIST("[" A "]") "\r\n", "1"},
	{LIST("[ " X " , " A "]") "\n", LIST("[ " A "]") "\n", "1"},
	{LIST("[" A "," X "]"), LIST("[" A "]"), "1"},
	{LIST("[" X "," A "," B "," Y "," B "," X " ]"),
	 LIST("[" A "," B "," B " ]"), "1"},
	{"{\"result\":{\"tools\":[" X "," A "],\"nextCursor\":\"c\"},"
	 "\"id\":\"after\"}",
	 "{\"result\":{\"tools\":[" A "],\"nextCursor\":\"c\"},"
	 "\"id\":\"after\"}",
	 "\"after\""},
	/* Two lists, the id before, between, and after both; the last of them
	 * in a message that some reader may take. */
	{"{\"id\":7,\"result\":{\"tools\":[" X "," A "],\"prompts\":[" B "," X
	 "]}}",
	 "{\"id\":7,\"result\":{\"tools\":[" A "],\"prompts\":[" B "]}}", "7"},
	{"{\"result\":{\"prompts\":[" X "],\"tools\":[" A "]},\"id\":8}",
	 "{\"result\":{\"prompts\":[],\"tools\":[" A "]},\"id\":8}", "8"},
	{"{\"result\":{\"tools\":{\"name\":\"x\"}},\"id\":9}",
	 "{\"result\":{\"tools\":{\"name\":\"x\"}},\"id\":9}", "9"},
	/* Not to be passed on: only the id is told. */
	{"{\"id\":1,\"result\":{\"tools\":[" X "," A "],\"tools\":[" X
	 "]},\"jsonrpc\":1}",
	 NULL, "1"},
	{"{\"result\":{\"tools\":[" X "," A "],\"Tools\":[" A "," X
	 "]},\"id\":10}",
	 NULL, "10"},
	{"{\"result\":{\"tools\":[" A "," X "," B "]},\"id\":11,\"Result\":{"
	 "\"tools\":[" X "]}}",
	 NULL, "11"},
	{"{\"id\":12,\"result\":{\"tools\":[" X ",{]", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[" X ",", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{1:2}]}}", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{\"name\":\"", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{\"name", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{\"name\"", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{\"name\" 1}]}}", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{\"name\":", NULL, NULL},
	{"{\"id\":12,\"result\":{\"tools\":[{\"__proto__\":1}]}}", NULL, "12"},
	{"{\"id\":12,\"result\":{\"tools\":[{\"\\u0000\":1}]}}", NULL, "12"},
};

TEST(lines_are_cut_in_one_pass)
{
	for (size_t i = 0; i < COUNT(passes); i++) {
		size_t len = strlen(passes[i].line), left;
		const char *id = passes[i].id;
		char *line = strdup(passes[i].line);
		struct reply r;

		left = reply_cut(line, len, keep, NULL, &r);
		row_true(passes[i].line,
			 !passes[i].left == (r.kind == REPLY_UNREAD));
		if (passes[i].left && id)
			row_true(passes[i].line,
				 !memcmp(r.id.ptr - 5, "\"id\":", 5) &&
					 r.id.ptr + r.id.len <= line + left);
		if (passes[i].left) {
			row_true(passes[i].line,
				 left == strlen(passes[i].left));
			row_true(passes[i].line,
				 !memcmp(line, passes[i].left, left));
		}
		row_true(passes[i].line, !r.id.ptr == !id);
		if (id)
			row_true(passes[i].line,
				 r.id.len == strlen(id) &&
					 !memcmp(r.id.ptr, id, r.id.len));
		free(line);
	}
}

/* What moves down over the begin of a list does not hide it. */
TEST(lists_are_told_though_cut)
{
	char line[] = "{\"id\":1,\"result\":{\"prompts\":[" X "],\"tools\":["
		      "" A "," B "," X "," A "]}}";
	struct reply r;

	reply_cut(line, strlen(line), keep, NULL, &r);
	assert_non_null(r.lists[REPLY_PROMPTS].ptr);
	assert_non_null(r.lists[REPLY_TOOLS].ptr);
}

/* Objects and arrays 128 deep are the most, in an element too. */
TEST(deep_elements_are_withheld)
{
	char line[1024];
	struct reply r;

	for (int depth = 120; depth < 130; depth++) {
		int len = snprintf(line, sizeof(line),
				   "{\"result\":{\"tools\":[{\"a\":%.*s%.*s",
				   depth,
				   "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
				   "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
				   "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
				   "[[[[[[[[",
				   depth,
				   "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
				   "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
				   "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
				   "]]]]]]]]");

		len += snprintf(line + len, sizeof(line) - (size_t)len, "}]}}");
		reply_cut(line, (size_t)len, keep, NULL, &r);
		assert_int_equal(r.kind,
				 depth <= 124 ? REPLY_LIST : REPLY_UNREAD);
	}
}

RUN(NULL, NULL)
