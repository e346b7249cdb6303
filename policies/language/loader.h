/*
 * loader - reads a policy file by tables of keys, and reports its faults.  For
 * policies/ alone.
 *
 * Each fault is reported with the JSON Pointer of what is being read.  Reading
 * goes on, so that all faults of a file are reported at once.
 */
#ifndef POLICIES_LOADER_H
#define POLICIES_LOADER_H

#include "../../parser/strbuf.h"
#include "../internal.h"

#include <json-parser/json.h>

#include <stdarg.h>

#define LOADER_POINTER_BYTES POLICY_RULE_BYTES

/*
 * json-parser's tree has neither the place of a value nor the text of a number.
 * So parser/ steps through the text in parallel: at is always the first byte
 * of the value that is being read.
 */
struct loader {
	struct policy *policy; /* the result */
	policy_report *report;
	void *context;
	int faults;
	size_t layer;     /* of the file that is being read, from 1 */
	const char *file; /* its name, kept */
	struct scan text; /* all of it */
	const char *at;
	const char *over, *after; /* a value that was read, and what is past it
				   */
	const char *counted;      /* lines are counted up to here */
	size_t lines;
	const char *line;      /* where the last of them begins */
	struct strbuf pointer; /* of what is being read, escaped */
	char pointer_bytes[LOADER_POINTER_BYTES + 1];
};

/* A key that an object may hold, and what reads its value into something. */
typedef void loader_read(struct loader *l, const json_value *v, void *into);
struct loader_key {
	char name[17]; /* "" ends the table */
	loader_read *read;
};
#define LOADER_KEYS_MAX 31 /* in any one table */

/* At most 64 bytes of a string from the file, fit to be printed. */
struct shown {
	char text[64 * 6 + 4];
};
struct shown loader_show(const char *s, size_t len);

void loader_fault(struct loader *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reports words about a rule that was read before: "FILE:LINE: /RULE: words".
 */
void loader_report_at(policy_report *report, void *context,
		      const struct location *at, const char *format,
		      va_list args);

/* The same as a fault. */
void loader_fault_at(struct loader *l, const struct location *at,
		     const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Which word of the list is v?  -1 after a fault: v is no string, and what
 * wanted says was expected; or it is an unknown "action". */
int loader_choose(struct loader *l, const json_value *v, const char *wanted,
		  const char *action, const char *words);

/* Reads each element of an array, or each member of an object, with the
 * loader's pointer and place set to it. */
typedef void loader_each(struct loader *l, const json_value *v, size_t index,
			 void *into);
void loader_elements(struct loader *l, const json_value *v, loader_each *read,
		     void *into);
typedef void loader_named(struct loader *l, const json_object_entry *e,
			  void *into);
void loader_members(struct loader *l, const json_value *v, loader_named *read,
		    void *into);

/* The value that is being read, as it stands in the text. */
struct span loader_span(struct loader *l);

/* Where it is, as the location of a rule.  loader_location_at(): of an element
 * that has this index in the merged policy. */
struct location loader_location(struct loader *l);
struct location loader_location_at(struct loader *l, size_t index);

/* Is v of the type?  If not, reports that what was expected. */
bool loader_want(struct loader *l, const json_value *v, json_type type,
		 const char *what);

/* The same of an array; if v could be its only element, says so. */
bool loader_want_array(struct loader *l, const json_value *v, json_type of,
		       const char *what);

/* Is v this very string? */
bool loader_is(const json_value *v, const char *s);

/* Is v a whole number from low to high, written in digits alone?  If not,
 * reports that. */
bool loader_in_range(struct loader *l, const json_value *v, int64_t low,
		     int64_t high);

/* What v is, in words. */
const char *loader_type(const json_value *v);

/* The key of the table that e has, or NULL. */
const struct loader_key *loader_find(const struct loader_key *keys,
				     const json_object_entry *e);

/* Reads an object by its table.  Returns a bit for each key that was there,
 * in the order of the table. */
unsigned loader_object(struct loader *l, const json_value *v,
		       const struct loader_key *keys, void *into);

/* Memory, and text that ends in a NUL; both live as long as the policy.  Out of
 * memory is a fault; then they are NULL, or "". */
void *loader_take(struct loader *l, size_t len);
bool loader_own(struct loader *l, void *block); /* from malloc(); or frees it */
char *loader_keep(struct loader *l, const char *s, size_t len);
/* The same, but then it is s, for who reads the len bytes of it all the same.
 */
const char *loader_keep_span(struct loader *l, const char *s, size_t len);
const char *loader_keep_escaped(struct loader *l, const char *s, size_t len);

/* Appends as printf(), whole or not at all; it needs room for a NUL as well.
 * Slow: not for what is done for each entry of a policy. */
void loader_put(struct strbuf *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The readers of "hide", and of each section, in rules.c. */
loader_read rules_read_hide, rules_read_all_tools, rules_read_tools,
	rules_read_prompts, rules_read_resources, rules_read_methods;

/* Reads a list of a rule's conditions; in conditions.c. */
void conditions_read(struct loader *l, const json_value *v, struct rules *r,
		     enum list list);

/* The reader of "increment_from"; into is a struct condition *, whose value is
 * the amount where it holds. */
loader_read conditions_read_amount;

/* The same for the path of a "per": it holds for a string, a number, true or
 * false. */
loader_read conditions_read_value;

/* The readers of "limits" and "rate_limit", in limits.c; into is the rules. */
loader_read limits_read, limits_read_rate;

/* Makes the counters, once all limits are there: those of one name are one. */
void limits_finish(struct loader *l);

/* The reader of a reason for the agent; into is a const char *. */
loader_read loader_read_reason;

/* The reader of a text for people. */
loader_read loader_read_description;

/* What a policy looks like, for messages. */
#define POLICY_FRAME                                                           \
	"{\"version\": \"1\", \"default\": \"deny\", \"tools\": {...}}"

/* Reports why the text of a file, whose fault r has, is no JSON: a comment, a
 * byte order mark, YAML ...; in foreign.c. */
void foreign_text(struct loader *l, const struct scan *r);

/* Is it JSON that is no policy: a client's configuration, a list of tools,
 * another program's policy?  Then this is reported. */
bool foreign_file(struct loader *l, const json_value *v);

/* The word of the list that s was probably meant to be, by its letters or as
 * other programs call it, or NULL; in spelling.c. */
const char *spelling_meant(const char *s, size_t len, const char *words);

/* Reads the file at f->path, which others than root and this user may not
 * write; again: a regular file, without waiting for anything.  Its text is the
 * caller's to free.  False: reported. */
bool loader_file(struct policy_file *f, bool again, policy_report *report,
		 void *context);

/* Reports "PATH: words". */
void loader_report_file(const char *path, const char *words,
			policy_report *report, void *context);
#define LOADER_SHARED "the group may write this file: chmod g-w it"

/* Reads a file that is no policy by read.  What it keeps lives as long as the
 * empty policy that is returned; NULL after faults. */
struct policy *loader_read_other(const struct policy_source *source,
				 loader_read *read, void *into,
				 policy_report *report, void *context);

/* Would e be a key of a tool's rules? */
bool rules_have(const json_object_entry *e);

#endif
