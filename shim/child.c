/* The server's process.  The contract is in child.h. */
#include "child.h"

#include "verbs/preload_check.h"
#include "fd.h"
#include "grant.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Passed on to the server. */
static const int forwarded[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
#define GRACE     1000  /* milliseconds between SIGTERM and SIGKILL */
#define GIVE_UP   6000  /* milliseconds after SIGTERM */
#define KILL_WAIT 10    /* milliseconds between one SIGKILL and the next */
#define PIDS_MAX  256   /* children that are sent SIGTERM once */
#define FDS_MOST  65536 /* looked at where /proc does not list them */
enum { FORWARDED = sizeof(forwarded) / sizeof(forwarded[0]) };

/* Another disposition in weir.  With SIGCHLD ignored there would be no status
 * to wait for; a pipe without a reader, and a file (the log) at its largest,
 * are errors of write(). */
static const struct {
	int signo;
	void (*handler)(int);
} changed[] = {
	{SIGCHLD, SIG_DFL},
	{SIGPIPE, SIG_IGN},
	{SIGXFSZ, SIG_IGN},
};
enum { CHANGED = sizeof(changed) / sizeof(changed[0]) };

/* What weir was started with, to be given back before exec. */
struct inherited {
	sigset_t mask;
	struct sigaction actions[CHANGED];
};

/* As sigprocmask(), but of all signals: the C library keeps some for itself,
 * and would not give the server back those that weir was started with. */
static void change_mask(int how, const sigset_t *set, sigset_t *was)
{
	syscall(SYS_rt_sigprocmask, how, set, was, (size_t)_NSIG / 8);
}

bool child_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0) {
			report("descriptor %d is closed: weir speaks to the "
			       "client on 0 and 1",
			       fd);
			return false;
		}
	if (fcntl(STDERR_FILENO, F_GETFD) < 0)
		return open("/dev/null", O_WRONLY | O_CLOEXEC) == STDERR_FILENO;
	return true;
}

void child_hold(sigset_t *was)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	change_mask(SIG_BLOCK, &set, was);
}

void child_release(const sigset_t *was)
{
	change_mask(SIG_SETMASK, was, NULL);
}

static bool catch_signals(struct child *child, struct inherited *was)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	for (int i = 0; i < FORWARDED; i++)
		sigaddset(&set, forwarded[i]);
	for (int i = 0; i < CHANGED; i++) {
		struct sigaction action = {.sa_handler = changed[i].handler};

		sigaction(changed[i].signo, &action, &was->actions[i]);
	}
	change_mask(SIG_BLOCK, &set, &was->mask);
	child->begins = true;
	child->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return child->signals >= 0;
}

static void give_back(const struct inherited *was)
{
	for (int i = 0; i < CHANGED; i++)
		sigaction(changed[i].signo, &was->actions[i], NULL);
	change_mask(SIG_SETMASK, &was->mask, NULL);
}

/* Dies with the parent from now on.  It may have died before; one of an outer
 * pid namespace is 0 here (unshare --pid). */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent && getppid() != 0)
		_exit(EXIT_WEIR);
}

/* In the new process, which still has this one's memory: becomes the server, or
 * sends errno and ends. */
static void become(char **argv, const int in[2], const int out[2], int notify,
		   pid_t parent, const struct inherited *was)
{
	ssize_t put;
	int cause;

	die_with(parent);
	if (fd_put(in[0], STDIN_FILENO) && fd_put(out[1], STDOUT_FILENO)) {
		give_back(was);
		execvp(argv[0], argv);
	}
	cause = errno;
	RETRY(put = write(notify, &cause, sizeof(cause)));
	_exit(EXIT_CANNOT);
}

/* What came through the pipe that exec closes: 0 if exec went well. */
static int exec_errno(int fd)
{
	int cause = 0;
	ssize_t got;

	RETRY(got = read(fd, &cause, sizeof(cause)));
	close(fd);
	return got == sizeof(cause) ? cause : 0;
}

static bool fail(struct child *child, int status)
{
	child->status = status;
	return false;
}

static bool cannot_start(struct child *child, const char *what)
{
	report("%s: %s", what, strerror(errno));
	return fail(child, EXIT_WEIR);
}

/* The children of this process; NULL: unknown.  A /proc of an outer pid
 * namespace has other numbers for them, and NSpid has several for this process.
 */
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

static void warn_of_leftovers(void)
{
	FILE *f = open_children();

	if (f)
		fclose(f);
	else
		report("cannot end what the server leaves running: /proc is missing, or belongs to another pid namespace");
}

/* All that weir opens is close-on-exec: what is not was inherited. */
static void close_if_inherited(int fd)
{
	if (fd > STDERR_FILENO && fcntl(fd, F_GETFD) == 0)
		close(fd);
}

static void close_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		close_if_inherited((int)strtol(e->d_name, NULL, 10));
	if (dir)
		closedir(dir);
	for (int fd = 3; !dir && fd < FDS_MOST && fd < sysconf(_SC_OPEN_MAX);)
		close_if_inherited(fd++);
}

/* A file that is there may need one that is not. */
static const char *why_not(const char *command, int cause)
{
	char path[PATH_MAX];

	if (cause != ENOENT)
		return strerror(cause);
	if (preload_check_find(command, path))
		return "it exists, but its interpreter does not";
	return "no such command";
}

bool child_start(struct child *child, char **argv, const sigset_t *mask)
{
	int in[2], out[2], notify[2], cause;
	pid_t parent = getpid(), pid;
	struct pollfd early = {.events = POLLIN};
	struct inherited was;

	/* Left open when the start fails: weir ends then. */
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
	    pipe2(notify, O_CLOEXEC) != 0)
		return cannot_start(child, "cannot make a pipe");
	if (!catch_signals(child, &was))
		return cannot_start(child, "cannot catch signals");
	was.mask = *mask;
	/* Orphans of the server become weir's children, not init's. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* The parent stands still until exec, as it would for exec_errno(). */
	pid = vfork();
	if (pid < 0)
		return cannot_start(child, "cannot start a process");
	if (pid == 0)
		become(argv, in, out, notify[1], parent, &was);
	child->pid = pid;
	close(in[0]);
	close(out[1]);
	close(notify[1]);
	child->pidfd = -1;
	child->in = in[1];
	child->out = out[0];
	cause = exec_errno(notify[0]);
	if (cause == 0) {
		early.fd = child->signals;
		child->begins = poll(&early, 1, 0) > 0;
		close_inherited();
		warn_of_leftovers();
		return true;
	}
	report("%s: %s", argv[0], why_not(argv[0], cause));
	RETRY(waitpid(child->pid, NULL, 0));
	child->pid = 0;
	return fail(child, cause == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT);
}

bool child_notify(int notify, char what)
{
	ssize_t put;

	RETRY(put = write(notify, &what, 1));
	return put == 1;
}

bool child_adopt(struct child *child, struct running *server)
{
	struct inherited was;

	if (!catch_signals(child, &was))
		return cannot_start(child, "cannot catch signals");
	child->pid = server->pid;
	child->apart = server->pidfd >= 0;
	child->pidfd = server->pidfd;
	child->in = server->in;
	child->out = server->out;
	if (!child_notify(server->notify, RUNNING_UP))
		return fail(child, EXIT_WEIR); /* it has ended */
	close(server->notify);
	server->notify = -1;
	return true;
}

/* Takes every child that has ended, the server or an orphan of its. */
static void reap(struct child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0 ||
	       (pid < 0 && errno == EINTR)) {
		if (pid != child->pid)
			continue;
		child->pid = 0;
		child->status = WIFSIGNALED(status)
					? EXIT_SIGNALED + WTERMSIG(status)
					: WEXITSTATUS(status);
	}
}

static bool next_signal(const struct child *child,
			struct signalfd_siginfo *info)
{
	ssize_t got;

	RETRY(got = read(child->signals, info, sizeof(*info)));
	return got == sizeof(*info);
}

/* Has a server that is not weir's child ended? */
static void look_after(struct child *child)
{
	struct pollfd p = {.fd = child->pidfd, .events = POLLIN};
	int ended;

	RETRY(ended = poll(&p, 1, 0));
	if (ended != 1)
		return;
	close(child->pidfd);
	child->pidfd = -1;
	child->pid = 0;
}

void child_signals(struct child *child)
{
	struct signalfd_siginfo info;

	while (next_signal(child, &info)) {
		if (info.ssi_signo != SIGCHLD)
			child->came = (int)info.ssi_signo;
		if (info.ssi_signo == SIGCHLD)
			reap(child);
		else if (info.ssi_signo == SIGHUP)
			child->reload = true;
		else if (child->apart)
			continue; /* the server's own: it has it already */
		else if (child->pid == 0)
			child->stop = true;
		/* From the terminal: the server has it already. */
		else if (info.ssi_code != SI_KERNEL || child->begins)
			kill(child->pid, (int)info.ssi_signo);
	}
	look_after(child);
	child->begins = false;
}

/* Until the process that goes on has ended. */
static void stand_before(struct child *child)
{
	struct pollfd p = {.fd = child->signals, .events = POLLIN};

	close_inherited();
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	for (;;) {
		child_signals(child);
		if (child->pid == 0)
			return;
		if (child->reload)
			kill(child->pid, SIGHUP);
		child->reload = false;
		poll(&p, 1, -1);
	}
}

bool child_apart(int *status)
{
	struct child child = {.pidfd = -1};
	pid_t parent = getpid();
	struct inherited was;
	siginfo_t any;

	*status = EXIT_WEIR;
	if (waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) != 0)
		return true; /* it has none */
	if (!catch_signals(&child, &was))
		return cannot_start(&child, "cannot catch signals");
	child.pid = fork();
	if (child.pid < 0)
		return cannot_start(&child, "cannot start a process");
	if (child.pid == 0) {
		die_with(parent);
		close(child.signals);
		give_back(&was);
		return true;
	}
	stand_before(&child);
	*status = child.status;
	return false;
}

/* A signal for every child. */
struct sending {
	int signo;
	pid_t sent[PIDS_MAX]; /* SIGTERM, which is sent once */
	size_t count;
	bool any; /* there was one */
};

static void send_signal(struct sending *s, pid_t pid)
{
	size_t i = 0;

	s->any = true;
	while (i < s->count && s->sent[i] != pid)
		i++;
	if (s->signo == SIGTERM && (i < s->count || i == PIDS_MAX))
		return;
	if (s->signo == SIGTERM)
		s->sent[s->count++] = pid;
	kill(pid, s->signo);
}

static void send_signals(struct sending *s)
{
	FILE *f = open_children();
	pid_t pid = 0;
	int c;

	/* A space behind each. */
	s->any = false;
	while (f && (c = getc(f)) != EOF) {
		if (c >= '0' && c <= '9') {
			pid = 10 * pid + (c - '0');
		} else if (pid > 0) {
			send_signal(s, pid);
			pid = 0;
		}
	}
	if (f)
		fclose(f);
}

void child_clear(struct child *child)
{
	struct pollfd p = {.fd = child->signals, .events = POLLIN};
	struct sending s = {.signo = SIGTERM};
	const int64_t start = grant_now();
	int spent;

	child->stop = false;
	do {
		spent = (int)((grant_now() - start) / MILLISECOND);
		if (spent >= GRACE || child->stop)
			s.signo = SIGKILL;
		reap(child);
		send_signals(&s);
		if (!s.any)
			return;
		/* Until one ends: its children are weir's now. */
		poll(&p, 1, s.signo == SIGTERM ? GRACE - spent : KILL_WAIT);
		child_signals(child);
	} while (spent < GIVE_UP);
}
