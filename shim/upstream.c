/* The client's lines.  The contract is in upstream.h. */
#include "upstream.h"

#include "../policies/host/host.h"
#include "asking.h"
#include "decide.h"
#include "downstream.h"

#include <string.h>

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

/* Judges the line at next, of len bytes with its LF if it has one, and passes
 * it or leaves it out.  False: it is being counted, and stays where it is. */
static bool judge_line(struct session *s, size_t len)
{
	const struct current *cur = &s->current;
	char *line = s->up.buf + s->up.next;
	enum asking about = ASKING_NOTHING;
	size_t body = len;
	struct message m;
	struct fault fault;
	bool passes = false;

	if (line[body - 1] == '\n') {
		body--;
		if (body > 0 && line[body - 1] == '\r')
			body--;
	}
	if (s->log.fd >= 0 && !cur->counting)
		s->log.began = host_now();
	if (!message_read(line, body, &m, &fault)) {
		/* Blank lines end some servers, and say nothing. */
		passes = message_blank(line, body)
				 ? s->observe
				 : decide_fault(s, m.id, &fault, body);
	} else {
		s->heard = HEARD_MESSAGE;
		if (!s->up_begun && reads_two_ways(line, body, &fault))
			about = ASKING_FAULT;
		else if (s->approvals && !cur->counting)
			about = asking_reads(s, line, body, &m, &fault);
		if (about == ASKING_FAULT) {
			passes = decide_fault(s, m.id, &fault, body);
		} else if (about == ASKING_NOTHING) {
			if (!decide_judge(s, &m, NULL))
				return false;
			if (cur->judged.ask.count > 0 && !cur->approved &&
			    cur->judged.verdict.kind == VERDICT_PASS &&
			    asking_hold(s, line, len, &m)) {
				stream_drop(&s->up, len);
				return true;
			}
			passes = decide_finish(s, line, body, &m);
			if (passes)
				downstream_expect(s, &m);
		}
	}
	s->up_begun |= passes;
	(passes ? stream_pass : stream_drop)(&s->up, len);
	return true;
}

/* The line at next, of which so many bytes are here, is longer than any may be:
 * it is left out, and answered once. */
static void leave_out_long(struct session *s, size_t len, bool whole)
{
	struct span none = {.ptr = NULL};
	struct fault fault = {.reason = "a line longer than --max-line",
			      .offset = s->max_line};

	s->log.began = host_now();
	if (!s->up_too_long)
		decide_fault(s, none, &fault, len);
	s->up_too_long = !whole;
	(s->observe ? stream_pass : stream_drop)(&s->up, len);
}

/* A call that lies aside and was approved.  False: it is being counted. */
static bool judge_aside(struct session *s, struct approval *of)
{
	if (!s->current.counting)
		s->log.began = of->since;
	if (!decide_judge(s, &of->m, of))
		return false;
	if (decide_finish(s, of->line, of->body, &of->m)) {
		downstream_expect(s, &of->m);
		of->state = APPROVAL_GOING;
		s->aside = of;
		s->aside_sent = 0;
		s->up_begun = true;
	} else {
		approvals_release(of);
	}
	return true;
}

bool upstream_judge(struct session *s)
{
	struct stream *up = &s->up;
	struct current *cur = &s->current;
	struct approval *of;
	bool any = false;

	if (cur->counting && cur->answer == COUNTED_LATER)
		return false;
	/* First those that lie aside, unless the one that was counted stands in
	 * the stream. */
	while (s->approvals && session_has_room(s)) {
		of = cur->counting ? cur->of : NULL;
		if (!cur->counting && !s->aside)
			of = approvals_find(s->approvals, APPROVAL_PASSING,
					    NULL);
		if (!of)
			break;
		if (!judge_aside(s, of))
			return any;
		any = true;
	}
	while (session_has_room(s) && stream_may_judge(up)) {
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

const char *upstream_next(const struct session *s, size_t *len, bool *one)
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

void upstream_sent(struct session *s, size_t len)
{
	size_t most;
	bool one;
	const char *p = upstream_next(s, &most, &one);

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

bool upstream_ended(const struct session *s)
{
	return s->up_ended && s->up.run == s->up.fill && !s->aside &&
	       (!s->approvals ||
		(!approvals_find(s->approvals, APPROVAL_DECIDED, NULL) &&
		 !approvals_find(s->approvals, APPROVAL_PASSING, NULL)));
}

void upstream_forget(struct session *s)
{
	decide_drop(s);
	s->current.counting = false;
	stream_forget(&s->up);
	if (s->aside)
		approvals_release(s->aside);
	s->aside = NULL;
	if (s->approvals)
		approvals_end(s->approvals, APPROVAL_ENDED, true);
}
