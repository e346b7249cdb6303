/* Regular expressions: what compiles, what matches, and where they fail. */
#include "unit.h"

#include <stdlib.h>

#include "../../policies/judge/regex.h"

static struct regex *compile(const char *pattern, size_t len,
			     struct regex_fault *fault)
{
	char *exact = malloc(len + !len);
	struct regex *re;

	/* A byte too far is found by ASan, one that is kept as well. */
	assert_non_null(exact);
	memcpy(exact, pattern, len);
	re = regex_compile(exact, len, fault);
	memset(exact, '(', len);
	free(exact);
	return re;
}

/* subject is what stands between the quotes in a message. */
static bool matches(const struct regex *re, const char *subject)
{
	size_t len = strlen(subject);
	char *quoted = malloc(len + 2), *scratch = malloc(regex_scratch(re));
	struct text text;
	struct scan r;
	bool match;

	assert_true(quoted && scratch);
	quoted[0] = quoted[len + 1] = '"';
	memcpy(quoted + 1, subject, len);
	scan_begin(&r, quoted, len + 2);
	assert_non_null(scan_string(&r, quoted, &text));
	/* What was in the scratch counts for nothing. */
	memset(scratch, 0xA5, regex_scratch(re));
	match = regex_match(re, text, scratch);
	assert_int_equal(regex_match(re, text, scratch), match);
	free(quoted);
	free(scratch);
	return match;
}

/* A pattern, what it matches, and what it does not; NULL: nothing here. */
static const struct {
	const char *pattern, *yes, *no; /* " | " between */
} subjects[] = {
	/* Literals, anywhere in the subject. */
	{"", " | a"},
	{"a", "a | xay", " | A"},
	{"ab", "aab", "a b"},
	{"aab", "aaab"},
	{"abab", "ababab"},
	{"}", "}"},
	{"]", "]"},
	{"a]", "a]"},
	{"a,b-c=d:e!f", "a,b-c=d:e!f"},
	{"\"", "\\\""},

	/* What a match can start on, past what it cannot start on. */
	{"b", "aaab"},
	{"(?i)b", "aaaB"},
	{"[bc]", "aaac"},
	{"[\xC3\xA9]", "aaa\xC3\xA9"},
	{"\xC3\xA9", "aaa\xC3\xA9"},
	{".", "\\n\\n\\na"},
	{"\\b-", "...a-"},
	{"\\B-", "a...-"},
	{"x*y?b", "aaab"},
	{"(^|x)b", "aaxb"},
	{"^b", NULL, "aaab"},
	{"(?:^b|^c)", NULL, "aaac"},

	/* Alternatives and groups. */
	{"a|b", "b", "c"},
	{"ab|cd", "acd | abd", "ad"},
	{"a(b|c)d", "acd", "abcd"},
	{"a|", "x"},
	{"|a", "x"},
	{"^(|a)$", ""},
	{"^(a||b)$", " | b", "ab"},
	{"()", ""},
	{"(?:)", "x"},
	{"^(?:a|b|c|d)$", "d", "e"},
	{"^(a|b)(c|d)$", "bc"},
	{"^((a|b)|(c|(d|e)))$", "e", "f"},
	{"^a|b$", "ax | xb", "xax"},
	{"(a)(b)(c)", "abc"},

	/* Any. */
	{".", "a | \\r | \\u0000 | \\u2028", " | \\n"},
	{"^.$", "\xF0\x9F\x98\x80 | \\ud83d\\ude00"},
	{"^..$", NULL, "\\ud83d\\ude00"},
	{"^.*$", NULL, "a\\nb"},
	{"^(.|\\n)*$", "a\\nb"},

	/* Ends. */
	{"^", ""},
	{"$", ""},
	{"^$", "", "a | \\n"},
	{"$^", ""},
	{"^a", NULL, "ba | b\\na"},
	{"a$", NULL, "ab | a\\n | a\\nb"},
	{"^a$", "a"},
	{"\\Aa\\z", "a"},
	{"\\Aa", NULL, "ba"},
	{"a\\z", NULL, "a\\n"},
	{"a^b", NULL, "ab"},
	{"a$b", NULL, "ab"},
	{"(^a|b)c", "xbc", "xac"},
	{"(^|/)etc($|/)", "etc | /etc/x", "/etcx"},
	{"^*a", "ba"},
	{"^{2}a", "a"},
	{"(^)+a", NULL, "ba"},
	{"x*^a", "a"},
	{"x*$", "a"},
	{"a|^", "b"},

	/* Words. */
	{"\\bfoo\\b", "foo | a foo. | foo\xC3\xA9",
	 "afoo | foo_ | foo9 | foo\\u0041"},
	{"\\b", "a", " |   | \xC3\xA9"},
	{"\\B", " | ab | \xC3\xA9 | a\xC3\xA9", "a"},
	{"^\\B", NULL, "a"},
	{"\\B$", "\xC3\xA9"},
	{"^\\B.\\b", "\xC3\xA9x"},
	{"a\\b$", "a"},
	{"a\\B$", NULL, "a"},
	{"a\\b\\b\\bb", NULL, "ab"},
	{"a\\b\\b\\b b", "a b"},
	{"a\\b*b", "ab"},
	{"a\\B+b", "ab"},
	{"\\B.\\B", "abc"},

	/* Repetitions. */
	{"^a*$", " | aaa", "aab"},
	{"^a+$", "aa", ""},
	{"^a?$", "a", "aa"},
	{"^a*?$", "aaa"},
	{"^a+?$", "aaa"},
	{"^a??$", "a"},
	{"^a{2}?$", "aa"},
	{"a{0}", ""},
	{"^a{0}$", NULL, "a"},
	{"^a{0}b$", "b"},
	{"^a{0,0}b$", NULL, "ab"},
	{"^(a|b){0}$", ""},
	{"^a{1}$", "a", "aa"},
	{"^a{3}$", "aaa", "aa | aaaa"},
	{"^a{2,}$", "aa | aaaaa", "a"},
	{"^a{1,}$", NULL, ""},
	{"^a{0,}$", " | aaa"},
	{"^a{0,2}$", " | aa", "aaa"},
	{"^a{2,4}$", "aa | aaaa", "a | aaaaa"},
	{"^(ab){2}$", "abab", "abb"},
	{"^(a{2}){2}$", "aaaa", "aaa"},
	{"^(a{1,2}b){2,3}$", "abaab", "ababaaab"},
	{"^((a?){2}b?){2}$", "aabaa", "aaabab"},
	{"^((a|b){2}|c){2}$", "abc", "abcb"},
	{"^(a|b|){3}$", "ab"},
	{"^x(a|bc)*y$", "xabcbcay", "xabcby"},
	{"(a*)*b", "aaab", "aaac"},
	{"^(a*)*$", ""},
	{"^(a*)+$", ""},
	{"^(a+)+$", NULL, ""},
	{"^(()|a)+$", "aa"},
	{"^(){1000}$", ""},
	{"^(|){2,}$", ""},
	{"(a|aa)+$", NULL, "aaab"},
	{"(x+x+)+y", "xxxy", "xy"},
	{"^(.*)(.*)(.*)=$", "aaa="},

	/* Classes. */
	{"^[abc]$", "b", "d"},
	{"^[a-c]$", "b", "-"},
	{"^[a-a]$", "a"},
	{"^[^a-c]$", "d", "b"},
	{"^[^a]$", "\\n | \xC3\xA9", ""},
	{"^[]a]$", "] | a"},
	{"^[]]$", "]"},
	{"^[^]]$", "a", "]"},
	{"^[^]a]$", NULL, "a"},
	{"^[]-a]$", "^"},
	{"^[a-]$", "- | a", "b"},
	{"^[-a]$", "-"},
	{"^[^-a]$", NULL, "-"},
	{"^[-]$", "-"},
	{"^[^-]$", NULL, "-"},
	{"^[--/]$", "."},
	{"^[+--]$", ","},
	{"^[a\\-c]$", "-", "b"},
	{"^[a-c-e]$", "-", "d"},
	{"^[\\w-.]$", "-"},
	{"^[\\d-z]$", NULL, "y"},
	{"^[a^]$", "^"},
	{"^[\\^a]$", "^"},
	{"^[.]$", NULL, "a"},
	{"^[.*+?(){}|$]+$", ".*+?(){}|$"},
	{"^[[]$", "["},
	{"^[a[b]$", "["},
	{"^[\\]]$", "]"},
	{"^[\\\\]$", "\\\\"},
	{"^[\\n\\t]$", "\\t", "n"},
	{"^[\\x41-\\x43]$", "B"},
	{"^[\\x{41}-C]$", "B"},
	{"^[ac-eg]$", "d", "f"},
	{"^[a-cb-e]$", "e"},
	{"^[d-fa-c]$", "c"},
	{"^[a-ec-d]$", "e"},
	{"^[\xC3\xA9]$", "\xC3\xA9"},
	{"^[\xC3\xA0-\xC3\xBF]$", "\xC3\xA9", "\xC3\x9F"},
	{"^[^\xC3\xA0-\xC3\xBF]$", NULL, "\xC3\xA9"},
	{"^[\\x{80}-\\x{10FFFF}]$", "\xF0\x9F\x98\x80", "a"},
	{"^[a-\xC3\xA9]$", "~ | \xC3\xA9", "\xC3\xAA"},
	{"[^\\x00-\\x{10FFFF}]", NULL, "a"},
	{"[^\\s\\S]", NULL, "\xC3\xA9"},
	{"^[\\s\\S]$", "\\n"},

	/* Classes with a name. */
	{"^\\d+$", "0189"},
	{"^\\d$", NULL, "a | \xD9\xA1"},
	{"^\\D$", "\xD9\xA1", "7"},
	{"^\\w+$", "aZ_09"},
	{"^\\w$", NULL, "- | \xC3\xA9"},
	{"^\\W$", "\xC3\xA9 | @ | [ | ` | {", "_"},
	{"^\\s+$", " \\t\\n\\f\\r"},
	{"^\\s$", NULL, "\\u000b | \\u00a0"},
	{"^\\S$", "\\u000b | \\u00a0", " "},
	{"^[\\d_]+$", "1_2"},
	{"^[^\\d_]$", NULL, "1"},
	{"^[^\\D]$", "1"},
	{"^[^\\W]$", NULL, "\xC3\xA9"},
	{"^[\\W_]$", "_"},
	{"^[\\w\\W]$", "\xE2\x82\xAC"},

	/* Escapes. */
	{"^\\.$", ".", "a"},
	{"^\\n\\t\\r\\f\\v$", "\\n\\t\\r\\f\\u000b"},
	{"^\\x41$", "A"},
	{"^\\x4a$", "J"},
	{"^\\x4A1$", "J1"},
	{"^\\x00$", "\\u0000"},
	{"^\\x{41}$", "A"},
	{"^\\x{0000041}$", "A"},
	{"^\\x{e9}$", "\xC3\xA9"},
	{"^\\xe9$", "\xC3\xA9"},
	{"^\\x{1F600}$", "\xF0\x9F\x98\x80"},
	{"^\\x{1f600}$", "\\uD83D\\uDE00"},
	{"^\\x{10FFFF}$", "\xF4\x8F\xBF\xBF"},
	{"^\\\\$", "\\\\"},
	{"^\\/$", "\\/"},
	{"^/$", "\\/"},
	{"^\\_\\-\\ \\\"$", "_- \\\""},
	{"^\\!\\#\\%\\&\\'\\,\\:\\;\\<\\=\\>\\@\\`\\~$", "!#%&',:;<=>@`~"},
	{"^\\(\\)\\[\\]\\{\\}\\*\\+\\?\\|\\^\\$$", "()[]{}*+?|^$"},
	{"a\\{2}", "a{2}", "aa"},

	/* Any case: ASCII, and the two that fold to it. */
	{"(?i)abc", "aBC"},
	{"(?i)ABC", "abc"},
	{"(?i)a|B", "b"},
	{"(?i)(b)", "B"},
	{"(?i)", ""},
	{"(?i)1_", "1_"},
	{"(?i)^k$", "\xE2\x84\xAA"},
	{"(?i)^K$", "\\u212a"},
	{"(?i)^\xE2\x84\xAA$", "k"},
	{"(?i)^s$", "\xC5\xBF"},
	{"(?i)^\xC5\xBF$", "S"},
	{"(?i)^\\x{17f}$", "S"},
	{"^s$", NULL, "\xC5\xBF"},
	{"(?i)^\xC3\xA9$", "\xC3\xA9", "\xC3\x89"},
	{"(?i)^[a-c]$", "B"},
	{"(?i)^[A-C]$", "b"},
	{"(?i)^[^a-c]$", NULL, "B"},
	{"(?i)^[s]$", "\xC5\xBF"},
	{"(?i)^[^s]$", NULL, "\xC5\xBF"},
	{"(?i)^[\xC5\xBF]$", "s"},
	{"(?i)^[^\xE2\x84\xAA]$", NULL, "K"},
	{"(?i)^[Z-a]$", "A | _", "b"},
	{"(?i)^\\w$", "\xC5\xBF"},
	{"(?i)^\\W$", "\xC6\x80", "\xC5\xBF | s"},
	{"(?i)^[\\W]$", NULL, "k"},
	{"(?i)^[^\\W]$", "\xE2\x84\xAA"},
	{"^\\w$", NULL, "\xC5\xBF"},
	{"^\\W$", "\xC5\xBF"},
	{"(?i)\\bs", NULL, "\xC5\xBF"},
	{"(?i:a)b", "Ab", "AB"},
	{"a(?i:b|(c))d", "aCd", "aCD"},
	{"(?i:a(?:b))c", "ABc"},
	{"(?i:[a-c])d", "Bd"},
	{"(?i)a(?i:b)C", "abc"},

	/* Text as it stands in a message. */
	{"^\xC3\xA9$", "\\u00e9"},
	{"^caf\xC3\xA9", "caf\\u00E9s"},
	{"^\xF0\x9F\x98\x80$", "\\ud83d\\ude00"},
	{"^\xF0\x9F\x98\x80{2}$", "\\ud83d\\ude00\xF0\x9F\x98\x80"},
	{"^[\xF0\x9F\x98\x80-\xF0\x9F\x98\x8F]$", "\\ud83d\\ude05"},
	{"^abc$", "\\u0061b\\u0063"},
	{"u0061", NULL, "\\u0061"},
	{"^\\\\u0061$", "\\\\u0061"},
	{"\\.\\./", "a\\/.\\u002e\\/b"},
	{"^\\x08\\f\\n\\r\\t$", "\\b\\f\\n\\r\\t"},

	/* Unpaired surrogates are themselves. */
	{"^.$", "\\ud800"},
	{"^..$", "\\udc00\\ud800"},
	{"^[\\x{D800}-\\x{DFFF}]$", "\\ud800"},
	{"^\\x{D800}$", "\\uD800"},
	{"^\\W$", "\\udfff"},

	/* What policies hold. */
	{"^/home/[^/]+/\\.ssh(/|$)", "/home/me/.ssh/id", "/home/me/.sshx"},
	{"^[a-z][a-z0-9_-]{0,62}$", "read_file", "Read_file"},
	{"^https://([a-z0-9-]+\\.)*example\\.com(/|$)",
	 "https://a.example.com/x", "https://example.com.evil.net/"},
	{"^(\\d{1,3}\\.){3}\\d{1,3}$", "10.0.0.255", "10.0.0"},
	{"(?i)\\b(drop|delete|truncate)\\b", "x; DROP TABLE t", "dropped"},
};

/* The next of the texts that stand with " | " between, and of patterns with two
 * spaces; false: there is none any more. */
static bool next(const char **at, const char *between, char *text, size_t cap)
{
	const char *end;

	if (!*at)
		return false;
	end = strstr(*at, between);
	snprintf(text, cap, "%.*s", end ? (int)(end - *at) : (int)strlen(*at),
		 *at);
	*at = end ? end + strlen(between) : NULL;
	return true;
}

TEST(matches_what_it_should)
{
	char row[256], subject[128];

	for (size_t i = 0; i < 2 * COUNT(subjects); i++) {
		const char *pattern = subjects[i / 2].pattern;
		const char *at =
			i % 2 ? subjects[i / 2].no : subjects[i / 2].yes;
		struct regex_fault fault;
		struct regex *re = compile(pattern, strlen(pattern), &fault);

		row_true(pattern, re);
		while (next(&at, " | ", subject, sizeof(subject))) {
			snprintf(row, sizeof(row), "/%s/ on \"%s\"", pattern,
				 subject);
			row_true(row, matches(re, subject) == (i % 2 == 0));
		}
		free(re);
	}
}

/* A part of what is told, and patterns of which it is; @ is where. */
static const struct {
	const char *reason, *patterns; /* two spaces between */
} faults[] = {
	{"nothing to repeat",
	 "@*  @+a  @?  @{1}  a|@*  (@*)  (?:@+)  (?i)@*  (?i:@?)"},
	{"of a repetition",
	 "a*@*  a*@+  a+@+  a??@?  a*?@*  ab{2}@{3}  a*@{2}  (a*)*@*  a*@*("},
	{"begins no count",
	 "@{  a@{  a@{}  a@{,2}  a@{,}  a@{x}  a@{1  a@{1,  a@{1,2  a@{1,x}"
	 "  a@{1x}  a@{ 1}  a@{-1}  a@{01}  a@{1,02}  a@{00}  \\d@{a}"},
	{"more than 1000",
	 "a@{1001}  a@{1001,}  a@{1,1001}  a@{0,99999999999999999999}"
	 "  a@{4294967297}"},
	{"end before", "a@{2,1}  xa@{1,0}"},
	{"( without its )", "@(  a@(b  a@(b(c)  (@(  @(?:  @(?i:a  @(a|"},
	{") without its (", "@)  a@)  (a)@)  a|@)  \xC3\xA9@)["},
	{"[ without its ]",
	 "@[  a@[  @[]  @[^  @[^]  @[a  @[a-  @[a-b  @[a\\]"},
	{"\\ at the end", "[a@\\  [@a-\\  @\\  a@\\"},
	{"range that ends",
	 "[@z-a]  [a-c@z-y]  [@\xC3\xA9-a]  [a\xC3\xA9@z-y]  [@a--]"
	 "  [@\\x{42}-A]"},
	{"escape",
	 "[@a-\\d]  [@\\b]  [@\\z]  @\\0  @\\a  @\\e  @\\q  a@\\Z  @\\C  @\\G"
	 "  @\\K  @\\R  @\\u0041  @\\pL  @\\p{Greek}  @\\PL  @\\Qa\\E"
	 "  @\\k<a>  @\\cA  @\\\t  @\\\x7F  @\\\xC3\xA9"},
	{"POSIX", "[@[:alpha:]]  [a@[:digit:]]  [@[:]"},
	{"backreferences", "@\\1  (a)@\\1  @\\9  [@\\1]"},
	{"hex", "@\\x  @\\x4  @\\xg1  @\\x4g  @\\x{  @\\x{}  @\\x{41  @\\x{g}"
		"  @\\x{4 }  [@\\x{]"},
	{"past 10FFFF",
	 "@\\x{110000}  a@\\x{FFFFFFFFFFFFFFFFFFFF}  [@\\x{110000}]"},
	{"look-around", "@(?=a)  a@(?!b)  @(?<=a)b  @(?<!a)b"},
	{"named groups", "@(?P<n>a)  @(?<n>a)  @(?P=n)  @(?P>n)"},
	{"group with ?",
	 "@(?  @(?i  @(?)  @(?s)a  @(?m)a  @(?is)a  @(?-i)a  @(?s:a)  @(?>a)"
	 "  @(?|a)  @(?#a)  @(?R)  @(?I)a"},
	{"start of a pattern", "a@(?i)  ^@(?i)a  (@(?i)a)  (?i)@(?i)a"},
	{"10000 instructions",
	 "(a{1000})@{11}  ((a{100}){100})@{100}  (a|b{999})@{0,10}"},
};

TEST(faults_have_a_place)
{
	char row[64], pattern[64];

	for (size_t i = 0; i < COUNT(faults); i++) {
		const char *at = faults[i].patterns;

		while (next(&at, "  ", row, sizeof(row))) {
			size_t offset = strcspn(row, "@");
			struct regex_fault fault;

			snprintf(pattern, sizeof(pattern), "%.*s%s",
				 (int)offset, row, row + offset + 1);
			row_true(row,
				 !compile(pattern, strlen(pattern), &fault));
			row_true(row, strstr(fault.reason, faults[i].reason));
			row_true(row, fault.offset == offset);
		}
	}
}

/* Each piece of a pattern cut off anywhere: refused or not, nothing is read
 * behind the cut. */
TEST(cuts_are_harmless)
{
	static const char pattern[] =
		"(?i:a{10,20}?|[^]a-\\x{1F600}\\d-]+)\\x41\\x{41}\\b(?:\\.)$";
	struct regex_fault fault;

	for (size_t len = 0; len < sizeof(pattern); len++)
		free(compile(pattern, len, &fault));
}

/* NUL is a code point like any other. */
TEST(takes_nul)
{
	struct regex_fault fault;
	struct regex *re = compile("^a\0b$", 5, &fault);

	assert_non_null(re);
	assert_true(matches(re, "a\\u0000b"));
	assert_false(matches(re, "ab"));
	assert_false(matches(re, "a"));
	free(re);
	assert_null(compile("\\\0", 2, &fault));
	assert_null(compile("(?\0)", 4, &fault));
	assert_int_equal(fault.offset, 0);
}

/* Counts at their bound, and one more or less in the subject. */
TEST(counts_exactly)
{
	char subject[1100];
	struct regex_fault fault;
	struct regex *exact = compile("^a{1000}$", 9, &fault);
	struct regex *upto = compile("^a{0,1000}$", 11, &fault);
	struct regex *from = compile("^a{1000,}$", 10, &fault);

	assert_true(exact && upto && from);
	for (size_t len = 998; len <= 1002; len++) {
		memset(subject, 'a', len);
		subject[len] = '\0';
		assert_int_equal(matches(exact, subject), len == 1000);
		assert_int_equal(matches(upto, subject), len <= 1000);
		assert_int_equal(matches(from, subject), len >= 1000);
	}
	free(exact);
	free(upto);
	free(from);
}

static void check_depth(size_t depth, bool good)
{
	char pattern[3 * REGEX_DEPTH_MAX];
	struct regex_fault fault;
	struct regex *re;

	memset(pattern, '(', depth);
	pattern[depth] = 'a';
	memset(pattern + depth + 1, ')', depth);
	re = compile(pattern, 2 * depth + 1, &fault);
	assert_int_equal(re != NULL, good);
	if (re) {
		assert_true(matches(re, "a"));
		assert_false(matches(re, "b"));
	} else {
		assert_non_null(strstr(fault.reason, "100 deep"));
		assert_int_equal(fault.offset, depth - 1);
	}
	free(re);
}

TEST(depth_is_bounded)
{
	check_depth(REGEX_DEPTH_MAX, true);
	check_depth(REGEX_DEPTH_MAX + 1, false);
}

/* Does the piece, n times between head and tail, compile?  %zx in it becomes a
 * code point, each so far apart from the one before. */
static bool compiles_apart(const char *head, const char *piece, size_t n,
			   const char *tail, int apart)
{
	size_t size = strlen(head) + n * (strlen(piece) + 8) + strlen(tail);
	char *pattern = malloc(size + 1);
	size_t len = (size_t)sprintf(pattern, "%s", head), point = 0x9000;
	struct regex_fault fault;
	struct regex *re;

	for (size_t i = 0; i < n; i++, point += (size_t)apart)
		len += (size_t)sprintf(pattern + len, piece, point);
	len += (size_t)sprintf(pattern + len, "%s", tail);
	re = compile(pattern, len, &fault);
	assert_true(!re || regex_scratch(re) <= 60000);
	if (re)
		matches(re, "aaa\xE1\x80\x80");
	else
		assert_non_null(strstr(fault.reason, "10000 instructions"));
	free(re);
	free(pattern);
	return re != NULL;
}

static bool compiles(const char *head, const char *piece, size_t n,
		     const char *tail)
{
	return compiles_apart(head, piece, n, tail, 2);
}

TEST(size_is_bounded)
{
	/* One instruction each, and one for the match. */
	assert_true(compiles("", "a", REGEX_SIZE_MAX - 1, ""));
	assert_false(compiles("", "a", REGEX_SIZE_MAX, ""));
	assert_true(compiles("", "(a{1000}){9}", 1, "a{999}"));
	assert_false(compiles("", "(a{1000}){9}", 1, "a{1000}"));
	assert_true(compiles("a{1000}", "(a?){499}", 9, ""));
	assert_false(compiles("a{1000}", "(a?){499}", 10, ""));
	assert_true(compiles("a", "|a", 3332, ""));
	assert_false(compiles("a", "|a", 3333, ""));
	assert_true(compiles("a{998}", "((a{8}){100}){10}", 1, "(a{100}){10}"));
	assert_false(compiles("a{998}", "((a{8}){100}){10}", 1, "(a{1000})*"));
	/* What the last instruction is must not matter. */
	assert_false(compiles("", "\\x{10FFFF}|", 4000, ""));
	assert_false(compiles("(", "\\x{10FFFF}|", 4000, ")"));
	assert_false(compiles("", "(a{1000}){9}a{999}", 1, "|a"));
	/* Classes that no instruction is left of, and ranges. */
	assert_true(compiles("", "[a]{0}", REGEX_SIZE_MAX / 2, ""));
	assert_false(compiles("", "[a]{0}", REGEX_SIZE_MAX / 2 + 1, ""));
	assert_true(compiles("", "\\b{0}", 2 * REGEX_SIZE_MAX, ""));
	assert_true(compiles("[", "\\x{%zx}", REGEX_SIZE_MAX / 2, "]"));
	assert_false(compiles("[", "\\x{%zx}", REGEX_SIZE_MAX / 2 + 1, "]"));
	/* Neighbours are one range, in whatever order. */
	assert_true(compiles_apart("[", "\\x{%zx}", 9000, "]", 1));
	assert_true(compiles_apart("[", "\\x{%zx}", 9000, "]", -1));
	/* Nothing is nothing, however often. */
	assert_true(compiles("", "(((){1000}){1000}){1000}", 1, ""));
}

/* Slow for those that try one way after the other: these would not end. */
TEST(never_explodes)
{
	static const char *const patterns[] = {
		"(a*)*b",        "(a|aa)+$",       "(a+a+)+b",
		"(a|a|a)*b",     "(.*.*.*.*)*b",   "^(a?){30}a{30}b",
		"(((a*)*)*)*b$", "(a{0,30}){30}b",
	};
	static char subject[5001];

	memset(subject, 'a', 5000);
	subject[4999] = 'c';
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct regex_fault fault;
		struct regex *re =
			compile(patterns[i], strlen(patterns[i]), &fault);

		row_true(patterns[i], re);
		row_true(patterns[i], !matches(re, subject));
		free(re);
	}
}

RUN(NULL, NULL)
