/*
 * server - an MCP server for tests: it answers from tables, badly if asked to.
 *
 *   catalogue  which tools it lists, and how
 *   given      what it was given by whoever started it
 *   server     the command line, the lines, the answers
 */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TOOLS_MAX 64

struct catalogue {
	const char *name;
	const char *tools[TOOLS_MAX];
	size_t count;
	bool open; /* also answers tools that it does not list */
};

/* Fills in the catalogue of that name.  False: there is none. */
bool catalogue_find(const char *name, struct catalogue *c);

/* One entry of a tools/list; the index decides which schema it has. */
void catalogue_put_tool(FILE *f, const char *name, size_t index);

/* Notes what is there.  Before anything else: what the program opens itself
 * shall not be among it. */
void given_note(char **argv);

/* As a JSON object. */
void given_put(FILE *f);

/* A JSON string. */
void put_string(FILE *f, const char *s, size_t len);

#endif
