/*
 * elicit - what the lines of a client, and of a server, say where a person is
 * asked (MCP elicitation, MRTR): read again, strictly, of lines that
 * message_read() or reply_read() has read.
 *
 * Each returns false where some reader could read it differently: a key that is
 * there twice, or twice once case is folded.
 */
#ifndef PARSER_ELICIT_H
#define PARSER_ELICIT_H

#include "member.h"
#include "sha256.h"

/* The key under which weir asks in inputRequests. */
#define ELICIT_KEY "weir/approve"

/* What inputResponses say under that key. */
enum elicit_said {
	ELICIT_NOTHING,
	ELICIT_NO,
	ELICIT_YES, /* an object whose action is "accept" */
};

/* The params of a request. */
struct elicit_call {
	bool declared;     /* _meta declares elicitation: {}, or with form */
	bool answers;      /* there are inputResponses, of whatever */
	struct span token; /* _meta.progressToken, if it could be an id */
	enum elicit_said said;
	struct text state; /* requestState, or none */
};
bool elicit_call(struct span params, struct elicit_call *call);

/* Does initialize declare elicitation?  Its params. */
bool elicit_declared(struct span params, bool *declared);

/* The result of a line whose shape is known: is it a clear yes? */
bool elicit_accepts(const char *line, size_t len);

/* The requestId of notifications/cancelled, or none. */
bool elicit_cancelled(struct span params, struct span *id);

/* A server's result: does it ask for input, and with which requestState? */
bool elicit_required(struct span result, bool *required, struct text *state);

/* Is it the key of a member of params that changes when a call is repeated:
 * _meta, inputResponses, requestState? */
bool elicit_changes(struct text key);

/* Adds all other members of params to the hash.  False: they are longer than
 * this many bytes. */
bool elicit_digest(struct span params, size_t most, struct sha256 *h);

/* Are the ids of two messages the same?  7 and "7" are not. */
bool elicit_same_id(struct span a, struct span b);

#endif
