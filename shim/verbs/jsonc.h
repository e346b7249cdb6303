/*
 * jsonc - JSON as people write it into configuration files, read in place.
 *
 * Besides RFC 8259 it reads what at least one MCP client reads: a byte order
 * mark at the begin, comments, and a comma before a closing bracket.  Nothing
 * else: a comment that some readers end sooner than others is an error.
 *
 * The functions are pure and do not recurse.  Results point into the caller's
 * bytes and live as long.
 */
#ifndef SHIM_JSONC_H
#define SHIM_JSONC_H

#include "../../parser/member.h"

#define JSONC_DEPTH_MAX 1000 /* objects and arrays open at once */

enum {
	JSONC_BOM = 1,
	JSONC_COMMENTS = 2,
	JSONC_COMMAS = 4, /* before a closing bracket */
};

struct jsonc {
	struct span root;   /* the value */
	unsigned seen;      /* what strict JSON does not have: of the enum */
	struct fault fault; /* reason NULL: none */
};

/* Reads len bytes at text, which a NUL follows, as one value and nothing
 * behind it.  False: see fault.  All that follows is about such a text. */
bool jsonc_read(struct jsonc *j, const char *text, size_t len);

/* One member of an object, or element of an array. */
struct jsonc_item {
	struct text key;   /* ptr NULL: an element */
	struct span value; /* ptr NULL: there is none */
	const char *begin; /* of the key's quote, or of the value */
};

/* Goes to the next item of an object or array, to the first if the item is all
 * zero.  False: there is none; or the value has no items. */
bool jsonc_next(struct span value, struct jsonc_item *item);

/* The last member with this key, which is the one that JSON.parse() takes. */
struct jsonc_item jsonc_find(struct span object, const char *key);

/* Its value; ptr NULL: there is none, or no object. */
struct span jsonc_member(struct span object, const char *key);

/* Skips white space and comments; p is not inside of a token. */
const char *jsonc_space(const char *p);

/* A string decoded, with a NUL behind it; "" if there is none, or if it cannot
 * be.  The caller frees it.  NULL: out of memory. */
char *jsonc_decode(struct text text);

#endif
