/* Locks, written and compared.  The contract is in scan_lock.h. */
#include "scan_lock.h"

#include "../../parser/member.h"
#include "../../policies/lock.h"
#include "../report.h"
#include "edits.h"
#include "replace.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT_MOST 32   /* columns */
#define LOCK_LOOK   64   /* bytes that show what a file is */
#define KEYS_MOST   5000 /* of an object, compared with each other */

/* A tool as it is listed. */
struct tool {
	const struct listing_item *item;
	char name[MESSAGE_NAME_BYTES + 1]; /* decoded */
	size_t len;
	unsigned char digest[SHA256_BYTES];
	const char *fault; /* why it cannot be locked, or NULL */
};

struct tools {
	struct tool *list; /* by name; owned */
	size_t count;
};

/* ---- definitions ----------------------------------------------------- */

/* Writes JSON with each member and element on its own line; but for the
 * white space it is the same text. */
static void lay_out(FILE *f, struct span json, int indent)
{
	const char *p = json.ptr, *end = p + json.len, *start;

	for (; p < end; p++) {
		int by = 0;

		if (strchr(" \t\r\n", *p))
			continue;
		if (strchr("}]", *p))
			by = -2;
		if (strchr("{[", *p)) {
			for (start = p + 1; strchr(" \t\r\n", *start);)
				start++;
			by = strchr("}]", *start) ? 0 : 2;
			if (by == 0) {
				fprintf(f, "%c%c", *p, *start);
				p = start;
				continue;
			}
		}
		indent += by;
		if (by < 0)
			fprintf(f, "\n%*s",
				indent < INDENT_MOST ? indent : INDENT_MOST,
				"");
		start = p;
		if (*p == '"')
			for (p++; *p != '"'; p++)
				p += *p == '\\';
		fwrite(start, 1, (size_t)(p - start) + 1, f);
		if (*p == ':')
			putc(' ', f);
		if (*p == ',' || by > 0)
			fprintf(f, "\n%*s",
				indent < INDENT_MOST ? indent : INDENT_MOST,
				"");
	}
}

/* Has no object of it a key twice?  Readers would differ about it. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool is_clear(struct span json)
{
	struct text few[64] = {{NULL}}, *keys = few, *more, key;
	const bool object = *json.ptr == '{';
	size_t count = 0, room = 64;
	bool clear = true;
	struct span value;
	struct items i;

	member_begin(&i, json, object ? '{' : '[');
	while (clear && member_next(&i, &key, &value)) {
		clear = is_clear(value);
		for (size_t k = 0; clear && k < count; k++)
			clear = !text_equal(keys[k], key);
		if (object && count == room) {
			more = room < KEYS_MOST
				       ? malloc(2 * room * sizeof(*keys))
				       : NULL;
			if (more)
				memcpy(more, keys, room * sizeof(*keys));
			if (keys != few)
				free(keys);
			keys = more;
			room *= 2;
			if (!more)
				return false;
		}
		if (object)
			keys[count++] = key;
	}
	if (keys != few)
		free(keys);
	return clear;
}

/* ---- tools ----------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct tool *s = a, *t = b;
	int order = memcmp(s->name, t->name, s->len < t->len ? s->len : t->len);

	if (order == 0 && s->len != t->len)
		order = s->len < t->len ? -1 : 1;
	if (order == 0)
		order = memcmp(s->digest, t->digest, sizeof(s->digest));
	return order ? order : (s->item > t->item) - (s->item < t->item);
}

static bool same_name(const struct tool *a, const struct tool *b)
{
	return a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

/* The tools of a listing, by name; one that is there twice the same, once.
 * False: out of memory, reported. */
static bool find_tools(const struct listing *l, struct tools *tools)
{
	size_t kept = 0;

	*tools = (struct tools){calloc(l->count + 1, sizeof(*tools->list)), 0};
	for (size_t i = 0; tools->list && i < l->count; i++) {
		const struct listing_item *item = &l->items[i];
		struct tool *t = &tools->list[tools->count];
		ptrdiff_t len = -1;

		if (item->list != REPLY_TOOLS)
			continue;
		tools->count++;
		t->item = item;
		if (item->name.ptr)
			len = text_decode(item->name, t->name,
					  MESSAGE_NAME_BYTES);
		t->len = len > 0 ? (size_t)len : 0;
		lock_digest(item->definition, t->digest);
		if (len <= 0)
			t->fault = "it has no name, two, or one of more than "
				   "1024 bytes";
		else if (!is_clear(item->definition))
			t->fault = "a key is there twice";
	}
	if (!tools->list) {
		report_all("out of memory");
		return false;
	}
	qsort(tools->list, tools->count, sizeof(*tools->list), by_name);
	for (size_t i = 0; i < tools->count; i++) {
		struct tool *t = &tools->list[kept];

		*t = tools->list[i];
		if (kept > 0 && t->len > 0 && same_name(t - 1, t)) {
			if (memcmp(t[-1].digest, t->digest, SHA256_BYTES) == 0)
				continue;
			t->fault = t[-1].fault =
				"two tools of this name differ";
		}
		kept++;
	}
	tools->count = kept;
	return true;
}

/* ---- writing --------------------------------------------------------- */

static void put_entry(FILE *f, const struct tool *t, bool first)
{
	char hex[SHA256_HEX];

	sha256_hex(t->digest, hex);
	fprintf(f, "%s\n    \"", first ? "" : ",");
	fwrite(t->item->name.ptr, 1, t->item->name.len, f);
	fprintf(f, "\": {\n      \"sha256\": \"%.*s\",\n      \"definition\": ",
		SHA256_HEX, hex);
	lay_out(f, t->item->definition, 6);
	fprintf(f, "\n    }");
}

#define BEGIN "{\n  \"lock\": \"1\",\n  \"tools\": {"
#define END   "\n  }\n}\n"

/* Keeps the first fault, without its place. */
static void hear(void *context, const char *line)
{
	char *why = context;
	const char *words = strstr(line, ": ");

	if (!*why)
		snprintf(why, REPORT_LAST, "%s", words ? words + 2 : line);
}

/* Does a lock of these tools load?  Else says why. */
static bool loads(const struct tool *list, size_t count, char *why, char **text,
		  size_t *len)
{
	struct policy_source source = {.name = "lock"};
	struct lock *lock = NULL;
	FILE *f = open_memstream(text, len);

	*why = '\0';
	if (f) {
		fputs(BEGIN, f);
		for (size_t i = 0, put = 0; i < count; i++)
			if (!list[i].fault)
				put_entry(f, &list[i], put++ == 0);
		fputs(END, f);
	}
	if (!f || fclose(f) != 0) {
		hear(why, "out of memory");
	} else if (*len > POLICY_FILE_BYTES) {
		hear(why, "longer than 16 MiB");
	} else {
		source.text = *text;
		source.len = *len;
		lock = lock_read(&source, hear, why);
		lock_free(lock);
	}
	return lock;
}

static int write_lock(const char *file, struct tools *tools)
{
	char why[REPORT_LAST], *text = NULL;
	size_t len = 0, locked = 0;
	bool done;

	for (size_t i = 0; i < tools->count; i++) {
		struct tool *t = &tools->list[i];

		if (!t->fault && !loads(t, 1, why, &text, &len))
			t->fault = why;
		free(text);
		text = NULL;
		locked += !t->fault;
		if (!t->fault)
			continue;
		report_all("not locked, so it will be hidden: tool \"%s\": %s",
			   show(t->name).text, t->fault);
		t->fault = "";
	}
	done = loads(tools->list, tools->count, why, &text, &len);
	if (!done)
		report_all("%s: %s", show(file).text, why);
	/* In place of a lock, however it is laid out; not of a policy, say. */
	done = done &&
	       replace_put(file, text, len, "\"lock\"", LOCK_LOOK, "lock");
	free(text);
	if (!done)
		return 2;
	printf("%s: %zu of %zu tools locked\n", show(file).text, locked,
	       tools->count);
	printf("Read it, then run the server with it: weir --lock %s ...\n",
	       show(file).text);
	return 0;
}

/* ---- comparing ------------------------------------------------------- */

/* A definition laid out; NULL: out of memory. */
static char *laid_out(struct span definition)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f && definition.ptr) {
		lay_out(f, definition, 0);
		putc('\n', f);
	}
	if (f && fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* Prints the lines that differ.  False: reported. */
static bool print_change(const char *what, const char *name, struct span was,
			 struct span is)
{
	char *old = laid_out(was), *new = laid_out(is);
	size_t same = 0, end, len;
	struct edit edit;
	struct edits edits = {.list = &edit, .count = 1};
	bool done = old && new;

	printf("%s: ", what);
	show_plain(name);
	putchar('\n');
	if (done) {
		const size_t old_len = strlen(old), new_len = strlen(new);
		const size_t least = old_len < new_len ? old_len : new_len;

		while (same < least && old[same] == new[same])
			same++;
		while (same > 0 && old[same - 1] != '\n')
			same--;
		for (end = 0; end < least - same &&
			      old[old_len - 1 - end] == new[new_len - 1 - end];)
			end++;
		while (end > 0 && old[old_len - end - 1] != '\n')
			end--;
		len = new_len - end - same;
		edit = (struct edit){
			.at = old + same,
			.cut = old_len - end - same,
			.put = {.ptr = new + same, .len = len, .cap = len}};
		done = edits_print(name, old, &edits);
	} else {
		report_all("out of memory");
	}
	free(old);
	free(new);
	return done;
}

static int print_diff(const char *file, const struct tools *tools)
{
	struct lock *lock = lock_load(file, report_line, NULL);
	size_t changed = 0, added = 0, gone = 0;
	bool done = true;

	if (!lock)
		return 2;
	for (size_t i = 0; done && i < tools->count; i++) {
		const struct tool *t = &tools->list[i];
		struct locked *was = (struct locked *)(void *)names_literal(
			&lock->names, t->name, t->len);
		const struct span now = t->item->definition;

		if (was)
			was->shown = true;
		if (was && memcmp(was->digest, t->digest, SHA256_BYTES) == 0)
			continue;
		changed += was != NULL;
		added += !was;
		done = print_change(was ? "changed" : "new", t->name,
				    was ? was->definition : (struct span){NULL},
				    now);
	}
	for (size_t i = 0; done && i < lock->count; i++) {
		const struct locked *was = &lock->tools[i];

		if (was->shown)
			continue;
		gone++;
		done = print_change("gone", was->entry.name, was->definition,
				    (struct span){NULL});
	}
	if (done && changed + added + gone > 0)
		printf("%s: %zu changed, %zu new, %zu gone, of %zu tools\n"
		       "If that is right: weir scan --write-lock %s -- "
		       "COMMAND\n",
		       show(file).text, changed, added, gone, lock->count,
		       show(file).text);
	else if (done)
		printf("%s: the server has these %zu tools, all as they are "
		       "locked\n",
		       show(file).text, lock->count);
	lock_free(lock);
	return !done ? 2 : changed + added + gone > 0;
}

int scan_lock(const struct options *o, const struct listing *l)
{
	struct tools tools;
	int status = 2;

	if (find_tools(l, &tools))
		status = o->write_lock ? write_lock(o->write_lock, &tools)
				       : print_diff(o->lock, &tools);
	free(tools.list);
	return status;
}
