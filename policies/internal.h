/* internal - what a compiled policy is made of.  For policies/ alone. */
#ifndef POLICIES_INTERNAL_H
#define POLICIES_INTERNAL_H

#include "names.h"
#include "policy.h"

/* From the mildest to the strictest: of all that apply, the last one wins. */
enum action { ACTION_ALLOW, ACTION_DENY, ACTION_HIDE };

/* All text here is escaped for a JSON string, and lives in the arena. */
struct limit {
	uint32_t max;
	int64_t length;     /* of the window, in nanoseconds */
	size_t index;       /* its place in the counters */
	const char *rule;   /* "/tools/NAME/limits/0" */
	const char *reason; /* its on_deny, else "at most 10 calls a minute" */
};

/* What an entry says of the tools that it names; the entry comes first, so
 * that a pointer to it is one to the whole. */
struct rules {
	struct entry entry;
	enum action action;
	const char *rule;   /* that names the action */
	const char *reason; /* that is told when the action refuses */
	struct limit *limits;
	size_t limit_count;
	struct rules *following; /* in the order of the file */
};

/* Memory that is given back all at once. */
struct chunk;
struct arena {
	struct chunk *chunks;
};

/* len zeroed bytes, or NULL. */
void *arena_take(struct arena *a, size_t len);
void arena_free(struct arena *a);

struct policy {
	struct arena arena;
	enum action fallback; /* "default": for tools that no entry names */
	struct names names;
	struct rules *first, *last;
	size_t limit_count;
	bool hides;
	const char *name; /* of the file */
};

#endif
