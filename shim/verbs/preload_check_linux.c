/* weir check --preload on Linux.  The contract is in preload_check.h. */
#include "preload_check.h"

#include "../program.h"
#include "../report.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_HEAD  256 /* bytes of a "#!" line that the kernel reads */
#define SCRIPTS_MOST 5   /* that the kernel follows, each run by the next */

/* What is known so far. */
struct answer {
	int status;
	char path[PATH_MAX]; /* the file that decided */
	bool runs;       /* it is the interpreter of the command, a script */
	const char *why; /* what the file is or has, as a verb phrase */
};

static void say(struct answer *a, int status, const char *why)
{
	a->status = status;
	a->why = why;
}

/* ---- what it is ------------------------------------------------------ */

static bool read_at(int fd, void *to, size_t len, off_t at)
{
	return pread(fd, to, len, at) == (ssize_t)len;
}

/* The header of this program, built for the same machine as libweir.so. */
static bool read_own(ElfW(Ehdr) * own)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool done = fd >= 0 && read_at(fd, own, sizeof(*own), 0);

	if (fd >= 0)
		close(fd);
	return done;
}

static bool same_machine(const ElfW(Ehdr) * header, const ElfW(Ehdr) * own)
{
	return header->e_ident[EI_CLASS] == own->e_ident[EI_CLASS] &&
	       header->e_ident[EI_DATA] == own->e_ident[EI_DATA] &&
	       header->e_machine == own->e_machine;
}

/* The loader that the program names, or "".  False: it cannot be read. */
static bool find_loader(int fd, const ElfW(Ehdr) * header,
			char loader[PATH_MAX])
{
	loader[0] = '\0';
	for (unsigned i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) part;
		off_t at = (off_t)(header->e_phoff + i * sizeof(part));
		size_t len;

		if (!read_at(fd, &part, sizeof(part), at))
			return false;
		if (part.p_type != PT_INTERP)
			continue;
		len = part.p_filesz < PATH_MAX ? part.p_filesz : PATH_MAX - 1;
		loader[len] = '\0';
		return read_at(fd, loader, len, (off_t)part.p_offset);
	}
	return true;
}

static void weigh_loader(struct answer *a, const char *loader)
{
	static const char glibc[][9] = {"ld-linux", "ld64.so", "ld.so"};
	const char *slash = strrchr(loader, '/');
	const char *name = slash ? slash + 1 : loader;

	if (strncmp(name, "ld-musl", strlen("ld-musl")) == 0) {
		say(a, PRELOAD_NO, "uses musl, which cannot load it");
		return;
	}
	for (size_t i = 0; i < sizeof(glibc) / sizeof(glibc[0]); i++)
		if (strncmp(name, glibc[i], strlen(glibc[i])) == 0) {
			say(a, PRELOAD_YES, "is linked dynamically");
			return;
		}
	say(a, PRELOAD_UNKNOWN, "has a loader that weir does not know");
}

static void weigh_program(struct answer *a, int fd)
{
	char loader[PATH_MAX];
	ElfW(Ehdr) header, own;
	struct stat st;

	if (!read_at(fd, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		say(a, PRELOAD_UNKNOWN,
		    "is neither a program nor a script that names its interpreter");
	else if (!read_own(&own))
		say(a, PRELOAD_UNKNOWN,
		    "cannot be compared with libweir.so: /proc/self/exe cannot "
		    "be read");
	else if (!same_machine(&header, &own))
		say(a, PRELOAD_NO,
		    "is for another kind of machine than libweir.so");
	else if (!find_loader(fd, &header, loader) || fstat(fd, &st) != 0)
		say(a, PRELOAD_UNKNOWN, "is truncated or cannot be read");
	else if (!loader[0])
		say(a, PRELOAD_NO, "is linked statically");
	/* ld.so(8), secure-execution mode: no path in LD_PRELOAD counts. */
	else if (st.st_mode & (S_ISUID | S_ISGID))
		say(a, PRELOAD_NO, "is set-user-ID or set-group-ID");
	else if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		say(a, PRELOAD_NO, "has its own capabilities");
	else
		weigh_loader(a, loader);
}

/* The interpreter of a script that begins with head.  False: it is none. */
static bool find_interpreter(char *head, char path[PATH_MAX])
{
	char *from = head + 2 + strspn(head + 2, " \t");

	if (strncmp(head, "#!", 2) != 0)
		return false;
	from[strcspn(from, " \t\n")] = '\0';
	snprintf(path, PATH_MAX, "%s", from);
	return *from;
}

/* Judges the file at a->path.  True: it is a script, and a->path is now its
 * interpreter. */
static bool follow(struct answer *a)
{
	int fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[SCRIPT_HEAD + 1] = "";
	bool script = false;

	if (fd < 0 || pread(fd, head, SCRIPT_HEAD, 0) < 0)
		say(a, PRELOAD_UNKNOWN, "cannot be read");
	else if (!find_interpreter(head, a->path))
		weigh_program(a, fd);
	else if (!program_runs(a->path))
		say(a, PRELOAD_UNKNOWN, "cannot be run");
	else
		script = a->runs = true;
	if (fd >= 0)
		close(fd);
	return script;
}

static void weigh(struct answer *a)
{
	for (int i = 0; i <= SCRIPTS_MOST; i++)
		if (!follow(a))
			return;
	say(a, PRELOAD_UNKNOWN, "is reached through too many scripts");
}

/* ---- the verb -------------------------------------------------------- */

int preload_check_run(const char *command)
{
	struct answer a = {.status = PRELOAD_UNKNOWN};
	const char *and;

	if (!program_find(command, a.path)) {
		report("%s: no such command", command);
		return PRELOAD_UNKNOWN;
	}
	weigh(&a);
	and = a.runs ? " runs it, and" : "";
	if (a.status == PRELOAD_YES)
		printf("%s: loads libweir.so: %s%s %s\n", command, a.path, and,
		       a.why);
	else if (a.status == PRELOAD_NO)
		printf("%s: does not load libweir.so, and nothing would be "
		       "enforced: %s%s %s. Put weir before it: weir -p POLICY "
		       "-- %s\n",
		       command, a.path, and, a.why, command);
	else
		printf("%s: cannot tell: %s%s %s. To be sure, put weir before "
		       "it: weir -p POLICY -- %s\n",
		       command, a.path, and, a.why, command);
	return a.status;
}
