/* Many bytes at once: what each kernel finds, and that all find the same. */
#include "edge.h"

#include "../../parser/scan_simd.h"

#define LONGEST 300
#define STEP    64 /* bytes that a kernel looks at together */

static const struct {
	const char *text;
	size_t stop;
	bool escaped;
} strings[] = {
	{"", 0},
	{"abc", 3},
	{"\"", 0},
	{"ab\"c", 2},
	{"ab\x7F\"", 3},
	{"ab\x1F", 2},
	{"\t", 0},
	{"a\\nb\\\\\\\"c\\/\\b\\f\\r\\t\"", 19, true},
	{"a\\u0041", 1},
	{"a\\nb\\u0041", 4, true},
	{"a\\q", 1},
	{"a\\\\\\q", 3, true},
	{"a\\", 1},
	{"a\\\\", 3, true},
	{"\\\n", 0},
	{"\\\xC3\xA9", 0},
	{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", 9},
	{"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
	 16},
	{"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", 8},
	{"a\x80", 1},
	{"a\xBF\"", 1},
	{"a\xC0\x80", 1},
	{"a\xC1\xBF", 1},
	{"a\xC3", 1},
	{"a\xC3\"", 1},
	{"a\xC3\xC3\xA9", 1},
	{"a\xE0\x9F\xBF", 1},
	{"a\xED\xA0\x80", 1},
	{"a\xE2\x82", 1},
	{"a\xE2\x82\"", 1},
	{"a\xE2\"\xAC", 1},
	{"a\xE2\x82\xAC\xAC", 4},
	{"a\xF0\x8F\xBF\xBF", 1},
	{"a\xF4\x90\x80\x80", 1},
	{"a\xF5\x80\x80\x80", 1},
	{"a\xFF", 1},
	{"a\xF0\x9F\x98", 1},
	{"a\xF0\x9F\x98\"", 1},
};

/* Each kernel, with so many plain bytes before the text and after it that it
 * lies on every side of a step, or less where the text has to be the end. */
TEST(strings_end)
{
	const struct kernel *k;
	char text[LONGEST];

	for (size_t i = 0; i < COUNT(strings); i++)
		for (size_t n = 0; (k = scan_kernel(n)); n++)
			for (size_t at = 0; at < 2 * STEP + 2; at++) {
				size_t own = strlen(strings[i].text);
				size_t len = at + own;
				bool escaped = false;
				const char *p;
				char *edge;

				memset(text, 'x', sizeof(text));
				memcpy(text + at, strings[i].text, own);
				edge = at_the_edge(text, len);
				p = k->string(edge, edge, edge + len, &escaped);
				row_true(strings[i].text,
					 p == edge + at + strings[i].stop);
				row_true(strings[i].text,
					 escaped == strings[i].escaped);
				let_go(edge, len);
			}
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static const char *const pieces[] = {
	"x",
	"plain text",
	"a run that is longer than any step of a kernel: 0123456789 0123456789",
	"\\n",
	"\\\"",
	"\\\\",
	"\\\\\\\\\\\\",
	"\\/",
	"\\t\\r",
	"\xC3\xA9",
	"\xE6\xBC\xA2\xE5\xAD\x97",
	"\xF0\x9F\x98\x80",
	"\xED\x9F\xBF",
	"\xE0\xA0\x80",
	"\xF4\x8F\xBF\xBF",
};
static const char *const ends[] = {
	"\"",
	"\\u12",
	"\x01",
	"\xC3",
	"\xE6\xBC",
	"\xED\xA0\x80",
	"\xF0\x9F\x98",
	"\\",
	"\\x",
	"\x80",
	"\xC0\x80",
	"\xF5\x80\x80\x80",
	"\xE0\x80\x80",
	"\xF0\x80\x80x",
	"\xF4\xBF\xBF\xBF",
};

/* Appends the piece, or a part of it that fits. */
static size_t add(char *text, size_t len, const char *piece)
{
	size_t more = strlen(piece);

	more = more < LONGEST - len ? more : LONGEST - len;
	memcpy(text + len, piece, more);
	return len + more;
}

/* Text of these pieces; what they are, and whether something ends them, is up
 * to chance. */
static size_t make_string(char *text, uint64_t *chance)
{
	size_t len = 0, want = (size_t)next_random(chance) % LONGEST;

	while (len < want) {
		const char *piece = pieces[next_random(chance) % COUNT(pieces)];

		if (next_random(chance) % 32 == 0)
			piece = ends[next_random(chance) % COUNT(ends)];
		len = add(text, len, piece);
	}
	return len;
}

/* What a kernel says of the text from at on must be what plain C says. */
static void compare(const struct kernel *k, const struct kernel *plain,
		    const char *text, size_t at, size_t len)
{
	const char *p = text + at, *end = text + len;
	bool escaped = false, plain_escaped = false;

	assert_ptr_equal(k->string(text, p, end, &escaped),
			 plain->string(text, p, end, &plain_escaped));
	assert_int_equal(escaped, plain_escaped);
}

static const struct kernel *plain_kernel(void)
{
	size_t n = 0;

	while (scan_kernel(n + 1))
		n++;
	return scan_kernel(n);
}

/* Each text, cut at each byte. */
TEST(kernels_agree)
{
	const struct kernel *plain = plain_kernel(), *k;
	uint64_t chance = 1;
	char text[LONGEST];

	for (int i = 0; i < 400; i++) {
		size_t len = make_string(text, &chance);
		size_t at = len ? (size_t)next_random(&chance) % len : 0;
		char *edge = at_the_edge(text, len);

		for (size_t cut = 0; cut <= len; cut++) {
			char *begin = edge + len - cut;

			memmove(begin, text, cut);
			for (size_t n = 0; (k = scan_kernel(n)); n++) {
				compare(k, plain, begin, 0, cut);
				compare(k, plain, begin, at < cut ? at : cut,
					cut);
			}
		}
		let_go(edge, len);
	}
}

static bool stops(unsigned byte)
{
	return byte < ' ' || byte >= 0x80 || byte == '"' || byte == '\\';
}

/* Each byte at each place of two blocks, by each kernel. */
TEST(stops_are_told)
{
	_Alignas(STEP) char text[2 * STEP];
	const struct kernel *k;
	uint64_t found[2];

	memset(text, 'x', sizeof(text));
	for (size_t at = 0; at < sizeof(text); at++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			text[at] = (char)byte;
			for (size_t n = 0; (k = scan_kernel(n)); n++) {
				k->stops(text, 2, found);
				assert_true(found[at / STEP] ==
					    (uint64_t)stops(byte) << at % STEP);
				assert_true(found[!(at / STEP)] == 0);
			}
		}
		text[at] = 'x';
	}
}

/* On this machine: which kernels the tests above have tried. */
TEST(kernels_are_named)
{
	const struct kernel *k;

	for (size_t n = 0; (k = scan_kernel(n)); n++)
		print_message("kernel: %s\n", k->name);
	assert_string_equal(plain_kernel()->name, "plain C");
}

RUN(NULL, NULL)
