/* limits - weir limits: what the limits of a grant have used up. */
#ifndef SHIM_LIMITS_H
#define SHIM_LIMITS_H

#include "../options.h"

#define LIMITS_TOLD  0
#define LIMITS_KEPT  1 /* nothing was reset: no such counter, or no "y" */
#define LIMITS_ERROR 2

/* Prints a table or JSON on stdout; or resets the counter o->reset, once stdin
 * has said "y".  Returns the status to exit with. */
int limits_run(const struct options *o);

#endif
