/*
 * weir explain and the relay say the same: 10,000 generated calls, through a
 * session and through explain, byte for byte.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../shim/verbs/explain.h"
#include "../../shim/decide.h"
#include "../../shim/downstream.h"
#include "../../shim/upstream.h"

#define CALLS 10000

static const char policy_text[] =
	"{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"h*\"],"
	"\"all_tools\":{\"deny_if\":[{\"path\":\"args.all\",\"op\":\"exists\","
	"\"value\":true}]},\"tools\":{"
	"\"a\":{\"require\":[{\"path\":\"args.n\",\"op\":\"lte\",\"value\":1.5}]},"
	"\"b\":{\"deny_if\":[{\"path\":\"args.s\",\"op\":\"regex\",\"value\":"
	"\"^(a|b)+$\"},{\"path\":\"/s\",\"op\":\"in\",\"value\":[\"x\",null,3]}]},"
	"\"c*\":{\"require\":[{\"path\":\"args.l[*]\",\"op\":\"glob\",\"value\":"
	"\"a*\"}],\"deny_if\":[{\"path\":\"args.l[1]\",\"op\":\"eq\",\"value\":"
	"\"ab\"}]},"
	"\"cd\":{\"require\":[{\"path\":\"args.p\",\"op\":\"under\",\"value\":"
	"\"/srv\"}]},"
	"\"e\":{\"deny_if\":[{\"path\":\"args.l\",\"op\":\"contains\",\"value\":"
	"\"a\"},{\"path\":\"args.s\",\"op\":\"not_in\",\"value\":[\"a\",\"ab\"]}]},"
	"\"no\":{\"action\":\"deny\",\"reason\":\"no\"}}}";

static const char *const names[] = {"a",  "b",  "c",  "cd", "ce", "e",
				    "no", "h1", "zz", "A",  " a", "cD"};
static const char *const members[] = {
	"\"n\":1",
	"\"n\":1.50",
	"\"n\":2e0",
	"\"n\":\"1\"",
	"\"N\":1",
	"\"n\":null",
	"\"s\":\"a\"",
	"\"s\":\"abab\"",
	"\"s\":\"x\"",
	"\"s\":3.0",
	"\"s\":null",
	"\"\\u0073\":\"ab\"",
	"\"l\":[]",
	"\"l\":[\"a\",\"ab\"]",
	"\"l\":[\"ac\",\"b\"]",
	"\"l\":\"a\"",
	"\"l\":[\"a\"]",
	"\"p\":\"/srv/x\"",
	"\"p\":\"/srv/../x\"",
	"\"p\":\"srv\"",
	"\"p\":\"/srv/%2e\"",
	"\"all\":0",
	"\"x\":{}",
	"\"x\":[1]",
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

/* Arguments of up to four members, or none: "". */
static void make_arguments(uint64_t *seed, char *out, size_t size)
{
	uint32_t count = draw(seed, 6);
	size_t len = 0;

	out[0] = '\0';
	if (count == 5)
		return;
	len += (size_t)snprintf(out, size, "{");
	for (uint32_t i = 0; i < count; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s",
					i ? "," : "",
					members[draw(seed, COUNT(members))]);
	snprintf(out + len, size - len, "}");
}

static void listen(void *context, const char *line)
{
	(void)context;
	print_error("%s\n", line);
	fail();
}

/* What a session answers to the call; "" if it passes. */
static void answer_of(struct session *s, const char *name, const char *args,
		      char *out, size_t size)
{
	const char *down;
	size_t room, len;
	char *at;

	room = stream_room(&s->up, &at);
	s->up.fill += (size_t)snprintf(
		at, room,
		"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"%s\"%s%s}}\n",
		name, *args ? ",\"arguments\":" : "", args);
	while (session_judge(s))
		continue;
	stream_forget(&s->up);
	down = downstream_next(s, &len);
	assert_true(len < size);
	memcpy(out, down, len);
	out[len > 0 ? len - 1 : 0] = '\0';
	if (len > 0)
		downstream_sent(s, len);
}

/* The member "answer", the last of explain's line; "" if there is none. */
static const char *answer_in(char *line)
{
	static const char key[] = ",\"answer\":";
	char *at = strstr(line, key);

	if (!at)
		return "";
	line[strlen(line) - 2] = '\0'; /* a brace and LF */
	return at + sizeof(key) - 1;
}

static void write_policy(char *path)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, policy_text, sizeof(policy_text) - 1),
			 sizeof(policy_text) - 1);
	close(fd);
}

TEST(explain_and_relay_agree)
{
	char path[] = "/tmp/weir-agree-XXXXXX", args[256], answer[8192];
	char *words[3] = {NULL};
	struct options o = {.policies = {path},
			    .policy_count = 1,
			    .json = true,
			    .rest = words};
	int stdout_was = dup(STDOUT_FILENO), refused = 0;
	FILE *said = tmpfile();
	struct policy *policy = COMPILE(policy_text, listen, NULL);
	struct session s;
	char line[8192];
	uint64_t seed = 1;

	write_policy(path);
	assert_true(session_open(&s, policy, COUNTERS(policy), 65536));
	fflush(stdout);
	dup2(fileno(said), STDOUT_FILENO);
	for (int i = 0; i < CALLS; i++) {
		words[0] = (char *)names[draw(&seed, COUNT(names))];
		make_arguments(&seed, args, sizeof(args));
		words[1] = *args ? args : NULL;
		explain_run(&o);
	}
	fflush(stdout);
	dup2(stdout_was, STDOUT_FILENO);
	close(stdout_was);
	unlink(path);
	rewind(said);
	seed = 1;
	for (int i = 0; i < CALLS; i++) {
		const char *name = names[draw(&seed, COUNT(names))];

		make_arguments(&seed, args, sizeof(args));
		answer_of(&s, name, args, answer, sizeof(answer));
		assert_non_null(fgets(line, sizeof(line), said));
		refused += *answer != '\0';
		row_true(args, strcmp(answer_in(line), answer) == 0);
	}
	/* Of both kinds there were many. */
	assert_true(refused > CALLS / 10 && refused < CALLS - CALLS / 20);
	fclose(said);
	session_close(&s);
	policy_free(policy);
}

RUN(NULL, NULL)
