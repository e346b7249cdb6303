/* weir approve.  The contract is in approve.h. */
#include "approve.h"

#include "../../policies/counters/redis.h"
#include "../../policies/host/host.h"
#include "../answer.h"
#include "../door.h"
#include "../fd.h"
#include "../grant.h"
#include "../report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define SESSION_TIME SECOND /* in which more of a session's reply comes */
#define LOOK         1000   /* milliseconds between looks, in --watch */
#define DIGEST_LEAST 8      /* digits of --digest */
#define DIGEST_SHOWN 16
#define TIME_MOST    1000000 /* seconds */
#define SEEN_MAX     256     /* calls that --watch has asked about */
#define NAME_COLUMNS 28
#define ALL_COLUMNS  80

/* A line that a session tells of a call: door.h. */
struct record {
	uint64_t number;
	bool expired;
	int64_t age, left; /* seconds */
	char *digest, *name, *server;
};

/* Where a call was found, and what its session said. */
struct found {
	uint64_t number;
	char session[NAME_MAX + 1];
	char digest[SHA256_HEX + 1];
};

struct approve {
	const struct options *o;
	char state[PATH_MAX];
	int directory; /* of the sockets; -1: none */
	char *reply;   /* owned */
	size_t len;
	int terminal;  /* to ask on; -1: none */
	size_t silent; /* sessions that did not answer */
	size_t listed;
	struct found call; /* the one that is shown */
	uint64_t next;     /* to ask about; 0: none */
	uint64_t seen[SEEN_MAX];
	size_t seen_count;
};

/* ---- what a session says --------------------------------------------- */

/* Bytes of the UTF-8 character at s; 0: it is none. */
static size_t character(const char *s, size_t len)
{
	const unsigned char *c = (const unsigned char *)s;
	size_t bytes = *c < 0x80   ? 1
		       : *c < 0xC2 ? 0
		       : *c < 0xE0 ? 2
		       : *c < 0xF0 ? 3
		       : *c < 0xF5 ? 4
				   : 0;

	for (size_t i = 1; i < bytes; i++)
		if (i >= len || (c[i] & 0xC0) != 0x80)
			return 0;
	return bytes;
}

/* Prints text that may hold anything, in at most so many columns; 0: all of it,
 * with its line ends.  Returns the columns. */
static size_t put(const char *s, size_t len, size_t most)
{
	const size_t room = most > 3 ? most - 3 : 0;
	size_t columns = 0, bytes;
	unsigned code;

	for (; len > 0; s += bytes, len -= bytes) {
		size_t width;

		bytes = character(s, len);
		width = bytes > 1 ? 2 : 1; /* at most */
		if (bytes > 0 && strbuf_obeyed(s, bytes, &code) > 0 &&
		    (*s != '\n' || most > 0))
			width = 6;
		if (most > 0 && columns + width > (len > 3 ? room : most)) {
			printf("...");
			return columns + 3;
		}
		if (width == 6)
			printf("\\u%04x", code);
		else if (bytes > 0)
			fwrite(s, 1, bytes, stdout);
		else
			putchar('?');
		bytes += bytes == 0;
		columns += width;
	}
	return columns;
}

/* "12 s" */
static void put_time(int64_t seconds, int columns)
{
	char text[48] = "";
	struct strbuf out = {.ptr = text, .cap = sizeof(text) - 1};

	answer_wait(&out, seconds < 1           ? SECOND
			  : seconds < TIME_MOST ? seconds * SECOND
						: TIME_MOST * SECOND);
	printf("%-*s", columns, text);
}

/* Asks a session.  False: no reply; reported, but if it has just ended. */
static bool ask(struct approve *a, const char *name, const char *request)
{
	int64_t end = host_now() + SESSION_TIME;
	struct pollfd p = {.events = POLLIN};
	const char *why = NULL;
	ssize_t got = -1;
	int fd;

	a->len = 0;
	/* There may be many others. */
	while ((fd = door_knock(a->directory, name)) < 0 && errno == EAGAIN &&
	       host_now() < end)
		poll(NULL, 0, 10);
	p.fd = fd;
	if (fd < 0 && (errno == ECONNREFUSED || errno == ENOENT))
		return false;
	if (fd < 0)
		why = errno == EAGAIN  ? "no answer; is it stopped?"
		      : errno == EPERM ? "no socket of the directory's owner"
				       : door_error();
	else if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		why = strerror(errno);
	while (!why && a->len < DOOR_REPLY) {
		int64_t left = (end - host_now()) / MILLISECOND;

		if (left <= 0 || poll(&p, 1, (int)left) == 0) {
			why = "no answer; is it stopped?";
			break;
		}
		got = recv(fd, a->reply + a->len, DOOR_REPLY - a->len,
			   MSG_DONTWAIT);
		a->len += got > 0 ? (size_t)got : 0;
		if (got > 0)
			end = host_now() + SESSION_TIME;
		else if (got == 0 || errno != EAGAIN)
			break;
	}
	if (fd >= 0)
		close(fd);
	a->reply[a->len] = '\0';
	if (!why && got == 0 && a->len == 0)
		why = "it does not listen to this user: no approve_by names it";
	if (!why)
		return a->len > 0;
	a->silent++;
	report_all("session %s in %s/" DOOR_DIRECTORY ": %s", name, a->state,
		   why);
	return false;
}

/* Reads the line at *at, and steps behind it.  False: it is no record. */
static bool read_record(char **at, struct record *r)
{
	char *line = strsep(at, "\n"), *state, *age, *left, *number;

	if (!line || !*at)
		return false;
	number = strsep(&line, "\t");
	state = strsep(&line, "\t");
	age = strsep(&line, "\t");
	left = strsep(&line, "\t");
	r->digest = strsep(&line, "\t");
	r->name = strsep(&line, "\t");
	r->server = line;
	if (!line || strlen(r->digest) != SHA256_HEX)
		return false;
	r->number = strtoull(number, NULL, 10);
	r->expired = strcmp(state, "expired") == 0;
	r->age = strtoll(age, NULL, 10);
	r->left = strtoll(left, NULL, 10);
	return r->number > 0;
}

/* ---- all sessions ---------------------------------------------------- */

static bool each_session(struct approve *a, door_visit *visit)
{
	a->silent = 0;
	return a->directory >= 0 && door_each(a->directory, visit, a);
}

/* A door_visit, as those below. */
static bool list_session(void *context, const char *name)
{
	struct approve *a = context;
	char *at = a->reply;
	struct record r;
	size_t columns;

	if (!ask(a, name, "list\n"))
		return false;
	while (read_record(&at, &r)) {
		if (a->listed++ == 0)
			printf("NUMBER  SINCE       %-*s  SERVER\n",
			       NAME_COLUMNS, "NAME");
		printf("%6llu  ", (unsigned long long)r.number);
		put_time(r.age, 10);
		printf("  ");
		columns = put(r.name, strlen(r.name),
			      NAME_COLUMNS - (r.expired ? 10 : 0));
		columns += (size_t)printf(r.expired ? " (expired)" : "");
		printf("%*s", (int)(NAME_COLUMNS + 2 - columns), "");
		put(r.server, strlen(r.server),
		    ALL_COLUMNS - NAME_COLUMNS - 22);
		putchar('\n');
	}
	return false;
}

static int list(struct approve *a)
{
	each_session(a, list_session);
	if (a->listed == 0)
		printf("No call waits for approval in %s.\n"
		       "For another state directory: weir approve -s DIR\n",
		       a->state);
	return a->silent > 0 ? APPROVE_ERROR : APPROVE_DONE;
}

/* ---- one call -------------------------------------------------------- */

/* Shows the call if it is there. */
static bool show_call(void *context, const char *name)
{
	struct approve *a = context;
	struct found *f = &a->call;
	char request[64], *at = a->reply, *end;
	struct record r;

	snprintf(request, sizeof(request), "show %llu\n",
		 (unsigned long long)f->number);
	if (!ask(a, name, request) || !read_record(&at, &r) ||
	    r.number != f->number)
		return false;
	end = a->reply + a->len - strlen("end\n");
	if (end <= at || strcmp(end - 1, "\nend\n") != 0) {
		report_all("call %llu has gone", (unsigned long long)f->number);
		return false;
	}
	printf("Call %llu came ", (unsigned long long)r.number);
	put_time(r.age, 0);
	printf(r.expired
		       ? " ago and was refused; a yes lets one like it pass, within "
		       : " ago; it is refused if nobody answers within ");
	put_time(r.left, 0);
	printf(".\nDigest: %.*s\n", DIGEST_SHOWN, r.digest);
	put(at, (size_t)(end - at), 0);
	snprintf(f->session, sizeof(f->session), "%s", name);
	memcpy(f->digest, r.digest, sizeof(f->digest));
	return true;
}

/* Does the call wait no longer?  Somebody else may have answered. */
static bool has_gone(struct approve *a)
{
	const struct found *f = &a->call;
	char *at = a->reply;
	struct record r;

	if (!ask(a, f->session, "list\n"))
		return true;
	while (read_record(&at, &r))
		if (r.number == f->number)
			return false;
	return true;
}

/* Asks on the terminal: 'y', 'n', or 0 for neither.  What was typed before is
 * no answer. */
static int ask_person(struct approve *a)
{
	static const char question[] = "Yes or no? [y/n, Enter: not now] ";
	struct pollfd p = {.fd = a->terminal, .events = POLLIN};
	char line[64];
	ssize_t got;

	fflush(stdout);
	tcflush(a->terminal, TCIFLUSH);
	dprintf(a->terminal, "%s", question);
	while (poll(&p, 1, LOOK) == 0)
		if (has_gone(a)) {
			dprintf(a->terminal, "\n");
			return 0;
		}
	got = read(a->terminal, line, sizeof(line) - 1);
	line[got > 0 ? got : 0] = '\0';
	if (got <= 0)
		dprintf(a->terminal, "\n");
	line[strcspn(line, "\n")] = '\0';
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0  ? 'y'
	       : strcasecmp(line, "n") == 0 || strcasecmp(line, "no") == 0 ? 'n'
									   : 0;
}

/* Sends the answer, and tells what became of it.  Was it taken? */
static bool send_answer(struct approve *a, bool yes)
{
	const struct found *f = &a->call;
	char request[DOOR_REQUEST];
	const unsigned long long number = f->number;

	snprintf(request, sizeof(request), "%s %llu %s\n", yes ? "yes" : "no",
		 number, f->digest);
	if (!ask(a, f->session, request) || strcmp(a->reply, "gone\n") == 0)
		report_all(
			"call %llu does not wait any more: somebody else answered, or its session ended",
			number);
	else if (strcmp(a->reply, "denied\n") == 0)
		report_all(
			"call %llu: its rule's approve_by wants another user's answer",
			number);
	else if (strcmp(a->reply, "done\n") != 0)
		report_all(
			"call %llu is another one by now: nothing was answered",
			number);
	else
		return printf("call %llu: %s\n", number,
			      yes ? "approved" : "denied") > 0;
	return false;
}

/* The number of an operand; 0: it is none. */
static uint64_t number_of(const char *s)
{
	return s[strspn(s, "0123456789")] || strlen(s) > 18
		       ? 0
		       : strtoull(s, NULL, 10);
}

static int decide(struct approve *a)
{
	const struct options *o = a->o;
	const char *word = o->deny ? o->deny : o->rest[0];
	const uint64_t number = number_of(word);
	const struct found *f = &a->call;
	int answer = o->deny ? 'n' : o->sure ? 'y' : 0;

	if (number == 0 || (o->deny && o->rest[0]) || (o->sure && !o->digest)) {
		report_all(
			number == 0
				? "%s: expected a call's number, as weir approve lists it"
			: o->deny
				? "--deny %s: it takes one number"
				: "%s: --yes needs --digest, as weir approve NUMBER shows it",
			word);
		return APPROVE_ERROR;
	}
	a->call.number = number;
	if (!each_session(a, show_call)) {
		report_all(
			"no call %s waits in %s: weir approve lists them; name another state directory with -s DIR",
			word, a->state);
		return a->silent > 0 ? APPROVE_ERROR : APPROVE_NOT;
	}
	if (o->digest &&
	    strncasecmp(o->digest, f->digest, strlen(o->digest)) != 0) {
		report_all(
			"call %s has another digest, %.*s: nothing was answered",
			word, DIGEST_SHOWN, f->digest);
		return APPROVE_NOT;
	}
	if (!answer && a->terminal < 0) {
		report_all(
			"no terminal to ask on; in a script: --digest %.*s --yes",
			DIGEST_LEAST, f->digest);
		return APPROVE_ERROR;
	}
	if (!answer)
		answer = ask_person(a);
	if (!answer) {
		report_all("call %s: nothing was answered", word);
		return APPROVE_NOT;
	}
	return send_answer(a, answer == 'y') && (answer == 'y' || o->deny)
		       ? APPROVE_DONE
		       : APPROVE_NOT;
}

/* ---- calls as they come ---------------------------------------------- */

/* Finds the first call that nobody was asked about here. */
static bool find_new(void *context, const char *name)
{
	struct approve *a = context;
	char *at = a->reply;
	struct record r;

	if (!ask(a, name, "list\n"))
		return false;
	while (read_record(&at, &r)) {
		bool seen = false;

		for (size_t i = 0; i < SEEN_MAX; i++)
			seen |= a->seen[i] == r.number;
		if (!seen && (a->next == 0 || r.number < a->next))
			a->next = r.number;
	}
	return false;
}

static int watch(struct approve *a)
{
	const char *why;

	if (a->terminal < 0) {
		report_all("--watch needs a terminal to ask on");
		return APPROVE_ERROR;
	}
	printf("Waiting for calls in %s; ^C leaves.\n", a->state);
	for (;;) {
		int answer;

		fflush(stdout);
		if (a->directory < 0)
			a->directory = door_directory(a->state, false, &why);
		a->next = 0;
		each_session(a, find_new);
		if (a->next == 0) {
			poll(NULL, 0, LOOK);
			continue;
		}
		a->seen[a->seen_count++ % SEEN_MAX] = a->next;
		a->call.number = a->next;
		printf("\a\n");
		answer = each_session(a, show_call) ? ask_person(a) : 0;
		if (answer)
			send_answer(a, answer == 'y');
	}
}

static int find_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return fd >= 0 || !isatty(STDIN_FILENO) ? fd : STDIN_FILENO;
}

int approve_run(const struct options *o)
{
	struct approve a = {.o = o};
	char why[PATH_MAX];
	const char *fault;
	bool named;
	int status;

	if (o->digest &&
	    (strlen(o->digest) < DIGEST_LEAST ||
	     strlen(o->digest) > SHA256_HEX ||
	     o->digest[strspn(o->digest, "0123456789abcdefABCDEF")])) {
		report_all("--digest %s: expected %d to %d hexadecimal digits",
			   o->digest, DIGEST_LEAST, SHA256_HEX);
		return APPROVE_ERROR;
	}
	if (!grant_state(o, false, a.state, why)) {
		report_all(
			"no state directory: %s; name one with -s DIR or in WEIR_STATE",
			why);
		return APPROVE_ERROR;
	}
	/* The first session makes it; but a name can be wrong, too. */
	named = o->state && !redis_is_url(o->state) && !o->watch;
	a.directory = door_directory(a.state, false, &fault);
	if (a.directory < 0 && (fault || errno != ENOENT ||
				(named && access(a.state, F_OK) != 0))) {
		report_all(
			"%s/" DOOR_DIRECTORY ": %s%s", a.state,
			fault ? fault : strerror(errno),
			fault ? ""
			      : "; name another state directory with -s DIR or in WEIR_STATE");
		return APPROVE_ERROR;
	}
	a.reply = malloc(DOOR_REPLY + 1);
	a.terminal = find_terminal();
	if (!a.reply)
		report_all("out of memory");
	status = !a.reply                ? APPROVE_ERROR
		 : o->watch              ? watch(&a)
		 : o->deny || o->rest[0] ? decide(&a)
					 : list(&a);
	free(a.reply);
	return status;
}
