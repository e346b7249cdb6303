/*
 * What a session leaves in its log, whatever becomes of the file and of the
 * processes that write it.
 */
#include "answers.h"
#include "fields.h"
#include "harness.h"
#include "way.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALLOW "'default':'allow'"
#define RATE                                                                   \
	"'default':'allow','tools':{'echo':{'limits':[{'max':2,"               \
	"'window':'day','scope':'session'}]}}"

static const char *const *logging(const char *policy, const char *log)
{
	return join(WEIR(policy, "-l", log), WORDS(NULL));
}

static void passes(struct proc *p, const char *id)
{
	const char *line;

	line = proc_ask(p, call(id, "echo"));
	check(line && !from_weir(line), "should pass: %s", line);
}

/* What weir log says of the files, the oldest first. */
static void check_verified(const char *const *files)
{
	struct proc *p =
		proc_run(join(WORDS(weir, "log", "--verify"), files), "");

	check(proc_wait(p) == 0, "not verified: %s%s", p->said.ptr,
	      p->told.ptr);
}

/* ---- answers --------------------------------------------------------- */

TEST(answers_are_logged)
{
	static const struct {
		const char *name;
		const char *const options[5];
		bool error;
	} servers[] = {
		{"plain", {NULL}, false},
		{"its id last, between noise",
		 {"--id-last", "--noise", NULL},
		 false},
		{"huge", {"--huge", "100000", "--id-last", NULL}, false},
		{"in pieces", {"--split", "1", "--huge", "2000", NULL}, false},
	};

	for (size_t i = 0; i < COUNT(servers); i++) {
		const char *log = path(text("log%zu", i)), *at, *line;
		struct proc *p = proc_run(
			join(logging(ALLOW, log),
			     join(WORDS("--", server), servers[i].options)),
			text("%s%s%s%s%s%s", request("0", "initialize", "{}"),
			     call("1", "echo"),
			     request("2", "tools/list", NULL),
			     request("2", "ping", NULL),
			     call("\"\\u00e9\"", "add"), call("3", "nothing")));

		in_case(servers[i].name);
		check_status(p, 0);
		at = lines_about(content(log).ptr, "answer");
		for (int k = 0; k < 3; k++) {
			line = next_line(&at);
			check(line, "no answer: %s", content(log).ptr);
			check_field(line, "call", text("%d", k + 1));
			check_field(line, "method", "tools/call");
			check_field(line, "tool",
				    WORDS("echo", "add", "nothing")[k]);
			check_field(line, "id", WORDS("1", "\xc3\xa9", "3")[k]);
			check_field(line, "error", k == 2 ? "true" : "false");
			check(strcmp(field(line, "ms"), "other") == 0 &&
				      strtol(field(line, "bytes"), NULL, 10) >
					      20,
			      "%s", line);
		}
		check(!next_line(&at), "too many: %s", content(log).ptr);
		at = lines_about(content(log).ptr, "end");
		check_field(at, "passed", "3");
		check_field(at, "answered", "3");
		check_field(at, "server", "plain");
		check_verified(WORDS(log));
	}
}

/* The server sends what is no id, with a list that is withheld. */
TEST(strange_ids)
{
	static const struct {
		const char *id, *logged;
	} cases[] = {
		{"-15", "-15"},
		{"null", NULL},
		{"{\"ts\":\"\xc2\x9b\"}", "{\"ts\":\"\xc2\x9b\"}"},
		{"[ 1]", "[ 1]"},
		{NULL, NULL}, /* of 5001 digits */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *log = path(text("log%zu", i));
		const char *id = cases[i].id ? cases[i].id : "1";
		struct bytes sent = {.ptr = NULL};
		struct proc *p;

		append_text(&sent, "{\"jsonrpc\":\"2.0\",\"id\":");
		append_text(&sent, id);
		for (int n = 0; !cases[i].id && n < 5000; n++)
			append_text(&sent, "1");
		append_text(&sent,
			    ",\"result\":{\"tools\":[],\"tools\":[]}}\n");
		p = proc_run(
			join(logging("'default':'allow','hide':['x']", log),
			     WORDS("--", server, "--reply",
				   file("reply", sent.ptr))),
			request("1", "tools/list", NULL));
		in_case(id);
		check_status(p, 0);
		check(!strstr(content(log).ptr, "\xc2\x9b"), "raw");
		if (cases[i].logged)
			check_field(lines_about(content(log).ptr, "withheld"),
				    "id", cases[i].logged);
		check_verified(WORDS(log));
	}
}

/* ---- no value is logged ---------------------------------------------- */

#define SECRET "s3cret"

TEST(no_value_is_logged)
{
	static const char policy[] =
		"'default':'deny','tools':{'echo':{'require':[{'path':"
		"'args.a','op':'regex','value':'^s'},{'path':'args.n',"
		"'op':'lt','value':5}],'limits':[{'max':1,"
		"'window':'day','per':'args.a','values':2}]},"
		"'add':{'limits':[{'max':9,'window':'day',"
		"'increment_from':'args.n'}]}},'resources':{'https:"
		"//x/*':{}},'prompts':{'p':{}}";
	static const char *const params[][2] = {
		{"tools/call",
		 "{\"name\":\"echo\",\"arguments\":{\"a\":\"" SECRET
		 "\",\"n\":1}}"},
		{"tools/call",
		 "{\"name\":\"echo\",\"arguments\":{\"a\":\"" SECRET
		 "\",\"n\":1}}"},
		{"tools/call",
		 "{\"name\":\"echo\",\"arguments\":{\"a\":\"" SECRET
		 "2\",\"n\":1}}"},
		{"tools/call",
		 "{\"name\":\"echo\",\"arguments\":{\"a\":\"" SECRET
		 "3\",\"n\":1}}"},
		{"tools/call",
		 "{\"name\":\"echo\",\"arguments\":{\"a\":{\"" SECRET
		 "\":1}}}"},
		{"tools/call",
		 "{\"name\":\"echo\",\"arguments\":{\"a\":\"x" SECRET
		 "\",\"n\":\"" SECRET "\"}}"},
		{"tools/call",
		 "{\"name\":\"add\",\"arguments\":{\"n\":\"" SECRET "\"}}"},
		{"tools/call",
		 "{\"name\":\"no\",\"arguments\":[\"" SECRET "\"]}"},
		{"prompts/get",
		 "{\"name\":\"p\",\"arguments\":{\"a\":\"" SECRET "\"}}"},
		{"resources/read", "{\"uri\":\"https://x:" SECRET "@x/a?" SECRET
				   "#" SECRET "\"}"},
		{"completion/complete",
		 "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"q\"},"
		 "\"argument\":{\"name\":\"a\",\"value\":\"" SECRET "\"}}"},
	};
	struct proc *p = proc_start_how(
		join(logging(policy, path("log")),
		     WORDS("-s", path("state"), "-g", "g", "--", server)),
		&(struct how){.env = NULL});
	const char *files[] = {path("log"), path("state/g.limits")}, *at;

	for (size_t i = 0; i < COUNT(params); i++)
		proc_send(p,
			  request(text("%zu", i), params[i][0], params[i][1]));
	proc_send(p, text("{\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"tools/"
			  "call\",\"params\":{\"name\":\"echo\",\"arguments\":"
			  "{\"a\":\"%s\"}}} %s\n",
			  SECRET, SECRET));
	check_end(p, 0);
	for (size_t i = 0; i < COUNT(files); i++)
		check(content(files[i]).len > 100 &&
			      !memmem(content(files[i]).ptr,
				      content(files[i]).len, SECRET, 6),
		      "%s: %s", files[i], content(files[i]).ptr);
	check(!strstr(p->told.ptr, SECRET), "stderr: %s", p->told.ptr);
	at = lines_about(content(files[0]).ptr, "decision");
	check_equal(count_lines(at), COUNT(params) + 1);
	check_has(at, "\"args\":[\"a\",\"n\"]");
	check_has(at, "\"uri\":\"https://x/a\"");
}

/* ---- the log must have it -------------------------------------------- */

static void small_files(void)
{
	const struct rlimit small = {1200, RLIM_INFINITY};

	setrlimit(RLIMIT_FSIZE, &small);
}

/* What cannot be logged does not reach the server and is not counted, until
 * there is room again: then a line says how many were lost. */
TEST(required)
{
	const struct rlimit large = {RLIM_INFINITY, RLIM_INFINITY};
	const char *log = path("log"), *record = path("record"), *at;
	struct how how = {.prepare = small_files};
	struct proc *p = proc_start_how(
		join(logging(RATE, log), WORDS("--log-required", "--", server,
					       "--record", path("record"))),
		&how);
	bool refused = false;

	passes(p, "1");
	/* What has passed was logged before. */
	for (int id = 100; id < 150 && !refused; id++) {
		proc_send(p, call(text("%d", id), "add"));
		refused = from_weir(proc_line(p));
		check(refused ||
			      strstr(lines_about(content(log).ptr, "decision"),
				     text("\"id\":%d,", id)),
		      "not logged: %d", id);
	}
	check(refused, "room for everything");
	for (int i = 0; i < 5; i++) {
		check_refused(proc_ask(p, call("3", "echo")), "3", false,
			      "(log)",
			      "the decision cannot be logged right now");
		ping(p, "4");
	}
	check(!strstr(content(record).ptr, "\"id\":3,"), "passed on");
	proc_told(p, "cannot write to the log");
	check_equal(prlimit(weir_pid(p), RLIMIT_FSIZE, &large, NULL), 0);
	passes(p, "5");
	check_has(proc_ask(p, call("6", "echo")), "/tools/echo/limits/0");
	check_end(p, 0);
	check_equal(weir_lines(p->told.ptr), 1);
	at = lines_about(content(log).ptr, "gap");
	check(strtol(field(at, "lost"), NULL, 10) >= 5, "%s", at);
	at = lines_about(content(log).ptr, "end");
	check_field(at, "lost",
		    field(lines_about(content(log).ptr, "gap"), "lost"));
	check_verified(WORDS(log));
}

/* Where nothing can be logged, nothing that is weighed passes; but with
 * --observe, which lets everything through. */
TEST(required_of_a_full_disk)
{
	const char *const *words =
		join(logging(ALLOW, "/dev/full"), WORDS("--log-required"));
	struct proc *p = proc_start(join(words, WORDS("--", server)));

	ping(p, "1");
	for (int i = 0; i < 3; i++)
		check_refused(proc_ask(p, call("2", "echo")), "2", false,
			      "(log)", NULL);
	check_end(p, 0);
	p = proc_start(join(words, WORDS("-n", "--", server)));
	passes(p, "1");
	check_end(p, 0);
	p = proc_run(WORDS(weir, "-p", path("policy"), "--log-required", "--",
			   server),
		     "");
	check_status(p, 125);
	check_has(p->told.ptr, "--log-required without a log");
}

/* ---- files ----------------------------------------------------------- */

/* The file is renamed again and again while two sessions write to it: no line
 * is lost, and each chain goes on over the files. */
TEST(rotated_under_load)
{
	enum { CALLS = 300, FILES = 10 };
	const char *files[FILES + 2] = {NULL}, *log = path("log");
	struct proc *p[2];
	size_t answers = 0, decisions = 0;

	for (int k = 0; k < 2; k++)
		p[k] = proc_start(
			join(logging(ALLOW, log), WORDS("--", server)));
	for (int i = 0; i < CALLS; i++) {
		for (int k = 0; k < 2; k++)
			proc_send(p[k], call(text("%d", i), "echo"));
		if (i % (CALLS / FILES) != 0)
			continue;
		files[i / (CALLS / FILES)] =
			path(text("log.%d", i / (CALLS / FILES)));
		for (int k = 0; k < 2; k++)
			check(proc_line(p[k]), "no answer");
		rename(log, files[i / (CALLS / FILES)]);
		for (int k = 0; k < 2; k++) {
			p[k]->told.len = 0;
			if (p[k]->told.ptr)
				*p[k]->told.ptr = '\0';
			kill(weir_pid(p[k]), SIGHUP);
			proc_told(p[k], "policy reloaded");
		}
	}
	for (int k = 0; k < 2; k++) {
		proc_close_in(p[k]);
		check_status(p[k], 0);
	}
	files[FILES] = log;
	for (int i = 0; i <= FILES; i++) {
		const char *all = content(files[i]).ptr;

		answers += count_lines(lines_about(all, "answer"));
		decisions += count_lines(lines_about(all, "decision"));
	}
	check_equal((int)decisions, 2LL * CALLS);
	check_equal((int)answers, 2LL * CALLS);
	check_verified(files);
}

/* Its directory goes: the session goes on, also when the log is to be opened
 * anew there. */
TEST(directory_removed)
{
	const char *dir = path("dir"), *log = path("dir/log");
	struct proc *p;

	check_equal(mkdir(dir, 0700), 0);
	p = proc_start(join(logging(ALLOW, log), WORDS("--", server)));
	passes(p, "1");
	check_equal(unlink(log), 0);
	check_equal(rmdir(dir), 0);
	passes(p, "2");
	kill(weir_pid(p), SIGHUP);
	proc_told(p, "cannot reopen log");
	passes(p, "3");
	check_equal(mkdir(dir, 0700), 0);
	kill(weir_pid(p), SIGHUP);
	/* It is opened before the next message is read. */
	while (!exists(log))
		passes(p, "4");
	passes(p, "5");
	check_end(p, 0);
	check_has(lines_about(content(log).ptr, "answer"), "\"id\":5,");
}

/* Eight sessions write to one file, and are killed at any moment: every line is
 * whole, and so is every chain as far as it goes. */
TEST(killed_at_random)
{
	enum { SESSIONS = 8, ROUNDS = 3 };
	const char *log = path("log"), *at, *lf;
	struct bytes calls = {.ptr = NULL};
	unsigned seed = (unsigned)getpid();
	int lines = 0;

	prefix_only("when weir begins is known");
	print_message("seed %u\n", seed);
	for (int i = 0; i < 400; i++)
		append_text(&calls, call(text("%d", i), i % 3 ? "echo" : "x"));
	for (int round = 0; round < ROUNDS; round++) {
		struct proc *p[SESSIONS];
		size_t before = exists(log) ? content(log).len : 0;

		for (int k = 0; k < SESSIONS; k++) {
			p[k] = proc_start(
				join(logging(ALLOW, log), WORDS("--", server)));
			proc_write(p[k], calls.ptr, calls.len);
		}
		for (int k = 0; k < SESSIONS; k++) {
			const size_t more = (size_t)rand_r(&seed) % 50000;
			struct stat st = {.st_size = 0};

			/* At some byte of the file, whoever wrote it. */
			for (int64_t until = milliseconds() + 200;
			     milliseconds() < until &&
			     (size_t)st.st_size < before + more;)
				stat(log, &st);
			before = (size_t)st.st_size;
			kill(weir_pid(p[k]), SIGKILL);
			proc_end(p[k]);
		}
	}
	for (at = content(log).ptr; (lf = strchr(at, '\n')); at = lf + 1) {
		check(strncmp(at, "{\"ts\":\"", 7) == 0 && lf[-1] == '}' &&
			      !memmem(at + 1, (size_t)(lf - at), "{\"ts\":\"",
				      7),
		      "not whole: %.*s", (int)(lf - at), at);
		lines++;
	}
	check(*at == '\0', "half a line: %s", at);
	check(lines > 20 * SESSIONS, "hardly a line: %d", lines);
	check_verified(WORDS(log));
}
