/*
 * A policy is loaded, a grant opened, and counters made, while memory fails at
 * each allocation in turn: it works or says that there is none, and in neither
 * case anything is lost (which the run under a sanitizer sees) or let through.
 * json-parser 1.1 does not survive the failure of an allocation of its own, so
 * none of these fails.
 */
#include "grant.h"

#include <errno.h>

#include <json-parser/json.h>

/* The linker puts these before the library's own (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

json_value *__real_json_parse_ex(json_settings *settings, const char *text,
				 size_t len, char *error);
json_value *__wrap_json_parse_ex(json_settings *settings, const char *text,
				 size_t len, char *error);

static long left = -1; /* allocations until one fails; below 0: none does */
static bool parsing;

static bool fails(void)
{
	if (parsing || left < 0 || left-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

json_value *__wrap_json_parse_ex(json_settings *settings, const char *source,
				 size_t len, char *error)
{
	json_value *v;

	parsing = true;
	v = __real_json_parse_ex(settings, source, len, error);
	parsing = false;
	return v;
}

static const char text[] =
	"{\"version\":\"1\",\"default\":\"deny\","
	"\"all_tools\":{\"rate_limit\":\"9/hour\"},"
	"\"tools\":{\"pay\":{\"reason\":\"r\",\"limits\":[{\"max\":3,\"window\":"
	"\"day\",\"counter\":\"c\",\"on_deny\":\"no\"},{\"max\":9.5,\"window\":5,"
	"\"increment_from\":\"args.n\",\"scope\":\"session\"}],\"rate_limit\":{\"max\":"
	"2,\"window\":5},\"require\":[{\"path\":\"/a/0\",\"op\":\"in\",\"value\":"
	"[1,\"x\"],\"on_deny\":\"why\"},{\"path\":\"args.p\",\"op\":\"regex\","
	"\"value\":\"^a+$\"}],\"deny_if\":[{\"path\":\"args.q\",\"op\":\"glob\","
	"\"value\":\"*x\"},{\"path\":\"args.q\",\"op\":\"contains\",\"value\":"
	"\"y\"},{\"path\":\"args.n\",\"op\":\"gt\",\"value\":1e400}]}},"
	"\"prompts\":{\"p\":{}}}";

static void count_line(void *context, const char *line)
{
	(void)line;
	++*(int *)context;
}

TEST(memory_fails)
{
	const struct policy_source sources[] = {{"a", text, sizeof(text) - 1},
						{"b", text, sizeof(text) - 1}};
	struct policy *policy = NULL;
	long n;

	for (n = 0; !policy; n++) {
		int faults = 0;

		left = n;
		policy = policy_compile(sources, 2, NULL, count_line, &faults);
		/* Loaded just if nothing failed. */
		assert_int_equal(!policy, faults > 0);
		assert_int_equal(!policy, left < 0);
		assert_true(n < 1000);
	}
	assert_true(n > 20);
	left = -1;
	policy_free(policy);
}

static struct backend *open_grant(void)
{
	const struct policy_clock clock = {.read = grant_read};
	struct backend *grant = NULL;
	long n;

	for (n = 0; !grant; n++) {
		int lines = 0;

		left = n;
		grant = grant_open(grant_directory, "g", clock, count_line,
				   &lines);
		assert_int_equal(lines, !grant);
		assert_int_equal(!grant, left < 0);
	}
	left = -1;
	assert_true(n > 3);
	return grant;
}

/* In memory, in a grant, and from what was counted before. */
TEST(counters_fail)
{
	struct policy *policy = COMPILE(text, count_line, &(int){0});
	struct backend *grant = open_grant();
	struct counters *from = NULL;

	for (int i = 0; i < 4; i++) {
		struct counters *counters = NULL;
		long n;

		for (n = 0; !counters; n++) {
			int lines = 0;

			left = n;
			counters = counters_new(policy, i % 2 ? grant : NULL,
						from, count_line, &lines);
			assert_int_equal(lines, !counters);
			assert_int_equal(!counters, left < 0);
		}
		left = -1;
		assert_true(n > 5);
		counters_free(from);
		from = counters;
	}
	counters_free(from);
	backend_close(grant);
	backend_close(NULL);
	policy_free(policy);
}

/* Memory is taken in chunks, so an allocation fails only where one ends:
 * fillers before the policy move that place over all of it. */
TEST(chunks_end_anywhere)
{
	static char moved[sizeof(text) + 32768];

	for (int fillers = 0; fillers < 5; fillers++) {
		for (int len = 1; len < 4096; len += 16) {
			struct policy_source source = {"a", moved, 0};
			struct policy *policy = NULL;
			char *at = moved;

			at += sprintf(
				at,
				"{\"resources\":{\"x\":{\"reason\":\"%0*d\"}",
				len, 0);
			for (int i = 0; i < fillers; i++)
				at += sprintf(at,
					      ",\"%d\":{\"reason\":\"%0*d\"}",
					      i, 3800, i);
			at += sprintf(at, "},%s", text + 1);
			source.len = (size_t)(at - moved);
			for (long n = 5; !policy; n++) {
				int faults = 0;

				left = n;
				policy = policy_compile(&source, 1, NULL,
							count_line, &faults);
				assert_int_equal(!policy, faults > 0);
			}
			left = -1;
			policy_free(policy);
		}
	}
}

/* So many entries that their table is a chunk of its own. */
TEST(large_tables_fail)
{
	static char large[32768];
	struct policy_source source = {"a", large, 0};
	struct policy *policy = NULL;
	char *at = large;

	at += sprintf(at, "{\"version\":\"1\",\"default\":\"deny\",\"hide\":[");
	for (int i = 0; i < 2000; i++)
		at += sprintf(at, "%s\"t%d\"", i ? "," : "", i);
	at += sprintf(at, "]}");
	source.len = (size_t)(at - large);
	for (long n = 0; !policy; n++) {
		int faults = 0;

		left = n;
		policy = policy_compile(&source, 1, NULL, count_line, &faults);
		assert_int_equal(!policy, faults > 0);
	}
	left = -1;
	policy_free(policy);
}

TEST(files_fail)
{
	const char *path = grant_file;
	FILE *f = fopen(path, "we");
	struct policy *policy = NULL;
	long n;

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	for (n = 0; !policy; n++) {
		int faults = 0;

		left = n;
		policy = policy_load(&path, 1, NULL, count_line, &faults);
		assert_int_equal(!policy, faults > 0);
	}
	left = -1;
	assert_true(n > 5);
	policy_free(policy);
}

RUN(grant_setup, grant_teardown)
