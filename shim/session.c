/* What is done with each line.  The contract is in session.h. */
#include "session.h"

#include "../parser/reply.h"
#include "../policies/lock.h"
#include "answer.h"
#include "asking.h"
#include "grant.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line can cause one answer, or, when a list is unreadable, one for each
 * that is pending: half of the queue, and the other half is for the next. */
#define QUEUE_BYTES    (4 * ANSWER_BYTES)
#define WITHHELD_BYTES (MESSAGE_ID_BYTES + 512)
_Static_assert(PENDING_MAX *WITHHELD_BYTES < QUEUE_BYTES / 2,
	       "every pending list can be answered at once");

bool session_open(struct session *s, struct policy *policy,
		  struct counters *counters, size_t max_line)
{
	memset(s, 0, sizeof(*s));
	s->policy = policy;
	s->max_line = max_line;
	s->log.fd = -1;
	s->counters = counters;
	s->answers.ptr = malloc(QUEUE_BYTES);
	s->answers.cap = QUEUE_BYTES;
	return s->counters && s->answers.ptr && stream_open(&s->up, max_line) &&
	       stream_open(&s->down, max_line);
}

void session_close(struct session *s)
{
	if (s->observed_count > 0)
		report("and %zu more would not pass", s->observed_count);
	session_drop(s);
	counters_free(s->counters);
	approvals_close(s->approvals);
	free(s->answers.ptr);
	stream_close(&s->up);
	stream_close(&s->down);
	served_free(s->served);
}

bool session_ask(struct session *s, const char *const *server, unsigned ways)
{
	static const char *const none[] = {NULL};

	s->server = server ? server : none;
	s->ways = ways;
	if (policy_asks(s->policy) && !s->approvals)
		s->approvals = approvals_open(s->server);
	return s->approvals || !policy_asks(s->policy);
}

static bool answers_have_room(const struct session *s)
{
	return s->answers.cap - s->answers.len >= QUEUE_BYTES / 2;
}

/* Answers for a verdict that is not to pass. */
static void answer(struct session *s, const char *line, const struct message *m,
		   const struct verdict *v)
{
	struct fault fault = {.reason = v->reason};

	switch (v->kind) {
	case VERDICT_UNWEIGHED:
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

/* Judges the message, and has its limits counted: of one that a person must
 * approve, once they have; until then they are asked.  of: they have, and it
 * lies there; or NULL.  False: that takes time, and the message is to be read
 * again once s->held has the answer. */
static bool judge_message(struct session *s, const struct message *m,
			  struct approval *of)
{
	struct held *h = &s->held;

	if (!h->counting) {
		policy_judge(s->policy, m, &h->judged);
		h->waited = h->approved = 0;
		h->of = of;
		if (of) {
			h->approved = grant_now() + APPROVALS_KEEP;
			memcpy(h->digest, of->digest, SHA256_BYTES);
			h->unused = of->unused;
		}
		/* Before a person is asked, or a limit counts. */
		if (h->judged.verdict.kind == VERDICT_PASS &&
		    must_be_logged(s) && !log_ready(&s->log)) {
			refuse_unlogged(&h->judged);
			return true;
		}
		if (!of && h->judged.ask.count > 0 && !s->observe)
			asking_meet(s, m);
		if (h->judged.count == 0)
			return true;
		h->since = grant_now();
		h->answer = counters_ask(
			s->counters, h->judged.questions, h->judged.count,
			h->judged.ask.count == 0 || h->approved || s->observe,
			h->since);
	}
	h->counting = h->answer == COUNTED_LATER;
	if (h->counting)
		return false;
	policy_counted(&h->judged, h->answer);
	report_trouble(s);
	return true;
}

void session_resume(struct session *s)
{
	struct held *h = &s->held;
	const int64_t now = grant_now();
	enum counted counted = counters_resume(s->counters, now);

	if (!h->counting || h->answer != COUNTED_LATER)
		return;
	h->answer = counted;
	h->waited = now - h->since;
}

void session_drop(struct session *s)
{
	if (s->held.counting && s->held.answer == COUNTED_LATER) {
		counters_drop(s->counters);
		s->held.counting = false;
		/* It was taken out already. */
		if (s->held.approved && !s->held.of)
			approvals_keep(s->approvals, s->held.digest, true,
				       s->held.approved);
	}
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
	const int64_t now = grant_now();

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

/* A line that is not understood. */
static bool passes_fault(struct session *s, struct span id,
			 const struct fault *fault, size_t bytes)
{
	log_fault(&s->log, id, fault, bytes, s->observe);
	report_observed(s, NULL, fault->reason);
	if (!s->observe)
		answer_fault(&s->answers, id, fault);
	return s->observe;
}

static const enum policy_section sections[REPLY_LISTS] = {
	[REPLY_TOOLS] = POLICY_TOOLS,
	[REPLY_PROMPTS] = POLICY_PROMPTS,
	[REPLY_RESOURCES] = POLICY_RESOURCES,
	[REPLY_TEMPLATES] = POLICY_RESOURCES,
};

static void note_greeting(struct session *s, struct span id, bool discover)
{
	s->greeting = true;
	s->discover = discover;
	memcpy(s->greeting_id, id.ptr, id.len);
	s->greeting_len = id.len;
}

/* A request that passes: is its answer to be read? */
static void note_request(struct session *s, const struct message *m)
{
	enum reply_list list;

	if (!m->id.ptr)
		return;
	switch (m->method) {
	case METHOD_INITIALIZE:
		elicit_declared(m->params, &s->elicits);
		/* Its answer promises things. */
		note_greeting(s, m->id, false);
		return;
	case METHOD_TOOLS_LIST:
		list = REPLY_TOOLS;
		break;
	case METHOD_PROMPTS_LIST:
		list = REPLY_PROMPTS;
		break;
	case METHOD_RESOURCES_LIST:
		list = REPLY_RESOURCES;
		break;
	case METHOD_TEMPLATES_LIST:
		list = REPLY_TEMPLATES;
		break;
	default:
		/* Its answer has the server's name. */
		if (s->log.fd >= 0 && !s->log.named && !s->greeting &&
		    text_is(m->method_text, "server/discover", 15))
			note_greeting(s, m->id, true);
		return;
	}
	if (!s->observe || !s->tools_known || policy_locked(s->policy))
		pending_add(&s->pending, m->id, list);
}

/* A whole line of the server's: the answer may be an error, too. */
static void end_greeting(struct session *s, const struct reply *reply)
{
	bool ours = reply->answers && reply->id.ptr &&
		    reply->id.len == s->greeting_len &&
		    memcmp(reply->id.ptr, s->greeting_id, s->greeting_len) == 0;

	if (!s->greeting || (!reply->greets && !ours))
		return;
	s->greeting = false;
	if (!s->discover)
		s->changes = reply->changes;
	if (reply->kind == REPLY_OTHER)
		log_server(&s->log, reply->server);
}

/* Is a list pending in which something may be hidden? */
static bool reads_lists(const struct session *s)
{
	/* What is observed passes as it is. */
	for (int i = 0; i < REPLY_LISTS && !s->observe; i++)
		if (policy_hides(s->policy, sections[i]) &&
		    pending_has(&s->pending, (enum reply_list)i))
			return true;
	return false;
}

/* Do the server's lines have to be read, and so to be whole? */
static bool reads_whole(const struct session *s)
{
	return s->greeting || s->pending.open > 0 || reads_lists(s) ||
	       policy_locked(s->policy) ||
	       (s->approvals && approvals_await(s->approvals));
}

/*
 * Does a reader that keeps the first bytes it has read as a slice of the buffer
 * that it reads the next ones into (mcp-golang 0.16.1) find JSON in the first
 * line of a session?  It finds the second part of it twice, and no first one.
 */
static bool reads_two_ways(char *line, size_t len, struct fault *fault)
{
	enum { PART = 4096 }; /* of bytes that it reads at once */
	char first[PART];
	struct message m;

	if (len < 2 * (size_t)PART)
		return false;
	memcpy(first, line, PART);
	memcpy(line, line + PART, PART);
	fault->grammar = false;
	message_read(line, len, &m, fault);
	memcpy(line, first, PART);
	if (fault->grammar)
		return false;
	*fault = (struct fault){
		.reason = "a first line that some servers read in two ways",
		.offset = PART};
	return true;
}

/* A message of so many bytes that was judged: logs it, answers it unless it
 * passes.  Does it? */
static bool conclude(struct session *s, const char *line, size_t bytes,
		     const struct message *m)
{
	const struct verdict *v = &s->held.judged.verdict;
	bool logged;

	if (v->kind == VERDICT_UNWEIGHED)
		return true;
	logged = log_verdict(&s->log, m, v, bytes, s->observe);
	if (v->kind == VERDICT_PASS && !logged && must_be_logged(s)) {
		refuse_unlogged(&s->held.judged);
		s->log.verdicts[VERDICT_PASS]--;
		s->log.verdicts[v->kind]++;
	}
	if (s->served && logged && m->id.ptr &&
	    (v->kind == VERDICT_PASS || s->observe))
		log_call(&s->log, m,
			 served_add(s->served, m->id,
				    s->down_half.first != '\0'));
	if (v->kind == VERDICT_PASS)
		return true;
	report_observed(s, m, v->reason);
	if (!s->observe)
		answer(s, line, m, v);
	return s->observe;
}

/* A line that may be about a question to a person, and nothing else.  Is it
 * not?  Else *passed says whether it passes. */
static bool judge_asked(struct session *s, const char *line, size_t body,
			struct message *m, bool *passed)
{
	struct fault fault;

	switch (asking_reads(s, line, body, m, &fault)) {
	case ASKING_FAULT:
		*passed = passes_fault(s, m->id, &fault, body);
		return false;
	case ASKING_TAKEN:
		return false;
	default:
		return true;
	}
}

/* A whole line of the client's, of len bytes with its LF if it has one.  False:
 * it is being counted, and stays where it is. */
static bool judge_line(struct session *s, size_t len)
{
	char *line = s->up.buf + s->up.next;
	size_t body = len;
	struct message m;
	struct fault fault;
	bool passed = false;

	if (line[body - 1] == '\n') {
		body--;
		if (body > 0 && line[body - 1] == '\r')
			body--;
	}
	if (s->log.fd >= 0 && !s->held.counting)
		s->log.began = grant_now();
	/* Blank lines end some servers, and say nothing. */
	if (message_blank(line, body)) {
		passed = s->observe;
	} else if (!message_read(line, body, &m, &fault)) {
		passed = passes_fault(s, m.id, &fault, body);
	} else if (!s->up_begun && reads_two_ways(line, body, &fault)) {
		s->heard = HEARD_MESSAGE;
		passed = passes_fault(s, m.id, &fault, body);
	} else if (s->approvals && !s->held.counting &&
		   !judge_asked(s, line, body, &m, &passed)) {
		s->heard = HEARD_MESSAGE;
	} else {
		const struct held *h = &s->held;

		s->heard = HEARD_MESSAGE;
		if (!judge_message(s, &m, NULL))
			return false;
		if (h->judged.ask.count > 0 && !h->approved &&
		    h->judged.verdict.kind == VERDICT_PASS &&
		    asking_hold(s, line, len, &m)) {
			stream_drop(&s->up, len);
			return true;
		}
		passed = conclude(s, line, body, &m);
		if (h->approved)
			asking_passed(s, &m, passed);
		if (passed)
			note_request(s, &m);
	}
	s->up_begun |= passed;
	if (passed)
		stream_pass(&s->up, len);
	else
		stream_drop(&s->up, len);
	return true;
}

/* The line at next has no end yet, or is longer than any may be: left out,
 * and answered once. */
static void leave_out_long(struct session *s, size_t len, bool whole)
{
	struct span none = {.ptr = NULL};
	struct fault fault = {.reason = "a line longer than --max-line",
			      .offset = s->max_line};

	s->log.began = grant_now();
	if (!s->up_too_long)
		passes_fault(s, none, &fault, len);
	s->up_too_long = !whole;
	if (s->observe)
		stream_pass(&s->up, len);
	else
		stream_drop(&s->up, len);
}

/* A call that was laid aside and approved, the next one; or NULL. */
static struct approval *next_aside(const struct session *s)
{
	if (s->held.counting)
		return s->held.of;
	return s->approvals && !s->aside
		       ? approvals_find(s->approvals, APPROVAL_PASSING, NULL)
		       : NULL;
}

/* False: its limits are being counted. */
static bool judge_aside(struct session *s, struct approval *of)
{
	bool passed;

	if (!s->held.counting)
		s->log.began = of->since;
	if (!judge_message(s, &of->m, of))
		return false;
	passed = conclude(s, of->line, of->body, &of->m);
	asking_passed(s, &of->m, passed);
	if (passed) {
		note_request(s, &of->m);
		of->state = APPROVAL_GOING;
		s->aside = of;
		s->aside_sent = 0;
		s->up_begun = true;
	} else {
		approvals_release(of);
	}
	return true;
}

static bool judge_up(struct session *s)
{
	struct stream *up = &s->up;
	struct approval *of;
	bool any = false;

	if (s->held.counting && s->held.answer == COUNTED_LATER)
		return false;
	for (; answers_have_room(s) && (of = next_aside(s)); any = true)
		if (!judge_aside(s, of))
			return any;
	while (answers_have_room(s) && stream_may_judge(up)) {
		size_t len = stream_line(up), rest = up->fill - up->next;
		bool whole = len > 0;

		if (!whole) {
			/* The end of the input ends the last line. */
			if (!s->up_ended && rest <= s->max_line &&
			    !s->up_too_long)
				break;
			len = rest;
		}
		if (s->up_too_long || len - whole > s->max_line)
			leave_out_long(s, len, whole);
		else if (!judge_line(s, len))
			break;
		any = true;
	}
	return any;
}

/* A line of the server's that may hold a list, and cannot be read. */
static void withhold(struct session *s, const struct reply *reply)
{
	struct strbuf *out = &s->answers;
	struct span id = reply->id;

	report("withheld a line from the server %s: %s (byte %zu)",
	       reads_lists(s) ? "while a list was pending"
			      : "that may be a list",
	       reply->fault.reason, reply->fault.offset);
	log_withheld(&s->log, id, &reply->fault);
	if (id.ptr && reply->answers && id.len <= MESSAGE_ID_BYTES) {
		pending_answered(&s->pending, id);
		answer_withheld(out, id, &reply->fault);
		return;
	}
	/* Behind half a line there may be less room than for all. */
	while (out->cap - out->len >= WITHHELD_BYTES &&
	       (id = pending_answer(&s->pending)).ptr)
		answer_withheld(out, id, &reply->fault);
}

/* Tells what a list shows of a tool, and the lock has not so: of the first by
 * name on stderr, of all in the log. */
static void note_unlocked(struct session *s, enum lock_news news,
			  struct text name)
{
	const char *reason = news == LOCK_CHANGED
				     ? "has changed since it was locked"
				     : "is not in the lock file";
	char text[8 * OBSERVED_BYTES];
	struct strbuf out = {.ptr = text, .cap = sizeof(text)};

	put_observed(&out, name, "");
	if (s->unlocked++ == 0)
		report("tool \"%.*s\" %s: %shidden and refused; look with weir "
		       "scan --lock FILE --diff",
		       (int)out.len, text, reason,
		       s->observe ? "would be " : "");
	log_changed(&s->log, name, reason);
}

/* A list_keep; context is the session. */
static bool notes(void *context, enum reply_list list, struct text name,
		  struct span item)
{
	struct session *s = context;
	enum lock_news news = LOCK_NO_NEWS;

	if (list == REPLY_TOOLS)
		news = policy_see(s->policy, name, item);
	if (news != LOCK_NO_NEWS)
		note_unlocked(s, news, name);
	if (list == REPLY_TOOLS && !s->tools_known)
		policy_note(s->policy, POLICY_TOOLS, name);
	return true;
}

static bool keeps(void *context, enum reply_list list, struct text name,
		  struct span item)
{
	struct session *s = context;

	notes(s, list, name, item);
	return !policy_hides(s->policy, sections[list]) ||
	       policy_lists(s->policy, sections[list], name);
}

/* A list of tools was read.  Once all of it was, says which entries of the
 * policy it has no tool for: it may be that of another server. */
static void note_tools(struct session *s, const struct reply *reply)
{
	char text[ANSWER_BYTES];
	struct strbuf out = {.ptr = text, .cap = sizeof(text) - 1};

	if (reply->more)
		return;
	s->tools_known = true;
	if (!policy_say_unused(s->policy, &out))
		return;
	text[out.len] = '\0';
	report("%s", text);
	log_warning(&s->log, text);
}

/* Takes note of what a reply ends. */
static void note_reply(struct session *s, const struct reply *reply)
{
	if (reply->kind == REPLY_LIST && reply->lists[REPLY_TOOLS].ptr &&
	    !s->tools_known)
		note_tools(s, reply);
	end_greeting(s, reply);
	if (!reply->answers || !reply->id.ptr)
		return;
	if (s->approvals)
		approvals_replied(s->approvals, reply->id,
				  reply->kind == REPLY_OTHER
					  ? reply->result
					  : (struct span){.ptr = NULL});
	for (int i = 0; i < REPLY_LISTS; i++)
		if (reply->kind == REPLY_LIST && reply->lists[i].ptr)
			pending_end(&s->pending, reply->id, (enum reply_list)i);
	pending_seen(&s->pending, reply->id);
}

/* Looks for answers in what passes. */
static void note_served(struct session *s, const char *p, size_t len)
{
	struct served_line line;

	while (len > 0 && served_waits(s->served)) {
		size_t used = served_take(s->served, p, len, &line);

		if (line.call)
			log_answered(&s->log, line.call, line.bytes,
				     line.error);
		p += used;
		len -= used;
	}
}

static void pass_down(struct session *s, size_t len)
{
	note_served(s, s->down.buf + s->down.next, len);
	half_add(&s->down_half, s->down.buf + s->down.next, len);
	stream_pass(&s->down, len);
}

/* May a line that cannot be read be a list of tools to some reader?  Then it
 * has that word, or an escape that may stand for a letter of it. */
static bool may_list(const char *line, size_t len, const struct fault *fault)
{
	return !fault->grammar || memmem(line, len, "\"tools\"", 7) ||
	       memmem(line, len, "\\u00", 4);
}

/* A whole line of the server's while a list is pending, or any while there is a
 * lock: a server that has another list than was locked may send it before weir
 * has read the request that the client has sent. */
static void judge_reply(struct session *s, size_t len)
{
	char *line = s->down.buf + s->down.next;
	const bool locked = policy_locked(s->policy) && !s->observe;
	bool lists = reads_lists(s);
	struct reply reply;
	size_t used = len;

	s->unlocked = 0;
	/* What is cut of a line in doubt does not matter: it is withheld. */
	if (lists)
		used = reply_cut(line, len, keeps, s, &reply);
	else if (!s->tools_known || policy_locked(s->policy))
		reply_cut(line, len, notes, s, &reply);
	else
		reply_read(line, len, &reply);
	if (locked && !lists && reply.kind == REPLY_LIST)
		used = reply_cut(line, len, keeps, s, &reply);
	else if (locked && reply.kind == REPLY_UNREAD)
		lists |= may_list(line, len, &reply.fault);
	if (s->unlocked > 1)
		report("and %zu more tools of this list", s->unlocked - 1);
	if (reply.kind == REPLY_UNREAD && lists) {
		withhold(s, &reply);
		stream_drop(&s->down, len);
		return;
	}
	note_reply(s, &reply);
	note_served(s, line, used);
	stream_pass(&s->down, used);
	stream_drop(&s->down, len - used);
}

/* A line that grows past what can be read while a list is pending. */
static void judge_long_reply(struct session *s, size_t len, bool whole)
{
	struct reply reply;

	reply_read(s->down.buf + s->down.next, len, &reply);
	if (reply.kind == REPLY_NOISE || !reads_lists(s)) {
		pass_down(s, len);
		return;
	}
	reply.id.ptr = NULL;
	reply.fault.reason = "a line longer than --max-line";
	reply.fault.offset = s->max_line;
	withhold(s, &reply);
	s->down_too_long = !whole;
	stream_drop(&s->down, len);
}

/* What follows half a line that was passed on before a list was pending.
 * ended: no more of it is waited for.  False: it is. */
static bool judge_rest(struct session *s, size_t len, bool whole, bool ended)
{
	struct reply reply = {.fault.reason = "a list behind half a line"};
	size_t good = len;

	if (reads_lists(s))
		good = reply_rest(&s->down_half, s->down.buf + s->down.next,
				  len, whole || s->down_ended);
	reply.fault.offset = good;
	pass_down(s, good);
	if (good == len || (!whole && !s->down_ended && (good > 0 || !ended)))
		return good > 0;
	withhold(s, &reply);
	s->down_too_long = !whole;
	/* But for the end of the line, which is the half one's, too. */
	stream_drop(&s->down, len - good - whole);
	return true;
}

static void judge_down_line(struct session *s, size_t len, bool whole)
{
	if (s->down_too_long) {
		s->down_too_long = !whole;
		stream_drop(&s->down, len - (whole && s->down_half.first));
	} else if (len - whole > s->max_line) {
		judge_long_reply(s, len, whole);
	} else {
		judge_reply(s, len);
	}
}

static bool judge_down(struct session *s)
{
	struct stream *down = &s->down;
	bool any = false;

	if (s->heard != HEARD_MESSAGE && down->fill > down->next)
		s->heard = memmem(down->buf + down->next,
				  down->fill - down->next, "\"jsonrpc\"", 9)
				   ? HEARD_MESSAGE
				   : HEARD_NOISE;
	/* What is passed on unread causes no answer; and answers may be waiting
	 * for the end of that very line. */
	while (stream_may_judge(down) &&
	       (answers_have_room(s) || s->down_half.first ||
		!reads_whole(s))) {
		size_t rest = down->fill - down->next, len;
		bool whole, ended;

		if (!reads_whole(s) && !s->down_too_long) {
			pass_down(s, rest);
			return true;
		}
		len = stream_line(down);
		whole = len > 0;
		ended = whole || s->down_ended || rest > s->max_line ||
			s->down_too_long;
		if (!whole)
			len = rest;
		if (s->down_half.first && !s->down_too_long) {
			if (!judge_rest(s, len, whole, ended))
				break;
		} else if (ended) {
			judge_down_line(s, len, whole);
		} else {
			break;
		}
		any = true;
	}
	return any;
}

/* While answers wait for the end of a line, so much of it is looked through,
 * and may be sent, at once: else a long line would be looked through for each
 * of the pieces that it is sent in. */
#define LOOKED_THROUGH (2 * STREAM_CHUNK)

/* What goes to the client next: answers, when no line is under way. */
const char *session_down(const struct session *s, size_t *len)
{
	const char *run = s->down.buf + s->down.run, *lf;
	size_t run_len = s->down.run_end - s->down.run;

	if (s->breaking) {
		*len = 1;
		return "\n";
	}
	if (s->answers.len > 0 && (s->answers_sent > 0 || !s->client_inside)) {
		*len = s->answers.len - s->answers_sent;
		return s->answers.ptr + s->answers_sent;
	}
	if (s->answers.len > 0 && run_len > LOOKED_THROUGH)
		run_len = LOOKED_THROUGH;
	*len = run_len;
	if (s->answers.len > 0 && (lf = memchr(run, '\n', run_len)))
		*len = (size_t)(lf - run) + 1;
	return run;
}

void session_down_sent(struct session *s, size_t len)
{
	const char *run = s->down.buf + s->down.run;
	size_t most;

	if (s->breaking) {
		s->breaking = false;
		return;
	}
	if (session_down(s, &most) == run) {
		half_add(&s->client_half, run, len);
		/* White space is no begin of a line; half a byte order mark
		 * is not to be torn. */
		s->client_inside = s->client_half.first ||
				   memchr("\xC2\xEF\xBB", run[len - 1], 3);
		stream_sent(&s->down, len);
		return;
	}
	s->answers_sent += len;
	if (s->answers_sent == s->answers.len)
		s->answers.len = s->answers_sent = 0;
}

/* What waits for a person is refused once nobody is left to ask for it, or to
 * do it; and what has been decided, is done. */
static bool settle(struct session *s)
{
	bool any = false;

	if (!s->approvals)
		return false;
	if (s->down_ended) {
		/* What is being counted of it is no longer there, then. */
		if (s->held.of) {
			session_drop(s);
			s->held.counting = false;
		}
		approvals_end(s->approvals, APPROVAL_ENDED, true);
	} else if (s->up_ended && s->up.next == s->up.fill) {
		approvals_end(s->approvals, APPROVAL_ENDED, false);
	}
	while (answers_have_room(s) && asking_settle(s))
		any = true;
	return any;
}

void session_tick(struct session *s, int64_t now)
{
	if (!s->approvals)
		return;
	approvals_tick(s->approvals, now);
	asking_progress(s, now);
}

const char *session_up(const struct session *s, size_t *len, bool *one)
{
	const struct stream *up = &s->up;

	*one = true;
	if (s->aside && (s->aside_sent > 0 || !s->up_inside)) {
		*len = s->aside->len - s->aside_sent;
		return s->aside->line + s->aside_sent;
	}
	/* The last line of the client's has no end. */
	if (s->aside && s->up_ended && up->run == up->fill) {
		*len = 1;
		return "\n";
	}
	*one = up->last <= up->run;
	*len = up->run_end - up->run;
	return up->buf + up->run;
}

void session_up_sent(struct session *s, size_t len)
{
	size_t most;
	bool one;
	const char *p = session_up(s, &most, &one);

	s->up_inside = p[len - 1] != '\n';
	if (p == s->up.buf + s->up.run) {
		stream_sent(&s->up, len);
	} else if (s->aside && p == s->aside->line + s->aside_sent) {
		s->aside_sent += len;
		if (s->aside_sent < s->aside->len)
			return;
		approvals_release(s->aside);
		s->aside = NULL;
	}
}

bool session_up_ended(const struct session *s)
{
	return s->up_ended && s->up.run == s->up.fill && !s->aside &&
	       (!s->approvals ||
		(!approvals_find(s->approvals, APPROVAL_DECIDED, NULL) &&
		 !approvals_find(s->approvals, APPROVAL_PASSING, NULL)));
}

bool session_judge(struct session *s)
{
	bool any = settle(s);

	any |= judge_up(s);
	any |= judge_down(s);
	/* The line that the answers wait for will have no end. */
	if (s->down_ended && s->client_inside && s->answers_sent == 0 &&
	    s->down.run == s->down.fill) {
		if (session_stuck(s))
			session_break(s);
		else
			s->answers.len = 0;
	}
	return any;
}

bool session_stuck(const struct session *s)
{
	char first = s->client_half.first;

	return s->answers.len > 0 && s->answers_sent == 0 && s->client_inside &&
	       first != '{' && first != '[' && s->down.run == s->down.run_end;
}

void session_break(struct session *s)
{
	if (!s->broken)
		report("the server left a line unfinished; weir ended it to send its answers");
	s->broken = s->breaking = true;
	s->client_inside = false;
	s->client_half = s->down_half = (struct half){0};
	if (s->served)
		served_break(s->served);
}

bool session_reload(struct session *s, struct policy *policy,
		    struct counters *counters)
{
	if (!answers_have_room(s))
		return false;
	if (s->approvals &&
	    memcmp(policy_digest(policy), policy_digest(s->policy),
		   POLICY_DIGEST_BYTES) != 0)
		approvals_end(s->approvals, APPROVAL_RELOADED, true);
	s->policy = policy;
	if (s->server && !session_ask(s, s->server, s->ways))
		report("out of memory: what a person must approve is refused");
	counters_free(s->counters);
	s->counters = counters;
	for (int i = 0; i < REPLY_TEMPLATES; i++)
		if (s->changes >> i & 1)
			answer_changed(&s->answers, sections[i]);
	return true;
}

void session_forget_up(struct session *s)
{
	session_drop(s);
	s->held.counting = false;
	stream_forget(&s->up);
	if (s->aside)
		approvals_release(s->aside);
	s->aside = NULL;
	if (s->approvals)
		approvals_end(s->approvals, APPROVAL_ENDED, true);
}

void session_forget_down(struct session *s)
{
	stream_forget(&s->down);
	s->answers.len = s->answers_sent = 0;
	s->breaking = false;
}
