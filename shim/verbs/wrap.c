/* weir wrap, weir unwrap.  The contract is in wrap.h. */
#include "wrap.h"

#include "../../policies/policy.h"
#include "../report.h"
#include "../system.h"
#include "config.h"
#include "edits.h"
#include "scan.h"
#include "show.h"
#include "wrap_show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- policies -------------------------------------------------------- */

/* What cannot stand in a configuration, or that some client would replace. */
static bool is_fit(const char *path)
{
	struct scan r;
	struct text text;
	char *quoted = NULL;
	bool fit = !strpbrk(path, "$`{\"\\") &&
		   asprintf(&quoted, "\"%s\"", path) > 0;

	if (fit) {
		scan_begin(&r, quoted, strlen(quoted));
		fit = scan_string(&r, quoted, &text) != NULL;
	}
	free(quoted);
	if (!fit)
		report_all(
			"%s: clients cannot take such a path as it stands: give it another name",
			show(path).text);
	return fit;
}

/* What a policy is held against. */
struct held {
	const struct options *o;
	const struct policy *policy;
};

static int hold(const void *context, char **command)
{
	const struct held *h = context;

	return scan_named(h->policy, command, h->o->timeout);
}

/* DIR/%s.json with the server's name; the caller frees it.  NULL: reported. */
static char *name_policy(const char *pattern, const struct server *v)
{
	const char *percent = strstr(pattern, "%s");
	char named[PATH_MAX], path[PATH_MAX], *copy;
	int len;

	if (percent && (strchr(v->name, '/') || !*v->name)) {
		report_all(
			"%s: its name is no file name: wrap it alone, with a policy that you name",
			show(v->name).text);
		return NULL;
	}
	if (policy_names_descriptor(pattern)) {
		report_all("%s: a configuration needs a policy that is a file",
			   show(pattern).text);
		return NULL;
	}
	len = percent ? snprintf(named, sizeof(named), "%.*s%s%s",
				 (int)(percent - pattern), pattern, v->name,
				 percent + 2)
		      : snprintf(named, sizeof(named), "%s", pattern);
	errno = ENAMETOOLONG;
	if (len >= PATH_MAX || !config_absolute(named, path)) {
		report_all("%s: %s", show(pattern).text, strerror(errno));
		return NULL;
	}
	if (!is_fit(path))
		return NULL;
	copy = strdup(path);
	if (!copy)
		report_all("out of memory");
	return copy;
}

/* Names the server's policies, and sees that they load, unless they are those
 * of the server before.  False: reported. */
static bool find_policies(const struct options *o, const struct config *c,
			  const struct server *v, struct outcome *to,
			  const struct outcome *before)
{
	struct held held = {.o = o};
	struct policy *policy;
	bool same = before != NULL && !o->scan;
	int named = 1;

	for (size_t i = 0; i < o->policy_count; i++) {
		to->put[i] = name_policy(o->policies[i], v);
		if (!to->put[i])
			return false;
		same = same && strcmp(to->put[i], before->put[i]) == 0;
	}
	if (same)
		return true;
	policy = policy_load((const char *const *)to->put, o->policy_count,
			     &o->places, report_line, NULL);
	if (!policy) {
		report_all(
			"%s: its policy does not load, so nothing was changed",
			show(v->name).text);
		return false;
	}
	policy_warn(policy, NULL, report_line, NULL);
	held.policy = policy;
	if (o->scan)
		named = config_ask(c, v, hold, &held);
	policy_free(policy);
	if (named <= 0)
		report_all("%s: %s, so nothing was changed", show(v->name).text,
			   named < 0 ? "weir cannot ask it for its tools"
				     : "its policy names none of its tools");
	return named > 0;
}

static bool has_policies(const struct server *v, const struct outcome *to)
{
	size_t i = 0;

	while (to->put[i] && v->policies[i] &&
	       (strcmp(to->put[i], v->policies[i]) == 0 ||
		(*v->policies[i] == '/' &&
		 replace_same(to->put[i], v->policies[i]))))
		i++;
	return !to->put[i] && !v->policies[i];
}

/* ---- lists by command ------------------------------------------------ */

/* Names the elements of a list that are about a command. */
static void look_for_lists(size_t *found, const char *file, struct span root)
{
	static const char names[][18] = {"allowedMcpServers",
					 "deniedMcpServers"};

	for (int i = 0; i < 2; i++) {
		struct span list = jsonc_member(root, names[i]);
		struct jsonc_item item = {.begin = NULL};

		for (size_t at = 0; jsonc_next(list, &item); at++) {
			if (!jsonc_member(item.value, "serverCommand").ptr)
				continue;
			report_all("%s: /%s/%zu %s a server by its command",
				   show(file).text, names[i], at,
				   i == 0 ? "allows" : "denies");
			++*found;
		}
	}
}

static void look_into(void *context, const char *name)
{
	size_t *found = context;
	/* It may be anything: a FIFO must not stop this. */
	int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool none = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *text = f ? malloc(REPLACE_BYTES + 1) : NULL;
	size_t len = text ? fread(text, 1, REPLACE_BYTES, f) : 0;
	struct jsonc j;

	if (text)
		text[len] = '\0';
	if (text && jsonc_read(&j, text, len)) {
		look_for_lists(found, name, j.root);
	} else if (!none) {
		report_all(
			"%s: weir cannot read it; it may list servers by their command",
			show(name).text);
		++*found;
	}
	free(text);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
}

/* Wrapping changes the command that such a list is about: a denial would be
 * lifted, and what is allowed refused.  False: reported. */
static bool obeys_lists(const struct options *o, const struct config *c)
{
	unsigned whose = c->keys & (LISTS_CLAUDE | LISTS_COPILOT);
	size_t found = 0;
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", c->path);
	*strrchr(dir, '/') = '\0';
	look_for_lists(&found, c->file, c->servers.json.root);
	for (const struct client *s = clients_lists; s->path; s++)
		if (s->flags & whose)
			clients_expand(s->path, dir, look_into, &found);
	if (found == 0 || o->force)
		return true;
	report_all(
		"a wrapped command is another one to these lists: change them, or give --force; nothing was changed");
	return false;
}

/* ---- what is to be done ---------------------------------------------- */

/* What clients may replace in a command, and not in its arguments. */
static void warn_of_command(const struct config *c, const struct server *v)
{
	const char *command = v->words[0];
	bool expands = c->client && c->client->flags & EXPANDS;

	if (*command == '~' ||
	    (!expands && (strchr(command, '$') || strstr(command, "{env:"))))
		report_all(
			"%s: weir does not expand %s; see that your client does so in args, too",
			show(v->name).text, show(command).text);
	if (strchr(command, ' ') && access(command, F_OK) != 0)
		report_all(
			"%s: the command %s has blanks: for weir it is the name of one program",
			show(v->name).text, show(command).text);
}

static void fail(struct outcome *to, const char *state, const char *why)
{
	to->failed = true;
	to->state = state;
	to->why = why;
}

static void decide(const struct options *o, const struct config *c,
		   struct server *v, struct outcome *to)
{
	static const char kept[] = "kept";

	v->put = (const char *const *)to->put;
	if (o->verb == RUN_UNWRAP) {
		v->change = v->behind ? SERVER_UNWRAP : SERVER_KEEP;
		to->state = v->behind ? "unwrapped" : "not behind weir";
	} else if (v->kind != SERVER_COMMAND) {
		fail(to, "not wrapped", config_why_not[v->kind]);
	} else if (!v->behind) {
		v->change = SERVER_WRAP;
		to->state = "wrapped";
		if (!c->foreign)
			warn_of_command(c, v);
	} else if (has_policies(v, to)) {
		to->state = "already wrapped";
	} else if (!o->replace) {
		fail(to, kept,
		     "it is behind weir with another policy; --replace changes it");
	} else if (!v->plain) {
		fail(to, kept,
		     "weir has other options there than -p: change them by hand");
	} else {
		v->change = SERVER_REPLACE;
		to->state = "replaced";
	}
}

/* Chooses, and says what shall become of each.  False: reported. */
static bool decide_all(const struct options *o, struct config *c,
		       struct outcome *all)
{
	const struct outcome *before = NULL;

	for (char *const *name = o->rest + 1; *name; name++)
		if (!config_choose(c, *name))
			return false;
	if (!o->rest[1] && !config_choose_only(c, o))
		return false;
	for (size_t i = 0; i < c->servers.count; i++) {
		struct server *v = &c->servers.list[i];

		if (v->chosen && o->verb == RUN_WRAP &&
		    v->kind == SERVER_COMMAND) {
			if (!find_policies(o, c, v, &all[i], before))
				return false;
			before = &all[i];
		}
		if (v->chosen) {
			decide(o, c, v, &all[i]);
		} else if (o->all && o->verb == RUN_WRAP) {
			all[i].state = "not wrapped";
			all[i].why = config_why_not[v->kind];
			all[i].failed = v->kind >= SERVER_BOTH &&
					v->kind != SERVER_NONE;
		}
	}
	return true;
}

/* ---- doing it -------------------------------------------------------- */

/* False: reported. */
static bool write_config(const struct options *o, const struct config *c,
			 const struct edits *e, bool *made)
{
	size_t len;
	char *text = edits_apply(e, c->text.text, c->text.len, &len);
	bool done = false;

	if (!text)
		report_all("out of memory");
	else
		done = replace_write(&c->text, text, len, o->verb == RUN_WRAP,
				     made);
	free(text);
	return done;
}

/* Writes the file, or prints how it would change.  False: reported. */
static bool change_file(const struct options *o, const struct config *c,
			bool *made)
{
	struct edits e = {.list = NULL};
	bool done = servers_edit(&c->servers, c->weir, &e);

	if (!done)
		report_all("out of memory");
	else if (o->dry_run)
		done = o->json || edits_print(c->path, c->text.text, &e);
	else
		done = write_config(o, c, &e, made);
	edits_free(&e);
	return done;
}

/* What decide_all() has decided. */
static int carry_out(const struct options *o, const struct config *c,
		     const struct outcome *all)
{
	bool failed = false, chosen = o->verb == RUN_UNWRAP, changes = false,
	     made = false;

	for (size_t i = 0; i < c->servers.count; i++) {
		chosen |= c->servers.list[i].chosen;
		failed |= all[i].failed;
		changes |= c->servers.list[i].change != SERVER_KEEP;
	}
	if (changes && o->verb == RUN_WRAP && !c->foreign && !obeys_lists(o, c))
		return WRAP_NOT;
	if (changes && !c->foreign && !change_file(o, c, &made))
		return WRAP_ERROR;
	wrap_show(o, c, all, changes, made);
	return failed || !chosen || (c->foreign && changes) ? WRAP_NOT
							    : WRAP_DONE;
}

int wrap_run(const struct options *o)
{
	struct config c = {.file = NULL};
	struct outcome *all = NULL;
	char self[PATH_MAX], weir[PATH_MAX];
	int status = WRAP_ERROR;

	/* A file that may not grow is reported, not died of. */
	signal(SIGXFSZ, SIG_IGN);
	if (!system_self(o->self, self) || !config_absolute(self, weir)) {
		report_all(
			"cannot find the path of weir itself: is /proc there?");
		return WRAP_ERROR;
	}
	if (o->find)
		return wrap_find(o, weir);
	if (o->verb == RUN_WRAP && !is_fit(weir))
		return WRAP_ERROR;
	if (config_read(&c, o->rest[0], weir)) {
		all = calloc(c.servers.count + 1, sizeof(*all));
		if (!all)
			report_all("out of memory");
		else if (decide_all(o, &c, all))
			status = carry_out(o, &c, all);
	}
	for (size_t i = 0; all && i < c.servers.count; i++)
		for (size_t n = 0; all[i].put[n]; n++)
			free(all[i].put[n]);
	free(all);
	config_free(&c);
	return status;
}
