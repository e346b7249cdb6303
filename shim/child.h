/*
 * child - the server: started, sent signals, waited for.
 *
 * The server gets what it would have got without weir: the same arguments,
 * environment, stderr, signal mask and dispositions, and of weir's descriptors
 * only the two pipes, as its 0 and 1.  It is killed when weir dies, and what it
 * leaves behind when it ends does not live on.
 */
#ifndef SHIM_CHILD_H
#define SHIM_CHILD_H

#include "system.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define EXIT_WEIR      125 /* weir itself failed */
#define EXIT_CANNOT    126 /* found, but could not be run */
#define EXIT_NOT_FOUND 127 /* not found */
#define EXIT_SIGNALED  128 /* plus the signal's number */

struct child {
	pid_t pid;        /* 0 once it has been waited for */
	bool apart;       /* it is no child of weir's: see child_adopt() */
	int pidfd;        /* readable once such a server has ended; else -1 */
	int in;           /* write end of its stdin; the caller's to close */
	struct room room; /* of that pipe */
	int out;          /* read end of its stdout; the caller's to close */
	int signals; /* a descriptor on which signals arrive; see system.h */
	int status;  /* for weir to exit with, once pid is 0 */
	bool begins; /* signals have come, perhaps before there was a server */
	bool reload; /* SIGHUP has come: the policy is to be read again */
	bool stop;   /* a signal came when there was no server any more */
	int came;    /* the last of these signals, or SIGHUP; 0: none */
	pid_t program;      /* another child; 0 once it has been waited for */
	int program_status; /* as of wait(2) then; -1: it did not start */
};

/*
 * Are 0 and 1 there, to speak to the client?  False: reported which is not.  A
 * stderr that is not becomes /dev/null for weir alone, closed again by exec, so
 * that nothing else lands on 2.
 */
bool child_standard(void);

/* Blocks SIGHUP until the relay takes it, and returns the mask as it was, for
 * the server; restores that. */
void child_hold(sigset_t *was);
void child_release(const sigset_t *was);

/*
 * Sees to it that all children are the server's.  A process that had some
 * before it became weir, those of a shell say, starts another, which goes on;
 * itself it closes all but stderr, passes signals on to that, and is no
 * subreaper.  False: it has ended, or could not be started, and *status is what
 * to exit with.
 */
bool child_apart(int *status);

/*
 * Runs argv[0], found in PATH, with the arguments argv and this signal mask,
 * and closes what it inherits from descriptor 3 up, which is now its alone.
 * False: it could not be run; reported, and child->status is what to exit with.
 * From here on signals are blocked and arrive at child->signals alone.
 */
bool child_start(struct child *child, char **argv, const sigset_t *mask);

/* A server that runs already, in a process that waits for the relay. */
struct running {
	pid_t pid;
	int pidfd;  /* the process; -1: it is weir's child */
	int in;     /* write end of its stdin */
	int out;    /* read end of its stdout */
	int notify; /* RUNNING_UP is written to it; -1 once it is closed */
};

#define RUNNING_UP 'u'

/* Writes one byte to the descriptor.  False: nobody waits there. */
bool child_notify(int notify, char what);

/*
 * As child_start(), for such a server, which may go on then.  To one that is
 * no child of weir's no signals are passed on, as it gets them itself; none of
 * them ends weir, and what it ends with is not known: the status is 0.
 */
bool child_adopt(struct child *child, struct running *server);

/* Takes the signals that have arrived: passes them on to the server, notes
 * its end.  To be called when signals or pidfd is readable; never blocks. */
void child_signals(struct child *child);

/* Ends what the server has left behind, its children's children too, which
 * became weir's when it ended: SIGTERM, and SIGKILL a second later, or once a
 * signal asks weir itself to end.  Five seconds later it gives up. */
void child_clear(struct child *child);

#endif
