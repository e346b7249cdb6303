/*
 * judge - which of the lines on stdin does weir pass, and what are they to it?
 *
 * Lines are read as weir reads them: up to LF, one CR before it taken off.  One
 * that passes is written to stdout as it came, and after it two lines that no
 * reader can take for anything else: the control, which says in plain ASCII
 * what weir judged the line to be, and a mark with the number of the line.  A
 * reader that sees in the line what weir saw reads line and control alike, and
 * reads nothing else before the mark.
 */
#include "../../parser/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fewer lines that pass, in percent, would test little. */
#define PASSED_MIN 25

/* The methods that weir weighs are in the control because of what it made of
 * them, not because of how they are spelled. */
static const char *const weighed[] = {
	[METHOD_TOOLS_CALL] = "\"tools/call\"",
	[METHOD_TOOLS_LIST] = "\"tools/list\"",
	[METHOD_PROMPTS_GET] = "\"prompts/get\"",
	[METHOD_RESOURCES_READ] = "\"resources/read\"",
	[METHOD_INITIALIZE] = "\"initialize\"",
	[METHOD_PROMPTS_LIST] = "\"prompts/list\"",
	[METHOD_RESOURCES_LIST] = "\"resources/list\"",
	[METHOD_TEMPLATES_LIST] = "\"resources/templates/list\"",
	[METHOD_COMPLETE] = "\"completion/complete\"",
	[METHOD_SUBSCRIBE] = "\"resources/subscribe\"",
	[METHOD_LISTEN] = "\"subscriptions/listen\"",
};

/* A string as weir decodes it, spelled anew: were it copied, an escape that
 * weir decodes wrongly would not be found. */
static void put_text(struct text text)
{
	int32_t c;

	putchar('"');
	while ((c = text_next(&text)) >= 0) {
		if (c >= 0x10000)
			printf("\\u%04x\\u%04x",
			       (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
			       (unsigned)(0xDC00 + (c & 0x3FF)));
		else if (c < ' ' || c >= 0x7F || c == '"' || c == '\\')
			printf("\\u%04x", (unsigned)c);
		else
			putchar(c);
	}
	putchar('"');
}

/* A value that is known to be sound, its strings spelled anew. */
static void put_value(struct span value)
{
	struct scan r;
	struct text text;

	for (const char *p = scan_begin(&r, value.ptr, value.len); p < r.end;) {
		if (*p == '"') {
			p = scan_string(&r, p, &text);
			put_text(text);
		} else {
			putchar(*p++);
		}
	}
}

/* The method of a request; message.h tells only the weighed ones apart. */
static struct text find_method(const char *line, size_t len)
{
	struct scan r;
	const char *p = scan_begin(&r, line, len);
	struct text key, method = {.ptr = NULL};
	bool more;

	p = scan_enter(&r, scan_space(&r, p));
	for (bool first = true;; first = false) {
		p = scan_member(&r, p, first, &key, &more);
		if (!more)
			return method;
		if (text_is(key, "method", 6))
			p = scan_string(&r, p, &method);
		else
			p = scan_value(&r, p);
	}
}

static void put_params(const struct message *m)
{
	const char *comma = "";

	printf(",\"params\":{");
	if (m->name.ptr) {
		printf("\"name\":");
		put_text(m->name);
		comma = ",";
	}
	if (m->uri.ptr) {
		printf("%s\"uri\":", comma);
		put_text(m->uri);
		comma = ",";
	}
	if (m->arguments.ptr) {
		printf("%s\"arguments\":", comma);
		put_value(m->arguments);
	}
	putchar('}');
}

static void put_control(const struct message *m, const char *line, size_t len)
{
	printf("{\"jsonrpc\":\"2.0\"");
	if (m->kind != MESSAGE_NOTIFICATION) {
		printf(",\"id\":");
		if (m->id.ptr)
			put_value(m->id);
		else
			printf("null");
	}
	switch (m->kind) {
	case MESSAGE_RESULT:
		printf(",\"result\":{}");
		break;
	case MESSAGE_ERROR:
		printf(",\"error\":{\"code\":0,\"message\":\"\"}");
		break;
	case MESSAGE_REQUEST:
	case MESSAGE_NOTIFICATION:
		printf(",\"method\":");
		if (m->method != METHOD_OTHER)
			printf("%s", weighed[m->method]);
		else
			put_text(find_method(line, len));
		put_params(m);
	}
	puts("}");
}

int main(void)
{
	static const char *const kinds[] = {"requests", "notifications",
					    "results", "errors"};
	unsigned long lines = 0, passed = 0, calls = 0, of_kind[4] = {0};
	char *line = NULL;
	size_t cap = 0;
	ssize_t got;

	while ((got = getline(&line, &cap, stdin)) > 0) {
		size_t whole = (size_t)got, len = whole;
		struct message m;
		struct fault fault;

		lines++;
		if (line[len - 1] == '\n')
			len--;
		if (len > 0 && line[len - 1] == '\r')
			len--;
		if (!message_read(line, len, &m, &fault))
			continue;
		passed++;
		of_kind[m.kind]++;
		calls += m.method == METHOD_TOOLS_CALL;
		fwrite(line, 1, whole, stdout);
		put_control(&m, line, len);
		printf("{\"jsonrpc\":\"2.0\",\"id\":%lu,"
		       "\"method\":\"weir/mark\"}\n",
		       lines);
	}
	free(line);
	fprintf(stderr, "weir: %lu lines, %lu passed:", lines, passed);
	for (int i = 0; i < 4; i++)
		fprintf(stderr, " %lu %s,", of_kind[i], kinds[i]);
	fprintf(stderr, " %lu of them tools/call\n", calls);
	if (passed * 100 < lines * PASSED_MIN) {
		fprintf(stderr, "judge: fewer than %d %% passed\n", PASSED_MIN);
		return 1;
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
