/* JSON with comments.  The contract is in jsonc.h. */
#include "jsonc.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading what may be wrong --------------------------------------- */

/* Past white space and comments, or NULL. */
static const char *read_space(struct scan *r, const char *p, unsigned *seen)
{
	for (;;) {
		const char *end;

		p = scan_space(r, p);
		if (*p != '/')
			return p;
		*seen |= JSONC_COMMENTS;
		if (p[1] == '*') {
			end = strstr(p + 2, "*/");
			if (!end)
				return scan_fail(r, p,
						 "a comment without its end");
			p = end + 2;
			continue;
		}
		if (p[1] != '/')
			return scan_fail(r, p, "a value was expected");
		/* Some readers end it at a CR, or at U+2028 and U+2029. */
		for (; *p != '\n' && p < r->end; p++)
			if ((*p == '\r' && p[1] != '\n') ||
			    (strncmp(p, "\xE2\x80", 2) == 0 &&
			     (p[2] == '\xA8' || p[2] == '\xA9')))
				return scan_fail(
					r, p,
					"a line end in a comment that some readers do not know");
	}
}

/* The key of a member and its colon. */
static const char *read_key(struct scan *r, const char *p, unsigned *seen)
{
	struct text key;

	p = scan_string(r, p, &key);
	p = p ? read_space(r, p, seen) : NULL;
	if (p && *p != ':')
		return scan_fail(r, p, "a colon was expected");
	return p ? read_space(r, p + 1, seen) : NULL;
}

/* All of the value; p is at its first byte. */
static const char *read_value(struct scan *r, const char *p, unsigned *seen)
{
	char open[JSONC_DEPTH_MAX] = ""; /* the brackets that will close */
	size_t depth = 0;
	bool after = false; /* a value, not before one */

	do {
		if (!after && (*p == '{' || *p == '[')) {
			if (depth == JSONC_DEPTH_MAX)
				return scan_fail(r, p, "nested too deep");
			open[depth++] = *p == '{' ? '}' : ']';
			p = read_space(r, p + 1, seen);
		} else if (!after) {
			p = scan_value(r, p);
			after = true;
		} else if (*p == ',') {
			p = read_space(r, p + 1, seen);
			after = false;
			if (p && *p == open[depth - 1])
				*seen |= JSONC_COMMAS;
		} else if (*p != open[depth - 1]) {
			return scan_fail(r, p,
					 "a comma or a bracket was expected");
		}
		/* All that closes here. */
		while (p && depth > 0) {
			p = read_space(r, p, seen);
			if (!p || *p != open[depth - 1])
				break;
			depth--;
			after = true;
			p++;
		}
		if (p && depth > 0 && !after && open[depth - 1] == '}')
			p = read_key(r, p, seen);
	} while (p && depth > 0);
	return p;
}

bool jsonc_read(struct jsonc *j, const char *text, size_t len)
{
	struct scan r;
	const char *p = scan_begin(&r, text, len), *begin;

	*j = (struct jsonc){.seen = 0};
	r.lines = true;
	/* What follows looks for the NUL at the end. */
	if (strlen(text) < len) {
		scan_fail(&r, text + strlen(text), "a NUL byte");
		j->fault = r.fault;
		return false;
	}
	if (len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
		j->seen |= JSONC_BOM;
		p += 3;
	}
	begin = p = read_space(&r, p, &j->seen);
	if (p && p == r.end)
		p = scan_fail(&r, p, "the file is empty");
	p = p ? read_value(&r, p, &j->seen) : NULL;
	j->root = (struct span){begin, p ? (size_t)(p - begin) : 0};
	p = p ? read_space(&r, p, &j->seen) : NULL;
	if (p && p != r.end)
		p = scan_fail(&r, p, "more than one value");
	j->fault = r.fault;
	return p != NULL;
}

/* ---- reading what was read ------------------------------------------- */

const char *jsonc_space(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p != '/')
			return p;
		p += p[1] == '*' ? (size_t)(strstr(p + 2, "*/") + 2 - p)
				 : strcspn(p, "\n");
	}
}

static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p + 1;
}

static const char *skip_value(const char *p)
{
	size_t depth = 0;

	do {
		p = jsonc_space(p);
		if (*p == '"') {
			p = skip_string(p);
		} else if (strchr("{[", *p)) {
			depth++;
			p++;
		} else if (strchr("}]", *p)) {
			depth--;
			p++;
		} else if (strchr(",:", *p)) {
			p++;
		} else {
			p += strcspn(p, " \t\r\n,:{}[]\"/");
		}
	} while (depth > 0);
	return p;
}

char *jsonc_decode(struct text text)
{
	char *plain = malloc(text.len + 1);
	ptrdiff_t len = 0;

	if (plain && text.ptr)
		len = text_decode(text, plain, text.len);
	if (plain)
		plain[len < 0 ? 0 : len] = '\0';
	return plain;
}

bool jsonc_next(struct span value, struct jsonc_item *item)
{
	const char *p = value.ptr;

	if (!p || (*p != '{' && *p != '['))
		return false;
	p = item->value.ptr ? item->value.ptr + item->value.len : p + 1;
	p = jsonc_space(p);
	if (*p == ',')
		p = jsonc_space(p + 1);
	if (*p == '}' || *p == ']')
		return false;
	*item = (struct jsonc_item){.begin = p};
	if (*value.ptr == '{') {
		const char *end = skip_string(p);

		item->key = member_text((struct span){p, (size_t)(end - p)});
		p = jsonc_space(jsonc_space(end) + 1);
	}
	item->value = (struct span){p, (size_t)(skip_value(p) - p)};
	return true;
}

struct jsonc_item jsonc_find(struct span object, const char *key)
{
	struct jsonc_item item = {.begin = NULL}, found = item;

	while (object.ptr && *object.ptr == '{' && jsonc_next(object, &item))
		if (text_is(item.key, key, strlen(key)))
			found = item;
	return found;
}

struct span jsonc_member(struct span object, const char *key)
{
	return jsonc_find(object, key).value;
}
