/*
 * address - paths and uris in arguments, read strictly.
 *
 * What another reader could take for another place is invalid.  The functions
 * are pure, and judge the text alone: no link is followed, no name resolved.
 */
#ifndef POLICIES_ADDRESS_H
#define POLICIES_ADDRESS_H

#include "../../parser/scan.h"

enum outcome { OUTCOME_NO, OUTCOME_YES, OUTCOME_INVALID };

#define URI_SCHEME_BYTES 32
#define URI_HOST_BYTES   256

struct uri {
	char scheme[URI_SCHEME_BYTES]; /* in lower case */
	char host[URI_HOST_BYTES];     /* of the web in lower case; "" if there
					  is none; an IPv6 address has its
					  brackets */
	uint32_t port;                 /* also a default one; 0: none */
	bool web;         /* a host is needed, a query may follow */
	bool numeric;     /* the host is an IP address */
	struct text path; /* from its slash on; "/" if empty */
	struct text rest; /* the same, with query and fragment */
	size_t depth;     /* the path's segments */
	size_t empty;     /* those before an empty one; SIZE_MAX:
			     there is none */
	bool odd;         /* the path has a character that may be
			     spelled otherwise */
	bool parameters;  /* a segment has a semicolon */
};

/*
 * Reads scheme://authority/path.  False: it is none, or has one of these: a
 * user part; a host that is not ASCII letters, digits, - and _ between single
 * dots; an IP address in another than its canonical spelling; a port with
 * leading zeros; a backslash, white space or a control character; in the path,
 * a coded control character, letter, digit, or one of "-_.~/\%", ".." beside an
 * empty segment or, in a file: uri, behind a drive's letter, a segment "..;",
 * or, where the scheme is none of the web, ".." that leads above the path or
 * stands in the query.  A file: uri has no authority, and no empty segment
 * first.
 */
bool uri_read(struct text text, struct uri *u);

/* Would a reader that is lenient with white space take it for a uri, of the
 * scheme if that is not NULL? */
bool uri_begins(struct text text, const char *scheme);

/* Is the host of len bytes at s, with a port or without, as uri_read() has it?
 * Sets what *u has of these, the port only if there is one. */
bool host_read(const char *s, size_t len, struct uri *u);

/* Is the absolute path the directory or below it, after ".", ".." and empty
 * segments are resolved?  fold ignores case (text_fold()).  INVALID: not
 * absolute, or with a backslash, an encoded dot or slash, or white space at its
 * end. */
enum outcome path_under(struct text path, const char *dir, size_t len,
			bool fold);

/* The same of a uri whose scheme, host and port are those of dir.  INVALID: it
 * depends on where the path ends, or on whether an empty segment is one; or,
 * with fold, on what follows a semicolon or is encoded. */
enum outcome uri_under(const struct uri *u, const struct uri *dir, bool fold);

#endif
