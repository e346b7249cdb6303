/* Linux.  The contract is in host.h. */
#include "host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <time.h>

#define PIPEFS 0x50495045 /* statfs(2): of pipe(2) */

int64_t host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

bool host_random(void *to, size_t len)
{
	return getrandom(to, len, 0) == (ssize_t)len;
}

int host_nameless(const char *dir, char link_from[32])
{
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	snprintf(link_from, 32, "/proc/self/fd/%d", fd);
	return fd;
}

void host_begin_sync(int fd)
{
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void host_wipe(void *at, size_t len)
{
	explicit_bzero(at, len);
}

bool host_is_pipe(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == PIPEFS;
}
