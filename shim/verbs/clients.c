/* Clients and their files.  The contract is in clients.h. */
#include "clients.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRICT  KEY_MCP_SERVERS
#define JSONC   (TAKES_COMMENTS | TAKES_COMMAS)
#define CLAUDE  (KEY_MCP_SERVERS | EXPANDS | LISTS_CLAUDE)
#define OPEN    (JSONC | EXPANDS)
#define VS_CODE (OPEN | LISTS_COPILOT)
#define CODE    (KEY_MCP | KEY_MCP_DOT | OPEN)
#define GEMINI  (KEY_MCP_SERVERS | TAKES_COMMENTS | EXPANDS)

const struct client clients[] = {
	{"Claude Desktop", "^/Claude/claude_desktop_config.json", STRICT},
	{"Claude Code", "~/.claude.json", CLAUDE | KEY_PROJECTS | REWRITES},
	{"Claude Code", "./.mcp.json", CLAUDE},
	{"Claude Code", "/etc/claude-code/managed-mcp.json", CLAUDE},
	{"Claude Code",
	 "/Library/Application Support/ClaudeCode/managed-mcp.json", CLAUDE},
	{"Claude Code", "/mnt/c/Program Files/ClaudeCode/managed-mcp.json",
	 CLAUDE},
	{"Cursor", "~/.cursor/mcp.json", STRICT | OPEN},
	{"Cursor", "./.cursor/mcp.json", STRICT | OPEN},
	{"VS Code", "^/Code/User/mcp.json", KEY_SERVERS | VS_CODE},
	{"VS Code", "^/Code/User/settings.json", KEY_MCP_DOT | VS_CODE},
	{"VS Code", "./.vscode/mcp.json", KEY_SERVERS | VS_CODE},
	{"VS Code", "./.vscode/settings.json", KEY_MCP_DOT | VS_CODE},
	{"Windsurf", "~/.codeium/windsurf/mcp_config.json", STRICT | EXPANDS},
	{"Antigravity", "~/.gemini/antigravity/mcp_config.json", STRICT},
	{"Gemini CLI", "~/.gemini/settings.json", GEMINI},
	{"Gemini CLI", "./.gemini/settings.json", GEMINI},
	{"Qwen Code", "~/.qwen/settings.json", GEMINI | REWRITES},
	{"Qwen Code", "./.qwen/settings.json", GEMINI | REWRITES},
	{"Qwen Code", "/etc/qwen-code/settings.json", GEMINI | REWRITES},
	{"Codex", "~/.codex/config.toml", KEY_TOML},
	{"Codex", "./.codex/config.toml", KEY_TOML},
	{"Grok", "~/.grok/config.toml", KEY_TOML},
	{"Zed", "^/zed/settings.json", KEY_CONTEXT | JSONC},
	{"Zed", "./.zed/settings.json", KEY_CONTEXT | JSONC},
	{"Cline",
	 "^/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
	 STRICT | REWRITES},
	{"Cline", "~/.cline/data/settings/cline_mcp_settings.json",
	 STRICT | REWRITES},
	{"Roo",
	 "^/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
	 STRICT | EXPANDS | REWRITES},
	{"Roo", "./.roo/mcp.json", STRICT | EXPANDS},
	{"Continue", "~/.continue/config.yaml", KEY_YAML},
	{"Continue", "./.continue/mcpServers/*.yaml", KEY_YAML},
	{"Continue", "./.continue/mcpServers/*.json", STRICT},
	{"Goose", "^/goose/config.yaml", KEY_YAML},
	{"Goose", "^/Block/goose/config/config.yaml", KEY_YAML},
	{"opencode", "^/opencode/opencode.json", CODE},
	{"opencode", "^/opencode/opencode.jsonc", CODE},
	{"opencode", "./opencode.json", CODE},
	{"opencode", "./opencode.jsonc", CODE},
	{"opencode", "./.opencode/opencode.json", CODE},
	{"opencode", "./.opencode/opencode.jsonc", CODE},
	{"LM Studio", "~/.lmstudio/mcp.json", STRICT},
	{"LM Studio", "~/.cache/lm-studio/mcp.json", STRICT},
	{"Junie", "~/.junie/mcp/mcp.json", STRICT},
	{"Junie", "./.junie/mcp/mcp.json", STRICT},
	{"Amazon Q", "~/.aws/amazonq/mcp.json", STRICT},
	{"Amazon Q", "./.amazonq/mcp.json", STRICT},
	{"Kiro", "~/.kiro/settings/mcp.json", STRICT},
	{"Kiro", "./.kiro/settings/mcp.json", STRICT},
	{"Warp", "~/.warp/.mcp.json", STRICT},
	{"Warp", "./.warp/.mcp.json", STRICT},
	{"Copilot CLI", "~/.copilot/mcp-config.json", STRICT | LISTS_COPILOT},
	{"Crush", "^/crush/crush.json", KEY_MCP | EXPANDS},
	{"Crush", "./crush.json", KEY_MCP | EXPANDS},
	{"Crush", "./.crush.json", KEY_MCP | EXPANDS},
	{"Trae", "^/Trae/User/mcp.json", STRICT},
	{"Kimi", "~/.kimi-code/mcp.json", STRICT},
	{"BoltAI", "~/.boltai/mcp.json", STRICT},
	{"", NULL, 0},
};

const struct client clients_lists[] = {
	{"", "/etc/claude-code/managed-settings.json", LISTS_CLAUDE},
	{"", "/etc/claude-code/managed-settings.d/*.json", LISTS_CLAUDE},
	{"", "/Library/Application Support/ClaudeCode/managed-settings.json",
	 LISTS_CLAUDE},
	{"", "~/.claude/settings.json", LISTS_CLAUDE},
	{"", "./.claude/settings.json", LISTS_CLAUDE},
	{"", "./.claude/settings.local.json", LISTS_CLAUDE},
	{"", "/etc/github-copilot/managed-settings.json", LISTS_COPILOT},
	{"", "/Library/Application Support/GitHubCopilot/managed-settings.json",
	 LISTS_COPILOT},
	{"", NULL, 0},
};

/* Where the environment names a directory in place of that of the path. */
static const struct {
	char variable[20], path[28];
} moved[] = {
	{"CLAUDE_CONFIG_DIR", "~/.claude.json"},
	{"CLAUDE_CONFIG_DIR", "~/.claude/settings.json"},
	{"CODEX_HOME", "~/.codex/config.toml"},
	{"OPENCODE_CONFIG_DIR", "^/opencode/opencode.json"},
	{"OPENCODE_CONFIG_DIR", "^/opencode/opencode.jsonc"},
};

/* The files whose names end as the path does behind its *. */
static void list_directory(const char *path,
			   void (*found)(void *context, const char *name),
			   void *context)
{
	const char *star = strchr(path, '*');
	char dir[PATH_MAX], name[PATH_MAX];
	struct dirent *entry;
	DIR *d;

	snprintf(dir, sizeof(dir), "%.*s", (int)(star - path), path);
	d = opendir(dir);
	while (d && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name), more = strlen(star + 1);

		if (len > more &&
		    strcmp(entry->d_name + len - more, star + 1) == 0 &&
		    snprintf(name, sizeof(name), "%s%s", dir, entry->d_name) <
			    PATH_MAX)
			found(context, name);
	}
	if (d)
		closedir(d);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

void clients_expand(const char *path, const char *below,
		    void (*found)(void *context, const char *name),
		    void *context)
{
	const char *home = variable("HOME"), *rest = path + 1, *dir;
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
		if (strcmp(path, moved[i].path) == 0 &&
		    (dir = variable(moved[i].variable))) {
			snprintf(name, sizeof(name), "%s%s", dir,
				 strrchr(path, '/'));
			found(context, name);
		}
	if (*path == '^' && (dir = variable("XDG_CONFIG_HOME"))) {
		snprintf(name, sizeof(name), "%s%s", dir, rest);
		found(context, name);
	} else if (*path == '^' && home) {
		snprintf(name, sizeof(name), "%s/.config%s", home, rest);
		found(context, name);
	}
	/* Of Windows, where WSL tells it. */
	if (*path == '^' && (dir = variable("APPDATA"))) {
		snprintf(name, sizeof(name), "%s%s", dir, rest);
		found(context, name);
	}
	if (*path == '^' && home) {
		snprintf(name, sizeof(name), "%s/Library/Application Support%s",
			 home, rest);
		found(context, name);
	} else if (*path == '~' && home) {
		snprintf(name, sizeof(name), "%s%s", home, rest);
		found(context, name);
	} else if (strchr(path, '*')) {
		if (!*below)
			list_directory(*path == '.' ? path + 2 : path, found,
				       context);
	} else if (*path == '.') {
		snprintf(name, sizeof(name), "%s%s", below,
			 *below ? path + 1 : path + 2);
		found(context, name);
	} else if (*path == '/') {
		found(context, path);
	}
}

const struct client *clients_of(const char *path)
{
	const struct client *best = NULL;
	const char *name = strrchr(path, '/');

	for (const struct client *c = clients; c->path; c++) {
		const char *tail = c->path + (*c->path != '/');
		const char *star = strchr(tail, '*');
		const char *end = star ? star + 1 : tail;
		/* A * is all of the last name but its end. */
		size_t dir = star ? (size_t)(star - tail) : 0, len;

		len = strlen(end);
		if (strlen(path) >= len &&
		    strcmp(path + strlen(path) - len, end) == 0 &&
		    (size_t)(name + 1 - path) >= dir &&
		    strncmp(name + 1 - dir, tail, dir) == 0 &&
		    (*c->path != '/' || strlen(path) == len) &&
		    (!best || strlen(c->path) > strlen(best->path)))
			best = c;
	}
	return best;
}
