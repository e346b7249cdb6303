/*
 * served - the calls that the server has not answered yet, and their answers
 * among the bytes that pass on from it unread.
 *
 * Only for the log: a wrong match gives a wrong time there, and no verdict.  An
 * answer is known by its id at the top level of its line, which is looked for
 * in the first and the last SERVED_LOOK bytes: forwards from the first brace,
 * and backwards from the last, where the strings of JSON can be told as surely.
 * A line with a method is the server's own request.  Not known are an answer
 * whose id stands elsewhere, or stands there twice, differently; one with an
 * escaped key; and one whose calls were too many.
 *
 * Pure but for the memory that served_new() takes.  Between the bytes of a line
 * nothing is kept but those at its ends.
 */
#ifndef SHIM_SERVED_H
#define SHIM_SERVED_H

#include "../parser/message.h"
#include "log.h"

#define SERVED_CALLS 1024 /* the oldest is forgotten for one more */
#define SERVED_LOOK  ((size_t)512)

struct served_call {
	int64_t since; /* when it passed, of host_now() */
	uint64_t seq;  /* of its decision in the log */
	unsigned short id_len, about_len;
	char id[MESSAGE_ID_BYTES + 2]; /* as it stands in the request */
	char about[LOG_ABOUT]; /* members of the log that its answer has, too */
};

/* A line that has ended. */
struct served_line {
	const struct served_call *call; /* that it answers, until the next call
					   of these functions; or NULL */
	bool error;   /* it has an error, or a result with isError */
	size_t bytes; /* without its line end */
};

struct served;

/* NULL: there is no memory. */
struct served *served_new(void);
void served_free(struct served *s);

/* Is there a call to wait for?  Not if s is NULL. */
bool served_waits(const struct served *s);

/* A place for a call with this id.  half: the server is inside a line now. */
struct served_call *served_add(struct served *s, struct span id, bool half);

/* Takes bytes that pass, up to the end of a line.  Returns how many; *line says
 * what ended with them, if anything did. */
size_t served_take(struct served *s, const char *p, size_t len,
		   struct served_line *line);

/* The line under way was ended. */
void served_break(struct served *s);

#endif
