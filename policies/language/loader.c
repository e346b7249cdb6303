/* A policy file being read.  The contract is in loader.h. */
#include "loader.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a file, escaped, with a rule; and of a line, which may name two of them.
 */
#define PLACE_BYTES ((size_t)6 * PATH_MAX + LOADER_POINTER_BYTES)
#define LINE_BYTES  (2 * PLACE_BYTES + 1024)

/* ---- faults ---------------------------------------------------------- */

/* The line of the value that is being read, from 1, and its column. */
static size_t place(struct loader *l, size_t *column)
{
	const char *lf;

	if (l->counted > l->at) {
		l->counted = l->line = l->text.begin;
		l->lines = 1;
	}
	while ((lf = memchr(l->counted, '\n', (size_t)(l->at - l->counted)))) {
		l->counted = l->line = lf + 1;
		l->lines++;
	}
	l->counted = l->at;
	*column = (size_t)(l->at - l->line) + 1;
	return l->lines;
}

/* "FILE:LINE:COLUMN: RULE: words"; column 0, or an empty rule: without it. */
static void put_line(policy_report *report, void *context,
		     const struct location *at, size_t column,
		     const char *format, va_list args)
{
	char line[LINE_BYTES];
	struct strbuf o = {.ptr = line, .cap = sizeof(line) - 1};

	strbuf_string(&o, at->file);
	strbuf_string(&o, ":");
	strbuf_number(&o, (int64_t)at->line);
	if (column > 0) {
		strbuf_string(&o, ":");
		strbuf_number(&o, (int64_t)column);
	}
	strbuf_string(&o, ": ");
	if (*at->rule) {
		strbuf_string(&o, at->rule);
		strbuf_string(&o, ": ");
	}
	vsnprintf(line + o.len, sizeof(line) - o.len, format, args);
	report(context, line);
}

void loader_fault(struct loader *l, const char *format, ...)
{
	struct location at = {.file = l->file, .rule = l->pointer_bytes};
	size_t column;
	va_list args;

	at.line = place(l, &column);
	l->pointer_bytes[l->pointer.len] = '\0';
	va_start(args, format);
	put_line(l->report, l->context, &at, column, format, args);
	va_end(args);
	l->faults++;
}

void loader_report_at(policy_report *report, void *context,
		      const struct location *at, const char *format,
		      va_list args)
{
	struct location shown = *at;

	/* "(default deny)" and the like are no rules of the file. */
	if (*shown.rule != '/')
		shown.rule = "";
	put_line(report, context, &shown, 0, format, args);
}

void loader_fault_at(struct loader *l, const struct location *at,
		     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	loader_report_at(l->report, l->context, at, format, args);
	va_end(args);
	l->faults++;
}

static size_t enter(struct loader *l, const char *key, size_t len)
{
	size_t mark = l->pointer.len, run;

	strbuf_bytes(&l->pointer, "/", 1);
	while (len > 0) {
		for (run = 0; run < len && key[run] != '~' && key[run] != '/';)
			run++;
		strbuf_escaped(&l->pointer, key, run);
		if (run < len)
			strbuf_string(&l->pointer,
				      key[run] == '~' ? "~0" : "~1");
		run += run < len;
		key += run;
		len -= run;
	}
	return mark;
}

static size_t enter_index(struct loader *l, size_t index)
{
	size_t mark = l->pointer.len;

	strbuf_bytes(&l->pointer, "/", 1);
	strbuf_number(&l->pointer, (int64_t)index);
	return mark;
}

static void leave(struct loader *l, size_t mark)
{
	l->pointer.len = mark;
	l->pointer.full = false;
}

struct shown loader_show(const char *s, size_t len)
{
	struct shown shown;
	struct strbuf o = {.ptr = shown.text, .cap = sizeof(shown.text) - 4};
	size_t most = len;

	if (len > 64)
		for (most = 64; (s[most] & 0xC0) == 0x80;)
			most--;
	strbuf_escaped(&o, s, most);
	o.cap += 3;
	strbuf_string(&o, most < len ? "..." : "");
	shown.text[o.len] = '\0';
	return shown;
}

const char *loader_type(const json_value *v)
{
	switch (v->type) {
	case json_object:
		return "an object";
	case json_array:
		return "an array";
	case json_integer:
	case json_double:
		return "a number";
	case json_string:
		return "a string";
	case json_boolean:
		return "true or false";
	default:
		return "null";
	}
}

bool loader_want(struct loader *l, const json_value *v, json_type type,
		 const char *what)
{
	if (v->type == type)
		return true;
	loader_fault(l, "%s was expected, not %s", what, loader_type(v));
	return false;
}

bool loader_want_array(struct loader *l, const json_value *v, json_type of,
		       const char *what)
{
	if (v->type == json_array)
		return true;
	loader_fault(l, "%s was expected, not %s%s", what, loader_type(v),
		     v->type == of ? ": put it in [ ]" : "");
	return false;
}

bool loader_is(const json_value *v, const char *s)
{
	return v->type == json_string && v->u.string.length == strlen(s) &&
	       memcmp(v->u.string.ptr, s, strlen(s)) == 0;
}

/* ---- words ----------------------------------------------------------- */

static void report_unknown(struct loader *l, const char *what, const char *s,
			   size_t len, const char *words, const char *meant)
{
	struct shown shown = loader_show(s, len);
	char list[256];
	struct strbuf o = {.ptr = list, .cap = sizeof(list) - 1};

	for (; *words; words = policy_word(words, 1)) {
		strbuf_string(&o, o.len == 0 ? "" : ", ");
		strbuf_string(&o, words);
	}
	if (strcmp(what, "window") == 0)
		strbuf_string(&o, ", or a number of seconds");
	list[o.len] = '\0';
	if (meant)
		loader_fault(l,
			     "unknown %s \"%s\": did you mean \"%s\"? "
			     "(allowed: %s)",
			     what, shown.text, meant, list);
	else
		loader_fault(l, "unknown %s \"%s\" (allowed: %s)", what,
			     shown.text, list);
}

int loader_choose(struct loader *l, const json_value *v, const char *wanted,
		  const char *action, const char *words)
{
	const char *word = words;

	if (!loader_want(l, v, json_string, wanted))
		return -1;
	for (int i = 0; *word; i++, word = policy_word(word, 1))
		if (loader_is(v, word))
			return i;
	report_unknown(
		l, action, v->u.string.ptr, v->u.string.length, words,
		spelling_meant(v->u.string.ptr, v->u.string.length, words));
	return -1;
}

/* ---- objects --------------------------------------------------------- */

const struct loader_key *loader_find(const struct loader_key *keys,
				     const json_object_entry *e)
{
	for (; *keys->name; keys++)
		if (strlen(keys->name) == e->name_length &&
		    memcmp(keys->name, e->name, e->name_length) == 0)
			return keys;
	return NULL;
}

static void unknown_key(struct loader *l, const struct loader_key *keys,
			const json_object_entry *e)
{
	char words[LOADER_KEYS_MAX * sizeof(keys->name) + 1] = "";
	struct strbuf o = {.ptr = words, .cap = sizeof(words) - 1};
	const char *meant;

	for (; *keys->name; keys++)
		strbuf_bytes(&o, keys->name, strlen(keys->name) + 1);
	meant = spelling_meant(e->name, e->name_length, words);
	/* One limit, and no list of them. */
	if (meant && strcmp(meant, "limits") == 0 &&
	    e->value->type != json_array)
		meant = "rate_limit";
	report_unknown(l, "key", e->name, e->name_length, words, meant);
}

/* An object read by a table. */
struct reading {
	const struct loader_key *keys;
	void *into;
	unsigned seen;
};

static void read_member(struct loader *l, const json_object_entry *e,
			void *into)
{
	struct reading *r = into;
	const struct loader_key *k = loader_find(r->keys, e);

	if (!k) {
		unknown_key(l, r->keys, e);
		return;
	}
	if (r->seen >> (k - r->keys) & 1)
		loader_fault(l, "this key is there twice");
	else
		k->read(l, e->value, r->into);
	r->seen |= 1u << (k - r->keys);
}

unsigned loader_object(struct loader *l, const json_value *v,
		       const struct loader_key *keys, void *into)
{
	struct reading r = {.keys = keys, .into = into};

	loader_members(l, v, read_member, &r);
	return r.seen;
}

/* Past the value at p, which is known if it was just read. */
static const char *step_over(struct loader *l, const char *p)
{
	return l->over == p ? l->after : scan_value(&l->text, p);
}

void loader_members(struct loader *l, const json_value *v, loader_named *read,
		    void *into)
{
	const char *start = l->at, *p = start;
	struct scan *r = &l->text;
	struct text key;
	bool more;

	p = scan_enter(r, p);
	for (unsigned i = 0; i < v->u.object.length; i++) {
		const json_object_entry *e = &v->u.object.values[i];
		size_t mark = enter(l, e->name, e->name_length);

		p = l->at = scan_member(r, p, i == 0, &key, &more);
		read(l, e, into);
		p = step_over(l, p);
		leave(l, mark);
	}
	l->over = start;
	l->after = scan_member(r, p, v->u.object.length == 0, &key, &more);
	l->at = start;
}

void loader_elements(struct loader *l, const json_value *v, loader_each *read,
		     void *into)
{
	const char *start = l->at, *p = start;
	struct scan *r = &l->text;
	bool more;

	p = scan_enter(r, p);
	for (unsigned i = 0; i < v->u.array.length; i++) {
		size_t mark = enter_index(l, i);

		p = l->at = scan_element(r, p, i == 0, &more);
		read(l, v->u.array.values[i], i, into);
		p = step_over(l, p);
		leave(l, mark);
	}
	l->over = start;
	l->after = scan_element(r, p, v->u.array.length == 0, &more);
	l->at = start;
}

struct span loader_span(struct loader *l)
{
	const char *end = scan_value(&l->text, l->at);

	return (struct span){.ptr = l->at, .len = (size_t)(end - l->at)};
}

/* ---- what outlives the file ------------------------------------------ */

void *loader_take(struct loader *l, size_t len)
{
	void *taken = arena_take(&l->policy->arena, len);

	if (!taken)
		loader_fault(l, "out of memory");
	return taken;
}

bool loader_own(struct loader *l, void *block)
{
	struct owned *o = loader_take(l, sizeof(*o));

	if (!o) {
		free(block);
		return false;
	}
	o->block = block;
	o->next = l->policy->owned;
	l->policy->owned = o;
	return true;
}

char *loader_keep(struct loader *l, const char *s, size_t len)
{
	char *copy = loader_take(l, len + 1);

	return copy ? memcpy(copy, s, len) : (char *)"";
}

const char *loader_keep_span(struct loader *l, const char *s, size_t len)
{
	char *copy = loader_take(l, len + 1);

	return copy ? memcpy(copy, s, len) : s;
}

const char *loader_keep_escaped(struct loader *l, const char *s, size_t len)
{
	size_t cap = 6 * len;
	struct strbuf o = {.ptr = malloc(cap + 1), .cap = cap};
	const char *kept = "";

	if (o.ptr) {
		strbuf_escaped(&o, s, len);
		kept = loader_keep(l, o.ptr, o.len);
	} else {
		loader_fault(l, "out of memory");
	}
	free(o.ptr);
	return kept;
}

void loader_put(struct strbuf *out, const char *format, ...)
{
	const size_t room = out->cap - out->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(out->ptr + out->len, room, format, args);
	va_end(args);
	if (len >= 0 && (size_t)len < room)
		out->len += (size_t)len;
	else
		out->full |= len != 0;
}

/* The pointer is made of escaped pieces, so it is escaped. */
struct location loader_location(struct loader *l)
{
	struct location o = {.file = l->file};
	size_t column;

	o.rule = loader_keep(l, l->pointer.ptr, l->pointer.len);
	o.line = place(l, &column);
	return o;
}

struct location loader_location_at(struct loader *l, size_t index)
{
	struct strbuf own = l->pointer;
	char bytes[LOADER_POINTER_BYTES];
	struct location o;

	memcpy(bytes, own.ptr, own.len);
	while (l->pointer.ptr[l->pointer.len - 1] != '/')
		l->pointer.len--;
	strbuf_number(&l->pointer, (int64_t)index);
	o = loader_location(l);
	memcpy(own.ptr, bytes, own.len);
	l->pointer = own;
	return o;
}

bool loader_in_range(struct loader *l, const json_value *v, int64_t low,
		     int64_t high)
{
	struct span found = loader_span(l);

	if (v->type == json_integer && v->u.integer >= low &&
	    v->u.integer <= high)
		return true;
	loader_fault(l,
		     "a whole number from %" PRId64 " to %" PRId64
		     " was expected, in digits alone, not %s",
		     low, high,
		     v->type == json_integer || v->type == json_double
			     ? loader_show(found.ptr, found.len).text
			     : loader_type(v));
	return false;
}

void loader_read_reason(struct loader *l, const json_value *v, void *into)
{
	const char **reason = into;

	if (!loader_want(l, v, json_string, "a string that the agent is told"))
		return;
	if (v->u.string.length > POLICY_REASON_BYTES)
		loader_fault(l, "longer than %zu bytes", POLICY_REASON_BYTES);
	else
		*reason = loader_keep_escaped(l, v->u.string.ptr,
					      v->u.string.length);
}

void loader_read_description(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	loader_want(l, v, json_string, "a string");
}
