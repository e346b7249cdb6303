/*
 * count - what a program allocates, counted from inside it (LD_PRELOAD).
 *
 * The counts lie in the file that COUNT_FILE names, mapped: who started the
 * program can look at any time.  The processes that it forks are counted for
 * themselves, the programs that they become are not.
 */
#include "count.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The C library's own, under names that it has for them inside. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static struct counts none, *counts = &none;
static int generation;

static void in_child(void)
{
	if (counts == &none)
		return;
	counts = ++generation < GENERATIONS ? counts + 1 : &none;
}

void *malloc(size_t size)
{
	counts->allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	counts->allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	counts->allocations++;
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	counts->allocations++;
	return __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	counts->allocations++;
	*p = __libc_memalign(align, size);
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	counts->frees++;
	__libc_free(p);
}

static void *real(const char *name)
{
	counts->mappings++;
	return dlsym(RTLD_NEXT, name);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *(*call)(void *, size_t, int, int, int, off_t);

	*(void **)&call = real("mmap");
	return call(at, len, prot, flags, fd, offset);
}

int munmap(void *at, size_t len)
{
	int (*call)(void *, size_t);

	*(void **)&call = real("munmap");
	return call(at, len);
}

int brk(void *end)
{
	int (*call)(void *);

	*(void **)&call = real("brk");
	return call(end);
}

void *sbrk(intptr_t by)
{
	void *(*call)(intptr_t);

	*(void **)&call = real("sbrk");
	return call(by);
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("COUNT_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = MAP_FAILED;

	unsetenv("LD_PRELOAD");
	unsetenv("COUNT_FILE");
	if (fd >= 0) {
		at = mmap(NULL, GENERATIONS * sizeof(*counts),
			  PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (at != MAP_FAILED && pthread_atfork(NULL, NULL, in_child) == 0)
		counts = at;
}
