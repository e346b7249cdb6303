/*
 * skip - over many bytes of JSON text at once: the inner loops of scan.h.
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

/* With SKIP_PLAIN there is only plain C, so that it can be tested anywhere. */
#if defined(SKIP_PLAIN)
#elif defined(__SSE2__)
#include <immintrin.h>
#define SKIP_SSE2
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__ARM_BIG_ENDIAN)
#include <arm_neon.h>
#define SKIP_NEON
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
};

/* Those that this processor has, the best one first; NULL ends them. */
const struct kernel *skip_kernel(size_t index);

/* What the best kernel does. */
const char *skip_string(const char *begin, const char *p, const char *end,
			bool *escaped);

/* One character or escape of two bytes, where one begins; NULL if there is
 * none that is valid. */
const char *skip_character(const char *p, const char *end);

/* ---- in line --------------------------------------------------------- */

#define SKIP_STOPS 64 /* bytes that skip_stops() looks at */

#if defined(SKIP_SSE2)

static inline uint64_t skip_stops16(const char *p)
{
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i stop = _mm_cmplt_epi8(x, _mm_set1_epi8(' '));

	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
	return (uint32_t)_mm_movemask_epi8(stop);
}

#elif defined(SKIP_NEON)

static inline uint64_t skip_stops16(const char *p)
{
	const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128,
				1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t x = vld1q_u8((const uint8_t *)p);
	uint8x16_t stop = vcltq_s8(vreinterpretq_s8_u8(x), vdupq_n_s8(' '));

	stop = vorrq_u8(stop, vceqq_u8(x, vdupq_n_u8('"')));
	stop = vorrq_u8(stop, vceqq_u8(x, vdupq_n_u8('\\')));
	/* Each byte of 0xFF or 0 becomes its own bit; then all are added. */
	stop = vandq_u8(stop, bit);
	return vaddv_u8(vget_low_u8(stop)) |
	       (uint64_t)vaddv_u8(vget_high_u8(stop)) << 8;
}

#else

static inline uint64_t skip_stops16(const char *p)
{
	uint64_t stops = 0;

	for (int i = 0; i < 16; i++)
		if ((signed char)p[i] < ' ' || p[i] == '"' || p[i] == '\\')
			stops |= (uint64_t)1 << i;
	return stops;
}

#endif

/* A bit for each of 64 bytes, the first the lowest: a quote, a backslash, or
 * below a space as a signed number, as are control bytes and all of UTF-8 that
 * is not ASCII. */
static inline uint64_t skip_stops(const char *p)
{
	return skip_stops16(p) | skip_stops16(p + 16) << 16 |
	       skip_stops16(p + 32) << 32 | skip_stops16(p + 48) << 48;
}

#endif
