/*
 * reply - one line from the server, read for the lists in it.
 *
 * The server is trusted to run, not to be tidy.  Its lines are read only while
 * a list is awaited, and only to find lists: what is no JSON is noise, what
 * is JSON and has no list is the client's business, and what begins like a
 * message but cannot be read without doubt must be withheld, for a client
 * might find a list in it.
 *
 * Pure functions, as scan.h has them; spans point into the line.  Only
 * reply_cut() and list_cut() write, into the memory that they are given.
 */
#ifndef PARSER_REPLY_H
#define PARSER_REPLY_H

#include "scan.h"

enum reply_kind {
	REPLY_NOISE,  /* does not begin like a message, nor hides a list */
	REPLY_OTHER,  /* a message without a list in its result */
	REPLY_LIST,   /* its result holds one of the lists below */
	REPLY_UNREAD, /* begins like a message, and is in doubt */
};

/* The lists that a result may hold, and the key that names their elements. */
enum reply_list {
	REPLY_TOOLS,     /* tools, by name */
	REPLY_PROMPTS,   /* prompts, by name */
	REPLY_RESOURCES, /* resources, by uri */
	REPLY_TEMPLATES, /* resourceTemplates, by uriTemplate */
	REPLY_LISTS,
};

/* What has been passed on, unread, of a line whose end is still to come. */
struct half {
	char first; /* its first byte that no reader strips; 0: none yet */
	char last;  /* its last one; where that is a '[', the one before it */
};

struct reply {
	enum reply_kind kind;
	struct span id; /* at the top; none unless it is certain */
	struct span lists[REPLY_LISTS]; /* the arrays that are there */
	bool greets;      /* its result has capabilities: of initialize */
	unsigned changes; /* the lists, a bit each, whose changes it promises to
			     tell: result.capabilities.tools.listChanged */
	bool answers;     /* has result or error: ends a request */
	struct fault fault; /* of REPLY_UNREAD */
};

/* Takes note of len more bytes that are passed on. */
void half_add(struct half *half, const char *p, size_t len);

/*
 * How much of what follows half a line some reader cannot take for a list: up
 * to the place where it may find one, in a second message on that line or
 * behind other words.  whole: there is no more of the line to come; else up to
 * where a message may begin.
 */
size_t reply_rest(const struct half *half, const char *p, size_t len,
		  bool whole);

/* Reads the line of len bytes, its line end taken off or not. */
void reply_read(const char *line, size_t len, struct reply *reply);

/*
 * Is an element of this name kept?  A name that readers could take in more
 * than one way (not there, twice, no string) has a NULL ptr.
 */
typedef bool list_keep(void *context, enum reply_list list, struct text name);

/*
 * Reads the line as reply_read() does, and in the same pass leaves out of its
 * lists the elements that are not kept, each with one of the commas beside it
 * and the white space between; no other byte is touched.  Returns the bytes
 * that the line has then.  Of reply.lists only tells which there are; reply.id
 * is where the id stands afterwards.  A line that is REPLY_UNREAD may have been
 * cut half-way, and must not be passed on.
 */
size_t reply_cut(char *line, size_t len, list_keep *keep, void *context,
		 struct reply *reply);

/*
 * The same for one array that reply_read() has found, copied to out, which has
 * room for array.len bytes and may be array.ptr itself.  Returns the bytes
 * written; *cut is the number of elements left out.
 */
size_t list_cut(struct span array, enum reply_list list, list_keep *keep,
		void *context, char *out, size_t *cut);

#endif
