/*
 * What limits share and what they count apart: in memory and in a file, before
 * and after it is written anew, and after a start.
 */
#include "grant.h"

#include <fcntl.h>

#include "../../policies/internal.h"

#define POLICY(rest) "{\"version\":\"1\",\"default\":\"allow\"," rest "}"
#define WRITES(max)                                                            \
	"{\"limits\":[{\"counter\":\"writes\",\"max\":" max                    \
	",\"window\":\"minute\"}]}"
#define PER(per, rest)                                                         \
	POLICY("\"all_tools\":{\"limits\":[{\"max\":2,\"window\":\"day\","     \
	       "\"per\":\"" per "\"" rest "}]}")

/* Calls one after another, "TOOL X" with {"x":X}: the ones in upper case are
 * refused. */
static const struct {
	const char *name, *policy;
	const char *const calls[12];
} rows[] = {
	{"one budget over four tools",
	 POLICY("\"tools\":{\"write\":" WRITES("5") ",\"edit\":" WRITES(
		 "5") ",\"move\":" WRITES("5") ",\"create\":" WRITES("5") "}"),
	 {"write 1", "edit 1", "move 1", "create 1", "write 1", "EDIT 1",
	  "WRITE 1", "other 1"}},
	{"one count, each with its own max",
	 POLICY("\"tools\":{\"a\":" WRITES("2") ",\"b\":" WRITES("4") "}"),
	 {"a 1", "b 1", "A 1", "b 1", "b 1", "B 1", "A 1"}},
	{"a call counts once in it",
	 POLICY("\"all_tools\":" WRITES("4") ",\"tools\":{\"a\":" WRITES(
		 "3") ",\"?\":" WRITES("9") "},\"methods\":{\"tools/"
					    "call\":" WRITES("8") "}"),
	 {"a 1", "a 1", "a 1", "A 1", "b 1", "B 1"}},
	{"each tool by itself",
	 PER("tool", ""),
	 {"a 1", "b 1", "a 1", "A 1", "b 2", "B 1", "c 1"}},
	{"as FastMCP's apps name it",
	 PER("tool", ""),
	 {"a 1", "__0123456789ab_a 1", "A 1", "__0123456789AB_A 1"}},
	{"each value",
	 PER("args.x", ""),
	 {"a \"X\"", "b \"x\"", "A \"\\u0058\"", "a 1", "a 1.0", "A 10e-1",
	  "a true", "a \"true\"", "a true", "A true", "a \"1\"", "a false"}},
	{"no value",
	 PER("args.x", ""),
	 {"A null", "A []", "A {\"y\":1}", "a \"\"", "A 12345678901234567",
	  "a 0", "a -0.0", "A 0", "a -1", "a 1e2", "a 100", "A 1.00e2"}},
	{"not there", PER("args.y", ""), {"A 1"}},
	{"as many values as may be",
	 PER("args.x", ",\"values\":2"),
	 {"a 1", "a 2", "A 3", "a 2", "a 1", "A 1", "A 4"}},
	{"a sum for each value",
	 POLICY("\"tools\":{\"a\":{\"limits\":[{\"max\":5.5,\"window\":"
		"\"week\",\"increment_from\":\"args.x\",\"per\":\"tool\"}]},"
		"\"?\":{\"limits\":[{\"max\":7,\"window\":\"week\","
		"\"increment_from\":\"args.x\",\"per\":\"args.x\"}]}}"),
	 {"a 3", "A 3", "b 3", "B 3", "a 2.5", "b 2.5", "A 0.1", "a 0"}},
	{"unnamed ones of one entry are apart by their window",
	 POLICY("\"tools\":{\"a\":{\"limits\":[{\"max\":3,\"window\":60},{"
		"\"max\":2,\"window\":61}]}}"),
	 {"a 1", "a 1", "A 1"}},
};

/* How many of the calls were not answered as they should. */
static void play(size_t row, struct process *p)
{
	for (size_t i = 0; i < COUNT(rows[0].calls) && rows[row].calls[i];
	     i++) {
		const char *call = rows[row].calls[i],
			   *space = strchr(call, ' ');
		char tool[64], name[160];
		struct verdict v;
		bool passes = false;

		snprintf(tool, sizeof(tool), "%.*s", (int)(space - call), call);
		for (char *c = tool; *c; c++) {
			passes |= *c >= 'a' && *c <= 'z';
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
		}
		v = process_call(p, tool, space + 1);
		snprintf(name, sizeof(name), "%s, call %zu: %s", rows[row].name,
			 i, call);
		row_true(name, (v.kind == VERDICT_PASS) == passes);
		row_true(name, counters_trouble(p->counters)[0] == '\0');
		grant_wait(MILLISECOND);
		if (!p->grant)
			continue;
		/* Each time from the begin, and written anew in turn. */
		if (i % 2)
			((struct journal *)p->grant)->compact_at = 0;
		if (i % 3 == 0)
			((struct journal *)p->grant)->end = 0;
	}
}

TEST(rows_hold)
{
	for (size_t i = 0; i < 3 * COUNT(rows); i++) {
		struct process p;

		grant_clock = (struct policy_moment){
			.steady = SECOND, .wall = SECOND, .boot = 1};
		row_true(grant_said, process_start(&p, rows[i / 3].policy));
		if (i % 3 == 0) {
			counters_free(p.counters);
			backend_close(p.grant);
			p.grant = NULL;
			p.counters = COUNTERS(p.policy);
		}
		play(i / 3, &p);
		process_end(&p);
		unlink(grant_file);
	}
}

/* A value that has run out makes room; what is left of a sum is told. */
TEST(values_run_out)
{
	struct process p;
	struct verdict v;

	grant_clock = (struct policy_moment){.boot = 1};
	row_true(grant_said, process_start(&p, PER("args.x", ",\"values\":2")));
	for (int round = 0; round < 50; round++) {
		char x[20], y[20];

		snprintf(x, sizeof(x), "%d", 2 * round);
		snprintf(y, sizeof(y), "%d", 2 * round + 1);
		assert_int_equal(process_call(&p, "a", x).kind, VERDICT_PASS);
		grant_wait(3600 * SECOND);
		assert_int_equal(process_call(&p, "a", y).kind, VERDICT_PASS);
		v = process_call(&p, "a", "\"more\"");
		assert_int_equal(v.kind, VERDICT_REFUSED);
		assert_non_null(strstr(v.reason, "too many different values"));
		assert_int_equal(v.wait, 23 * 3600 * SECOND);
		if (round % 7 == 0) {
			process_end(&p);
			row_true(grant_said,
				 process_start(&p,
					       PER("args.x", ",\"values\":2")));
		}
		grant_wait(24 * 3600 * SECOND);
	}
	process_end(&p);
	unlink(grant_file);
	row_true(
		grant_said,
		process_start(&p, POLICY("\"tools\":{\"a\":{\"limits\":[{"
					 "\"max\":5.5,\"window\":\"week\","
					 "\"increment_from\":\"args.x\"}]}}")));
	assert_int_equal(process_call(&p, "a", "3").kind, VERDICT_PASS);
	v = process_call(&p, "a", "3");
	assert_int_equal(v.left, 2500000);
	process_end(&p);
	unlink(grant_file);
}

/* A method's limit finds another amount than a tool's: what is counted once is
 * held against each max. */
TEST(two_amounts_of_one_sum)
{
	struct process p;

	grant_clock = (struct policy_moment){.boot = 1};
	for (int i = 0; i < 2; i++) {
		struct question q[2] = {{.max = 5, .amount = 1},
					{.max = 100, .amount = 4}};

		row_true(grant_said,
			 process_start(
				 &p,
				 POLICY("\"tools\":{\"a\":{\"limits\":[{"
					"\"max\":9,\"window\":\"day\","
					"\"increment_from\":\"args.x\"}]}}")));
		for (int k = 0; k < 2; k++) {
			q[k].counter = p.policy->counters[0];
			q[k].window = q[k].counter->window;
		}
		assert_int_equal(counters_ask(p.counters, q, 2, true, 0),
				 i == 0 ? COUNTED_YES : COUNTED_REFUSED);
		process_end(&p);
	}
	unlink(grant_file);
}

/* ---- policies of one grant --------------------------------------------- */

#define NAMED(max, window)                                                     \
	POLICY("\"tools\":{\"t\":{\"limits\":[{\"counter\":\"c\",\"max\":" max \
	       ",\"window\":\"" window "\"}]}}")
#define SPENT(max, window)                                                     \
	POLICY("\"tools\":{\"t\":{\"limits\":[{\"counter\":\"c\",\"max\":" max \
	       ",\"window\":\"" window "\",\"increment_from\":\"args.x\"}]}}")

/* One that needs a minute, or another counter, writes the file anew again and
 * again: nothing that the other needs is gone. */
TEST(windows_of_others)
{
	static const struct {
		const char *day, *minute;
		bool same; /* counter */
	} pairs[] = {
		{NAMED("90", "day"), NAMED("80", "minute"), true},
		{SPENT("90", "day"), SPENT("80", "minute"), true},
		{NAMED("90", "day"),
		 POLICY("\"tools\":{\"t\":{\"rate_limit\":\"80/minute\"}}"),
		 false},
		{SPENT("90", "day"),
		 POLICY("\"tools\":{\"t\":{\"rate_limit\":"
			"\"80/minute\"}}"),
		 false},
	};

	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct process day, minute;
		int counted = 0;

		grant_clock = (struct policy_moment){.boot = 1};
		row_true(grant_said, process_start(&day, pairs[i].day));
		row_true(grant_said, process_start(&minute, pairs[i].minute));
		for (int n = 0; n < 20; n++) {
			row_true(pairs[i].day,
				 process_call(&day, "t", "1").kind ==
					 VERDICT_PASS);
			counted++;
			/* It is written anew once that is written. */
			((struct journal *)minute.grant)->compact_at = 0;
			row_true(pairs[i].day,
				 process_call(&minute, "t", "1").kind ==
					 VERDICT_PASS);
			counted += pairs[i].same;
			grant_wait(100 * SECOND);
		}
		row_true(pairs[i].day, process_spend(&day) == 90 - counted);
		process_end(&day);
		row_true(grant_said, process_start(&day, pairs[i].day));
		row_true(pairs[i].day, process_spend(&day) == 0);
		process_end(&day);
		process_end(&minute);
		unlink(grant_file);
	}
}

/* A file stays small however long it is used. */
TEST(stays_small)
{
	const char *policy = POLICY(
		"\"tools\":{\"t\":{\"limits\":[{\"max\":50,\"window\":\"second\""
		"},{\"counter\":\"s\",\"max\":1000000,\"window\":\"day\","
		"\"increment_from\":\"args.x\"}]}}");
	struct process p;
	struct stat st;

	grant_clock = (struct policy_moment){.boot = 1};
	row_true(grant_said, process_start(&p, policy));
	((struct journal *)p.grant)->busy = JOURNAL_MORE;
	((struct journal *)p.grant)->compact_at = JOURNAL_MORE;
	for (int i = 0; i < 60000; i++) {
		assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_PASS);
		grant_wait(30 * MILLISECOND);
	}
	assert_int_equal(stat(grant_file, &st), 0);
	assert_true(st.st_size < 2 * JOURNAL_MORE);
	process_end(&p);
	unlink(grant_file);
}

/* While one waits for the disk, others go on counting; and where it never comes
 * to its end, another begins anew. */
TEST(written_anew_in_two_steps)
{
	const char *policy = POLICY("\"tools\":{\"t\":{\"limits\":[{\"max\":"
				    "200000,\"window\":\"day\"}]}}");
	struct process a, b;
	struct journal *one, *two;
	struct stat st;
	int calls = 0;

	grant_clock = (struct policy_moment){.boot = 1};
	row_true(grant_said, process_start(&a, policy));
	row_true(grant_said, process_start(&b, policy));
	one = (struct journal *)a.grant;
	two = (struct journal *)b.grant;
	one->settle = two->settle = 1;
	one->busy = two->busy = JOURNAL_MORE;
	for (int round = 0; round < 5; round++) {
		one->compact_at = 0;
		process_call(&a, "t", "1");
		assert_true(one->next.fd >= 0);
		/* Nobody else begins one. */
		two->compact_at = 0;
		for (int i = 0; i < 10; i++)
			process_call(&b, "t", "1");
		assert_int_equal(two->next.fd, -1);
		process_call(&a, "t", "1");
		assert_int_equal(one->next.fd, -1);
		process_call(&b, "t", "1");
		calls += 13;
	}
	one->settle = INT64_MAX;
	one->compact_at = 0;
	process_call(&a, "t", "1");
	for (calls++; calls < 150000; calls++)
		process_call(&b, "t", "1");
	assert_int_equal(stat(grant_file, &st), 0);
	assert_true(st.st_size < 4 * JOURNAL_MORE);
	one->settle = 1;
	process_call(&a, "t", "1");
	process_call(&a, "t", "1");
	process_end(&a);
	row_true(grant_said, process_start(&a, policy));
	assert_int_equal(((struct journal *)a.grant)->windows->counts[0].used,
			 1);
	for (calls += 2; process_call(&b, "t", "1").kind == VERDICT_PASS;)
		calls++;
	assert_int_equal(calls, 200000);
	assert_int_equal(process_call(&a, "t", "1").kind, VERDICT_REFUSED);
	process_end(&a);
	process_end(&b);
	unlink(grant_file);
	/* Nothing is left. */
	assert_int_equal(rmdir(grant_directory), 0);
	assert_int_equal(mkdir(grant_directory, 0700), 0);
}

RUN(grant_setup, grant_teardown)
