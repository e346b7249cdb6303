/* show - text from outside, for messages and for JSON; see asked_show(), too.
 * What a terminal would obey (strbuf.h) is written as \u202e. */
#ifndef SHIM_SHOW_H
#define SHIM_SHOW_H

#include <stdio.h>

/* For a message; cut if it is long. */
struct shown {
	char text[400];
};
struct shown show(const char *s);

/* Prints a JSON string on stdout, with its quotes; NULL is null. */
void show_json(const char *s);

/* The same of a string, to a file. */
void show_json_to(FILE *f, const char *s);

/* Writes a line of strict JSON, of the same meaning. */
void show_raw_json(FILE *f, const char *s);

#endif
