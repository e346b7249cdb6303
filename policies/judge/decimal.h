/*
 * decimal - numbers of JSON compared as they are written.
 *
 * A number is its lexeme (RFC 8259 6), of any length: 1.10 is 1.1, 1e2 is 100,
 * -0 is 0, and 9007199254740993 is not 9007199254740992.  Most servers read a
 * double instead, to which these two are the same: decimal_double().
 */
#ifndef POLICIES_DECIMAL_H
#define POLICIES_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECIMAL_EXPONENT_DIGITS                                                \
	17 /* more, leading zeros aside, is no number                          \
	    */

struct decimal {
	const char *digits; /* from the first that is not 0; may hold a point */
	const char *end;    /* of the digits */
	int64_t exponent;   /* the value is 0.DIGITS times ten to this */
	int sign;           /* -1, 0, 1; 0 has no digits */
};

/* Takes the lexeme apart, which is JSON; *d points into it.  False: its
 * exponent has too many digits to be compared. */
bool decimal_read(const char *lexeme, size_t len, struct decimal *d);

/* Less than, equal to or greater than 0, as a is to b. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

/* Does a double hold the number so well that it compares with others of this
 * kind as the decimal does?  It has at most 15 digits, zeros at either end
 * aside, and is in the range of normal doubles. */
bool decimal_fits(const struct decimal *d);

/* What strtod() makes of the number, in any locale. */
double decimal_double(const struct decimal *d);

/* The number, which is not negative, in millionths; what is less than one is
 * rounded up, and then *exact is false.  UINT64_MAX: at least 10^13. */
uint64_t decimal_millionths(const struct decimal *d, bool *exact);

#endif
