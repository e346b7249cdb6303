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

enum outcome condition_under(struct text path, const char *dir, size_t len)
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
		    text_is(s, want.ptr, want.len))
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
	}
}

static bool same_value(const struct value *v, const struct operand *o)
{
	struct decimal number;

	if (v->type != o->type)
		return false;
	switch (o->type) {
	case TYPE_NUMBER:
		decimal_read(o->ptr, o->len, &number);
		return decimal_compare(&v->number, &number) == 0;
	case TYPE_STRING:
		return text_is(v->text, o->ptr, o->len);
	default:
		return v->first == *o->ptr;
	}
}

/* Is the value one of the operands?  UNFIT if none is of its type; null can
 * be compared with anything, as can anything with null. */
static enum outcome is_among(struct test *t, const char *p)
{
	bool comparable = false;
	struct value v;

	read_value(t, p, &v);
	for (size_t i = 0; i < t->c->operand_count; i++) {
		const struct operand *o = &t->c->operands[i];

		comparable |= o->type == v.type || o->type == TYPE_NULL ||
			      v.type == TYPE_NULL;
		if (same_value(&v, o))
			return OUTCOME_YES;
	}
	return comparable ? OUTCOME_NO : OUTCOME_UNFIT;
}

static enum outcome negate(enum outcome o)
{
	return o == OUTCOME_UNFIT ? o : yes_if(o == OUTCOME_NO);
}

static enum outcome test_order(struct test *t, const char *p)
{
	const struct operand *o = &t->c->operands[0];
	struct span v = span_at(t, p);
	struct decimal a, b;
	int order;

	if (type_of(*p) != TYPE_NUMBER)
		return OUTCOME_UNFIT;
	decimal_read(v.ptr, v.len, &a);
	decimal_read(o->ptr, o->len, &b);
	order = decimal_compare(&a, &b);
	switch (t->c->op) {
	case OP_LT:
		return yes_if(order < 0);
	case OP_LTE:
		return yes_if(order <= 0);
	case OP_GT:
		return yes_if(order > 0);
	default:
		return yes_if(order >= 0);
	}
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
		return condition_under(text_at(t, p), o->ptr, o->len);
	return yes_if(regex_match(t->c->regex, text_at(t, p), t->scratch));
}

/* What the path leads to; p is NULL if it leads nowhere. */
static enum outcome test_value(struct test *t, const char *p)
{
	if (t->c->op == OP_EXISTS)
		return yes_if((p != NULL) == (*t->c->operands->ptr == 't'));
	if (!p)
		return OUTCOME_NO;
	if (!is_fit(t, p))
		return OUTCOME_UNFIT;
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

/* ---- the way there --------------------------------------------------- */

/* Equal, or equal once case is folded. */
static bool same_key(struct text key, const char *s, size_t len)
{
	struct text want = {.ptr = s, .len = len};
	int32_t c;

	do {
		c = text_fold(text_next(&key));
		if (c != text_fold(text_next(&want)))
			return false;
	} while (c >= 0);
	return true;
}

/* The member of the object at p that the step names, in *found: NULL if there
 * is none.  False: it is there twice, or in another case. */
static bool find_member(struct test *t, const char *p, const struct step *step,
			const char **found)
{
	struct scan r = t->r;
	struct text key;
	bool more;

	*found = NULL;
	p = scan_enter(&r, p);
	for (bool first = true;; first = false) {
		p = scan_member(&r, p, first, &key, &more);
		if (!more)
			return true;
		if (same_key(key, step->key, step->len)) {
			if (*found || !text_is(key, step->key, step->len))
				return false;
			*found = p;
		}
		p = scan_value(&r, p);
	}
}

/* These two call one another once for each step of the path, of which there
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
	struct test t = {
		.c = c, .every = every, .scratch = scratch, .value = value};

	*value = (struct span){.ptr = NULL};
	if (!arguments.ptr)
		return test_value(&t, NULL);
	t.r = scan_begin(arguments.ptr, arguments.len);
	return test_from(&t, arguments.ptr, 0);
}
