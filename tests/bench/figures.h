/*
 * figures - what was measured, and the line that is printed of it.
 *
 * A row has the samples of weir and of its yardstick, taken in turns, so that a
 * busy machine is busy for both.  The ratio is the median of the ratios of the
 * pairs; the columns are the medians of each.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#define ROUNDS_MAX 25

/* What is held against the goal. */
enum judged {
	RATIO_AT_MOST,
	RATIO_AT_LEAST,
	VALUE_AT_MOST, /* weir's own column */
	LESS_AT_MOST,  /* weir's column less the yardstick's */
};

struct row {
	const char *name;
	const char *unit;
	double weir[ROUNDS_MAX], yard[ROUNDS_MAX];
	size_t rounds; /* samples of each */
	bool alone;    /* there is no yardstick */
	enum judged judged;
	double goal;
};

double figures_median(const double *samples, size_t count);

/* The smallest one that is not below so much of the samples; sorts them. */
double figures_quantile(double *samples, size_t count, double part);

/* name, weir, yardstick, ratio, goal, ok or short, spread: tabs between, on
 * stdout.  Not judged: "-" for ok. */
void figures_print(const struct row *row, bool judge);

/* A row that could not be measured, and why. */
void figures_skip(const char *name, const char *why);

#endif
