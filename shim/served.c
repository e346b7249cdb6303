/* Answers among the server's lines.  The contract is in served.h. */
#include "served.h"

#include "../parser/elicit.h"
#include "../parser/scan_simd.h"

#include <stdlib.h>
#include <string.h>

struct served {
	size_t count;                       /* of the calls that are awaited */
	unsigned short order[SERVED_CALLS]; /* these first, by age; then the
					       free places, the last first */
	bool blind;             /* the begin of the line was not seen */
	size_t len;             /* bytes of it before those that come now */
	char head[SERVED_LOOK]; /* the first of them */
	char tail[SERVED_LOOK]; /* the last; all, if there are fewer */
	struct served_call calls[SERVED_CALLS];
};

struct served *served_new(void)
{
	struct served *s = calloc(1, sizeof(*s));

	for (unsigned short i = 0; s && i < SERVED_CALLS; i++)
		s->order[i] = i;
	return s;
}

void served_free(struct served *s)
{
	free(s);
}

bool served_waits(const struct served *s)
{
	return s && s->count > 0;
}

/* Forgets the call of this age; its place is the next to be used, so that few
 * places are ever touched. */
static void forget(struct served *s, size_t at)
{
	unsigned short place = s->order[at];

	s->count--;
	memmove(&s->order[at], &s->order[at + 1],
		(s->count - at) * sizeof(place));
	s->order[s->count] = place;
}

struct served_call *served_add(struct served *s, struct span id, bool half)
{
	struct served_call *call;

	if (s->count == 0) {
		s->blind = half;
		s->len = 0;
	}
	if (s->count == SERVED_CALLS)
		forget(s, 0);
	call = &s->calls[s->order[s->count++]];
	*call = (struct served_call){.id_len = (unsigned short)id.len};
	memcpy(call->id, id.ptr, id.len);
	return call;
}

void served_break(struct served *s)
{
	s->blind = false;
	s->len = 0;
}

/* ---- the ends of a line ---------------------------------------------- */

/* What the top level has, as far as it is here. */
struct look {
	struct span id;
	bool clear; /* there is one id, perhaps met from both ends */
	bool ended; /* with the brace that a message ends with */
	bool answers, error, method;
};

static bool is(struct span token, const char *text)
{
	return token.len == strlen(text) &&
	       memcmp(token.ptr, text, token.len) == 0;
}

/* A member: its key, and the first token of its value, if that is here. */
static void note(struct look *l, size_t depth, struct span key,
		 struct span value)
{
	if (depth == 2 && is(key, "\"isError\""))
		l->error |= value.ptr && is(value, "true");
	if (depth != 1)
		return;
	l->method |= is(key, "\"method\"");
	l->answers |= is(key, "\"result\"") || is(key, "\"error\"");
	if (!value.ptr)
		return;
	l->error |= is(key, "\"error\"") && !is(value, "null");
	if (is(key, "\"id\"")) {
		l->clear = !l->id.ptr ||
			   (l->clear && l->id.len == value.len &&
			    memcmp(l->id.ptr, value.ptr, value.len) == 0);
		l->id = value;
	}
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_sign(char c)
{
	return memchr("{}[]:,\"", c, 7) || is_space(c);
}

/* The token at p or behind it; none if its end is not here. */
static struct span next_token(const char *p, const char *end)
{
	const char *q, *from;

	while (p < end && is_space(*p))
		p++;
	from = p;
	if (p < end && *p == '"') {
		do {
			p = memchr(p + 1, '"', (size_t)(end - p) - 1);
			for (q = p; p && q[-1] == '\\';)
				q--;
		} while (p && (p - q) % 2 != 0);
		p = p ? p + 1 : end + 1;
	} else if (p < end && is_sign(*p)) {
		p++;
	} else {
		while (p < end && !is_sign(*p))
			p++;
		p += p == end;
	}
	if (p > end)
		return (struct span){.ptr = NULL};
	return (struct span){.ptr = from, .len = (size_t)(p - from)};
}

/* The token that ends at p or before it; none if its begin is not here. */
static struct span token_before(const char *begin, const char *p)
{
	const char *q, *to;

	while (p > begin && is_space(p[-1]))
		p--;
	to = p;
	if (p == begin)
		return (struct span){.ptr = NULL};
	p--;
	if (*p == '"') {
		/* A quote behind an odd number of backslashes is inside. */
		do {
			p = scan_last(begin, (size_t)(p - begin), '"');
			for (q = p; p && q > begin && q[-1] == '\\';)
				q--;
		} while (p && q > begin && (p - q) % 2 != 0);
		if (!p || q == begin)
			return (struct span){.ptr = NULL};
	} else if (!is_sign(*p)) {
		while (p > begin && !is_sign(p[-1]))
			p--;
		if (p == begin)
			return (struct span){.ptr = NULL};
	}
	return (struct span){.ptr = p, .len = (size_t)(to - p)};
}

/* False: this is no begin of a message. */
static bool look_forwards(struct look *l, const char *p, const char *end)
{
	struct span before = {.ptr = NULL}, key = before, token;
	size_t depth = 0;

	while (p < end && memchr(" \t\r\xEF\xBB\xBF", *p, 6))
		p++;
	if (p == end || *p != '{')
		return false;
	while ((token = next_token(p, end)).ptr) {
		const char c = *token.ptr;

		if (key.ptr)
			note(l, depth, key, token);
		key.ptr = NULL;
		if (c == ':' && before.ptr && *before.ptr == '"') {
			key = before;
			note(l, depth, key, (struct span){.ptr = NULL});
		}
		depth += c == '{' || c == '[';
		if ((c == '}' || c == ']') && --depth == 0) {
			l->ended = true;
			break;
		}
		before = token;
		p = token.ptr + token.len;
	}
	return true;
}

static void look_backwards(struct look *l, const char *begin, const char *p)
{
	struct span behind = {.ptr = NULL}, value = behind, token;
	size_t depth = 0;

	while ((token = token_before(begin, p)).ptr) {
		const char c = *token.ptr;

		if (depth == 0 && c != '}')
			return;
		l->ended = true;
		if (c == '"' && value.ptr)
			note(l, depth, token, value);
		value = c == ':' ? behind : (struct span){.ptr = NULL};
		depth += c == '}' || c == ']';
		if ((c == '{' || c == '[') && --depth == 0)
			return;
		behind = token;
		p = token.ptr;
	}
}

/* ---- lines ----------------------------------------------------------- */

/* Which of the calls has this id?  What begins like a string has to be one. */
static const struct served_call *find(struct served *s, struct span id)
{
	char copy[SERVED_LOOK + 1];
	struct text text;
	struct scan r;

	if (*id.ptr == '"') {
		memcpy(copy, id.ptr, id.len);
		copy[id.len] = '\n';
		scan_begin(&r, copy, id.len);
		if (scan_string(&r, copy, &text) != copy + id.len)
			return NULL;
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct served_call *call = &s->calls[s->order[i]];

		if (!elicit_same_id((struct span){call->id, call->id_len}, id))
			continue;
		forget(s, i);
		return call;
	}
	return NULL;
}

/* Keeps the first and the last of so many bytes more of the line. */
static void keep(struct served *s, const char *p, size_t len)
{
	size_t room = s->len < SERVED_LOOK ? SERVED_LOOK - s->len : 0;
	size_t had = s->len < SERVED_LOOK ? s->len : SERVED_LOOK;
	size_t old = len < SERVED_LOOK ? SERVED_LOOK - len : 0;

	memcpy(s->head + s->len * (room > 0), p, room < len ? room : len);
	s->len += len;
	if (len > SERVED_LOOK) {
		p += len - SERVED_LOOK;
		len = SERVED_LOOK;
	}
	old = had < old ? had : old;
	memmove(s->tail, s->tail + had - old, old);
	memcpy(s->tail + old, p, len);
}

size_t served_take(struct served *s, const char *p, size_t len,
		   struct served_line *line)
{
	const char *lf = memchr(p, '\n', len), *head = s->head, *tail = s->tail;
	struct look l = {.answers = false};
	size_t n = lf ? (size_t)(lf - p) : len, most;

	*line = (struct served_line){.call = NULL};
	if (s->len > 0 || !lf)
		keep(s, p, n);
	else
		head = tail = p, s->len = n;
	if (!lf)
		return n;
	line->bytes = s->len;
	most = s->len < SERVED_LOOK ? s->len : SERVED_LOOK;
	if (tail == p)
		tail += n - most;
	if (!s->blind && look_forwards(&l, head, head + most) &&
	    s->len > SERVED_LOOK)
		look_backwards(&l, tail, tail + most);
	if (l.ended && l.answers && l.clear && !l.method)
		line->call = find(s, l.id);
	line->error = l.error;
	served_break(s);
	return n + 1;
}
