/* check --preload: which commands would load libweir.so.  What the programs
 * are is patched into copies of one that loads it. */
#include "answers.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { YES, NO, UNKNOWN };

/* ---- programs -------------------------------------------------------- */

struct program {
	char *ptr;
	size_t len;
	ElfW(Ehdr) * header;
	ElfW(Phdr) * loader; /* the part that names it */
};

static struct program server_program(void)
{
	struct bytes b = content(server);
	struct program p = {.ptr = b.ptr, .len = b.len};
	ElfW(Phdr) * part;

	p.header = (void *)p.ptr;
	part = (void *)(p.ptr + p.header->e_phoff);
	for (int i = 0; i < p.header->e_phnum && !p.loader; i++)
		if (part[i].p_type == PT_INTERP)
			p.loader = &part[i];
	check(p.loader, "the server is linked statically");
	return p;
}

static const char *save(const char *name, struct program p, mode_t mode)
{
	const char *at = path(name);
	int fd = open(at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	check(fd >= 0 && write(fd, p.ptr, p.len) == (ssize_t)p.len, "%s", at);
	check_equal(fchmod(fd, mode), 0);
	close(fd);
	return at;
}

static void be_plain(struct program *p)
{
	(void)p;
}

static void be_static(struct program *p)
{
	p->loader->p_type = PT_NULL;
}

static void be_other_class(struct program *p)
{
	p->header->e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
}

static void be_other_order(struct program *p)
{
	p->header->e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
}

static void be_other_machine(struct program *p)
{
	p->header->e_machine = EM_VAX;
}

static void name_loader(struct program *p, const char *name)
{
	check(strlen(name) < p->loader->p_filesz, "%s is too long", name);
	strcpy(p->ptr + p->loader->p_offset, name);
}

static void be_musl(struct program *p)
{
	name_loader(p, "/lib/ld-musl-x.so.1");
}

static void be_foreign(struct program *p)
{
	name_loader(p, "/x/loader.so");
}

static void be_cut(struct program *p)
{
	p->len = sizeof(*p->header) - 1;
}

static void be_cut_later(struct program *p)
{
	p->len = p->header->e_phoff + 1;
}

static void be_none(struct program *p)
{
	p->ptr[0] = 'x';
}

static const struct {
	const char *name;
	void (*be)(struct program *p);
	mode_t mode;
	int status;
	const char *says;
} programs[] = {
	{"plain", be_plain, 0755, YES, "dynamically"},
	{"static", be_static, 0755, NO, "statically"},
	{"other-class", be_other_class, 0755, NO, "machine"},
	{"other-order", be_other_order, 0755, NO, "machine"},
	{"other-machine", be_other_machine, 0755, NO, "machine"},
	{"musl", be_musl, 0755, NO, "musl"},
	{"foreign", be_foreign, 0755, UNKNOWN, "loader"},
	{"set-user-id", be_plain, 04755, NO, "set-user-ID"},
	{"set-group-id", be_plain, 02755, NO, "set-group-ID"},
	{"cut", be_cut, 0755, UNKNOWN, "neither"},
	{"cut-later", be_cut_later, 0755, UNKNOWN, "truncated"},
	{"none", be_none, 0755, UNKNOWN, "neither"},
};

/* ---- asking ---------------------------------------------------------- */

static void check_loads(const char *command, int status, const char *says)
{
	struct proc *p =
		proc_run(WORDS(weir, "check", "--preload", command, "-x"), "");

	in_case(command);
	check_status(p, status);
	check_has(p->said.ptr, says);
	check(strncmp(p->said.ptr, command, strlen(command)) == 0,
	      "not named: %s", p->said.ptr);
	/* Whoever cannot use it is told what can be. */
	check((status == YES) == !strstr(p->said.ptr, "weir -p POLICY -- "),
	      "the cure, if one is needed: %s", p->said.ptr);
	check_text("stderr", p->told.ptr, "");
}

TEST(of_programs)
{
	for (size_t i = 0; i < COUNT(programs); i++) {
		struct program p = server_program();

		programs[i].be(&p);
		check_loads(save(programs[i].name, p, programs[i].mode),
			    programs[i].status, programs[i].says);
	}
}

/* VFS_CAP_REVISION_2, no capability but CAP_NET_RAW, if it may be given. */
TEST(of_capabilities)
{
	static const unsigned char capable[20] = {0, 0, 0, 2, 0, 0x20};
	const char *at = save("capable", server_program(), 0755);

	if (setxattr(at, "security.capability", capable, sizeof(capable), 0))
		skip();
	check_loads(at, NO, "capabilities");
}

static const char *script(const char *name, const char *head)
{
	const char *at = file(name, head);

	check_equal(chmod(at, 0755), 0);
	return at;
}

TEST(of_scripts)
{
	struct program p = server_program();
	const char *plain = save("plain", p, 0755), *fixed, *chain;

	be_static(&p);
	fixed = save("static", p, 0755);
	check_loads(script("sh", "#!/bin/sh\nexit 0\n"), YES, "/bin/sh");
	check_loads(script("env", "#! \t/usr/bin/env sh\n"), YES,
		    "/usr/bin/env");
	check_loads(script("ends", "#!/bin/sh"), YES, "/bin/sh");
	check_loads(script("words", text("#!%s a b\n", plain)), YES, plain);
	check_loads(script("fixed", text("#!%s\n", fixed)), NO, "statically");
	check_loads(script("lost", "#!/no/such/program\n"), UNKNOWN,
		    "/no/such/program");
	check_loads(script("nothing", "#!\n"), UNKNOWN, "neither");
	check_loads(script("text", "exit 0\n"), UNKNOWN, "neither");
	check_loads(script("empty", ""), UNKNOWN, "neither");
	/* As many as the kernel follows, and one more. */
	chain = fixed;
	for (int i = 0; i < 6; i++) {
		chain = script(text("chain-%d", i), text("#!%s\n", chain));
		check_loads(chain, i < 5 ? NO : UNKNOWN,
			    i < 5 ? "statically" : "too many");
	}
}

/* As execvp() finds them: what cannot be run is passed over. */
TEST(in_path)
{
	const char *places[] = {path("a"), path("b")};
	struct how how = {.env = WORDS(text("PATH=%s::%s:%s", path("none"),
					    places[0], places[1]))};
	struct program p = server_program();
	static const struct {
		const char *name;
		int status;
		const char *at;
	} rows[] = {{"one", YES, "/a/one "},
		    {"two", NO, "/b/two "},
		    {"three", UNKNOWN, ""},
		    {"", UNKNOWN, ""}};

	for (int i = 0; i < 2; i++)
		check_equal(mkdir(places[i], 0700), 0);
	save("a/one", p, 0755);
	be_static(&p);
	save("b/one", p, 0755);
	save("a/two", p, 0644);
	save("b/two", p, 0755);
	check_equal(mkdir(path("b/three"), 0755), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc *ask = proc_start_how(
			WORDS(weir, "check", "--preload", rows[i].name), &how);

		in_case(rows[i].name);
		check_status(ask, rows[i].status);
		check_has(ask->said.ptr, rows[i].at);
		check_equal(weir_lines(ask->told.ptr), !*rows[i].at);
	}
}

/* An empty word in PATH is the working directory. */
TEST(in_working_directory)
{
	char *full = realpath(weir, NULL);
	struct proc *p;

	check(full, "%s", weir);
	save("here", server_program(), 0755);
	p = proc_run(WORDS("sh", "-c",
			   "cd \"$1\"; PATH=/x: exec \"$0\" check "
			   "--preload here",
			   text("%s", full), path("")),
		     "");
	free(full);
	check_status(p, YES);
	check_has(p->said.ptr, ": here ");
}

/* Nothing is there to compare it with. */
TEST(without_proc)
{
	const char *const *apart =
		WORDS("unshare", "-r", "-m", "sh", "-c",
		      "mount -t tmpfs none /proc && exec \"$@\"", "sh");
	struct proc *p;

#ifdef __SANITIZE_ADDRESS__
	skip(); /* it cannot start without /proc itself */
#endif
	can_only(apart);
	p = proc_run(join(apart, WORDS(weir, "check", "--preload", "sh")), "");
	check_status(p, UNKNOWN);
	check_has(p->said.ptr, "/proc/self/exe cannot be read");
}

TEST(which_command)
{
	struct proc *p = proc_run(WORDS(weir, "check", "--preload"), "");

	check_status(p, 2);
	check_equal(weir_lines(p->told.ptr), 1);
	check_text("stdout", p->said.ptr, "");
}
