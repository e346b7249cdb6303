/* Lists that are awaited.  The contract is in await.h. */
#include "await.h"

#include <string.h>

bool await_has(const struct await *a, enum reply_list list)
{
	return a->due[list] > 0 || a->always;
}

static struct text id_text(const char *id, size_t len)
{
	return (struct text){
		.ptr = id + 1, .len = len - 2, .flags = TEXT_ESCAPED};
}

static bool same_id(const struct awaited *w, struct span id)
{
	if (w->len == id.len && memcmp(w->id, id.ptr, id.len) == 0)
		return true;
	return w->id[0] == '"' && id.ptr[0] == '"' &&
	       text_equal(id_text(w->id, w->len), id_text(id.ptr, id.len));
}

static struct awaited *find(struct await *a, struct span id,
			    enum reply_list list)
{
	for (size_t i = 0; i < AWAIT_MAX; i++)
		if (a->lists[i].due > 0 && a->lists[i].list == list &&
		    same_id(&a->lists[i], id))
			return &a->lists[i];
	return NULL;
}

static struct awaited *find_free(struct await *a)
{
	for (size_t i = 0; i < AWAIT_MAX; i++)
		if (a->lists[i].due == 0)
			return &a->lists[i];
	return NULL;
}

void await_add(struct await *a, struct span id, enum reply_list list)
{
	struct awaited *w = find(a, id, list);

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

static void close_one(struct await *a, struct awaited *w)
{
	a->open -= w->open;
	w->open = false;
}

void await_end(struct await *a, struct span id, enum reply_list list)
{
	struct awaited *w = id.ptr ? find(a, id, list) : NULL;

	if (!w)
		return;
	w->due--;
	a->due[list]--;
	if (w->due == 0)
		close_one(a, w);
}

void await_seen(struct await *a, struct span id)
{
	for (size_t i = 0; i < AWAIT_MAX && a->open > 0; i++)
		if (a->lists[i].open && same_id(&a->lists[i], id))
			close_one(a, &a->lists[i]);
}

void await_answered(struct await *a, struct span id)
{
	for (size_t i = 0; i < AWAIT_MAX; i++)
		if (a->lists[i].due > 0 && same_id(&a->lists[i], id))
			a->lists[i].answered = true;
}

struct span await_answer(struct await *a)
{
	for (size_t i = 0; i < AWAIT_MAX; i++) {
		struct awaited *w = &a->lists[i];

		if (w->due > 0 && !w->answered) {
			w->answered = true;
			return (struct span){.ptr = w->id, .len = w->len};
		}
	}
	return (struct span){.ptr = NULL};
}
