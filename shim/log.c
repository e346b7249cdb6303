/* The log.  The contract is in log.h. */
#include "log.h"

#include "../parser/member.h"
#include "../parser/scan_simd.h"
#include "../policies/host/host.h"
#include "fd.h"
#include "report.h"
#include "served.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOLD_AGAIN (60 * SECOND) /* between two reports of a failure */
#define CHAIN      (sizeof(",\"prev\":\"\"}\n") - 1 + SHA256_HEX)
#define NUMBERS    100 /* bytes, us and observed */

bool log_open(struct log *log, const char *path)
{
	struct stat st;

	*log = (struct log){.once = policy_names_descriptor(path)};
	log->common.ptr = log->common_text;
	/* A pipe that nobody reads must stop neither the start nor a call. */
	log->fd = open(path,
		       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			       O_NONBLOCK,
		       0600);
	if (log->fd < 0)
		return false;
	log->once |= fstat(log->fd, &st) != 0 || !S_ISREG(st.st_mode);
	return true;
}

void log_close(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	if (log->fd >= 0 && log->lost > 0)
		report("%llu lines could not be written to the log",
		       (unsigned long long)log->lost);
	log->fd = -1;
}

void log_reopen(struct log *log, const char *path)
{
	struct log next;

	if (log->once) {
		if (!log->reported)
			report("log %s is not reopened: it is not a regular file",
			       path);
		log->reported = true;
		return;
	}
	if (log_open(&next, path) && !next.once) {
		close(log->fd);
		log->fd = next.fd;
		return;
	}
	report("cannot reopen log %s: %s; keeping the current one", path,
	       next.once ? "it is not a regular file" : strerror(errno));
	if (next.fd >= 0)
		close(next.fd);
}

const char *log_word(enum verdict_kind kind)
{
	static const char *const words[] = {
		[VERDICT_PASS] = "passed",
		[VERDICT_HIDDEN] = "hidden",
		[VERDICT_REFUSED] = "refused",
		[VERDICT_MALFORMED] = "malformed",
		[VERDICT_DROPPED] = "dropped",
	};

	return words[kind];
}

/* ---- members --------------------------------------------------------- */

/* ,"key": */
static void put_key(struct strbuf *o, const char *key)
{
	strbuf_string(o, ",\"");
	strbuf_string(o, key);
	strbuf_string(o, "\":");
}

static void put_number(struct strbuf *o, const char *key, uint64_t n)
{
	put_key(o, key);
	strbuf_number(o, (int64_t)n);
}

static void put_true(struct strbuf *o, const char *key, bool value)
{
	if (value) {
		put_key(o, key);
		strbuf_string(o, "true");
	}
}

static void put_hex(struct strbuf *o, const char *key, const char *hex)
{
	put_key(o, key);
	strbuf_string(o, "\"");
	strbuf_bytes(o, hex, SHA256_HEX);
	strbuf_string(o, "\"");
}

static void put_digest(struct strbuf *o, const char *key,
		       const unsigned char digest[SHA256_BYTES])
{
	char hex[SHA256_HEX];

	sha256_hex(digest, hex);
	put_hex(o, key, hex);
}

/* Milliseconds, with three decimals. */
static void put_ms(struct strbuf *o, int64_t ns)
{
	char text[40];
	const int64_t us = ns > 0 ? ns / 1000 : 0;

	snprintf(text, sizeof(text), ",\"ms\":%lld.%03d",
		 (long long)(us / 1000), (int)(us % 1000));
	strbuf_string(o, text);
}

/* What stands in a string already, cut between characters and escapes. */
static void put_spelled(struct strbuf *o, const char *key, const char *s,
			size_t most)
{
	const size_t len = strlen(s);
	size_t used = 0, cut = 0;

	while (used < len) {
		used += s[used] != '\\' ? 1 : s[used + 1] == 'u' ? 6 : 2;
		while (used < len && (s[used] & 0xC0) == 0x80)
			used++;
		if (used > most)
			break;
		cut = used;
	}
	put_key(o, key);
	strbuf_string(o, "\"");
	strbuf_bytes(o, s, cut);
	strbuf_string(o, cut < len ? "...\"" : "\"");
}

/* The same of bytes that are meant to be UTF-8, escaped. */
static void put_escaped(struct strbuf *o, const char *s, size_t len,
			size_t most)
{
	const char *const end = s + len, *next;

	for (; s < end; s = next) {
		char one[8];
		struct strbuf out = {.ptr = one, .cap = sizeof(one)};

		next = (signed char)*s < 0 ? scan_character(s, end) : s + 1;
		if (next)
			strbuf_escaped(&out, s, (size_t)(next - s));
		else
			strbuf_string(&out, "?");
		next = next ? next : s + 1;
		if (out.len > most) {
			strbuf_string(o, "...");
			return;
		}
		strbuf_bytes(o, one, out.len);
		most -= out.len;
	}
}

static void put_string(struct strbuf *o, const char *s, size_t len, size_t most)
{
	strbuf_string(o, "\"");
	put_escaped(o, s, len, most);
	strbuf_string(o, "\"");
}

/* Takes at most so many characters from a text, decoded; half a surrogate pair
 * becomes U+FFFD.  Returns their bytes, of at most 4 each. */
static size_t decode(struct text *text, char *out, size_t most)
{
	size_t len = 0;

	for (; text->len > 0 && most > 0; most--) {
		struct text one = *text;
		const int32_t c = text_next(text);

		one.len = (size_t)(text->ptr - one.ptr);
		one.flags &= TEXT_ESCAPED;
		if (text_is_high(c) || text_is_low(c))
			one = (struct text){.ptr = "\xEF\xBF\xBD", .len = 3};
		len += (size_t)text_decode(one, out + len, 4);
	}
	return len;
}

#define MOST LOG_ID /* characters of a text */

static void put_text(struct strbuf *o, struct text text, size_t most)
{
	char plain[4 * (MOST + 1)];

	put_string(o, plain, decode(&text, plain, MOST + 1), most);
}

static void put_words(struct strbuf *o, const char *key, const char *words)
{
	put_key(o, key);
	put_string(o, words, strlen(words), LOG_REASON);
}

static void put_member(struct strbuf *o, const char *key, struct text text)
{
	if (!text.ptr)
		return;
	put_key(o, key);
	put_text(o, text, LOG_NAME);
}

static struct text inside(struct span string)
{
	return (struct text){.ptr = string.ptr + 1,
			     .len = string.len - 2,
			     .flags = TEXT_ESCAPED};
}

static void put_id(struct strbuf *o, struct span id)
{
	if (!id.ptr)
		return;
	put_key(o, "id");
	/* A server may send anything as one: all but a number, or a word, is
	 * shown as a string. */
	if (*id.ptr == '"')
		put_text(o, inside(id), LOG_ID);
	else if (strchr("{[", *id.ptr) || id.len > LOG_NUMBER)
		put_text(o, (struct text){.ptr = id.ptr, .len = id.len},
			 LOG_ID);
	else
		strbuf_bytes(o, id.ptr, id.len);
}

/* A uri without what is behind '?' or '#', and without the user part: what
 * stands before the last '@' of its authority, or of what has none.  One whose
 * end is not among the first bytes is left out. */
static void put_uri(struct strbuf *o, struct text uri)
{
	char plain[4 * 4 * LOG_URI];
	const char *end = plain + decode(&uri, plain, sizeof(plain) / 4), *to,
		   *at;
	char *from = plain;

	for (to = plain; to < end && *to != '?' && *to != '#';)
		to++;
	if (to < end)
		uri.len = 0;
	end = to;
	at = memchr(plain, ':', (size_t)(end - plain));
	if (at && at + 1 < end && (at[1] == '/' || at[1] == '\\'))
		from += at + 1 - plain;
	while (from < end && (*from == '/' || *from == '\\'))
		from++;
	for (to = from; to < end && *to != '/' && *to != '\\';)
		to++;
	at = scan_last(from, (size_t)(to - from), '@');
	if (to == end && uri.len > 0)
		at = end - 1;
	if (at) {
		memmove(from, at + 1, (size_t)(end - at) - 1);
		end -= at + 1 - from;
	}
	put_key(o, "uri");
	put_string(o, plain, (size_t)(end - plain), LOG_URI);
}

/* Does a come before b, by code points? */
static bool precedes(struct text a, struct text b)
{
	int32_t c, d;

	do {
		c = text_next(&a);
		d = text_next(&b);
	} while (c == d && c >= 0);
	return c < d;
}

/* The names of the arguments: the first so many, sorted. */
static void put_args(struct strbuf *o, struct span arguments)
{
	struct text names[LOG_ARGS + 1], key;
	size_t count = 0, kept;
	struct span value;
	struct items m;

	for (member_begin(&m, arguments, '{'); member_next(&m, &key, &value);) {
		kept = count < LOG_ARGS ? count : LOG_ARGS;
		for (; kept > 0 && precedes(key, names[kept - 1]); kept--)
			names[kept] = names[kept - 1];
		if (kept < LOG_ARGS)
			names[kept] = key;
		count++;
	}
	put_key(o, "args");
	for (size_t i = 0; i < count && i < LOG_ARGS; i++) {
		strbuf_string(o, i > 0 ? "," : "[");
		put_text(o, names[i], LOG_ARG);
	}
	strbuf_string(o, count > 0 ? "]" : "[]");
	if (count > LOG_ARGS)
		put_number(o, "args_more", count - LOG_ARGS);
}

/* The value of the first member of this name; ptr NULL: none. */
static struct span find_value(struct span object, const char *name, size_t len)
{
	struct span value;
	struct items i;
	struct text key;

	member_begin(&i, object, '{');
	while (member_next(&i, &key, &value))
		if (text_is(key, name, len))
			break;
	return value;
}

/* The values of the arguments that the paths name, "args.a.b,args.c": a string
 * or an array's or object's text as a string, anything else as it is. */
static void put_values(struct strbuf *o, struct span arguments,
		       const char *paths)
{
	const char *before = ",\"values\":{", *next;
	const size_t begin = o->len;

	for (; *paths; paths = *next ? next + 1 : next) {
		struct span v = arguments;
		const char *step = paths;

		next = paths + strcspn(paths, ",");
		while (v.ptr && (step += strcspn(step, ".,")) < next) {
			step++;
			v = find_value(v, step, strcspn(step, ".,"));
		}
		if (!v.ptr || o->len - begin > LOG_VALUES)
			continue;
		strbuf_string(o, before);
		before = ",";
		put_string(o, paths, (size_t)(next - paths), LOG_NAME);
		strbuf_string(o, ":");
		if (*v.ptr == '"')
			put_text(o, inside(v), LOG_VALUE);
		else if (strchr("{[", *v.ptr) || v.len > LOG_VALUE)
			put_text(o, (struct text){.ptr = v.ptr, .len = v.len},
				 LOG_VALUE);
		else
			strbuf_bytes(o, v.ptr, v.len);
	}
	strbuf_string(o, o->len > begin ? "}" : "");
}

/* ---- lines ----------------------------------------------------------- */

/* A part of the line was written: makes it a blank line, so that what comes
 * next, of whomever, begins a line.  A full disk has room for that, and what
 * another process has appended meanwhile stays. */
static bool blank(int fd, char *part, size_t len)
{
	off_t behind = lseek(fd, 0, SEEK_CUR);
	int flags = fcntl(fd, F_GETFL);
	bool done;

	memset(part, ' ', len);
	part[len - 1] = '\n';
	/* With O_APPEND, pwrite() would append. */
	if (behind < (off_t)len || fcntl(fd, F_SETFL, flags & ~O_APPEND) != 0)
		return false;
	done = pwrite(fd, part, len, behind - (off_t)len) == (ssize_t)len;
	fcntl(fd, F_SETFL, flags);
	return done;
}

/* The line that is written: an LF, which goes out only behind a torn one. */
struct line {
	struct strbuf o;
	char text[1 + LOG_LINE];
};

/* {"ts":"...","seq":0,"pid":1,"line":"WORD", and what all lines have. */
static void begin_line(struct log *log, struct line *l, const char *word)
{
	struct timespec now;
	struct tm tm;
	char text[192];

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != log->second || !*log->stamp) {
		gmtime_r(&now.tv_sec, &tm);
		/* strftime() would bring time zones into the static program. */
		snprintf(log->stamp, sizeof(log->stamp),
			 "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec);
		log->second = now.tv_sec;
	}
	l->text[0] = '\n';
	l->o = (struct strbuf){.ptr = l->text, .len = 1};
	l->o.cap = sizeof(l->text) - CHAIN;
	snprintf(
		text, sizeof(text),
		"{\"ts\":\"%s.%06ldZ\",\"seq\":%llu,\"pid\":%ld,\"line\":\"%s\"",
		log->stamp, now.tv_nsec / 1000, (unsigned long long)log->seq,
		(long)getpid(), word);
	strbuf_string(&l->o, text);
	strbuf_bytes(&l->o, log->common.ptr, log->common.len);
}

/* Writes the line.  False: it could not be; the caller counts it. */
static bool end_line(struct log *log, struct line *l)
{
	struct strbuf *o = &l->o;
	const size_t from = !log->torn;
	unsigned char digest[SHA256_BYTES];
	struct sha256 h;
	ssize_t put;

	o->cap = sizeof(l->text);
	if (log->seq > 0)
		put_hex(o, "prev", log->prev);
	strbuf_string(o, "}\n");
	RETRY(put = write(log->fd, o->ptr + from, o->len - from));
	if (put == (ssize_t)(o->len - from)) {
		sha256_begin(&h);
		sha256_add(&h, o->ptr + 1, o->len - 2);
		sha256_end(&h, digest);
		sha256_hex(digest, log->prev);
		log->failed = log->torn = false;
		log->seq++;
		return true;
	}
	if (!log->failed &&
	    (log->told == 0 || host_now() - log->told > TOLD_AGAIN)) {
		report("cannot write to the log: %s",
		       strerror(put < 0 ? errno : ENOSPC));
		log->told = host_now();
	}
	log->failed = true;
	if (put > 0)
		log->torn = !blank(log->fd, o->ptr + from, (size_t)put);
	return false;
}

/* What comes before any other line: the start, and how many lines are lost. */
bool log_ready(struct log *log)
{
	struct line l;
	const bool torn = log->torn;

	if (log->fd < 0)
		return true;
	if (!log->started) {
		begin_line(log, &l, "start");
		strbuf_bytes(&l.o, log->start.ptr, log->start.len);
		log->started = end_line(log, &l);
	}
	if (!log->started || log->lost == 0)
		return log->started;
	begin_line(log, &l, "gap");
	put_number(&l.o, "lost", log->lost);
	put_true(&l.o, "torn", torn);
	if (!end_line(log, &l))
		return false;
	log->lost = 0;
	return true;
}

static bool lose(struct log *log)
{
	log->lost++;
	log->lost_ever++;
	return false;
}

/* Begins a line, or counts it as lost. */
static bool ready(struct log *log, struct line *l, const char *word)
{
	if (!log_ready(log))
		return lose(log);
	begin_line(log, l, word);
	return true;
}

static bool finish(struct log *log, struct line *l)
{
	return end_line(log, l) || lose(log);
}

/* ---- what the lines are about ----------------------------------------- */

static void set_server(struct log *log, const char *name, size_t len)
{
	log->common.len = log->common_grant;
	put_key(&log->common, "server");
	put_string(&log->common, name, len, LOG_SERVER);
}

void log_start(struct log *log, const struct log_start *start)
{
	struct strbuf *o = &log->start;
	const char *const *word = start->command;
	const char *slash = strrchr(*word, '/'),
		   *name = slash ? slash + 1 : *word;
	size_t count = 0;

	log->common = (struct strbuf){.ptr = log->common_text,
				      .cap = sizeof(log->common_text)};
	put_key(&log->common, "grant");
	put_string(&log->common, start->grant, strlen(start->grant), LOG_GRANT);
	log->common_grant = log->common.len;
	set_server(log, name, strlen(name));
	*o = (struct strbuf){.ptr = log->start_text,
			     .cap = sizeof(log->start_text)};
	put_words(o, "version", version);
	strbuf_string(o, ",\"command\":[");
	for (; *word; word++, count++) {
		if (count >= LOG_WORDS)
			continue;
		strbuf_string(o, count > 0 ? "," : "");
		put_string(o, *word, strlen(*word), LOG_NAME);
	}
	strbuf_string(o, "]");
	if (count > LOG_WORDS)
		put_number(o, "words", count);
	put_digest(o, "policy", start->policy);
	put_true(o, "observe", start->observe);
	put_true(o, "required", log->required);
	/* One that cannot be written now comes before the next line. */
	log_ready(log);
}

void log_server(struct log *log, struct text name)
{
	char plain[4 * (LOG_SERVER + 1)];

	if (log->fd < 0 || log->named || !name.ptr || !log->common.ptr)
		return;
	log->named = true;
	set_server(log, plain, decode(&name, plain, LOG_SERVER + 1));
}

void log_end(struct log *log, int status)
{
	struct line l;

	if (log->fd < 0 || !ready(log, &l, "end"))
		return;
	put_number(&l.o, "status", (uint64_t)status);
	for (enum verdict_kind k = VERDICT_PASS; k <= VERDICT_DROPPED; k++)
		put_number(&l.o, log_word(k), log->verdicts[k]);
	put_number(&l.o, "answered", log->answered);
	put_number(&l.o, "lost", log->lost_ever);
	finish(log, &l);
}

/* ,"method":"tools/call","tool":"pay" */
static void put_about(struct strbuf *o, const struct message *m)
{
	put_member(o, "method", m->method_text);
	put_member(o,
		   m->method == METHOD_TOOLS_CALL    ? "tool"
		   : m->method == METHOD_PROMPTS_GET ? "prompt"
						     : "name",
		   m->name);
}

/* The members that end a decision. */
static bool decided(struct log *log, struct line *l, size_t bytes,
		    bool observed)
{
	put_true(&l->o, "observed", observed);
	put_number(&l->o, "bytes", bytes);
	put_number(&l->o, "us", (uint64_t)((host_now() - log->began) / 1000));
	return finish(log, l);
}

bool log_verdict(struct log *log, const struct message *m,
		 const struct verdict *v, size_t bytes, bool observed)
{
	const bool named = v->section == POLICY_RESOURCES;
	const struct text uri = m->uri.ptr || !named ? m->uri : v->name;
	struct line l;
	size_t room;

	if (log->fd < 0)
		return true;
	log->verdicts[v->kind]++;
	if (!ready(log, &l, "decision"))
		return false;
	put_id(&l.o, m->id);
	put_about(&l.o, m);
	if (!m->name.ptr && !named)
		put_member(&l.o, "name", v->name);
	if (uri.ptr)
		put_uri(&l.o, uri);
	if (m->arguments.ptr)
		put_args(&l.o, m->arguments);
	if (m->arguments.ptr && log->args)
		put_values(&l.o, m->arguments, log->args);
	put_spelled(&l.o, "verdict", log_word(v->kind), LOG_NAME);
	if (v->kind != VERDICT_PASS) {
		put_spelled(&l.o, "rule", v->location.rule, LOG_RULE);
		room = l.o.cap - l.o.len - NUMBERS;
		put_spelled(&l.o, "reason", v->reason,
			    room < LOG_REASON ? room : LOG_REASON);
	}
	return decided(log, &l, bytes, observed && v->kind != VERDICT_PASS);
}

bool log_fault(struct log *log, struct span id, const struct fault *fault,
	       size_t bytes, bool observed)
{
	struct line l;

	if (log->fd < 0)
		return true;
	log->verdicts[VERDICT_MALFORMED]++;
	if (!ready(log, &l, "decision"))
		return false;
	put_id(&l.o, id);
	put_spelled(&l.o, "verdict", log_word(VERDICT_MALFORMED), LOG_NAME);
	put_spelled(&l.o, "rule", "(malformed)", LOG_RULE);
	put_words(&l.o, "reason", fault->reason);
	l.o.len--;
	strbuf_string(&l.o, " (byte ");
	strbuf_number(&l.o, (int64_t)fault->offset);
	strbuf_string(&l.o, ")\"");
	return decided(log, &l, bytes, observed);
}

void log_call(const struct log *log, const struct message *m,
	      struct served_call *call)
{
	struct strbuf o = {.ptr = call->about, .cap = sizeof(call->about)};

	put_about(&o, m);
	call->about_len = (unsigned short)o.len;
	call->seq = log->seq - 1;
	call->since = host_now();
}

void log_answered(struct log *log, const struct served_call *call, size_t bytes,
		  bool error)
{
	struct line l;

	log->answered++;
	if (log->fd < 0 || !ready(log, &l, "answer"))
		return;
	put_id(&l.o, (struct span){call->id, call->id_len});
	strbuf_bytes(&l.o, call->about, call->about_len);
	put_number(&l.o, "call", call->seq);
	put_ms(&l.o, host_now() - call->since);
	put_key(&l.o, "error");
	strbuf_string(&l.o, error ? "true" : "false");
	put_number(&l.o, "bytes", bytes);
	finish(log, &l);
}

void log_approval(struct log *log, const struct message *m, const char *answer,
		  const char *who, const char *how, int64_t waited)
{
	struct line l;

	if (log->fd < 0 || !ready(log, &l, "approval"))
		return;
	put_id(&l.o, m->id);
	put_about(&l.o, m);
	if (m->uri.ptr)
		put_uri(&l.o, m->uri);
	put_words(&l.o, "answer", answer);
	if (*who)
		put_words(&l.o, "who", who);
	if (*how)
		put_words(&l.o, "how", how);
	put_ms(&l.o, waited);
	finish(log, &l);
}

void log_withheld(struct log *log, struct span id, const struct fault *fault)
{
	struct line l;

	if (log->fd < 0 || !ready(log, &l, "withheld"))
		return;
	put_id(&l.o, id);
	put_words(&l.o, "reason", fault->reason);
	put_number(&l.o, "byte", fault->offset);
	finish(log, &l);
}

void log_changed(struct log *log, struct text tool, const char *reason)
{
	struct line l;

	if (log->fd < 0 || !ready(log, &l, "changed"))
		return;
	put_member(&l.o, "tool", tool);
	put_words(&l.o, "reason", reason);
	finish(log, &l);
}

void log_reload(struct log *log, bool ok, const unsigned char *policy)
{
	struct line l;

	if (log->fd < 0 || !ready(log, &l, "reload"))
		return;
	put_key(&l.o, "ok");
	strbuf_string(&l.o, ok ? "true" : "false");
	put_digest(&l.o, "policy", policy);
	finish(log, &l);
}

void log_warning(struct log *log, const char *text)
{
	struct line l;

	if (log->fd < 0 || !ready(log, &l, "warning"))
		return;
	put_words(&l.o, "warning", text);
	finish(log, &l);
}
