/* wrap - weir wrap and weir unwrap: weir in a client's configuration. */
#ifndef SHIM_WRAP_H
#define SHIM_WRAP_H

#include "../options.h"

#define WRAP_DONE  0
#define WRAP_NOT   1 /* a server is not as was asked */
#define WRAP_ERROR 2 /* the same, and the file is unchanged */

/*
 * Puts weir before the servers o->rest[1] and so on of the file o->rest[0],
 * with o->policies; or takes it out, if o->verb is RUN_UNWRAP; or, with
 * o->find, lists the files of known clients.  Prints what became of each
 * server.  Returns the status to exit with.
 */
int wrap_run(const struct options *o);

/* The last of these.  weir is the path of the program. */
int wrap_find(const struct options *o, const char *weir);

#endif
