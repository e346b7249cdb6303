/*
 * What Debian's libjsonparser.a calls and musl lacks: it was built for glibc
 * with _FORTIFY_SOURCE.  For the static build alone.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int __sprintf_chk(char *to, int flag, size_t size, const char *format, ...);

/* sprintf() into size bytes, or the end. */
int __sprintf_chk(char *to, int flag, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	(void)flag;
	va_start(args, format);
	len = vsnprintf(to, size, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= size)
		abort();
	return len;
}
