/* edge - text whose end is the end of what can be read, so that one byte too
 * far is a crash. */
#ifndef TESTS_EDGE_H
#define TESTS_EDGE_H

#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

/* A copy of the text that ends there; let_go() gives it back. */
static inline char *at_the_edge(const char *text, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (len / page + 2) * page;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	assert_int_equal(mprotect(at + size - page, page, PROT_NONE), 0);
	return memcpy(at + size - page - len, text, len);
}

static inline void let_go(char *text, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (len / page + 2) * page;

	munmap(text + len + page - size, size);
}

#endif
