/* check - the verb: is this policy sound, and what does it do? */
#ifndef SHIM_CHECK_H
#define SHIM_CHECK_H

#include "../options.h"

#define CHECK_SOUND   0
#define CHECK_WARNED  1 /* sound, but strict and not without warnings */
#define CHECK_UNSOUND 2

/*
 * Says on stdout what is wrong with the files that o->rest names, each by
 * itself, and what is probably a mistake in the policy that they make laid over
 * one another; with o->tools, what it does to each tool of a list; with
 * o->print, the merged policy.  Returns the status to exit with.
 */
int check_run(const struct options *o);

#endif
