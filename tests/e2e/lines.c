/* Command lines.  The contract is in lines.h. */
#include "lines.h"

#include <stdlib.h>
#include <unistd.h>

const char *fill(const char *pattern)
{
	static const char signs[] = "@#^";
	const char *const names[] = {path(""), weir, server};
	struct bytes b = {.ptr = NULL};

	append_text(&b, "");
	for (; *pattern; pattern++) {
		const char *at = strchr(signs, *pattern);
		char *full = at ? realpath(names[at - signs], NULL) : NULL;

		append(&b, full ? full : pattern, full ? strlen(full) : 1);
		free(full);
	}
	return b.ptr;
}

static void enter(void)
{
	check_equal(chdir(path("")), 0);
}

struct proc *run_line(const char *words)
{
	const char *env[8] = {fill("HOME=@"), fill("APPDATA=@/Roaming")};
	const char *argv[32] = {fill("#")};
	struct how how = {.env = env, .prepare = enter};
	char *at = (char *)text("%s", fill(words));
	size_t vars = 2, count = 1;
	struct proc *p;

	in_case(words);
	while (*at && count < COUNT(argv) - 1 && vars < COUNT(env) - 1) {
		bool quoted = *at == '\'';
		const char *word = at += quoted;

		at += strcspn(at, quoted ? "'" : " ");
		if (*at)
			*at++ = '\0';
		at += quoted && *at == ' ';
		if (count == 1 && *word != '-' && strchr(word, '='))
			env[vars++] = word;
		else
			argv[count++] = word;
	}
	p = proc_start_how(argv, &how);
	proc_close_in(p);
	return p;
}

const char *run_to(const char *words, int status)
{
	struct proc *p = run_line(words);

	check_status(p, status);
	return p->said.ptr;
}

static void check_part(const char *what, const char *got, const char *want)
{
	if (want && *want)
		check_has(got, fill(want));
	else if (want)
		check_text(what, got, "");
}

struct proc *check_row(const struct line_row *row)
{
	struct proc *p = run_line(row->words);

	check_status(p, row->status);
	check_part("stdout", p->said.ptr, row->said);
	check_part("stderr", p->told.ptr, row->told);
	return p;
}

void check_rows(const struct line_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i]);
	in_case(NULL);
}
