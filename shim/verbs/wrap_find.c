/* weir wrap --find.  The contract is in wrap.h. */
#include "config.h"
#include "show.h"
#include "wrap.h"
#include "wrap_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		printf("%s\n    ", v == all->list ? "" : ",");
		wrap_show_server(v, state, v->behind, v->policies);
		return;
	}
	printf("  %-12s %s\n", state, show(config_call(all, v)).text);
	for (size_t i = 0; v->behind && v->policies[i]; i++)
		printf("%15s-p %s\n", "", show(v->policies[i]).text);
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

int wrap_find(const struct options *o, const char *weir)
{
	struct search s = {.o = o, .weir = weir};
	const char *home = getenv("HOME");
	const bool at_home = home && replace_same(home, ".");

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
