/* weir limits.  The contract is in limits.h. */
#include "limits.h"

#include "../../parser/strbuf.h"
#include "../answer.h"
#include "../grant.h"
#include "../report.h"
#include "show.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 80
#define INDENT  31 /* of what a limit is */

struct amount {
	char text[48];
};

/* A count, or a sum in millionths: "33.5". */
static struct amount amount(uint64_t n, bool sum)
{
	struct amount a = {""};
	struct strbuf out = {.ptr = a.text, .cap = sizeof(a.text) - 1};

	if (sum)
		answer_sum(&out, n);
	else
		strbuf_number(&out, (int64_t)n);
	return a;
}

/* "now", "never", "in 41 s" */
static struct amount when(int64_t wait)
{
	struct amount a = {""};
	struct strbuf out = {.ptr = a.text, .cap = sizeof(a.text) - 1};

	strbuf_string(&out, wait < 0 ? "never" : wait == 0 ? "now" : "in ");
	if (wait > 0)
		answer_wait(&out, wait);
	return a;
}

/* A list being printed. */
struct listing {
	const char *reset; /* only this counter; NULL: all */
	const char *meant; /* one that is spelled nearly so, or NULL */
	FILE *to;
	bool json;
	int count;
};

static void put_json(struct listing *t, const struct limit_use *use)
{
	/* Its strings are already escaped for JSON. */
	printf("%s\n    {\"limit\": \"%s\", \"counter\": \"%s\", \"used\": "
	       "%s, \"max\": %s, \"windowSeconds\": %lld, "
	       "\"retryAfterMs\": ",
	       t->count ? "," : "", use->rule, use->counter,
	       amount(use->used, use->sum).text,
	       amount(use->max, use->sum).text,
	       (long long)(use->length / SECOND));
	if (use->wait < 0)
		printf("null");
	else
		printf("%lld", (long long)((use->wait + MILLISECOND - 1) /
					   MILLISECOND));
	if (use->values > 0)
		printf(", \"values\": %zu, \"maxValues\": %zu", use->live,
		       use->values);
	printf("}");
}

/* The rest of a line, in as many lines as it takes. */
static void put_wrapped(FILE *to, const char *s)
{
	while (*s) {
		size_t len = 0, fits = 0, columns = 0;

		/* A character takes at most two columns. */
		for (; s[len] && columns < COLUMNS - INDENT; len++) {
			columns += (s[len] & 0xC0) == 0xC0
					   ? 2
					   : (s[len] & 0xC0) != 0x80;
			if (s[len] == ' ' || s[len] == '/')
				fits = s[len] == ' ' ? len + 1 : len;
		}
		while ((s[len] & 0xC0) == 0x80)
			len++;
		if (s[len] && fits > 0)
			len = fits;
		fprintf(to, "%.*s\n", (int)len, s);
		s += len;
		if (*s)
			fprintf(to, "%*s", INDENT, "");
	}
}

/* May the word be meant to be this name? */
static bool is_near(const char *word, const char *name)
{
	char words[POLICY_RULE_BYTES + 2] = "";
	struct strbuf one = {.ptr = words, .cap = sizeof(words) - 2};

	strbuf_string(&one, name);
	return policy_nearest(word, strlen(word), words);
}

/* A policy_use. */
static void list_one(void *context, const struct limit_use *use)
{
	struct listing *t = context;
	char used[100], line[COLUMNS + 1];

	if (t->reset && strcmp(use->counter, t->reset) != 0 &&
	    strcmp(use->rule, t->reset) != 0) {
		if (is_near(t->reset, use->counter))
			t->meant = use->counter;
		else if (is_near(t->reset, use->rule))
			t->meant = use->rule;
		return;
	}
	if (t->json) {
		put_json(t, use);
	} else {
		if (t->count == 0)
			fprintf(t->to, "%-18s  %-9s  %s\n", "USED / MAX",
				"NEXT CALL", "LIMIT");
		snprintf(used, sizeof(used), "%s / %s",
			 amount(use->used, use->sum).text,
			 amount(use->max, use->sum).text);
		/* A long one has the line for itself. */
		fprintf(t->to, strlen(used) > 18 ? "%s\n%-18s" : "%-18s%s",
			used, "");
		fprintf(t->to, "  %-9s  ", when(use->wait).text);
		put_wrapped(t->to, use->words);
		fprintf(t->to, "%*s", INDENT, "");
		/* A limit without a name is its index, "/0". */
		snprintf(line, sizeof(line), "%s, counter %s", use->rule,
			 use->counter);
		if (use->counter[0] == '/') {
			put_wrapped(t->to, use->rule);
		} else if (strlen(line) <= COLUMNS - INDENT) {
			fprintf(t->to, "%s\n", line);
		} else {
			put_wrapped(t->to, use->rule);
			fprintf(t->to, "%*scounter\n%*s", INDENT, "", INDENT,
				"");
			put_wrapped(t->to, use->counter);
		}
		if (use->values > 0)
			fprintf(t->to,
				"%*sthe most used of %zu values, of at most %zu\n",
				INDENT, "", use->live, use->values);
	}
	t->count++;
}

/* Asks on stderr; the answer is a line on stdin. */
static bool is_sure(void)
{
	char answer[16] = "";

	fprintf(stderr, "weir: reset these counters? [y/N] ");
	if (!fgets(answer, sizeof(answer), stdin))
		fputc('\n', stderr);
	return strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0;
}

static int reset(const struct options *o, const struct policy *policy,
		 struct counters *counters)
{
	struct listing t = {.reset = o->reset, .to = stderr};

	if (!counters_uses(policy, counters, list_one, &t))
		return LIMITS_ERROR;
	if (t.count == 0) {
		report("limits: no counter %s%s%s", o->reset,
		       t.meant ? ": did you mean " : "; weir limits lists them",
		       t.meant ? t.meant : "");
		return LIMITS_KEPT;
	}
	if (!o->sure && !is_sure()) {
		report("limits: %s is unchanged", o->reset);
		return LIMITS_KEPT;
	}
	if (!counters_reset(policy, counters, o->reset))
		return LIMITS_ERROR;
	report("limits: %s is reset", o->reset);
	return LIMITS_TOLD;
}

static int list(const struct options *o, const struct policy *policy,
		struct counters *counters, const struct backend *grant,
		bool empty)
{
	struct listing t = {.to = stdout, .json = o->json};
	bool told;

	printf(o->json ? "{\"file\": \""
	       : empty ? "Nothing is counted yet in "
		       : "Counted in ");
	show_text(stdout, STYLE_JSON, grant->place, strlen(grant->place));
	printf(o->json ? "\",\n  \"limits\": [" : "\n");
	told = counters_uses(policy, counters, list_one, &t);
	printf(o->json ? "]}\n" : "");
	return told ? LIMITS_TOLD : LIMITS_ERROR;
}

int limits_run(const struct options *o)
{
	struct policy *policy = policy_load(o->policies, o->policy_count,
					    &o->places, report_line, NULL);
	struct counters *counters = NULL;
	struct backend *grant = NULL;
	int status = LIMITS_ERROR;
	bool empty;

	/* A file that may not grow is reported, not died of. */
	signal(SIGXFSZ, SIG_IGN);
	if (policy && !policy_shares(policy))
		report("limits: the policy has no limits with scope \"grant\"; each process counts its own for scope \"session\"");
	else if (policy)
		grant = grant_for(o, true, report_line, NULL);
	/* Asking creates nothing; an empty grant has nothing to reset. */
	empty = grant && grant->empty;
	if (grant && o->reset && !empty) {
		backend_close(grant);
		grant = grant_for(o, false, report_line, NULL);
	}
	if (grant)
		counters = counters_new(policy, grant, NULL, report_line, NULL);
	if (counters) {
		status = o->reset ? reset(o, policy, counters)
				  : list(o, policy, counters, grant, empty);
		if (status == LIMITS_ERROR)
			report("%s", counters_trouble(counters));
	}
	counters_free(counters);
	backend_close(grant);
	policy_free(policy);
	return status;
}
