/* report - weir's own words on stderr, which is the server's otherwise. */
#ifndef SHIM_REPORT_H
#define SHIM_REPORT_H

/* Writes "weir: ", the text and LF in one piece, cut after 4 KiB.  Before the
 * relay runs; it may block, as any program's stderr may. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same while the relay runs: it never blocks.  What stderr has no room
 * for now is lost. */
void report_running(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Each a policy_report, a line from the policy loader: before the relay runs,
 * and while it does. */
void report_line(void *context, const char *line);
void report_running_line(void *context, const char *line);

#endif
