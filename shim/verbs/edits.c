/* Changes to a text.  The contract is in edits.h. */
#include "edits.h"

#include "../report.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 3 /* lines */

/* ---- making ---------------------------------------------------------- */

bool edits_begin(struct edits *e, size_t most, size_t bytes)
{
	/* No empty array. */
	*e = (struct edits){.list = calloc(most + 1, sizeof(*e->list)),
			    .texts = malloc(bytes + 1),
			    .size = bytes + 1};
	return e->list && e->texts;
}

/* The text of an edit begins where that of the one before ends. */
struct strbuf *edits_add(struct edits *e, const char *from, const char *to)
{
	struct edit *edit = &e->list[e->count++];
	char *text = e->texts;

	if (e->count > 1)
		text = edit[-1].put.ptr + edit[-1].put.len;
	*edit = (struct edit){.at = from, .cut = (size_t)(to - from)};
	edit->put.ptr = text;
	edit->put.cap = e->size - (size_t)(text - e->texts);
	return &edit->put;
}

static int compare(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

bool edits_end(struct edits *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->list[i].put.full)
			return false;
	qsort(e->list, e->count, sizeof(*e->list), compare);
	return true;
}

void edits_free(struct edits *e)
{
	free(e->texts);
	free(e->list);
	*e = (struct edits){.list = NULL};
}

char *edits_apply(const struct edits *e, const char *text, size_t len,
		  size_t *got)
{
	const char *from = text;
	char *to, *p;

	*got = len;
	for (size_t i = 0; i < e->count; i++)
		*got += e->list[i].put.len - e->list[i].cut;
	to = p = malloc(*got + 1);
	for (size_t i = 0; to && i <= e->count; i++) {
		const struct edit *edit = &e->list[i];
		const char *end = i < e->count ? edit->at : text + len;

		memcpy(p, from, (size_t)(end - from));
		p += end - from;
		if (i == e->count)
			break;
		if (edit->put.len > 0)
			memcpy(p, edit->put.ptr, edit->put.len);
		p += edit->put.len;
		from = edit->at + edit->cut;
	}
	if (to)
		*p = '\0';
	return to;
}

/* ---- showing --------------------------------------------------------- */

const char *edits_line(const char *text, const char *p)
{
	while (p > text && p[-1] != '\n')
		p--;
	return p;
}

/* The end of the line that p is in, its LF included. */
static const char *line_end(const char *p)
{
	p += strcspn(p, "\n");
	return p + (*p == '\n');
}

static size_t lines_in(const char *p, const char *end)
{
	size_t n = 0;

	for (; p < end; p = line_end(p))
		n++;
	return n;
}

static void print_lines(char mark, const char *p, const char *end)
{
	while (p < end) {
		const char *next = line_end(p);
		size_t len = (size_t)(next - p);

		while (len > 0 && strchr("\r\n", p[len - 1]))
			len--;
		putchar(mark);
		for (size_t i = 0; i < len;) {
			size_t n = strcspn(p + i, "\t");

			n = n < len - i ? n : len - i;
			show_text(stdout, STYLE_TEXT, p + i, n);
			i += n;
			if (i < len) {
				putchar('\t');
				i++;
			}
		}
		putchar('\n');
		if (next[-1] != '\n')
			printf("\\ No newline at end of file\n");
		p = next;
	}
}

/* Lines that change, and what they become. */
struct change {
	const char *from, *to;
	char *put;
	size_t len;
};

/* The edits from e->list[*at] on that share lines. */
static bool next_change(const struct edits *e, size_t *at, const char *text,
			struct change *change)
{
	struct edits part = {.list = e->list + *at};
	const char *end = text;

	change->from = edits_line(text, e->list[*at].at);
	while (*at < e->count &&
	       (part.count == 0 || e->list[*at].at < line_end(end))) {
		const struct edit *edit = &e->list[(*at)++];

		end = edit->at + edit->cut;
		part.count++;
	}
	change->to = line_end(end);
	change->put =
		edits_apply(&part, change->from,
			    (size_t)(change->to - change->from), &change->len);
	/* A last line that stays belongs to what follows. */
	while (change->put && change->len > 0) {
		const char *put = change->put;
		const char *last = edits_line(put, put + change->len - 1);
		size_t len = (size_t)(put + change->len - last);

		if (len > (size_t)(change->to - change->from) ||
		    memcmp(last, change->to - len, len) != 0 ||
		    (change->to - len > change->from &&
		     change->to[-1 - (ptrdiff_t)len] != '\n'))
			break;
		change->len -= len;
		change->to -= len;
	}
	return change->put != NULL;
}

/* Prints the changes, with lines of context around each; those that are near
 * share a hunk. */
static void print_changes(const struct change *changes, size_t count,
			  const char *text)
{
	const char *text_end = text + strlen(text);
	ptrdiff_t shift = 0; /* of lines, by the hunks before */

	for (size_t i = 0, next; i < count; i = next) {
		const char *from = changes[i].from, *to = changes[i].to;
		ptrdiff_t more = 0;
		size_t first;

		for (int n = 0; n < CONTEXT && from > text; n++)
			from = edits_line(text, from - 1);
		for (next = i; next < count; next++) {
			const struct change *c = &changes[next];

			if (next > i &&
			    lines_in(to, c->from) > 2 * (size_t)CONTEXT)
				break;
			more += (ptrdiff_t)lines_in(c->put, c->put + c->len) -
				(ptrdiff_t)lines_in(c->from, c->to);
			to = c->to;
		}
		for (int n = 0; n < CONTEXT && to < text_end; n++)
			to = line_end(to);
		first = lines_in(text, from) + 1;
		printf("@@ -%zu,%zu +%td,%td @@\n", first, lines_in(from, to),
		       (ptrdiff_t)first + shift,
		       (ptrdiff_t)lines_in(from, to) + more);
		shift += more;
		for (size_t n = i; n < next; n++) {
			print_lines(' ', from, changes[n].from);
			print_lines('-', changes[n].from, changes[n].to);
			print_lines('+', changes[n].put,
				    changes[n].put + changes[n].len);
			from = changes[n].to;
		}
		print_lines(' ', from, to);
	}
}

bool edits_print(const char *file, const char *text, const struct edits *e)
{
	struct change *changes = calloc(e->count + 1, sizeof(*changes));
	size_t count = 0, at = 0;
	bool done = changes != NULL;

	while (done && at < e->count)
		done = next_change(e, &at, text, &changes[count++]);
	if (done) {
		printf("--- %s\n+++ %s\n", show(file).text, show(file).text);
		print_changes(changes, count, text);
	} else {
		report_all("out of memory");
	}
	for (size_t i = 0; changes && i < count; i++)
		free(changes[i].put);
	free(changes);
	return done;
}
