/* Entries found by a tool's name. */
#include "unit.h"

#include <stdlib.h>

#include "../../policies/judge/names.h"

static const struct {
	const char *pattern, *name;
	bool covers;
} globs[] = {
	{"*", "", true},
	{"*", "anything", true},
	{"", "", true},
	{"", "a", false},
	{"?", "", false},
	{"?", "a", true},
	{"?", "ab", false},
	{"a*", "a", true},
	{"a*", "ba", false},
	{"*a", "ba", true},
	{"*a", "ab", false},
	{"a*c", "abc", true},
	{"a*c", "ac", true},
	{"a*c", "acb", false},
	{"a*b*c", "aXbYbZc", true},
	{"a*b*c", "acb", false},
	{"*ab*", "aab", true},
	{"a?c*", "abcd", true},
	{"**", "x", true},
	{"*?", "", false},
	{"*?*", "x", true},
	{"admin_*", "admin_", true},
	{"admin_*", "admin", false},
};

TEST(globs_cover)
{
	for (size_t i = 0; i < COUNT(globs); i++)
		row_true(globs[i].pattern,
			 name_glob(globs[i].pattern, strlen(globs[i].pattern),
				   globs[i].name,
				   strlen(globs[i].name)) == globs[i].covers);
}

static const struct {
	const char *name, *folded;
} folds[] = {
	{"abc", "abc"},
	{"ABC_Z", "abc_z"},
	{" \t abc\n", "abc"},
	{"a b", "a b"},
	{"\x7F"
	 "abc\x01",
	 "abc"},
	{"\xC5\xBF", "s"},
	{"\xE2\x84\xAA"
	 "ill",
	 "kill"},
	{"caf\xC3\x89", "caf\xC3\x89"},
	{"", ""},
	{"  ", ""},
};

TEST(names_fold)
{
	char out[64];

	for (size_t i = 0; i < COUNT(folds); i++) {
		size_t len =
			name_fold(folds[i].name, strlen(folds[i].name), out);

		row_true(folds[i].name,
			 len == strlen(folds[i].folded) &&
				 memcmp(out, folds[i].folded, len) == 0);
	}
}

/* A set of entries, owned by the test. */
struct set {
	struct names names;
	struct entry *entries;
	size_t count;
};

static void add(struct set *s, const char *name)
{
	struct entry *e = &s->entries[s->count++];
	char *folded = malloc(strlen(name) + NAME_FOLD_MORE);

	e->name = name;
	e->len = strlen(name);
	e->folded = folded;
	e->folded_len = name_fold(name, e->len, folded);
	e->glob = strpbrk(name, "*?") != NULL;
	names_add(&s->names, e);
}

static struct set make_set(size_t count)
{
	struct set s = {.count = 0};

	s.names.mask = 15;
	while (s.names.mask < 2 * count)
		s.names.mask = s.names.mask * 2 + 1;
	s.names.slots = calloc(s.names.mask + 1, sizeof(*s.names.slots));
	s.names.literals = calloc(s.names.mask + 1, sizeof(*s.names.slots));
	s.entries = calloc(count, sizeof(*s.entries));
	return s;
}

static void free_set(struct set *s)
{
	for (size_t i = 0; i < s->count; i++)
		free((char *)s->entries[i].folded);
	free(s->entries);
	free(s->names.slots);
	free(s->names.literals);
}

/* The entries found, as a string: one letter each, in upper case if it covers
 * the name as it is spelled. */
static void found(const struct set *s, const char *name, char out[27])
{
	const struct entry *e;
	bool exact, met[26] = {false}, spelled[26] = {false};
	struct walk w;

	walk_begin(&w, &s->names, name, strlen(name));
	walk_add_alias(&w);
	while ((e = walk_next(&w, &exact))) {
		assert_false(met[e - s->entries]); /* each once */
		met[e - s->entries] = true;
		spelled[e - s->entries] = exact;
	}
	for (int i = 0; i < 26; i++)
		if (met[i])
			*out++ = (char)((spelled[i] ? 'A' : 'a') + i);
	*out = '\0';
}

/* Entries, and what is found of them, up to the next that has entries. */
static const struct {
	const char *entries[10], *name, *found;
} walks[] = {
	{{"kill", "kill*", "*", "k?ll", "*ll", "Kill_All", "kill _*", " pad ",
	  "caf\xC3\xA9", "caf*"},
	 "kill",
	 "ABCDE"},
	{{0}, "KILL", "abCde"},
	{{0}, " kill", "abCdE"},
	{{0}, "kill ", "aBCde"},
	{{0}, "\xE2\x84\xAAill", "abCdE"},
	{{0}, "kill_all", "BCEf"},
	{{0}, "Kill_All", "bCEF"},
	{{0}, "kill _x", "BCG"},
	{{0}, "k", "C"},
	{{0}, "", "C"},
	{{0}, "pad", "Ch"},
	{{0}, " pad ", "CH"},
	{{0}, "caf\xC3\xA9", "CIJ"},
	{{0}, "caf\xC3\x89", "CJ"},
	/* What a glob begins with may fold to another byte, or away. */
	{{" write_*",
	  "\xC5\xBF"
	  "et*",
	  "\xE2\x84\xAA"
	  "ill*"},
	 "write_x",
	 "a"},
	{{0}, "set_x", "b"},
	{{0}, "Kill_x", "c"},
	/* The name that FastMCP's apps give a tool besides its own. */
	{{"tool", "T?ol", "__0123456789ab_x", "__*X", "*"},
	 "__0123456789ab_tool",
	 "abE"},
	{{0}, " __0123456789AB_Tool\t", "abE"},
	{{0}, "__0123456789ab_ tool", "abE"},
	{{0}, "__0123456789ab_tool2", "E"},
	{{0}, "__0123456789ab_x", "CdE"},
	{{0}, "__cdef01234567_X", "DE"},
	{{0}, "__0123456789ab_", "E"},
	{{0}, "__0123456789ab_\t", "E"},
	{{0}, "__0123456789ab-tool", "E"},
	{{0}, "__0123456789a_tool", "E"},
	{{0}, "__0123456789abc_tool", "E"},
	{{0}, "__0123456789ag_tool", "E"},
	{{0}, "_0123456789ab_tool", "E"},
	{{0}, "__0123456789ab___0123456789ab_tool", "E"},
	{{0}, "__0123456789ab___0123456789ab_x", "cdE"},
	/* Two names of one hash; and one whose begin has the hash of a whole.
	 */
	{{"djxrhj", "a*"}, "ghiwsl", ""},
	{{0}, "djxrhj", "A"},
	{{0}, "aa0uquw3", "B"},
};

TEST(walk_finds_every_entry)
{
	struct set s = make_set(1);
	char out[27];

	for (size_t i = 0; i < COUNT(walks); i++) {
		if (walks[i].entries[0]) {
			free_set(&s);
			s = make_set(COUNT(walks[i].entries));
		}
		for (size_t k = 0; k < COUNT(walks[i].entries); k++)
			if (walks[i].entries[k])
				add(&s, walks[i].entries[k]);
		found(&s, walks[i].name, out);
		row_check(strcmp(out, walks[i].found) == 0, "%s: %s",
			  walks[i].name, out);
	}
	free_set(&s);
}

/* A literal is found by its whole spelling alone, however long it is. */
TEST(literals_are_spelled)
{
	/* The last two have one hash. */
	static const char line[] = "-abcdefghijklmnopqrstuvwxyzabcdefghij",
			  one[] = "oswopgeg", two[] = "uqnlhhyw";
	const char *all = line + 1;
	enum { MOST = sizeof(line) - 1 };
	char names[MOST][MOST], other[MOST];
	struct set s = make_set(MOST + 1);

	for (size_t len = 0; len < MOST; len++) {
		sprintf(names[len], "%.*s", (int)len, all);
		add(&s, names[len]);
	}
	add(&s, one);
	for (size_t len = 0; len < MOST; len++) {
		assert_ptr_equal(names_literal(&s.names, all, len),
				 &s.entries[len]);
		for (size_t at = 0; at < len; at++) {
			memcpy(other, all, len);
			other[at] = 'X';
			assert_null(names_literal(&s.names, other, len));
		}
	}
	assert_ptr_equal(names_literal(&s.names, one, 8), &s.entries[MOST]);
	assert_null(names_literal(&s.names, two, 8));
	free_set(&s);
}

TEST(same_is_to_the_letter)
{
	struct set s = make_set(3);
	struct entry other;

	add(&s, "Tool");
	other = s.entries[0];
	assert_ptr_equal(names_same(&s.names, &other), &s.entries[0]);
	other.name = "tool";
	assert_null(names_same(&s.names, &other));
	other.name = "Tool*";
	other.len = 5;
	other.glob = true;
	assert_null(names_same(&s.names, &other));
	free_set(&s);
}

static size_t longest_slot(const struct names *n)
{
	size_t longest = 0;

	for (size_t i = 0; i <= n->mask; i++) {
		size_t count = 0;

		for (const struct entry *e = n->slots[i]; e; e = e->next)
			count++;
		longest = count > longest ? count : longest;
		count = 0;
		for (const struct entry *e = n->literals[i]; e;
		     e = e->next_literal)
			count++;
		longest = count > longest ? count : longest;
	}
	return longest;
}

/* Names that differ in a number at any place find slots of their own. */
TEST(names_spread)
{
	enum { NAMES = 1000, LONGEST = 32 };
	static char names[NAMES][2 * LONGEST + 8];
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdef";

	for (int len = 0; len <= LONGEST; len++)
		for (int sides = 1; sides <= 3; sides++) {
			struct set s = make_set(NAMES);

			for (int i = 0; i < NAMES; i++) {
				sprintf(names[i], "%.*s%d%.*s",
					sides & 1 ? len : 0, letters, i,
					sides & 2 ? len : 0, letters);
				add(&s, names[i]);
			}
			row_true(names[NAMES - 1], longest_slot(&s.names) <= 8);
			free_set(&s);
		}
}

/* 1024 bytes, the longest name there is, met by a glob at its very end. */
TEST(longest_names)
{
	char name[MESSAGE_NAME_BYTES + 1], glob[MESSAGE_NAME_BYTES + 1];
	struct set s = make_set(2);
	char out[27];

	memset(name, 'n', MESSAGE_NAME_BYTES);
	name[MESSAGE_NAME_BYTES] = '\0';
	memcpy(glob, name, sizeof(glob));
	glob[MESSAGE_NAME_BYTES - 1] = '?';
	add(&s, name);
	add(&s, glob);
	found(&s, name, out);
	assert_string_equal(out, "AB");
	free_set(&s);
}

RUN(NULL, NULL)
