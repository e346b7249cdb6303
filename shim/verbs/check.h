/* check - weir check: is this policy sound, and what does it do? */
#ifndef SHIM_CHECK_H
#define SHIM_CHECK_H

#include "../options.h"

#define CHECK_SOUND   0
#define CHECK_WARNED  1 /* sound, but with warnings and o->strict */
#define CHECK_UNSOUND 2

/*
 * Prints the errors of the files in o->rest, each alone, then the warnings of
 * the policy that they make together; with o->tools, what becomes of each tool
 * in that file; with o->print, the merged policy; with o->preload, whether the
 * command o->rest loads libweir.so.  Returns the status to exit with.
 */
int check_run(const struct options *o);

#endif
