/*
 * relay - the lines between the client and the server, judged on their way.
 *
 * One thread, one poll loop, two streams.  What is promised:
 *
 *   - no byte of a client's line reaches the server before the whole line has
 *     been judged; a line that fits into the server's pipe is written at once,
 *     for a pause inside a line ends it for some readers
 *   - the server's bytes are passed on as they come; but while a list is
 *     pending that may hold a hidden tool, line by line
 *   - what weir answers itself goes out between whole lines of the server
 *   - a side is read only while there is room for the worst that it can cause;
 *     so memory is bounded, and a side that stops reading stops the other, as
 *     it would without weir
 *   - a call that is being counted holds up the client's messages behind it,
 *     and nothing else; one that waits for a person lies aside and holds up
 *     nothing, and goes to the server between whole lines once it is approved
 *   - after the start nothing is allocated, except to reload the policy
 *   - SIGHUP reopens the log, and reloads the policy between two messages; a
 *     policy with errors changes nothing
 */
#ifndef SHIM_RELAY_H
#define SHIM_RELAY_H

#include "../policies/policy.h"
#include "child.h"
#include "options.h"

/*
 * Runs the command of the options with this signal mask, or a server that runs
 * already, behind the policy that they name, until it ends, with this process's
 * descriptors 0 and 1 as the client.  Returns the status to exit with.
 */
int relay_run(const struct options *o, const sigset_t *mask,
	      struct running *server);

#endif
