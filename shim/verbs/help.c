/* weir help: the manual, unpacked.  The contract is in help.h. */
#include "help.h"

#include "../../policies/policy.h"
#include "../report.h"
#include "unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_overview(void)
{
	puts("weir runs an MCP server behind a policy. The policy hides, "
	     "denies or limits its\n"
	     "tools, or asks a person about a call. Everything else passes "
	     "unchanged.\n\n"
	     "  weir -p POLICY -- COMMAND [ARG]...\n");
	options_verbs();
	puts("\nMore help:\n"
	     "  weir --help       the options to run a server\n"
	     "  weir help VERB    a verb, with its options\n"
	     "  weir help policy  how to write and test a policy; or weir help "
	     "policy PART:\n"
	     "                    file, names, rules, counters, approval, "
	     "conditions,\n"
	     "                    ambiguous, regular, layers, tests, bounds\n"
	     "  weir help TOPIC   approval, bounds, client, environment, exit, "
	     "files,\n"
	     "                    limitations, lock, log, options, server, "
	     "signals\n"
	     "  man weir, man weir-policy\n"
	     "                    the same, and Redis, preloading and other "
	     "systems");
}

/* Prints what one of the two pages says: only of the policy's are parts. */
static bool print_topic(const char *topic, bool of_policy, bool verb,
			const char *text)
{
	const struct help_topic *t = help_topics, *page = t;
	bool found = verb;

	while (strcmp(page->name, "policy") != 0)
		page++;
	for (; *t->name; t++) {
		if (strcmp(t->name, topic) != 0 ||
		    (t->from >= page->from) != of_policy)
			continue;
		/* Each begins with an empty line. */
		for (unsigned i = t->from + !found; i < t->to; i++)
			putchar(text[i]);
		found = true;
	}
	return found;
}

static void report_none(const char *topic)
{
	char names[64 * sizeof(help_topics->name)] = "";
	struct strbuf list = {.ptr = names, .cap = sizeof(names) - 1};
	const char *meant = options_meant(topic);

	for (const struct help_topic *t = help_topics; *t->name; t++)
		strbuf_bytes(&list, t->name, strlen(t->name) + 1);
	if (!meant || strcmp(meant, topic) == 0)
		meant = policy_nearest(topic, strlen(topic), names);
	report("no help about %s: %s%s", topic,
	       meant ? "did you mean " : "weir help lists the topics",
	       meant ? meant : "");
}

int help_run(const struct options *o)
{
	const char *topic = o->rest[0];
	const bool part = topic && o->rest[1];
	enum run verb;
	bool found;
	char *text;

	if (!topic) {
		print_overview();
		return 0;
	}
	if (part && strcmp(topic, "policy") != 0) {
		report("help: unexpected operand %s (see weir help)",
		       o->rest[1]);
		return HELP_ERROR;
	}
	topic = o->rest[part];
	verb = part ? RUN_RELAY : options_verb(topic);
	text = malloc(help_length);
	if (!text) {
		report("out of memory");
		return HELP_ERROR;
	}
	unpack(help_packed, text);
	if (verb != RUN_RELAY)
		options_help(verb);
	found = (!part && print_topic(topic, false, verb != RUN_RELAY, text)) ||
		print_topic(topic, true, false, text);
	free(text);
	if (!found)
		report_none(topic);
	return found ? 0 : HELP_ERROR;
}
