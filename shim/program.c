/* The file of a command.  The contract is in program.h. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_DEFAULT "/bin:/usr/bin" /* as in execvp(3) */

bool program_runs(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

bool program_find(const char *command, char path[PATH_MAX])
{
	const char *at = getenv("PATH");
	size_t len;

	if (strchr(command, '/')) {
		snprintf(path, PATH_MAX, "%s", command);
		return strlen(command) < PATH_MAX && program_runs(path);
	}
	for (at = at ? at : PATH_DEFAULT; *command; at += len + 1) {
		int put;

		len = strcspn(at, ":");
		/* An empty one is the working directory. */
		put = snprintf(path, PATH_MAX, "%.*s%s%s", (int)len, at,
			       len > 0 ? "/" : "", command);
		if (put < PATH_MAX && program_runs(path))
			return true;
		if (!at[len])
			break;
	}
	return false;
}
