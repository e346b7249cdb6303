/*
 * What a policy says of a tool, prompt, resource or method: actions and
 * reasons.  A key that is known but not built yet is a fault, so that no rule
 * is ever silently without effect.
 */
#include "loader.h"

#include <string.h>

/* What one file says of an entry. */
struct saying {
	struct rules *rules;
	enum action action;
	struct location location;
	const char *reason;
};

/* ---- entries --------------------------------------------------------- */

static void read_action(struct loader *l, const json_value *v, void *into)
{
	static const char *const words[] = {"allow", "deny", "hide", NULL};
	struct saying *s = into;

	s->rules->decided = true;
	if (!loader_want(l, v, json_string, "allow, deny or hide"))
		return;
	if (loader_is(v, "deny"))
		s->action = ACTION_DENY;
	else if (loader_is(v, "hide"))
		s->action = ACTION_HIDE;
	else if (loader_is(v, "require_approval"))
		loader_fault(l, "this version of weir does not have "
				"\"require_approval\" yet: deny it instead");
	else if (!loader_is(v, "allow"))
		loader_unknown(l, "action", v->u.string.ptr, v->u.string.length,
			       words);
	s->location = loader_location(l);
}

static void read_rules_reason(struct loader *l, const json_value *v, void *into)
{
	loader_read_reason(l, v, &((struct saying *)into)->reason);
}

static void read_limits(struct loader *l, const json_value *v, void *into)
{
	limits_read(l, v, ((struct saying *)into)->rules);
}

static void read_rate_limit(struct loader *l, const json_value *v, void *into)
{
	limits_read_rate(l, v, ((struct saying *)into)->rules);
}

static void read_require(struct loader *l, const json_value *v, void *into)
{
	conditions_read_require(l, v, &((struct saying *)into)->rules->require);
}

static void read_deny_if(struct loader *l, const json_value *v, void *into)
{
	conditions_read_deny(l, v, &((struct saying *)into)->rules->deny_if);
}

static const struct loader_key rules_keys[] = {
	{"action", read_action},
	{"reason", read_rules_reason},
	{"limits", read_limits},
	{"rate_limit", read_rate_limit},
	{"require", read_require},
	{"deny_if", read_deny_if},
	{"description", loader_read_description},
	{NULL, NULL},
};

bool rules_have(const json_object_entry *e)
{
	return loader_find(rules_keys, e) != NULL;
}

/* The entry of a section for this name, new or of a file below; NULL after a
 * fault. */
static struct rules *find_rules(struct loader *l, enum policy_section section,
				const char *name, size_t len)
{
	struct policy *p = l->policy;
	struct rules *r, *other;
	char *folded;

	if (len == 0 || len > MESSAGE_NAME_BYTES) {
		loader_fault(l, "a name has 1 to %zu bytes",
			     MESSAGE_NAME_BYTES);
		return NULL;
	}
	r = loader_take(l, sizeof(*r));
	folded = loader_take(l, len + NAME_FOLD_MORE);
	if (!r || !folded)
		return NULL;
	r->entry.name = loader_keep_span(l, name, len);
	r->entry.len = len;
	r->entry.folded = folded;
	r->entry.folded_len = name_fold(name, len, folded);
	r->entry.glob = memchr(name, '*', len) || memchr(name, '?', len);
	other = (struct rules *)names_same(&p->names[section], &r->entry);
	if (other)
		return other;
	r->section = section;
	r->since = l->layer;
	r->place = loader_location(l);
	names_add(&p->names[section], &r->entry);
	p->has[section] = true;
	if (p->last)
		p->last->following = r;
	else
		p->first = r;
	p->last = r;
	return r;
}

/* Of two files, the stricter one gives the action, and the reason with it. */
static void merge(struct rules *r, const struct saying *s)
{
	if (s->action > r->action) {
		r->action = s->action;
		r->location = s->location;
		r->reason = s->reason;
	} else if (s->action == r->action && !r->reason) {
		r->reason = s->reason;
	}
}

static void read_rules(struct loader *l, const json_value *v, struct rules *r)
{
	struct saying s = {.rules = r};

	if (r->layer == l->layer)
		loader_fault(l, "this name is there twice");
	r->layer = l->layer;
	if (loader_want(l, v, json_object, "an object of rules ({} allows it)"))
		loader_object(l, v, rules_keys, &s);
	merge(r, &s);
}

static void read_hidden(struct loader *l, const json_value *v, size_t index,
			void *into)
{
	struct rules *r = NULL;

	(void)index;
	(void)into;
	if (loader_want(l, v, json_string, "a tool's name"))
		r = find_rules(l, POLICY_TOOLS, v->u.string.ptr,
			       v->u.string.length);
	if (r && r->action < ACTION_HIDE) {
		r->action = ACTION_HIDE;
		r->location = loader_location(l);
	}
}

void rules_read_hide(struct loader *l, const json_value *v, void *into)
{
	if (loader_want(l, v, json_array, "an array of names"))
		loader_elements(l, v, read_hidden, into);
}

void rules_read_all_tools(struct loader *l, const json_value *v, void *into)
{
	struct policy *p = l->policy;

	(void)into;
	if (!p->all_tools)
		p->all_tools = loader_take(l, sizeof(*p->all_tools));
	if (!p->all_tools)
		return;
	p->all_tools->place = loader_location(l);
	read_rules(l, v, p->all_tools);
}

static void read_entry(struct loader *l, const json_object_entry *e, void *into)
{
	const enum policy_section *section = into;
	struct rules *r = find_rules(l, *section, e->name, e->name_length);

	if (r)
		read_rules(l, e->value, r);
}

static void read_section(struct loader *l, const json_value *v,
			 enum policy_section section)
{
	if (loader_want(l, v, json_object, "an object of names"))
		loader_members(l, v, read_entry, &section);
}

void rules_read_tools(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	read_section(l, v, POLICY_TOOLS);
}

void rules_read_prompts(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	read_section(l, v, POLICY_PROMPTS);
}

void rules_read_resources(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	read_section(l, v, POLICY_RESOURCES);
}

void rules_read_methods(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	read_section(l, v, POLICY_METHODS);
}
