/* A condition that refused a call, in words: what is there, what must be. */
#include "lint.h"
#include "loader.h"

#include <string.h>

#define TOLD_BYTES  60  /* of a value, or of what it is compared with */
#define GROUP_BYTES 600 /* about; of the conditions of a group */

/* What must be, in "require"; what it is compared with follows.  What "deny_if"
 * has must not be. */
static const struct want {
	char type;    /* 's': only a string is compared, 'n': a number */
	bool negated; /* "not " is before the verb */
	char verb[17];
} wants[OP_COUNT] = {
	[OP_EQ] = {0, false, "be "},
	[OP_NEQ] = {0, true, "be "},
	[OP_IN] = {0, false, "be one of "},
	[OP_NOT_IN] = {0, true, "be one of "},
	[OP_LT] = {'n', false, "be less than "},
	[OP_LTE] = {'n', true, "be greater than "},
	[OP_GT] = {'n', false, "be greater than "},
	[OP_GTE] = {'n', true, "be less than "},
	[OP_CONTAINS] = {0, false, "contain "},
	[OP_REGEX] = {'s', false, "match "},
	[OP_GLOB] = {'s', false, "match "},
	[OP_UNDER] = {'s', false, "be below "},
	[OP_HOST] = {'s', false, "have the host "},
	[OP_MAX_LENGTH] = {0, true, "be longer than "},
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

/* The path of a condition, as the policy has it. */
static void put_path(struct strbuf *out, const struct condition *c)
{
	const struct span path = lint_source(c, "path");

	put_cut(out, path.ptr + 1, path.len - 2); /* a string's quotes */
}

static void put_value(struct strbuf *out, const struct condition *c)
{
	const struct span value = lint_source(c, "value");

	put_cut(out, value.ptr, value.len);
}

static bool has_type(char type, struct span value)
{
	if (!value.ptr || !type)
		return true;
	return type == 's' ? *value.ptr == '"'
			   : strchr("-0123456789", *value.ptr) != NULL;
}

/* A condition of a group; where they are too many, the rest is left out. */
static void put_member(struct strbuf *out, const struct condition *c)
{
	put_path(out, c);
	loader_put(out, " %s ", operators[c->op].name);
	put_value(out, c);
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
	const struct want *w = &wants[c->op];
	const bool negated = w->negated == require;

	put_path(out, c);
	strbuf_string(out, " is ");
	if (value->ptr)
		put_cut(out, value->ptr, value->len);
	else
		strbuf_string(out,
			      require ? "missing or ambiguous" : "ambiguous");
	strbuf_string(out, "; must ");
	if (c->op == OP_EXISTS) {
		const bool is_true = lint_source(c, "value").len == 4;

		strbuf_string(out,
			      require == is_true ? "be there" : "not be there");
		return;
	}
	if (!has_type(w->type, *value))
		strbuf_string(out, w->type == 's' ? "be a string, and must "
						  : "be a number, and must ");
	if (negated && c->op <= OP_NOT_IN && c->op >= OP_IN)
		strbuf_string(out, "be none of ");
	else
		loader_put(out, "%s%s", negated ? "not " : "", w->verb);
	put_value(out, c);
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
