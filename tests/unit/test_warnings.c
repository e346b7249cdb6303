/*
 * What check warns of: each warning on the wrong policy, and none on right
 * ones.
 *
 * Policies stand here with ' for ", so that they can be read.
 */
#include "unit.h"

#include "../../policies/policy.h"

#include <stdlib.h>

#define FILES_MAX 3 /* laid over each other in a row */

struct said {
	char text[8192];
	size_t len;
	int lines;
};

static void listen(void *context, const char *line)
{
	struct said *s = context;

	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len,
				   "%s\n", line);
	assert_true(s->len < sizeof(s->text));
	s->lines++;
}

/* The policy of up to FILES_MAX files, a.json, b.json, c.json. */
static struct policy *compile(const char *const *files)
{
	static const char *const names[] = {"a.json", "b.json", "c.json"};
	static char text[FILES_MAX][8192];
	struct policy_source sources[FILES_MAX];
	struct said said = {.len = 0};
	struct policy *p;
	size_t count = 0;

	for (; count < FILES_MAX && files[count]; count++) {
		snprintf(text[count], sizeof(text[count]), "%s", files[count]);
		for (char *q = text[count]; (q = strchr(q, '\'')); q++)
			*q = '"';
		sources[count] = (struct policy_source){
			names[count], text[count], strlen(text[count])};
	}
	p = policy_compile(sources, count, NULL, listen, &said);
	if (!p)
		print_error("%s: %s\n", files[0], said.text);
	assert_non_null(p);
	return p;
}

#define DENY  "{'version':'1','default':'deny',"
#define HIDE  "{'version':'1','default':'hide',"
#define ALLOW "{'version':'1','default':'allow',"
#define TOOLS "'tools':"
#define RATE  "'rate_limit':'5/hour'"
#define IS_1  "[{'path':'args.x','op':'eq','value':1}]"

#define AT(path, op, value)                                                    \
	ALLOW "'tools':{'t':{'deny_if':[{'path':'" path "','op':'" op          \
	      "','value':'" value "'}]}}}"
#define NOT(op, value) AT("args.x", op, value)
#define NEED(op, value)                                                        \
	ALLOW "'tools':{'t':{'require':[{'path':'args.x','op':'" op            \
	      "','value':'" value "'}]}}}"

/* The words of the only warning, with ' for ". */
static const struct {
	const char *files[FILES_MAX];
	const char *said;
} wrong[] = {
	/* An entry that opens what was closed. */
	{{DENY "'tools':{'*':{" RATE "}}}"},
	 "a.json:1: /tools/*: this entry allows every tool, so \"default\" "
	 "\"deny\" holds nothing back"},
	{{HIDE "'tools':{'?*':{'action':'allow'}}}"},
	 "so \"default\" \"hide\" holds nothing back"},
	{{DENY "'tools':{'read_*':{},'delete_*':{" RATE "}}}"},
	 "/tools/delete_*: beside \"default\" \"deny\" this glob, which has "
	 "only limits, allows every tool that it covers: write \"action\""},
	{{DENY "'tools':{'write_file':{'require':" IS_1 "},'write_*':{" RATE
	       "}}}"},
	 "/tools/write_*: beside \"default\" \"deny\" this glob, which has "
	 "only limits, allows every tool that it covers, not only those"},
	{{DENY "'tools':{'a':{}}}", DENY "'tools':{'b':{" RATE "}}}"},
	 "b.json:1: /tools/b: this entry allows what no file before"},
	{{DENY "'tools':{'a*':{}}}",
	  ALLOW "'tools':{'a':{" RATE "},'*_x':{}}}"},
	 "b.json:1: /tools/*_x: this entry allows what no file before"},
	{{DENY "'tools':{'a?':{}}}", DENY "'tools':{'a*':{" RATE "}}}"},
	 "b.json:1: /tools/a*: this entry allows what no file before"},
	{{ALLOW "'tools':{'b':{" RATE "}}}", DENY "'tools':{'a':{}}}"},
	 "a.json:1: /tools/b: beside \"default\" \"allow\" in its own file "
	 "this entry holds back; beside \"default\" \"deny\", line 1 of b.json"},
	/* Names that nothing has. */
	{{ALLOW "'hide':['{write,edit}_file']}"},
	 "/hide/0: no tool has a name with \"{\""},
	{{ALLOW "'tools':{'^delete_x$':{'action':'deny'}}}"},
	 "no tool has a name with \"^\""},
	{{ALLOW "'hide':['a|b']}"}, "no tool has a name with \"|\""},
	{{ALLOW "'hide':['drop_[a-z]*']}"}, "no tool has a name with \"[\""},
	{{ALLOW "'hide':['Bash(rm:*)']}"}, "no tool has a name with \"(\""},
	{{ALLOW "'hide':['/drop/']}"}, "no tool has a name with \"/\""},
	{{ALLOW "'hide':['delete_.*']}"},
	 "\".*\" covers only names that have this dot: * alone stands for "
	 "anything, so write \"delete_*\""},
	{{ALLOW "'hide':['mcp__files__write_file']}"}, "Write 'write_file'"},
	{{ALLOW "'hide':['mcp__files']}"}, "a name as clients show it"},
	{{ALLOW "'prompts':{'mcp__a__b':{'action':'deny'}}}"},
	 "/prompts/mcp__a__b: this is a name as clients show it"},
	/* Methods. */
	{{ALLOW "'methods':{'sampling/createMessage':{'action':'deny'}}}"},
	 "/methods/sampling~1createMessage: only a server sends this"},
	{{ALLOW "'methods':{'elicitation/*':{'action':'deny'}}}"},
	 "only a server sends this"},
	{{ALLOW "'methods':{'resource/read':{'action':'deny'}}}"},
	 "MCP has no such method: did you mean \"resources/read\"?"},
	{{ALLOW "'methods':{'notifications/roots/list_change':{'action':'deny'"
		"}}}"},
	 "did you mean \"notifications/roots/list_changed\"?"},
	{{ALLOW "'methods':{'shell/*':{'action':'deny'}}}"},
	 "MCP has no such method, so"},
	/* Entries without effect. */
	{{ALLOW "'tools':{'a':{'reason':'no','require':" IS_1 "}}}"},
	 "/tools/a: \"reason\" is told when the action refuses"},
	{{ALLOW "'tools':{'*':{'action':'deny'},'list_*':{}}}"},
	 "/tools/list_*: this entry has no effect: line 1 of a.json, "
	 "/tools/*/action, refuses every call"},
	/* Patterns. */
	{{NEED("regex", "/drop/i")}, "/tools/t/require/0: the slashes around"},
	{{NOT("regex", "/drop/i")}, "/deny_if/0: the slashes around"},
	{{NOT("regex", "/drop/")}, "the slashes around"},
	{{NEED("regex", "[a-z]+")}, "this is found anywhere in the string"},
	{{NEED("regex", "^[a-z]+")}, "this is found anywhere in the string"},
	{{NEED("regex", "[a-z]+$")}, "this is found anywhere in the string"},
	{{NEED("regex", "^a|b$")}, "this is found anywhere in the string"},
	{{NEED("regex", "^a\\\\$")}, "this is found anywhere in the string"},
	{{NEED("regex", "(^a$|b)")}, "this is found anywhere in the string"},
	{{NEED("regex", "^/srv/[a-z./]+$")}, "'under'"},
	{{NEED("regex", "^/srv/")}, "'under'"},
	{{NEED("regex", "(?i)^~/x/.*$")}, "'under'"},
	{{NEED("regex", "^https?://a\\\\.com/.*$")}, "'under'"},
	{{NEED("regex", "\\\\Ahttps:\\\\/\\\\/a/.*\\\\z")}, "'under'"},
	{{NEED("glob", "/srv/*")}, "a glob is not for paths"},
	{{NEED("glob", "https://a.com/*")}, "a glob is not for paths"},
	{{NOT("regex", "^/etc/")}, "lead past it. Write {'op': 'under'"},
	{{NOT("regex", "/etc/passwd")}, "lead past it"},
	{{NOT("regex", "https?://169")}, "lead past it"},
	{{NOT("glob", "/etc/*")}, "lead past it"},
	{{NOT("regex", "DROP.*TABLE")}, ". stops at a line break"},
	{{NOT("regex", "^.+x")}, ". stops at a line break"},
	{{NOT("regex", "^(a.{2}|b)")}, ". stops at a line break"},
	{{NOT("regex", "\\bDROP")}, "is a backspace"},
	{{NOT("regex", "rm $HOME")}, "this can never match"},
	{{NOT("regex", "a^b")}, "this can never match"},
	{{NOT("glob", "^rm *")}, "'^' is looked for"},
	{{NOT("glob", "rm*$")}, "'$' is looked for"},
	{{NOT("glob", "{rm,mv} *")}, "'{' is looked for"},
	{{NOT("glob", "[rm] *")}, "'[' is looked for"},
	/* Operands. */
	{{NEED("eq", "prod-*")}, "'eq' does not know *"},
	{{NEED("contains", "*rm*")}, "'contains' does not know *"},
	{{NEED("under", "/srv/*")}, "name the directory alone"},
	{{ALLOW "'tools':{'t':{'require':[{'path':'args.x','op':'in','value':["
		"'a','*.b']}]}}}"},
	 "'in' does not know *"},
	{{NOT("neq", "main")},
	 "'neq' in 'deny_if' does not hold where the argument is missing"},
	{{ALLOW "'tools':{'t':{'deny_if':[{'path':'args.x','op':'not_in',"
		"'value':[1]}],'require':[{'path':'args.y','op':'eq','value':1"
		"}]}}}"},
	 "'not_in' in 'deny_if' does not hold"},
	/* Paths. */
	{{AT("args", "regex", "a")}, "so every call is refused: name the arg"},
	{{AT("args", "eq", "a")}, "so every call is refused: name the arg"},
	{{AT("args[*]", "regex", "a")}, "an object, not an array"},
	{{AT("args[0].x", "regex", "a")}, "an object, not an array"},
	{{AT("/*", "regex", "a")}, "a JSON Pointer has no *, so '/*' names"},
	{{AT("/a/*/b", "regex", "a")}, "a JSON Pointer has no *"},
	{{AT("/args/x", "regex", "a")}, "so '/args/x' leads to an argument"},
	{{AT("args.arguments.x", "regex", "a")}, "called 'arguments'"},
	{{AT("args.args", "regex", "a")}, "called 'args'"},
};

static const char *const right[][FILES_MAX] = {
	{DENY "'tools':{'a':{" RATE "}}}"},
	{DENY "'tools':{'get_*':{" RATE "}}}"},
	{DENY "'tools':{'delete_*':{'action':'allow'," RATE "}}}"},
	{DENY "'tools':{'delete_*':{'require':" IS_1 "}}}"},
	{ALLOW "'tools':{'*':{" RATE "},'delete_*':{" RATE "}}}"},
	{DENY "'all_tools':{" RATE "},'tools':{'read_*':{},'list_*':{}}}"},
	{DENY "'tools':{'a':{},'read_*':{}}}",
	 DENY "'tools':{'a':{" RATE "},'read_file':{'require':" IS_1 "}}}"},
	{DENY "'tools':{'a*':{}}}", DENY "'tools':{'ab*':{" RATE "}}}"},
	{ALLOW "'tools':{'a':{" RATE "}}}", ALLOW "'tools':{'b':{" RATE "}}}"},
	{ALLOW "'tools':{'b':{" RATE "}}}", DENY "'tools':{'a':{},'b':{}}}"},
	{ALLOW "'hide':['files.*','files.read','a/b','x-y:z']}"},
	{ALLOW "'methods':{'*':{" RATE "},'tasks/*':{'action':'deny'},"
	       "'Tools/Call':{" RATE "},'notifications/*':{}}}"},
	{ALLOW "'tools':{'a':{'action':'deny','reason':'no'}}}"},
	{NEED("regex", "^(a|b)$")},
	{NEED("regex", "^a$|^b$")},
	{NEED("regex", "(?i)^[a-z ]+$")},
	{NEED("regex", "(?:^a.*$)")},
	{NEED("regex", "^[\\\\s\\\\S]*[A-Z]+-[0-9]+[\\\\s\\\\S]*$")},
	{NEED("regex", "^/srv/(a|b)\\\\.txt$")},
	{NEED("regex", "^https://.*$")},
	{NEED("glob", "https://*")},
	{NEED("glob", "*.md")},
	{NEED("glob", "/srv/a.txt")},
	{NEED("eq", "*")},
	{NEED("eq", "* * * * *")},
	{NEED("neq", "main")},
	{NEED("under", "/srv")},
	{NOT("regex", "(?i)drop[\\\\s\\\\S]*table")},
	{NOT("regex", ".*drop.*")},
	{NOT("regex", "(^|/)\\\\.\\\\.(/|$)")},
	{NOT("regex", "/\\\\.")},
	{NOT("regex", "^http://")},
	{NOT("regex", "[.*]x")},
	{NOT("regex", "a\\\\.+b$")},
	{AT("args.path", "regex", "/etc/")},
	{NOT("regex", "\\\\$HOME")},
	{NOT("regex", "a$|^b")},
	{ALLOW "'tools':{'t':{'deny_if':[{'path':'args.x','op':'neq','value':1}"
	       "],'require':[{'path':'args.x','op':'exists','value':true}]}}}"},
	{ALLOW "'all_tools':{'require':[{'path':'args.x','op':'exists','value'"
	       ":true}]},'tools':{'t':{'deny_if':[{'path':'args.x','op':'neq',"
	       "'value':1}]}}}"},
	{ALLOW "'tools':{'t*':{'require':" IS_1 "},'t':{'deny_if':[{'path':"
	       "'args.x','op':'not_in','value':[1]}]}}}"},
	{AT("/a.b/c", "eq", "a")},
	{AT("args.x.args", "eq", "a")},
	{ALLOW "'methods':{'tools/call':{'deny_if':[{'path':'args.arguments.x'"
	       ",'op':'eq','value':1}]}}}"},
};

static int count_failed(const char *const *files, const char *words)
{
	struct policy *p = compile(files);
	struct said said = {.len = 0};
	int count = policy_warn(p, listen, &said);
	char want[256];
	bool good = count == said.lines && count == (words ? 1 : 0);

	snprintf(want, sizeof(want), "%s", words ? words : "");
	for (char *q = want; (q = strchr(q, '\'')); q++)
		*q = '"';
	good &= !!strstr(said.text, want);

	if (!good)
		print_error("row: %s\n  said: %s\n", files[0], said.text);
	policy_free(p);
	return !good;
}

static void wrong_policies_are_told(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		failed += count_failed(wrong[i].files, wrong[i].said);
	assert_int_equal(failed, 0);
}

static void right_policies_are_not(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++)
		failed += count_failed(right[i], NULL);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_policies_are_told),
		cmocka_unit_test(right_policies_are_not),
	};

	return cmocka_run_group_tests_name("warnings", tests, NULL, NULL);
}
