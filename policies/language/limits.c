/*
 * Limits: how often, or for how much, something may be called; and the counters
 * that they share by name.
 */
#include "../judge/decimal.h"
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of windows, a list of words, and what they mean. */
static const char span_words[] = "second\0minute\0hour\0day\0week\0";
static const int64_t span_seconds[] = {1, 60, 3600, 86400, 604800};
#define SPANS (int)(sizeof(span_seconds) / sizeof(*span_seconds))

/* A limit being read: the limit, and what its object said. */
struct draft {
	struct limit *limit;
	const char *on_deny;
	bool sum;         /* it has an amount, so that max is one */
	bool per, values; /* these were there */
};

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
	else if (loader_in_range(l, v, 0, POLICY_LIMIT_MAX))
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
	int i;

	if (v->type != json_string) {
		if (loader_in_range(l, v, 1, POLICY_WINDOW_SECONDS))
			d->limit->length = v->u.integer * SECOND;
		return;
	}
	i = loader_choose(l, v, "", "window", span_words);
	if (i >= 0)
		d->limit->length = span_seconds[i] * SECOND;
}

static void read_scope(struct loader *l, const json_value *v, void *into)
{
	((struct draft *)into)->limit->session =
		loader_choose(l, v, "\"session\" or \"grant\"", "scope",
			      "session\0grant\0") == 0;
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

static void read_per(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;
	struct limit *limit = d->limit;

	d->per = true;
	if (!loader_want(l, v, json_string, "\"tool\", or a path, args.repo,"))
		return;
	if (loader_is(v, "tool"))
		limit->per_name = true;
	else
		conditions_read_value(l, v, &limit->value);
	limit->per =
		loader_keep_escaped(l, v->u.string.ptr, v->u.string.length);
}

static void read_values(struct loader *l, const json_value *v, void *into)
{
	struct draft *d = into;

	d->values = true;
	if (loader_in_range(l, v, 1, POLICY_VALUES_MAX))
		d->limit->values = (size_t)v->u.integer;
}

/* "a minute", "in 7 days" */
static void put_window(struct strbuf *out, int64_t length)
{
	int64_t seconds = length / SECOND;
	int unit = 3; /* days, else the longest that fits */

	for (int i = 0; i < SPANS; i++)
		if (span_seconds[i] == seconds) {
			strbuf_string(out, seconds == 3600 ? " an " : " a ");
			strbuf_string(out, policy_word(span_words, i));
			return;
		}
	while (seconds % span_seconds[unit] != 0)
		unit--;
	strbuf_string(out, " in ");
	strbuf_number(out, seconds / span_seconds[unit]);
	strbuf_string(out, " ");
	strbuf_string(out, policy_word(span_words, unit));
	strbuf_string(out, "s");
}

/* "at most 10 calls a minute", "at most 99.5 of args.amount a day for each
 * args.to" */
static const char *limit_words(struct loader *l, const struct limit *limit)
{
	size_t cap = 160 + (limit->max_text ? strlen(limit->max_text) : 0) +
		     (limit->path ? strlen(limit->path) : 0) +
		     (limit->per ? strlen(limit->per) : 0);
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
	if (limit->per) {
		strbuf_string(&out, " for each ");
		strbuf_string(&out, limit->per);
	}
	return out.ptr;
}

/* The three texts in one, kept. */
static const char *join(struct loader *l, const char *a, const char *b,
			const char *c)
{
	size_t len = strlen(a) + strlen(b) + strlen(c);
	struct strbuf out = {.ptr = loader_take(l, len + 1), .cap = len};

	if (!out.ptr)
		return "";
	strbuf_string(&out, a);
	strbuf_string(&out, b);
	strbuf_string(&out, c);
	return out.ptr;
}

static void finish_limit(struct loader *l, struct draft *d)
{
	struct limit *limit = d->limit;

	l->policy->limit_count++;
	/* Without a name, what it is called by is its place. */
	if (!limit->counter)
		limit->counter = strrchr(limit->location.rule, '/');
	else
		limit->named = true;
	limit->on_deny = d->on_deny;
	limit->words = limit_words(l, limit);
	limit->reason = d->on_deny ? d->on_deny : limit->words;
	if (limit->path)
		limit->invalid =
			join(l, limit->path,
			     " must be one number, and not negative", "");
	if (!limit->per) {
		if (d->values && !d->per)
			loader_fault(l, "\"values\" is for a limit with "
					"\"per\"");
		return;
	}
	limit->no_value =
		join(l, limit->per,
		     " must be a string, a number, true or false", "");
	limit->full = join(l, "too many different values of ", limit->per,
			   " at a time");
	if (!d->values && limit->path)
		limit->values = POLICY_VALUES_MAX;
	else if (!d->values && limit->max > 0)
		limit->values =
			limit->max > POLICY_VALUES_CALLS / POLICY_VALUES_MAX
				? (size_t)(POLICY_VALUES_CALLS / limit->max)
				: POLICY_VALUES_MAX;
	else if (!d->values)
		limit->values = 1;
}

static const struct loader_key limit_keys[] = {
	{"max", read_max},
	{"window", read_window},
	{"counter", read_counter},
	{"scope", read_scope},
	{"on_deny", read_on_deny},
	{"increment_from", read_amount},
	{"per", read_per},
	{"values", read_values},
	{"description", loader_read_description},
	{"", NULL},
};

static const struct loader_key rate_keys[] = {
	{"max", read_max},
	{"window", read_window},
	{"", NULL},
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
			   "week, or a number of seconds");
	finish_limit(l, &d);
}

/* Room for count limits more of an entry. */
static struct limit *add_limits(struct loader *l, struct rules *r, size_t count)
{
	size_t have = r->limit_count;
	struct limit *all;

	if (count > COUNTERS_ASKED_MAX - have) {
		loader_fault(l, "an entry has at most %d limits",
			     COUNTERS_ASKED_MAX);
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

void limits_read(struct loader *l, const json_value *v, void *into)
{
	struct rules *r = into;
	struct more_limits m = {.before = r->listed};

	if (!loader_want_array(l, v, json_object,
			       v->type == json_string
				       ? "an array of limits (\"10/minute\" "
					 "is for \"rate_limit\")"
				       : "an array of limits"))
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
	if (at > 0 && max <= POLICY_LIMIT_MAX && s[at] == '/')
		for (int i = 0; i < SPANS; i++)
			if (strcmp(s + at + 1, policy_word(span_words, i)) == 0)
				limit->length = span_seconds[i] * SECOND;
	if (limit->length == 0)
		loader_fault(
			l,
			"\"%s\" is no rate: write \"10/minute\", with second, "
			"minute, hour, day or week, and a number of at most %d",
			loader_show(s, len).text, POLICY_LIMIT_MAX);
	limit->max = (uint64_t)max;
	finish_limit(l, &d);
}

void limits_read_rate(struct loader *l, const json_value *v, void *into)
{
	struct limit *limit = add_limits(l, into, 1);

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

/* ---- counters ---------------------------------------------------------- */

#define ALL_TOOLS POLICY_SECTIONS /* as its own section */

/* FNV-1a, over the bytes and their number. */
static uint64_t hash(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return (h ^ len) * UINT64_C(0x100000001b3);
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	return s ? hash(h, s, strlen(s)) : hash(h, "", 0);
}

/* A limit among all, with the hash of what makes its counter. */
struct sorted {
	struct limit *limit;
	uint64_t id; /* of the name, else of entry, window and path */
	size_t index;
};

static struct sorted sort_out(const struct policy *p, const struct rules *r,
			      struct limit *l, size_t index)
{
	const uint64_t section = r == p->all_tools ? ALL_TOOLS : r->section;
	struct sorted s = {.limit = l, .index = index};
	uint64_t entry =
		hash(UINT64_C(0xcbf29ce484222325), &section, sizeof(section));

	entry = hash(entry, r->entry.name, r->entry.len);
	s.id = l->named ? hash_text(1, l->counter)
			: hash(hash_text(hash_text(entry, l->path), l->per),
			       &l->length, sizeof(l->length)) ^
				  l->session;
	return s;
}

static int by_id(const void *a, const void *b)
{
	const struct sorted *s = a, *t = b;

	if (s->id != t->id)
		return s->id > t->id ? 1 : -1;
	return s->index > t->index ? 1 : -1;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Those of one name are one count, and so have to agree. */
static void agree(struct loader *l, const struct limit *a,
		  const struct limit *b)
{
	const char *what = a->session != b->session       ? "scope"
			   : !same_text(a->per, b->per)   ? "per"
			   : !same_text(a->path, b->path) ? "increment_from"
							  : NULL;

	if (what)
		loader_fault_at(l, &b->location,
				"counter \"%s\" has another \"%s\" in "
				"%s:%zu, %s: limits with one name share one "
				"count, so make them the same, or give them "
				"two names",
				a->counter, what, a->location.file,
				a->location.line, a->location.rule);
}

static int by_length(const void *a, const void *b)
{
	const int64_t *s = a, *t = b;

	return (*s > *t) - (*s < *t);
}

/* The one counter of n limits. */
static void make_counter(struct loader *l, const struct sorted *s, size_t n)
{
	struct policy *p = l->policy;
	const struct limit *first = s[0].limit;
	struct counter *c = loader_take(l, sizeof(*c));
	int64_t *windows = loader_take(l, n * sizeof(*windows));
	size_t count = 0;

	if (!c || !windows)
		return;
	*c = (struct counter){
		.id = s[0].id,
		.name = first->counter,
		.sum = first->amount != NULL,
		.grant = !first->session,
		.windows = windows,
		.index = p->counter_count,
	};
	if (first->named)
		c->id = hash_text(hash_text(c->id, first->path), first->per);
	for (size_t i = 0; i < n; i++) {
		struct limit *limit = s[i].limit;

		agree(l, first, limit);
		limit->count = c;
		windows[i] = limit->length;
		if (limit->max > c->max)
			c->max = limit->max;
		if (limit->values > c->values)
			c->values = limit->values;
		if (!c->sum && c->values * c->max > POLICY_VALUES_CALLS)
			loader_fault_at(l, &limit->location,
					"\"values\" times \"max\" is more "
					"than %d: make one of them smaller",
					POLICY_VALUES_CALLS);
	}
	qsort(windows, n, sizeof(*windows), by_length);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || windows[i] != windows[count - 1])
			windows[count++] = windows[i];
	c->window_count = count;
	c->window = windows[count - 1];
	p->counters[p->counter_count++] = c;
}

void limits_finish(struct loader *l)
{
	struct policy *p = l->policy;
	const struct rules *r = NULL;
	struct sorted *all = calloc(p->limit_count + 1, sizeof(*all));
	size_t n = 0, next;

	p->counters = loader_take(l, p->limit_count * sizeof(void *));
	if (!all || !p->counters) {
		if (!all)
			loader_fault(l, "out of memory");
		free(all);
		return;
	}
	while ((r = policy_rules_after(p, r)))
		for (size_t i = 0; i < r->limit_count; i++, n++)
			all[n] = sort_out(p, r, &r->limits[i], n);
	qsort(all, n, sizeof(*all), by_id);
	for (size_t i = 0; i < n; i = next) {
		for (next = i + 1; next < n && all[next].id == all[i].id;)
			next++;
		make_counter(l, &all[i], next - i);
	}
	free(all);
}
