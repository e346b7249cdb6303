/*
 * loader - a policy file being read: its faults, and the tables by which its
 * objects are read.  For policies/ alone.
 *
 * Every fault is reported with the JSON Pointer of what is being read, and
 * reading goes on, so that all faults of a file are told at once.
 */
#ifndef POLICIES_LOADER_H
#define POLICIES_LOADER_H

#include "../parser/out.h"
#include "internal.h"

#include <json-parser/json.h>

#define LOADER_POINTER_BYTES POLICY_RULE_BYTES

struct loader {
	struct policy *policy; /* what is being made */
	policy_report *report;
	void *context;
	int faults;
	struct out pointer; /* of what is being read, escaped */
	char pointer_bytes[LOADER_POINTER_BYTES];
};

/* A key that an object may hold, and what reads its value into something. */
typedef void loader_read(struct loader *l, const json_value *v, void *into);
struct loader_key {
	const char *name;  /* NULL ends the table */
	loader_read *read; /* NULL: a key that this version does not have */
};
#define LOADER_KEYS_MAX 31 /* in any one table */

/* At most 64 bytes of a string from the file, fit to be printed. */
struct shown {
	char text[64 * 6 + 4];
};
struct shown loader_show(const char *s, size_t len);

void loader_fault(struct loader *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A fault: s is none of the words, a NULL-ended list of what is allowed. */
void loader_unknown(struct loader *l, const char *what, const char *s,
		    size_t len, const char *const *words);

/* Steps into a member or an element; what is returned undoes the step. */
size_t loader_enter(struct loader *l, const char *key, size_t len);
size_t loader_enter_index(struct loader *l, size_t index);
void loader_leave(struct loader *l, size_t mark);

/* Is v of the type?  If not, that is a fault: what was expected. */
bool loader_want(struct loader *l, const json_value *v, json_type type,
		 const char *what);

/* Is v this very string? */
bool loader_is(const json_value *v, const char *s);

/* What v is, in words. */
const char *loader_type(const json_value *v);

/* The key of the table that e has, or NULL. */
const struct loader_key *loader_find(const struct loader_key *keys,
				     const json_object_entry *e);

/* Reads an object by its table.  Returns a bit for each key that was there,
 * in the order of the table. */
unsigned loader_object(struct loader *l, const json_value *v,
		       const struct loader_key *keys, void *into);

/* Text that lives as long as the policy, NUL-ended; "" when there is no
 * memory, which is a fault.  keep_rule() is the pointer and one step more. */
char *loader_keep(struct loader *l, const char *s, size_t len);
const char *loader_keep_escaped(struct loader *l, const char *s, size_t len);
const char *loader_keep_rule(struct loader *l, const char *step);

/* The readers of "hide" and "tools", in rules.c. */
loader_read rules_read_hide, rules_read_tools;

/* Would e be a key of a tool's rules? */
bool rules_have(const json_object_entry *e);

#endif
