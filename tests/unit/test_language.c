/*
 * The policy language, as a table: what is asked of a call, and the verdict.
 *
 * Policies and lines stand here with ' for ", so that they can be read; no row
 * needs a ' of its own.
 */
#include "said.h"

#include <stdlib.h>

#include "../../policies/internal.h"
#include "../now.h"

/* Is the section that of the rule, if the rule is one of a section? */
static bool section_fits(const struct verdict *v)
{
	static const char *const starts[] = {
		[POLICY_TOOLS] = "/tools/",
		[POLICY_PROMPTS] = "/prompts/",
		[POLICY_RESOURCES] = "/resources/",
		[POLICY_METHODS] = "/methods/",
	};

	for (size_t i = 0; i < COUNT(starts); i++)
		if (strncmp(v->location.rule, starts[i], strlen(starts[i])) ==
		    0)
			return v->section == (enum policy_section)i;
	return true;
}

/* The verdict on a line at a time; one that cannot be read has none. */
static bool judge(const struct policy *p, struct counters *c, const char *line,
		  int64_t now, struct verdict *v)
{
	struct message m;
	struct fault f;

	if (!message_read(line, strlen(line), &m, &f))
		return false;
	now_is = now;
	*v = now_judge(p, c, &m);
	if (v->kind == VERDICT_UNWEIGHED)
		v->kind = VERDICT_PASS;
	assert_true(section_fits(v));
	/* What is answered as unknown is not listed, nor the other way. */
	if (m.method == METHOD_TOOLS_CALL && m.id.ptr &&
	    v->section == POLICY_TOOLS)
		assert_true(policy_lists(p, POLICY_TOOLS, m.name) ==
			    (v->kind != VERDICT_HIDDEN));
	return true;
}

/* ---- one condition, one value ---------------------------------------- */

/* A condition, and for what its path leads to, what becomes of a call that it
 * is required of, and of one that it denies.  Where the path is args.x, a case
 * is its value; "-" is none, and what begins with = is all of the arguments, as
 * it is for other paths; "none" are no arguments.  " | " stands between. */
static const struct asked {
	const char *path, *op, *value;
	const char *holds; /* only the first passes */
	const char *fails; /* only the second */
	const char *never; /* none: the value is unfit, or some elements */
	const char *ever;  /* both: there is no element */
} asked[] = {
	/* eq: each type with each. */
	{"args.x", "eq", "null", "null", "false | 0 | '' | [] | {} | - | none",
	 "'null'"},
	{"args.x", "eq", "true", "true", "false | null | -",
	 "1 | 'true' | [true] | {}"},
	{"args.x", "eq", "false", "false", "true | null", "0"},
	{"args.x", "eq", "1", "1", "2 | null | ={'y':1} | none",
	 "true | '1' | [1] | {'x':1}"},
	{"args.x", "eq", "'a'", "'a'", "'b' | 'A' | 'aa' | '' | null | -",
	 "true | 1 | ['a'] | {'a':'a'}"},
	{"args", "eq", "null", "", "{} | none"},
	{"args", "eq", "'a'", "", "", "{}"},

	/* neq: what is not there is not unequal either. */
	{"args.x", "neq", "null", "false | 0 | '' | [null] | {}", "null | -"},
	{"args.x", "neq", "true", "false", "true | null", "'true' | 1"},
	{"args.x", "neq", "1", "1.1", "1.0 | null", "'2' | false | [2]"},
	{"args.x", "neq", "'a'", "'b'", "null | 'a' | '\\u0061' | - | none",
	 "2 | ['b'] | {}"},

	/* in, not_in. */
	{"args.x", "in", "['a']", "'a'"},
	{"args.x", "in", "['a','b']", "'b'", "'c' | 'ab' | 'a,b' | null | -",
	 "['a'] | {'a':1} | true"},
	{"args.x", "in", "['a',1]", "1.0", "'1' | 2", "false"},
	{"args.x", "in", "[1,2]", "", "", "'1'"},
	{"args.x", "in", "[true,false]", "false"},
	{"args.x", "in", "[true]", "", "false"},
	{"args.x", "in", "[null,'a']", "null", "true | {}"},
	{"args.x", "in", "['','a']", "''"},
	{"args.x", "not_in", "['a','b']", "'c'", "null | 'a' | '\\u0062' | -",
	 "1 | ['a'] | []"},
	{"args.x", "not_in", "[1,2]", "3", "2e0", "true"},
	{"args.x", "not_in", "[null]", "true", "null"},

	/* lt, lte, gt, gte: numbers alone. */
	{"args.x", "lt", "10", "9", "10 | 11 | null | - | none",
	 "9.999999999999999999999 | '9' | true | [9] | {}"},
	{"args.x", "lte", "10", "10", "null", "10.000000000000000000001 | ''"},
	{"args.x", "gt", "10", "", "10 | 9 | null | -",
	 "10.000000000000000000001 | '11' | 'many' | false | []"},
	{"args.x", "gte", "10", "10", "",
	 "9.999999999999999999999 | {'x':10} | '1e1'"},

	/* Numbers, as they are written. */
	{"args.x", "eq", "0", "-0 | -0.00e5 | 0e0", "", "1e-400"},
	{"args.x", "eq", "-0", "0"},
	{"args.x", "eq", "-0.0", "0E+7"},
	{"args.x", "lt", "0", "", "-0"},
	{"args.x", "gte", "0", "-0", "-1", "-1e-400"},
	{"args.x", "gt", "0", "", "", "1e-400"},
	{"args.x", "eq", "1e-400", "1e-400 | 0.1e-399", "0"},
	{"args.x", "lt", "1e-400", "", "", "1e-401"},
	{"args.x", "eq", "1e400", "1e400 | 10.0e399", "", "1e401"},
	{"args.x", "gt", "1e400", "", "", "1e401"},
	{"args.x", "lt", "1e400", "-1e401"},
	{"args.x", "gt", "10000", "1e400"},
	{"args.x", "gt", "-1e400", "", "-1e401"},
	{"args.x", "eq", "9007199254740993", "9007199254740993", "",
	 "9007199254740992"},
	{"args.x", "gt", "9007199254740992", "", "", "9007199254740993"},
	{"args.x", "lte", "9007199254740992", "", "", "9007199254740993"},
	{"args.x", "neq", "9007199254740993.0", "", "9007199254740993"},
	{"args.x", "eq", "18446744073709551616", "18446744073709551616", "0"},
	{"args.x", "gt", "9223372036854775807", "", "", "9223372036854775808"},
	{"args.x", "lt", "-9223372036854775808", "", "",
	 "-9223372036854775809"},
#define NINES(n) "9999999999999999999999999999999999999999999999999" n
#define HUNDRED  NINES(NINES("7"))
#define OTHER    NINES(NINES("8"))
	{"args.x", "eq", HUNDRED "0", HUNDRED "0 | " HUNDRED "e1", "",
	 OTHER "0"},
	{"args.x", "lt", OTHER "0", "", "", HUNDRED "0"},
	{"args.x", "gt", OTHER "0", "", "-" OTHER "0"},
	{"args.x", "gt", HUNDRED "0", "", "", HUNDRED "0.1"},
	{"args.x", "gt", "0." HUNDRED, "", "", "0." OTHER},
	{"args.x", "eq", "1.1", "1.10", "1.01"},
	{"args.x", "eq", "1.10", "1.1"},
	{"args.x", "lt", "1.10", "", "1.9"},
	{"args.x", "eq", "100", "1E2 | 1e+2 | 100.000 | 0.1e3 | 10000e-2",
	 "-100"},
	{"args.x", "eq", "0.001", "1e-3 | 0.0100e-1"},
	{"args.x", "eq", "10", "1e0000000000000000000000001"},
	{"args.x", "lt", "9", "", "10"},
	{"args.x", "lt", "-9", "-10"},
	{"args.x", "gt", "-1", "", "-2"},
	{"args.x", "gt", "1", "1e99999999999999999", "1e-99999999999999999",
	 "1e100000000000000000 | 1e-100000000000000000"},
	{"args.x", "eq", "1", "", "", "1e9999999999999999999999"},
	{"args.x", "in", "[1]", "", "", "-1e9999999999999999999"},
	{"args.x", "gt", "1e99999999999999998", "", "", "10e99999999999999998"},

	/* Strings, as they are read. */
	{"args.x", "eq", "''", "''", "' ' | null"},
	{"args.x", "eq", "'ab'", "'\\u0061b'"},
	{"args.x", "eq", "'\\u0061b'", "'ab'"},
	{"args.x", "eq", "'a/b'", "'a\\/b'"},
	{"args.x", "eq", "'a\\nb'", "'a\\u000Ab'"},
	{"args.x", "eq", "'a\\\\nb'", "", "'a\\nb'"},
	{"args.x", "eq", "'\\u0022'", "'\\\"'"},
	{"args.x", "eq", "'\xC3\xA9'", "'\\u00e9'", "'e\xCC\x81'"},
	{"args.x", "eq", "'\\u00E9'", "'\xC3\xA9'"},
	{"args.x", "eq", "'\xF0\x9F\x98\x80'", "'\\ud83d\\uDE00'",
	 "'\\ud83d\\ude01'"},
	{"args.x", "eq", "'\\ud83d\\ude00'", "'\xF0\x9F\x98\x80'"},
	{"args.x", "eq", "'\xF4\x8F\xBF\xBF'", "'\\udbff\\udfff'"},
	{"args.x", "eq", "'a'", "", "",
	 "'a\\ud83d' | '\\ude00\\ud83d' | 'a\\u0000'"},
	{"args.x", "neq", "'a'", "", "", "'\\udc00' | 'a\\u0000'"},
	{"args.x", "in", "['a','b']", "", "", "'\\u0000'"},
	{"args.x", "neq", "null", "", "", "'\\ud800'"},
	{"args.x", "contains", "'a'", "", "", "'a\\u0000b' | ['a','\\ud800']"},
	{"args.x", "regex", "'a'", "", "", "'a\\ud800'"},
	{"args.x", "glob", "'*'", "", "", "'a\\u0000'"},
	{"args.x", "under", "'/a'", "", "", "'/a/\\u0000' | '/a/\\udfff'"},

	/* contains: a string in a string, a scalar in an array. */
	{"args.x", "contains", "'rm'",
	 "'rm' | 'sudo rm -r' | 'r\\u006d' | ['ls','rm'] | ['rm']"
	 " | [null,'rm']",
	 "'r m' | 'RM' | 'r' | '' | ['ls','rm -r'] | [] | [null] | null | -",
	 "['rm',1] | [1,'rm'] | [true] | [['rm']] | [{'rm':'rm'}] | {'rm':1}"
	 " | 1 | true"},
	{"args.x", "contains", "''", "'' | 'a'"},
	{"args.x", "contains", "'aab'", "'aaab'"},
	{"args.x", "contains", "'.*'", "'a.*b'", "'ab'"},
	{"args.x", "contains", "'\\n'", "'a\\nb'"},
	{"args.x", "contains", "'\\\\'", "'a\\\\b'", "'a\\nb'"},
	{"args.x", "contains", "'\xC3\xA9'", "'caf\\u00e9s'", "'\xE2\x82\xA9'"},
	{"args.x", "contains", "'\\u007f'", "'a\x7F'"},
	{"args.x", "contains", "1", "[2,1.0]", "[2,10] | [] | [null]",
	 "['1'] | [1,1e9999999999999999999] | '1' | 1"},
	{"args.x", "contains", "true", "[false,true]", "[false]",
	 "['true'] | 'true'"},
	{"args.x", "contains", "null", "[1,null]", "[1,'a',true] | null"},

	/* exists: is the key there, whatever it holds? */
	{"args.x", "exists", "true",
	 "1 | '' | false | null | [] | {} | '\\u0000'",
	 "- | ={'y':{'x':1}} | none", "={'X':1} | ={'x':1,'\\u0078':1}"},
	{"args.x", "exists", "false", "- | none", "1 | null",
	 "={'X':1} | ={'x':1,'x':1}"},
	{"args", "exists", "true", "{}", "none"},
	{"args", "exists", "false", "none"},
	{"args.a.x", "exists", "false", "{'a':null}", "{'a':{'x':null}}",
	 "{'a':1}"},
	{"args.a[1]", "exists", "true", "{'a':[0,null]}"},
	{"args.a[1]", "exists", "false", "{'a':[0]}"},

	/* regex. */
	{"args.x", "regex", "'^(a|b)+$'", "'abba'", "'abbac'"},
	{"args.x", "regex", "'^a$'", "", "'a\\n' | 'b\\na'"},
	{"args.x", "regex", "'b'", "'abc'", "'ABC'"},
	{"args.x", "regex", "'(?i)b'", "'ABC'"},
	{"args.x", "regex", "''", "''"},
	{"args.x", "regex", "'^$'", "''", "' '"},
	{"args.x", "regex", "'^\\\\d{3}$'", "'12\\u0033'", "'12\\u0663'"},
	{"args.x", "regex", "'^.$'", "'\\ud83d\\ude00'", "'\\n'"},
	{"args.x", "regex", "'^\xC3\xA9$'", "'\\u00e9'"},
	{"args.x", "regex", "'^/srv/'", "'\\/srv\\/x'"},
	{"args.x", "regex", "'1'", "", "", "1"},
	{"args.x", "regex", "'.*'", "", "- | null", "true | ['a'] | {}"},

	/* glob: all of the string. */
	{"args.x", "glob", "'*.txt'", "'a.txt' | '.txt' | 'd/a\\nb.txt'",
	 "'a.txt.sh' | 'atxt' | 'a.TXT'"},
	{"args.x", "glob", "'a*b*c'", "'abbcbc'", "'acb'"},
	{"args.x", "glob", "'a?c'",
	 "'abc' | 'a\xF0\x9F\x98\x80"
	 "c' | 'a\\ud83d\\ude00c'",
	 "'ac' | 'abbc'"},
	{"args.x", "glob", "'*'", "''", "- | null", "1 | false | [] | {}"},
	{"args.x", "glob", "''", "''", "'a'"},
	{"args.x", "glob", "'?'", "", "''"},
	{"args.x", "glob", "'[ab]+'", "'[ab]+'", "'a'"},
	{"args.x", "glob", "'a\\\\*'", "'a\\\\bc'", "'a*'"},
	{"args.x", "glob", "'\xC3\xA9*'", "'\\u00e9t'"},

	/* under: inside the directory, whatever way the path takes. */
	{"args.x", "under", "'/srv/data'",
	 "'/srv/data' | '/srv/data/' | '/srv/data/a/b' | '//srv///data//a'"
	 " | '/./srv/./data/.' | '/srv/data/a/..' | '/srv/../srv/data'"
	 " | '/../../srv/data' | '/a/../srv/data' | '/srv/data/..a'"
	 " | '/srv/data/...' | '\\/srv\\u002fdata'"
	 " | '/srv/data/100%' | '/srv/data/a%20b' | '/srv/data/%5x'",
	 "'/' | '/srv' | '/srv/' | '/data' | '/srv/data2' | '/srv/dat'"
	 " | '/srv/a/data' | '/a/srv/data' | '/srv/data/..' | '/srv/data/../'"
	 " | '/srv/data/../data2' | '/srv/data/a/../..' | '/srv/data//..//..'"
	 " | '/srv/data/./../.' | '/srv/a/../../data' | '/a/../../srv/b/data'"
	 " | '/srv/data/\\u002e\\u002e\\u002fa'"
	 " | '/srv/%64ata' | null | -",
	 "'/srv/DATA' | '' | 'srv/data' | './srv/data' | '../srv/data'"
	 " | ' /srv/data' | '~/data' | 'file:///srv/data'"
	 " | 'C:\\\\srv\\\\data' | '/srv/data/..\\\\..'"
	 " | '/srv/data/\\u005c..' | '/srv/data/%2e%2e/a' | '/srv/data/.%2E'"
	 " | '/srv/data/..%2fa' | '/srv/data/..%2Fa' | '/srv/data%2f'"
	 " | '%2fsrv/data' | '/srv/data/..%5c' | '/srv/data/..%5Ca'"
	 " | '/srv/data/%252e' | '/srv/data/%%2e' | '/srv/data/\\u00252e' | 1"
	 " | '/srv/data/ ' | '/srv/data\\n' | true | ['/srv/data'] | {}"},
	{"args.x", "under", "'/srv/data/'", "'/srv/data'"},
	{"args.x", "under", "'//srv//data'", "'/srv/data/a'"},
	{"args.x", "under", "'/srv/\xC3\xA9'", "'/srv/\\u00e9/a'"},
	{"args.x", "under", "'/'", "'/' | '/../a'", "", "'a'"},

	/* The key: in escapes, in another case, twice. */
	{"args.amount", "gt", "10", "{'amount':11} | {'\\u0061moun\\u0074':11}",
	 "{'\\u0061mount':9} | {'amounts':11} | {'amoun':11} | {'':11}"
	 " | {'a':{'amount':11}} | {'amount':-11}",
	 "{'Amount':11} | {'AMOUNT':1} | {'\\u0041mount':11}"
	 " | {'amount':1,'Amount':11} | {'AMOUNT':11,'amount':1}"
	 " | {'amount':1,'amount':11} | {'amount':11,'amount':1}"
	 " | {'amount':1,'\\u0061mount':1} | {'amount':1,'x':0,'amount':1}"
	 " | {'amount':'11'}"},
	{"args.am\\u006funt", "gt", "10", "{'amount':11}"},
	{"args.Amount", "gt", "10", "", "", "{'amount':11}"},
	{"args.amount", "gte", "0", "", "{'amount':-11}"},
	{"args.task", "eq", "'a'", "", "",
	 "{'tas\\u212a':'a'} | {'ta\xC5\xBFk':'a'}"},
	{"args.skip", "eq", "1", "", "", "{'\xC5\xBFkip':1}"},
	{"args.a.b", "eq", "1", "{'a':{'b':1,'c':0,'c':0}}", "",
	 "{'a':{'b':1},'A':{}} | {'a':{'b':1},'a':{}} | {'a':{'b':1,'B':1}}"
	 " | {'a':{'B':1}} | {'A':{'b':1}}"},
	{"args.l[*].x", "eq", "1", "", "",
	 "{'l':[{'x':1},{'X':1}]} | {'l':[{'X':1}]} | {'L':[],'l':[]}"},

	/* The way there. */
	{"args.a.b", "eq", "1", "{'a':{'b':1}}",
	 "{'a':{'b':2}} | {'a':{}} | {'b':1} | {'a':null} | {'a.b':1}",
	 "{'a':1} | {'a':'b'} | {'a':true} | {'a':[]} | {'a':[{'b':1}]}"},
	{"args.a.b", "exists", "false", "", "", "{'a':[]}"},
	{"args.a.b.c.d.e", "eq", "1", "{'a':{'b':{'c':{'d':{'e':1}}}}}"},
	{"args.a.0", "eq", "1", "{'a':{'0':1}}", "", "{'a':[1]}"},
	{"args.a-b_c $", "eq", "1", "{'a-b_c $':1}"},
	{"args.\xC3\xA9", "eq", "1", "{'\\u00e9':1}"},
	{"args.l[0]", "eq", "1", "{'l':[1,2]}", "{'l':[]} | {'l':null} | {}",
	 "{'l':[[1]]} | {'l':{'0':1}} | {'l':1}"},
	{"args.l[1]", "eq", "1", "", "{'l':[1,2]}"},
	{"args.l[2]", "eq", "1", "", "{'l':[1,2]}"},
	{"args.l[0]", "eq", "'a'", "", "", "{'l':'a'}"},
	{"args.l[1][0].x", "eq", "1", "{'l':[0,[{'x':1}]]}"},
	{"args.l[0].x", "eq", "1", "{'l':[{'x':1},5]}", "{'l':[null]}",
	 "{'l':[5]}"},
	{"args.l[999999999]", "eq", "1", "", "{'l':[1]}"},
	{"args[0]", "eq", "1", "", "", "{'0':1}"},
	{"args[*]", "eq", "1", "", "", "{'0':1}"},

	/* Pointers: keys with dots, ~0 and ~1; a number is what there is. */
	{"/a.b/c", "eq", "1", "{'a.b':{'c':1}}", "{'a':{'b':{'c':1}}}",
	 "{'A.B':{'c':1}}"},
	{"/a~1b", "eq", "1", "{'a/b':1}"},
	{"/a~0b", "eq", "1", "{'a~b':1}"},
	{"/a~01b", "eq", "1", "{'a~1b':1}", "{'a/b':1}"},
	{"/a~1~0b", "eq", "1", "{'a\\/~b':1}"},
	{"/l[0]", "eq", "1", "{'l[0]':1}", "{'l':[1]}"},
	{"/*", "eq", "1", "{'*':1}", "{'a':1}"},
	{"/", "eq", "1", "{'':1}", "{'a':1}"},
	{"/a/", "eq", "1", "{'a':{'':1}}"},
	{"//a", "eq", "1", "{'':{'a':1}}"},
	{"/l/0", "eq", "1", "{'l':[1]} | {'l':{'0':1}}", "{'l':{'1':1}}",
	 "{'l':'1'}"},
	{"/l/10", "eq", "1", "", "{'l':[1,1]}"},
	{"/l/0/x", "eq", "1", "{'l':[{'x':1}]}"},
	{"/l/00", "eq", "1", "{'l':{'00':1}}", "", "{'l':[1]}"},
	{"/l/-", "eq", "1", "", "", "{'l':[1]}"},
	{"/0", "eq", "1", "{'0':1}", "{}"},
	{"/a/b", "exists", "true", "", "", "{'a':'b'}"},

	/* Every element is required, any one denies. */
	{"args.l[*]", "lt", "5", "{'l':[1]} | {'l':[1,2,3]}",
	 "{'l':[9,8]} | {'l':[9,null]} | {'l':[null]} | {'l':null} | {} | none",
	 "{'l':[1,9]} | {'l':[9,1]} | {'l':[1,'2']} | {'l':['2',1]}"
	 " | {'l':[9,'2']} | {'l':[1,null]} | {'l':[null,1]} | {'l':[[1]]} | {'l':{'0':1}}"
	 " | {'l':{}} | {'l':1}",
	 "{'l':[]}"},
	{"args.l[*]", "eq", "'a'", "", "", "{'l':'a'}"},
	{"args.l[*]", "exists", "true", "{'l':[null]}", "{}", "", "{'l':[]}"},
	{"args.l[*]", "exists", "false", "{}", "{'l':[1]}", "", "{'l':[]}"},
	{"args.l[*]", "under", "'/s'", "{'l':['/s/a','/s/b/..']}", "",
	 "{'l':['/s/a','/s/../b']}"},
	{"args.l[*].x", "eq", "1", "{'l':[{'x':1},{'x':1}]}",
	 "{'l':[{'x':2},{'x':3}]} | {'l':[{},null]}",
	 "{'l':[{'x':2},{'x':1}]} | {'l':[{'x':1},{}]} | {'l':[{},{'x':1}]}"
	 " | {'l':[{'x':1},5]} | {'l':[5,{'x':1}]} | {'l':[{'x':2},5]}"
	 " | {'l':[{'x':1,'x':1}]}",
	 "{'l':[]}"},
	{"args.l[*].x", "exists", "false", "{'l':[{},{'y':1}]}", "",
	 "{'l':[{},{'x':1}]}"},
	{"args.l[*][*]", "lt", "5", "{'l':[[1],[2,3]]} | {'l':[[],[1]]}",
	 "{'l':[[9],[8]]} | {'l':[[],[9]]}",
	 "{'l':[[1],[2,9]]} | {'l':[[9],[],[2]]} | {'l':[[1],2]}",
	 "{'l':[[],[]]}"},
	{"args.l[*][0]", "lt", "5", "{'l':[[1,9],[2]]}", "", "{'l':[[1],[]]}"},
	{"args.l[0][*]", "lt", "5", "{'l':[[1],[9]]}"},
	{"args.l[*]", "contains", "'a'", "{'l':['ab',['a']]}"},
	{"args.l[*].x", "contains", "'a'", "", "{'l':[{'x':['b']}]}"},

	/* As decimals and as doubles, both ways or not at all. */
	{"args.x", "eq", "22", "", "", "22.000000000000000001"},
	{"args.x", "neq", "22", "22.00000000000001", "",
	 "22.000000000000000001"},
	{"args.x", "eq", "0.30000000000000004", "0.30000000000000004"},
	{"args.x", "gt", "0.3", "0.30000000000000004"},
	{"args.x", "in", "[9,10]", "", "", "9.99999999999999999999"},
	{"args.x", "in", "[9.99999999999999999999,10]",
	 "9.99999999999999999999"},
	{"args.x", "not_in", "['a',10]", "", "", "9.99999999999999999999"},
	{"args.x", "lte", "10", "9.99999999999999999999"},
	{"args.x", "gt", "10", "", "9.99999999999999999999"},
	{"args.x", "gte", "10", "", "-9.99999999999999999999"},
	{"args.x", "eq", "-10", "", "", "-9.99999999999999999999"},
	{"args.x", "eq", "0", "0.000000000000000000000e400", "", "-1e-400"},
	{"args.x", "eq", "1e22", "10000000000000000000000.0"},
	{"args.x", "lt", "1e400", "1e308", "", "1e399"},
	{"args.x", "gt", "9007199254740992", "9007199254740994"},
	{"args.l", "contains", "10", "", "",
	 "{'l':[1,9.99999999999999999999]}"},

	/* Keys beyond ASCII. */
	{"args.gr\xC3\xB6\xC3\x9F"
	 "e",
	 "eq", "1",
	 "{'gr\xC3\xB6\xC3\x9F"
	 "e':1}",
	 "",
	 "{'GR\xC3\x96\xC3\x9F"
	 "E':1}"},
	{"args.\xC3\xB6", "eq", "1", "{'\\u00f6':1,'o':2}", "{'o':1}",
	 "{'\\u00f6':1,'\\u00d6':2}"},
	{"args.o", "eq", "1", "{'o':1,'\xC3\xB6':2}"},

	/* What is denied below a directory is so in any case of ASCII. */
	{"args.x", "under", "'/home/.ssh'", "",
	 "'/home/.SSH2' | '/home/.SSH/../a'", "'/Home/.\\u017fSH/id'"},

	/* The text of a list is a list as well. */
	{"args.x", "contains", "'prod'",
	 "'[\\'prod\\']' | '[\\'prod\\'] x' | '[prod]' | '[INFO] prod'",
	 "'[\\'test\\']' | '[]' | '[1,{},[\\'test\\']]' | '[INFO] test'"
	 " | '{\\'a\\':[]}' | ['[\\'prod\\']']",
	 "'[\\'\\\\u0070rod\\']'"
	 " | ' \\n[ \\'a\\',\\r\\t\\'\\\\u0070rod\\' ] ' | '[\\'not prod\\']'"
	 " | '[\\'not \\\\u0070rod\\']' | '[1,\\'prod\\']'"},
	{"args.x", "eq", "'prod'", "",
	 "'[\\'a\\',1,null]' | '[[\\'prod\\']]'"
	 " | '[\\'[\\\\\\'prod\\\\\\']\\']'",
	 "'[\\'prod\\']'"},
	{"args.x", "eq", "'[]'", "'[]'"},
	{"args.x", "eq", "null", "", "", "'[null]'"},
	{"args.x", "neq", "'prod'", "'[\\'a\\',1]'", "", "'[\\'prod\\']'"},
	{"args.x", "in", "['a','prod']", "", "", "'[\\'prod\\']'"},
	{"args.x", "in", "['a',22]", "", "'[true]'",
	 "'[22.000000000000000001]'"},
	{"args.x", "not_in", "['a','prod']", "", "", "'[\\'prod\\']'"},
	{"args.x", "regex", "'^prod'", "", "'[\\'a\\',1]'",
	 "'[\\'production\\']'"},
	{"args.x", "regex", "'^.[0-9]'", "'[1]'"},
	{"args.x", "regex", "'^[^;]*$'", "'[\\'a\\',1]'", "'[\\';\\',1]'",
	 "'[1,\\'a\\\\u003bb\\']' | '[\\'\\\\u0000\\']' | '[NaN]'"},
	{"args.x", "glob", "'prod*'", "", "", "'[\\'production\\']'"},
	{"args.x", "glob", "'[*a*]'", "'[1,true,false]'", "",
	 "'[\\'a\\']' | '[0,\\'a\\']'"},
	{"args.x", "under", "'/a'", "", "", "'[\\'/a/b\\']'"},
	{"args.x", "gt", "1", "", "", "'[2]'"},
	{"args.x", "exists", "true", "'[NaN]'"},

	/* To some readers it is one. */
	{"args.x", "contains", "'a'", "", "", "'[NaN,1]' | '[1, -Infinity ]'"},
	{"args.x", "contains", "'b'", "",
	 "'[NaN] x' | '[1NaN]' | '[+Infinity]' | '[-NaN]' | '[nan]'"
	 " | '[\\'NaN\\\\\\'Infinity\\']' | '[\\'\\n\\']'",
	 "'[{\\'x\\':Infinity}]' | '[{\\'__proto__\\':1}]'"
	 " | '[\\'\\\\ud800\\']' | '[\\'\\\\u0000\\']'"},

	/* A path leads into it. */
	{"args.x[*]", "eq", "'a'", "{'x':'[\\'a\\',\\'a\\']'}", "",
	 "{'x':'[\\'a\\',\\'b\\']'}"},
	{"args.x[0]", "eq", "'a'", "{'x':'[\\'a\\',\\'b\\']'}"},
	{"args.x[1]", "eq", "1", "{'x':'[\\'a\\',1]'}"},
	{"args.x[2]", "eq", "1", "", "{'x':'[\\'a\\',1]'}"},
	{"/x/1", "eq", "1", "{'x':'[\\'a\\',1]'}"},
	{"args.x[*].y", "eq", "1", "{'x':'[{\\'y\\':1}]'}", "",
	 "{'x':'[{\\'y\\':1,\\'Y\\':2}]'}"},
	{"args.l[*].x[0]", "eq", "1", "{'l':[{'x':'[1]'},{'x':[1]}]}"},
	{"args.x[*]", "eq", "1", "", "", "", "{'x':'[]'}"},
	{"args.x[0][0]", "eq", "1", "", "", "{'x':'[\\'[1]\\']'}"},
	{"args.x[0]", "eq", "1", "", "",
	 "{'x':'[1'} | {'x':'[1,NaN]'} | {'x':'{\\'0\\':1}'}"},
	{"args.x.y", "eq", "1", "", "",
	 "{'x':'[{\\'y\\':1}]'} | {'x':'{\\'y\\':1}'}"},

	/* under: one of several directories; ~/ and ./; of uris. */
	{"args.x", "under", "['/srv/a','/srv/b/']", "'/srv/a/x' | '/srv/b'",
	 "'/srv/c' | '/srv' | '/srv/a/../c' | '/srv/a /x'",
	 "'srv/a' | '/srv/a/%2e' | '/srv/a/.. ' | '/srv/a\\n' | '/srv/b/\\u0009'"
	 " | '/srv/b/\\u00a0'"},
	{"args.x", "under", "'~/data'", "'/home/ann/data/x'",
	 "'/home/ann' | '/home/bob/data'", "'~/data/x' | 'data/x'"},
	{"args.x", "under", "['~/','./']", "'/home/ann' | '/srv/repo/a'",
	 "'/srv/repository' | '/home'", "'./a'"},
	{"args.x", "under", "'https://api.example/v1/'",
	 "'https://api.example/v1/' | 'HTTPS://API.Example/v1/x'"
	 " | 'https://api.example:443/v1' | 'https://api.example/v1?q=/../..'"
	 " | 'https://api.example/v1/a/../b#/../..'"
	 " | 'https://api.example/a/../v1/' | 'https:\\/\\/api.example/v1/%20'"
	 " | 'https://api.example/v1//a'",
	 "'https://api.example' | 'https://api.example/v2/'"
	 " | 'https://api.example/v1/..' | 'http://api.example/v1/'"
	 " | 'https://api.example:8443/v1/' | 'https://api.example/?/v1/'"
	 " | 'https://example/v1/' | 'https://x.api.example/v1/'"
	 " | 'ftp://api.example/v1/' | null",
	 "'/v1/' | 'v1' | 'https:/api.example/v1/' | '//api.example/v1/'"
	 " | 'https://u@api.example/v1/' | 'https://u:p@api.example/v1/'"
	 " | 'https://api.example@evil.example/v1/' | 'https:///v1/'"
	 " | 'https://api.example\\\\v1/' | 'https://api.example/v1/\\\\..'"
	 " | 'https://api.example./v1/' | 'https://api..example/v1/'"
	 " | 'https://api.example:/v1/' | 'https://api.example:0443/v1/'"
	 " | 'https://api.example:99999/v1/' | 'https://api%2eexample/v1/'"
	 " | 'https://api.example/v1/%2e%2E' | 'https://api.example/v1/%2f'"
	 " | 'https://api.example/v1/%5c' | 'https://api.example/%76%31/'"
	 " | 'https://api.example/v1/%252e' | 'https://api.example/v1/%c0%ae'"
	 " | 'https://api.example/v1/%00' | 'https://api.example/v1/%2'"
	 " | 'https://api.example/v1/..;/a' | 'https://api.example/v1/.;x/a'"
	 " | 'https://api.example/a//../v1/' | 'https://api.example//v1/a'"
	 " | 'https://api.example/.//v1/a' | ' https://api.example/v1/'"
	 " | 'https://api.example/v1/.. ' | 'https://api.example/v1/\\t'"
	 " | 'ht\\ntps://api.example/v1/' | 'https://api.ex\\u00e4mple/v1/'"
	 " | 'http\\u017f://api.example/v1/' | 'https://[::01]/v1/'"
	 " | 'https://127.1/v1/' | 'https://0x7f000001/' | 1"
	 /* Parameters, which some servers drop. */
	 " | 'https://api.example/v1;x/a' | 'https://api.example/v1;'"
	 " | 'https://api.example/v1/;/..' | 'https://api.example/v1/;x/../a'"},
	{"args.x", "under", "'https://api.example/v1/'",
	 "'https://api.example/v1/a;x'", "'https://api.example/v2/%20(a)'"},
	/* What is spelled in another way. */
	{"args.x", "under", "'https://api.example/x(1)/'",
	 "'https://api.example/x(1)/a'", "'https://api.example/x'",
	 "'https://api.example/x%281%29/a' | 'https://api.example/a%20'"},
	{"args.x", "under", "'https://api.example/%c3%a9/'",
	 "'https://api.example/%c3%a9/'", "'https://api.example/e'",
	 "'https://api.example/\u00e9/a'"},
	{"args.x", "under", "'https://api.example/v1/'", "",
	 "'https://api.example/V2/'", "'https://api.example/V1/x'"},
	{"args.x", "under", "'https://api.example:8443/'",
	 "'https://api.example:8443/a'", "'https://api.example/a'"},
	{"args.x", "under", "'https://127.0.0.1/'", "'https://127.0.0.1/a'",
	 "'https://127.0.0.2/' | 'https://[::1]/'"},
	{"args.x", "under", "'https://[2001:db8::1]/'",
	 "'https://[2001:db8::1]/a'", "", "'https://[2001:DB8::1]/a'"},
	{"args.x", "under", "'file:///srv/'",
	 "'file:///srv/a' | 'file:///srv/c:/'",
	 "'file:///etc' | 'other:///srv/' | 'file:///c:/srv/'",
	 "'/srv/a' | 'file:/srv/a' | 'file://localhost/srv/a'"
	 " | 'file:///srv/a?/../../etc' | 'file:///srv/%2e%2e/etc' | 'file:///../srv/a'"
	 /* No reader leaves a drive. */
	 " | 'file:///c:/../srv/a' | 'file:///C|/../srv/a'"
	 " | 'file:///a/../c\\u003a/../srv/a' | 'file:///c:x/../srv/a'"
	 " | 'file:////srv/a' | 'file:////h/srv/a'"},
	{"args.x", "under", "'static://docs/'", "'static://docs/a/../b'",
	 "'static://doc/a'",
	 "'static://docs/../a' | 'static://docs/a/../../b'"
	 " | 'static://docs/a?b/../..#' | 'static://docs/a#/..'"},
	/* Only the web takes the case of a host for nothing. */
	{"args.x", "under", "'static://docs/'", "",
	 "'static://doc' | 'STATIC://DOCS:1/a'",
	 "'static://Docs/a' | 'static://docs:01/'"},
	{"args.x", "under", "'static://Docs/'", "'Static://Docs/a'", "",
	 "'static://docs/a'"},
	{"args.x", "under", "'repo://1/a'", "'repo://1/a/b'", "'repo://1/c'",
	 "'repo://1/a b/c'"},
	{"args.x", "under", "'repo://12/a'", "'repo://12/a/b?ref=main'", "",
	 "'repo://12/a?ref=main' | 'repo://12/a/b?/../../..'"},
	{"args.x", "under", "['/srv','https://a.example/']",
	 "'/srv/x' | 'https://a.example/srv'",
	 "'/etc' | 'https://b.example/' | 'ftp://a.example/'",
	 "'file:///srv/x' | 'srv'"},
	{"args.x", "under", "['/srv','file:///tmp/']",
	 "'/srv/x' | 'file:///tmp/x'", "'file:///srv/x' | '/tmp/x'"},

	/* host: an http or https URL, read strictly. */
	{"args.x", "host", "['example.org','*.example.net']",
	 "'https://example.org' | 'http://example.org/' | 'HTTPS://EXAMPLE.ORG/a'"
	 " | 'https://example.org:8443?q' | 'https://example.org#@evil.example'"
	 " | 'https://example.org/@evil.example' | 'https://example.org/?u=a@b'"
	 " | 'https://a.example.net' | 'https://a.b.example.net:1/x'"
	 " | 'https:\\/\\/ex\\u0061mple.org/'",
	 "'https://example.net' | 'https://notexample.net/'"
	 " | 'https://example.org.evil.example/' | 'https://a.example.org'"
	 " | 'https://evilexample.org/' | 'https://example.com'"
	 " | 'https://xn--exmple-cua.org/' | 'https://localhost/' | null | -",
	 "'' | 'example.org' | '//example.org/' | 'https:example.org'"
	 " | 'https:/example.org' | 'https:///example.org' | 'https://'"
	 " | 'ftp://example.org/' | 'file:///example.org' | 'ws://example.org/'"
	 " | 'javascript://example.org/' | 'view-source:https://example.org'"
	 " | 'https://u@example.org/' | 'https://u:p@example.org/'"
	 " | 'https://example.org@evil.example/' | 'https://@example.org/'"
	 " | 'https://evil.example\\\\@example.org/'"
	 " | 'https://evil.example\\\\.example.net/'"
	 " | 'https:\\\\\\\\example.org/' | 'https:/\\\\example.org/'"
	 " | ' https://example.org' | 'https://example.org '"
	 " | 'https://exa mple.org' | 'https://exam\\tple.org/'"
	 " | '\\nhttps://example.org' | 'https://example.org/\\n'"
	 " | 'https://example.org\\r/' | 'https://example%2eorg/'"
	 " | 'https://%65xample.org/' | 'https://evil.example%00.example.net/'"
	 " | 'https://example.org./' | 'https://.example.net/'"
	 " | 'https://a..example.net/' | 'https://ex\\u00e4mple.org/'"
	 " | 'https://example\\u3002org/' | 'https://\\uff45xample.org/'"
	 " | 'https://example.org\\u00ad/' | 'http\\u017f://example.org/'"
	 " | 'https://example.org:/' | 'https://example.org:0/'"
	 " | 'https://example.org:080/' | 'https://example.org:65536/'"
	 " | 'https://example.org:8a/' | 'https://example.org:-1/'"
	 " | 'https://example.org,evil.example/' | 'https://*.example.net/'"
	 " | 'https://[example.org]/' | 'https://example.org]/'"
	 " | 1 | true | ['https://example.org'] | {}"},
	/* None of these is a name, and none is the address of an operand. */
	{"args.x", "host", "['example.org','10.0.0.1']",
	 "'http://10.0.0.1:80/'", "",
	 "'http://127.0.0.1/' | 'http://127.1/' | 'http://127.0.1/'"
	 " | 'http://2130706433/' | 'http://0x7f000001/' | 'http://0x7f.1/'"
	 " | 'http://0177.0.0.1/' | 'http://017700000001/' | 'http://127.0.0.01'"
	 " | 'http://127.000.000.001/' | 'http://0x7f.0x0.0x0.0x1/'"
	 " | 'http://0X7F.0.0.1/' | 'http://127.0.0.1./' | 'http://0/'"
	 " | 'http://[::1]/' | 'http://[0:0:0:0:0:0:0:1]/'"
	 " | 'http://[::ffff:127.0.0.1]/' | 'http://[::ffff:7f00:1]/'"
	 " | 'http://[::127.0.0.1]/' | 'http://[64:ff9b::7f00:1]/'"
	 " | 'http://[::1%25lo]/' | 'http://[::1%lo]/' | 'http://[::]/'"
	 " | 'http://\\u2460\\u2461\\u2466.0.0.1/' | 'http://127\\uff0e1/'"
	 " | 'http://10.1/' | 'http://10.0.1/' | 'http://167772161/'"
	 " | 'http://0xa000001/' | 'http://0xa.0.0.1/' | 'http://012.0.0.1/'"
	 " | 'http://0012.0.0.1/' | 'http://10.0.0.1./' | 'http://10.0.0.01/'"
	 " | 'http://10.0.0.0x1/' | 'http://10.0.0.256/' | 'http://10.0.0.2/'"
	 " | 'http://[::ffff:10.0.0.1]/' | 'http://[::ffff:a00:1]/'"
	 " | 'http://10.0.0.1%2f/' | 'http://10%2e0.0.1/' | 'http://a.1/'"
	 " | 'http://10.0.0.1.:80/' | 'http://1.10.0.0.1/' | 'http://0x/'"},
	{"args.x", "host", "'example.org:8443'", "'https://example.org:8443/'",
	 "'https://example.org/' | 'https://example.org:443/'"},
	{"args.x", "host", "'example.org:443'",
	 "'https://example.org/' | 'http://example.org:443/'",
	 "'http://example.org/'"},
	{"args.x", "host", "['10.0.0.1:80','EXAMPLE.org']",
	 "'http://10.0.0.1/' | 'https://example.ORG'", "'https://10.0.0.1/'"},
	{"args.x", "host", "['[2001:db8::1]','[::1]:8080']",
	 "'http://[2001:db8::1]:1/' | 'http://[::1]:8080'", "'http://[::1]/'",
	 "'http://[2001:DB8::1]/' | 'http://[2001:db8:0::1]/' | 'http://[::2]/'"
	 " | 'http://2001:db8::1/'"},

	/* max_length: code points, or elements. */
	{"args.x", "max_length", "3",
	 "'' | 'abc' | '\\u00e9\\ud83d\\ude00b' | '\\n\\n\\n' | [] | [1,[2,3,4,5],{}]"
	 " | '[1]'",
	 "'abcd' | [1,2,3,4] | null | -", "1 | true | {} | 'a\\u0000'"},
	{"args.x", "max_length", "0", "'' | []", "'a' | [null] | '[1]'",
	 "'[]'"},
	{"args.l[*]", "max_length", "1", "{'l':['a','']}", "{'l':['ab',[1,2]]}",
	 "{'l':['ab','a']}", "{'l':[]}"},

	/* And so is null. */
	{"args.x", "eq", "'null'", "", "", "'null'"},
	{"args.x", "eq", "'a'", "", "' null\\n'"},
	{"args.x", "eq", "null", "", "'null x'", "'\\tnull'"},
	{"args.x", "neq", "null", "'nul'", "", "'null'"},
	{"args.x", "in", "['a',null]", "", "", "'null'"},
	{"args.x", "not_in", "['a',null]", "", "", "'null'"},
	{"args.x", "not_in", "['a','b']", "", "", "'null'"},
	{"args.x", "contains", "'null'", "'null'"},
};

/* Where the condition stands, and a call that meets it.  The args of a method
 * are its params. */
#define REQUEST "{'jsonrpc':'2.0','id':1,'method':"
static const struct frame {
	const char *policy, *line, *member, *rule;
} frames[] = {
	{"{'version':'1','default':'deny','tools':{'t':{'%s':[%s]}}}",
	 REQUEST "'tools/call','params':{'name':'t'%s%s}}",
	 ",'arguments':", "/tools/t/%s/0"},
	{"{'version':'1','default':'allow','all_tools':{'%s':[%s]}}",
	 REQUEST "'tools/call','params':{'name':'t'%s%s}}",
	 ",'arguments':", "/all_tools/%s/0"},
	{"{'version':'1','default':'deny','prompts':{'p':{'%s':[%s]}}}",
	 REQUEST "'prompts/get','params':{'name':'p'%s%s}}",
	 ",'arguments':", "/prompts/p/%s/0"},
	{"{'version':'1','default':'deny','methods':{'a/b':{'%s':[%s]}}}",
	 REQUEST "'a/b'%s%s}", ",'params':", "/methods/a~1b/%s/0"},
};

/* The JSON at s, with every plain character of its strings as an escape. */
static void escape_strings(const char *s, char *out)
{
	bool inside = false;

	for (; *s; s++) {
		size_t len = s[0] == '\\' ? s[1] == 'u' ? 6 : 2 : 1;

		inside ^= *s == '"';
		if (inside && (signed char)*s > 0 && *s != '"' && *s != '\\') {
			out += sprintf(out, "\\u%04X", *s);
			continue;
		}
		memcpy(out, s, len);
		out += len;
		s += len - 1;
	}
	*out = '\0';
}

/* The JSON at s, with white space wherever it may stand. */
static void spread_tokens(const char *s, char *out)
{
	bool inside = false;

	for (; *s; s++) {
		if (!inside && strchr("{}[]:,", *s)) {
			out += sprintf(out, "\t %c  ", *s);
			continue;
		}
		inside ^= *s == '"';
		*out++ = *s;
		if (*s == '\\')
			*out++ = *++s;
	}
	*out = '\0';
}

/* Does the call pass, or is it refused by the rule, as it should?  A rule that
 * asks has a reason of its own for what is ambiguous. */
static bool verdict_is(const struct policy *p, const char *line, bool passes,
		       const char *rule)
{
	struct counters *c = COUNTERS(p);
	struct verdict v;
	bool good;

	if (!judge(p, c, line, 0, &v))
		/* The params of a method are judged by the parser, too. */
		good = !passes && strstr(rule, "/methods/");
	else if (passes)
		good = v.kind == VERDICT_PASS && !*v.location.rule;
	else
		good = v.kind == VERDICT_REFUSED && v.wait == -1 &&
		       strcmp(v.location.rule, rule) == 0 &&
		       strcmp(v.location.file, "a.json") == 0 &&
		       (strcmp(v.reason, "no") == 0 ||
			(strstr(rule, "/ask_if/") &&
			 strstr(v.reason, "in two ways"))) &&
		       (!v.value.ptr ||
			(v.value.ptr > line &&
			 v.value.ptr + v.value.len < line + strlen(line)) ||
			(v.value.ptr > (char *)p->memory &&
			 v.value.ptr + v.value.len <
				 (char *)p->memory + CONDITION_TEXT_ROOM));
	counters_free(c);
	return good;
}

/* The next of the cases as arguments; false: there is none any more. */
static bool next_case(const char *path, const char **at, char *args)
{
	char one[TEXT_BYTES];
	const char *end;

	if (!*at)
		return false;
	end = strstr(*at, " | ");
	snprintf(one, sizeof(one), "%.*s",
		 end ? (int)(end - *at) : (int)strlen(*at), *at);
	*at = end ? end + 3 : NULL;
	if (strcmp(one, "none") == 0)
		*args = '\0';
	else if (strcmp(path, "args.x") != 0 || *one == '=')
		json(args, TEXT_BYTES, "%s", one + (*one == '='));
	else if (strcmp(one, "-") == 0)
		strcpy(args, "{}");
	else
		json(args, TEXT_BYTES, "{'x':%s}", one);
	return true;
}

/* The condition of a row in a frame, required, denied or asked about: how many
 * cases do not go as they should? */
static int frame_fails(const struct asked *row, const struct frame *f,
		       const char *key)
{
	const bool require = strcmp(key, "require") == 0;
	const char *const cases[] = {row->never, row->ever,
				     require ? row->fails : row->holds,
				     require ? row->holds : row->fails};
	char text[TEXT_BYTES], args[3][TEXT_BYTES], rule[64];
	struct policy *p;
	int failed = 0;

	json(text, sizeof(text),
	     "{'path':'%s','op':'%s','value':%s,'on_deny':'no'}", row->path,
	     row->op, row->value);
	json(args[0], TEXT_BYTES, f->policy, key, text);
	p = compile_one(args[0]);
	row_true(text, p);
	snprintf(rule, sizeof(rule), f->rule, key);
	for (size_t a = 0; a < COUNT(cases); a++) {
		const char *at = cases[a] && *cases[a] ? cases[a] : NULL;
		bool passes = a % 2 == 1;

		while (next_case(row->path, &at, args[0])) {
			escape_strings(args[0], args[1]);
			spread_tokens(args[0], args[2]);
			for (size_t i = 0; i < COUNT(args); i++) {
				json(text, sizeof(text), f->line,
				     *args[i] ? f->member : "", args[i]);
				if (verdict_is(p, text, passes, rule))
					continue;
				print_error("row: %s %s %s: %s, by %s\n",
					    row->path, row->op, row->value,
					    text, rule);
				failed++;
			}
		}
	}
	policy_free(p);
	return failed;
}

TEST(conditions_are_weighed)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(asked); i++)
		for (size_t f = 0; f < COUNT(frames); f++)
			failed +=
				frame_fails(&asked[i], &frames[f], "require") +
				frame_fails(&asked[i], &frames[f], "deny_if") +
				frame_fails(&asked[i], &frames[f], "ask_if");
	assert_int_equal(failed, 0);
}

/* ---- args.** ---------------------------------------------------------- */

/* What is denied everywhere in the arguments: those that are refused, and those
 * that pass. */
static const struct {
	const char *op, *value;
	const char *refused, *passes;
} everywhere[] = {
	{"contains", "'key'",
	 "{'a':'my key'} | {'key':1} | {'a':{'b':[{'c':'key'}]}} | {'a':['key']}"
	 " | {'a':[[[{'monkeys':null}]]]} | {'a':'\\u006bey'}"
	 /* The text of an object or an array, and one inside that. */
	 " | {'a':'[\\'\\\\u006bey\\']'} | {'a':'{\\'\\\\u006bey\\':1}'}"
	 " | {'a':'{\\'b\\':{\\'c\\':\\'\\\\u006bey\\'}}'}"
	 " | {'a':'[\\'[\\\\\\'\\\\\\\\u006bey\\\\\\']\\']'}"
	 /* To some readers it is one, which is refused. */
	 " | {'a':'[NaN]'} | {'a':'{\\'b\\':Infinity}'} | {'a':['[\\'\\\\ud800\\']']}"
	 " | {'a':'x\\ud800'}",
	 "{} | none | {'a':'KEY','b':{'k':['e','y']}} | {'a':null,'b':true,'c':1}"
	 " | {'a':'[\\'\\\\u006bex\\']'} | {'a':'[INFO] \\\\u006bey'}"
	 " | {'a':'{x} \\\\u006bey'}"},
	{"eq", "5", "{'a':[1,{'b':5.0}]} | {'a':'[5]'} | {'a':[[[[5]]]]}",
	 "{'a':'5','5':[4,true,null,'x']}"},
	{"eq", "5", "{'a':'{\\'b\\':[5e0]}'} | {'a':5.0000000000000000001}",
	 "{'a':'[\\'5\\',6]'}"},
	{"in", "['a',true]", "{'a':1} | {'b':[true]} | {'b':'[true]'}",
	 "{'b':[false,1,null,'b']}"},
	{"eq", "null", "", "{'b':null} | {'b':[null,1]}"},
	{"gt", "100", "{'a':[1,101]} | {'a':{'b':1e9}} | {'a':'[200]'}",
	 "{'a':[99,'101'],'200':'x','c':'200'}"},
	{"lt", "0", "{'a':-1} | {'x':[0,-0.5]}", "{'a':0,'-1':'-1'}"},
	{"regex", "'^\\\\.'",
	 "{'a':'.env'} | {'.env':1} | {'a':['x','.x']} | {'a':'[\\'.x\\']'}",
	 "{'a':'x.env'}"},
	{"glob", "'*.pem'", "{'a':{'b':'/x/y.pem'}}", "{'a':'y.pem.txt'}"},
	{"under", "'/etc'",
	 "{'a':'/etc/passwd'} | {'a':['/srv/../etc']} | {'/etc':1} | {'a':'/ETC/x'}"
	 " | {'a':'/srv/%2e%2e/etc'} | {'a':'file:///etc/passwd'}"
	 " | {'a':'[\\'/etc/x\\']'} | {'a':'~/x'} | {'~':1} | {'a':'../etc'}"
	 " | {'a':'..'}",
	 "{'a':'/srv','b':'etc/passwd','~a':'~a','..a':'...','.':'./a','c':'https://a.example/etc','d':1}"},
	{"under", "'https://a.example/x/'",
	 "{'a':['https://a.example/x/1']} | {'a':'https://u@a.example/'}"
	 " | {'a':' https://a.example/x/'} | {'a':'h\\nttps://a.example/x/'}"
	 " | {'a':'https:a.example/x/'} | {'a':'https:\\\\\\\\a.example/x'}"
	 " | {'a':'\\u00a0https://a.example/x'} | {'a':'https\\t:\\n//a.example/x'}"
	 " | {'a':'file:x'} | {'a':'\\ufefffile:///x'}",
	 "{'a':'/x','b':'https://b.example/x','c':'x: y','x':'a.example',"
	 "'d':'note:x','../x':'~/x','e':'see https://a.example/x/'}"},
	{"host", "['evil.example']",
	 "{'a':{'b':'http://evil.example'}} | {'a':'https://127.1/'}"
	 " | {'a':'http:evil.example'} | {'a':'\\thttp://evil.example'}"
	 " | {'a':'ht\\tt\\rp://evil.example'} | {'a':'\\u2003http://evil.example'}",
	 "{'a':'evil.example','b':'https://good.example/','c':'/x','d':1}"},
	{"max_length", "2", "{'a':'12345'} | {'abc':'ab'}",
	 "{'abc':'abc','bcd':1}"},
	{"neq", "'a'", "{'a':'b'} | {'b':'a'}", "{'a':'a'} | {} | {'a':[1]}"},
};

TEST(args_are_searched_everywhere)
{
	char text[TEXT_BYTES], args[TEXT_BYTES];
	int failed = 0;

	for (size_t i = 0; i < COUNT(everywhere); i++)
		for (int passes = 0; passes < 2; passes++) {
			const char *at = passes ? everywhere[i].passes
						: everywhere[i].refused;
			struct policy *p;

			json(text, sizeof(text),
			     "{'version':'1','default':'deny','tools':{'t':{"
			     "'deny_if':[{'path':'args.**','op':'%s','value':%s"
			     ",'on_deny':'no'}]}}}",
			     everywhere[i].op, everywhere[i].value);
			p = compile_one(text);
			row_true(text, p);
			at = *at ? at : NULL;
			while (next_case("args", &at, args)) {
				json(text, sizeof(text),
				     REQUEST "'tools/call','params':{'name':"
					     "'t'%s%s}}",
				     *args ? ",'arguments':" : "", args);
				if (verdict_is(p, text, passes,
					       "/tools/t/deny_if/0"))
					continue;
				print_error("row: %s %s: %s\n",
					    everywhere[i].op,
					    everywhere[i].value, text);
				failed++;
			}
			policy_free(p);
		}
	assert_int_equal(failed, 0);
}

/* ---- whole policies -------------------------------------------------- */

#define DENY         "{'version':'1','default':'deny',"
#define ALLOW        "{'version':'1','default':'allow',"
#define HIDE         "{'version':'1','default':'hide',"
#define TOOL(rules)  DENY "'tools':{'t':" rules "}}"
#define LIMIT(limit) TOOL("{'limits':[" limit "]}")
#define SUM(max)     LIMIT("{'increment_from':'args.a','max':" max ",'window':1}")

/* A condition, without a reason of its own and with one. */
#define ASK(path, op, value)                                                   \
	"{'path':'" path "','op':'" op "','value':" value "}"
#define SAY(path, op, value, on_deny)                                          \
	"{'path':'" path "','op':'" op "','value':" value                      \
	",'on_deny':'" on_deny "'}"

/* Lines. */
#define METHOD(method, params) REQUEST "'" method "','params':" params "}"
#define CALL(name)             METHOD("tools/call", "{'name':'" name "'}")
#define NAMED(name, args)      "{'name':'" name "','arguments':" args "}"
#define WITH(name, args)       METHOD("tools/call", NAMED(name, args))
#define PROMPT(name, args)     METHOD("prompts/get", NAMED(name, args))
#define RESOURCE(uri)          METHOD("resources/read", "{'uri':'" uri "'}")
#define COMPLETE(params)       METHOD("completion/complete", "{" params "}")
#define LISTEN(uris)                                                           \
	METHOD("subscriptions/listen",                                         \
	       "{'notifications':{'resourceSubscriptions':[" uris "]}}")
#define NOTICE(method, params)                                                 \
	"{'jsonrpc':'2.0','method':'" method "','params':" params "}"

/* Every step of the judgement, each with more than one rule. */
static const char order[] =
	DENY "'hide':['gone'],'tools':{"
	     "'gone':{'action':'deny',"
	     "'require':[{'path':'args.r','op':'exists','value':true}]},"
	     "'no':{'action':'deny','reason':'closed','rate_limit':'0/hour',"
	     "'require':[{'path':'args.r','op':'exists','value':true}]},"
	     "'plain':{'action':'deny'},"
	     "'t':{'rate_limit':{'max':0,'window':60},"
	     "'deny_if':["
	     "{'path':'args.n','op':'gt','value':10,'on_deny':'too much'},"
	     "{'path':'args.x','op':'eq','value':1}],"
	     "'require':[{'path':'args.r','op':'exists','value':true,"
	     "'on_deny':'say \\'why\\''},"
	     "{'path':'args.n','op':'lt','value':100}]},"
	     "'?':{'require':[{'path':'args.q','op':'exists','value':false,"
	     "'on_deny':'glob'}]}}}";

/* Rules of all tools, with entries and globs beside them. */
static const char all[] =
	ALLOW "'all_tools':{"
	      "'require':[{'path':'args.r','op':'exists','value':true,"
	      "'on_deny':'all'}],"
	      "'deny_if':[{'path':'args.x','op':'eq','value':1,"
	      "'on_deny':'all x'}]},"
	      "'hide':['gone*'],'tools':{"
	      "'t':{"
	      "'require':[{'path':'args.t','op':'exists','value':true,"
	      "'on_deny':'t'}],"
	      "'deny_if':[{'path':'args.x','op':'eq','value':2,"
	      "'on_deny':'t x'}]},"
	      "'w_*':{"
	      "'require':[{'path':'args.w','op':'exists','value':true}]},"
	      "'w_no':{'action':'deny'},"
	      "'gone_not':{'action':'allow'}},"
	      "'prompts':{'p':{}},'resources':{'r':{}},'methods':{'m':{}}}";
static const char sums[] =
	DENY "'tools':{'t':{'limits':[{'max':10,'window':'day',"
	     "'increment_from':'args.a[0]'}]}}}";
static const char all_nothing[] = DENY "'all_tools':{},'tools':{'a':{}}}";
static const char all_denied[] =
	ALLOW "'all_tools':{'action':'deny','reason':'all'},"
	      "'tools':{'a':{'action':'allow'},'b':{'action':'hide'},"
	      "'d':{'action':'deny','reason':'d'}}}";
static const char all_hidden[] =
	ALLOW "'all_tools':{'action':'hide'},'tools':{'a':{}}}";
static const char slow[] =
	DENY "'tools':{'t':{'limits':[{'max':0,'window':9,'counter':'c',"
	     "'scope':'session','on_deny':'slow \\u0022'}]}}}";
static const char all_limited[] = ALLOW "'all_tools':{'rate_limit':'0/day'}}";

/* Several entries for one tool. */
static const char many[] = DENY
	"'tools':{"
	"'a*':{},'a_b':{'action':'allow'},'a_no*':{'action':'deny'},"
	"'a_no_gone':{'action':'hide'},'a_no_yes':{'action':'allow'},"
	"'a?gone':{'action':'hide'},'a_gone':{'action':'deny'},"
	"'*_x':{"
	"'deny_if':[{'path':'args.x','op':'exists','value':true}]},"
	"'a_b_x':{"
	"'require':[{'path':'args.y','op':'exists','value':true}]},"
	"'*last':{'action':'deny','reason':'star'},"
	"'\xC3\xA9':{},'\xC3\xA9*':{},'\xC3\xB1*':{},'\xC3\xB1':{},'a\xC3\xA9':{}}}";

static const char sections[] =
	DENY "'tools':{'t':{},'p':{'action':'deny'}},"
	     "'prompts':{'p':{},"
	     "'no*':{'action':'deny','reason':'not this one'},"
	     "'gone':{'action':'hide'},'none':{'rate_limit':'0/day'},"
	     "'ask':{'require':[{'path':'args.lang','op':'in',"
	     "'value':['en','de'],'on_deny':'language'}]}},"
	     "'resources':{"
	     "'file:///etc/*':{'action':'deny'},"
	     "'file:///gone':{'action':'hide'},"
	     "'http*':{'require':[{'path':'args.uri','op':'glob',"
	     "'value':'https://*'}]},"
	     "'db://a':{'deny_if':[{'path':'args.mode','op':'eq',"
	     "'value':'raw'}]}}}";

static const char methods[] =
	ALLOW "'hide':['gone'],'tools':{'no':{'action':'deny'}},"
	      "'methods':{"
	      "'logging/*':{'action':'deny','reason':'not here'},"
	      "'ping':{'action':'hide'},"
	      "'a/b':{'require':[{'path':'args.level','op':'lt','value':3,"
	      "'on_deny':'level'}]},"
	      "'tools/call':{'deny_if':["
	      "{'path':'args.name','op':'glob','value':'x_*',"
	      "'on_deny':'by name'},"
	      "{'path':'args.arguments.n','op':'gt','value':10}]},"
	      "'resources/read':{'require':["
	      "{'path':'args.uri','op':'under','value':'/srv'}]},"
	      "'notifications/*':{'require':["
	      "{'path':'args.n','op':'lt','value':5}]},"
	      "'notifications/gone':{'action':'hide'},"
	      "'sampling/x':{'rate_limit':'0/hour'}}}";
/* No tool may be called at all, whatever tools say. */
static const char calls[] =
	ALLOW "'hide':['gone'],'methods':{"
	      "'tools/call':{'action':'deny','reason':'none at all'}}}";
static const char mute[] = ALLOW "'methods':{'*':{'action':'deny'}}}";

static const char some[] = "{'version':'1','default':'deny',"
			   "'hide':['gone','gone_*','both','caf\xC3\xA9_*'],"
			   "'tools':{"
			   "'ok':{},'Mixed':{},'sp ace':{},'caf\xC3\xA9':{},"
			   "'read_*':{},'read_secret':{'action':'deny',"
			   "'reason':'it is \\'secret\\''},"
			   "'read_gone':{'action':'hide'},"
			   "'both':{},'no/w~':{'action':'deny'}}}";
static const char open[] = "{'version':'1','default':'allow',"
			   "'hide':['gone'],'tools':{'no':"
			   "{'action':'deny'}}}";
static const char shut[] = "{'version':'1','default':'hide',"
			   "'tools':{'ok':{},'no':{'action':"
			   "'deny'}}}";

/* What is said of a tool is said of its other name, but that it is allowed. */
#define ALIAS(name)            CALL("__0123456789aB_" name)
#define ALIAS_WITH(name, args) WITH("__0123456789ab_" name, args)
static const char apps[] =
	DENY "'hide':['gone*'],'tools':{'ok':{},'ask':{'deny_if':"
	     "[{'path':'args.a','op':'eq','value':1}],'rate_limit':"
	     "'1/day'},'none':{'rate_limit':'0/day'},"
	     "'no':{'action':'deny'},"
	     "'__0123456789ab_ask':{},'__0123456789ab_none':{},"
	     "'__0123456789ab_no':{},'__0123456789ab_gone':{},"
	     "'__0123456789ab_app':{}}}";

/* Groups. */
#define ALL(list) "{'all':[" list "]}"
#define ANY(list) "{'any':[" list "]}"
#define A         ASK("args.a", "eq", "1")
#define B         ASK("args.b", "eq", "1")
#define C         ASK("args.c", "eq", "1")
static const char require_all[] = TOOL("{'require':[" ALL(A "," B) "]}");
static const char require_any[] = TOOL("{'require':[" ANY(A "," B) "]}");
static const char deny_all[] = TOOL("{'deny_if':[" ALL(A "," B) "]}");
static const char deny_any[] = TOOL("{'deny_if':[" ANY(A "," B) "]}");
static const char deny_nested[] =
	TOOL("{'deny_if':[" C ",{'on_deny':'both','description':'x','all':[" A
	     "," ANY(B "," C) "]}]}");
static const char require_nested[] =
	TOOL("{'require':[" ANY(A "," ALL(B "," C)) "]}");
/* In a group, too, what could be read in two ways refuses. */
static const char require_either[] =
	TOOL("{'require':[" ANY(A "," ASK("args.b", "eq", "'x'")) "]}");

#define SPEND WITH("t", "{'a':2,'\\'':{'a':1.000001}}")

static const struct {
	const char *policy, *line, *rule;
	const char *reason; /* a part of it; NULL: any */
} judged[] = {
	/* hidden, denied, require, deny_if, limits. */
	{order, CALL("gone"), "(hidden)"},
	{order, CALL("no"), "/tools/no/action", "closed"},
	{order, CALL("plain"), "/tools/plain/action", "policy"},
	{order, CALL("other"), "(default deny)", "policy"},
	{order, CALL("t"), "/tools/t/require/0", "say \\\"why\\\""},
	{order, WITH("t", "{}"), "/tools/t/require/0"},
	{order, WITH("t", "{'n':50,'x':1}"), "/tools/t/require/0"},
	{order, WITH("t", "{'r':1,'n':200,'x':1}"), "/tools/t/require/1",
	 "args.n"},
	{order, WITH("t", "{'r':1}"), "/tools/t/require/1"},
	{order, WITH("t", "{'r':1,'q':1,'n':50,'x':1}"), "/tools/?/require/0",
	 "glob"},
	{order, WITH("t", "{'r':1,'n':50,'x':1}"), "/tools/t/deny_if/0",
	 "too much"},
	{order, WITH("t", "{'r':1,'n':5,'x':1}"), "/tools/t/deny_if/1",
	 "args.x"},
	{order, WITH("t", "{'r':1,'n':5}"), "/tools/t/rate_limit",
	 "at most 0 calls a minute"},
	/* Allowed by the glob, and held by the other all the same. */
	{order, WITH("T", "{'r':1,'n':5}"), "/tools/t/rate_limit"},
	{order, WITH("x", "{'q':1}"), "/tools/?/require/0"},
	{order, WITH("x", "{'q':null}"), "/tools/?/require/0"},
	{order, WITH("x", "{}"), ""},
	/* Never without an id, whatever there are rules for. */
	{order, NOTICE("tools/call", "{'name':'x'}"), "(malformed)"},
	{order, NOTICE("prompts/get", "{'name':'x'}"), "(malformed)"},
	{order, NOTICE("resources/read", "{'uri':'x'}"), "(malformed)"},
	{order, PROMPT("gone", "{}"), ""},

	{all, CALL("any"), "/all_tools/require/0", "all"},
	{all, WITH("any", "{'r':1}"), ""},
	{all, WITH("any", "{'r':1,'x':1}"), "/all_tools/deny_if/0"},
	{all, WITH("any", "{'r':1,'x':2}"), ""},
	{all, WITH("t", "{}"), "/all_tools/require/0"},
	{all, WITH("t", "{'r':1,'x':1}"), "/tools/t/require/0", "t"},
	{all, WITH("t", "{'r':1,'t':1,'x':1}"), "/all_tools/deny_if/0",
	 "all x"},
	{all, WITH("t", "{'r':1,'t':1,'x':2}"), "/tools/t/deny_if/0", "t x"},
	{all, WITH("t", "{'r':1,'t':1,'x':3}"), ""},
	{all, WITH("T", "{'r':1,'x':3}"), "/tools/t/require/0"},
	{all, WITH(" T ", "{'r':1,'t':0,'x':2}"), "/tools/t/deny_if/0"},
	{all, WITH("w_a", "{'r':1}"), "/tools/w_*/require/0"},
	{all, WITH("w_a", "{'r':1,'w':1}"), ""},
	{all, CALL("w_no"), "/tools/w_no/action"},
	{all, CALL("gone"), "(hidden)"},
	{all, CALL("gone_not"), "(hidden)"},
	{all, PROMPT("p", "{'x':1}"), ""},
	{all, PROMPT("gone", "{}"), ""},
	{all, RESOURCE("r"), ""},
	{all, METHOD("m", "{}"), ""},
	{sums, WITH("t", "{'a':'[10]'}"), ""},
	{sums, WITH("t", "{'a':'[10.5]'}"), "/tools/t/limits/0",
	 "at most 10 of args.a[0]"},
	{sums, WITH("t", "{'a':'[-1]'}"), "/tools/t/limits/0",
	 "args.a[0] must be one number"},
	{sums, WITH("t", "{'a':[-1e-400]}"), "/tools/t/limits/0",
	 "args.a[0] must be one number"},
	{sums, WITH("t", "{'a':[9.99999999999999999999]}"), ""},
	{sums, WITH("t", "{'a':[10.00000000000000000001]}"),
	 "/tools/t/limits/0", "at most 10 of args.a[0]"},

	{require_all, WITH("t", "{'a':1,'b':1}"), ""},
	{require_all, WITH("t", "{'a':1,'b':2}"), "/tools/t/require/0",
	 "together"},
	{require_all, WITH("t", "{'a':2,'b':1}"), "/tools/t/require/0"},
	{require_all, WITH("t", "{'a':1}"), "/tools/t/require/0"},
	{require_any, WITH("t", "{'a':1,'b':2}"), ""},
	{require_any, WITH("t", "{'a':2,'b':1}"), ""},
	{require_any, WITH("t", "{'b':1}"), ""},
	{require_any, WITH("t", "{'a':2,'b':2}"), "/tools/t/require/0"},
	{require_any, CALL("t"), "/tools/t/require/0"},
	{require_any, WITH("t", "{'a':1,'b':'1'}"), "/tools/t/require/0"},
	{require_any, WITH("t", "{'a':'1','b':1}"), "/tools/t/require/0"},
	{require_any, WITH("t", "{'a':1,'a':1}"), "/tools/t/require/0"},
	{require_either, WITH("t", "{'a':1}"), ""},
	{require_either, WITH("t", "{'a':1,'b':'y'}"), ""},
	{require_either, WITH("t", "{'a':1,'b':1}"), "/tools/t/require/0"},
	{deny_all, WITH("t", "{'a':1,'b':1}"), "/tools/t/deny_if/0",
	 "together"},
	{deny_all, WITH("t", "{'a':1,'b':2}"), ""},
	{deny_all, WITH("t", "{'a':2,'b':1}"), ""},
	{deny_all, WITH("t", "{'b':1}"), ""},
	{deny_all, CALL("t"), ""},
	{deny_all, WITH("t", "{'a':2,'b':'1'}"), "/tools/t/deny_if/0"},
	{deny_all, WITH("t", "{'a':2,'b':1,'B':1}"), "/tools/t/deny_if/0"},
	{deny_any, WITH("t", "{'a':2,'b':2}"), ""},
	{deny_any, WITH("t", "{'a':2,'b':1}"), "/tools/t/deny_if/0"},
	{deny_any, WITH("t", "{'a':1}"), "/tools/t/deny_if/0"},
	{deny_nested, WITH("t", "{'a':1,'b':1}"), "/tools/t/deny_if/1", "both"},
	{deny_nested, WITH("t", "{'a':1,'b':2}"), ""},
	{deny_nested, WITH("t", "{'b':1}"), ""},
	{deny_nested, WITH("t", "{'c':1}"), "/tools/t/deny_if/0", "args.c"},
	{require_nested, WITH("t", "{'a':1}"), ""},
	{require_nested, WITH("t", "{'b':1,'c':1}"), ""},
	{require_nested, WITH("t", "{'b':1,'c':2}"), "/tools/t/require/0"},

	{all_nothing, CALL("b"), "(default deny)"},
	{all_nothing, CALL("a"), ""},
	{all_denied, CALL("a"), "/all_tools/action", "all"},
	{all_denied, CALL("c"), "/all_tools/action", "all"},
	{all_denied, CALL("d"), "/all_tools/action", "all"},
	{all_denied, CALL("b"), "(hidden)"},
	{all_denied, PROMPT("a", "{}"), ""},
	{all_hidden, CALL("a"), "(hidden)"},
	{all_hidden, CALL("b"), "(hidden)"},
	{slow, CALL("t"), "/tools/t/limits/0", "slow \\\""},
	{all_limited, CALL("a"), "/all_tools/rate_limit",
	 "at most 0 calls a day"},

	{many, CALL("a"), ""},
	{many, CALL("a_b"), ""},
	{many, CALL("a_no"), "/tools/a_no*/action"},
	{many, CALL("a_no_yes"), "/tools/a_no*/action"},
	{many, CALL("a_no_gone"), "(hidden)"},
	{many, CALL("A_NO_GONE"), "(hidden)"},
	{many, CALL("a_gone"), "(hidden)"},
	{many, CALL("a-gone"), "(hidden)"},
	{many, CALL("agone"), ""},
	{many, CALL("a_last"), "/tools/*last/action", "star"},
	{many, CALL("b_x"), ""},
	{many, WITH("b_x", "{'x':1}"), "/tools/*_x/deny_if/0"},
	{many, WITH("a_b_x", "{'x':1}"), "/tools/a_b_x/require/0"},
	{many, WITH("a_b_x", "{'x':1,'y':1}"), "/tools/*_x/deny_if/0"},
	{many, WITH("a_b_x", "{'y':1}"), ""},
	{many, WITH("B_X", "{'x':1}"), "(default deny)"},
	/* Beyond printable ASCII, a glob does not allow. */
	{many, CALL("a~ !"), ""},
	{many, CALL("\xC3\xA9"), ""},
	{many, CALL("\xC3\xB1"), ""},
	{many, CALL("a\xC3\xA9"), ""},
	{many, CALL("\xC3\xA9x"), "(malformed)"},
	{many, CALL("ab\xC3\xA9"), "(malformed)"},
	{many, CALL("a\x7F"), "(malformed)"},
	{many, CALL("a_no\xC3\xA9"), "/tools/a_no*/action"},

	/* The default and all_tools are about tools alone. */
	{sections, CALL("t"), ""},
	{sections, CALL("p"), "/tools/p/action"},
	{sections, PROMPT("p", "{}"), ""},
	{sections, PROMPT("other", "{}"), ""},
	{sections, PROMPT("no", "{}"), "/prompts/no*/action", "not this one"},
	{sections, PROMPT("NO way", "{}"), "/prompts/no*/action"},
	{sections, PROMPT("n\\u006f", "{}"), "/prompts/no*/action"},
	{sections, PROMPT("none", "{}"), "/prompts/no*/action"},
	{sections, PROMPT("gone", "{}"), "(hidden)"},
	{sections, PROMPT("Gone ", "{}"), "(hidden)"},
	{sections, PROMPT("ask", "{'lang':'de'}"), ""},
	{sections, PROMPT("ask", "{'lang':'fr'}"), "/prompts/ask/require/0",
	 "language"},
	{sections, PROMPT("ask", "{}"), "/prompts/ask/require/0"},
	{sections, PROMPT("ASK", "{'lang':'fr'}"), "/prompts/ask/require/0"},
	{sections, PROMPT("\xC3\xA9", "{}"), "(malformed)"},
	{sections, PROMPT("p\xC3\xA9", "{}"), "(malformed)"},
	{sections, RESOURCE("file:///a"), ""},
	{sections, RESOURCE("file:///\xC3\xA9"), ""},
	{sections, RESOURCE("file:///etc/passwd"),
	 "/resources/file:~1~1~1etc~1*/action"},
	{sections, RESOURCE("FILE:///etc/a"),
	 "/resources/file:~1~1~1etc~1*/action"},
	{sections, RESOURCE("file:\\/\\/\\/etc\\/a"),
	 "/resources/file:~1~1~1etc~1*/action"},
	{sections, RESOURCE("file:///gone"), "(hidden)"},
	{sections, RESOURCE("https://a"), ""},
	{sections, RESOURCE("http://a"), "/resources/http*/require/0",
	 "args.uri"},
	{sections, METHOD("resources/read", "{'uri':'db://a','mode':'raw'}"),
	 "/resources/db:~1~1a/deny_if/0"},
	{sections, METHOD("resources/read", "{'uri':'db://a','mode':'row'}"),
	 ""},
	/* What names a prompt or resource in passing; only actions apply. */
	{sections, METHOD("resources/subscribe", "{'uri':'file:///gone'}"),
	 "(hidden)"},
	{sections, METHOD("resources/subscribe", "{'uri':'FILE:///gone '}"),
	 "(hidden)"},
	{sections, METHOD("resources/subscribe", "{'uri':'file:///etc/x'}"),
	 "/resources/file:~1~1~1etc~1*/action"},
	{sections, METHOD("resources/subscribe", "{'uri':'http://a'}"), ""},
	{sections,
	 METHOD("resources/subscribe", "{'uri':'db://a','mode':'raw'}"), ""},
	{sections, METHOD("resources/subscribe", "{'uri':1}"), "(malformed)"},
	{sections, METHOD("resources/subscribe", "{'uri':'a\\ud800'}"),
	 "(malformed)"},
	{sections, METHOD("resources/subscribe", "{'uri':null}"), ""},
	{sections, METHOD("resources/subscribe", "{}"), ""},
	{sections, REQUEST "'resources/subscribe'}", ""},
	{sections, METHOD("resources/unsubscribe", "{'uri':'file:///gone'}"),
	 ""},
	{sections, COMPLETE("'ref':{'type':'ref/prompt','name':'p'}"), ""},
	{sections, COMPLETE("'ref':{'type':'ref/prompt','name':'gone'}"),
	 "(hidden)"},
	{sections, COMPLETE("'ref':{'name':'GONE '}"), "(hidden)"},
	{sections, COMPLETE("'ref':{'name':'go\\u006ee'}"), "(hidden)"},
	{sections, COMPLETE("'ref':{'type':'ref/prompt','name':'no'}"),
	 "/prompts/no*/action", "not this one"},
	/* Neither conditions nor limits. */
	{sections, COMPLETE("'ref':{'type':'ref/prompt','name':'ask'}"), ""},
	{sections, COMPLETE("'ref':{'type':'ref/prompt','name':'p\xC3\xA9'}"),
	 "(malformed)"},
	{sections,
	 COMPLETE("'ref':{'type':'ref/resource','uri':'file:///gone'}"),
	 "(hidden)"},
	{sections,
	 COMPLETE("'ref':{'type':'ref/prompt','uri':'file:///etc/{x}'}"),
	 "/resources/file:~1~1~1etc~1*/action"},
	{sections,
	 COMPLETE("'ref':{'type':'ref/resource','uri':'file:///{x}'}"), ""},
	{sections, COMPLETE("'ref':{'name':'p','uri':'file:///gone'}"),
	 "(hidden)"},
	{sections, COMPLETE("'ref':{'name':'p','name':'gone'}"), "(malformed)"},
	{sections, COMPLETE("'ref':{'name':'p','Name':'gone'}"), "(malformed)"},
	{sections, COMPLETE("'ref':{'NAME':'gone'}"), "(malformed)"},
	{sections, COMPLETE("'ref':{' name':'gone'}"), "(malformed)"},
	{sections, COMPLETE("'ref':{'name':'p','ur\\u0131':1,'URI':'x'}"),
	 "(malformed)"},
	{sections, COMPLETE("'ref':{'name':['gone']}"), "(malformed)"},
	{sections, COMPLETE("'ref':'gone'"), "(malformed)"},
	{sections, COMPLETE("'Ref':{'name':'gone'}"), "(malformed)"},
	{sections, COMPLETE("'ref':{'name':'p'},'REF':{'name':'gone'}"),
	 "(malformed)"},
	{sections, COMPLETE("'ref':null"), ""},
	{sections, COMPLETE("'argument':{'name':'gone','value':'gone'}"), ""},
	{sections, LISTEN("'file:///a','file:///b'"), ""},
	{sections, LISTEN(""), ""},
	{sections, LISTEN("'file:///a','file:///gone'"), "(hidden)"},
	{sections, LISTEN("'file:///a','file:///etc/a','file:///gone'"),
	 "/resources/file:~1~1~1etc~1*/action"},
	{sections, LISTEN("'file:///a',1"), "(malformed)"},
	{sections, LISTEN("null"), "(malformed)"},
	{sections, LISTEN("['file:///gone']"), "(malformed)"},
	{sections, METHOD("subscriptions/listen", "{'notifications':{}}"), ""},
	{sections, METHOD("subscriptions/listen", "{'notifications':[]}"),
	 "(malformed)"},
	{sections,
	 METHOD("subscriptions/listen",
		"{'notifications':{'resourceSubscriptions':'a'}}"),
	 "(malformed)"},
	{sections,
	 METHOD("subscriptions/listen",
		"{'notifications':{'ResourceSubscriptions':[]}}"),
	 "(malformed)"},
	{sections,
	 METHOD("subscriptions/listen",
		"{'notifications':{'resourceSubscriptions':[],"
		"'resource\\u0053ubscriptions':['file:///gone']}}"),
	 "(malformed)"},
	{sections,
	 METHOD("subscriptions/listen",
		"{'notifications':{},'Notifications':{}}"),
	 "(malformed)"},
	{sections, NOTICE("resources/subscribe", "{'uri':'file:///gone'}"),
	 "(hidden)"},
	{order, COMPLETE("'ref':{'name':'gone','name':'gone'}"), ""},
	{sections, METHOD("prompts/list", "{}"), ""},
	{sections, NOTICE("prompts/get", "{'name':'p'}"), "(malformed)"},
	{sections, NOTICE("resources/read", "{'uri':'db://a'}"), "(malformed)"},
	{sections, NOTICE("notifications/a", "{'name':'gone'}"), ""},

	{methods, METHOD("other", "{}"), ""},
	{methods, METHOD("logging/setLevel", "{}"),
	 "/methods/logging~1*/action", "not here"},
	{methods, METHOD("LOGGING/setLevel", "{}"),
	 "/methods/logging~1*/action"},
	{methods, METHOD("logging\\/\\u0073etLevel", "{}"),
	 "/methods/logging~1*/action"},
	{methods, METHOD("lo\\u0047ging/", "{}"), "/methods/logging~1*/action"},
	{methods, METHOD("ping", "{}"), "(hidden)"},
	{methods, REQUEST "'ping'}", "(hidden)"},
	{methods, METHOD("a/b", "{'level':1}"), ""},
	{methods, METHOD("a/b", "{'level':3}"), "/methods/a~1b/require/0",
	 "level"},
	{methods, METHOD("A/B", "{'level':3}"), "/methods/a~1b/require/0"},
	{methods, METHOD(" a/b", "{'level':3}"), "/methods/a~1b/require/0"},
	{methods, REQUEST "'a/b'}", "/methods/a~1b/require/0"},
	{methods, CALL("ok"), ""},
	{methods, CALL("x_1"), "/methods/tools~1call/deny_if/0", "by name"},
	{methods, WITH("ok", "{'n':11}"), "/methods/tools~1call/deny_if/1",
	 "args.arguments.n"},
	{methods, WITH("ok", "{'N':1}"), "/methods/tools~1call/deny_if/1"},
	{methods, WITH("ok", "{'n':10}"), ""},
	{methods, WITH("no", "{'n':11}"), "/tools/no/action"},
	{methods, WITH("gone", "{'n':11}"), "(hidden)"},
	{methods, RESOURCE("/srv/a"), ""},
	{methods, RESOURCE("/srv/../a"), "/methods/resources~1read/require/0"},
	{methods, RESOURCE("file:///srv/a"),
	 "/methods/resources~1read/require/0"},
	{methods, METHOD("sampling/x", "{}"),
	 "/methods/sampling~1x/rate_limit"},
	{methods, NOTICE("notifications/a", "{'n':4}"), ""},
	{methods, NOTICE("notifications/a", "{'n':5}"),
	 "/methods/notifications~1*/require/0"},
	{methods, NOTICE("NOTIFICATIONS/a", "{}"),
	 "/methods/notifications~1*/require/0"},
	{methods, NOTICE("notifications/gone", "{'n':1}"), "(hidden)"},
	{methods, NOTICE("logging/a", "{}"), "/methods/logging~1*/action"},
	{methods, NOTICE("a/c", "{}"), ""},
	{methods, NOTICE("tools/call", "{'name':'ok'}"), "(malformed)"},
	{methods, NOTICE("tools/call", "{'name':'gone'}"), "(malformed)"},
	{calls, CALL("ok"), "/methods/tools~1call/action", "none at all"},
	{calls, CALL("gone"), "(hidden)"},
	{calls, METHOD("tools/list", "{}"), ""},
	{calls, PROMPT("p", "{}"), ""},
	{mute, METHOD("a", "{}"), "/methods/*/action"},
	{mute, NOTICE("a", "{}"), "/methods/*/action"},
	{mute, "{'jsonrpc':'2.0','id':1,'result':{'method':'a'}}", ""},
	{mute, "{'jsonrpc':'2.0','id':1,'error':{'code':1,'message':'a'}}", ""},

	/* Names, in another case and in other bytes. */
	{some, CALL("ok"), ""},
	{some, CALL("\\u006fk"), ""},
	{some, CALL("OK"), "(default deny)"},
	{some, CALL("ok "), "(default deny)"},
	{some, CALL("mixed"), "(default deny)"},
	{some, CALL("Mixed"), ""},
	{some, CALL("sp ace"), ""},
	{some, CALL("other"), "(default deny)"},
	{some, CALL(""), "(default deny)"},
	{some, CALL("gone"), "(hidden)"},
	{some, CALL("GONE"), "(hidden)"},
	{some, CALL("\\tgone "), "(hidden)"},
	{some, CALL("g\\u006fne"), "(hidden)"},
	{some, CALL("gone_with"), "(hidden)"},
	{some, CALL("Gone_With"), "(hidden)"},
	{some, CALL("both"), "(hidden)"},
	{some, CALL("read_this"), ""},
	{some, CALL("READ_this"), "(default deny)"},
	{some, CALL("read_secret"), "/tools/read_secret/action"},
	{some, CALL("READ_SECRET"), "/tools/read_secret/action"},
	{some, CALL("read_gone"), "(hidden)"},
	{some, CALL("no/w~"), "/tools/no~1w~0/action"},
	{some, CALL("caf\xC3\xA9"), ""},
	{some, CALL("caf\\u00e9"), ""},
	{some, CALL("caf\xC3\x89"), "(malformed)"},
	{some, CALL("caf\xC3\xA9_x"), "(hidden)"},
	{some, CALL("read_\xC3\xA9"), "(malformed)"},
	{some, CALL("ok\\u0007"), "(malformed)"},
	{some, CALL("ok\\u007f"), "(malformed)"},
	{some, CALL("o\xE2\x84\xAA"), "(malformed)"},
	{open, CALL("other"), ""},
	{open, CALL("gone"), "(hidden)"},
	{open, CALL("no"), "/tools/no/action"},
	{open, CALL("NO"), "/tools/no/action"},
	{open, CALL("nO\\n"), "/tools/no/action"},
	{open, CALL("\xC3\xA9"), "(malformed)"},
	{open, ALIAS("other"), ""},
	{open, ALIAS("gone"), "(hidden)"},
	{open, ALIAS("No"), "/tools/no/action"},
	{apps, ALIAS("ok"), "(default deny)"},
	{apps, ALIAS_WITH("app", "{}"), ""},
	{apps, ALIAS("app"), "(default deny)"},
	{apps, ALIAS_WITH("gone", "{}"), "(hidden)"},
	{apps, ALIAS_WITH("gone_x", "{}"), "(hidden)"},
	{apps, ALIAS_WITH("no", "{}"), "/tools/no/action"},
	{apps, ALIAS_WITH("ask", "{}"), ""},
	{apps, ALIAS_WITH("ask", "{'a':1}"), "/tools/ask/deny_if/0"},
	{apps, ALIAS_WITH("none", "{}"), "/tools/none/rate_limit"},
	/* Escapes in the policy, below and above U+FFFF. */
	{"{'version':'1','default':'allow','hide':"
	 "['\\u00e9\\ud83d\\ude00']}",
	 CALL("\xC3\xA9\xF0\x9F\x98\x80"), "(hidden)"},
	{shut, CALL("ok"), ""},
	{shut, CALL("Ok"), "(hidden)"},
	{shut, CALL("other"), "(hidden)"},
	{shut, CALL("no"), "/tools/no/action"},
	{some, NOTICE("tools/call", "{'name':'ok'}"), "(malformed)"},
	{open, NOTICE("prompts/get", "{'name':'p'}"), "(malformed)"},
	{open, NOTICE("resources/read", "{'uri':'u'}"), "(malformed)"},
	{some, NOTICE("notifications/initialized", "{}"), ""},
	{some, "{'jsonrpc':'2.0','id':1,'method':'tools/list'}", ""},
	{some, "{'jsonrpc':'2.0','id':1,'result':{'name':'x'}}", ""},
	{TOOL("{'rate_limit':'0/second'}"), CALL("t"), "/tools/t/rate_limit",
	 "at most 0 calls a second"},
	{TOOL("{'rate_limit':{'max':0,'window':60}}"), CALL("t"),
	 "/tools/t/rate_limit", "at most 0 calls a minute"},
	{TOOL("{'rate_limit':{'max':0,'window':'hour'}}"), CALL("t"),
	 "/tools/t/rate_limit", "at most 0 calls an hour"},
	{TOOL("{'limits':[{'max':0,'window':86400}]}"), CALL("t"),
	 "/tools/t/limits/0", "at most 0 calls a day"},
	{TOOL("{'limits':[{'max':0,'window':90}]}"), CALL("t"),
	 "/tools/t/limits/0", "at most 0 calls in 90 seconds"},
	{TOOL("{'limits':[{'max':0,'window':1,'on_deny':'ask Ann'}]}"),
	 CALL("t"), "/tools/t/limits/0", "ask Ann"},
	{TOOL("{'limits':[{'max':0,'window':1,'increment_from':'/x\\''}]}"),
	 CALL("t"), "/tools/t/limits/0",
	 "/x\\\" must be one number, and not negative"},
	{TOOL("{'limits':[{'max':0,'window':1,'increment_from':'args.a',"
	      "'on_deny':'ask Ann'}]}"),
	 CALL("t"), "/tools/t/limits/0",
	 "args.a must be one number, and not negative"},
	{SUM("0"), SPEND, "/tools/t/limits/0", "at most 0 of args.a a second"},
	{SUM("0.50"), SPEND, "/tools/t/limits/0",
	 "at most 0.50 of args.a a second"},
	{SUM("1e-6"), SPEND, "/tools/t/limits/0",
	 "at most 1e-6 of args.a a second"},
	{LIMIT("{'window':3600,'increment_from':'/\\'/a','max':1}"), SPEND,
	 "/tools/t/limits/0", "at most 1 of /\\\"/a an hour"},
	{LIMIT("{'window':7,'increment_from':'args.a','max':1}"), SPEND,
	 "/tools/t/limits/0", "at most 1 of args.a in 7 seconds"},
	{LIMIT("{'window':7,'increment_from':'args.a','max':1,"
	       "'on_deny':'ask Ann'}"),
	 SPEND, "/tools/t/limits/0", "ask Ann"},
	{TOOL("{'action':'deny','reason':'a \\'b\\' \\\\ \\n \\u0001 \xC3\xA9'}"),
	 CALL("t"), "/tools/t/action", "a \\\"b\\\" \\\\ \\n \\u0001 \xC3\xA9"},
};

/* The policy as it prints itself, loaded again. */
static struct policy *print_again(const struct policy *p)
{
	char text[TEXT_BYTES];
	struct strbuf o = {.ptr = text, .cap = sizeof(text) - 1};

	policy_print(p, &o);
	assert_false(o.full);
	text[o.len] = '\0';
	return compile_one(text);
}

/* The verdict on a line of which this is the rule. */
static enum verdict_kind kind_of(const char *line, const char *rule)
{
	if (!*rule)
		return VERDICT_PASS;
	if (!strstr(line, "'id'"))
		return VERDICT_DROPPED;
	if (strcmp(rule, "(malformed)") == 0)
		return VERDICT_MALFORMED;
	return strcmp(rule, "(hidden)") == 0 ? VERDICT_HIDDEN : VERDICT_REFUSED;
}

/* Is this the verdict on a line?  If not, says which one is. */
static bool gives(const struct policy *p, const char *line, const char *rule,
		  const char *reason, const char *file)
{
	struct verdict v = {.location = {.rule = "none", .file = ""}};
	struct counters *c = COUNTERS(p);
	char text[TEXT_BYTES];
	bool good;

	json(text, sizeof(text), "%s", line);
	good = judge(p, c, text, 0, &v) && v.kind == kind_of(line, rule) &&
	       strcmp(v.location.rule, rule) == 0 &&
	       (!reason || strstr(v.reason, reason)) &&
	       (!file || (v.location.file && !strcmp(v.location.file, file)));
	if (!good)
		print_error("verdict %d by %s of %s: %s\n", (int)v.kind,
			    v.location.rule,
			    v.location.file ? v.location.file : "-",
			    v.reason ? v.reason : "");
	counters_free(c);
	return good;
}

/* Is it the verdict of these files, and of the one file that they are worth? */
static bool files_give(const char *const *files, const char *line,
		       const char *rule, const char *reason, const char *file)
{
	struct said said;
	struct policy *p = compile_files(files, &said), *again;
	bool good;

	if (!p) {
		print_error("said: %s", said.text);
		return false;
	}
	again = print_again(p);
	good = again && gives(p, line, rule, reason, file) &&
	       gives(again, line, rule, reason, NULL);
	policy_free(p);
	policy_free(again);
	return good;
}

TEST(policies_are_weighed)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(judged); i++) {
		const char *files[FILES_MAX] = {judged[i].policy};

		if (files_give(files, judged[i].line, judged[i].rule,
			       judged[i].reason, NULL))
			continue;
		print_error("row: %s\n", judged[i].line);
		failed++;
	}
	assert_int_equal(failed, 0);
}

/* ---- fifteen sentences ------------------------------------------------ */

/* What security engineers want, each as a policy: a call that must pass, and
 * three that must not, as the arguments of its tool, or whole lines; the rule
 * that refuses. */
static const struct {
	const char *sentence, *policy, *tool;
	const char *passes;
	const char *refused[3];
	const char *rule;
} sentences[] = {
	{"read only",
	 DENY "'tools':{'read_*':{},'list_*':{},'search_*':{}}}",
	 NULL,
	 WITH("read_file", "{'path':'/x'}"),
	 {CALL("write_file"), CALL("READ_file"), CALL("read-file")},
	 "(default deny)"},
	{"only under two directories",
	 DENY "'tools':{'t':{'require':[" ASK("args.path", "under",
					      "['/srv/a','~/b']") "]}}}",
	 "t",
	 "{'path':'/home/ann/b/x'}",
	 {"{'path':'/srv/a/../c'}", "{'path':'b/x'}", "{'paths':['/srv/a']}"},
	 "/tools/t/require/0"},
	{"no dot files anywhere",
	 DENY "'tools':{'t':{'deny_if':[" ASK("args.**", "regex",
					      "'(^|/)\\\\.[^./]'") "]}}}",
	 "t",
	 "{'path':'/srv/./a/../b.txt','n':[1]}",
	 {"{'path':'/srv/.env'}", "{'edits':[{'to':'.git/config'}]}",
	  "{'x':'[\\'/a/.ssh/id\\']'}"},
	 "/tools/t/deny_if/0"},
	{"at most 5 writes a minute in all",
	 DENY "'tools':{'write_*':{'limits':[{'max':0,'window':'minute'}]}}}",
	 NULL,
	 METHOD("ping", "{}"),
	 {CALL("write_a"), CALL("write_b"), WITH("write_c", "{}")},
	 "/tools/write_*/limits/0"},
	{"at most 100 a day of args.amount",
	 DENY "'tools':{'t':{'limits':[{'max':100,'window':'day',"
	      "'increment_from':'args.amount'}]}}}",
	 "t",
	 "{'amount':100}",
	 {"{'amount':100.01}", "{'amount':'1'}", "{}"},
	 "/tools/t/limits/0"},
	{"only SELECT, one statement",
	 DENY "'tools':{'t':{'require':[" ASK(
		 "args.sql", "regex",
		 "'(?i)^\\\\s*select\\\\s[^;]*;?\\\\s*$'") "]}}}",
	 "t",
	 "{'sql':'SELECT 1 FROM a\\nWHERE b;'}",
	 {"{'sql':'DROP TABLE a'}", "{'sql':'select 1; drop table a'}",
	  "{'sql':['select 1']}"},
	 "/tools/t/require/0"},
	{"only these two sites",
	 DENY "'tools':{'t':{'require':[" ASK(
		 "args.url", "host", "['example.org','*.example.net']") "]}}}",
	 "t",
	 "{'url':'https://a.example.net/x?y'}",
	 {"{'url':'https://example.org.evil.example/'}",
	  "{'url':'https://example.org@evil.example/'}",
	  "{'url':'example.org'}"},
	 "/tools/t/require/0"},
	{"no internal hosts",
	 DENY "'tools':{'t':{'require':[" ASK("args.url", "host",
					      "'*.example.org'") "]}}}",
	 "t",
	 "{'url':'https://www.example.org/'}",
	 {"{'url':'http://2130706433/'}", "{'url':'http://[::ffff:10.0.0.1]/'}",
	  "{'url':'http://localhost/'}"},
	 "/tools/t/require/0"},
	{"no push to main, also as refs/heads/main",
	 DENY "'tools':{'t':{'require':[" ASK(
		 "args.branch", "exists",
		 "true") "],'deny_if':[" ASK("args.branch", "regex",
					     "'(?i)^(refs/heads/)?main$'") "]}}}",
	 "t",
	 "{'branch':'maintenance'}",
	 {"{'branch':'main'}", "{'branch':'refs/heads/main'}",
	  "{'branch':'Main'}"},
	 "/tools/t/deny_if/0"},
	{"no forced push to main, but elsewhere yes",
	 DENY "'tools':{'t':{'deny_if':[" ALL(
		 ASK("args.force", "eq",
		     "true") "," ASK("args.branch", "in",
				     "['main','refs/heads/main']")) "]}}}",
	 "t",
	 "{'branch':'topic','force':true}",
	 {"{'branch':'main','force':true}", "{'branch':'main','force':'true'}",
	  "{'branch':'topic','Branch':'main','force':true}"},
	 "/tools/t/deny_if/0"},
	{"a reason with a ticket number",
	 DENY "'tools':{'t':{'require':[" ASK("args.reason", "regex",
					      "'^[A-Z]+-[0-9]+: .'") "]}}}",
	 "t",
	 "{'reason':'OPS-12: rotate'}",
	 {"{'reason':'rotate'}", "{'reason':null}", "{}"},
	 "/tools/t/require/0"},
	{"files of at most 1 MiB",
	 DENY "'tools':{'t':{'require':[" ASK("args.content", "max_length",
					      "8") "]}}}",
	 "t",
	 "{'content':'\\u00e9234\\n678'}",
	 {"{'content':'123456789'}", "{'content':12}", "{'contents':'1'}"},
	 "/tools/t/require/0"},
	{"nothing with a private key in any argument",
	 DENY "'tools':{'t':{'deny_if':[" ASK("args.**", "contains",
					      "'PRIVATE KEY-----'") "]}}}",
	 "t",
	 "{'a':'PUBLIC KEY-----'}",
	 {"{'a':{'b':['x','-----BEGIN PRIVATE KEY-----']}}",
	  "{'-----BEGIN PRIVATE KEY-----':1}",
	  "{'a':'{\\'k\\':\\'PRIVATE\\\\u0020KEY-----\\'}'}"},
	 "/tools/t/deny_if/0"},
	{"only static resources",
	 ALLOW "'resources':{'*':{'require':[" ASK("args.uri", "under",
						   "'static://docs/'") "]}}}",
	 NULL,
	 RESOURCE("static://docs/a"),
	 {RESOURCE("db://x"), RESOURCE("static://docs/%2e%2e/a"),
	  RESOURCE("static://docs/../a")},
	 "/resources/*/require/0"},
	{"no prompts",
	 ALLOW "'prompts':{'*':{'action':'hide'}}}",
	 NULL,
	 CALL("t"),
	 {PROMPT("p", "{}"), PROMPT("\\u0070", "{}"),
	  COMPLETE("'ref':{'type':'ref/prompt','name':'p'}")},
	 "(hidden)"},
};

TEST(sentences_hold)
{
	int failed = 0;

	assert_int_equal(COUNT(sentences), 15);
	for (size_t i = 0; i < COUNT(sentences); i++)
		for (size_t k = 0; k < 4; k++) {
			const char *files[FILES_MAX] = {sentences[i].policy};
			const char *args = k == 0 ? sentences[i].passes
						  : sentences[i].refused[k - 1];
			char line[TEXT_BYTES];

			snprintf(line, sizeof(line),
				 sentences[i].tool ? WITH("t", "%s") : "%s",
				 args);
			if (files_give(files, line,
				       k == 0 ? "" : sentences[i].rule, NULL,
				       NULL))
				continue;
			print_error("row: %s: %s\n", sentences[i].sentence,
				    line);
			failed++;
		}
	assert_int_equal(failed, 0);
}

/* ---- layers ---------------------------------------------------------- */

static const char base[] =
	DENY "'tools':{"
	     "'a':{},'b':{},'c':{'reason':'of base'},"
	     "'d':{'action':'deny','reason':'d of base'},"
	     "'k':{"
	     "'require':[{'path':'args.k','op':'exists','value':true,"
	     "'on_deny':'k of base'}],"
	     "'deny_if':[{'path':'args.x','op':'eq','value':1,"
	     "'on_deny':'x of base'}]},"
	     "'s':{'rate_limit':'0/hour'},'g*':{}}}";
static const char over[] =
	ALLOW "'hide':['a','g_gone'],"
	      "'all_tools':{"
	      "'deny_if':[{'path':'args.z','op':'eq','value':1,"
	      "'on_deny':'z of over'}]},"
	      "'tools':{"
	      "'b':{'action':'deny','reason':'b of over'},"
	      "'c':{'action':'deny'},"
	      "'d':{'action':'allow','reason':'d of over'},"
	      "'e':{},"
	      "'k':{"
	      "'require':[{'path':'args.l','op':'exists','value':true,"
	      "'on_deny':'l of over'},"
	      "{'path':'args.m','op':'exists','value':true,"
	      "'on_deny':'m of over'}],"
	      "'deny_if':[{'path':'args.x','op':'eq','value':2,"
	      "'on_deny':'x of over'}]},"
	      "'g_no':{'action':'deny'}},"
	      "'prompts':{'p':{'action':'deny'}}}";
static const char top[] =
	HIDE "'all_tools':{"
	     "'deny_if':[{'path':'args.z','op':'eq','value':2,"
	     "'on_deny':'z of top'}]},"
	     "'tools':{"
	     "'d':{'action':'deny','reason':'d of top'},"
	     "'b':{'action':'hide'},"
	     "'c':{'action':'deny','reason':'c of top'},"
	     "'k':{"
	     "'require':[{'path':'args.n','op':'exists','value':true,"
	     "'on_deny':'n of top'}]}},"
	     "'prompts':{'p':{'action':'hide'},'q':{'action':'deny'}}}";
static const char two[] = DENY "'tools':{'a':{},'b':{}}}";
static const char one[] = DENY "'hide':['b']}";
static const char mild[] =
	ALLOW "'all_tools':{'limits':[{'max':9,'window':9}]},"
	      "'methods':{'a':{}},'resources':{'a':{}}}";
static const char strict[] =
	ALLOW "'all_tools':{'limits':[{'max':0,'window':9}]},"
	      "'methods':{'a':{'action':'deny','reason':'m'}},"
	      "'resources':{'a':{'action':'deny','reason':'r'}}}";

/* Each file is laid over those before it: a.json, b.json, c.json. */
static const struct {
	const char *a, *b, *c;
	const char *line, *rule;
	const char *reason; /* a part of it; NULL: any */
	const char *file;   /* of the rule; NULL: any */
} layered[] = {
	/* All hides. */
	{base, over, NULL, CALL("a"), "(hidden)", NULL, "b.json"},
	{over, base, NULL, CALL("a"), "(hidden)", NULL, "a.json"},
	{base, over, NULL, CALL("g"), ""},
	{base, over, NULL, CALL("g_gone"), "(hidden)"},
	{two, one, NULL, CALL("b"), "(hidden)"},
	{one, two, NULL, CALL("b"), "(hidden)"},
	{two, one, NULL, CALL("a"), ""},
	{one, one, two, CALL("a"), ""},
	{one, one, two, CALL("b"), "(hidden)", NULL, "a.json"},
	/* The stricter action, and the reason with it. */
	{base, over, NULL, CALL("b"), "/tools/b/action", "b of over", "b.json"},
	{over, base, NULL, CALL("b"), "/tools/b/action", "b of over", "a.json"},
	{base, over, top, CALL("b"), "(hidden)", NULL, "c.json"},
	{base, over, NULL, CALL("c"), "/tools/c/action",
	 "the policy does not allow it", "b.json"},
	{base, over, top, CALL("c"), "/tools/c/action", "c of top"},
	{base, over, NULL, CALL("d"), "/tools/d/action", "d of base", "a.json"},
	{over, base, NULL, CALL("d"), "/tools/d/action", "d of base", "b.json"},
	{base, over, top, CALL("d"), "/tools/d/action", "d of base", "a.json"},
	{top, over, base, CALL("d"), "/tools/d/action", "d of top", "a.json"},
	{base, over, NULL, CALL("g_no"), "/tools/g_no/action"},
	/* The strictest default. */
	{base, NULL, NULL, CALL("e"), "(default deny)", NULL, "a.json"},
	{over, NULL, NULL, CALL("f"), ""},
	{base, over, NULL, CALL("e"), ""},
	{base, over, NULL, CALL("f"), "(default deny)", NULL, "a.json"},
	{over, base, NULL, CALL("f"), "(default deny)", NULL, "b.json"},
	{base, over, top, CALL("f"), "(hidden)", NULL, "c.json"},
	{top, base, NULL, CALL("f"), "(hidden)", NULL, "a.json"},
	{top, base, NULL, CALL("D"), "(hidden)", NULL, "a.json"},
	{base, base, top, CALL("D"), "(hidden)", NULL, "c.json"},
	/* All rules, numbered one after the other. */
	{base, over, NULL, CALL("s"), "/tools/s/rate_limit"},
	{base, over, NULL, WITH("e", "{'z':1}"), "/all_tools/deny_if/0",
	 "z of over", "b.json"},
	{base, over, top, WITH("e", "{'z':2}"), "/all_tools/deny_if/1",
	 "z of top", "c.json"},
	{base, top, over, WITH("e", "{'z':2}"), "/all_tools/deny_if/0",
	 "z of top", "b.json"},
	{base, over, NULL, WITH("k", "{}"), "/tools/k/require/0", "k of base",
	 "a.json"},
	{base, over, NULL, WITH("k", "{'k':1}"), "/tools/k/require/1",
	 "l of over", "b.json"},
	{over, base, NULL, WITH("k", "{'l':1,'m':1}"), "/tools/k/require/2",
	 "k of base", "b.json"},
	{base, over, top, WITH("k", "{'k':1,'l':1}"), "/tools/k/require/2",
	 "m of over", "b.json"},
	{base, over, top, WITH("k", "{'k':1,'l':1,'m':1}"),
	 "/tools/k/require/3", "n of top", "c.json"},
	{base, over, top, WITH("k", "{'k':1,'l':1,'m':1,'n':1}"), ""},
	{base, over, top, WITH("k", "{'k':1,'l':1,'m':1,'n':1,'x':1}"),
	 "/tools/k/deny_if/0", "x of base", "a.json"},
	{base, over, top, WITH("k", "{'k':1,'l':1,'m':1,'n':1,'x':2}"),
	 "/tools/k/deny_if/1", "x of over", "b.json"},
	/* Every section. */
	{base, NULL, NULL, PROMPT("p", "{}"), ""},
	{base, over, NULL, PROMPT("p", "{}"), "/prompts/p/action"},
	{base, over, top, PROMPT("p", "{}"), "(hidden)"},
	{base, over, top, PROMPT("q", "{}"), "/prompts/q/action", NULL,
	 "c.json"},
	{mild, strict, NULL, METHOD("a", "{}"), "/methods/a/action", "m",
	 "b.json"},
	{strict, mild, NULL, RESOURCE("a"), "/resources/a/action", "r",
	 "a.json"},
	{strict, mild, NULL, CALL("a"), "/all_tools/limits/0", NULL, "a.json"},
	{mild, strict, NULL, CALL("a"), "/all_tools/limits/1", NULL, "b.json"},
	{mild, mild, all_denied, CALL("a"), "/all_tools/action", "all",
	 "c.json"},
	{all_denied, mild, all_nothing, CALL("c"), "/all_tools/action", "all",
	 "a.json"},
	{all_denied, all_hidden, NULL, CALL("a"), "(hidden)", NULL, "b.json"},
};

TEST(layers_are_merged)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(layered); i++) {
		const char *files[FILES_MAX] = {layered[i].a, layered[i].b,
						layered[i].c};

		if (files_give(files, layered[i].line, layered[i].rule,
			       layered[i].reason, layered[i].file))
			continue;
		print_error("row: %s of\n%s\n%s\n", layered[i].line, files[0],
			    files[1] ? files[1] : "");
		failed++;
	}
	assert_int_equal(failed, 0);
}

/* ---- the value that decided ------------------------------------------ */

static const struct {
	const char *key, *conditions, *args;
	const char *value; /* NULL: none */
} values[] = {
	{"deny_if", ASK("args.a", "gt", "1"), "{'a': 20 }", "20"},
	{"deny_if", ASK("args.a", "eq", "'x'"), "{'a':'\\u0078'}", "'\\u0078'"},
	{"deny_if", ASK("args.a", "gt", "1"), "{'a':{'b':[ ]}}", "{'b':[ ]}"},
	{"deny_if", ASK("args.l[*]", "gt", "1"), "{'l':[1,2,3]}", "2"},
	{"deny_if", ASK("args.l[1]", "gt", "1"), "{'l':[1,2,3]}", "2"},
	{"deny_if", ASK("args.a", "exists", "true"), "{'a':null}", "null"},
	{"deny_if", ASK("args.a", "exists", "false"), "{'b':1}", NULL},
	{"require", ASK("args.a", "eq", "1"), "{}", NULL},
	{"require", ASK("args.a", "eq", "1"), "{'a':1.5}", "1.5"},
	{"require", ASK("args.a", "eq", "1"), "{'A':1}", NULL},
	{"require", ASK("args.a", "eq", "1"), "{'a':1,'a':1}", NULL},
	{"require", ASK("args.a.b", "eq", "1"), "{'a':1}", NULL},
	{"require", ASK("args", "eq", "1"), "{'a':1}", "{'a':1}"},
	{"require", ASK("args.l[*].x", "eq", "1"), "{'l':[{'x':1},{'x':3}]}",
	 "3"},
	/* None of the last element, though there was one before. */
	{"require", ASK("args.l[*].x", "eq", "1"), "{'l':[{'x':1},{}]}", NULL},
	{"require", ASK("args.l[*].x", "eq", "1"), "{'l':[{'x':1},{'X':1}]}",
	 NULL},
	{"deny_if", ASK("args.l[*].x", "eq", "1"), "{'l':[{'x':2},5]}", NULL},
	{"deny_if", ASK("args.l[*].x", "exists", "false"), "{'l':[{'x':2},{}]}",
	 NULL},
	/* Of a list that is a string, the element that the path leads to. */
	{"deny_if", ASK("args.a[*]", "eq", "'x'"),
	 "{'a':' [1e0,\\'y\\',\\'\\\\u0078\\']'}", "1e0"},
	{"deny_if", ASK("args.a[1]", "eq", "'x'"),
	 "{'a':'[1,\\'\\\\u0078\\']'}", "'\\u0078'"},
	{"deny_if", ASK("args.a", "eq", "'x'"), "{'a':'[\\'x\\']'}",
	 "'[\\'x\\']'"},
	/* Of a group, the member that decides alone. */
	{"deny_if", ANY(ASK("args.a", "eq", "1") "," ASK("args.b", "eq", "2")),
	 "{'a':3,'b':2.0}", "2.0"},
	{"deny_if", ALL(ASK("args.a", "eq", "1") "," ASK("args.b", "eq", "2")),
	 "{'a':1,'b':2}", NULL},
	{"require", ALL(ASK("args.a", "eq", "1") "," ASK("args.b", "eq", "2")),
	 "{'a':1,'b':4}", "4"},
	{"require", ANY(ASK("args.a", "eq", "1") "," ASK("args.b", "eq", "2")),
	 "{'a':3,'b':4}", NULL},
	{"require", ANY(ASK("args.a", "eq", "1") "," ASK("args.b", "eq", "2")),
	 "{'a':1,'b':true}", "true"},
	/* Of args.**, the key or the value, wherever it was. */
	{"deny_if", ASK("args.**", "eq", "'x'"), "{'a':[1,{'x':2}]}", "'x'"},
	{"deny_if", ASK("args.**", "eq", "'x'"),
	 "{'a':'[\\'{\\\\\\'b\\\\\\':\\\\\\'x\\\\\\'}\\']'}", "'x'"},
	/* Nor of a condition that held. */
	{"require", ASK("args.a", "eq", "1") "," ASK("args.b", "eq", "1"),
	 "{'a':1}", NULL},
};

TEST(values_are_told)
{
	char text[TEXT_BYTES], line[TEXT_BYTES], want[64];
	int failed = 0;

	for (size_t i = 0; i < COUNT(values); i++) {
		struct policy *p;
		struct counters *c;
		struct verdict v;

		json(text, sizeof(text), DENY "'tools':{'t':{'%s':[%s]}}}",
		     values[i].key, values[i].conditions);
		json(line, sizeof(line), WITH("t", "%s"), values[i].args);
		json(want, sizeof(want), "%s",
		     values[i].value ? values[i].value : "");
		p = compile_one(text);
		row_true(values[i].conditions, p);
		c = COUNTERS(p);
		row_true(values[i].args, judge(p, c, line, 0, &v));
		row_true(values[i].args, v.kind == VERDICT_REFUSED);
		if (!v.value.ptr != !values[i].value ||
		    v.value.len != strlen(want) ||
		    strncmp(v.value.ptr ? v.value.ptr : "", want,
			    v.value.len) != 0) {
			print_error("row: %s: %.*s\n", values[i].args,
				    (int)v.value.len, v.value.ptr);
			failed++;
		}
		counters_free(c);
		policy_free(p);
	}
	assert_int_equal(failed, 0);
}

/* ---- limits beside conditions ---------------------------------------- */

#define STEPS_MAX 8

/* Lines one after the other, and which rule refuses each. */
struct turn {
	int at; /* seconds */
	const char *line;
	const char *rule; /* "": passes; NULL: no step more */
	int wait;         /* seconds; 0: none */
};
static const struct {
	const char *name;
	const char *files[FILES_MAX];
	struct turn steps[STEPS_MAX];
} plays[] = {
	{"what a condition refuses uses nothing up",
	 {DENY "'tools':{'t':{'rate_limit':'1/minute',"
	       "'deny_if':[{'path':'args.n','op':'gt','value':1}],"
	       "'require':[{'path':'args.n','op':'exists','value':true}]}}}"},
	 {{0, WITH("t", "{'n':2}"), "/tools/t/deny_if/0"},
	  {1, WITH("t", "{}"), "/tools/t/require/0"},
	  {2, WITH("t", "{'N':1}"), "/tools/t/require/0"},
	  {3, WITH("t", "{'n':1}"), ""},
	  {4, WITH("t", "{'n':2}"), "/tools/t/deny_if/0"},
	  {5, WITH("t", "{'n':1}"), "/tools/t/rate_limit", 58},
	  {63, WITH("t", "{'n':1}"), ""}}},
	{"all tools count together, beside the limits of each",
	 {ALLOW "'all_tools':{'rate_limit':'3/minute'},'hide':['gone'],"
		"'tools':{'a':{'rate_limit':'1/minute'},"
		"'no':{'action':'deny'}}}"},
	 {{0, CALL("a"), ""},
	  {1, CALL("a"), "/tools/a/rate_limit", 59},
	  {2, CALL("no"), "/tools/no/action"},
	  {3, CALL("gone"), "(hidden)"},
	  {4, CALL("b"), ""},
	  {5, CALL("c"), ""},
	  {6, CALL("d"), "/all_tools/rate_limit", 54},
	  {60, CALL("a"), ""}}},
	{"a limit of all tools does not count what an entry's refuses",
	 {ALLOW "'all_tools':{'limits':[{'max':2,'window':100}]},"
		"'tools':{'a':{'limits':[{'max':1,'window':10}]}}}"},
	 {{0, CALL("a"), ""},
	  {1, CALL("a"), "/tools/a/limits/0", 9},
	  {2, CALL("a"), "/tools/a/limits/0", 8},
	  {10, CALL("a"), ""},
	  {11, CALL("b"), "/all_tools/limits/0", 89},
	  {12, CALL("a"), "/all_tools/limits/0", 88}}},
	{"limits of a later file are numbered after those of the earlier",
	 {DENY "'tools':{'t':{'limits':[{'max':3,'window':60},"
	       "{'max':3,'window':60}]}}}",
	  DENY "'tools':{'t':{'rate_limit':'9/day',"
	       "'limits':[{'max':2,'window':60}]}}}",
	  DENY "'tools':{'t':{'limits':[{'max':9,'window':60},"
	       "{'max':1,'window':5}]}}}"},
	 {{0, CALL("t"), ""},
	  {1, CALL("t"), "/tools/t/limits/4", 4},
	  {5, CALL("t"), ""},
	  {10, CALL("t"), "/tools/t/limits/2", 50},
	  {11, CALL("T"), "(default deny)"}}},
	{"a name in another case has no quota of its own",
	 {ALLOW "'tools':{'t':{'rate_limit':'1/minute'}}}"},
	 {{0, CALL("T"), ""},
	  {1, CALL("t"), "/tools/t/rate_limit", 59},
	  {2, CALL("\\u0074"), "/tools/t/rate_limit", 58},
	  {3, CALL("u"), ""}}},
	{"a method and a tool count together or not at all",
	 {ALLOW "'tools':{'t':{'rate_limit':'1/minute'}},"
		"'methods':{'tools/call':{'rate_limit':'2/minute'}}}"},
	 {{0, CALL("t"), ""},
	  {1, CALL("t"), "/tools/t/rate_limit", 59},
	  {2, CALL("u"), ""},
	  {3, CALL("v"), "/methods/tools~1call/rate_limit", 57},
	  {60, CALL("t"), ""}}},
	{"the wait is until the same call passes, whichever limit is longer",
	 {ALLOW "'tools':{'t':{'rate_limit':'1/hour'}},"
		"'methods':{'tools/call':{'rate_limit':'1/minute'}}}"},
	 {{0, CALL("t"), ""},
	  {1, CALL("t"), "/methods/tools~1call/rate_limit", 3599},
	  {2, CALL("u"), "/methods/tools~1call/rate_limit", 58}}},
	{"prompts, resources and methods have limits, too",
	 {ALLOW "'prompts':{'p':{'rate_limit':'1/minute'}},"
		"'resources':{'r*':{'rate_limit':'1/minute'}},"
		"'methods':{'m':{'rate_limit':'1/minute'}}}"},
	 {{0, PROMPT("p", "{}"), ""},
	  {0, PROMPT("P", "{}"), "/prompts/p/rate_limit", 60},
	  {0, RESOURCE("r1"), ""},
	  {0, RESOURCE("r2"), "/resources/r*/rate_limit", 60},
	  {0, RESOURCE("s"), ""},
	  {0, METHOD("m", "{}"), ""},
	  {0, METHOD("M", "{}"), "/methods/m/rate_limit", 60},
	  {0, NOTICE("m", "{}"), "/methods/m/rate_limit", 60}}},
	{"a rate_limit stands beside limits",
	 {DENY "'tools':{'t':{'rate_limit':'2/minute',"
	       "'limits':[{'max':1,'window':10,'on_deny':'slow'}]}}}"},
	 {{0, CALL("t"), ""},
	  {1, CALL("t"), "/tools/t/limits/0", 9},
	  {10, CALL("t"), ""},
	  {20, CALL("t"), "/tools/t/rate_limit", 40},
	  {60, CALL("t"), ""}}},
	{"a limit slides, and a refused call uses nothing up",
	 {TOOL("{'rate_limit':'2/minute'}")},
	 {{0, CALL("t"), ""},
	  {30, CALL("t"), ""},
	  {59, CALL("t"), "/tools/t/rate_limit", 1},
	  {60, CALL("t"), ""},
	  {60, CALL("t"), "/tools/t/rate_limit", 30}}},
	{"all limits count a call or none does, whatever the name's case; that "
	 "of a glob is one for all its tools",
	 {ALLOW "'tools':{'t':{'limits':[{'max':3,'window':100},"
		"{'max':1,'window':10}]},"
		"'t*':{'rate_limit':{'max':4,'window':1000}}}}"},
	 {{0, CALL("t"), ""},
	  {1, CALL("t"), "/tools/t/limits/1", 9},
	  {9, CALL("t"), "/tools/t/limits/1", 1},
	  {10, CALL("t"), ""},
	  {20, CALL("T"), ""},
	  {25, CALL(" T"), "/tools/t/limits/0", 75},
	  {26, CALL("tx"), ""},
	  {27, CALL("ty"), "/tools/t*/rate_limit", 973}}},
	{"a limit that never allows a call has no wait, whichever is first",
	 {DENY
	  "'tools':{'a*':{'rate_limit':'1/hour'},'ab':{'rate_limit':"
	  "'0/day','deny_if':[" ASK(
		  "/1a", "exists",
		  "true") "]},"
			  "'b':{'limits':[{'max':0,'window':1},{'max':1,'window':9},"
			  "{'max':0,'window':5}]},"
			  "'c':{'limits':[{'max':1,'window':9},{'max':0,'window':1},"
			  "{'max':0,'window':5}]}}}"},
	 {{0, CALL("ac"), ""},
	  {0, CALL("ab"), "/tools/a*/rate_limit"},
	  {0, CALL("b"), "/tools/b/limits/0"},
	  {0, CALL("b"), "/tools/b/limits/0"},
	  {0, CALL("c"), "/tools/c/limits/1"},
	  {0, CALL("c"), "/tools/c/limits/1"}}},
	{"of two limits that refuse, the longer wait is told",
	 {TOOL("{'limits':[{'max':1,'window':9},{'max':1,'window':5},"
	       "{'max':1,'window':20}]}")},
	 {{0, CALL("t"), ""}, {0, CALL("t"), "/tools/t/limits/0", 20}}},
	{"a call that another limit refuses spends nothing",
	 {TOOL("{'limits':[{'max':1,'window':'day','increment_from':'args.x'},"
	       "{'max':1,'window':60}]}")},
	 {{0, WITH("t", "{'x':0}"), ""},
	  {1, WITH("t", "{'x':1}"), "/tools/t/limits/1", 59},
	  {60, WITH("t", "{'x':1}"), ""}}},
};

static bool step_goes_well(const struct turn *s, const struct policy *p,
			   struct counters *c)
{
	char line[TEXT_BYTES];
	struct verdict v;

	json(line, sizeof(line), "%s", s->line);
	if (!judge(p, c, line, s->at * SECOND, &v))
		return false;
	if (strcmp(v.location.rule, s->rule) == 0 &&
	    v.wait == (s->wait > 0 ? s->wait * SECOND : -1) &&
	    (v.kind == VERDICT_PASS) == !*s->rule)
		return true;
	print_error("at %d: %s, wait %lld\n", s->at, v.location.rule,
		    (long long)v.wait);
	return false;
}

/* The steps that do not go as they should. */
static int play(const struct turn *steps, const struct policy *p)
{
	struct counters *c = COUNTERS(p);
	int failed = 0;

	for (int i = 0; i < STEPS_MAX && steps[i].rule; i++)
		failed += !step_goes_well(&steps[i], p, c);
	counters_free(c);
	return failed;
}

TEST(limits_and_conditions_play)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(plays); i++) {
		struct said said;
		struct policy *p = compile_files(plays[i].files, &said), *again;
		int more;

		row_true(plays[i].name, p);
		again = print_again(p);
		row_true(plays[i].name, again);
		more = play(plays[i].steps, p) + play(plays[i].steps, again);
		if (more > 0)
			print_error("row: %s\n", plays[i].name);
		failed += more;
		policy_free(p);
		policy_free(again);
	}
	assert_int_equal(failed, 0);
}

/* ---- sums ------------------------------------------------------------ */

#define TENFOLD(a)                                                             \
	a " | " a " | " a " | " a " | " a " | " a " | " a " | " a " | " a      \
	  " | " a
#define UNFIT " must be one number, and not negative"

/* Of a sum a day, amounts one after the other; the last is refused, and what is
 * told, or all pass. */
static const struct {
	const char *max, *path, *amounts;
	const char *told; /* NULL: nothing is refused */
} spendings[] = {
	{"1", "args.x", TENFOLD("0.1") " | 0 | -0 | -0.0e5 | 0.000001",
	 "at most 1 of args.x a day"},
	{"3", "args.x", TENFOLD("0.1") " | " TENFOLD("0.2") " | 1e-6",
	 "at most 3 of args.x a day"},
	{"0.3", "args.x", "0.1 | 0.2 | 0", NULL},
	{"100", "args.x", "1E2", NULL},
	{"100", "args.x", "1.00e+2 | 1e-7", "at most 100 of args.x a day"},
	{"1e2", "args.x", "100.000001", "at most 1e2 of args.x a day"},
	{"1e12", "args.x", "1e400", "at most 1e12 of args.x a day"},
	{"1e12", "args.x", "1e99999999999999999999", "args.x" UNFIT},
	{"1e12", "args.x", "1000000000000 | 0.000001",
	 "at most 1e12 of args.x a day"},
	{"1e12", "args.x", "18446744073709.551616",
	 "at most 1e12 of args.x a day"},
	{"5", "args.x", "-1", "args.x" UNFIT},
	{"5", "args.x", "-0.0000001", "args.x" UNFIT},
	{"5", "args.x", "={'y':1}", "args.x" UNFIT},
	{"5", "args.x", "-", "args.x" UNFIT},
	{"5", "args.x", "null", "args.x" UNFIT},
	{"5", "args.x", "'1'", "args.x" UNFIT},
	{"5", "args.x", "true", "args.x" UNFIT},
	{"5", "args.x", "[1]", "args.x" UNFIT},
	{"5", "args.x", "{}", "args.x" UNFIT},
	{"5", "args.x", "={'x':1,'x':1}", "args.x" UNFIT},
	{"5", "args.x", "={'x':1,'X':1}", "args.x" UNFIT},
	{"5", "args.x", "={'X':1}", "args.x" UNFIT},
	{"5", "args.a.b[1]",
	 "{'a':{'b':[9,2]}} | {'a':{'b':[9,3]}} | {'a':{'b':[0,1]}}",
	 "at most 5 of args.a.b[1] a day"},
	{"5", "args.a.b[1]", "{'a':{'b':[9]}}", "args.a.b[1]" UNFIT},
	{"5", "/a.b/c~1d", "{'a.b':{'c/d':5}} | {'a.b':{'c/d':1}}",
	 "at most 5 of /a.b/c~1d a day"},
};

TEST(sums_are_spent)
{
	char text[TEXT_BYTES], args[TEXT_BYTES];

	for (size_t i = 0; i < COUNT(spendings); i++) {
		const char *at = spendings[i].amounts;
		struct policy *p;
		struct counters *c;
		struct verdict v;

		json(text, sizeof(text),
		     LIMIT("{'max':%s,'window':'day','increment_from':'%s'}"),
		     spendings[i].max, spendings[i].path);
		p = compile_one(text);
		row_true(text, p);
		c = COUNTERS(p);
		while (next_case(spendings[i].path, &at, args)) {
			bool passes = at || !spendings[i].told;

			json(text, sizeof(text), WITH("t", "%s"), args);
			row_true(text, judge(p, c, text, 0, &v));
			row_true(text, (v.kind == VERDICT_PASS) == passes);
			row_true(text,
				 passes || strcmp(v.reason,
						  spendings[i].told) == 0);
			row_true(text,
				 passes || strcmp(v.location.rule,
						  "/tools/t/limits/0") == 0);
		}
		counters_free(c);
		policy_free(p);
	}
}

/* ---- what conditions tell -------------------------------------------- */

/* A path is told up to a byte that may be inside a letter. */
#define LETTERS                                                                \
	"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
#define FAR LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS

static bool is_utf8(const char *s)
{
	char quoted[2048];
	struct text text;
	struct scan r;

	snprintf(quoted, sizeof(quoted), "\"%s\"", s);
	scan_begin(&r, quoted, strlen(quoted));
	return scan_string(&r, quoted, &text) != NULL;
}

static const struct {
	const char *condition;
	const char *reason; /* a part of it */
} reasons[] = {
	{SAY("args.a", "eq", "1", "told"), "told"},
	{SAY("args.a", "eq", "1", "two\\nlines \\\\ \xC3\xA9"),
	 "two\\nlines \\\\ \xC3\xA9"},
	{ASK("args.a.b[0]", "eq", "1"), "args.a.b[0]"},
	{"{'value':1,'op':'eq','path':'args.z'}", "args.z"},
	{ASK("/a~1b", "eq", "1"), "/a~1b"},
	{ASK("args.\\u0001\\'", "eq", "1"), "args.\\u0001\\\""},
	{ASK("args." FAR FAR, "eq", "1"), "args." FAR},
	{ASK("args.x" FAR FAR, "eq", "1"), "args.x" FAR},
	/* What would be allowed. */
	{ASK("args.a", "in", "['x',1,null,'\\'']"),
	 "args.a must be \\\"x\\\", 1, null or \\\"\\\"\\\""},
	{ASK("args.a", "lt", "1.50"), "args.a must be a number less than 1.50"},
	{ASK("args.a", "lte", "1e3"), "args.a must be a number of at most 1e3"},
	{ASK("args.a", "gt", "-1"), "must be a number greater than -1"},
	{ASK("/a", "gte", "0"), "/a must be a number of at least 0"},
	{ASK("args.a", "under", "'/srv'"),
	 "args.a must be an absolute path under /srv"},
	{ASK("args.a", "under", "['/srv','~/x']"),
	 "must be an absolute path under /srv or /home/ann/x"},
	{ASK("args.a", "under", "['/srv','https://A.example/x/']"),
	 "args.a must be under /srv or https://A.example/x/"},
	{ASK("args.a", "host", "['*.a.example','b.example:8443','[::1]']"),
	 "args.a must be an http or https URL whose host is *.a.example, "
	 "b.example:8443 or [::1]"},
	{ASK("args.a", "max_length", "10"),
	 "args.a must have a length of at most 10"},
	{ASK("args.a", "in",
	     "['" FAR FAR "','" FAR FAR "','" FAR FAR "','" FAR "','" FAR
	     "','" FAR "','" FAR "']"),
	 ", ..."},
	{ASK("args.a", "eq", "'secret'"),
	 "the policy does not allow this value of args.a"},
};

TEST(reasons_are_told)
{
	char text[TEXT_BYTES], line[TEXT_BYTES];

	json(line, sizeof(line), "%s", CALL("t"));
	for (size_t i = 0; i < COUNT(reasons); i++) {
		struct policy *p;
		struct counters *c;
		struct verdict v;

		json(text, sizeof(text), DENY "'tools':{'t':{'require':[%s]}}}",
		     reasons[i].condition);
		p = compile_one(text);
		row_true(reasons[i].condition, p);
		c = COUNTERS(p);
		row_true(reasons[i].condition, judge(p, c, line, 0, &v));
		row_true(reasons[i].condition, v.kind == VERDICT_REFUSED);
		row_true(reasons[i].condition,
			 strstr(v.reason, reasons[i].reason));
		row_true(reasons[i].condition, is_utf8(v.reason));
		counters_free(c);
		policy_free(p);
	}
}

/* ---- large values ---------------------------------------------------- */

#define LARGE ((size_t)1 << 20)

/* A backtracking engine takes exponential or square time for each of these: the
 * test would not end. */
static const struct {
	const char *op, *value;
	const char *piece, *end; /* the string: many of one, then the other */
	bool passes;
} large[] = {
	{"regex", "^(a+)+$", "a", "!", false},
	{"regex", "^(a|a)*$", "a", "!", false},
	{"regex", "^(a|aa)+$", "a", "!", false},
	{"regex", "^([a-z]+)*x$", "a", "!", false},
	{"regex", "(.*)(.*)(.*)(.*)(.*)x$", "a", "!", false},
	{"regex", "^(a?){50}a{50}$", "a", "", false},
	{"regex", "a.*b.*c.*d", "abc", "", false},
	{"regex", "^(a+)+$", "a", "", true},
	{"regex", "^(a+)+$", "\\u0061", "", true},
	{"regex", "!$", "a", "!", true},
	{"glob", "*a*a*a*a*a*a*a*b", "a", "", false},
	{"glob", "*a*a*a*a*a*a*a*b", "a", "b", true},
	{"contains", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "a", "", false},
	{"contains", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "a", "b", true},
	{"under", "/a/b", "/a/b/../..", "/a/b", true},
	{"under", "/a/b", "/a/b/../..", "/..", false},
	{"under", "/a/b", "/..", "/a/b/./", true},
	{"eq", "a", "a", "", false},
};

TEST(large_values_are_weighed)
{
	char *line = malloc(LARGE + TEXT_BYTES), text[TEXT_BYTES];

	assert_non_null(line);
	for (size_t i = 0; i < COUNT(large); i++) {
		size_t len = strlen(large[i].piece), used;
		struct policy *p;
		struct counters *c;
		struct verdict v;

		json(text, sizeof(text), DENY "'tools':{'t':{'require':[%s]}}}",
		     ASK("args.x", "%s", "'%s'"));
		snprintf(line, TEXT_BYTES, text, large[i].op, large[i].value);
		p = compile_one(line);
		row_true(large[i].value, p);
		c = COUNTERS(p);
		json(line, TEXT_BYTES, "%s",
		     REQUEST "'tools/call','params':{'name':'t','arguments':"
			     "{'x':'");
		for (used = strlen(line); used < LARGE; used += len)
			memcpy(line + used, large[i].piece, len);
		json(line + used, TEXT_BYTES, "%s'}}}", large[i].end);
		row_true(large[i].value, judge(p, c, line, 0, &v));
		row_true(large[i].value,
			 (v.kind == VERDICT_PASS) == large[i].passes);
		counters_free(c);
		policy_free(p);
	}
	free(line);
}

/* The text of a list is read up to a bound, past which it is in doubt; what is
 * none by then, is none. */
TEST(long_lists_are_in_doubt)
{
	static const struct {
		const char *begin, *end; /* of the string, spaces between */
		size_t less;             /* bytes in them, as they stand */
		bool listed;             /* a list, or the begin of one */
	} rows[] = {
		{"[", "]", 2, true},
		{"\\u005b", "1]", 8, true},
		{"[\\'\\\\u0061", "\\']", 13, true},
		{"[INFO]", "", 6, false},
		{"[1] ", "x]", 6, true},
	};
	struct policy *p = compile_one(
		DENY "'tools':{'t':{'deny_if':[{'path':'args.x','op':"
		     "'contains','value':'prod'}]}}}");
	struct counters *c = COUNTERS(p);
	char *line = malloc(LARGE + TEXT_BYTES);

	assert_non_null(line);
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t more = 0; more < 30; more++) {
			size_t used, spaces = LARGE - rows[i].less + more;
			struct verdict v;

			json(line, TEXT_BYTES, "%s%s",
			     REQUEST "'tools/call','params':{'name':'t',"
				     "'arguments':{'x':'",
			     rows[i].begin);
			used = strlen(line);
			memset(line + used, ' ', spaces);
			json(line + used + spaces, TEXT_BYTES, "%s'}}}",
			     rows[i].end);
			row_true(rows[i].begin, judge(p, c, line, 0, &v));
			row_true(rows[i].begin,
				 (v.kind == VERDICT_PASS) ==
					 (more == 0 || !rows[i].listed));
		}
	free(line);
	counters_free(c);
	policy_free(p);
}

/* ---- what is weighed ------------------------------------------------- */

TEST(only_what_has_rules_is_weighed)
{
	static const struct {
		const char *policy, *line;
		bool weighed;
	} rows[] = {
		{order, CALL("x"), true},
		{order, NOTICE("tools/call", "{'name':'x'}"), true},
		{order, PROMPT("x", "{}"), false},
		{order, RESOURCE("x"), false},
		{order, METHOD("tools/list", "{}"), false},
		{order, NOTICE("notifications/a", "{}"), false},
		{sections, PROMPT("x", "{}"), true},
		{sections, RESOURCE("x"), true},
		{sections, COMPLETE(""), true},
		{order, COMPLETE(""), false},
		{sections, METHOD("x", "{}"), false},
		{methods, PROMPT("x", "{}"), true},
		{methods, RESOURCE("x"), true},
		{methods, METHOD("x", "{}"), true},
		{methods, NOTICE("x", "{}"), true},
		{methods, "{'jsonrpc':'2.0','id':1,'result':{}}", false},
		{methods, "{'jsonrpc':'2.0','id':1,'error':{}}", false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = compile_one(rows[i].policy);
		struct counters *c = counters_new(p, NULL, NULL, listen, NULL);
		char line[TEXT_BYTES];
		struct message m;
		struct fault f;

		json(line, sizeof(line), "%s", rows[i].line);
		row_true(line, message_read(line, strlen(line), &m, &f));
		row_true(line, (now_judge(p, c, &m).kind !=
				VERDICT_UNWEIGHED) == rows[i].weighed);
		counters_free(c);
		policy_free(p);
	}
}

/* Names of as many bytes as there may be, and of one more. */
TEST(names_have_bounds)
{
	static const struct {
		const char *policy, *before, *after;
		bool longer; /* one of MESSAGE_NAME_BYTES + 1 */
		enum verdict_kind kind;
	} rows[] = {
		{many, REQUEST "'tools/call','params':{'name':'", "'}}", false,
		 VERDICT_PASS},
		{sections, REQUEST "'prompts/get','params':{'name':'", "'}}",
		 false, VERDICT_PASS},
		{sections, REQUEST "'resources/read','params':{'uri':'", "'}}",
		 false, VERDICT_PASS},
		{sections, REQUEST "'resources/read','params':{'uri':'", "'}}",
		 true, VERDICT_MALFORMED},
		{order, REQUEST "'resources/read','params':{'uri':'", "'}}",
		 true, VERDICT_PASS},
		{methods, REQUEST "'", "'}", false, VERDICT_PASS},
		{methods, REQUEST "'", "'}", true, VERDICT_MALFORMED},
		{methods, REQUEST "'\\u0061", "'}", true, VERDICT_MALFORMED},
		{methods, "{'jsonrpc':'2.0','method':'", "'}", true,
		 VERDICT_DROPPED},
		{order, REQUEST "'", "'}", true, VERDICT_PASS},
	};
	char name[MESSAGE_NAME_BYTES + 2], line[TEXT_BYTES];
	struct text text = {.ptr = name};

	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = compile_one(rows[i].policy);
		struct counters *c = COUNTERS(p);
		struct verdict v;

		text.len = MESSAGE_NAME_BYTES + rows[i].longer;
		json(line, sizeof(line), "%s%.*s%s", rows[i].before,
		     (int)text.len, name, rows[i].after);
		row_true(rows[i].before, judge(p, c, line, 0, &v));
		row_true(rows[i].before, v.kind == rows[i].kind);
		row_true(rows[i].before, policy_lists(p, POLICY_PROMPTS,
						      text) != rows[i].longer);
		counters_free(c);
		policy_free(p);
	}
}

/* ---- conditions that do not load ------------------------------------- */

/* A condition, and what is said of it: where, from the condition on, and a part
 * of the words. */
static const struct {
	const char *condition;
	const char *said[4];
} faults[] = {
	{"1", {": a condition, {\"path\"", "not a number"}},
	{"null", {": a condition, "}},
	{"[]", {": a condition, "}},
	{"'args.a eq 1'", {": a condition, "}},
	{"{}",
	 {": \"path\" is missing", ": \"op\" is missing",
	  ": \"value\" is missing"}},
	{"{'op':'eq','value':1}", {": \"path\" is missing"}},
	{"{'path':'args.a','value':1}", {": \"op\" is missing"}},
	{"{'path':'args.a','op':'eq'}", {": \"value\" is missing"}},
	{"{'path':'args.a','op':'exists'}", {": \"value\" is missing"}},
	{"{'path':'args.a','op':'eq','vlaue':1}",
	 {"/vlaue: unknown key \"vlaue\": did you mean \"value\"?",
	  ": \"value\" is missing"}},
	{"{'path':'args.a','op':'eq','value':1,'reason':'x'}",
	 {"/reason: unknown key \"reason\" (allowed: path, op, value, "
	  "on_deny, description)"}},
	{"{'path':'args.a','op':'eq','value':1,'value':2}",
	 {"/value: this key is there twice"}},
	{"{'path':'args.a','op':'eq','value':1,'\\u006fp':'gt'}",
	 {"/op: this key is there twice"}},
	{SAY("args.a", "eq", "1", "x") ",1", {"/1: a condition, "}},
	{"{'path':'args.a','op':'eq','value':1,'on_deny':1}",
	 {"/on_deny: a string that the agent is told"}},
	{"{'path':'args.a','op':'eq','value':1,'on_deny':null}",
	 {"/on_deny: a string that the agent is told"}},

	/* Operators. */
	{ASK("args.a", "equals", "1"), {"/op: unknown operator \"equals\""}},
	{ASK("args.a", "gtt", "1"),
	 {"/op: unknown operator \"gtt\": did you "
	  "mean \"gt\"?"}},
	{ASK("args.a", "exist", "true"), {"did you mean \"exists\"?"}},
	{ASK("args.a", "notin", "[1]"), {"did you mean \"not_in\"?"}},
	{ASK("args.a", "rgeex", "'a'"), {"did you mean \"regex\"?"}},
	{ASK("args.a", "EQ", "1"), {"/op: unknown operator \"EQ\""}},
	{ASK("args.a", "", "1"),
	 {"/op: unknown operator \"\" (allowed: eq, neq, in, not_in, lt, "}},
	{ASK("args.a", "==", "1"), {"/op: unknown operator \"==\""}},
	{"{'path':'args.a','op':1,'value':1}",
	 {"/op: an operator, a string was expected, not a number"}},
	{"{'path':'args.a','op':['eq'],'value':1}", {"/op: an operator"}},

	/* Groups. */
	{"{'all':[]}", {"/all: one condition at least was expected"}},
	{"{'any':{}}", {"/any: an array of conditions was expected"}},
	{"{'all':[1]}", {"/all/0: a condition, {\"path\""}},
	{"{'all':[" A "],'any':[" A "]}",
	 {": a group has \"all\" or \"any\", not both"}},
	{"{'all':[" A "],'op':'eq'}",
	 {"/op: unknown key \"op\" (allowed: all, any, on_deny, "
	  "description)"}},
	{"{'all':[" A "],'on_deny':1}", {"/on_deny: a string that"}},
	{ALL(SAY("args.a", "eq", "1", "x")), {"/all/0/on_deny: the group as"}},
	{ALL(ALL(A)), {"/all/0: a group inside one of the same kind"}},
	{ANY(ANY(A)), {"/any/0: a group inside one of the same kind"}},
	{ALL(ANY(ALL(A))), {"/all/0/any/0: groups are in one another once"}},
	{ALL(ANY(A) "," ASK("args.a", "gt", "''")), {"/all/1/value: a number"}},
	{ALL("{'any':[" A "],'on_deny':'x'}"), {"/all/0/on_deny: the group"}},
	{"{'path':'args.a','op':'eq','value':1,'description':1}",
	 {"/description: a string was expected"}},

	/* What each compares with. */
	{ASK("args.a", "eq", "[]"), {"/value: a string, a number, true"}},
	{ASK("args.a", "eq", "{}"), {"/value: a string, a number, true"}},
	{ASK("args.a", "neq", "['a']"), {"/value: a string, a number, true"}},
	{ASK("args.a", "contains", "['a']"), {"/value: a string, a number"}},
	{ASK("args.a", "contains", "{}"), {"/value: a string, a number"}},
	{ASK("args.a", "in", "[]"), {"/value: an array of one value at least"}},
	{ASK("args.a", "not_in", "[]"), {"/value: an array of one value"}},
	{ASK("args.a", "in", "'a'"),
	 {"/value: an array of values was expected, not a string"}},
	{ASK("args.a", "not_in", "1"), {"/value: an array of values"}},
	{ASK("args.a", "in", "{'a':1}"), {"/value: an array of values"}},
	{ASK("args.a", "in", "null"), {"/value: an array of values"}},
	{ASK("args.a", "in", "[1,[2],{}]"),
	 {"/value/1: a string, a number", "/value/2: a string, a number"}},
	{ASK("args.a", "lt", "'1'"),
	 {"/value: a number was expected, not a string"}},
	{ASK("args.a", "lte", "null"), {"/value: a number was expected"}},
	{ASK("args.a", "gt", "true"), {"/value: a number was expected"}},
	{ASK("args.a", "gte", "[1]"), {"/value: a number was expected"}},
	{ASK("args.a", "gt", "{}"), {"/value: a number was expected"}},
	{ASK("args.a", "exists", "1"), {"/value: true or false was expected"}},
	{ASK("args.a", "exists", "'true'"), {"/value: true or false"}},
	{ASK("args.a", "exists", "null"), {"/value: true or false"}},
	{ASK("args.a", "regex", "1"), {"/value: a regular expression"}},
	{ASK("args.a", "regex", "['a']"), {"/value: a regular expression"}},
	{ASK("args.a", "regex", "null"), {"/value: a regular expression"}},
	{ASK("args.a", "glob", "1"), {"/value: a glob, a string, was"}},
	{ASK("args.a", "glob", "['*']"), {"/value: a glob, a string, was"}},
	{ASK("args.a", "under", "1"),
	 {"/value: a directory, or an array of them, was expected, not a "
	  "number"}},
	{ASK("args.a", "under", "[]"), {"/value: an array of one value at"}},
	{ASK("args.a", "under", "['/a',1,'b']"),
	 {"/value/1: a directory, an absolute path, ~/..., ./... or",
	  "/value/2: \"b\" is no directory"}},
	{ASK("args.a", "host", "1"), {"/value: a host, or an array of them,"}},
	{ASK("args.a", "host", "[]"), {"/value: an array of one value at"}},
	{ASK("args.a", "host", "['a.example',null]"),
	 {"/value/1: a host, example.org, *.example.org, 192.0.2.1 or"}},
	{ASK("args.a", "max_length", "'1'"),
	 {"/value: a whole number from 0 to 1000000000 was expected, in digits "
	  "alone, not a string"}},
	{ASK("args.a", "max_length", "-1"), {"/value: a whole", "not -1"}},
	{ASK("args.a", "max_length", "1.0"), {"/value: a whole", "not 1.0"}},
	{ASK("args.a", "max_length", "1000000001"), {"/value: a whole"}},
	/* No value of a call is ever equal to these. */
	{ASK("args.a", "gt", "1e100000000000000000"), {"/value: "}},
	{ASK("args.a", "in", "[1,1e-999999999999999999999]"), {"/value/1: "}},

	/* Paths. */
	{"{'path':1,'op':'eq','value':1}", {"/path: a path, args"}},
	{"{'path':['a'],'op':'eq','value':1}", {"/path: a path, args"}},
	{ASK("", "eq", "1"),
	 {"/path: \"\" is no path: write args, args.a.b, "
	  "args.list[0], args.list[*].x, args.**, or a JSON Pointer into the "
	  "arguments, /a.b/c"}},
	{ASK("args.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "eq", "1"),
	 {"/path: a path of more than 16 steps"}},
	{ASK("args.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "eq", "1"),
	 {"/path: a path of more than 16 steps"}},
	{ASK("/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", "eq", "1"),
	 {"/path: a path of more than 16 steps"}},
	{ASK("args[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]", "eq",
	     "1"),
	 {"/path: a path of more than 16 steps"}},

	/* Regular expressions, and where they are at fault. */
	{ASK("args.a", "regex", "'a('"), {"/value: ", "(byte 1 of the"}},
	{ASK("args.a", "regex", "'a)'"), {"/value: ", "(byte 1 of the"}},
	{ASK("args.a", "regex", "'ab['"), {"/value: ", "(byte 2 of the"}},
	{ASK("args.a", "regex", "'*a'"), {"/value: ", "(byte 0 of the"}},
	{ASK("args.a", "regex", "'\xC3\xA9**'"), {"/value: ", "(byte 3 of"}},
	{ASK("args.a", "regex", "'\\u00e9\\\\1'"),
	 {"/value: backreferences", "(byte 2 of"}},
	{ASK("args.a", "regex", "'a(?=b)'"), {"look-around", "(byte 1 of"}},
	{ASK("args.a", "regex", "'a{1001}'"), {"1000", "(byte 1 of"}},
	{ASK("args.a", "regex", "'(a{1000}){1000}'"), {"10000", "(byte 9 of"}},
	{ASK("args.a", "regex", "'a\\\\'"), {"(byte 1 of the pattern)"}},

	/* All of them at once. */
	{ASK("arg.a", "gtt", "[]"),
	 {"/path: \"arg.a\" is no path", "/op: unknown operator \"gtt\""}},
	{ASK("arg.a", "gt", "'1'"),
	 {"/path: \"arg.a\" is no path", "/value: a number was expected"}},
	{ASK("arg.a", "in", "[[]]") "," ASK("args.a", "eq", "{}"),
	 {"/path: ", "/value/0: a string", "/1/value: a string, a number"}},
};

/* Not one of these is a path, nor meant as one. */
static const char *const no_paths[] = {"amount.x",
				       "argsa",
				       "Args.a",
				       "arguments.a",
				       "$.a",
				       " args.a",
				       "args..a",
				       "args.a.",
				       "args/a",
				       "args.l[]",
				       "args.l[",
				       "args.l[0",
				       "args.l[*",
				       "args.l[-1]",
				       "args.l[01]",
				       "args.l[1.5]",
				       "args.l[1234567890]",
				       "args.l[a]",
				       "args.l[\\'a\\']",
				       "args.l[*]x",
				       "args.l[ 0 ]",
				       "args.l[0]]",
				       "args.l[0)",
				       "args.l[*)",
				       "args.l]",
				       "args.l.*.x",
				       "args.*",
				       "/a~",
				       "/a~2b",
				       "/~/a",
				       "a",
				       "arg.a",
				       "args."};

/* Nor these a directory. */
static const char *const no_directories[] = {
	"",
	"srv",
	"~",
	".",
	"~ann/srv",
	"../srv",
	"~/..",
	"~/../bob",
	"./../a",
	"~/a%2fb",
	"/srv/..",
	"/srv/../srv",
	"/srv/./a",
	"/srv/.",
	"/..",
	"/srv/%2e",
	"C:\\\\srv",
	"/srv\\\\a",
	"https://",
	"https:///a",
	"https://u@a.example/",
	"https://a.example/b/../c/",
	"https://a.example/?q",
	"https://a.example/#f",
	"https://a.example./",
	"https://127.1/",
	"https://a.example:0/",
	"https://a.example/%2e/",
	"https://a.example/%61/",
	"https://caf\xC3\xA9.example/",
	"file://host/srv/",
	"file:/srv/",
	"a b://x/",
};

/* Nor these a host. */
static const char *const no_hosts[] = {
	"",
	"*",
	"*.",
	".example.org",
	"example.org.",
	"a..b",
	"*.*.example.org",
	"a.*.org",
	"https://example.org",
	"example.org/",
	"u@example.org",
	"ex ample.org",
	"caf\xC3\xA9.example",
	"example.org:",
	"example.org:0",
	"example.org:080",
	"example.org:65536",
	"example.org:http",
	"127.1",
	"0x7f.0.0.1",
	"127.0.0.01",
	"127.0.0.256",
	"1",
	"*.1.2.3.4",
	"::1",
	"[::1",
	"[0:0:0:0:0:0:0:1]",
	"[::A]",
	"[fe80::1%25eth0]",
	"*.[::1]",
};

/* Is all of it said, in order?  A part that begins a line stands behind the
 * condition's pointer; others are on the line of the part before. */
static bool all_said(const char *text, const char *at,
		     const char *const parts[4])
{
	char start[128];

	for (int i = 0; i < 4 && parts[i]; i++) {
		bool begins = parts[i][0] == ':' || parts[i][0] == '/';
		const char *found = strstr(text, parts[i]);

		if (!found)
			return false;
		if (begins) {
			/* Of the first condition, or of the one it names. */
			bool other = parts[i][0] == '/' && parts[i][1] == '1';

			snprintf(start, sizeof(start), "%s%s", at,
				 other ? "" : "/0");
			if ((size_t)(found - text) < strlen(start) ||
			    memcmp(found - strlen(start), start,
				   strlen(start)) != 0)
				return false;
		}
		text = found + strlen(parts[i]);
	}
	return true;
}

static int lines_wanted(const char *const parts[4])
{
	int lines = 0;

	for (int i = 0; i < 4 && parts[i]; i++)
		lines += i == 0 || parts[i][0] == ':' || parts[i][0] == '/';
	return lines;
}

/* Is it told of a condition that is required, and of one that denies? */
static int fault_fails(const char *condition, const char *const parts[4])
{
	static const char *const keys[] = {"require", "deny_if"};
	int failed = 0;

	for (size_t i = 0; i < COUNT(keys); i++) {
		char text[TEXT_BYTES], at[64];
		struct policy *p;
		struct said said;

		json(text, sizeof(text), DENY "'tools':{'t':{'%s':[%s]}}}",
		     keys[i], condition);
		snprintf(at, sizeof(at), ": /tools/t/%s", keys[i]);
		p = compile_files((const char *const[FILES_MAX]){text}, &said);
		if (!p && strncmp(said.text, "a.json:1:", 9) == 0 &&
		    said.lines == lines_wanted(parts) &&
		    all_said(said.text, at, parts))
			continue;
		print_error("row: %s\n  said: %s", condition,
			    p ? "nothing\n" : said.text);
		policy_free(p);
		failed++;
	}
	return failed;
}

TEST(faults_are_told)
{
	char condition[TEXT_BYTES], quoted[128];
	int failed = 0;

	for (size_t i = 0; i < COUNT(faults); i++)
		failed += fault_fails(faults[i].condition, faults[i].said);
	for (size_t i = 0; i < COUNT(no_paths); i++) {
		const char *said[4] = {"/path: ", quoted};

		snprintf(condition, sizeof(condition), ASK("%s", "eq", "1"),
			 no_paths[i]);
		json(quoted, sizeof(quoted), "'%s' is no path", no_paths[i]);
		failed += fault_fails(condition, said);
	}
	for (size_t i = 0; i < COUNT(no_directories); i++) {
		const char *said[4] = {"/value: ", "is no directory: write an "
						   "absolute path, ~/..."};

		snprintf(condition, sizeof(condition),
			 ASK("args.a", "under", "'%s'"), no_directories[i]);
		failed += fault_fails(condition, said);
	}
	for (size_t i = 0; i < COUNT(no_hosts); i++) {
		const char *said[4] = {"/value/0: ",
				       "is no host: write example.org"};

		snprintf(condition, sizeof(condition),
			 ASK("args.a", "host", "['%s']"), no_hosts[i]);
		failed += fault_fails(condition, said);
	}
	assert_int_equal(failed, 0);
}

#define ONE ASK("args.a", "eq", "1")
#define TEN                                                                    \
	ONE "," ONE "," ONE "," ONE "," ONE "," ONE "," ONE "," ONE "," ONE    \
	    "," ONE

/* Faults of what stands around conditions, and of layers; and what is none. */
static const struct {
	const char *files[FILES_MAX];
	const char *said[4]; /* none: it loads */
} loads[] = {
	{{DENY "'tools':{'t':{'require':{}}}}"},
	 {"/tools/t/require: an array of conditions was expected"}},
	{{DENY "'tools':{'t':{'deny_if':'args.a'}}}"},
	 {"/tools/t/deny_if: an array of conditions was expected"}},
	{{DENY "'tools':{'t':{'deny_if':null}}}"}, {"/tools/t/deny_if: "}},
	{{TOOL("{'require':[" ASK("args.**", "eq", "1") "]}")},
	 {"/tools/t/require/0/path: args.** cannot be required, only denied"}},
	{{TOOL("{'require':[" ANY(ASK("args.**", "eq", "1")) "]}")},
	 {"/tools/t/require/0/any/0/path: args.** cannot be required"}},
	{{TOOL("{'deny_if':[" ASK("args.**", "exists", "true") "]}")},
	 {"/tools/t/deny_if/0: args.** leads to what exists"}},
	{{TOOL("{'deny_if':[" ASK("args.**", "contains", "1") "]}")},
	 {"/tools/t/deny_if/0/value: args.** leads to no array"}},
	{{LIMIT("{'max':1,'window':1,'increment_from':'args.**'}")},
	 {"/increment_from: args.** is no one value: name one in it"}},
	{{TOOL("{'description':1}")}, {"/tools/t/description: a string was"}},
	{{LIMIT("{'max':1,'window':1,'description':'x'}")}, {NULL}},
	{{TOOL("{'description':'x','require':[{'path':'args.a','op':'eq',"
	       "'value':1,'description':'x'},{'any':[" A "],'description':"
	       "'x'}]}")},
	 {NULL}},
	{{DENY "'tools':{'t':{'denyif':[]}}}"}, {"did you mean \"deny_if\"?"}},
	{{DENY "'tools':{'t':{'requires':[]}}}"},
	 {"did you mean \"require\"?"}},
	{{DENY "'tools':{'t':{'require':[],'require':[]}}}"},
	 {"/tools/t/require: this key is there twice"}},
	{{DENY "'all_tools':[]}"}, {"/all_tools: an object of rules"}},
	{{DENY "'all_tools':{'t':{}}}"}, {"/all_tools/t: unknown key \"t\""}},
	{{DENY "'all_tools':{'deny_if':[1]}}"},
	 {"/all_tools/deny_if/0: a condition"}},
	{{DENY "'all_tools':{},'all_tools':{}}"},
	 {"/all_tools: this key is there twice"}},
	{{DENY "'prompts':[]}"}, {"/prompts: an object of names"}},
	{{DENY "'prompts':{'p':1}}"}, {"/prompts/p: an object of rules"}},
	{{DENY "'prompts':{'p':{},'p':{}}}"},
	 {"/prompts/p: this name is there twice"}},
	{{DENY "'resources':{'':{}}}"}, {"/resources/: a name has 1 to"}},
	{{DENY "'methods':{'a/b':{'acton':'deny'}}}"},
	 {"/methods/a~1b/acton: unknown key", "did you mean \"action\"?"}},
	{{DENY "'methods':{'a':{'require':[{}]}}}"},
	 {"/methods/a/require/0: \"path\" is", "\"op\" is", "\"value\" is"}},
	{{DENY "'promts':{}}"}, {"did you mean \"prompts\"?"}},
	{{DENY "'hide':[1,'']}"},
	 {"/hide/0: a tool's name", "/hide/1: a name"}},
	/* A name is twice in one file only. */
	{{DENY "'tools':{'a':{}}}", DENY "'tools':{'a':{},'\\u0061':{}}}"},
	 {"b.json:1:", "/tools/a: this name is there twice"}},
	{{DENY "'tools':{'a':{},'a':{}}}", DENY "'tools':{'a':{}}}"},
	 {"a.json:1:", "/tools/a: this name is there twice"}},
	{{DENY "'tools':{'a':{}}}", DENY "'tools':{'a':{}}}",
	  DENY "'tools':{'a':{},'b':{}}}"},
	 {NULL}},
	{{DENY "'tools':{'a':{},'A':{},'a*':{}},'hide':['a'],"
	       "'prompts':{'a':{}},'resources':{'a':{}},'methods':{'a':{}}}",
	  DENY "'all_tools':{},'tools':{'A':{}},'hide':['a','a*']}",
	  DENY "'all_tools':{},'methods':{'a':{}}}"},
	 {NULL}},
	/* Faults of every file are told, each with its own place. */
	{{DENY "'tools':{'a':1}}", DENY "'tools':{'b':1}}",
	  DENY "'tools':{'c':1}}"},
	 {"a.json:1:46: /tools/a", "b.json:1:46: /tools/b",
	  "c.json:1:46: /tools/c"}},
	{{DENY "'hide':[]}", "{'version':'2','default':'deny'}"},
	 {"b.json:1:12: /version"}},
	{{DENY "'hide':[]}", "[]"}, {"b.json:1:1: a policy"}},
	{{DENY "'hide':[]}", "{'version':'1'}"},
	 {"b.json:1:1: \"default\" is missing"}},
	{{"", DENY "'hide':[]}"}, {"a.json:1:1: the file is empty"}},
	/* In the file it is element 0, whatever is in those below. */
	{{DENY "'tools':{'a':{'require':[" TEN "]}}}",
	  DENY "'tools':{'a':{'require':[1]}}}"},
	 {"b.json:1:", "/tools/a/require/0: a condition"}},
	{{"[]"}, {"a policy", "an array"}},
	{{"{'version':'1','default':'deny'}}"}, {"more than one value"}},
	{{"{'version':'1','default':'\xC3'}"}, {"not UTF-8"}},
	{{DENY "'description':'\\ud800'}"}, {"unpaired surrogate"}},
	{{DENY "'hide':['a\\u0000b']}"}, {"u0000"}},
	{{DENY "'description':12345678901234567890.5}"},
	 {"json-parser cannot"}},
	{{DENY "'hide':['\\ud840\\udc00']}"}, {"past U+1FFFF"}},
	{{DENY "'tools':{'__proto__':{}}}"}, {"__proto__"}},
	{{"{'default':'deny'}"}, {"\"version\" is missing"}},
	{{"{'version':'1'}"}, {"\"default\" is missing"}},
	{{"{}"}, {"\"version\" is missing", "\"default\" is missing"}},
	{{"{'version':1,'default':'deny'}"}, {"/version: the string \"1\""}},
	{{"{'version':'2','default':'deny'}"}, {"/version: the string"}},
	{{"{'version':'1','default':'closed'}"},
	 {"/default: unknown default \"closed\" (allowed: allow, deny, hide)"}},
	{{"{'version':'1','default':true}"}, {"/default: ", "true or false"}},
	{{"{'version':'1','defualt':'deny'}"},
	 {"unknown key \"defualt\": did you mean \"default\"?",
	  "\"default\" is missing"}},
	{{DENY "'version':'1'}"}, {"/version: this key is there twice"}},
	{{DENY "'ve\\u0072sion':'1'}"}, {"/version: this key is there twice"}},
	{{DENY "'hide':'a'}"}, {"/hide: an array of names", "a string"}},
	{{DENY "'hide':[1]}"}, {"/hide/0: a tool's name", "a number"}},
	{{DENY "'hide':['a','']}"}, {"/hide/1: a name has 1 to"}},
	{{DENY "'tools':[]}"}, {"/tools: an object of names", "an array"}},
	{{DENY "'tools':{'':{}}}"}, {"/tools/: a name has 1 to"}},
	{{DENY "'tools':{'a':{},'a':{}}}"}, {"/tools/a: this name is there"}},
	{{DENY "'tools':{'a':{},'\\u0061':{}}}"}, {"there twice"}},
	{{DENY "'tools':{'a*':{},'a*':{}}}"}, {"/tools/a*: this name is"}},
	{{DENY "'tools':{'a/b~c':3}}"}, {"/tools/a~1b~0c: an object of rules"}},
	{{TOOL("null")}, {"/tools/t: an object of rules", "null"}},
	{{TOOL("{'limts':[]}")}, {"did you mean \"limits\"?"}},
	{{TOOL("{'x\\n\\u001b[2J':1}")}, {"unknown key \"x\\n\\u001b[2J\""}},
	{{TOOL("{'action':'alow'}")}, {"did you mean \"allow\"?"}},
	{{TOOL("{'action':1}")}, {"/tools/t/action: allow, require_approval"}},
	{{TOOL("{'action':'require_approval'}")}, {NULL}},
	{{TOOL("{'reason':1}")}, {"/tools/t/reason: a string"}},
	{{TOOL("{'limits':{}}")}, {"/tools/t/limits: an array of limits"}},
	{{LIMIT("1")}, {"/tools/t/limits/0: an object with max"}},
	{{LIMIT("{}")}, {"\"max\" is missing", "\"window\" is missing"}},
	{{LIMIT("{'window':'minute'}")}, {"/tools/t/limits/0: \"max\" is"}},
	{{LIMIT("{'max':1}")}, {"\"window\" is missing"}},
	{{LIMIT("{'max':'1','window':1}")}, {"/max: a whole", "a string"}},
	{{LIMIT("{'max':-1,'window':1}")}, {"/max: a whole number", "not -1"}},
	{{LIMIT("{'max':1.5,'window':1}")}, {"/max: a whole", "not 1.5"}},
	{{LIMIT("{'max':1000001,'window':1}")}, {"not 1000001"}},
	{{LIMIT("{'max':18446744073709551626,'window':1}")}, {"/max: a whole"}},
	{{LIMIT("{'max':1,'window':0}")}, {"/window: a whole", "not 0"}},
	{{LIMIT("{'max':1,'window':1e2}")}, {"/window: a whole"}},
	{{LIMIT("{'max':1,'window':31622401}")}, {"/window: a whole"}},
	{{LIMIT("{'max':1,'window':'minut'}")}, {"did you mean \"minute\"?"}},
	{{LIMIT("{'max':1,'window':1,'scope':'user'}")}, {"unknown scope"}},
	{{LIMIT("{'max':1,'window':1,'counter':''}")}, {"name is empty"}},
	{{LIMIT("{'max':1,'window':1,'max':2}")}, {"/max: this key is"}},
	{{LIMIT("{'max':1,'window':1,'increment_from':'a'}")},
	 {"/increment_from: \"a\" is no path"}},
	{{LIMIT("{'window':1,'increment_from':'args.a'}")},
	 {"\"max\" is missing"}},
	{{LIMIT("{'max':1,'window':1,'increment_from':1}")},
	 {"/increment_from: ", "a number"}},
	{{LIMIT("{'max':1,'window':1,'increment_from':'args'}")},
	 {"/increment_from: args is no one value: name one in it"}},
	{{LIMIT("{'max':1,'window':1,'increment_from':'args[*]'}")},
	 {"/increment_from: one value is needed"}},
	{{LIMIT("{'max':1,'window':1,'increment_from':'args.a[*].b'}")},
	 {"/increment_from: one value is needed"}},
	{{LIMIT("{'max':1,'window':1,'per':'args'}")},
	 {"/per: args is no one value"}},
	{{LIMIT("{'max':1,'window':1,'per':'args.a[*]'}")},
	 {"/per: one value is needed"}},
	{{LIMIT("{'max':1,'window':1,'values':5}")},
	 {"\"values\" is for a limit with \"per\""}},
	{{LIMIT("{'max':1001,'window':1,'per':'tool','values':1000}")},
	 {"\"values\" times \"max\" is more than 1000000"}},
	/* One name is one count. */
	{{LIMIT("{'max':1,'window':1,'counter':'c'},{'max':2,'window':2,"
		"'counter':'c','scope':'session'}")},
	 {"/tools/t/limits/1: counter \"c\" has another \"scope\" in "
	  "a.json:1, /tools/t/limits/0"}},
	{{LIMIT("{'max':1,'window':1,'counter':'c'}"),
	  LIMIT("{'max':1,'window':1,'counter':'c','per':'tool'}")},
	 {"b.json:1: ", "counter \"c\" has another \"per\" in a.json:1"}},
	{{LIMIT("{'max':1,'window':1,'counter':'c'},{'max':2,'window':2,"
		"'counter':'c','increment_from':'args.a'}")},
	 {"counter \"c\" has another \"increment_from\""}},
	{{SUM("0.0000001")},
	 {"/max: a number from 0 to 1000000000000 was", "at most 6 digits",
	  "not 0.0000001"}},
	{{SUM("-0.5")}, {"/max: a number from 0", "not -0.5"}},
	{{SUM("1000000000000.1")}, {"/max: a number from 0 to 1000000000000"}},
	{{SUM("1e13")}, {"/max: a number from 0 to 1000000000000"}},
	{{SUM("1e400")}, {"/max: a number", "not 1e400"}},
	{{SUM("1e100000000000000000000")}, {"/max: a number"}},
	{{SUM("'1'")}, {"/max: a number", "not a string"}},
	{{SUM("null")}, {"/max: a number", "not null"}},
	{{LIMIT("{'max':1,'window':1,'on_deny':[]}")}, {"/on_deny: a string"}},
	{{LIMIT("{'max':1,'window':1,'x':1}")},
	 {"unknown key \"x\" (allowed: max"}},
	{{LIMIT("{'max':1,'window':1,'scope':1}")}, {"/scope: "}},
	{{LIMIT("{'max':1,'window':1,'counter':1}")}, {"/counter: "}},
	{{TOOL("{'a key of more than sixty-four bytes, the last of which is in a "
	       "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC':1}")},
	 {"unknown key \"a key of more", "...\" (allowed"}},
	{{"{'t':{'limits':[]},'x':1}"}, {"unknown key \"t\""}},
	{{TOOL("{'rate_limit':'10x'}")}, {"is no rate"}},
	{{TOOL("{'rate_limit':'x'}")}, {"is no rate"}},
	{{TOOL("{'rate_limit':10}")}, {"/tools/t/rate_limit: {\"max\": 10"}},
	{{TOOL("{'rate_limit':'10'}")}, {"\"10\" is no rate"}},
	{{TOOL("{'rate_limit':'/minute'}")}, {"is no rate"}},
	{{TOOL("{'rate_limit':'10/minutes'}")}, {"is no rate"}},
	{{TOOL("{'rate_limit':'-1/minute'}")}, {"is no rate"}},
	{{TOOL("{'rate_limit':'1000001/minute'}")}, {"is no rate"}},
	{{TOOL("{'rate_limit':'99999999999999999999/minute'}")}, {"no rate"}},
	{{TOOL("{'rate_limit':{'max':1}}")}, {"/rate_limit: \"window\""}},
	{{TOOL("{'rate_limit':{'max':1,'window':1,'scope':'grant'}}")},
	 {"unknown key \"scope\""}},
	/* The line of each fault, also of one that stands before another. */
	{{"{\n'version':'1',\n'default':'deny',\n'tools':{'t':{"
	  "'limits':[{\n'window':\n'minut'}]}}}"},
	 {"a.json:6:1: ", "a.json:4:25: /tools/t/limits/0: \"max\""}},
	/* What the catalogue also prints: a tool's rules alone. */
	{{"{'t':{'limits':[]}}"}, {"put \"t\" in the place of ... in {\"v"}},
	{{"'tools': {'t':{}}"},
	 {"more than one value; a policy is {\"version"}},
	{{"{'tools':{}}"},
	 {"\"version\" is missing: a policy is {", "\"default\""}},
	/* Nothing is asked: sound. */
	{{DENY "'tools':{'t':{'require':[],'deny_if':[]}}}"}, {NULL}},
	{{DENY "'all_tools':{},'tools':{},'prompts':{},'resources':{},"
	       "'methods':{},'hide':[]}"},
	 {NULL}},
	/* In any order, and the widest path. */
	{{DENY "'tools':{'t':{'require':[{'on_deny':'','value':1,'op':'eq',"
	       "'path':'args.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a'}]}}}"},
	 {NULL}},
};

TEST(files_load_or_say_why)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(loads); i++) {
		struct said said;
		struct policy *p = compile_files(loads[i].files, &said);
		const char *at = said.text;

		for (int j = 0; at && j < 4 && loads[i].said[j]; j++)
			at = strstr(at, loads[i].said[j]);
		/* One line for each fault, and nothing raw from the file. */
		for (const char *c = said.text; *c; c++)
			row_true(loads[i].files[0],
				 *c == '\n' || (unsigned char)*c >= ' ');
		if (!at || !p == !loads[i].said[0]) {
			print_error("row: %s\n  said: %s\n", loads[i].files[0],
				    said.text);
			failed++;
		}
		policy_free(p);
	}
	assert_int_equal(failed, 0);
}

/* ---- where ~/ and ./ lead -------------------------------------------- */

TEST(places_are_absolute)
{
	static const struct {
		const char *home, *directory, *value;
		const char *said; /* NULL: it loads */
	} rows[] = {
		{"/h", "/d", "~/a", NULL},
		{"/", "/d", "~/a", NULL},
		{"/h", NULL, "~/a", NULL},
		{NULL, "/d", "./a", NULL},
		{NULL, "/d", "~/a",
		 "/value: HOME is not known; write the whole path here"},
		{"", "/d", "~/a", "/value: HOME is not known"},
		{"h", "/d", "~/a",
		 "/value: HOME is no absolute path: \"h\"; write the whole path"},
		{"/h/../x", "/d", "~/a", "\"/h/../x/a\" is no directory"},
		{"/h%2e", "/d", "~/a", "\"/h%2e/a\" is no directory"},
		{"/h", NULL, "./a",
		 "/value: the working directory is not known"},
		{"/h", "(unreachable)/d", "./a",
		 "/value: the working directory is no absolute path"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct policy_places at = {rows[i].home,
						 rows[i].directory};
		struct policy_source source = {.name = "p.json"};
		char text[TEXT_BYTES], condition[256];
		struct said said = {.len = 0};
		struct policy *p;

		snprintf(condition, sizeof(condition),
			 TOOL("{'require':[" ASK("args.a", "under",
						 "'%s'") "]}"),
			 rows[i].value);
		source.text = json(text, sizeof(text), "%s", condition);
		source.len = strlen(text);
		p = policy_compile(&source, 1, &at, listen, &said);
		row_true(rows[i].value, !p == (rows[i].said != NULL));
		row_true(rows[i].value,
			 !rows[i].said || strstr(said.text, rows[i].said));
		policy_free(p);
	}
}

static void put_directory(void *context, const struct location *rule,
			  const char *written, const char *directory)
{
	char *out = context;

	sprintf(out + strlen(out), "%s %s %s\n", rule->rule,
		written ? written : "-", directory);
}

/* Those of groups, too; not those of uris. */
TEST(directories_are_told)
{
	struct policy *p = compile_one(DENY "'all_tools':{'deny_if':[" ASK(
		"args.**", "under",
		"'~/.ssh'") "]},"
			    "'tools':{'t':{'require':[" ASK("args.a", "eq", "1") "," ALL(
				    ANY(ASK("args.a", "under",
					    "['/srv','./x','https://a.example/']"))) "]}}}");
	char told[1024] = "";

	assert_non_null(p);
	policy_directories(p, put_directory, told);
	assert_string_equal(told, "/all_tools/deny_if/0 ~/.ssh /home/ann/.ssh\n"
				  "/tools/t/require/1 - /srv\n"
				  "/tools/t/require/1 ./x /srv/repo/x\n");
	policy_free(p);
}

/* ---- what a policy can do, told in advance --------------------------- */

static const struct {
	const char *files[FILES_MAX];
	bool shut; /* no tool can be called, which is warned of */
	bool hides[POLICY_SECTIONS];
} sound[] = {
	{{order}, false, {true}},
	{{all}, false, {true}},
	{{sections}, false, {false, true, true}},
	{{methods}, false, {true, false, false, true}},
	{{base}, false, {false}},
	{{base, over, top}, false, {true, true}},
	{{DENY "'hide':['a']}", DENY "'tools':{'b':{}}}"}, false, {true}},
	{{DENY "'hide':['a']}", DENY "'tools':{'a':{}}}"}, true, {true}},
	{{ALLOW "'all_tools':{'action':'hide'}}"}, true, {true}},
	{{ALLOW "'all_tools':{'action':'deny'}}"}, true, {false}},
	{{DENY "'all_tools':{'action':'deny'},'tools':{'a':{}}}"},
	 true,
	 {false}},
	{{DENY "'all_tools':{},'prompts':{'p':{}}}"}, true, {false}},
	{{DENY "'prompts':{'p':{'action':'hide'}},'tools':{'a':{}}}"},
	 false,
	 {false, true}},
	{{"{'version':'1','default':'allow'}"}, false, {false}},
	{{"{'version':'1','default':'deny'}"}, true, {false}},
	{{"{'version':'1','default':'hide'}"}, true, {true}},
	{{DENY "'hide':['a']}"}, true, {true}},
	{{DENY "'hide':[]}"}, true, {false}},
	{{DENY "'tools':{'a':{'action':'deny'}}}"}, true, {false}},
	{{DENY "'tools':{'a':{'action':'hide'}}}"}, true, {true}},
	{{DENY "'tools':{'a':{}}}"}, false, {false}},
	{{DENY "'hide':['a\\/\xF0\xA0\x80\x80']}"}, true, {true}},
	{{"\r\n\t" DENY "\r\n'description':'\xE2\x82\xAC'}\r\n"},
	 true,
	 {false}},
};

TEST(warns_of_what_is_shut)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(sound); i++) {
		struct said said;
		struct policy *p = compile_files(sound[i].files, &said);
		bool good;

		row_true(sound[i].files[0], p);
		good = policy_warn(p, NULL, listen, &said) == said.lines &&
		       !strstr(said.text, "no tool can be called") !=
			       sound[i].shut;
		for (int s = 0; s < POLICY_SECTIONS; s++)
			good &= policy_hides(p, (enum policy_section)s) ==
				sound[i].hides[s];
		if (!good)
			print_error("row: %s\n  said: %s\n", sound[i].files[0],
				    said.text);
		failed += !good;
		policy_free(p);
	}
	assert_int_equal(failed, 0);
}

/* What a section hides is not listed; what it only denies is. */
TEST(sections_are_listed)
{
	static const struct {
		enum policy_section section;
		const char *name;
		bool listed;
	} rows[] = {
		{POLICY_PROMPTS, "p", true},
		{POLICY_PROMPTS, "no", true},
		{POLICY_PROMPTS, "gone", false},
		{POLICY_PROMPTS, "GONE", false},
		{POLICY_PROMPTS, "file:///gone", true},
		{POLICY_PROMPTS, "other", true},
		{POLICY_RESOURCES, "file:///etc/a", true},
		{POLICY_RESOURCES, "file:///gone", false},
		{POLICY_RESOURCES, "gone", true},
		{POLICY_TOOLS, "gone", true},
		{POLICY_TOOLS, "p", true},
	};
	struct policy *p = compile_one(sections);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text name = {.ptr = rows[i].name,
				    .len = strlen(rows[i].name)};

		row_true(rows[i].name, policy_lists(p, rows[i].section, name) ==
					       rows[i].listed);
	}
	assert_false(policy_lists(p, POLICY_TOOLS, (struct text){.len = 0}));
	policy_free(p);
}

/* How much can be looked for: told of what is written, not of the pattern that
 * is made of it. */
TEST(plain_values_are_bounded)
{
	static const struct {
		const char *op, *unit;
		int fit;
		const char *says;
	} rows[] = {
		{"contains", "a", 9999,
		 "at most 9999 characters can be looked for, and this value "
		 "has 10000"},
		{"contains", "\xC3\xA9", 9999, "at most 9999 characters"},
		{"glob", "a", 9997, "at most 9997 characters"},
		{"glob", "*a", 2499, "at most 9997 characters"},
		{"glob", "?", 5000, "at most 5000 of * and ?"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int more = 0; more < 2; more++) {
			static char text[32768];
			struct said said = {.len = 0};
			struct policy *p;
			char *at = text;

			at += sprintf(at,
				      "{\"version\":\"1\",\"default\":"
				      "\"allow\",\"tools\":{\"t\":{\"deny_if\""
				      ":[{\"path\":\"args.x\",\"op\":\"%s\","
				      "\"value\":\"",
				      rows[i].op);
			for (int n = 0; n < rows[i].fit + more; n++)
				at += sprintf(at, "%s", rows[i].unit);
			sprintf(at, "\"}]}}}");
			p = COMPILE(text, listen, &said);
			row_true(rows[i].says, !p == (more > 0));
			row_true(rows[i].says,
				 !more || strstr(said.text, rows[i].says));
			policy_free(p);
		}
}

RUN(NULL, NULL)
