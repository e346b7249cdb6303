/* What a policy's limits have counted, in this process. */
#include "internal.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

struct counters {
	struct window *windows; /* one for each limit of the policy */
	int64_t *times;
	void *scratch; /* what the policy's regexes work in */
};

/* The rules after r, which is NULL at first; all_tools is the first of all. */
static const struct rules *rules_after(const struct policy *policy,
				       const struct rules *r)
{
	if (!r && policy->all_tools)
		return policy->all_tools;
	if (!r || r == policy->all_tools)
		return policy->first;
	return r->following;
}

struct counters *counters_new(const struct policy *policy)
{
	struct counters *c = calloc(1, sizeof(*c));
	const struct rules *r = NULL;
	size_t places = 0;

	if (!c)
		return NULL;
	while ((r = rules_after(policy, r)))
		for (size_t i = 0; i < r->limit_count; i++)
			places += r->limits[i].max;
	c->windows = calloc(policy->limit_count + 1, sizeof(*c->windows));
	c->times = calloc(places + 1, sizeof(*c->times));
	c->scratch = malloc(policy->scratch + 1);
	if (!c->windows || !c->times || !c->scratch) {
		counters_free(c);
		return NULL;
	}
	places = 0;
	while ((r = rules_after(policy, r)))
		for (size_t i = 0; i < r->limit_count; i++) {
			struct window *w = &c->windows[r->limits[i].index];

			w->times = c->times + places;
			w->max = r->limits[i].max;
			w->length = r->limits[i].length;
			places += w->max;
		}
	return c;
}

void counters_free(struct counters *counters)
{
	if (!counters)
		return;
	free(counters->windows);
	free(counters->times);
	free(counters->scratch);
	free(counters);
}

struct window *counters_window(struct counters *c, const struct limit *limit)
{
	return &c->windows[limit->index];
}

void *counters_scratch(const struct counters *c)
{
	return c->scratch;
}

/* The window of the old policy that the limit carries on, or NULL.  Limits with
 * one counter have counted the same calls: the one that knows most of them. */
static struct window *window_before(struct counters *from,
				    const struct rules *old,
				    const struct limit *l)
{
	struct window *most = NULL;

	for (size_t i = 0; old && i < old->limit_count; i++) {
		struct window *w = counters_window(from, &old->limits[i]);

		if (strcmp(old->limits[i].counter, l->counter) == 0 &&
		    (!most || w->count > most->count))
			most = w;
	}
	return most;
}

/* The last calls that w counted, the oldest first, as far as to holds them. */
static void carry(struct window *to, const struct window *w)
{
	uint32_t count = w->count < to->max ? w->count : to->max;

	for (uint32_t i = count; i > 0; i--)
		window_count(to, w->times[(w->next + w->max - i) % w->max]);
}

void counters_carry(struct counters *to, const struct policy *now,
		    struct counters *from, const struct policy *before)
{
	const struct rules *r = NULL, *old;

	while ((r = rules_after(now, r))) {
		old = r == now->all_tools
			      ? before->all_tools
			      : (const struct rules *)names_same(
					&before->names[r->section], &r->entry);
		for (size_t i = 0; i < r->limit_count; i++) {
			const struct limit *l = &r->limits[i];
			struct window *w = window_before(from, old, l);

			if (w && l->max > 0)
				carry(counters_window(to, l), w);
		}
	}
}
