/*
 * log_count - what the lines of a log amount to, in constant memory.
 *
 * The first COUNT_ROWS tools have a row each, and the others one together; so
 * have rules, and people.  Times lie in buckets whose bounds are a 16th of
 * their value apart: a quantile is at most 3 % off.
 */
#ifndef SHIM_LOG_COUNT_H
#define SHIM_LOG_COUNT_H

#include "../../policies/policy.h"
#include "log_lines.h"

#define COUNT_ROWS    256
#define COUNT_PAIRS   1024
#define COUNT_NAMES   2048
#define COUNT_TEXT    ((size_t)512 << 10) /* bytes of all names */
#define COUNT_NAME    ((size_t)6 << 10)   /* of one, decoded */
#define COUNT_RUNS    4096                /* processes with refusals at once */
#define COUNT_REPEATS 5                   /* refusals in a row that are told */
#define COUNT_BUCKETS (16 + 36 * 16)      /* up to 2^40 us */
#define COUNT_SPANS   512                 /* of time, that are kept */
#define COUNT_SHOWN   64                  /* and are shown, at most */

/* By enum verdict_kind, from VERDICT_PASS on. */
enum { COUNT_KINDS = VERDICT_DROPPED + 1 };

/* A text of the log that is counted by. */
struct name {
	const char *text; /* decoded, not ended */
	size_t len;
	uint32_t hash;
	char kind;    /* 't': tool, 'm': method, 'r': rule, 'w': person */
	uint16_t row; /* of a tool or method; 0: (others) */
};

/* Calls of a tool, or messages of a method that calls none. */
struct count_row {
	const struct name *name; /* NULL: (others) */
	uint64_t kinds[COUNT_KINDS];
	uint64_t calls;      /* the sum of these */
	uint64_t refused;    /* those that VERDICT_PASS is not among */
	uint64_t observed;   /* refused, and let through all the same */
	uint64_t asked;      /* questions to people */
	uint64_t answers;    /* of the server */
	uint64_t errors;     /* of these */
	uint64_t bytes[2];   /* of calls, and of answers */
	int64_t first, last; /* microseconds since 1970; INT64_MIN: none */
	uint32_t times[COUNT_BUCKETS]; /* of the answers */
};

/* A rule that refused calls of a row; or a person who was asked about some. */
struct count_pair {
	const struct name *name; /* NULL: (others) */
	uint16_t row;
	uint64_t count; /* refused; said yes */
	uint64_t no;    /* said no */
	uint64_t none;  /* said nothing */
	uint64_t runs;  /* COUNT_REPEATS refusals or more in a row */
	uint64_t longest;
};

struct count {
	/* What is counted. */
	int64_t since;    /* INT64_MIN: all */
	const char *glob; /* of tools; NULL: all */
	bool refused;     /* only what was */

	uint64_t lines;             /* of the files, but blank ones */
	uint64_t unread;            /* that are no lines of weir's */
	uint64_t words[LINE_WORDS]; /* since, by what they are about */
	uint64_t lost;              /* that could not be written */
	struct count_row rows[COUNT_ROWS];
	struct count_pair pairs[COUNT_PAIRS];
	size_t row_count, pair_count; /* the first is (others) */
	/* Set by count_end(): all rows; what is not empty, the most first. */
	struct count_row sum;
	const struct count_row *row_order[COUNT_ROWS];
	const struct count_pair *pair_order[COUNT_PAIRS];
	size_t rows_shown, pairs_shown;

	/* Calls over time: span i begins at (first_span + i) * width. */
	int64_t width, first_span; /* seconds */
	size_t spans;
	uint32_t over_time[COUNT_SPANS][COUNT_KINDS];

	/* The last refusals of processes. */
	struct streak {
		int64_t pid;
		uint64_t length;
		size_t pair;
	} streaks[COUNT_RUNS];
	size_t name_count;
	struct name names[COUNT_NAMES];
	uint16_t slots[2 * COUNT_NAMES]; /* indexes of names, + 1, by hash */
	uint16_t pair_slots[2 * COUNT_PAIRS];
	size_t text_len;
	char text[COUNT_TEXT];
};

/* The caller frees it.  NULL: out of memory, reported. */
struct count *count_new(void);

/* Counts a line. */
void count_add(struct count *c, const struct log_line *line);

/* Is the line one of those that are counted? */
bool count_wants(const struct count *c, const struct log_line *line);

/* Why nobody answered the question that an approval is about; NULL: somebody
 * did, or it is asked. */
const char *count_unanswered(const struct log_line *line);

/* Adds all up: sum, the orders, at most COUNT_SHOWN spans. */
void count_end(struct count *c);

/* The time in microseconds below which lie so many of 100 answers; -1: there
 * are none. */
int64_t count_quantile(const struct count_row *row, unsigned percent);

#endif
