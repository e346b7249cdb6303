/*
 * log_verify - is a log as weir wrote it?
 *
 * Each line of a process has the SHA-256 of the one before it, so a line that
 * fits nothing before it shows that something was changed, cut out, added or
 * moved by somebody who did not compute again what follows.  A start line fits
 * always: pids are used again.  Files are one log, in the order given.
 */
#ifndef SHIM_LOG_VERIFY_H
#define SHIM_LOG_VERIFY_H

#include "../options.h"

/* Prints what was found, on stdout; o->head is the SHA-256 of a line that must
 * be there, or NULL.  Returns LOG_DONE, LOG_NO or LOG_ERROR (log.h). */
int log_verify(const struct options *o, char *const *files);

#endif
