/*
 * count - what a program allocates, counted from inside it (LD_PRELOAD).
 *
 * The counts lie in the file that COUNT_FILE names, mapped: who started the
 * program can look at any time.  The first process that allocates takes the
 * file, and so its name, away: where weir is preloaded, that is the relay.
 */
#include "count.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

/* The relay allocates before the constructor below has run, and never runs
 * it. */
static void begin(void)
{
	static bool begun;
	const char *path;
	int fd;
	void *at;

	if (begun || !environ)
		return;
	begun = true;
	path = getenv("COUNT_FILE");
	fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	at = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  0);
	close(fd);
	unlink(path);
	if (at != MAP_FAILED)
		counts = at;
}

void *malloc(size_t size)
{
	begin();
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
	begin();
	unsetenv("LD_PRELOAD");
	unsetenv("COUNT_FILE");
}
