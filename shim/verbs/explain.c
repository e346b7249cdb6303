/* weir explain.  The contract is in explain.h. */
#include "explain.h"

#include "../../parser/strbuf.h"
#include "../../policies/policy.h"
#include "../answer.h"
#include "../grant.h"
#include "../log.h"
#include "../report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line that a client would send.  NULL: out of memory. */
static char *make_line(const char *tool, const char *arguments, size_t *len)
{
	size_t cap =
		6 * strlen(tool) + (arguments ? strlen(arguments) : 0) + 256;
	struct strbuf o = {.ptr = malloc(cap), .cap = cap};

	if (!o.ptr)
		return NULL;
	strbuf_string(&o, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":"
			  "\"tools/call\",\"params\":{\"name\":\"");
	strbuf_escaped(&o, tool, strlen(tool));
	strbuf_string(&o, "\"");
	if (arguments) {
		strbuf_string(&o, ",\"arguments\":");
		strbuf_string(&o, arguments);
	}
	/* And a NUL, where the reader stops. */
	strbuf_bytes(&o, "}}", 3);
	*len = o.len - 1;
	return o.ptr;
}

/* Is it one JSON object, and nothing after it that would join the line? */
static bool is_object(const char *arguments)
{
	struct scan r = scan_begin(arguments, strlen(arguments));
	const char *p = scan_space(&r, arguments);

	if (*p != '{')
		return false;
	p = scan_value(&r, p);
	return p && scan_end(&r, p);
}

static void print_rule(const struct verdict *v)
{
	printf("rule:   %s\n", v->location.rule);
	if (v->location.file)
		printf("at:     %s:%zu\n", v->location.file, v->location.line);
	if (v->value.ptr)
		printf("value:  %.*s\n", (int)v->value.len, v->value.ptr);
}

/* Appends the answer that the client would get, with its LF. */
static void put_answer(struct strbuf *o, const char *line,
		       const struct message *m, const struct verdict *v)
{
	struct fault fault = {.reason = v->reason,
			      .offset = (size_t)(m->name.ptr - line)};

	if (v->kind == VERDICT_HIDDEN)
		answer_unknown(o, m, v);
	else if (v->kind == VERDICT_REFUSED)
		answer_refusal(o, m, v);
	else
		answer_fault(o, m->id, &fault);
}

static void print_json(const struct verdict *v, const struct strbuf *answer)
{
	printf("{\"verdict\":\"%s\"", log_word(v->kind));
	if (v->kind != VERDICT_PASS)
		printf(",\"rule\":\"%s\",\"reason\":\"%s\"", v->location.rule,
		       v->reason);
	if (v->location.file)
		printf(",\"file\":\"%s\",\"line\":%zu", v->location.file,
		       v->location.line);
	if (v->value.ptr)
		printf(",\"value\":%.*s", (int)v->value.len, v->value.ptr);
	if (answer->len > 0)
		printf(",\"answer\":%.*s", (int)answer->len - 1, answer->ptr);
	puts("}");
}

static int explain(const char *line, const struct message *m,
		   const struct verdict *v, bool json)
{
	static const char *const words[] = {
		[VERDICT_PASS] = "allowed",
		[VERDICT_HIDDEN] = "hidden: as if the tool did not exist",
		[VERDICT_REFUSED] = "refused",
		[VERDICT_MALFORMED] = "refused: ambiguous",
		[VERDICT_DROPPED] = "not passed on",
	};
	char buf[ANSWER_BYTES];
	struct strbuf answer = {.ptr = buf, .cap = sizeof(buf)};

	if (v->kind != VERDICT_PASS)
		put_answer(&answer, line, m, v);
	if (json) {
		print_json(v, &answer);
	} else {
		puts(words[v->kind]);
		if (v->kind != VERDICT_PASS) {
			print_rule(v);
			answer.len = 0;
			if (v->kind == VERDICT_MALFORMED)
				strbuf_string(&answer, v->reason);
			else
				answer_words(&answer, m, v);
			printf("answer: %.*s\n", (int)answer.len, answer.ptr);
		}
	}
	return v->kind == VERDICT_PASS ? EXPLAIN_ALLOWED : EXPLAIN_REFUSED;
}

int explain_run(const struct options *o)
{
	const char *tool = o->rest[0], *arguments = o->rest[1];
	struct policy *policy =
		policy_load(o->policies, o->policy_count, report_line, NULL);
	struct counters *counters =
		policy ? counters_new(policy, NULL, NULL, report_line, NULL)
		       : NULL;
	size_t len = 0;
	char *line = counters ? make_line(tool, arguments, &len) : NULL;
	int status = EXPLAIN_ERROR;
	struct message m;
	struct fault fault;
	struct judged j;

	if (line && arguments && !is_object(arguments)) {
		report("explain: ARGUMENTS must be a JSON object, not: %s",
		       arguments);
	} else if (!line) {
		if (policy)
			report("out of memory");
	} else if (!message_read(line, len, &m, &fault)) {
		report("explain: %s: %s", fault.reason,
		       arguments ? arguments : tool);
	} else {
		policy_judge(policy, &m, &j);
		if (j.count > 0)
			policy_counted(&j, counters_ask(counters, j.questions,
							j.count, true,
							grant_now()));
		status = explain(line, &m, &j.verdict, o->json);
	}
	free(line);
	counters_free(counters);
	policy_free(policy);
	return status;
}
