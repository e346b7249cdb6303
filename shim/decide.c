/* Decisions on the client's messages.  The contract is in decide.h. */
#include "decide.h"

#include "../policies/host/host.h"
#include "answer.h"
#include "asking.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

/* With --log-required, what would pass is refused where the log cannot have it
 * before. */
static bool must_be_logged(const struct session *s)
{
	return s->log.required && !s->observe;
}

static void refuse_unlogged(struct judged *j)
{
	j->verdict.kind = j->notification ? VERDICT_DROPPED : VERDICT_REFUSED;
	j->verdict.location.rule = "(log)";
	j->verdict.reason = "the decision cannot be logged right now";
}

/* Reports once why limits cannot be checked, and once that they can again. */
static void report_trouble(struct session *s)
{
	const char *trouble = counters_trouble(s->counters);

	if (*trouble && !s->uncounted)
		report("%s; refusing calls that have limits", trouble);
	if (!*trouble && s->uncounted)
		report("limits can be checked again");
	s->uncounted = *trouble != '\0';
}

bool decide_judge(struct session *s, const struct message *m,
		  struct approval *of)
{
	struct current *cur = &s->current;

	if (!cur->counting) {
		policy_judge(s->policy, m, &cur->judged);
		cur->approved = 0;
		cur->of = of;
		if (of) {
			cur->approved = host_now() + APPROVALS_KEEP;
			memcpy(cur->digest, of->digest, SHA256_BYTES);
			cur->id_is_new = of->id_is_new;
		}
		/* Before a person is asked, or a limit counts. */
		if (cur->judged.verdict.kind == VERDICT_PASS &&
		    must_be_logged(s) && !log_ready(&s->log)) {
			refuse_unlogged(&cur->judged);
			return true;
		}
		if (!of && cur->judged.ask.count > 0 && !s->observe)
			asking_recall(s, m);
		if (cur->judged.count == 0)
			return true;
		cur->answer = counters_ask(s->counters, cur->judged.questions,
					   cur->judged.count,
					   cur->judged.ask.count == 0 ||
						   cur->approved || s->observe,
					   host_now());
	}
	cur->counting = cur->answer == COUNTED_LATER;
	if (cur->counting)
		return false;
	policy_counted(&cur->judged, cur->answer);
	report_trouble(s);
	return true;
}

#define OBSERVED_BYTES 80 /* of a name */

static void put_observed(struct strbuf *out, struct text text, const char *end)
{
	if (!text.ptr)
		return;
	strbuf_escaped(out, text.ptr,
		       text.len < OBSERVED_BYTES ? text.len : OBSERVED_BYTES);
	strbuf_string(out, end);
}

/* Where there is no log, --observe says on stderr what would not have passed:
 * at most a line a second, and then how many more there were. */
static void report_observed(struct session *s, const struct message *m,
			    const char *reason)
{
	char text[16 * OBSERVED_BYTES], more[40] = "";
	struct strbuf out = {.ptr = text, .cap = sizeof(text)};
	const int64_t now = host_now();

	if (!s->observe || s->log.fd >= 0)
		return;
	if (now < s->observed_due) {
		s->observed_count++;
		return;
	}
	if (m) {
		put_observed(&out, m->method_text, " ");
		put_observed(&out, m->name.ptr ? m->name : m->uri, ": ");
	}
	if (s->observed_count > 0)
		snprintf(more, sizeof(more), " (and %zu more before)",
			 s->observed_count);
	report("would not pass: %.*s%s%s", (int)out.len, text, reason, more);
	s->observed_due = now + SECOND;
	s->observed_count = 0;
}

/* Answers for a verdict that is not to pass. */
static void answer(struct session *s, const char *line, const struct message *m,
		   const struct verdict *v)
{
	struct fault fault = {.reason = v->reason};

	switch (v->kind) {
	case VERDICT_UNJUDGED:
	case VERDICT_PASS:
		break;
	case VERDICT_HIDDEN:
		answer_unknown(&s->answers, m, v);
		break;
	case VERDICT_REFUSED:
		answer_refusal(&s->answers, m, v);
		break;
	case VERDICT_MALFORMED:
		fault.offset = m->name.ptr ? (size_t)(m->name.ptr - line) : 0;
		answer_fault(&s->answers, m->id, &fault);
		break;
	case VERDICT_DROPPED:
		report("not passed on: %s", v->reason);
		break;
	}
}

bool decide_finish(struct session *s, const char *line, size_t bytes,
		   const struct message *m)
{
	const struct current *cur = &s->current;
	const struct verdict *v = &cur->judged.verdict;
	bool passes, logged;

	if (v->kind == VERDICT_UNJUDGED)
		return true;
	logged = log_verdict(&s->log, m, v, bytes, s->observe);
	if (v->kind == VERDICT_PASS && !logged && must_be_logged(s)) {
		refuse_unlogged(&s->current.judged);
		s->log.verdicts[VERDICT_PASS]--;
		s->log.verdicts[v->kind]++;
	}
	passes = v->kind == VERDICT_PASS || s->observe;
	if (s->served && logged && m->id.ptr && passes)
		log_call(&s->log, m,
			 served_add(s->served, m->id,
				    s->down_half.first != '\0'));
	if (v->kind != VERDICT_PASS)
		report_observed(s, m, v->reason);
	if (!passes)
		answer(s, line, m, v);
	if (cur->approved)
		asking_passed(s, m, passes);
	return passes;
}

bool decide_fault(struct session *s, struct span id, const struct fault *fault,
		  size_t bytes)
{
	log_fault(&s->log, id, fault, bytes, s->observe);
	report_observed(s, NULL, fault->reason);
	if (!s->observe)
		answer_fault(&s->answers, id, fault);
	return s->observe;
}

void decide_resume(struct session *s)
{
	enum counted counted = counters_resume(s->counters, host_now());

	if (s->current.counting && s->current.answer == COUNTED_LATER)
		s->current.answer = counted;
}

void decide_drop(struct session *s)
{
	struct current *cur = &s->current;

	if (!cur->counting || cur->answer != COUNTED_LATER)
		return;
	counters_drop(s->counters);
	cur->counting = false;
	/* A yes for what stands in the stream was taken out already. */
	if (cur->approved && !cur->of)
		approvals_keep(s->approvals, cur->digest, true, cur->approved);
}
