/* Conditions on arguments.  The contract is in condition.h. */
#include "condition.h"

#include "regex.h"

#include <string.h>

const struct operator operators[OP_COUNT] = {
#define ROW(id, name, about, operand, words, compile, test, list)              \
	[OP_##id] = {name, about, operand, words, list},
	OPERATORS(ROW)
#undef ROW
};

#define TEXT_ROOM (CONDITION_TEXT_ROOM / 2)

/* A condition being tested against one message.  Whatever is read is JSON that
 * was read before, so no step fails. */
struct test {
	const struct condition *c;
	struct scan *r; /* of the arguments, or of a list inside a string */
	bool every;
	bool inside; /* r reads a list that is the text of a string */
	char *text;  /* TEXT_ROOM for such a text, and for one inside it */
	void *scratch;
	struct span *value;
};

/* A value, read once for all that it is compared with. */
struct value {
	const char *ptr;
	size_t len;
	enum type type;
	struct text text;      /* of a string */
	struct decimal number; /* of a number; by read_number() */
	bool fits;             /* a double compares as it does */
	double approx;         /* else: as most servers read it */
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

/* Past the value at p, which becomes *v. */
static const char *read_value(struct scan *r, const char *p, struct value *v)
{
	const char *after;

	v->ptr = p;
	v->type = type_of(*p);
	v->text = (struct text){.ptr = NULL};
	if (v->type == TYPE_STRING)
		after = scan_string(r, p, &v->text);
	else
		after = scan_value(r, p);
	v->len = after ? (size_t)(after - p) : 0;
	return after;
}

/* ---- values ---------------------------------------------------------- */

/* Can the value be compared at all?  Of a number, all is read. */
static bool is_fit(struct value *v)
{
	if (v->type == TYPE_STRING)
		return !(v->text.flags & (TEXT_NUL | TEXT_LONE));
	if (v->type != TYPE_NUMBER)
		return true;
	if (!decimal_read(v->ptr, v->len, &v->number))
		return false;
	v->fits = decimal_fits(&v->number);
	if (!v->fits)
		v->approx = decimal_double(&v->number);
	return true;
}

/* The order of a number and an operand: as decimals, and as most servers see
 * it. */
struct order {
	int exact, approx;
};
static struct order compare(const struct value *v, const struct operand *o)
{
	struct order order;

	order.exact = decimal_compare(&v->number, &o->number);
	order.approx = order.exact;
	if (!v->fits)
		order.approx =
			(v->approx > o->approx) - (v->approx < o->approx);
	return order;
}

/* Those of the operands. */
static unsigned operand_types(const struct condition *c)
{
	unsigned set = 0;

	for (size_t i = 0; i < c->operand_count; i++)
		set |= 1u << c->operands[i].type;
	return set;
}

/* Can a value of this type be compared with one of the operands?  null can be
 * with anything, as can anything with null. */
static bool is_comparable(const struct condition *c, enum type type)
{
	const unsigned types = operand_types(c);

	return type == TYPE_NULL || types & (SET_NULL | 1u << type);
}

/* Is null a value, and not a missing one? */
static bool is_about_null(const struct condition *c)
{
	return c->op <= OP_NOT_IN && operand_types(c) & SET_NULL;
}

unsigned condition_about(const struct condition *c)
{
	const unsigned about = operators[c->op].about;

	if (c->op == OP_CONTAINS)
		return c->regex ? about : SET_ARRAY;
	if (c->op > OP_NOT_IN || is_about_null(c))
		return about;
	return about & operand_types(c);
}

/* Is the value one of the operands?  INVALID: it cannot be told. */
static enum outcome test_among(struct test *t, const struct value *v)
{
	bool same = false, alike = false; /* alike: to most servers */

	for (size_t i = 0; i < t->c->operand_count; i++) {
		const struct operand *o = &t->c->operands[i];
		struct order order = {1, 1};

		if (v->type != o->type)
			continue;
		if (v->type == TYPE_NUMBER)
			order = compare(v, o);
		else if (v->type == TYPE_STRING
				 ? text_is(v->text, o->ptr, o->len)
				 : *v->ptr == *o->ptr)
			return OUTCOME_YES;
		same |= order.exact == 0;
		alike |= order.approx == 0;
	}
	if (same != alike || !is_comparable(t->c, v->type))
		return OUTCOME_INVALID;
	return yes_if(same);
}

static enum outcome test_not_among(struct test *t, const struct value *v)
{
	const enum outcome one = test_among(t, v);

	return one == OUTCOME_INVALID ? one : yes_if(one == OUTCOME_NO);
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

static enum outcome test_order(struct test *t, const struct value *v)
{
	struct order order;

	if (v->type != TYPE_NUMBER)
		return OUTCOME_INVALID;
	order = compare(v, &t->c->operands[0]);
	if (is_ordered(t->c->op, order.exact) !=
	    is_ordered(t->c->op, order.approx))
		return OUTCOME_INVALID;
	return yes_if(is_ordered(t->c->op, order.exact));
}

/* A walk over the elements of an array.  r may read other values between. */
struct walk_array {
	struct scan *r;
	const char *next; /* what was read last ends here */
	bool first;
};

static struct walk_array array_begin(struct scan *r, const char *p)
{
	r->depth = 0;
	return (struct walk_array){
		.r = r, .next = scan_enter(r, p), .first = true};
}

static bool array_next(struct walk_array *w, struct value *v)
{
	const char *p;
	bool more;

	w->r->depth = 1;
	p = scan_element(w->r, w->next, w->first, &more);
	w->first = false;
	if (!more)
		return false;
	w->next = read_value(w->r, p, v);
	return true;
}

/* An array contains an element, a string a string. */
static enum outcome test_contains(struct test *t, const struct value *v)
{
	enum outcome found = OUTCOME_NO, one;
	struct walk_array w;
	struct value element;

	if (v->type == TYPE_STRING && t->c->regex)
		return yes_if(regex_match(t->c->regex, v->text, t->scratch));
	if (v->type != TYPE_ARRAY)
		return OUTCOME_INVALID;
	w = array_begin(t->r, v->ptr);
	while (array_next(&w, &element)) {
		one = is_fit(&element) ? test_among(t, &element)
				       : OUTCOME_INVALID;
		if (one == OUTCOME_INVALID)
			return one;
		if (one == OUTCOME_YES)
			found = one;
	}
	return found;
}

static enum outcome test_pattern(struct test *t, const struct value *v)
{
	if (v->type != TYPE_STRING)
		return OUTCOME_INVALID;
	return yes_if(regex_match(t->c->regex, v->text, t->scratch));
}

/* Which kinds of addresses do the directories have? */
static void find_kinds(const struct condition *c, bool *paths, bool *uris,
		       bool *files)
{
	*paths = *uris = *files = false;
	for (size_t i = 0; i < c->operand_count; i++) {
		const struct uri *uri = c->operands[i].uri;

		*paths |= !uri;
		*uris |= uri != NULL;
		*files |= uri && strcmp(uri->scheme, "file") == 0;
	}
}

/* Below one of the directories.  A path is no uri, nor the other way; to a
 * server a file: uri may be a path. */
static enum outcome test_under(struct test *t, const struct value *v)
{
	enum outcome found = OUTCOME_NO, one;
	bool path, paths, uris, files;
	struct text text = v->text;
	struct uri uri;

	if (v->type != TYPE_STRING)
		return OUTCOME_INVALID;
	path = text_next(&text) == '/';
	find_kinds(t->c, &paths, &uris, &files);
	if (path ? !paths : !uris || !uri_read(v->text, &uri))
		return OUTCOME_INVALID;
	if (!path && paths && !files && strcmp(uri.scheme, "file") == 0)
		return OUTCOME_INVALID;
	for (size_t i = 0; i < t->c->operand_count; i++) {
		const struct operand *o = &t->c->operands[i];

		if (path != !o->uri)
			continue;
		one = path ? path_under(v->text, o->ptr, o->len, !t->every)
			   : uri_under(&uri, o->uri, !t->every);
		if (one == OUTCOME_INVALID)
			return one;
		if (one == OUTCOME_YES)
			found = one;
	}
	return found;
}

/* Is it the host of the operand, or, with below, a name that ends with it? */
static bool is_host(const struct uri *u, const struct operand *o)
{
	const char *host = u->host;
	const size_t len = strlen(host);

	if (o->uri->port != 0 && o->uri->port != u->port)
		return false;
	if (o->below && len > o->len && host[len - o->len - 1] == '.')
		host += len - o->len;
	else if (o->below)
		return false;
	return strcmp(host, o->ptr) == 0;
}

static enum outcome test_host(struct test *t, const struct value *v)
{
	bool named = false; /* an operand has the same address, maybe another
			       port */
	struct uri u;

	if (v->type != TYPE_STRING || !uri_read(v->text, &u) ||
	    (strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "https") != 0))
		return OUTCOME_INVALID;
	for (size_t i = 0; i < t->c->operand_count; i++) {
		const struct operand *o = &t->c->operands[i];

		if (is_host(&u, o))
			return OUTCOME_YES;
		named |= strcmp(u.host, o->ptr) == 0;
	}
	return u.numeric && !named ? OUTCOME_INVALID : OUTCOME_NO;
}

/* Code points of a string, elements of an array. */
static enum outcome test_length(struct test *t, const struct value *v)
{
	const size_t most = t->c->operands->most;
	struct text text = v->text;
	struct walk_array w;
	struct value element;
	size_t count = 0;

	if (v->type == TYPE_STRING) {
		while (count <= most && text_next(&text) >= 0)
			count++;
	} else if (v->type == TYPE_ARRAY) {
		w = array_begin(t->r, v->ptr);
		while (count <= most && array_next(&w, &element))
			count++;
	} else {
		return OUTCOME_INVALID;
	}
	return yes_if(count <= most);
}

/* A value that is there, and fit. */
static enum outcome test_plain(struct test *t, const struct value *v)
{
	static enum outcome (*const tests[OP_COUNT])(struct test *,
						     const struct value *) = {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define ROW(id, name, about, with, words, compile, test, ...) [OP_##id] = test,
		OPERATORS(ROW)
#undef ROW
	};

	return tests[t->c->op](t, v);
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

/* Is the string the text of an array, or, with objects, of an object?  Then
 * that is *inner, which is decoded into room and which *r reads.  INVALID: to
 * some readers it is. */
static enum outcome open_text(struct text text, bool objects, char *room,
			      struct scan *r, struct value *inner)
{
	struct text rest = text;
	bool whole = text.len <= CONDITION_TEXT_BYTES, numbers;
	const int32_t first = next_solid(&rest);
	const char *end;
	ptrdiff_t len;

	if (first != '[' && !(objects && first == '{'))
		return OUTCOME_NO;
	/* No character has more bytes when it is decoded. */
	while (!whole && rest.ptr - text.ptr < CONDITION_TEXT_BYTES - 12)
		text_next(&rest);
	if (!whole)
		text.len = (size_t)(rest.ptr - text.ptr);
	len = text_decode(text, room, CONDITION_TEXT_BYTES);
	if (len < 0)
		return OUTCOME_INVALID;
	numbers = replace_numbers(room, room + len);
	room[len] = '\0';
	scan_begin(r, room, (size_t)len);
	r->lines = true;
	end = read_value(r, scan_space(r, room), inner);
	if (end)
		scan_end(r, end);
	/* The last token may be at fault because it was cut. */
	if (r->fault.grammar && (whole || r->fault.offset + 12 < (size_t)len))
		return OUTCOME_NO;
	return r->fault.reason || numbers || !whole ? OUTCOME_INVALID
						    : OUTCOME_YES;
}

/* What the condition says of an element of such a list; good, if the operator
 * is not about it. */
static enum outcome test_listed(struct test *t, struct value *v,
				enum outcome good)
{
	unsigned about = operators[t->c->op].about;
	enum outcome one = OUTCOME_NO;

	if (t->c->op <= OP_NOT_IN || t->c->op == OP_CONTAINS)
		about = operand_types(t->c);
	if (!(about >> v->type & 1))
		return good;
	if (!is_fit(v))
		return OUTCOME_INVALID;
	if (t->c->op == OP_CONTAINS) {
		one = test_among(t, v);
		if (v->type != TYPE_STRING)
			return one;
	}
	return one == OUTCOME_NO ? test_plain(t, v) : one;
}

/* Each element of the list, until one is not good. */
static enum outcome test_each_listed(struct test *t, const struct value *list,
				     enum outcome good)
{
	struct walk_array w = array_begin(t->r, list->ptr);
	enum outcome one = good;
	struct value element;

	while (one == good && array_next(&w, &element))
		one = test_listed(t, &element, good);
	return one;
}

/* The string decides nothing as a string: what does it as a list, or as
 * null? */
static enum outcome test_reading(struct test *t, const struct value *v)
{
	static const struct value null = {"null", 4, TYPE_NULL};
	const enum outcome good = yes_if(t->every);
	const unsigned tested = operators[t->c->op].list;
	struct scan *outer = t->r, r;
	struct value list;
	enum outcome one;
	bool whole;

	if (t->c->op <= OP_NOT_IN && is_null(v->text))
		return is_about_null(t->c) ? test_plain(t, &null) : OUTCOME_NO;
	if (t->every && !(tested & (LIST_EACH | LIST_WHOLE)))
		return good;
	one = open_text(v->text, false, t->text, &r, &list);
	if (one == OUTCOME_INVALID)
		return one;
	if (one == OUTCOME_NO)
		return good;
	t->r = &r;
	whole = tested & (t->every ? LIST_WHOLE : LIST_FIRST);
	if (whole)
		one = test_plain(t, &list);
	if (!whole || (!t->every && one != OUTCOME_YES))
		one = test_each_listed(t, &list, good);
	t->r = outer;
	return one;
}

/* What the path leads to; NULL: it leads nowhere. */
static enum outcome test_value(struct test *t, struct value *v)
{
	enum outcome one;

	if (t->c->op == OP_EXISTS)
		return yes_if((v != NULL) == (*t->c->operands->ptr == 't'));
	if (!v || (v->type == TYPE_NULL && !is_about_null(t->c)))
		return OUTCOME_NO;
	if (!is_fit(v))
		return OUTCOME_INVALID;
	one = test_plain(t, v);
	if (v->type == TYPE_STRING && !t->inside && one == yes_if(t->every))
		return test_reading(t, v);
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

enum found { FOUND_NOTHING, FOUND, FOUND_INVALID };

/* Is this the member that the step names?  FOUND_INVALID: in another case.
 * Beyond ASCII, which letters are one another's case is not known here: no key
 * is sure to differ. */
static inline enum found is_named(struct text key, const struct step *step)
{
	if (key.len == step->len && !(key.flags & TEXT_ESCAPED) &&
	    memcmp(key.ptr, step->key, key.len) == 0)
		return FOUND;
	if (text_is_folded(key, step->key, step->len))
		return text_is(key, step->key, step->len) ? FOUND
							  : FOUND_INVALID;
	return !step->ascii && is_beyond_ascii(key) ? FOUND_INVALID
						    : FOUND_NOTHING;
}

/* The member of the arguments. */
static enum found find_argument(const struct arguments *a,
				const struct step *step, struct value *v)
{
	/* Most keys differ in the first letter; of an empty key it is the
	 * quote behind it. */
	const int first = step->ascii && step->len > 0 ? *step->key | 0x20 : 0;
	enum found found = FOUND_NOTHING, one;

	for (size_t i = 0; i < a->count; i++) {
		const struct argument *m = &a->members[i];
		const char c = *m->key.ptr;

		if (first && (c | 0x20) != first && c > 0 && c < 0x7F &&
		    c != '\\')
			continue;
		one = is_named(m->key, step);
		if (one == FOUND_NOTHING)
			continue;
		if (one == FOUND_INVALID || found == FOUND)
			return FOUND_INVALID;
		found = FOUND;
		v->ptr = m->value;
		v->len = m->len;
		v->type = type_of(*m->value);
		v->text = m->text;
	}
	return found;
}

/* The member of the object, which is there twice if it is INVALID, or in
 * another case. */
static enum found find_member(struct test *t, const char *p,
			      const struct step *step, struct value *v)
{
	enum found found = FOUND_NOTHING, one;
	struct scan *r = t->r;
	struct text key;
	bool more;

	r->depth = 0;
	p = scan_enter(r, p);
	for (bool first = true;; first = false) {
		p = scan_member(r, p, first, &key, &more);
		if (!more)
			return found;
		one = is_named(key, step);
		if (one == FOUND_NOTHING) {
			p = scan_value(r, p);
			continue;
		}
		if (one == FOUND_INVALID || found == FOUND)
			return FOUND_INVALID;
		found = FOUND;
		p = read_value(r, p, v);
	}
}

void arguments_read(struct arguments *a, struct span json)
{
	const char *p = json.ptr;
	bool more;

	a->json = json;
	a->count = 0;
	a->whole = false;
	if (!p)
		return;
	scan_begin(&a->r, json.ptr, json.len);
	if (*p != '{')
		return;
	p = scan_enter(&a->r, p);
	for (bool first = true;; first = false) {
		struct argument *m = &a->members[a->count];

		p = scan_member(&a->r, p, first, &m->key, &more);
		a->whole = !more;
		if (a->whole || a->count == ARGUMENTS_MEMBERS)
			return;
		m->value = p;
		m->text.ptr = NULL;
		if (*p == '"')
			p = scan_string(&a->r, p, &m->text);
		else
			p = scan_value(&a->r, p);
		m->len = (size_t)(p - m->value);
		a->count++;
	}
}

/* These call one another once for each step of the path, of which there
 * are at most CONDITION_STEPS_MAX. */
static enum outcome test_from(struct test *t, struct value *v, size_t at);

/* The elements of the array: the one of the step, or each of them. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum outcome test_elements(struct test *t, const struct value *array,
				  size_t at)
{
	const struct step *step = &t->c->steps[at];
	struct walk_array w = array_begin(t->r, array->ptr);
	struct value element;
	enum outcome one;

	for (size_t i = 0; array_next(&w, &element); i++) {
		if (step->kind != STEP_EACH && i == step->index)
			return test_from(t, &element, at + 1);
		if (step->kind != STEP_EACH)
			continue;
		one = test_from(t, &element, at + 1);
		if (one == OUTCOME_INVALID || (one == OUTCOME_YES) != t->every)
			return one;
	}
	*t->value = (struct span){.ptr = NULL};
	return step->kind == STEP_EACH ? yes_if(t->every) : test_value(t, NULL);
}

/* The string has no step below it, unless it is the text of a list. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum outcome test_inside(struct test *t, const struct value *v,
				size_t at)
{
	struct scan *outer = t->r, r;
	enum outcome one = OUTCOME_INVALID;
	struct value list;

	if (!t->inside &&
	    open_text(v->text, false, t->text, &r, &list) == OUTCOME_YES) {
		t->inside = true;
		t->r = &r;
		one = test_from(t, &list, at);
		t->r = outer;
		t->inside = false;
	}
	return one;
}

/* Follows the path from the step at on. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum outcome test_from(struct test *t, struct value *v, size_t at)
{
	const struct step *step = &t->c->steps[at];
	struct value member;

	*t->value = (struct span){.ptr = NULL};
	if (at == t->c->step_count) {
		*t->value = (struct span){v->ptr, v->len};
		return test_value(t, v);
	}
	if (v->type == TYPE_NULL)
		return test_value(t, NULL);
	if (v->type == TYPE_STRING)
		return test_inside(t, v, at);
	if (v->type == TYPE_ARRAY && step->kind != STEP_KEY)
		return test_elements(t, v, at);
	if (v->type != TYPE_OBJECT || step->kind == STEP_INDEX ||
	    step->kind == STEP_EACH)
		return OUTCOME_INVALID;
	switch (find_member(t, v->ptr, step, &member)) {
	case FOUND:
		return test_from(t, &member, at + 1);
	case FOUND_NOTHING:
		return test_value(t, NULL);
	default:
		return OUTCOME_INVALID;
	}
}

/* ---- everywhere ------------------------------------------------------ */

/* Is the condition about this string, whatever it says of it? */
static bool is_about_text(const struct condition *c, struct text text)
{
	struct text begin = text;
	bool paths, uris, files;
	int32_t first;

	if (c->op == OP_HOST)
		return uri_begins(text, "http") || uri_begins(text, "https");
	if (c->op != OP_UNDER)
		return true;
	find_kinds(c, &paths, &uris, &files);
	first = text_next(&begin);
	if (first == '/')
		return paths;
	/* What many servers resolve, "~/x" and "../x", is no name. */
	if (first == '.' && text_next(&begin) != '.')
		return false;
	if (first == '.' || first == '~') {
		first = text_next(&begin);
		return paths && (first == '/' || first < 0);
	}
	return uri_begins(text, "file") || (uris && uri_begins(text, NULL));
}

/* A key or a value of args.**. */
static enum outcome test_found(struct test *t, struct value *v, unsigned about)
{
	if (v->type == TYPE_NULL || !(about >> v->type & 1))
		return OUTCOME_NO;
	if (v->type == TYPE_STRING && !is_about_text(t->c, v->text))
		return OUTCOME_NO;
	return is_fit(v) ? test_plain(t, v) : OUTCOME_INVALID;
}

/*
 * Every key, and every value that is neither an object nor an array, of the
 * JSON between p and end, which t->r reads.  deep: that is the text of a
 * string, and how many are around it.  Calls itself once for each of them, of
 * which there are TEXTS_DEEP.
 */
#define TEXTS_DEEP 2
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum outcome test_everywhere(struct test *t, const char *p,
				    const char *end, unsigned about, int deep)
{
	struct scan *outer = t->r, r;
	struct value v, inner;
	enum outcome one;

	while (p < end) {
		if (strchr(" \t\r\n,:[]{}", *p)) {
			p++;
			continue;
		}
		if (*p == '"') {
			p = read_value(t->r, p, &v);
		} else {
			v = (struct value){.ptr = p, .type = type_of(*p)};
			while (p < end && !strchr(" \t\r\n,:[]{}", *p))
				p++;
			v.len = (size_t)(p - v.ptr);
		}
		one = test_found(t, &v, about);
		if (one != OUTCOME_NO)
			*t->value = (struct span){v.ptr, v.len};
		if (one == OUTCOME_NO && v.type == TYPE_STRING &&
		    deep < TEXTS_DEEP) {
			one = open_text(v.text, true,
					t->text + deep * TEXT_ROOM, &r, &inner);
			if (one == OUTCOME_INVALID)
				*t->value = (struct span){v.ptr, v.len};
			if (one == OUTCOME_YES) {
				t->r = &r;
				one = test_everywhere(t, inner.ptr,
						      inner.ptr + inner.len,
						      about, deep + 1);
				t->r = outer;
			}
		}
		if (one != OUTCOME_NO)
			return one;
	}
	return OUTCOME_NO;
}

/* ---- a condition ----------------------------------------------------- */

static enum outcome test_one(const struct condition *c, struct arguments *a,
			     bool every, void *scratch, struct span *value)
{
	struct test t = {.c = c, .r = &a->r, .every = every, .value = value};
	struct value v;

	*value = (struct span){.ptr = NULL};
	if (!a->json.ptr)
		return test_value(&t, NULL);
	t.text = scratch;
	t.scratch = t.text + CONDITION_TEXT_ROOM;
	if (c->everywhere)
		return test_everywhere(&t, a->json.ptr,
				       a->json.ptr + a->json.len,
				       condition_about(c), 0);
	if (a->whole && c->step_count > 0 &&
	    (c->steps->kind == STEP_KEY || c->steps->kind == STEP_EITHER)) {
		switch (find_argument(a, c->steps, &v)) {
		case FOUND:
			return test_from(&t, &v, 1);
		case FOUND_NOTHING:
			return test_value(&t, NULL);
		default:
			return OUTCOME_INVALID;
		}
	}
	v = (struct value){.ptr = a->json.ptr,
			   .len = a->json.len,
			   .type = type_of(*a->json.ptr)};
	return test_from(&t, &v, 0);
}

/* One group is in another at most once. */
/* NOLINTNEXTLINE(misc-no-recursion) */
enum outcome condition_test(const struct condition *c, struct arguments *a,
			    bool every, void *scratch, struct span *value)
{
	/* What one member decides by itself. */
	const enum outcome alone = yes_if(c->group == GROUP_ANY);
	enum outcome result = yes_if(c->group == GROUP_ALL), one;
	struct span of_member;

	if (c->group == GROUP_NONE)
		return test_one(c, a, every, scratch, value);
	*value = (struct span){.ptr = NULL};
	for (size_t i = 0; i < c->members.count; i++) {
		one = condition_test(&c->members.list[i], a, every, scratch,
				     &of_member);
		if (one == OUTCOME_INVALID) {
			*value = of_member;
			return one;
		}
		if (one == alone && result != alone) {
			*value = of_member;
			result = alone;
		}
	}
	return result;
}
