/* Sliding windows in memory.  The contract is in windows.h. */
#include "windows.h"

#include <stdlib.h>
#include <string.h>

#define RING      (WINDOWS_PARTS + 1) /* the part under way is one more */
#define SPARE     2 /* values beyond those that may live: a call's two subjects */
#define KEPT_MOST 4000000 /* calls of one counter, for a policy of before */

struct value {
	uint64_t hash;
	int64_t last;  /* when it was counted last */
	uint64_t next; /* of calls: where the next time goes */
	uint64_t have; /* of calls: times in the ring */
	int64_t shut;  /* it may have been here before: refused until then */
	uint32_t chain, older, newer; /* indices from 1 */
};

struct part {
	int64_t at; /* its time in parts: which one it is */
	uint64_t amount;
};

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int64_t width_of(int64_t window)
{
	return window / WINDOWS_PARTS;
}

/* was: what held it before, or NULL.  As much is kept as before, for a policy
 * that comes back. */
static bool make_count(struct count *c, const struct counter *counter,
		       const struct count *was)
{
	size_t room = counter->values ? counter->values + SPARE : 1;
	uint32_t heads = 1;

	c->places = counter->max > 0 ? counter->max : 1;
	if (was) {
		const size_t rooms = was->room > room ? was->room : room;
		const uint64_t places =
			was->places > c->places ? was->places : c->places;

		if (counter->sum || rooms <= KEPT_MOST / places) {
			room = rooms;
			c->places = places;
		}
	}
	while (counter->values && heads < 2 * room)
		heads *= 2;
	c->counter = counter;
	c->longest = counter->window;
	c->room = room;
	c->mask = heads - 1;
	c->values = calloc(room, sizeof(*c->values));
	c->heads = calloc(heads, sizeof(*c->heads));
	/* Most of it is never touched. */
	if (counter->sum)
		c->parts = calloc(room * counter->window_count * RING,
				  sizeof(*c->parts));
	else
		c->times =
			calloc((size_t)(room * c->places), sizeof(*c->times));
	return c->values && c->heads && (c->parts || c->times);
}

static void name_id(struct windows *w, uint64_t id, struct count *c)
{
	size_t at = (size_t)id & w->mask;

	while (w->by_id[at].count)
		at = (at + 1) & w->mask;
	w->by_id[at].id = id;
	w->by_id[at].count = c;
}

struct count *windows_find(const struct windows *w, uint64_t id)
{
	size_t at = (size_t)id & w->mask;

	while (w->by_id[at].count && w->by_id[at].id != id)
		at = (at + 1) & w->mask;
	return w->by_id[at].count;
}

struct windows *windows_new(const struct counter *const *counters, size_t n,
			    const struct windows *before)
{
	struct windows *w = calloc(1, sizeof(*w));
	size_t most = 0, slots = 2;

	if (!w)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (counters[i]->index >= most)
			most = counters[i]->index + 1;
	while (slots < 2 * n)
		slots *= 2;
	w->mask = slots - 1;
	w->counts = calloc(n + 1, sizeof(*w->counts));
	w->of = calloc(most + 1, sizeof(struct count *));
	w->by_id = calloc(slots, sizeof(*w->by_id));
	if (!w->counts || !w->of || !w->by_id) {
		windows_free(w);
		return NULL;
	}
	for (; w->n < n; w->n++) {
		struct count *c = &w->counts[w->n];
		const struct count *was =
			before ? windows_find(before, counters[w->n]->id)
			       : NULL;

		if (!make_count(c, counters[w->n], was)) {
			w->n++;
			windows_free(w);
			return NULL;
		}
		w->of[c->counter->index] = c;
		name_id(w, c->counter->id, c);
	}
	return w;
}

void windows_free(struct windows *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++) {
		free(w->counts[i].values);
		free(w->counts[i].heads);
		free(w->counts[i].times);
		free(w->counts[i].parts);
	}
	free(w->counts);
	free(w->of);
	free(w->by_id);
	free(w);
}

/* The rings are as they are: a value that is taken again has none of them. */
void windows_clear_one(struct count *c)
{
	memset(c->heads, 0, (c->mask + (size_t)1) * sizeof(*c->heads));
	c->used = c->oldest = c->newest = 0;
	c->shut = 0;
}

void windows_clear(struct windows *w)
{
	for (size_t i = 0; i < w->n; i++) {
		w->counts[i].longest = w->counts[i].counter->window;
		w->counts[i].more = false;
		windows_clear_one(&w->counts[i]);
	}
}

static struct value *find(const struct count *c, uint64_t hash)
{
	uint32_t i = c->heads[hash & c->mask];

	while (i && c->values[i - 1].hash != hash)
		i = c->values[i - 1].chain;
	return i ? &c->values[i - 1] : NULL;
}

static struct part *ring_of(const struct count *c, const struct value *v,
			    size_t window)
{
	return c->parts +
	       ((size_t)(v - c->values) * c->counter->window_count + window) *
		       RING;
}

/* ---- values ------------------------------------------------------------ */

static void unlink_value(struct count *c, struct value *v)
{
	if (v->older)
		c->values[v->older - 1].newer = v->newer;
	else
		c->oldest = v->newer;
	if (v->newer)
		c->values[v->newer - 1].older = v->older;
	else
		c->newest = v->older;
}

static void link_newest(struct count *c, struct value *v)
{
	uint32_t index = (uint32_t)(v - c->values) + 1;

	v->older = c->newest;
	v->newer = 0;
	if (c->newest)
		c->values[c->newest - 1].newer = index;
	else
		c->oldest = index;
	c->newest = index;
}

/* How long until there is room for a value that is not there. */
static int64_t wait_for_room(const struct count *c, int64_t now)
{
	int64_t until = c->shut, run_out;

	if (c->counter->values > 0 && c->used >= c->counter->values) {
		run_out = c->values[c->oldest - 1].last + c->counter->window;
		until = run_out > until ? run_out : until;
	}
	return until > now ? until - now : 0;
}

/* The oldest, without what it was. */
static struct value *reuse(struct count *c, int64_t now)
{
	struct value *v = &c->values[c->oldest - 1];
	uint32_t *at = &c->heads[v->hash & c->mask];

	/* It lives: so no value is known to be new until it has run out, and
	 * not all is kept here.  That can only be when another policy's values
	 * are read. */
	if (now - v->last < c->counter->window) {
		c->more = true;
		if (v->last + c->counter->window > c->shut)
			c->shut = v->last + c->counter->window;
	}
	while (*at != c->oldest)
		at = &c->values[*at - 1].chain;
	*at = v->chain;
	unlink_value(c, v);
	return v;
}

/* A value that is not there. */
static struct value *take_value(struct count *c, uint64_t hash, int64_t now)
{
	const size_t may = c->counter->values ? c->counter->values : 1;
	struct value *v;

	if (c->used == c->room ||
	    (c->used >= may &&
	     now - c->values[c->oldest - 1].last >= c->counter->window))
		v = reuse(c, now);
	else
		v = &c->values[c->used++];
	*v = (struct value){.hash = hash,
			    .chain = c->heads[hash & c->mask],
			    .shut = c->shut};
	c->heads[hash & c->mask] = (uint32_t)(v - c->values) + 1;
	if (c->parts)
		memset(ring_of(c, v, 0), 0,
		       c->counter->window_count * RING * sizeof(*c->parts));
	link_newest(c, v);
	return v;
}

/* ---- asking ------------------------------------------------------------ */

/* The time of the call that is so many back, from 1. */
static int64_t time_back(const struct count *c, const struct value *v,
			 uint64_t back)
{
	const int64_t *ring = c->times + (size_t)(v - c->values) * c->places;

	return ring[v->next >= back ? v->next - back
				    : v->next + c->places - back];
}

/* Calls in the window. */
static uint64_t calls_in(const struct count *c, const struct value *v,
			 int64_t window, int64_t now)
{
	uint64_t low = 0, high = v->have;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (now - time_back(c, v, middle + 1) < window)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t window_index(const struct counter *c, int64_t window)
{
	size_t i = 0;

	while (i + 1 < c->window_count && c->windows[i] != window)
		i++;
	return i;
}

static void ask_sum(const struct count *c, const struct value *v,
		    struct question *q, int64_t now)
{
	const int64_t width = width_of(q->window), last = now / width;
	const struct part *ring =
		ring_of(c, v, window_index(q->counter, q->window));
	uint64_t must = 0, freed = 0;

	for (size_t i = 0; i < RING; i++)
		if (ring[i].at + WINDOWS_PARTS >= last)
			q->used = add(q->used, ring[i].amount);
	if (q->wait != 0 || q->used <= q->max - q->amount)
		return;
	must = q->used - (q->max - q->amount);
	for (int64_t at = last < WINDOWS_PARTS ? 0 : last - WINDOWS_PARTS;;
	     at++) {
		const struct part *p = &ring[at % RING];

		freed = add(freed, p->at == at ? p->amount : 0);
		if (freed < must && at < last)
			continue;
		q->wait = (at + RING) * width - now;
		return;
	}
}

bool windows_ask(const struct windows *w, struct question *q, int64_t now)
{
	const struct count *c = w->of[q->counter->index];
	const struct value *v = find(c, q->value);

	q->full = false;
	q->used = 0;
	q->wait = 0;
	if (c->parts ? q->amount > q->max : q->max == 0)
		q->wait = -1;
	if (!v || v->shut > now) {
		if (q->wait == 0)
			q->wait = v ? v->shut - now : wait_for_room(c, now);
		q->full = q->wait > 0;
	} else if (c->parts) {
		ask_sum(c, v, q, now);
	} else if (q->wait == 0 && v->have >= q->max) {
		int64_t went = now - time_back(c, v, q->max);

		q->wait = went < q->window ? q->window - went : 0;
	}
	return q->wait == 0;
}

/* Of one value. */
static void tell_one(const struct windows *w, struct question *q, int64_t now)
{
	const struct count *c = w->of[q->counter->index];
	const struct value *v = find(c, q->value);

	windows_ask(w, q, now);
	if (v && !c->parts)
		q->used = calls_in(c, v, q->window, now);
}

bool windows_tell(const struct windows *w, struct question *q, int64_t now)
{
	const struct count *c = w->of[q->counter->index];
	const bool most = q->value == 0 && c->counter->values > 0;
	struct question told = *q;
	size_t live = 0;
	const struct value *v;

	tell_one(w, &told, now);
	for (uint32_t i = c->newest; i; i = v->older) {
		struct question of = *q;

		v = &c->values[i - 1];
		if (now - v->last >= c->counter->window)
			break;
		of.value = v->hash;
		if (most)
			tell_one(w, &of, now);
		if (most && (live == 0 || of.used > told.used))
			told = of;
		live++;
	}
	told.value = q->value;
	told.live = live;
	*q = told;
	return q->wait == 0;
}

/* ---- counting ---------------------------------------------------------- */

static void add_part(struct part *ring, int64_t width, int64_t time,
		     uint64_t amount)
{
	struct part *p = &ring[time / width % RING];

	if (p->at > time / width)
		return; /* it is outside the window */
	if (p->at < time / width)
		*p = (struct part){.at = time / width};
	p->amount = add(p->amount, amount);
}

/* The value, which is counted at this time. */
static struct value *touch(struct count *c, uint64_t hash, int64_t *time)
{
	struct value *v = find(c, hash);

	if (!v)
		v = take_value(c, hash, *time);
	else if (v->newer) {
		unlink_value(c, v);
		link_newest(c, v);
	}
	if (*time < v->last)
		*time = v->last;
	v->last = *time;
	return v;
}

void windows_add(struct count *c, uint64_t value, int64_t time, uint64_t amount)
{
	struct value *v = touch(c, value, &time);

	if (!c->parts) {
		c->times[(size_t)(v - c->values) * c->places + v->next] = time;
		v->next = v->next + 1 < c->places ? v->next + 1 : 0;
		v->have += v->have < c->places;
		return;
	}
	for (size_t i = 0; i < c->counter->window_count; i++)
		add_part(ring_of(c, v, i), width_of(c->counter->windows[i]),
			 time, amount);
}

static bool same(const struct question *a, const struct question *b)
{
	return a->counter == b->counter && a->value == b->value;
}

uint64_t windows_amount(const struct question *q, size_t n, size_t i)
{
	uint64_t amount = q[i].amount;

	for (size_t k = 0; k < i; k++)
		if (same(&q[k], &q[i]))
			return 0;
	for (size_t k = i + 1; k < n; k++)
		if (same(&q[k], &q[i]) && q[k].amount > amount)
			amount = q[k].amount;
	return amount;
}

void windows_count(struct windows *w, const struct question *q, size_t n,
		   int64_t now)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t amount = windows_amount(q, n, i);

		if (amount > 0)
			windows_add(w->of[q[i].counter->index], q[i].value, now,
				    amount);
	}
}

/* ---- pieces ------------------------------------------------------------ */

static bool each_call(const struct count *c, const struct value *v,
		      struct piece *p, windows_take *take, void *context)
{
	const int64_t *ring = c->times + (size_t)(v - c->values) * c->places;
	uint64_t at = v->next >= v->have ? v->next - v->have
					 : v->next + c->places - v->have;

	for (uint64_t left = v->have; left > 0; left -= p->n) {
		p->words = ring + at;
		p->n = (size_t)(left < c->places - at ? left : c->places - at);
		if (p->n > PIECE_WORDS)
			p->n = PIECE_WORDS;
		if (!take(context, p))
			return false;
		at = at + p->n < c->places ? at + p->n : 0;
	}
	return true;
}

/* A part's time is its end, or when the last was spent. */
static bool each_sum(const struct count *c, const struct value *v,
		     struct piece *p, windows_take *take, void *context)
{
	int64_t words[2 * RING];

	p->words = words;
	for (size_t i = 0; i < c->counter->window_count; i++) {
		const struct part *ring = ring_of(c, v, i);
		int64_t width = width_of(c->counter->windows[i]);
		int64_t last = v->last / width;
		int64_t at = last < WINDOWS_PARTS ? 0 : last - WINDOWS_PARTS;

		p->low = i > 0 ? c->counter->windows[i - 1] : 0;
		p->high = i + 1 < c->counter->window_count
				  ? c->counter->windows[i]
				  : INT64_MAX;
		for (p->n = 0; at <= last; at++) {
			const struct part *r = &ring[at % RING];

			if (r->at != at || r->amount == 0)
				continue;
			words[p->n] = (at + 1) * width - 1;
			if (words[p->n] > v->last)
				words[p->n] = v->last;
			words[p->n + 1] = (int64_t)r->amount;
			p->n += 2;
		}
		if (p->n > 0 && !take(context, p))
			return false;
	}
	p->words = NULL;
	return true;
}

bool windows_each(const struct count *c, windows_take *take, void *context)
{
	for (uint32_t i = c->oldest; i; i = c->values[i - 1].newer) {
		const struct value *v = &c->values[i - 1];
		struct piece p = {.id = c->counter->id,
				  .value = v->hash,
				  .sum = c->parts != NULL};

		if (!(p.sum ? each_sum : each_call)(c, v, &p, take, context))
			return false;
	}
	return true;
}

bool windows_put(void *context, const struct piece *p)
{
	struct count *c = windows_find(context, p->id);
	int64_t last;
	struct value *v;

	if (!c || p->sum != (c->parts != NULL) || p->n == 0)
		return true;
	for (size_t i = 0; !p->sum && i < p->n; i++)
		windows_add(c, p->value, p->words[i], 1);
	if (!p->sum)
		return true;
	last = p->words[p->n - 2];
	v = touch(c, p->value, &last);
	for (size_t k = 0; k < c->counter->window_count; k++) {
		int64_t window = c->counter->windows[k];

		if (window <= p->low || window > p->high)
			continue;
		for (size_t i = 0; i + 1 < p->n; i += 2)
			add_part(ring_of(c, v, k), width_of(window),
				 p->words[i], (uint64_t)p->words[i + 1]);
	}
	return true;
}
