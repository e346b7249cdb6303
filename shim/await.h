/*
 * await - the lists that the client has asked for and not got.
 *
 * While there is one, the server's lines are read whole.  Only a list ends the
 * waiting, not any response: the client may have given the same id to another
 * request, whose answer must not let the list pass unread.  So a list that
 * never comes stays awaited, which costs no more than that lines are read
 * whole; and so does every list once more than AWAIT_MAX are awaited at once.
 */
#ifndef SHIM_AWAIT_H
#define SHIM_AWAIT_H

#include "../parser/message.h"

#define AWAIT_MAX 64

struct awaited {
	char id[MESSAGE_ID_BYTES + 2]; /* as it stands in the request */
	size_t len;
	size_t due; /* lists that are to come with this id; 0: a free place */
	bool answered; /* with an error, for an unreadable reply */
};

struct await {
	struct awaited lists[AWAIT_MAX];
	size_t due;  /* lists to come, of all ids */
	bool always; /* more came than there are places */
};

bool await_any(const struct await *a);

/* A list is asked for with this id, of at most sizeof(awaited.id) bytes. */
void await_add(struct await *a, struct span id);

/* A list has come with this id; strings are compared decoded. */
void await_end(struct await *a, struct span id);

/* An id that is awaited and not yet answered is marked so and returned; its
 * ptr is NULL if there is none. */
struct span await_answer(struct await *a);

#endif
