/*
 * strbuf - text written piece by piece into a buffer of a fixed size.
 *
 * What does not fit is left out whole, and remembered: a text is good only if
 * full is still false at its end.  No byte past cap is touched, and no NUL is
 * added.
 */
#ifndef PARSER_OUT_H
#define PARSER_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *ptr; /* the caller's */
	size_t cap;
	size_t len; /* bytes written */
	bool full;  /* some piece did not fit */
};

void strbuf_bytes(struct strbuf *o, const char *s, size_t len);
void strbuf_string(struct strbuf *o, const char *s);
void strbuf_number(struct strbuf *o, int64_t n);

/* UTF-8 as it stands inside a JSON string: quotes, backslashes, and what a
 * terminal obeys, escaped (RFC 8259 7). */
void strbuf_escaped(struct strbuf *o, const char *s, size_t len);

/* How many of the len > 0 bytes of UTF-8 at s are one character that a terminal
 * or a pager obeys, with its code: a control character, a line separator
 * (U+2028), or a mark of bidirectional text, which shows other text in another
 * order.  0: it stands for itself. */
size_t strbuf_obeyed(const char *s, size_t len, unsigned *code);

#endif
