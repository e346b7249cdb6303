/*
 * text - the content of a JSON string, decoded in place.
 *
 * The functions are pure and decode escapes on the fly.  Only text_decode() and
 * text_folded() write, into the caller's buffer.
 */
#ifndef PARSER_TEXT_H
#define PARSER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes between the quotes of a string, escapes not decoded. */
enum {
	TEXT_ESCAPED = 1, /* has at least one backslash */
	TEXT_NUL = 2,     /* has \u0000 */
	TEXT_LONE = 4,    /* has an unpaired surrogate (RFC 8259 8.2) */
};
struct text {
	const char *ptr; /* NULL: no such string */
	size_t len;      /* in bytes, not decoded */
	unsigned flags;  /* of the enum above; without TEXT_ESCAPED the bytes
			    are decoded, and a backslash is one */
};

/* The code unit of a \uXXXX escape at p, or -1 if there is none. */
int32_t text_unit(const char *p, const char *end);

/* Is it the first, or the second, of a surrogate pair? */
static inline bool text_is_high(int32_t c)
{
	return c >= 0xD800 && c <= 0xDBFF;
}

static inline bool text_is_low(int32_t c)
{
	return c >= 0xDC00 && c <= 0xDFFF;
}

/* Removes the first code point, decoded, and returns it; -1 at the end.
 * Unpaired surrogates are returned as they are.  text comes from
 * scan_string(). */
int32_t text_next_coded(struct text *text);
static inline int32_t text_next(struct text *text)
{
	if (text->len == 0)
		return -1;
	if ((signed char)*text->ptr < 0 || *text->ptr == '\\')
		return text_next_coded(text);
	text->len--;
	return *text->ptr++;
}

/* Are both the same string, decoded? */
bool text_equal(struct text a, struct text b);

/* Is text, decoded, the string of len bytes at s? */
bool text_is(struct text text, const char *s, size_t len);

/* The same, once case is folded (text_fold()). */
bool text_is_folded(struct text text, const char *s, size_t len);

/*
 * Writes text as a lenient reader sees it: case folded (Unicode simple folding:
 * U+017F is s, U+212A is k), without white space and control characters at
 * either end.  Returns the bytes written to out; 0 if nothing is left, if it
 * does not fit into cap, or if it is not printable ASCII.
 */
size_t text_folded(struct text text, char *out, size_t cap);

/* Is text, folded so, the ASCII string s of 1 to TEXT_FOLDED_MAX bytes? */
#define TEXT_FOLDED_MAX 48
bool text_resembles(struct text text, const char *s, size_t len);

/* Folds one code point; only those that fold to ASCII change. */
int32_t text_fold(int32_t c);

/*
 * Decodes text to UTF-8.  Returns the bytes written to out, or -1 if they do
 * not fit into cap or text has an unpaired surrogate.
 */
ptrdiff_t text_decode(struct text text, char *out, size_t cap);

#endif
