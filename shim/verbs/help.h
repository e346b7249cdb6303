/* help - the manual, in the program. */
#ifndef SHIM_VERBS_HELP_H
#define SHIM_VERBS_HELP_H

#include "../options.h"

#define HELP_ERROR 2

/* Where the text about a topic is; a name may be there more than once. */
struct help_topic {
	char name[14];     /* "": the end */
	unsigned from, to; /* in the text */
};

/* shim/help makes these of the man pages: what gzip packed, without its header,
 * and how long it is unpacked. */
extern const unsigned char help_packed[];
extern const unsigned help_length;
extern const struct help_topic help_topics[];

/* Prints what there is about the operand, or an overview.  Returns the exit
 * status. */
int help_run(const struct options *o);

#endif
