/*
 * The journal of a grant.  The contract is in journal.h.
 *
 * A file is a header, and records.  All numbers are the machine's own, in words
 * of 8 bytes.  A record is
 *
 *	kind and length in words, with their own check; time; ...; check
 *
 * and a check is of all before it and of where it stands.
 */
#include "journal.h"

#include "../../parser/strbuf.h"
#include "../host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define VERSION      1
#define WORD         sizeof(uint64_t)
#define BUFFER_WORDS ((size_t)8192)
#define RECORD_WORDS (PIECE_WORDS + 8) /* of the longest record */
#define RECORD_LEAST 3
#define PAGE         4096 /* what a power cut takes, or a multiple */
/* To find a lock free that is held for microseconds.  Nothing is yielded: where
 * many want to run, that could take longer than the call may wait. */
#define SPINS       60
#define TRIES       8 /* to lock a file that is replaced meanwhile */
#define PAUSE_MOST  (2 * MILLISECOND)
#define RECENT      (5 * SECOND) /* a power cut may forget it */
#define NAME_BYTES  200 /* of a grant's file, at most, without its ending */
#define FILE_ENDING ".limits"

/* Nothing is waited for longer than half of that: more need not go by. */
#define LONG      (2 * SECOND * POLICY_WINDOW_SECONDS)
#define TIME_MOST (INT64_MAX - 2 * LONG) /* of a file */

enum kind {
	TIE = 1, /* the time is from now on: steady, wall, boot */
	DEFINE,  /* set, {id, window, max}...: what a policy needs */
	CALL,    /* {id, value, amount}... */
	CALLS,   /* id, value, time...: of many calls */
	SUMS,    /* id, value, low, high, {time, amount}...: see struct piece */
	RESET,   /* id: all before is forgotten */
	MOVED,   /* another file has taken the name */
	KINDS
};

struct header {
	char magic[8];
	uint64_t version;
	uint64_t base; /* bytes that were on the disk when it got its name */
	struct tie tie;
	uint64_t check;
};

static const char magic[8] = {'w', 'e', 'i', 'r', 'j', 'r', 'n', '\n'};
static const char damaged[] =
	"is damaged: remove it to start over with nothing counted";

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Of the words, at this offset. */
static uint64_t check_of(const uint64_t *w, size_t n, uint64_t at)
{
	uint64_t hash = mix(VERSION, at);

	for (size_t i = 0; i < n; i++)
		hash = mix(hash, w[i]);
	return hash;
}

/* The first word of a record. */
static uint64_t head_of(uint64_t what, uint64_t at)
{
	return (mix(mix(VERSION, at), what) & ~UINT64_C(0xFFFFFFFF)) | what;
}

static struct header make_header(struct tie tie, uint64_t base)
{
	struct header h = {.version = VERSION, .base = base, .tie = tie};

	memcpy(h.magic, magic, sizeof(magic));
	h.check = check_of((const uint64_t *)&h, sizeof(h) / WORD - 1, 0);
	return h;
}

/* ---- writing ----------------------------------------------------------- */

static void begin_out(struct journal *j, int fd, uint64_t at)
{
	j->out_fd = fd;
	j->out_at = at;
	j->out_words = 0;
}

static bool flush(struct journal *j)
{
	if (!private_write(&j->file, j->out_fd, j->out, j->out_words * WORD,
			   j->out_at))
		return false;
	if (j->out_words > 0)
		j->written = j->out[j->out_words - 1];
	j->out_at += j->out_words * WORD;
	j->out_words = 0;
	return true;
}

/* A record that is to be written: where its n words between the time and the
 * check go.  finish() ends it. */
static uint64_t *begin(struct journal *j)
{
	if (BUFFER_WORDS - j->out_words < RECORD_WORDS && !flush(j))
		return NULL;
	return j->out + j->out_words + 2;
}

static void finish(struct journal *j, enum kind kind, int64_t time, size_t n)
{
	uint64_t *w = j->out + j->out_words, at;

	at = j->out_at + j->out_words * WORD;
	w[0] = head_of((n + 3) << 8 | kind, at);
	w[1] = (uint64_t)time;
	w[n + 2] = check_of(w, n + 2, at);
	j->out_words += n + 3;
}

static bool put(struct journal *j, enum kind kind, int64_t time,
		const void *words, size_t n)
{
	uint64_t *w = begin(j);

	if (!w)
		return false;
	memcpy(w, words, n * WORD);
	finish(j, kind, time, n);
	return true;
}

/* Appends what there is to be written.  What cannot be written whole is cut
 * off again; if even that fails, by the next who reads it. */
static bool append(struct journal *j)
{
	j->written = j->word;
	if (!flush(j)) {
		if (ftruncate(j->file.fd, (off_t)j->end) != 0)
			j->end = 0;
		return false;
	}
	j->word = j->written;
	j->end = j->out_at;
	j->tied = true;
	return true;
}

/* ---- time -------------------------------------------------------------- */

/* A file's time, when a clock has gone on. */
static int64_t go_on(int64_t time, int64_t from, int64_t to, int64_t most)
{
	uint64_t went = to > from ? (uint64_t)to - (uint64_t)from : 0;
	uint64_t left = (uint64_t)(TIME_MOST - time);

	went = went < (uint64_t)most ? went : (uint64_t)most;
	return time + (int64_t)(went < left ? went : left);
}

static void tell_time(struct journal *j)
{
	struct policy_moment m = j->clock.read(j->clock.context);
	bool boot = m.boot != j->tie.boot || m.steady < j->tie.steady;

	j->now = boot ? go_on(j->tie.time, j->tie.wall, m.wall, LONG)
		      : go_on(j->tie.time, j->tie.steady, m.steady, INT64_MAX);
	/* Or the clock went back, and it could not be known that it is another
	 * one. */
	boot |= j->now < j->last;
	if (j->now < j->last)
		j->now = j->last;
	if (!boot)
		return;
	j->tie = (struct tie){.time = j->now,
			      .steady = m.steady,
			      .wall = m.wall,
			      .boot = m.boot};
	j->tied = false;
}

/* ---- reading ----------------------------------------------------------- */

/* Below 0: trouble. */
static ssize_t read_at(struct journal *j, void *to, size_t len, uint64_t at)
{
	ssize_t got;

	do
		got = pread(j->file.fd, to, len, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		private_fail_errno(&j->file, "read");
	return got;
}

/* Words of a record that begins so, or 0. */
static size_t length_of(uint64_t head, uint64_t at)
{
	size_t n = (size_t)(head >> 8 & 0xFFFFFF);

	return n >= RECORD_LEAST && n <= RECORD_WORDS &&
			       head == head_of(head & 0xFFFFFFFF, at)
		       ? n
		       : 0;
}

/* The same, if it is whole: then its check is enough. */
static size_t record_at(const uint64_t *w, size_t have, uint64_t at)
{
	size_t n = have > 0 ? (size_t)(w[0] >> 8 & 0xFFFFFF) : 0;

	return n >= RECORD_LEAST && n <= RECORD_WORDS && n <= have &&
			       w[1] <= (uint64_t)TIME_MOST &&
			       w[n - 1] == check_of(w, n - 1, at)
		       ? n
		       : 0;
}

/* Does something with a record of n words.  False: trouble. */
typedef bool use_record(struct journal *j, const uint64_t *w, size_t n);

enum read {
	READ_DONE,
	READ_ANEW, /* it is another file, or was cut: from its begin */
	READ_FAILED
};

/*
 * Reads all records behind *end, and uses each; *end is then behind the last of
 * them, and *word the last before that.  That word is read again: it tells when
 * the file was cut, or written over.
 *
 * What is no record may be lost: half of one at the end, of a process that was
 * killed; zeros at the end, or to the end of a page, of a power cut, where what
 * is behind counts all the same.  All else is damage, and so is any of that in
 * what was on the disk when the file got its name.
 */
static enum read walk(struct journal *j, use_record *use, uint64_t *end,
		      uint64_t *word)
{
	uint64_t at = *end - WORD;
	size_t have = 0, used = 0, n;
	bool more = true, begun = false, bad = false, lost = false;

	while (more || have > used) {
		if (more && have - used < RECORD_WORDS) {
			size_t room;
			ssize_t got;

			memmove(j->in, j->in + used, (have - used) * WORD);
			at += used * WORD;
			have -= used;
			used = 0;
			room = (BUFFER_WORDS - have) * WORD;
			got = read_at(j, j->in + have, room, at + have * WORD);
			if (got < 0)
				return READ_FAILED;
			have += (size_t)got / WORD;
			j->seen = at + have * WORD + (size_t)got % WORD;
			/* A page that cannot be read ends a read, too. */
			more = (size_t)got == room ||
			       (got > 0 && j->seen % PAGE == 0);
			if (!begun && (have == 0 || j->in[0] != *word))
				return READ_ANEW;
			used += !begun;
			begun = true;
			continue;
		}
		n = record_at(j->in + used, have - used, at + used * WORD);
		if (n == 0) {
			const uint64_t here = at + used * WORD;
			const uint64_t w = j->in[used++];

			if (here < j->base)
				break;
			lost |= !bad && length_of(w, here) > have - used + 1;
			lost |= w == 0 &&
				(used == have || (here + WORD) % PAGE == 0);
			bad = true;
			continue;
		}
		if (bad && !lost)
			break;
		bad = lost = false;
		if (!use(j, j->in + used, n))
			return READ_FAILED;
		/* Where a file says that it was replaced, it ends. */
		if ((j->in[used] & 0xFF) != MOVED) {
			*end = at + (used + n) * WORD;
			*word = j->in[used + n - 1];
		}
		used += n;
	}
	if (*end >= j->base && (!bad || lost))
		return READ_DONE;
	private_fail(&j->file, damaged);
	return READ_FAILED;
}

static struct foreign *find_foreign(struct journal *j, uint64_t id)
{
	size_t at = id % JOURNAL_FOREIGN;

	while (j->foreign[at].window > 0 && j->foreign[at].id != id)
		at = (at + 1) % JOURNAL_FOREIGN;
	return &j->foreign[at];
}

/* What some policy needs of a counter. */
static void need(struct journal *j, uint64_t id, int64_t window, uint64_t max)
{
	struct count *c = windows_find(j->windows, id);
	struct foreign *f;
	bool known = false;

	if (window <= 0 || window > SECOND * POLICY_WINDOW_SECONDS)
		return;
	if (c) {
		for (size_t i = 0; i < c->counter->window_count; i++)
			known |= c->counter->windows[i] == window;
		c->more |= c->counter->sum
				   ? !known
				   : max > c->counter->max ||
					     window > c->counter->window;
		if (window > c->longest)
			c->longest = window;
		return;
	}
	/* One is always left, so that looking for one ends. */
	if (j->foreign_count == JOURNAL_FOREIGN - 1)
		return;
	f = find_foreign(j, id);
	j->foreign_count += f->window == 0;
	f->id = id;
	if (window > f->window)
		f->window = window;
}

static bool piece_of(const uint64_t *w, size_t n, struct piece *p)
{
	const bool sum = (w[0] & 0xFF) == SUMS;
	const size_t front = sum ? 6 : 4;

	if (n <= front + 1)
		return false;
	*p = (struct piece){.id = w[2], .value = w[3], .sum = sum};
	if (sum) {
		p->low = (int64_t)w[4];
		p->high = (int64_t)w[5];
	}
	p->words = (const int64_t *)w + front;
	p->n = n - front - 1;
	for (size_t i = 0; i < p->n; i += sum ? 2 : 1)
		if (p->words[i] < 0 || p->words[i] > TIME_MOST)
			return false;
	return !sum || p->n % 2 == 0;
}

/* A use_record: into the windows. */
static bool apply(struct journal *j, const uint64_t *w, size_t n)
{
	const int64_t time = (int64_t)w[1];
	const enum kind kind = w[0] & 0xFF;
	struct count *c;
	struct piece p;

	j->moved = kind == MOVED;
	if (kind == TIE && n == 6) {
		j->tie = (struct tie){time, (int64_t)w[2], (int64_t)w[3], w[4]};
		return true;
	}
	if (time > j->last)
		j->last = time;
	switch (kind) {
	case CALL:
		for (size_t i = 2; i + 3 < n; i += 3) {
			c = windows_find(j->windows, w[i]);
			if (c)
				windows_add(c, w[i + 1], time, w[i + 2]);
		}
		return true;
	case CALLS:
	case SUMS:
		return !piece_of(w, n, &p) || windows_put(j->windows, &p);
	case DEFINE:
		for (size_t i = 3; i + 3 < n; i += 3)
			need(j, w[i], (int64_t)w[i + 1], w[i + 2]);
		/* It is said again before it is forgotten. */
		if (n > 3 && w[2] == j->set)
			j->defined = time;
		return true;
	case RESET:
		c = n == 4 ? windows_find(j->windows, w[2]) : NULL;
		if (c)
			windows_clear_one(c);
		return true;
	default:
		return true;
	}
}

/* Is the whole file zeros, or empty?  So a power cut leaves it. */
static bool is_zero(struct journal *j)
{
	const size_t most = BUFFER_WORDS * WORD;
	uint64_t at = 0;
	ssize_t got;

	while ((got = read_at(j, j->in, most, at)) > 0) {
		const char *p = (const char *)j->in;

		if (p[0] || memcmp(p, p + 1, (size_t)got - 1) != 0)
			return false;
		at += (size_t)got;
	}
	return got == 0;
}

/* The begin of a file of which the windows hold nothing. */
static enum read read_begin(struct journal *j)
{
	struct header h;
	ssize_t got = read_at(j, &h, sizeof(h), 0);

	windows_clear(j->windows);
	memset(j->foreign, 0, JOURNAL_FOREIGN * sizeof(*j->foreign));
	j->foreign_count = 0;
	j->defined = -1;
	j->moved = false;
	j->last = 0;
	if (got < 0)
		return READ_FAILED;
	if (got == 0 || (h.magic[0] == 0 && is_zero(j))) {
		h = make_header(j->tie = (struct tie){0}, sizeof(h));
		if (j->file.read_only)
			return READ_DONE;
		if ((!private_write(&j->file, j->file.fd, &h, sizeof(h), 0) ||
		     ftruncate(j->file.fd, sizeof(h)) != 0 ||
		     fsync(j->file.fd) != 0)) {
			private_fail_errno(&j->file, "write");
			return READ_FAILED;
		}
	} else if (got == sizeof(h) && memcmp(h.magic, magic, 4) == 0 &&
		   (memcmp(h.magic, magic, sizeof(magic)) != 0 ||
		    h.version != VERSION)) {
		private_fail(&j->file,
			     "was written by another version of weir: remove "
			     "it to start over with nothing counted");
		return READ_FAILED;
	} else if (got < (ssize_t)sizeof(h) || memcmp(h.magic, magic, 4) != 0 ||
		   h.check !=
			   check_of((uint64_t *)&h, sizeof(h) / WORD - 1, 0) ||
		   h.tie.time < 0 || h.tie.time > TIME_MOST) {
		private_fail(&j->file, damaged);
		return READ_FAILED;
	}
	j->tie = h.tie;
	j->tied = true;
	j->base = h.base;
	j->compact_at = 2 * h.base + j->busy;
	j->end = sizeof(h);
	j->word = j->first = h.check;
	return READ_DONE;
}

/* It fitted when the file was made. */
static void next_path(const struct journal *j, char *path)
{
	snprintf(path, PATH_MAX, "%.*s.new", PATH_MAX - 5, j->file.path);
}

static void drop_next(struct journal *j)
{
	char path[PATH_MAX];

	if (j->next.fd < 0)
		return;
	next_path(j, path);
	if (private_is_at(j->next.fd, path))
		unlink(path);
	close(j->next.fd);
	j->next.fd = -1;
	j->next.synced = false;
}

/* Brings the windows up to date. */
static enum read read_on(struct journal *j)
{
	enum read done = READ_DONE;

	if (j->end == 0) {
		drop_next(j);
		done = read_begin(j);
	}
	/* Of one that is only asked, there may be nothing to read on. */
	if (done == READ_DONE && j->end == 0)
		return READ_DONE;
	if (done == READ_DONE)
		done = walk(j, apply, &j->end, &j->word);
	if (done == READ_DONE && j->moved &&
	    !private_is_named(&j->file, &j->seen))
		done = READ_ANEW;
	if (done != READ_DONE) {
		j->end = 0;
		return done;
	}
	/* Half a record, of a process that was killed while it wrote it; or
	 * MOVED, of one that was killed before it replaced the file. */
	j->moved = false;
	if (j->seen > j->end && !j->file.read_only &&
	    ftruncate(j->file.fd, (off_t)j->end) != 0) {
		private_fail_errno(&j->file, "write");
		return READ_FAILED;
	}
	return READ_DONE;
}

/* ---- rewriting the file ------------------------------------------------ */

/* How long a counter's calls are needed; 0 if the windows have all of them. */
static int64_t needed(struct journal *j, uint64_t id)
{
	const struct count *c = windows_find(j->windows, id);
	const struct foreign *f;

	if (c)
		return c->more ? c->longest : 0;
	f = find_foreign(j, id);
	return f->window > 0 ? f->window : SECOND * POLICY_WINDOW_SECONDS;
}

/* Copies the items later than that: the first of their words is the time. */
static size_t copy_items(uint64_t *to, const uint64_t *w, size_t n,
			 size_t words, int64_t after)
{
	size_t len = 0;

	for (size_t i = 0; i + words <= n; i += words)
		if ((int64_t)w[i] > after) {
			memcpy(to + len, w + i, words * WORD);
			len += words;
		}
	return len;
}

/* A use_record: into the new file, as far as others need it. */
static bool copy(struct journal *j, const uint64_t *w, size_t n)
{
	const int64_t time = (int64_t)w[1];
	const enum kind kind = w[0] & 0xFF;
	uint64_t *to = begin(j);
	int64_t window;
	size_t len = 0;

	if (!to)
		return false;
	switch (kind) {
	case CALL:
		for (size_t i = 2; i + 3 < n; i += 3)
			if (time > j->now - needed(j, w[i])) {
				memcpy(to + len, w + i, 3 * WORD);
				len += 3;
			}
		break;
	case DEFINE:
		to[len++] = w[2];
		for (size_t i = 3; i + 3 < n; i += 3)
			if (time > j->now - JOURNAL_KEPT - (int64_t)w[i + 1]) {
				memcpy(to + len, w + i, 3 * WORD);
				len += 3;
			}
		len = len > 1 ? len : 0;
		break;
	case CALLS:
	case SUMS: {
		const size_t front = kind == SUMS ? 4 : 2;

		if (n < front + 3 || (window = needed(j, w[2])) == 0)
			return true;
		memcpy(to, w + 2, front * WORD);
		len = copy_items(to + front, w + 2 + front, n - front - 3,
				 kind == SUMS ? 2 : 1, j->now - window);
		len += len ? front : 0;
		break;
	}
	case RESET:
		if (n == 4 && time > j->now - needed(j, w[2]))
			to[len++] = w[2];
		break;
	default:
		break;
	}
	if (len > 0)
		finish(j, kind, time, len);
	return true;
}

/* A windows_take: into the new file. */
static bool put_piece(void *context, const struct piece *p)
{
	struct journal *j = context;
	uint64_t *to = begin(j);
	size_t len = 0;

	if (!to)
		return false;
	to[len++] = p->id;
	to[len++] = p->value;
	if (p->sum) {
		to[len++] = (uint64_t)p->low;
		to[len++] = (uint64_t)p->high;
	}
	memcpy(to + len, p->words, p->n * WORD);
	finish(j, p->sum ? SUMS : CALLS, j->now, len + p->n);
	return true;
}

/* A new file of what the windows hold, and of what they do not hold of the old
 * one: behind its header. */
static bool put_all(struct journal *j)
{
	uint64_t end = sizeof(struct header), word = j->first;

	if (walk(j, copy, &end, &word) != READ_DONE)
		return false;
	for (size_t i = 0; i < j->windows->n; i++)
		if (!j->windows->counts[i].more &&
		    !windows_each(&j->windows->counts[i], put_piece, j))
			return false;
	return true;
}

/* A use_record: as it is. */
static bool copy_whole(struct journal *j, const uint64_t *w, size_t n)
{
	return (w[0] & 0xFF) == MOVED ||
	       put(j, w[0] & 0xFF, (int64_t)w[1], w + 2, n - 3);
}

/* Begins a new file with this. */
static bool begin_next(struct journal *j, bool (*put_what)(struct journal *j))
{
	char path[PATH_MAX];
	struct header h;

	j->next.fd = private_make(&j->file, path);
	/* Whoever has begun one has not come to its end for long. */
	if (j->next.fd < 0 && j->end > 4 * (j->base + j->busy) &&
	    unlink(path) == 0)
		j->next.fd = private_make(&j->file, path);
	if (j->next.fd < 0)
		return false;
	j->next.from = j->end;
	j->next.from_word = j->word;
	j->next.begun = host_now();
	j->next.synced = false;
	begin_out(j, j->next.fd, sizeof(h));
	if (put_what(j) && flush(j)) {
		j->next.size = j->out_at;
		j->next.word = j->written;
		h = make_header(j->tie, j->next.size);
		j->next.first = h.check;
		if (private_write(&j->file, j->next.fd, &h, sizeof(h), 0)) {
			/* The disk begins with it meanwhile. */
			host_begin_sync(j->next.fd);
			return true;
		}
	}
	drop_next(j);
	return false;
}

/* While nobody has to wait for it but this process. */
static bool sync_next(struct journal *j)
{
	j->next.synced = fsync(j->next.fd) == 0;
	if (j->next.synced)
		return true;
	private_fail_errno(&j->file, "write");
	drop_next(j);
	return false;
}

/* What was written since goes into the new file, too; then it takes the place
 * of the old one, which is locked, and says so.  False: trouble, and nothing
 * has changed. */
static bool end_next(struct journal *j)
{
	const uint64_t seen = j->end;
	uint64_t end = j->next.from, word = j->next.from_word, last;
	char path[PATH_MAX];
	bool done;

	next_path(j, path);
	begin_out(j, j->next.fd, j->next.size);
	j->written = j->next.word;
	done = private_is_named(&j->file, &j->seen) &&
	       private_is_at(j->next.fd, path) &&
	       (end == seen || walk(j, copy_whole, &end, &word) == READ_DONE) &&
	       flush(j) &&
	       /* What is not of the last seconds may be on the disk: it stays.
		*/
	       (host_now() - j->next.begun < RECENT || fsync(j->next.fd) == 0);
	end = j->out_at;
	last = j->written;
	begin_out(j, j->file.fd, j->end);
	done = done && put(j, MOVED, j->now, &last, 0) && flush(j) &&
	       private_replace(&j->file, j->next.fd, path);
	if (done) {
		/* The windows hold it already. */
		j->base = j->next.size;
		j->first = j->next.first;
		j->end = end;
		j->word = last;
		j->tied = true;
		j->next.fd = -1;
		j->next.synced = false;
		j->renamed = true;
	} else {
		drop_next(j);
		if (ftruncate(j->file.fd, (off_t)j->end) != 0)
			j->end = 0;
	}
	j->compact_at = 2 * j->end + j->busy;
	return done;
}

/* In two steps, so that no other waits for the disk.  What was counted stays
 * counted if this fails: then it is tried later. */
static void compact(struct journal *j)
{
	if (j->next.fd < 0 && !begin_next(j, put_all))
		j->compact_at = j->end + JOURNAL_MORE / 8;
	else if (j->settle == 0 && !j->next.synced && !sync_next(j))
		j->compact_at = j->end + JOURNAL_MORE;
	else if (j->next.synced)
		end_next(j);
	j->b.trouble[0] = '\0';
}

/* ---- one turn ---------------------------------------------------------- */

enum entered { ENTERED, BUSY, FAILED };

static void leave(struct journal *j)
{
	if (j->file.fd >= 0)
		flock(j->file.fd, LOCK_UN);
	if (j->renamed)
		private_sync_directory(&j->file);
	j->renamed = false;
}

static enum entered lock(struct journal *j)
{
	for (int i = 0; flock(j->file.fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK) {
			private_fail_errno(&j->file, "lock");
			return FAILED;
		}
		if (i == SPINS) {
			private_fail(&j->file, "is locked by another process");
			return BUSY;
		}
	}
	return ENTERED;
}

/* Locks the file that has the name, and brings the windows up to date. */
static enum entered enter(struct journal *j)
{
	const struct header first = make_header((struct tie){0}, sizeof(first));

	for (int i = 0; i < TRIES; i++) {
		enum entered entered;
		bool unread = true;
		int64_t now;

		if (j->file.fd < 0) {
			j->end = 0;
			j->looked = host_now();
			if (!private_open(&j->file, &first, sizeof(first)))
				return FAILED;
			if (j->file.fd < 0) {
				windows_clear(j->windows);
				tell_time(j);
				return ENTERED;
			}
		}
		entered = lock(j);
		if (entered != ENTERED)
			return entered;
		now = host_now();
		if (now - j->looked >= j->look_every) {
			if (!private_is_named(&j->file, &j->seen)) {
				private_close(&j->file);
				continue;
			}
			j->looked = now;
			/* Nobody has written: that is not read again. */
			unread = j->end == 0 || j->seen != j->end;
		}
		switch (unread ? read_on(j) : READ_DONE) {
		case READ_DONE:
			tell_time(j);
			begin_out(j, j->file.fd, j->end);
			return ENTERED;
		case READ_ANEW:
			if (!private_is_named(&j->file, &j->seen))
				private_close(&j->file);
			break;
		case READ_FAILED:
			leave(j);
			return FAILED;
		}
	}
	leave(j);
	private_fail(&j->file, "keeps being replaced");
	return FAILED;
}

/* What the counters need: those who rewrite the file must know it. */
static bool define(struct journal *j)
{
	uint64_t *w = NULL;
	size_t n = 0;

	if (j->defined >= 0 && j->now - j->defined < JOURNAL_KEPT / 2)
		return true;
	j->defined = j->now;
	for (size_t i = 0; i < j->n; i++) {
		const struct counter *c = j->counters[i];

		for (size_t k = 0; k < c->window_count; k++) {
			if (!w && !(w = begin(j)))
				return false;
			w[n + 1] = c->id;
			w[n + 2] = (uint64_t)c->windows[k];
			w[n + 3] = c->sum ? 0 : c->max;
			n += 3;
			if (n + 3 < PIECE_WORDS &&
			    (i + 1 < j->n || k + 1 < c->window_count))
				continue;
			/* The last one says that all are there. */
			w[0] = i + 1 == j->n && k + 1 == c->window_count
				       ? j->set
				       : 0;
			finish(j, DEFINE, j->now, n + 1);
			n = 0;
			w = NULL;
		}
	}
	return true;
}

/* Writes what is to be written, and what it needs. */
static bool save(struct journal *j)
{
	const uint64_t words[] = {(uint64_t)j->tie.steady,
				  (uint64_t)j->tie.wall, j->tie.boot};

	if ((!j->tied && !put(j, TIE, j->tie.time, words, 3)) || !define(j) ||
	    !append(j)) {
		j->defined = -1;
		return false;
	}
	j->last = j->now;
	return true;
}

static bool put_call(struct journal *j)
{
	uint64_t *w = begin(j);
	size_t n = 0;

	if (!w)
		return false;
	for (size_t i = 0; i < j->asked; i++) {
		uint64_t amount = windows_amount(j->q, j->asked, i);

		if (amount == 0)
			continue;
		w[n++] = j->q[i].counter->id;
		w[n++] = j->q[i].value;
		w[n++] = amount;
	}
	if (n > 0)
		finish(j, CALL, j->now, n);
	return true;
}

static enum counted ask(struct journal *j)
{
	bool allowed = true;

	for (size_t i = 0; i < j->asked; i++)
		allowed &= (j->count ? windows_ask : windows_tell)(
			j->windows, &j->q[i], j->now);
	if (!allowed)
		return COUNTED_REFUSED;
	if (!j->count)
		return COUNTED_YES;
	if (!put_call(j) || !save(j))
		return COUNTED_NOT;
	windows_count(j->windows, j->q, j->asked, j->now);
	if (j->end > j->compact_at || j->next.synced)
		compact(j);
	return COUNTED_YES;
}

static enum counted resume_journal(struct backend *b)
{
	struct journal *j = (struct journal *)b;
	enum counted answer = COUNTED_NOT;

	j->due = -1;
	if (j->asked == 0)
		return COUNTED_YES;
	switch (enter(j)) {
	case ENTERED:
		b->trouble[0] = '\0';
		answer = ask(j);
		leave(j);
		return answer;
	case BUSY:
		j->pause = j->pause < PAUSE_MOST ? 2 * j->pause : PAUSE_MOST;
		j->due = host_now() + j->pause;
		return COUNTED_LATER;
	default:
		return COUNTED_NOT;
	}
}

static enum counted ask_journal(struct backend *b, struct question *q, size_t n,
				bool count)
{
	struct journal *j = (struct journal *)b;

	j->q = q;
	j->asked = n;
	j->count = count && !j->file.read_only;
	j->pause = MILLISECOND / 4;
	if (j->next.fd >= 0 && !j->next.synced &&
	    host_now() - j->next.begun >= j->settle)
		sync_next(j);
	return resume_journal(b);
}

static void drop_journal(struct backend *b)
{
	struct journal *j = (struct journal *)b;

	j->asked = 0;
	j->due = -1;
}

static int64_t poll_journal(struct backend *b, struct pollfd *p)
{
	p->fd = -1;
	p->events = 0;
	return ((struct journal *)b)->due;
}

/* Enters, and waits for that. */
static enum entered wait_to_enter(struct journal *j)
{
	const struct timespec pause = {.tv_nsec = MILLISECOND};
	enum entered entered = enter(j);

	for (int64_t waited = 0; entered == BUSY && waited < COUNTERS_START;
	     waited += MILLISECOND) {
		nanosleep(&pause, NULL);
		entered = enter(j);
	}
	return entered;
}

/* A start may wait for the disk; but not with the lock. */
static enum entered start_anew(struct journal *j)
{
	enum entered entered = ENTERED;

	if (begin_next(j, put_all)) {
		leave(j);
		sync_next(j);
		entered = wait_to_enter(j);
		if (entered == ENTERED && j->next.synced)
			end_next(j);
	}
	if (entered == ENTERED)
		j->b.trouble[0] = '\0';
	return entered;
}

static bool bind_journal(struct backend *b,
			 const struct counter *const *counters, size_t n,
			 bool start)
{
	struct journal *j = (struct journal *)b;
	const struct journal before = *j;
	struct windows *w = windows_new(counters, n, NULL);
	uint64_t set = mix(0, n);
	enum entered entered;

	b->trouble[0] = '\0';
	if (!w) {
		snprintf(b->trouble, sizeof(b->trouble), "out of memory");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		set = mix(mix(set, counters[i]->id), counters[i]->max);
		for (size_t k = 0; k < counters[i]->window_count; k++)
			set = mix(set, (uint64_t)counters[i]->windows[k]);
	}
	j->windows = w;
	j->set = set | 1;
	j->counters = counters;
	j->n = n;
	j->end = 0;
	entered = start ? wait_to_enter(j) : enter(j);
	if (entered == ENTERED) {
		if (!j->file.read_only && !save(j))
			entered = FAILED;
		else if (start && !j->file.read_only &&
			 j->end > 2 * j->base + JOURNAL_MORE)
			entered = start_anew(j);
		leave(j);
	}
	/* While another has the lock, a reload goes on: what is there is read
	 * with the next question. */
	if (entered == ENTERED || (!start && entered == BUSY)) {
		windows_free(before.windows);
		return true;
	}
	windows_free(w);
	j->windows = before.windows;
	j->set = before.set;
	j->counters = before.counters;
	j->n = before.n;
	j->end = 0;
	return false;
}

static bool reset_journal(struct backend *b, const struct counter *counter)
{
	struct journal *j = (struct journal *)b;
	bool done = true; /* where there is nothing */

	if (wait_to_enter(j) != ENTERED)
		return false;
	b->trouble[0] = '\0';
	if (j->file.fd >= 0)
		done = put(j, RESET, j->now, &counter->id, 1) && save(j);
	if (done)
		windows_clear_one(windows_find(j->windows, counter->id));
	leave(j);
	return done;
}

static void close_journal(struct backend *b)
{
	struct journal *j = (struct journal *)b;

	drop_next(j);
	private_close(&j->file);
	free(j->file.path);
	windows_free(j->windows);
	free(j->foreign);
	free(j->in);
	free(j->out);
	free(j);
}

static const struct backend_ops journal_ops = {
	.bind = bind_journal,
	.ask = ask_journal,
	.resume = resume_journal,
	.drop = drop_journal,
	.poll = poll_journal,
	.reset = reset_journal,
	.close = close_journal,
};

/* The file of a grant: its name, with %XX for what may not be in one.  The end
 * of a long one is told by its hash. */
static void put_name(struct strbuf *out, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t start = out->len;
	uint64_t h = 0;

	for (const char *p = name; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	h = (h ^ strlen(name)) * UINT64_C(0x100000001b3);
	for (const char *p = name; *p; p++) {
		unsigned char byte = (unsigned char)*p;
		const char escaped[3] = {'%', hex[byte >> 4], hex[byte & 15]};
		bool plain = (byte >= '0' && byte <= '9') ||
			     ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
			     byte == '-' || byte == '_' ||
			     (byte == '.' && p > name);

		if (out->len - start >= NAME_BYTES - 20) {
			strbuf_string(out, "~");
			for (int shift = 60; shift >= 0; shift -= 4)
				strbuf_bytes(out, &hex[h >> shift & 15], 1);
			break;
		}
		strbuf_bytes(out, plain ? p : escaped, plain ? 1 : 3);
	}
	strbuf_string(out, FILE_ENDING);
}

static struct backend *open_grant(bool copy_only, const char *dir,
				  const char *name, struct policy_clock clock,
				  policy_report *report, void *context)
{
	const struct header first = make_header((struct tie){0}, sizeof(first));
	struct strbuf out = {.cap = strlen(dir) + 1 + NAME_BYTES +
				    sizeof(FILE_ENDING)};
	struct journal *j = calloc(1, sizeof(*j));

	if (j) {
		j->b.ops = &journal_ops;
		j->clock = clock;
		j->due = -1;
		j->look_every = JOURNAL_LOOK;
		j->settle = JOURNAL_SETTLE;
		j->busy = JOURNAL_BUSY;
		j->next.fd = -1;
		j->looked = host_now();
		j->foreign = calloc(JOURNAL_FOREIGN, sizeof(*j->foreign));
		j->in = malloc(BUFFER_WORDS * WORD);
		j->out = malloc(BUFFER_WORDS * WORD);
		j->file.fd = -1;
		j->file.read_only = copy_only;
		j->file.trouble = j->b.trouble;
		j->b.place = j->file.path = out.ptr = calloc(1, out.cap + 1);
	}
	if (!j || !j->foreign || !j->in || !j->out || !out.ptr) {
		report(context, "out of memory");
	} else {
		strbuf_string(&out, dir);
		strbuf_string(&out, "/");
		put_name(&out, name);
		if (private_open(&j->file, &first, sizeof(first))) {
			j->b.empty = j->file.fd < 0;
			return &j->b;
		}
		report(context, j->b.trouble);
	}
	backend_close(j ? &j->b : NULL);
	return NULL;
}

struct backend *grant_open(const char *dir, const char *name,
			   struct policy_clock clock, policy_report *report,
			   void *context)
{
	return open_grant(false, dir, name, clock, report, context);
}

struct backend *grant_copy(const char *dir, const char *name,
			   struct policy_clock clock, policy_report *report,
			   void *context)
{
	return open_grant(true, dir, name, clock, report, context);
}
