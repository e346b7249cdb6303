/* Lists in the server's lines.  The contract is in reply.h. */
#include "reply.h"

#include <string.h>

static const struct list_keys {
	const char *list, *name;
} lists[REPLY_LISTS] = {
	[REPLY_TOOLS] = {"tools", "name"},
	[REPLY_PROMPTS] = {"prompts", "name"},
	[REPLY_RESOURCES] = {"resources", "uri"},
	[REPLY_TEMPLATES] = {"resourceTemplates", "uriTemplate"},
};

/* The members that decide what a message is. */
enum top {
	TOP_ID,
	TOP_RESULT,
	TOP_ERROR,
	TOP_METHOD,
	TOP_PARAMS,
	TOP_JSONRPC,
	TOP_OTHER,
};

static const struct word {
	const char *ptr;
	size_t len;
} words[] = {{"id", 2},     {"result", 6}, {"error", 5},
	     {"method", 6}, {"params", 6}, {"jsonrpc", 7}};

#define ID_UNCLEAR (1u << TOP_OTHER)

/* The member that key is; *seen is a set of bits, those that were met.  A
 * second one, or one that some readers would match, is in doubt. */
static enum top read_top(struct scan *r, struct text key, unsigned *seen)
{
	for (int i = 0; i < TOP_OTHER; i++) {
		bool is = text_is(key, words[i].ptr, words[i].len);

		if (!text_resembles(key, words[i].ptr, words[i].len))
			continue;
		if (!is)
			scan_doubt(r, key.ptr, "a key in another case");
		if (*seen >> i & 1)
			scan_doubt(r, key.ptr, "a key twice");
		if (i == TOP_ID && (!is || *seen & 1u << TOP_ID))
			*seen |= ID_UNCLEAR;
		if (!is)
			return TOP_OTHER;
		*seen |= 1u << i;
		return (enum top)i;
	}
	return TOP_OTHER;
}

/* The list that key names, or REPLY_LISTS; *seen as above. */
static int find_list(struct scan *r, struct text key, unsigned *seen)
{
	for (int i = 0; i < REPLY_LISTS; i++) {
		const char *word = lists[i].list;
		size_t len = strlen(word);

		if (!text_resembles(key, word, len))
			continue;
		if (*seen >> i & 1)
			scan_doubt(r, key.ptr, "a list twice");
		if (!text_is(key, word, len))
			scan_doubt(r, key.ptr, "a key in another case");
		*seen |= 1u << i;
		return i;
	}
	return REPLY_LISTS;
}

/* One server capability: {"listChanged": true, ...}. */
static const char *read_capability(struct scan *r, const char *p, bool *changes)
{
	struct text key;
	bool more;

	if (*p != '{')
		return scan_value(r, p);
	p = scan_enter(r, p);
	for (bool first = true; p; first = false) {
		p = scan_member(r, p, first, &key, &more);
		if (!p || !more)
			break;
		if (text_is(key, "listChanged", 11))
			*changes = *p == 't';
		p = scan_value(r, p);
	}
	return p;
}

/* The capabilities of the server (MCP, initialize). */
static const char *read_capabilities(struct scan *r, const char *p,
				     unsigned *changes)
{
	struct text key;
	bool more;

	if (*p != '{')
		return scan_value(r, p);
	p = scan_enter(r, p);
	for (bool first = true; p; first = false) {
		bool tells = false;
		int list = 0;

		p = scan_member(r, p, first, &key, &more);
		if (!p || !more)
			break;
		p = read_capability(r, p, &tells);
		while (list < REPLY_TEMPLATES &&
		       !text_is(key, lists[list].list,
				strlen(lists[list].list)))
			list++;
		if (tells && list < REPLY_TEMPLATES)
			*changes |= 1u << list;
	}
	return p;
}

static const char *read_result(struct scan *r, const char *p,
			       struct reply *reply)
{
	unsigned seen = 0;
	struct text key;
	bool more;

	if (*p != '{')
		return scan_value(r, p);
	p = scan_enter(r, p);
	for (bool first = true; p; first = false) {
		const char *start;
		int list;

		p = scan_member(r, p, first, &key, &more);
		if (!p || !more)
			break;
		list = find_list(r, key, &seen);
		start = p;
		if (text_is(key, "capabilities", 12)) {
			reply->greets = true;
			p = read_capabilities(r, p, &reply->changes);
		} else {
			p = scan_value(r, p);
		}
		if (p && list < REPLY_LISTS && *start == '[') {
			reply->lists[list].ptr = start;
			reply->lists[list].len = (size_t)(p - start);
			reply->kind = REPLY_LIST;
		}
	}
	return p;
}

static const char *read_id(struct scan *r, const char *p, struct reply *reply)
{
	const char *start = p;

	p = scan_value(r, p);
	if (p) {
		reply->id.ptr = start;
		reply->id.len = (size_t)(p - start);
	}
	return p;
}

static const char *read_message(struct scan *r, const char *p,
				struct reply *reply)
{
	struct text key;
	unsigned seen = 0;
	bool more;

	p = scan_enter(r, p);
	for (bool first = true; p; first = false) {
		p = scan_member(r, p, first, &key, &more);
		if (!p || !more)
			break;
		switch (read_top(r, key, &seen)) {
		case TOP_ID:
			p = read_id(r, p, reply);
			break;
		case TOP_RESULT:
			p = read_result(r, p, reply);
			break;
		default:
			p = scan_value(r, p);
		}
	}
	reply->answers = seen & (1u << TOP_RESULT | 1u << TOP_ERROR);
	if (!p || seen & ID_UNCLEAR)
		reply->id.ptr = NULL;
	return p;
}

/* Do these bytes stand at p? */
static bool stands(const struct scan *r, const char *p, const char *bytes)
{
	size_t len = strlen(bytes);

	return (size_t)(r->end - p) >= len && memcmp(p, bytes, len) == 0;
}

/* Past what some reader strips before it looks: white space, control bytes,
 * NBSP, a byte order mark. */
static const char *strip(const struct scan *r, const char *p)
{
	for (;;) {
		if (stands(r, p, "\xC2\xA0"))
			p += 2;
		else if (stands(r, p, "\xEF\xBB\xBF"))
			p += 3;
		else if (p < r->end && ((unsigned char)*p <= ' ' || *p == 0x7F))
			p++;
		else
			return p;
	}
}

/* An object, or an array of them; "[INFO] ..." is neither. */
static bool begins_like_message(struct scan *r, const char *p)
{
	p = strip(r, p);
	if (p < r->end && *p == '[')
		p = strip(r, p + 1);
	return p < r->end && *p == '{';
}

void reply_read(const char *line, size_t len, struct reply *reply)
{
	struct scan r;
	const char *p;

	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	memset(reply, 0, sizeof(*reply));
	r = scan_begin(line, len);
	if (!begins_like_message(&r, line)) {
		reply->kind = REPLY_NOISE;
		return;
	}
	reply->kind = REPLY_OTHER;
	p = scan_space(&r, line);
	if (*p == '{')
		p = read_message(&r, p, reply);
	else
		p = scan_fail(&r, p, *p == '[' ? "a batch" : "not JSON");
	if (p && !scan_end(&r, p))
		reply->id.ptr = NULL;
	reply->fault = r.fault;
	if (r.fault.reason)
		reply->kind = REPLY_UNREAD;
}

/* An element, which is JSON already, and the name that it has for certain. */
static const char *read_element(struct scan *r, const char *p, const char *word,
				struct text *name)
{
	size_t len = strlen(word);
	struct text key, text;
	int names = 0;
	bool more;

	name->ptr = NULL;
	if (*p != '{')
		return scan_value(r, p);
	p = scan_enter(r, p);
	for (bool first = true;; first = false) {
		p = scan_member(r, p, first, &key, &more);
		if (!more)
			break;
		if (!text_resembles(key, word, len)) {
			p = scan_value(r, p);
			continue;
		}
		if (*p == '"' && text_is(key, word, len) && names == 0) {
			p = scan_string(r, p, &text);
			*name = text;
		} else {
			p = scan_value(r, p);
			name->ptr = NULL;
		}
		names++;
	}
	if (name->ptr && name->flags & (TEXT_NUL | TEXT_LONE))
		name->ptr = NULL;
	return p;
}

/* Bytes of an array on their way to where they are kept. */
struct copy {
	const char *from;
	size_t last; /* what is before was kept, or left out */
	char *to;
	size_t used;
};

static void keep_until(struct copy *c, size_t at)
{
	memmove(c->to + c->used, c->from + c->last, at - c->last);
	c->used += at - c->last;
	c->last = at;
}

size_t list_cut(struct span array, enum reply_list list, list_keep *keep,
		void *context, char *out, size_t *cut)
{
	struct copy c = {.from = array.ptr, .to = out};
	struct scan r = scan_begin(array.ptr, array.len);
	const char *p = scan_enter(&r, array.ptr);
	bool more, kept = false;

	*cut = 0;
	/* It is JSON, or reply_read() had not found it: no step can fail. */
	for (bool first = true;; first = false) {
		struct text name = {.ptr = NULL};
		size_t start;

		p = scan_element(&r, p, first, &more);
		if (!more)
			break;
		start = (size_t)(p - array.ptr);
		/* Before the first: white space, which stays as it is. */
		if (first)
			keep_until(&c, start);
		p = read_element(&r, p, lists[list].name, &name);
		if (keep(context, list, name)) {
			/* The first that is kept has no comma before it. */
			if (!kept)
				c.last = start;
			keep_until(&c, (size_t)(p - array.ptr));
			kept = true;
		} else {
			c.last = (size_t)(p - array.ptr);
			(*cut)++;
		}
	}
	keep_until(&c, array.len);
	return c.used;
}
