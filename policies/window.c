/* An exact sliding window.  The contract is in window.h. */
#include "window.h"

int64_t window_wait(const struct window *w, int64_t now)
{
	int64_t age;

	if (w->max == 0)
		return -1;
	if (w->count < w->max)
		return 0;
	age = now - w->times[w->next];
	return age >= w->length ? 0 : w->length - age;
}

void window_count(struct window *w, int64_t now)
{
	w->times[w->next] = now;
	w->next = w->next + 1 == w->max ? 0 : w->next + 1;
	if (w->count < w->max)
		w->count++;
}
