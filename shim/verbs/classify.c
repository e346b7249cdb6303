/*
 * The class of a tool.  The contract is in classify.h.
 *
 * 1. Name, title and description are split into words.  Of a description only
 *    the first sentence counts, with a second that begins with "also" or
 *    "then", but for words[] marked "anywhere".  "read-only" is no verb.
 * 2. The head of a text is its first word that is a verb of verbs[].  A name
 *    has verbs as they stand there ("list_updates" lists); a description also
 *    has "deletes" and "deleting".
 * 3. A text is of the class of its head.  Behind "and", "or", "then", or a
 *    comma in a description, another verb counts, too; in a name whose head
 *    does more than read, so does every verb; where it reads, one that
 *    destroys does, if no description decides.
 * 4. A name and a description: the stricter of both.  Where the verb of a name
 *    may well be a noun ("run_status"), the description alone, if it has one.
 * 5. What changes something and names money is Financial.
 * 6. No verb at all: Destructive, unless a name ends with a noun of what can
 *    only be read ("job_status").
 */
#include "classify.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char class_names[CLASSES][12] = {"Read", "Write", "Execute",
				       "Destructive", "Financial"};

/* ---- tables ---------------------------------------------------------- */

enum kind {
	VERB,   /* always one */
	EITHER, /* may be a noun, too */
	STATE,  /* Execute if it is about something that runs, else Write */
	QUERY,  /* Execute if it is about code or a database, else Read */
	TAKE,   /* Read if it is about a picture, else Write */
	CANCEL, /* what is lost decides */
	RUN,    /* a description of what only searches may say "run a search" */
	ANY,    /* may do anything; so may a description of what only writes */
};

/* a_b is the word a followed by b. */
static const struct verbs {
	enum kind kind;
	enum tool_class class;
	const char *words;
} verbs[] = {
	{VERB, CLASS_READ,
	 " get list read find fetch describe show explain inspect retrieve "
	 "return look_up browse summarize summarise analyze analyse compare "
	 "validate lint parse extract detect identify whoami gather collect "
	 "enumerate discover examine introspect suggest recommend estimate "
	 "calculate compute dry_run dryrun preview decompile disassemble tail "
	 "grep ls stat obtain determine access check is has count poll learn "
	 "explore observe see recall tell decode hash classify "
	 "echo ping cat whois traceroute display brainstorm dig peek "
	 "diagnose lookup highlight outline measure "},
	{EITHER, CLASS_READ,
	 " listen quote search view diff audit monitor watch profile filter sort forecast "
	 "benchmark review rank match trace reference "},
	{QUERY, CLASS_READ, " query aggregate "},
	{TAKE, CLASS_WRITE, " take capture grab make "},
	{VERB, CLASS_WRITE,
	 " create add update set edit write insert put upsert save store append "
	 "assign unassign move rename copy clone duplicate import send publish "
	 "enable disable tag attach detach connect disconnect merge reopen "
	 "archive unarchive restore undelete pin unpin follow unfollow "
	 "subscribe unsubscribe invite join leave accept decline approve reject "
	 "register login logout log_in log_out sign_in sign_up configure mute "
	 "unmute lock unlock unshare sync synchronize fill click hover drag press "
	 "scroll upload react vote rate change modify adjust replace rewrite "
	 "reorder transition escalate acknowledge resolve snooze unsnooze book "
	 "generate init initialize initialise confirm complete grant "
	 "emulate simulate resize convert export download mutate fix reply "
	 "respond notify mark unmark unstar unblock unban increment decrement "
	 "extend renew rotate compose enter turn_on turn_off set_up back_up "
	 "check_in check_out stage unstage unset activate deactivate suspend "
	 "dismiss undo redo translate transcribe encode encrypt decrypt sign "
	 "compress decompress zip unzip combine ungroup verify upgrade downgrade "
	 "promote demote enrich persist remember ingest reindex onboard "
	 "provision customize optimize continue swipe tap uncheck nominate "
	 "submit rearrange prepend reschedule define normalize print finalize broadcast ensure touch hide unhide skip silence embed stash pick refine prioritize triage upvote downvote repost symlink chmod chown ack deny "
	 "crop blur mention populate declare instantiate "},
	{EITHER, CLASS_WRITE,
	 " post comment note log record message email mail share bookmark like "
	 "schedule plan link file design branch checkout model map document "
	 "annotate label star patch block type input format split group index "
	 "draft commit push pull reserve backup setup draw plot chart flag "
	 "report star toggle answer heart forward place track tweet claim produce include "},
	{STATE, CLASS_WRITE,
	 " open close new select switch focus pause resume refresh "},
	{VERB, CLASS_EXECUTE,
	 " start stop restart reboot trigger invoke deploy redeploy launch eval "
	 "evaluate navigate goto go_to wait retry rerun replay build compile "
	 "install spawn fork reload migrate train fit predict scrape crawl "
	 "dispatch transform apply rebase cherry_pick boot shell exec ssh ask "
	 "load solve sample emit fire initiate begin orchestrate delegate inject "
	 "enqueue scale failover throttle render debug control hibernate wake "
	 "impersonate bypass sudo isolate step_over step_into "
	 "go_back go_forward port_forward spin_up mount vacuum hang_up speak interpret "},
	{EITHER, CLASS_EXECUTE,
	 " call test scan play stream request curl consume say work research probe bash command dial "},
	{RUN, CLASS_EXECUTE, " run execute perform process conduct "},
	{VERB, CLASS_DESTRUCTIVE,
	 " delete remove drop destroy erase purge wipe truncate clear reset "
	 "revoke uninstall kill terminate prune clean cleanup clean_up flush "
	 "expire evict discard nuke trash empty rollback roll_back revert "
	 "shutdown shut_down teardown tear_down take_down get_rid unregister "
	 "deregister unpublish decommission rm rmdir del unlink ban kick expel "
	 "power_off deprovision invalidate obliterate eradicate zap scrub "
	 "sanitize deallocate forget eliminate undeploy strip redact quarantine "
	 "unmount shred sweep dequeue crash "},
	{EITHER, CLASS_DESTRUCTIVE, " release overwrite void drain burn pop "},
	{ANY, CLASS_DESTRUCTIVE, " manage administer handle maintain operate "},
	{CANCEL, CLASS_DESTRUCTIVE, " cancel abort "},
	{VERB, CLASS_FINANCIAL,
	 " pay refund buy sell withdraw deposit donate reimburse payout pay_out "
	 "cash_out top_up remit redeem repay liquidate stake unstake bid mint "
	 "purchase "},
	{EITHER, CLASS_FINANCIAL,
	 " charge transfer invoice bill trade order settle fund tip swap wire "},
};

enum set {
	READABLE,
	PICTURES,
	SEARCHES,
	CODE,
	RUNNING,
	LOSSES,
	MONEY,
	MONEY_NAMES,
	OPENERS,
	CLAUSES,
	LASTING,
	LOST,
	ACTIVE,
	WAITING
};

/* Nouns, and what else is looked for. */
static const char *const words[] = {
	/* A name that ends so, and has no verb, only tells. */
	[READABLE] =
		" status state info information details detail stats statistics "
		"schema schemas version history health count summary metadata "
		"metrics list logs results result config settings usage "
		"overview tree preview diff capabilities help docs "
		"documentation report reports snapshot screenshot "
		"screenshots keys values indexes size ",
	[PICTURES] = " screenshot screenshots snapshot snapshots picture "
		     "visuals ",
	/* What running them only reads, unless they are code. */
	[SEARCHES] = " search searches lookup lookups ",
	[CODE] = " sql cypher code script scripts javascript command commands "
		 "shell bash python program statement statements database "
		 "databases expression procedure ddl dml nosql ",
	[RUNNING] = " page pages tab tabs browser window session sessions job "
		    "run process container instance server vm machine pod "
		    "service pipeline workflow deployment app application "
		    "stream recording trace cluster database task agent ",
	[LOSSES] = " deletion removal purging wiping termination destruction "
		   "eviction revocation truncation cleanup deleted removed ",
	[MONEY] = " payment payments invoice invoices refund refunds payout "
		  "payouts billing transaction "
		  "transactions chargeback dispute disputes wallet payroll "
		  "donation donations purchase money funds ",
	/* Which in sentences mean other things. */
	[MONEY_NAMES] =
		" subscription subscriptions order orders charge charges trade trades checkout "
		"position balance price prices ",
	/* Before the verb of a sentence; so may be "quickly". */
	[OPENERS] =
		" this that tool tools function method endpoint command api "
		"a an the is it use used to for lets let allows allow you "
		"user users can will helper helps and batch bulk which we "
		"service utility action operation please ",
	/* Reading about what a verb behind them would do. */
	[CLAUSES] = " dry dry_run dryrun preview check is has describe explain "
		    "estimate suggest recommend determine validate explore ",
	/* Anywhere in a description: what is changed is lost. */
	[LASTING] = " irreversible irreversibly irrevocable irrevocably "
		    "permanently undone unrecoverable unrecoverably ",
	/* What cancelling something means, anywhere in a description. */
	[LOST] = " cannot delete deletes remove removes discard discards lost "
		 "irreversible permanently ",
	[ACTIVE] = " running active executing ongoing current progress ",
	[WAITING] = " pending queued scheduled waiting upcoming planned ",
};

/* ---- words ----------------------------------------------------------- */

#define WORDS_MAX 512
#define WORD_MAX  32

struct text {
	const char *what; /* "name" */
	bool sentence;    /* else a name */
	size_t count;
	size_t first; /* words of the first sentence */
	struct word {
		char text[WORD_MAX];
		bool joined; /* another verb may stand here */
	} words[WORDS_MAX];
};

static bool has(const char *table, const char *word)
{
	char wanted[2 * WORD_MAX + 4];
	int len = snprintf(wanted, sizeof(wanted), " %s ", word);

	return len > 2 && strstr(table, wanted);
}

/* Does a word begin at p, which does not begin the text? */
static bool is_hump(const char *p)
{
	return isupper((unsigned char)*p) && (islower((unsigned char)p[-1]) ||
					      isdigit((unsigned char)p[-1]) ||
					      (isupper((unsigned char)p[-1]) &&
					       islower((unsigned char)p[1])));
}

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || (signed char)c < 0;
}

/* Behind these a verb is one more thing that is done. */
static bool joins(const char *word)
{
	return has(" and or then also optionally automatically permanently "
		   "immediately ",
		   word);
}

static void split(struct text *t, const char *what, const char *s,
		  bool sentence)
{
	bool joined = false, ended = false, before;

	t->what = what;
	t->sentence = sentence;
	t->count = t->first = 0;
	while (s && *s && t->count < WORDS_MAX) {
		struct word *w = &t->words[t->count];
		size_t len = 0;

		if (!is_letter(*s)) {
			joined |= sentence && strchr(",;:/&(", *s);
			ended |= t->count > 0 &&
				 ((strchr(".!?", *s) &&
				   (!s[1] || isspace((unsigned char)s[1]))) ||
				  (*s == '\n' && s[1] == '\n'));
			s++;
			continue;
		}
		do {
			if (len < WORD_MAX - 1)
				w->text[len++] =
					(char)tolower((unsigned char)*s);
			s++;
		} while (is_letter(*s) && (sentence || !is_hump(s)));
		w->text[len] = '\0';
		/* "Also deletes them." goes on. */
		ended &= t->count > t->first || !has(" also then ", w->text);
		if (!ended)
			t->first = t->count + 1;
		/* "and it deletes" */
		before = joined && strcmp(w->text, "it") == 0;
		w->joined = joined;
		joined = before || joins(w->text);
		t->count++;
	}
}

static const struct verbs *find_exactly(const char *word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (has(verbs[i].words, word))
			return &verbs[i];
	return NULL;
}

enum form { PLAIN, THIRD, GERUND };

/* The verb that a word is: as it stands, or one of "deletes", "copies",
 * "deleting", "running". */
static const struct verbs *find_form(const char *word, enum form *form)
{
	static const struct {
		char end[4], instead[2];
		enum form form;
	} ends[] = {
		{"", "", PLAIN},     {"s", "", THIRD},    {"es", "", THIRD},
		{"ies", "y", THIRD}, {"ing", "", GERUND}, {"ing", "e", GERUND},
	};
	size_t len = strlen(word);
	const struct verbs *found;
	char base[WORD_MAX + 2];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t cut = strlen(ends[i].end);

		if (len < cut + 2 || strcmp(word + len - cut, ends[i].end) != 0)
			continue;
		*form = ends[i].form;
		snprintf(base, sizeof(base), "%.*s%s", (int)(len - cut), word,
			 ends[i].instead);
		found = find_exactly(base);
		/* "running" */
		if (!found && *form == GERUND && !*ends[i].instead &&
		    len > cut + 2 &&
		    word[len - cut - 1] == word[len - cut - 2]) {
			base[len - cut - 1] = '\0';
			found = find_exactly(base);
		}
		if (found)
			return found;
	}
	return NULL;
}

/* The verb at a word, which with the next may be one. */
static const struct verbs *verb_at(const struct text *t, size_t i,
				   enum form *form)
{
	const char *word = t->words[i].text;
	char both[2 * WORD_MAX];
	const struct verbs *found = NULL;

	*form = PLAIN;
	if (i + 1 < t->first) {
		snprintf(both, sizeof(both), "%s_%s", word,
			 t->words[i + 1].text);
		found = find_exactly(both);
	}
	if (found)
		return found;
	return t->sentence ? find_form(word, form) : find_exactly(word);
}

static const char *find_any(const struct text *t, size_t count, enum set set)
{
	for (size_t i = 0; i < count; i++)
		if (has(words[set], t->words[i].text))
			return t->words[i].text;
	return NULL;
}

/* ---- classes --------------------------------------------------------- */

/* A tool, and what was found out. */
struct tool {
	struct text name, title, description;
};

/* What one text says. */
struct said {
	bool known;
	bool certain;   /* its head is a verb, and where one would be */
	enum kind kind; /* of its head */
	enum tool_class class;
	const char *word;
};

static bool about(const struct tool *t, enum set set)
{
	return find_any(&t->name, t->name.count, set) ||
	       find_any(&t->title, t->title.first, set) ||
	       find_any(&t->description, t->description.first, set);
}

/* Is a search in the first part of the sentence? */
static bool searches(const struct text *t)
{
	size_t part = 1;

	while (part < t->first && !t->words[part].joined)
		part++;
	return find_any(t, part, SEARCHES);
}

/* in: the text that has the verb. */
static enum tool_class class_of(const struct tool *t, const struct text *in,
				const struct verbs *v)
{
	const struct text *d = &t->description;

	switch (v->kind) {
	case RUN:
		return in->sentence && searches(in) && !about(t, CODE)
			       ? CLASS_READ
			       : v->class;
	case STATE:
		return about(t, RUNNING) ? CLASS_EXECUTE : CLASS_WRITE;
	case QUERY:
		return about(t, CODE) ? CLASS_EXECUTE : CLASS_READ;
	case TAKE:
		return about(t, PICTURES) ? CLASS_READ : CLASS_WRITE;
	case CANCEL:
		return find_any(d, d->count, LOST)      ? CLASS_DESTRUCTIVE
		       : find_any(d, d->count, ACTIVE)  ? CLASS_EXECUTE
		       : find_any(d, d->count, WAITING) ? CLASS_WRITE
							: CLASS_DESTRUCTIVE;
	default:
		return v->class;
	}
}

static void raise_to(struct said *s, enum tool_class class, const char *word)
{
	if (s->known && class <= s->class)
		return;
	s->known = true;
	s->class = class;
	s->word = word;
}

static bool may_be_noun(const struct verbs *v)
{
	return v->kind == EITHER || v->kind == RUN || v->kind == QUERY;
}

/* Is the head of a name a verb for sure?  "run_status" tells of a run. */
static bool is_verb(const struct text *t, size_t i, const struct verbs *head)
{
	const struct verbs *v = find_exactly(t->words[t->count - 1].text);

	if (!may_be_noun(head) || (head->kind == RUN && i == t->count - 1))
		return true;
	return i == 0 && !has(words[READABLE], t->words[t->count - 1].text) &&
	       (t->count == 1 || !v || v->kind != VERB ||
		v->class != CLASS_READ);
}

/* Does a verb behind the head say what is done, too? */
static bool is_done_too(const struct text *t, size_t i, const struct verbs *v,
			enum form form, const struct verbs *head,
			enum form first, bool reads)
{
	const struct word *w = &t->words[i];

	/* "make an outbound call" */
	if (head->kind == TAKE && v->kind == EITHER && form == PLAIN)
		return true;
	if (!t->sentence)
		return w->joined || (!may_be_noun(v) && !reads) ||
		       (may_be_noun(head) &&
			(!may_be_noun(v) ||
			 (v->kind == RUN && i == t->count - 1)));
	if (w->joined && form == THIRD && i + 1 < t->first &&
	    has(" it them ", w[1].text))
		return true;
	/* "and updates it", not "runs, updates and comments" */
	if (form == THIRD &&
	    (i + 1 == t->first || w[1].joined || joins(w[1].text)))
		return false;
	return w->joined && v->kind != EITHER &&
	       (form == first || (form == GERUND && v->kind == VERB));
}

/* Is a word before the verb of a sentence no verb? */
static bool opens(const char *word)
{
	const size_t len = strlen(word);

	return has(words[OPENERS], word) ||
	       (len > 4 && strcmp(word + len - 2, "ly") == 0);
}

/* Is what might be the verb of a sentence none, as in "the file", or in "shred
 * a file" where shred is not known?  begun: such a word came before. */
static bool is_object(const struct text *t, size_t i, const struct verbs *v,
		      enum form form, bool begun)
{
	static const char before[][52] = {
		[PLAIN] = " to will can and or you ",
		[THIRD] = " tool function that which it endpoint api method ",
		[GERUND] = " for by of and ",
	};
	const char *last = i > 0 ? t->words[i - 1].text : "";

	if (!t->sentence || i == 0)
		return false;
	if (strcmp(t->words[i].text, "is") == 0)
		return true;
	return begun ? !has(before[form], last)
		     : v->kind == EITHER && has(" a an the this is ", last);
}

/* Is a verb of a name one that a noun or an adjective stands before, as in
 * "access_revoke", "list_delete_item"?  Or is it a noun, as in "list_trash"? */
static bool may_be_done(const struct text *t, const struct verbs *v,
			const char *head)
{
	return !t->sentence && v->kind == VERB &&
	       v->class == CLASS_DESTRUCTIVE && !has(words[CLAUSES], head) &&
	       !has(words[READABLE], t->words[t->count - 1].text);
}

/* "read-only" says nothing of what is done. */
static bool is_read_only(const struct text *t, size_t i)
{
	return i + 1 < t->count && strcmp(t->words[i].text, "read") == 0 &&
	       strcmp(t->words[i + 1].text, "only") == 0;
}

static struct said ask(const struct tool *tool, const struct text *t)
{
	struct said s = {.class = CLASS_READ};
	bool only = false;
	size_t at = 0;
	const struct verbs *head = NULL, *v;
	enum form first = PLAIN, form;
	const char *word = "", *noun;
	bool begun = false; /* with a word that is not known */

	for (size_t i = 0; i < t->first; i++) {
		word = t->words[i].text;
		v = verb_at(t, i, &form);
		if (is_read_only(t, i)) {
			only = true;
			i++;
		} else if (!head && (!v || is_object(t, i, v, form, begun))) {
			begun |= !opens(word);
		} else if (!head) {
			head = v;
			at = i;
			first = form;
			s.kind = v->kind;
			s.certain = t->sentence ? !begun : is_verb(t, i, v);
			raise_to(&s, class_of(tool, t, v), word);
		} else if (v && is_done_too(t, i, v, form, head, first,
					    s.class == CLASS_READ)) {
			s.certain |= class_of(tool, t, v) > s.class;
			raise_to(&s, class_of(tool, t, v), word);
		} else if (v && s.class == CLASS_READ &&
			   may_be_done(t, v, t->words[at].text)) {
			s.certain = false;
			raise_to(&s, v->class, word);
		}
	}
	if (!head && only && (!t->sentence || t->first > 2))
		raise_to(&s, CLASS_READ, "read-only");
	if (!head && !t->sentence && has(words[READABLE], word))
		raise_to(&s, CLASS_READ, word);
	if (s.known && s.class == CLASS_READ)
		return s;
	noun = find_any(t, t->first, LOSSES);
	if (noun && !t->sentence)
		raise_to(&s, CLASS_DESTRUCTIVE, noun);
	noun = find_any(t, t->first, MONEY);
	if (!noun && !t->sentence)
		noun = find_any(t, t->first, MONEY_NAMES);
	if (noun && s.known)
		raise_to(&s, CLASS_FINANCIAL, noun);
	return s;
}

struct classified classify(const char *name, const char *title,
			   const char *description, unsigned hints)
{
	static struct tool t;
	struct classified c = {.class = CLASS_DESTRUCTIVE};
	const struct text *texts[] = {&t.name, &t.title, &t.description};
	struct said said[3], *n = &said[0], *d = &said[2];
	int by = -1;
	const char *word;

	split(&t.name, "name", name, false);
	split(&t.title, "title", title, false);
	split(&t.description, "description", description, true);
	for (int i = 0; i < 3; i++)
		said[i] = ask(&t, texts[i]);
	/* "Run a search" of a tool called search; "handle uploads". */
	if (n->certain &&
	    ((d->kind == RUN && d->class == CLASS_EXECUTE &&
	      !find_any(&t.description, t.description.first, CODE)) ||
	     (d->kind == ANY && n->class > CLASS_READ)))
		d->known = false;
	/* What may be a noun says little beside a sentence, and a sentence
	 * that begins with what is not known says little alone. */
	if (!n->certain && d->certain)
		n->known = false;
	else if (!n->known && !d->certain)
		d->known = d->class >= CLASS_DESTRUCTIVE;
	if (!said[1].certain)
		said[1].known = false;
	for (int i = 0; i < 3; i++)
		if (said[i].known && (by < 0 || said[i].class > c.class)) {
			by = i;
			c.class = said[i].class;
		}
	if (by < 0)
		snprintf(c.why, sizeof(c.why),
			 "no verb that weir knows, so the strictest is taken");
	else
		snprintf(c.why, sizeof(c.why), "the %s says \"%s\"",
			 texts[by]->what, said[by].word);
	word = find_any(&t.description, t.description.count, LASTING);
	if (word && c.class > CLASS_READ && c.class < CLASS_DESTRUCTIVE) {
		c.class = CLASS_DESTRUCTIVE;
		snprintf(c.why, sizeof(c.why), "the description says \"%s\"",
			 word);
	}
	if (hints & HINT_DESTROYS && c.class < CLASS_DESTRUCTIVE) {
		c.class = CLASS_DESTRUCTIVE;
		snprintf(c.why, sizeof(c.why), "annotated destructiveHint");
	}
	if (hints & HINT_WRITES && c.class < CLASS_WRITE) {
		c.class = CLASS_WRITE;
		snprintf(c.why, sizeof(c.why), "annotated readOnlyHint false");
	}
	return c;
}

/* ---- arguments ------------------------------------------------------- */

const struct guard *classify_argument(const char *name, const char *type)
{
	static const struct {
		struct guard guard;
		char types[18];
		const char *words;
	} guards[] = {
		{{"SQL", "regex", "\"^SELECT [^;]*$\""},
		 " string ",
		 " sql statement cypher "},
		{{"a command", "in", "[\"COMMAND\"]"},
		 " string ",
		 " command commands cmd script shell code javascript expression "
		 "argv executable program "},
		{{"a URL", "host", "\"example.org\""},
		 " string ",
		 " url urls uri uris link href endpoint webhook website host "
		 "domain "},
		{{"a path", "under", "\"/DIRECTORY\""},
		 " string ",
		 " path paths file files filename filepath dir directory folder "
		 "cwd root source src destination dest workspace "},
		{{"an amount", "lte", "100"},
		 " number integer ",
		 " amount price quantity qty total cost fee budget tip rate "},
	};
	static struct text t;

	split(&t, "argument", name, false);
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		if (*type && !has(guards[i].types, type))
			continue;
		for (size_t w = 0; w < t.count; w++)
			if (has(guards[i].words, t.words[w].text))
				return &guards[i].guard;
	}
	return NULL;
}
