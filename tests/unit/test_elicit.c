/* What lines say where a person is asked: read strictly, or not at all. */
#include "rows.h"

#include "../../parser/elicit.h"
#include "../../parser/message.h"

static struct span span(const char *s)
{
	return (struct span){s, strlen(s)};
}

TEST(calls_are_read)
{
	struct rows r = {.file = "elicit.tsv", .table = "calls"};

	while (rows_next(&r)) {
		const bool ambiguous = strcmp(r.field[1], "ambiguous") == 0;
		const char *token = r.field[2];
		struct elicit_call call;

		row_true(r.place,
			 elicit_call(span(r.field[0]), &call) == !ambiguous);
		if (ambiguous)
			continue;
		row_check(call.declared == (strcmp(r.field[1], "asked") == 0),
			  "%s", r.place);
		row_check(call.said == (!*r.field[3]         ? ELICIT_NOTHING
					: *r.field[3] == 'y' ? ELICIT_YES
							     : ELICIT_NO),
			  "%s", r.place);
		row_check(call.token.len == strlen(token) &&
				  strncmp(token,
					  call.token.len ? call.token.ptr : "",
					  call.token.len) == 0,
			  "%s", r.place);
	}
}

TEST(accepts_are_clear)
{
	struct rows r = {.file = "elicit.tsv", .table = "answers"};

	while (rows_next(&r))
		row_check(elicit_accepts(r.field[0], strlen(r.field[0])) ==
				  (strcmp(r.field[1], "yes") == 0),
			  "%s", r.place);
}

TEST(replies_are_read)
{
	struct rows r = {.file = "elicit.tsv", .table = "replies"};

	while (rows_next(&r)) {
		const bool ambiguous = strcmp(r.field[1], "ambiguous") == 0;
		struct text text = {.ptr = NULL};
		bool required = false;

		row_true(r.place, elicit_required(span(r.field[0]), &required,
						  &text) == !ambiguous);
		if (ambiguous)
			continue;
		row_check(required == (strcmp(r.field[1], "required") == 0),
			  "%s", r.place);
		row_check(!text.ptr == !*r.field[2], "%s", r.place);
		row_check(!text.ptr || text_is(text, r.field[2] + 6,
					       strlen(r.field[2]) - 6),
			  "%s", r.place);
	}
}

TEST(repeats_are_known)
{
	struct rows r = {.file = "elicit.tsv", .table = "repeats"};

	while (rows_next(&r)) {
		unsigned char digest[2][SHA256_BYTES];

		for (int k = 0; k < 2; k++) {
			const struct span params = span(r.field[k]);
			struct sha256 h;

			sha256_begin(&h);
			row_true(r.place,
				 elicit_digest(params, params.len, &h));
			sha256_end(&h, digest[k]);
		}
		row_check((strcmp(r.field[2], "same") == 0) ==
				  (memcmp(digest[0], digest[1], SHA256_BYTES) ==
				   0),
			  "%s", r.place);
	}
}

/* What is too long is not looked through, but for what does not count. */
TEST(long_ones_are_not_hashed)
{
	const struct span params =
		span("{\"_meta\":{\"long\":\"xxxxxxxxxxxx\"},"
		     "\"a\":\"bcd\",\"e\":12}");
	struct sha256 h;

	sha256_begin(&h);
	assert_true(elicit_digest(params, 9, &h));
	assert_false(elicit_digest(params, 8, &h));
	assert_false(elicit_digest(params, 5, &h));
}

static const struct {
	const char *a, *b;
	bool same;
} ids[] = {
	{"7", "7", true},          {"7", "\"7\"", false},
	{"7", "70", false},        {"\"a\"", "\"\\u0061\"", true},
	{"\"a\"", "\"A\"", false}, {"\"\"", "\"\"", true},
	{"\"\"", "7", false},
};

TEST(ids_are_compared)
{
	const struct span none = {.ptr = NULL};

	for (size_t i = 0; i < COUNT(ids); i++)
		row_true(ids[i].b,
			 elicit_same_id(span(ids[i].a), span(ids[i].b)) ==
				 ids[i].same);
	assert_false(elicit_same_id(none, none));
}

RUN(NULL, NULL)
