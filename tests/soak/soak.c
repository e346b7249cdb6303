/*
 * soak - sessions at random, for as long as one likes.
 *
 *   SOAK_SECONDS  how long; ten minutes if nothing is said
 *   SOAK_SEED     where to begin; else the clock says, and it is printed
 *   SOAK_ROUND    only this round, of which the seed tells everything
 *
 * Two lanes side by side, a process each.  In one, round follows round: a
 * server at its worst, a client that writes and reads in pieces of any size,
 * processes that are stopped, interrupted, told to reload, and an end of any
 * kind.  What was sent has to arrive, all of it if the end is an orderly one,
 * else a beginning of it; and nobody is left.  In the other, one session goes
 * on to the end, and what weir has in memory and in descriptors stays flat.
 */
#include "../e2e/answers.h"
#include "../e2e/ends.h"
#include "../e2e/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_BLOCKS 50   /* until memory and descriptors are looked at */
#define KIB_MORE    4096 /* what buffers may take that were not touched */
#define PIECES_MOST 1000 /* about, that something is sent in */

static int64_t end_time;
static unsigned long seed;
static const char *faulty;

/* ---- chance ---------------------------------------------------------- */

static uint64_t chance;

/* xorshift64* */
static uint64_t next_chance(void)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return chance * 2685821657736338717u;
}

static int below(int n)
{
	return (int)((next_chance() >> 33) % (uint64_t)n);
}

static bool one_in(int n)
{
	return below(n) == 0;
}

/* Small as a rule, now and then up to most. */
static int size_up_to(int most)
{
	int size = 1 << below(20);

	size += below(size);
	return size < most ? size : below(most) + 1;
}

static void begin_chance(unsigned long round)
{
	chance = seed * 1000003 + round + 1;
	for (int i = 0; i < 10; i++)
		next_chance();
}

/* ---- what is sent ---------------------------------------------------- */

static const char policy[] =
	"{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"add\"],"
	"\"tools\":{\"echo\":{}}}";

/* What the client sends, and what of it the server gets. */
struct input {
	struct bytes all, passed;
	int refused;
};

#define REFUSED_ID "\"refused\""

static void add_line(struct input *in, int longest, bool quiet)
{
	const char *line = NULL, *bad = NULL;
	bool cr = one_in(2);

	switch (below(quiet ? 9 : 10)) {
	case 0:
	case 1:
		line = call("1", "echo");
		break;
	case 2:
		bad = call(REFUSED_ID, one_in(2) ? "remove" : "add");
		break;
	case 3:
		line = request("2", "tools/list", NULL);
		break;
	case 4:
		line = long_ping("3", (size_t)(100 + size_up_to(longest)));
		break;
	case 5:
		/* Wherever its end cuts the input, this is no message. */
		bad = text("{\"jsonrpc\":\"2.0\",\"id\":" REFUSED_ID
			   ",%s\"method\":\"ping\"%s\n",
			   cr ? "\r" : "", cr ? "}" : "");
		break;
	case 6:
		line = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n";
		break;
	case 7:
		append_text(&in->all, one_in(2) ? "\n" : " \t\r\n");
		break;
	case 8:
		line = request("4", "ping", NULL);
		break;
	case 9: /* it is told on stderr */
		append_text(&in->all,
			    "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\","
			    "\"params\":{\"name\":\"echo\"}}\n");
		break;
	}
	if (line) {
		append_text(&in->all, line);
		append_text(&in->passed, line);
	}
	if (bad)
		append_text(&in->all, bad);
	in->refused += bad != NULL;
}

static struct input make_input(int lines, int longest, bool quiet)
{
	struct input in = {.refused = 0};

	append_text(&in.all, "");
	append_text(&in.passed, "");
	for (int i = 0; i < lines; i++)
		add_line(&in, longest, quiet);
	return in;
}

/* ---- a session ------------------------------------------------------- */

enum end { ORDERLY, CLIENT_DIES, WEIR_TERM, WEIR_KILL, SERVER_KILL, ENDS };

struct session {
	const struct ends_kind *kind;
	struct input in;
	const char *const *options; /* of the server */
	const char *fault;          /* NAME=VALUE; NULL: none */
	const char *record;
	enum end end;
	size_t until;   /* bytes sent until it ends */
	bool nuisances; /* signals */
	struct proc *p;
};

static const char *const *random_options(void)
{
	static const char *const options[][3] = {
		{NULL},
		{"--noise"},
		{"--split", "1"},
		{"--split", "4096"},
		{"--pretty"},
		{"--id-last"},
		{"--page", "1"},
		{"--huge", "200000"},
		{"--noise", "--halves"},
		{"--halves"},
	};

	return options[below((int)COUNT(options))];
}

static struct session random_session(void)
{
	struct session s = {.kind = &ends_kinds[below(ENDS_KINDS)]};
	bool small, huge;

	s.end = one_in(2) ? ORDERLY : (enum end)below(ENDS);
	s.nuisances = one_in(2);
	small = s.kind->terminal || one_in(4);
	if (one_in(3))
		s.fault = text("FAULT_EVERY=%d", 2 + below(9));
	else if (one_in(3))
		s.fault = text("FAULT_BYTES=%d",
			       size_up_to(100) + (small ? 0 : 1000));
	do {
		s.options = random_options();
		huge = s.options[0] && strcmp(s.options[0], "--huge") == 0;
	} while (huge && small);
	/* A terminal takes no more than 4095 bytes a line. */
	s.in = make_input(size_up_to(small || huge ? 40 : 1000),
			  small ? 3000 : 300000, s.kind->merged);
	s.until = s.end == ORDERLY ? s.in.all.len
				   : (size_t)below((int)s.in.all.len + 1);
	s.record = path("record");
	return s;
}

static const char *describe(unsigned long round, const struct session *s)
{
	static const char *const ends[ENDS] = {"orderly", "the client dies",
					       "SIGTERM", "SIGKILL",
					       "the server is killed"};

	return text("SOAK_SEED=%lu SOAK_ROUND=%lu (%s; %s; %s %s; %s; %zu of "
		    "%zu bytes)",
		    seed, round, s->kind->name, ends[s->end],
		    s->options[0] ? s->options[0] : "",
		    s->options[0] && s->options[1] ? s->options[1] : "",
		    s->fault ? s->fault : "no faults", s->until, s->in.all.len);
}

static void start(struct session *s)
{
	const char *program = s->fault && faulty ? faulty : weir;
	const char *const *command =
		join(WORDS("env", s->fault ? s->fault : "A=1", program, "-p",
			   file("policy", policy), "--", server, "--record",
			   s->record),
		     s->options);
	struct ends e;

	remove(s->record);
	s->p = ends_start(s->kind, &e, one_in(2) ? O_NONBLOCK : 0, command);
	ends_close_theirs(&e);
}

static pid_t child_of(pid_t pid)
{
	char list[256];

	proc_read(pid, "children", list, sizeof(list));
	return (pid_t)strtol(list, NULL, 10);
}

static void stop_and_go(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGSTOP);
	if (one_in(3))
		poll(NULL, 0, below(3));
	kill(pid, SIGCONT);
}

static void nuisance(struct session *s)
{
	switch (below(5)) {
	case 0:
		stop_and_go(s->p->pid);
		break;
	case 1:
		stop_and_go(child_of(s->p->pid));
		break;
	case 2:
		/* Where 1 and 2 are one, it would be told in between. */
		if (s->p->said.len > 0 && !s->kind->merged)
			kill(s->p->pid, SIGHUP);
		break;
	case 3:
		poll(NULL, 0, below(3));
		break;
	case 4:
		kill(s->p->pid, SIGCHLD);
		break;
	}
}

/* Takes in some of what is there. */
static void read_some(struct proc *p, int most)
{
	static char buf[1 << 20];
	ssize_t got;

	if (p->out < 0)
		return;
	got = read(p->out, buf, (size_t)most);
	if (got > 0)
		append(&p->said, buf, (size_t)got);
}

/* Until it reads, if there is more for it, or has said something. */
static void await_any(struct proc *p, bool more)
{
	struct pollfd f[] = {{.fd = more ? p->in : -1, .events = POLLOUT},
			     {.fd = p->out, .events = POLLIN},
			     {.fd = p->err, .events = POLLIN}};
	char buf[4096];

	check(poll(f, 3, DEADLINE) > 0, "nothing happens; stdout ends: %s",
	      p->said.ptr + (p->said.len > 300 ? p->said.len - 300 : 0));
	if (f[2].revents && read(p->err, buf, sizeof(buf)) == 0) {
		close(p->err);
		p->err = -1;
	}
}

/* Sends up to s->until in pieces, and reads in pieces, as it comes. */
static void speak(struct session *s)
{
	struct proc *p = s->p;
	int least = (int)(s->until / PIECES_MOST);
	int write_most = size_up_to(100000), read_most = size_up_to(100000);

	for (size_t sent = 0; sent < s->until;) {
		size_t left = s->until - sent;
		size_t len = (size_t)(size_up_to(write_most) + least);
		ssize_t put;

		if (s->nuisances && one_in(20))
			nuisance(s);
		if (one_in(4))
			read_some(p, size_up_to(read_most) + least);
		put = write(p->in, s->in.all.ptr + sent,
			    len < left ? len : left);
		if (put > 0) {
			sent += (size_t)put;
			continue;
		}
		check(errno == EAGAIN, "nobody reads: %s", strerror(errno));
		await_any(p, true);
		read_some(p, size_up_to(read_most) + least);
	}
}

static void end_session(struct session *s)
{
	struct proc *p = s->p;
	pid_t child;

	switch (s->end) {
	case ORDERLY:
		ends_close_in(s->kind, p);
		return;
	case CLIENT_DIES:
		proc_close_out(p);
		break;
	case WEIR_TERM:
		kill(p->pid, SIGTERM);
		break;
	case WEIR_KILL:
		kill(p->pid, SIGKILL);
		break;
	case SERVER_KILL:
		child = child_of(p->pid);
		if (child > 0)
			kill(child, SIGKILL);
		break;
	case ENDS:
		break;
	}
	if (s->kind->terminal && write(p->in, "\x04\x04", 2) < 0)
		return; /* it has gone */
	shutdown(p->in, SHUT_WR);
	proc_close_in(p);
}

/* Does the line of len bytes come from weir? */
static bool weirs_own(const char *line, size_t len)
{
	static const char ours[] = "{\"jsonrpc\":\"2.0\",\"id\":";
	static const char withheld[] = "\"message\":\"Withheld: ";
	const char *id = line + sizeof(ours) - 1;

	/* A list of which the server's end has left a half. */
	if (memmem(line, len, withheld, sizeof(withheld) - 1))
		return true;
	return len > sizeof(ours) + 10 &&
	       memcmp(line, ours, sizeof(ours) - 1) == 0 &&
	       (memcmp(id, "null", 4) == 0 ||
		memcmp(id, REFUSED_ID, sizeof(REFUSED_ID) - 1) == 0);
}

/* The whole lines that are the server's; *own: how many were weir's. */
static struct bytes servers_lines(const struct bytes *said, int *own)
{
	struct bytes b = {.ptr = NULL};
	const char *at = said->ptr, *end = at + said->len, *lf;

	append_text(&b, "");
	*own = 0;
	for (; (lf = memchr(at, '\n', (size_t)(end - at))); at = lf + 1) {
		if (weirs_own(at, (size_t)(lf - at)))
			++*own;
		else
			append(&b, at, (size_t)(lf + 1 - at));
	}
	return b;
}

/* What the client is to see: as the server alone says it, but for a tool. */
static struct bytes expected(const struct session *s)
{
	struct proc *plain =
		proc_run(join(WORDS(server), s->options), s->in.passed.ptr);
	struct bytes b = {.ptr = NULL};
	const char *line;

	append_text(&b, "");
	while ((line = proc_line(plain)))
		append_text(&b, strstr(line, "Does: add") ? without(line, "add")
							  : line);
	return b;
}

/* All of it, or a beginning of it. */
static void check_part(const char *what, bool all, struct bytes got,
		       struct bytes want)
{
	size_t len = all || got.len > want.len ? want.len : got.len;

	check_same(what, got.ptr, got.len, want.ptr, len);
}

static void check_session(struct session *s)
{
	bool all = s->end == ORDERLY;
	int own = 0;

	if (all)
		check_status(s->p, 0);
	else
		proc_wait(s->p);
	/* What is told of a half of a list may stand inside a line, where 1 and
	 * 2 are the same. */
	if (all || !s->kind->merged)
		check_part("what the client sees", all,
			   servers_lines(&s->p->said, &own), expected(s));
	if (all)
		check_equal(own, s->in.refused);
	/* It is made once the server has started. */
	if (all || exists(s->record))
		check_part("what the server gets", all, content(s->record),
			   s->in.passed);
}

static void one_round(unsigned long round)
{
	struct session s;

	begin_chance(round);
	check_equal(harness_setup(NULL), 0);
	s = random_session();
	in_case(describe(round, &s));
	start(&s);
	speak(&s);
	end_session(&s);
	check_session(&s);
	check(harness_teardown(NULL) == 0, "SOAK_SEED=%lu SOAK_ROUND=%lu", seed,
	      round);
}

static void rounds(void **state)
{
	const char *only = getenv("SOAK_ROUND");
	unsigned long round = only ? strtoul(only, NULL, 10) : 0;

	(void)state;
	do
		one_round(round++);
	while (!only && milliseconds() < end_time);
	print_message("%lu sessions\n", round);
}

/* ---- the long session ------------------------------------------------ */

struct block {
	struct bytes bytes;
	int lines; /* that the client gets for it */
};

static int line_ends(const char *ptr, size_t len)
{
	const char *end = ptr + len;
	int count = 0;

	for (; (ptr = memchr(ptr, '\n', (size_t)(end - ptr))); ptr++)
		count++;
	return count;
}

static struct block random_block(void)
{
	struct input in = make_input(200, 300000, false);
	struct proc *plain = proc_run(WORDS(server), in.passed.ptr);

	return (struct block){in.all,
			      line_ends(plain->said.ptr, plain->said.len) +
				      in.refused};
}

/* Sends a block in pieces, and reads until every line has come. */
static void exchange(struct proc *p, const struct block *b, size_t sent)
{
	int least = (int)(b->bytes.len / PIECES_MOST);
	int write_most = size_up_to(1 << 20), lines = 0;

	while (sent < b->bytes.len || lines < b->lines) {
		size_t left = b->bytes.len - sent, len;
		ssize_t put = 0;

		len = (size_t)(size_up_to(write_most) + least);
		if (left > 0)
			put = write(p->in, b->bytes.ptr + sent,
				    len < left ? len : left);
		check(put >= 0 || errno == EAGAIN, "nobody reads: %s",
		      strerror(errno));
		sent += put > 0 ? (size_t)put : 0;
		if (put <= 0)
			await_any(p, left > 0);
		read_some(p, size_up_to(1 << 20));
		lines += line_ends(p->said.ptr, p->said.len);
		p->said.len = 0;
		if (one_in(200))
			stop_and_go(one_in(2) ? p->pid : child_of(p->pid));
		if (one_in(500) && lines > 0)
			kill(p->pid, SIGHUP); /* it has started */
	}
	check_equal(lines, b->lines);
}

/* The client does not read for a long time. */
static void long_stop(struct proc *p, const struct block *b, int64_t how_long)
{
	int64_t begin = milliseconds(), cpu;
	size_t sent = 0;
	int still = 0;
	long memory;

	for (; still < 100; poll(NULL, 0, 1)) {
		ssize_t put =
			write(p->in, b->bytes.ptr + sent, b->bytes.len - sent);

		sent += put > 0 ? (size_t)put : 0;
		still = put > 0 ? 0 : still + 1;
	}
	check(sent < b->bytes.len, "it reads all");
	memory = memory_of(p->pid, false);
	cpu = cpu_of(p->pid);
	poll(NULL, 0, (int)how_long);
	check(memory_of(p->pid, false) - memory < KIB_MORE, "%ld KiB, then %ld",
	      memory, memory_of(p->pid, false));
	check(cpu_of(p->pid) - cpu < how_long * 10000 + 300000000,
	      "it ran %lld of %lld ns", (long long)(cpu_of(p->pid) - cpu),
	      (long long)how_long * 1000000);
	print_message("stopped for %lld ms\n",
		      (long long)(milliseconds() - begin));
	exchange(p, b, sent);
}

/* Its descriptors, once no reload is under way that has a file open.  What is
 * handed out, a line say, would be kept for as long as the session lasts. */
static int descriptors_at_rest(struct proc *p, const char *ping)
{
	proc_send(p, ping);
	proc_more(p, 1);
	p->said.len = 0;
	return descriptors_of(p->pid);
}

static void one_session(void **state)
{
	enum { KINDS = 16 };
	struct how how = {.env = WORDS("WEIR_MAX_LINE=1000000")};
	struct block blocks[KINDS], pings = {{NULL, 0, 0}, 60000};
	const char *line = long_ping("1", 99);
	long memory = 0, most = 0;
	int64_t how_long;
	int descriptors = 0, count;
	struct proc *p;

	(void)state;
	begin_chance(0);
	for (int i = 0; i < KINDS; i++)
		blocks[i] = random_block();
	for (int i = 0; i < pings.lines; i++)
		append_text(&pings.bytes, line);
	p = proc_start_how(
		WORDS(weir, "-p", file("policy", policy), "--", server), &how);
	for (count = 0; milliseconds() < end_time || count <= WARM_BLOCKS;
	     count++) {
		exchange(p, &blocks[below(KINDS)], 0);
		if (count == WARM_BLOCKS) {
			long_stop(p, &pings, 1);
			memory = memory_of(p->pid, false);
			descriptors = descriptors_at_rest(p, line);
			how_long = (end_time - milliseconds()) / 10;
			long_stop(p, &pings, how_long > 0 ? how_long : 1);
		}
		if (count < WARM_BLOCKS)
			continue;
		check_equal(descriptors_at_rest(p, line), descriptors);
		most = memory_of(p->pid, true);
		check(memory_of(p->pid, false) - memory < KIB_MORE,
		      "%ld KiB, and %ld after %d blocks", memory,
		      memory_of(p->pid, false), count);
	}
	proc_close_in(p);
	check_status(p, 0);
	print_message("%d blocks, %d descriptors, %ld KiB, at most %ld\n",
		      count, descriptors, memory, most);
}

/* ---- the lanes ------------------------------------------------------- */

static int run_rounds(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rounds)};
	int failed = cmocka_run_group_tests_name("rounds", tests, NULL, NULL);

	if (failed)
		harness_teardown(NULL);
	return failed;
}

static int run_one_session(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
		one_session, harness_setup, harness_teardown)};

	return cmocka_run_group_tests_name("one session", tests, NULL, NULL);
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : otherwise;
}

int main(void)
{
	static int (*const lanes[])(void) = {run_rounds, run_one_session};
	int count = getenv("SOAK_ROUND") ? 1 : 2, failed = 0, status;

	weir = getenv("WEIR");
	server = getenv("SERVER");
	faulty = getenv("FAULTY");
	if (!weir || !server) {
		fprintf(stderr, "WEIR and SERVER have to name the programs\n");
		return 2;
	}
	seed = from_environment("SOAK_SEED", (unsigned long)time(NULL));
	end_time = milliseconds() +
		   1000 * (int64_t)from_environment("SOAK_SECONDS", 600);
	printf("SOAK_SEED=%lu\n", seed);
	fflush(stdout);
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			exit(lanes[i]() != 0);
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
