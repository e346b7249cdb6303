/* weir help: the manual, unpacked.  The contract is in help.h. */
#include "help.h"

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
	     "  weir help policy  how to write and test a policy; or one part "
	     "of that:\n"
	     "                    file, names, rules, counters, approval, "
	     "conditions,\n"
	     "                    ambiguous, regular, layers, tests, bounds\n"
	     "  weir help TOPIC   approval, client, environment, exit, files, "
	     "limitations,\n"
	     "                    lock, log, options, server, signals\n"
	     "  man weir, man weir-policy\n"
	     "                    the same, and Redis, preloading and other "
	     "systems");
}

int help_run(const struct options *o)
{
	const char *topic = o->rest[0];
	const enum run verb = topic ? options_verb(topic) : RUN_RELAY;
	bool found = verb != RUN_RELAY;
	char *text;

	if (!topic) {
		print_overview();
		return 0;
	}
	text = malloc(help_length);
	if (!text) {
		report("out of memory");
		return HELP_ERROR;
	}
	unpack(help_packed, text);
	if (found)
		options_help(verb);
	for (const struct help_topic *t = help_topics; *t->name; t++) {
		if (strcmp(t->name, topic) != 0)
			continue;
		/* Each begins with an empty line. */
		for (unsigned i = t->from + !found; i < t->to; i++)
			putchar(text[i]);
		found = true;
	}
	free(text);
	if (!found)
		report("no help about %s: weir help lists the topics", topic);
	return found ? 0 : HELP_ERROR;
}
