/* weir scan --write-lock, and --lock --diff. */
#include "answers.h"
#include "lines.h"

#include <stdlib.h>
#include <sys/stat.h>

#define GREETING                                                               \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":"       \
	"\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":"       \
	"{\"name\":\"s\",\"version\":\"1\"}}}\n"
#define TOOLS(s)                                                               \
	"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[" s "]}}\n"

#define A  "{\"name\":\"a\",\"description\":\"one\"}"
#define A2 "{\"name\":\"a\",\"description\":\"two\"}"
#define B  "{\"name\":\"b\",\"inputSchema\":{\"type\":\"object\"}}"
#define C  "{\"name\":\"c\",\"x\":[ ],\"y\":[1,\"] ,\\\"\"]}"

#define LOCKED_A                                                               \
	"    \"a\": {\n"                                                       \
	"      \"sha256\": "                                                   \
	"\"9058577caad84ee4a588f59c279e6e8de281267b11fc2946d7ccf7aa807b13bc"   \
	"\",\n"                                                                \
	"      \"definition\": {\n"                                            \
	"        \"name\": \"a\",\n"                                           \
	"        \"description\": \"one\"\n"                                   \
	"      }\n"                                                            \
	"    }"
#define LOCKED_C                                                                  \
	"    \"c\": {\n"                                                          \
	"      \"sha256\": "                                                      \
	"\"ef2dcabf84d2f2e604c95d46d0b7f90c20b24f0d4c309c0e2da8a594f07283d7\",\n" \
	"      \"definition\": {\n"                                               \
	"        \"name\": \"c\",\n"                                              \
	"        \"x\": [],\n"                                                    \
	"        \"y\": [\n"                                                      \
	"          1,\n"                                                          \
	"          \"] ,\\\"\"\n"                                                 \
	"        ]\n"                                                             \
	"      }\n"                                                               \
	"    }"
#define NONE    "{\n  \"lock\": \"1\",\n  \"tools\": {\n  }\n}\n"
#define LOCK(s) "{\n  \"lock\": \"1\",\n  \"tools\": {\n" s "\n  }\n}\n"

/* Asks a server that lists these tools; WEIR_LOCK is taken no notice of. */
static struct proc *scan(const char *tools, const char *const *options)
{
	const struct how how = {.env = WORDS("WEIR_LOCK=/none/such")};
	const char *reply = file("reply", text("%s%s", GREETING, tools));
	struct proc *p =
		proc_start_how(join(join(WORDS(weir, "scan"), options),
				    WORDS("--", server, "--reply", reply)),
			       &how);

	proc_close_in(p);
	return p;
}

static struct proc *write_lock(const char *tools)
{
	return scan(tools, WORDS("--write-lock", path("lock")));
}

static const struct {
	const char *name, *tools;
	const char *lock;        /* NULL: whatever it is */
	const char *said, *told; /* NULL: nothing */
} written[] = {
	{"by name", TOOLS(C "," A), LOCK(LOCKED_A ",\n" LOCKED_C),
	 "2 of 2 tools locked\n", NULL},
	{"none", TOOLS(""), NONE, "0 of 0 tools", NULL},
	{"the same twice", TOOLS(A "," A), LOCK(LOCKED_A), "1 of 1", NULL},
	{"laid out otherwise",
	 TOOLS("{ \"name\" : \"a\",\t\"description\":\"one\" }"),
	 LOCK(LOCKED_A), "1 of 1", NULL},
	{"two of a name", TOOLS(A "," A2 "," B), NULL, "1 of 3 tools locked",
	 "not locked, so it will be hidden: tool \"a\": two tools of this name "
	 "differ"},
	{"no name", TOOLS(A ",{\"description\":\"\"},3"), LOCK(LOCKED_A),
	 "1 of 3", "tool \"\": it has no name"},
	{"two names", TOOLS(A ",{\"name\":\"x\",\"name\":\"x\"}"),
	 LOCK(LOCKED_A), "1 of 2", "tool \"\": it has no name, two"},
	{"a key twice",
	 TOOLS(A ",{\"name\":\"x\",\"p\":{\"q\":[{\"r\":1,"
		 "\"\\u0072\":2}]}}"),
	 LOCK(LOCKED_A), "1 of 2", "tool \"x\": a key is there twice"},
	{"NUL", TOOLS(A ",{\"name\":\"x\",\"d\":\"\\u0000\"}"), LOCK(LOCKED_A),
	 "1 of 2", "tool \"x\": \\u0000 or an unpaired"},
	{"hostile",
	 TOOLS("{\"name\":\"\xE2\x80\xAE\\u001b[2J\",\"d\":1,"
	       "\"d\":2}"),
	 NONE, "0 of 1", "tool \"\\u202e\\u001b[2J\": a key"},
};

TEST(lock_written)
{
	for (size_t i = 0; i < 2 * COUNT(written); i++) {
		const char *lock = written[i / 2].lock;
		struct proc *p;

		in_case(written[i / 2].name);
		/* A new file, and in place of another. */
		if (i % 2 == 0)
			remove(path("lock"));
		else
			chmod(file("lock", " {\"lock\""), 0600);
		p = write_lock(written[i / 2].tools);
		check_status(p, 0);
		check_has(p->said.ptr, written[i / 2].said);
		check(written[i / 2].told
			      ? strstr(p->told.ptr, written[i / 2].told) != NULL
			      : p->told.len == 0,
		      "told: %s", p->told.ptr);
		if (lock)
			check_text("the lock", content(path("lock")).ptr, lock);
	}
}

/* What is locked passes, untouched. */
TEST(lock_used)
{
	static const char *const lists[] = {
		"everything", "filesystem", "git", "memory", "sqlite",
	};

	for (size_t i = 0; i < COUNT(lists); i++) {
		struct bytes list =
			content(text("tests/lists/%s.json", lists[i]));
		const char *line;
		struct proc *p;

		in_case(lists[i]);
		for (size_t k = 0; k < list.len; k++)
			if (list.ptr[k] == '\n')
				list.ptr[k] = ' ';
		line = text("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":%s}\n",
			    list.ptr);
		check_status(write_lock(line), 0);
		p = scan(line, WORDS("--lock", path("lock"), "--diff"));
		check_status(p, 0);
		p = proc_run(WEIR("'default':'allow'", "--lock", path("lock"),
				  "--", server, "--reply", file("reply", line)),
			     request("2", "tools/list", NULL));
		check_status(p, 0);
		check_text("the list", p->said.ptr, line);
		check_text("stderr", p->told.ptr ? p->told.ptr : "", "");
	}
}

static const struct {
	const char *name, *tools;
	int status;
	const char *said[4]; /* each somewhere */
} differences[] = {
	{"none",
	 TOOLS(B "," A "," C),
	 0,
	 {"has these 3 tools, all as they are locked\n"}},
	{"white space",
	 TOOLS(B "," A ",{\"name\": \"c\" ,\"x\":[],\"y\":[1,"
		 "\"] ,\\\"\"]}"),
	 0,
	 {"all as they are locked"}},
	{"changed",
	 TOOLS(A2 "," B "," C),
	 1,
	 {"changed: a\n--- a\n+++ a\n@@ -1,4 +1,4 @@\n {\n   \"name\": \"a\",\n"
	  "-  \"description\": \"one\"\n+  \"description\": \"two\"\n }\n",
	  "1 changed, 0 new, 0 gone, of 3 tools\n"}},
	{"new",
	 TOOLS(A "," B "," C ",{\"name\":\"d\"}"),
	 1,
	 {"new: d\n--- d\n+++ d\n@@ -1,0 +1,3 @@\n+{\n+  \"name\": \"d\"\n+}\n",
	  "0 changed, 1 new, 0 gone"}},
	{"gone",
	 TOOLS(A "," C),
	 1,
	 {"gone: b\n--- b\n+++ b\n@@ -1,6 +1,0 @@\n-{\n-  \"name\": \"b\",\n",
	  "0 changed, 0 new, 1 gone"}},
	{"all",
	 TOOLS(A2 ",{\"name\":\"d\"}"),
	 1,
	 {"1 changed, 1 new, 2 gone, of 3 tools"}},
	{"order of keys",
	 TOOLS("{\"description\":\"one\",\"name\":\"a\"}," B "," C),
	 1,
	 {"changed: a\n"}},
	{"twice, once another",
	 TOOLS(A "," A2 "," B "," C),
	 1,
	 {"changed: a\n", "1 changed, 0 new, 0 gone"}},
	{"hostile",
	 TOOLS(A "," B "," C ",{\"name\":\"\xE2\x80\xAE\","
		 "\"d\":\"\x7F\xE2\x80\xAE\"}"),
	 1,
	 {"new: \\u202e\n", "+  \"d\": \"\\u007f\\u202e\"\n"}},
};

TEST(lock_compared)
{
	check_status(write_lock(TOOLS(A "," B "," C)), 0);
	for (size_t i = 0; i < COUNT(differences); i++) {
		struct proc *p = scan(differences[i].tools,
				      WORDS("--lock", path("lock"), "--diff"));

		in_case(differences[i].name);
		check_status(p, differences[i].status);
		for (size_t k = 0; k < 4 && differences[i].said[k]; k++)
			check_has(p->said.ptr, differences[i].said[k]);
	}
}

/* What cannot be done, and what to do. */
TEST(lock_options)
{
	static const struct line_row rows[] = {
		{"scan --diff -- ^", 2, "", "--diff"},
		{"scan --lock /none/such -- ^", 2, "", "--diff"},
		{"scan --lock /none/such --diff -- ^", 2, "",
		 "/none/such: there is no such lock file"},
		{"scan --write-lock /none/such -- ^", 2, "", "/none/such: "},
		{"scan --write-lock /dev/null -- ^", 2, "", "/dev/null"},
		{"scan --write-lock policy -- ^", 2, "",
		 "policy is no lock, and is not replaced"},
	};

	file("policy", "{\"version\"");
	check_rows(rows, COUNT(rows));
}
