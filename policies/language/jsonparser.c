/*
 * What json-parser calls, and weir does without.
 *
 * It makes a double of a number by pow().  No policy is made of a double:
 * numbers are read from the text (decimal.h).  So this pow() stands in for that
 * of libm, which need not be loaded at each start.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

double pow(double base, double exponent);

double pow(double base, double exponent)
{
	(void)exponent;
	return base;
}

#ifndef __GLIBC__
/* Debian's libjsonparser.a was built with _FORTIFY_SOURCE, of which musl lacks
 * this: sprintf() into size bytes, or the end.  Where the size is not known it
 * is SIZE_MAX, which no vsnprintf() can be given: the end would wrap. */
/* NOLINTBEGIN(*-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __sprintf_chk(char *to, int flag, size_t size, const char *format, ...);

int __sprintf_chk(char *to, int flag, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	(void)flag;
	va_start(args, format);
	len = size > INT_MAX ? vsprintf(to, format, args)
			     : vsnprintf(to, size, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= size)
		abort();
	return len;
}
/* NOLINTEND(*-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#endif
