/* wrapped - what wrapping and unwrapping must keep, for any text. */
#ifndef TESTS_WRAPPED_H
#define TESTS_WRAPPED_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../shim/verbs/clients.h"
#include "../../shim/verbs/servers.h"

#define WRAPPED_WEIR "/opt/w\xC3\xA9ir/weir"

/* Changes every server that can be: wraps those that are not behind weir; or
 * unwraps those that weir is the command of by that path.  Returns the new
 * text; NULL: the text cannot be read.  *count is how many were changed. */
static inline char *wrapped_change(const char *text, size_t len, bool wrap,
				   size_t *got, size_t *count)
{
	static const char *const policies[] = {"/srv/p \xE2\x82\xAC.json",
					       "/q.json", NULL};
	struct servers s;
	struct edits e = {.list = NULL};
	char *to = NULL;

	*count = 0;
	if (servers_read(&s, text, len, KEY_ALL, WRAPPED_WEIR)) {
		for (size_t i = 0; i < s.count; i++) {
			struct server *v = &s.list[i];

			if (v->kind != SERVER_COMMAND ||
			    (wrap ? v->behind > 0
				  : !v->behind || strcmp(v->words[0],
							 WRAPPED_WEIR) != 0))
				continue;
			v->change = wrap ? SERVER_WRAP : SERVER_UNWRAP;
			v->put = policies;
			++*count;
		}
		if (servers_edit(&s, WRAPPED_WEIR, &e))
			to = edits_apply(&e, text, len, got);
		edits_free(&e);
	}
	servers_free(&s);
	return to;
}

/* Is the text either not read, or the same after wrapping and unwrapping, and
 * is each server behind weir in between?  A text that has this weir already is
 * passed over. */
static inline bool wrapped_holds(const char *text, size_t len)
{
	size_t wrapped_len, back_len, again_len, count, undone, more;
	char *wrapped = wrapped_change(text, len, true, &wrapped_len, &count);
	char *back = NULL, *again = NULL;
	bool holds = true;

	if (wrapped && !strstr(text, "ir/weir")) {
		back = wrapped_change(wrapped, wrapped_len, false, &back_len,
				      &undone);
		again = wrapped_change(wrapped, wrapped_len, true, &again_len,
				       &more);
		holds = back && again && undone == count && more == 0 &&
			back_len == len && memcmp(back, text, len) == 0;
	}
	free(wrapped);
	free(back);
	free(again);
	return holds;
}

#endif
