/* Regular expressions at work.  The contract is in regex.h. */
#include "regex_internal.h"

#include <string.h>

/* The threads at one place of the subject. */
struct threads {
	uint16_t *at; /* the instructions where they stand, no two the same */
	size_t count; /* of them */
	bool *seen;   /* of each instruction: is it in at? */
};

_Static_assert(REGEX_SIZE_MAX <= UINT16_MAX, "at holds an instruction");

static void lay_out(size_t size, void *scratch, struct threads t[2])
{
	uint16_t *at = scratch;
	bool *seen = (bool *)(at + 2 * size);

	memset(seen, 0, 2 * size * sizeof(*seen));
	t[0] = (struct threads){.at = at, .seen = seen};
	t[1] = (struct threads){.at = at + size, .seen = seen + size};
}

static inline void add_thread(struct threads *t, size_t at)
{
	if (t->seen[at])
		return;
	t->seen[at] = true;
	t->at[t->count++] = (uint16_t)at;
}

/* Costs what is in use, however large the program is. */
static void clear_threads(struct threads *t)
{
	for (size_t i = 0; i < t->count; i++)
		t->seen[t->at[i]] = false;
	t->count = 0;
}

bool set_has(const struct set *set, const int32_t *bounds, int32_t c)
{
	size_t low = set->first, high = low + set->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (bounds[middle] <= c)
			low = middle + 1;
		else
			high = middle;
	}
	return (low - set->first) % 2 != set->negated;
}

static inline bool takes(const struct regex *re, const struct inst *in,
			 int32_t c)
{
	const struct set *set;

	switch (in->op) {
	case TAKE_POINT:
		return c == in->arg;
	case TAKE_FOLDED:
		return text_fold(c) == in->arg;
	case TAKE_ANY:
		return c >= 0 && c != '\n';
	default:
		set = &re->sets[in->arg];
		if (c < 0x80)
			return c >= 0 && has_bit(set->ascii, c);
		return set_has(set, re->bounds, c);
	}
}

/* The threads of now go on as far as they can at a place that is all of place;
 * where c leads them is added to then.  True: one of them is at a match. */
static bool step(const struct regex *re, struct threads *now,
		 struct threads *then, unsigned place, int32_t c)
{
	/* Copies, of which the compiler can tell that no store changes them. */
	struct threads from = *now, to = *then;
	bool match = false;

	for (size_t i = 0; i < from.count && !match; i++) {
		size_t at = from.at[i];
		const struct inst *in = &re->code[at];

		switch (in->op) {
		case SPLIT:
			add_thread(&from, at + 1);
			add_thread(&from, at + (size_t)in->arg);
			break;
		case JUMP:
			add_thread(&from, at + (size_t)in->arg);
			break;
		case ASSERT:
			if (place & (unsigned)in->arg)
				add_thread(&from, at + 1);
			break;
		case MATCH:
			match = true;
			break;
		default:
			if (takes(re, in, c))
				add_thread(&to, at + 1);
		}
	}
	*now = from;
	*then = to;
	return match;
}

void regex_note_heads(struct regex *re, void *scratch)
{
	/* Whatever the place turns out to be, other than the begin. */
	const unsigned place = AT_END | AT_EDGE | AT_NO_EDGE;
	struct threads t[2];

	for (int32_t c = 0; c < 0x80; c++) {
		lay_out(re->size, scratch, t);
		add_thread(&t[0], 0);
		re->empty = step(re, &t[0], &t[1], place, c);
		if (re->empty || t[1].count > 0)
			re->heads[c / 64] |= (uint64_t)1 << c % 64;
	}
	for (int32_t c = 0; c < 0x80; c++)
		re->skips[c] = !has_bit(re->heads, c) && c != '\\' && c != '"';
	for (size_t i = 0; i < re->size; i++)
		re->asserts |= re->code[i].op == ASSERT;
	re->floats = re->empty;
	for (size_t i = 0; i < t[0].count; i++)
		re->floats |= re->code[t[0].at[i]].op <= TAKE_SET;
}

/* Can a match that is not at the begin start before c? */
static bool is_head(const struct regex *re, int32_t c)
{
	if (c < 0)
		return re->empty;
	return c < 0x80 ? has_bit(re->heads, c) : re->floats;
}

static bool is_word(int32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/* What the place between these two is; -1 stands for no code point. */
static unsigned place_of(int32_t before, int32_t c)
{
	unsigned place = is_word(before) != is_word(c) ? AT_EDGE : AT_NO_EDGE;

	if (before < 0)
		place |= AT_BEGIN;
	if (c < 0)
		place |= AT_END;
	return place;
}

size_t regex_scratch(const struct regex *re)
{
	return 2 * re->size * (sizeof(uint16_t) + sizeof(bool));
}

/* Past the code points, as they stand, before which no match can start;
 * *before becomes the last of them. */
static void skip_to_head(const struct regex *re, struct text *subject,
			 int32_t *before)
{
	const char *start = subject->ptr, *p = start;

	while (re->skips[(unsigned char)*p])
		p++;
	if (p == start)
		return;
	*before = (unsigned char)p[-1];
	subject->ptr = p;
	subject->len -= (size_t)(p - start);
}

bool regex_match(const struct regex *re, struct text subject, void *scratch)
{
	int32_t before = -1, c = text_next(&subject);
	struct threads t[2], *now = &t[0], *then = &t[1], *used;
	unsigned place = 0;

	lay_out(re->size, scratch, t);
	/* Only to what asserts is the begin another place. */
	if (re->asserts || is_head(re, c))
		add_thread(now, 0);
	for (;;) {
		if (now->count > 0) {
			if (re->asserts)
				place = place_of(before, c);
			if (step(re, now, then, place, c))
				return true;
			clear_threads(now);
		}
		if (c < 0)
			return false;
		before = c;
		if (then->count == 0)
			skip_to_head(re, &subject, &before);
		c = text_next(&subject);
		used = now;
		now = then;
		then = used;
		if (is_head(re, c))
			add_thread(now, 0);
		else if (now->count == 0 && !re->floats)
			return false;
	}
}
