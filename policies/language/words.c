/* A condition that refused a call, in words: what is there, what must be. */
#include "../internal.h"

#include <string.h>

#define TOLD_BYTES  60  /* of a value, or of what it is compared with */
#define GROUP_BYTES 600 /* about; of the conditions of a group */

/* What must be, in "require" and in "deny_if"; what it is compared with
 * follows. */
static const struct want {
	const char *type; /* of the value, if only one is compared */
	const char *require, *deny_if;
} wants[OP_COUNT] = {
	[OP_EQ] = {"", "must be ", "must not be "},
	[OP_NEQ] = {"", "must not be ", "must be "},
	[OP_IN] = {"", "must be one of ", "must be none of "},
	[OP_NOT_IN] = {"", "must be none of ", "must be one of "},
	[OP_LT] = {"number", "must be less than ", "must not be less than "},
	[OP_LTE] = {"number", "must not be greater than ",
		    "must be greater than "},
	[OP_GT] = {"number", "must be greater than ",
		   "must not be greater than "},
	[OP_GTE] = {"number", "must not be less than ", "must be less than "},
	[OP_CONTAINS] = {"", "must contain ", "must not contain "},
	[OP_EXISTS] = {"", "", ""},
	[OP_REGEX] = {"string", "must match ", "must not match "},
	[OP_GLOB] = {"string", "must match ", "must not match "},
	[OP_UNDER] = {"string", "must be below ", "must not be below "},
	[OP_HOST] = {"string", "must have the host ",
		     "must not have the host "},
	[OP_MAX_LENGTH] = {"", "must not be longer than ",
			   "must be longer than "},
};

_Static_assert(OP_COUNT == 15, "a new operator has its words here");

static void put_cut(struct strbuf *out, const char *s, size_t len)
{
	size_t most = len;

	if (len > TOLD_BYTES)
		for (most = TOLD_BYTES; (s[most] & 0xC0) == 0x80;)
			most--;
	strbuf_bytes(out, s, most);
	strbuf_string(out, most < len ? "..." : "");
}

/* The lists that a condition may be in. */
enum list { REQUIRE, DENY_IF, ASK_IF, ASK_UNLESS, LISTS };

/* The condition at this rule, and its list. */
static const struct condition *find(const struct policy *policy,
				    const char *rule, enum list *list)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r))) {
		const struct conditions *const lists[LISTS] = {
			&r->require, &r->deny_if, &r->ask_if, &r->ask_unless};

		for (*list = REQUIRE; *list < LISTS; ++*list)
			for (size_t i = 0; i < lists[*list]->count; i++)
				if (lists[*list]->list[i].location.rule == rule)
					return &lists[*list]->list[i];
	}
	return NULL;
}

/* The members of a condition, as the policy has them. */
struct parts {
	struct text path;
	struct span value;
};

static struct parts read_source(const char *source)
{
	struct scan r;
	const char *p = scan_begin(&r, source, strlen(source)), *start;
	struct parts parts = {.path = {.ptr = NULL}};
	bool first = true, more;
	struct text key;

	r.lines = true;
	p = scan_enter(&r, p);
	for (;; first = false) {
		start = scan_member(&r, p, first, &key, &more);
		if (!start || !more)
			return parts;
		if (text_is(key, "path", 4))
			p = scan_string(&r, start, &parts.path);
		else
			p = scan_value(&r, start);
		if (text_is(key, "value", 5))
			parts.value = (struct span){start, (size_t)(p - start)};
	}
}

static bool has_type(const char *type, struct span value)
{
	if (!value.ptr || !*type)
		return true;
	return *type == 's' ? *value.ptr == '"'
			    : strchr("-0123456789", *value.ptr) != NULL;
}

/* A condition of a group; where they are too many, the rest is left out. */
static void put_member(struct strbuf *out, const struct condition *c)
{
	const struct parts parts = read_source(c->source);

	put_cut(out, parts.path.ptr, parts.path.len);
	strbuf_string(out, " ");
	strbuf_string(out, operators[c->op].name);
	strbuf_string(out, " ");
	put_cut(out, parts.value.ptr, parts.value.len);
}

/* One inside the other at most once. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_group(struct strbuf *out, const struct conditions *list)
{
	for (size_t i = 0; i < list->count && out->len <= GROUP_BYTES; i++) {
		strbuf_string(out, i > 0 ? ", " : "");
		condition_words(&list->list[i], out);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void condition_words(const struct condition *c, struct strbuf *out)
{
	if (c->group == GROUP_NONE) {
		put_member(out, c);
		return;
	}
	strbuf_string(out, c->group == GROUP_ALL ? "all of (" : "one of (");
	put_group(out, &c->members);
	strbuf_string(out, ")");
}

static void put_want(struct strbuf *out, const struct condition *c,
		     const struct span *value, bool require)
{
	const struct parts parts = read_source(c->source);
	const bool is_true = parts.value.len == 4;
	const struct want *w = &wants[c->op];

	put_cut(out, parts.path.ptr, parts.path.len);
	strbuf_string(out, " is ");
	if (value->ptr)
		put_cut(out, value->ptr, value->len);
	else
		strbuf_string(out,
			      require ? "missing or ambiguous" : "ambiguous");
	strbuf_string(out, "; ");
	if (c->op == OP_EXISTS) {
		strbuf_string(out, require == is_true ? "must be there"
						      : "must not be there");
		return;
	}
	if (!has_type(w->type, *value)) {
		strbuf_string(out, "must be a ");
		strbuf_string(out, w->type);
		strbuf_string(out, ", and ");
	}
	strbuf_string(out, require ? w->require : w->deny_if);
	put_cut(out, parts.value.ptr, parts.value.len);
}

void policy_explain(const struct policy *policy, const struct verdict *v,
		    struct strbuf *out)
{
	const struct condition *c;
	enum list list;
	bool require;

	c = find(policy, v->location.rule, &list);
	if (!c)
		return;
	require = list == REQUIRE;
	if (list >= ASK_IF) {
		strbuf_string(out, list == ASK_IF
					   ? "a person is asked if "
					   : "a person is asked unless ");
		condition_words(c, out);
		strbuf_string(out, v->value.ptr ? "; found: " : "");
		put_cut(out, v->value.ptr, v->value.len);
		return;
	}
	if (!c->group) {
		put_want(out, c, &v->value, require);
		return;
	}
	if (c->group == GROUP_ALL)
		strbuf_string(out, require ? "all of these must hold: "
					   : "these must not all hold: ");
	else
		strbuf_string(out, require ? "one of these must hold: "
					   : "none of these may hold: ");
	put_group(out, &c->members);
	strbuf_string(out, out->len > GROUP_BYTES ? ", ..." : "");
}
