/*
 * Whole sessions without a process: what the client and the server write, in
 * which order, and what comes out on both sides.  Mostly of lists, which must
 * never pass unread.  What needs no memory of its own is in play.tsv.
 */
#include "script.h"

static const char policy_text[] =
	"{\"version\":\"1\",\"default\":\"allow\",\"hide\":[\"gone\"],"
	"\"tools\":{\"no\":{\"action\":\"deny\",\"reason\":\"no\"}}}";

#define ASK(id)                                                                \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/list\"}\n"
#define LIST(id)                                                               \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                      \
	",\"result\":{\"tools\":[{\"name\":\"gone\"},{\"name\":\"a\"}]}}\n"
#define CUT(id)                                                                \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                      \
	",\"result\":{\"tools\":[{\"name\":\"a\"}]}}\n"
#define CALL(id, name)                                                         \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                      \
	",\"method\":\"tools/call\",\"params\":{\"name\":\"" name "\"}}\n"
TEST(sessions)
{
	script_play("sessions");
}

TEST(many_lists_at_once)
{
	struct play p;
	char line[256];

	begin(&p, policy_text);
	for (int i = 0; i < PENDING_MAX + 10; i++) {
		snprintf(line, sizeof(line), ASK("%d"), i);
		client(&p, line);
	}
	for (int i = PENDING_MAX + 9; i >= 0; i--) {
		snprintf(line, sizeof(line), LIST("%d"), i);
		server(&p, line);
		snprintf(line, sizeof(line), CUT("%d"), i);
		down_came(&p, line);
	}
	/* From then on, whatever is asked for. */
	client(&p, ASK("\"x\""));
	server(&p, LIST("\"x\"") LIST("1000"));
	down_came(&p, CUT("\"x\"") CUT("1000"));
	end(&p);
}

/* All that are awaited are answered when a line cannot be told apart. */
TEST(every_awaited_list_is_answered)
{
	struct play p;
	char line[256], *at;
	int answers = 0;

	begin(&p, policy_text);
	for (int i = 0; i < PENDING_MAX; i++) {
		/* Ids of the longest kind. */
		snprintf(line, sizeof(line), ASK("\"%0200d\""), i);
		client(&p, line);
	}
	server(&p, "{\n");
	for (at = p.down; (at = strstr(at, "Withheld")); at++)
		answers++;
	assert_int_equal(answers, PENDING_MAX);
	end(&p);
}

/* Longer than can be waited for: only what may begin a list is withheld. */
TEST(long_rests)
{
	char rest[2 * MAX_LINE + 2];
	struct play p;

	memset(rest, 'x', sizeof(rest) - 1);
	rest[sizeof(rest) - 1] = '\0';
	begin(&p, policy_text);
	server(&p, "> ");
	client(&p, ASK("1"));
	server(&p, rest);
	down_has(&p, rest);
	rest[0] = '{';
	server(&p, rest);
	down_came(&p, "");
	server(&p, "gone\n");
	assert_memory_equal(p.down, "\n", 1);
	down_has(&p, "\"id\":1,\"error\"");
	server(&p, LIST("1"));
	down_came(&p, CUT("1"));
	end(&p);
}

/* More answers than there is room for wait behind half a line. */
TEST(half_a_line_is_ended)
{
	struct play p;

	begin(&p, policy_text);
	server(&p, "> ");
	for (int i = 0; i < 600; i++)
		client(&p, CALL("1", "no"));
	down_came(&p, "> ");
	assert_true(downstream_stuck(&p.s));
	downstream_break(&p.s);
	settle(&p);
	assert_false(downstream_stuck(&p.s));
	down_has(&p, "Denied by policy: no");
	end(&p);
}

/* While an answer waits behind a long line, only a piece of it is looked at and
 * sent at once; the answer comes right behind its end. */
TEST(a_long_line_goes_in_pieces)
{
	enum { PIECE = 2 * STREAM_CHUNK, LENGTH = 3 * PIECE };
	static const char refused[] = CALL("2", "no");
	static char line[LENGTH + 2];
	struct stream *down;
	struct play p;
	size_t len, sent = 0;
	char *at;

	begin_long(&p, policy_text, 2 * (size_t)LENGTH);
	down = &p.s.down;
	client(&p, ASK("1"));
	memset(line, 'n', LENGTH);
	line[LENGTH] = '\n';
	for (size_t fed = 0, room; fed < LENGTH + 1; fed += room) {
		room = stream_room(down, &at);
		room = room < LENGTH + 1 - fed ? room : LENGTH + 1 - fed;
		assert_true(room > 0);
		memcpy(at, line + fed, room);
		down->fill += room;
		session_judge(&p.s);
	}
	assert_true(downstream_next(&p.s, &len) && len == LENGTH + 1);
	downstream_sent(&p.s, ++sent);
	assert_true(stream_room(&p.s.up, &at) > strlen(refused));
	memcpy(at, refused, strlen(refused));
	p.s.up.fill += strlen(refused);
	session_judge(&p.s);
	for (; sent < LENGTH + 1; sent += len) {
		assert_ptr_equal(downstream_next(&p.s, &len),
				 down->buf + down->run);
		assert_true(len > 0 && len <= PIECE);
		downstream_sent(&p.s, len);
	}
	assert_int_equal(sent, LENGTH + 1);
	settle(&p);
	down_has(&p, "Denied by policy: no");
	end(&p);
}

TEST(lines_are_bounded)
{
	char line[MAX_LINE + 16];
	int64_t start;
	struct play p;

	begin(&p, policy_text);
	/* The longest, with LF and with CRLF. */
	memset(line, ' ', sizeof(line));
	memcpy(line, CALL("1", "a"), strlen(CALL("1", "a")) - 1);
	strcpy(line + MAX_LINE, "\n");
	client(&p, line);
	up_came(&p, line);
	/* One byte more; what follows is read as ever. */
	strcpy(line + MAX_LINE, " \n");
	start = host_now();
	client(&p, line);
	assert_in_range(p.s.log.began, start, host_now()); /* its "us" */
	client(&p, CALL("2", "a"));
	up_came(&p, CALL("2", "a"));
	down_has(&p,
		 "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
		 "\"message\":\"Not passed on: a line longer than "
		 "--max-line (byte 4096)\"}}\n");
	/* Without an end, for long: answered once. */
	line[MAX_LINE + 8] = '\0';
	memset(line, 'x', MAX_LINE + 8);
	for (int i = 0; i < 20; i++)
		client(&p, line);
	assert_non_null(strstr(p.down, "longer"));
	assert_null(strstr(strstr(p.down, "longer") + 1, "longer"));
	client(&p, "\n" CALL("3", "a"));
	up_came(&p, CALL("3", "a"));
	end(&p);
}

/* A text in a line, and spaces behind it. */
static char *pad(char *at, const char *text, size_t width)
{
	memset(at, ' ', width);
	memcpy(at, text, strlen(text));
	return at + width;
}

/* The first line, of which the second 4,096 bytes twice and the rest are a
 * message, too, but not one that came before it. */
TEST(a_first_line_that_reads_two_ways)
{
	static const struct {
		const char *first, *second, *third;
		bool passes;
	} rows[] = {
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":"
#define HIDDEN                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\","             \
	"\"params\":{\"name\":\"gone\",\"arguments\":"
		{PING "{\"a\":{\"b\":[", HIDDEN "{\"b\":[", "]}}}]}}}\n"},
		{PING "{\"a\":[", HIDDEN "\"b\"}}", "]}}\n", true},
		{PING "{\"a\":{\"b\":[", "{\"a\":{\"c\":{\"b\":[",
		 "]}}}]}}}\n"},
		{PING "{\"a\":{\"b\":[", "1,2,{\"a\":{\"c\":{\"b\":[",
		 "]}}}]}}}\n", true},
		{PING "{\"a\":[", "", "]}}\n", true},
	};
	enum { PART = 4096 };
	char line[2 * PART + 64];
	struct play p;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(pad(pad(line, rows[i].first, PART), rows[i].second,
			   PART),
		       rows[i].third);
		begin_long(&p, policy_text, sizeof(line));
		p.name = rows[i].second;
		client(&p, line);
		up_came(&p, rows[i].passes ? line : "");
		if (!rows[i].passes)
			down_has(&p, "\"id\":1,\"error\":{\"code\":-32600");
		client(&p, CALL("1", "a"));
		up_came(&p, CALL("1", "a"));
		client(&p, line);
		up_came(&p, line);
		end(&p);
	}
}

/* A reply longer than can be read while a list is awaited: noise goes on, what
 * may be a list does not. */
TEST(long_replies)
{
	char noise[2 * MAX_LINE + 2];
	struct play p;

	begin(&p, policy_text);
	memset(noise, 'n', sizeof(noise) - 2);
	strcpy(noise + sizeof(noise) - 2, "\n");
	client(&p, ASK("1"));
	server(&p, noise);
	down_came(&p, noise);
	noise[0] = '{';
	server(&p, noise);
	down_has(&p, "\"id\":1,\"error\"");
	server(&p, LIST("1"));
	down_came(&p, CUT("1"));
	/* And in pieces, the end of which comes later. */
	client(&p, ASK("2"));
	noise[sizeof(noise) - 2] = '\0';
	server(&p, noise);
	server(&p, noise + 1);
	down_has(&p, "\"id\":2,\"error\"");
	server(&p, "gone\n" LIST("2"));
	down_came(&p, CUT("2"));
	end(&p);
}

/* The last line has no end: what an earlier line left behind it in the buffer
 * is none of it. */
TEST(old_bytes_end_no_line)
{
	static const char whole[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
	char part[sizeof(whole)];
	struct play p;

	for (size_t len = 1; len < sizeof(whole) - 2; len++) {
		memcpy(part, whole, len);
		part[len] = '\0';
		begin(&p, policy_text);
		client(&p, whole);
		assert_string_equal(p.up, whole);
		client(&p, part);
		p.s.up_ended = true;
		settle(&p);
		assert_string_equal(p.up, whole);
		assert_non_null(strstr(p.down, "-32700"));
		end(&p);
	}
}

/* A reload is told to the client if the server's greeting has promised that;
 * discover's promise is one to those that listen for it. */
TEST(a_reload_is_told)
{
	static const char answer[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"capabilities\":{"
		"\"tools\":{\"listChanged\":true}}}}\n";
	static const struct {
		const char *method, *told;
	} rows[] = {
		{"initialize", "{\"jsonrpc\":\"2.0\",\"method\":"
			       "\"notifications/tools/list_changed\"}\n"},
		{"server/discover", ""},
		{"ping", ""},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[128];
		struct play p;

		begin(&p, policy_text);
		p.name = rows[i].method;
		assert_true(log_open(&p.s.log, "/dev/null"));
		snprintf(line, sizeof(line),
			 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n",
			 rows[i].method);
		client(&p, line);
		server(&p, answer);
		down_came(&p, answer);
		assert_true(session_reload(&p.s, p.policy, COUNTERS(p.policy)));
		settle(&p);
		down_came(&p, rows[i].told);
		log_close(&p.s.log);
		end(&p);
	}
}

RUN(NULL, NULL)
