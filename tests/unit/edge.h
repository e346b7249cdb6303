/* edge - text with an LF behind it, which is the last byte that can be read, so
 * that one byte too far is a crash. */
#ifndef TESTS_EDGE_H
#define TESTS_EDGE_H

#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

/* A copy of the text that lies there; let_go() gives it back. */
static inline char *at_the_edge(const char *text, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = ((len + 1) / page + 2) * page;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	assert_int_equal(mprotect(at + size - page, page, PROT_NONE), 0);
	at[size - page - 1] = '\n';
	return memcpy(at + size - page - 1 - len, text, len);
}

static inline void let_go(char *text, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = ((len + 1) / page + 2) * page;

	munmap(text + len + 1 + page - size, size);
}

#endif
