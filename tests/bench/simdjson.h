/*
 * simdjson - the yardstick for reading JSON: its DOM parse, with the best of
 * its kernels for this processor, into one parser that is kept.
 *
 * Weak, so that the benchmark also links where libsimdjson-dev is not: then
 * yardstick_open is NULL.
 */
#ifndef TESTS_BENCH_SIMDJSON_H
#define TESTS_BENCH_SIMDJSON_H

#include <stddef.h>

#define YARDSTICK_PADDING 64 /* bytes that can be read after a text */

#ifdef __cplusplus
extern "C" {
#endif

/* Room for texts of at most len bytes; NULL: there is none. */
void *yardstick_open(size_t len) __attribute__((weak));

/* Parses the text.  Returns how many members its top has, or -1. */
int yardstick_parse(void *parser, const char *text, size_t len)
	__attribute__((weak));

/* The name of the kernel. */
const char *yardstick_kernel(void) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
