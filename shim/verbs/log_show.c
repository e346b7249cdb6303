/* What weir log prints.  The contract is in log_show.h. */
#include "log_show.h"

#include "../log.h"

#include <string.h>
#include <time.h>

#define COLUMNS 80
#define NAME    19 /* columns of a tool */
#define LISTED  20 /* rules, and so on */

/* ---- pieces ---------------------------------------------------------- */

void show_name(FILE *to, enum style style, const struct name *name)
{
	static const struct name others = {.text = "(others)", .len = 8};

	name = name ? name : &others;
	show_text(to, style, name->text, name->len);
}

struct number show_count(uint64_t n)
{
	struct number digits, number;
	size_t len = (size_t)snprintf(digits.text, sizeof(digits.text), "%llu",
				      (unsigned long long)n);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			number.text[at++] = ',';
		number.text[at++] = digits.text[i];
	}
	number.text[at] = '\0';
	return number;
}

struct number show_ms(int64_t us, bool json)
{
	struct number number = {"-"};
	int64_t unit = 1; /* of the third digit, in us */

	while (us / unit >= 1000)
		unit *= 10;
	us = (us + unit / 2) / unit * unit;
	if (us >= 1000000 && !json)
		return show_count((uint64_t)us / 1000);
	if (us >= 0)
		snprintf(number.text, sizeof(number.text), "%lld.%03lld",
			 (long long)(us / 1000), (long long)(us % 1000));
	/* No digit beyond the third, but zeros before the point. */
	if (us >= 0 && unit > 1)
		number.text[strlen(number.text) - (unit == 10    ? 1
						   : unit == 100 ? 2
								 : 4)] = '\0';
	return number;
}

struct number show_time(int64_t us, char between)
{
	struct number number = {"-"};
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	if (us != INT64_MIN && gmtime_r(&seconds, &tm))
		snprintf(number.text, sizeof(number.text),
			 "%04d-%02d-%02d%c%02d:%02d:%02d%s", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, between, tm.tm_hour,
			 tm.tm_min, tm.tm_sec, between == 'T' ? "Z" : "");
	return number;
}

struct number show_width(int64_t seconds)
{
	static const struct {
		int seconds;
		char unit[7];
	} units[] = {{604800, "week"},
		     {86400, "day"},
		     {3600, "hour"},
		     {60, "minute"},
		     {1, "second"}};
	struct number number;
	size_t i = 0;
	long long n;

	while (seconds % units[i].seconds != 0)
		i++;
	n = seconds / units[i].seconds;
	if (n == 1)
		snprintf(number.text, sizeof(number.text), "%s", units[i].unit);
	else
		snprintf(number.text, sizeof(number.text), "%lld %ss", n,
			 units[i].unit);
	return number;
}

/* ---- rows ------------------------------------------------------------ */

#define AT(member) offsetof(struct count_row, member)
const struct column show_columns[] = {
	{"calls", "Calls", 'n', AT(calls)},
	{"refused", "Refused", 'n', AT(refused)},
	{"observed", "Observed", 'n', AT(observed)},
	{"asked", "Asked", 'n', AT(asked)},
	{"answers", "Answers", 'n', AT(answers)},
	{"errors", "Errors", 'n', AT(errors)},
	{"p50Ms", "p50 ms", 'q', 50},
	{"p99Ms", "p99 ms", 'q', 99},
	{"bytesIn", "Bytes in", 'n', AT(bytes[0])},
	{"bytesOut", "Bytes out", 'n', AT(bytes[1])},
	{"first", "First, UTC", 't', AT(first)},
	{"last", "Last, UTC", 't', AT(last)},
};
const size_t show_columns_count = sizeof(show_columns) / sizeof(*show_columns);

struct number show_cell(const struct count_row *row, const struct column *c,
			bool json)
{
	const char *at = (const char *)row + c->at;
	struct number number;

	if (c->kind == 'n' && json)
		snprintf(number.text, sizeof(number.text), "%llu",
			 (unsigned long long)*(
				 const uint64_t *)(const void *)at);
	else if (c->kind == 'n')
		number = show_count(*(const uint64_t *)(const void *)at);
	else if (c->kind == 't')
		number = show_time(*(const int64_t *)(const void *)at,
				   json ? 'T' : ' ');
	else
		number = show_ms(count_quantile(row, c->at), json);
	return number;
}

/* ---- JSON ------------------------------------------------------------ */

static void put_quoted(const char *s, size_t len)
{
	putchar('"');
	show_text(stdout, STYLE_JSON, s, len);
	putchar('"');
}

/* "KEY": "NAME"; null: (others). */
static void put_name(const char *key, const struct name *name)
{
	printf("\"%s\": ", key);
	if (name)
		put_quoted(name->text, name->len);
	else
		printf("null");
}

static const char *key_of(const struct count_row *row)
{
	return row->name && row->name->kind == 'm' ? "method" : "tool";
}

static void put_cells(const struct count_row *row)
{
	for (size_t i = 0; i < show_columns_count; i++) {
		const struct column *c = &show_columns[i];
		struct number cell = show_cell(row, c, true);
		const char *quote = c->kind == 't' ? "\"" : "";

		if (strcmp(cell.text, "-") == 0)
			printf(", \"%s\": null", c->key);
		else
			printf(", \"%s\": %s%s%s", c->key, quote, cell.text,
			       quote);
	}
}

/* Pairs of rules, or of people. */
static void put_pairs(const struct count *c, char kind)
{
	const char *before = "";

	for (size_t i = 0; i < c->pairs_shown; i++) {
		const struct count_pair *p = c->pair_order[i];
		const struct count_row *row = &c->rows[p->row];
		const int shown = p->name ? p->name->kind : 'r';

		if (shown != kind)
			continue;
		printf("%s\n    {", before);
		before = ",";
		put_name(key_of(row), row->name);
		printf(", ");
		put_name(kind == 'r' ? "rule" : "who", p->name);
		if (kind == 'w')
			printf(", \"yes\": %llu, \"no\": %llu, \"none\": "
			       "%llu}",
			       (unsigned long long)p->count,
			       (unsigned long long)p->no,
			       (unsigned long long)p->none);
		else
			printf(", \"refused\": %llu, \"inARow\": %llu}",
			       (unsigned long long)p->count,
			       (unsigned long long)p->longest);
	}
}

void show_as_json(const struct count *c, char *const *files)
{
	static const char keys[LINE_WORDS][9] = {
		[LINE_START] = "starts",      [LINE_END] = "ends",
		[LINE_RELOAD] = "reloads",    [LINE_CHANGED] = "changed",
		[LINE_WITHHELD] = "withheld", [LINE_WARNING] = "warnings"};

	printf("{\"files\": [");
	for (size_t i = 0; files[i]; i++) {
		printf("%s", i ? ", " : "");
		put_quoted(files[i], strlen(files[i]));
	}
	printf("],\n \"lines\": %llu, \"unread\": %llu, \"lost\": %llu",
	       (unsigned long long)c->lines, (unsigned long long)c->unread,
	       (unsigned long long)c->lost);
	for (int i = 0; i < LINE_WORDS; i++)
		if (*keys[i])
			printf(", \"%s\": %llu", keys[i],
			       (unsigned long long)c->words[i]);
	printf(",\n \"sum\": {\"verdicts\": {");
	for (unsigned k = VERDICT_PASS; k < COUNT_KINDS; k++)
		printf("%s\"%s\": %llu", k > VERDICT_PASS ? ", " : "",
		       log_word(k), (unsigned long long)c->sum.kinds[k]);
	printf("}");
	put_cells(&c->sum);
	printf("},\n \"tools\": [");
	for (size_t i = 0; i < c->rows_shown; i++) {
		printf("%s\n    {", i ? "," : "");
		put_name(key_of(c->row_order[i]), c->row_order[i]->name);
		put_cells(c->row_order[i]);
		printf("}");
	}
	printf("],\n \"rules\": [");
	put_pairs(c, 'r');
	printf("],\n \"approvals\": [");
	put_pairs(c, 'w');
	printf("],\n \"overTime\": {\"seconds\": %lld, \"first\": ",
	       (long long)c->width);
	printf(c->spans > 0 ? "\"%s\"" : "null",
	       show_time(c->first_span * c->width * 1000000, 'T').text);
	printf(", \"spans\": [");
	for (size_t i = 0; i < c->spans; i++) {
		printf("%s[", i ? ", " : "");
		for (unsigned k = VERDICT_PASS; k < COUNT_KINDS; k++)
			printf("%s%lu", k > VERDICT_PASS ? ", " : "",
			       (unsigned long)c->over_time[i][k]);
		printf("]");
	}
	printf("]}}\n");
}

/* ---- a terminal ------------------------------------------------------ */

/* At most width columns of a name; fill: and spaces up to there.  Returns how
 * many are left. */
static int put_columns(const struct name *name, int width, bool fill)
{
	static const struct name others = {.text = "(others)", .len = 8};
	const char *s = name ? name->text : others.text;
	size_t len = name ? name->len : others.len;

	while (len > 0 && width > 0) {
		unsigned code;
		size_t bytes = strbuf_obeyed(s, len, &code);
		/* Of what is beyond ASCII, some takes two. */
		int columns = bytes > 0 ? 6 : (*s & 0x80) ? 2 : 1;

		for (bytes += bytes == 0;
		     bytes < len && columns == 2 && (s[bytes] & 0xC0) == 0x80;)
			bytes++;
		if (columns > width - 2 && len > bytes) {
			printf("..");
			width -= 2;
			break;
		}
		show_text(stdout, STYLE_TEXT, s, bytes);
		width -= columns;
		s += bytes;
		len -= bytes;
	}
	if (fill && width > 0)
		printf("%*s", width, "");
	return width;
}

/* Three digits: 999, 1.23 k, 45.6 M. */
static struct number short_count(uint64_t n)
{
	static const char units[] = "kMGTPE";
	struct number number = show_count(n);
	double x = (double)n / 1000;
	int i = 0;

	for (; x >= 999.5; i++)
		x /= 1000;
	if (n >= 100000)
		snprintf(number.text, sizeof(number.text), "%.3g %c", x,
			 units[i]);
	return number;
}

/* Calls over time, or of them what did not pass, so many lines high. */
static void put_chart(const struct count *c, const char *title, bool all,
		      int height, bool wide, const char *colour)
{
	static const char levels[2][9][4] = {
		{" ", ".", ":", "-", "=", "+", "*", "#", "#"},
		{" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585",
		 "\u2586", "\u2587", "\u2588"}};
	uint64_t values[COUNT_SHOWN] = {0}, most = 0;
	int times = (COLUMNS - 4) / (int)c->spans;

	times = times > 8 ? 8 : times;
	for (size_t i = 0; i < c->spans; i++) {
		for (unsigned k = VERDICT_PASS + !all; k < COUNT_KINDS; k++)
			values[i] += c->over_time[i][k];
		most = values[i] > most ? values[i] : most;
	}
	if (most == 0)
		return;
	printf("%s, at most %s per %s\n", title, show_count(most).text,
	       show_width(c->width).text);
	for (int row = height - 1; row >= 0; row--) {
		printf("  %s", colour);
		for (size_t i = 0; i < c->spans; i++) {
			/* Eighths of a line; what there is, is seen. */
			int level = (int)((values[i] * 8 * (uint64_t)height +
					   most - 1) /
					  most) -
				    8 * row;

			level = level < 0 ? 0 : level > 8 ? 8 : level;
			for (int n = 0; n < times; n++)
				fputs(levels[wide][level], stdout);
		}
		printf("%s\n", *colour ? "\033[0m" : "");
	}
}

static void put_charts(const struct count *c, bool wide, bool colours)
{
	const int64_t first = c->first_span * c->width * 1000000;
	const int64_t end = first + (int64_t)c->spans * c->width * 1000000;
	int width, times;

	if (c->spans == 0)
		return;
	times = (COLUMNS - 4) / (int)c->spans;
	width = (int)c->spans * (times > 8 ? 8 : times);
	putchar('\n');
	put_chart(c, "Calls", true, 3, wide, colours ? "\033[34m" : "");
	put_chart(c, "Refused", false, 2, wide, colours ? "\033[31m" : "");
	if (width < 42)
		printf("  %s to %s\n", show_time(first, ' ').text,
		       show_time(end, ' ').text);
	else
		printf("  %s%*s\n", show_time(first, ' ').text, width - 19,
		       show_time(end, ' ').text);
}

/* When: of one day the hours, else the days. */
static void put_period(const struct count *c, const struct count_row *row)
{
	const int64_t day = INT64_C(86400) * 1000000;
	const bool one = c->sum.first / day == c->sum.last / day;
	struct number first = show_time(row->first, ' ');
	struct number last = show_time(row->last, ' ');

	if (row->first != INT64_MIN)
		printf("  %.5s-%.5s", first.text + (one ? 11 : 5),
		       last.text + (one ? 11 : 5));
	putchar('\n');
}

static void put_rows(const struct count *c)
{
	printf("\n%-*s%8s %8s %6s %7s %7s %7s  %s\n", NAME, "TOOL", "CALLS",
	       "REFUSED", "ASKED", "P50 MS", "P99 MS", "BYTES", "WHEN (UTC)");
	for (size_t i = 0; i < c->rows_shown; i++) {
		const struct count_row *r = c->row_order[i];

		put_columns(r->name, NAME, true);
		printf("%8s %8s %6s %7s %7s %7s", short_count(r->calls).text,
		       short_count(r->refused).text, short_count(r->asked).text,
		       show_ms(count_quantile(r, 50), false).text,
		       show_ms(count_quantile(r, 99), false).text,
		       short_count(r->bytes[0] + r->bytes[1]).text);
		put_period(c, r);
	}
}

/* Of rules, of people, or of what was tried again. */
static void put_list(const struct count *c, const char *title, char kind)
{
	size_t count = 0;
	int left;

	for (size_t i = 0; i < c->pairs_shown; i++) {
		const struct count_pair *p = c->pair_order[i];

		if (kind == 'k' ? p->runs == 0
				: (p->name ? p->name->kind : 'r') != kind)
			continue;
		if (count++ == 0)
			printf("\n%s\n", title);
		if (count > LISTED)
			continue;
		if (kind == 'w')
			printf("%8s %8s %8s  ", short_count(p->count).text,
			       short_count(p->no).text,
			       short_count(p->none).text);
		else
			printf("%8s  ",
			       short_count(kind == 'k' ? p->longest : p->count)
				       .text);
		/* The rule is to be copied: it has the rest of the line. */
		left = COLUMNS - (kind == 'w' ? 30 : 14) - 30;
		left += put_columns(c->rows[p->row].name, 30, false);
		printf(kind == 'w' ? ", " : " by ");
		put_columns(p->name, left, false);
		putchar('\n');
	}
	if (count > LISTED)
		printf("          and %zu more\n", count - LISTED);
}

void show_summary(const struct count *c, bool wide, bool colours)
{
	const struct count_row *sum = &c->sum;

	if (c->lines == 0) {
		puts("There are no lines yet.");
		return;
	}
	printf("calls %s, refused %s", show_count(sum->calls).text,
	       show_count(sum->refused).text);
	if (sum->observed > 0)
		printf(" (let through %s)", show_count(sum->observed).text);
	printf(", server errors %s\n", show_count(sum->errors).text);
	if (sum->calls > 0)
		printf("%s to %s UTC\n", show_time(sum->first, ' ').text,
		       show_time(sum->last, ' ').text);
	put_charts(c, wide, colours);
	if (c->rows_shown > 0)
		put_rows(c);
	put_list(c, " REFUSED  WHAT, AND WHICH RULE", 'r');
	put_list(c, "IN A ROW  THE SAME CALL, REFUSED AGAIN AND AGAIN", 'k');
	put_list(c, "SAID YES       NO  NOTHING  WHAT, AND WHO WAS ASKED", 'w');
	if (sum->answers > 0)
		printf("\nTimes are the server's, at most 3 %% off.\n");
	if (c->unread > 0)
		printf("\nLines that are not weir's: %s; weir log --verify names them.\n",
		       show_count(c->unread).text);
	if (c->lost > 0)
		printf("\nLines that could not be written: %s.\n",
		       show_count(c->lost).text);
}
