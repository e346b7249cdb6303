/* Tools against a lock.  The contract is in lock.h. */
#include "../lock.h"

#include <string.h>

void lock_digest(struct span definition, unsigned char digest[SHA256_BYTES])
{
	const char *p = definition.ptr, *end = p + definition.len, *run = p;
	struct sha256 h;

	sha256_begin(&h);
	while (p < end) {
		if (*p == '"') {
			/* A string; what a backslash escapes does not end it.
			 */
			for (p++; p < end && *p != '"'; p++)
				p += *p == '\\';
			p++;
		} else if (memchr(" \t\n\r", *p, 4)) {
			sha256_add(&h, run, (size_t)(p - run));
			run = ++p;
		} else {
			p++;
		}
	}
	if (run < end)
		sha256_add(&h, run, (size_t)(end - run));
	sha256_end(&h, digest);
}

const char *lock_refuses(const struct lock *lock, const char *name, size_t len)
{
	const struct locked *t;
	bool exact, locked = false;
	struct walk walk;

	walk_begin(&walk, &lock->names, name, len);
	walk_add_alias(&walk);
	while ((t = (const struct locked *)walk_next(&walk, &exact))) {
		/* Servers may take one spelling for the other. */
		if (t->changed)
			return "the definition of this tool has changed since "
			       "it was locked; a person must look at it (weir "
			       "scan --lock FILE --diff)";
		locked |= exact;
	}
	return locked ? NULL
		      : "this tool is not in the lock file; a person must look "
			"at it (weir scan --lock FILE --diff)";
}

static uint32_t told_hash(const char *name, size_t len)
{
	uint32_t hash = 0x811c9dc5; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x01000193;
	return (hash ^ hash >> 16) % LOCK_TOLD;
}

enum lock_news lock_see(struct lock *lock, const char *name, size_t len,
			struct span definition)
{
	struct locked *t =
		(struct locked *)(void *)names_literal(&lock->names, name, len);
	uint64_t bit, *word;

	if (!t) {
		word = &lock->told[told_hash(name, len) / 64];
		bit = (uint64_t)1 << told_hash(name, len) % 64;
		if (*word & bit)
			return LOCK_NO_NEWS;
		*word |= bit;
		return LOCK_UNKNOWN;
	}
	lock_digest(definition, t->seen);
	t->shown = true;
	t->changed |= memcmp(t->seen, t->digest, SHA256_BYTES) != 0;
	if (!t->changed || t->told)
		return LOCK_NO_NEWS;
	t->told = true;
	return LOCK_CHANGED;
}
