/* The servers of a configuration.  The contract is in servers.h. */
#include "servers.h"

#include "clients.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading --------------------------------------------------------- */

static void clear(struct server *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->words[i]);
	free(v->words);
	free(v->spans);
	free(v->policies);
	free(v->name);
	free(v->pointer);
}

bool servers_add(struct servers *s, const struct server *v)
{
	struct server *list = NULL;

	if (s->count < SERVERS_MAX)
		list = realloc(s->list, (s->count + 1) * sizeof(*list));
	if (!list)
		return false;
	s->list = list;
	list[s->count++] = *v;
	return true;
}

bool server_add_word(struct server *v, char *word, struct span span)
{
	char **words = realloc(v->words, (v->count + 2) * sizeof(*words));
	struct span *spans;

	if (words)
		v->words = words;
	spans = realloc(v->spans, (v->count + 1) * sizeof(*spans));
	if (spans)
		v->spans = spans;
	if (!words || !spans || !word) {
		free(word);
		return false;
	}
	spans[v->count] = span;
	words[v->count++] = word;
	words[v->count] = NULL;
	return true;
}

/* Decoded; as it stands, if it is no string or holds what no argument can. */
static char *decode(struct text text, struct span as_it_stands)
{
	char *word = malloc(as_it_stands.len + 1);
	ptrdiff_t len = -1;

	if (!word)
		return NULL;
	if (text.ptr)
		len = text_decode(text, word, as_it_stands.len);
	if (len < 0 || memchr(word, '\0', (size_t)len)) {
		len = (ptrdiff_t)as_it_stands.len;
		memcpy(word, as_it_stands.ptr, (size_t)len);
	}
	word[len] = '\0';
	return word;
}

/* POINTER/KEY, as RFC 6901 spells a key. */
static char *point(const char *pointer, const char *key)
{
	char *to = malloc(strlen(pointer) + 2 * strlen(key) + 2), *p = to;

	if (!to)
		return NULL;
	p = stpcpy(p, pointer);
	*p++ = '/';
	for (; *key; key++) {
		if (*key == '~')
			p = stpcpy(p, "~0");
		else if (*key == '/')
			p = stpcpy(p, "~1");
		else
			*p++ = *key;
	}
	*p = '\0';
	return to;
}

static bool is_weir(const char *word, const char *weir)
{
	const char *slash = strrchr(word, '/');

	return (weir && strcmp(word, weir) == 0) ||
	       strcmp(slash ? slash + 1 : word, "weir") == 0;
}

bool server_look(struct server *v, const char *weir)
{
	size_t at = 1;

	if (v->kind != SERVER_COMMAND || !is_weir(v->words[0], weir))
		return true;
	v->policies = calloc(POLICIES_MAX + 1, sizeof(*v->policies));
	if (!v->policies)
		return false;
	v->behind = options_words(v->words, v->policies);
	if (v->behind == 0)
		v->kind = SERVER_WEIR;
	while (at + 1 < v->behind && (strcmp(v->words[at], "-p") == 0 ||
				      strcmp(v->words[at], "--policy") == 0))
		at += 2;
	v->plain = at > 1 && at + 1 == v->behind &&
		   strcmp(v->words[at], "--") == 0;
	return true;
}

static bool has_url(struct span entry)
{
	static const char keys[][10] = {"url", "httpUrl", "serverUrl"};
	static const char types[][16] = {
		"http",           "sse",    "streamable-http",
		"streamableHttp", "remote", "ws"};
	struct text type = member_text(jsonc_member(entry, "type"));

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (member_text(jsonc_member(entry, keys[i])).ptr)
			return true;
	for (size_t i = 0; type.ptr && i < sizeof(types) / sizeof(types[0]);
	     i++)
		if (text_is(type, types[i], strlen(types[i])))
			return true;
	return false;
}

/* The words of a command that is a string or an array, and of its arguments. */
static bool read_words(struct server *v, struct span command)
{
	struct jsonc_item item = {.begin = NULL};
	bool strings = true;

	v->joined = *command.ptr == '[';
	if (v->joined)
		v->list = command;
	else if (!server_add_word(v, decode(member_text(command), command),
				  command))
		return false;
	while (jsonc_next(v->list, &item)) {
		struct text text = member_text(item.value);

		strings &= text.ptr != NULL;
		if (!server_add_word(v, decode(text, item.value), item.value))
			return false;
	}
	if (v->count == 0 || !*v->words[0] || !strings ||
	    (v->list.ptr && *v->list.ptr != '['))
		v->kind = SERVER_ODD;
	return true;
}

/* Where the member with the arguments stands among the others. */
static void find_place(struct server *v, struct span object)
{
	struct jsonc_item args = jsonc_find(object, "args"),
			  item = {.begin = NULL};

	v->list = args.value;
	v->member = args.begin;
	while (args.value.ptr && jsonc_next(object, &item)) {
		if (item.begin < args.begin)
			v->before = item.value.ptr + item.value.len;
		if (item.begin > args.begin && !v->next)
			v->next = item.begin;
	}
}

static bool read_entry(struct server *v, struct span entry)
{
	struct span object = entry;
	struct jsonc_item command = jsonc_find(entry, "command");
	bool url = has_url(entry);

	/* Cline's command line has an object with all of it. */
	if (!command.value.ptr) {
		object = jsonc_member(entry, "transport");
		command = jsonc_find(object, "command");
		url |= has_url(object);
	}
	/* Zed had an object with the path. */
	if (command.value.ptr && *command.value.ptr == '{') {
		object = command.value;
		command = jsonc_find(object, "path");
	}
	if (!command.value.ptr) {
		v->kind = url ? SERVER_URL : SERVER_NONE;
		return true;
	}
	v->kind = url ? SERVER_BOTH : SERVER_COMMAND;
	if (*command.value.ptr != '"' && *command.value.ptr != '[') {
		v->kind = SERVER_ODD;
		return true;
	}
	find_place(v, object);
	return read_words(v, command.value);
}

/* Of a name that is there twice in one place, the last is the one that counts.
 */
static bool add_entry(struct servers *s, size_t first, const struct server *v)
{
	for (size_t i = first; i < s->count; i++) {
		if (strcmp(s->list[i].name, v->name) != 0)
			continue;
		s->doubled = true;
		clear(&s->list[i]);
		s->list[i] = *v;
		return true;
	}
	return servers_add(s, v);
}

/* All entries of one object. */
static bool read_entries(struct servers *s, struct span object,
			 const char *pointer, const char *weir)
{
	const size_t first = s->count;
	struct jsonc_item item = {.begin = NULL};

	/* An array holds no servers. */
	while (jsonc_next(object, &item) && item.key.ptr) {
		struct span key = {item.key.ptr, item.key.len};
		struct server v = {.count = 0};

		if (*item.value.ptr != '{')
			continue;
		v.name = decode(item.key, key);
		v.pointer = v.name ? point(pointer, v.name) : NULL;
		if (!v.pointer || !read_entry(&v, item.value) ||
		    !server_look(&v, weir) || !add_entry(s, first, &v)) {
			clear(&v);
			return false;
		}
	}
	return true;
}

/* Is it an entry, and no object with entries? */
static bool is_entry(struct span value)
{
	const char *command = jsonc_member(value, "command").ptr;

	return command && (*command == '"' || *command == '[');
}

/* Those of the object that is the member of this key, or none. */
static bool read_below(struct servers *s, struct span object,
		       const char *pointer, const char *key, const char *weir)
{
	struct span member = jsonc_member(object, key);
	char *longer = point(pointer, key);
	bool done = longer &&
		    (!member.ptr || read_entries(s, member, longer, weir));

	free(longer);
	return done;
}

static bool read_projects(struct servers *s, const char *weir)
{
	struct span projects = jsonc_member(s->json.root, "projects");
	struct jsonc_item item = {.begin = NULL};
	bool done = true;

	while (done && jsonc_next(projects, &item) && item.key.ptr) {
		struct span key = {item.key.ptr, item.key.len};
		char *name = decode(item.key, key);
		char *pointer = name ? point("/projects", name) : NULL;

		done = pointer &&
		       read_below(s, item.value, pointer, "mcpServers", weir);
		free(name);
		free(pointer);
	}
	return done;
}

bool servers_read(struct servers *s, const char *text, size_t len,
		  unsigned keys, const char *weir)
{
	static const struct {
		unsigned bit;
		char key[16];
	} places[] = {
		{KEY_MCP_SERVERS, "mcpServers"},
		{KEY_SERVERS, "servers"},
		{KEY_CONTEXT, "context_servers"},
		{KEY_MCP, "mcp"},
	};
	struct span mcp;
	bool nested, done = true;

	*s = (struct servers){.list = NULL};
	if (!jsonc_read(&s->json, text, len))
		return false;
	/* A server may be called "servers". */
	mcp = jsonc_member(s->json.root, "mcp");
	nested = !is_entry(jsonc_member(mcp, "servers"));
	for (size_t i = 0; done && i < sizeof(places) / sizeof(places[0]); i++)
		if (keys & places[i].bit)
			done = read_below(s, s->json.root, "", places[i].key,
					  weir);
	if (done && keys & KEY_MCP_DOT && nested)
		done = read_below(s, mcp, "/mcp", "servers", weir);
	if (done && keys & KEY_PROJECTS)
		done = read_projects(s, weir);
	for (size_t i = 0; nested && i < s->count; i++)
		if (strcmp(s->list[i].pointer, "/mcp/servers") == 0) {
			clear(&s->list[i]);
			memmove(&s->list[i], &s->list[i + 1],
				(--s->count - i) * sizeof(*s->list));
			break;
		}
	if (!done)
		s->json.fault.reason = s->count < SERVERS_MAX
					       ? "out of memory"
					       : "more than 10000 servers";
	return done;
}

void servers_free(struct servers *s)
{
	for (size_t i = 0; i < s->count; i++)
		clear(&s->list[i]);
	free(s->list);
	*s = (struct servers){.list = NULL};
}

/* ---- changing -------------------------------------------------------- */

static void put_quoted(struct strbuf *o, const char *s)
{
	strbuf_string(o, "\"");
	strbuf_escaped(o, s, strlen(s));
	strbuf_string(o, "\"");
}

/* "-p", "POLICY", for each. */
static void put_policies(struct strbuf *o, const char *option,
			 const char *const *policies)
{
	for (; *policies; policies++) {
		put_quoted(o, option);
		strbuf_string(o, ", ");
		put_quoted(o, *policies);
		strbuf_string(o, ", ");
	}
}

/* What stands behind a comma before the first word of the list: its own line,
 * if that has one. */
static void put_gap(struct strbuf *o, const struct server *v, size_t first)
{
	const char *from = v->list.ptr + 1;
	size_t len = strspn(from, " \t\r\n");

	strbuf_string(o, ",");
	if (from + len == v->spans[first].ptr && memchr(from, '\n', len))
		strbuf_bytes(o, from, len);
	else
		strbuf_string(o, " ");
}

#define BEHIND(span) ((span).ptr + (span).len)

/*
 * A server without arguments has an empty list afterwards, or none at all; so
 * that unwrapping knows which, even where the file was laid out again, the
 * option is --policy where there was an empty list.
 */
static void wrap(const struct server *v, const char *weir, struct edits *e)
{
	const struct span command = v->spans[0];
	struct strbuf *o;

	if (v->joined) {
		o = edits_add(e, command.ptr, command.ptr);
		put_quoted(o, weir);
		strbuf_string(o, ", ");
		put_policies(o, "-p", v->put);
		put_quoted(o, "--");
		put_gap(o, v, 0);
		return;
	}
	o = edits_add(e, command.ptr, BEHIND(command));
	put_quoted(o, weir);
	if (v->list.ptr) {
		const char *at =
			v->count > 1 ? v->spans[1].ptr : v->list.ptr + 1;

		o = edits_add(e, at, at);
	} else {
		strbuf_string(o, ", \"args\": [");
	}
	put_policies(o, v->list.ptr && v->count == 1 ? "--policy" : "-p",
		     v->put);
	strbuf_string(o, "\"--\", ");
	strbuf_bytes(o, command.ptr, command.len);
	if (!v->list.ptr)
		strbuf_string(o, "]");
	else if (v->count > 1)
		put_gap(o, v, 1);
}

/* The list had nothing but weir's words and the command. */
static void empty_list(const struct server *v, struct edits *e)
{
	const char *end = BEHIND(v->spans[v->behind]), *comma;

	if (strcmp(v->words[1], "--policy") == 0) {
		edits_add(e, v->spans[1].ptr, end);
		comma = jsonc_space(end);
		if (*comma == ',')
			edits_add(e, comma, comma + 1);
	} else if (v->before) {
		edits_add(e, v->before, BEHIND(v->list));
	} else {
		edits_add(e, v->member, v->next ? v->next : BEHIND(v->list));
	}
}

static void unwrap(const struct server *v, struct edits *e)
{
	const struct span *spans = v->spans;
	struct strbuf *o;

	if (v->joined) {
		edits_add(e, spans[0].ptr, spans[v->behind].ptr);
		return;
	}
	o = edits_add(e, spans[0].ptr, BEHIND(spans[0]));
	strbuf_bytes(o, spans[v->behind].ptr, spans[v->behind].len);
	if (v->behind + 1 < v->count)
		edits_add(e, spans[1].ptr, spans[v->behind + 1].ptr);
	else
		empty_list(v, e);
}

/* Most bytes of the texts for one server: weir, its options, a word that it
 * has, and the white space around. */
static size_t room(const struct server *v, const char *weir)
{
	size_t most = 6 * strlen(weir) + 64;

	if (v->change == SERVER_KEEP)
		return 0;
	for (size_t i = 0; v->put && v->put[i]; i++)
		most += 6 * strlen(v->put[i]) + 32;
	for (size_t i = 0; i <= v->behind; i++)
		most += v->spans[i].len;
	if (v->list.ptr)
		most += strspn(v->list.ptr + 1, " \t\r\n");
	return most;
}

bool servers_edit(const struct servers *s, const char *weir, struct edits *e)
{
	size_t bytes = 0;
	struct strbuf *o;

	for (size_t i = 0; i < s->count; i++)
		bytes += room(&s->list[i], weir);
	/* At most three for a server. */
	if (!edits_begin(e, 3 * s->count, bytes))
		return false;
	for (size_t i = 0; i < s->count; i++) {
		const struct server *v = &s->list[i];

		if (v->change == SERVER_WRAP) {
			wrap(v, weir, e);
		} else if (v->change == SERVER_UNWRAP) {
			unwrap(v, e);
		} else if (v->change == SERVER_REPLACE) {
			o = edits_add(e, v->spans[1].ptr,
				      v->spans[v->behind - 1].ptr);
			put_policies(o, v->words[1], v->put);
		}
	}
	return edits_end(e);
}
