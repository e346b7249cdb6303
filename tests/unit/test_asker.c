/* WEIR_ASK: only one of all that a program may do is a yes. */
#include "unit.h"

#include "../../policies/host/host.h"
#include "../../shim/asker.h"
#include "../../shim/system.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READS "cat >/dev/null\n"

static char directory[] = "/tmp/weir-asker-XXXXXX", script[64];
static struct child child = {.pidfd = -1};

/* Makes the program. */
static void write_script(const char *words)
{
	FILE *f = fopen(script, "we");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", words);
	fclose(f);
	assert_int_equal(chmod(script, 0700), 0);
}

/* As the relay waits.  Gives up after ten seconds. */
static enum asker_answer wait_for(struct asker *a)
{
	const int64_t end = host_now() + 10 * SECOND;
	struct pollfd p[ASKER_POLLED + 1];
	enum asker_answer answer;

	do {
		asker_poll(a, p);
		p[ASKER_POLLED] =
			(struct pollfd){.fd = child.signals, .events = POLLIN};
		poll(p, ASKER_POLLED + 1, 1000);
		if (p[ASKER_POLLED].revents)
			child_signals(&child);
		answer = asker_go_on(a);
	} while (answer == ASKER_LATER && host_now() < end);
	return answer;
}

/* Nothing of it is left. */
static bool has_ended(void)
{
	const int64_t end = host_now() + 10 * SECOND;
	struct pollfd p = {.fd = child.signals, .events = POLLIN};

	while (host_now() < end) {
		child_signals(&child);
		if (child.program == 0 && waitpid(-1, NULL, WNOHANG) < 0)
			return true;
		poll(&p, 1, 20);
	}
	return false;
}

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

TEST(only_one_way_is_yes)
{
	static const struct {
		const char *script;
		size_t text; /* bytes */
		enum asker_answer answer;
	} rows[] = {
		{READS "echo yes", 100, ASKER_YES},
		{READS "echo yes", 0, ASKER_YES},
		{"[ $(wc -c) -eq 1100000 ] && echo yes", 1100000, ASKER_YES},
		{READS "echo yes; exec >&-; sleep 0.1", 100, ASKER_YES},
		{READS "printf y; sleep 0.1; echo es", 100, ASKER_YES},
		{READS "[ $# -eq 1 ] && [ -n \"$1\" ] && echo yes", 9,
		 ASKER_YES},
		{READS "[ -z \"$WEIR_POLICY$WEIR_ASK\" ] && "
		       "[ \"$OTHER\" = here ] && echo yes",
		 9, ASKER_YES},
		/* More than once: a shell blocks some for a moment.  Of 32 and
		 * 33, which make ignores, the C library lets nobody speak. */
		{READS
		 "for i in 1 2 3 4 5 6 7 8 9; do ok=yes; "
		 "while read -r k v; do case $k$v in "
		 "SigIgn:0000000180000000) ;; SigBlk:*[!0]*|SigIgn:*[!0]*) ok=;; esac; "
		 "done </proc/$$/status; "
		 "[ $ok ] && echo yes && exit; sleep 0.05; done",
		 9, ASKER_YES},
		/* All else is a no. */
		{READS, 100, ASKER_NO},
		{READS "echo no", 100, ASKER_NO},
		{READS "echo yes; exit 1", 100, ASKER_NO},
		{READS "printf yes", 100, ASKER_NO},
		{READS "echo Yes", 100, ASKER_NO},
		{READS "echo 'yes '", 100, ASKER_NO},
		{READS "echo ' yes'", 100, ASKER_NO},
		{READS "printf 'yes\\r\\n'", 100, ASKER_NO},
		{READS "printf 'yes\\0\\n'", 100, ASKER_NO},
		{READS "echo; echo yes", 100, ASKER_NO},
		{READS "echo yes; echo", 100, ASKER_NO},
		{READS "echo yes; echo yes", 100, ASKER_NO},
		{READS "echo yes; kill -9 $$", 100, ASKER_NO},
		{READS "kill -9 $$", 100, ASKER_NO},
		/* The text was not read. */
		{"echo yes", 100, ASKER_NO},
		{"exec <&-; echo yes", 100, ASKER_NO},
		{"exec <&-; echo yes", 1100000, ASKER_NO},
		{"head -c 99 >/dev/null; echo yes", 1100000, ASKER_NO},
		/* Somebody may say more. */
		{READS "sleep 60 & echo yes", 100, ASKER_NO},
		{READS "trap '' TERM; (trap '' TERM; sleep 60) & echo yes", 9,
		 ASKER_NO},
		/* It never ends. */
		{READS "while :; do echo yes; done", 100, ASKER_NO},
		{"trap '' TERM PIPE; while :; do printf 0123456789; done", 100,
		 ASKER_NO},
	};
	struct asker a;
	size_t fds;

	for (size_t i = 0; i < COUNT(rows); i++) {
		write_script(rows[i].script);
		row_true(rows[i].script, asker_open(&a, &child));
		fds = count_fds();
		row_true(rows[i].script, asker_free(&a));
		memset(a.text.ptr, 'x', rows[i].text);
		a.text.len = rows[i].text;
		asker_start(&a);
		row_true(rows[i].script, !asker_free(&a));
		row_true(rows[i].script, wait_for(&a) == rows[i].answer);
		row_true(rows[i].script, has_ended());
		row_true(rows[i].script, count_fds() == fds);
		row_true(rows[i].script, asker_free(&a));
		asker_close(&a);
	}
}

/* Whichever of weir's own are closed, the pipes are the program's 0 and 1. */
TEST(closed_descriptors_make_no_difference)
{
	struct asker a;

	write_script("[ $(wc -c) -eq 9 ] && echo yes");
	for (int closed = 0; closed < 4; closed++) {
		int kept[2] = {fcntl(0, F_DUPFD_CLOEXEC, 10),
			       fcntl(1, F_DUPFD_CLOEXEC, 10)};
		enum asker_answer answer;

		assert_true(asker_open(&a, &child));
		a.text.len = 9;
		for (int fd = 0; fd < 2; fd++)
			if (closed >> fd & 1)
				close(fd);
		asker_start(&a);
		answer = wait_for(&a);
		asker_close(&a);
		for (int fd = 0; fd < 2; fd++) {
			dup2(kept[fd], fd);
			close(kept[fd]);
		}
		assert_int_equal(answer, ASKER_YES);
		assert_true(has_ended());
	}
}

/* At the timeout, and when somebody else has answered. */
TEST(a_stopped_one_says_nothing)
{
	struct asker a;

	write_script("trap '' TERM INT HUP; sleep 60 & sleep 60");
	assert_true(asker_open(&a, &child));
	a.text.len = 9;
	asker_start(&a);
	assert_int_equal(asker_go_on(&a), ASKER_LATER);
	asker_stop(&a);
	assert_int_equal(asker_go_on(&a), ASKER_LATER);
	/* Not before the last one has gone. */
	assert_false(asker_free(&a));
	assert_true(has_ended());
	assert_true(asker_free(&a));
	assert_int_equal(asker_go_on(&a), ASKER_LATER);
	asker_close(&a);
}

TEST(a_program_that_cannot_run_says_no)
{
	struct asker a;

	write_script("");
	assert_true(asker_open(&a, &child));
	unlink(script);
	asker_start(&a);
	assert_int_equal(wait_for(&a), ASKER_NO);
	assert_true(has_ended());
	write_script(READS "echo yes");
	a.text.full = true;
	asker_start(&a);
	assert_int_equal(wait_for(&a), ASKER_NO);
	assert_false(a.text.full);
	asker_close(&a);
}

TEST(only_a_program_is_taken)
{
	static const struct {
		const char *path;
		bool taken, asks;
	} rows[] = {
		{"/bin/sh", true, true},
		{"", true, false},
		{"sh", false, false},
		{"./sh", false, false},
		{"/", false, false},
		{"/dev/null", false, false},
		{"/etc/passwd", false, false},
		{"/bin/sh -c yes", false, false},
		{"/nonexistent", false, false},
	};
	struct asker a;

	for (size_t i = 0; i < COUNT(rows); i++) {
		setenv("WEIR_ASK", rows[i].path, 1);
		row_true(rows[i].path, asker_open(&a, &child) == rows[i].taken);
		row_true(rows[i].path, asker_free(&a) == rows[i].asks);
		asker_close(&a);
	}
	unsetenv("WEIR_ASK");
	assert_true(asker_open(&a, &child));
	assert_false(asker_free(&a));
	asker_stop(&a);
	asker_close(&a);
	setenv("WEIR_ASK", script, 1);
}

static int set_up(void **state)
{
	sigset_t set, was;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	child.signals = system_catch(&set, &was);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (child.signals < 0 || !mkdtemp(directory))
		return -1;
	snprintf(script, sizeof(script), "%s/ask", directory);
	setenv("WEIR_ASK", script, 1);
	setenv("WEIR_POLICY", "policy", 1);
	setenv("OTHER", "here", 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(script);
	return rmdir(directory);
}

RUN(set_up, tear_down)
