/*
 * reply - one line from the server, searched for lists.
 *
 * The server is trusted to run, not to be tidy.  Its lines are read only while
 * a list is pending, and only to find lists.  What is not JSON is noise; JSON
 * without a list is the client's business; what starts like a message but is
 * ambiguous must be withheld, because a client might find a list in it.
 *
 * The functions are pure, as in scan.h; spans point into the line.  Only
 * reply_cut() and list_cut() write, into the memory that they are given.
 */
#ifndef PARSER_REPLY_H
#define PARSER_REPLY_H

#include "scan.h"

enum reply_kind {
	REPLY_NOISE,  /* not a message, and no list inside */
	REPLY_OTHER,  /* a message without a list in its result */
	REPLY_LIST,   /* its result holds one of the lists below */
	REPLY_UNREAD, /* starts like a message, but is ambiguous */
};

/* The lists that a result may have, and the key that identifies an element. */
enum reply_list {
	REPLY_TOOLS,     /* tools, by name */
	REPLY_PROMPTS,   /* prompts, by name */
	REPLY_RESOURCES, /* resources, by uri */
	REPLY_TEMPLATES, /* resourceTemplates, by uriTemplate */
	REPLY_LISTS,
};

/* The start of a line that was passed on unread; its end is still to come. */
struct half {
	char first; /* the first byte that no reader strips; 0: none yet */
	char last;  /* the last such byte; if it is a '[', the one before it */
};

struct reply {
	enum reply_kind kind;
	struct span id; /* at the top level; none unless it is certain */
	struct span lists[REPLY_LISTS]; /* the arrays found */
	struct span result;             /* of REPLY_OTHER; or none */
	bool greets;        /* the result has capabilities: of initialize */
	unsigned changes;   /* one bit for each list with
			       result.capabilities.LIST.listChanged */
	struct text server; /* the name in result.serverInfo, or in
			       _meta; where nothing was cut */
	bool answers;       /* has result or error: ends a request */
	bool more;          /* result.nextCursor is a string: it is one page */
	struct fault fault; /* of REPLY_UNREAD */
};

/* Notes that len more bytes at p have been passed on. */
void half_add(struct half *half, const char *p, size_t len);

/*
 * How many of the len bytes that follow half a line are safe to pass on: those
 * before the position where some reader may find a list, in a second message on
 * the same line or behind other words.  If the line is not whole yet, those
 * before the position where a message may start.
 */
size_t reply_rest(const struct half *half, const char *p, size_t len,
		  bool whole);

/* Reads a line of len bytes, with or without its line end. */
void reply_read(const char *line, size_t len, struct reply *reply);

/*
 * Should this element of the list stay?  name.ptr is NULL if the name is
 * missing, duplicate, or not a string.  item is the whole of it, valid during
 * the call.
 */
typedef bool list_keep(void *context, enum reply_list list, struct text name,
		       struct span item);

/*
 * Reads the line as reply_read() does and, in the same pass, removes the
 * elements that are not kept from its lists, each with one adjacent comma and
 * the white space between; no other byte changes.  Returns the new length of
 * the line.  reply.lists only tells which lists there are; reply.id points to
 * the id where it is afterwards.  If the result is REPLY_UNREAD, the line may
 * be cut in part and must not be passed on.
 */
size_t reply_cut(char *line, size_t len, list_keep *keep, void *context,
		 struct reply *reply);

/*
 * Does the same for one array that reply_read() has found.  Writes the result
 * to out, which has room for array.len bytes and may be array.ptr.  Returns the
 * bytes written; *cut is the number of elements removed.
 */
size_t list_cut(struct span array, enum reply_list list, list_keep *keep,
		void *context, char *out, size_t *cut);

#endif
