/* The command line: options, policies that do not load, check, and with what
 * status weir ends. */
#include "answers.h"
#include "fields.h"
#include "lines.h"
#include "way.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char good[] = "'default':'deny','tools':{'echo':{}}";

#define SEED(name) copy_of("tests/policies/" name ".json")
#define HIDES      SEED("sast-mcp.cancel_scan_job") /* and allows nothing */
#define ALLOWS     SEED("webscrapertoolkit.cancel_job")

/* A server that leaves a mark when it is started. */
static const char *const *marking(void)
{
	return join(WORDS("sh", "-c", "echo >\"$0\"; cat", path("started")),
		    WORDS(NULL));
}

/* It says why in lines of its own, and starts nothing. */
static void check_fails(struct proc *p, int lines, const char *says)
{
	check_status(p, 125);
	check_text("stdout", p->said.ptr, "");
	check(weir_lines(p->told.ptr) == lines, "%d lines were expected: %s",
	      lines, p->told.ptr);
	check_has(p->told.ptr, says);
	check(!exists(path("started")), "the server was started");
}

TEST(mark_works)
{
	proc_run(join(WEIR(good, "--"), marking()), "");
	check(exists(path("started")), "the server was not started");
}

/* What a client, unlike a shell, has passed on as it stands. */
TEST(path_as_it_stands)
{
	static const struct {
		const char *path, *says;
		bool state; /* of -s, by a policy that counts nothing; of -p */
	} rows[] = {
		{"~/s", " ~/s: ~ is not expanded here", true},
		{"${HOME}/s", ": ${ is not expanded here", true},
		{"ftp://x", "ftp://x: expected redis://", true},
		{"valkey://x", "expected redis://", true},
		{"REDIS://x", "expected redis://", true},
		{"redis:/x", "expected redis://", true},
		{"a:b", "colon as ./a:b", true},
		{"redis://x:0", "redis://x:0: the port is not", true},
		{"redis://a:pw@x", "URL: others can read", true},
		{"~/policy.json", ": ~ is not expanded here"},
		{"${HOME}/policy.json", ": ${ is not expanded here"},
		{"none/policy.json", "none/policy.json: No such file or "
				     "directory (relative to /"},
		{"/none/policy.json",
		 "/none/policy.json: No such file or directory\n"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		in_case(rows[i].path);
		check_fails(
			proc_run(join(rows[i].state
					      ? WORDS(weir, "-s", rows[i].path,
						      "-p", file("good", good),
						      "--")
					      : WORDS(weir, "-p", rows[i].path,
						      "--"),
				      marking()),
				 ""),
			1, rows[i].says);
	}
}

/* What does not load, and a word of what is said of it. */
static const struct faulty {
	const char *policy;
	int lines; /* one for each fault */
	const char *says;
} faulty[] = {
	/* The others are in tests/unit/test_language.c. */
	{"", 1, "policy:1:"},
	{"{\"version\":\"1\",\n\"default\":\"deny\",}", 1, "policy:2:"},
	{"{\"version\":\"1\",\"default\":\"deny\",\"tool\":{}}", 1,
	 "\"tools\""},
	{"\"tools\":{\"a\":{\"action\":\"deny\"}}", 1, "\"version\""},
	{"{\"version\":\"2\",\"default\":\"x\",\"hid\":[],\"tools\":{\"a\":7}}",
	 4, "/tools/a"},
};

TEST(faulty_policy)
{
	for (size_t i = 0; i < COUNT(faulty); i++) {
		const char *policy = file("policy", faulty[i].policy);

		in_case(faulty[i].policy);
		check_fails(proc_run(join(WORDS(weir, "-p", policy, "--"),
					  marking()),
				     ""),
			    faulty[i].lines, faulty[i].says);
	}
}

#define MARKS " -- sh -c 'echo >started'"

/* One line says why, and nothing is started. */
TEST(wrong_words)
{
	static const struct line_row rows[] = {
		{&MARKS[1], 125, "", "-p"},
		{"sh -c 'echo >started'", 125, "", "-p"},
		{"-p ''" MARKS, 125, "", "weir: "},
		{"-p none" MARKS, 125, "", "none"},
		{"-p @" MARKS, 125, "", "@"},
		{"--nope", 125, "", "--nope"},
		{"-x", 125, "", "-x"},
		{"-p policy --polizy policy" MARKS, 125, "", "--polizy"},
		{"-p policy --max-line many" MARKS, 125, "", "many"},
		{"-p policy --max-line -1" MARKS, 125, "", "-1"},
		{"-p policy --max-line 4096x" MARKS, 125, "", "4096x"},
		{"-p policy --max-line=" MARKS, 125, "", "--max-line"},
		{"-p", 125, "", "-p"},
		{"", 125, "", "COMMAND"},
		{"-p policy", 125, "", "COMMAND"},
		{"-p policy --", 125, "", "COMMAND"},
	};

	prefix_only("options are its words");
	policy_of(good);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p = check_row(&rows[i]);

		check_equal(weir_lines(p->told.ptr), 1);
		check(!exists(path("started")), "the server was started");
	}
	check_fails(proc_start_how(join(WORDS(weir), marking()),
				   &(struct how){.env = WORDS("WEIR_POLICY=")}),
		    1, "-p");
}

/* The options, and the verbs that take them; "weir" is none. */
static const struct {
	const char *option, *value, *verbs;
} options[] = {
	{"--policy", "f", "weir explain test limits"},
	{"--grant", "g", "weir limits"},
	{"--state", "d", "weir limits approve"},
	{"--log", "f", "weir"},
	{"--observe", NULL, "weir"},
	{"--max-line", "4096", "weir"},
	{"--strict", NULL, "check"},
	{"--print", NULL, "check"},
	{"--tools", "f", "check"},
	{"--preload", NULL, "check"},
	{"--method", "m", "explain"},
	{"--json", NULL, "explain limits"},
	{"--reset", "c", "limits"},
	{"--yes", NULL, "limits approve"},
	{"--deny", "1", "approve"},
	{"--digest", "d", "approve"},
	{"--watch", NULL, "approve"},
	{"--version", NULL, "weir"},
};

/* It has each option that the verb takes, fits a terminal, and is all that an
 * option before it asks for. */
TEST(help)
{
	static const char *const verbs[] = {"weir", "check",  "explain",
					    "test", "limits", "approve",
					    "help"};

	prefix_only("options are its words");
	for (size_t v = 0; v < COUNT(verbs); v++) {
		const char *const *const words =
			v == 0 ? WORDS(weir) : WORDS(weir, verbs[v]);
		struct proc *p = proc_run(join(words, WORDS("--help")), "");
		const char *help = p->said.ptr, *line = help;

		in_case(verbs[v]);
		check_status(p, 0);
		check_text("stderr", p->told.ptr, "");
		check(strncmp(help, "Usage: weir ", 12) == 0 &&
			      strstr(help, "Exit status: ") &&
			      !strstr(help, "\n\n\n") &&
			      (v > 0) == !strstr(help, "WEIR_MAX_LINE"),
		      "%s", help);
		for (; *line; line += strcspn(line, "\n") + 1)
			check(strcspn(line, "\n") < 80, "too long: %s", line);
		p = proc_run(join(words, WORDS("-h")), "");
		check_text("-h", p->said.ptr, help);
		for (size_t i = 0; i < COUNT(options); i++) {
			bool takes = strstr(options[i].verbs, verbs[v]);

			check(takes == !!strstr(help, text(" %s ",
							   options[i].option)),
			      "%s: %s", options[i].option, help);
			if (i + 1 == COUNT(options))
				break;
			p = proc_run(join(join(words, WORDS(options[i].option,
							    options[i].value)),
					  WORDS("--help")),
				     "");
			check_status(p, takes ? 0 : v == 0 ? 125 : 2);
		}
	}
}

/* The manual, as it was packed: no line is wider than a terminal. */
TEST(manual)
{
	static const struct {
		const char *topic, *has; /* NULL: there is none */
		const char *part, *told;
	} rows[] = {
		{NULL, "\n  weir help VERB "},
		{"check", "Usage: weir check "},
		{"check", "\n  weir check\n    Report every error"},
		{"explain", "'{\"name\": \"x\"}'\n"},
		{"test", "in weir-policy(5)); or show"},
		{"limits", "Exit status: 0 shown or reset"},
		{"log", "\n\nLOG\n    -l appends one JSON object"},
		{"log", "server (words: how many words,\n"},
		{"approve", "\n    $ weir approve 12\n"},
		{"wrap", "(allowedMcpServers, deniedMcpServers)."},
		{"unwrap", "Usage: weir unwrap "},
		{"unwrap", "unwrap removes the edits, which"},
		{"scan", "\n    --timeout SECONDS\n        How long"},
		{"help", "Usage: weir help "},
		{"policy", "DESCRIPTION\n    A policy says what"},
		{"policy", "\n    max_length  string, array     "},
		{"policy", "\n    repeat\n        How often"},
		{"conditions", "CONDITIONS\n    A condition has a path, an"},
		{"regular", "\n    ^ \\A  $ \\z  \\b \\B\n"},
		{"ambiguous", "\"[\\\"prod\\\"]\""},
		{"bounds",
		 "BOUNDS\n    What exceeds these bounds does not load, "
		 "or is refused.\n\n    --max-line"},
		{"bounds", "\n    lock file               16 MiB\n"},
		{"signals", "(-p <(...), /dev/fd/3)"},
		{"environment", "\n    WEIR_POLICY, WEIR_GRANT, WEIR_STATE"},
		{"exit", "EXIT STATUS\n    That of the server;"},
		{"approval", "APPROVAL BY A PERSON\n    A call that"},
		{"policy", "APPROVAL\n", "approval"},
		{"policy", "\n    glob, of a string       9997", "bounds"},
		{"policy", NULL, "lock", "no help about lock"},
		{"log", NULL, "x", "help: unexpected operand x"},
		{"preloading", NULL},
		{"limit", NULL, NULL, "did you mean limits\n"},
		{"condition", NULL, NULL, "did you mean conditions\n"},
		{"", NULL},
		{"Log", NULL, NULL, "no help about Log: did you mean log"},
	};

	prefix_only("the manual is the program's");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p = proc_run(
			WORDS(weir, "help", rows[i].topic, rows[i].part), "");
		const char *line = p->said.ptr, *has = rows[i].has;
		int lines = 0;

		in_case(text("%s: %s", rows[i].topic ? rows[i].topic : "none",
			     has ? has : "no help"));
		check_status(p, has ? 0 : 2);
		check(!*p->told.ptr == !!has &&
			      (!rows[i].told ||
			       strstr(p->told.ptr, rows[i].told)),
		      "told: %s", p->told.ptr);
		check(!has || strstr(p->said.ptr, has), "%s", p->said.ptr);
		check(*line != '\n' && !strstr(line, "\n\n\n"), "%s", line);
		for (; *line; line += strcspn(line, "\n") + 1, lines++)
			check(strcspn(line, "\n") < 80, "too long: %s", line);
		check(rows[i].topic || lines <= 30, "%d lines", lines);
	}
	/* One page's. */
	check(!strstr(proc_run(WORDS(weir, "help", "bounds"), "")->said.ptr,
		      "glob, of"),
	      "two pages");
}

/* A first word that is nearly a verb is told from a server's name. */
TEST(did_you_mean)
{
	static const struct {
		const char *words[3], *meant; /* NULL: nothing is */
	} rows[] = {
		{{"chekc", "policy"}, "check"},
		{{"explian", "echo"}, "explain"},
		{{"limit"}, "limits"},
		{{"lint", "policy"}, "check"},
		{{"validate", "policy"}, "check"},
		{{"--", "limit"}, NULL},
		{{"./limit"}, NULL},
		{{"lim"}, NULL},
		{{"checks"}, NULL}, /* it is in PATH */
	};
	const char *with = text("PATH=/bin:%s", path(""));
	const char *policy = text("WEIR_POLICY=%s", policy_of(good));
	struct how how = {.env = WORDS(with, policy)};

	prefix_only("verbs are its words");
	chmod(file("checks", "#!/bin/sh\n"), 0700);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const *w = rows[i].words, *meant = rows[i].meant;
		struct proc *p = proc_start_how(
			join(WORDS(weir), WORDS(w[0], w[1])), &how);

		in_case(w[0]);
		check_status(p, strcmp(w[0], "checks") == 0 ? 0 : 127);
		check(!strstr(p->told.ptr, "did you mean") == !meant &&
			      (!meant ||
			       strstr(p->told.ptr,
				      text("%s: no such command: did you mean weir %s?\n",
					   w[0], meant))),
		      "told: %s", p->told.ptr);
	}
}

TEST(version)
{
	static const char *const ways[] = {"--version", "-V"};

	prefix_only("it starts no server");
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct proc *p = proc_run(WORDS(weir, ways[i]), "");

		check_status(p, 0);
		check_text("stderr", p->told.ptr, "");
		check(strncmp(p->said.ptr, "weir ", 5) == 0 &&
			      strchr(p->said.ptr, '\n') ==
				      p->said.ptr + p->said.len - 1,
		      "not \"weir VERSION\": %s", p->said.ptr);
	}
}

/* weir --help >/dev/full */
TEST(full_stdout)
{
	FILE *full = fopen("/dev/full", "we");
	struct how how = {.given = {[1] = true}, .fds = {[1] = fileno(full)}};
	struct proc *p;

	prefix_only("it starts no server");
	p = proc_start_how(WORDS(weir, "--help"), &how);
	check_status(p, 125);
	check_equal(weir_lines(p->told.ptr), 1);
	p = proc_start_how(WORDS(weir, "check", ALLOWS), &how);
	check_status(p, 2);
	check_equal(weir_lines(p->told.ptr), 1);
	fclose(full);
}

/* ---- the environment ------------------------------------------------- */

static struct proc *start_env(const char *const *argv, const char *variable)
{
	struct how how = {.env = WORDS(variable)};

	return proc_start_how(argv, &how);
}

TEST(policy_from_environment)
{
	const char *policy = text("WEIR_POLICY=%s", policy_of(good));
	const char *deny = policy_file("deny", "'default':'deny'");
	struct proc *p = start_env(WORDS(weir, server), policy);

	check_default(p, "1", "add");
	check_passes(p, call("2", "echo"));

	/* The option is nearer than the environment. */
	p = start_env(WORDS(weir, "-p", deny, "--", server), policy);
	check_default(p, "1", "echo");

	p = start_env(join(WORDS(weir), marking()),
		      text("WEIR_POLICY=%s", path("none")));
	check_fails(p, 1, path("none"));
}

/* Nor does it matter to a verb, by whichever name the option is given. */
TEST(state_from_environment)
{
	static const struct line_row rows[] = {
		{"WEIR_STATE=@/none approve", 2, "", "@/none"},
		{"WEIR_STATE=@/none approve -s @", 0, "No call waits", ""},
		{"WEIR_STATE=@/none approve --state @", 0, "No call waits", ""},
		{"WEIR_STATE=~x limits -s @ -p policy", 0, "counted", ""},
		{"WEIR_STATE=~x limits --state @ -p policy", 0, "counted", ""},
	};

	policy_of("'default':'allow','all_tools':{'rate_limit':'9/minute'}");
	check_rows(rows, COUNT(rows));
}

TEST(max_line_from_environment)
{
	const char *policy = policy_of(good);
	struct proc *p = start_env(WORDS(weir, "-p", policy, "--", server),
				   "WEIR_MAX_LINE=5000");

	check_passes(p, long_ping("1", 5000));
	check_error(proc_ask(p, long_ping("1", 5001)), "null", -32600);

	p = start_env(
		WORDS(weir, "-p", policy, "--max-line", "6000", "--", server),
		"WEIR_MAX_LINE=5000");
	check_passes(p, long_ping("1", 6000));

	p = start_env(WORDS(weir, "-p", policy, "--", server),
		      "WEIR_MAX_LINE=");
	check_passes(p, long_ping("1", 6000));

	p = start_env(join(WORDS(weir, "-p", policy, "--"), marking()),
		      "WEIR_MAX_LINE=lots");
	check_fails(p, 1, "WEIR_MAX_LINE");
}

/* ---- check ----------------------------------------------------------- */

TEST(check_unsound)
{
	struct proc *p;

	prefix_only("check starts no server");
	for (size_t i = 0; i < COUNT(faulty); i++) {
		const char *policy = file("policy", faulty[i].policy);

		in_case(faulty[i].policy);
		p = proc_run(WORDS(weir, "check", policy), "");
		check_status(p, 2);
		check_has(p->said.ptr, faulty[i].says);
		p = proc_run(WORDS(weir, "check", "--strict", policy), "");
		check_status(p, 2);
	}
	in_case("the worst of several files");
	p = proc_run(WORDS(weir, "check", ALLOWS, path("none"), ALLOWS), "");
	check_status(p, 2);
	check_has(p->said.ptr, path("none"), ALLOWS);
	p = proc_run(WORDS(weir, "check", "--strict", HIDES, HIDES), "");
	check_status(p, 1);
}

/* ---- whose word a policy is ------------------------------------------- */

/* A verb that reads the policy, and the run itself, say the words, or run. */
/* What a call may write over, at the start and in check; the test's directory
 * is @. */
TEST(reaches_weir)
{
#define UNDER(dir) "{\"path\":\"args.p\",\"op\":\"under\",\"value\":" dir "}"
	static const struct {
		const char *rules;
		const char *warned; /* each that is */
	} rows[] = {
		{"\"require\":[" UNDER("\"@\"") "]",
		 "policy, lock, log, state"},
		{"\"require\":[{\"any\":[" UNDER("\"@/none\"") "," UNDER(
			 "[\"/none\",\"@/link\"]") "]}]",
		 "policy, lock, log, state"},
		{"\"require\":[" UNDER("\"@/state\"") "]", "state"},
		{"\"require\":[" UNDER("\"@/none\"") "]", ""},
		{"\"require\":[" UNDER("\"file://@/\"") "]", ""},
		{"\"deny_if\":[" UNDER("\"@\"") "]", ""},
		{"\"require\":[" UNDER("\"@\"") "],\"deny_if\":[" UNDER(
			 "\"@/state\"") ",{\"path\":\"args.**\",\"op\":\"glob\","
					"\"value\":\"*.json\"},{\"path\":"
					"\"args.q\",\"op\":\"exists\","
					"\"value\":true}]",
		 "lock, log"},
	};
	const char *const kept[] = {"policy", "lock", "log", "state"};

	check_equal(symlink(path(""), path("link")), 0);
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct bytes b = {.ptr = NULL};
		const char *at = rows[i / 2].rules, *dir = path(""), *said;
		struct proc *p;

		in_case(rows[i / 2].rules);
		append_text(&b, "{\"version\":\"1\",\"default\":\"deny\","
				"\"tools\":{\"w\":{\"rate_limit\":\"1/day\",");
		for (; *at; at++)
			if (*at == '@')
				append(&b, dir, strlen(dir) - 1);
			else
				append(&b, at, 1);
		append_text(&b, "}}}");
		at = file("p.json", b.ptr);
		p = i % 2 ? proc_run(WORDS(weir, "-p", at, "-s", path("state"),
					   "-l", path("log"), "--lock",
					   file("lock", "{\"lock\":\"1\","
							"\"tools\":{}}"),
					   "--", server),
				     "")
			  : proc_run(WORDS(weir, "check", at), "");
		check_status(p, 0);
		said = i % 2 ? p->told.ptr : p->said.ptr;
		/* check knows no lock and no log, and its state directory is
		 * another. */
		for (size_t k = 0; k < (i % 2 ? COUNT(kept) : 1); k++)
			check(!strstr(said, text("contains the %s", kept[k])) ==
				      !strstr(rows[i / 2].warned, kept[k]),
			      "the %s: %s", kept[k], said);
	}
}

static void check_trusted(const char *policy, const char *says)
{
	const char *const *const verbs[] = {
		WORDS(weir, "check", policy),
		WORDS(weir, "explain", "-p", policy, "echo"),
		WORDS(weir, "limits", "-p", policy),
	};
	struct proc *p =
		proc_run(join(WORDS(weir, "-p", policy, "--"), marking()), "");

	check(exists(path("started")) == !says, "status %d: %s", p->status,
	      p->told.ptr);
	unlink(path("started"));
	check_status(p, says ? 125 : 0);
	check(!says || strstr(p->told.ptr, says), "told: %s", p->told.ptr);
	for (size_t i = 0; says && i < COUNT(verbs); i++) {
		in_case(text("%s: %s", policy, verbs[i][1]));
		p = proc_run(verbs[i], "");
		check_status(p, 2);
		check_has(i == 0 ? p->said.ptr : p->told.ptr, says);
	}
	in_case(NULL);
}

TEST(others_may_write)
{
	static const char everybody[] = "everybody may write this file";
	const char *policy = policy_of(good), *link = path("link");
	const char *fifo = path("fifo");
	struct proc *p;

	check_equal(symlink(policy, link), 0);
	check_trusted(link, NULL);
	chmod(policy, 0602);
	check_trusted(policy, everybody);
	check_trusted(link, everybody);
	chmod(policy, 0444);
	check_trusted(policy, NULL);
	chmod(policy, 0664);
	check_trusted(policy, NULL);
	in_case("its group");
	p = proc_run(WORDS(weir, "-p", policy, "--", server), "");
	check_equal(weir_lines(p->told.ptr), 1);
	check_has(p->told.ptr, "the group may write this file");
	p = proc_run(WORDS(weir, "check", "--strict", policy), "");
	check_status(p, 1);
	check_has(p->said.ptr, "warning: ", "chmod g-w it");
	in_case("a fifo");
	check_equal(mkfifo(fifo, 0600), 0);
	for (int i = 0; i < 2; i++) {
		chmod(fifo, i == 0 ? 0600 : 0622);
		p = proc_run(
			WORDS("sh", "-c",
			      "cat \"$1\" >\"$0\" & exec \"$2\" check \"$0\"",
			      fifo, policy, weir),
			"");
		check_status(p, i == 0 ? 0 : 2);
	}
}

/* As zsh and launchers do it: no name, and a mode that says nothing. */
static void give_memory(void)
{
	const char *all = policy_text(good);
	int fd = memfd_create("policy", 0);

	if (fd < 0 || write(fd, all, strlen(all)) < 0 ||
	    lseek(fd, 0, SEEK_SET) != 0 || dup2(fd, 9) < 0)
		_exit(9);
	fchmod(fd, 0777);
}

TEST(nameless_policies)
{
	struct how how = {.prepare = give_memory};
	struct proc *p =
		proc_start_how(WORDS(weir, "check", "/dev/fd/9"), &how);

	prefix_only("it starts no server");
	check_status(p, 0);
	p = proc_run(WORDS("sh", "-c", "cat \"$0\" | \"$1\" check /dev/stdin",
			   policy_of(good), weir),
		     "");
	check_status(p, 0);
}

TEST(others_policies)
{
	const char *policy = policy_of(good);

	root_only("give a file away");
	check_equal(chown(policy, 12345, 0), 0);
	check_trusted(policy, "this file belongs to another user (uid 12345)");
	check_equal(chown(policy, 0, 12345), 0);
	check_trusted(policy, NULL);
}

/* ---- what check says of much ----------------------------------------- */

/* A list of so many tools, {"name":"t0"}, ..., and what comes behind it. */
static const char *tools_list(int count, const char *behind)
{
	const char *at = path("list");
	FILE *f = fopen(at, "we");

	check(f, "%s", at);
	fprintf(f, "{\"tools\":[");
	for (int i = 0; i < count; i++)
		fprintf(f, "%s{\"name\":\"t%d\"}", i ? "," : "", i);
	fprintf(f, "]%s}", behind);
	fclose(f);
	return at;
}

TEST(check_long_list)
{
	const char *policy =
		policy_of("'default':'deny','tools':{'t29999':{}}");
	struct proc *p = proc_run(WORDS(weir, "check", "--strict", "--tools",
					tools_list(30000, ""), policy),
				  "");

	prefix_only("it starts no server");
	check_status(p, 0);
	check_has(p->said.ptr, "\nt29999 ");
	check_equal(count_lines(p->said.ptr), 30001);

	in_case("a part of a list");
	p = proc_run(WORDS(weir, "check", "--tools",
			   tools_list(9, ",\"nextCursor\": \"a\""), policy),
		     "");
	check(strstr(p->said.ptr, "nextCursor names another page") &&
		      !strstr(p->said.ptr, "no tool of the list"),
	      "said: %s", p->said.ptr);
	in_case("the last part");
	p = proc_run(WORDS(weir, "check", "--tools",
			   tools_list(9, ",\"nextCursor\": null"), policy),
		     "");
	check(!strstr(p->said.ptr, "nextCursor") &&
		      strstr(p->said.ptr, "no tool of the list"),
	      "said: %s", p->said.ptr);
	in_case("without a name");
	p = proc_run(WORDS(weir, "check", "--tools",
			   file("list", "[{\"name\":\"t29999\"},{\"name\":1},{}"
					"]"),
			   policy),
		     "");
	check_status(p, 0);
	check_has(p->said.ptr, "are missing or ambiguous: 2");
	in_case("cut before its last bracket, with brackets in free memory");
	p = proc_run(WORDS("env", "MALLOC_PERTURB_=130", weir, "check",
			   "--tools", tools_list(99, ",\"a\":{"), policy),
		     "");
	check_status(p, 2);
	check_has(p->told.ptr, "no list of tools");
	in_case("without an end");
	p = proc_run(WORDS(weir, "check", "--tools", "/dev/zero", policy), "");
	check_status(p, 2);
	check_has(p->told.ptr, "at most 64 MiB");
}

/* Every limit of a tool is in its row. */
TEST(check_long_row)
{
	struct bytes policy = {.ptr = NULL};
	struct proc *p;

	prefix_only("it starts no server");
	append_text(&policy, "{\"version\":\"1\",\"default\":\"allow\","
			     "\"tools\":{\"t0\":{\"limits\":[");
	for (int i = 0; i < 60; i++)
		append_text(&policy,
			    text("%s{\"max\":1,\"window\":1,\"counter\":"
				 "\"%d\",\"on_deny\":\"%01000d\"}",
				 i ? "," : "", i, i));
	append_text(&policy, "]}}}");
	p = proc_run(WORDS(weir, "check", "--tools", tools_list(1, ""),
			   file("policy", policy.ptr)),
		     "");
	check_status(p, 0);
	for (int i = 0; i < 60; i++)
		check_has(p->said.ptr, text(", %01000d", i));
}

/* More than 64 MiB, of a file that is not too long: each DEL takes six bytes.
 */
TEST(check_prints_all)
{
	static const char end[] = "\n    \"last\": {}\n  }\n}\n";
	char reason[4001] = "";
	FILE *f = fopen(path("big"), "we");
	struct bytes all;
	struct proc *p;

	prefix_only("it starts no server");
	check(f, "no file");
	memset(reason, 0x7F, sizeof(reason) - 1);
	fprintf(f, "{\"version\":\"1\",\"default\":\"allow\",\"tools\":{");
	for (int i = 0; i < 3000; i++)
		fprintf(f, "\"t%d\":{\"action\":\"deny\",\"reason\":\"%s\"},",
			i, reason);
	fprintf(f, "\"last\":{}}}");
	fclose(f);
	p = proc_start(WORDS("sh", "-c",
			     "exec \"$1\" check --print \"$2\" >\"$3\"", "sh",
			     weir, path("big"), path("printed")));
	check_status(p, 0);
	all = content(path("printed"));
	check(all.len > 64 << 20, "only %zu bytes", all.len);
	check_text("its end", all.ptr + all.len - strlen(end), end);
	check_has(p->told.ptr, "a policy file has at most 16 MiB");
}

TEST(check_many_files)
{
	const char *words[40] = {weir, "check"};
	struct proc *p;

	prefix_only("it starts no server");
	for (size_t i = 2; i < 2 + 33; i++)
		words[i] = policy_of(good);
	p = proc_run(words, "");
	check_status(p, 0);
	check_has(p->said.ptr, "33 files: weir runs with at most 32");
}

/* A verb is one only as the first word. */
TEST(server_called_check)
{
	const char *script = file("check", "#!/bin/sh\necho \"run: $*\"\n");
	const char *with = text("PATH=%s:/bin:/usr/bin", path(""));
	const char *policy = text("WEIR_POLICY=%s", policy_of(good));
	struct how how = {.env = WORDS(with, policy)};
	const char *const *const commands[] = {
		WORDS(weir, "-p", path("policy"), "--", "check", "a b", "-p"),
		WORDS(weir, "-p", path("policy"), "check", "a b", "-p"),
		WORDS(weir, "--", "check", "a b", "-p"),
	};

	prefix_only("it has words that are verbs");
	chmod(script, 0700);
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct proc *p = proc_start_how(commands[i], &how);

		in_case(text("%s %s", commands[i][1], commands[i][2]));
		check_status(p, 0);
		check_text("what the server says", p->said.ptr,
			   "run: a b -p\n");
	}
}

/* ---- exit statuses --------------------------------------------------- */

/* The client does not close anything: the server's end is enough. */
TEST(exit_statuses)
{
	static const struct {
		const char *script;
		int status; /* -N: signal N */
	} cases[] = {
		{"exit 0", 0},
		{"exit 1", 1},
		{"exit 7", 7},
		{"exit 124", 124},
		{"exit 255", 255},
		{"kill -TERM $$", -15},
		{"kill -KILL $$", -9},
		{"kill -SEGV $$", -11},
		{"exec 0<&- 1>&-; exit 3", 3},
		{"read line; echo \"$line\"; exit 4", 4},
	};
	const char *policy = policy_of(good);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct proc *p = proc_start(WORDS(weir, "-p", policy, "--",
						  "sh", "-c", cases[i].script));
		bool reads = strncmp(cases[i].script, "read", 4) == 0;

		in_case(cases[i].script);
		if (reads)
			proc_send(p, request("1", "ping", NULL));
		check_status(p, cases[i].status < 0
					? signalled(-cases[i].status)
					: cases[i].status);
		/* The library tells that no message has passed. */
		check_equal(weir_lines(p->told.ptr), preload && !reads);
	}
}

TEST(cannot_run)
{
	const char *policy = policy_of(good);
	const char *plain = file("plain", "#!/bin/sh\n");
	const char *lost = file("lost", "#!/no/such/interpreter\n");
	struct how how = {.env = WORDS(text("PATH=/bin:%s", path("")))};
	const struct {
		const char *command;
		int status;
		const char *told;
	} cases[] = {
		{path(""), 126, "Permission denied"},
		{plain, 126, "Permission denied"},
		{"/dev/null", 126, "Permission denied"},
		/* As env(1) has it. */
		{text("%s/x", plain), 126, "Not a directory"},
		{path("none"), 127, "no such command"},
		{lost, 127, "it exists, but its interpreter does not"},
		{"lost", 127, "it exists, but its interpreter does not"},
		{"no-such-command-anywhere", 127, "no such command"},
		{"", 127, "no such command"},
	};

	prefix_only("libweir.so starts no command");
	chmod(lost, 0700);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct proc *p = proc_start_how(
			WORDS(weir, "-p", policy, "--", cases[i].command),
			&how);

		in_case(cases[i].command);
		check_status(p, cases[i].status);
		check_text("stdout", p->said.ptr, "");
		check_equal(weir_lines(p->told.ptr), 1);
		check_has(p->told.ptr, cases[i].told);
	}
}

/* A policy with a thousand things to say of it. */
static const char *talkative(const char *rules)
{
	struct bytes b = {.ptr = NULL};

	append_text(&b, "{\"version\":\"1\",\"default\":\"allow\",\"tools\":{");
	for (int i = 0; i < 1000; i++)
		append_text(&b, text("%s\"the__name_of_a_server__name_of_tool_"
				     "%d\":%s",
				     i ? "," : "", i, rules));
	append_text(&b, "}}");
	return file("talkative", b.ptr);
}

/* The first twenty are said, and how many more there are; where nobody reads
 * stderr, nothing waits for it. */
TEST(start_says_little)
{
	static const struct {
		const char *rules;
		int status;
	} rows[] = {
		{"{\"action\":\"deny\",\"deny_if\":[{\"path\":\"args.a\",\"op\":\"exists\",\"value\":true}]}",
		 7},
		{"{\"bad\":1}", 125}};
	struct how how = {.given = {[2] = true}};
	int err[2];

	check_equal(pipe2(err, O_CLOEXEC), 0);
	how.fds[2] = err[1];
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const char *at = talkative(rows[i / 2].rules);
		const char *const *words =
			WORDS(weir, "-p", at, "--", server, "--exit", "7");
		struct proc *p =
			i % 2 ? proc_start_how(words, &how) : proc_start(words);

		in_case(rows[i / 2].rules);
		if (rows[i / 2].status == 7)
			ping(p, "1");
		check_end(p, rows[i / 2].status);
		if (i % 2)
			continue;
		check_equal(weir_lines(p->told.ptr), 21);
		check_has(p->told.ptr, "weir: and 98");
		p = proc_run(WORDS(weir, "check", at), "");
		check_has(p->said.ptr, "name_of_tool_999");
	}
	close(err[0]);
	close(err[1]);
}
