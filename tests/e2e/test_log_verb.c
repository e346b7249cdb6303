/* weir log: what a log amounts to. */
#include "fields.h"
#include "lines.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE(seq, at, pid, word, members)                                      \
	"{\"ts\":\"2026-01-31T" at "\",\"seq\":" #seq ",\"pid\":" #pid         \
	",\"line\":\"" word "\",\"grant\":\"g\",\"server\":\"s\"" members      \
	",\"prev\":\"0\"}\n"
#define CALL(tool)                                                             \
	",\"id\":1,\"method\":\"tools/call\",\"tool\":\"" tool                 \
	"\",\"args\":[\"a\"]"
#define PASSED(tool) CALL(tool) ",\"verdict\":\"passed\",\"bytes\":100,\"us\":5"
#define REFUSED(tool, rule)                                                    \
	CALL(tool)                                                             \
	",\"verdict\":\"refused\",\"rule\":\"" rule                            \
	"\",\"reason\":\"no \\\"more\\\"\",\"bytes\":100,\"us\":5"
#define ANSWER(tool, ms)                                                       \
	",\"id\":1,\"method\":\"tools/call\",\"tool\":\"" tool                 \
	"\",\"call\":1,\"ms\":" ms ",\"bytes\":1000"

/* The fourth is a blank line, and the fifth noise. */
static const char *const lines[] = {
	LINE(0, "09:59:00.000000Z", 7, "start", ",\"version\":\"0\""),
	LINE(1, "10:00:00.000000Z", 7, "decision", PASSED("echo")),
	LINE(2, "10:00:00.100000Z", 7, "answer", ANSWER("echo", "1.234")),
	"   \n",
	"noise\n",
	LINE(3, "10:00:01.000000Z", 7, "decision", PASSED("ech\\u006f")),
	LINE(4, "10:00:01.100000Z", 7, "answer",
	     ANSWER("echo", "90.000") ",\"error\":true"),
	LINE(5, "10:00:02.000000Z", 7, "decision", REFUSED("pay", "/a")),
	LINE(6, "10:00:02.000000Z", 7, "decision", REFUSED("pay", "/a")),
	LINE(7, "10:00:02.000000Z", 7, "decision", REFUSED("pay", "/a")),
	LINE(0, "10:00:02.000000Z", 8, "decision", PASSED("echo")),
	LINE(8, "10:00:02.000000Z", 7, "decision", REFUSED("pay", "/a")),
	LINE(1, "10:00:02.000000Z", 8, "approval",
	     ",\"id\":1,\"tool\":\"pay\",\"answer\":\"asked\",\"ms\":0"),
	LINE(9, "10:00:02.000000Z", 7, "approval",
	     ",\"id\":1,\"tool\":\"pay\",\"answer\":\"yes\",\"who\":\"ann\","
	     "\"how\":\"terminal\",\"ms\":5"),
	LINE(10, "10:00:02.000000Z", 7, "decision", REFUSED("pay", "/a")),
	LINE(11, "10:00:03.000000Z", 7, "decision", PASSED("pay")),
	LINE(12, "10:00:03.000000Z", 7, "decision", REFUSED("pay", "/a")),
	LINE(13, "10:00:03.000000Z", 7, "decision", REFUSED("pay", "/b")),
	LINE(14, "10:00:04.000000Z", 7, "decision",
	     ",\"verdict\":\"malformed\",\"rule\":\"(malformed)\""),
	LINE(15, "10:00:04.000000Z", 7, "decision",
	     ",\"method\":\"resources/read\",\"uri\":\"a:b\","
	     "\"verdict\":\"hidden\",\"rule\":\"(hidden)\""),
	LINE(16, "10:00:05.000000Z", 7, "gap", ",\"lost\":3"),
	LINE(17, "10:00:05.000000Z", 7, "end", ""),
};

/* A file of them. */
static const char *small_log(void)
{
	struct bytes all = {.ptr = NULL};

	for (size_t i = 0; i < COUNT(lines); i++)
		append_text(&all, lines[i]);
	return file("log", all.ptr);
}

#define HASH_BUT_ONE                                                           \
	"012345678901234567890123456789012345678901234567890123456789012"
#define HASH HASH_BUT_ONE "3"

static struct proc *run_log(const char *log, const char *const *more)
{
	struct proc *p = proc_run(join(WORDS(weir, "log", log), more), "");

	check_status(p, 0);
	check_text("stderr", p->told.ptr ? p->told.ptr : "", "");
	return p;
}

/* The same as one line. */
static const char *json_of(const char *log, const char *const *more)
{
	struct proc *p = run_log(log, join(WORDS("--json"), more));

	for (char *c = p->said.ptr; c[1]; c++)
		*c = *c == '\n' ? ' ' : *c;
	return p->said.ptr;
}

/* In ASCII, as there is no locale. */
TEST(summed_up)
{
	static const char want[] =
		"calls 13, refused 9, server errors 1\n"
		"2026-01-31 10:00:00 to 2026-01-31 10:00:04 UTC\n"
		"\n"
		"Calls, at most 6 per second\n"
		"                  ########                \n"
		"                  ########========        \n"
		"  ================########################\n"
		"Refused, at most 5 per second\n"
		"                  ########                \n"
		"                  ########################\n"
		"  2026-01-31 10:00:00 to 2026-01-31 10:00:05\n"
		"\n"
		"TOOL                  CALLS  REFUSED  ASKED  P50 MS  P99 MS"
		"   BYTES  WHEN (UTC)\n"
		"pay                       8        7      1       -       -"
		"     800  10:00-10:00\n"
		"echo                      3        0      0    1.25    88.1"
		"   2,300  10:00-10:00\n"
		"(not understood)          1        1      0       -       -"
		"       0  10:00-10:00\n"
		"resources/read            1        1      0       -       -"
		"       0  10:00-10:00\n"
		"\n"
		" REFUSED  WHAT, AND WHICH RULE\n"
		"       6  pay by /a\n"
		"       1  pay by /b\n"
		"       1  (not understood) by (malformed)\n"
		"       1  resources/read by (hidden)\n"
		"\n"
		"IN A ROW  THE SAME CALL, REFUSED AGAIN AND AGAIN\n"
		"       5  pay by /a\n"
		"\n"
		"SAID YES       NO  NOTHING  WHAT, AND WHO WAS ASKED\n"
		"       1        0        0  pay, ann (terminal)\n"
		"\n"
		"Times are the server's, at most 3 % off.\n"
		"\n"
		"Lines that are not weir's: 1; weir log --verify names them.\n"
		"\n"
		"Lines that could not be written: 3.\n";
	const char *log = small_log();
	const char *const *env = WORDS(text("WEIR_LOG=%s", log));
	struct proc *p = run_log(log, WORDS(NULL));

	check_text("summary", p->said.ptr, want);
	/* No colours where there is no terminal; blocks in UTF-8. */
	p = proc_start_how(WORDS("env", "LANG=C.UTF-8", weir, "log"),
			   &(struct how){.env = env});
	check_status(p, 0);
	check(strstr(p->said.ptr, "\xe2\x96\x88") && !strchr(p->said.ptr, 27),
	      "no blocks, or colours: %s", p->said.ptr);
}

/* ---- what is counted ------------------------------------------------- */

static const struct {
	const char *const words[4];
	const char *calls, *refused, *answers, *tools; /* of echo and pay */
} filters[] = {
	{{NULL}, "13", "9", "2", "pay echo"},
	{{"--tool", "e*"}, "3", "0", "2", "echo"},
	{{"--tool=?ay"}, "8", "7", "0", "pay"},
	{{"--refused"}, "9", "9", "0", "pay"},
	{{"--refused", "--tool", "echo"}, "0", "0", "0", ""},
	{{"--since", "10m"}, "0", "0", "0", ""},
	{{"--since", "999999d"}, "13", "9", "2", "pay echo"},
};

TEST(filtered)
{
	const char *log = small_log();

	for (size_t i = 0; i < COUNT(filters); i++) {
		const char *json = json_of(log, filters[i].words);

		in_case(text("%s", filters[i].words[0]));
		check_field(json, "sum.calls", filters[i].calls);
		check_field(json, "sum.refused", filters[i].refused);
		check_field(json, "sum.answers", filters[i].answers);
		for (int t = 0; t < 2; t++) {
			const char *tool = t ? "pay" : "echo";

			check(!strstr(json, text("{\"tool\": \"%s\"", tool)) ==
				      !strstr(filters[i].tools, tool),
			      "%s: %s", tool, json);
		}
	}
	in_case(NULL);
	/* What is not counted parts what is, all the same. */
	check_has(json_of(log, WORDS("--refused")),
		  "\"rule\": \"/a\", \"refused\": 6, \"inARow\": 5}");
}

/* What does not go together, or is no hash, no time, no file. */
TEST(wrong_words)
{
	static const struct line_row wrong[] = {
		{"log", 2, "", "weir: no log: name a FILE, or set WEIR_LOG"},
		{"log none", 2, "", "none: No such file"},
		{"log log --head abc --verify", 2, "", "--head"},
		{"log log --verify --head=" HASH "0", 2, "", "--head"},
		{"log log --verify --head=" HASH_BUT_ONE "A", 2, "", "--head"},
		{"log log --head " HASH, 2, "", "--head"},
		{"log log --verify --json", 2, "", "--head"},
		{"log log --follow --verify", 2, "", "--head"},
		{"log log --list --follow", 2, "", "--head"},
		{"log log --html p --json", 2, "", "--head"},
		{"log log --html log", 2, "",
		 "log is no page, and is not replaced"},
		{"log log --html no/page", 2, "", "no/page"},
		{"log log --since ''", 2, "", "--since"},
		{"log log --since h", 2, "", "--since"},
		{"log log --since -1h", 2, "", "--since"},
		{"log log --since 2x", 2, "", "--since"},
		{"log log --since 2hh", 2, "", "--since"},
		{"log log --since 9999999999", 2, "", "--since"},
		{"log log --since 5", 2, "", "--since"},
	};
	const char *log = small_log();

	check_rows(wrong, COUNT(wrong));
	check(!exists(path("p")), "a page was written");
	check_has(content(log).ptr, lines[0]);
}

/* More tools than there are rows, rules than pairs: no call is forgotten. */
TEST(many_names)
{
	struct bytes log = {.ptr = NULL};
	const char *json;

	for (int i = 0; i < 3000; i++)
		append_text(&log,
			    text("{\"ts\":\"2026-01-31T10:00:00.000000Z\","
				 "\"seq\":%d,\"pid\":1,\"line\":\"decision\","
				 "\"tool\":\"t%d\",\"verdict\":\"refused\","
				 "\"rule\":\"/%d\"}\n",
				 i, i % 1000, i));
	json = json_of(file("log", log.ptr), WORDS(NULL));
	check_field(json, "sum.calls", "3000");
	check_field(json, "sum.refused", "3000");
	check_has(json, "{\"tool\": null, \"calls\": 2235,");
	check_has(json, "\"rule\": null, \"refused\": 1");
}

#define MOMENT(at)                                                             \
	"{\"ts\":\"" at                                                        \
	".000000Z\",\"seq\":0,\"pid\":1,\"line\":\"decision\","                \
	"\"verdict\":\"passed\"}\n"

/* Lines that are longer than any of weir's, than the buffer, and not ended. */
TEST(too_long)
{
	static const size_t lengths[] = {20000, 300000, 600000};
	struct bytes log = {.ptr = NULL};
	char *junk = test_malloc(600000);

	memset(junk, 'x', 600000);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		append(&log, junk, lengths[i]);
		append_text(&log, "\n" MOMENT("2026-01-31T10:00:00"));
	}
	append(&log, junk, 300000);
	test_free(junk);
	for (int i = 0; i < 2; i++) {
		const char *json = json_of(file("log", log.ptr), WORDS(NULL));

		check_field(json, "sum.calls", "3");
		check_field(json, "lines", "7");
		check_field(json, "unread", "4");
		append_text(&log, "\n");
	}
}

/* Files of which none, or not all, have lines of weir's. */
TEST(of_others)
{
	static const char newer[] = "{\"ts\":\"2026-01-31T10:00:00.000000Z\","
				    "\"seq\":0,\"pid\":1,\"line\":\"novel\","
				    "\"more\":{}}\n";
	static const struct {
		const char *a, *b;
		int status;
		const char *told, *said;
	} rows[] = {
		{"", "", 0, NULL, "There are no lines yet.\n"},
		{"\n", " \n", 0, NULL, "There are no lines yet.\n"},
		{newer, "", 0, NULL, "calls 0"},
		{newer, "noise\n", 2, "b is weir's; name", "calls 0"},
		{"noise\n", "{}\n", 2, "a is weir's; name", NULL},
		{"noise\n", "", 2, "a is weir's; name", NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *p;

		in_case(text("row %zu", i));
		p = proc_run(WORDS(weir, "log", file("a", rows[i].a),
				   file("b", rows[i].b)),
			     "");
		check_status(p, rows[i].status);
		check(rows[i].told ? strstr(p->told.ptr, rows[i].told) != NULL
				   : p->told.len == 0,
		      "told: %s", p->told.ptr);
		check(rows[i].said ? strstr(p->said.ptr, rows[i].said) != NULL
				   : p->said.len == 0,
		      "said: %s", p->said.ptr);
	}
}

/* Moments from all over, in no order: as few spans as are shown. */
TEST(any_time)
{
	static const char *const years[] = {"2024", "9996", "1972", "2028"};
	struct bytes log = {.ptr = NULL};

	for (size_t i = 0; i < COUNT(years); i++) {
		append_text(&log, text("{\"ts\":\"%s-02-29T23:59:59.999999Z\","
				       "\"seq\":0,\"pid\":1,\"line\":"
				       "\"decision\",\"verdict\":\"passed\"}\n",
				       years[i]));
		check_field(json_of(file("log", log.ptr), WORDS(NULL)),
			    "sum.calls", text("%zu", i + 1));
		run_log(path("log"), WORDS(NULL));
	}
	/* Before there was one; and as many spans as there are, and one more.
	 */
	check_field(json_of(file("odd", MOMENT("1969-12-31T23:59:59")
						MOMENT("1970-01-01T00:00:00")),
			    WORDS(NULL)),
		    "unread", "1");
	check_has(json_of(file("spans", MOMENT("2026-01-31T10:00:00")
						MOMENT("2026-01-31T10:08:32")),
			  WORDS(NULL)),
		  "\"seconds\": 15,");
	check_field(json_of(path("log"), WORDS(NULL)), "sum.first",
		    "1972-02-29T23:59:59Z");
	check_field(json_of(path("log"), WORDS(NULL)), "sum.last",
		    "9996-02-29T23:59:59Z");
}

/* ---- names from outside ---------------------------------------------- */

/* Every character that something obeys. */
static struct bytes awful(void)
{
	struct bytes name = {.ptr = NULL};

	for (int c = 0; c < 0xA0; c++)
		if (c < ' ' || c > 0x7E)
			append_text(&name, text("\\u%04x", c));
	append_text(&name, "\x7f\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\xd8\x9c"
			   "\\u202e\\u2028\\\"\\\\'<>&</script>--><b x=\\\"y"
			   "\\\">%s%n\xf0\x9f\x98\x80\\ud800");
	return name;
}

static void check_harmless(const char *said)
{
	for (const unsigned char *c = (const void *)said; *c; c++) {
		check((*c >= ' ' || *c == '\n') && *c != 0x7F, "a byte %u: %s",
		      *c, said);
		check(*c != 0xC2 || c[1] >= 0xA0, "C1: %s", said);
		check(*c != 0xE2 || (c[1] != 0x80 && c[1] != 0x81) ||
			      (c[2] & 0xF0) == 0x90,
		      "a mark: %s", said);
	}
}

static const char *awful_log(void)
{
	const char *name = awful().ptr;
	struct bytes log = {.ptr = NULL};
	static const char start[] = "{\"ts\":\"2026-01-31T10:00:00.000000Z\","
				    "\"seq\":0,\"pid\":1,\"line\":\"";

	append_text(&log,
		    text("%sdecision\",\"tool\":\"%s\",\"verdict\":"
			 "\"refused\",\"rule\":\"%s\",\"reason\":\"%s\"}\n",
			 start, name, name, name));
	append_text(&log, text("%sdecision\",\"verdict\":\"%s\"}\n"
			       "%s%s\"}\n",
			       start, name, start, name));
	append_text(&log, text("%sapproval\",\"tool\":\"%s\",\"answer\":\"%s\","
			       "\"who\":\"%s\",\"how\":\"%s\"}\n",
			       start, name, name, name, name));
	append_text(&log, text("%sdecision\",\"method\":\"%s\",\"verdict\":"
			       "\"hidden\"}\n\x1b[31m\n",
			       start, name));
	return file("\x1b[7m<b>\"\xe2\x80\xae", log.ptr);
}

TEST(harmless)
{
	const char *log = awful_log(), *json = json_of(log, WORDS(NULL));

	check_harmless(json);
	check_field(json, "sum.calls", "2");
	check_harmless(run_log(log, WORDS(NULL))->said.ptr);
	json = proc_run(WORDS(weir, "log", "--verify", log), "")->said.ptr;
	check_harmless(json);
	check_has(json, "\\u202e:6: is no whole line");
}

/* ---- single lines ---------------------------------------------------- */

#define ASKED(answer)                                                          \
	",\"id\":1,\"method\":\"tools/call\",\"tool\":\"pay\",\"answer\":" answer
#define LONG_RULE "/tools/write_file_of_a_long_name/require/0/all/12/any/3"

/* What is listed of each, or nothing, without its date; and what else is
 * followed. */
static const struct {
	const char *line, *listed, *followed;
} listed[] = {
	{LINE(0, "10:00:00.000000Z", 7, "start", ",\"version\":\"0\""), NULL,
	 "10:00:00 start    \n"},
	{LINE(1, "10:00:01.000000Z", 7, "decision",
	      CALL("pay") ",\"values\":{\"args.a\":\"\\\"\\u001b\",\"args.n\":1}"
			  ",\"verdict\":\"passed\""),
	 "10:00:01 7       passed    pay "
	 "{\"args.a\":\"\\\"\\u001b\",\"args.n\":1}\n",
	 NULL},
	{LINE(2, "10:00:02.000000Z", 7, "answer", ANSWER("pay", "1.0")), NULL,
	 "10:00:02 answer    pay in 1.00 ms\n"},
	{LINE(3, "10:00:03.000000Z", 7, "decision",
	      REFUSED("pay", LONG_RULE) ",\"observed\":true"),
	 "10:00:03 7       refused   pay by " LONG_RULE
	 ": no \"more\", let through\n",
	 NULL},
	{LINE(4, "10:00:04.000000Z", 7, "approval",
	      ASKED("\"asked\",\"ms\":0.000")),
	 "10:00:04 7       approval  pay: asked\n", NULL},
	{LINE(5, "10:00:05.000000Z", 7, "approval",
	      ASKED("\"none\",\"how\":\"end\",\"ms\":8000.000")),
	 "10:00:05 7       approval  pay: nobody: the session ended after 8,000 "
	 "ms\n",
	 NULL},
	{LINE(6, "10:00:06.000000Z", 7, "approval",
	      ASKED("\"cancelled\",\"how\":\"client\",\"ms\":1.000")),
	 "10:00:06 7       approval  pay: nobody: the client cancelled it after "
	 "1.00 ms\n",
	 NULL},
	{LINE(7, "10:00:07.000000Z", 7, "approval",
	      ASKED("\"no\",\"who\":\"ann\",\"how\":\"terminal\",\"ms\":1.000")),
	 "10:00:07 7       approval  pay: no by ann, terminal in 1.00 ms\n",
	 NULL},
	{LINE(8, "10:00:08.000000Z", 7, "end", ",\"status\":3"), NULL,
	 "10:00:08 end       with exit status 3\n"},
};

TEST(listed_and_followed)
{
	struct bytes all = {.ptr = NULL}, want = {.ptr = NULL},
		     decisions = {.ptr = NULL};
	const char *log, *said;
	struct proc *p;

	for (size_t i = 0; i < COUNT(listed); i++) {
		append_text(&all, listed[i].line);
		if (listed[i].listed)
			append_text(&want,
				    text("2026-01-31 %s", listed[i].listed));
		if (strstr(listed[i].line, "decision"))
			append_text(&decisions, listed[i].line);
	}
	log = file("log", all.ptr);
	check_text("--list", run_log(log, WORDS("--list"))->said.ptr, want.ptr);
	said = run_log(log, WORDS("--list", "--tool", "p*", "--json", log))
		       ->said.ptr;
	check(strstr(said, decisions.ptr + strlen(listed[1].line)) &&
		      !strstr(said, "\"answer\",\"id"),
	      "--list --json: %s", said);
	check(!run_log(log, WORDS("--list", "--tool", "x"))->said.len, "said");
	p = proc_start(WORDS(weir, "log", "--follow", log));
	for (size_t i = 0; i < COUNT(listed); i++) {
		const char *line = listed[i].listed;

		in_case(listed[i].line);
		check_text("--follow", proc_line(p),
			   line ? text("%.9s%s", line, line + 17)
				: listed[i].followed);
	}
	in_case(NULL);
	/* Who said nothing, said no no; the whole rule is there to copy. */
	said = run_log(log, WORDS(NULL))->said.ptr;
	check_has(said, "       1  pay by " LONG_RULE "\n",
		  "       0        1        0  pay, ann (terminal)\n",
		  "       0        0        1  pay, nobody: the session "
		  "ended\n");
}

#define NEXT(seq, tool)                                                        \
	LINE(seq, "11:00:00.000000Z", 7, "decision", REFUSED(tool, "/r"))
#define SHOWN(tool) "11:00:00 refused   " tool " by /r: no \"more\"\n"

/* ---- the page -------------------------------------------------------- */

/* The page of a log, as text. */
static const char *page_of(const char *log)
{
	const char *page = path("page.html");
	struct proc *p = run_log(log, WORDS("--html", page));

	check_text("stdout", p->said.ptr ? p->said.ptr : "", "");
	return content(page).ptr;
}

/* The value of a key as it stands in a line of JSON, as the page spells it:
 * 1,234; -; 2026-01-31 10:00:00. */
static const char *as_on_page(const char *line, const char *key)
{
	const char *at = strstr(line, text("\"%s\": ", key));
	struct bytes value = {.ptr = NULL};
	size_t len, point;

	check(at, "no %s: %s", key, line);
	at += strlen(key) + 4;
	if (strncmp(at, "null", 4) == 0)
		return "-";
	if (*at == '"')
		return text("%.10s %.8s", at + 1, at + 12);
	len = strcspn(at, ",}");
	point = strcspn(at, ".,}");
	for (size_t i = 0; i < len; i++)
		append_text(&value,
			    text("%s%c",
				 i > 0 && i < point && (point - i) % 3 == 0
					 ? ","
					 : "",
				 at[i]));
	return value.ptr;
}

TEST(same_numbers)
{
	static const char *const columns[][2] = {
		{"calls", "Calls"},       {"refused", "Refused"},
		{"observed", "Observed"}, {"asked", "Asked"},
		{"answers", "Answers"},   {"errors", "Errors"},
		{"p50Ms", "p50 ms"},      {"p99Ms", "p99 ms"},
		{"bytesIn", "Bytes in"},  {"bytesOut", "Bytes out"},
		{"first", "First, UTC"},  {"last", "Last, UTC"},
	};
	const char *log = small_log();
	const char *json = run_log(log, WORDS("--json"))->said.ptr;
	const char *page = page_of(log), *line;
	int rows = 0;

	while ((line = next_line(&json)) && !strstr(line, "\"rules\"")) {
		struct bytes row = {.ptr = NULL};
		const char *name = strstr(line, "\"tool\": \"");

		if (strncmp(line, "    {", 5) != 0)
			continue;
		rows++;
		name = strchr(name ? name + 7 : line + 13, '"') + 1;
		append_text(&row, text("<tr><td>%.*s", (int)strcspn(name, "\""),
				       name));
		for (size_t i = 0; i < COUNT(columns); i++)
			append_text(&row,
				    text("<td class=%c data-l=\"%s\">%s",
					 i < 10 ? 'n' : 'z', columns[i][1],
					 as_on_page(line, columns[i][0])));
		check_has(page, row.ptr);
	}
	check_equal(rows, 4);
	check_has(page, "<dt>Calls<dd>13<", "<dt>Refused<dd>9<", "passed 4</i>",
		  "refused 7</i>",
		  "<td data-l=Rule>/a<td class=n data-l=Refused>6<td "
		  "class=n data-l=\"In a row\">5<",
		  "<td data-l=Who>ann (terminal)<td class=n data-l=Yes>"
		  "1<td class=n data-l=No>0<td class=n data-l=Nothing>0\n",
		  "10:00:02\npassed 1\nrefused 5</title>");
}

/* Nothing is loaded or run, and nothing of a name is a tag. */
TEST(harmless_page)
{
	const char *page = page_of(awful_log());

	check_harmless(page);
	check_has(page, "content=\"default-src 'none';");
	for (const char *const *part =
		     WORDS("<b>", "<b ", "</s", "<script", "src=", "href",
			   "http:", "https:", "url(", "@import", "=\"y", "'<");
	     *part; part++) {
		const char *at = strstr(page, *part);

		while (at && (strncmp(at, "</style", 7) == 0 ||
			      strncmp(at, "</sec", 5) == 0 ||
			      strncmp(at, "</spa", 5) == 0 ||
			      strncmp(at, "</svg", 5) == 0))
			at = strstr(at + 1, *part);
		check(!at, "%s: %s", *part, at);
	}
}

/* What is no page stays; a page is written in one step. */
TEST(page_written)
{
	const char *log = small_log(), *page = path("page.html");
	struct stat st;

	page_of(log);
	check(chmod(page, 0640) == 0, "chmod");
	file("log", NEXT(1, "other"));
	check_has(page_of(log), ">other<");
	check(stat(page, &st) == 0 && (st.st_mode & 0777) == 0640, "mode");
}

/* ---- --follow -------------------------------------------------------- */

static void add_line(const char *log, const char *line)
{
	FILE *to = fopen(log, "a");

	check(to && fputs(line, to) >= 0 && fclose(to) == 0, "not written");
}

TEST(followed)
{
	const char *log = file("log", NEXT(1, "one"));
	struct proc *p = proc_start(WORDS(weir, "log", "--follow", log));
	struct proc *json = proc_start(
		WORDS(weir, "log", "--follow", "--json", "--tool", "t*", log));

	check_text("there", proc_line(p), SHOWN("one"));
	add_line(log, NEXT(2, "two") "{\"ts\":");
	check_text("added", proc_line(p), SHOWN("two"));
	check_text("added, JSON", proc_line(json), NEXT(2, "two"));
	/* The rest of a line, then other names for it; what comes there is
	 * read, too. */
	check(rename(log, path("log.1")) == 0, "not renamed");
	add_line(path("log.1"), "1}\n" NEXT(3, "three"));
	check_text("renamed", proc_line(p), SHOWN("three"));
	check_text("renamed, JSON", proc_line(json), NEXT(3, "three"));
	add_line(log, NEXT(4, "four") NEXT(5, "ten"));
	check_text("anew", proc_line(p), SHOWN("four"));
	check_text("anew", proc_line(p), SHOWN("ten"));
	check_text("anew, JSON", proc_line(json), NEXT(5, "ten"));
	add_line(log, content(awful_log()).ptr);
	for (int i = 0; i < 5; i++)
		check_harmless(proc_line(p));
	/* Made shorter. */
	file("log", NEXT(6, "t"));
	check_text("shorter", proc_line(p), SHOWN("t"));
	check_text("shorter, JSON", proc_line(json), NEXT(6, "t"));
}

/* Of a long one, the end. */
TEST(followed_from_the_end)
{
	struct bytes text_of = {.ptr = NULL};
	struct proc *p;

	for (int i = 0; i < 100; i++)
		append_text(&text_of, NEXT(1, "old"));
	append_text(&text_of, NEXT(2, "new"));
	p = proc_start(
		WORDS(weir, "log", "--follow", file("log", text_of.ptr)));
	for (int i = 0; i < 30; i++)
		if (strcmp(proc_line(p), SHOWN("new")) == 0)
			return;
	check(false, "too much: %s", p->said.ptr);
}
