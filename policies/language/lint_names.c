/* Names: what no tool and no method has, what this server does not have, and
 * entries that allow more than they seem to. */
#include "lint.h"
#include "loader.h"

#include <string.h>

#define UNUSED_SAID 5 /* entries that one sentence names */

/* ---- what an entry opens --------------------------------------------- */

/* Globs that begin with one of these are meant to hold back. */
static const char grave[] =
	"delete\0destroy\0drop\0erase\0kill\0purge\0remove\0"
	"terminate\0truncate\0uninstall\0wipe\0";

static bool begins_with(const struct rules *r, const char *words)
{
	for (; *words; words = policy_word(words, 1))
		if (r->entry.folded_len > strlen(words) &&
		    memcmp(r->entry.folded, words, strlen(words)) == 0)
			return true;
	return false;
}

/* The first file before this one whose default closes what it does not name,
 * from 1, or 0. */
static size_t closed_before(const struct policy *p, size_t layer)
{
	for (size_t i = 1; i < layer; i++)
		if (p->fallbacks[i - 1] != ACTION_ALLOW)
			return i;
	return 0;
}

/* Does another entry name all that this one does: of a file before, or of one
 * whose default closes the rest? */
static bool is_named(const struct policy *p, const struct rules *r, bool before)
{
	const struct entry *e;
	struct walk w;
	bool exact;

	walk_begin(&w, &p->names[r->section], r->entry.name, r->entry.len);
	while ((e = walk_next(&w, &exact))) {
		size_t since = ((const struct rules *)e)->since;

		if (e != &r->entry && lint_covers(e, r) &&
		    (before ? since < r->since
			    : p->fallbacks[since - 1] != ACTION_ALLOW))
			return true;
	}
	return false;
}

/* An entry that allows what the default, or a file before, had closed. */
static void warn_opens(struct lint *l, const struct rules *r)
{
	const struct policy *p = l->policy;
	const char *fallback = p->fallback == ACTION_HIDE ? "hide" : "deny";
	bool asks = r->require.count + r->deny_if.count > 0 || rules_ask(r);
	bool limits = !asks && r->limit_count > 0 && !r->decided;

	if (p->fallback == ACTION_ALLOW || refuses(r->action))
		return;
	if (r->action == ACTION_ALLOW &&
	    strspn(r->entry.name, "*?") == r->entry.len &&
	    strchr(r->entry.name, '*'))
		lint_warn(
			l, &r->place,
			"this entry allows every tool, so \"default\" \"%s\" "
			"holds nothing back: write rules for every tool under "
			"\"all_tools\", which allows none, or set \"default\" "
			"to \"allow\"",
			fallback);
	else if (closed_before(p, r->since) > 0 && !is_named(p, r, true))
		lint_warn(l, &r->place,
			  "this entry allows what no file before this one "
			  "allows: name it there if it is meant to be allowed; "
			  "rules for every tool belong under \"all_tools\"");
	else if (p->fallbacks[r->since - 1] == ACTION_ALLOW &&
		 p->fallbacks[r->layer - 1] == ACTION_ALLOW &&
		 (asks || limits) && !r->decided && !is_named(p, r, false))
		lint_warn(
			l, &r->place,
			"beside \"default\" \"allow\" in its own file this "
			"entry holds back; beside \"default\" \"%s\", line "
			"%zu of %s, it allows. Write \"action\": \"allow\" if "
			"that is meant",
			fallback, p->fallback_location.line,
			p->fallback_location.file);
	else if (r->entry.glob && limits &&
		 (r->spelled || begins_with(r, grave)))
		lint_warn(l, &r->place,
			  "beside \"default\" \"%s\" this glob, which has only "
			  "limits, allows every tool that it covers%s: write "
			  "\"action\": \"allow\" if that is meant, or name the "
			  "tools one by one",
			  fallback,
			  r->spelled ? ", not only those that other entries "
				       "name"
				     : "");
}

/* ---- names that nothing has ------------------------------------------ */

/* A dot before a star is one of a regular expression, unless other names of the
 * policy have dots. */
static bool has_dots(const struct policy *p)
{
	for (const struct rules *r = p->first; r; r = r->following)
		for (const char *dot = strchr(r->entry.name, '.');
		     r->section == POLICY_TOOLS && dot;
		     dot = strchr(dot + 1, '.'))
			if (dot[1] != '*' && dot[1] != '\0')
				return true;
	return false;
}

static void warn_name(struct lint *l, const struct rules *r)
{
	const char *name = r->entry.name, *odd = NULL, *dot = NULL, *last;

	if (r->section != POLICY_TOOLS && r->section != POLICY_PROMPTS)
		return;
	if (strncmp(name, "mcp__", 5) == 0) {
		last = strstr(name + 5, "__");
		last = last ? last + 2 : "";
		lint_warn(l, &r->place,
			  "this is a name as clients show it: a server's own "
			  "is without mcp__ and the server's name. Write "
			  "\"%s\"",
			  *last ? loader_show(last, strlen(last)).text : "*");
		return;
	}
	if (r->section != POLICY_TOOLS)
		return;
	odd = strpbrk(name, "{}^$|[]()\\+!,");
	if (!odd && r->entry.len > 2 && *name == '/' &&
	    name[r->entry.len - 1] == '/')
		odd = name;
	if (!odd && (dot = strstr(name, ".*")))
		dot = has_dots(l->policy) ? NULL : dot;
	if (odd)
		lint_warn(l, &r->place,
			  "no tool has a name with \"%c\". An entry is a name "
			  "or a glob: * stands for anything, ? for one "
			  "character. Write an entry for each name, or "
			  "\"PREFIX_*\"",
			  *odd);
	else if (dot)
		lint_warn(
			l, &r->place,
			"\".*\" covers only names that have this dot: * alone "
			"stands for anything, so write \"%s*\"",
			loader_show(name, (size_t)(dot - name)).text);
}

/* ---- methods --------------------------------------------------------- */

/* What a client sends in some revision of MCP, and what only a server does. */
const char policy_methods[] = "completion/complete\0"
			      "initialize\0"
			      "logging/setLevel\0"
			      "notifications/cancelled\0"
			      "notifications/initialized\0"
			      "notifications/progress\0"
			      "notifications/roots/list_changed\0"
			      "notifications/tasks/status\0"
			      "ping\0"
			      "prompts/get\0"
			      "prompts/list\0"
			      "resources/list\0"
			      "resources/read\0"
			      "resources/subscribe\0"
			      "resources/templates/list\0"
			      "resources/unsubscribe\0"
			      "server/discover\0"
			      "subscriptions/listen\0"
			      "tasks/cancel\0"
			      "tasks/get\0"
			      "tasks/list\0"
			      "tasks/result\0"
			      "tasks/update\0"
			      "tools/call\0"
			      "tools/list\0";
static const char server_methods[] = "elicitation/create\0"
				     "notifications/elicitation/complete\0"
				     "notifications/message\0"
				     "notifications/prompts/list_changed\0"
				     "notifications/resources/list_changed\0"
				     "notifications/resources/updated\0"
				     "notifications/tools/list_changed\0"
				     "roots/list\0"
				     "sampling/createMessage\0";

static bool covers_one(const struct entry *e, const char *methods)
{
	char folded[64];
	size_t len;

	for (; *methods; methods = policy_word(methods, 1)) {
		len = name_fold(methods, strlen(methods), folded);
		if (e->glob ? name_glob(e->folded, e->folded_len, folded, len)
			    : e->folded_len == len &&
				      memcmp(e->folded, folded, len) == 0)
			return true;
	}
	return false;
}

bool policy_only_servers_send(struct text method)
{
	const char *m = server_methods;

	while (*m && !text_is(method, m, strlen(m)))
		m = policy_word(m, 1);
	return *m;
}

const char *policy_meant_method(struct text method)
{
	const char *near =
		policy_nearest(method.ptr, method.len, policy_methods);

	return near && !text_is(method, near, strlen(near)) ? near : NULL;
}

static void warn_method(struct lint *l, const struct rules *r)
{
	const bool known = covers_one(&r->entry, policy_methods);
	const char *near;

	if (known && r->section == POLICY_TOOLS && !r->entry.glob &&
	    strchr(r->entry.name, '/'))
		lint_warn(l, &r->place,
			  "this is a method, not a tool: write it under "
			  "\"methods\"");
	if (known || r->section != POLICY_METHODS)
		return;
	near = policy_nearest(r->entry.name, r->entry.len, policy_methods);
	if (covers_one(&r->entry, server_methods))
		lint_warn(l, &r->place,
			  "only a server sends this, and weir judges what a "
			  "client sends: this entry has no effect");
	else if (near)
		lint_warn(l, &r->place,
			  "MCP has no such method: did you mean \"%s\"?", near);
	else
		lint_warn(l, &r->place,
			  "MCP has no such method, so this entry matters only "
			  "to a server with its own methods");
}

void lint_names(struct lint *l)
{
	for (const struct rules *r = l->policy->first; r; r = r->following) {
		if (r->section == POLICY_TOOLS)
			warn_opens(l, r);
		warn_name(l, r);
		warn_method(l, r);
		if (r->told && r->action == ACTION_ALLOW && !rules_ask(r))
			lint_warn(l, &r->place,
				  "\"reason\" is told when the action refuses, "
				  "and this entry allows: write \"action\": "
				  "\"deny\", or give each condition and limit "
				  "an \"on_deny\"");
	}
}

/* ---- what the server does not have ----------------------------------- */

/* Begins a walk over the entries that name it, decoded into plain.  False: of a
 * name of more than MESSAGE_NAME_BYTES there are none. */
static bool walk_name(struct walk *w, const struct policy *policy,
		      enum policy_section section, struct text name,
		      char plain[MESSAGE_NAME_BYTES])
{
	ptrdiff_t len = -1;

	if (name.ptr)
		len = text_decode(name, plain, MESSAGE_NAME_BYTES);
	if (len >= 0)
		walk_begin(w, &policy->names[section], plain, (size_t)len);
	return len >= 0;
}

void policy_note(struct policy *policy, enum policy_section section,
		 struct text name)
{
	char plain[MESSAGE_NAME_BYTES];
	struct entry *e;
	struct walk w;
	bool exact;

	if (walk_name(&w, policy, section, name, plain))
		while ((e = (struct entry *)walk_next(&w, &exact)))
			((struct rules *)e)->used = true;
}

const struct location *policy_names(const struct policy *policy,
				    enum policy_section section,
				    struct text name, bool alias)
{
	const struct location *found = NULL;
	char plain[MESSAGE_NAME_BYTES];
	const struct entry *e;
	struct walk w;
	bool exact;

	if (!walk_name(&w, policy, section, name, plain))
		return NULL;
	if (alias && section == POLICY_TOOLS)
		walk_add_alias(&w);
	while ((e = walk_next(&w, &exact)))
		if (!found || exact)
			found = &((const struct rules *)e)->place;
	return found;
}

void lint_unused(struct lint *l, enum policy_section section)
{
	const char *what = section == POLICY_TOOLS ? "tool" : "prompt";

	for (const struct rules *r = l->policy->first; r; r = r->following)
		if (r->section == section && !r->used)
			lint_warn(l, &r->place,
				  r->entry.glob
					  ? "this glob covers no %s of the list"
					  : "no %s of the list has this name",
				  what);
}

bool policy_say_unused(const struct policy *policy, struct strbuf *out)
{
	size_t entries = 0, unused = 0, said = 0;

	for (const struct rules *r = policy->first; r; r = r->following) {
		entries += r->section == POLICY_TOOLS;
		unused += r->section == POLICY_TOOLS && !r->used;
	}
	if (unused == 0)
		return false;
	if (unused == entries) {
		loader_put(out,
			   "this policy names %zu tool%s, this server has none "
			   "of them: is it the right one?",
			   entries, entries == 1 ? "" : "s");
		return true;
	}
	loader_put(out,
		   "this server has no tool for %zu of the %zu entries of this "
		   "policy: ",
		   unused, entries);
	for (const struct rules *r = policy->first; r; r = r->following) {
		if (r->section != POLICY_TOOLS || r->used)
			continue;
		if (said == UNUSED_SAID) {
			loader_put(out, " and %zu more", unused - said);
			break;
		}
		strbuf_string(out, said++ > 0 ? ", \"" : "\"");
		strbuf_escaped(out, r->entry.name, r->entry.len);
		strbuf_string(out, "\"");
	}
	return true;
}
