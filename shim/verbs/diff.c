/* A diff of edits.  The contract is in diff.h. */
#include "diff.h"

#include "../report.h"
#include "asked.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 3 /* lines */

const char *diff_line(const char *text, const char *p)
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
			asked_show(p + i, n);
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

	change->from = diff_line(text, e->list[*at].at);
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
		const char *last = diff_line(put, put + change->len - 1);
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
			from = diff_line(text, from - 1);
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

bool diff_print(const char *file, const char *text, const struct edits *e)
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
