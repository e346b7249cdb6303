/* Asking outside the client.  The contract is in ways.h. */
#include "ways.h"

#include "../policies/host/host.h"
#include "grant.h"
#include "report.h"

#include <string.h>

bool ways_open(struct ways *w, const struct options *o, struct child *child)
{
	w->options = o;
	w->door.listener = -1;
	return asker_open(&w->asker, child);
}

void ways_close(struct ways *w)
{
	door_close(&w->door);
	asker_close(&w->asker);
}

/* The words for a shell. */
static void tell_command(const char *state)
{
	const bool plain =
		!state[strcspn(state, " \t\n\"'\\$`&|;<>()*?[]{}~#!")];
	const char *quote = plain ? "" : "'";

	if (!strchr(state, '\''))
		report("to answer calls that wait for approval: weir approve -s %s%s%s",
		       quote, state, quote);
}

/* A door that could not be made is not tried again before the next reload. */
static void make_door(struct ways *w, const struct policy *policy)
{
	const struct options *o = w->options;
	char state[PATH_MAX], usual[PATH_MAX], why[PATH_MAX];
	struct options plain = {.state = NULL};

	if (!grant_state(o, true, state, why)) {
		report("nobody can approve a call with weir approve: no state directory: %s; name one with -s DIR",
		       why);
		return;
	}
	if (door_open(&w->door, state, policy, (const char *const *)o->rest) &&
	    (!grant_state(&plain, false, usual, why) ||
	     strcmp(state, usual) != 0))
		tell_command(state);
}

unsigned ways_use(struct ways *w, const struct policy *policy)
{
	unsigned asks = w->options->observe ? 0 : policy_asks(policy);

	if (w->door.listener >= 0)
		door_reload(&w->door, policy);
	else if (asks & POLICY_ASK_TERMINAL)
		make_door(w, policy);
	return (w->door.listener >= 0 ? POLICY_ASK_TERMINAL : 0) |
	       (w->asker.program ? POLICY_ASK_PROGRAM : 0);
}

/* The call that the program is asked about, if it waits still; *next is the one
 * after it, or NULL. */
static struct approval *find_asked(const struct ways *w,
				   struct approvals *approvals,
				   struct approval **next)
{
	struct approval *asked = NULL;

	*next = NULL;
	for (size_t i = 0; i < APPROVALS_SLOTS; i++) {
		struct approval *a = approvals_slot(approvals, i);

		if ((a->state != APPROVAL_HELD &&
		     a->state != APPROVAL_REPEAT) ||
		    !(a->ways & POLICY_ASK_PROGRAM))
			continue;
		if (a->serial == w->asked)
			asked = a;
		else if (a->serial > w->asked &&
			 (!*next || a->serial < (*next)->serial))
			*next = a;
	}
	return asked;
}

int ways_poll(struct ways *w, struct approvals *approvals,
	      struct pollfd p[WAYS_POLLED], int64_t *due)
{
	struct asker *asker = &w->asker;
	struct approval *next;
	int count;

	*due = -1;
	w->door.approvals = approvals;
	if (!approvals)
		return 0;
	*due = INT64_MAX;
	if (asker->asking && !find_asked(w, approvals, &next))
		asker_stop(asker);
	if (approvals_due(approvals) >= 0 && asker_free(asker)) {
		find_asked(w, approvals, &next);
		if (next) {
			w->asked = next->serial;
			asker->text.full = !approval_text(
				approvals, next, &asker->text, SIZE_MAX);
			asker_start(asker);
		}
	}
	count = door_poll(&w->door, p, host_now(), due);
	if (asker->asking) {
		if (asker->child->program == 0)
			*due = 0; /* it could not be started */
		asker_poll(asker, p + count);
		count += ASKER_POLLED;
	}
	if (*due == INT64_MAX)
		*due = -1;
	return count;
}

void ways_go_on(struct ways *w, struct approvals *approvals,
		const struct pollfd p[WAYS_POLLED])
{
	enum asker_answer answer = asker_go_on(&w->asker);
	struct approval *asked, *next;

	door_go_on(&w->door, p, host_now());
	if (answer == ASKER_LATER)
		return;
	asked = find_asked(w, approvals, &next);
	if (asked)
		approvals_answer(asked, answer == ASKER_YES, APPROVAL_PROGRAM,
				 "");
}
