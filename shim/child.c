/* The server's process.  The contract is in child.h. */
#include "child.h"

#include "../policies/host/host.h"
#include "fd.h"
#include "program.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Passed on to the server. */
static const int forwarded[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
#define GRACE     1000 /* milliseconds between SIGTERM and SIGKILL */
#define GIVE_UP   6000 /* milliseconds after SIGTERM */
#define KILL_WAIT 10   /* milliseconds between one SIGKILL and the next */
#define PIDS_MAX  256  /* children that are sent SIGTERM once */
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
	system_mask(SIG_BLOCK, &set, was);
}

void child_release(const sigset_t *was)
{
	system_uncatch();
	system_mask(SIG_SETMASK, was, NULL);
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
	child->begins = true;
	child->signals = system_catch(&set, &was->mask);
	return child->signals >= 0;
}

static void give_back(const struct inherited *was)
{
	system_uncatch();
	for (int i = 0; i < CHANGED; i++)
		sigaction(changed[i].signo, &was->actions[i], NULL);
	system_mask(SIG_SETMASK, &was->mask, NULL);
}

/* How the new process becomes the server. */
struct becoming {
	char **argv;
	int in, out, notify;
	const struct inherited *was;
};

/* In the new process, which still has this one's memory: becomes the server, or
 * sends errno and ends. */
static void become(void *context)
{
	const struct becoming *b = context;
	ssize_t put;
	int cause;

	if (fd_put(b->in, STDIN_FILENO) && fd_put(b->out, STDOUT_FILENO)) {
		give_back(b->was);
		execvp(b->argv[0], b->argv);
	}
	cause = errno;
	RETRY(put = write(b->notify, &cause, sizeof(cause)));
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

static void look_at(void *context, pid_t pid)
{
	(void)context, (void)pid;
}

static void warn_of_leftovers(void)
{
	if (system_adopts() && !system_children(look_at, NULL))
		report("cannot end what the server leaves running: /proc is missing, or belongs to another pid namespace");
}

/* All that weir opens is close-on-exec: what is not was inherited. */
static void close_if_inherited(int fd)
{
	if (fcntl(fd, F_GETFD) == 0)
		close(fd);
}

/* A file that is there may need one that is not. */
static const char *why_not(const char *command, int cause)
{
	char path[PATH_MAX];

	if (cause != ENOENT)
		return strerror(cause);
	if (program_find(command, path))
		return "it exists, but its interpreter does not";
	return "no such command";
}

/* Takes every child that has ended: the server, an orphan of its, the program.
 */
static void reap(struct child *child)
{
	int status, unguarded;
	pid_t pid;

	for (;;) {
		pid = system_reap(&status, &unguarded);
		if (unguarded != 0)
			report("cannot start a process: if weir is killed, the server will not end: %s",
			       strerror(unguarded));
		if (pid <= 0)
			return;
		if (pid == child->program) {
			child->program = 0;
			child->program_status = status;
		}
		if (pid != child->pid)
			continue;
		child->pid = 0;
		child->status = WIFSIGNALED(status)
					? EXIT_SIGNALED + WTERMSIG(status)
					: WEXITSTATUS(status);
	}
}

bool child_start(struct child *child, char **argv, const sigset_t *mask)
{
	int in[2], out[2], notify[2], cause;
	struct pollfd early = {.events = POLLIN};
	struct inherited was;
	siginfo_t any;
	pid_t pid;

	/* Left open when the start fails: weir ends then. */
	if (!system_pipe(in) || !system_pipe(out) || !system_pipe(notify))
		return cannot_start(child, "cannot make a pipe");
	child->room = system_room(in[1]);
	if (!catch_signals(child, &was))
		return cannot_start(child, "cannot catch signals");
	was.mask = *mask;
	pid = system_start(become, &(struct becoming){.argv = argv,
						      .in = in[0],
						      .out = out[1],
						      .notify = notify[1],
						      .was = &was});
	if (pid < 0)
		return cannot_start(child, "cannot start a process");
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
		system_descriptors(close_if_inherited);
		warn_of_leftovers();
		return true;
	}
	report("%s: %s", argv[0], why_not(argv[0], cause));
	RETRY(waitid(P_PID, (id_t)pid, &any, WEXITED | WNOWAIT));
	reap(child);
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
	child->room = system_room(server->in);
	if (!child_notify(server->notify, RUNNING_UP))
		return fail(child, EXIT_WEIR); /* it has ended */
	close(server->notify);
	server->notify = -1;
	return true;
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
	bool typed = false;
	int signo;

	while ((signo = system_signal(child->signals, &typed)) != 0) {
		if (signo != SIGCHLD)
			child->came = signo;
		if (signo == SIGCHLD)
			reap(child);
		else if (signo == SIGHUP)
			child->reload = true;
		else if (child->apart)
			continue; /* the server's own: it has it already */
		else if (child->pid == 0)
			child->stop = true;
		/* From the terminal: the server has it already. */
		else if (!typed || child->begins)
			kill(child->pid, signo);
	}
	look_after(child);
	child->begins = false;
}

/* Until the process that goes on has ended. */
static void stand_before(struct child *child)
{
	struct pollfd p = {.fd = child->signals, .events = POLLIN};

	system_descriptors(close_if_inherited);
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
	if (!system_adopts() ||
	    waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) != 0)
		return true; /* it has none */
	if (!catch_signals(&child, &was))
		return cannot_start(&child, "cannot catch signals");
	child.pid = fork();
	if (child.pid < 0)
		return cannot_start(&child, "cannot start a process");
	if (child.pid == 0) {
		system_die_with(parent);
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

static void send_signal(void *context, pid_t pid)
{
	struct sending *s = context;
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

void child_clear(struct child *child)
{
	struct pollfd p = {.fd = child->signals, .events = POLLIN};
	struct sending s = {.signo = SIGTERM};
	const int64_t start = host_now();
	int spent;

	child->stop = false;
	do {
		spent = (int)((host_now() - start) / MILLISECOND);
		if (spent >= GRACE || child->stop)
			s.signo = SIGKILL;
		reap(child);
		s.any = false;
		system_children(send_signal, &s);
		if (child->program > 0)
			send_signal(&s, child->program);
		if (!s.any)
			return;
		/* Until one ends: its children are weir's now. */
		poll(&p, 1, s.signo == SIGTERM ? GRACE - spent : KILL_WAIT);
		child_signals(child);
	} while (spent < GIVE_UP);
}
