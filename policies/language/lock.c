/* Lock files.  The contract is in lock.h. */
#include "../lock.h"

#include "loader.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN "write it again with weir scan --write-lock FILE -- COMMAND"
#define FORM                                                                   \
	"{\"lock\": \"1\", \"tools\": {\"NAME\": {\"sha256\": ..., "           \
	"\"definition\": ...}}}"

static void read_hash(struct loader *l, const json_value *v, void *into)
{
	static const char digits[] = "0123456789abcdef";
	struct locked *t = into;
	const char *hex = v->u.string.ptr;

	if (v->type != json_string || v->u.string.length != SHA256_HEX ||
	    strspn(hex, digits) != SHA256_HEX) {
		loader_fault(l,
			     "a string of %d hexadecimal digits, in small "
			     "letters, was expected",
			     SHA256_HEX);
		return;
	}
	for (size_t i = 0; i < SHA256_BYTES; i++, hex += 2)
		t->digest[i] =
			(unsigned char)((strchr(digits, hex[0]) - digits) << 4 |
					(strchr(digits, hex[1]) - digits));
}

static void read_definition(struct loader *l, const json_value *v, void *into)
{
	if (loader_want(l, v, json_object, "what tools/list says of the tool,"))
		((struct locked *)into)->definition = loader_span(l);
}

static void read_tool(struct loader *l, const json_object_entry *e, void *into)
{
	static const struct loader_key keys[] = {
		{"sha256", read_hash},
		{"definition", read_definition},
		{"", NULL},
	};
	struct lock *lock = into;
	struct locked *t = &lock->tools[lock->count];
	unsigned char digest[SHA256_BYTES];
	const int faults = l->faults;
	char *folded;

	if (e->name_length == 0 || e->name_length > MESSAGE_NAME_BYTES) {
		loader_fault(l, "a name of 1 to %zu bytes was expected",
			     (size_t)MESSAGE_NAME_BYTES);
		return;
	}
	if (!loader_want(l, e->value, json_object, "a tool, " FORM ","))
		return;
	if (loader_object(l, e->value, keys, t) != 3)
		loader_fault(l,
			     "\"sha256\" or \"definition\" is missing: a lock "
			     "is %s",
			     FORM);
	folded = loader_take(l, e->name_length + NAME_FOLD_MORE);
	if (l->faults > faults || !folded)
		return;
	lock_digest(t->definition, digest);
	if (memcmp(digest, t->digest, sizeof(digest)) != 0)
		loader_fault(l, "the definition does not have this SHA-256, so "
				"the file was edited or damaged: " AGAIN);
	t->entry.name = loader_keep_span(l, e->name, e->name_length);
	t->entry.len = e->name_length;
	t->entry.folded = folded;
	t->entry.folded_len = name_fold(e->name, e->name_length, folded);
	if (names_same(&lock->names, &t->entry))
		loader_fault(l, "this tool is there twice");
	names_add(&lock->names, &t->entry);
	lock->count++;
}

static void read_tools(struct loader *l, const json_value *v, void *into)
{
	struct lock *lock = into;
	size_t most;

	if (!loader_want(l, v, json_object, "the tools, " FORM ","))
		return;
	most = v->u.object.length;
	lock->tools = loader_take(l, (most + 1) * sizeof(*lock->tools));
	if (!arena_names(&l->policy->arena, &lock->names, most))
		loader_fault(l, "out of memory");
	else if (lock->tools)
		loader_members(l, v, read_tool, lock);
}

static void read_version(struct loader *l, const json_value *v, void *into)
{
	(void)into;
	if (!loader_is(v, "1"))
		loader_fault(l, "the string \"1\" was expected");
}

static void read_lock(struct loader *l, const json_value *v, void *into)
{
	static const struct loader_key keys[] = {
		{"lock", read_version},
		{"tools", read_tools},
		{"", NULL},
	};

	if (loader_want(l, v, json_object, "a lock, " FORM ",") &&
	    loader_object(l, v, keys, into) != 3)
		loader_fault(l,
			     "\"lock\" or \"tools\" is missing: a lock is %s",
			     FORM);
}

struct lock *lock_read(const struct policy_source *source,
		       policy_report *report, void *context)
{
	struct lock *lock = calloc(1, sizeof(*lock));

	if (!lock) {
		report(context, "out of memory");
		return NULL;
	}
	lock->path = source->name;
	lock->memory =
		loader_read_other(source, read_lock, lock, report, context);
	if (lock->memory)
		return lock;
	free(lock);
	return NULL;
}

static struct lock *load(const char *path, bool again, policy_report *report,
			 void *context)
{
	struct policy_file file = {.path = path};
	struct policy_source source = {.name = path};
	struct lock *lock = NULL;

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		loader_report_file(path,
				   "there is no such lock file: write it with "
				   "weir scan --write-lock FILE -- COMMAND",
				   report, context);
		return NULL;
	}
	if (!loader_file(&file, again, report, context))
		return NULL;
	source.text = file.text;
	source.len = file.len;
	lock = lock_read(&source, report, context);
	if (!lock) {
		free(file.text);
		return NULL;
	}
	lock->text = file.text;
	lock->once = file.once;
	if (file.shared)
		loader_report_file(path, LOADER_SHARED, report, context);
	return lock;
}

struct lock *lock_load(const char *path, policy_report *report, void *context)
{
	return load(path, false, report, context);
}

struct lock *lock_reload(struct lock *before, policy_report *report,
			 void *context)
{
	struct lock *lock;

	if (before->once)
		return before;
	lock = load(before->path, true, report, context);
	for (size_t i = 0; lock && i < lock->count; i++) {
		struct locked *t = &lock->tools[i];
		const struct locked *was =
			(const struct locked *)(const void *)names_same(
				&before->names, &t->entry);

		if (!was)
			continue;
		memcpy(t->seen, was->seen, sizeof(t->seen));
		t->shown = was->shown;
		t->changed = was->changed;
		t->told = was->told;
		/* Locked again: what was shown last decides. */
		if (memcmp(was->digest, t->digest, sizeof(t->digest)) != 0) {
			t->changed = t->shown && memcmp(t->seen, t->digest,
							sizeof(t->seen)) != 0;
			t->told = false;
		}
	}
	return lock;
}

void lock_free(struct lock *lock)
{
	if (!lock)
		return;
	policy_free(lock->memory);
	free(lock->text);
	free(lock);
}
