/*
 * A policy in words: what it does to a tool, and of a condition that refused a
 * call, what is there and what must be.
 */
#include "../../parser/member.h"
#include "loader.h"

#include <string.h>

#define TOLD_BYTES  60  /* of a value, or of what it is compared with */
#define GROUP_BYTES 600 /* about; of the conditions of a group */

const struct section policy_sections[POLICY_SECTIONS] = {
	[POLICY_TOOLS] = {"tools", "tools/call", "tools/list"},
	[POLICY_PROMPTS] = {"prompts", "prompts/get", "prompts/list"},
	[POLICY_RESOURCES] = {"resources", "resources/read", "resources/list"},
	[POLICY_METHODS] = {"methods", "", ""},
};

/* ---- conditions ------------------------------------------------------ */

struct span condition_source(const struct condition *c, const char *key)
{
	return member_last((struct span){c->source, strlen(c->source)}, key);
}

static void put_cut(struct strbuf *out, const char *s, size_t len)
{
	size_t most = len;

	if (len > TOLD_BYTES)
		for (most = TOLD_BYTES; (s[most] & 0xC0) == 0x80;)
			most--;
	strbuf_bytes(out, s, most);
	strbuf_string(out, most < len ? "..." : "");
}

/* The path of a condition, as the policy has it. */
static void put_path(struct strbuf *out, const struct condition *c)
{
	const struct span path = condition_source(c, "path");

	put_cut(out, path.ptr + 1, path.len - 2); /* a string's quotes */
}

static void put_value(struct strbuf *out, const struct condition *c)
{
	const struct span value = condition_source(c, "value");

	put_cut(out, value.ptr, value.len);
}

/* The conditions of a group; where they are too many, the rest is left out.
 * One group is inside another at most once. */
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
		put_path(out, c);
		loader_put(out, " %s ", operators[c->op].name);
		put_value(out, c);
		return;
	}
	strbuf_string(out, c->group == GROUP_ALL ? "all of (" : "one of (");
	put_group(out, &c->members);
	strbuf_string(out, ")");
}

/* ---- what a policy does ---------------------------------------------- */

/* What the policy says of a method. */
static struct match find_method(const struct policy *policy, const char *name)
{
	struct subject s = {
		.section = POLICY_METHODS, .name = name, .len = strlen(name)};
	struct match room;

	return *match_find(policy, &s, NULL, &room);
}

/* What a terminal would obey, escaped. */
static void put_shown(struct strbuf *out, const char *s, size_t len)
{
	unsigned code;

	for (size_t bytes; len > 0; s += bytes, len -= bytes) {
		bytes = strbuf_obeyed(s, len, &code);
		if (bytes > 0)
			strbuf_escaped(out, s, bytes);
		else
			strbuf_bytes(out, s, bytes = 1);
	}
}

/* When a person is asked: always, or if one of the conditions of ask_if holds.
 */
static void describe_asking(const struct policy *policy,
			    const struct subject *s, struct strbuf *out)
{
	char bytes[POLICY_WHY_BYTES];
	const struct rules *r;
	struct applying a;
	bool any = false;
	struct match room;
	unsigned barred = 0;

	applying_begin(&a, policy, s);
	if (match_find(policy, s, NULL, &room)->action == ACTION_ASK) {
		while ((r = applying_next(&a)))
			barred |= r->action == ACTION_ASK ? r->barred : 0;
		strbuf_string(out, barred == POLICY_ASK_ALL
					   ? ", nobody can be asked"
					   : ", a person is asked");
		return;
	}
	while ((r = applying_next(&a)))
		for (enum list k = ASK_IF; k <= ASK_UNLESS; k++)
			for (size_t i = 0; i < r->lists[k].count; i++) {
				struct strbuf words = {.ptr = bytes,
						       .cap = sizeof(bytes)};

				condition_words(&r->lists[k].list[i], &words);
				loader_put(out, "%s %s ",
					   any ? " or" : ", a person is asked",
					   k == ASK_IF ? "if" : "unless");
				put_shown(out, words.ptr, words.len);
				any = true;
			}
}

/* The limits that apply to a subject, and whether a person is asked; returns
 * the number of conditions. */
static size_t describe_limits(const struct policy *policy,
			      const struct subject *s, struct strbuf *out)
{
	size_t conditions = 0;
	const struct rules *r;
	struct applying a;

	applying_begin(&a, policy, s);
	while ((r = applying_next(&a))) {
		for (size_t i = 0; i < r->limit_count; i++)
			loader_put(out, ", %s", r->limits[i].reason);
		conditions += r->require.count + r->deny_if.count;
	}
	describe_asking(policy, s, out);
	return conditions;
}

static void describe_conditions(size_t count, struct strbuf *out)
{
	if (count > 0)
		loader_put(out, ", on %zu condition%s", count,
			   count == 1 ? "" : "s");
}

static void describe_refusal(const struct match *f, struct strbuf *out)
{
	loader_put(out, "%s, by %s",
		   f->action == ACTION_HIDE ? "hidden" : "denied",
		   f->by ? f->by->location.rule : "default");
}

void policy_describe(const struct policy *policy, enum policy_section section,
		     struct text name, struct strbuf *out)
{
	const struct section *of = &policy_sections[section];
	const struct subject call = {.section = POLICY_METHODS,
				     .name = of->call,
				     .len = strlen(of->call)};
	char buf[MESSAGE_NAME_BYTES];
	ptrdiff_t len = text_decode(name, buf, sizeof(buf));
	struct subject s = {
		.section = section, .name = buf, .len = (size_t)len};
	struct match room, f, calls = find_method(policy, call.name),
			      lists = find_method(policy, of->list);

	if (len < 0) {
		strbuf_string(out, "refused, for its name");
		return;
	}
	f = *match_find(policy, &s, NULL, &room);
	if (f.action == ACTION_HIDE) {
		describe_refusal(&f, out);
		return;
	}
	/* NOLINTBEGIN(bugprone-branch-clone): in the order of judgement */
	if (refuses(calls.action)) {
		calls.action = ACTION_DENY;
		describe_refusal(&calls, out);
	} else if (f.action == ACTION_DENY && f.by) {
		describe_refusal(&f, out);
	} else if (subject_is_ambiguous(&s, &f)) {
		strbuf_string(out, "refused, for its name: no entry spells it");
	} else if (f.action == ACTION_DENY) {
		describe_refusal(&f, out);
	} else {
		size_t conditions;

		strbuf_string(out, "allowed");
		conditions = describe_limits(policy, &call, out);
		conditions += describe_limits(policy, &s, out);
		describe_conditions(conditions, out);
	}
	/* NOLINTEND(bugprone-branch-clone) */
	if (refuses(lists.action))
		loader_put(out, ", not listed, by %s", lists.by->location.rule);
}

bool policy_describe_method(const struct policy *policy, const char *name,
			    struct strbuf *out)
{
	struct subject s = {
		.section = POLICY_METHODS, .name = name, .len = strlen(name)};
	struct match f = find_method(policy, name);
	struct applying a;

	applying_begin(&a, policy, &s);
	if (!applying_next(&a))
		return false;
	if (refuses(f.action)) {
		describe_refusal(&f, out);
		return true;
	}
	strbuf_string(out, "allowed");
	describe_conditions(describe_limits(policy, &s, out), out);
	return true;
}

/* ---- what refused a call --------------------------------------------- */

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
	[OP_UNDER] = {'s', false, "be under "},
	[OP_HOST] = {'s', false, "have the host "},
	[OP_MAX_LENGTH] = {0, true, "be longer than "},
};

_Static_assert(OP_COUNT == 15, "a new operator has its words here");

/* The condition at this rule, and its list. */
static const struct condition *find(const struct policy *policy,
				    const char *rule, enum list *list)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r)))
		for (*list = REQUIRE; *list < LISTS; ++*list)
			for (size_t i = 0; i < r->lists[*list].count; i++)
				if (r->lists[*list].list[i].location.rule ==
				    rule)
					return &r->lists[*list].list[i];
	return NULL;
}

static bool has_type(char type, struct span value)
{
	if (!value.ptr || !type)
		return true;
	return type == 's' ? *value.ptr == '"'
			   : strchr("-0123456789", *value.ptr) != NULL;
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
		const bool is_true = condition_source(c, "value").len == 4;

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

void policy_say_limits(const struct judged *j, struct strbuf *out)
{
	for (size_t i = 0; i < j->count; i++) {
		strbuf_string(out, i > 0 ? ", " : "");
		strbuf_string(out, j->limits[i]->words);
	}
}
