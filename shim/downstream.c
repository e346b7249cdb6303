/* The server's lines.  The contract is in downstream.h. */
#include "downstream.h"

#include "../policies/lock.h"
#include "answer.h"
#include "report.h"

#include <string.h>

/* Of an answer for a reply that is withheld. */
#define WITHHELD_BYTES (MESSAGE_ID_BYTES + 512)
_Static_assert(PENDING_MAX *WITHHELD_BYTES < SESSION_ANSWERS / 2,
	       "every pending list can be answered at once");

/* While answers wait for the end of a line, so much of it is looked through,
 * and may be sent, at once: else a long line would be looked through for each
 * of the pieces that it is sent in. */
#define LOOKED_THROUGH (2 * STREAM_CHUNK)

#define NAME_BYTES 80 /* that a report shows of a tool's name */

/* The section that each list is of. */
static const enum policy_section sections[REPLY_LISTS] = {
	[REPLY_TOOLS] = POLICY_TOOLS,
	[REPLY_PROMPTS] = POLICY_PROMPTS,
	[REPLY_RESOURCES] = POLICY_RESOURCES,
	[REPLY_TEMPLATES] = POLICY_RESOURCES,
};

/* ---- what is expected ------------------------------------------------ */

static void note_greeting(struct session *s, struct span id, bool discover)
{
	s->greeting = true;
	s->discover = discover;
	memcpy(s->greeting_id, id.ptr, id.len);
	s->greeting_len = id.len;
}

void downstream_expect(struct session *s, const struct message *m)
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

void downstream_changed(struct session *s)
{
	for (int i = 0; i < REPLY_TEMPLATES; i++)
		if (s->changes >> i & 1)
			answer_changed(&s->answers, sections[i]);
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

/* ---- its lines ------------------------------------------------------- */

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
	char text[8 * NAME_BYTES];
	struct strbuf out = {.ptr = text, .cap = sizeof(text)};

	if (name.ptr)
		strbuf_escaped(&out, name.ptr,
			       name.len < NAME_BYTES ? name.len : NAME_BYTES);
	if (s->unlocked++ == 0)
		report("tool \"%.*s\" %s: %shidden and refused; look with weir "
		       "scan --lock FILE --diff",
		       (int)out.len, text, reason,
		       s->observe ? "would be " : "");
	log_changed(&s->log, name, reason);
}

/* A list_keep; context is the session. */
static bool note_item(void *context, enum reply_list list, struct text name,
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

static bool keep_item(void *context, enum reply_list list, struct text name,
		      struct span item)
{
	struct session *s = context;

	note_item(s, list, name, item);
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
		used = reply_cut(line, len, keep_item, s, &reply);
	else if (!s->tools_known || policy_locked(s->policy))
		reply_cut(line, len, note_item, s, &reply);
	else
		reply_read(line, len, &reply);
	if (locked && !lists && reply.kind == REPLY_LIST)
		used = reply_cut(line, len, keep_item, s, &reply);
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

bool downstream_judge(struct session *s)
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
	       (session_has_room(s) || s->down_half.first || !reads_whole(s))) {
		size_t rest = down->fill - down->next, len;
		bool whole, ended;

		if (!reads_whole(s) && !s->down_too_long) {
			pass_down(s, rest);
			any = true;
			break;
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
		} else if (!ended) {
			break;
		} else if (s->down_too_long) {
			s->down_too_long = !whole;
			stream_drop(down, len - (whole && s->down_half.first));
		} else if (len - whole > s->max_line) {
			judge_long_reply(s, len, whole);
		} else {
			judge_reply(s, len);
		}
		any = true;
	}
	/* The line that the answers wait for will have no end. */
	if (s->down_ended && s->client_inside && s->answers_sent == 0 &&
	    down->run == down->fill) {
		if (downstream_stuck(s))
			downstream_break(s);
		else
			s->answers.len = 0;
	}
	return any;
}

/* ---- on to the client ------------------------------------------------ */

const char *downstream_next(const struct session *s, size_t *len)
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

void downstream_sent(struct session *s, size_t len)
{
	const char *run = s->down.buf + s->down.run;
	size_t most;

	if (s->breaking) {
		s->breaking = false;
		return;
	}
	if (downstream_next(s, &most) == run) {
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

bool downstream_ended(const struct session *s)
{
	size_t left;

	downstream_next(s, &left);
	return s->down_ended && s->down.run == s->down.fill && left == 0;
}

bool downstream_stuck(const struct session *s)
{
	char first = s->client_half.first;

	return s->answers.len > 0 && s->answers_sent == 0 && s->client_inside &&
	       first != '{' && first != '[' && s->down.run == s->down.run_end;
}

void downstream_break(struct session *s)
{
	if (!s->break_reported)
		report("the server left a line unfinished; weir ended it to send its answers");
	s->break_reported = s->breaking = true;
	s->client_inside = false;
	s->client_half = s->down_half = (struct half){0};
	if (s->served)
		served_break(s->served);
}

void downstream_forget(struct session *s)
{
	stream_forget(&s->down);
	s->answers.len = s->answers_sent = 0;
	s->breaking = false;
}
