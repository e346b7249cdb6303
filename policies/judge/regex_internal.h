/*
 * regex_internal - a compiled pattern, for regex.c, which runs it, and
 * regex_compile.c, which makes it.
 *
 * It is a program for threads: each stands at an instruction, all of them move
 * over the subject together, and two at the same instruction are one.
 */
#ifndef POLICIES_REGEX_INTERNAL_H
#define POLICIES_REGEX_INTERNAL_H

#include "regex.h"

#define POINT_END 0x110000 /* behind the last code point */

enum op {
	TAKE_POINT,  /* takes the code point arg and goes to the next */
	TAKE_FOLDED, /* one that text_fold() makes arg */
	TAKE_ANY,    /* any but a newline */
	TAKE_SET,    /* one in the set of index arg */
	SPLIT,       /* goes to the next, and arg instructions on */
	JUMP,        /* goes arg instructions on */
	ASSERT,      /* goes to the next at a place that is one of arg */
	MATCH,
};

/* What a place between two code points is: two of these at least are not. */
enum {
	AT_BEGIN = 1,
	AT_END = 2,
	AT_EDGE = 4,   /* of a word */
	AT_NO_EDGE = 8 /* of one */
};

struct inst {
	enum op op;
	int32_t arg; /* a distance is relative, so that code can be copied */
};

/* A set of code points.  Its bounds ascend; a code point is in it if those up
 * to the code point are odd in number, or, of a negated set, even. */
struct set {
	uint64_t ascii[2]; /* the same for ASCII, a bit for each */
	size_t first;      /* index of its bounds */
	size_t count;      /* of them */
	bool negated;
};

struct regex {
	const struct inst *code;
	size_t size;           /* instructions */
	const int32_t *bounds; /* of the sets; it and code lie behind them */
	uint64_t heads[2]; /* ASCII on which a match past the begin can start */
	bool skips[256];   /* bytes that stand for themselves, and are none of
			      these; never a quote, which ends each subject */
	bool floats;       /* one can start there at all */
	bool empty;        /* and end there, too */
	bool asserts;      /* some instruction is an ASSERT */
	struct set sets[];
};

static inline bool has_bit(const uint64_t bits[2], int32_t c)
{
	return bits[c / 64] >> c % 64 & 1;
}

/* Is c in the set, by its bounds alone? */
bool set_has(const struct set *set, const int32_t *bounds, int32_t c);

/* Sets heads, floats, empty and asserts of a program that is complete
 * otherwise. */
void regex_note_heads(struct regex *re, void *scratch);

#endif
