/*
 * asker - WEIR_ASK: a program that asks a person, and what it says.
 *
 * It is started with one argument, a fixed sentence; with the text on stdin;
 * and with what the server gets: its environment, but for what begins WEIR_,
 * and stderr.  It has default signals and its own process group.
 *
 * It says yes only if it has read all of the text, has written the line "yes"
 * and nothing else to stdout, which nobody has open any more, and then ends
 * with status 0.  All else is a no.  When it has ended, or is stopped, the rest
 * of its group is killed.
 *
 * One runs at a time.  Nothing here waits, or allocates after the start.
 */
#ifndef SHIM_ASKER_H
#define SHIM_ASKER_H

#include "../parser/strbuf.h"
#include "child.h"

#include <poll.h>

enum { ASKER_POLLED = 2 };

struct asker {
	const char *program; /* NULL: there is none; the environment's */
	char **environment;  /* the program's; owned */
	struct child *child; /* the caller's; reaps it */
	struct strbuf text;  /* what is on its stdin; its memory is owned */
	size_t sent;         /* bytes of it */
	int in, unread;      /* its stdin: write end, read end; -1: closed */
	int out;             /* its stdout; -1: closed */
	char said[5];        /* of that: "yes\n", and what is too much */
	size_t said_len;
	pid_t group; /* its process group, which is to be killed; 0: none */
	bool asking; /* its answer is awaited */
};

/* Reads WEIR_ASK.  False: it names no program; reported. */
bool asker_open(struct asker *a, struct child *child);
void asker_close(struct asker *a);

/* May another be started?  Then its text may be written. */
bool asker_free(const struct asker *a);

/* Starts it with what a->text holds. */
void asker_start(struct asker *a);

/* Kills it: its answer is not awaited any more. */
void asker_stop(struct asker *a);

/* What to wait for.  A child's end is a signal, which the child takes. */
void asker_poll(const struct asker *a, struct pollfd p[ASKER_POLLED]);

/* Goes on, after poll() and child_signals(). */
enum asker_answer { ASKER_LATER, ASKER_YES, ASKER_NO };
enum asker_answer asker_go_on(struct asker *a);

#endif
