/*
 * A pattern up to the first NUL, and behind it a subject.  What compiles must
 * say the same of any spelling of the subject, and the same as the pattern that
 * is tied to the begin and skips whatever is before the match itself.
 *
 * Bytes from 0x80 on stand for code points that are of interest, so that every
 * input is a pattern in UTF-8.
 */
#include "../../policies/judge/regex.h"
#include "fuzz.h"

#include <stdio.h>

#define SUBJECT_MAX 256 /* a large program is slow */

static const char *const high[] = {
	"\xC3\xA9",     "\xC5\xBF",         "\xC6\x80",
	"\xC5\xBE",     "\xE2\x84\xAA",     "\xE2\x84\xA9",
	"\xE2\x84\xAB", "\xE2\x82\xAC",     "\xEF\xBF\xBF",
	"\xC2\x80",     "\xF0\x90\x80\x80", "\xF0\x9F\x98\x80",
	"\xDF\xBF",     "\xF4\x8F\xBF\xBF", "\xE0\xA0\x80",
	"\xEE\x80\x80",
};

static size_t spell(char *out, uint8_t byte)
{
	if (byte < 0x80) {
		out[0] = (char)byte;
		return 1;
	}
	return strlen(strcpy(out, high[byte % 16]));
}

/* The subject between quotes: escaped as it must be, or every code point. */
static size_t quote(char *out, const uint8_t *data, size_t size, bool all)
{
	size_t len = 0;

	out[len++] = '"';
	for (size_t i = 0; i < size && i < SUBJECT_MAX; i++) {
		char point[8];
		struct text text = {.ptr = point};
		int32_t c;

		text.len = spell(point, data[i]);
		c = text_next(&text);
		if (c >= 0x10000 && all)
			len += (size_t)sprintf(
				out + len, "\\u%04x\\u%04X",
				(unsigned)(0xD800 + ((c - 0x10000) >> 10)),
				(unsigned)(0xDC00 + (c & 0x3FF)));
		else if (all || c < ' ' || c == '"' || c == '\\')
			len += (size_t)sprintf(out + len, "\\u%04x",
					       (unsigned)c);
		else
			len += spell(out + len, data[i]);
	}
	out[len++] = '"';
	return len;
}

static struct regex *compile(const char *pattern, size_t len)
{
	char *copy = exact((const uint8_t *)pattern, len);
	struct regex_fault fault;
	struct regex *re = regex_compile(copy, len, &fault);

	must(re || (fault.reason && fault.offset <= len));
	free(copy);
	return re;
}

static bool match(const struct regex *re, const char *quoted, size_t len)
{
	size_t size = regex_scratch(re);
	char *copy = exact((const uint8_t *)quoted, len);
	char *scratch = malloc(size);
	struct scan r;
	struct text text = {.ptr = NULL};
	bool found;

	must(scratch && scan_string(&r, scan_begin(&r, copy, len), &text));
	memset(scratch, 0xA5, size);
	found = regex_match(re, text, scratch);
	must(regex_match(re, text, scratch) == found);
	free(scratch);
	free(copy);
	return found;
}

/* The pattern that is tied to the begin.  NULL: it is past a bound. */
static struct regex *tie(const char *pattern, size_t len)
{
	static const char before[] = "\\A[\\s\\S]*?(?:";
	char *tied = malloc(len + sizeof(before) + 1);
	size_t used = 0, flag = 0;
	struct regex_fault fault;
	struct regex *re;

	must(tied != NULL);
	if (len >= 4 && memcmp(pattern, "(?i)", 4) == 0)
		flag = 4;
	memcpy(tied, pattern, flag);
	used = flag + strlen(strcpy(tied + flag, before));
	memcpy(tied + used, pattern + flag, len - flag);
	used += len - flag;
	tied[used++] = ')';
	re = regex_compile(tied, used, &fault);
	must(re || strstr(fault.reason, "more than"));
	free(tied);
	return re;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t split = nul ? (size_t)(nul - data) : size, len = 0;
	char *pattern = malloc(4 * split + 8);
	char plain[4 + 6 * SUBJECT_MAX], escaped[4 + 12 * SUBJECT_MAX];
	struct regex *re, *tied;

	must(pattern != NULL);
	for (size_t i = 0; i < split; i++)
		len += spell(pattern + len, data[i]);
	re = compile(pattern, len);
	tied = re ? tie(pattern, len) : NULL;
	if (re) {
		const uint8_t *rest = nul ? nul + 1 : data + size;
		size_t left = (size_t)(data + size - rest);
		size_t plain_len = quote(plain, rest, left, false);
		bool found = match(re, plain, plain_len);

		len = quote(escaped, rest, left, true);
		must(match(re, escaped, len) == found);
		must(!tied || match(tied, plain, plain_len) == found);
	}
	free(pattern);
	free(re);
	free(tied);
	return 0;
}
