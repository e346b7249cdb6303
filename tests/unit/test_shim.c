/* The parts of the relay that need no process: buffers, the server's pipe,
 * awaited lists, and what is answered. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../shim/answer.h"
#include "../../shim/log.h"
#include "../../shim/pending.h"
#include "../../shim/pipe.h"
#include "../../shim/stream.h"

/* ---- stream ---------------------------------------------------------- */

static void put(struct stream *s, const char *text)
{
	char *at;

	assert_true(stream_room(s, &at) >= strlen(text));
	memcpy(at, text, strlen(text));
	s->fill += strlen(text);
}

static void check_run(const struct stream *s, const char *run)
{
	assert_true(s->run <= s->run_end && s->run_end <= s->next &&
		    s->next <= s->fill && s->fill <= s->cap);
	assert_int_equal(s->run_end - s->run, strlen(run));
	assert_memory_equal(s->buf + s->run, run, strlen(run));
}

TEST(runs_join_until_something_is_left_out)
{
	struct stream s;

	assert_true(stream_open(&s, 100));
	put(&s, "one\ntwo\nbad\nthree\nfo");
	assert_int_equal(stream_line(&s), 4);
	stream_pass(&s, 4);
	stream_pass(&s, stream_line(&s));
	check_run(&s, "one\ntwo\n");
	stream_drop(&s, stream_line(&s));
	assert_false(stream_may_judge(&s));
	stream_sent(&s, 3);
	check_run(&s, "\ntwo\n");
	assert_false(stream_may_judge(&s));
	stream_sent(&s, 5);
	assert_true(stream_may_judge(&s));
	stream_pass(&s, stream_line(&s));
	check_run(&s, "three\n");
	assert_int_equal(stream_line(&s), 0);
	put(&s, "ur\n");
	assert_int_equal(stream_line(&s), 5);
	/* Left out with nothing to send before it: no pause. */
	stream_sent(&s, 6);
	stream_drop(&s, 5);
	assert_false(stream_may_judge(&s));
	put(&s, "x\n");
	assert_true(stream_may_judge(&s));
	assert_int_equal(stream_line(&s), 2);
	stream_close(&s);
}

/* A line that is cut: what is kept is sent, the rest is left out. */
TEST(a_line_can_become_shorter)
{
	struct stream s;

	assert_true(stream_open(&s, 100));
	put(&s, "ab\nlonger\nc\n");
	stream_pass(&s, 3);
	assert_int_equal(stream_line(&s), 7);
	memcpy(s.buf + s.next, "lo\n", 3);
	stream_pass(&s, 3);
	stream_drop(&s, 4);
	check_run(&s, "ab\nlo\n");
	stream_sent(&s, 6);
	stream_pass(&s, stream_line(&s));
	check_run(&s, "c\n");
	stream_close(&s);
}

/* However reading, judging and sending alternate, a line of max_line bytes
 * gets room, and nothing that was passed is lost. */
static void pass_long_lines(size_t max)
{
	struct stream s;
	size_t in = 0, out = 0, turn = 0;
	char *at;

	assert_true(stream_open(&s, max));
	while (out < 20 * max) {
		size_t room = stream_room(&s, &at);

		/* Lines of max bytes and an LF, numbered by their bytes. */
		for (size_t i = 0; i < room; i++, in++)
			at[i] = in % (max + 1) == max ? '\n'
						      : (char)(in % 64 + 32);
		s.fill += room;
		if (stream_may_judge(&s)) {
			size_t len = stream_line(&s);

			assert_true(len > 0 || s.fill - s.next <= max);
			if (len > 0)
				stream_pass(&s, len);
		}
		/* Sometimes all of the run goes, sometimes a little. */
		room = s.run_end - s.run;
		if (++turn % 3 > 0 && room > 1000)
			room = 1000 * turn % room;
		for (size_t i = 0; i < room; i++, out++)
			assert_true(s.buf[s.run + i] ==
				    (out % (max + 1) == max
					     ? '\n'
					     : (char)(out % 64 + 32)));
		stream_sent(&s, room);
	}
	stream_close(&s);
}

TEST(the_longest_line_finds_room)
{
	for (size_t chunks = 1; chunks <= 16; chunks *= 2)
		pass_long_lines(chunks * STREAM_CHUNK);
}

/* A stream of short lines that never rests stays where it is in memory: each
 * read ends inside a line, and not all that is read is sent at once. */
TEST(a_busy_stream_stays_near)
{
	const size_t max = 64 * STREAM_CHUNK;
	struct stream s;
	size_t in = 0, most = 0;
	char *at;

	assert_true(stream_open(&s, max));
	for (int turn = 0; turn < 1000; turn++) {
		size_t room = stream_room(&s, &at), len;

		for (size_t i = 0; i < room; i++, in++)
			at[i] = in % 199 == 198 ? '\n' : 'x';
		s.fill += room;
		most = s.fill > most ? s.fill : most;
		while (stream_may_judge(&s) && (len = stream_line(&s)) > 0)
			stream_pass(&s, len);
		/* From last on there is one line, or what is left of it. */
		if (s.run < s.run_end) {
			size_t last = s.last > s.run ? s.last : s.run;

			assert_ptr_equal(
				memchr(s.buf + last, '\n', s.run_end - last),
				s.buf + s.run_end - 1);
		}
		stream_sent(&s, (s.run_end - s.run) / (size_t)(turn % 3 + 1));
	}
	assert_true(in > 2 * max);
	assert_true(most <= STREAM_NEAR + 2 * STREAM_AHEAD);
	stream_close(&s);
}

/* When the judging pauses, so does the reading; a line that is still coming is
 * no pause. */
TEST(what_is_not_judged_is_bounded)
{
	const size_t max = 64 * STREAM_CHUNK;
	struct stream s;
	size_t room;
	char *at;

	assert_true(stream_open(&s, max));
	while ((room = stream_room(&s, &at)) > 0) {
		memset(at, '\n', room);
		s.fill += room;
		assert_true(s.fill <= 2 * STREAM_AHEAD);
	}
	while (s.next < s.fill)
		stream_drop(&s, stream_line(&s));
	while (s.fill < max) {
		room = stream_room(&s, &at);
		assert_true(room > 0);
		memset(at, 'x', room);
		s.fill += room;
		assert_int_equal(stream_line(&s), 0);
	}
	stream_close(&s);
}

/* ---- the server's pipe ----------------------------------------------- */

/* No room, which poll() does not end; after so many looks a timer of wait. */
static void check_waits(struct pipe *p, const char *line, int looks, int wait)
{
	p->full = false;
	assert_int_equal(pipe_write(p, line, strlen(line), true, false), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(p->full);
	assert_int_equal(p->looks, looks);
	assert_int_equal(p->wait, wait);
}

/* It is looked at a few times without a timer, as a server reads a short line
 * within microseconds; but only at a session's begin, and once for each wait,
 * so that a server which does not read costs no processor time. */
TEST(a_full_pipe_is_looked_at_before_a_timer)
{
	static char line[60001], from[sizeof(line)];
	const struct room room = {.bytes = 65536, .page = 4096};
	struct pipe p;
	int ends[2], looks, wait;

	memset(line, 'x', sizeof(line) - 1);
	assert_int_equal(pipe(ends), 0);
	pipe_open(&p, ends[1], room);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe_write(&p, "1\n", 2, true, false), 2);
		assert_int_equal(p.looks + p.wait, 0);
		assert_int_equal(pipe_write(&p, "2\n", 2, true, false), -1);
		/* Read at once: no look is left, and no wait. */
		assert_int_equal(read(ends[0], from, sizeof(from)), 2);
		assert_int_equal(pipe_write(&p, "2\n", 2, true, false), 2);
		assert_int_equal(p.looks + p.wait, 0);
		assert_int_equal(pipe_write(&p, "3\n", 2, true, false), -1);
		looks = p.looks;
		assert_in_range(looks, 1, 32);
		for (; looks > 0; looks--) {
			check_waits(&p, "3\n", looks, 1);
			pipe_waited(&p, looks % 2);
			assert_false(p.full);
		}
		for (wait = 1; wait < 1000; wait *= 2) {
			check_waits(&p, "3\n", 0, wait);
			pipe_waited(&p, false);
			check_waits(&p, "3\n", 0, wait);
			pipe_waited(&p, true);
		}
		pipe_waited(&p, true);
		check_waits(&p, "3\n", 0, wait);
		assert_int_equal(read(ends[0], from, sizeof(from)), 2);
	}
	/* Past the begin: the timer alone. */
	assert_int_equal(pipe_write(&p, line, PIPE_BEGIN, true, false),
			 PIPE_BEGIN);
	assert_int_equal(read(ends[0], from, sizeof(from)), PIPE_BEGIN);
	assert_int_equal(pipe_write(&p, line, strlen(line), true, false),
			 strlen(line));
	check_waits(&p, line, 0, 1);
	pipe_close(&p);
	close(ends[0]);
}

/* ---- await ----------------------------------------------------------- */

static struct span id_of(const char *id)
{
	return (struct span){.ptr = id, .len = strlen(id)};
}

TEST(lists_are_awaited_until_they_come)
{
	struct pending a = {.always = false};
	struct span none = {.ptr = NULL};

	assert_false(pending_has(&a, REPLY_TOOLS));
	pending_add(&a, id_of("1"), REPLY_TOOLS);
	pending_add(&a, id_of("\"1\""), REPLY_TOOLS);
	pending_end(&a, id_of("2"), REPLY_TOOLS);
	pending_end(&a, id_of("1.0"), REPLY_TOOLS);
	pending_end(&a, none, REPLY_TOOLS);
	assert_int_equal(a.due[REPLY_TOOLS], 2);
	pending_end(&a, id_of("\"\\u0031\""), REPLY_TOOLS);
	assert_int_equal(a.due[REPLY_TOOLS], 1);
	pending_end(&a, id_of("\"1\""), REPLY_TOOLS);
	assert_true(pending_has(&a, REPLY_TOOLS));
	pending_end(&a, id_of("1"), REPLY_TOOLS);
	assert_false(pending_has(&a, REPLY_TOOLS));
}

/* The same id twice: the first list does not end the waiting. */
TEST(ids_can_be_awaited_twice)
{
	struct pending a = {.always = false};

	pending_add(&a, id_of("1"), REPLY_TOOLS);
	pending_add(&a, id_of("1"), REPLY_TOOLS);
	pending_end(&a, id_of("1"), REPLY_TOOLS);
	assert_true(pending_has(&a, REPLY_TOOLS));
	pending_end(&a, id_of("1"), REPLY_TOOLS);
	assert_false(pending_has(&a, REPLY_TOOLS));
	pending_end(&a, id_of("1"), REPLY_TOOLS);
	assert_false(pending_has(&a, REPLY_TOOLS));
}

TEST(more_lists_than_places)
{
	struct pending a = {.always = false};
	char id[12];

	for (int i = 0; i <= PENDING_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		pending_add(&a, id_of(id), REPLY_TOOLS);
	}
	for (int i = 0; i <= PENDING_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		pending_end(&a, id_of(id), REPLY_TOOLS);
	}
	assert_int_equal(a.due[REPLY_TOOLS], 0);
	assert_true(pending_has(&a, REPLY_TOOLS));
}

TEST(every_awaited_list_is_answered_once)
{
	struct pending a = {.always = false};
	struct span id;

	pending_add(&a, id_of("1"), REPLY_TOOLS);
	pending_add(&a, id_of("2"), REPLY_TOOLS);
	id = pending_answer(&a);
	assert_memory_equal(id.ptr, "1", 1);
	id = pending_answer(&a);
	assert_memory_equal(id.ptr, "2", 1);
	assert_null(pending_answer(&a).ptr);
	/* Both are still awaited: their lists may come after all. */
	assert_int_equal(a.due[REPLY_TOOLS], 2);
	pending_add(&a, id_of("2"), REPLY_TOOLS);
	assert_non_null(pending_answer(&a).ptr);
}

/* ---- out ------------------------------------------------------------- */

TEST(pieces_fit_or_are_left_out)
{
	char buf[8];
	struct strbuf o = {.ptr = buf, .cap = sizeof(buf)};

	strbuf_string(&o, "abc");
	strbuf_string(&o, "defghi");
	assert_true(o.full);
	strbuf_number(&o, -12345);
	strbuf_number(&o, -123);
	assert_int_equal(o.len, 7);
	assert_memory_equal(buf, "abc-123", 7);
}

TEST(numbers_and_escapes)
{
	char buf[128];
	struct strbuf o = {.ptr = buf, .cap = sizeof(buf) - 1};

	strbuf_number(&o, 0);
	strbuf_string(&o, " ");
	strbuf_number(&o, INT64_MAX);
	strbuf_string(&o, " ");
	strbuf_number(&o, INT64_MIN);
	buf[o.len] = '\0';
	assert_string_equal(buf, "0 9223372036854775807 -9223372036854775808");
	o.len = 0;
	strbuf_escaped(&o, "a\"\\\n\t\x7F\xC3\xA9\xC2\x9B\xC2\xA0\xC2", 13);
	buf[o.len] = '\0';
	assert_string_equal(
		buf, "a\\\"\\\\\\n\\u0009\\u007f\xC3\xA9\\u009b\xC2\xA0\xC2");
	assert_false(o.full);
}

/* ---- answer ---------------------------------------------------------- */

static void check_answer(struct strbuf *o, const char *want)
{
	assert_false(o->full);
	o->ptr[o->len] = '\0';
	assert_string_equal(o->ptr, want);
	o->len = 0;
}

TEST(answers_are_one_line)
{
	char buf[1024];
	struct strbuf o = {.ptr = buf, .cap = sizeof(buf) - 1};
	struct span none = {.ptr = NULL};
	struct fault f = {.reason = "a \"b\" \\u0000", .offset = 57};
	struct message m = {.id = id_of("\"\\u0041\""),
			    .method = METHOD_TOOLS_CALL,
			    .name = {.ptr = "k\\n", .len = 3}};
	struct verdict v = {
		.location.rule = "/tools/a", .reason = "why", .wait = -1};

	answer_fault(&o, none, &f);
	check_answer(&o, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":"
			 "-32600,\"message\":\"Not passed on: a \\\"b\\\" "
			 "\\\\u0000 (byte 57)\"}}\n");
	f.grammar = true;
	answer_fault(&o, m.id, &f);
	assert_non_null(
		strstr(buf, "\"id\":\"\\u0041\",\"error\":{\"code\":-32700,"));
	o.len = 0;
	v.kind = VERDICT_HIDDEN;
	answer_unknown(&o, &m, &v);
	check_answer(&o, "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0041\",\"error\":"
			 "{\"code\":-32602,\"message\":\"Unknown tool: "
			 "k\\n\"}}\n");
	v.kind = VERDICT_REFUSED;
	answer_refusal(&o, &m, &v);
	check_answer(&o, "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0041\",\"result\":"
			 "{\"content\":[{\"type\":\"text\",\"text\":\"Denied "
			 "by policy: why\"}],\"isError\":true,\"_meta\":"
			 "{\"weir/rule\":\"/tools/a\"}}}\n");
	m.modern = true;
	v.wait = 40000000001;
	answer_refusal(&o, &m, &v);
	check_answer(&o, "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0041\",\"result\":"
			 "{\"resultType\":\"complete\",\"content\":[{\"type\":"
			 "\"text\",\"text\":\"Denied by policy: why; try again "
			 "in 41 s\"}],\"isError\":true,\"_meta\":{\"weir/rule\""
			 ":\"/tools/a\",\"weir/retryAfterMs\":40001}}}\n");
	/* Of a task, only a revision without such tasks takes a result. */
	m.task = true;
	answer_refusal(&o, &m, &v);
	assert_non_null(strstr(buf, "\"isError\":true"));
	o.len = 0;
	m.modern = false;
	answer_refusal(&o, &m, &v);
	check_answer(&o,
		     "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0041\",\"error\":"
		     "{\"code\":-32602,\"message\":\"Denied by policy: why; "
		     "try again in 41 s\",\"data\":{\"weir/rule\":"
		     "\"/tools/a\",\"weir/retryAfterMs\":40001}}}\n");
}

TEST(waits_have_units)
{
	static const struct {
		int64_t wait;
		const char *words;
	} rows[] = {
		{1, "in 1 s\""},
		{119000000000, "in 119 s\""},
		{119000000001, "in 2 min\""},
		{7140000000000, "in 119 min\""},
		{7140000000001, "in 120 min\""},
		{7200000000000, "in 2 h\""},
		{86400000000000, "in 24 h\""},
	};
	char buf[1024];
	struct message m = {.id = id_of("1"), .method = METHOD_TOOLS_CALL};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct strbuf o = {.ptr = buf, .cap = sizeof(buf) - 1};
		struct verdict v = {.location.rule = "", .reason = ""};

		v.wait = rows[i].wait;
		answer_refusal(&o, &m, &v);
		buf[o.len] = '\0';
		row_true(rows[i].words, strstr(buf, rows[i].words));
	}
}

/* The longest of everything fits into ANSWER_BYTES. */
TEST(the_longest_answer_fits)
{
	static char id[MESSAGE_ID_BYTES + 2], rule[POLICY_RULE_BYTES + 1],
		reason[6 * POLICY_REASON_BYTES + 1], buf[ANSWER_BYTES];
	struct strbuf o = {.ptr = buf, .cap = sizeof(buf)};
	struct message m = {.id = {id, sizeof(id)},
			    .method = METHOD_TOOLS_CALL,
			    .modern = true};
	struct verdict v = {.location.rule = rule,
			    .reason = reason,
			    .wait = 31622400000000000};

	memset(id, 'i', sizeof(id));
	memset(rule, 'r', sizeof(rule) - 1);
	memset(reason, 'x', sizeof(reason) - 1);
	answer_refusal(&o, &m, &v);
	assert_false(o.full);
}

RUN(NULL, NULL)
