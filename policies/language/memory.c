/* What a policy owns: taken while it is loaded, freed at once. */
#include "../internal.h"

#include <stdlib.h>

#define CHUNK_BYTES 16384

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *arena_take(struct arena *a, size_t len)
{
	struct chunk *c = a->chunks;
	size_t size;
	void *taken;

	len = (len + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!c || c->size - c->used < len) {
		size = a->least > 0 ? a->least : CHUNK_BYTES;
		size = len > size ? len : size;
		c = calloc(1, sizeof(*c) + size);
		if (!c)
			return NULL;
		c->size = size;
		c->next = a->chunks;
		a->chunks = c;
	}
	taken = c->bytes + c->used;
	c->used += len;
	return taken;
}

/* Most slots are empty or hold one: what is looked for is then told by one
 * comparison, the same way each time. */
bool arena_names(struct arena *a, struct names *n, size_t most)
{
	size_t slots = 16;

	while (slots < 8 * most)
		slots *= 2;
	n->mask = (uint32_t)(slots - 1);
	n->slots = arena_take(a, 2 * slots * sizeof(struct entry *));
	n->literals = n->slots ? n->slots + slots : NULL;
	return n->slots;
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (struct owned *o = policy->owned; o; o = o->next)
		free(o->block);
	arena_free(&policy->arena);
	for (size_t i = 0; i < policy->file_count; i++)
		free(policy->files[i].text);
	free(policy->files);
	free(policy->matches);
	free(policy->memory);
	free(policy);
}
