/*
 * answer - what weir itself says to the client, one line each.
 *
 * Each function appends a line of at most ANSWER_BYTES with its LF, or a part
 * of one (answer_wait, answer_words, answer_sum); the caller sees to it that
 * there is that much room.  An id is copied as it stands; none becomes null.
 */
#ifndef SHIM_ANSWER_H
#define SHIM_ANSWER_H

#include "../parser/strbuf.h"
#include "../policies/policy.h"

#define ANSWER_BYTES                                                           \
	(MESSAGE_ID_BYTES + 7 * MESSAGE_NAME_BYTES + 6 * POLICY_REASON_BYTES + \
	 POLICY_RULE_BYTES + 512)

/* A line that is not understood: -32700 or -32600, and where (message.h). */
void answer_fault(struct strbuf *out, struct span id,
		  const struct fault *fault);

/* A time until something may pass: "41 s". */
void answer_wait(struct strbuf *out, int64_t wait);

/* What the agent reads of a verdict that refuses or hides. */
void answer_words(struct strbuf *out, const struct message *m,
		  const struct verdict *v);

/* A sum of millionths: "33.5". */
void answer_sum(struct strbuf *out, uint64_t sum);

/* What is hidden: -32602, as if there were none of that name; for a method,
 * -32601. */
void answer_unknown(struct strbuf *out, const struct message *m,
		    const struct verdict *v);

/* A refused call: a tool result, so that the model can read it.  Anything else
 * that is refused, and a call that asks for a task: -32602 with the reason. */
void answer_refusal(struct strbuf *out, const struct message *m,
		    const struct verdict *v);

/* What is listed has changed: a notification of MCP. */
void answer_changed(struct strbuf *out, enum policy_section section);

/* A reply of the server that is withheld: -32603. */
void answer_withheld(struct strbuf *out, struct span id,
		     const struct fault *fault);

/* Asks a person in the client: a request with this id; and, of a client of MCP
 * 2026-07-28, as the result of its request. */
void answer_question(struct strbuf *out, const char *id,
		     const struct strbuf *text);
void answer_required(struct strbuf *out, struct span id,
		     const struct strbuf *text);

/* The question with this id has been answered elsewhere: a notification. */
void answer_withdrawn(struct strbuf *out, const char *id);

/* A person is still waited for: so many 10000ths of the time have gone. */
void answer_progress(struct strbuf *out, struct span token, int64_t gone);

/* weir could not start, and why: -32603. */
void answer_unstarted(struct strbuf *out, struct span id, const char *reason);

#endif
