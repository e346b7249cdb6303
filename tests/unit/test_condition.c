/*
 * Decimals and paths, each against a plain way to do the same: every number of
 * a small grammar, every path of a few segments.  What conditions make of them
 * is a matter of test_language.c.
 */
#include "unit.h"

#include <stdlib.h>

#include "../../policies/judge/condition.h"
#include "../../policies/judge/decimal.h"

/* ---- decimals -------------------------------------------------------- */

/* The parts of lexemes, and what they are worth. */
static const struct part {
	const char *text;
	long worth;
} wholes[] = {{"0", 0}, {"1", 1}, {"9", 9}, {"10", 10}, {"100", 100}},
  fractions[] = {{"", 0},       {".0", 0},   {".1", 100}, {".10", 100},
		 {".100", 100}, {".01", 10}, {".001", 1}, {".9", 900},
		 {".990", 990}, {".000", 0}},
  /* Of a thousandth, as powers of ten. */
	powers[] = {{"", 0},     {"e0", 0},   {"E+1", 1},  {"e2", 2},
		    {"e-1", -1}, {"E-2", -2}, {"e003", 3}, {"e-00", 0}};

/* A lexeme, and its worth in hundred-thousandths. */
struct number {
	char text[24];
	long worth;
};

#define NUMBERS (2 * COUNT(wholes) * COUNT(fractions) * COUNT(powers))

static void make_numbers(struct number *n)
{
	for (size_t w = 0; w < COUNT(wholes); w++)
		for (size_t f = 0; f < COUNT(fractions); f++)
			for (size_t e = 0; e < COUNT(powers); e++) {
				long worth = wholes[w].worth * 1000 +
					     fractions[f].worth;

				for (long i = -2; i < powers[e].worth; i++)
					worth *= 10;
				n[0].worth = worth;
				n[1].worth = -worth;
				snprintf(n[0].text, sizeof(n[0].text), "%s%s%s",
					 wholes[w].text, fractions[f].text,
					 powers[e].text);
				snprintf(n[1].text, sizeof(n[1].text),
					 "-%s%s%s", wholes[w].text,
					 fractions[f].text, powers[e].text);
				n += 2;
			}
}

TEST(decimals_compare_as_numbers)
{
	static struct number n[NUMBERS];
	static struct decimal d[NUMBERS];

	make_numbers(n);
	for (size_t i = 0; i < NUMBERS; i++)
		row_true(n[i].text,
			 decimal_read(n[i].text, strlen(n[i].text), &d[i]));
	for (size_t i = 0; i < NUMBERS; i++)
		for (size_t j = 0; j < NUMBERS; j++) {
			int order = decimal_compare(&d[i], &d[j]);
			int want = (n[i].worth > n[j].worth) -
				   (n[i].worth < n[j].worth);

			row_check((order > 0) - (order < 0) == want,
				  "%s against %s", n[i].text, n[j].text);
		}
}

/* Lexemes in ascending order; those of one row are equal. */
static const char *const ascending[][5] = {
	{"-1e99999999999999999"},
	{"-1e400", "-10.0E399"},
	{"-100000000000000000000000000000000000000001"},
	{"-100000000000000000000000000000000000000000", "-1e41"},
	{"-9007199254740993", "-9007199254740993.000"},
	{"-9007199254740992"},
	{"-1.1", "-1.10", "-11e-1"},
	{"-1", "-1.0", "-1e0", "-0.1e1", "-1E-0"},
	{"-1e-400", "-0.01e-398"},
	{"-1e-99999999999999999"},
	{"0", "-0", "0.000", "-0e99999999999999999", "0E-5"},
	{"1e-99999999999999999", "0.1e-99999999999999998"},
	{"1e-401"},
	{"1e-400"},
	{"0.09999999999999999999999999999999999999"},
	{"0.1", "1e-1", "0.10", "1E-00000000000000000000000000001"},
	{"0.10000000000000000000000000000000000001"},
	{"1.01"},
	{"1.1", "1.10", "1.100e0"},
	{"1.9"},
	{"1.10e1", "11"},
	{"9007199254740992", "9007199254740.992e3"},
	{"9007199254740993"},
	{"9223372036854775807"},
	{"9223372036854775808"},
	{"18446744073709551616", "18446744073709551616.0"},
	{"99999999999999999999999999999999999999999"},
	{"1e41", "100000000000000000000000000000000000000000"},
	{"1e400", "0.001e403"},
	{"1e401"},
	{"9.9e99999999999999998"},
	{"1e99999999999999999"},
};

TEST(decimals_are_in_order)
{
	struct decimal a, b;

	for (size_t i = 0; i < 5 * COUNT(ascending); i++)
		for (size_t j = 0; j < 5 * COUNT(ascending); j++) {
			const char *x = ascending[i / 5][i % 5];
			const char *y = ascending[j / 5][j % 5];
			int want = (i / 5 > j / 5) - (i / 5 < j / 5), order;

			if (!x || !y)
				continue;
			row_true(x, decimal_read(x, strlen(x), &a));
			row_true(y, decimal_read(y, strlen(y), &b));
			order = decimal_compare(&a, &b);
			row_check((order > 0) - (order < 0) == want,
				  "%s against %s", x, y);
		}
}

TEST(decimals_have_bounds)
{
	static const char *const beyond[] = {
		"1e100000000000000000",   "1e-100000000000000000",
		"0e100000000000000000",   "-1E+999999999999999999999",
		"1e00100000000000000000", "1.5e18446744073709551617",
	};
	struct decimal d;

	for (size_t i = 0; i < COUNT(beyond); i++)
		row_true(beyond[i],
			 !decimal_read(beyond[i], strlen(beyond[i]), &d));
}

/* A double is made of any number as strtod() makes it of the whole. */
TEST(doubles_are_as_read)
{
	static const char *const heads[] = {
		"1",     "22.000000000000000001", "9007199254740993",
		"0.001", "179769313486231580793", "9.99999999999999999999",
		"1.5",   "2.2250738585072011",
	};
	/* One, and half a step above it, exactly. */
	static const char tie[] = "1.00000000000000011102230246251565404236316"
				  "680908203125";
	char text[4096];
	struct decimal d;

	for (size_t i = 0; i < COUNT(heads); i++)
		for (int power = -420; power <= 420; power += 3) {
			snprintf(text, sizeof(text), "-%se%d", heads[i], power);
			decimal_read(text, strlen(text), &d);
			row_true(text,
				 decimal_double(&d) == strtod(text, NULL));
		}
	for (size_t zeros = 0; zeros < 2000; zeros++) {
		size_t len = (size_t)sprintf(text, "%s", tie);

		memset(text + len, '0', zeros);
		decimal_read(text, len + zeros, &d);
		assert_true(decimal_double(&d) == 1);
		text[len + zeros] = '1';
		decimal_read(text, len + zeros + 1, &d);
		assert_true(decimal_double(&d) > 1);
	}
}

TEST(doubles_hold_fifteen_digits)
{
	static const struct {
		const char *text;
		bool fits;
	} rows[] = {
		{"0", true},
		{"-0.00e999", true},
		{"123456789012345", true},
		{"1234567890123450000", true},
		{"0.000123456789012345000", true},
		{"1.23456789012345e300", true},
		{"1234567890123456", false},
		{"1.000000000000001", false},
		{"100000000000000.1", false},
		{"1e307", true},
		{"1e308", false},
		{"1e-307", true},
		{"1e-308", false},
		{"1e-400", false},
		{"1e99999999999999999", false},
	};
	struct decimal d;

	for (size_t i = 0; i < COUNT(rows); i++) {
		decimal_read(rows[i].text, strlen(rows[i].text), &d);
		row_true(rows[i].text, decimal_fits(&d) == rows[i].fits);
	}
}

/* ---- paths ----------------------------------------------------------- */

#define SEGMENTS 6 /* of a path here */

static const char *const segments[] = {"", ".", "..", "a", "b", "ab"};

/* The plain way: a stack of what is left of the path. */
static bool is_under(const int *path, size_t count, const char *dir)
{
	char folded[64] = "";
	size_t ends[SEGMENTS + 1] = {0}, depth = 0, len = strlen(dir);

	for (size_t i = 0; i < count; i++) {
		const char *s = segments[path[i]];

		if (strcmp(s, "..") == 0) {
			depth -= depth > 0;
			folded[ends[depth]] = '\0';
		} else if (*s && strcmp(s, ".") != 0) {
			strcat(folded, "/");
			strcat(folded, s);
			ends[++depth] = strlen(folded);
		}
	}
	return strncmp(folded, dir, len) == 0 &&
	       (folded[len] == '\0' || folded[len] == '/');
}

TEST(paths_are_folded)
{
	/* As is_under() takes them: the root is no byte at all. */
	static const char *const dirs[] = {"", "/a", "/a/b", "/a/a/b", "/ab/a"};
	int path[SEGMENTS];
	size_t all = 1;

	for (int i = 0; i < SEGMENTS; i++)
		all *= COUNT(segments);
	for (size_t i = 0; i < all; i++) {
		char text[64] = "";
		struct text t = {.ptr = text};
		size_t rest = i;

		for (int s = 0; s < SEGMENTS; s++, rest /= COUNT(segments)) {
			path[s] = (int)(rest % COUNT(segments));
			strcat(text, "/");
			strcat(text, segments[path[s]]);
		}
		t.len = strlen(text);
		for (size_t d = 0; d < COUNT(dirs); d++) {
			const char *dir = *dirs[d] ? dirs[d] : "/";
			bool want = is_under(path, SEGMENTS, dirs[d]);

			row_check(path_under(t, dir, strlen(dir), false) ==
					  (want ? OUTCOME_YES : OUTCOME_NO),
				  "%s under %s", text, dir);
		}
	}
}

/* Whatever follows a percent sign. */
TEST(disguises_are_unfit)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	char path[] = "/a/%00";
	struct text t = {.ptr = path, .len = strlen(path)};

	for (size_t i = 0; i < strlen(hex); i++)
		for (size_t j = 0; j < strlen(hex); j++) {
			bool unfit =
				(hex[i] == '2' && strchr("eEfF5", hex[j])) ||
				(hex[i] == '5' && strchr("cC", hex[j]));

			path[4] = hex[i];
			path[5] = hex[j];
			row_true(path, path_under(t, "/a", 2, false) ==
					       (unfit ? OUTCOME_INVALID
						      : OUTCOME_YES));
		}
	for (size_t len = 0; len < strlen(path); len++) {
		t.len = len;
		row_true(path, path_under(t, "/a", 2, false) ==
				       (len == 0   ? OUTCOME_INVALID
					: len == 1 ? OUTCOME_NO
						   : OUTCOME_YES));
	}
}

/* ---- no arguments at all --------------------------------------------- */

TEST(no_value_is_told_of_none)
{
	struct operand truth = {.type = TYPE_BOOLEAN, .ptr = "true", .len = 4};
	struct condition c = {
		.op = OP_EXISTS, .operands = &truth, .operand_count = 1};
	struct span none = {.ptr = NULL}, value = {.ptr = "before", .len = 6};
	struct arguments a;

	arguments_read(&a, none);
	assert_int_equal(condition_test(&c, &a, true, NULL, &value),
			 OUTCOME_NO);
	assert_null(value.ptr);
	assert_int_equal(value.len, 0);
}

RUN(NULL, NULL)
