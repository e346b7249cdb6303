/* What weir wrap and unwrap print.  The contract is in wrap_show.h. */
#include "wrap_show.h"

#include "../report.h"
#include "edits.h"
#include "show.h"

#include <stdio.h>
#include <string.h>

/* What a client's reader would not take. */
static void warn_of_syntax(const struct config *c)
{
	const unsigned seen = c->servers.json.seen;

	if (!c->client)
		return;
	if (seen & JSONC_COMMENTS && !(c->keys & TAKES_COMMENTS))
		report_all("%s has comments, which %s may not read",
			   show(c->file).text, c->client->name);
	if (seen & JSONC_COMMAS && !(c->keys & TAKES_COMMAS))
		report_all(
			"%s has a comma before a closing bracket, which %s does not read",
			show(c->file).text, c->client->name);
}

/* Several servers with one first policy share a grant. */
static void warn_of_sharing(const struct config *c, const struct outcome *all)
{
	const struct outcome *first = NULL;

	for (size_t i = 0; i < c->servers.count; i++) {
		if (!all[i].put[0] || c->servers.list[i].change == SERVER_KEEP)
			continue;
		if (first && strcmp(first->put[0], all[i].put[0]) == 0) {
			report_all(
				"these servers share the grant %s, and so its counters; -p DIR/%%s.json gives each its own",
				show(first->put[0]).text);
			return;
		}
		first = &all[i];
	}
}

static void print_outcome(const struct config *c, const struct server *v,
			  const struct outcome *to)
{
	char *const *policies =
		v->change != SERVER_KEEP ? to->put : v->policies;

	printf("%s: %s", show(config_call(&c->servers, v)).text, to->state);
	if (to->why)
		printf(": %s", to->why);
	putchar('\n');
	for (size_t i = 0;
	     (v->behind || v->change != SERVER_KEEP) && policies[i]; i++)
		printf("    -p %s\n", show(policies[i]).text);
}

static void print_after(const struct config *c, bool made)
{
	const char *name = c->client ? c->client->name : "the client";
	char git[PATH_MAX];

	if (made)
		printf("The file as it was: %s" REPLACE_BACKUP "\n",
		       show(c->text.path).text);
	if (made && replace_in_git(c->text.path, git))
		printf("It may hold tokens, and lies in the git work tree %s: do not commit it.\n",
		       show(git).text);
	if (c->text.st.st_nlink > 1)
		printf("The file had another name (a hard link), which has the old text.\n");
	printf("Restart %s; it may ask whether you trust the changed server.\n",
	       name);
	if (c->keys & REWRITES)
		printf("It writes this file itself: if it runs now, look again with weir wrap --find.\n");
}

/* What to put there by hand. */
static void print_by_hand(const struct options *o, const struct config *c,
			  const struct server *v, const struct outcome *to)
{
	const char *is = c->keys & KEY_TOML ? " = " : ": ";
	const char *line = edits_line(c->text.text, v->spans[0].ptr);
	bool cmd = strncmp(line + strspn(line, " "), "cmd", 3) == 0;
	size_t first = v->behind;
	const char *comma = "";

	printf("\nIn %s, write for %s:\n\n    %s%s", show(c->file).text,
	       show(v->name).text, cmd ? "cmd" : "command", is);
	show_json(o->verb == RUN_WRAP ? c->weir : v->words[first++]);
	printf("\n    args%s[", is);
	for (size_t i = 0; o->verb == RUN_WRAP && to->put[i]; i++) {
		printf("\"-p\", ");
		show_json(to->put[i]);
		printf(", ");
	}
	if (o->verb == RUN_WRAP) {
		printf("\"--\"");
		comma = ", ";
	}
	for (size_t i = first; i < v->count; i++) {
		printf("%s", comma);
		show_json(v->words[i]);
		comma = ", ";
	}
	printf("]\n");
}

void wrap_show_server(const struct server *v, const char *state, bool behind,
		      char *const *policies)
{
	printf("{\"server\": ");
	show_json(v->name);
	printf(", \"at\": ");
	show_json(v->pointer);
	printf(", \"state\": ");
	show_json(state);
	printf(", \"behindWeir\": %s, \"policies\": [",
	       behind ? "true" : "false");
	for (size_t i = 0; behind && policies && policies[i]; i++) {
		printf("%s", i ? ", " : "");
		show_json(policies[i]);
	}
	printf("]}");
}

static void print_json(const struct config *c, const struct outcome *all,
		       bool changed, bool made)
{
	char backup[PATH_MAX + sizeof(REPLACE_BACKUP)];

	snprintf(backup, sizeof(backup), "%s" REPLACE_BACKUP, c->text.path);
	printf("{\"file\": ");
	show_json(c->path);
	printf(", \"client\": ");
	show_json(c->client ? c->client->name : NULL);
	printf(", \"changed\": %s, \"backup\": ", changed ? "true" : "false");
	show_json(made ? backup : NULL);
	printf(",\n \"servers\": [");
	for (size_t i = 0; i < c->servers.count; i++) {
		const struct server *v = &c->servers.list[i];
		const bool old = v->change == SERVER_UNWRAP || !all[i].put[0] ||
				 all[i].failed;
		const bool behind = v->change == SERVER_WRAP ||
				    (v->behind && v->change != SERVER_UNWRAP);

		printf("%s\n  ", i ? "," : "");
		wrap_show_server(v, all[i].state, behind,
				 old ? v->policies : all[i].put);
	}
	printf("]}\n");
}

void wrap_show(const struct options *o, const struct config *c,
	       const struct outcome *all, bool changes, bool made)
{
	const bool changed = changes && !c->foreign && !o->dry_run;

	for (size_t i = 0; !o->json && !o->dry_run && i < c->servers.count; i++)
		if (all[i].state && !(c->foreign && c->servers.list[i].change))
			print_outcome(c, &c->servers.list[i], &all[i]);
	if (c->servers.doubled)
		report_all(
			"%s has a name twice; the last counts, as it does for JSON.parse()",
			show(c->file).text);
	if (changes)
		warn_of_sharing(c, all);
	if (changes && !c->foreign)
		warn_of_syntax(c);
	if (o->json)
		print_json(c, all, changed, made);
	else if (changed)
		print_after(c, made);
	if (!c->foreign || !changes)
		return;
	for (size_t i = 0; !o->json && i < c->servers.count; i++)
		if (c->servers.list[i].change)
			print_by_hand(o, c, &c->servers.list[i], &all[i]);
	report_all("%s is unchanged: weir edits no TOML or YAML",
		   show(c->file).text);
}
