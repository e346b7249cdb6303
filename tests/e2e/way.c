/* The prefix and LD_PRELOAD.  The contract is in way.h. */
#include "way.h"

#include "harness.h"

const char *preload, *faulty_weir;

static const struct {
	const char *word, *letter, *variable;
	bool flag;
} options[] = {
	{"--policy", "-p", "WEIR_POLICY", false},
	{"--lock", "", "WEIR_LOCK", false},
	{"--log", "-l", "WEIR_LOG", false},
	{"--grant", "-g", "WEIR_GRANT", false},
	{"--state", "-s", "WEIR_STATE", false},
	{"--max-line", "", "WEIR_MAX_LINE", false},
	{"--observe", "-n", "WEIR_OBSERVE", true},
	{"--log-args", "", "WEIR_LOG_ARGS", false},
	{"--log-required", "", "WEIR_LOG_REQUIRED", true},
};

static bool is_any(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

/* The word starts no server, and neither does anything behind it. */
static bool is_verb(const char *word)
{
	return is_any(word, WORDS("check", "explain", "test", "limits", "log",
				  "scan", "wrap", "unwrap", "approve", "help",
				  "--help", "-h", "--version", "-V"));
}

/* Notes the option at argv, and says how many words it is. */
static int note(const char *const *argv, const char **values)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		size_t len = strlen(options[i].word);

		if (strncmp(*argv, options[i].word, len) == 0 &&
		    (*argv)[len] == '=') {
			values[i] = *argv + len + 1;
			return 1;
		}
		if (!is_any(*argv, WORDS(options[i].word, options[i].letter)))
			continue;
		if (options[i].flag)
			values[i] = "1";
		else if (i == 0 && values[i])
			values[i] = text("%s:%s", values[i], argv[1]);
		else
			values[i] = argv[1];
		return options[i].flag ? 1 : 2;
	}
	check(false, "%s: no variable does the same", *argv);
	return 0;
}

/* What stands for it where weir is preloaded; NULL: it is not weir. */
static const char *library_for(const char *word)
{
	if (!preload)
		return NULL;
	if (strcmp(word, weir) == 0)
		return preload;
	return faulty_weir && strcmp(word, faulty_weir) == 0 ? faulty_weir
							     : NULL;
}

/* Is there an LD_PRELOAD? */
static bool has_list(const char *const *env)
{
	while (env && *env && strncmp(*env, "LD_PRELOAD=", 11) != 0)
		env++;
	return env && *env;
}

void way_apply(const char *const **argv, const char *const **env)
{
	const char *values[COUNT(options)] = {NULL};
	const char *words[COUNT(options) + 2] = {NULL};
	const char *const *word = *argv;
	const char *library = library_for(*word);
	size_t count = 0;

	if (!library || !*++word || is_verb(*word))
		return;
	while (*word && **word == '-' && strcmp(*word, "--") != 0)
		word += note(word, values);
	if (*word && strcmp(*word, "--") == 0)
		word++;
	if (!*word)
		return;
	if (!has_list(*env))
		words[count++] = text("LD_PRELOAD=%s", library);
	for (size_t i = 0; i < COUNT(options); i++)
		if (values[i])
			words[count++] =
				text("%s=%s", options[i].variable, values[i]);
	*env = join(words, *env ? *env : WORDS(NULL));
	*argv = word;
}

const char *const *way_words(const char *const *argv)
{
	const char *const *env = NULL;

	way_apply(&argv, &env);
	return env ? join(WORDS("env"), join(env, argv)) : argv;
}

void prefix_only(const char *why)
{
	if (!preload)
		return;
	print_message("of the prefix alone: %s\n", why);
	skip();
}

int signalled(int number)
{
	return preload ? -number : 128 + number;
}
