/* The place of a Redis.  The contract is in redis_place.h. */
#include "redis_place.h"

#include "../../parser/scan_simd.h"
#include "../host/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TCP  "redis://"
#define UNIX "redis+unix:"

static bool fail(char *why, size_t room, const char *what)
{
	snprintf(why, room, "%s", what);
	return false;
}

/* ---- the host -------------------------------------------------------- */

static void add(struct redis_place *p, const void *at, size_t len)
{
	struct redis_address *a = &p->addresses[p->count];

	if (p->count == REDIS_ADDRESSES || len > sizeof(a->at))
		return;
	memcpy(&a->at, at, len);
	a->len = (socklen_t)len;
	p->count++;
}

/* An address in digits, or localhost. */
static void add_numeric(struct redis_place *p, const char *host, in_port_t port)
{
	const bool local = strcasecmp(host, "localhost") == 0;
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};

	if (inet_pton(AF_INET, local ? "127.0.0.1" : host, &v4.sin_addr) == 1)
		add(p, &v4, sizeof(v4));
	if (inet_pton(AF_INET6, local ? "::1" : host, &v6.sin6_addr) == 1)
		add(p, &v6, sizeof(v6));
}

bool redis_place_find(struct redis_place *p, char *why, size_t room)
{
#ifdef WEIR_NUMERIC /* the static program */
	if (!*p->host)
		return true;
	snprintf(why, room,
		 "%s is a name, and this build of weir knows localhost and "
		 "addresses only: name its address",
		 p->host);
	return false;
#else
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char service[12];
	int status;

	if (!*p->host)
		return true;
	snprintf(service, sizeof(service), "%d", p->port);
	status = getaddrinfo(p->host, service, &hints, &list);
	if (status != 0) {
		snprintf(why, room, "cannot look up %s: %s", p->host,
			 status == EAI_SYSTEM ? strerror(errno)
					      : gai_strerror(status));
		return false;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		add(p, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return p->count > 0 ||
	       fail(why, room, "the host has no address of the Internet");
#endif
}

/* ---- the URL --------------------------------------------------------- */

/* A number in all of len digits, or -1. */
static long number(const char *s, size_t len, long most)
{
	long n = 0;

	for (size_t i = 0; i < len && n <= most; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		n = 10 * n + (s[i] - '0');
	}
	return len > 0 && n <= most ? n : -1;
}

/* "USER@", if it is there.  *s is behind it then. */
static bool read_user(struct redis_place *p, const char **s, size_t len,
		      char *why, size_t room)
{
	const char *at = scan_last(*s, len, '@');
	size_t user = at ? (size_t)(at - *s) : 0;

	if (!at)
		return true;
	if (memchr(*s, ':', user))
		return fail(why, room,
			    "others can read a password in a URL: put it "
			    "into a file, and name that in "
			    "WEIR_STATE_PASSWORD_FILE");
	if (user == 0 || user > REDIS_USER_MOST)
		return fail(why, room, "the user's name is empty or too long");
	memcpy(p->user, *s, user);
	*s = at + 1;
	return true;
}

static bool read_unix(struct redis_place *p, const char *s, char *why,
		      size_t room)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t len;

	if (strncmp(s, "//", 2) == 0) {
		s += 2;
		if (!read_user(p, &s, strcspn(s, "/"), why, room))
			return false;
	}
	len = strlen(s);
	if (*s != '/' || len >= sizeof(un.sun_path)) {
		snprintf(why, room,
			 "expected " UNIX "/PATH, an absolute path of at most "
			 "%zu bytes",
			 sizeof(un.sun_path) - 1);
		return false;
	}
	memcpy(un.sun_path, s, len + 1);
	add(p, &un, sizeof(un));
	return true;
}

static bool read_tcp(struct redis_place *p, const char *s, char *why,
		     size_t room)
{
	size_t len = strcspn(s, "/"), host_len;
	const char *db = s + len, *end;
	long port = REDIS_PORT;

	if (!read_user(p, &s, len, why, room))
		return false;
	if (db[0] && db[1] &&
	    (p->db = (int)number(db + 1, strlen(db + 1), REDIS_DB_MOST)) < 0)
		return fail(why, room,
			    "behind the host and a slash there is a number, "
			    "that of the database, and nothing else");
	end = *s == '[' ? memchr(s, ']', (size_t)(db - s)) : s;
	end = end ? memchr(end, ':', (size_t)(db - end)) : NULL;
	host_len = (size_t)((end ? end : db) - s);
	if (end && (port = number(end + 1, (size_t)(db - end - 1), 65535)) < 1)
		return fail(why, room,
			    "the port is not a number from 1 to 65535 (an IPv6 "
			    "address is written in brackets)");
	if (*s == '[' && host_len > 2 && s[host_len - 1] == ']') {
		s++;
		host_len -= 2;
	}
	if (host_len == 0 || host_len > REDIS_HOST_MOST ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "0123456789.:-_") < host_len)
		return fail(why, room, "the host is not a name or an address");
	p->port = (int)port;
	memcpy(p->host, s, host_len);
	p->host[host_len] = '\0';
	add_numeric(p, p->host, htons((in_port_t)port));
	if (p->count > 0)
		p->host[0] = '\0';
	return true;
}

bool redis_place_read(struct redis_place *place, const char *url, char *why,
		      size_t room)
{
	if (strncmp(url, TCP, strlen(TCP)) == 0)
		return read_tcp(place, url + strlen(TCP), why, room);
	if (strncmp(url, UNIX, strlen(UNIX)) == 0)
		return read_unix(place, url + strlen(UNIX), why, room);
	if (strncmp(url, "rediss:", 7) == 0)
		return fail(why, room,
			    "weir speaks no TLS: use a Unix socket or a "
			    "tunnel, as stunnel is");
	return fail(why, room,
		    "expected redis://[USER@]HOST[:PORT][/DB], "
		    "redis+unix:/PATH or a directory; write one with a colon "
		    "as ./a:b");
}

/* ---- the password ---------------------------------------------------- */

static bool read_secret(struct redis_place *p, int fd, char *why, size_t room)
{
	char text[REDIS_SECRET_MOST + 3]; /* and CR, LF, and one too many */
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fail(why, room, "it is not a regular file");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fail(why, room, "it belongs to another user");
	if (st.st_mode & 077)
		return fail(why, room,
			    "it is open to other users: chmod go-rwx it");
	do
		len = read(fd, text, sizeof(text));
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return fail(why, room, strerror(errno));
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len == 0 || len > REDIS_SECRET_MOST || memchr(text, 0, (size_t)len))
		return fail(why, room,
			    "it is not a line with a password: empty, longer "
			    "than 512 bytes, or with a NUL");
	memcpy(p->secret, text, (size_t)len);
	p->secret[len] = '\0';
	host_wipe(text, sizeof(text));
	return true;
}

bool redis_place_secret(struct redis_place *place, const char *file, char *why,
			size_t room)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char reason[160];
	bool fine;

	if (fd < 0)
		fail(reason, sizeof(reason), strerror(errno));
	fine = fd >= 0 && read_secret(place, fd, reason, sizeof(reason));
	if (fd >= 0)
		close(fd);
	if (!fine)
		snprintf(why, room,
			 "the password in %.*s (WEIR_STATE_PASSWORD_FILE) "
			 "cannot be used: %s",
			 (int)room / 2, file, reason);
	return fine;
}
