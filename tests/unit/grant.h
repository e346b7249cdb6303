/* grant - grants for unit tests: a directory, and a clock that the test sets.
 */
#ifndef TESTS_UNIT_GRANT_H
#define TESTS_UNIT_GRANT_H

#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../policies/counters/journal.h"
#include "../now.h"

static char grant_directory[64];         /* of this test program */
static char grant_file[96];              /* of the grant "g" in it */
static char grant_said[1024];            /* the last line that was reported */
static struct policy_moment grant_clock; /* what the clocks say */

static inline int grant_setup(void **state)
{
	(void)state;
	strcpy(grant_directory, "/dev/shm/weir-XXXXXX");
	if (!mkdtemp(grant_directory)) {
		strcpy(grant_directory, "/tmp/weir-XXXXXX");
		assert_non_null(mkdtemp(grant_directory));
	}
	snprintf(grant_file, sizeof(grant_file), "%s/g.limits",
		 grant_directory);
	return 0;
}

static inline int grant_teardown(void **state)
{
	(void)state;
	unlink(grant_file);
	return rmdir(grant_directory);
}

static inline struct policy_moment grant_read(void *context)
{
	(void)context;
	return grant_clock;
}

static inline void grant_listen(void *context, const char *line)
{
	(void)context;
	snprintf(grant_said, sizeof(grant_said), "%s", line);
}

/* The clocks go on by so much, or back. */
static inline void grant_wait(int64_t time)
{
	grant_clock.steady += time;
	grant_clock.wall += time;
}

static inline struct backend *grant_g(void)
{
	const struct policy_clock clock = {.read = grant_read};
	struct backend *l;

	grant_said[0] = '\0';
	l = grant_open(grant_directory, "g", clock, grant_listen, NULL);
	/* What a test does to the file is seen at once. */
	if (l)
		((struct journal *)l)->look_every =
			((struct journal *)l)->settle = 0;
	return l;
}

/* What one process has. */
struct process {
	struct policy *policy;
	struct backend *grant;
	struct counters *counters;
};

/* False: what went wrong was said. */
static inline bool process_start(struct process *p, const char *policy)
{
	*p = (struct process){.policy = COMPILE(policy, grant_listen, NULL)};
	row_true(grant_said, p->policy);
	p->grant = grant_g();
	if (p->grant)
		p->counters = counters_new(p->policy, p->grant, NULL,
					   grant_listen, NULL);
	return p->counters;
}

static inline void process_end(struct process *p)
{
	counters_free(p->counters);
	backend_close(p->grant);
	policy_free(p->policy);
	*p = (struct process){.policy = NULL};
}

/* A call of the tool with {"x":AMOUNT}. */
static inline struct verdict process_call(struct process *p, const char *tool,
					  const char *amount)
{
	struct message m;
	struct fault f;
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
		 "\"params\":{\"name\":\"%s\",\"arguments\":{\"x\":%s}}}",
		 tool, amount);
	row_true(line, message_read(line, strlen(line), &m, &f));
	now_is = grant_clock.steady;
	return now_judge(p->policy, p->counters, &m);
}

/* How many calls of the tool pass now. */
static inline int process_spend_on(struct process *p, const char *tool)
{
	int count = 0;

	while (count < 99 && process_call(p, tool, "1").kind == VERDICT_PASS)
		count++;
	return count;
}

/* The same of the tool "t". */
static inline int process_spend(struct process *p)
{
	return process_spend_on(p, "t");
}

#endif
