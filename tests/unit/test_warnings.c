/*
 * What check warns of: each warning on the wrong policy, and none on right
 * ones.
 *
 * Policies stand here with ' for ", so that they can be read.
 */
#include "said.h"

#include <stdlib.h>

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

#define TWO(list, group, one, other)                                           \
	DENY "'tools':{'t':{'" list "':[{'" group                              \
	     "':[{'path':'args.x','op':" one "},{'path':'args.x','op':" other  \
	     "}]}]}}}"

/* The words of the only warning, with ' for ". */
static const struct {
	const char *files[FILES_MAX];
	const char *said;
} wrong[] = {
	/* A limit that the agent chooses. */
	{{ALLOW "'tools':{'t':{'limits':[{'max':5,'window':'day',"
		"'per':'args.repo'}]}}}"},
	 "/tools/t/limits/0: the agent chooses args.repo, and with it"},
	{{ALLOW "'tools':{'t':{'require':[{'path':'args.x','op':'exists',"
		"'value':true}],'limits':[{'max':5,'window':'day',"
		"'per':'args.repo'}]}}}"},
	 "the agent chooses args.repo"},
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
	{{AT("args.path", "regex", "/drop/i")}, "the slashes around"},
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
	{{NEED("regex", "^(https|http)://a[.]com/.*$")}, "'under'"},
	{{NEED("regex", "^.*://a[.]com/.*$")}, "'under'"},
	{{NEED("glob", "*://a.com/*")}, "a glob is not for paths"},
	{{NEED("contains", "/srv/data/")},
	 "has many spellings, and 'contains'"},
	{{NEED("contains", "https://a.com")}, "or {'op': 'host'"},
	{{ALLOW "'tools':{'t':{'require':[{'path':'args.url','op':'contains',"
		"'value':'example.org'}]}}}"},
	 "or {'op': 'host'"},
	{{AT("args.baseUrl", "contains", "127.0.0.1")}, "or {'op': 'host'"},
	{{NEED("neq", "/etc/passwd")}, "has many spellings, and 'neq'"},
	{{NOT("eq", "/etc/passwd")}, "has many spellings, and 'eq'"},
	{{NOT("eq", "file:///etc")}, "has many spellings, and 'eq'"},
	{{AT("args.file_path", "contains", "/etc/passwd")},
	 "has many spellings, and 'contains'"},
	{{ALLOW "'tools':{'t':{'deny_if':[{'path':'args.x','op':'in','value':["
		"'a','http://localhost/']}]}}}"},
	 "'in' knows one"},
	{{NEED("regex", "^[a-z]+@example.org$")},
	 "is any character: write [.]"},
	{{DENY
	  "'tools':{'t':{'require':[{'path':'args.y','op':'host','value':"
	  "'a.org'},{'path':'args.x','op':'regex','value':'^https://[^?]*$'"
	  "}]}}}"},
	 "'under'"},
	/* Conditions beside one another. */
	{{TWO("deny_if", "all", "'gt','value':100", "'lt','value':0")},
	 "/deny_if/0: no value meets this and the one before it"},
	{{TWO("deny_if", "all", "'lt','value':1", "'gte','value':1.0")},
	 "no value meets this"},
	{{TWO("deny_if", "all", "'eq','value':'a'", "'in','value':['b']")},
	 "no value meets this"},
	{{TWO("require", "all", "'eq','value':'a'", "'eq','value':'b'")},
	 "no value meets this"},
	{{TWO("require", "any", "'neq','value':'a'", "'not_in','value':['b']")},
	 "one of these always holds"},
	{{DENY "'tools':{'t':{'require':[{'path':'args.x','op':'eq','value':1},"
	       "{'path':'args.x','op':'eq','value':2}]}}}"},
	 "/require/1: no value meets this"},
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
	{{ALLOW
	  "'all_tools':{'deny_if':[{'all':[{'path':'args.f','op':'eq',"
	  "'value':true},{'path':'args.b','op':'neq','value':'main'}]}]}}"},
	 "'neq' in 'deny_if' does not hold"},
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
	/* What a later file refuses on purpose. */
	{DENY "'tools':{'a':{},'b':{" RATE "}}}", DENY "'hide':['b','a*']}"},
	{DENY "'tools':{'a':{},'ab':{}}}", DENY "'tools':{'ab*':{'action':"
						"'deny'}}}"},
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
	{NOT("regex", "^/|(^|/)[.][.](/|$)")},
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
	{AT("args.**", "regex", "id_rsa")},
	{NEED("host", "*.example.org")},
	{NEED("eq", "/srv/data/a.txt")},
	{NEED("contains", "/approve")},
	{NEED("contains", "example.org")},
	{AT("args.url", "contains", "token=a.b")},
	{AT("args.path", "contains", "draft.md")},
	{NOT("eq", "/reset")},
	{NOT("eq", "text/plain")},
	{NOT("contains", "https://")},
	{AT("args.command", "contains", "/etc/passwd")},
	{NEED("regex", "^v[0-9].[0-9]$|^a.*b$|^a.?bc$|^a.c$")},
	{DENY "'tools':{'t':{'require':[{'path':'args.x','op':'host','value':"
	      "'a.org'},{'path':'args.x','op':'regex','value':'^https://[^?]*$'"
	      "},{'path':'args.x','op':'contains','value':'/b/c/'}]}}}"},
	{NOT("regex", "example.org")},
	{TWO("deny_if", "all", "'gt','value':0", "'lt','value':100")},
	{TWO("deny_if", "all", "'gte','value':1", "'lte','value':1")},
	{TWO("deny_if", "any", "'gt','value':100", "'lt','value':0")},
	{TWO("deny_if", "all", "'in','value':['a','b']", "'eq','value':'b'")},
	{TWO("require", "any", "'eq','value':'a'", "'eq','value':'b'")},
	{TWO("require", "all", "'neq','value':'a'", "'neq','value':'b'")},
	{DENY "'tools':{'t':{'deny_if':[{'all':[{'path':'args.x[*]','op':'eq',"
	      "'value':1},{'path':'args.x[*]','op':'eq','value':2}]}]}}}"},
	{ALLOW
	 "'all_tools':{'deny_if':[{'all':[{'path':'args.b','op':'exists',"
	 "'value':true},{'path':'args.b','op':'neq','value':'main'}]}]}}"},
	{AT("args.x.args", "eq", "a")},
	{ALLOW "'tools':{'t':{'limits':[{'max':5,'window':'day','per':'tool'}]}"
	       "}}"},
	{ALLOW "'tools':{'t':{'limits':[{'max':5,'window':'day','per':'args.x'}"
	       ",{'max':9,'window':'day'}]}}}"},
	{ALLOW "'all_tools':{'rate_limit':'9/day'},'tools':{'t':{'limits':[{"
	       "'max':5,'window':'day','per':'args.x'}]}}}"},
	{ALLOW "'tools':{'t':{'require':[{'path':'args.x','op':'in','value':["
	       "1]}],'limits':[{'max':5,'window':'day','per':'args.x'}]}}}"},
	{ALLOW "'methods':{'tools/call':{'deny_if':[{'path':'args.arguments.x'"
	       ",'op':'eq','value':1}]}}}"},
};

/* Sentences that people ask for, as policies that hold. */
static const char *const sentences[] = {
	/* Read only. */
	DENY "'tools':{'read_*':{},'list_*':{},'get_*':{},'search_*':{}}}",
	/* Only under two directories. */
	DENY
	"'tools':{'read_file':{'require':[{'path':'args.path','op':'under',"
	"'value':['/srv/a','/srv/b']}]}}}",
	/* No dot files anywhere. */
	ALLOW "'all_tools':{'deny_if':[{'path':'args.**','op':'regex','value':"
	      "'(^|/)[.][^./]'}]}}",
	/* At most five writes a minute in all. */
	DENY "'tools':{'read_*':{},'write_file':{'limits':[{'counter':'writes',"
	     "'max':5,'window':'minute'}]},'edit_file':{'limits':[{'counter':"
	     "'writes','max':5,'window':'minute'}]}}}",
	/* At most 100 a day of args.amount. */
	DENY
	"'tools':{'pay':{'require':[{'path':'args.amount','op':'lte',"
	"'value':50}],'limits':[{'max':100,'window':'day','increment_from':"
	"'args.amount'}]}}}",
	/* Only SELECT, one statement. */
	DENY "'tools':{'query':{'require':[{'path':'args.sql','op':'regex',"
	     "'value':'(?i)^\\\\s*select\\\\b[^;]*;?\\\\s*$'}]}}}",
	/* Only these two sites. */
	DENY
	"'tools':{'fetch':{'require':[{'path':'args.url','op':'host','value':"
	"['example.org','*.example.com']}]}}}",
	/* No push to main, also as refs/heads/main. */
	ALLOW
	"'tools':{'git_push':{'require':[{'path':'args.branch','op':'not_in',"
	"'value':['main','refs/heads/main']}]}}}",
	/* No forced push to main, but elsewhere yes. */
	ALLOW
	"'tools':{'git_push':{'deny_if':[{'all':[{'path':'args.force','op':"
	"'eq','value':true},{'path':'args.branch','op':'in','value':['main',"
	"'refs/heads/main']}]}]}}}",
	/* A reason with a ticket number. */
	DENY
	"'tools':{'deploy':{'require':[{'path':'args.reason','op':'regex',"
	"'value':'^[\\\\s\\\\S]*\\\\b[A-Z]+-[0-9]+\\\\b[\\\\s\\\\S]*$'}]}}}",
	/* Files of at most 1 MiB. */
	DENY "'tools':{'write_file':{'require':[{'path':'args.content','op':"
	     "'max_length','value':1048576}]}}}",
	/* Nothing with a private key in any argument. */
	ALLOW "'all_tools':{'deny_if':[{'path':'args.**','op':'regex','value':"
	      "'-----BEGIN [A-Z ]*PRIVATE KEY-----'}]}}",
	/* Only static resources; no prompts. */
	ALLOW "'resources':{'demo://dynamic/*':{'action':'deny','reason':"
	      "'static ones only'}},'prompts':{'*':{'action':'hide'}}}",
	/* A few commands, without what joins another one to them. */
	DENY "'tools':{'run':{'require':[{'path':'args.command','op':'regex',"
	     "'value':'^(ls|git status|make test)( [A-Za-z0-9_./=-]+)*$'}],"
	     "'rate_limit':'30/minute'}}}",
	/* Staging only, and slowly; the rest is listed and refused. */
	DENY "'description':'staging','tools':{'deploy_*':{'require':[{'path':"
	     "'args.env','op':'eq','value':'staging'}],'rate_limit':'3/hour'}},"
	     "'hide':['drop_*','admin_*']}",
	/* No sampling of files by tasks, no log level from the client. */
	ALLOW
	"'methods':{'tasks/*':{'action':'deny'},'logging/setLevel':{'action':"
	"'deny','reason':'set by the operator'},'resources/subscribe':{"
	"'rate_limit':'10/minute'}}}",
	/* Mail to one domain, none with many readers. */
	DENY
	"'tools':{'send_mail':{'require':[{'path':'args.to[*]','op':'regex',"
	"'value':'(?i)^[a-z0-9._+-]+@example[.]org$'},{'path':'args.to',"
	"'op':'max_length','value':5}],'deny_if':[{'path':'args.subject',"
	"'op':'contains','value':'password'}]}}}",
	/* The shell's dangers by name. */
	ALLOW
	"'tools':{'shell':{'deny_if':[{'path':'args.command','op':'regex',"
	"'value':'(?i)\\\\brm\\\\s+-[a-z]*r'},{'path':'args.command','op':"
	"'regex','value':'\\\\bcurl\\\\b[^|]*[|]\\\\s*(ba)?sh\\\\b'}]}}}",
	/* Internal numbers are no id of a customer. */
	DENY
	"'tools':{'get_customer':{'require':[{'path':'args.id','op':'gte',"
	"'value':1000},{'path':'args.region','op':'in','value':['eu','us']}],"
	"'deny_if':[{'path':'args.fields[*]','op':'in','value':['ssn',"
	"'iban']}]}}}",
};

/* Against a list of what the server has, or NULL. */
static int count_failed(const char *const *files, const char *has,
			const char *words)
{
	struct policy_list *list = NULL;
	struct said said;
	struct policy *p = compile_files(files, &said);
	char text[TEXT_BYTES], want[256];
	int count;
	bool good;

	if (!p)
		print_error("said: %s", said.text);
	row_true(files[0], p);
	if (has) {
		struct policy_source source = {.name = "list"};

		source.text = json(text, sizeof(text), "%s", has);
		source.len = strlen(text);
		list = policy_list_read(&source);
		assert_non_null(list);
		assert_null(policy_list_fault(list, want, sizeof(want)));
	}
	count = policy_warn(p, list, listen, &said);
	good = count == said.lines && count == (words ? 1 : 0);
	json(want, sizeof(want), "%s", words ? words : "");
	good &= !!strstr(said.text, want);
	if (!good)
		print_error("row: %s\n     %s\n  said: %s\n", files[0],
			    has ? has : "", said.text);
	policy_list_free(list);
	policy_free(p);
	return !good;
}

TEST(wrong_policies_are_told)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(wrong); i++)
		failed += count_failed(wrong[i].files, NULL, wrong[i].said);
	assert_int_equal(failed, 0);
}

TEST(right_policies_are_not)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(right); i++)
		failed += count_failed(right[i], NULL, NULL);
	for (size_t i = 0; i < COUNT(sentences); i++)
		failed += count_failed(
			(const char *const[FILES_MAX]){sentences[i]}, NULL,
			NULL);
	assert_int_equal(failed, 0);
}

/* ---- against what a server has --------------------------------------- */

#define TOOL(name, schema) "{'name':'" name "','inputSchema':" schema "}"
#define HAS(schema)        "[" TOOL("t", schema) "]"
#define CLOSED(properties)                                                     \
	"{'type':'object','properties':{" properties                           \
	"},'additionalProperties':false}"
#define OPEN(properties) "{'type':'object','properties':{" properties "}}"
#define STRING(name)     "'" name "':{'type':'string'}"
#define PATHS            "'paths':{'type':'array','items':{'type':'string'}}"
#define ASKS(path)                                                             \
	DENY "'tools':{'t':{'require':[{'path':'" path                         \
	     "','op':'under','value':'/srv'}]}}}"
#define LIST(name, path, op, value)                                            \
	DENY "'tools':{'t':{'" name "':[{'path':'" path "','op':'" op          \
	     "','value':" value "}]}}}"
#define SUM(path)                                                              \
	DENY "'tools':{'t':{'limits':[{'max':1,'window':'day',"                \
	     "'increment_from':'" path "'}]}}}"
#define PER(path)                                                              \
	DENY "'tools':{'t':{'limits':[{'max':9,'window':'day'},{'max':1,"      \
	     "'window':'day','counter':'c','per':'" path "'}]}}}"
#define ALL(path)                                                              \
	ALLOW "'all_tools':{'deny_if':[{'path':'" path "','op':'under',"       \
	      "'value':'/etc'}]}}"

/* A policy, a list, and the words of the only warning; NULL: none. */
static const struct {
	const char *policy, *has, *said;
} held[] = {
	/* What is not there. */
	{ASKS("args.path"), HAS(CLOSED(STRING("path"))), NULL},
	{ASKS("args.path"), HAS(CLOSED(STRING("x"))),
	 "/require/0: t has no argument args.path, so every call of it is"},
	{ASKS("args.path"), HAS(OPEN(STRING("x"))),
	 "t has no argument args.path: a call is refused, unless it invents"},
	{LIST("deny_if", "args.x", "eq", "1"), HAS(OPEN(STRING("y"))),
	 "/deny_if/0: t has no argument args.x, so this never holds"},
	{LIST("require", "args.x", "exists", "false"), HAS(OPEN("")), NULL},
	{LIST("deny_if", "args.x", "exists", "false"), HAS(OPEN("")),
	 "t has no argument args.x, so this refuses every call of it"},
	{SUM("args.amount"), HAS(OPEN("'amount':{'type':'number'}")), NULL},
	{SUM("args.amount"), HAS(CLOSED("")),
	 "/limits/0: t has no argument args.amount, so every call"},
	{SUM("args.amount"), HAS(OPEN(STRING("amount"))),
	 "args.amount of t is a string, and 'increment_from' is not about"},
	{PER("args.repo"), HAS(CLOSED(STRING("repo"))), NULL},
	{PER("args.repo"), HAS(CLOSED("")),
	 "/limits/1: t has no argument args.repo, so every call"},
	{PER("args.paths"), HAS(OPEN(PATHS)), "and 'per' is not about that"},
	/* For several tools at once, only what looks alike or is nowhere. */
	{ALL("args.path"),
	 "[" TOOL("t", OPEN(STRING("path"))) "," TOOL("u",
						      OPEN(STRING("x"))) "]",
	 NULL},
	{ALL("args.path"),
	 "[" TOOL("t", OPEN(STRING("path"))) "," TOOL("u", OPEN(PATHS)) "]",
	 "u has no argument args.path, so this never holds for it; it has "
	 "'paths', which no condition asks for"},
	{ALL("args.path"), HAS(OPEN(STRING("x"))),
	 "no tool that this is about has an argument args.path"},
	{ALL("args.path"), "['t'," TOOL("u", OPEN(STRING("x"))) "]", NULL},
	{DENY "'tools':{'t*':{'require':[{'path':'args.path','op':'under',"
	      "'value':'/srv'}]}}}",
	 "[" TOOL("t1", CLOSED(STRING("path"))) "," TOOL("t2",
							 CLOSED(PATHS)) "]",
	 "t2 has no argument args.path, so every call"},
	/* One of "any" may be missing. */
	{DENY "'tools':{'t':{'require':[{'any':[{'path':'args.x','op':'eq',"
	      "'value':1},{'path':'args.y','op':'eq','value':1}]}]}}}",
	 HAS(CLOSED("'x':{'type':'number'}")), NULL},
	{DENY "'tools':{'t':{'deny_if':[{'all':[{'path':'args.x','op':'eq',"
	      "'value':1},{'path':'args.y','op':'eq','value':1}]}]}}}",
	 HAS(CLOSED("'x':{'type':'number'}")), "t has no argument args.y"},
	{DENY "'tools':{'t':{'deny_if':[{'path':'args.**','op':'regex',"
	      "'value':'BEGIN'}]}}}",
	 HAS(CLOSED("")), NULL},
	/* What looks alike. */
	{ASKS("args.path"), HAS(OPEN(STRING("path") "," PATHS)),
	 "t also has 'paths', which no condition asks for"},
	{ASKS("args.source"),
	 HAS(OPEN(STRING("source") "," STRING("destination"))),
	 "t also has 'destination'"},
	{ASKS("args.path"), HAS(OPEN(STRING("path") "," STRING("output_file"))),
	 "t also has 'output_file'"},
	{ASKS("args.path"), HAS(OPEN(STRING("path") "," STRING("saveDir"))),
	 "t also has 'saveDir'"},
	{ASKS("args.path"), HAS(OPEN(STRING("path") "," STRING("uri"))),
	 "t also has 'uri'"},
	{ASKS("args.path"), HAS(OPEN(STRING("path") "," STRING("url"))),
	 "t also has 'url'"},
	{ASKS("args.path"), HAS(OPEN(STRING("path") "," STRING("profile"))),
	 NULL},
	{ASKS("args.path"),
	 HAS(OPEN(STRING("path") ",'file':{'type':'boolean'},'source':{'enum':"
				 "['web','disk']}")),
	 NULL},
	{LIST("require", "args.name", "eq", "'x'"),
	 HAS(OPEN(STRING("name") "," STRING("path"))), NULL},
	{DENY "'all_tools':{'deny_if':[{'path':'args.paths[*]','op':'under',"
	      "'value':'/etc'}]},'tools':{'t':{'require':[{'path':'args.path',"
	      "'op':'under','value':'/srv'}]}}}",
	 HAS(OPEN(STRING("path") "," PATHS)), NULL},
	/* Types. */
	{LIST("deny_if", "args.x", "regex", "'a'"),
	 HAS(OPEN("'x':{'type':'integer'}")),
	 "args.x of t is a number, and 'regex' is not about that, so a call "
	 "that has it is refused"},
	{LIST("deny_if", "args.paths", "regex", "'a'"), HAS(OPEN(PATHS)),
	 "is refused: add [*] for every element"},
	{LIST("deny_if", "args.paths[*]", "regex", "'a'"), HAS(OPEN(PATHS)),
	 NULL},
	{LIST("deny_if", "args.paths[0]", "regex", "'a'"), HAS(OPEN(PATHS)),
	 NULL},
	{LIST("deny_if", "args.x", "gt", "1"),
	 HAS(OPEN("'x':{'type':'string'}")), "'gt' is not about that"},
	{LIST("deny_if", "args.x", "contains", "'a'"),
	 HAS(OPEN(PATHS "," STRING("x"))), NULL},
	{LIST("deny_if", "args.x", "eq", "1"), HAS(OPEN(STRING("x"))),
	 "args.x of t can never be this value"},
	{LIST("require", "args.x", "in", "['a','d']"),
	 HAS(OPEN("'x':{'enum':['a','b']}")), NULL},
	{LIST("deny_if", "args.x", "in", "['c','d']"),
	 HAS(OPEN("'x':{'type':'string','enum':['a','b']}")),
	 "args.x of t can never be this value: the tool takes others"},
	{LIST("deny_if", "args.x", "eq", "1.0"), HAS(OPEN("'x':{'enum':[1]}")),
	 NULL},
	{LIST("deny_if", "args.x", "eq", "'a'"), HAS(OPEN("'x':{'const':'b'}")),
	 "can never be this value"},
	/* What schemas are made of. */
	{LIST("deny_if", "args.x", "regex", "'a'"),
	 HAS(OPEN("'x':{'anyOf':[{'type':'null'},{'type':'string'}]}")), NULL},
	{LIST("deny_if", "args.x", "regex", "'a'"),
	 HAS(OPEN("'x':{'type':['null','string']}")), NULL},
	{LIST("deny_if", "args.x", "regex", "'a'"),
	 HAS(OPEN("'x':{'anyOf':[{'type':'null'},{'type':'integer'}]}")),
	 "is null, a number, and 'regex'"},
	{LIST("deny_if", "args.o.x", "regex", "'a'"),
	 HAS("{'$defs':{'O':" CLOSED(STRING("x")) "},'properties':{'o':{'$ref':"
						  "'#/$defs/O'}}}"),
	 NULL},
	{LIST("deny_if", "args.o.y", "regex", "'a'"),
	 HAS("{'$defs':{'O':" CLOSED(STRING("x")) "},'properties':{'o':{'$ref':"
						  "'#/$defs/O'}}}"),
	 "t has no argument args.o.y"},
	{LIST("deny_if", "args.o.x", "eq", "'a'"),
	 HAS("{'properties':{'o':{'$ref':'#/properties/o'}}}"), NULL},
	{LIST("deny_if", "args.o.x", "eq", "'a'"),
	 HAS("{'properties':{'o':{'$ref':'http://x/y'}}}"), NULL},
	{LIST("deny_if", "args.a[*].x", "regex", "'a'"),
	 HAS(OPEN("'a':{'type':'array','items':" CLOSED(STRING("y")) "}")),
	 "t has no argument args.a[*].x"},
	{LIST("deny_if", "args.x", "regex", "'a'"),
	 HAS("{'type':'object','allOf':[" OPEN(STRING("x")) "]}"), NULL},
	{LIST("deny_if", "args.x", "regex", "'a'"),
	 HAS("{'type':'object','additionalProperties':{'type':'string'}}"),
	 NULL},
	{LIST("deny_if", "args.x", "regex", "'a'"), HAS("{'type':'object'}"),
	 NULL},
	{LIST("deny_if", "args.x", "regex", "'a'"), HAS("true"), NULL},
	{LIST("deny_if", "args.x", "regex", "'a'"), "['t']", NULL},
	/* What calls the tool "args" has. */
	{LIST("deny_if", "args.args[*]", "regex", "'a'"),
	 HAS(OPEN("'args':{'type':'array','items':{'type':'string'}}")), NULL},
	/* Tasks. */
	{ASKS("args.path"),
	 "[{'name':'t','execution':{'taskSupport':'optional'}}]",
	 "/tools/t: this server has tasks, and tasks/update carries new input"},
	{DENY "'tools':{'t':{}}}",
	 "[{'name':'t','execution':{'taskSupport':'optional'}}]", NULL},
	{DENY "'tools':{'t':{'require':" IS_1
	      "}},'methods':{'tasks/*':{'action'"
	      ":'deny'}}}",
	 "[{'name':'t','execution':{'taskSupport':'optional'}}]", NULL},
	{ASKS("args.path"),
	 "{'jsonrpc':'2.0','id':1,'result':{'capabilities':{'tasks':{}}}}\n['t']",
	 "this server has tasks"},
	/* What a list looks like. */
	{DENY "'tools':{'t':{}}}", "t\n\nu\n", NULL},
	{DENY "'tools':{'t':{}}}", "'t'\n'u'", NULL},
	{DENY "'tools':{'t':{}}}", "{'tools':[\n{'name':'t'}\n]}\n", NULL},
	{DENY "'tools':{'t':{}}}",
	 "{'jsonrpc':'2.0','id':1,'method':'tools/list'}\r\n"
	 "{'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'u'}],'nextCursor':"
	 "'2'}}\n{'jsonrpc':'2.0','method':'notifications/message'}\n"
	 "{'jsonrpc':'2.0','id':2,'result':{'tools':[{'name':'t'}]}}\n",
	 NULL},
	{DENY "'tools':{'t':{}}}",
	 "[{'jsonrpc':'2.0','id':1,'result':{'tools':[{'name':'t'}]}},"
	 "{'result':{'prompts':[{'name':'p'}]}}]",
	 NULL},
	{DENY "'tools':{'x':{}}}", "['t']",
	 "no tool of the list has this name"},
	{DENY "'tools':{'t':{}}}", "[]", "no tool of the list has this name"},
	{DENY "'tools':{'x*':{}}}", "['t']", "this glob covers no tool of the"},
	{DENY "'tools':{'x':{}}}",
	 "{'result':{'tools':[{'name':'t'}],'nextCursor':'2'}}",
	 "list: the list of tools is incomplete: nextCursor"},
	{DENY "'tools':{'t':{}},'prompts':{'p':{'action':'deny'}}}",
	 "{'tools':[{'name':'t'}],'prompts':[{'name':'q'}]}",
	 "no prompt of the list has this name"},
	{DENY "'tools':{'t':{}}}", "{'tools':[{'name':'t'}]}\nServer listens\n",
	 "list:2:1: this line is left out: a value was expected"},
	{DENY "'tools':{'t':{}}}", "['t',{'name':'a','name':'b'},{}]",
	 "list: tools left out, as their names are missing or ambiguous: 2"},
	{DENY "'tools':{'t':{}}}", "t\nnot one name\n",
	 "list:2:1: this line is left out: neither JSON nor a name"},
	{DENY "'tools':{'t':{}}}", "['t',5]",
	 "list:1:6: this line is left out: neither a message, a tool"},
};

TEST(policies_are_held_against_lists)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(held); i++)
		failed += count_failed(
			(const char *const[FILES_MAX]){held[i].policy},
			held[i].has, held[i].said);
	assert_int_equal(failed, 0);
}

/* What is no list, and why. */
TEST(other_files_are_no_lists)
{
	static const char *const rows[][2] = {
		{"", "no list of tools; expected a reply"},
		{"{\"tools\":[{\"name\":\"t\"}", "line 1, column 23 on: "},
		{"{\"tools\":[\n{\"name\":\"t\",}\n]}", "line 2, column 13 on"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "no list of"},
		{"{\"a\":1}", "no list of tools"},
		{"{\n\"a\":,\n\"x\"\n", "line 2, column 5 on"},
	};
	char words[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_source source = {.name = "list",
					       .text = rows[i][0],
					       .len = strlen(rows[i][0])};
		struct policy_list *list = policy_list_read(&source);
		const char *fault;

		assert_non_null(list);
		fault = policy_list_fault(list, words, sizeof(words));
		if (fault && !strstr(fault, rows[i][1]))
			print_error("%s\n", fault);
		row_true(rows[i][0], fault && strstr(fault, rows[i][1]));
		policy_list_free(list);
	}
}

RUN(NULL, NULL)
