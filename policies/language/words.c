/* A condition that refused a call, in words: what is there, what must be. */
#include "../internal.h"

#include <string.h>

#define TOLD_BYTES 60 /* of a value, or of what it is compared with */

/* What must be, in "require" and in "deny_if"; what it is compared with
 * follows. */
static const struct want {
	const char *op, *type; /* of the value, if only one is compared */
	const char *require, *deny_if;
} wants[] = {
	{"eq", "", "must be ", "must not be "},
	{"neq", "", "must not be ", "must be "},
	{"in", "", "must be one of ", "must be none of "},
	{"not_in", "", "must be none of ", "must be one of "},
	{"lt", "number", "must be less than ", "must not be less than "},
	{"lte", "number", "must not be greater than ", "must be greater than "},
	{"gt", "number", "must be greater than ", "must not be greater than "},
	{"gte", "number", "must not be less than ", "must be less than "},
	{"contains", "", "must contain ", "must not contain "},
	{"regex", "string", "must match ", "must not match "},
	{"glob", "string", "must match ", "must not match "},
	{"under", "string", "must be below ", "must not be below "},
	{"host", "string", "must have the host ", "must not have the host "},
	{"max_length", "", "must not be longer than ", "must be longer than "},
	{NULL, "", "must be otherwise than ", "must be otherwise than "},
};

static void put_cut(struct strbuf *out, const char *s, size_t len)
{
	size_t most = len;

	if (len > TOLD_BYTES)
		for (most = TOLD_BYTES; (s[most] & 0xC0) == 0x80;)
			most--;
	strbuf_bytes(out, s, most);
	strbuf_string(out, most < len ? "..." : "");
}

/* The condition at this rule; *require: of which list. */
static const struct condition *find(const struct policy *policy,
				    const char *rule, bool *require)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(policy, r)))
		for (int list = 0; list < 2; list++) {
			const struct conditions *c =
				list == 0 ? &r->require : &r->deny_if;

			*require = list == 0;
			for (size_t i = 0; i < c->count; i++)
				if (c->list[i].location.rule == rule)
					return &c->list[i];
		}
	return NULL;
}

/* The members of a condition, as the policy has them. */
struct parts {
	struct text path, op;
	struct span value;
};

static struct parts read_source(const char *source)
{
	struct scan r = scan_begin(source, strlen(source));
	const char *p = scan_enter(&r, source), *start;
	struct parts parts = {.path = {.ptr = NULL}};
	bool first = true, more;
	struct text key;

	r.lines = true;
	for (;; first = false) {
		start = scan_member(&r, p, first, &key, &more);
		if (!start || !more)
			return parts;
		if (text_is(key, "path", 4))
			p = scan_string(&r, start, &parts.path);
		else if (text_is(key, "op", 2))
			p = scan_string(&r, start, &parts.op);
		else
			p = scan_value(&r, start);
		if (text_is(key, "value", 5))
			parts.value = (struct span){start, (size_t)(p - start)};
	}
}

static bool has_type(const char *type, struct span value)
{
	if (!value.ptr || !*type)
		return true;
	return *type == 's' ? *value.ptr == '"'
			    : strchr("-0123456789", *value.ptr) != NULL;
}

void policy_explain(const struct policy *policy, const struct verdict *v,
		    struct strbuf *out)
{
	const struct want *w = wants;
	const struct condition *c;
	struct parts parts;
	bool require;

	c = find(policy, v->location.rule, &require);
	if (!c || c->group) /* of a group, no value decides by itself */
		return;
	parts = read_source(c->source);
	put_cut(out, parts.path.ptr, parts.path.len);
	strbuf_string(out, " is ");
	if (v->value.ptr)
		put_cut(out, v->value.ptr, v->value.len);
	else
		strbuf_string(out,
			      require ? "missing or ambiguous" : "ambiguous");
	strbuf_string(out, "; ");
	if (text_is(parts.op, "exists", 6)) {
		strbuf_string(out, require == (*parts.value.ptr == 't')
					   ? "must be there"
					   : "must not be there");
		return;
	}
	while (w->op && !text_is(parts.op, w->op, strlen(w->op)))
		w++;
	if (!has_type(w->type, v->value)) {
		strbuf_string(out, "must be a ");
		strbuf_string(out, w->type);
		strbuf_string(out, ", and ");
	}
	strbuf_string(out, require ? w->require : w->deny_if);
	put_cut(out, parts.value.ptr, parts.value.len);
}
