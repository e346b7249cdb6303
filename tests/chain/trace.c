/* Writes to the file $TRACE the address of each function of weir that one
 * tools/call enters, from the poll() that brings it to the write() that passes
 * it on.  weir is built with -finstrument-functions, poll and write are wrapped
 * (ld --wrap), and it is linked without PIE. */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX 4096
#define UNTRACED    __attribute__((no_instrument_function))

static void *entered[ENTRIES_MAX];
static size_t count;

UNTRACED void __cyg_profile_func_enter(void *function, void *caller);
UNTRACED void __cyg_profile_func_exit(void *function, void *caller);
UNTRACED int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
UNTRACED ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
ssize_t __real_write(int fd, const void *buf, size_t len);

void __cyg_profile_func_enter(void *function, void *caller)
{
	(void)caller;
	if (count < ENTRIES_MAX)
		entered[count++] = function;
}

void __cyg_profile_func_exit(void *function, void *caller)
{
	(void)function;
	(void)caller;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int events = __real_poll(fds, n, timeout);

	count = 0;
	return events;
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	static bool done;

	if (!done && memmem(buf, len, "tools/call", 10)) {
		int trace = open(getenv("TRACE"), O_WRONLY | O_CREAT, 0600);

		done = true;
		for (size_t i = 0; i < count; i++)
			dprintf(trace, "%p\n", entered[i]);
	}
	return __real_write(fd, buf, len);
}
