/* Calls that are made up.  The contract is in generate.h. */
#include "generate.h"

#include "answers.h"

const char generated_policy[] =
	"{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"admin_*\",\"x?z\"]"
	",\"all_tools\":{\"deny_if\":[{\"path\":\"args.force\",\"op\":\"eq\","
	"\"value\":true}]},\"tools\":{\"list\":{},\"stop\":{\"action\":\"deny\""
	"},\"*_file\":{\"require\":[{\"path\":\"args.path\",\"op\":\"under\","
	"\"value\":\"/srv/data\"}]},\"read_*\":{\"deny_if\":[{\"path\":"
	"\"args.path\",\"op\":\"glob\",\"value\":\"*/.git*\"}]},\"write_?ile\":"
	"{\"require\":[{\"path\":\"/a.b/c\",\"op\":\"regex\",\"value\":"
	"\"^[a-z]{1,3}$\"}],\"deny_if\":[{\"path\":\"args.path\",\"op\":"
	"\"contains\",\"value\":\"tmp\"}]},\"pay\":{\"require\":[{\"path\":"
	"\"args.amount\",\"op\":\"exists\",\"value\":true},{\"path\":"
	"\"args.amount\",\"op\":\"lte\",\"value\":100},{\"path\":"
	"\"args.unit\",\"op\":\"in\",\"value\":[\"EUR\",7,null]}],\"deny_if\":"
	"[{\"path\":\"args.amount\",\"op\":\"lt\",\"value\":0.01}]},\"post\":{"
	"\"require\":[{\"path\":\"args.tags[*]\",\"op\":\"not_in\",\"value\":"
	"[\"x\",\"tmp\"]},{\"path\":\"args.items[0].n\",\"op\":\"gte\","
	"\"value\":1}],\"deny_if\":[{\"path\":\"args.items[*].n\",\"op\":"
	"\"gt\",\"value\":1e3},{\"path\":\"args.unit\",\"op\":\"neq\","
	"\"value\":\"EUR\"}]}}}";

const char *const generated_rules[] = {
	"(hidden)",
	RULE_DEFAULT,
	"/all_tools/deny_if/0",
	"/tools/stop/action",
	"/tools/*_file/require/0",
	"/tools/read_*/deny_if/0",
	"/tools/write_?ile/require/0",
	"/tools/write_?ile/deny_if/0",
	"/tools/pay/require/0",
	"/tools/pay/require/1",
	"/tools/pay/require/2",
	"/tools/pay/deny_if/0",
	"/tools/post/require/0",
	"/tools/post/require/1",
	"/tools/post/deny_if/0",
	"/tools/post/deny_if/1",
	NULL,
};

/* The next of a sequence that is always the same (xorshift64). */
static unsigned random_below(uint64_t *state, unsigned n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (unsigned)(*state >> 33) % n;
}

#define PICK(state, list) (list)[random_below(state, COUNT(list))]

/* A key of the arguments, and what it may be. */
static const struct member {
	const char *key;
	const char *values[12];
} members[] = {
	{"force", {"true", "false", "false", "null"}},
	{"path",
	 {"\"/srv/data/a\"", "\"/srv/data\"", "\"/srv/data/../x\"",
	  "\"/srv/./data//b/.git/c\"", "\"/srv/data/tmp\"", "\"/srv/database\"",
	  "\"\\/srv\\u002fdata/t\"", "\"data\"", "\"/srv/data/%2e%2e\"",
	  "\"/srv/data/\xc3\xa9\"", "7"}},
	{"a.b",
	 {"{\"c\":\"abc\"}", "{\"c\":\"a\"}", "{\"c\":\"ABC\"}",
	  "{\"c\":\"\\u0061b\"}", "{\"c\":\"\"}", "{\"C\":\"abc\"}", "{}",
	  "[\"abc\"]"}},
	{"amount",
	 {"1", "100", "100.0", "1e2", "100.000000000000000000001", "0.01",
	  "0.0099999", "1e-2", "-1", "99999999999999999999", "\"1\"", "[]"}},
	{"unit",
	 {"\"EUR\"", "\"EUR\"", "\"EUR\"", "\"\\u0045UR\"", "\"eur\"", "7",
	  "7.0", "70e-1", "8", "null", "true", "{}"}},
	{"tags",
	 {"[]", "[\"a\"]", "[\"a\",\"x\"]", "[\"\\u0078\"]", "[7]",
	  "[\"a\",\"b\",\"tmpx\"]", "{}", "\"a\""}},
	{"items",
	 {"[{\"n\":1}]", "[{\"n\":1},{\"n\":1e3}]", "[{\"n\":2},{\"n\":1001}]",
	  "[{\"n\":0}]", "[{\"m\":1}]", "[]", "[{\"n\":5},{}]",
	  "[{\"n\":\"1\"}]", "[{\"n\":1,\"n\":2}]", "[7]"}},
	{"Amount", {"1"}},
	{"other", {"{\"path\":[1,{\"force\":true}]}", "\"}{\"", "1.50"}},
};

static const char *const tools[] = {
	"list",     "stop",       "read_file", "write_file", "write_pile",
	"read_dir", "pay",        "pay",       "pay",        "post",
	"post",     "write_file", "Pay",       "admin_x",    "ADMIN_y",
	"xyz",      "xyyz",       "other",     "list ",      "x_file",
};

void generate(int number, struct generated *g)
{
	uint64_t state = 0x9e3779b97f4a7c15u * (uint64_t)(number + 1);
	size_t used = 1, count;
	unsigned all = random_below(&state, 4);

	g->tool = PICK(&state, tools);
	strcpy(g->arguments, "{");
	for (size_t i = 0; i < COUNT(members); i++) {
		const struct member *m = &members[i];

		/* Rarely what makes the rest of no account. */
		if (random_below(&state, 8) < (i == 0 || i == 7 ? 7 : all))
			continue;
		for (count = 0; count < 12 && m->values[count];)
			count++;
		used += (size_t)snprintf(
			g->arguments + used, sizeof(g->arguments) - used,
			"%s\"%s\":%s", used > 1 ? "," : "", m->key,
			m->values[random_below(&state, (unsigned)count)]);
	}
	strcpy(g->arguments + used, "}");
}
