/* show - text from outside, for people and for programs. */
#ifndef SHIM_SHOW_H
#define SHIM_SHOW_H

#include <stddef.h>
#include <stdio.h>

/*
 * What a terminal would obey (strbuf.h) is written as \u202e in all of these.
 * JSON is what stands inside of a string; RAW a line of strict JSON, of the
 * same meaning then.
 */
enum style { STYLE_TEXT, STYLE_JSON, STYLE_RAW, STYLE_HTML };
void show_text(FILE *to, enum style style, const char *s, size_t len);

/* Prints a string on stdout as text; as JSON with its quotes, NULL as null. */
void show_plain(const char *s);
void show_json(const char *s);

/* The same, to a file. */
void show_json_to(FILE *f, const char *s);

/* For a message; cut if it is long. */
struct shown {
	char text[400];
};
struct shown show(const char *s);

#endif
