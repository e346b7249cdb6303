/* Strict JSON text, read where it lies.  The contract is in scan.h. */
#include "scan.h"
#include "scan_step.h"

const char *scan_begin(struct scan *r, const char *text, size_t len)
{
	step_begin(r, text, len);
	return text;
}

const char *scan_fail(struct scan *r, const char *p, const char *reason)
{
	r->fault.reason = reason;
	r->fault.offset = (size_t)(p - r->begin);
	r->fault.grammar = true;
	return NULL;
}

void scan_refuse(struct scan *r, const char *p, const char *reason)
{
	if (r->fault.reason)
		return;
	r->fault.reason = reason;
	r->fault.offset = (size_t)(p - r->begin);
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
			scan_refuse(r, p, "CR inside the message");
	}
	return p;
}

/* \uXXXX, or an escape that is at fault; p is at its backslash (RFC 8259 7). */
static const char *skip_unit(struct scan *r, const char *p, unsigned *flags)
{
	int32_t c;

	if (r->end - p < 2)
		return scan_fail(r, p, "a string without its end");
	if (p[1] != 'u')
		return scan_fail(r, p, "an escape that JSON lacks");
	c = text_unit(p, r->end);
	if (c < 0)
		return scan_fail(r, p, "\\u without four hex digits");
	p += 6;
	*flags |= TEXT_ESCAPED;
	if (c == 0)
		*flags |= TEXT_NUL;
	if (text_is_high(c) && text_is_low(text_unit(p, r->end)))
		return p + 6;
	if (text_is_high(c) || text_is_low(c))
		*flags |= TEXT_LONE;
	return p;
}

const char *scan_unexpected(struct scan *r, const char *p, const char *what)
{
	return scan_fail(r, p, p == r->end ? "a value was expected" : what);
}

/* Blocks of 64 bytes that begin at a multiple of 64 lie in one page each, so
 * what surrounds the text can be read. */
void scan_fill(struct scan *r, const char *p)
{
	size_t left;

	r->window = p - (uintptr_t)p % 64;
	left = (size_t)(r->end - r->window);
	r->filled = left < SCAN_WINDOW ? (left / 64 + 1) * 64 : SCAN_WINDOW;
	scan_stops(r->window, r->filled / 64, r->stops);
}

const char *scan_stop(struct scan *r, const char *p)
{
	size_t at = (size_t)(p - r->window);
	uint64_t stops;

	if (at >= r->filled) {
		scan_fill(r, p);
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
	const char *after;
	unsigned flags = 0;
	bool escaped = false;

	/* The kernels are faster where there are more than a few. */
	for (int i = 0; i < 4 && *p != '"'; i++) {
		after = scan_character(p, r->end);
		if (!after)
			break;
		escaped |= *p == '\\';
		p = step_stop(r, after);
	}
	while (*p != '"') {
		/* Text may be nothing but these. */
		while (is_unit(p, r->end)) {
			p = skip_unit(r, p, &flags);
			if (!p)
				return NULL;
			p = step_stop(r, p);
		}
		p = scan_run(r->begin, p, r->end, &escaped);
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

static const char *skip_number(struct scan *r, const char *p)
{
	p += *p == '-';
	if (*p == '0') {
		if (is_digit(*++p))
			return scan_fail(r, p, "a number that begins with 0");
	} else if (!(p = skip_digits(r, p))) {
		return NULL;
	}
	if (*p == '.' && !(p = skip_digits(r, p + 1)))
		return NULL;
	if ((*p | 0x20) == 'e') {
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

void scan_check_key(struct scan *r, struct text key)
{
	const char *start = key.ptr - 1, *reserved = SERDE;

	/* go-sdk 1.4.0 took "name\u0000" for "name". */
	if (key.flags & TEXT_NUL)
		scan_refuse(r, start, "\\u0000 in a key");
	if (key.flags & TEXT_LONE)
		scan_refuse(r, start, "an unpaired surrogate in a key");
	/* JavaScript readers let it supply members that are not there. */
	if (text_is(key, "__proto__", 9))
		scan_refuse(r, start, "the key __proto__");
	/* With its feature raw_value, it reads the string that is the value as
	 * the JSON that stands there. */
	while (*reserved && text_next(&key) == *reserved)
		reserved++;
	if (!*reserved)
		scan_refuse(r, start, "a key that begins " SERDE);
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
	if (is_digit(*p) || *p == '-')
		return skip_number(r, p);
	switch (*p) {
	case 't':
		return skip_literal(r, p, "true", 4);
	case 'f':
		return skip_literal(r, p, "false", 5);
	default:
		return skip_literal(r, p, "null", 4);
	}
}

/* Most are a few digits. */
static inline const char *take_scalar(struct scan *r, const char *p)
{
	const char *start = p;

	while (is_digit(*p))
		p++;
	if (likely(*p == ',' || *p == '}') &&
	    (p == start + 1 || (p > start && *start != '0')))
		return p;
	return skip_scalar(r, start);
}

/*
 * The stops from the cursor on, taken one after the other: between two strings
 * of JSON there is none but in white space.  That a stop is known before the
 * cursor is there makes this about twice as fast as scan_stop().
 */
struct ahead {
	const char *base;           /* the block that bits tells of */
	uint64_t bits;              /* its stops at or behind the cursor */
	const uint64_t *next, *end; /* blocks behind it in the window */
};

static inline struct ahead look_ahead(struct scan *r, const char *p)
{
	size_t at = (size_t)(p - r->window);
	struct ahead a;

	if (at >= r->filled) {
		scan_fill(r, p);
		at = (size_t)(p - r->window);
	}
	a.base = p - at % 64;
	a.next = r->stops + at / 64;
	a.end = r->stops + r->filled / 64;
	a.bits = *a.next++ & UINT64_MAX << at % 64;
	return a;
}

/* The same, out of line. */
static __attribute__((noinline)) struct ahead ahead_of(struct scan *r,
						       const char *p)
{
	return look_ahead(r, p);
}

/* The end of the text is a stop, too. */
static inline const char *next_stop(struct scan *r, struct ahead *a)
{
	while (unlikely(!a->bits)) {
		a->base += 64;
		if (likely(a->next != a->end))
			a->bits = *a->next++;
		else
			*a = ahead_of(r, a->base);
	}
	return a->base + __builtin_ctzll(a->bits);
}

/* Past the string whose opening quote is at p, the next stop. */
static inline __attribute__((always_inline)) const char *
take_string(struct scan *r, struct ahead *a, const char *p, struct text *text)
{
	const char *start = p + 1;
	struct text found;

	/* The lowest bit is done with: the opening quote, then the other. */
	next_stop(r, a);
	a->bits &= a->bits - 1;
	p = next_stop(r, a);
	if (likely(*p == '"')) {
		a->bits &= a->bits - 1;
		text->ptr = start;
		text->len = (size_t)(p - start);
		text->flags = 0;
		return p + 1;
	}
	p = scan_rest(r, start, p, &found);
	if (likely(p)) {
		*text = found;
		*a = ahead_of(r, p);
	}
	return p;
}

/* Past white space; some of it is a stop. */
static inline const char *skip_space(struct scan *r, struct ahead *a,
				     const char *p)
{
	p = scan_space(r, p);
	*a = ahead_of(r, p);
	return p;
}

/* Most writers that put white space put one space. */
static inline const char *take_space(struct scan *r, struct ahead *a,
				     const char *p)
{
	if (likely(byte(p) > ' '))
		return p;
	if (*p == ' ' && byte(p + 1) > ' ')
		return p + 1;
	return skip_space(r, a, p);
}

/* Each token is first looked for where it stands without white space. */
const char *scan_value(struct scan *r, const char *p)
{
	/* Which brackets are open, a bit each, 1 for an object; the innermost
	 * is the lowest, and closes is what ends it. */
	uint64_t open = 0, outer = 0;
	unsigned depth = r->depth;
	struct ahead ahead;
	struct text text;
	_Static_assert(SCAN_DEPTH_MAX <= 128, "a bit for each depth");

	if (*p == '"')
		return step_string(r, p, &text);
	if (*p != '{' && *p != '[')
		return skip_scalar(r, p);
	ahead = look_ahead(r, p);
enter:
	if (unlikely(depth == SCAN_DEPTH_MAX))
		return too_deep(r, p);
	depth++;
	outer = outer << 1 | open >> 63;
	open = open << 1 | (*p == '{');
	p = take_space(r, &ahead, p + 1);
	if (unlikely(*p == (open & 1 ? '}' : ']')))
		goto close;
	if (!(open & 1))
		goto value;
key:
	if (unlikely(*p != '"'))
		return scan_unexpected(r, p, "a string was expected");
	p = take_string(r, &ahead, p, &text);
	if (unlikely(!p))
		return NULL;
	step_check_key(r, &text);
	if (unlikely(*p != ':')) {
		p = skip_space(r, &ahead, p);
		if (*p != ':')
			return scan_fail(r, p, "a colon was expected");
	}
	p = take_space(r, &ahead, p + 1);
value:
	if (likely(*p == '"'))
		p = take_string(r, &ahead, p, &text);
	else if (*p == '{' || *p == '[')
		goto enter;
	else
		p = take_scalar(r, p);
	if (unlikely(!p))
		return NULL;
behind:
	if (likely(*p == ',')) {
		p = take_space(r, &ahead, p + 1);
		if (open & 1)
			goto key;
		goto value;
	}
	if (likely(*p == (open & 1 ? '}' : ']'))) {
	close:
		open = open >> 1 | outer << 63;
		outer >>= 1;
		p++;
		if (--depth == r->depth)
			return p;
		goto behind;
	}
	if (byte(p) <= ' ' && p < r->end) {
		p = skip_space(r, &ahead, p);
		if (likely(byte(p) > ' '))
			goto behind;
	}
	return scan_fail(r, p, "a comma was expected");
}

const char *scan_end(struct scan *r, const char *p)
{
	p = scan_space(r, p);
	if (p < r->end)
		return scan_fail(r, p, "more than one value");
	return p;
}
