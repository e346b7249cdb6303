/*
 * listing - what a server says that it has, asked from the server itself.
 *
 * It is started, greeted in the older way (initialize, 2025-11-25) or, where it
 * refuses that, in the newer one (server/discover, 2026-07-28), asked for every
 * page of its tools, prompts, resources and resource templates, and ended.
 * What else it writes on stdout is skipped; its own requests are refused.
 */
#ifndef SHIM_LISTING_H
#define SHIM_LISTING_H

#include "../../parser/reply.h"

/* What is kept of one server: more is an error. */
#define LISTING_BYTES ((size_t)64 << 20) /* of all that it writes */
#define LISTING_PAGES 10000              /* of all its lists */
#define LISTING_ITEMS 100000

/* One element of a list.  The spans point into the replies. */
struct listing_item {
	enum reply_list list;
	struct span definition; /* the JSON value, as the server wrote it */
	struct text name;       /* of a tool or prompt; uri or uriTemplate;
				   ptr NULL: no such string, or two */
};

struct listing {
	/* The replies that have a list, in the order in which they came: each
	 * one line, NUL-ended, without its LF; owned. */
	char **replies;
	size_t reply_count;
	/* Every element of these, in order; owned. */
	struct listing_item *items;
	size_t count;
	/* The server's own name, from its greeting; ptr NULL: none.  Owned is
	 * the greeting. */
	struct text server;
	char *greeting;
};

/*
 * Asks the server that argv starts, NULL-ended.  seconds: how long it may take,
 * 0: as long as it likes; on a terminal stderr shows what it waits for.  Its
 * stderr is weir's.  False: reported, or a signal came; free it all the same.
 */
bool listing_take(struct listing *l, char **argv, size_t seconds);
void listing_free(struct listing *l);

#endif
