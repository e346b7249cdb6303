/* Text from outside.  The contract is in show.h. */
#include "show.h"

#include "../../parser/strbuf.h"

#include <stdio.h>
#include <string.h>

void show_text(FILE *to, enum style style, const char *s, size_t len)
{
	static const char special[] = "\"\\&<>'";
	static const char html[][7] = {"&quot;", "\\",   "&amp;",
				       "&lt;",   "&gt;", "&#39;"};

	while (len > 0) {
		unsigned code;
		size_t bytes = strbuf_obeyed(s, len, &code);
		const char *found = strchr(special, *s);

		if (style == STYLE_JSON && *s == '\n')
			fputs("\\n", to);
		else if (style == STYLE_RAW && bytes == 1)
			putc(' ', to);
		else if (bytes > 0)
			fprintf(to, "\\u%04x", code);
		else if (style == STYLE_HTML && found)
			fputs(html[found - special], to);
		else
			fprintf(to, "%s%c",
				style == STYLE_JSON && found &&
						found < special + 2
					? "\\"
					: "",
				*s);
		bytes += bytes == 0;
		s += bytes;
		len -= bytes;
	}
}

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
	putc('"', f);
	show_text(f, STYLE_JSON, s, strlen(s));
	putc('"', f);
}

void show_json(const char *s)
{
	if (s)
		show_json_to(stdout, s);
	else
		printf("null");
}

void show_plain(const char *s)
{
	show_text(stdout, STYLE_TEXT, s, strlen(s));
}
