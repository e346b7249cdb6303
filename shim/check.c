/* weir check.  The contract is in check.h. */
#include "check.h"

#include "../parser/reply.h"
#include "../policies/policy.h"
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TOOLS_MAX  16384      /* names in a list of tools */
#define LIST_BYTES (64 << 20) /* of a file with a list of tools */

static void say_fault(void *context, const char *line)
{
	(void)context;
	printf("fault: %s\n", line);
}

/* On stdout; context is the options: there, the merged policy may stand. */
static void say_warning(void *context, const char *line)
{
	const struct options *o = context;

	if (o->print)
		report("warning: %s", line);
	else
		printf("warning: %s\n", line);
}

/* Whoever can write the file decides what is allowed. */
static int warn_writable(const struct options *o, const char *file)
{
	char line[PATH_MAX + 128];
	struct stat st;

	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode) ||
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(line, sizeof(line),
		 "%s: others may write this file (mode %03o): chmod go-w takes "
		 "that away",
		 file, (unsigned)(st.st_mode & 0777));
	say_warning((void *)o, line);
	return 1;
}

/* ---- a list of tools ------------------------------------------------- */

/* The names of the tools in a file: what tools/list answers, its result, or
 * the array alone. */
struct tools {
	char *text;
	struct text *names;
	size_t count;
};

static bool note_name(void *context, enum reply_list list, struct text name)
{
	struct tools *t = context;

	(void)list;
	if (name.ptr && t->count < TOOLS_MAX)
		t->names[t->count++] = name;
	return true;
}

/* The first array of the text that is a list of tools; ptr NULL if none. */
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
		memcpy(line + before + len, tries[i][1], after);
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

static bool read_tools(struct tools *t, const char *file)
{
	FILE *f = fopen(file, "re");
	struct span list;
	size_t len = 0, cut;
	char *out;

	t->text = malloc(LIST_BYTES);
	t->names = calloc(TOOLS_MAX, sizeof(*t->names));
	if (f && t->text)
		len = fread(t->text, 1, LIST_BYTES, f);
	if (!f || !t->text || !t->names || ferror(f)) {
		report("%s: %s", file, strerror(errno));
		if (f)
			fclose(f);
		return false;
	}
	fclose(f);
	/* It may stand on several lines, as a server's answer never does. */
	for (size_t i = 0; i < len; i++)
		if (t->text[i] == '\n' || t->text[i] == '\r')
			t->text[i] = ' ';
	list = find_list(t->text, len);
	out = list.ptr ? malloc(list.len) : NULL;
	if (!out) {
		report("%s: no list of tools: what tools/list answers was "
		       "expected",
		       file);
		return false;
	}
	list_cut(list, REPLY_TOOLS, note_name, t, out, &cut);
	free(out);
	return true;
}

static void print_table(const struct policy *policy, const struct tools *t)
{
	char words[16384];

	for (size_t i = 0; i < t->count; i++) {
		struct out o = {.ptr = words, .cap = sizeof(words) - 1};

		policy_describe(policy, t->names[i], &o);
		words[o.len] = '\0';
		printf("%-32.*s %s\n", (int)t->names[i].len, t->names[i].ptr,
		       words);
	}
}

/* ---- the verb -------------------------------------------------------- */

static void print_policy(const struct policy *policy)
{
	struct out o = {.ptr = NULL, .cap = (size_t)64 << 20};

	o.ptr = malloc(o.cap);
	if (!o.ptr)
		return;
	policy_print(policy, &o);
	fwrite(o.ptr, 1, o.len, stdout);
	free(o.ptr);
}

/* Each of several files by itself: what is wrong with it. */
static bool check_files(const char *const *files, size_t count, bool quiet)
{
	bool sound = true;

	for (size_t i = 0; i < count; i++) {
		struct policy *policy =
			policy_load(&files[i], 1, say_fault, NULL);

		sound &= policy != NULL;
		if (policy && !quiet)
			printf("%s: sound\n", files[i]);
		policy_free(policy);
	}
	return sound;
}

/* All of them laid over one another: what is probably a mistake. */
static int check_merged(const struct options *o, const char *const *files,
			size_t count)
{
	struct policy *policy = policy_load(files, count, say_fault, NULL);
	struct tools tools = {.count = 0};
	int warnings = 0, status = CHECK_SOUND;

	if (!policy)
		return CHECK_UNSOUND;
	for (size_t i = 0; i < count; i++)
		warnings += warn_writable(o, files[i]);
	warnings += policy_warn(policy, say_warning, (void *)o);
	if (o->tools && !read_tools(&tools, o->tools)) {
		status = CHECK_UNSOUND;
	} else if (o->tools) {
		warnings += policy_unused(policy, tools.names, tools.count,
					  say_warning, (void *)o);
		print_table(policy, &tools);
	}
	free(tools.text);
	free(tools.names);
	if (o->print)
		print_policy(policy);
	else if (count == 1)
		printf("%s: sound%s\n", files[0],
		       warnings > 0 ? ", with warnings" : "");
	policy_free(policy);
	return status == CHECK_SOUND && warnings > 0 && o->strict ? CHECK_WARNED
								  : status;
}

int check_run(const struct options *o)
{
	const char *const *files = (const char *const *)o->rest;
	size_t count = 0;

	while (files[count])
		count++;
	if (count > 1 && !check_files(files, count, o->print))
		return CHECK_UNSOUND;
	return check_merged(o, files, count);
}
