/* Fields of lines.  The contract is in fields.h. */
#include "fields.h"

#include <json-parser/json.h>
#include <stdlib.h>

static const json_value *member(const json_value *v, const char *key,
				size_t len)
{
	if (v->type == json_array) {
		size_t at = strtoul(key, NULL, 10);

		return at < v->u.array.length ? v->u.array.values[at] : NULL;
	}
	for (unsigned i = 0;
	     v && v->type == json_object && i < v->u.object.length; i++)
		if (strlen(v->u.object.values[i].name) == len &&
		    memcmp(v->u.object.values[i].name, key, len) == 0)
			return v->u.object.values[i].value;
	return NULL;
}

static const char *value_text(const json_value *v)
{
	switch (v->type) {
	case json_string:
		return text("%s", v->u.string.ptr);
	case json_integer:
		return text("%lld", (long long)v->u.integer);
	case json_boolean:
		return v->u.boolean ? "true" : "false";
	case json_array:
		return "array";
	case json_object:
		return "object";
	default:
		return "other";
	}
}

const char *field(const char *line, const char *path)
{
	json_value *all = line ? json_parse(line, strlen(line)) : NULL;
	const json_value *v = all;
	const char *found = NULL;

	check(all && all->type == json_object,
	      "a JSON object was expected, not: %s", line);
	while (v && *path) {
		size_t len = strcspn(path, ".");

		v = member(v, path, len);
		path += len + (path[len] == '.');
	}
	if (v)
		found = value_text(v);
	json_value_free(all);
	return found;
}

void check_field(const char *line, const char *path, const char *want)
{
	const char *got = field(line, path);

	check(!want == !got && (!got || strcmp(got, want) == 0),
	      "%s: %s, and %s was expected: %s", path, got ? got : "(none)",
	      want ? want : "(none)", line);
}

const char *next_line(const char **at)
{
	const char *start = *at, *lf = strchr(start, '\n');

	if (!*start)
		return NULL;
	*at = lf ? lf + 1 : start + strlen(start);
	return text("%.*s", (int)(*at - start), start);
}

const char *lines_about(const char *log, const char *what)
{
	const char *word = text("\"line\":\"%s\"", what), *lf;
	struct bytes found = {.ptr = NULL};

	append_text(&found, "");
	for (; (lf = strchr(log, '\n')); log = lf + 1)
		if (memmem(log, (size_t)(lf - log), word, strlen(word)))
			append(&found, log, (size_t)(lf - log) + 1);
	return found.ptr;
}

size_t count_lines(const char *lines)
{
	size_t count = 0;

	for (; (lines = strchr(lines, '\n')); lines++)
		count++;
	return count;
}
