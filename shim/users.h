/*
 * users - who "approve_by" names: the users and groups of this machine.
 *
 * Names are looked up as the machine is set up to, which may wait for another
 * one: in verbs alone.  The relay, and the static program, read /etc/passwd and
 * /etc/group.
 */
#ifndef SHIM_USERS_H
#define SHIM_USERS_H

#include <stdbool.h>
#include <sys/types.h>

/* The id of a "USER", or of a "@GROUP".  False: there is none of this name. */
bool users_find(const char *by, id_t *id);
bool users_in_files(const char *by, id_t *id);

/* Is this process of that user, or in that group? */
bool users_are_own(const char *by, id_t id);

#endif
