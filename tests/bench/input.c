/* What is sent.  The contract is in input.h. */
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
	"{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\",\"params\":"
	"{\"name\":\"tool_7\",\"arguments\":{\"path\":\"/srv/data/report.txt\","
	"\"content\":\"";
static const char tail[] = "\"}}}\n";
static const char text[] = "The quick brown fox jumps over the lazy dog. ";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			     "wxyz0123456789+/";

/* The head at at, and where the tail goes. */
static size_t frame(char *at, size_t bytes, unsigned id)
{
	char first[sizeof(head) + 16];
	size_t len = (size_t)snprintf(first, sizeof(first), head, id);

	memcpy(at, first, len);
	memcpy(at + bytes - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
	return len;
}

static void *want(void *p)
{
	if (!p) {
		fputs("bench: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void input_call(char *at, unsigned id)
{
	size_t i = frame(at, CALL_BYTES, id);

	for (size_t k = 0; i < CALL_BYTES - (sizeof(tail) - 1); i++, k++)
		at[i] = text[k % (sizeof(text) - 1)];
}

char *input_calls(size_t count)
{
	char *all = want(malloc(count * CALL_BYTES));

	for (size_t i = 0; i < count; i++)
		input_call(all + i * CALL_BYTES, 1000 + (unsigned)i);
	return all;
}

char *input_big(size_t bytes)
{
	char *line = want(malloc(bytes));
	size_t i = frame(line, bytes, 1);

	for (unsigned k = 1; i < bytes - (sizeof(tail) - 1); i++) {
		k = k * 1103515245 + 12345;
		line[i] = base64[k >> 16 & 63];
	}
	return line;
}

void input_policy(const char *path, size_t tools, const char *scope)
{
	static const char *const rules[] = {
		"{}",
		"{\"action\": \"deny\", \"reason\": \"ask a person\"}",
		"{\"require\": [{\"path\": \"args.path\", \"op\": \"under\", "
		"\"value\": \"/srv\"}]}",
		"{\"limits\": [{\"counter\": \"calls\", \"window\": \"minute\", "
		"\"max\": 10, \"scope\": \"session\"}]}",
	};
	FILE *f = want(fopen(path, "w"));

	fputs("{\"version\": \"1\", \"default\": \"hide\", \"tools\": {\n", f);
	for (size_t i = 0; i < tools; i++)
		if (i != 7)
			fprintf(f, "\"tool_%zu\": %s,\n", i, rules[i % 4]);
	fputs("\"tool_7\": ", f);
	if (scope)
		fprintf(f,
			"{\"limits\": [{\"counter\": \"calls\", \"window\": "
			"\"second\", \"max\": 1000000, \"scope\": \"%s\"}]}",
			scope);
	else
		fputs("{}", f);
	fputs("\n}}\n", f);
	if (fclose(f) != 0)
		want(NULL);
}

void input_limits(const char *path, size_t limits, size_t max,
		  const char *window)
{
	FILE *f = want(fopen(path, "w"));

	fputs("{\"version\": \"1\", \"default\": \"hide\", \"tools\": {"
	      "\"tool_7\": {\"limits\": [",
	      f);
	for (size_t i = 0; i < limits; i++)
		fprintf(f,
			"%s{\"counter\": \"c%zu\", \"window\": \"%s\", "
			"\"max\": %zu}",
			i > 0 ? ", " : "", i, window, max);
	fputs("]}}}\n", f);
	if (fclose(f) != 0)
		want(NULL);
}
