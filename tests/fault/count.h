/* count - how often a program has allocated so far; see count.c. */
#ifndef TESTS_COUNT_H
#define TESTS_COUNT_H

struct counts {
	unsigned long allocations; /* malloc() and its kin */
	unsigned long frees;
	unsigned long mappings; /* mmap(), munmap(), brk(), sbrk() */
};

#endif
