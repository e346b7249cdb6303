/*
 * Counters in Redis: from the first call on, through restarts of either side,
 * and while the server is stopped, killed, or wants what it is not given.
 */
#include "answers.h"
#include "../unit/redis.h"

#include <stdlib.h>
#include <sys/stat.h>

#define RATE(rate)                                                             \
	"'default':'allow','tools':{'echo':{'rate_limit':'" rate "'}}"
#define SESSION                                                                \
	"'default':'allow','tools':{'echo':{'limits':[{'max':1,'window':60,"   \
	"'scope':'session'}]}}"
#define RULE      "/tools/echo/rate_limit"
#define UNCOUNTED "the call limit cannot be checked right now"

/* Skips the test where there is no server. */
#define SERVER(...) start_server(WORDS(__VA_ARGS__))
static void start_server(const char *const *more)
{
	static bool once;

	if (!once)
		atexit(redis_end);
	once = true;
	after_test(redis_stop);
	if (redis_start(more))
		return;
	print_message("no redis-server here\n");
	skip();
}

static struct proc *start(const char *policy)
{
	return proc_start(WORDS(weir, "-s", redis_url, "-g", "g", "-p",
				policy_of(policy), "--", server));
}

static struct proc *limits(const char *option, const char *value)
{
	return proc_run(WORDS(weir, "limits", "-s", redis_url, "-g", "g", "-p",
			      path("policy"), option, value),
			"");
}

/* The next call passes. */
static bool passes(struct proc *p)
{
	proc_send(p, call("1", "echo"));
	return !from_weir(proc_line(p));
}

TEST(redis_many_weirs_and_restarts)
{
	struct proc *p, *q;

	SERVER(NULL);
	p = start(RATE("9/minute"));
	for (int i = 0; i < 9; i++) {
		q = start(RATE("9/minute"));
		check(passes(i % 2 ? p : q), "call %d", i);
		if (i % 3)
			proc_close_in(q);
		else
			kill(q->pid, SIGKILL);
		proc_wait(q);
	}
	check_limited(proc_ask(p, call("7", "echo")), "7", RULE,
		      "at most 9 calls a minute");
	q = limits("--json", NULL);
	check_has(q->said.ptr, "\"used\": 9, \"max\": 9");
	check_has(q->said.ptr, redis_url);
	check_status(limits("--reset=" RULE, "--yes"), 0);
	check(passes(p), "after a reset");
	q = limits("--json", NULL);
	check_has(q->said.ptr, "\"used\": 1, \"max\": 9");
	check_end(p, 0);
	check_text("stderr", p->told.ptr, "");
}

/* Nothing runs then, and it is said what to do. */
TEST(redis_wrong_from_the_start)
{
	static const struct {
		const char *name, *url, *secret, *told;
		mode_t mode; /* of the file with the password */
		bool nameless;
	} rows[] = {
		{.name = "no grant", .told = "-g NAME", .nameless = true},
		{.name = "no password", .told = "WEIR_STATE_PASSWORD_FILE"},
		{.name = "a wrong one",
		 .secret = "guess",
		 .mode = 0600,
		 .told = "refuses the user or the password"},
		{.name = "one that others can read",
		 .secret = "secret",
		 .mode = 0644,
		 .told = "chmod go-rwx"},
		{.name = "one in the URL",
		 .url = "redis://ann:secret@127.0.0.1:1",
		 .told = "a password in a URL"},
		{.name = "nobody listens",
		 .url = "redis://127.0.0.1:1",
		 .told = "redis://127.0.0.1:1: Connection refused"},
		{.name = "no such socket",
		 .url = "redis+unix:/nowhere/s",
		 .told = "redis+unix:/nowhere/s: No such file"},
		{.name = "no URL",
		 .url = "redis:x",
		 .told = "expected redis://"},
	};
	struct proc *p;

	SERVER("--requirepass", "secret");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *secret = rows[i].secret ? rows[i].secret : "";
		const char *at = file("secret", secret);
		const char *env = text("WEIR_STATE_PASSWORD_FILE=%s",
				       rows[i].secret ? at : "");

		in_case(rows[i].name);
		check_equal(chmod(at, rows[i].mode), 0);
		p = proc_start_how(
			join(WEIR(RATE("9/day"), "-s",
				  rows[i].url ? rows[i].url : redis_url),
			     rows[i].nameless ? WORDS("--", server)
					      : WORDS("-g", "g", "--", server)),
			&(struct how){.env = WORDS(env)});
		check_end(p, 125);
		check_has(p->told.ptr, rows[i].told);
		check_equal(weir_lines(p->told.ptr), 1);
		check(!strstr(p->told.ptr, "guess"), "%s", p->told.ptr);
		unlink(at);
	}
}

/* Its counters would be thrown away. */
TEST(redis_evicts)
{
	struct proc *p;

	SERVER("--maxmemory-policy", "allkeys-lru");
	p = start(RATE("9/minute"));
	check_end(p, 125);
	check_has(p->told.ptr, "maxmemory-policy to noeviction");
}

/* A policy that counts nothing there does not even look for it. */
TEST(redis_is_left_alone)
{
	struct proc *p =
		proc_start(WORDS(weir, "-s", "redis://127.0.0.1:1", "-g", "g",
				 "-p", policy_of(SESSION), "--", server));

	check(passes(p), "the first call");
	check(!passes(p), "the second call");
	check_end(p, 0);
}

/* Limited calls are refused, the rest goes on; then all is as before, and
 * stderr has said both once. */
TEST(redis_stands_still)
{
	struct proc *p, *q;
	int64_t from;
	int pings = 0;

	SERVER(NULL);
	p = start(RATE("9/minute"));
	q = start(RATE("9/minute"));
	check(passes(p) && passes(q), "at first");
	kill(redis_pid, SIGSTOP);
	from = milliseconds();
	for (int i = 0; i < 200; i++) {
		proc_send(p, call("7", "echo"));
		proc_send(p, request("8", "ping", NULL));
	}
	for (int i = 0; i < 400; i++) {
		const char *line = proc_line(p);

		if (from_weir(line))
			check_refused(line, "7", false, RULE, UNCOUNTED);
		else
			pings++;
	}
	check_equal(pings, 200);
	check(milliseconds() - from < 5000, "200 calls took %lld ms",
	      (long long)(milliseconds() - from));
	proc_send(q, call("7", "echo"));
	proc_idle(q);
	from = milliseconds();
	kill(weir_pid(q), SIGTERM);
	check_status(q, 128 + SIGTERM);
	check(milliseconds() - from < 2000, "its end took %lld ms",
	      (long long)(milliseconds() - from));
	kill(redis_pid, SIGCONT);
	while (!passes(p))
		redis_nap();
	proc_told(p, "again");
	check_equal(weir_lines(p->told.ptr), 2);
	check_has(p->told.ptr, "does not answer");
}

TEST(redis_is_killed)
{
	struct proc *p;

	SERVER(NULL);
	p = start(RATE("9/minute"));
	check(passes(p), "at first");
	/* In time for the next call: nobody notices. */
	SERVER(NULL);
	check(passes(p), "after a restart");
	check_text("stderr", p->told.ptr, "");
	redis_stop();
	for (int i = 0; i < 5; i++)
		check_refused(proc_ask(p, call("7", "echo")), "7", false, RULE,
			      UNCOUNTED);
	SERVER(NULL);
	while (!passes(p))
		redis_nap();
	proc_told(p, "again");
	check_equal(weir_lines(p->told.ptr), 2);
	redis_say("CONFIG SET maxmemory 1");
	check_refused(proc_ask(p, call("7", "echo")), "7", false, RULE,
		      UNCOUNTED);
	proc_told(p, "out of memory");
	redis_say("CONFIG SET maxmemory 0");
	check(passes(p), "with memory");
	check_end(p, 0);
}
