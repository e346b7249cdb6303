/* weir test.  The contract is in test.h. */
#include "test.h"

#include "../../parser/reply.h"
#include "../../policies/cases.h"
#include "../report.h"
#include "asked.h"
#include "replace.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is judged with one policy, file by file. */
struct testing {
	const char *file;
	const struct policy *policy;
	struct counters *counters;
	int64_t now;                /* of the counters */
	size_t passed, failed;      /* tests */
	size_t told[CASE_OUTCOMES]; /* lines of sessions */
};

/* The verdict on a line, of any kind.  False: it was not understood. */
static bool judge(struct testing *t, const char *line, size_t len,
		  struct message *m, struct judged *j)
{
	struct fault fault;

	if (message_read(line, len, m, &fault)) {
		asked_judge(t->policy, t->counters, m, t->now, j);
		return true;
	}
	j->ask.count = 0;
	j->verdict = (struct verdict){.kind = VERDICT_MALFORMED,
				      .location = {.rule = "(malformed)"},
				      .reason = fault.reason,
				      .wait = -1};
	return false;
}

static enum policy_outcome outcome_of(const struct judged *j)
{
	if (asked_passes(j))
		return CASE_ALLOWED;
	if (j->ask.count > 0)
		return CASE_ASK;
	return j->verdict.kind == VERDICT_HIDDEN ? CASE_HIDDEN : CASE_REFUSED;
}

/* Is it the rule that decides, or one of those that ask? */
static bool is_rule(const struct judged *j, const char *rule)
{
	const struct ask *ask = &j->ask;

	for (size_t i = 0; i < ask->count && i < POLICY_ASKS_MAX; i++)
		if (strcmp(rule, ask->rules[i].rule) == 0)
			return true;
	return ask->count == 0 && strcmp(rule, j->verdict.location.rule) == 0;
}

/* ---- tests ----------------------------------------------------------- */

static void tell_difference(const struct testing *t,
			    const struct policy_case *c, int64_t nth,
			    const struct message *m, const struct judged *j)
{
	show_plain(t->file);
	printf(":%zu: ", c->line);
	show_plain(c->name);
	if (c->repeat > 1)
		printf(", call %lld of %lld", (long long)nth,
		       (long long)c->repeat);
	if (c->description) {
		printf("\n  ");
		show_plain(c->description);
	}
	printf("\n  expect: %s%s", policy_word(policy_outcomes, (int)c->expect),
	       c->rule ? " by " : "");
	if (c->rule)
		show_plain(c->rule);
	printf("\n  got:    %s\n",
	       policy_word(policy_outcomes, (int)outcome_of(j)));
	if (!asked_passes(j))
		asked_tell(t->policy, m, j, "  ");
}

/* Asks as often as it says.  The last verdict counts, or the first that is not
 * the one expected of all.  False: no memory, reported. */
static bool run_case(struct testing *t, const struct policy_case *c)
{
	struct judged j;
	bool as_expected;
	struct message m;
	int64_t nth = 0;
	size_t len;
	char *line = asked_line(c->call, c->name, c->json, &len);

	if (!line)
		return false;
	t->now += c->after;
	do {
		judge(t, line, len, &m, &j);
		nth++;
	} while (nth < c->repeat &&
		 (c->expect != CASE_ALLOWED || asked_passes(&j)));
	as_expected = outcome_of(&j) == c->expect &&
		      (!c->rule || is_rule(&j, c->rule));
	if (as_expected)
		t->passed++;
	else
		tell_difference(t, c, nth, &m, &j);
	t->failed += !as_expected;
	free(line);
	return true;
}

static bool run_cases(struct testing *t, const char *text, size_t len)
{
	const struct policy_source source = {
		.name = t->file, .text = text, .len = len};
	struct policy_cases cases;
	bool done = policy_cases_read(&cases, &source, report_line, NULL);

	for (size_t i = 0; done && i < cases.count; i++)
		done = run_case(t, &cases.list[i]);
	policy_cases_free(&cases);
	return done;
}

/* ---- sessions -------------------------------------------------------- */

static void tell_line(struct testing *t, size_t number, const struct message *m,
		      const struct judged *j, bool understood)
{
	const enum policy_outcome outcome = outcome_of(j);
	const struct text names[] = {m->method_text, m->name, m->uri};

	t->told[outcome]++;
	show_plain(t->file);
	printf(":%zu: %s", number, policy_word(policy_outcomes, (int)outcome));
	for (size_t i = 0; understood && i < 3; i++)
		if (names[i].ptr) {
			putchar(' ');
			show_text(stdout, STYLE_TEXT, names[i].ptr,
				  names[i].len);
		}
	putchar('\n');
	if (outcome != CASE_ALLOWED)
		asked_tell(t->policy, m, j, "  ");
}

/* The line at *at without its end; *at moves past it.  NULL: no more. */
static const char *next_line(const char **at, const char *end, size_t *len)
{
	const char *line = *at, *lf;

	if (line == end)
		return NULL;
	lf = memchr(line, '\n', (size_t)(end - line));
	*at = lf ? lf + 1 : end;
	*len = (size_t)((lf ? lf : end) - line);
	*len -= *len > 0 && line[*len - 1] == '\r';
	return line;
}

/* Does the line begin as a message does?  Else it is a server's noise. */
static bool is_message(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	return at < len && (line[at] == '{' || line[at] == '[');
}

/* Has it a line that is a message for certain? */
static bool is_session(const char *at, const char *end)
{
	struct message m;
	struct fault fault;
	const char *line;
	size_t len;

	while ((line = next_line(&at, end, &len)))
		if (is_message(line, len) &&
		    message_read(line, len, &m, &fault))
			return true;
	return false;
}

/* Answers, of either side, are told by their shape, and what a server asks by
 * its method: they are not judged. */
static void run_session(struct testing *t, const char *at, const char *end)
{
	struct reply reply;
	struct message m;
	struct judged j;
	const char *line;
	bool understood;
	size_t len;

	for (size_t n = 1; (line = next_line(&at, end, &len)); n++) {
		if (!is_message(line, len))
			continue;
		reply_read(line, len, &reply);
		if (reply.answers)
			continue;
		understood = judge(t, line, len, &m, &j);
		if (understood && policy_only_servers_send(m.method_text))
			continue;
		if (j.verdict.kind != VERDICT_UNJUDGED)
			tell_line(t, n, &m, &j, understood);
	}
}

/* ---- files ----------------------------------------------------------- */

static bool run_text(struct testing *t, const char *text, size_t len)
{
	if (text[strspn(text, " \t\r\n")] == '[')
		return run_cases(t, text, len);
	if (is_session(text, text + len)) {
		run_session(t, text, text + len);
		return true;
	}
	report("%s: expected an array of tests, [{\"call\": \"TOOL\", "
	       "\"expect\": \"refused\"}], or a session with one JSON-RPC "
	       "message a line",
	       t->file);
	return false;
}

/* The policy beside a file of tests; its name is the caller's to free.  NULL:
 * none is meant. */
static char *name_beside(const char *file)
{
	static const char ending[] = ".test.json", instead[] = ".json";
	const size_t len = strlen(file), cut = sizeof(ending) - 1;
	char *name = NULL;

	if (len > cut && strcmp(file + len - cut, ending) == 0)
		name = strdup(file);
	if (name)
		memcpy(name + len - cut, instead, sizeof(instead));
	return name;
}

/* False: reported. */
static bool run_file(struct testing *t, const struct options *o)
{
	const bool named = o->policy_count > 0 && !o->list;
	char *beside = named ? NULL : name_beside(t->file);
	const char *const *paths = o->policies;
	size_t len = 0, count = o->policy_count;
	struct policy *policy = NULL;
	char *text = NULL;
	bool done = false;

	t->now = 0;
	if (beside) {
		paths = (const char *const *)&beside;
		count = 1;
	}
	if (count == 0)
		report("%s: no policy to test: name one with -p FILE or in "
		       "WEIR_POLICY, or put NAME.test.json beside NAME.json",
		       t->file);
	else
		policy = policy_load(paths, count, &o->places, report_line,
				     NULL);
	t->policy = policy;
	t->counters =
		policy ? counters_new(policy, NULL, NULL, report_line, NULL)
		       : NULL;
	if (t->counters && (text = replace_input(t->file, &len)))
		done = run_text(t, text, len);
	free(text);
	counters_free(t->counters);
	policy_free(policy);
	free(beside);
	return done;
}

int test_run(const struct options *o)
{
	struct testing t = {.passed = 0};
	const size_t *told = t.told;
	bool done = true;

	for (size_t i = 0; o->rest[i]; i++) {
		t.file = o->rest[i];
		done &= run_file(&t, o);
	}
	if (told[CASE_ALLOWED] + told[CASE_ASK] + told[CASE_REFUSED] +
	    told[CASE_HIDDEN]) {
		printf("%zu allowed, ", told[CASE_ALLOWED]);
		if (told[CASE_ASK] > 0)
			printf("%zu asked about, ", told[CASE_ASK]);
		printf("%zu refused, %zu hidden\n", told[CASE_REFUSED],
		       told[CASE_HIDDEN]);
	}
	if (t.passed + t.failed > 0)
		printf("%zu passed, %zu failed\n", t.passed, t.failed);
	if (!done)
		return TEST_ERROR;
	return t.failed > 0 ? TEST_FAILED : TEST_PASSED;
}
