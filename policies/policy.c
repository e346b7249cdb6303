/* The verdict.  The contract is in policy.h. */
#include "internal.h"

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
		size = a->least > 0 ? a->least : CHUNK_BYTES;
		size = len > size ? len : size;
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
	for (struct owned *o = policy->owned; o; o = o->next)
		free(o->block);
	arena_free(&policy->arena);
	for (size_t i = 0; i < policy->file_count; i++)
		free(policy->files[i].text);
	free(policy->files);
	free(policy);
}

bool policy_hides(const struct policy *policy, enum policy_section section)
{
	return policy->hides[section];
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

void applying_begin(struct applying *a, const struct policy *policy,
		    const struct subject *s)
{
	a->policy = policy;
	a->all = s->section == POLICY_TOOLS && policy->all_tools;
	walk_begin(&a->walk, &policy->names[s->section], s->name, s->len);
	if (s->section == POLICY_TOOLS)
		walk_add_alias(&a->walk);
}

const struct rules *applying_next(struct applying *a, bool *exact)
{
	if (a->all) {
		a->all = false;
		*exact = false;
		return a->policy->all_tools;
	}
	return (const struct rules *)walk_next(&a->walk, exact);
}

static struct verdict give(enum verdict_kind kind, const char *rule,
			   const char *reason)
{
	return (struct verdict){.kind = kind,
				.origin = {.rule = rule},
				.reason = reason,
				.wait = -1};
}

static struct verdict refuse(struct origin origin, const char *reason)
{
	struct verdict v = give(VERDICT_REFUSED, origin.rule, reason);

	v.origin = origin;
	return v;
}

void policy_find(const struct policy *policy, const struct subject *s,
		 struct finding *f)
{
	bool exact, named = s->section != POLICY_TOOLS;
	const struct rules *r;
	struct applying a;

	*f = (struct finding){.action = ACTION_ALLOW};
	applying_begin(&a, policy, s);
	while ((r = applying_next(&a, &exact))) {
		/* What an entry forbids, it forbids in any case; what it
		 * allows, only as it is spelled. */
		named |= exact;
		f->spelled |= exact && !r->entry.glob;
		f->asks |= r->require.count + r->deny_if.count > 0;
		f->limits |= r->limit_count > 0;
		if (r->action > f->action) {
			f->action = r->action;
			f->by = r;
		}
	}
	if (!named && policy->fallback > f->action) {
		f->action = policy->fallback;
		f->by = NULL;
	}
}

bool subject_in_doubt(const struct subject *s, const struct finding *f)
{
	return s->section != POLICY_RESOURCES && s->section != POLICY_METHODS &&
	       !f->spelled && !is_printable(s->name, s->len);
}

/* The steps of judgement: false, and *v says why, if one refuses. */
static bool judge_hidden(const struct policy *policy, const struct finding *f,
			 struct verdict *v)
{
	if (f->action != ACTION_HIDE)
		return true;
	*v = refuse(f->by ? f->by->origin : policy->fallback_origin,
		    "there is none of this name");
	v->origin.rule = "(hidden)";
	v->kind = VERDICT_HIDDEN;
	return false;
}

static bool judge_action(const struct policy *policy, const struct subject *s,
			 const struct finding *f, struct verdict *v)
{
	if (f->action == ACTION_DENY && f->by) {
		*v = refuse(f->by->origin, f->by->reason);
		return false;
	}
	if (subject_in_doubt(s, f)) {
		*v = give(VERDICT_MALFORMED, "(malformed)",
			  "a name beyond printable ASCII that the policy does "
			  "not spell");
		return false;
	}
	if (f->action == ACTION_DENY) {
		*v = refuse(policy->fallback_origin,
			    "the policy does not allow this tool");
		return false;
	}
	return true;
}

/* The first condition of a list that refuses. */
static bool judge_conditions(const struct conditions *list,
			     struct span arguments, bool require, void *scratch,
			     struct verdict *v)
{
	const enum outcome good = require ? OUTCOME_YES : OUTCOME_NO;

	for (size_t i = 0; i < list->count; i++) {
		const struct condition *c = &list->list[i];
		struct span value;

		if (condition_test(c, arguments, require, scratch, &value) ==
		    good)
			continue;
		*v = refuse(c->origin, c->reason);
		v->value = value;
		return false;
	}
	return true;
}

static bool judge_arguments(const struct policy *policy,
			    const struct subject *s, bool require,
			    void *scratch, struct verdict *v)
{
	const struct rules *r;
	struct applying a;
	bool exact;

	applying_begin(&a, policy, s);
	while ((r = applying_next(&a, &exact)))
		if (!judge_conditions(require ? &r->require : &r->deny_if,
				      s->arguments, require, scratch, v))
			return false;
	return true;
}

static const char uncounted[] = "its calls cannot be counted now";

/* What one limit says of a call. */
static struct verdict judge_limit(const struct limit *l, struct span arguments,
				  struct counters *counters, int64_t now)
{
	struct verdict v = refuse(l->origin, l->reason);

	switch (counters_ask(counters, l, arguments, now, &v.wait)) {
	case LIMIT_ASKED:
		v.kind = v.wait == 0 ? VERDICT_PASS : VERDICT_REFUSED;
		return v;
	case LIMIT_UNFIT:
		return refuse(l->origin, l->unfit);
	default:
		return refuse(l->origin, uncounted);
	}
}

/* Adds the limits of a subject to the verdict: the first that refuses is named,
 * and the wait is until all allow the call. */
static void judge_limits(const struct policy *policy, const struct subject *s,
			 struct counters *counters, int64_t now,
			 struct verdict *v, const struct limit **last)
{
	const struct rules *r;
	struct applying a;
	bool exact;

	applying_begin(&a, policy, s);
	while ((r = applying_next(&a, &exact)))
		for (size_t i = 0; i < r->limit_count; i++) {
			struct verdict one = judge_limit(
				&r->limits[i], s->arguments, counters, now);

			*last = &r->limits[i];
			if (one.kind == VERDICT_PASS)
				continue;
			if (v->kind == VERDICT_PASS) {
				*v = one;
				v->section = s->section;
			} else if (v->wait >= 0 &&
				   (one.wait < 0 || one.wait > v->wait)) {
				v->wait = one.wait;
			}
		}
}

/* The subjects of a message, at most two: its method, and what it names. */
struct subjects {
	struct subject list[2];
	struct finding found[2];
	size_t count;
	char buffers[2][MESSAGE_NAME_BYTES];
};

/* All limits, of all subjects; then all count the call, or none does. */
static void judge_all_limits(const struct policy *policy,
			     struct counters *counters,
			     const struct subjects *s, policy_now *now,
			     struct verdict *v)
{
	const struct limit *last = NULL;
	const int64_t time = now();

	for (size_t i = 0; i < s->count; i++)
		judge_limits(policy, &s->list[i], counters, time, v, &last);
	if (last && !counters_end(counters, v->kind == VERDICT_PASS))
		*v = refuse(last->origin, uncounted);
}

/* False: a name that cannot be weighed. */
static bool add_subject(struct subjects *s, enum policy_section section,
			struct text name, struct span arguments)
{
	struct subject *one = &s->list[s->count];

	one->section = section;
	one->arguments = arguments;
	return plain_name(name, s->buffers[s->count++], &one->name, &one->len);
}

static bool find_subjects(const struct policy *policy, const struct message *m,
			  struct subjects *s)
{
	s->count = 0;
	if (m->kind != MESSAGE_REQUEST && m->kind != MESSAGE_NOTIFICATION)
		return true;
	if (policy->has[POLICY_METHODS] &&
	    !add_subject(s, POLICY_METHODS, m->method_text, m->params))
		return false;
	switch (m->method) {
	case METHOD_TOOLS_CALL:
		return add_subject(s, POLICY_TOOLS, m->name, m->arguments);
	case METHOD_PROMPTS_GET:
		if (!policy->has[POLICY_PROMPTS])
			return true;
		return add_subject(s, POLICY_PROMPTS, m->name, m->arguments);
	case METHOD_RESOURCES_READ:
		if (!policy->has[POLICY_RESOURCES])
			return true;
		return add_subject(s, POLICY_RESOURCES, m->uri, m->params);
	default:
		return true;
	}
}

/* The order of judgement, before the limits. */
enum judge_step {
	JUDGE_HIDDEN,
	JUDGE_ACTION,
	JUDGE_REQUIRE,
	JUDGE_DENY_IF,
	JUDGE_STEPS
};

static bool judge_step(enum judge_step step, const struct policy *policy,
		       const struct subject *s, const struct finding *f,
		       void *scratch, struct verdict *v)
{
	switch (step) {
	case JUDGE_HIDDEN:
		return judge_hidden(policy, f, v);
	case JUDGE_ACTION:
		return judge_action(policy, s, f, v);
	default:
		return !f->asks ||
		       judge_arguments(policy, s, step == JUDGE_REQUIRE,
				       scratch, v);
	}
}

/* Each step over all subjects; the first that refuses decides. */
static bool judge_steps(const struct policy *policy,
			const struct counters *counters,
			const struct subjects *s, struct verdict *v)
{
	void *scratch = counters_scratch(counters);

	for (int step = 0; step < JUDGE_STEPS; step++)
		for (size_t i = 0; i < s->count; i++)
			if (!judge_step((enum judge_step)step, policy,
					&s->list[i], &s->found[i], scratch,
					v)) {
				v->section = s->list[i].section;
				return false;
			}
	return true;
}

/* All of judgement; *v passes.  Kept out of line, so that *v is filled in where
 * the caller wants it. */
__attribute__((noinline)) static void judge(const struct policy *policy,
					    struct counters *counters,
					    struct subjects *s, policy_now *now,
					    struct verdict *v)
{
	bool clear = true, limits = false;

	for (size_t i = 0; i < s->count; i++) {
		struct finding *f = &s->found[i];

		policy_find(policy, &s->list[i], f);
		v->section = s->list[i].section;
		/* Spelled and allowed by an entry, and nothing is asked: no
		 * step refuses that. */
		clear &= f->spelled && f->action == ACTION_ALLOW && !f->asks;
		limits |= f->limits;
	}
	if (!clear && !judge_steps(policy, counters, s, v))
		return;
	if (limits)
		judge_all_limits(policy, counters, s, now, v);
}

/* Does it ask for a list in which something is hidden? */
static bool asks_for_hidden(const struct policy *policy,
			    const struct message *m)
{
	switch (m->method) {
	case METHOD_TOOLS_LIST:
		return policy->hides[POLICY_TOOLS];
	case METHOD_PROMPTS_LIST:
		return policy->hides[POLICY_PROMPTS];
	case METHOD_RESOURCES_LIST:
	case METHOD_TEMPLATES_LIST:
		return policy->hides[POLICY_RESOURCES];
	default:
		return false;
	}
}

bool policy_weighs(const struct policy *policy, const struct message *m)
{
	if (m->kind != MESSAGE_REQUEST && m->kind != MESSAGE_NOTIFICATION)
		return false;
	switch (m->method) {
	case METHOD_TOOLS_CALL:
		return true;
	case METHOD_PROMPTS_GET:
	case METHOD_RESOURCES_READ:
		/* Never passed on without an id. */
		if (m->kind == MESSAGE_NOTIFICATION)
			return true;
		return policy->has[POLICY_METHODS] ||
		       policy->has[m->method == METHOD_PROMPTS_GET
					   ? POLICY_PROMPTS
					   : POLICY_RESOURCES];
	default:
		return policy->has[POLICY_METHODS] ||
		       (m->kind == MESSAGE_NOTIFICATION &&
			asks_for_hidden(policy, m));
	}
}

struct verdict policy_judge(const struct policy *policy,
			    struct counters *counters, const struct message *m,
			    policy_now *now)
{
	bool notification = m->kind == MESSAGE_NOTIFICATION;
	struct verdict v = give(VERDICT_PASS, "", "");
	struct subjects s;

	/* Some servers run it all the same, and nobody would know; nor can it
	 * be known which answer has the list. */
	if (notification && m->method == METHOD_TOOLS_CALL)
		v = give(VERDICT_DROPPED, "(malformed)",
			 "a tools/call without an id");
	else if (notification && (m->method == METHOD_PROMPTS_GET ||
				  m->method == METHOD_RESOURCES_READ ||
				  asks_for_hidden(policy, m)))
		v = give(VERDICT_DROPPED, "(malformed)",
			 "a request without an id");
	else if (find_subjects(policy, m, &s))
		judge(policy, counters, &s, now, &v);
	else
		v = give(VERDICT_MALFORMED, "(malformed)",
			 "a name of more than 1024 bytes, or that has no UTF-8 "
			 "of its own");
	/* A notification has no answer. */
	if (notification && v.kind != VERDICT_PASS)
		v.kind = VERDICT_DROPPED;
	return v;
}

bool policy_lists(const struct policy *policy, enum policy_section section,
		  struct text name)
{
	struct subject s = {.section = section};
	char buf[MESSAGE_NAME_BYTES];
	struct finding f;

	if (!name.ptr || !plain_name(name, buf, &s.name, &s.len))
		return false;
	policy_find(policy, &s, &f);
	return f.action != ACTION_HIDE;
}
