/* Every end-to-end test; an argument is a pattern of those to run. */
#include "harness.h"

#include "groups.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
	int failed = 0;

	weir = getenv("WEIR");
	server = getenv("SERVER");
	if (!weir || !server) {
		fprintf(stderr, "WEIR and SERVER have to name the programs\n");
		return 2;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed += run_seeds();
	failed += run_answers();
	failed += run_lines();
	failed += run_lists();
	failed += run_streams();
	failed += run_command();
	failed += run_processes();
	failed += run_signals();
	failed += run_leftovers();
	failed += run_descriptors();
	failed += run_pressure();
	failed += run_faults();
	failed += run_million();
	failed += run_layers();
	failed += run_verbs();
	failed += run_limits();
	return failed > 0;
}
