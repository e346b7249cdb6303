/*
 * An MCP server for tests, over stdin and stdout.
 *
 * Each line is read with json-parser, answered from a table, and answered in
 * order; what the options add is how real servers misbehave.
 */
#include "server.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <json-parser/json.h>

#define READ_BYTES ((size_t)2 << 20) /* more than any pipe holds */

struct server {
	struct catalogue catalogue;
	FILE *record;     /* gets every byte that is read, or NULL */
	FILE *stamps;     /* gets when each call was sent and came, or NULL */
	FILE *reply;      /* gives the answers, or NULL */
	size_t slow;      /* ms before each answer */
	size_t huge;      /* bytes that a call's result has at least */
	size_t flood;     /* bytes that each answer has, made as they go out */
	size_t split;     /* bytes per write(); 0: all at once */
	size_t page;      /* tools per list; 0: all */
	size_t many;      /* tools that are made up; 0: the catalogue's */
	size_t status;    /* to exit with */
	size_t raise;     /* the signal to end by; 0: none */
	const char *core; /* where its core may go, or NULL */
	bool noise, id_last, pretty, report, ignore_eof, halves, signals;
	unsigned long calls; /* so far */
	unsigned long torn;  /* reads that ended inside a line */
};

/* ---- JSON ------------------------------------------------------------ */

void put_string(FILE *f, const char *s, size_t len)
{
	putc('"', f);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			fprintf(f, "\\%c", s[i]);
		else if ((unsigned char)s[i] < ' ')
			fprintf(f, "\\u%04x", s[i]);
		else
			putc(s[i], f);
	}
	putc('"', f);
}

static const json_value *member(const json_value *v, const char *key)
{
	for (unsigned i = 0;
	     v && v->type == json_object && i < v->u.object.length; i++)
		if (strcmp(v->u.object.values[i].name, key) == 0)
			return v->u.object.values[i].value;
	return NULL;
}

/* Writes to a string, which is the caller's to free. */
static FILE *open_string(char **s, size_t *len)
{
	FILE *f = open_memstream(s, len);

	if (!f)
		exit(3);
	return f;
}

/* A member that is a string, else "". */
static const char *string(const json_value *v, const char *key)
{
	v = member(v, key);
	return v && v->type == json_string ? v->u.string.ptr : "";
}

static void put_id(FILE *f, const json_value *id)
{
	if (id && id->type == json_string)
		put_string(f, id->u.string.ptr, id->u.string.length);
	else if (id && id->type == json_integer)
		fprintf(f, "%lld", (long long)id->u.integer);
	else
		fputs("null", f);
}

/* White space wherever it may be. */
static void put_spaced(FILE *f, const char *json)
{
	bool inside = false;

	for (const char *c = json; *c; c++) {
		bool open = !inside && strchr("[{", *c);
		bool close = !inside && strchr("]}", *c);

		if (close)
			fputs(" \t", f);
		if (*c == ',' && !inside)
			putc(' ', f);
		putc(*c, f);
		if (inside && *c == '\\')
			putc(*++c, f);
		else if (*c == '"')
			inside = !inside;
		else if (open || (!inside && strchr(",:", *c)))
			fputs("  ", f);
	}
}

/* ---- methods --------------------------------------------------------- */

typedef void put_result(FILE *f, struct server *s, const json_value *params);

static void put_initialize(FILE *f, struct server *s, const json_value *params)
{
	const char *version = string(params, "protocolVersion");

	fputs("{\"protocolVersion\":", f);
	put_string(f, version, strlen(version));
	fprintf(f,
		",\"capabilities\":{\"tools\":{},\"prompts\":{},"
		"\"resources\":{}},\"serverInfo\":{\"name\":\"%s\","
		"\"version\":\"1.0\"}}",
		s->catalogue.name);
}

static void put_tools(FILE *f, struct server *s, const json_value *params)
{
	size_t count = s->many ? s->many : s->catalogue.count;
	size_t first = strtoul(string(params, "cursor"), NULL, 10);
	size_t end =
		s->page && count - first > s->page ? first + s->page : count;

	fputs("{\"tools\":[", f);
	for (size_t i = first; i < end; i++) {
		char name[32];

		snprintf(name, sizeof(name), "tool_%zu", i);
		fputs(i > first ? "," : "", f);
		catalogue_put_tool(f, s->many ? name : s->catalogue.tools[i],
				   i);
	}
	putc(']', f);
	if (end < count)
		fprintf(f, ",\"nextCursor\":\"%zu\"", end);
	fputs(",\"ttlMs\":0,\"_meta\":{\"tools\":[\"kept\"]}}", f);
}

static bool has_tool(const struct server *s, const char *name)
{
	if (s->many || s->catalogue.open)
		return true;
	for (size_t i = 0; i < s->catalogue.count; i++)
		if (strcmp(s->catalogue.tools[i], name) == 0)
			return true;
	return false;
}

/* Appends to a file that other servers append to at the same time. */
static void stamp(const struct server *s, const json_value *arguments)
{
	struct timespec t;
	char line[80];
	int len;

	clock_gettime(CLOCK_BOOTTIME, &t);
	len = snprintf(line, sizeof(line), "%.20s %lld\n",
		       string(arguments, "sent"),
		       (long long)t.tv_sec * 1000000000 + t.tv_nsec);
	if (write(fileno(s->stamps), line, (size_t)len) != len)
		exit(3);
}

static void put_call(FILE *f, struct server *s, const json_value *params)
{
	const char *name = string(params, "name");
	size_t len = strlen(name);

	if (s->stamps)
		stamp(s, member(params, "arguments"));

	fputs("{\"content\":[{\"type\":\"text\",\"text\":", f);
	put_string(f, name, len);
	if (!has_tool(s, name)) {
		fputs("},{\"type\":\"text\",\"text\":\"There is none of that "
		      "name\"}],\"isError\":true}",
		      f);
		return;
	}
	fprintf(f, "},{\"type\":\"text\",\"text\":\"call %lu", ++s->calls);
	for (; len < s->huge; len += 16)
		fputs(" 0123456789abc\\n", f);
	fputs("\"}]}", f);
}

static void put_given(FILE *f, struct server *s, const json_value *params)
{
	(void)s;
	(void)params;
	given_put(f);
}

static void put_now(FILE *f, struct server *s, const json_value *params)
{
	(void)params;
	fprintf(f, "{\"pid\":%d,\"torn\":%lu}", getpid(), s->torn);
}

/* What a method's result is: put by a function, or the same each time. */
static const struct method {
	const char *name;
	put_result *put;
	const char *text;
} methods[] = {
	{"initialize", put_initialize, NULL},
	{"ping", NULL, "{}"},
	{"tools/list", put_tools, NULL},
	{"tools/call", put_call, NULL},
	{"prompts/list", NULL,
	 "{\"prompts\":[{\"name\":\"cancel_job\",\"description\":\"As a tool is"
	 " "
	 "called\"},{\"name\":\"greet\"}]}"},
	{"prompts/get", NULL,
	 "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\","
	 "\"text\":\"Good day\"}}]}"},
	{"resources/list", NULL,
	 "{\"resources\":[{\"uri\":\"file:///motd\",\"name\":\"cancel_job"
	 "\"}]}"},
	{"resources/read", NULL,
	 "{\"contents\":[{\"uri\":\"file:///motd\",\"text\":\"tools: []\"}]}"},
	{"test/given", put_given, NULL}, /* these two with --report */
	{"test/now", put_now, NULL},
};

static const struct method *find_method(const struct server *s,
					const char *name)
{
	if (!s->report && strncmp(name, "test/", 5) == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

/* ---- writing --------------------------------------------------------- */

static void write_all(const struct server *s, const char *p, size_t len)
{
	while (len > 0) {
		size_t step = s->split && s->split < len ? s->split : len;
		ssize_t put = write(STDOUT_FILENO, p, step);

		if (put < 0)
			exit(3);
		p += put;
		len -= (size_t)put;
	}
}

static void write_text(const struct server *s, const char *text)
{
	write_all(s, text, strlen(text));
}

static void write_box(const struct server *s)
{
	write_text(s, "+------------------------------------+\n");
	for (int i = 0; i < 12; i++)
		write_text(s, "|  {server} [starting] \"tools\": ...  |\n");
	write_text(s, "+------------------------------------+\n");
}

/* A line with its LF.  In two halves: the second once there is more to read,
 * so that a test can act while a line is under way. */
static void write_line(const struct server *s, const char *line, size_t len)
{
	struct timespec pause = {(time_t)(s->slow / 1000),
				 (long)(s->slow % 1000 * 1000000)};
	struct pollfd more = {.fd = STDIN_FILENO, .events = POLLIN};
	size_t half = s->halves ? len / 2 : len;

	nanosleep(&pause, NULL);
	if (s->noise)
		write_text(s,
			   "[INFO] answering {\"id\":1}\n\nnpm WARN old\r\n");
	write_all(s, line, half);
	if (half < len)
		poll(&more, 1, -1);
	write_all(s, line + half, len - half);
}

/* The end of the line is not written before there is more to read, so that a
 * test can see that its beginning has arrived. */
static void write_flood(const struct server *s)
{
	static char pad[1 << 20];
	struct pollfd more = {.fd = STDIN_FILENO, .events = POLLIN};

	memset(pad, '.', sizeof(pad));
	write_text(s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"pad\":\"");
	for (size_t left = s->flood; left > 0;) {
		size_t len = left < sizeof(pad) ? left : sizeof(pad);

		write_all(s, pad, len);
		left -= len;
	}
	poll(&more, 1, -1);
	write_text(s, "\"}}\n");
}

/* key is result or error; body its value. */
static void write_answer(const struct server *s, const json_value *id,
			 const char *key, const char *body)
{
	char *line = NULL;
	size_t len;
	FILE *f = open_string(&line, &len);

	if (s->id_last) {
		fprintf(f, "{\"%s\":%s,\"jsonrpc\":\"2.0\",\"id\":", key, body);
		put_id(f, id);
		fputs("}\n", f);
	} else {
		fputs("{\"jsonrpc\":\"2.0\",\"id\":", f);
		put_id(f, id);
		fprintf(f, ",\"%s\":%s}\n", key, body);
	}
	fclose(f);
	write_line(s, line, len);
	free(line);
}

/* ---- reading --------------------------------------------------------- */

static void replay(const struct server *s)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len = getline(&line, &cap, s->reply);

	if (len > 0)
		write_line(s, line, (size_t)len);
	free(line);
}

static void answer(struct server *s, const json_value *request)
{
	const json_value *id = member(request, "id");
	const struct method *method = find_method(s, string(request, "method"));
	char *body = NULL, *spaced = NULL;
	size_t len;
	FILE *f;

	if (!method) {
		write_answer(s, id, "error",
			     "{\"code\":-32601,\"message\":\"Method not "
			     "found\"}");
		return;
	}
	f = open_string(&body, &len);
	if (method->put)
		method->put(f, s, member(request, "params"));
	else
		fputs(method->text, f);
	fclose(f);
	if (s->pretty) {
		f = open_string(&spaced, &len);
		put_spaced(f, body);
		fclose(f);
	}
	write_answer(s, id, "result", spaced ? spaced : body);
	free(spaced);
	free(body);
}

static void take_line(struct server *s, const char *line, size_t len)
{
	json_value *v = json_parse(line, len);

	if (!v || v->type != json_object)
		write_answer(s, NULL, "error",
			     "{\"code\":-32700,\"message\":\"Parse error\"}");
	else if (!member(v, "id") || !member(v, "method"))
		; /* a notification, or a response */
	else if (s->reply)
		replay(s);
	else if (s->flood)
		write_flood(s);
	else
		answer(s, v);
	json_value_free(v);
}

static char *grow(char *buf, size_t cap)
{
	char *more = realloc(buf, cap);

	if (!more)
		exit(3);
	return more;
}

/* Answers the whole lines of the len bytes at buf; returns their length. */
static size_t take_lines(struct server *s, const char *buf, size_t len)
{
	size_t taken = 0;
	const char *lf;

	while ((lf = memchr(buf + taken, '\n', len - taken))) {
		take_line(s, buf + taken, (size_t)(lf - buf) - taken);
		taken = (size_t)(lf - buf) + 1;
	}
	return taken;
}

static void serve(struct server *s)
{
	size_t cap = 2 * READ_BYTES, len = 0, taken;
	char *buf = grow(NULL, cap);
	ssize_t got;

	while ((got = read(STDIN_FILENO, buf + len, READ_BYTES)) > 0) {
		if (s->record)
			fwrite(buf + len, 1, (size_t)got, s->record);
		len += (size_t)got;
		s->torn += buf[len - 1] != '\n';
		taken = memchr(buf + len - (size_t)got, '\n', (size_t)got)
				? take_lines(s, buf, len)
				: 0;
		memmove(buf, buf + taken, len -= taken);
		if (cap - len < READ_BYTES)
			buf = grow(buf, cap *= 2);
	}
	/* As about half of the real servers do. */
	if (len > 0)
		take_line(s, buf, len);
	free(buf);
}

/* ---- the command line ------------------------------------------------ */

/* Says which signal came, and goes on. */
static void on_signal(int number)
{
	char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"test/signal\","
		      "\"params\":{\"number\":??}}\n";
	char *digits = strchr(line, '?');

	digits[0] = (char)('0' + number / 10);
	digits[1] = (char)('0' + number % 10);
	if (write(STDOUT_FILENO, line, sizeof(line) - 1) < 0)
		_exit(3);
}

static void tell_signals(void)
{
	struct sigaction tell = {.sa_handler = on_signal,
				 .sa_flags = SA_RESTART};

	/* What cannot be caught is not. */
	for (int number = 1; number <= SIGRTMAX; number++)
		sigaction(number, &tell, NULL);
}

/* Ends by a signal, with a core or without. */
static void end_by(const struct server *s)
{
	struct rlimit core;

	getrlimit(RLIMIT_CORE, &core);
	core.rlim_cur = s->core ? core.rlim_max : 0;
	setrlimit(RLIMIT_CORE, &core);
	if (s->core && chdir(s->core) != 0)
		exit(3);
	kill(getpid(), (int)s->raise);
}

#define AT(member) offsetof(struct server, member)

static const struct option {
	const char *name;
	enum { FLAG, NUMBER, TEXT, READ, APPEND, CATALOGUE } kind;
	size_t at; /* of the member that it sets */
} options[] = {
	{"--catalogue", CATALOGUE, AT(catalogue)},
	{"--record", APPEND, AT(record)},
	{"--stamps", APPEND, AT(stamps)},
	{"--reply", READ, AT(reply)},
	{"--slow", NUMBER, AT(slow)},
	{"--huge", NUMBER, AT(huge)},
	{"--flood", NUMBER, AT(flood)},
	{"--split", NUMBER, AT(split)},
	{"--page", NUMBER, AT(page)},
	{"--tools-count", NUMBER, AT(many)},
	{"--exit", NUMBER, AT(status)},
	{"--raise", NUMBER, AT(raise)},
	{"--core", TEXT, AT(core)},
	{"--noise", FLAG, AT(noise)},
	{"--id-last", FLAG, AT(id_last)},
	{"--pretty", FLAG, AT(pretty)},
	{"--report", FLAG, AT(report)},
	{"--ignore-eof", FLAG, AT(ignore_eof)},
	{"--halves", FLAG, AT(halves)},
	{"--signals", FLAG, AT(signals)},
};

static bool set(const struct option *o, void *member, const char *value)
{
	FILE *f;

	switch (o->kind) {
	case FLAG:
		return *(bool *)member = true;
	case NUMBER:
		*(size_t *)member = strtoul(value, NULL, 10);
		return true;
	case TEXT:
		*(const char **)member = value;
		return true;
	case READ:
	case APPEND:
		f = fopen(value, o->kind == READ ? "r" : "a");
		if (f)
			setbuf(f, NULL);
		*(FILE **)member = f;
		return f;
	case CATALOGUE:
		return catalogue_find(value, member);
	}
	return false;
}

/* Reads the option at argv, and its value; false: there is none such. */
static bool read_option(struct server *s, char ***argv)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option *o = &options[i];

		if (strcmp(o->name, **argv) != 0)
			continue;
		if (o->kind != FLAG && !*++*argv)
			return false;
		return set(o, (char *)s + o->at, **argv);
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct server s;

	(void)argc;
	given_note(argv);
	while (*++argv)
		if (!read_option(&s, &argv)) {
			fprintf(stderr, "server: %s?\n",
				*argv ? *argv : "value");
			return 2;
		}
	if (!s.catalogue.name)
		catalogue_find("plain", &s.catalogue);
	if (s.signals)
		tell_signals();
	if (s.noise)
		write_box(&s);
	serve(&s);
	while (s.ignore_eof)
		pause();
	if (s.raise)
		end_by(&s);
	return (int)s.status;
}
