/* Lines and answers.  The contract is in answers.h. */
#include "answers.h"

#include <json-parser/json.h>

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

static const json_value *member(const json_value *v, const char *key)
{
	for (unsigned i = 0;
	     v && v->type == json_object && i < v->u.object.length; i++)
		if (strcmp(v->u.object.values[i].name, key) == 0)
			return v->u.object.values[i].value;
	return NULL;
}

static const char *string(const json_value *v)
{
	return v && v->type == json_string ? v->u.string.ptr : NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static json_value *parse(const char *line)
{
	json_value *v;

	check(line, "an answer was expected, and there is no more output");
	v = json_parse(line, strlen(line));
	check(v && v->type == json_object, "an answer was expected, not: %s",
	      line);
	check(same(string(member(v, "jsonrpc")), "2.0"), "not 2.0: %s", line);
	return v;
}

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
	json_value *v = parse(line);
	const json_value *error = member(v, "error"), *is;

	is = member(error, "code");
	check(is && is->type == json_integer &&
		      (code == 0 ? is->u.integer == -32600 ||
					   is->u.integer == -32700
				 : is->u.integer == code),
	      "error %d was expected: %s", code, line);
	check(string(member(error, "message")), "no message: %s", line);
	check(!member(v, "result"), "both error and result: %s", line);
	if (id)
		check_id(line, id);
	json_value_free(v);
}

void check_hidden(const char *line, const char *id, const char *name)
{
	json_value *v = parse(line);
	const char *message = string(member(member(v, "error"), "message"));

	check_error(line, id, -32602);
	check(same(message, text("Unknown tool: %s", name)),
	      "\"Unknown tool: %s\" was expected: %s", name, line);
	json_value_free(v);
}

/* The parts of a refusal that all have; its text is handed out. */
static const char *check_result(const char *line, const json_value *v,
				const char *id, bool modern, const char *rule)
{
	const json_value *result = member(v, "result");
	const json_value *items = member(result, "content");
	const json_value *item = NULL, *error = member(result, "isError");
	const char *type = string(member(result, "resultType")), *words;

	if (items && items->type == json_array && items->u.array.length == 1)
		item = items->u.array.values[0];
	words = string(member(item, "text"));
	check(!member(v, "error") && error && error->type == json_boolean &&
		      error->u.boolean,
	      "a result with isError was expected: %s", line);
	check(same(string(member(item, "type")), "text") && words &&
		      strncmp(words, "Denied by policy: ", 18) == 0,
	      "\"Denied by policy: \" was expected: %s", line);
	check(same(string(member(member(result, "_meta"), "weir/rule")), rule),
	      "the rule %s was expected: %s", rule, line);
	check(modern ? same(type, "complete") : !member(result, "resultType"),
	      "resultType was%s expected: %s", modern ? "" : " not", line);
	check_id(line, id);
	return words + 18;
}

void check_refused(const char *line, const char *id, bool modern,
		   const char *rule, const char *reason)
{
	json_value *v = parse(line);
	const char *words = check_result(line, v, id, modern, rule);

	if (reason)
		check_text("the reason", words, reason);
	check(*words, "the reason is empty: %s", line);
	check(!strstr(line, "weir/retryAfterMs"), "is not limited: %s", line);
	json_value_free(v);
}

void check_limited(const char *line, const char *id, const char *rule,
		   const char *reason)
{
	json_value *v = parse(line);
	const char *words = check_result(line, v, id, false, rule);
	const json_value *meta = member(member(v, "result"), "_meta");
	const json_value *wait = member(meta, "weir/retryAfterMs");
	long seconds = 0;
	size_t len = strlen(reason);

	check(wait && wait->type == json_integer && wait->u.integer > 0 &&
		      wait->u.integer <= 60000,
	      "weir/retryAfterMs from 1 to 60000 was expected: %s", line);
	if (strncmp(words, reason, len) == 0)
		sscanf(words + len, "; try again in %ld s", &seconds);
	check(seconds == (wait->u.integer + 999) / 1000,
	      "\"%s; try again in N s\" was expected: %s", reason, line);
	json_value_free(v);
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
	json_value *v = parse(list);
	const json_value *tools = member(member(v, "result"), "tools");
	size_t count = tools ? tools->u.array.length : 0;

	check(count > 0 && count <= max, "a list was expected: %s", list);
	for (size_t i = 0; i < count; i++)
		names[i] = text(
			"%s", string(member(tools->u.array.values[i], "name")));
	json_value_free(v);
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
