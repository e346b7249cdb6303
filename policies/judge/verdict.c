/* The verdict.  The contract is in policy.h. */
#include "../internal.h"
#include "../lock.h"
#include "reference.h"
#include "decimal.h"

#include <string.h>

const unsigned char *policy_digest(const struct policy *policy)
{
	return policy->digest;
}

bool rules_ask(const struct rules *r)
{
	return r->action == ACTION_ASK ||
	       r->ask_if.count + r->ask_unless.count > 0;
}

bool policy_hides(const struct policy *policy, enum policy_section section)
{
	return policy->hides[section] ||
	       (section == POLICY_TOOLS && policy->lock);
}

/* A tool's name as readers see it: in the line, or decoded into buf. */
static bool plain_name(const struct text *text, char *buf, const char **name,
		       size_t *len)
{
	ptrdiff_t decoded;

	*name = text->ptr;
	*len = text->len;
	if (text->flags & TEXT_ESCAPED) {
		decoded = text_decode(*text, buf, MESSAGE_NAME_BYTES);
		if (decoded < 0)
			return false;
		*name = buf;
		*len = (size_t)decoded;
	}
	return *len <= MESSAGE_NAME_BYTES;
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

const struct rules *applying_next(struct applying *a)
{
	if (a->all) {
		a->all = false;
		a->exact = false;
		return a->policy->all_tools;
	}
	return (const struct rules *)walk_next(&a->walk, &a->exact);
}

static void give(struct verdict *v, enum verdict_kind kind, const char *rule,
		 const char *reason)
{
	*v = (struct verdict){.kind = kind,
			      .location = {.rule = rule},
			      .reason = reason,
			      .wait = -1};
}

static void refuse(struct verdict *v, const struct location *location,
		   const char *reason)
{
	give(v, VERDICT_REFUSED, NULL, reason);
	v->location = *location;
}

void match_walk(const struct policy *policy, const struct subject *s,
		const struct rules **list, struct match *m)
{
	bool named = s->section != POLICY_TOOLS, rules = false;
	const struct rules *r;
	struct applying a;

	*m = (struct match){.action = ACTION_ALLOW, .rules = list};
	applying_begin(&a, policy, s);
	while ((r = applying_next(&a))) {
		const bool has =
			r->require.count + r->deny_if.count + r->limit_count >
				0 ||
			rules_ask(r);

		/* What an entry forbids, it forbids in any case; what it
		 * allows, only as it is spelled. */
		named |= a.exact;
		m->exact |= a.exact && !r->entry.glob;
		rules |= has;
		if (list && has)
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
	m->plain = m->exact && m->action == ACTION_ALLOW && !rules;
}

const struct match *match_find(const struct policy *policy,
			       const struct subject *s,
			       const struct rules **list, struct match *room)
{
	const struct entry *e =
		names_literal(&policy->names[s->section], s->name, s->len);

	if (e)
		return &((const struct rules *)e)->known;
	match_walk(policy, s, list, room);
	return room;
}

bool subject_is_ambiguous(const struct subject *s, const struct match *m)
{
	size_t i = 0;

	if (s->section == POLICY_RESOURCES || s->section == POLICY_METHODS ||
	    m->exact)
		return false;
	while (i < s->len && s->name[i] >= ' ' && s->name[i] <= '~')
		i++;
	return i < s->len;
}

static const char uncounted[] = "the call limit cannot be checked right now";
static const char unreadable[] =
	"a name of more than 1024 bytes, or that UTF-8 cannot write";
static const char too_many[] = "more than 64 limits apply to this call";
static const char unclear[] =
	"a person must approve this, and it can be read in two ways";
static const char no_way[] = "a person must approve this, and the rules leave "
			     "no way to ask";
static const char no_wait[] =
	"a person must approve this, and a notification cannot wait";

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
		refuse(v, &c->location, c->reason);
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
	const struct match *matches[2];
	struct match found[2];         /* room for those that no literal has */
	struct arguments arguments[2]; /* read, if there are rules on them */
	size_t count;
	char buffers[2][MESSAGE_NAME_BYTES];
};

/* The steps of judgement: false, and *v says why, if one refuses the subject of
 * this index. */
typedef bool judge_step(struct judging *j, size_t at, struct verdict *v);

static bool judge_hidden(struct judging *j, size_t at, struct verdict *v)
{
	const struct match *m = j->matches[at];

	if (m->action != ACTION_HIDE)
		return true;
	refuse(v, m->by ? &m->by->location : &j->policy->fallback_location,
	       "there is none of this name");
	v->location.rule = "(hidden)";
	v->kind = VERDICT_HIDDEN;
	return false;
}

static bool judge_changed(struct judging *j, size_t at, struct verdict *v)
{
	const struct subject *s = &j->subjects[at];
	const char *reason = NULL;

	if (j->policy->lock && s->section == POLICY_TOOLS)
		reason = lock_refuses(j->policy->lock, s->name, s->len);
	if (reason)
		give(v, VERDICT_REFUSED, "(changed)", reason);
	return !reason;
}

static bool judge_action(struct judging *j, size_t at, struct verdict *v)
{
	const struct match *m = j->matches[at];

	if (m->action == ACTION_DENY && m->by) {
		refuse(v, &m->by->location, m->by->reason);
		return false;
	}
	if (subject_is_ambiguous(&j->subjects[at], m)) {
		give(v, VERDICT_MALFORMED, "(malformed)",
		     "a name beyond printable ASCII that the policy does "
		     "not spell");
		return false;
	}
	if (m->action == ACTION_DENY) {
		refuse(v, &j->policy->fallback_location,
		       "the policy does not allow this tool");
		return false;
	}
	return true;
}

/* Each rule's require, or each deny_if. */
static bool judge_lists(struct judging *j, size_t at, bool require,
			struct verdict *v)
{
	const struct match *m = j->matches[at];

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

/* FNV-1a, with ASCII folded. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
static uint64_t mix(uint64_t hash, uint64_t c)
{
	return (hash ^ (c >= 'A' && c <= 'Z' ? c | 0x20 : c)) *
	       UINT64_C(0x100000001b3);
}

static uint64_t hash_bytes(const char *s, size_t len)
{
	uint64_t hash = HASH_START;

	for (size_t i = 0; i < len; i++)
		hash = mix(hash, (unsigned char)s[i]);
	return hash;
}

/* Decoded, and ASCII-folded by mix(). */
static uint64_t hash_string(struct span value)
{
	struct text text = {value.ptr + 1, value.len - 2, TEXT_ESCAPED};
	uint64_t hash = mix(HASH_START, '"');
	int32_t c;

	while ((c = text_next(&text)) >= 0)
		hash = mix(hash, (uint64_t)c);
	return hash;
}

/* True and false by their words; numbers by value: 1.0 is 1.  False: servers
 * read it as different numbers. */
static bool hash_value(struct span value, uint64_t *hash)
{
	struct decimal d;

	if (*value.ptr == '"') {
		*hash = hash_string(value);
		return true;
	}
	if (*value.ptr == 't' || *value.ptr == 'f') {
		*hash = hash_bytes(value.ptr, value.len);
		return true;
	}
	if (!decimal_read(value.ptr, value.len, &d) || !decimal_fits(&d))
		return false;
	while (d.end > d.digits && (d.end[-1] == '0' || d.end[-1] == '.'))
		d.end--;
	*hash = mix(HASH_START, (uint64_t)d.sign);
	*hash = mix(*hash, d.sign ? (uint64_t)d.exponent : 0);
	for (const char *p = d.digits; d.sign && p < d.end; p++)
		if (*p != '.')
			*hash = mix(*hash, (unsigned char)*p);
	return true;
}

/* A hash of what a limit counts apart: a name, or a value of the call.  0:
 * there is none that is read in one way. */
static uint64_t value_of(const struct limit *l, const struct subject *s,
			 struct arguments *arguments, void *scratch)
{
	char folded[MESSAGE_NAME_BYTES + NAME_FOLD_MORE];
	struct span value;
	uint64_t hash;

	if (l->per_name) {
		const size_t len = name_fold(s->name, s->len, folded);
		const size_t at = name_alias(folded, len);

		hash = hash_bytes(folded + at, len - at);
	} else if (condition_test(l->value, arguments, true, scratch, &value) !=
			   OUTCOME_YES ||
		   !value.ptr || *value.ptr == '[' || *value.ptr == '{' ||
		   !hash_value(value, &hash)) {
		return 0;
	}
	hash ^= hash >> 29;
	return hash ? hash : 1;
}

/* What the limits of a subject ask.  False: one cannot even be asked. */
static bool judge_limits(struct judging *j, size_t at, struct verdict *v)
{
	const enum policy_section section = j->subjects[at].section;
	const struct match *m = j->matches[at];
	struct judged *to = j->judged;
	size_t n = to->count;

	for (size_t i = 0; i < m->count; i++) {
		const struct rules *r = m->rules[i];

		for (size_t k = 0; k < r->limit_count; k++) {
			const struct limit *l = &r->limits[k];
			struct question *q = &to->questions[n];

			if (n == COUNTERS_ASKED_MAX) {
				refuse(v, &l->location, too_many);
				return false;
			}
			*q = (struct question){.counter = l->count,
					       .max = l->max,
					       .window = l->length,
					       .amount = 1};
			if (l->amount &&
			    !amount_of(l->amount, &j->arguments[at],
				       j->policy->memory, &q->amount)) {
				refuse(v, &l->location, l->invalid);
				return false;
			}
			if (l->per)
				q->value = value_of(l, &j->subjects[at],
						    &j->arguments[at],
						    j->policy->memory);
			if (l->per && q->value == 0) {
				refuse(v, &l->location, l->no_value);
				return false;
			}
			to->sections[n] = section;
			to->limits[n++] = l;
		}
	}
	to->count = n;
	return true;
}

/* One more rule that asks a person.  False: nobody could say yes. */
static bool add_ask(struct judging *j, size_t at, const struct rules *r,
		    const struct location *location, const char *reason,
		    struct verdict *v)
{
	struct ask *ask = &j->judged->ask;
	size_t i = 0;

	if (ask->count == 0) {
		ask->section = j->subjects[at].section;
		ask->in = POLICY_ASK_ALL;
		ask->by_count = 0;
		ask->timeout = 0;
	}
	if (ask->count < POLICY_ASKS_MAX) {
		ask->rules[ask->count] = *location;
		ask->reasons[ask->count] = reason;
	}
	ask->count++;
	ask->in &= ~r->barred;
	if (r->timeout > 0 && (ask->timeout == 0 || r->timeout < ask->timeout))
		ask->timeout = r->timeout;
	while (r->by && i < ask->by_count && strcmp(ask->by[i], r->by) != 0)
		i++;
	if (ask->in == 0 || i == POLICY_ASKS_MAX) {
		refuse(v, location, no_way);
		return false;
	}
	if (r->by) {
		ask->by[i] = r->by;
		ask->by_count += i == ask->by_count;
	}
	return true;
}

/* Each rule of the subject that asks.  An ask_unless asks where a require would
 * refuse. */
static bool judge_approval(struct judging *j, size_t at, struct verdict *v)
{
	const struct match *m = j->matches[at];
	struct span value;

	for (size_t i = 0; i < m->count; i++) {
		const struct rules *r = m->rules[i];
		const size_t ifs = r->ask_if.count;

		if (r->action == ACTION_ASK &&
		    !add_ask(j, at, r, &r->location, r->told, v))
			return false;
		for (size_t k = 0; k < ifs + r->ask_unless.count; k++) {
			const struct condition *c =
				k < ifs ? &r->ask_if.list[k]
					: &r->ask_unless.list[k - ifs];
			const enum outcome outcome =
				condition_test(c, &j->arguments[at], k >= ifs,
					       j->policy->memory, &value);

			if (outcome == OUTCOME_INVALID) {
				refuse(v, &c->location, unclear);
				v->value = value;
				return false;
			}
			if (outcome == (k < ifs ? OUTCOME_NO : OUTCOME_YES))
				continue;
			if (!add_ask(j, at, r, &c->location,
				     c->told || !r->told ? c->reason : r->told,
				     v))
				return false;
		}
	}
	return true;
}

/* The order of judgement; the first step that refuses a subject decides.  *v
 * passes. */
__attribute__((noinline)) static void judge(struct judging *j,
					    struct verdict *v)
{
	static judge_step *const order[] = {
		judge_hidden,  judge_changed, judge_action,  judge_require,
		judge_deny_if, judge_limits,  judge_approval};
	enum { AT_REQUIRE = 3, STEPS = sizeof(order) / sizeof(*order) };
	judge_step *const *step = j->policy->lock ? order : order + AT_REQUIRE;
	judge_step *const *end = order + STEPS;
	struct judged *judged = j->judged;

	for (size_t at = 0; at < j->count; at++) {
		const struct match *m = j->matches[at];

		/* What is spelled and allowed, the first steps do not refuse,
		 * unless there is a lock. */
		if (!m->exact || m->action != ACTION_ALLOW)
			step = order;
		if (m->count > 0)
			arguments_read(&j->arguments[at],
				       j->subjects[at].arguments);
	}
	end -= !j->policy->asking;
	for (; step < end; step++)
		for (size_t at = 0; at < j->count; at++)
			if (!(*step)(j, at, v)) {
				v->section = j->subjects[at].section;
				judged->count = judged->ask.count = 0;
				return;
			}
	if (judged->ask.count == 0)
		return;
	if (judged->ask.timeout == 0)
		judged->ask.timeout = POLICY_ASK_SECONDS;
	if (judged->notification) {
		policy_not_approved(judged, no_wait);
		judged->ask.count = 0;
	}
}

/* A prompt or resource that the message names in passing: an entry that hides
 * or denies it refuses the message.  A reference_name; context is the judging.
 */
static bool judge_reference(void *context, enum policy_section section,
			    struct text name)
{
	struct judging *j = context;
	struct subject *s = &j->subjects[j->count];
	struct verdict *v = &j->judged->verdict;

	if (!j->policy->has[section])
		return true;
	s->section = section;
	if (!plain_name(&name, j->buffers[j->count], &s->name, &s->len)) {
		give(v, VERDICT_MALFORMED, "(malformed)", unreadable);
		return false;
	}
	j->matches[j->count] =
		match_find(j->policy, s, NULL, &j->found[j->count]);
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
		give(&j->judged->verdict, VERDICT_MALFORMED, "(malformed)",
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
			const struct text *name, const struct span *arguments)
{
	const size_t at = j->count++;
	struct subject *s = &j->subjects[at];

	s->section = section;
	s->arguments = *arguments;
	if (!plain_name(name, j->buffers[at], &s->name, &s->len))
		return false;
	j->matches[at] = match_find(
		j->policy, s, j->policy->matches + at * j->policy->rules_most,
		&j->found[at]);
	return true;
}

/* What the policy may say something of. */
static bool find_subjects(struct judging *j, const struct message *m)
{
	const struct policy *policy = j->policy;

	if (policy->has[POLICY_METHODS] &&
	    !add_subject(j, POLICY_METHODS, &m->method_text, &m->params))
		return false;
	if (m->method == METHOD_TOOLS_CALL)
		return add_subject(j, POLICY_TOOLS, &m->name, &m->arguments);
	if (m->method == METHOD_PROMPTS_GET && policy->has[POLICY_PROMPTS])
		return add_subject(j, POLICY_PROMPTS, &m->name, &m->arguments);
	if (m->method == METHOD_RESOURCES_READ && policy->has[POLICY_RESOURCES])
		return add_subject(j, POLICY_RESOURCES, &m->uri, &m->params);
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
		return policy_hides(policy, POLICY_TOOLS);
	case METHOD_PROMPTS_LIST:
		return policy->hides[POLICY_PROMPTS];
	case METHOD_RESOURCES_LIST:
	case METHOD_TEMPLATES_LIST:
		return policy->hides[POLICY_RESOURCES];
	default:
		return false;
	}
}

/* Copied: to clear a verdict and set it takes longer. */
static const struct verdict passes = {.kind = VERDICT_PASS,
				      .location = {.rule = ""},
				      .reason = "",
				      .wait = -1};

void policy_judge(const struct policy *policy, const struct message *m,
		  struct judged *judged)
{
	struct verdict *v = &judged->verdict;
	bool plain = !policy->lock; /* no rule can refuse any subject */
	struct judging j;

	*v = passes;
	judged->count = judged->ask.count = 0;
	judged->notification = m->kind == MESSAGE_NOTIFICATION;
	if (m->kind != MESSAGE_REQUEST && !judged->notification) {
		v->kind = VERDICT_UNJUDGED;
		return;
	}
	if (judged->notification && needs_id(policy, m)) {
		give(v, VERDICT_DROPPED, "(malformed)",
		     m->method == METHOD_TOOLS_CALL
			     ? "a tools/call without an id"
			     : "a request without an id");
		return;
	}
	j.policy = policy;
	j.judged = judged;
	j.count = 0;
	if (!find_subjects(&j, m)) {
		give(v, VERDICT_MALFORMED, "(malformed)", unreadable);
	} else if (!may_refer(policy, m) || judge_references(&j, m)) {
		for (size_t at = 0; at < j.count; at++)
			plain &= j.matches[at]->plain;
		if (j.count > 0 && !plain)
			judge(&j, v);
		else if (j.count == 0 && !may_refer(policy, m))
			v->kind = VERDICT_UNJUDGED;
	}
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
			refuse(v, &j->limits[i]->location,
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
		refuse(v, &j->limits[at]->location, uncounted);
	}
	v->section = j->sections[at];
	if (j->notification)
		v->kind = VERDICT_DROPPED;
}

void policy_not_approved(struct judged *j, const char *reason)
{
	refuse(&j->verdict, &j->ask.rules[0], reason);
	j->verdict.section = j->ask.section;
	j->count = 0;
}

bool policy_lists(const struct policy *policy, enum policy_section section,
		  struct text name)
{
	struct subject s = {.section = section};
	char buf[MESSAGE_NAME_BYTES];
	struct match room;

	if (!name.ptr || !plain_name(&name, buf, &s.name, &s.len))
		return false;
	return match_find(policy, &s, NULL, &room)->action != ACTION_HIDE &&
	       !(section == POLICY_TOOLS && policy->lock &&
		 lock_refuses(policy->lock, s.name, s.len));
}

void policy_lock(struct policy *policy, struct lock *lock)
{
	policy->lock = lock;
}

bool policy_locked(const struct policy *policy)
{
	return policy->lock;
}

enum lock_news policy_see(const struct policy *policy, struct text name,
			  struct span definition)
{
	char buf[MESSAGE_NAME_BYTES];
	size_t len = 0;
	const char *s = "";

	if (!policy->lock)
		return LOCK_NO_NEWS;
	if (name.ptr && !plain_name(&name, buf, &s, &len))
		len = 0;
	return lock_see(policy->lock, s, len, definition);
}
