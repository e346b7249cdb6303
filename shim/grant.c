/* Where the counters of a grant are.  The contract is in grant.h. */
#include "grant.h"

#include "../policies/counters/redis.h"
#include "../policies/host/host.h"
#include "system.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MOST (INT64_MAX / SECOND - 1)

static int64_t read_wall(void)
{
	struct timespec t;
	int64_t seconds;

	clock_gettime(CLOCK_REALTIME, &t);
	seconds = t.tv_sec < SECONDS_MOST ? t.tv_sec : SECONDS_MOST;
	return seconds * SECOND + t.tv_nsec;
}

/* A number for this boot.  Where nothing tells it, the clock itself does, by
 * going back. */
static uint64_t this_boot(void)
{
	char name[256] = "";
	const size_t len = system_boot(name, sizeof(name));
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) *
		       UINT64_C(0x100000001b3);
	return hash;
}

/* A policy_clock's; context is the number of this boot. */
static struct policy_moment read_moment(void *context)
{
	return (struct policy_moment){.steady = host_now(),
				      .wall = read_wall(),
				      .boot = (uintptr_t)context};
}

/* The state directory. */
struct place {
	char dir[PATH_MAX];
	const char *home; /* that it is in, where HOME names it; or NULL */
	const char *fault, *of; /* why there is none */
};

static bool find_place(const struct options *o, struct place *p)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	const char *state = o->state;
	char cwd[PATH_MAX] = "";
	int len = 0;

	p->of = state ? state : home ? home : "";
	/* realpath() would want it to be there. */
	if (state && *state != '/' && !getcwd(cwd, sizeof(cwd)))
		p->fault = "the working directory is unknown: ";
	else if (state)
		len = snprintf(p->dir, PATH_MAX, "%s%s%s", cwd, *cwd ? "/" : "",
			       state);
	else if (xdg && *xdg == '/')
		len = snprintf(p->dir, PATH_MAX, "%s/weir", xdg);
	else if (!home || !*home)
		p->fault = "HOME is not set";
	else if (*home != '/')
		p->fault = "HOME is not an absolute path: ";
	else
		len = snprintf(p->dir, PATH_MAX, "%s/.local/state/weir",
			       p->home = home);
	if (len >= PATH_MAX) {
		p->fault = "the path is too long: ";
		p->of = p->dir;
	}
	return !p->fault;
}

/* May it be made there?  Root could make any HOME, and in anybody's. */
static bool may_make(struct place *p)
{
	struct stat st;

	if (!p->home || stat(p->dir, &st) == 0)
		return true;
	if (stat(p->home, &st) != 0 || !S_ISDIR(st.st_mode))
		p->fault = "HOME is not a directory: ";
	else if (geteuid() == 0 && st.st_uid != 0)
		p->fault = "HOME belongs to another user: ";
	return !p->fault;
}

static struct backend *in_redis(const struct options *o, policy_report *report,
				void *context)
{
	const char *secret = getenv("WEIR_STATE_PASSWORD_FILE");

	if (o->grant)
		return redis_open(o->state, secret && *secret ? secret : NULL,
				  o->grant, report, context);
	report(context, "counters in Redis need the name of their grant, the "
			"same on every machine: -g NAME");
	return NULL;
}

struct backend *grant_for(const struct options *o, bool copy,
			  policy_report *report, void *context)
{
	struct policy_clock clock = {.read = read_moment};
	char canonical[PATH_MAX], line[PATH_MAX + 256];
	const char *name = o->grant;
	struct place p = {.home = NULL};

	if (o->state && redis_is_url(o->state))
		return in_redis(o, report, context);
	if (!find_place(o, &p) || (!copy && !may_make(&p))) {
		snprintf(line, sizeof(line),
			 "no state directory for the counters: %s%.*s; name "
			 "one with -s DIR or in WEIR_STATE, or give the limits "
			 "\"scope\": \"session\"",
			 p.fault, PATH_MAX, p.of);
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
	return (copy ? grant_copy : grant_open)(p.dir, name, clock, report,
						context);
}

bool grant_state(const struct options *o, bool make, char dir[PATH_MAX],
		 char why[PATH_MAX])
{
	struct options local = *o;
	struct place p = {.home = NULL};
	bool found;

	if (o->state && redis_is_url(o->state))
		local.state = NULL;
	found = find_place(&local, &p) && (!make || may_make(&p));
	snprintf(dir, PATH_MAX, "%s", p.dir);
	snprintf(why, PATH_MAX, "%s%.*s", found ? "" : p.fault, PATH_MAX - 64,
		 found ? "" : p.of);
	return found;
}

/* What weir relies on. */
struct kept {
	struct policy_kept list[POLICIES_MAX + 4];
	size_t count;
};

/* May this user change it, or put another in its place? */
static bool may_change(char *path)
{
	char *slash = strrchr(path, '/');
	bool may = access(path, W_OK) == 0;

	if (slash > path) {
		*slash = '\0';
		may |= access(path, W_OK) == 0;
		*slash = '/';
	}
	return may;
}

static void keep(struct kept *k, const char *what, const char *path)
{
	char *real = path ? realpath(path, NULL) : NULL;

	if (real && may_change(real) &&
	    k->count < sizeof(k->list) / sizeof(k->list[0]))
		k->list[k->count++] = (struct policy_kept){what, real};
	else
		free(real);
}

int grant_warn_within(const struct options *o, const struct policy *policy,
		      const char *const *files, size_t count, bool is_weir,
		      policy_report *report, void *context)
{
	struct kept k = {.count = 0};
	struct place p = {.home = NULL};
	char self[PATH_MAX];
	int warnings;

	for (size_t i = 0; i < count; i++)
		keep(&k, "the policy", files[i]);
	keep(&k, "the lock", o->lock);
	keep(&k, "the log", o->log);
	if (policy_shares(policy) && find_place(o, &p))
		keep(&k, "the state directory", p.dir);
	if (is_weir && system_self(o->self, self))
		keep(&k, "weir itself,", self);
	warnings = policy_warn_within(policy, k.list, k.count, report, context);
	while (k.count > 0)
		free((char *)k.list[--k.count].path);
	return warnings;
}
