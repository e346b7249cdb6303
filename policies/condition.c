/* Conditions on arguments.  The contract is in condition.h. */
#include "condition.h"

#include "decimal.h"
#include "regex.h"

#include <string.h>

/* A condition being tested against one message. */
struct test {
	const struct condition *c;
	struct scan r;
	bool every;
	bool inside; /* r reads a list that is the text of a string */
	char *text;  /* CONDITION_TEXT_BYTES for such a text */
	void *scratch;
	struct span *value;
};

static enum outcome yes_if(bool holds)
{
	return holds ? OUTCOME_YES : OUTCOME_NO;
}

static enum type type_of(char first)
{
	switch (first) {
	case 'n':
		return TYPE_NULL;
	case 't':
	case 'f':
		return TYPE_BOOLEAN;
	case '"':
		return TYPE_STRING;
	case '[':
		return TYPE_ARRAY;
	case '{':
		return TYPE_OBJECT;
	default:
		return TYPE_NUMBER;
	}
}

/* The value at p, which is JSON, without what follows it. */
static struct span span_at(struct test *t, const char *p)
{
	struct scan r = t->r;
	const char *after = scan_value(&r, p);

	return (struct span){.ptr = p, .len = (size_t)(after - p)};
}

static struct text text_at(struct test *t, const char *p)
{
	struct text text = {.ptr = NULL};
	struct scan r = t->r;

	scan_string(&r, p, &text);
	return text;
}

/* Equal, or equal once case is folded. */
static bool same_folded(struct text text, const char *s, size_t len)
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

/* ---- paths ----------------------------------------------------------- */

struct segment {
	const char *ptr;
	size_t len;
};

/* The segment of dir at *at, past its slash; false at the end. */
static bool next_segment(const char *dir, size_t len, size_t *at,
			 struct segment *s)
{
	const char *slash;

	while (*at < len && dir[*at] == '/')
		++*at;
	if (*at == len)
		return false;
	s->ptr = dir + *at;
	slash = memchr(s->ptr, '/', len - *at);
	s->len = slash ? (size_t)(slash - s->ptr) : len - *at;
	*at += s->len;
	return true;
}

/* The len'th segment of dir, from 0. */
static bool segment_of(const char *dir, size_t len, size_t which,
		       struct segment *s)
{
	size_t at = 0;

	do
		if (!next_segment(dir, len, &at, s))
			return false;
	while (which-- > 0);
	return true;
}

/* Takes a segment off the path, up to its slash, into *s; false at the end. */
static bool take_segment(struct text *path, struct text *s)
{
	struct text rest = *path;
	const char *end = path->ptr;
	int32_t c;

	*s = *path;
	while ((c = text_next(&rest)) >= 0 && c != '/')
		end = rest.ptr;
	s->len = (size_t)(end - s->ptr);
	*path = rest;
	return s->len > 0 || c >= 0;
}

/* Would another reader see a separator or a dot where there is none? */
static bool is_disguised(struct text path)
{
	int32_t c, high, low;

	while ((c = text_next(&path)) >= 0) {
		struct text ahead = path;

		if (c == '\\')
			return true;
		if (c != '%')
			continue;
		high = text_next(&ahead);
		low = text_fold(text_next(&ahead));
		if ((high == '2' && (low == 'e' || low == 'f' || low == '5')) ||
		    (high == '5' && low == 'c'))
			return true;
	}
	return false;
}

enum outcome condition_under(struct text path, const char *dir, size_t len,
			     bool fold)
{
	size_t depth = 0, common = 0;
	struct segment want;
	struct text s;

	if (is_disguised(path) || text_next(&path) != '/')
		return OUTCOME_UNFIT;
	while (take_segment(&path, &s)) {
		if (s.len == 0 || text_is(s, ".", 1))
			continue;
		if (text_is(s, "..", 2)) {
			depth -= depth > 0;
			common = common < depth ? common : depth;
			continue;
		}
		/* As far as the path has kept to dir, it may go on so. */
		if (common == depth && segment_of(dir, len, depth, &want) &&
		    (fold ? same_folded(s, want.ptr, want.len)
			  : text_is(s, want.ptr, want.len)))
			common++;
		depth++;
	}
	return yes_if(!segment_of(dir, len, common, &want));
}

/* ---- values ---------------------------------------------------------- */

/* Can the value be compared at all? */
static bool is_fit(struct test *t, const char *p)
{
	struct span v = span_at(t, p);
	struct decimal d;

	switch (type_of(*p)) {
	case TYPE_STRING:
		return !(text_at(t, p).flags & (TEXT_NUL | TEXT_LONE));
	case TYPE_NUMBER:
		return decimal_read(v.ptr, v.len, &d);
	default:
		return true;
	}
}

/* A fit value, read once for all that it is compared with. */
struct value {
	enum type type;
	char first;            /* of true, false and null */
	struct decimal number; /* of a number */
	bool fits;             /* a double compares as it does */
	double approx;         /* else: as most servers read it */
	struct text text;      /* of a string */
};

static void read_value(struct test *t, const char *p, struct value *v)
{
	struct span span;

	v->type = type_of(*p);
	v->first = *p;
	if (v->type == TYPE_STRING) {
		v->text = text_at(t, p);
	} else if (v->type == TYPE_NUMBER) {
		span = span_at(t, p);
		decimal_read(span.ptr, span.len, &v->number);
		v->fits = decimal_fits(&v->number);
		if (!v->fits)
			v->approx = decimal_double(&v->number);
	}
}

/* The order of a number and an operand: as decimals, and as most servers see
 * it. */
struct order {
	int exact, approx;
};
static struct order compare(const struct value *v, const struct operand *o)
{
	struct decimal number;
	struct order order;

	decimal_read(o->ptr, o->len, &number);
	order.exact = decimal_compare(&v->number, &number);
	order.approx = order.exact;
	if (!v->fits)
		order.approx =
			(v->approx > o->approx) - (v->approx < o->approx);
	return order;
}

/* Can a value of this type be compared with one of the operands?  null can be
 * with anything, as can anything with null. */
static bool is_comparable(const struct test *t, enum type type)
{
	bool comparable = false;

	for (size_t i = 0; i < t->c->operand_count; i++)
		comparable |= t->c->operands[i].type == type ||
			      t->c->operands[i].type == TYPE_NULL;
	return comparable || type == TYPE_NULL;
}

/* Is the value one of the operands?  UNFIT: it cannot be told. */
static enum outcome is_among(struct test *t, const char *p)
{
	bool same = false, alike = false; /* alike: to most servers */
	struct value v;

	read_value(t, p, &v);
	for (size_t i = 0; i < t->c->operand_count; i++) {
		const struct operand *o = &t->c->operands[i];
		struct order order = {1, 1};

		if (v.type != o->type)
			continue;
		if (v.type == TYPE_NUMBER)
			order = compare(&v, o);
		else if (v.type == TYPE_STRING ? text_is(v.text, o->ptr, o->len)
					       : v.first == *o->ptr)
			return OUTCOME_YES;
		same |= order.exact == 0;
		alike |= order.approx == 0;
	}
	if (same != alike || !is_comparable(t, v.type))
		return OUTCOME_UNFIT;
	return yes_if(same);
}

static enum outcome negate(enum outcome o)
{
	return o == OUTCOME_UNFIT ? o : yes_if(o == OUTCOME_NO);
}

static bool is_ordered(enum op op, int order)
{
	switch (op) {
	case OP_LT:
		return order < 0;
	case OP_LTE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static enum outcome test_order(struct test *t, const char *p)
{
	struct order order;
	struct value v;

	if (type_of(*p) != TYPE_NUMBER)
		return OUTCOME_UNFIT;
	read_value(t, p, &v);
	order = compare(&v, &t->c->operands[0]);
	if (is_ordered(t->c->op, order.exact) !=
	    is_ordered(t->c->op, order.approx))
		return OUTCOME_UNFIT;
	return yes_if(is_ordered(t->c->op, order.exact));
}

/* An array contains an element, a string a string. */
static enum outcome test_contains(struct test *t, const char *p)
{
	enum outcome found = OUTCOME_NO;
	struct scan r = t->r;
	bool more;

	if (type_of(*p) == TYPE_STRING && t->c->regex)
		return yes_if(
			regex_match(t->c->regex, text_at(t, p), t->scratch));
	if (type_of(*p) != TYPE_ARRAY)
		return OUTCOME_UNFIT;
	p = scan_enter(&r, p);
	for (bool first = true;; first = false) {
		p = scan_element(&r, p, first, &more);
		if (!more)
			return found;
		if (!is_fit(t, p) || is_among(t, p) == OUTCOME_UNFIT)
			return OUTCOME_UNFIT;
		if (is_among(t, p) == OUTCOME_YES)
			found = OUTCOME_YES;
		p = scan_value(&r, p);
	}
}

static enum outcome test_string(struct test *t, const char *p)
{
	const struct operand *o = t->c->operands;

	if (type_of(*p) != TYPE_STRING)
		return OUTCOME_UNFIT;
	if (t->c->op == OP_UNDER)
		return condition_under(text_at(t, p), o->ptr, o->len,
				       !t->every);
	return yes_if(regex_match(t->c->regex, text_at(t, p), t->scratch));
}

/* A value that is there, and fit. */
static enum outcome test_plain(struct test *t, const char *p)
{
	switch (t->c->op) {
	case OP_EQ:
	case OP_IN:
		return is_among(t, p);
	case OP_NEQ:
	case OP_NOT_IN:
		return negate(is_among(t, p));
	case OP_CONTAINS:
		return test_contains(t, p);
	case OP_REGEX:
	case OP_GLOB:
	case OP_UNDER:
		return test_string(t, p);
	default:
		return test_order(t, p);
	}
}

/* ---- strings that are lists ------------------------------------------ */

static bool is_space(int32_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The first code point that is no white space; text is what follows it. */
static int32_t next_solid(struct text *text)
{
	int32_t c;

	do
		c = text_next(text);
	while (is_space(c));
	return c;
}

static bool is_null(struct text text)
{
	int32_t c = next_solid(&text);

	for (const char *s = "null"; *s; s++) {
		if (c != *s)
			return false;
		c = text_next(&text);
	}
	return c < 0 || (is_space(c) && next_solid(&text) < 0);
}

/* Puts "" for each number that Python's json knows and JSON does not, outside
 * of strings.  False: there was none. */
static bool replace_numbers(char *s, const char *end)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
	bool quoted = false, found = false;

	for (; s < end; s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\')
			s++;
		for (int i = 0; !quoted && i < 3; i++) {
			size_t len = strlen(words[i]);

			if (*s != *words[i] || (size_t)(end - s) < len ||
			    memcmp(s, words[i], len) != 0)
				continue;
			memset(s, ' ', len);
			s[0] = s[1] = '"';
			s += len - 1;
			found = true;
			break;
		}
	}
	return found;
}

/* Is the string the text of an array?  Then it is at *p, and t->r reads it.
 * UNFIT: to some readers it is. */
static enum outcome open_list(struct test *t, struct text text, const char **p)
{
	struct text rest = text;
	bool whole = text.len <= CONDITION_TEXT_BYTES, numbers;
	const char *end;
	ptrdiff_t len;
	struct scan r;

	if (next_solid(&rest) != '[')
		return OUTCOME_NO;
	/* No character has more bytes when it is decoded. */
	while (!whole && rest.ptr - text.ptr < CONDITION_TEXT_BYTES - 12)
		text_next(&rest);
	if (!whole)
		text.len = (size_t)(rest.ptr - text.ptr);
	len = text_decode(text, t->text, CONDITION_TEXT_BYTES);
	if (len < 0)
		return OUTCOME_UNFIT;
	numbers = replace_numbers(t->text, t->text + len);
	t->r = scan_begin(t->text, (size_t)len);
	t->r.lines = true;
	r = t->r;
	*p = scan_space(&r, t->text);
	end = scan_value(&r, *p);
	if (end)
		scan_end(&r, end);
	/* The last token may be at fault because it was cut. */
	if (r.fault.grammar && (whole || r.fault.offset + 12 < (size_t)len))
		return OUTCOME_NO;
	return r.fault.reason || numbers || !whole ? OUTCOME_UNFIT
						   : OUTCOME_YES;
}

/* What the condition says of an element of such a list; good, if the operator
 * is not about it. */
static enum outcome test_listed(struct test *t, const char *p,
				enum outcome good)
{
	const bool pattern = t->c->op == OP_REGEX || t->c->op == OP_GLOB;
	enum type type = type_of(*p);
	enum outcome one = OUTCOME_NO;

	if (pattern ? type != TYPE_STRING : !is_comparable(t, type))
		return good;
	if (!is_fit(t, p))
		return OUTCOME_UNFIT;
	if (t->c->op == OP_CONTAINS) {
		one = is_among(t, p);
		if (type != TYPE_STRING)
			return one;
	}
	return one == OUTCOME_NO ? test_plain(t, p) : one;
}

/* Each element of the array at p, until one is not good. */
static enum outcome test_each_listed(struct test *t, const char *p,
				     enum outcome good)
{
	enum outcome one = good;
	struct scan r = t->r;
	bool more;

	p = scan_enter(&r, p);
	for (bool first = true; one == good; first = false) {
		p = scan_element(&r, p, first, &more);
		if (!more)
			break;
		one = test_listed(t, p, good);
		p = scan_value(&r, p);
	}
	return one;
}

/* The string at p decides nothing as a string: what does it as a list, or as
 * null? */
static enum outcome test_reading(struct test *t, const char *p)
{
	const enum outcome good = yes_if(t->every);
	const struct text text = text_at(t, p);
	const struct scan outer = t->r;
	const enum op op = t->c->op;
	enum outcome one = good;

	if (op <= OP_NOT_IN && is_null(text))
		return test_plain(t, "null");
	if (t->every && op != OP_CONTAINS && op != OP_NEQ && op != OP_NOT_IN)
		return good;
	switch (open_list(t, text, &p)) {
	case OUTCOME_NO:
		break;
	case OUTCOME_YES:
		one = t->every && op == OP_CONTAINS
			      ? test_contains(t, p)
			      : test_each_listed(t, p, good);
		break;
	default:
		one = OUTCOME_UNFIT;
	}
	t->r = outer;
	return one;
}

/* What the path leads to; p is NULL if it leads nowhere. */
static enum outcome test_value(struct test *t, const char *p)
{
	enum outcome one;

	if (t->c->op == OP_EXISTS)
		return yes_if((p != NULL) == (*t->c->operands->ptr == 't'));
	if (!p)
		return OUTCOME_NO;
	if (!is_fit(t, p))
		return OUTCOME_UNFIT;
	one = test_plain(t, p);
	if (*p == '"' && !t->inside && one == yes_if(t->every))
		return test_reading(t, p);
	return one;
}

/* ---- the way there --------------------------------------------------- */

static bool is_beyond_ascii(struct text text)
{
	int32_t c;

	do
		c = text_next(&text);
	while (c >= 0 && c < 0x80);
	return c >= 0;
}

/* The member of the object at p that the step names, in *found: NULL if there
 * is none.  False: it is there twice, or in another case.  Beyond ASCII, which
 * letters are one another's case is not known here: no key is sure to differ.
 */
static bool find_member(struct test *t, const char *p, const struct step *step,
			const char **found)
{
	const struct text want = {.ptr = step->key, .len = step->len};
	const bool beyond = is_beyond_ascii(want);
	struct scan r = t->r;
	struct text key;
	bool more;

	*found = NULL;
	p = scan_enter(&r, p);
	for (bool first = true;; first = false) {
		p = scan_member(&r, p, first, &key, &more);
		if (!more)
			return true;
		if (same_folded(key, step->key, step->len)) {
			if (*found || !text_is(key, step->key, step->len))
				return false;
			*found = p;
		} else if (beyond && is_beyond_ascii(key)) {
			return false;
		}
		p = scan_value(&r, p);
	}
}

/* These call one another once for each step of the path, of which there
 * are at most CONDITION_STEPS_MAX. */
static enum outcome test_from(struct test *t, const char *p, size_t at);

/* The elements of the array at p: the one of the step, or each of them. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum outcome test_elements(struct test *t, const char *p, size_t at)
{
	const struct step *step = &t->c->steps[at];
	enum outcome all = yes_if(t->every), one;
	struct scan r = t->r;
	bool more;

	p = scan_enter(&r, p);
	for (size_t i = 0;; i++) {
		p = scan_element(&r, p, i == 0, &more);
		if (!more)
			break;
		if (step->kind != STEP_EACH && i == step->index)
			return test_from(t, p, at + 1);
		if (step->kind == STEP_EACH) {
			one = test_from(t, p, at + 1);
			if (one == OUTCOME_UNFIT ||
			    (one == OUTCOME_YES) != t->every)
				return one;
		}
		p = scan_value(&r, p);
	}
	*t->value = (struct span){.ptr = NULL};
	return step->kind == STEP_EACH ? all : test_value(t, NULL);
}

/* The string at p has no step below it, unless it is the text of a list. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum outcome test_inside(struct test *t, const char *p, size_t at)
{
	const struct scan outer = t->r;
	enum outcome one = OUTCOME_UNFIT;

	if (!t->inside && open_list(t, text_at(t, p), &p) == OUTCOME_YES) {
		t->inside = true;
		one = test_from(t, p, at);
		t->inside = false;
	}
	t->r = outer;
	return one;
}

/* Follows the path from the step at on. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum outcome test_from(struct test *t, const char *p, size_t at)
{
	enum type type = type_of(*p);
	const struct step *step;

	*t->value = (struct span){.ptr = NULL};
	if (at == t->c->step_count) {
		*t->value = span_at(t, p);
		return test_value(t, p);
	}
	step = &t->c->steps[at];
	if (type == TYPE_NULL)
		return test_value(t, NULL);
	if (type == TYPE_STRING)
		return test_inside(t, p, at);
	if (type == TYPE_ARRAY && step->kind != STEP_KEY)
		return test_elements(t, p, at);
	if (type != TYPE_OBJECT || step->kind == STEP_INDEX ||
	    step->kind == STEP_EACH || !find_member(t, p, step, &p))
		return OUTCOME_UNFIT;
	return p ? test_from(t, p, at + 1) : test_value(t, NULL);
}

enum outcome condition_test(const struct condition *c, struct span arguments,
			    bool every, void *scratch, struct span *value)
{
	struct test t = {.c = c, .every = every, .value = value};

	*value = (struct span){.ptr = NULL};
	if (!arguments.ptr)
		return test_value(&t, NULL);
	t.text = scratch;
	t.scratch = t.text + CONDITION_TEXT_BYTES;
	t.r = scan_begin(arguments.ptr, arguments.len);
	return test_from(&t, arguments.ptr, 0);
}
