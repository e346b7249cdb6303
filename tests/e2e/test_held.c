/*
 * A verdict that takes time: the call waits, and nothing else does.  Another
 * process has the lock of the grant's counters, and is stopped.
 */
#include "answers.h"
#include "fields.h"
#include "way.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define RATE(rate)                                                             \
	"'default':'allow','tools':{'echo':{'rate_limit':'" rate "'}}"
#define UNCOUNTED "the call limit cannot be checked right now"
#define WAIT_MOST 250 /* milliseconds that a call waits */
#define TRIES     5   /* of what has to be fast, on a machine that is not */

/* A server that says something all the time, and answers as well. */
#define TICK "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tick\"}"
#define TICKING                                                                \
	"(while echo '" TICK "'; do sleep 0.02; done) & exec \"$0\" \"$@\""

static const char *const *held_by(const char *as, const char *policy)
{
	return join(WORDS(as, "-s", path("state"), "-g", "g", "-l", path("log"),
			  "-p", policy_of(policy), "--"),
		    WORDS(NULL));
}

/* The session of these words, once the counters of the grant are there. */
static struct proc *begin(const char *const *options, const char *const *words)
{
	struct proc *p = proc_start(join(options, words));

	proc_send(p, request("0", "ping", NULL));
	while (strstr(proc_line(p), "tick"))
		;
	return p;
}

/* The pid of a process that has the lock and is stopped. */
static pid_t take_lock(void)
{
	struct proc *p = proc_start(WORDS("flock", path("state/g.limits"), "sh",
					  "-c", "echo $$; kill -STOP $$"));

	return (pid_t)strtol(proc_line(p), NULL, 10);
}

static void check_uncounted(const char *line, const char *id)
{
	check_refused(line, id, false, "/tools/echo/rate_limit", UNCOUNTED);
}

/* It takes no longer, in one of several tries: the machine may be busy. */
static void check_fast(int64_t (*took)(void), int64_t most)
{
	int64_t best = took();

	for (int try = 1; try < TRIES && best > most; try++) {
		int64_t again = took();

		best = again < best ? again : best;
	}
	check(best <= most, "it took %d ms", (int)best);
}

/* Sends the line and a thousand pings, and returns how many milliseconds it
 * takes until the last is answered. */
static int64_t thousand_pings(struct proc *p, const char *line)
{
	struct bytes input = {.ptr = NULL};
	const int64_t start = milliseconds();

	append_text(&input, line);
	for (int i = 0; i < 1000; i++)
		append_text(&input, request("2", "ping", NULL));
	append_text(&input, request("3", "ping", NULL));
	proc_write(p, input.ptr, input.len);
	proc_more(p, 1000 * 36);
	while (!strstr(p->said.ptr + p->taken, "\"id\":3,"))
		proc_more(p, p->said.len - p->taken + 1);
	return milliseconds() - start;
}

/* Pings behind a call that waits: they keep their order, the server is heard
 * meanwhile, and what all of it takes beyond the pings is soon over. */
static int64_t pings_behind(void)
{
	struct proc *p = begin(held_by(weir, RATE("9/minute")),
			       WORDS("sh", "-c", TICKING, server));
	const int64_t alone = thousand_pings(p, "");
	pid_t holder;
	int64_t took;
	int ticks = 0;
	const char *line;

	while (!strstr(proc_line(p), "\"id\":3,"))
		;
	holder = take_lock();
	took = thousand_pings(p, call("1", "echo"));
	while (strstr(line = proc_line(p), "tick"))
		ticks++;
	check_uncounted(line, "1");
	check(took >= WAIT_MOST - 1, "after %d ms", (int)took);
	check(ticks >= 3, "%d ticks", ticks);
	proc_told(p, "is locked by another process");
	kill(holder, SIGKILL);
	while (!strstr(proc_line(p), "\"id\":3,"))
		;
	do {
		proc_send(p, call("4", "echo"));
		while (strstr(line = proc_line(p), "tick"))
			;
	} while (from_weir(line));
	proc_told(p, "limits can be checked again");
	check_end(p, 0);
	return took - alone;
}

/* Many calls: only the first waits. */
static int64_t calls_behind(void)
{
	struct proc *p = begin(held_by(weir, RATE("9/minute")), WORDS(server));
	struct bytes input = {.ptr = NULL};
	pid_t holder = take_lock();
	const int64_t start = milliseconds();
	int64_t took;

	for (int i = 0; i < 100; i++)
		append_text(&input, call("1", "echo"));
	append_text(&input, request("2", "ping", NULL));
	proc_write(p, input.ptr, input.len);
	for (int i = 0; i < 100; i++)
		check_uncounted(proc_line(p), "1");
	check(!from_weir(proc_line(p)), "no pong");
	took = milliseconds() - start;
	kill(holder, SIGKILL);
	check_end(p, 0);
	return took;
}

/* A signal, and the server's end by it, do not wait for the call. */
static int64_t signal_meanwhile(void)
{
	struct proc *p = begin(held_by(weir, RATE("9/minute")), WORDS(server));
	struct bytes input = {.ptr = NULL};
	pid_t holder = take_lock();
	int64_t start;

	for (int i = 0; i < 100; i++)
		append_text(&input, call("1", "echo"));
	proc_write(p, input.ptr, input.len);
	proc_idle(p);
	start = milliseconds();
	kill(weir_pid(p), SIGTERM);
	check_status(p, signalled(SIGTERM));
	start = milliseconds() - start;
	kill(holder, SIGKILL);
	return start;
}

TEST(all_flows)
{
	check_fast(pings_behind, 300);
	check_fast(calls_behind, 300);
	check_fast(signal_meanwhile, WAIT_MOST - 50);
}

/* Does the log say that the decision took as long as only a wait does? */
static bool waited(const char *log)
{
	return *log && strtol(field(log, "us"), NULL, 10) >= 1000;
}

/* The lock is free in time: the call passes, in its place, byte for byte,
 * whatever has come behind it; and the log says how long it waited. */
TEST(passes_late)
{
	const char *pings =
		text("%s%s", long_ping("1", 90000), request("2", "ping", NULL));
	const char *longer = long_ping("6", 1 << 20);
	const char *input = text(
		"%s{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"echo\",\"arguments\":%.*s}}\n%s",
		pings, (int)strlen(strstr(longer, "{\"pad")) - 2,
		strstr(longer, "{\"pad"), request("4", "ping", NULL));
	struct proc *p;
	const char *line = NULL, *log = NULL;

	for (int try = 0; try < 4 * TRIES; try++) {
		pid_t holder;

		remove(path("record"));
		remove(path("log"));
		p = begin(held_by(weir, RATE("90/minute")),
			  WORDS(server, "--record", path("record")));
		holder = take_lock();
		proc_write(p, input, strlen(input));
		do
			line = proc_line(p);
		while (!from_weir(line) && !strstr(line, "\"id\":2,"));
		proc_idle(p);
		kill(holder, SIGKILL);
		/* Unless it has waited too long meanwhile. */
		if (!from_weir(line))
			line = proc_line(p);
		check_end(p, 0);
		/* It was read, but may have been judged after that. */
		log = lines_about(content(path("log")).ptr, "decision");
		if (!from_weir(line) && waited(log))
			break;
	}
	check(!from_weir(line) && strstr(line, "\"id\":3,"), "got: %s", line);
	check_got(text("%s%s", request("0", "ping", NULL), input));
	check_field(log, "verdict", "passed");
	check(waited(log), "does not say how long: %s", log);
}

/* Without a line end at the end of the input, the call is refused all the same,
 * and then the server's input ends. */
TEST(input_ends)
{
	struct proc *p = begin(held_by(weir, RATE("9/minute")), WORDS(server));
	const char *line = call("1", "echo");
	pid_t holder = take_lock();

	proc_write(p, line, strlen(line) - 1);
	proc_close_in(p);
	check_uncounted(proc_line(p), "1");
	check_status(p, 0);
	kill(holder, SIGKILL);
}

/* It is judged by the new policy, which needs no lock. */
TEST(reloaded_meanwhile)
{
	struct proc *p = begin(held_by(weir, RATE("9/minute")), WORDS(server));
	pid_t holder = take_lock();

	proc_send(p, call("1", "echo"));
	proc_send(p, call("2", "echo"));
	proc_idle(p);
	policy_of("'default':'allow','tools':{'echo':{'action':'deny'}}");
	kill(weir_pid(p), SIGHUP);
	check_refused(proc_line(p), "1", false, "/tools/echo/action", NULL);
	check_refused(proc_line(p), "2", false, "/tools/echo/action", NULL);
	proc_told(p, "policy reloaded");
	kill(holder, SIGKILL);
	check_end(p, 0);
}

/* Observed, the call waits for its verdict, and passes. */
TEST(observed)
{
	struct proc *p = begin(
		join(WORDS(weir, "-n"), held_by(weir, RATE("9/minute")) + 1),
		WORDS(server));
	pid_t holder = take_lock();
	const char *log;

	check_passes(p, call("1", "echo"));
	kill(holder, SIGKILL);
	check_end(p, 0);
	log = lines_about(content(path("log")).ptr, "decision");
	check_field(log, "verdict", "refused");
	check_field(log, "observed", "true");
	check(waited(log), "does not say how long: %s", log);
}

/* The same where system calls are interrupted. */
TEST(interrupted)
{
	struct proc *p;
	pid_t holder;

	if (!faulty_weir || strcmp(faulty_weir, "-") == 0)
		skip();
	p = proc_start_how(
		join(held_by(faulty_weir, RATE("9/minute")), WORDS(server)),
		&(struct how){.env = WORDS("FAULT_EVERY=2", "FAULT_BYTES=7")});
	ping(p, "0");
	holder = take_lock();
	proc_send(p, call("1", "echo"));
	check_uncounted(proc_ask(p, request("2", "ping", NULL)), "1");
	check(!from_weir(proc_line(p)), "no pong");
	kill(holder, SIGKILL);
	check_end(p, 0);
}
