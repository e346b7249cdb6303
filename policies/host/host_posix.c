/* POSIX.  The contract is in host.h. */
#include "host.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* It counts sleep on macOS, not so elsewhere: a limit is stricter then. */
int64_t host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

bool host_random(void *to, size_t len)
{
	return getentropy(to, len) == 0;
}

int host_nameless(const char *dir, char link_from[32])
{
	(void)dir;
	link_from[0] = '\0';
	return -1;
}

void host_begin_sync(int fd)
{
	(void)fd; /* fsync() does it all, when its time comes */
}

/* No compiler leaves out what is volatile. */
void host_wipe(void *at, size_t len)
{
	volatile char *p = at;

	while (len > 0)
		p[--len] = 0;
}

bool host_is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}
