/*
 * scan_step - the inline steps of scan.h, for parser/ only.  Each step does
 * what the function of the same name in scan.h does.
 */
#ifndef PARSER_SCAN_STEP_H
#define PARSER_SCAN_STEP_H

#include "scan.h"
#include "scan_simd.h"

#include <string.h>

/* Start of the keys that serde_json reserves for itself. */
#define SERDE       "$serde_json::private::"
#define SERDE_BYTES (sizeof(SERDE) - 1)

static inline unsigned char byte(const char *p)
{
	return (unsigned char)*p;
}

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Fills the window from p on. */
void scan_fill(struct scan *r, const char *p);

/* The rare cases, out of line: the first stop at or behind p, beyond this word
 * or the window; the rest of a string that begins at start, from the stop at p;
 * a key that is not plain; an error, with its own words at the end. */
const char *scan_stop(struct scan *r, const char *p);
const char *scan_rest(struct scan *r, const char *start, const char *p,
		      struct text *text);
void scan_check_key(struct scan *r, struct text key);
const char *scan_unexpected(struct scan *r, const char *p, const char *what);

/* Sets field by field: clearing the stops would cost more than a line. */
static inline void step_begin(struct scan *r, const char *text, size_t len)
{
	r->begin = r->window = text;
	r->end = text + len;
	r->filled = 0;
	r->depth = 0;
	r->lines = false;
	r->fault.reason = NULL;
	r->fault.offset = 0;
	r->fault.grammar = false;
}

static inline const char *step_space(struct scan *r, const char *p)
{
	return likely(byte(p) > ' ') ? p : scan_space(r, p);
}

/* The first byte at or behind p that is not plain string content. */
static inline __attribute__((always_inline)) const char *
step_stop(struct scan *r, const char *p)
{
	size_t at = (size_t)(p - r->window);
	uint64_t stops;

	if (unlikely(at >= r->filled))
		return scan_stop(r, p);
	stops = r->stops[at / 64] >> at % 64;
	return likely(stops) ? p + __builtin_ctzll(stops) : scan_stop(r, p);
}

/* p is at the opening quote, for certain.  What is seldom called gets its
 * own variable, so that the others stay in registers. */
static inline const char *step_string(struct scan *r, const char *p,
				      struct text *text)
{
	const char *start = p + 1;
	struct text found = {.ptr = NULL};

	p = step_stop(r, start);
	if (likely(*p == '"')) {
		text->ptr = start;
		text->len = (size_t)(p - start);
		text->flags = 0;
		return p + 1;
	}
	p = scan_rest(r, start, p, &found);
	if (p)
		*text = found;
	return p;
}

/* Is text no look-alike of s (scan.h), for certain?  Most differ in a first
 * letter that nothing folds or drops. */
static inline bool step_differs(const struct text *text, const char *s)
{
	char c = text->len > 0 ? *text->ptr : '\0';

	return c > ' ' && c < 0x7F && c != '\\' && (c | 0x20) != (*s | 0x20);
}

/* The colon, and the white space around it. */
static inline const char *step_colon(struct scan *r, const char *p)
{
	if (unlikely(*p != ':')) {
		p = scan_space(r, p);
		if (*p != ':')
			return scan_fail(r, p, "a colon was expected");
	}
	return step_space(r, p + 1);
}

/* Is it a key that some reader takes for more than a key? */
static inline __attribute__((always_inline)) void
step_check_key(struct scan *r, const struct text *key)
{
	if (unlikely(key->flags || (*key->ptr == '_' && key->len == 9) ||
		     (*key->ptr == '$' && key->len >= SERDE_BYTES)))
		scan_check_key(r, *key);
}

static inline __attribute__((always_inline)) const char *
step_key(struct scan *r, const char *p, struct text *key)
{
	if (unlikely(*p != '"')) {
		scan_unexpected(r, p, "a string was expected");
		return NULL;
	}
	p = step_string(r, p, key);
	if (unlikely(!p))
		return NULL;
	step_check_key(r, key);
	return step_colon(r, p);
}

/* Into the object or array: at its first key or value, or past its closing
 * bracket with *more false. */
static inline const char *step_first(struct scan *r, const char *p, char close,
				     bool *more)
{
	p = step_space(r, p);
	*more = *p != close;
	r->depth -= !*more;
	return p + !*more;
}

/* Past the comma, to the next key or value; or past the bracket. */
static inline const char *step_next(struct scan *r, const char *p, char close,
				    bool *more)
{
	if (unlikely(*p != ','))
		p = step_space(r, p);
	*more = *p == ',';
	if (likely(*more))
		return step_space(r, p + 1);
	if (unlikely(*p != close))
		return scan_fail(r, p, "a comma was expected");
	r->depth--;
	return p + 1;
}

#endif
