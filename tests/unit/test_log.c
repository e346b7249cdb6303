/*
 * The lines of the log: what stands in them whatever stands in a message, how
 * long they get, and how they hang together.
 */
#include "unit.h"

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

#define REQUEST(id, method, params)                                            \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method              \
	"\",\"params\":" params "}"
#define CALL(arguments)                                                        \
	REQUEST("1", "tools/call",                                             \
		"{\"name\":\"t\",\"arguments\":" arguments "}")
#define READ(uri) REQUEST("1", "resources/read", "{\"uri\":\"" uri "\"}")
#define TEN       "xxxxxxxxxx"
#define FIFTY     TEN TEN TEN TEN TEN
#define LONG                                                                   \
	FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

/* What stands in the line of a message. */
static const struct {
	const char *line, *there;
} members[] = {
	{REQUEST("7", "tools/call", "{\"name\":\"t\"}"),
	 ",\"id\":7,\"method\":\"tools/call\",\"tool\":\"t\",\"verdict\":"},
	{REQUEST("\"a\\u202e\\ud83d\\ude00\"", "prompts/get",
		 "{\"name\":\"p\",\"arguments\":{}}"),
	 ",\"id\":\"a\\u202e\xF0\x9F\x98\x80\",\"method\":\"prompts/get\","
	 "\"prompt\":\"p\",\"args\":[],\"verdict\":"},
	{REQUEST("1", "x", "{\"name\":\"\\ud800</script>\"}"),
	 ",\"method\":\"x\",\"name\":\"\xEF\xBF\xBD</script>\",\"verdict\":"},
	{REQUEST("1", "tasks\\/get\\u001b\\u009b\xE2\x80\xA8\x7F", "{}"),
	 "\"tasks/get\\u001b\\u009b\\u2028\\u007f\","},
	/* Names of arguments. */
	{CALL("{\"b\":\"secret\",\"a\":{\"secret\":1},\"\\u0061b\":[2],\"\":0}"),
	 ",\"args\":[\"\",\"a\",\"ab\",\"b\"],\"verdict\":"},
	{CALL("{\"q\":0,\"p\":0,\"o\":0,\"n\":0,\"m\":0,\"l\":0,\"k\":0,"
	      "\"j\":0,\"i\":0,\"h\":0,\"g\":0,\"f\":0,\"e\":0,\"d\":0,"
	      "\"c\":0,\"b\":0,\"a\":0,\"r\":0}"),
	 ",\"args\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\","
	 "\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\"],\"args_more\":2,"},
	{CALL("{\"" FIFTY TEN "1234\":0,\"" FIFTY TEN "12345\":1}"),
	 ",\"args\":[\"" FIFTY TEN "1234\",\"" FIFTY TEN "1234...\"],"},
	{CALL("{\"" FIFTY TEN "12\\u0001\":0}"),
	 ",\"args\":[\"" FIFTY TEN "12...\"],"},
	/* Uris: no user, no query, no fragment. */
	{READ("https://u:p@h:1/a?q#f"), ",\"uri\":\"https://h:1/a\","},
	{READ("https://a@b:p@h/x@y"), ",\"uri\":\"https://h/x@y\","},
	{READ("https:\\/\\/u\\u0040h/"), ",\"uri\":\"https://h/\","},
	{READ("https:\\\\\\\\u:p@h\\\\a"),
	 ",\"uri\":\"https:\\\\\\\\h\\\\a\","},
	{READ("https:///u:p@h/"), ",\"uri\":\"https:///h/\","},
	{READ("u:p@h/a"), ",\"uri\":\"h/a\","},
	{READ("//u:p@h/a"), ",\"uri\":\"//h/a\","},
	{READ("mailto:a@b"), ",\"uri\":\"b\","},
	{READ("file:///a/b@c"), ",\"uri\":\"file:///a/b@c\","},
	{READ("a?b@c"), ",\"uri\":\"a\","},
	{READ("a#b@c"), ",\"uri\":\"a\","},
	{READ("https://u@"), ",\"uri\":\"https://\","},
	{READ("a:"), ",\"uri\":\"a:\","},
	{READ(""), ",\"uri\":\"\","},
	{READ("a://" LONG LONG "@h"), ",\"uri\":\"a://\","},
	{READ("a://h/" LONG), "xxx...\",\"verdict\":"},
};

TEST(members_are_what_a_message_has)
{
	struct written w;

	begin(&w);
	for (size_t i = 0; i < COUNT(members); i++) {
		w.len = 0;
		judge(&w, members[i].line, passed);
		row_has(members[i].line, w.text, members[i].there);
		row_true(members[i].line, !strstr(w.text, "secret"));
		check_sound(members[i].line, w.text, w.len);
	}
	end(&w);
}

static const struct {
	const char *paths, *arguments, *there;
} values[] = {
	{"args.a", "{\"a\":1.50,\"b\":2}", ",\"values\":{\"args.a\":1.50},"},
	{"args.b,args.a", "{\"a\":true,\"b\":null}",
	 ",\"values\":{\"args.b\":null,\"args.a\":true},"},
	{"args.a.b", "{\"b\":1,\"a\":{\"b\":\"x\\u202e\\\"\"}}",
	 ",\"values\":{\"args.a.b\":\"x\\u202e\\\"\"},"},
	{"args.a", "{\"a\":{\"ts\":\"x\"}}",
	 ",\"values\":{\"args.a\":\"{\\\"ts\\\":\\\"x\\\"}\"},"},
	{"args.a", "{\"a\":[1, \"\\u0041\"]}",
	 ",\"values\":{\"args.a\":\"[1, \\\"\\\\u0041\\\"]\"},"},
	{"args.a,args.c.d,args.b", "{\"c\":3,\"b\":2}",
	 ",\"args\":[\"b\",\"c\"],\"values\":{\"args.b\":2},"},
	{"args.a.b", "{\"a\":\"b\"}", ",\"args\":[\"a\"],\"verdict\":"},
	{"args.a", "{\"a\":\"" LONG "\"}", FIFTY "xxxxxx...\"},"},
	{"args.a",
	 "{\"a\":1"
	 "00000000"
	 "}",
	 "\"args.a\":100000000},"},
	{"args.a", "{}", ",\"args\":[],\"verdict\":"},
};

TEST(values_that_are_asked_for)
{
	struct written w;
	char line[4096];

	begin(&w);
	for (size_t i = 0; i < COUNT(values); i++) {
		w.log.args = values[i].paths;
		w.len = 0;
		snprintf(line, sizeof(line), CALL("%s"), values[i].arguments);
		judge(&w, line, passed);
		row_has(values[i].arguments, w.text, values[i].there);
		check_sound(values[i].arguments, w.text, w.len);
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
