/*
 * What it costs to judge one line, and to cut a list, against simdjson's parse
 * of the same bytes; one decision among many entries against one among few;
 * and to load a policy, against json-parser's parse of it.  Prints a line for
 * each row:
 *
 *	name  weir  yardstick  ratio  goal  ok|short  (the spread of the ratio)
 *
 * in GB/s, for verdict and load in times a second.  The two take turns, and the
 * ratio is the median of those of the turns.  With BENCH=quick it only shows
 * that all of it runs; ROWS="NAME..." does only these.
 *
 * The texts are made here, the same ones each time: tools as real servers
 * describe them, source code with escapes and CJK, base64.
 */
#include <json-parser/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../parser/reply.h"
#include "../now.h"
#include "simdjson.h"

#define TURNS_MAX 31

/* ---- texts ----------------------------------------------------------- */

struct text_buffer {
	char *ptr;
	size_t len, cap;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t below(uint64_t *state, size_t n)
{
	return (size_t)(next_random(state) % n);
}

/* Appends; the buffer always has room for the padding too. */
static void put(struct text_buffer *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void put(struct text_buffer *b, const char *format, ...)
{
	va_list args;

	if (b->cap - b->len < 8192) {
		b->cap = 2 * b->cap + 65536;
		b->ptr = realloc(b->ptr, b->cap);
		if (!b->ptr)
			abort();
	}
	va_start(args, format);
	b->len += (size_t)vsnprintf(b->ptr + b->len, 4096, format, args);
	va_end(args);
	memset(b->ptr + b->len, 0, YARDSTICK_PADDING);
}

static const char *const verbs[] = {
	"read",   "write", "list",  "search", "create", "delete", "get",
	"update", "move",  "query", "run",    "cancel", "fetch",  "send",
};
static const char *const nouns[] = {
	"file", "directory", "scan_job", "issue",  "branch",  "record", "table",
	"page", "message",   "channel",  "report", "dataset", "commit",
};
static const char *const properties[] = {
	"path",  "query",     "limit", "cursor", "recursive", "pattern",
	"owner", "repo_name", "body",  "labels", "encoding",  "since",
};
static const char *const words[] = {
	"the",      "file",       "of",        "returns", "a",
	"content",  "directory",  "with",      "path",    "must",
	"be",       "absolute",   "and",       "Use",     "this",
	"tool",     "when",       "you",       "need",    "to",
	"examine",  "several",    "at",        "once",    "only",
	"works",    "within",     "\\\"x\\\"", "allowed", "directories.",
	"results,", "pagination", "token.",    "e.g.",    "\xE2\x80\x94",
};
#define PICK(state, table)                                                     \
	((table)[below(state, sizeof(table) / sizeof(*(table)))])

static void put_words(struct text_buffer *b, uint64_t *state, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(b, i ? " %s" : "%s", PICK(state, words));
}

static void put_property(struct text_buffer *b, uint64_t *state, size_t i)
{
	put(b, "%s\"%s_%zu\":{", i ? "," : "", PICK(state, properties), i);
	switch (below(state, 4)) {
	case 0:
		put(b, "\"type\":\"integer\",\"minimum\":0,\"default\":%zu",
		    below(state, 1000));
		break;
	case 1:
		put(b, "\"type\":\"array\",\"items\":{\"type\":\"string\"}");
		break;
	case 2:
		put(b, "\"type\":\"string\",\"enum\":[\"size\",\"name\"]");
		break;
	default:
		put(b, "\"type\":\"string\"");
		break;
	}
	put(b, ",\"description\":\"");
	put_words(b, state, 5 + below(state, 12));
	put(b, "\"}");
}

/* About 1000 bytes, as the tools of the reference servers have. */
static void put_tool(struct text_buffer *b, uint64_t *state, size_t i)
{
	size_t count = 2 + below(state, 4);

	/* Every second one is of a kind that is hidden. */
	put(b, "{\"name\":\"%s_%s_%s_%zu\",\"title\":\"",
	    i % 2 ? "admin" : "user", PICK(state, verbs), PICK(state, nouns),
	    i);
	put_words(b, state, 3);
	put(b, "\",\"description\":\"");
	put_words(b, state, 30 + below(state, 40));
	put(b, "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{");
	for (size_t k = 0; k < count; k++)
		put_property(b, state, k);
	put(b,
	    "},\"required\":[\"path\"],\"additionalProperties\":false,"
	    "\"$schema\":\"http://json-schema.org/draft-07/schema#\"},"
	    "\"annotations\":{\"readOnlyHint\":%s},\"execution\":"
	    "{\"taskSupport\":\"forbidden\"}}",
	    i % 3 ? "true" : "false");
}

static struct text_buffer make_list(size_t bytes)
{
	struct text_buffer b = {.len = 0};
	uint64_t state = 1;

	put(&b, "{\"result\":{\"tools\":[");
	for (size_t i = 0; b.len < bytes; i++) {
		if (i > 0)
			put(&b, ",");
		put_tool(&b, &state, i);
	}
	put(&b, "]},\"jsonrpc\":\"2.0\",\"id\":2}");
	return b;
}

static const char *const code[] = {
	"static int %s_%s(struct %s *p, size_t len)\\n{\\n",
	"\\tif (len == 0 || p->%s[len - 1] != '\\\\n')\\n\\t\\treturn -1;\\n",
	"\\tprintf(\\\"%%%%s: %s %s\\\\n\\\", name);\\n",
	"\\tfor (size_t i = 0; i < p->count; i++)\\n"
	"\\t\\ttotal += p->%s[i].len * sizeof(struct %s);\\n",
	"\\t/* \xE8\xAF\xBB\xE5\x8F\x96\xE4\xB8\x80\xE8\xA1\x8C\xEF\xBC\x8C"
	"\xE7\x84\xB6\xE5\x90\x8E\xE5\x88\xA4\xE6\x96\xAD %s */\\n",
	"\\tresult = %s_parse(buffer, sizeof(buffer), &p->%s, flags);\\n",
	"\\treturn p->%s->%s;\\n}\\n\\n",
	"#define %s_%s 4096 /* \xE3\x83\x90\xE3\x82\xA4\xE3\x83\x88 */\\n",
};

/* A call that writes a file of source code. */
static struct text_buffer make_text(size_t bytes)
{
	struct text_buffer b = {.len = 0};
	uint64_t state = 2;

	put(&b, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"user_write\",\"arguments\":{\"path\":"
		"\"/srv/data/x.c\",\"content\":\"");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
	while (b.len < bytes)
		put(&b, PICK(&state, code), PICK(&state, nouns),
		    PICK(&state, verbs), PICK(&state, nouns));
#pragma GCC diagnostic pop
	put(&b, "\"}}}");
	return b;
}

/* A call with a picture in it. */
static struct text_buffer make_blob(size_t bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	struct text_buffer b = {.len = 0};
	uint64_t state = 3;

	put(&b, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\","
		"\"params\":{\"name\":\"user_write\",\"arguments\":"
		"{\"data\":\"");
	while (b.len < bytes)
		put(&b, "%c", digits[below(&state, 64)]);
	put(&b, "\"}}}");
	return b;
}

/* A call of 200 bytes, as agents make them. */
static struct text_buffer make_call(size_t i)
{
	struct text_buffer b = {.len = 0};
	uint64_t state = 4 + i;
	size_t tool = i * 7 % 100 / 10 * 10 + i % 9; /* that an entry names */

	put(&b,
	    "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"user_%s_%zu\",\"arguments\":{\"path\":"
	    "\"/srv/data/projects/%s/%s.txt\",\"head\":%zu,\"note\":\"",
	    1000 + i, verbs[tool % 14], tool, PICK(&state, nouns),
	    PICK(&state, nouns), below(&state, 500));
	while (b.len < 200 - 4)
		put(&b, "%c", "etaoin shrdlu"[below(&state, 13)]);
	put(&b, "\"}}}");
	return b;
}

/* ---- policies -------------------------------------------------------- */

static void listen(void *context, const char *line)
{
	(void)context;
	fprintf(stderr, "%s\n", line);
	abort();
}

/* So many entries; one in ten is a glob.  They name all of the calls, and
 * hide half of the lists. */
static struct policy *make_policy(size_t entries)
{
	struct text_buffer b = {.len = 0};
	struct policy *policy;

	put(&b, "{\"version\":\"1\",\"default\":\"allow\","
		"\"hide\":[\"admin_*\"],\"tools\":{");
	for (size_t i = 0; i < entries; i++)
		put(&b, "%s\"%s_%s_%zu%s\":{}", i ? "," : "",
		    i % 10 == 9 ? "other" : "user", verbs[i % 14], i,
		    i % 10 == 9 ? "_*" : "");
	put(&b, "}}");
	policy = policy_compile(&(struct policy_source){"bench", b.ptr, b.len},
				1, NULL, listen, NULL);
	free(b.ptr);
	return policy;
}

/* ---- rows ------------------------------------------------------------ */

/* What is measured: texts of one kind, and what judges them. */
struct work {
	const struct text_buffer *texts;
	size_t count;
	size_t bytes; /* of all of them */
	const struct policy *policy;
	struct counters *counters;
	void *parser;
	char *copy; /* of the text, made anew before each run; or NULL */
};

typedef void judge(const struct work *w);

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "scan: %s\n", what);
	exit(1);
}

static void judge_lines(const struct work *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct message m;
		struct fault fault;

		must(message_read(w->texts[i].ptr, w->texts[i].len, &m,
				  &fault) &&
			     now_judge(w->policy, w->counters, &m).kind ==
				     VERDICT_PASS,
		     "a line that does not pass");
	}
}

static bool keeps(void *context, enum reply_list list, struct text name,
		  struct span item)
{
	(void)list;
	(void)item;
	return policy_lists(context, POLICY_TOOLS, name);
}

/* Cuts the copy that was made of the text. */
static void judge_list(const struct work *w)
{
	struct reply reply;
	size_t left =
		reply_cut(w->copy, w->bytes, keeps, (void *)w->policy, &reply);

	must(reply.kind == REPLY_LIST && left < w->bytes, "nothing was cut");
}

static void parse(const struct work *w)
{
	for (size_t i = 0; i < w->count; i++)
		must(yardstick_parse(w->parser, w->texts[i].ptr,
				     w->texts[i].len) > 0,
		     "simdjson cannot read it");
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A text that is copied is one that is changed: a fresh one each time, and
 * what the copying takes is not counted. */
static double time_of(judge *f, const struct work *w, size_t times)
{
	double start = seconds(), copied = 0;

	for (size_t i = 0; i < times; i++) {
		if (w->copy) {
			double before = seconds();

			memcpy(w->copy, w->texts->ptr, w->bytes);
			copied += seconds() - before;
		}
		f(w);
	}
	return seconds() - start - copied;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *list, size_t count)
{
	qsort(list, count, sizeof(*list), by_size);
	return list[count / 2];
}

struct goal {
	const char *name;
	double value;
	bool at_most; /* else at least */
};

/* So many times that a turn takes this many seconds. */
struct effort {
	size_t turns;
	double turn;
};

static struct effort effort(void)
{
	const char *bench = getenv("BENCH");

	if (bench && strcmp(bench, "quick") == 0)
		return (struct effort){1, 0.001};
	return (struct effort){21, 0.02};
}

static void print_row(struct goal goal, double ours, double theirs,
		      double *ratios, size_t turns)
{
	double ratio = median(ratios, turns);
	bool ok = goal.at_most ? ratio <= goal.value : ratio >= goal.value;

	printf("%s\t%.3f\t%.3f\t%.2f\t%s%.2f\t%s\t%.2f..%.2f\n", goal.name,
	       ours, theirs, ratio, goal.at_most ? "<=" : ">=", goal.value,
	       ok ? "ok" : "short", ratios[0], ratios[turns - 1]);
	fflush(stdout);
}

/* Units are what one run of each work is worth, for what is printed. */
static void row(struct goal goal, judge *f, const struct work *w, judge *yard,
		const struct work *yard_work, double units)
{
	double ours[TURNS_MAX], theirs[TURNS_MAX], ratios[TURNS_MAX];
	struct effort e = effort();
	size_t times = 1;

	while (time_of(f, w, times) < e.turn)
		times *= 2;
	time_of(yard, yard_work, times);
	for (size_t i = 0; i < e.turns; i++) {
		double n = (double)times * units;

		ours[i] = n / time_of(f, w, times);
		theirs[i] = n / time_of(yard, yard_work, times);
		ratios[i] = goal.at_most ? theirs[i] / ours[i]
					 : ours[i] / theirs[i];
	}
	print_row(goal, median(ours, e.turns), median(theirs, e.turns), ratios,
		  e.turns);
}

/* Is the row wanted?  All are, unless some are named. */
static bool wanted(const char *name)
{
	const char *rows = getenv("ROWS");

	return !rows || strstr(rows, name);
}

static void row_text(const char *name, double goal, judge *f, struct work *w)
{
	struct goal g = {name, goal, false};

	if (!wanted(name))
		return;
	w->bytes = 0;
	for (size_t i = 0; i < w->count; i++)
		w->bytes += w->texts[i].len;
	w->copy = NULL;
	if (f == judge_list) {
		w->copy = malloc(w->bytes);
		must(w->copy != NULL, "no memory");
	}
	if (!yardstick_open) {
		printf("%s\t\t\t\t>=%.2f\tskipped\tno libsimdjson-dev\n", name,
		       goal);
		time_of(f, w, 1);
		free(w->copy);
		return;
	}
	w->parser = yardstick_open(w->bytes);
	must(w->parser != NULL, "no memory");
	row(g, f, w, parse, w, (double)w->bytes / 1e9);
	free(w->copy);
}

/* ---- the rows -------------------------------------------------------- */

#define CALLS 256

static void scan_rows(const struct policy *policy, struct counters *counters)
{
	struct work w = {.policy = policy, .counters = counters, .count = 1};
	struct text_buffer calls[CALLS], text;

	for (size_t i = 0; i < CALLS; i++)
		calls[i] = make_call(i);
	w.texts = calls;
	w.count = CALLS;
	row_text("scan.small", 2.0, judge_lines, &w);
	w.texts = &text;
	w.count = 1;
	text = make_list(150000);
	row_text("scan.list", 1.2, judge_list, &w);
	text = make_text(500000);
	row_text("scan.text", 2.0, judge_lines, &w);
	text = make_blob(1400000);
	row_text("scan.blob", 0.8, judge_lines, &w);
	text = make_list(10000000);
	row_text("list", 0.8, judge_list, &w);
}

static void decide(const struct work *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct message m = {
			.kind = MESSAGE_REQUEST,
			.method = METHOD_TOOLS_CALL,
			.name = {.ptr = w->texts[i].ptr,
				 .len = w->texts[i].len},
		};

		must(now_judge(w->policy, w->counters, &m).kind == VERDICT_PASS,
		     "a call that is refused");
	}
}

/* The ten tools of the small policy, which the large one has too. */
static void verdict_row(void)
{
	const struct policy *few = make_policy(10), *many = make_policy(10000);
	struct work small = {
		.policy = few,
		.counters = counters_new(few, NULL, NULL, listen, NULL)};
	struct work large = {
		.policy = many,
		.counters = counters_new(many, NULL, NULL, listen, NULL)};
	struct text_buffer names[10];

	for (size_t i = 0; i < 10; i++) {
		names[i] = (struct text_buffer){.len = 0};
		put(&names[i], "%s_%s_%zu%s", i == 9 ? "other" : "user",
		    verbs[i], i, i == 9 ? "_x" : "");
	}
	small.texts = large.texts = names;
	small.count = large.count = 10;
	if (wanted("verdict"))
		row((struct goal){"verdict", 1.2, true}, decide, &large, decide,
		    &small, 10);
}

/* A policy of 1,000 entries, as the relay's rows have it. */
static void load_policy(const struct work *w)
{
	struct policy *policy = policy_compile(
		&(struct policy_source){"bench", w->texts->ptr, w->texts->len},
		1, NULL, listen, NULL);

	must(policy != NULL, "a policy that does not load");
	policy_free(policy);
}

static void parse_policy(const struct work *w)
{
	json_value *tree = json_parse(w->texts->ptr, w->texts->len);

	must(tree != NULL, "json-parser cannot read it");
	json_value_free(tree);
}

static void load_row(void)
{
	struct text_buffer text = {.len = 0};
	struct work w = {.texts = &text, .count = 1};

	put(&text, "{\"version\":\"1\",\"default\":\"hide\",\"tools\":{");
	for (size_t i = 0; i < 1000; i++)
		put(&text, "%s\"tool_%zu\":{%s}", i ? "," : "", i,
		    (const char *const[]){
			    "",
			    "\"action\":\"deny\",\"reason\":\"ask a person\"",
			    "\"require\":[{\"path\":\"args.path\","
			    "\"op\":\"under\",\"value\":\"/srv\"}]",
			    "\"limits\":[{\"counter\":\"calls\","
			    "\"window\":\"minute\",\"max\":10,"
			    "\"scope\":\"session\"}]"}[i % 4]);
	put(&text, "}}");
	if (wanted("load"))
		row((struct goal){"load", 3, true}, load_policy, &w,
		    parse_policy, &w, 1);
	free(text.ptr);
}

int main(void)
{
	const struct policy *policy = make_policy(100);

	if (yardstick_kernel)
		printf("# simdjson's kernel: %s\n", yardstick_kernel());
	scan_rows(policy, counters_new(policy, NULL, NULL, listen, NULL));
	verdict_row();
	load_row();
	return 0;
}
