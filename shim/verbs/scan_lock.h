/* scan_lock - weir scan --write-lock FILE, and --lock FILE --diff. */
#ifndef SHIM_SCAN_LOCK_H
#define SHIM_SCAN_LOCK_H

#include "../options.h"
#include "listing.h"

/* Writes the lock o->write_lock of the tools listed; or compares them with the
 * lock o->lock, and prints what differs.  Returns the status to exit with: 0
 * done, or all the same, 1 something differs, 2 reported. */
int scan_lock(const struct options *o, const struct listing *l);

#endif
