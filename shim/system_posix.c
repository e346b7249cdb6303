/*
 * POSIX.  The contract is in system.h.
 *
 * No signal tells the server that weir has died, so another process watches,
 * the guard: it has one descriptor, the read end of a pipe that only weir has
 * the other end of, reads from it whom to kill, and does so at its end.  Weir
 * ends the guard before it takes the status of a server that has ended, so that
 * the number that the guard knows is never a stranger's.
 */
#include "system.h"

#include "fd.h"
#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__APPLE__) || defined(__FreeBSD__)
#include <sys/sysctl.h>
#include <sys/ucred.h>
#endif
#if defined(__APPLE__)
#include <copyfile.h>
#define BOOT "kern.bootsessionuuid"
#elif defined(__FreeBSD__)
#define BOOT "kern.boot_id"
#endif

#define GUARDED   4                  /* processes at a time */
#define FDS_MOST  65536              /* descriptors that are looked at */
#define PIPE_MOST ((size_t)1 << 20)  /* no pipe is filled with more */
#define CHUNK     ((size_t)16 << 10) /* written at once meanwhile */

/* ---- signals --------------------------------------------------------- */

/* The two flags are a signal's by its number; a byte in the pipe wakes. */
static volatile sig_atomic_t sent[NSIG], other[NSIG];
static int wake = -1;
static sigset_t caught;
static struct sigaction before[NSIG];

static void never_block(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void system_mask(int how, const sigset_t *set, sigset_t *was)
{
	sigprocmask(how, set, was);
}

static void take(int signo, siginfo_t *info, void *context)
{
	const int error = errno;
	ssize_t put;

	(void)context;
	if (info->si_code == SI_USER || info->si_code == SI_QUEUE)
		sent[signo] = true;
	else
		other[signo] = true;
	/* A full pipe wakes as well. */
	RETRY(put = write(wake, "", 1));
	errno = error;
}

int system_catch(const sigset_t *set, sigset_t *was)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
	const bool again = wake >= 0;
	int fds[2];

	if (!system_pipe(fds))
		return -1;
	if (again)
		close(wake);
	never_block(fds[0]);
	never_block(fds[1]);
	wake = fds[1];
	caught = *set;
	action.sa_sigaction = take;
	sigfillset(&action.sa_mask);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(set, i) == 1)
			sigaction(i, &action, again ? NULL : &before[i]);
	sigprocmask(SIG_UNBLOCK, set, was);
	return fds[0];
}

void system_uncatch(void)
{
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&caught, i) == 1)
			sigaction(i, &before[i], NULL);
}

/* Is weir in the foreground of its terminal? */
static bool hears_keys(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	bool hears = fd >= 0 && tcgetpgrp(fd) == getpgrp();

	if (fd >= 0)
		close(fd);
	return hears;
}

int system_signal(int fd, bool *typed)
{
	char bytes[64];
	ssize_t got;

	/* Before the flags, which are set first. */
	do {
		RETRY(got = read(fd, bytes, sizeof(bytes)));
	} while (got > 0);
	for (int i = 1; i < NSIG; i++) {
		volatile sig_atomic_t *flag = sent[i] ? &sent[i] : &other[i];

		if (!*flag)
			continue;
		*flag = false;
		/* No system says for certain that it was a key. */
		*typed = flag == &other[i] && (i == SIGINT || i == SIGQUIT) &&
			 hears_keys();
		return i;
	}
	return 0;
}

/* ---- processes ------------------------------------------------------- */

static struct {
	pid_t pid;              /* the guard's; 0: there is none */
	int fd;                 /* write end of its pipe; -1: there is none */
	pid_t guarded[GUARDED]; /* whom it kills; 0: nobody */
} guard = {.fd = -1};

/* The descriptor that an entry of /dev/fd names, or -1. */
static int numbered(const char *name)
{
	return *name == '.' ? -1 : (int)strtol(name, NULL, 10);
}

/* Calls each() for what is open from this one up, but for one: as /dev/fd lists
 * it, if that lists itself; else for all that may be. */
static void each_open(int from, int but, void (*each)(int fd))
{
	const long limit = sysconf(_SC_OPEN_MAX);
	const long most = limit < 0 || limit > FDS_MOST ? FDS_MOST : limit;
	DIR *dir = opendir("/dev/fd");
	struct dirent *entry = NULL;
	int fd = -1;

	while (dir && fd != dirfd(dir) && (entry = readdir(dir)))
		fd = numbered(entry->d_name);
	if (!entry) {
		for (fd = from; fd < most; fd++)
			if (fd != but)
				each(fd);
	} else {
		rewinddir(dir);
		while ((entry = readdir(dir))) {
			fd = numbered(entry->d_name);
			if (fd >= from && fd != but && fd != dirfd(dir))
				each(fd);
		}
	}
	if (dir)
		closedir(dir);
}

static void close_one(int fd)
{
	close(fd);
}

/* The guard, in its own session, so that no terminal's end is its.  All
 * signals are blocked, and stay so. */
static void watch(int fd)
{
	pid_t guarded[GUARDED] = {0};
	ssize_t got = sizeof(pid_t);

	setsid();
	each_open(0, fd, close_one);
	for (int n = 0; n < GUARDED && got == sizeof(pid_t); n++)
		RETRY(got = read(fd, &guarded[n], sizeof(pid_t)));
	for (pid_t end; got == sizeof(end);)
		RETRY(got = read(fd, &end, sizeof(end)));
	for (int n = 0; n < GUARDED; n++)
		if (guarded[n] > 0)
			kill(guarded[n], SIGKILL);
	_exit(0);
}

static void tell_guard(pid_t guarded)
{
	ssize_t put;

	RETRY(put = write(guard.fd, &guarded, sizeof(guarded)));
}

/* With all signals blocked: another guard, for those that are left. */
static bool start_guard(void)
{
	int fds[2];
	pid_t pid;

	if (!system_pipe(fds))
		return false;
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		watch(fds[0]);
	}
	close(fds[0]);
	if (guard.fd >= 0)
		close(guard.fd);
	guard.pid = pid > 0 ? pid : 0;
	guard.fd = fds[1];
	for (int n = 0; n < GUARDED; n++)
		if (guard.guarded[n] > 0)
			tell_guard(guard.guarded[n]);
	return pid > 0;
}

/* One that was guarded has ended, or the guard has.  Returns 0, or errno if
 * those that are left have none. */
static int renew_guard(pid_t ended)
{
	const pid_t old = guard.pid;
	sigset_t all, was;
	bool any = false;
	int cause = 0;

	for (int n = 0; n < GUARDED; n++) {
		if (guard.guarded[n] == ended)
			guard.guarded[n] = 0;
		any |= guard.guarded[n] > 0;
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &was);
	guard.pid = 0;
	if (any && !start_guard())
		cause = errno;
	/* Even one that is stopped, or traced. */
	if (old > 0 && old != ended) {
		kill(old, SIGKILL);
		RETRY(waitpid(old, NULL, 0));
	}
	if (!any) {
		close(guard.fd);
		guard.fd = -1;
	}
	sigprocmask(SIG_SETMASK, &was, NULL);
	return cause;
}

void system_die_with(pid_t parent)
{
	(void)parent;
}

pid_t system_start(void (*become)(void *context), void *context)
{
	sigset_t all, was;
	pid_t pid = -1;
	int n = 0;

	while (n < GUARDED && guard.guarded[n] > 0)
		n++;
	errno = EAGAIN;
	if (n == GUARDED)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &was);
	if (guard.pid > 0 || start_guard())
		pid = fork();
	if (pid == 0) {
		/* Weir may be killed before it can say this. */
		tell_guard(getpid());
		become(context);
	}
	guard.guarded[n] = pid > 0 ? pid : 0;
	sigprocmask(SIG_SETMASK, &was, NULL);
	return pid;
}

static bool is_guarded(pid_t pid)
{
	int n = 0;

	while (n < GUARDED && guard.guarded[n] != pid)
		n++;
	return n < GUARDED;
}

pid_t system_reap(int *status, int *unguarded)
{
	siginfo_t info;
	pid_t pid;
	bool own;

	*unguarded = 0;
	do {
		info.si_pid = 0;
		RETRY(pid = waitid(P_ALL, 0, &info,
				   WEXITED | WNOHANG | WNOWAIT));
		if (pid < 0 || info.si_pid == 0)
			return 0;
		own = info.si_pid == guard.pid;
		if (own || is_guarded(info.si_pid))
			*unguarded = renew_guard(info.si_pid);
		RETRY(pid = waitpid(info.si_pid, status, 0));
	} while (own);
	return pid;
}

bool system_adopts(void)
{
	return false;
}

bool system_children(void (*each)(void *context, pid_t pid), void *context)
{
	(void)each, (void)context;
	return false;
}

void system_descriptors(void (*each)(int fd))
{
	each_open(3, -1, each);
}

bool system_self(const char *name, char path[PATH_MAX])
{
	return name && program_find(name, path);
}

/* ---- descriptors ----------------------------------------------------- */

bool system_pipe(int fds[2])
{
	return pipe(fds) == 0 && fcntl(fds[0], F_SETFD, FD_CLOEXEC) == 0 &&
	       fcntl(fds[1], F_SETFD, FD_CLOEXEC) == 0;
}

int system_reopen(int fd)
{
	(void)fd;
	return -1;
}

/* No call tells what a pipe holds: another is filled.  Whatever lies in it may
 * take the last of its buffers, so but for an empty one nothing is certain: its
 * only page is all of it. */
struct room system_room(int fd)
{
	static const char bytes[CHUNK];
	size_t most = 0, held = 0;
	ssize_t put = 1;
	int fds[2];

	(void)fd;
	if (system_pipe(fds)) {
		never_block(fds[1]);
		while (put > 0 && most < PIPE_MOST) {
			RETRY(put = write(fds[1], bytes, sizeof(bytes)));
			most += put > 0 ? (size_t)put : 0;
		}
		if (!system_queued(fds[1], &held) || held != most)
			most = 0;
		close(fds[0]);
		close(fds[1]);
	}
	return (struct room){.bytes = most > PIPE_BUF ? most : PIPE_BUF,
			     .page = most > PIPE_BUF ? most : PIPE_BUF,
			     .blind = most == 0};
}

size_t system_resize(int fd, size_t size)
{
	(void)fd, (void)size;
	return 0;
}

/* Where a pipe's two ends count by themselves, this says 0. */
bool system_queued(int fd, size_t *bytes)
{
#ifdef FIONREAD
	int held = 0;
	bool told = ioctl(fd, FIONREAD, &held) == 0;

	*bytes = held > 0 ? (size_t)held : 0;
	return told;
#else
	(void)fd, (void)bytes;
	errno = ENOTTY;
	return false;
#endif
}

bool system_copy_attributes(int from, int to)
{
#ifdef __APPLE__
	return fcopyfile(from, to, NULL, COPYFILE_ACL | COPYFILE_XATTR) == 0;
#else
	(void)from, (void)to;
	return true;
#endif
}

/* ---- sockets --------------------------------------------------------- */

/* No call takes a directory: it is the working directory meanwhile. */
static int open_socket(int directory, const char *name,
		       int (*use)(int fd, const struct sockaddr *at,
				  socklen_t len))
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int here = open(".", O_RDONLY | O_CLOEXEC), fd, cause = 0;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	fd = here < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd >= 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		never_block(fd);
	}
	if (fd < 0 || fchdir(directory) != 0) {
		cause = errno;
	} else {
		if (use(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
			cause = errno;
		if (fchdir(here) != 0)
			cause = errno;
	}
	if (here >= 0)
		close(here);
	if (cause != 0 && fd >= 0)
		close(fd);
	errno = cause;
	return cause == 0 ? fd : -1;
}

int system_listen(int directory, const char *name, int backlog)
{
	int fd = open_socket(directory, name, bind);

	/* Nobody can connect until it listens. */
	if (fd < 0 || (fchmodat(directory, name, 0600, 0) == 0 &&
		       listen(fd, backlog) == 0))
		return fd;
	close(fd);
	return -1;
}

int system_connect(int directory, const char *name)
{
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	errno = ENOTSOCK;
	return S_ISSOCK(st.st_mode) ? open_socket(directory, name, connect)
				    : -1;
}

#ifdef LOCAL_PEERCRED
bool system_peer(int fd, struct peer *peer)
{
	struct xucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &who, &len) != 0)
		return false;
	peer->uid = who.cr_uid;
	peer->pid = 0;
	peer->group_count = 0;
	while (peer->group_count < (size_t)who.cr_ngroups) {
		peer->groups[peer->group_count] =
			who.cr_groups[peer->group_count];
		peer->group_count++;
	}
	return true;
}

bool system_tells_peers(void)
{
	return true;
}
#else
bool system_peer(int fd, struct peer *peer)
{
	(void)fd;
	peer->uid = geteuid();
	peer->pid = 0;
	peer->group_count = 0;
	return true;
}

bool system_tells_peers(void)
{
	return false;
}
#endif

/* ---- memory, time ---------------------------------------------------- */

void *system_reserve(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANON, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

void system_release(void *at, size_t len)
{
	long page = sysconf(_SC_PAGESIZE);

	/* The last page may be in use behind the end.  What cannot be mapped
	 * again may be mapped no more: nothing goes on without it. */
	len -= len % (size_t)page;
	if (len > 0 &&
	    mmap(at, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0) == MAP_FAILED)
		abort();
}

size_t system_boot(char *name, size_t size)
{
#ifdef BOOT
	return sysctlbyname(BOOT, name, &size, NULL, 0) == 0 ? size : 0;
#else
	(void)name, (void)size;
	return 0;
#endif
}
