/* fuzz - what the fuzzers share: each file of them is one program. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../parser/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. */
static inline void must(bool ok)
{
	if (!ok)
		abort();
}

/* A copy of its very size and an LF, so that a byte too far is found. */
static inline char *exact(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	must(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\n';
	return copy;
}

/*
 * Is there something in the text, JSON without line ends, that json-parser 1.1
 * reads wrongly, so that there is nothing to compare with?  It cannot read an
 * unpaired surrogate, nor a fraction after more than 18 digits, and takes an
 * escape past U+1FFFF for another character.
 */
static inline bool unfit(const char *ptr, size_t len)
{
	struct scan r;
	struct text text;
	size_t digits = 0;

	for (const char *p = scan_begin(&r, ptr, len); p && p < r.end;) {
		if (*p != '"') {
			digits = *p >= '0' && *p <= '9' ? digits + 1 : 0;
			if (digits > 18)
				return true;
			p++;
			continue;
		}
		p = scan_string(&r, p, &text);
		if (p && text.flags & TEXT_LONE)
			return true;
		while (p && text.flags & TEXT_ESCAPED && text.len > 0)
			if (text_next(&text) > 0x1FFFF)
				return true;
	}
	return false;
}

#endif
