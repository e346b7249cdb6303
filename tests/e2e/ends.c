/* What a client may give as 0, 1 and 2.  The contract is in ends.h. */
#include "ends.h"

#include "processes.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void make_pipes(struct ends *e)
{
	for (int i = 0; i < 3; i++) {
		int fds[2];

		check_equal(pipe2(fds, O_CLOEXEC), 0);
		e->theirs[i] = fds[i != 0];
		e->ours[i] = fds[i == 0];
	}
}

/* Its owner may not open it either. */
static void make_closed_pipes(struct ends *e)
{
	make_pipes(e);
	for (int i = 0; i < 3; i++)
		check_equal(fchmod(e->theirs[i], 0), 0);
}

static void make_fifos(struct ends *e)
{
	for (int i = 0; i < 3; i++) {
		const char *at = path(text("end%d", i));
		int other;

		unlink(at);
		check_equal(mkfifo(at, 0600), 0);
		other = open(at, O_RDWR | O_CLOEXEC);
		e->theirs[i] =
			open(at, (i == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
		e->ours[i] =
			open(at, (i == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
		check(other >= 0 && e->theirs[i] >= 0 && e->ours[i] >= 0,
		      "fifo");
		close(other);
	}
}

static void make_sockets(struct ends *e)
{
	for (int i = 0; i < 3; i++) {
		int fds[2];

		check_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
			0);
		e->theirs[i] = fds[0];
		e->ours[i] = fds[1];
	}
}

/* The same for all. */
static void use_for_all(struct ends *e, int theirs, int ours)
{
	for (int i = 0; i < 3; i++) {
		e->theirs[i] = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
		e->ours[i] = fcntl(ours, F_DUPFD_CLOEXEC, 0);
	}
	close(theirs);
	close(ours);
}

static void make_one_socket(struct ends *e)
{
	int fds[2];

	check_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	use_for_all(e, fds[0], fds[1]);
}

/* As inetd gives it. */
static void make_tcp(struct ends *e)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *a = (struct sockaddr *)&at;
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), theirs;
	socklen_t len = sizeof(at);
	int small = 65536;

	/* So that it can be filled. */
	setsockopt(ours, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(listening, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	check(bind(listening, a, len) == 0 && listen(listening, 1) == 0 &&
		      getsockname(listening, a, &len) == 0 &&
		      connect(ours, a, len) == 0,
	      "no loopback");
	theirs = accept(listening, NULL, NULL);
	close(listening);
	use_for_all(e, theirs, ours);
}

int open_terminal(int *theirs)
{
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	check(ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0, "pty");
	*theirs = open(ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
	check(*theirs >= 0, "pty");
	return ours;
}

static void take_terminal(void)
{
	setsid();
	ioctl(STDIN_FILENO, TIOCSCTTY, 0);
}

struct proc *start_on_terminal(const char *const *argv, bool all)
{
	struct how how = {.given = {true, all, all}, .prepare = take_terminal};
	int theirs, ours = open_terminal(&theirs);
	struct proc *p;

	for (int i = 0; i < 3; i++)
		how.fds[i] = theirs;
	p = proc_start_how(argv, &how);
	close(theirs);
	p->in = ours;
	if (all)
		p->out = fcntl(ours, F_DUPFD_CLOEXEC, 0);
	return p;
}

static void make_terminal(struct ends *e)
{
	int theirs, ours = open_terminal(&theirs);
	struct termios t;

	check_equal(tcgetattr(theirs, &t), 0);
	t.c_iflag &= ~(tcflag_t)ICRNL;
	t.c_lflag &= ~(tcflag_t)ECHO;
	t.c_oflag &= ~(tcflag_t)OPOST;
	tcsetattr(theirs, TCSANOW, &t);
	use_for_all(e, theirs, ours);
}

/* That of another user, as after su. */
static void make_closed_terminal(struct ends *e)
{
	make_terminal(e);
	check_equal(fchmod(e->theirs[0], 0), 0);
}

/* What is written to a master goes to the other side of its terminal. */
static void make_master(struct ends *e)
{
	struct termios t;

	make_pipes(e);
	close(e->theirs[1]);
	close(e->ours[1]);
	e->theirs[1] = open_terminal(&e->ours[1]);
	fcntl(e->theirs[1], F_SETFL, O_RDWR);
	check_equal(tcgetattr(e->ours[1], &t), 0);
	cfmakeraw(&t);
	tcsetattr(e->ours[1], TCSANOW, &t);
}

const struct ends_kind ends_master = {"a terminal's master", make_master};

const struct ends_kind ends_kinds[ENDS_KINDS] = {
	{"pipes", make_pipes},
	{"pipes that cannot be opened anew", make_closed_pipes,
	 .as_user = true},
	{"named pipes", make_fifos},
	{"sockets", make_sockets},
	{"one socket", make_one_socket, .merged = true},
	{"a TCP socket", make_tcp, .merged = true},
	{"a terminal", make_terminal, .merged = true, .terminal = true},
	{"a terminal of another user", make_closed_terminal, .merged = true,
	 .terminal = true, .as_user = true},
};

struct proc *ends_start(const struct ends_kind *kind, struct ends *e, int flags,
			const char *const *argv)
{
	struct how how = {.given = {true, true, true}};
	struct proc *p;

	kind->make(e);
	for (int i = 0; i < 3; i++) {
		how.fds[i] = e->theirs[i];
		fcntl(e->theirs[i], F_SETFL,
		      fcntl(e->theirs[i], F_GETFL) | flags);
		fcntl(e->ours[i], F_SETFL,
		      fcntl(e->ours[i], F_GETFL) | O_NONBLOCK);
	}
	if (kind->as_user)
		how.prepare = open_as_user;
	p = proc_start_how(argv, &how);
	p->in = e->ours[0];
	p->out = e->ours[1];
	p->err = kind->merged ? -1 : e->ours[2];
	if (kind->merged)
		close(e->ours[2]);
	return p;
}

void ends_close_in(const struct ends_kind *kind, struct proc *p)
{
	if (kind->terminal)
		proc_send(p, "\x04"); /* ^D */
	shutdown(p->in, SHUT_WR);
	proc_close_in(p);
}

void ends_close_theirs(struct ends *e)
{
	for (int i = 0; i < 3; i++)
		close(e->theirs[i]);
}
