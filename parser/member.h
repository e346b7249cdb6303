/*
 * member - the members of an object, or one of them.
 *
 * For what message_read() or reply_read() has read already, and only some lines
 * need, each member decides something, and is read strictly.  The functions are
 * pure, as in scan.h; results point into the object.
 */
#ifndef PARSER_MEMBER_H
#define PARSER_MEMBER_H

#include "scan.h"

/* A member's value; ptr is NULL: missing, or null. */
struct member {
	const char *ptr;
	size_t len;
	struct text text; /* of a string; else its ptr is NULL */
};

/*
 * The one member of an object, braces included, that has this key, of at most
 * TEXT_FOLDED_MAX bytes.  What is no object has none.  False: there are two, or
 * one that some reader takes for it (message.h).
 */
bool member_find(struct span object, const char *key, struct member *found);

/* The same, down a path of keys that ends with a NULL; what is no object on the
 * way has no members. */
bool member_path(struct span object, const char *const *keys,
		 struct member *found);

/*
 * Iterates over the members of an object, or the elements of an array, of which
 * all has been read before: the bracket says which, '{' or '['.  Another value
 * has none.
 */
struct items {
	struct scan r;
	const char *p; /* what comes next; NULL: nothing */
	bool array, first;
};
void member_begin(struct items *i, struct span value, char bracket);

/* The next; an element's key has no ptr.  False: there is none. */
bool member_next(struct items *i, struct text *key, struct span *value);

/* The string at a value; its ptr is NULL if that is none. */
struct text member_text(struct span value);

/* The last member with this key; ptr NULL: none. */
struct span member_last(struct span object, const char *key);

#endif
