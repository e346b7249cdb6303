/*
 * What a policy says of tools: "hide", and "tools" with its actions, reasons
 * and limits.  A key that is known but not built yet is a fault, so that no
 * rule is ever silently without effect.
 */
#include "loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND 1000000000LL

/* ---- limits ---------------------------------------------------------- */

static const struct span_name {
	const char *name;
	int64_t seconds;
} spans[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}};
static const char *const span_words[] = {"second", "minute", "hour", "day",
					 NULL};

/* Seconds of a window's name, or 0. */
static int64_t span_seconds(const char *s, size_t len)
{
	for (size_t i = 0; span_words[i]; i++)
		if (strlen(spans[i].name) == len &&
		    memcmp(spans[i].name, s, len) == 0)
			return spans[i].seconds;
	return 0;
}

/* A limit being read: the limit, and what its object said. */
struct draft {
	struct limit *limit;
	const char *on_deny;
};

static bool in_range(struct loader *l, const json_value *v, int64_t low,
		     int64_t high)
{
	char found[32] = "";

	if (v->type == json_integer && v->u.integer >= low &&
	    v->u.integer <= high)
		return true;
	if (v->type == json_integer)
		snprintf(found, sizeof(found), "%" PRId64, v->u.integer);
	if (v->type == json_double)
		snprintf(found, sizeof(found), "%g", v->u.dbl);
	loader_fault(l,
		     "a whole number from %" PRId64 " to %" PRId64
		     " was expected, not %s",
		     low, high, *found ? found : loader_type(v));
	return false;
}

static void read_max(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	if (in_range(l, v, 0, POLICY_LIMIT_MAX))
		d->limit->max = (uint32_t)v->u.integer;
}

static void read_window(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;
	int64_t seconds;

	if (v->type != json_string) {
		if (in_range(l, v, 1, POLICY_WINDOW_SECONDS))
			d->limit->length = v->u.integer * SECOND;
		return;
	}
	seconds = span_seconds(v->u.string.ptr, v->u.string.length);
	if (seconds == 0)
		loader_unknown(l, "window", v->u.string.ptr, v->u.string.length,
			       span_words);
	d->limit->length = seconds * SECOND;
}

static void read_scope(struct loader *l, const json_value *v, void *into)
{
	static const char *const words[] = {"session", "grant", NULL};

	/* Both are counted in this process for now: a grant's counters are
	 * not shared yet. */
	(void)into;
	if (loader_want(l, v, json_string, "\"session\" or \"grant\"") &&
	    !loader_is(v, "session") && !loader_is(v, "grant"))
		loader_unknown(l, "scope", v->u.string.ptr, v->u.string.length,
			       words);
}

static void read_counter(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	if (loader_want(l, v, json_string, "the counter's name, a string") &&
	    v->u.string.length == 0)
		loader_fault(l, "the counter's name is empty");
}

static void read_reason(struct loader *l, const json_value *v, void *into)
{
	const char **reason = into;

	if (!loader_want(l, v, json_string, "a string that the agent is told"))
		return;
	if (v->u.string.length > POLICY_REASON_BYTES)
		loader_fault(l, "longer than %zu bytes", POLICY_REASON_BYTES);
	else
		*reason = loader_keep_escaped(l, v->u.string.ptr,
					      v->u.string.length);
}

static void read_on_deny(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	read_reason(l, v, &d->on_deny);
}

/* "at most 10 calls a minute" */
static const char *limit_words(struct loader *l, const struct limit *limit)
{
	const char *unit = NULL, *calls = limit->max == 1 ? "call" : "calls";
	int64_t seconds = limit->length / SECOND;
	char words[80];

	for (size_t i = 0; span_words[i]; i++)
		if (spans[i].seconds == seconds)
			unit = spans[i].name;
	if (unit)
		snprintf(words, sizeof(words), "at most %u %s %s %s",
			 limit->max, calls, seconds == 3600 ? "an" : "a", unit);
	else
		snprintf(words, sizeof(words), "at most %u %s in %lld seconds",
			 limit->max, calls, (long long)seconds);
	return loader_keep(l, words, strlen(words));
}

static void finish_limit(struct loader *l, struct draft *d)
{
	d->limit->index = l->policy->limit_count++;
	d->limit->rule = loader_keep_rule(l, "");
	d->limit->reason = d->on_deny ? d->on_deny : limit_words(l, d->limit);
}

static const struct loader_key limit_keys[] = {
	{"max", read_max},
	{"window", read_window},
	{"counter", read_counter},
	{"scope", read_scope},
	{"on_deny", read_on_deny},
	{"increment_from", NULL},
	{NULL, NULL},
};

static const struct loader_key rate_keys[] = {
	{"max", read_max},
	{"window", read_window},
	{NULL, NULL},
};

static void read_limit(struct loader *l, const json_value *v,
		       const struct loader_key *keys, struct limit *limit)
{
	struct draft d = {.limit = limit};
	unsigned seen;

	if (!loader_want(l, v, json_object, "an object with max and window"))
		return;
	seen = loader_object(l, v, keys, &d);
	if (!(seen & 1u))
		loader_fault(l,
			     "\"max\" is missing: how many calls are allowed "
			     "in a window");
	if (!(seen & 2u))
		loader_fault(
			l, "\"window\" is missing: second, minute, hour, day, "
			   "or a number of seconds");
	finish_limit(l, &d);
}

/* Room for count limits more of an entry. */
static struct limit *add_limits(struct loader *l, struct rules *r, size_t count)
{
	size_t have = r->limit_count;
	struct limit *all =
		arena_take(&l->policy->arena, (have + count) * sizeof(*all));

	if (!all) {
		loader_fault(l, "out of memory");
		return NULL;
	}
	if (have > 0)
		memcpy(all, r->limits, have * sizeof(*all));
	r->limits = all;
	r->limit_count = have + count;
	return all + have;
}

static void read_limits(struct loader *l, const json_value *v, void *into)
{
	struct limit *limits;

	if (!loader_want(l, v, json_array, "an array of limits"))
		return;
	limits = add_limits(l, into, v->u.array.length);
	for (unsigned i = 0; limits && i < v->u.array.length; i++) {
		size_t mark = loader_enter_index(l, i);

		read_limit(l, v->u.array.values[i], limit_keys, &limits[i]);
		loader_leave(l, mark);
	}
}

/* "10/minute" */
static void read_rate_text(struct loader *l, const char *s, size_t len,
			   struct limit *limit)
{
	struct draft d = {.limit = limit};
	int64_t max = 0;
	size_t at = 0;

	while (at < len && s[at] >= '0' && s[at] <= '9' &&
	       max <= POLICY_LIMIT_MAX)
		max = max * 10 + (s[at++] - '0');
	if (at > 0 && max <= POLICY_LIMIT_MAX && at < len && s[at] == '/')
		limit->length = SECOND * span_seconds(s + at + 1, len - at - 1);
	if (limit->length == 0)
		loader_fault(
			l,
			"\"%s\" is no rate: write \"10/minute\", with second, "
			"minute, hour or day, and a number of at most %d",
			loader_show(s, len).text, POLICY_LIMIT_MAX);
	limit->max = (uint32_t)max;
	finish_limit(l, &d);
}

static void read_rate_limit(struct loader *l, const json_value *v, void *into)
{
	struct limit *limit = add_limits(l, into, 1);

	if (!limit)
		return;
	if (v->type == json_string)
		read_rate_text(l, v->u.string.ptr, v->u.string.length, limit);
	else if (loader_want(l, v, json_object,
			     "{\"max\": 10, \"window\": 60} or \"10/minute\""))
		read_limit(l, v, rate_keys, limit);
}

/* ---- entries --------------------------------------------------------- */

static void read_action(struct loader *l, const json_value *v, void *into)
{
	static const char *const words[] = {"allow", "deny", "hide", NULL};
	struct rules *r = into;

	if (!loader_want(l, v, json_string, "allow, deny or hide"))
		return;
	if (loader_is(v, "allow"))
		r->action = ACTION_ALLOW;
	else if (loader_is(v, "deny"))
		r->action = ACTION_DENY;
	else if (loader_is(v, "hide"))
		r->action = ACTION_HIDE;
	else if (loader_is(v, "require_approval"))
		loader_fault(l,
			     "this version of weir does not have "
			     "\"require_approval\" yet: deny the tool instead");
	else
		loader_unknown(l, "action", v->u.string.ptr, v->u.string.length,
			       words);
}

static void read_rules_reason(struct loader *l, const json_value *v, void *into)
{
	struct rules *r = into;

	read_reason(l, v, &r->reason);
}

static const struct loader_key rules_keys[] = {
	{"action", read_action},
	{"reason", read_rules_reason},
	{"limits", read_limits},
	{"rate_limit", read_rate_limit},
	{"require", NULL},
	{"deny_if", NULL},
	{NULL, NULL},
};

/* A new entry for the tools of this name, or NULL after a fault. */
static struct rules *add_entry(struct loader *l, const char *name, size_t len)
{
	struct policy *p = l->policy;
	struct rules *r;
	char *folded;

	if (len == 0 || len > MESSAGE_NAME_BYTES) {
		loader_fault(l, "a tool's name has 1 to %zu bytes",
			     MESSAGE_NAME_BYTES);
		return NULL;
	}
	r = arena_take(&p->arena, sizeof(*r));
	folded = arena_take(&p->arena, len);
	if (!r || !folded) {
		loader_fault(l, "out of memory");
		return NULL;
	}
	r->entry.name = loader_keep(l, name, len);
	r->entry.len = len;
	r->entry.folded = folded;
	r->entry.folded_len = name_fold(name, len, folded);
	r->entry.glob = memchr(name, '*', len) || memchr(name, '?', len);
	r->reason = "the policy does not allow this tool";
	if (p->last)
		p->last->following = r;
	else
		p->first = r;
	p->last = r;
	return r;
}

void rules_read_hide(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	if (!loader_want(l, v, json_array, "an array of names"))
		return;
	for (unsigned i = 0; i < v->u.array.length; i++) {
		const json_value *name = v->u.array.values[i];
		size_t mark = loader_enter_index(l, i);
		struct rules *r = NULL;

		if (loader_want(l, name, json_string, "a tool's name"))
			r = add_entry(l, name->u.string.ptr,
				      name->u.string.length);
		if (r) {
			r->action = ACTION_HIDE;
			r->rule = "(hidden)";
			names_add(&l->policy->names, &r->entry);
		}
		loader_leave(l, mark);
	}
}

static void read_tool(struct loader *l, const json_object_entry *e)
{
	struct rules *r = add_entry(l, e->name, e->name_length);
	const struct entry *other;

	if (!r)
		return;
	/* One name may be in hide and here, but not here twice. */
	other = names_same(&l->policy->names, &r->entry);
	if (other && ((const struct rules *)other)->rule[0] == '/')
		loader_fault(l, "this tool is there twice");
	names_add(&l->policy->names, &r->entry);
	r->rule = loader_keep_rule(l, "action");
	if (loader_want(l, e->value, json_object,
			"an object of rules ({} allows the tool)"))
		loader_object(l, e->value, rules_keys, r);
}

void rules_read_tools(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	if (!loader_want(l, v, json_object, "an object of tools"))
		return;
	for (unsigned i = 0; i < v->u.object.length; i++) {
		const json_object_entry *e = &v->u.object.values[i];
		size_t mark = loader_enter(l, e->name, e->name_length);

		read_tool(l, e);
		loader_leave(l, mark);
	}
}

bool rules_have(const json_object_entry *e)
{
	return loader_find(rules_keys, e) != NULL;
}
