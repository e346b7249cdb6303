/*
 * The lines of the log: what stands in them whatever stands in a message, how
 * long they get, and how they hang together.
 */
#include "rows.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../shim/log.h"
#include "../../shim/served.h"

static const unsigned char digest[SHA256_BYTES] = {0xAB};
#define DIGEST_HEX                                                             \
	"ab00000000000000000000000000000000000000000000000000000000000000"

/* A log in a pipe, and what came out of that. */
struct written {
	struct log log;
	int end;
	char text[1 << 17];
	size_t len;
};

static void take(struct written *w)
{
	ssize_t got;

	while ((got = read(w->end, w->text + w->len,
			   sizeof(w->text) - 1 - w->len)) > 0)
		w->len += (size_t)got;
	w->text[w->len] = '\0';
}

static void begin_as(struct written *w, const char *grant,
		     const char *const *command)
{
	int ends[2];

	memset(w, 0, sizeof(*w));
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	w->log.fd = ends[1];
	w->end = ends[0];
	log_start(&w->log, &(struct log_start){.grant = grant,
					       .command = command,
					       .policy = digest});
	take(w);
}

static void begin(struct written *w)
{
	begin_as(w, "g", (const char *const[]){"/bin/s", NULL});
	w->len = 0;
}

static void end(struct written *w)
{
	log_close(&w->log);
	close(w->end);
}

/* One JSON text, of ASCII and what stands for itself on a terminal. */
static void check_sound(const char *name, const char *line, size_t len)
{
	char copy[LOG_LINE];
	struct scan r;
	const char *p;
	unsigned code;

	row_true(name, len > 0 && len <= LOG_LINE && line[len - 1] == '\n');
	row_true(name, strncmp(line, "{\"ts\":\"", 7) == 0);
	memcpy(copy, line, len);
	scan_begin(&r, copy, len - 1);
	p = scan_value(&r, copy);
	row_true(name, p && scan_end(&r, p));
	for (size_t i = 0; i + 1 < len; i++)
		row_true(name, !strbuf_obeyed(line + i, len - 1 - i, &code));
	row_true(name, !memmem(line + 1, len - 1, "{\"ts\":\"", 7));
}

/* The message of this line is judged so. */
static void judge(struct written *w, const char *line, struct verdict v)
{
	struct message m;
	struct fault fault;
	char copy[1 << 16];
	size_t len = strlen(line);

	memcpy(copy, line, len);
	copy[len] = '\n';
	assert_true(message_read(copy, len, &m, &fault));
	assert_true(log_verdict(&w->log, &m, &v, len, false));
	take(w);
}

static const struct verdict passed = {.kind = VERDICT_PASS};

TEST(members_are_what_a_message_has)
{
	struct rows r = {.file = "log.tsv", .table = "members"};
	char line[TEXT_BYTES];
	struct written w;

	begin(&w);
	while (rows_next(&r)) {
		w.len = 0;
		judge(&w, rows_line(line, r.field[0]), passed);
		row_has(r.place, w.text, r.field[1]);
		row_true(r.place, !strstr(w.text, "secret"));
		check_sound(r.place, w.text, w.len);
	}
	end(&w);
}

TEST(values_that_are_asked_for)
{
	struct rows r = {.file = "log.tsv", .table = "values"};
	char line[TEXT_BYTES], text[TEXT_BYTES];
	struct written w;

	begin(&w);
	while (rows_next(&r)) {
		w.log.args = r.field[0];
		w.len = 0;
		snprintf(text, sizeof(text), "call \"t\" %s", r.field[1]);
		judge(&w, rows_line(line, text), passed);
		row_has(r.place, w.text, r.field[2]);
		check_sound(r.place, w.text, w.len);
	}
	end(&w);
}

/* The longest of everything, of what is longest once it is escaped. */
TEST(the_longest_line_fits)
{
	static char line[1 << 16], text[2000], reason[6 * POLICY_REASON_BYTES];
	struct verdict v = {.kind = VERDICT_REFUSED,
			    .location.rule = text,
			    .reason = reason};
	const char *const command[] = {text, text, text, text, text, text,
				       text, text, text, text, text, text,
				       text, text, text, text, text, NULL};
	struct written w;
	char *p = line;

	memset(text, '\x1b', sizeof(text) - 1);
	begin_as(&w, text, command);
	check_sound("start", w.text, w.len);
	for (size_t i = 0; i + 6 < sizeof(reason); i += 6)
		memcpy(reason + i, "\\u202e", 6);
	for (size_t i = 0; i + 6 < sizeof(text); i += 6)
		memcpy(text + i, "\\u202e", 6);
	text[1200] = '\0';
	p += sprintf(p,
		     "{\"jsonrpc\":\"2.0\",\"id\":\"%.252s\",\"method\":\""
		     "%s\",\"params\":{\"name\":\"%s\",\"uri\":\"%s\","
		     "\"arguments\":{",
		     text, text, text, text);
	for (int i = 0; i < 20; i++)
		p += sprintf(p, "\"%d%s\":\"%s\",", i, text, text);
	sprintf(p, "\"a\":\"%s\",\"b\":\"%s\",\"c\":\"%s\"}}}", text, text,
		text);
	w.log.args = "args.a,args.b,args.c";
	w.log.seq = w.log.lost_ever = UINT64_MAX / 2;
	w.len = 0;
	judge(&w, line, v);
	check_sound("decision", w.text, w.len);
	assert_non_null(strstr(w.text, "\"reason\":\"\\u202e"));
	assert_non_null(strstr(w.text, "...\",\"bytes\":"));
	end(&w);
}

/* Bytes that are no UTF-8, and more words than are shown. */
TEST(the_start_has_what_was_given)
{
	const char *const words[] = {"/a/\xFFs\xC3\xA9\xE2\x80\xA8",
				     "\xC3",
				     "3",
				     "4",
				     "5",
				     "6",
				     "7",
				     "8",
				     "9",
				     "10",
				     "11",
				     "12",
				     "13",
				     "14",
				     "15",
				     "16",
				     "17",
				     NULL};
	struct written w;
	struct text name = {"n\"</script>", 11, 0};

	begin_as(&w, "\xC0\xAF/g", words);
	check_sound("start", w.text, w.len);
	assert_non_null(strstr(w.text, ",\"seq\":0,\"pid\":"));
	assert_non_null(strstr(
		w.text, "\"line\":\"start\",\"grant\":\"?\?/g\",\"server\":"
			"\"?s\xC3\xA9\\u2028\",\"version\":\""));
	assert_non_null(strstr(w.text, ",\"command\":[\"/a/?s\xC3\xA9\\u2028\","
				       "\"?\",\"3\",\"4\","));
	assert_non_null(strstr(w.text,
			       "\"16\"],\"words\":17,\"policy\":\"" DIGEST_HEX
			       "\"}\n"));
	w.len = 0;
	log_server(&w.log, name);
	name.len = 1;
	log_server(&w.log, name); /* the first counts */
	log_warning(&w.log, "x");
	take(&w);
	assert_non_null(strstr(w.text, ",\"server\":\"n\\\"</script>\","));
	end(&w);
}

/* The lines, and that each has the digest of the one before. */
static int check_chain(const char *text)
{
	char prev[16 + SHA256_HEX] = "";
	unsigned char sum[SHA256_BYTES];
	struct sha256 h;
	const char *lf;
	int seq = 0;

	for (; (lf = strchr(text, '\n')); text = lf + 1) {
		const size_t len = (size_t)(lf - text);
		char number[32];

		if (len == 0)
			continue;
		check_sound("a line", text, len + 1);
		snprintf(number, sizeof(number), ",\"seq\":%d,", seq);
		assert_non_null(memmem(text, len, number, strlen(number)));
		if (seq++ > 0)
			assert_memory_equal(lf - strlen(prev), prev,
					    strlen(prev));
		sha256_begin(&h);
		sha256_add(&h, text, len);
		sha256_end(&h, sum);
		memcpy(prev, ",\"prev\":\"", 9);
		sha256_hex(sum, prev + 9);
		memcpy(prev + 9 + SHA256_HEX, "\"}", 3);
	}
	return seq;
}

/* Every kind of line. */
TEST(lines_are_chained)
{
	const struct fault fault = {.reason = "a \"b\"", .offset = 5};
	const struct span id = {"\"\\u0041\"", 8}, none = {.ptr = NULL};
	const struct text tool = {"t\\n", 3, TEXT_ESCAPED};
	const struct message m = {.id = id,
				  .method = METHOD_TOOLS_CALL,
				  .method_text = {"tools/call", 10, 0},
				  .name = tool};
	struct served_call call = {.id_len = 1, .id = "7"};
	static const char *const lines[] = {
		"\"line\":\"start\",\"grant\":\"g\",\"server\":\"s\",",
		"\"line\":\"decision\",\"grant\":\"g\",\"server\":\"s\",\"verdict\":"
		"\"malformed\",\"rule\":\"(malformed)\",\"reason\":\"a \\\"b\\\" "
		"(byte 5)\",\"observed\":true,\"bytes\":9,\"us\":",
		"\"answer\",\"grant\":\"g\",\"server\":\"s\",\"id\":7,\"call\":3,\"ms\":",
		",\"error\":true,\"bytes\":5,\"prev\":",
		"\"id\":\"A\",\"method\":\"tools/call\",\"tool\":\"t\\n\",\"answer\":\"yes\",\"who\":\"ann\","
		"\"how\":\"terminal\",\"ms\":1.500,\"prev\"",
		"\"withheld\",\"grant\":\"g\",\"server\":\"s\",\"id\":\"A\",\"reason\":"
		"\"a \\\"b\\\"\",\"byte\":5,\"prev\"",
		"\"changed\",\"grant\":\"g\",\"server\":\"s\",\"tool\":\"t\\n\","
		"\"reason\":\"why\",\"prev\"",
		"\"reload\",\"grant\":\"g\",\"server\":\"s\",\"ok\":false,\"policy\":\"" DIGEST_HEX
		"\",\"prev\"",
		"\"warning\",\"grant\":\"g\",\"server\":\"s\",\"warning\":\"w\",\"prev\"",
		"\"end\",\"grant\":\"g\",\"server\":\"s\",\"status\":3,\"passed\":0,"
		"\"hidden\":0,\"refused\":0,\"malformed\":1,\"dropped\":0,"
		"\"answered\":1,\"lost\":0,\"prev\"",
	};
	struct written w;

	begin_as(&w, "g", (const char *const[]){"s", NULL});
	log_fault(&w.log, none, &fault, 9, true);
	call.seq = 3;
	log_answered(&w.log, &call, 5, true);
	log_approval(&w.log, &m, "yes", "ann", "terminal", 1500000);
	log_withheld(&w.log, id, &fault);
	log_changed(&w.log, tool, "why");
	log_reload(&w.log, false, digest);
	log_warning(&w.log, "w");
	log_end(&w.log, 3);
	take(&w);
	assert_int_equal(check_chain(w.text), 9);
	for (size_t i = 0; i < COUNT(lines); i++)
		row_true(lines[i], strstr(w.text, lines[i]));
	end(&w);
}

/* A pipe that is full: what is lost is counted, and told once there is room;
 * the chain goes on.  Without a start line there is no other. */
TEST(what_is_lost_is_counted)
{
	static char zeros[1 << 12];
	const char *const command[] = {"s", NULL};
	struct written w = {.len = 0};
	int ends[2], count = 0;

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	w.log.fd = ends[1];
	w.end = ends[0];
	while (write(ends[1], zeros, sizeof(zeros)) > 0)
		;
	log_start(&w.log, &(struct log_start){.grant = "g",
					      .command = command,
					      .policy = digest});
	assert_false(log_ready(&w.log));
	log_warning(&w.log, "lost");
	assert_int_equal(w.log.lost, 1);
	take(&w);
	w.len = 0;
	assert_true(log_ready(&w.log));
	log_warning(&w.log, "there");
	take(&w);
	assert_non_null(strstr(w.text, ",\"seq\":1,"));
	assert_non_null(strstr(w.text, "\"lost\":1,\"prev\":"));
	while (log_warning(&w.log, "many"), w.log.lost == 0)
		count++;
	log_warning(&w.log, "lost");
	take(&w);
	log_end(&w.log, 0);
	take(&w);
	assert_int_equal(check_chain(w.text), 3 + count + 2);
	assert_non_null(strstr(w.text, "\"line\":\"gap\",\"grant\":\"g\","
				       "\"server\":\"s\",\"lost\":2,\"prev\""));
	assert_non_null(strstr(w.text, ",\"lost\":3,\"prev\":"));
	end(&w);
}

/* Half a line that stands for good, as where only appending is allowed, is
 * ended before the next, also where the log was opened anew meanwhile. */
TEST(half_a_line_is_ended)
{
	char path[] = "/tmp/weir-log-XXXXXX", text[1024] = "";
	int fd = mkstemp(path);
	struct log log;

	assert_int_equal(write(fd, "{\"ts", 5), 5);
	assert_true(log_open(&log, path));
	log.torn = log.started = true;
	log.lost = 1;
	log_reopen(&log, path);
	log_warning(&log, "x");
	assert_false(log.torn);
	log_close(&log);
	assert_true(pread(fd, text, sizeof(text) - 1, 5) > 0);
	assert_memory_equal(text, "\n{", 2);
	assert_non_null(strstr(text, "\"lost\":1,\"torn\":true}\n"));
	close(fd);
	unlink(path);
}

RUN(NULL, NULL)
