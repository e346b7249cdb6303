/* The poll loop.  The contract is in relay.h. */
#include "relay.h"

#include "../policies/host/host.h"
#include "../policies/lock.h"
#include "decide.h"
#include "downstream.h"
#include "grant.h"
#include "pipe.h"
#include "report.h"
#include "session.h"
#include "unstarted.h"
#include "upstream.h"
#include "ways.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HALF_WAIT 1000 /* milliseconds until half a line is ended */

struct relay {
	struct policy *policy;
	struct lock *lock;     /* NULL: none */
	struct backend *grant; /* NULL: no limit needs it */
	const struct options *options;
	bool preloaded; /* the server ran before weir did */
	struct session s;
	struct child child;
	struct ways ways; /* to ask a person outside the client */
	struct fd client_in, client_out, server_out;
	struct pipe server_in;
	bool client_out_full; /* until poll() says otherwise */

	int64_t half_line_due; /* when half a line is ended, in milliseconds();
				  0: none is there */
	/* When these must go on, host_now(); -1: only by a descriptor. */
	int64_t counters_due;
	int64_t approvals_due; /* of the calls that wait for a person */
	int64_t ways_due;      /* of the ways to ask one */
	int ways_polled;       /* how many descriptors the ways wait for */
};

/* ---- sending --------------------------------------------------------- */

static void close_server_in(struct relay *r)
{
	pipe_close(&r->server_in);
	fd_close(&r->client_in);
	upstream_forget(&r->s);
}

static bool send_up(struct relay *r)
{
	size_t len;
	bool one;
	const char *p = upstream_next(&r->s, &len, &one);
	ssize_t put;

	if (r->server_in.fd.fd < 0 || r->server_in.full || len == 0)
		return false;
	put = pipe_write(&r->server_in, p, len, one, r->s.up_inside);
	if (put >= 0)
		upstream_sent(&r->s, (size_t)put);
	else if (errno != EAGAIN)
		close_server_in(r);
	return put >= 0;
}

/* Nobody reads: the server is to notice that, too. */
static void close_client_out(struct relay *r)
{
	fd_close(&r->client_out);
	fd_close(&r->server_out);
	downstream_forget(&r->s);
}

static bool send_down(struct relay *r)
{
	size_t len;
	const char *p = downstream_next(&r->s, &len);
	ssize_t put;

	if (r->client_out.fd < 0) {
		downstream_forget(&r->s);
		return false;
	}
	if (len == 0 || r->client_out_full)
		return false;
	put = fd_write(&r->client_out, p, len);
	r->client_out_full = !fd_eager(&r->client_out);
	if (put > 0) {
		downstream_sent(&r->s, (size_t)put);
		return true;
	}
	if (errno == EAGAIN)
		r->client_out_full = true;
	else
		close_client_out(r);
	return false;
}

/* ---- reading --------------------------------------------------------- */

/* Reads what is there into the stream.  False: nothing more will come. */
static bool fill(struct stream *s, const struct fd *port)
{
	char *at;
	size_t room = stream_room(s, &at);
	ssize_t got;

	if (room == 0)
		return true;
	got = fd_read(port, at, room);
	if (got > 0)
		s->fill += (size_t)got;
	return got > 0 || (got < 0 && errno == EAGAIN);
}

/* Preloaded weir may sit in a program that only starts the server, and then
 * hears no message of MCP.  Nor does it if the client left without a word. */
static void report_unheard(const struct relay *r)
{
	if (r->preloaded &&
	    (r->s.heard == HEARD_NOISE ||
	     (r->s.heard == HEARD_NOTHING && r->client_in.fd >= 0)))
		report("the program ended or closed its stdout without an MCP message; if it starts a server, put weir before that server's command");
}

/* One turn of session.h, repeated until nothing more can be done without
 * waiting: judge what has come, then write what may go to either side. */
static void work(struct relay *r)
{
	bool any;

	r->s.up_ended = r->client_in.fd < 0;
	r->s.down_ended = r->server_out.fd < 0;
	do {
		any = session_judge(&r->s);
		any |= send_up(r);
		any |= send_down(r);
	} while (any);
	/* Ends travel as bytes do: after all that came before them. */
	if (upstream_ended(&r->s))
		pipe_close(&r->server_in);
	if (downstream_ended(&r->s) && r->client_out.fd >= 0) {
		report_unheard(r);
		fd_close(&r->client_out);
	}
}

static int64_t milliseconds(void)
{
	return host_now() / MILLISECOND;
}

/* Answers do not wait for ever for the end of half a line. */
static void end_half_line(struct relay *r)
{
	if (!downstream_stuck(&r->s)) {
		r->half_line_due = 0;
	} else if (r->half_line_due == 0) {
		r->half_line_due = milliseconds() + HALF_WAIT;
	} else if (milliseconds() >= r->half_line_due) {
		r->half_line_due = 0;
		downstream_break(&r->s);
		work(r);
	}
}

/* The server has ended: takes what it left in its pipe. */
static void drain(struct relay *r)
{
	while (r->server_out.fd >= 0) {
		size_t before = r->s.down.fill - r->s.down.next;
		char *at;

		if (stream_room(&r->s.down, &at) == 0)
			return;
		if (!fill(&r->s.down, &r->server_out) ||
		    r->s.down.fill - r->s.down.next == before)
			fd_close(&r->server_out);
		work(r);
	}
}

/* ---- the loop -------------------------------------------------------- */

enum {
	CLIENT_IN,
	CLIENT_OUT,
	SERVER_IN,
	SERVER_OUT,
	SIGNALS,
	SERVER,
	COUNTERS,
	WAYS,
	POLLED = WAYS + WAYS_POLLED
};

static void want(struct pollfd *p, int fd, short events, bool wanted)
{
	/* A closed end is reported for as long as its descriptor is here. */
	p->fd = wanted ? fd : -1;
	p->events = events;
	p->revents = 0;
}

/* For poll(): until the pipe is looked at, half a line is ended, counters go
 * on, or what waits for a person has waited. */
static int timeout(const struct relay *r)
{
	int64_t wait = r->server_in.wait > 0 ? r->server_in.wait : INT64_MAX,
		left;

	if (r->server_in.looks > 0)
		return 0;
	if (r->half_line_due > 0 &&
	    (left = r->half_line_due - milliseconds()) < wait)
		wait = left;
	for (int i = 0; i < 3; i++) {
		const int64_t due = (const int64_t[]){
			r->counters_due, r->approvals_due, r->ways_due}[i];

		if (due < 0)
			continue;
		left = (due - host_now() + MILLISECOND - 1) / MILLISECOND;
		wait = left < wait ? left : wait;
	}
	if (wait > INT_MAX)
		return -1;
	return wait > 0 ? (int)wait : 0;
}

static void await_events(struct relay *r, struct pollfd p[POLLED])
{
	size_t up, down;
	bool one;
	char *at;
	int events, wait;

	upstream_next(&r->s, &up, &one);
	downstream_next(&r->s, &down);
	want(&p[CLIENT_IN], r->client_in.fd, POLLIN,
	     stream_room(&r->s.up, &at) > 0);
	want(&p[CLIENT_OUT], r->client_out.fd, POLLOUT, down > 0);
	/* A full pipe that nobody reads any more never has room. */
	want(&p[SERVER_IN], r->server_in.fd.fd,
	     r->server_in.wait == 0 ? POLLOUT : 0, up > 0);
	want(&p[SERVER_OUT], r->server_out.fd, POLLIN,
	     stream_room(&r->s.down, &at) > 0);
	want(&p[SIGNALS], r->child.signals, POLLIN, true);
	want(&p[SERVER], r->child.pidfd, POLLIN, true);
	p[COUNTERS].revents = 0;
	r->counters_due = counters_poll(r->s.counters, &p[COUNTERS]);
	r->approvals_due = r->s.approvals ? approvals_due(r->s.approvals) : -1;
	r->ways_polled =
		ways_poll(&r->ways, r->s.approvals, p + WAYS, &r->ways_due);
	wait = timeout(r);
	events = poll(p, WAYS + (nfds_t)r->ways_polled, wait);
	for (int i = 0; events < 0 && i < WAYS + r->ways_polled; i++)
		p[i].revents = 0;
	pipe_waited(&r->server_in, events == 0 && wait == r->server_in.wait);
}

/* Counters for the policy, which go on from those before, if there were any. */
static struct counters *open_counters(struct relay *r,
				      const struct policy *policy,
				      struct counters *before, size_t *reported)
{
	if (!r->grant && policy_shares(policy))
		r->grant = grant_for(r->options, false, report_some, reported);
	if (!r->grant && policy_shares(policy))
		return NULL;
	return counters_new(policy, r->grant, before, report_some, reported);
}

/* Reads the policy files and the lock again, both or neither; the counters go
 * on. */
static void reload(struct relay *r)
{
	const char *also = r->lock ? " and lock" : "";
	struct counters *counters = NULL;
	size_t reported = 0;
	struct policy *policy =
		policy_reload(r->policy, report_some, &reported);
	struct lock *lock = NULL;

	if (r->lock)
		lock = lock_reload(r->lock, report_some, &reported);
	r->child.reload = false;
	if (policy == r->policy && lock == r->lock)
		return;
	if (policy && !lock == !r->lock) {
		decide_drop(&r->s);
		counters = open_counters(r, policy, r->s.counters, &reported);
	}
	report_rest(reported);
	if (counters && session_reload(&r->s, policy, counters)) {
		policy_lock(policy, lock);
		r->s.ways = ways_use(&r->ways, policy);
		if (policy != r->policy)
			policy_free(r->policy);
		if (lock != r->lock)
			lock_free(r->lock);
		r->policy = policy;
		r->lock = lock;
		report("policy%s reloaded", also);
		log_reload(&r->s.log, true, policy_digest(policy));
		return;
	}
	if (counters) {
		/* No room for answers, as the client does not read: try again
		 * once it does. */
		counters_free(counters);
		r->child.reload = true;
	} else {
		report("policy%s reload failed; keeping the current policy%s",
		       also, also);
		log_reload(&r->s.log, false, policy_digest(r->policy));
	}
	if (policy != r->policy)
		policy_free(policy);
	if (lock != r->lock)
		lock_free(lock);
}

static void loop(struct relay *r)
{
	struct pollfd p[POLLED];

	/* A client that does not read what is left can still end it. */
	while (!r->child.stop && (r->child.pid > 0 || r->server_out.fd >= 0 ||
				  r->client_out.fd >= 0)) {
		await_events(r, p);
		if (p[SERVER_IN].revents & POLLERR)
			close_server_in(r);
		if (p[SERVER_IN].revents)
			r->server_in.full = false;
		if (p[CLIENT_OUT].revents)
			r->client_out_full = false;
		if (p[SIGNALS].revents || p[SERVER].revents)
			child_signals(&r->child);
		if (r->child.reload) {
			if (r->options->log)
				log_reopen(&r->s.log, r->options->log);
			reload(r);
		}
		if (p[CLIENT_IN].revents && !fill(&r->s.up, &r->client_in))
			fd_close(&r->client_in);
		if (p[SERVER_OUT].revents && !fill(&r->s.down, &r->server_out))
			fd_close(&r->server_out);
		if (p[COUNTERS].revents ||
		    (r->counters_due >= 0 && host_now() >= r->counters_due))
			decide_resume(&r->s);
		if (r->approvals_due >= 0 && host_now() >= r->approvals_due)
			session_tick(&r->s, host_now());
		if (r->ways_polled > 0)
			ways_go_on(&r->ways, r->s.approvals, p + WAYS);
		work(r);
		end_half_line(r);
		if (r->child.pid == 0)
			drain(r);
	}
}

static void open_ports(struct relay *r)
{
	pipe_open(&r->server_in, r->child.in, r->child.room);
	r->server_out = fd_own(r->child.out);
	r->client_in = fd_adopt(STDIN_FILENO, false);
	r->client_out = fd_adopt(STDOUT_FILENO, true);
	r->client_out_full = !fd_eager(&r->client_out);
}

static bool open_session(struct relay *r, size_t *reported)
{
	const struct options *o = r->options;
	struct counters *counters;

	r->policy = policy_load(o->policies, o->policy_count, &o->places,
				report_some, reported);
	if (!r->policy)
		return false;
	if (o->lock && !(r->lock = lock_load(o->lock, report_some, reported)))
		return false;
	policy_lock(r->policy, r->lock);
	policy_warn(r->policy, NULL, report_some, reported);
	counters = open_counters(r, r->policy, NULL, reported);
	if (!counters)
		return false;
	if (session_open(&r->s, r->policy, counters, o->max_line)) {
		r->s.observe = o->observe;
		if (session_ask(&r->s, (const char *const *)o->rest,
				ways_use(&r->ways, r->policy)))
			return true;
	}
	report("out of memory: lines of up to %zu bytes need twice that in address space",
	       o->max_line);
	return false;
}

/* The words of a server that runs already. */
static void find_words(pid_t pid, char *text, size_t cap, const char **words)
{
	char path[64];
	size_t len = 0, count = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && (got = read(fd, text, cap - 1)) > 0)
		len = (size_t)got;
	if (fd >= 0)
		close(fd);
	text[len] = '\0';
	for (const char *word = text; count == 0 || word < text + len;
	     word += strlen(word) + 1)
		if (count <= LOG_WORDS)
			words[count++] = word;
	words[count] = NULL;
}

static bool open_log(struct relay *r, const struct running *server)
{
	const struct options *o = r->options;
	const char *words[LOG_WORDS + 2];
	char canonical[PATH_MAX], text[LOG_LINE];
	struct log_start start = {
		.grant = o->grant, .command = words, .observe = o->observe};

	if (!log_open(&r->s.log, o->log)) {
		report("cannot open log %s: %s", o->log,
		       errno == ENXIO ? "a pipe that nobody reads, or a socket"
				      : strerror(errno));
		return false;
	}
	r->s.served = served_new();
	if (!r->s.served) {
		report("out of memory");
		return false;
	}
	r->s.log.required = o->log_required;
	r->s.log.args = o->log_args;
	if (!start.grant)
		start.grant = realpath(o->policies[0], canonical);
	if (!start.grant)
		start.grant = o->policies[0];
	if (server)
		find_words(server->pid, text, sizeof(text), words);
	else
		start.command = (const char *const *)o->rest;
	start.policy = policy_digest(r->policy);
	log_start(&r->s.log, &start);
	return true;
}

/* Everything but the child. */
static bool prepare(struct relay *r, const struct running *server)
{
	size_t reported = 0;
	bool ready;

	r->s.log.fd = -1;
	ready = ways_open(&r->ways, r->options, &r->child) &&
		open_session(r, &reported) &&
		(!r->options->log || open_log(r, server));
	if (ready)
		grant_warn_within(r->options, r->policy, r->options->policies,
				  r->options->policy_count, !r->preloaded,
				  report_some, &reported);
	report_rest(reported);
	return ready;
}

int relay_run(const struct options *o, const sigset_t *mask,
	      struct running *server)
{
	struct relay *r = calloc(1, sizeof(*r));
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction xfsz, pipe;
	int status = EXIT_WEIR;
	bool ready, started = false;

	if (!r) {
		report("out of memory");
		return status;
	}
	r->preloaded = server != NULL;
	r->options = o;
	/* A file that may not grow, or a log that nobody reads, is reported,
	 * and no reason to die. */
	sigaction(SIGXFSZ, &ignore, &xfsz);
	sigaction(SIGPIPE, &ignore, &pipe);
	ready = prepare(r, server);
	sigaction(SIGXFSZ, &xfsz, NULL);
	sigaction(SIGPIPE, &pipe, NULL);
	if (ready) {
		started = server ? child_adopt(&r->child, server)
				 : child_start(&r->child, o->rest, mask);
		if (started) {
			open_ports(r);
			loop(r);
			ways_close(&r->ways);
			child_clear(&r->child);
		}
		status = r->child.status;
		log_end(&r->s.log, status);
	}
	ways_close(&r->ways); /* where nothing was started */
	log_close(&r->s.log);
	session_close(&r->s);
	backend_close(r->grant);
	policy_free(r->policy);
	lock_free(r->lock);
	free(r);
	if (!started && !server)
		unstarted_answer(mask);
	return status;
}
