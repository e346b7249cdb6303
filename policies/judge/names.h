/*
 * names - finds the entries of a policy that match a name.
 *
 * An entry is a literal or a glob: * matches any bytes, ? matches one.  Names
 * are compared folded: case folded as in text.h, without white space and
 * control bytes at either end.  So a name that differs from a hidden one only
 * in these still matches.  Whether the exact spelling matches is returned, too.
 *
 * One hash table has both kinds: literals by their folded name, globs by their
 * stem, the part before the first * or ?.  The cost of a lookup grows with the
 * length of the name and the number of globs that share a stem with it, not
 * with the number of entries.
 */
#ifndef POLICIES_NAMES_H
#define POLICIES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../parser/message.h"

struct entry {
	const char *name; /* as the policy spells it, decoded; len bytes */
	size_t len;
	const char *folded; /* the same, folded */
	size_t folded_len;
	size_t stem; /* bytes of folded that are hashed; by names_add() */
	bool glob;
	uint32_t hash;              /* of the stem; set by names_add() */
	struct entry *next;         /* in the same slot; set by names_add() */
	struct entry *next_literal; /* the same, as it is spelled */
};

#define NAME_KINDS 16 /* what the lowest bits of a byte can be */
struct names {
	/* mask + 1 of each, the caller's, zeroed: by what is folded, all; as
	 * they are spelled, literals. */
	struct entry **slots, **literals;
	uint32_t mask;
	/* Lengths at which some glob's stem ends, a bit each; apart for each
	 * of NAME_KINDS that the stem's first byte is of.  An empty stem is of
	 * all kinds. */
	uint64_t stems[NAME_KINDS][MESSAGE_NAME_BYTES / 64 + 1];
};

/* Folds len bytes at s into out, which lies elsewhere and has room for len +
 * NAME_FOLD_MORE; returns how many there are.  Those after them may be
 * anything. */
#define NAME_FOLD_MORE 8
size_t name_fold(const char *s, size_t len, char *out);

/* Does the pattern, with * and ?, cover all of the name? */
bool name_glob(const char *pattern, size_t pattern_len, const char *name,
	       size_t len);

/* Adds an entry whose name, folded, glob and lengths are set. */
void names_add(struct names *n, struct entry *e);

/* The entry with exactly this name that was added before, or NULL. */
const struct entry *names_same(const struct names *n, const struct entry *e);

/* The literal with exactly this name, or NULL. */
const struct entry *names_literal(const struct names *n, const char *name,
				  size_t len);

/* Iterates over the entries that match a name of at most MESSAGE_NAME_BYTES. */
struct walk {
	const struct names *names;
	const char *name;
	size_t len;
	char whole[MESSAGE_NAME_BYTES + NAME_FOLD_MORE]; /* folded */
	size_t whole_len;
	const char *folded; /* in whole: what is looked for */
	size_t folded_len;
	size_t alias; /* bytes of whole before the name that is walked next; 0
			 for none */
	const uint64_t *stems; /* those of the name's kind */
	size_t at;   /* the next length of a stem, or of the whole, to try */
	size_t done; /* bytes of folded that are in state, a multiple of 8 */
	uint64_t state;
	uint32_t hash;            /* of what was tried last */
	const struct entry *next; /* to look at */
};

void walk_begin(struct walk *w, const struct names *n, const char *name,
		size_t len);

/* Where the tool's name begins in one of FastMCP's apps, which is folded: 0, or
 * behind "__", 12 hexadecimal digits and "_". */
size_t name_alias(const char *folded, size_t len);

/* FastMCP's apps also call a tool NAME by __, 12 hex digits, _NAME.  For such a
 * name, appends the entries that match NAME but not the whole name; none is
 * exact. */
#define NAME_ALIAS_BYTES 15
void walk_add_alias(struct walk *w);

/* The next entry, or NULL.  *exact: it matches the exact spelling. */
const struct entry *walk_on(struct walk *w, bool *exact);
static inline const struct entry *walk_next(struct walk *w, bool *exact)
{
	/* Most names have one entry, the last thing to find. */
	if (!w->next && w->at > w->folded_len && !w->alias)
		return NULL;
	return walk_on(w, exact);
}

#endif
