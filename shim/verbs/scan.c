/* weir scan.  The contract is in scan.h. */
#include "scan.h"

#include "../report.h"
#include "classify.h"
#include "jsonc.h"
#include "listing.h"
#include "replace.h"
#include "scan_lock.h"
#include "show.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NAMES_TOLD  5    /* of the tools that no entry can name */
#define GUARDS_TOLD 8    /* of the arguments of one tool */
#define WORDS_BYTES 4096 /* of a description, not escaped */

/* What begins the description of a tool that the server has since the policy
 * was written, or has no longer. */
#define NEW  "(new) "
#define GONE "(gone)"

struct tool {
	char *name;             /* decoded; owned */
	size_t index;           /* in the server's order */
	struct span definition; /* in the listing */
	struct classified is;
	bool kept; /* the policy that is merged has an entry about it */
};

struct asked {
	const struct options *o;
	struct listing listing;
	struct tool *tools; /* owned */
	size_t count;
	size_t unnamed; /* tools that no entry can name */
	size_t added, gone;
};

/* The rule of each class, as it stands in an entry, and in words. */
#define ALLOW                                                                  \
	{                                                                      \
		NULL, "allowed"                                                \
	}
#define HIDE                                                                   \
	{                                                                      \
		"\"action\": \"hide\"", "hidden"                               \
	}
#define ASK                                                                    \
	{                                                                      \
		"\"action\": \"require_approval\"", "a person is asked"        \
	}
#define OFTEN                                                                  \
	{                                                                      \
		"\"rate_limit\": \"30/minute\"", "at most 30 calls a minute"   \
	}
#define SELDOM                                                                 \
	{                                                                      \
		"\"rate_limit\": \"10/minute\"", "at most 10 calls a minute"   \
	}
static const struct class_rule {
	const char *entry, *words;
} rules[PROFILES][CLASSES] = {
	[PROFILE_BALANCED] = {ALLOW, OFTEN, SELDOM, HIDE, HIDE},
	[PROFILE_STRICT] = {ALLOW, HIDE, ASK, HIDE, HIDE},
	[PROFILE_OPEN] = {ALLOW, ALLOW, ALLOW, ASK, ASK},
};

/* ---- tools ----------------------------------------------------------- */

/* Can an entry be about this tool alone, and calls of it be passed on?  What
 * weir check takes for a mistake in a name is none. */
static bool can_be_named(struct text name, const char *plain)
{
	const size_t len = strlen(plain);

	for (const char *p = plain; *p; p++)
		if (iscntrl((unsigned char)*p))
			return false;
	return len > 0 && name.len < MESSAGE_NAME_BYTES &&
	       !(name.flags & (TEXT_NUL | TEXT_LONE)) &&
	       !strpbrk(plain, "*?{}^$|[]()\\+!,") && *plain != '/' &&
	       strncmp(plain, "mcp__", 5) != 0 && (unsigned char)*plain > ' ' &&
	       (unsigned char)plain[len - 1] > ' ';
}

static char *decode_member(struct span object, const char *key)
{
	return jsonc_decode(member_text(jsonc_member(object, key)));
}

static bool is_word(struct span value, const char *word)
{
	return value.ptr && value.len == strlen(word) &&
	       memcmp(value.ptr, word, value.len) == 0;
}

/* False: out of memory. */
static bool read_tool(struct tool *tool)
{
	const struct span hints = jsonc_member(tool->definition, "annotations");
	char *title = decode_member(tool->definition, "title");
	char *other = decode_member(hints, "title");
	char *words = decode_member(tool->definition, "description");
	const bool done = title && other && words;
	unsigned believed = 0;

	if (is_word(jsonc_member(hints, "readOnlyHint"), "false"))
		believed |= HINT_WRITES;
	if (is_word(jsonc_member(hints, "destructiveHint"), "true"))
		believed |= HINT_DESTROYS;
	if (done)
		tool->is = classify(tool->name, *title ? title : other, words,
				    believed);
	free(title);
	free(other);
	free(words);
	return done;
}

static int by_spelling(const void *a, const void *b)
{
	const struct tool *s = a, *t = b;
	const int order = strcasecmp(s->name, t->name);

	return order ? order : strcmp(s->name, t->name);
}

static int by_name(const void *a, const void *b)
{
	const struct tool *s = a, *t = b;
	const int order = by_spelling(a, b);

	return order ? order : s->index < t->index ? -1 : 1;
}

static int by_class(const void *a, const void *b)
{
	const struct tool *s = a, *t = b;

	return s->is.class != t->is.class ? (int)s->is.class - (int)t->is.class
	       : s->index < t->index      ? -1
					  : 1;
}

/* Of names that differ in case only, what forbids one forbids all: they are of
 * one class.  One that is there twice is one tool. */
static void join_equal(struct asked *s)
{
	size_t kept = 0;

	qsort(s->tools, s->count, sizeof(*s->tools), by_name);
	for (size_t i = 0, end; i < s->count; i = end) {
		const size_t first = kept;
		struct classified strictest = s->tools[i].is;

		for (end = i;
		     end < s->count &&
		     strcasecmp(s->tools[end].name, s->tools[i].name) == 0;
		     end++)
			if (s->tools[end].is.class > strictest.class)
				strictest = s->tools[end].is;
		for (size_t n = i; n < end; n++) {
			struct tool tool = s->tools[n];

			tool.is = strictest;
			if (kept > first &&
			    strcmp(s->tools[kept - 1].name, tool.name) == 0)
				free(tool.name);
			else
				s->tools[kept++] = tool;
		}
	}
	s->count = kept;
}

/* The tools of the listing, by their names.  False: reported. */
static bool find_tools(struct asked *s)
{
	const struct listing *l = &s->listing;
	bool good;

	s->tools = calloc(l->count + 1, sizeof(*s->tools));
	good = s->tools != NULL;
	for (size_t i = 0; good && i < l->count; i++) {
		const struct listing_item *item = &l->items[i];
		struct tool *tool = &s->tools[s->count];

		if (item->list != REPLY_TOOLS)
			continue;
		*tool = (struct tool){.name = jsonc_decode(item->name),
				      .index = i,
				      .definition = item->definition};
		good = tool->name != NULL;
		if (good && can_be_named(item->name, tool->name)) {
			s->count++;
			good = read_tool(tool);
		} else if (good) {
			if (s->unnamed++ < NAMES_TOLD)
				report_all(
					"no entry can name this tool alone, so its calls are refused: \"%s\"",
					show(tool->name).text);
			free(tool->name);
		}
	}
	if (good)
		join_equal(s);
	else
		report_all("out of memory");
	if (s->unnamed > NAMES_TOLD)
		report_all("and %zu more", s->unnamed - NAMES_TOLD);
	return good;
}

/* ---- a policy -------------------------------------------------------- */

/* Appends the path of an argument, as conditions have it. */
static void put_path(struct strbuf *o, const char *name, bool each)
{
	const bool plain = name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789_-")] == '\0';

	strbuf_string(o, plain ? "args." : "/");
	for (; *name; name++)
		if (!plain && (*name == '~' || *name == '/'))
			strbuf_string(o, *name == '~' ? "~0" : "~1");
		else
			strbuf_bytes(o, name, 1);
	strbuf_string(o, plain && each ? "[*]" : "");
}

/* Appends which arguments could be guarded, and how.  False: out of memory. */
static bool put_guards(struct strbuf *o, struct span definition)
{
	struct span properties = jsonc_member(
		jsonc_member(definition, "inputSchema"), "properties");
	struct jsonc_item item = {.begin = NULL};
	bool good = true;

	for (int told = 0;
	     good && told < GUARDS_TOLD && jsonc_next(properties, &item);) {
		char *name = jsonc_decode(item.key), *type;
		struct span schema = item.value;
		bool each;
		const struct guard *g;

		type = decode_member(schema, "type");
		each = type && strcmp(type, "array") == 0;
		if (each) {
			free(type);
			type = decode_member(jsonc_member(schema, "items"),
					     "type");
		}
		good = name && type;
		g = good && *name ? classify_argument(name, type) : NULL;
		if (g) {
			const size_t before = o->len;

			strbuf_string(o, ". ");
			strbuf_string(o, name);
			strbuf_string(o, " is ");
			strbuf_string(o, g->what);
			strbuf_string(o, ", to guard with \"require\": "
					 "[{\"path\": \"");
			put_path(o, name, each);
			strbuf_string(o, "\", \"op\": \"");
			strbuf_string(o, g->op);
			strbuf_string(o, "\", \"value\": ");
			strbuf_string(o, g->value);
			strbuf_string(o, "}]");
			if (o->full)
				o->len = before;
			told++;
		}
		free(name);
		free(type);
	}
	return good;
}

/* Writes the entry of a tool, with a mark if there is one.  False: out of
 * memory. */
static bool write_entry(FILE *f, const struct asked *s, const struct tool *tool,
			const char *mark)
{
	const struct class_rule *rule = &rules[s->o->profile][tool->is.class];
	char words[WORDS_BYTES + 1];
	struct strbuf o = {.ptr = words, .cap = WORDS_BYTES};
	bool good;

	strbuf_string(&o, mark);
	strbuf_string(&o, class_names[tool->is.class]);
	strbuf_string(&o, ": ");
	strbuf_string(&o, tool->is.why);
	good = put_guards(&o, tool->definition);
	words[o.len] = '\0';
	fputs("    ", f);
	show_json_to(f, tool->name);
	fputs(": {\n      \"description\": ", f);
	show_json_to(f, words);
	if (rule->entry)
		fprintf(f, ",\n      %s", rule->entry);
	fputs("\n    }", f);
	return good;
}

/* A policy that names every tool.  False: out of memory. */
static bool write_policy(FILE *f, const struct asked *s)
{
	char *server = jsonc_decode(s->listing.server), *words = NULL;
	bool good =
		server && asprintf(&words,
				   "Written by weir scan --profile %s for "
				   "the server %.200s: a draft, to be read "
				   "before it is used. Each description "
				   "says why the tool has its class.",
				   options_profiles[s->o->profile],
				   *server ? server : "(without a name)") > 0;

	if (good) {
		fputs("{\n  \"version\": \"1\",\n  \"description\": ", f);
		show_json_to(f, words);
		fputs(",\n  \"default\": \"deny\",\n  \"tools\": {", f);
		for (size_t i = 0; good && i < s->count; i++) {
			fputs(i > 0 ? ",\n" : "\n", f);
			good = write_entry(f, s, &s->tools[i], "");
		}
		fputs(s->count > 0 ? "\n  }\n}\n" : "}\n}\n", f);
	}
	free(server);
	free(words);
	return good;
}

/* ---- a policy that is there ------------------------------------------ */

/* Puts the mark on an entry that is about nothing any more, or takes marks off.
 * Writes the text from *from on up to where it has changed.  False: out of
 * memory. */
static bool mark_entry(FILE *f, struct asked *s, const char **from,
		       const struct jsonc_item *entry)
{
	const struct text text =
		member_text(jsonc_member(entry->value, "description"));
	const char *put = "", *at = text.ptr;
	struct tool named = {.name = jsonc_decode(entry->key)};
	size_t cut = 0;
	bool gone;

	if (!named.name)
		return false;
	/* A glob, or a name that is never listed by itself, tells nothing. */
	gone = !strpbrk(named.name, "*?") &&
	       !bsearch(&named, s->tools, s->count, sizeof(named), by_spelling);
	free(named.name);
	s->gone += gone;
	if (at && strncmp(at, NEW, strlen(NEW)) == 0)
		cut = strlen(NEW);
	else if (at && strncmp(at, GONE, strlen(GONE)) == 0)
		cut = strlen(GONE) + (at[strlen(GONE)] == ' ');
	if (gone && at) {
		put = text.len > cut ? GONE " " : GONE;
	} else if (gone) {
		at = entry->value.ptr + 1;
		put = *jsonc_space(at) == '}' ? "\"description\": \"" GONE "\""
					      : "\"description\": \"" GONE
						"\", ";
	}
	if (!at)
		return true;
	fwrite(*from, 1, (size_t)(at - *from), f);
	fputs(put, f);
	*from = at + cut;
	return true;
}

/* The policy with its entries as they are, the gone ones marked, and the new
 * ones behind them.  False: out of memory. */
static bool write_merged(FILE *f, struct asked *s, const char *text,
			 struct span root)
{
	const struct span tools = jsonc_member(root, "tools");
	struct jsonc_item item = {.begin = NULL};
	const char *from = text, *at;
	bool good = true, first = true;

	while (good && jsonc_next(tools, &item)) {
		good = mark_entry(f, s, &from, &item);
		first = false;
	}
	/* Behind the last entry; or the last member of all. */
	while (!tools.ptr && jsonc_next(root, &item))
		;
	at = item.value.ptr ? item.value.ptr + item.value.len
	     : tools.ptr    ? tools.ptr + 1
			    : text;
	qsort(s->tools, s->count, sizeof(*s->tools), by_class);
	for (size_t i = 0; good && i < s->count; i++) {
		if (s->tools[i].kept)
			continue;
		if (s->added++ == 0) {
			fwrite(from, 1, (size_t)(at - from), f);
			from = at;
			fputs(!tools.ptr ? ",\n  \"tools\": {\n"
			      : first    ? "\n"
					 : ",\n",
			      f);
		} else {
			fputs(",\n", f);
		}
		good = write_entry(f, s, &s->tools[i], NEW);
	}
	if (s->added > 0 && (first || !tools.ptr))
		fputs(tools.ptr ? "\n  " : "\n  }", f);
	fputs(from, f);
	return good;
}

/* The merged policy.  False: reported. */
static bool merge(FILE *f, struct asked *s)
{
	struct replace old;
	struct jsonc j;
	struct policy *policy = NULL;
	bool good = replace_read(&old, s->o->merge);

	if (good) {
		struct policy_source source = {
			.name = s->o->merge, .text = old.text, .len = old.len};

		policy = policy_compile(&source, 1, &s->o->places, report_line,
					NULL);
		good = policy && jsonc_read(&j, old.text, old.len);
		if (!good)
			report_all("%s: only a policy that loads can be merged",
				   show(s->o->merge).text);
	}
	for (size_t i = 0; good && i < s->count; i++) {
		const char *name = s->tools[i].name;

		s->tools[i].kept =
			policy_names(
				policy, POLICY_TOOLS,
				(struct text){.ptr = name, .len = strlen(name)},
				false) != NULL;
	}
	if (good && !write_merged(f, s, old.text, j.root)) {
		report_all("out of memory");
		good = false;
	}
	policy_free(policy);
	replace_free(&old);
	return good;
}

/* ---- the lists ------------------------------------------------------- */

/* The server's replies, one a line. */
static bool write_list(FILE *f, const struct asked *s)
{
	for (size_t i = 0; i < s->listing.reply_count; i++) {
		show_text(f, STYLE_RAW, s->listing.replies[i],
			  strlen(s->listing.replies[i]));
		putc('\n', f);
	}
	return true;
}

/* ---- the verb -------------------------------------------------------- */

/* False: reported, the file is there and is to stay. */
static bool may_write(const struct options *o)
{
	struct stat st;

	if (!o->output || o->force || lstat(o->output, &st) != 0 ||
	    (o->merge && replace_same(o->output, o->merge)))
		return true;
	report_all(
		"%s exists: use --merge %s to keep what is there, or --force to overwrite it",
		show(o->output).text, show(o->output).text);
	return false;
}

/* False: reported. */
static bool put_out(const struct options *o, const char *text, size_t len)
{
	if (!o->output)
		return fwrite(text, 1, len, stdout) == len;
	return may_write(o) && replace_put(o->output, text, len, NULL, 0, NULL);
}

static void print_summary(const struct asked *s)
{
	const struct options *o = s->o;
	size_t counts[CLASSES] = {0};

	for (size_t i = 0; i < s->count; i++)
		counts[s->tools[i].is.class] += !o->merge || !s->tools[i].kept;
	printf("%s: ", show(o->output).text);
	if (o->merge)
		printf("%zu new tools, %zu gone\n", s->added, s->gone);
	else
		printf("%zu tools, profile %s\n", s->count,
		       options_profiles[o->profile]);
	for (int i = 0; i < CLASSES; i++)
		if (counts[i] > 0)
			printf("  %-12s %5zu  %s\n", class_names[i], counts[i],
			       rules[o->profile][i].words);
	printf("Read it, then put it before the server: weir wrap CONFIG SERVER -p %s\n",
	       show(o->output).text);
}

static bool is_sound(const struct asked *s, const char *text, size_t len)
{
	const struct policy_source source = {
		.name = s->o->output ? s->o->output : "the policy",
		.text = text,
		.len = len};
	struct policy *policy =
		policy_compile(&source, 1, &s->o->places, report_line, NULL);

	policy_free(policy);
	return policy != NULL;
}

int scan_server(const struct options *o, char **command)
{
	struct asked s = {.o = o};
	char *text = NULL;
	size_t len = 0;
	FILE *f = NULL;
	bool good;

	if (o->diff == !o->lock || (o->write_lock && o->lock)) {
		report_all("--diff compares with a lock: --lock FILE --diff; "
			   "--write-lock FILE writes one");
		return SCAN_ERROR;
	}
	if (!may_write(o) || !listing_take(&s.listing, command, o->timeout)) {
		listing_free(&s.listing);
		return SCAN_ERROR;
	}
	if (o->write_lock || o->diff) {
		const int status = scan_lock(o, &s.listing);

		listing_free(&s.listing);
		return status;
	}
	f = open_memstream(&text, &len);
	good = f && (o->list_only || find_tools(&s));
	if (good && o->list_only) {
		good = write_list(f, &s);
	} else if (good && o->merge) {
		good = merge(f, &s);
	} else if (good) {
		qsort(s.tools, s.count, sizeof(*s.tools), by_class);
		good = write_policy(f, &s);
	}
	if (f && fclose(f) != 0)
		good = false;
	if (good && !o->list_only)
		good = is_sound(&s, text, len);
	good = good && put_out(o, text, len);
	if (good && o->output && !o->list_only)
		print_summary(&s);
	for (size_t i = 0; i < s.count; i++)
		free(s.tools[i].name);
	free(s.tools);
	free(text);
	listing_free(&s.listing);
	return good ? SCAN_DONE : SCAN_ERROR;
}

int scan_named(const struct policy *policy, char **command, size_t seconds)
{
	struct listing l;
	int named = -1;

	if (listing_take(&l, command, seconds)) {
		bool any = false;

		named = 0;
		for (size_t i = 0; i < l.count; i++)
			if (l.items[i].list == REPLY_TOOLS) {
				any = true;
				named |= policy_names(policy, POLICY_TOOLS,
						      l.items[i].name,
						      false) != NULL;
			}
		named |= !any;
	}
	listing_free(&l);
	return named;
}
