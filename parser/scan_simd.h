/*
 * scan_simd - over many bytes of JSON text at once: the inner loops of scan.h.
 *
 * There are several kernels that do the same: AVX2 and SSE2 on x86-64, NEON on
 * arm64, 64 bytes a step; and plain C, which the others are tested against and
 * which is used elsewhere.  AVX2 is taken where the processor has it; that is
 * looked up where libgcc keeps it since the start, and not kept again.
 *
 * Pure functions, begin <= p <= end; no byte outside [begin, end) is touched.
 * Bytes before p may be looked at, so that the last step is as wide as the
 * others.
 */
#ifndef PARSER_SKIP_H
#define PARSER_SKIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With SCAN_PLAIN there is only plain C, so that it can be tested anywhere. */
#if defined(SCAN_PLAIN)
#elif defined(__SSE2__)
#include <immintrin.h>
#define SCAN_SSE2
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__ARM_BIG_ENDIAN)
#include <arm_neon.h>
#define SCAN_NEON
#endif

struct kernel {
	const char *name;

	/*
	 * p is inside a string, at the begin of a character or an escape.
	 * Returns the first byte that is neither a valid character (Unicode,
	 * table 3-7) nor the begin of an escape of two bytes (RFC 8259 7): a
	 * quote, a control byte, \u, what is at fault, or the end.  *escaped
	 * becomes true if an escape was passed over.
	 */
	const char *(*string)(const char *begin, const char *p, const char *end,
			      bool *escaped);

	/* Of 64 bytes times blocks from p on, a bit for each: it is a quote, a
	 * backslash, or below a space as a signed number, as are control bytes
	 * and all of UTF-8 that is not ASCII.  p is a multiple of 64. */
	void (*stops)(const char *p, size_t blocks, uint64_t *stops);
};

/* Those that this processor has, the best one first; NULL ends them. */
const struct kernel *scan_kernel(size_t index);

/* What the best kernel does. */
const char *scan_run(const char *begin, const char *p, const char *end,
		     bool *escaped);

/* One character or escape of two bytes, where one begins; NULL if there is
 * none that is valid. */
const char *scan_character(const char *p, const char *end);

#endif
