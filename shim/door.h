/*
 * door - the Unix socket on which weir approve reaches this session.
 *
 * It is STATEDIR/approve/HOST.N.  The directory is this user's, with mode 0700,
 * and the socket has 0600; where a rule of the policy has approve_by, 0755 and
 * 0666: then the peer's user and groups decide (SO_PEERCRED, SO_PEERGROUPS),
 * for which names were looked up before.  N and the numbers that people see are
 * positions in STATEDIR/approve/numbers, a file that each grows by a byte: so
 * none is used twice.  What a killed session leaves is removed by the next weir
 * of this machine, HOST, that finds it.
 *
 * A peer sends one line, and gets a reply, up to the end:
 *
 *	list         a record a line: NUMBER waits|expired AGE LEFT DIGEST NAME
 *	             SERVER, separated by tabs, times in seconds; "end"
 *	show N       its record; what a person is shown, all of it; "end"
 *	yes N DIGEST
 *	no N DIGEST  "done"; or "gone": nothing waits as N; "changed": but its
 *	             digest is another; "denied": not by this user
 *
 * Names in it are UTF-8 that a terminal may print.  A peer is shown what it may
 * answer, and this user everything.
 *
 * Nothing here blocks; there is room for few peers, with little time for each,
 * and who has sent nothing yet makes room for the next.
 */
#ifndef SHIM_DOOR_H
#define SHIM_DOOR_H

#include "../policies/policy.h"
#include "approvals.h"

#include <poll.h>
#include <sys/types.h>

enum {
	DOOR_PEERS = 8,
	DOOR_POLLED = DOOR_PEERS + 1,
	DOOR_APPROVERS = 64, /* different approve_by of a policy */
};
#define DOOR_NAME    128 /* bytes of the socket's name */
#define DOOR_REQUEST 128 /* bytes of a request */
#define DOOR_SERVER  128 /* bytes of the server's words */
/* Of a reply: a call of 1 MiB, each of its bytes escaped, and other words. Only
 * what is written to is ever in memory. */
#define DOOR_REPLY     (7 * APPROVALS_LINE)
#define DOOR_NUMBERS   "numbers"
#define DOOR_DIRECTORY "approve"

struct door_approver {
	const char *by; /* the policy's */
	bool known;     /* is there such a user or group? */
	id_t id;
};

struct door_peer {
	int fd;        /* -1: none */
	int64_t since; /* of host_now() */
	pid_t pid;
	uid_t uid;
	uint64_t approver; /* bits: which approve_by it meets */
	char request[DOOR_REQUEST];
	size_t got;
	bool answers; /* the request is there */
	struct strbuf reply;
	size_t sent; /* of it */
	int polled;  /* where its descriptor is, for poll() */
};

struct door {
	struct approvals *approvals; /* set by the caller; NULL: none wait */
	int listener;                /* -1: there is no door */
	int polled;    /* where that is, for poll(); -1: nobody is let in */
	int64_t rests; /* until then nobody is let in */
	int directory, numbers;
	char name[DOOR_NAME];
	char server[DOOR_SERVER]; /* its words, cut */
	struct door_approver approvers[DOOR_APPROVERS];
	size_t approver_count;
	struct door_peer peers[DOOR_PEERS];
	char *replies;   /* owned: DOOR_REPLY for each */
	bool unnumbered; /* reported: a call could not be numbered */
};

/*
 * Makes the door in this state directory, and all of the way to it.  False:
 * reported why there is none, and the door is closed.
 */
bool door_open(struct door *d, const char *state, const struct policy *policy,
	       const char *const *server);
void door_close(struct door *d);

/* Who may approve by another policy.  Peers are sent away. */
void door_reload(struct door *d, const struct policy *policy);

/* What to wait for, which is so many; *due becomes earlier if something is to
 * be done before. */
int door_poll(struct door *d, struct pollfd p[DOOR_POLLED], int64_t now,
	      int64_t *due);

/* Goes on, after poll(). */
void door_go_on(struct door *d, const struct pollfd p[DOOR_POLLED],
		int64_t now);

/* ---- for whoever knocks ---------------------------------------------- */

/*
 * Opens STATEDIR/approve, and makes it if that is wanted.  -1: errno; or 0, and
 * *why says what is wrong with it.
 */
int door_directory(const char *state, bool make, const char **why);

/*
 * Connects to the socket of this name, without waiting, if it is the owner's of
 * the directory.  -1: errno; ECONNREFUSED: nobody is there any more, and it was
 * removed if it is of this machine; EAGAIN: there is no room now.
 */
int door_knock(int directory, const char *name);

/* What errno says, after door_directory() or door_knock(). */
const char *door_error(void);

/* Visits the names of all sockets, until one visit says that it is done: true
 * then. */
typedef bool door_visit(void *context, const char *name);
bool door_each(int directory, door_visit *visit, void *context);

#endif
