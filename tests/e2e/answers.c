/* Lines and answers.  The contract is in answers.h. */
#include "answers.h"

#include "fields.h"

#include <stdlib.h>

const char *request(const char *id, const char *method, const char *params)
{
	return text("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\"%s%s}\n",
		    id, method, params ? ",\"params\":" : "",
		    params ? params : "");
}

const char *call(const char *id, const char *name)
{
	return request(id, "tools/call",
		       text("{\"name\":\"%s\",\"arguments\":{\"n\":1}}", name));
}

const char *long_ping(const char *id, size_t len)
{
	const char *line = request(id, "ping", "{\"pad\":\"?\"}");
	size_t before = (size_t)(strchr(line, '?') - line);
	size_t rest = strlen(line) - 2;

	return text("%.*s%0*d%s", (int)before, line, (int)(len - rest), 0,
		    line + before + 1);
}

void ping(struct proc *p, const char *id)
{
	proc_send(p, request(id, "ping", NULL));
	check_text("the answer to a ping", proc_line(p),
		   text("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}\n", id));
}

/* ---- answers --------------------------------------------------------- */

/* The id has to be there byte for byte. */
static void check_id(const char *line, const char *id)
{
	size_t len = strlen(id);
	const char *at = strstr(line, "\"id\":");

	check(at && strncmp(at + 5, id, len) == 0 && strchr(",}", at[5 + len]),
	      "the id %s was expected: %s", id, line);
}

void check_error(const char *line, const char *id, int code)
{
	const char *got = field(line, "error.code");
	int is = got ? atoi(got) : 0;

	check(code == 0 ? is == -32600 || is == -32700 : is == code,
	      "error %d was expected: %s", code, line);
	check_field(line, "jsonrpc", "2.0");
	check(field(line, "error.message"), "no message: %s", line);
	check_field(line, "result", NULL);
	if (id)
		check_id(line, id);
}

void check_hidden(const char *line, const char *id, const char *name)
{
	check_error(line, id, -32602);
	check_field(line, "error.message", text("Unknown tool: %s", name));
}

/* The parts of a refusal that all have; its reason. */
static const char *check_result(const char *line, const char *id, bool modern,
				const char *rule)
{
	static const char denied[] = "Denied by policy: ";
	const char *words = field(line, "result.content.0.text");

	check_field(line, "jsonrpc", "2.0");
	check_field(line, "error", NULL);
	check_field(line, "result.isError", "true");
	check_field(line, "result.content.0.type", "text");
	check_field(line, "result.content.1", NULL);
	check(words && strncmp(words, denied, strlen(denied)) == 0,
	      "\"%s\" was expected: %s", denied, line);
	check_field(line, "result._meta.weir/rule", rule);
	check_field(line, "result.resultType", modern ? "complete" : NULL);
	check_id(line, id);
	return words + strlen(denied);
}

void check_refused(const char *line, const char *id, bool modern,
		   const char *rule, const char *reason)
{
	const char *words = check_result(line, id, modern, rule);

	if (reason)
		check_text("the reason", words, reason);
	check(*words, "the reason is empty: %s", line);
	check(!strstr(line, "weir/retryAfterMs"), "is not limited: %s", line);
}

void check_limited(const char *line, const char *id, const char *rule,
		   const char *reason)
{
	const char *words = check_result(line, id, false, rule);
	const char *wait = field(line, "result._meta.weir/retryAfterMs");
	long seconds = 0, ms = wait ? atol(wait) : 0;
	size_t len = strlen(reason);

	check(ms > 0 && ms <= 60000,
	      "weir/retryAfterMs from 1 to 60000 was expected: %s", line);
	if (strncmp(words, reason, len) == 0)
		sscanf(words + len, "; try again in %ld s", &seconds);
	check(seconds == (ms + 999) / 1000,
	      "\"%s; try again in N s\" was expected: %s", reason, line);
}

bool from_weir(const char *line)
{
	check(line, "there is no more output");
	return strstr(line, "\"Denied by policy: ") ||
	       strstr(line, "\"message\":\"Not passed on") ||
	       strstr(line, "\"message\":\"Unknown tool: ") ||
	       strstr(line, "\"message\":\"Withheld");
}

void check_answer(struct proc *p, const char *line, const char *want)
{
	check_text("the answer", proc_ask(p, line), want);
}

void check_passes(struct proc *p, const char *line)
{
	const char *answer = proc_ask(p, line);

	check(!from_weir(answer), "should pass: %s", answer);
}

void check_hides(struct proc *p, const char *id, const char *name)
{
	check_hidden(proc_ask(p, call(id, name)), id, name);
}

void check_default(struct proc *p, const char *id, const char *name)
{
	check_refused(proc_ask(p, call(id, name)), id, false, RULE_DEFAULT,
		      NULL);
}

/* ---- lists ----------------------------------------------------------- */

size_t tool_names(const char *list, const char **names, size_t max)
{
	size_t count = 0;

	while (count < max &&
	       (names[count] =
			field(list, text("result.tools.%zu.name", count))))
		count++;
	check(count > 0 && count < max, "a list was expected: %s", list);
	return count;
}

/* From the brace at p past the one that closes it. */
static const char *object_end(const char *p)
{
	int depth = 0;
	bool inside = false;

	do {
		if (inside && *p == '\\')
			p++;
		else if (*p == '"')
			inside = !inside;
		else if (!inside)
			depth += (*p == '{') - (*p == '}');
		p++;
	} while (depth > 0);
	return p;
}

static const char *skip_back(const char *p, const char *set)
{
	while (strchr(set, p[-1]))
		p--;
	return p;
}

const char *without(const char *list, const char *name)
{
	const char *start = strstr(list, text("\"name\":\"%s\"", name)), *end;

	if (!start) /* with white space */
		start = strstr(list, text("\"name\":  \"%s\"", name));
	if (!start)
		return list;
	while (*start != '{')
		start--;
	end = object_end(start);
	if (skip_back(start, " \t")[-1] == ',')
		start = skip_back(start, " \t,");
	else if (end[strspn(end, " \t")] == ',')
		end += strspn(end, " \t,");
	return text("%.*s%s", (int)(start - list), list, end);
}
