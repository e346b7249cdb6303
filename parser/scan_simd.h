/*
 * scan_simd - the inner loops of scan.h, 64 bytes at a time.
 *
 * The kernels give the same results: AVX2 and SSE2 on x86-64, NEON on arm64,
 * and plain C elsewhere, which the others are tested against.  The processor is
 * asked for AVX2 at each call; libgcc keeps the answer.
 *
 * The functions are pure.  string() reads only [begin, end): near the end it
 * reads bytes before p again.  stops() reads whole blocks.
 */
#ifndef PARSER_SCAN_SIMD_H
#define PARSER_SCAN_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SCAN_PLAIN leaves only plain C, to test it on any processor. */
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
	 * p is inside a string, at the start of a character or an escape.
	 * Returns the first byte that starts neither a valid character (Unicode
	 * table 3-7) nor a two-byte escape (RFC 8259 7): a quote, a control
	 * byte, \u, an error, or the end.  Sets *escaped if it skipped an
	 * escape.
	 */
	const char *(*string)(const char *begin, const char *p, const char *end,
			      bool *escaped);

	/* Sets one bit for each byte of the blocks of 64 bytes at p, which is a
	 * multiple of 64: quotes, backslashes, and bytes below a space as
	 * signed numbers, that is control bytes and UTF-8 beyond ASCII. */
	void (*stops)(const char *p, size_t blocks, uint64_t *stops);
};

/* The kernels that this processor can run, best first; then NULL. */
const struct kernel *scan_kernel(size_t index);

/* string() and stops() of the best kernel. */
const char *scan_run(const char *begin, const char *p, const char *end,
		     bool *escaped);
void scan_stops(const char *p, size_t blocks, uint64_t *stops);

/* The last byte c of len at p, as memrchr(), which macOS has not; or NULL. */
const char *scan_last(const char *p, size_t len, char c);

/* Skips one character or two-byte escape; NULL if it is not valid. */
const char *scan_character(const char *p, const char *end);

#endif
