/*
 * condition - tests a condition of a rule against the arguments of a call.
 *
 * Reads the arguments in place and allocates nothing.  An ambiguous argument is
 * invalid and refuses the call, whichever list the condition is in: a duplicate
 * key, or one that matches only case-insensitively; any other key beyond ASCII
 * beside a path step beyond ASCII; a value of a type that the operator does not
 * compare; a string with \u0000 or an unpaired surrogate; a number whose
 * exponent is too long, or that compares differently as a double; a path, uri
 * or host that address.h finds invalid.  null is a missing value, except for
 * exists and where an operand of eq, neq, in or not_in is null.
 *
 * Servers built on FastMCP parse a string that is the text of a JSON array.  So
 * such a string is read both ways:
 *
 *   - a path steps into the array
 *   - deny_if also holds if one element meets the condition; elements of types
 *     that the operator is not about are skipped
 *   - where operators.h says so, a required condition must also hold for its
 *     elements (as neq), or for the array (contains)
 *   - "null" is also null, for eq, neq, in and not_in
 *
 * An array is what Python's json accepts: with white space around it, and with
 * NaN and Infinity inside.  It is invalid with one of these, beyond
 * SCAN_DEPTH_MAX or CONDITION_TEXT_BYTES, or with an ambiguous key (scan.h).
 * Text that nobody reads as an array, as "[INFO] done", is only a string.
 *
 * args.** leads to every key and to every string, number, true and false, and
 * into strings that are the text of an array or an object, and into the strings
 * in these.  What the operator is not about is skipped.
 */
#ifndef POLICIES_CONDITION_H
#define POLICIES_CONDITION_H

#include "../../parser/scan.h"
#include "../policy.h"
#include "address.h"
#include "decimal.h"
#include "operators.h"

#define CONDITION_STEPS_MAX  16                   /* of a path */
#define CONDITION_TEXT_BYTES ((ptrdiff_t)1 << 20) /* of an array's text */
#define CONDITION_TEXT_ROOM                                                    \
	(2 * (CONDITION_TEXT_BYTES + 64)) /* of two, with their ends */
#define CONDITION_LENGTH_MAX 1000000000   /* of max_length */

/* One step of a path: args.list[*].x has three. */
enum step_kind {
	STEP_KEY,
	STEP_INDEX,
	STEP_EITHER, /* a number in a JSON Pointer: a key or an index */
	STEP_EACH,
};
struct step {
	enum step_kind kind;
	const char *key; /* decoded; of STEP_KEY and STEP_EITHER */
	size_t len;
	bool ascii;   /* the key is */
	size_t index; /* of STEP_INDEX and STEP_EITHER */
};

/* The operators. */
enum op {
#define ROW(id, ...) OP_##id,
	OPERATORS(ROW)
#undef ROW
		OP_COUNT
};
struct operator
{
	const char *name;     /* in a policy */
	unsigned about;       /* the types that it can be about, a set; 0: the
				 key */
	unsigned operand;     /* the types that it compares with, a set */
	const char *compares; /* the same, in words */
	unsigned list;        /* what is tested of a list that is text: LIST_ */
};
extern const struct operator operators[OP_COUNT];

/* What a value of JSON is; what the policy compares with is never one of the
 * last two. */
enum type {
	TYPE_NULL,
	TYPE_BOOLEAN,
	TYPE_NUMBER,
	TYPE_STRING,
	TYPE_ARRAY,
	TYPE_OBJECT,
};

/* What the policy compares with. */
struct operand {
	enum type type;
	const char *ptr; /* a number's lexeme; a string, decoded; "true"; a
			    directory, resolved; a host */
	size_t len;
	struct decimal number; /* of a number */
	double approx;         /* the same, as most servers read it */
	size_t most;           /* of OP_MAX_LENGTH */
	const char *written;   /* of OP_UNDER: with its "~/" or "./", or NULL */
	const struct uri *uri; /* of OP_UNDER: a directory of uris, or NULL; of
				  OP_HOST, its port 0 for any */
	bool below;            /* of OP_HOST: the names below it */
};

struct regex;

/* A condition, or a group of them. */
enum group { GROUP_NONE, GROUP_ALL, GROUP_ANY };
struct condition;
struct conditions {
	struct condition *list;
	size_t count;
};
struct condition {
	enum group group;
	struct conditions members; /* of a group; the rest is of a condition */
	bool everywhere;           /* the path is args.** */
	bool told;                 /* the reason is written in the file */
	struct step *steps;
	size_t step_count;
	enum op op;
	struct operand *operands; /* several for in, not_in, under and host */
	size_t operand_count;     /* 0 for OP_REGEX and OP_GLOB */
	struct regex *regex;      /* of OP_REGEX, OP_GLOB, and of OP_CONTAINS
				     with a string */
	const char *source;       /* as the policy has it, a JSON object */
	struct location location; /* of the group, if it is in one */
	const char *reason;       /* escaped for a JSON string */
};

/* The types that the condition is about, a set: those of the operator that its
 * operand can be compared with.  0: the key. */
unsigned condition_about(const struct condition *c);

/*
 * The arguments of a call, read once for all conditions: the members of an
 * object of at most ARGUMENTS_MEMBERS.
 */
#define ARGUMENTS_MEMBERS 24
struct argument {
	struct text key;
	const char *value;
	size_t len;       /* of the value */
	struct text text; /* the value, if it is a string */
};
struct arguments {
	struct span json; /* ptr is NULL: none */
	struct scan r;
	bool whole; /* members has all of them */
	size_t count;
	struct argument members[ARGUMENTS_MEMBERS + 1]; /* one to try */
};
void arguments_read(struct arguments *a, struct span json);

/*
 * Tests the condition: with every, it must hold for all values that the path
 * leads to, and the path must lead to one each time; else for any value.  A
 * missing value is a no, except for OP_EXISTS.  Of a group all members are
 * tested, and if one is INVALID, so is the group.  scratch has
 * CONDITION_TEXT_ROOM bytes and then room for the regex (regex.h).  *value is
 * the value that decided, in the arguments or in scratch; ptr is NULL if there
 * is none.
 */
enum outcome condition_test(const struct condition *c, struct arguments *a,
			    bool every, void *scratch, struct span *value);

#endif
