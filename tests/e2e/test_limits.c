/* weir limits: what is used up, and how it is forgotten. */
#include "answers.h"
#include "fields.h"
#include "lines.h"

#include <sys/stat.h>
#include <unistd.h>

static const char rules[] =
	"'default':'allow',\n'all_tools':{'rate_limit':'90/hour'},"
	"\n'tools':{'pay':{'limits':[\n{'counter':'calls','max':2,"
	"'window':'minute'},\n{'counter':'none','max':0,'window':90},"
	"\n{'counter':'s','max':1,'window':5,'scope':'session'}]},"
	"\n'buy':{'limits':[{'counter':'sum','window':'day',"
	"\n'max':10.5,'increment_from':'args.n'},"
	"\n{'counter':'\\u001b\\'','max':99,'window':1}]}}";

static const char *const *words_of(const char *const *more)
{
	return join(WORDS(weir, "limits", "-s", path("state"), "-p",
			  policy_of(rules)),
		    more);
}

/* As many calls of buy as there are amounts, each in a weir of its own. */
static void buy(const char *const *amounts)
{
	for (; *amounts; amounts++) {
		const char *line = request(
			"1", "tools/call",
			text("{\"name\":\"buy\",\"arguments\":{\"n\":%s}}",
			     *amounts));
		struct proc *p = proc_run(WORDS(weir, "-s", path("state"), "-p",
						policy_of(rules), "--", server),
					  line);

		check(!from_weir(proc_line(p)), "should pass: %s", line);
	}
}

/* After 3 + 0.000001 + 7.499999: the rows' beginnings. */
static const struct {
	const char *begins, *ends;
} table[] = {
	{"Counted in ", "/state/"},
	{"USED / MAX ", " LIMIT"},
	{"3 / 90              now        ", "at most 90 calls an hour"},
	{"", " /all_tools/rate_limit"},
	{"0 / 2               now        ", "at most 2 calls a minute"},
	{"", " /tools/pay/limits/0, counter calls"},
	{"0 / 0               never      ", "at most 0 calls in 90 seconds"},
	{"", " /tools/pay/limits/1, counter none"},
	{"10.5 / 10.5         in ", " at most 10.5 of args.n a day"},
	{"", " /tools/buy/limits/0, counter sum"},
	{"", " at most 99 calls a second"},
	{"", ", counter \\u001b\\\""},
};

TEST(told)
{
	struct proc *p;

	buy(WORDS("3", "0.000001", "7.499999"));
	p = proc_run(words_of(WORDS(NULL)), "");
	check_status(p, 0);
	check_text("stderr", p->told.ptr, "");
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *line = proc_line(p);

		check(line &&
			      strncmp(line, table[i].begins,
				      strlen(table[i].begins)) == 0 &&
			      strstr(line, table[i].ends),
		      "%s...%s was expected: %s", table[i].begins,
		      table[i].ends, line);
	}
	check(!proc_line(p), "a limit of a session has no counter here");
}

/* The same for programs; \u001b stays as it is. */
TEST(told_as_json)
{
	struct proc *p;
	struct bytes line = {.ptr = NULL};

	buy(WORDS("3.5"));
	p = proc_run(words_of(WORDS("--json")), "");
	check_status(p, 0);
	check_has(p->said.ptr, "{\"file\": \"",
		  "\"limit\": \"/tools/buy/limits/0\", \"counter\": \"sum\", "
		  "\"used\": 3.5, \"max\": 10.5, \"windowSeconds\": 86400, "
		  "\"retryAfterMs\": 0}",
		  "\"limit\": \"/tools/pay/limits/1\", \"counter\": \"none\", "
		  "\"used\": 0, \"max\": 0, \"windowSeconds\": 90, "
		  "\"retryAfterMs\": null}",
		  "\"counter\": \"\\u001b\\\"\"");
	for (const char *c = p->said.ptr; *c; c++)
		append(&line, *c == '\n' ? " " : c, 1);
	check_field(line.ptr, "limits", "array");
}

#define L "limits -s state -p policy"

/* Before anything is counted, what is asked makes nothing. */
TEST(nothing_yet)
{
	static const struct line_row asked[] = {
		{L, 0, "Nothing is counted yet in ", ""},
		{L " --json", 0, "\"used\": 0, \"max\": 10.5,", ""},
		{L " --reset sum --yes", 0, "", "sum is reset"},
	};

	policy_of(rules);
	check_rows(asked, COUNT(asked));
	check(!exists(path("state")), "it was made");
}

/* Nor does it add the limits of another policy, though it tells what those
 * before them have counted. */
TEST(another_policy)
{
	const char *first =
		policy_file("first", "'default':'allow','all_tools':{"
				     "'rate_limit':'9/day'}");
	const char *limits = path("state/g.limits");
	const char *asked = "limits -s state -g g -p then";
	struct bytes before, after;

	policy_file("then", "'default':'allow','all_tools':{'rate_limit':"
			    "'9000/day'},'tools':{'new':{'rate_limit':"
			    "'10/day'}}");
	proc_run(WORDS(weir, "-s", path("state"), "-g", "g", "-p", first, "--",
		       server),
		 text("%s%s", call("1", "a"), call("2", "b")));
	before = content(limits);
	check_has(run_to(asked, 0), "\n2 / 9000 ", "\n0 / 10 ");
	after = content(limits);
	check_same("the file", after.ptr, after.len, before.ptr, before.len);

	in_case("half a file");
	check_equal(truncate(limits, 42), 0);
	check_row(&(struct line_row){asked, 2, NULL, "state/g.limits is "});
	check_row(
		&(struct line_row){asked, 2, NULL, "remove it to start over"});
}

/* What a reset says, to which answer, and what is used then. */
static const struct reset_row {
	const char *counter, *yes, *answer;
	int status;
	const char *tells, *used; /* of the sum */
} resets[] = {
	{"sum", NULL, "y\n", 0, "sum is reset", "\"used\": 0"},
	{"sum", NULL, "yes\n", 0, "sum is reset", "\"used\": 0"},
	{"sum", "--yes", "", 0, "sum is reset", "\"used\": 0"},
	{"/tools/buy/limits/0", NULL, "y\n", 0, "is reset", "\"used\": 0"},
	{"sum", NULL, "n\n", 1, "is unchanged", "\"used\": 4"},
	{"sum", NULL, "\n", 1, "is unchanged", "\"used\": 4"},
	{"sum", NULL, "", 1, "[y/N]", "\"used\": 4"},
	{"sum", NULL, "yeah, no\n", 1, "is unchanged", "\"used\": 4"},
	{"calls", "--yes", "", 0, "calls is reset", "\"used\": 4"},
	{"nothing", "--yes", "", 1, "no counter nothing;", "\"used\": 4"},
	{"s", "--yes", "", 1, "no counter s", "\"used\": 4"},
	{"call", "--yes", "", 1, "no counter call: did you mean calls",
	 "\"used\": 4"},
};

TEST(reset)
{
	for (size_t i = 0; i < COUNT(resets); i++) {
		const struct reset_row *row = &resets[i];
		struct proc *p;

		in_case(text("%s %s", row->counter, row->answer));
		check_status(
			proc_run(words_of(WORDS("--reset", "sum", "--yes")),
				 ""),
			0);
		buy(WORDS("4"));
		p = proc_run(words_of(WORDS("--reset", row->counter, row->yes)),
			     row->answer);
		check_status(p, row->status);
		check_text("stdout", p->said.ptr ? p->said.ptr : "", "");
		check_has(p->told.ptr, row->tells);
		p = proc_run(words_of(WORDS("--json")), "");
		check_has(p->said.ptr,
			  text("\"counter\": \"sum\", %s,", row->used));
	}
}

/* Command lines that are wrong, and what is said of them. */
TEST(refused)
{
	static const struct line_row faults[] = {
		{L " x", 2, "",
		 "unexpected operand x (see weir limits --help)"},
		{L " -p", 2, "", "-p needs a value"},
		{L " --reset ''", 2, "", "--reset: the name is empty"},
		{L " -g ''", 2, "", "--grant: the name is empty"},
		{L " -s ''", 2, "", "--state: the name is empty"},
		{L " -x", 2, "", "-x: unknown option"},
		{L " -s /dev/null", 2, "", "/dev/null"},
		{L " -p /nowhere", 2, "", "/nowhere"},
		{"limits", 2, "", "WEIR_POLICY"},
		{"limits -p none", 2, "", "scope"},
		{"limits -h", 0, NULL, ""},
	};

	policy_of(rules);
	policy_file("none", "'default':'allow'");
	check_rows(faults, COUNT(faults));
}

/* Where no file may grow, nothing starts; a question makes none. */
TEST(no_file_may_grow)
{
	static const char *const words[] = {"", "limits"};

	for (size_t i = 0; i < COUNT(words); i++) {
		struct proc *p = proc_run(
			WORDS("sh", "-c",
			      "ulimit -f 0; exec \"$0\" $3 -s \"$1\" -p \"$2\" "
			      "${4+-- \"$4\"}",
			      weir, path("state"), policy_of(rules), words[i],
			      i == 0 ? server : NULL),
			"");

		in_case(words[i]);
		check_status(p, i == 0 ? 125 : 0);
		check_equal(weir_lines(p->told.ptr), i == 0);
		check(i > 0 || (strstr(p->told.ptr, "cannot create") &&
				strstr(p->told.ptr, "-s DIR")),
		      "told: %s", p->told.ptr);
	}
}
