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
static bool keep(void *context, enum reply_list list, struct text name)
{
	bool even = true;

	(void)context;
	(void)list;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = exact(data, size);
	struct reply reply;

	reply_read(line, size, &reply);
	if (reply.kind == REPLY_LIST &&
	    !unfit(reply.lists[REPLY_TOOLS].ptr, reply.lists[REPLY_TOOLS].len))
		check(reply.lists[REPLY_TOOLS]);
	free(line);
	return 0;
}
