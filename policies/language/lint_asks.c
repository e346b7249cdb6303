/* Rules that ask a person: which never do, and which nobody can say yes to. */
#include "lint.h"

#include <string.h>

/* ---- what is refused before it is asked about ------------------------ */

static bool has_operands(const struct condition *c, const struct condition *of)
{
	for (size_t i = 0, k; i < of->operand_count; i++) {
		for (k = 0; k < c->operand_count; k++)
			if (lint_same_operand(&c->operands[k],
					      &of->operands[i]))
				break;
		if (k == c->operand_count)
			return false;
	}
	return true;
}

/* Does d hold wherever c does, as far as their operators tell? */
static bool is_within(const struct condition *c, const struct condition *d)
{
	const bool up = c->op == OP_GT || c->op == OP_GTE;
	struct span v, w;
	int order;

	if (c->group || d->group || c->everywhere != d->everywhere ||
	    !lint_same_path(c, d))
		return false;
	if (c->op <= OP_NOT_IN && d->op <= OP_NOT_IN)
		return c->op % 2 == d->op % 2 &&
		       (c->op % 2 ? has_operands(c, d) : has_operands(d, c));
	if (c->op >= OP_LT && c->op <= OP_GTE && d->op >= OP_LT &&
	    d->op <= OP_GTE) {
		order = decimal_compare(&c->operands->number,
					&d->operands->number);
		return up == (d->op == OP_GT || d->op == OP_GTE) &&
		       (order != 0 ? up == (order > 0)
				   : c->op == d->op || d->op == OP_GTE ||
					     d->op == OP_LTE);
	}
	if (c->op != d->op)
		return false;
	v = condition_source(c, "value");
	w = condition_source(d, "value");
	return v.len == w.len && memcmp(v.ptr, w.ptr, v.len) == 0;
}

/* Does o refuse all that the condition of r asks about?  One file may well
 * refuse what a file before asks about. */
static const struct location *refuses_first(const struct rules *r,
					    const struct condition *c,
					    bool unless, const struct rules *o)
{
	const struct conditions *lists[] = {&o->deny_if, &o->require};

	/* What is not there is asked about, and no deny_if holds for it. */
	for (size_t i = unless; i < 2; i++)
		for (size_t k = 0; k < lists[i]->count; k++) {
			struct condition d = lists[i]->list[k];

			if (o == r && d.location.file != c->location.file)
				continue;
			/* What is required refuses the contrary. */
			if (i == 1 && !unless && d.op <= OP_NOT_IN)
				d.op ^= 1U;
			else if (i == 1 && !unless && d.op <= OP_GTE)
				d.op = OP_LT + OP_GTE - d.op;
			else if (i == 1 && !unless)
				continue;
			if (unless ? is_within(&d, c) : is_within(c, &d))
				return &lists[i]->list[k].location;
		}
	return NULL;
}

static void warn_refused_first(struct lint *l, const struct rules *r,
			       const struct rules *o)
{
	for (enum list k = ASK_IF; k <= ASK_UNLESS; k++)
		for (size_t i = 0; i < r->lists[k].count; i++) {
			const struct condition *c = &r->lists[k].list[i];
			const struct location *at =
				refuses_first(r, c, k == ASK_UNLESS, o);

			if (at)
				lint_warn(l, &c->location,
					  "nobody is ever asked: line %zu of "
					  "%s, %s, refuses all that this asks "
					  "about",
					  at->line, at->file, at->rule);
		}
}

/* ---- rules that meet ------------------------------------------------- */

/* r asks, and the other one may be about the same calls. */
static void warn_both(struct lint *l, const struct rules *r,
		      const struct rules *o)
{
	const struct conditions *c =
		r->ask_if.count > 0 ? &r->ask_if : &r->ask_unless;

	if (o->section == r->section && o->since <= r->layer)
		warn_refused_first(l, r, o);
	if (o->action == ACTION_ASK && o->section == r->section &&
	    c->count > 0 &&
	    (o == r ? c->list->location.file == r->location.file
		    : o->since <= r->layer))
		lint_warn(l, &c->list->location,
			  "this has no effect: line %zu of %s, %s, asks about "
			  "every call",
			  o->location.line, o->location.file, o->location.rule);
	if (o == r || !rules_ask(o))
		return;
	if ((r->barred | o->barred) == POLICY_ASK_ALL)
		lint_warn(l, &r->approval,
			  "nobody can be asked about what line %zu of %s, %s, "
			  "asks about as well, so it is refused: no way is in "
			  "both \"approve_in\"",
			  o->approval.line, o->approval.file, o->place.rule);
	else if (r->by && o->by && *r->by != '@' && *o->by != '@' &&
		 strcmp(r->by, o->by) != 0)
		lint_warn(l, &r->by_at,
			  "line %zu of %s, %s, wants another user, so only "
			  "root can approve what both ask about: name a group "
			  "that both are in",
			  o->by_at.line, o->by_at.file, o->by_at.rule);
}

static void warn_rules(struct lint *l, const struct rules *r)
{
	const char *call = policy_sections[r->section].call;
	const bool all = r == l->policy->all_tools;
	struct subject s = {.section = r->section,
			    .name = all ? "" : r->entry.name,
			    .len = r->entry.len};
	const struct rules *o;
	struct applying a;

	applying_begin(&a, l->policy, &s);
	while ((o = applying_next(&a)))
		if (!all || o == r)
			warn_both(l, r, o);
	if (!*call)
		return;
	s = (struct subject){
		.section = POLICY_METHODS, .name = call, .len = strlen(call)};
	applying_begin(&a, l->policy, &s);
	while ((o = applying_next(&a)))
		warn_both(l, r, o);
}

/* A rule that allows does not undo another one that asks.  Beside "default":
 * "allow", {} was meant to. */
static void warn_not_undone(struct lint *l, const struct rules *r)
{
	const struct rules *o, *all = l->policy->all_tools;
	const bool meant =
		r->decided ||
		(l->policy->fallback == ACTION_ALLOW &&
		 r->require.count + r->deny_if.count + r->limit_count == 0);
	const struct subject s = {.section = r->section,
				  .name = r->entry.name,
				  .len = r->entry.len};
	struct applying a;

	if (r == all || !meant || r->action != ACTION_ALLOW || rules_ask(r))
		return;
	applying_begin(&a, l->policy, &s);
	while ((o = applying_next(&a)))
		if (o != r && o->action == ACTION_ASK && o->since <= r->layer &&
		    (o == all || lint_covers(&o->entry, r))) {
			lint_warn(l, &r->place,
				  "line %zu of %s, %s, asks a person about "
				  "every call of this, and another entry does "
				  "not undo that: name there only what is to "
				  "be asked about",
				  o->location.line, o->location.file,
				  o->location.rule);
			return;
		}
}

static bool covers(const struct rules *r, const char *method)
{
	return r->section == POLICY_METHODS &&
	       name_glob(r->entry.folded, r->entry.folded_len, method,
			 strlen(method));
}

/* Methods that cannot wait, or that a client does not wait for. */
static void warn_methods(struct lint *l, const struct rules *r)
{
	static const char notice[] = "notifications/";

	if (r->section == POLICY_METHODS &&
	    (strncmp(r->entry.folded, notice, sizeof(notice) - 1) == 0 ||
	     covers(r, "notifications/initialized")))
		lint_warn(l, &r->place,
			  "a notification cannot wait for a person: what this "
			  "asks about is not passed on. Name the requests "
			  "alone");
	else if (covers(r, "initialize") || covers(r, "server/discover"))
		lint_warn(l, &r->place,
			  "a session begins with this, when the client can "
			  "show no question yet: name what is asked later");
}

void lint_asks(struct lint *l)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(l->policy, r))) {
		if (r->approval.rule && !rules_ask(r))
			lint_warn(l, &r->approval,
				  "this has no effect, as nothing in this "
				  "entry asks a person: write \"action\": "
				  "\"require_approval\", or \"ask_if\"");
		if (rules_ask(r) && !refuses(r->action))
			warn_rules(l, r);
		if (rules_ask(r))
			warn_methods(l, r);
		warn_not_undone(l, r);
	}
}
