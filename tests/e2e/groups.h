/* groups - the tests, each file's as one function: how many failed. */
#ifndef TESTS_GROUPS_H
#define TESTS_GROUPS_H

int run_seeds(void);       /* five policies as they are printed, five servers */
int run_answers(void);     /* what a refused client sees */
int run_lines(void);       /* which of the client's lines are passed on */
int run_lists(void);       /* what is cut out of the server's lists */
int run_lock(void);        /* tools that are not as they were locked */
int run_scan_lock(void);   /* locks, written and compared */
int run_streams(void);     /* bytes in pieces, in masses, and through pipes */
int run_command(void);     /* options, exit statuses, check */
int run_unstarted(void);   /* the client of a weir that cannot start */
int run_processes(void);   /* starting, signals, and the end */
int run_signals(void);     /* every exit status, every signal */
int run_leftovers(void);   /* nobody is left behind */
int run_descriptors(void); /* every kind of stdin, stdout, stderr */
int run_pressure(void);    /* both sides full, long lines, flat memory */
int run_faults(void);      /* system calls that are interrupted */
int run_million(void);     /* a million messages, no allocation */
int run_layers(void);      /* several policies; prompts, resources, methods */
int run_verbs(void);       /* observe, the log, explain, reload */
int run_log_lines(void);   /* the lines of the log, and its file */
int run_limits(void);      /* the verb limits */
int run_log_verb(void);    /* the verb log */
int run_wrap(void);        /* the verbs wrap and unwrap */
int run_scan(void);        /* the verb scan */
int run_preload(void);     /* libweir.so in a process of another's */
int run_loads(void);       /* check --preload */
int run_held(void);        /* a verdict that takes time */
int run_approve(void);     /* a person is asked */
int run_grant(void);       /* limits that several processes share */
int run_terminal(void);    /* weir approve, WEIR_ASK */
int run_redis(void);       /* the same, on many machines */
int run_guard(void);       /* of POSIX alone: killed with weir, all the same */

#endif
