/* The grant's file and clock.  The contract is in grant.h. */
#include "grant.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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
		RETRY(got = read(fd, text, sizeof(text)));
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

/* The state directory. */
struct place {
	char dir[PATH_MAX];
	const char *home; /* that it is in, where HOME names it; or NULL */
	char fault[PATH_MAX + 64]; /* why there is none */
};

static bool find_place(const struct options *o, struct place *p)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *dir = p->dir;
	int len = 0;

	snprintf(p->fault, sizeof(p->fault), "its path is too long");
	/* realpath() would want it to be there. */
	if (o->state && (*o->state == '~' || strncmp(o->state, "${", 2) == 0))
		snprintf(p->fault, sizeof(p->fault),
			 "%s in %.*s is not expanded here",
			 *o->state == '~' ? "~" : "${", PATH_MAX, o->state);
	else if (o->state && o->state[0] == '/')
		len = snprintf(dir, PATH_MAX, "%s", o->state);
	else if (o->state && getcwd(dir, PATH_MAX))
		len = (int)strlen(dir) + snprintf(dir + strlen(dir),
						  PATH_MAX - strlen(dir), "/%s",
						  o->state);
	else if (o->state)
		snprintf(p->fault, sizeof(p->fault),
			 "the working directory is unknown");
	else if (xdg && xdg[0] == '/')
		len = snprintf(dir, PATH_MAX, "%s/weir", xdg);
	else if (!home || !*home)
		snprintf(p->fault, sizeof(p->fault), "HOME is not set");
	else if (*home != '/')
		snprintf(p->fault, sizeof(p->fault),
			 "HOME is %.*s, not an absolute path", PATH_MAX, home);
	else
		len = snprintf(dir, PATH_MAX, "%s/.local/state/weir",
			       p->home = home);
	return len > 0 && len < PATH_MAX;
}

/* May it be made there?  Root could make any HOME, and in anybody's. */
static bool may_make(struct place *p)
{
	struct stat st;

	if (!p->home || stat(p->dir, &st) == 0)
		return true;
	if (stat(p->home, &st) != 0 || !S_ISDIR(st.st_mode))
		snprintf(p->fault, sizeof(p->fault),
			 "HOME is %.*s, which is not a directory", PATH_MAX,
			 p->home);
	else if (geteuid() == 0 && st.st_uid != 0)
		snprintf(p->fault, sizeof(p->fault),
			 "HOME is %.*s, which is another user's", PATH_MAX,
			 p->home);
	else
		return true;
	return false;
}

typedef struct ledger *open_grant(const char *dir, const char *name,
				  struct policy_clock clock,
				  policy_report *report, void *context);

static struct ledger *find_grant(const struct options *o, open_grant *how,
				 policy_report *report, void *context)
{
	struct policy_clock clock = {.read = read_moment};
	char canonical[PATH_MAX], line[PATH_MAX + 256];
	const char *name = o->grant;
	struct place p = {.home = NULL};

	if (!find_place(o, &p) || (how == grant_open && !may_make(&p))) {
		snprintf(
			line, sizeof(line),
			"no state directory for the counters: %s; name one with -s DIR or in WEIR_STATE, or give the limits \"scope\": \"session\"",
			p.fault);
		report(context, line);
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
	return how(p.dir, name, clock, report, context);
}

struct ledger *grant_for(const struct options *o, policy_report *report,
			 void *context)
{
	return find_grant(o, grant_open, report, context);
}

struct ledger *grant_copy_for(const struct options *o, policy_report *report,
			      void *context)
{
	return find_grant(o, grant_copy, report, context);
}
