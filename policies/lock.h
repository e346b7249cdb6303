/*
 * lock - the tools of a server as a person has looked at them.
 *
 *   {"lock": "1",
 *    "tools": {
 *      "read_file": {"sha256": "9f86d0...", "definition": {"name": ...}}}}
 *
 * sha256 is that of the definition's bytes without the white space between its
 * tokens: the order of keys counts, and so does how a character is written ("a"
 * is not "\u0061").  A file whose text has another hash does not load.
 *
 * While a policy has a lock, a tool that the lock does not have is hidden and
 * refused.  One that it has passes until a list shows another definition; from
 * then on it is hidden and refused, in whatever spelling, until it is locked
 * again.  Nothing here allocates after lock_load().
 */
#ifndef POLICIES_LOCK_H
#define POLICIES_LOCK_H

#include "../parser/sha256.h"
#include "judge/names.h"
#include "policy.h"

struct locked {
	struct entry entry; /* its name; comes first */
	unsigned char digest[SHA256_BYTES];
	struct span definition; /* in the lock's text */
	/* The definition that a list has shown last, if one has. */
	unsigned char seen[SHA256_BYTES];
	bool shown;
	bool changed; /* one has shown another than is locked */
	bool told;    /* lock_see() has said so */
};

#define LOCK_TOLD 4096 /* what is told of, of names that the lock has not */
struct lock {
	const char *path; /* the caller's */
	struct locked *tools;
	size_t count;
	struct names names;
	bool once;                     /* no regular file: not read again */
	char *text;                    /* of the file; owned */
	uint64_t told[LOCK_TOLD / 64]; /* a bit for each hash of a name */
	struct policy *memory;         /* of the tools */
};

/* The hash of a definition, which is strict JSON. */
void lock_digest(struct span definition, unsigned char digest[SHA256_BYTES]);

/* Reads a lock from memory, which is to live as long.  NULL: every fault was
 * reported. */
struct lock *lock_read(const struct policy_source *source,
		       policy_report *report, void *context);

/* Reads a lock file, which others than root and this user may not write.  path
 * is to live as long. */
struct lock *lock_load(const char *path, policy_report *report, void *context);

/* Reads it again, and goes on from what lists have shown: a tool that is locked
 * again, as it was shown last, passes.  Returns before itself if the file
 * cannot be read twice; NULL after faults. */
struct lock *lock_reload(struct lock *before, policy_report *report,
			 void *context);
void lock_free(struct lock *lock);

/* The policy judges by this lock, too, which is to live as long; NULL: by none.
 */
void policy_lock(struct policy *policy, struct lock *lock);
bool policy_locked(const struct policy *policy);

/* A list shows a tool.  What is to be told of it: each once. */
enum lock_news {
	LOCK_NO_NEWS,
	LOCK_CHANGED, /* another definition than is locked */
	LOCK_UNKNOWN, /* a name that the lock has not */
};
enum lock_news policy_see(const struct policy *policy, struct text name,
			  struct span definition);

/* Why a tool of this name is refused; NULL: it is not. */
const char *lock_refuses(const struct lock *lock, const char *name, size_t len);

/* For policy_see(): the name decoded, at most MESSAGE_NAME_BYTES. */
enum lock_news lock_see(struct lock *lock, const char *name, size_t len,
			struct span definition);

#endif
