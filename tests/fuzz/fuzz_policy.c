/*
 * A policy file.  It loads or every fault is printable; what loads gives a
 * verdict on any name, and a tool is listed just if a call is not unknown.
 */
#include "../now.h"
#include "fuzz.h"

static void listen(void *context, const char *line)
{
	int *lines = context;

	for (; *line; line++)
		must((unsigned char)*line >= ' ' && *line != 0x7F);
	++*lines;
}

static const char *const names[] = {"a",          "",         "read_file", "A",
				    "cancel_job", "\xC3\xA9", "x\\u0041",  " a",
				    "*",          "?"};

static void judge(const struct policy *policy)
{
	int lines = 0;
	struct counters *counters =
		counters_new(policy, NULL, NULL, listen, &lines);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct message m = {
			.kind = MESSAGE_REQUEST,
			.method = METHOD_TOOLS_CALL,
			.id = {"1", 1},
			.name = {names[i], strlen(names[i]),
				 strchr(names[i], '\\') ? TEXT_ESCAPED : 0},
		};
		/* A policy may ask for more counters than there is memory. */
		struct verdict v;

		if (!counters)
			break;
		v = now_judge(policy, counters, &m);
		must(v.location.rule && v.reason);
		must(strlen(v.location.rule) <= POLICY_RULE_BYTES);
		must(strlen(v.reason) <= 6 * POLICY_REASON_BYTES);
		must(policy_lists(policy, POLICY_TOOLS, m.name) ==
		     (v.kind != VERDICT_HIDDEN));
	}
	counters_free(counters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int faults = 0, warnings = 0;
	char *text = exact(data, size);
	struct policy *policy;

	policy = policy_compile(&(struct policy_source){"fuzz", text, size}, 1,
				NULL, listen, &faults);
	must(!policy == (faults > 0));
	if (policy) {
		must(policy_warn(policy, NULL, listen, &warnings) == warnings);
		judge(policy);
	}
	policy_free(policy);
	free(text);
	return 0;
}
