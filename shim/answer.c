/* Answers to the client.  The contract is in answer.h. */
#include "answer.h"

#include "../parser/elicit.h"

#include <stdio.h>
#include <string.h>

/* JSON-RPC 2.0, 5.1 */
enum {
	CODE_PARSE = -32700,
	CODE_REQUEST = -32600,
	CODE_METHOD = -32601,
	CODE_PARAMS = -32602,
	CODE_INTERNAL = -32603,
};

static void begin(struct strbuf *out, struct span id)
{
	strbuf_string(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (id.ptr)
		strbuf_bytes(out, id.ptr, id.len);
	else
		strbuf_string(out, "null");
}

static void begin_error(struct strbuf *out, struct span id, int code)
{
	begin(out, id);
	strbuf_string(out, ",\"error\":{\"code\":");
	strbuf_number(out, code);
	strbuf_string(out, ",\"message\":\"");
}

static void put_fault(struct strbuf *out, const struct fault *fault)
{
	strbuf_escaped(out, fault->reason, strlen(fault->reason));
	strbuf_string(out, " (byte ");
	strbuf_number(out, (int64_t)fault->offset);
	strbuf_string(out, ")\"}}\n");
}

void answer_fault(struct strbuf *out, struct span id, const struct fault *fault)
{
	begin_error(out, id, fault->grammar ? CODE_PARSE : CODE_REQUEST);
	strbuf_string(out, "Not passed on: ");
	put_fault(out, fault);
}

void answer_withheld(struct strbuf *out, struct span id,
		     const struct fault *fault)
{
	begin_error(out, id, CODE_INTERNAL);
	strbuf_string(
		out,
		"Withheld: the server's reply may contain a list, and is ambiguous: ");
	put_fault(out, fault);
}

void answer_unstarted(struct strbuf *out, struct span id, const char *reason)
{
	begin_error(out, id, CODE_INTERNAL);
	strbuf_string(out, "weir could not start the server: ");
	strbuf_escaped(out, reason, strlen(reason));
	strbuf_string(out, "\"}}\n");
}

static int64_t round_up(int64_t n, int64_t unit)
{
	return (n + unit - 1) / unit;
}

void answer_wait(struct strbuf *out, int64_t wait)
{
	int64_t seconds = round_up(wait, SECOND);

	if (seconds < 120) {
		strbuf_number(out, seconds);
		strbuf_string(out, " s");
	} else if (seconds < 7200) {
		strbuf_number(out, round_up(seconds, 60));
		strbuf_string(out, " min");
	} else if (seconds <= 172800) {
		strbuf_number(out, round_up(seconds, 3600));
		strbuf_string(out, " h");
	} else {
		strbuf_number(out, round_up(seconds, 86400));
		strbuf_string(out, " days");
	}
}

void answer_sum(struct strbuf *out, uint64_t sum)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%llu.%06llu",
			   (unsigned long long)(sum / 1000000),
			   (unsigned long long)(sum % 1000000));

	while (text[len - 1] == '0')
		len--;
	strbuf_bytes(out, text, (size_t)(text[len - 1] == '.' ? len - 1 : len));
}

/* The members weir/rule and weir/retryAfterMs of _meta or data. */
static void put_rule(struct strbuf *out, const struct verdict *v)
{
	strbuf_string(out, "{\"weir/rule\":\"");
	strbuf_string(out, v->location.rule);
	strbuf_string(out, "\"");
	if (v->wait >= 0) {
		strbuf_string(out, ",\"weir/retryAfterMs\":");
		strbuf_number(out, round_up(v->wait, MILLISECOND));
	}
	strbuf_string(out, "}");
}

static void put_unknown(struct strbuf *out, const struct message *m,
			const struct verdict *v)
{
	static const char *const words[POLICY_SECTIONS] = {
		[POLICY_TOOLS] = "Unknown tool: ",
		[POLICY_PROMPTS] = "Unknown prompt: ",
		[POLICY_RESOURCES] = "Resource not found: ",
		[POLICY_METHODS] = "Method not found: ",
	};
	struct text name = m->name;

	if (v->section == POLICY_RESOURCES)
		name = m->uri;
	if (v->section == POLICY_METHODS)
		name = m->method_text;
	if (v->name.ptr)
		name = v->name;
	strbuf_string(out, words[v->section]);
	strbuf_bytes(out, name.ptr, name.len);
}

void answer_words(struct strbuf *out, const struct message *m,
		  const struct verdict *v)
{
	if (v->kind == VERDICT_HIDDEN) {
		put_unknown(out, m, v);
		return;
	}
	strbuf_string(out, "Denied by policy: ");
	strbuf_string(out, v->reason);
	if (v->left > 0) {
		strbuf_string(out, "; ");
		answer_sum(out, (uint64_t)v->left);
		strbuf_string(out, " is left");
	}
	if (v->wait >= 0) {
		strbuf_string(out, "; try again in ");
		answer_wait(out, v->wait);
	}
}

void answer_unknown(struct strbuf *out, const struct message *m,
		    const struct verdict *v)
{
	begin_error(out, m->id,
		    v->section == POLICY_METHODS ? CODE_METHOD : CODE_PARAMS);
	answer_words(out, m, v);
	strbuf_string(out, "\"}}\n");
}

void answer_changed(struct strbuf *out, enum policy_section section)
{
	static const char *const words[POLICY_SECTIONS] = {
		[POLICY_TOOLS] = "tools",
		[POLICY_PROMPTS] = "prompts",
		[POLICY_RESOURCES] = "resources",
	};

	strbuf_string(out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/");
	strbuf_string(out, words[section]);
	strbuf_string(out, "/list_changed\"}\n");
}

static void put_question(struct strbuf *out, const char *mode,
			 const struct strbuf *text)
{
	strbuf_string(out, "\"method\":\"elicitation/create\",\"params\":{");
	strbuf_string(out, mode);
	strbuf_string(out, "\"message\":\"");
	strbuf_escaped(out, text->ptr, text->len);
	strbuf_string(out, "\",\"requestedSchema\":{\"type\":\"object\","
			   "\"properties\":{}}}");
}

void answer_question(struct strbuf *out, const char *id,
		     const struct strbuf *text)
{
	strbuf_string(out, "{\"jsonrpc\":\"2.0\",\"id\":\"");
	strbuf_string(out, id);
	strbuf_string(out, "\",");
	/* 2025-06-18 has no mode: a form is the default. */
	put_question(out, "", text);
	strbuf_string(out, "}\n");
}

void answer_required(struct strbuf *out, struct span id,
		     const struct strbuf *text)
{
	begin(out, id);
	/* No requestState: servers refuse one that is not theirs. */
	strbuf_string(out, ",\"result\":{\"resultType\":\"input_required\","
			   "\"inputRequests\":{\"" ELICIT_KEY "\":{");
	put_question(out, "\"mode\":\"form\",", text);
	strbuf_string(out, "}}}}\n");
}

void answer_withdrawn(struct strbuf *out, const char *id)
{
	strbuf_string(out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
			   "cancelled\",\"params\":{\"requestId\":\"");
	strbuf_string(out, id);
	strbuf_string(out, "\",\"reason\":\"no longer asked\"}}\n");
}

void answer_progress(struct strbuf *out, struct span token, int64_t gone)
{
	char text[32];

	snprintf(text, sizeof(text), ",\"progress\":0.%04d", (int)gone);
	strbuf_string(out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
			   "progress\",\"params\":{\"progressToken\":");
	strbuf_bytes(out, token.ptr, token.len);
	strbuf_string(out, text);
	strbuf_string(out, ",\"total\":1,\"message\":\"waiting for a person's "
			   "approval\"}}\n");
}

void answer_refusal(struct strbuf *out, const struct message *m,
		    const struct verdict *v)
{
	/* Who awaits a task (MCP 2025-11-25) rejects the result of a call. */
	if (m->method != METHOD_TOOLS_CALL || (m->task && !m->modern)) {
		begin_error(out, m->id, CODE_PARAMS);
		answer_words(out, m, v);
		strbuf_string(out, "\",\"data\":");
		put_rule(out, v);
		strbuf_string(out, "}}\n");
		return;
	}
	begin(out, m->id);
	strbuf_string(out, ",\"result\":{");
	/* Clients of MCP 2026-07-28 reject a result without it. */
	if (m->modern)
		strbuf_string(out, "\"resultType\":\"complete\",");
	strbuf_string(out, "\"content\":[{\"type\":\"text\",\"text\":\"");
	answer_words(out, m, v);
	strbuf_string(out, "\"}],\"isError\":true,\"_meta\":");
	put_rule(out, v);
	strbuf_string(out, "}}\n");
}
