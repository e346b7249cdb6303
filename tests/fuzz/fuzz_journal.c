/*
 * The file of a grant, with anything in it.  The input changes a file that is
 * sound: pieces of {where, 2 bytes; how many; the bytes}, after a byte of flags
 * and two for its length.
 *
 *   1  the checks of the header and of all records are made right afterwards
 *   2  the pieces are put behind the end instead, and the length is behind it,
 *      as of a writer that was killed: no call is forgotten
 *
 * Whatever the file holds, it is refused in words, or no more passes than may.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../now.h"
#include "fuzz.h"

#define FILE_MOST 16384
#define SPENT     3 /* calls that are counted in the file */

#define POLICY(limits)                                                         \
	"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":{"          \
	"\"limits\":[" limits "]}}}"
#define CALLS(max, window)                                                     \
	"{\"counter\":\"a\",\"max\":" max ",\"window\":" window "}"
#define SUM(max, window)                                                       \
	"{\"counter\":\"b\",\"max\":" max ",\"window\":" window                \
	",\"increment_from\":\"args.x\"}"
#define EACH(max, window)                                                      \
	"{\"counter\":\"c\",\"per\":\"args.x\",\"max\":" max                   \
	",\"window\":" window "}"

/* Each allows no more than 8 calls at once, each of which adds 1. */
static const char *const policies[] = {
	POLICY(CALLS("5", "60") "," SUM("8", "60") "," EACH("7", "60")),
	POLICY(CALLS("8", "3600") "," SUM("6", "64")),
	POLICY(SUM("7.5", "31622400") "," EACH("8", "1")),
};
#define MOST  8
#define FIRST 5 /* of the first policy */

static char directory[] = "/tmp/weir-fuzz-XXXXXX", path[64];
static char sound[FILE_MOST];
static size_t sound_len;
static struct policy_moment moment;

static struct policy_moment read_moment(void *context)
{
	(void)context;
	return moment;
}

static void listen(void *context, const char *line)
{
	for (const char *p = line; *p; p++)
		must((unsigned char)*p >= ' ');
	++*(int *)context;
}

/* How many calls pass under the policy, at this time; -1: the file is refused.
 */
static int spend(const char *text, int most)
{
	static const char line[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"t\",\"arguments\":{\"x\":1}}}";
	const struct policy_clock clock = {.read = read_moment};
	const struct policy_source source = {"p", text, strlen(text), false};
	int said = 0, passed = 0;
	struct policy *p = policy_compile(&source, 1, NULL, listen, &said);
	struct backend *grant =
		grant_open(directory, "g", clock, listen, &said);
	struct counters *c =
		grant ? counters_new(p, grant, NULL, listen, &said) : NULL;
	struct message m;
	struct fault f;

	must(p && !c == (said > 0));
	must(message_read(line, sizeof(line) - 1, &m, &f));
	while (c && passed < most) {
		struct verdict v = now_judge(p, c, &m);

		must(v.wait >= -1);
		if (v.kind != VERDICT_PASS) {
			must(v.wait >= 0 || *counters_trouble(c));
			break;
		}
		passed++;
	}
	if (!c)
		passed = -1;
	counters_free(c);
	backend_close(grant);
	policy_free(p);
	return passed;
}

static void clean(void)
{
	unlink(path);
	rmdir(directory);
}

static void put(const char *file, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && write(fd, file, len) == (ssize_t)len);
	close(fd);
}

static void begin(void)
{
	ssize_t got;
	int fd;

	moment = (struct policy_moment){
		.steady = 1000, .wall = 1700000000000000000, .boot = 1};
	if (sound_len > 0)
		return;
	must(mkdtemp(directory));
	atexit(clean);
	snprintf(path, sizeof(path), "%s/g.limits", directory);
	must(spend(policies[0], SPENT) == SPENT);
	fd = open(path, O_RDONLY);
	must(fd >= 0);
	got = read(fd, sound, sizeof(sound));
	close(fd);
	must(got > 64 && got < FILE_MOST && got % 8 == 0);
	sound_len = (size_t)got;
}

/* ---- checks, as the journal makes them ----------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Makes the last of n words the check of those before. */
static void seal(uint64_t *w, size_t n, uint64_t at)
{
	uint64_t hash = mix(1, at);

	for (size_t i = 0; i + 1 < n; i++)
		hash = mix(hash, w[i]);
	w[n - 1] = hash;
}

static void seal_all(uint64_t *w, size_t words)
{
	size_t at = 8;

	if (words < at)
		return;
	seal(w, at, 0);
	while (at < words) {
		uint64_t what = w[at] & UINT32_MAX, n = what >> 8;

		if (n < 3 || n > words - at)
			return;
		w[at] = (mix(mix(1, at * 8), what) & ~(uint64_t)UINT32_MAX) |
			what;
		seal(w + at, n, at * 8);
		at += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t words[FILE_MOST / 8];
	char *file = (char *)words;
	const uint8_t *end = data + size;
	size_t len, base;
	bool behind;

	begin();
	if (size < 3)
		return 0;
	behind = data[0] & 2;
	base = behind ? sound_len : 0;
	memset(file, 0, sizeof(words));
	memcpy(file, sound, sound_len);
	len = base + (data[1] | (size_t)data[2] << 8);
	len = len < FILE_MOST ? len : sound_len;
	for (const uint8_t *p = data + 3; end - p > 3;) {
		size_t at = base + (p[0] | (size_t)p[1] << 8), n = p[2];

		p += 3;
		n = n < (size_t)(end - p) ? n : (size_t)(end - p);
		if (at + n <= FILE_MOST)
			memcpy(file + at, p, n);
		p += n;
	}
	if (data[0] & 1 && !behind)
		seal_all(words, len / 8);
	put(file, len);
	if (behind)
		must(spend(policies[0], 99) <= FIRST - SPENT);
	for (size_t i = 0; i < 3; i++)
		must(spend(policies[(i + data[0] / 4) % 3], 99) <= MOST);
	moment.steady += data[0] % 16 * SECOND;
	moment.boot += data[0] / 128;
	must(spend(policies[0], 99) <= MOST);
	return 0;
}
