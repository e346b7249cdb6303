/* Why weir could not start.  The contract is in unstarted.h. */
#include "unstarted.h"

#include "../policies/host/host.h"
#include "../parser/message.h"
#include "answer.h"
#include "child.h"
#include "fd.h"
#include "report.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NEXT_WAIT  SECOND             /* for the first request, and the next */
#define WAIT_MOST  (5 * SECOND)       /* for all of them */
#define LINE_BYTES ((size_t)64 << 10) /* longer ones are answered unread */

struct unstarted {
	struct fd in, out;
	int64_t due;  /* until then weir waits for the next request */
	int64_t last; /* and until then whatever comes; of host_now() */
	char reason[REPORT_LAST + 64];
	bool too_long; /* the rest of a line is skipped */
	size_t fill;
	char line[LINE_BYTES + 1]; /* what has come of the next lines */
};

/* FILE:LINE:COLUMN: begins a fault of a policy, which quotes the file: what
 * follows is not for an agent.  Returns the length up to there, or 0. */
static int find_quote(const char *report)
{
	const char *at = report, digits[] = "0123456789";

	while ((at = strchr(at, ':'))) {
		size_t line = strspn(++at, digits), column;

		if (line == 0 || at[line] != ':')
			continue;
		column = strspn(at + line + 1, digits);
		if (column > 0 && at[line + 1 + column] == ':')
			return (int)(at + line + 1 + column - report);
	}
	return 0;
}

static void find_reason(struct unstarted *u)
{
	const char *last = report_last();
	int quote = find_quote(last);
	char json[6 * sizeof(u->reason)] = "\"";
	struct strbuf out = {.ptr = json, .cap = sizeof(json), .len = 1};
	struct text text;
	struct scan scan;

	if (quote > 0)
		snprintf(u->reason, sizeof(u->reason),
			 "%.*s: the policy is not sound (weir check says why)",
			 quote, last);
	else
		snprintf(u->reason, sizeof(u->reason), "%s", last);
	/* A path may have any bytes, and may have been cut; JSON is UTF-8. */
	strbuf_escaped(&out, u->reason, strlen(u->reason));
	strbuf_string(&out, "\"\n");
	scan_begin(&scan, json, out.len - 1);
	for (char *p = u->reason; !scan_string(&scan, json, &text) && *p; p++)
		if ((signed char)*p < 0)
			*p = '?';
}

/* Waits until the descriptor is ready.  False: not by then. */
static bool await_ready(const struct fd *port, short events, int64_t by)
{
	struct pollfd p = {.fd = port->fd, .events = events};
	int64_t left;
	int ready = 0;

	while (ready == 0 && (left = by - host_now()) > 0)
		RETRY(ready = poll(&p, 1, (int)(left / MILLISECOND) + 1));
	return ready > 0;
}

static void answer(struct unstarted *u, struct span id)
{
	char text[ANSWER_BYTES];
	struct strbuf out = {.ptr = text, .cap = sizeof(text)};
	const char *from = text;
	ssize_t put = 0;

	answer_unstarted(&out, id, u->reason);
	while (out.len > 0 && (put >= 0 || errno == EAGAIN) &&
	       await_ready(&u->out, POLLOUT, u->last)) {
		put = fd_write(&u->out, from, out.len);
		from += put > 0 ? put : 0;
		out.len -= put > 0 ? (size_t)put : 0;
	}
	u->due = host_now() + NEXT_WAIT;
	if (u->due > u->last)
		u->due = u->last;
	if (out.len > 0)
		u->due = 0; /* nobody reads */
}

/* A line of len bytes, with its LF. */
static void take_line(struct unstarted *u, const char *line, size_t len)
{
	struct message m;
	struct fault fault;

	len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (message_blank(line, len))
		return;
	if (!message_read(line, len, &m, &fault) || m.kind == MESSAGE_REQUEST)
		answer(u, m.id);
}

/* What has come so far: whole lines, and the last one if nothing follows. */
static void take_lines(struct unstarted *u, bool ended)
{
	const char *next = u->line, *lf;
	size_t rest = u->fill;

	if (ended && rest > 0 && u->line[rest - 1] != '\n')
		u->line[rest++] = '\n';
	while (u->due > 0 && (lf = memchr(next, '\n', rest))) {
		size_t len = (size_t)(lf - next) + 1;

		if (!u->too_long)
			take_line(u, next, len);
		u->too_long = false;
		next += len;
		rest -= len;
	}
	if (rest == LINE_BYTES || u->too_long) {
		if (!u->too_long)
			answer(u, (struct span){.ptr = NULL});
		u->too_long = true;
		rest = 0;
	}
	memmove(u->line, next, rest);
	u->fill = rest;
}

void unstarted_answer(const sigset_t *mask)
{
	struct unstarted u = {.last = host_now() + WAIT_MOST};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	ssize_t got = 1;

	child_release(mask);
	if (isatty(STDIN_FILENO))
		return;
	sigaction(SIGPIPE, &ignore, NULL);
	find_reason(&u);
	u.due = host_now() + NEXT_WAIT;
	u.in = fd_adopt(STDIN_FILENO, false);
	u.out = fd_adopt(STDOUT_FILENO, true);
	while ((got > 0 || (got < 0 && errno == EAGAIN)) &&
	       await_ready(&u.in, POLLIN, u.due)) {
		got = fd_read(&u.in, u.line + u.fill, LINE_BYTES - u.fill);
		if (got > 0)
			u.fill += (size_t)got;
		take_lines(&u, got == 0);
	}
}
