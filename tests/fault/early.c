/*
 * early - what a program runs before its main: a constructor of a library; and,
 * with PROGRAM, .preinit_array and a constructor of its own.
 *
 * Each reads a line of descriptor 0 and writes it, after a word, to 1.
 */
#include <stdio.h>
#include <unistd.h>

static void take(const char *word)
{
	char line[4096];
	size_t len = 0;

	while (len < sizeof(line) && read(0, line + len, 1) == 1)
		if (line[len++] == '\n')
			break;
	dprintf(1, "%s %.*s", word, (int)len, line);
}

#ifdef PROGRAM

static void first(void)
{
	take("preinit");
}

__attribute__((section(".preinit_array"),
	       used)) static void (*const at)(void) = first;

__attribute__((constructor)) static void begin(void)
{
	take("program");
}

int main(void)
{
	take("main");
	return 0;
}

#else

__attribute__((constructor)) static void begin(void)
{
	take("library");
}

#endif
