/* What lines say where a person is asked.  The contract is in elicit.h. */
#include "elicit.h"

#include "message.h"

#include <string.h>

#define PATH(...)     ((const char *const[]){__VA_ARGS__, NULL})
#define TEXT_IS(t, s) ((t).ptr && text_is((t), s, sizeof(s) - 1))

static struct span span_of(const struct member *m)
{
	return (struct span){m->ptr, m->len};
}

/* {}, or an object that has the object form: not {"url": {}}. */
static bool read_capability(const struct member *elicitation, bool *declared)
{
	struct member form;
	struct scan r;

	*declared = false;
	if (!elicitation->ptr || *elicitation->ptr != '{')
		return true;
	scan_begin(&r, elicitation->ptr, elicitation->len);
	*declared = *scan_space(&r, elicitation->ptr + 1) == '}';
	if (!member_find(span_of(elicitation), "form", &form))
		return false;
	*declared |= form.ptr && *form.ptr == '{';
	return true;
}

bool elicit_declared(struct span params, bool *declared)
{
	struct member m;

	*declared = false;
	return member_path(params, PATH("capabilities", "elicitation"), &m) &&
	       read_capability(&m, declared);
}

/* An integer of at most 19 digits, or a string, as ids are. */
static bool could_be_id(const struct member *m)
{
	size_t i;

	if (!m->ptr)
		return false;
	if (m->text.ptr)
		return m->text.len <= MESSAGE_ID_BYTES &&
		       !(m->text.flags & (TEXT_NUL | TEXT_LONE));
	for (i = *m->ptr == '-'; i < m->len; i++)
		if (m->ptr[i] < '0' || m->ptr[i] > '9')
			return false;
	return i <= MESSAGE_ID_DIGITS;
}

bool elicit_call(struct span params, struct elicit_call *call)
{
	struct member m, one, action;

	*call = (struct elicit_call){.said = ELICIT_NOTHING};
	if (!member_path(params,
			 PATH("_meta",
			      "io.modelcontextprotocol/clientCapabilities",
			      "elicitation"),
			 &m) ||
	    !read_capability(&m, &call->declared) ||
	    !member_path(params, PATH("_meta", "progressToken"), &m))
		return false;
	if (could_be_id(&m))
		call->token = span_of(&m);
	if (!member_find(params, "requestState", &m))
		return false;
	call->state = m.text;
	if (!member_find(params, "inputResponses", &m) ||
	    !member_find(span_of(&m), ELICIT_KEY, &one) ||
	    !member_find(span_of(&one), "action", &action))
		return false;
	call->answers = m.ptr != NULL;
	if (one.ptr)
		call->said =
			TEXT_IS(action.text, "accept") ? ELICIT_YES : ELICIT_NO;
	return true;
}

bool elicit_accepts(const char *line, size_t len)
{
	struct scan r;
	const char *p = scan_space(&r, scan_begin(&r, line, len));
	struct member action;

	return member_path((struct span){p, (size_t)(line + len - p)},
			   PATH("result", "action"), &action) &&
	       TEXT_IS(action.text, "accept");
}

bool elicit_cancelled(struct span params, struct span *id)
{
	struct member m;
	bool clear = member_find(params, "requestId", &m);

	*id = span_of(&m);
	return clear;
}

bool elicit_required(struct span result, bool *required, struct text *state)
{
	struct member m;

	if (!member_find(result, "resultType", &m))
		return false;
	*required = TEXT_IS(m.text, "input_required");
	if (!member_find(result, "requestState", &m))
		return false;
	*state = m.text;
	return true;
}

bool elicit_changes(struct text key)
{
	return text_is(key, "_meta", 5) || text_is(key, "inputResponses", 14) ||
	       text_is(key, "requestState", 12);
}

bool elicit_digest(struct span params, size_t most, struct sha256 *h)
{
	struct span value;
	struct items i;
	struct text key;

	for (member_begin(&i, params, '{'); member_next(&i, &key, &value);) {
		if (elicit_changes(key))
			continue;
		if (key.len + value.len > most)
			return false;
		most -= key.len + value.len;
		sha256_field(h, key.ptr, key.len);
		sha256_field(h, value.ptr, value.len);
	}
	return true;
}

bool elicit_same_id(struct span a, struct span b)
{
	if (!a.ptr || !b.ptr)
		return false;
	if (a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0)
		return true;
	return *a.ptr == '"' && *b.ptr == '"' &&
	       text_equal((struct text){a.ptr + 1, a.len - 2, TEXT_ESCAPED},
			  (struct text){b.ptr + 1, b.len - 2, TEXT_ESCAPED});
}
