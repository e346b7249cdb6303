/* A client's configuration.  The contract is in config.h. */
#include "config.h"

#include "../report.h"
#include "scan.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* POSIX has it declared nowhere. */
extern char **environ;

bool config_absolute(const char *path, char out[PATH_MAX])
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

/* ---- reading --------------------------------------------------------- */

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

bool config_read(struct config *c, const char *file, const char *weir)
{
	bool done;

	*c = (struct config){.file = file, .weir = weir};
	if (!config_absolute(file, c->path)) {
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

void config_free(struct config *c)
{
	servers_free(&c->servers);
	replace_free(&c->text);
}

const char *config_call(const struct servers *s, const struct server *v)
{
	for (size_t i = 0; i < s->count; i++)
		if (&s->list[i] != v && strcmp(s->list[i].name, v->name) == 0)
			return v->pointer;
	return v->name;
}

/* ---- which servers --------------------------------------------------- */

const char *const config_why_not[] = {
	[SERVER_URL] = "it is reached by a URL. Give it a command that\n"
		       "    speaks over stdio, such as: npx -y mcp-remote URL",
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
		report_all("  %s",
			   show(config_call(&c->servers, &c->servers.list[i]))
				   .text);
}

bool config_choose(struct config *c, const char *name)
{
	size_t found = 0;

	for (int by = 0; by < 2 && found == 0; by++)
		for (size_t i = 0; i < c->servers.count; i++) {
			struct server *v = &c->servers.list[i];

			if (strcmp(by ? v->pointer : v->name, name) != 0)
				continue;
			v->chosen = true;
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

bool config_choose_only(struct config *c, const struct options *o)
{
	size_t found = 0;

	for (size_t i = 0; i < c->servers.count; i++) {
		struct server *v = &c->servers.list[i];

		if (o->verb == RUN_UNWRAP ? v->behind == 0
					  : v->kind != SERVER_COMMAND)
			continue;
		if (o->all || found == 0)
			v->chosen = true;
		found++;
	}
	if (found == 0)
		report_all("%s has no server that %s", show(c->file).text,
			   o->verb == RUN_UNWRAP ? "is behind weir"
						 : "is started by a command");
	if (found < 2 || o->all)
		return true;
	report_all("%s has several servers; name one%s:", show(c->file).text,
		   o->verb == RUN_SCAN ? "" : ", or give --all");
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
	const struct text value = member_text(item->value);
	char *name = jsonc_decode(item->key), *plain = jsonc_decode(value);
	char *both = NULL;

	if (!value.ptr || !name || !plain ||
	    asprintf(&both, "%s=%s", name, plain) < 0)
		both = NULL;
	free(name);
	free(plain);
	return both;
}

/* The variables of env, and those of weir that it does not name.  The first
 * *own of them are to be freed, and the array.  NULL: out of memory. */
static char **make_environment(const char *name, struct span env, size_t *own)
{
	struct jsonc_item item = {.begin = NULL};
	size_t most = 1, count = 0;
	char **all;

	while (jsonc_next(env, &item))
		most++;
	for (char **e = environ; *e; e++)
		most++;
	all = calloc(most, sizeof(*all));
	item = (struct jsonc_item){.begin = NULL};
	while (all && jsonc_next(env, &item)) {
		all[count] = variable(&item);
		if (all[count] && strstr(all[count], "${"))
			report_all("%s: weir does not expand %s",
				   show(name).text, show(all[count]).text);
		count += all[count] != NULL;
	}
	*own = count;
	for (char **e = environ; all && *e; e++) {
		const size_t len = strcspn(*e, "=") + 1;
		size_t i = 0;

		while (i < *own && strncmp(all[i], *e, len) != 0)
			i++;
		if (i == *own)
			all[count++] = *e;
	}
	return all;
}

int config_ask(const struct config *c, const struct server *v,
	       int (*work)(const void *context, char **command),
	       const void *context)
{
	char **const before = environ, **all, *dir;
	struct span object = {.ptr = NULL};
	const int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t own = 0;
	int status = -1;

	if (c->foreign)
		report_all(
			"%s: weir does not read env in TOML and YAML: set it before weir if the server needs it",
			show(v->name).text);
	else
		object = object_around(c->servers.json.root, v->spans[0].ptr);
	all = make_environment(v->name, jsonc_member(object, "env"), &own);
	dir = jsonc_decode(member_text(jsonc_member(object, "cwd")));
	if (!all || !dir || here < 0) {
		report_all("%s: %s", show(v->name).text, strerror(errno));
	} else if (*dir && chdir(dir) != 0) {
		report_all("%s: %s: %s", show(v->name).text, show(dir).text,
			   strerror(errno));
	} else {
		environ = all;
		status = work(context, v->words + v->behind);
		environ = before;
	}
	if (here >= 0 && fchdir(here) == 0)
		close(here);
	while (all && own > 0)
		free(all[--own]);
	free(all);
	free(dir);
	return status;
}

static int scan_it(const void *context, char **command)
{
	return scan_server(context, command);
}

int config_scan(const struct options *o)
{
	const char *name = o->rest[0];
	struct config c;
	int status = SCAN_ERROR;

	bool good =
		config_read(&c, o->config, "weir") &&
		(name ? config_choose(&c, name) : config_choose_only(&c, o));

	for (size_t i = 0; good && i < c.servers.count; i++) {
		const struct server *v = &c.servers.list[i];

		if (!v->chosen)
			continue;
		if (v->kind != SERVER_COMMAND)
			report_all("%s: %s", show(v->name).text,
				   config_why_not[v->kind]);
		else
			status = config_ask(&c, v, scan_it, o);
		break;
	}
	config_free(&c);
	return status < 0 ? SCAN_ERROR : status;
}
