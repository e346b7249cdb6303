/*
 * Signals and exit statuses, of each class: how the server ends, and what each
 * signal that weir is sent does.
 */
#include "answers.h"
#include "processes.h"
#include "way.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIGNALS 65 /* of Linux, and 0 */

/* That are ended by, with a core and without; that weir passes on, or acts on;
 * that stop, or do nothing; and of real time, the first and the last. */
static const int classes[] = {SIGHUP,   SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,
			      SIGTERM,  SIGSEGV, SIGKILL, SIGALRM, SIGPIPE,
			      SIGXFSZ,  SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP,
			      SIGWINCH, 34,      64};

/* Sanitizers have handlers of their own, which are not what is tested. */
static const char *const no_handlers[] = {
	"ASAN_OPTIONS=verify_asan_link_order=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:"
	"handle_abort=0:handle_sigill=0",
	"UBSAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_sigfpe=0:"
	"handle_abort=0:handle_sigill=0",
	NULL};

/* ---- how the server ends --------------------------------------------- */

TEST(exit_codes)
{
	static const int codes[] = {0,   1,   2,   42,  124, 125, 126,
				    127, 128, 129, 130, 137, 143, 255};
	struct proc *ps[COUNT(codes)];

	for (size_t i = 0; i < COUNT(codes); i++)
		ps[i] = proc_start(behind_weir(
			WORDS(server, "--exit", text("%d", codes[i]))));
	for (size_t i = 0; i < COUNT(codes); i++) {
		in_case(text("exit %d", codes[i]));
		proc_close_in(ps[i]);
		check_status(ps[i], codes[i]);
		check_text("stderr", ps[i]->told.ptr, "");
	}
}

static bool stops(int number)
{
	return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN ||
	       number == SIGTTOU;
}

/* 128+N, or where weir is preloaded the same signal, where the server alone
 * ends by signal N, and its status where not; without a core and with one. */
static void check_deaths(const char *const *options)
{
	struct how how = {.env = no_handlers};
	struct proc *plain[COUNT(classes)], *behind[COUNT(classes)];
	int died = 0, status;

	for (size_t i = 0; i < COUNT(classes); i++) {
		const char *const *command =
			join(WORDS(server, "--raise", text("%d", classes[i]),
				   "--exit", "77"),
			     options);

		if (stops(classes[i]))
			continue;
		plain[i] = proc_start_how(command, &how);
		behind[i] = proc_start_how(behind_weir(command), &how);
	}
	for (size_t i = 0; i < COUNT(classes); i++) {
		in_case(text("signal %d%s", classes[i],
			     *options ? ", core" : ""));
		if (stops(classes[i]))
			continue;
		proc_close_in(plain[i]);
		proc_close_in(behind[i]);
		status = proc_wait(plain[i]);
		check(status == 77 || status == -classes[i], "it ended with %d",
		      status);
		check_status(behind[i],
			     status < 0 ? signalled(-status) : status);
		died += status < 0;
	}
	check(died >= 10, "only %d signals end a process", died);
}

TEST(deaths)
{
	check_deaths(WORDS(NULL));
	check_deaths(WORDS("--core", path(".")));
}

/* ---- what weir does with each ---------------------------------------- */

/* A relay that is not the server's parent passes nothing on. */
enum effect { ENDS, PASSED_ON, RELOADS, NOTHING, STOPS };

static enum effect effect_of(int number)
{
	switch (number) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
	case SIGUSR1:
	case SIGUSR2:
		return preload ? NOTHING : PASSED_ON;
	case SIGHUP:
		return RELOADS;
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
	case SIGPIPE:
	case SIGXFSZ:
		return NOTHING;
	default:
		return stops(number) ? STOPS : ENDS;
	}
}

/* Once, to the server that tells of every signal that it gets. */
static void send_one(struct proc *p, int number)
{
	int left = pid_open(server_pid(p));
	pid_t pid = weir_pid(p);
	int own = pid_open(pid);

	check_equal(kill(pid, number), 0);
	switch (effect_of(number)) {
	case ENDS:
		pid_wait(own);
		pid_wait(left);
		check_status(p, preload ? 0 : -number);
		return;
	case PASSED_ON:
		check_equal(number_of(p, "number"), number);
		break;
	case RELOADS:
		proc_told(p, "policy reloaded");
		break;
	case STOPS:
		kill(pid, SIGCONT);
		break;
	case NOTHING:
		break;
	}
	close(own);
	close(left);
	/* The answer comes next: nothing else reached the server. */
	ping(p, "2");
	check_end(p, 0);
	check_equal(weir_lines(p->told.ptr), effect_of(number) == RELOADS);
}

static void no_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
}

TEST(each_signal)
{
	struct how how = {.env = no_handlers, .prepare = no_core};
	struct proc *p[COUNT(classes)];

	for (size_t i = 0; i < COUNT(classes); i++)
		p[i] = proc_start_how(
			behind_weir(WORDS(server, "--signals", "--report")),
			&how);
	for (size_t i = 0; i < COUNT(classes); i++) {
		in_case(text("signal %d", classes[i]));
		send_one(p[i], classes[i]);
	}
}

/* What the client sends to the process that it knows, which is the server where
 * weir is preloaded: what comes of it is the same without weir. */
TEST(each_signal_direct)
{
	struct how how = {.env = no_handlers, .prepare = no_core};
	const char *const *command = WORDS(server, "--signals");

	if (!preload) /* it is weir: see above */
		skip();
	for (size_t c = 0; c < COUNT(classes); c++) {
		struct proc *p[2] = {
			proc_start_how(command, &how),
			proc_start_how(behind_weir(command), &how)};
		int n = classes[c];

		in_case(text("signal %d", n));
		for (int i = 0; i < 2; i++) {
			ping(p[i], "1");
			kill(p[i]->pid, n);
			if (n == SIGSTOP)
				kill(p[i]->pid, SIGCONT);
			if (n != SIGKILL)
				proc_send(p[i], request("2", "ping", NULL));
			proc_close_in(p[i]);
		}
		check_status(p[1], proc_wait(p[0]));
		check_said(p[1], p[0]);
	}
}

/* Many at once: those that are pending are one, as for any process; none is
 * made up, and the session goes on. */
TEST(storm)
{
	enum { SENT = 2000 };
	struct proc *p = proc_start(behind_weir(WORDS(server, "--signals")));
	int got = 0;
	const char *line;

	ping(p, "1");
	for (int i = 0; i < SENT; i++)
		kill(p->pid, i % 2 ? SIGUSR1 : SIGUSR2);
	/* One at a time: what comes after it was sent before. */
	kill(p->pid, SIGTERM);
	while (number_of(p, "number") != SIGTERM)
		got++;
	proc_send(p, request("2", "ping", NULL));
	while ((line = proc_line(p)) && !strstr(line, "\"result\":{}"))
		got++;
	check(got >= 1 && got <= SENT, "%d signals", got);
	check_end(p, 0);
}

static void own_group(void)
{
	setpgid(0, 0);
}

/* A signal for the whole group reaches the server by itself, and once more
 * through weir, which cannot tell: at least once, at most twice. */
TEST(whole_group)
{
	struct how how = {.prepare = own_group};
	struct proc *p =
		proc_start_how(behind_weir(WORDS(server, "--signals")), &how);
	const char *line;
	int got = 1;

	ping(p, "1");
	kill(-p->pid, SIGINT);
	check_equal(number_of(p, "number"), SIGINT);
	proc_send(p, request("2", "ping", NULL));
	while ((line = proc_line(p)) && strstr(line, "test/signal"))
		got++;
	check(got <= 2, "%d times", got);
	check(line && strstr(line, "\"id\":2"), "no answer");
	check_end(p, 0);
}

static void ignore_all(void)
{
	for (int n = 1; n < SIGNALS; n++)
		signal(n, SIG_IGN);
}

/* As behind nohup: what the server ignores from its start does not end weir
 * either. */
TEST(ignored)
{
	static const int passed_on[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1,
					SIGUSR2, SIGHUP, SIGALRM, SIGXFSZ};
	struct how how = {.prepare = ignore_all};
	struct proc *p = proc_start_how(behind_weir(WORDS(server)), &how);

	ping(p, "1");
	for (size_t i = 0; i < COUNT(passed_on); i++) {
		kill(p->pid, passed_on[i]);
		ping(p, "2");
	}
	check_end(p, 0);
}

/* While weir waits for a policy that does not come, and for a verb, a signal
 * does what it does to any process; but SIGHUP, which the relay takes later
 * (reload_of_a_pipe). */
TEST(waiting_for_a_policy)
{
	static const struct {
		const char *word;
		int number;
	} rows[] = {
		{"-p", SIGTERM},    {"-p", SIGINT},    {"-p", SIGUSR1},
		{"check", SIGTERM}, {"check", SIGINT}, {"check", SIGHUP},
		{"check", SIGUSR1},
	};
	const char *fifo = path("fifo");

	prefix_only("the server gets them itself");
	check_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool verb = strcmp(rows[i].word, "check") == 0;
		struct proc *p = proc_start(
			verb ? WORDS(weir, "check", fifo)
			     : WORDS(weir, "-p", fifo, "--", server));
		int fd;

		in_case(text("%s, signal %d", rows[i].word, rows[i].number));
		fd = open_fifo(fifo);
		kill(p->pid, rows[i].number);
		check_status(p, -rows[i].number);
		close(fd);
	}
}
