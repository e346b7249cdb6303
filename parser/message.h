/*
 * message - one line from the client, read as one JSON-RPC 2.0 message of MCP.
 *
 * weir passes lines on unchanged.  So it must refuse every line that some
 * server would read differently, whatever the line asks for.  It accepts only
 * what all readers agree on:
 *
 *   - one strict JSON object (scan.h) and nothing else.  No batch: MCP dropped
 *     batches in 2025-06-18, but some servers still run them.
 *   - one of the four shapes of JSON-RPC, without any other top-level member.
 *   - at the top level and in params: no duplicate key (readers take the first,
 *     the last, or merge them), and no key that matches one of the reserved
 *     keys only case-insensitively (Go's encoding/json and .NET's
 *     System.Text.Json match keys that way).
 *   - no method that equals one that weir judges only after folding or
 *     trimming.
 *   - an id is an integer of at most 19 digits or a string of at most 256
 *     bytes; servers return other numbers changed.
 *   - the name or uri of a call is a string in params itself.
 *   - params and arguments are objects; null counts as missing.
 *
 * The functions are pure, as in scan.h; spans point into the line.
 */
#ifndef PARSER_MESSAGE_H
#define PARSER_MESSAGE_H

#include "scan.h"

/* The most digits of an integer id; the most bytes, not decoded, of a string id
 * and of the name of a tool or prompt; the most members of params. */
#define MESSAGE_ID_DIGITS  19
#define MESSAGE_ID_BYTES   ((size_t)256)
#define MESSAGE_NAME_BYTES ((size_t)1024)
#define MESSAGE_PARAMS_MAX 128

enum message_kind {
	MESSAGE_REQUEST,
	MESSAGE_NOTIFICATION,
	MESSAGE_RESULT,
	MESSAGE_ERROR,
};

/* The methods that weir judges. */
enum message_method {
	METHOD_OTHER,
	METHOD_INITIALIZE, /* only its answer matters */
	METHOD_TOOLS_CALL,
	METHOD_TOOLS_LIST,
	METHOD_PROMPTS_GET,
	METHOD_PROMPTS_LIST,
	METHOD_RESOURCES_READ,
	METHOD_RESOURCES_LIST,
	METHOD_TEMPLATES_LIST,
	METHOD_COMPLETE,
	METHOD_SUBSCRIBE,
	METHOD_LISTEN,
};

struct message {
	enum message_kind kind;
	enum message_method method; /* METHOD_OTHER for results and errors */
	struct text method_text;    /* none for results and errors */
	struct span params;         /* braces included; or none */
	struct span id;             /* not decoded, with quotes; or none */
	struct text name;           /* params.name of a tool or prompt */
	struct text uri;            /* params.uri of resources/read */
	struct span arguments;      /* params.arguments, braces included */
	bool task;   /* params.task is an object: the client expects a task */
	bool modern; /* params._meta has a protocol version (MCP 2026-07-28):
			a result needs resultType */
};

/*
 * Reads a line of len bytes without its line end; line[len] ends every token
 * (scan.h).  Returns true and fills *m, or returns false if the line must not
 * be passed on: then *fault says why, and m->id is the id of the request if it
 * is certain (the line is JSON with exactly one valid id), else none.
 */
bool message_read(const char *line, size_t len, struct message *m,
		  struct fault *fault);

/* Nothing but white space: readers skip it, or end. */
bool message_blank(const char *line, size_t len);

#endif
