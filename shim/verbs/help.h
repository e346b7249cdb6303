/* help - the manual, in the program. */
#ifndef SHIM_VERBS_HELP_H
#define SHIM_VERBS_HELP_H

#include "../options.h"

#define HELP_ERROR 2
#define HELP_PAIRS 128

/* Where the text about a topic is; a name may be there more than once. */
struct help_topic {
	const char *name;        /* NULL: the end */
	unsigned short from, to; /* in help_text */
};

/* shim/help makes these of the man pages.  A byte of the text from 128 up
 * stands for a pair, whose bytes are ASCII or stand for earlier pairs. */
extern const unsigned char help_pairs[HELP_PAIRS][2];
extern const unsigned char help_text[];
extern const struct help_topic help_topics[];

/* Prints what there is about the operand, or an overview.  Returns the exit
 * status. */
int help_run(const struct options *o);

#endif
