/*
 * What a policy says of a tool, prompt, resource or method: actions, reasons,
 * and who is asked.
 */
#include "loader.h"

#include <string.h>

#define APPROVER_BYTES 256 /* of a user's name, at most */

/* What one file says of an entry. */
struct saying {
	struct rules *rules;
	enum action action;
	struct location location;
	const char *reason;
	unsigned in; /* ways to ask; 0: none are written */
	bool twice;  /* one of them is */
	bool by;     /* who may approve is written */
};

/* ---- entries --------------------------------------------------------- */

const char policy_actions[] = "allow\0require_approval\0deny\0hide\0";

static void read_action(struct loader *l, const json_value *v, void *into)
{
	struct saying *s = into;
	int i = loader_choose(l, v, "allow, require_approval, deny or hide",
			      "action", policy_actions);

	s->rules->decided = true;
	if (i >= 0)
		s->action = (enum action)i;
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
	conditions_read(l, v, ((struct saying *)into)->rules, REQUIRE);
}

static void read_deny_if(struct loader *l, const json_value *v, void *into)
{
	conditions_read(l, v, ((struct saying *)into)->rules, DENY_IF);
}

static void read_ask_if(struct loader *l, const json_value *v, void *into)
{
	conditions_read(l, v, ((struct saying *)into)->rules, ASK_IF);
}

static void read_ask_unless(struct loader *l, const json_value *v, void *into)
{
	conditions_read(l, v, ((struct saying *)into)->rules, ASK_UNLESS);
}

const char policy_ways[] = "client\0terminal\0program\0";

static void read_way(struct loader *l, const json_value *v, size_t index,
		     void *into)
{
	struct saying *s = into;
	int i = loader_choose(l, v, "client, terminal or program", "way to ask",
			      policy_ways);

	(void)index;
	if (i < 0)
		return;
	s->twice |= s->in >> i & 1;
	s->in |= 1u << i;
}

static void read_approve_in(struct loader *l, const json_value *v, void *into)
{
	struct saying *s = into;

	if (!loader_want_array(l, v, json_string,
			       "an array of client, terminal and program"))
		return;
	if (v->u.array.length == 0)
		loader_fault(l, "client, terminal or program was expected: "
				"without any, nobody can be asked");
	loader_elements(l, v, read_way, s);
	if (s->twice)
		loader_fault(l, "one of these is there twice");
	s->rules->approval = loader_location(l);
}

/* Has it none of what stands between the names of users? */
static bool is_name(const char *s)
{
	while ((unsigned char)*s > ' ' && !strchr(",:\x7F", *s))
		s++;
	return *s == '\0';
}

/* A user's name, or "@" and a group's. */
static void read_approve_by(struct loader *l, const json_value *v, void *into)
{
	struct rules *r = ((struct saying *)into)->rules;
	const char *name = v->u.string.ptr;

	if (!loader_want(l, v, json_string, "a user, or \"@GROUP\","))
		return;
	((struct saying *)into)->by = true;
	if (v->u.string.length > APPROVER_BYTES)
		loader_fault(l, "longer than %d bytes", APPROVER_BYTES);
	else if (!name[*name == '@'] || !is_name(name))
		loader_fault(l,
			     "\"%s\" is neither a user nor \"@GROUP\"; "
			     "for several users name a group",
			     loader_show(name, v->u.string.length).text);
	else if (r->by && strcmp(r->by, name) != 0)
		loader_fault(l,
			     "line %zu of %s names \"%s\", and one entry has "
			     "one \"approve_by\"",
			     r->by_at.line, r->by_at.file,
			     loader_show(r->by, strlen(r->by)).text);
	else
		r->by = loader_keep(l, name, v->u.string.length);
	r->by_at = r->approval = loader_location(l);
}

static void read_approval_timeout(struct loader *l, const json_value *v,
				  void *into)
{
	struct rules *r = ((struct saying *)into)->rules;

	if (loader_in_range(l, v, POLICY_ASK_LEAST, POLICY_ASK_MOST) &&
	    (r->timeout == 0 || v->u.integer < r->timeout))
		r->timeout = (int)v->u.integer;
	r->approval = loader_location(l);
}

/* Only the terminal tells who says yes. */
static void bar_ways(struct loader *l, const struct saying *s)
{
	struct rules *r = s->rules;

	if (s->by && s->in & ~(unsigned)POLICY_ASK_TERMINAL) {
		loader_fault(l, "\"approve_by\" holds in the terminal alone, "
				"as nothing else tells who says yes: write "
				"\"approve_in\": [\"terminal\"], or leave it "
				"out");
		return;
	}
	if (s->by)
		r->barred |= POLICY_ASK_CLIENT | POLICY_ASK_PROGRAM;
	if (s->in)
		r->barred |= POLICY_ASK_ALL & ~s->in;
	if (r->barred == POLICY_ASK_ALL && (s->by || s->in))
		loader_fault(l, "the files leave this entry no way to ask: "
				"their \"approve_in\" have none in common");
}

static const struct loader_key rules_keys[] = {
	{"action", read_action},
	{"reason", read_rules_reason},
	{"limits", read_limits},
	{"rate_limit", read_rate_limit},
	{"require", read_require},
	{"deny_if", read_deny_if},
	{"ask_if", read_ask_if},
	{"ask_unless", read_ask_unless},
	{"approve_in", read_approve_in},
	{"approve_by", read_approve_by},
	{"approval_timeout", read_approval_timeout},
	{"description", loader_read_description},
	{"", NULL},
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
	bar_ways(l, &s);
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
	if (loader_want_array(l, v, json_string, "an array of names"))
		loader_elements(l, v, read_hidden, into);
}

void rules_read_all_tools(struct loader *l, const json_value *v, void *into)
{
	struct policy *p = l->policy;

	(void)into;
	if (!p->all_tools) {
		p->all_tools = loader_take(l, sizeof(*p->all_tools));
		if (!p->all_tools)
			return;
		p->all_tools->since = l->layer;
	}
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
	if (loader_want(l, v, json_object,
			"an object of names, {\"NAME\": {}},"))
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
