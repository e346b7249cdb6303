/* The lock: which bytes are a definition, which files load, what passes. */
#include "said.h"

#include "../../policies/lock.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Why a tool is refused. */
#define CHANGED "the definition of this tool has changed"
#define UNKNOWN "this tool is not in the lock file"

static void digest_hex(const char *text, size_t len, char hex[SHA256_HEX + 1])
{
	unsigned char digest[SHA256_BYTES];

	lock_digest((struct span){text, len}, digest);
	sha256_hex(digest, hex);
	hex[SHA256_HEX] = '\0';
}

static const struct {
	const char *a, *b;
	bool same;
} definitions[] = {
	{"{}", "{}", true},
	{"{}", "{ }", true},
	{"{\"a\":1,\"b\":[1,2]}", " {\t\"a\" :\r\n1 , \"b\":[ 1,2 ] }\n", true},
	/* Inside of a string all counts, also behind escapes. */
	{"{\"a\":\"x y\"}", "{\"a\":\"xy\"}", false},
	{"{\"a\":\"x y\"}", "{\"a\":\"x  y\"}", false},
	{"{\"a\":\"\\\" \"}", "{\"a\":\"\\\"\"}", false},
	{"{\"a\":\"\\\\\" }", "{\"a\":\"\\\\\"}", true},
	{"{\"a\":\"\\\\\\\" \"}", "{\"a\":\"\\\\\\\"\"}", false},
	{"{\"a b\":1}", "{\"ab\":1}", false},
	{"[\"\", \" \"]", "[\"\",\" \"]", true},
	{"[\"\", \" \"]", "[\" \",\"\"]", false},
	/* Other white space is none of JSON's. */
	{"[\"\xC2\xA0\"]", "[\"\"]", false},
	/* The order of keys, the spelling of strings and of numbers. */
	{"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", false},
	{"{\"a\":1}", "{\"\\u0061\":1}", false},
	{"[\"/\"]", "[\"\\/\"]", false},
	{"[1]", "[1.0]", false},
	{"[1e2]", "[1E2]", false},
	{"[12]", "[1,2]", false},
	{"{\"a\":{\"b\":[{\"c\":\"d\"}]}}",
	 "{ \"a\" : { \"b\" : [ { \"c\" : \"d\" } ] } }", true},
	{"{\"a\":{\"b\":[{\"c\":\"d\"}]}}", "{\"a\":{\"b\":[{\"c\":\"e\"}]}}",
	 false},
};

TEST(white_space_between_tokens_is_nothing)
{
	char a[SHA256_HEX + 1], b[SHA256_HEX + 1];

	for (size_t i = 0; i < COUNT(definitions); i++) {
		digest_hex(definitions[i].a, strlen(definitions[i].a), a);
		digest_hex(definitions[i].b, strlen(definitions[i].b), b);
		row_true(definitions[i].b,
			 (strcmp(a, b) == 0) == definitions[i].same);
	}
	/* As sha256sum has it. */
	digest_hex("{ }", 3, a);
	assert_string_equal(a, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8"
			       "310c060f61caaff8a");
}

/* Cut anywhere, no byte behind it is read, and no two beginnings are one. */
TEST(every_byte_counts)
{
	static const char text[] = "{\"a\\\"\":[1,\"\\\\ x\",{\"b\":\"\\u0061"
				   "\"}],\"c\":{\"d\":[[],null,-1.5e3]}}";
	char before[SHA256_HEX + 1] = "", hex[SHA256_HEX + 1];

	for (size_t len = 1; len < sizeof(text); len++) {
		char *exact = malloc(len);

		assert_non_null(exact);
		memcpy(exact, text, len);
		digest_hex(exact, len, hex);
		free(exact);
		/* A space inside a string is one of these bytes, too. */
		assert_string_not_equal(hex, before);
		memcpy(before, hex, sizeof(hex));
	}
}

/* ---- files ------------------------------------------------------------ */

/* A tool of a lock; its text has no % in it. */
static char *tool(const char *name, const char *definition)
{
	static char rooms[8][600];
	static size_t next;
	char hex[SHA256_HEX + 1], *room = rooms[next++ % 8];

	digest_hex(definition, strlen(definition), hex);
	snprintf(room, 600, "\"%s\":{\"sha256\":\"%s\",\"definition\":%s}",
		 name, hex, definition);
	return room;
}

static struct lock *read_text(const char *text, struct said *said)
{
	struct policy_source source = {"l.json", text, strlen(text)};

	clear(said);
	return lock_read(&source, listen, said);
}

#define HASH    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define TOOL(s) "{\"lock\":\"1\",\"tools\":{\"a\":{" s "}}}"

static const struct {
	const char *text;
	const char *said; /* NULL: it loads */
} files[] = {
	{"{\"lock\":\"1\",\"tools\":{}}", NULL},
	{TOOL("\"sha256\":\"" HASH "\",\"definition\":{}"), NULL},
	{TOOL("\"definition\":{ \n },\"sha256\":\"" HASH "\""), NULL},
	{"{\"lock\":\"1\",\"tools\":{\"*\":{\"sha256\":\"" HASH
	 "\",\"definition\":{}},\"\\u0061\":{\"sha256\":\"" HASH
	 "\",\"definition\":{}}}}",
	 NULL},
	{"", "l.json:1:1: "},
	{"[]", "l.json:1:1: a lock, {\"lock\": \"1\""},
	{"{\"lock\":\"1\"}", "\"lock\" or \"tools\" is missing"},
	{"{\"tools\":{}}", "\"lock\" or \"tools\" is missing"},
	{"{\"lock\":\"2\",\"tools\":{}}",
	 "l.json:1:9: /lock: the string \"1\" was expected"},
	{"{\"lock\":1,\"tools\":{}}", "/lock: the string \"1\" was expected"},
	{"{\"lock\":\"1\",\"tools\":[]}", "/tools: the tools, "},
	{"{\"lock\":\"1\",\"tools\":null}", "/tools: the tools, "},
	{"{\"lock\":\"1\",\"tool\":{},\"tools\":{}}",
	 "/tool: unknown key \"tool\": did you mean \"tools\"?"},
	{"{\"lock\":\"1\",\"tools\":{},\"tools\":{}}", "twice"},
	{"{\"lock\":\"1\",\"tools\":{\"a\":{}}}",
	 "/tools/a: \"sha256\" or \"definition\" is missing"},
	{"{\"lock\":\"1\",\n\"tools\":{\n\"a\":[]}}",
	 "l.json:3:5: /tools/a: a tool, "},
	{TOOL("\"sha256\":\"" HASH "\""), "is missing"},
	{TOOL("\"sha256\":\"" HASH "\",\"definition\":[]"),
	 "/tools/a/definition: what tools/list says of the tool, was "
	 "expected, not an array"},
	{TOOL("\"sha256\":\"" HASH "\",\"definition\":{},\"x\":1"),
	 "/tools/a/x: unknown key \"x\""},
	{TOOL("\"sha256\":\"" HASH "\",\"definition\":{},\"sha256\":\"" HASH
	      "\""),
	 "/tools/a/sha256: this key is there twice"},
	{TOOL("\"sha256\":\"" HASH "0\",\"definition\":{}"), "64 hexadecimal"},
	{TOOL("\"sha256\":\"" HASH "g\",\"definition\":{}"), "64 hexadecimal"},
	{TOOL("\"sha256\":\"44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E83"
	      "10C060F61CAAFF8A\",\"definition\":{}"),
	 "64 hexadecimal"},
	{TOOL("\"sha256\":44,\"definition\":{}"), "64 hexadecimal"},
	/* The text is not what the hash says. */
	{TOOL("\"sha256\":\"" HASH "\",\"definition\":{\"a\":1}"),
	 "does not have this SHA-256"},
	{"{\"lock\":\"1\",\"tools\":{\"\":{\"sha256\":\"" HASH
	 "\",\"definition\":{}}}}",
	 "a name of 1 to 1024 bytes was expected"},
	/* Names are compared decoded. */
	{"{\"lock\":\"1\",\"tools\":{\"a\":{\"sha256\":\"" HASH
	 "\",\"definition\":{}},\"\\u0061\":{\"sha256\":\"" HASH
	 "\",\"definition\":{}}}}",
	 "/tools/a: this tool is there twice"},
	{"{\"version\":\"1\",\"default\":\"deny\",\"tools\":{\"a\":{}}}",
	 "unknown key \"version\""},
	{"{\"lock\":\"1\",\"tools\":{},}", "comma"},
};

TEST(files_are_read_strictly)
{
	struct said said;

	for (size_t i = 0; i < COUNT(files); i++) {
		struct lock *lock = read_text(files[i].text, &said);

		row_check(!lock == !!files[i].said &&
				  (files[i].said ? strstr(said.text,
							  files[i].said) != NULL
						 : said.lines == 0),
			  "%s: %s", files[i].text, said.text);
		lock_free(lock);
	}
}

/* Cut anywhere it does not load, and each byte that another takes the place of
 * is noticed, unless it is white space between tokens. */
TEST(no_byte_goes_unnoticed)
{
	static char text[2000];
	struct said said;
	struct lock *lock;
	size_t len;

	len = (size_t)snprintf(
		text, sizeof(text), "{\"lock\":\"1\",\"tools\":{%s,%s}}",
		tool("a", "{\"name\":\"a\",\"x\":[1,\" \"]}"),
		tool("b", "{\"name\":\"b\",\"y\":{\"z\":null}}"));
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		text[i] = '\0';
		lock = read_text(text, &said);
		row_true(text, !lock && said.lines > 0);
		text[i] = was;
	}
	for (size_t i = 0; i < len; i++) {
		char was = text[i];
		const char *in = strstr(text, "\"b\":{");

		/* But in the names, which are then others. */
		if (text + i == in + 1 || text + i == text + 22)
			continue;
		text[i] = was == '8' ? '9' : '8';
		lock = read_text(text, &said);
		row_true(text, !lock && said.lines > 0);
		text[i] = was;
	}
	lock = read_text(text, &said);
	assert_non_null(lock);
	lock_free(lock);
}

/* Of files, also by whom they may be written. */
TEST(files_of_others_are_not_used)
{
	static const struct {
		mode_t mode;
		const char *said;
		bool loads;
	} rows[] = {
		{0600, NULL, true},
		{0444, NULL, true},
		{0666, "everybody may write this file", false},
		{0602, "everybody may write this file", false},
		{0660, "the group may write this file", true},
	};
	char path[] = "/tmp/weir-lock-XXXXXX";
	int fd = mkstemp(path);
	struct lock *lock;
	struct said said = {.len = 0};

	assert_int_equal(write(fd, files[1].text, strlen(files[1].text)),
			 strlen(files[1].text));
	for (size_t i = 0; i < COUNT(rows); i++) {
		clear(&said);
		fchmod(fd, rows[i].mode);
		lock = lock_load(path, listen, &said);
		assert_true(!lock == !rows[i].loads);
		row_has("mode", said.text, rows[i].said ? rows[i].said : "");
		assert_true(rows[i].said || said.lines == 0);
		lock_free(lock);
	}
	fchmod(fd, 0600);
	assert_int_equal(ftruncate(fd, (off_t)POLICY_FILE_BYTES + 1), 0);
	clear(&said);
	assert_null(lock_load(path, listen, &said));
	assert_non_null(strstr(said.text, "at most 16 MiB"));
	close(fd);
	unlink(path);
	clear(&said);
	assert_null(lock_load(path, listen, &said));
	assert_non_null(strstr(said.text, "weir scan --write-lock"));
}

/* ---- what passes ------------------------------------------------------ */

#define D(name, x) "{\"name\":\"" name "\",\"description\":\"" x "\"}"

/* What happens, one after the other: a list shows a definition, or the name is
 * called. */
static const struct {
	const char *name;
	const char *shown;   /* NULL: is called */
	const char *refused; /* NULL: passes; of a list: what it is for calls */
	enum lock_news news;
} steps[] = {
	/* Before any list. */
	{"a", NULL, NULL, LOCK_NO_NEWS},
	{"c", NULL, UNKNOWN, LOCK_NO_NEWS},
	/* Other spellings of one that is locked are none. */
	{"A", NULL, UNKNOWN, LOCK_NO_NEWS},
	{" a", NULL, UNKNOWN, LOCK_NO_NEWS},
	{"__0123456789ab_a", NULL, UNKNOWN, LOCK_NO_NEWS},
	{"*", NULL, UNKNOWN, LOCK_NO_NEWS},
	{"", NULL, UNKNOWN, LOCK_NO_NEWS},
	/* But one that is locked itself. */
	{"__0123456789ab_b", NULL, NULL, LOCK_NO_NEWS},
	{"B", NULL, NULL, LOCK_NO_NEWS},
	/* A list that shows what is locked, laid out in another way. */
	{"a", "{ \"name\":\"a\", \"description\":\"1\" }", NULL, LOCK_NO_NEWS},
	{"c", D("c", "1"), UNKNOWN, LOCK_UNKNOWN},
	{"c", D("c", "1"), UNKNOWN, LOCK_NO_NEWS}, /* told once */
	{"a", NULL, NULL, LOCK_NO_NEWS},
	/* Another definition; then the one before again. */
	{"a", D("a", "2"), CHANGED, LOCK_CHANGED},
	{"a", NULL, CHANGED, LOCK_NO_NEWS},
	{"a", D("a", "1"), CHANGED, LOCK_NO_NEWS},
	{"A", NULL, CHANGED, LOCK_NO_NEWS},
	{" a\t", NULL, CHANGED, LOCK_NO_NEWS},
	{"__0123456789ab_a", NULL, CHANGED, LOCK_NO_NEWS},
	{"__0123456789ab_A", NULL, CHANGED, LOCK_NO_NEWS},
	{"b", NULL, NULL, LOCK_NO_NEWS},
	/* The one spelling of a name forbids the other, which is locked. */
	{"b", "{\"description\":\"1\",\"name\":\"b\"}", CHANGED, LOCK_CHANGED},
	{"B", D("B", "1"), CHANGED, LOCK_NO_NEWS},
	{"__0123456789ab_b", D("__0123456789ab_b", "1"), CHANGED, LOCK_NO_NEWS},
};

static struct lock *read_tools(const char *a, const char *b, struct said *said)
{
	static char texts[2][4000];
	static int next;
	char *text = texts[next++ % 2];

	snprintf(text, 4000, "{\"lock\":\"1\",\"tools\":{%s,%s,%s,%s}}",
		 tool("a", a), tool("b", b), tool("B", D("B", "1")),
		 tool("__0123456789ab_b", D("__0123456789ab_b", "1")));
	return read_text(text, said);
}

static bool refused_for(const struct lock *lock, const char *name,
			const char *why)
{
	const char *said = lock_refuses(lock, name, strlen(name));

	if (!said || !why)
		return !said == !why;
	return strncmp(said, why, strlen(why)) == 0;
}

TEST(what_changes_is_refused)
{
	struct said said;
	struct lock *lock = read_tools(D("a", "1"), D("b", "1"), &said);

	assert_non_null(lock);
	for (size_t i = 0; i < COUNT(steps); i++) {
		const char *name = steps[i].name, *shown = steps[i].shown;
		struct span span = {shown, shown ? strlen(shown) : 0};

		if (shown)
			row_true(shown, lock_see(lock, name, strlen(name),
						 span) == steps[i].news);
		row_true(name, refused_for(lock, name, steps[i].refused));
	}
	lock_free(lock);
}

/* ---- locked anew ------------------------------------------------------ */

/* What a list has shown of "a", in order, where "1" was locked; what is locked
 * then; and whether it passes. */
static const struct {
	const char *shown, *anew;
	bool passes, passed;
} anew[] = {
	{"", "1", true, true},
	{"", "2", true, true},
	{"1", "1", true, true},
	{"1", "2", true, false},
	{"2", "1", false, false}, /* the same lock: what it was stays */
	{"2", "2", false, true},
	{"2", "3", false, false},
	{"21", "1", false, false},
	{"21", "2", false, false}, /* it is not shown so any more */
	{"12", "2", false, true},
	{"123", "3", false, true},
	{"123", "2", false, false},
};

TEST(a_lock_that_is_written_anew_counts)
{
	char path[] = "/tmp/weir-lock-XXXXXX", text[1000], one[2] = "";
	int fd = mkstemp(path);
	struct said said = {.len = 0};

	for (size_t i = 0; i < COUNT(anew); i++) {
		const char *row = anew[i].shown;
		struct lock *lock, *after;

		for (int n = 0; n < 2; n++) {
			snprintf(text, sizeof(text), D("a", "%s"),
				 n == 0 ? "1" : anew[i].anew);
			FILE *f = fopen(path, "w");

			assert_non_null(f);
			fprintf(f, "{\"lock\":\"1\",\"tools\":{%s}}",
				tool("a", text));
			fclose(f);
			if (n == 0)
				lock = lock_load(path, listen, &said);
			if (n == 1)
				break;
			assert_non_null(lock);
			for (const char *p = row; *p; p++) {
				one[0] = *p;
				snprintf(text, sizeof(text), D("a", "%s"), one);
				lock_see(lock, "a", 1,
					 (struct span){text, strlen(text)});
			}
			row_true(row,
				 !lock_refuses(lock, "a", 1) == anew[i].passes);
		}
		after = lock_reload(lock, listen, &said);
		assert_non_null(after);
		assert_ptr_not_equal(after, lock);
		row_true(row, !lock_refuses(after, "a", 1) == anew[i].passed);
		lock_free(lock);
		lock_free(after);
	}
	assert_int_equal(said.lines, 0);
	close(fd);
	unlink(path);
}

RUN(NULL, NULL)
