/*
 * Meters in a store.  The contract is in ledger.h.
 *
 *   offset 0   the header: version, the end of the meters, the clock
 *   then       the journal: the records of a commit under way
 *   then       meters, one after another; the last of a key is the one in use:
 *                its head, 64 bytes
 *                of calls: one record {next, count, last}, and a ring of slots
 *                of sums: a ring of records {part, amount, -}
 *
 * All numbers are the machine's own.  A record never crosses a page, so that a
 * process that is killed while it writes one leaves the old or the new.
 *
 * A commit writes the new times into slots that nothing counts yet, and then
 * its one record.  Several records go into the journal first, and whoever has
 * the lock next writes those that are found there: they are counted from the
 * moment that they are in it.
 */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#define VERSION    1
#define RING_PARTS (LEDGER_PARTS + 1) /* the part under way is one more */
#define COPIED     128                /* slots at once */

/* Nothing is waited for longer than half of that: more need not go by. */
#define LONG      (2 * INT64_C(1000000000) * POLICY_WINDOW_SECONDS)
#define TIME_MOST (INT64_MAX - 2 * LONG) /* of a ledger */

struct header {
	char magic[8];
	uint64_t version;
	uint64_t generation; /* another one when a meter has got a new place */
	uint64_t end;        /* of the meters; what is behind is nothing */
	/* The ledger's time, which begins at 0, was time when the clock read
	 * steady and wall. */
	int64_t time, steady, wall;
	uint64_t boot;
	uint64_t spare[7];
	uint64_t check;
};

/* A record on its way to its place. */
struct entry {
	uint64_t at;
	struct record record;
};

struct journal {
	uint64_t count; /* 0: no commit is under way */
	uint64_t check; /* of the entries */
	struct entry entries[LEDGER_ASKED_MAX];
};

/* What every transaction reads. */
struct front {
	struct header header;
	uint64_t pending; /* the journal's count */
};

enum {
	JOURNAL = sizeof(struct header),
	METERS = 4096,
};
_Static_assert(sizeof(struct header) <= STORE_FIRST_MOST, "a file begins so");
_Static_assert(JOURNAL + sizeof(struct journal) <= METERS,
	       "header and journal lie in one page");

struct head {
	uint64_t magic;
	uint64_t kind;
	uint64_t base, key;
	uint64_t places;
	int64_t width;
	uint64_t size; /* of all of the meter, a multiple of 64 */
	uint64_t check;
};
_Static_assert(sizeof(struct head) == 64 && sizeof(struct record) == 32,
	       "records do not cross pages");

/* When a call was. */
struct slot {
	int64_t time;
	uint64_t check;
};

static const char magic[8] = "weirlim\n";
#define HEAD_MAGIC UINT64_C(0x726574656d726977)

static const char damaged[] =
	"is damaged: remove it to start over with nothing counted";

/* ---- checks ---------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Of all words but the last, which is the check, at this offset. */
static uint64_t check_of(const void *piece, size_t len, uint64_t at)
{
	const char *p = piece;
	uint64_t hash = mix(VERSION, at), word;

	for (size_t i = 0; i + 2 * sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		hash = mix(hash, word);
	}
	return hash;
}

static bool fail_damaged(struct ledger *l)
{
	store_fail(&l->store, damaged);
	return false;
}

/* ---- pieces ---------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool is_time(uint64_t time)
{
	return time <= TIME_MOST;
}

static bool read_record(struct ledger *l, uint64_t at, struct record *r)
{
	if (!store_read(&l->store, at, r, sizeof(*r)))
		return false;
	return r->check == check_of(r, sizeof(*r), at) || fail_damaged(l);
}

static bool write_record(struct ledger *l, uint64_t at, struct record r)
{
	r.check = check_of(&r, sizeof(r), at);
	return store_write(&l->store, at, &r, sizeof(r));
}

static bool read_slots(struct ledger *l, uint64_t at, struct slot *slots,
		       size_t count)
{
	if (!store_read(&l->store, at, slots, count * sizeof(*slots)))
		return false;
	for (size_t i = 0; i < count; i++)
		if (slots[i].check != check_of(&slots[i], sizeof(*slots),
					       at + i * sizeof(*slots)) ||
		    !is_time((uint64_t)slots[i].time))
			return fail_damaged(l);
	return true;
}

/* Writes the times in the slots. */
static bool write_slots(struct ledger *l, uint64_t at, struct slot *slots,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		slots[i].check = check_of(&slots[i], sizeof(*slots),
					  at + i * sizeof(*slots));
	return store_write(&l->store, at, slots, count * sizeof(*slots));
}

static bool write_header(struct ledger *l, struct header *h)
{
	h->check = check_of(h, sizeof(*h), 0);
	return store_write(&l->store, 0, h, sizeof(*h));
}

static uint64_t record_at(const struct meter *m)
{
	return m->at + sizeof(struct head);
}

static uint64_t slot_at(const struct meter *m, uint64_t index)
{
	return record_at(m) + sizeof(struct record) +
	       index * sizeof(struct slot);
}

static uint64_t part_at(const struct meter *m, uint64_t part)
{
	return record_at(m) + part % RING_PARTS * sizeof(struct record);
}

/* Bytes that a meter takes. */
static uint64_t size_of(const struct meter *m)
{
	uint64_t size = sizeof(struct head);

	if (m->kind == METER_SUM)
		size += RING_PARTS * sizeof(struct record);
	else
		size += sizeof(struct record) + m->places * sizeof(struct slot);
	return (size + 63) & ~UINT64_C(63);
}

/* The record of a meter of calls: {next, count, last}. */
static bool read_calls(struct ledger *l, const struct meter *m,
		       struct record *r)
{
	if (!read_record(l, record_at(m), r))
		return false;
	return (r->a < m->places && r->b < m->places && is_time(r->c)) ||
	       fail_damaged(l);
}

static bool read_parts(struct ledger *l, const struct meter *m,
		       struct record parts[RING_PARTS])
{
	uint64_t at = record_at(m);

	if (!store_read(&l->store, at, parts, RING_PARTS * sizeof(*parts)))
		return false;
	for (size_t i = 0; i < RING_PARTS; i++)
		if (parts[i].check != check_of(&parts[i], sizeof(*parts),
					       at + i * sizeof(*parts)) ||
		    parts[i].a > (uint64_t)(TIME_MOST / m->width) ||
		    (parts[i].b > 0 && parts[i].a % RING_PARTS != i))
			return fail_damaged(l);
	return true;
}

/* The last part in which something was spent. */
static uint64_t newest_part(const struct record parts[RING_PARTS])
{
	uint64_t newest = 0;

	for (size_t i = 0; i < RING_PARTS; i++)
		if (parts[i].a > newest)
			newest = parts[i].a;
	return newest;
}

/* Parts that another window's are copied to may hold more than its max. */
static uint64_t add(uint64_t a, uint64_t b)
{
	return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

/* ---- all meters ------------------------------------------------------ */

/* Is the meter one that can be, within the end of all? */
static bool is_meter(const struct ledger *l, const struct meter *m,
		     uint64_t size)
{
	if (m->kind == METER_SUM ? m->width <= 0
				 : m->kind != METER_CALLS || m->places == 0 ||
					   m->places > POLICY_LIMIT_MAX + 1)
		return false;
	return size == size_of(m) && size <= l->end - m->at;
}

/* The meter at *at, which is then past it. */
static bool next_meter(struct ledger *l, uint64_t *at, struct meter *m,
		       uint64_t *base, uint64_t *key)
{
	struct head h;

	if (!store_read(&l->store, *at, &h, sizeof(h)))
		return false;
	if (h.magic != HEAD_MAGIC || h.check != check_of(&h, sizeof(h), *at))
		return fail_damaged(l);
	m->kind = (enum meter_kind)h.kind;
	m->at = *at;
	m->places = h.places;
	m->width = h.width;
	if (!is_meter(l, m, h.size))
		return fail_damaged(l);
	*base = h.base;
	*key = h.key;
	*at += h.size;
	return true;
}

/* The latest time that any meter knows. */
static bool latest(struct ledger *l, int64_t *time)
{
	struct record parts[RING_PARTS], r;
	uint64_t base, key;
	struct meter m;

	for (uint64_t at = METERS; at < l->end;) {
		int64_t last;

		if (!next_meter(l, &at, &m, &base, &key))
			return false;
		if (m.kind == METER_CALLS) {
			if (!read_calls(l, &m, &r))
				return false;
			last = (int64_t)r.c;
		} else {
			if (!read_parts(l, &m, parts))
				return false;
			last = (int64_t)newest_part(parts) * m.width;
		}
		if (last > *time)
			*time = last;
	}
	return true;
}

/* ---- the file's front ------------------------------------------------ */

/* What a new file begins with: its time is yet to be tied to a clock. */
static struct header first_header(void)
{
	struct header h = {.version = VERSION,
			   .generation = 1,
			   .end = METERS,
			   .wall = INT64_MAX};

	memcpy(h.magic, magic, sizeof(h.magic));
	h.check = check_of(&h, sizeof(h), 0);
	return h;
}

static bool read_front(struct ledger *l, struct front *f)
{
	struct header *h = &f->header;

	/* Nobody has entered it before. */
	if (l->store.len == sizeof(*h) && !store_extend(&l->store, METERS))
		return false;
	if (!store_read(&l->store, 0, f, sizeof(*f)))
		return false;
	if (memcmp(h->magic, magic, sizeof(h->magic)) != 0)
		return fail_damaged(l);
	if (h->version != VERSION) {
		store_fail(
			&l->store,
			"was written by another version of weir: name another grant with -g, or remove it to start over");
		return false;
	}
	/* Another process may have made it longer. */
	if (h->end > l->store.len && !store_measure(&l->store))
		return false;
	if (h->check != check_of(h, sizeof(*h), 0) || h->end < METERS ||
	    h->end > l->store.len || !is_time((uint64_t)h->time))
		return fail_damaged(l);
	return true;
}

static bool end_journal(struct ledger *l)
{
	/* The check too, so that no damage to the count revives it. */
	const uint64_t none[2] = {0};

	return store_write(&l->store, JOURNAL, none, sizeof(none));
}

/* Finishes the commit of a process that was killed. */
static bool replay(struct ledger *l, uint64_t count)
{
	struct journal j;
	size_t len = (size_t)count * sizeof(j.entries[0]);

	if (count > LEDGER_ASKED_MAX)
		return fail_damaged(l);
	if (!store_read(&l->store, JOURNAL, &j,
			offsetof(struct journal, entries) + len))
		return false;
	if (j.check != check_of(j.entries, len + sizeof(j.check), count))
		return fail_damaged(l);
	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &j.entries[i];

		if (e->at < METERS || e->at > l->end - sizeof(e->record))
			return fail_damaged(l);
		if (!write_record(l, e->at, e->record))
			return false;
	}
	return end_journal(l);
}

/* A ledger's time, when a clock has gone on. */
static int64_t go_on(int64_t time, int64_t from, int64_t to, int64_t most)
{
	uint64_t went = to > from ? (uint64_t)to - (uint64_t)from : 0;
	uint64_t left = (uint64_t)(TIME_MOST - time);

	went = least(went, (uint64_t)most);
	return time + (int64_t)least(went, left);
}

/* Ties the ledger's time to another boot's clock. */
static bool tie(struct ledger *l, struct header *h, struct policy_moment m)
{
	h->time = go_on(h->time, h->wall, m.wall, LONG);
	if (!latest(l, &h->time))
		return false;
	h->steady = m.steady;
	h->wall = m.wall;
	h->boot = m.boot;
	return write_header(l, h);
}

static bool tell_time(struct ledger *l, struct header *h)
{
	struct policy_moment m = l->clock.read(l->clock.context);

	if ((m.boot != h->boot || m.steady < h->steady) && !tie(l, h, m))
		return false;
	l->now = go_on(h->time, h->steady, m.steady, INT64_MAX);
	return true;
}

/* When something was counted later than now, the clock that nobody sets went
 * back, and it could not be known that it is another one. */
static bool catch_up(struct ledger *l, int64_t last)
{
	struct front f;

	if (last <= l->now)
		return true;
	if (l->store.path) {
		if (!read_front(l, &f))
			return false;
		f.header.time = go_on(f.header.time, l->now, last, INT64_MAX);
		if (!write_header(l, &f.header))
			return false;
	}
	l->now = last;
	return true;
}

/* Locks the file and reads what every transaction needs. */
static bool enter(struct ledger *l, struct header *h)
{
	struct front f;
	bool anew;

	if (!store_lock(&l->store, &anew))
		return false;
	if (anew)
		l->generation = 0;
	if (read_front(l, &f)) {
		l->end = f.header.end;
		*h = f.header;
		if ((f.pending == 0 || replay(l, f.pending)) && tell_time(l, h))
			return true;
	}
	store_unlock(&l->store);
	return false;
}

void ledger_memory(struct ledger *l)
{
	memset(l, 0, sizeof(*l));
	store_memory(&l->store);
	l->end = METERS;
}

bool ledger_file(struct ledger *l, const char *path, struct policy_clock clock)
{
	struct header h = first_header();

	memset(l, 0, sizeof(*l));
	l->clock = clock;
	if (!store_file(&l->store, path, &h, sizeof(h)) || !enter(l, &h))
		return false;
	store_unlock(&l->store);
	return true;
}

bool ledger_copy(struct ledger *l, const char *path, struct policy_clock clock)
{
	struct header h;

	ledger_memory(l);
	l->clock = clock;
	return store_copy(&l->store, path) && (!l->store.bytes || enter(l, &h));
}

void ledger_close(struct ledger *l)
{
	store_close(&l->store);
}

/* ---- binding --------------------------------------------------------- */

/* Notes the meter found in the file, or in another ledger, with those that
 * look for it. */
static void match(struct meter *meters, size_t count, const struct meter *found,
		  uint64_t base, uint64_t key, bool here)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (meters[middle].base < base)
			low = middle + 1;
		else
			high = middle;
	}
	for (struct meter *m = &meters[low];
	     m < meters + count && m->base == base; m++) {
		bool same = m->key == key;

		if (m->kind != found->kind || (m->same && !same))
			continue;
		m->like = found->at;
		m->same = same;
		m->at = 0;
		if (here && same &&
		    (m->kind == METER_SUM || found->places >= m->places)) {
			m->at = found->at;
			m->places = found->places;
		}
	}
}

static bool match_all(struct ledger *l, struct meter *meters, size_t count,
		      bool here)
{
	struct meter found;
	uint64_t base, key;

	for (uint64_t at = METERS; at < l->end;) {
		if (!next_meter(l, &at, &found, &base, &key))
			return false;
		match(meters, count, &found, base, key, here);
	}
	return true;
}

/* The times of the last calls, as many as have room. */
static bool copy_calls(struct ledger *to, const struct meter *m,
		       struct ledger *from, const struct meter *old)
{
	struct slot slots[COPIED];
	struct record r;
	uint64_t count, at;

	if (!read_calls(from, old, &r))
		return false;
	count = r.b < m->places ? r.b : m->places - 1;
	at = (r.a + old->places - count) % old->places;
	for (uint64_t i = 0; i < count;) {
		uint64_t n = least(least(count - i, old->places - at), COPIED);

		if (!read_slots(from, slot_at(old, at), slots, (size_t)n))
			return false;
		if (!write_slots(to, slot_at(m, i), slots, (size_t)n))
			return false;
		i += n;
		at = (at + n) % old->places;
	}
	r.a = count % m->places;
	r.b = count;
	return write_record(to, record_at(m), r);
}

/* What was spent, in the parts of another window: none earlier than it was. */
static bool copy_sums(struct ledger *to, const struct meter *m,
		      struct ledger *from, const struct meter *old)
{
	struct record parts[RING_PARTS], into[RING_PARTS] = {{0}};

	if (!read_parts(from, old, parts))
		return false;
	for (size_t i = 0; i < RING_PARTS; i++) {
		uint64_t end = (parts[i].a + 1) * (uint64_t)old->width - 1;
		uint64_t part = end / (uint64_t)m->width;
		struct record *r = &into[part % RING_PARTS];

		if (parts[i].b == 0 || part < r->a)
			continue;
		if (part > r->a)
			*r = (struct record){.a = part};
		r->b = add(r->b, parts[i].b);
	}
	for (size_t i = 0; i < RING_PARTS; i++)
		if (!write_record(to, part_at(m, i), into[i]))
			return false;
	return true;
}

/* Writes a meter that has its place, with nothing counted. */
static bool write_meter(struct ledger *l, const struct meter *m)
{
	struct head h = {.magic = HEAD_MAGIC,
			 .kind = (uint64_t)m->kind,
			 .base = m->base,
			 .key = m->key,
			 .places = m->places,
			 .width = m->width,
			 .size = size_of(m)};

	h.check = check_of(&h, sizeof(h), m->at);
	return store_write(&l->store, m->at, &h, sizeof(h)) &&
	       ledger_reset(l, m);
}

static bool make_meter(struct ledger *l, const struct meter *m,
		       struct ledger *from)
{
	struct meter old;
	uint64_t at = m->like, base, key;

	if (!write_meter(l, m))
		return false;
	if (at == 0)
		return true;
	if (!next_meter(from, &at, &old, &base, &key))
		return false;
	return m->kind == METER_CALLS ? copy_calls(l, m, from, &old)
				      : copy_sums(l, m, from, &old);
}

/* Another meter of the key, before this one, that has its place. */
static const struct meter *twin(const struct meter *meters,
				const struct meter *m)
{
	for (const struct meter *t = m; t > meters && t[-1].base == m->base;)
		if ((--t)->key == m->key && t->kind == m->kind)
			return t;
	return NULL;
}

/* Meters of one key are one, which has room for the largest of them. */
static void widen(struct meter *meters, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1;
		     k < count && meters[k].base == meters[i].base; k++)
			if (meters[k].key == meters[i].key &&
			    meters[k].places != meters[i].places) {
				if (meters[k].places < meters[i].places)
					meters[k].places = meters[i].places;
				else
					meters[i].places = meters[k].places;
			}
}

/* Gives a place to each meter that has none; returns the end of all. */
static uint64_t place(struct meter *meters, size_t count, uint64_t end)
{
	for (size_t i = 0; i < count; i++) {
		struct meter *m = &meters[i];
		const struct meter *t = twin(meters, m);

		if (t)
			m->at = t->at;
		if (m->at > 0)
			continue;
		m->at = end;
		end += size_of(m);
	}
	return end;
}

/* Can what is there be read, so that damage is known at the start? */
static bool try_meters(struct ledger *l, const struct meter *meters,
		       size_t count)
{
	struct record parts[RING_PARTS];

	for (size_t i = 0; i < count; i++)
		if (meters[i].kind == METER_SUM
			    ? !read_parts(l, &meters[i], parts)
			    : !read_calls(l, &meters[i], parts))
			return false;
	return true;
}

static bool bind_all(struct ledger *l, struct meter *meters, size_t count,
		     struct ledger *from, uint64_t *end)
{
	for (size_t i = 0; i < count; i++) {
		meters[i].at = meters[i].like = 0;
		meters[i].same = false;
	}
	widen(meters, count);
	if (!match_all(from ? from : l, meters, count, !from))
		return false;
	*end = place(meters, count, l->end);
	if (!store_extend(&l->store, *end))
		return false;
	for (size_t i = 0; i < count; i++)
		if (meters[i].at >= l->end && !twin(meters, &meters[i]) &&
		    !make_meter(l, &meters[i], from ? from : l))
			return false;
	return try_meters(l, meters, count);
}

bool ledger_bind(struct ledger *l, struct meter *meters, size_t count,
		 struct ledger *from)
{
	struct header h;
	uint64_t end;
	bool done;

	if (!l->store.path) {
		done = bind_all(l, meters, count, from, &end);
		l->end = done ? end : l->end;
		return done;
	}
	if (!enter(l, &h))
		return false;
	done = bind_all(l, meters, count, NULL, &end);
	if (done && end > h.end) {
		/* This makes all the new ones at once. */
		h.end = l->end = end;
		h.generation++;
		done = write_header(l, &h);
	}
	l->generation = done ? h.generation : 0;
	store_unlock(&l->store);
	return done;
}

/* ---- a transaction --------------------------------------------------- */

enum ledger_ready ledger_begin(struct ledger *l, int64_t now)
{
	struct header h;

	l->asked_count = 0;
	if (!l->store.path) {
		l->store.trouble[0] = '\0';
		l->now = now;
		return LEDGER_READY;
	}
	if (!enter(l, &h))
		return LEDGER_TROUBLE;
	if (h.generation == l->generation)
		return LEDGER_READY;
	store_unlock(&l->store);
	return LEDGER_MOVED;
}

void ledger_end(struct ledger *l)
{
	store_unlock(&l->store);
}

/* Notes what the record at this place will be, once for all that ask. */
static bool note(struct ledger *l, struct asked a)
{
	for (size_t i = 0; i < l->asked_count; i++)
		if (l->asked[i].at == a.at)
			return true;
	if (l->asked_count == LEDGER_ASKED_MAX) {
		store_fail(&l->store,
			   "cannot count a call with more than 64 limits");
		return false;
	}
	l->asked[l->asked_count++] = a;
	return true;
}

static bool ask_calls(struct ledger *l, const struct meter *m, uint64_t max,
		      int64_t length, int64_t *wait)
{
	struct asked a = {.at = record_at(m)};
	struct slot oldest;
	struct record r;

	*wait = 0;
	if (!read_calls(l, m, &r) || !catch_up(l, (int64_t)r.c))
		return false;
	if (r.b >= max) {
		uint64_t at = (r.a + m->places - max) % m->places;

		if (!read_slots(l, slot_at(m, at), &oldest, 1))
			return false;
		if (l->now - oldest.time < length)
			*wait = length - (l->now - oldest.time);
	}
	a.slot = slot_at(m, r.a);
	a.record.a = (r.a + 1) % m->places;
	a.record.b = r.b + 1 < m->places ? r.b + 1 : r.b;
	a.record.c = (uint64_t)l->now;
	return note(l, a);
}

/* Is the part still in the window, of which the part now is the last? */
static bool counts(const struct record *part, uint64_t now)
{
	return part->a + LEDGER_PARTS >= now;
}

/* All that was spent in the window. */
static uint64_t total(const struct record parts[RING_PARTS], uint64_t now)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < RING_PARTS; i++)
		if (counts(&parts[i], now))
			sum = add(sum, parts[i].b);
	return sum;
}

/* How long until so much of what was spent is outside the window. */
static int64_t wait_for(const struct record parts[RING_PARTS], uint64_t part,
			uint64_t much, int64_t width, int64_t now)
{
	uint64_t first = part > LEDGER_PARTS ? part - LEDGER_PARTS : 0, freed;

	for (freed = 0;; first++) {
		const struct record *r = &parts[first % RING_PARTS];

		freed = add(freed, r->a == first ? r->b : 0);
		if (freed >= much || first == part)
			return (int64_t)(first + RING_PARTS) * width - now;
	}
}

static bool ask_sum(struct ledger *l, const struct meter *m, uint64_t max,
		    uint64_t amount, int64_t *wait)
{
	struct record parts[RING_PARTS];
	struct asked a = {.at = 0};
	uint64_t part, spent;

	if (!read_parts(l, m, parts) ||
	    !catch_up(l, (int64_t)newest_part(parts) * m->width))
		return false;
	part = (uint64_t)(l->now / m->width);
	spent = total(parts, part);
	*wait = 0;
	if (amount > max)
		*wait = -1;
	else if (spent > max - amount)
		*wait = wait_for(parts, part, spent - (max - amount), m->width,
				 l->now);
	a.at = part_at(m, part);
	a.record.a = part;
	a.record.b = amount;
	if (parts[part % RING_PARTS].a == part)
		a.record.b = add(amount, parts[part % RING_PARTS].b);
	return note(l, a);
}

bool ledger_ask(struct ledger *l, const struct meter *m, uint64_t max,
		int64_t length, uint64_t amount, int64_t *wait)
{
	if (m->kind == METER_SUM)
		return ask_sum(l, m, max, amount, wait);
	if (max > 0)
		return ask_calls(l, m, max, length, wait);
	*wait = -1;
	return true;
}

static bool begin_journal(struct ledger *l)
{
	struct journal j = {.count = l->asked_count};
	size_t len = l->asked_count * sizeof(j.entries[0]);

	for (size_t i = 0; i < j.count; i++) {
		j.entries[i].at = l->asked[i].at;
		j.entries[i].record = l->asked[i].record;
	}
	j.check = check_of(j.entries, len + sizeof(j.check), j.count);
	return store_write(&l->store, JOURNAL, &j,
			   offsetof(struct journal, entries) + len);
}

static bool write_asked(struct ledger *l)
{
	for (size_t i = 0; i < l->asked_count; i++)
		if (!write_record(l, l->asked[i].at, l->asked[i].record))
			return false;
	return true;
}

bool ledger_commit(struct ledger *l)
{
	bool journal = l->store.path && l->asked_count > 1;

	for (size_t i = 0; i < l->asked_count; i++) {
		const struct asked *a = &l->asked[i];
		struct slot slot = {.time = (int64_t)a->record.c};

		if (a->slot > 0 && !write_slots(l, a->slot, &slot, 1))
			return false;
	}
	if (!journal)
		return write_asked(l);
	if (!begin_journal(l))
		return false;
	/* It is counted: what cannot be written now, the next who has the lock
	 * finds in the journal. */
	if (write_asked(l))
		end_journal(l);
	return true;
}

/* ---- looking on ------------------------------------------------------ */

/* Calls among the last count whose time is later than the time. */
static bool later(struct ledger *l, const struct meter *m,
		  const struct record *r, int64_t time, uint64_t *used)
{
	uint64_t low = 0, high = r->b; /* calls back from the newest */
	struct slot slot;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		uint64_t at = (r->a + m->places - 1 - middle) % m->places;

		if (!read_slots(l, slot_at(m, at), &slot, 1))
			return false;
		if (slot.time > time)
			low = middle + 1;
		else
			high = middle;
	}
	*used = low;
	return true;
}

bool ledger_used(struct ledger *l, const struct meter *m, int64_t length,
		 uint64_t *used)
{
	struct record parts[RING_PARTS], r;
	uint64_t part, newest;

	if (m->kind == METER_CALLS)
		return read_calls(l, m, &r) &&
		       later(l, m, &r, l->now - length, used);
	if (!read_parts(l, m, parts))
		return false;
	part = (uint64_t)(l->now / m->width);
	newest = newest_part(parts);
	*used = total(parts, part > newest ? part : newest);
	return true;
}

bool ledger_reset(struct ledger *l, const struct meter *m)
{
	const struct record nothing = {0};
	size_t records = m->kind == METER_SUM ? RING_PARTS : 1;

	for (size_t i = 0; i < records; i++)
		if (!write_record(l, record_at(m) + i * sizeof(nothing),
				  nothing))
			return false;
	return true;
}
