/*
 * report - weir's own messages on stderr, which is otherwise the server's.
 *
 * In shim/ whoever meets a failure reports it there and then, "WHAT: WHY; WHAT
 * TO DO", and returns false, NULL or an exit status.
 */
#ifndef SHIM_REPORT_H
#define SHIM_REPORT_H

#include <stddef.h>

#define REPORT_MOST    20 /* lines of one start, or of one reload */
#define REPORT_COLUMNS 80 /* of a terminal; what is no ASCII makes it fewer */

/* Writes "weir: ", the text and LF in one piece, cut after 4 KiB.  It never
 * blocks: what stderr has no room for now is lost. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The text that was reported last, cut after REPORT_LAST - 1 bytes; "" before
 * the first. */
const char *report_last(void);
#define REPORT_LAST 1024

/* The same for a verb, whose every line counts: it waits for room. */
void report_all(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Each a policy_report, a line from the policy loader: of a verb; and of the
 * relay, the first REPORT_MOST, where context is a size_t that counts them. */
void report_line(void *context, const char *line);
void report_some(void *context, const char *line);

/* If fd is a terminal, ends the lines of a text that has none yet at the space
 * before they are wider than it, as far as there are spaces. */
void report_fold(int fd, char *text, size_t len);

/* How many lines report_some() left out, if any. */
void report_rest(size_t count);

#endif
