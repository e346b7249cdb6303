/* weir check.  The contract is in check.h. */
#include "check.h"

#include "../../parser/reply.h"
#include "../../policies/policy.h"
#include "../report.h"
#include "preload_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BYTES (64 << 20) /* most in a --tools file */

static void print_error(void *context, const char *line)
{
	(void)context;
	printf("error: %s\n", line);
}

/* On stderr where stdout has the merged policy.  context is the options. */
static void print_warning(void *context, const char *line)
{
	const struct options *o = context;

	if (o->print)
		report_all("warning: %s", line);
	else
		printf("warning: %s\n", line);
}

/* Returns 1, the number of warnings. */
__attribute__((format(printf, 2, 3))) static int warn(const struct options *o,
						      const char *format, ...)
{
	char *line = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) >= 0)
		print_warning((void *)o, line);
	va_end(args);
	free(line);
	return 1;
}

/* Empties a text that was not whole, and doubles its room. */
static bool make_room(struct strbuf *text)
{
	size_t cap = text->cap > 0 ? 2 * text->cap : 4096;
	char *ptr = realloc(text->ptr, cap);

	if (!ptr) {
		report("out of memory");
		return false;
	}
	*text = (struct strbuf){.ptr = ptr, .cap = cap};
	return true;
}

/* ---- a list of tools ------------------------------------------------- */

/* The names of the tools in a file: a reply to tools/list, its result, or the
 * array alone. */
struct tools {
	char *text;
	struct text *names;
	size_t count;
	size_t nameless; /* without a name, or an ambiguous one */
	bool part;       /* the list has another page */
};

static bool note_name(void *context, enum reply_list list, struct text name)
{
	struct tools *t = context;

	(void)list;
	if (name.ptr)
		t->names[t->count++] = name;
	else
		t->nameless++;
	return true;
}

/* Is there a nextCursor beside the list? */
static bool goes_on(const char *text, struct span list)
{
	static const char key[] = "\"nextCursor\"";
	const char *p = strstr(text, key);

	if (p > list.ptr)
		p = strstr(list.ptr + list.len, key);
	if (!p)
		return false;
	p += strlen(key);
	return p[strspn(p, " \t:")] == '"';
}

/* The list of tools in the text; ptr NULL if none. */
static struct span find_list(const char *text, size_t len)
{
	static const char head[] = "{\"result\":";
	static const char *const tries[][2] = {
		{"", ""}, {head, "}"}, {"{\"result\":{\"tools\":", "}}"}};
	struct span found = {.ptr = NULL};

	for (int i = 0; i < 3 && !found.ptr; i++) {
		size_t before = strlen(tries[i][0]),
		       after = strlen(tries[i][1]);
		char *line = malloc(before + len + after + 1);
		struct reply reply;

		if (!line)
			return found;
		memcpy(line, tries[i][0], before);
		memcpy(line + before, text, len);
		/* And the NUL, where the reader stops. */
		memcpy(line + before + len, tries[i][1], after + 1);
		reply_read(line, before + len + after, &reply);
		if (reply.kind == REPLY_LIST && reply.lists[REPLY_TOOLS].ptr) {
			found = reply.lists[REPLY_TOOLS];
			found.ptr =
				text + ((size_t)(found.ptr - line) - before);
		}
		free(line);
	}
	return found;
}

/* The whole file, NUL-ended and made one line, as a server's reply is.  NULL:
 * reported. */
static char *read_text(const char *file, size_t *len)
{
	char *text = malloc(LIST_BYTES + 1), *whole = NULL;
	FILE *f = fopen(file, "re");

	errno = f ? ENOMEM : errno;
	*len = f && text ? fread(text, 1, LIST_BYTES + 1, f) : 0;
	if (!f || !text || ferror(f))
		report("%s: %s", file, strerror(errno));
	else if (*len > LIST_BYTES)
		report("%s: a list of tools has at most %d MiB", file,
		       LIST_BYTES >> 20);
	else
		whole = text;
	if (f)
		fclose(f);
	if (!whole)
		free(text);
	else
		text[*len] = '\0';
	for (size_t i = 0; whole && i < *len; i++)
		if (text[i] == '\n' || text[i] == '\r')
			text[i] = ' ';
	return whole;
}

static bool read_tools(struct tools *t, const char *file)
{
	struct span list;
	size_t len, cut, most = 0;
	char *out;

	t->text = read_text(file, &len);
	if (!t->text)
		return false;
	list = find_list(t->text, len);
	if (!list.ptr) {
		report("%s: no list of tools; expected a reply to tools/list",
		       file);
		return false;
	}
	/* There are no more names than objects. */
	for (size_t i = 0; i < list.len; i++)
		most += list.ptr[i] == '{';
	t->names = calloc(most + 1, sizeof(*t->names));
	out = malloc(list.len + 1);
	if (t->names && out) {
		list_cut(list, REPLY_TOOLS, note_name, t, out, &cut);
		t->part = goes_on(t->text, list);
	} else {
		report("out of memory");
	}
	free(out);
	return t->names && out;
}

/* A row for each tool.  False: out of memory, reported. */
static bool print_table(const struct policy *policy, const struct tools *t)
{
	struct strbuf words = {.ptr = NULL};

	words.full = !make_room(&words);
	for (size_t i = 0; i < t->count && !words.full; i++) {
		do {
			words.len = 0;
			policy_describe(policy, t->names[i], &words);
		} while (words.full && make_room(&words));
		if (!words.full)
			printf("%-32.*s %.*s\n", (int)t->names[i].len,
			       t->names[i].ptr, (int)words.len, words.ptr);
	}
	free(words.ptr);
	return !words.full;
}

/* Returns the number of warnings, or -1: reported. */
static int check_tools(const struct options *o, struct policy *policy)
{
	struct tools t = {.count = 0};
	int warnings = -1;

	if (read_tools(&t, o->tools)) {
		warnings = 0;
		for (size_t i = 0; i < t.count; i++)
			policy_note_tool(policy, t.names[i]);
		if (t.nameless > 0)
			warnings += warn(
				o,
				"%s: tools left out, as their names are missing or ambiguous: %zu",
				o->tools, t.nameless);
		if (t.part)
			warnings += warn(
				o,
				"%s: the list is incomplete: nextCursor names another page, so unused entries are not reported",
				o->tools);
		else
			warnings +=
				policy_unused(policy, print_warning, (void *)o);
		if (!print_table(policy, &t))
			warnings = -1;
	}
	free(t.text);
	free(t.names);
	return warnings;
}

/* ---- the verb -------------------------------------------------------- */

/* As check_tools(). */
static int print_policy(const struct options *o, const struct policy *policy)
{
	struct strbuf text = {.full = true};
	int warnings = -1;

	while (text.full && make_room(&text))
		policy_print(policy, &text);
	if (!text.full) {
		fwrite(text.ptr, 1, text.len, stdout);
		warnings =
			text.len > POLICY_FILE_BYTES
				? warn(o,
				       "the printed policy does not load: a policy file has at most %zu MiB",
				       POLICY_FILE_BYTES >> 20)
				: 0;
	}
	free(text.ptr);
	return warnings;
}

/* Reports the errors of each file alone. */
static bool check_files(const struct options *o, const char *const *files,
			size_t count)
{
	bool sound = true;

	for (size_t i = 0; i < count; i++) {
		struct policy *policy = policy_load(&files[i], 1, &o->places,
						    print_error, NULL);

		sound &= policy != NULL;
		if (policy && !o->print)
			printf("%s: sound\n", files[i]);
		policy_free(policy);
	}
	return sound;
}

/* Reports the errors and warnings of the layered policy. */
static int check_merged(const struct options *o, const char *const *files,
			size_t count)
{
	struct policy *policy =
		policy_load(files, count, &o->places, print_error, NULL);
	int warnings, tools = 0, print = 0;

	if (!policy)
		return CHECK_UNSOUND;
	warnings = policy_warn(policy, print_warning, (void *)o);
	if (count > POLICIES_MAX)
		warnings += warn(o, "%zu files: weir runs with at most %d",
				 count, POLICIES_MAX);
	if (o->tools)
		tools = check_tools(o, policy);
	if (o->print)
		print = print_policy(o, policy);
	else if (count == 1)
		printf("%s: sound%s\n", files[0],
		       warnings > 0 || tools > 0 ? ", with warnings" : "");
	policy_free(policy);
	if (tools < 0 || print < 0)
		return CHECK_UNSOUND;
	return warnings + tools + print > 0 && o->strict ? CHECK_WARNED
							 : CHECK_SOUND;
}

int check_run(const struct options *o)
{
	const char *const *files = (const char *const *)o->rest;
	size_t count = 0;

	if (o->preload)
		return preload_check_run(o->rest[0]);
	while (files[count])
		count++;
	if (count > 1 && !check_files(o, files, count))
		return CHECK_UNSOUND;
	return check_merged(o, files, count);
}
