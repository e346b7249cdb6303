/* weir help: the manual, as it was packed.  The contract is in help.h. */
#include "help.h"

#include "../report.h"

#include <stdio.h>
#include <string.h>

static void print_overview(void)
{
	puts("weir runs an MCP server behind a policy, which hides, denies, "
	     "limits or asks a\n"
	     "person about calls of its tools. Everything else passes "
	     "unchanged.\n\n"
	     "  weir -p POLICY -- COMMAND [ARG]...\n");
	options_verbs();
	puts("\nRead on:\n"
	     "  weir --help       the options of running a server\n"
	     "  weir help VERB    a verb, with its options\n"
	     "  weir help policy  how a policy is written and tested; or a "
	     "part of that:\n"
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

static void print_byte(unsigned char c)
{
	unsigned char behind[HELP_PAIRS];

	for (size_t n = 0;; c = behind[--n]) {
		for (; c >= 128; c = help_pairs[c - 128][0])
			behind[n++] = help_pairs[c - 128][1];
		putchar(c);
		if (n == 0)
			return;
	}
}

int help_run(const struct options *o)
{
	const char *topic = o->rest[0];
	const enum run verb = topic ? options_verb(topic) : RUN_RELAY;
	bool found = verb != RUN_RELAY;

	if (!topic) {
		print_overview();
		return 0;
	}
	if (found)
		options_help(verb);
	for (const struct help_topic *t = help_topics; t->name; t++) {
		if (strcmp(t->name, topic) != 0)
			continue;
		/* Each begins with an empty line. */
		for (size_t i = t->from + !found; i < t->to; i++)
			print_byte(help_text[i]);
		found = true;
	}
	if (!found)
		report("no help about %s: weir help says what there is", topic);
	return found ? 0 : HELP_ERROR;
}
