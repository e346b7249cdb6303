/* weir check --preload where there is no libweir.so.  The contract is in
 * preload_check.h. */
#include "preload_check.h"

#include <stdio.h>

int preload_check_run(const char *command)
{
	printf("%s: does not load libweir.so, which is for Linux. Put weir "
	       "before it: weir -p POLICY -- %s\n",
	       command, command);
	return PRELOAD_NO;
}
