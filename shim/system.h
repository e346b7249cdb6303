/*
 * system - what weir asks of the system, and POSIX has not, or not so well.
 *
 * Two files stand behind it, of which one is built: system_linux.c, and
 * system_posix.c for all others, with nothing but POSIX and a few lines for
 * macOS and FreeBSD.  Everything else in shim/ is the same everywhere.
 */
#ifndef SHIM_SYSTEM_H
#define SHIM_SYSTEM_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- signals --------------------------------------------------------- */

/* As sigprocmask(), but of all signals: the C library may keep some for itself,
 * and would not give the server back those that weir was started with. */
void system_mask(int how, const sigset_t *set, sigset_t *was);

/* The signals of the set arrive at the descriptor that is returned, which never
 * blocks and is close-on-exec, and nowhere else; *was is the mask as it was.
 * -1: errno. */
int system_catch(const sigset_t *set, sigset_t *was);

/* In a new process, with all of them blocked: when they no longer are, they do
 * what they did before. */
void system_uncatch(void);

/* The next signal that has arrived there, or 0.  *typed: a key of the terminal
 * sent it, to the server, too. */
int system_signal(int fd, bool *typed);

/* ---- processes ------------------------------------------------------- */

/* Starts the server: a process that calls become(), which does not return, and
 * may use this one's memory until it calls exec.  It is killed when this one
 * dies.  -1: errno. */
pid_t system_start(void (*become)(void *context), void *context);

/* In a new process: it is killed when this parent dies. */
void system_die_with(pid_t parent);

/* Takes a child that has ended, as waitpid() does.  *unguarded: errno, if those
 * that are left will not be killed when this one dies, else 0.  0: there is
 * none. */
pid_t system_reap(int *status, int *unguarded);

/* Do orphans of the server become weir's children?  Then weir ends them. */
bool system_adopts(void);

/* Calls each() for the children of this process.  False: they are not known. */
bool system_children(void (*each)(void *context, pid_t pid), void *context);

/* Calls each() for every descriptor that may be open, from 3 up. */
void system_descriptors(void (*each)(int fd));

/* The path by which this program was started, which may be a link that an
 * upgrade moves, or else of its file; name is the first word of its command
 * line.  False: not known. */
bool system_self(const char *name, char path[PATH_MAX]);

/* ---- descriptors ----------------------------------------------------- */

/* A pipe whose ends are close-on-exec.  False: errno. */
bool system_pipe(int fds[2]);

/* The pipe or terminal of the descriptor, to write to, through a description
 * that nobody shares, and that never blocks.  -1: there is no such. */
int system_reopen(int fd);

/* What a pipe takes. */
struct room {
	size_t bytes; /* what it holds */
	size_t page;  /* of these a buffer of it holds */
	bool varies;  /* system_resize() can change it */
	bool blind;   /* system_queued() does not work */
};
/* Of the write end of an empty pipe. */
struct room system_room(int fd);

/* Gives the pipe another size, or one near it, which is returned.  0: no. */
size_t system_resize(int fd, size_t size);

/* How many bytes lie in the pipe of this write end.  False: errno. */
bool system_queued(int fd, size_t *bytes);

/* Extended attributes and access list of a file, for another. */
bool system_copy_attributes(int from, int to);

/* ---- sockets --------------------------------------------------------- */

/* A Unix socket of this name in the directory, however long its path is, which
 * never blocks and is close-on-exec: makes it, open to its owner alone, and
 * listens; or connects to it, if it is no link.  -1: errno; ENOSYS: there is
 * no /proc to name it by. */
int system_listen(int directory, const char *name, int backlog);
int system_connect(int directory, const char *name);

/* Who is at the other end, as it was when it connected, or listened. */
struct peer {
	uid_t uid;
	pid_t pid; /* 0: not known */
	gid_t groups[1024];
	size_t group_count; /* only the first where there are more than fit */
};
bool system_peer(int fd, struct peer *peer);

/* Does the system tell?  Else system_peer() says that it is this user. */
bool system_tells_peers(void);

/* ---- memory, time ---------------------------------------------------- */

/* Address space without memory, until it is written to.  NULL: none. */
void *system_reserve(size_t len);

/* Gives memory back: whole pages of system_reserve(), which are zero then. */
void system_release(void *at, size_t len);

/* What tells this boot, and its clock, from others: writes at most size bytes,
 * and returns how many, 0 where nothing does. */
size_t system_boot(char *name, size_t size);

#endif
