/*
 * answer - what weir itself says to the client, one line each.
 *
 * Each function appends a line of at most ANSWER_BYTES, LF included; the
 * caller sees to it that there is that much room.  id is copied as it stands;
 * none becomes null.
 */
#ifndef SHIM_ANSWER_H
#define SHIM_ANSWER_H

#include "../parser/out.h"
#include "../policies/policy.h"

#define ANSWER_BYTES                                                           \
	(MESSAGE_ID_BYTES + 2 * MESSAGE_NAME_BYTES + 6 * POLICY_REASON_BYTES + \
	 POLICY_RULE_BYTES + 512)

/* A line that is not understood: -32700 or -32600, and where (message.h). */
void answer_fault(struct out *out, struct span id, const struct fault *fault);

/* A hidden tool: -32602, as if there were none of that name. */
void answer_unknown(struct out *out, struct span id, struct text name);

/* A refused call: a tool result, so that the model can read it. */
void answer_refusal(struct out *out, const struct message *m,
		    const struct verdict *v);

/* A reply of the server that is withheld: -32603. */
void answer_withheld(struct out *out, struct span id,
		     const struct fault *fault);

#endif
