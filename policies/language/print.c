/* The merged policy as one policy file. */
#include "loader.h"

#include <inttypes.h>
#include <string.h>

/* Members of one object, with commas between. */
struct members {
	struct strbuf *out;
	const char *indent;
	bool any;
};

/* ,"key": and what follows is the value. */
static void key(struct members *m, const char *name)
{
	loader_put(m->out, "%s%s\"%s\": ", m->any ? ",\n" : "\n", m->indent,
		   name);
	m->any = true;
}

/* ,"key": "text" */
static void text(struct members *m, const char *name, const char *escaped)
{
	key(m, name);
	loader_put(m->out, "\"%s\"", escaped);
}

static void print_text(struct strbuf *out, const char *name,
		       const char *escaped)
{
	if (escaped)
		loader_put(out, ", \"%s\": \"%s\"", name, escaped);
}

static void print_conditions(struct members *m, const char *name,
			     const struct conditions *list)
{
	if (list->count == 0)
		return;
	key(m, name);
	for (size_t i = 0; i < list->count; i++)
		loader_put(m->out, "%s%s", i ? ", " : "[",
			   list->list[i].source);
	strbuf_string(m->out, "]");
}

static void print_limit(struct strbuf *out, const struct limit *l)
{
	if (l->max_text)
		loader_put(out, "{\"max\": %s", l->max_text);
	else
		loader_put(out, "{\"max\": %" PRIu64, l->max);
	loader_put(out, ", \"window\": %" PRId64, l->length / SECOND);
	if (!l->rate) {
		print_text(out, "counter", l->named ? l->counter : NULL);
		print_text(out, "scope", l->session ? "session" : "grant");
	}
	print_text(out, "increment_from", l->path);
	print_text(out, "per", l->per);
	if (l->per)
		loader_put(out, ", \"values\": %zu", l->values);
	print_text(out, "on_deny", l->on_deny);
	strbuf_string(out, "}");
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
		strbuf_string(m->out, any ? ", " : "[");
		print_limit(m->out, &r->limits[i]);
		any = true;
	}
	strbuf_string(m->out, any ? "]" : "");
}

/* Of who may approve it follows in which ways. */
static void print_approval(struct members *m, const struct rules *r)
{
	const char *before = "[\"";

	if (r->by) {
		key(m, "approve_by");
		strbuf_string(m->out, "\"");
		strbuf_escaped(m->out, r->by, strlen(r->by));
		strbuf_string(m->out, "\"");
	} else if (r->barred) {
		key(m, "approve_in");
		for (int i = 0; *policy_word(policy_ways, i); i++)
			if (!(r->barred >> i & 1)) {
				loader_put(m->out, "%s%s", before,
					   policy_word(policy_ways, i));
				before = "\", \"";
			}
		strbuf_string(m->out, "\"]");
	}
	if (r->timeout > 0) {
		key(m, "approval_timeout");
		strbuf_number(m->out, r->timeout);
	}
}

static void print_rules(struct strbuf *out, const struct rules *r,
			const char *indent)
{
	static const char lists[LISTS][11] = {"require", "deny_if", "ask_if",
					      "ask_unless"};
	struct members m = {.out = out, .indent = indent};

	strbuf_string(out, "{");
	if (r->action != ACTION_ALLOW)
		text(&m, "action", policy_word(policy_actions, (int)r->action));
	if (r->told)
		text(&m, "reason", r->told);
	for (enum list k = REQUIRE; k < LISTS; k++)
		print_conditions(&m, lists[k], &r->lists[k]);
	print_approval(&m, r);
	print_limits(&m, r);
	/* The closing brace stands two columns before the members. */
	loader_put(out, "%s%s}", m.any ? "\n" : "", m.any ? indent + 2 : "");
}

static void print_section(struct members *top, const struct policy *policy,
			  enum policy_section section)
{
	struct members m = {.out = top->out};

	if (!policy->has[section])
		return;
	key(top, policy_sections[section].key);
	strbuf_string(m.out, "{");
	for (const struct rules *r = policy->first; r; r = r->following) {
		if (r->section != section)
			continue;
		strbuf_string(m.out, m.any ? ",\n    \"" : "\n    \"");
		strbuf_escaped(m.out, r->entry.name, r->entry.len);
		strbuf_string(m.out, "\": ");
		print_rules(m.out, r, "      ");
		m.any = true;
	}
	strbuf_string(m.out, "\n  }");
}

void policy_print(const struct policy *policy, struct strbuf *out)
{
	struct members top = {.out = out, .indent = "  "};

	strbuf_string(out, "{");
	text(&top, "version", "1");
	text(&top, "default",
	     policy_word(policy_actions, (int)policy->fallback));
	if (policy->all_tools) {
		key(&top, "all_tools");
		print_rules(out, policy->all_tools, "    ");
	}
	for (int i = 0; i < POLICY_SECTIONS; i++)
		print_section(&top, policy, (enum policy_section)i);
	strbuf_string(out, "\n}\n");
}

/* A group is in another at most once. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void tell_directories(const struct conditions *list,
			     policy_directory *tell, void *context)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct condition *c = &list->list[i];

		tell_directories(&c->members, tell, context);
		for (size_t k = 0;
		     !c->group && c->op == OP_UNDER && k < c->operand_count;
		     k++)
			if (!c->operands[k].uri)
				tell(context, &c->location,
				     c->operands[k].written,
				     c->operands[k].ptr);
	}
}

void policy_directories(const struct policy *policy, policy_directory *tell,
			void *context)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r)))
		for (enum list k = REQUIRE; k < LISTS; k++)
			tell_directories(&r->lists[k], tell, context);
}

unsigned policy_asks(const struct policy *policy)
{
	const struct rules *r = NULL;
	unsigned in = 0;

	while ((r = policy_rules_after(policy, r)))
		if (rules_ask(r) && !refuses(r->action))
			in |= POLICY_ASK_ALL & ~r->barred;
	return in;
}

void policy_approvers(const struct policy *policy, policy_approver *tell,
		      void *context)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r)))
		if (r->by)
			tell(context, &r->by_at, r->by);
}
