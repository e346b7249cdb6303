/* The grant's file and clock.  The contract is in grant.h. */
#include "grant.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND       1000000000LL
#define SECONDS_MOST (INT64_MAX / SECOND - 1)

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	int64_t seconds;

	clock_gettime(id, &t);
	seconds = t.tv_sec < SECONDS_MOST ? t.tv_sec : SECONDS_MOST;
	return seconds * SECOND + t.tv_nsec;
}

int64_t grant_now(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

static uint64_t hash(uint64_t h, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* A number for this boot, and for the time namespace, which may have a clock
 * since boot of its own.  Where /proc tells neither, the clock itself tells,
 * by going back. */
static uint64_t this_boot(void)
{
	char text[64];
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd >= 0) {
		do
			got = read(fd, text, sizeof(text));
		while (got < 0 && errno == EINTR);
		close(fd);
		if (got > 0)
			h = hash(h, text, (size_t)got);
	}
	got = readlink("/proc/self/ns/time", text, sizeof(text));
	return got > 0 ? hash(h, text, (size_t)got) : h;
}

/* A policy_clock's; context is the number of this boot. */
static struct policy_moment read_moment(void *context)
{
	return (struct policy_moment){.steady = read_clock(CLOCK_BOOTTIME),
				      .wall = read_clock(CLOCK_REALTIME),
				      .boot = (uintptr_t)context};
}

/* The state directory, in buf of PATH_MAX bytes. */
static bool state_directory(const struct options *o, char *buf)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len = 0;

	/* realpath() would want it to be there. */
	if (o->state && o->state[0] == '/')
		len = snprintf(buf, PATH_MAX, "%s", o->state);
	else if (o->state && getcwd(buf, PATH_MAX))
		len = (int)strlen(buf) + snprintf(buf + strlen(buf),
						  PATH_MAX - strlen(buf), "/%s",
						  o->state);
	else if (!o->state && xdg && xdg[0] == '/')
		len = snprintf(buf, PATH_MAX, "%s/weir", xdg);
	else if (!o->state && home && home[0] == '/')
		len = snprintf(buf, PATH_MAX, "%s/.local/state/weir", home);
	return len > 0 && len < PATH_MAX;
}

struct ledger *grant_for(const struct options *o, policy_report *report,
			 void *context)
{
	struct policy_clock clock = {.read = read_moment};
	char dir[PATH_MAX], canonical[PATH_MAX];
	const char *name = o->grant;

	if (!state_directory(o, dir)) {
		report(context, "no state directory for the counters of limits "
				"of scope \"grant\": name one with -s DIR or "
				"in WEIR_STATE, or give the limits "
				"\"scope\": \"session\"");
		return NULL;
	}
	if (!name)
		name = realpath(o->policies[0], canonical);
	if (!name) {
		report(context, "no grant: name one with -g NAME");
		return NULL;
	}
	/* A number, not a place. */
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	clock.context = (void *)(uintptr_t)this_boot();
	return grant_open(dir, name, clock, report, context);
}
