/* list - what a server has, as its replies list it.  For policies/language/
 * alone. */
#ifndef POLICIES_LIST_H
#define POLICIES_LIST_H

#include "../../parser/reply.h"
#include "../internal.h"

struct item {
	enum reply_list kind;
	struct text name;   /* or uri; ptr NULL: none, or an ambiguous one */
	struct span schema; /* of a tool's arguments; ptr NULL: unknown */
	size_t line;        /* of the file, from 1 */
};

#define LIST_BAD_MAX 20 /* lines that are told; more are counted */
struct bad_line {
	size_t line, column;
	const char *why;
};

struct policy_list {
	const char *file; /* the caller's */
	struct item *items;
	size_t count, room;
	bool seen[REPLY_LISTS]; /* there was such a list */
	bool part[REPLY_LISTS]; /* its last page names another */
	bool tasks;             /* the server has tasks */
	bool memory;            /* there was not enough */
	struct bad_line bad[LIST_BAD_MAX];
	size_t bad_count;
};

#endif
