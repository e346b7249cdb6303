/* Conditions that mean something else than they seem to. */
#include "lint.h"
#include "loader.h"

#include <ctype.h>
#include <string.h>

#define OR_HOST       ", or {\"op\": \"host\", \"value\": HOST}"
#define PATTERN_BYTES 4096 /* of a longer pattern nothing is said */

/* ---- patterns -------------------------------------------------------- */

/* What is to be known of a regular expression. */
struct shape {
	bool open;    /* an alternative is not tied to both ends */
	bool begins;  /* the first is tied to the begin */
	bool dot;     /* a repeated . that stops at a line break */
	bool never;   /* $ before a letter, or ^ behind one */
	bool literal; /* has no wildcard of any kind */
	bool loose;   /* a . between two letters, as in example.org */
};

/* The end of the token at p: an escape, a class, or one byte. */
static const char *token_end(const char *p)
{
	const char *end = p + 1;

	if (*p == '\\' && p[1] == 'x' && p[2] == '{')
		return p + strcspn(p, "}") + (strchr(p, '}') != NULL);
	if (*p == '\\')
		return p + (p[1] ? 2 : 1);
	if (*p != '[')
		return end;
	end += *end == '^';
	end += *end == ']';
	while (*end && *end != ']')
		end += *end == '\\' && end[1] ? 2 : 1;
	return end + (*end == ']');
}

/* Does one group hold all of the pattern? */
static bool is_group(const char *p, const char *end)
{
	size_t depth = 0;

	for (const char *next; p < end; p = next) {
		next = token_end(p);
		depth += *p == '(';
		depth -= *p == ')' && depth > 0;
		if (depth == 0)
			return next == end && *p == ')';
	}
	return false;
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool is_begin(const char *p)
{
	return *p == '^' || (*p == '\\' && p[1] == 'A');
}

static bool is_end(const char *p)
{
	return p && (*p == '$' || (*p == '\\' && p[1] == 'z'));
}

static const char *skip_flag(const char *p)
{
	return strncmp(p, "(?i)", 4) == 0 ? p + 4 : p;
}

static struct shape shape_of(const char *p)
{
	struct shape s = {.literal = true};
	const char *last = NULL, *next, *end;
	bool first = true, open = false;
	size_t depth = 0;

	p = skip_flag(p);
	end = p + strlen(p);
	while (is_group(p, end)) {
		p += strncmp(p, "(?i:", 4) == 0  ? 4
		     : strncmp(p, "(?:", 3) == 0 ? 3
						 : 1;
		end--;
	}
	s.begins = is_begin(p);
	for (; p < end; last = p, p = next) {
		bool repeated;

		next = token_end(p);
		repeated = is_one_of(*next, "*+?{") && next < end;
		if (first && depth == 0) {
			open = !is_begin(p);
			s.open |= open;
		}
		s.never |= *p == '$' && isalnum((unsigned char)*next);
		s.never |= *p == '^' && last && isalnum((unsigned char)*last);
		/* At an end that is open it covers nothing that matters. */
		if (*p == '.' && repeated && !(first && open)) {
			const char *rest = next + 1;

			s.dot |= depth > 0 || (rest < end && *rest != '|');
		}
		s.loose |= *p == '.' && !repeated && last &&
			   isalnum((unsigned char)*last) &&
			   isalpha((unsigned char)next[0]) &&
			   isalpha((unsigned char)next[1]);
		s.literal &= !is_one_of(*p, ".[*+{?") ||
			     (*p == '?' && last && *last == '(');
		s.literal &= *p != '\\' || !is_one_of(p[1], "dDsSwW");
		depth += *p == '(';
		depth -= *p == ')' && depth > 0;
		first = *p == '|' && depth == 0;
		if (first)
			s.open |= !is_end(last);
	}
	s.open |= !is_end(last);
	return s;
}

/* What comes after the begin of a path, "/" or "~/", or of a uri, "scheme://",
 * in a pattern; NULL if it begins otherwise. */
static const char *behind_root(const char *p)
{
	const char *colon = p;

	if (*p == '\\' && p[1] == '/')
		return p + 2;
	if (*p == '/' || (*p == '~' && p[1] == '/'))
		return p + (*p == '~' ? 2 : 1);
	while (isalnum((unsigned char)*colon) || is_one_of(*colon, "+-.?()|:*"))
		if (*colon++ == ':' && colon - 1 > p &&
		    (isalpha((unsigned char)*p) || is_one_of(*p, "(.*"))) {
			if (strncmp(colon, "//", 2) == 0)
				return colon + 2;
			if (strncmp(colon, "\\/\\/", 4) == 0)
				return colon + 4;
		}
	return NULL;
}

/* Two names with a slash between them, which "//" and "/./" would part. */
static bool has_segments(const char *p)
{
	for (; (p = strchr(p, '/')); p++)
		if (isalnum((unsigned char)p[1]) || is_one_of(p[1], "\\.["))
			return true;
	return false;
}

/* Is the argument a uri, or else a path, by its name? */
static bool is_place(const struct condition *c, bool path)
{
	static const char places[][7] = {"uri", "url",    "path", "file",
					 "dir", "folder", "root"};
	const size_t count = path ? sizeof(places) / sizeof(*places) : 2;
	const struct step *s;
	char key[256];

	if (c->step_count == 0)
		return false;
	s = &c->steps[c->step_count - 1];
	if (!s->key || s->len >= sizeof(key))
		return false;
	for (size_t i = 0; i < s->len; i++)
		key[i] = (char)text_fold((unsigned char)s->key[i]);
	key[s->len] = '\0';
	for (size_t i = 0; i < count; i++)
		if (strstr(key, places[i]))
			return true;
	return false;
}

/* "/drop/i", as other languages write it. */
static bool is_slashed(const struct condition *c, const char *p)
{
	const char *last = strrchr(p, '/');

	if (*p != '/' || last < p + 2 ||
	    strspn(last + 1, "gimsuy") != strlen(last + 1))
		return false;
	for (const char *q = p + 1; q < last; q++)
		if (*q == '/' && q[-1] != '\\')
			return false;
	if (last[1])
		return true;
	/* "/etc/" may be looked for in a path. */
	return c->step_count > 0 && !is_place(c, true);
}

/* A pattern for paths and uris: what is behind its root. */
static void warn_place(struct lint *l, const struct condition *c,
		       const char *what, bool require, bool host)
{
	lint_warn(l, &c->location,
		  "a %s is not for paths and uris, as \"..\", \"//\" and other "
		  "spellings %s. Write {\"op\": \"under\", \"value\": "
		  "DIRECTORY}%s",
		  what, require ? "lead out of what it covers" : "lead past it",
		  host ? OR_HOST : "");
}

/* placed: under or host is required of the argument, too. */
static void warn_regex(struct lint *l, const struct condition *c, const char *p,
		       bool require, bool placed)
{
	struct shape s = shape_of(p);
	const char *bare = skip_flag(p), *root, *why = NULL;

	if (is_begin(bare))
		bare = token_end(bare);
	root = placed ? NULL : behind_root(bare);
	if (root) {
		const char rest = root[strspn(root, ".*+$")];

		if (!rest || is_one_of(rest, "|)") ||
		    !(require ? s.open || !s.literal
			      : s.begins || *bare != '/' || has_segments(root)))
			root = NULL;
	}
	if (strpbrk(p, "\b\f"))
		why = "\\b in a JSON string is a backspace: write \\\\b for "
		      "the \\b of a regular expression";
	else if (is_slashed(c, p))
		why = "the slashes around this regular expression are "
		      "looked for, too: write it without them, and (?i) in "
		      "front for any case";
	else if (s.never)
		why = "this can never match: ^ is the begin of the string "
		      "and $ its end. Write \\\\^ or \\\\$ for the "
		      "character";
	else if (root)
		warn_place(l, c, "pattern", require, *bare == 'h');
	else if (require && s.open)
		why = "this is found anywhere in the string, whatever "
		      "stands around it: write ^ before it and $ behind "
		      "it, and [\\\\s\\\\S]* where anything may stand";
	else if (require && s.loose)
		why = "the . between two letters is any character: write "
		      "[.] for a dot";
	else if (!require && s.dot)
		why = ". stops at a line break, so a call with one passes: "
		      "write [\\\\s\\\\S] for any character";
	if (why)
		lint_warn(l, &c->location, "%s", why);
}

static void warn_glob(struct lint *l, const struct condition *c, const char *p,
		      bool require, bool placed)
{
	const char *root = placed ? NULL : behind_root(p);
	const char *brace = strchr(p, '{'), *bracket = strchr(p, '[');
	char odd = '\0';

	if (*p == '^' || (*p && p[strlen(p) - 1] == '$'))
		odd = *p == '^' ? '^' : '$';
	else if (brace && strchr(brace, ',') && strchr(brace, '}'))
		odd = '{';
	else if (bracket && strchr(bracket, ']'))
		odd = '[';
	if (odd)
		lint_warn(l, &c->location,
			  "a glob has * for anything and ? for one character, "
			  "and \"%c\" is looked for: write a glob for each, or "
			  "a regex",
			  odd);
	else if (root && strpbrk(root, "*?") && strcmp(root, "*") != 0)
		warn_place(l, c, "glob", require, false);
}

/* ---- operands -------------------------------------------------------- */

/* A glob where values are compared whole. */
static bool warn_operands(struct lint *l, const struct condition *c)
{
	for (size_t i = 0; i < c->operand_count; i++) {
		const struct operand *o = &c->operands[i];
		bool ends = o->type == TYPE_STRING && o->len > 1 &&
			    (*o->ptr == '*' || o->ptr[o->len - 1] == '*') &&
			    !memchr(o->ptr, ' ', o->len);

		if (!ends || c->op == OP_REGEX || c->op == OP_GLOB ||
		    c->op == OP_HOST)
			continue;
		lint_warn(l, &c->location,
			  "\"%s\" does not know *, which stands for itself "
			  "here: %s",
			  operators[c->op].name,
			  c->op == OP_UNDER
				  ? "name the directory alone, as /srv/data"
			  : c->op == OP_CONTAINS
				  ? "write the text alone, which may stand "
				    "anywhere"
				  : "write \"op\": \"glob\" for each");
		return true;
	}
	return false;
}

/* A path or a uri compared as it is spelled, where other spellings pass. */
static bool warn_spelling(struct lint *l, const struct condition *c,
			  bool require)
{
	const bool inside = c->op == OP_CONTAINS;
	const bool passes = inside    ? require || is_place(c, true)
			    : require ? c->op == OP_NEQ || c->op == OP_NOT_IN
				      : c->op == OP_EQ || c->op == OP_IN;

	for (size_t i = 0; passes && i < c->operand_count; i++) {
		const struct operand *o = &c->operands[i];
		const char *root = NULL;
		struct uri u;
		bool host;

		if (o->type == TYPE_STRING)
			root = behind_root(o->ptr);
		host = inside && o->type == TYPE_STRING && is_place(c, false) &&
		       memchr(o->ptr, '.', o->len) &&
		       host_read(o->ptr, o->len, &u);
		if (!host &&
		    (!root || !*root ||
		     (is_one_of(*o->ptr, "/~") && !has_segments(root))))
			continue;
		lint_warn(l, &c->location,
			  "a path or a uri has many spellings, and \"%s\" "
			  "knows one: write {\"op\": \"under\", \"value\": "
			  "DIRECTORY}%s",
			  operators[c->op].name,
			  host || *o->ptr == 'h' ? OR_HOST : "");
		return true;
	}
	return false;
}

/* ---- paths ----------------------------------------------------------- */

static bool warn_path(struct lint *l, const struct rules *r,
		      const struct condition *c, bool require)
{
	/* Under a method or a resource, args are the params. */
	bool calls = r->section == POLICY_TOOLS || r->section == POLICY_PROMPTS;
	const struct step *s = c->steps;
	char path[1024];

	if (c->step_count == 0) {
		if (c->everywhere || c->op == OP_EXISTS)
			return false;
		lint_warn(l, &c->location,
			  "args is the object of all arguments, and \"%s\" is "
			  "not about an object, so every call is refused: name "
			  "the argument, args.NAME%s",
			  operators[c->op].name,
			  require ? "" : ", or args.** for all there are");
		return true;
	}
	if (s->kind == STEP_EACH || s->kind == STEP_INDEX) {
		lint_warn(l, &c->location,
			  "the arguments are an object, not an array: name the "
			  "argument first, args.NAME[*]");
		return true;
	}
	if (!lint_string(condition_source(c, "path"), path, sizeof(path)))
		return false;
	for (size_t i = 0; *path == '/' && i < c->step_count; i++)
		if (s[i].key && memchr(s[i].key, '*', s[i].len)) {
			lint_warn(l, &c->location,
				  "a JSON Pointer has no *, so \"%s\" names a "
				  "key with a star: write args.LIST[*].KEY for "
				  "every element",
				  loader_show(path, strlen(path)).text);
			return true;
		}
	if (!calls || lint_has_argument(l, r, c) ||
	    !((s->len == 4 && memcmp(s->key, "args", 4) == 0) ||
	      (s->len == 9 && memcmp(s->key, "arguments", 9) == 0)))
		return false;
	lint_warn(l, &c->location,
		  "a path begins in the arguments already, so \"%s\" leads to "
		  "an argument called \"%.*s\": leave that step out",
		  loader_show(path, strlen(path)).text, (int)s->len, s->key);
	return true;
}

/* Does one of the conditions, of which all are required, ask for the path?
 * exists: is it enough that it exists?  null does. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool asks_for(const struct conditions *list, const struct condition *c,
		     bool exists)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct condition *one = &list->list[i];

		if (one->group == GROUP_ALL &&
		    asks_for(&one->members, c, exists))
			return true;
		if (one != c && one->group == GROUP_NONE && !one->everywhere &&
		    (exists || one->op != OP_EXISTS) && lint_same_path(one, c))
			return true;
	}
	return false;
}

/* Do the conditions say, of all of the argument, where it is? */
static bool is_placed(const struct conditions *list, const struct condition *c)
{
	for (size_t i = 0; i < list->count; i++)
		if ((list->list[i].op == OP_UNDER ||
		     list->list[i].op == OP_HOST) &&
		    !list->list[i].group && !c->group &&
		    lint_same_path(&list->list[i], c))
			return true;
	return false;
}

/* neq and not_in in deny_if and ask_if do not hold for what is missing.  around
 * has the other conditions of its group, or is NULL. */
static void warn_missing(struct lint *l, const struct rules *r,
			 const struct condition *c,
			 const struct conditions *list,
			 const struct conditions *around)
{
	const struct rules *all = l->policy->all_tools;
	const bool asks = list == &r->ask_if;
	bool asked = c->everywhere || asks_for(&r->require, c, !asks) ||
		     (around && asks_for(around, c, !asks)) ||
		     (r->section == POLICY_TOOLS && all &&
		      asks_for(&all->require, c, !asks));

	for (size_t i = 0; i < r->known.count; i++)
		asked |= asks_for(&r->known.rules[i]->require, c, !asks);
	if (!asked)
		lint_warn(l, &c->location,
			  "\"%s\" in \"%s\" does not hold where the "
			  "argument is missing%s, so a call without it passes: "
			  "write \"%s\" in \"%s\" instead",
			  operators[c->op].name, asks ? "ask_if" : "deny_if",
			  asks ? " or null" : "", c->op == OP_NEQ ? "eq" : "in",
			  asks ? "ask_unless" : "require");
}

/* ---- conditions beside one another ----------------------------------- */

/* Do they compare with none of the same values? */
static bool is_disjoint(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < a->operand_count; i++)
		for (size_t k = 0; k < b->operand_count; k++)
			if (lint_same_operand(&a->operands[i], &b->operands[k]))
				return false;
	return true;
}

/* Is every value too small for the one, or too great for the other? */
static bool is_empty(const struct condition *low, const struct condition *high)
{
	int order;

	if ((low->op != OP_GT && low->op != OP_GTE) ||
	    (high->op != OP_LT && high->op != OP_LTE))
		return false;
	order = decimal_compare(&low->operands->number,
				&high->operands->number);
	return order > 0 ||
	       (order == 0 && (low->op == OP_GT || high->op == OP_LT));
}

static bool are_both(const struct condition *a, const struct condition *b,
		     enum op one, enum op several)
{
	return (a->op == one || a->op == several) &&
	       (b->op == one || b->op == several) && is_disjoint(a, b);
}

/* Two of the list, of which all count, or, with any, one, that cannot hold
 * together; or of which one always does. */
static void warn_pairs(struct lint *l, const struct conditions *list, bool any)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t k = 0; k < i; k++) {
			const struct condition *a = &list->list[k];
			const struct condition *b = &list->list[i];
			bool each = a->everywhere || a->group || b->group;

			for (size_t s = 0; s < a->step_count; s++)
				each |= a->steps[s].kind == STEP_EACH;
			if (each || !lint_same_path(a, b))
				continue;
			if (any && are_both(a, b, OP_NEQ, OP_NOT_IN))
				lint_warn(l, &b->location,
					  "one of these always holds, as no "
					  "value is both: write \"not_in\" "
					  "with all of them");
			else if (!any && (are_both(a, b, OP_EQ, OP_IN) ||
					  is_empty(a, b) || is_empty(b, a)))
				lint_warn(l, &b->location,
					  "no value meets this and the one "
					  "before it on the same path: write "
					  "{\"any\": [...]} if one is enough");
			else
				continue;
			return;
		}
}

/* ---- all of them ----------------------------------------------------- */

/* Conditions of one of the lists of r, or of a group in it. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void warn_conditions(struct lint *l, const struct rules *r,
			    const struct conditions *of,
			    const struct conditions *list,
			    const struct conditions *around)
{
	const bool require = of == &r->require || of == &r->ask_unless;

	for (size_t i = 0; i < list->count; i++) {
		const struct condition *c = &list->list[i];
		const bool placed = require && is_placed(of, c);
		char text[PATTERN_BYTES];

		if (c->group != GROUP_NONE) {
			if (require || c->group == GROUP_ALL)
				warn_pairs(l, &c->members,
					   c->group == GROUP_ANY);
			warn_conditions(l, r, of, &c->members,
					c->group == GROUP_ALL ? &c->members
							      : around);
			continue;
		}
		if (warn_path(l, r, c, require) || warn_operands(l, c) ||
		    (!placed && warn_spelling(l, c, require)))
			continue;
		if ((c->op == OP_REGEX || c->op == OP_GLOB) &&
		    lint_string(condition_source(c, "value"), text,
				sizeof(text))) {
			if (c->op == OP_REGEX)
				warn_regex(l, c, text, require, placed);
			else
				warn_glob(l, c, text, require, placed);
		}
		if (!require && (c->op == OP_NEQ || c->op == OP_NOT_IN))
			warn_missing(l, r, c, of, around);
	}
}

void lint_conditions(struct lint *l)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(l->policy, r))) {
		warn_pairs(l, &r->require, false);
		warn_pairs(l, &r->ask_unless, false);
		for (enum list k = REQUIRE; k < LISTS; k++)
			warn_conditions(l, r, &r->lists[k], &r->lists[k], NULL);
	}
}
