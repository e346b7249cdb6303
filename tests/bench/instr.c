/* Judges one call many times, for tests/bench/instr to count instructions of.
 * instr plain|conditions TIMES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../policies/policy.h"

static const struct {
	const char *name, *policy;
} kinds[] = {
	{"plain",
	 "{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"admin_*\"],"
	 "\"tools\":{\"user_write_1\":{},\"other_*\":{}}}"},
	{"conditions",
	 "{\"version\":\"1\",\"default\":\"deny\",\"tools\":{\"user_write_1\":{"
	 "\"require\":[{\"path\":\"args.path\",\"op\":\"under\","
	 "\"value\":\"/srv/data\"}],"
	 "\"deny_if\":[{\"path\":\"args.head\",\"op\":\"gt\",\"value\":500},"
	 "{\"path\":\"args.note\",\"op\":\"regex\","
	 "\"value\":\"(?i)drop table\"}],"
	 "\"limits\":[{\"max\":1000000,\"window\":\"minute\","
	 "\"scope\":\"session\"}]},"
	 "\"user_*\":{\"limits\":[{\"max\":1000000,\"window\":\"hour\","
	 "\"scope\":\"session\"}]}}}"},
};

/* 195 bytes, as an agent's call may be. */
static const char line[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1007,\"method\":\"tools/call\","
	"\"params\":{\"name\":\"user_write_1\",\"arguments\":{"
	"\"path\":\"/srv/data/projects/message/branch.txt\",\"head\":318,"
	"\"note\":\"etaoin shrdlu etaoin shrdlu eta\"}}}";

static void complain(void *context, const char *words)
{
	(void)context;
	fprintf(stderr, "%s\n", words);
}

static bool judge(const struct policy *policy, struct counters *counters)
{
	static struct judged j;
	struct message m;
	struct fault fault;

	if (!message_read(line, sizeof(line) - 1, &m, &fault))
		return false;
	policy_judge(policy, &m, &j);
	if (j.count > 0)
		policy_counted(&j, counters_ask(counters, j.questions, j.count,
						true, SECOND));
	return j.verdict.kind == VERDICT_PASS;
}

int main(int argc, char **argv)
{
	struct policy_source source = {.name = "bench"};
	struct counters *counters;
	struct policy *policy;

	for (size_t i = 0; argc == 3 && i < 2; i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			source.text = kinds[i].policy;
	if (!source.text)
		return 2;
	source.len = strlen(source.text);
	policy = policy_compile(&source, 1, NULL, complain, NULL);
	counters = counters_new(policy, NULL, NULL, complain, NULL);
	for (int times = atoi(argv[2]); times > 0; times--)
		if (!judge(policy, counters))
			return 1;
	return 0;
}
