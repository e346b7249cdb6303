/* Exact decimals.  The contract is in decimal.h. */
#include "decimal.h"

#include <string.h>

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
