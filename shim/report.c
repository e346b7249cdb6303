/* weir's own words on stderr.  The contract is in report.h. */
#include "report.h"

#include "fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void write_line(const char *format, va_list args)
{
	static const char prefix[] = "weir: ";
	char line[PIPE_BUF];
	int room = (int)sizeof(line) - (int)sizeof(prefix) - 1;
	int used = snprintf(line, sizeof(line), "%s", prefix);
	int more = vsnprintf(line + used, (size_t)room, format, args);
	ssize_t put;

	used += more < room ? more : room - 1;
	line[used++] = '\n';
	/* Nobody to tell when this fails. */
	RETRY(put = write(STDERR_FILENO, line, (size_t)used));
}

void report_all(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

void report(const char *format, ...)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	va_list args;
	int ready;

	/* A pipe that is ready takes PIPE_BUF bytes at once. */
	RETRY(ready = poll(&p, 1, 0));
	/* POLLERR: nobody reads it, and SIGPIPE may not be ignored yet. */
	if (ready != 1 || p.revents != POLLOUT)
		return;
	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

void report_line(void *context, const char *line)
{
	(void)context;
	report_all("%s", line);
}

void report_some(void *context, const char *line)
{
	size_t *count = context;

	if (++*count <= REPORT_MOST)
		report("%s", line);
}

void report_rest(size_t count)
{
	if (count > REPORT_MOST)
		report("and %zu more; see weir check", count - REPORT_MOST);
}
