/*
 * servers - the MCP servers in the text of a client's configuration, and the
 * same text with weir before one of them, or without it.
 *
 * Nothing but a server's command and arguments changes.  What unwrapping gives
 * is the text before wrapping, byte for byte; if a client has laid out the
 * file in another way in between, it is equal as JSON.
 */
#ifndef SHIM_SERVERS_H
#define SHIM_SERVERS_H

#include "../options.h"
#include "edits.h"
#include "jsonc.h"

#define SERVERS_MAX 10000 /* in one file */

enum server_kind {
	SERVER_COMMAND, /* has a command and arguments that weir understands */
	SERVER_URL,     /* is reached by a URL, not started */
	SERVER_BOTH,    /* has a command and a URL */
	SERVER_NONE,    /* has neither */
	SERVER_ODD,     /* has others than strings, or no array of arguments */
	SERVER_WEIR,    /* is weir, with options unknown here or no command */
};

enum server_change {
	SERVER_KEEP,
	SERVER_WRAP,
	SERVER_UNWRAP,
	SERVER_REPLACE, /* the policies of weir, which is there */
};

struct server {
	char *name;    /* decoded; owned, as what follows */
	char *pointer; /* a JSON Pointer; in TOML and YAML the name */
	enum server_kind kind;
	/* The command and its arguments, decoded; NULL-ended.  A word that is
	 * no string, or cannot be decoded, is as it stands. */
	char **words;
	struct span *spans; /* where they stand, with their quotes */
	size_t count;
	/* If weir is the command: which word is the server's own command, else
	 * 0; the policies, among words; are these all of weir's options? */
	size_t behind;
	char **policies; /* NULL-ended */
	bool plain;

	bool chosen; /* config_choose() */
	/* Where it is to be changed, and how. */
	bool joined;      /* command and arguments are one array */
	struct span list; /* the array with the arguments; ptr NULL: none */
	/* Begin of the member that is the list, end of the value before it in
	 * the object, begin of the member behind it; or NULL. */
	const char *member, *before, *next;
	enum server_change change;
	const char *const *put; /* the new policies, NULL-ended; the caller's */
};

struct servers {
	struct server *list;
	size_t count;
	struct jsonc json;
	bool doubled; /* a name is there twice in one place */
};

/* Reads those behind the keys (clients.h).  weir is the command that is taken
 * for weir besides any that is called so.  False: see json.fault; free it all
 * the same. */
bool servers_read(struct servers *s, const char *text, size_t len,
		  unsigned keys, const char *weir);
void servers_free(struct servers *s);

/* The same for a configuration in TOML or YAML, of which it reads only what
 * clients write: a server that is written otherwise is SERVER_ODD. */
bool servers_read_toml(struct servers *s, const char *text, const char *weir);
bool servers_read_yaml(struct servers *s, const char *text, const char *weir);

/* For these readers: takes over a server; gives it a word more; finds out
 * whether it is behind weir.  False: out of memory, or too many. */
bool servers_add(struct servers *s, const struct server *v);
bool server_add_word(struct server *v, char *word, struct span span);
bool server_look(struct server *v, const char *weir);

/* What makes the changes.  False: out of memory; free it all the same. */
bool servers_edit(const struct servers *s, const char *weir, struct edits *e);

#endif
