/* Paths and uris.  The contract is in address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* ---- paths ----------------------------------------------------------- */

struct segment {
	const char *ptr;
	size_t len;
};

/* The segment of dir at *at, past its slash; false at the end. */
static bool next_segment(const char *dir, size_t len, size_t *at,
			 struct segment *s)
{
	const char *slash;

	while (*at < len && dir[*at] == '/')
		++*at;
	if (*at == len)
		return false;
	s->ptr = dir + *at;
	slash = memchr(s->ptr, '/', len - *at);
	s->len = slash ? (size_t)(slash - s->ptr) : len - *at;
	*at += s->len;
	return true;
}

/* Takes a segment off the path, up to its slash, into *s; false at the end. */
static bool take_segment(struct text *path, struct text *s)
{
	const char *slash, *end = path->ptr;
	struct text rest = *path;
	int32_t c;

	*s = *path;
	if (!(path->flags & TEXT_ESCAPED)) {
		slash = memchr(path->ptr, '/', path->len);
		s->len = slash ? (size_t)(slash - path->ptr) : path->len;
		path->ptr += s->len + (slash != NULL);
		path->len -= s->len + (slash != NULL);
		return s->len > 0 || slash;
	}
	while ((c = text_next(&rest)) >= 0 && c != '/')
		end = rest.ptr;
	s->len = (size_t)(end - s->ptr);
	*path = rest;
	return s->len > 0 || c >= 0;
}

/* Would another reader see a separator or a dot where there is none? */
static bool is_disguised(struct text path)
{
	int32_t c, high, low;

	if (!memchr(path.ptr, '%', path.len) &&
	    !memchr(path.ptr, '\\', path.len))
		return false;
	while ((c = text_next(&path)) >= 0) {
		struct text ahead = path;

		if (c == '\\')
			return true;
		if (c != '%')
			continue;
		high = text_next(&ahead);
		low = text_fold(text_next(&ahead));
		if ((high == '2' && (low == 'e' || low == 'f' || low == '5')) ||
		    (high == '5' && low == 'c'))
			return true;
	}
	return false;
}

/* What JavaScript's trim(), Python's strip() or a reader of uris takes off. */
static bool is_trimmed(int32_t c)
{
	return c <= ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

static bool ends_in_space(struct text path)
{
	int32_t c, last = -1;

	if (path.len == 0 ||
	    (!(path.flags & TEXT_ESCAPED) && path.ptr[path.len - 1] > ' '))
		return false;
	while ((c = text_next(&path)) >= 0)
		last = c;
	return is_trimmed(last);
}

/* Where the segment of dir begins that has so many before it. */
static size_t segment_at(const char *dir, size_t len, size_t which)
{
	struct segment s;
	size_t at = 0;

	while (which-- > 0)
		next_segment(dir, len, &at, &s);
	return at;
}

/* Does a segment begin with a dot? */
static bool has_dotted(const char *s, size_t len)
{
	const char *p = s, *end = s + len;

	while ((p = memchr(p, '.', (size_t)(end - p))) != NULL) {
		if (p > s && p[-1] == '/')
			return true;
		p++;
	}
	return false;
}

enum outcome path_under(struct text path, const char *dir, size_t len,
			bool fold)
{
	size_t depth = 0, common = 0, at = 0, next;
	struct segment want;
	struct text s;

	if (is_disguised(path) || ends_in_space(path))
		return OUTCOME_INVALID;
	/* Most paths are spelled as the directory is. */
	if (path.len > len && path.ptr[len] == '/' && *path.ptr == '/' &&
	    !(path.flags & TEXT_ESCAPED) && memcmp(path.ptr, dir, len) == 0 &&
	    !has_dotted(path.ptr, path.len))
		return OUTCOME_YES;
	if (text_next(&path) != '/')
		return OUTCOME_INVALID;
	while (take_segment(&path, &s)) {
		const bool dotted =
			s.len > 0 && (*s.ptr == '.' || *s.ptr == '\\');

		if (s.len == 0 || (dotted && text_is(s, ".", 1)))
			continue;
		if (dotted && text_is(s, "..", 2)) {
			depth -= depth > 0;
			if (common > depth) {
				common = depth;
				at = segment_at(dir, len, depth);
			}
			continue;
		}
		/* As far as the path has kept to dir, it may go on so. */
		next = at;
		if (common == depth && next_segment(dir, len, &next, &want) &&
		    (fold ? text_is_folded(s, want.ptr, want.len)
			  : text_is(s, want.ptr, want.len))) {
			common++;
			at = next;
		}
		depth++;
	}
	return next_segment(dir, len, &at, &want) ? OUTCOME_NO : OUTCOME_YES;
}

/* ---- uris ------------------------------------------------------------ */

static bool is_digit(int32_t c)
{
	return c >= '0' && c <= '9';
}

/* ASCII alone: no reader of uris folds other letters. */
static int32_t lower(int32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool is_letter(int32_t c)
{
	c = lower(c);
	return c >= 'a' && c <= 'z';
}

static int32_t peek(struct text text)
{
	return text_next(&text);
}

/* What scheme:// begins with; text is past its colon. */
static bool read_scheme(struct text *text, struct uri *u)
{
	size_t len = 0;
	int32_t c;

	while ((c = text_next(text)) != ':') {
		bool later = is_digit(c) || c == '+' || c == '-' || c == '.';

		if (!(is_letter(c) || (len > 0 && later)) ||
		    len == URI_SCHEME_BYTES - 1)
			return false;
		u->scheme[len++] = (char)lower(c);
	}
	u->scheme[len] = '\0';
	return len > 0;
}

/* Sets the port that the scheme has by itself. */
static void find_default(struct uri *u)
{
	static const struct {
		const char *scheme;
		uint32_t port;
	} known[] = {{"http", 80},
		     {"https", 443},
		     {"ws", 80},
		     {"wss", 443},
		     {"ftp", 21}};

	u->port = 0;
	u->web = false;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(u->scheme, known[i].scheme) == 0) {
			u->port = known[i].port;
			u->web = true;
		}
}

/* An IP address between s and end, as inet_ntop() spells it. */
static bool is_canonical(int family, const char *s, size_t len)
{
	char text[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	return inet_pton(family, text, bytes) == 1 &&
	       inet_ntop(family, bytes, again, sizeof(again)) &&
	       strcmp(text, again) == 0;
}

/* Do readers take such a last label for the number of an IPv4 address
 * (https://url.spec.whatwg.org/#ends-in-a-number-checker)? */
static bool is_number(const char *label, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t first = 0, most = 10;

	if (len >= 2 && label[0] == '0' && label[1] == 'x') {
		first = 2;
		most = 16;
	}
	for (size_t i = first; i < len; i++)
		if (!memchr(digits, label[i], most))
			return false;
	return true;
}

/* Labels between single dots, or a canonical IPv4 address. */
static bool is_name(const char *s, size_t len, bool *numeric)
{
	const char *label = s;

	for (size_t i = 0; i <= len; i++) {
		char c = '.';

		if (i < len)
			c = s[i];
		if (c != '.') {
			if (is_letter(c) || is_digit(c) || c == '-' || c == '_')
				continue;
			label = s + i; /* no label */
		}
		if (s + i == label) {
			*numeric = false;
			return false;
		}
		*numeric = is_number(label, (size_t)(s + i - label));
		label = s + i + 1;
	}
	return !*numeric || is_canonical(AF_INET, s, len);
}

/* A port of digits, up to the end. */
static bool read_port(const char *s, const char *end, uint32_t *port)
{
	*port = 0;
	if (s == end || *s == '0' || end - s > 5)
		return false;
	for (; s < end; s++) {
		if (!is_digit(*s))
			return false;
		*port = *port * 10 + (uint32_t)(*s - '0');
	}
	return *port <= 65535;
}

bool host_read(const char *s, size_t len, struct uri *u)
{
	const char *end = s + len, *name;

	u->numeric = false;
	if (len == 0 || len >= URI_HOST_BYTES)
		return false;
	name = *s == '[' ? memchr(s, ']', len) : memchr(s, ':', len);
	if (*s == '[' && !name)
		return false;
	name = name ? name + (*s == '[') : end;
	if (name < end && (*name != ':' || !read_port(name + 1, end, &u->port)))
		return false;
	for (size_t i = 0; i < (size_t)(name - s); i++)
		u->host[i] = (char)lower(s[i]);
	u->host[name - s] = '\0';
	if (*s != '[')
		return is_name(u->host, (size_t)(name - s), &u->numeric);
	u->numeric = true;
	return is_canonical(AF_INET6, s + 1, (size_t)(name - s) - 2);
}

/* The authority of text, which is past it. */
static bool read_authority(struct text *text, struct uri *u)
{
	char host[URI_HOST_BYTES] = "";
	size_t len = 0;
	int32_t c;

	while ((c = peek(*text)) >= 0 && c != '/' && c != '?' && c != '#') {
		if (c >= 0x80 || len == sizeof(host))
			return false;
		host[len++] = (char)text_next(text);
	}
	u->host[0] = '\0';
	u->numeric = false;
	if (strcmp(u->scheme, "file") == 0)
		return len == 0;
	if (len == 0)
		return !u->web;
	/* The number of an address is one in the web alone. */
	if (!host_read(host, len, u) && (u->web || !u->numeric || *host == '['))
		return false;
	/* Only there is the case of letters nothing. */
	if (!u->web)
		memcpy(u->host, host, strlen(u->host));
	return true;
}

static int32_t hex(int32_t c)
{
	c = lower(c);
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* May the byte of a percent code stand for itself only so? */
static bool is_coded_well(int32_t high, int32_t low)
{
	int32_t c = high < 0 || low < 0 ? 0 : high * 16 + low;

	return c > 0x1F && c != 0x7F && !is_letter(c) && !is_digit(c) &&
	       !strchr("-_.~/\\%", c) && c != 0xC0 && c != 0xC1;
}

/* May it be spelled in more than one way? */
static bool is_odd(int32_t c)
{
	return c >= 0x80 || (c >= 0 && !is_letter(c) && !is_digit(c) &&
			     !strchr("-_.~/?#", c));
}

/* Does ".." stop at this segment of a file: uri
 * (https://url.spec.whatwg.org/#shorten-a-urls-path)?  Some readers look at two
 * characters alone. */
static bool is_drive(struct text segment)
{
	const bool letter = is_letter(text_next(&segment));
	const int32_t c = text_next(&segment);

	return letter && (c == ':' || c == '|');
}

/* Every character of a uri from its path on; up to *path it is the path. */
static bool check_path(struct text text, struct uri *u)
{
	const bool file = strcmp(u->scheme, "file") == 0;
	bool up = false, ended = false, drive = false;
	size_t depth = 0;
	struct text segment = {.ptr = text.ptr};
	int32_t c;

	u->path = u->rest = text;
	u->path.len = 0;
	u->empty = SIZE_MAX;
	u->odd = u->parameters = false;
	do {
		const char *at = text.ptr;

		c = text_next(&text);
		if (c >= 0 && (c <= ' ' || c == 0x7F || c == '\\'))
			return false;
		if (!ended && c == '%') {
			struct text code = text;
			int32_t high = hex(text_next(&code));

			if (!is_coded_well(high, hex(text_next(&code))))
				return false;
		}
		u->odd |= !ended && is_odd(c);
		if (c >= 0x80 || (c >= 0 && !strchr("/;?#", c)))
			continue;
		segment.len = (size_t)(at - segment.ptr);
		segment.flags = text.flags;
		if (ended) {
			/* A reader of files knows no query. */
			if (!u->web && text_is(segment, "..", 2))
				return false;
			segment.ptr = text.ptr;
			continue;
		}
		if (c != ';' && text_is(segment, "..", 2)) {
			/* To a reader that knows no authority it leads out of
			 * that. */
			if (depth == 0 && !u->web)
				return false;
			depth -= depth > 0;
			up = true;
		} else if (c != ';' && segment.len > 0 &&
			   !text_is(segment, ".", 1)) {
			drive |= file && depth == 0 && is_drive(segment);
			depth++;
		}
		if (segment.len == 0 && segment.ptr != u->path.ptr &&
		    (c == '/' || c == ';') && depth < u->empty)
			u->empty = depth;
		/* Some servers drop what follows a semicolon. */
		u->parameters |= c == ';';
		if (c == ';' &&
		    (text_is(segment, "..", 2) || text_is(segment, ".", 1)))
			return false;
		if (c != ';')
			segment.ptr = text.ptr;
		ended = c != '/' && c != ';';
		u->path.len = (size_t)(at - u->path.ptr);
	} while (c >= 0);
	u->depth = depth;
	/* Some readers take what follows "file:////" for a host. */
	return ((u->empty == SIZE_MAX && !drive) || !up) &&
	       !(file && u->empty == 0);
}

bool uri_read(struct text text, struct uri *u)
{
	static const struct text root = {.ptr = "/", .len = 1};

	if (!read_scheme(&text, u) || text_next(&text) != '/' ||
	    text_next(&text) != '/')
		return false;
	find_default(u);
	if (!read_authority(&text, u) || !check_path(text, u))
		return false;
	if (u->path.len == 0)
		u->path = root;
	if (u->rest.len == 0)
		u->rest = root;
	return true;
}

/* The next one that readers of uris do not drop wherever it is. */
static int32_t next_kept(struct text *text)
{
	int32_t c;

	do
		c = text_next(text);
	while (c == '\t' || c == '\n' || c == '\r');
	return c;
}

bool uri_begins(struct text text, const char *scheme)
{
	char name[URI_SCHEME_BYTES];
	struct text begin = {.ptr = name};
	struct uri u;
	int32_t c;

	while (text.len > 0 && is_trimmed(peek(text)))
		text_next(&text);
	do {
		c = next_kept(&text);
		if (c < 0 || c >= 0x80 || begin.len == sizeof(name))
			return false;
		name[begin.len++] = (char)c;
	} while (c != ':');
	if (!read_scheme(&begin, &u))
		return false;
	find_default(&u);
	return scheme ? strcmp(u.scheme, scheme) == 0
		      : u.web || next_kept(&text) == '/';
}

enum outcome uri_under(const struct uri *u, const struct uri *dir, bool fold)
{
	enum outcome one, other;

	if (strcmp(u->scheme, dir->scheme) != 0 || u->port != dir->port ||
	    (fold ? strcasecmp(u->host, dir->host)
		  : strcmp(u->host, dir->host)) != 0)
		return OUTCOME_NO;
	one = path_under(u->path, dir->path.ptr, dir->path.len, fold);
	if (one == OUTCOME_YES && u->empty < dir->depth)
		return OUTCOME_INVALID;
	if (fold && one == OUTCOME_NO &&
	    (u->parameters || (u->odd && dir->odd)))
		return OUTCOME_INVALID;
	if (u->web || u->rest.len == u->path.len)
		return one;
	/* A reader of files knows no query. */
	other = path_under(u->rest, dir->path.ptr, dir->path.len, fold);
	return one == other ? one : OUTCOME_INVALID;
}
