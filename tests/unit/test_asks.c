/*
 * What a person is asked about: which rules ask, how, whom, for how long; what
 * is refused instead; and what check says of policies that ask.
 *
 * Policies and lines stand here with ' for ", so that they can be read.
 */
#include "said.h"

#include <stdlib.h>

#include "../../parser/sha256.h"

#define DENY        "{'version':'1','default':'deny',"
#define ALLOW       "{'version':'1','default':'allow',"
#define TOOL(rules) DENY "'tools':{'t':" rules "}}"
#define YES         "'action':'require_approval'"
#define OVER(n)     "{'path':'args.n','op':'gt','value':" n "}"
#define BELOW       "{'path':'args.p','op':'under','value':'/srv'}"

#define REQUEST(method, params)                                                \
	"{'jsonrpc':'2.0','id':1,'method':'" method "','params':" params "}"
#define NOTICE(method) "{'jsonrpc':'2.0','method':'" method "'}"
#define WITH(name, args)                                                       \
	REQUEST("tools/call", "{'name':'" name "','arguments':" args "}")
#define CALL(name) WITH(name, "{}")

/* ---- what is asked --------------------------------------------------- */

/* "RULE: REASON; ...", the ways, the users and the seconds; or how it is
 * refused, by what. */
static void put_verdict(struct said *s, const struct judged *j)
{
	static const char *const kinds[] = {"unweighed", "pass",
					    "hidden",    "refused",
					    "malformed", "dropped"};
	const struct ask *a = &j->ask;

	if (a->count == 0) {
		put(s, "%s", kinds[j->verdict.kind]);
		if (j->verdict.kind > VERDICT_PASS)
			put(s, " by %s: %s", j->verdict.location.rule,
			    j->verdict.reason);
		return;
	}
	assert_int_equal(j->verdict.kind, VERDICT_PASS);
	assert_int_equal(a->in & ~(unsigned)POLICY_ASK_ALL, 0);
	if (a->count > POLICY_ASKS_MAX)
		put(s, "%zu: ", a->count);
	for (size_t i = 0; i < a->count && i < POLICY_ASKS_MAX; i++)
		put(s, "%s%s: %s", i > 0 ? "; " : "", a->rules[i].rule,
		    a->reasons[i] ? a->reasons[i] : "-");
	put(s, " (%s%s%s", a->in & POLICY_ASK_CLIENT ? "c" : "",
	    a->in & POLICY_ASK_TERMINAL ? "t" : "",
	    a->in & POLICY_ASK_PROGRAM ? "p" : "");
	for (size_t i = 0; i < a->by_count; i++)
		put(s, " %s", a->by[i]);
	put(s, " %d)", a->timeout);
}

static const struct {
	const char *a, *b;
	const char *line;
	const char *asks; /* what put_verdict() says, with ' for " */
} rows[] = {
	/* An action asks about each call, a condition where it holds. */
	{TOOL("{" YES "}"), NULL, CALL("t"), "/tools/t/action: - (ctp 50)"},
	{TOOL("{" YES ",'reason':'gone'}"), NULL, CALL("t"),
	 "/tools/t/action: gone (ctp 50)"},
	{TOOL("{" YES "}"), NULL, CALL("u"),
	 "refused by (default deny): the policy does not allow this tool"},
	{TOOL("{" YES "}"), NULL, CALL("T"),
	 "refused by (default deny): the policy does not allow this tool"},
	{ALLOW "'tools':{'t':{" YES "}}}", NULL, CALL(" T "),
	 "/tools/t/action: - (ctp 50)"},
	{ALLOW "'tools':{'t':{" YES "}}}", NULL, CALL("__0123456789ab_t"),
	 "/tools/t/action: - (ctp 50)"},
	{ALLOW "'tools':{'t':{" YES "}}}", NULL, CALL("u"), "pass"},
	{TOOL("{'ask_if':[" OVER("500") "]}"), NULL, WITH("t", "{'n':500}"),
	 "pass"},
	{TOOL("{'ask_if':[" OVER("500") "]}"), NULL, WITH("t", "{'n':501}"),
	 "/tools/t/ask_if/0: args.n gt 500 (ctp 50)"},
	{TOOL("{'ask_if':[" OVER("500") "]}"), NULL, CALL("t"), "pass"},
	{TOOL("{'ask_if':[" OVER("500") "],'reason':'a \\u0022lot\\u0022'}"),
	 NULL, WITH("t", "{'n':501}"),
	 "/tools/t/ask_if/0: a \\'lot\\' (ctp 50)"},
	{TOOL("{'ask_if':[{'path':'args.n','op':'in','value':['x','y'],"
	      "'on_deny':'x or y'},{'path':'args.n','op':'eq','value':'y'}],"
	      "'reason':'r'}"),
	 NULL, WITH("t", "{'n':'y'}"),
	 "/tools/t/ask_if/0: x or y; /tools/t/ask_if/1: r (ctp 50)"},
	{TOOL("{'ask_if':[{'path':'args.n','op':'in','value':['x','y']}]}"),
	 NULL, WITH("t", "{'n':'y'}"),
	 "/tools/t/ask_if/0: args.n in [\\'x\\',\\'y\\'] (ctp 50)"},
	{TOOL("{'ask_if':[{'any':[" OVER("5") ",{'all':[" OVER(
		 "3") ",{'path':"
		      "'args.m','op':'exists','value':true}]}]}]}"),
	 NULL, WITH("t", "{'n':4,'m':1}"),
	 "/tools/t/ask_if/0: one of (args.n gt 5, all of (args.n gt 3, args.m "
	 "exists true)) (ctp 50)"},
	{TOOL("{'ask_if':[{'path':'args.**','op':'contains','value':'rm'}]}"),
	 NULL, WITH("t", "{'a':[{'b':'rm -r'}]}"),
	 "/tools/t/ask_if/0: args.** contains \\'rm\\' (ctp 50)"},

	/* ask_unless asks where a require would refuse. */
	{TOOL("{'ask_unless':[" BELOW "]}"), NULL, WITH("t", "{'p':'/srv/a'}"),
	 "pass"},
	{TOOL("{'ask_unless':[" BELOW "]}"), NULL, WITH("t", "{'p':'/etc/a'}"),
	 "/tools/t/ask_unless/0: unless args.p under \\'/srv\\' (ctp 50)"},
	{TOOL("{'ask_unless':[" BELOW "]}"), NULL, WITH("t", "{'p':'/SRV/a'}"),
	 "/tools/t/ask_unless/0: unless args.p under \\'/srv\\' (ctp 50)"},
	{TOOL("{'ask_unless':[" BELOW "]}"), NULL, CALL("t"),
	 "/tools/t/ask_unless/0: unless args.p under \\'/srv\\' (ctp 50)"},
	{TOOL("{'ask_unless':[" BELOW "]}"), NULL, WITH("t", "{'p':null}"),
	 "/tools/t/ask_unless/0: unless args.p under \\'/srv\\' (ctp 50)"},
	{TOOL("{'ask_unless':[{'path':'args.p[*]','op':'under','value':'/srv'}"
	      "]}"),
	 NULL, WITH("t", "{'p':['/srv/a','/etc/a']}"),
	 "/tools/t/ask_unless/0: unless args.p[*] under \\'/srv\\' (ctp 50)"},
	{TOOL("{'ask_unless':[{'any':[" BELOW "," OVER("5") "]}]}"), NULL,
	 WITH("t", "{'p':'/etc','n':9}"), "pass"},

	/* What can be read in two ways is refused, not asked about. */
	{TOOL("{'ask_if':[" OVER("5") "]}"), NULL, WITH("t", "{'n':'9'}"),
	 "refused by /tools/t/ask_if/0: a person must approve this, and it can "
	 "be read in two ways"},
	{TOOL("{" YES ",'ask_if':[" OVER("5") "]}"), NULL, WITH("t", "{'N':9}"),
	 "refused by /tools/t/ask_if/0: a person must approve this, and it can "
	 "be read in two ways"},
	{TOOL("{'ask_unless':[" BELOW "]}"), NULL, WITH("t", "{'p':'a'}"),
	 "refused by /tools/t/ask_unless/0: a person must approve this, and it "
	 "can be read in two ways"},

	/* The order: whatever refuses comes first. */
	{TOOL("{" YES ",'deny_if':[" OVER("5") "]}"), NULL,
	 WITH("t", "{'n':6}"),
	 "refused by /tools/t/deny_if/0: the policy does not allow this value "
	 "of args.n"},
	{TOOL("{'ask_if':[" OVER("1") "],'require':[" OVER("2") "]}"), NULL,
	 WITH("t", "{'n':2}"),
	 "refused by /tools/t/require/0: args.n must be a number greater than "
	 "2"},
	{DENY "'tools':{'t':{" YES "},'?':{'action':'deny'}}}", NULL, CALL("t"),
	 "refused by /tools/?/action: the policy does not allow it"},
	{DENY "'hide':['t'],'tools':{'t':{" YES "}}}", NULL, CALL("t"),
	 "hidden by (hidden): there is none of this name"},
	{TOOL("{" YES ",'limits':[{'max':9,'window':60,'per':'args.k'}]}"),
	 NULL, CALL("t"),
	 "refused by /tools/t/limits/0: args.k must be a string, a number, true "
	 "or false"},

	/* Several rules are one question: all ways, users and times count. */
	{DENY "'all_tools':{" YES ",'approve_in':['client','terminal'],"
	      "'reason':'all'},'tools':{'t':{" YES
	      ",'approve_in':['terminal','program'],'approval_timeout':120},"
	      "'?':{'ask_if':[" OVER("1") "],'approval_timeout':90}}}",
	 NULL, WITH("t", "{'n':2}"),
	 "/all_tools/action: all; /tools/?/ask_if/0: args.n gt 1; "
	 "/tools/t/action: - (t 90)"},
	{DENY "'all_tools':{" YES ",'approve_in':['client']},'tools':{'t':{" YES
	      ",'approve_in':['program']}}}",
	 NULL, CALL("t"),
	 "refused by /tools/t/action: a person must approve this, and the "
	 "rules leave no way to ask"},
	{DENY "'all_tools':{" YES ",'approve_in':['client']},'tools':{'t':{"
	      "'approve_in':['program']}}}",
	 NULL, CALL("t"), "/all_tools/action: - (c 50)"},
	{TOOL("{" YES ",'approve_by':'@adm'}"), NULL, CALL("t"),
	 "/tools/t/action: - (t @adm 50)"},
	{TOOL("{" YES ",'approve_by':'ann','approve_in':['terminal']}"), NULL,
	 CALL("t"), "/tools/t/action: - (t ann 50)"},
	{DENY "'all_tools':{" YES ",'approve_by':'@adm'},'tools':{'t':{" YES
	      ",'approve_by':'ann'},'?':{" YES ",'approve_by':'@adm'}}}",
	 NULL, CALL("t"),
	 "/all_tools/action: -; /tools/?/action: -; /tools/t/action: - (t "
	 "@adm ann 50)"},
	{DENY "'all_tools':{" YES ",'approve_by':'@adm'},'tools':{'t':{" YES
	      ",'approve_in':['client','program']}}}",
	 NULL, CALL("t"),
	 "refused by /tools/t/action: a person must approve this, and the "
	 "rules leave no way to ask"},
	{DENY "'tools':{'t':{" YES ",'approve_in':['client'],"
	      "'approval_timeout':5}},'methods':{'tools/call':{" YES
	      ",'approval_timeout':3600}}}",
	 NULL, CALL("t"),
	 "/methods/tools~1call/action: -; /tools/t/action: - (c 5)"},

	/* Sections; what has no answer does not wait. */
	{DENY "'prompts':{'p':{" YES "}}}", NULL,
	 REQUEST("prompts/get", "{'name':'p'}"),
	 "/prompts/p/action: - (ctp 50)"},
	{DENY "'prompts':{'p':{" YES "}}}", NULL,
	 REQUEST("completion/complete", "{'ref':{'type':'ref/prompt','name':"
					"'p'}}"),
	 "pass"},
	{DENY "'resources':{'file:*':{'ask_if':[{'path':'args.uri','op':'glob',"
	      "'value':'*.key'}]}}}",
	 NULL, REQUEST("resources/read", "{'uri':'file:///a.key'}"),
	 "/resources/file:*/ask_if/0: args.uri glob \\'*.key\\' (ctp 50)"},
	{ALLOW "'methods':{'logging/*':{" YES "}}}", NULL,
	 REQUEST("logging/setLevel", "{'level':'info'}"),
	 "/methods/logging~1*/action: - (ctp 50)"},
	{ALLOW "'methods':{'notifications/*':{" YES "}}}", NULL,
	 NOTICE("notifications/x"),
	 "dropped by /methods/notifications~1*/action: a person must approve "
	 "this, and a notification cannot wait"},

	/* Layers: of an entry, the stricter action, all conditions, the ways
	 * and the time that both allow. */
	{TOOL("{}"), TOOL("{" YES ",'reason':'b'}"), CALL("t"),
	 "/tools/t/action: b (ctp 50)"},
	{TOOL("{" YES ",'reason':'a'}"), TOOL("{}"), CALL("t"),
	 "/tools/t/action: a (ctp 50)"},
	{TOOL("{" YES "}"), TOOL("{'action':'deny'}"), CALL("t"),
	 "refused by /tools/t/action: the policy does not allow it"},
	{TOOL("{'ask_if':[" OVER("9") "]}"),
	 TOOL("{'ask_if':[" OVER("5") "],'approve_in':['client']}"),
	 WITH("t", "{'n':7}"), "/tools/t/ask_if/1: args.n gt 5 (c 50)"},
	{TOOL("{" YES ",'approve_in':['client','program']}"),
	 TOOL("{'approve_in':['terminal','program'],'approval_timeout':9}"),
	 CALL("t"), "/tools/t/action: - (p 9)"},
	{TOOL("{" YES ",'approval_timeout':60}"),
	 TOOL("{'approval_timeout':90}"), CALL("t"),
	 "/tools/t/action: - (ctp 60)"},
	{TOOL("{" YES ",'approve_by':'@adm'}"),
	 TOOL("{'approve_in':['client','terminal']}"), CALL("t"),
	 "/tools/t/action: - (t @adm 50)"},
	{TOOL("{" YES ",'approve_by':'@adm'}"), TOOL("{'approve_by':'@adm'}"),
	 CALL("t"), "/tools/t/action: - (t @adm 50)"},
};

/* Judges the line by the policy of the files, and by what that prints. */
static bool asks(const struct policy *p, const char *line, const char *wanted)
{
	static struct judged j;
	char text[TEXT_BYTES], want[TEXT_BYTES];
	struct said said = {.len = 0};
	struct fault fault;
	struct message m;

	json(text, TEXT_BYTES, "%s", line);
	assert_true(message_read(text, strlen(text), &m, &fault));
	policy_judge(p, &m, &j);
	put_verdict(&said, &j);
	if (strcmp(said.text, json(want, TEXT_BYTES, "%s", wanted)) == 0)
		return true;
	print_error("%s\n", said.text);
	return false;
}

static struct policy *print_again(const struct policy *p)
{
	char text[TEXT_BYTES];
	struct strbuf o = {.ptr = text, .cap = sizeof(text) - 1};
	struct said said;

	policy_print(p, &o);
	assert_false(o.full);
	text[o.len] = '\0';
	p = compile_files((const char *const[FILES_MAX]){text}, &said);
	if (!p)
		print_error("%s: %s", text, said.text);
	return (struct policy *)p;
}

TEST(people_are_asked)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *files[FILES_MAX] = {rows[i].a, rows[i].b};
		struct said said;
		struct policy *p = compile_files(files, &said), *again;

		row_true(rows[i].a, p);
		again = print_again(p);
		row_true(rows[i].a, again);
		if (!asks(p, rows[i].line, rows[i].asks) ||
		    !asks(again, rows[i].line, rows[i].asks)) {
			print_error("row: %s %s\n", rows[i].a, rows[i].line);
			failed++;
		}
		policy_free(p);
		policy_free(again);
	}
	assert_int_equal(failed, 0);
}

/* More rules than one question names, and more users than it keeps. */
TEST(many_rules_are_counted)
{
	char text[TEXT_BYTES];
	struct said said = {.len = 0};
	struct policy *p;

	put(&said, DENY "'tools':{'*':{'ask_if':[" OVER("1"));
	for (int i = 0; i < POLICY_ASKS_MAX; i++)
		put(&said, "," OVER("1"));
	put(&said, "]},'tool':{'approval_timeout':7," YES
		   ",'approve_in':['program']}}}");
	strcpy(text, said.text);
	p = compile_files((const char *const[FILES_MAX]){text}, &said);
	assert_non_null(p);
	put(&said, "18: ");
	for (int i = 0; i < POLICY_ASKS_MAX; i++)
		put(&said, "%s/tools/*/ask_if/%d: args.n gt 1",
		    i > 0 ? "; " : "", i);
	put(&said, " (p 7)");
	assert_true(asks(p, WITH("tool", "{'n':2}"), said.text));
	policy_free(p);

	for (int most = POLICY_ASKS_MAX; most <= POLICY_ASKS_MAX + 1; most++) {
		struct said whole = {.len = 0};

		put(&whole, DENY "'tools':{");
		for (int i = 0; i < most; i++)
			put(&whole, "%s'%.*s*':{" YES ",'approve_by':'u%d'}",
			    i > 0 ? "," : "", i, "aaaaaaaaaaaaaaaaaaaa", i);
		put(&whole, "}}");
		p = compile_files((const char *const[FILES_MAX]){whole.text},
				  &said);
		assert_non_null(p);
		said = (struct said){.len = 0};
		if (most > POLICY_ASKS_MAX) {
			assert_true(asks(p, CALL("aaaaaaaaaaaaaaaaaaaa"),
					 "refused by /tools/aaaaaaaaaaaaaaaa*"
					 "/action: a person must approve this,"
					 " and the rules leave no way to ask"));
		} else {
			for (int i = 0; i < most; i++)
				put(&said, "%s/tools/%.*s*/action: -",
				    i > 0 ? "; " : "", i,
				    "aaaaaaaaaaaaaaaaaaaa");
			put(&said, " (t");
			for (int i = 0; i < most; i++)
				put(&said, " u%d", i);
			put(&said, " 50)");
			assert_true(asks(p, CALL("aaaaaaaaaaaaaaaaaaaa"),
					 said.text));
		}
		policy_free(p);
	}
}

/* ---- what does not load ---------------------------------------------- */

static const struct {
	const char *a, *b;
	const char *said; /* a part of the only fault */
} faults[] = {
	{TOOL("{'approve_in':[]}"), NULL,
	 "/tools/t/approve_in: client, terminal or program was expected"},
	{TOOL("{'approve_in':'client'}"), NULL,
	 "/tools/t/approve_in: an array of client"},
	{TOOL("{'approve_in':['tty']}"), NULL,
	 "/tools/t/approve_in/0: unknown way to ask 'tty'"},
	{TOOL("{'approve_in':['terminal','termnal']}"), NULL,
	 "/approve_in/1: unknown way to ask 'termnal': did you mean 'terminal'"},
	{TOOL("{'approve_in':['client','client']}"), NULL,
	 "/tools/t/approve_in: one of these is there twice"},
	{TOOL("{'approve_in':[null]}"), NULL,
	 "/approve_in/0: client, terminal"},
	{TOOL("{'approve_by':''}"), NULL, "/approve_by: '' is neither a user"},
	{TOOL("{'approve_by':'@'}"), NULL, "'@' is neither a user"},
	{TOOL("{'approve_by':'ann, bob'}"), NULL, "for several users name a"},
	{TOOL("{'approve_by':'ann:bob'}"), NULL, "for several users name a"},
	{TOOL("{'approve_by':['ann']}"), NULL, "/approve_by: a user, or '@GR"},
	{TOOL("{'approve_by':0}"), NULL, "/approve_by: a user, or '@GROUP'"},
	{TOOL("{'approve_by':'ann','approve_in':['client']}"), NULL,
	 "/tools/t: 'approve_by' holds in the terminal alone"},
	{TOOL("{'approve_in':['terminal','program'],'approve_by':'ann'}"), NULL,
	 "/tools/t: 'approve_by' holds in the terminal alone"},
	{TOOL("{'approval_timeout':4}"), NULL, "from 5 to 3600 was expected"},
	{TOOL("{'approval_timeout':3601}"), NULL, "not 3601"},
	{TOOL("{'approval_timeout':50.0}"), NULL, "in digits alone, not 50.0"},
	{TOOL("{'approval_timeout':'50'}"), NULL, "not a string"},
	{TOOL("{'approve_in':['client'],'Approve_in':['terminal']}"), NULL,
	 "unknown key 'Approve_in': did you mean 'approve_in'"},
	{TOOL("{'action':'ask'}"), NULL, "unknown action 'ask'"},
	{TOOL("{'ask_unless':[{'path':'args.**','op':'eq','value':1}]}"), NULL,
	 "args.** cannot be required"},
	{"{'version':'1','default':'require_approval'}", NULL,
	 "/default: no default asks a person: write 'default': 'allow'"},
	/* Of two files, what the other one leaves. */
	{TOOL("{'approve_in':['client']}"),
	 TOOL("{'approve_in':['terminal','program']}"),
	 "/tools/t: the files leave this entry no way to ask"},
	{TOOL("{'approve_in':['client']}"), TOOL("{'approve_by':'ann'}"),
	 "/tools/t: the files leave this entry no way to ask"},
	{TOOL("{'approve_by':'@adm'}"), TOOL("{'approve_by':'ann'}"),
	 "/tools/t/approve_by: line 1 of a.json names '@adm'"},
};

TEST(faults_are_told)
{
	char said_so[TEXT_BYTES];
	int failed = 0;

	for (size_t i = 0; i < COUNT(faults); i++) {
		const char *files[FILES_MAX] = {faults[i].a, faults[i].b};
		struct said said;
		struct policy *p = compile_files(files, &said);

		if (!p && said.lines == 1 &&
		    strstr(said.text,
			   json(said_so, TEXT_BYTES, "%s", faults[i].said)))
			continue;
		print_error("row: %s\nsaid: %s\n", faults[i].a, said.text);
		policy_free(p);
		failed++;
	}
	assert_int_equal(failed, 0);
}

/* ---- what is probably a mistake -------------------------------------- */

#define NO_EFFECT "this has no effect, as nothing in this entry asks"
static const struct {
	const char *a, *b;
	const char *said; /* a part of the only warning; NULL: there is none */
	const char *list; /* what the server has, or NULL */
} warned[] = {
	/* Nothing asks. */
	{TOOL("{'approve_in':['client']}"), NULL,
	 "a.json:1: /tools/t/approve_in: " NO_EFFECT},
	{TOOL("{'approve_by':'@adm'}"), NULL, NO_EFFECT},
	{ALLOW "'tools':{'t':{'action':'deny','approval_timeout':9}}}", NULL,
	 "/tools/t/approval_timeout: " NO_EFFECT},
	{DENY "'all_tools':{'approval_timeout':9},'tools':{'t':{" YES "}}}",
	 NULL, "/all_tools/approval_timeout: " NO_EFFECT},
	{TOOL("{" YES "}"), TOOL("{'approval_timeout':9}"), NULL},
	{TOOL("{" YES ",'reason':'x'}"), NULL, NULL},
	{TOOL("{'reason':'x','ask_if':[" OVER("1") "]}"), NULL, NULL},
	{TOOL("{'reason':'x','ask_unless':[" BELOW "]}"), NULL, NULL},
	{ALLOW "'tools':{'t':{'action':'deny','ask_if':[" OVER("1") "]}}}",
	 NULL, "the conditions and limits of this entry can never apply"},
	{ALLOW "'tools':{'t':{'action':'deny','ask_unless':[" BELOW "]}}}",
	 NULL, "the conditions and limits of this entry can never apply"},

	/* Asked about anyway. */
	{TOOL("{" YES ",'ask_if':[" OVER("1") "]}"), NULL,
	 "/tools/t/ask_if/0: this has no effect: line 1 of a.json, "
	 "/tools/t/action, asks about every call"},
	{TOOL("{" YES ",'ask_unless':[" BELOW "]}"), NULL,
	 "/tools/t/ask_unless/0: this has no effect: line 1 of a.json"},
	{DENY "'all_tools':{" YES "},'tools':{'t':{'ask_if':[" OVER("1") "]}}}",
	 NULL, "/tools/t/ask_if/0: this has no effect: line 1 of a.json, /all"},
	{TOOL("{'ask_if':[" OVER("1") "]}"), TOOL("{" YES "}"), NULL},
	{TOOL("{'ask_if':[" OVER("1") "]}"), DENY "'all_tools':{" YES "}}",
	 NULL},
	{DENY "'all_tools':{" YES "},'tools':{'t':{'action':'allow'}}}", NULL,
	 "/tools/t: line 1 of a.json, /all_tools/action, asks a person about "
	 "every call of this"},
	{DENY "'tools':{'t*':{" YES "},'t_x':{'action':'allow'}}}", NULL,
	 "/tools/t_x: line 1 of a.json, /tools/t*/action, asks"},
	{ALLOW "'all_tools':{" YES "},'tools':{'read_*':{'action':'allow'}}}",
	 NULL, "/tools/read_*: line 1 of a.json, /all_tools/action, asks a p"},
	{ALLOW "'tools':{'*':{" YES "},'read_*':{}}}", NULL,
	 "/tools/read_*: line 1 of a.json, /tools/*/action, asks a person"},
	{ALLOW "'tools':{'r*':{" YES "},'read_*':{'rate_limit':'5/day'}}}",
	 NULL, NULL},
	{DENY "'tools':{'read_*':{'action':'allow'},'read_?':{" YES "}}}", NULL,
	 NULL},
	{DENY "'all_tools':{" YES "},'tools':{'t':{}}}", NULL, NULL},
	{TOOL("{'action':'allow'}"), DENY "'all_tools':{" YES "}}", NULL},

	/* Refused before anybody is asked. */
	{TOOL("{'ask_if':[" OVER("500") "],'deny_if':[" OVER("500") "]}"), NULL,
	 "/tools/t/ask_if/0: nobody is ever asked: line 1 of a.json, "
	 "/tools/t/deny_if/0, refuses all"},
	{TOOL("{'ask_if':[" OVER("500") "],'deny_if':[" OVER("100") "]}"), NULL,
	 "nobody is ever asked"},
	{TOOL("{'ask_if':[" OVER("500") "],'deny_if':[{'path':'args.n','op':"
					"'gte','value':500}]}"),
	 NULL, "nobody is ever asked"},
	{TOOL("{'deny_if':[" OVER("500") "],'ask_if':[{'path':'args.n','op':"
					 "'gte','value':500}]}"),
	 NULL, NULL},
	{TOOL("{'ask_if':[" OVER("500") "],'deny_if':[" OVER("501") "]}"), NULL,
	 NULL},
	{TOOL("{'ask_if':[" OVER("500") "],'deny_if':[{'path':'args.m','op':"
					"'gt','value':100}]}"),
	 NULL, NULL},
	{TOOL("{'ask_if':[" OVER("500") "],'deny_if':[{'path':'args.n','op':"
					"'lt','value':900}]}"),
	 NULL, NULL},
	{TOOL("{'ask_if':[{'path':'args.n','op':'lt','value':1}],'deny_if':[{"
	      "'path':'args.n','op':'lte','value':5}]}"),
	 NULL, "nobody is ever asked"},
	{TOOL("{'ask_if':[" OVER("500") "],'require':[{'path':'args.n','op':"
					"'lte','value':500}]}"),
	 NULL,
	 "nobody is ever asked: line 1 of a.json, /tools/t/require/0, refuses"},
	{TOOL("{'ask_if':[" OVER("500") "],'require':[{'path':'args.n','op':"
					"'lte','value':900}]}"),
	 NULL, NULL},
	{TOOL("{'ask_if':[{'path':'args.n','op':'eq','value':'a'}],'deny_if':[{"
	      "'path':'args.n','op':'in','value':['b','a']}]}"),
	 NULL, "nobody is ever asked"},
	{TOOL("{'ask_if':[{'path':'args.n','op':'in','value':['a','c']}],"
	      "'deny_if':[{'path':'args.n','op':'in','value':['b','a']}]}"),
	 NULL, NULL},
	{TOOL("{'ask_if':[{'path':'args.n','op':'eq','value':'a'}],'require':[{"
	      "'path':'args.n','op':'not_in','value':['b','a']}]}"),
	 NULL, "nobody is ever asked"},
	{TOOL("{'ask_if':[{'path':'args.n','op':'regex','value':'^a'}],"
	      "'deny_if':[{'path':'args.n','op':'regex','value':'^a'}]}"),
	 NULL, "nobody is ever asked"},
	{TOOL("{'ask_if':[{'path':'args.n','op':'regex','value':'^a'}],"
	      "'deny_if':[{'path':'args.n','op':'regex','value':'^b'}]}"),
	 NULL, NULL},
	{TOOL("{'ask_unless':[" BELOW "],'require':[" BELOW "]}"), NULL,
	 "/tools/t/ask_unless/0: nobody is ever asked: line 1 of a.json, "
	 "/tools/t/require/0"},
	{TOOL("{'ask_unless':[" BELOW "],'deny_if':[" BELOW "]}"), NULL, NULL},
	{DENY "'all_tools':{'deny_if':[" OVER(
		 "5") "]},'tools':{'t':{'ask_if':[" OVER("5") "]}}}",
	 NULL, "line 1 of a.json, /all_tools/deny_if/0, refuses all"},
	{DENY "'tools':{'t*':{'deny_if':[" OVER(
		 "5") "]},'t_x':{'ask_if':[" OVER("5") "]}}}",
	 NULL, "line 1 of a.json, /tools/t*/deny_if/0, refuses all"},
	{TOOL("{'ask_if':[" OVER("500") "]}"),
	 TOOL("{'deny_if':[" OVER("500") "]}"), NULL},

	{TOOL("{'ask_if':[" OVER("500") "]}"),
	 DENY "'all_tools':{'deny_if':[" OVER("500") "]}}", NULL},
	{TOOL("{'require':[{'path':'args.n','op':'glob','value':'*'}],'ask_if':"
	      "[{'path':'args.n','op':'neq','value':'a'}],'deny_if':[{'path':"
	      "'args.n','op':'not_in','value':['a','b']}]}"),
	 NULL, NULL},
	{TOOL("{'require':[{'path':'args.n','op':'glob','value':'*'}],'ask_if':"
	      "[{'path':'args.n','op':'not_in','value':['a','b']}],'deny_if':"
	      "[{'path':'args.n','op':'neq','value':'a'}]}"),
	 NULL, "nobody is ever asked"},

	/* Nobody can say yes. */
	{DENY "'all_tools':{" YES ",'approve_in':['client']},'tools':{'*':{" YES
	      ",'approve_in':['program']}}}",
	 NULL, "/tools/*/approve_in: nobody can be asked about what"},
	{DENY "'all_tools':{" YES ",'approve_in':['client']},'tools':{'t':{" YES
	      ",'approve_in':['program','terminal']}}}",
	 NULL,
	 "/tools/t/approve_in: nobody can be asked about what line 1 of "
	 "a.json, /all_tools, asks about as well"},
	{DENY "'tools':{'t*':{" YES ",'approve_in':['client']},'t_x':{" YES
	      ",'approve_by':'@adm'}}}",
	 NULL, "/tools/t_x/approve_by: nobody can be asked about what line 1"},
	{DENY "'tools':{'t':{" YES ",'approve_in':['client']}},'methods':{"
	      "'tools/call':{" YES ",'approve_in':['terminal']}}}",
	 NULL,
	 "/tools/t/approve_in: nobody can be asked about what line 1 of "
	 "a.json, /methods/tools~1call,"},
	{DENY "'tools':{'t*':{" YES ",'approve_in':['client']},'t_x':{'action':"
	      "'deny','approve_in':['program']}}}",
	 NULL, "/tools/t_x/approve_in: " NO_EFFECT},
	{DENY "'tools':{'a':{" YES ",'approve_in':['client']},'b':{" YES
	      ",'approve_in':['terminal']}}}",
	 NULL, NULL},
	{DENY "'all_tools':{" YES ",'approve_by':'ann'},'tools':{'t':{" YES
	      ",'approve_by':'bob'}}}",
	 NULL,
	 "/tools/t/approve_by: line 1 of a.json, /all_tools/approve_by, wants "
	 "another user, so only root can approve"},
	{DENY "'all_tools':{" YES ",'approve_by':'ann'},'tools':{'t':{" YES
	      ",'approve_by':'@adm'}}}",
	 NULL, NULL},
	{ALLOW "'methods':{'notifications/*':{" YES "}}}", NULL,
	 "/methods/notifications~1*: a notification cannot wait"},
	{ALLOW "'methods':{'*':{" YES "}}}", NULL,
	 "a notification cannot wait"},
	{ALLOW "'methods':{'tools/*':{" YES "}}}", NULL, NULL},
	{ALLOW "'methods':{'initialize':{" YES "}}}", NULL,
	 "/methods/initialize: a session begins with this"},
	{ALLOW "'methods':{'server/*':{" YES "}}}", NULL,
	 "/methods/server~1*: a session begins with this"},

	/* An entry that asks opens less. */
	{DENY "'tools':{'*':{" YES "}}}", NULL, NULL},
	{DENY "'tools':{'*':{'ask_if':[" OVER("1") "]}}}", NULL,
	 "this entry allows every tool"},
	{DENY "'tools':{'a':{}}}", DENY "'tools':{'b':{" YES "}}}",
	 "this entry allows what no file before this one allows"},
	{DENY "'all_tools':{" YES "}}", NULL, "no tool can be called"},
	{DENY "'tools':{'t':{" YES "}}}", NULL, NULL},

	/* As in deny_if, or as in require. */
	{TOOL("{'ask_if':[{'path':'args.n','op':'neq','value':1}]}"), NULL,
	 "'neq' in 'ask_if' does not hold where the argument is missing or "
	 "null, so a call without it passes: write 'eq' in 'ask_unless'"},
	{TOOL("{'require':[{'path':'args.n','op':'exists','value':true}],"
	      "'ask_if':[{'path':'args.n','op':'neq','value':1}]}"),
	 NULL, "or null, so a call without it passes"},
	{TOOL("{'require':[{'path':'args.n','op':'gt','value':0}],"
	      "'ask_if':[{'path':'args.n','op':'neq','value':1}]}"),
	 NULL, NULL},
	{TOOL("{'ask_unless':[{'path':'args.n','op':'eq','value':1}]}"), NULL,
	 NULL},
	{TOOL("{'ask_if':[{'path':'args.n','op':'regex','value':'/etc/pass'}]"
	      "}"),
	 NULL, "a pattern is not for paths"},
	{TOOL("{'ask_unless':[{'path':'args.n','op':'regex','value':'ok'}]}"),
	 NULL, "this is found anywhere in the string"},
	{TOOL("{'ask_unless':[{'path':'args.n','op':'gt','value':5},{'path':"
	      "'args.n','op':'lt','value':5}]}"),
	 NULL, "no value meets this and the one before"},
	{TOOL("{'ask_if':[{'path':'args','op':'eq','value':5}]}"), NULL,
	 "args is the object of all arguments"},
	{TOOL("{'ask_if':[" OVER("1") "]}"), NULL,
	 "/tools/t/ask_if/0: t has no argument args.n, so this never holds",
	 "[{'name':'t','inputSchema':{'type':'object','properties':{'m':{}}}}]"},
	{TOOL("{'ask_unless':[{'path':'args.approved','op':'eq','value':true}"
	      "]}"),
	 NULL,
	 "t has no argument args.approved: a person is asked about a call, "
	 "unless it invents the argument",
	 "[{'name':'t','inputSchema':{'type':'object','properties':{'m':{}}}}]"},
	{TOOL("{'ask_if':[" OVER("1") "]}"), NULL,
	 "args.n of t is a string, and 'gt' is not about that",
	 "[{'name':'t','inputSchema':{'type':'object','properties':{'n':"
	 "{'type':'string'}}}}]"},
};

TEST(mistakes_are_told)
{
	char said_so[TEXT_BYTES], has[TEXT_BYTES];
	int failed = 0;

	for (size_t i = 0; i < COUNT(warned); i++) {
		const char *files[FILES_MAX] = {warned[i].a, warned[i].b};
		struct policy_list *list = NULL;
		struct policy_source source = {.name = "list", .text = has};
		struct said said;
		struct policy *p = compile_files(files, &said);
		int count;

		row_true(warned[i].a, p);
		if (warned[i].list) {
			json(has, TEXT_BYTES, "%s", warned[i].list);
			source.len = strlen(has);
			list = policy_list_read(&source);
		}
		count = policy_warn(p, list, listen, &said);
		if (count != (warned[i].said != NULL) ||
		    (warned[i].said &&
		     !strstr(said.text, json(said_so, TEXT_BYTES, "%s",
					     warned[i].said)))) {
			print_error("row: %s\nsaid: %s\n", warned[i].a,
				    said.text);
			failed++;
		}
		policy_list_free(list);
		policy_free(p);
	}
	assert_int_equal(failed, 0);
}

/* ---- what is told of a policy ---------------------------------------- */

static const struct {
	const char *policy, *tool, *words;
} described[] = {
	{TOOL("{" YES "}"), "t", "allowed, a person is asked"},
	{TOOL("{" YES ",'rate_limit':'5/hour','deny_if':[" OVER("9") "]}"), "t",
	 "allowed, at most 5 calls an hour, a person is asked, on 1 condition"},
	{TOOL("{'ask_if':[" OVER("500") "]}"), "t",
	 "allowed, a person is asked if args.n gt 500"},
	{TOOL("{'ask_if':[" OVER("500") "],'ask_unless':[" BELOW "]}"), "t",
	 "allowed, a person is asked if args.n gt 500 or unless args.p under "
	 "'/srv'"},
	{TOOL("{'ask_if':[{'path':'args.n','op':'eq','value':'\\n\\u202e'}]}"),
	 "t", "allowed, a person is asked if args.n eq '\\n\\u202e'"},
	{DENY "'all_tools':{" YES ",'approve_in':['client']},'tools':{'t':{" YES
	      ",'approve_in':['program']}}}",
	 "t", "allowed, nobody can be asked"},
	{DENY "'tools':{'t':{}},'methods':{'tools/call':{" YES "}}}", "t",
	 "allowed, a person is asked"},
	{ALLOW "'tools':{'t':{'action':'deny','ask_if':[" OVER("1") "]}}}", "t",
	 "denied, by /tools/t/action"},
};

TEST(tools_are_described)
{
	for (size_t i = 0; i < COUNT(described); i++) {
		const char *files[FILES_MAX] = {described[i].policy};
		char bytes[TEXT_BYTES], want[TEXT_BYTES];
		struct strbuf o = {.ptr = bytes, .cap = sizeof(bytes) - 1};
		struct text name = {.ptr = described[i].tool, .len = 1};
		struct said said;
		struct policy *p = compile_files(files, &said);

		row_true(described[i].policy, p);
		policy_describe(p, POLICY_TOOLS, name, &o);
		bytes[o.len] = '\0';
		if (strcmp(bytes, json(want, TEXT_BYTES, "%s",
				       described[i].words)) != 0)
			print_error("%s\n", bytes);
		row_true(described[i].policy, strcmp(bytes, want) == 0);
		policy_free(p);
	}
}

static void note_approver(void *context, const struct location *rule,
			  const char *by)
{
	put(context, "%s:%zu: %s: %s; ", rule->file, rule->line, rule->rule,
	    by);
}

/* The ways, who may approve, and the digest. */
TEST(policies_say_how)
{
	static const struct {
		const char *policy;
		unsigned in;
		const char *by;
	} says[] = {
		{TOOL("{}"), 0, ""},
		{TOOL("{" YES "}"), POLICY_ASK_ALL, ""},
		{ALLOW
		 "'tools':{'t':{'action':'deny','ask_if':[" OVER("1") "]}}}",
		 0, ""},
		{TOOL("{'approve_in':['client']}"), 0, ""},
		{TOOL("{" YES ",'approve_in':['client']}"), POLICY_ASK_CLIENT,
		 ""},
		{DENY "'all_tools':{'ask_if':[" OVER(
			 "1") "],'approve_in':['program']},'tools':{'t':{" YES
			      ",'approval_timeout':9,\n'approve_by':'@adm'}}}",
		 POLICY_ASK_PROGRAM | POLICY_ASK_TERMINAL,
		 "a.json:2: /tools/t/approve_by: @adm; "},
	};

	for (size_t i = 0; i < COUNT(says); i++) {
		const char *files[FILES_MAX] = {says[i].policy};
		struct said said;
		struct policy *p = compile_files(files, &said);

		row_true(says[i].policy, p && policy_asks(p) == says[i].in);
		policy_approvers(p, note_approver, &said);
		row_true(says[i].policy, strcmp(said.text, says[i].by) == 0);
		policy_free(p);
	}
}

/* Of the texts with their lengths: another order, or the same bytes cut
 * elsewhere, are other policies. */
TEST(policies_have_digests)
{
	static const char *const texts[] = {TOOL("{}"), TOOL("{ }"),
					    TOOL("{}") " ", TOOL("{" YES "}")};
	unsigned char digests[COUNT(texts) * COUNT(texts)][POLICY_DIGEST_BYTES];
	unsigned char wanted[SHA256_BYTES];
	struct sha256 h;
	size_t n = 0;
	char text[TEXT_BYTES];

	for (size_t a = 0; a < COUNT(texts); a++)
		for (size_t b = 0; b < COUNT(texts); b++, n++) {
			const char *files[FILES_MAX] = {texts[a], texts[b]};
			struct said said;
			struct policy *p = compile_files(files, &said);

			assert_non_null(p);
			memcpy(digests[n], policy_digest(p),
			       POLICY_DIGEST_BYTES);
			policy_free(p);
			sha256_begin(&h);
			for (size_t i = 0; i < 2; i++) {
				json(text, TEXT_BYTES, "%s", files[i]);
				sha256_field(&h, text, strlen(text));
			}
			sha256_end(&h, wanted);
			assert_memory_equal(digests[n], wanted, SHA256_BYTES);
			for (size_t i = 0; i < n; i++)
				assert_memory_not_equal(digests[i], digests[n],
							SHA256_BYTES);
		}
}

/* Nobody approved it: a refusal by the first rule, of its section. */
TEST(what_is_not_approved_is_refused)
{
	const char *files[FILES_MAX] = {DENY "'tools':{'t':{" YES
					     "}},'methods':{'tools/*':{" YES
					     "}}}"};
	char line[TEXT_BYTES];
	static struct judged j;
	struct fault fault;
	struct message m;
	struct said said;
	struct policy *p = compile_files(files, &said);

	json(line, TEXT_BYTES, "%s", CALL("t"));
	assert_true(message_read(line, strlen(line), &m, &fault));
	policy_judge(p, &m, &j);
	assert_int_equal(j.ask.count, 2);
	assert_int_equal(j.ask.section, POLICY_METHODS);
	policy_not_approved(&j, "no");
	assert_int_equal(j.verdict.kind, VERDICT_REFUSED);
	assert_int_equal(j.verdict.section, POLICY_METHODS);
	assert_string_equal(j.verdict.location.rule,
			    "/methods/tools~1*/action");
	assert_string_equal(j.verdict.reason, "no");
	assert_int_equal(j.verdict.wait, -1);
	policy_free(p);
}

RUN(NULL, NULL)
