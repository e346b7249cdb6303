/*
 * One client of a fleet: calls a tool without a pause, and kills its weir every
 * so many milliseconds, if that is not 0.  Prints how many calls passed, were
 * refused, and could not be counted.
 *
 *	fleet SECONDS MILLISECONDS COMMAND [ARG]...
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned passed, refused, uncounted;

static long long milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* False: there is no answer until then. */
static bool call(int in, int out, long long until)
{
	static const char line[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"echo\",\"arguments\":{}}}\n";
	struct pollfd p = {.fd = out, .events = POLLIN};
	char answer[4096];
	size_t len = 0;

	if (write(in, line, sizeof(line) - 1) < 0)
		return false;
	while (len == 0 || answer[len - 1] != '\n') {
		long long left = until - milliseconds();
		ssize_t got;

		if (left <= 0 || poll(&p, 1, (int)left) != 1)
			return false;
		got = read(out, answer + len, sizeof(answer) - 1 - len);
		if (got <= 0)
			return false;
		len += (size_t)got;
	}
	answer[len] = '\0';
	if (strstr(answer, "cannot be checked"))
		uncounted++;
	else if (strstr(answer, "isError"))
		refused++;
	else
		passed++;
	return true;
}

/* One weir, until then. */
static void run(char **command, long long until)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		exit(2);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execvp(command[0], command);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	while (call(in[1], out[0], until))
		;
	kill(pid, SIGKILL);
	close(in[1]);
	close(out[0]);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	long long end, lives;

	if (argc < 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	end = milliseconds() + 1000 * atoll(argv[1]);
	lives = atoll(argv[2]);
	while (milliseconds() < end) {
		long long until = milliseconds() + lives;

		run(argv + 3, lives > 0 && until < end ? until : end);
	}
	printf("%u %u %u\n", passed, refused, uncounted);
	return 0;
}
