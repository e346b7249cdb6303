/* Limits that an agent can get around, and counters that several share. */
#include "lint.h"

#include <string.h>

/* Is there a limit without "per", or a require on the path of this one? */
static bool bounds(const struct rules *r, const struct limit *l)
{
	for (size_t i = 0; r && i < r->limit_count; i++)
		if (!r->limits[i].per)
			return true;
	for (size_t i = 0; r && i < r->require.count; i++)
		if (lint_same_path(&r->require.list[i], l->value))
			return true;
	return false;
}

void lint_limits(struct lint *l)
{
	const struct rules *r = NULL;

	while ((r = policy_rules_after(l->policy, r)))
		for (size_t i = 0; i < r->limit_count; i++) {
			const struct limit *limit = &r->limits[i];

			if (limit->value && !bounds(r, limit) &&
			    !bounds(l->policy->all_tools, limit))
				lint_warn(l, &limit->location,
					  "the agent chooses %s, and with it "
					  "what this counts: add a limit "
					  "without \"per\", or a \"require\" "
					  "on that path",
					  limit->per);
		}
}

void policy_shared_counters(const struct policy *policy, policy_report *report,
			    void *context)
{
	char line[4096];

	for (size_t i = 0; i < policy->counter_count; i++) {
		const struct counter *c = policy->counters[i];
		struct strbuf o = {.ptr = line, .cap = sizeof(line) - 5};
		const struct rules *r = NULL;
		size_t count = 0;

		strbuf_string(&o, "counter \"");
		strbuf_string(&o, c->name);
		strbuf_string(&o, "\" is one count for");
		while ((r = policy_rules_after(policy, r)))
			for (size_t k = 0; k < r->limit_count; k++) {
				const struct limit *l = &r->limits[k];

				if (l->count != c || !l->named)
					continue;
				strbuf_string(&o, count++ > 0 ? ", " : " ");
				strbuf_string(&o, l->location.rule);
			}
		/* What did not fit is left out whole. */
		strcpy(line + o.len, o.full ? " ..." : "");
		if (count > 1)
			report(context, line);
	}
}
