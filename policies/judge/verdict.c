/* The verdict.  The contract is in policy.h. */
#include "../internal.h"
#include "reference.h"
#include "decimal.h"

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
	free(policy->matches);
	free(policy->memory);
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
				.location = {.rule = rule},
				.reason = reason,
				.wait = -1};
}

static struct verdict refuse(struct location location, const char *reason)
{
	struct verdict v = give(VERDICT_REFUSED, location.rule, reason);

	v.location = location;
	return v;
}

void match_walk(const struct policy *policy, const struct subject *s,
		const struct rules **list, struct match *m)
{
	bool exact, named = s->section != POLICY_TOOLS;
	const struct rules *r;
	struct applying a;

	*m = (struct match){.action = ACTION_ALLOW, .rules = list};
	applying_begin(&a, policy, s);
	while ((r = applying_next(&a, &exact))) {
		const bool asks = r->require.count + r->deny_if.count > 0;

		/* What an entry forbids, it forbids in any case; what it
		 * allows, only as it is spelled. */
		named |= exact;
		m->exact |= exact && !r->entry.glob;
		m->conditions |= asks;
		m->limits |= r->limit_count > 0;
		if (list && (asks || r->limit_count > 0))
			list[m->count++] = r;
		if (r->action > m->action) {
			m->action = r->action;
			m->by = r;
		}
	}
	if (!named && policy->fallback > m->action) {
		m->action = policy->fallback;
		m->by = NULL;
	}
}

void match_find(const struct policy *policy, const struct subject *s,
		const struct rules **list, struct match *m)
{
	const struct entry *e =
		names_literal(&policy->names[s->section], s->name, s->len);

	if (e)
		*m = ((const struct rules *)e)->known;
	else
		match_walk(policy, s, list, m);
}

bool subject_is_ambiguous(const struct subject *s, const struct match *m)
{
	return s->section != POLICY_RESOURCES && s->section != POLICY_METHODS &&
	       !m->exact && !is_printable(s->name, s->len);
}

static const char uncounted[] = "the call limit cannot be checked right now";
static const char unreadable[] =
	"a name of more than 1024 bytes, or that has no UTF-8 of its own";
static const char too_many[] = "more than 64 limits apply to this call";

/* The first condition of a list that refuses. */
static bool judge_conditions(const struct conditions *list,
			     struct arguments *arguments, bool require,
			     void *scratch, struct verdict *v)
{
	const enum outcome good = require ? OUTCOME_YES : OUTCOME_NO;

	for (size_t i = 0; i < list->count; i++) {
		const struct condition *c = &list->list[i];
		struct span value;

		if (condition_test(c, arguments, require, scratch, &value) ==
		    good)
			continue;
		*v = refuse(c->location, c->reason);
		v->value = value;
		return false;
	}
	return true;
}

/* A message being judged: its subjects are at most two, its method and what it
 * names. */
struct judging {
	const struct policy *policy;
	struct judged *judged;
	struct subject subjects[2];
	struct match matches[2];
	struct arguments arguments[2]; /* read, if there are rules on them */
	size_t count;
	char buffers[2][MESSAGE_NAME_BYTES];
};

/* The steps of judgement: false, and *v says why, if one refuses the subject of
 * this index. */
typedef bool judge_step(struct judging *j, size_t at, struct verdict *v);

static bool judge_hidden(struct judging *j, size_t at, struct verdict *v)
{
	const struct match *m = &j->matches[at];

	if (m->action != ACTION_HIDE)
		return true;
	*v = refuse(m->by ? m->by->location : j->policy->fallback_location,
		    "there is none of this name");
	v->location.rule = "(hidden)";
	v->kind = VERDICT_HIDDEN;
	return false;
}

static bool judge_action(struct judging *j, size_t at, struct verdict *v)
{
	const struct match *m = &j->matches[at];

	if (m->action == ACTION_DENY && m->by) {
		*v = refuse(m->by->location, m->by->reason);
		return false;
	}
	if (subject_is_ambiguous(&j->subjects[at], m)) {
		*v = give(VERDICT_MALFORMED, "(malformed)",
			  "a name beyond printable ASCII that the policy does "
			  "not spell");
		return false;
	}
	if (m->action == ACTION_DENY) {
		*v = refuse(j->policy->fallback_location,
			    "the policy does not allow this tool");
		return false;
	}
	return true;
}

/* Each rule's require, or each deny_if. */
static bool judge_lists(struct judging *j, size_t at, bool require,
			struct verdict *v)
{
	const struct match *m = &j->matches[at];

	for (size_t i = 0; i < m->count; i++)
		if (!judge_conditions(require ? &m->rules[i]->require
					      : &m->rules[i]->deny_if,
				      &j->arguments[at], require,
				      j->policy->memory, v))
			return false;
	return true;
}

static bool judge_require(struct judging *j, size_t at, struct verdict *v)
{
	return judge_lists(j, at, true, v);
}

static bool judge_deny_if(struct judging *j, size_t at, struct verdict *v)
{
	return judge_lists(j, at, false, v);
}

/* The amount in the call, in millionths. */
static bool amount_of(const struct condition *c, struct arguments *arguments,
		      void *scratch, uint64_t *amount)
{
	struct decimal d;
	struct span value;
	bool exact;

	if (condition_test(c, arguments, true, scratch, &value) != OUTCOME_YES)
		return false;
	decimal_read(value.ptr, value.len, &d);
	*amount = decimal_millionths(&d, &exact);
	return true;
}

static uint64_t mix(uint64_t hash, uint64_t c)
{
	return (hash ^ (c >= 'A' && c <= 'Z' ? c | 0x20 : c)) *
	       UINT64_C(0x100000001b3);
}

/* A hash of what a limit counts apart: a name, or a value of the call.  Strings
 * compare decoded and ASCII-folded, numbers by value.  0: there is none, or one
 * that servers read as different numbers. */
static uint64_t value_of(const struct limit *l, const struct subject *s,
			 struct arguments *arguments, void *scratch)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char folded[MESSAGE_NAME_BYTES + NAME_FOLD_MORE];
	struct span value;
	struct decimal d = {.digits = NULL};
	struct text text;
	int32_t c;

	if (l->per_name) {
		const size_t len = name_fold(s->name, s->len, folded);
		const size_t at = name_alias(folded, len);

		value = (struct span){folded + at, len - at};
	} else if (condition_test(l->value, arguments, true, scratch, &value) !=
			   OUTCOME_YES ||
		   !value.ptr || *value.ptr == '[' || *value.ptr == '{') {
		return 0;
	} else if (*value.ptr == '"') {
		hash = mix(hash, '"');
		text = (struct text){value.ptr + 1, value.len - 2,
				     TEXT_ESCAPED};
		while ((c = text_next(&text)) >= 0)
			hash = mix(hash, (uint64_t)c);
		value.len = 0;
	} else if (*value.ptr != 't' && *value.ptr != 'f') {
		if (!decimal_read(value.ptr, value.len, &d) ||
		    !decimal_fits(&d))
			return 0;
		while (d.end > d.digits &&
		       (d.end[-1] == '0' || d.end[-1] == '.') && d.sign)
			d.end--;
		hash = mix(hash, (uint64_t)d.sign);
		hash = mix(hash, d.sign ? (uint64_t)d.exponent : 0);
		value.ptr = d.digits;
		value.len = d.sign ? (size_t)(d.end - d.digits) : 0;
	}
	for (size_t i = 0; i < value.len; i++)
		if (!d.digits || value.ptr[i] != '.')
			hash = mix(hash, (unsigned char)value.ptr[i]);
	hash ^= hash >> 29;
	return hash ? hash : 1;
}

/* What the limits of a subject ask.  False: one cannot even be asked. */
static bool add_questions(struct judging *j, size_t at, struct verdict *v)
{
	struct judged *to = j->judged;

	for (size_t i = 0; i < j->matches[at].count; i++) {
		const struct rules *r = j->matches[at].rules[i];

		for (size_t k = 0; k < r->limit_count; k++) {
			const struct limit *l = &r->limits[k];
			struct question q = {.counter = l->count,
					     .max = l->max,
					     .window = l->length,
					     .amount = 1};

			if (l->amount &&
			    !amount_of(l->amount, &j->arguments[at],
				       j->policy->memory, &q.amount)) {
				*v = refuse(l->location, l->invalid);
				return false;
			}
			if (l->per)
				q.value = value_of(l, &j->subjects[at],
						   &j->arguments[at],
						   j->policy->memory);
			if (l->per && q.value == 0) {
				*v = refuse(l->location, l->no_value);
				return false;
			}
			if (to->count == COUNTERS_ASKED_MAX) {
				*v = refuse(l->location, too_many);
				return false;
			}
			to->sections[to->count] = j->subjects[at].section;
			to->limits[to->count] = l;
			to->questions[to->count++] = q;
		}
	}
	return true;
}

/* The order of judgement; the first step that refuses a subject decides.  *v
 * passes. */
static void judge(struct judging *j, struct verdict *v)
{
	static judge_step *const order[] = {judge_hidden, judge_action,
					    judge_require, judge_deny_if};
	bool clear = true, limits = false;

	for (size_t at = 0; at < j->count; at++) {
		const struct match *m = &j->matches[at];

		/* Spelled and allowed by an entry, without conditions: no step
		 * refuses that. */
		clear &=
			m->exact && m->action == ACTION_ALLOW && !m->conditions;
		limits |= m->limits;
		if (m->count > 0)
			arguments_read(&j->arguments[at],
				       j->subjects[at].arguments);
	}
	for (size_t i = 0; !clear && i < sizeof(order) / sizeof(*order); i++)
		for (size_t at = 0; at < j->count; at++)
			if (!order[i](j, at, v)) {
				v->section = j->subjects[at].section;
				return;
			}
	for (size_t at = 0; limits && at < j->count; at++)
		if (!add_questions(j, at, v)) {
			v->section = j->subjects[at].section;
			j->judged->count = 0;
			return;
		}
}

/* A prompt or resource that the message names in passing: what hides or denies
 * it, refuses the message.  A reference_name's; context is the judging. */
static bool judge_reference(void *context, enum policy_section section,
			    struct text name)
{
	struct judging *j = context;
	struct subject *s = &j->subjects[j->count];
	struct verdict *v = &j->judged->verdict;

	if (!j->policy->has[section])
		return true;
	s->section = section;
	if (!plain_name(name, j->buffers[j->count], &s->name, &s->len)) {
		*v = give(VERDICT_MALFORMED, "(malformed)", unreadable);
		return false;
	}
	match_find(j->policy, s, NULL, &j->matches[j->count]);
	if (judge_hidden(j, j->count, v) && judge_action(j, j->count, v))
		return true;
	v->section = section;
	v->name = name;
	return false;
}

/* False, and the verdict says why, if one refuses. */
static bool judge_references(struct judging *j, const struct message *m)
{
	switch (references_read(m, judge_reference, j)) {
	case REFERENCES_READ:
		return true;
	case REFERENCES_AMBIGUOUS:
		j->judged->verdict =
			give(VERDICT_MALFORMED, "(malformed)",
			     "a prompt or resource that readers could take for "
			     "another");
		return false;
	default:
		return false;
	}
}

/* May it name a prompt or resource that has rules? */
static bool may_refer(const struct policy *policy, const struct message *m)
{
	return (m->method == METHOD_COMPLETE || m->method == METHOD_SUBSCRIBE ||
		m->method == METHOD_LISTEN) &&
	       (policy->has[POLICY_PROMPTS] || policy->has[POLICY_RESOURCES]);
}

/* False: a name that cannot be weighed. */
static bool add_subject(struct judging *j, enum policy_section section,
			struct text name, struct span arguments)
{
	struct subject *s = &j->subjects[j->count];

	s->section = section;
	s->arguments = arguments;
	if (!plain_name(name, j->buffers[j->count], &s->name, &s->len))
		return false;
	match_find(j->policy, s,
		   j->policy->matches + j->count * j->policy->rules_most,
		   &j->matches[j->count]);
	j->count++;
	return true;
}

/* What the policy may say something of. */
static bool find_subjects(struct judging *j, const struct message *m)
{
	const struct policy *policy = j->policy;

	if (policy->has[POLICY_METHODS] &&
	    !add_subject(j, POLICY_METHODS, m->method_text, m->params))
		return false;
	if (m->method == METHOD_TOOLS_CALL)
		return add_subject(j, POLICY_TOOLS, m->name, m->arguments);
	if (m->method == METHOD_PROMPTS_GET && policy->has[POLICY_PROMPTS])
		return add_subject(j, POLICY_PROMPTS, m->name, m->arguments);
	if (m->method == METHOD_RESOURCES_READ && policy->has[POLICY_RESOURCES])
		return add_subject(j, POLICY_RESOURCES, m->uri, m->params);
	return true;
}

/* Some servers run it without an id, and nobody would know; nor could it be
 * known which answer has the list. */
static bool needs_id(const struct policy *policy, const struct message *m)
{
	switch (m->method) {
	case METHOD_TOOLS_CALL:
	case METHOD_PROMPTS_GET:
	case METHOD_RESOURCES_READ:
		return true;
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

void policy_judge(const struct policy *policy, const struct message *m,
		  struct judged *judged)
{
	const bool refers = may_refer(policy, m);
	struct verdict *v = &judged->verdict;
	struct judging j;

	*v = give(VERDICT_PASS, "", "");
	judged->count = 0;
	judged->notification = m->kind == MESSAGE_NOTIFICATION;
	if (m->kind != MESSAGE_REQUEST && !judged->notification) {
		v->kind = VERDICT_UNWEIGHED;
		return;
	}
	if (judged->notification && needs_id(policy, m)) {
		*v = give(VERDICT_DROPPED, "(malformed)",
			  m->method == METHOD_TOOLS_CALL
				  ? "a tools/call without an id"
				  : "a request without an id");
		return;
	}
	j.policy = policy;
	j.judged = judged;
	j.count = 0;
	if (!find_subjects(&j, m))
		*v = give(VERDICT_MALFORMED, "(malformed)", unreadable);
	else if (refers && !judge_references(&j, m))
		; /* refused */
	else if (j.count > 0)
		judge(&j, v);
	else if (!refers)
		v->kind = VERDICT_UNWEIGHED;
	/* A notification has no answer. */
	if (judged->notification && v->kind > VERDICT_PASS)
		v->kind = VERDICT_DROPPED;
}

/* The first limit that refuses is named, and the wait is until all allow the
 * call. */
void policy_counted(struct judged *j, enum counted answer)
{
	struct verdict *v = &j->verdict;
	size_t at = j->count;

	if (answer == COUNTED_YES)
		return;
	for (size_t i = 0; answer == COUNTED_REFUSED && i < j->count; i++) {
		const struct question *q = &j->questions[i];

		if (q->wait == 0)
			continue;
		if (at == j->count) {
			at = i;
			*v = refuse(j->limits[i]->location,
				    q->full ? j->limits[i]->full
					    : j->limits[i]->reason);
			v->wait = q->wait;
			if (j->limits[i]->amount && !q->full)
				v->left = q->used < q->max
						  ? (int64_t)(q->max - q->used)
						  : 0;
		} else if (v->wait >= 0 && (q->wait < 0 || q->wait > v->wait)) {
			v->wait = q->wait;
		}
	}
	if (at == j->count) {
		at = j->count - 1;
		*v = refuse(j->limits[at]->location, uncounted);
	}
	v->section = j->sections[at];
	if (j->notification)
		v->kind = VERDICT_DROPPED;
}

bool policy_lists(const struct policy *policy, enum policy_section section,
		  struct text name)
{
	struct subject s = {.section = section};
	char buf[MESSAGE_NAME_BYTES];
	struct match m;

	if (!name.ptr || !plain_name(name, buf, &s.name, &s.len))
		return false;
	match_find(policy, &s, NULL, &m);
	return m.action != ACTION_HIDE;
}
