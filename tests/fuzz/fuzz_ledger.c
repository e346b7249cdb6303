/*
 * The file of a grant, with anything in it.  The input changes a file that is
 * sound: pieces of {where, 2 bytes; how many; the bytes}, after a byte that
 * says whether all checks are made right afterwards, and two for its length.
 * Whatever it holds, it is refused in words, or no more passes than may.
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
	"{\"counter\":\"a\",\"max\":" max ",\"window\":" window                \
	",\"increment_from\":\"args.x\"}"

/* Each allows no more than 8 calls at once, each of which adds 1. */
static const char *const policies[] = {
	POLICY(CALLS("5", "60") "," SUM("8", "60")),
	POLICY(CALLS("8", "3600") "," SUM("6", "64")),
	POLICY(SUM("7.5", "31622400") "," SUM("8", "1")),
};
#define MOST 8

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

/* How many calls pass under the policy, at this time. */
static int spend(const char *text, int most)
{
	static const char line[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"t\",\"arguments\":{\"x\":1}}}";
	const struct policy_clock clock = {.read = read_moment};
	const struct policy_source source = {"p", text, strlen(text)};
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
		if (v.kind == VERDICT_PASS) {
			passed++;
			continue;
		}
		must(v.wait >= 0 || *counters_trouble(c));
		break;
	}
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
	must(got > 4096 && got < FILE_MOST);
	sound_len = (size_t)got;
}

/* ---- checks, as the ledger makes them ------------------------------------ */

static uint64_t word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static uint64_t mix(uint64_t hash, uint64_t w)
{
	hash = (hash ^ w) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Makes the last word the check of those before. */
static void seal(char *file, size_t len, size_t at, size_t size)
{
	uint64_t hash = mix(1, at);

	if (size > len || at > len - size)
		return;
	for (size_t i = 0; i + 16 <= size; i += 8)
		hash = mix(hash, word(file + at + i));
	memcpy(file + at + size - 8, &hash, sizeof(hash));
}

static void seal_journal(char *file)
{
	uint64_t count = word(file + 128), hash = mix(1, count);

	if (count > 64)
		return;
	for (size_t i = 0; i < count * 40; i += 8)
		hash = mix(hash, word(file + 144 + i));
	memcpy(file + 136, &hash, sizeof(hash));
}

static void seal_all(char *file, size_t len)
{
	if (len < 4096)
		return;
	seal(file, len, 0, 128);
	seal_journal(file);
	for (size_t at = 4096; at + 64 <= len;) {
		uint64_t places = word(file + at + 32);
		uint64_t size = word(file + at + 48);

		seal(file, len, at, 64);
		for (size_t i = 0; i < (word(file + at + 8) == 2 ? 65 : 1); i++)
			seal(file, len, at + 64 + i * 32, 32);
		for (size_t i = 0; word(file + at + 8) == 1 && i < 64; i++)
			if (i < places)
				seal(file, len, at + 96 + i * 16, 16);
		if (size == 0 || size > len)
			return;
		at += (size_t)size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char file[FILE_MOST];
	const uint8_t *end = data + size;
	size_t len;

	begin();
	if (size < 3)
		return 0;
	memset(file, 0, sizeof(file));
	memcpy(file, sound, sound_len);
	len = data[1] | (size_t)data[2] << 8;
	len = len < FILE_MOST ? len : sound_len;
	for (const uint8_t *p = data + 3; end - p > 3;) {
		size_t at = p[0] | (size_t)p[1] << 8, n = p[2];

		p += 3;
		n = n < (size_t)(end - p) ? n : (size_t)(end - p);
		if (at + n <= FILE_MOST)
			memcpy(file + at, p, n);
		p += n;
	}
	if (data[0] & 1)
		seal_all(file, len);
	put(file, len);
	for (size_t i = 0; i < 3; i++)
		must(spend(policies[(i + data[0] / 2) % 3], 99) <= MOST);
	moment.steady += data[0] % 16 * INT64_C(1000000000);
	moment.boot += data[0] / 128;
	must(spend(policies[0], 99) <= MOST);
	return 0;
}
