/*
 * System calls that are interrupted, or that do little: the client and the
 * server see no difference.
 */
#include "answers.h"
#include "fields.h"
#include "ends.h"
#include "processes.h"
#include "way.h"

#define AT_ONCE 16 /* processes side by side */

/* A command behind weir, behind weir with other system calls. */
static const char *const *with_faults(const char *const *words)
{
	check(faulty_weir, "FAULTY has to name the program, or the library");
	return join(WORDS(faulty_weir), words + 1);
}

/* A static weir has none of its own: "-". */
static void skip_without_faults(void)
{
	if (!faulty_weir || strcmp(faulty_weir, "-") != 0)
		return;
	print_message("tried with the dynamic weir\n");
	skip();
}

static const char *short_session(void)
{
	return text("%s%s%s%s", request("1", "initialize", "{}"),
		    request("2", "tools/list", NULL), call("3", "echo"), "\n");
}

/* With a log of its own, and with the call of this number interrupted; 0: with
 * none. */
static struct proc *run_with(int number, const char *const *command,
			     const char *input)
{
	const char *hit = path(text("hit%d", number));
	const char *log = path(text("log%d", number));
	struct how how = {.env = WORDS(text("FAULT_AT=%d", number),
				       text("FAULT_FILE=%s", hit),
				       text("WEIR_LOG=%s", log))};
	struct proc *p;

	remove(hit);
	remove(log);
	p = proc_start_how(number > 0 ? with_faults(command) : command, &how);
	proc_write(p, input, strlen(input));
	proc_close_in(p);
	return p;
}

static size_t logged(int number)
{
	const char *log = path(text("log%d", number));

	return exists(log) ? count_lines(content(log).ptr) : 0;
}

/* Each call in turn, until there are no more of them. */
static void each_call(const char *name, const char *const *command,
		      const char *input)
{
	struct proc *plain = run_with(0, command, input), *ps[AT_ONCE];
	int status = proc_wait(plain);
	bool hit = true;

	for (int n = 1; hit; n += AT_ONCE) {
		for (int i = 0; i < AT_ONCE; i++)
			ps[i] = run_with(n + i, command, input);
		for (int i = 0; i < AT_ONCE; i++) {
			in_case(text("%s, call %d", name, n + i));
			check_status(ps[i], status);
			check_said(ps[i], plain);
			check_text("stderr", ps[i]->told.ptr, plain->told.ptr);
			check(logged(n + i) == logged(0), "not all is logged");
			hit = exists(path(text("hit%d", n + i)));
		}
	}
	check(exists(path("hit2")), "%s: hardly a call was made", name);
}

TEST(once_interrupted)
{
	skip_without_faults();
	each_call("a session", behind_weir(WORDS(server, "--exit", "5")),
		  short_session());
	each_call("words on stderr", behind_weir(WORDS(server)),
		  "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":"
		  "{\"name\":\"echo\"}}\n");
	if (preload) {
		/* Nothing is started before that without libweir.so. */
		each_call("no policy",
			  WORDS(weir, "-p", path("none"), "--", server), "");
		return;
	}
	/* libweir.so does neither. */
	if (!posix)
		each_call("what is left",
			  behind_weir(WORDS("sh", "-c", "sleep 1000 & exit 4")),
			  "");
	each_call("no such command", behind_weir(WORDS("/nowhere/server")), "");
}

/* What it said, but for the line that weir says of id 5. */
static struct bytes without_refusal(struct proc *p)
{
	struct bytes rest = {.ptr = NULL};
	const char *line;
	int refusals = 0;

	p->taken = 0;
	while ((line = proc_line(p))) {
		if (strstr(line, "\"id\":5,"))
			refusals++;
		else
			append_text(&rest, line);
	}
	check_equal(refusals, 1);
	return rest;
}

/* Every second call fails, or little is done at once, or both. */
static const char *const faults[][2] = {
	{"FAULT_EVERY=2", NULL},
	{"FAULT_EVERY=3", NULL},
	{"FAULT_BYTES=1", NULL},
	{"FAULT_BYTES=7", "FAULT_EVERY=2"},
	{"FAULT_BYTES=1000", "FAULT_EVERY=5"},
};

TEST(always_interrupted)
{
	const char *input =
		text("%s%s%s%s", short_session(), long_ping("4", 3000),
		     call("5", "remove"), request("6", "ping", NULL));
	const char *const *command = WORDS(server, "--huge", "3000", "--noise");
	struct proc *plain = proc_run(behind_weir(command), input);

	skip_without_faults();
	for (size_t i = 0; i < COUNT(faults) * ENDS_KINDS; i++) {
		const struct ends_kind *kind = &ends_kinds[i % ENDS_KINDS];
		const char *const *fault = faults[i / ENDS_KINDS];
		const char *const *words =
			WORDS("env", fault[0], fault[1] ? fault[1] : "A=1");
		struct ends e;
		struct proc *p = ends_start(
			kind, &e, 0,
			join(words,
			     way_words(with_faults(behind_weir(command)))));

		in_case(text("%s: %s %s", kind->name, words[1], words[2]));
		ends_close_theirs(&e);
		proc_write(p, input, strlen(input));
		ends_close_in(kind, p);
		check_status(p, 0);
		/* weir's own answer may stand elsewhere. */
		check_same("stdout", without_refusal(p).ptr,
			   without_refusal(p).len, without_refusal(plain).ptr,
			   without_refusal(plain).len);
	}
}
