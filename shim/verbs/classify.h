/*
 * classify - the class of a tool, from what its server says of it.
 *
 * The tables of words in classify.c are all there is to it.  What may be of
 * several classes is of the strictest of them, and so is what no table has.
 */
#ifndef SHIM_CLASSIFY_H
#define SHIM_CLASSIFY_H

/* From the mildest to the strictest. */
enum tool_class {
	CLASS_READ,
	CLASS_WRITE,
	CLASS_EXECUTE,
	CLASS_DESTRUCTIVE,
	CLASS_FINANCIAL,
	CLASSES,
};

extern const char class_names[CLASSES][12];

/* The annotations that are believed, as they only make a class stricter. */
enum {
	HINT_WRITES = 1,   /* readOnlyHint: false */
	HINT_DESTROYS = 2, /* destructiveHint: true */
};

struct classified {
	enum tool_class class;
	char why[128]; /* "the name says \"delete\"" */
};

/* The texts are UTF-8 without escapes, NUL-ended; "" or NULL: there is none. */
struct classified classify(const char *name, const char *title,
			   const char *description, unsigned hints);

/* A condition that could guard an argument. */
struct guard {
	char what[10];  /* "a path" */
	char op[6];     /* of the condition */
	char value[20]; /* JSON, to be replaced by what is allowed */
};

/* That of an argument of this name, if its JSON type is this one, "" if the
 * schema does not say; of an array, that of an element.  NULL: none. */
const struct guard *classify_argument(const char *name, const char *type);

#endif
