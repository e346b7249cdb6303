/*
 * The guard of system_posix.c: whenever weir is killed, the server is, and
 * nothing else ever.
 */
#include "answers.h"
#include "processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A child of weir that is not its server; 0: there is none now. */
static pid_t guard_of(pid_t of, pid_t not )
{
	char list[256], *next = list, *end;
	pid_t pid;

	proc_read(of, "children", list, sizeof(list));
	while ((pid = (pid_t)strtol(next, &end, 10)) > 0 && pid == not )
		next = end;
	return pid;
}

static pid_t await_guard(pid_t of, pid_t not, pid_t before)
{
	pid_t pid;

	/* It closes what it does not need. */
	await((pid = guard_of(of, not )) > 0 && pid != before &&
		      descriptors_of(pid) == 1,
	      "no guard");
	return pid;
}

/* Whatever was left to us ends soon. */
static void check_nobody_left(void)
{
	int64_t until = milliseconds() + END_DEADLINE;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		check(milliseconds() < until, "a process lives on");
		if (pid == 0)
			poll(NULL, 0, 1);
	}
	check_equal(errno, ECHILD);
}

static const char *const *no_notice(void)
{
	return behind_weir(
		WORDS(server, "--report", "--ignore-eof", "--signals"));
}

/* No signal and no terminal reaches it, and it holds nothing open. */
TEST(guard_is_alone)
{
	struct proc *p = proc_start(no_notice());
	pid_t of = server_pid(p), guard = await_guard(p->pid, of, 0);

	check_equal(getsid(guard), guard);
	for (int i = 1; i < 32; i++)
		if (i != SIGKILL && i != SIGSTOP)
			kill(guard, i);
	ping(p, "1");
	check_equal(guard_of(p->pid, of), guard);
	kill(p->pid, SIGKILL);
	check_nobody_left();
}

/* From its first instruction on, and while the server starts. */
TEST(killed_at_any_moment)
{
	enum { MOMENTS = 120, STEP = 50000 /* nanoseconds */ };

	for (int i = 0; i < MOMENTS; i++) {
		const struct timespec wait = {.tv_nsec = i * STEP};
		struct proc *p =
			proc_start(behind_weir(WORDS("sleep", "1000")));

		nanosleep(&wait, NULL);
		kill(p->pid, SIGKILL);
		check_status(p, -SIGKILL);
		check_nobody_left();
	}
}

/* Weir starts another one. */
TEST(guard_is_killed)
{
	struct proc *p = proc_start(no_notice());
	pid_t of = server_pid(p), guard = 0;

	for (int i = 0; i < 5; i++) {
		guard = await_guard(p->pid, of, guard);
		kill(guard, SIGKILL);
	}
	await_guard(p->pid, of, guard);
	ping(p, "1");
	kill(p->pid, SIGKILL);
	check_nobody_left();
}

/* Weir does not wait for one that is stopped, and that does its work once it
 * goes on. */
TEST(guard_is_stopped)
{
	struct proc *p = proc_start(
		behind_weir(WORDS(server, "--report", "--exit", "7")));
	pid_t of = server_pid(p), guard = await_guard(p->pid, of, 0);

	kill(guard, SIGSTOP);
	check_end(p, 7);
	check_nobody_left();

	p = proc_start(no_notice());
	of = server_pid(p);
	guard = await_guard(p->pid, of, 0);
	kill(guard, SIGSTOP);
	kill(p->pid, SIGKILL);
	kill(guard, SIGCONT);
	check_status(p, -SIGKILL);
	check_nobody_left();
}

/* What the server leaves is not weir's here; weir ends all the same. */
TEST(daemon_stays)
{
	struct proc *p = proc_start(
		behind_weir(WORDS("sh", "-c",
				  "(setsid sleep 1000 >&- 2>&- <&- &); "
				  "exec \"$0\" --report --exit 3",
				  server)));

	char list[64];

	server_pid(p);
	check_end(p, 3);
	check_equal(waitpid(-1, NULL, WNOHANG), 0);
	proc_read(getpid(), "children", list, sizeof(list));
	kill((pid_t)strtol(list, NULL, 10), SIGKILL);
	check_nobody_left();
}

TEST(nothing_is_left)
{
	enum { ROUNDS = 20, TOGETHER = 10 };
	struct proc *p[TOGETHER];

	for (int i = 0; i < ROUNDS; i++) {
		for (int j = 0; j < TOGETHER; j++) {
			p[j] = proc_start(
				behind_weir(WORDS(server, "--exit", "5")));
			proc_send(p[j], request("1", "ping", NULL));
			proc_close_in(p[j]);
		}
		for (int j = 0; j < TOGETHER; j++)
			check_status(p[j], 5);
		check_nobody_left();
	}
}
