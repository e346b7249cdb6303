/* Linux.  The contract is in system.h. */
#include "system.h"

#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FDS_MOST        65536 /* looked at where /proc does not list them */
#define ATTRIBUTE_BYTES 4096  /* of all names; of a value */

/* ---- signals --------------------------------------------------------- */

void system_mask(int how, const sigset_t *set, sigset_t *was)
{
	syscall(SYS_rt_sigprocmask, how, set, was, (size_t)_NSIG / 8);
}

int system_catch(const sigset_t *set, sigset_t *was)
{
	system_mask(SIG_BLOCK, set, was);
	return signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void system_uncatch(void)
{
	/* Blocked is all that they are. */
}

int system_signal(int fd, bool *typed)
{
	struct signalfd_siginfo info;
	ssize_t got;

	RETRY(got = read(fd, &info, sizeof(info)));
	if (got != sizeof(info))
		return 0;
	*typed = info.ssi_code == SI_KERNEL;
	return (int)info.ssi_signo;
}

/* ---- processes ------------------------------------------------------- */

/* It may have died before; one of an outer pid namespace is 0 here (unshare
 * --pid). */
void system_die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent && getppid() != 0)
		_exit(EXIT_FAILURE);
}

pid_t system_start(void (*become)(void *context), void *context)
{
	const pid_t parent = getpid();
	pid_t pid;

	/* Orphans of the server become weir's children, not init's. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* The parent stands still until exec, for which it would wait. */
	pid = vfork();
	if (pid == 0) {
		system_die_with(parent);
		become(context);
	}
	return pid;
}

pid_t system_reap(int *status, int *unguarded)
{
	pid_t pid;

	*unguarded = 0;
	RETRY(pid = waitpid(-1, status, WNOHANG));
	return pid > 0 ? pid : 0;
}

bool system_adopts(void)
{
	return true;
}

/* A /proc of an outer pid namespace has other numbers for the children, and
 * NSpid has several for this process.  NULL: unknown. */
static FILE *open_children(void)
{
	char path[64], line[256], *end;
	bool own = false;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "Pid:", 4) == 0) {
			own = strtol(line + 4, NULL, 10) == getpid();
		} else if (strncmp(line, "NSpid:", 6) == 0) {
			strtol(line + 6, &end, 10);
			own &= *end == '\n';
		}
	}
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
		 (long)getpid());
	return own ? fopen(path, "re") : NULL;
}

bool system_children(void (*each)(void *context, pid_t pid), void *context)
{
	FILE *f = open_children();
	pid_t pid = 0;
	int c;

	/* A space behind each. */
	while (f && (c = getc(f)) != EOF) {
		if (c >= '0' && c <= '9') {
			pid = 10 * pid + (c - '0');
		} else if (pid > 0) {
			each(context, pid);
			pid = 0;
		}
	}
	if (f)
		fclose(f);
	return f;
}

void system_descriptors(void (*each)(int fd))
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strtol(e->d_name, NULL, 10) > STDERR_FILENO)
			each((int)strtol(e->d_name, NULL, 10));
	if (dir)
		closedir(dir);
	for (int fd = 3; !dir && fd < FDS_MOST && fd < sysconf(_SC_OPEN_MAX);)
		each(fd++);
}

/* Does the path lead to the program that runs? */
static bool is_self(const char *path)
{
	struct stat st, self;

	return stat(path, &st) == 0 && stat("/proc/self/exe", &self) == 0 &&
	       st.st_dev == self.st_dev && st.st_ino == self.st_ino;
}

bool system_self(const char *name, char path[PATH_MAX])
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	const char *started = (const char *)getauxval(AT_EXECFN);
	ssize_t len;

	(void)name;
	if (started && strlen(started) < PATH_MAX && is_self(started)) {
		strcpy(path, started);
		return true;
	}
	len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return is_self(path);
}

/* ---- descriptors ----------------------------------------------------- */

bool system_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC) == 0;
}

/* Is it another thing each time that it is opened?  So are the "alternate TTY
 * devices" (a pseudo-terminal's master, /dev/tty, /dev/console), the foreground
 * console (4:0), and who knows which devices that are no terminals. */
static bool opens_anew(int fd, const struct stat *st)
{
	return S_ISCHR(st->st_mode) &&
	       (major(st->st_rdev) == 5 || st->st_rdev == makedev(4, 0) ||
		!isatty(fd));
}

int system_reopen(int fd)
{
	char path[32];
	struct stat st;

	if (fstat(fd, &st) != 0 || opens_anew(fd, &st))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

struct room system_room(int fd)
{
	const int size = fcntl(fd, F_GETPIPE_SZ);
	const long page = sysconf(_SC_PAGESIZE);

	return (struct room){.bytes = size > 0 ? (size_t)size : PIPE_BUF,
			     .page = page > 0 ? (size_t)page : PIPE_BUF,
			     .varies = true};
}

size_t system_resize(int fd, size_t size)
{
	const int got = fcntl(fd, F_SETPIPE_SZ, (int)size);

	return got > 0 ? (size_t)got : 0;
}

bool system_queued(int fd, size_t *bytes)
{
	int held = 0;
	bool told = ioctl(fd, FIONREAD, &held) == 0;

	*bytes = held > 0 ? (size_t)held : 0;
	return told;
}

/* Labels may be the system's. */
bool system_copy_attributes(int from, int to)
{
	char names[ATTRIBUTE_BYTES], value[ATTRIBUTE_BYTES];
	ssize_t len = flistxattr(from, names, sizeof(names));

	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t size = fgetxattr(from, names + i, value, sizeof(value));

		if ((size < 0 ||
		     fsetxattr(to, names + i, value, (size_t)size, 0) != 0) &&
		    strncmp(names + i, "system.", 7) == 0)
			return false;
	}
	return true;
}

/* ---- sockets --------------------------------------------------------- */

/* The descriptor stands for the directory, or the socket, whatever has its name
 * by now. */
static struct sockaddr_un address_of(int fd, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d%s%s", fd,
		 *name ? "/" : "", name);
	return a;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* -1; errno says why, and is kept. */
static int no_socket(int fd)
{
	int cause = errno;

	if (cause == ENOENT && access("/proc/self/fd", F_OK) != 0)
		cause = ENOSYS;
	if (fd >= 0)
		close(fd);
	errno = cause;
	return -1;
}

int system_listen(int directory, const char *name, int backlog)
{
	struct sockaddr_un at = address_of(directory, name);
	int fd = new_socket();

	/* Nobody can connect until it listens. */
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    fchmodat(directory, name, 0600, 0) == 0 && listen(fd, backlog) == 0)
		return fd;
	return no_socket(fd);
}

int system_connect(int directory, const char *name)
{
	int at = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int fd = at < 0 ? -1 : new_socket();
	struct sockaddr_un to = address_of(at, "");

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fd = no_socket(fd);
	if (at >= 0)
		close(at);
	return fd;
}

bool system_peer(int fd, struct peer *peer)
{
	struct ucred who;
	socklen_t len = sizeof(who), room = sizeof(peer->groups[0]) * 1023;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	peer->uid = who.uid;
	peer->pid = who.pid;
	peer->groups[0] = who.gid;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups + 1,
		       &room) != 0)
		room = 0;
	peer->group_count = 1 + room / sizeof(peer->groups[0]);
	return true;
}

bool system_tells_peers(void)
{
	return true;
}

/* ---- memory, time ---------------------------------------------------- */

void *system_reserve(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

void system_release(void *at, size_t len)
{
	madvise(at, len, MADV_DONTNEED);
}

/* Appends what is in the file, as far as there is room. */
static size_t add_file(const char *path, char *text, size_t len, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd < 0)
		return len;
	RETRY(got = read(fd, text + len, size - len));
	close(fd);
	return got > 0 ? len + (size_t)got : len;
}

/* A time namespace may have its own clock since boot.  Its number is given
 * to another once it has ended; the offset of the clock tells them apart. */
size_t system_boot(char *name, size_t size)
{
	size_t len = add_file("/proc/sys/kernel/random/boot_id", name, 0, size);
	ssize_t more = readlink("/proc/self/ns/time", name + len, size - len);

	len += more > 0 ? (size_t)more : 0;
	return add_file("/proc/self/timens_offsets", name, len, size);
}
