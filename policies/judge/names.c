/* Entries by name.  The contract is in names.h. */
#include "names.h"

#include <string.h>

/*
 * A hash of the first len bytes of a name, that of a beginning on the way to
 * that of the whole: eight bytes a step, then what is left with its length.
 */
#define HASH_START  0x9E3779B97F4A7C15u
#define HASH_FACTOR 0xD6E8FEB86659FD93u

/* Eight bytes as one number: the first byte is the lowest, on every machine. */
static uint64_t word_at(const char *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static void put_word(char *out, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	memcpy(out, &word, sizeof(word));
}

static uint64_t hash_word(uint64_t state, uint64_t word)
{
	state = (state ^ word) * HASH_FACTOR;
	return state ^ state >> 32;
}

/* The first rest < 8 bytes of the word are the last ones.  The higher bytes of
 * a word reach only the higher bits of its product; hash_word() brings these
 * down, and one more product spreads them. */
static uint32_t hash_end(uint64_t state, uint64_t word, size_t rest)
{
	word &= ((uint64_t)1 << 8 * rest) - 1;
	state = hash_word(state, word | (uint64_t)rest << 56);
	return (uint32_t)(state * HASH_FACTOR >> 32);
}

/* Up to seven bytes, the others 0; none is read that is not the text's. */
static uint64_t short_word(const char *s, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)s[i] << 8 * i;
	return word;
}

/* Of a literal as it is spelled: its length, then eight bytes a step; the last
 * eight may have some of those before them. */
static inline uint32_t hash_name(const char *name, size_t len)
{
	uint64_t state = HASH_START ^ len;

	if (len < 8)
		return hash_end(state, short_word(name, len), len);
	for (size_t at = 0; at + 8 < len; at += 8)
		state = hash_word(state, word_at(name + at));
	state = hash_word(state, word_at(name + len - 8));
	return (uint32_t)(state * HASH_FACTOR >> 32);
}

/* Are they the same len bytes?  In the steps of hash_name(): a call of memcmp()
 * takes longer for a name. */
static bool is_same(const char *a, const char *b, size_t len)
{
	if (len < 8)
		return short_word(a, len) == short_word(b, len);
	for (size_t at = 0; at + 8 < len; at += 8)
		if (word_at(a + at) != word_at(b + at))
			return false;
	return word_at(a + len - 8) == word_at(b + len - 8);
}

static bool is_edge(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7F;
}

/* Takes off what is dropped at both ends. */
static struct text trim(const char *s, size_t len)
{
	while (len > 0 && is_edge(*s)) {
		s++;
		len--;
	}
	while (len > 0 && is_edge(s[len - 1]))
		len--;
	return (struct text){.ptr = s, .len = len};
}

/* Folds any text. */
static size_t fold_text(struct text text, char *out)
{
	size_t used = 0;

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

#define EACH(byte) (0x0101010101010101u * (uint64_t)(byte))

/* Eight bytes of ASCII in lower case. */
static uint64_t fold_word(uint64_t word)
{
	/* No sum goes past its byte: the highest bit is set by what is A or
	 * more, and by what is more than Z. */
	uint64_t a = word + EACH(0x80 - 'A'), z = word + EACH(0x7F - 'Z');

	return word | ((a & ~z & EACH(0x80)) >> 2);
}

size_t name_fold(const char *s, size_t len, char *out)
{
	struct text t = trim(s, len);
	size_t rest = t.len % 8, at = 0;
	uint64_t word, all = 0;

	/* Of ASCII, eight bytes a step. */
	for (; at < t.len - rest; at += 8) {
		all |= word = word_at(t.ptr + at);
		put_word(out + at, fold_word(word));
	}
	/* The last bytes of the last eight, if there are eight. */
	if (at > 0 && rest > 0)
		word = word_at(t.ptr + t.len - 8) >> 8 * (8 - rest);
	else
		word = short_word(t.ptr, rest);
	all |= word;
	put_word(out + at, fold_word(word));
	return (all & EACH(0x80)) ? fold_text(t, out) : t.len;
}

bool name_glob(const char *pattern, size_t pattern_len, const char *name,
	       size_t len)
{
	size_t p = 0, n = 0, star = SIZE_MAX, from = 0;

	while (n < len) {
		if (p < pattern_len && pattern[p] == '*') {
			star = p++;
			from = n;
			if (p == pattern_len)
				return true; /* it takes all the rest */
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
	uint64_t state = HASH_START;
	char last[8] = {0};
	size_t len = 0, at = 0;

	while (len < e->folded_len && !(e->glob && ends_stem(e->folded[len])))
		len++;
	*stem = len;
	for (; len - at >= 8; at += 8)
		state = hash_word(state, word_at(e->folded + at));
	memcpy(last, e->folded + at, len - at);
	return hash_end(state, word_at(last), len - at);
}

static size_t kind_of(char c)
{
	return (unsigned char)c % NAME_KINDS;
}

void names_add(struct names *n, struct entry *e)
{
	struct entry **slot;

	e->hash = hash_stem(e, &e->stem);
	for (size_t i = 0; e->glob && i < NAME_KINDS; i++)
		if (e->stem == 0 || kind_of(e->folded[0]) == i)
			n->stems[i][e->stem / 64] |= (uint64_t)1
						     << e->stem % 64;
	slot = &n->slots[e->hash & n->mask];
	e->next = *slot;
	*slot = e;
	if (e->glob)
		return;
	slot = &n->literals[hash_name(e->name, e->len) & n->mask];
	e->next_literal = *slot;
	*slot = e;
}

const struct entry *names_literal(const struct names *n, const char *name,
				  size_t len)
{
	const struct entry *e = n->literals[hash_name(name, len) & n->mask];

	while (e && !(e->len == len && is_same(e->name, name, len)))
		e = e->next_literal;
	return e;
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

/* Looks for what of the folded name is behind its first skip bytes. */
static void look_for(struct walk *w, size_t skip)
{
	w->folded = w->whole + skip;
	w->folded_len = w->whole_len - skip;
	/* Of nothing, there is a byte that may be anything. */
	w->stems = w->names->stems[kind_of(w->folded[0])];
	w->at = 0;
	w->done = 0;
	w->state = HASH_START;
	w->next = NULL;
	w->alias = 0;
}

void walk_begin(struct walk *w, const struct names *n, const char *name,
		size_t len)
{
	w->names = n;
	w->name = name;
	w->len = len;
	w->whole_len = name_fold(name, len, w->whole);
	look_for(w, 0);
}

size_t name_alias(const char *folded, size_t len)
{
	size_t at = NAME_ALIAS_BYTES;

	if (len <= at || memcmp(folded, "__", 2) != 0 || folded[at - 1] != '_')
		return 0;
	for (size_t i = 2; i < at - 1; i++)
		if (!memchr("0123456789abcdef", folded[i], 16))
			return 0;
	/* White space before the name is dropped as at its begin. */
	while (at < len && is_edge(folded[at]))
		at++;
	return at;
}

void walk_add_alias(struct walk *w)
{
	w->alias = name_alias(w->whole, w->whole_len);
}

/* Does e, found in the slot of the bytes before w->at, cover the name?  Of one
 * hash may be beginnings of several lengths: it counts at that of its stem. */
static bool covers(const struct walk *w, const struct entry *e, bool *exact)
{
	if (e->hash != w->hash || e->stem != w->at - 1)
		return false;
	if (w->folded != w->whole) {
		*exact = false;
		if (!e->glob)
			return e->folded_len == w->folded_len &&
			       memcmp(e->folded, w->folded, e->folded_len) == 0;
		return name_glob(e->folded, e->folded_len, w->folded,
				 w->folded_len) &&
		       !name_glob(e->folded, e->folded_len, w->whole,
				  w->whole_len) &&
		       !name_glob(e->name, e->len, w->name, w->len);
	}
	if (e->glob) {
		*exact = name_glob(e->name, e->len, w->name, w->len);
		return *exact || name_glob(e->folded, e->folded_len, w->folded,
					   w->folded_len);
	}
	*exact = e->len == w->len && memcmp(e->name, w->name, e->len) == 0;
	return *exact || (e->folded_len == w->folded_len &&
			  memcmp(e->folded, w->folded, e->folded_len) == 0);
}

/* The next length from w->at on at which some stem ends, or that of the whole
 * name. */
static size_t next_length(const struct walk *w)
{
	size_t i = w->at / 64, at;
	uint64_t bits = w->stems[i] & UINT64_MAX << w->at % 64;

	while (!bits && 64 * (i + 1) < w->folded_len)
		bits = w->stems[++i];
	if (!bits)
		return w->folded_len;
	at = 64 * i + (size_t)__builtin_ctzll(bits);
	return at < w->folded_len ? at : w->folded_len;
}

/* Goes on to the entries of the next length. */
static void walk_step(struct walk *w)
{
	const size_t len = next_length(w);
	uint64_t state = w->state;
	size_t done = w->done;

	for (; len - done >= 8; done += 8)
		state = hash_word(state, word_at(w->folded + done));
	w->hash = hash_end(state, word_at(w->folded + done), len - done);
	w->next = w->names->slots[w->hash & w->names->mask];
	w->at = len + 1;
	w->state = state;
	w->done = done;
}

const struct entry *walk_on(struct walk *w, bool *exact)
{
	for (;;) {
		const struct entry *e = w->next;

		while (e && !covers(w, e, exact))
			e = e->next;
		if (e) {
			w->next = e->next;
			return e;
		}
		if (w->at <= w->folded_len)
			walk_step(w);
		else if (w->alias)
			look_for(w, w->alias);
		else
			break;
	}
	w->next = NULL;
	return NULL;
}
