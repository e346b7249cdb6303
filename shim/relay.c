/* The poll loop.  The contract is in relay.h. */
#include "relay.h"

#include "../parser/reply.h"
#include "answer.h"
#include "await.h"
#include "port.h"
#include "report.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PIPE_WANTED (1 << 20) /* the most that Linux gives without privilege   \
			       */
#define PAGE      ((size_t)4096) /* of a pipe's buffers; larger ones hold more */
#define WAIT_MOST 32             /* milliseconds between looks at a full pipe */

/* One line can cause one answer, or, when a list is unreadable, one for each
 * that is awaited: half of the queue, and the other half is for the next. */
#define QUEUE_BYTES (4 * ANSWER_BYTES)
_Static_assert(AWAIT_MAX *(MESSAGE_ID_BYTES + 512) < QUEUE_BYTES / 2,
	       "every awaited list can be answered at once");

struct relay {
	const struct policy *policy;
	struct counters *counters;
	size_t max_line;
	struct child child;
	struct port client_in, client_out, server_in, server_out;

	struct stream up; /* client to server */
	bool up_too_long; /* the rest of the line at next is left out */
	size_t up_torn;   /* bytes to come of a line that no pipe could hold */
	size_t pipe;      /* what the server's stdin holds, in bytes */
	int wait;         /* ms until the pipe is looked at again; 0: not */

	struct stream down; /* server to client */
	bool down_too_long;
	bool down_inside; /* next is inside a line that is being passed on */
	struct await await;

	struct out answers;
	size_t answers_sent;
	bool client_inside; /* what was sent last ended inside a line */

	bool server_in_full, client_out_full; /* until poll() says otherwise */
};

/* ---- judging --------------------------------------------------------- */

static bool answers_have_room(const struct relay *r)
{
	return r->answers.cap - r->answers.len >= QUEUE_BYTES / 2;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Answers for the verdict, unless it is that the message passes. */
static bool passes(struct relay *r, const char *line, const struct message *m)
{
	int64_t when = m->method == METHOD_TOOLS_CALL ? now() : 0;
	struct verdict v = policy_judge(r->policy, r->counters, m, when);
	struct fault fault = {.reason = v.reason};

	switch (v.kind) {
	case VERDICT_PASS:
		return true;
	case VERDICT_HIDDEN:
		answer_unknown(&r->answers, m->id, m->name);
		break;
	case VERDICT_REFUSED:
		answer_refusal(&r->answers, m, &v);
		break;
	case VERDICT_MALFORMED:
		fault.offset = (size_t)(m->name.ptr - line);
		answer_fault(&r->answers, m->id, &fault);
		break;
	case VERDICT_DROPPED:
		report_running("not passed on: %s", v.reason);
		break;
	}
	return false;
}

/* A whole line of the client's, of len bytes with its LF if it has one. */
static void judge_line(struct relay *r, size_t len)
{
	const char *line = r->up.buf + r->up.next;
	size_t body = len;
	struct message m;
	struct fault fault;

	if (line[body - 1] == '\n') {
		body--;
		if (body > 0 && line[body - 1] == '\r')
			body--;
	}
	/* Blank lines end some servers, and say nothing. */
	if (message_blank(line, body)) {
		stream_drop(&r->up, len);
	} else if (!message_read(line, body, &m, &fault)) {
		answer_fault(&r->answers, m.id, &fault);
		stream_drop(&r->up, len);
	} else if (!passes(r, line, &m)) {
		stream_drop(&r->up, len);
	} else {
		if (m.method == METHOD_TOOLS_LIST && m.id.ptr &&
		    policy_hides(r->policy))
			await_add(&r->await, m.id);
		stream_pass(&r->up, len);
	}
}

/* The line at next has no end yet, or is longer than any may be: left out,
 * and answered once. */
static void leave_out_long(struct relay *r, size_t len, bool whole)
{
	struct span none = {.ptr = NULL};
	struct fault fault = {.reason = "a line longer than --max-line",
			      .offset = r->max_line};

	if (!r->up_too_long)
		answer_fault(&r->answers, none, &fault);
	r->up_too_long = !whole;
	stream_drop(&r->up, len);
}

static bool judge_up(struct relay *r)
{
	struct stream *s = &r->up;
	bool any = false;

	while (answers_have_room(r) && stream_may_judge(s)) {
		size_t len = stream_line(s), rest = s->fill - s->next;
		bool whole = len > 0;

		if (!whole) {
			/* The end of the input ends the last line. */
			if (r->client_in.fd >= 0 && rest <= r->max_line &&
			    !r->up_too_long)
				break;
			len = rest;
		}
		if (r->up_too_long || len - whole > r->max_line)
			leave_out_long(r, len, whole);
		else
			judge_line(r, len);
		any = true;
	}
	return any;
}

/* A line of the server's that may hold a list, and cannot be read. */
static void withhold(struct relay *r, const struct reply *reply)
{
	struct span id = reply->id;

	report_running("withheld a line of the server's while a list was "
		       "awaited: %s (byte %zu)",
		       reply->fault.reason, reply->fault.offset);
	if (id.ptr && reply->answers && id.len <= MESSAGE_ID_BYTES) {
		answer_withheld(&r->answers, id, &reply->fault);
		return;
	}
	while ((id = await_answer(&r->await)).ptr)
		answer_withheld(&r->answers, id, &reply->fault);
}

/* A whole line of the server's while a list is awaited. */
static void judge_reply(struct relay *r, size_t len)
{
	char *line = r->down.buf + r->down.next;
	size_t cut = 0, used, tail;
	struct reply reply;

	reply_read(line, len, &reply);
	if (reply.kind == REPLY_UNREAD) {
		withhold(r, &reply);
		stream_drop(&r->down, len);
		return;
	}
	if (reply.kind != REPLY_LIST) {
		stream_pass(&r->down, len);
		return;
	}
	/* Before the cut, which moves what the id points to. */
	await_end(&r->await, reply.id);
	tail = (size_t)(line + len - (reply.tools.ptr + reply.tools.len));
	used = (size_t)(reply.tools.ptr - line);
	used += list_cut(reply.tools, policy_lists, (void *)r->policy,
			 line + used, &cut);
	memmove(line + used, line + len - tail, tail);
	stream_pass(&r->down, used + tail);
	stream_drop(&r->down, len - used - tail);
}

/* A line that grows past what can be read while a list is awaited. */
static void judge_long_reply(struct relay *r, size_t len, bool whole)
{
	struct reply reply;

	reply_read(r->down.buf + r->down.next, len, &reply);
	if (reply.kind == REPLY_NOISE) {
		r->down_inside = true;
		return;
	}
	reply.id.ptr = NULL;
	reply.fault.reason = "a line longer than --max-line";
	reply.fault.offset = r->max_line;
	withhold(r, &reply);
	r->down_too_long = !whole;
	stream_drop(&r->down, len);
}

static void judge_down_line(struct relay *r, size_t len, bool whole)
{
	if (r->down_too_long) {
		r->down_too_long = !whole;
		stream_drop(&r->down, len);
	} else if (r->down_inside) {
		r->down_inside = !whole;
		stream_pass(&r->down, len);
	} else if (len - whole > r->max_line) {
		judge_long_reply(r, len, whole);
	} else {
		judge_reply(r, len);
	}
}

static bool judge_down(struct relay *r)
{
	struct stream *s = &r->down;
	bool any = false;

	while (answers_have_room(r) && stream_may_judge(s)) {
		size_t rest = s->fill - s->next, len;
		bool whole;

		if (!await_any(&r->await) && !r->down_too_long) {
			r->down_inside = s->buf[s->fill - 1] != '\n';
			stream_pass(s, rest);
			return true;
		}
		len = stream_line(s);
		whole = len > 0;
		if (!whole) {
			if (r->server_out.fd >= 0 && rest <= r->max_line &&
			    !r->down_too_long && !r->down_inside)
				break;
			len = rest;
		}
		judge_down_line(r, len, whole);
		any = true;
	}
	return any;
}

/* ---- sending --------------------------------------------------------- */

/* Bytes that the server's pipe takes now for certain.  Neighbouring pages of
 * a pipe hold more than one page together, but for the one being read. */
static size_t pipe_room(const struct relay *r)
{
	size_t used, pages = r->pipe / PAGE;
	int held = 0;

	if (ioctl(r->server_in.fd, FIONREAD, &held) != 0 || held < 0)
		return 0;
	if (held == 0)
		return r->pipe;
	used = 2 * ((size_t)held / PAGE) + 3;
	return used < pages ? (pages - used) * PAGE : 0;
}

/*
 * How much of the run may be written now so that no line is torn: whole lines
 * that fit.  A line longer than the pipe waits until the pipe is empty, so
 * that its pieces follow one another as fast as the server reads.
 */
static size_t untorn(struct relay *r)
{
	const char *p = r->up.buf + r->up.run, *lf;
	size_t len = r->up.run_end - r->up.run, room;

	if (r->up_torn > 0)
		return r->up_torn;
	if (len <= PIPE_BUF) /* all or nothing (pipe(7)) */
		return len;
	room = pipe_room(r);
	if (len <= room)
		return len;
	lf = memrchr(p, '\n', room);
	if (lf)
		return (size_t)(lf - p) + 1;
	lf = memchr(p, '\n', len);
	len = lf ? (size_t)(lf - p) + 1 : len;
	if (len <= PIPE_BUF)
		return len;
	if (room < r->pipe)
		return 0;
	r->up_torn = len;
	return len;
}

static void close_server_in(struct relay *r)
{
	port_close(&r->server_in);
	port_close(&r->client_in);
	stream_forget(&r->up);
}

static bool send_up(struct relay *r)
{
	struct stream *s = &r->up;
	size_t len;
	ssize_t put;

	if (r->server_in.fd < 0 || r->server_in_full || s->run == s->run_end)
		return false;
	len = untorn(r);
	if (len == 0) {
		r->server_in_full = true;
		r->wait = r->wait > 0 ? r->wait : 1;
		return false;
	}
	r->wait = 0;
	put = port_write(&r->server_in, s->buf + s->run, len);
	if (put < 0) {
		if (errno == EAGAIN)
			r->server_in_full = true;
		else
			close_server_in(r);
		return false;
	}
	if (r->up_torn > 0)
		r->up_torn -= (size_t)put;
	stream_sent(s, (size_t)put);
	return true;
}

/* Nobody reads: the server shall meet the same. */
static void close_client_out(struct relay *r)
{
	port_close(&r->client_out);
	port_close(&r->server_out);
	stream_forget(&r->down);
	r->answers.len = r->answers_sent = 0;
}

/* What goes to the client next: answers, when no line is under way. */
static const char *next_down(const struct relay *r, size_t *len)
{
	const char *run = r->down.buf + r->down.run, *lf;
	size_t run_len = r->down.run_end - r->down.run;

	if (r->answers.len > 0 && (r->answers_sent > 0 || !r->client_inside)) {
		*len = r->answers.len - r->answers_sent;
		return r->answers.ptr + r->answers_sent;
	}
	*len = run_len;
	if (r->answers.len > 0 && (lf = memchr(run, '\n', run_len)))
		*len = (size_t)(lf - run) + 1;
	return run;
}

static bool send_down(struct relay *r)
{
	size_t len;
	const char *p = next_down(r, &len);
	ssize_t put;

	if (r->client_out.fd < 0)
		r->answers.len = r->answers_sent = 0;
	if (r->client_out.fd < 0 || len == 0 || r->client_out_full)
		return false;
	put = port_write(&r->client_out, p, len);
	r->client_out_full = !port_eager(&r->client_out);
	if (put < 0) {
		if (errno == EAGAIN)
			r->client_out_full = true;
		else
			close_client_out(r);
		return false;
	}
	if (p == r->down.buf + r->down.run) {
		r->client_inside = p[put - 1] != '\n';
		stream_sent(&r->down, (size_t)put);
		return true;
	}
	r->answers_sent += (size_t)put;
	if (r->answers_sent == r->answers.len)
		r->answers.len = r->answers_sent = 0;
	return true;
}

/* ---- reading --------------------------------------------------------- */

/* Reads what is there.  False: nothing will come any more. */
static bool fill(struct stream *s, const struct port *port)
{
	char *at;
	size_t room = stream_room(s, &at);
	ssize_t got;

	if (room == 0)
		return true;
	got = port_read(port, at, room);
	if (got > 0)
		s->fill += (size_t)got;
	return got > 0 || (got < 0 && errno == EAGAIN);
}

/* All that can be done without waiting. */
static void work(struct relay *r)
{
	bool any;

	do {
		any = judge_up(r);
		any |= judge_down(r);
		any |= send_up(r);
		any |= send_down(r);
	} while (any);
	/* The line that the answers wait for will have no end. */
	if (r->server_out.fd < 0 && r->client_inside && r->answers_sent == 0 &&
	    r->down.run == r->down.fill)
		r->answers.len = 0;
	/* Ends travel as bytes do: after all that came before them. */
	if (r->client_in.fd < 0 && r->up.run == r->up.fill)
		port_close(&r->server_in);
	if (r->server_out.fd < 0 && r->down.run == r->down.fill &&
	    r->answers.len == 0)
		port_close(&r->client_out);
}

/* The server has ended: takes what it left in its pipe. */
static void drain(struct relay *r)
{
	while (r->server_out.fd >= 0) {
		size_t before = r->down.fill - r->down.next;
		char *at;

		if (stream_room(&r->down, &at) == 0)
			return;
		if (!fill(&r->down, &r->server_out) ||
		    r->down.fill - r->down.next == before)
			port_close(&r->server_out);
		work(r);
	}
}

/* ---- the loop -------------------------------------------------------- */

enum { CLIENT_IN, CLIENT_OUT, SERVER_IN, SERVER_OUT, SIGNALS, POLLED };

static void want(struct pollfd *p, int fd, short events, bool wanted)
{
	/* A closed end is reported for as long as its descriptor is here. */
	p->fd = wanted ? fd : -1;
	p->events = events;
	p->revents = 0;
}

static void await_events(struct relay *r, struct pollfd p[POLLED])
{
	char *at;
	int events;
	bool up = r->up.run < r->up.run_end;
	bool down = r->down.run < r->down.run_end || r->answers.len > 0;

	want(&p[CLIENT_IN], r->client_in.fd, POLLIN,
	     stream_room(&r->up, &at) > 0);
	want(&p[CLIENT_OUT], r->client_out.fd, POLLOUT, down);
	want(&p[SERVER_IN], r->server_in.fd, POLLOUT, up && r->wait == 0);
	want(&p[SERVER_OUT], r->server_out.fd, POLLIN,
	     stream_room(&r->down, &at) > 0);
	want(&p[SIGNALS], r->child.signals, POLLIN, true);
	events = poll(p, POLLED, r->wait > 0 ? r->wait : -1);
	for (int i = 0; events < 0 && i < POLLED; i++)
		p[i].revents = 0;
	/* No event tells when a pipe has room for more than a page. */
	if (r->wait > 0)
		r->server_in_full = false;
	if (events == 0 && r->wait < WAIT_MOST)
		r->wait *= 2;
}

static void loop(struct relay *r)
{
	struct pollfd p[POLLED];

	while (r->child.pid > 0 || r->server_out.fd >= 0 ||
	       r->client_out.fd >= 0) {
		await_events(r, p);
		if (p[SERVER_IN].revents)
			r->server_in_full = false;
		if (p[CLIENT_OUT].revents)
			r->client_out_full = false;
		if (p[SIGNALS].revents)
			child_signals(&r->child);
		if (p[CLIENT_IN].revents && !fill(&r->up, &r->client_in))
			port_close(&r->client_in);
		if (p[SERVER_OUT].revents && !fill(&r->down, &r->server_out))
			port_close(&r->server_out);
		work(r);
		if (r->child.pid == 0)
			drain(r);
	}
}

static void open_ports(struct relay *r)
{
	int size;

	r->server_in = port_own(r->child.in);
	r->server_out = port_own(r->child.out);
	fcntl(r->server_in.fd, F_SETPIPE_SZ, PIPE_WANTED);
	size = fcntl(r->server_in.fd, F_GETPIPE_SZ);
	r->pipe = size > 0 ? (size_t)size : PIPE_BUF;
	r->client_in = port_adopt(STDIN_FILENO, false);
	r->client_out = port_adopt(STDOUT_FILENO, true);
}

int relay_run(const struct policy *policy, size_t max_line, char **argv)
{
	struct relay *r = calloc(1, sizeof(*r));
	int status;

	if (r) {
		r->policy = policy;
		r->max_line = max_line;
		r->counters = counters_new(policy);
		r->answers.ptr = malloc(QUEUE_BYTES);
		r->answers.cap = QUEUE_BYTES;
	}
	if (!r || !r->counters || !r->answers.ptr ||
	    !stream_open(&r->up, max_line) ||
	    !stream_open(&r->down, max_line)) {
		report("out of memory (lines of up to %zu bytes need twice as "
		       "much address space)",
		       max_line);
		return EXIT_WEIR;
	}
	if (!child_start(&r->child, argv))
		return r->child.status;
	open_ports(r);
	loop(r);
	status = r->child.status;
	counters_free(r->counters);
	free(r->answers.ptr);
	free(r);
	return status;
}
