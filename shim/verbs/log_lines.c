/* Lines of the log.  The contract is in log_lines.h. */
#include "log_lines.h"

#include "../fd.h"
#include "../report.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ----------------------------------------------------------- */

bool lines_open(struct lines *l, const char *file)
{
	char *buffer = l->buffer;

	/* The scanner reads whole blocks of 64 bytes. */
	if (!buffer)
		buffer = aligned_alloc(64, LINES_BUFFER);
	*l = (struct lines){.file = file, .fd = -1, .buffer = buffer};
	if (buffer)
		l->fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	l->failed = l->fd < 0;
	if (l->failed)
		report_all("log: %s: %s", show(file).text,
			   strerror(buffer ? errno : ENOMEM));
	return !l->failed;
}

void lines_close(struct lines *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void lines_free(struct lines *l)
{
	lines_close(l);
	free(l->buffer);
	l->buffer = NULL;
}

/* Reads more behind what is there; false: there is no more now. */
static bool fill(struct lines *l)
{
	ssize_t got;

	memmove(l->buffer, l->buffer + l->at, l->to - l->at);
	l->to -= l->at;
	l->at = 0;
	/* A byte stays free for the end of a line that has none. */
	RETRY(got = read(l->fd, l->buffer + l->to, LINES_BUFFER - l->to - 1));
	if (got < 0) {
		report_all("log: %s: %s", show(l->file).text, strerror(errno));
		l->failed = true;
	}
	l->to += got > 0 ? (size_t)got : 0;
	return got > 0;
}

const char *lines_next(struct lines *l, bool last, size_t *len, bool *whole)
{
	size_t seen = 0;

	for (;;) {
		char *line = l->buffer + l->at, *lf;
		size_t left = l->to - l->at;
		bool skip = l->skip, more = true;

		lf = left > seen ? memchr(line + seen, '\n', left - seen)
				 : NULL;
		if (!lf && left <= LINES_MOST) {
			seen = left;
			more = fill(l);
			if (more)
				continue;
			if (left == 0 || !last)
				return NULL;
			line = l->buffer;
		}
		/* The begin of a line that is too long, once; its rest never.
		 */
		*len = lf ? (size_t)(lf - line) : left;
		*whole = lf && *len <= LINES_MOST && !skip;
		l->at += *len + (lf != NULL);
		l->skip = !lf && more;
		seen = 0;
		if (skip)
			continue;
		l->number++;
		if (*len > LINES_MOST)
			*len = LINES_MOST;
		line[*len] = '\n';
		return line;
	}
}

/* ---- members --------------------------------------------------------- */

/* In the order of log.h; LINE_MEMBERS: known, and not read. */
static const struct {
	char key[10];
	unsigned char len, member;
} keys[] = {
#define KEY(s, member)                                                         \
	{                                                                      \
		s, sizeof(s) - 1, LINE_##member                                \
	}
	KEY("ts", TS),         KEY("seq", SEQ),       KEY("pid", PID),
	KEY("line", LINE),     KEY("grant", MEMBERS), KEY("server", MEMBERS),
	KEY("id", MEMBERS),    KEY("method", METHOD), KEY("tool", TOOL),
	KEY("args", MEMBERS),  KEY("values", VALUES), KEY("verdict", VERDICT),
	KEY("rule", RULE),     KEY("reason", REASON), KEY("observed", OBSERVED),
	KEY("bytes", BYTES),   KEY("us", MEMBERS),    KEY("prev", PREV),
	KEY("call", MEMBERS),  KEY("answer", SAID),   KEY("who", WHO),
	KEY("how", HOW),       KEY("ms", MS),         KEY("error", ERROR),
	KEY("warning", WARNS), KEY("lost", LOST),     KEY("torn", TORN),
	KEY("status", STATUS),
};
enum { KEYS = sizeof(keys) / sizeof(*keys) };

static const char words[LINE_WORDS][9] = {
	[LINE_OTHER] = "",
	[LINE_START] = "start",
	[LINE_DECISION] = "decision",
	[LINE_ANSWER] = "answer",
	[LINE_APPROVAL] = "approval",
	[LINE_WITHHELD] = "withheld",
	[LINE_CHANGED] = "changed",
	[LINE_RELOAD] = "reload",
	[LINE_WARNING] = "warning",
	[LINE_GAP] = "gap",
	[LINE_END] = "end",
};

/* Which member is it?  The search begins behind the last that was found. */
static enum member find_key(struct text key, unsigned *last)
{
	for (int i = 0; i < KEYS; i++) {
		*last = *last + 1 < KEYS ? *last + 1 : 0;
		if (keys[*last].len == key.len &&
		    memcmp(keys[*last].key, key.ptr, key.len) == 0)
			return keys[*last].member;
	}
	return LINE_MEMBERS;
}

/* So many digits at *p, and then the byte; -1: not so. */
static int digits(const char **p, int count, char then)
{
	int n = 0;

	for (; count > 0; count--, ++*p) {
		if (**p < '0' || **p > '9')
			return -1;
		n = 10 * n + (**p - '0');
	}
	return *(*p)++ == then ? n : -1;
}

/* 2026-01-31T12:00:00.123456Z, in microseconds. */
static bool read_time(struct text text, int64_t *time)
{
	static const char form[] = "2026-01-31T12:00:00.123456Z";
	const char *p = text.ptr;
	int64_t days;
	int part[7];

	if (text.len != sizeof(form) - 1)
		return false;
	for (int i = 0; i < 7; i++) {
		part[i] = digits(&p, i == 0 ? 4 : i == 6 ? 6 : 2, "--T::.Z"[i]);
		if (part[i] < 0)
			return false;
	}
	if (part[0] < 1970 || part[1] < 1 || part[1] > 12)
		return false;
	/* Years begin in March: the day that is now and then comes last. */
	part[0] -= part[1] <= 2;
	part[1] = (part[1] + 9) % 12;
	days = part[0] * 365LL + part[0] / 4 - part[0] / 100 + part[0] / 400 +
	       (part[1] * 153 + 2) / 5 + part[2] - 719469;
	*time = (((days * 24 + part[3]) * 60 + part[4]) * 60 + part[5]) *
			1000000 +
		part[6];
	return true;
}

/* A number without exponent, times scale, cut to an integer. */
static bool read_number(struct span s, int64_t scale, int64_t *number)
{
	int64_t n = 0;
	bool point = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '.' && !point && i > 0) {
			point = true;
			continue;
		}
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		if (point && scale == 1)
			continue;
		if (n > INT64_MAX / 100000)
			return false;
		n = 10 * n + (s.ptr[i] - '0');
		scale /= point ? 10 : 1;
	}
	*number = n * scale;
	return true;
}

/* The value at p of member m. */
static const char *read_value(struct scan *r, const char *p, enum member m,
			      struct log_line *line)
{
	const char *start = p;
	struct text text;
	bool good = true;

	if (m <= LINE_TS && m != LINE_VALUES) {
		p = scan_string(r, p, &text);
		if (!p)
			return NULL;
		if (m < LINE_TEXTS)
			line->texts[m] = text;
		else
			good = read_time(text, &line->numbers[m]);
		return good ? p : NULL;
	}
	p = scan_value(r, p);
	if (!p)
		return NULL;
	if (m == LINE_VALUES)
		line->texts[m] = (struct text){start, (size_t)(p - start), 0};
	else if (m == LINE_ERROR || m == LINE_OBSERVED || m == LINE_TORN)
		line->numbers[m] = *start == 't';
	else
		good = read_number((struct span){start, (size_t)(p - start)},
				   m == LINE_MS ? 1000 : 1, &line->numbers[m]);
	return good ? p : NULL;
}

/* Reads the members of the object that is all of the line. */
static bool read_members(struct log_line *line)
{
	struct scan r;
	const char *p = scan_begin(&r, line->text, line->len);
	unsigned last = KEYS - 1;
	bool more = true;

	line->has = 0;
	memset(line->texts, 0, sizeof(line->texts));
	memset(line->numbers, 0, sizeof(line->numbers));
	p = *p == '{' ? scan_enter(&r, p) : NULL;
	for (bool first = true; p; first = false) {
		struct text key;
		enum member m;

		p = scan_member(&r, p, first, &key, &more);
		if (!p || !more)
			break;
		m = find_key(key, &last);
		if (m == LINE_MEMBERS) {
			p = scan_value(&r, p);
			continue;
		}
		if (line->has >> m & 1)
			return false;
		line->has |= 1U << m;
		p = read_value(&r, p, m, line);
	}
	return p && scan_end(&r, p) && !r.fault.reason;
}

bool line_read(const char *text, size_t len, struct log_line *line)
{
	static const char begin[] = "{\"ts\":\"";
	const unsigned all = 1U << LINE_TS | 1U << LINE_SEQ | 1U << LINE_PID |
			     1U << LINE_LINE;
	const char *next = text;

	line->text = text;
	line->len = len;
	if (!read_members(line)) {
		/* A part of another may stand before it. */
		while ((next = memmem(next + 1, len - (size_t)(next + 1 - text),
				      begin, sizeof(begin) - 1)))
			line->text = next;
		line->len = len - (size_t)(line->text - text);
		if (line->text == text || !read_members(line))
			return false;
	}
	for (line->word = LINE_WORDS - 1; line->word > LINE_OTHER; line->word--)
		if (text_is(line->texts[LINE_LINE], words[line->word],
			    strlen(words[line->word])))
			break;
	return (line->has & all) == all;
}
