/* Text into a fixed buffer.  The contract is in strbuf.h. */
#include "strbuf.h"

#include <string.h>

void strbuf_bytes(struct strbuf *o, const char *s, size_t len)
{
	if (len > o->cap - o->len) {
		o->full = true;
		return;
	}
	/* Of no bytes, s may be NULL, which memcpy() must not be given. */
	if (len > 0)
		memcpy(o->ptr + o->len, s, len);
	o->len += len;
}

void strbuf_string(struct strbuf *o, const char *s)
{
	strbuf_bytes(o, s, strlen(s));
}

void strbuf_number(struct strbuf *o, int64_t n)
{
	uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
	char digits[20]; /* -2^63 has a minus and 19 of them */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (n < 0)
		digits[--at] = '-';
	strbuf_bytes(o, digits + at, sizeof(digits) - at);
}

size_t strbuf_obeyed(const char *s, size_t len, unsigned *code)
{
	const unsigned char *c = (const unsigned char *)s;

	*code = *c;
	if (*c < ' ' || *c == 0x7F)
		return 1;
	if ((*c == 0xC2 || *c == 0xD8) && len > 1) {
		*code = (*c & 0x1Fu) << 6 | (c[1] & 0x3Fu);
		return *code < 0xA0 || *code == 0x61C ? 2 : 0;
	}
	if (*c != 0xE2 || len < 3)
		return 0;
	*code = 0x2000u | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
	return *code == 0x200E || *code == 0x200F ||
			       (*code >= 0x2028 && *code <= 0x202E) ||
			       (*code >= 0x2066 && *code <= 0x2069)
		       ? 3
		       : 0;
}

/* One that may not stand for itself; returns how many bytes it was. */
static size_t put_other(struct strbuf *o, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	unsigned code;
	size_t bytes = strbuf_obeyed(s, len, &code);
	char escape[] = {'\\',
			 'u',
			 hex[code >> 12 & 15],
			 hex[code >> 8 & 15],
			 hex[code >> 4 & 15],
			 hex[code & 15]};

	if (*s == '"' || *s == '\\') {
		escape[1] = *s;
		strbuf_bytes(o, escape, 2);
	} else if (*s == '\n') {
		strbuf_bytes(o, "\\n", 2);
	} else if (bytes > 0) {
		strbuf_bytes(o, escape, sizeof(escape));
	} else {
		strbuf_bytes(o, s, 1);
	}
	return bytes > 0 ? bytes : 1;
}

void strbuf_escaped(struct strbuf *o, const char *s, size_t len)
{
	size_t at = 0, from, plain, room;

	while (at < len) {
		from = at;
		while (at < len && s[at] >= ' ' && s[at] < 0x7F &&
		       s[at] != '"' && s[at] != '\\')
			at++;
		/* Of what stands for itself, as much as there is room for. */
		plain = at - from;
		room = o->cap - o->len;
		strbuf_bytes(o, s + from, plain < room ? plain : room);
		o->full |= plain > room;
		if (at < len)
			at += put_other(o, s + at, len - at);
	}
}
