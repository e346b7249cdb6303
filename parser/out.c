/* Text into a fixed buffer.  The contract is in out.h. */
#include "out.h"

#include <string.h>

void out_bytes(struct out *o, const char *s, size_t len)
{
	if (len > o->cap - o->len) {
		o->full = true;
		return;
	}
	memcpy(o->ptr + o->len, s, len);
	o->len += len;
}

void out_string(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void out_number(struct out *o, int64_t n)
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
	out_bytes(o, digits + at, sizeof(digits) - at);
}

void out_escaped(struct out *o, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

		if (c == '"' || c == '\\') {
			escape[1] = s[i];
			out_bytes(o, escape, 2);
		} else if (c == '\n') {
			out_bytes(o, "\\n", 2);
		} else if (c < ' ' || c == 0x7F) {
			out_bytes(o, escape, sizeof(escape));
		} else if (c == 0xC2 && i + 1 < len &&
			   (unsigned char)s[i + 1] < 0xA0) {
			/* U+0080 to U+009F, which terminals obey as well. */
			c = (unsigned char)s[++i];
			escape[4] = hex[c >> 4];
			escape[5] = hex[c & 15];
			out_bytes(o, escape, sizeof(escape));
		} else {
			out_bytes(o, s + i, 1);
		}
	}
}
