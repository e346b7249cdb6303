/*
 * windows - what counters hold in memory: sliding windows of calls and sums.
 *
 * A counter of calls keeps the time of each of the last calls, as many as its
 * largest max, and is exact.  One of sums keeps what was spent in each 64th
 * part of each of its windows, and forgets a part once all of it is outside: it
 * may be a 64th of a window stricter than exact, never looser.  A counter with
 * "per" keeps that for each value; one that has run out makes room for another.
 *
 * All memory is reserved by windows_new(); asking and counting take the same
 * time whatever max is.  Times never go back: an earlier one counts as the
 * latest of its value.
 */
#ifndef POLICIES_WINDOWS_H
#define POLICIES_WINDOWS_H

#include "counters.h"

#define WINDOWS_PARTS 64 /* of a window, in which sums are kept */

struct value;
struct part;

/* What one counter holds. */
struct count {
	const struct counter *counter;
	int64_t longest; /* for who keeps the history: the longest window known,
			    at first the counter's */
	bool more;       /* and whether another needs more than is kept here */
	struct value *values; /* of "per"; one without */
	size_t room, used;    /* of them */
	uint32_t oldest,
		newest;     /* by the last call; an index from 1, 0: none */
	uint32_t *heads;    /* of a value's hash: its first index */
	uint32_t mask;      /* of heads */
	uint64_t places;    /* of calls, for each value */
	int64_t *times;     /* of calls: a ring for each value */
	struct part *parts; /* of sums: a ring for each value and window */
	int64_t shut;       /* unknown values are refused until then */
};

struct windows {
	struct count *counts;
	size_t n;
	struct count **of; /* by the counter's index; or NULL */
	struct {
		uint64_t id;
		struct count *count; /* or NULL */
	} * by_id;                   /* open addressing */
	size_t mask;                 /* of by_id */
};

/* Nothing is counted yet.  before, or NULL: what held the same until now; no
 * less of a counter is kept.  NULL: out of memory. */
struct windows *windows_new(const struct counter *const *counters, size_t n,
			    const struct windows *before);
void windows_free(struct windows *w);

/* Forgets all, or all of one counter. */
void windows_clear(struct windows *w);
void windows_clear_one(struct count *c);

/* The counter of this id, or NULL. */
struct count *windows_find(const struct windows *w, uint64_t id);

/* Fills in the answer; true if the limit allows the call.  windows_tell(): with
 * all that is said where nothing is counted. */
bool windows_ask(const struct windows *w, struct question *q, int64_t now);
bool windows_tell(const struct windows *w, struct question *q, int64_t now);

/* Counts a call that all allow: once in each counter and value. */
void windows_count(struct windows *w, const struct question *q, size_t n,
		   int64_t now);
/* What question i of a call adds, or 0 if one before it has added it. */
uint64_t windows_amount(const struct question *q, size_t n, size_t i);

void windows_add(struct count *c, uint64_t value, int64_t time,
		 uint64_t amount);

/* What was counted, piece by piece, so that it can be kept elsewhere: the times
 * of calls, or, for the windows that are longer than low and at most high, the
 * sums. */
struct piece {
	uint64_t id, value;
	bool sum;
	int64_t low, high;
	const int64_t *words; /* times, or pairs of time and amount */
	size_t n;             /* words; at most PIECE_WORDS */
};
#define PIECE_WORDS 1024
typedef bool windows_take(void *context, const struct piece *p);

/* Each piece of a counter, the oldest first.  False: take returned that. */
bool windows_each(const struct count *c, windows_take *take, void *context);

/* A windows_take: context is the windows that it goes into. */
bool windows_put(void *context, const struct piece *p);

#endif
