/*
 * Whole sessions without a process: what the client and the server write, in
 * which order, and what comes out on both sides.  Mostly of lists, which must
 * never pass unread.
 */
#include "play.h"

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
#define OTHER "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"x\":1}}\n"

/* A list is asked for with ids[0], and what the server then writes comes out
 * like this. */
static const struct {
	const char *name, *id, *server, *down;
} lists[] = {
	{"plain", "1", LIST("1"), CUT("1")},
	{"string", "\"a\"", LIST("\"a\""), CUT("\"a\"")},
	{"other spelling", "1", LIST("1.0"), CUT("1.0")},
	{"as a string", "1", LIST("\"1\""), CUT("\"1\"")},
	{"exponent", "10", LIST("1e1"), CUT("1e1")},
	{"another id", "1", LIST("2"), CUT("2")},
	{"no id", "1", "{\"result\":{\"tools\":[{\"name\":\"gone\"}]}}\n",
	 "{\"result\":{\"tools\":[]}}\n"},
	{"null id", "1", LIST("null"), CUT("null")},
	{"noise before", "1", "npm WARN x\n[INFO] y\n\n" LIST("1"),
	 "npm WARN x\n[INFO] y\n\n" CUT("1")},
	{"other replies before", "1", OTHER OTHER LIST("1") OTHER,
	 OTHER OTHER CUT("1") OTHER},
	{"the same id before, no list", "1",
	 "{\"id\":1,\"result\":{}}\n{\"id\":1,\"error\":{}}\n" LIST("1"),
	 "{\"id\":1,\"result\":{}}\n{\"id\":1,\"error\":{}}\n" CUT("1")},
	{"a request of the server's", "1",
	 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n" LIST("1"),
	 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n" CUT("1")},
	{"method beside result", "1",
	 "{\"id\":1,\"method\":\"x\",\"result\":{\"tools\":[{\"name\":"
	 "\"gone\"}]}}\n",
	 "{\"id\":1,\"method\":\"x\",\"result\":{\"tools\":[]}}\n"},
	{"line ends of CR and more", "1", "\r" OTHER " \r" LIST("1") "\r",
	 "\r" OTHER " \r" CUT("1") "\r"},
	{"a byte order mark", "1", "\xEF\xBB\xBF" LIST("1"),
	 "\xEF\xBB\xBF" CUT("1")},
	{"CRLF", "1",
	 "{\"id\":1,\"result\":{\"tools\":[{\"name\":\"gone\"}]}}\r\n",
	 "{\"id\":1,\"result\":{\"tools\":[]}}\r\n"},
};

TEST(lists_are_cut)
{
	for (size_t i = 0; i < COUNT(lists); i++) {
		/* Whole, and byte by byte. */
		for (int one = 0; one < 2; one++) {
			size_t len = strlen(lists[i].server);
			struct play p;
			char ask[256];

			begin(&p, policy_text);
			p.name = lists[i].name;
			snprintf(ask, sizeof(ask), ASK("%s"), lists[i].id);
			client(&p, ask);
			up_came(&p, ask);
			for (size_t at = 0; at < len; at += one ? 1 : len)
				feed(&p, &p.s.down, lists[i].server + at,
				     one ? 1 : len);
			down_came(&p, lists[i].down);
			end(&p);
		}
	}
}

/* What cannot be read is withheld, and answered: with its own id where that is
 * certain, else in the place of every list that is awaited. */
static const struct {
	const char *line, *id;
} unread[] = {
	{"{\"id\":1,\"result\":{\"tools\":[],\"tools\":[{}]}}\n", "1"},
	{"{\"id\":1,\"result\":{},\"result\":{\"tools\":[]}}\n", "1"},
	{"{\"id\":1,\"result\":{\"Tools\":[]}}\n", "1"},
	{"{\"id\":1,\"Result\":{\"tools\":[]}}\n", "7"},
	{"{\"id\":1,\"result\":{\"__proto__\":{\"tools\":[]}}}\n", "1"},
	{"{\"id\":5,\"result\":{\"tool\\u017f\":[]}}\n", "5"},
	{"{\"id\":1,\"id\":7,\"result\":{\"tools\":[]}}\n", "7"},
	{"{\"id\":1,\"result\":{\"tools\":[{\"name\":\"gone\"}]}\n", "7"},
	{"{\"id\":1,\"result\":{\"tools\":[\"\xFF\"]}}\n", "7"},
	{"[{\"id\":1,\"result\":{\"tools\":[]}}]\n", "7"},
	{"{\"id\":998,\"result\":\r{\"tools\":[]}}\n", "998"},
	{"{ a: 1 }\n", "7"},
	{"{\n", "7"},
};

TEST(unread_lists_are_withheld)
{
	for (size_t i = 0; i < COUNT(unread); i++) {
		struct play p;
		char id[32];

		begin(&p, policy_text);
		p.name = unread[i].line;
		client(&p, ASK("7"));
		server(&p, "noise\n");
		down_came(&p, "noise\n");
		server(&p, unread[i].line);
		snprintf(id, sizeof(id), "{\"jsonrpc\":\"2.0\",\"id\":%s,",
			 unread[i].id);
		assert_memory_equal(p.down, id, strlen(id));
		down_has(&p,
			 "\"error\":{\"code\":-32603,\"message\":\"Withheld: ");
		/* It is still awaited: if it comes after all, it is cut. */
		server(&p, LIST("7"));
		down_came(&p, CUT("7"));
		end(&p);
	}
}

TEST(unread_lines_pass_when_none_is_awaited)
{
	struct play p;

	begin(&p, policy_text);
	for (size_t i = 0; i < COUNT(unread); i++) {
		server(&p, unread[i].line);
		down_came(&p, unread[i].line);
	}
	end(&p);
}

/* Nothing can be hidden: nothing is read. */
TEST(nothing_to_hide)
{
	struct play p;

	begin(&p, "{\"version\":\"1\",\"default\":\"deny\"}");
	server(&p, "{\"id\":0,");
	down_came(&p, "{\"id\":0,");
	server(&p, "}\n");
	down_came(&p, "}\n");
	/* Something may be hidden soon: what has come has to be known. */
	client(&p, ASK("1"));
	client(&p, ASK("2"));
	client(&p, ASK("3"));
	server(&p, LIST("1"));
	down_came(&p, LIST("1"));
	server(&p, "{\"id\":2,");
	down_came(&p, "");
	server(&p, "\"error\":{}}\n");
	down_came(&p, "{\"id\":2,\"error\":{}}\n");
	server(&p, "{\"id\":3,\"result\":{},\"result\":{}}\n{");
	down_came(&p, "{\"id\":3,\"result\":{},\"result\":{}}\n{");
	end(&p);
}

TEST(ids_are_reused)
{
	struct play p;

	begin(&p, policy_text);
	/* A slow call, then a list, then a ping, all with one id: the replies
	 * to the others do not end the waiting for the list. */
	client(&p, CALL("1", "slow"));
	client(&p, ASK("1"));
	client(&p, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
	server(&p, "{\"id\":1,\"result\":{}}\n");
	server(&p, "{\"id\":1,\"error\":{\"code\":1}}\n");
	server(&p, LIST("1"));
	down_came(&p, "{\"id\":1,\"result\":{}}\n{\"id\":1,\"error\":{\"code\":"
		      "1}}\n" CUT("1"));
	/* Two lists with one id. */
	client(&p, ASK("2"));
	client(&p, ASK("2"));
	server(&p, LIST("2"));
	server(&p, LIST("2"));
	down_came(&p, CUT("2") CUT("2"));
	end(&p);
}

/* A cancelled list may come all the same, or never. */
TEST(a_list_is_cancelled)
{
	struct play p;

	begin(&p, policy_text);
	client(&p, ASK("1"));
	client(&p,
	       "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
	       "\"params\":{\"requestId\":1}}\n");
	server(&p, OTHER OTHER);
	down_came(&p, OTHER OTHER);
	server(&p, LIST("1"));
	down_came(&p, CUT("1"));
	end(&p);
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

/* Of an unreadable line's id, and once. */
TEST(one_answer_for_an_id)
{
	struct play p;

	begin(&p, policy_text);
	client(&p, ASK("1"));
	server(&p, "{\"id\":1,\"result\":{},\"result\":{}}\n{\n");
	assert_non_null(strstr(p.down, "Withheld"));
	assert_null(strstr(strstr(p.down, "Withheld") + 1, "Withheld"));
	end(&p);
}

/* Nobody could tell which answer has the list. */
TEST(a_list_without_an_id)
{
	static const char ask[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"tools/list\"}\n";
	struct play p;

	begin(&p, policy_text);
	client(&p, ask);
	up_came(&p, "");
	end(&p);
	begin(&p, "{\"version\":\"1\",\"default\":\"deny\"}");
	client(&p, ask);
	up_came(&p, ask);
	end(&p);
}

/* A line that was being passed on when the list was asked for goes on; the
 * next one is read whole. */
TEST(a_list_is_asked_for_inside_a_line)
{
	struct play p;

	begin(&p, policy_text);
	server(&p, "{\"id\":9,\"resu");
	down_came(&p, "{\"id\":9,\"resu");
	client(&p, ASK("1"));
	server(&p, "lt\":1}");
	down_came(&p, "lt\":1}");
	server(&p, "\n{\"id\":1,\"result\":{\"tools\":[{\"name\":\"go");
	down_came(&p, "\n");
	server(&p, "ne\"}]}}\n");
	down_came(&p, "{\"id\":1,\"result\":{\"tools\":[]}}\n");
	server(&p, "{\"no longer");
	down_came(&p, "{\"no longer");
	end(&p);
}

/* What has been passed on is no begin of a line, or half of one, when the list
 * is asked for. */
static const struct {
	const char *name, *before, *after, *down;
	bool withheld;
} halves[] = {
	{"CR", OTHER "\r", LIST("1"), CUT("1")},
	{"space", OTHER " ", LIST("1"), CUT("1")},
	{"tab, then space", OTHER "\t", " " LIST("1"), " " CUT("1")},
	{"NUL-like", OTHER "\x01", LIST("1"), CUT("1")},
	{"a byte order mark", "\xEF\xBB\xBF", LIST("1"), CUT("1")},
	{"half of it", "\xEF\xBB", "\xBF" LIST("1"), "\xBF" CUT("1")},
	{"noise", "> ", LIST("1"), "\n", true},
	{"more noise", "log", ": " LIST("1"), ": \n", true},
	{"noise without a list", "log", ": {}\n" LIST("1"), ": {}\n" CUT("1")},
	{"a message, and another", "{\"id\":9", "}" LIST("1"), "}\n", true},
	{"a message, CR, and another", "{\"id\":9}\r", LIST("1"), "\n", true},
	{"a message", "{\"id\":9,\"x\":\"}", "{\"}\n" LIST("1"),
	 "{\"}\n" CUT("1")},
};

TEST(a_list_is_asked_for_behind_half_a_line)
{
	for (size_t i = 0; i < 2 * COUNT(halves); i++) {
		const char *after = halves[i / 2].after;
		struct play p;
		char *answer;

		begin(&p, policy_text);
		p.name = halves[i / 2].name;
		server(&p, halves[i / 2].before);
		down_came(&p, halves[i / 2].before);
		client(&p, ASK("1"));
		/* Whole, and byte by byte. */
		for (size_t len = i % 2 ? 1 : strlen(after); *after;
		     after += len)
			feed(&p, &p.s.down, after, len);
		answer =
			strstr(p.down, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error");
		assert_true(!answer == !halves[i / 2].withheld);
		if (answer)
			*answer = '\0';
		down_came(&p, halves[i / 2].down);
		/* The next is read as ever. */
		client(&p, ASK("2"));
		server(&p, LIST("2"));
		down_came(&p, CUT("2"));
		end(&p);
	}
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

/* Half a line that is no message is ended when answers wait for too long; the
 * rest of it is then the begin of a line. */
TEST(half_a_line_is_ended)
{
	static const char *const never[] = {"{", "\xEF\xBB\xBF {\"id\"", "[",
					    "x\n ["};
	struct play p;

	for (size_t i = 0; i < COUNT(never); i++) {
		begin(&p, policy_text);
		server(&p, never[i]);
		client(&p, CALL("1", "no"));
		assert_false(downstream_stuck(&p.s));
		down_came(&p, never[i]);
		end(&p);
	}
	begin(&p, policy_text);
	server(&p, "x\n> ");
	assert_false(downstream_stuck(&p.s));
	for (int i = 0; i < 600; i++)
		client(&p, CALL("1", "no"));
	down_came(&p, "x\n> ");
	assert_true(downstream_stuck(&p.s));
	client(&p, ASK("2"));
	downstream_break(&p.s);
	settle(&p);
	assert_false(downstream_stuck(&p.s));
	assert_memory_equal(p.down, "\n{\"jsonrpc\"", 11);
	down_has(&p, "Denied by policy: no");
	up_came(&p, ASK("2"));
	server(&p, LIST("2") "> ");
	down_came(&p, CUT("2") "> ");
	/* And at the end of the output. */
	client(&p, CALL("3", "no"));
	p.s.down_ended = true;
	settle(&p);
	assert_memory_equal(p.down, "\n{\"jsonrpc\"", 11);
	end(&p);
}

/* White space behind a line's end is no begin of a line. */
TEST(answers_do_not_wait_behind_white_space)
{
	static const char *const before[] = {"", OTHER "\r", OTHER " \t",
					     OTHER "\n", "\xEF\xBB\xBF"};

	for (size_t i = 0; i < COUNT(before); i++) {
		struct play p;

		begin(&p, policy_text);
		p.name = before[i];
		server(&p, before[i]);
		down_came(&p, before[i]);
		client(&p, CALL("1", "no"));
		down_has(&p, "Denied by policy: no");
		end(&p);
	}
}

TEST(answers_wait_for_the_end_of_a_line)
{
	struct play p;

	begin(&p, policy_text);
	server(&p, "{\"id\":9,");
	client(&p, CALL("1", "no"));
	up_came(&p, "");
	down_came(&p, "{\"id\":9,");
	server(&p, "\"result\":1}\n{\"id\":8,");
	assert_memory_equal(p.down, "\"result\":1}\n{\"jsonrpc\"", 22);
	assert_string_equal(p.down + p.down_len - 10, "}\n{\"id\":8,");
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
static char *put(char *at, const char *text, size_t width)
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
		strcpy(put(put(line, rows[i].first, PART), rows[i].second,
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

/* The ends of both sides: a last line without LF is judged as any other. */
TEST(ends)
{
	struct play p;
	static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
				   "\"ping\"}";

	begin(&p, policy_text);
	client(&p, ping);
	up_came(&p, "");
	p.s.up_ended = true;
	settle(&p);
	up_came(&p, ping);
	end(&p);

	begin(&p, policy_text);
	client(&p, "{\"jsonrpc\"");
	p.s.up_ended = true;
	settle(&p);
	up_came(&p, "");
	down_has(&p, "-32700");
	end(&p);

	/* CR is a line end only before LF. */
	begin(&p, policy_text);
	client(&p, ping);
	client(&p, "\r");
	p.s.up_ended = true;
	settle(&p);
	up_came(&p, "");
	down_has(&p, "CR inside the message");
	end(&p);

	begin(&p, policy_text);
	client(&p, ASK("1"));
	server(&p, "{\"id\":1,\"result\":{\"tools\":[{\"name\":\"gone\"}]}}");
	down_came(&p, "");
	p.s.down_ended = true;
	settle(&p);
	down_came(&p, "{\"id\":1,\"result\":{\"tools\":[]}}");
	end(&p);

	/* The server ended inside a line: no answer can follow it. */
	begin(&p, policy_text);
	server(&p, "{\"id\":");
	client(&p, CALL("1", "no"));
	p.s.down_ended = true;
	settle(&p);
	down_came(&p, "{\"id\":");
	end(&p);
}

TEST(blank_lines_are_swallowed)
{
	struct play p;

	begin(&p, policy_text);
	client(&p, "\n\r\n \t\n" CALL("1", "a") "\n" CALL("2", "b"));
	up_came(&p, CALL("1", "a") CALL("2", "b"));
	down_came(&p, "");
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

RUN(NULL, NULL)
