/*
 * Servers in TOML and YAML, read line by line as clients and people write them.
 * These files are not edited, so a spelling that is not known here costs no
 * more than a general advice.  The contract is in servers.h.
 */
#include "servers.h"

#include <stdlib.h>
#include <string.h>

/* The line at p without its end; *next is the one behind it, or NULL. */
static struct span line_at(const char *p, const char **next)
{
	size_t len = strcspn(p, "\n");

	*next = p[len] ? p + len + 1 : NULL;
	if (len > 0 && p[len - 1] == '\r')
		len--;
	return (struct span){p, len};
}

static size_t indent_of(struct span line)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] == ' ')
		n++;
	return n;
}

static bool is_blank(struct span line)
{
	size_t n = strspn(line.ptr, " \t");

	return n >= line.len || line.ptr[n] == '#';
}

/*
 * A scalar at p, up to end: "..." as in JSON, '...' (in YAML with '' for one),
 * or in YAML a plain one up to a comment or, in a flow, a comma or bracket.
 * Returns what is behind it and its text; NULL: another spelling.
 */
static const char *scalar(const char *p, const char *end, bool yaml, bool flow,
			  char **text)
{
	struct scan r;
	const char *from = scan_begin(&r, p, (size_t)(end - p)), *stop;
	struct text quoted;
	ptrdiff_t len = 0;

	*text = malloc((size_t)(end - p) + 1);
	if (!*text || p == end)
		return NULL;
	if (*p == '"') {
		/* The byte behind a line ends every token. */
		stop = memchr(p + 1, '"', (size_t)(end - p - 1));
		p = stop ? scan_string(&r, p, &quoted) : NULL;
		len = p && p <= end
			      ? text_decode(quoted, *text, (size_t)(end - from))
			      : -1;
		if (len < 0)
			return NULL;
	} else if (*p == '\'') {
		for (p++; p < end; p++) {
			if (*p == '\'' &&
			    !(yaml && p + 1 < end && p[1] == '\''))
				break;
			p += *p == '\'';
			(*text)[len++] = *p;
		}
		if (p++ == end)
			return NULL;
	} else if (yaml && !strchr("|>&*!%@`{[", *p)) {
		while (p < end && !(flow && strchr(",]", *p)) &&
		       !(*p == '#' && p > from && p[-1] == ' ') &&
		       !(*p == ':' && (p + 1 == end || p[1] == ' ')))
			p++;
		if (p < end && *p == ':')
			return NULL;
		for (stop = p; stop > from && strchr(" \t", stop[-1]); stop--)
			;
		len = stop - from;
		memcpy(*text, from, (size_t)len);
	} else {
		return NULL;
	}
	(*text)[len] = '\0';
	return p;
}

/* Adds the scalar at p; false: it is none. */
static bool add_scalar(struct server *v, const char **p, const char *end,
		       bool yaml, bool flow)
{
	char *text;
	const char *from = *p;

	*p = scalar(from, end, yaml, flow, &text);
	if (!*p) {
		free(text);
		return false;
	}
	return server_add_word(v, text,
			       (struct span){from, (size_t)(*p - from)});
}

/* [ "a", 'b', ] at p, over lines; the words are added. */
static bool add_list(struct server *v, const char *p, bool yaml)
{
	for (p++;;) {
		p += strspn(p, " \t\r\n,");
		if (*p == '#') {
			p += strcspn(p, "\n");
			continue;
		}
		if (*p == ']')
			return true;
		if (!*p ||
		    !add_scalar(v, &p, p + strcspn(p, "\r\n"), yaml, true))
			return false;
	}
}

/* KEY and what separates it from a value that begins in the line: the value;
 * else NULL. */
static const char *value_of(struct span line, const char *key, char colon)
{
	const char *p = line.ptr + strspn(line.ptr, " \t");
	size_t len = strlen(key);

	if (strncmp(p, key, len) != 0)
		return NULL;
	p += len;
	p += strspn(p, " \t");
	if (*p != colon)
		return NULL;
	p++;
	return p + strspn(p, " \t");
}

/* A command is the first of the words, wherever it stands. */
static void take_command(struct server *v, const char *p, struct span line,
			 bool yaml)
{
	const char *end = line.ptr + line.len;
	char *word;
	struct span span;

	if (!add_scalar(v, &p, end, yaml, false)) {
		v->kind = SERVER_ODD;
		return;
	}
	p += strspn(p, " \t");
	if (p < end && *p != '#')
		v->kind = SERVER_ODD;
	v->kind = v->kind == SERVER_NONE ? SERVER_COMMAND : v->kind;
	word = v->words[v->count - 1];
	span = v->spans[v->count - 1];
	memmove(v->words + 1, v->words, (v->count - 1) * sizeof(*v->words));
	memmove(v->spans + 1, v->spans, (v->count - 1) * sizeof(*v->spans));
	v->words[0] = word;
	v->spans[0] = span;
}

/* ---- TOML ------------------------------------------------------------ */

/* The name of [mcp_servers.NAME]; NULL: another table. */
static char *table_name(struct span line)
{
	static const char head[] = "[mcp_servers.";
	const char *p = line.ptr + strspn(line.ptr, " \t"), *end;
	char *name;

	if (strncmp(p, head, sizeof(head) - 1) != 0)
		return NULL;
	p += sizeof(head) - 1;
	if (*p == '"' || *p == '\'') {
		end = scalar(p, line.ptr + line.len, false, false, &name);
		if (end && *end == ']')
			return name;
		free(name);
		return NULL;
	}
	end = p + strcspn(p, ".]\r\n ");
	return *end == ']' ? strndup(p, (size_t)(end - p)) : NULL;
}

static bool finish(struct servers *s, const char *weir)
{
	for (size_t i = 0; i < s->count; i++)
		if (!server_look(&s->list[i], weir))
			return false;
	return true;
}

/* Takes over the name. */
static bool add_server(struct servers *s, char *name)
{
	struct server v = {.name = name, .kind = SERVER_NONE};

	v.pointer = name ? strdup(name) : NULL;
	if (v.pointer && servers_add(s, &v))
		return true;
	free(v.pointer);
	free(name);
	return false;
}

bool servers_read_toml(struct servers *s, const char *text, const char *weir)
{
	struct server *v = NULL;
	const char *value;

	*s = (struct servers){.list = NULL};
	for (const char *p = text; p;) {
		struct span line = line_at(p, &p);

		if (line.ptr[strspn(line.ptr, " \t")] == '[') {
			char *name = table_name(line);

			if (name && !add_server(s, name))
				return false;
			v = name ? &s->list[s->count - 1] : NULL;
		} else if (!v) {
			continue;
		} else if ((value = value_of(line, "command", '='))) {
			take_command(v, value, line, false);
		} else if ((value = value_of(line, "args", '='))) {
			if (*value != '[' || !add_list(v, value, false))
				v->kind = SERVER_ODD;
		} else if (value_of(line, "url", '=')) {
			v->kind = v->kind == SERVER_NONE ? SERVER_URL
							 : SERVER_BOTH;
		}
	}
	return finish(s, weir);
}

/* ---- YAML ------------------------------------------------------------ */

/* A block list below "args:"; *next is moved behind it. */
static bool add_block(struct server *v, const char **next)
{
	while (*next) {
		const char *behind;
		struct span line = line_at(*next, &behind);
		const char *p = line.ptr + indent_of(line);

		if (!is_blank(line)) {
			if (*p != '-' || p[1] != ' ')
				return true;
			p += 1 + strspn(p + 1, " ");
			if (!add_scalar(v, &p, line.ptr + line.len, true,
					false))
				return false;
		}
		*next = behind;
	}
	return true;
}

static void take_line(struct server *v, struct span line, const char **next)
{
	const char *value;

	if ((value = value_of(line, "cmd", ':')) ||
	    (value = value_of(line, "command", ':'))) {
		take_command(v, value, line, true);
	} else if ((value = value_of(line, "args", ':'))) {
		bool done = value >= line.ptr + line.len || *value == '#'
				    ? add_block(v, next)
				    : *value == '[' && add_list(v, value, true);

		if (!done)
			v->kind = SERVER_ODD;
	} else if (value_of(line, "url", ':') || value_of(line, "uri", ':')) {
		v->kind = v->kind == SERVER_NONE ? SERVER_URL : SERVER_BOTH;
	}
}

/* Goose has a mapping, "extensions"; Continue a list, "mcpServers". */
bool servers_read_yaml(struct servers *s, const char *text, const char *weir)
{
	enum { OUTSIDE, MAPPING, LIST } in = OUTSIDE;
	struct server *v = NULL;
	size_t entry = 0; /* the indent of entries; 0: not known yet */

	*s = (struct servers){.list = NULL};
	for (const char *p = text; p;) {
		struct span line = line_at(p, &p);
		size_t indent = indent_of(line);
		const char *at = line.ptr + indent, *value;
		char *name = NULL;

		if (is_blank(line))
			continue;
		if (indent == 0 && *at != '-') {
			in = value_of(line, "extensions", ':')   ? MAPPING
			     : value_of(line, "mcpServers", ':') ? LIST
								 : OUTSIDE;
			v = NULL;
			entry = 0;
		} else if (in == MAPPING && (entry == 0 || indent <= entry)) {
			struct span key = {at, strcspn(at, ":")};

			entry = indent;
			if ((*at == '"' || *at == '\'') &&
			    !scalar(at, line.ptr + line.len, true, false,
				    &name)) {
				free(name);
				name = NULL;
			}
			if (!name)
				name = strndup(key.ptr, key.len);
			if (!add_server(s, name))
				return false;
			v = &s->list[s->count - 1];
		} else if (in == LIST && *at == '-' &&
			   (entry == 0 || indent < entry)) {
			entry = indent + 1;
			if (!add_server(s, strdup("")))
				return false;
			v = &s->list[s->count - 1];
			line.len -= (size_t)(at + 1 - line.ptr);
			line.ptr = at + 1;
		}
		if (!v || in == OUTSIDE)
			continue;
		value = in == LIST ? value_of(line, "name", ':') : NULL;
		if (value &&
		    scalar(value, line.ptr + line.len, true, false, &name)) {
			free(v->name);
			free(v->pointer);
			v->name = name;
			v->pointer = strdup(name);
			if (!v->pointer)
				return false;
		} else if (value) {
			free(name);
		} else {
			take_line(v, line, &p);
		}
	}
	return finish(s, weir);
}
