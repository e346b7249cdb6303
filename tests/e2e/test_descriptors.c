/*
 * What weir is given as descriptors: any kind of stdin, stdout and stderr, few
 * of them, none, or strange ones; and the log's.
 */
#include "answers.h"
#include "ends.h"
#include "processes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static const char no_id[] =
	"{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":"
	"{\"name\":\"echo\"}}\n";

/* ---- kinds ----------------------------------------------------------- */

static void check_flags(const struct ends *e, const int was[3],
			const char *when)
{
	for (int i = 0; i < 3; i++)
		check(fcntl(e->theirs[i], F_GETFL) == was[i],
		      "%s: the flags of %d have changed", when, i);
}

/* Others share the descriptions: their flags stay what they were. */
static void check_kind(const struct ends_kind *kind, int flags)
{
	struct ends e;
	struct proc *p = ends_start(kind, &e, flags,
				    behind_weir(WORDS(server, "--exit", "7")));
	int was[3];

	for (int i = 0; i < 3; i++)
		was[i] = fcntl(e.theirs[i], F_GETFL);
	ping(p, "1");
	check_flags(&e, was, "during");
	check_default(p, "2", "remove");
	proc_send(p, no_id);
	if (kind->merged)
		check_has(proc_line(p), "without an id");
	else
		proc_told(p, "without an id");
	/* More than goes at once; a terminal takes 4095 bytes a line. */
	check_answer(p, long_ping("3", kind->terminal ? 4000 : 100000),
		     "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n");
	check_flags(&e, was, "later");
	ends_close_in(kind, p);
	pid_wait(fcntl(p->pidfd, F_DUPFD_CLOEXEC, 0));
	check_flags(&e, was, "after");
	ends_close_theirs(&e);
	check_status(p, 7);
}

TEST(kinds)
{
	for (size_t i = 0; i <= ENDS_KINDS; i++) {
		const struct ends_kind *kind =
			i < ENDS_KINDS ? &ends_kinds[i] : &ends_master;

		in_case(kind->name);
		check_kind(kind, 0);
		in_case(text("%s, non-blocking", kind->name));
		check_kind(kind, O_NONBLOCK);
	}
}

/* stderr is full, or nearly: what weir has to say may get lost, but the session
 * does not wait for it. */
static void check_little_room(const struct ends_kind *kind)
{
	struct how how = {.given = {[2] = true}};
	struct termios t;
	struct ends e;
	struct proc *p;
	char buf[64];

	kind->make(&e);
	/* It takes a part of what has an LF in it, as terminals do. */
	if (tcgetattr(e.theirs[2], &t) == 0) {
		t.c_oflag |= OPOST | ONLCR;
		tcsetattr(e.theirs[2], TCSANOW, &t);
	}
	how.fds[2] = e.theirs[2];
	how.prepare = kind->as_user ? open_as_user : NULL;
	fcntl(e.theirs[2], F_SETFL, fcntl(e.theirs[2], F_GETFL) | O_NONBLOCK);
	fcntl(e.ours[2], F_SETFL, fcntl(e.ours[2], F_GETFL) | O_NONBLOCK);
	while (write(e.theirs[2], no_id, sizeof(no_id) - 1) > 0)
		;
	fcntl(e.theirs[2], F_SETFL, fcntl(e.theirs[2], F_GETFL) & ~O_NONBLOCK);
	p = proc_start_how(behind_weir(WORDS(server)), &how);
	for (size_t i = 1; i < 400; i++) {
		if (read(e.ours[2], buf, i % 41 + 1) == 0)
			break;
		proc_send(p, no_id);
		ping(p, "1");
	}
	check_end(p, 0);
	for (int i = 0; i < 3; i++) {
		close(e.theirs[i]);
		close(e.ours[i]);
	}
}

TEST(little_room_on_stderr)
{
	for (size_t i = 0; i < ENDS_KINDS; i++) {
		in_case(ends_kinds[i].name);
		check_little_room(&ends_kinds[i]);
	}
}

/* ---- none, few, and strange ones ------------------------------------- */

/* weir needs 0 and 1, and says so if it can; 2 it can do without. */
TEST(closed_ones)
{
	for (int closed = 0; closed < 8; closed++) {
		struct how how = {.fds = {-1, -1, -1}};
		struct proc *p;

		in_case(text("closed: %s%s%s", closed & 1 ? "0 " : "",
			     closed & 2 ? "1 " : "", closed & 4 ? "2" : ""));
		for (int i = 0; i < 3; i++)
			how.given[i] = closed >> i & 1;
		p = proc_start_how(
			behind_weir(WORDS(server, "--exit", "9", "--report")),
			&how);
		if (closed & 3) {
			check_status(p, 125);
			check_text("stdout", p->said.ptr, "");
			check_equal(weir_lines(p->told.ptr), !(closed & 4));
			continue;
		}
		proc_send(p, no_id);
		ping(p, "1");
		check_end(p, 9);
	}
}

static int any_directory(void)
{
	return open("/", O_RDONLY | O_CLOEXEC);
}

static int null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int full(void)
{
	return open("/dev/full", O_RDWR | O_CLOEXEC);
}

static int wrong_way_in(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static int wrong_way_out(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int no_reader(void)
{
	int fds[2];

	check_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	return fds[1];
}

static int no_writer(void)
{
	int fds[2];

	check_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	return fds[0];
}

static int listening(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check_equal(listen(fd, 1), -1); /* it has no name, so it is nothing */
	return fd;
}

/* As the input: it has ended, or cannot be read, and so ends the server.  As
 * the output: nobody takes what is said.  The session ends in either case, by
 * what the server makes of it. */
static const struct {
	const char *name;
	int (*open)(void);
	int fd;     /* that it is */
	int status; /* of a server that would exit with 9 */
} strange[] = {
	{"the input is /dev/null", null, 0, 9},
	{"the input is a directory", any_directory, 0, 9},
	{"the input cannot be read", wrong_way_in, 0, 9},
	{"the input has ended", no_writer, 0, 9},
	{"the input is a socket of nobody", listening, 0, 9},
	{"the output is /dev/null", null, 1, 9},
	{"the output is /dev/full", full, 1, 9},
	{"the output cannot be written", wrong_way_out, 1, 9},
	{"the output has no reader", no_reader, 1, 9},
	{"the output is a socket of nobody", listening, 1, 9},
};

TEST(strange_ones)
{
	for (size_t i = 0; i < COUNT(strange); i++) {
		struct how how = {.given = {false}};
		int fd = strange[i].fd;
		struct proc *p;

		in_case(strange[i].name);
		how.given[fd] = true;
		how.fds[fd] = strange[i].open();
		p = proc_start_how(behind_weir(WORDS("sh", "-c",
						     "cat >/dev/null; exit 9")),
				   &how);
		close(how.fds[fd]);
		if (fd == 1) {
			const char *line = call("1", "remove");

			proc_write(p, line, strlen(line));
			proc_close_in(p);
		}
		check_status(p, strange[i].status);
	}
}

static rlim_t most_descriptors;

static void few_descriptors(void)
{
	struct rlimit r = {most_descriptors, most_descriptors};

	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		_exit(99);
}

/* It works, or says why not. */
TEST(few)
{
	struct how how = {.prepare = few_descriptors,
			  /* What looks for leaks needs more. */
			  .env = WORDS("ASAN_OPTIONS=verify_asan_link_order=0:"
				       "detect_leaks=0")};
	const char *line = request("1", "ping", NULL);
	int worked = 0;

	for (most_descriptors = 0; most_descriptors < 20; most_descriptors++) {
		struct proc *p;
		int status;

		in_case(text("%d descriptors", (int)most_descriptors));
		/* It needs but three itself. */
		p = proc_start_how(behind_weir(WORDS("cat")), &how);
		proc_write(p, line, strlen(line));
		proc_close_in(p);
		status = proc_wait(p);
		if (status == 0) {
			worked++;
			check_text("stdout", p->said.ptr, line);
			continue;
		}
		check(worked == 0, "fewer were enough");
		/* Below that nothing can be started, not even weir. */
		check(status == 125 || most_descriptors < 6, "status %d",
		      status);
		check(status != 125 || weir_lines(p->told.ptr) == 1,
		      "no reason: %s", p->told.ptr);
	}
	check(worked > 5, "it takes too many");
}

static int readiness;

static void give_readiness(void)
{
	dup2(readiness, 3);
	dup2(readiness, 9);
}

/* Who waits for the server to close one of its own waits for nobody else. */
TEST(closed_by_the_server)
{
	struct how how = {.prepare = give_readiness};
	struct pollfd end = {.events = POLLIN};
	struct proc *p;
	int fds[2];

	check_equal(pipe2(fds, O_CLOEXEC), 0);
	readiness = fds[1];
	p = proc_start_how(
		behind_weir(WORDS("sh", "-c", "exec 3>&- 9>&-; exec \"$0\"",
				  server)),
		&how);
	close(fds[1]);
	end.fd = fds[0];
	check(poll(&end, 1, DEADLINE) == 1 && end.revents == POLLHUP,
	      "somebody still has it");
	close(fds[0]);
	ping(p, "1");
	check_end(p, 0);
}

/* ---- the log --------------------------------------------------------- */

static const char *const *with_log(const char *log)
{
	return join(WEIR("'default':'deny','tools':{'echo':{}}", "-l", log),
		    WORDS("--", server));
}

/* Each refused call is a line of the log. */
static void refuse(struct proc *p, int times)
{
	for (int i = 0; i < times; i++)
		check_default(p, "1", "remove");
}

/* A named pipe that nobody reads: said at once, and nothing is started. */
TEST(log_without_reader)
{
	const char *fifo = path("fifo");
	struct proc *p;

	check_equal(mkfifo(fifo, 0600), 0);
	p = proc_start(with_log(fifo));
	check_status(p, 125);
	check_has(p->told.ptr, text("%s: a pipe that nobody reads", fifo));
}

/* One that is read no more, or not now: a line on stderr, and the session goes
 * on.  Once it is read again, so does the log. */
TEST(log_reader_stops)
{
	const char *fifo = path("fifo");
	char buf[1 << 16];
	struct proc *p;
	int end;

	check_equal(mkfifo(fifo, 0600), 0);
	end = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	p = proc_start(with_log(fifo));
	refuse(p, 1000);
	proc_told(p, "cannot write to the log");
	check_equal(weir_lines(p->told.ptr), 1);
	while (read(end, buf, sizeof(buf)) > 0)
		;
	refuse(p, 1);
	check(read(end, buf, sizeof(buf)) > 0 &&
		      memmem(buf, sizeof(buf), "\"line\":\"gap\"", 12),
	      "nothing is logged any more");
	close(end);
	refuse(p, 2);
	check_equal(weir_lines(p->told.ptr), 1);
	check_end(p, 0);
	check_has(p->told.ptr, "weir: 3 lines could not be written");
}

static void small_files(void)
{
	struct rlimit r = {2000, 2000};

	if (setrlimit(RLIMIT_FSIZE, &r) != 0)
		_exit(99);
}

/* A limit on the size of files ends the log, and not the session. */
TEST(log_at_its_largest)
{
	const char *log = path("log");
	struct how how = {.prepare = small_files};
	struct proc *p = proc_start_how(with_log(log), &how);

	refuse(p, 100);
	proc_told(p, "cannot write to the log");
	check_end(p, 0);
	check_equal(content(log).len, 2000);
}
