/*
 * The policy language: what is asked of a call, and the verdict.  The tables
 * are in language.tsv, which rows.h reads.
 *
 * Policies and lines that stand here have ' for ", so that they can be read.
 */
#include "rows.h"

#include <stdlib.h>

#include "../../policies/internal.h"
#include "../now.h"

#define DENY        "{'version':'1','default':'deny',"
#define TOOL(rules) DENY "'tools':{'t':" rules "}}"
#define ASK(path, op, value)                                                   \
	"{'path':'" path "','op':'" op "','value':" value "}"

#define REQUEST                "{'jsonrpc':'2.0','id':1,'method':"
#define METHOD(method, params) REQUEST "'" method "','params':" params "}"
#define CALL(name)             METHOD("tools/call", "{'name':'" name "'}")
#define WITH(name, args)                                                       \
	METHOD("tools/call", "{'name':'" name "','arguments':" args "}")
#define PROMPT(name, args)                                                     \
	METHOD("prompts/get", "{'name':'" name "','arguments':" args "}")
#define RESOURCE(uri)    METHOD("resources/read", "{'uri':'" uri "'}")
#define COMPLETE(params) METHOD("completion/complete", "{" params "}")
#define NOTICE(method, params)                                                 \
	"{'jsonrpc':'2.0','method':'" method "','params':" params "}"

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
	if (v->kind == VERDICT_UNJUDGED)
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

/* Where the condition stands, and a call that meets it.  The args of a method
 * are its params. */
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

/* The next of the cases, with " | " between them; false: there is none. */
static bool next_case(const char **at, char *one)
{
	const char *end = *at ? strstr(*at, " | ") : NULL;

	if (!*at || !**at)
		return false;
	snprintf(one, TEXT_BYTES, "%.*s",
		 end ? (int)(end - *at) : (int)strlen(*at), *at);
	*at = end ? end + 3 : NULL;
	return true;
}

/* The same as arguments. */
static bool next_args(const char *path, const char **at, char *args)
{
	char one[TEXT_BYTES];

	if (!next_case(at, one))
		return false;
	if (strcmp(one, "none") == 0)
		*args = '\0';
	else if (strcmp(path, "args.x") != 0 || *one == '=')
		strcpy(args, one + (*one == '='));
	else if (strcmp(one, "-") == 0)
		strcpy(args, "{}");
	else
		sprintf(args, "{\"x\":%s}", one);
	return true;
}

/* The condition of a row in a frame, required, denied or asked about. */
static void check_frame(const struct rows *row, const struct frame *f,
			const char *key)
{
	const bool require = strcmp(key, "require") == 0;
	/* Those that are refused, and those that pass, in turn. */
	const char *const cases[] = {row->field[5], row->field[6],
				     row->field[require ? 4 : 3],
				     row->field[require ? 3 : 4]};
	static char text[TEXT_BYTES], args[3][TEXT_BYTES], rule[64];
	struct policy *p;

	json(text, sizeof(text),
	     "{'path':'%s','op':'%s','value':%s,'on_deny':'no'}", row->field[0],
	     row->field[1], row->field[2]);
	json(args[0], TEXT_BYTES, f->policy, key, text);
	p = compile_one(args[0]);
	row_true(row->place, p);
	snprintf(rule, sizeof(rule), f->rule, key);
	for (size_t a = 0; a < COUNT(cases); a++) {
		const char *at = cases[a];

		while (next_args(row->field[0], &at, args[0])) {
			escape_strings(args[0], args[1]);
			spread_tokens(args[0], args[2]);
			for (size_t i = 0; i < COUNT(args); i++) {
				json(text, sizeof(text), f->line,
				     *args[i] ? f->member : "", args[i]);
				row_check(verdict_is(p, text, a % 2 == 1, rule),
					  "%s: %s, by %s", row->place, text,
					  rule);
			}
		}
	}
	policy_free(p);
}

TEST(conditions_are_weighed)
{
	static const char *const keys[] = {"require", "deny_if", "ask_if"};
	struct rows r = {.file = "language.tsv", .table = "conditions"};

	while (rows_next(&r))
		for (size_t i = 0; i < COUNT(frames) * COUNT(keys); i++)
			check_frame(&r, &frames[i / COUNT(keys)],
				    keys[i % COUNT(keys)]);
}

TEST(args_are_searched_everywhere)
{
	struct rows r = {.file = "language.tsv", .table = "everywhere"};
	char text[TEXT_BYTES], args[TEXT_BYTES];

	while (rows_next(&r)) {
		struct policy *p;

		json(text, sizeof(text),
		     TOOL("{'deny_if':[{'path':'args.**','op':'%s','value':%s,"
			  "'on_deny':'no'}]}"),
		     r.field[0], r.field[1]);
		p = compile_one(text);
		row_true(r.place, p);
		for (int passes = 0; passes < 2; passes++) {
			const char *at = r.field[2 + passes];

			while (next_args("args", &at, args)) {
				json(text, sizeof(text),
				     REQUEST "'tools/call','params':{'name':"
					     "'t'%s%s}}",
				     *args ? ",'arguments':" : "", args);
				row_check(verdict_is(p, text, passes,
						     "/tools/t/deny_if/0"),
					  "%s: %s", r.place, text);
			}
		}
		policy_free(p);
	}
}

/* ---- whole policies -------------------------------------------------- */

/* The verdict on a line of which this is the rule. */
static enum verdict_kind kind_of(const char *line, const char *rule)
{
	if (!*rule)
		return VERDICT_PASS;
	if (!strstr(line, "\"id\""))
		return VERDICT_DROPPED;
	if (strcmp(rule, "(malformed)") == 0)
		return VERDICT_MALFORMED;
	return strcmp(rule, "(hidden)") == 0 ? VERDICT_HIDDEN : VERDICT_REFUSED;
}

/* Is the verdict on the row's line as it says, a file not asked for? */
static void check_verdict(const struct rows *r, const struct policy *p,
			  const char *file)
{
	struct verdict v = {.location = {.rule = "none", .file = ""}};
	const char *rule = r->field[2], *reason = r->field[3];
	struct counters *c = COUNTERS(p);
	char line[TEXT_BYTES];

	rows_line(line, r->field[1]);
	row_check(judge(p, c, line, 0, &v) && v.kind == kind_of(line, rule) &&
			  strcmp(v.location.rule, rule) == 0 &&
			  (!*reason || strstr(v.reason, reason)) &&
			  (!*file || strcmp(v.location.file, file) == 0),
		  "%s: verdict %d by %s of %s: %s", r->place, (int)v.kind,
		  v.location.rule, v.location.file ? v.location.file : "-",
		  v.reason ? v.reason : "");
	counters_free(c);
}

/* By the files, and by the one file that they are worth. */
TEST(policies_are_weighed)
{
	struct rows r = {.file = "language.tsv", .table = "verdicts"};

	while (rows_next(&r)) {
		struct policy *p = rows_load(&r, r.field[0]);
		struct policy *again = print_again(p, !strchr(r.field[0], '+'));

		check_verdict(&r, p, r.field[4]);
		check_verdict(&r, again, "");
		policy_free(p);
		policy_free(again);
	}
}

/* ---- the value that decided ------------------------------------------ */

TEST(values_are_told)
{
	struct rows r = {.file = "language.tsv", .table = "values"};
	char text[TEXT_BYTES], line[TEXT_BYTES];

	while (rows_next(&r)) {
		const char *want = r.field[3];
		struct policy *p;
		struct counters *c;
		struct verdict v;

		snprintf(text, sizeof(text), "%s %s", r.field[0], r.field[1]);
		p = rows_load(&r, text);
		json(line, sizeof(line), WITH("t", "%s"), r.field[2]);
		c = COUNTERS(p);
		row_true(r.place, judge(p, c, line, 0, &v));
		row_true(r.place, v.kind == VERDICT_REFUSED);
		row_check(!v.value.ptr == !*want &&
				  v.value.len == strlen(want) &&
				  strncmp(v.value.ptr ? v.value.ptr : "", want,
					  v.value.len) == 0,
			  "%s: %.*s", r.place, (int)v.value.len, v.value.ptr);
		counters_free(c);
		policy_free(p);
	}
}

/* ---- limits beside conditions ---------------------------------------- */

static void check_turn(const struct rows *r, const struct policy *p,
		       struct counters *c)
{
	const int64_t wait = atoll(r->field[4]);
	const char *rule = r->field[3];
	char line[TEXT_BYTES];
	struct verdict v;

	rows_line(line, r->field[2]);
	row_true(r->place, judge(p, c, line, atoll(r->field[1]) * SECOND, &v));
	row_check(strcmp(v.location.rule, rule) == 0 &&
			  v.wait == (wait > 0 ? wait * SECOND : -1) &&
			  (v.kind == VERDICT_PASS) == !*rule,
		  "%s: %s, wait %lld", r->place, v.location.rule,
		  (long long)v.wait);
}

/* By the files, and by the one file that they are worth. */
TEST(limits_and_conditions_play)
{
	struct rows r = {.file = "language.tsv", .table = "plays"};
	struct policy *p[2] = {NULL};
	struct counters *c[2] = {NULL};
	bool more;

	do {
		more = rows_next(&r);
		if (more && *r.field[1]) {
			for (int i = 0; i < 2; i++)
				check_turn(&r, p[i], c[i]);
			continue;
		}
		for (int i = 0; i < 2; i++) {
			counters_free(c[i]);
			policy_free(p[i]);
		}
		if (!more)
			break;
		p[0] = rows_load(&r, r.field[0]);
		p[1] = print_again(p[0], !strchr(r.field[0], '+'));
		for (int i = 0; i < 2; i++)
			c[i] = COUNTERS(p[i]);
	} while (more);
}

/* ---- sums ------------------------------------------------------------ */

TEST(sums_are_spent)
{
	struct rows r = {.file = "language.tsv", .table = "sums"};
	char text[TEXT_BYTES], args[TEXT_BYTES];

	while (rows_next(&r)) {
		const char *path = r.field[1], *at = r.field[2];
		struct policy *p;
		struct counters *c;
		struct verdict v;

		snprintf(text, sizeof(text),
			 "limit {\"max\":%s,\"window\":\"day\","
			 "\"increment_from\":\"%s\"}",
			 r.field[0], path);
		p = rows_load(&r, text);
		c = COUNTERS(p);
		while (next_args(path, &at, args)) {
			bool passes = at || !*r.field[3];

			json(text, sizeof(text), WITH("t", "%s"), args);
			row_true(r.place, judge(p, c, text, 0, &v));
			row_check((v.kind == VERDICT_PASS) == passes &&
					  (passes ||
					   (!strcmp(v.reason, r.field[3]) &&
					    !strcmp(v.location.rule,
						    "/tools/t/limits/0"))),
				  "%s: %s: %s", r.place, args, v.reason);
		}
		counters_free(c);
		policy_free(p);
	}
}

/* ---- what conditions tell -------------------------------------------- */

/* A path is told up to a byte that may be inside a letter. */
static bool is_utf8(const char *s)
{
	char quoted[2048];
	struct text text;
	struct scan r;

	snprintf(quoted, sizeof(quoted), "\"%s\"", s);
	scan_begin(&r, quoted, strlen(quoted));
	return scan_string(&r, quoted, &text) != NULL;
}

TEST(reasons_are_told)
{
	struct rows r = {.file = "language.tsv", .table = "reasons"};
	char text[TEXT_BYTES], line[TEXT_BYTES];

	json(line, sizeof(line), "%s", CALL("t"));
	while (rows_next(&r)) {
		struct policy *p;
		struct counters *c;
		struct verdict v;

		snprintf(text, sizeof(text), "require %s", r.field[0]);
		p = rows_load(&r, text);
		c = COUNTERS(p);
		row_true(r.place, judge(p, c, line, 0, &v));
		row_true(r.place, v.kind == VERDICT_REFUSED);
		row_check(strstr(v.reason, r.field[1]) && is_utf8(v.reason),
			  "%s: %s", r.place, v.reason);
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
	{"regex", "(.*)(.*)(.*)(.*)(.*)x$", "a", "!", false},
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
	struct rows r = {.file = "language.tsv", .table = "weighed"};

	while (rows_next(&r)) {
		struct policy *p = rows_load(&r, r.field[0]);
		struct counters *c = COUNTERS(p);
		char line[TEXT_BYTES];
		struct message m;
		struct fault f;

		rows_line(line, r.field[1]);
		row_true(line, message_read(line, strlen(line), &m, &f));
		row_check((now_judge(p, c, &m).kind != VERDICT_UNJUDGED) ==
				  (strcmp(r.field[2], "weighed") == 0),
			  "%s", r.place);
		counters_free(c);
		policy_free(p);
	}
}

/* Names of as many bytes as there may be, and of one more. */
TEST(names_have_bounds)
{
	static const struct {
		const char *policy, *line;
		bool longer; /* one of MESSAGE_NAME_BYTES + 1 */
		enum verdict_kind kind;
	} rows[] = {
		{"many", CALL("%.*s"), false, VERDICT_PASS},
		{"sections", PROMPT("%.*s", "{}"), false, VERDICT_PASS},
		{"sections", RESOURCE("%.*s"), false, VERDICT_PASS},
		{"sections", RESOURCE("%.*s"), true, VERDICT_MALFORMED},
		{"order", RESOURCE("%.*s"), true, VERDICT_PASS},
		{"methods", REQUEST "'%.*s'}", false, VERDICT_PASS},
		{"methods", REQUEST "'%.*s'}", true, VERDICT_MALFORMED},
		{"methods", REQUEST "'\\u0061%.*s'}", true, VERDICT_MALFORMED},
		{"methods", NOTICE("%.*s", "{}"), true, VERDICT_DROPPED},
		{"order", REQUEST "'%.*s'}", true, VERDICT_PASS},
	};
	const struct rows file = {.file = "language.tsv"};
	char name[MESSAGE_NAME_BYTES + 2], line[TEXT_BYTES];
	struct text text = {.ptr = name};

	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = rows_load(&file, rows[i].policy);
		struct counters *c = COUNTERS(p);
		struct verdict v;

		text.len = MESSAGE_NAME_BYTES + rows[i].longer;
		json(line, sizeof(line), rows[i].line, (int)text.len, name);
		row_true(rows[i].line, judge(p, c, line, 0, &v));
		row_true(rows[i].line, v.kind == rows[i].kind);
		row_true(rows[i].line, policy_lists(p, POLICY_PROMPTS, text) !=
					       rows[i].longer);
		counters_free(c);
		policy_free(p);
	}
}

/* ---- conditions that do not load ------------------------------------- */

/* Is all of it said, in order?  A part that begins a line stands behind the
 * condition's pointer; others are on the line of the part before. */
static bool all_said(const char *text, const char *at, const char *const *parts)
{
	char start[128];

	for (; **parts; parts++) {
		const char *part = *parts, *found = strstr(text, part);

		if (!found)
			return false;
		if (*part == ':' || *part == '/') {
			/* Of the first condition, or of the one it names. */
			snprintf(start, sizeof(start), "%s%s", at,
				 strncmp(part, "/1", 2) == 0 ? "" : "/0");
			if ((size_t)(found - text) < strlen(start) ||
			    memcmp(found - strlen(start), start,
				   strlen(start)) != 0)
				return false;
		}
		text = found + strlen(part);
	}
	return true;
}

/* Is it told of a condition that is required, and of one that denies? */
static void check_fault(const struct rows *r, const char *condition,
			const char *const *parts)
{
	static const char *const keys[] = {"require", "deny_if"};
	int lines = 0;

	for (int i = 0; *parts[i]; i++)
		lines += i == 0 || *parts[i] == ':' || *parts[i] == '/';
	for (size_t i = 0; i < COUNT(keys); i++) {
		char text[TEXT_BYTES], at[64];
		struct policy *p;
		struct said said;

		snprintf(text, sizeof(text), "%s %s", keys[i], condition);
		snprintf(at, sizeof(at), ": /tools/t/%s", keys[i]);
		p = rows_compile(r, text, &said);
		row_check(!p && strncmp(said.text, "a.json:1:", 9) == 0 &&
				  said.lines == lines &&
				  all_said(said.text, at, parts),
			  "%s: %s: %s", r->place, condition, said.text);
		policy_free(p);
	}
}

TEST(faults_are_told)
{
	struct rows r = {.file = "language.tsv", .table = "faults"};

	while (rows_next(&r))
		check_fault(&r, r.field[0], &r.field[1]);
}

/* The text with another in the place of its %. */
static const char *fill(char *out, const char *text, const char *with)
{
	char *at = out;

	for (; *text; text++)
		if (*text == '%')
			at = stpcpy(at, with);
		else
			*at++ = *text;
	*at = '\0';
	return out;
}

TEST(operands_are_told)
{
	struct rows r = {.file = "language.tsv", .table = "unfit"};
	char one[TEXT_BYTES], condition[TEXT_BYTES], words[TEXT_BYTES];

	while (rows_next(&r)) {
		const char *at = r.field[3];
		const char *parts[] = {r.field[1], words, ""};

		while (next_case(&at, one)) {
			fill(words, r.field[2], one);
			check_fault(&r, fill(condition, r.field[0], one),
				    parts);
		}
	}
}

TEST(files_load_or_say_why)
{
	struct rows r = {.file = "language.tsv", .table = "files"};

	while (rows_next(&r)) {
		struct said said;
		struct policy *p = rows_compile(&r, r.field[0], &said);
		const char *at = said.text;

		for (int i = 1; at && *r.field[i]; i++)
			at = strstr(at, r.field[i]);
		/* One line for each fault, and nothing raw from the file. */
		for (const char *c = said.text; *c; c++)
			row_true(r.place,
				 *c == '\n' || (unsigned char)*c >= ' ');
		row_check(at && !p == (*r.field[1] != '\0') &&
				  (*r.field[2] || said.lines <= 1),
			  "%s: %s", r.place, said.text);
		policy_free(p);
	}
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
	const struct rows file = {.file = "language.tsv"};
	struct policy *p = rows_load(
		&file,
		"deny \"all_tools\":{\"deny_if\":[{args.** under "
		"\"~/.ssh\"}]},\"tools\":{\"t\":{\"require\":[{args.a eq "
		"1},{\"all\":[{\"any\":[{args.a under [\"/srv\",\"./x\","
		"\"https://a.example/\"]}]}]}]}}");
	char told[1024] = "";

	assert_non_null(p);
	policy_directories(p, put_directory, told);
	assert_string_equal(told, "/all_tools/deny_if/0 ~/.ssh /home/ann/.ssh\n"
				  "/tools/t/require/1 - /srv\n"
				  "/tools/t/require/1 ./x /srv/repo/x\n");
	policy_free(p);
}

/* ---- what a policy can do, told in advance --------------------------- */

TEST(warns_of_what_is_shut)
{
	struct rows r = {.file = "language.tsv", .table = "sound"};

	while (rows_next(&r)) {
		static const char letters[] = "tprm"; /* of the sections */
		struct said said;
		struct policy *p = rows_compile(&r, r.field[0], &said);
		bool good;

		row_true(r.place, p);
		good = policy_warn(p, NULL, listen, &said) == said.lines &&
		       !strstr(said.text, "no tool can be called") ==
			       (strcmp(r.field[1], "open") == 0);
		for (int s = 0; s < POLICY_SECTIONS; s++)
			good &= policy_hides(p, (enum policy_section)s) ==
				(strchr(r.field[2], letters[s]) != NULL);
		row_check(good, "%s: %s", r.place, said.text);
		policy_free(p);
	}
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
	const struct rows file = {.file = "language.tsv"};
	struct policy *p = rows_load(&file, "sections");

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
