/* redis - a Redis to count in, and what redis-benchmark makes of it. */
#ifndef BENCH_REDIS_H
#define BENCH_REDIS_H

#include <stdbool.h>
#include <stddef.h>

/* Starts one on a socket in the directory.  False: there is none here. */
bool redis_begin(const char *directory);
void redis_end(void);

/* Its URL, for weir. */
const char *redis_url(void);

/* Microseconds of a bare EVALSHA of weir's script, the median of count. */
double redis_bare(size_t count);

#endif
