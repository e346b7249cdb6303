/* The sliding window against a naive model: a list of all times. */
#include "unit.h"

#include <stdlib.h>

#include "../../policies/window.h"

#define CALLS 400

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

/* How many of the times lie in the window that ends now: a call that is one
 * window old does not count any more. */
static uint32_t counted(const int64_t *times, size_t n, int64_t now,
			int64_t len)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += now - times[i] < len;
	return count;
}

static void play(uint64_t seed)
{
	int64_t ring[8], times[CALLS], now = 0;
	struct window w = {.times = ring};
	size_t n = 0;

	w.max = draw(&seed, 8) + 1;
	w.length = draw(&seed, 50) + 1;
	for (int i = 0; i < CALLS; i++) {
		bool want;
		int64_t wait;

		now += draw(&seed, 3) ? draw(&seed, 4) : draw(&seed, 60);
		want = counted(times, n, now, w.length) < w.max;
		wait = window_wait(&w, now);
		assert_int_equal(wait == 0, want);
		if (wait > 0) {
			/* Just then, and not before. */
			assert_true(window_wait(&w, now + wait) == 0);
			assert_true(window_wait(&w, now + wait - 1) > 0);
		} else {
			window_count(&w, now);
			times[n++] = now;
		}
	}
}

static void agrees_with_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++)
		play(seed);
}

static void nothing_may_ever_pass(void **state)
{
	struct window w = {.max = 0, .length = 1};

	(void)state;
	assert_int_equal(window_wait(&w, 0), -1);
	assert_int_equal(window_wait(&w, INT64_MAX), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_model),
		cmocka_unit_test(nothing_may_ever_pass),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
