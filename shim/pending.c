/* Lists that are pending.  The contract is in pending.h. */
#include "pending.h"

#include "../parser/elicit.h"

#include <string.h>

bool pending_has(const struct pending *a, enum reply_list list)
{
	return a->due[list] > 0 || a->always;
}

static bool same_id(const struct pending_list *w, struct span id)
{
	return elicit_same_id((struct span){w->id, w->len}, id);
}

static struct pending_list *find(struct pending *a, struct span id,
				 enum reply_list list)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (a->lists[i].due > 0 && a->lists[i].list == list &&
		    same_id(&a->lists[i], id))
			return &a->lists[i];
	return NULL;
}

static struct pending_list *find_free(struct pending *a)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (a->lists[i].due == 0)
			return &a->lists[i];
	return NULL;
}

void pending_add(struct pending *a, struct span id, enum reply_list list)
{
	struct pending_list *w = find(a, id, list);

	if (!w) {
		w = find_free(a);
		if (!w) {
			a->always = true;
			return;
		}
		memcpy(w->id, id.ptr, id.len);
		w->len = id.len;
		w->list = list;
	}
	w->answered = false;
	a->open += !w->open;
	w->open = true;
	w->due++;
	a->due[list]++;
}

static void close_one(struct pending *a, struct pending_list *w)
{
	a->open -= w->open;
	w->open = false;
}

void pending_end(struct pending *a, struct span id, enum reply_list list)
{
	struct pending_list *w = id.ptr ? find(a, id, list) : NULL;

	if (!w)
		return;
	w->due--;
	a->due[list]--;
	if (w->due == 0)
		close_one(a, w);
}

void pending_seen(struct pending *a, struct span id)
{
	for (size_t i = 0; i < PENDING_MAX && a->open > 0; i++)
		if (a->lists[i].open && same_id(&a->lists[i], id))
			close_one(a, &a->lists[i]);
}

void pending_answered(struct pending *a, struct span id)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (a->lists[i].due > 0 && same_id(&a->lists[i], id))
			a->lists[i].answered = true;
}

struct span pending_answer(struct pending *a)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending_list *w = &a->lists[i];

		if (w->due > 0 && !w->answered) {
			w->answered = true;
			return (struct span){.ptr = w->id, .len = w->len};
		}
	}
	return (struct span){.ptr = NULL};
}
