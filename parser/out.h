/*
 * out - text written piece by piece into a buffer of a fixed size.
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

struct out {
	char *ptr; /* the caller's */
	size_t cap;
	size_t len; /* bytes written */
	bool full;  /* some piece did not fit */
};

void out_bytes(struct out *o, const char *s, size_t len);
void out_string(struct out *o, const char *s);
void out_number(struct out *o, int64_t n);

/* UTF-8 as it stands inside a JSON string: quotes, backslashes and control
 * characters, DEL and U+0080 to U+009F among them, escaped (RFC 8259 7). */
void out_escaped(struct out *o, const char *s, size_t len);

#endif
