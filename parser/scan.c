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
	struct scan r = {
		.begin = text, .end = text + len, .window = text + len};

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

const char *scan_window(struct scan *r, const char *p)
{
	size_t left = (size_t)(r->end - p);
	uint64_t stops;

	if (r->end - r->begin < SKIP_STOPS) {
		while (p < r->end && (signed char)*p >= ' ' && *p != '"' &&
		       *p != '\\')
			p++;
		return p;
	}
	/* The last one ends where the text does. */
	r->window = left < SKIP_STOPS ? r->end - SKIP_STOPS : p;
	r->stops = skip_stops(r->window);
	if (left == 0)
		return p;
	stops = r->stops >> (p - r->window);
	if (stops)
		return p + __builtin_ctzll(stops);
	return left < SKIP_STOPS ? r->end : p + SKIP_STOPS;
}

static bool is_unit(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '\\' && p[1] == 'u';
}

const char *scan_long(struct scan *r, const char *start, const char *p,
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
			p = step_plain(r, p);
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

static const char *skip_digits(struct scan *r, const char *p)
{
	const char *start = p;

	while (p < r->end && *p >= '0' && *p <= '9')
		p++;
	if (p == start)
		return scan_fail(r, p, "a number without a digit");
	return p;
}

static const char *skip_number(struct scan *r, const char *p)
{
	if (*p == '-')
		p++;
	if (p < r->end && *p == '0') {
		p++;
		if (p < r->end && *p >= '0' && *p <= '9')
			return scan_fail(r, p, "a number that begins with 0");
	} else if (!(p = skip_digits(r, p))) {
		return NULL;
	}
	if (p < r->end && *p == '.' && !(p = skip_digits(r, p + 1)))
		return NULL;
	if (p < r->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < r->end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(r, p);
	}
	return p;
}

static const char *skip_literal(struct scan *r, const char *p, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - p) < len || memcmp(p, word, len) != 0)
		return scan_fail(r, p, "a value was expected");
	return p + len;
}

/* A number or a literal. */
static const char *skip_scalar(struct scan *r, const char *p)
{
	switch (*p) {
	case 't':
		return skip_literal(r, p, "true");
	case 'f':
		return skip_literal(r, p, "false");
	case 'n':
		return skip_literal(r, p, "null");
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return skip_number(r, p);
	default:
		return scan_fail(r, p, "a value was expected");
	}
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

const char *scan_enter(struct scan *r, const char *p)
{
	if (r->depth == SCAN_DEPTH_MAX) {
		/* No longer told what is open, so the reading ends; as long
		 * as the text was JSON so far, it is no grammar fault. */
		scan_fail(r, p, "nested more than 128 deep");
		r->fault.grammar = false;
		return NULL;
	}
	r->depth++;
	return p + 1;
}

const char *scan_colon(struct scan *r, const char *p)
{
	p = step_space(r, p);
	if (p == r->end || *p != ':')
		return scan_fail(r, p, "a colon was expected");
	p = step_space(r, p + 1);
	if (p == r->end)
		return scan_fail(r, p, "a value was expected");
	return p;
}

const char *scan_close(struct scan *r, const char *p)
{
	if (p == r->end)
		return scan_fail(r, p, "a value was expected");
	r->depth--;
	return p + 1;
}

const char *scan_next(struct scan *r, const char *p, char close, bool *more)
{
	p = step_space(r, p);
	*more = false;
	if (p < r->end && *p == close)
		return scan_close(r, p);
	if (p == r->end || *p != ',')
		return scan_fail(r, p, "a comma was expected");
	p = step_space(r, p + 1);
	if (p == r->end)
		return scan_fail(r, p, "a value was expected");
	*more = true;
	return p;
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

/* Which brackets are open around the cursor, the innermost the lowest bit: 1
 * is an object. */
struct nest {
	uint64_t low, high;
};
_Static_assert(SCAN_DEPTH_MAX <= 128, "a bit for each depth");

/* Steps into the object or array at p, to its first value. */
static inline const char *open_nest(struct scan *r, const char *p,
				    struct nest *n, bool *more)
{
	const bool object = *p == '{';
	struct text key;

	p = scan_enter(r, p);
	p = p ? step_first(r, p, object ? '}' : ']', more) : NULL;
	if (!p || !*more)
		return p;
	n->high = n->high << 1 | n->low >> 63;
	n->low = n->low << 1 | object;
	return object ? step_key(r, p, &key) : p;
}

/* From behind a value to the next one, or past the bracket. */
static inline const char *next_in_nest(struct scan *r, const char *p,
				       struct nest *n, bool *more)
{
	const bool object = n->low & 1;
	struct text key;

	p = step_next(r, p, object ? '}' : ']', more);
	if (*more)
		return object ? step_key(r, p, &key) : p;
	n->low = n->low >> 1 | n->high << 63;
	n->high >>= 1;
	return p;
}

const char *scan_value(struct scan *r, const char *p)
{
	const unsigned base = r->depth;
	struct nest nest = {0, 0};
	struct text text;
	bool more;

	if (p == r->end)
		return scan_fail(r, p, "a value was expected");
	do {
		more = false;
		if (*p == '"')
			p = step_string(r, p, &text);
		else if (*p == '{' || *p == '[')
			p = open_nest(r, p, &nest, &more);
		else
			p = skip_scalar(r, p);
		/* All that closes here, up to the next value. */
		while (p && !more && r->depth > base)
			p = next_in_nest(r, p, &nest, &more);
	} while (p && more);
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

int32_t text_next(struct text *text)
{
	if (text->len == 0)
		return -1;
	if (byte(text->ptr) < 0x80 && *text->ptr != '\\') {
		text->len--;
		return *text->ptr++;
	}
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
