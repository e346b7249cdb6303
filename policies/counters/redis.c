/* Counting in Redis.  The contract is in redis.h. */
#include "redis.h"

#include "../../parser/scan.h"
#include "../../parser/strbuf.h"
#include "../host/host.h"
#include "redis_place.h"
#include "redis_script.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MICROSECOND INT64_C(1000)
#define MILLION     UINT64_C(1000000)

/* Of one limit: the integers in the answer; the windows of its counter that
 * are told (one that is not begins with what a longer one knows); and bytes. */
#define ANSWERS      4
#define WINDOWS_TOLD 16
#define LIMIT_BYTES  (3 * 70 + 6 * 27 + 16 * (WINDOWS_TOLD + 1) + 8)

#define ANSWER_MOST (2 + ANSWERS * COUNTERS_ASKED_MAX)
#define OUT_BYTES                                                              \
	(sizeof(REDIS_SCRIPT) + (size_t)COUNTERS_ASKED_MAX * LIMIT_BYTES +     \
	 REDIS_SECRET_MOST + 1024)
#define IN_BYTES   8192
#define TOLD_BYTES 120 /* of the server's own words that are shown */

enum state {
	DOWN,     /* no connection */
	GREETING, /* it is being made, or AUTH, SELECT, INFO are not answered */
	READY,    /* nothing is awaited */
	ASKING    /* the answer is */
};

struct redis {
	struct backend backend;
	struct redis_place place;
	const char *secret;     /* file of the password, or NULL */
	uint64_t grant, client; /* a hash; random */
	bool unsure;            /* INFO is not permitted */

	int fd; /* -1: none */
	enum state state;
	size_t greetings;    /* replies that are awaited yet */
	size_t first, tried; /* addresses: where to begin; how many since */
	int64_t next; /* when the next is tried, unless this one greets */
	int64_t rest, until; /* how long the last rest is, and until when */

	const char *mode; /* of the question under way, or NULL: none */
	struct question *q;
	size_t n;
	uint64_t number; /* of the question: its name, with client */
	int64_t due;     /* when it is given up */
	bool again;      /* it was sent before, on another connection */
	bool whole;      /* with the script's text */

	char out[OUT_BYTES];
	size_t out_len, out_at; /* bytes, and how many of them are sent */
	char in[IN_BYTES];
	size_t in_len;
};

/* FNV-1a */
static uint64_t hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

/* Stores the trouble, "URL: WHAT", of the question, which ends. */
static enum counted fail(struct redis *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum counted fail(struct redis *r, const char *format, ...)
{
	char *to = r->backend.trouble;
	int used = snprintf(to, COUNTERS_TROUBLE_BYTES,
			    "%.*s: ", COUNTERS_TROUBLE_BYTES / 2,
			    r->backend.place);
	va_list args;

	va_start(args, format);
	vsnprintf(to + used, (size_t)(COUNTERS_TROUBLE_BYTES - used), format,
		  args);
	va_end(args);
	r->mode = NULL;
	return COUNTED_NOT;
}

/* ---- commands -------------------------------------------------------- */

static void put_head(struct strbuf *out, char kind, size_t n)
{
	strbuf_bytes(out, &kind, 1);
	strbuf_number(out, (int64_t)n);
	strbuf_string(out, "\r\n");
}

static void put(struct strbuf *out, const char *word)
{
	size_t len = strlen(word);

	put_head(out, '$', len);
	strbuf_bytes(out, word, len);
	strbuf_string(out, "\r\n");
}

static void put_number(struct strbuf *out, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	put(out, text);
}

static struct strbuf begin(struct redis *r)
{
	r->out_len = r->out_at = r->in_len = 0;
	return (struct strbuf){.ptr = r->out, .cap = sizeof(r->out)};
}

static void greet(struct redis *r)
{
	struct strbuf out = begin(r);
	const struct redis_place *p = &r->place;

	r->greetings = 1;
	if (p->secret[0]) {
		put_head(&out, '*', p->user[0] ? 3 : 2);
		put(&out, "AUTH");
		if (p->user[0])
			put(&out, p->user);
		put(&out, p->secret);
		r->greetings++;
	}
	if (p->db > 0) {
		put_head(&out, '*', 2);
		put(&out, "SELECT");
		put_number(&out, (uint64_t)p->db);
		r->greetings++;
	}
	put_head(&out, '*', 2);
	put(&out, "INFO");
	put(&out, "memory");
	r->out_len = out.len;
	r->state = GREETING;
}

/* The keys of a counter: what was counted, what is kept, which values live. */
static void put_keys(struct redis *r, struct strbuf *out,
		     const struct question *q)
{
	const struct counter *c = q->counter;
	char key[64];
	int len = snprintf(key, sizeof(key), "weir:{%016llx}:%c%016llx",
			   (unsigned long long)r->grant, c->sum ? 's' : 'c',
			   (unsigned long long)c->id);
	char *end = key + len;

	if (c->values > 0 && q->value)
		snprintf(end, sizeof(key) - (size_t)len, ":%016llx",
			 (unsigned long long)q->value);
	put(out, key);
	memcpy(end, ":k", 3);
	put(out, key);
	memcpy(end, ":v", 3);
	put(out, key);
}

static void put_limit(struct strbuf *out, const struct question *q)
{
	const struct counter *c = q->counter;
	char text[16 * (WINDOWS_TOLD + 1)];
	int len = snprintf(text, sizeof(text), "%lld",
			   (long long)(c->window / MICROSECOND));

	put_number(out, q->max);
	put_number(out, (uint64_t)(q->window / MICROSECOND));
	put_number(out, c->max);
	for (size_t i = 0; c->sum && i < c->window_count && i < WINDOWS_TOLD;
	     i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " %lld",
				(long long)(c->windows[i] / MICROSECOND));
	put(out, text);
	if (c->sum)
		put_number(out, q->amount);
	else
		put(out, "");
	put_number(out, c->values);
	snprintf(text, sizeof(text), q->value ? "%016llx" : "%llx",
		 (unsigned long long)q->value);
	put(out, text);
}

static void send_question(struct redis *r)
{
	struct strbuf out = begin(r);
	char text[64];

	put_head(&out, '*', 3 + 1 + 3 * r->n + 3 + 7 * r->n);
	put(&out, r->whole ? "EVAL" : "EVALSHA");
	put(&out, r->whole ? REDIS_SCRIPT : REDIS_SCRIPT_SHA1);
	put_number(&out, 1 + 3 * r->n);
	snprintf(text, sizeof(text), "weir:{%016llx}:m%016llx",
		 (unsigned long long)r->grant, (unsigned long long)r->client);
	put(&out, text);
	for (size_t i = 0; i < r->n; i++)
		put_keys(r, &out, &r->q[i]);
	put(&out, r->again && *r->mode == 'c' ? "repeat" : r->mode);
	put_number(&out, r->number);
	snprintf(text, sizeof(text), "%016llx:%llu",
		 (unsigned long long)r->client, (unsigned long long)r->number);
	put(&out, text);
	for (size_t i = 0; i < r->n; i++)
		put_limit(&out, &r->q[i]);
	r->out_len = out.len;
	r->state = ASKING;
}

/* ---- the connection -------------------------------------------------- */

static void hang_up(struct redis *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->state = DOWN;
}

/* Begins a connection to the next address that takes one.  False: errno. */
static bool dial(struct redis *r)
{
	const int on = 1;

	while (r->tried < r->place.count) {
		const struct redis_address *a =
			&r->place.addresses[(r->first + r->tried++) %
					    r->place.count];

		r->fd = socket(a->at.ss_family, SOCK_STREAM, 0);
		if (r->fd < 0)
			continue;
		fcntl(r->fd, F_SETFD, FD_CLOEXEC);
		fcntl(r->fd, F_SETFL, O_NONBLOCK);
		if (connect(r->fd, (const void *)&a->at, a->len) == 0 ||
		    errno == EINPROGRESS) {
			setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on,
				   sizeof(on));
			setsockopt(r->fd, SOL_SOCKET, SO_KEEPALIVE, &on,
				   sizeof(on));
			greet(r);
			r->next =
				host_now() + (r->due - host_now()) /
						     (int64_t)(r->place.count -
							       r->tried + 1);
			return true;
		}
		hang_up(r);
	}
	return false;
}

/* No connection for a while: at least as long as asked. */
static enum counted rest(struct redis *r, int64_t least)
{
	hang_up(r);
	r->rest = 2 * r->rest;
	if (r->rest < least)
		r->rest = least;
	if (r->rest > REDIS_REST_MOST)
		r->rest = REDIS_REST_MOST;
	r->until = host_now() + r->rest;
	return COUNTED_NOT;
}

/* The connection is lost, or was not made: the next address, or, once, all of
 * them again. */
static enum counted lose(struct redis *r, const char *why)
{
	const char *mode = r->mode;
	const bool asking = r->state == ASKING;

	fail(r, "%s", why);
	hang_up(r);
	if (asking)
		r->tried = r->again ? r->place.count : 0;
	r->again = r->again || asking;
	if (r->tried == r->place.count)
		return rest(r, REDIS_REST_LEAST);
	if (!dial(r)) {
		fail(r, "%s", strerror(errno));
		return rest(r, REDIS_REST_LEAST);
	}
	r->mode = mode;
	return COUNTED_LATER;
}

/* ---- replies --------------------------------------------------------- */

enum reply {
	PART,    /* not all of it is there */
	WHOLE,   /* it is, and as it was asked for */
	REFUSED, /* an error */
	WRONG    /* no such reply was asked for */
};

/* The line at *at: of the kind, or an error.  Its words are behind the first
 * byte.  Another kind is wrong before the rest of it is there. */
static enum reply line(struct redis *r, size_t *at, char kind, struct span *w)
{
	const char *from = r->in + *at, *end;
	size_t left = r->in_len - *at;

	if (left > 0 && *from != kind && *from != '-')
		return WRONG;
	end = left > 0 ? memchr(from, '\r', left) : NULL;
	if (!end || end + 1 == r->in + r->in_len)
		return r->in_len == sizeof(r->in) ? WRONG : PART;
	if (end[1] != '\n')
		return WRONG;
	*at += (size_t)(end + 2 - from);
	*w = (struct span){from + 1, (size_t)(end - from - 1)};
	return *from == kind ? WHOLE : REFUSED;
}

/* The same of an integer: at most 16 digits, as 2^53 has. */
static enum reply integer(struct redis *r, size_t *at, char kind, int64_t *n,
			  struct span *w)
{
	enum reply got = line(r, at, kind, w);
	size_t sign, digits;

	if (got != WHOLE)
		return got;
	sign = *w->ptr == '-';
	digits = strspn(w->ptr + sign, "0123456789");
	*n = strtoll(w->ptr, NULL, 10);
	return digits > 0 && digits <= 16 && sign + digits == w->len ? WHOLE
								     : WRONG;
}

static bool begins(struct span w, const char *with)
{
	return w.len >= strlen(with) &&
	       strncasecmp(w.ptr, with, strlen(with)) == 0;
}

/* The server's own words, for people. */
struct shown {
	char text[TOLD_BYTES + 1];
};

static struct shown show(struct span w)
{
	struct shown s = {""};

	for (size_t i = 0; i < w.len && i < TOLD_BYTES; i++) {
		s.text[i] = w.ptr[i];
		if (w.ptr[i] < ' ' || w.ptr[i] > '~')
			s.text[i] = '?';
	}
	return s;
}

/* It answers with an error.  Where another connection may do better, this one
 * ends. */
static enum counted refuse(struct redis *r, struct span w)
{
	static const struct {
		char begin[23];
		bool stays; /* the connection does */
		const char *means;
	} errors[] = {
		{"NOAUTH", false,
		 "wants a password: put it into a file, and name that in "
		 "WEIR_STATE_PASSWORD_FILE"},
		{"WRONGPASS", false,
		 "refuses the user or the password in the file that "
		 "WEIR_STATE_PASSWORD_FILE names"},
		{"ERR invalid password", false,
		 "refuses the password in the file that "
		 "WEIR_STATE_PASSWORD_FILE names"},
		{"ERR AUTH", false,
		 "wants no password, and WEIR_STATE_PASSWORD_FILE names one"},
		{"NOPERM", true,
		 "does not permit this user what weir needs: see \"Redis\" in "
		 "man weir"},
		{"ERR The user executing", true,
		 "does not permit this user what weir needs: see \"Redis\" in "
		 "man weir"},
		{"OOM", true, "is out of memory: raise its maxmemory"},
		{"READONLY", false, "is a read-only replica: name the primary"},
		{"MASTERDOWN", false, "is a replica that has lost its primary"},
		{"LOADING", false, "is loading its data"},
		{"BUSY", true, "is busy with a script of others"},
		{"MISCONF", true,
		 "cannot save to its disk, so takes no counts"},
		{"MOVED", false,
		 "is part of a cluster, which weir does not speak to"},
		{"CLUSTERDOWN", false,
		 "is part of a cluster, which weir does not speak to"},
		{"WRONGTYPE", true,
		 "has values of others under weir's keys: name another "
		 "database"},
		{"ERR DB index", false, "has no such database"},
	};
	const size_t count = sizeof(errors) / sizeof(errors[0]);
	const bool greeting = r->state == GREETING;
	size_t i = 0;

	while (i < count && !begins(w, errors[i].begin))
		i++;
	fail(r, "%s (%s)", i < count ? errors[i].means : "refuses to count",
	     show(w).text);
	if (greeting || (i < count && !errors[i].stays))
		return rest(r, REDIS_REST_LEAST);
	r->state = READY;
	return COUNTED_NOT;
}

/* What it would do where its memory is full. */
static enum counted judge_info(struct redis *r, struct span info)
{
	static const char name[] = "maxmemory_policy:", good[] = "noeviction";
	const char *policy = memmem(info.ptr, info.len, name, strlen(name));
	struct span w;

	r->unsure = !policy;
	if (!policy)
		return COUNTED_YES;
	w.ptr = policy + strlen(name);
	w.len = strcspn(w.ptr, "\r\n"); /* CR LF follows the text */
	if (w.len == strlen(good) && begins(w, good))
		return COUNTED_YES;
	fail(r,
	     "forgets counters when its memory is full: set its "
	     "maxmemory-policy to noeviction (it is %s)",
	     show(w).text);
	return rest(r, REDIS_REST_LEAST);
}

static enum counted misread(struct redis *r)
{
	fail(r, "answers what weir does not understand: is it a Redis?");
	return rest(r, REDIS_REST_LEAST);
}

/* The text that INFO replies. */
static enum reply bulk(struct redis *r, size_t *at, struct span *w)
{
	int64_t len = 0;
	enum reply got = integer(r, at, '$', &len, w);

	if (got != WHOLE)
		return got;
	if (len < 0 || len > IN_BYTES - 32)
		return WRONG;
	*w = (struct span){r->in + *at, (size_t)len};
	*at += (size_t)len + 2;
	if (*at > r->in_len)
		return PART;
	return memcmp(w->ptr + len, "\r\n", 2) == 0 ? WHOLE : WRONG;
}

/* The replies to greet(), one by one.  YES: all are there. */
static enum counted read_greeting(struct redis *r)
{
	enum counted answer = COUNTED_YES;
	struct span w;

	for (; r->greetings > 0 && answer == COUNTED_YES; r->greetings--) {
		const bool info = r->greetings == 1;
		size_t at = 0;
		enum reply got =
			info ? bulk(r, &at, &w) : line(r, &at, '+', &w);

		if (got == PART)
			return COUNTED_LATER;
		if (got == WRONG || (info && at != r->in_len))
			return misread(r);
		if (got == REFUSED && info &&
		    (begins(w, "NOPERM") || begins(w, "ERR unknown")))
			r->unsure = true;
		else if (got == REFUSED)
			return refuse(r, w);
		else if (info)
			answer = judge_info(r, w);
		memmove(r->in, r->in + at, r->in_len -= at);
	}
	return answer;
}

/* The integers of one limit. */
static bool take(struct question *q, const int64_t *n)
{
	if (n[0] < -1 || n[0] > INT64_MAX / MICROSECOND || n[1] < 0 ||
	    n[1] > (int64_t)(INT64_MAX / MILLION) || n[2] < 0)
		return false;
	q->wait = n[0] < 0 ? -1 : n[0] * MICROSECOND;
	q->used = (uint64_t)n[1] * MILLION + (uint64_t)n[2];
	q->full = n[3] < 0;
	q->live = (size_t)(n[3] < 0 ? -n[3] : n[3]);
	return true;
}

static enum counted read_answer(struct redis *r)
{
	int64_t n[ANSWER_MOST] = {0}, count = 0;
	struct span w = {"", 0};
	size_t at = 0;
	enum reply got = integer(r, &at, '*', &count, &w);
	bool yes = true;

	if (got == REFUSED && at == r->in_len) {
		if (!begins(w, "NOSCRIPT") || r->whole)
			return refuse(r, w);
		r->whole = true;
		send_question(r);
		return COUNTED_LATER;
	}
	if (got == WHOLE && count != 2 && count != 2 + ANSWERS * (int64_t)r->n)
		got = WRONG;
	for (int64_t i = 0; got == WHOLE && i < count; i++) {
		got = integer(r, &at, ':', &n[i], &w);
		if (got == REFUSED)
			got = WRONG;
	}
	if (got == PART)
		return COUNTED_LATER;
	if (got != WHOLE || at != r->in_len || n[0] != (int64_t)r->number ||
	    (count == 2 && n[1] != 1))
		return misread(r);
	for (size_t i = 0; i < r->n; i++) {
		static const int64_t allows[ANSWERS];
		if (!take(&r->q[i], count == 2 ? allows : n + 2 + ANSWERS * i))
			return misread(r);
		yes = yes && r->q[i].wait == 0;
	}
	if (n[1] != yes)
		return misread(r);
	r->backend.trouble[0] = '\0'; /* of an attempt before */
	r->mode = NULL;
	r->state = READY;
	r->rest = 0;
	return yes ? COUNTED_YES : COUNTED_REFUSED;
}

/* ---- one question ---------------------------------------------------- */

/* Sends what is left.  False: errno. */
static bool flush(struct redis *r)
{
	ssize_t sent;

	while (r->out_at < r->out_len) {
		sent = send(r->fd, r->out + r->out_at, r->out_len - r->out_at,
			    MSG_NOSIGNAL);
		if (sent >= 0)
			r->out_at += (size_t)sent;
		else if (errno != EINTR)
			return errno == EAGAIN;
	}
	return true;
}

/* Too long: its address is tried last, for a while. */
static enum counted give_up(struct redis *r)
{
	if (r->state == GREETING)
		r->first = (r->first + r->tried) % r->place.count;
	fail(r, "does not answer");
	return rest(r, COUNTERS_REST);
}

/* Another address is tried, unless this one greets in time. */
static bool is_slow(const struct redis *r)
{
	return r->state == GREETING && r->tried < r->place.count;
}

/* As far as it goes now.  A connection that is not made yet is one that
 * nothing can be sent to: EAGAIN, or why it cannot be made. */
static enum counted advance(struct redis *r)
{
	enum counted answer = COUNTED_LATER;
	ssize_t got;

	while (answer == COUNTED_LATER) {
		if (!flush(r)) {
			answer = lose(r, strerror(errno));
			continue;
		}
		if (r->out_at < r->out_len)
			return COUNTED_LATER;
		got = recv(r->fd, r->in + r->in_len, sizeof(r->in) - r->in_len,
			   0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return COUNTED_LATER;
		if (got <= 0) {
			answer = lose(r, got < 0 ? strerror(errno)
						 : "ends the connection");
			continue;
		}
		r->in_len += (size_t)got;
		if (r->state == ASKING) {
			answer = read_answer(r);
			continue;
		}
		answer = read_greeting(r);
		if (answer != COUNTED_YES)
			continue;
		r->first = (r->first + r->tried - 1) % r->place.count;
		send_question(r);
		answer = COUNTED_LATER;
	}
	return answer;
}

/* The same; an answer that is there is read, however late it is. */
static enum counted step(struct redis *r)
{
	enum counted answer = advance(r);

	while (answer == COUNTED_LATER) {
		if (host_now() >= r->due)
			return give_up(r);
		if (!is_slow(r) || host_now() < r->next)
			break;
		answer = lose(r, "does not answer");
		if (answer == COUNTED_LATER)
			answer = advance(r);
	}
	return answer;
}

static enum counted ask_mode(struct redis *r, struct question *q, size_t n,
			     const char *mode, int64_t wait)
{
	int64_t t = host_now();

	if (n > COUNTERS_ASKED_MAX)
		return fail(r, "is asked about more than %d limits at once",
			    COUNTERS_ASKED_MAX);
	if (r->state == DOWN && t < r->until)
		return COUNTED_NOT; /* of the trouble before */
	r->backend.trouble[0] = '\0';
	r->q = q;
	r->n = n;
	r->mode = mode;
	r->number++;
	r->due = t + wait;
	r->again = r->whole = false;
	r->tried = 0;
	if (r->state == READY) {
		send_question(r);
		/* The answer cannot be there yet. */
		return flush(r) ? COUNTED_LATER : lose(r, strerror(errno));
	}
	if (!dial(r)) {
		fail(r, "%s", strerror(errno));
		return rest(r, REDIS_REST_LEAST);
	}
	return step(r);
}

/* The same, waited for. */
static enum counted ask_wait(struct redis *r, struct question *q, size_t n,
			     const char *mode)
{
	enum counted answer = ask_mode(r, q, n, mode, COUNTERS_START);
	struct pollfd p;
	int64_t left;

	while (answer == COUNTED_LATER) {
		left = (r->backend.ops->poll(&r->backend, &p) - host_now()) /
		       MILLISECOND;
		poll(&p, 1, left < 0 ? 0 : (int)left + 1);
		answer = step(r);
	}
	return answer;
}

/* ---- the backend ----------------------------------------------------- */

static struct redis *of(struct backend *b)
{
	return (struct redis *)b;
}

/* Nothing to reserve.  With a policy, the password is read again. */
static bool redis_bind(struct backend *b, const struct counter *const *counters,
		       size_t n, bool start)
{
	struct redis *r = of(b);
	char why[64];

	(void)counters, (void)n;
	if (r->secret && !start)
		redis_place_secret(&r->place, r->secret, why, sizeof(why));
	return true;
}

static enum counted redis_ask(struct backend *b, struct question *q, size_t n,
			      bool count)
{
	return ask_mode(of(b), q, n, count ? "count" : "ask", COUNTERS_WAIT);
}

static enum counted redis_resume(struct backend *b)
{
	return of(b)->mode ? step(of(b)) : COUNTED_NOT;
}

static void redis_drop(struct backend *b)
{
	struct redis *r = of(b);

	/* The caller's clock may be a little before ours. */
	if (r->mode && host_now() >= r->due - COUNTERS_WAIT / 10)
		give_up(r);
	else if (r->mode)
		hang_up(r);
	r->mode = NULL;
}

static int64_t redis_poll(struct backend *b, struct pollfd *p)
{
	struct redis *r = of(b);

	p->fd = r->mode ? r->fd : -1;
	p->events = r->out_at < r->out_len ? POLLOUT : POLLIN;
	p->revents = 0;
	if (!r->mode)
		return -1;
	return is_slow(r) ? r->next : r->due;
}

static bool redis_reset(struct backend *b, const struct counter *counter)
{
	struct question q = {.counter = counter, .window = counter->window};

	return ask_wait(of(b), &q, 1, "delete") == COUNTED_YES;
}

static void redis_close(struct backend *b)
{
	struct redis *r = of(b);

	hang_up(r);
	host_wipe(&r->place, sizeof(r->place));
	host_wipe(r->out, sizeof(r->out));
	free(r);
}

bool redis_is_url(const char *state)
{
	return state[strcspn(state, "/:")] == ':';
}

struct backend *redis_open(const char *url, const char *secret,
			   const char *grant, counters_report *report,
			   void *context)
{
	static const struct backend_ops ops = {
		redis_bind, redis_ask,   redis_resume, redis_drop,
		redis_poll, redis_reset, redis_close};
	struct redis *r = calloc(1, sizeof(*r));
	char why[COUNTERS_TROUBLE_BYTES / 2];

	if (!r || !host_random(&r->client, sizeof(r->client))) {
		report(context, strerror(errno));
		free(r);
		return NULL;
	}
	r->fd = -1;
	r->backend.ops = &ops;
	r->backend.place = url;
	r->secret = secret;
	r->grant = hash(grant);
	if (!redis_place_read(&r->place, url, why, sizeof(why)) ||
	    !redis_place_find(&r->place, why, sizeof(why)) ||
	    (secret &&
	     !redis_place_secret(&r->place, secret, why, sizeof(why))))
		fail(r, "%s", why);
	else if (r->place.user[0] && !secret)
		fail(r, "names a user: put the password into a file, and name "
			"that in WEIR_STATE_PASSWORD_FILE");
	else
		/* Nothing is asked, but all that a call needs is tried. */
		ask_wait(r, NULL, 0, "count");
	if (r->backend.trouble[0]) {
		report(context, r->backend.trouble);
		redis_close(&r->backend);
		return NULL;
	}
	if (r->unsure) {
		fail(r, "does not say what it forgets when its memory is full "
			"(INFO): see that its maxmemory-policy is noeviction");
		report(context, r->backend.trouble);
		r->backend.trouble[0] = '\0';
	}
	return &r->backend;
}
