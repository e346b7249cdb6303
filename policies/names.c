/* Entries by name.  The contract is in names.h. */
#include "names.h"

#include <string.h>

#define HASH_START 2166136261u

static uint32_t hash_step(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 16777619u;
}

static bool is_edge(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7F;
}

size_t name_fold(const char *s, size_t len, char *out)
{
	struct text text;
	size_t used = 0;

	while (len > 0 && is_edge(*s)) {
		s++;
		len--;
	}
	while (len > 0 && is_edge(s[len - 1]))
		len--;
	text = (struct text){.ptr = s, .len = len};
	while (text.len > 0) {
		const char *from = text.ptr;
		int32_t c = text_next(&text), folded = text_fold(c);
		size_t bytes = (size_t)(text.ptr - from);

		/* Whatever folds, folds to ASCII. */
		if (folded != c) {
			out[used++] = (char)folded;
			continue;
		}
		memcpy(out + used, from, bytes);
		used += bytes;
	}
	return used;
}

bool name_glob(const char *pattern, size_t pattern_len, const char *name,
	       size_t len)
{
	size_t p = 0, n = 0, star = SIZE_MAX, from = 0;

	while (n < len) {
		if (p < pattern_len && pattern[p] == '*') {
			star = p++;
			from = n;
		} else if (p < pattern_len &&
			   (pattern[p] == '?' || pattern[p] == name[n])) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			/* The last star takes one byte more; no earlier one
			 * needs to, so this is linear in each star. */
			p = star + 1;
			n = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern_len && pattern[p] == '*')
		p++;
	return p == pattern_len;
}

/* Does the stem of a glob end here?  Edges end it too: they may be dropped
 * from a name that the glob covers as it is spelled. */
static bool ends_stem(char c)
{
	return c == '*' || c == '?' || is_edge(c);
}

static uint32_t hash_stem(const struct entry *e, size_t *stem)
{
	uint32_t hash = HASH_START;
	size_t at = 0;

	while (at < e->folded_len && !(e->glob && ends_stem(e->folded[at])))
		hash = hash_step(hash, e->folded[at++]);
	*stem = at;
	return hash;
}

void names_add(struct names *n, struct entry *e)
{
	struct entry **slot;

	e->hash = hash_stem(e, &e->stem);
	if (e->glob)
		n->stems[e->stem / 64] |= (uint64_t)1 << e->stem % 64;
	slot = &n->slots[e->hash & n->mask];
	e->next = *slot;
	*slot = e;
}

const struct entry *names_same(const struct names *n, const struct entry *e)
{
	size_t stem;
	const struct entry *i = n->slots[hash_stem(e, &stem) & n->mask];

	while (i &&
	       !(i->len == e->len && memcmp(i->name, e->name, e->len) == 0))
		i = i->next;
	return i;
}

void walk_begin(struct walk *w, const struct names *n, const char *name,
		size_t len)
{
	w->names = n;
	w->name = name;
	w->len = len;
	w->folded_len = name_fold(name, len, w->folded);
	w->at = 0;
	w->hash = HASH_START;
	w->next = NULL;
	if (n->stems[0] & 1 || w->folded_len == 0)
		w->next = n->slots[HASH_START & n->mask];
}

/* Does e, found in the slot of the first w->at bytes, cover the name? */
static bool covers(const struct walk *w, const struct entry *e, bool *exact)
{
	if (e->hash != w->hash)
		return false;
	if (e->glob) {
		*exact = name_glob(e->name, e->len, w->name, w->len);
		return *exact || name_glob(e->folded, e->folded_len, w->folded,
					   w->folded_len);
	}
	if (e->folded_len != w->folded_len ||
	    memcmp(e->folded, w->folded, e->folded_len) != 0)
		return false;
	*exact = e->len == w->len && memcmp(e->name, w->name, e->len) == 0;
	return true;
}

const struct entry *walk_next(struct walk *w, bool *exact)
{
	for (;;) {
		while (w->next) {
			const struct entry *e = w->next;

			w->next = e->next;
			if (covers(w, e, exact))
				return e;
		}
		if (w->at == w->folded_len)
			return NULL;
		w->hash = hash_step(w->hash, w->folded[w->at++]);
		if (w->at == w->folded_len ||
		    w->names->stems[w->at / 64] >> w->at % 64 & 1)
			w->next = w->names->slots[w->hash & w->names->mask];
	}
}
