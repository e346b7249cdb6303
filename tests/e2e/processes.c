/* What tests of processes share.  The contract is in processes.h. */
#include "processes.h"

#include "answers.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char policy[] = "'default':'deny','tools':{'echo':{}}";

const char *const *behind_weir(const char *const *command)
{
	const char *at = path("policy");

	/* Once: somebody may be reading it. */
	if (!exists(at))
		policy_of(policy);
	return join(WORDS(weir, "-p", at, "--"), command);
}

int number_of(struct proc *p, const char *key)
{
	const char *line = proc_line(p), *at;

	check(line, "there is no more output; stderr: %s", p->told.ptr);
	at = strstr(line, text("\"%s\":", key));
	check(at, "%s was expected: %s", key, line);
	return atoi(strchr(at, ':') + 1);
}

int server_pid(struct proc *p)
{
	proc_send(p, request("1", "test/now", NULL));
	return number_of(p, "pid");
}

size_t proc_read(pid_t pid, const char *name, char *buf, size_t size)
{
	char at[64];
	size_t got = 0;
	FILE *f;

	if (strcmp(name, "children") == 0)
		snprintf(at, sizeof(at), "/proc/%d/task/%d/children", pid, pid);
	else
		snprintf(at, sizeof(at), "/proc/%d/%s", pid, name);
	f = fopen(at, "re");
	if (f) {
		got = fread(buf, 1, size - 1, f);
		fclose(f);
	}
	buf[got] = '\0';
	return got;
}

char state_of(pid_t pid)
{
	char buf[1024];
	const char *name_end;

	proc_read(pid, "stat", buf, sizeof(buf));
	name_end = strrchr(buf, ')');
	return name_end ? name_end[2] : '-';
}

void await_state(pid_t pid, const char *letters)
{
	await(strchr(letters, state_of(pid)), "process %d: state %c, not %s",
	      pid, state_of(pid), letters);
}

long memory_of(pid_t pid, bool peak)
{
	char buf[8192];
	const char *at;

	proc_read(pid, "status", buf, sizeof(buf));
	at = strstr(buf, peak ? "VmHWM:" : "VmRSS:");
	check(at, "process %d has no memory", pid);
	return atol(at + 6);
}

int descriptors_of(pid_t pid)
{
	char at[64];
	int count = -2; /* . and .. */
	DIR *dir;

	snprintf(at, sizeof(at), "/proc/%d/fd", pid);
	dir = opendir(at);
	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

int64_t cpu_of(pid_t pid)
{
	char buf[128];

	proc_read(pid, "schedstat", buf, sizeof(buf));
	return strtoll(buf, NULL, 10);
}

void await_rest(pid_t pid)
{
	enum { LOOKS = 8 };
	int64_t until = milliseconds() + DEADLINE, was = -1, now;

	for (int same = 0; same < LOOKS; was = now) {
		check(milliseconds() < until, "process %d never rests", pid);
		now = cpu_of(pid);
		same = now == was ? same + 1 : 0;
		poll(NULL, 0, 1);
	}
}

size_t proc_fill(struct proc *p, struct bytes lines)
{
	size_t sent = 0;

	for (int still = 0; still < STILL;) {
		size_t at = sent % lines.len;
		ssize_t put = write(p->in, lines.ptr + at, lines.len - at);

		if (put == 0 || (put < 0 && errno != EAGAIN))
			break;
		sent += put > 0 ? (size_t)put : 0;
		still = put > 0 ? 0 : still + 1;
		if (put < 0)
			nap();
	}
	return sent;
}

int held(int fd)
{
	int bytes = -1;

	ioctl(fd, FIONREAD, &bytes);
	return bytes;
}

int descendants_of(pid_t pid)
{
	char buf[65536];
	char *at = buf, *next;
	int count = 0;
	long child;

	proc_read(pid, "children", buf, sizeof(buf));
	while ((child = strtol(at, &next, 10)) > 0 && next > at) {
		at = next;
		count += 1 + descendants_of((pid_t)child);
	}
	return count;
}

void await_descendants(pid_t pid, int count)
{
	await(descendants_of(pid) == count, "%d processes, not %d",
	      descendants_of(pid), count);
}

void open_as_user(void)
{
	prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE);
	prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH);
}

void fullness_untold(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FIONREAD, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {COUNT(code), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}
