/*
 * Five policies of a public catalogue, as they are printed there, in front of
 * five servers with the tools of those that they are for.
 *
 * What is expected is what the same server says without weir.
 */
#include "answers.h"

#include <stdlib.h>

#define TOOLS_MAX 64

struct seed {
	const char *server; /* its catalogue in the test server */
	const char *tool;   /* that the policy is about; the file is named so */
	int max;            /* calls a minute; 0: it is hidden */
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

static const char *seed_policy(const struct seed *seed)
{
	return copy_of(
		text("tests/policies/%s.%s.json", seed->server, seed->tool));
}

/* All of it passes, byte for byte, both ways; only the hidden tool is not in
 * the list. */
static void check_others(const struct seed *seed)
{
	const char *const *command =
		join(WORDS(server, "--catalogue", seed->server), WORDS(NULL));
	struct bytes input = {.ptr = NULL};
	struct proc *plain, *behind;
	const char *list = request("9", "tools/list", NULL), *line;

	append_text(&input, list);
	for (size_t i = 0; i < COUNT(no_calls); i++)
		append_text(&input, no_calls[i]);
	append_text(&input, list);
	plain = proc_run(command, input.ptr);
	behind =
		proc_run(join(WORDS(weir, "-p", seed_policy(seed), "--"),
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

/* Another tool of the server's, listed or not. */
static void check_denied(struct proc *p, const char *name)
{
	in_case(name);
	check_default(p, "\"other\"", name);
	in_case(NULL);
}

static void check_all_denied(const struct seed *seed, struct proc *p)
{
	const char *names[TOOLS_MAX];
	struct proc *plain =
		proc_run(WORDS(server, "--catalogue", seed->server),
			 text("%s%s", request("1", "tools/list", NULL),
			      call("2", "not_listed")));
	size_t count = tool_names(proc_line(plain), names, TOOLS_MAX);
	bool answers = !strstr(proc_line(plain), "isError");

	check(answers == (strcmp(seed->server, "sktime-mcp") == 0),
	      "only sktime-mcp answers tools that it does not list");
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], seed->tool) != 0)
			check_denied(p, names[i]);
	check_denied(p, "not_listed");
}

/* Of the calls, max pass; nothing else reaches the server. */
static void check_calls(const struct seed *seed)
{
	struct proc *plain =
		proc_start(WORDS(server, "--catalogue", seed->server));
	struct proc *p = proc_start(WORDS(weir, "-p", seed_policy(seed), "--",
					  server, "--catalogue", seed->server,
					  "--record", path("record")));
	struct bytes passed = {.ptr = NULL};
	const char *line = call("7", seed->tool);

	check_all_denied(seed, p);
	append(&passed, "", 0);
	for (int i = 0; i < seed->max; i++) {
		proc_send(plain, line);
		check_answer(p, line, proc_line(plain));
		append_text(&passed, line);
	}
	proc_send(p, line);
	if (seed->max == 0)
		check_hidden(proc_line(p), "7", seed->tool);
	else
		check_limited(proc_line(p), "7",
			      text("/tools/%s/limits/0", seed->tool),
			      text("at most %d calls a minute", seed->max));
	check_all_denied(seed, p);
	ping(p, "8");
	append_text(&passed, request("8", "ping", NULL));
	check_end(p, 0);
	check_got_bytes(passed);
}

static void check_seed(const struct seed *seed)
{
	check_others(seed);
	check_calls(seed);
}

TEST(sast_mcp)
{
	check_seed(&(struct seed){"sast-mcp", "cancel_scan_job", 0});
}

TEST(webscrapertoolkit)
{
	check_seed(&(struct seed){"webscrapertoolkit", "cancel_job", 10});
}

TEST(workflows_mcp)
{
	check_seed(&(struct seed){"workflows-mcp", "cancel_job", 0});
}

TEST(sktime_mcp)
{
	check_seed(&(struct seed){"sktime-mcp", "cancel_job", 0});
}

TEST(cross_llm_mcp)
{
	check_seed(&(struct seed){"cross-llm-mcp", "cancel-async-job", 30});
}
