/*
 * generate - calls by the thousand, always the same ones, and a policy that
 * lets pass some of them: with globs, hidden names, and conditions of every
 * operator, but without limits, so that each call is for itself.
 */
#ifndef TESTS_GENERATE_H
#define TESTS_GENERATE_H

#include "harness.h"

extern const char generated_policy[];

/* Its rules, NULL-ended; each refuses some calls of a thousand. */
extern const char *const generated_rules[];

/* Neither has a tab; the name needs no escapes. */
struct generated {
	const char *tool;
	char arguments[1024]; /* a JSON object */
};

/* The call of this number, from 0. */
void generate(int number, struct generated *g);

#endif
