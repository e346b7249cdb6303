/*
 * reference - the prompts and resources that a message names but does not ask
 * for: completion/complete, resources/subscribe, subscriptions/listen.
 *
 * Each object on the way is read strictly: a key that is there twice, or once
 * more as some reader takes it, makes the message ambiguous.
 */
#ifndef POLICIES_REFERENCE_H
#define POLICIES_REFERENCE_H

#include "../policy.h"

/* Receives a name or uri; false: no more are needed. */
typedef bool reference_name(void *context, enum policy_section section,
			    struct text name);

enum references {
	REFERENCES_READ,
	REFERENCES_STOPPED, /* tell() returned false */
	REFERENCES_AMBIGUOUS,
};

/* Tells each that the message names.  What is missing or null names nothing. */
enum references references_read(const struct message *m, reference_name *tell,
				void *context);

#endif
