/* word - eight bytes of text as one number, for loops that take so many. */
#ifndef PARSER_WORD_H
#define PARSER_WORD_H

#include <stdint.h>
#include <string.h>

/* The first byte is the lowest, on every machine.  s has eight, anywhere. */
static inline uint64_t word_at(const char *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

#endif
