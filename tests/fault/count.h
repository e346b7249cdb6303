/* count - how often a program has allocated so far; see count.c. */
#ifndef TESTS_COUNT_H
#define TESTS_COUNT_H

struct counts {
	unsigned long allocations; /* malloc() and its kin */
	unsigned long frees;
	unsigned long mappings; /* mmap(), munmap(), brk(), sbrk() */
};

/* The file is that many: those of the program, of the children that it forks,
 * and of theirs. */
#define GENERATIONS 3

#endif
