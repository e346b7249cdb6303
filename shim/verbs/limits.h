/* limits - what the limits of a grant have counted: weir limits. */
#ifndef SHIM_LIMITS_H
#define SHIM_LIMITS_H

#include "../options.h"

#define LIMITS_TOLD  0
#define LIMITS_KEPT  1 /* nothing was reset: the answer was not yes */
#define LIMITS_ERROR 2

/* Prints the table, or JSON, on stdout; or resets a counter, after it has asked
 * on stderr and read "y" from stdin.  Returns the status to exit with. */
int limits_run(const struct options *o);

#endif
