/* Conditions that let a call reach what weir itself relies on. */
#include "lint.h"
#include "loader.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_DEEP 2 /* one group inside another, once */

/* Is the path in one of the directories, as the file system has them? */
static bool contains(const struct condition *c, const char *path,
		     const char **dir)
{
	const struct text text = {.ptr = path, .len = strlen(path)};
	char real[PATH_MAX];

	for (size_t i = 0; c->op == OP_UNDER && i < c->operand_count; i++) {
		*dir = c->operands[i].ptr;
		if (!c->operands[i].uri && realpath(*dir, real) &&
		    path_under(text, real, strlen(real), false) == OUTCOME_YES)
			return true;
	}
	return false;
}

/* Does a condition of deny_if hold for the argument of c if that is the path?
 */
static bool closes(const struct policy *policy,
		   const struct conditions *deny_if, const struct condition *c,
		   const char *path)
{
	char json[6 * PATH_MAX + 16];
	struct strbuf out = {.ptr = json, .cap = sizeof(json)};
	struct step step = {
		.kind = STEP_KEY, .key = "v", .len = 1, .ascii = true};
	struct arguments a;
	struct span value;
	bool closed = false;

	strbuf_string(&out, "{\"v\":\"");
	strbuf_escaped(&out, path, strlen(path));
	strbuf_string(&out, "\"}");
	arguments_read(&a, (struct span){json, out.len});
	for (size_t i = 0; i < deny_if->count; i++) {
		struct condition d = deny_if->list[i];

		if (d.group != GROUP_NONE ||
		    !(d.everywhere || lint_same_path(&d, c)))
			continue;
		d.everywhere = false;
		d.steps = &step;
		d.step_count = 1;
		closed |= condition_test(&d, &a, false, policy->memory,
					 &value) == OUTCOME_YES;
	}
	return closed;
}

/* The first condition of a list that is required, also in groups, that lets the
 * path through; or NULL. */
static const struct condition *find_open(const struct policy *policy,
					 const struct rules *r,
					 const struct conditions *required,
					 const char *path, const char **dir)
{
	const struct conditions *lists[GROUPS_DEEP + 1] = {required};
	size_t at[GROUPS_DEEP + 1] = {0}, deep = 0;

	for (;;) {
		const struct condition *c;

		if (at[deep] == lists[deep]->count) {
			if (deep-- == 0)
				return NULL;
			continue;
		}
		c = &lists[deep]->list[at[deep]++];
		if (c->group != GROUP_NONE) {
			lists[++deep] = &c->members;
			at[deep] = 0;
		} else if (contains(c, path, dir) &&
			   !closes(policy, &r->deny_if, c, path) &&
			   !closes(policy, &r->ask_if, c, path) &&
			   !(policy->all_tools &&
			     closes(policy, &policy->all_tools->deny_if, c,
				    path))) {
			return c;
		}
	}
}

int policy_warn_within(const struct policy *policy,
		       const struct policy_kept *kept, size_t count,
		       policy_report *report, void *context)
{
	struct lint l = {
		.policy = policy, .report = report, .context = context};

	for (size_t i = 0; i < count; i++) {
		const struct condition *c = NULL;
		const struct rules *r = NULL;
		const char *dir;

		while (!c && (r = policy_rules_after(policy, r))) {
			if (r->section != POLICY_TOOLS)
				continue;
			c = find_open(policy, r, &r->require, kept[i].path,
				      &dir);
			if (!c)
				c = find_open(policy, r, &r->ask_unless,
					      kept[i].path, &dir);
		}
		if (c)
			lint_warn(
				&l, &c->location,
				"%s contains %s %s, which a call that writes there can change: keep it elsewhere, or deny it",
				loader_show(dir, strlen(dir)).text,
				kept[i].what, kept[i].path);
	}
	return l.count;
}
