/* What is asked and told.  The contract is in asked.h. */
#include "asked.h"

#include "../answer.h"
#include "../report.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 79
#define LABEL   8 /* columns of "answer: " */

char *asked_line(bool call, const char *name, const char *json, size_t *len)
{
	static const char notifications[] = "notifications/";
	bool request = call || strncmp(name, notifications,
				       sizeof(notifications) - 1) != 0;
	size_t cap = strlen(name) + (json ? strlen(json) : 0) + 128;
	struct strbuf o = {.ptr = malloc(cap), .cap = cap};

	if (!o.ptr) {
		report("out of memory");
		return NULL;
	}
	strbuf_string(&o, "{\"jsonrpc\":\"2.0\",");
	strbuf_string(&o, request ? "\"id\":0," : "");
	strbuf_string(&o, "\"method\":\"");
	strbuf_string(&o, call ? "tools/call\",\"params\":{\"name\":\"" : "");
	strbuf_string(&o, name);
	strbuf_string(&o, "\"");
	if (json) {
		strbuf_string(&o, call ? ",\"arguments\":" : ",\"params\":");
		strbuf_string(&o, json);
	}
	/* And a NUL, where the reader stops. */
	strbuf_bytes(&o, call ? "}}" : "}", call ? 3 : 2);
	*len = o.len - 1;
	return o.ptr;
}

void asked_judge(const struct policy *policy, struct counters *counters,
		 const struct message *m, int64_t now, struct judged *j)
{
	policy_judge(policy, m, j);
	if (j->count > 0)
		policy_counted(j, counters_ask(counters, j->questions, j->count,
					       j->ask.count == 0, now));
	if (j->verdict.kind > VERDICT_PASS)
		j->ask.count = 0;
}

bool asked_passes(const struct judged *j)
{
	return j->verdict.kind <= VERDICT_PASS && j->ask.count == 0;
}

/* ---- what is printed ------------------------------------------------- */

/* Columns up to the next space. */
static size_t word_width(const char *s, size_t len, size_t *bytes)
{
	size_t width = 0;

	for (*bytes = 0; *bytes < len && s[*bytes] != ' '; ++*bytes)
		width += (s[*bytes] & 0xC0) != 0x80;
	return width;
}

/* Words behind a label, and on more lines where they do not fit. */
static void tell_words(const char *indent, const char *label, const char *s,
		       size_t len)
{
	const size_t left = strlen(indent) + LABEL;
	size_t column = left, spaces = 0, bytes;

	printf("%s%-*s", indent, LABEL, label);
	while (len > 0) {
		size_t width = word_width(s, len, &bytes);

		if (column > left && column + spaces + width > COLUMNS) {
			printf("\n%*s", (int)left, "");
			column = left;
			spaces = 0;
		}
		printf("%*s", (int)spaces, "");
		show_text(stdout, STYLE_TEXT, s, bytes);
		column += spaces + width;
		s += bytes;
		len -= bytes;
		for (spaces = 0; len > 0 && *s == ' '; spaces++, len--)
			s++;
	}
	printf("%*s\n", (int)spaces, "");
}

/* The same of what is escaped for a JSON string. */
static void tell_escaped(const char *indent, const char *label, const char *s,
			 size_t len)
{
	const struct text text = {s, len, TEXT_ESCAPED};
	char plain[ANSWER_BYTES];
	const ptrdiff_t decoded = text_decode(text, plain, sizeof(plain));

	if (decoded >= 0)
		tell_words(indent, label, plain, (size_t)decoded);
	else
		tell_words(indent, label, s, len);
}

/* A rule, its place, what its condition wants, and what else is said of it. */
static void tell_rule(const struct policy *policy, const struct verdict *v,
		      const char *reason, const char *indent)
{
	char why[POLICY_WHY_BYTES], escaped[6 * POLICY_WHY_BYTES];
	struct strbuf w = {.ptr = why, .cap = sizeof(why)};
	struct strbuf e = {.ptr = escaped, .cap = sizeof(escaped)};

	printf("%s%-*s", indent, LABEL, "rule:");
	show_plain(v->location.rule);
	putchar('\n');
	if (v->location.file) {
		printf("%s%-*s", indent, LABEL, "at:");
		show_plain(v->location.file);
		printf(":%zu\n", v->location.line);
	}
	policy_explain(policy, v, &w);
	if (w.len > 0)
		tell_words(indent, "why:", w.ptr, w.len);
	strbuf_escaped(&e, w.ptr, w.len);
	if (reason && !memmem(e.ptr, e.len, reason, strlen(reason)))
		tell_escaped(indent, "reason:", reason, strlen(reason));
}

/* How a person is asked, and whom. */
static void tell_ask(const struct policy *policy, const struct ask *ask,
		     const char *indent)
{
	char words[POLICY_RULE_BYTES];
	struct strbuf w = {.ptr = words, .cap = sizeof(words)};
	size_t i;

	for (i = 0; i < ask->count && i < POLICY_ASKS_MAX; i++) {
		const struct verdict v = {.location = ask->rules[i]};

		tell_rule(policy, &v, ask->reasons[i], indent);
	}
	if (i < ask->count)
		printf("%sand by %zu rules more\n", indent, ask->count - i);
	for (int k = 0; *policy_word(policy_ways, k); k++)
		if (ask->in >> k & 1) {
			strbuf_string(&w, w.len > 0 ? ", " : "");
			strbuf_string(&w, policy_word(policy_ways, k));
		}
	strbuf_string(&w, "; for ");
	strbuf_number(&w, ask->timeout);
	strbuf_string(&w, " seconds");
	tell_words(indent, "in:", words, w.len);
	for (i = 0; i < ask->by_count; i++)
		tell_words(indent, i > 0 ? "and:" : "by:", ask->by[i],
			   strlen(ask->by[i]));
}

void asked_tell(const struct policy *policy, const struct message *m,
		const struct judged *j, const char *indent)
{
	const struct verdict *v = &j->verdict;
	char words[ANSWER_BYTES];
	struct strbuf answer = {.ptr = words, .cap = sizeof(words)};

	if (j->ask.count > 0) {
		tell_ask(policy, &j->ask, indent);
		return;
	}
	tell_rule(policy, v, NULL, indent);
	if (v->kind == VERDICT_MALFORMED || v->kind == VERDICT_DROPPED) {
		tell_words(indent, "answer:", v->reason, strlen(v->reason));
		return;
	}
	answer_words(&answer, m, v);
	tell_escaped(indent, "answer:", answer.ptr, answer.len);
}

void asked_tell_allowed(const struct policy *policy, const struct message *m,
			const struct judged *j)
{
	static const struct location by_default = {.rule = "(default allow)"};
	const enum policy_section section =
		m->method == METHOD_TOOLS_CALL       ? POLICY_TOOLS
		: m->method == METHOD_PROMPTS_GET    ? POLICY_PROMPTS
		: m->method == METHOD_RESOURCES_READ ? POLICY_RESOURCES
						     : POLICY_METHODS;
	const struct location *at =
		policy_names(policy, section,
			     section == POLICY_METHODS     ? m->method_text
			     : section == POLICY_RESOURCES ? m->uri
							   : m->name,
			     true);
	char words[ANSWER_BYTES];
	struct strbuf limits = {.ptr = words, .cap = sizeof(words)};

	if (!at && section == POLICY_TOOLS)
		at = &by_default;
	if (j->count > 0) {
		/* The label is as wide as all: the space is the first word. */
		strbuf_string(&limits, " ");
		policy_say_limits(j, &limits);
		strbuf_string(&limits, " (counters taken as zero)");
		tell_escaped("", "allowed,", limits.ptr, limits.len);
	} else {
		puts("allowed");
	}
	if (at)
		tell_rule(policy, &(struct verdict){.location = *at}, NULL, "");
}
