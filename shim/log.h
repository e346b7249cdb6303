/*
 * log - one JSON line for each decision, appended to a file.
 *
 *   {"time":"2026-01-31T12:00:00.000Z","verdict":"refused","method":"tools/call",
 *    "name":"pay","id":7,"rule":"/tools/pay/limits/0","reason":"..."}
 *
 * verdict is passed, hidden, refused, malformed or dropped.  name, method and
 * id are there if the message has them; rule and reason if it was not passed;
 * "observed":true if it was passed all the same; "waitedMs" if it had to wait
 * for its limits to be counted.  Messages that nothing weighs,
 * a ping say, are no decision.
 *
 * A line is written at once, so that several processes may share a file.  One
 * that cannot be written is reported, the first of several; one that was
 * written in part becomes a blank line.  Nothing waits for the log: a named
 * pipe without a reader does not open, and one that is full is one that cannot
 * be written.
 */
#ifndef SHIM_LOG_H
#define SHIM_LOG_H

#include "../policies/policy.h"

struct log {
	int fd;        /* -1: nothing is logged; owned */
	bool failed;   /* the last line could not be written */
	bool torn;     /* a part of it could: a line end comes first */
	bool once;     /* no regular file, or a descriptor: never reopened */
	bool reported; /* and that was reported */
};

/* Opens or makes the file at path, mode 0600.  False: errno, ENXIO if it is a
 * pipe without a reader or a socket. */
bool log_open(struct log *log, const char *path);
void log_close(struct log *log);

/* Opens the file that is at path now.  What fails, or is no regular file, is
 * told on stderr, and the log goes on as it is. */
void log_reopen(struct log *log, const char *path);

/* A message that was judged, and how long that had to wait, in nanoseconds. */
void log_verdict(struct log *log, const struct message *m,
		 const struct verdict *v, int64_t waited, bool observed);

/* A line that was not understood, with the id that its answer has. */
void log_fault(struct log *log, struct span id, const struct fault *fault,
	       bool observed);

/* A warning, which is no decision: {"time":"...","warning":"..."} */
void log_warning(struct log *log, const char *text);

/* The name of a verdict. */
const char *log_word(enum verdict_kind kind);

#endif
