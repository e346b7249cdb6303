/* The page of a log.  The contract is in log_page.h. */
#include "log_page.h"

#include "../log.h"
#include "../report.h"
#include "log_show.h"
#include "replace.h"

#include <stdlib.h>
#include <string.h>

#define BARS   20  /* of a chart with a bar for each name */
#define HEIGHT 200 /* of the chart over time, in pixels */

static const char begin[] = "<!DOCTYPE html>\n";

/* Loads and runs nothing.  The colours of verdicts differ in lightness, too. */
static const char head[] =
	"<html lang=en><meta charset=utf-8>"
	"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
	"<meta name=viewport content=\"width=device-width,initial-scale=1\">"
	"<title>weir log</title><style>\n"
	":root{color-scheme:light dark;--b:#fff;--f:#1c2126;--m:#5b6570;"
	"--l:#d8dde2;--k1:#0072b2;--k2:#cc79a7;--k3:#d55e00;--k4:#e0ac00;"
	"--k5:#6b7280}\n"
	"@media(prefers-color-scheme:dark){:root{--b:#14181c;--f:#e6e9ec;"
	"--m:#9aa5b1;--l:#333b43;--k1:#3d94cf;--k2:#e8a9cd;--k3:#ff8a3d;"
	"--k4:#f0dc5a}}\n"
	"body{margin:0 auto;padding:1.5rem 1rem;max-width:76rem;background:"
	"var(--b);color:var(--f);font:15px/1.5 system-ui,sans-serif;"
	"font-variant-numeric:tabular-nums}\n"
	"h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .2rem}"
	"p{margin:.2rem 0 .8rem}p,th,dt{color:var(--m)}p,td{overflow-wrap:"
	"anywhere}\n"
	"dl{display:flex;flex-wrap:wrap;gap:.8rem 2.2rem}dt{font-size:.85rem}"
	"dd{margin:0;font-size:1.4rem}\n"
	"svg{display:block;width:100%;overflow:visible}text{fill:var(--m);"
	"font-size:12px;stroke:var(--b);stroke-width:3;paint-order:stroke}"
	"line{stroke:var(--l)}.p{width:calc(100% - 46px);margin:1rem 0 0 46px}\n"
	".k1{fill:var(--k1)}.k2{fill:var(--k2)}.k3{fill:var(--k3)}"
	".k4{fill:var(--k4)}.k5{fill:var(--k5)}.s{stroke:var(--k1);"
	"stroke-width:2}.d{stroke:var(--f);stroke-width:3}\n"
	"i{font-style:normal;margin-right:1.2rem;white-space:nowrap}i svg{display:inline;width:"
	".8rem;height:.8rem;margin-right:.4rem}\n"
	"table{border-collapse:collapse;width:100%;font-size:.87rem}"
	"th,td{padding:.3rem .4rem;border-bottom:1px solid var(--l);"
	"text-align:left}.n,.z{text-align:right;white-space:nowrap}.w{width:45%}"
	".t{font-size:.8rem}.t td:first-child{min-width:8rem}\n"
	"@media(max-width:60rem){thead{display:none}tr{display:grid;"
	"grid-template-columns:repeat(2,minmax(0,1fr));gap:0 2rem;padding:.5rem 0;"
	"border-bottom:1px solid var(--l)}td{display:flex;justify-content:"
	"space-between;border:0;padding:.1rem 0;grid-column:1/-1}.n{grid-column:"
	"auto}td:empty{display:none}td:first-child{display:block;font-weight:600}"
	"td::before{content:attr(data-l);color:var(--m)}}\n"
	"@media print{*{print-color-adjust:exact}svg,tr{break-inside:avoid}h2,p{break-after:avoid}}\n"
	"</style>\n<h1>weir log</h1>\n";

/* ---- pieces ---------------------------------------------------------- */

static void put_tile(FILE *to, const char *title, const char *value)
{
	fprintf(to, "<div><dt>%s<dd>%s</div>\n", title, value);
}

static void put_header(FILE *to, const struct count *c, char *const *files)
{
	const struct count_row *sum = &c->sum;

	fputs("<p>", to);
	if (sum->calls > 0)
		fprintf(to, "%s to %s UTC<br>", show_time(sum->first, ' ').text,
			show_time(sum->last, ' ').text);
	for (size_t i = 0; files[i]; i++) {
		fputs(i ? ", " : "", to);
		show_text(to, STYLE_HTML, files[i], strlen(files[i]));
	}
	fputs("\n<dl>", to);
	put_tile(to, "Calls", show_count(sum->calls).text);
	put_tile(to, "Refused", show_count(sum->refused).text);
	if (sum->observed > 0)
		put_tile(to, "Let through", show_count(sum->observed).text);
	put_tile(to, "People asked", show_count(sum->asked).text);
	put_tile(to, "Server errors", show_count(sum->errors).text);
	put_tile(to, "p50, ms", show_ms(count_quantile(sum, 50), false).text);
	put_tile(to, "p99, ms", show_ms(count_quantile(sum, 99), false).text);
	fputs("</dl>\n", to);
}

static void begin_section(FILE *to, const char *title)
{
	fprintf(to, "<section><h2>%s</h2>\n", title);
}

/* The text below a point of a scale, in percent. */
static void put_tick(FILE *to, double x, int y, int most, const char *text)
{
	fprintf(to, "<text x=%.2f%% y=%d text-anchor=%s>%.*s</text>", x, y,
		x <= 0     ? "start"
		: x >= 100 ? "end"
			   : "middle",
		most, text);
}

/* ---- calls over time ------------------------------------------------- */

/* What a scale of at least n ends with: 1, 2, 5, 10 ... */
static uint64_t round_up(uint64_t n)
{
	uint64_t power = 1;

	while (10 * power < n)
		power *= 10;
	return power * (n <= power       ? 1
			: n <= 2 * power ? 2
			: n <= 5 * power ? 5
					 : 10);
}

static void put_legend(FILE *to, const struct count *c)
{
	fputs("<p>", to);
	for (unsigned k = VERDICT_PASS; k < COUNT_KINDS; k++)
		if (c->sum.kinds[k] > 0)
			fprintf(to,
				"<i><svg><rect class=k%u width=100%% "
				"height=100%% /></svg>%s %s</i> ",
				k, log_word(k),
				show_count(c->sum.kinds[k]).text);
	fputs("\n", to);
}

/* A bar of each kind, one on the other, and what they are in words. */
static void put_span(FILE *to, const struct count *c, size_t i, uint64_t top)
{
	const double width = 100.0 / (double)c->spans;
	const int64_t at = (c->first_span + (int64_t)i) * c->width * 1000000;
	double below = 0;

	fprintf(to, "<g><title>%s", show_time(at, ' ').text);
	for (unsigned k = VERDICT_PASS; k < COUNT_KINDS; k++)
		if (c->over_time[i][k] > 0)
			fprintf(to, "\n%s %s", log_word(k),
				show_count(c->over_time[i][k]).text);
	fputs("</title>", to);
	for (unsigned k = VERDICT_PASS; k < COUNT_KINDS; k++) {
		const uint64_t n = c->over_time[i][k];
		double height = HEIGHT * (double)n / (double)top;

		if (n == 0)
			continue;
		/* What there is, is seen. */
		height = height < 2 ? 2 : height;
		below += height;
		fprintf(to,
			"<rect class=k%u x=%.3f%% y=%.2f width=%.3f%% "
			"height=%.2f />",
			k, (double)i * width, HEIGHT - below, width * .86,
			height);
	}
	fputs("</g>\n", to);
}

static void put_time(FILE *to, const struct count *c)
{
	const int64_t width = c->width * 1000000;
	const int64_t first = c->first_span * width;
	const int64_t end = first + (int64_t)c->spans * width;
	uint64_t most = 0, top;

	if (c->spans == 0)
		return;
	for (size_t i = 0; i < c->spans; i++) {
		uint64_t n = 0;

		for (unsigned k = VERDICT_PASS; k < COUNT_KINDS; k++)
			n += c->over_time[i][k];
		most = n > most ? n : most;
	}
	top = round_up(most);
	begin_section(to, "Calls over time");
	fprintf(to, "<p>Calls per %s, by verdict. Times are UTC.\n",
		show_width(c->width).text);
	put_legend(to, c);
	fprintf(to,
		"<svg class=p role=img aria-label=\"Calls over time\" height=%d>\n",
		HEIGHT + 20);
	for (int i = 0; i <= 4; i++)
		fprintf(to, "<line x2=100%% y1=%d y2=%d />", HEIGHT * i / 4,
			HEIGHT * i / 4);
	for (int i = 0; i < 3; i++)
		if (i != 1 || top % 2 == 0)
			fprintf(to, "<text x=-6 y=%d text-anchor=end>%s</text>",
				HEIGHT * i / 2 + 4,
				show_count(top - top * (unsigned)i / 2).text);
	for (size_t i = 0; i < c->spans; i++)
		put_span(to, c, i, top);
	/* The middle one without its year: there is little room. */
	for (int i = 0; i < 3; i++)
		put_tick(to, 50 * i, HEIGHT + 16, i == 1 ? 11 : 16,
			 show_time(first + (end - first) / 2 * i, ' ').text +
				 (i == 1 ? 5 : 0));
	fputs("</svg></section>\n", to);
}

/* ---- bars ------------------------------------------------------------ */

static void put_what(FILE *to, const struct count *c,
		     const struct count_pair *p, const char *label)
{
	fputs("<tr><td>", to);
	show_name(to, STYLE_HTML, c->rows[p->row].name);
	fprintf(to, "<td data-l=%s>", label);
	show_name(to, STYLE_HTML, p->name);
}

static void put_rules(FILE *to, const struct count *c)
{
	uint64_t most = 0;
	size_t count = 0;

	for (size_t i = 0; i < c->pairs_shown; i++) {
		const struct count_pair *p = c->pair_order[i];

		if (p->name && p->name->kind == 'w')
			continue;
		if (count++ == 0) {
			most = p->count;
			begin_section(to, "Refusals by rule");
			fputs("<p>In a row: so often a process got the same "
			      "refusal again, with no other call between.\n"
			      "<table><thead><tr><th>Call<th>Rule<th class=n>"
			      "Refused<th class=n>In a row<th class=w>"
			      "<tbody>\n",
			      to);
		}
		if (count > BARS)
			continue;
		put_what(to, c, p, "Rule");
		fprintf(to,
			"<td class=n data-l=Refused>%s<td class=n data-l=\"In a "
			"row\">%s<td><svg height=14><rect class=k3 width=%.2f%% "
			"height=14 /></svg>\n",
			show_count(p->count).text, show_count(p->longest).text,
			100.0 * (double)p->count / (double)most);
	}
	if (count > BARS)
		fprintf(to, "<tr><td>and %zu more", count - BARS);
	if (count > 0)
		fputs("</table></section>\n", to);
}

static void put_people(FILE *to, const struct count *c)
{
	bool any = false;

	for (size_t i = 0; i < c->pairs_shown; i++) {
		const struct count_pair *p = c->pair_order[i];

		if (!p->name || p->name->kind != 'w')
			continue;
		if (!any) {
			begin_section(to, "Who was asked");
			fputs("<table><thead><tr><th>Call<th>Who<th class=n>"
			      "Yes<th class=n>No<th class=n>Nothing<tbody>\n",
			      to);
		}
		any = true;
		put_what(to, c, p, "Who");
		fprintf(to,
			"<td class=n data-l=Yes>%s<td class=n data-l=No>%s<td "
			"class=n data-l=Nothing>%s\n",
			show_count(p->count).text, show_count(p->no).text,
			show_count(p->none).text);
	}
	fputs(any ? "</table></section>\n" : "", to);
}

/* ---- latency --------------------------------------------------------- */

/* How far right a time stands, of the decades from the first on. */
static double place(int64_t us, int first, int decades)
{
	double at = -first, x;
	int64_t power = 1;

	for (us = us > 0 ? us : 1; us / power >= 10; power *= 10)
		at++;
	x = (double)us / (double)power;
	/* Between two powers of ten a line is near enough to the logarithm, but
	 * bends at the halves. */
	at += x < 2   ? (x - 1) * .30103
	      : x < 5 ? .30103 + (x - 2) * .13265
		      : .69897 + (x - 5) * .060206;
	return 100 * (at < 0 ? 0 : at > decades ? decades : at) / decades;
}

static void put_strip(FILE *to, const struct count_row *r, int first,
		      int decades)
{
	static const unsigned percents[] = {5, 25, 50, 75, 99};
	double x[5];

	for (int i = 0; i < 5; i++)
		x[i] = place(count_quantile(r, percents[i]), first, decades);
	fputs("<td><svg height=20>", to);
	for (int i = 0; i <= decades; i++)
		fprintf(to, "<line x1=%.2f%% x2=%.2f%% y2=20 />",
			100.0 * i / decades, 100.0 * i / decades);
	fprintf(to,
		"<line class=s x1=%.2f%% x2=%.2f%% y1=10 y2=10 />"
		"<rect class=k1 x=%.2f%% y=4 width=%.2f%% height=12 />"
		"<line class=d x1=%.2f%% x2=%.2f%% y1=3 y2=17 /></svg>\n",
		x[0], x[4], x[1], x[3] - x[1], x[2], x[2]);
}

static void put_latency(FILE *to, const struct count *c)
{
	int64_t least = INT64_MAX, most = 0;
	int first = 0, last = 1;
	size_t count = 0;

	for (size_t i = 0; i < c->rows_shown; i++) {
		const struct count_row *r = c->row_order[i];
		int64_t low = count_quantile(r, 5),
			high = count_quantile(r, 99);

		if (r->answers == 0)
			continue;
		least = low < least ? low : least;
		most = high > most ? high : most;
	}
	if (least > most)
		return;
	for (int64_t n = 10; n <= least; n *= 10)
		first++;
	for (int64_t n = 10; n < most; n *= 10)
		last++;
	begin_section(to, "The server's time by tool");
	fputs("<p>Milliseconds from call to answer, on a logarithmic scale. "
	      "Box: p25 to p75; mark: p50; line: p5 to p99. At most 3 % off.\n"
	      "<table><thead><tr><th>Tool<th class=n>p50<th class=n>p99"
	      "<th class=w><tbody>\n",
	      to);
	for (size_t i = 0; i < c->rows_shown && count < BARS; i++) {
		const struct count_row *r = c->row_order[i];

		if (r->answers == 0)
			continue;
		count++;
		fputs("<tr><td>", to);
		show_name(to, STYLE_HTML, r->name);
		fprintf(to,
			"<td class=n data-l=p50>%s<td class=n data-l=p99>%s",
			show_ms(count_quantile(r, 50), false).text,
			show_ms(count_quantile(r, 99), false).text);
		put_strip(to, r, first, last - first);
	}
	fputs("<tr><td><td><td><td><svg height=16>", to);
	for (int i = first; i <= last; i++) {
		static const char below[][6] = {"0.001", "0.01", "0.1"};
		uint64_t n = 1;

		for (int k = 3; k < i; k++)
			n *= 10;
		put_tick(to, 100.0 * (i - first) / (last - first), 12, 20,
			 i < 3 ? below[i] : show_count(n).text);
	}
	fputs("</svg></table></section>\n", to);
}

/* ---- the table ------------------------------------------------------- */

static void put_table(FILE *to, const struct count *c)
{
	fputs("<h2>By tool</h2>\n<table class=t><thead><tr><th>Tool", to);
	for (size_t i = 0; i < show_columns_count; i++)
		fprintf(to, "<th class=n>%s", show_columns[i].title);
	fputs("\n<tbody>", to);
	for (size_t i = 0; i < c->rows_shown; i++) {
		fputs("<tr><td>", to);
		show_name(to, STYLE_HTML, c->row_order[i]->name);
		for (size_t k = 0; k < show_columns_count; k++)
			fprintf(to, "<td class=%c data-l=\"%s\">%s",
				show_columns[k].kind == 't' ? 'z' : 'n',
				show_columns[k].title,
				show_cell(c->row_order[i], &show_columns[k],
					  false)
					.text);
		fputs("\n", to);
	}
	fputs("</table>\n", to);
}

static void put_page(FILE *to, const struct count *c, char *const *files)
{
	fputs(begin, to);
	fputs(head, to);
	put_header(to, c, files);
	put_time(to, c);
	put_rules(to, c);
	put_latency(to, c);
	put_people(to, c);
	put_table(to, c);
	fprintf(to, "<p>weir %s read %s lines", WEIR_VERSION,
		show_count(c->lines).text);
	if (c->unread > 0)
		fprintf(to, "; %s are not weir's", show_count(c->unread).text);
	if (c->lost > 0)
		fprintf(to, "; %s could not be written",
			show_count(c->lost).text);
	fputs(".\n", to);
}

bool log_page(const struct count *c, char *const *files, const char *file)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	bool done = false;

	if (to) {
		put_page(to, c, files);
		done = fclose(to) == 0;
	}
	if (!done)
		report_all("log: out of memory");
	done = done &&
	       replace_put(file, text, len, begin, sizeof(begin) - 1, "page");
	free(text);
	return done;
}
