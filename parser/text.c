/* Decoded text.  The contract is in text.h. */
#include "scan_step.h"

int32_t text_unit(const char *p, const char *end)
{
	int32_t n = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = p[i];

		n *= 16;
		if (c >= '0' && c <= '9')
			n += c - '0';
		else if (c >= 'a' && c <= 'f')
			n += c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			n += c - 'A' + 10;
		else
			return -1;
	}
	return n;
}

static int32_t next_utf8(struct text *text)
{
	const unsigned char *s = (const unsigned char *)text->ptr;
	size_t len = 1;
	int32_t c = s[0];

	if (c >= 0xF0) {
		c = (c & 7) << 18 | (s[1] & 63) << 12 | (s[2] & 63) << 6 |
		    (s[3] & 63);
		len = 4;
	} else if (c >= 0xE0) {
		c = (c & 15) << 12 | (s[1] & 63) << 6 | (s[2] & 63);
		len = 3;
	} else if (c >= 0x80) {
		c = (c & 31) << 6 | (s[1] & 63);
		len = 2;
	}
	text->ptr += len;
	text->len -= len;
	return c;
}

static int32_t next_escape(struct text *text)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *end = text->ptr + text->len, *p = text->ptr;
	int32_t c = text_unit(p, end);

	if (c < 0) {
		const char *at = strchr(from, p[1]);

		c = at ? to[at - from] : p[1];
		p += 2;
	} else {
		int32_t low = text_unit(p + 6, end);

		p += 6;
		if (text_is_high(c) && text_is_low(low)) {
			c = 0x10000 + (c - 0xD800) * 0x400 + (low - 0xDC00);
			p += 6;
		}
	}
	text->len = (size_t)(end - p);
	text->ptr = p;
	return c;
}

int32_t text_next_coded(struct text *text)
{
	if (*text->ptr == '\\' && text->flags & TEXT_ESCAPED)
		return next_escape(text);
	return next_utf8(text);
}

bool text_equal(struct text a, struct text b)
{
	int32_t c;

	if (!((a.flags | b.flags) & TEXT_ESCAPED))
		return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
	do {
		c = text_next(&a);
		if (c != text_next(&b))
			return false;
	} while (c >= 0);
	return true;
}

bool text_is(struct text text, const char *s, size_t len)
{
	struct text other = {.ptr = s, .len = len};

	if (!(text.flags & TEXT_ESCAPED) && text.len != len)
		return false;
	return text_equal(text, other);
}

int32_t text_fold(int32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c + ('a' - 'A');
	if (c == 0x17F)
		return 's';
	if (c == 0x212A)
		return 'k';
	return c;
}

bool text_is_folded(struct text text, const char *s, size_t len)
{
	struct text want = {.ptr = s, .len = len};
	int32_t c;

	do {
		c = text_fold(text_next(&text));
		if (c != text_fold(text_next(&want)))
			return false;
	} while (c >= 0);
	return true;
}

/* White space and control characters, of ASCII and beyond: what a reader that
 * trims may drop at either end. */
static bool at_edge(int32_t c)
{
	if (c < 0x80)
		return c <= ' ' || c == 0x7F;
	return c <= 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200F) ||
	       (c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F) ||
	       c == 0x3000 || c == 0xFEFF;
}

size_t text_folded(struct text text, char *out, size_t cap)
{
	bool ended = false;
	size_t used = 0;
	int32_t c;

	while ((c = text_fold(text_next(&text))) >= 0) {
		if (at_edge(c)) {
			ended = used > 0;
			continue;
		}
		if (ended || used == cap || c >= 0x80)
			return 0;
		out[used++] = (char)c;
	}
	return used;
}

bool text_resembles(struct text text, const char *s, size_t len)
{
	char folded[TEXT_FOLDED_MAX];
	size_t i = 0;

	if (step_differs(&text, s))
		return false;
	if (text.len == len && memcmp(text.ptr, s, len) == 0)
		return true;
	if (text_folded(text, folded, len) != len)
		return false;
	while (i < len && folded[i] == text_fold(s[i]))
		i++;
	return i == len;
}

static size_t put_utf8(unsigned char *out, int32_t c)
{
	if (c < 0x80) {
		out[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (unsigned char)(0xC0 | c >> 6);
		out[1] = (unsigned char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (unsigned char)(0xE0 | c >> 12);
		out[1] = (unsigned char)(0x80 | (c >> 6 & 63));
		out[2] = (unsigned char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (unsigned char)(0xF0 | c >> 18);
	out[1] = (unsigned char)(0x80 | (c >> 12 & 63));
	out[2] = (unsigned char)(0x80 | (c >> 6 & 63));
	out[3] = (unsigned char)(0x80 | (c & 63));
	return 4;
}

ptrdiff_t text_decode(struct text text, char *out, size_t cap)
{
	unsigned char one[4];
	size_t used = 0, len;
	int32_t c;

	if (text.flags & TEXT_LONE)
		return -1;
	while ((c = text_next(&text)) >= 0) {
		len = put_utf8(one, c);
		if (len > cap - used)
			return -1;
		memcpy(out + used, one, len);
		used += len;
	}
	return (ptrdiff_t)used;
}
