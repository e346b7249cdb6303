/*
 * script - sessions as tables of play.tsv: who writes what, and what comes out.
 *
 * A row has a policy, and, where a person can be asked, the ways: letters of
 * client, terminal, program, "-" for none; "new" before the client has said
 * what it can do.  Then come the steps:
 *
 *   > TEXT, >> TEXT   the client writes a line; a piece of one
 *   < TEXT, << TEXT   the server does
 *   ^ TEXT, ^^ TEXT   what comes up next is this line; this piece
 *   v TEXT, vv TEXT   the same of what comes down
 *   v~ TEXT           the next line that comes down has this in it
 *   v*                whatever came down
 *   ? N               a question comes down; %N is its id from then on, %-N
 *                     all but its first letter
 *   yes WAY N, no WAY N  a person answers what lies in slot N
 *   later SECONDS     so much time is over from now
 *   at SECONDS, before SECONDS  since what lies in slot 0 came; less a bit
 *   observe           as with --observe
 *   shown TEXT        a person is shown this of what lies in slot 0
 *   reload TEXT       the policy is another one
 *   up ends, down ends, server ends
 *   stuck, free       half a line of the server's holds answers up; or none
 * does break             it is ended
 *
 * Before each step that is one of the last ten lines, or writes, nothing else
 * has come.  $NAME, $NAME(A,B) in a text is that of the table "texts" with A
 * for its $1, B for $2; one that begins a step may be several, " ; " between.
 * Every row is played twice: each text at once, and byte by byte.
 */
#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

#include "play.h"
#include "rows.h"

#include "../../policies/host/host.h"

#define SCRIPT_BYTES 65536
#define SCRIPT_IDS   8
#define SCRIPT_TEXTS 48

struct script {
	struct play p;
	const struct rows *row;
	bool bytes; /* byte by byte */
	char id[SCRIPT_IDS][APPROVALS_ID + 1];
};

static const char *const script_server[] = {"node", "srv.js", NULL};

/* The text of that name, of a file that is read once; or NULL. */
static inline const char *script_named(const char *name, size_t len)
{
	static char *names[SCRIPT_TEXTS], *texts[SCRIPT_TEXTS];
	static size_t count;
	struct rows r = {.file = "play.tsv", .table = "texts"};

	while (count == 0 && rows_next(&r)) {
		size_t i = 0;

		for (; names[i]; i++)
			continue;
		assert_true(i + 1 < SCRIPT_TEXTS);
		names[i] = strdup(r.field[0]);
		texts[i] = strdup(r.field[1]);
	}
	for (count = 1; names[count - 1]; count++)
		if (strlen(names[count - 1]) == len &&
		    memcmp(names[count - 1], name, len) == 0)
			return texts[count - 1];
	return NULL;
}

static inline char *script_expand(char *out, const char *text);

/* What stands for $NAME(...) at text, to *out; returns the place after it. */
static inline const char *script_call(char **out, const char *text)
{
	size_t len = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_");
	const char *found = script_named(text + 1, len), *end;
	char *whole = malloc(SCRIPT_BYTES), *to = whole;
	const char *at[10] = {NULL};
	int most = 0, n = 1, depth = 0;

	row_true(text, found);
	for (const char *c = found; *c; c++)
		if (*c == '$' && c[1] >= '1' && c[1] <= '9' &&
		    c[1] - '0' > most)
			most = c[1] - '0';
	end = text + 1 + len;
	if (*end == '(') {
		at[1] = ++end;
		for (; *end != ')' || depth > 0; end++) {
			row_true(text, *end);
			depth += (*end == '(') - (*end == ')');
			if (*end == ',' && depth == 0 && n < most)
				at[++n] = end + 1;
		}
	}
	for (; *found; found++) {
		int which = found[0] == '$' ? found[1] - '0' : 0;

		if (which < 1 || which > 9) {
			*to++ = *found;
			continue;
		}
		found++;
		if (at[which])
			to += sprintf(
				to, "%.*s",
				(int)((which < n ? at[which + 1] - 1 : end) -
				      at[which]),
				at[which]);
	}
	*to = '\0';
	*out = script_expand(*out, whole);
	free(whole);
	return at[1] ? end + 1 : end;
}

/* The text with all that stands for another; returns its end. */
static inline char *script_expand(char *out, const char *text)
{
	while (*text) {
		if (text[0] == '$' && text[1] >= 'a' && text[1] <= 'z') {
			text = script_call(&out, text);
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	return out;
}

/* The text with the ids of questions. */
static inline void script_ids(const struct script *s, char *out,
			      const char *text)
{
	for (; *text; text++) {
		bool rest = text[0] == '%' && text[1] == '-';

		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		text += 1 + rest;
		out = stpcpy(out, s->id[*text - '0'] + rest);
	}
	*out = '\0';
}

static inline void script_fails(const struct script *s, const char *step,
				const char *came)
{
	fail_msg("%s: %s\ncame: %s", s->row->place, step, came);
}

/* The next of what came is this. */
static inline void script_take(struct script *s, bool down, const char *step,
			       const char *want, bool part)
{
	char *came = down ? s->p.down : s->p.up;
	size_t *left = down ? &s->p.down_len : &s->p.up_len, len = strlen(want);

	if (part) {
		const char *lf = strchr(came, '\n');
		const char *at = strstr(came, want);

		if (!lf || !at || at > lf)
			script_fails(s, step, came);
		len = (size_t)(lf + 1 - came);
	} else if (strncmp(came, want, len) != 0) {
		script_fails(s, step, came);
	}
	memmove(came, came + len, *left + 1 - len);
	*left -= len;
}

/* The question that comes down next. */
static inline void script_question(struct script *s, int n)
{
	static const char begin[] = "{\"jsonrpc\":\"2.0\",\"id\":\"";

	if (strncmp(s->p.down, begin, strlen(begin)) != 0)
		script_fails(s, "a question", s->p.down);
	memcpy(s->id[n], s->p.down + strlen(begin), APPROVALS_ID);
	script_take(s, true, "a question", "\"elicitation/create\"", true);
}

static inline void script_write(struct script *s, bool down, const char *text)
{
	struct stream *to = down ? &s->p.s.down : &s->p.s.up;
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += s->bytes ? 1 : len)
		feed(&s->p, to, text + at, s->bytes ? 1 : len);
}

static inline void script_reload(struct script *s, const char *text)
{
	static char policy[TEXT_BYTES];
	struct policy *next =
		COMPILE(rows_policy(s->row, policy, text), no_report, NULL);

	assert_true(session_reload(&s->p.s, next, COUNTERS(next)));
	policy_free(s->p.policy);
	s->p.policy = next;
	settle(&s->p);
}

/* A person is shown this of what lies in slot 0. */
static inline void script_shown(struct script *s, const char *step)
{
	static char text[APPROVALS_TEXT + 1];
	struct strbuf out = {.ptr = text, .cap = APPROVALS_TEXT};
	struct approvals *a = s->p.s.approvals;

	row_true(s->row->place,
		 approval_text(a, approvals_slot(a, 0), &out, APPROVALS_TEXT));
	text[out.len] = '\0';
	if (!strstr(text, step + 6))
		script_fails(s, step, text);
}

/* What happens beside the lines. */
static inline bool script_event(struct script *s, const char *step)
{
	struct session *session = &s->p.s;
	int slot, seconds;
	char way[16];

	if (sscanf(step, "yes %15s %d", way, &slot) == 2 ||
	    sscanf(step, "no %15s %d", way, &slot) == 2)
		row_true(step,
			 approvals_answer(approvals_slot(session->approvals,
							 (size_t)slot),
					  *step == 'y',
					  strcmp(way, "program") == 0
						  ? APPROVAL_PROGRAM
						  : APPROVAL_TERMINAL,
					  "ann"));
	else if (sscanf(step, "later %d", &seconds) == 1)
		session_tick(session, host_now() + seconds * SECOND);
	else if (sscanf(step, "at %d", &seconds) == 1 ||
		 sscanf(step, "before %d", &seconds) == 1)
		session_tick(session,
			     approvals_slot(session->approvals, 0)->since +
				     seconds * SECOND - (*step == 'b'));
	else if (strcmp(step, "observe") == 0)
		session->observe = true;
	else if (strncmp(step, "shown ", 6) == 0)
		script_shown(s, step);
	else if (strncmp(step, "reload ", 7) == 0)
		script_reload(s, step + 7);
	else if (strcmp(step, "up ends") == 0)
		session->up_ended = true;
	else if (strcmp(step, "down ends") == 0)
		session->down_ended = true;
	else if (strcmp(step, "server ends") == 0)
		upstream_forget(session);
	else if (strcmp(step, "stuck") == 0 || strcmp(step, "free") == 0)
		row_true(s->row->place,
			 downstream_stuck(session) == (*step == 's'));
	else if (strcmp(step, "break") == 0)
		downstream_break(session);
	else
		return false;
	settle(&s->p);
	return true;
}

static inline void script_step(struct script *s, const char *step)
{
	const char first = step[0];
	const bool down = first == 'v' || first == '<';
	static char line[SCRIPT_BYTES];
	const char *text = strchr(step, ' ') ? strchr(step, ' ') + 1 : "";

	script_ids(s, line, text);
	strcat(line, step[1] == ' ' ? "\n" : "");
	if (strcmp(step, "v*") == 0) {
		s->p.down[s->p.down_len = 0] = '\0';
		return;
	}
	if (strncmp(step, "v~ ", 3) == 0) {
		script_take(s, true, step, line, true);
		return;
	}
	if (first == '?') {
		script_question(s, step[2] - '0');
		return;
	}
	if (first == '^' || first == 'v') {
		script_take(s, down, step, line, false);
		return;
	}
	if (s->p.up_len + s->p.down_len > 0)
		script_fails(s, step, s->p.up_len ? s->p.up : s->p.down);
	if (first == '>' || first == '<')
		script_write(s, down, line);
	else if (!script_event(s, step))
		script_fails(s, step, "no such step");
}

static inline void script_begin(struct script *s, const char *where)
{
	static char policy[TEXT_BYTES], name[64];
	const char *ways = strchr(where, ' ');

	snprintf(name, sizeof(name), "%.*s",
		 ways ? (int)(ways - where) : (int)strlen(where), where);
	begin(&s->p, rows_policy(s->row, policy, name));
	s->p.name = s->row->place;
	if (!ways)
		return;
	assert_true(session_ask(
		&s->p.s, script_server,
		(strchr(ways, 't') ? POLICY_ASK_TERMINAL : 0u) |
			(strchr(ways, 'p') ? POLICY_ASK_PROGRAM : 0u)));
	if (strcmp(ways, " new") == 0)
		return;
	client(&s->p, strchr(ways, 'c') ? "{\"jsonrpc\":\"2.0\",\"id\":0,"
					  "\"method\":\"initialize\","
					  "\"params\":{\"capabilities\":{"
					  "\"elicitation\":{}}}}\n"
					: "");
	s->p.up[s->p.up_len = 0] = '\0';
}

static inline void script_play(const char *table)
{
	struct rows r = {.file = "play.tsv", .table = table};

	while (rows_next(&r))
		for (int bytes = 0; bytes < 2; bytes++) {
			struct script s = {.row = &r, .bytes = bytes};

			script_begin(&s, r.field[0]);
			for (int i = 1; *r.field[i]; i++) {
				static char steps[SCRIPT_BYTES];
				char *step = steps, *next;

				script_expand(steps, r.field[i]);
				for (; step; step = next) {
					next = *r.field[i] == '$'
						       ? strstr(step, " ; ")
						       : NULL;
					if (next) {
						*next = '\0';
						next += 3;
					}
					script_step(&s, step);
				}
			}
			if (s.p.up_len + s.p.down_len > 0)
				script_fails(&s, "the end",
					     s.p.up_len ? s.p.up : s.p.down);
			end(&s.p);
		}
}

#endif
