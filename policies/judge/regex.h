/*
 * regex - regular expressions for the strings of a message.
 *
 * The syntax is a part of RE2's, and what is in it means what it means there.
 * A match may lie anywhere in the subject; ^ and $ tie it to the ends.
 *
 *   x  .             this code point; any but a newline
 *   [a-z_]  [^a-z_]  one of these; one that is none of these (also a newline)
 *   \d \s \w         ASCII: 0-9; space \t \n \f \r; 0-9 A-Z a-z _
 *   \D \S \W         anything else; all six also between brackets
 *   ^  \A  $  \z     the begin of the subject; the end of it, no line's
 *   \b  \B           where just one neighbour is a \w; where both are, or none
 *   x*  x+  x?       any number; one or more; one or none
 *   x{2} x{2,} x{2,5}  counts, of at most REGEX_COUNT_MAX
 *   x*? x+? ...      the same, since no one asks how long the match is
 *   x|y  (x)  (?:x)  one of the two; a group, of which nothing is kept
 *   (?i) at the start of the pattern, (?i:x)  in any case
 *   \n \t \r \f \v \xHH \x{H...}  that code point
 *   \. and any other ASCII punctuation, or a space: itself
 *
 * Matched are code points, with the escapes of the message decoded; an unpaired
 * surrogate in the subject is one like any other.  "In any case" means as
 * text_fold() folds: ASCII letters, U+017F is s and U+212A is k; other letters
 * keep their case, which RE2 folds, too.  \B holds between code points, in RE2
 * also between the bytes of one.
 *
 * All else does not compile: look-around, backreferences, named groups, other
 * flags, other escapes (\Z, \a, \p and octal among them), POSIX classes, a
 * repetition of a repetition (x** and x*+), and, as engines differ about it, a
 * { that begins no count.  Nor does a pattern that is past one of the bounds.
 *
 * A match takes at most so many steps for each code point as the program has
 * instructions, whatever subject and pattern are.  x{m,n} is n times x to it;
 * in a class of n ranges a step takes log n.
 */
#ifndef POLICIES_REGEX_H
#define POLICIES_REGEX_H

#include "../../parser/scan.h"

#define REGEX_SIZE_MAX  10000 /* instructions; classes; half as many ranges */
#define REGEX_DEPTH_MAX 100   /* groups open at once */
#define REGEX_COUNT_MAX 1000  /* in {m,n} */

struct regex; /* a compiled pattern; nothing changes it any more */

struct regex_fault {
	const char *reason; /* static text */
	size_t offset;      /* of what is at fault, in bytes of the pattern */
};

/*
 * Compiles a pattern of len bytes, which are UTF-8.  The result is one block of
 * memory, the caller's to free(); it keeps nothing of the pattern.  NULL: the
 * pattern is no regular expression, or there is no memory ("out of memory",
 * offset 0).  Takes 520 KB more while it works.
 */
struct regex *regex_compile(const char *pattern, size_t len,
			    struct regex_fault *fault);

/* The bytes that a match needs to work in, at most 60 KB.  They are aligned as
 * malloc() does it; what is in them counts for nothing, before and after. */
size_t regex_scratch(const struct regex *re);

/* Does some part of the subject match?  The subject was read by scan_string(),
 * so a quote is behind it.
 * Allocates nothing; matches at the same time need a scratch each. */
bool regex_match(const struct regex *re, struct text subject, void *scratch);

#endif
