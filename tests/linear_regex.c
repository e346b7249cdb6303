/* Matches one pattern once, on a subject of a piece repeated and a tail: what
 * valgrind counts the instructions of.  linear_regex BYTES PATTERN PIECE TAIL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policies/judge/regex.h"

int main(int argc, char **argv)
{
	size_t size = argc == 5 ? strtoull(argv[1], NULL, 10) : 0, len = 1;
	char *line = malloc(size + 4096);
	struct text text = {.ptr = NULL};
	struct regex_fault fault;
	struct regex *re;
	struct scan r;
	void *scratch;

	if (argc != 5 || !line)
		return 2;
	re = regex_compile(argv[2], strlen(argv[2]), &fault);
	if (!re) {
		printf("%s (byte %zu)\n", fault.reason, fault.offset);
		return 1;
	}
	line[0] = '"';
	while (len < size)
		len += strlen(strcpy(line + len, argv[3]));
	len += strlen(strcpy(line + len, argv[4]));
	line[len++] = '"';
	scan_begin(&r, line, len);
	scratch = malloc(regex_scratch(re));
	if (!scratch || !scan_string(&r, line, &text))
		return 2;
	puts(regex_match(re, text, scratch) ? "matches" : "does not match");
	free(scratch);
	free(re);
	free(line);
	return 0;
}
