/* The log.  The contract is in log.h. */
#include "log.h"

#include "../parser/strbuf.h"
#include "answer.h"
#include "fd.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool log_open(struct log *log, const char *path)
{
	struct stat st;

	*log = (struct log){.once = policy_names_descriptor(path)};
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
		next.torn = log->torn; /* it may be the same file */
		log_close(log);
		*log = next;
		return;
	}
	report("cannot reopen log %s: %s; keeping the current one", path,
	       next.once ? "it is not a regular file" : strerror(errno));
	log_close(&next);
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

/* {"time":"...","KEY":"WORD" */
static void begin(struct log *log, struct strbuf *o, const char *key,
		  const char *word)
{
	struct timespec now;
	struct tm tm;
	char text[96];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000);
	strbuf_string(o, log->torn ? "\n" : "");
	strbuf_string(o, "{\"time\":\"");
	strbuf_string(o, text);
	strbuf_string(o, "\",\"");
	strbuf_string(o, key);
	strbuf_string(o, "\":\"");
	strbuf_escaped(o, word, strlen(word));
	strbuf_string(o, "\"");
}

/* JSON text as it is spelled in the message, but for bytes that a terminal
 * obeys: DEL, and U+0080 to U+009F, which begin with 0xC2. */
static void put_spelled(struct strbuf *o, const char *s, size_t len)
{
	while (len > 0) {
		size_t n = 0;

		while (n < len && s[n] != 0x7F && s[n] != '\xC2')
			n++;
		strbuf_bytes(o, s, n);
		s += n;
		len -= n;
		n = len > 1 && *s != 0x7F ? 2 : len > 0;
		strbuf_escaped(o, s, n);
		s += n;
		len -= n;
	}
}

/* ,"key":"text" of a text as it stands in the message. */
static void put_text(struct strbuf *o, const char *key, struct text text)
{
	size_t mark;

	if (!text.ptr)
		return;
	strbuf_string(o, ",\"");
	strbuf_string(o, key);
	strbuf_string(o, "\":\"");
	mark = o->len;
	/* Left out: one that is longer than any that is weighed, and half a
	 * surrogate pair, which readers of the log could not take. */
	if (text.len <= 6 * MESSAGE_NAME_BYTES && !(text.flags & TEXT_LONE))
		put_spelled(o, text.ptr, text.len);
	if (o->len - mark > 6 * MESSAGE_NAME_BYTES)
		o->len = mark;
	strbuf_string(o, "\"");
}

static void put_id(struct strbuf *o, struct span id)
{
	if (!id.ptr)
		return;
	strbuf_string(o, ",\"id\":");
	put_spelled(o, id.ptr, id.len);
}

/* ,"rule":"...","reason":"..." */
static void put_rule(struct strbuf *o, const char *rule, const char *reason)
{
	strbuf_string(o, ",\"rule\":\"");
	strbuf_string(o, rule);
	strbuf_string(o, "\",\"reason\":\"");
	strbuf_string(o, reason);
	strbuf_string(o, "\"");
}

/* A part of the record was written: makes it a blank line, so that what comes
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

static void end(struct log *log, struct strbuf *o, bool observed)
{
	ssize_t put;

	if (observed)
		strbuf_string(o, ",\"observed\":true");
	strbuf_string(o, "}\n");
	RETRY(put = write(log->fd, o->ptr, o->len));
	if (put == (ssize_t)o->len) {
		log->failed = log->torn = false;
		return;
	}
	if (!log->failed)
		report("cannot write to the log: %s",
		       strerror(put < 0 ? errno : ENOSPC));
	log->failed = true;
	if (put > 0)
		log->torn = !blank(log->fd, o->ptr, (size_t)put);
}

void log_verdict(struct log *log, const struct message *m,
		 const struct verdict *v, int64_t waited, bool observed)
{
	char line[2 * ANSWER_BYTES];
	struct strbuf o = {.ptr = line, .cap = sizeof(line)};

	if (log->fd < 0)
		return;
	begin(log, &o, "verdict", log_word(v->kind));
	put_text(&o, "method", m->method_text);
	put_text(&o, m->name.ptr ? "name" : "uri",
		 m->name.ptr ? m->name : m->uri);
	put_id(&o, m->id);
	if (v->kind != VERDICT_PASS)
		put_rule(&o, v->location.rule, v->reason);
	if (waited > 0) {
		strbuf_string(&o, ",\"waitedMs\":");
		strbuf_number(&o, waited / MILLISECOND);
	}
	end(log, &o, observed && v->kind != VERDICT_PASS);
}

void log_fault(struct log *log, struct span id, const struct fault *fault,
	       bool observed)
{
	char line[ANSWER_BYTES];
	struct strbuf o = {.ptr = line, .cap = sizeof(line)};

	if (log->fd < 0)
		return;
	begin(log, &o, "verdict", log_word(VERDICT_MALFORMED));
	put_id(&o, id);
	strbuf_string(&o, ",\"rule\":\"(malformed)\",\"reason\":\"");
	strbuf_escaped(&o, fault->reason, strlen(fault->reason));
	strbuf_string(&o, " (byte ");
	strbuf_number(&o, (int64_t)fault->offset);
	strbuf_string(&o, ")\"");
	end(log, &o, observed);
}

static void put_word(struct strbuf *o, const char *key, const char *word)
{
	if (!*word)
		return;
	strbuf_string(o, ",\"");
	strbuf_string(o, key);
	strbuf_string(o, "\":\"");
	strbuf_escaped(o, word, strlen(word));
	strbuf_string(o, "\"");
}

void log_approval(struct log *log, const struct message *m, const char *answer,
		  const char *who, const char *how, int64_t waited)
{
	char line[2 * ANSWER_BYTES];
	struct strbuf o = {.ptr = line, .cap = sizeof(line)};

	if (log->fd < 0)
		return;
	begin(log, &o, "approval", answer);
	put_text(&o, "method", m->method_text);
	put_text(&o, m->name.ptr ? "name" : "uri",
		 m->name.ptr ? m->name : m->uri);
	put_id(&o, m->id);
	put_word(&o, "who", who);
	put_word(&o, "how", how);
	strbuf_string(&o, ",\"waitedMs\":");
	strbuf_number(&o, waited / MILLISECOND);
	end(log, &o, false);
}

void log_warning(struct log *log, const char *text)
{
	char line[2 * ANSWER_BYTES];
	struct strbuf o = {.ptr = line, .cap = sizeof(line)};

	if (log->fd < 0)
		return;
	begin(log, &o, "warning", text);
	end(log, &o, false);
}
