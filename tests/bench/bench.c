/*
 * bench - what weir costs, against a relay that judges nothing.
 *
 *   bench DIRECTORY [ROW]...
 *
 * Prints the rows, all or those named, as figures.h says.  DIRECTORY is for the
 * files it needs.  The programs come from the environment: WEIR, WEIR_SSE2 and
 * WEIR_PLAIN (with that kernel of the scanner alone), STATIC, BARE, SERVER and
 * ALLOC.  BENCH=quick: little of everything, and no judgement; BENCH=N: an Nth.
 */
#include "behind.h"
#include "figures.h"
#include "input.h"
#include "redis.h"
#include "server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB        ((double)(1 << 20))
#define BIG_BYTES  ((size_t)16 << 20)
#define CALLERS    8
#define BLOCK      ((size_t)1000) /* calls that are written at once */
#define PATH_BYTES ((size_t)4096)
#define PATIENCE   1200 /* seconds until all rows must have been measured */

struct bench {
	bool quick;
	size_t share; /* of which a run does one */
	size_t rounds;
	const char *dir;
	const char *weir, *fixed, *bare, *server, *alloc; /* programs */
	/* What stands before the server's words. */
	const char *behind_weir[5], *behind_bare[2];
	char policy[PATH_BYTES]; /* of 100 entries */
};

/* Quick runs do a part of the work. */
static size_t times(const struct bench *b, size_t full)
{
	return b->quick ? full / b->share + 1 : full;
}

static const char *path_in(const struct bench *b, const char *name,
			   char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", b->dir, name);
	return path;
}

/* ---- what is measured once ------------------------------------------- */

static void one_call(const struct behind *s, unsigned id)
{
	char call[CALL_BYTES];

	input_call(call, id);
	behind_write(s, call, CALL_BYTES);
	behind_lines(s, 1, RESULT_BYTES);
}

/* The first answer, whatever the policy says of calls. */
static void one_ping(const struct behind *s)
{
	static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
				   "\"ping\"}\n";

	behind_write(s, ping, sizeof(ping) - 1);
	behind_lines(s, 1, RESULT_BYTES);
}

/* Sequential calls, in microseconds. */
static void round_trips(const struct bench *b, const char *const *relay,
			double *p50, double *p99)
{
	const char *const server[] = {b->server, "echo", NULL};
	size_t count = times(b, 20000);
	double *took = malloc(count * sizeof(*took));
	struct behind s = behind_start(relay, server);

	if (!took)
		exit(1);
	one_call(&s, 1000);
	for (size_t i = 0; i < count; i++) {
		double from = behind_now();

		one_call(&s, 1000 + (unsigned)i);
		took[i] = (behind_now() - from) * 1e6;
	}
	behind_end(&s);
	*p50 = figures_quantile(took, count, 0.5);
	*p99 = figures_quantile(took, count, 0.99);
	free(took);
}

/* Pipelined calls into a sink: seconds until the last of count is there. */
static double pipelined(const struct bench *b, const char *const *relay,
			size_t count)
{
	char bytes[32];
	const char *const server[] = {b->server, "sink", "200", bytes, NULL};
	char *calls = input_calls(BLOCK);
	struct behind s;
	double from, took;

	snprintf(bytes, sizeof(bytes), "%zu", count * CALL_BYTES);
	s = behind_start(relay, server);
	one_call(&s, 1);
	from = behind_now();
	for (size_t sent = 0, n; sent < count; sent += n) {
		n = count - sent < BLOCK ? count - sent : BLOCK;
		behind_write(&s, calls, n * CALL_BYTES);
	}
	behind_lines(&s, 1, RESULT_BYTES);
	took = behind_now() - from;
	behind_end(&s);
	free(calls);
	return took;
}

/* Thousands of messages a second. */
static double flood(const struct bench *b, const char *const *relay)
{
	size_t count = times(b, 1000000);

	return (double)count / pipelined(b, relay, count) / 1e3;
}

/* MiB a second, of lines to the server. */
static double big_up(const struct bench *b, const char *const *relay)
{
	size_t count = times(b, 32);
	char bytes[32];
	const char *const server[] = {b->server, "sink", "200", bytes, NULL};
	char *line = input_big(BIG_BYTES);
	struct behind s;
	double from, took;

	snprintf(bytes, sizeof(bytes), "%zu", count * BIG_BYTES);
	s = behind_start(relay, server);
	one_call(&s, 1);
	from = behind_now();
	for (size_t i = 0; i < count; i++)
		behind_write(&s, line, BIG_BYTES);
	behind_lines(&s, 1, RESULT_BYTES);
	took = behind_now() - from;
	behind_end(&s);
	free(line);
	return (double)(count * BIG_BYTES) / MIB / took;
}

/* The same, of lines to the client, none of which is the call's answer: where
 * there is a log, each is looked at. */
static double big_down(const struct bench *b, const char *const *relay)
{
	size_t count = times(b, 32);
	char bytes[32], lines[32];
	const char *const server[] = {b->server, "source", bytes, lines, NULL};
	char call[CALL_BYTES];
	struct behind s;
	double from, took;

	snprintf(bytes, sizeof(bytes), "%zu", BIG_BYTES);
	snprintf(lines, sizeof(lines), "%zu", count);
	s = behind_start(relay, server);
	one_call(&s, 1);
	input_call(call, 2);
	from = behind_now();
	behind_write(&s, call, CALL_BYTES);
	behind_lines(&s, count, BIG_BYTES);
	took = behind_now() - from;
	behind_end(&s);
	return (double)(count * BIG_BYTES) / MIB / took;
}

/* Milliseconds from exec to the first answer. */
static double start(const struct bench *b, const char *const *relay)
{
	const char *const server[] = {b->server, "echo", NULL};
	double took[ROUNDS_MAX];

	for (size_t i = 0; i < ROUNDS_MAX; i++) {
		double from = behind_now();
		struct behind s = behind_start(relay, server);

		one_ping(&s);
		took[i] = (behind_now() - from) * 1e3;
		behind_end(&s);
	}
	return figures_median(took, ROUNDS_MAX);
}

/* ---- rows ------------------------------------------------------------ */

static void rtt(const struct bench *b)
{
	struct row p50 = {.name = "rtt.p50",
			  .unit = "us",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_MOST,
			  .goal = 1.05};
	struct row p99 = p50;

	p99.name = "rtt.p99";
	p99.goal = 1.20;
	for (size_t i = 0; i < b->rounds; i++) {
		round_trips(b, b->behind_weir, &p50.weir[i], &p99.weir[i]);
		round_trips(b, b->behind_bare, &p50.yard[i], &p99.yard[i]);
	}
	figures_print(&p50, !b->quick);
	figures_print(&p99, !b->quick);
}

typedef double measure(const struct bench *b, const char *const *relay);

static void against_bare(const struct bench *b, const char *name,
			 const char *unit, measure *what, double goal)
{
	struct row row = {.name = name,
			  .unit = unit,
			  .rounds = b->rounds,
			  .judged = RATIO_AT_LEAST,
			  .goal = goal};

	for (size_t i = 0; i < b->rounds; i++) {
		row.weir[i] = what(b, b->behind_weir);
		row.yard[i] = what(b, b->behind_bare);
	}
	figures_print(&row, !b->quick);
}

/* With the kernel that the processor has, and with each of the others. */
static void flood_row(const struct bench *b)
{
	struct bench other = *b;

	against_bare(b, "flood", "k/s", flood, 0.70);
	other.behind_weir[0] = getenv("WEIR_SSE2");
	if (other.behind_weir[0])
		against_bare(&other, "flood.sse2", "k/s", flood, 0.70);
	other.behind_weir[0] = getenv("WEIR_PLAIN");
	if (other.behind_weir[0])
		against_bare(&other, "flood.plain", "k/s", flood, 0);
}

static void big_up_row(const struct bench *b)
{
	against_bare(b, "big.up", "MiB/s", big_up, 0.60);
}

static void big_down_row(const struct bench *b)
{
	against_bare(b, "big.down", "MiB/s", big_down, 0.97);
}

/* With a log, against the same without one. */
static void logged_row(const struct bench *b)
{
	struct row row = {.name = "big.log",
			  .unit = "MiB/s",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_LEAST,
			  .goal = 0.95};
	char log[PATH_BYTES];
	const char *const logging[] = {
		b->weir, "-p", b->policy, "-l", path_in(b, "log", log),
		"--",    NULL};

	for (size_t i = 0; i < b->rounds; i++) {
		row.weir[i] = big_down(b, logging);
		row.yard[i] = big_down(b, b->behind_weir);
	}
	figures_print(&row, !b->quick);
	row.name = "flood.log";
	row.unit = "k/s";
	row.goal = 0;
	for (size_t i = 0; i < b->rounds; i++) {
		row.weir[i] = flood(b, logging);
		row.yard[i] = flood(b, b->behind_weir);
	}
	figures_print(&row, !b->quick);
}

static void start_row(const struct bench *b)
{
	struct row row = {.name = "start",
			  .unit = "ms",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_MOST,
			  .goal = 1.3};
	const char *const behind_weir[] = {b->weir, "-p", getenv("SEED"), "--",
					   NULL};
	const char *const behind_env[] = {"env", NULL};

	for (size_t i = 0; i < b->rounds; i++) {
		row.weir[i] = start(b, behind_weir);
		row.yard[i] = start(b, behind_env);
	}
	figures_print(&row, !b->quick);
}

/* The four system calls that sharing a count takes, in microseconds. */
static double four_calls(const struct bench *b, size_t count)
{
	char path[PATH_BYTES], record[64] = "";
	int fd = open(path_in(b, "count", path), O_RDWR | O_CREAT, 0600);
	double from = behind_now();

	for (size_t i = 0; i < count; i++)
		if (flock(fd, LOCK_EX) != 0 ||
		    pread(fd, record, sizeof(record), 0) < 0 ||
		    pwrite(fd, record, sizeof(record), 0) < 0 ||
		    flock(fd, LOCK_UN) != 0)
			exit(1);
	from = behind_now() - from;
	close(fd);
	return from / (double)count * 1e6;
}

/* Eight processes, each of which waits for its answers: thousands of calls a
 * second in all. */
static double together(const struct bench *b, const char *const *relay,
		       size_t count)
{
	double from = behind_now();

	for (int i = 0; i < CALLERS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			const char *const server[] = {b->server, "echo", NULL};
			struct behind s = behind_start(relay, server);

			for (size_t k = 0; k < count; k++)
				one_call(&s, 1000);
			behind_end(&s);
			_exit(0);
		}
		if (pid < 0)
			exit(1);
	}
	for (int i = 0; i < CALLERS; i++) {
		int status;

		if (wait(&status) < 0 || status != 0)
			exit(1);
	}
	return (double)(CALLERS * count) / (behind_now() - from) / 1e3;
}

/* What a call costs whose limits are shared between processes, in
 * microseconds more than one that has none. */
static void grant_row(const struct bench *b)
{
	struct row row = {.name = "grant",
			  .unit = "us",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_MOST,
			  .goal = 1.5};
	char grant[PATH_BYTES];
	const char *const by_grant[] = {
		b->weir, "-p", path_in(b, "grant.json", grant), "--", NULL};
	size_t count = times(b, 50000);

	for (size_t limits = 1; limits <= 5; limits += 4) {
		input_limits(grant, limits, 1000000, "second");
		for (size_t i = 0; i < b->rounds; i++) {
			double took = pipelined(b, by_grant, count);

			took -= pipelined(b, b->behind_weir, count);
			row.weir[i] = took / (double)count * 1e6;
			row.yard[i] = four_calls(b, count);
		}
		figures_print(&row, !b->quick);
		row.name = "grant.5";
		row.goal = 2;
	}
}

/* Wherever the system lets them run: on one processor, whoever is interrupted
 * with the lock keeps all others waiting. */
static void eight_row(const struct bench *b)
{
	struct row row = {.name = "grant.8",
			  .unit = "k/s",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_LEAST};
	char grant[PATH_BYTES];
	const char *const by_grant[] = {
		b->weir, "-p", path_in(b, "grant.json", grant), "--", NULL};
	size_t count = times(b, 1000);

	input_limits(grant, 1, 1000000, "second");
	for (size_t i = 0; i < b->rounds; i++) {
		row.weir[i] = together(b, by_grant, count);
		row.yard[i] = together(b, b->behind_weir, count);
	}
	figures_print(&row, !b->quick);
}

/* Milliseconds to read a file and to add it up. */
static double read_through(const char *path)
{
	static unsigned long long words[8192];
	unsigned long long sum = 0;
	double from = behind_now();
	int fd = open(path, O_RDONLY);
	ssize_t got;

	while ((got = read(fd, words, sizeof(words))) > 0)
		for (size_t i = 0; i < (size_t)got / sizeof(*words); i++)
			sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15;
	close(fd);
	/* So that it is not left out. */
	if (sum == 1)
		exit(1);
	return (behind_now() - from) * 1e3;
}

/* What counting in Redis adds to a round trip, in microseconds. */
static void redis_row(const struct bench *b)
{
	struct row row = {.name = "redis",
			  .unit = "us",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_MOST,
			  .goal = 1.3};
	char grant[PATH_BYTES], session[PATH_BYTES];
	const char *const in_redis[] = {
		b->weir,     "-p", path_in(b, "grant.json", grant),
		"-g",        "g",  "-s",
		redis_url(), "--", NULL};
	const char *const by_session[] = {
		b->weir, "-p", path_in(b, "session.json", session), "--", NULL};
	double with, without, p99;

	if (!redis_begin(b->dir)) {
		figures_skip("redis", "there is no redis-server");
		return;
	}
	input_policy(grant, 100, "grant");
	input_policy(session, 100, "session");
	for (size_t i = 0; i < b->rounds; i++) {
		round_trips(b, in_redis, &with, &p99);
		round_trips(b, by_session, &without, &p99);
		row.weir[i] = with - without;
		row.yard[i] = redis_bare(times(b, 20000));
	}
	redis_end();
	figures_print(&row, !b->quick);
}

/* MiB of memory that a process holds. */
static double resident(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %lf", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib / 1024;
}

static double resident_idle(const struct bench *b, const char *policy)
{
	const char *const relay[] = {b->fixed, "-p", policy, "--", NULL};
	const char *const server[] = {b->server, "echo", NULL};
	struct behind s = behind_start(relay, server);
	double mib;

	one_ping(&s);
	mib = resident(s.pid);
	behind_end(&s);
	return mib;
}

/* After so many messages in all. */
static void resident_after(const struct bench *b, double *early, double *late)
{
	const char *const relay[] = {b->fixed, "-p", b->policy, "--", NULL};
	size_t count = times(b, 1000000);
	char bytes[32], rest[32];
	const char *const server[] = {b->server, "sink", "200",
				      bytes,     rest,   NULL};
	char *calls = input_calls(count / 10);
	struct behind s;

	snprintf(bytes, sizeof(bytes), "%zu", count / 10 * CALL_BYTES);
	snprintf(rest, sizeof(rest), "%zu", 9 * (count / 10) * CALL_BYTES);
	s = behind_start(relay, server);
	one_call(&s, 1);
	for (int i = 0; i < 10; i++) {
		behind_write(&s, calls, count / 10 * CALL_BYTES);
		if (i > 0 && i < 9)
			continue;
		behind_lines(&s, 1, RESULT_BYTES);
		*(i == 0 ? early : late) = resident(s.pid);
	}
	behind_end(&s);
	free(calls);
}

static void rss(const struct bench *b)
{
	struct row row = {.name = "rss.seed",
			  .unit = "MiB",
			  .rounds = b->rounds,
			  .alone = true,
			  .judged = VALUE_AT_MOST,
			  .goal = 1};
	char policy[PATH_BYTES];

	if (access(b->fixed, X_OK) != 0) {
		figures_skip("rss", "there is no static build");
		return;
	}
	for (size_t i = 0; i < b->rounds; i++)
		row.weir[i] = resident_idle(b, getenv("SEED"));
	figures_print(&row, !b->quick);
	row.name = "rss.1000";
	row.goal = 2;
	input_policy(path_in(b, "1000.json", policy), 1000, NULL);
	for (size_t i = 0; i < b->rounds; i++)
		row.weir[i] = resident_idle(b, policy);
	figures_print(&row, !b->quick);
	/* The yardstick is weir itself, after a tenth of them. */
	row.name = "rss.million";
	row.alone = false;
	row.judged = LESS_AT_MOST;
	row.goal = 0.1; /* a tenth of a byte for each message */
	for (size_t i = 0; i < b->rounds; i++)
		resident_after(b, &row.yard[i], &row.weir[i]);
	figures_print(&row, !b->quick);
}

/* A start, and the memory, with a file that holds 100,000 calls that count. */
static void journal_row(const struct bench *b)
{
	struct row row = {.name = "start.calls",
			  .unit = "ms",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_MOST,
			  .goal = 3};
	struct row rss_calls = {.name = "rss.calls",
				.unit = "MiB",
				.rounds = b->rounds,
				.alone = true,
				.judged = VALUE_AT_MOST,
				.goal = 3};
	char policy[PATH_BYTES], file[PATH_BYTES + 64];
	const char *const full[] = {
		b->weir, "-g", "full", "-p", path_in(b, "full.json", policy),
		"--",    NULL};
	const char *const none[] = {b->weir, "-g", "none", "-p",
				    policy,  "--", NULL};

	input_limits(policy, 1, 100000, "week");
	pipelined(b, full, times(b, 100000) - 1);
	snprintf(file, sizeof(file), "%s/full.limits", getenv("WEIR_STATE"));
	for (size_t i = 0; i < b->rounds; i++) {
		row.weir[i] = start(b, full) - start(b, none);
		row.yard[i] = read_through(file);
	}
	figures_print(&row, !b->quick);
	if (access(b->fixed, X_OK) != 0)
		return;
	setenv("WEIR_GRANT", "full", 1);
	for (size_t i = 0; i < b->rounds; i++)
		rss_calls.weir[i] = resident_idle(b, policy);
	unsetenv("WEIR_GRANT");
	figures_print(&rss_calls, !b->quick);
}

/* A log of so many calls and their answers. */
static void write_log(const char *path, size_t calls)
{
	FILE *to = fopen(path, "w");

	for (size_t i = 0; to && i < 2 * calls; i++) {
		const size_t ms = i / 2 % 97 * (i / 2 % 89);
		const size_t second = i / 200;

		fprintf(to,
			"{\"ts\":\"2026-01-%02zuT%02zu:%02zu:%02zu.%06zuZ\","
			"\"seq\":%zu,\"pid\":%zu,\"line\":\"%s\",\"grant\":"
			"\"/etc/weir/pay.json\",\"server\":\"bank\",\"id\":%zu,"
			"\"method\":\"tools/call\",\"tool\":\"tool_%zu\",",
			1 + second / 86400 % 28, second / 3600 % 24,
			second / 60 % 60, second % 60, i % 1000000, i,
			1000 + i / 2 % 8, i % 2 ? "answer" : "decision", i / 2,
			i / 2 % 40);
		if (i % 2)
			fprintf(to, "\"call\":%zu,\"ms\":%zu.%03zu,", i - 1,
				ms / 1000, ms % 1000);
		else
			fprintf(to,
				"\"args\":[\"amount\",\"to\"],\"verdict\":"
				"\"%s\",\"us\":15,",
				i % 20 ? "passed"
				       : "refused\",\"rule\":\"/tools/pay/"
					 "limits/0\",\"reason\":\"at most 5 "
					 "calls an hour");
		fprintf(to, "\"bytes\":120,\"prev\":\"%064zx\"}\n", i);
	}
	if (!to || fclose(to) != 0)
		exit(1);
}

/* weir log of that: the time, against reading the file; and the memory. */
static void log_row(const struct bench *b)
{
	struct row row = {.name = "log.sum",
			  .unit = "ms",
			  .rounds = b->rounds,
			  .judged = RATIO_AT_MOST,
			  .goal = 12};
	struct row memory = {.name = "log.rss",
			     .unit = "MiB",
			     .rounds = b->rounds,
			     .alone = true,
			     .judged = VALUE_AT_MOST,
			     .goal = 8};
	char path[PATH_BYTES];

	write_log(path_in(b, "summed.log", path), times(b, 1000000));
	for (size_t i = 0; i < b->rounds; i++) {
		double from = behind_now();
		struct rusage usage;
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			if (!freopen("/dev/null", "w", stdout))
				_exit(1);
			execl(b->weir, b->weir, "log", path, (char *)NULL);
			_exit(1);
		}
		if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 ||
		    status != 0)
			exit(1);
		row.weir[i] = (behind_now() - from) * 1e3;
		row.yard[i] = read_through(path);
		memory.weir[i] = (double)usage.ru_maxrss / 1024;
	}
	unlink(path);
	figures_print(&row, !b->quick);
	figures_print(&memory, !b->quick);
}

static void size_row(const struct bench *b)
{
	struct row row = {.name = "size",
			  .unit = "KiB",
			  .rounds = 1,
			  .alone = true,
			  .judged = VALUE_AT_MOST,
			  .goal = 256};
	struct stat st;

	if (stat(b->fixed, &st) != 0) {
		figures_skip("size", "there is no static build");
		return;
	}
	row.weir[0] = (double)st.st_size / 1024;
	figures_print(&row, !b->quick);
}

/* ---- allocations ----------------------------------------------------- */

/* Counted from the first answer on, over sequential and pipelined calls. */
static double allocations(const struct bench *b, unsigned long *count,
			  bool sequential)
{
	const char *const echo[] = {b->server, "echo", NULL};
	const char *const sink[] = {b->server, "sink", "200", NULL};
	size_t calls = times(b, sequential ? 20000 : 1000000);
	char *block = input_calls(BLOCK);
	struct behind s;
	unsigned long before;

	setenv("LD_PRELOAD", b->alloc, 1);
	s = behind_start(b->behind_weir, sequential ? echo : sink);
	unsetenv("LD_PRELOAD");
	one_call(&s, 1);
	before = *count;
	for (size_t i = 0; sequential && i < calls; i++)
		one_call(&s, 1);
	for (size_t i = 0; !sequential && i < calls; i += BLOCK)
		behind_write(&s, block, BLOCK * CALL_BYTES);
	free(block);
	if (before == 0) {
		fputs("bench: allocations are not counted\n", stderr);
		exit(1);
	}
	before = *count - before;
	behind_end(&s);
	return (double)before;
}

static void alloc_row(const struct bench *b)
{
	struct row row = {.name = "alloc",
			  .unit = "calls",
			  .rounds = 1,
			  .alone = true,
			  .judged = VALUE_AT_MOST,
			  .goal = 0};
	char path[PATH_BYTES];
	int fd = open(path_in(b, "alloc", path), O_RDWR | O_CREAT | O_TRUNC,
		      0600);
	unsigned long *count;

	if (fd < 0 || ftruncate(fd, sizeof(*count)) != 0)
		exit(1);
	count = mmap(NULL, sizeof(*count), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (count == MAP_FAILED)
		exit(1);
	setenv("BENCH_ALLOC", path, 1);
	row.weir[0] =
		allocations(b, count, true) + allocations(b, count, false);
	unsetenv("BENCH_ALLOC");
	munmap(count, sizeof(*count));
	figures_print(&row, !b->quick);
}

/* ---- system calls ---------------------------------------------------- */

/* How many strace counts in all, of a session of so many calls; -1: none. */
static double traced(const struct bench *b, const char *const *relay,
		     size_t calls)
{
	const char *const server[] = {b->server, "echo", NULL};
	const char *words[16] = {"strace", "-c", "-o"};
	char path[PATH_BYTES], line[256], last[256] = "";
	double count = -1;
	struct behind s;
	size_t n = 3;
	FILE *f;

	words[n++] = path_in(b, "strace", path);
	while (*relay)
		words[n++] = *relay++;
	words[n] = NULL;
	s = behind_start(words, server);
	for (size_t i = 0; i < calls; i++)
		one_call(&s, 1);
	behind_end(&s);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "total"))
			memcpy(last, line, sizeof(last));
	if (f)
		fclose(f);
	if (sscanf(last, "%*s %*s %*s %lf", &count) != 1)
		return -1;
	return count;
}

static void syscalls(const struct bench *b)
{
	struct row row = {.name = "syscalls",
			  .unit = "a call",
			  .rounds = 1,
			  .judged = LESS_AT_MOST,
			  .goal = 1};
	size_t few = 100, many = few + times(b, 2000);
	double between = (double)(many - few);

	if (system("strace -c -o /dev/null true 2>/dev/null") != 0) {
		figures_skip("syscalls", "strace is not here, or may not");
		return;
	}
	row.weir[0] = (traced(b, b->behind_weir, many) -
		       traced(b, b->behind_weir, few)) /
		      between;
	row.yard[0] = (traced(b, b->behind_bare, many) -
		       traced(b, b->behind_bare, few)) /
		      between;
	figures_print(&row, !b->quick);
}

static const struct {
	const char *name;
	enum place place;
	void (*print)(const struct bench *b);
} rows[] = {
	{"rtt", TOGETHER, rtt},
	{"flood", APART, flood_row},
	{"big.up", TOGETHER, big_up_row},
	{"big.down", TOGETHER, big_down_row},
	{"logged", TOGETHER, logged_row},
	{"start", TOGETHER, start_row},
	{"grant", TOGETHER, grant_row},
	{"redis", TOGETHER, redis_row},
	{"grant.8", SCHEDULED, eight_row},
	{"calls", SCHEDULED, journal_row},
	{"rss", SCHEDULED, rss},
	{"log", SCHEDULED, log_row},
	{"size", SCHEDULED, size_row},
	{"alloc", SCHEDULED, alloc_row},
	{"syscalls", SCHEDULED, syscalls},
};

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc <= 2;
}

static const char *program(const char *name)
{
	const char *path = getenv(name);

	if (path)
		return path;
	fprintf(stderr, "bench: %s is not set\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	const char *mode = getenv("BENCH");
	struct bench b = {.rounds = 9};

	if (argc < 2) {
		fputs("usage: bench DIRECTORY [ROW]...\n", stderr);
		return 2;
	}
	/* A relay that is broken may wait for ever. */
	alarm(PATIENCE);
	b.dir = argv[1];
	b.share = mode ? strtoul(mode, NULL, 10) : 0;
	if (mode && strcmp(mode, "quick") == 0)
		b.share = 100;
	b.quick = b.share > 0;
	b.rounds = b.quick ? 1 : b.rounds;
	b.weir = program("WEIR");
	b.fixed = program("STATIC");
	b.bare = program("BARE");
	b.server = program("SERVER");
	b.alloc = program("ALLOC");
	program("SEED");
	input_policy(path_in(&b, "100.json", b.policy), 100, NULL);
	b.behind_weir[0] = b.weir;
	b.behind_weir[1] = "-p";
	b.behind_weir[2] = b.policy;
	b.behind_weir[3] = "--";
	b.behind_bare[0] = b.bare;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (wanted(rows[i].name, argc, argv)) {
			behind_place(rows[i].place);
			rows[i].print(&b);
		}
	return 0;
}
