/* weir wrap, weir unwrap.  The contract is in wrap.h. */
#include "wrap.h"

#include "../../policies/policy.h"
#include "../report.h"
#include "../system.h"
#include "clients.h"
#include "diff.h"
#include "replace.h"
#include "scan.h"
#include "servers.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* POSIX has it declared nowhere. */
extern char **environ;

/* A configuration. */
struct config {
	const char *file; /* as it is named */
	char path[PATH_MAX];
	const struct client *client; /* NULL: unknown */
	bool foreign;                /* TOML or YAML */
	unsigned keys;               /* clients.h */
	const char *weir; /* the program, as clients shall start it */
	struct replace text;
	struct servers servers;
};

/* ---- paths ----------------------------------------------------------- */

/* From the root on; the last name is kept, though it may be a link. */
static bool absolute(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX], real[PATH_MAX];

	if (*path == '/')
		return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
	snprintf(dir, sizeof(dir), "./%.*s", slash ? (int)(slash - path) : 0,
		 path);
	if (!realpath(dir, real))
		return false;
	errno = ENAMETOOLONG;
	return snprintf(out, PATH_MAX, "%s/%s", strcmp(real, "/") ? real : "",
			slash ? slash + 1 : path) < PATH_MAX;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat s, t;

	return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev &&
	       s.st_ino == t.st_ino;
}

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

/* ---- reading a configuration ----------------------------------------- */

static void tell_fault(const struct config *c)
{
	const struct fault *f = &c->servers.json.fault;
	size_t line = 1, column = 1;

	for (size_t i = 0; i < f->offset && i < c->text.len; i++) {
		column = c->text.text[i] == '\n' ? 1 : column + 1;
		line += c->text.text[i] == '\n';
	}
	report_all("%s:%zu:%zu: weir cannot read it: %s", show(c->file).text,
		   line, column, f->reason);
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), more = strlen(end);

	return len >= more && strcmp(s + len - more, end) == 0;
}

/* False: reported. */
static bool config_read(struct config *c, const char *file, const char *weir)
{
	bool done;

	*c = (struct config){.file = file, .weir = weir};
	if (!absolute(file, c->path)) {
		report_all("%s: %s", show(file).text, strerror(errno));
		return false;
	}
	c->client = clients_of(c->path);
	c->keys = c->client                  ? c->client->flags
		  : ends_with(file, ".toml") ? KEY_TOML
		  : ends_with(file, ".yaml") || ends_with(file, ".yml")
			  ? KEY_YAML
			  : KEY_ALL;
	c->foreign = c->keys & (KEY_TOML | KEY_YAML);
	if (!replace_read(&c->text, file))
		return false;
	if (!c->foreign)
		done = servers_read(&c->servers, c->text.text, c->text.len,
				    c->keys, weir);
	else
		done = (c->keys & KEY_TOML ? servers_read_toml
					   : servers_read_yaml)(
			&c->servers, c->text.text, weir);
	if (!done && !c->foreign)
		tell_fault(c);
	else if (!done)
		report_all("out of memory");
	return done;
}

static void config_free(struct config *c)
{
	servers_free(&c->servers);
	replace_free(&c->text);
}

/* The name of a server, or where it is, if another has that name. */
static const char *call_it(const struct servers *s, const struct server *v)
{
	for (size_t i = 0; i < s->count; i++)
		if (&s->list[i] != v && strcmp(s->list[i].name, v->name) == 0)
			return v->pointer;
	return v->name;
}

/* ---- which servers --------------------------------------------------- */

/* What shall become of a server, and what became of it. */
struct outcome {
	bool chosen;
	bool failed;
	const char *state, *why;
	const char *put[POLICIES_MAX + 1]; /* the new policies; owned */
};

static const char bridge[] =
	"it is reached by a URL. Give it a command that\n"
	"    speaks over stdio, such as: npx -y mcp-remote URL";

static const char *const why_not[] = {
	[SERVER_URL] = bridge,
	[SERVER_BOTH] =
		"it has a command and a URL, and the client may use either.\n"
		"    Remove one of them",
	[SERVER_NONE] = "it has no command",
	[SERVER_ODD] = "its command or its args are no list of strings",
	[SERVER_WEIR] =
		"it is weir, with options that this weir does not know\n"
		"    or without a command",
};

static void list_names(const struct config *c)
{
	for (size_t i = 0; i < c->servers.count; i++)
		report_all(
			"  %s",
			show(call_it(&c->servers, &c->servers.list[i])).text);
}

/* By name, or by JSON Pointer. */
static bool choose(const struct config *c, struct outcome *all,
		   const char *name)
{
	size_t found = 0;

	for (int by = 0; by < 2 && found == 0; by++)
		for (size_t i = 0; i < c->servers.count; i++) {
			const struct server *v = &c->servers.list[i];

			if (strcmp(by ? v->pointer : v->name, name) != 0)
				continue;
			all[i].chosen = true;
			found++;
		}
	if (found == 0) {
		report_all(c->servers.count > 0
				   ? "%s has no server %s; its servers:"
				   : "%s has no server %s, and no other",
			   show(c->file).text, show(name).text);
		list_names(c);
	}
	return found > 0;
}

/* The only one that can be meant. */
static bool choose_only(const struct options *o, const struct config *c,
			struct outcome *all)
{
	size_t found = 0;

	for (size_t i = 0; i < c->servers.count; i++) {
		const struct server *v = &c->servers.list[i];

		if (o->verb == RUN_UNWRAP ? v->behind == 0
					  : v->kind != SERVER_COMMAND)
			continue;
		if (o->all || found == 0)
			all[i].chosen = true;
		found++;
	}
	if (found == 0)
		report_all("%s has no server that %s", show(c->file).text,
			   o->verb == RUN_UNWRAP ? "is behind weir"
						 : "is started by a command");
	if (found < 2 || o->all)
		return true;
	report_all("%s has several servers; name one, or give --all:",
		   show(c->file).text);
	list_names(c);
	return false;
}

/* ---- a server that is asked ------------------------------------------ */

/* The innermost object of a configuration around this place in it. */
static struct span object_around(struct span value, const char *at)
{
	struct jsonc_item item = {.begin = NULL};
	struct span found = {.ptr = NULL};

	while (jsonc_next(value, &item)) {
		if (at < item.value.ptr ||
		    at >= item.value.ptr + item.value.len)
			continue;
		if (*item.value.ptr == '{')
			found = item.value;
		value = item.value;
		item = (struct jsonc_item){.begin = NULL};
	}
	return found;
}

/* "NAME=VALUE", of a member that is a string; the caller frees it. */
static char *variable(const struct jsonc_item *item)
{
	const struct text value = jsonc_text(item->value);
	char *name = jsonc_decode(item->key), *plain = jsonc_decode(value);
	char *both = NULL;

	if (!value.ptr || !name || !plain ||
	    asprintf(&both, "%s=%s", name, plain) < 0)
		both = NULL;
	free(name);
	free(plain);
	return both;
}

/* Calls work() with the server's command, in the environment and the directory
 * that the configuration gives it. */
static int ask_server(const struct config *c, const struct server *v,
		      int (*work)(const void *context, char **command),
		      const void *context)
{
	char **const before = environ, **own, *dir = NULL;
	struct span object = {.ptr = NULL}, env;
	struct jsonc_item item = {.begin = NULL};
	size_t count = 0, mine = 0;
	int status = -1, here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (c->foreign)
		report_all(
			"%s: weir does not read env in TOML and YAML: set it before weir if the server needs it",
			show(v->name).text);
	else
		object = object_around(c->servers.json.root, v->spans[0].ptr);
	env = jsonc_find(object, "env").value;
	while (jsonc_next(env, &item))
		count++;
	for (char **e = before; *e; e++)
		count++;
	own = calloc(count + 1, sizeof(*own));
	item = (struct jsonc_item){.begin = NULL};
	while (own && jsonc_next(env, &item)) {
		own[mine] = variable(&item);
		if (own[mine] && strstr(own[mine], "${"))
			report_all("%s: weir does not expand %s",
				   show(v->name).text, show(own[mine]).text);
		mine += own[mine] != NULL;
	}
	count = mine;
	for (char **e = before; own && *e; e++) {
		size_t i = 0, len = strcspn(*e, "=") + 1;

		while (i < mine && strncmp(own[i], *e, len) != 0)
			i++;
		if (i == mine)
			own[count++] = *e;
	}
	dir = jsonc_decode(jsonc_text(jsonc_find(object, "cwd").value));
	if (!own || !dir || here < 0)
		report_all("%s: %s", show(v->name).text, strerror(errno));
	else if (*dir && chdir(dir) != 0)
		report_all("%s: %s: %s", show(v->name).text, show(dir).text,
			   strerror(errno));
	else {
		environ = own;
		status = work(context, v->words + v->behind);
		environ = before;
	}
	if (here >= 0 && fchdir(here) == 0)
		close(here);
	while (own && mine > 0)
		free(own[--mine]);
	free(own);
	free(dir);
	return status;
}

static int scan_it(const void *context, char **command)
{
	return scan_server(context, command);
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

/* ---- policies -------------------------------------------------------- */

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
	if (len >= PATH_MAX || !absolute(named, path)) {
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
	policy = policy_load(to->put, o->policy_count, &o->places, report_line,
			     NULL);
	if (!policy) {
		report_all(
			"%s: its policy does not load, so nothing was changed",
			show(v->name).text);
		return false;
	}
	policy_warn(policy, NULL, report_line, NULL);
	held.policy = policy;
	if (o->scan)
		named = ask_server(c, v, hold, &held);
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
		 is_same_file(to->put[i], v->policies[i]))))
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
		struct span list = jsonc_find(root, names[i]).value;
		struct jsonc_item item = {.begin = NULL};

		for (size_t at = 0; jsonc_next(list, &item); at++) {
			if (!jsonc_find(item.value, "serverCommand").value.ptr)
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

/* ---- what is done ---------------------------------------------------- */

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

	v->put = to->put;
	if (o->verb == RUN_UNWRAP) {
		v->change = v->behind ? SERVER_UNWRAP : SERVER_KEEP;
		to->state = v->behind ? "unwrapped" : "not behind weir";
	} else if (v->kind != SERVER_COMMAND) {
		fail(to, "not wrapped", why_not[v->kind]);
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

static void print_outcome(const struct config *c, const struct server *v,
			  const struct outcome *to)
{
	printf("%s: %s", show(call_it(&c->servers, v)).text, to->state);
	if (to->why)
		printf(": %s", to->why);
	putchar('\n');
	for (size_t i = 0; v->behind && i < POLICIES_MAX && v->policies[i] &&
			   v->change == SERVER_KEEP;
	     i++)
		printf("    -p %s\n", show(v->policies[i]).text);
	for (size_t i = 0; to->put[i] && v->change != SERVER_KEEP; i++)
		printf("    -p %s\n", show(to->put[i]).text);
}

/* ---- writing --------------------------------------------------------- */

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

/* ---- TOML and YAML --------------------------------------------------- */

/* What to put there by hand. */
static void print_by_hand(const struct options *o, const struct config *c,
			  const struct server *v, const struct outcome *to)
{
	const char *is = c->keys & KEY_TOML ? " = " : ": ";
	const char *line = diff_line(c->text.text, v->spans[0].ptr);
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

/* ---- the verbs ------------------------------------------------------- */

static void print_json(const struct config *c, const struct outcome *all,
		       bool changed, bool made)
{
	const char *comma = "";

	printf("{\"file\": ");
	show_json(c->path);
	printf(", \"client\": ");
	show_json(c->client ? c->client->name : NULL);
	printf(", \"changed\": %s, \"backup\": ", changed ? "true" : "false");
	if (made) {
		char name[PATH_MAX + sizeof(REPLACE_BACKUP)];

		snprintf(name, sizeof(name), "%s" REPLACE_BACKUP, c->text.path);
		show_json(name);
	} else {
		printf("null");
	}
	printf(",\n \"servers\": [");
	for (size_t i = 0; i < c->servers.count; i++) {
		const struct server *v = &c->servers.list[i];
		const char *const *policies =
			v->change == SERVER_UNWRAP || !all[i].put[0] ||
					all[i].failed
				? (const char *const *)v->policies
				: all[i].put;
		bool behind = v->change == SERVER_WRAP ||
			      (v->behind && v->change != SERVER_UNWRAP);

		printf("%s\n  {\"server\": ", comma);
		show_json(v->name);
		printf(", \"at\": ");
		show_json(v->pointer);
		printf(", \"state\": ");
		show_json(all[i].state);
		printf(", \"behindWeir\": %s, \"policies\": [",
		       behind ? "true" : "false");
		for (size_t n = 0; behind && policies && policies[n]; n++) {
			printf("%s", n ? ", " : "");
			show_json(policies[n]);
		}
		printf("]}");
		comma = ",";
	}
	printf("]}\n");
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

/* Chooses, and says what shall become of each.  False: reported. */
static bool decide_all(const struct options *o, struct config *c,
		       struct outcome *all)
{
	const struct outcome *before = NULL;

	for (char *const *name = o->rest + 1; *name; name++)
		if (!choose(c, all, *name))
			return false;
	if (!o->rest[1] && !choose_only(o, c, all))
		return false;
	for (size_t i = 0; i < c->servers.count; i++) {
		struct server *v = &c->servers.list[i];

		if (all[i].chosen && o->verb == RUN_WRAP &&
		    v->kind == SERVER_COMMAND) {
			if (!find_policies(o, c, v, &all[i], before))
				return false;
			before = &all[i];
		}
		if (all[i].chosen) {
			decide(o, c, v, &all[i]);
		} else if (o->all && o->verb == RUN_WRAP) {
			all[i].state = "not wrapped";
			all[i].why = why_not[v->kind];
			all[i].failed = v->kind >= SERVER_BOTH &&
					v->kind != SERVER_NONE;
		}
	}
	return true;
}

/* What decide_all() has decided. */
static int carry_out(const struct options *o, struct config *c,
		     const struct outcome *all)
{
	struct edits e = {.list = NULL};
	bool failed = false, chosen = o->verb == RUN_UNWRAP, changes = false,
	     made = false, done = true;

	for (size_t i = 0; i < c->servers.count; i++) {
		chosen |= all[i].chosen;
		failed |= all[i].failed;
		changes |= c->servers.list[i].change != SERVER_KEEP;
	}
	if (changes && o->verb == RUN_WRAP && !c->foreign && !obeys_lists(o, c))
		return WRAP_NOT;
	if (changes && !c->foreign) {
		done = servers_edit(&c->servers, c->weir, &e);
		if (!done)
			report_all("out of memory");
		else if (o->dry_run)
			done = o->json || diff_print(c->path, c->text.text, &e);
		else
			done = write_config(o, c, &e, &made);
		edits_free(&e);
	}
	if (!done)
		return WRAP_ERROR;
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
		print_json(c, all, changes && !c->foreign && !o->dry_run, made);
	else if (changes && !c->foreign && !o->dry_run)
		print_after(c, made);
	for (size_t i = 0;
	     c->foreign && changes && !o->json && i < c->servers.count; i++)
		if (c->servers.list[i].change)
			print_by_hand(o, c, &c->servers.list[i], &all[i]);
	if (c->foreign && changes)
		report_all("%s is unchanged: weir edits no TOML or YAML",
			   show(c->file).text);
	return failed || !chosen || (c->foreign && changes) ? WRAP_NOT
							    : WRAP_DONE;
}

/* ---- finding --------------------------------------------------------- */

struct search {
	const struct options *o;
	const char *weir;
	const struct client *client;
	size_t found, open; /* files; servers that are not behind weir */
};

static void list_server(struct search *s, const struct servers *all,
			const struct server *v)
{
	const char *state = v->behind                ? "behind weir"
			    : v->kind == SERVER_URL  ? "URL"
			    : v->kind == SERVER_NONE ? "no command"
						     : "not wrapped";

	s->open += !v->behind && v->kind == SERVER_COMMAND;
	if (s->o->json) {
		printf("%s\n    {\"server\": ", v == all->list ? "" : ",");
		show_json(v->name);
		printf(", \"at\": ");
		show_json(v->pointer);
		printf(", \"state\": \"%s\", \"behindWeir\": %s, \"policies\": [",
		       state, v->behind ? "true" : "false");
	} else {
		printf("  %-12s ", state);
		printf("%s\n", show(call_it(all, v)).text);
	}
	for (size_t i = 0; v->behind && v->policies[i]; i++) {
		if (s->o->json)
			printf("%s", i ? ", " : "");
		else
			printf("%15s-p ", "");
		if (s->o->json)
			show_json(v->policies[i]);
		else
			printf("%s\n", show(v->policies[i]).text);
	}
	if (s->o->json)
		printf("]}");
}

static void find_one(void *context, const char *name)
{
	struct search *s = context;
	struct config c;
	bool done;

	if (access(name, F_OK) != 0)
		return;
	if (s->o->json) {
		printf("%s\n  {\"client\": \"%s\", \"file\": ",
		       s->found ? "," : "", s->client->name);
		show_json(name);
	} else {
		printf("%s%s: %s\n", s->found ? "\n" : "", s->client->name,
		       show(name).text);
	}
	s->found++;
	fflush(stdout); /* before what is reported */
	done = config_read(&c, name, s->weir);
	if (s->o->json)
		printf(", \"read\": %s, \"servers\": [",
		       done ? "true" : "false");
	for (size_t i = 0; done && i < c.servers.count; i++)
		list_server(s, &c.servers, &c.servers.list[i]);
	if (s->o->json)
		printf("]}");
	else if (done && c.servers.count == 0)
		printf("  no servers\n");
	config_free(&c);
}

static bool is_also_below_home(const char *path)
{
	const struct client *c = clients;

	while (*path == '.' && c->path &&
	       (*c->path != '~' || strcmp(c->path + 1, path + 1) != 0))
		c++;
	return *path == '.' && c->path;
}

static int find(const struct options *o, const char *weir)
{
	struct search s = {.o = o, .weir = weir};
	const char *home = getenv("HOME");
	const bool at_home = home && is_same_file(home, ".");

	printf(o->json ? "{\"configs\": [" : "");
	for (s.client = clients; s.client->path; s.client++)
		if (!at_home || !is_also_below_home(s.client->path))
			clients_expand(s.client->path, "", find_one, &s);
	if (o->json)
		printf("]}\n");
	else if (s.found == 0)
		printf("No configuration of a client that weir knows is here.\n");
	else if (s.open > 0)
		printf("\nTo put weir before a server: weir wrap FILE SERVER -p POLICY\n");
	return s.found > 0 ? WRAP_DONE : WRAP_NOT;
}

int wrap_run(const struct options *o)
{
	struct config c = {.file = NULL};
	struct outcome *all = NULL;
	char self[PATH_MAX], weir[PATH_MAX];
	int status = WRAP_ERROR;

	/* A file that may not grow is reported, not died of. */
	signal(SIGXFSZ, SIG_IGN);
	if (!system_self(o->self, self) || !absolute(self, weir)) {
		report_all(
			"cannot find the path of weir itself: is /proc there?");
		return WRAP_ERROR;
	}
	if (o->find)
		return find(o, weir);
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
			free((char *)all[i].put[n]);
	free(all);
	config_free(&c);
	return status;
}

int wrap_scan(const struct options *o)
{
	const char *name = o->rest[0];
	struct config c;
	struct outcome *all = NULL;
	bool good = config_read(&c, o->config, "weir");
	int status = SCAN_ERROR;

	if (good && !(all = calloc(c.servers.count + 1, sizeof(*all))))
		report_all("out of memory");
	good = good && all &&
	       (name ? choose(&c, all, name) : choose_only(o, &c, all));
	for (size_t i = 0; good && i < c.servers.count; i++) {
		const struct server *v = &c.servers.list[i];

		if (!all[i].chosen)
			continue;
		if (v->kind != SERVER_COMMAND)
			report_all("%s: %s", show(v->name).text,
				   why_not[v->kind]);
		else
			status = ask_server(&c, v, scan_it, o);
		break;
	}
	free(all);
	config_free(&c);
	return status < 0 ? SCAN_ERROR : status;
}
