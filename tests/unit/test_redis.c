/*
 * Counting in Redis: what a server may answer, or not answer, and what real
 * ones do that are stopped, killed, full, replaced, or want a password.
 */
#include "unit.h"

#include "../../policies/counters/redis.h"
#include "../../policies/counters/redis_place.h"
#include "../../policies/counters/redis_script.h"
#include "redis_fake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define WINDOWS(...)                                                           \
	(const int64_t[])                                                      \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define M UINT64_C(1000000)

/* The linker puts it before the library's own (--wrap). */
int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

/* The clock stands: a busy machine is never too late. */
static struct timespec stands;

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (!stands.tv_sec)
		return __real_clock_gettime(id, t);
	*t = stands;
	return 0;
}

static int patient(void **state)
{
	(void)state;
	return __real_clock_gettime(CLOCK_BOOTTIME, &stands);
}

/* For a test that waits. */
static void go_on(void)
{
	stands.tv_sec = 0;
}

static char said[2048]; /* what was reported last */

static void listen_to(void *context, const char *line)
{
	(void)context;
	snprintf(said, sizeof(said), "%s", line);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static struct backend *open_at(const char *url, const char *secret)
{
	said[0] = '\0';
	return redis_open(url, secret, "g", listen_to, NULL);
}

/* Asks, and waits as the relay would. */
static enum counted ask(struct backend *b, struct question *q, size_t n,
			bool count)
{
	enum counted answer = b->ops->ask(b, q, n, count);
	struct pollfd p;
	int64_t left;

	while (answer == COUNTED_LATER) {
		left = b->ops->poll(b, &p) - now();
		poll(&p, 1, left < 0 ? 0 : (int)(left / MILLISECOND) + 1);
		answer = b->ops->resume(b);
	}
	return answer;
}

#define LIMIT(id_, most, span)                                                 \
	.id = (id_), .max = (most), .window = (span),                          \
	.windows = (const int64_t[]){span}, .window_count = 1

/* One limit of calls, of 10 a minute. */
static const struct counter ten = {LIMIT(10, 10, 60 * SECOND), .name = "ten",
				   .grant = true};

static struct question call(const struct counter *c)
{
	return (struct question){
		.counter = c, .max = c->max, .window = c->window, .amount = 1};
}

static enum counted count_ten(struct backend *b)
{
	struct question q = call(&ten);

	return ask(b, &q, 1, true);
}

static bool has(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	print_error("\"%s\" is not in: %s\n", part, text);
	return false;
}

/* Skips a test where there is no server. */
#define SERVER(...)                                                            \
	do {                                                                   \
		const char *const options_[] = {__VA_ARGS__};                  \
		if (!redis_start(options_)) {                                  \
			print_message("no redis-server here\n");               \
			skip();                                                \
		}                                                              \
	} while (0)

static struct backend *opened(void)
{
	struct backend *b;

	SERVER(NULL);
	b = open_at(redis_url, NULL);
	assert_non_null(b);
	return b;
}

static void cannot_open(const char *words)
{
	assert_null(open_at(redis_url, NULL));
	assert_true(has(said, words));
}

static void cannot_count(struct backend *b, const char *words)
{
	assert_int_equal(count_ten(b), COUNTED_NOT);
	assert_true(has(b->trouble, words));
}

static struct backend *fake_open(const struct fake *f)
{
	fake_start(f);
	return open_at(fake_url, NULL);
}

static void fake_close(struct backend *b)
{
	b->ops->close(b);
	fake_stop();
}

/* ---- URLs and files with passwords ----------------------------------- */

TEST(urls)
{
	static const struct {
		const char *url, *is; /* where that is, or what is said */
	} rows[] = {
		{"redis://127.0.0.1", "127.0.0.1 6379 0 "},
		{"redis://127.0.0.1/", "127.0.0.1 6379 0 "},
		{"redis://127.0.0.1:1/15", "127.0.0.1 1 15 "},
		{"redis://ann@127.0.0.1:65535", "127.0.0.1 65535 0 ann"},
		{"redis://[::1]:7", "::1 7 0 "},
		{"redis://[fe80::1]/3", "fe80::1 6379 3 "},
		{"redis://localhost:7", "127.0.0.1 7 0 "},
		{"redis://LocalHost:7", "127.0.0.1 7 0 "},
		{"redis+unix:/run/r", "/run/r 0 "},
		{"redis+unix:///run/r", "/run/r 0 "},
		{"redis+unix://ann@/run/r", "/run/r 0 ann"},
		{"redis://ann:pw@127.0.0.1", "a password in a URL"},
		{"redis://:pw@127.0.0.1", "a password in a URL"},
		{"redis+unix://a:b@/run/r", "a password in a URL"},
		{"redis://@127.0.0.1", "user's name is empty"},
		{"redis://", "not a name or an address"},
		{"redis:///1", "not a name or an address"},
		{"redis://a b", "not a name or an address"},
		{"redis://a%41", "not a name or an address"},
		{"redis://[::1", "not a name or an address"},
		{"redis://[]", "not a name or an address"},
		{"redis://::1", "the port is not"},
		{"redis://127.0.0.1:", "the port is not"},
		{"redis://127.0.0.1:0", "the port is not"},
		{"redis://127.0.0.1:65536", "the port is not"},
		{"redis://127.0.0.1:99999999999999999999", "the port is not"},
		{"redis://127.0.0.1:1x", "the port is not"},
		{"redis://127.0.0.1/x", "the database"},
		{"redis://127.0.0.1/-1", "the database"},
		{"redis://127.0.0.1/1/2", "the database"},
		{"redis://127.0.0.1/0?a=b", "the database"},
		{"redis://127.0.0.1/1000001", "the database"},
		{"redis+unix:r", "an absolute path"},
		{"redis+unix://r", "an absolute path"},
		{"redis+unix:", "an absolute path"},
		{"rediss://127.0.0.1", "no TLS"},
		{"redis:127.0.0.1", "expected redis://"},
	};
	char long_path[256] = "redis+unix:/", is[512], text[64] = "", why[512];
	struct redis_place p;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct sockaddr_in *v4 = (const void *)&p.addresses[0].at;
		const struct sockaddr_in6 *v6 = (const void *)v4;
		const struct sockaddr_un *un = (const void *)v4;

		memset(&p, 0, sizeof(p));
		if (!redis_place_read(&p, rows[i].url, why, sizeof(why))) {
			row_true(rows[i].url, has(why, rows[i].is));
			continue;
		}
		if (v4->sin_family == AF_UNIX)
			snprintf(is, sizeof(is), "%s %d %s", un->sun_path, p.db,
				 p.user);
		else
			snprintf(is, sizeof(is), "%s %d %d %s",
				 inet_ntop(v4->sin_family,
					   v4->sin_family == AF_INET
						   ? (const void *)&v4->sin_addr
						   : &v6->sin6_addr,
					   text, sizeof(text)),
				 ntohs(v4->sin_port), p.db, p.user);
		row_true(rows[i].url, strcmp(is, rows[i].is) == 0);
		row_true(rows[i].url, redis_is_url(rows[i].url));
	}
	memset(long_path + 12, 'a', sizeof(long_path) - 13);
	assert_false(redis_place_read(&p, long_path, why, sizeof(why)));
	long_path[11 + 107] = '\0';
	memset(&p, 0, sizeof(p));
	assert_true(redis_place_read(&p, long_path, why, sizeof(why)));
	assert_false(redis_is_url("/var/lib/redis"));
	assert_false(redis_is_url("redis"));
}

TEST(secrets)
{
	static const struct {
		const char *text;
		size_t len;
		mode_t mode;
		const char *is; /* the password, or what is said */
		bool good;
	} rows[] = {
		{"pw\n", 3, 0600, "pw", true},
		{"pw", 2, 0400, "pw", true},
		{"p w\r\n", 5, 0600, "p w", true},
		{"pw\n\n", 4, 0600, "pw\n", true},
		{"\303\244", 2, 0600, "\303\244", true},
		{"", 0, 0600, "not a line with a password", false},
		{"\n", 1, 0600, "not a line with a password", false},
		{"a\0b", 3, 0600, "not a line with a password", false},
		{"pw", 2, 0640, "open to other users", false},
		{"pw", 2, 0604, "open to other users", false},
	};
	char path[128], why[512], large[2 * REDIS_SECRET_MOST];
	struct redis_place p = {.count = 0};
	int fd;

	redis_place_names();
	snprintf(path, sizeof(path), "%s/secret", redis_dir);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good;

		unlink(path);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		assert_int_equal(write(fd, rows[i].text, rows[i].len),
				 rows[i].len);
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		close(fd);
		good = redis_place_secret(&p, path, why, sizeof(why));
		row_true(rows[i].is, good == rows[i].good);
		row_true(rows[i].is, good ? strcmp(p.secret, rows[i].is) == 0
					  : has(why, rows[i].is));
	}
	memset(large, 'a', sizeof(large));
	for (int len = REDIS_SECRET_MOST - 1; len < REDIS_SECRET_MOST + 4;
	     len++) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(fchmod(fd, 0600), 0);
		assert_int_equal(write(fd, large, (size_t)len), len);
		close(fd);
		assert_int_equal(redis_place_secret(&p, path, why, sizeof(why)),
				 len <= REDIS_SECRET_MOST);
	}
	assert_false(redis_place_secret(&p, "/dev/null", why, sizeof(why)));
	assert_false(redis_place_secret(&p, redis_dir, why, sizeof(why)));
	unlink(path);
	assert_false(redis_place_secret(&p, path, why, sizeof(why)));
	assert_true(has(why, "No such file"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(redis_place_secret(&p, path, why, sizeof(why)));
	unlink(path);
}

/* The name of the script is that of its text. */
TEST(script_name)
{
	char command[64], sum[41] = "";
	FILE *in;

	redis_place_names();
	snprintf(command, sizeof(command), "%s/script", redis_dir);
	in = fopen(command, "w");
	assert_non_null(in);
	fputs(REDIS_SCRIPT, in);
	fclose(in);
	snprintf(command, sizeof(command), "sha1sum <%s/script", redis_dir);
	in = popen(command, "r");
	assert_non_null(in);
	assert_int_equal(fread(sum, 1, 40, in), 40);
	pclose(in);
	assert_string_equal(sum, REDIS_SCRIPT_SHA1);
}

/* ---- a server that answers what it likes ----------------------------- */

/* Yes, and what it says: one limit, nothing used. */
#define YES "*6\r\n:#\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n"

TEST(errors)
{
	static const struct {
		const char *answer, *is;
		bool stays; /* the connection, so that the next call is asked */
	} rows[] = {
		{"-NOAUTH Authentication required.\r\n", "wants a password"},
		{"-WRONGPASS invalid username-password pair\r\n",
		 "refuses the user"},
		{"-NOPERM this user has no permissions\r\n", "does not permit",
		 true},
		{"-OOM command not allowed\r\n", "out of memory", true},
		{"-READONLY You can't write\r\n", "read-only replica"},
		{"-MASTERDOWN Link with MASTER is down\r\n",
		 "lost its primary"},
		{"-LOADING Redis is loading\r\n", "is loading"},
		{"-BUSY Redis is busy\r\n", "is busy", true},
		{"-MISCONF Redis is configured\r\n", "cannot save", true},
		{"-MOVED 1 127.0.0.1:1\r\n", "part of a cluster"},
		{"-CLUSTERDOWN Hash slot not served\r\n", "part of a cluster"},
		{"-WRONGTYPE Operation against a key\r\n", "values of others",
		 true},
		{"-ERR something else \033[2J\r\n",
		 "refuses to count (ERR something else ?[2J)", true},
		{"-NOSCRIPT No matching script\r\n", "refuses to count", true},
		{"-\r\n", "refuses to count ()", true},
	};
	struct fake f = {.end = FAKE_HOLD};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend *b;
		struct pollfd p;

		f.answer = rows[i].answer;
		f.bytes = i % 2;
		b = fake_open(&f);
		row_true(rows[i].answer, b != NULL);
		row_true(rows[i].answer, count_ten(b) == COUNTED_NOT);
		row_true(rows[i].answer, has(b->trouble, rows[i].is));
		row_true(rows[i].answer, b->ops->poll(b, &p) == -1);
		/* Told again: by the server, or of the time before. */
		if (rows[i].stays)
			b->trouble[0] = '\0';
		row_true(rows[i].answer, count_ten(b) == COUNTED_NOT);
		row_true(rows[i].answer, has(b->trouble, rows[i].is));
		fake_close(b);
	}
}

/* Of a fake server, in one connection: no row is a yes. */
TEST(garbage)
{
	static const struct row {
		const char *answer;
		size_t len; /* 0: to the NUL */
	} rows[] = {
		{"*6\r\n:0\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n"},  /* number */
		{"*6\r\n:#\r\n:2\r\n:0\r\n:0\r\n:0\r\n:0\r\n"},  /* yes? */
		{"*6\r\n:#\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n"},  /* no? */
		{"*6\r\n:#\r\n:1\r\n:1\r\n:0\r\n:0\r\n:0\r\n"},  /* yes? */
		{"*6\r\n:#\r\n:1\r\n:-2\r\n:0\r\n:0\r\n:0\r\n"}, /* wait */
		{"*6\r\n:#\r\n:1\r\n:0\r\n:-1\r\n:0\r\n:0\r\n"}, /* used */
		{"*6\r\n:#\r\n:1\r\n:0\r\n:0\r\n:-1\r\n:0\r\n"}, /* used */
		{"*6\r\n:#\r\n:0\r\n:9999999999999999\r\n"
		 ":9999999999999999\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n:00000000000000000\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n:\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n:-\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n:+0\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n: 0\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n:0x0\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n:0 \r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n$1\r\n0\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n:#\r\n:1\r\n-no\r\n:0\r\n:0\r\n:0\r\n"},
		{"*6\r\n*6\r\n*6\r\n*6\r\n*6\r\n*6\r\n*6\r\n"},
		{"*6\n:#\n:1\n:0\n:0\n:0\n:0\n"},
		{"*6\r:#\r:1\r:0\r:0\r:0\r:0\r"},
		{"*-1\r\n"},
		{"*0\r\n"},
		{"*1\r\n:#\r\n"},
		{"*2\r\n:#\r\n:0\r\n"},
		{"*3\r\n:#\r\n:1\r\n:0\r\n"},
		{"*7\r\n:#\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n"},
		{"*2147483648\r\n"},
		{"*9223372036854775807\r\n"},
		{"*99999999999999999999999999\r\n"},
		{"*\r\n"},
		{"$-1\r\n"},
		{"$4\r\ntrue\r\n"},
		{"$9223372036854775807\r\n"},
		{"+OK\r\n"},
		{":1\r\n"},
		{"_\r\n"},
		{"%2\r\n+a\r\n:1\r\n"},
		{">2\r\n+a\r\n:1\r\n"},
		{"\r\n"},
		{"HTTP/1.1 400 Bad Request\r\n\r\n"},
		{"\0\0\0\0", 4},
		{"*6\r\n:#\r\n:1\r\n:0\0\r\n:0\r\n:0\r\n:0\r\n", 29},
		{"-OOM much\r\n-OOM\r\n"},
		{YES "x"},
		{YES YES},
		{"x" YES},
		{" " YES},
	};
	char flood[3 * 8192];

	go_on();
	memset(flood, '0', sizeof(flood));
	for (size_t i = 0; i < 2 * COUNT(rows) + 4; i++) {
		struct fake f = {.end = i % 3 ? FAKE_HOLD : FAKE_CLOSE,
				 .bytes = i % 2};
		struct backend *b;
		bool late;

		if (i / 2 < COUNT(rows)) {
			f.answer = rows[i / 2].answer;
			f.len = rows[i / 2].len;
		} else { /* a line without an end */
			f.bytes = false;
			f.answer = flood;
			f.len = sizeof(flood);
			flood[0] = "*:-$"[i % 4];
		}
		/* What comes late is not taken for the next answer; after an
		 * end, that would come in another connection. */
		late = f.bytes && strncmp(f.answer, YES, strlen(YES)) == 0;
		if (late)
			f.end = FAKE_HOLD;
		b = fake_open(&f);
		row_true(f.answer, b != NULL);
		row_true(f.answer,
			 count_ten(b) == (late ? COUNTED_YES : COUNTED_NOT));
		row_true(f.answer, late || b->trouble[0] != '\0');
		row_true(f.answer, count_ten(b) == COUNTED_NOT);
		fake_close(b);
	}
}

/* A good answer: byte by byte it is one; cut anywhere, or with any byte
 * another, it is none, unless only what is used or live differs. */
TEST(one_byte)
{
	static const char *const good[] = {YES, "*2\r\n:#\r\n:1\r\n"};
	static const char others[] = "0123456789-+:$*\r\n \377_a";
	struct fake f = {.answer = good[0], .bytes = true};
	struct backend *b;
	char text[64];

	for (size_t i = 0; i < COUNT(good); i++) {
		f.answer = good[i];
		b = fake_open(&f);
		assert_int_equal(count_ten(b), COUNTED_YES);
		assert_int_equal(count_ten(b), COUNTED_YES);
		fake_close(b);
	}
	f.bytes = false;
	f.end = FAKE_CLOSE;
	f.answer = text;
	for (size_t cut = 1; cut < strlen(YES); cut++) {
		snprintf(text, sizeof(text), "%.*s", (int)cut, YES);
		b = fake_open(&f);
		row_true(text, count_ten(b) == COUNTED_NOT);
		fake_close(b);
	}
	for (size_t at = 0; at < strlen(YES); at++)
		for (size_t i = 0; i < sizeof(others) - 1; i++) {
			bool count = at > strlen("*6\r\n:#\r\n:1\r\n:0") &&
				     others[i] >= '0' && others[i] <= '9' &&
				     YES[at] == '0';

			strcpy(text, YES);
			text[at] = others[i];
			if (strcmp(text, YES) == 0 || count ||
			    (YES[at] == FAKE_NUMBER && others[i] == '2'))
				continue;
			b = fake_open(&f);
			row_true(text, count_ten(b) == COUNTED_NOT);
			fake_close(b);
		}
}

/* What comes before the first question. */
TEST(greetings)
{
	static const struct {
		const char *info, *is; /* NULL: it is opened */
	} rows[] = {
		{FAKE_INFO, NULL},
		{"$37\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n", NULL},
		{"$28\r\nmaxmemory_policy:allkeys-lru\r\n",
		 "maxmemory-policy to noeviction (it is allkeys-lru)"},
		{"$30\r\nmaxmemory_policy:noeviction-x\n\r\n", "forgets"},
		{"$26\r\nmaxmemory_policy:noevictio\r\n", "forgets"},
		{"$17\r\nmaxmemory_policy:\r\n", "forgets"},
		{"$8\r\n# Memory\r\n", "does not say"},
		{"$0\r\n\r\n", "does not say"},
		{"-NOPERM this user\r\n", "does not say"},
		{"-ERR unknown command\r\n", "does not say"},
		{"-NOAUTH Authentication required.\r\n", "wants a password"},
		{"-LOADING Redis\r\n", "is loading"},
		{"-DENIED Redis is running in protected mode\r\n",
		 "refuses to count (DENIED"},
		{"-ERR max number of clients reached\r\n",
		 "refuses to count (ERR max"},
		{"$-1\r\n", "does not understand"},
		{"$8161\r\n", "does not understand"},
		{"$9223372036854775807\r\n", "does not understand"},
		{"+OK\r\n", "does not understand"},
		{"HTTP/1.1 400 Bad Request\r\n", "does not understand"},
		{FAKE_INFO "+", "does not understand"},
		{"$28\r\nmaxmemory_policy:noeviction\nxx", "not understand"},
		{"$27\r\nmaxmemory_policy:noevictionx\r\n", "not understand"},
	};
	struct fake f = {.answer = YES};

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good =
			!rows[i].is || strcmp(rows[i].is, "does not say") == 0;
		struct backend *b;

		f.info = rows[i].info;
		f.bytes = i % 2;
		b = fake_open(&f);
		row_true(rows[i].info, (b != NULL) == good);
		row_true(rows[i].info,
			 rows[i].is ? has(said, rows[i].is) : !said[0]);
		if (b) {
			row_true(rows[i].info, count_ten(b) == COUNTED_YES);
			b->ops->close(b);
		}
		fake_stop();
	}
}

/* The answer was lost, not the count: once more, under the same name. */
TEST(counts_once)
{
	const struct counter sum = {LIMIT(11, 100 * M, 60 * SECOND),
				    .sum = true};
	struct fake f = {.through = redis_socket, .lose = true};
	struct question q[] = {call(&ten), call(&sum)};
	struct backend *b;

	SERVER(NULL);
	b = fake_open(&f);
	assert_non_null(b);
	for (uint64_t i = 1; i <= 3; i++) {
		q[1].amount = 5 * M;
		assert_int_equal(ask(b, q, 2, true), COUNTED_YES);
		assert_int_equal(ask(b, q, 2, false), COUNTED_YES);
		assert_int_equal(q[0].used, i);
		assert_int_equal(q[1].used, i * 5 * M);
	}
	fake_close(b);
}

/* ---- real servers ---------------------------------------------------- */

/* Counts until it is counted, or until the trouble has these words. */
static bool count_until(struct backend *b, const char *words)
{
	int64_t until = now() + 2 * REDIS_REST_MOST;

	while (now() < until) {
		if (count_ten(b) != COUNTED_NOT)
			return !words;
		if (words && strstr(b->trouble, words))
			return true;
		redis_nap();
	}
	return false;
}

TEST(stops)
{
	struct backend *b;
	int64_t from;

	go_on();
	b = opened();
	assert_int_equal(count_ten(b), COUNTED_YES);
	kill(redis_pid, SIGSTOP);
	from = now();
	cannot_count(b, "does not answer");
	assert_in_range(now() - from, COUNTERS_WAIT, 4 * COUNTERS_WAIT);
	for (int i = 0; i < 1000; i++)
		cannot_count(b, "does not answer");
	kill(redis_pid, SIGCONT);
	assert_true(count_until(b, NULL));
	/* Given up: what it answers is not taken for another's answer. */
	for (int i = 0; i < 5; i++) {
		struct question q = call(&ten);

		b->ops->ask(b, &q, 1, true);
		b->ops->drop(b);
		b->ops->drop(b);
		assert_int_equal(ask(b, &q, 1, false), COUNTED_YES);
	}
	b->ops->close(b);
}

TEST(restarts)
{
	struct backend *b;

	go_on();
	b = opened();
	assert_int_equal(count_ten(b), COUNTED_YES);
	/* Without a word to anybody. */
	redis_say("SCRIPT FLUSH");
	assert_int_equal(count_ten(b), COUNTED_YES);
	redis_say("CLIENT KILL TYPE normal");
	assert_int_equal(count_ten(b), COUNTED_YES);
	assert_string_equal(b->trouble, "");
	SERVER(NULL);
	assert_int_equal(count_ten(b), COUNTED_YES);
	assert_string_equal(b->trouble, "");
	redis_stop();
	cannot_count(b, "No such file");
	SERVER(NULL);
	assert_true(count_until(b, NULL));
	b->ops->close(b);
	redis_stop();
	cannot_open("No such file");
}

TEST(fills_up)
{
	struct backend *b;

	b = opened();
	assert_int_equal(count_ten(b), COUNTED_YES);
	redis_say("CONFIG SET maxmemory 1");
	cannot_count(b, "out of memory");
	cannot_open("out of memory");
	redis_say("CONFIG SET maxmemory 0");
	assert_int_equal(count_ten(b), COUNTED_YES);
	/* It forgets from now on: noticed with the next connection. */
	redis_say("CONFIG SET maxmemory-policy volatile-ttl");
	assert_int_equal(count_ten(b), COUNTED_YES);
	redis_say("CLIENT KILL TYPE normal");
	cannot_count(b, "it is volatile-ttl");
	cannot_open("it is volatile-ttl");
	b->ops->close(b);
}

TEST(is_replaced)
{
	struct backend *b;

	go_on();
	b = opened();
	redis_say("REPLICAOF 127.0.0.1 1");
	cannot_count(b, "replica");
	cannot_open("replica");
	redis_say("CONFIG SET replica-serve-stale-data no");
	redis_say("CLIENT KILL TYPE normal");
	assert_true(count_until(b, "lost its primary"));
	redis_say("REPLICAOF NO ONE");
	assert_true(count_until(b, NULL));
	b->ops->close(b);
}

TEST(wrong_type)
{
	const struct counter other = {LIMIT(12, 1, SECOND)};
	struct question q[] = {call(&other), call(&ten)};
	struct backend *b;
	char *keys, *end;

	b = opened();
	assert_int_equal(count_ten(b), COUNTED_YES);
	keys = strdup(redis_say("KEYS *000a"));
	end = strstr(keys, "weir:");
	assert_non_null(end);
	redis_say("SET %.*sc 1", (int)strlen(end) - 3, end);
	assert_int_equal(ask(b, q, 2, true), COUNTED_NOT);
	assert_true(has(b->trouble, "values of others"));
	assert_int_equal(ask(b, q + 1, 1, false), COUNTED_YES);
	assert_int_equal(q[1].used, 1);
	free(keys);
	b->ops->close(b);
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* What the man page says to send, on one line, with the password "pw". */
static const char *rights(void)
{
	static char line[2048];
	char *to = line, text[1024];
	FILE *page = fopen("shim/weir.1", "r");
	bool in = false;

	assert_non_null(page);
	while (fgets(text, sizeof(text), page)) {
		in = in || strncmp(text, "ACL SETUSER", 11) == 0;
		if (in && strncmp(text, ".Ed", 3) == 0)
			break;
		for (char *p = text; in && *p; p++)
			if (*p != '\\')
				*to++ = *p == '\n' ? ' ' : *p;
	}
	fclose(page);
	to = strstr(line, "PASSWORD");
	assert_non_null(to);
	memcpy(to, "pw", 2);
	memmove(to + 2, to + 8, strlen(to + 8) + 1);
	return line;
}

TEST(passwords)
{
	char path[64], url[128], other[128];
	struct question q = call(&ten);
	struct backend *b;

	go_on();
	SERVER("--requirepass", "open-sesame", NULL);
	snprintf(path, sizeof(path), "%s/secret", redis_dir);
	cannot_open("wants a password");
	put_file(path, "open-sesam\n");
	assert_null(open_at(redis_url, path));
	assert_true(has(said, "refuses the user or the password"));
	put_file(path, "open-sesame\n");
	b = open_at(redis_url, path);
	assert_non_null(b);
	assert_int_equal(count_ten(b), COUNTED_YES);
	/* Another password: it is read anew with the policy. */
	redis_stop();
	SERVER("--requirepass", "other", NULL);
	assert_true(count_until(b, "refuses the user or the password"));
	put_file(path, "other");
	assert_true(b->ops->bind(b, NULL, 0, false));
	assert_true(count_until(b, NULL));
	b->ops->close(b);

	SERVER(NULL);
	assert_true(has(redis_say("%s", rights()), "+OK"));
	put_file(path, "pw");
	assert_null(open_at(redis_url, path));
	assert_true(has(said, "wants no password"));
	snprintf(url, sizeof(url), "redis+unix://weir@%s", redis_socket);
	assert_null(open_at(url, NULL));
	assert_true(has(said, "names a user"));
	snprintf(other, sizeof(other), "redis+unix://ann@%s", redis_socket);
	assert_null(open_at(other, path));
	assert_true(has(said, "refuses the user or the password"));
	b = open_at(url, path);
	assert_string_equal(said, "");
	assert_non_null(b);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(b, &q, 1, true), COUNTED_YES);
		assert_int_equal(ask(b, &q, 1, false), COUNTED_YES);
		assert_int_equal(q.used, 1);
		assert_true(b->ops->reset(b, &ten));
	}
	redis_say("ACL SETUSER weir -info");
	redis_say("CLIENT KILL TYPE normal");
	assert_int_equal(count_ten(b), COUNTED_YES);
	redis_say("ACL SETUSER weir -zadd");
	cannot_count(b, "does not permit");
	b->ops->close(b);
	redis_say("ACL SETUSER weir +zadd");
	b = open_at(url, path);
	assert_non_null(b);
	assert_true(has(said, "does not say"));
	b->ops->close(b);
	redis_say("ACL SETUSER weir resetkeys ~other:*");
	assert_null(open_at(url, path));
	assert_true(has(said, "does not permit"));
}

/* Over TCP, in another database, at the second address of a name. */
TEST(over_tcp)
{
	char url[64], port[16];
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	struct backend *b;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	go_on();
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (void *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (void *)&in, &len), 0);
	close(fd);
	snprintf(port, sizeof(port), "%d", ntohs(in.sin_port));
	snprintf(url, sizeof(url), "redis://localhost:%s/3", port);
	assert_null(open_at(url, NULL));
	assert_true(has(said, "Connection refused"));
	SERVER("--port", port, "--bind", "127.0.0.1", NULL);
	b = open_at(url, NULL);
	assert_string_equal(said, "");
	assert_non_null(b);
	assert_int_equal(count_ten(b), COUNTED_YES);
	assert_true(has(redis_say("INFO keyspace"), "db3:keys=3"));
	snprintf(url, sizeof(url), "redis://127.0.0.1:%s/16", port);
	assert_null(open_at(url, NULL));
	assert_true(has(said, "no such database"));
	b->ops->close(b);
	/* One that takes connections, and never answers. */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SERVER("--port", port, "--bind", "::1", NULL);
	assert_int_equal(bind(fd, (void *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	snprintf(url, sizeof(url), "redis://localhost:%s", port);
	b = open_at(url, NULL);
	assert_string_equal(said, "");
	assert_non_null(b);
	/* From now on the second is the first. */
	redis_say("CLIENT KILL TYPE normal");
	assert_int_equal(count_ten(b), COUNTED_YES);
	close(fd);
	b->ops->close(b);
}

/* ---- what counts ----------------------------------------------------- */

TEST(boundary)
{
	const struct counter two = {LIMIT(20, 2, SECOND)};
	struct question q = call(&two);
	struct backend *b;
	int64_t from, wait;

	go_on();
	b = opened();
	from = now();
	assert_int_equal(ask(b, &q, 1, true), COUNTED_YES);
	assert_int_equal(ask(b, &q, 1, true), COUNTED_YES);
	assert_int_equal(ask(b, &q, 1, true), COUNTED_REFUSED);
	assert_int_equal(q.used, 2);
	assert_in_range(q.wait, 1, SECOND);
	wait = now() + q.wait;
	/* Not before a window has passed; and once it has. */
	while (ask(b, &q, 1, true) != COUNTED_YES)
		assert_true(now() < wait + SECOND);
	assert_true(now() - from >= SECOND);
	b->ops->close(b);
}

TEST(sums)
{
	/* POLICY_SUM_MAX, and a millionth less than 2^53 on the way. */
	const struct counter sum = {.id = 21,
				    .sum = true,
				    .max = UINT64_C(1000000000000) * M,
				    .window = 3600 * SECOND,
				    .windows =
					    WINDOWS(60 * SECOND, 3600 * SECOND),
				    .window_count = 2};
	static const struct {
		uint64_t amount;
		bool yes;
	} rows[] = {
		{UINT64_C(1000000000000) * M + 1, false},
		{UINT64_C(9007199254740991), true},
		{2, true},
		{UINT64_C(999999999999) * M + 999999, false},
		{UINT64_C(1000000000000) * M - UINT64_C(9007199254740993),
		 true},
		{1, false},
		{0, true},
	};
	struct question q = call(&sum);
	struct backend *b;
	uint64_t used = 0;

	b = opened();
	for (size_t i = 0; i < COUNT(rows); i++) {
		q.amount = rows[i].amount;
		assert_int_equal(ask(b, &q, 1, true),
				 rows[i].yes ? COUNTED_YES : COUNTED_REFUSED);
		if (rows[i].yes)
			used += rows[i].amount;
		assert_int_equal(ask(b, &q, 1, false),
				 q.amount + used <= q.max ? COUNTED_YES
							  : COUNTED_REFUSED);
		assert_int_equal(q.used, used);
		if (!rows[i].yes && i == 0)
			assert_int_equal(q.wait, -1);
	}
	/* The shorter window, and one that no policy had. */
	q.window = 60 * SECOND;
	assert_int_equal(ask(b, &q, 1, false), COUNTED_YES);
	assert_int_equal(q.used, used);
	q.window = 600 * SECOND;
	assert_int_equal(ask(b, &q, 1, false), COUNTED_YES);
	assert_int_equal(q.used, used);
	assert_true(b->ops->reset(b, &sum));
	assert_int_equal(ask(b, &q, 1, false), COUNTED_YES);
	assert_int_equal(q.used, 0);
	b->ops->close(b);
}

/* As many limits and windows as a call may have. */
TEST(many)
{
	static struct counter c[COUNTERS_ASKED_MAX + 1];
	static int64_t w[40];
	struct question q[COUNTERS_ASKED_MAX + 1];
	struct backend *b;

	b = opened();
	for (size_t i = 0; i < COUNT(w); i++)
		w[i] = (31622400 - (int64_t)i) * SECOND;
	for (size_t i = 0; i < COUNT(q); i++) {
		c[i] = (struct counter){.id = UINT64_MAX - i,
					.sum = true,
					.values = 1000,
					.max = UINT64_C(1000000000000) * M,
					.window = w[0],
					.windows = w,
					.window_count = COUNT(w)};
		q[i] = call(&c[i]);
		q[i].value = UINT64_MAX;
		q[i].amount = c[i].max - i;
	}
	assert_int_equal(ask(b, q, COUNTERS_ASKED_MAX, true), COUNTED_YES);
	assert_int_equal(ask(b, q, COUNTERS_ASKED_MAX, true), COUNTED_REFUSED);
	for (size_t i = 0; i < COUNTERS_ASKED_MAX; i++) {
		assert_int_equal(q[i].used, c[i].max - i);
		assert_int_equal(q[i].live, 1);
	}
	assert_int_equal(ask(b, q, COUNT(q), true), COUNTED_NOT);
	assert_true(has(b->trouble, "more than 64 limits"));
	b->ops->close(b);
}

/* ---- the script against a model -------------------------------------- */

/* Several policies of one grant: each limit is told of what its own policy
 * knows.  Limits of the same counter share what was counted. */
#define KINDS  3 /* counters: calls, sums, sums of each value */
#define VALUES 4
static const struct counter counters[][KINDS] = {
	{{LIMIT(30, 5, 4 * SECOND)},
	 {LIMIT(31, 40 * M, 8 * SECOND), .sum = true},
	 {.id = 32,
	  .sum = true,
	  .values = VALUES - 1,
	  .max = 20 * M,
	  .window = 16 * SECOND,
	  .windows = (const int64_t[]){16 * SECOND, 2 * SECOND},
	  .window_count = 2}},
	{{LIMIT(30, 30, 60 * SECOND)},
	 {.id = 31,
	  .sum = true,
	  .max = 200 * M,
	  .window = 90 * SECOND,
	  .windows = (const int64_t[]){90 * SECOND, 3 * SECOND},
	  .window_count = 2},
	 {LIMIT(32, 90 * M, 100 * SECOND), .sum = true, .values = VALUES - 1}},
};

#define EVENTS 4096 /* of the last calls that were counted */
static struct event {
	int64_t at; /* microseconds */
	uint64_t amount[KINDS], value;
	bool counted[KINDS];
} events[EVENTS];
static size_t event_count;
static int64_t *server_clock; /* of the server, in microseconds */

/* What was counted later than since. */
static uint64_t model_used(int kind, uint64_t value, int64_t since)
{
	uint64_t used = 0;

	for (size_t i = 0; i < EVENTS && i < event_count; i++) {
		const struct event *e = &events[(event_count - 1 - i) % EVENTS];

		if (e->at <= since)
			break;
		if (e->counted[kind] && (kind < 2 || e->value == value))
			used += e->amount[kind];
	}
	return used;
}

static size_t model_live(int64_t since)
{
	size_t live = 0;

	for (uint64_t v = 1; v <= VALUES; v++)
		live += model_used(2, v, since) > 0;
	return live;
}

static int kind_of(const struct question *q)
{
	return (int)q->counter->id - 30;
}

/* Is the answer to one limit what the model says? */
static bool model_agrees(const struct question *q, int64_t t)
{
	const int64_t w = q->window / 1000;
	const int kind = kind_of(q);
	const uint64_t used = model_used(kind, q->value, t - w);
	const uint64_t most = model_used(kind, q->value, t - w - w / 64);
	const uint64_t amount = kind ? q->amount : 1;

	if (q->full) /* a part may live a 64th longer than its window */
		return model_live(t - INT64_C(100000000)) >= VALUES - 1 &&
		       model_used(2, q->value, t - INT64_C(100000000)) == 0;
	if (q->wait == 0 && kind == 0)
		return used < q->max && q->used == used;
	if (q->wait == 0)
		return used + amount <= q->max && q->used <= most &&
		       q->used >= used;
	if (q->wait < 0)
		return amount > q->max;
	return kind ? most + amount > q->max : used >= q->max;
}

static struct question random_question(int policy, uint64_t value)
{
	const int kind = rand() % KINDS;
	const struct counter *c = &counters[policy][kind];
	struct question q = call(c);

	q.window = c->windows[(size_t)rand() % c->window_count];
	if (q.window < c->window)
		q.max /= 2;
	if (c->values > 0)
		q.value = value;
	return q;
}

/* Starts a server whose clock is in the hands of the test. */
static struct backend *open_clock(void)
{
	static struct fake f = {.through = redis_socket};

	if (!f.clock)
		f.clock = server_clock =
			mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*server_clock = INT64_C(1764000000000000);
	event_count = 0;
	fake_start(&f);
	return open_at(fake_url, NULL);
}

/* A window that nobody had before: never looser than what was counted, and by
 * a 64th of the longer window stricter. */
TEST(new_windows)
{
	static const int64_t windows[] = {90 * SECOND, 8 * SECOND, 3 * SECOND};
	struct counter sum = counters[1][1];
	struct question q = call(&sum);
	struct backend *b;

	SERVER(NULL);
	b = open_clock();
	assert_non_null(b);
	sum.max = q.max = 10000 * M;
	sum.windows = windows;
	srand(11);
	for (int i = 0; i < 100; i++) {
		int calls = 1 + rand() % 30;

		sum.window_count = 1;
		q.window = windows[0];
		while (calls-- > 0) {
			struct event *e = &events[event_count++ % EVENTS];

			*server_clock += rand() % 3000000;
			q.amount = (uint64_t)rand() % (8 * M);
			*e = (struct event){.at = *server_clock};
			e->amount[1] = q.amount;
			e->counted[1] = true;
			assert_int_equal(ask(b, &q, 1, true), COUNTED_YES);
		}
		*server_clock += rand() % 3000000;
		q.amount = 1;
		for (sum.window_count = 2; sum.window_count <= 3;
		     sum.window_count++) {
			int64_t w = windows[sum.window_count - 1];

			q.window = w;
			assert_int_equal(ask(b, &q, 1, i % 2), COUNTED_YES);
			w = *server_clock - w / 1000;
			assert_in_range(
				q.used, model_used(1, 0, w),
				model_used(1, 0, w - 2 * 90000000 / 64) + 2);
		}
		sum.window_count = 1;
		assert_true(b->ops->reset(b, &sum));
		event_count = 0;
	}
	fake_close(b);
}

TEST(model)
{
	const char *more = getenv("REDIS_CALLS");
	const int calls = more ? atoi(more) : 4000;
	int yes = 0, no = 0, full = 0;
	struct question q[4];
	struct backend *b;

	SERVER(NULL);
	srand(7);
	b = open_clock();
	assert_non_null(b);
	/* All windows and maxima are known from the first call on. */
	for (int p = 0; p < 2; p++)
		for (int kind = 0; kind < KINDS; kind++) {
			q[0] = call(&counters[p][kind]);
			q[0].value = kind == 2;
			q[0].amount = 1;
			row_true(b->trouble, ask(b, q, 1, true) == COUNTED_YES);
			events[event_count] =
				(struct event){.at = *server_clock, .value = 1};
			events[event_count].amount[kind] = 1;
			events[event_count++].counted[kind] = true;
		}
	for (int i = 0; i < calls; i++) {
		const int policy = rand() % 2;
		const uint64_t value = 1 + (uint64_t)rand() % VALUES;
		const uint64_t amount = (uint64_t)rand() % (8 * M);
		size_t n = 1 + (size_t)rand() % COUNT(q);
		struct event e = {.value = value};
		enum counted answer;

		*server_clock += rand() % 4   ? rand() % 500000
				 : rand() % 4 ? 0
					      : rand() % 20000000;
		/* Now and then a whole, a half window later, to the point. */
		e.at = events[(event_count - 1) % EVENTS].at +
		       4000000 * (1 + rand() % 2);
		if (rand() % 8 == 0 && e.at > *server_clock)
			*server_clock = e.at;
		e.at = *server_clock;
		for (size_t j = 0; j < n; j++) {
			q[j] = random_question(policy, value);
			q[j].amount = q[j].counter->sum ? amount : 1;
			e.amount[kind_of(&q[j])] = q[j].amount;
			e.counted[kind_of(&q[j])] = true;
		}
		answer = ask(b, q, n, true);
		row_true(b->trouble, answer != COUNTED_NOT);
		for (size_t j = 0; j < n; j++) {
			struct question again = q[j];

			if (!model_agrees(&q[j], *server_clock)) {
				print_error(
					"call %d, kind %d, policy %d, window %lld: wait %lld, used %llu\n",
					i, kind_of(&q[j]), policy,
					(long long)q[j].window,
					(long long)q[j].wait,
					(unsigned long long)q[j].used);
				fail();
			}
			full += q[j].full;
			if (q[j].wait <= 0 || q[j].full)
				continue;
			/* Then it passes, and not before. */
			*server_clock += q[j].wait / 1000 - 1;
			assert_int_equal(ask(b, &again, 1, false),
					 COUNTED_REFUSED);
			assert_int_equal(again.wait, 1000);
			*server_clock += 1;
			assert_int_equal(ask(b, &again, 1, false), COUNTED_YES);
			*server_clock = e.at;
		}
		if (answer == COUNTED_YES)
			events[event_count++ % EVENTS] = e;
		yes += answer == COUNTED_YES;
		no += answer == COUNTED_REFUSED;
	}
	assert_true(yes > calls / 8 && no > calls / 8 && full > calls / 100);
	fake_close(b);
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_DFL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	redis_end();
	return 0;
}

RUN_EACH(set_up, tear_down, patient, NULL)
