/* The merged policy as a policy file of its own. */
#include "internal.h"

#include <string.h>

#define SECOND 1000000000LL

static const char *const actions[] = {
	[ACTION_ALLOW] = "allow",
	[ACTION_DENY] = "deny",
	[ACTION_HIDE] = "hide",
};

/* Members of one object, with commas between. */
struct members {
	struct out *out;
	const char *indent;
	bool any;
};

/* ,"key": and what follows is the value. */
static void key(struct members *m, const char *name)
{
	out_string(m->out, m->any ? ",\n" : "\n");
	out_string(m->out, m->indent);
	out_string(m->out, "\"");
	out_string(m->out, name);
	out_string(m->out, "\": ");
	m->any = true;
}

static void string(struct out *out, const char *escaped)
{
	out_string(out, "\"");
	out_string(out, escaped);
	out_string(out, "\"");
}

static void print_conditions(struct members *m, const char *name,
			     const struct conditions *list)
{
	if (list->count == 0)
		return;
	key(m, name);
	out_string(m->out, "[");
	for (size_t i = 0; i < list->count; i++) {
		out_string(m->out, i ? ", " : "");
		out_string(m->out, list->list[i].source);
	}
	out_string(m->out, "]");
}

static void print_limit(struct out *out, const struct limit *l)
{
	out_string(out, "{\"max\": ");
	if (l->max_text)
		out_string(out, l->max_text);
	else
		out_number(out, (int64_t)l->max);
	out_string(out, ", \"window\": ");
	out_number(out, l->length / SECOND);
	if (!l->rate) {
		if (l->counter[0] != '/') {
			out_string(out, ", \"counter\": ");
			string(out, l->counter);
		}
		out_string(out, l->session ? ", \"scope\": \"session\""
					   : ", \"scope\": \"grant\"");
	}
	if (l->path) {
		out_string(out, ", \"increment_from\": ");
		string(out, l->path);
	}
	if (l->on_deny) {
		out_string(out, ", \"on_deny\": ");
		string(out, l->on_deny);
	}
	out_string(out, "}");
}

/* The first rate_limit stays one; others, of more files, become limits. */
static void print_limits(struct members *m, const struct rules *r)
{
	bool rate = false, any = false;

	for (size_t i = 0; i < r->limit_count; i++) {
		if (r->limits[i].rate && !rate) {
			key(m, "rate_limit");
			print_limit(m->out, &r->limits[i]);
			rate = true;
		}
	}
	rate = false;
	for (size_t i = 0; i < r->limit_count; i++) {
		if (r->limits[i].rate && !rate) {
			rate = true;
			continue;
		}
		if (!any)
			key(m, "limits");
		out_string(m->out, any ? ", " : "[");
		print_limit(m->out, &r->limits[i]);
		any = true;
	}
	out_string(m->out, any ? "]" : "");
}

static void print_rules(struct out *out, const struct rules *r,
			const char *indent)
{
	struct members m = {.out = out, .indent = indent};

	out_string(out, "{");
	if (r->action != ACTION_ALLOW) {
		key(&m, "action");
		string(out, actions[r->action]);
	}
	if (r->told) {
		key(&m, "reason");
		string(out, r->told);
	}
	print_conditions(&m, "require", &r->require);
	print_conditions(&m, "deny_if", &r->deny_if);
	print_limits(&m, r);
	/* The closing brace stands two columns before the members. */
	out_string(out, m.any ? "\n" : "");
	out_string(out, m.any ? indent + 2 : "");
	out_string(out, "}");
}

static void print_section(struct members *top, const struct policy *policy,
			  enum policy_section section, const char *name)
{
	struct members m = {.out = top->out};

	if (!policy->has[section])
		return;
	key(top, name);
	out_string(m.out, "{");
	for (const struct rules *r = policy->first; r; r = r->following) {
		if (r->section != section)
			continue;
		out_string(m.out, m.any ? ",\n    \"" : "\n    \"");
		out_escaped(m.out, r->entry.name, r->entry.len);
		out_string(m.out, "\": ");
		print_rules(m.out, r, "      ");
		m.any = true;
	}
	out_string(m.out, "\n  }");
}

void policy_print(const struct policy *policy, struct out *out)
{
	struct members top = {.out = out, .indent = "  "};

	out_string(out, "{");
	key(&top, "version");
	string(out, "1");
	key(&top, "default");
	string(out, actions[policy->fallback]);
	if (policy->all_tools) {
		key(&top, "all_tools");
		print_rules(out, policy->all_tools, "    ");
	}
	print_section(&top, policy, POLICY_TOOLS, "tools");
	print_section(&top, policy, POLICY_PROMPTS, "prompts");
	print_section(&top, policy, POLICY_RESOURCES, "resources");
	print_section(&top, policy, POLICY_METHODS, "methods");
	out_string(out, "\n}\n");
}
