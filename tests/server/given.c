/* What a program is given by whoever starts it. */
#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *text;
static size_t text_len;

static void put_strings(FILE *f, const char *key, char **strings)
{
	fprintf(f, "\"%s\":[", key);
	for (char **s = strings; *s; s++) {
		fputs(s == strings ? "" : ",", f);
		put_string(f, *s, strlen(*s));
	}
	fputs("],", f);
}

/* Each with the flags of its description that a starter could have set. */
static void put_descriptors(FILE *f)
{
	DIR *dir = opendir("/proc/self/fd");
	bool open[256] = {false};
	struct dirent *e;
	const char *comma = "";

	while (dir && (e = readdir(dir))) {
		int fd = atoi(e->d_name);

		if (e->d_name[0] != '.' && fd != dirfd(dir) && fd < 256)
			open[fd] = true;
	}
	if (dir)
		closedir(dir);
	fputs("\"descriptors\":[", f);
	for (int fd = 0; fd < 256; fd++) {
		if (!open[fd])
			continue;
		fprintf(f, "%s\"%d%s\"", comma, fd,
			fcntl(fd, F_GETFL) & O_NONBLOCK ? " non-blocking" : "");
		comma = ",";
	}
	fputs("],", f);
}

/* The signal sets and the umask, as the kernel prints them. */
static void put_status(FILE *f)
{
	static const char *const keys[] = {"SigPnd:", "ShdPnd:", "SigBlk:",
					   "SigIgn:", "SigCgt:", "Umask:"};
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	fputs("\"status\":[\"\"", f);
	while (status && fgets(line, sizeof(line), status))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (strncmp(line, keys[i], strlen(keys[i])) != 0)
				continue;
			putc(',', f);
			put_string(f, line, strlen(line) - 1);
		}
	if (status)
		fclose(status);
	fputs("],", f);
}

/* Has it children already, and does it adopt its children's? */
static void put_children(FILE *f)
{
	siginfo_t ended = {.si_pid = 0};
	int reaper = 0;
	bool any = waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 ||
		   errno != ECHILD;

	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	fprintf(f, "\"children\":%s,\"reaper\":%d,", any ? "true" : "false",
		reaper);
}

void given_note(char **argv)
{
	FILE *f = open_memstream(&text, &text_len);
	char *dir = getcwd(NULL, 0);

	if (!f || !dir)
		exit(2);
	putc('{', f);
	put_descriptors(f);
	put_strings(f, "arguments", argv);
	put_strings(f, "environment", environ);
	put_status(f);
	put_children(f);
	fprintf(f, "\"group\":%d,\"session\":%d,\"directory\":", getpgrp(),
		getsid(0));
	put_string(f, dir, strlen(dir));
	putc('}', f);
	fclose(f);
	free(dir);
}

void given_put(FILE *f)
{
	fwrite(text, 1, text_len, f);
}
