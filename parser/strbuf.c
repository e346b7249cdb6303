/* Text into a fixed buffer.  The contract is in strbuf.h. */
#include "strbuf.h"

#include <string.h>

void strbuf_bytes(struct strbuf *o, const char *s, size_t len)
{
	if (len > o->cap - o->len) {
		o->full = true;
		return;
	}
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

/* Bytes at s that stand for themselves. */
static size_t plain_bytes(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= ' ' && s[n] < 0x7F && s[n] != '"' &&
	       s[n] != '\\')
		n++;
	return n;
}

/* As many of them as there is room for. */
static void put_plain(struct strbuf *o, const char *s, size_t len)
{
	size_t room = o->cap - o->len;

	strbuf_bytes(o, s, len < room ? len : room);
	o->full |= len > room;
}

/* One that may not, or of two bytes; returns how many it was. */
static size_t put_other(struct strbuf *o, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char c = (unsigned char)*s;
	/* U+0080 to U+009F, which terminals obey as well. */
	bool pair = c == 0xC2 && len > 1 && (unsigned char)s[1] < 0xA0;
	unsigned char code = pair ? (unsigned char)s[1] : c;
	char escape[] = {'\\', 'u', '0', '0', hex[code >> 4], hex[code & 15]};

	if (c == '"' || c == '\\') {
		escape[1] = *s;
		strbuf_bytes(o, escape, 2);
	} else if (c == '\n') {
		strbuf_bytes(o, "\\n", 2);
	} else if (pair || c < ' ' || c == 0x7F) {
		strbuf_bytes(o, escape, sizeof(escape));
	} else {
		strbuf_bytes(o, s, 1);
	}
	return pair ? 2 : 1;
}

void strbuf_escaped(struct strbuf *o, const char *s, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t plain = plain_bytes(s + at, len - at);

		put_plain(o, s + at, plain);
		at += plain;
		if (at < len)
			at += put_other(o, s + at, len - at);
	}
}
