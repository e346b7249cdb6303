/* All limits of a call: those of this process and those of the grant.  The
 * contract is in counters.h. */
#include "counters.h"

#include "../internal.h"
#include "windows.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct counters {
	struct windows *memory;
	struct backend *grant;       /* or NULL */
	const struct counter **list; /* of the policy: the grant's come last */
	size_t own, shared;
	int64_t rest; /* until then nothing waits: the last that did, did so in
			 vain */
	/* The question under way; those of the grant, if not all are. */
	struct question *q, part[COUNTERS_ASKED_MAX];
	size_t n, parts;
	bool count, refused; /* by memory */
	int64_t until;       /* it waits */
};

const struct rules *policy_rules_after(const struct policy *policy,
				       const struct rules *r)
{
	if (!r && policy->all_tools)
		return policy->all_tools;
	if (!r || r == policy->all_tools)
		return policy->first;
	return r->following;
}

bool policy_shares(const struct policy *policy)
{
	for (size_t i = 0; i < policy->counter_count; i++)
		if (policy->counters[i]->grant)
			return true;
	return false;
}

void backend_close(struct backend *b)
{
	if (b)
		b->ops->close(b);
}

static bool is_shared(const struct counters *c, const struct counter *counter)
{
	return c->grant && counter->grant;
}

/* Binds the grant to these counters. */
static bool bind(struct counters *c, bool start)
{
	if (!c->grant || c->shared == 0 || c->grant->bound == c)
		return true;
	if (!c->grant->ops->bind(c->grant, c->list + c->own, c->shared, start))
		return false;
	c->grant->bound = c;
	return true;
}

struct counters *counters_new(const struct policy *policy,
			      struct backend *grant,
			      const struct counters *from,
			      counters_report *report, void *context)
{
	struct counters *c = calloc(1, sizeof(*c));
	const char *trouble = "out of memory";
	bool fine = false;

	if (c) {
		c->grant = grant;
		c->list = calloc(policy->counter_count + 1,
				 sizeof(struct counter *));
	}
	if (c && c->list) {
		for (size_t i = 0; i < policy->counter_count; i++)
			if (!is_shared(c, policy->counters[i]))
				c->list[c->own++] = policy->counters[i];
		for (size_t i = 0; i < policy->counter_count; i++)
			if (is_shared(c, policy->counters[i]))
				c->list[c->own + c->shared++] =
					policy->counters[i];
		c->memory = windows_new(c->list, c->own,
					from ? from->memory : NULL);
	}
	if (c && c->memory) {
		for (size_t i = 0; from && i < from->memory->n; i++)
			windows_each(&from->memory->counts[i], windows_put,
				     c->memory);
		fine = bind(c, !from);
		if (!fine)
			trouble = grant->trouble;
	}
	if (fine)
		return c;
	report(context, trouble);
	counters_free(c);
	return NULL;
}

void counters_free(struct counters *c)
{
	if (!c)
		return;
	counters_drop(c);
	if (c->grant && c->grant->bound == c)
		c->grant->bound = NULL;
	windows_free(c->memory);
	free(c->list);
	free(c);
}

/* The answer of the grant, with that of memory, which cannot fail and counts
 * last. */
static enum counted settle(struct counters *c, enum counted answer, int64_t now)
{
	size_t part = 0;

	if (answer == COUNTED_LATER && now >= c->until) {
		c->grant->ops->drop(c->grant);
		/* The first that waits in vain is enough. */
		if (now >= c->rest)
			c->rest = now + COUNTERS_REST;
		answer = COUNTED_NOT;
	}
	if (answer == COUNTED_LATER)
		return answer;
	for (size_t i = 0; c->parts > 0 && i < c->n; i++)
		if (is_shared(c, c->q[i].counter))
			c->q[i] = c->part[part++];
	if (answer == COUNTED_YES && c->refused)
		answer = COUNTED_REFUSED;
	for (size_t i = 0; c->count && answer == COUNTED_YES && i < c->n; i++) {
		const struct question *q = &c->q[i];
		const uint64_t amount = windows_amount(c->q, c->n, i);

		if (amount > 0 && !is_shared(c, q->counter))
			windows_add(c->memory->of[q->counter->index], q->value,
				    now, amount);
	}
	c->n = c->parts = 0;
	return answer;
}

/* A method's limit and a tool's may share a sum, and find different amounts in
 * one call, which is counted once: then each asks for the largest. */
static void ask_for_largest(struct question *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; q[i].counter->sum && k < n; k++)
			if (q[k].counter == q[i].counter &&
			    q[k].value == q[i].value &&
			    q[k].amount < q[i].amount)
				q[k].amount = q[i].amount;
}

enum counted counters_ask(struct counters *c, struct question *q, size_t n,
			  bool count, int64_t now)
{
	size_t shared = 0;

	ask_for_largest(q, n);
	c->q = q;
	c->n = n;
	c->count = count;
	c->refused = false;
	c->parts = 0;
	for (size_t i = 0; i < n; i++) {
		if (is_shared(c, q[i].counter))
			c->part[shared++] = q[i];
		else if (!(count ? windows_ask : windows_tell)(c->memory, &q[i],
							       now))
			c->refused = true;
	}
	if (shared == 0)
		return settle(c, COUNTED_YES, now);
	c->parts = shared < n ? shared : 0;
	c->until = now < c->rest ? now : now + COUNTERS_WAIT;
	/* Other counters may have bound it since. */
	if (!bind(c, false))
		return settle(c, COUNTED_NOT, now);
	return settle(c,
		      c->grant->ops->ask(c->grant, c->parts ? c->part : q,
					 shared, count && !c->refused),
		      now);
}

enum counted counters_resume(struct counters *c, int64_t now)
{
	return settle(c, c->grant->ops->resume(c->grant), now);
}

void counters_drop(struct counters *c)
{
	if (c->n > 0)
		c->grant->ops->drop(c->grant);
	c->n = c->parts = 0;
}

int64_t counters_poll(struct counters *c, struct pollfd *p)
{
	int64_t due = -1;

	p->fd = -1;
	p->events = 0;
	if (c->grant)
		due = c->grant->ops->poll(c->grant, p);
	if (c->n > 0 && (due < 0 || due > c->until))
		due = c->until;
	return due;
}

const char *counters_trouble(const struct counters *c)
{
	return c->grant ? c->grant->trouble : "";
}

/* ---- looking on ------------------------------------------------------ */

/* Asks, and waits for the answer. */
static enum counted ask_and_wait(struct counters *c, struct question *q)
{
	enum counted answer = counters_ask(c, q, 1, false, host_now());
	struct pollfd p;

	while (answer == COUNTED_LATER) {
		int64_t wait = counters_poll(c, &p) - host_now();

		poll(&p, 1, wait > 0 ? (int)(wait / MILLISECOND) + 1 : 0);
		answer = counters_resume(c, host_now());
	}
	return answer;
}

bool counters_uses(const struct policy *policy, struct counters *counters,
		   policy_use *tell, void *context)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r)))
		for (size_t i = 0; i < r->limit_count; i++) {
			const struct limit *l = &r->limits[i];
			/* The least that a call can add. */
			struct question q = {.counter = l->count,
					     .max = l->max,
					     .window = l->length,
					     .amount = 1};
			struct limit_use use = {.rule = l->location.rule,
						.counter = l->counter,
						.words = l->words,
						.sum = l->amount != NULL,
						.max = l->max,
						.length = l->length,
						.values = l->count->values};

			if (l->session)
				continue;
			if (ask_and_wait(counters, &q) == COUNTED_NOT)
				return false;
			use.used = q.used;
			use.wait = q.wait;
			use.live = q.live;
			tell(context, &use);
		}
	return true;
}

bool counters_reset(const struct policy *policy, struct counters *counters,
		    const char *name)
{
	const struct rules *r = NULL;
	bool done = true;

	while (done && (r = policy_rules_after(policy, r)))
		for (size_t i = 0; done && i < r->limit_count; i++) {
			const struct limit *l = &r->limits[i];

			if (is_shared(counters, l->count) &&
			    (strcmp(l->counter, name) == 0 ||
			     strcmp(l->location.rule, name) == 0))
				done = counters->grant->ops->reset(
					counters->grant, l->count);
		}
	return done;
}
