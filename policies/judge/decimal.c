/* Exact decimals.  The contract is in decimal.h. */
#include "decimal.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No number half-way between two doubles has more digits (767).  Behind them
 * it only matters whether another digit follows. */
#define DOUBLE_DIGITS 800
#define DOUBLE_RANGE  9999 /* any such power of ten is 0 or infinite */

/* The number after e or E at p; it has a digit at least. */
static bool read_exponent(const char *p, const char *end, int64_t *exponent)
{
	bool negative = *p == '-';
	int64_t n = 0;
	int digits = 0;

	if (*p == '-' || *p == '+')
		p++;
	while (p < end && *p == '0')
		p++;
	for (; p < end; p++, digits++) {
		if (digits == DECIMAL_EXPONENT_DIGITS)
			return false;
		n = n * 10 + (*p - '0');
	}
	*exponent = negative ? -n : n;
	return true;
}

bool decimal_read(const char *lexeme, size_t len, struct decimal *d)
{
	const char *p = lexeme, *end = lexeme + len, *e;
	bool point = false;

	d->sign = *p == '-' ? -1 : 1;
	p += *p == '-';
	e = p;
	while (e < end && *e != 'e' && *e != 'E')
		e++;
	d->exponent = 0;
	if (e < end && !read_exponent(e + 1, end, &d->exponent))
		return false;
	/* Zeros before the first digit that counts. */
	for (; p < e && (*p == '0' || *p == '.'); p++) {
		d->exponent -= point;
		point |= *p == '.';
	}
	d->digits = p;
	d->end = e;
	if (p == e) {
		d->sign = 0;
		return true;
	}
	/* Digits before the point. */
	for (; !point && p < e && *p != '.'; p++)
		d->exponent++;
	return true;
}

/* The next digit; 0 for ever after the last. */
static char next_digit(const char **p, const char *end)
{
	if (*p < end && **p == '.')
		++*p;
	if (*p == end)
		return '0';
	return *(*p)++;
}

static int compare_digits(const struct decimal *a, const struct decimal *b)
{
	const char *p = a->digits, *q = b->digits;

	while (p < a->end || q < b->end) {
		char x = next_digit(&p, a->end), y = next_digit(&q, b->end);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
	if (a->sign != b->sign)
		return a->sign < b->sign ? -1 : 1;
	if (a->sign == 0)
		return 0;
	if (a->exponent != b->exponent)
		return a->exponent < b->exponent ? -a->sign : a->sign;
	return a->sign * compare_digits(a, b);
}

bool decimal_fits(const struct decimal *d)
{
	const char *p = d->digits, *end = d->end;
	int digits = 0;

	while (end > p && (end[-1] == '0' || end[-1] == '.'))
		end--;
	for (; p < end && digits <= DBL_DIG; digits++)
		next_digit(&p, end);
	return d->sign == 0 ||
	       (digits <= DBL_DIG && d->exponent > DBL_MIN_10_EXP &&
		d->exponent <= DBL_MAX_10_EXP);
}

double decimal_double(const struct decimal *d)
{
	char text[DOUBLE_DIGITS + 32];
	const char *p = d->digits;
	int64_t exponent = d->exponent;
	bool more = false;
	size_t len = 0;

	if (d->sign == 0)
		return 0;
	if (d->sign < 0)
		text[len++] = '-';
	if (exponent > DOUBLE_RANGE)
		exponent = DOUBLE_RANGE;
	if (exponent < -DOUBLE_RANGE)
		exponent = -DOUBLE_RANGE;
	/* Without a point, which a locale may spell as another byte. */
	for (; p < d->end && len < DOUBLE_DIGITS; exponent--)
		text[len++] = next_digit(&p, d->end);
	while (p < d->end)
		more |= next_digit(&p, d->end) != '0';
	if (more) {
		text[len++] = '1';
		exponent--;
	}
	snprintf(text + len, sizeof(text) - len, "e%" PRId64, exponent);
	return strtod(text, NULL);
}

uint64_t decimal_millionths(const struct decimal *d, bool *exact)
{
	const char *p = d->digits;
	uint64_t n = 0;

	*exact = true;
	if (d->sign == 0)
		return 0;
	if (d->exponent > 13)
		return UINT64_MAX;
	for (int64_t i = 0; i < d->exponent + 6; i++)
		n = n * 10 + (uint64_t)(next_digit(&p, d->end) - '0');
	while (*exact && p < d->end)
		*exact = next_digit(&p, d->end) == '0';
	return *exact ? n : n + 1;
}
