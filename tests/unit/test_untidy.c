/*
 * Servers that are not tidy: odd line ends, white space, byte order marks,
 * noise, half lines, in any chunks, while lists are asked for at any moment.
 * What four kinds of real readers find in what the client gets never has the
 * hidden name; and where only line ends are odd, nothing else is changed.
 */
#include "unit.h"

#include <fcntl.h>
#include <json-parser/json.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../shim/decide.h"
#include "../../shim/downstream.h"
#include "../../shim/upstream.h"

#define CASES    40000
#define MAX_LINE 4096
#define BYTES    (1 << 16)

static const char policy_text[] =
	"{\"version\":\"1\",\"default\":\"allow\",\"hide\":[\"gone\"],"
	"\"tools\":{\"no\":{\"action\":\"deny\"}}}";

#define ASK "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}\n"
#define CALL                                                                   \
	"{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\","             \
	"\"params\":{\"name\":\"no\"}}\n"
#define OTHER "{\"id\":9,\"result\":{\"x\":\"}{ [\",\"y\":[{},{\"z\":{}}]}}"
#define LIST(id, gone)                                                         \
	"{\"id\":" id ",\"result\":{\"tools\":[" gone "{\"name\":\"a\"}]}}"
#define GONE "{\"name\":\"gone\"},"

/* What a server writes. */
static const char *const ends[] = {
	"\n",   "\r\n",    "\n\r",           "\n ", "\n\t", "\n \t\r ",
	"\n\n", "\n\r\r ", "\n\xEF\xBB\xBF", " \n"};
static const char *const seams[] = {"",  " ",  "\r", "\r ", "]",
				    "}", "\n", "[",  "\0",  "\v\f"};
static const char *const noise[] = {"> ",   "log: ", "[INFO] ",  "[",
				    "\"",   "{",     "log {x} ", "\r",
				    "1",    "null ", "\xEF",     "\v",
				    "\x01", "a:",    "{}\r",     "\xEF\xBB\xBF",
				    "\xC2", "}",     "[1] ",     "\xC2\xA0"};
static const char *const lists[] = {
	LIST("7", GONE), LIST("7.0", GONE), LIST("\"7\"", GONE),
	LIST("null", GONE), "{\"result\":{\"tools\":[" GONE "1]},\"id\":7}"};
/* What is left of them. */
static const char *const cuts[] = {LIST("7", ""), LIST("7.0", ""),
				   LIST("\"7\"", ""), LIST("null", ""),
				   "{\"result\":{\"tools\":[]},\"id\":7}"};

static unsigned below(unsigned n)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

#define ANY(table) ((table)[below(COUNT(table))])

struct text_buf {
	char ptr[BYTES];
	size_t len;
};

static void add_bytes(struct text_buf *b, const char *ptr, size_t len)
{
	assert_true(b->len + len < BYTES);
	memcpy(b->ptr + b->len, ptr, len);
	b->len += len;
	b->ptr[b->len] = '\0';
}

static void add(struct text_buf *b, const char *s)
{
	add_bytes(b, s, strlen(s));
}

/* ---- readers --------------------------------------------------------- */

static const json_value *member(const json_value *v, const char *name)
{
	if (v && v->type == json_object)
		for (unsigned i = 0; i < v->u.object.length; i++)
			if (strcmp(v->u.object.values[i].name, name) == 0)
				return v->u.object.values[i].value;
	return NULL;
}

static bool lists_gone(const json_value *v)
{
	const json_value *tools = member(member(v, "result"), "tools");

	for (unsigned i = 0; tools && i < tools->u.array.length; i++) {
		const json_value *name =
			member(tools->u.array.values[i], "name");

		if (name && strcmp(name->u.string.ptr, "gone") == 0)
			return true;
	}
	return false;
}

/* What is stripped by one reader or another. */
static bool blank(const char *p)
{
	return (unsigned char)*p <= ' ' ||
	       strchr("\x7F\xC2\xA0\xEF\xBB\xBF", *p);
}

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && blank(p))
		p++;
	return p;
}

/* Is this a message, or a batch of them?  *shown: with the hidden name. */
static bool takes(const char *p, const char *end, bool *shown)
{
	json_settings settings = {.settings = 0};
	bool taken = false;
	json_value *v;

	p = skip_blank(p, end);
	while (end > p && blank(end - 1))
		end--;
	if (p == end)
		return false;
	v = json_parse_ex(&settings, p, (size_t)(end - p), NULL);
	if (v && v->type == json_object) {
		taken = true;
		*shown |= lists_gone(v);
	} else if (v && v->type == json_array) {
		taken = v->u.array.length > 0;
		for (unsigned i = 0; i < v->u.array.length; i++) {
			taken &= v->u.array.values[i]->type == json_object;
			*shown |= lists_gone(v->u.array.values[i]);
		}
	}
	if (v)
		json_value_free(v);
	return taken;
}

/* Lines that end where one of the bytes is; from the first '{' on where the
 * whole line is nothing (Kotlin). */
static bool lines_show(const char *p, const char *end, const char *at,
		       bool again)
{
	bool shown = false;

	while (p < end) {
		size_t len = 0;
		const char *brace;

		while (p + len < end && !strchr(at, p[len]))
			len++;
		brace = memchr(p, '{', len);
		if (!takes(p, p + len, &shown) && again && brace)
			takes(brace, p + len, &shown);
		p += len + 1;
	}
	return shown;
}

/* The end of the object or array at p; NULL: it has none. */
static const char *value_end(const char *p, const char *end)
{
	bool inside = false;
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '"')
			inside = !inside;
		else if (inside)
			p += *p == '\\';
		else if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
	}
	return NULL;
}

/* Values back to back, line breaks or not (Go); after what is none, from the
 * next line on, though real ones stop there. */
static bool stream_shows(const char *p, const char *end)
{
	bool shown = false;

	while ((p = skip_blank(p, end)) < end) {
		const char *after =
			*p == '{' || *p == '[' ? value_end(p, end) : NULL;

		if (!after || !takes(p, after, &shown))
			after = memchr(p, '\n', (size_t)(end - p));
		p = after ? after : end;
	}
	return shown;
}

static const char *who_shows(const struct text_buf *down)
{
	const char *p = down->ptr, *end = p + down->len;

	if (lines_show(p, end, "\n", false))
		return "LF";
	if (lines_show(p, end, "\r\n", false))
		return "CR or LF";
	if (lines_show(p, end, "\n", true))
		return "from the first brace";
	return stream_shows(p, end) ? "stream" : NULL;
}

/* ---- sessions -------------------------------------------------------- */

static bool slow; /* may weir end half a line? */

/* Judges and sends, in random pieces. */
static void settle(struct session *s, struct text_buf *down)
{
	bool any;

	do {
		size_t len;
		const char *p;

		any = session_judge(s);
		if (s->up.run < s->up.run_end) {
			stream_sent(&s->up, s->up.run_end - s->up.run);
			any = true;
		}
		p = downstream_next(s, &len);
		if (len > 0) {
			len = below(2) ? len : 1 + below((unsigned)len);
			add_bytes(down, p, len);
			downstream_sent(s, len);
			any = true;
		}
	} while (any);
	/* Time passes, but not where nothing else may be changed. */
	if (downstream_stuck(s) && slow && below(4) == 0) {
		downstream_break(s);
		settle(s, down);
	}
}

static void feed(struct session *s, struct stream *stream, const char *p,
		 size_t len, struct text_buf *down)
{
	unsigned most = below(3) ? 1 + below(40) : BYTES;

	while (len > 0) {
		char *at;
		size_t room = stream_room(stream, &at), part = 1 + below(most);

		part = part < len ? part : len;
		part = part < room ? part : room;
		memcpy(at, p, part);
		stream->fill += part;
		p += part;
		len -= part;
		settle(s, down);
		/* Answers of weir's own, anywhere. */
		if (stream == &s->down && below(16) == 0)
			feed(s, &s->up, CALL, strlen(CALL), down);
	}
}

static void play(struct policy *policy, const struct text_buf *before,
		 int asked, const struct text_buf *after, struct text_buf *down)
{
	struct session s;

	assert_true(session_open(&s, policy, COUNTERS(policy), MAX_LINE));
	down->len = 0;
	feed(&s, &s.down, before->ptr, before->len, down);
	while (asked-- > 0)
		feed(&s, &s.up, ASK, strlen(ASK), down);
	feed(&s, &s.down, after->ptr, after->len, down);
	s.down_ended = true;
	settle(&s, down);
	assert_true(s.down.run == s.down.fill);
	session_close(&s);
}

static void show(const char *what, const struct text_buf *b)
{
	print_message("%s: ", what);
	for (size_t i = 0; i < b->len; i++)
		print_message((unsigned char)b->ptr[i] < ' ' || b->ptr[i] & 0x80
				      ? "\\x%02X"
				      : "%c",
			      (unsigned char)b->ptr[i]);
	print_message("\n");
}

/* Whatever the server writes, nobody sees the hidden name. */
static void untidy(struct policy *policy)
{
	static struct text_buf before, after, down;
	int asked = 0;
	const char *who;

	before.len = after.len = 0;
	for (unsigned n = below(4); n > 0; n--) {
		add(&before, below(2) ? OTHER : ANY(noise));
		add(&before, below(2) ? ANY(ends) : ANY(seams));
	}
	/* Half a message, and perhaps its rest. */
	if (below(3) == 0) {
		size_t cut = below(sizeof(OTHER));

		add_bytes(&before, OTHER, cut);
		add(&after, below(4) ? &OTHER[cut] : "");
		add(&after, below(2) ? ANY(seams) : ANY(ends));
	}
	for (unsigned n = 1 + below(4); n > 0; n--) {
		add(&after, below(3) ? "" : ANY(noise));
		add(&after, below(4) ? "" : OTHER);
		add(&after, below(3) ? "" : ANY(seams));
		add(&after, ANY(lists));
		add(&after, below(2) ? ANY(ends) : ANY(seams));
		asked++;
	}
	play(policy, &before, asked, &after, &down);
	who = who_shows(&down);
	if (who) {
		show("before", &before);
		show("after", &after);
		show("came", &down);
		print_message("shown to: %s\n", who);
	}
	assert_null(who);
}

/* Where only the ends of lines are odd, lists come, and are all that is
 * changed but for the answers of weir's own. */
static void odd_ends(struct policy *policy)
{
	static struct text_buf before, after, want, down;
	const char *end = ANY(ends);
	int asked = 0;
	size_t at = 0;

	before.len = after.len = want.len = 0;
	add(&before, below(4) ? "" : "\xEF\xBB\xBF");
	for (unsigned n = below(3); n > 0; n--) {
		add(&before, OTHER);
		add(&before, end);
	}
	add_bytes(&want, before.ptr, before.len);
	for (unsigned n = 1 + below(3); n > 0; n--) {
		unsigned which = below(COUNT(lists) - 1);

		add(&after, lists[which]);
		add(&want, cuts[which]);
		add(&after, end);
		add(&want, end);
		asked++;
	}
	play(policy, &before, asked, &after, &down);
	assert_null(who_shows(&down));
	/* Without the answers, which are lines of their own. */
	for (const char *p = down.ptr, *end_of = p + down.len; p < end_of;) {
		static const char own[] = "{\"jsonrpc\":\"2.0\",\"id\":8,";

		if (strncmp(p, own, sizeof(own) - 1) == 0)
			p = strchr(p, '\n') + 1;
		else
			down.ptr[at++] = *p++;
	}
	down.len = at;
	if (down.len != want.len || memcmp(down.ptr, want.ptr, want.len)) {
		show("sent", &after);
		show("came", &down);
		show("want", &want);
	}
	assert_int_equal(down.len, want.len);
	assert_memory_equal(down.ptr, want.ptr, want.len);
}

TEST(readers_find_nothing)
{
	struct policy *policy = COMPILE(policy_text, unit_silent, NULL);
	int was = dup(STDERR_FILENO), none = open("/dev/null", O_WRONLY);

	/* weir tells of each line that it withholds. */
	dup2(none, STDERR_FILENO);
	for (int i = 0; i < CASES; i++) {
		slow = i % 2 == 0;
		if (slow)
			untidy(policy);
		else
			odd_ends(policy);
	}
	dup2(was, STDERR_FILENO);
	close(was);
	close(none);
	policy_free(policy);
}

RUN(NULL, NULL)
