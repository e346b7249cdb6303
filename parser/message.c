/* One line from the client.  The contract is in message.h. */
#include "message.h"

#include <string.h>

enum top {
	TOP_JSONRPC,
	TOP_ID,
	TOP_METHOD,
	TOP_PARAMS,
	TOP_RESULT,
	TOP_ERROR,
	TOP_COUNT,
};

/* The keys that decide what a message is, those of the top first. */
static const struct word {
	const char *ptr;
	size_t len;
} deciding[] = {
#define WORD(s)                                                                \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}
	WORD("jsonrpc"),        WORD("id"),           WORD("method"),
	WORD("params"),         WORD("result"),       WORD("error"),
	WORD("name"),           WORD("arguments"),    WORD("uri"),
	WORD("_meta"),          WORD("task"),         WORD("cursor"),
	WORD("inputResponses"), WORD("requestState"),
};
enum { DECIDING = sizeof(deciding) / sizeof(deciding[0]) };
#define DECIDING_BYTES 14 /* the longest of them */
enum { KEY_NAME = TOP_COUNT, KEY_ARGUMENTS, KEY_URI, KEY_META };

static const struct method {
	struct word word;
	enum message_method method;
} weighed[] = {
	{WORD("tools/call"), METHOD_TOOLS_CALL},
	{WORD("tools/list"), METHOD_TOOLS_LIST},
	{WORD("prompts/get"), METHOD_PROMPTS_GET},
	{WORD("resources/read"), METHOD_RESOURCES_READ},
	{WORD("prompts/list"), METHOD_PROMPTS_LIST},
	{WORD("initialize"), METHOD_INITIALIZE},
	{WORD("resources/list"), METHOD_RESOURCES_LIST},
	{WORD("resources/templates/list"), METHOD_TEMPLATES_LIST},
};
enum { WEIGHED = sizeof(weighed) / sizeof(weighed[0]) };

static const char version_key[] = "io.modelcontextprotocol/protocolVersion";

/* One line being read: the message and what is needed to judge its shape. */
struct line {
	struct scan r;
	struct message *m;
	unsigned seen;          /* the members of the top, a bit each */
	const char *params;     /* where params begin, for offsets */
	const char *name_fault; /* name is there, but is no string */
	const char *uri_fault;
	const char *arguments_fault; /* arguments is there, but no object */
	bool id_valid;
	bool id_unclear; /* there is another that some readers take */
	bool id_null;
};

/* The keys of params met so far, to find one that comes twice.  Their hashes
 * stand for them: two keys of one hash, which nobody has by accident, are
 * refused like two of one name, and no line costs more than its length. */
struct keys {
	uint64_t hash[MESSAGE_PARAMS_MAX];
	size_t count;
};

/* The place of key among the deciding ones, or -1; a look-alike is in doubt. */
static int decide(struct line *l, const char *p, struct text key)
{
	char folded[DECIDING_BYTES];
	size_t len = text_folded(key, folded, sizeof(folded));

	for (int i = 0; len > 0 && i < DECIDING; i++) {
		if (deciding[i].len != len ||
		    folded[0] != text_fold(deciding[i].ptr[0]) ||
		    !text_resembles(key, deciding[i].ptr, len))
			continue;
		if (text_is(key, deciding[i].ptr, len))
			return i;
		scan_doubt(&l->r, p,
			   "a key that another reader takes for one that "
			   "decides");
		l->id_unclear |= i == TOP_ID && l->r.depth == 1;
	}
	return -1;
}

/* FNV-1a over the code points. */
static uint64_t hash_text(struct text text)
{
	uint64_t hash = 14695981039346656037u;
	int32_t c;

	while ((c = text_next(&text)) >= 0)
		hash = (hash ^ (uint64_t)c) * 1099511628211u;
	return hash;
}

static void note_key(struct line *l, struct keys *k, struct text key,
		     const char *at)
{
	uint64_t hash;

	if (k->count == MESSAGE_PARAMS_MAX) {
		scan_doubt(&l->r, at, "more than 128 members in params");
		return;
	}
	hash = hash_text(key);
	for (size_t i = 0; i < k->count; i++)
		if (k->hash[i] == hash)
			scan_doubt(&l->r, at, "a key of params twice");
	k->hash[k->count++] = hash;
}

/* A string, or any other value: then *fault is where it stands. */
static const char *read_text(struct line *l, const char *p, struct text *text,
			     const char **fault)
{
	if (*p == '"')
		return scan_string(&l->r, p, text);
	*fault = p;
	return scan_value(&l->r, p);
}

static const char *read_meta(struct line *l, const char *p)
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
		if (text_is(key, version_key, sizeof(version_key) - 1))
			l->m->modern = true;
		p = scan_value(&l->r, p);
	}
	return p;
}

static const char *read_param(struct line *l, const char *p, int key)
{
	const char *start = p;

	switch (key) {
	case KEY_NAME:
		return read_text(l, p, &l->m->name, &l->name_fault);
	case KEY_URI:
		return read_text(l, p, &l->m->uri, &l->uri_fault);
	case KEY_META:
		return read_meta(l, p);
	case KEY_ARGUMENTS:
		if (*p != '{')
			l->arguments_fault = p;
		p = scan_value(&l->r, p);
		if (p) {
			l->m->arguments.ptr = start;
			l->m->arguments.len = (size_t)(p - start);
		}
		return p;
	default:
		return scan_value(&l->r, p);
	}
}

static const char *read_params(struct line *l, const char *p)
{
	struct text key;
	struct keys keys;
	bool more;

	l->params = p;
	if (*p != '{') {
		scan_doubt(&l->r, p, "params is not an object");
		return scan_value(&l->r, p);
	}
	keys.count = 0;
	p = scan_enter(&l->r, p);
	for (bool first = true; p; first = false) {
		p = scan_member(&l->r, p, first, &key, &more);
		if (!p || !more)
			break;
		/* Refused already: only the id is still looked for. */
		if (l->r.fault.reason) {
			p = scan_value(&l->r, p);
			continue;
		}
		note_key(l, &keys, key, key.ptr - 1);
		p = read_param(l, p, decide(l, key.ptr - 1, key));
	}
	return p;
}

static bool is_integer(struct span s)
{
	size_t sign = s.ptr[0] == '-';

	if (s.len - sign > MESSAGE_ID_DIGITS)
		return false;
	for (size_t i = sign; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

static const char *read_id(struct line *l, const char *p)
{
	struct text text = {.flags = 0};
	const char *start = p;
	struct span id = {.ptr = p};

	p = *p == '"' ? scan_string(&l->r, p, &text) : scan_value(&l->r, p);
	if (!p)
		return NULL;
	id.len = (size_t)(p - start);
	l->id_null = *start == 'n';
	if (text.ptr) {
		if (text.len > MESSAGE_ID_BYTES)
			scan_doubt(&l->r, start,
				   "an id of more than 256 bytes");
		else if (text.flags & (TEXT_NUL | TEXT_LONE))
			scan_doubt(
				&l->r, start,
				"\\u0000 or an unpaired surrogate in the id");
		else
			l->id_valid = true;
	} else if (*start <= '9') { /* a minus or a digit */
		l->id_valid = is_integer(id);
		if (!l->id_valid)
			scan_doubt(
				&l->r, start,
				"an id that is no integer of at most 19 digits");
	}
	if (l->id_valid)
		l->m->id = id;
	return p;
}

static const char *read_method(struct line *l, const char *p)
{
	struct text text = {.flags = 0};
	const char *fault = NULL, *start = p;

	p = read_text(l, p, &text, &fault);
	if (fault)
		scan_doubt(&l->r, start, "method is not a string");
	if (!p || fault)
		return p;
	l->m->method_text = text;
	if (text.flags & (TEXT_NUL | TEXT_LONE))
		scan_doubt(&l->r, start,
			   "\\u0000 or an unpaired surrogate in the method");
	for (int i = 0; i < WEIGHED; i++) {
		struct word word = weighed[i].word;

		if (text_is(text, word.ptr, word.len))
			l->m->method = weighed[i].method;
		else if (text_resembles(text, word.ptr, word.len))
			scan_doubt(&l->r, start,
				   "a method that another reader takes for "
				   "one that is weighed");
	}
	return p;
}

static const char *read_jsonrpc(struct line *l, const char *p)
{
	struct text text = {.flags = 0};
	const char *fault = NULL, *start = p;

	p = read_text(l, p, &text, &fault);
	if (p && (fault || !text_is(text, "2.0", 3)))
		scan_doubt(&l->r, start, "jsonrpc is not \"2.0\"");
	return p;
}

static const char *read_error(struct line *l, const char *p)
{
	if (*p != '{')
		scan_doubt(&l->r, p, "error is not an object");
	return scan_value(&l->r, p);
}

static const char *read_top(struct line *l, const char *p, int key)
{
	switch (key) {
	case TOP_JSONRPC:
		return read_jsonrpc(l, p);
	case TOP_ID:
		return read_id(l, p);
	case TOP_METHOD:
		return read_method(l, p);
	case TOP_PARAMS:
		l->m->params.ptr = p;
		p = read_params(l, p);
		l->m->params.len = p ? (size_t)(p - l->m->params.ptr) : 0;
		return p;
	case TOP_ERROR:
		return read_error(l, p);
	default:
		return scan_value(&l->r, p);
	}
}

static const char *read_object(struct line *l, const char *p)
{
	struct text key;
	bool more;

	p = scan_enter(&l->r, p);
	for (bool first = true; p; first = false) {
		int top;

		p = scan_member(&l->r, p, first, &key, &more);
		if (!p || !more)
			break;
		top = decide(l, key.ptr - 1, key);
		if (top < 0 || top >= TOP_COUNT) {
			scan_doubt(&l->r, key.ptr - 1,
				   "a member that JSON-RPC does not have");
		} else {
			if (l->seen >> top & 1) {
				scan_doubt(&l->r, key.ptr - 1,
					   "a key of the message twice");
				l->id_unclear |= top == TOP_ID;
			}
			l->seen |= 1u << top;
		}
		p = read_top(l, p, top);
	}
	return p;
}

/* Which of the four shapes of JSON-RPC 2.0 is it (4, 4.1, 5)? */
static void judge_shape(struct line *l, const char *start)
{
	const unsigned version = 1u << TOP_JSONRPC, id = 1u << TOP_ID;
	unsigned seen = l->seen;

	if (!(seen & version)) {
		scan_doubt(&l->r, start, "jsonrpc is missing");
		return;
	}
	seen &= ~version;
	if (seen & 1u << TOP_METHOD) {
		l->m->kind =
			(seen & id) ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
		seen &= ~(id | 1u << TOP_METHOD | 1u << TOP_PARAMS);
	} else if (seen == (id | 1u << TOP_RESULT)) {
		l->m->kind = MESSAGE_RESULT;
		seen = 0;
	} else if (seen == (id | 1u << TOP_ERROR)) {
		l->m->kind = MESSAGE_ERROR;
		seen = 0;
		/* An error without a request to blame has a null id. */
		if (l->id_null)
			return;
	} else {
		seen = 1;
	}
	if (seen)
		scan_doubt(&l->r, start,
			   "neither a request, a notification, a result "
			   "nor an error");
	if (l->m->kind != MESSAGE_NOTIFICATION && !l->id_valid)
		scan_doubt(&l->r, start,
			   "an id that is neither an integer nor a string");
}

static void judge_text(struct line *l, struct text text, const char *fault,
		       size_t max, const char *what)
{
	const char *at = fault ? fault : text.ptr ? text.ptr - 1 : l->params;

	if (!text.ptr || text.len > max)
		scan_doubt(&l->r, at ? at : l->r.begin, what);
	else if (text.flags & (TEXT_NUL | TEXT_LONE))
		scan_doubt(&l->r, at,
			   "\\u0000 or an unpaired surrogate in a name");
}

static void judge_arguments(struct line *l)
{
	if (l->arguments_fault)
		scan_doubt(&l->r, l->arguments_fault,
			   "arguments is not an object");
}

/* What a call, a prompt or a resource names must be there and plain. */
static void judge_params(struct line *l)
{
	switch (l->m->method) {
	case METHOD_TOOLS_CALL:
	case METHOD_PROMPTS_GET:
		judge_text(l, l->m->name, l->name_fault, MESSAGE_NAME_BYTES,
			   "params has no name that is a string of at most "
			   "1024 bytes");
		judge_arguments(l);
		break;
	case METHOD_RESOURCES_READ:
		judge_text(l, l->m->uri, l->uri_fault, SIZE_MAX,
			   "params has no uri that is a string");
		judge_arguments(l);
		break;
	default:
		break;
	}
}

static void read_line(struct line *l)
{
	const char *start = scan_space(&l->r, l->r.begin), *p = start;

	if (l->r.end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
		scan_fail(&l->r, p, "a byte order mark");
		return;
	}
	if (p < l->r.end && *p == '{') {
		p = read_object(l, p);
	} else {
		scan_doubt(&l->r, p,
			   p < l->r.end && *p == '[' ? "a batch: MCP has none"
						     : "not an object");
		p = scan_value(&l->r, p);
	}
	if (p)
		p = scan_end(&l->r, p);
	if (!p) {
		l->id_valid = false;
		return;
	}
	judge_shape(l, start);
	judge_params(l);
}

bool message_read(const char *line, size_t len, struct message *m,
		  struct fault *fault)
{
	struct line l = {.r = scan_begin(line, len), .m = m};

	memset(m, 0, sizeof(*m));
	read_line(&l);
	/* The id of a response is the server's: to answer with it would end
	 * the client's own request of that number. */
	if (!l.id_valid || l.id_unclear ||
	    (l.r.fault.reason && !(l.seen >> TOP_METHOD & 1))) {
		m->id.ptr = NULL;
		m->id.len = 0;
	}
	*fault = l.r.fault;
	return !fault->reason;
}

bool message_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}
