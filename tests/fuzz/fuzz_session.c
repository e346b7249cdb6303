/*
 * One whole session, without a process: the bytes of client and server in any
 * pieces and any order, sent on in any pieces.  What goes up are whole lines
 * that pass; what goes down is never a call of the hidden tool's list entry,
 * and weir's own lines stand between lines.
 *
 * The input is a list of steps: a byte that says what to do, two for a length,
 * and the bytes of that length where it is reading.  Some steps are a person's:
 * a call of "far" passes no more often than they said yes.
 */
#include "../../shim/decide.h"
#include "../../shim/downstream.h"
#include "../../shim/upstream.h"
#include "fuzz.h"

#include <fcntl.h>

#define MAX_LINE 4096

static const char policy_text[] =
	"{\"version\":\"1\",\"default\":\"allow\",\"hide\":[\"gone\"],"
	"\"tools\":{\"no\":{\"action\":\"deny\"},\"few\":{\"rate_limit\":"
	"\"1/minute\"},\"ask\":{\"action\":\"require_approval\"},\"far\":{"
	"\"action\":\"require_approval\",\"approve_in\":[\"terminal\"]}}}";

static void listen(void *context, const char *line)
{
	(void)context;
	(void)line;
	abort();
}

/* A line that was sent to the server, being put together. */
struct line {
	char bytes[MAX_LINE + 2];
	size_t len;
	size_t approved; /* how often a person has said yes */
};

static void check_line(struct line *line, bool ended)
{
	size_t len = line->len - ended;
	struct message m;
	struct fault fault;

	if (ended && len > 0 && line->bytes[len - 1] == '\r')
		len--;
	must(message_read(line->bytes, len, &m, &fault));
	must(m.method != METHOD_TOOLS_CALL ||
	     (m.kind == MESSAGE_REQUEST && !text_is(m.name, "gone", 4) &&
	      !text_is(m.name, "no", 2)));
	if (m.method == METHOD_TOOLS_CALL && !m.modern &&
	    text_is(m.name, "far", 3))
		must(line->approved-- > 0);
	line->len = 0;
}

static void send_up(struct session *s, struct line *line, size_t most)
{
	size_t len;
	bool one;
	const char *up = upstream_next(s, &len, &one);

	len = len < most ? len : most;
	for (size_t i = 0; i < len; i++) {
		must(line->len < sizeof(line->bytes));
		line->bytes[line->len++] = up[i];
		if (up[i] == '\n')
			check_line(line, true);
	}
	if (len > 0)
		upstream_sent(s, len);
}

static void send_down(struct session *s, size_t most)
{
	size_t len;

	downstream_next(s, &len);
	len = len < most ? len : most;
	if (len > 0)
		downstream_sent(s, len);
}

static size_t put(struct stream *stream, const uint8_t *data, size_t len)
{
	char *at;
	size_t room = stream_room(stream, &at);

	len = len < room ? len : room;
	memcpy(at, data, len);
	stream->fill += len;
	return len;
}

static void step(struct session *s, struct line *line, int what, size_t len)
{
	switch (what % 4) {
	case 2:
		send_up(s, line, len);
		break;
	case 3:
		send_down(s, len);
		if (what & 4 && downstream_stuck(s))
			downstream_break(s);
		break;
	}
	if (what & 8) {
		struct approval *of =
			approvals_slot(s->approvals, (size_t)what >> 5 & 7);
		const bool yes = what & 16;

		line->approved +=
			approvals_answer(of, yes, APPROVAL_TERMINAL, "") && yes;
	} else if (what & 16) {
		session_tick(s, host_now() + (what >> 5) * 20 * SECOND);
	}
	while (session_judge(s))
		continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *policy; /* the same for every run */
	static int nowhere = -1;
	struct line line = {.len = 0};
	struct session s;
	size_t left;

	if (!policy)
		policy = policy_compile(
			&(struct policy_source){"p", policy_text,
						sizeof(policy_text) - 1},
			1, NULL, listen, NULL);
	must(policy &&
	     session_open(&s, policy,
			  counters_new(policy, NULL, NULL, listen, NULL),
			  MAX_LINE) &&
	     session_ask(&s, NULL, POLICY_ASK_TERMINAL));
	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	s.log.fd = nowhere;
	s.log.args = "args.a,args.a.b";
	s.served = served_new();
	must(nowhere >= 0 && s.served);
	log_start(&s.log, &(struct log_start){
				  .grant = "g",
				  .command = (const char *const[]){"s", NULL},
				  .policy = policy_digest(policy)});
	while (size >= 3) {
		int what = data[0];
		size_t len = data[1] | (size_t)data[2] << 8;

		data += 3;
		size -= 3;
		if (what % 4 < 2) {
			len = len < size ? len : size;
			put(what % 4 ? &s.down : &s.up, data, len);
			data += len;
			size -= len;
		}
		step(&s, &line, what, len);
	}
	/* Both ends: everything must drain. */
	s.up_ended = s.down_ended = true;
	step(&s, &line, 2, 0);
	for (int i = 0; i < 100000 && !upstream_ended(&s); i++) {
		step(&s, &line, 2, SIZE_MAX);
		step(&s, &line, 3, SIZE_MAX);
	}
	while (downstream_next(&s, &left) && left > 0)
		step(&s, &line, 3, SIZE_MAX);
	must(upstream_ended(&s) && s.down.run == s.down.fill);
	must(s.answers.len == 0);
	if (line.len > 0)
		check_line(&line, false);
	session_close(&s);
	return 0;
}
