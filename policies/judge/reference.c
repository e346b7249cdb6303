/* What a message names in passing.  The contract is in reference.h. */
#include "reference.h"

#include <string.h>

/* A member's value; ptr is NULL: missing, or null. */
struct found {
	const char *ptr;
	size_t len;
	struct text text; /* of a string */
};

/* The one member of the object with this key.  False: there are two, or one
 * that some reader takes for it. */
static bool find(const char *object, size_t len, const char *key,
		 struct found *found)
{
	struct scan r = scan_begin(object, len);
	const char *p = scan_enter(&r, object);
	const size_t key_len = strlen(key);
	bool there = false, more;
	struct text text;

	found->ptr = NULL;
	for (bool first = true;; first = false) {
		p = scan_member(&r, p, first, &text, &more);
		if (!more)
			return true;
		if (!text_resembles(text, key, key_len)) {
			p = scan_value(&r, p);
			continue;
		}
		if (there || !text_is(text, key, key_len))
			return false;
		there = true;
		found->ptr = *p == 'n' ? NULL : p;
		found->text = (struct text){.ptr = NULL};
		object = p;
		p = *p == '"' ? scan_string(&r, p, &found->text)
			      : scan_value(&r, p);
		found->len = (size_t)(p - object);
	}
}

static enum references tell_one(const struct found *f,
				enum policy_section section,
				reference_name *tell, void *context)
{
	if (!f->ptr)
		return REFERENCES_READ;
	if (!f->text.ptr || f->text.flags & (TEXT_NUL | TEXT_LONE))
		return REFERENCES_AMBIGUOUS;
	return tell(context, section, f->text) ? REFERENCES_READ
					       : REFERENCES_STOPPED;
}

/* params.ref: {"type": "ref/prompt", "name"} or {"type": "ref/resource",
 * "uri"}, whatever its type says. */
static enum references read_completion(struct span params, reference_name *tell,
				       void *context)
{
	struct found ref, name, uri;
	enum references one;

	if (!find(params.ptr, params.len, "ref", &ref))
		return REFERENCES_AMBIGUOUS;
	if (!ref.ptr)
		return REFERENCES_READ;
	if (*ref.ptr != '{' || !find(ref.ptr, ref.len, "name", &name) ||
	    !find(ref.ptr, ref.len, "uri", &uri))
		return REFERENCES_AMBIGUOUS;
	one = tell_one(&name, POLICY_PROMPTS, tell, context);
	return one == REFERENCES_READ
		       ? tell_one(&uri, POLICY_RESOURCES, tell, context)
		       : one;
}

/* params.notifications.resourceSubscriptions: [uri, ...] (MCP 2026-07-28) */
static enum references read_subscriptions(struct span params,
					  reference_name *tell, void *context)
{
	enum references one = REFERENCES_READ;
	struct found f;
	const char *p, *start;
	struct scan r;
	bool more;

	if (!find(params.ptr, params.len, "notifications", &f) ||
	    (f.ptr && *f.ptr != '{'))
		return REFERENCES_AMBIGUOUS;
	if (!f.ptr)
		return REFERENCES_READ;
	if (!find(f.ptr, f.len, "resourceSubscriptions", &f) ||
	    (f.ptr && *f.ptr != '['))
		return REFERENCES_AMBIGUOUS;
	if (!f.ptr)
		return REFERENCES_READ;
	r = scan_begin(f.ptr, f.len);
	p = scan_enter(&r, f.ptr);
	for (bool first = true; one == REFERENCES_READ; first = false) {
		p = scan_element(&r, p, first, &more);
		if (!more)
			break;
		start = p;
		f.text = (struct text){.ptr = NULL};
		p = *p == '"' ? scan_string(&r, p, &f.text) : scan_value(&r, p);
		f.ptr = start;
		one = tell_one(&f, POLICY_RESOURCES, tell, context);
	}
	return one;
}

enum references references_read(const struct message *m, reference_name *tell,
				void *context)
{
	struct found uri;

	if (!m->params.ptr)
		return REFERENCES_READ;
	if (m->method == METHOD_COMPLETE)
		return read_completion(m->params, tell, context);
	if (m->method == METHOD_LISTEN)
		return read_subscriptions(m->params, tell, context);
	if (m->method != METHOD_SUBSCRIBE)
		return REFERENCES_READ;
	return find(m->params.ptr, m->params.len, "uri", &uri)
		       ? tell_one(&uri, POLICY_RESOURCES, tell, context)
		       : REFERENCES_AMBIGUOUS;
}
