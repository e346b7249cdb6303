/*
 * Five policies of a public catalogue, as they are printed there, in front of
 * five servers with the tools of those that they are for.
 *
 * What is expected is what the same server says without weir.
 */
#include "answers.h"

#include <stdlib.h>

#define TOOLS_MAX 64

static const struct seed {
	const char *server; /* its catalogue in the test server */
	const char *tool;   /* that the policy is about; the file is named so */
	int max;            /* calls a minute; 0: it is hidden */
} seeds[] = {
	{"sast-mcp", "cancel_scan_job", 0},
	{"webscrapertoolkit", "cancel_job", 10},
	{"workflows-mcp", "cancel_job", 0},
	{"sktime-mcp", "cancel_job", 0},
	{"cross-llm-mcp", "cancel-async-job", 30},
};

/* Nothing of this is a tool call, and all of it passes. */
static const char *const no_calls[] = {
	"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
	"\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":"
	"{"
	"\"name\":\"test\",\"version\":\"0\"}}}\n",
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":\"p-1\",\"method\":\"ping\"}\n",
	"{ \"id\": 2,\t\"method\": \"resources/list\", \"jsonrpc\": \"2.0"
	"\" }\n",
	"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"resources/read\",\"params\""
	":{"
	"\"uri\":\"file:///motd\"}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"prompts/list\",\"params\":{"
	"}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"prompts/get\",\"params\":{"
	"\"name\":\"cancel_job\",\"arguments\":{}}}\n",
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\""
	":{"
	"\"requestId\":\"p-1\"}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":-6,\"method\":\"logging/setLevel\"}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"roots\":[]}}\r\n",
	"{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":-1,\"message\":\"\"}"
	"}\n",
};

static const char *rule_of(const struct seed *seed)
{
	return copy_of(
		text("tests/policies/%s.%s.json", seed->server, seed->tool));
}

/* All of it passes, byte for byte, both ways; only the hidden tool is not in
 * the list. */
static void check_others(const struct seed *seed)
{
	const char *const *command = WORDS(server, "--catalogue", seed->server);
	const char *list = request("9", "tools/list", NULL), *line;
	struct bytes input = {.ptr = NULL};
	struct proc *plain, *behind;

	append_text(&input, list);
	for (size_t i = 0; i < COUNT(no_calls); i++)
		append_text(&input, no_calls[i]);
	append_text(&input, list);
	plain = proc_run(command, input.ptr);
	behind =
		proc_run(join(WORDS(weir, "-p", rule_of(seed), "--"),
			      join(command, WORDS("--record", path("record")))),
			 input.ptr);
	while ((line = proc_line(plain))) {
		if (seed->max == 0 && strstr(line, "\"tools\":[")) {
			check_has(line, seed->tool);
			line = without(line, seed->tool);
		}
		check_text("a line", proc_line(behind), line);
	}
	check_text("the end", proc_line(behind), "(no line)");
	check_got_bytes(input);
}

/* The tools of its server. */
static size_t tools_of(const struct seed *seed, const char **names)
{
	struct proc *plain =
		proc_run(WORDS(server, "--catalogue", seed->server),
			 request("1", "tools/list", NULL));

	return tool_names(proc_line(plain), names, TOOLS_MAX);
}

/* Another tool of the server's, listed or not, passes or does not. */
static void check_other_tools(const struct seed *seed, struct proc *p,
			      bool pass)
{
	const char *names[TOOLS_MAX];
	size_t count = tools_of(seed, names);

	for (size_t i = 0; i < count; i++) {
		in_case(names[i]);
		if (strcmp(names[i], seed->tool) == 0)
			continue;
		if (pass)
			check_passes(p, call("3", names[i]));
		else
			check_default(p, "3", names[i]);
	}
	check_default(p, "\"other\"", "not_listed");
}

/* Of its calls as many pass as it says, and no more. */
static void check_ruled(const struct seed *seed, struct proc *p)
{
	for (int i = 0; i < seed->max; i++)
		check_passes(p, call("7", seed->tool));
	if (seed->max == 0)
		check_hides(p, "7", seed->tool);
	else
		check_limited(proc_ask(p, call("7", seed->tool)), "7",
			      text("/tools/%s/limits/0", seed->tool),
			      text("at most %d calls a minute", seed->max));
}

/* Nothing else reaches the server. */
TEST(alone)
{
	for (const struct seed *s = seeds; s < seeds + COUNT(seeds); s++) {
		struct bytes passed = {.ptr = NULL};
		struct proc *p;

		in_case(s->server);
		check_others(s);
		p = proc_start(WORDS(weir, "-p", rule_of(s), "--", server,
				     "--catalogue", s->server, "--record",
				     path("record")));
		check_other_tools(s, p, false);
		in_case(s->server);
		check_ruled(s, p);
		check_other_tools(s, p, false);
		for (int i = 0; i < s->max; i++)
			append_text(&passed, call("7", s->tool));
		ping(p, "8");
		append_text(&passed, request("8", "ping", NULL));
		check_end(p, 0);
		check_got_bytes(passed);
	}
}

/* Laid over, or under, a policy that allows every tool of the server. */
TEST(over_a_base)
{
	for (const struct seed *s = seeds; s < seeds + COUNT(seeds); s++) {
		const char *rule = rule_of(s), *base = path(s->server);
		struct bytes all = {.ptr = NULL};
		const char *names[TOOLS_MAX];
		size_t count = tools_of(s, names);
		const char *const *const ways[] = {
			WORDS(weir, "-p", base, "-p", rule),
			WORDS(weir, "-p", rule, "-p", base),
			WORDS(weir),
		};
		const struct how how = {
			.env = WORDS(text("WEIR_POLICY=%s:%s", base, rule))};

		append_text(&all, "'default':'deny','tools':{");
		for (size_t i = 0; i < count; i++)
			append_text(&all,
				    text("%s'%s':{}", i ? "," : "", names[i]));
		append_text(&all, "}");
		policy_file(s->server, all.ptr);
		for (size_t w = 0; w < COUNT(ways); w++) {
			struct proc *p = proc_start_how(
				join(ways[w], WORDS("--", server, "--catalogue",
						    s->server)),
				&how);

			in_case(text("%s, %zu", s->server, w));
			check_ruled(s, p);
			check_other_tools(s, p, true);
			check_end(p, 0);
		}
		check_status(
			proc_run(WORDS(weir, "check", "--strict", base, rule),
				 ""),
			0);
	}
}

/* What check says of it alone, and the start; the server runs. */
TEST(checked)
{
	for (const struct seed *s = seeds; s < seeds + COUNT(seeds); s++) {
		const char *rule = rule_of(s);
		struct proc *p = proc_run(WORDS(weir, "check", rule), "");
		bool hides = s->max == 0;

		in_case(rule);
		check_status(p, 0);
		check(!strstr(p->said.ptr, "warning") == !hides,
		      "a warning, if and only if nothing is allowed: %s",
		      p->said.ptr);
		check_has(p->said.ptr, rule);
		p = proc_run(WORDS(weir, "check", "--strict", rule), "");
		check_status(p, hides);
		p = proc_start(WORDS(weir, "-p", rule, "--", server));
		ping(p, "1");
		check_end(p, 0);
		check_equal(weir_lines(p->told.ptr), hides);
	}
}
