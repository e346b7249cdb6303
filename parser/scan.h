/*
 * scan - a cursor over strict JSON text (RFC 8259), read in place.
 *
 * The functions are pure: they allocate, write and keep nothing, and do not
 * recurse.  Results point into the caller's bytes and live as long.
 *
 * The text must be followed by a byte that ends every token, so that no step
 * compares with the end: *end is a control byte (LF, CR, NUL), or the text is a
 * complete value inside a longer text that has been read before.
 *
 * Each function takes the position to read at and returns the position behind
 * what it read, or NULL on an error.  There are two kinds of error; both are
 * kept in fault with their offset:
 *
 *   grammar    not JSON.  Reading stops.
 *   refused    JSON that is not to pass: some common reader reads it
 *              differently, or its reader wants it otherwise.  The first one is
 *              kept and reading goes on, so that the id of a request can be
 *              found and the refusal answered.  Check fault.reason at the end
 *              of the text: NULL means no error.
 *
 * Refused here are: nesting deeper than SCAN_DEPTH_MAX (this also stops
 * reading); CR as white space; a key "__proto__", a key that begins with
 * "$serde_json::private::", a key with \u0000 or an unpaired surrogate.  Keys
 * are compared decoded, as readers see them.
 */
#ifndef PARSER_SCAN_H
#define PARSER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define SCAN_DEPTH_MAX 128  /* objects and arrays open at once */
#define SCAN_WINDOW    4096 /* bytes whose stop bits are kept */

/* Some bytes; ptr is NULL if there are none. */
struct span {
	const char *ptr;
	size_t len;
};

struct fault {
	const char *reason; /* static text; NULL: none */
	size_t offset;      /* in bytes from the start of the text */
	bool grammar;       /* not JSON; else refused */
};

/* The cursor; about 600 bytes, the caller's. */
struct scan {
	const char *begin;
	const char *end;
	const char *window; /* first byte that stops describes */
	size_t filled;      /* bytes that it describes; 0 at first */
	unsigned depth;     /* objects and arrays open at the cursor */
	bool lines;         /* CR and LF are white space, as in files */
	struct fault fault; /* the grammar error, else the first refusal */
	/* One bit for each byte, the first byte lowest: set for the bytes that
	 * are not plain string content (scan_simd.h). */
	uint64_t stops[SCAN_WINDOW / 64];
};

/* Sets the cursor to read len bytes at text.  Returns text. */
const char *scan_begin(struct scan *r, const char *text, size_t len);

/* Record a fault at p: text that is no JSON, where scan_fail() returns NULL; or
 * JSON that is not to pass, which is read on. */
const char *scan_fail(struct scan *r, const char *p, const char *reason);
void scan_refuse(struct scan *r, const char *p, const char *reason);

/* Skips white space; never fails. */
const char *scan_space(struct scan *r, const char *p);

/* Reads a string; fails unless its opening quote is at p. */
const char *scan_string(struct scan *r, const char *p, struct text *text);

/* Skips one value of any kind; p is at its first byte. */
const char *scan_value(struct scan *r, const char *p);

/*
 * Iterate over the members of an object, or the elements of an array; the
 * caller reads the values.  scan_enter() steps over the opening bracket at p.
 * Each scan_member() or scan_element() stops at a value and sets *more, or
 * steps over the closing bracket and clears it.  Set first for the first call.
 */
const char *scan_enter(struct scan *r, const char *p);
const char *scan_member(struct scan *r, const char *p, bool first,
			struct text *key, bool *more);
const char *scan_element(struct scan *r, const char *p, bool first, bool *more);

/* Skips white space up to the end of the text; NULL if there is more. */
const char *scan_end(struct scan *r, const char *p);

#endif
