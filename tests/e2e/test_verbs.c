/*
 * What is decided, told in other ways than by answers: observing, the log,
 * explain, test; and the policy read anew.
 */
#include "answers.h"
#include "ends.h"
#include "fields.h"
#include "lines.h"
#include "processes.h"
#include "way.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char policy[] =
	"'default':'deny','hide':['remove'],'tools':{'echo':{},"
	"'add':{'action':'deny','reason':'no \\'sums\\' \\u00e9'},"
	"'few':{'rate_limit':'2/hour'},'pay':{'deny_if':[{'path':"
	"'args.n','op':'gte','value':1,'on_deny':'too\\nmuch'}]}},"
	"'prompts':{'no':{'action':'deny'}},'resources':{'a://*':{"
	"'action':'hide'}}";

/* A line that a client sends, and what becomes of it. */
struct row {
	const char *line;
	size_t len;
	const char *verdict; /* NULL: is not weighed */
	const char *rule;    /* NULL: passes */
	const char *reason;  /* what it begins with */
	const char *key, *name;
	const char *id; /* as it stands; NULL: none that is certain */
};

#define RPC "{\"jsonrpc\":\"2.0\","
#define CALL(id, n)                                                            \
	RPC "\"id\":" id                                                       \
	    ",\"method\":\"tools/call\",\"params\":{\"name\":\"" n             \
	    "\",\"arguments\":{\"n\":1}}}\n"
#define LINE(s) s, sizeof(s) - 1
#define MALFORMED(s, id)                                                       \
	{                                                                      \
		LINE(s), "malformed", "(malformed)", "", NULL, NULL, id        \
	}
#define UNWEIGHED(s)                                                           \
	{                                                                      \
		LINE(s), NULL, NULL, NULL, NULL, NULL, NULL                    \
	}

static const struct row rows[] = {
	{LINE(CALL("1", "echo")), "passed", NULL, NULL, "tool", "echo", "1"},
	{LINE(CALL("\"A\\\"\\\\\"", "ech\\u006f")), "passed", NULL, NULL,
	 "tool", "echo", "\"A\\\"\\\\\""},
	{LINE(CALL("-2", "remove")), "hidden", "(hidden)", "", "tool", "remove",
	 "-2"},
	{LINE(CALL("3", "RE\\u004dOVE")), "hidden", "(hidden)", "", "tool",
	 "REMOVE", "3"},
	{LINE(CALL("4", "add")), "refused", "/tools/add/action",
	 "no \"sums\" \xc3\xa9", "tool", "add", "4"},
	{LINE(CALL("5", "a\\\"b\\\\c\\/\\t")), "malformed", "(malformed)", "",
	 "tool", "a\"b\\c/\t", "5"},
	{LINE(CALL("6", "a\\\"b\\\\c\\/")), "refused", RULE_DEFAULT,
	 "the policy does not allow this tool", "tool", "a\"b\\c/", "6"},
	{LINE(CALL("7", "\xc3\xa9")), "malformed", "(malformed)", "", "tool",
	 "\xc3\xa9", "7"},
	{LINE(CALL("8", "pay")), "refused", "/tools/pay/deny_if/0", "too\nmuch",
	 "tool", "pay", "8"},
	{LINE(CALL("9", "few")), "passed", NULL, NULL, "tool", "few", "9"},
	{LINE(CALL("9", "few")), "passed", NULL, NULL, "tool", "few", "9"},
	{LINE(CALL("9", "few")), "refused", "/tools/few/rate_limit",
	 "at most 2 calls an hour", "tool", "few", "9"},
	{LINE(RPC "\"id\":10,\"method\":\"prompts/get\",\"params\":{\"name\":"
		  "\"no\"}}\r\n"),
	 "refused", "/prompts/no/action", "", "prompt", "no", "10"},
	{LINE(RPC "\"id\":11,\"method\":\"resources/read\",\"params\":{"
		  "\"uri\":\"a:\\/\\/b\"}}\n"),
	 "hidden", "(hidden)", "", "uri", "a://b", "11"},
	{LINE(RPC
	      "\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"}}\n"),
	 "dropped", "(malformed)", "", "tool", "echo", NULL},
	{LINE(RPC "\"method\":\"prompts/get\",\"params\":{\"name\":\"a\"}}\n"),
	 "dropped", "(malformed)", "", "prompt", "a", NULL},

	UNWEIGHED(RPC "\"id\":1,\"method\":\"ping\"}\n"),
	UNWEIGHED("{\"id\":\"\\u0031\", \"method\":\"ping\", "
		  "\"jsonrpc\":\"2.0\"}\r\n"),
	UNWEIGHED(RPC "\"id\":1,\"method\":\"initialize\",\"params\":{}}\n"),
	UNWEIGHED(RPC "\"id\":1,\"method\":\"tools/list\"}\n"),
	UNWEIGHED(RPC "\"id\":2,\"method\":\"prompts/list\"}\n"),
	UNWEIGHED(RPC "\"id\":3,\"method\":\"resources/list\"}\n"),
	UNWEIGHED(RPC "\"id\":4,\"method\":\"tasks/cancel\"}\n"),
	UNWEIGHED(RPC "\"method\":\"notifications/initialized\"}\n"),
	UNWEIGHED(RPC "\"id\":1,\"result\":{}}\n"),
	UNWEIGHED("\n"),
	UNWEIGHED("\r\n"),
	UNWEIGHED(" \t \n"),

	MALFORMED("remove\n", NULL),
	MALFORMED("{\n", NULL),
	MALFORMED("[" RPC "\"id\":1,\"method\":\"ping\"}]\n", NULL),
	MALFORMED("\xef\xbb\xbf" RPC "\"id\":1,\"method\":\"ping\"}\n", NULL),
	MALFORMED(RPC "\"id\":1,\r\"method\":\"ping\"}\n", "1"),
	MALFORMED(RPC "\"id\":1,\"method\":\"\xff\"}\n", NULL),
	MALFORMED(RPC "\"id\":1,\"method\":\"ping\"}\0\n", NULL),
	MALFORMED(RPC "\"id\":1,\"id\":2,\"method\":\"ping\"}\n", NULL),
	MALFORMED(RPC "\"id\":1.5,\"method\":\"ping\"}\n", NULL),
	MALFORMED(CALL("\"\\\"\"", "a\\u0000\\ud800"), "\"\\\"\""),
	MALFORMED(RPC "\"id\":12,\"method\":\"tools/call\",\"params\":{"
		      "\"name\":\"echo\",\"name\":\"add\"}}\n",
		  "12"),
	MALFORMED(RPC "\"id\":13,\"method\":\"Tools/Call\"}\n", "13"),
};

/* Of all rows, and lines that are too long by far, the last without an end. */
#define MAX_LINE "4096"
static struct bytes all_rows(void)
{
	struct bytes b = {.ptr = NULL};

	for (size_t i = 0; i < COUNT(rows); i++)
		append(&b, rows[i].line, rows[i].len);
	append_text(&b, long_ping("1", 4097));
	append_text(&b, long_ping("1", 100000));
	append_text(&b, long_ping("1", 3 << 20));
	append_text(&b, "[1\n");
	append_text(&b, "{\"id\":2}");
	return b;
}
enum { ROWS_AFTER = 5 };

/* {"ts":"2026-01-31T12:00:00.000000Z", ... */
static void check_time(const char *line)
{
	const char *time = field(line, "ts");
	int year = 0, end = 0;

	check(time, "no time: %s", line);
	sscanf(time, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*6dZ%n", &year, &end);
	check(year >= 2026 && end == 27 && time[27] == '\0', "no time: %s",
	      line);
}

/* A line of the log for this row. */
static void check_logged(const char *line, const struct row *row,
			 bool observing)
{
	const char *reason, *id = row->id;

	in_case(text("%.*s", (int)row->len, row->line));
	check_time(line);
	check_field(line, "verdict", row->verdict);
	check_field(line, "rule", row->rule);
	check_field(line, "observed", observing && row->rule ? "true" : NULL);
	if (row->key)
		check_field(line, row->key, row->name);
	else
		check_field(line, "tool", NULL);
	reason = field(line, "reason");
	check(!row->reason == !reason &&
		      (!reason ||
		       strncmp(reason, row->reason, strlen(row->reason)) == 0),
	      "the reason %s was expected: %s", row->reason, line);
	check(!reason || *reason, "the reason is empty: %s", line);
	check(id ? strstr(line, text("\"id\":%s,", id)) ||
			      strstr(line, text("\"id\":%s}", id))
		 : !strstr(line, "\"id\""),
	      "the id %s was expected: %s", id ? id : "(none)", line);
	in_case(NULL);
}

/* The log of all rows, and of the lines after them. */
static void check_log(const char *file, bool observing)
{
	const char *at = lines_about(content(file).ptr, "decision"), *line;
	int after = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].verdict)
			check_logged(next_line(&at), &rows[i], observing);
	for (; (line = next_line(&at)); after++) {
		check_field(line, "verdict", "malformed");
		check_field(line, "observed", observing ? "true" : NULL);
	}
	check_equal(after, ROWS_AFTER);
}

static void send_all(struct proc *p, const struct bytes *b)
{
	check(proc_write(p, b->ptr, b->len), "nobody reads");
	check_end(p, 0);
}

/* ---- observing ------------------------------------------------------- */

static const struct {
	const char *option, *variable; /* "-": none */
} ways[] = {
	{"-n", "-"},
	{"--observe", "-"},
	{"-n", "WEIR_OBSERVE=0"},
	{"--max-line=" MAX_LINE, "WEIR_OBSERVE=1"},
};

/* As if weir were not there; but for the log. */
TEST(observe)
{
	struct bytes input = all_rows();
	struct proc *plain = proc_start(WORDS(server));

	send_all(plain, &input);
	for (size_t i = 0; i < COUNT(ways); i++) {
		const char *log = path(text("log-%zu", i));
		struct how how = {.env = WORDS(ways[i].variable)};
		struct proc *p =
			proc_start_how(WEIR(policy, "--log", log, "--max-line",
					    MAX_LINE, ways[i].option, "--",
					    server, "--record", path("record")),
				       &how);

		in_case(text("%s %s", ways[i].option, ways[i].variable));
		send_all(p, &input);
		check_got_bytes(input);
		check_said(p, plain);
		check_text("stderr", p->told.ptr,
			   "weir: this server has no tool for 2 of the 5 "
			   "entries of this policy: \"few\", \"pay\"\n");
		check_log(log, true);
	}
}

/* Lists are neither cut nor withheld. */
TEST(observed_lists)
{
	const char *reply = file(
		"reply", RPC "\"id\":1,\"result\":{\"tools\":[{\"name\":"
			     "\"remove\"}]}}\n" RPC
			     "\"id\":1,\"result\":{\"tools\":[],\"tools\":[,]}}"
			     "\n");
	const char *list = request("1", "tools/list", NULL);
	struct proc *p = proc_run(WORDS(weir, "-n", "-p", policy_of(policy),
					"--", server, "--reply", reply),
				  text("%s%s", list, list));

	check_text("what the client sees", p->said.ptr, content(reply).ptr);
	check_equal(weir_lines(p->told.ptr), 1);
	check_has(p->told.ptr, "4 of the 5 entries");
}

/* Without a log, stderr says what would be refused: a line a second. */
TEST(observed_on_stderr)
{
	struct proc *p = proc_start(
		WORDS(weir, "-n", "-p", policy_of(policy), "--", server));
	const char *bell = call("1", "x\\u0007\x7f");
	int64_t start;

	proc_send(p, call("1", "echo"));
	proc_send(p, call("1", "remove"));
	proc_told(p, "weir: would not pass: tools/call remove: ");
	start = milliseconds();
	for (int i = 0; i < 10; i++)
		proc_send(p, call("1", "remove"));
	while (milliseconds() < start + 1100) {
		poll(NULL, 0, 100);
		check(milliseconds() > start + 900 ||
			      weir_lines(p->told.ptr) == 1,
		      "too many: %s", p->told.ptr);
	}
	proc_send(p, bell);
	proc_told(p, "weir: would not pass: tools/call x\\\\u0007\\u007f: ");
	proc_told(p, " (and 10 more before)\n");
	proc_send(p, "[\n");
	proc_send(p, bell);
	check_end(p, 0);
	proc_told(p, "weir: and 2 more would not pass\n");
	check_equal(weir_lines(p->told.ptr), 3);
}

TEST(not_observing)
{
	static const struct {
		const char *variable;
		int status;
	} cases[] = {
		{"WEIR_OBSERVE=", 0},     {"WEIR_OBSERVE=0", 0},
		{"WEIR_OBSERVE=2", 125},  {"WEIR_OBSERVE=yes", 125},
		{"WEIR_OBSERVE= 1", 125}, {"WEIR_OBSERVE=true", 125},
		{"WEIR_OBSERVING=1", 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct how how = {.env = WORDS(cases[i].variable)};
		struct proc *p = proc_start_how(BEHIND(policy), &how);

		in_case(cases[i].variable);
		if (cases[i].status == 0)
			check_hides(p, "1", "remove");
		check_end(p, cases[i].status);
		check_equal(weir_lines(p->told.ptr), cases[i].status != 0);
	}
}

/* ---- the log --------------------------------------------------------- */

/* What is logged is what was answered. */
TEST(log_lines)
{
	struct bytes input = all_rows();
	const char *log = path("log"), *at, *line, *message;
	struct how how = {.env = WORDS(text("WEIR_LOG=%s", log))};
	struct proc *p = proc_start_how(
		WEIR(policy, "--max-line", MAX_LINE, "--", server), &how);

	send_all(p, &input);
	check_log(log, false);
	at = lines_about(content(log).ptr, "decision");
	while ((line = next_line(&at))) {
		const char *reason = field(line, "reason");

		if (strcmp(field(line, "verdict"), "malformed") != 0)
			continue;
		do {
			message = field(proc_line(p), "error.message");
		} while (!message ||
			 strncmp(message, "Not passed on", 13) != 0);
		check_has(message, reason);
	}
}

/* With rules for methods, every request is a decision. */
TEST(log_methods)
{
	const char *log = path("log");
	const char *at, *line;
	struct proc *p = proc_run(
		WORDS(weir, "-l", log, "-p",
		      policy_of("'default':'allow','methods':{'tasks/*':{"
				"'action':'deny','reason':'no'}}"),
		      "--", server),
		text("%s%s%s%s", request("1", "tasks/get", NULL),
		     request("2", "tasks\\/cancel", NULL),
		     RPC "\"method\":\"Tasks/x\"}\n", call("3", "echo")));

	check_status(p, 0);
	at = lines_about(content(log).ptr, "decision");
	line = next_line(&at);
	check_field(line, "verdict", "refused");
	check_field(line, "rule", "/methods/tasks~1*/action");
	check_field(line, "method", "tasks/get");
	line = next_line(&at);
	check_field(line, "method", "tasks/cancel");
	check_field(line, "reason", "no");
	line = next_line(&at);
	check_field(line, "verdict", "dropped");
	check_field(line, "method", "Tasks/x");
	line = next_line(&at);
	check_field(line, "verdict", "passed");
	check_field(line, "method", "tools/call");
	check(!next_line(&at), "four lines were expected");
}

/* What nobody weighs may be spelled as no reader of the log would like it. */
TEST(log_escapes)
{
	static const char *const names[] = {
		"\\ud83d",        "\\udc00\\ud83d",   "\\u0000",
		"\\ud83d\\ude00", "\xf0\x9f\x98\x80", "\x7f\\\\",
		"\xc2\x9b",       "\xc3\xa9\xc2\xa9"};
	const char *log = path("log");
	const char *at;
	struct proc *p = proc_start(
		WORDS(weir, "-l", log, "-p",
		      policy_of("'default':'allow','methods':{'x':{'action':"
				"'deny'}}"),
		      "--", server));

	for (size_t i = 0; i < COUNT(names); i++)
		proc_send(p, request("\"\x7f\"", "x",
				     text("{\"name\":\"%s\"}", names[i])));
	check_end(p, 0);
	at = lines_about(content(log).ptr, "decision");
	/* A terminal obeys these. */
	check(!strpbrk(at, "\x7f") && !strstr(at, "\xc2\x9b"), "raw: %s", at);
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *line = next_line(&at);

		in_case(names[i]);
		check_field(line, "verdict", "refused");
		check_field(line, "id", "\x7f");
		if (i > 4)
			check_field(line, "name", i == 5 ? "\x7f\\" : names[i]);
	}
}

TEST(log_appended)
{
	const char *log = path("log"), *old = file("old", "before\n");
	const char *const *tail = WORDS("-p", policy_of(policy), "--", server);
	struct stat st;

	umask(0);
	for (int i = 1; i <= 2; i++) {
		proc_run(join(WORDS(weir, "-l", log), tail), call("1", "add"));
		check_equal(
			count_lines(lines_about(content(log).ptr, "decision")),
			i);
	}
	umask(022);
	check_equal(stat(log, &st), 0);
	check_equal((int)(st.st_mode & 07777), 0600);
	chmod(old, 0640);
	proc_run(join(WORDS(weir, "-l", old), tail), call("1", "add"));
	check(strncmp(content(old).ptr, "before\n{\"ts\":", 13) == 0,
	      "not appended: %s", content(old).ptr);
	check_equal(stat(old, &st), 0);
	check_equal((int)(st.st_mode & 07777), 0640);
}

TEST(log_cannot_open)
{
	const char *const logs[] = {path(""), path("none/log"),
				    text("%s/log", file("plain", "")), ""};

	/* An empty WEIR_LOG is none. */
	for (size_t i = 0; i < COUNT(logs) - (preload != NULL); i++) {
		struct proc *p =
			proc_run(WEIR(policy, "-l", logs[i], "--", "sh", "-c",
				      "echo >\"$0\"", path("started")),
				 "");

		in_case(logs[i]);
		check_status(p, 125);
		check(!exists(path("started")), "the server was started");
		check_text("stdout", p->said.ptr, "");
		check_equal(weir_lines(p->told.ptr), 1);
		check_has(p->told.ptr, logs[i]);
	}
}

enum { REFUSED = 10000 };

/* A file with so many calls, whose ids are first, first + 2, ... */
static const char *many_calls(int first)
{
	const char *at = path(text("in-%d", first));
	FILE *f = fopen(at, "we");

	for (int id = first; f && id < 2 * REFUSED; id += 2)
		fprintf(f,
			RPC "\"id\":%d,\"method\":\"tools/call\",\"params\":{"
			    "\"name\":\"%0*d\"}}\n",
			id, 1 + id * 7 % 900, id);
	check(f && fclose(f) == 0, "%s", at);
	return at;
}

/* Whole lines, of two at once, which nothing holds up. */
TEST(log_shared)
{
	const char *const *command = join(
		WEIR(policy, "-l", path("log"), "--", server), WORDS(NULL));
	const char *calls[2] = {many_calls(0), many_calls(1)}, *number;
	struct how how = {.given = {true, true}};
	int count[2] = {0, 0}, id;
	struct proc *p[2];
	char *at, *lf;

	how.fds[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		how.fds[0] = open(calls[i], O_RDONLY | O_CLOEXEC);
		p[i] = proc_start_how(command, &how);
		close(how.fds[0]);
	}
	close(how.fds[1]);
	for (int i = 0; i < 2; i++) {
		check_status(p[i], 0);
		check_text("stderr", p[i]->told.ptr, "");
	}
	at = (char *)lines_about(content(path("log")).ptr, "decision");
	for (; (lf = strchr(at, '\n')); at = lf + 1) {
		*lf = '\0';
		check_text("a line", field(at, ""), "object");
		number = strstr(at, "\"id\":");
		check(number, "no id: %s", at);
		id = atoi(number + 5);
		check_equal(id / 2, count[id % 2]++);
	}
	check_equal(count[0], REFUSED);
	check_equal(count[1], REFUSED);
}

/* The session goes on, and stderr tells it once. */
TEST(log_full)
{
	struct proc *p =
		proc_start(WEIR(policy, "-l", "/dev/full", "--", server));

	for (int i = 0; i < 50; i++) {
		check_hides(p, "1", "remove");
		check_passes(p, call("2", "echo"));
	}
	check_end(p, 0);
	check_equal(weir_lines(p->told.ptr), 2);
	check_has(p->told.ptr, "cannot write to the log");
	check_has(p->told.ptr, "could not be written to the log");
}

enum { FILE_MOST = 1000 };

static void limit_files(void)
{
	struct rlimit limit = {FILE_MOST, RLIM_INFINITY};

	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
}

/* It is full in the middle of a line, and has room again later: what follows
 * is whole. */
TEST(log_full_for_a_while)
{
	struct how how = {.prepare = limit_files};
	struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
	const char *log = path("log"), *at, *line;
	struct proc *p =
		proc_start_how(WEIR("'default':'allow','hide':['remove']", "-l",
				    log, "--", server),
			       &how);
	int whole = 0;

	for (int i = 0; i < FILE_MOST / 100; i++)
		check_hides(p, "1", "remove");
	proc_told(p, "cannot write to the log");
	check(!strstr(p->told.ptr, "Success"), "why? %s", p->told.ptr);
	check_equal(prlimit(weir_pid(p), RLIMIT_FSIZE, &more, NULL), 0);
	for (int i = 0; i < 3; i++)
		check_hides(p, "\"later\"", "remove");
	check_end(p, 0);
	for (at = content(log).ptr; (line = next_line(&at));)
		if (strstr(line, "\"later\"")) {
			check_field(line, "id", "later");
			whole++;
		}
	check_equal(whole, 3);
}

/* The disk is full for one of two writers, in the middle of a line: the other's
 * lines are whole. */
TEST(log_full_for_one_of_two)
{
	struct how how = {.prepare = limit_files};
	const char *log = path("log"), *at, *line;
	const char *const *words =
		join(WEIR("'default':'allow','hide':['remove']", "-l", log,
			  "--", server),
		     WORDS(NULL));
	struct proc *p[2] = {proc_start_how(words, &how), proc_start(words)};
	int others = 0;

	for (int i = 0; i < 2; i++) {
		while (i == 0 && !strstr(p[0]->told.ptr, "cannot write"))
			check_hides(p[0], "1", "remove");
		check_hides(p[1], "\"other\"", "remove");
	}
	for (int i = 0; i < 2; i++) {
		proc_close_in(p[i]);
		check_status(p[i], 0);
	}
	for (at = content(log).ptr; (line = next_line(&at));) {
		if (line[strspn(line, " \n")] == '\0')
			continue;
		check_text("a line", field(line, ""), "object");
		others += strstr(line, "\"other\"") != NULL;
	}
	check_equal(others, 2);
}

/* ---- explain --------------------------------------------------------- */

static const char explained[] =
	"\n'default':'deny',\n'hide':['hid'],\n'tools':{'echo':{},"
	"\n'pay':{'deny_if':[{'path':'args.n','op':'gt','value':\n10,"
	"'on_deny':'too \\'much\\''}]},\n'no':{'action':'deny',"
	"'reason':'not \\u00e9'},\n'zero':{'limits':[\n{'max':0,"
	"'window':90}]},\n'a\\'b\\\\c/~':{'action':'deny'},"
	"\n'one':{'rate_limit':'1/day'}}";

/* Laid over it. */
static const char explained_too[] =
	"'default':'allow',\n\n'all_tools':{'require':[\n{'path':"
	"'args.ok','op':'neq','value':false}]},\n'hide':['ech?']";

static const struct explain_row {
	const char *tool, *arguments;
	const char *verdict, *rule;
	const char *file; /* as it is named in the test, and the line */
	const char *line;
	const char *value; /* as it stands */
} explain_rows[] = {
	{"echo", "{\"ok\":1}", "hidden", "(hidden)", "b", "5", NULL},
	{"hid", NULL, "hidden", "(hidden)", "a", "3", NULL},
	{"HID ", NULL, "hidden", "(hidden)", "a", "3", NULL},
	{"other", NULL, "refused", RULE_DEFAULT, "a", "2", NULL},
	{"Pay", "{}", "refused", RULE_DEFAULT, "a", "2", NULL},
	{"pay", "{\"ok\":true,\"n\":10.0}", "passed", NULL, NULL, NULL, NULL},
	{"pay", "{\"n\":1001e-2,\"ok\":true}", "refused",
	 "/tools/pay/deny_if/0", "a", "5", "1001e-2"},
	{"pay", "{\"n\":\"1\\\"\\u0031\",\"ok\":true}", "refused",
	 "/tools/pay/deny_if/0", "a", "5", "\"1\\\"\\u0031\""},
	{"pay", "{\"n\":{ \"x\":[1, 2] },\"ok\":true}", "refused",
	 "/tools/pay/deny_if/0", "a", "5", "{ \"x\":[1, 2] }"},
	{"pay", "{\"n\":1,\"N\":2,\"ok\":true}", "refused",
	 "/tools/pay/deny_if/0", "a", "5", NULL},
	{"pay", "{\"n\":11}", "refused", "/all_tools/require/0", "b", "4",
	 NULL},
	{"pay", NULL, "refused", "/all_tools/require/0", "b", "4", NULL},
	{"pay", "{\"ok\":false}", "refused", "/all_tools/require/0", "b", "4",
	 "false"},
	{"no", "{}", "refused", "/tools/no/action", "a", "7", NULL},
	{"zero", "{\"ok\":true}", "refused", "/tools/zero/limits/0", "a", "9",
	 NULL},
	{"one", "{\"ok\":true}", "passed", NULL, NULL, NULL, NULL},
	{"a\"b\\c/~", "{}", "refused", "/tools/a\"b\\c~1~0/action", "a", "10",
	 NULL},
	{"\xc3\xa9", NULL, "malformed", "(malformed)", NULL, NULL, NULL},
};

/* The relay's answer to the very line that explain judges. */
static const char *relayed(const struct explain_row *row,
			   const char *const *policies)
{
	struct bytes line = {.ptr = NULL};

	append_text(&line, RPC "\"id\":0,\"method\":\"tools/call\",\"params\":{"
			       "\"name\":\"");
	for (const char *c = row->tool; *c; c++)
		append_text(&line,
			    text("%s%c", strchr("\"\\", *c) ? "\\" : "", *c));
	append_text(&line, row->arguments ? "\",\"arguments\":" : "\"");
	append_text(&line, row->arguments ? row->arguments : "");
	append_text(&line, "}}\n");
	return proc_line(
		proc_run(join(join(WORDS(weir), policies), WORDS("--", server)),
			 line.ptr));
}

static void check_json(const char *said, const struct explain_row *row,
		       const char *file, const char *answer)
{
	const char *at;

	check(count_lines(said) == 1, "one line was expected: %s", said);
	check_field(said, "verdict", row->verdict);
	check_field(said, "rule", row->rule);
	check_field(said, "file", file);
	check_field(said, "line", row->line);
	check(!row->rule == !field(said, "reason"),
	      "a reason, if and only if it is refused: %s", said);
	if (row->value)
		check_has(said, text("\"value\":%s,", row->value));
	else
		check_field(said, "value", NULL);
	at = strstr(said, "\"answer\":");
	check(!row->rule == !at, "an answer was expected, or not: %s", said);
	if (at)
		check_same("the answer", at + 9, strlen(at + 9) - 2, answer,
			   strlen(answer) - 1);
}

/* For people: the same, in any words. */
static void check_words(const char *said, const struct explain_row *row,
			const char *file, const char *answer)
{
	const char *told = NULL;

	if (!row->rule) {
		check(strncmp(said, "allowed", 7) == 0 &&
			      strstr(said, text("\nrule:   /tools/%s\nat: ",
						row->tool)),
		      "what allows it was expected: %s", said);
		return;
	}
	told = strstr(answer, "Denied by policy: ");
	if (!told)
		told = strstr(answer, "Unknown tool: ");
	check_has(said, row->value ? row->value : "");
	check(!file || strstr(said, text("%s:%s\n", file, row->line)),
	      "%s:%s was expected: %s", file, row->line, said);
	check(!told || strstr(said,
			      text("%.*s", (int)strcspn(told, "\"\\;"), told)),
	      "what it tells was expected: %s", said);
}

TEST(explain_verdicts)
{
	const char *a = policy_file("a", explained),
		   *b = policy_file("b", explained_too);
	const char *const *policies = WORDS("-p", a, "-p", b);
	struct how how = {.env = WORDS(text("WEIR_POLICY=%s:%s", a, b))};

	prefix_only("explain starts no server");
	for (size_t i = 0; i < COUNT(explain_rows); i++) {
		const struct explain_row *row = &explain_rows[i];
		const char *at = row->file ? path(row->file) : NULL;
		const char *const *words = WORDS(row->tool, row->arguments);
		const char *answer = relayed(row, policies);
		struct proc *p;

		in_case(text("%s %s", row->tool,
			     row->arguments ? row->arguments : ""));
		p = proc_run(join(join(WORDS(weir, "explain"), policies),
				  join(WORDS("--json"), words)),
			     "");
		check_status(p, row->rule != NULL);
		check_json(p->said.ptr, row, at, answer);
		p = proc_start_how(join(WORDS(weir, "explain"), words), &how);
		check_status(p, row->rule != NULL);
		check_words(p->said.ptr, row, at, answer);
		check_text("stderr", p->told.ptr, "");
	}
}

/* Options may follow the operands, but for those of a COMMAND. */
TEST(options_anywhere)
{
	const struct line_row cases[] = {
		{"explain echo -p a", 0, NULL, ""},
		{"explain echo {} --json -p a", 0, NULL, ""},
		{"check a --print", 0, NULL, NULL},
		{"check --preload sh --print", posix, NULL, NULL},
		{"check -- a --print", 2, NULL, NULL},
		{"check -p a", 2, "", "name the files without it"},
		{"limits --json x", 2, "", "unexpected operand x"},
	};

	prefix_only("explain starts no server");
	policy_file("a", explained);
	check_rows(cases, COUNT(cases));
}

TEST(explain_errors)
{
	static const char *const cases[] = {
		"echo",
		"-p bad echo",
		"-p none echo",
		"-p a -p bad echo",
		"-p ''",
		"-p",
		"-p a",
		"-p a --json",
		"-p a echo {} {}",
		"-p a --strict echo",
		"-p a echo ''",
		"-p a echo {",
		"-p a echo n=1",
		"-p a echo []",
		"-p a echo null",
		"-p a echo {\"a\":1,}",
		"-p a echo {\"a\":\"\xff\"}",
		"-p a echo {},\"name\":\"pay\"",
		"-p a echo {},\"x\":{}",
		"-p a echo {}},\"x\":{",
		"-p a echo {}}}",
		"-p a --method",
		"-p a --method ''",
		"-p a --method ping {} {}",
		"-p a --method ping []",
	};

	prefix_only("explain starts no server");
	policy_file("a", explained);
	file("bad", "{\"version\":\"1\"}");
	for (size_t i = 0; i < COUNT(cases); i++)
		check_row(&(struct line_row){text("explain %s", cases[i]), 2,
					     "", "weir: "});
}

/* ---- other methods ---------------------------------------------------- */

TEST(explain_methods)
{
	static const struct {
		const char *method, *params, *verdict, *rule;
	} asked[] = {
		{"prompts/get", "{\"name\":\"no\"}", "refused",
		 "/prompts/no/action"},
		{"prompts/get", "{\"name\":\"yes\"}", "passed", NULL},
		{"resources/read", "{\"uri\":\"a://b\"}", "hidden", "(hidden)"},
		{"tools/call", "{\"name\":\"add\"}", "refused",
		 "/tools/add/action"},
		{"ping", NULL, "passed", NULL},
		{"notifications/cancelled", "{}", "passed", NULL},
		{"no\"\\", NULL, "passed", NULL},
	};
	const char *of = policy_of(policy);

	prefix_only("explain starts no server");
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct proc *p = proc_run(
			WORDS(weir, "explain", "-p", of, "--json", "--method",
			      asked[i].method, asked[i].params),
			"");

		in_case(asked[i].method);
		check_status(p, asked[i].rule != NULL);
		check_field(p->said.ptr, "verdict", asked[i].verdict);
		check_field(p->said.ptr, "rule", asked[i].rule);
		p = proc_run(WORDS(weir, "explain", "-p", of, "--method",
				   asked[i].method, asked[i].params),
			     "");
		check_status(p, asked[i].rule != NULL);
	}
	check_has(proc_run(WORDS(weir, "explain", "-p", of, "--method",
				 "prompt/get"),
			   "")
			  ->told.ptr,
		  "did you mean prompts/get?");
}

/* ---- what a person is asked about ------------------------------------- */

static const char asking[] =
	"'default':'deny',\n'all_tools':{'ask_if':[{'path':'args.x',"
	"'op':'eq','value':'\xe2\x80\xae'}],'approval_timeout':9},"
	"\n'tools':{'echo':{},'few':{'rate_limit':'1/day',"
	"'action':'require_approval','reason':'a \\'few\\''},"
	"\n'pay':{'ask_if':[{'path':'args.n','op':'gt','value':500}],"
	"'ask_unless':[{'path':'args.to','op':'in','value':['a','b']}],"
	"'approve_by':'root'},\n's?':{'rate_limit':'3/minute','limits':["
	"{'max':5,'window':172800,'increment_from':'args.n','on_deny':'no'}]},"
	"\n'in':{'require':[{'path':'args.p','op':'in','value':['a','b']}]},"
	"\n'no':{'action':'deny','reason':'say \\'no\\''}}";

/* A tool, its arguments; what explain says to a person and as JSON (P: the
 * policy's name); the rule, unless it passes. */
static const struct {
	const char *tool, *arguments, *said, *json, *rule;
} asked_rows[] = {
	{"echo", "{\"x\":\"y\"}", "allowed\nrule:   /tools/echo\nat:     P:3\n",
	 "{\"verdict\":\"passed\"}\n", NULL},
	{"sx", "{\"n\":1}",
	 "allowed, at most 3 calls a minute, at most 5 of args.n in 2 days "
	 "(counters\n        taken as zero)\nrule:   /tools/s?\nat:     P:5\n",
	 NULL, NULL},
	{"in", "{}",
	 "refused\nrule:   /tools/in/require/0\nat:     P:6\n"
	 "why:    args.p is missing or ambiguous; must be one of [\"a\",\"b\"]\n"
	 "answer: Denied by policy: args.p must be \"a\" or \"b\"\n",
	 NULL, "/tools/in/require/0"},
	{"no", "{}",
	 "refused\nrule:   /tools/no/action\nat:     P:7\n"
	 "answer: Denied by policy: say \"no\"\n",
	 NULL, "/tools/no/action"},
	{"few", "{}",
	 "ask: a person must approve it\nrule:   /tools/few/action\n"
	 "at:     P:3\nreason: a \"few\"\n"
	 "in:     client, terminal, program; for 50 seconds\n",
	 "{\"verdict\":\"ask\",\"rules\":[{\"rule\":\"/tools/few/action\","
	 "\"file\":\"P\",\"line\":3,\"reason\":\"a \\\"few\\\"\"}],"
	 "\"approve_in\":[\"client\",\"terminal\",\"program\"],"
	 "\"approve_by\":[],\"approval_timeout\":50}\n",
	 "/tools/few/action"},
	{"pay", "{\"n\":501,\"to\":\"c\",\"x\":\"\xe2\x80\xae\"}",
	 "ask: a person must approve it\nrule:   /all_tools/ask_if/0\n"
	 "at:     P:2\nwhy:    a person is asked if args.x eq \"\\u202e\"\n"
	 "rule:   /tools/pay/ask_if/0\nat:     P:4\n"
	 "why:    a person is asked if args.n gt 500\n"
	 "rule:   /tools/pay/ask_unless/0\nat:     P:4\n"
	 "why:    a person is asked unless args.to in [\"a\",\"b\"]\n"
	 "in:     terminal; for 9 seconds\nby:     root\n",
	 "{\"verdict\":\"ask\",\"rules\":[{\"rule\":\"/all_tools/ask_if/0\","
	 "\"file\":\"P\",\"line\":2,\"reason\":\"args.x eq \\\"\\u202e\\\"\"},"
	 "{\"rule\":\"/tools/pay/ask_if/0\",\"file\":\"P\",\"line\":4,"
	 "\"reason\":\"args.n gt 500\"},"
	 "{\"rule\":\"/tools/pay/ask_unless/0\",\"file\":\"P\",\"line\":4,"
	 "\"reason\":\"unless args.to in [\\\"a\\\",\\\"b\\\"]\"}],"
	 "\"approve_in\":[\"terminal\"],\"approve_by\":[\"root\"],"
	 "\"approval_timeout\":9}\n",
	 "/all_tools/ask_if/0"},
	{"pay", "{\"n\":\"1\",\"to\":\"a\"}",
	 "refused\nrule:   /tools/pay/ask_if/0\nat:     P:4\n"
	 "why:    a person is asked if args.n gt 500; found: \"1\"\n"
	 "answer: Denied by policy: a person must approve this, and it can be "
	 "read in two\n        ways\n",
	 NULL, "/tools/pay/ask_if/0"},
};

static const char *with_name(const char *format, const char *name)
{
	struct bytes whole = {.ptr = NULL};

	append_text(&whole, "");
	for (; *format; format++)
		append_text(&whole,
			    format[0] == 'P' ? name : text("%c", *format));
	return whole.ptr;
}

TEST(asks_are_explained)
{
	const char *of = policy_of(asking), *said;
	const char *const *explain = WORDS(weir, "explain", "-p", of);

	prefix_only("explain starts no server");
	for (size_t i = 0; i < COUNT(asked_rows); i++) {
		const char *rule = asked_rows[i].rule;
		const char *const *words =
			WORDS(asked_rows[i].tool, asked_rows[i].arguments);
		struct proc *p = proc_run(join(explain, words), "");

		in_case(text("%s %s", words[0], words[1]));
		check_status(p, rule != NULL);
		check_text("stdout", p->said.ptr,
			   with_name(asked_rows[i].said, of));
		p = proc_run(join(join(explain, WORDS("--json")), words), "");
		check_status(p, rule != NULL);
		if (asked_rows[i].json)
			check_text("JSON", p->said.ptr,
				   with_name(asked_rows[i].json, of));
	}
	said = file("session.test.json",
		    "[{\"call\":\"few\",\"expect\":\"ask\",\"repeat\":3,"
		    "\"rule\":\"/tools/few/action\"},"
		    "{\"call\":\"pay\",\"expect\":\"ask\",\"rule\":"
		    "\"/tools/pay/ask_unless/0\"},\n"
		    "{\"call\":\"pay\",\"expect\":\"ask\",\"rule\":"
		    "\"/tools/pay/ask_if/0\"},"
		    "{\"call\":\"few\",\"expect\":\"refused\"},"
		    "{\"call\":\"few\",\"expect\":\"allowed\"},"
		    "{\"call\":\"echo\",\"expect\":\"ask\"},"
		    "{\"call\":\"echo\",\"expect\":\"ask\",\"rule\":\"\"}]");
	said = proc_run(WORDS(weir, "test", "-p", of, said), "")->said.ptr;
	check_has(said, "expect: ask by /tools/pay/ask_if/0\n  got:    ask\n"
			"  rule:   /tools/pay/ask_unless/0\n");
	check_has(said, "expect: allowed\n  got:    ask\n");
	check_has(said, "\n2 passed, 5 failed\n");
	said = file("session", CALL("1", "few") CALL("2", "echo"));
	said = proc_run(WORDS(weir, "test", "-p", of, said), "")->said.ptr;
	check_has(said, ":1: ask tools/call few\n  rule:   /tools/few/act");
	check_has(said, "\n1 allowed, 1 asked about, 0 refused, 0 hidden\n");
}

/* Who "approve_by" names is to be somebody, and somebody else. */
TEST(approvers_are_checked)
{
	static const struct {
		const char *by, *said; /* a part of the only warning */
	} named[] = {
		{"no such", NULL}, /* does not load */
		{"weir-nobody-has-this", "this machine has no user \"weir-nob"},
		{"@weir-nobody-has-this", "this machine has no group \"weir-n"},
		{"root", ""},
	};

	prefix_only("check starts no server");
	for (size_t i = 0; i < COUNT(named); i++) {
		const char *of = file(
			text("p%zu", i),
			text("{\"version\":\"1\",\"default\":\"deny\","
			     "\"tools\":{\"t\":{\"action\":"
			     "\"require_approval\",\"approve_by\":\"%s\"}}}",
			     named[i].by));
		struct proc *p =
			proc_run(WORDS(weir, "check", "--strict", of), "");

		in_case(named[i].by);
		check_status(p, !named[i].said ? 2 : *named[i].said != '\0');
		check_has(p->said.ptr, named[i].said ? named[i].said : "");
	}
}

/* ---- tests of a policy ------------------------------------------------ */

static const char tested[] =
	"'default':'deny','hide':['hid'],\n'tools':{'echo':{},"
	"\n'few':{'rate_limit':'10/minute'},\n'pay':{'deny_if':[{"
	"'path':'args.n','op':'gt','value':10}]},"
	"\n'w':{'limits':[{'counter':'c','window':'day','max':2}]},"
	"'e':{'limits':[{'counter':'c','window':'day','max':2}]},"
	"\n'sum':{'limits':[{'window':'day','max':100,"
	"'increment_from':'args.n'}]}},'prompts':{'no':{'action':"
	"'deny','reason':'one two three four five six seven eight nine "
	"ten eleven twelve thirteen'}}";

/* The file, what is printed of it (F: its name, P: the policy's), the status.
 */
static const struct {
	const char *text, *said;
	int status;
} test_rows[] = {
	{"[{\"call\":\"echo\",\"expect\":\"allowed\"},"
	 "{\"call\":\"hid\",\"expect\":\"hidden\",\"rule\":\"(hidden)\"},"
	 "{\"call\":\"none\",\"expect\":\"refused\",\"rule\":\"" RULE_DEFAULT
	 "\"},{\"call\":\"pay\",\"arguments\":{\"n\":\r\n11},\"expect\":"
	 "\"refused\",\"rule\":\"/tools/pay/deny_if/0\"},"
	 "{\"call\":\"pay\",\"arguments\":[],\"expect\":\"refused\"},"
	 "{\"method\":\"prompts/get\",\"params\":{\"name\":\"no\"},"
	 "\"expect\":\"refused\"},"
	 "{\"method\":\"ping\",\"expect\":\"allowed\"}]",
	 "7 passed, 0 failed\n", 0},
	/* Refused calls are not counted; time goes on by "after" alone. */
	{"[{\"call\":\"few\",\"expect\":\"allowed\",\"repeat\":10},"
	 "{\"call\":\"few\",\"expect\":\"refused\",\"repeat\":1000},"
	 "{\"call\":\"few\",\"expect\":\"refused\",\"after\":59},"
	 "{\"call\":\"few\",\"expect\":\"allowed\",\"after\":1},"
	 "{\"call\":\"few\",\"expect\":\"refused\",\"repeat\":10},"
	 "{\"call\":\"few\",\"expect\":\"refused\",\"repeat\":11,"
	 "\"after\":31622400}]",
	 "6 passed, 0 failed\n", 0},
	{"[{\"call\":\"few\",\n\"expect\":\"allowed\",\"repeat\":12,"
	 "\"description\":\"enough\"}]",
	 "F:1: few, call 11 of 12\n  enough\n  expect: allowed\n"
	 "  got:    refused\n  rule:   /tools/few/rate_limit\n  at:     P:3\n"
	 "  answer: Denied by policy: at most 10 calls a minute; try again in "
	 "60 s\n0 passed, 1 failed\n",
	 1},
	{"[\n{\"call\":\"pay\",\"arguments\":{\"n\":20},\"expect\":\"hidden\"}"
	 ",\n{\"call\":\"pay\",\"expect\":\"refused\",\"rule\":\"/a\"}]",
	 "F:2: pay\n  expect: hidden\n  got:    refused\n"
	 "  rule:   /tools/pay/deny_if/0\n  at:     P:4\n"
	 "  why:    args.n is 20; must not be greater than 10\n"
	 "  answer: Denied by policy: the policy does not allow this value of "
	 "args.n\nF:3: pay\n  expect: refused by /a\n  got:    allowed\n"
	 "0 passed, 2 failed\n",
	 1},
	/* A counter's name is one count; a refused sum says what is left. */
	{"[{\"call\":\"w\",\"expect\":\"allowed\",\"repeat\":2},"
	 "{\"call\":\"e\",\"expect\":\"refused\",\"rule\":\"/tools/e/limits/0\"},"
	 "{\"call\":\"sum\",\"arguments\":{\"n\":60},\"expect\":\"allowed\"},"
	 "{\"call\":\"sum\",\"arguments\":{\"n\":101},\"expect\":\"hidden\"}]",
	 "F:1: sum\n  expect: hidden\n  got:    refused\n"
	 "  rule:   /tools/sum/limits/0\n  at:     P:6\n"
	 "  answer: Denied by policy: at most 100 of args.n a day; 40 is left\n"
	 "3 passed, 1 failed\n",
	 1},
	/* Another rule is a difference, too.  Words stay in 80 columns. */
	{"[{\"method\":\"prompts/get\",\"params\":{\"name\":\"no\"},\"expect\":"
	 "\"refused\",\"rule\":\"/b\"}]",
	 "F:1: prompts/get\n  expect: refused by /b\n  got:    refused\n"
	 "  rule:   /prompts/no/action\n  at:     P:6\n"
	 "  answer: Denied by policy: one two three four five six seven eight "
	 "nine ten\n          eleven twelve thirteen\n0 passed, 1 failed\n",
	 1},
	/* What a terminal would obey. */
	{"[{\"call\":\"\\u202e\x7f\xc2\x9b\xe2\x81\xa6\",\"expect\":\"allowed\","
	 "\"description\":\"\xd8\x9c\\u001b\xc3\xa9\"}]",
	 "F:1: \\u202e\\u007f\\u009b\\u2066\n  \\u061c\\u001b\xc3\xa9\n"
	 "  expect: allowed\n  got:    refused\n  rule:   (malformed)\n"
	 "  answer: a name beyond printable ASCII that the policy does not "
	 "spell\n0 passed, 1 failed\n",
	 1},
	/* A session: what the server wrote, and what no rule is about, is left
	 * out. */
	{"starting\n\r\n" RPC "\"id\":1,\"method\":\"initialize\"}\r\n" RPC
	 "\"id\":1,\"result\":{},\"x\":1}\n" RPC
	 "\"id\":1,\"error\":{}}\n" CALL("2", "echo") CALL("3", "hid")
		 CALL("4", "\xe2\x80\xae") RPC
	 "\"id\":5,\"id\":5,\"method\":\"ping\"}\n" RPC
	 "\"id\":6,\"method\":\"prompts/get\",\"params\":{\"name\":\"x\"}}",
	 "F:6: allowed tools/call echo\nF:7: hidden tools/call hid\n"
	 "  rule:   (hidden)\n  at:     P:1\n  answer: Unknown tool: hid\n"
	 "F:8: refused tools/call \\u202e\n  rule:   (malformed)\n"
	 "  answer: a name beyond printable ASCII that the policy does not "
	 "spell\nF:9: refused\n  rule:   (malformed)\n"
	 "  answer: a key of the message twice\n"
	 "F:10: allowed prompts/get x\n2 allowed, 2 refused, 1 hidden\n",
	 0},
	{"", "", 2},
	{"[]", "", 2},
	{"{\"call\":\"echo\",\"expect\":\"allowed\"}", "", 2},
	{"{\"time\":\"2026-01-31T12:00:00.000Z\",\"verdict\":\"passed\"}\n", "",
	 2},
	{"[{\"call\":\"echo\",\"expect\":\"allowed\"},]", "", 2},
};

TEST(tests_of_a_policy)
{
	const char *of = policy_file("p.json", tested);
	struct how how = {.env = WORDS(text("WEIR_POLICY=%s", of))};

	prefix_only("test starts no server");
	for (size_t i = 0; i < COUNT(test_rows); i++) {
		const char *name = file(text("t%zu", i), test_rows[i].text);
		const char *at = test_rows[i].said;
		struct bytes want = {.ptr = NULL};
		struct proc *p;

		in_case(test_rows[i].text);
		append_text(&want, "");
		for (; *at; at++)
			append_text(&want, *at == 'F' ? name
					   : *at == 'P' && at[1] == ':'
						   ? of
						   : text("%c", *at));
		p = proc_run(WORDS(weir, "test", "-p", of, name), "");
		check_status(p, test_rows[i].status);
		check_text("stdout", p->said.ptr, want.ptr);
		check_equal(weir_lines(p->told.ptr) > 0,
			    test_rows[i].status == 2);
		p = proc_start_how(WORDS(weir, "test", name), &how);
		check_status(p, test_rows[i].status);
		check_text("the same", p->said.ptr, want.ptr);
	}
}

/* Of a recording of both sides, what a server sends is not judged. */
TEST(tests_of_both_sides)
{
	const char *of =
		policy_file("p.json", "'default':'allow','methods':{'*':{"
				      "'action':'deny'}}");
	const char *session;
	struct proc *p;

	prefix_only("test starts no server");
	session = file("session",
		       text("%s%s%s%s", request("1", "roots/list", NULL),
			    RPC "\"method\":\"notifications/message\"}\n",
			    RPC "\"id\":1,\"result\":{}}\n",
			    request("1", "ping", NULL)));
	p = proc_run(WORDS(weir, "test", "-p", of, session), "");
	check_status(p, 0);
	check(strncmp(p->said.ptr, text("%s:4: refused ping\n", session),
		      strlen(session) + 17) == 0 &&
		      strstr(p->said.ptr, "\n0 allowed, 1 refused, 0 hidden\n"),
	      "said: %s", p->said.ptr);
}

/* What is told of a session is what the relay would have logged. */
TEST(tests_say_what_is_logged)
{
	const struct bytes input = all_rows();
	int fd = open(path("session"), O_WRONLY | O_CREAT | O_EXCL, 0600);
	struct proc *p;
	const char *at, *line;

	prefix_only("test starts no server");
	check(write(fd, input.ptr, input.len) == (ssize_t)input.len, "full");
	close(fd);
	p = proc_run(
		WORDS(weir, "test", "-p", policy_of(policy), path("session")),
		"");
	check_status(p, 0);
	at = p->said.ptr;
	line = next_line(&at);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *word = rows[i].verdict;

		/* What begins like no message is a server's noise. */
		if (!word || !strchr("{[", *rows[i].line))
			continue;
		in_case(text("%.*s", (int)rows[i].len, rows[i].line));
		if (strcmp(word, "passed") == 0)
			word = "allowed";
		else if (strcmp(word, "hidden") != 0)
			word = "refused";
		check(line && strstr(line, text(":%zu: %s", i + 1, word)),
		      "%s was expected: %s", word, line);
		while ((line = next_line(&at)) && *line == ' ')
			check(!rows[i].rule ||
				      strncmp(line, "  rule:", 7) != 0 ||
				      strstr(line, rows[i].rule),
			      "%s was expected: %s", rows[i].rule, line);
	}
}

/* Which policy: that of -p, that beside the tests, that of the environment.
 * Each file begins with counters of its own. */
TEST(tests_find_their_policy)
{
#define Q "WEIR_POLICY=q.json "
	static const struct line_row asked[] = {
		{"test p.test.json", 0, NULL, ""},
		{Q "test p.test.json", 0, NULL, ""},
		{Q "test p.test.json p.test.json", 0, NULL, ""},
		{Q "test -p p.json p.test.json x.json", 0, NULL, ""},
		{"test -p q.json p.test.json", 1, NULL, ""},
		{"test -p p.json -p q.json p.test.json", 1, NULL, ""},
		{Q "test x.json", 1, NULL, ""},
		{"test x.json", 2, NULL, "weir: "},
		{Q "test r.test.json", 2, NULL, "weir: "},
		{"test p.test.json r.test.json", 2, NULL, "weir: "},
		{"test -p p.json nothing", 2, NULL, "weir: "},
		{"test -p p.json @", 2, NULL, "weir: "},
		{"test -p x.json x.json", 2, NULL, "weir: "},
		{"test -p p.json", 2, NULL, "weir: "},
		{"test --json p.test.json", 2, NULL, "weir: "},
	};
	static const char *const names[] = {"p.test.json", "x.json",
					    "r.test.json"};

	prefix_only("test starts no server");
	policy_file("p.json", tested);
	policy_file("q.json", "'default':'deny','hide':['few']");
	for (size_t i = 0; i < COUNT(names); i++)
		file(names[i], "[{\"call\":\"few\",\"expect\":\"allowed\","
			       "\"repeat\":10}]");
	check_rows(asked, COUNT(asked));
}

/* ---- the policy read anew -------------------------------------------- */

#define PONG(id) RPC "\"id\":" id ",\"result\":{}}\n"

#define ANEW   "policy reloaded"
#define FAILED "policy reload failed"

/* SIGHUP, and waits until stderr says what came of it. */
static void hang_up(struct proc *p, const char *says)
{
	p->told.len = 0;
	p->told.ptr[0] = '\0';
	kill(weir_pid(p), SIGHUP);
	proc_told(p, says);
}

TEST(reload_judges)
{
	const char *at = policy_of("'default':'allow','hide':['add']");
	struct proc *plain =
		proc_run(WORDS(server), request("1", "tools/list", NULL));
	struct proc *p = proc_start(WORDS(weir, "-p", at, "--", server));
	const char *list = proc_line(plain);

	for (int i = 0; i < 3; i++) {
		check_hides(p, "1", "add");
		check_answer(p, request("1", "tools/list", NULL),
			     without(list, "add"));
		/* Neither of these changes anything. */
		if (i == 0) {
			policy_of("'default':'no'");
			hang_up(p, FAILED);
			check_has(p->told.ptr, "/default");
		} else if (i == 1) {
			unlink(at);
			hang_up(p, FAILED);
			check_has(p->told.ptr, at);
		}
		weir_lines(p->told.ptr);
	}
	policy_of("'default':'deny','tools':{'add':{}},'hide':['echo'],"
		  "'prompts':{'*':{'action':'hide'}}");
	hang_up(p, ANEW);
	check_passes(p, call("1", "add"));
	check_default(p, "1", "remove");
	check_answer(p, request("1", "tools/list", NULL),
		     without(list, "echo"));
	check_has(proc_ask(p, request("1", "prompts/list", NULL)),
		  "\"prompts\":[]");
	check_end(p, 0);
}

/* A list that was asked for before, and comes after, shows what the policy of
 * now lets it show. */
TEST(reload_while_a_list_is_due)
{
	const char *reply =
		file("reply", RPC "\"id\":1,\"result\":{\"tools\":[{\"name\":"
				  "\"add\"},{\"name\":\"echo\"}]}}\n");
	struct proc *p = proc_start(
		WEIR("'default':'allow'", "--", "sh", "-c",
		     "read a; echo asked; read b; cat \"$0\"", reply));

	check_answer(p, request("1", "tools/list", NULL), "asked\n");
	policy_of("'default':'allow','hide':['add']");
	hang_up(p, ANEW);
	check_answer(p, request("2", "ping", NULL),
		     RPC
		     "\"id\":1,\"result\":{\"tools\":[{\"name\":\"echo\"}]}}"
		     "\n");
}

/* One that has come by then is not due any more. */
TEST(reload_after_a_list)
{
	const char *list = RPC "\"id\":1,\"result\":{\"tools\":[]}}\n";
	struct proc *p = proc_start(
		BEHIND("'default':'allow'", "--reply",
		       file("reply", text("%s[%s" PONG("3"), list, list))));

	check_answer(p, request("1", "tools/list", NULL), list);
	policy_of("'default':'allow','hide':['add']");
	hang_up(p, ANEW);
	check_error(proc_ask(p, request("2", "tools/list", NULL)), "2", -32603);
	ping(p, "3"); /* and nothing before its answer */
}

/* Only while a list is due is anything withheld, or held until its line ends.
 */
TEST(reload_holds_nothing_else)
{
	const char *list = RPC "\"id\":1,\"result\":{\"tools\":[]}}\n";
	const char *odd = RPC "\"id\":2,\"result\":{},\"result\":{}}\n";
	struct proc *p = proc_start(
		WEIR("'default':'allow'", "--", "sh", "-c",
		     "read a; cat \"$0\"; read b; cat \"$1\"; printf half; "
		     "read c; echo",
		     file("list", list), file("odd", odd)));

	check_answer(p, request("1", "tools/list", NULL), list);
	policy_of("'default':'allow','hide':['add']");
	hang_up(p, ANEW);
	check_answer(p, call("2", "echo"), odd);
	proc_more(p, strlen("half"));
	check_answer(p, request("3", "ping", NULL), "half\n");
}

/* While observing, no policy cuts or withholds anything. */
TEST(reload_observed)
{
	const char *lists = PONG("0") RPC
		"\"id\":1,\"result\":{\"tools\":[{\"name\":\"add\"}]}}\n" RPC
		"\"id\":1,\"result\":{\"tools\":[,]}}\n";
	const char *at = lists, *line;
	struct proc *p = proc_start(
		WORDS(weir, "-n", "-p", policy_of("'default':'allow'"), "--",
		      server, "--reply", file("reply", lists)));

	check_answer(p, request("0", "ping", NULL), next_line(&at));
	policy_of("'default':'hide'");
	hang_up(p, ANEW);
	while ((line = next_line(&at)))
		check_answer(p, request("1", "tools/list", NULL), line);
	check(!strstr(p->told.ptr, "withheld"), "told: %s", p->told.ptr);
}

/* Each layer is read anew. */
TEST(reload_layers)
{
	const char *base =
		policy_file("base", "'default':'deny','tools':{'*':{}}");
	const char *rule = policy_of("'default':'deny'");
	struct proc *p =
		proc_start(WORDS(weir, "-p", base, "-p", rule, "--", server));

	check_passes(p, call("1", "add"));
	policy_of("'default':'deny','hide':['add']");
	hang_up(p, ANEW);
	check_hides(p, "1", "add");
	policy_of("'default':'deny','hidden':['echo']");
	policy_file("base", "'default':'allow'");
	hang_up(p, FAILED);
	check_hides(p, "1", "add");
	check_passes(p, call("1", "echo"));
}

/* What was counted stays, as long as there is a counter of that name. */
#define ECHO(rules)   "'default':'allow','tools':{'echo':{" rules "}}"
#define LIMIT(c, max) "{'counter':'" c "','max':" max ",'window':'minute'}"
#define LONG(max)     "{'counter':'c','max':" max ",'window':90}"
#define LIMITS(l)     ECHO("'limits':[" l "]")
#define BOTH(a, b)    LIMITS(LIMIT("c", a) "," LONG(b))

static const struct reload_row {
	const char *rules[3]; /* of the policies, one after another */
	const char *calls[3]; /* a letter each: e passes, E is refused */
} reload_rows[] = {
	/* More of them: counters_go_on() of test_lint.c, and test_counting.c.
	 */
	{{LIMITS(LIMIT("c", "3")), LIMITS(LIMIT("c", "5"))}, {"ee", "eeeE"}},
	{{LIMITS(LIMIT("c", "3")), LIMITS(LIMIT("c", "5")),
	  LIMITS(LIMIT("c", "6"))},
	 {"eeeEEE", "eeEE", "eE"}},
	{{"'default':'allow','all_tools':{'rate_limit':'3/day'}",
	  "'default':'deny','tools':{'e*':{}},'all_tools':{'rate_limit':'4/day'}"},
	 {"ee", "eeE"}},
	/* What a grant has counted outlives the rule. */
	{{ECHO("'rate_limit':'2/day'"), ECHO(""), ECHO("'rate_limit':'2/day'")},
	 {"eeE", "eee", "E"}},
	/* One counter's name for two windows. */
	{{BOTH("5", "5"), BOTH("1", "5"), BOTH("5", "5")}, {"eeee", "E", "eE"}},
};

TEST(reload_counters)
{
	for (size_t i = 0; i < COUNT(reload_rows); i++) {
		const struct reload_row *row = &reload_rows[i];
		struct proc *p = proc_start(
			WORDS(weir, "-g", text("%zu", i), "-p",
			      policy_of(row->rules[0]), "--", server));

		for (int r = 0; r < 3 && row->rules[r]; r++) {
			in_case(text("%s: %s", row->rules[r], row->calls[r]));
			ping(p, "0");
			if (r > 0) {
				file("policy", "{");
				hang_up(p, FAILED);
				policy_of(row->rules[r]);
				hang_up(p, ANEW);
			}
			for (const char *c = row->calls[r]; *c; c++)
				check(from_weir(
					      proc_ask(p, call("1", "echo"))) ==
					      (*c == 'E'),
				      "%zu calls before this one",
				      (size_t)(c - row->calls[r]));
		}
	}
}

/* What the server promises, and what is told after that. */
static const struct promise {
	const char *answer; /* to initialize, after jsonrpc */
	const char *told;   /* letters: t(ools), p(rompts), r(esources) */
} promises[] = {
	{"\"id\":1,\"result\":{\"capabilities\":{\"tools\":{\"listChanged\":"
	 "true}}}",
	 "t"},
	{"\"id\":1,\"result\":{\"capabilities\":{\"resources\":{"
	 "\"listChanged\":true},\"tools\":{\"x\":[{}],\"list\\u0043hanged\":"
	 "true},\"prompts\":{\"listChanged\":true}}}",
	 "tpr"},
	{"\"id\":1,\"result\":{\"capabilities\":{\"tools\":{\"listChanged\":"
	 "false},\"prompts\":{\"listChanged\":\"true\"},\"resources\":{"
	 "\"subscribe\":true}}}",
	 ""},
	{"\"id\":1,\"error\":{\"code\":1,\"message\":\"\",\"data\":{"
	 "\"capabilities\":{\"tools\":{\"listChanged\":true}}}}",
	 ""},
};

static const struct {
	char letter;
	const char *line;
} notifications[] = {
	{'t', RPC "\"method\":\"notifications/tools/list_changed\"}\n"},
	{'p', RPC "\"method\":\"notifications/prompts/list_changed\"}\n"},
	{'r', RPC "\"method\":\"notifications/resources/list_changed\"}\n"},
};

/* Just these, once. */
static void check_notified(struct proc *p, const char *letters)
{
	for (size_t i = 0; i < COUNT(notifications); i++)
		if (strchr(letters, notifications[i].letter))
			check_text("a notification", proc_line(p),
				   notifications[i].line);
}

TEST(reload_tells)
{
	const char *at = policy_of("'default':'allow'");

	for (size_t i = 0; i < COUNT(promises); i++) {
		const char *answer = text(RPC "%s}\n", promises[i].answer);
		struct proc *p = proc_start(WORDS(
			weir, "-p", at, "--", server, "--reply",
			file("reply", text("%s" PONG("2") PONG("3") PONG("4"),
					   answer))));

		in_case(promises[i].answer);
		check_answer(p, request("1", "initialize", "{}"), answer);
		file("policy", "{");
		hang_up(p, FAILED);
		ping(p, "2"); /* and nothing before its answer */
		policy_of("'default':'deny'");
		hang_up(p, ANEW);
		check_notified(p, promises[i].told);
		ping(p, "3");
		hang_up(p, ANEW);
		check_notified(p, promises[i].told);
		ping(p, "4");
	}
}

/* Clients may ping before they are greeted. */
TEST(reload_tells_after_a_ping)
{
	const char *answer =
		RPC "\"id\":2,\"result\":{\"capabilities\":{\"tools\":{"
		    "\"listChanged\":true}}}}\n";
	struct proc *p = proc_start(
		BEHIND("'default':'allow'", "--reply",
		       file("reply", text(PONG("1") "%s" PONG("3"), answer))));

	check_answer(p,
		     text("%s%s", request("1", "ping", NULL),
			  request("2", "initialize", "{}")),
		     PONG("1"));
	check_text("the answer", proc_line(p), answer);
	hang_up(p, ANEW);
	check_notified(p, "t");
	ping(p, "3");
}

/* Nobody initializes: nobody is told. */
TEST(reload_tells_nobody)
{
	struct proc *p = proc_start(BEHIND(
		"'default':'allow'", "--reply",
		file("reply",
		     RPC "\"id\":1,\"result\":{\"capabilities\":"
			 "{\"tools\":{\"listChanged\":true}}}}\n" PONG("2"))));

	check(proc_ask(p, request("1", "x", NULL)), "no answer");
	hang_up(p, ANEW);
	ping(p, "2");
}

/* A line of the server's is under way: the notification waits for its end. */
TEST(reload_between_lines)
{
	const char *answer =
		RPC "\"id\":1,\"result\":{\"capabilities\":{\"tools\":{"
		    "\"listChanged\":true}}}}\n";
	const char *first = request("1", "initialize", "{}");
	const char *record = path("record");
	struct proc *p = proc_start(
		BEHIND("'default':'allow'", "--record", path("record"),
		       "--halves", "--reply",
		       file("reply", text("%s" PONG("2") PONG("3"), answer))));

	proc_send(p, first);
	await_size(record, strlen(first));
	/* It goes on as soon as there is more to read. */
	check_answer(p, request("2", "ping", NULL), answer);
	proc_more(p, 1);
	hang_up(p, ANEW);
	proc_send(p, request("3", "ping", NULL));
	proc_close_in(p);
	check_text("the line under way", proc_line(p), PONG("2"));
	check_notified(p, "t");
	check_text("the next line", proc_line(p), PONG("3"));
	check_status(p, 0);
}

static void ignore_hang_up(void)
{
	signal(SIGHUP, SIG_IGN);
}

/* The server never hears of it; also behind nohup(1). */
TEST(reload_is_not_passed_on)
{
	void (*const prepare[])(void) = {NULL, ignore_hang_up};

	for (size_t i = 0; i < COUNT(prepare); i++) {
		struct how how = {.prepare = prepare[i]};
		struct proc *p = proc_start_how(
			BEHIND("'default':'allow'", "--signals"), &how);

		ping(p, "1");
		hang_up(p, ANEW);
		kill(p->pid, SIGUSR1);
		check_text("the signal", proc_line(p),
			   RPC "\"method\":\"test/signal\",\"params\":{"
			       "\"number\":10}}\n");
		check_end(p, 0);
	}
}

/* Nobody reads stderr: what there is to say of the policy is lost. */
TEST(reload_with_stderr_full)
{
	struct how how = {.given = {[2] = true}};
	struct proc *p;
	int err[2];

	check_equal(pipe2(err, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(err[1], "", 1) == 1)
		;
	fcntl(err[1], F_SETFL, 0);
	how.fds[2] = err[1];
	p = proc_start_how(BEHIND("'default':'allow'"), &how);
	ping(p, "1");
	file("policy", "{");
	kill(weir_pid(p), SIGHUP);
	ping(p, "2");
	check_end(p, 0);
	close(err[0]);
	close(err[1]);
}

static void make_nothing(const char *at)
{
	(void)at;
}

static void make_fifo(const char *at)
{
	check_equal(mkfifo(at, 0600), 0);
}

static void make_directory(const char *at)
{
	check_equal(mkdir(at, 0700), 0);
}

static void make_zero(const char *at)
{
	check_equal(symlink("/dev/zero", at), 0);
}

static void make_terminal(const char *at)
{
	static int terminal = -1, theirs; /* kept: nobody hangs up */

	if (terminal < 0)
		terminal = open_terminal(&theirs);
	check_equal(symlink(ptsname(terminal), at), 0);
}

static const struct {
	const char *name;
	void (*make)(const char *at);
} no_files[] = {
	{"nothing", make_nothing},       {"a pipe", make_fifo},
	{"a directory", make_directory}, {"a device", make_zero},
	{"a terminal", make_terminal},
};

/* Where the policy or the log was, there is something else: neither is opened,
 * and nothing waits. */
TEST(reload_of_no_file)
{
	const char *log = path("log"), *old = path("old");

	for (size_t i = 0; i < COUNT(no_files); i++) {
		const char *at = policy_of("'default':'deny'");
		struct proc *p = proc_start(
			WORDS(weir, "-p", at, "-l", log, "--", server));

		in_case(no_files[i].name);
		ping(p, "1");
		remove(at);
		no_files[i].make(at);
		hang_up(p, FAILED);
		ping(p, "2");
		remove(at);
		policy_of("'default':'allow'");
		check_equal(rename(log, old), 0);
		no_files[i].make(log);
		hang_up(p, ANEW);
		check(!strstr(p->told.ptr, "cannot reopen log") == (i == 0),
		      "%s", p->told.ptr);
		check_passes(p, call("3", "echo"));
		check_end(p, 0);
		check_equal(count_lines(lines_about(content(i ? old : log).ptr,
						    "decision")),
			    1);
		remove(log);
		remove(old);
	}
}

/* As weir_pid(), but of one that does not relay yet: a preloaded one is the
 * only process of this name that was left to us. */
static pid_t starting_pid(const struct proc *p)
{
	int64_t until = milliseconds() + DEADLINE;
	char list[1024], name[64], *at;
	pid_t pid = p->pid;

	while (preload) {
		proc_read(getpid(), "children", at = list, sizeof(list));
		while ((pid = (pid_t)strtol(at, &at, 10)) > 0) {
			proc_read(pid, "comm", name, sizeof(name));
			if (strcmp(name, "weir\n") == 0)
				return pid;
		}
		check(milliseconds() < until, "it has no relay");
		poll(NULL, 0, 1);
	}
	return pid;
}

/* What can be read but once keeps what it said, and the files beside it are
 * read again.  SIGHUP comes before weir has read it: it is not lost either. */
TEST(reload_of_a_pipe)
{
	const char *all = policy_text("'default':'allow','hide':['add']");
	const char *fifo = path("fifo"), *log = path("log");
	const char *at = policy_of("'default':'allow'");
	struct proc *p;
	int fd, logged;

	check_equal(mkfifo(fifo, 0600), 0);
	check_equal(mkfifo(log, 0600), 0);
	logged = open(log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	p = proc_start(
		WORDS(weir, "-p", at, "-p", fifo, "-l", log, "--", server));
	fd = open_fifo(fifo);
	kill(starting_pid(p), SIGHUP);
	check_equal(write(fd, all, strlen(all)), (ssize_t)strlen(all));
	close(fd);
	proc_told(p, ANEW);
	check_has(p->told.ptr, "fifo: cannot be read again");
	check(strstr(p->told.ptr, "log: it is not a regular file") == NULL &&
		      strstr(p->told.ptr, "is not reopened"),
	      "%s", p->told.ptr);
	check_equal(weir_lines(p->told.ptr), 3);
	policy_of("'default':'allow','hide':['echo']");
	hang_up(p, ANEW);
	check_equal(weir_lines(p->told.ptr), 1);
	check_hides(p, "1", "add");
	check_hides(p, "2", "echo");
	check_end(p, 0);
	close(logged);
}

static void give_files(void)
{
	dup2(open(path("policy"), O_RDONLY), 40);
	dup2(open(path("log"), O_WRONLY | O_CREAT, 0600), 41);
}

/* As is one that is named by a descriptor, whose number is another's now. */
TEST(reload_of_descriptors)
{
	struct how how = {.prepare = give_files};
	struct proc *p;

	prefix_only("the relay has none of the server's descriptors");
	policy_of("'default':'allow'");
	p = proc_start_how(WORDS(weir, "-p", "/dev/fd/40", "-l", "/dev/fd/41",
				 "--", server),
			   &how);
	ping(p, "1");
	policy_of("'default':'deny'");
	hang_up(p, "/dev/fd/40: cannot be read again");
	kill(p->pid, SIGHUP);
	check_passes(p, call("2", "echo"));
	check_end(p, 0);
	check_equal(weir_lines(p->told.ptr), 2);
	check_equal(
		count_lines(lines_about(content(path("log")).ptr, "decision")),
		1);
}

/* KiB that a process may grow by; a sanitizer holds back what was freed. */
#ifdef __SANITIZE_ADDRESS__
#define RESIDENT_SLACK (1L << 20)
#else
#define RESIDENT_SLACK 64
#endif

TEST(reload_a_thousand_times)
{
	/* What the sanitizer holds back before it is used again is no leak. */
	const char *options = getenv("ASAN_OPTIONS");
	struct how how = {
		.env = WORDS(text("ASAN_OPTIONS=%s:quarantine_size_mb=0",
				  options ? options : ""))};
	const char *const files[] = {policy_file("0", explained),
				     policy_file("1", policy)};
	struct proc *p;
	int open = 0;
	long kib = 0, more;

	p = proc_start_how(
		WORDS(weir, "-p", path("policy"), "-p", files[1], "--", server),
		&how);
	check_status(p, 125); /* there is none yet */
	check_equal(link(files[0], path("policy")), 0);
	p = proc_start_how(
		WORDS(weir, "-p", path("policy"), "-p", files[1], "--", server),
		&how);
	ping(p, "1");
	for (int i = 0; i < 1000; i++) {
		check_equal(unlink(path("policy")), 0);
		check_equal(link(files[i % 2], path("policy")), 0);
		hang_up(p, ANEW);
		if (i == 49) {
			ping(p, "1"); /* it is done with stderr */
			kib = memory_of(weir_pid(p), false);
			open = descriptors_of(weir_pid(p));
		}
	}
	ping(p, "2");
	more = memory_of(weir_pid(p), false) - kib;
	check(more < RESIDENT_SLACK, "%ld KiB, and %ld more", kib, more);
	check_equal(descriptors_of(weir_pid(p)), open);
	check_end(p, 0);
}
