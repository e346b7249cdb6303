/*
 * redis - the counters of a grant in Redis or Valkey, which many machines
 * share.  A backend of counters.h, on one connection in RESP2.
 *
 * A call is one round trip: the script of redis_script.h asks and counts all
 * of its limits by the server's clock.  If the connection ends before the
 * answer, the call is sent once more under the same name, so that it counts
 * once.  A connection whose answer did not come in time is never used again.
 * After a failure the next connection is made for the first call that comes
 * when REDIS_REST_LEAST, doubled with each failure up to REDIS_REST_MOST, has
 * passed; until then calls are COUNTED_NOT at once.
 *
 * The server sees no names: keys are "weir:{HASH OF THE GRANT}:..." and end
 * with the longest window.
 */
#ifndef POLICIES_REDIS_H
#define POLICIES_REDIS_H

#include "counters.h"

#define REDIS_REST_LEAST (125 * MILLISECOND)
#define REDIS_REST_MOST  (4 * SECOND)

/* Is it the URL of a Redis, or meant to be? */
bool redis_is_url(const char *state);

/*
 * Connects to redis://[USER@]HOST[:PORT][/DB] or redis+unix:[//USER@]/PATH,
 * with the password in the file at secret, if it is not NULL; waits for
 * COUNTERS_START.  The URL stays the caller's.  Returns NULL after reporting
 * why it cannot count there.
 */
struct backend *redis_open(const char *url, const char *secret,
			   const char *grant, counters_report *report,
			   void *context);

#endif
