/* What lines say where a person is asked: read strictly, or not at all. */
#include "unit.h"

#include "../../parser/elicit.h"
#include "../../parser/message.h"

#define META(s) "{\"_meta\":{" s "}}"
#define CAPS(s) META("\"io.modelcontextprotocol/clientCapabilities\":" s)
#define SAYS(s) "{\"inputResponses\":{\"weir/approve\":" s "}}"

static struct span span(const char *s)
{
	return (struct span){s, strlen(s)};
}

/* Params of a call.  fault: it can be read in two ways. */
static const struct {
	const char *params;
	bool fault, declared;
	const char *token; /* "": none */
	enum elicit_said said;
} calls[] = {
	{"{}", false, false, "", ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{}}"), false, true, "", ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{ }}"), false, true, "", ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{\"form\":{}}}"), false, true, "",
	 ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{\"url\":{},\"form\":{}}}"), false, true, "",
	 ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{\"url\":{}}}"), false, false, "",
	 ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{\"form\":true}}"), false, false, "",
	 ELICIT_NOTHING},
	{CAPS("{\"elicitation\":null}"), false, false, "", ELICIT_NOTHING},
	{CAPS("{\"elicitation\":true}"), false, false, "", ELICIT_NOTHING},
	{CAPS("[{\"elicitation\":{}}]"), false, false, "", ELICIT_NOTHING},
	{CAPS("{\"roots\":{},\"elicitation\":{},\"x\":1}"), false, true, "",
	 ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{},\"Elicitation\":{}}"), true, false, "",
	 ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{},\"elicitation\":{}}"), true, false, "",
	 ELICIT_NOTHING},
	{CAPS("{\"elicitation\":{\"form\":{},\"Form\":{}}}"), true, false, "",
	 ELICIT_NOTHING},
	{META("\"io.modelcontextprotocol/clientCapabilities\":{},"
	      "\"IO.modelcontextprotocol/clientCapabilities\":{}"),
	 true, false, "", ELICIT_NOTHING},
	{META("\"progressToken\":7"), false, false, "7", ELICIT_NOTHING},
	{META("\"progressToken\":-7"), false, false, "-7", ELICIT_NOTHING},
	{META("\"progressToken\":\"a b\""), false, false, "\"a b\"",
	 ELICIT_NOTHING},
	{META("\"progressToken\":1.5"), false, false, "", ELICIT_NOTHING},
	{META("\"progressToken\":1e3"), false, false, "", ELICIT_NOTHING},
	{META("\"progressToken\":null"), false, false, "", ELICIT_NOTHING},
	{META("\"progressToken\":{}"), false, false, "", ELICIT_NOTHING},
	{META("\"progressToken\":\"\\u0000\""), false, false, "",
	 ELICIT_NOTHING},
	{META("\"progressToken\":12345678901234567890"), false, false, "",
	 ELICIT_NOTHING},
	{META("\"progressToken\":7,\"progresstoken\":8"), true, false, "",
	 ELICIT_NOTHING},
	{META("\"progressToken\":7,\"progressTo\\u212Aen\":8"), true, false, "",
	 ELICIT_NOTHING},
	{SAYS("{\"action\":\"accept\"}"), false, false, "", ELICIT_YES},
	{SAYS("{\"action\":\"accept\",\"content\":{}}"), false, false, "",
	 ELICIT_YES},
	{SAYS("{\"content\":{\"action\":\"decline\"},\"action\":\"accept\"}"),
	 false, false, "", ELICIT_YES},
	{SAYS("{\"action\":\"decline\"}"), false, false, "", ELICIT_NO},
	{SAYS("{\"action\":\"Accept\"}"), false, false, "", ELICIT_NO},
	{SAYS("{\"action\":\"accept \"}"), false, false, "", ELICIT_NO},
	{SAYS("{\"action\":[\"accept\"]}"), false, false, "", ELICIT_NO},
	{SAYS("{\"action\":true}"), false, false, "", ELICIT_NO},
	{SAYS("{\"content\":{\"action\":\"accept\"}}"), false, false, "",
	 ELICIT_NO},
	{SAYS("{}"), false, false, "", ELICIT_NO},
	{SAYS("\"accept\""), false, false, "", ELICIT_NO},
	{SAYS("[{\"action\":\"accept\"}]"), false, false, "", ELICIT_NO},
	{SAYS("null"), false, false, "", ELICIT_NOTHING},
	{"{\"inputResponses\":{\"other\":{\"action\":\"accept\"}}}", false,
	 false, "", ELICIT_NOTHING},
	{"{\"inputResponses\":{}}", false, false, "", ELICIT_NOTHING},
	{"{\"inputResponses\":null}", false, false, "", ELICIT_NOTHING},
	{"{\"inputResponses\":[]}", false, false, "", ELICIT_NOTHING},
	{SAYS("{\"action\":\"accept\",\"action\":\"accept\"}"), true, false, "",
	 ELICIT_NOTHING},
	{SAYS("{\"action\":\"accept\",\"Action\":\"accept\"}"), true, false, "",
	 ELICIT_NOTHING},
	{SAYS("{\"Action\":\"accept\"}"), true, false, "", ELICIT_NOTHING},
	{SAYS("{\"action\":\"accept\"},\"weir/approve\":{\"action\":"
	      "\"decline\"}"),
	 true, false, "", ELICIT_NOTHING},
	{SAYS("{\"action\":\"accept\"},\"Weir/approve\":{}"), true, false, "",
	 ELICIT_NOTHING},
};

TEST(calls_are_read)
{
	for (size_t i = 0; i < COUNT(calls); i++) {
		const char *name = calls[i].params;
		struct elicit_call call;
		bool clear = elicit_call(span(name), &call);

		row_true(name, clear == !calls[i].fault);
		if (!clear)
			continue;
		row_true(name, call.declared == calls[i].declared);
		row_true(name, call.said == calls[i].said);
		row_true(name, call.token.len == strlen(calls[i].token));
		row_true(name, call.token.len == 0 ||
				       memcmp(call.token.ptr, calls[i].token,
					      call.token.len) == 0);
	}
}

#define RESULT(s) "{\"jsonrpc\":\"2.0\",\"id\":\"weir-1\",\"result\":" s "}"

/* What a client answers to a question. */
static const struct {
	const char *line;
	bool yes;
} answers[] = {
	{RESULT("{\"action\":\"accept\"}"), true},
	{RESULT("{\"action\":\"accept\",\"content\":{}}"), true},
	{RESULT("{\"action\":\"acc\\u0065pt\"}"), true},
	{" \t" RESULT("{ \"content\" : {} , \"action\" : \"accept\" }") " ",
	 true},
	{RESULT("{\"action\":\"decline\"}"), false},
	{RESULT("{\"action\":\"cancel\"}"), false},
	{RESULT("{\"action\":\"accept\",\"action\":\"accept\"}"), false},
	{RESULT("{\"action\":\"accept\",\"action\":\"decline\"}"), false},
	{RESULT("{\"action\":\"accept\",\"Action\":\"decline\"}"), false},
	{RESULT("{\"Action\":\"accept\"}"), false},
	{RESULT("{\"action \":\"accept\"}"), false},
	{RESULT("{\"\\u0061ction\":\"accept\",\"action\":\"decline\"}"), false},
	{RESULT("{\"action\":\"ACCEPT\"}"), false},
	{RESULT("{\"action\":\"accepted\"}"), false},
	{RESULT("{\"action\":\"accept\\u0000\"}"), false},
	{RESULT("{\"action\":\"\"}"), false},
	{RESULT("{\"action\":null}"), false},
	{RESULT("{\"action\":true}"), false},
	{RESULT("{\"action\":{\"action\":\"accept\"}}"), false},
	{RESULT("[{\"action\":\"accept\"}]"), false},
	{RESULT("\"accept\""), false},
	{RESULT("true"), false},
	{RESULT("null"), false},
	{RESULT("{}"), false},
	{RESULT("{\"content\":{\"action\":\"accept\"}}"), false},
	{RESULT("{\"result\":{\"action\":\"accept\"}}"), false},
};

TEST(accepts_are_clear)
{
	for (size_t i = 0; i < COUNT(answers); i++)
		row_true(answers[i].line,
			 elicit_accepts(answers[i].line,
					strlen(answers[i].line)) ==
				 answers[i].yes);
}

static const struct {
	const char *result;
	bool clear, required;
	const char *state; /* NULL: none */
} replies[] = {
	{"{\"resultType\":\"input_required\"}", true, true, NULL},
	{"{\"resultType\":\"input_required\",\"requestState\":\"s\"}", true,
	 true, "s"},
	{"{\"requestState\":\"\",\"resultType\":\"input_required\"}", true,
	 true, ""},
	{"{\"resultType\":\"input_required\",\"requestState\":null}", true,
	 true, NULL},
	{"{\"resultType\":\"complete\"}", true, false, NULL},
	{"{\"content\":[]}", true, false, NULL},
	{"[]", true, false, NULL},
	{"{\"resultType\":\"input_required\",\"resulttype\":\"complete\"}",
	 false, false, NULL},
	{"{\"resultType\":\"input_required\",\"requestState\":\"a\","
	 "\"requestState\":\"b\"}",
	 false, false, NULL},
};

TEST(replies_are_read)
{
	for (size_t i = 0; i < COUNT(replies); i++) {
		const char *name = replies[i].result;
		struct text text = {.ptr = NULL};
		bool required = false;

		row_true(name, elicit_required(span(name), &required, &text) ==
				       replies[i].clear);
		if (!replies[i].clear)
			continue;
		row_true(name, required == replies[i].required);
		row_true(name, !text.ptr == !replies[i].state);
		row_true(name, !text.ptr || text_is(text, replies[i].state,
						    strlen(replies[i].state)));
	}
}

/* Two params that are the same call repeated, or are not. */
static const struct {
	const char *a, *b;
	bool same;
} repeats[] = {
	{"{\"name\":\"a\",\"arguments\":{\"x\":1}}",
	 "{\"inputResponses\":{},\"name\":\"a\",\"arguments\":{\"x\":1},"
	 "\"requestState\":\"s\",\"_meta\":{\"progressToken\":2}}",
	 true},
	{"{\"name\":\"a\"}", "{\"name\": \"a\"}", true},
	{"{\"name\":\"a\"}", "{\"name\":\"b\"}", false},
	{"{\"name\":\"a\"}", "{\"name\":\"a\",\"arguments\":{}}", false},
	{"{\"name\":\"a\",\"arguments\":{\"x\":1}}",
	 "{\"name\":\"a\",\"arguments\":{\"x\":1 }}", false},
	{"{\"name\":\"a\",\"arguments\":{\"x\":1}}",
	 "{\"name\":\"a\",\"arguments\":{\"x\":1},\"task\":{}}", false},
	{"{\"a\":\"bc\"}", "{\"ab\":\"c\"}", false},
	{"{\"a\":1,\"b\":2}", "{\"a\":1}", false},
};

TEST(repeats_are_known)
{
	for (size_t i = 0; i < COUNT(repeats); i++) {
		unsigned char digest[2][SHA256_BYTES];

		for (int k = 0; k < 2; k++) {
			struct sha256 h;

			const struct span params =
				span(k ? repeats[i].b : repeats[i].a);

			sha256_begin(&h);
			row_true(repeats[i].a,
				 elicit_digest(params, params.len, &h));
			sha256_end(&h, digest[k]);
		}
		row_true(repeats[i].b,
			 repeats[i].same == (memcmp(digest[0], digest[1],
						    SHA256_BYTES) == 0));
	}
}

/* What is too long is not looked through, but for what does not count. */
TEST(long_ones_are_not_hashed)
{
	const struct span params =
		span("{\"_meta\":{\"long\":\"xxxxxxxxxxxx\"},"
		     "\"a\":\"bcd\",\"e\":12}");
	struct sha256 h;

	sha256_begin(&h);
	assert_true(elicit_digest(params, 9, &h));
	assert_false(elicit_digest(params, 8, &h));
	assert_false(elicit_digest(params, 5, &h));
}

static const struct {
	const char *a, *b;
	bool same;
} ids[] = {
	{"7", "7", true},          {"7", "\"7\"", false},
	{"7", "70", false},        {"\"a\"", "\"\\u0061\"", true},
	{"\"a\"", "\"A\"", false}, {"\"\"", "\"\"", true},
	{"\"\"", "7", false},
};

TEST(ids_are_compared)
{
	const struct span none = {.ptr = NULL};

	for (size_t i = 0; i < COUNT(ids); i++)
		row_true(ids[i].b,
			 elicit_same_id(span(ids[i].a), span(ids[i].b)) ==
				 ids[i].same);
	assert_false(elicit_same_id(none, none));
}

RUN(NULL, NULL)
