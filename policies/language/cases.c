/* Tests for a policy.  The contract is in cases.h. */
#include "../cases.h"

#include "loader.h"

#define FORM                                                                   \
	"{\"call\": \"TOOL\", \"arguments\": {...}, \"expect\": \"refused\"}"

static void read_name(struct loader *l, const json_value *v, const char *what,
		      const char **name)
{
	if (loader_want(l, v, json_string, what))
		*name = loader_keep_escaped(l, v->u.string.ptr,
					    v->u.string.length);
}

static void read_call(struct loader *l, const json_value *v, void *into)
{
	struct policy_case *c = into;

	c->call = true;
	read_name(l, v, "the name of a tool", &c->name);
}

static void read_method(struct loader *l, const json_value *v, void *into)
{
	read_name(l, v, "the name of a method",
		  &((struct policy_case *)into)->name);
}

static void read_rule(struct loader *l, const json_value *v, void *into)
{
	read_name(l, v, "the rule that decides, a string,",
		  &((struct policy_case *)into)->rule);
}

static void read_description(struct loader *l, const json_value *v, void *into)
{
	read_name(l, v, "a string", &((struct policy_case *)into)->description);
}

/* As it stands, but on one line, as a message is: a client may send anything.
 */
static void read_json(struct loader *l, const json_value *v, void *into)
{
	struct span span = loader_span(l);
	char *copy = loader_keep(l, span.ptr, span.len);

	(void)v;
	((struct policy_case *)into)->json = copy;
	for (; *copy; copy++)
		if (*copy == '\n' || *copy == '\r')
			*copy = ' ';
}

const char policy_outcomes[] = "allowed\0ask\0refused\0hidden\0";

#define EXPECTED "allowed, ask, refused or hidden"

static void read_expect(struct loader *l, const json_value *v, void *into)
{
	int i = loader_choose(l, v, EXPECTED, "verdict", policy_outcomes);

	((struct policy_case *)into)->expect =
		i < 0 ? CASE_OUTCOMES : (enum policy_outcome)i;
}

static int64_t read_number(struct loader *l, const json_value *v, int64_t least,
			   int64_t most)
{
	if (v->type == json_integer && v->u.integer >= least &&
	    v->u.integer <= most)
		return v->u.integer;
	loader_fault(l, "a whole number from %lld to %lld was expected",
		     (long long)least, (long long)most);
	return least;
}

static void read_repeat(struct loader *l, const json_value *v, void *into)
{
	((struct policy_case *)into)->repeat =
		read_number(l, v, 1, CASES_REPEAT_MAX);
}

static void read_after(struct loader *l, const json_value *v, void *into)
{
	((struct policy_case *)into)->after =
		read_number(l, v, 0, POLICY_WINDOW_SECONDS) * SECOND;
}

/* The first of the keys, as bits. */
enum { CALL = 1, METHOD = 2, EXPECT = 4, ARGUMENTS = 8, PARAMS = 16 };

static const struct loader_key case_keys[] = {
	{"call", read_call},
	{"method", read_method},
	{"expect", read_expect},
	{"arguments", read_json},
	{"params", read_json},
	{"rule", read_rule},
	{"repeat", read_repeat},
	{"after", read_after},
	{"description", read_description},
	{"", NULL},
};

static void read_case(struct loader *l, const json_value *v, size_t index,
		      void *into)
{
	struct policy_cases *cases = into;
	struct policy_case *c = &cases->list[index];
	unsigned seen;

	*c = (struct policy_case){.line = loader_location(l).line, .repeat = 1};
	if (!loader_want(l, v, json_object, "a test, " FORM ","))
		return;
	seen = loader_object(l, v, case_keys, c);
	if (!(seen & (CALL | METHOD)))
		loader_fault(l,
			     "\"call\" or \"method\" is missing: a test is %s",
			     FORM);
	else if (seen & CALL && seen & METHOD)
		loader_fault(l, "\"call\" names a tool, \"method\" any other "
				"request: a test has one of them");
	else if (seen & CALL && seen & PARAMS)
		loader_fault(l, "a call has \"arguments\", not \"params\"");
	else if (seen & METHOD && seen & ARGUMENTS)
		loader_fault(l, "a method has \"params\", not \"arguments\"");
	if (!(seen & EXPECT))
		loader_fault(l, "\"expect\" is missing: " EXPECTED);
	if (cases->lasts <= CASES_AFTER_SECONDS * SECOND)
		cases->lasts += c->after;
	if (cases->lasts > CASES_AFTER_SECONDS * SECOND && c->after > 0)
		loader_fault(l, "more than %lld seconds of \"after\" in all",
			     (long long)CASES_AFTER_SECONDS);
	if (c->rule && c->expect == CASE_ALLOWED)
		loader_fault(l, "what is allowed has no \"rule\"");
}

static void read_cases(struct loader *l, const json_value *v, void *into)
{
	struct policy_cases *cases = into;

	if (!loader_want(l, v, json_array, "an array of tests, [" FORM "],"))
		return;
	if (v->u.array.length == 0)
		loader_fault(l, "at least one test was expected, [%s]", FORM);
	cases->list =
		loader_take(l, (v->u.array.length + 1) * sizeof(*cases->list));
	if (!cases->list)
		return;
	cases->count = v->u.array.length;
	loader_elements(l, v, read_case, cases);
}

bool policy_cases_read(struct policy_cases *cases,
		       const struct policy_source *source,
		       policy_report *report, void *context)
{
	*cases = (struct policy_cases){.list = NULL};
	cases->memory =
		loader_read_other(source, read_cases, cases, report, context);
	return cases->memory;
}

void policy_cases_free(struct policy_cases *cases)
{
	policy_free(cases->memory);
}
