/*
 * Policy files: JSON text to a compiled policy.
 *
 * The text is read twice.  The project's own strict reader goes first, for
 * json-parser is lenient; json-parser's tree is then checked and compiled in
 * one pass (loader.h).
 */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_version(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	if (!loader_is(v, "1"))
		loader_fault(l, "the string \"1\" was expected");
}

static void read_description(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	loader_want(l, v, json_string, "a string");
}

static void read_default(struct loader *l, const json_value *v, void *into)
{
	static const char *const words[] = {"allow", "deny", "hide", NULL};
	struct policy *p = l->policy;

	(void)into;
	if (!loader_want(l, v, json_string, "allow, deny or hide"))
		return;
	if (loader_is(v, "allow"))
		p->fallback = ACTION_ALLOW;
	else if (loader_is(v, "deny"))
		p->fallback = ACTION_DENY;
	else if (loader_is(v, "hide"))
		p->fallback = ACTION_HIDE;
	else
		loader_unknown(l, "default", v->u.string.ptr,
			       v->u.string.length, words);
}

static const struct loader_key top_keys[] = {
	{"version", read_version},
	{"default", read_default},
	{"tools", rules_read_tools},
	{"hide", rules_read_hide},
	{"description", read_description},
	{"all_tools", NULL},
	{"prompts", NULL},
	{"resources", NULL},
	{"methods", NULL},
	{NULL, NULL},
};

#define FRAME "{\"version\": \"1\", \"default\": \"deny\", \"tools\": {...}}"

/* Is it {"NAME": {rules}, ...}, what belongs inside "tools"? */
static bool is_fragment(const json_value *v)
{
	bool rules = false;

	for (unsigned i = 0; i < v->u.object.length; i++) {
		const json_object_entry *e = &v->u.object.values[i];

		if (loader_find(top_keys, e) || e->value->type != json_object)
			return false;
		for (unsigned j = 0; j < e->value->u.object.length; j++)
			rules |= rules_have(&e->value->u.object.values[j]);
	}
	return rules;
}

static void read_top(struct loader *l, const json_value *v)
{
	unsigned seen;

	if (!loader_want(l, v, json_object, "a policy, " FRAME ","))
		return;
	if (is_fragment(v)) {
		struct shown name =
			loader_show(v->u.object.values[0].name,
				    v->u.object.values[0].name_length);

		loader_fault(
			l,
			"these are the rules of a tool without a policy "
			"around them: put \"%s\" in the place of ... in " FRAME,
			name.text);
		return;
	}
	seen = loader_object(l, v, top_keys, NULL);
	if (!(seen & 1u))
		loader_fault(l, "\"version\" is missing: a policy is " FRAME);
	if (!(seen & 2u))
		loader_fault(
			l, "\"default\" is missing: what becomes of the tools "
			   "that no entry names, allow, deny or hide");
}

/* Members of all objects, an upper bound of the entries. */
static size_t count_entries(const json_value *v)
{
	size_t count = 0;

	if (v->type != json_object)
		return 0;
	for (unsigned i = 0; i < v->u.object.length; i++) {
		const json_value *member = v->u.object.values[i].value;

		if (member->type == json_object)
			count += member->u.object.length;
		if (member->type == json_array)
			count += member->u.array.length;
	}
	return count;
}

/* Twice as many slots as entries, so that chains stay short. */
static bool make_slots(struct policy *p, size_t entries)
{
	size_t slots = 16;

	while (slots < 2 * entries)
		slots *= 2;
	p->names.mask = (uint32_t)(slots - 1);
	p->names.slots = arena_take(&p->arena, slots * sizeof(struct entry *));
	return p->names.slots != NULL;
}

/* Does an escape name a character past U+1FFFF?  json-parser 1.1 takes it for
 * another character. */
static bool has_far_escape(struct text text)
{
	while (text.flags & TEXT_ESCAPED && text.len > 0) {
		bool escape = *text.ptr == '\\';

		if (text_next(&text) > 0x1FFFF && escape)
			return true;
	}
	return false;
}

/* Every string of the text, which is JSON: what json-parser would read wrongly,
 * or what names nothing that a server could be sent, is in doubt. */
static void check_strings(struct scan *r)
{
	const char *p = r->begin;
	struct text text;

	while (p && p < r->end) {
		if (*p != '"') {
			p++;
			continue;
		}
		p = scan_string(r, p, &text);
		if (p && text.flags & (TEXT_NUL | TEXT_LONE))
			scan_doubt(r, text.ptr,
				   "\\u0000 or an unpaired surrogate");
		if (p && has_far_escape(text))
			scan_doubt(r, text.ptr,
				   "an escape past U+1FFFF: write the "
				   "character itself");
	}
}

/* Is the text strict JSON?  The place of a fault is a line and a column. */
static bool check_text(struct loader *l, const char *text, size_t len)
{
	struct scan r = scan_begin(text, len);
	const char *p, *start;
	size_t line = 1, column = 1;

	r.lines = true;
	start = scan_space(&r, text);
	p = scan_value(&r, start);
	if (p && scan_end(&r, p))
		check_strings(&r);
	if (!r.fault.reason)
		return true;
	for (size_t i = 0; i < r.fault.offset; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	loader_fault(
		l, "line %zu, column %zu: %s%s", line, column, r.fault.reason,
		start < r.end && *start == '"' ? "; a policy is " FRAME : "");
	return false;
}

static void compile(struct loader *l, const char *text, size_t len)
{
	json_settings settings = {0};
	char error[json_error_max + 128] = "";
	json_value *tree;

	if (!check_text(l, text, len))
		return;
	tree = json_parse_ex(&settings, text, len, error);
	if (!tree) {
		/* Valid, but more than json-parser reads, or than there is
		 * memory for. */
		loader_fault(l, "json-parser cannot read it: %s", error);
		return;
	}
	if (make_slots(l->policy, count_entries(tree)))
		read_top(l, tree);
	else
		loader_fault(l, "out of memory");
	json_value_free(tree);
	l->policy->hides = l->policy->fallback == ACTION_HIDE;
	for (const struct rules *r = l->policy->first; r; r = r->following)
		l->policy->hides |= r->action == ACTION_HIDE;
}

struct policy *policy_compile(const char *name, const char *text, size_t len,
			      policy_report *report, void *context)
{
	struct loader l = {.report = report, .context = context};

	l.policy = calloc(1, sizeof(*l.policy));
	if (!l.policy) {
		report(context, "out of memory");
		return NULL;
	}
	l.pointer = (struct out){.ptr = l.pointer_bytes,
				 .cap = LOADER_POINTER_BYTES};
	l.policy->name = name;
	l.policy->name = loader_keep_escaped(&l, name, strlen(name));
	compile(&l, text, len);
	if (l.faults > 0) {
		policy_free(l.policy);
		return NULL;
	}
	return l.policy;
}

/* All of the file, in memory that is the caller's to free; NULL: errno. */
static char *read_file(const char *path, size_t *len)
{
	const size_t cap = POLICY_FILE_BYTES + 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = fd < 0 ? NULL : malloc(cap);
	ssize_t got = text ? 1 : -1;
	int cause;

	for (*len = 0; got > 0 && *len < cap; *len += (size_t)got)
		do
			got = read(fd, text + *len, cap - *len);
		while (got < 0 && errno == EINTR);
	cause = *len == cap ? EFBIG : errno;
	if (fd >= 0)
		close(fd);
	if (got == 0)
		return text;
	free(text);
	errno = cause;
	return NULL;
}

struct policy *policy_load(const char *path, policy_report *report,
			   void *context)
{
	struct policy *policy;
	char *text, line[PATH_MAX + 128];
	size_t len;

	text = read_file(path, &len);
	if (!text) {
		snprintf(line, sizeof(line), "%s: %s", path, strerror(errno));
		report(context, line);
		return NULL;
	}
	policy = policy_compile(path, text, len, report, context);
	free(text);
	return policy;
}

int policy_warn(const struct policy *policy, policy_report *report,
		void *context)
{
	char line[PATH_MAX + 512];

	if (policy->fallback == ACTION_ALLOW)
		return 0;
	for (const struct rules *r = policy->first; r; r = r->following)
		if (r->action == ACTION_ALLOW)
			return 0;
	snprintf(line, sizeof(line),
		 "%s: no tool can be called: \"default\" is \"%s\" and no "
		 "entry allows a tool. Name those to allow under \"tools\" "
		 "(\"NAME\": {}), or set \"default\" to \"allow\" to hold back "
		 "only what the policy names",
		 policy->name,
		 policy->fallback == ACTION_DENY ? "deny" : "hide");
	report(context, line);
	return 1;
}
