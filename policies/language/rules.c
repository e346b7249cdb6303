/*
 * What a policy says of a tool, prompt, resource or method: actions, reasons
 * and limits.  A key that is known but not built yet is a fault, so that no
 * rule is ever silently without effect.
 */
#include "../judge/decimal.h"
#include "../counters/ledger.h"
#include "loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What one file says of an entry. */
struct saying {
	struct rules *rules;
	enum action action;
	struct location location;
	const char *reason;
};

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
	bool sum; /* it has an amount, so that max is one */
};

static bool in_range(struct loader *l, const json_value *v, int64_t low,
		     int64_t high)
{
	struct span found = loader_span(l);

	if (v->type == json_integer && v->u.integer >= low &&
	    v->u.integer <= high)
		return true;
	loader_fault(l,
		     "a whole number from %" PRId64 " to %" PRId64
		     " was expected, in digits alone, not %s",
		     low, high,
		     v->type == json_integer || v->type == json_double
			     ? loader_show(found.ptr, found.len).text
			     : loader_type(v));
	return false;
}

/* The max of a sum: a decimal, in millionths. */
static void read_max_sum(struct loader *l, const json_value *v,
			 struct limit *limit)
{
	struct span found = loader_span(l);
	bool number = v->type == json_integer || v->type == json_double;
	struct decimal d;
	bool exact = false;

	if (number && decimal_read(found.ptr, found.len, &d) && d.sign >= 0)
		limit->max = decimal_millionths(&d, &exact);
	if (!exact || limit->max > POLICY_SUM_MAX * UINT64_C(1000000))
		loader_fault(l,
			     "a number from 0 to %lld was expected, with at "
			     "most 6 digits after the point, not %s",
			     (long long)POLICY_SUM_MAX,
			     number ? loader_show(found.ptr, found.len).text
				    : loader_type(v));
	limit->max_text = loader_keep(l, found.ptr, found.len);
}

static void read_max(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	if (d->sum)
		read_max_sum(l, v, d->limit);
	else if (in_range(l, v, 0, POLICY_LIMIT_MAX))
		d->limit->max = (uint64_t)v->u.integer;
}

static void read_amount(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	conditions_read_amount(l, v, &d->limit->amount);
	if (v->type == json_string)
		d->limit->path = loader_keep_escaped(l, v->u.string.ptr,
						     v->u.string.length);
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

	((struct draft *)into)->limit->session = loader_is(v, "session");
	if (loader_want(l, v, json_string, "\"session\" or \"grant\"") &&
	    !loader_is(v, "session") && !loader_is(v, "grant"))
		loader_unknown(l, "scope", v->u.string.ptr, v->u.string.length,
			       words);
}

static void read_counter(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	if (!loader_want(l, v, json_string, "the counter's name, a string"))
		return;
	if (v->u.string.length == 0)
		loader_fault(l, "the counter's name is empty");
	d->limit->counter =
		loader_keep_escaped(l, v->u.string.ptr, v->u.string.length);
}

static void read_on_deny(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	loader_read_reason(l, v, &d->on_deny);
}

/* "a minute" */
static void put_window(struct strbuf *out, int64_t length)
{
	int64_t seconds = length / SECOND;

	for (size_t i = 0; span_words[i]; i++)
		if (spans[i].seconds == seconds) {
			strbuf_string(out, seconds == 3600 ? " an " : " a ");
			strbuf_string(out, spans[i].name);
			return;
		}
	strbuf_string(out, " in ");
	strbuf_number(out, seconds);
	strbuf_string(out, " seconds");
}

/* "at most 10 calls a minute", "at most 99.5 of args.amount a day" */
static const char *limit_words(struct loader *l, const struct limit *limit)
{
	size_t cap = 128 + (limit->max_text ? strlen(limit->max_text) : 0) +
		     (limit->path ? strlen(limit->path) : 0);
	struct strbuf out = {.ptr = loader_take(l, cap), .cap = cap - 1};

	if (!out.ptr)
		return "";
	strbuf_string(&out, "at most ");
	if (limit->path) {
		strbuf_string(&out, limit->max_text ? limit->max_text : "");
		strbuf_string(&out, " of ");
		strbuf_string(&out, limit->path);
	} else {
		strbuf_number(&out, (int64_t)limit->max);
		strbuf_string(&out, limit->max == 1 ? " call" : " calls");
	}
	put_window(&out, limit->length);
	return out.ptr;
}

/* What a call is told that has no amount to count. */
static const char *unfit_words(struct loader *l, const struct limit *limit)
{
	static const char rest[] = " must be one number, and not negative";
	char *words = loader_take(l, strlen(limit->path) + sizeof(rest));

	if (!words)
		return "";
	strcpy(words, limit->path);
	strcat(words, rest);
	return words;
}

static void finish_limit(struct loader *l, struct draft *d)
{
	struct limit *limit = d->limit;

	l->policy->limit_count++;
	/* Without a name, what it is called by is its place. */
	if (!limit->counter)
		limit->counter = strrchr(limit->location.rule, '/');
	limit->on_deny = d->on_deny;
	limit->words = limit_words(l, limit);
	limit->reason = d->on_deny ? d->on_deny : limit->words;
	if (limit->path)
		limit->invalid = unfit_words(l, limit);
}

static const struct loader_key limit_keys[] = {
	{"max", read_max},
	{"window", read_window},
	{"counter", read_counter},
	{"scope", read_scope},
	{"on_deny", read_on_deny},
	{"increment_from", read_amount},
	{"description", loader_read_description},
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
	for (unsigned i = 0; i < v->u.object.length; i++)
		d.sum |= strcmp(v->u.object.values[i].name, "increment_from") ==
			 0;
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
	struct limit *all;

	if (count > LEDGER_ASKED_MAX - have) {
		loader_fault(l, "an entry has at most %d limits",
			     LEDGER_ASKED_MAX);
		return NULL;
	}
	all = loader_take(l, (have + count) * sizeof(*all));
	if (!all)
		return NULL;
	if (have > 0)
		memcpy(all, r->limits, have * sizeof(*all));
	r->limits = all;
	r->limit_count = have + count;
	return all + have;
}

/* Limits being read: where they go, and how many "limits" of the entry were
 * read before, in files below this one. */
struct more_limits {
	struct limit *limits;
	size_t before;
};

static void read_one_limit(struct loader *l, const json_value *v, size_t index,
			   void *into)
{
	struct more_limits *m = into;
	struct limit *limit = &m->limits[index];

	limit->location = loader_location_at(l, m->before + index);
	read_limit(l, v, limit_keys, limit);
}

static void read_limits(struct loader *l, const json_value *v, void *into)
{
	struct rules *r = ((struct saying *)into)->rules;
	struct more_limits m = {.before = r->listed};

	if (!loader_want(l, v, json_array, "an array of limits"))
		return;
	m.limits = add_limits(l, r, v->u.array.length);
	if (!m.limits)
		return;
	r->listed += v->u.array.length;
	loader_elements(l, v, read_one_limit, &m);
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
	limit->max = (uint64_t)max;
	finish_limit(l, &d);
}

static void read_rate_limit(struct loader *l, const json_value *v, void *into)
{
	struct limit *limit = add_limits(l, ((struct saying *)into)->rules, 1);

	if (!limit)
		return;
	limit->location = loader_location(l);
	limit->rate = true;
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
