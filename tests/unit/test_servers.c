/* The configurations of clients: what is read in them, and what changes. */
#include "unit.h"
#include "wrapped.h"

#include <dirent.h>

#include "../../shim/verbs/jsonc.h"
#include "../../shim/verbs/show.h"

#define CONFIGS "tests/configs"

/* ---- text ------------------------------------------------------------ */

static const struct {
	const char *text;
	const char *fault; /* what its reason begins with; NULL: it is read */
	size_t offset;     /* of the fault */
	unsigned seen;
} texts[] = {
	{"{}", NULL, 0, 0},
	{" \t\r\n[1, -2.5e+3 ,true,false , null,\"\\u00e9\"] ", NULL, 0, 0},
	{"\"a\"", NULL, 0, 0},
	{"1", NULL, 0, 0},
	{"\xEF\xBB\xBF{}", NULL, 0, JSONC_BOM},
	{"// a\n{}", NULL, 0, JSONC_COMMENTS},
	{"{}//", NULL, 0, JSONC_COMMENTS},
	{"{/* \" */\"a\"/*,*/:/**/1/*/*/}", NULL, 0, JSONC_COMMENTS},
	{"[1,2,]", NULL, 0, JSONC_COMMAS},
	{"{\"a\":{\"b\":[1,],},/*c*/}", NULL, 0, JSONC_COMMENTS | JSONC_COMMAS},
	{"[1/2]", "a value", 2, 0},
	{"", "the file is empty", 0, 0},
	{" \n", "the file is empty", 2, 0},
	{"\xEF\xBB\xBF", "the file is empty", 3, 0},
	{"\xFE\xFF", "a value", 0, 0},
	{"{} {}", "more than one value", 3, 0},
	{"[,]", "a value", 1, 0},
	{"[1,,2]", "a value", 3, 0},
	{"{,}", "a string", 1, 0},
	{"[1 2]", "a comma", 3, 0},
	{"[1}", "a comma", 2, 0},
	{"{\"a\" 1}", "a colon", 5, 0},
	{"{\"a\":}", "a value", 5, 0},
	{"{a:1}", "a string", 1, 0},
	{"{'a':1}", "a string", 1, 0},
	{"[01]", "a number", 2, 0},
	{"[NaN]", "a value", 1, 0},
	{"[\"\t\"]", "a control byte", 2, 0},
	{"[\"\xC3\"]", "not UTF-8", 2, 0},
	{"[\"\\x\"]", "an escape", 2, 0},
	{"[\"a", "a string", 3, 0},
	{"[1", "a comma", 2, 0},
	{"/* a", "a comment", 0, 0},
	{"# a\n{}", "a value", 0, 0},
	/* What is behind these is a comment to some readers only. */
	{"// a\r{}\n{}", "a line end", 4, 0},
	{"// a\xE2\x80\xA8{}\n{}", "a line end", 4, 0},
	{"// a\r\n{}", NULL, 0, JSONC_COMMENTS},
};

TEST(reads_text)
{
	struct jsonc j;

	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *text = texts[i].text, *fault = texts[i].fault;
		bool read = jsonc_read(&j, text, strlen(text));

		row_true(text, read == !fault);
		row_true(text, !fault || strncmp(j.fault.reason, fault,
						 strlen(fault)) == 0);
		row_true(text, !fault || j.fault.offset == texts[i].offset);
		row_true(text, !read || j.seen == texts[i].seen);
	}
	assert_false(jsonc_read(&j, "[]\0 ", 4));
}

TEST(reads_deep_text)
{
	char text[2 * JSONC_DEPTH_MAX + 3];
	struct jsonc j;

	for (size_t more = 0; more < 2; more++) {
		size_t half = JSONC_DEPTH_MAX + more;

		memset(text, '[', half);
		memset(text + half, ']', half);
		text[2 * half] = '\0';
		assert_int_equal(jsonc_read(&j, text, 2 * half), more == 0);
	}
}

/* ---- one server ------------------------------------------------------ */

#define IN(entry) "{\"mcpServers\":{\"s\":{" entry "}}}"
#define WEIR      "\"/opt/w\xC3\xA9ir/weir\""
#define P         "\"-p\", \"/srv/p \xE2\x82\xAC.json\", \"-p\", \"/q.json\", \"--\", "
#define POLICY                                                                 \
	"\"--policy\", \"/srv/p \xE2\x82\xAC.json\", \"--policy\", "           \
	"\"/q.json\", \"--\", "

static const struct {
	const char *before, *after;
} wraps[] = {
	{IN("\"command\":\"c\",\"args\":[\"a\"]"),
	 IN("\"command\":" WEIR ",\"args\":[" P "\"c\", \"a\"]")},
	{IN("\"args\":[ \"a\",1, ], \"command\" : \"\\u0063\""),
	 NULL}, /* not all of them are strings */
	{IN("\"args\":[ \"a\", ], \"command\" : \"\\u0063\""),
	 IN("\"args\":[ " P "\"\\u0063\", \"a\", ], \"command\" : " WEIR)},
	{IN("\"command\":\"c\""),
	 IN("\"command\":" WEIR ", \"args\": [" P "\"c\"]")},
	{IN("\"command\":\"c\" /* c */, \"env\":{}"),
	 IN("\"command\":" WEIR ", \"args\": [" P
	    "\"c\"] /* c */, \"env\":{}")},
	{IN("\"command\":\"c\",\"args\":[ ]"),
	 IN("\"command\":" WEIR ",\"args\":[" POLICY "\"c\" ]")},
	{IN("\"command\":\"c\",\"args\":[\r\n\t// first\r\n\t\"a\"]"),
	 IN("\"command\":" WEIR ",\"args\":[\r\n\t// first\r\n\t" P
	    "\"c\", \"a\"]")},
	{IN("\"command\":\"c\",\"args\":[\r\n\t\"a\",\r\n\t\"b\"]"),
	 IN("\"command\":" WEIR ",\"args\":[\r\n\t" P
	    "\"c\",\r\n\t\"a\",\r\n\t\"b\"]")},
	{IN("\"command\":[\"c\",\"a\"],\"args\":[\"x\"]"),
	 IN("\"command\":[" WEIR ", " P "\"c\",\"a\"],\"args\":[\"x\"]")},
	{IN("\"command\":[\n \"c\"\n]"),
	 IN("\"command\":[\n " WEIR ", \"-p\", \"/srv/p \xE2\x82\xAC.json\", "
	    "\"-p\", \"/q.json\", \"--\",\n \"c\"\n]")},
	{IN("\"command\":{\"path\":\"c\",\"args\":[\"a\"]}"),
	 IN("\"command\":{\"path\":" WEIR ",\"args\":[" P "\"c\", \"a\"]}")},
	{IN("\"transport\":{\"command\":\"c\"}"),
	 IN("\"transport\":{\"command\":" WEIR ", \"args\": [" P "\"c\"]}")},
	{IN("\"command\":\"x\",\"command\":\"c\",\"args\":0,\"args\":[\"a\"]"),
	 IN("\"command\":\"x\",\"command\":" WEIR ",\"args\":0,\"args\":[" P
	    "\"c\", \"a\"]")},
	{"{\"servers\":{\"s\":{\"command\":\"c\",\"args\":[\"a\"]}}}",
	 "{\"servers\":{\"s\":{\"command\":" WEIR ",\"args\":[" P
	 "\"c\", \"a\"]}}}"},
	/* Of two with a name, the last. */
	{"{\"mcp\":0,\"mcpServers\":{\"s\":{\"command\":\"b\",\"args\":[\"x\"]},"
	 "\"\\u0073\":{\"command\":\"c\",\"args\":[\"a\"]}}}",
	 "{\"mcp\":0,\"mcpServers\":{\"s\":{\"command\":\"b\",\"args\":[\"x\"]},"
	 "\"\\u0073\":{\"command\":" WEIR ",\"args\":[" P "\"c\", \"a\"]}}}"},
	/* What cannot be wrapped. */
	{IN("\"command\":\"\""), NULL},
	{IN("\"command\":null"), NULL},
	{IN("\"command\":[]"), NULL},
	{IN("\"command\":[\"c\",null]"), NULL},
	{IN("\"command\":\"c\",\"args\":null"), NULL},
	{IN("\"command\":\"c\",\"args\":\"a b\""), NULL},
	{IN("\"command\":{\"path\":1}"), NULL},
	{IN("\"url\":\"http://h\""), NULL},
	{IN("\"url\":\"http://h\",\"command\":\"c\""), NULL},
	{IN("\"type\":\"sse\",\"command\":\"c\""), NULL},
	{IN("\"source\":\"extension\""), NULL},
	{"{\"mcpServers\":[{\"command\":\"c\"}]}", NULL},
	{"{\"mcpServers\":{\"s\":[\"c\"],\"t\":null}}", NULL},
	{"{\"other\":{\"s\":{\"command\":\"c\"}}}", NULL},
	{"[]", NULL},
	{IN("\"command\":\"weir\""), NULL},
	{IN("\"command\":\"/b/weir\",\"args\":[\"--new\",\"--\",\"c\"]"), NULL},
	/* What is behind weir. */
	{IN("\"command\":\"weir\",\"args\":[\"-p\",\"/x\",\"c\"]"), NULL},
	{IN("\"command\":\"/a/weir\",\"args\":[\"-np/x\",\"--log=l\",\"--\","
	    "\"-c\"]"),
	 NULL},
	{IN("\"command\":[\"weir\",\"--pol\",\"/x\",\"c\"]"), NULL},
};

TEST(wraps_a_server)
{
	size_t len, count;

	for (size_t i = 0; i < COUNT(wraps); i++) {
		const char *before = wraps[i].before,
			   *after = wraps[i].after ? wraps[i].after : before;
		char *to = wrapped_change(before, strlen(before), true, &len,
					  &count);

		row_true(before, to && strcmp(to, after) == 0);
		row_true(before, count == (wraps[i].after != NULL));
		row_true(before, wrapped_holds(before, strlen(before)));
		free(to);
	}
}

#define W "\"command\":" WEIR

/* As a client may lay them out. */
static const struct {
	const char *before, *after;
} unwraps[] = {
	{IN(W ",\"args\":[\n\"--policy\",\n\"/p\",\n\"--\",\n\"c\" ,\n]"),
	 IN("\"command\":\"c\",\"args\":[\n \n]")},
	{IN("\"args\":[\"-p\",\"/p\",\"--\",\"c\"], \"env\":{}, " W ",\"x\":1"),
	 IN("\"env\":{}, \"command\":\"c\",\"x\":1")},
	{IN(W ",\"env\":{},\"args\":[\"-p\",\"/p\",\"--\",\"c\"],\"x\":1"),
	 IN("\"command\":\"c\",\"env\":{},\"x\":1")},
	{IN(W ",\"args\":[\"-p\",\"/p\",\"-l\",\"/l\",\"c\",\"a\",]"),
	 IN("\"command\":\"c\",\"args\":[\"a\",]")},
	{IN("\"command\":[" WEIR ",\n\"-p\",\"/p\",\"--\",\n\"c\"\n]"),
	 IN("\"command\":[\"c\"\n]")},
};

TEST(unwraps_what_was_laid_out)
{
	size_t len, count;

	for (size_t i = 0; i < COUNT(unwraps); i++) {
		const char *before = unwraps[i].before;
		char *to = wrapped_change(before, strlen(before), false, &len,
					  &count);

		row_true(before, to && strcmp(to, unwraps[i].after) == 0);
		free(to);
	}
}

/* Where servers are, by the keys. */
static const struct {
	unsigned keys;
	const char *text, *pointers; /* a | behind each */
} places[] = {
	{KEY_ALL, "{\"mcpServers\":{\"a/~b\":{\"command\":\"c\"}}}",
	 "/mcpServers/a~1~0b|"},
	{KEY_ALL,
	 "{\"mcp\":{\"a\":{\"command\":[\"c\"]},\"servers\":{\"b\":{"
	 "\"command\":[\"c\"]}},\"z\":{\"command\":\"c\"}}}",
	 "/mcp/a|/mcp/z|/mcp/servers/b|"},
	{KEY_ALL, "{\"mcp\":{\"servers\":{\"command\":[\"c\"]}}}",
	 "/mcp/servers|"},
	{KEY_ALL,
	 "{\"projects\":{\"/p\":{\"mcpServers\":{\"a\":{\"command\":"
	 "\"c\"}}},\"q\":{}},\"context_servers\":{\"b\":{\"command\":{"
	 "\"path\":\"c\"}}}}",
	 "/context_servers/b|/projects/~1p/mcpServers/a|"},
	{KEY_MCP_SERVERS, "{\"servers\":{\"a\":{\"command\":\"c\"}}}", ""},
	{KEY_SERVERS, "{\"mcpServers\":{\"a\":{\"command\":\"c\"}}}", ""},
	{KEY_MCP_DOT, "{\"mcp\":{\"a\":{\"command\":\"c\"}}}", ""},
};

TEST(looks_behind_keys)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		const char *text = places[i].text;
		char found[200] = "";
		struct servers s;

		assert_true(servers_read(&s, text, strlen(text), places[i].keys,
					 NULL));
		for (size_t n = 0; n < s.count; n++)
			sprintf(found + strlen(found), "%s|",
				s.list[n].pointer);
		row_true(text, strcmp(found, places[i].pointers) == 0);
		servers_free(&s);
	}
}

static const struct {
	const char *args; /* of weir */
	size_t behind;
	bool plain;
	const char *policies[3];
} commands[] = {
	{"\"-p\",\"/x\",\"--\",\"c\",\"-p\"", 4, true, {"/x"}},
	{"\"-p\",\"/x\",\"--policy\",\"/y\",\"--\",\"c\"",
	 6,
	 true,
	 {"/x", "/y"}},
	{"\"-p/x\",\"--\",\"c\"", 3, false, {"/x"}},
	{"\"--policy=/x\",\"c\"", 2, false, {"/x"}},
	{"\"-g\",\"--\",\"-p\",\"/x\",\"c\"", 5, false, {"/x"}},
	{"\"-ng\",\"g\",\"--log\",\"l\",\"--\",\"c\"", 6, false, {NULL}},
	{"\"c\"", 1, false, {NULL}},
	{"\"--\",\"--\"", 2, false, {NULL}},
	{"\"-p\",\"/x\",\"--\"", 0, false, {NULL}},
	{"\"-p\"", 0, false, {NULL}},
	{"\"-h\",\"c\"", 0, false, {NULL}},
	{"\"--unknown\",\"c\"", 0, false, {NULL}},
	{"", 0, false, {NULL}},
};

TEST(reads_what_weir_is_given)
{
	char text[256];
	struct servers s;

	for (size_t i = 0; i < COUNT(commands); i++) {
		const char *args = commands[i].args;
		struct server *v;

		snprintf(text, sizeof(text),
			 IN("\"command\":\"/b/weir\",\"args\":[%s]"), args);
		assert_true(
			servers_read(&s, text, strlen(text), KEY_ALL, NULL));
		v = s.list;
		row_true(args, s.count == 1 && v->behind == commands[i].behind);
		row_true(args, v->plain == commands[i].plain);
		for (size_t n = 0; v->behind && n < 3; n++) {
			const char *want = commands[i].policies[n];

			row_true(args, !want == !v->policies[n]);
			row_true(args,
				 !want || strcmp(want, v->policies[n]) == 0);
			if (!want)
				break;
		}
		servers_free(&s);
	}
}

/* ---- whole files ----------------------------------------------------- */

struct file {
	char name[300];
	char *text;
	size_t len;
};

/* Calls of each file of a name that ends so, or not so. */
static size_t each_config(void (*what)(const struct file *f), bool json)
{
	DIR *d = opendir(CONFIGS);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		struct file f;
		FILE *in;
		const char *dot = strrchr(entry->d_name, '.');

		if (entry->d_name[0] == '.' ||
		    (strcmp(dot, ".toml") && strcmp(dot, ".yaml")) != json)
			continue;
		snprintf(f.name, sizeof(f.name), CONFIGS "/%s", entry->d_name);
		in = fopen(f.name, "rb");
		assert_non_null(in);
		f.text = malloc(1 << 16);
		f.len = fread(f.text, 1, (1 << 16) - 1, in);
		f.text[f.len] = '\0';
		f.text = realloc(f.text, f.len + 1);
		fclose(in);
		what(&f);
		free(f.text);
		count++;
	}
	closedir(d);
	return count;
}

static void check_holds(const struct file *f)
{
	row_true(f->name, wrapped_holds(f->text, f->len));
}

TEST(gives_back_the_bytes)
{
	assert_true(each_config(check_holds, true) >= 28);
}

/* Without white space and comments. */
static char *squeezed(const char *text)
{
	char *to = malloc(strlen(text) + 1), *out = to;
	bool inside = false;

	for (const char *p = text; *p;) {
		if (!inside && p != jsonc_space(p)) {
			p = jsonc_space(p);
			continue;
		}
		if (*p == '"')
			inside = !inside;
		else if (inside && *p == '\\')
			*out++ = *p++;
		*out++ = *p++;
	}
	*out = '\0';
	return to;
}

/* As JSON.stringify() lays it out; depth by depth. */
static char *spread(const char *squeeze)
{
	char *to = malloc(64 * strlen(squeeze) + 1), *out = to;
	bool inside = false;
	int depth = 0;

	for (const char *p = squeeze; *p; p++) {
		bool closes = !inside && strchr("]}", *p);

		if (closes && !strchr("[{", p[-1]))
			out += sprintf(out, "\n%*s", 2 * --depth, "");
		else if (closes)
			depth--;
		*out++ = *p;
		if (*p == '"')
			inside = !inside;
		else if (inside && *p == '\\')
			*out++ = *++p;
		else if (!inside && strchr("[{", *p) && ++depth &&
			 !strchr("]}", p[1]))
			out += sprintf(out, "\n%*s", 2 * depth, "");
		else if (!inside && *p == ',')
			out += sprintf(out, "\n%*s", 2 * depth, "");
		else if (!inside && *p == ':')
			*out++ = ' ';
	}
	*out = '\0';
	return to;
}

/* A client lays the wrapped file out anew: unwrapping gives the same JSON. */
static void check_laid_out(const struct file *f)
{
	size_t len, got, count;
	char *wrapped, *squeeze, *wide, *back, *want, *have;
	struct jsonc j;

	assert_true(jsonc_read(&j, f->text, f->len));
	if (j.seen)
		return; /* no client with comments does so */
	wrapped = wrapped_change(f->text, f->len, true, &len, &count);
	squeeze = squeezed(wrapped);
	wide = spread(squeeze);
	want = squeezed(f->text);
	for (int i = 0; i < 2; i++) {
		const char *now = i ? wide : squeeze;

		back = wrapped_change(now, strlen(now), false, &got, &len);
		row_true(f->name, back && len == count);
		have = squeezed(back);
		row_true(f->name, strcmp(have, want) == 0);
		free(have);
		free(back);
	}
	free(want);
	free(wide);
	free(squeeze);
	free(wrapped);
}

TEST(gives_back_the_json)
{
	each_config(check_laid_out, true);
}

/* Reads the servers of a foreign file; they only must be readable. */
static void read_foreign(const struct file *f)
{
	struct servers s;

	if (strstr(f->name, ".toml"))
		assert_true(servers_read_toml(&s, f->text, NULL));
	else
		assert_true(servers_read_yaml(&s, f->text, NULL));
	servers_free(&s);
}

/* What is cut anywhere, and what has any other byte anywhere: each is refused,
 * or given back. */
static void damage(const struct file *f)
{
	static const char bytes[] = "\"\\{}[],:/*' \nx0\r\xC3#-=";
	const bool json =
		!strstr(f->name, ".toml") && !strstr(f->name, ".yaml");
	void (*const check)(const struct file *) =
		json ? check_holds : read_foreign;
	struct file other = *f;

	for (size_t at = 0; at < f->len; at++) {
		/* Of its very size, so that a byte too far is found. */
		other.len = at;
		other.text = strndup(f->text, at);
		check(&other);
		free(other.text);
		other.len = f->len;
		other.text = malloc(f->len + 1);
		memcpy(other.text, f->text, f->len + 1);
		for (size_t i = 0; i < sizeof(bytes); i++) {
			other.text[at] = bytes[i];
			check(&other);
		}
		memmove(other.text + at, f->text + at + 1, f->len - at);
		other.len--;
		check(&other);
		free(other.text);
	}
}

TEST(holds_when_damaged)
{
	each_config(damage, true);
	each_config(damage, false);
}

/* ---- TOML and YAML --------------------------------------------------- */

static const struct {
	bool toml;
	const char *text;
	enum server_kind kind;
	const char *words; /* of the first server, a | between */
} foreign[] = {
	{true, "[mcp_servers.a]\ncommand = \"c\"\nargs = [\"x\", 'y\\z']\n",
	 SERVER_COMMAND, "c|x|y\\z"},
	{true,
	 "[mcp_servers.'a b']\r\n args=[\r\n\"x\", # y\r\n]\r\ncommand='c'\r\n",
	 SERVER_COMMAND, "c|x"},
	{true, "[mcp_servers.a]\ncommand = \"\"\"c\"\"\"\n", SERVER_ODD, ""},
	{true, "[mcp_servers.a]\ncommand = c\n", SERVER_ODD, ""},
	{true, "[mcp_servers.a]\ncommand = \"c\"\nargs = [1]\n", SERVER_ODD,
	 "c"},
	{true, "[mcp_servers.a]\nurl = \"u\"\n", SERVER_URL, ""},
	{true, "[mcp_servers.a]\n[mcp_servers.a.env]\ncommand = \"c\"\n",
	 SERVER_NONE, ""},
	{false,
	 "extensions:\n  a:\n    cmd: c d # e\n    args: [x, \"y z\", 'it''s']\n",
	 SERVER_COMMAND, "c d|x|y z|it's"},
	{false,
	 "extensions:\n  a:\n    cmd: c\n    args:\n    - x\n    - 'y'\n    env: 1\n",
	 SERVER_COMMAND, "c|x|y"},
	{false, "mcpServers:\n- name: a\n  command: c\n  args:\n    - x\n",
	 SERVER_COMMAND, "c|x"},
	{false, "mcpServers:\n  - command: c\n    name: a\n", SERVER_COMMAND,
	 "c"},
	{false, "extensions:\n  a:\n    cmd: |\n      c\n", SERVER_ODD, ""},
	{false, "extensions:\n  a:\n    cmd: c\n    args: [x,\n      {y: 1}]\n",
	 SERVER_ODD, "c|x"},
	{false, "extensions:\n  a:\n    type: builtin\n", SERVER_NONE, ""},
};

TEST(reads_toml_and_yaml)
{
	for (size_t i = 0; i < COUNT(foreign); i++) {
		const char *text = foreign[i].text;
		char words[64] = "";
		struct servers s;

		assert_true((foreign[i].toml
				     ? servers_read_toml
				     : servers_read_yaml)(&s, text, NULL));
		row_true(text, s.count == 1 && s.list[0].name[0] == 'a');
		for (size_t n = 0; n < s.list[0].count; n++) {
			strcat(words, n > 0 ? "|" : "");
			strcat(words, s.list[0].words[n]);
		}
		row_true(text, strcmp(words, foreign[i].words) == 0);
		row_true(text, s.list[0].kind == foreign[i].kind);
		servers_free(&s);
	}
}

/* ---- showing --------------------------------------------------------- */

static const struct {
	const char *text, *shown;
} shows[] = {
	{"a\xC3\xA9\xF0\x9F\x98\x80\"\\", "a\xC3\xA9\xF0\x9F\x98\x80\"\\"},
	{"\x1B[2J\r\n\t\x7F", "\\u001b[2J\\u000d\\u000a\\u0009\\u007f"},
	{"\xC2\x9B\xE2\x80\xAE\xE2\x81\xA6\xD8\x9C",
	 "\\u009b\\u202e\\u2066\\u061c"},
};

TEST(shows_what_a_terminal_obeys)
{
	char text[2000];

	for (size_t i = 0; i < COUNT(shows); i++)
		row_true(shows[i].shown,
			 strcmp(show(shows[i].text).text, shows[i].shown) == 0);
	memset(text, '\x1B', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_true(strlen(show(text).text) < sizeof(struct shown));
}

RUN(NULL, NULL)
