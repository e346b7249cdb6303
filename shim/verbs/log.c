/* weir log.  The contract is in log.h. */
#include "log.h"

#include "../report.h"
#include "log_page.h"
#include "log_show.h"
#include "log_verify.h"
#include "show.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LAST_BYTES                                                             \
	4096      /* of a file that is followed: what is shown at first        \
		   */
#define PAUSE 100 /* milliseconds between two looks at it */

/* May the output have characters beyond ASCII?  As locale(7) has it. */
static bool is_wide(void)
{
	static const char names[][9] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") ||
			       strcasestr(value, "utf8");
	}
	return false;
}

static bool has_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term &&
	       strcmp(term, "dumb") != 0;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* "90s", "15m", "2h", "7d", "1w" ago.  False: reported. */
static bool read_since(const char *text, int64_t *since)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = {
		{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	char *end;
	long n = strtol(text, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (*text >= '0' && *text <= '9' && n < 1000000000 &&
		    *end == units[i].unit && !end[1]) {
			*since = now() - n * units[i].seconds * 1000000;
			return true;
		}
	report_all(
		"--since %s: expected a number and its unit: 30s, 15m, 2h, 7d or 1w",
		show(text).text);
	return false;
}

/* ---- lines ----------------------------------------------------------- */

/* Blank lines are nothing: what was written in part becomes one. */
static bool add(struct count *c, const char *text, size_t len, bool whole,
		struct log_line *line)
{
	if (whole && strspn(text, " ") == len)
		return false;
	c->lines++;
	if (whole && line_read(text, len, line)) {
		count_add(c, line);
		return true;
	}
	c->unread++;
	return false;
}

static void put_member(const char *before, struct text text)
{
	char decoded[LINES_MOST];
	ptrdiff_t len =
		text.ptr ? text_decode(text, decoded, sizeof(decoded)) : 0;

	if (!text.ptr)
		return;
	fputs(before, stdout);
	if (len >= 0)
		show_text(stdout, STYLE_TEXT, decoded, (size_t)len);
	else
		show_text(stdout, STYLE_TEXT, text.ptr, text.len);
}

/* 12:00:00 refused   pay by /tools/pay/limits/0: at most 5 calls an hour;
 * dated: with the date, and the process behind the time. */
static void put_line(const struct log_line *line, bool dated, bool colours)
{
	const struct text *texts = line->texts;
	const char *nobody = count_unanswered(line);
	const bool asked = text_is(texts[LINE_SAID], "asked", 5);
	const struct text what =
		texts[texts[LINE_VERDICT].ptr ? LINE_VERDICT : LINE_LINE];
	const bool red = colours && texts[LINE_RULE].ptr;

	printf("%s%s", red ? "\033[31m" : "",
	       show_time(line->numbers[LINE_TS], ' ').text + (dated ? 0 : 11));
	if (dated)
		printf(" %-7lld", (long long)line->numbers[LINE_PID]);
	put_member(" ", what);
	printf("%*s", what.len < 9 ? 9 - (int)what.len : 0, "");
	put_member(" ", texts[texts[LINE_TOOL].ptr ? LINE_TOOL : LINE_METHOD]);
	if (texts[LINE_VALUES].ptr)
		putchar(' ');
	show_text(stdout, STYLE_TEXT, texts[LINE_VALUES].ptr,
		  texts[LINE_VALUES].len);
	put_member(" by ", texts[LINE_RULE]);
	if (nobody) {
		printf(": %s", nobody);
	} else {
		put_member(": ", texts[LINE_SAID]);
		put_member(" by ", texts[LINE_WHO]);
		put_member(", ", texts[LINE_HOW]);
	}
	put_member(": ", texts[LINE_REASON]);
	put_member(": ", texts[LINE_WARNS]);
	if (line->has >> LINE_MS & 1 && !asked)
		printf(" %s %s ms", nobody ? "after" : "in",
		       show_ms(line->numbers[LINE_MS], false).text);
	if (line->has >> LINE_STATUS & 1)
		printf(" with exit status %lld",
		       (long long)line->numbers[LINE_STATUS]);
	if (line->numbers[LINE_OBSERVED])
		printf(", let through");
	if (line->numbers[LINE_ERROR])
		printf(", an error");
	if (line->numbers[LINE_LOST] > 0)
		printf(": %lld lines lost",
		       (long long)line->numbers[LINE_LOST]);
	printf("%s\n", red ? "\033[0m" : "");
}

/* Prints a line that is wanted: of --list only decisions and approvals. */
static void put(const struct options *o, const struct count *c,
		const struct log_line *line, bool colours)
{
	if (!count_wants(c, line) ||
	    (o->list_only && line->word != LINE_DECISION &&
	     line->word != LINE_APPROVAL))
		return;
	if (!o->json) {
		put_line(line, o->list_only, colours);
		return;
	}
	show_text(stdout, STYLE_TEXT, line->text, line->len);
	putchar('\n');
}

/* ---- whole files ----------------------------------------------------- */

static int read_all(const struct options *o, struct count *c,
		    char *const *files, struct lines *l)
{
	const bool colours = has_colours();
	struct log_line line;
	const char *text;
	size_t len;
	bool whole, good = true;

	for (size_t i = 0; files[i]; i++) {
		const uint64_t lines = c->lines, unread = c->unread;
		bool opened = lines_open(l, files[i]), foreign;

		while (opened && (text = lines_next(l, true, &len, &whole)))
			if (add(c, text, len, whole, &line) && o->list_only)
				put(o, c, &line, colours);
		foreign = c->lines > lines &&
			  c->lines - lines == c->unread - unread;
		if (foreign)
			report_all(
				"log: no line of %s is weir's; name a file that weir -l has written",
				show(files[i]).text);
		good &= !l->failed && !foreign;
		lines_close(l);
	}
	if (!good && c->lines == c->unread)
		return LOG_ERROR;
	count_end(c);
	if (o->list_only)
		good &= fflush(stdout) == 0;
	else if (o->html)
		good &= log_page(c, files, o->html);
	else if (o->json)
		show_as_json(c, files);
	else
		show_summary(c, is_wide(), has_colours());
	return good ? LOG_DONE : LOG_ERROR;
}

/* ---- follow ---------------------------------------------------------- */

/* Has the file another name now, and this name another file?  Or is it shorter
 * than what was read of it? */
static bool is_replaced(const struct lines *l)
{
	struct stat ours, named;

	return fstat(l->fd, &ours) == 0 && stat(l->file, &named) == 0 &&
	       (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev ||
		ours.st_size < lseek(l->fd, 0, SEEK_CUR));
}

/* As tail -F does. */
static int follow(const struct options *o, struct count *c, char *const *files,
		  struct lines *l)
{
	const bool colours = has_colours();
	bool replaced = false;

	if (files[1]) {
		report_all("--follow takes one FILE");
		return LOG_ERROR;
	}
	if (!lines_open(l, files[0]))
		return LOG_ERROR;
	/* What is left of the line there is no line. */
	l->skip = !o->since && lseek(l->fd, -LAST_BYTES, SEEK_END) > 0;
	while (!l->failed) {
		struct log_line line;
		const char *text;
		size_t len;
		bool whole;

		while ((text = lines_next(l, false, &len, &whole)))
			if (add(c, text, len, whole, &line))
				put(o, c, &line, colours);
		if (fflush(stdout) != 0)
			return LOG_ERROR;
		/* Once more: lines may have come before it was renamed. */
		if (replaced) {
			lines_close(l);
			lines_open(l, files[0]);
			replaced = false;
		} else if (!(replaced = is_replaced(l))) {
			poll(NULL, 0, PAUSE);
		}
	}
	return LOG_ERROR;
}

/* ---- all ------------------------------------------------------------- */

int log_run(const struct options *o)
{
	char *given[] = {getenv("WEIR_LOG"), NULL};
	char *const *files = o->rest[0] ? o->rest : given;
	struct lines l = {.fd = -1};
	struct count *c;
	int status = LOG_ERROR;

	if (!files[0] || !*files[0]) {
		report_all("no log: name a FILE, or set WEIR_LOG");
		return LOG_ERROR;
	}
	if (o->follow + o->list_only + o->verify + !!o->html +
			    (o->json && !o->follow && !o->list_only) >
		    1 ||
	    (o->head && !o->verify)) {
		report_all(
			"log: only --list and --follow go with --json, and --head with --verify; else choose one of --list, --follow, --verify, --html, --json");
		return LOG_ERROR;
	}
	if (o->verify)
		return log_verify(o, files);
	c = count_new();
	if (!c)
		return LOG_ERROR;
	c->glob = o->tool;
	c->refused = o->refused;
	if (!o->since || read_since(o->since, &c->since))
		status = o->follow ? follow(o, c, files, &l)
				   : read_all(o, c, files, &l);
	lines_free(&l);
	free(c);
	return status;
}
