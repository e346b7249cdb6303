/* Lists of words, and the word of one that was probably meant. */
#include "loader.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to change, add, drop or swap (optimal string alignment);
 * more than 3 for words too long to be a slip. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	enum { LONGEST = 40 };
	size_t d[LONGEST + 1][LONGEST + 1];

	if (a_len > LONGEST || b_len > LONGEST)
		return LONGEST;
	for (size_t i = 0; i <= a_len; i++)
		for (size_t j = 0; j <= b_len; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] =
				least(least(d[i - 1][j], d[i][j - 1]) + 1,
				      d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[a_len][b_len];
}

const char *policy_word(const char *words, int index)
{
	for (; index > 0 && *words; index--)
		words += strlen(words) + 1;
	return words;
}

const char *policy_nearest(const char *s, size_t len, const char *words)
{
	const char *best = NULL;
	size_t least_far = 3;

	for (; *words; words = policy_word(words, 1)) {
		size_t far = distance(s, len, words, strlen(words));

		if (far < least_far && far * 3 <= len + 1) {
			least_far = far;
			best = words;
		}
	}
	return best;
}

/* What other languages of policies say, too far from weir's word to be found by
 * its letters. */
static const char *find_foreign(const char *s, size_t len, const char *words)
{
	static const struct {
		char theirs[12], ours[17];
	} pairs[] = {
		{"equals", "eq"},
		{"equal", "eq"},
		{"==", "eq"},
		{"=", "eq"},
		{"not_equals", "neq"},
		{"not_equal", "neq"},
		{"!=", "neq"},
		{"nin", "not_in"},
		{"one_of", "in"},
		{"matches", "regex"},
		{"match", "regex"},
		{"pattern", "regex"},
		{"regexp", "regex"},
		{"starts_with", "glob"},
		{"startsWith", "glob"},
		{"prefix", "glob"},
		{"ends_with", "glob"},
		{"like", "glob"},
		{"includes", "contains"},
		{"present", "exists"},
		{"<", "lt"},
		{"<=", "lte"},
		{">", "gt"},
		{">=", "gte"},
		{"block", "deny"},
		{"reject", "deny"},
		{"forbid", "deny"},
		{"permit", "allow"},
		{"approve", "require_approval"},
		{"ask", "require_approval"},
		{"rules", "require"},
		{"conditions", "require"},
		{"when", "require"},
		{"unless", "deny_if"},
		{"message", "reason"},
		{"message", "on_deny"},
		{"field", "path"},
		{"argument", "path"},
		{"operator", "op"},
		{"pattern", "value"},
		{"values", "value"},
		{"blocked", "hide"},
		{"deny", "hide"},
		{"deny", "action"},
		{"allow", "tools"},
		{"allow", "action"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		for (const char *w = words; *w; w = policy_word(w, 1))
			if (strlen(pairs[i].theirs) == len &&
			    memcmp(pairs[i].theirs, s, len) == 0 &&
			    strcmp(pairs[i].ours, w) == 0)
				return w;
	return NULL;
}

const char *spelling_meant(const char *s, size_t len, const char *words)
{
	const char *near = policy_nearest(s, len, words);

	return near ? near : find_foreign(s, len, words);
}
