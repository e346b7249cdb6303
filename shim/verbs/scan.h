/* scan - weir scan: a policy, or a list, from what a server says it has. */
#ifndef SHIM_SCAN_H
#define SHIM_SCAN_H

#include "../options.h"

#define SCAN_DONE  0
#define SCAN_ERROR 2

/*
 * Asks the server that command starts, NULL-ended, and writes a policy that
 * names each of its tools, or with o->list_only its lists, to o->output or
 * stdout.  Returns the status to exit with.
 */
int scan_server(const struct options *o, char **command);

/* Does an entry of the policy name a tool that this server lists, or has it
 * none?  -1: reported, the server cannot be asked. */
int scan_named(const struct policy *policy, char **command, size_t seconds);

#endif
