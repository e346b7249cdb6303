/* All that is sound but probably a mistake, in the order in which it is said;
 * and entries without effect. */
#include "lint.h"
#include "loader.h"

static void warn_nothing_allowed(struct lint *l)
{
	const struct policy *policy = l->policy;
	const struct subject call = {
		.section = POLICY_METHODS, .name = "tools/call", .len = 10};
	struct match room, calls = *match_find(policy, &call, NULL, &room);

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
		r->limit_count > 0 ? &r->limits->location : NULL;

	for (int k = LISTS - 1; k >= REQUIRE; k--)
		if (r->lists[k].count > 0)
			ruled = &r->lists[k].list->location;
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
