/* explain - weir explain: what becomes of one call or other request, and which
 * rule decides. */
#ifndef SHIM_EXPLAIN_H
#define SHIM_EXPLAIN_H

#include "../options.h"

#define EXPLAIN_ALLOWED 0
#define EXPLAIN_REFUSED 1
#define EXPLAIN_ERROR   2

/*
 * Judges a call of the tool o->rest[0] with the arguments o->rest[1], a JSON
 * object or NULL, as the relay would before any call was counted; with
 * o->method, a message of this method with the params o->rest[0].  Prints the
 * verdict on stdout, for a person or as one line of JSON.  Returns the status
 * to exit with.
 */
int explain_run(const struct options *o);

#endif
