/*
 * pending - the lists that the client has asked for and not got.
 *
 * While there is one, the server's lines are read whole.  Only a list of its
 * kind ends the waiting, not any response: the client may have given the same
 * id to another request, whose answer must not let the list pass unread.  So a
 * list that never comes stays pending, which costs that lines are read whole,
 * and that one which cannot be read for certain is withheld; and so does every
 * list once more than PENDING_MAX are pending at once.
 *
 * Where nothing is hidden now, something may be soon: lists are noted all the
 * same, but lines are read whole only until a first response to each has come.
 */
#ifndef SHIM_PENDING_H
#define SHIM_PENDING_H

#include "../parser/message.h"
#include "../parser/reply.h"

#define PENDING_MAX 64

struct pending_list {
	char id[MESSAGE_ID_BYTES + 2]; /* as it stands in the request */
	size_t len;
	enum reply_list list;
	size_t due; /* lists that are to come with this id; 0: a free place */
	bool answered; /* with an error, for an unreadable reply */
	bool open;     /* no response with this id has come since */
};

struct pending {
	struct pending_list lists[PENDING_MAX];
	size_t due[REPLY_LISTS]; /* lists to come, of all ids */
	size_t open;             /* of the lists above */
	bool always;             /* there may be others, too */
};

/* Is a list of this kind to come? */
bool pending_has(const struct pending *a, enum reply_list list);

/* A list is asked for with this id, of at most sizeof(pending_list.id) bytes.
 */
void pending_add(struct pending *a, struct span id, enum reply_list list);

/* This list has come with this id; strings are compared decoded. */
void pending_end(struct pending *a, struct span id, enum reply_list list);

/* Some response with this id has come. */
void pending_seen(struct pending *a, struct span id);

/* An answer with this id goes out. */
void pending_answered(struct pending *a, struct span id);

/* An id that is pending and not yet answered is marked so and returned; its
 * ptr is NULL if there is none. */
struct span pending_answer(struct pending *a);

#endif
