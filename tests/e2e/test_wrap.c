/* weir wrap, weir unwrap: a client's configuration, and what is told of it. */
#include "fields.h"
#include "lines.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char allow[] = "'default':'allow'";

#define P "\"-p\", \"@/p.json\", \"--\", "

static const char config[] =
	"{\n"
	"  \"mcpServers\": {\n"
	"    \"one\": {\n"
	"      \"command\": \"./one\",\n"
	"      \"args\": [\n"
	"        \"-y\"\n"
	"      ]\n"
	"    },\n"
	"    \"two\": { \"command\": \"two\" },\n"
	"    \"far\": { \"url\": \"http://h\" },\n"
	"    \"a/b\": { \"command\": \"/c\", \"args\": [], \"env\": {} }\n"
	"  }\n"
	"}";

static const char wrapped[] =
	"{\n"
	"  \"mcpServers\": {\n"
	"    \"one\": {\n"
	"      \"command\": \"#\",\n"
	"      \"args\": [\n"
	"        " P "\"./one\",\n"
	"        \"-y\"\n"
	"      ]\n"
	"    },\n"
	"    \"two\": { \"command\": \"#\", \"args\": [" P "\"two\"] },\n"
	"    \"far\": { \"url\": \"http://h\" },\n"
	"    \"a/b\": { \"command\": \"#\", \"args\": [\"--policy\", "
	"\"@/p.json\", \"--\", \"/c\"], \"env\": {} }\n"
	"  }\n"
	"}";

static void put_files(void)
{
	policy_file("p.json", allow);
	policy_file("q.json", allow);
	policy_file("one.json", allow);
	file("bad.json", "{\"version\":\"1\"}");
	file("c.json", config);
	unlink(path("c.json.weir-backup"));
}

/* One after the other, on the file as the one before left it. */
static const struct {
	const char *words;
	int status;
	const char *says;  /* on stdout */
	const char *tells; /* on stderr */
	const char *after; /* the file; NULL: as it was before */
} steps[] = {
	{"wrap c.json one two a/b -p p.json", 0, "one: wrapped\n",
	 "share the grant", wrapped},
	{"wrap c.json --all -p p.json", 0, "two: already wrapped\n", "", NULL},
	{"wrap c.json one --policy @/p.json", 0, "one: already wrapped\n", "",
	 NULL},
	{"wrap c.json one -p q.json", 1,
	 "one: kept: it is behind weir with another policy", "", NULL},
	{"unwrap --dry-run c.json two", 0,
	 "-    \"two\": { \"command\": \"#\", \"args\": [" P "\"two\"] },\n"
	 "+    \"two\": { \"command\": \"two\" },\n",
	 "", NULL},
	{"unwrap c.json one", 0, "one: unwrapped\n", "", ""},
	{"unwrap c.json one", 0, "one: not behind weir\n", "", NULL},
	{"unwrap c.json", 2, "", "several servers", NULL},
	{"unwrap c.json --all", 0, "a/b: unwrapped\n", "", config},
	{"unwrap c.json --all", 0, "", "no server that is behind weir", NULL},
	{"wrap --dry-run c.json -p p.json /mcpServers/a~1b", 0, " -8,6 +8,6 ",
	 "", NULL},
	{"wrap c.json --policy=p.json one", 0, "-p @/p.json\n", "", ""},
	{"wrap --replace -p q.json c.json one", 0,
	 "one: replaced\n    -p @/q.json\n", "", ""},
	{"wrap -p q.json -p p.json c.json one --replace", 0,
	 "    -p @/q.json\n    -p @/p.json\n", "", ""},
	{"unwrap c.json", 0, "one: unwrapped\n", "", config},
};

TEST(wrap_step_by_step)
{
	const char *before = config;

	put_files();
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct proc *p = run_line(steps[i].words);
		const char *after;

		check_status(p, steps[i].status);
		after = content(path("c.json")).ptr;
		check_has(p->said.ptr, fill(steps[i].says));
		check_has(p->told.ptr, steps[i].tells);
		if (!steps[i].after)
			check_text("the file", after, before);
		else if (*steps[i].after)
			check_text("the file", after, fill(steps[i].after));
		else
			check(strcmp(after, before) != 0,
			      "the file is as before");
		before = after;
	}
	check_text("the copy", content(path("c.json.weir-backup")).ptr, config);
}

/* Nothing is written. */
static const struct line_row refusals[] = {
	{"wrap c.json -p p.json", 2, NULL, "several servers"},
	{"wrap c.json none -p p.json", 2, NULL, "no server none"},
	{"wrap c.json one", 2, NULL, "no policy"},
	{"wrap", 2, NULL, "missing CONFIG"},
	{"wrap --find c.json", 2, NULL, "unexpected operand"},
	{"wrap c.json one -p bad.json", 2, NULL, "its policy does not load"},
	{"wrap c.json one two -p none.json", 2, NULL,
	 "none.json: No such file"},
	{"wrap c.json one -p /dev/fd/0", 2, NULL, "a policy that is a file"},
	{"wrap c.json one -p $x.json", 2, NULL,
	 "clients cannot take such a path"},
	{"wrap c.json one two -p @/%s.json", 2, NULL, "two.json: No such file"},
	{"wrap c.json a/b -p @/%s.json", 2, NULL, "its name is no file name"},
	{"wrap c.json far -p p.json", 1, NULL, NULL},
	{"wrap none.json one -p p.json", 2, NULL, "No such file"},
	{"wrap . one -p p.json", 2, NULL, "not a regular file"},
	{"wrap p.json --all -p p.json", 1, NULL, "no server that is started"},
	{"wrap bad.txt one -p p.json", 2, NULL,
	 "bad.txt:2:3: weir cannot read it"},
	{"wrap listed.json one -p p.json", 1, NULL,
	 "/deniedMcpServers/1 denies a server by its command"},
	{"wrap .mcp.json one -p p.json", 1, NULL,
	 ".claude/settings.json: /allowedMcpServers/0 allows a server"},
	{"wrap twice.json one -p p.json", 1, NULL, "has a name twice"},
	{"wrap a.toml one -p p.json", 1, NULL, "edits no TOML or YAML"},
	{"wrap a.yaml one -p p.json", 1, NULL, "edits no TOML or YAML"},
};

TEST(wrap_refused)
{
	static const char *const names[] = {"c.json",    "listed.json",
					    ".mcp.json", "twice.json",
					    "a.toml",    "a.yaml"};
	const char *before[COUNT(names)];

	put_files();
	file("bad.txt", "{\n  x}");
	file("listed.json",
	     "{\"mcpServers\":{\"one\":{\"command\":\"c\"}},"
	     "\"deniedMcpServers\":[{\"serverName\":\"x\"},{\"serverCommand\":"
	     "[\"c\"]}]}");
	file(".mcp.json", "{\"mcpServers\":{\"one\":{\"command\":\"c\"}}}");
	file("twice.json", "{\"mcpServers\":{\"one\":{\"command\":\"c\"},"
			   "\"one\":{\"url\":\"http://h\"}}}");
	file("a.toml", "[mcp_servers.one]\ncommand = 'c'\nargs = [\"a\"]\n");
	file("a.yaml", "extensions:\n  one:\n    cmd: c\n");
	check_equal(mkdir(path(".claude"), 0700), 0);
	file(".claude/settings.json",
	     "{\"allowedMcpServers\":[{\"serverCommand\":[\"c\"]}]}");
	for (size_t i = 0; i < COUNT(names); i++)
		before[i] = content(path(names[i])).ptr;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		check_row(&refusals[i]);
		for (size_t n = 0; n < COUNT(names); n++)
			check_text(names[n], content(path(names[n])).ptr,
				   before[n]);
		check(!exists(path("c.json.weir-backup")), "a copy was made");
	}
	check_status(run_line("wrap listed.json one -p p.json --force"), 0);
	check_status(run_line("wrap .mcp.json one -p p.json --force"), 0);
}

/* ---- what is printed ------------------------------------------------- */

static const struct {
	const char *name, *content;
	const char *words;
	const char *says;
} prints[] = {
	{"a.toml",
	 "[mcp_servers.'o \"k\"']\ncommand = 'c\\'\nargs = [\"\\u00e9\", 'x']\n",
	 "wrap a.toml -p p.json",
	 "write for o \"k\":\n\n    command = \"#\"\n    args = [" P
	 "\"c\\\\\", \"\xc3\xa9\", \"x\"]\n"},
	{"a.toml",
	 "[mcp_servers.a]\ncommand = 'weir'\nargs=['-p','x','--','c','d']\n",
	 "unwrap a.toml", "    command = \"c\"\n    args = [\"d\"]\n"},
	{"g.yml", "extensions:\n  a:\n    cmd: c d\n    args:\n      - x\n",
	 "wrap g.yml -p p.json",
	 "    cmd: \"#\"\n    args: [" P "\"c d\", \"x\"]\n"},
	{"k.yaml", "mcpServers:\n  - name: a\n    command: c\n",
	 "wrap k.yaml -p p.json",
	 "    command: \"#\"\n    args: [" P "\"c\"]\n"},
	{"e.json",
	 "{\"mcpServers\":{\"\\u001b[2J\xe2\x80\xae\":{\"command\":\"c\"}}}",
	 "wrap e.json -p p.json", "\\u001b[2J\\u202e: wrapped\n"},
	{"e.json", "{\"mcpServers\":{\"a\":{\"command\":\"c\\\\\"}}}",
	 "wrap e.json -p p.json --json",
	 "{\"file\": \"@/e.json\", \"client\": null, \"changed\": true, "
	 "\"backup\": \"@/e.json.weir-backup\",\n \"servers\": [\n"
	 "  {\"server\": \"a\", \"at\": \"/mcpServers/a\", \"state\": "
	 "\"wrapped\", \"behindWeir\": true, \"policies\": [\"@/p.json\"]}]}\n"},
	{"e.json", "{\"mcpServers\":{\"a\":{\"url\":\"u\"}}}",
	 "wrap e.json a -p p.json",
	 "a: not wrapped: it is reached by a URL. Give it a command that\n"
	 "    speaks over stdio, such as: npx -y mcp-remote URL\n"},
	{".git", "", "wrap c.json one -p p.json",
	 "lies in the git work tree @"},
};

TEST(wrap_printed)
{
	put_files();
	for (size_t i = 0; i < COUNT(prints); i++) {
		struct proc *p;

		file(prints[i].name, prints[i].content);
		unlink(path(text("%s.weir-backup", prints[i].name)));
		p = run_line(prints[i].words);
		check(proc_wait(p) < 2, "%s", p->told.ptr);
		check_has(p->said.ptr, fill(prints[i].says));
	}
}

/* The clients that are here. */
TEST(wrap_found)
{
	static const char *const lines[] = {
		("Claude Desktop: @/.config/Claude/claude_desktop_config.json\n"
		 "  not wrapped  one\n  not wrapped  two\n  URL          far\n"),
		"Cursor: @/.cursor/mcp.json\n  behind weir  a\n               -p @/p.json\n",
		"Codex: @/.codex/config.toml\n  not wrapped  one\n",
		"VS Code: .vscode/mcp.json\n",
	};
	struct proc *p = run_line("wrap --find");

	check_status(p, 1);
	check_has(p->said.ptr, "No configuration");
	p = run_line("wrap --find --json");
	check_status(p, 1);
	check_text("JSON", p->said.ptr, "{\"configs\": []}\n");
	for (size_t i = 0; i < 5; i++) {
		static const char *const dirs[] = {".config", ".config/Claude",
						   ".cursor", ".codex",
						   ".vscode"};

		check_equal(mkdir(path(dirs[i]), 0700), 0);
	}
	file(".config/Claude/claude_desktop_config.json", config);
	file(".cursor/mcp.json",
	     fill("{\"mcpServers\":{\"a\":{\"command\":\"#\",\"args\":[" P
		  "\"c\"]}}}"));
	file(".codex/config.toml", "[mcp_servers.one]\ncommand = 'c'\n");
	file(".vscode/mcp.json", "{\n]");
	p = run_line("wrap --find");
	check_status(p, 0);
	for (size_t i = 0; i < COUNT(lines); i++)
		check_has(p->said.ptr, fill(lines[i]));
	check_has(p->told.ptr, ".vscode/mcp.json:2:1: weir cannot read it");
	/* One name each, though this is HOME. */
	check(!strstr(strstr(p->said.ptr, "Cursor") + 1, "Cursor"), "%s",
	      p->said.ptr);
	/* As on macOS, and on Windows, seen from WSL. */
	check_equal(mkdir(path("Library"), 0700), 0);
	check_equal(mkdir(path("Library/Application Support"), 0700), 0);
	check_equal(mkdir(path("Library/Application Support/Claude"), 0700), 0);
	check_equal(mkdir(path("Roaming"), 0700), 0);
	check_equal(mkdir(path("Roaming/Claude"), 0700), 0);
	file("Library/Application Support/Claude/claude_desktop_config.json",
	     config);
	file("Roaming/Claude/claude_desktop_config.json", config);
	p = run_line("wrap --find");
	check_status(p, 0);
	check_has(p->said.ptr, "Application Support/Claude/",
		  "/Roaming/Claude/");
	p = run_line("wrap --find --json");
	check_status(p, 0);
	check_text("JSON", field(p->said.ptr, ""), "object");
}

/* Links: of the file, which stays; of weir, whose name is kept. */
TEST(wrap_through_links)
{
	char *self = realpath(weir, NULL);
	const char *const argv[] = {path("weir"), "wrap", path("l.json"),
				    "two",        "-p",   path("p.json"),
				    NULL};
	struct stat st;

	put_files();
	check_equal(symlink(self, path("weir")), 0);
	free(self);
	check_equal(symlink("c.json", path("l.json")), 0);
	check_status(proc_run(argv, ""), 0);
	check_equal(lstat(path("l.json"), &st), 0);
	check(S_ISLNK(st.st_mode), "the link was replaced");
	check_has(content(path("c.json")).ptr,
		  text("\"command\": \"%s\"", path("weir")));
	check_status(run_line("unwrap l.json"), 0);
	check_text("the file", content(path("c.json")).ptr, config);
}
