/* weir check.  The contract is in check.h. */
#include "check.h"

#include "../../policies/policy.h"
#include "../grant.h"
#include "../report.h"
#include "../users.h"
#include "preload_check.h"
#include "replace.h"
#include "show.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_line(void *context, const char *line)
{
	(void)context;
	puts(line);
}

static void print_kind(const char *kind, const char *line)
{
	char *text;
	int len = asprintf(&text, "%s: %s", kind, line);

	if (len < 0) {
		puts(line);
		return;
	}
	report_fold(STDOUT_FILENO, text, (size_t)len);
	puts(text);
	free(text);
}

static void print_error(void *context, const char *line)
{
	(void)context;
	print_kind("error", line);
}

/* On stderr where stdout has the merged policy.  context is the options. */
static void print_warning(void *context, const char *line)
{
	const struct options *o = context;

	if (o->print)
		report_all("warning: %s", line);
	else
		print_kind("warning", line);
}

/* Where "~/" and "./" lead. */
static void print_directory(void *context, const struct location *rule,
			    const char *written, const char *directory)
{
	(void)context;
	if (!written)
		return;
	printf("%s:%zu: %s: ", rule->file, rule->line, rule->rule);
	show_text(stdout, STYLE_JSON, written, strlen(written));
	printf(" is ");
	show_text(stdout, STYLE_JSON, directory, strlen(directory));
	putchar('\n');
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

/* ---- what a server has ----------------------------------------------- */

/* NULL: reported.  *text is what the list points into, the caller's. */
static struct policy_list *read_list(const char *file, char **text)
{
	struct policy_source source = {.name = file};
	struct policy_list *list;
	const char *fault;
	char words[256];

	*text = replace_input(file, &source.len);
	if (!*text)
		return NULL;
	source.text = *text;
	list = policy_list_read(&source);
	fault = list ? policy_list_fault(list, words, sizeof(words))
		     : "out of memory";
	if (!fault)
		return list;
	report("%s: %s", file, fault);
	policy_list_free(list);
	return NULL;
}

static void print_row(const char *section, struct text name,
		      const struct strbuf *words)
{
	char plain[MESSAGE_NAME_BYTES], line[6 * MESSAGE_NAME_BYTES];
	struct strbuf o = {.ptr = line, .cap = sizeof(line)};
	ptrdiff_t len = text_decode(name, plain, sizeof(plain));

	strbuf_string(&o, section);
	if (len < 0)
		strbuf_escaped(&o, name.ptr, name.len < 64 ? name.len : 64);
	else
		strbuf_escaped(&o, plain, (size_t)len);
	printf("%-32.*s %.*s\n", (int)o.len, o.ptr, (int)words->len,
	       words->ptr);
}

/* A row for each tool, prompt and resource of the list, and for each method
 * that the policy has rules for.  False: out of memory, reported. */
static bool print_table(const struct policy *policy,
			const struct policy_list *list)
{
	static const char sections[POLICY_SECTIONS][10] = {
		[POLICY_TOOLS] = "",
		[POLICY_PROMPTS] = "prompt ",
		[POLICY_RESOURCES] = "resource ",
	};
	struct strbuf words = {.ptr = NULL};
	enum policy_section section;
	bool good = make_room(&words), said;
	struct text name;

	for (size_t i = 0; good && policy_list_item(list, i, &section, &name);
	     i++) {
		if (!name.ptr)
			continue;
		words.len = 0;
		policy_describe(policy, section, name, &words);
		if (words.full) {
			good = make_room(&words);
			i--;
		} else {
			print_row(sections[section], name, &words);
		}
	}
	for (int i = 0; good && *policy_word(policy_methods, i); i++) {
		name.ptr = policy_word(policy_methods, i);
		name.len = strlen(name.ptr);
		name.flags = 0;
		words.len = 0;
		said = policy_describe_method(policy, name.ptr, &words);
		if (words.full) {
			good = make_room(&words);
			i--;
		} else if (said) {
			print_row("method ", name, &words);
		}
	}
	free(words.ptr);
	return good;
}

/* ---- who may approve ------------------------------------------------- */

struct approvers {
	const struct options *o;
	int warnings;
};

/* Can it be anybody else than who can say yes anyway?  context is the
 * approvers. */
static void check_approver(void *context, const struct location *rule,
			   const char *by)
{
	struct approvers *a = context;
	char group[PATH_MAX];
	id_t id;

	snprintf(group, sizeof(group), "@%s", by);
	if (!users_find(by, &id))
		a->warnings += warn(
			a->o,
			"%s:%zu: %s: this machine has no %s \"%s\", so only "
			"root can approve this%s",
			rule->file, rule->line, rule->rule,
			*by == '@' ? "group" : "user", by + (*by == '@'),
			users_find(group, &id)
				? ": write \"@\" before a group's name"
				: "");
	else if (users_are_own(by, id) && geteuid() != 0)
		a->warnings += warn(
			a->o,
			"%s:%zu: %s: this user%s %s, so every program of this "
			"user can approve this, an agent's shell too: name "
			"another user",
			rule->file, rule->line, rule->rule,
			*by == '@' ? " is in" : " is", by);
}

/* ---- the verb -------------------------------------------------------- */

/* Returns the number of warnings, or -1: reported. */
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
	struct approvers approvers = {.o = o};
	struct policy_list *list = NULL;
	char *text = NULL;
	int warnings = 0, more = 0;
	bool good = policy;

	if (good && o->tools)
		good = (list = read_list(o->tools, &text)) != NULL;
	if (good) {
		warnings = policy_warn(policy, list, print_warning, (void *)o);
		policy_approvers(policy, check_approver, &approvers);
		warnings += approvers.warnings;
		warnings += grant_warn_within(o, policy, files, count, true,
					      print_warning, (void *)o);
		if (!o->print)
			policy_directories(policy, print_directory, NULL);
		if (count > POLICIES_MAX)
			warnings +=
				warn(o, "%zu files: weir runs with at most %d",
				     count, POLICIES_MAX);
		good = !list || print_table(policy, list);
		if (o->print)
			more = print_policy(o, policy);
		else if (good && count == 1)
			printf("%s: sound%s\n", files[0],
			       warnings > 0 ? ", with warnings" : "");
		if (good && !o->print)
			policy_shared_counters(policy, print_line, NULL);
	}
	policy_list_free(list);
	policy_free(policy);
	free(text);
	if (!good || more < 0)
		return CHECK_UNSOUND;
	return warnings + more > 0 && o->strict ? CHECK_WARNED : CHECK_SOUND;
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
