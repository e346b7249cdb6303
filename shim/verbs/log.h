/* log - weir log: what a log amounts to, and whether it is as it was written.
 */
#ifndef SHIM_VERBS_LOG_H
#define SHIM_VERBS_LOG_H

#include "../options.h"

#define LOG_DONE  0
#define LOG_NO    1 /* --verify: something was changed */
#define LOG_ERROR 2 /* a file could not be read, say */

/* Reads the files o->rest, or that of WEIR_LOG, and prints what is asked for.
 * Returns the status to exit with. */
int log_run(const struct options *o);

#endif
