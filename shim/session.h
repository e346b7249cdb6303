/*
 * session - the lines between a client and a server, judged in both directions.
 *
 * It owns the two streams and the answers between them.  The relay puts what it
 * has read into a stream, has it judged, and sends what may be sent; so a
 * session is tested without a process or a descriptor.  A turn is
 *
 *	session_judge()    judges what has come
 *	upstream_next()    what may go to the server, then upstream_sent()
 *	downstream_next()  what may go to the client, then downstream_sent()
 *
 * The client's lines are in upstream.c, with the decision on each in decide.c
 * and the calls that wait for a person in asking.c; the server's are in
 * downstream.c.  All of these share the struct below.
 */
#ifndef SHIM_SESSION_H
#define SHIM_SESSION_H

#include "../parser/strbuf.h"
#include "../policies/policy.h"
#include "answer.h"
#include "approvals.h"
#include "log.h"
#include "pending.h"
#include "served.h"
#include "stream.h"

/* One line can cause one answer, or, if a list is unreadable, one for each that
 * is pending: half of the room for answers.  The other half is for the next. */
#define SESSION_ANSWERS (4 * ANSWER_BYTES)

/*
 * The client's call that was judged last.  While its limits are being counted,
 * its line stays at up.next, or aside, and is read again when the answer is
 * there: all else goes on, and may move the line in its buffer.
 */
struct current {
	struct judged judged; /* its verdict, and the questions to its limits */
	bool counting;        /* its limits are being counted, or have been: */
	enum counted answer;  /* COUNTED_LATER until then */
	struct approval *of;  /* its line lies there; or NULL: in the stream */
	int64_t approved; /* a person's yes, which is kept until then; or 0 */
	unsigned char digest[SHA256_BYTES]; /* of a call that asks */
	bool id_is_new;                     /* its id was not used before */
};

struct session {
	struct policy *policy;     /* the caller's */
	struct counters *counters; /* the session's, once it is open */
	bool uncounted;            /* reported: they are in trouble */
	size_t max_line; /* longest line judged, in bytes without its LF */

	/* Set by the caller after session_open(). */
	bool observe;          /* everything is judged and logged, and passes */
	struct log log;        /* the caller's to open and close */
	struct served *served; /* calls whose answers are logged; or NULL */

	/* What --observe reports on stderr where there is no log. */
	int64_t observed_due;  /* when the next line may come */
	size_t observed_count; /* what was not reported since */

	/* What has come so far, from either side. */
	enum { HEARD_NOTHING, HEARD_NOISE, HEARD_MESSAGE } heard;

	/* The client's lines, up to the server. */
	struct stream up;
	bool up_ended;    /* set by the caller: no more will be read */
	bool up_begun;    /* a line has passed */
	bool up_too_long; /* the rest of the line at next is left out */
	bool up_inside;   /* a part of a line was sent */
	struct current current;

	/* Calls that a person must approve. */
	struct approvals *approvals; /* NULL: no policy has asked so far */
	const char *const *server;   /* the caller's, see session_ask() */
	unsigned ways;
	bool elicits;           /* initialize declared it */
	struct approval *aside; /* its line goes up now; or NULL */
	size_t aside_sent;

	/* The server's bytes, down to the client. */
	struct stream down;
	bool down_ended; /* set by the caller, as up_ended */
	bool down_too_long;
	struct half down_half; /* what was passed on of the line at next */
	struct pending pending;
	bool tools_known; /* a complete list of tools has come */
	size_t unlocked;  /* tools of a line reported to differ from the lock */
	bool greeting;    /* the answer to initialize is pending */
	bool discover;    /* or that to server/discover, only to be logged */
	char greeting_id[MESSAGE_ID_BYTES + 2]; /* its id, as it is spelled */
	size_t greeting_len;
	unsigned changes; /* reply.changes of it */

	/* weir's answers, between the server's lines. */
	struct strbuf answers;
	size_t answers_sent;
	struct half client_half; /* what was sent of a line of the server's */
	bool client_inside;      /* that has begun, and has no end yet */
	bool breaking;           /* weir's own LF is to be sent first */
	bool break_reported;     /* one was sent before */
};

/* Allocates all that the session ever will, but for a reload.  The counters are
 * the session's from now on, also on failure; they may be NULL.  False: there
 * is no memory. */
bool session_open(struct session *s, struct policy *policy,
		  struct counters *counters, size_t max_line);
void session_close(struct session *s);

/* Says how else than in the client a person can be asked, a set of enum
 * policy_ask, and the server's words, for what a person is shown; the words
 * stay the caller's.  Without this, what a person must approve is refused.
 * False: there is no memory. */
bool session_ask(struct session *s, const char *const *server, unsigned ways);

/* Is there room for all answers that one line can cause? */
static inline bool session_has_room(const struct session *s)
{
	return s->answers.cap - s->answers.len >= SESSION_ANSWERS / 2;
}

/* Judges what has come, as far as there is room for what it can cause.  False:
 * nothing could be done until more is read, sent, counted or approved. */
bool session_judge(struct session *s);

/* It is so late now, of host_now(): see approvals_due(). */
void session_tick(struct session *s, int64_t now);

/* Judges by another policy from now on, and notifies the client if the server
 * promised list_changed.  Takes the counters; those before are freed.  False:
 * there is no room for that now, and nothing was done.  Call decide_drop()
 * first. */
bool session_reload(struct session *s, struct policy *policy,
		    struct counters *counters);

#endif
