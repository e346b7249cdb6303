/*
 * processes - what tests of processes share: the server behind weir, and what
 * /proc says of either.
 */
#ifndef TESTS_PROCESSES_H
#define TESTS_PROCESSES_H

#include "harness.h"

/* The command behind a policy that allows the tool echo, and no other. */
const char *const *behind_weir(const char *const *command);

/* The number after "key": in the next line of its stdout. */
int number_of(struct proc *p, const char *key);

/* The process of a server that was started with --report. */
int server_pid(struct proc *p);

/* A file of /proc/PID as a string, and its length; "" if there is none.
 * "children": those of its first thread. */
size_t proc_read(pid_t pid, const char *name, char *buf, size_t size);

/* The letter of its state; '-': there is no such process. */
char state_of(pid_t pid);

/* Waits until its state is one of the letters. */
void await_state(pid_t pid, const char *letters);

/* KiB in memory: now, or (peak) the most that there ever was. */
long memory_of(pid_t pid, bool peak);

/* How many descriptors are open. */
int descriptors_of(pid_t pid);

/* Nanoseconds that it has run. */
int64_t cpu_of(pid_t pid);

/* Waits until it does nothing for a while. */
void await_rest(pid_t pid);

#define STILL 20 /* looks at what does not move, to believe it */

/* Sends the lines again and again, until nothing more is taken; how many bytes
 * were. */
size_t proc_fill(struct proc *p, struct bytes lines);

/* How many bytes a pipe holds. */
int held(int fd);

/* How many processes there are below it: its children, and theirs. */
int descendants_of(pid_t pid);
void await_descendants(pid_t pid, int count);

/* As some files, devices and pipes are the test's to make: in a new process,
 * gives up what lets root open anything. */
void open_as_user(void);

/* In a new process: what is in a pipe is not told (FIONREAD). */
void fullness_untold(void);

#endif
