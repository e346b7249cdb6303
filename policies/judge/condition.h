/*
 * condition - what a rule asks of a call's arguments.
 *
 * A condition looks at the arguments in the message, where they lie; nothing
 * is allocated.  What could be read in more than one way is unfit, and refuses
 * the call whatever the condition is for: a key that is there twice, or only in
 * another case; beside a step beyond ASCII, any other key beyond ASCII; a value
 * of another type than the condition compares with; a string with \u0000 or an
 * unpaired surrogate; a number whose exponent has no end, or that compares in
 * another way as a double; a path that is not absolute.
 *
 * A string that is the text of a JSON array is a list to servers on FastMCP,
 * which parse it once.  So it is read both ways:
 *
 *   - a path steps into it
 *   - what is denied is denied in one of its elements, too; elements that the
 *     operator is not about are passed over
 *   - a required contains must hold for the list, too, and a required neq or
 *     not_in for its elements
 *   - "null" is also null, for eq, neq, in and not_in
 *
 * An array is what Python's json takes for one: with white space around it,
 * and with NaN and Infinity in it.  With one of these, past SCAN_DEPTH_MAX or
 * CONDITION_TEXT_BYTES, or with a key in doubt (scan.h), it is unfit.  What is
 * no array to anybody, as "[INFO] done", is a string and no more.
 */
#ifndef POLICIES_CONDITION_H
#define POLICIES_CONDITION_H

#include "../../parser/scan.h"
#include "decimal.h"
#include "../policy.h"

#define CONDITION_STEPS_MAX  16                   /* of a path */
#define CONDITION_TEXT_BYTES ((ptrdiff_t)1 << 20) /* of a string, a list */
#define CONDITION_TEXT_ROOM  (CONDITION_TEXT_BYTES + 64) /* and its end */

/* One step of a path, down from a value: args.list[*].x has three. */
enum step_kind {
	STEP_KEY,
	STEP_INDEX,
	STEP_EITHER, /* a number of a JSON Pointer: what there is, decides */
	STEP_EACH,
};
struct step {
	enum step_kind kind;
	const char *key; /* decoded; of STEP_KEY and STEP_EITHER */
	size_t len;
	bool ascii;   /* the key is */
	size_t index; /* of STEP_INDEX and STEP_EITHER */
};

enum op {
	OP_EQ,
	OP_NEQ,
	OP_IN,
	OP_NOT_IN, /* these four compare values */
	OP_LT,
	OP_LTE,
	OP_GT,
	OP_GTE,
	OP_CONTAINS,
	OP_EXISTS,
	OP_REGEX,
	OP_GLOB,
	OP_UNDER,
};

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
	const char *ptr; /* a number's lexeme; a string, decoded; "true" */
	size_t len;
	struct decimal number; /* of a number */
	double approx;         /* the same, as most servers read it */
};

struct regex;

struct condition {
	struct step *steps;
	size_t step_count;
	enum op op;
	struct operand *operands; /* several for OP_IN and OP_NOT_IN */
	size_t operand_count;     /* 0 for OP_REGEX and OP_GLOB */
	struct regex *regex;      /* of OP_REGEX, OP_GLOB, and of OP_CONTAINS
				     with a string */
	const char *source;       /* as the policy has it, a JSON object */
	struct location location;
	const char *reason; /* escaped for a JSON string */
};

enum outcome { OUTCOME_NO, OUTCOME_YES, OUTCOME_INVALID };

/*
 * A call's arguments, read once for all conditions: their members, if they are
 * an object of at most ARGUMENTS_MEMBERS.
 */
#define ARGUMENTS_MEMBERS 24
struct member {
	struct text key;
	const char *value;
	size_t len;       /* of the value */
	struct text text; /* the value, if it is a string */
};
struct arguments {
	struct span json; /* ptr is NULL: none */
	struct scan r;
	bool whole; /* these are all members */
	size_t count;
	struct member members[ARGUMENTS_MEMBERS];
};
void arguments_read(struct arguments *a, struct span json);

/*
 * Does the condition hold for the arguments?  With every: for each value that
 * the path leads to, and it leads to one on every way; else: for any.  A path
 * that leads nowhere is a no, but for OP_EXISTS.  scratch has
 * CONDITION_TEXT_ROOM, and behind it room for the regex (regex.h).  *value
 * is what decided, if there was such a value, in the arguments or in scratch;
 * else its ptr is NULL.
 */
enum outcome condition_test(const struct condition *c, struct arguments *a,
			    bool every, void *scratch, struct span *value);

/* Both for strings: is the absolute path inside the directory, or it, once
 * ".", ".." and empty segments are folded; with fold, once case is, too
 * (text_fold())?  UNFIT: not absolute, or with a backslash or an encoded dot or
 * slash. */
enum outcome condition_under(struct text path, const char *dir, size_t len,
			     bool fold);

#endif
