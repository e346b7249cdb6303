/* What is sound but probably a mistake, and what a policy does to a tool, in
 * words.
 */
#include "lint.h"
#include "loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UNUSED_SAID 5 /* entries that one sentence names */

void lint_warn(struct lint *l, const struct location *location,
	       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	loader_report_at(l->report, l->context, location, format, args);
	va_end(args);
	l->count++;
}

bool lint_covers(const struct entry *e, const struct rules *r)
{
	if (!name_glob(e->folded, e->folded_len, r->entry.folded,
		       r->entry.folded_len))
		return false;
	/* A ? that met a * of the other covers only a part of it. */
	return !memchr(e->name, '?', e->len) ||
	       !memchr(r->entry.name, '*', r->entry.len);
}

/* What the policy says of a method. */
static struct match find_method(const struct policy *policy, const char *name)
{
	struct subject s = {
		.section = POLICY_METHODS, .name = name, .len = strlen(name)};
	struct match room;

	return *match_find(policy, &s, NULL, &room);
}

static void warn_nothing_allowed(struct lint *l)
{
	const struct policy *policy = l->policy;
	struct match calls = find_method(policy, "tools/call");

	/* NOLINTBEGIN(bugprone-branch-clone): in the order of judgement */
	if (refuses(calls.action)) {
		lint_warn(l, &calls.by->location,
			  "no tool can be called: this refuses tools/call");
		return;
	}
	if (policy->all_tools && refuses(policy->all_tools->action)) {
		lint_warn(l, &policy->all_tools->location,
			  "no tool can be called: \"all_tools\" refuses every "
			  "call");
		return;
	}
	if (policy->fallback == ACTION_ALLOW)
		return;
	for (const struct rules *r = policy->first; r; r = r->following)
		if (r->section == POLICY_TOOLS && !refuses(r->action))
			return;
	lint_warn(
		l, &policy->fallback_location, "%s",
		policy->fallback == ACTION_DENY
			? "no tool can be called: \"default\" is \"deny\" and no "
			  "entry allows a tool. Name those to allow under "
			  "\"tools\" (\"NAME\": {}), here or in a policy that "
			  "this one is laid over (-p BASE -p THIS); or set "
			  "\"default\" to \"allow\" to hold back only what the "
			  "policy names"
			: "no tool can be called: \"default\" is \"hide\" and no "
			  "entry allows a tool. Name those to allow under "
			  "\"tools\" (\"NAME\": {})");
}

/* Rules on calls that are never weighed, as the entry refuses them anyway.  One
 * file may well refuse what another one limits. */
static void warn_never_applies(struct lint *l, const struct rules *r)
{
	const struct location *ruled =
		r->require.count > 0      ? &r->require.list->location
		: r->deny_if.count > 0    ? &r->deny_if.list->location
		: r->ask_if.count > 0     ? &r->ask_if.list->location
		: r->ask_unless.count > 0 ? &r->ask_unless.list->location
		: r->limit_count > 0      ? &r->limits->location
					  : NULL;

	if (refuses(r->action) && ruled && ruled->file == r->location.file)
		lint_warn(l, &r->location,
			  "the conditions and limits of this entry can never "
			  "apply: it refuses every call");
}

/* An entry whose calls a stricter entry refuses, which no later file has. */
static void warn_shadowed(struct lint *l, const struct rules *r)
{
	struct subject s = {.section = r->section,
			    .name = r->entry.name,
			    .len = r->entry.len};
	struct match room, f = *match_find(l->policy, &s, NULL, &room);

	if (f.by && f.by != r && refuses(f.action) && f.action > r->action &&
	    f.by->since <= r->layer &&
	    (!r->entry.glob ||
	     (f.by != l->policy->all_tools && lint_covers(&f.by->entry, r))))
		lint_warn(l, &r->place,
			  "this entry has no effect: line %zu of %s, %s, "
			  "refuses every call",
			  f.by->location.line, f.by->location.file,
			  f.by->location.rule);
}

/* A name of more than MESSAGE_NAME_BYTES is covered by no entry. */
void policy_note(struct policy *policy, enum policy_section section,
		 struct text name)
{
	char buf[MESSAGE_NAME_BYTES];
	ptrdiff_t len = name.ptr ? text_decode(name, buf, sizeof(buf)) : -1;
	struct entry *e;
	struct walk w;
	bool exact;

	if (len < 0)
		return;
	walk_begin(&w, &policy->names[section], buf, (size_t)len);
	while ((e = (struct entry *)walk_next(&w, &exact)))
		((struct rules *)e)->used = true;
}

int policy_warn(struct policy *policy, const struct policy_list *list,
		policy_report *report, void *context)
{
	struct lint l = {.policy = policy,
			 .list = list,
			 .report = report,
			 .context = context};
	enum policy_section section;
	struct text name;

	warn_nothing_allowed(&l);
	for (size_t i = 0; i < policy->shared_count; i++, l.count++)
		loader_report_file(policy->shared[i], LOADER_SHARED, report,
				   context);
	for (const struct rules *r = policy->first; r; r = r->following) {
		warn_never_applies(&l, r);
		warn_shadowed(&l, r);
	}
	lint_names(&l);
	lint_conditions(&l);
	lint_limits(&l);
	lint_asks(&l);
	for (size_t i = 0; list && policy_list_item(list, i, &section, &name);
	     i++)
		policy_note(policy, section, name);
	if (list)
		lint_list(&l);
	return l.count;
}

void lint_unused(struct lint *l, enum policy_section section)
{
	const char *what = section == POLICY_TOOLS ? "tool" : "prompt";

	for (const struct rules *r = l->policy->first; r; r = r->following)
		if (r->section == section && !r->used)
			lint_warn(l, &r->place,
				  r->entry.glob
					  ? "this glob covers no %s of the list"
					  : "no %s of the list has this name",
				  what);
}

int policy_unused(const struct policy *policy, policy_report *report,
		  void *context)
{
	struct lint l = {
		.policy = policy, .report = report, .context = context};

	lint_unused(&l, POLICY_TOOLS);
	return l.count;
}

bool policy_say_unused(const struct policy *policy, struct strbuf *out)
{
	size_t entries = 0, unused = 0, said = 0;

	for (const struct rules *r = policy->first; r; r = r->following) {
		entries += r->section == POLICY_TOOLS;
		unused += r->section == POLICY_TOOLS && !r->used;
	}
	if (unused == 0)
		return false;
	if (unused == entries) {
		loader_put(out,
			   "this policy names %zu tool%s, this server has none "
			   "of them: is it the right one?",
			   entries, entries == 1 ? "" : "s");
		return true;
	}
	loader_put(out,
		   "this server has no tool for %zu of the %zu entries of this "
		   "policy: ",
		   unused, entries);
	for (const struct rules *r = policy->first; r; r = r->following) {
		if (r->section != POLICY_TOOLS || r->used)
			continue;
		if (said == UNUSED_SAID) {
			loader_put(out, " and %zu more", unused - said);
			break;
		}
		strbuf_string(out, said++ > 0 ? ", \"" : "\"");
		strbuf_escaped(out, r->entry.name, r->entry.len);
		strbuf_string(out, "\"");
	}
	return true;
}

/* What a terminal would obey, escaped. */
static void put_shown(struct strbuf *out, const char *s, size_t len)
{
	unsigned code;

	for (size_t bytes; len > 0; s += bytes, len -= bytes) {
		bytes = strbuf_obeyed(s, len, &code);
		if (bytes > 0)
			strbuf_escaped(out, s, bytes);
		else
			strbuf_bytes(out, s, bytes = 1);
	}
}

/* When a person is asked: always, or if one of the conditions of ask_if holds.
 */
static void describe_asking(const struct policy *policy,
			    const struct subject *s, struct strbuf *out)
{
	char bytes[POLICY_WHY_BYTES];
	const struct rules *r;
	struct applying a;
	bool exact, any = false;
	struct match room;
	unsigned barred = 0;

	applying_begin(&a, policy, s);
	if (match_find(policy, s, NULL, &room)->action == ACTION_ASK) {
		while ((r = applying_next(&a, &exact)))
			barred |= r->action == ACTION_ASK ? r->barred : 0;
		strbuf_string(out, barred == POLICY_ASK_ALL
					   ? ", nobody can be asked"
					   : ", a person is asked");
		return;
	}
	while ((r = applying_next(&a, &exact)))
		for (size_t i = 0; i < r->ask_if.count + r->ask_unless.count;
		     i++) {
			const bool unless = i >= r->ask_if.count;
			struct strbuf words = {.ptr = bytes,
					       .cap = sizeof(bytes)};

			condition_words(
				unless ? &r->ask_unless
						  .list[i - r->ask_if.count]
				       : &r->ask_if.list[i],
				&words);
			loader_put(out, "%s %s ",
				   any ? " or" : ", a person is asked",
				   unless ? "unless" : "if");
			put_shown(out, words.ptr, words.len);
			any = true;
		}
}

/* The limits that apply to a subject, and whether a person is asked; returns
 * the number of conditions. */
static size_t describe_limits(const struct policy *policy,
			      const struct subject *s, struct strbuf *out)
{
	size_t conditions = 0;
	const struct rules *r;
	struct applying a;
	bool exact;

	applying_begin(&a, policy, s);
	while ((r = applying_next(&a, &exact))) {
		for (size_t i = 0; i < r->limit_count; i++)
			loader_put(out, ", %s", r->limits[i].reason);
		conditions += r->require.count + r->deny_if.count;
	}
	describe_asking(policy, s, out);
	return conditions;
}

static void describe_conditions(size_t count, struct strbuf *out)
{
	if (count > 0)
		loader_put(out, ", on %zu condition%s", count,
			   count == 1 ? "" : "s");
}

static void describe_refusal(const struct match *f, struct strbuf *out)
{
	loader_put(out, "%s, by %s",
		   f->action == ACTION_HIDE ? "hidden" : "denied",
		   f->by ? f->by->location.rule : "default");
}

bool policy_names(const struct policy *policy, enum policy_section section,
		  struct text name)
{
	char plain[MESSAGE_NAME_BYTES];
	ptrdiff_t len = name.ptr ? text_decode(name, plain, sizeof(plain)) : -1;
	struct walk w;
	bool exact;

	if (len < 0)
		return false;
	walk_begin(&w, &policy->names[section], plain, (size_t)len);
	return walk_next(&w, &exact) != NULL;
}

void policy_describe(const struct policy *policy, enum policy_section section,
		     struct text name, struct strbuf *out)
{
	static const struct {
		char call[15], list[15];
	} methods[POLICY_SECTIONS] = {
		[POLICY_TOOLS] = {"tools/call", "tools/list"},
		[POLICY_PROMPTS] = {"prompts/get", "prompts/list"},
		[POLICY_RESOURCES] = {"resources/read", "resources/list"},
		[POLICY_METHODS] = {"", ""}, /* policy_describe_method() */
	};
	const struct subject call = {.section = POLICY_METHODS,
				     .name = methods[section].call,
				     .len = strlen(methods[section].call)};
	char buf[MESSAGE_NAME_BYTES];
	ptrdiff_t len = text_decode(name, buf, sizeof(buf));
	struct subject s = {
		.section = section, .name = buf, .len = (size_t)len};
	struct match room, f,
		calls = find_method(policy, call.name),
		lists = find_method(policy, methods[section].list);

	if (len < 0) {
		strbuf_string(out, "refused, for its name");
		return;
	}
	f = *match_find(policy, &s, NULL, &room);
	if (f.action == ACTION_HIDE) {
		describe_refusal(&f, out);
		return;
	}
	if (refuses(calls.action)) {
		calls.action = ACTION_DENY;
		describe_refusal(&calls, out);
	} else if (f.action == ACTION_DENY && f.by) {
		describe_refusal(&f, out);
	} else if (subject_is_ambiguous(&s, &f)) {
		strbuf_string(out, "refused, for its name: no entry spells it");
	} else if (f.action == ACTION_DENY) {
		describe_refusal(&f, out);
	} else {
		size_t conditions;

		strbuf_string(out, "allowed");
		conditions = describe_limits(policy, &call, out);
		conditions += describe_limits(policy, &s, out);
		describe_conditions(conditions, out);
	}
	/* NOLINTEND(bugprone-branch-clone) */
	if (refuses(lists.action))
		loader_put(out, ", not listed, by %s", lists.by->location.rule);
}

bool policy_describe_method(const struct policy *policy, const char *name,
			    struct strbuf *out)
{
	struct subject s = {
		.section = POLICY_METHODS, .name = name, .len = strlen(name)};
	struct match f = find_method(policy, name);
	struct applying a;
	bool exact;

	applying_begin(&a, policy, &s);
	if (!applying_next(&a, &exact))
		return false;
	if (refuses(f.action)) {
		describe_refusal(&f, out);
		return true;
	}
	strbuf_string(out, "allowed");
	describe_conditions(describe_limits(policy, &s, out), out);
	return true;
}
