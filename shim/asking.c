/* Calls that a person must approve.  The contract is in asking.h. */
#include "asking.h"

#include "../policies/host/host.h"
#include "answer.h"

#include <string.h>

#define PROGRESS   (10 * SECOND)
#define TEXT_BYTES (4 * (size_t)APPROVALS_TEXT)

static const char must[] = "a person must approve this";
static const char too_long[] =
	"a person must approve this, and it is too long to wait for one";
static const char said_no[] = "a person has refused this";

/* How it was decided, for the log; and what the agent is told if it was a no.
 */
static const struct {
	const char *answer, *how, *told;
} ways[] = {
	[APPROVAL_CLIENT] = {"no", "client", said_no},
	[APPROVAL_TERMINAL] = {"no", "terminal", said_no},
	[APPROVAL_PROGRAM] = {"no", "program", said_no},
	[APPROVAL_TIMEOUT] = {"none", "timeout", must},
	[APPROVAL_CANCELLED] = {"cancelled", "client", must},
	[APPROVAL_RELOADED] = {"none", "reload",
			       "the policy has changed while this waited for a "
			       "person"},
	[APPROVAL_ENDED] = {"none", "end",
			    "the session ended while this waited for a person"},
};

static void log_answer(struct session *s, const struct approval *of)
{
	log_approval(&s->log, &of->m, of->yes ? "yes" : ways[of->way].answer,
		     of->who, ways[of->way].how, host_now() - of->since);
}

/* ---- a call comes ---------------------------------------------------- */

/* The client answers the question that it got as the result of this call. */
static void take_repeat(struct session *s, struct approval *of, bool yes)
{
	struct current *cur = &s->current;

	approvals_answer(of, yes, APPROVAL_CLIENT, NULL);
	log_answer(s, of);
	approvals_keep(s->approvals, cur->digest, yes,
		       host_now() + APPROVALS_KEEP);
	approvals_release(of);
}

void asking_recall(struct session *s, const struct message *m)
{
	struct current *cur = &s->current;
	struct judged *j = &cur->judged;
	struct elicit_call call;
	struct approval *of;
	bool yes = false;

	if (!s->approvals) {
		policy_not_approved(j, must);
		return;
	}
	if (!elicit_call(m->params, &call)) {
		j->verdict = (struct verdict){
			.kind = VERDICT_MALFORMED,
			.location.rule = "(malformed)",
			.reason = "what it says of asking can be read in two "
				  "ways",
			.wait = -1};
		j->count = 0;
		return;
	}
	if (!approvals_digest(s->approvals, s->policy, m, &j->ask,
			      cur->digest)) {
		policy_not_approved(j, too_long);
		return;
	}
	of = approvals_find(s->approvals, APPROVAL_REPEAT, cur->digest);
	if (of && call.said != ELICIT_NOTHING) {
		take_repeat(s, of, call.said == ELICIT_YES);
	} else if (approvals_continues(s->approvals, cur->digest, &call)) {
		cur->approved = host_now() + APPROVALS_KEEP;
		return;
	}
	/* It answers too late.  Asked again, it might for ever. */
	of = approvals_find(s->approvals, APPROVAL_EXPIRED, cur->digest);
	if (of && !of->waits && call.said != ELICIT_NOTHING) {
		of->waits = true;
		policy_not_approved(j, must);
		return;
	}
	cur->approved = approvals_kept(s->approvals, cur->digest, &yes);
	if (yes && call.said == ELICIT_NO) {
		/* Said elsewhere, and taken back before it was done. */
		yes = false;
		approvals_keep(s->approvals, cur->digest, false,
			       host_now() + APPROVALS_KEEP);
	}
	if (cur->approved > 0 && !yes)
		policy_not_approved(j, said_no);
	if (!yes)
		cur->approved = 0;
}

/* Copies what the rules say. */
static bool put_rules(struct approval *of, const struct ask *ask)
{
	struct strbuf by = {.ptr = of->by, .cap = sizeof(of->by)};
	struct strbuf o = {.ptr = of->rules, .cap = sizeof(of->rules) - 1};
	const char *first = ask->rules[0].rule;

	if (strlen(first) >= sizeof(of->first))
		first = "(approval)";
	memcpy(of->first, first, strlen(first) + 1);
	of->section = ask->section;
	of->cut = ask->count > POLICY_ASKS_MAX;
	for (size_t i = 0; i < ask->count && i < POLICY_ASKS_MAX; i++) {
		const char *parts[] = {ask->rules[i].rule, ask->reasons[i]};

		for (size_t k = 0; k < 2 && parts[k]; k++) {
			const struct text text = {parts[k], strlen(parts[k]),
						  TEXT_ESCAPED};
			ptrdiff_t len;

			strbuf_string(&o, k == 0 ? "  " : ": ");
			len = text_decode(text, o.ptr + o.len, o.cap - o.len);
			of->cut |= len < 0;
			o.len += len < 0 ? 0 : (size_t)len;
		}
		strbuf_string(&o, "\n");
	}
	of->cut |= o.full;
	of->rules[o.len] = '\0'; /* something may lie behind it */
	of->by_count = ask->by_count;
	for (size_t i = 0; i < ask->by_count; i++)
		strbuf_bytes(&by, ask->by[i], strlen(ask->by[i]) + 1);
	return !by.full;
}

/* Copies the call, and reads it there. */
static void put_call(struct approval *of, const char *line, size_t len)
{
	struct elicit_call call;
	struct fault fault;
	size_t body = len;

	memcpy(of->line, line, len);
	of->line[len] = '\n';
	of->len = len;
	body -= line[body - 1] == '\n';
	body -= line[body - 1] == '\r';
	of->body = body;
	message_read(of->line, body, &of->m, &fault);
	of->name = of->m.method == METHOD_RESOURCES_READ ? of->m.uri
		   : of->m.name.ptr                      ? of->m.name
							 : of->m.method_text;
	of->arguments =
		of->m.method == METHOD_OTHER ? of->m.params : of->m.arguments;
	elicit_call(of->m.params, &call);
	of->token = call.token;
}

/* May the client be asked by what it has said of itself? */
static bool client_can(const struct session *s, const struct message *m)
{
	struct elicit_call call;

	if (!m->modern)
		return s->elicits;
	return (m->method == METHOD_TOOLS_CALL ||
		m->method == METHOD_PROMPTS_GET ||
		m->method == METHOD_RESOURCES_READ) &&
	       elicit_call(m->params, &call) && call.declared;
}

bool asking_hold(struct session *s, const char *line, size_t len,
		 const struct message *m)
{
	struct judged *j = &s->current.judged;
	const int64_t now = host_now();
	char room[TEXT_BYTES];
	struct strbuf text = {.ptr = room, .cap = sizeof(room)};
	struct approval *of = NULL, *old;
	const char *why = too_long;

	if (s->observe) {
		policy_not_approved(j, must);
		return false;
	}
	if (len <= APPROVALS_LINE)
		of = approvals_take(s->approvals, now, &why);
	if (!of) {
		policy_not_approved(j, why);
		return false;
	}
	memcpy(of->digest, s->current.digest, SHA256_BYTES);
	of->id_is_new = s->current.id_is_new;
	put_call(of, line, len);
	of->ways = s->ways;
	if (client_can(s, m))
		of->ways |= POLICY_ASK_CLIENT;
	of->ways &= j->ask.in;
	if (!put_rules(of, &j->ask))
		of->ways = 0;
	if (of->cut)
		of->ways &= POLICY_ASK_TERMINAL;
	if (of->ways & POLICY_ASK_CLIENT &&
	    !approval_text(s->approvals, of, &text, APPROVALS_TEXT))
		of->ways &= ~(unsigned)POLICY_ASK_CLIENT;
	if (of->ways == 0) {
		policy_not_approved(j, must);
		approvals_release(of);
		return false;
	}
	for (int state = APPROVAL_REPEAT; state <= APPROVAL_EXPIRED; state++)
		while ((old = approvals_find(s->approvals,
					     (enum approval_state)state,
					     of->digest)))
			approvals_release(old);
	of->until = now + j->ask.timeout * SECOND;
	of->progress = of->token.ptr ? now + PROGRESS : -1;
	of->state = APPROVAL_HELD;
	approvals_ask(s->approvals, of, now,
		      of->ways & POLICY_ASK_CLIENT && !m->modern);
	log_approval(&s->log, &of->m, "asked", "", "", 0);
	if (of->question[0]) {
		answer_question(&s->answers, of->question, &text);
	} else if (of->ways & POLICY_ASK_CLIENT) {
		answer_required(&s->answers, m->id, &text);
		of->state = APPROVAL_REPEAT;
	}
	return true;
}

/* ---- what the client says -------------------------------------------- */

enum asking asking_reads(struct session *s, const char *line, size_t len,
			 struct message *m, struct fault *fault)
{
	struct approvals *a = s->approvals;
	struct approval *of;
	struct span id;
	bool declared;

	fault->grammar = false;
	fault->offset = 0;
	if (m->kind == MESSAGE_RESULT || m->kind == MESSAGE_ERROR) {
		if (!approvals_issued(a, m->id))
			return ASKING_NOTHING;
		of = approvals_asked(a, m->id);
		/* Else it is late. */
		if (of) {
			approvals_answer(of, elicit_accepts(line, len),
					 APPROVAL_CLIENT, NULL);
			of->question[0] = '\0';
		}
		return ASKING_TAKEN;
	}
	if (m->kind == MESSAGE_REQUEST) {
		s->current.id_is_new = approvals_uses(a, m->id);
		fault->reason = "the id of a call that waits for a person";
		if (approvals_call(a, m->id)) {
			/* An answer would end that call. */
			m->id.ptr = NULL;
			return ASKING_FAULT;
		}
		fault->reason = "capabilities that can be read in two ways";
		return m->method == METHOD_INITIALIZE &&
				       !elicit_declared(m->params, &declared)
			       ? ASKING_FAULT
			       : ASKING_NOTHING;
	}
	if (!text_is(m->method_text, "notifications/cancelled", 23))
		return ASKING_NOTHING;
	fault->reason = "a requestId that can be read in two ways";
	if (!elicit_cancelled(m->params, &id))
		return ASKING_FAULT;
	of = approvals_call(a, id);
	if (!of)
		return ASKING_NOTHING;
	approvals_cancel(of);
	return ASKING_TAKEN;
}

/* ---- it is decided --------------------------------------------------- */

static void refuse(struct session *s, struct approval *of)
{
	const struct verdict v = {.kind = VERDICT_REFUSED,
				  .section = of->section,
				  .location.rule = of->first,
				  .reason = ways[of->way].told,
				  .wait = -1};

	s->log.began = of->since;
	log_verdict(&s->log, &of->m, &v, of->body, false);
	answer_refusal(&s->answers, &of->m, &v);
}

bool asking_settle(struct session *s)
{
	struct approval *of =
		approvals_find(s->approvals, APPROVAL_DECIDED, NULL);
	const int64_t later = host_now() + APPROVALS_KEEP;
	struct approval *same;

	if (!of)
		return false;
	log_answer(s, of);
	/* The client was asked, and has not answered. */
	if (of->question[0])
		answer_withdrawn(&s->answers, of->question);
	of->question[0] = '\0';
	if (of->yes && of->waits) {
		of->state = APPROVAL_PASSING;
		return true;
	}
	if (of->way <= APPROVAL_PROGRAM)
		approvals_keep(s->approvals, of->digest, of->yes, later);
	while (!of->yes && of->way <= APPROVAL_PROGRAM &&
	       (same = approvals_find(s->approvals, APPROVAL_HELD, of->digest)))
		approvals_answer(same, false, of->way, of->who);
	if (of->waits && of->way != APPROVAL_CANCELLED)
		refuse(s, of);
	if (of->way == APPROVAL_TIMEOUT &&
	    (of->ways & POLICY_ASK_TERMINAL || !of->waits)) {
		of->state = APPROVAL_EXPIRED;
		of->until = later;
	} else {
		approvals_release(of);
	}
	return true;
}

void asking_passed(struct session *s, const struct message *m, bool passed)
{
	const struct current *cur = &s->current;

	if (!passed)
		approvals_keep(s->approvals, cur->digest, true, cur->approved);
	else if (cur->id_is_new && m->modern &&
		 (m->method == METHOD_TOOLS_CALL ||
		  m->method == METHOD_PROMPTS_GET ||
		  m->method == METHOD_RESOURCES_READ))
		approvals_passed(s->approvals, cur->digest, m->id, host_now());
}

void asking_progress(struct session *s, int64_t now)
{
	for (size_t i = 0; i < APPROVALS_SLOTS; i++) {
		struct approval *of = approvals_slot(s->approvals, i);
		const int64_t all = (of->until - of->since) / MILLISECOND;

		if (of->state != APPROVAL_HELD || of->progress < 0 ||
		    now < of->progress)
			continue;
		of->progress = now + PROGRESS;
		/* Who does not read wants no more of it. */
		if (s->answers.len == 0)
			answer_progress(&s->answers, of->token,
					(now - of->since) / MILLISECOND *
						10000 / all);
	}
}
