/*
 * What a file is that is no policy, for the person who saved it: a text that is
 * no JSON, by its cause, and JSON that is something else.
 */
#include "loader.h"

#include <ctype.h>
#include <string.h>

#define CLIENT                                                                 \
	"this is a client's configuration of its servers, not a policy. Put "  \
	"weir before a server's command in it: \"command\": \"weir\", "        \
	"\"args\": [\"-p\", \"POLICY\", \"--\", \"COMMAND\", ...]. A policy "  \
	"is "
#define LIST                                                                   \
	"this is a server's list of tools, not a policy: weir check --tools "  \
	"LIST POLICY holds a policy against it. A policy is "
#define PEER                                                                   \
	"this looks like another program's policy. weir has the rules of a "   \
	"tool under its name: "
#define PERMISSIONS                                                            \
	"these are a client's own permissions, not a policy. A policy is "

/* ---- no JSON --------------------------------------------------------- */

static bool begins(const char *p, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - p) >= len && memcmp(p, word, len) == 0;
}

/* The last byte before p that is no white space, or the begin of the text. */
static const char *before(const struct scan *r, const char *p)
{
	while (p > r->begin && strchr(" \t\r\n", p[-1]))
		p--;
	return p > r->begin ? p - 1 : p;
}

/* A first line as YAML and TOML have it: "key: ", "- ", "---", "key = " or
 * "[table]".  Comments before it are skipped. */
static bool is_lines(const char *p, const char *end)
{
	const char *key;

	while (p < end && (*p == '#' || isspace((unsigned char)*p))) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		p = *p != '#' ? p + 1 : lf ? lf : end;
	}
	if (begins(p, end, "- ") || begins(p, end, "---") ||
	    begins(p, end, "%YAML"))
		return true;
	if (p < end && *p == '[') {
		for (key = ++p; p < end && (isalnum((unsigned char)*p) ||
					    strchr("_.-\"", *p));)
			p++;
		return p > key && isalpha((unsigned char)*key) && p < end &&
		       *p == ']';
	}
	for (key = p;
	     p < end && (isalnum((unsigned char)*p) || strchr("_.-$", *p));)
		p++;
	while (p > key && p < end && *p == ' ')
		p++;
	return p > key && p < end &&
	       (*p == '=' ||
		(*p == ':' && p + 1 < end && isspace((unsigned char)p[1])));
}

/* The cause of a grammar error at p, and its place; NULL if the error says all
 * that there is to say. */
static const char *cause(const struct scan *r, const char **at)
{
	static const char quotes[][4] = {"'",
					 "`",
					 "\xE2\x80\x98",
					 "\xE2\x80\x99",
					 "\xE2\x80\x9C",
					 "\xE2\x80\x9D"};
	static const char words[][10] = {"True",      "False", "None",
					 "undefined", "NaN",   "Infinity"};
	const char *p = *at, *end = r->end, *last = before(r, p);

	if (begins(p, end, "//") || begins(p, end, "/*") || *p == '#')
		return "a comment, which JSON does not have: remove it, or say "
		       "it in a \"description\"";
	if ((*p == '}' || *p == ']') && *last == ',') {
		*at = last;
		return "a trailing comma: remove this comma, the last before a "
		       "closing bracket";
	}
	for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++)
		if (begins(p, end, quotes[i]))
			return "JSON has strings in double quotes: write \" "
			       "for this quote";
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (begins(p, end, words[i]))
			return "JSON has true, false, null and plain numbers "
			       "alone";
	if ((isalpha((unsigned char)*p) || *p == '_' || *p == '$') &&
	    (*last == '{' || *last == ','))
		return "a word without quotes: write keys and strings in "
		       "double quotes";
	return p == end ? "the file ends before all brackets are closed: is it "
			  "whole?"
			: NULL;
}

/* A key that a client's configuration has, in a text that is no JSON. */
static bool has_servers(const struct scan *r)
{
	static const char keys[][16] = {"mcpServers", "mcp_servers",
					"context_servers", "\"servers\"",
					"\"mcp\""};
	size_t len = (size_t)(r->end - r->begin);

	if (memmem(r->begin, len, "\"version\"", 9))
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (memmem(r->begin, len, keys[i], strlen(keys[i])))
			return true;
	return false;
}

void foreign_text(struct loader *l, const struct scan *r)
{
	const char *start = r->begin, *end = r->end, *said = r->fault.reason;
	const bool servers = has_servers(r);
	const char *more = servers ? "; " CLIENT : "";
	const char *frame = servers ? POLICY_FRAME : "";

	l->at = r->begin;
	while (start < end && strchr(" \t\r\n", *start) && *start)
		start++;
	if (start == end) {
		loader_fault(l, "the file is empty: a policy is %s",
			     POLICY_FRAME);
	} else if (begins(start, end, "\xEF\xBB\xBF")) {
		loader_fault(l,
			     "a byte order mark (BOM) is before the JSON: save "
			     "the file as UTF-8 without it%s%s",
			     more, frame);
	} else if (begins(start, end, "\xFF\xFE") ||
		   begins(start, end, "\xFE\xFF") ||
		   (end - start > 1 && (!start[0] || !start[1]))) {
		loader_fault(l, "this is UTF-16, as > in an older PowerShell "
				"writes it: save the file as UTF-8");
	} else if (r->fault.grammar && *start != '{' && is_lines(start, end)) {
		l->at = start;
		loader_fault(l,
			     "this looks like YAML or TOML, and a policy is "
			     "JSON: %s%s%s",
			     POLICY_FRAME, more, frame);
	} else {
		const char *at = r->begin + r->fault.offset, *why;

		why = r->fault.grammar ? cause(r, &at) : NULL;
		l->at = at;
		loader_fault(l, "%s%s%s%s%s", why ? why : said,
			     *start == '"' ? "; a policy is " : "",
			     *start == '"' ? POLICY_FRAME : "", more, frame);
	}
}

/* ---- other JSON ------------------------------------------------------ */

/* What other files are, and their keys at the top. */
enum file { A_CLIENT, A_LIST, A_PEER, A_PERMISSIONS };
static const struct {
	char key[16];
	unsigned char type; /* json_type */
	unsigned char file;
} tops[] = {
	{"mcpServers", json_object, A_CLIENT},
	{"servers", json_object, A_CLIENT},
	{"context_servers", json_object, A_CLIENT},
	{"mcp_servers", json_object, A_CLIENT},
	{"mcp", json_object, A_CLIENT},
	{"tools", json_array, A_LIST},
	{"result", json_object, A_LIST},
	{"jsonrpc", json_string, A_LIST},
	{"permissions", json_object, A_PERMISSIONS},
	{"rules", json_array, A_PEER},
	{"policies", json_array, A_PEER},
	{"Statement", json_array, A_PEER},
	{"allow", json_array, A_PEER},
	{"deny", json_array, A_PEER},
	{"allowlist", json_array, A_PEER},
	{"denylist", json_array, A_PEER},
};
static const char *const files[] = {
	[A_CLIENT] = CLIENT,
	[A_LIST] = LIST,
	[A_PEER] = PEER,
	[A_PERMISSIONS] = PERMISSIONS,
};

static bool has_objects(const json_value *v)
{
	return v->u.array.length > 0 &&
	       v->u.array.values[0]->type == json_object;
}

static void read_foreign(struct loader *l, const json_object_entry *e,
			 void *into)
{
	bool *found = into;

	for (size_t i = 0; !*found && i < sizeof(tops) / sizeof(*tops); i++) {
		bool tools = strcmp(e->name, "tools") == 0;

		/* An array of names is meant as a policy's tools. */
		if (strcmp(e->name, tops[i].key) != 0 ||
		    e->value->type != tops[i].type ||
		    (tools && !has_objects(e->value)))
			continue;
		*found = true;
		loader_fault(l, "%s \"%s\": %s%s",
			     tools ? "an array as" : "unknown key", e->name,
			     files[tops[i].file], POLICY_FRAME);
	}
}

bool foreign_file(struct loader *l, const json_value *v)
{
	bool found = false;

	if (v->type == json_array) {
		if (has_objects(v))
			loader_fault(l, "%s%s", LIST, POLICY_FRAME);
		else
			loader_want(l, v, json_object,
				    "a policy, " POLICY_FRAME ",");
		return true;
	}
	if (v->type != json_object)
		return false;
	/* What begins as a policy is read as one, fault by fault. */
	for (unsigned i = 0; i < v->u.object.length; i++)
		if (strcmp(v->u.object.values[i].name, "default") == 0)
			return false;
	loader_members(l, v, read_foreign, &found);
	return found;
}
