/* log_show - the sums of a log as text for a terminal, as JSON, and the pieces
 * of the page that are spelled as there. */
#ifndef SHIM_LOG_SHOW_H
#define SHIM_LOG_SHOW_H

#include "log_count.h"
#include "show.h"

#include <stdio.h>

/* A name, or (others). */
void show_name(FILE *to, enum style style, const struct name *name);

/* 12,345; in three digits: 1.23 of microseconds as milliseconds; a moment as
 * 2026-01-31 12:00:00, or with 'T' and Z. */
struct number {
	char text[96];
};
struct number show_count(uint64_t n);
struct number show_ms(int64_t us, bool json); /* "-" if less than 0 */
struct number show_time(int64_t us, char between);
struct number show_width(int64_t seconds); /* "5 min" */

/* A member of a row or pair that is shown. */
struct column {
	char key[9], title[11];
	char kind;   /* 'n' number, 'b' bytes, 't' time, 'q' quantile */
	uint16_t at; /* offset in struct count_row, or of 'q' the percent */
};
extern const struct column show_columns[];
extern const size_t show_columns_count;
struct number show_cell(const struct count_row *row, const struct column *c,
			bool json);

/* All of it on stdout, once count_end() was called.  wide: with characters
 * beyond ASCII; colours: with colours. */
void show_summary(const struct count *c, bool wide, bool colours);
void show_as_json(const struct count *c, char *const *files);

#endif
