/* approve - weir approve: a person's answer from another terminal. */
#ifndef SHIM_APPROVE_H
#define SHIM_APPROVE_H

#include "../options.h"

#define APPROVE_DONE  0
#define APPROVE_NOT   1 /* no such call, or it was not approved */
#define APPROVE_ERROR 2

/* Lists the calls that wait in all sessions of the state directory; or shows
 * one and answers it; or asks about each as it comes.  Returns the status to
 * exit with. */
int approve_run(const struct options *o);

#endif
