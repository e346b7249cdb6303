/* edits - changes to a text: made, or shown to people as a unified diff. */
#ifndef SHIM_EDITS_H
#define SHIM_EDITS_H

#include "../../parser/strbuf.h"

/* A piece of the text that is replaced. */
struct edit {
	const char *at;
	size_t cut;
	struct strbuf put; /* what comes there, among the texts below */
};

struct edits {
	struct edit *list; /* in order, not overlapping; owned */
	size_t count;
	char *texts; /* owned */
	size_t size;
};

/* Room for so many edits, and the bytes of all their texts.  False: out of
 * memory; free it all the same. */
bool edits_begin(struct edits *e, size_t most, size_t bytes);

/* Replaces what is between from and to by what is written to the result, until
 * the next edit is added. */
struct strbuf *edits_add(struct edits *e, const char *from, const char *to);

/* Puts the edits in order.  False: their texts had no room. */
bool edits_end(struct edits *e);
void edits_free(struct edits *e);

/* The text with the edits, and a NUL; the caller frees it.  NULL: out of
 * memory. */
char *edits_apply(const struct edits *e, const char *text, size_t len,
		  size_t *got);

/* Prints what the edits do to the text, which a NUL follows.  What a terminal
 * would obey is escaped, and CR at a line's end is left out.  False: out of
 * memory, reported. */
bool edits_print(const char *file, const char *text, const struct edits *e);

/* The begin of the line that p is in. */
const char *edits_line(const char *text, const char *p);

#endif
