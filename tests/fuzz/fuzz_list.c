/*
 * A line from the server with a list in it.  What list_cut() leaves must be
 * JSON, and for json-parser the same tree less the tools that are not kept.
 */
#include "../../parser/reply.h"
#include "fuzz.h"

#include <json-parser/json.h>

static json_value *parse(const char *text, size_t len)
{
	json_settings settings = {.settings = 0};
	char error[json_error_max];
	json_value *v = json_parse_ex(&settings, text, len, error);

	must(v != NULL);
	return v;
}

static bool same(const json_value *a, const json_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case json_object:
		if (a->u.object.length != b->u.object.length)
			return false;
		for (unsigned i = 0; i < a->u.object.length; i++)
			if (!same(a->u.object.values[i].value,
				  b->u.object.values[i].value))
				return false;
		return true;
	case json_array:
		if (a->u.array.length != b->u.array.length)
			return false;
		for (unsigned i = 0; i < a->u.array.length; i++)
			if (!same(a->u.array.values[i], b->u.array.values[i]))
				return false;
		return true;
	case json_string:
		return a->u.string.length == b->u.string.length &&
		       memcmp(a->u.string.ptr, b->u.string.ptr,
			      a->u.string.length) == 0;
	case json_integer:
		return a->u.integer == b->u.integer;
	case json_double:
		return memcmp(&a->u.dbl, &b->u.dbl, sizeof(a->u.dbl)) == 0;
	case json_boolean:
		return a->u.boolean == b->u.boolean;
	default:
		return true;
	}
}

/* Kept is a name with an even number of code points. */
static bool keep(void *context, enum reply_list list, struct text name,
		 struct span item)
{
	bool even = true;

	(void)context;
	(void)list;
	(void)item;
	if (!name.ptr)
		return false;
	while (text_next(&name) >= 0)
		even = !even;
	return even;
}

/* The same of a tree: one name, a string, and no look-alike of the key. */
static bool keep_tree(const json_value *tool)
{
	const json_value *name = NULL;
	size_t points = 0;

	if (tool->type != json_object)
		return false;
	for (unsigned i = 0; i < tool->u.object.length; i++) {
		const json_object_entry *e = &tool->u.object.values[i];
		struct text key = {.ptr = e->name, .len = e->name_length};

		if (!text_resembles(key, "name", 4))
			continue;
		if (name || e->name_length != 4 || memcmp(e->name, "name", 4))
			return false;
		name = e->value;
	}
	if (!name || name->type != json_string)
		return false;
	for (unsigned i = 0; i < name->u.string.length; i++) {
		if (name->u.string.ptr[i] == '\0')
			return false;
		points += (name->u.string.ptr[i] & 0xC0) != 0x80;
	}
	return points % 2 == 0;
}

static void check(struct span array)
{
	char *out = malloc(array.len);
	size_t cut, len = list_cut(array, REPLY_TOOLS, keep, NULL, out, &cut);
	json_value *before, *after;
	unsigned kept = 0;

	must(len <= array.len);
	before = parse(array.ptr, array.len);
	after = parse(out, len);
	for (unsigned i = 0; i < before->u.array.length; i++) {
		const json_value *tool = before->u.array.values[i];

		if (!keep_tree(tool))
			continue;
		must(kept < after->u.array.length);
		must(same(tool, after->u.array.values[kept++]));
	}
	must(kept == after->u.array.length);
	must(cut == before->u.array.length - kept);
	must(cut > 0 || (len == array.len && !memcmp(out, array.ptr, len)));
	json_value_free(before);
	json_value_free(after);
	free(out);
}

/* One pass over the line leaves what two leave. */
static void check_cut(const char *line, size_t size, const struct reply *read)
{
	char *once = exact((const uint8_t *)line, size);
	char *twice = exact((const uint8_t *)line, size);
	size_t left, len = size;
	struct reply reply;

	left = reply_cut(once, size, keep, NULL, &reply);
	must(reply.kind == read->kind && reply.greets == read->greets &&
	     reply.changes == read->changes && reply.answers == read->answers);
	must(!reply.fault.reason == !read->fault.reason &&
	     reply.fault.offset == read->fault.offset);
	must(!reply.fault.reason ||
	     strcmp(reply.fault.reason, read->fault.reason) == 0);
	must(!reply.id.ptr == !read->id.ptr && reply.id.len == read->id.len);
	must(!reply.id.ptr ||
	     memcmp(reply.id.ptr, read->id.ptr, read->id.len) == 0);
	/* The last list first, so that those before it stay where they are. */
	for (const char *end = line + size; read->kind == REPLY_LIST;) {
		const struct span *last = NULL;
		size_t used, cut, at;

		for (int i = 0; i < REPLY_LISTS; i++)
			if (read->lists[i].ptr && read->lists[i].ptr < end &&
			    (!last || read->lists[i].ptr > last->ptr))
				last = &read->lists[i];
		if (!last)
			break;
		end = last->ptr;
		at = (size_t)(end - line);
		used = list_cut((struct span){twice + at, last->len},
				(enum reply_list)(last - read->lists), keep,
				NULL, twice + at, &cut);
		memmove(twice + at + used, twice + at + last->len,
			len - at - last->len);
		len -= last->len - used;
	}
	must(read->kind == REPLY_UNREAD ||
	     (left == len && memcmp(once, twice, len) == 0));
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = exact(data, size);
	struct reply reply;

	reply_read(line, size, &reply);
	if (reply.kind == REPLY_LIST && reply.lists[REPLY_TOOLS].ptr &&
	    !unfit(reply.lists[REPLY_TOOLS].ptr, reply.lists[REPLY_TOOLS].len))
		check(reply.lists[REPLY_TOOLS]);
	check_cut(line, size, &reply);
	free(line);
	return 0;
}
