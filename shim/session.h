/*
 * session - what is done with each line, in both directions.
 *
 * It owns the two streams and the answers between them, judges what has been
 * read, and says what may be sent; who reads and sends, and when, is up to the
 * relay.  So it can be tested without a process or a descriptor.
 */
#ifndef SHIM_SESSION_H
#define SHIM_SESSION_H

#include "../parser/strbuf.h"
#include "../policies/policy.h"
#include "approvals.h"
#include "pending.h"
#include "log.h"
#include "served.h"
#include "stream.h"

/*
 * The client's call whose verdict takes time.  While it is being counted, its
 * line stays at up.next, and is read again when the answer is there: all else
 * goes on, and may move the line in its buffer.  A call that waits for a person
 * is copied to a slot of the approvals (asking.h), and leaves the stream.
 */
struct held {
	struct judged judged; /* the last message; its questions stay here */
	bool counting;        /* its limits are being counted, or have been: */
	enum counted answer;  /* COUNTED_LATER until then */
	int64_t since;        /* when it was asked; of grant_now() */
	int64_t waited;       /* nanoseconds */
	struct approval *of;  /* the line lies there instead; or NULL */
	int64_t approved; /* a person's yes, which is kept until then; or 0 */
	unsigned char digest[SHA256_BYTES]; /* of a call that asks */
	bool unused;                        /* its id was not used before */
};

struct session {
	struct policy *policy;     /* the caller's */
	struct counters *counters; /* the caller's until session_open() */
	bool uncounted;            /* reported: they are in trouble */
	size_t max_line; /* longest line weighed, in bytes without its LF */
	bool observe;    /* everything is judged and logged, and passes */
	struct log log;  /* the caller's to open and close */

	/* What --observe reports on stderr where there is no log. */
	int64_t observed_due;  /* when the next line may come */
	size_t observed_count; /* what was not reported since */

	/* What has come so far, from either side. */
	enum { HEARD_NOTHING, HEARD_NOISE, HEARD_MESSAGE } heard;

	struct stream up; /* client to server */
	bool up_ended;    /* set by the caller: no more will be read */
	bool up_begun;    /* a line has passed */
	bool up_too_long; /* the rest of the line at next is left out */
	struct held held;

	/* Calls that a person must approve. */
	struct approvals *approvals; /* NULL: no policy has asked so far */
	const char *const *server;   /* the caller's, see session_ask() */
	unsigned ways;
	bool elicits;           /* initialize declared it */
	struct approval *aside; /* its line goes up now; or NULL */
	size_t aside_sent;
	bool up_inside; /* a part of a line went up */

	struct stream down; /* server to client */
	bool down_ended;
	bool down_too_long;
	struct half down_half; /* what was passed on of the line at next */
	struct pending pending;
	bool tools_known; /* a complete list of tools has come */
	size_t unlocked;  /* tools of a line told not to be as they are locked
			   */
	bool greeting;    /* the answer to initialize is pending */
	bool discover;    /* or that to server/discover, only to be logged */
	char greeting_id[MESSAGE_ID_BYTES + 2]; /* its id, as it is spelled */
	size_t greeting_len;
	unsigned changes;      /* reply.changes of it */
	struct served *served; /* calls whose answers are logged; or NULL */

	struct strbuf answers;
	size_t answers_sent;
	struct half client_half; /* what was sent of a line */
	bool client_inside;      /* that has begun, and has no end yet */
	bool breaking;           /* an LF of weir's own is to be sent first */
	bool broken;             /* reported: one was */
};

/* Everything that is ever allocated; observe, log and served are set after it.
 *  Takes
 * the counters, which may be NULL.  False: there is no memory. */
bool session_open(struct session *s, struct policy *policy,
		  struct counters *counters, size_t max_line);
void session_close(struct session *s);

/* Says how a person can be asked but in the client, a set of enum policy_ask,
 * and the server's words, for what they are shown: both stay the caller's.
 * Without this, what a person must approve is refused.  False: there is no
 * memory. */
bool session_ask(struct session *s, const char *const *server, unsigned ways);

/* Judges by another policy from now on, and notifies the client if the server
 * promised list_changed.  Takes the counters; those before are freed.  False:
 * there is no room for that now, and nothing was done. */
bool session_reload(struct session *s, struct policy *policy,
		    struct counters *counters);

/* Judges what has come, as far as there is room for what it can cause.  False:
 * nothing could be done until more is read, sent or counted. */
bool session_judge(struct session *s);

/* What counters_poll() named has come, or its time: the counters go on. */
void session_resume(struct session *s);

/* Gives up what is being counted, for another policy: the line is judged
 * again.  It may have been counted. */
void session_drop(struct session *s);

/* It is so late now, of grant_now(): see approvals_due(). */
void session_tick(struct session *s, int64_t now);

/* What may go to the server now, and its length, 0 if nothing; one: no more
 * than one line.  A call that was laid aside never stands inside a line. */
const char *session_up(const struct session *s, size_t *len, bool *one);

/* The first len > 0 bytes of that have been sent. */
void session_up_sent(struct session *s, size_t len);

/* Has all gone up that ever will? */
bool session_up_ended(const struct session *s);

/* What may go to the client now, and its length, 0 if nothing: bytes of the
 * server, or answers, which never stand inside a line of the server's. */
const char *session_down(const struct session *s, size_t *len);

/* Do answers wait for the end of half a line that begins like no message, with
 * nothing else to send? */
bool session_stuck(const struct session *s);

/* Ends that line: what the server writes next is the begin of one. */
void session_break(struct session *s);

/* The first len > 0 bytes of that have been sent. */
void session_down_sent(struct session *s, size_t len);

/* Nobody reads what goes up, or down: forgets it. */
void session_forget_up(struct session *s);
void session_forget_down(struct session *s);

#endif
