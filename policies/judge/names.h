/*
 * names - the entries of a policy, found by a tool's name.
 *
 * An entry names tools by a literal or by a glob, in which * stands for any
 * bytes and ? for one.  It is found under its folded spelling: case folded as
 * scan.h does it, white space and control bytes dropped at both ends; so a
 * name that differs from a hidden one only by these still meets the entry.
 * Whether the name is spelled exactly so is told apart.
 *
 * One hash table holds both kinds: a literal under the whole of its name, a
 * glob under its stem, which is what stands before its first * or ?.  A look-up
 * costs the length of the name, however many entries there are, plus the globs
 * that share a beginning with it.
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
	size_t stem; /* bytes of folded that it is found under; by names_add()
		      */
	bool glob;
	uint32_t hash;      /* of these; set by names_add() */
	struct entry *next; /* in the same slot; set by names_add() */
	uint32_t whole;     /* hash of name; likewise, of a literal */
	struct entry *next_literal;
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

/* Adds the entry, whose name, folded, glob and their lengths are set. */
void names_add(struct names *n, struct entry *e);

/* An entry of this very spelling that was added, or NULL. */
const struct entry *names_same(const struct names *n, const struct entry *e);

/* The literal that is spelled just so, or NULL. */
const struct entry *names_literal(const struct names *n, const char *name,
				  size_t len);

/* A walk over the entries that cover a name of len <= MESSAGE_NAME_BYTES. */
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

/* FastMCP's apps call a tool NAME by __, 12 hex digits, _NAME too: of such a
 * name, the entries come next that cover NAME and not all of it, none exact. */
#define NAME_ALIAS_BYTES 15
void walk_add_alias(struct walk *w);

/* The next entry, or NULL.  *exact: it covers the name as it is spelled. */
const struct entry *walk_on(struct walk *w, bool *exact);
static inline const struct entry *walk_next(struct walk *w, bool *exact)
{
	/* Most names have one entry, the last thing to find. */
	if (!w->next && w->at > w->folded_len && !w->alias)
		return NULL;
	return walk_on(w, exact);
}

#endif
