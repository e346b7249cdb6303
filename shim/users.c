/* Who "approve_by" names.  The contract is in users.h. */
#include "users.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "NAME:PASSWORD:ID:...", in both files. */
bool users_in_files(const char *by, id_t *id)
{
	const bool group = *by == '@';
	FILE *f = fopen(group ? "/etc/group" : "/etc/passwd", "re");
	const char *name = by + group, *colon;
	const size_t len = strlen(name);
	char *line = NULL, *end = NULL;
	bool found = false;
	size_t cap = 0;

	while (f && !found && getline(&line, &cap, f) > 0) {
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		colon = strchr(line + len + 1, ':');
		if (colon)
			*id = (id_t)strtoul(colon + 1, &end, 10);
		found = colon && end > colon + 1 && *end == ':';
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

#ifdef WEIR_NUMERIC
bool users_find(const char *by, id_t *id)
{
	return users_in_files(by, id);
}
#else
bool users_find(const char *by, id_t *id)
{
	const struct passwd *user = *by == '@' ? NULL : getpwnam(by);
	const struct group *group = *by == '@' ? getgrnam(by + 1) : NULL;

	if (user)
		*id = user->pw_uid;
	if (group)
		*id = group->gr_gid;
	return user || group;
}
#endif

bool users_are_own(const char *by, id_t id)
{
	gid_t groups[65536]; /* NGROUPS_MAX of Linux */
	int count;

	if (*by != '@')
		return id == geteuid();
	count = getgroups(sizeof(groups) / sizeof(*groups), groups);
	for (int i = 0; i < count; i++)
		if (groups[i] == id)
			return true;
	return id == getegid();
}
