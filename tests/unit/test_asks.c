/*
 * What a person is asked about: which rules ask, how, whom, for how long, and
 * what is refused instead.  The tables are in asks.tsv; what check says of
 * policies that ask is in check.tsv, what does not load in language.tsv.
 */
#include "rows.h"

#include "../../parser/sha256.h"

#define YES "\"action\":\"require_approval\""

/* ---- what is asked --------------------------------------------------- */

/* "RULE: REASON; ...", the ways, the users and the seconds; or how it is
 * refused, by what. */
static void put_verdict(struct said *s, const struct judged *j)
{
	static const char *const kinds[] = {"unweighed", "pass",
					    "hidden",    "refused",
					    "malformed", "dropped"};
	const struct ask *a = &j->ask;

	if (a->count == 0) {
		put(s, "%s", kinds[j->verdict.kind]);
		if (j->verdict.kind > VERDICT_PASS)
			put(s, " by %s: %s", j->verdict.location.rule,
			    j->verdict.reason);
		return;
	}
	assert_int_equal(j->verdict.kind, VERDICT_PASS);
	assert_int_equal(a->in & ~(unsigned)POLICY_ASK_ALL, 0);
	if (a->count > POLICY_ASKS_MAX)
		put(s, "%zu: ", a->count);
	for (size_t i = 0; i < a->count && i < POLICY_ASKS_MAX; i++)
		put(s, "%s%s: %s", i > 0 ? "; " : "", a->rules[i].rule,
		    a->reasons[i] ? a->reasons[i] : "-");
	put(s, " (%s%s%s", a->in & POLICY_ASK_CLIENT ? "c" : "",
	    a->in & POLICY_ASK_TERMINAL ? "t" : "",
	    a->in & POLICY_ASK_PROGRAM ? "p" : "");
	for (size_t i = 0; i < a->by_count; i++)
		put(s, " %s", a->by[i]);
	put(s, " %d)", a->timeout);
}

/* Judges the line by the policy, and compares what becomes of it. */
static void check_asks(const char *place, const struct policy *p,
		       const char *line, const char *wanted)
{
	static struct judged j;
	char text[TEXT_BYTES];
	struct said said = {.len = 0};
	struct fault fault;
	struct message m;

	rows_line(text, line);
	row_true(place, message_read(text, strlen(text), &m, &fault));
	policy_judge(p, &m, &j);
	put_verdict(&said, &j);
	row_check(strcmp(said.text, wanted) == 0, "%s: %s", place, said.text);
}

/* By the files, and by the one file that they are worth. */
TEST(people_are_asked)
{
	struct rows r = {.file = "asks.tsv", .table = "asks"};

	while (rows_next(&r)) {
		struct policy *p = rows_load(&r, r.field[0]);
		struct policy *again = print_again(p, !strchr(r.field[0], '+'));

		check_asks(r.place, p, r.field[1], r.field[2]);
		check_asks(r.place, again, r.field[1], r.field[2]);
		policy_free(p);
		policy_free(again);
	}
}

/* More rules than one question names, and more users than it keeps. */
TEST(many_rules_are_counted)
{
	static const char as[] = "aaaaaaaaaaaaaaaaaaaa";
	const struct rows r = {.place = "many"};
	struct said text = {.len = 0}, want = {.len = 0};
	struct policy *p;

	put(&text, "deny \"tools\":{\"*\":{\"ask_if\":[{args.n gt 1}");
	for (int i = 0; i < POLICY_ASKS_MAX; i++)
		put(&text, ",{args.n gt 1}");
	put(&text, "]},\"tool\":{\"approval_timeout\":7," YES
		   ",\"approve_in\":[\"program\"]}}");
	p = rows_load(&r, text.text);
	put(&want, "18: ");
	for (int i = 0; i < POLICY_ASKS_MAX; i++)
		put(&want, "%s/tools/*/ask_if/%d: args.n gt 1",
		    i > 0 ? "; " : "", i);
	put(&want, " (p 7)");
	check_asks(r.place, p, "call \"tool\" {\"n\":2}", want.text);
	policy_free(p);

	for (int most = POLICY_ASKS_MAX; most <= POLICY_ASKS_MAX + 1; most++) {
		char users[512] = "";

		clear(&text);
		clear(&want);
		put(&text, "deny \"tools\":{");
		for (int i = 0; i < most; i++) {
			put(&text,
			    "%s\"%.*s*\":{" YES ",\"approve_by\":\"u%d\"}",
			    i > 0 ? "," : "", i, as, i);
			put(&want, "%s/tools/%.*s*/action: -",
			    i > 0 ? "; " : "", i, as);
			sprintf(users + strlen(users), " u%d", i);
		}
		put(&text, "}");
		put(&want, " (t%s 50)", users);
		p = rows_load(&r, text.text);
		check_asks(r.place, p, "call \"aaaaaaaaaaaaaaaaaaaa\"",
			   most > POLICY_ASKS_MAX
				   ? "refused by /tools/aaaaaaaaaaaaaaaa*"
				     "/action: a person must approve this, and "
				     "the rules leave no way to ask"
				   : want.text);
		policy_free(p);
	}
}

static void note_approver(void *context, const struct location *rule,
			  const char *by)
{
	put(context, "%s:%zu: %s: %s; ", rule->file, rule->line, rule->rule,
	    by);
}

/* The ways, and who may approve. */
TEST(policies_say_how)
{
	struct rows r = {.file = "asks.tsv", .table = "ways"};

	while (rows_next(&r)) {
		const unsigned in =
			(strchr(r.field[1], 'c') ? POLICY_ASK_CLIENT : 0) |
			(strchr(r.field[1], 't') ? POLICY_ASK_TERMINAL : 0) |
			(strchr(r.field[1], 'p') ? POLICY_ASK_PROGRAM : 0);
		struct said said;
		struct policy *p = rows_compile(&r, r.field[0], &said);

		row_true(r.place, p && policy_asks(p) == in);
		policy_approvers(p, note_approver, &said);
		row_check(strcmp(said.text, r.field[2]) == 0, "%s: %s", r.place,
			  said.text);
		policy_free(p);
	}
}

/* Of one file its SHA-256; of several that of theirs: another order, or the
 * same bytes cut elsewhere, are other policies. */
TEST(policies_have_digests)
{
	static const char *const texts[] = {"{}", "{ }", "{} ", "{" YES "}"};
	unsigned char digests[COUNT(texts) * COUNT(texts)][POLICY_DIGEST_BYTES];
	unsigned char wanted[2][SHA256_BYTES];
	struct sha256 h;
	size_t n = 0;

	for (size_t a = 0; a < COUNT(texts); a++)
		for (size_t b = 0; b < COUNT(texts); b++, n++) {
			struct policy_source files[2] = {{.name = "a"},
							 {.name = "b"}};
			char bytes[2][512];
			struct said said = {.len = 0};
			struct policy *p;

			for (size_t i = 0; i < 2; i++) {
				files[i].text = bytes[i];
				files[i].len = (size_t)sprintf(
					bytes[i],
					DEFAULT("deny") "\"tools\":{\"t\":%s}}",
					texts[i ? b : a]);
			}
			p = policy_compile(files, 2, NULL, listen, &said);
			assert_non_null(p);
			memcpy(digests[n], policy_digest(p),
			       POLICY_DIGEST_BYTES);
			policy_free(p);
			for (size_t i = 0; i < 2; i++) {
				sha256_begin(&h);
				sha256_add(&h, bytes[i], files[i].len);
				sha256_end(&h, wanted[i]);
			}
			p = policy_compile(files, 1, NULL, listen, &said);
			assert_memory_equal(policy_digest(p), wanted[0],
					    SHA256_BYTES);
			policy_free(p);
			sha256_begin(&h);
			sha256_add(&h, wanted, sizeof(wanted));
			sha256_end(&h, wanted[0]);
			assert_memory_equal(digests[n], wanted[0],
					    SHA256_BYTES);
			for (size_t i = 0; i < n; i++)
				assert_memory_not_equal(digests[i], digests[n],
							SHA256_BYTES);
		}
}

/* Nobody approved it: a refusal by the first rule, of its section. */
TEST(what_is_not_approved_is_refused)
{
	const struct rows r = {.place = "sections"};
	struct policy *p =
		rows_load(&r, "deny \"tools\":{\"t\":{" YES
			      "}},\"methods\":{\"tools/*\":{" YES "}}");
	char line[TEXT_BYTES];
	static struct judged j;
	struct fault fault;
	struct message m;

	rows_line(line, "call \"t\"");
	assert_true(message_read(line, strlen(line), &m, &fault));
	policy_judge(p, &m, &j);
	assert_int_equal(j.ask.count, 2);
	assert_int_equal(j.ask.section, POLICY_METHODS);
	policy_not_approved(&j, "no");
	assert_int_equal(j.verdict.kind, VERDICT_REFUSED);
	assert_int_equal(j.verdict.section, POLICY_METHODS);
	assert_string_equal(j.verdict.location.rule,
			    "/methods/tools~1*/action");
	assert_string_equal(j.verdict.reason, "no");
	assert_int_equal(j.verdict.wait, -1);
	policy_free(p);
}

RUN(NULL, NULL)
