/* Sums of a log.  The contract is in log_count.h. */
#include "log_count.h"

#include "../../policies/judge/names.h"
#include "../log.h"
#include "../report.h"

#include <stdlib.h>
#include <string.h>

struct count *count_new(void)
{
	struct count *c = calloc(1, sizeof(*c));

	if (!c) {
		report_all("log: out of memory");
		return NULL;
	}
	c->since = INT64_MIN;
	c->width = 1;
	c->row_count = c->pair_count = 1;
	c->rows[0].first = c->rows[0].last = INT64_MIN;
	return c;
}

/* ---- names ----------------------------------------------------------- */

/* The name of this kind and text, kept; NULL: there are too many. */
static struct name *intern(struct count *c, char kind, struct text text)
{
	char decoded[COUNT_NAME];
	uint32_t hash = 2166136261u ^ (unsigned char)kind;
	const uint32_t mask = 2 * COUNT_NAMES - 1;
	struct name *n;
	uint32_t slot;

	if (text.flags & TEXT_ESCAPED) {
		ptrdiff_t len = text_decode(text, decoded, sizeof(decoded));

		if (len >= 0)
			text = (struct text){decoded, (size_t)len, 0};
	}
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.ptr[i]) * 16777619u;
	for (slot = hash & mask; c->slots[slot]; slot = (slot + 1) & mask) {
		n = &c->names[c->slots[slot] - 1];
		if (n->hash == hash && n->kind == kind && n->len == text.len &&
		    memcmp(n->text, text.ptr, n->len) == 0)
			return n;
	}
	if (c->name_count == COUNT_NAMES || text.len > COUNT_NAME ||
	    text.len > COUNT_TEXT - c->text_len)
		return NULL;
	n = &c->names[c->name_count++];
	*n = (struct name){.text = c->text + c->text_len,
			   .len = text.len,
			   .hash = hash,
			   .kind = kind};
	memcpy(c->text + c->text_len, text.ptr, text.len);
	c->text_len += text.len;
	c->slots[slot] = (uint16_t)c->name_count;
	return n;
}

/* The row of a tool, or of the method of what calls none. */
static size_t row_of(struct count *c, const struct log_line *line)
{
	static const struct text none = {"(not understood)", 16, 0};
	const struct text *tool = &line->texts[LINE_TOOL];
	const struct text *method = &line->texts[LINE_METHOD];
	struct name *n = intern(c, tool->ptr ? 't' : 'm',
				tool->ptr     ? *tool
				: method->ptr ? *method
					      : none);

	if (n && n->row == 0 && c->row_count < COUNT_ROWS) {
		n->row = (uint16_t)c->row_count;
		c->rows[c->row_count++] = (struct count_row){
			.name = n, .first = INT64_MIN, .last = INT64_MIN};
	}
	return n ? n->row : 0;
}

/* The pair of a row and a rule or person. */
static size_t pair_of(struct count *c, size_t row, char kind, struct text text)
{
	const struct name *n = intern(c, kind, text);
	const uint32_t mask = 2 * COUNT_PAIRS - 1;
	uint32_t slot = n ? (n->hash ^ (uint32_t)row * 2654435761u) & mask : 0;
	const struct count_pair *p;

	for (; n && c->pair_slots[slot]; slot = (slot + 1) & mask) {
		p = &c->pairs[c->pair_slots[slot]];
		if (p->name == n && p->row == row)
			return c->pair_slots[slot];
	}
	if (!n || c->pair_count == COUNT_PAIRS)
		return 0;
	c->pairs[c->pair_count] =
		(struct count_pair){.name = n, .row = (uint16_t)row};
	c->pair_slots[slot] = (uint16_t)c->pair_count;
	return c->pair_count++;
}

/* ---- time ------------------------------------------------------------ */

/* Widths of a span in seconds, each a multiple of the one before; the last
 * doubles. */
static const int32_t widths[] = {1,    5,     15,    60,    300,   900,
				 3600, 10800, 21600, 86400, 604800};

static int64_t next_width(int64_t width)
{
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++)
		if (widths[i] > width)
			return widths[i];
	return 2 * width;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Makes the spans wider, or begin earlier, in place. */
static void respan(struct count *c, int64_t width, int64_t first)
{
	uint32_t old[COUNT_SPANS][COUNT_KINDS];
	const size_t spans = c->spans;

	memcpy(old, c->over_time, spans * sizeof(*old));
	memset(c->over_time, 0, sizeof(c->over_time));
	c->spans = 0;
	for (size_t i = 0; i < spans; i++) {
		int64_t at = c->first_span + (int64_t)i;
		size_t to = (size_t)(floor_div(at * c->width, width) - first);

		for (int k = 0; k < COUNT_KINDS; k++)
			c->over_time[to][k] += old[i][k];
		c->spans = to + 1;
	}
	c->width = width;
	c->first_span = first;
}

static void add_time(struct count *c, int64_t seconds, enum verdict_kind kind)
{
	int64_t width = c->width, at = floor_div(seconds, width), first, last;

	if (c->spans == 0)
		c->first_span = at;
	if (at < c->first_span || at - c->first_span >= COUNT_SPANS) {
		for (;; width = next_width(width)) {
			at = floor_div(seconds, width);
			first = floor_div(c->first_span * c->width, width);
			last = floor_div((c->first_span + (int64_t)c->spans -
					  1) * c->width,
					 width);
			first = at < first ? at : first;
			last = at > last ? at : last;
			if (last - first < COUNT_SPANS)
				break;
		}
		respan(c, width, first);
	}
	at -= c->first_span;
	c->over_time[at][kind]++;
	if ((size_t)at >= c->spans)
		c->spans = (size_t)at + 1;
}

/* ---- buckets --------------------------------------------------------- */

/* Below 32 each value has its own; above, 16 halve each power of two. */
static size_t bucket_of(int64_t us)
{
	uint64_t n = us > 0 ? (uint64_t)us : 0;
	int shift = n < 32 ? 0 : 59 - __builtin_clzll(n);
	size_t at = (size_t)shift * 16 + (size_t)(n >> shift);

	return at < COUNT_BUCKETS ? at : COUNT_BUCKETS - 1;
}

/* The middle of a bucket. */
static int64_t bucket_value(size_t at)
{
	int shift = at < 32 ? 0 : (int)(at / 16) - 1;

	return ((int64_t)(at - (size_t)shift * 16) << shift) +
	       ((INT64_C(1) << shift) >> 1);
}

int64_t count_quantile(const struct count_row *row, unsigned percent)
{
	/* The answer of this rank, from 1. */
	uint64_t rank = (row->answers * percent + 99) / 100;
	uint64_t below = 0;

	for (size_t i = 0; i < COUNT_BUCKETS && row->answers > 0; i++) {
		below += row->times[i];
		if (below > 0 && below >= rank)
			return bucket_value(i);
	}
	return -1;
}

/* ---- lines ----------------------------------------------------------- */

/* 0: it is no decision. */
static enum verdict_kind kind_of(const struct log_line *line)
{
	const struct text *word = &line->texts[LINE_VERDICT];

	for (unsigned k = VERDICT_PASS;
	     line->word == LINE_DECISION && word->ptr && k < COUNT_KINDS; k++)
		if (text_is(*word, log_word(k), strlen(log_word(k))))
			return k;
	return 0;
}

bool count_wants(const struct count *c, const struct log_line *line)
{
	const struct text tool = line->texts[LINE_TOOL];
	char decoded[COUNT_NAME];
	ptrdiff_t len;

	if (line->numbers[LINE_TS] < c->since)
		return false;
	if (c->refused && kind_of(line) <= VERDICT_PASS)
		return false;
	if (!c->glob)
		return true;
	len = tool.ptr ? text_decode(tool, decoded, sizeof(decoded)) : -1;
	return len >= 0 &&
	       name_glob(c->glob, strlen(c->glob), decoded, (size_t)len);
}

/* A refusal; or with pair 0 what ends a streak of them. */
static void add_streak(struct count *c, int64_t pid, size_t pair)
{
	struct streak *run = &c->streaks[(uint64_t)pid % COUNT_RUNS];
	struct count_pair *p = &c->pairs[pair];

	if (run->pid != pid || run->pair != pair)
		*run = (struct streak){.pid = pid, .pair = pair};
	if (pair == 0)
		return;
	run->length++;
	p->runs += run->length == COUNT_REPEATS;
	if (run->length > p->longest)
		p->longest = run->length;
}

static void add_decision(struct count *c, const struct log_line *line,
			 enum verdict_kind kind)
{
	static const struct text none = {"(no rule)", 9, 0};
	const int64_t at = line->numbers[LINE_TS];
	const size_t row = row_of(c, line);
	struct count_row *r = &c->rows[row];
	const struct text *rule = &line->texts[LINE_RULE];
	size_t pair = 0;

	r->calls++;
	r->kinds[kind]++;
	r->observed += (uint64_t)line->numbers[LINE_OBSERVED];
	r->bytes[0] += (uint64_t)line->numbers[LINE_BYTES];
	r->first = r->first == INT64_MIN || at < r->first ? at : r->first;
	r->last = at > r->last ? at : r->last;
	if (kind != VERDICT_PASS) {
		r->refused++;
		pair = pair_of(c, row, 'r', rule->ptr ? *rule : none);
		c->pairs[pair].count++;
	}
	add_streak(c, line->numbers[LINE_PID], pair);
	add_time(c, floor_div(at, 1000000), kind);
}

const char *count_unanswered(const struct log_line *line)
{
	static const char words[][2][32] = {
		{"timeout", "nobody answered in time"},
		{"reload", "nobody: the policy was reloaded"},
		{"end", "nobody: the session ended"},
		{"client", "nobody: the client cancelled it"},
	};
	const struct text said = line->texts[LINE_SAID];

	if (line->word != LINE_APPROVAL ||
	    !(text_is(said, "none", 4) || text_is(said, "cancelled", 9)))
		return NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (text_is(line->texts[LINE_HOW], words[i][0],
			    strlen(words[i][0])))
			return words[i][1];
	return "nobody";
}

/* "ann (terminal)" */
static void add_approval(struct count *c, const struct log_line *line)
{
	const struct text *who = &line->texts[LINE_WHO];
	const struct text *how = &line->texts[LINE_HOW];
	const size_t row = row_of(c, line);
	const char *nobody = count_unanswered(line);
	char text[1024];
	struct strbuf o = {.ptr = text, .cap = sizeof(text)};
	size_t pair;

	if (text_is(line->texts[LINE_SAID], "asked", 5)) {
		c->rows[row].asked++;
		return;
	}
	if (nobody) {
		pair = pair_of(c, row, 'w',
			       (struct text){nobody, strlen(nobody), 0});
		c->pairs[pair].none++;
		return;
	}
	strbuf_bytes(&o, who->ptr ? who->ptr : "?", who->ptr ? who->len : 1);
	strbuf_string(&o, how->ptr ? " (" : "");
	strbuf_bytes(&o, how->ptr ? how->ptr : "", how->len);
	strbuf_string(&o, how->ptr ? ")" : "");
	pair = pair_of(c, row, 'w',
		       (struct text){text, o.len, who->flags | how->flags});
	if (text_is(line->texts[LINE_SAID], "yes", 3))
		c->pairs[pair].count++;
	else
		c->pairs[pair].no++;
}

static void add_answer(struct count *c, const struct log_line *line)
{
	struct count_row *r = &c->rows[row_of(c, line)];

	r->answers++;
	r->errors += (uint64_t)line->numbers[LINE_ERROR];
	r->bytes[1] += (uint64_t)line->numbers[LINE_BYTES];
	r->times[bucket_of(line->numbers[LINE_MS])]++;
}

void count_add(struct count *c, const struct log_line *line)
{
	const enum verdict_kind kind = kind_of(line);
	const bool wanted = count_wants(c, line);

	if (line->numbers[LINE_TS] >= c->since)
		c->words[line->word]++;
	if (!wanted && kind > 0)
		add_streak(c, line->numbers[LINE_PID], 0);
	if (!wanted)
		return;
	if (kind > 0)
		add_decision(c, line, kind);
	else if (line->word == LINE_ANSWER)
		add_answer(c, line);
	else if (line->word == LINE_APPROVAL)
		add_approval(c, line);
	else if (line->word == LINE_GAP)
		c->lost += (uint64_t)line->numbers[LINE_LOST];
}

/* ---- the end --------------------------------------------------------- */

static void add_row(struct count_row *sum, const struct count_row *r)
{
	for (int k = 0; k < COUNT_KINDS; k++)
		sum->kinds[k] += r->kinds[k];
	for (size_t i = 0; i < COUNT_BUCKETS; i++)
		sum->times[i] += r->times[i];
	sum->calls += r->calls;
	sum->refused += r->refused;
	sum->observed += r->observed;
	sum->asked += r->asked;
	sum->answers += r->answers;
	sum->errors += r->errors;
	sum->bytes[0] += r->bytes[0];
	sum->bytes[1] += r->bytes[1];
	if (r->first != INT64_MIN &&
	    (sum->first == INT64_MIN || r->first < sum->first))
		sum->first = r->first;
	sum->last = r->last > sum->last ? r->last : sum->last;
}

void count_end(struct count *c)
{
	c->sum = (struct count_row){.first = INT64_MIN, .last = INT64_MIN};
	c->rows_shown = c->pairs_shown = 0;
	for (size_t i = 0; i < c->row_count; i++) {
		const struct count_row *r = &c->rows[i];
		size_t at = c->rows_shown;

		add_row(&c->sum, r);
		if (r->calls + r->answers + r->asked == 0)
			continue;
		for (; at > 0 && c->row_order[at - 1]->calls < r->calls; at--)
			c->row_order[at] = c->row_order[at - 1];
		c->row_order[at] = r;
		c->rows_shown++;
	}
	for (size_t i = 0; i < c->pair_count; i++) {
		const struct count_pair *p = &c->pairs[i];
		size_t at = c->pairs_shown;

		if (p->count + p->no + p->none == 0)
			continue;
		for (; at > 0 && c->pair_order[at - 1]->count < p->count; at--)
			c->pair_order[at] = c->pair_order[at - 1];
		c->pair_order[at] = p;
		c->pairs_shown++;
	}
	while (c->spans > COUNT_SHOWN) {
		int64_t width = next_width(c->width);

		respan(c, width, floor_div(c->first_span * c->width, width));
	}
}
