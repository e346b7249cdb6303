/* Strict JSON text, read where it lies.  The contract is in scan.h. */
#include "scan.h"
#include "step.h"

const char *scan_fail(struct scan *r, const char *p, const char *reason)
{
	r->fault.reason = reason;
	r->fault.offset = (size_t)(p - r->begin);
	r->fault.grammar = true;
	return NULL;
}

void scan_doubt(struct scan *r, const char *p, const char *reason)
{
	if (r->fault.reason)
		return;
	r->fault.reason = reason;
	r->fault.offset = (size_t)(p - r->begin);
}

struct scan scan_begin(const char *text, size_t len)
{
	struct scan r;

	step_begin(&r, text, len);
	return r;
}

const char *scan_space(struct scan *r, const char *p)
{
	for (; p < r->end; p++) {
		if (*p == ' ' || *p == '\t')
			continue;
		if (*p == '\n' && r->lines)
			continue;
		if (*p != '\r')
			break;
		/* White space in JSON, a line end to the readers of Python,
		 * Java and C#: a whole message can hide between two of them. */
		if (!r->lines)
			scan_doubt(r, p, "CR inside the message");
	}
	return p;
}

/* The four hex digits at p as a number, or -1. */
static int32_t hex4(const char *p)
{
	int32_t n = 0;

	for (int i = 0; i < 4; i++) {
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

/* The code unit of a \uXXXX escape at p, or -1 if there is none. */
static int32_t unit_escape(const char *p, const char *end)
{
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	return hex4(p + 2);
}

static bool is_high(int32_t c)
{
	return c >= 0xD800 && c <= 0xDBFF;
}

static bool is_low(int32_t c)
{
	return c >= 0xDC00 && c <= 0xDFFF;
}

/* \uXXXX, or an escape that is at fault; p is at its backslash (RFC 8259 7). */
static const char *skip_unit(struct scan *r, const char *p, unsigned *flags)
{
	int32_t c;

	if (r->end - p < 2)
		return scan_fail(r, p, "a string without its end");
	if (p[1] != 'u')
		return scan_fail(r, p, "an escape that JSON lacks");
	c = unit_escape(p, r->end);
	if (c < 0)
		return scan_fail(r, p, "\\u without four hex digits");
	p += 6;
	*flags |= TEXT_ESCAPED;
	if (c == 0)
		*flags |= TEXT_NUL;
	if (is_high(c) && is_low(unit_escape(p, r->end)))
		return p + 6;
	if (is_high(c) || is_low(c))
		*flags |= TEXT_LONE;
	return p;
}

const char *scan_unexpected(struct scan *r, const char *p, const char *what)
{
	return scan_fail(r, p, p == r->end ? "a value was expected" : what);
}

/* Fills the window from p on.  Blocks of 64 bytes that begin at a multiple of
 * 64 lie in one page each, so what surrounds the text can be read. */
static void fill_window(struct scan *r, const char *p)
{
	size_t left;

	r->window = p - (uintptr_t)p % 64;
	left = (size_t)(r->end - r->window);
	r->filled = left < SCAN_WINDOW ? (left / 64 + 1) * 64 : SCAN_WINDOW;
	skip_kernel(0)->stops(r->window, r->filled / 64, r->stops);
}

const char *scan_stop(struct scan *r, const char *p)
{
	size_t at = (size_t)(p - r->window);
	uint64_t stops;

	if (at >= r->filled) {
		fill_window(r, p);
		at = (size_t)(p - r->window);
	}
	stops = r->stops[at / 64] >> at % 64;
	if (stops)
		return p + __builtin_ctzll(stops);
	for (at = at / 64 + 1; at < r->filled / 64; at++)
		if (r->stops[at])
			return r->window + at * 64 +
			       __builtin_ctzll(r->stops[at]);
	/* The kernels are faster over what is so long. */
	return r->window + r->filled;
}

static bool is_unit(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '\\' && p[1] == 'u';
}

const char *scan_rest(struct scan *r, const char *start, const char *p,
		      struct text *text)
{
	unsigned flags = 0;
	bool escaped = false;

	for (;;) {
		/* Text may be nothing but these. */
		while (is_unit(p, r->end)) {
			p = skip_unit(r, p, &flags);
			if (!p)
				return NULL;
			p = step_stop(r, p);
		}
		p = skip_string(r->begin, p, r->end, &escaped);
		if (p == r->end)
			return scan_fail(r, p, "a string without its end");
		if (*p == '"')
			break;
		if (byte(p) >= 0x80)
			return scan_fail(r, p, "not UTF-8");
		if (*p != '\\')
			return scan_fail(r, p, "a control byte in a string");
		if (!is_unit(p, r->end))
			return skip_unit(r, p, &flags);
	}
	text->ptr = start;
	text->len = (size_t)(p - start);
	text->flags = escaped ? flags | TEXT_ESCAPED : flags;
	return p + 1;
}

const char *scan_string(struct scan *r, const char *p, struct text *text)
{
	if (*p != '"')
		return scan_fail(r, p, "a string was expected");
	return step_string(r, p, text);
}

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* The places of a number where a digit must stand (RFC 8259 6). */
static inline const char *skip_digits(struct scan *r, const char *p)
{
	if (unlikely(!is_digit(*p)))
		return scan_fail(r, p, "a number without a digit");
	do
		p++;
	while (is_digit(*p));
	return p;
}

static inline const char *skip_number(struct scan *r, const char *p)
{
	p += *p == '-';
	if (unlikely(*p == '0')) {
		if (is_digit(*++p))
			return scan_fail(r, p, "a number that begins with 0");
	} else if (!(p = skip_digits(r, p))) {
		return NULL;
	}
	if (unlikely(*p == '.') && !(p = skip_digits(r, p + 1)))
		return NULL;
	if (unlikely((*p | 0x20) == 'e')) {
		p++;
		p += *p == '+' || *p == '-';
		p = skip_digits(r, p);
	}
	return p;
}

static inline const char *skip_literal(struct scan *r, const char *p,
				       const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (unlikely(p[i] != word[i]))
			return scan_fail(r, p, "a value was expected");
	return p + len;
}

static bool begins(struct text text, const char *s)
{
	while (*s)
		if (text_next(&text) != *s++)
			return false;
	return true;
}

void scan_check_key(struct scan *r, struct text key)
{
	const char *start = key.ptr - 1;

	/* go-sdk 1.4.0 took "name\u0000" for "name". */
	if (key.flags & TEXT_NUL)
		scan_doubt(r, start, "\\u0000 in a key");
	if (key.flags & TEXT_LONE)
		scan_doubt(r, start, "an unpaired surrogate in a key");
	/* JavaScript readers let it supply members that are not there. */
	if (text_is(key, "__proto__", 9))
		scan_doubt(r, start, "the key __proto__");
	/* With its feature raw_value, it reads the string that is the value as
	 * the JSON that stands there. */
	if (begins(key, SERDE))
		scan_doubt(r, start, "a key that begins " SERDE);
}

/* What is open is no longer known, so the reading ends; as the text was JSON so
 * far, this is no grammar fault. */
static const char *too_deep(struct scan *r, const char *p)
{
	scan_fail(r, p, "nested more than 128 deep");
	r->fault.grammar = false;
	return NULL;
}

const char *scan_enter(struct scan *r, const char *p)
{
	if (r->depth == SCAN_DEPTH_MAX)
		return too_deep(r, p);
	r->depth++;
	return p + 1;
}

const char *scan_member(struct scan *r, const char *p, bool first,
			struct text *key, bool *more)
{
	p = first ? step_first(r, p, '}', more) : step_next(r, p, '}', more);
	return p && *more ? step_key(r, p, key) : p;
}

const char *scan_element(struct scan *r, const char *p, bool first, bool *more)
{
	return first ? step_first(r, p, ']', more) : step_next(r, p, ']', more);
}

/* A number or a literal. */
static const char *skip_scalar(struct scan *r, const char *p)
{
	switch (*p) {
	case 't':
		return skip_literal(r, p, "true", 4);
	case 'f':
		return skip_literal(r, p, "false", 5);
	case 'n':
		return skip_literal(r, p, "null", 4);
	default:
		if (is_digit(*p) || *p == '-')
			return skip_number(r, p);
		return scan_fail(r, p, "a value was expected");
	}
}

/* Which brackets are open, the innermost the lowest bit: 1 is an object. */
struct nest {
	uint64_t low, high;
};
_Static_assert(SCAN_DEPTH_MAX <= 128, "a bit for each depth");

static inline char closing(const struct nest *n)
{
	return n->low & 1 ? '}' : ']';
}

static inline void push(struct nest *n, bool object)
{
	n->high = n->high << 1 | n->low >> 63;
	n->low = n->low << 1 | object;
}

static inline void pop(struct nest *n)
{
	n->low = n->low >> 1 | n->high << 63;
	n->high >>= 1;
}

/* Each token is first looked for where it stands without white space. */
const char *scan_value(struct scan *r, const char *p)
{
	struct nest nest = {0, 0};
	unsigned depth = r->depth;
	struct text text;

	goto value;
key:
	if (unlikely(*p != '"'))
		p = scan_space(r, p);
	p = step_key(r, p, &text);
	if (unlikely(!p))
		return NULL;
value:
	if (likely(*p == '"')) {
		p = step_string(r, p, &text);
	} else if (*p == '{' || *p == '[') {
		if (unlikely(depth == SCAN_DEPTH_MAX))
			return too_deep(r, p);
		depth++;
		push(&nest, *p == '{');
		p = step_space(r, p + 1);
		if (likely(*p != closing(&nest))) {
			if (nest.low & 1)
				goto key;
			goto value;
		}
	} else {
		p = skip_scalar(r, p);
	}
	if (unlikely(!p))
		return NULL;
	/* All that closes here, up to the next value. */
	while (depth > r->depth) {
		if (likely(*p == ',')) {
			p++;
			if (nest.low & 1)
				goto key;
			p = step_space(r, p);
			goto value;
		}
		if (*p == closing(&nest)) {
			pop(&nest);
			p++;
			depth--;
		} else if (byte(p) <= ' ' && p < r->end) {
			p = scan_space(r, p);
			if (unlikely(byte(p) <= ' '))
				return scan_fail(r, p, "a comma was expected");
		} else {
			return scan_fail(r, p, "a comma was expected");
		}
	}
	return p;
}

const char *scan_end(struct scan *r, const char *p)
{
	p = scan_space(r, p);
	if (p < r->end)
		return scan_fail(r, p, "more than one value");
	return p;
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
	int32_t c = unit_escape(p, end);

	if (c < 0) {
		const char *at = strchr(from, p[1]);

		c = at ? to[at - from] : p[1];
		p += 2;
	} else {
		int32_t low = unit_escape(p + 6, end);

		p += 6;
		if (is_high(c) && is_low(low)) {
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
