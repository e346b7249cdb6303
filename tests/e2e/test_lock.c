/*
 * Tools as a person has looked at them: what a list shows of others is cut out,
 * and their calls are refused.
 *
 * The server answers with the lines of a row, whatever it is asked.
 */
#include "answers.h"
#include "way.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char policy[] = "'default':'allow'";
/* What an entry spells and allows is weighed in a shorter way. */
static const char hiding[] =
	"'default':'allow','hide':['hid'],'tools':{'a':{},'c':{}}";

#define RPC     "{\"jsonrpc\":\"2.0\","
#define LIST(s) RPC "\"id\":1,\"result\":{\"tools\":[" s "]}}\n"
#define OK      RPC "\"id\":2,\"result\":{}}\n"

#define A     "{\"name\":\"a\",\"description\":\"one\"}"
#define A2    "{\"name\":\"a\",\"description\":\"two\"}"
#define B     "{\"name\":\"b\",\"inputSchema\":{\"type\":\"object\"}}"
#define C     "{\"name\":\"c\"}"
#define SHA_A "9058577caad84ee4a588f59c279e6e8de281267b11fc2946d7ccf7aa807b13bc"
#define SHA_A2                                                                 \
	"167d15089e383426bfad1c8b4db09fe71baef3ad4e057754f6bf760bb4a70da0"
#define SHA_B "6cc616a09ed20b90a8d653c6eb7c8f6c652f374b720fb90742760f22c5b2cad6"
#define ENTRY(name, sha, text)                                                 \
	"\"" name "\":{\"sha256\":\"" sha "\",\"definition\":" text "}"
#define LOCK(s) "{\"lock\":\"1\",\"tools\":{" s "}}\n"

static const char locked[] =
	LOCK(ENTRY("a", SHA_A, A) "," ENTRY("b", SHA_B, B));

static const struct row {
	const char *name;
	const char *sent;
	const char *seen; /* NULL: as it was sent */
	const char *told; /* NULL: nothing */
} rows[] = {
	{"all as they are locked", LIST(A "," B), NULL, NULL},
	{"some of them", LIST(B), NULL, NULL},
	{"in another order, and laid out otherwise",
	 LIST("{ \"name\" :\t\"b\",\"inputSchema\":{ \"type\": \"object\"} } "
	      ", " A),
	 NULL, NULL},
	{"another tool", LIST(A "," C "," B), LIST(A "," B),
	 "tool \"c\" is not in the lock file: hidden and refused; look with "
	 "weir scan --lock FILE --diff\n"},
	{"another description", LIST(A2 "," B), LIST(B),
	 "tool \"a\" has changed since it was locked: hidden and refused"},
	{"other order of keys",
	 LIST("{\"description\":\"one\",\"name\":\"a\"}," B), LIST(B),
	 "tool \"a\" has changed"},
	{"another spelling",
	 LIST("{\"name\":\"\\u0061\",\"description\":\"one\"}"), LIST(""),
	 "tool \"\\\\u0061\" has changed"},
	{"a member more",
	 LIST("{\"name\":\"a\",\"description\":\"one\",\"x\":1}"), LIST(""),
	 "has changed"},
	{"a key twice",
	 LIST("{\"name\":\"a\",\"description\":\"one\",\"description\":\"one\"}"),
	 LIST(""), "has changed"},
	{"the name twice", LIST("{\"name\":\"a\",\"name\":\"a\"}," B), LIST(B),
	 "tool \"\" is not in the lock file"},
	{"no name", LIST("{\"description\":\"one\"},1,null,[],\"a\"," B),
	 LIST(B), "tool \"\" is not in the lock file"},
	{"the same twice", LIST(A "," A), NULL, NULL},
	{"twice, the second another", LIST(A "," A2 "," B), LIST(A "," B),
	 "tool \"a\" has changed"},
	{"twice, the first another", LIST(A2 "," A "," B), LIST(B),
	 "tool \"a\" has changed"},
	{"other case", LIST("{\"name\":\"A\",\"description\":\"one\"}"),
	 LIST(""), "tool \"A\" is not in the lock file"},
	{"as FastMCP's apps call it",
	 LIST("{\"name\":\"__0123456789ab_a\",\"description\":\"one\"}"),
	 LIST(""), "tool \"__0123456789ab_a\" is not in the lock file"},
	{"hostile names", LIST("{\"name\":\"\xE2\x80\xAE\\u001b[2J\x7F\"}," B),
	 LIST(B),
	 "tool \"\\u202e\\\\u001b[2J\\u007f\" is not in the lock file"},
	{"several", LIST(C ",{\"name\":\"d\"}," A2), LIST(""),
	 "weir: and 2 more tools of this list\n"},
	{"one page",
	 RPC "\"id\":1,\"result\":{\"tools\":[" C "," A
	     "],\"nextCursor\":\"x\"}}\n",
	 RPC "\"id\":1,\"result\":{\"tools\":[" A "],\"nextCursor\":\"x\"}}\n",
	 "tool \"c\""},
	{"prompts", RPC "\"id\":1,\"result\":{\"prompts\":[" C "]}}\n", NULL,
	 NULL},
	{"an ambiguous line",
	 RPC "\"id\":1,\"result\":{\"tools\":[" A "],\"tools\":[" C "]}}\n", "",
	 "withheld"},
};

/* Cut out of the list; with --observe, only told. */
TEST(each_list)
{
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const struct row *row = &rows[i / 2];
		const bool observe = i % 2;
		const char *seen =
			row->seen && !observe ? row->seen : row->sent;
		struct proc *p =
			proc_run(WEIR(policy, "--lock", file("lock", locked),
				      observe ? "-n" : "--", server, "--reply",
				      file("reply", row->sent)),
				 request("1", "tools/list", NULL));

		in_case(row->name);
		check_status(p, 0);
		if (*seen)
			check_text("what the client sees", p->said.ptr, seen);
		else
			check_error(proc_line(p), "1", -32603);
		if (observe && row->told && !strcmp(row->told, "withheld"))
			continue;
		check(row->told ? strstr(p->told.ptr ? p->told.ptr : "",
					 observe && strchr(row->told, ':')
						 ? text("%.*s",
							(int)strcspn(row->told,
								     ":"),
							row->told)
						 : row->told) != NULL
				: p->told.len == 0,
		      "told: %s", p->told.ptr);
		check(!observe || !row->told ||
			      strstr(p->told.ptr, "would be hidden"),
		      "told: %s", p->told.ptr);
	}
}

/* What the client sees of a list that the server sends next. */
static void check_list(struct proc *p, const char *seen)
{
	check_answer(p, request("1", "tools/list", NULL), seen);
}

static void passes(struct proc *p, const char *name)
{
	check_answer(p, call("2", name), OK);
}

static void is_refused(struct proc *p, const char *name, const char *reason)
{
	check_refused(proc_ask(p, call("2", name)), "2", false, "(changed)",
		      NULL);
	check(memmem(p->said.ptr, p->taken, reason, strlen(reason)),
	      "\"%s\" is not in %s", reason, p->said.ptr);
}

static void reread(struct proc *p, const char *lock, const char *told)
{
	p->told.len = 0;
	if (p->told.ptr)
		*p->told.ptr = '\0';
	file("lock", lock);
	kill(weir_pid(p), SIGHUP);
	proc_told(p, told);
}

/* The server shows another description in its second list, and the old one in
 * the third. */
TEST(rug_pull)
{
	static const char replies[] = OK LIST(A "," B "," C) OK LIST(A2 "," B)
		OK LIST(A "," B) LIST(A2 "," B) OK LIST(A2 "," C) OK;
	struct proc *p;
	struct bytes log;

	p = proc_start(WEIR(hiding, "-l", path("log"), "--lock",
			    file("lock", locked), "--", server, "--reply",
			    file("reply", replies)));
	/* Before any list. */
	passes(p, "a");
	is_refused(p, "c", "not in the lock file");
	check_hides(p, "2", "hid");
	check_list(p, LIST(A "," B));
	proc_told(p, "tool \"c\" is not in the lock file");
	passes(p, "a");
	check_list(p, LIST(B));
	proc_told(p, "tool \"a\" has changed since it was locked");
	is_refused(p, "a", "has changed since it was locked");
	is_refused(p, "\\u0061", "has changed since it was locked");
	is_refused(p, "A", "has changed since it was locked");
	is_refused(p, "__0123456789ab_a", "has changed since it was locked");
	passes(p, "b");
	check_list(p, LIST(B));
	is_refused(p, "a", "has changed since it was locked");
	/* The same lock again, one that does not load, and one of what is shown
	 * now. */
	reread(p, locked, "policy and lock reloaded");
	is_refused(p, "a", "has changed since it was locked");
	check_list(p, LIST(B));
	reread(p, "{", "policy and lock reload failed");
	is_refused(p, "a", "has changed since it was locked");
	reread(p, LOCK(ENTRY("a", SHA_A2, A2)), "policy and lock reloaded");
	passes(p, "a");
	is_refused(p, "b", "not in the lock file");
	check_list(p, LIST(A2));
	passes(p, "a");
	check_end(p, 0);
	log = content(path("log"));
	check_has(log.ptr, "\"line\":\"changed\"",
		  "\"tool\":\"a\",\"reason\":\"has "
		  "changed since it was locked\"");
	check_has(log.ptr, "\"(changed)\"");
}

/* What nobody has asked for may yet be what the client takes for an answer: its
 * request may be under way. */
TEST(unasked)
{
	static const struct {
		const char *sent, *seen; /* "": nothing */
	} cases[] = {
		{LIST(A2 "," B), LIST(B)},
		{LIST(A "," B), LIST(A "," B)},
		{RPC "\"id\":1,\"result\":{\"n\":NaN,\"tools\":[" A2 "]}}\n",
		 ""},
		{RPC "\"id\":1,\"result\":{\"n\":NaN,\"t\\u006fols\":[" A2
		     "]}}\n",
		 ""},
		{RPC "\"id\":1,\"result\":{\"n\":NaN,\"content\":[]}}\n",
		 RPC "\"id\":1,\"result\":{\"n\":NaN,\"content\":[]}}\n"},
		{RPC "\"id\":9,\"result\":{\"tools\":[],\"Tools\":[" A2 "]}}\n",
		 RPC "\"id\":9,\"error\":"},
		{"a word\n", "a word\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *replies = text("%s" OK, cases[i].sent);
		const char *seen = cases[i].seen;
		struct proc *p = proc_start(
			WEIR(policy, "--lock", file("lock", locked), "--",
			     server, "--reply", file("reply", replies)));

		in_case(cases[i].sent);
		proc_send(p, request("1", "ping", NULL));
		if (*seen)
			check_equal(strncmp(proc_line(p), seen, strlen(seen)),
				    0);
		passes(p, "b");
		if (i == 0)
			is_refused(p, "a", "has changed");
		check_end(p, 0);
	}
}

/* The answer to a list begins before it is asked for. */
TEST(half_before)
{
	static const char script[] =
		"printf '%s' '" RPC "\"id\":1,\"result\":{\"tools\":['; "
		"echo ready >&2; read l; echo '" A2 "," B "]}}'; cat >&2";
	struct proc *p = proc_start(WEIR(policy, "--lock", file("lock", locked),
					 "--", "sh", "-c", script));

	proc_told(p, "ready");
	check_list(p, LIST(B));
	is_refused(p, "a", "has changed");
	check_end(p, 0);
}

/* Told in each list, though all passes. */
TEST(observed)
{
	static const char replies[] =
		LIST(A "," B) LIST(A2 "," B "," C) OK LIST(A2 "," B "," C);
	struct proc *p;

	p = proc_start(WORDS(weir, "-n", "-p", policy_of(policy), "--lock",
			     file("lock", locked), server, "--reply",
			     file("reply", replies)));
	check_list(p, LIST(A "," B));
	check_list(p, LIST(A2 "," B "," C));
	proc_told(p, "tool \"a\" has changed since it was locked: would be");
	proc_told(p, "and 1 more tool");
	passes(p, "a");
	proc_told(p, "would not pass");
	check_list(p, LIST(A2 "," B "," C));
	check_end(p, 0);
	check_equal(weir_lines(p->told.ptr), 3);
}

/* More than a pipe holds, of which two are locked. */
TEST(long_list)
{
	struct bytes sent = {.ptr = NULL};
	struct proc *p;

	append_text(&sent, RPC "\"id\":1,\"result\":{\"tools\":[" A);
	for (int i = 0; i < 3000; i++)
		append_text(&sent, text(",{\"description\":\"%0200d\",\"name\":"
					"\"t%d\"}",
					i, i));
	append_text(&sent, "," B "]}}\n");
	p = proc_run(WEIR(policy, "-l", path("log"), "--lock",
			  file("lock", locked), server, "--reply",
			  file("reply", sent.ptr)),
		     request("1", "tools/list", NULL));
	check_status(p, 0);
	check_text("what the client sees", p->said.ptr, LIST(A "," B));
	check_equal(weir_lines(p->told.ptr), 2);
}

/* No lock that cannot be trusted, and why. */
TEST(bad_locks)
{
	static const struct {
		const char *lock;
		mode_t mode;
		int status;
		const char *told;
	} cases[] = {
		{locked, 0600, 0, NULL},
		{locked, 0666, 125, "everybody may write this file"},
		{NULL, 0, 125,
		 "there is no such lock file: write it with weir scan "
		 "--write-lock FILE -- COMMAND"},
		{"", 0600, 125, "lock:1:1: "},
		{LOCK(ENTRY("a", SHA_B, A)), 0600, 125,
		 "lock:1:26: /tools/a: the definition does not have this "
		 "SHA-256"},
		{LOCK(ENTRY("a", SHA_A, A) "," ENTRY("a", SHA_A, A)), 0600, 125,
		 "/tools/a: this tool is there twice"},
	};

	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const char *lock = path("lock");
		struct proc *p;

		in_case(cases[i / 2].told);
		remove(lock);
		if (cases[i / 2].lock)
			chmod(file("lock", cases[i / 2].lock),
			      cases[i / 2].mode);
		/* As an option, and from the environment. */
		if (i % 2)
			p = proc_start_how(
				BEHIND(policy),
				&(struct how){.env = WORDS(text("WEIR_LOCK=%s",
								lock))});
		else
			p = proc_start(
				WEIR(policy, "--lock", lock, "--", server));
		check_end(p, cases[i / 2].status);
		check(!cases[i / 2].told ||
			      strstr(p->told.ptr, cases[i / 2].told),
		      "told: %s", p->told.ptr);
	}
}
