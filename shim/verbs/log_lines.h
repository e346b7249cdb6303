/*
 * log_lines - the lines of weir's log, read back from files that anybody may
 * have written: what is no line of weir's is told apart, whatever it is.
 */
#ifndef SHIM_LOG_LINES_H
#define SHIM_LOG_LINES_H

#include "../../parser/scan.h"

#define LINES_MOST   ((size_t)16 << 10) /* bytes of a line that is read */
#define LINES_BUFFER ((size_t)256 << 10)

/* A file, line by line. */
struct lines {
	const char *file;
	int fd;        /* -1: none */
	char *buffer;  /* LINES_BUFFER; owned */
	size_t at, to; /* what is unread of it */
	size_t number; /* of the last line, from 1 */
	bool skip;     /* inside a line that is too long */
	bool failed;   /* it could not be opened or read: reported */
};

/* Opens the file for reading; the buffer is kept from file to file.  False:
 * reported. */
bool lines_open(struct lines *l, const char *file);
void lines_close(struct lines *l);
void lines_free(struct lines *l);

/* The next line, without its LF; a control byte follows.  NULL: that is all for
 * now; a last line without LF comes only with last.  *whole: it has an LF and
 * is not too long, else only its begin is there. */
const char *lines_next(struct lines *l, bool last, size_t *len, bool *whole);

/* What a line is about (log.h).  LINE_OTHER: a word that is not known. */
enum line_word {
	LINE_OTHER,
	LINE_START,
	LINE_DECISION,
	LINE_ANSWER,
	LINE_APPROVAL,
	LINE_WITHHELD,
	LINE_CHANGED,
	LINE_RELOAD,
	LINE_WARNING,
	LINE_GAP,
	LINE_END,
	LINE_WORDS
};

/* Members that are read, as log.h has them: texts, then numbers. */
enum member {
	LINE_METHOD,
	LINE_TOOL,
	LINE_VERDICT,
	LINE_RULE,
	LINE_REASON,
	LINE_WARNS, /* the text of a warning */
	LINE_SAID,  /* the answer of an approval */
	LINE_WHO,
	LINE_HOW,
	LINE_PREV,
	LINE_LINE,
	LINE_VALUES, /* an object, as it stands */
	LINE_TEXTS,
	LINE_TS = LINE_TEXTS, /* microseconds since 1970 */
	LINE_SEQ,
	LINE_PID,
	LINE_BYTES,
	LINE_MS, /* in microseconds */
	LINE_LOST,
	LINE_STATUS,
	LINE_ERROR, /* true is 1 */
	LINE_OBSERVED,
	LINE_TORN,
	LINE_MEMBERS
};

struct log_line {
	const char *text; /* the line itself: a part of another may be before */
	size_t len;
	enum line_word word;
	unsigned has; /* bits 1 << enum member */
	/* By member; what it has not is NULL, or 0. */
	struct text texts[LINE_TEXTS];
	int64_t numbers[LINE_MEMBERS];
};

/* Reads a line that a control byte follows.  False: it is no line of weir's. */
bool line_read(const char *text, size_t len, struct log_line *line);

#endif
