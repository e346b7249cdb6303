/*
 * operators - the operators of conditions, in one table.
 *
 * Each row has the name in enum op; the name in a policy; the values that the
 * operator is about; the values that it compares with, and those in words; what
 * compiles the latter (conditions.c); what tests the former (condition.c), and
 * NULL for that alone which is about the key; what is tested of a list that is
 * the text of a string, too.  A new row comes last: the first four are together
 * (OP_NOT_IN).  The man page and policy.schema.json have the same rows:
 * test_operators.c compares them.
 */
#ifndef POLICIES_OPERATORS_H
#define POLICIES_OPERATORS_H

/* Sets of types (enum type). */
#define SET_NULL    (1u << TYPE_NULL)
#define SET_BOOLEAN (1u << TYPE_BOOLEAN)
#define SET_NUMBER  (1u << TYPE_NUMBER)
#define SET_STRING  (1u << TYPE_STRING)
#define SET_ARRAY   (1u << TYPE_ARRAY)
#define SET_SCALAR  (SET_NULL | SET_BOOLEAN | SET_NUMBER | SET_STRING)
#define SET_KEY     0u /* not the value, but whether it is there */

/* What is tested of a string that some servers take for a list (condition.h).
 */
#define LIST_DENY  0u /* its elements, by deny_if and ask_if alone */
#define LIST_EACH  1u /* the same, and by require */
#define LIST_WHOLE 2u /* the same as LIST_DENY, and by require the list */
#define LIST_FIRST 4u /* the list, and then as LIST_DENY */

/* clang-format off */
#define OPERATORS(ROW)                                                         \
	ROW(EQ, "eq", SET_SCALAR,                                              \
	    SET_SCALAR, "one of these", compile_scalar, test_among, LIST_DENY) \
	ROW(NEQ, "neq", SET_SCALAR,                                            \
	    SET_SCALAR, "one of these",                                        \
	    compile_scalar, test_not_among, LIST_EACH)                         \
	ROW(IN, "in", SET_SCALAR,                                              \
	    SET_ARRAY, "an array of these",                                    \
	    compile_scalars, test_among, LIST_DENY)                            \
	ROW(NOT_IN, "not_in", SET_SCALAR,                                      \
	    SET_ARRAY, "an array of these",                                    \
	    compile_scalars, test_not_among, LIST_EACH)                        \
	ROW(LT, "lt", SET_NUMBER,                                              \
	    SET_NUMBER, "a number", compile_number, test_order, LIST_DENY)     \
	ROW(LTE, "lte", SET_NUMBER,                                            \
	    SET_NUMBER, "a number", compile_number, test_order, LIST_DENY)     \
	ROW(GT, "gt", SET_NUMBER,                                              \
	    SET_NUMBER, "a number", compile_number, test_order, LIST_DENY)     \
	ROW(GTE, "gte", SET_NUMBER,                                            \
	    SET_NUMBER, "a number", compile_number, test_order, LIST_DENY)     \
	ROW(CONTAINS, "contains", SET_STRING | SET_ARRAY,                      \
	    SET_SCALAR, "as for eq",                                           \
	    compile_contained, test_contains, LIST_WHOLE)                      \
	ROW(EXISTS, "exists", SET_KEY,                                         \
	    SET_BOOLEAN, "true or false", compile_truth, NULL, LIST_DENY)      \
	ROW(REGEX, "regex", SET_STRING,                                        \
	    SET_STRING, "a pattern", compile_pattern, test_pattern, LIST_EACH) \
	ROW(GLOB, "glob", SET_STRING,                                          \
	    SET_STRING, "a glob", compile_glob, test_pattern, LIST_EACH)       \
	ROW(UNDER, "under", SET_STRING,                                        \
	    SET_STRING | SET_ARRAY, "one or more directories",                 \
	    compile_directories, test_under, LIST_DENY)                        \
	ROW(HOST, "host", SET_STRING,                                          \
	    SET_STRING | SET_ARRAY, "one or more hosts",                       \
	    compile_hosts, test_host, LIST_DENY)                               \
	ROW(MAX_LENGTH, "max_length", SET_STRING | SET_ARRAY,                  \
	    SET_NUMBER, "a whole number",                                      \
	    compile_length, test_length, LIST_FIRST)
/* clang-format on */

#endif
