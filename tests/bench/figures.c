/* Samples and rows.  The contract is in figures.h. */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double figures_quantile(double *samples, size_t count, double part)
{
	size_t at = (size_t)(part * (double)count);

	qsort(samples, count, sizeof(*samples), by_size);
	return samples[at < count ? at : count - 1];
}

double figures_median(const double *samples, size_t count)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, samples, count * sizeof(*samples));
	qsort(sorted, count, sizeof(*sorted), by_size);
	return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

/* What is judged of one pair. */
static double judged_of(const struct row *row, double weir, double yard)
{
	switch (row->judged) {
	case VALUE_AT_MOST:
		return weir;
	case LESS_AT_MOST:
		return weir - yard;
	default:
		return yard > 0 ? weir / yard : 0;
	}
}

static void print_goal(const struct row *row)
{
	bool ratio =
		row->judged == RATIO_AT_MOST || row->judged == RATIO_AT_LEAST;

	printf("\t%s %s%.*f%s%s", row->judged == RATIO_AT_LEAST ? ">=" : "<=",
	       row->judged == LESS_AT_MOST ? "+" : "", ratio ? 2 : 1, row->goal,
	       ratio ? "" : " ", ratio ? "" : row->unit);
}

void figures_print(const struct row *row, bool judge)
{
	double judged[ROUNDS_MAX], least, most, middle;
	bool good;

	for (size_t i = 0; i < row->rounds; i++)
		judged[i] = judged_of(row, row->weir[i], row->yard[i]);
	middle = figures_median(judged, row->rounds);
	least = figures_quantile(judged, row->rounds, 0);
	most = figures_quantile(judged, row->rounds, 1);
	good = row->judged == RATIO_AT_LEAST ? middle >= row->goal
					     : middle <= row->goal;
	printf("%s\t%.2f %s", row->name, figures_median(row->weir, row->rounds),
	       row->unit);
	if (row->alone)
		printf("\t-\t-");
	else if (row->judged == LESS_AT_MOST || row->judged == VALUE_AT_MOST)
		printf("\t%.2f %s\t%+.2f",
		       figures_median(row->yard, row->rounds), row->unit,
		       middle);
	else
		printf("\t%.2f %s\t%.2f",
		       figures_median(row->yard, row->rounds), row->unit,
		       middle);
	print_goal(row);
	printf("\t%s\t%.2f to %.2f, %zu\n",
	       !judge ? "-"
	       : good ? "ok"
		      : "short",
	       least, most, row->rounds);
	fflush(stdout);
}

void figures_skip(const char *name, const char *why)
{
	printf("%s\t-\t-\t-\t-\tskipped\t%s\n", name, why);
	fflush(stdout);
}
