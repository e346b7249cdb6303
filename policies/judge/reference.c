/* What a message names in passing.  The contract is in reference.h. */
#include "reference.h"
#include "../../parser/member.h"

#include <string.h>

static enum references tell_one(const struct member *f,
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
	struct member ref, name, uri;
	enum references one;

	if (!member_find(params, "ref", &ref))
		return REFERENCES_AMBIGUOUS;
	if (!ref.ptr)
		return REFERENCES_READ;
	if (*ref.ptr != '{' ||
	    !member_find((struct span){ref.ptr, ref.len}, "name", &name) ||
	    !member_find((struct span){ref.ptr, ref.len}, "uri", &uri))
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
	struct member f;
	const char *p, *start;
	struct scan r;
	bool more;

	if (!member_find(params, "notifications", &f) ||
	    (f.ptr && *f.ptr != '{'))
		return REFERENCES_AMBIGUOUS;
	if (!f.ptr)
		return REFERENCES_READ;
	if (!member_find((struct span){f.ptr, f.len}, "resourceSubscriptions",
			 &f) ||
	    (f.ptr && *f.ptr != '['))
		return REFERENCES_AMBIGUOUS;
	if (!f.ptr)
		return REFERENCES_READ;
	scan_begin(&r, f.ptr, f.len);
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
	struct member uri;

	if (!m->params.ptr)
		return REFERENCES_READ;
	if (m->method == METHOD_COMPLETE)
		return read_completion(m->params, tell, context);
	if (m->method == METHOD_LISTEN)
		return read_subscriptions(m->params, tell, context);
	if (m->method != METHOD_SUBSCRIBE)
		return REFERENCES_READ;
	return member_find(m->params, "uri", &uri)
		       ? tell_one(&uri, POLICY_RESOURCES, tell, context)
		       : REFERENCES_AMBIGUOUS;
}
