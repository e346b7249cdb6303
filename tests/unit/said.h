/* said - policies of a few files, and what is reported of them.  In their texts
 * ' stands for ", so that they can be read. */
#ifndef TESTS_SAID_H
#define TESTS_SAID_H

#include "unit.h"

#include "../../policies/policy.h"

#define FILES_MAX  3     /* laid over each other */
#define TEXT_BYTES 16384 /* of a policy or a line */

struct said {
	char text[32768];
	size_t len;
	int lines; /* that were reported */
};

static inline void put(struct said *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline void put(struct said *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	s->len += (size_t)vsnprintf(s->text + s->len, sizeof(s->text) - s->len,
				    format, args);
	va_end(args);
	assert_true(s->len < sizeof(s->text));
}

/* A policy_report: a line into a struct said. */
static inline void listen(void *context, const char *line)
{
	put(context, "%s\n", line);
	((struct said *)context)->lines++;
}

static inline void clear(struct said *s)
{
	s->text[0] = '\0';
	s->len = 0;
	s->lines = 0;
}

/* As snprintf(), with a " for each '. */
static inline const char *json(char *out, size_t cap, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(out, cap, format, args);
	va_end(args);
	assert_true(len >= 0 && (size_t)len < cap);
	for (char *p = out; (p = strchr(p, '\'')); p++)
		*p = '"';
	return out;
}

/* The policy of n files, a.json, b.json, c.json; or NULL. */
static inline struct policy *compile_texts(char (*texts)[TEXT_BYTES], size_t n,
					   struct said *said)
{
	static const struct policy_places places = {"/home/ann", "/srv/repo"};
	static const char *const names[FILES_MAX] = {"a.json", "b.json",
						     "c.json"};
	struct policy_source sources[FILES_MAX];

	clear(said);
	for (size_t i = 0; i < n; i++)
		sources[i] = (struct policy_source){names[i], texts[i],
						    strlen(texts[i])};
	return policy_compile(sources, n, &places, listen, said);
}

/* The same, with a " for each ' of the files; NULL ends them. */
static inline struct policy *compile_files(const char *const *files,
					   struct said *said)
{
	static char text[FILES_MAX][TEXT_BYTES];
	size_t n = 0;

	for (; n < FILES_MAX && files[n]; n++)
		json(text[n], TEXT_BYTES, "%s", files[n]);
	return compile_texts(text, n, said);
}

/* The policy as it prints itself, loaded again; of one file, that prints the
 * same. */
static inline struct policy *print_again(const struct policy *p, bool one)
{
	char text[2][TEXT_BYTES];
	struct said said;
	struct policy *again = NULL;

	for (int i = 0; i < 2; i++) {
		struct strbuf o = {.ptr = text[i], .cap = TEXT_BYTES - 1};

		policy_print(i ? again : p, &o);
		assert_false(o.full);
		text[i][o.len] = '\0';
		if (i == 0)
			again = compile_texts(text, 1, &said);
		if (!again)
			print_error("%s: %s", text[0], said.text);
		assert_non_null(again);
	}
	if (one)
		assert_string_equal(text[0], text[1]);
	return again;
}

/* The policy of one file; what is said of it is shown. */
static inline struct policy *compile_one(const char *file)
{
	static struct said said;
	struct policy *p =
		compile_files((const char *const[FILES_MAX]){file}, &said);

	if (!p)
		print_error("said: %s", said.text);
	return p;
}

#endif
