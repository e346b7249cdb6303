/*
 * rows - tables of tests, in files of tests/unit: a line is a row.
 *
 * A tab stands between the fields.  A line that begins with a tab goes on with
 * the next field of its row, one that begins with spaces, of which one counts,
 * with the same.  "="
 * as the first field is that of the row before.  \xHH is a byte, \{N:TEXT} is
 * TEXT N times; a backslash before anything else is one, as in JSON.  "# "
 * begins a comment, "== NAME" a table.
 *
 * What rows_policy() and rows_line() make of a field:
 *
 *   {PATH OP VALUE}                   {"path":"PATH","op":"OP","value":VALUE}
 *   deny MEMBERS, allow, hide         a policy with this default
 *   tool RULES                        one that allows t, with these
 *   require CONDITIONS, deny_if, ask_if, ask_unless, limit LIMITS     the same
 *   NAME                              that of the file's table "policies"
 *   call "NAME" ARGUMENTS, prompt     a request; without arguments none are in
 * it read "URI"                        resources/read "METHOD" PARAMS, notice
 * "METHOD"  any request, any notification
 *
 * Everything else stands for itself.
 */
#ifndef TESTS_ROWS_H
#define TESTS_ROWS_H

#include "said.h"

#define ROWS_BYTES  (1 << 18) /* of a file, and of a row */
#define ROWS_FIELDS 64

struct rows {
	const char *file;  /* of tests/unit, or a path */
	const char *table; /* of it; NULL: it is one */
	char *text, *at, *room, *first;
	int line;                       /* where the next row begins */
	const char *field[ROWS_FIELDS]; /* "" where the row has no more */
	char place[48];                 /* "policy.tsv:12" */
};

/* One byte or escape at s, to *out; returns the place after it. */
static inline const char *rows_decode(const char *s, char **out)
{
	char *end, *text = *out;
	unsigned long n;

	if (s[0] != '\\' || !s[1]) {
		*(*out)++ = *s;
		return s + 1;
	}
	if (s[1] == 'x') {
		*(*out)++ = (char)strtoul((char[]){s[2], s[3], '\0'}, NULL, 16);
		return s + 4;
	}
	if (s[1] != '{') {
		*(*out)++ = *s++;
		*(*out)++ = *s++;
		return s;
	}
	n = strtoul(s + 2, &end, 10);
	for (s = end + 1; *s != '}';)
		s = rows_decode(s, out);
	for (size_t len = (size_t)(*out - text); n > 1; n--, *out += len)
		memcpy(*out, text, len);
	return s + 1;
}

/* The next line of the file, with those that go on with it. */
static inline char *rows_read(struct rows *r)
{
	char *start = r->at, *to = start;

	snprintf(r->place, sizeof(r->place), "%s:%d", r->file, r->line);
	for (; *r->at; r->at++) {
		if (*r->at != '\n') {
			*to++ = *r->at;
			continue;
		}
		r->line++;
		r->at++;
		if (*r->at != '\t' && *r->at != ' ')
			break;
		*to++ = *r->at;
		r->at += *r->at == ' ' ? strspn(r->at, " ") - 1 : 0;
	}
	if (to == start && !*r->at)
		return NULL;
	*to = '\0';
	return start;
}

static inline void rows_open(struct rows *r)
{
	char path[128], *line;
	FILE *f;

	snprintf(path, sizeof(path), "%s%s",
		 strchr(r->file, '/') ? "" : "tests/unit/", r->file);
	f = fopen(path, "r");
	r->at = r->text = calloc(1, ROWS_BYTES);
	r->room = malloc(ROWS_BYTES);
	r->line = 1;
	row_true(path, f && fread(r->text, 1, ROWS_BYTES - 1, f) > 0);
	fclose(f);
	while (r->table) {
		line = rows_read(r);
		row_true(r->table, line);
		if (strncmp(line, "== ", 3) == 0 &&
		    strcmp(line + 3, r->table) == 0)
			break;
	}
}

/* The next row; false: there is none, and all is freed. */
static inline bool rows_next(struct rows *r)
{
	char *line, *out;

	if (!r->text)
		rows_open(r);
	do {
		line = rows_read(r);
	} while (line && (!*line || strncmp(line, "# ", 2) == 0));
	if (!line || strncmp(line, "== ", 3) == 0) {
		row_true(r->file, r->first);
		free(r->text);
		free(r->room);
		free(r->first);
		r->text = r->first = NULL;
		return false;
	}
	out = r->room;
	for (int i = 0; i < ROWS_FIELDS; i++) {
		const char *s = line ? strsep(&line, "\t") : "";

		r->field[i] = out;
		while (*s)
			s = rows_decode(s, &out);
		*out++ = '\0';
	}
	row_true(r->place, !line);
	if (strcmp(r->field[0], "=") != 0) {
		free(r->first);
		r->first = strdup(r->field[0]);
	}
	r->field[0] = r->first;
	return true;
}

/* The text with every {PATH OP written out. */
static inline char *rows_conditions(char *out, const char *s)
{
	bool inside = false;

	for (; *s; s++) {
		if (!inside && *s == '{' &&
		    (s[1] == '/' || (s[1] >= 'a' && s[1] <= 'z'))) {
			const char *op = strchr(s, ' ') + 1;
			const char *end = strchr(op, ' ');

			out += sprintf(out,
				       "{\"path\":\"%.*s\",\"op\":\"%.*s\","
				       "\"value\":",
				       (int)(op - s - 2), s + 1,
				       (int)(end - op), op);
			s = end;
			continue;
		}
		inside ^= *s == '"';
		*out++ = *s;
		if (*s == '\\')
			*out++ = *++s;
	}
	*out = '\0';
	return out;
}

#define DEFAULT(word) "{\"version\":\"1\",\"default\":\"" word "\","
#define IN_T(list)    DEFAULT("deny") "\"tools\":{\"t\":{\"" list "\":["

/* The text of one policy. */
static inline const char *rows_policy(const struct rows *r, char *out,
				      const char *text)
{
	static const struct {
		const char *word, *begin, *end;
	} words[] = {
		{"deny", DEFAULT("deny"), "}"},
		{"allow", DEFAULT("allow"), "}"},
		{"hide", DEFAULT("hide"), "}"},
		{"tool", DEFAULT("deny") "\"tools\":{\"t\":", "}}"},
		{"require", IN_T("require"), "]}}}"},
		{"deny_if", IN_T("deny_if"), "]}}}"},
		{"ask_if", IN_T("ask_if"), "]}}}"},
		{"ask_unless", IN_T("ask_unless"), "]}}}"},
		{"limit", IN_T("limits"), "]}}}"},
	};
	struct rows named = {.file = r->file, .table = "policies"};
	char *at = out;

	for (size_t i = 0; i < COUNT(words); i++) {
		size_t len = strlen(words[i].word);

		if (strncmp(text, words[i].word, len) != 0 ||
		    (text[len] && text[len] != ' '))
			continue;
		at = stpcpy(at, words[i].begin);
		at = rows_conditions(at, text + len + (text[len] == ' '));
		at -= at[-1] == ','; /* of no more than the default */
		strcpy(at, words[i].end);
		return out;
	}
	if (!*text || text[strspn(text, "abcdefghijklmnopqrstuvwxyz_")]) {
		rows_conditions(out, text);
		return out;
	}
	*out = '\0';
	while (rows_next(&named))
		if (strcmp(named.field[0], text) == 0)
			rows_policy(r, out, named.field[1]);
	row_true(text, *out);
	return out;
}

/* A line of a client. */
static inline const char *rows_line(char *out, const char *text)
{
	static const struct {
		const char *word, *begin, *more, *end;
	} words[] = {
		{"call ",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
		 "\"params\":{\"name\":",
		 ",\"arguments\":", "}}"},
		{"prompt ",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\","
		 "\"params\":{\"name\":",
		 ",\"arguments\":", "}}"},
		{"read ",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\","
		 "\"params\":{\"uri\":",
		 "", "}}"},
		{"notice ",
		 "{\"jsonrpc\":\"2.0\",\"method\":", ",\"params\":", "}"},
		{"", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":",
		 ",\"params\":", "}"},
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		const char *name = text + strlen(words[i].word), *end = name;

		if (strncmp(text, words[i].word, strlen(words[i].word)) != 0 ||
		    *name != '"')
			continue;
		while (*++end != '"')
			end += *end == '\\';
		end++;
		snprintf(out, TEXT_BYTES, "%s%.*s%s%s%s", words[i].begin,
			 (int)(end - name), name, *end ? words[i].more : "",
			 *end ? end + 1 : "", words[i].end);
		return out;
	}
	return strcpy(out, text);
}

/* The policy of files with " + " between them, as compile_files() has it. */
static inline struct policy *rows_compile(const struct rows *r,
					  const char *files, struct said *said)
{
	static char text[FILES_MAX][TEXT_BYTES];
	char one[TEXT_BYTES];
	size_t n = 0;

	for (const char *end; n < FILES_MAX; n++, files = end + 3) {
		end = strstr(files, " + ");
		snprintf(one, sizeof(one), "%.*s",
			 end ? (int)(end - files) : TEXT_BYTES - 1, files);
		rows_policy(r, text[n], one);
		if (!end)
			return compile_texts(text, n + 1, said);
	}
	fail();
	return NULL;
}

/* The same; it must load. */
static inline struct policy *rows_load(const struct rows *r, const char *files)
{
	static struct said said;
	struct policy *p = rows_compile(r, files, &said);

	if (!p)
		print_error("said: %s", said.text);
	row_true(r->place, p);
	return p;
}

#endif
