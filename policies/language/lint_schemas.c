/*
 * A policy held against what a server has: entries for nothing, conditions on
 * arguments that a tool does not have or has in another type, arguments that
 * look like the guarded one, tasks.
 *
 * What a schema leaves open, or says by a keyword that is not read here, is not
 * warned of.
 */
#include "../../parser/member.h"
#include "lint.h"
#include "list.h"
#include "loader.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOOKS_MAX  1000 /* at schemas, for one path of one tool */
#define DEPTH_MAX  32   /* of schemas in schemas */
#define TOOLS_TOLD 5    /* of one condition; more are counted */
#define NAME_BYTES 256  /* of a property; of a longer one nothing is said */
#define TYPES_ALL  (~0u)
#define LINE_BYTES ((size_t)6 * PATH_MAX + 1024) /* a file, and words */

/* ---- schemas --------------------------------------------------------- */

/* From the worst to the best: of several alternatives the best counts. */
enum found {
	FOUND_CLOSED,  /* not there, and no call that has it is taken */
	FOUND_OPEN,    /* not there, and a call that has it is taken */
	FOUND_UNKNOWN, /* the schema does not tell */
	FOUND_THERE,
};

/* A path being looked for in the schema of a tool. */
struct look {
	struct span root;
	const struct condition *c;
	int left, depth;
	unsigned types; /* of what is there, a set */
	bool listed;    /* what is there has an enum or a const */
	bool among;     /* it has one of the operands */
};

/* What "#/$defs/x" names in the root; ptr NULL: cannot tell. */
static struct span resolve(struct span root, struct span ref)
{
	char path[NAME_BYTES], key[NAME_BYTES];
	struct span at = root;
	const char *p = path;

	if (!lint_string(ref, path, sizeof(path)) || *p++ != '#' ||
	    strpbrk(path, "~%"))
		return (struct span){.ptr = NULL};
	while (at.ptr && *p == '/') {
		size_t len = strcspn(++p, "/");

		memcpy(key, p, len);
		key[len] = '\0';
		at = member_last(at, key);
		p += len;
	}
	if (*p)
		at.ptr = NULL;
	return at;
}

static unsigned type_of_name(struct span name)
{
	static const struct {
		char name[8];
		unsigned set;
	} rows[] = {
		{"string", SET_STRING},
		{"number", SET_NUMBER},
		{"integer", SET_NUMBER},
		{"boolean", SET_BOOLEAN},
		{"null", SET_NULL},
		{"array", SET_ARRAY},
		{"object", 1u << TYPE_OBJECT},
	};
	char word[16];

	if (lint_string(name, word, sizeof(word)))
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			if (strcmp(rows[i].name, word) == 0)
				return rows[i].set;
	return TYPES_ALL;
}

/* The types that a schema names, a set. */
static unsigned types_of(struct span schema)
{
	const struct span type = member_last(schema, "type");
	struct items i;
	struct span name;
	struct text key;
	unsigned set = 0;

	if (!type.ptr || *type.ptr != '[')
		return type.ptr ? type_of_name(type) : TYPES_ALL;
	for (member_begin(&i, type, '['); member_next(&i, &key, &name);)
		set |= type_of_name(name);
	return set;
}

/* A value of an enum, or a const. */
static void add_value(struct look *k, struct span value)
{
	char text[NAME_BYTES];
	bool string = lint_string(value, text, sizeof(text));

	for (size_t i = 0; i < k->c->operand_count; i++) {
		const struct operand *o = &k->c->operands[i];

		/* Numbers have more than one spelling. */
		k->among |= o->type == TYPE_NUMBER && !string;
		k->among |= o->type == TYPE_STRING && *value.ptr == '"' &&
			    (!string || (strlen(text) == o->len &&
					 memcmp(text, o->ptr, o->len) == 0));
		k->among |= (o->type == TYPE_NULL || o->type == TYPE_BOOLEAN) &&
			    o->len == value.len &&
			    memcmp(value.ptr, o->ptr, o->len) == 0;
	}
}

static enum found look_at(struct look *k, struct span schema, size_t step);

static enum found better(enum found f, enum found g)
{
	return f > g ? f : g;
}

/* The schema of the value itself. */
static void note_leaf(struct look *k, struct span schema)
{
	struct span values = member_last(schema, "enum"),
		    value = member_last(schema, "const");
	struct items i;
	struct text key;

	k->types |= types_of(schema);
	if (!values.ptr && !value.ptr) {
		k->among = true;
		return;
	}
	k->listed = true;
	if (value.ptr)
		add_value(k, value);
	for (member_begin(&i, values, '['); member_next(&i, &key, &value);)
		add_value(k, value);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static enum found look_at_key(struct look *k, struct span schema,
			      const struct step *s, size_t step)
{
	struct span all = member_last(schema, "properties"),
		    rest = member_last(schema, "additionalProperties"), sub;
	char key[NAME_BYTES];

	if (s->len >= sizeof(key))
		return FOUND_UNKNOWN;
	memcpy(key, s->key, s->len);
	key[s->len] = '\0';
	sub = member_last(all, key);
	if (sub.ptr)
		return look_at(k, sub, step + 1);
	if (member_last(schema, "patternProperties").ptr)
		return FOUND_UNKNOWN;
	if (!rest.ptr)
		rest = member_last(schema, "unevaluatedProperties");
	if (rest.ptr && *rest.ptr == '{')
		return look_at(k, rest, step + 1);
	if (rest.ptr && *rest.ptr == 'f')
		return FOUND_CLOSED;
	return all.ptr ? FOUND_OPEN : FOUND_UNKNOWN;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static enum found look_at_element(struct look *k, struct span schema,
				  size_t step)
{
	struct span items = member_last(schema, "items");

	if (member_last(schema, "prefixItems").ptr || !items.ptr ||
	    *items.ptr != '{')
		return FOUND_UNKNOWN;
	return look_at(k, items, step + 1);
}

/* How good is what the path, from this step on, leads to? */
/* NOLINTNEXTLINE(misc-no-recursion) */
static enum found look_at(struct look *k, struct span schema, size_t step)
{
	static const char groups[][6] = {"anyOf", "oneOf", "allOf"};
	const struct step *s = &k->c->steps[step];
	enum found best = FOUND_CLOSED;
	struct span ref, sub;
	struct items i;
	struct text key;
	unsigned set;
	bool branches = false;

	if (--k->left < 0 || k->depth >= DEPTH_MAX || *schema.ptr != '{')
		return FOUND_UNKNOWN;
	k->depth++;
	ref = member_last(schema, "$ref");
	if (ref.ptr) {
		ref = resolve(k->root, ref);
		best = ref.ptr ? look_at(k, ref, step) : FOUND_UNKNOWN;
		k->depth--;
		return best;
	}
	for (size_t n = 0; n < sizeof(groups) / sizeof(*groups); n++) {
		const struct span group = member_last(schema, groups[n]);

		branches |= group.ptr != NULL;
		for (member_begin(&i, group, '['); member_next(&i, &key, &sub);)
			best = better(best, look_at(k, sub, step));
	}
	k->depth--;
	if (member_last(schema, "$dynamicRef").ptr ||
	    member_last(schema, "if").ptr ||
	    member_last(schema, "dependentSchemas").ptr)
		best = better(best, FOUND_UNKNOWN);
	if (step == k->c->step_count) {
		if (!branches)
			note_leaf(k, schema);
		return FOUND_THERE;
	}
	if (branches && !member_last(schema, "properties").ptr &&
	    !member_last(schema, "items").ptr)
		return best;
	set = types_of(schema);
	k->depth++;
	if (set & 1u << TYPE_OBJECT &&
	    (s->kind == STEP_KEY || s->kind == STEP_EITHER))
		best = better(best, look_at_key(k, schema, s, step));
	if (set & SET_ARRAY && s->kind != STEP_KEY)
		best = better(best, look_at_element(k, schema, step));
	k->depth--;
	return best;
}

static enum found look_for(struct look *k, const struct condition *c,
			   struct span schema)
{
	*k = (struct look){.root = schema, .c = c, .left = LOOKS_MAX};
	return schema.ptr ? look_at(k, schema, 0) : FOUND_UNKNOWN;
}

/* ---- tools ----------------------------------------------------------- */

/* A name of the list, decoded. */
struct name {
	char text[MESSAGE_NAME_BYTES];
	size_t len;
};

static bool read_name(const struct item *item, struct name *name)
{
	ptrdiff_t len = -1;

	if (item->name.ptr)
		len = text_decode(item->name, name->text, sizeof(name->text));
	name->len = len < 0 ? 0 : (size_t)len;
	return len >= 0;
}

/* Are the rules about the tool, and is a call of it weighed by them? */
static bool concerns(const struct lint *l, const struct rules *r,
		     const struct name *name)
{
	struct subject s = {.name = name->text, .len = name->len};
	const struct rules *one;
	struct applying a;
	struct match room;
	bool applies = false;

	applying_begin(&a, l->policy, &s);
	while ((one = applying_next(&a)))
		applies |= one == r;
	return applies &&
	       !refuses(match_find(l->policy, &s, NULL, &room)->action);
}

/* A condition, or what a limit counts, being held against all tools. */
struct holding {
	struct lint *l;
	const struct rules *r;
	const struct condition *c;
	const struct location *location;
	const char *what;  /* the operator, or the limit's key */
	const char *given; /* the limit's path, escaped, or NULL */
	bool require;
	bool unless; /* and what does not meet it is asked about */
	char path[6 * NAME_BYTES]; /* as the file has it */
	size_t told, more;         /* tools that are warned of */
	size_t there, missing; /* tools that have the argument, or have not */
};

static void note_path(struct holding *h)
{
	char text[NAME_BYTES];

	snprintf(h->path, sizeof(h->path), "%s", h->given ? h->given : "args");
	if (!h->given &&
	    lint_string(condition_source(h->c, "path"), text, sizeof(text)))
		snprintf(h->path, sizeof(h->path), "%s",
			 loader_show(text, strlen(text)).text);
}

/* Past the first tools that it is said of, more are only counted. */
static bool is_told(struct holding *h)
{
	if (h->told++ < TOOLS_TOLD)
		return true;
	h->more++;
	return false;
}

static const char *type_words(unsigned set, char *words, size_t cap)
{
	static const char names[][14] = {
		[TYPE_NULL] = "null",       [TYPE_BOOLEAN] = "true or false",
		[TYPE_NUMBER] = "a number", [TYPE_STRING] = "a string",
		[TYPE_ARRAY] = "an array",  [TYPE_OBJECT] = "an object"};
	struct strbuf o = {.ptr = words, .cap = cap - 1};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (set >> i & 1) {
			strbuf_string(&o, o.len > 0 ? ", " : "");
			strbuf_string(&o, names[i]);
		}
	words[o.len] = '\0';
	return words;
}

/* ---- arguments that look like the guarded one ------------------------ */

/* The last word of a name: "path" of output_path, outputPath, PATH. */
static const char *last_word(const char *name, char *word, size_t cap)
{
	size_t len = strlen(name), from = len;

	while (from > 0 && isalnum((unsigned char)name[from - 1]) &&
	       !(from < len && isupper((unsigned char)name[from]) &&
		 islower((unsigned char)name[from - 1])))
		from--;
	snprintf(word, cap, "%s", name + from);
	for (char *p = word; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return word;
}

static bool is_word(const char *name, const char *words)
{
	char word[NAME_BYTES];

	last_word(name, word, sizeof(word));
	while (*words && strcmp(word, words) != 0)
		words = policy_word(words, 1);
	return *words;
}

static const char uri_words[] =
	"uri\0uris\0url\0urls\0link\0links\0href\0endpoint\0";
static const char path_words[] =
	"path\0paths\0file\0files\0filename\0filenames\0filepath\0filepaths\0"
	"dir\0dirs\0directory\0directories\0folder\0folders\0source\0sources\0"
	"destination\0src\0dst\0cwd\0uri\0uris\0url\0urls\0";

/* Does a condition on the tool ask for this argument, or for all of them? */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool is_asked(const struct conditions *list, const char *key)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct condition *c = &list->list[i];

		if (c->everywhere || is_asked(&c->members, key) ||
		    (c->step_count > 0 && c->steps->key &&
		     c->steps->len == strlen(key) &&
		     memcmp(c->steps->key, key, c->steps->len) == 0))
			return true;
	}
	return false;
}

static bool is_guarded(const struct lint *l, const struct name *name,
		       const char *key)
{
	struct subject s = {.name = name->text, .len = name->len};
	const struct rules *r;
	struct applying a;
	bool guarded = false;

	applying_begin(&a, l->policy, &s);
	while ((r = applying_next(&a)))
		for (enum list k = REQUIRE; k < LISTS; k++)
			guarded |= is_asked(&r->lists[k], key);
	return guarded;
}

/* A property of the tool that looks like the guarded argument, and that no
 * condition asks for. */
static bool find_alike(const struct holding *h, const struct item *item,
		       const struct name *name, char *key, size_t cap)
{
	const struct step *guarded = h->c->steps;
	const char *words;
	struct items i;
	struct text text;
	struct span sub;

	if (!guarded->key || guarded->len >= cap)
		return false;
	snprintf(key, cap, "%.*s", (int)guarded->len, guarded->key);
	words = is_word(key, uri_words)    ? uri_words
		: is_word(key, path_words) ? path_words
					   : NULL;
	member_begin(&i, member_last(item->schema, "properties"), '{');
	while (words && member_next(&i, &text, &sub)) {
		struct look k = {
			.root = item->schema, .c = h->c, .left = LOOKS_MAX};
		ptrdiff_t len = text_decode(text, key, cap - 1);

		if (len < 0)
			continue;
		key[len] = '\0';
		if (!is_word(key, words) || is_guarded(h->l, name, key))
			continue;
		look_at(&k, sub, h->c->step_count);
		if (!k.listed && k.types & (SET_STRING | SET_ARRAY))
			return true;
	}
	return false;
}

/* ---- one condition, all tools ---------------------------------------- */

static void tell_missing(struct holding *h, const struct item *item,
			 const struct name *name, bool closed)
{
	char alike[NAME_BYTES];
	bool exists = h->c->op == OP_EXISTS;
	bool wanted = exists && h->c->operands->len == 4; /* true */
	bool literal = h->r != h->l->policy->all_tools && !h->r->entry.glob;
	struct shown tool = loader_show(name->text, name->len);

	h->missing++;
	if (exists && !wanted) {
		if (!h->require && is_told(h))
			lint_warn(h->l, h->location,
				  "%s has no argument %s, so this refuses "
				  "every call of it",
				  tool.text, h->path);
		return;
	}
	if (h->require) {
		if (is_told(h))
			lint_warn(h->l, h->location, "%s has no argument %s%s",
				  tool.text, h->path,
				  h->unless ? ": a person is asked about a "
					      "call, unless it invents the "
					      "argument, which the server need "
					      "not look at"
				  : closed  ? ", so every call of it is refused"
					    : ": a call is refused, unless it "
					      "invents the argument, which the "
					      "server need not look at");
		return;
	}
	if (find_alike(h, item, name, alike, sizeof(alike))) {
		if (is_told(h))
			lint_warn(h->l, h->location,
				  "%s has no argument %s, so this never holds "
				  "for it; it has \"%s\", which no condition "
				  "asks for",
				  tool.text, h->path,
				  loader_show(alike, strlen(alike)).text);
	} else if (literal && is_told(h)) {
		lint_warn(h->l, h->location,
			  "%s has no argument %s, so this never holds",
			  tool.text, h->path);
	}
}

static void tell_there(struct holding *h, const struct item *item,
		       const struct name *name, const struct look *k)
{
	const unsigned about = operators[h->c->op].about;
	char words[128], alike[NAME_BYTES];
	struct shown tool = loader_show(name->text, name->len);

	h->there++;
	if (about && !(k->types & about)) {
		if (is_told(h))
			lint_warn(h->l, h->location,
				  "%s of %s is %s, and \"%s\" is not about "
				  "that, so a call that has it is refused%s",
				  h->path, tool.text,
				  type_words(k->types, words, sizeof(words)),
				  h->what,
				  k->types & SET_ARRAY
					  ? ": add [*] for every element"
					  : "");
		return;
	}
	if (about && (!(k->types & condition_about(h->c)) ||
		      ((h->c->op == OP_EQ || h->c->op == OP_IN) && k->listed &&
		       !k->among))) {
		if (is_told(h))
			lint_warn(h->l, h->location,
				  "%s of %s can never be this value: the tool "
				  "takes %s%s",
				  h->path, tool.text,
				  k->listed ? "others of " : "",
				  type_words(k->types, words, sizeof(words)));
		return;
	}
	if (!h->given && about & SET_STRING &&
	    find_alike(h, item, name, alike, sizeof(alike)) && is_told(h))
		lint_warn(h->l, h->location,
			  "%s also has \"%s\", which no condition asks for",
			  tool.text, loader_show(alike, strlen(alike)).text);
}

static void hold(struct holding *h)
{
	const struct policy_list *list = h->l->list;
	struct name name;
	struct look k;

	note_path(h);
	for (size_t i = 0; i < list->count; i++) {
		const struct item *item = &list->items[i];
		enum found f;

		if (item->kind != REPLY_TOOLS || !read_name(item, &name) ||
		    !concerns(h->l, h->r, &name))
			continue;
		f = look_for(&k, h->c, item->schema);
		h->there += f == FOUND_UNKNOWN;
		if (f == FOUND_THERE)
			tell_there(h, item, &name, &k);
		else if (f != FOUND_UNKNOWN)
			tell_missing(h, item, &name, f == FOUND_CLOSED);
	}
	if (h->more > 0)
		lint_warn(h->l, h->location, "and so for %zu tools more",
			  h->more);
	if (!h->require && h->there == 0 && h->missing > 0 && h->told == 0)
		lint_warn(h->l, h->location,
			  "no tool that this is about has an argument %s, so "
			  "it never holds",
			  h->path);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void hold_condition(struct lint *l, const struct rules *r,
			   const struct condition *c, bool require, bool unless)
{
	struct holding h = {.l = l,
			    .r = r,
			    .c = c,
			    .location = &c->location,
			    .what = operators[c->op].name,
			    .require = require,
			    .unless = unless};

	/* Of "any" in "require", one that is missing is no fault. */
	for (size_t i = 0; i < c->members.count; i++)
		if (!require || c->group == GROUP_ALL)
			hold_condition(l, r, &c->members.list[i], require,
				       unless);
	if (c->group == GROUP_NONE && !c->everywhere && c->step_count > 0)
		hold(&h);
}

static void hold_limit(struct lint *l, const struct rules *r,
		       const struct limit *limit, const struct condition *c,
		       const char *what, const char *given)
{
	struct holding h = {.l = l,
			    .r = r,
			    .c = c,
			    .location = &limit->location,
			    .what = what,
			    .given = given,
			    .require = true};

	if (c)
		hold(&h);
}

static void hold_rules(struct lint *l, const struct rules *r)
{
	const struct conditions *const lists[] = {&r->require, &r->deny_if,
						  &r->ask_unless, &r->ask_if};

	for (size_t k = 0; k < 4; k++)
		for (size_t i = 0; i < lists[k]->count; i++)
			hold_condition(l, r, &lists[k]->list[i], k % 2 == 0,
				       k == 2);
	for (size_t i = 0; i < r->limit_count; i++) {
		const struct limit *limit = &r->limits[i];

		hold_limit(l, r, limit, limit->amount, "increment_from",
			   limit->path);
		hold_limit(l, r, limit, limit->value, "per", limit->per);
	}
}

bool lint_has_argument(const struct lint *l, const struct rules *r,
		       const struct condition *c)
{
	struct name name;
	struct look k;

	for (size_t i = 0; l->list && i < l->list->count; i++) {
		const struct item *item = &l->list->items[i];

		if (item->kind == REPLY_TOOLS && read_name(item, &name) &&
		    concerns(l, r, &name) &&
		    look_for(&k, c, item->schema) == FOUND_THERE)
			return true;
	}
	return false;
}

/* ---- the list -------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct lint *l,
						      const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	l->report(l->context, line);
	l->count++;
}

static void warn_list(struct lint *l)
{
	static const char words[REPLY_LISTS][19] = {
		[REPLY_TOOLS] = "tools",
		[REPLY_PROMPTS] = "prompts",
		[REPLY_RESOURCES] = "resources",
		[REPLY_TEMPLATES] = "resource templates",
	};
	const struct policy_list *list = l->list;
	size_t nameless[REPLY_LISTS] = {0};

	for (size_t i = 0; i < list->bad_count && i < LIST_BAD_MAX; i++)
		say(l, "%s:%zu:%zu: this line is left out: %s", list->file,
		    list->bad[i].line, list->bad[i].column, list->bad[i].why);
	if (list->bad_count > LIST_BAD_MAX)
		say(l, "%s: lines left out that are not told: %zu", list->file,
		    list->bad_count - LIST_BAD_MAX);
	for (size_t i = 0; i < list->count; i++)
		nameless[list->items[i].kind] += !list->items[i].name.ptr;
	for (int i = 0; i < REPLY_LISTS; i++) {
		if (nameless[i] > 0)
			say(l,
			    "%s: %s left out, as their names are missing or "
			    "ambiguous: %zu",
			    list->file, words[i], nameless[i]);
		if (list->part[i])
			say(l,
			    "%s: the list of %s is incomplete: nextCursor "
			    "names another page, so unused entries are not "
			    "reported",
			    list->file, words[i]);
	}
}

/* Entries that cover nothing of a list that is complete. */
static void warn_unused(struct lint *l, enum reply_list kind,
			enum policy_section section)
{
	const struct policy_list *list = l->list;

	if (list->seen[kind] && !list->part[kind])
		lint_unused(l, section);
}

/* What a server's tasks carry past conditions on calls. */
static void warn_tasks(struct lint *l)
{
	static const struct subject update = {
		.section = POLICY_METHODS, .name = "tasks/update", .len = 12};
	const struct rules *asks = NULL, *r = NULL;
	struct applying a;

	while (!asks && (r = policy_rules_after(l->policy, r)))
		if (r->section == POLICY_TOOLS && !refuses(r->action) &&
		    (r->require.count + r->deny_if.count > 0 || rules_ask(r)))
			asks = r;
	applying_begin(&a, l->policy, &update);
	if (l->list->tasks && asks && !applying_next(&a))
		lint_warn(l, &asks->place,
			  "this server has tasks, and tasks/update carries new "
			  "input past conditions: write \"methods\": "
			  "{\"tasks/*\": {\"action\": \"deny\"}}, or rules "
			  "for those that are needed");
}

void lint_list(struct lint *l)
{
	warn_list(l);
	warn_unused(l, REPLY_TOOLS, POLICY_TOOLS);
	warn_unused(l, REPLY_PROMPTS, POLICY_PROMPTS);
	if (l->policy->all_tools)
		hold_rules(l, l->policy->all_tools);
	for (const struct rules *r = l->policy->first; r; r = r->following)
		if (r->section == POLICY_TOOLS)
			hold_rules(l, r);
	warn_tasks(l);
}
