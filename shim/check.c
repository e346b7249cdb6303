/* weir check.  The contract is in check.h. */
#include "check.h"

#include "../policies/policy.h"

#include <stdio.h>

static void say_fault(void *context, const char *line)
{
	(void)context;
	printf("fault: %s\n", line);
}

static void say_warning(void *context, const char *line)
{
	(void)context;
	printf("warning: %s\n", line);
}

static int check_file(const char *file, bool strict)
{
	struct policy *policy = policy_load(file, say_fault, NULL);
	int warnings;

	if (!policy)
		return CHECK_UNSOUND;
	warnings = policy_warn(policy, say_warning, NULL);
	printf("%s: sound%s\n", file, warnings > 0 ? ", with warnings" : "");
	policy_free(policy);
	return warnings > 0 && strict ? CHECK_WARNED : CHECK_SOUND;
}

int check_run(char **files, bool strict)
{
	int worst = CHECK_SOUND;

	for (; *files; files++) {
		int status = check_file(*files, strict);

		if (status > worst)
			worst = status;
	}
	return worst;
}
