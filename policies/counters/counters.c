/* What a policy's limits have counted: in memory, and in the file of a grant.
 */
#include "../internal.h"
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_TOOLS   POLICY_SECTIONS /* as a section of its own */
#define TRIES       4   /* to bind meters that others move at the same time */
#define NAME_BYTES  200 /* of a grant's file, at most, without its ending */
#define FILE_ENDING ".limits"

/* The meters of one ledger, sorted as ledger_bind() wants them. */
struct metered {
	struct ledger *ledger;
	struct meter *meters;
	size_t count;
	uint64_t generation; /* of the ledger, when they were bound */
	bool begun;          /* a transaction */
	bool failed;         /* to begin it */
};

/* A grant's file. */
struct filed {
	struct backend b;
	struct ledger ledger;
};

struct counters {
	struct backend *grant; /* the file's; NULL: there is none */
	struct ledger memory;
	struct metered own, shared; /* by scope: session, grant */
	struct meter **of;          /* each counter's, by its index */
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
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r)))
		for (size_t i = 0; i < r->limit_count; i++)
			if (!r->limits[i].session)
				return true;
	return false;
}

/* ---- meters ---------------------------------------------------------- */

/* FNV-1a, over the bytes and their number. */
static uint64_t hash(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return (h ^ len) * UINT64_C(0x100000001b3);
}

static struct meter meter_of(const struct policy *policy, const struct rules *r,
			     const struct limit *l)
{
	struct meter m = {.kind = METER_CALLS, .tag = l->count->index};
	uint64_t section = r == policy->all_tools ? ALL_TOOLS : r->section;

	m.base = hash(UINT64_C(0xcbf29ce484222325), &section, sizeof(section));
	m.base = hash(m.base, r->entry.name, r->entry.len);
	m.base = hash(m.base, l->counter, strlen(l->counter));
	m.key = m.base;
	m.places = l->max + 1;
	if (l->amount) {
		m.kind = METER_SUM;
		m.key = hash(m.key, &l->length, sizeof(l->length));
		m.key = hash(m.key, l->path, strlen(l->path));
		m.places = 0;
		m.width = l->length / LEDGER_PARTS;
	}
	return m;
}

static int by_base(const void *a, const void *b)
{
	const struct meter *m = a, *n = b;

	return (m->base > n->base) - (m->base < n->base);
}

/* Fills in the meters of the limits that are counted in memory, or not. */
static void list_meters(struct counters *c, struct metered *list,
			const struct policy *policy, bool in_memory)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r)))
		for (size_t i = 0; i < r->limit_count; i++) {
			const struct limit *l = &r->limits[i];
			bool memory = l->session || !c->shared.ledger;

			if (memory == in_memory)
				list->meters[list->count++] =
					meter_of(policy, r, l);
		}
	qsort(list->meters, list->count, sizeof(*list->meters), by_base);
	for (size_t i = 0; i < list->count; i++)
		c->of[list->meters[i].tag] = &list->meters[i];
}

static bool bind(struct metered *list, struct ledger *from)
{
	if (!ledger_bind(list->ledger, list->meters, list->count, from))
		return false;
	list->generation = list->ledger->generation;
	return true;
}

struct counters *counters_new(const struct policy *policy,
			      struct backend *grant,
			      const struct counters *from,
			      counters_report *report, void *context)
{
	struct counters *c = calloc(1, sizeof(*c));
	size_t count = policy->limit_count + 1;
	const char *trouble = "out of memory";

	if (!c) {
		report(context, trouble);
		return NULL;
	}
	ledger_memory(&c->memory);
	c->grant = grant;
	c->own.ledger = &c->memory;
	c->shared.ledger = grant ? &((struct filed *)grant)->ledger : NULL;
	c->own.meters = calloc(count, sizeof(*c->own.meters));
	c->shared.meters = calloc(count, sizeof(*c->shared.meters));
	c->of = calloc(count, sizeof(struct meter *));
	if (c->own.meters && c->shared.meters && c->of) {
		list_meters(c, &c->own, policy, true);
		list_meters(c, &c->shared, policy, false);
		if (!bind(&c->own,
			  from ? (struct ledger *)&from->memory : NULL))
			trouble = c->memory.store.trouble;
		else if (c->shared.count > 0 && !bind(&c->shared, NULL))
			trouble = c->shared.ledger->store.trouble;
		else
			return c;
	}
	report(context, trouble);
	counters_free(c);
	return NULL;
}

void counters_free(struct counters *counters)
{
	if (!counters)
		return;
	ledger_close(&counters->memory);
	free(counters->own.meters);
	free(counters->shared.meters);
	free(counters->of);
	free(counters);
}

/* ---- one call -------------------------------------------------------- */

static bool try_begin(struct metered *list, int64_t now)
{
	struct ledger *l = list->ledger;

	for (int i = 0; i < TRIES; i++) {
		/* Other counters may have bound it since. */
		if (list->generation != l->generation && !bind(list, NULL))
			return false;
		switch (ledger_begin(l, now)) {
		case LEDGER_READY:
			return true;
		case LEDGER_MOVED:
			l->generation = 0;
			break;
		case LEDGER_TROUBLE:
			return false;
		}
	}
	store_fail(&l->store, "keeps getting new limits");
	return false;
}

/* Begins a transaction, if none is under way.  What failed for one limit of a
 * call fails for all: none waits for a lock once more. */
static bool begin(struct metered *list, int64_t now)
{
	if (!list->begun && !list->failed) {
		list->begun = try_begin(list, now);
		list->failed = !list->begun;
	}
	return list->begun;
}

static void end(struct metered *list)
{
	if (list->begun)
		ledger_end(list->ledger);
	list->begun = list->failed = false;
}

enum counted counters_ask(struct counters *c, struct question *q, size_t n,
			  bool count, int64_t now)
{
	enum counted answer = COUNTED_YES;

	for (size_t i = 0; i < n && answer != COUNTED_NOT; i++) {
		struct metered *list = q[i].counter->grant && c->shared.ledger
					       ? &c->shared
					       : &c->own;
		const struct meter *m = c->of[q[i].counter->index];

		if (!begin(list, now) ||
		    !ledger_ask(list->ledger, m, q[i].max, q[i].window,
				q[i].amount, &q[i].wait) ||
		    (q[i].wait != 0 &&
		     !ledger_used(list->ledger, m, q[i].window, &q[i].used)))
			answer = COUNTED_NOT;
		else if (q[i].wait != 0)
			answer = COUNTED_REFUSED;
	}
	/* What memory counts cannot fail, and so comes last. */
	count &= answer == COUNTED_YES;
	if (count && c->shared.begun && !ledger_commit(c->shared.ledger))
		answer = COUNTED_NOT;
	else if (count && c->own.begun)
		ledger_commit(&c->memory);
	end(&c->own);
	end(&c->shared);
	return answer;
}

enum counted counters_resume(struct counters *c, int64_t now)
{
	(void)c;
	(void)now;
	return COUNTED_NOT;
}

void counters_drop(struct counters *c)
{
	(void)c;
}

int64_t counters_poll(struct counters *c, struct pollfd *p)
{
	(void)c;
	p->fd = -1;
	return -1;
}

const char *counters_trouble(const struct counters *c)
{
	if (c->memory.store.trouble[0])
		return c->memory.store.trouble;
	return c->shared.ledger ? c->shared.ledger->store.trouble : "";
}

/* ---- looking on ------------------------------------------------------ */

/* Does something with a limit, within a transaction of its own. */
typedef bool use_limit(struct counters *c, const struct limit *l,
		       void *context);

static bool each_shared(const struct policy *policy, struct counters *c,
			use_limit *use, void *context)
{
	const struct rules *r = NULL;
	bool done = true;

	while (done && (r = policy_rules_after(policy, r)))
		for (size_t i = 0; done && i < r->limit_count; i++) {
			if (r->limits[i].session)
				continue;
			/* Of a copy, the time is what it was then. */
			done = begin(&c->shared, c->shared.ledger->now) &&
			       use(c, &r->limits[i], context);
			end(&c->shared);
		}
	return done;
}

struct telling {
	policy_use *tell;
	void *context;
};

static bool tell_use(struct counters *c, const struct limit *l, void *context)
{
	const struct telling *t = context;
	const struct meter *m = c->of[l->count->index];
	struct limit_use use = {.rule = l->location.rule,
				.counter = l->counter,
				.words = l->words,
				.sum = l->amount != NULL,
				.max = l->max,
				.length = l->length};

	/* The least that a call can add. */
	if (!ledger_used(c->shared.ledger, m, l->length, &use.used) ||
	    !ledger_ask(c->shared.ledger, m, l->max, l->length, 1, &use.wait))
		return false;
	t->tell(t->context, &use);
	return true;
}

bool counters_uses(const struct policy *policy, struct counters *counters,
		   policy_use *tell, void *context)
{
	struct telling t = {.tell = tell, .context = context};

	return each_shared(policy, counters, tell_use, &t);
}

static bool reset(struct counters *c, const struct limit *l, void *context)
{
	const char *name = context;

	return (strcmp(l->counter, name) != 0 &&
		strcmp(l->location.rule, name) != 0) ||
	       ledger_reset(c->shared.ledger, c->of[l->count->index]);
}

bool counters_reset(const struct policy *policy, struct counters *counters,
		    const char *name)
{
	return each_shared(policy, counters, reset, (void *)name);
}

/* ---- grants ---------------------------------------------------------- */

/* The file of a grant: its name, with %XX for what may not be in one.  The end
 * of a long one is told by its hash. */
static void put_name(struct strbuf *out, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	uint64_t h = hash(0, name, strlen(name));
	size_t start = out->len;

	for (const char *p = name; *p; p++) {
		unsigned char byte = (unsigned char)*p;
		const char escaped[3] = {'%', hex[byte >> 4], hex[byte & 15]};
		bool plain = (byte >= '0' && byte <= '9') ||
			     ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
			     byte == '-' || byte == '_' ||
			     (byte == '.' && p > name);

		if (out->len - start >= NAME_BYTES - 20) {
			strbuf_string(out, "~");
			for (int shift = 60; shift >= 0; shift -= 4)
				strbuf_bytes(out, &hex[h >> shift & 15], 1);
			break;
		}
		strbuf_bytes(out, plain ? p : escaped, plain ? 1 : 3);
	}
	strbuf_string(out, FILE_ENDING);
}

static void close_filed(struct backend *b)
{
	ledger_close(&((struct filed *)b)->ledger);
	free(b);
}

static const struct backend_ops filed_ops = {.close = close_filed};

typedef bool open_ledger(struct ledger *l, const char *path,
			 struct policy_clock clock);

static struct backend *open_grant(open_ledger *how, const char *dir,
				  const char *name, struct policy_clock clock,
				  policy_report *report, void *context)
{
	size_t len = strlen(dir) + 1 + NAME_BYTES + sizeof(FILE_ENDING);
	struct filed *f = calloc(1, sizeof(*f));
	char *path = calloc(1, len);
	struct strbuf out = {.ptr = path, .cap = len};
	bool open = false;

	if (f && path) {
		strbuf_string(&out, dir);
		strbuf_string(&out, "/");
		put_name(&out, name);
		open = how(&f->ledger, path, clock);
		if (!open)
			report(context, f->ledger.store.trouble);
	} else {
		report(context, "out of memory");
	}
	free(path);
	if (f) {
		f->b.ops = &filed_ops;
		f->b.place = store_path(&f->ledger.store);
		f->b.empty = how == ledger_copy && !f->ledger.store.bytes;
	}
	if (open)
		return &f->b;
	backend_close(f ? &f->b : NULL);
	return NULL;
}

struct backend *grant_open(const char *dir, const char *name,
			   struct policy_clock clock, policy_report *report,
			   void *context)
{
	return open_grant(ledger_file, dir, name, clock, report, context);
}

struct backend *grant_copy(const char *dir, const char *name,
			   struct policy_clock clock, policy_report *report,
			   void *context)
{
	return open_grant(ledger_copy, dir, name, clock, report, context);
}

void backend_close(struct backend *b)
{
	if (b)
		b->ops->close(b);
}
