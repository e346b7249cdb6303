/*
 * approvals - what waits for a person in this session, and what they said.
 *
 * The session puts a call here (asking.h), whoever asks a person answers it
 * (approvals_answer()), and the session does the rest when it judges next.  All
 * of it is one mapping, reserved at the start and touched when it is used;
 * after that nothing is allocated, and nothing waits.  It dies with the
 * session.
 *
 * A yes and a no are bound to a digest: SHA-256 of the session, the server's
 * words, the method, the params (the bytes, but for _meta and the answers of a
 * person), the policy and the rules that ask.
 *
 * Times are in nanoseconds of host_now().
 */
#ifndef SHIM_APPROVALS_H
#define SHIM_APPROVALS_H

#include "../parser/elicit.h"
#include "../parser/strbuf.h"
#include "../policies/policy.h"

#define APPROVALS_MAX   16 /* waiting at a time */
#define APPROVALS_SLOTS 32 /* these, and what was refused without an answer */
#define APPROVALS_LINE  ((size_t)1 << 20) /* bytes of a call that waits */
#define APPROVALS_KEPT  128 /* answers; more than come while one is kept */
#define APPROVALS_RATE  10  /* questions a minute */
#define APPROVALS_KEEP  INT64_C(600000000000) /* 10 minutes, for an answer */
#define APPROVALS_TEXT  2000 /* characters that a client is asked to show */

/* "weir-" and 32 hexadecimal digits. */
#define APPROVALS_ID 37

enum approval_state {
	APPROVAL_FREE,
	APPROVAL_HELD,    /* its line lies here, and the client waits */
	APPROVAL_REPEAT,  /* answered input_required: the client repeats it */
	APPROVAL_EXPIRED, /* refused, for nobody answered: still listed */
	APPROVAL_DECIDED, /* the session is about to settle it */
	APPROVAL_PASSING, /* a yes: its line is to go to the server */
	APPROVAL_GOING,   /* it goes */
};

/* Who or what decided. */
enum approval_way {
	APPROVAL_CLIENT,
	APPROVAL_TERMINAL,
	APPROVAL_PROGRAM,
	APPROVAL_TIMEOUT,
	APPROVAL_CANCELLED, /* by the client, which wants no answer */
	APPROVAL_RELOADED,  /* the policy has changed */
	APPROVAL_ENDED,     /* the client's input or the server has ended */
};

struct approval {
	enum approval_state state;
	uint64_t serial; /* of the question in this session, never used again:
			    tells whether a slot is still the same question */
	uint64_t number; /* for people, set and used by the door; 0: none yet */
	unsigned char digest[SHA256_BYTES];
	int64_t since, until; /* until: the question, or EXPIRED, ends then */
	int64_t progress;     /* when the client is told next; -1: never */
	unsigned ways; /* how it may be answered, a set of enum policy_ask */
	char *line;    /* the slot's own memory, with its line end */
	size_t len;
	size_t body;      /* without its line end */
	struct message m; /* points into the line */
	struct text name; /* the tool, prompt, resource or method, as spelled */
	struct span arguments; /* or params; ptr is NULL if there are none */
	struct span token;     /* params._meta.progressToken, or none */
	bool id_is_new;        /* its id was not used before */
	/* Copies of what the rules say, each rule and reason as struct ask has
	 * them: "/tools/pay: over 500", one a line, escaped; and who must say
	 * yes, "USER" or "@GROUP", all of them, each with a NUL behind it. */
	char rules[2048], by[512];
	size_t by_count;
	char first[1024];            /* the first rule, for the answer */
	enum policy_section section; /* of that rule */
	bool cut;                    /* rules has not all of them */
	/* The id of the question that the client has not answered, with a NUL;
	 * "": there is none. */
	char question[APPROVALS_ID + 1];
	/* Once DECIDED: */
	bool waits; /* it was HELD: the client waits for an answer; of EXPIRED:
		       the client knows */
	bool yes;
	enum approval_way way;
	char who[64]; /* for the log; "" if not known */
};

struct approvals;

/* Reserves all of it.  server: its words, NULL-ended, the caller's as long; may
 * be NULL.  NULL: no memory, or no random bits. */
struct approvals *approvals_open(const char *const *server);
void approvals_close(struct approvals *a);

/* The slot of this index below APPROVALS_SLOTS, of any state.  People are shown
 * HELD, REPEAT and EXPIRED ones whose ways have POLICY_ASK_TERMINAL. */
struct approval *approvals_slot(struct approvals *a, size_t index);

/*
 * A person has answered.  The first answer wins.  HELD: the session passes the
 * call on or refuses it, and withdraws the question in the client.  REPEAT,
 * EXPIRED: the answer is kept for APPROVALS_KEEP; a yes lets one identical call
 * pass, a no refuses them.  The session does this when it judges next.  False:
 * it is answered already.
 */
bool approvals_answer(struct approval *of, bool yes, enum approval_way way,
		      const char *who);

/*
 * What a person is shown, UTF-8 that a terminal may print, lines ended by LF:
 * that weir asks, for which server; the tool, the rules and their reasons; the
 * arguments; and what else the digest covers of params.  Appends at most this
 * many characters.  False: it was not all.
 */
bool approval_text(const struct approvals *a, const struct approval *of,
		   struct strbuf *out, size_t most);

/* When session_tick() is due; -1: never. */
int64_t approvals_due(const struct approvals *a);

/* ---- for the session ------------------------------------------------- */

/* False: the call is longer than one that waits, and is not looked through. */
bool approvals_digest(const struct approvals *a, const struct policy *policy,
		      const struct message *m, const struct ask *ask,
		      unsigned char digest[SHA256_BYTES]);

/* A slot for one more question, which is free until it has another state.
 * NULL: *why says so. */
struct approval *approvals_take(struct approvals *a, int64_t now,
				const char **why);
void approvals_release(struct approval *of);

/* The question is asked now: it is one of those of the minute.  client: gives
 * it an id for the client. */
void approvals_ask(struct approvals *a, struct approval *of, int64_t now,
		   bool client);

/* The first slot of this state, and of this digest unless that is NULL. */
struct approval *approvals_find(struct approvals *a, enum approval_state state,
				const unsigned char *digest);

/* Is it an id that a question of this session has, or had? */
bool approvals_issued(const struct approvals *a, struct span id);

/* The call with this id, of those that have not gone; the HELD one whose
 * question has this id; or NULL. */
struct approval *approvals_call(struct approvals *a, struct span id);
struct approval *approvals_asked(struct approvals *a, struct span id);

/* The client gives up its call. */
void approvals_cancel(struct approval *of);

/* Keeps an answer until that time, in the place of an older one. */
void approvals_keep(struct approvals *a, const unsigned char *digest, bool yes,
		    int64_t until);

/* Until when an answer is kept, which is taken out if it is a yes.  0: there is
 * none. */
int64_t approvals_kept(struct approvals *a, const unsigned char *digest,
		       bool *yes);

/*
 * A server may answer an approved call with input_required (MCP 2026-07-28):
 * the client's next call of this digest, with the requestState of that answer
 * or none if it had none, continues it.  uses: the client sends a request with
 * this id, which answers nothing else from now on; is it the first?  passed: a
 * call whose id was used once goes to the server.  await: the server's lines
 * are to be read for its answer.
 */
bool approvals_uses(struct approvals *a, struct span id);
void approvals_passed(struct approvals *a, const unsigned char *digest,
		      struct span id, int64_t now);
bool approvals_await(const struct approvals *a);
void approvals_replied(struct approvals *a, struct span id, struct span result);
bool approvals_continues(struct approvals *a, const unsigned char *digest,
			 const struct elicit_call *call);

/* Decides all that waits: a no; also what a person has said yes to, if that has
 * not begun to go. */
void approvals_end(struct approvals *a, enum approval_way way, bool said);

/* Time has come this far. */
void approvals_tick(struct approvals *a, int64_t now);

#endif
