/* What a server has.  The contract is in listing.h. */
#include "listing.h"

#include "../../parser/strbuf.h"
#include "../../policies/host/host.h"
#include "../child.h"
#include "../fd.h"
#include "../report.h"
#include "../system.h"
#include "jsonc.h"
#include "show.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)65536)
#define OUT_BYTES  (1 << 20) /* that the server has not read yet */
#define GRACE      1         /* second to end by itself */

#define CLIENT "{\"name\":\"weir\",\"version\":\"" WEIR_VERSION "\"}"
#define META   "io.modelcontextprotocol/"

/* Goes into the params of each request of the newer kind. */
static const char modern_meta[] =
	"\"_meta\":{\"" META "protocolVersion\":\"2026-07-28\",\"" META
	"clientInfo\":" CLIENT ",\"" META "clientCapabilities\":{}}";

static const struct asked {
	char method[25], capability[10], key[18];
} asked[REPLY_LISTS] = {
	[REPLY_TOOLS] = {"tools/list", "tools", "tools"},
	[REPLY_PROMPTS] = {"prompts/list", "prompts", "prompts"},
	[REPLY_RESOURCES] = {"resources/list", "resources", "resources"},
	[REPLY_TEMPLATES] = {"resources/templates/list", "resources",
			     "resourceTemplates"},
};

/* A server that is being asked. */
struct asking {
	struct listing *l;
	struct child child;
	const char *name; /* of the command, for messages */
	const char *what; /* the method that waits for its answer */
	int64_t since;    /* when it was started */
	int64_t until;    /* when the time is over; INT64_MAX: never */
	bool terminal;    /* stderr is one */
	bool shown;       /* what is waited for stands there */
	bool modern;      /* of 2026-07-28 */
	long long id;     /* of the last request */
	size_t total;     /* bytes read */
	size_t pages;
	/* What was read, from at on not looked into; owned. */
	char *in;
	size_t at, len, cap;
	struct strbuf out; /* what is to be written, from sent on; owned */
	size_t sent;
	struct span *cursors; /* of the list, LISTING_PAGES; owned */
};

/* ---- bytes ----------------------------------------------------------- */

static void clear_wait(struct asking *a)
{
	if (a->shown)
		fputs("\r\033[K", stderr);
	a->shown = false;
}

static void show_wait(struct asking *a)
{
	const int64_t spent = (host_now() - a->since) / SECOND;

	if (!a->terminal || spent < 1)
		return;
	fprintf(stderr,
		"\rweir: waiting for %.24s to answer %s: %lld s (Ctrl-C stops)\033[K",
		show(a->name).text, a->what, (long long)spent);
	a->shown = true;
}

/* Waits a little for the server's end. */
static void await_end(struct asking *a)
{
	struct pollfd p = {.fd = a->child.signals, .events = POLLIN};
	const int64_t until = host_now() + GRACE * SECOND;

	while (a->child.pid > 0 && !a->child.came && host_now() < until) {
		poll(&p, 1, 100);
		child_signals(&a->child);
	}
}

/* How the server has ended, which said that it will write no more. */
static bool tell_end(struct asking *a)
{
	await_end(a);
	clear_wait(a);
	if (a->child.pid > 0)
		report_all("%s closed its stdout before it answered %s",
			   show(a->name).text, a->what);
	else if (a->child.status > EXIT_SIGNALED)
		report_all("%s was ended by signal %d before it answered %s",
			   show(a->name).text, a->child.status - EXIT_SIGNALED,
			   a->what);
	else
		report_all(
			"%s ended with status %d before it answered %s; see what it wrote to stderr",
			show(a->name).text, a->child.status, a->what);
	return false;
}

static void write_out(struct asking *a)
{
	ssize_t put;

	RETRY(put = write(a->child.in, a->out.ptr + a->sent,
			  a->out.len - a->sent));
	/* If nobody reads it any more, the end of the output will tell. */
	if (put > 0)
		a->sent += (size_t)put;
	else if (put < 0 && errno != EAGAIN)
		a->sent = a->out.len;
	if (a->sent == a->out.len)
		a->sent = a->out.len = 0;
}

/* Room for more behind what is not looked into yet. */
static bool make_room(struct asking *a)
{
	char *more;

	/* musl copies all of it where it lies already, byte by byte. */
	if (a->at > 0)
		memmove(a->in, a->in + a->at, a->len - a->at);
	a->len -= a->at;
	a->at = 0;
	if (a->cap - a->len >= READ_BYTES)
		return true;
	a->cap *= 2;
	more = realloc(a->in, a->cap);
	if (!more)
		report_all("out of memory");
	else
		a->in = more;
	return more != NULL;
}

/* Reads what has come; waits until something has.  False: reported. */
static bool fill(struct asking *a)
{
	const bool waits = a->out.len > 0;
	struct pollfd p[] = {
		{.fd = a->child.out, .events = POLLIN},
		{.fd = a->child.signals, .events = POLLIN},
		{.fd = waits ? a->child.in : -1, .events = POLLOUT},
	};
	const int64_t now = host_now();
	int64_t left = a->until - now;
	ssize_t got;

	show_wait(a);
	if (left <= 0) {
		clear_wait(a);
		report_all("%s has not answered %s within %lld s (--timeout)",
			   show(a->name).text, a->what,
			   (long long)((a->until - a->since) / SECOND));
		return false;
	}
	if (a->terminal && left > SECOND)
		left = SECOND;
	poll(p, 3,
	     a->until == INT64_MAX && !a->terminal
		     ? -1
		     : (int)(left / MILLISECOND) + 1);
	if (p[1].revents)
		child_signals(&a->child);
	if (a->child.came) {
		clear_wait(a);
		report_all("stopped by signal %d: nothing was written",
			   a->child.came);
		return false;
	}
	if (p[2].revents)
		write_out(a);
	if (!p[0].revents)
		return true;
	if (!make_room(a))
		return false;
	RETRY(got = read(a->child.out, a->in + a->len, READ_BYTES));
	if (got <= 0)
		return tell_end(a);
	a->len += (size_t)got;
	a->total += (size_t)got;
	if (a->total <= LISTING_BYTES)
		return true;
	clear_wait(a);
	report_all("%s has written more than %zu MiB, and not answered %s",
		   show(a->name).text, LISTING_BYTES >> 20, a->what);
	return false;
}

/* The next line, NUL-ended; NULL: there is no whole one yet.  *seen is how far
 * it was looked for. */
static char *next_line(struct asking *a, size_t *seen, size_t *len)
{
	char *line = a->in + a->at;
	char *lf = memchr(line + *seen, '\n', a->len - a->at - *seen);

	*seen = lf ? 0 : a->len - a->at;
	if (!lf)
		return NULL;
	a->at += (size_t)(lf - line) + 1;
	*len = (size_t)(lf - line);
	if (*len > 0 && line[*len - 1] == '\r')
		--*len;
	line[*len] = '\0';
	return line;
}

/* ---- messages -------------------------------------------------------- */

/* Requests; the members of params, if there are any, are all but the _meta of
 * the newer kind.  False: reported. */
static bool ask(struct asking *a, const char *method, struct span params)
{
	struct strbuf *o = &a->out;

	a->what = method;
	strbuf_string(o, "{\"jsonrpc\":\"2.0\",\"id\":");
	strbuf_number(o, ++a->id);
	strbuf_string(o, ",\"method\":\"");
	strbuf_string(o, method);
	strbuf_string(o, "\",\"params\":{");
	strbuf_bytes(o, params.ptr ? params.ptr : "", params.len);
	if (a->modern) {
		strbuf_string(o, params.len > 0 ? "," : "");
		strbuf_string(o, modern_meta);
	}
	strbuf_string(o, "}}\n");
	if (o->full)
		report_all("%s does not read what is asked",
			   show(a->name).text);
	return !o->full;
}

/* A ping is answered, and what else the server asks is refused; if it reads
 * none of that, it gets no more. */
static void answer(struct asking *a, struct span id, struct text method)
{
	struct strbuf *o = &a->out;
	size_t before = o->len;

	strbuf_string(o, "{\"jsonrpc\":\"2.0\",\"id\":");
	strbuf_bytes(o, id.ptr, id.len);
	strbuf_string(o, text_is(method, "ping", 4)
				 ? ",\"result\":{}}\n"
				 : ",\"error\":{\"code\":-32601,\"message\":"
				   "\"weir scan only asks for lists\"}}\n");
	if (o->full) {
		o->len = before;
		o->full = false;
	}
}

/* The object that a line without fault is. */
static struct span root_of(const char *line)
{
	const char *p = strchr(line, '{');

	return (struct span){p, p ? strlen(p) : 0};
}

static bool is_answer(const struct asking *a, struct span id)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "\"%lld\"", a->id);

	/* A few servers make a string of it, which clients take. */
	return id.ptr &&
	       ((id.len == (size_t)len - 2 &&
		 memcmp(id.ptr, digits + 1, id.len) == 0) ||
		(id.len == (size_t)len && memcmp(id.ptr, digits, id.len) == 0));
}

/* Waits for the answer to the last request, and reads it in a copy, which is
 * the caller's to free.  NULL: reported. */
static char *wait_answer(struct asking *a, bool list, struct reply *r)
{
	size_t seen = 0, len;
	struct text method;
	char *line, *copy;

	for (;;) {
		line = next_line(a, &seen, &len);
		if (!line && !fill(a))
			return NULL;
		if (!line)
			continue;
		reply_read(line, len, r);
		if (r->kind == REPLY_UNREAD && list) {
			clear_wait(a);
			report_all(
				"%s: its answer to %s cannot be read: %s (byte %zu of the line)",
				show(a->name).text, a->what, r->fault.reason,
				r->fault.offset + 1);
			return NULL;
		}
		if (r->kind == REPLY_UNREAD || r->kind == REPLY_NOISE)
			continue;
		method = member_text(jsonc_member(root_of(line), "method"));
		if (method.ptr && r->id.ptr)
			answer(a, r->id, method);
		else if (r->answers && is_answer(a, r->id))
			break;
	}
	copy = malloc(len + 1);
	if (!copy) {
		report_all("out of memory");
		return NULL;
	}
	memcpy(copy, line, len + 1);
	reply_read(copy, len, r);
	return copy;
}

/* Says what error the server answers with. */
static void tell_error(struct asking *a, const char *line)
{
	struct span error = jsonc_member(root_of(line), "error");
	char *words = jsonc_decode(member_text(jsonc_member(error, "message")));

	clear_wait(a);
	report_all("%s answers %s with an error: %s", show(a->name).text,
		   a->what,
		   words && *words ? show(words).text : "it does not say why");
	free(words);
}

static bool is_error(const char *line)
{
	return !jsonc_member(root_of(line), "result").ptr;
}

/* ---- what is asked --------------------------------------------------- */

/* In either way.  False: reported. */
static bool greet(struct asking *a)
{
	static const char params[] =
		"\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
		"\"clientInfo\":" CLIENT;
	static const char done[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
	struct reply r;
	char *older, *line;
	struct span result, info;

	if (!ask(a, "initialize", (struct span){params, sizeof(params) - 1}))
		return false;
	line = wait_answer(a, false, &r);
	if (line && is_error(line)) {
		older = line;
		a->modern = true;
		line = ask(a, "server/discover", (struct span){NULL, 0})
			       ? wait_answer(a, false, &r)
			       : NULL;
		if (line && is_error(line)) {
			a->what = "initialize";
			tell_error(a, older);
			free(line);
			line = NULL;
		}
		free(older);
	}
	if (!line)
		return false;
	if (!a->modern)
		strbuf_string(&a->out, done);
	result = jsonc_member(root_of(line), "result");
	info = jsonc_member(result, "serverInfo");
	if (!info.ptr)
		info = jsonc_member(jsonc_member(result, "_meta"),
				    META "serverInfo");
	a->l->greeting = line;
	a->l->server = member_text(jsonc_member(info, "name"));
	return true;
}

/* The name of an element, if it is certain. */
static struct text name_of(struct span definition, enum reply_list list)
{
	const char *key = list == REPLY_TEMPLATES   ? "uriTemplate"
			  : list == REPLY_RESOURCES ? "uri"
						    : "name";
	struct jsonc_item item = {.begin = NULL};
	struct text name = {.ptr = NULL};
	size_t found = 0;

	while (*definition.ptr == '{' && jsonc_next(definition, &item))
		if (text_is(item.key, key, strlen(key)) && found++ == 0)
			name = member_text(item.value);
	if (found > 1)
		name.ptr = NULL;
	return name;
}

/* Takes over a reply, and notes its elements.  False: reported. */
static bool keep_page(struct asking *a, char *line, struct span list,
		      enum reply_list kind)
{
	struct jsonc_item item = {.begin = NULL};
	struct listing *l = a->l;
	void *more = l->replies;

	if (l->reply_count % 64 == 0)
		more = realloc(l->replies,
			       (l->reply_count + 64) * sizeof(*l->replies));
	if (!more) {
		free(line);
		report_all("out of memory");
		return false;
	}
	l->replies = more;
	l->replies[l->reply_count++] = line;
	while (jsonc_next(list, &item)) {
		if (l->count == LISTING_ITEMS) {
			clear_wait(a);
			report_all("%s lists more than %d things",
				   show(a->name).text, LISTING_ITEMS);
			return false;
		}
		if (l->count % 1024 == 0) {
			more = realloc(l->items,
				       (l->count + 1024) * sizeof(*l->items));
			if (!more) {
				report_all("out of memory");
				return false;
			}
			l->items = more;
		}
		l->items[l->count++] = (struct listing_item){
			.list = kind,
			.definition = item.value,
			.name = name_of(item.value, kind)};
	}
	return true;
}

/* Notes a cursor.  False: reported, the server has given it before, or there
 * are too many. */
static bool is_new(struct asking *a, struct span cursor, size_t count)
{
	size_t i = 0;

	while (i < count &&
	       (a->cursors[i].len != cursor.len ||
		memcmp(a->cursors[i].ptr, cursor.ptr, cursor.len) != 0))
		i++;
	clear_wait(a);
	if (i < count)
		report_all(
			"%s: %s never ends: page %zu has the cursor of page %zu",
			show(a->name).text, a->what, count + 1, i + 1);
	else if (++a->pages >= LISTING_PAGES)
		report_all("%s: %s never ends: %d pages, and there are more",
			   show(a->name).text, a->what, LISTING_PAGES);
	else
		a->cursors[i = count] = cursor;
	return i == count && a->pages < LISTING_PAGES;
}

/* All pages of one list.  False: reported. */
static bool take_list(struct asking *a, enum reply_list kind, bool declared)
{
	char *params = NULL, *line;
	struct span cursor = {.ptr = NULL};
	size_t count = 0;
	bool good;

	do {
		struct reply r;
		int len = cursor.ptr ? asprintf(&params, "\"cursor\":%.*s",
						(int)cursor.len, cursor.ptr)
				     : 0;

		good = len >= 0 && ask(a, asked[kind].method,
				       (struct span){params, (size_t)len});
		line = good ? wait_answer(a, true, &r) : NULL;
		if (len > 0)
			free(params);
		params = NULL;
		if (!line)
			return false;
		if (is_error(line)) {
			good = !declared;
			if (!good)
				tell_error(a, line);
			free(line);
			return good;
		}
		cursor = (struct span){.ptr = NULL};
		if (!r.lists[kind].ptr) {
			clear_wait(a);
			report_all("%s answers %s without an array %s",
				   show(a->name).text, a->what,
				   asked[kind].key);
			free(line);
			return false;
		}
		if (!keep_page(a, line, r.lists[kind], kind))
			return false;
		if (r.more)
			cursor = jsonc_member(
				jsonc_member(root_of(line), "result"),
				"nextCursor");
		/* Clients take an empty one for none. */
		if (cursor.len <= 2)
			cursor.ptr = NULL;
		if (cursor.ptr && !is_new(a, cursor, count++))
			return false;
	} while (cursor.ptr);
	return true;
}

static bool take_lists(struct asking *a)
{
	struct span result = jsonc_member(root_of(a->l->greeting), "result");
	struct span capabilities = jsonc_member(result, "capabilities");

	for (int i = 0; i < REPLY_LISTS; i++) {
		bool has = jsonc_member(capabilities, asked[i].capability).ptr;

		/* Many have no templates, and say so with an error. */
		if ((has || i == REPLY_TOOLS) &&
		    !take_list(a, (enum reply_list)i,
			       has && i != REPLY_TEMPLATES))
			return false;
	}
	return true;
}

/* ---- the server's life ----------------------------------------------- */

/* Ends it as clients do: its stdin first.  What has failed gets no time. */
static void end(struct asking *a, bool done)
{
	close(a->child.in);
	close(a->child.out);
	if (done)
		await_end(a);
	child_clear(&a->child);
	close(a->child.signals);
}

bool listing_take(struct listing *l, char **argv, size_t seconds)
{
	struct asking a = {.l = l,
			   .name = argv[0],
			   .what = "initialize",
			   .since = host_now(),
			   .until = INT64_MAX,
			   .terminal = isatty(STDERR_FILENO),
			   .in = malloc(2 * READ_BYTES),
			   .cap = 2 * READ_BYTES,
			   .out = {.ptr = malloc(OUT_BYTES), .cap = OUT_BYTES},
			   .cursors =
				   calloc(LISTING_PAGES, sizeof(*a.cursors))};
	sigset_t mask;
	bool done = false;

	*l = (struct listing){.count = 0};
	if (seconds > 0)
		a.until = a.since + (int64_t)seconds * SECOND;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	fflush(stdout);
	if (!a.in || !a.out.ptr || !a.cursors) {
		report_all("out of memory");
	} else if (child_start(&a.child, argv, &mask)) {
		a.child.in = fd_own(a.child.in).fd;
		done = greet(&a) && take_lists(&a);
		clear_wait(&a);
		end(&a, done);
	}
	system_uncatch();
	child_release(&mask);
	free(a.in);
	free(a.out.ptr);
	free(a.cursors);
	return done;
}

void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->reply_count; i++)
		free(l->replies[i]);
	free(l->replies);
	free(l->items);
	free(l->greeting);
	*l = (struct listing){.count = 0};
}
