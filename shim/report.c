/* weir's own words on stderr.  The contract is in report.h. */
#include "report.h"

#include "fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { PREFIX = sizeof("weir: ") - 1 };

/* "weir: ", the text, and LF: of so many bytes. */
static size_t put_line(char line[PIPE_BUF], const char *format, va_list args)
{
	int used = snprintf(line, PIPE_BUF, "weir: "), room = PIPE_BUF - used;
	int more = vsnprintf(line + used, (size_t)room, format, args);

	used += more < room ? more : room - 1;
	line[used++] = '\n';
	return (size_t)used;
}

void report_fold(int fd, char *text, size_t len)
{
	char *space = NULL;

	if (!isatty(fd))
		return;
	for (char *p = text, *line = text; p < text + len; p++) {
		if (*p == ' ')
			space = p;
		if (p - line >= REPORT_COLUMNS && space) {
			*space = '\n';
			line = space + 1;
			space = NULL;
		}
	}
}

void report_all(const char *format, ...)
{
	char line[PIPE_BUF];
	va_list args;
	size_t len;
	ssize_t put;

	va_start(args, format);
	len = put_line(line, format, args);
	va_end(args);
	report_fold(STDERR_FILENO, line, len - 1);
	/* If this fails there is nowhere to report it. */
	RETRY(put = write(STDERR_FILENO, line, len));
}

/* POLLERR: nobody reads it, and SIGPIPE may not be ignored yet. */
static bool is_ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int ready;

	RETRY(ready = poll(&p, 1, 0));
	/* With no descriptor allowed, poll() takes none: nothing runs then. */
	return ready < 0 || (ready == 1 && p.revents == POLLOUT);
}

static void send_line(const char *line, size_t len)
{
	struct fd port = fd_borrow(STDERR_FILENO);
	size_t at = 0;
	ssize_t put;

	while (at < len && is_ready(port.fd) &&
	       (put = fd_write(&port, line + at, len - at)) > 0)
		at += (size_t)put;
	if (port.fd != STDERR_FILENO)
		fd_close(&port);
}

/* The start that fails ends with its reason, whoever reported it.  One process,
 * one thread. */
static char last[REPORT_LAST];

void report(const char *format, ...)
{
	char line[PIPE_BUF];
	va_list args;
	size_t len;

	va_start(args, format);
	len = put_line(line, format, args);
	va_end(args);
	snprintf(last, sizeof(last), "%.*s", (int)(len - PREFIX - 1),
		 line + PREFIX);
	report_fold(STDERR_FILENO, line, len - 1);
	send_line(line, len);
}

const char *report_last(void)
{
	return last;
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
	char line[64];

	if (count > REPORT_MOST)
		send_line(line, (size_t)snprintf(
					line, sizeof(line),
					"weir: and %zu more; see weir check\n",
					count - REPORT_MOST));
}
