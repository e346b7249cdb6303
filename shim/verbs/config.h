/*
 * config - a client's configuration: its file, its servers, which of them are
 * meant, and asking one of them for its tools.
 */
#ifndef SHIM_VERBS_CONFIG_H
#define SHIM_VERBS_CONFIG_H

#include "../options.h"
#include "clients.h"
#include "replace.h"
#include "servers.h"

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

/* Reads the file.  weir is the program, as clients shall start it.  False:
 * reported; free it all the same. */
bool config_read(struct config *c, const char *file, const char *weir);
void config_free(struct config *c);

/* The name of a server, or where it is, if another has that name. */
const char *config_call(const struct servers *s, const struct server *v);

/* Marks the servers of this name, or at this JSON Pointer; or the only one
 * that can be meant, or all with o->all.  False: reported.  That there is none
 * is reported, too, and is true. */
bool config_choose(struct config *c, const char *name);
bool config_choose_only(struct config *c, const struct options *o);

/* Why a server is not wrapped, by enum server_kind; NULL: it may be. */
extern const char *const config_why_not[];

/* Calls work() with the server's command, in the environment and the directory
 * that the configuration gives it.  -1: reported, or what work() returns. */
int config_ask(const struct config *c, const struct server *v,
	       int (*work)(const void *context, char **command),
	       const void *context);

/* weir scan of the server o->rest[0] of the configuration o->config, or of the
 * only one.  Returns the status to exit with. */
int config_scan(const struct options *o);

/* The path from the root on; the last name is kept, though it may be a link.
 * False: see errno. */
bool config_absolute(const char *path, char out[PATH_MAX]);

#endif
