/* Files that are no policy: what is said of each. */
#include "said.h"

#define HEAD "{\n  \"version\": \"1\",\n  \"default\": \"allow\""

static const struct {
	const char *text;
	size_t len; /* 0: up to the NUL */
	const char *place, *words;
} rows[] = {
	/* No JSON. */
	{"", 0, ":1:1: ", "the file is empty"},
	{" \r\n\t\n", 0, ":1:1: ", "the file is empty"},
	{"\xEF\xBB\xBF" HEAD "}", 0, ":1:1: ", "a byte order mark (BOM)"},
	{"\xEF\xBB\xBF{\"mcpServers\":{}}", 0, ":1:1: ", "a client's conf"},
	{"\xFF\xFE{\0}\0", 6, ":1:1: ", "this is UTF-16"},
	{"\xFE\xFF\0{\0}", 6, ":1:1: ", "this is UTF-16"},
	{"{\0}\0", 4, ":1:1: ", "this is UTF-16"},
	{"\0{\0}", 4, ":1:1: ", "this is UTF-16"},
	{"{\n  // x\n}", 0, ":2:3: ", "a comment"},
	{"/* x */" HEAD "}", 0, ":1:1: ", "a comment"},
	{"# x\n" HEAD "}", 0, ":1:1: ", "a comment"},
	{HEAD ", # x\n}", 0, ":3:23: ", "a comment"},
	{HEAD "} // x\n", 0, ":3:23: ", "a comment"},
	{HEAD ",\n}", 0, ":3:21: ", "a trailing comma"},
	{HEAD ", \"hide\": [\"x\", ]}", 0, ":3:35: ", "a trailing comma"},
	{"{'version': '1'}", 0, ":1:2: ", "double quotes"},
	{"{\"version\": '1'}", 0, ":1:13: ", "double quotes"},
	{"{\xE2\x80\x9Cversion\xE2\x80\x9D: 1}", 0, ":1:2: ", "double quotes"},
	{"{version: \"1\"}", 0, ":1:2: ", "a word without quotes"},
	{HEAD ", default: 1}", 0, ":3:23: ", "a word without quotes"},
	{HEAD ", \"tools\": None}", 0, ":3:32: ", "true, false, null"},
	{HEAD, 0, ":3:21: ", "the file ends before all brackets are closed"},
	{HEAD ", \"tools\": {", 0, ":3:33: ", "the file ends before all"},
	{HEAD " \"tools\": {}}", 0, ":3:22: ", "a comma was expected"},
	{HEAD ", \"description\": \"\xE9\"}", 0, ":3:39: ", "not UTF-8"},
	{"version: \"1\"\ndefault: deny\n", 0, ":1:1: ", "YAML or TOML"},
	{"# x\n\nversion: 1", 0, ":1:1: ", "YAML or TOML"},
	{"---\nversion: 1", 0, ":1:1: ", "YAML or TOML"},
	{"- a\n- b\n", 0, ":1:1: ", "YAML or TOML"},
	{"[mcp_servers.context]\n", 0, ":1:1: ", "YAML or TOML"},
	{"model = \"x\"\n", 0, ":1:1: ", "YAML or TOML"},
	{"mcpServers:\n  - a: b\n", 0, ":1:1: ", "a client's configuration"},
	{"{// x\n\"servers\":{}}", 0, ":1:2: ", "a client's configuration"},
	{"<html>", 0, ":1:1: ", "a value was expected"},
	{"\"tools\": {}", 0, ":1:8: ", "; a policy is {"},
	/* Other JSON. */
	{"{\"a\":1,\n\"mcpServers\":{}}", 0, ":2:14: /mcpServers: ",
	 "unknown key \"mcpServers\": this is a client's configuration"},
	{"{\"servers\":{},\"inputs\":[]}", 0, ":1:12: ", "client's conf"},
	{"{\"context_servers\":{}}", 0, ":1:20: ", "a client's configuration"},
	{"{\"mcp\":{\"a\":{}}}", 0, ":1:8: ", "a client's configuration"},
	{"{\"tools\":[{\"name\":\"a\"}]}", 0, ":1:10: ", "list of tools"},
	{"[{\"name\":\"a\"}]", 0, ":1:1: ", "list of tools"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 0,
	 ":1:12: ", "list of tools"},
	{"{\"rules\":[]}", 0, ":1:10: ", "another program's policy"},
	{"{\"permissions\":{\"deny\":[\"Bash\"]}}", 0,
	 ":1:16: ", "a client's own permissions"},
	{"[]", 0, ":1:1: ", "was expected, not an array"},
	{"1", 0, ":1:1: ", "was expected, not a number"},
	/* What begins as a policy is read as one. */
	{HEAD ", \"servers\": {}}", 0,
	 ":3:34: /servers: ", "unknown key \"servers\" (allowed: "},
	{HEAD ", \"tools\": [\"a\"]}", 0, ":3:32: /tools: ",
	 "an object of names, {\"NAME\": {}}, was expected, not an array"},
	/* Words of others. */
	{HEAD ", \"tools\": {\"a\": {\"rules\": []}}}", 0,
	 "/tools/a/rules: ", "did you mean \"require\"?"},
	{HEAD ", \"tools\": {\"a\": {\"action\": \"block\"}}}", 0,
	 "/action: ", "did you mean \"deny\"?"},
	{HEAD ", \"tools\": {\"a\": {\"require\": [{\"path\": \"args.a\", "
	      "\"op\": \"starts_with\", \"value\": \"x\"}]}}}",
	 0, "/op: ", "did you mean \"glob\"?"},
};

/* One fault each, which names the cause and its place. */
TEST(files_are_named)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct said said = {.lines = 0};
		struct policy_source source = {
			.name = "p.json",
			.text = rows[i].text,
			.len = rows[i].len ? rows[i].len
					   : strlen(rows[i].text)};
		struct policy *p =
			policy_compile(&source, 1, NULL, listen, &said);

		row_check(!p && said.lines == 1 &&
				  strstr(said.text, rows[i].place) &&
				  strstr(said.text, rows[i].words),
			  "%s: %d: %s", rows[i].text, said.lines, said.text);
		policy_free(p);
	}
}

RUN(NULL, NULL)
