/*
 * text - what is between the quotes of a JSON string, read where it lies.
 *
 * Pure functions; escapes are decoded as they are met, and nothing is written
 * but by text_decode() and text_folded().
 */
#ifndef PARSER_TEXT_H
#define PARSER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is between the quotes of a string, escapes as they stand. */
enum {
	TEXT_ESCAPED = 1, /* has at least one backslash */
	TEXT_NUL = 2,     /* has \u0000 */
	TEXT_LONE = 4,    /* has an unpaired surrogate (RFC 8259 8.2) */
};
struct text {
	const char *ptr; /* NULL: not there, or no string */
	size_t len;      /* bytes as they stand */
	unsigned flags;  /* of the enum above */
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

/* Takes one code point off the front of text, escapes decoded; -1 at its end.
 * Unpaired surrogates come out as themselves.  text must have been read by
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

/* Are the two the same string once decoded? */
bool text_equal(struct text a, struct text b);

/* Is text, decoded, the string of len bytes at s? */
bool text_is(struct text text, const char *s, size_t len);

/*
 * What a careless reader makes of text: case folded (Unicode simple folding,
 * which takes U+017F for s and U+212A for k), white space and control
 * characters dropped at either end.  Returns the bytes written to out; 0 if
 * there are none, or more than cap, or what is left is not printable ASCII.
 */
size_t text_folded(struct text text, char *out, size_t cap);

/* Is text so the ASCII string s, of 1 to TEXT_FOLDED_MAX bytes, in any case? */
#define TEXT_FOLDED_MAX 32
bool text_resembles(struct text text, const char *s, size_t len);

/* A code point folded as above; those that fold to no ASCII are unchanged. */
int32_t text_fold(int32_t c);

/*
 * Writes text, decoded to UTF-8, to out.  Returns the bytes written, or -1
 * when they are more than cap, or text holds an unpaired surrogate.
 */
ptrdiff_t text_decode(struct text text, char *out, size_t cap);

#endif
