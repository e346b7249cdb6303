/* Answers to the client.  The contract is in answer.h. */
#include "answer.h"

#include <string.h>

#define MILLISECOND 1000000LL
#define SECOND      1000000000LL

/* JSON-RPC 2.0, 5.1 */
enum {
	CODE_PARSE = -32700,
	CODE_REQUEST = -32600,
	CODE_PARAMS = -32602,
	CODE_INTERNAL = -32603,
};

static void begin(struct out *out, struct span id)
{
	out_string(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (id.ptr)
		out_bytes(out, id.ptr, id.len);
	else
		out_string(out, "null");
}

static void begin_error(struct out *out, struct span id, int code)
{
	begin(out, id);
	out_string(out, ",\"error\":{\"code\":");
	out_number(out, code);
	out_string(out, ",\"message\":\"");
}

static void put_fault(struct out *out, const struct fault *fault)
{
	out_escaped(out, fault->reason, strlen(fault->reason));
	out_string(out, " (byte ");
	out_number(out, (int64_t)fault->offset);
	out_string(out, ")\"}}\n");
}

void answer_fault(struct out *out, struct span id, const struct fault *fault)
{
	begin_error(out, id, fault->grammar ? CODE_PARSE : CODE_REQUEST);
	out_string(out, "Not passed on: ");
	put_fault(out, fault);
}

void answer_unknown(struct out *out, struct span id, struct text name)
{
	begin_error(out, id, CODE_PARAMS);
	out_string(out, "Unknown tool: ");
	out_bytes(out, name.ptr, name.len);
	out_string(out, "\"}}\n");
}

void answer_withheld(struct out *out, struct span id, const struct fault *fault)
{
	begin_error(out, id, CODE_INTERNAL);
	out_string(out, "Withheld: the server's reply may hold a list, and "
			"cannot be read for certain: ");
	put_fault(out, fault);
}

static int64_t round_up(int64_t n, int64_t unit)
{
	return (n + unit - 1) / unit;
}

/* "; try again in 41 s" */
static void put_wait(struct out *out, int64_t wait)
{
	int64_t seconds = round_up(wait, SECOND);

	out_string(out, "; try again in ");
	if (seconds < 120) {
		out_number(out, seconds);
		out_string(out, " s");
	} else if (seconds < 7200) {
		out_number(out, round_up(seconds, 60));
		out_string(out, " min");
	} else {
		out_number(out, round_up(seconds, 3600));
		out_string(out, " h");
	}
}

void answer_refusal(struct out *out, const struct message *m,
		    const struct verdict *v)
{
	begin(out, m->id);
	out_string(out, ",\"result\":{");
	/* Clients of MCP 2026-07-28 reject a result without it. */
	if (m->modern)
		out_string(out, "\"resultType\":\"complete\",");
	out_string(out, "\"content\":[{\"type\":\"text\",\"text\":"
			"\"Denied by policy: ");
	out_string(out, v->reason);
	if (v->wait >= 0)
		put_wait(out, v->wait);
	out_string(out, "\"}],\"isError\":true,\"_meta\":{\"weir/rule\":\"");
	out_string(out, v->rule);
	out_string(out, "\"");
	if (v->wait >= 0) {
		out_string(out, ",\"weir/retryAfterMs\":");
		out_number(out, round_up(v->wait, MILLISECOND));
	}
	out_string(out, "}}}\n");
}
