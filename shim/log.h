/*
 * log - what weir decides, one JSON object a line, appended to a file.
 *
 *   {"ts":"2026-01-31T12:00:00.000000Z","seq":3,"pid":42,"line":"decision",
 *    "grant":"/etc/weir/pay.json","server":"bank","id":7,
 *    "method":"tools/call","tool":"pay","args":["amount","to"],
 *    "verdict":"refused","rule":"/tools/pay/limits/0","reason":"...",
 *    "bytes":120,"us":15,"prev":"<64 hexadecimal digits>"}
 *
 * Members stand in this order, without white space between; what a line has not
 * is left out.  Every line begins with ts, seq, pid, line, grant and server:
 *
 *   ts      UTC, in microseconds
 *   seq     of this process's lines, from 0, without a gap
 *   pid     of weir
 *   line    what the line is about: the words below
 *   grant   -g, else the first policy file's canonical path
 *   server  its name, once it has said it, else the command's last path segment
 *
 * and goes on:
 *
 *   start      version, command (an array of words), words (how many there are,
 *              if not all are shown), policy (the SHA-256 of its file, 64
 *              digits), observe (true), required (true).  The first line, seq 0
 *   decision   id, method, then tool (of tools/call), prompt (of prompts/get),
 *              uri, or name (of any other method); args (the names of the
 *              arguments, sorted), args_more (how many are not shown), values
 *              (an object: PATH of --log-args to its value); verdict (passed,
 *              hidden, refused, malformed, dropped); rule and reason unless it
 *              is passed; observed (true: passed on all the same); bytes (of
 *              the client's line), us (microseconds to decide, waiting
 *              included).  A line that was not understood has at most the id,
 *              verdict malformed, rule "(malformed)"
 *   answer     id, method, tool or prompt, call (the seq of the decision), ms
 *              (until the answer passed; three decimals), error (true: a
 *              JSON-RPC error, or isError), bytes (of the server's line)
 *   approval   id, method, tool ... uri as above; answer (asked, yes, no, or
 *              another word), who, how, ms
 *   withheld   id, reason, byte: a line of the server's that may hold a list
 *   changed    tool, reason: a tool whose definition is not the locked one
 *   reload     ok (true or false), policy (its SHA-256, of the one in force)
 *   warning    warning (a text)
 *   gap        lost (lines that could not be written since the line before),
 *              torn (true: a part of one may stand before this)
 *   end        status (to exit with), passed, hidden, refused, malformed,
 *              dropped (decisions), answered, lost (lines, in all)
 *
 * Every line but the first of a process ends with prev, its last member: the
 * SHA-256 of the line of the same process before it, without its LF.  The chain
 * goes on over a rotated file.  So a line that is changed, left out, moved or
 * added shows; not one whose chain was computed again, nor an end cut off: for
 * that, keep the SHA-256 of a late line elsewhere, as the end line's prev.
 *
 * A line has at most LOG_LINE bytes with its LF, so that it goes out in one
 * write, also to a pipe.  Texts are cut to the lengths below, as they stand in
 * the line, and end in "..." then.  What a terminal obeys is escaped, so no
 * line has a raw {"ts":" but at its begin.  Blank lines are nothing: one that
 * was written in part becomes one.  Where that is not possible, or a process is
 * killed inside a write, a part of a line may stay, and the next line may
 * follow it without an LF: what begins at the last {"ts":" is that line.
 *
 * Nothing waits for the log.  A line that cannot be written is lost, and not
 * counted in seq; the first of several is reported, and a gap line says how
 * many they were as soon as there is room.
 */
#ifndef SHIM_LOG_H
#define SHIM_LOG_H

#include "../parser/sha256.h"
#include "../parser/strbuf.h"
#include "../policies/policy.h"

#include <time.h>

/* The most bytes of a line, as PIPE_BUF has them; and of these, texts. */
#define LOG_LINE   4096
#define LOG_GRANT  256
#define LOG_SERVER 128
#define LOG_WORDS  16 /* of a command, each of LOG_NAME */
#define LOG_ID     264
#define LOG_NUMBER 40  /* an id that is no string */
#define LOG_NAME   128 /* a method, tool or prompt */
#define LOG_URI    256 /* without user part, query and fragment */
#define LOG_ARG    64  /* the name of an argument */
#define LOG_ARGS   16  /* such names */
#define LOG_VALUE  256 /* of --log-args */
#define LOG_VALUES 600 /* of all of them */
#define LOG_ABOUT  (2 * LOG_NAME + 40) /* both */
#define LOG_RULE   512
#define LOG_REASON 1024

struct log {
	int fd;           /* -1: nothing is logged; owned */
	bool once;        /* no regular file, or a descriptor: never reopened */
	bool reported;    /* and that was reported */
	bool started;     /* the start line was written */
	bool failed;      /* the last line could not be written */
	bool torn;        /* a part of it could: a line end comes first */
	bool required;    /* what is not logged is not to pass; the caller's */
	bool named;       /* the server has said its name */
	const char *args; /* PATHs of --log-args, or NULL; the caller's */
	int64_t told;     /* when a failure was reported last; of host_now() */
	int64_t began;    /* when the message came that is judged; the same */
	uint64_t seq;     /* of the next line */
	uint64_t lost;    /* lines, since the last that was written */
	uint64_t lost_ever;
	uint64_t verdicts[VERDICT_DROPPED + 1]; /* decisions, by kind */
	uint64_t answered;
	char prev[SHA256_HEX]; /* of the last line that was written */
	time_t second;         /* that stamp is of */
	char stamp[72];
	struct strbuf common; /* ,"grant":"...","server":"..." */
	size_t common_grant;  /* bytes of it that are the grant's */
	char common_text[LOG_GRANT + LOG_SERVER + 40];
	struct strbuf start; /* the members of the start line */
	char start_text[LOG_LINE / 2 + 1024];
};

/* Opens or makes the file at path, mode 0600.  False: errno, ENXIO if it is a
 * pipe without a reader or a socket. */
bool log_open(struct log *log, const char *path);
void log_close(struct log *log);

/* Opens the file that is at path now.  What fails, or is no regular file, is
 * told on stderr, and the log goes on as it is. */
void log_reopen(struct log *log, const char *path);

/* What the first line tells.  SIGPIPE and SIGXFSZ must be ignored. */
struct log_start {
	const char *grant;
	const char *const *command;  /* NULL-ended, one word at least */
	const unsigned char *policy; /* its digest */
	bool observe;
};
void log_start(struct log *log, const struct log_start *start);

/* Is there no log, or can it be written?  Writes the gap line if there was a
 * gap. */
bool log_ready(struct log *log);

/* A message of so many bytes that was judged, or was not understood, with the
 * id that its answer has.  False: there is a log, and this is not in it. */
bool log_verdict(struct log *log, const struct message *m,
		 const struct verdict *v, size_t bytes, bool observed);
bool log_fault(struct log *log, struct span id, const struct fault *fault,
	       size_t bytes, bool observed);

/* The message whose decision was the last line has passed: what its answer's
 * line is to say (served.h).  And that answer. */
struct served_call;
void log_call(const struct log *log, const struct message *m,
	      struct served_call *call);
void log_answered(struct log *log, const struct served_call *call, size_t bytes,
		  bool error);

/* What became of the question about a call: "asked", "yes", "no" or another
 * word, who gave the answer and how ("" if that is not known), and how long it
 * waited, in nanoseconds. */
void log_approval(struct log *log, const struct message *m, const char *answer,
		  const char *who, const char *how, int64_t waited);

/* A line of the server's that is withheld. */
void log_withheld(struct log *log, struct span id, const struct fault *fault);

/* A tool whose definition is not the locked one. */
void log_changed(struct log *log, struct text tool, const char *reason);

/* The policy was read again, or could not be; the digest of the one in force.
 */
void log_reload(struct log *log, bool ok, const unsigned char *policy);

/* A warning, which is no decision. */
void log_warning(struct log *log, const char *text);

/* The name that the server gives itself: of its first answer. */
void log_server(struct log *log, struct text name);

/* The last line. */
void log_end(struct log *log, int status);

/* The name of a verdict. */
const char *log_word(enum verdict_kind kind);

#endif
