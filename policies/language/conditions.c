/*
 * "require" and "deny_if": a policy's conditions, compiled for condition.h.
 */
#include "../judge/decimal.h"
#include "loader.h"
#include "../judge/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- paths ----------------------------------------------------------- */

#define PATH_FORMS                                                             \
	"args, args.a.b, args.list[0], args.list[*].x, or a JSON Pointer "     \
	"into the arguments, /a.b/c"

static struct step *add_step(struct loader *l, struct condition *c)
{
	if (c->step_count == CONDITION_STEPS_MAX) {
		loader_fault(l, "a path of more than %d steps",
			     CONDITION_STEPS_MAX);
		return NULL;
	}
	return &c->steps[c->step_count++];
}

static bool add_key(struct loader *l, struct condition *c, const char *key,
		    size_t len)
{
	struct step *step = add_step(l, c);

	if (!step)
		return false;
	step->kind = STEP_KEY;
	step->key = loader_keep_span(l, key, len);
	step->len = len;
	step->ascii = true;
	for (size_t i = 0; i < len; i++)
		step->ascii &= (signed char)key[i] >= 0;
	return true;
}

/* A number of at most nine digits at *s: *s is past it. */
static bool read_index(const char **s, const char *end, size_t *index)
{
	const char *start = *s;

	*index = 0;
	while (*s < end && **s >= '0' && **s <= '9' && *s - start < 9)
		*index = *index * 10 + (size_t)(*(*s)++ - '0');
	return *s > start && (*start != '0' || *s == start + 1);
}

/* ".key", "[0]" or "[*]" at s; returns what is past it, or NULL. */
static const char *read_step(struct loader *l, struct condition *c,
			     const char *s, const char *end)
{
	const char *start = s + 1;
	struct step *step;

	if (*s == '.') {
		/* A key with one of these is for a JSON Pointer. */
		while (++s < end && *s != '.' && *s != '[')
			if (*s == '*' || *s == ']')
				return NULL;
		if (s == start || !add_key(l, c, start, (size_t)(s - start)))
			return NULL;
		return s;
	}
	step = *s == '[' ? add_step(l, c) : NULL;
	if (!step)
		return NULL;
	s++;
	if (s < end && *s == '*') {
		step->kind = STEP_EACH;
		s++;
	} else {
		step->kind = STEP_INDEX;
		if (!read_index(&s, end, &step->index))
			return NULL;
	}
	return s < end && *s == ']' ? s + 1 : NULL;
}

/* The steps of a JSON Pointer (RFC 6901). */
static bool read_pointer(struct loader *l, struct condition *c, const char *s,
			 const char *end)
{
	char *key = loader_take(l, (size_t)(end - s) + 1);
	const char *digits;
	struct step *step;

	while (key && s < end) {
		size_t len = 0;

		for (s++; s < end && *s != '/'; s++) {
			if (*s == '~' &&
			    (s + 1 == end || (s[1] != '0' && s[1] != '1')))
				return false;
			if (*s == '~')
				key[len++] = *++s == '0' ? '~' : '/';
			else
				key[len++] = *s;
		}
		if (!add_key(l, c, key, len))
			return false;
		step = &c->steps[c->step_count - 1];
		digits = step->key;
		if (read_index(&digits, step->key + len, &step->index) &&
		    digits == step->key + len)
			step->kind = STEP_EITHER;
	}
	return key != NULL;
}

/* How many steps a path has at most: each begins with one of these. */
static size_t most_steps(const char *s, const char *end)
{
	size_t count = 0;

	for (; s < end; s++)
		count += *s == '.' || *s == '[' || *s == '/';
	return count < CONDITION_STEPS_MAX ? count : CONDITION_STEPS_MAX;
}

static void read_path(struct loader *l, const json_value *v, void *into)
{
	struct condition *c = into;
	const char *s, *end;
	int faults = l->faults;

	if (!loader_want(l, v, json_string, "a path, " PATH_FORMS ","))
		return;
	s = v->u.string.ptr;
	end = s + v->u.string.length;
	c->steps = loader_take(l, most_steps(s, end) * sizeof(*c->steps));
	if (!c->steps)
		return;
	if (s < end && *s == '/') {
		if (read_pointer(l, c, s, end))
			return;
	} else if (strncmp(s, "args", 4) == 0) {
		for (s += 4; s && s < end;)
			s = read_step(l, c, s, end);
		if (s)
			return;
	}
	if (l->faults == faults)
		loader_fault(
			l, "\"%s\" is no path: write " PATH_FORMS,
			loader_show(v->u.string.ptr, v->u.string.length).text);
}

/* An amount is what a path leads to, if it is at least 0. */
void conditions_read_amount(struct loader *l, const json_value *v, void *into)
{
	static const struct operand zero = {
		.type = TYPE_NUMBER, .ptr = "0", .len = 1};
	struct condition *c = loader_take(l, sizeof(*c));
	struct operand *least = loader_take(l, sizeof(*least));
	int faults = l->faults;

	if (!c || !least)
		return;
	read_path(l, v, c);
	if (l->faults > faults)
		return;
	for (size_t i = 0; i < c->step_count; i++)
		if (c->steps[i].kind == STEP_EACH)
			loader_fault(l, "an amount is one number: [*] leads to "
					"any number of them");
	if (c->step_count == 0)
		loader_fault(l, "args is no number: name one in it, as "
				"args.amount");
	*least = zero;
	c->op = OP_GTE;
	c->operands = least;
	c->operand_count = 1;
	*(struct condition **)into = c;
}

/* ---- operators ------------------------------------------------------- */

static const char *const op_words[] = {
#define ROW(id, name, ...) [OP_##id] = name,
	OPERATORS(ROW)
#undef ROW
		[OP_COUNT] = NULL,
};

static void read_op(struct loader *l, const json_value *v, struct condition *c,
		    bool *known)
{
	if (!loader_want(l, v, json_string, "an operator, a string"))
		return;
	for (int i = 0; op_words[i]; i++)
		if (loader_is(v, op_words[i])) {
			c->op = (enum op)i;
			*known = true;
			return;
		}
	loader_unknown(l, "operator", v->u.string.ptr, v->u.string.length,
		       op_words);
}

/* ---- what is compared with ------------------------------------------- */

/* A condition being read: value and op may come in either order. */
struct draft {
	struct condition *c;
	bool op_known;
	const char *on_deny;
	const json_value *value;
	const char *value_at;
};

static void read_value(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = ((struct draft *)into);

	d->value = v;
	d->value_at = l->at;
}

static void read_operand(struct loader *l, const json_value *v, size_t index,
			 void *into)
{
	struct operand *o = (struct operand *)into + index;
	struct span span = loader_span(l);

	o->ptr = span.ptr;
	o->len = span.len;
	switch (v->type) {
	case json_string:
		o->type = TYPE_STRING;
		o->ptr = v->u.string.ptr;
		o->len = v->u.string.length;
		break;
	case json_integer:
	case json_double:
		o->type = TYPE_NUMBER;
		break;
	case json_boolean:
		o->type = TYPE_BOOLEAN;
		break;
	case json_null:
		o->type = TYPE_NULL;
		break;
	default:
		loader_fault(l,
			     "a string, a number, true, false or null was "
			     "expected, not %s",
			     loader_type(v));
		return;
	}
	o->ptr = loader_keep_span(l, o->ptr, o->len);
	if (!o->ptr || o->type != TYPE_NUMBER)
		return;
	if (decimal_read(o->ptr, o->len, &o->number))
		o->approx = decimal_double(&o->number);
	else
		loader_fault(l, "an exponent of at most %d digits was expected",
			     DECIMAL_EXPONENT_DIGITS);
}

static struct operand *add_operands(struct loader *l, struct condition *c,
				    size_t count)
{
	c->operands = loader_take(l, count * sizeof(*c->operands));
	c->operand_count = c->operands ? count : 0;
	return c->operands;
}

static void compile_regex(struct loader *l, struct condition *c,
			  const char *pattern, size_t len)
{
	struct regex_fault fault;

	c->regex = regex_compile(pattern, len, &fault);
	if (!c->regex) {
		loader_fault(l, "%s (byte %zu of the pattern)", fault.reason,
			     fault.offset);
		return;
	}
	if (!loader_own(l, c->regex)) {
		c->regex = NULL;
		return;
	}
	if (regex_scratch(c->regex) > l->policy->scratch)
		l->policy->scratch = regex_scratch(c->regex);
}

/* Will the program have room?  It takes one instruction for a character and for
 * ?, three for *, one for its end and two for those of a glob; a set for each
 * wildcard, and two bounds for that. */
static bool fits(struct loader *l, const char *s, size_t len, bool glob)
{
	size_t characters = 0, stars = 0, wild = 0;

	for (size_t i = 0; i < len; i++) {
		characters += (s[i] & 0xC0) != 0x80;
		stars += glob && s[i] == '*';
		wild += glob && (s[i] == '*' || s[i] == '?');
	}
	if (!glob && characters >= REGEX_SIZE_MAX)
		loader_fault(l,
			     "at most %d characters can be looked for, and "
			     "this value has %zu",
			     REGEX_SIZE_MAX - 1, characters);
	else if (glob && characters + 2 * stars > REGEX_SIZE_MAX - 3)
		loader_fault(l,
			     "a glob of at most %d characters was expected, "
			     "each * counted as three; this one has %zu",
			     REGEX_SIZE_MAX - 3, characters + 2 * stars);
	else if (wild > REGEX_SIZE_MAX / 2)
		loader_fault(l,
			     "a glob with at most %d of * and ? was expected; "
			     "this one has %zu",
			     REGEX_SIZE_MAX / 2, wild);
	else
		return true;
	return false;
}

/* The pattern of a string that contains this one, or, with glob, of one that
 * this glob covers. */
static void compile_plain(struct loader *l, struct condition *c, const char *s,
			  size_t len, bool glob)
{
	size_t cap = 32 * len + 16;
	struct strbuf o = {.cap = cap};
	char hex[8];

	if (!fits(l, s, len, glob))
		return;
	o.ptr = malloc(cap);
	if (!o.ptr) {
		loader_fault(l, "out of memory");
		return;
	}
	strbuf_string(&o, glob ? "\\A" : "");
	for (size_t i = 0; i < len; i++) {
		if (glob && s[i] == '*')
			strbuf_string(&o, "[\\x00-\\x{10FFFF}]*");
		else if (glob && s[i] == '?')
			strbuf_string(&o, "[\\x00-\\x{10FFFF}]");
		else if (s[i] > 0 && s[i] < 0x7F) {
			snprintf(hex, sizeof(hex), "\\x%02X", s[i]);
			strbuf_string(&o, hex);
		} else {
			strbuf_bytes(&o, s + i, 1);
		}
	}
	strbuf_string(&o, glob ? "\\z" : "");
	compile_regex(l, c, o.ptr, o.len);
	free(o.ptr);
}

static void compile_scalar(struct loader *l, struct condition *c,
			   const json_value *v)
{
	if (add_operands(l, c, 1))
		read_operand(l, v, 0, c->operands);
}

static void compile_scalars(struct loader *l, struct condition *c,
			    const json_value *v)
{
	if (loader_want(l, v, json_array, "an array of values") &&
	    add_operands(l, c, v->u.array.length))
		loader_elements(l, v, read_operand, c->operands);
	if (v->type == json_array && v->u.array.length == 0)
		loader_fault(l, "an array of one value at least was expected");
}

static void compile_number(struct loader *l, struct condition *c,
			   const json_value *v)
{
	if (v->type == json_integer || v->type == json_double)
		compile_scalar(l, c, v);
	else
		loader_want(l, v, json_integer, "a number");
}

static void compile_truth(struct loader *l, struct condition *c,
			  const json_value *v)
{
	if (loader_want(l, v, json_boolean, "true or false"))
		compile_scalar(l, c, v);
}

static void compile_contained(struct loader *l, struct condition *c,
			      const json_value *v)
{
	if (v->type == json_string)
		compile_plain(l, c, v->u.string.ptr, v->u.string.length, false);
	compile_scalar(l, c, v);
}

static void compile_pattern(struct loader *l, struct condition *c,
			    const json_value *v)
{
	if (loader_want(l, v, json_string, "a regular expression, a string,"))
		compile_regex(l, c, v->u.string.ptr, v->u.string.length);
}

static void compile_glob(struct loader *l, struct condition *c,
			 const json_value *v)
{
	if (loader_want(l, v, json_string, "a glob, a string,"))
		compile_plain(l, c, v->u.string.ptr, v->u.string.length, true);
}

static void compile_directory(struct loader *l, struct condition *c,
			      const json_value *v)
{
	if (!loader_want(l, v, json_string, "a directory, an absolute path,"))
		return;
	if (v->u.string.length == 0 || *v->u.string.ptr != '/' ||
	    condition_under((struct text){.ptr = v->u.string.ptr,
					  .len = v->u.string.length},
			    v->u.string.ptr, v->u.string.length,
			    false) != OUTCOME_YES)
		loader_fault(l, "an absolute path without . and .. was "
				"expected");
	compile_scalar(l, c, v);
}

static void compile_value(struct loader *l, struct condition *c,
			  const json_value *v)
{
	static void (*const compilers[OP_COUNT])(
		struct loader *, struct condition *, const json_value *) = {
#define ROW(id, name, about, operand, words, compile, test) [OP_##id] = compile,
		OPERATORS(ROW)
#undef ROW
	};

	compilers[c->op](l, c, v);
}

/* ---- one condition --------------------------------------------------- */

static void read_on_deny(struct loader *l, const json_value *v, void *into)
{
	loader_read_reason(l, v, &((struct draft *)into)->on_deny);
}

static void read_draft_path(struct loader *l, const json_value *v, void *into)
{
	read_path(l, v, ((struct draft *)into)->c);
}

static void read_draft_op(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	read_op(l, v, d->c, &d->op_known);
}

static const struct loader_key condition_keys[] = {
	{"path", read_draft_path}, {"op", read_draft_op}, {"value", read_value},
	{"on_deny", read_on_deny}, {NULL, NULL},
};

struct more_conditions {
	struct condition *list;
	size_t before; /* of the files below */
};

/* At most so many bytes of a path are told to the agent. */
#define PATH_TOLD 160

static const char *default_reason(struct loader *l, const json_value *v)
{
	const char *path = "the arguments";
	char words[PATH_TOLD + 64];
	size_t len;

	for (unsigned i = 0; i < v->u.object.length; i++)
		if (strcmp(v->u.object.values[i].name, "path") == 0 &&
		    v->u.object.values[i].value->type == json_string)
			path = v->u.object.values[i].value->u.string.ptr;
	len = strlen(path);
	if (len > PATH_TOLD)
		for (len = PATH_TOLD; (path[len] & 0xC0) == 0x80;)
			len--;
	snprintf(words, sizeof(words),
		 "the policy does not allow this value of %.*s", (int)len,
		 path);
	return loader_keep_escaped(l, words, strlen(words));
}

static void read_condition(struct loader *l, const json_value *v, size_t index,
			   void *into)
{
	struct more_conditions *m = into;
	struct draft d = {.c = &m->list[index]};
	const char *at = l->at;
	unsigned seen;
	size_t mark;
	struct span source = loader_span(l);

	d.c->source = loader_keep(l, source.ptr, source.len);
	d.c->location = loader_location_at(l, m->before + index);
	if (!loader_want(l, v, json_object,
			 "a condition, {\"path\": ..., \"op\": ..., "
			 "\"value\": ...},"))
		return;
	seen = loader_object(l, v, condition_keys, &d);
	for (int i = 0; i < 3; i++)
		if (!(seen >> i & 1))
			loader_fault(l,
				     "\"%s\" is missing: a condition has "
				     "path, op and value",
				     condition_keys[i].name);
	if (!d.op_known || !d.value)
		return;
	/* Op and value could come in either order: only now both are known. */
	l->at = d.value_at;
	mark = l->pointer.len;
	strbuf_string(&l->pointer, "/value");
	compile_value(l, d.c, d.value);
	l->pointer.len = mark;
	l->at = at;
	d.c->reason = d.on_deny ? d.on_deny : default_reason(l, v);
}

void conditions_read(struct loader *l, const json_value *v, void *into)
{
	struct conditions *all = into;
	struct more_conditions m = {.before = all->count};
	size_t count;

	if (!loader_want(l, v, json_array, "an array of conditions"))
		return;
	count = all->count + v->u.array.length;
	m.list = loader_take(l, count * sizeof(*m.list));
	if (!m.list)
		return;
	if (all->count > 0)
		memcpy(m.list, all->list, all->count * sizeof(*m.list));
	all->list = m.list;
	all->count = count;
	m.list += m.before;
	loader_elements(l, v, read_condition, &m);
}
