/* Lines from the client: what passes, and what is told of the rest. */
#include "unit.h"

#include <stdlib.h>

#include "../../parser/message.h"

#define V "\"jsonrpc\":\"2.0\""
#define R "{" V ",\"id\":1,\"method\":"

static const struct {
	const char *line;
	enum message_kind kind;
	enum message_method method;
	const char *id, *name, *uri, *arguments; /* NULL: none */
	bool modern, task;
} good[] = {
	{R "\"ping\"}", MESSAGE_REQUEST, METHOD_OTHER, "1"},
	{"{\"method\":\"x\",\"id\":\"a\\n\"," V "}", MESSAGE_REQUEST,
	 METHOD_OTHER, "\"a\\n\""},
	{"{" V ",\"method\":\"x\",\"params\":{}}", MESSAGE_NOTIFICATION},
	{"{" V ",\"id\":-12,\"result\":null}", MESSAGE_RESULT, METHOD_OTHER,
	 "-12"},
	{"{" V ",\"id\":3,\"error\":{}}", MESSAGE_ERROR, METHOD_OTHER, "3"},
	{"{" V ",\"id\":null,\"error\":{}}", MESSAGE_ERROR},
	{R "\"tools/list\",\"params\":{\"cursor\":\"c\"}}", MESSAGE_REQUEST,
	 METHOD_TOOLS_LIST, "1"},
	{R "\"tools/call\",\"params\":{\"name\":\"t\"}}", MESSAGE_REQUEST,
	 METHOD_TOOLS_CALL, "1", "t"},
	{R "\"t\\u006fols\\/call\",\"params\":{\"n\\u0061me\":\"\\u0074\","
	   "\"arguments\":{ \"name\":\"x\" }}}",
	 MESSAGE_REQUEST, METHOD_TOOLS_CALL, "1", "\\u0074", NULL,
	 "{ \"name\":\"x\" }"},
	{"{\"params\":{\"arguments\":{},\"name\":\"p\"}," V
	 ",\"method\":\"prompts/get\",\"id\":7}",
	 MESSAGE_REQUEST, METHOD_PROMPTS_GET, "7", "p", NULL, "{}"},
	{R "\"resources/read\",\"params\":{\"uri\":\"file:///a\"}}",
	 MESSAGE_REQUEST, METHOD_RESOURCES_READ, "1", NULL, "file:///a"},
	{R "\"tools/call\",\"params\":{\"_meta\":{\"a\":1,"
	   "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"},"
	   "\"name\":\"t\"}}",
	 MESSAGE_REQUEST, METHOD_TOOLS_CALL, "1", "t", NULL, NULL, true},
	{R "\"tools/call\",\"params\":{\"_meta\":7,\"name\":\"t\"}}",
	 MESSAGE_REQUEST, METHOD_TOOLS_CALL, "1", "t"},
	{R "\"tools/call\",\"params\":{\"t\\u0061sk\":{},\"name\":\"t\"}}",
	 MESSAGE_REQUEST, METHOD_TOOLS_CALL, "1", "t", NULL, NULL, false, true},
	{R "\"tools/call\",\"params\":{\"name\":\"t\",\"task\":null}}",
	 MESSAGE_REQUEST, METHOD_TOOLS_CALL, "1", "t"},
	/* null is as if it were not there. */
	{R "\"ping\",\"params\":null}", MESSAGE_REQUEST, METHOD_OTHER, "1"},
	{"{\"params\": null ," V ",\"method\":\"x\"}", MESSAGE_NOTIFICATION},
	{R "\"tools/call\",\"params\":{\"arguments\":null,\"name\":\"t\"}}",
	 MESSAGE_REQUEST, METHOD_TOOLS_CALL, "1", "t"},
	{R "\"resources/read\",\"params\":{\"uri\":\"u\",\"arguments\":null}}",
	 MESSAGE_REQUEST, METHOD_RESOURCES_READ, "1", NULL, "u"},
	/* White space wherever it may be. */
	{" { \"jsonrpc\" : \"2.0\" , \"id\" : 0 , \"method\" : "
	 "\"tools/call\" , \"params\" : { \"name\" : \"t\" , \"_meta\" : "
	 "{ } } } ",
	 MESSAGE_REQUEST, METHOD_TOOLS_CALL, "0", "t"},
	/* For other methods, params are the server's business. */
	{R "\"x\",\"params\":{\"name\":1,\"uri\":[],\"arguments\":[]}}",
	 MESSAGE_REQUEST, METHOD_OTHER, "1"},
};

static bool same(struct span s, const char *want)
{
	if (!want)
		return !s.ptr;
	return s.ptr && s.len == strlen(want) && !memcmp(s.ptr, want, s.len);
}

static struct span span_of(struct text t)
{
	return (struct span){.ptr = t.ptr, .len = t.len};
}

TEST(good_lines_are_read)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		const char *line = good[i].line;
		struct message m;
		struct fault f;

		/* Nothing of the message before it stays. */
		memset(&m, 0x55, sizeof(m));
		if (!message_read(line, strlen(line), &m, &f))
			print_error("%s at %zu\n", f.reason, f.offset);
		row_true(line, !f.reason);
		row_true(line, m.kind == good[i].kind);
		row_true(line, m.method == good[i].method);
		row_true(line, same(m.id, good[i].id));
		if (good[i].method == METHOD_OTHER)
			continue;
		row_true(line, same(span_of(m.name), good[i].name));
		row_true(line, same(span_of(m.uri), good[i].uri));
		row_true(line, same(m.arguments, good[i].arguments));
		row_true(line, m.modern == good[i].modern);
		row_true(line, m.task == good[i].task);
	}
}

/* The reason that is told, its place, and the id of the answer. */
static const struct {
	const char *line, *reason;
	size_t offset;
	const char *id;
	bool grammar;
} bad[] = {
	{"hello", "value was expected", 0, NULL, true},
	{R "\"ping\"", "comma", 39, NULL, true},
	{"\xEF\xBB\xBF{}", "byte order mark", 0, NULL, true},
	{"", "value was expected", 0, NULL, true},
	{" ", "value was expected", 1, NULL, true},
	{"[]", "batch", 0},
	{"1", "not an object", 0},
	{"{}", "jsonrpc is missing", 0},
	{R "\"a\"}x", "more than one", 37, NULL, true},
	{R "\r\"a\"}", "CR", 33, "1"},
	{R "\"a\",\"x\":1}", "JSON-RPC does not have", 37, "1"},
	{R "\"a\",\"method\":\"b\"}", "key of the message twice", 37, "1"},
	{R "\"a\",\"id\":1}", "key of the message twice", 37},
	{R "\"a\",\"Params\":{}}",
	 "a key that some servers take for \"params\"", 37, "1"},
	{R "\"a\",\"params\":[]}", "params is not an object", 46, "1"},
	{R "\"a\",\"params\":{\"b\":1,\"b\":2}}", "params twice", 53, "1"},
	{R "\"a\",\"params\":{\"b\":1,\"\\u0062\":2}}", "params twice", 53,
	 "1"},
	{R "\"a\",\"params\":{\"Name\":1}}", "take for \"name\"", 47, "1"},
	{R "\"a\",\"params\":{\"name\":1,\"n\\u0061me\":2}}", "params twice",
	 56, "1"},
	{R "\"a\",\"params\":{\"n\\u0061me\":1,\"name\":2}}", "params twice",
	 61, "1"},
	/* What stands where a key should, but for its quote. */
	{"{" V ",xmethod\":\"tools/call\",\"id\":1}", "string was expected", 17,
	 NULL, true},
	{"{" V ",\"id\":01,\"method\":\"a\"}", "begins with 0", 23, NULL, true},
	{"{" V ",\"id\":1e5,\"method\":\"a\"}", "an id that is no integer", 22},
	{R "\"Tools/Call\"}",
	 "method that some servers take for \"tools/call\"", 33, "1"},
	{R "\" tools/list\"}", "for \"tools/list\"", 33, "1"},
	{R "\"a\\u0000\"}", "in the method", 33, "1"},
	{R "1}", "method is not a string", 33, "1"},
	{R "\"a\",\"result\":1}", "neither a request", 0, "1"},
	{R "\"tools/call\"}", "no name", 0, "1"},
	{R "\"tools/call\",\"params\":{}}", "no name", 55, "1"},
	{R "\"tools/call\",\"params\":null}", "no name", 55, "1"},
	{R "\"a\",\"params\":nul}", "value was expected", 46, NULL, true},
	{R "\"a\",\"params\":null,\"params\":{}}", "message twice", 51, "1"},
	{R "\"a\",\"params\":{\"name\":1,\"arguments\":null,\"arguments\":{}}}",
	 "params twice", 73, "1"},
	{R "\"tools/call\",\"params\":{\"name\":7}}", "no name", 63, "1"},
	{R "\"tools/call\",\"params\":{\"name\":\"\\ud800\"}}", "in a name", 63,
	 "1"},
	{R "\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":[]}}",
	 "arguments is not", 79, "1"},
	{R "\"resources/read\",\"params\":{}}", "no uri", 59, "1"},
	{R "\"resources/read\",\"params\":null}", "no uri", 59, "1"},
	{"{" V ",\"id\":1.0,\"method\":\"a\"}", "an id that is no integer", 22},
	{"{" V ",\"id\":12345678901234567890,\"method\":\"a\"}",
	 "an id that is no integer", 22},
	{"{" V ",\"id\":null,\"method\":\"a\"}", "neither an integer", 0},
	{"{" V ",\"id\":\"\\u0000\",\"method\":\"a\"}", "in the id", 22},
	{"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"a\"}", "jsonrpc is not", 11,
	 "1"},
	/* The id of a response is the server's, and not answered. */
	{"{" V ",\"id\":1,\"result\":1,\"x\":1}", "does not have", 35},
	{"{" V ",\"id\":1,\"error\":1}", "error is not an object", 32},
	{"{" V ",\"id\":1}", "neither a request", 0},
};

TEST(bad_lines_are_told)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *line = bad[i].line;
		struct message m;
		struct fault f;

		row_true(line, !message_read(line, strlen(line), &m, &f));
		row_check(strstr(f.reason, bad[i].reason) &&
				  f.offset == bad[i].offset,
			  "%s: %s at %zu", line, f.reason, f.offset);
		row_true(line, f.grammar == bad[i].grammar);
		row_true(line, same(m.id, bad[i].id));
	}
}

TEST(params_are_bounded)
{
	char line[4096];
	struct message m;
	struct fault f;

	for (int members = MESSAGE_PARAMS_MAX;
	     members <= MESSAGE_PARAMS_MAX + 1; members++) {
		size_t len = (size_t)sprintf(line, R "\"a\",\"params\":{");

		for (int i = 0; i < members; i++)
			len += (size_t)sprintf(line + len, "%s\"k%d\":0",
					       i ? "," : "", i);
		len += (size_t)sprintf(line + len, "}}");
		assert_int_equal(message_read(line, len, &m, &f),
				 members == MESSAGE_PARAMS_MAX);
	}
	assert_non_null(strstr(f.reason, "128 members"));
}

static void check_length(const char *format, int most)
{
	char line[4096], filler[2048];
	struct message m;
	struct fault f;

	memset(filler, '9', sizeof(filler));
	for (int len = most; len <= most + 1; len++) {
		int used = snprintf(line, sizeof(line), format, len, filler);

		row_true(format, message_read(line, (size_t)used, &m, &f) ==
					 (len == most));
	}
}

TEST(lengths_are_bounded)
{
	check_length("{" V ",\"id\":%.*s,\"method\":\"a\"}", 19);
	check_length("{" V ",\"id\":-%.*s,\"method\":\"a\"}", 19);
	check_length("{" V ",\"id\":\"%.*s\",\"method\":\"a\"}", 256);
	check_length(R "\"tools/call\",\"params\":{\"name\":\"%.*s\"}}", 1024);
}

/* A name that begins and ends at every place around the end of a window. */
TEST(names_meet_the_window)
{
	static const char name[] = "a_name_of_twenty_six_bytes";
	char line[2 * SCAN_WINDOW];
	struct message m;
	struct fault f;

	for (int len = SCAN_WINDOW - 256; len < SCAN_WINDOW; len++) {
		int used = sprintf(line,
				   R "\"tools/call\",\"params\":{\"_meta\":"
				     "{\"k\":\"%0*d\"},\"name\":\"%s\"}}",
				   len, 0, name);

		row_true(line, message_read(line, (size_t)used, &m, &f));
		row_true(line, same(span_of(m.name), name));
	}
}

TEST(blank_lines)
{
	assert_true(message_blank("", 0));
	assert_true(message_blank(" \t\r", 3));
	assert_false(message_blank(" \v", 2));
	assert_false(message_blank("\0", 1));
	assert_false(message_blank(" {", 2));
}

RUN(NULL, NULL)
