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

struct span member_last(struct span object, const char *key)
{
	struct scan r;
	struct span found = {.ptr = NULL};
	const char *p = scan_begin(&r, object.ptr, object.len);
	bool more = object.len > 0 && *p == '{', first = true;
	struct text name;

	r.lines = true;
	if (more)
		p = scan_enter(&r, p);
	while (more && (p = scan_member(&r, p, first, &name, &more)) && more) {
		const char *start = p;

		first = false;
		p = scan_value(&r, p);
		if (p && text_is(name, key, strlen(key)))
			found = (struct span){start, (size_t)(p - start)};
		more = p != NULL;
	}
	return found;
}
