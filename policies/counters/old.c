/* Files of the old form.  The contract is in old.h. */
#include "old.h"

#include <string.h>

#define METERS     4096 /* where they begin */
#define RING       (WINDOWS_PARTS + 1)
#define HEAD_MAGIC UINT64_C(0x726574656d726977)

struct header {
	char magic[8];
	uint64_t version, generation, end;
	struct tie tie;
	uint64_t spare[7], check;
};

struct head {
	uint64_t magic, kind, base, key, places;
	int64_t width;
	uint64_t size, check;
};

struct record {
	uint64_t a, b, c, check;
};

bool old_is(const char first[8])
{
	return memcmp(first, "weirlim\n", 8) == 0;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Reads a piece that ends in its check. */
static bool get(const char *bytes, size_t len, uint64_t at, void *piece,
		size_t size)
{
	uint64_t hash = mix(1, at), word;

	if (at > len || size > len - at)
		return false;
	memcpy(piece, bytes + at, size);
	for (size_t i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, bytes + at + i, sizeof(word));
		if (i + sizeof(word) == size)
			return word == hash;
		hash = mix(hash, word);
	}
	return false;
}

bool old_begin(char *bytes, size_t len, struct tie *tie)
{
	struct header h;
	uint64_t count, at = sizeof(h) + 2 * sizeof(count);

	if (!get(bytes, len, 0, &h, sizeof(h)) || h.version != 1 ||
	    h.tie.time < 0)
		return false;
	*tie = h.tie;
	if (len < METERS)
		return len == sizeof(h) || len > at;
	memcpy(&count, bytes + sizeof(h), sizeof(count));
	for (; count > 0 && count <= COUNTERS_ASKED_MAX; count--) {
		uint64_t to;

		memcpy(&to, bytes + at, sizeof(to));
		if (to < METERS || to > len || len - to < sizeof(struct record))
			return false;
		memcpy(bytes + to, bytes + at + sizeof(to),
		       sizeof(struct record));
		at += sizeof(to) + sizeof(struct record);
	}
	return count == 0;
}

static bool each_call(const char *bytes, size_t len, uint64_t at,
		      const struct head *h, windows_take *take, void *context)
{
	struct piece p = {.id = h->base};
	int64_t times[PIECE_WORDS];
	struct record r;

	if (!get(bytes, len, at, &r, sizeof(r)) || h->places == 0 ||
	    r.a >= h->places || r.b > h->places)
		return false;
	p.words = times;
	for (uint64_t i = 0; i < r.b; i++) {
		int64_t slot[2];
		uint64_t n = (r.a + h->places - r.b + i) % h->places;

		if (!get(bytes, len, at + sizeof(r) + n * sizeof(slot), slot,
			 sizeof(slot)))
			return false;
		times[p.n++] = slot[0];
		if ((p.n == PIECE_WORDS || i + 1 == r.b) && !take(context, &p))
			return false;
		p.n = p.n == PIECE_WORDS ? 0 : p.n;
	}
	return true;
}

static bool each_sum(const char *bytes, size_t len, uint64_t at,
		     const struct head *h, windows_take *take, void *context)
{
	struct piece p = {.id = h->key, .sum = true, .high = INT64_MAX};
	struct record parts[RING];
	int64_t words[2 * RING];
	uint64_t newest = 0;

	for (size_t i = 0; i < RING; i++) {
		if (!get(bytes, len, at + i * sizeof(*parts), &parts[i],
			 sizeof(*parts)))
			return false;
		newest = parts[i].a > newest ? parts[i].a : newest;
	}
	if (h->width <= 0 || newest > (uint64_t)(INT64_MAX / 2 / h->width))
		return false;
	p.words = words;
	for (uint64_t n = newest < RING ? 0 : newest - WINDOWS_PARTS;
	     n <= newest; n++) {
		const struct record *r = &parts[n % RING];

		if (r->a != n || r->b == 0)
			continue;
		words[p.n++] = (int64_t)(n + 1) * h->width - 1;
		words[p.n++] = (int64_t)r->b;
	}
	return p.n == 0 || take(context, &p);
}

bool old_each(char *bytes, size_t len, windows_take *take, void *context)
{
	struct header front;
	struct head h, later;

	if (!get(bytes, len, 0, &front, sizeof(front)))
		return false;
	for (uint64_t at = METERS; at < front.end; at += h.size) {
		bool last = true;

		if (!get(bytes, len, at, &h, sizeof(h)) ||
		    h.magic != HEAD_MAGIC || h.size < sizeof(h) || h.size > len)
			return false;
		/* The last of a key is the one in use. */
		for (uint64_t k = at + h.size; last && k < front.end;
		     k += later.size) {
			if (!get(bytes, len, k, &later, sizeof(later)) ||
			    later.size < sizeof(later) || later.size > len)
				return false;
			last = later.base != h.base || later.key != h.key ||
			       later.kind != h.kind;
		}
		if (last &&
		    !(h.kind == 2 ? each_sum : each_call)(
			    bytes, len, at + sizeof(h), &h, take, context))
			return false;
	}
	return true;
}
