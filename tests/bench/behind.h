/*
 * behind - a server that is started behind something, and spoken to.
 *
 * What goes wrong ends the program with a word: a figure of a session that
 * failed is none.
 */
#ifndef BENCH_BEHIND_H
#define BENCH_BEHIND_H

#include <stddef.h>
#include <sys/types.h>

struct behind {
	pid_t pid;
	int in, out; /* our ends of its 0 and 1 */
};

/*
 * Where the programs run, if there is more than one processor.  APART: ours and
 * the server on one, the relay on another, so that it is the relay that all
 * wait for.  TOGETHER: all on one, for what takes turns anyhow, where waking
 * another processor would cost more than all that is measured.  SCHEDULED: as
 * it comes.
 */
enum place { SCHEDULED, TOGETHER, APART };
void behind_place(enum place place);

/* Seconds, of a clock that goes on evenly. */
double behind_now(void);

/* Both lists end with NULL: the relay's words, then the server's. */
struct behind behind_start(const char *const *relay, const char *const *server);

void behind_write(const struct behind *b, const char *p, size_t len);

/* Reads count lines, which must be of len bytes each, and all that comes. */
void behind_lines(const struct behind *b, size_t count, size_t len);

/* Closes its stdin, waits until it has ended well. */
void behind_end(struct behind *b);

#endif
