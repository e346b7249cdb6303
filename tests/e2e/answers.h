/*
 * answers - the lines that tests send, and what weir may answer.
 *
 * ids are JSON as it stands in the line: 7, "\"a\"".
 */
#ifndef TESTS_ANSWERS_H
#define TESTS_ANSWERS_H

#include "harness.h"

/* A request, with its LF.  params is a JSON object, or NULL. */
const char *request(const char *id, const char *method, const char *params);

/* A tools/call; name is JSON text without its quotes. */
const char *call(const char *id, const char *name);

/* A ping of len bytes, its LF not counted. */
const char *long_ping(const char *id, size_t len);

/* Sends a ping, and checks that the next
 * line is its answer. */
void ping(struct proc *p, const char *id);

#define RULE_DEFAULT "(default deny)"

/* "Unknown tool: NAME" (-32602) */
void check_hidden(const char *line, const char *id, const char *name);

/* A tool result with isError; reason: what follows "Denied by policy: ", or
 * NULL for any.  modern: has resultType. */
void check_refused(const char *line, const char *id, bool modern,
		   const char *rule, const char *reason);

/* The same of a limit: the reason is followed by when to try again. */
void check_limited(const char *line, const char *id, const char *rule,
		   const char *reason);

/* An error of this code, or, when it is 0, of -32600 or -32700; id NULL: any.
 */
void check_error(const char *line, const char *id, int code);

/* Sends a line, or a call, and checks what comes next: this line; one of the
 * server's; that of a hidden tool; that of one that no entry names. */
void check_answer(struct proc *p, const char *line, const char *want);
void check_passes(struct proc *p, const char *line);
void check_hides(struct proc *p, const char *id, const char *name);
void check_default(struct proc *p, const char *id, const char *name);

/* Is it an answer of weir's own, not of the test server? */
bool from_weir(const char *line);

/* The names in a list that the server sent, up to max of them. */
size_t tool_names(const char *list, const char **names, size_t max);

/* A list with the entry of this name cut out, as the server writes it: from
 * the end of the entry before it, or, if it is the first, up to the next. */
const char *without(const char *list, const char *name);

#endif
