/*
 * preload - libweir.so: the relay in front of the process that loads it.
 *
 * What is promised of the server's process, S, before its main:
 *
 *   - its descriptors 0 and 1 are pipes, whose other ends only the relay has;
 *     nothing of S refers to what the client gave it any more
 *   - its pid, parent, group, signals, mask, environment and other descriptors
 *     are what they were, but that LD_PRELOAD does not name this library any
 *     more: what S starts or becomes is behind the same relay, and not behind
 *     a second one
 *   - it goes on once the relay runs, and ends with EXIT_WEIR if that fails
 *
 * The relay, R, is a grandchild of S whose parent has ended, so that S never
 * meets it in wait().  R alone reads the policy: in S, nothing is allocated.
 * Neither read() nor write() is hooked, so it makes no difference how S calls
 * the system, or what program it becomes.
 *
 * The library is linked with -z initfirst: the loader calls preload() before
 * any other constructor and the program's .preinit_array, so that nothing of S
 * runs with the client's descriptors.  libc's own constructor has not run then
 * either: environ is not set.  R never runs it.
 *
 * Process 1 of a container adopts every orphan, and takes all others with it
 * when it ends.  There R stays process 1, and its child becomes S.
 */
#include "child.h"
#include "options.h"
#include "fd.h"
#include "relay.h"
#include "report.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAME       "weir" /* of R, in ps */
#define FAILED     's'    /* through notify: R has failed, and reported why */
#define VARIABLE   "LD_PRELOAD="
#define SEPARATORS " :" /* ld.so(8) */

/* What S opens for R; close-on-exec, in ascending order, as the lowest number
 * that is free is always taken. */
struct ends {
	int in[2];     /* S's stdin: read, write */
	int out[2];    /* S's stdout */
	int notify[2]; /* RUNNING_UP or FAILED */
	int pidfd;     /* S */
};

/* ---- the environment ------------------------------------------------- */

/* The part of a path behind its last slash. */
static const char *last(const char *name, size_t len)
{
	const char *slash = memrchr(name, '/', len);

	return slash ? slash + 1 : name;
}

/* A file of this library's name: LD_PRELOAD has it as it was written there, or
 * through $LIB and the like. */
static bool is_own(const char *name, size_t len, const char *own)
{
	const char *from = last(name, len);
	size_t rest = len - (size_t)(from - name);

	return strlen(own) == rest && memcmp(from, own, rest) == 0;
}

/* Takes it out of a list, where that stands.  False: nothing is left. */
static bool take_out(char *list, const char *own)
{
	char *from = list, *to = list;
	size_t len;

	for (;; from += len) {
		from += strspn(from, SEPARATORS);
		len = strcspn(from, SEPARATORS);
		if (len == 0)
			break;
		if (is_own(from, len, own))
			continue;
		if (to > list)
			*to++ = ':';
		memmove(to, from, len);
		to += len;
	}
	*to = '\0';
	return to > list;
}

/* In place: main() gets the same array. */
static void clean_environment(const char *own)
{
	char **to = environ;

	for (char **from = environ; *from; from++) {
		char *value = *from + strlen(VARIABLE);

		if (strncmp(*from, VARIABLE, strlen(VARIABLE)) == 0 &&
		    !take_out(value, own))
			continue;
		*to++ = *from;
	}
	*to = NULL;
}

/* ---- the relay ------------------------------------------------------- */

/* Whatever S has open, R must not have. */
static bool close_others(const struct ends *e)
{
	const int kept[] = {STDERR_FILENO, e->in[1], e->out[0], e->notify[1],
			    e->pidfd};
	const int count = sizeof(kept) / sizeof(kept[0]);

	for (int i = 0; i + 1 < count; i++)
		if (kept[i] + 1 < kept[i + 1] &&
		    close_range((unsigned)kept[i] + 1,
				(unsigned)kept[i + 1] - 1, 0) != 0)
			return false;
	return close_range((unsigned)kept[count - 1] + 1, ~0U, 0) == 0;
}

static int run_relay(struct running *server, char **argv)
{
	struct options o = options_environment();

	o.rest = argv;
	return o.run == RUN_ERROR ? o.status : relay_run(&o, NULL, server);
}

/* Ends this process.  If S still waits, it need not say anything more. */
static void give_up(int notify, int status)
{
	if (notify >= 0 && !child_notify(notify, FAILED))
		_exit(EXIT_WEIR);
	_exit(status);
}

/* In R.  What S has registered for its own end is none of R's. */
static void become_relay(const struct ends *e, char **argv, pid_t pid,
			 bool own_child)
{
	struct running server = {
		.pid = pid,
		.pidfd = own_child ? -1 : e->pidfd,
		.in = e->in[1],
		.out = e->out[0],
		.notify = e->notify[1],
	};
	int status = EXIT_WEIR;

	prctl(PR_SET_NAME, NAME);
	if (close_others(e))
		status = run_relay(&server, argv);
	else
		report("cannot close the server's descriptors: %s",
		       strerror(errno));
	give_up(server.notify, status);
}

/* ---- the server ------------------------------------------------------ */

static void fail(const char *what)
{
	report("%s: %s", what, strerror(errno));
	_exit(EXIT_WEIR);
}

static void open_ends(struct ends *e)
{
	if (pipe2(e->in, O_CLOEXEC) != 0 || pipe2(e->out, O_CLOEXEC) != 0 ||
	    pipe2(e->notify, O_CLOEXEC) != 0)
		fail("cannot make a pipe");
	/* By S itself: to R, the number might be another's already. */
	e->pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (e->pidfd < 0)
		fail("cannot watch the server");
}

/* Waits for a child of ours, and takes the signal that tells its end, if it
 * was not there before. */
static void forget_child(pid_t pid, bool pending, const sigset_t *signal)
{
	static const struct timespec now;

	/* Where S ignores SIGCHLD this fails once the child has gone. */
	RETRY(waitpid(pid, NULL, 0));
	if (!pending)
		sigtimedwait(signal, NULL, &now);
}

/* Starts R as nobody's child: that between the two ends at once. */
static void start_relay(const struct ends *e, char **argv)
{
	pid_t server = getpid(), between;
	sigset_t set, mask, pending;
	int reaper = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	child_hold(&mask); /* R's, from its first line on */
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigpending(&pending);
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	between = fork();
	if (between < 0)
		fail("cannot start a process");
	if (between == 0) {
		pid_t relay = fork();

		if (relay == 0)
			become_relay(e, argv, server, false);
		if (relay > 0)
			_exit(0);
		report("cannot start a process: %s", strerror(errno));
		give_up(e->notify[1], EXIT_WEIR);
	}
	forget_child(between, sigismember(&pending, SIGCHLD), &set);
	prctl(PR_SET_CHILD_SUBREAPER, reaper);
	child_release(&mask);
}

/* As process 1: this process becomes R, and its child goes on as S. */
static void split(const struct ends *e, char **argv)
{
	sigset_t mask;
	pid_t server;

	child_hold(&mask);
	server = fork();
	if (server < 0)
		fail("cannot start a process");
	if (server > 0)
		become_relay(e, argv, server, true);
	child_release(&mask);
}

/* In S, which has its pipes. */
static void close_ends(const struct ends *e)
{
	const int fds[] = {e->in[0],  e->in[1],     e->out[0],
			   e->out[1], e->notify[0], e->pidfd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

/* This library, if the loader begins it before all others; else NULL, said why:
 * of several initfirst libraries, only the one loaded last is begun first. */
static const struct link_map *find_own(void)
{
	struct link_map *own;
	Dl_info info;

	if (!dladdr1((const void *)VARIABLE, &info, (void **)&own,
		     RTLD_DL_LINKMAP)) {
		report("the loader does not know libweir.so");
		return NULL;
	}
	for (const struct link_map *l = own->l_next; l; l = l->l_next)
		for (const ElfW(Dyn) *d = l->l_ld; d->d_tag != DT_NULL; d++) {
			if (d->d_tag != DT_FLAGS_1 ||
			    !(d->d_un.d_val & DF_1_INITFIRST))
				continue;
			report("%s is linked with -z initfirst and started before libweir.so, so nothing runs: put weir before the command, or leave that library out",
			       l->l_name);
			return NULL;
		}
	return own;
}

/* Returns once R runs. */
static void await_relay(int notify)
{
	char came = 0;
	ssize_t got;

	RETRY(got = read(notify, &came, 1));
	if (came == RUNNING_UP)
		return;
	if (came != FAILED)
		report("the relay did not start, so nothing runs");
	_exit(EXIT_WEIR);
}

static void preload(int argc, char **argv, char **envp)
	__attribute__((constructor));

static void preload(int argc, char **argv, char **envp)
{
	bool deaf = fcntl(STDERR_FILENO, F_GETFD) < 0;
	const struct link_map *own = find_own();
	struct ends e;

	(void)argc;
	environ = envp; /* as libc's constructor will set it */
	if (!own || !child_standard())
		_exit(EXIT_WEIR);
	/* R starts a program, too: WEIR_ASK's. */
	clean_environment(last(own->l_name, strlen(own->l_name)));
	open_ends(&e);
	if (getpid() == 1)
		split(&e, argv);
	else
		start_relay(&e, argv);
	close(e.notify[1]);
	await_relay(e.notify[0]);
	if (!fd_put(e.in[0], STDIN_FILENO) || !fd_put(e.out[1], STDOUT_FILENO))
		fail("cannot replace stdin and stdout");
	close_ends(&e);
	if (deaf)
		close(STDERR_FILENO);
}
