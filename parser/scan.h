/*
 * scan - strict JSON text (RFC 8259), read where it lies.
 *
 * Pure functions over bytes that the caller owns: nothing is allocated,
 * written or kept, and nothing recurses.  Everything handed out points into
 * those bytes and lives as long.
 *
 * The byte behind the text, *end, stops every step, so that none compares its
 * place with the end: it is a control byte (the LF or CR behind a line, the NUL
 * of a C string), or the text is a value that was read as part of a longer one.
 *
 * A reader advances a cursor: each function takes the place to read at and
 * returns the place after what it read, or NULL when the text is at fault.
 * There are two kinds of fault, both kept in the reader with the offset:
 *
 *   grammar  not JSON at all; reading stops.
 *   doubt    JSON, but some common reader takes it differently; the first one
 *            is kept and reading goes on, so that a request's id can be found
 *            and the refusal answered.  The caller must look at fault.reason
 *            when the end is reached: NULL means that there was no fault.
 *
 * In doubt are: nesting past SCAN_DEPTH_MAX (which also stops the reading), CR
 * as white space, a key that is "__proto__", begins "$serde_json::private::",
 * holds \u0000 or an unpaired surrogate.  Keys are compared as readers see
 * them, with escapes decoded.
 */
#ifndef PARSER_SCAN_H
#define PARSER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define SCAN_DEPTH_MAX 128  /* objects and arrays open at once */
#define SCAN_WINDOW    4096 /* bytes looked at in one go */

/* A run of bytes; ptr is NULL for "not there". */
struct span {
	const char *ptr;
	size_t len;
};

struct fault {
	const char *reason; /* static text; NULL: none */
	size_t offset;      /* in bytes from the begin of the text */
	bool grammar;       /* not JSON; else JSON that is in doubt */
};

struct scan {
	const char *begin;
	const char *end;
	const char *window; /* where stops begins */
	size_t filled;      /* bytes that it tells of; 0 at first */
	unsigned depth;     /* objects and arrays open around the cursor */
	bool lines;         /* CR is white space like any other (files) */
	struct fault fault; /* the grammar fault, else the first doubt */
	/* A bit for each byte, the first the lowest: set where a string has no
	 * plain content (scan_simd.h). */
	uint64_t stops[SCAN_WINDOW / 64];
};

/* Notes a grammar fault, or a doubt, at p.  scan_fail() returns NULL. */
const char *scan_fail(struct scan *r, const char *p, const char *reason);
void scan_ambiguous(struct scan *r, const char *p, const char *reason);

/* Skips white space; the only one of these that cannot fail. */
const char *scan_space(struct scan *r, const char *p);

/* Reads a string; p is at a byte, which must be its opening quote. */
const char *scan_string(struct scan *r, const char *p, struct text *text);

/* Skips any one value; p is at its first byte. */
const char *scan_value(struct scan *r, const char *p);

/*
 * Steps through the members of an object, or the elements of an array, whose
 * values the caller reads itself.  scan_enter() takes p at the bracket and
 * steps in; each scan_member() reads up to a value and sets *more, or, with
 * *more false, past the closing bracket.  first: nothing was read here yet.
 */
const char *scan_enter(struct scan *r, const char *p);
const char *scan_member(struct scan *r, const char *p, bool first,
			struct text *key, bool *more);
const char *scan_element(struct scan *r, const char *p, bool first, bool *more);

/* White space, then the end of the text: returns it, or NULL. */
const char *scan_end(struct scan *r, const char *p);

/* The reader over len bytes at text; offset 0 is text. */
struct scan scan_begin(const char *text, size_t len);

#endif
