/* A Redis, and its own benchmark.  The contract is in redis.h. */
#include "redis.h"

#include "../../policies/counters/redis_script.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLACE_BYTES 100 /* of a socket */

static char place[PLACE_BYTES], url[PLACE_BYTES + 16];
static pid_t redis;

static bool listens(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool does;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", place);
	does = connect(fd, (void *)&un, sizeof(un)) == 0;
	close(fd);
	return does;
}

bool redis_begin(const char *directory)
{
	snprintf(place, sizeof(place), "%s/redis", directory);
	snprintf(url, sizeof(url), "redis+unix:%s", place);
	redis = fork();
	if (redis == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (freopen("/dev/null", "w", stdout))
			execlp("redis-server", "redis-server", "--port", "0",
			       "--save", "", "--unixsocket", place, NULL);
		_exit(127);
	}
	while (redis > 0 && !listens()) {
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		if (waitpid(redis, NULL, WNOHANG) != 0)
			redis = -1;
	}
	return redis > 0;
}

void redis_end(void)
{
	kill(redis, SIGKILL);
	waitpid(redis, NULL, 0);
	unlink(place);
}

const char *redis_url(void)
{
	return url;
}

/* The words are those that weir sends for one limit. */
double redis_bare(size_t count)
{
	static const char words[] =
		"redis-benchmark -s %s -c 1 -n %zu -r 100000000 --csv EVALSHA " REDIS_SCRIPT_SHA1
		" 4 "
		"weir:{0123456789abcdef}:m0123456789abcdef "
		"weir:{0123456789abcdef}:c0123456789abcdef "
		"weir:{0123456789abcdef}:c0123456789abcdef:k "
		"weir:{0123456789abcdef}:c0123456789abcdef:v "
		"count 1 0123456789abcdef:__rand_int__ 1000000 1000000 1000000 "
		"1000000 '' 0 0";
	char command[2048], line[4096];
	double p50 = 0;
	FILE *in;

	snprintf(command, sizeof(command), words, place, count);
	in = popen(command, "r");
	while (in && fgets(line, sizeof(line), in)) {
		const char *at = strstr(line, "\",\"");

		/* The command; then rate, average, least, p50. */
		if (at)
			sscanf(at, "\",\"%*f\",\"%*f\",\"%*f\",\"%lf", &p50);
	}
	if (!in || pclose(in) != 0 || p50 <= 0) {
		fputs("bench: redis-benchmark says nothing\n", stderr);
		exit(1);
	}
	return 1e3 * p50;
}
