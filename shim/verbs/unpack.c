/* Unpacking the manual: RFC 1951.  The contract is in unpack.h. */
#include "unpack.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	LENGTH_MOST = 15, /* bits of a code */
	LITERALS = 288,   /* bytes, the end, and lengths of copies */
	DISTANCES = 32,
	END = 256,
};

/* Kinds of blocks; any other begins with its own codes. */
enum { STORED, FIXED };

struct input {
	const unsigned char *from;
	size_t at; /* in bits */
};

/* Codes in the order of their bits: so many of each length, and their symbols.
 */
struct code {
	unsigned short count[LENGTH_MOST + 1], symbols[LITERALS];
};

static unsigned take_bits(struct input *in, unsigned count)
{
	unsigned value = 0;

	for (unsigned i = 0; i < count; i++, in->at++)
		value |= ((unsigned)in->from[in->at / 8] >> in->at % 8 & 1)
			 << i;
	return value;
}

static unsigned take_symbol(struct input *in, const struct code *code)
{
	/* How far behind the first code of this length, and its symbol. */
	unsigned behind = 0, first = 0;

	for (int length = 1;; length++) {
		behind = 2 * behind + take_bits(in, 1);
		if (behind < code->count[length])
			return code->symbols[first + behind];
		behind -= code->count[length];
		first += code->count[length];
	}
}

/* What a symbol stands for: every so many steps it has one bit more. */
static unsigned take_number(struct input *in, unsigned symbol, unsigned steps)
{
	const unsigned more = symbol < 2 * steps ? 0 : symbol / steps - 1;

	return ((symbol - more * steps) << more) + take_bits(in, more);
}

static void make_code(struct code *code, const unsigned char *lengths,
		      unsigned count)
{
	size_t at = 0;

	*code = (struct code){.count = {0}};
	for (unsigned length = 1; length <= LENGTH_MOST; length++)
		for (unsigned i = 0; i < count; i++)
			if (lengths[i] == length) {
				code->symbols[at++] = (unsigned short)i;
				code->count[length]++;
			}
}

/* The two codes of a block; a third one tells their lengths. */
static void read_codes(struct input *in, bool fixed, struct code *literals,
		       struct code *distances)
{
	static const unsigned char order[] = {16, 17, 18, 0,  8, 7,  9,
					      6,  10, 5,  11, 4, 12, 3,
					      13, 2,  14, 1,  15};
	unsigned char lengths[LITERALS + DISTANCES] = {0}, length = 0;
	const unsigned first = fixed ? LITERALS : take_bits(in, 5) + 257;
	const unsigned all = first + (fixed ? DISTANCES : take_bits(in, 5) + 1);
	const unsigned third = fixed ? 0 : take_bits(in, 4) + 4;
	unsigned at = 0;

	for (; fixed && at < all; at++)
		lengths[at] = at < 144        ? 8
			      : at < END      ? 9
			      : at < 280      ? 7
			      : at < LITERALS ? 8
					      : 5;
	for (unsigned i = 0; i < third; i++)
		lengths[order[i]] = (unsigned char)take_bits(in, 3);
	make_code(literals, lengths, sizeof(order));
	while (at < all) {
		const unsigned symbol = take_symbol(in, literals);
		unsigned times = symbol == 16   ? 3 + take_bits(in, 2)
				 : symbol == 17 ? 3 + take_bits(in, 3)
				 : symbol == 18 ? 11 + take_bits(in, 7)
						: 1;

		/* 16 is what came before, again. */
		if (symbol != 16)
			length = symbol < 16 ? (unsigned char)symbol : 0;
		while (times-- > 0)
			lengths[at++] = length;
	}
	make_code(literals, lengths, first);
	make_code(distances, lengths + first, all - first);
}

void unpack(const unsigned char *from, char *to)
{
	struct input in = {.from = from};
	struct code literals, distances;
	unsigned last, block, symbol, length, back;

	do {
		last = take_bits(&in, 1);
		block = take_bits(&in, 2);
		if (block == STORED) {
			/* From a whole byte on: the length, twice. */
			in.at = (in.at + 7) / 8 * 8;
			length = take_bits(&in, 16);
			in.at += 16;
			for (; length > 0; length--)
				*to++ = (char)take_bits(&in, 8);
			continue;
		}
		read_codes(&in, block == FIXED, &literals, &distances);
		while ((symbol = take_symbol(&in, &literals)) != END) {
			if (symbol < END) {
				*to++ = (char)symbol;
				continue;
			}
			symbol -= END + 1;
			length = symbol == 28 ? 258
					      : 3 + take_number(&in, symbol, 4);
			symbol = take_symbol(&in, &distances);
			back = 1 + take_number(&in, symbol, 2);
			for (; length > 0; length--, to++)
				*to = to[-(ptrdiff_t)back];
		}
	} while (!last);
}
