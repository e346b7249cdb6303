/* What waits for a person.  The contract is in approvals.h. */
#include "approvals.h"

#include "../parser/member.h"
#include "../parser/scan_simd.h"
#include "../policies/host/host.h"
#include "system.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECRET_BYTES 32
#define IDS_BITS     ((size_t)1 << 19)
#define EXACT_DIGITS 15 /* of a number, that any double has */
#define PAGE_MOST    ((size_t)64 << 10)
#define LINE_ROOM    (APPROVALS_LINE + PAGE_MOST) /* for its end, too */
#define LINE_KEPT    PAGE_MOST                    /* more is given back */
#define LINES        (APPROVALS_SLOTS * LINE_ROOM)

/* What a person has said of a call that is not here. */
struct kept {
	unsigned char digest[SHA256_BYTES];
	int64_t until; /* 0: a free place */
	bool yes;
};

/* An approved call that the server may ask something about. */
struct passed {
	unsigned char digest[SHA256_BYTES];
	int64_t until; /* 0: a free place */
	bool open;     /* it did: the client's next call continues it */
	bool stated;   /* with this requestState: */
	unsigned char state[SHA256_BYTES];
	char id[MESSAGE_ID_BYTES + 2]; /* until then: of the call */
	size_t len;
};

struct approvals {
	struct approval slots[APPROVALS_SLOTS];
	struct kept kept[APPROVALS_KEPT];
	struct passed passed[APPROVALS_MAX];
	int64_t asked[APPROVALS_RATE]; /* when; the oldest is at the next one */
	uint64_t serial;
	const char *const *server;
	unsigned char secret[SECRET_BYTES];
	unsigned char ids[IDS_BITS / 8]; /* a Bloom filter of those used */
	char *lines;
};

struct approvals *approvals_open(const char *const *server)
{
	struct approvals *a = system_reserve(sizeof(*a));

	if (!a)
		return NULL;
	a->server = server;
	a->lines = system_reserve(LINES);
	if (!a->lines || !host_random(a->secret, SECRET_BYTES)) {
		approvals_close(a);
		return NULL;
	}
	for (size_t i = 0; i < APPROVALS_SLOTS; i++)
		a->slots[i].line = a->lines + i * LINE_ROOM;
	return a;
}

void approvals_close(struct approvals *a)
{
	if (!a)
		return;
	if (a->lines)
		munmap(a->lines, LINES);
	munmap(a, sizeof(*a));
}

struct approval *approvals_slot(struct approvals *a, size_t index)
{
	return &a->slots[index];
}

/* ---- digests and ids ------------------------------------------------- */

static void add_string(struct sha256 *h, const char *s)
{
	sha256_field(h, s, strlen(s));
}

bool approvals_digest(const struct approvals *a, const struct policy *policy,
		      const struct message *m, const struct ask *ask,
		      unsigned char digest[SHA256_BYTES])
{
	struct sha256 h;

	sha256_begin(&h);
	sha256_field(&h, a->secret, SECRET_BYTES);
	for (const char *const *word = a->server; word && *word; word++)
		add_string(&h, *word);
	sha256_field(&h, policy_digest(policy), POLICY_DIGEST_BYTES);
	/* Their number: else a method could be taken for one of them. */
	sha256_field(&h, &ask->count, sizeof(ask->count));
	for (size_t i = 0; i < ask->count && i < POLICY_ASKS_MAX; i++)
		add_string(&h, ask->rules[i].rule);
	sha256_field(&h, m->method_text.ptr, m->method_text.len);
	if (!elicit_digest(m->params, APPROVALS_LINE, &h))
		return false;
	sha256_end(&h, digest);
	return true;
}

static bool is_digest(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, SHA256_BYTES) == 0;
}

/* 16 hexadecimal digits that only who knows the secret finds for this. */
static void put_mark(const struct approvals *a, const void *of, size_t len,
		     char *digits)
{
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX];
	struct sha256 h;

	sha256_begin(&h);
	sha256_field(&h, a->secret, SECRET_BYTES);
	sha256_field(&h, of, len);
	sha256_end(&h, digest);
	sha256_hex(digest, hex);
	memcpy(digits, hex, 16);
}

/* The second half of an id proves the first: so late answers are known without
 * a list of all ids. */
static void put_question(const struct approvals *a, struct approval *of)
{
	memcpy(of->question, "weir-", 5);
	put_mark(a, &of->serial, sizeof(of->serial), of->question + 5);
	put_mark(a, of->question, 21, of->question + 21);
	of->question[APPROVALS_ID] = '\0';
}

bool approvals_issued(const struct approvals *a, struct span id)
{
	char text[APPROVALS_ID], mark[16];
	ptrdiff_t len;

	if (!id.ptr || *id.ptr != '"')
		return false;
	len = text_decode((struct text){id.ptr + 1, id.len - 2, TEXT_ESCAPED},
			  text, sizeof(text));
	if (len != APPROVALS_ID || memcmp(text, "weir-", 5) != 0)
		return false;
	put_mark(a, text, 21, mark);
	return memcmp(mark, text + 21, sizeof(mark)) == 0;
}

/* ---- slots ----------------------------------------------------------- */

void approvals_release(struct approval *of)
{
	char *line = of->line;

	if (of->len > LINE_KEPT)
		system_release(line, LINE_ROOM);
	memset(of, 0, sizeof(*of));
	of->line = line;
}

struct approval *approvals_take(struct approvals *a, int64_t now,
				const char **why)
{
	const int64_t oldest = a->asked[a->serial % APPROVALS_RATE];
	struct approval *free = NULL;
	size_t waiting = 0;

	for (size_t i = 0; i < APPROVALS_SLOTS; i++) {
		struct approval *of = &a->slots[i];
		const bool there = of->state != APPROVAL_FREE;

		if (there && of->state != APPROVAL_EXPIRED)
			waiting++;
		else if (!free || (free->state != APPROVAL_FREE &&
				   (!there || of->until < free->until)))
			free = of;
	}
	*why = "a person must approve this, and too many calls wait for one";
	if (waiting >= APPROVALS_MAX)
		return NULL;
	*why = "a person must approve this, and was asked too often in the last minute";
	if (oldest > 0 && now - oldest < 60 * SECOND)
		return NULL;
	approvals_release(free);
	return free;
}

void approvals_ask(struct approvals *a, struct approval *of, int64_t now,
		   bool client)
{
	a->asked[a->serial % APPROVALS_RATE] = now;
	of->serial = ++a->serial;
	of->since = now;
	if (client)
		put_question(a, of);
}

struct approval *approvals_find(struct approvals *a, enum approval_state state,
				const unsigned char *digest)
{
	for (size_t i = 0; a->serial > 0 && i < APPROVALS_SLOTS; i++)
		if (a->slots[i].state == state &&
		    (!digest || is_digest(a->slots[i].digest, digest)))
			return &a->slots[i];
	return NULL;
}

struct approval *approvals_call(struct approvals *a, struct span id)
{
	for (size_t i = 0; a->serial > 0 && i < APPROVALS_SLOTS; i++)
		if ((a->slots[i].state == APPROVAL_HELD ||
		     (a->slots[i].state == APPROVAL_DECIDED &&
		      a->slots[i].waits) ||
		     a->slots[i].state == APPROVAL_PASSING) &&
		    elicit_same_id(a->slots[i].m.id, id))
			return &a->slots[i];
	return NULL;
}

struct approval *approvals_asked(struct approvals *a, struct span id)
{
	const struct text text = {id.ptr + 1, id.len - 2, TEXT_ESCAPED};

	for (size_t i = 0; i < APPROVALS_SLOTS; i++)
		if (a->slots[i].state == APPROVAL_HELD &&
		    a->slots[i].question[0] &&
		    text_is(text, a->slots[i].question, APPROVALS_ID))
			return &a->slots[i];
	return NULL;
}

bool approvals_answer(struct approval *of, bool yes, enum approval_way way,
		      const char *who)
{
	if (of->state != APPROVAL_HELD && of->state != APPROVAL_REPEAT &&
	    of->state != APPROVAL_EXPIRED)
		return false;
	of->waits = of->state == APPROVAL_HELD;
	of->state = APPROVAL_DECIDED;
	of->yes = yes;
	of->way = way;
	if (who && strlen(who) < sizeof(of->who))
		memcpy(of->who, who, strlen(who) + 1);
	return true;
}

void approvals_cancel(struct approval *of)
{
	of->state = APPROVAL_HELD;
	approvals_answer(of, false, APPROVAL_CANCELLED, NULL);
}

void approvals_end(struct approvals *a, enum approval_way way, bool said)
{
	for (size_t i = 0; i < APPROVALS_SLOTS; i++) {
		struct approval *of = &a->slots[i];

		/* What was said has not been done yet. */
		if (said &&
		    (of->state == APPROVAL_PASSING ||
		     (of->state == APPROVAL_DECIDED && of->yes && of->waits)))
			of->state = APPROVAL_HELD;
		if (of->state == APPROVAL_HELD)
			approvals_answer(of, false, way, NULL);
		else if (of->state < APPROVAL_DECIDED)
			approvals_release(of);
	}
}

/* ---- what was said --------------------------------------------------- */

static struct kept *find_kept(struct approvals *a, const unsigned char *digest)
{
	for (size_t i = 0; i < APPROVALS_KEPT; i++)
		if (a->kept[i].until > 0 &&
		    is_digest(a->kept[i].digest, digest))
			return &a->kept[i];
	return NULL;
}

void approvals_keep(struct approvals *a, const unsigned char *digest, bool yes,
		    int64_t until)
{
	struct kept *found = find_kept(a, digest);
	struct kept *k = found ? found : a->kept;

	/* The one that is free, or ends first. */
	for (size_t i = 0; !found && i < APPROVALS_KEPT; i++)
		if (a->kept[i].until < k->until)
			k = &a->kept[i];
	memmove(k->digest, digest, SHA256_BYTES);
	k->until = until;
	k->yes = yes;
}

int64_t approvals_kept(struct approvals *a, const unsigned char *digest,
		       bool *yes)
{
	struct kept *k = find_kept(a, digest);
	const int64_t until = k ? k->until : 0;

	if (k) {
		*yes = k->yes;
		k->until = k->yes ? 0 : until;
	}
	return until;
}

/* ---- continuations --------------------------------------------------- */

/* A requestState as readers see it. */
static void hash_state(struct text state, unsigned char digest[SHA256_BYTES])
{
	struct sha256 h;
	int32_t c;

	sha256_begin(&h);
	while ((c = text_next(&state)) >= 0)
		sha256_add(&h, &c, sizeof(c));
	sha256_end(&h, digest);
}

static struct passed *find_passed(struct approvals *a, struct span id)
{
	for (size_t i = 0; a->serial > 0 && i < APPROVALS_MAX; i++)
		if (a->passed[i].until > 0 && !a->passed[i].open &&
		    elicit_same_id(
			    (struct span){a->passed[i].id, a->passed[i].len},
			    id))
			return &a->passed[i];
	return NULL;
}

/* One id for two calls: the answer to the one would count for the other.  Some
 * servers read, and answer, -0 as 0, and what has more digits than a double as
 * another number. */
bool approvals_uses(struct approvals *a, struct span id)
{
	const size_t minus = id.len == 2 && memcmp(id.ptr, "-0", 2) == 0;
	struct text text = {id.ptr + minus, id.len - minus, TEXT_ESCAPED};
	uint64_t hash = 14695981039346656037u; /* FNV-1a, over code points */
	struct passed *p = find_passed(a, (struct span){text.ptr, text.len});
	bool first = false;
	int32_t c;

	if (p)
		p->until = 0;
	while ((c = text_next(&text)) >= 0)
		hash = (hash ^ (uint64_t)c) * 1099511628211u;
	for (int i = 0; i < 4; i++, hash = hash >> 16 | hash << 48) {
		unsigned char *at = &a->ids[hash % IDS_BITS / 8];
		const unsigned char bit = (unsigned char)(1 << hash % 8);

		first |= !(*at & bit);
		*at |= bit;
	}
	return first && (*id.ptr == '"' || id.len <= EXACT_DIGITS);
}

void approvals_passed(struct approvals *a, const unsigned char *digest,
		      struct span id, int64_t now)
{
	struct passed *p = a->passed;

	/* The one that is free, or is the oldest. */
	for (size_t i = 1; i < APPROVALS_MAX; i++)
		if (a->passed[i].until < p->until)
			p = &a->passed[i];
	memset(p, 0, sizeof(*p));
	memcpy(p->digest, digest, SHA256_BYTES);
	memcpy(p->id, id.ptr, id.len);
	p->len = id.len;
	p->until = now + APPROVALS_KEEP;
}

bool approvals_await(const struct approvals *a)
{
	for (size_t i = 0; a->serial > 0 && i < APPROVALS_MAX; i++)
		if (a->passed[i].until > 0 && !a->passed[i].open)
			return true;
	return false;
}

void approvals_replied(struct approvals *a, struct span id, struct span result)
{
	struct passed *p = find_passed(a, id);
	struct text state;
	bool required;

	if (!p)
		return;
	p->open = elicit_required(result, &required, &state) && required;
	p->stated = p->open && state.ptr;
	if (p->stated)
		hash_state(state, p->state);
	if (!p->open)
		p->until = 0;
}

bool approvals_continues(struct approvals *a, const unsigned char *digest,
			 const struct elicit_call *call)
{
	unsigned char state[SHA256_BYTES];

	if (!call->answers && !call->state.ptr)
		return false;
	if (call->state.ptr)
		hash_state(call->state, state);
	for (size_t i = 0; i < APPROVALS_MAX; i++) {
		struct passed *p = &a->passed[i];

		if (p->until == 0 || !p->open ||
		    !is_digest(p->digest, digest) ||
		    p->stated != (call->state.ptr != NULL) ||
		    (p->stated && !is_digest(p->state, state)))
			continue;
		p->until = 0;
		return true;
	}
	return false;
}

/* ---- time ------------------------------------------------------------ */

static void sooner(int64_t *due, int64_t than)
{
	if (than > 0 && (*due < 0 || than < *due))
		*due = than;
}

int64_t approvals_due(const struct approvals *a)
{
	int64_t due = -1;

	/* Most sessions never ask. */
	if (a->serial == 0)
		return due;
	for (size_t i = 0; i < APPROVALS_SLOTS; i++) {
		const struct approval *of = &a->slots[i];

		if (of->state == APPROVAL_FREE || of->state > APPROVAL_EXPIRED)
			continue;
		sooner(&due, of->until);
		if (of->state == APPROVAL_HELD)
			sooner(&due, of->progress);
	}
	for (size_t i = 0; i < APPROVALS_KEPT; i++)
		sooner(&due, a->kept[i].until);
	for (size_t i = 0; i < APPROVALS_MAX; i++)
		sooner(&due, a->passed[i].until);
	return due;
}

void approvals_tick(struct approvals *a, int64_t now)
{
	for (size_t i = 0; i < APPROVALS_SLOTS; i++) {
		struct approval *of = &a->slots[i];

		if (of->state == APPROVAL_FREE ||
		    of->state > APPROVAL_EXPIRED || now < of->until)
			continue;
		if (of->state == APPROVAL_EXPIRED)
			approvals_release(of);
		else
			approvals_answer(of, false, APPROVAL_TIMEOUT, NULL);
	}
	for (size_t i = 0; i < APPROVALS_KEPT; i++)
		if (a->kept[i].until <= now)
			a->kept[i].until = 0;
	for (size_t i = 0; i < APPROVALS_MAX; i++)
		if (a->passed[i].until <= now)
			a->passed[i].until = 0;
}

/* ---- what is shown --------------------------------------------------- */

/* Does it show nothing (Unicode's Default_Ignorable_Code_Point)?  Text can be
 * hidden from a person in such. */
static bool is_unseen(int32_t c)
{
	static const int32_t ranges[][2] = {
		{0xAD, 0xAD},       {0x34F, 0x34F},     {0x115F, 0x1160},
		{0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200D},
		{0x2060, 0x206F},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},
		{0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
		{0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
	};
	size_t i = 0;

	while (i < sizeof(ranges) / sizeof(*ranges) && c > ranges[i][1])
		i++;
	return i < sizeof(ranges) / sizeof(*ranges) && c >= ranges[i][0];
}

static void put_unit(struct strbuf *out, int32_t c)
{
	static const char hex[] = "0123456789abcdef";
	const char escape[] = {'\\',
			       'u',
			       hex[c >> 12 & 15],
			       hex[c >> 8 & 15],
			       hex[c >> 4 & 15],
			       hex[c & 15]};

	strbuf_bytes(out, escape, sizeof(escape));
}

/* Appends at most this many characters; what a terminal obeys, or shows nothing
 * of, becomes \uXXXX.  Returns how many bytes were taken, and subtracts the
 * characters. */
static size_t put_shown(struct strbuf *out, const char *s, size_t len,
			size_t *most)
{
	size_t at = 0;

	while (at < len && !out->full) {
		const char *p = s + at;
		const char *next = (signed char)*p < 0
					   ? scan_character(p, s + len)
					   : p + 1;
		/* The server's words may be no UTF-8. */
		struct text one = {.ptr = next ? p : "?",
				   .len = next ? (size_t)(next - p) : 1};
		const struct text as_is = one;
		const int32_t c = text_next(&one);
		unsigned code;
		const bool plain =
			strbuf_obeyed(as_is.ptr, as_is.len, &code) == 0 &&
			!is_unseen(c);
		const size_t wide = plain ? 1 : c < 0x10000 ? 6 : 12;

		if (*most < wide)
			break;
		if (plain) {
			strbuf_bytes(out, as_is.ptr, as_is.len);
		} else if (c < 0x10000) {
			put_unit(out, c);
		} else {
			put_unit(out, 0xD7C0 + (c >> 10));
			put_unit(out, 0xDC00 | (c & 0x3FF));
		}
		*most -= wide;
		at += as_is.len;
	}
	return at;
}

/* The same, of text that has to be there whole. */
static bool put_all(struct strbuf *out, const char *s, size_t len, size_t *most)
{
	return put_shown(out, s, len, most) == len;
}

static bool put_words(struct strbuf *out, const char *s, size_t *most)
{
	const char *lf;

	/* Its own line ends are no text of others'. */
	while ((lf = strchr(s, '\n'))) {
		if (!put_all(out, s, (size_t)(lf - s), most) || *most == 0)
			return false;
		strbuf_bytes(out, "\n", 1);
		--*most;
		s = lf + 1;
	}
	return put_all(out, s, strlen(s), most);
}

/* A line for each member of params that is not shown yet: it goes to the server
 * with the others. */
static bool put_others(struct strbuf *out, const struct approval *of,
		       size_t *most)
{
	bool whole = true;
	struct span value;
	struct items i;
	struct text key;

	member_begin(&i, of->m.params, '{');
	while (whole && member_next(&i, &key, &value))
		if (value.ptr != of->arguments.ptr &&
		    value.ptr + 1 != of->name.ptr && !elicit_changes(key))
			whole = put_words(out, "Also in the request: ", most) &&
				put_all(out, key.ptr, key.len, most) &&
				put_words(out, ": ", most) &&
				put_all(out, value.ptr, value.len, most) &&
				put_words(out, "\n", most);
	return whole;
}

bool approval_text(const struct approvals *a, const struct approval *of,
		   struct strbuf *out, size_t most)
{
	const struct text method = of->m.method_text;
	const bool tool = of->m.method == METHOD_TOOLS_CALL;
	size_t server = 300;
	bool whole = put_words(
		out, "weir asks: may this go to the server?\nServer:", &most);

	for (const char *const *w = a->server; w && *w && server > 0; w++) {
		size_t before = server;

		strbuf_bytes(out, " ", 1);
		put_shown(out, *w, strlen(*w), &server);
		most -= before - server + 1 < most ? before - server + 1 : most;
	}
	whole = whole &&
		put_words(out, tool ? "\nTool: " : "\nMethod: ", &most);
	if (!tool && of->name.ptr != method.ptr)
		whole = whole && put_all(out, method.ptr, method.len, &most) &&
			put_words(out, "\nName: ", &most);
	whole = whole && put_all(out, of->name.ptr, of->name.len, &most) &&
		put_words(out, "\nRules:\n", &most) &&
		put_words(out, of->rules, &most) &&
		(!of->cut || put_words(out, "  ...\n", &most));
	if (of->arguments.ptr)
		whole = whole && put_words(out, "Arguments: ", &most) &&
			put_all(out, of->arguments.ptr, of->arguments.len,
				&most) &&
			put_words(out, "\n", &most);
	if (of->arguments.ptr != of->m.params.ptr)
		whole = whole && put_others(out, of, &most);
	return whole && !of->cut && !out->full;
}
