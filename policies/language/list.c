/*
 * What a server has, read from a file: a reply to tools/list, to prompts/list
 * ..., its result, the array alone, several of these, line by line among other
 * messages or in an array, or names alone.
 */
#include "list.h"

#include "../../parser/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file being read. */
struct reading {
	struct policy_list *list;
	const char *text, *end;
	const char *counted; /* lines are counted up to here */
	size_t lines;
};

/* The lists of a result, and the key that identifies an element. */
static const struct {
	char key[18], name[12];
} lists[REPLY_LISTS] = {
	[REPLY_TOOLS] = {"tools", "name"},
	[REPLY_PROMPTS] = {"prompts", "name"},
	[REPLY_RESOURCES] = {"resources", "uri"},
	[REPLY_TEMPLATES] = {"resourceTemplates", "uriTemplate"},
};

static size_t line_of(struct reading *r, const char *p)
{
	for (; r->counted < p; r->counted++)
		r->lines += *r->counted == '\n';
	return r->lines;
}

static void note_bad(struct reading *r, const char *p, const char *why)
{
	const char *start = p;
	struct policy_list *list = r->list;

	while (start > r->text && start[-1] != '\n')
		start--;
	if (list->bad_count < LIST_BAD_MAX)
		list->bad[list->bad_count] = (struct bad_line){
			line_of(r, start), (size_t)(p - start) + 1, why};
	list->bad_count++;
}

static void add_item(struct reading *r, struct item item, const char *at)
{
	struct policy_list *list = r->list;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct item *items =
			realloc(list->items, room * sizeof(*items));

		list->memory |= !items;
		if (!items)
			return;
		list->items = items;
		list->room = room;
	}
	item.line = line_of(r, at);
	list->items[list->count++] = item;
}

/* The only member with this key; ptr NULL if it is no string, or there are two
 * of them. */
static struct text only_string(struct span object, const char *key)
{
	struct text name, found = {.ptr = NULL};
	struct span value;
	struct items i;
	int count = 0;

	for (member_begin(&i, object, '{'); member_next(&i, &name, &value);)
		if (text_is(name, key, strlen(key)) && count++ == 0)
			found = member_text(value);
	if (count != 1)
		found.ptr = NULL;
	return found;
}

/* Is the member this very string? */
static bool member_is(struct span object, const char *key, const char *word)
{
	struct text text = member_text(member_last(object, key));

	return text.ptr && text_is(text, word, strlen(word));
}

static void read_item(struct reading *r, enum reply_list kind, struct span v)
{
	struct item item = {.kind = kind};
	struct span execution;

	if (*v.ptr == '"' && kind == REPLY_TOOLS) {
		item.name = member_text(v);
	} else if (*v.ptr == '{') {
		item.name = only_string(v, lists[kind].name);
		if (kind == REPLY_TOOLS) {
			item.schema = member_last(v, "inputSchema");
			execution = member_last(v, "execution");
			r->list->tasks |=
				member_is(execution, "taskSupport",
					  "optional") ||
				member_is(execution, "taskSupport", "required");
		}
	}
	r->list->seen[kind] = true;
	add_item(r, item, v.ptr);
}

static void read_value(struct reading *r, struct span v, bool top);

/* NOLINTNEXTLINE(misc-no-recursion) */
static void read_array(struct reading *r, struct span array, int kind)
{
	struct items i;
	struct text key;
	struct span v;

	for (member_begin(&i, array, '['); member_next(&i, &key, &v);)
		if (kind < 0)
			read_value(r, v, false);
		else
			read_item(r, (enum reply_list)kind, v);
}

/* A message, a result, a tool, or a name. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void read_object(struct reading *r, struct span v, bool top)
{
	struct span result = member_last(v, "result"), list;
	bool message = member_last(v, "jsonrpc").ptr, lists_here = false,
	     part = false;

	if (result.ptr && *result.ptr == '{')
		v = result;
	if (member_last(member_last(v, "capabilities"), "tasks").ptr)
		r->list->tasks = true;
	part = member_text(member_last(v, "nextCursor")).len > 0;
	for (int i = 0; i < REPLY_LISTS; i++) {
		list = member_last(v, lists[i].key);
		if (!list.ptr || *list.ptr != '[')
			continue;
		lists_here = true;
		r->list->seen[i] = true;
		r->list->part[i] = part;
		read_array(r, list, i);
	}
	if (!lists_here && !message && !result.ptr &&
	    (!top || member_last(v, "name").ptr))
		read_item(r, REPLY_TOOLS, v);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void read_value(struct reading *r, struct span v, bool top)
{
	if (*v.ptr == '{')
		read_object(r, v, top);
	else if (*v.ptr == '"')
		read_item(r, REPLY_TOOLS, v);
	else if (*v.ptr == '[' && top) {
		read_array(r, v, -1);
		/* That of a server without tools. */
		r->list->seen[REPLY_TOOLS] |=
			v.ptr[1 + strspn(v.ptr + 1, " \t\r\n")] == ']';
	} else
		note_bad(r, v.ptr, "neither a message, a tool, nor a name");
}

/* The end of the line at p. */
static const char *line_end(const struct reading *r, const char *p)
{
	const char *lf = memchr(p, '\n', (size_t)(r->end - p));

	return lf ? lf : r->end;
}

/* One JSON value after the other, of which each may have many lines; what is
 * not JSON is a line. */
static void read_values(struct reading *r, const char *p)
{
	while (p < r->end) {
		struct scan s;
		const char *start, *next;

		scan_begin(&s, p, (size_t)(r->end - p));
		s.lines = true;
		start = p = scan_space(&s, p);
		if (p == r->end)
			return;
		next = scan_value(&s, p);
		if (next) {
			read_value(r, (struct span){p, (size_t)(next - p)},
				   true);
			p = next;
			continue;
		}
		p = s.begin + s.fault.offset;
		note_bad(r, p, s.fault.reason);
		/* Where a value of many lines goes on, nobody can tell. */
		if (line_end(r, start) < p)
			return;
		p = line_end(r, start);
	}
}

/* A name on each line. */
static void read_lines(struct reading *r, const char *p)
{
	for (const char *end; p < r->end; p = end + 1) {
		size_t len;

		end = line_end(r, p);
		p += strspn(p, " \t\r");
		len = (size_t)(end - p);
		while (len > 0 && strchr(" \t\r", p[len - 1]))
			len--;
		if (p >= end || len == 0)
			continue;
		r->list->seen[REPLY_TOOLS] = true;
		if (memchr(p, ' ', len) || memchr(p, '"', len) ||
		    memchr(p, '\\', len) || memchr(p, '\t', len) ||
		    memchr(p, '\0', len))
			note_bad(r, p, "neither JSON nor a name alone");
		else
			add_item(r,
				 (struct item){.kind = REPLY_TOOLS,
					       .name = {.ptr = p, .len = len}},
				 p);
	}
}

struct policy_list *policy_list_read(const struct policy_source *source)
{
	struct policy_list *list = calloc(1, sizeof(*list));
	struct reading r = {.list = list,
			    .text = source->text,
			    .end = source->text + source->len,
			    .counted = source->text,
			    .lines = 1};
	const char *p = source->text;

	if (!list)
		return NULL;
	list->file = source->name;
	if (strncmp(p, "\xEF\xBB\xBF", 3) == 0)
		p += 3;
	if (strchr("{[\"", p[strspn(p, " \t\r\n")]))
		read_values(&r, p);
	else
		read_lines(&r, p);
	return list;
}

void policy_list_free(struct policy_list *list)
{
	if (list)
		free(list->items);
	free(list);
}

bool policy_list_item(const struct policy_list *list, size_t index,
		      enum policy_section *section, struct text *name)
{
	static const enum policy_section sections[REPLY_LISTS] = {
		[REPLY_TOOLS] = POLICY_TOOLS,
		[REPLY_PROMPTS] = POLICY_PROMPTS,
		[REPLY_RESOURCES] = POLICY_RESOURCES,
		[REPLY_TEMPLATES] = POLICY_RESOURCES,
	};

	if (index >= list->count)
		return false;
	*section = sections[list->items[index].kind];
	*name = list->items[index].name;
	return true;
}

/* Why nothing can be said, or NULL. */
const char *policy_list_fault(const struct policy_list *list, char *words,
			      size_t cap)
{
	bool any = list->count > 0;

	for (int i = 0; i < REPLY_LISTS; i++)
		any |= list->seen[i];
	if (list->memory)
		return "out of memory";
	if (any)
		return NULL;
	if (list->bad_count > 0)
		snprintf(words, cap,
			 "no list of tools, and no JSON from line %zu, column "
			 "%zu on: %s",
			 list->bad[0].line, list->bad[0].column,
			 list->bad[0].why);
	else
		snprintf(
			words, cap,
			"no list of tools; expected a reply to tools/list, its "
			"array, or names");
	return words;
}
