/*
 * The kernels that skip over many bytes: each must say of any bytes what plain
 * C says, from any place on and whatever is before it, and touch none beyond.
 *
 * Also where no libFuzzer and no such processor is:
 *	aarch64-linux-gnu-gcc -static -o replay tests/fuzz/fuzz_skip.c \
 *		tests/fuzz/replay.c parser/[a-z]*.c
 *	qemu-aarch64 replay tests/fuzz/seeds/skip/plain
 */
#include "../../parser/scan_simd.h"
#include "fuzz.h"

static void same(const struct kernel *k, const struct kernel *plain,
		 const char *begin, const char *p, const char *end)
{
	bool escaped = false, plain_escaped = false;

	must(k->string(begin, p, end, &escaped) ==
	     plain->string(begin, p, end, &plain_escaped));
	must(escaped == plain_escaped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kernel *plain = NULL, *k;
	char *text = exact(data, size);
	size_t step = 1 + size / 64;

	for (size_t n = 0; (k = scan_kernel(n)); n++)
		plain = k;
	for (size_t n = 0; (k = scan_kernel(n)); n++) {
		for (size_t at = 0; at < size; at += step)
			same(k, plain, text, text + at, text + size);
		same(k, plain, text, text + size, text + size);
	}
	free(text);
	return 0;
}
