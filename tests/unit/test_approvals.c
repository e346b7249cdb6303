/*
 * Calls that a person must approve, in a session without a process: what the
 * client and the server get, and above all what the server does not get.
 * What needs no clock or memory of its own is in play.tsv.
 */
#include "script.h"

#define MINUTE (60 * SECOND)

#define INIT(capabilities)                                                     \
	"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{" \
	"\"protocolVersion\":\"2025-06-18\",\"capabilities\":{" capabilities   \
	"}}}\n"
#define HELLO                                                                  \
	"{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"capabilities\":{}}}\n"
#define CALL(id, name, arguments)                                              \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                      \
	",\"method\":\"tools/call\",\"params\":{\"name\":\"" name              \
	"\",\"arguments\":" arguments "}}\n"
#define META                                                                   \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"              \
	"\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{"      \
	"\"elicitation\":{\"form\":{}}}}"
#define MODERN(id, name, more)                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                      \
	",\"method\":\"tools/call\",\"params\":{\"name\":\"" name              \
	"\",\"arguments\":{}," META more "}}\n"
#define SAYS(action)                                                           \
	",\"inputResponses\":{\"weir/approve\":{\"action\":\"" action "\"}}"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n"
#define CANCEL(id)                                                             \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","         \
	"\"params\":{\"requestId\":" id "}}\n"

/* The policy is a name of play.tsv, or another. */
static void begin_asking(struct play *p, const char *policy, bool elicits,
			 unsigned ways)
{
	const struct rows r = {.file = "play.tsv"};
	char text[TEXT_BYTES];

	begin_long(p, rows_policy(&r, text, policy), (size_t)2 << 20);
	assert_true(session_ask(&p->s, script_server, ways));
	client(p, elicits ? INIT("\"elicitation\":{}") : INIT("\"roots\":{}"));
	server(p, HELLO);
	up_came(p, elicits ? INIT("\"elicitation\":{}") : INIT("\"roots\":{}"));
	down_came(p, HELLO);
}

/* The id of the question that the client got last. */
static const char *question(const struct play *p, char id[APPROVALS_ID + 1])
{
	const char *at = p->down, *next;

	while ((next = strstr(at, "\"id\":\"weir-")))
		at = next + 6;
	if (at == p->down)
		print_error("%s: no question: %s\n", p->name, p->down);
	assert_true(at != p->down);
	memcpy(id, at, APPROVALS_ID);
	id[APPROVALS_ID] = '\0';
	return id;
}

/* A line of the client's with an id in it. */
static void client_with(struct play *p, const char *format, const char *id)
{
	char line[1024];

	snprintf(line, sizeof(line), format, id);
	client(p, line);
}

#define ANSWER(result)                                                         \
	"{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":" result "}\n"
#define ACCEPT  ANSWER("{\"action\":\"accept\"}")
#define DECLINE ANSWER("{\"action\":\"decline\"}")
#define PAY     CALL("7", "pay", "{\"n\": 1,\"s\":\"\\u00e9\\/\"}")
#define REFUSED "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\""

TEST(approvals)
{
	script_play("approvals");
}

/* The id of a session's question is nothing in another session. */
TEST(ids_of_another_session)
{
	char id[APPROVALS_ID + 1], line[256];
	struct play a, b;

	begin_asking(&a, "asks", true, 0);
	begin_asking(&b, "asks", true, 0);
	client(&a, PAY);
	client(&b, PAY);
	question(&a, id);
	snprintf(line, sizeof(line), ACCEPT, id);
	client(&b, line);
	up_came(&b, line);
	client(&a, line);
	up_came(&a, PAY);
	end(&a);
	end(&b);
}

/* When it has to be looked at next, and for how long it is kept. */
TEST(time_is_over)
{
	const int64_t now = host_now();
	struct approval *of;
	struct play p;

	begin_asking(&p, "asks", true, POLICY_ASK_TERMINAL);
	client(&p, PAY);
	of = approvals_slot(p.s.approvals, 0);
	assert_int_equal(of->state, APPROVAL_HELD);
	assert_true(approvals_due(p.s.approvals) == of->until);
	assert_true(of->until >= now + 50 * SECOND &&
		    of->until < now + 51 * SECOND);
	session_tick(&p.s, of->until);
	settle(&p);
	assert_int_equal(of->state, APPROVAL_EXPIRED);
	assert_true(approvals_answer(of, true, APPROVAL_TERMINAL, "ann"));
	assert_false(approvals_answer(of, false, APPROVAL_TERMINAL, "ann"));
	session_tick(&p.s, host_now() + 11 * MINUTE);
	settle(&p);
	assert_int_equal(of->state, APPROVAL_FREE);
	end(&p);
}

/* A yes that is kept is one for this session, server, policy, rules, method and
 * these bytes alone. */
TEST(yes_is_for_one)
{
	const struct location rules[] = {{"/a", "f", 1}, {"/b", "f", 2}};
	const char *server[] = {"node", "srv.js", NULL, NULL};
	struct ask ask = {.count = 1, .rules = {rules[0]}};
	unsigned char digest[10][SHA256_BYTES];
	struct policy *one, *two;
	struct message m, n, many, few;
	struct fault fault;
	size_t count = 0;
	char line[] = PAY, get[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":"
				   "\"prompts/get\",\"params\":{\"name\":"
				   "\"pay\",\"arguments\":{\"n\": 1,\"s\":"
				   "\"\\u00e9\\/\"}}}\n";
	char method_many[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":"
			     "\"12\",\"params\":{\"a\":1}}\n";
	char method_few[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":"
			    "\"/m\",\"params\":{\"k\":12,\"a\":1}}\n";

	one = COMPILE("{\"version\":\"1\",\"default\":\"allow\"}", no_report,
		      NULL);
	two = COMPILE("{\"version\":\"1\",\"default\":\"deny\"}", no_report,
		      NULL);
	assert_true(message_read(line, sizeof(line) - 2, &m, &fault));
	assert_true(message_read(get, sizeof(get) - 2, &n, &fault));
	assert_true(message_read(method_many, sizeof(method_many) - 2, &many,
				 &fault));
	assert_true(
		message_read(method_few, sizeof(method_few) - 2, &few, &fault));
	for (int i = 0; i < 2; i++) { /* sessions */
		struct approvals *a = approvals_open(server);

		approvals_digest(a, one, &m, &ask, digest[count++]);
		approvals_digest(a, one, &m, &ask, digest[count]);
		assert_memory_equal(digest[count - 1], digest[count],
				    SHA256_BYTES);
		if (i == 0) {
			approvals_digest(a, two, &m, &ask, digest[count++]);
			approvals_digest(a, one, &n, &ask, digest[count++]);
			ask.rules[0] = rules[1];
			approvals_digest(a, one, &m, &ask, digest[count++]);
			ask.rules[0] = rules[0];
			/* What is a rule for one, is a method for another. */
			ask.count = 3;
			ask.rules[1].rule = "/m";
			ask.rules[2].rule = "k";
			approvals_digest(a, one, &many, &ask, digest[count++]);
			ask.count = 1;
			approvals_digest(a, one, &few, &ask, digest[count++]);
			server[2] = "-x";
			approvals_digest(a, one, &m, &ask, digest[count++]);
			server[0] = "node srv.js";
			server[1] = NULL;
			approvals_digest(a, one, &m, &ask, digest[count++]);
			server[0] = "node";
			server[1] = "srv.js";
			server[2] = NULL;
		}
		approvals_close(a);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(digest[i], digest[k],
						SHA256_BYTES);
	policy_free(one);
	policy_free(two);
}

/* So many wait, so long they are, and so often a person is asked. */
TEST(bounds)
{
	char line[128];
	struct play p;
	char *large;

	begin_asking(&p, "asks", true, 0);
	for (int i = 1; i <= APPROVALS_RATE + 1; i++) {
		snprintf(line, sizeof(line), CALL("%d", "pay", "{\"n\":%d}"), i,
			 i);
		client(&p, line);
		down_has(&p,
			 i <= APPROVALS_RATE
				 ? "elicitation/create"
				 : "was asked too often in the last minute");
	}
	up_came(&p, "");
	end(&p);

	large = malloc(APPROVALS_LINE + 2);
	begin_asking(&p, "asks", false, POLICY_ASK_TERMINAL);
	for (int more = 0; more < 2; more++) {
		size_t len = APPROVALS_LINE + (size_t)more;

		memset(large, ' ', len);
		memcpy(large, PAY, sizeof(PAY) - 4);
		large[22] = more ? '8' : '7';
		memcpy(large + len - 3, "}}\n", 3);
		feed(&p, &p.s.up, large, len);
		up_came(&p, "");
		if (more)
			down_has(&p, "too long to wait for one");
		else
			down_came(&p, "");
	}
	end(&p);
	free(large);
}

/* The same bounds, by a clock of the test's. */
TEST(bounds_by_the_clock)
{
	struct approvals *a = approvals_open(script_server);
	struct approval *of;
	const char *why;
	int64_t now = SECOND;

	for (int i = 0; i < APPROVALS_MAX; i++, now += 6 * SECOND) {
		of = approvals_take(a, now, &why);
		assert_non_null(of);
		approvals_ask(a, of, now, false);
		of->state = APPROVAL_HELD;
		of->until = now + 60 * MINUTE;
	}
	assert_null(approvals_take(a, now, &why));
	assert_non_null(strstr(why, "too many"));
	/* What has expired makes room, and the oldest goes first. */
	for (int i = 0; i < APPROVALS_SLOTS; i++, now += 6 * SECOND) {
		of = approvals_find(a, APPROVAL_HELD, NULL);
		if (of)
			of->state = APPROVAL_EXPIRED;
		of = approvals_take(a, now, &why);
		assert_non_null(of);
		approvals_ask(a, of, now, false);
		of->state = APPROVAL_EXPIRED;
		of->until = now + 60 * MINUTE;
	}
	/* Ten in a minute, and one when the first is a minute ago. */
	now += 60 * MINUTE;
	for (int i = 0; i < 2 * APPROVALS_RATE; i++) {
		const int64_t at =
			now + (i < APPROVALS_RATE ? i : i + 590) * SECOND / 10;

		if (i >= APPROVALS_RATE) {
			assert_null(approvals_take(a, at - 1, &why));
			assert_non_null(strstr(why, "too often"));
		}
		of = approvals_take(a, at, &why);
		assert_non_null(of);
		approvals_ask(a, of, at, false);
	}
	approvals_close(a);
}

/* A held call does not go up inside another line. */
TEST(between_lines)
{
	char id[APPROVALS_ID + 1];
	const char *up;
	struct play p;
	size_t len;
	bool one;

	begin_asking(&p, "asks", true, 0);
	client(&p, PAY);
	question(&p, id);
	memcpy(p.s.up.buf + p.s.up.fill, PING, sizeof(PING) - 1);
	p.s.up.fill += sizeof(PING) - 1;
	assert_true(session_judge(&p.s));
	upstream_sent(&p.s, 5);
	approvals_answer(approvals_slot(p.s.approvals, 0), true,
			 APPROVAL_TERMINAL, "");
	while (session_judge(&p.s))
		continue;
	up = upstream_next(&p.s, &len, &one);
	assert_int_equal(len, sizeof(PING) - 6);
	assert_memory_equal(up, &PING[5], len);
	upstream_sent(&p.s, len);
	up = upstream_next(&p.s, &len, &one);
	assert_true(one);
	assert_int_equal(len, sizeof(PAY) - 1);
	assert_memory_equal(up, PAY, len);
	upstream_sent(&p.s, 5);
	p.s.up_ended = true;
	assert_false(upstream_ended(&p.s));
	settle(&p);
	up_came(&p, &PAY[5]);
	assert_true(upstream_ended(&p.s));
	end(&p);
}

/* Nor behind the client's last line, if that has no end. */
TEST(behind_an_open_line)
{
	char id[APPROVALS_ID + 1], lines[512];
	struct play p;

	begin_asking(&p, "asks", true, 0);
	client(&p, PAY);
	question(&p, id);
	snprintf(lines, sizeof(lines), ACCEPT "%.*s", id, (int)sizeof(PING) - 2,
		 PING);
	p.s.up_ended = true;
	client(&p, lines);
	up_came(&p, PING PAY);
	assert_true(upstream_ended(&p.s));
	end(&p);
}

/* Of a line that no pipe takes whole, its end may go by itself: once. */
TEST(an_end_by_itself)
{
	const char *up;
	struct play p;
	size_t len;
	bool one;

	begin_asking(&p, "asks", false, POLICY_ASK_TERMINAL);
	client(&p, PAY);
	approvals_answer(approvals_slot(p.s.approvals, 0), true,
			 APPROVAL_TERMINAL, "");
	while (session_judge(&p.s))
		continue;
	upstream_next(&p.s, &len, &one);
	assert_int_equal(len, sizeof(PAY) - 1);
	upstream_sent(&p.s, len - 1);
	up = upstream_next(&p.s, &len, &one);
	assert_int_equal(len, 1);
	assert_int_equal(*up, '\n');
	upstream_sent(&p.s, 1);
	upstream_next(&p.s, &len, &one);
	assert_int_equal(len, 0);
	client(&p, PING);
	up_came(&p, PING);
	end(&p);
}

/* A grant's counters that answer later. */
static bool slow_bind(struct backend *b, const struct counter *const *counters,
		      size_t n, bool start)
{
	(void)b, (void)counters, (void)n, (void)start;
	return true;
}

static enum counted slow_ask(struct backend *b, struct question *q, size_t n,
			     bool count)
{
	(void)b, (void)q, (void)n, (void)count;
	return COUNTED_LATER;
}

static enum counted slow_resume(struct backend *b)
{
	(void)b;
	return COUNTED_YES;
}

static void slow_drop(struct backend *b)
{
	(void)b;
}

static int64_t slow_poll(struct backend *b, struct pollfd *p)
{
	(void)b, (void)p;
	return -1;
}

static const struct backend_ops slow_ops = {.bind = slow_bind,
					    .ask = slow_ask,
					    .resume = slow_resume,
					    .drop = slow_drop,
					    .poll = slow_poll};
static struct backend slow = {.ops = &slow_ops, .place = "slow"};

/* A call has been counted once, and a person is asked. */
static void begin_slow(struct play *p)
{
	begin_asking(p, "asks", true, 0);
	counters_free(p->s.counters);
	p->s.counters = counters_new(p->policy, &slow, NULL, unit_silent, NULL);
	assert_non_null(p->s.counters);
	client(p, CALL("7", "few", "{}"));
	decide_resume(&p->s);
	settle(p);
}

/* The server ends while the limit of an approved call is being counted: the
 * call is refused, and nothing of it is left. */
TEST(the_server_ends_while_it_counts)
{
	char id[APPROVALS_ID + 1];
	struct play p;

	begin_slow(&p);
	question(&p, id);
	p.down_len = 0;
	client_with(&p, ACCEPT, id);
	assert_true(p.s.current.counting);
	p.s.down_ended = true;
	settle(&p);
	down_has(&p, REFUSED);
	decide_resume(&p.s);
	settle(&p);
	up_came(&p, "");
	down_came(&p, "");
	assert_null(p.s.aside);
	p.s.up_ended = true;
	settle(&p);
	assert_true(upstream_ended(&p.s));
	end(&p);
}

/* A reload while it is being counted: it is counted again, and its yes is for
 * no other. */
TEST(a_reload_while_it_counts)
{
	char id[APPROVALS_ID + 1];
	struct play p;

	begin_slow(&p);
	client_with(&p, ACCEPT, question(&p, id));
	assert_true(p.s.current.counting);
	decide_drop(&p.s);
	assert_true(session_reload(&p.s, p.policy,
				   counters_new(p.policy, &slow, p.s.counters,
						unit_silent, NULL)));
	settle(&p);
	assert_true(p.s.current.counting);
	decide_resume(&p.s);
	settle(&p);
	up_came(&p, CALL("7", "few", "{}"));
	client(&p, CALL("8", "few", "{}"));
	decide_resume(&p.s);
	settle(&p);
	up_came(&p, "");
	end(&p);
}

/* It has to be looked at when progress is told, and when the time is over. */
TEST(progress_is_due)
{
	struct approval *of;
	struct play p;

	begin_asking(&p, "asks", true, POLICY_ASK_TERMINAL);
	client(&p, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\","
		   "\"params\":{\"name\":\"pay\",\"_meta\":{"
		   "\"progressToken\":1}}}\n");
	of = approvals_slot(p.s.approvals, 0);
	for (int i = 1; i <= 4; i++) {
		assert_true(approvals_due(p.s.approvals) ==
			    of->since + i * 10 * SECOND);
		session_tick(&p.s, of->since + i * 10 * SECOND);
		settle(&p);
	}
	session_tick(&p.s, of->until);
	settle(&p);
	assert_true(approvals_due(p.s.approvals) == of->until);
	end(&p);
}

/* The server's words may be no UTF-8, which would end some clients. */
TEST(words_that_are_no_text)
{
	static const char *const odd[] = {"n\xC3",     "\xFF\xE2\x80",
					  "\xC2\x9Bx", "\xED\xA0\x80",
					  "\xC3\xA9",  NULL};
	struct play p;

	begin(&p, "{\"version\":\"1\",\"default\":\"allow\",\"all_tools\":{"
		  "\"action\":\"require_approval\"}}");
	assert_true(session_ask(&p.s, odd, 0));
	client(&p, MODERN("1", "pay", ""));
	down_has(&p, "\\nServer: n? ??? \\\\u009bx ??? \xC3\xA9\\nTool: pay");
	end(&p);
}

/* More rules than one question can name: it is for the terminal alone, which
 * says so, and shows the arguments. */
TEST(more_rules_than_fit)
{
	static const char policy[] =
		"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"pay\":{"
		"\"action\":\"require_approval\",\"reason\":\"%02100d\"}}}";
	char text[4096], room[8192];
	struct strbuf out = {.ptr = room, .cap = sizeof(room) - 1};
	struct play p;

	snprintf(text, sizeof(text), policy, 0);
	begin_asking(&p, text, true, POLICY_ASK_TERMINAL | POLICY_ASK_PROGRAM);
	client(&p, PAY);
	up_came(&p, "");
	down_came(&p, "");
	assert_int_equal(approvals_slot(p.s.approvals, 0)->ways,
			 POLICY_ASK_TERMINAL);
	assert_false(approval_text(p.s.approvals,
				   approvals_slot(p.s.approvals, 0), &out,
				   SIZE_MAX));
	room[out.len] = '\0';
	assert_non_null(strstr(room, "\n  ...\nArguments: {\"n\": 1,"));
	end(&p);
}

/* 2,000 characters are shown in the client, and no more: what is longer waits
 * for another way. */
TEST(how_much_is_shown)
{
	char line[8192], room[65536], xs[2048];
	size_t fits = 0;

	for (size_t len = 1800; len < 2010; len++) {
		struct strbuf out = {.ptr = room, .cap = sizeof(room) - 1};
		struct play p;
		bool asked, whole;

		begin_asking(&p, "asks", true, POLICY_ASK_TERMINAL);
		memset(xs, 'x', len);
		xs[len] = '\0';
		snprintf(line, sizeof(line), CALL("1", "pay", "{\"n\":\"%s\"}"),
			 xs);
		client(&p, line);
		asked = strstr(p.down, "elicitation/create") != NULL;
		whole = approval_text(p.s.approvals,
				      approvals_slot(p.s.approvals, 0), &out,
				      APPROVALS_TEXT);
		assert_true(asked == whole);
		assert_true(out.len <= APPROVALS_TEXT);
		fits += asked;
		end(&p);
	}
	/* Somewhere in between it gets too long, for good. */
	assert_in_range(fits, 10, 199);
}

/* ---- whatever the order ---------------------------------------------- */

#define ROUNDS 400
#define STEPS  100
#define KINDS  3 /* calls that differ in their arguments */

static uint64_t seed;
static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static enum counted fickle_ask(struct backend *b, struct question *q, size_t n,
			       bool count)
{
	(void)b, (void)q, (void)n, (void)count;
	return draw(2) ? COUNTED_LATER : COUNTED_YES;
}

static enum counted fickle_resume(struct backend *b)
{
	(void)b;
	return draw(8) ? COUNTED_YES : COUNTED_NOT;
}

/* Goes on for a while, sending pieces; or, if all, until nothing is left. */
static void go_on(struct play *p, bool all)
{
	bool any;

	do {
		size_t up, down;
		bool one;
		const char *at;

		any = session_judge(&p->s);
		at = upstream_next(&p->s, &up, &one);
		up = all || up == 0 ? up : draw((unsigned)up + 1);
		memcpy(p->up + p->up_len, at, up);
		p->up_len += up;
		if (up > 0)
			upstream_sent(&p->s, up);
		at = downstream_next(&p->s, &down);
		down = all || down == 0 ? down : draw((unsigned)down + 1);
		memcpy(p->down + p->down_len, at, down);
		p->down_len += down;
		if (down > 0)
			downstream_sent(&p->s, down);
		if (all && p->s.current.counting) {
			decide_resume(&p->s);
			any = true;
		}
		any |= up + down > 0;
	} while (any && (all || draw(6)));
	assert_true(p->up_len < OUT_BYTES / 2 && p->down_len < OUT_BYTES / 2);
}

static void write_line(struct play *p, struct stream *to, const char *line)
{
	size_t len = strlen(line);
	char *at;

	while (stream_room(to, &at) < len)
		go_on(p, true);
	memcpy(at, line, len);
	to->fill += len;
	go_on(p, false);
}

/* The kind of the call that lies there; -1: none does. */
static int kind_of(const struct approval *of)
{
	const char *at = memmem(of->line, of->len, "{\"n\":", 5);

	return at ? at[5] - '0' : -1;
}

/* The whole calls of each kind that have come up.  Each line is whole. */
static void count_passed(const struct play *p, unsigned passed[KINDS])
{
	const char *end = p->up + p->up_len, *lf, *at;

	memset(passed, 0, KINDS * sizeof(*passed));
	for (const char *l = p->up; (lf = memchr(l, '\n', (size_t)(end - l)));
	     l = lf + 1) {
		assert_true(*l == '{' && lf[-1] == '}');
		at = memmem(l, (size_t)(lf - l), "{\"n\":", 5);
		if (at)
			passed[at[5] - '0']++;
	}
}

/* Until now + span.  What was due by then is over: due again, and nothing
 * would let the relay sleep. */
static void pass_time(struct play *p, int64_t span)
{
	const int64_t now = host_now() + span;

	session_tick(&p->s, now);
	go_on(p, false);
	assert_true(approvals_due(p->s.approvals) < 0 ||
		    approvals_due(p->s.approvals) > now);
}

/* One thing happens, at random.  Counts in yes what a person has said. */
static void happen(struct play *p, unsigned yes[KINDS])
{
	const int kind = (int)draw(KINDS), id = (int)draw(6);
	struct approval *of = approvals_slot(p->s.approvals, draw(8));
	const bool accepts = draw(3) > 0;
	const char *says = "";
	char line[1024];

	switch (draw(8)) {
	case 0:
		snprintf(line, sizeof(line), CALL("%d", "pay", "{\"n\":%d}"),
			 id, kind);
		write_line(p, &p->s.up, line);
		break;
	case 1:
		/* What it says counts if that is asked by now. */
		go_on(p, true);
		for (size_t i = 0; accepts && i < APPROVALS_SLOTS; i++) {
			of = approvals_slot(p->s.approvals, i);
			if (of->state == APPROVAL_REPEAT && kind_of(of) == kind)
				yes[kind]++;
		}
		says = accepts   ? SAYS("accept")
		       : draw(2) ? SAYS("decline")
				 : "";
		snprintf(line, sizeof(line),
			 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":"
			 "\"tools/call\",\"params\":{\"name\":\"pay\","
			 "\"arguments\":{\"n\":%d}," META "%s}}\n",
			 id, kind, says);
		write_line(p, &p->s.up, line);
		break;
	case 2:
		go_on(p, true);
		if (!of->question[0])
			break;
		snprintf(line, sizeof(line), accepts ? ACCEPT : DECLINE,
			 of->question);
		if (of->state == APPROVAL_HELD && accepts)
			yes[kind_of(of)]++;
		for (int i = 0; i < 2; i++)
			write_line(p, &p->s.up, line);
		break;
	case 3:
		if (approvals_answer(of, accepts, APPROVAL_TERMINAL, "") &&
		    accepts)
			yes[kind_of(of)]++;
		break;
	case 4:
		snprintf(line, sizeof(line), CANCEL("%d"), id);
		write_line(p, &p->s.up, line);
		break;
	case 5:
		pass_time(p, draw(70) * SECOND);
		break;
	case 6:
		decide_resume(&p->s);
		break;
	default:
		write_line(p, &p->s.up, PING);
		if (draw(100) == 0)
			p->s.down_ended = true;
		break;
	}
	go_on(p, false);
}

/* No more calls pass than a person has said yes to, whatever happens in which
 * order; in the end nothing waits, and nothing stands. */
TEST(whatever_the_order)
{
	static const char policy[] =
		"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"pay\":{"
		"\"action\":\"require_approval\",\"approval_timeout\":50,"
		"\"limits\":[{\"max\":1000,\"window\":\"hour\"}]}}}";
	static const struct backend_ops ops = {.bind = slow_bind,
					       .ask = fickle_ask,
					       .resume = fickle_resume,
					       .drop = slow_drop,
					       .poll = slow_poll};
	struct backend fickle = {.ops = &ops, .place = "fickle"};
	unsigned all = 0;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		unsigned yes[KINDS] = {0}, passed[KINDS];
		struct play p;

		seed = round;
		begin_asking(&p, policy, true, POLICY_ASK_TERMINAL);
		counters_free(p.s.counters);
		p.s.counters = counters_new(p.policy, &fickle, NULL,
					    unit_silent, NULL);
		for (int i = 0; i < STEPS; i++) {
			happen(&p, yes);
			count_passed(&p, passed);
			for (int k = 0; k < KINDS; k++)
				if (passed[k] > yes[k])
					fail_msg("round %d, step %d: %u yes, "
						 "and %u pass",
						 (int)round, i, yes[k],
						 passed[k]);
		}
		p.s.up_ended = true;
		go_on(&p, true);
		count_passed(&p, passed);
		for (int k = 0; k < KINDS; k++) {
			assert_true(passed[k] <= yes[k]);
			all += passed[k];
		}
		for (size_t i = 0; i < APPROVALS_SLOTS; i++)
			assert_int_equal(
				approvals_slot(p.s.approvals, i)->state,
				APPROVAL_FREE);
		assert_true(upstream_ended(&p.s));
		pass_time(&p, 11 * MINUTE);
		assert_int_equal(approvals_due(p.s.approvals), -1);
		end(&p);
	}
	assert_true(all > ROUNDS / 2);
}

RUN(NULL, NULL)
