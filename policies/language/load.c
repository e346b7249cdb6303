/*
 * Policy files: JSON text to a compiled policy.
 *
 * The text is read twice.  The project's own strict reader goes first, for
 * json-parser is lenient; json-parser's tree is then checked and compiled in
 * one pass (loader.h).
 */
#include "../../parser/sha256.h"
#include "../host/host.h"
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POINTER_BYTES sizeof(void *)
#define WHY_BYTES     (PATH_MAX + 256) /* of why a file cannot be read */

static void read_version(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	if (!loader_is(v, "1"))
		loader_fault(l, "the string \"1\" was expected");
}

static void read_default(struct loader *l, const json_value *v, void *into)
{
	static const enum action actions[] = {ACTION_ALLOW, ACTION_DENY,
					      ACTION_HIDE};
	struct policy *p = l->policy;
	enum action fallback = ACTION_ALLOW;
	int i;

	(void)into;
	if (loader_is(v, "require_approval")) {
		loader_fault(l,
			     "no default asks a person: write \"default\": "
			     "\"allow\" and \"all_tools\": {\"action\": "
			     "\"require_approval\"}, and every call is asked "
			     "about");
		return;
	}
	i = loader_choose(l, v, "allow, deny or hide", "default",
			  "allow\0deny\0hide\0");
	if (i >= 0)
		fallback = actions[i];
	p->fallbacks[l->layer - 1] = fallback;
	/* Of two layers, the stricter. */
	if (fallback > p->fallback) {
		p->fallback = fallback;
		p->fallback_location = loader_location(l);
		p->fallback_location.rule = "(default deny)";
	}
}

static const struct loader_key top_keys[] = {
	{"version", read_version},
	{"default", read_default},
	{"tools", rules_read_tools},
	{"hide", rules_read_hide},
	{"description", loader_read_description},
	{"$schema", loader_read_description}, /* for editors */
	{"all_tools", rules_read_all_tools},
	{"prompts", rules_read_prompts},
	{"resources", rules_read_resources},
	{"methods", rules_read_methods},
	{"", NULL},
};

#define TREE_BYTES 65536 /* of a file's tree, at once */

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

	if (foreign_file(l, v) ||
	    !loader_want(l, v, json_object, "a policy, " POLICY_FRAME ","))
		return;
	if (is_fragment(v)) {
		struct shown name =
			loader_show(v->u.object.values[0].name,
				    v->u.object.values[0].name_length);

		loader_fault(
			l,
			"these are the rules of a tool without a policy "
			"around them: put \"%s\" in the place of ... in %s",
			name.text, POLICY_FRAME);
		return;
	}
	seen = loader_object(l, v, top_keys, NULL);
	if (!(seen & 1u))
		loader_fault(l, "\"version\" is missing: a policy is %s",
			     POLICY_FRAME);
	if (!(seen & 2u))
		loader_fault(
			l, "\"default\" is missing: what becomes of the tools "
			   "that no entry names, allow, deny or hide");
}

/* Members of what names something, an upper bound of a section's entries. */
static void count_entries(const json_value *v, size_t counts[POLICY_SECTIONS])
{
	if (v->type != json_object)
		return;
	for (unsigned i = 0; i < v->u.object.length; i++) {
		const json_object_entry *e = &v->u.object.values[i];

		if (e->value->type == json_array) /* hide */
			counts[POLICY_TOOLS] += e->value->u.array.length;
		if (e->value->type != json_object)
			continue;
		for (int k = 0; k < POLICY_SECTIONS; k++)
			if (strcmp(e->name, policy_sections[k].key) == 0)
				counts[k] += e->value->u.object.length;
	}
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

	while (p < r->end) {
		if (*p != '"') {
			p++;
			continue;
		}
		p = scan_string(r, p, &text);
		if (text.flags & (TEXT_NUL | TEXT_LONE))
			scan_refuse(r, text.ptr,
				    "\\u0000 or an unpaired surrogate");
		if (has_far_escape(text))
			scan_refuse(r, text.ptr,
				    "an escape past U+1FFFF: write the "
				    "character itself");
	}
}

/* Is the text strict JSON? */
static bool check_text(struct loader *l)
{
	struct scan r = l->text;
	const char *p, *start = scan_space(&r, r.begin);

	p = scan_value(&r, start);
	if (p && scan_end(&r, p))
		check_strings(&r);
	if (!r.fault.reason) {
		l->at = start;
		return true;
	}
	foreign_text(l, &r);
	return false;
}

/* json-parser takes a block for each value and frees each: here they come from
 * an arena, which is zeroed, and go with it. */
static void *take_block(size_t len, int zero, void *arena)
{
	(void)zero;
	return arena_take(arena, len);
}

static void leave_block(void *block, void *arena)
{
	(void)block;
	(void)arena;
}

/* A file's tree, which lives as long as the arena, or NULL after a fault. */
static json_value *parse(struct loader *l, struct arena *arena)
{
	json_settings settings = {.mem_alloc = take_block,
				  .mem_free = leave_block,
				  .user_data = arena};
	char error[json_error_max + 128] = "";
	json_value *tree;

	if (!check_text(l))
		return NULL;
	tree = json_parse_ex(&settings, l->text.begin,
			     (size_t)(l->text.end - l->text.begin), error);
	/* Valid, but more than json-parser reads, or than there is memory. */
	if (!tree)
		loader_fault(l, "json-parser cannot read it: %s", error);
	return tree;
}

static void begin_file(struct loader *l, const struct policy_source *source)
{
	l->layer++;
	scan_begin(&l->text, source->text, source->len);
	l->over = NULL;
	l->text.lines = true;
	l->at = l->counted = l->line = source->text;
	l->lines = 1;
	l->file = source->name;
	l->file = loader_keep_escaped(l, source->name, strlen(source->name));
}

static void note_rules(struct policy *p, struct rules *r)
{
	const bool asks = rules_ask(r);

	p->asking |= asks;
	p->rules_most +=
		asks ||
		r->require.count + r->deny_if.count + r->limit_count > 0;
	r->told = r->reason;
	if (!r->reason)
		r->reason = "the policy does not allow it";
}

/* What all entries say of the names that are spelled. */
static bool resolve(struct policy *p)
{
	const struct rules **list;
	bool done = true;

	list = calloc(p->rules_most + 1, POINTER_BYTES);
	for (struct rules *r = p->first; list && done && r; r = r->following) {
		const struct rules **kept;
		struct subject s = {.section = r->section,
				    .name = r->entry.name,
				    .len = r->entry.len};

		if (r->entry.glob)
			continue;
		match_walk(p, &s, list, &r->known);
		kept = arena_take(&p->arena, r->known.count * POINTER_BYTES);
		done = kept != NULL;
		if (done && r->known.count > 0)
			memcpy(kept, list, r->known.count * POINTER_BYTES);
		r->known.rules = kept;
		for (size_t i = 0; i < r->known.count; i++)
			((struct rules *)list[i])->spelled |=
				!refuses(r->action);
	}
	done &= list != NULL;
	free(list);
	return done;
}

/* What judging needs, so that it never allocates. */
static bool make_memory(struct policy *p)
{
	p->matches = calloc(2 * p->rules_most + 1, POINTER_BYTES);
	p->memory = malloc(CONDITION_TEXT_ROOM + p->scratch);
	return p->matches && p->memory;
}

/* What the rules can do, once all of them are there. */
static void finish(struct loader *l, struct policy *p)
{
	p->hides[POLICY_TOOLS] =
		p->fallback == ACTION_HIDE ||
		(p->all_tools && p->all_tools->action == ACTION_HIDE);
	for (struct rules *r = p->first; r; r = r->following) {
		p->hides[r->section] |= r->action == ACTION_HIDE;
		note_rules(p, r);
	}
	if (p->all_tools)
		note_rules(p, p->all_tools);
	if (l->faults == 0)
		limits_finish(l);
	if (l->faults == 0 && (!resolve(p) || !make_memory(p)))
		loader_fault(l, "out of memory");
}

/* All files are parsed first: how many entries there are, makes the tables. */
static void compile(struct loader *l, const struct policy_source *sources,
		    size_t count)
{
	json_value **trees = calloc(count + 1, sizeof(json_value *));
	struct arena arena = {.least = TREE_BYTES};
	size_t counts[POLICY_SECTIONS] = {0};
	bool tables = true;

	for (size_t i = 0; trees && i < count; i++) {
		begin_file(l, &sources[i]);
		trees[i] = parse(l, &arena);
		if (trees[i])
			count_entries(trees[i], counts);
	}
	for (int i = 0; i < POLICY_SECTIONS; i++)
		tables &= arena_names(&l->policy->arena, &l->policy->names[i],
				      counts[i]);
	if (!trees || !tables)
		loader_fault(l, "out of memory");
	l->layer = 0;
	l->policy->shared = loader_take(l, count * sizeof(char *));
	l->policy->fallbacks =
		loader_take(l, count * sizeof(*l->policy->fallbacks));
	for (size_t i = 0; trees && i < count; i++) {
		begin_file(l, &sources[i]);
		if (sources[i].shared && l->policy->shared)
			l->policy->shared[l->policy->shared_count++] = l->file;
		l->at = scan_space(&l->text, l->at);
		if (trees[i] && tables && l->policy->fallbacks)
			read_top(l, trees[i]);
	}
	arena_free(&arena);
	free(trees);
	finish(l, l->policy);
}

/* With a policy that is empty yet.  False: out of memory, reported. */
static bool begin(struct loader *l, policy_report *report, void *context)
{
	*l = (struct loader){.report = report, .context = context};
	l->file = l->at = l->counted = l->line = "policy";
	l->pointer = (struct strbuf){.ptr = l->pointer_bytes,
				     .cap = LOADER_POINTER_BYTES};
	l->policy = calloc(1, sizeof(*l->policy));
	if (!l->policy)
		report(context, "out of memory");
	return l->policy;
}

/* The policy, or NULL after faults. */
static struct policy *end(struct loader *l)
{
	if (l->faults == 0)
		return l->policy;
	policy_free(l->policy);
	return NULL;
}

/* Of one file its SHA-256, as sha256sum prints it; of several, that of theirs.
 */
static void digest(const struct policy_source *sources, size_t count,
		   unsigned char of[POLICY_DIGEST_BYTES])
{
	struct sha256 all, one;

	sha256_begin(&all);
	for (size_t i = 0; i < count; i++) {
		sha256_begin(&one);
		sha256_add(&one, sources[i].text, sources[i].len);
		sha256_end(&one, of);
		sha256_add(&all, of, POLICY_DIGEST_BYTES);
	}
	if (count > 1)
		sha256_end(&all, of);
}

struct policy *policy_compile(const struct policy_source *sources, size_t count,
			      const struct policy_places *places,
			      policy_report *report, void *context)
{
	struct loader l;

	if (!begin(&l, report, context))
		return NULL;
	digest(sources, count, l.policy->digest);
	l.policy->places = places;
	compile(&l, sources, count);
	return end(&l);
}

struct policy *loader_read_other(const struct policy_source *source,
				 loader_read *read, void *into,
				 policy_report *report, void *context)
{
	struct arena arena = {.least = TREE_BYTES};
	const json_value *tree;
	struct loader l;

	if (!begin(&l, report, context))
		return NULL;
	begin_file(&l, source);
	tree = parse(&l, &arena);
	if (tree) {
		l.at = scan_space(&l.text, l.text.begin);
		read(&l, tree, into);
	}
	arena_free(&arena);
	return end(&l);
}

/* ---- files ----------------------------------------------------------- */

bool policy_names_descriptor(const char *path)
{
	return strncmp(path, "/dev/fd/", 8) == 0 ||
	       strncmp(path, "/dev/std", 8) == 0 ||
	       strncmp(path, "/proc/", 6) == 0;
}

/* Whoever can write the file decides what is allowed: false, and why, if that
 * is neither root nor this user.  What has no name nobody else can open: a
 * pipe(2), a memfd, a file that was removed. */
static bool is_trusted(int fd, const struct stat *st, char *why)
{
	if (st->st_nlink == 0 ||
	    !(S_ISREG(st->st_mode) || S_ISFIFO(st->st_mode)) ||
	    (S_ISFIFO(st->st_mode) && host_is_pipe(fd)))
		return true;
	if (st->st_mode & S_IWOTH)
		snprintf(why, WHY_BYTES,
			 "everybody may write this file (mode %04o), so it is "
			 "not used: chmod o-w it",
			 st->st_mode & 07777U);
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		snprintf(
			why, WHY_BYTES,
			"this file belongs to another user (uid %u), so it is "
			"not used: chown it to root, or use a copy of your own",
			(unsigned)st->st_uid);
	else
		return true;
	return false;
}

/* Why it cannot be read, and what a path is that nobody has expanded. */
static void say_why(const char *path, int cause, char *why)
{
	char dir[PATH_MAX] = "";

	if (cause == ENOENT && (*path == '~' || strncmp(path, "${", 2) == 0))
		snprintf(why, WHY_BYTES,
			 "%s: %s is not expanded here, so write the whole path",
			 strerror(cause), *path == '~' ? "~" : "${");
	else if (cause == ENOENT && *path != '/' && getcwd(dir, sizeof(dir)))
		snprintf(why, WHY_BYTES, "%s (relative to %s)", strerror(cause),
			 dir);
	else if (cause == EFBIG)
		snprintf(why, WHY_BYTES, "%s: at most %zu MiB are read",
			 strerror(cause), POLICY_FILE_BYTES >> 20);
	else
		snprintf(why, WHY_BYTES, "%s", strerror(cause));
}

/* All that comes from the descriptor; 0, or errno. */
static int read_all(int fd, struct policy_file *f)
{
	const size_t cap = POLICY_FILE_BYTES + 1;
	ssize_t got = 1;

	f->len = 0;
	f->text = malloc(cap + 1);
	while (f->text && got > 0 && f->len < cap) {
		do
			got = read(fd, f->text + f->len, cap - f->len);
		while (got < 0 && errno == EINTR);
		f->len += got > 0 ? (size_t)got : 0;
	}
	if (f->text && got == 0) {
		f->text[f->len] = '\0';
		return 0;
	}
	return f->len == cap ? EFBIG : errno;
}

/* At the start any kind of file may be waited for.  False: why. */
static bool read_file(struct policy_file *f, bool again, char *why)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
				       (again ? O_NONBLOCK : 0));
	struct stat st;
	int cause = 0;
	bool trusted;

	f->text = NULL;
	if (fd < 0 || fstat(fd, &st) != 0) {
		say_why(f->path, errno, why);
		if (fd >= 0)
			close(fd);
		return false;
	}
	f->once = !S_ISREG(st.st_mode) || policy_names_descriptor(f->path);
	f->shared = S_ISREG(st.st_mode) && st.st_mode & S_IWGRP;
	if (again && f->once) {
		snprintf(why, WHY_BYTES, "is no regular file any more");
		close(fd);
		return false;
	}
	trusted = is_trusted(fd, &st, why);
	if (trusted && (cause = read_all(fd, f)) != 0)
		say_why(f->path, cause, why);
	close(fd);
	return trusted && cause == 0;
}

/* One that can be read but once has the text that it had before. */
static bool keep_file(struct policy_file *f, char *why)
{
	char *copy = malloc(f->len + 1);

	if (copy)
		memcpy(copy, f->text, f->len + 1);
	else
		say_why(f->path, ENOMEM, why);
	f->text = copy;
	return copy;
}

void loader_report_file(const char *path, const char *words,
			policy_report *report, void *context)
{
	char line[6 * PATH_MAX + WHY_BYTES]; /* a path may be escaped */

	snprintf(line, sizeof(line), "%.*s: %s", 6 * PATH_MAX - 4, path, words);
	report(context, line);
}

bool loader_file(struct policy_file *f, bool again, policy_report *report,
		 void *context)
{
	char why[WHY_BYTES];

	if (read_file(f, again, why))
		return true;
	loader_report_file(f->path, why, report, context);
	free(f->text);
	return false;
}

/* Reads the files, which have their paths or are those of a policy, and takes
 * them over. */
static struct policy *load(struct policy_file *files, size_t count, bool again,
			   const struct policy_places *places,
			   policy_report *report, void *context)
{
	struct policy_source *sources = calloc(count + 1, sizeof(*sources));
	struct policy *policy = NULL;
	bool all = files && sources, read;
	char why[WHY_BYTES];

	if (!all)
		report(context, "out of memory");
	for (size_t i = 0; files && sources && i < count; i++) {
		read = files[i].once ? keep_file(&files[i], why)
				     : read_file(&files[i], again, why);
		if (!read)
			loader_report_file(files[i].path, why, report, context);
		all &= read;
		sources[i] = (struct policy_source){.name = files[i].path,
						    .text = files[i].text,
						    .len = files[i].len,
						    .shared = files[i].shared};
	}
	if (all)
		policy =
			policy_compile(sources, count, places, report, context);
	for (size_t i = 0; files && sources && i < count; i++)
		if (!policy || !files[i].once) {
			free((char *)sources[i].text);
			files[i].text = NULL;
		}
	free(sources);
	if (policy) {
		policy->files = files;
		policy->file_count = count;
	} else {
		free(files);
	}
	return policy;
}

struct policy *policy_load(const char *const *paths, size_t count,
			   const struct policy_places *places,
			   policy_report *report, void *context)
{
	struct policy_file *files = calloc(count + 1, sizeof(*files));

	for (size_t i = 0; files && i < count; i++)
		files[i].path = paths[i];
	return load(files, count, false, places, report, context);
}

struct policy *policy_reload(struct policy *before, policy_report *report,
			     void *context)
{
	struct policy_file *old = before->files, *files;
	size_t count = before->file_count, kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (old[i].once && !old[i].said)
			loader_report_file(
				old[i].path,
				"cannot be read again, so what it said stays",
				report, context);
		old[i].said = old[i].once;
		kept += old[i].once;
	}
	if (kept == count)
		return before;
	files = calloc(count, sizeof(*files));
	if (files)
		memcpy(files, old, count * sizeof(*files));
	return load(files, count, true, before->places, report, context);
}
