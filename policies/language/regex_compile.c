/* Patterns to programs.  The contract is in regex.h. */
#include "../judge/regex_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ENDLESS (-1) /* the upper count of x* */

/* A group that is open, or the pattern around them all. */
struct group {
	size_t offset; /* of its parenthesis */
	size_t start;  /* of its code */
	size_t branch; /* start of the alternative that is being read */
	size_t jump;   /* the last JUMP to its end, which is not known yet: its
			* arg is the one before, 0 if there is none */
	bool fold;     /* in any case */
};

/* A pattern being read. */
struct build {
	const char *pattern;
	struct text rest;         /* what is not read yet */
	size_t at;                /* offset of the piece that is being read */
	struct regex_fault fault; /* the first; reading ends there */
	enum { NOTHING, ONCE, REPEATED } last; /* what the piece can repeat */
	size_t operand;                        /* where that starts */
	struct group groups[REGEX_DEPTH_MAX + 1];
	size_t depth; /* of the innermost */
	size_t size, set_count, bound_count;
	struct inst code[REGEX_SIZE_MAX];
	struct set sets[REGEX_SIZE_MAX + 1]; /* one may be begun in vain */
	int32_t bounds[REGEX_SIZE_MAX];
};

/* \d, \s and \w as bounds of what is in them and what is not, in turn. */
static const int32_t digits[] = {0, '0', '9' + 1, POINT_END, POINT_END};
static const int32_t spaces[] = {0,   '\t',    '\n' + 1,  '\f',     '\r' + 1,
				 ' ', ' ' + 1, POINT_END, POINT_END};
static const int32_t words[] = {0,       '0', '9' + 1, 'A',       'Z' + 1,  '_',
				'_' + 1, 'a', 'z' + 1, POINT_END, POINT_END};
static const int32_t folded_words[] = {
	0,       '0',   '9' + 1, 'A',    'Z' + 1, '_',       '_' + 1,  'a',
	'z' + 1, 0x17F, 0x180,   0x212A, 0x212B,  POINT_END, POINT_END};

/* Notes a fault of the piece that is being read; the first one stays. */
static void fail(struct build *b, const char *reason)
{
	if (b->fault.reason)
		return;
	b->fault.reason = reason;
	b->fault.offset = b->at;
}

/* Is there room for more in an array of REGEX_SIZE_MAX that has used? */
static bool has_room(struct build *b, size_t used, size_t more)
{
	if (more <= REGEX_SIZE_MAX - used)
		return true;
	fail(b, "more than 10000 instructions");
	return false;
}

static size_t offset(const struct build *b)
{
	return (size_t)(b->rest.ptr - b->pattern);
}

/* Skips the word if it is next. */
static bool skip(struct build *b, const char *word)
{
	size_t len = strlen(word);

	if (b->rest.len < len || memcmp(b->rest.ptr, word, len) != 0)
		return false;
	b->rest.ptr += len;
	b->rest.len -= len;
	return true;
}

static bool folds(const struct build *b)
{
	return b->groups[b->depth].fold;
}

static void emit(struct build *b, enum op op, size_t arg)
{
	if (has_room(b, b->size, 1))
		b->code[b->size++] = (struct inst){op, (int32_t)arg};
}

/* Emits what can be repeated. */
static void emit_atom(struct build *b, enum op op, size_t arg)
{
	b->operand = b->size;
	b->last = ONCE;
	emit(b, op, arg);
}

static void emit_point(struct build *b, int32_t c)
{
	if (folds(b))
		emit_atom(b, TAKE_FOLDED, (size_t)text_fold(c));
	else
		emit_atom(b, TAKE_POINT, (size_t)c);
}

/* Puts a split in front of the code that starts at start. */
static void emit_before(struct build *b, size_t start, size_t arg)
{
	emit(b, SPLIT, arg);
	if (b->fault.reason)
		return;
	memmove(b->code + start + 1, b->code + start,
		(b->size - 1 - start) * sizeof(*b->code));
	b->code[start] = (struct inst){SPLIT, (int32_t)arg};
}

/* Begins a set, behind those there are.  It is what the functions below it are
 * about, up to end_set(). */
static void begin_set(struct build *b)
{
	b->sets[b->set_count] = (struct set){.first = b->bound_count};
}

/* Adds low up to, not including, end. */
static void add_range(struct build *b, int32_t low, int32_t end)
{
	struct set *set = &b->sets[b->set_count];
	int32_t *bounds = b->bounds + set->first, own[2];
	size_t from = 0, to, count = 0;

	while (from < set->count && bounds[from] < low)
		from++;
	for (to = from; to < set->count && bounds[to] <= end;)
		to++;
	/* The bounds in between go; its own come where it was not inside. */
	if (from % 2 == 0)
		own[count++] = low;
	if (to % 2 == 0)
		own[count++] = end;
	if (!has_room(b, b->bound_count, count))
		return;
	memmove(bounds + from + count, bounds + to,
		(set->count - to) * sizeof(*bounds));
	memcpy(bounds + from, own, count * sizeof(*bounds));
	set->count = set->count - (to - from) + count;
	b->bound_count = set->first + set->count;
}

/* Adds what \c stands for; false: c is none of d, s and w in either case. */
static bool add_named(struct build *b, int32_t c)
{
	const int32_t *bounds;

	if (c == 'd' || c == 'D')
		bounds = digits;
	else if (c == 's' || c == 'S')
		bounds = spaces;
	else if (c == 'w' || c == 'W')
		bounds = folds(b) ? folded_words : words;
	else
		return false;
	for (bounds += c >= 'a'; *bounds < POINT_END; bounds += 2)
		add_range(b, bounds[0], bounds[1]);
	return true;
}

/* Adds, for each letter that is there, all that fold to the same. */
static void add_cases(struct build *b)
{
	const struct set *set = &b->sets[b->set_count];

	for (int32_t c = 'a'; c <= 'z'; c++) {
		int32_t upper = c - ('a' - 'A');
		int32_t third = c == 's' ? 0x17F : c == 'k' ? 0x212A : c;

		if (!set_has(set, b->bounds, c) &&
		    !set_has(set, b->bounds, upper) &&
		    !set_has(set, b->bounds, third))
			continue;
		add_range(b, c, c + 1);
		add_range(b, upper, upper + 1);
		add_range(b, third, third + 1);
	}
}

static void end_set(struct build *b, bool negated)
{
	struct set *set = &b->sets[b->set_count];

	if (folds(b))
		add_cases(b);
	set->negated = negated;
	for (int32_t c = 0; c < 0x80; c++)
		if (set_has(set, b->bounds, c))
			set->ascii[c / 64] |= (uint64_t)1 << c % 64;
	/* There always is: a class has two bounds at least, and they are as
	 * many as sets may be.  The check costs less than the proof. */
	if (has_room(b, b->set_count, 1))
		emit_atom(b, TAKE_SET, b->set_count++);
}

/* What follows \x. */
static int32_t read_hex(struct build *b)
{
	static const char hex[] = "0123456789ABCDEFabcdef";
	bool braced = skip(b, "{");
	int32_t c = 0;
	size_t read = 0;

	for (; b->rest.len > 0 && (braced || read < 2); read++) {
		const char *digit = memchr(hex, *b->rest.ptr, sizeof(hex) - 1);

		if (!digit)
			break;
		c = c * 16 + (int32_t)(digit - hex) -
		    (digit < hex + 16 ? 0 : 6);
		c = c < POINT_END ? c : POINT_END;
		text_next(&b->rest);
	}
	if (braced ? read == 0 || !skip(b, "}") : read < 2)
		fail(b, "\\x without its hex digits");
	else if (c == POINT_END)
		fail(b, "\\x past 10FFFF");
	return c;
}

/* What \c stands for, if it is one code point. */
static int32_t read_escape(struct build *b, int32_t c)
{
	static const char from[] = "nrtfv", to[] = "\n\r\t\f\v";

	for (size_t i = 0; from[i]; i++)
		if (c == from[i])
			return to[i];
	if (c == 'x')
		return read_hex(b);
	if (c < 0)
		fail(b, "a \\ at the end");
	else if (c >= '1' && c <= '9')
		fail(b, "backreferences are not supported");
	else if (c != ' ' && (c >= 0x80 || !ispunct(c)))
		fail(b, "an escape that is not supported");
	return c;
}

/* One member between brackets, or an end of a range. */
static int32_t read_member(struct build *b)
{
	int32_t c = text_next(&b->rest);

	return c == '\\' ? read_escape(b, text_next(&b->rest)) : c;
}

/* Adds what is next between brackets: \d and the like, a range or a code point,
 * which a - is, too, where it joins no two. */
static void read_item(struct build *b)
{
	int32_t low, high;

	b->at = offset(b);
	if (b->rest.len > 1 && *b->rest.ptr == '\\' &&
	    add_named(b, b->rest.ptr[1])) {
		b->rest.ptr += 2;
		b->rest.len -= 2;
		return;
	}
	if (skip(b, "[:"))
		fail(b, "POSIX classes are not supported");
	low = high = read_member(b);
	if (b->rest.len > 1 && b->rest.ptr[1] != ']' && skip(b, "-"))
		high = read_member(b);
	if (high < low)
		fail(b, "a range that ends before it begins");
	if (!b->fault.reason)
		add_range(b, low, high + 1);
}

/* What follows [. */
static void read_brackets(struct build *b)
{
	bool negated = skip(b, "^");
	size_t open = b->at;

	begin_set(b);
	/* Before the first item, no ] is looked for: there it is one. */
	while (b->rest.len > 0 && !b->fault.reason) {
		read_item(b);
		if (skip(b, "]")) {
			end_set(b, negated);
			return;
		}
	}
	b->at = open;
	fail(b, "a [ without its ]");
}

/* What follows a \ that is not between brackets. */
static void read_backslash(struct build *b)
{
	static const char places[] = "AzbB"; /* in the order of their bits */
	int32_t c = text_next(&b->rest);

	for (size_t i = 0; places[i]; i++)
		if (c == places[i]) {
			emit_atom(b, ASSERT, (size_t)1 << i);
			return;
		}
	begin_set(b);
	if (add_named(b, c))
		end_set(b, false);
	else
		emit_point(b, read_escape(b, c));
}

/* What follows (. */
static void open_group(struct build *b)
{
	bool fold = folds(b);

	if (skip(b, "?i)")) {
		if (b->at > 0)
			fail(b, "(?i) stands at the start of a pattern only");
		b->groups[0].fold = true;
		return;
	}
	if (skip(b, "?i:"))
		fold = true;
	else if (skip(b, "?=") || skip(b, "?!") || skip(b, "?<=") ||
		 skip(b, "?<!"))
		fail(b, "look-around is not supported; write a second "
			"condition in deny_if");
	else if (skip(b, "?P") || skip(b, "?<"))
		fail(b, "named groups are not supported");
	else if (!skip(b, "?:") && skip(b, "?"))
		fail(b, "a group with ? that is none of (?: (?i: (?i)");
	if (b->depth == REGEX_DEPTH_MAX) {
		fail(b, "groups nested more than 100 deep");
		return;
	}
	b->groups[++b->depth] = (struct group){.offset = b->at,
					       .start = b->size,
					       .branch = b->size,
					       .fold = fold};
	b->last = NOTHING;
}

/* At |: a split before the alternative that was read leads to the next, a jump
 * behind it to the end of the group. */
static void begin_branch(struct build *b)
{
	struct group *g = &b->groups[b->depth];

	emit_before(b, g->branch, b->size + 2 - g->branch);
	emit(b, JUMP, g->jump);
	g->jump = b->size - 1;
	g->branch = b->size;
	b->last = NOTHING;
}

static void end_branches(struct build *b)
{
	size_t jump = b->groups[b->depth].jump, before;

	for (; jump > 0; jump = before) {
		before = (size_t)b->code[jump].arg;
		b->code[jump].arg = (int32_t)(b->size - jump);
	}
}

/* At ). */
static void close_group(struct build *b)
{
	if (b->depth == 0) {
		fail(b, "a ) without its (");
		return;
	}
	end_branches(b);
	b->operand = b->groups[b->depth--].start;
	b->last = ONCE;
}

/*
 * Makes the operand x stand for itself min to max times:
 *
 *   x{2,4}  x x SPLIT-to-end x SPLIT-to-end x
 *   x{2,}   x x SPLIT-back-to-x
 *   x{0,}   SPLIT-to-end x SPLIT-back-to-x
 */
static void repeat(struct build *b, size_t min, int max)
{
	size_t x = b->operand, len = b->size - x;
	size_t copies = max == ENDLESS ? min + !min : (size_t)max;
	size_t splits = max == ENDLESS ? 1 + !min : copies - min;
	size_t end = x + copies * len + splits;

	if (copies == 0) {
		b->size = x;
		return;
	}
	if (!has_room(b, x, end - x))
		return;
	if (min == 0) {
		emit_before(b, x, end - x);
		x++;
	}
	for (size_t i = 1; i < copies; i++) {
		if (i >= min)
			emit(b, SPLIT, end - b->size);
		memcpy(b->code + b->size, b->code + x, len * sizeof(*b->code));
		b->size += len;
	}
	if (max == ENDLESS)
		emit(b, SPLIT, 0 - len);
}

/* A count without leading zeros; any past the bound is as good. */
static bool read_count(struct build *b, int *count)
{
	const char *from = b->rest.ptr;
	size_t len;

	*count = 0;
	while (b->rest.len > 0 && isdigit((unsigned char)*b->rest.ptr)) {
		if (*count <= REGEX_COUNT_MAX)
			*count = *count * 10 + (*b->rest.ptr - '0');
		text_next(&b->rest);
	}
	len = (size_t)(b->rest.ptr - from);
	return len == 1 || (len > 1 && *from != '0');
}

/* What follows {. */
static bool read_counts(struct build *b, int *min, int *max)
{
	if (!read_count(b, min))
		return false;
	*max = *min;
	if (!skip(b, ","))
		return skip(b, "}");
	*max = ENDLESS;
	return skip(b, "}") || (read_count(b, max) && skip(b, "}"));
}

/* What follows c, one of * + ? {. */
static void read_repetition(struct build *b, int32_t c)
{
	int min = c == '+', max = c == '?' ? 1 : ENDLESS;

	if (c == '{' && !read_counts(b, &min, &max))
		fail(b, "a { that begins no count; \\{ is a plain one");
	else if (b->last == NOTHING)
		fail(b, "nothing to repeat");
	else if (b->last == REPEATED)
		fail(b, "a repetition of a repetition");
	else if (min > REGEX_COUNT_MAX || max > REGEX_COUNT_MAX)
		fail(b, "a count of more than 1000");
	else if (max != ENDLESS && max < min)
		fail(b, "counts that end before they begin");
	else
		repeat(b, (size_t)min, max);
	skip(b, "?"); /* as few as can be: the same here */
	b->last = REPEATED;
}

/* One piece of the pattern, which begins with c. */
static void read_piece(struct build *b, int32_t c)
{
	switch (c) {
	case '(':
		open_group(b);
		break;
	case ')':
		close_group(b);
		break;
	case '|':
		begin_branch(b);
		break;
	case '*':
	case '+':
	case '?':
	case '{':
		read_repetition(b, c);
		break;
	case '[':
		read_brackets(b);
		break;
	case '\\':
		read_backslash(b);
		break;
	case '.':
		emit_atom(b, TAKE_ANY, 0);
		break;
	case '^':
		emit_atom(b, ASSERT, AT_BEGIN);
		break;
	case '$':
		emit_atom(b, ASSERT, AT_END);
		break;
	default:
		emit_point(b, c);
	}
}

static void read_pattern(struct build *b)
{
	while (b->rest.len > 0 && !b->fault.reason) {
		b->at = offset(b);
		read_piece(b, text_next(&b->rest));
	}
	if (b->depth > 0) {
		b->at = b->groups[b->depth].offset;
		fail(b, "a ( without its )");
	}
	if (b->fault.reason)
		return;
	end_branches(b);
	emit(b, MATCH, 0);
}

/* The program in as much memory as it takes. */
static struct regex *pack(const struct build *b)
{
	size_t code = b->size * sizeof(*b->code);
	size_t sets = b->set_count * sizeof(*b->sets);
	size_t bounds = b->bound_count * sizeof(*b->bounds);
	struct regex *re = malloc(sizeof(*re) + code + sets + bounds);
	char *behind;

	if (!re)
		return NULL;
	*re = (struct regex){.size = b->size};
	memcpy(re->sets, b->sets, sets);
	behind = (char *)re->sets + sets;
	re->code = memcpy(behind, b->code, code);
	re->bounds = memcpy(behind + code, b->bounds, bounds);
	return re;
}

struct regex *regex_compile(const char *pattern, size_t len,
			    struct regex_fault *fault)
{
	struct build *b = malloc(sizeof(*b));
	struct regex *re = NULL;

	*fault = (struct regex_fault){.reason = "out of memory"};
	if (!b)
		return NULL;
	/* Not the arrays: few of their pages are ever touched. */
	memset(b, 0, offsetof(struct build, code));
	b->pattern = pattern;
	b->rest = (struct text){.ptr = pattern, .len = len};
	read_pattern(b);
	if (b->fault.reason)
		*fault = b->fault;
	else
		re = pack(b);
	if (re)
		/* Room to work in, of which b is more than enough. */
		regex_note_heads(re, b);
	free(b);
	return re;
}
