/*
 * The corpus: lines of clients and of servers, and what becomes of each.
 *
 * client.tsv and server.tsv say at their top how they are to be read; they
 * are looked for in the directory $CORPUS, else in tests/corpus.  Every line
 * is read from memory of its very size, and once more, like all that it begins
 * with, right before a page that cannot be read.  All rows that fail are told,
 * each with its place, before the test of the table does.
 */
#include "../unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../parser/message.h"
#include "../../parser/reply.h"
#include "../now.h"

#define LINE_BYTES   ((size_t)1 << 20) /* of the longest line of a table */
#define PREFIXES_ALL ((size_t)400)     /* at either end none is left out */

enum {
	CLIENT_NAME,
	CLIENT_VERDICT,
	CLIENT_ID,
	CLIENT_RULE,
	CLIENT_READERS,
	CLIENT_LINE,
	CLIENT_FIELDS
};
enum {
	SERVER_NAME,
	SERVER_KIND,
	SERVER_CUT,
	SERVER_LINE,
	SERVER_WANT,
	SERVER_FIELDS
};
enum { FIELDS_MAX = CLIENT_FIELDS };

/* Bytes of a row's field, escapes decoded; ptr is its owner's to free. */
struct bytes {
	char *ptr;
	size_t len;
	size_t cap;
};

struct row {
	const char *path;              /* of the table */
	size_t number;                 /* of the row's line in it */
	const char *field[FIELDS_MAX]; /* as they stand */
	struct bytes line;             /* what the case is about */
	unsigned faults;               /* told so far */
};

/* Memory whose end is followed by a page that cannot be read. */
struct guard {
	char *end;
	size_t room;
};

struct corpus {
	struct guard guard;
	struct policy *policy; /* allows everything */
	struct counters *counters;
};

/* What became of a client's line; the id points into it. */
struct outcome {
	const char *verdict; /* in the table's words */
	struct span id;
	struct fault fault;
};

static void complain(struct row *row, const char *what, const char *found)
{
	/* The first is enough: the prefixes would repeat it. */
	if (row->faults++ == 0)
		print_error("%s:%zu: %s: %s%s\n", row->path, row->number,
			    row->field[0], what, found);
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static char *copy(const char *ptr, size_t len)
{
	char *p = must(malloc(len + 1));

	memcpy(p, ptr, len);
	p[len] = '\n';
	return p;
}

static void put(struct bytes *b, const char *ptr, size_t len)
{
	assert_true(len <= LINE_BYTES - b->len);
	if (b->cap - b->len < len) {
		b->cap = 2 * (b->len + len);
		b->ptr = must(realloc(b->ptr, b->cap));
	}
	memcpy(b->ptr + b->len, ptr, len);
	b->len += len;
}

static const char *put_escape(struct bytes *b, const char *s);

/* TEXT of \{N:TEXT}, at s, n times over; returns the place after it. */
static const char *put_repeat(struct bytes *b, const char *s, size_t n)
{
	size_t start = b->len, once;
	char *text;

	while (s && *s != '}' && *s)
		s = put_escape(b, s);
	if (!s || *s != '}')
		return NULL;
	once = b->len - start;
	b->len = start;
	text = copy(b->ptr + start, once);
	while (n-- > 0)
		put(b, text, once);
	free(text);
	return s + 1;
}

/* One byte, or one escape that stands for one or more.  NULL: no such. */
static const char *put_escape(struct bytes *b, const char *s)
{
	char digits[3] = "", *end, byte = *s;
	size_t n;

	if (*s++ != '\\') {
		put(b, &byte, 1);
		return s;
	}
	switch (*s++) {
	case 'r':
		put(b, "\r", 1);
		return s;
	case 'n':
		put(b, "\n", 1);
		return s;
	case 't':
		put(b, "\t", 1);
		return s;
	case '0':
		put(b, "", 1);
		return s;
	case '\\':
		put(b, "\\", 1);
		return s;
	case 'x':
		memcpy(digits, s, strnlen(s, 2));
		byte = (char)strtoul(digits, &end, 16);
		put(b, &byte, 1);
		return end == digits + 2 ? s + 2 : NULL;
	case '{':
		n = strtoul(s, &end, 10);
		return *end == ':' ? put_repeat(b, end + 1, n) : NULL;
	default:
		return NULL;
	}
}

/* The field's bytes; a field that cannot be read fails the row. */
static struct bytes decode(struct row *row, const char *field)
{
	struct bytes b = {.ptr = must(malloc(64)), .cap = 64};
	const char *s = field;

	while (s && *s)
		s = put_escape(&b, s);
	if (!s)
		complain(row, "an escape that the table lacks: ", field);
	return b;
}

static struct guard guard_open(size_t room)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED && room % page == 0);
	assert_int_equal(mprotect(p + room, page, PROT_NONE), 0);
	return (struct guard){.end = p + room, .room = room};
}

/* The bytes once more, with the LF that ends reading where memory ends. */
static char *guard_put(const struct guard *g, const char *ptr, size_t len)
{
	assert_true(len < g->room);
	g->end[-1] = '\n';
	return memcpy(g->end - 1 - len, ptr, len);
}

/* How many brackets are open after c, told without the parser; *text and
 * *escape say what the next byte is part of. */
static int next_depth(int depth, char c, bool *text, bool *escape)
{
	if (*escape)
		*escape = false;
	else if (*text && c == '\\')
		*escape = true;
	else if (c == '"')
		*text = !*text;
	else if (!*text && (c == '{' || c == '['))
		return depth + 1;
	else if (!*text && (c == '}' || c == ']'))
		return depth - 1;
	return depth;
}

static bool is_object(const char *line, size_t len)
{
	while (len > 0 && (*line == ' ' || *line == '\t'))
		line++, len--;
	return len > 0 && *line == '{';
}

/* What is done to each beginning of a line; open: it is that of an object which
 * is not closed yet, so nothing may take it for a message. */
typedef void check_prefix(struct corpus *c, struct row *row, const char *p,
			  size_t len, bool open);

static void check_prefixes(struct corpus *c, struct row *row,
			   check_prefix *check)
{
	size_t len = row->line.len, step = 1 + len / 1000, next = 0;
	bool object = is_object(row->line.ptr, len), text = false;
	bool escape = false;
	int depth = 0;

	for (size_t n = 0; n < len; n++) {
		if (n == next || n < PREFIXES_ALL || len - n < PREFIXES_ALL) {
			char *p = guard_put(&c->guard, row->line.ptr, n);

			check(c, row, p, n, object && depth > 0);
			next = n + step;
		}
		depth = next_depth(depth, row->line.ptr[n], &text, &escape);
	}
}

/* A CR right before the LF is the line's end, not the message's. */
static size_t body(const char *line, size_t len)
{
	return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

static struct outcome judge(struct corpus *c, const char *line, size_t len)
{
	struct outcome o = {.verdict = "blank"};
	struct message m;

	if (message_blank(line, len))
		return o;
	if (!message_read(line, len, &m, &o.fault)) {
		o.verdict = o.fault.grammar ? "-32700" : "-32600";
		o.id = m.id;
		return o;
	}
	switch (now_judge(c->policy, c->counters, &m).kind) {
	case VERDICT_UNJUDGED:
	case VERDICT_PASS:
		o.verdict = "pass";
		break;
	case VERDICT_DROPPED:
		o.verdict = "drop";
		break;
	case VERDICT_MALFORMED:
		o.verdict = "-32600";
		o.id = m.id;
		o.fault.offset = (size_t)(m.name.ptr - line);
		break;
	default:
		o.verdict = "denied by a policy that allows everything";
	}
	return o;
}

static bool same(struct span s, const char *want)
{
	return s.ptr && s.len == strlen(want) && !memcmp(s.ptr, want, s.len);
}

static void check_outcome(struct row *row, const struct outcome *o, size_t len)
{
	const char *id = row->field[CLIENT_ID];

	if (strcmp(o->verdict, row->field[CLIENT_VERDICT]) != 0)
		complain(row, "the verdict is ", o->verdict);
	else if (*o->verdict != '-')
		return;
	else if (strcmp(id, "null") == 0 && o->id.ptr)
		complain(row, "answered with an id that is not certain", "");
	else if (strcmp(id, "null") != 0 && !same(o->id, id))
		complain(row, "answered without its id", "");
	if (o->fault.offset > len)
		complain(row, "the fault is said to be past the end", "");
}

static void check_client_prefix(struct corpus *c, struct row *row,
				const char *p, size_t len, bool open)
{
	struct outcome o = judge(c, p, body(p, len));

	if (open && *o.verdict != '-')
		complain(row, "the verdict of an object cut short is ",
			 o.verdict);
	if (o.fault.offset > len)
		complain(row, "a fault past the end, once cut short", "");
}

static void check_client(struct corpus *c, struct row *row)
{
	size_t len = body(row->line.ptr, row->line.len);
	char *line = copy(row->line.ptr, len);
	struct outcome o = judge(c, line, len);

	check_outcome(row, &o, len);
	free(line);
	line = guard_put(&c->guard, row->line.ptr, len);
	o = judge(c, line, len);
	check_outcome(row, &o, len);
	check_prefixes(c, row, check_client_prefix);
}

/* Hides the names that begin with x, and those that are not clear. */
static bool keep(void *context, enum reply_list list, struct text name,
		 struct span item)
{
	(void)context;
	(void)list;
	(void)item;
	return name.ptr && text_next(&name) != 'x';
}

static const char *kind_name(enum reply_kind kind)
{
	static const char *const names[] = {
		[REPLY_NOISE] = "noise",
		[REPLY_OTHER] = "other",
		[REPLY_LIST] = "list",
		[REPLY_UNREAD] = "unread",
	};

	return names[kind];
}

/* The line with its list cut into out, which may be where the list stands. */
static struct bytes cut_line(const char *line, size_t len, struct span tools,
			     char *out, size_t *cut)
{
	size_t head = (size_t)(tools.ptr - line), used;
	struct bytes b = {.ptr = NULL};

	assert_true(head + tools.len <= len);
	used = list_cut(tools, REPLY_TOOLS, keep, NULL, out, cut);
	put(&b, line, head);
	put(&b, out, used);
	put(&b, line + head + tools.len, len - head - tools.len);
	return b;
}

static void check_cut(struct row *row, const char *line, struct span tools,
		      char *out)
{
	const char *want_field = row->field[SERVER_WANT];
	struct bytes want, got;
	size_t cut;

	if (strcmp(want_field, "=") == 0)
		want_field = row->field[SERVER_LINE];
	want = decode(row, want_field);
	got = cut_line(line, row->line.len, tools, out, &cut);
	if (cut != strtoul(row->field[SERVER_CUT], NULL, 10))
		complain(row, "cuts more elements, or fewer", "");
	if (got.len != want.len || memcmp(got.ptr, want.ptr, got.len) != 0) {
		put(&got, "", 1);
		complain(row, "once cut it is ", got.ptr);
	}
	free(want.ptr);
	free(got.ptr);
}

static void check_server_prefix(struct corpus *c, struct row *row,
				const char *p, size_t len, bool open)
{
	struct reply reply;

	(void)c;
	reply_read(p, len, &reply);
	if (open && reply.kind != REPLY_UNREAD)
		complain(row, "the kind of an object cut short is ",
			 kind_name(reply.kind));
	if (reply.fault.offset > len)
		complain(row, "a fault past the end, once cut short", "");
}

static void check_reply(struct row *row, char *line)
{
	struct reply reply;
	char *out;

	reply_read(line, row->line.len, &reply);
	if (strcmp(kind_name(reply.kind), row->field[SERVER_KIND]) != 0)
		complain(row, "the kind is ", kind_name(reply.kind));
	if (reply.fault.offset > row->line.len)
		complain(row, "the fault is said to be past the end", "");
	if (reply.kind != REPLY_LIST || !reply.lists[REPLY_TOOLS].ptr ||
	    row->faults)
		return;
	out = must(malloc(reply.lists[REPLY_TOOLS].len));
	check_cut(row, line, reply.lists[REPLY_TOOLS], out);
	free(out);
	check_cut(row, line, reply.lists[REPLY_TOOLS],
		  line + (reply.lists[REPLY_TOOLS].ptr - line));
}

static void check_server(struct corpus *c, struct row *row)
{
	char *line = copy(row->line.ptr, row->line.len);

	check_reply(row, line);
	free(line);
	check_reply(row, guard_put(&c->guard, row->line.ptr, row->line.len));
	check_prefixes(c, row, check_server_prefix);
}

static char *read_file(const char *path)
{
	struct bytes text = {.ptr = NULL};
	FILE *f = fopen(path, "rb");
	char buf[4096];
	size_t n;

	if (!f) {
		fail_msg("%s: %s", path, strerror(errno));
		return NULL;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		put(&text, buf, n);
	put(&text, "", 1);
	fclose(f);
	return text.ptr;
}

/* The fields of a row's line, which is taken apart; false: not so many. */
static bool split(struct row *row, char *line, size_t fields)
{
	for (size_t i = 0; i < fields; i++) {
		row->field[i] = strsep(&line, "\t");
		if (!row->field[i])
			row->field[i] = "";
		else if (i == fields - 1)
			return !line;
	}
	return false;
}

static void check_table(struct corpus *c, const char *name, size_t fields,
			size_t line_field,
			void (*check)(struct corpus *, struct row *))
{
	const char *dir = getenv("CORPUS");
	size_t number = 0, rows = 0, failed = 0;
	char path[4096], *text, *rest, *line;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/corpus", name);
	rest = text = read_file(path);
	while ((line = strsep(&rest, "\n"))) {
		struct row row = {.path = path, .number = number + 1};

		number++;
		if (*line == '#' || !*line)
			continue;
		rows++;
		if (split(&row, line, fields)) {
			row.line = decode(&row, row.field[line_field]);
			if (!row.faults)
				check(c, &row);
			free(row.line.ptr);
		} else {
			complain(&row, "too many fields, or too few", "");
		}
		failed += row.faults > 0;
	}
	free(text);
	if (failed > 0 || rows == 0)
		fail_msg("%s: %zu of %zu rows", path, failed, rows);
}

static struct corpus corpus;

TEST(client_lines)
{
	check_table(&corpus, "client.tsv", CLIENT_FIELDS, CLIENT_LINE,
		    check_client);
}

TEST(server_lines)
{
	check_table(&corpus, "server.tsv", SERVER_FIELDS, SERVER_LINE,
		    check_server);
}

static int set_up(void **state)
{
	static const char text[] = "{\"version\":\"1\",\"default\":\"allow\"}";

	(void)state;
	corpus.guard = guard_open(LINE_BYTES);
	corpus.policy = COMPILE(text, NULL, NULL);
	if (!corpus.policy)
		return -1;
	corpus.counters = COUNTERS(corpus.policy);
	return corpus.counters ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	counters_free(corpus.counters);
	policy_free(corpus.policy);
	return 0;
}

RUN(set_up, tear_down)
