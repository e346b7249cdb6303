/*
 * clients - MCP clients, their configuration files, and where in such a file
 * the servers stand.
 *
 * From the clients' own sources and documents, November 2026.
 */
#ifndef SHIM_CLIENTS_H
#define SHIM_CLIENTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* The keys that lead to the servers: a bit each. */
enum {
	KEY_MCP_SERVERS = 1, /* mcpServers */
	KEY_PROJECTS = 2,    /* projects, each: mcpServers */
	KEY_SERVERS = 4,     /* servers */
	KEY_MCP_DOT = 8,     /* mcp: servers */
	KEY_MCP = 16,        /* mcp */
	KEY_CONTEXT = 32,    /* context_servers */
	KEY_ALL = 63,
	/* No JSON: weir says what to put there. */
	KEY_TOML = 64, /* mcp_servers */
	KEY_YAML = 128,
	/* What the client's reader takes beside strict JSON. */
	TAKES_COMMENTS = 256,
	TAKES_COMMAS = 512,
	/* It replaces ${...} and the like in arguments, too. */
	EXPANDS = 1024,
	/* It rewrites the file while it runs. */
	REWRITES = 2048,
	/* It obeys lists of servers by their command: clients_lists. */
	LISTS_CLAUDE = 4096,
	LISTS_COPILOT = 8192,
};

struct client {
	char name[15];
	/* Of its file: below HOME (~), below the directory of configurations
	 * (^), below the working directory (.), or absolute; a * in the last.
	 */
	const char *path;
	unsigned short flags;
};

/* All of them, up to one without a path. */
extern const struct client clients[];

/* Where such lists stand: a path as above, whose flags say whose it is. */
extern const struct client clients_lists[];

/* Calls found() for each name that such a path may have here; below stands for
 * the working directory, "" for itself. */
void clients_expand(const char *path, const char *below,
		    void (*found)(void *context, const char *name),
		    void *context);

/* The client whose file has such a path; NULL: none is known. */
const struct client *clients_of(const char *path);

#endif
