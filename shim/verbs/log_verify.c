/* weir log --verify.  The contract is in log_verify.h. */
#include "log_verify.h"

#include "../../parser/sha256.h"
#include "../report.h"
#include "log.h"
#include "log_lines.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096              /* of chains, by pid */
#define CHAINS  64                /* in a bucket; the oldest is forgotten */
#define STARTS  ((size_t)1 << 16) /* start lines that are known again */
#define FAULTS  64                /* that are told one by one */

enum what {
	JUNK,     /* no line of weir's */
	PART,     /* a part of a line stands before it */
	TWICE,    /* a start line that was there before */
	CHANGED,  /* what follows it says another hash */
	EITHER,   /* the same; or its follower's prev was changed */
	MISSING,  /* lines of its process are missing before it */
	HEADLESS, /* all of them are */
	ADDED,    /* it fits nothing before it */
	MOVED,    /* it stands before the line that it follows */
};

struct place {
	char *const *file;
	size_t line;
};

struct found {
	enum what what;
	struct place at;
	struct place other;    /* the follower; or the line that it follows */
	int64_t pid, from, to; /* seq of what is missing */
	char prev[SHA256_HEX]; /* that nothing before it has; "": none */
};

/* Lines that follow one another. */
struct chain {
	struct chain *next; /* in its bucket, the newest first */
	int64_t pid, seq;
	bool started; /* it begins with a start line */
	struct place last;
	/* Of this fault the next line tells more: it is about the last line; or
	 * about one that does not fit behind it. */
	struct found *own, *doubt;
	char hash[SHA256_HEX]; /* of the last line */
};

struct verify {
	struct place at; /* what is read */
	uint64_t lines, started, ended;
	const char *head;          /* still to be found, or NULL */
	char last[SHA256_HEX + 1]; /* hash of the last line of all; or "" */
	size_t count, kept;        /* of the faults; those in found */
	struct found found[FAULTS + 1]; /* the last is none */
	struct chain *buckets[BUCKETS];
	char starts[STARTS][8]; /* hashes, begun */
};

/* ---- chains ---------------------------------------------------------- */

static struct found *add_fault(struct verify *v, enum what what,
			       struct place at)
{
	struct found *f = &v->found[v->kept];

	v->count++;
	v->kept += v->kept < FAULTS;
	*f = (struct found){.what = what, .at = at, .other = at};
	return f;
}

/* Where the chain of this pid is whose last line has this hash; else NULL, and
 * *near is the one whose last line stands next before seq, or any. */
static struct chain **find_chain(struct verify *v, int64_t pid, int64_t seq,
				 const char *hash, struct chain **near)
{
	struct chain **at = &v->buckets[(uint64_t)pid % BUCKETS];

	*near = NULL;
	for (; *at; at = &(*at)->next) {
		struct chain *c = *at;

		if (c->pid != pid)
			continue;
		if (hash && memcmp(c->hash, hash, SHA256_HEX) == 0)
			return at;
		if (!*near || (c->seq < seq &&
			       ((*near)->seq >= seq || c->seq > (*near)->seq)))
			*near = c;
	}
	return NULL;
}

static struct chain *add_chain(struct verify *v, int64_t pid)
{
	struct chain **at = &v->buckets[(uint64_t)pid % BUCKETS];
	struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->pid = pid;
	c->next = *at;
	*at = c;
	for (int i = 0; i < CHAINS && *at; i++)
		at = &(*at)->next;
	free(*at);
	*at = NULL;
	return c;
}

/* The line fits no chain.  Returns the one that it begins, or goes on. */
static struct chain *add_misfit(struct verify *v, const struct log_line *line,
				const char *prev, struct chain *near)
{
	const int64_t seq = line->numbers[LINE_SEQ];
	const bool next = near && near->seq + 1 == seq;
	struct chain *c;
	struct found *f;

	if (next && near->own) {
		/* So that is what was changed. */
		if (near->own->what == EITHER) {
			near->own->what = CHANGED;
			near->own->at = near->last;
		}
		near->own = NULL;
		return near;
	}
	if (!prev)
		f = add_fault(v, CHANGED, v->at);
	else if (!near)
		f = add_fault(v, HEADLESS, v->at);
	else if (next)
		f = add_fault(v, EITHER, near->last);
	else
		f = add_fault(v, near->seq < seq ? MISSING : ADDED, v->at);
	f->other = v->at;
	f->pid = line->numbers[LINE_PID];
	f->from = near ? near->seq + 1 : 0;
	f->to = seq - 1;
	if (prev)
		memcpy(f->prev, prev, SHA256_HEX);
	if (near && near->seq < seq)
		near->doubt = f;
	c = add_chain(v, f->pid);
	if (c)
		c->own = f;
	return c;
}

/* The line follows the last of the chain. */
static void add_fitting(struct verify *v, struct chain *c, int64_t seq)
{
	if (c->doubt) { /* what came between was not of the chain */
		c->doubt->what = ADDED;
		c->doubt->at = c->doubt->other;
	}
	if (c->own && c->own->what == EITHER)
		c->own->what = CHANGED; /* its follower was not */
	c->own = c->doubt = NULL;
	if (seq != c->seq + 1)
		c->own = add_fault(v, CHANGED, v->at);
}

/* False: out of memory. */
static bool add_line(struct verify *v, const struct log_line *line)
{
	const int64_t pid = line->numbers[LINE_PID];
	const int64_t seq = line->numbers[LINE_SEQ];
	const struct text prev = line->texts[LINE_PREV];
	const char *wanted = prev.len == SHA256_HEX ? prev.ptr : NULL;
	unsigned char digest[SHA256_BYTES];
	struct chain **at, *c, *near;
	bool starts = line->word == LINE_START && seq == 0 && !prev.ptr;
	struct sha256 h;

	sha256_begin(&h);
	sha256_add(&h, line->text, line->len);
	sha256_end(&h, digest);
	sha256_hex(digest, v->last);
	if (v->head && memcmp(v->head, v->last, SHA256_HEX) == 0)
		v->head = NULL;
	at = starts ? NULL : find_chain(v, pid, seq, wanted, &near);
	if (starts) {
		char *known =
			v->starts[(digest[0] * 256u + digest[1]) % STARTS];

		if (memcmp(known, digest + 2, 8) == 0)
			add_fault(v, TWICE, v->at);
		memcpy(known, digest + 2, 8);
		v->started++;
		c = add_chain(v, pid);
		if (c)
			c->started = true;
	} else if (at) {
		c = *at;
		add_fitting(v, c, seq);
	} else {
		c = add_misfit(v, line, wanted, near);
	}
	if (!c)
		return false;
	for (size_t i = 0; i < v->kept; i++) {
		struct found *f = &v->found[i];

		if (f->prev[0] && memcmp(f->prev, v->last, SHA256_HEX) == 0) {
			f->what = MOVED;
			f->at = f->other;
			f->other = v->at;
			f->prev[0] = '\0';
		}
	}
	if (at && line->word == LINE_END) {
		v->ended += c->started;
		*at = c->next;
		free(c);
		return true;
	}
	c->seq = at ? c->seq + 1 : seq;
	c->last = v->at;
	memcpy(c->hash, v->last, SHA256_HEX);
	return true;
}

/* ---- files ----------------------------------------------------------- */

static bool is_blank(const char *s, size_t len)
{
	while (len > 0 && s[len - 1] == ' ')
		len--;
	return len == 0;
}

static bool add_file(struct verify *v, struct lines *l)
{
	struct log_line line;
	const char *text;
	size_t len;
	bool whole, enough = true;

	if (!lines_open(l, *v->at.file))
		return false;
	while (enough && (text = lines_next(l, true, &len, &whole))) {
		v->at.line = l->number;
		if (whole && is_blank(text, len))
			continue;
		v->lines++;
		if (!whole || !line_read(text, len, &line)) {
			add_fault(v, JUNK, v->at);
			continue;
		}
		if (line.text != text && !line.numbers[LINE_TORN])
			add_fault(v, PART, v->at);
		enough = add_line(v, &line);
	}
	if (!enough)
		report_all("log: out of memory");
	lines_close(l);
	return enough && !l->failed;
}

/* ---- what is told ---------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->at.file != y->at.file)
		return x->at.file < y->at.file ? -1 : 1;
	return (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

static void tell_fault(const struct found *f)
{
	static const char *const words[] = {
		[JUNK] = "is no whole line of weir's: changed, cut or added",
		[PART] =
			"has a part of another before it: cut, added, or its process was killed",
		[TWICE] = "is a start line that was there before: added",
		[CHANGED] = "was changed",
		[EITHER] = "was changed, or prev of ",
		[MISSING] = "seq ",
		[HEADLESS] = "process ",
		[ADDED] = "follows no line before it: added or moved",
		[MOVED] = "stands before the line that it follows: moved",
	};
	const struct shown other = show(*f->other.file);

	printf("%s:%zu: ", show(*f->at.file).text, f->at.line);
	if (f->what == MOVED && f->at.file != f->other.file)
		printf("follows %s:%zu: the files are in the wrong order",
		       other.text, f->other.line);
	else
		printf("%s", words[f->what]);
	if (f->what == EITHER)
		printf("%s:%zu was", other.text, f->other.line);
	else if (f->what == MISSING)
		printf("%lld to %lld of process %lld are missing before it: cut out or moved",
		       (long long)f->from, (long long)f->to, (long long)f->pid);
	else if (f->what == HEADLESS)
		printf("%lld begins with seq %lld: what was before is cut off, or not given",
		       (long long)f->pid, (long long)f->to + 1);
	putchar('\n');
}

static int tell(struct verify *v, const char *head)
{
	const unsigned long long living = v->started - v->ended;

	qsort(v->found, v->kept, sizeof(*v->found), by_place);
	for (size_t i = 0; i < v->kept; i++)
		tell_fault(&v->found[i]);
	if (v->count > v->kept)
		printf("and %zu more\n", v->count - v->kept);
	if (v->head)
		printf("No line has the SHA-256 of --head: it was cut off or changed, or all was\ncomputed again.\n");
	printf("%s%llu line%s of %llu process%s",
	       v->count ? "" : "In order: ", (unsigned long long)v->lines,
	       v->lines == 1 ? "" : "s", (unsigned long long)v->started,
	       v->started == 1 ? "" : "es");
	if (living == 1)
		printf("; 1 without an end line: it runs,\nwas killed, or its end was cut off");
	else if (living > 0)
		printf("; %llu without an end line: they run,\nwere killed, or their end was cut off",
		       living);
	printf(".\n");
	if (*v->last)
		printf("The last line has the SHA-256\n%s\n", v->last);
	printf("This cannot show: lines that were computed again, a whole process removed, an\n"
	       "end cut off, a last line of a process changed. For that, keep the SHA-256 of a\n"
	       "late line elsewhere, and name it with --head%s.\n",
	       head && !v->head ? ", as now: up to that line all is there"
				: "");
	return v->count > 0 || v->head ? LOG_NO : LOG_DONE;
}

int log_verify(const struct options *o, char *const *files)
{
	struct verify *v = calloc(1, sizeof(*v));
	struct lines l = {.fd = -1};
	int status = LOG_ERROR;

	if (!v ||
	    (o->head && (strlen(o->head) != SHA256_HEX ||
			 strspn(o->head, "0123456789abcdef") != SHA256_HEX))) {
		report_all(
			v ? "log: --head %s: expected 64 digits of 0 to 9 and a to f"
			  : "log: %s out of memory",
			o->head ? show(o->head).text : "");
		free(v);
		return LOG_ERROR;
	}
	v->head = o->head;
	v->at.file = files;
	while (*v->at.file && add_file(v, &l))
		v->at.file++;
	if (!*v->at.file)
		status = tell(v, o->head);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct chain *c = v->buckets[i], *next; c; c = next) {
			next = c->next;
			free(c);
		}
	lines_free(&l);
	free(v);
	return status;
}
