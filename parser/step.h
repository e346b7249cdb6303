/*
 * step - the steps of scan.h that every key and value of a line takes, in line
 * for parser/ alone.  Each is as its namesake in scan.h.
 */
#ifndef PARSER_STEP_H
#define PARSER_STEP_H

#include "scan.h"
#include "skip.h"

#include <string.h>

/* How keys begin that are serde_json's own. */
#define SERDE       "$serde_json::private::"
#define SERDE_BYTES (sizeof(SERDE) - 1)

static inline unsigned char byte(const char *p)
{
	return (unsigned char)*p;
}

/* What no step does often: to look at 64 bytes from p on, and say how far there
 * is plain content; to read a string on from p that begins at start, and is
 * not short or not plain; to look for doubts in a key; white space. */
const char *scan_window(struct scan *r, const char *p);
const char *scan_long(struct scan *r, const char *start, const char *p,
		      struct text *text);
void scan_check_key(struct scan *r, struct text key);
const char *scan_colon(struct scan *r, const char *p);
const char *scan_close(struct scan *r, const char *p);
const char *scan_next(struct scan *r, const char *p, char close, bool *more);

static inline const char *step_space(struct scan *r, const char *p)
{
	return p < r->end && byte(p) > ' ' ? p : scan_space(r, p);
}

/* As far as plain content of a string is known to go from p on. */
static inline const char *step_plain(struct scan *r, const char *p)
{
	size_t at = (size_t)(p - r->window);
	uint64_t stops = at < SKIP_STOPS ? r->stops >> at : 0;

	return stops ? p + __builtin_ctzll(stops) : scan_window(r, p);
}

/* p is at the opening quote, for certain.  What is seldom called gets a
 * variable of its own, here as below, so that the others stay in registers. */
static inline const char *step_string(struct scan *r, const char *p,
				      struct text *text)
{
	const char *start = p + 1;
	struct text found;

	p = step_plain(r, start);
	if (p < r->end && *p == '"') {
		text->ptr = start;
		text->len = (size_t)(p - start);
		text->flags = 0;
		return p + 1;
	}
	p = scan_long(r, start, p, &found);
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

/* The colon, and the white space up to the value. */
static inline const char *step_colon(struct scan *r, const char *p)
{
	if (r->end - p > 1 && *p == ':' && byte(p + 1) > ' ')
		return p + 1;
	return scan_colon(r, p);
}

static inline const char *step_key(struct scan *r, const char *p,
				   struct text *key)
{
	if (*p != '"') {
		scan_fail(r, p, "a string was expected");
		return NULL;
	}
	p = step_string(r, p, key);
	if (!p)
		return NULL;
	if (key->flags || (key->len == 9 && *key->ptr == '_') ||
	    (key->len >= SERDE_BYTES && *key->ptr == '$'))
		scan_check_key(r, *key);
	return step_colon(r, p);
}

/* Into the object or array: at its first key or value, or past its closing
 * bracket with *more false. */
static inline const char *step_first(struct scan *r, const char *p, char close,
				     bool *more)
{
	p = step_space(r, p);
	*more = p < r->end && *p != close;
	if (*more)
		return p;
	return scan_close(r, p);
}

/* Past the comma, to the next key or value; or past the bracket. */
static inline const char *step_next(struct scan *r, const char *p, char close,
				    bool *more)
{
	bool again;

	*more = r->end - p > 1 && *p == ',' && byte(p + 1) > ' ';
	if (*more)
		return p + 1;
	p = scan_next(r, p, close, &again);
	*more = again;
	return p;
}

#endif
