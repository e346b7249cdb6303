/* input - the lines that are sent, and the policies that they meet. */
#ifndef BENCH_INPUT_H
#define BENCH_INPUT_H

#include <stddef.h>

#define CALL_BYTES ((size_t)200)

/* One tools/call of CALL_BYTES, LF included, with this id. */
void input_call(char *at, unsigned id);

/* count of them, one after the other; the caller's to free. */
char *input_calls(size_t count);

/* A tools/call of bytes, LF included, its argument base64 as files come;
 * the caller's to free. */
char *input_big(size_t bytes);

/* Writes a policy of so many tools, of which the call above names one that is
 * allowed; with a scope, a limit that is never reached is on that one. */
void input_policy(const char *path, size_t tools, const char *scope);

/* One tool, the one that the call above names, with so many limits of this max
 * and window, none of which is reached. */
void input_limits(const char *path, size_t limits, size_t max,
		  const char *window);

#endif
