/* The program that asks.  The contract is in asker.h. */
#include "asker.h"

#include "fd.h"
#include "program.h"
#include "report.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A call of 1 MiB whose every byte is escaped, and the words around it.  Only
 * what is written to is ever in memory. */
#define TEXT_BYTES (((size_t)6 << 20) + ((size_t)512 << 10))
#define OWN        "WEIR_"

/* POSIX has it declared nowhere. */
extern char **environ;

static const char sentence[] =
	"weir asks: may the tool call on stdin go to the server?";

static bool is_program(const char *path)
{
	struct stat st;
	const char *fault = NULL;

	if (*path != '/')
		fault = "is not an absolute path";
	else if (stat(path, &st) != 0)
		fault = strerror(errno);
	else if (!program_runs(path))
		fault = "is not an executable file";
	if (fault)
		report("WEIR_ASK=%s: %s; name a program that asks a person by its whole path, without arguments, or unset WEIR_ASK",
		       path, fault);
	return !fault;
}

bool asker_open(struct asker *a, struct child *child)
{
	const char *program = getenv("WEIR_ASK");
	size_t count = 0;
	void *text;

	*a = (struct asker){.child = child, .in = -1, .unread = -1, .out = -1};
	if (!program || !*program)
		return true;
	if (!is_program(program))
		return false;
	while (environ[count])
		count++;
	a->environment = calloc(count + 1, sizeof(*a->environment));
	text = system_reserve(TEXT_BYTES);
	if (!a->environment || !text) {
		report("out of memory");
		return false;
	}
	a->text = (struct strbuf){.ptr = text, .cap = TEXT_BYTES};
	a->program = program;
	for (char **from = environ, **to = a->environment; *from; from++)
		if (strncmp(*from, OWN, strlen(OWN)) != 0)
			*to++ = *from;
	return true;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void shut_all(struct asker *a)
{
	shut(&a->in);
	shut(&a->unread);
	shut(&a->out);
	if (a->text.len > 65536)
		system_release(a->text.ptr, TEXT_BYTES);
	a->text.len = 0;
	a->text.full = false;
	a->asking = false;
}

void asker_close(struct asker *a)
{
	asker_stop(a);
	free(a->environment);
	*a = (struct asker){.in = -1, .unread = -1, .out = -1};
}

bool asker_free(const struct asker *a)
{
	return a->program && !a->asking && a->child->program == 0;
}

/* In the new process, with all signals blocked. */
static void become(const struct asker *a, int in, int out, pid_t parent)
{
	const char *argv[] = {a->program, sentence, NULL};
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	system_die_with(parent);
	setpgid(0, 0);
	/* Weir's own 0 and 1 may be closed, and these in their place. */
	out = out == STDIN_FILENO ? dup(out) : out;
	if (fd_put(in, STDIN_FILENO) && fd_put(out, STDOUT_FILENO)) {
		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			fcntl(fd, F_SETFD, 0);
		for (int s = 1; s < NSIG; s++)
			sigaction(s, &usual, NULL);
		sigemptyset(&none);
		system_mask(SIG_SETMASK, &none, NULL);
		execve(a->program, (char *const *)argv, a->environment);
	}
	_exit(EXIT_CANNOT);
}

void asker_start(struct asker *a)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	const pid_t parent = getpid();
	sigset_t all, was;
	pid_t pid = -1;

	a->sent = a->said_len = 0;
	a->asking = true;
	if (!a->text.full && system_pipe(in) && system_pipe(out)) {
		sigfillset(&all);
		system_mask(SIG_BLOCK, &all, &was);
		pid = fork();
		if (pid == 0)
			become(a, in[0], out[1], parent);
		/* Here as well: it may have to be killed before it runs. */
		if (pid > 0)
			setpgid(pid, pid);
		system_mask(SIG_SETMASK, &was, NULL);
	}
	if (pid < 0)
		report("cannot start WEIR_ASK=%s: %s", a->program,
		       a->text.full ? "the text is too long" : strerror(errno));
	a->group = a->child->program = pid > 0 ? pid : 0;
	a->child->program_status = -1;
	a->unread = in[0]; /* blocking, as it is the program's, too */
	a->in = in[1];
	a->out = out[0];
	shut(&out[1]);
	if (a->in >= 0)
		fd_own(a->in);
	if (a->out >= 0)
		fd_own(a->out);
}

void asker_stop(struct asker *a)
{
	/* If it was waited for just now, no new process has this pid yet. */
	if (a->group > 0)
		kill(-a->group, SIGKILL);
	a->group = 0;
	shut_all(a);
}

void asker_poll(const struct asker *a, struct pollfd p[ASKER_POLLED])
{
	p[0] = (struct pollfd){.fd = a->in, .events = POLLOUT};
	p[1] = (struct pollfd){.fd = a->out, .events = POLLIN};
}

/* Has nobody its stdout open any more? */
static bool read_out(struct asker *a)
{
	ssize_t got;

	do {
		RETRY(got = read(a->out, a->said + a->said_len,
				 sizeof(a->said) - a->said_len));
		if (got > 0)
			a->said_len += (size_t)got;
	} while (got > 0 && a->said_len < sizeof(a->said));
	return got == 0;
}

enum asker_answer asker_go_on(struct asker *a)
{
	bool runs, ended, yes;
	int unread = -1;
	ssize_t put;

	if (!a->asking)
		return ASKER_LATER;
	runs = a->child->program > 0;
	if (a->in >= 0 && a->sent < a->text.len) {
		RETRY(put = write(a->in, a->text.ptr + a->sent,
				  a->text.len - a->sent));
		a->sent += put > 0 ? (size_t)put : 0;
	}
	if (a->sent == a->text.len)
		shut(&a->in);
	/* Its end, which was noted before, comes after all that it wrote; and
	 * whoever else has its stdout still lives. */
	ended = a->out < 0 || read_out(a);
	if (ended)
		shut(&a->out);
	if (runs && a->said_len < sizeof(a->said))
		return ASKER_LATER;
	yes = !runs && ended && a->child->program_status == 0 && a->in < 0 &&
	      ioctl(a->unread, FIONREAD, &unread) == 0 && unread == 0 &&
	      a->said_len == 4 && memcmp(a->said, "yes\n", 4) == 0;
	asker_stop(a);
	return yes ? ASKER_YES : ASKER_NO;
}
