/* check - the verb: are these policy files sound? */
#ifndef SHIM_CHECK_H
#define SHIM_CHECK_H

#include <stdbool.h>

#define CHECK_SOUND   0
#define CHECK_WARNED  1 /* sound, but strict and not without warnings */
#define CHECK_UNSOUND 2

/* Says on stdout of each file of the NULL-ended list whether it is sound, and
 * why not.  Returns the status to exit with, of the worst. */
int check_run(char **files, bool strict);

#endif
