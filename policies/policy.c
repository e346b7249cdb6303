/* The verdict.  The contract is in policy.h. */
#include "internal.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 16384

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *arena_take(struct arena *a, size_t len)
{
	struct chunk *c = a->chunks;
	size_t size;
	void *taken;

	len = (len + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!c || c->size - c->used < len) {
		size = len > CHUNK_BYTES ? len : CHUNK_BYTES;
		c = calloc(1, sizeof(*c) + size);
		if (!c)
			return NULL;
		c->size = size;
		c->next = a->chunks;
		a->chunks = c;
	}
	taken = c->bytes + c->used;
	c->used += len;
	return taken;
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	arena_free(&policy->arena);
	free(policy);
}

bool policy_hides(const struct policy *policy)
{
	return policy->hides;
}

struct counters {
	struct window *windows; /* one for each limit of the policy */
	int64_t *times;
};

struct counters *counters_new(const struct policy *policy)
{
	struct counters *c = calloc(1, sizeof(*c));
	size_t places = 0;

	if (!c)
		return NULL;
	for (const struct rules *r = policy->first; r; r = r->following)
		for (size_t i = 0; i < r->limit_count; i++)
			places += r->limits[i].max;
	c->windows = calloc(policy->limit_count + 1, sizeof(*c->windows));
	c->times = calloc(places + 1, sizeof(*c->times));
	if (!c->windows || !c->times) {
		counters_free(c);
		return NULL;
	}
	places = 0;
	for (const struct rules *r = policy->first; r; r = r->following)
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
	free(counters);
}

/* A tool's name as readers see it: in the line, or decoded into buf. */
static bool plain_name(struct text text, char *buf, const char **name,
		       size_t *len)
{
	ptrdiff_t decoded;

	*name = text.ptr;
	*len = text.len;
	if (text.flags & TEXT_ESCAPED) {
		decoded = text_decode(text, buf, MESSAGE_NAME_BYTES);
		if (decoded < 0)
			return false;
		*name = buf;
		*len = (size_t)decoded;
	}
	return *len <= MESSAGE_NAME_BYTES;
}

static bool is_printable(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return true;
}

/* What the entries that cover a name say together. */
struct finding {
	enum action action;
	const struct rules *by; /* the entry that says so; NULL: the default */
	bool spelled;           /* by a literal, to the letter */
};

static struct finding find_action(const struct policy *policy, const char *name,
				  size_t len)
{
	struct finding f = {.action = ACTION_ALLOW};
	const struct entry *e;
	bool exact, named = false;
	struct walk w;

	walk_begin(&w, &policy->names, name, len);
	while ((e = walk_next(&w, &exact))) {
		const struct rules *r = (const struct rules *)e;

		/* What an entry forbids, it forbids in any case; what it
		 * allows, only as it is spelled. */
		named |= exact;
		f.spelled |= exact && !e->glob;
		if (r->action > f.action) {
			f.action = r->action;
			f.by = r;
		}
	}
	if (!named && policy->fallback > f.action) {
		f.action = policy->fallback;
		f.by = NULL;
	}
	return f;
}

/* The first limit that refuses a call of the name, in *limit, and how long
 * until all allow it; 0: all do. */
static int64_t find_limit(const struct policy *policy, struct counters *c,
			  const char *name, size_t len, int64_t now,
			  const struct limit **limit)
{
	const struct entry *e;
	int64_t longest = 0;
	struct walk w;
	bool exact;

	*limit = NULL;
	walk_begin(&w, &policy->names, name, len);
	while ((e = walk_next(&w, &exact))) {
		const struct rules *r = (const struct rules *)e;

		for (size_t i = 0; i < r->limit_count; i++) {
			const struct limit *l = &r->limits[i];
			int64_t wait = window_wait(&c->windows[l->index], now);

			if (wait == 0)
				continue;
			if (!*limit)
				*limit = l;
			if (longest >= 0 && (wait < 0 || wait > longest))
				longest = wait;
		}
	}
	return longest;
}

static void count_call(const struct policy *policy, struct counters *c,
		       const char *name, size_t len, int64_t now)
{
	const struct entry *e;
	struct walk w;
	bool exact;

	walk_begin(&w, &policy->names, name, len);
	while ((e = walk_next(&w, &exact))) {
		const struct rules *r = (const struct rules *)e;

		for (size_t i = 0; i < r->limit_count; i++)
			window_count(&c->windows[r->limits[i].index], now);
	}
}

static struct verdict give(enum verdict_kind kind, const char *rule,
			   const char *reason)
{
	return (struct verdict){
		.kind = kind, .rule = rule, .reason = reason, .wait = -1};
}

static struct verdict judge_call(const struct policy *policy,
				 struct counters *counters,
				 const struct message *m, int64_t now)
{
	char buf[MESSAGE_NAME_BYTES];
	const struct limit *limit;
	struct verdict v;
	struct finding f;
	const char *name;
	int64_t wait;
	size_t len;

	if (!plain_name(m->name, buf, &name, &len))
		return give(VERDICT_MALFORMED, "(malformed)",
			    "a tool name that has no UTF-8 of its own");
	f = find_action(policy, name, len);
	if (f.action == ACTION_HIDE)
		return give(VERDICT_HIDDEN, "(hidden)", "");
	if (f.action == ACTION_DENY && f.by)
		return give(VERDICT_REFUSED, f.by->rule, f.by->reason);
	if (!f.spelled && !is_printable(name, len))
		return give(VERDICT_MALFORMED, "(malformed)",
			    "a tool name beyond printable ASCII that the "
			    "policy does not spell");
	if (f.action == ACTION_DENY)
		return give(VERDICT_REFUSED, "(default deny)",
			    "the policy does not allow this tool");
	wait = find_limit(policy, counters, name, len, now, &limit);
	if (limit) {
		v = give(VERDICT_REFUSED, limit->rule, limit->reason);
		v.wait = wait;
		return v;
	}
	count_call(policy, counters, name, len, now);
	return give(VERDICT_PASS, "", "");
}

struct verdict policy_judge(const struct policy *policy,
			    struct counters *counters, const struct message *m,
			    int64_t now)
{
	bool notification = m->kind == MESSAGE_NOTIFICATION;

	switch (m->method) {
	case METHOD_TOOLS_CALL:
		/* Some servers run it all the same, and nobody would know. */
		if (notification)
			return give(VERDICT_DROPPED, "(malformed)",
				    "a tools/call without an id");
		return judge_call(policy, counters, m, now);
	case METHOD_PROMPTS_GET:
	case METHOD_RESOURCES_READ:
		if (notification)
			return give(VERDICT_DROPPED, "(malformed)",
				    "a request without an id");
		break;
	case METHOD_TOOLS_LIST:
	case METHOD_OTHER:
		break;
	}
	return give(VERDICT_PASS, "", "");
}

bool policy_lists(void *policy, struct text name)
{
	char buf[MESSAGE_NAME_BYTES];
	const char *plain;
	size_t len;

	if (!name.ptr || !plain_name(name, buf, &plain, &len))
		return false;
	return find_action(policy, plain, len).action != ACTION_HIDE;
}
