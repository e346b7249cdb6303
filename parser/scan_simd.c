/* Over many bytes at once.  The contract is in scan_simd.h. */
#include "scan_simd.h"

#include <string.h>

#if defined(SCAN_SSE2)
#include <cpuid.h>
#endif

static unsigned char byte(const char *p)
{
	return (unsigned char)*p;
}

/* A whole block may be read, though the text has but a byte in it. */
#define UNCHECKED __attribute__((no_sanitize_address))

/* ---- plain C --------------------------------------------------------- */

/* One UTF-8 sequence of two bytes or more (Unicode, table 3-7): no overlong
 * form, no surrogate, nothing past U+10FFFF. */
static const char *skip_utf8(const char *p, const char *end)
{
	unsigned char lead = byte(p++), low = 0x80, high = 0xBF;
	int more;

	if (lead >= 0xC2 && lead <= 0xDF)
		more = 0;
	else if (lead >= 0xE0 && lead <= 0xEF)
		more = 1;
	else if (lead >= 0xF0 && lead <= 0xF4)
		more = 2;
	else
		return NULL;
	if (lead == 0xE0)
		low = 0xA0;
	if (lead == 0xED)
		high = 0x9F;
	if (lead == 0xF0)
		low = 0x90;
	if (lead == 0xF4)
		high = 0x8F;
	if (p == end || byte(p) < low || byte(p) > high)
		return NULL;
	for (p++; more > 0; more--, p++)
		if (p == end || (byte(p) & 0xC0) != 0x80)
			return NULL;
	return p;
}

static bool is_short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return true;
	default:
		return false;
	}
}

const char *scan_character(const char *p, const char *end)
{
	if (byte(p) >= 0x80)
		return skip_utf8(p, end);
	if (byte(p) < ' ' || *p == '"')
		return NULL;
	if (*p != '\\')
		return p + 1;
	return end - p >= 2 && is_short_escape(p[1]) ? p + 2 : NULL;
}

static const char *string_plain(const char *begin, const char *p,
				const char *end, bool *escaped)
{
	const char *after;

	(void)begin;
	for (; p < end && (after = scan_character(p, end)); p = after)
		*escaped |= *p == '\\';
	return p;
}

UNCHECKED static void stops_plain(const char *p, size_t blocks, uint64_t *stops)
{
	for (; blocks > 0; blocks--, stops++) {
		*stops = 0;
		for (int i = 0; i < 64; i++, p++)
			if ((signed char)*p < ' ' || *p == '"' || *p == '\\')
				*stops |= (uint64_t)1 << i;
	}
}

static const struct kernel plain = {"plain C", string_plain, stops_plain};

/* ---- 64 bytes at once ------------------------------------------------ */

#if defined(SCAN_SSE2) || defined(SCAN_NEON)

#define STEP 64

/*
 * What a kernel is made of: which of the 64 bytes at p are c, and which, as
 * signed numbers, are below c; the byte at p is the lowest bit.  What follows
 * is written once over these two, and put in line into each kernel.
 */
typedef uint64_t which(const char *p, char c);
#define INLINE static inline __attribute__((always_inline))

/* A run of 64 bytes, or less at the end of the text. */
struct step {
	const char *from; /* the 64 bytes */
	size_t before;    /* of them, those before the run */
	size_t len;       /* of the run */
};

INLINE struct step step_at(const char *p, const char *end)
{
	size_t left = (size_t)(end - p);

	if (left >= STEP)
		return (struct step){p, 0, STEP};
	return (struct step){end - STEP, STEP - left, left};
}

/* The bits below n. */
INLINE uint64_t first_bits(size_t n)
{
	return n < STEP ? ((uint64_t)1 << n) - 1 : UINT64_MAX;
}

/* The bytes that a backslash before them escapes.  Sequences of backslashes
 * that begin at an odd place are told from others by the carry of a sum. */
INLINE uint64_t escaped_bytes(uint64_t back)
{
	const uint64_t odd = 0xAAAAAAAAAAAAAAAAu;
	uint64_t starts = (back << 1 | odd) - back;

	return (starts ^ odd) ^ back;
}

/* Where a byte stands that no valid sequence has there (Unicode, table 3-7);
 * *open are the first bytes of those that go past the run. */
INLINE uint64_t utf8_faults(struct step s, uint64_t high, which *equal,
			    which *below, uint64_t *open)
{
	uint64_t tail = below(s.from, (char)0xC0) >> s.before;
	uint64_t lead = high & ~tail;
	uint64_t three = lead & ~(below(s.from, (char)0xE0) >> s.before);
	uint64_t four = three & ~(below(s.from, (char)0xF0) >> s.before);
	uint64_t faults = tail ^ (lead << 1 | three << 2 | four << 3);
	uint64_t e0 = equal(s.from, (char)0xE0) >> s.before;
	uint64_t ed = equal(s.from, (char)0xED) >> s.before;

	*open = (lead & 1ull << 63) | (three & 1ull << 62) |
		(four & 1ull << 61);
	faults |= lead & (below(s.from, (char)0xC2) >> s.before);
	if (e0 | ed | four) {
		uint64_t f0 = equal(s.from, (char)0xF0) >> s.before;
		uint64_t f4 = equal(s.from, (char)0xF4) >> s.before;
		uint64_t a0 = below(s.from, (char)0xA0) >> s.before;
		uint64_t f90 = below(s.from, (char)0x90) >> s.before;

		faults |= four & ~(below(s.from, (char)0xF5) >> s.before);
		faults |= (e0 << 1 & a0) | (ed << 1 & ~a0);
		faults |= (f0 << 1 & f90) | (f4 << 1 & ~f90);
	}
	return faults;
}

/* The backslashes of escapes that are not of two known bytes; after is what
 * they escape, less what is known already. */
INLINE uint64_t other_escapes(const char *p, size_t len, uint64_t after)
{
	for (; after; after &= after - 1) {
		size_t at = (size_t)__builtin_ctzll(after);

		if (at >= len || !is_short_escape(p[at]))
			return 1ull << (at - 1);
	}
	return 0;
}

/* One step over a run that has more than plain bytes in it; *more: on to the
 * next one. */
INLINE const char *string_step(const char *begin, const char *p,
			       const char *end, bool *escaped, bool *more,
			       which *equal, which *below)
{
	const struct step s = step_at(p, end);
	uint64_t low = below(s.from, ' ') >> s.before;
	uint64_t quote = equal(s.from, '"') >> s.before;
	uint64_t back = equal(s.from, '\\') >> s.before;
	uint64_t high = below(s.from, 0) >> s.before;
	uint64_t stops = (low & ~high) | ~first_bits(s.len);
	uint64_t open = 0, cut = 0;

	if (back) {
		uint64_t after = escaped_bytes(back), known;

		known = quote | back | equal(s.from, 'n') >> s.before |
			equal(s.from, 't') >> s.before |
			equal(s.from, 'r') >> s.before;
		quote &= ~after;
		stops |= other_escapes(p, s.len, after & ~known);
		/* The last byte escapes, and is not escaped itself. */
		cut = back & ~after & 1ull << 63;
	}
	stops |= quote;
	*more = false;
	if (high) {
		uint64_t faults = utf8_faults(s, high, equal, below, &open);

		if (faults & (stops ^ (stops - 1)))
			return string_plain(begin, p, end, escaped);
	}
	*escaped |= (back & ~cut & (stops - 1) & ~stops) != 0;
	if (stops)
		return p + __builtin_ctzll(stops);
	*more = true;
	open |= cut;
	return p + (open ? (size_t)__builtin_ctzll(open) : STEP);
}

/* ---- the kernels ----------------------------------------------------- */

/* NOLINTBEGIN(bugprone-macro-parentheses): TARGET is an attribute */

/* What is plain is skipped in its own loop, which needs few registers. */
#define KERNEL(NAME, TARGET)                                                   \
	TARGET static __attribute__((noinline))                                \
	const char *mixed_##NAME(const char *begin, const char *p,             \
				 const char *end, bool *escaped)               \
	{                                                                      \
		bool more = true;                                              \
                                                                               \
		while (more && p < end)                                        \
			p = string_step(begin, p, end, escaped, &more,         \
					equal_##NAME, below_##NAME);           \
		return p;                                                      \
	}                                                                      \
	TARGET static const char *string_##NAME(                               \
		const char *begin, const char *p, const char *end,             \
		bool *escaped)                                                 \
	{                                                                      \
		uint64_t stops = 0;                                            \
                                                                               \
		if (end - begin < STEP)                                        \
			return string_plain(begin, p, end, escaped);           \
		for (; end - p >= STEP; p += STEP) {                           \
			stops = stops64_##NAME(p);                             \
			if (stops)                                             \
				break;                                         \
		}                                                              \
		if (!stops && p < end)                                         \
			stops = stops64_##NAME(end - STEP) >>                  \
				(STEP - (end - p));                            \
		if (!stops)                                                    \
			return end;                                            \
		if (p[__builtin_ctzll(stops)] == '"')                          \
			return p + __builtin_ctzll(stops);                     \
		return mixed_##NAME(begin, p, end, escaped);                   \
	}                                                                      \
	UNCHECKED TARGET static void stops_##NAME(                             \
		const char *p, size_t blocks, uint64_t *stops)                 \
	{                                                                      \
		for (; blocks > 0; blocks--, p += STEP)                        \
			*stops++ = stops64_##NAME(p);                          \
	}                                                                      \
	static const struct kernel NAME = {#NAME, string_##NAME, stops_##NAME};

/* NOLINTEND(bugprone-macro-parentheses) */

#endif

#if defined(SCAN_SSE2)

INLINE __m128i load_sse2(const char *p, size_t i)
{
	return _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
}

INLINE uint64_t mask_sse2(__m128i a, __m128i b, __m128i c, __m128i d)
{
	return (uint64_t)(uint32_t)_mm_movemask_epi8(a) |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

INLINE uint64_t equal_sse2(const char *p, char c)
{
	const __m128i v = _mm_set1_epi8(c);

	return mask_sse2(_mm_cmpeq_epi8(load_sse2(p, 0), v),
			 _mm_cmpeq_epi8(load_sse2(p, 1), v),
			 _mm_cmpeq_epi8(load_sse2(p, 2), v),
			 _mm_cmpeq_epi8(load_sse2(p, 3), v));
}

INLINE uint64_t below_sse2(const char *p, char c)
{
	const __m128i v = _mm_set1_epi8(c);

	return mask_sse2(_mm_cmplt_epi8(load_sse2(p, 0), v),
			 _mm_cmplt_epi8(load_sse2(p, 1), v),
			 _mm_cmplt_epi8(load_sse2(p, 2), v),
			 _mm_cmplt_epi8(load_sse2(p, 3), v));
}

static inline uint64_t stop_sse2(const char *p, size_t i)
{
	__m128i x = load_sse2(p, i);
	__m128i stop = _mm_cmplt_epi8(x, _mm_set1_epi8(' '));

	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
	stop = _mm_or_si128(stop, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
	return (uint32_t)_mm_movemask_epi8(stop);
}

INLINE uint64_t stops64_sse2(const char *p)
{
	return stop_sse2(p, 0) | stop_sse2(p, 1) << 16 | stop_sse2(p, 2) << 32 |
	       stop_sse2(p, 3) << 48;
}

#define AVX2 __attribute__((target("avx2,bmi")))

AVX2 INLINE __m256i load_avx2(const char *p, size_t i)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
}

AVX2 INLINE uint64_t mask_avx2(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

AVX2 INLINE uint64_t equal_avx2(const char *p, char c)
{
	const __m256i v = _mm256_set1_epi8(c);

	return mask_avx2(_mm256_cmpeq_epi8(load_avx2(p, 0), v),
			 _mm256_cmpeq_epi8(load_avx2(p, 1), v));
}

AVX2 INLINE uint64_t below_avx2(const char *p, char c)
{
	const __m256i v = _mm256_set1_epi8(c);

	return mask_avx2(_mm256_cmpgt_epi8(v, load_avx2(p, 0)),
			 _mm256_cmpgt_epi8(v, load_avx2(p, 1)));
}

AVX2 INLINE __m256i stop_avx2(__m256i x)
{
	return _mm256_or_si256(
		_mm256_or_si256(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('"')),
				_mm256_cmpeq_epi8(x, _mm256_set1_epi8('\\'))),
		_mm256_cmpgt_epi8(_mm256_set1_epi8(' '), x));
}

AVX2 INLINE uint64_t stops64_avx2(const char *p)
{
	return mask_avx2(stop_avx2(load_avx2(p, 0)),
			 stop_avx2(load_avx2(p, 1)));
}

KERNEL(avx2, AVX2)
KERNEL(sse2, )
#endif

#if defined(SCAN_NEON)

/* Each byte of 0xFF or 0 becomes its own bit; then neighbours are added. */
INLINE uint64_t mask_neon(uint8x16_t a, uint8x16_t b, uint8x16_t c,
			  uint8x16_t d)
{
	const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128,
				1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t low = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
	uint8x16_t high = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));

	low = vpaddq_u8(low, high);
	low = vpaddq_u8(low, low);
	return vgetq_lane_u64(vreinterpretq_u64_u8(low), 0);
}

INLINE uint8x16_t load_neon(const char *p, size_t i)
{
	return vld1q_u8((const uint8_t *)p + 16 * i);
}

INLINE uint64_t equal_neon(const char *p, char c)
{
	const uint8x16_t v = vdupq_n_u8((uint8_t)c);

	return mask_neon(
		vceqq_u8(load_neon(p, 0), v), vceqq_u8(load_neon(p, 1), v),
		vceqq_u8(load_neon(p, 2), v), vceqq_u8(load_neon(p, 3), v));
}

INLINE uint8x16_t less_neon(uint8x16_t a, int8x16_t v)
{
	return vcltq_s8(vreinterpretq_s8_u8(a), v);
}

INLINE uint64_t below_neon(const char *p, char c)
{
	const int8x16_t v = vdupq_n_s8((int8_t)c);

	return mask_neon(
		less_neon(load_neon(p, 0), v), less_neon(load_neon(p, 1), v),
		less_neon(load_neon(p, 2), v), less_neon(load_neon(p, 3), v));
}

INLINE uint8x16_t stop_neon(const char *p, size_t i)
{
	uint8x16_t x = load_neon(p, i);
	uint8x16_t stop = less_neon(x, vdupq_n_s8(' '));

	stop = vorrq_u8(stop, vceqq_u8(x, vdupq_n_u8('"')));
	return vorrq_u8(stop, vceqq_u8(x, vdupq_n_u8('\\')));
}

INLINE uint64_t stops64_neon(const char *p)
{
	return mask_neon(stop_neon(p, 0), stop_neon(p, 1), stop_neon(p, 2),
			 stop_neon(p, 3));
}

KERNEL(neon, )
#endif

/* ---- which one ------------------------------------------------------- */

static const struct kernel *const kernels[] = {
#if defined(SCAN_SSE2)
	&avx2,
	&sse2,
#elif defined(SCAN_NEON)
	&neon,
#endif
	&plain,
	NULL,
};

#if defined(SCAN_SSE2) && !defined(SCAN_NO_AVX2)
/* Do the processor and the kernel have what avx2 needs (Intel SDM 1, 14.7.1)?
 * __builtin_cpu_supports() would bring 4 KB of tables of processors. */
static bool has_avx2(void)
{
	unsigned a, b, c, d, state = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return false;
	__asm__("xgetbv" : "=a"(state), "=d"(d) : "c"(0));
	return (state & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
	       b & bit_AVX2 && b & bit_BMI;
}
#endif

/* How many of the first of these this processor lacks; SCAN_NO_AVX2 has it
 * lack that one, to measure the other. */
static size_t lacks(void)
{
#if defined(SCAN_SSE2) && defined(SCAN_NO_AVX2)
	return 1;
#elif defined(SCAN_SSE2)
	/* Asking takes a virtual machine microseconds: it is done once. */
	static size_t known = SIZE_MAX;

	if (known == SIZE_MAX)
		known = !has_avx2();
	return known;
#else
	return 0;
#endif
}

const struct kernel *scan_kernel(size_t index)
{
	return kernels[lacks() + index];
}

const char *scan_run(const char *begin, const char *p, const char *end,
		     bool *escaped)
{
	return kernels[lacks()]->string(begin, p, end, escaped);
}

void scan_stops(const char *p, size_t blocks, uint64_t *stops)
{
	kernels[lacks()]->stops(p, blocks, stops);
}

const char *scan_last(const char *p, size_t len, char c)
{
#ifdef __APPLE__
	while (len > 0)
		if (p[--len] == c)
			return p + len;
	return NULL;
#else
	return memrchr(p, c, len);
#endif
}
