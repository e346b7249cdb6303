/* Runs a fuzzer's function once over each file that is named: the seeds, as
 * part of the tests, without a fuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	static uint8_t data[1 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t size = f ? fread(data, 1, sizeof(data), f) : 0;

		if (!f || ferror(f)) {
			perror(argv[i]);
			return 1;
		}
		fclose(f);
		LLVMFuzzerTestOneInput(data, size);
	}
	printf("%s: %d seeds replayed\n", argv[0], argc - 1);
	return argc < 2;
}
