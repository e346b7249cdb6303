/*
 * A policy's conditions ("require", "deny_if", "ask_if", "ask_unless"),
 * compiled for condition.h.
 */
#include "../judge/decimal.h"
#include "loader.h"
#include "../judge/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- paths ----------------------------------------------------------- */

#define PATH_FORMS                                                             \
	"args, args.a.b, args.list[0], args.list[*].x, args.**, or a JSON "    \
	"Pointer into the arguments, /a.b/c"
#define EVERYWHERE "args.**"

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
	c->everywhere = loader_is(v, EVERYWHERE);
	if (c->everywhere)
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

/* One value, which is compared so: a path of a limit. */
static void read_one(struct loader *l, const json_value *v, enum op op,
		     struct operand operand, struct condition **into)
{
	struct condition *c = loader_take(l, sizeof(*c));
	struct operand *kept = loader_take(l, sizeof(*kept));
	int faults = l->faults;

	if (!c || !kept)
		return;
	read_path(l, v, c);
	if (l->faults > faults)
		return;
	for (size_t i = 0; i < c->step_count; i++)
		if (c->steps[i].kind == STEP_EACH)
			loader_fault(l, "one value is needed: [*] leads to any "
					"number of them");
	if (c->step_count == 0)
		loader_fault(l,
			     "%s is no one value: name one in it, as "
			     "args.amount",
			     c->everywhere ? EVERYWHERE : "args");
	*kept = operand;
	c->op = op;
	c->operands = kept;
	c->operand_count = 1;
	*into = c;
}

/* An amount is what a path leads to, if it is at least 0. */
void conditions_read_amount(struct loader *l, const json_value *v, void *into)
{
	static const struct operand zero = {
		.type = TYPE_NUMBER, .ptr = "0", .len = 1};

	read_one(l, v, OP_GTE, zero, into);
}

void conditions_read_value(struct loader *l, const json_value *v, void *into)
{
	static const struct operand null = {
		.type = TYPE_NULL, .ptr = "null", .len = 4};

	read_one(l, v, OP_NEQ, null, into);
}

/* ---- operators ------------------------------------------------------- */

#define ROW(id, name, ...) name "\0"
static const char op_words[] = OPERATORS(ROW);
#undef ROW

/* ---- what is compared with ------------------------------------------- */

/* A condition being read: value and op may come in either order. */
struct draft_list;
struct draft {
	struct condition *c;
	const struct draft_list *list; /* that it is in */
	bool op_known;
	const char *on_deny;
	const json_value *value;
	const char *value_at;
};

static void read_value(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

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

#define DIRECTORY_FORMS                                                        \
	"an absolute path, ~/..., ./... or scheme://authority/path/"
#define HOST_FORMS                                                             \
	"example.org, *.example.org, 192.0.2.1 or [2001:db8::1], or one of "   \
	"these with a port, as example.org:8080"

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
		else if (s[i] > 0 && s[i] < 0x7F)
			loader_put(&o, "\\x%02X", s[i]);
		else
			strbuf_bytes(&o, s + i, 1);
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

/* Each of an array; of one of this type alone it is said what is missing. */
static void compile_each(struct loader *l, struct condition *c,
			 const json_value *v, json_type alone,
			 loader_each *read, const char *what)
{
	if (!loader_want_array(l, v, alone, what))
		return;
	if (v->u.array.length == 0)
		loader_fault(l, "an array of one value at least was expected");
	if (add_operands(l, c, v->u.array.length))
		loader_elements(l, v, read, c->operands);
}

static void compile_scalars(struct loader *l, struct condition *c,
			    const json_value *v)
{
	compile_each(l, c, v, v->type == json_object ? json_none : v->type,
		     read_operand, "an array of values");
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
	else if (c->everywhere)
		loader_fault(l, EVERYWHERE " leads to no array, so a string "
					   "was expected: for others use eq");
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

/* A string, or each of an array of them. */
static void compile_strings(struct loader *l, struct condition *c,
			    const json_value *v, loader_each *read,
			    const char *what)
{
	if (v->type != json_string)
		compile_each(l, c, v, json_none, read, what);
	else if (add_operands(l, c, 1))
		read(l, v, 0, c->operands);
}

/* What "~/" or "./" stands for; NULL after a fault. */
static const char *find_place(struct loader *l, char first)
{
	const struct policy_places *places = l->policy->places;
	const char *place = NULL;

	if (places)
		place = first == '~' ? places->home : places->directory;
	if (place && *place == '/')
		return place;
	if (place && *place)
		loader_fault(l,
			     "%s is no absolute path: \"%s\"; write the whole "
			     "path here",
			     first == '~' ? "HOME" : "the working directory",
			     loader_show(place, strlen(place)).text);
	else
		loader_fault(l, "%s is not known; write the whole path here",
			     first == '~' ? "HOME" : "the working directory");
	return NULL;
}

/* The directory of len bytes at s, with "~/" or "./" resolved, as *o has it.
 */
static bool resolve(struct loader *l, const char *s, size_t len,
		    struct operand *o)
{
	const char *place = "";
	char *kept;
	size_t more = 0;

	if (len >= 2 && (*s == '~' || *s == '.') && s[1] == '/') {
		o->written = loader_keep(l, s, len);
		place = find_place(l, *s);
		if (!place)
			return false;
		s += 2;
		len -= 2;
		more = strlen(place);
		more += place[more - 1] != '/';
	}
	kept = loader_take(l, more + len + 1);
	if (!kept)
		return false;
	if (more > 0)
		snprintf(kept, more + 1, "%s/", place); /* one slash is cut */
	memcpy(kept + more, s, len);
	o->type = TYPE_STRING;
	o->ptr = kept;
	o->len = more + len;
	return true;
}

static void read_directory(struct loader *l, const json_value *v, size_t index,
			   void *into)
{
	struct operand *o = (struct operand *)into + index;
	struct uri *uri = loader_take(l, sizeof(*uri));
	struct text text;
	int faults = l->faults;

	if (!uri ||
	    !loader_want(l, v, json_string, "a directory, " DIRECTORY_FORMS))
		return;
	if (!resolve(l, v->u.string.ptr, v->u.string.length, o))
		return;
	text = (struct text){.ptr = o->ptr, .len = o->len};
	/* A backslash would be read as an escape. */
	if (!memchr(o->ptr, '\\', o->len)) {
		if (uri_read(text, uri) && uri->rest.len == uri->path.len) {
			o->uri = uri;
			text = uri->path;
		}
		if (path_under(text, text.ptr, text.len, false) == OUTCOME_YES)
			return;
	}
	if (l->faults == faults)
		loader_fault(l,
			     "\"%s\" is no directory: write " DIRECTORY_FORMS
			     ", without . and .. in it",
			     loader_show(o->ptr, o->len).text);
}

static void compile_directories(struct loader *l, struct condition *c,
				const json_value *v)
{
	compile_strings(l, c, v, read_directory,
			"a directory, or an array of them,");
}

/* A name, also *.name, or an IP address; with a port or without. */
static void read_host(struct loader *l, const json_value *v, size_t index,
		      void *into)
{
	struct operand *o = (struct operand *)into + index;
	struct uri *uri = loader_take(l, sizeof(*uri));
	const char *s;
	size_t len;

	if (!uri || !loader_want(l, v, json_string, "a host, " HOST_FORMS))
		return;
	s = v->u.string.ptr;
	len = v->u.string.length;
	o->below = len > 2 && s[0] == '*' && s[1] == '.';
	s += o->below ? 2 : 0;
	len -= o->below ? 2 : 0;
	if (!host_read(s, len, uri) || (o->below && uri->numeric)) {
		loader_fault(
			l, "\"%s\" is no host: write " HOST_FORMS,
			loader_show(v->u.string.ptr, v->u.string.length).text);
		return;
	}
	o->type = TYPE_STRING;
	o->uri = uri;
	o->ptr = uri->host;
	o->len = strlen(uri->host);
}

static void compile_hosts(struct loader *l, struct condition *c,
			  const json_value *v)
{
	compile_strings(l, c, v, read_host, "a host, or an array of them,");
}

static void compile_length(struct loader *l, struct condition *c,
			   const json_value *v)
{
	if (!loader_in_range(l, v, 0, CONDITION_LENGTH_MAX))
		return;
	compile_scalar(l, c, v);
	if (c->operands)
		c->operands->most = (size_t)v->u.integer;
}

static void compile_value(struct loader *l, struct condition *c,
			  const json_value *v)
{
	static void (*const compilers[OP_COUNT])(
		struct loader *, struct condition *, const json_value *) = {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define ROW(id, name, about, operand, words, compile, ...) [OP_##id] = compile,
		OPERATORS(ROW)
#undef ROW
	};

	compilers[c->op](l, c, v);
}

/* ---- what the agent is told ------------------------------------------ */

/* At most so many bytes of a path, and of what would be allowed, are told. */
#define PATH_TOLD   160
#define VALUES_TOLD 600

/* At most so many bytes of s, no letter cut. */
static void put_cut(struct strbuf *out, const char *s, size_t len, size_t most)
{
	if (len > most)
		for (len = most; len > 0 && (s[len] & 0xC0) == 0x80;)
			len--;
	strbuf_bytes(out, s, len);
}

/* The operands, "a" or "b". */
static void put_operands(struct strbuf *out, const struct condition *c)
{
	const char *quote = c->op == OP_IN ? "\"" : "";

	for (size_t i = 0; i < c->operand_count; i++) {
		const struct operand *o = &c->operands[i];

		strbuf_string(out, i == 0                      ? ""
				   : i + 1 == c->operand_count ? " or "
							       : ", ");
		if (out->len > VALUES_TOLD) {
			strbuf_string(out, "...");
			return;
		}
		strbuf_string(out, o->type == TYPE_STRING ? quote : "");
		strbuf_string(out, o->below ? "*." : "");
		put_cut(out, o->ptr, o->len, PATH_TOLD);
		strbuf_string(out, o->type == TYPE_STRING ? quote : "");
		if (c->op == OP_HOST && o->uri->port > 0)
			loader_put(out, ":%u", o->uri->port);
	}
}

/* What a required value must be, or NULL. */
static const char *wanted(const struct condition *c)
{
	static const struct {
		char op, words[46];
	} rows[] = {
		{OP_IN, " must be "},
		{OP_LT, " must be a number less than "},
		{OP_LTE, " must be a number of at most "},
		{OP_GT, " must be a number greater than "},
		{OP_GTE, " must be a number of at least "},
		{OP_UNDER, " must be an absolute path under "},
		{OP_HOST, " must be an http or https URL whose host is "},
		{OP_MAX_LENGTH, " must have a length of at most "},
	};

	for (size_t i = 0; c->op == OP_UNDER && i < c->operand_count; i++)
		if (c->operands[i].uri)
			return " must be under ";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].op == (char)c->op)
			return rows[i].words;
	return NULL;
}

/* The path of a condition as the file has it. */
static const char *path_of(const json_value *v)
{
	for (unsigned i = 0; i < v->u.object.length; i++)
		if (strcmp(v->u.object.values[i].name, "path") == 0 &&
		    v->u.object.values[i].value->type == json_string)
			return v->u.object.values[i].value->u.string.ptr;
	return "the arguments";
}

static const char *default_reason(struct loader *l, const struct condition *c,
				  const json_value *v, enum list kind)
{
	char words[VALUES_TOLD + 3 * PATH_TOLD];
	struct strbuf o = {.ptr = words, .cap = sizeof(words)};
	const char *path = path_of(v);

	if (kind == ASK_IF || kind == ASK_UNLESS) {
		strbuf_string(&o, kind == ASK_UNLESS ? "unless " : "");
		condition_words(c, &o);
	} else if (kind == REQUIRE && wanted(c)) {
		put_cut(&o, path, strlen(path), PATH_TOLD);
		strbuf_string(&o, wanted(c));
		put_operands(&o, c);
	} else {
		strbuf_string(&o, "the policy does not allow this value of ");
		put_cut(&o, path, strlen(path), PATH_TOLD);
	}
	return loader_keep_escaped(l, words, o.len);
}

/* ---- one condition --------------------------------------------------- */

/* Conditions being read: of a rule, or of a group in it. */
struct draft_list {
	struct condition *conditions;
	size_t before; /* of the files below */
	enum list kind;
	const struct condition *group; /* that they are in, or NULL */
	bool deep;                     /* and that is in another */
};

static void read_on_deny(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	if (d->list->group)
		loader_fault(l, "the group as a whole refuses: write this "
				"beside its \"all\" or \"any\"");
	loader_read_reason(l, v, &d->on_deny);
}

static void read_draft_path(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	read_path(l, v, d->c);
	if (d->c->everywhere &&
	    (d->list->kind == REQUIRE || d->list->kind == ASK_UNLESS))
		loader_fault(l, EVERYWHERE " cannot be required, only denied: "
					   "write it in \"deny_if\" or "
					   "\"ask_if\"");
}

static void read_draft_op(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;
	int i = loader_choose(l, v, "an operator, a string", "operator",
			      op_words);

	d->op_known = i >= 0;
	if (i >= 0)
		d->c->op = (enum op)i;
}

static const struct loader_key condition_keys[] = {
	{"path", read_draft_path},
	{"op", read_draft_op},
	{"value", read_value},
	{"on_deny", read_on_deny},
	{"description", loader_read_description},
	{"", NULL},
};

static void read_single(struct loader *l, const json_value *v, struct draft *d)
{
	const char *at = l->at;
	unsigned seen;
	size_t mark;

	if (!loader_want(l, v, json_object,
			 "a condition, {\"path\": ..., \"op\": ..., "
			 "\"value\": ...},"))
		return;
	seen = loader_object(l, v, condition_keys, d);
	for (int i = 0; i < 3; i++)
		if (!(seen >> i & 1))
			loader_fault(l,
				     "\"%s\" is missing: a condition has "
				     "path, op and value",
				     condition_keys[i].name);
	if (!d->op_known || !d->value)
		return;
	if (d->c->everywhere && d->c->op == OP_EXISTS)
		loader_fault(l, EVERYWHERE " leads to what exists: name the "
					   "key that may not");
	/* Op and value could come in either order: only now both are known. */
	l->at = d->value_at;
	mark = l->pointer.len;
	strbuf_string(&l->pointer, "/value");
	compile_value(l, d->c, d->value);
	l->pointer.len = mark;
	l->at = at;
}

/* ---- groups ---------------------------------------------------------- */

static void read_condition(struct loader *l, const json_value *v, size_t index,
			   void *into);

static void read_members(struct loader *l, const json_value *v, struct draft *d,
			 enum group group)
{
	struct draft_list members = {.kind = d->list->kind,
				     .group = d->c,
				     .deep = d->list->group != NULL};
	struct conditions *all = &d->c->members;

	d->c->group = group;
	if (!loader_want_array(l, v, json_object, "an array of conditions"))
		return;
	if (v->u.array.length == 0)
		loader_fault(l, "one condition at least was expected");
	all->list = loader_take(l, v->u.array.length * sizeof(*all->list));
	members.conditions = all->list;
	if (!all->list)
		return;
	all->count = v->u.array.length;
	loader_elements(l, v, read_condition, &members);
}

static void read_all(struct loader *l, const json_value *v, void *into)
{
	read_members(l, v, into, GROUP_ALL);
}

static void read_any(struct loader *l, const json_value *v, void *into)
{
	read_members(l, v, into, GROUP_ANY);
}

static const struct loader_key group_keys[] = {
	{"all", read_all},
	{"any", read_any},
	{"on_deny", read_on_deny},
	{"description", loader_read_description},
	{"", NULL},
};

/* Which group is it? */
static enum group group_of(const json_value *v)
{
	for (unsigned i = 0; v->type == json_object && i < v->u.object.length;
	     i++) {
		const struct loader_key *k =
			loader_find(group_keys, &v->u.object.values[i]);

		if (k == &group_keys[0])
			return GROUP_ALL;
		if (k == &group_keys[1])
			return GROUP_ANY;
	}
	return GROUP_NONE;
}

static void read_condition(struct loader *l, const json_value *v, size_t index,
			   void *into)
{
	struct draft_list *list = into;
	struct draft d = {.c = &list->conditions[index], .list = list};
	const enum group group = group_of(v);
	struct span source = loader_span(l);
	int faults = l->faults;

	d.c->source = loader_keep(l, source.ptr, source.len);
	d.c->location = list->group
				? list->group->location
				: loader_location_at(l, list->before + index);
	if (group && list->deep) {
		loader_fault(l, "groups are in one another once: \"all\" in "
				"\"any\", or \"any\" in \"all\"");
	} else if (group && list->group && list->group->group == group) {
		loader_fault(l, "a group inside one of the same kind: put its "
				"conditions into the outer one");
	} else if (group) {
		if ((loader_object(l, v, group_keys, &d) & 3) == 3)
			loader_fault(l, "a group has \"all\" or \"any\", not "
					"both");
		d.c->reason = "the policy does not allow these arguments "
			      "together";
	} else {
		read_single(l, v, &d);
	}
	if (l->faults == faults && !(group && list->kind <= DENY_IF))
		d.c->reason = default_reason(l, d.c, v, list->kind);
	d.c->told = d.on_deny;
	if (d.on_deny)
		d.c->reason = d.on_deny;
}

void conditions_read(struct loader *l, const json_value *v, struct rules *r,
		     enum list list)
{
	struct conditions *all = &r->lists[list];
	struct draft_list of = {.before = all->count, .kind = list};
	size_t count;

	if (!loader_want_array(l, v, json_object, "an array of conditions"))
		return;
	count = all->count + v->u.array.length;
	of.conditions = loader_take(l, count * sizeof(*of.conditions));
	if (!of.conditions)
		return;
	if (all->count > 0)
		memcpy(of.conditions, all->list,
		       all->count * sizeof(*all->list));
	all->list = of.conditions;
	all->count = count;
	of.conditions += of.before;
	loader_elements(l, v, read_condition, &of);
}
