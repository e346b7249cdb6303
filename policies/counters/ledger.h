/*
 * ledger - what limits have counted.
 *
 * A ledger holds meters, each of one of two kinds.  One of calls knows when
 * each of the last calls was, and is exact.  One of sums knows how much was
 * spent in each 64th part of a window, and forgets a part once all of it is
 * outside: so it may be a 64th of a window stricter than exact, never looser.
 * Asking and counting take the same time whatever a limit's max is.
 *
 * It lies in a store: in memory, for one process, or in a file, for all of one
 * grant and for those that come after.  A call is one transaction:
 *
 *   ledger_begin(), ledger_ask() for each limit, ledger_commit(), ledger_end()
 *
 * which all meters count, or, wherever it is killed, none.  After a commit the
 * call may go on; before it nothing is counted.
 *
 * Time.  A file's own time goes on with the machine's clock since boot, which
 * all processes share and nobody sets.  Across a boot it goes on with the wall
 * clock, and it is never earlier than what was counted last: so a clock that
 * was set gives at most one more window's worth, and keeps nothing waiting for
 * longer than one window.
 *
 * For policies/ alone, but for the clock, which is the caller's to give.
 */
#ifndef POLICIES_LEDGER_H
#define POLICIES_LEDGER_H

#include "../policy.h"
#include "store.h"

#define LEDGER_PARTS     64 /* of a window, in which sums are kept */
#define LEDGER_ASKED_MAX 64 /* meters that one call may have */

enum meter_kind { METER_CALLS = 1, METER_SUM = 2 };

/* Where a counter stands in a ledger; made by ledger_bind(). */
struct meter {
	enum meter_kind kind;
	uint64_t base; /* hash of what is counted: the section, the entry and
			  the counter's name */
	uint64_t key;  /* hash of that and, of sums, the window and the path */
	uint64_t places; /* of calls: at least the limit's max, and one more */
	int64_t width;   /* of sums: a 64th of the window, in nanoseconds */
	uint64_t at;     /* offset in the store; 0 before it is bound */
	uint64_t like;   /* of another to begin with; for ledger_bind() */
	bool same;       /* that one has the same key */
	size_t tag;      /* the caller's */
};

/* A 32 byte piece of a store that is written at once, or not at all. */
struct record {
	uint64_t a, b, c;
	uint64_t check; /* of these and of where it stands */
};

/* A meter that was asked in this transaction: what its record will be. */
struct asked {
	uint64_t at; /* of the record */
	struct record record;
	uint64_t slot; /* of a meter of calls: where the time goes; else 0 */
};

struct ledger {
	struct store store; /* with the trouble of the last transaction */
	struct policy_clock clock;
	uint64_t generation; /* of the meters' places, as ledger_bind() left
				them; 0: they have to be bound anew */
	uint64_t end;        /* of the meters */
	int64_t now; /* of the ledger, while a transaction is under way */
	struct asked asked[LEDGER_ASKED_MAX];
	size_t asked_count;
};

/* An empty ledger in memory, whose time is what ledger_begin() is told. */
void ledger_memory(struct ledger *l);

/* The ledger in the file at path, made if it is not there, and its meters not
 * bound yet.  False: trouble. */
bool ledger_file(struct ledger *l, const char *path, struct policy_clock clock);

/* The same in memory, for one who only asks; begins at its now. */
bool ledger_copy(struct ledger *l, const char *path, struct policy_clock clock);

void ledger_close(struct ledger *l);

/*
 * Finds or makes the meters, which are sorted by base.  A new one begins with
 * what another of the same base and kind has counted, if there is one: in
 * from, which may be NULL, else in l.  False: trouble.
 */
bool ledger_bind(struct ledger *l, struct meter *meters, size_t count,
		 struct ledger *from);

enum ledger_ready {
	LEDGER_READY,
	LEDGER_MOVED, /* the meters have to be bound anew: then begin again */
	LEDGER_TROUBLE
};

/* Begins a transaction, at the time now if the ledger is in memory.  Only when
 * it is ready has one begun. */
enum ledger_ready ledger_begin(struct ledger *l, int64_t now);

/* How long until a call, or an amount, is allowed: 0 is now, -1 is never.  A
 * meter of sums counts the amount, in millionths.  False: trouble. */
bool ledger_ask(struct ledger *l, const struct meter *m, uint64_t max,
		int64_t length, uint64_t amount, int64_t *wait);

/* Counts the call in all meters that were asked.  False: trouble, and it is not
 * counted. */
bool ledger_commit(struct ledger *l);
void ledger_end(struct ledger *l);

/* What a meter has counted in the last length nanoseconds. */
bool ledger_used(struct ledger *l, const struct meter *m, int64_t length,
		 uint64_t *used);

/* Forgets what the meter has counted, within a transaction. */
bool ledger_reset(struct ledger *l, const struct meter *m);

#endif
