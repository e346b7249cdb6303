/* weir explain.  The contract is in explain.h. */
#include "explain.h"

#include "../../parser/strbuf.h"
#include "../../policies/host/host.h"
#include "../../policies/policy.h"
#include "../answer.h"
#include "../log.h"
#include "../report.h"
#include "asked.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is it one JSON object, and nothing after it that would join the line? */
static bool is_object(const char *arguments)
{
	struct scan r;
	const char *p = scan_begin(&r, arguments, strlen(arguments));

	p = scan_space(&r, p);
	if (*p != '{')
		return false;
	p = scan_value(&r, p);
	return p && scan_end(&r, p);
}

/* Appends the answer that the client would get, with its LF; nothing to a
 * notification. */
static void put_answer(struct strbuf *o, const char *line,
		       const struct message *m, const struct verdict *v)
{
	struct fault fault = {.reason = v->reason};

	if (m->name.ptr)
		fault.offset = (size_t)(m->name.ptr - line);
	if (v->kind == VERDICT_HIDDEN)
		answer_unknown(o, m, v);
	else if (v->kind == VERDICT_REFUSED)
		answer_refusal(o, m, v);
	else if (v->kind == VERDICT_MALFORMED)
		answer_fault(o, m->id, &fault);
}

/* The rules that ask, in which ways, whom and how long. */
static void print_ask(const struct ask *ask)
{
	const char *before = "";

	printf("{\"verdict\":\"ask\",\"rules\":[");
	for (size_t i = 0; i < ask->count && i < POLICY_ASKS_MAX; i++) {
		printf("%s{\"rule\":\"%s\",\"file\":\"%s\",\"line\":%zu",
		       i > 0 ? "," : "", ask->rules[i].rule, ask->rules[i].file,
		       ask->rules[i].line);
		if (ask->reasons[i])
			printf(",\"reason\":\"%s\"", ask->reasons[i]);
		putchar('}');
	}
	printf("],\"approve_in\":[");
	for (int i = 0; *policy_word(policy_ways, i); i++)
		if (ask->in >> i & 1) {
			printf("%s\"%s\"", before, policy_word(policy_ways, i));
			before = ",";
		}
	printf("],\"approve_by\":[");
	for (size_t i = 0; i < ask->by_count; i++) {
		printf("%s", i > 0 ? "," : "");
		show_json(ask->by[i]);
	}
	printf("],\"approval_timeout\":%d}\n", ask->timeout);
}

static void print_json(const struct policy *policy, const struct verdict *v,
		       const struct strbuf *answer)
{
	const bool passes = v->kind <= VERDICT_PASS;
	char bytes[POLICY_WHY_BYTES];
	struct strbuf why = {.ptr = bytes, .cap = sizeof(bytes)};

	policy_explain(policy, v, &why);
	printf("{\"verdict\":\"%s\"",
	       log_word(passes ? VERDICT_PASS : v->kind));
	if (!passes)
		printf(",\"rule\":\"%s\",\"reason\":\"%s\"", v->location.rule,
		       v->reason);
	if (v->location.file)
		printf(",\"file\":\"%s\",\"line\":%zu", v->location.file,
		       v->location.line);
	if (v->value.ptr)
		printf(",\"value\":%.*s", (int)v->value.len, v->value.ptr);
	if (why.len > 0) {
		printf(",\"why\":\"");
		show_text(stdout, STYLE_JSON, why.ptr, why.len);
		putchar('"');
	}
	if (answer->len > 0)
		printf(",\"answer\":%.*s", (int)answer->len - 1, answer->ptr);
	puts("}");
}

static int explain(const struct policy *policy, const char *line,
		   const struct message *m, const struct judged *j, bool json)
{
	const struct verdict *v = &j->verdict;
	static const char words[][31] = {
		[VERDICT_UNJUDGED] = "allowed: no rule applies to it",
		[VERDICT_HIDDEN] = "hidden: as if it did not exist",
		[VERDICT_REFUSED] = "refused",
		[VERDICT_MALFORMED] = "refused: ambiguous",
		[VERDICT_DROPPED] = "not passed on",
	};
	char buf[ANSWER_BYTES];
	struct strbuf answer = {.ptr = buf, .cap = sizeof(buf)};
	const char *meant;

	if (json && j->ask.count > 0) {
		print_ask(&j->ask);
	} else if (json) {
		put_answer(&answer, line, m, v);
		print_json(policy, v, &answer);
	} else {
		meant = v->kind == VERDICT_UNJUDGED
				? policy_meant_method(m->method_text)
				: NULL;
		if (meant)
			report("explain: MCP has no such method: did you mean "
			       "%s?",
			       meant);
		if (v->kind == VERDICT_PASS && asked_passes(j)) {
			asked_tell_allowed(policy, m, j);
			return EXPLAIN_ALLOWED;
		}
		puts(j->ask.count > 0 ? "ask: a person must approve it"
				      : words[v->kind]);
		if (!asked_passes(j))
			asked_tell(policy, m, j, "");
	}
	return asked_passes(j) ? EXPLAIN_ALLOWED : EXPLAIN_REFUSED;
}

/* The line that is asked about.  NULL: reported. */
static char *make_line(const struct options *o, size_t *len)
{
	const char *name = o->method ? o->method : o->rest[0];
	const char *json = o->rest[!o->method];
	size_t cap = 6 * strlen(name) + 1;
	struct strbuf escaped = {.ptr = calloc(cap, 1), .cap = cap - 1};
	char *line = NULL;

	if (!escaped.ptr) {
		report("out of memory");
	} else if (json && !is_object(json)) {
		report("explain: %s must be a JSON object, not: %s",
		       o->method ? "PARAMS" : "ARGUMENTS", json);
	} else {
		strbuf_escaped(&escaped, name, strlen(name));
		line = asked_line(!o->method, escaped.ptr, json, len);
	}
	free(escaped.ptr);
	return line;
}

int explain_run(const struct options *o)
{
	struct policy *policy = policy_load(o->policies, o->policy_count,
					    &o->places, report_line, NULL);
	struct counters *counters =
		policy ? counters_new(policy, NULL, NULL, report_line, NULL)
		       : NULL;
	size_t len = 0;
	char *line = counters ? make_line(o, &len) : NULL;
	int status = EXPLAIN_ERROR;
	struct message m;
	struct fault fault;
	struct judged j;

	if (line && !message_read(line, len, &m, &fault)) {
		report("explain: %s: %s", fault.reason, line);
	} else if (line) {
		asked_judge(policy, counters, &m, host_now(), &j);
		status = explain(policy, line, &m, &j, o->json);
	}
	free(line);
	counters_free(counters);
	policy_free(policy);
	return status;
}
