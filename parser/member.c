/* One member of an object.  The contract is in member.h. */
#include "member.h"

#include <string.h>

bool member_find(struct span object, const char *key, struct member *found)
{
	const char *p = object.ptr, *start;
	const size_t key_len = strlen(key);
	bool there = false, more;
	struct text text;
	struct scan r;

	*found = (struct member){.ptr = NULL};
	if (!p || *p != '{')
		return true;
	scan_begin(&r, object.ptr, object.len);
	p = scan_enter(&r, p);
	for (bool first = true; p; first = false) {
		p = scan_member(&r, p, first, &text, &more);
		if (!p || !more)
			break;
		if (!text_resembles(text, key, key_len)) {
			p = scan_value(&r, p);
			continue;
		}
		if (there || !text_is(text, key, key_len))
			return false;
		there = true;
		start = p;
		p = *p == '"' ? scan_string(&r, p, &found->text)
			      : scan_value(&r, p);
		if (p && *start != 'n') {
			found->ptr = start;
			found->len = (size_t)(p - start);
		}
	}
	return p != NULL;
}

bool member_path(struct span object, const char *const *keys,
		 struct member *found)
{
	*found = (struct member){.ptr = object.ptr, .len = object.len};
	for (; *keys; keys++)
		if (!member_find((struct span){found->ptr, found->len}, *keys,
				 found))
			return false;
	return true;
}

void member_begin(struct items *i, struct span value, char bracket)
{
	i->array = bracket == '[';
	i->first = true;
	i->p = NULL;
	if (value.len == 0 || *value.ptr != bracket)
		return;
	scan_begin(&i->r, value.ptr, value.len);
	i->r.lines = true;
	i->p = scan_enter(&i->r, value.ptr);
}

bool member_next(struct items *i, struct text *key, struct span *value)
{
	bool more = false;

	*key = (struct text){.ptr = NULL};
	if (i->p)
		i->p = i->array
			       ? scan_element(&i->r, i->p, i->first, &more)
			       : scan_member(&i->r, i->p, i->first, key, &more);
	value->ptr = more ? i->p : NULL;
	i->p = value->ptr ? scan_value(&i->r, i->p) : NULL;
	value->len = i->p ? (size_t)(i->p - value->ptr) : 0;
	i->first = false;
	return i->p;
}

struct text member_text(struct span value)
{
	struct scan r;
	struct text text = {.ptr = NULL};

	if (value.len == 0 || *value.ptr != '"')
		return text;
	scan_begin(&r, value.ptr, value.len);
	scan_string(&r, value.ptr, &text);
	return text;
}

struct span member_last(struct span object, const char *key)
{
	struct span value, found = {.ptr = NULL};
	struct items i;
	struct text name;

	for (member_begin(&i, object, '{'); member_next(&i, &name, &value);)
		if (text_is(name, key, strlen(key)))
			found = value;
	return found;
}
