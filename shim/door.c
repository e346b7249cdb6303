/* The socket of weir approve.  The contract is in door.h. */
#include "door.h"

#include "fd.h"
#include "report.h"
#include "system.h"
#include "users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define REQUEST_TIME (500 * MILLISECOND) /* for a peer's line */
#define REPLY_TIME   (2 * SECOND)        /* from its begin to the reply's end */
#define SILENT_TIME  (20 * MILLISECOND)  /* where another one waits */
#define REST_TIME    SECOND              /* after an error */
#define BACKLOG      64
#define NAMES_MAX    64    /* of numbers, until one is free */
#define HOST_BYTES   64    /* of the machine's name */
#define SEND_MOST    65536 /* bytes at once */
#define KEPT         65536 /* bytes of memory; more is given back */
#define SHOWN_NAME   60    /* bytes of a name in a list, not escaped */
#define SHOWN_SERVER 40

/* ---- places ---------------------------------------------------------- */

/* This machine's name, as the names of its sockets begin, with a dot. */
static void put_host(char host[HOST_BYTES + 2])
{
	struct utsname u = {.nodename = ""};
	int len;

	uname(&u);
	len = snprintf(host, HOST_BYTES + 1, "%s",
		       *u.nodename ? u.nodename : "-");
	len = len < HOST_BYTES ? len : HOST_BYTES;
	for (int i = 0; i < len; i++)
		if (host[i] == '/' || host[i] == '.')
			host[i] = '_';
	memcpy(host + len, ".", 2);
}

/* Makes it, and what is missing on the way there. */
static bool make_directories(char *path)
{
	char *slash = path;
	bool made = true;

	while (made && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		made = mkdir(path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
	}
	return made && (mkdir(path, 0700) == 0 || errno == EEXIST);
}

int door_directory(const char *state, bool make, const char **why)
{
	char path[PATH_MAX];
	struct stat st, up;
	int fd;

	*why = NULL;
	if (snprintf(path, sizeof(path), "%s/" DOOR_DIRECTORY, state) >=
	    PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (make && !make_directories(path))
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || fstatat(fd, "..", &up, 0) != 0) {
		close(fd);
		return -1;
	}
	/* Whoever may write in it, or put another one there, is heard. */
	if ((make && st.st_uid != geteuid()) ||
	    (up.st_uid != st.st_uid && up.st_uid != 0))
		*why = "belongs to another user";
	else if ((st.st_mode | up.st_mode) & 022)
		*why = "others may write there: chmod go-w it, and the directory above";
	if (!*why)
		return fd;
	close(fd);
	errno = 0;
	return -1;
}

/* A number that nobody had before; 0: there is none. */
static uint64_t next_number(int numbers)
{
	off_t end = 0;
	ssize_t put;

	RETRY(put = write(numbers, "", 1));
	/* O_APPEND: behind the byte that was written. */
	if (put == 1)
		end = lseek(numbers, 0, SEEK_CUR);
	return end > 0 ? (uint64_t)end : 0;
}

int door_knock(int directory, const char *name)
{
	char host[HOST_BYTES + 2];
	struct stat st, dir;
	struct peer peer;
	int fd;

	errno = EPERM;
	if (fstat(directory, &dir) != 0 ||
	    fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISSOCK(st.st_mode) || st.st_uid != dir.st_uid)
		return -1;
	fd = system_connect(directory, name);
	if (fd >= 0 && system_peer(fd, &peer) && peer.uid == dir.st_uid)
		return fd;
	if (fd >= 0) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	put_host(host);
	if (errno == ECONNREFUSED && strncmp(name, host, strlen(host)) == 0) {
		unlinkat(directory, name, 0);
		errno = ECONNREFUSED;
	}
	return -1;
}

const char *door_error(void)
{
	return errno == ENOSYS ? "the socket needs /proc, which is not mounted"
			       : strerror(errno);
}

bool door_each(int directory, door_visit *visit, void *context)
{
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	const struct dirent *e;
	bool done = false;

	while (dir && !done && (e = readdir(dir))) {
		const char *dot = strrchr(e->d_name, '.');

		done = dot > e->d_name && dot[1] &&
		       !dot[1 + strspn(dot + 1, "0123456789")] &&
		       visit(context, e->d_name);
	}
	if (dir)
		closedir(dir);
	return done;
}

/* ---- who may --------------------------------------------------------- */

/* A policy_approver; context is the door. */
static void add_approver(void *context, const struct location *rule,
			 const char *by)
{
	struct door *d = context;
	struct door_approver *a = d->approvers + d->approver_count;
	const char *name = by + (*by == '@');
	char *end;

	for (size_t i = 0; i < d->approver_count; i++)
		if (strcmp(d->approvers[i].by, by) == 0)
			return;
	if (d->approver_count == DOOR_APPROVERS) {
		report("%s: more than %d different approve_by: nobody but root can approve",
		       rule->rule, DOOR_APPROVERS);
		return;
	}
	a->by = by;
	a->known = users_in_files(by, &a->id);
	if (!a->known) {
		a->id = (id_t)strtoul(name, &end, 10);
		a->known = *name >= '0' && *name <= '9' && !*end;
	}
	if (!a->known)
		report("%s: approve_by: no %s is in /etc/%s, so nobody but root can approve; write the number",
		       rule->rule, by, *by == '@' ? "group" : "passwd");
	d->approver_count++;
}

/* Which approve_by the peer meets: a bit each. */
static uint64_t approves(const struct door *d, const struct peer *peer)
{
	uint64_t met = 0;

	for (size_t i = 0; i < d->approver_count; i++) {
		const struct door_approver *a = d->approvers + i;
		const bool group = *a->by == '@';
		bool is = !group && a->id == peer->uid;

		for (size_t g = 0; group && g < peer->group_count; g++)
			is |= a->id == peer->groups[g];
		met |= (uint64_t)(is && a->known) << i;
	}
	return met;
}

/* May the peer answer this one? */
static bool may(const struct door *d, const struct door_peer *peer,
		const struct approval *a)
{
	const char *by = a->by;
	size_t at;

	if (peer->uid == 0)
		return true;
	if (a->by_count == 0)
		return peer->uid == geteuid();
	for (size_t i = 0; i < a->by_count; i++, by += strlen(by) + 1) {
		for (at = 0; at < d->approver_count; at++)
			if (strcmp(d->approvers[at].by, by) == 0)
				break;
		if (at == d->approver_count || !(peer->approver >> at & 1))
			return false;
	}
	return true;
}

/* ---- replies --------------------------------------------------------- */

/* Is it shown?  Gives it its number. */
static bool is_shown(struct door *d, const struct door_peer *peer,
		     struct approval *a)
{
	if ((a->state != APPROVAL_HELD && a->state != APPROVAL_REPEAT &&
	     a->state != APPROVAL_EXPIRED) ||
	    !(a->ways & POLICY_ASK_TERMINAL) ||
	    !(peer->uid == geteuid() || may(d, peer, a)))
		return false;
	if (a->number == 0 && (a->number = next_number(d->numbers)) == 0 &&
	    !d->unnumbered) {
		d->unnumbered = true;
		report("cannot number a call for weir approve (%s): %s",
		       DOOR_DIRECTORY "/" DOOR_NUMBERS, strerror(errno));
	}
	return a->number > 0;
}

/* At most this many bytes of a name, escaped, and dots for the rest. */
static void put_name(struct strbuf *o, const char *s, size_t len, size_t most)
{
	const bool cut = len > most;

	for (len = cut ? most : len; cut && len > 0 && (s[len] & 0xC0) == 0x80;)
		len--;
	strbuf_escaped(o, s, len);
	strbuf_string(o, cut ? "..." : "");
}

static void put_record(const struct door *d, const struct approval *a,
		       struct strbuf *o, int64_t now)
{
	const int64_t left = a->until > now ? a->until - now : 0;
	char hex[SHA256_HEX];

	strbuf_number(o, (int64_t)a->number);
	strbuf_string(o, a->state == APPROVAL_EXPIRED ? "\texpired\t"
						      : "\twaits\t");
	strbuf_number(o, (now - a->since) / SECOND);
	strbuf_string(o, "\t");
	strbuf_number(o, (left + SECOND - 1) / SECOND);
	strbuf_string(o, "\t");
	sha256_hex(a->digest, hex);
	strbuf_bytes(o, hex, sizeof(hex));
	strbuf_string(o, "\t");
	put_name(o, a->name.ptr, a->name.len, SHOWN_NAME);
	strbuf_string(o, "\t");
	put_name(o, d->server, strlen(d->server), SHOWN_SERVER);
	strbuf_string(o, "\n");
}

static struct approval *find(struct door *d, const struct door_peer *peer,
			     uint64_t number)
{
	for (size_t i = 0; i < APPROVALS_SLOTS; i++) {
		struct approval *a = approvals_slot(d->approvals, i);

		if (number > 0 && a->number == number && is_shown(d, peer, a))
			return a;
	}
	return NULL;
}

/* What becomes of a yes or a no. */
static const char *decide(const struct door *d, const struct door_peer *peer,
			  struct approval *a, const char *digest, bool yes)
{
	char hex[SHA256_HEX], who[64];

	if (!a)
		return "gone\n";
	sha256_hex(a->digest, hex);
	if (!digest || strlen(digest) != sizeof(hex) ||
	    memcmp(digest, hex, sizeof(hex)) != 0)
		return "changed\n";
	if (!may(d, peer, a))
		return "denied\n";
	snprintf(who, sizeof(who), "uid %lu, pid %ld", (unsigned long)peer->uid,
		 (long)peer->pid);
	return approvals_answer(a, yes, APPROVAL_TERMINAL, who) ? "done\n"
								: "gone\n";
}

static void reply(struct door *d, struct door_peer *peer, int64_t now)
{
	struct strbuf *o = &peer->reply;
	char *rest = peer->request, *word = strsep(&rest, " ");
	char *operand = strsep(&rest, " "), *digest = strsep(&rest, " ");
	const uint64_t number = operand ? strtoull(operand, NULL, 10) : 0;
	struct approval *a;
	size_t slot;

	peer->answers = true;
	for (slot = 0; strcmp(word, "list") == 0 && slot < APPROVALS_SLOTS;
	     slot++) {
		a = approvals_slot(d->approvals, slot);
		if (is_shown(d, peer, a))
			put_record(d, a, o, now);
	}
	if (slot > 0) {
		strbuf_string(o, "end\n");
		return;
	}
	a = find(d, peer, number);
	if (strcmp(word, "yes") == 0 || strcmp(word, "no") == 0) {
		strbuf_string(o, decide(d, peer, a, digest, *word == 'y'));
	} else if (strcmp(word, "show") != 0) {
		strbuf_string(o, "bad\n");
	} else if (!a) {
		strbuf_string(o, "gone\n");
	} else {
		put_record(d, a, o, now);
		approval_text(d->approvals, a, o, SIZE_MAX);
		strbuf_string(o, "end\n");
	}
}

/* ---- peers ----------------------------------------------------------- */

static void send_away(struct door_peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	if (peer->reply.len > KEPT)
		system_release(peer->reply.ptr, DOOR_REPLY);
	peer->fd = -1;
	peer->reply.len = 0;
}

static int64_t deadline(const struct door_peer *peer)
{
	return peer->since + (peer->answers ? REPLY_TIME : REQUEST_TIME);
}

/* Where a new peer may be: a free place, or that of the one that is silent
 * longest; NULL: there is none yet, until *due. */
static struct door_peer *place(struct door *d, int64_t now, int64_t *due)
{
	struct door_peer *silent = NULL;

	if (d->rests > now) {
		*due = d->rests < *due ? d->rests : *due;
		return NULL;
	}
	for (struct door_peer *p = d->peers; p < d->peers + DOOR_PEERS; p++) {
		if (p->fd < 0)
			return p;
		if (!p->answers && (!silent || p->since < silent->since))
			silent = p;
	}
	if (silent && silent->since + SILENT_TIME <= now)
		return silent;
	if (silent && silent->since + SILENT_TIME < *due)
		*due = silent->since + SILENT_TIME;
	return NULL;
}

static void let_in(struct door *d, struct door_peer *peer, int64_t now)
{
	int fd = accept(d->listener, NULL, NULL);
	uint64_t met = 0;
	struct peer who;

	/* Without a descriptor to spare it would be asked for ever. */
	if (fd < 0 && errno != EAGAIN)
		d->rests = now + REST_TIME;
	if (fd < 0)
		return;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fd_own(fd);
	if (!system_peer(fd, &who) || !((met = approves(d, &who)) ||
					who.uid == geteuid() || who.uid == 0)) {
		close(fd);
		return;
	}
	send_away(peer);
	*peer = (struct door_peer){
		.fd = fd,
		.since = now,
		.pid = who.pid,
		.uid = who.uid,
		.approver = met,
		.reply = {.ptr = d->replies +
				 DOOR_REPLY * (size_t)(peer - d->peers),
			  .cap = DOOR_REPLY},
	};
}

/* Reads the request; once it is there, replies. */
static void hear(struct door *d, struct door_peer *peer, int64_t now)
{
	ssize_t got;
	char *lf;

	RETRY(got = read(peer->fd, peer->request + peer->got,
			 sizeof(peer->request) - peer->got));
	if (got < 0 && errno == EAGAIN)
		return;
	peer->got += got > 0 ? (size_t)got : 0;
	lf = memchr(peer->request, '\n', peer->got);
	if (lf) {
		*lf = '\0';
		reply(d, peer, now);
	} else if (got <= 0 || peer->got == sizeof(peer->request)) {
		send_away(peer);
	}
}

/* Sends what is left of the reply, which is nothing if it has no end. */
static void tell(struct door_peer *peer)
{
	const struct strbuf *o = &peer->reply;
	const size_t len = o->full ? 0 : o->len - peer->sent;
	ssize_t put;

	RETRY(put = send(peer->fd, o->ptr + peer->sent,
			 len < SEND_MOST ? len : SEND_MOST,
			 MSG_DONTWAIT | MSG_NOSIGNAL));
	peer->sent += put > 0 ? (size_t)put : 0;
	if (len == 0 || (put < 0 && errno != EAGAIN))
		send_away(peer);
}

int door_poll(struct door *d, struct pollfd p[DOOR_POLLED], int64_t now,
	      int64_t *due)
{
	int count = 0;

	d->polled = -1;
	if (d->listener < 0)
		return 0;
	if (place(d, now, due)) {
		d->polled = count;
		p[count++] =
			(struct pollfd){.fd = d->listener, .events = POLLIN};
	}
	for (int i = 0; i < DOOR_PEERS; i++) {
		struct door_peer *peer = d->peers + i;

		if (peer->fd < 0)
			continue;
		peer->polled = count;
		p[count++] = (struct pollfd){.fd = peer->fd,
					     .events = peer->answers ? POLLOUT
								     : POLLIN};
		if (deadline(peer) < *due)
			*due = deadline(peer);
	}
	return count;
}

void door_go_on(struct door *d, const struct pollfd p[DOOR_POLLED], int64_t now)
{
	struct door_peer *next;
	int64_t due = INT64_MAX;

	for (int i = 0; i < DOOR_PEERS && d->listener >= 0; i++) {
		struct door_peer *peer = d->peers + i;

		if (peer->fd < 0)
			continue;
		if (p[peer->polled].revents && !peer->answers)
			hear(d, peer, now);
		else if (p[peer->polled].revents)
			tell(peer);
		if (peer->fd >= 0 && deadline(peer) <= now)
			send_away(peer);
	}
	if (d->polled < 0 || !p[d->polled].revents)
		return;
	/* Who was silent may have spoken. */
	next = place(d, now, &due);
	if (next)
		let_in(d, next, now);
}

/* ---- the door -------------------------------------------------------- */

void door_reload(struct door *d, const struct policy *policy)
{
	struct stat up;
	bool others;

	for (int i = 0; i < DOOR_PEERS; i++)
		send_away(d->peers + i);
	d->approver_count = 0;
	policy_approvers(policy, add_approver, d);
	others = d->approver_count > 0 && system_tells_peers();
	if (d->listener < 0)
		return;
	if (fchmodat(d->directory, d->name, others ? 0666 : 0600, 0) != 0 ||
	    (others && fchmod(d->directory, 0755) != 0) ||
	    fstatat(d->directory, "..", &up, 0) != 0 ||
	    (d->approver_count > 0 && !(others && up.st_mode & 1)))
		report(others ? "approve_by: other users cannot reach the socket of weir approve; the state directory needs chmod a+x"
			      : "approve_by: this system does not say which user asks: only root can approve");
}

/* A door_visit: removes what nobody listens to; context is the door. */
static bool sweep(void *context, const char *name)
{
	const struct door *d = context;
	int fd = door_knock(d->directory, name);

	if (fd >= 0)
		close(fd);
	return false;
}

/* A socket that listens, and then has a name: a name without a listener is
 * dead. */
static bool listen_at(struct door *d)
{
	char host[HOST_BYTES + 2], new[DOOR_NAME];
	int named = -1;

	d->numbers = openat(d->directory, DOOR_NUMBERS,
			    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
				    O_NONBLOCK | O_CLOEXEC,
			    0600);
	if (d->numbers < 0)
		return false;
	put_host(host);
	for (int i = 0; named != 0 && i < NAMES_MAX; i++) {
		unsigned long long number = next_number(d->numbers);

		if (number == 0)
			return false;
		snprintf(d->name, sizeof(d->name), "%s%llu", host, number);
		snprintf(new, sizeof(new), "%s%llu.new", host, number);
		unlinkat(d->directory, new, 0);
		if (d->listener >= 0)
			close(d->listener);
		d->listener = system_listen(d->directory, new, BACKLOG);
		if (d->listener < 0)
			return false;
		named = linkat(d->directory, new, d->directory, d->name, 0);
		unlinkat(d->directory, new, 0);
		if (named != 0 && errno != EEXIST)
			return false;
	}
	return named == 0;
}

bool door_open(struct door *d, const char *state, const struct policy *policy,
	       const char *const *server)
{
	const char *why;

	memset(d, 0, sizeof(*d));
	for (; server && *server; server++) {
		const char *slash = *d->server ? NULL : strrchr(*server, '/');

		snprintf(d->server + strlen(d->server),
			 sizeof(d->server) - strlen(d->server), "%s%s",
			 *d->server ? " " : "", slash ? slash + 1 : *server);
	}
	d->listener = d->numbers = d->polled = -1;
	for (int i = 0; i < DOOR_PEERS; i++)
		d->peers[i].fd = -1;
	d->directory = door_directory(state, true, &why);
	if (d->directory >= 0 && listen_at(d) &&
	    (d->replies = system_reserve(DOOR_PEERS * DOOR_REPLY))) {
		door_each(d->directory, sweep, d);
		door_reload(d, policy);
		return true;
	}
	report("nobody can approve a call with weir approve: %s/" DOOR_DIRECTORY
	       ": %s%s",
	       state, why ? why : door_error(),
	       why || errno != ENOSYS ? "; name another directory with -s DIR"
				      : "");
	door_close(d);
	return false;
}

void door_close(struct door *d)
{
	if (!d->replies && d->directory <= 0)
		return; /* never opened */
	for (int i = 0; i < DOOR_PEERS; i++)
		send_away(d->peers + i);
	if (d->listener >= 0) {
		unlinkat(d->directory, d->name, 0);
		close(d->listener);
	}
	if (d->numbers >= 0)
		close(d->numbers);
	if (d->directory >= 0)
		close(d->directory);
	memset(d, 0, sizeof(*d));
	d->listener = d->numbers = d->directory = -1;
}
