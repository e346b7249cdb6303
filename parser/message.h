/*
 * message - one line from the client, as one JSON-RPC 2.0 message of MCP.
 *
 * weir passes lines on unchanged, so a line that some server would read
 * differently than this module does must not pass: it is refused, whatever it
 * asks for.  The rules are those that every reader agrees on:
 *
 *   - one strict JSON object (scan.h), and nothing after it; no batch: they
 *     left MCP in 2025-06-18, and some servers still run them
 *   - one of the four shapes of JSON-RPC, with no other member at the top
 *   - at the top and in params: no key twice (readers take the first, the last
 *     or both), none that is a key that decides only once case is folded
 *     (encoding/json of Go and System.Text.Json match keys that way), and no
 *     method that is a weighed one only once folded or trimmed
 *   - an id is an integer of at most 19 digits or a string of at most 256
 *     bytes: floats and larger numbers come back as another id
 *   - what a call names is a string of its own in params
 *   - params and arguments are objects; null is as if they were not there
 *
 * Pure functions, as scan.h has them; spans point into the line.
 */
#ifndef PARSER_MESSAGE_H
#define PARSER_MESSAGE_H

#include "scan.h"

/* Of an integer id, of a string id, and of the name of a tool or a prompt, the
 * last two in bytes as they stand; and the members of params. */
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

/* The methods that weir weighs; all others are the same to it. */
enum message_method {
	METHOD_OTHER,
	METHOD_INITIALIZE, /* for its answer alone */
	METHOD_TOOLS_CALL,
	METHOD_TOOLS_LIST,
	METHOD_PROMPTS_GET,
	METHOD_PROMPTS_LIST,
	METHOD_RESOURCES_READ,
	METHOD_RESOURCES_LIST,
	METHOD_TEMPLATES_LIST,
};

struct message {
	enum message_kind kind;
	enum message_method method; /* METHOD_OTHER for results and errors */
	struct text method_text;    /* none for results and errors */
	struct span params;         /* braces included; or none */
	struct span id;             /* as it stands, with quotes; or none */
	struct text name;           /* params.name of a call or a prompt */
	struct text uri;            /* params.uri of resources/read */
	struct span arguments;      /* params.arguments, braces included */
	bool task;   /* params.task is an object: a task is awaited */
	bool modern; /* params._meta names a protocol version (MCP 2026-07-28):
			a result must carry resultType */
};

/*
 * Reads the line of len bytes, its line end taken off; the byte behind it stops
 * the reading (scan.h).  True: *m is whole.
 * False: the line must not be passed on; *fault says why, and m->id is the
 * request's id if it is certain (the line is JSON and has one id that is
 * valid), else none.
 */
bool message_read(const char *line, size_t len, struct message *m,
		  struct fault *fault);

/* Nothing but white space: readers skip it, or end. */
bool message_blank(const char *line, size_t len);

#endif
