/* Text from outside.  The contract is in show.h. */
#include "show.h"

#include "../../parser/strbuf.h"

#include <stdio.h>
#include <string.h>

struct shown show(const char *s)
{
	struct shown shown;
	size_t len = strlen(s), at = 0;

	while (len > 0) {
		unsigned code;
		size_t bytes = strbuf_obeyed(s, len, &code);

		/* Room for an escape, dots and a NUL. */
		if (at + 10 > sizeof(shown.text)) {
			at += (size_t)sprintf(shown.text + at, "...");
			break;
		}
		if (bytes > 0)
			at += (size_t)sprintf(shown.text + at, "\\u%04x", code);
		else
			shown.text[at++] = *s;
		bytes += bytes == 0;
		s += bytes;
		len -= bytes;
	}
	shown.text[at] = '\0';
	return shown;
}

void show_json_to(FILE *f, const char *s)
{
	size_t len = strlen(s);
	char piece[8];

	putc('"', f);
	while (len > 0) {
		struct strbuf o = {.ptr = piece, .cap = sizeof(piece)};
		unsigned code;
		size_t bytes = strbuf_obeyed(s, len, &code);

		bytes += bytes == 0;
		strbuf_escaped(&o, s, bytes);
		fwrite(o.ptr, 1, o.len, f);
		s += bytes;
		len -= bytes;
	}
	putc('"', f);
}

void show_json(const char *s)
{
	if (s)
		show_json_to(stdout, s);
	else
		printf("null");
}

void show_raw_json(FILE *f, const char *s)
{
	for (size_t len = strlen(s), bytes; len > 0; s += bytes, len -= bytes) {
		unsigned code;

		bytes = strbuf_obeyed(s, len, &code);
		if (bytes == 1)
			putc(' ', f);
		else if (bytes > 0)
			fprintf(f, "\\u%04x", code);
		else
			putc(*s, f);
		bytes += bytes == 0;
	}
}
