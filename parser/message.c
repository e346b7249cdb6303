/* One line from the client.  The contract is in message.h. */
#include "message.h"
#include "scan_step.h"

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
	const char *taken; /* the reason against what only resembles it */
} deciding[] = {
#define WORD(what, s)                                                          \
	{                                                                      \
		s, sizeof(s) - 1, what " that some servers take for \"" s "\"" \
	}
#define KEY(s) WORD("a key", s)
	KEY("jsonrpc"),        KEY("id"),           KEY("method"),
	KEY("params"),         KEY("result"),       KEY("error"),
	KEY("name"),           KEY("arguments"),    KEY("uri"),
	KEY("_meta"),          KEY("task"),         KEY("cursor"),
	KEY("inputResponses"), KEY("requestState"),
};
enum { DECIDING = sizeof(deciding) / sizeof(deciding[0]) };
#define DECIDING_BYTES 14 /* the longest of them */
enum {
	KEY_NAME = TOP_COUNT,
	KEY_ARGUMENTS,
	KEY_URI,
	KEY_META,
	KEY_TASK,
	KEY_CURSOR,
};

static const struct method {
	struct word word;
	enum message_method method;
} judged[] = {
#define METHOD(s) WORD("a method", s)
	{METHOD("tools/call"), METHOD_TOOLS_CALL},
	{METHOD("tools/list"), METHOD_TOOLS_LIST},
	{METHOD("prompts/get"), METHOD_PROMPTS_GET},
	{METHOD("resources/read"), METHOD_RESOURCES_READ},
	{METHOD("prompts/list"), METHOD_PROMPTS_LIST},
	{METHOD("initialize"), METHOD_INITIALIZE},
	{METHOD("resources/list"), METHOD_RESOURCES_LIST},
	{METHOD("resources/templates/list"), METHOD_TEMPLATES_LIST},
	{METHOD("completion/complete"), METHOD_COMPLETE},
	{METHOD("resources/subscribe"), METHOD_SUBSCRIBE},
	{METHOD("subscriptions/listen"), METHOD_LISTEN},
};
enum { JUDGED = sizeof(judged) / sizeof(judged[0]) };

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

/* A key, and what it is among the deciding ones. */
struct key {
	struct text text;
	int which; /* its place there, or -1 */
	int alike; /* that of another one, which some reader takes it for */
};

/* The keys of params met so far, to find one that comes twice: a bit for each
 * deciding one, hashes for the others.  Two keys of one hash, which nobody has
 * by accident, are refused like two of one name, and no line costs more than
 * its length. */
struct keys {
	unsigned deciding;
	size_t count;  /* of all */
	size_t hashes; /* of the others */
	uint64_t hash[MESSAGE_PARAMS_MAX];
};

/* The first letters of the deciding keys, a bit each. */
#define LETTER(c) (1u << ((c)&31))
static const unsigned letters = LETTER('j') | LETTER('i') | LETTER('m') |
				LETTER('p') | LETTER('r') | LETTER('e') |
				LETTER('n') | LETTER('a') | LETTER('u') |
				LETTER('_') | LETTER('t') | LETTER('c');

/* Compares the key with each, as the most careless reader does. */
static void compare(struct key *key)
{
	char folded[DECIDING_BYTES], c = '\0';
	size_t len;

	key->alike = -1;
	key->which = -1;
	if (key->text.len > 0)
		c = *key->text.ptr;
	/* Most begin with a letter that none of them begins with, and that
	 * nothing folds or drops. */
	if (c > ' ' && c < 0x7F && c != '\\' && !(letters & LETTER(c)))
		return;
	len = text_folded(key->text, folded, sizeof(folded));
	for (int i = 0; len > 0 && i < DECIDING; i++) {
		if (deciding[i].len != len ||
		    folded[0] != text_fold(deciding[i].ptr[0]) ||
		    !text_resembles(key->text, deciding[i].ptr, len))
			continue;
		if (text_is(key->text, deciding[i].ptr, len))
			key->which = i;
		else
			key->alike = i;
		return;
	}
}

/* Reads any key, up to its value.  One that only looks like a deciding one is
 * in doubt. */
static const char *read_key(struct line *l, const char *p, struct key *key)
{
	key->text.ptr = NULL;
	key->text.len = 0;
	key->text.flags = 0;
	p = step_key(&l->r, p, &key->text);
	if (!p)
		return NULL;
	compare(key);
	if (key->alike >= 0)
		scan_refuse(&l->r, key->text.ptr - 1,
			    deciding[key->alike].taken);
	l->id_unclear |= key->alike == TOP_ID && l->r.depth == 1;
	return p;
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

/* A key of params: is it there twice? */
static void note_key(struct line *l, struct keys *k, const struct key *key)
{
	const char *at = key->text.ptr - 1;
	uint64_t hash;
	bool twice = false;

	if (k->count++ >= MESSAGE_PARAMS_MAX) {
		scan_refuse(&l->r, at, "more than 128 members in params");
		return;
	}
	if (key->which >= 0) {
		twice = k->deciding >> key->which & 1;
		k->deciding |= 1u << key->which;
	} else {
		hash = hash_text(key->text);
		for (size_t i = 0; i < k->hashes; i++)
			twice |= k->hash[i] == hash;
		k->hash[k->hashes++] = hash;
	}
	if (twice)
		scan_refuse(&l->r, at, "a key of params twice");
}

/* A string, or any other value: then *fault is where it stands. */
static const char *read_text(struct line *l, const char *p, struct text *text,
			     const char **fault)
{
	if (*p == '"')
		return step_string(&l->r, p, text);
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
	case KEY_TASK:
		l->m->task = *p == '{';
		return scan_value(&l->r, p);
	case KEY_ARGUMENTS:
		if (*p != '{' && *p != 'n')
			l->arguments_fault = p;
		p = scan_value(&l->r, p);
		if (p && *start != 'n') {
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
	struct keys keys;
	struct key key;
	bool more;

	l->params = p;
	if (*p != '{') {
		if (*p != 'n')
			scan_refuse(&l->r, p, "params is not an object");
		return scan_value(&l->r, p);
	}
	keys.deciding = 0;
	keys.count = keys.hashes = 0;
	p = scan_enter(&l->r, p);
	p = step_first(&l->r, p, '}', &more);
	while (p && more) {
		if (l->r.fault.reason) {
			/* Refused already: only the id is still looked for. */
			p = step_key(&l->r, p, &key.text);
			if (p)
				p = scan_value(&l->r, p);
		} else {
			p = read_key(l, p, &key);
			if (!p)
				return NULL;
			note_key(l, &keys, &key);
			p = read_param(l, p, key.which);
		}
		if (p)
			p = step_next(&l->r, p, '}', &more);
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

/* Past the digits of an integer that is a valid id, if a number ends there; or
 * NULL. */
static inline const char *skip_integer(const char *p)
{
	const char *start = p;

	while (*p >= '0' && *p <= '9')
		p++;
	if (p == start || p - start > MESSAGE_ID_DIGITS ||
	    (*start == '0' && p - start > 1))
		return NULL;
	return p;
}

static const char *read_id(struct line *l, const char *p)
{
	struct text text = {.flags = 0};
	const char *start = p;
	struct span id = {.ptr = p};

	l->id_null = false;
	p = skip_integer(p);
	if (p && *p != '.' && (*p | 0x20) != 'e') {
		id.len = (size_t)(p - start);
		l->id_valid = true;
		l->m->id = id;
		return p;
	}
	p = start;
	p = *p == '"' ? scan_string(&l->r, p, &text) : scan_value(&l->r, p);
	if (!p)
		return NULL;
	id.len = (size_t)(p - start);
	l->id_null = *start == 'n';
	if (text.ptr) {
		if (text.len > MESSAGE_ID_BYTES)
			scan_refuse(&l->r, start,
				    "an id of more than 256 bytes");
		else if (text.flags & (TEXT_NUL | TEXT_LONE))
			scan_refuse(
				&l->r, start,
				"\\u0000 or an unpaired surrogate in the id");
		else
			l->id_valid = true;
	} else if (*start <= '9') { /* a minus or a digit */
		l->id_valid = is_integer(id);
		if (!l->id_valid)
			scan_refuse(
				&l->r, start,
				"an id that is no integer of at most 19 digits");
	}
	if (l->id_valid)
		l->m->id = id;
	return p;
}

static void find_method(struct line *l, const char *start, struct text text)
{
	char folded[TEXT_FOLDED_MAX];
	size_t len;

	for (int i = 0; i < JUDGED; i++)
		if (text.len == judged[i].word.len &&
		    memcmp(text.ptr, judged[i].word.ptr, text.len) == 0) {
			l->m->method = judged[i].method;
			return;
		}
	/* None of them has an upper-case letter. */
	len = text_folded(text, folded, sizeof(folded));
	for (int i = 0; i < JUDGED; i++) {
		struct word word = judged[i].word;

		if (len != word.len || memcmp(folded, word.ptr, len) != 0)
			continue;
		if (text_is(text, word.ptr, word.len))
			l->m->method = judged[i].method;
		else
			scan_refuse(&l->r, start, word.taken);
	}
}

static const char *read_method(struct line *l, const char *p)
{
	struct text text = {.flags = 0};
	const char *fault = NULL, *start = p;

	p = read_text(l, p, &text, &fault);
	if (fault)
		scan_refuse(&l->r, start, "method is not a string");
	if (!p || fault)
		return p;
	l->m->method_text = text;
	if (text.flags & (TEXT_NUL | TEXT_LONE))
		scan_refuse(&l->r, start,
			    "\\u0000 or an unpaired surrogate in the method");
	find_method(l, start, text);
	return p;
}

/* The value of a member of the message. */
static const char *read_top(struct line *l, const char *p, int key)
{
	struct text text = {.flags = 0};
	const char *fault = NULL, *start = p;

	switch (key) {
	case TOP_JSONRPC:
		p = read_text(l, p, &text, &fault);
		if (p && (fault || !text_is(text, "2.0", 3)))
			scan_refuse(&l->r, start, "jsonrpc is not \"2.0\"");
		return p;
	case TOP_ID:
		return read_id(l, p);
	case TOP_METHOD:
		return read_method(l, p);
	case TOP_PARAMS:
		l->m->params.ptr = *p == 'n' ? NULL : p;
		p = read_params(l, p);
		if (p && l->m->params.ptr)
			l->m->params.len = (size_t)(p - start);
		return p;
	case TOP_ERROR:
		if (*p != '{')
			scan_refuse(&l->r, p, "error is not an object");
		return scan_value(&l->r, p);
	default:
		return scan_value(&l->r, p);
	}
}

static const char *read_object(struct line *l, const char *p)
{
	struct key key;
	bool more;

	p = scan_enter(&l->r, p);
	p = step_first(&l->r, p, '}', &more);
	while (p && more) {
		const char *value = read_key(l, p, &key);

		if (!value)
			return NULL;
		if (key.which < 0 || key.which >= TOP_COUNT) {
			scan_refuse(&l->r, p,
				    "a member that JSON-RPC does not have");
		} else {
			if (l->seen >> key.which & 1) {
				scan_refuse(&l->r, p,
					    "a key of the message twice");
				l->id_unclear |= key.which == TOP_ID;
			}
			l->seen |= 1u << key.which;
		}
		p = read_top(l, value, key.which);
		if (p)
			p = step_next(&l->r, p, '}', &more);
	}
	return p;
}

/* Which of the four shapes of JSON-RPC 2.0 is it (4, 4.1, 5)? */
static void judge_shape(struct line *l, const char *start)
{
	const unsigned version = 1u << TOP_JSONRPC, id = 1u << TOP_ID;
	unsigned seen = l->seen;
	bool fits = true;

	if (!(seen & version)) {
		scan_refuse(&l->r, start, "jsonrpc is missing");
		return;
	}
	seen &= ~version;
	if (seen & 1u << TOP_METHOD) {
		l->m->kind =
			(seen & id) ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
		seen &= ~(id | 1u << TOP_METHOD | 1u << TOP_PARAMS);
		fits = seen == 0;
	} else if (seen == (id | 1u << TOP_RESULT)) {
		l->m->kind = MESSAGE_RESULT;
	} else if (seen == (id | 1u << TOP_ERROR)) {
		l->m->kind = MESSAGE_ERROR;
		/* An error without a request to blame has a null id. */
		if (l->id_null)
			return;
	} else {
		fits = false;
	}
	if (!fits)
		scan_refuse(&l->r, start,
			    "neither a request, a notification, a result "
			    "nor an error");
	if (l->m->kind != MESSAGE_NOTIFICATION && !l->id_valid)
		scan_refuse(&l->r, start,
			    "an id that is neither an integer nor a string");
}

static void judge_text(struct line *l, struct text text, const char *fault,
		       size_t max, const char *what)
{
	const char *at = fault ? fault : text.ptr ? text.ptr - 1 : l->params;

	if (!text.ptr || text.len > max)
		scan_refuse(&l->r, at ? at : l->r.begin, what);
	else if (text.flags & (TEXT_NUL | TEXT_LONE))
		scan_refuse(&l->r, at,
			    "\\u0000 or an unpaired surrogate in a name");
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
		break;
	case METHOD_RESOURCES_READ:
		judge_text(l, l->m->uri, l->uri_fault, SIZE_MAX,
			   "params has no uri that is a string");
		break;
	default:
		return;
	}
	if (l->arguments_fault)
		scan_refuse(&l->r, l->arguments_fault,
			    "arguments is not an object");
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
		scan_refuse(&l->r, p,
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

/* ---- the plain call -------------------------------------------------- */

/* Does the line go on with this word, a literal of at most AT_BYTES? */
#define AT_BYTES 24
#ifdef __SANITIZE_ADDRESS__
/* It checks all that memcmp() may read. */
#define AT(p, word) (strncmp(p, word, sizeof(word) - 1) == 0)
#else
#define AT(p, word) (memcmp(p, word, sizeof(word) - 1) == 0)
#endif

/* A word may be looked for behind the end, but in no other page. */
#define PAGE_BYTES 4096
#define UNCHECKED  __attribute__((no_sanitize_address))

/* The params of a call, from their bracket on. */
UNCHECKED static inline const char *read_plain_params(struct line *l,
						      const char *p)
{
	struct message *m = l->m;
	const char *start;
	unsigned seen = 0, bit;

	l->r.depth = 2;
	do {
		p++;
		if (AT(p, "\"name\":\"")) {
			bit = 1u << KEY_NAME;
			start = p + 8;
			p = step_stop(&l->r, start);
			m->name.ptr = start;
			m->name.len = (size_t)(p - start);
			if (*p != '"' || m->name.len > MESSAGE_NAME_BYTES)
				return NULL;
			p++;
		} else if (AT(p, "\"arguments\":{")) {
			bit = 1u << KEY_ARGUMENTS;
			start = p + 12;
			p = scan_value(&l->r, start);
			if (!p)
				return NULL;
			m->arguments.ptr = start;
			m->arguments.len = (size_t)(p - start);
		} else if (AT(p, "\"_meta\":{")) {
			bit = 1u << KEY_META;
			p = read_meta(l, p + 8);
		} else {
			return NULL;
		}
		if (!p || seen & bit)
			return NULL;
		seen |= bit;
	} while (*p == ',');
	return *p == '}' && seen & 1u << KEY_NAME ? p + 1 : NULL;
}

/*
 * What nearly every line is that needs a verdict: a tools/call whose members
 * are spelled plainly, in any order, without white space between them.  False:
 * it is something else, or at fault; read_line() tells.
 */
UNCHECKED static inline bool read_plain_call(struct line *l)
{
	struct message *m = l->m;
	const char *p = l->r.begin, *start;
	unsigned seen = 0, bit;

	if ((uintptr_t)l->r.end % PAGE_BYTES > PAGE_BYTES - AT_BYTES ||
	    *p != '{')
		return false;
	/* Only what the call may lack must be cleared. */
	m->kind = MESSAGE_REQUEST;
	m->method = METHOD_TOOLS_CALL;
	m->method_text.flags = m->name.flags = 0;
	m->uri = (struct text){.ptr = NULL};
	m->arguments = (struct span){.ptr = NULL};
	m->task = m->modern = false;
	scan_fill(&l->r, p);
	do {
		/* The letter that tells the four apart. */
		switch (p[2]) {
		case 'm':
			if (!AT(p + 1, "\"method\":\"tools/call\""))
				return false;
			bit = 1u << TOP_METHOD;
			m->method_text.ptr = p + 11;
			m->method_text.len = 10;
			p += 22;
			break;
		case 'p':
			if (!AT(p + 1, "\"params\":{"))
				return false;
			bit = 1u << TOP_PARAMS;
			start = p + 10;
			p = read_plain_params(l, start);
			if (!p)
				return false;
			m->params.ptr = start;
			m->params.len = (size_t)(p - start);
			break;
		case 'j':
			if (!AT(p + 1, "\"jsonrpc\":\"2.0\""))
				return false;
			bit = 1u << TOP_JSONRPC;
			p += 16;
			break;
		case 'i':
			if (!AT(p + 1, "\"id\":"))
				return false;
			bit = 1u << TOP_ID;
			start = p + 6;
			p = skip_integer(start);
			if (!p)
				return false;
			m->id.ptr = start;
			m->id.len = (size_t)(p - start);
			break;
		default:
			return false;
		}
		if (seen & bit)
			return false;
		seen |= bit;
	} while (*p == ',');
	return *p == '}' && p + 1 == l->r.end && !l->r.fault.reason &&
	       seen == (1u << TOP_METHOD | 1u << TOP_PARAMS |
			1u << TOP_JSONRPC | 1u << TOP_ID);
}

/* Every line that is not a plain call. */
static __attribute__((noinline)) bool read_any(struct line *l,
					       struct fault *fault)
{
	*l->m = (struct message){.kind = MESSAGE_REQUEST};
	step_begin(&l->r, l->r.begin, (size_t)(l->r.end - l->r.begin));
	l->seen = 0;
	l->params = NULL;
	l->name_fault = l->uri_fault = l->arguments_fault = NULL;
	l->id_valid = l->id_unclear = l->id_null = false;
	read_line(l);
	/* The id of a response is the server's: to answer with it would end
	 * the client's own request of that number. */
	if (!l->id_valid || l->id_unclear ||
	    (l->r.fault.reason && !(l->seen >> TOP_METHOD & 1))) {
		l->m->id.ptr = NULL;
		l->m->id.len = 0;
	}
	*fault = l->r.fault;
	return !fault->reason;
}

UNCHECKED bool message_read(const char *line, size_t len, struct message *m,
			    struct fault *fault)
{
	struct line l;

	l.m = m;
	step_begin(&l.r, line, len);
	fault->reason = NULL;
	return read_plain_call(&l) || read_any(&l, fault);
}

bool message_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}
