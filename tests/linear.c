/* Judges one line, made of a head, a piece repeated, and a tail, once: what
 * tests/linear counts the instructions of.  linear BYTES HEAD PIECE TAIL */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../parser/message.h"

int main(int argc, char **argv)
{
	size_t size = argc == 5 ? strtoull(argv[1], NULL, 10) : 0, len = 0;
	char *line;
	struct message m;
	struct fault fault;

	if (argc != 5)
		return 2;
	/* The last piece may go past size, with a number of 20 digits in it. */
	line = malloc(size + strlen(argv[2]) + strlen(argv[3]) +
		      strlen(argv[4]) + 64);
	if (!line)
		return 2;
	len = strlen(strcpy(line, argv[2]));
	for (size_t i = 0; len < size; i++)
		len += (size_t)sprintf(line + len, argv[3], i);
	len += strlen(strcpy(line + len, argv[4]));
	if (message_read(line, len, &m, &fault))
		puts("passes");
	else
		printf("%s (byte %zu)\n", fault.reason, fault.offset);
	free(line);
	return 0;
}
