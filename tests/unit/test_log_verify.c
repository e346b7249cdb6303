/* weir log over logs that somebody has changed: what it says of each. */
#include "unit.h"

#include "../../parser/sha256.h"
#include "../../shim/verbs/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES = 64, LINE = 512 };

struct log {
	char lines[LINES][LINE];
	size_t count;
};

/* A process that writes lines. */
struct writer {
	int pid, seq;
	char prev[SHA256_HEX + 1];
};

static void hash_line(const char *line, char hex[SHA256_HEX])
{
	unsigned char digest[SHA256_BYTES];
	struct sha256 h;

	sha256_begin(&h);
	sha256_add(&h, line, strlen(line));
	sha256_end(&h, digest);
	sha256_hex(digest, hex);
}

static void write_line(struct log *log, struct writer *w, const char *word,
		       const char *members)
{
	char *line = log->lines[log->count++];
	int len = snprintf(line, LINE,
			   "{\"ts\":\"2026-01-31T12:00:%02zu.000000Z\","
			   "\"seq\":%d,\"pid\":%d,\"line\":\"%s\","
			   "\"server\":\"s\"%s",
			   log->count % 60, w->seq++, w->pid, word, members);

	snprintf(line + len, LINE - (size_t)len,
		 *w->prev ? ",\"prev\":\"%s\"}" : "%s}", w->prev);
	hash_line(line, w->prev);
}

#define PASSED                                                                 \
	",\"id\":1,\"method\":\"tools/call\",\"tool\":\"echo\","               \
	"\"verdict\":\"passed\",\"bytes\":90,\"us\":7"

/* Lines 1 to 12: two starts, eight decisions in turn, two ends. */
static struct log two_processes(void)
{
	struct log log = {.count = 0};
	struct writer a = {.pid = 7}, b = {.pid = 8};

	write_line(&log, &a, "start", ",\"version\":\"0\"");
	write_line(&log, &b, "start", ",\"version\":\"0\"");
	for (int i = 0; i < 8; i++)
		write_line(&log, i % 2 ? &b : &a, "decision", PASSED);
	write_line(&log, &a, "end", ",\"status\":0");
	write_line(&log, &b, "end", ",\"status\":0");
	return log;
}

/* ---- running --------------------------------------------------------- */

static void put_file(const char *name, const char *bytes, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void put_lines(const char *name, const struct log *log, size_t from,
		      size_t to)
{
	static char text[LINES * LINE];
	size_t len = 0;

	for (; from < to && from < log->count; from++)
		len += (size_t)sprintf(text + len, "%s\n", log->lines[from]);
	put_file(name, text, len);
}

/* What it prints, and the status. */
static int run(const struct options *o, char *said, size_t cap)
{
	int fd = memfd_create("said", 0), before = dup(1), status;
	ssize_t got;

	dup2(fd, 1);
	status = log_run(o);
	fflush(stdout);
	dup2(before, 1);
	got = pread(fd, said, cap - 1, 0);
	said[got > 0 ? got : 0] = '\0';
	close(before);
	close(fd);
	return status;
}

static int verify(char **files, const char *head, char *said, size_t cap)
{
	const struct options o = {.verify = true, .head = head, .rest = files};

	return run(&o, said, cap);
}

/* ---- forgeries ------------------------------------------------------- */

enum op {
	NOTHING,
	CHANGE,  /* in line x, the text; and line y */
	DELETE,  /* line x */
	SWAP,    /* lines x and y */
	MOVE,    /* line x to y */
	COPY,    /* line x before y */
	INSERT,  /* the text before x */
	HEAD,    /* of the file: x lines are left out */
	TAIL,    /* x lines are left */
	PROCESS, /* all of pid x is left out */
	CUT,     /* the last x bytes */
	SPLIT,   /* the first x lines in a, the others in b, in order */
	WRONG,   /* the same in the wrong order */
};

#define ADDED(seq)                                                             \
	"{\"ts\":\"2026-01-31T12:00:00.000000Z\",\"seq\":" seq ",\"pid\":7,"   \
	"\"line\":\"decision\"" PASSED ",\"prev\":\""

static const struct forgery {
	const char *name;
	int status;
	const char *said;
	enum op op;
	size_t x, y;
	const char *from, *to;
	int head; /* the number of the line of --head; 0: none */
} forgeries[] = {
	{"as it was", 0, "In order: 12 lines of 2 p", NOTHING, 0},
	{"with its head", 0, "up to that line all is", NOTHING, 0, 0, NULL,
	 NULL, 9},
	{"a value", 1, "a:5: was changed\n", CHANGE, 5, 0, "echo", "ecko"},
	{"a start", 1, "a:1: was chan", CHANGE, 1, 0, "n\":\"0", "n\":\"1"},
	{"a prev", 1, "a:5: was changed\n", CHANGE, 5, 0, "prev\":\"",
	 "prev\":\"f"},
	{"no prev", 1, "a:5: was changed\n", CHANGE, 5, 0, "prev", "pref"},
	{"a seq", 1, "a:5: was changed\n", CHANGE, 5, 0, "seq\":2", "seq\":3"},
	{"a key twice", 1, "a:5: is no whole line", CHANGE, 5, 0, "\"pid\":7",
	 "\"pid\":7,\"pid\":7"},
	{"two lines", 1, ":7: was changed\n", CHANGE, 5, 7, "prev\":\"",
	 "prev\":\"f"},
	{"the last seq", 1, "a:12: was changed\n", CHANGE, 12, 0, "seq\":5",
	 "seq\":6"},
	{"no prev in the last", 1, "a:11: was changed\n", CHANGE, 11, 0, "prev",
	 "pref"},
	{"a pid", 1, "a:5: process 9 begins with seq 2", CHANGE, 5, 0,
	 "pid\":7", "pid\":9"},
	{"another's pid", 1, "a:5: ", CHANGE, 5, 0, "pid\":7", "pid\":8"},
	{"white space", 1, "a:5: was changed\n", CHANGE, 5, 0, ",", ", "},
	{"a line end more", 1, "a:5: is no whole line", CHANGE, 5, 0, ",\"",
	 ",\n\""},
	{"no JSON", 1, "a:5: is no whole line", CHANGE, 5, 0, "{", "["},
	{"a part before it", 1, "a:5: has a part of another before", CHANGE, 5,
	 0, "{", "{\"ts\":{"},
	{"the last line", 0, "In order", CHANGE, 12, 0, "s\":0", "s\":1"},
	{"the last, with its head", 1, "No line has the SHA-256", CHANGE, 12, 0,
	 "s\":0", "s\":1", 12},
	{"deleted", 1, "a:6: seq 2 to 2 of process 7 are missing before it",
	 DELETE, 5},
	{"a start deleted", 1, "a:2: process 7 begins with seq 1", DELETE, 1},
	{"two of a process swapped", 1,
	 "a:5: stands before the line that it follows", SWAP, 5, 7},
	{"two of two swapped", 0, "In order", SWAP, 5, 6},
	{"moved back", 1, "a:3: stands before", MOVE, 9, 3},
	{"moved on", 1, "a:4: stands before", MOVE, 3, 9},
	{"an old line again", 1, "a:9: follows no line", COPY, 5, 9},
	{"a start again", 1, "a:12: is a start line that", COPY, 1, 12},
	{"added with an old hash", 1, "a:7: follows no line before it", INSERT,
	 7, 0, ADDED("3"), "2"},
	{"added with another seq", 1, "a:7: follows no line before it", INSERT,
	 7, 0, ADDED("9"), "2"},
	{"noise", 1, "a:5: is no whole line", INSERT, 5, 0, "hello"},
	{"a number", 1, "a:5: is no whole line", INSERT, 5, 0, "1"},
	{"another's JSON", 1, "a:5: is no whole line", INSERT, 5, 0,
	 "{\"ts\":\"1\"}"},
	{"a blank line", 0, "In order: 12", INSERT, 5, 0, "    "},
	{"the head cut", 1, "a:1: process 7 begins with seq 2", HEAD, 4},
	{"the tail cut", 0, "2 without an end line", TAIL, 8},
	{"the tail cut, with its head", 1, "No line has the SHA-256", TAIL, 8,
	 0, NULL, NULL, 9},
	{"a process removed", 0, "a whole process removed", PROCESS, 8},
	{"a process removed, with its head", 1, "No line has the SHA-256",
	 PROCESS, 8, 0, NULL, NULL, 12},
	{"cut in a line", 1, "a:12: is no whole line", CUT, 3},
	{"the last line end cut", 1, "a:12: is no whole", CUT, 1},
	{"rotated", 0, "In order: 12 lines of 2 pr", SPLIT, 5},
	{"wrong order", 1, "b:1: follows a:4: the files are in the wrong order",
	 WRONG, 5},
	{"empty", 0, "In order: 0 lines of 0 proc", TAIL, 0},
};

static void insert_line(struct log *log, size_t at, const char *line)
{
	memmove(log->lines[at], log->lines[at - 1],
		(log->count - at + 1) * LINE);
	snprintf(log->lines[at - 1], LINE, "%s", line);
	log->count++;
}

static void delete_line(struct log *log, size_t at)
{
	log->count--;
	memmove(log->lines[at - 1], log->lines[at],
		(log->count - at + 1) * LINE);
}

static void forge(struct log *log, const struct forgery *f)
{
	char line[LINE], *at, pid[16];

	switch (f->op) {
	case CHANGE:
		at = strstr(log->lines[f->x - 1], f->from);
		snprintf(line, LINE, "%.*s%s%s",
			 (int)(at - log->lines[f->x - 1]), log->lines[f->x - 1],
			 f->to, at + strlen(f->from));
		strcpy(log->lines[f->x - 1], line);
		if (f->y)
			strstr(log->lines[f->y - 1], "echo")[0] = 'E';
		break;
	case SWAP:
		strcpy(line, log->lines[f->x - 1]);
		strcpy(log->lines[f->x - 1], log->lines[f->y - 1]);
		strcpy(log->lines[f->y - 1], line);
		break;
	case DELETE:
	case MOVE:
	case COPY:
		strcpy(line, log->lines[f->x - 1]);
		if (f->op != COPY)
			delete_line(log, f->x);
		if (f->op != DELETE)
			insert_line(log, f->y, line);
		break;
	case INSERT:
		/* The hash of the line before the last one of the process. */
		strcpy(line, f->from);
		if (f->to) {
			hash_line(log->lines[2], line + strlen(f->from));
			strcpy(line + strlen(f->from) + SHA256_HEX, "\"}");
		}
		insert_line(log, f->x, line);
		break;
	case HEAD:
		for (size_t i = 0; i < f->x; i++)
			delete_line(log, 1);
		break;
	case TAIL:
		log->count = f->x;
		break;
	case PROCESS:
		snprintf(pid, sizeof(pid), "\"pid\":%zu,", f->x);
		for (size_t i = log->count; i > 0; i--)
			if (strstr(log->lines[i - 1], pid))
				delete_line(log, i);
		break;
	default:
		break;
	}
}

TEST(forged)
{
	char *one[] = {"a", NULL}, *two[] = {"a", "b", NULL};
	char *wrong[] = {"b", "a", NULL}, said[4096];

	for (size_t i = 0; i < COUNT(forgeries); i++) {
		const struct forgery *f = &forgeries[i];
		struct log log = two_processes();
		char head[SHA256_HEX + 1] = "";
		struct stat st;
		size_t rest = f->op == SPLIT || f->op == WRONG ? f->x : LINES;
		int status;

		if (f->head)
			hash_line(log.lines[f->head - 1], head);
		forge(&log, f);
		put_lines("a", &log, 0, rest);
		put_lines("b", &log, rest, log.count);
		if (f->op == CUT) {
			assert_int_equal(stat("a", &st), 0);
			assert_int_equal(
				truncate("a", st.st_size - (off_t)f->x), 0);
		}
		status = verify(f->op == SPLIT   ? two
				: f->op == WRONG ? wrong
						 : one,
				*head ? head : NULL, said, sizeof(said));
		row_true(f->name, strstr(said, f->said) || (puts(said), 0));
		row_true(f->name, status == f->status);
		/* What was changed is the first that is told. */
		if (status == 1 && f->said[1] == ':')
			row_true(f->name, strncmp(said, f->said, 3) == 0);
	}
}

/* Two containers, in which weir has the same pid, and one after a kill: each is
 * known by what its lines follow. */
TEST(same_pid)
{
	struct log log = {.count = 0}, one = {.count = 0};
	struct writer w[] = {{.pid = 7}, {.pid = 7}, {.pid = 7}};
	char said[4096], *files[] = {"a", NULL};

	for (int i = 0; i < 2; i++)
		write_line(&log, &w[i], "start", i ? ",\"n\":2" : "");
	for (int i = 0; i < 9; i++)
		write_line(&log, &w[i % 3 / 2], "decision", PASSED);
	write_line(&log, &w[2], "start", ",\"n\":3");
	write_line(&one, &(struct writer){.pid = 7}, "start", "");
	write_line(&log, &w[1], "end", "");
	write_line(&log, &w[2], "end", "");
	put_lines("a", &log, 0, log.count);
	assert_int_equal(verify(files, NULL, said, sizeof(said)), 0);
	row_true(said, strstr(said, "In order: 14 lines of 3 processes; 1 "
				    "without an end line: it runs,\nwas "));
	put_lines("a", &one, 0, one.count);
	assert_int_equal(verify(files, NULL, said, sizeof(said)), 0);
	row_true(said, strstr(said, "In order: 1 line of 1 process; 1 "));
	/* A line of one is missed in it, though the other has its seq, too. */
	delete_line(&log, 5);
	put_lines("a", &log, 0, log.count);
	assert_int_equal(verify(files, NULL, said, sizeof(said)), 1);
}

/* ---- every byte ------------------------------------------------------ */

/* The text of a log of one process; each line's hash is in the next, and that
 * of the last is head. */
static size_t one_process(char *text, char head[SHA256_HEX + 1])
{
	struct log log = {.count = 0};
	struct writer w = {.pid = 7};
	size_t len = 0;

	write_line(&log, &w, "start", "");
	write_line(&log, &w, "decision", PASSED);
	write_line(&log, &w, "answer",
		   ",\"tool\":\"echo\",\"ms\":1.5,\"bytes\":90");
	write_line(&log, &w, "gap", ",\"lost\":2,\"torn\":true");
	write_line(&log, &w, "end", ",\"status\":0");
	for (size_t i = 0; i < log.count; i++)
		len += (size_t)sprintf(text + len, "%s\n", log.lines[i]);
	memcpy(head, w.prev, SHA256_HEX + 1);
	return len;
}

static size_t line_of(const char *text, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

TEST(every_byte_changed)
{
	static const char masks[] = {1, 2, 0x20, '\x80'};
	char text[LINES * LINE], head[SHA256_HEX + 1], said[4096], name[64];
	const size_t len = one_process(text, head);
	const struct options sums = {.json = true,
				     .rest = (char *[]){"a", NULL}};

	for (size_t i = 0; i < len * sizeof(masks); i++) {
		const size_t at = i / sizeof(masks);
		const size_t line = line_of(text, at);
		const char was = text[at];
		int status;

		text[at] ^= masks[i % sizeof(masks)];
		snprintf(name, sizeof(name), "byte %zu, line %zu", at, line);
		put_file("a", text, len);
		status = verify(sums.rest, head, said, sizeof(said));
		row_true(name, status == 1);
		/* The line is named; the next, if it is now a start of
		 * another process; the one before, if it is the last
		 * one's prev; or else the last one is missed. */
		if (strncmp(said, "a:", 2) == 0) {
			size_t named = strtoul(said + 2, NULL, 10);

			row_true(name, named == line ||
					       (line == 1 && named == 2) ||
					       (line == 5 && named == 4 &&
						strstr(said, "prev of a:5")));
		} else {
			row_true(name, line == 5);
		}
		row_true(name, run(&sums, said, sizeof(said)) == 0);
		text[at] = was;
	}
}

TEST(cut_at_every_byte)
{
	char text[LINES * LINE], head[SHA256_HEX + 1], said[4096], name[64];
	const size_t len = one_process(text, head);
	const struct options sums = {.rest = (char *[]){"a", NULL}};

	for (size_t at = 0; at < len; at++) {
		const bool between = at == 0 || text[at - 1] == '\n';

		snprintf(name, sizeof(name), "%zu bytes", at);
		put_file("a", text, at);
		row_true(name,
			 verify(sums.rest, head, said, sizeof(said)) == 1);
		row_true(name, verify(sums.rest, NULL, said, sizeof(said)) ==
				       !between);
		/* A part of a line alone is nothing of weir's. */
		row_true(name,
			 run(&sums, said, sizeof(said)) ==
				 (at == 0 || memchr(text, '\n', at) ? 0 : 2));
		/* The other half. */
		put_file("a", text + at, len - at);
		row_true(name, verify(sums.rest, head, said, sizeof(said)) ==
				       (at > 0));
		row_true(name, run(&sums, said, sizeof(said)) ==
				       (between || text[at] == '\n' ||
							memchr(text + at, '\n',
							       len - at - 1)
						? 0
						: 2));
	}
}

static int set_up(void **state)
{
	static char dir[] = "/tmp/weir-log-XXXXXX";

	*state = mkdtemp(dir);
	return *state ? chdir(*state) : 1;
}

static int tear_down(void **state)
{
	unlink("a");
	unlink("b");
	return chdir("/") | rmdir(*state);
}

RUN(set_up, tear_down)
