/*
 * Limits against a naive model: for each counter, a list of all that it has
 * counted.  In memory; and in a file that several processes share, which come,
 * go, and change their policies.
 */
#include "grant.h"

#include "../../policies/counters/windows.h"

#define IN_MEMORY 96000 /* sequences */
#define IN_FILES  6000

#define TOOLS    2
#define ENTRIES  4
#define PLACES   3 /* limits that an entry may have */
#define LIMITS   4 /* that a policy has */
#define PROCS    3
#define METERS   64
#define EVENTS   160
#define TEXT     4096
#define MILLIONS UINT64_C(1000000)

static const char *const tools[TOOLS] = {"a", "b"};
static const char *const entries[ENTRIES] = {"all_tools", "a", "b", "?"};
static const char *const names[PLACES] = {"c", "d", "e"};
static const int64_t windows[] = {1, 2, 3, 5, 60};

static const struct amount {
	const char *written;
	uint64_t millionths;
} amounts[] =
	{
		{"0", 0},         {"-0.0", 0},
		{"1", MILLIONS},  {"2.50", 2500000},
		{"0.1", 100000},  {"0.2", 200000},
		{"3e-1", 300000}, {"0.000001", 1},
		{"1e-9", 1}, /* what is less than a millionth is one */
		{"0.0000011", 2}, {"8", 8 * MILLIONS},
},
  sums[] = {
	  {"0", 0},
	  {"0.3", 300000},
	  {"1", MILLIONS},
	  {"2.5", 2500000},
	  {"8", 8 * MILLIONS},
	  {"1e12", 1000000 * MILLIONS *MILLIONS},
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

/* ---- the model ------------------------------------------------------- */

struct event {
	int64_t time;
	uint64_t amount;
};

/* What one counter has counted. */
struct list {
	int owner; /* the process whose it is; PROCS: the grant's */
	size_t name;
	bool sum;
	size_t most;      /* calls that are remembered */
	int64_t location; /* the time at which its ledger began */
	bool kept;        /* the policy that is read anew has it too */
	struct event events[EVENTS];
	size_t count;
};

struct limit {
	struct list *list;
	size_t entry;
	uint64_t max;
	int64_t length;
};

struct side {
	struct process process;
	struct limit limits[LIMITS];
	size_t count;
	unsigned kinds[PLACES]; /* of a name: 1 session, 2 sum */
	char text[TEXT];
};

struct play {
	uint64_t seed;
	bool shared; /* there is a grant */
	int64_t location;
	struct list lists[METERS];
	size_t count;
	struct side sides[PROCS];
};

static struct list *find_list(struct play *p, int owner, size_t name, bool sum)
{
	struct list *l;

	for (size_t i = 0; i < p->count; i++) {
		l = &p->lists[i];
		if (l->owner == owner && l->name == name && l->sum == sum)
			return l;
	}
	assert_true(p->count < METERS);
	l = &p->lists[p->count++];
	*l = (struct list){.owner = owner,
			   .name = name,
			   .sum = sum,
			   .location = owner == PROCS ? p->location : 0};
	return l;
}

/* The part of the window that the time is in, as a file counts its own. */
static int64_t part_of(const struct limit *l, int64_t time)
{
	return (time - l->list->location) / (l->length / 64);
}

/* Does the event count at that time? */
static bool counts(const struct limit *l, const struct event *e, int64_t now)
{
	if (l->list->sum)
		return part_of(l, e->time) + 64 >= part_of(l, now);
	return now - e->time < l->length;
}

static bool allows(const struct limit *l, int64_t now, uint64_t amount)
{
	uint64_t spent = amount;

	for (size_t i = 0; i < l->list->count; i++)
		if (counts(l, &l->list->events[i], now))
			spent += l->list->events[i].amount;
	return spent <= l->max;
}

/* When it does not count any more. */
static int64_t end_of(const struct limit *l, const struct event *e)
{
	if (l->list->sum)
		return l->list->location +
		       (part_of(l, e->time) + 65) * (l->length / 64);
	return e->time + l->length;
}

static int64_t wait_of(const struct limit *l, int64_t now, uint64_t amount)
{
	int64_t best = -1;

	if (allows(l, now, amount))
		return 0;
	for (size_t i = 0; i < l->list->count; i++) {
		int64_t at = end_of(l, &l->list->events[i]);

		if (at > now && (best < 0 || at - now < best) &&
		    allows(l, at, amount))
			best = at - now;
	}
	return best;
}

/* Sums: is the answer in the bounds that are promised, of any model? */
static bool in_bounds(const struct limit *l, int64_t now, uint64_t amount,
		      bool allowed)
{
	uint64_t least = amount, most = amount;

	for (size_t i = 0; i < l->list->count; i++) {
		const struct event *e = &l->list->events[i];

		least += now - e->time < l->length ? e->amount : 0;
		most += now - e->time < l->length + l->length / 64 ? e->amount
								   : 0;
	}
	return allowed ? least <= l->max : most > l->max;
}

static void count(struct list *l, int64_t now, uint64_t amount)
{
	/* A file keeps more than one process needs. */
	if (l->sum || l->owner == PROCS || l->count < l->most) {
		assert_true(l->count < EVENTS);
	} else {
		l->count -= l->count > 0;
		memmove(l->events, l->events + 1,
			l->count * sizeof(l->events[0]));
	}
	if (l->sum || l->owner == PROCS || l->most > 0)
		l->events[l->count++] = (struct event){now, amount};
}

/* ---- policies -------------------------------------------------------- */

/* What is remembered of calls is what the largest max needs. */
static void remember(const struct limit *l)
{
	if (l->max > l->list->most)
		l->list->most = (size_t)l->max;
}

/* One limit, as the policy has it and as the model does. */
static char *put_limit(struct play *p, struct side *s, size_t entry, size_t at,
		       char *to)
{
	struct limit *l = &s->limits[s->count++];
	uint32_t name = draw(&p->seed, PLACES);
	/* Those of one name agree in this policy. */
	bool session = s->kinds[name] & 1, sum = s->kinds[name] & 2;
	const struct amount *max = &sums[draw(&p->seed, COUNT(sums))];
	int owner = session || !p->shared ? (int)(s - p->sides) : PROCS;

	l->entry = entry;
	/* Memory carries the parts of a sum to those of the same window. */
	l->length =
		windows[sum && owner < PROCS ? name
					     : draw(&p->seed, COUNT(windows))] *
		SECOND;
	l->max = sum ? max->millionths : draw(&p->seed, 9);
	l->list = find_list(p, owner, name, sum);
	l->list->kept = true;
	remember(l);
	to += sprintf(to,
		      "%s{\"window\":%d,\"counter\":\"%s\",\"scope\":\"%s\"",
		      at > 0 ? "," : "", (int)(l->length / SECOND), names[name],
		      session ? "session" : "grant");
	if (sum)
		return to + sprintf(to,
				    ",\"increment_from\":\"args.x\","
				    "\"max\":%s}",
				    max->written);
	return to + sprintf(to, ",\"max\":%d}", (int)l->max);
}

/* Another policy for the side, of one to four limits. */
static void draw_policy(struct play *p, struct side *s)
{
	size_t left = 1 + draw(&p->seed, LIMITS);
	char *to = s->text;
	bool tool = false;

	s->count = 0;
	for (size_t i = 0; i < PLACES; i++)
		s->kinds[i] = (draw(&p->seed, 3) == 0) |
			      (unsigned)(draw(&p->seed, 3) == 0) << 1;
	to += sprintf(to, "{\"version\":\"1\",\"default\":\"allow\"");
	for (size_t e = 0; e < ENTRIES; e++) {
		size_t here = draw(&p->seed, PLACES + 1);

		here = here > left || e + 1 == ENTRIES ? left : here;
		here = here > PLACES ? PLACES : here;
		if (here == 0)
			continue;
		left -= here;
		if (e > 0)
			to += sprintf(to, tool ? "," : ",\"tools\":{");
		else
			to += sprintf(to, ",");
		tool |= e > 0;
		to += sprintf(to, "\"%s\":{\"limits\":[", entries[e]);
		for (size_t i = 0; i < here; i++)
			to = put_limit(p, s, e, i, to);
		to += sprintf(to, "]}");
	}
	sprintf(to, tool ? "}}" : "}");
}

/* What memory forgets when the policy is read anew, or the process ends. */
static void forget(struct play *p, int owner, bool all)
{
	for (size_t i = 0; i < p->count; i++) {
		struct list *l = &p->lists[i];

		if (l->owner == owner && (all || !l->kept))
			l->count = l->most = 0;
		/* The last ones go on. */
		if (!l->sum && l->owner < PROCS && l->count > l->most) {
			memmove(l->events, l->events + l->count - l->most,
				l->most * sizeof(l->events[0]));
			l->count = l->most;
		}
	}
}

static void prepare_lists(struct play *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->lists[i].kept = false;
}

static void read_policy(struct play *p, struct side *s)
{
	struct policy *policy;
	struct counters *counters;

	prepare_lists(p);
	draw_policy(p, s);
	forget(p, (int)(s - p->sides), false);
	policy = COMPILE(s->text, grant_listen, NULL);
	row_true(s->text, policy);
	counters = counters_new(policy, s->process.grant, s->process.counters,
				grant_listen, NULL);
	row_true(grant_said, counters);
	counters_free(s->process.counters);
	policy_free(s->process.policy);
	s->process.policy = policy;
	s->process.counters = counters;
}

static void start(struct play *p, struct side *s)
{
	forget(p, (int)(s - p->sides), true);
	process_end(&s->process);
	if (p->shared) {
		s->process.grant = grant_g();
		row_true(grant_said, s->process.grant);
	}
	read_policy(p, s);
}

#define LIMITED(limit)                                                         \
	"{\"version\":\"1\",\"default\":\"allow\",\"tools\":{\"t\":{"          \
	"\"limits\":[" limit "]}}}"

static const char *const limits[] = {
	LIMITED("{\"max\":2,\"window\":64}"),
	LIMITED("{\"max\":2,\"window\":64,\"increment_from\":\"args.x\"}"),
	LIMITED("{\"max\":2,\"window\":64,\"increment_from\":\"args.x\"},"
		"{\"max\":2,\"window\":64},{\"max\":99,\"window\":64}"),
};

/* ---- playing --------------------------------------------------------- */

static bool applies(const struct limit *l, size_t tool)
{
	return l->entry == 0 || l->entry == 3 || l->entry == tool + 1;
}

static void call(struct play *p, struct side *s)
{
	size_t tool = draw(&p->seed, TOOLS);
	const struct amount *a = &amounts[draw(&p->seed, COUNT(amounts))];
	int64_t now = grant_clock.steady, wait = 0;
	struct verdict v = process_call(&s->process, tools[tool], a->written);
	struct list *counted[LIMITS];
	size_t count_of = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct limit *l = &s->limits[i];
		uint64_t amount = l->list->sum ? a->millionths : 1;
		int64_t one;

		if (!applies(l, tool))
			continue;
		one = wait_of(l, now, amount);
		row_true(s->text,
			 !l->list->sum || in_bounds(l, now, amount, one == 0));
		wait = wait < 0 || one < 0 ? -1 : one > wait ? one : wait;
		for (size_t k = 0; k < count_of && l; k++)
			l = counted[k] == l->list ? NULL : l;
		if (l)
			counted[count_of++] = l->list;
	}
	row_true(s->text, (v.kind == VERDICT_PASS) == (wait == 0));
	row_true(s->text, wait == 0 || v.wait == wait);
	for (size_t i = 0; i < count_of && wait == 0; i++)
		count(counted[i], now, counted[i]->sum ? a->millionths : 1);
	/* Often it is tried again just then, or just before. */
	if (wait > 0 && draw(&p->seed, 2))
		grant_wait(wait - draw(&p->seed, 2));
}

static void go_on(struct play *p)
{
	switch (draw(&p->seed, 6)) {
	case 0:
		grant_wait(1);
		break;
	case 1:
		grant_wait(draw(&p->seed, 8) * SECOND / 4);
		break;
	case 2:
		grant_wait(SECOND / 64 * draw(&p->seed, 3));
		break;
	case 3:
		grant_wait(draw(&p->seed, 1u << 30));
		break;
	case 4:
		if (draw(&p->seed, 8) == 0)
			grant_wait(draw(&p->seed, 70) * SECOND);
		break;
	default:
		break;
	}
}

/* A few sequences in memory have the same policy. */
TEST(in_memory)
{
	static struct play p;
	struct side *s = &p.sides[0];

	memset(&p, 0, sizeof(p));
	for (uint64_t i = 0; i < IN_MEMORY; i++) {
		p.seed = i;
		grant_clock = (struct policy_moment){.steady = 0};
		if (i % 8 == 0) {
			p.count = 0;
			start(&p, s);
		} else {
			counters_free(s->process.counters);
			s->process.counters = COUNTERS(s->process.policy);
			forget(&p, 0, true);
			for (size_t k = 0; k < s->count; k++)
				remember(&s->limits[k]);
		}
		for (uint32_t n = 8 + draw(&p.seed, 12); n > 0; n--) {
			go_on(&p);
			call(&p, s);
		}
		/* The counters go on, but no more than a few times. */
		for (uint32_t k = draw(&p.seed, 4); k > 1; k--) {
			read_policy(&p, s);
			for (int n = 0; n < 8; n++) {
				go_on(&p);
				call(&p, s);
			}
		}
	}
	process_end(&s->process);
}

TEST(in_files)
{
	static struct play p;
	struct process first;

	for (uint64_t i = 0; i < IN_FILES; i++) {
		memset(&p, 0, sizeof(p));
		p.seed = i;
		p.shared = true;
		p.location = draw(&p.seed, 9) * SECOND + draw(&p.seed, 9);
		grant_clock =
			(struct policy_moment){.steady = p.location,
					       .wall = 1700000000 * SECOND,
					       .boot = 7};
		/* The file's time begins when it is read first. */
		row_true(grant_said, process_start(&first, limits[0]));
		process_end(&first);
		for (int k = 0; k < PROCS; k++)
			start(&p, &p.sides[k]);
		for (uint32_t n = 20 + draw(&p.seed, 20); n > 0; n--) {
			struct side *s = &p.sides[draw(&p.seed, PROCS)];
			uint32_t what = draw(&p.seed, 40);

			go_on(&p);
			if (what == 0)
				start(&p, s);
			else if (what < 3)
				read_policy(&p, s);
			else
				call(&p, s);
		}
		for (int k = 0; k < PROCS; k++)
			process_end(&p.sides[k].process);
		assert_int_equal(unlink(grant_file), 0);
	}
}

/* ---- clocks ---------------------------------------------------------- */

#define DAY    (86400 * SECOND)
#define Y2026  (1767225600 * SECOND)
#define Y2200  (7258118400 * SECOND)
#define STAY   0
#define CLOCKS 8

/* Two calls pass in any 64 s, or, of sums, in any 65 s.  What the clocks do,
 * and how many calls pass then. */
static const struct {
	const char *name;
	struct step {
		int boot;             /* STAY: the same */
		int64_t steady, wall; /* of another boot; else how far both go
					 on */
		int passed;
	} steps[CLOCKS];
} clocks[] = {
	{"plain",
	 {{1, 100 * SECOND, Y2026, 2},
	  {STAY, 63 * SECOND, 63 * SECOND, 0},
	  {STAY, 2 * SECOND, 2 * SECOND, 2}}},
	{"wall forward by a day",
	 {{1, 100 * SECOND, Y2026, 2},
	  {STAY, SECOND, DAY, 0},
	  {STAY, 62 * SECOND, DAY, 0},
	  {STAY, 2 * SECOND, DAY, 2},
	  {STAY, 63 * SECOND, DAY, 0}}},
	{"wall back by a day",
	 {{1, 100 * SECOND, Y2026, 2},
	  {STAY, SECOND, -DAY, 0},
	  {STAY, 62 * SECOND, -DAY, 0},
	  {STAY, 2 * SECOND, -DAY, 2},
	  {STAY, 63 * SECOND, -DAY, 0}}},
	{"another boot, soon",
	 {{1, 9000 * SECOND, Y2026, 2},
	  {2, 5 * SECOND, Y2026 + 30 * SECOND, 0},
	  {STAY, 33 * SECOND, 33 * SECOND, 0},
	  {STAY, 2 * SECOND, 2 * SECOND, 2}}},
	{"another boot, of a clock that goes on",
	 {{1, 5 * SECOND, Y2026, 2},
	  {2, 9000 * SECOND, Y2026 + 30 * SECOND, 0},
	  {STAY, 35 * SECOND, 35 * SECOND, 2}}},
	{"another boot, later",
	 {{1, 9000 * SECOND, Y2026, 2},
	  {2, 5 * SECOND, Y2026 + 65 * SECOND, 2},
	  {STAY, 63 * SECOND, 63 * SECOND, 0}}},
	{"another boot, long after the first call",
	 {{1, 9000 * SECOND, Y2026, 2},
	  {STAY, DAY, DAY, 2},
	  {2, 5 * SECOND, Y2026 + DAY + 30 * SECOND, 0},
	  {STAY, 35 * SECOND, 35 * SECOND, 2}}},
	{"a day ahead after a boot: one window's worth",
	 {{1, 9000 * SECOND, Y2026, 2},
	  {2, 5 * SECOND, Y2026 + DAY, 2},
	  {STAY, 63 * SECOND, 63 * SECOND, 0},
	  {STAY, 2 * SECOND, 2 * SECOND, 2},
	  {3, 5 * SECOND, Y2026 + 90 * SECOND, 0},
	  {STAY, 65 * SECOND, 65 * SECOND, 2}}},
	{"a day behind after a boot: one window to wait",
	 {{1, 9000 * SECOND, Y2026, 2},
	  {2, 5 * SECOND, Y2026 - DAY, 0},
	  {STAY, 63 * SECOND, 63 * SECOND, 0},
	  {STAY, 2 * SECOND, 2 * SECOND, 2}}},
	{"no clock for the wall: 1970 after each boot",
	 {{1, 9 * SECOND, 0, 2},
	  {2, 9 * SECOND, 0, 0},
	  {STAY, 65 * SECOND, 65 * SECOND, 2},
	  {3, 9 * SECOND, 0, 0},
	  {STAY, 65 * SECOND, Y2026, 2}}},
	{"before 1970",
	 {{1, 9 * SECOND, -DAY, 2},
	  {STAY, 63 * SECOND, 63 * SECOND, 0},
	  {2, 9 * SECOND, -DAY + 65 * SECOND, 2},
	  {3, 9 * SECOND, -DAY + 66 * SECOND, 0},
	  {STAY, 65 * SECOND, 65 * SECOND, 2}}},
	{"in 2200",
	 {{1, 9 * SECOND, Y2200, 2},
	  {STAY, 63 * SECOND, 63 * SECOND, 0},
	  {2, 9 * SECOND, Y2200 + 65 * SECOND, 2},
	  {3, 9 * SECOND, Y2200 + 66 * SECOND, 0},
	  {STAY, 65 * SECOND, 65 * SECOND, 2},
	  {4, 9 * SECOND, Y2026, 0},
	  {STAY, 65 * SECOND, 65 * SECOND, 2},
	  {5, 9 * SECOND, Y2026 + 130 * SECOND, 2}}},
	{"from one end of time to the other",
	 {{1, 0, INT64_MIN, 2},
	  {2, 0, INT64_MAX, 2},
	  {3, 0, INT64_MIN, 0},
	  {STAY, 65 * SECOND, 0, 2},
	  {4, 0, INT64_MAX, 2},
	  {5, INT64_MAX - DAY, 0, 0},
	  {STAY, 65 * SECOND, 0, 2}}},
	{"the clock that nobody sets goes back",
	 {{1, 9000 * SECOND, Y2026, 2},
	  {1, 100 * SECOND, Y2026 + SECOND, 0},
	  {STAY, 62 * SECOND, 0, 0},
	  {STAY, 2 * SECOND, 0, 2}}},
	{"it goes back, but not to where the file began",
	 {{1, 100 * SECOND, Y2026, 2},
	  {STAY, DAY, DAY, 2},
	  {1, 101 * SECOND, Y2026, 0},
	  {STAY, 63 * SECOND, 0, 0},
	  {STAY, 2 * SECOND, 0, 2},
	  {STAY, 63 * SECOND, 0, 0}}},
	{"two time namespaces in turn",
	 {{1, 100 * SECOND, Y2026, 2},
	  {2, 9000 * SECOND, Y2026 + SECOND, 0},
	  {1, 120 * SECOND, Y2026 + 20 * SECOND, 0},
	  {2, 9030 * SECOND, Y2026 + 31 * SECOND, 0},
	  {1, 163 * SECOND, Y2026 + 63 * SECOND, 0},
	  {2, 9064 * SECOND, Y2026 + 65 * SECOND, 2},
	  {1, 228 * SECOND, Y2026 + 128 * SECOND, 0},
	  {1, 230 * SECOND, Y2026 + 130 * SECOND, 2}}},
};

static void turn(const struct step *s)
{
	if (s->boot == STAY) {
		grant_clock.steady += s->steady;
		grant_clock.wall = (int64_t)((uint64_t)grant_clock.wall +
					     (uint64_t)s->wall);
		return;
	}
	grant_clock = (struct policy_moment){.steady = s->steady,
					     .wall = s->wall,
					     .boot = (uint64_t)s->boot};
}

/* The process goes on, or is another one after each step. */
static void play_clock(size_t row, const char *policy, bool anew)
{
	const struct step *steps = clocks[row].steps;
	struct process p;

	turn(&steps[0]);
	row_true(grant_said, process_start(&p, policy));
	for (int i = 0;
	     i < CLOCKS && (i == 0 || steps[i].steady > 0 || steps[i].boot > 0);
	     i++) {
		char name[200];
		int passed;

		if (i > 0)
			turn(&steps[i]);
		if (anew) {
			process_end(&p);
			row_true(clocks[row].name, process_start(&p, policy));
		}
		passed = process_spend(&p);
		snprintf(name, sizeof(name), "%s, step %d: %d passed",
			 clocks[row].name, i, passed);
		row_true(name, passed == steps[i].passed);
		/* Never longer than one window. */
		row_true(name, process_call(&p, "t", "1").wait <= 65 * SECOND);
	}
	process_end(&p);
	assert_int_equal(unlink(grant_file), 0);
}

TEST(clocks_are_set)
{
	for (size_t i = 0; i < COUNT(clocks); i++)
		for (size_t k = 0; k < COUNT(limits); k++)
			for (int anew = 0; anew < 2; anew++)
				play_clock(i, limits[k], anew);
}

/* ---- what is used up ---------------------------------------------------- */

#define METERED 400 /* calls */

/* What two counters tell, and all that they have counted. */
TEST(uses_are_told)
{
	const int64_t one[] = {640};
	const struct counter calls = {.id = 1,
				      .max = 8,
				      .window = 640,
				      .windows = one,
				      .window_count = 1};
	const struct counter sum = {.id = 2,
				    .max = 9999,
				    .window = 640,
				    .windows = one,
				    .window_count = 1,
				    .sum = true,
				    .index = 1};
	const struct counter *both[] = {&calls, &sum};
	int64_t times[METERED], now = 0;

	for (uint64_t seed = 0; seed < 20; seed++) {
		struct windows *w = windows_new(both, 2, NULL);
		struct question q[2] = {
			{.counter = &calls,
			 .max = 8,
			 .window = 200,
			 .amount = 1},
			{.counter = &sum,
			 .max = 9999,
			 .window = 640,
			 .amount = 3},
		};
		uint64_t draws = seed;

		assert_non_null(w);
		for (size_t count = 0; count < METERED;) {
			uint64_t used = 0, spent = 0;

			now += draw(&draws, 2) ? draw(&draws, 20)
					       : draw(&draws, 300);
			windows_count(w, q, 2, now);
			times[count++] = now;
			for (size_t i = count; i-- > 0 && count - i <= 8;)
				used += now - times[i] < 200;
			for (size_t i = 0; i < count; i++)
				spent += times[i] / 10 + 64 >= now / 10 ? 3 : 0;
			windows_tell(w, &q[0], now);
			windows_tell(w, &q[1], now);
			assert_int_equal(q[0].used, used);
			assert_int_equal(q[1].used, spent);
		}
		windows_clear(w);
		for (int i = 0; i < 2; i++) {
			assert_true(windows_tell(w, &q[i], now));
			assert_int_equal(q[i].used, 0);
		}
		windows_free(w);
	}
}

/* ---- counters ---------------------------------------------------------- */

/* A policy that was read anew but not taken over has bound the file. */
TEST(counters_before_go_on)
{
	static const char more[] = LIMITED("{\"max\":5,\"window\":64}");
	struct process p, q;
	struct counters *after;

	row_true(grant_said, process_start(&p, limits[0]));
	row_true(grant_said, process_start(&q, more));
	process_end(&q);
	unlink(grant_file);
	assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_PASS);
	q.policy = COMPILE(more, grant_listen, NULL);
	after = counters_new(q.policy, p.grant, p.counters, grant_listen, NULL);
	row_true(grant_said, after);
	counters_free(after);
	policy_free(q.policy);
	assert_int_equal(process_spend(&p), 1);
	process_end(&p);
	row_true(grant_said, process_start(&p, more));
	assert_int_equal(process_spend(&p), 3);
	process_end(&p);
	unlink(grant_file);
}

/* What "per" counts as one value, as two, or as none. */
static const struct two_values {
	const char *first, *second;
	int passed;
} two_values[] = {
	{"1", "1.0", 1},
	{"1", "10e-1", 1},
	{"120", "0.12e3", 1},
	{"0", "-0.0e9", 1},
	{"1", "10", 2},
	{"1", "-1", 2},
	{"12", "1.2", 2},
	{"\"a\"", "\"A\"", 1},
	{"\"a\"", "\"\\u0041\"", 1},
	{"\"a\"", "\"a \"", 2},
	{"\"\"", "\"0\"", 2},
	{"1", "\"1\"", 2},
	{"true", "\"true\"", 2},
	{"true", "false", 2},
	{"null", "null", 0},
	{"[]", "{}", 0},
	{"[\"a\"]", "[ \"a\"]", 0},
	{"[1]", "{\"a\":1}", 0},
	{"12345678901234567", "12345678901234568", 0},
	{"1e999", "1e-999", 0},
};

TEST(values_are_told_apart)
{
	for (size_t i = 0; i < COUNT(two_values); i++) {
		const struct two_values *t = &two_values[i];
		struct process p;
		int passed;

		row_true(grant_said,
			 process_start(&p, LIMITED("{\"max\":1,\"window\":9,"
						   "\"per\":\"args.x\"}")));
		passed = process_call(&p, "t", t->first).kind == VERDICT_PASS;
		passed += process_call(&p, "t", t->second).kind == VERDICT_PASS;
		row_true(t->second, passed == t->passed);
		process_end(&p);
		unlink(grant_file);
	}
}

/* One more limit than a call may have is no reason to pass it. */
TEST(too_many_limits)
{
	static const char *const scopes[] = {"session", "grant"};
	static char text[8192];

	for (int i = 0; i < 4; i++) {
		/* Of one entry there are at most 64: one is of another. */
		char *to =
			text +
			sprintf(text,
				"{\"version\":\"1\",\"default\":\"allow\","
				"\"all_tools\":{\"limits\":[%s%s%s]},"
				"\"tools\":{\"t\":{\"limits\":[",
				i < 2 ? ""
				      : "{\"max\":1,\"window\":1,\"scope\":\"",
				i < 2 ? "" : scopes[i % 2], i < 2 ? "" : "\"}");
		struct process p;

		for (int n = 0; n < 64; n++)
			to += sprintf(to,
				      "%s{\"max\":1,\"window\":1,\"counter\":"
				      "\"%d\",\"scope\":\"%s\"}",
				      n ? "," : "", n, scopes[i % 2]);
		sprintf(to,
			"]},\"u\":{\"rate_limit\":\"2/day\",\"limits\":[{"
			"\"max\":2,\"window\":1,\"scope\":\"session\"}]}}}");
		row_true(grant_said, process_start(&p, text));
		row_true(scopes[i % 2], process_spend(&p) == (i < 2));
		row_true(scopes[i % 2],
			 process_call(&p, "u", "1").kind == VERDICT_PASS);
		row_true(scopes[i % 2], !counters_trouble(p.counters)[0]);
		process_end(&p);
		unlink(grant_file);
	}
}

/* What was spent under one window counts in another, and never later than it
 * would have: so much passes at that time. */
static const struct {
	const char *before, *after;
	int64_t wait; /* seconds */
	int passed;
} rewound[] = {
#define S(max, window)                                                         \
	LIMITED("{\"counter\":\"c\",\"max\":" #max ",\"window\":" #window      \
		",\"increment_from\":\"args.x\"}")
	{S(3, 64), S(5, 640), 0, 2},
	{S(3, 64), S(5, 640), 639, 2},
	{S(3, 64), S(5, 640), 652, 5},
	{S(3, 640), S(5, 64), 0, 2},
	{S(3, 640), S(5, 64), 63, 2},
	{S(3, 640), S(5, 64), 76, 5},
	{S(3, 31622400), S(5, 1), 0, 2},
	{S(3, 1), S(5, 31622400), 0, 2},
	{S(3, 1), S(5, 31622400), 31622399, 2},
	{S(1e12, 1), S(1e12, 31622400), 0, 99},
};

TEST(windows_change)
{
	for (size_t i = 0; i < COUNT(rewound); i++) {
		struct process p;

		grant_clock = (struct policy_moment){
			.steady = 77 * SECOND + 5, .wall = Y2026, .boot = 1};
		row_true(grant_said, process_start(&p, rewound[i].before));
		for (int n = 0; n < 3; n++)
			row_true(rewound[i].before,
				 process_call(&p, "t", "1").kind ==
					 VERDICT_PASS);
		process_end(&p);
		row_true(grant_said, process_start(&p, rewound[i].after));
		grant_wait(rewound[i].wait * SECOND);
		row_true(rewound[i].after,
			 process_spend(&p) == rewound[i].passed);
		process_end(&p);
		assert_int_equal(unlink(grant_file), 0);
	}
}

/* One counter with two windows counts in both. */
TEST(windows_of_one_counter)
{
	static const char both[] = LIMITED(
		"{\"counter\":\"c\",\"max\":3,\"window\":1,"
		"\"increment_from\":\"args.x\"},{\"counter\":\"c\",\"max\":5,"
		"\"window\":64,\"increment_from\":\"args.x\"}");
	static const int passed[] = {3, 2, 0, 0};
	struct process p;
	struct stat st;
	off_t size = 0;

	for (size_t i = 0; i < COUNT(passed); i++) {
		row_true(grant_said, process_start(&p, both));
		assert_int_equal(process_spend(&p), passed[i]);
		process_end(&p);
		grant_wait(2 * SECOND);
		assert_int_equal(stat(grant_file, &st), 0);
		assert_true(i < 2 || st.st_size == size);
		size = st.st_size;
	}
	unlink(grant_file);
}

/* Of what comes to one place of a shorter window, the last counts. */
TEST(shorter_windows)
{
	struct process p;

	grant_clock = (struct policy_moment){.boot = 1};
	row_true(grant_said, process_start(&p, S(5, 640)));
	grant_wait(605 * SECOND);
	assert_int_equal(process_call(&p, "t", "1").kind, VERDICT_PASS);
	grant_wait(130 * SECOND);
	assert_int_equal(process_call(&p, "t", "2").kind, VERDICT_PASS);
	process_end(&p);
	row_true(grant_said, process_start(&p, S(5, 64)));
	assert_int_equal(process_spend(&p), 3);
	process_end(&p);
	unlink(grant_file);
}

/* More than 64 bits hold comes together in one part of a long window. */
TEST(sums_do_not_overflow)
{
	static const char most[] = "1000000000000";
	struct process p;

	row_true(grant_said, process_start(&p, S(1e12, 1)));
	for (int i = 0; i < 65; i++) {
		assert_int_equal(process_call(&p, "t", most).kind,
				 VERDICT_PASS);
		/* Each in another place of the ring. */
		grant_wait(66 * SECOND / 64);
	}
	process_end(&p);
	row_true(grant_said, process_start(&p, S(1e12, 31622400)));
	for (int i = 0; i < 70; i++) {
		struct verdict v = process_call(&p, "t", "0.000001");

		assert_int_equal(v.kind, VERDICT_REFUSED);
		assert_true(v.wait > 31622000 * SECOND);
		assert_true(v.wait <= 65 * 31622400 / 64 * SECOND);
		grant_wait(SECOND);
	}
	process_end(&p);
	unlink(grant_file);
}

RUN(grant_setup, grant_teardown)
