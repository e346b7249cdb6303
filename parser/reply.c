/* Lists in the server's lines.  The contract is in reply.h. */
#include "reply.h"
#include "scan_simd.h"
#include "scan_step.h"

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
			scan_refuse(r, key.ptr, "a key in another case");
		if (*seen >> i & 1)
			scan_refuse(r, key.ptr, "a key twice");
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
			scan_refuse(r, key.ptr, "a list twice");
		if (!text_is(key, word, len))
			scan_refuse(r, key.ptr, "a key in another case");
		*seen |= 1u << i;
		return i;
	}
	return REPLY_LISTS;
}

/* Bytes on their way to where they are kept. */
struct copy {
	const char *from;
	size_t last; /* what is before was kept, or left out */
	char *to;
	size_t used;
	size_t cut; /* elements left out */
};

/* A line being read; copy is NULL if nothing is to be left out of it. */
struct line {
	struct scan r;
	struct reply *reply;
	struct copy *copy;
	list_keep *keep;
	void *context;
	unsigned seen;   /* the members of the top, a bit each */
	unsigned listed; /* the lists of the result, the same */
	bool promised;   /* the capability has listChanged: true */
};

static void begin_line(struct line *l, const char *text, size_t len,
		       struct reply *reply)
{
	step_begin(&l->r, text, len);
	l->reply = reply;
	l->copy = NULL;
	l->seen = 0;
}

static void keep_until(struct line *l, size_t at)
{
	struct copy *c = l->copy;
	const char *from = c->from + c->last;
	char *to = c->to + c->used;
	size_t len = at - c->last;
	struct span *id = &l->reply->id;

	if (to != from)
		memmove(to, from, len);
	if (id->ptr && id->ptr >= from)
		id->ptr = to + (id->ptr - from);
	c->used += len;
	c->last = at;
}

/* An element, and the name that it has for certain. */
static const char *read_element(struct scan *r, const char *p, const char *word,
				size_t len, struct text *name)
{
	struct text key;
	int names = 0;
	bool more;

	if (*p != '{')
		return scan_value(r, p);
	p = scan_enter(r, p);
	p = step_first(r, p, '}', &more);
	while (p && more) {
		bool is;

		p = step_key(r, p, &key);
		if (!p)
			return NULL;
		is = key.len == len && memcmp(key.ptr, word, len) == 0;
		if (!is && (step_differs(&key, word) ||
			    !text_resembles(key, word, len))) {
			p = scan_value(r, p);
		} else if (*p == '"' && names++ == 0 &&
			   (is || text_is(key, word, len))) {
			p = step_string(r, p, name);
		} else {
			p = scan_value(r, p);
			name->ptr = NULL;
			names = 1;
		}
		if (p)
			p = step_next(r, p, '}', &more);
	}
	if (name->ptr && name->flags & (TEXT_NUL | TEXT_LONE))
		name->ptr = NULL;
	return p;
}

/* The array of a list, whose begin is p, without what is not kept. */
static const char *cut_list(struct line *l, const char *p, enum reply_list list)
{
	const char *const word = lists[list].name, *const begin = l->r.begin;
	const size_t len = strlen(word);
	struct copy *c = l->copy;
	bool more, kept = false, cut = false;
	size_t until; /* what is before is kept, unless it was left out */

	p = scan_enter(&l->r, p);
	p = step_first(&l->r, p, ']', &more);
	until = p ? (size_t)(p - begin) : 0;
	while (p && more) {
		size_t start = (size_t)(p - begin);
		struct text name = {.ptr = NULL};
		struct span item = {.ptr = p};

		p = read_element(&l->r, p, word, len, &name);
		if (!p)
			return NULL;
		item.len = (size_t)(p - item.ptr);
		if (l->keep(l->context, list, name, item)) {
			/* The first that is kept has no comma before it. */
			if (cut && !kept)
				c->last = start;
			kept = true;
			until = (size_t)(p - begin);
		} else {
			if (c->last < until)
				keep_until(l, until);
			c->last = (size_t)(p - begin);
			c->cut++;
			cut = true;
		}
		p = step_next(&l->r, p, ']', &more);
	}
	return p;
}

/* Past the object at p, after read() has gone past the value of each member;
 * any other value is skipped. */
typedef const char *member(struct line *l, const char *p, struct text key);
static const char *each_member(struct line *l, const char *p, member *read)
{
	struct text key;
	bool more;

	if (*p != '{')
		return scan_value(&l->r, p);
	p = scan_enter(&l->r, p);
	for (bool first = true; p; first = false) {
		p = scan_member(&l->r, p, first, &key, &more);
		if (!p || !more)
			break;
		p = read(l, p, key);
	}
	return p;
}

/* One server capability: {"listChanged": true, ...}. */
static const char *in_capability(struct line *l, const char *p, struct text key)
{
	if (text_is(key, "listChanged", 11))
		l->promised = *p == 't';
	return scan_value(&l->r, p);
}

/* The capabilities of the server (MCP, initialize). */
static const char *in_capabilities(struct line *l, const char *p,
				   struct text key)
{
	l->promised = false;
	p = each_member(l, p, in_capability);
	for (int i = 0; i < REPLY_TEMPLATES && l->promised; i++)
		if (text_is(key, lists[i].list, strlen(lists[i].list)))
			l->reply->changes |= 1u << i;
	return p;
}

/* The _meta of a result, which has who the server is (MCP 2026-07-28). */
static const char *in_meta(struct line *l, const char *p, struct text key)
{
	static const char info[] = "io.modelcontextprotocol/serverInfo";

	if (text_is(key, info, sizeof(info) - 1))
		return read_element(&l->r, p, "name", 4, &l->reply->server);
	return scan_value(&l->r, p);
}

static const char *in_result(struct line *l, const char *p, struct text key)
{
	struct reply *reply = l->reply;
	const char *start = p;
	/* What is kept may come to lie over its begin. */
	const bool array = *p == '[';
	const int list = find_list(&l->r, key, &l->listed);

	if (text_is(key, "nextCursor", 10))
		reply->more = *p == '"';
	if (text_is(key, "capabilities", 12)) {
		reply->greets = true;
		p = each_member(l, p, in_capabilities);
	} else if (text_is(key, "serverInfo", 10)) {
		p = read_element(&l->r, p, "name", 4, &reply->server);
	} else if (text_is(key, "_meta", 5)) {
		p = each_member(l, p, in_meta);
	} else if (l->copy && list < REPLY_LISTS && array) {
		p = cut_list(l, p, (enum reply_list)list);
	} else {
		p = scan_value(&l->r, p);
	}
	if (p && list < REPLY_LISTS && array) {
		reply->lists[list].ptr = start;
		reply->lists[list].len = (size_t)(p - start);
		reply->kind = REPLY_LIST;
	}
	return p;
}

static const char *in_message(struct line *l, const char *p, struct text key)
{
	struct reply *reply = l->reply;
	const char *start = p;

	switch (read_top(&l->r, key, &l->seen)) {
	case TOP_ID:
		p = scan_value(&l->r, p);
		if (p)
			reply->id = (struct span){start, (size_t)(p - start)};
		return p;
	case TOP_RESULT:
		l->listed = 0;
		p = each_member(l, p, in_result);
		reply->result.ptr = start;
		reply->result.len = p ? (size_t)(p - start) : 0;
		return p;
	default:
		return scan_value(&l->r, p);
	}
}

static const char *read_message(struct line *l, const char *p)
{
	p = each_member(l, p, in_message);
	l->reply->answers = l->seen & (1u << TOP_RESULT | 1u << TOP_ERROR);
	if (!p || l->seen & ID_UNCLEAR)
		l->reply->id.ptr = NULL;
	return p;
}

/* Does some reader strip it before it looks?  White space, control bytes, and
 * the bytes of NBSP and of a byte order mark, which may come one by one. */
static bool is_blank(const char *p)
{
	return byte(p) <= ' ' || *p == 0x7F ||
	       memchr("\xC2\xA0\xEF\xBB\xBF", *p, 5);
}

static const char *strip(const char *p, const char *end)
{
	while (p < end && is_blank(p))
		p++;
	return p;
}

/* An object, or an array of them; "[INFO] ..." is neither. */
static bool begins_like_message(const char *p, const char *end)
{
	p = strip(p, end);
	if (p < end && *p == '[')
		p = strip(p + 1, end);
	return p < end && *p == '{';
}

/* Is this a list that some reader may take?  alone: only if nothing follows
 * it. */
static bool is_list(const char *p, const char *end, bool alone)
{
	struct reply reply = {.kind = REPLY_OTHER};
	struct line l;
	const char *after;

	begin_line(&l, p, (size_t)(end - p), &reply);
	after = read_message(&l, p);
	if (after && alone && strip(after, end) < end)
		return false;
	/* What is no JSON at all is none to anybody. */
	return l.r.fault.reason ? !l.r.fault.grammar : reply.kind == REPLY_LIST;
}

/* The last byte before p that tells whether a message can begin at p: past
 * what is stripped, but a CR, and past the begin of a batch. */
static char last_before(const char *begin, const char *p, char before)
{
	bool batch = false;

	while (p-- > begin) {
		if (*p == '\r' || (!is_blank(p) && (*p != '[' || batch)))
			return *p;
		batch |= *p == '[';
	}
	return before;
}

/* Some clients take a CR for a line's end, and some look for JSON behind other
 * words, or behind the end of another message, which began on another line:
 * what they would find is in doubt. */
static void look_into_noise(struct scan *r, const char *line)
{
	const char *p = line;
	bool first = true;

	while ((p = memchr(p, '\r', (size_t)(r->end - p)))) {
		/* Past all that is dropped, so that no byte is met often. */
		p = strip(p, r->end);
		if (begins_like_message(p, r->end)) {
			scan_refuse(r, p, "a message behind a CR");
			return;
		}
	}
	for (p = line; (p = memchr(p, '{', (size_t)(r->end - p))); p++) {
		char before = last_before(line, p, 0);
		bool behind = before == '}' || (before == ']' && *line != '[');

		if ((first || behind) && is_list(p, r->end, !behind)) {
			scan_refuse(r, p, "a list behind other words");
			return;
		}
		first = false;
	}
}

static void read_line(struct line *l, const char *line, size_t len)
{
	struct reply *reply = l->reply;
	struct scan *r = &l->r;
	const char *p;

	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	memset(reply, 0, sizeof(*reply));
	step_begin(r, line, len);
	if (!begins_like_message(line, r->end)) {
		look_into_noise(r, line);
		reply->fault = r->fault;
		reply->kind = r->fault.reason ? REPLY_UNREAD : REPLY_NOISE;
		return;
	}
	reply->kind = REPLY_OTHER;
	/* White space, and a byte order mark or the rest of one, begin no line:
	 * who takes it at all finds the same behind them. */
	for (p = line; memchr(" \t\r\xEF\xBB\xBF", *p, 6);)
		p++;
	if (*p == '{')
		p = read_message(l, p);
	else
		p = scan_fail(r, p, *p == '[' ? "a batch" : "not JSON");
	if (p && !scan_end(r, p))
		reply->id.ptr = NULL;
	reply->fault = r->fault;
	if (r->fault.reason)
		reply->kind = REPLY_UNREAD;
}

void half_add(struct half *half, const char *p, size_t len)
{
	const char *lf = scan_last(p, len, '\n'), *end = p + len;

	if (lf) {
		*half = (struct half){0};
		p = lf + 1;
	}
	half->last = last_before(p, end, half->last);
	if (!half->first && (p = strip(p, end)) < end)
		half->first = *p;
}

size_t reply_rest(const struct half *half, const char *p, size_t len,
		  bool whole)
{
	const char *end = p + len, *at = p;
	/* Some look for the first object behind other words. */
	bool begins = half->first != '{';

	for (; (at = memchr(at, '{', (size_t)(end - at))); at++) {
		char before = last_before(p, at, half->last);

		begins |= before != ':' && before != ',' && before != '[';
		if (begins && (!whole || is_list(at, end, false)))
			return (size_t)(at - p);
		begins = false;
	}
	return len;
}

void reply_read(const char *line, size_t len, struct reply *reply)
{
	struct line l;

	begin_line(&l, line, len, reply);
	read_line(&l, line, len);
}

size_t reply_cut(char *line, size_t len, list_keep *keep, void *context,
		 struct reply *reply)
{
	struct copy copy = {.from = line, .to = line};
	struct line l;

	begin_line(&l, line, len, reply);
	l.copy = &copy;
	l.keep = keep;
	l.context = context;
	read_line(&l, line, len);
	if (reply->kind == REPLY_LIST && copy.cut > 0)
		keep_until(&l, len);
	return copy.cut > 0 ? copy.used : len;
}

size_t list_cut(struct span array, enum reply_list list, list_keep *keep,
		void *context, char *out, size_t *cut)
{
	struct copy copy = {.from = array.ptr, .to = out};
	struct reply none = {.kind = REPLY_LIST};
	struct line l;

	begin_line(&l, array.ptr, array.len, &none);
	l.copy = &copy;
	l.keep = keep;
	l.context = context;
	/* It is JSON, or reply_read() had not found it: no step can fail. */
	cut_list(&l, array.ptr, list);
	keep_until(&l, array.len);
	*cut = copy.cut;
	return copy.used;
}
