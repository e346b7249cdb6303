/* What is done with each line.  The contract is in session.h. */
#include "session.h"

#include "../parser/reply.h"
#include "answer.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One line can cause one answer, or, when a list is unreadable, one for each
 * that is awaited: half of the queue, and the other half is for the next. */
#define QUEUE_BYTES (4 * ANSWER_BYTES)
_Static_assert(AWAIT_MAX *(MESSAGE_ID_BYTES + 512) < QUEUE_BYTES / 2,
	       "every awaited list can be answered at once");

bool session_open(struct session *s, const struct policy *policy,
		  size_t max_line)
{
	memset(s, 0, sizeof(*s));
	s->policy = policy;
	s->max_line = max_line;
	s->counters = counters_new(policy);
	s->answers.ptr = malloc(QUEUE_BYTES);
	s->answers.cap = QUEUE_BYTES;
	return s->counters && s->answers.ptr && stream_open(&s->up, max_line) &&
	       stream_open(&s->down, max_line);
}

void session_close(struct session *s)
{
	counters_free(s->counters);
	free(s->answers.ptr);
	stream_close(&s->up);
	stream_close(&s->down);
}

static bool answers_have_room(const struct session *s)
{
	return s->answers.cap - s->answers.len >= QUEUE_BYTES / 2;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Answers for the verdict, unless it is that the message passes. */
static bool passes(struct session *s, const char *line, const struct message *m)
{
	int64_t when = m->method == METHOD_TOOLS_CALL ? now() : 0;
	struct verdict v = policy_judge(s->policy, s->counters, m, when);
	struct fault fault = {.reason = v.reason};

	switch (v.kind) {
	case VERDICT_PASS:
		return true;
	case VERDICT_HIDDEN:
		answer_unknown(&s->answers, m->id, m->name);
		break;
	case VERDICT_REFUSED:
		answer_refusal(&s->answers, m, &v);
		break;
	case VERDICT_MALFORMED:
		fault.offset = (size_t)(m->name.ptr - line);
		answer_fault(&s->answers, m->id, &fault);
		break;
	case VERDICT_DROPPED:
		report_running("not passed on: %s", v.reason);
		break;
	}
	return false;
}

/* A whole line of the client's, of len bytes with its LF if it has one. */
static void judge_line(struct session *s, size_t len)
{
	const char *line = s->up.buf + s->up.next;
	size_t body = len;
	struct message m;
	struct fault fault;
	bool passed = false;

	if (line[body - 1] == '\n') {
		body--;
		if (body > 0 && line[body - 1] == '\r')
			body--;
	}
	/* Blank lines end some servers, and say nothing. */
	if (!message_blank(line, body)) {
		if (!message_read(line, body, &m, &fault))
			answer_fault(&s->answers, m.id, &fault);
		else
			passed = passes(s, line, &m);
	}
	if (!passed) {
		stream_drop(&s->up, len);
		return;
	}
	if (m.method == METHOD_TOOLS_LIST && m.id.ptr &&
	    policy_hides(s->policy))
		await_add(&s->await, m.id);
	stream_pass(&s->up, len);
}

/* The line at next has no end yet, or is longer than any may be: left out,
 * and answered once. */
static void leave_out_long(struct session *s, size_t len, bool whole)
{
	struct span none = {.ptr = NULL};
	struct fault fault = {.reason = "a line longer than --max-line",
			      .offset = s->max_line};

	if (!s->up_too_long)
		answer_fault(&s->answers, none, &fault);
	s->up_too_long = !whole;
	stream_drop(&s->up, len);
}

static bool judge_up(struct session *s)
{
	struct stream *up = &s->up;
	bool any = false;

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
		else
			judge_line(s, len);
		any = true;
	}
	return any;
}

/* A line of the server's that may hold a list, and cannot be read. */
static void withhold(struct session *s, const struct reply *reply)
{
	struct span id = reply->id;

	report_running("withheld a line of the server's while a list was "
		       "awaited: %s (byte %zu)",
		       reply->fault.reason, reply->fault.offset);
	if (id.ptr && reply->answers && id.len <= MESSAGE_ID_BYTES) {
		answer_withheld(&s->answers, id, &reply->fault);
		return;
	}
	while ((id = await_answer(&s->await)).ptr)
		answer_withheld(&s->answers, id, &reply->fault);
}

/* A whole line of the server's while a list is awaited. */
static void judge_reply(struct session *s, size_t len)
{
	char *line = s->down.buf + s->down.next;
	size_t cut = 0, used, tail;
	struct reply reply;

	reply_read(line, len, &reply);
	if (reply.kind == REPLY_UNREAD) {
		withhold(s, &reply);
		stream_drop(&s->down, len);
		return;
	}
	if (reply.kind != REPLY_LIST) {
		stream_pass(&s->down, len);
		return;
	}
	/* Before the cut, which moves what the id points to. */
	await_end(&s->await, reply.id);
	tail = (size_t)(line + len - (reply.tools.ptr + reply.tools.len));
	used = (size_t)(reply.tools.ptr - line);
	used += list_cut(reply.tools, policy_lists, (void *)s->policy,
			 line + used, &cut);
	memmove(line + used, line + len - tail, tail);
	stream_pass(&s->down, used + tail);
	stream_drop(&s->down, len - used - tail);
}

/* A line that grows past what can be read while a list is awaited. */
static void judge_long_reply(struct session *s, size_t len, bool whole)
{
	struct reply reply;

	reply_read(s->down.buf + s->down.next, len, &reply);
	if (reply.kind == REPLY_NOISE) {
		s->down_inside = true;
		return;
	}
	reply.id.ptr = NULL;
	reply.fault.reason = "a line longer than --max-line";
	reply.fault.offset = s->max_line;
	withhold(s, &reply);
	s->down_too_long = !whole;
	stream_drop(&s->down, len);
}

static void judge_down_line(struct session *s, size_t len, bool whole)
{
	if (s->down_too_long) {
		s->down_too_long = !whole;
		stream_drop(&s->down, len);
	} else if (s->down_inside) {
		s->down_inside = !whole;
		stream_pass(&s->down, len);
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

	while (answers_have_room(s) && stream_may_judge(down)) {
		size_t rest = down->fill - down->next, len;
		bool whole;

		if (!await_any(&s->await) && !s->down_too_long) {
			s->down_inside = down->buf[down->fill - 1] != '\n';
			stream_pass(down, rest);
			return true;
		}
		len = stream_line(down);
		whole = len > 0;
		if (!whole) {
			if (!s->down_ended && rest <= s->max_line &&
			    !s->down_too_long && !s->down_inside)
				break;
			len = rest;
		}
		judge_down_line(s, len, whole);
		any = true;
	}
	return any;
}

/* What goes to the client next: answers, when no line is under way. */
const char *session_down(const struct session *s, size_t *len)
{
	const char *run = s->down.buf + s->down.run, *lf;
	size_t run_len = s->down.run_end - s->down.run;

	if (s->answers.len > 0 && (s->answers_sent > 0 || !s->client_inside)) {
		*len = s->answers.len - s->answers_sent;
		return s->answers.ptr + s->answers_sent;
	}
	*len = run_len;
	if (s->answers.len > 0 && (lf = memchr(run, '\n', run_len)))
		*len = (size_t)(lf - run) + 1;
	return run;
}

void session_down_sent(struct session *s, size_t len)
{
	size_t most;

	if (session_down(s, &most) == s->down.buf + s->down.run) {
		s->client_inside = s->down.buf[s->down.run + len - 1] != '\n';
		stream_sent(&s->down, len);
		return;
	}
	s->answers_sent += len;
	if (s->answers_sent == s->answers.len)
		s->answers.len = s->answers_sent = 0;
}

bool session_judge(struct session *s)
{
	bool any = judge_up(s);

	any |= judge_down(s);
	/* The line that the answers wait for will have no end. */
	if (s->down_ended && s->client_inside && s->answers_sent == 0 &&
	    s->down.run == s->down.fill)
		s->answers.len = 0;
	return any;
}

void session_forget_down(struct session *s)
{
	stream_forget(&s->down);
	s->answers.len = s->answers_sent = 0;
}
