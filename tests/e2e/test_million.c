/*
 * A million messages of every kind, and not one allocation.
 *
 * The server is sed, which says what it hears: so what the client sends as an
 * answer comes back as the server's.  Two words make it say something else.
 */
#include "answers.h"
#include "../fault/count.h"
#include "processes.h"
#include "way.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifndef ASAN
#define ASAN 0
#endif

#define BLOCK 1000 /* messages that are sent at once */

static const char policy[] =
	"'default':'deny','hide':['secret_*'],'all_tools':{"
	"'rate_limit':{'max':1000000,'window':60}},'tools':{'echo':{},"
	"'pay':{'require':[{'path':'args.to','op':'regex',"
	"'value':'^[a-z]+@(x|y)+$'}],'deny_if':[{'path':'args.amount',"
	"'op':'gt','value':1000.5}],'limits':[{'max':10,"
	"'window':'minute','counter':'c'}]},'ask':{'action':"
	"'require_approval'}},'prompts':{'no_*':{'action':'hide'}}";

/* What each kind of message is, and how many lines the client gets for it. */
static const struct {
	const char *line; /* with the number of the message */
	int lines;
} kinds[] = {
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":"
	 "{\"name\":\"echo\",\"arguments\":{}}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":"
	 "{\"name\":\"remove\"}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":\"%d\",\"method\":\"tools/call\","
	 "\"params\":{\"name\":\"secret_door\"}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":"
	 "{\"name\":\"pay\",\"arguments\":{\"to\":\"ann@xxyx\",\"amount\":"
	 "10}}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/list\"}\n", 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"tools\":[{\"name\":"
	 "\"echo\"},{\"name\":\"secret_door\",\"inputSchema\":{}},{\"name\":"
	 "\"pay\"}]}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"}\r\n", 1},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
	 "\"params\":{\"token\":%d}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"\n", 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"noise\"}\n", 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"prompts/list\"}\n", 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"prompts\":[{\"name\":"
	 "\"no_way\"}]}}\n",
	 1},
	{" \t\r\n", 0},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":"
	 "\"echo\",\"_meta\":%d}}\n",
	 0},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"resources/read\","
	 "\"params\":{\"uri\":\"file:///x\"}}\n",
	 1},
	/* A call that is held, and given up; one that is to be repeated.  Once
	 * a person was asked too often, each has another line as its answer. */
	{"{\"jsonrpc\":\"2.0\",\"id\":\"h%d\",\"method\":\"tools/call\","
	 "\"params\":{\"name\":\"ask\",\"_meta\":{\"progressToken\":1}}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
	 "\"params\":{\"requestId\":\"h%d\"}}\n",
	 1},
	{"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":"
	 "{\"name\":\"ask\",\"arguments\":{\"a\":1},\"_meta\":{"
	 "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
	 "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}}"
	 "}}}\n",
	 1},
};

/* What the client declares, and what the server answers. */
static const char greeting[] =
	"{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"method\":\"initialize\",\"params\":{"
	"\"capabilities\":{\"elicitation\":{}}}}\n"
	"{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"result\":{\"capabilities\":{}}}\n";
#define GREETED 2 /* lines */

#define ASKS 3 /* of them, at the end */

/* A block of messages; asks: also of those that a person is asked about, which
 * is seldom.  The numbers of a list and of its answer are the same.
 * lines: how many the client gets for it. */
static struct bytes make_block(int *lines, bool asks)
{
	const size_t all = COUNT(kinds) - (asks ? 0 : ASKS);
	struct bytes b = {.ptr = NULL};
	char line[512];

	*lines = 0;
	for (int i = 0; i < BLOCK; i++) {
		size_t kind = (size_t)i % all;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(line, sizeof(line), kinds[kind].line, i / (int)all);
#pragma GCC diagnostic pop
		append_text(&b, line);
		*lines += kinds[kind].lines;
	}
	return b;
}

static int count_lines_of(const struct bytes *b)
{
	int count = 0;

	for (const char *at = b->ptr, *end = b->ptr + b->len;
	     (at = memchr(at, '\n', (size_t)(end - at))); at++)
		count++;
	return count;
}

/* Sends blocks of messages; returns how many lines have come so far. */
static int send_blocks(struct proc *p, int blocks, const struct bytes *block)
{
	int lines = 0;

	for (int i = 0; i < blocks; i++) {
		proc_write(p, block->ptr, block->len);
		lines += count_lines_of(&p->said);
		p->said.len = p->told.len = 0;
	}
	return lines;
}

static const char *const *behind(void)
{
	return join(WEIR(policy, "-l", "/dev/null", "--"),
		    WORDS("sed", "-e", "s/.*noise.*/[INFO] tools: []/"));
}

/* The last lines come when sed has come to its end. */
static void check_rest(struct proc *p, int lines, int want)
{
	check_end(p, 0);
	check_equal(lines + count_lines_of(&p->said), want);
}

TEST(no_allocation)
{
	enum { BLOCKS = 1000 };
	const char *at = path("counts"), *library = getenv("COUNTING");
	struct counts none = {0}, before, after;
	const volatile struct counts *counts;
	int fd = open(at, O_RDWR | O_CREAT | O_CLOEXEC, 0600), lines, of_block;
	int of_first;
	struct bytes first = make_block(&of_first, false);
	struct bytes block = make_block(&of_block, true);
	struct how how = {.env = WORDS(text("LD_PRELOAD=%s:%s",
					    preload ? preload : "", library),
				       text("COUNT_FILE=%s", at))};
	struct proc *p;

	if (ASAN) {
		print_message("not counted: ASan has allocators of its own\n");
		skip();
	}
	check(library, "COUNTING has to name the library");
	if (strcmp(library, "-") == 0) {
		print_message("not counted: a static program takes none\n");
		skip();
	}
	check_equal(write(fd, &none, sizeof(none)), sizeof(none));
	counts = mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	p = proc_start_how(behind(), &how);
	proc_send(p, greeting);
	lines = send_blocks(p, 1, &first);
	proc_more(p, 1);
	before = *counts;
	check(before.allocations > 0 && before.mappings > 0, "not counted");
	lines += send_blocks(p, BLOCKS, &block);
	after = *counts;
	check_equal((long long)(after.allocations - before.allocations), 0);
	check_equal((long long)(after.frees - before.frees), 0);
	check_equal((long long)(after.mappings - before.mappings), 0);
	check_rest(p, lines, GREETED + of_first + BLOCKS * of_block);
	munmap((void *)counts, sizeof(none));
}

/* Lines of the file that begin with the word. */
static int lines_with(const char *at, const char *word)
{
	const char *text = content(at).ptr;
	int count = 0;

	for (; (text = strstr(text, word)); text++)
		count += text[-1] == '\n';
	return count;
}

/* The same seen by the kernel: no system call that changes memory. */
TEST(no_memory_calls)
{
	enum { BLOCKS = 100 };
	const char *at = path("trace");
	const char *const *strace =
		WORDS("strace", "-f", "--seccomp-bpf", "-qq", "-e",
		      "trace=memory", "-o", at);
	struct proc *p = proc_run(join(strace, WORDS("true")), "");
	int lines, of_first, of_block, before;
	struct bytes first = make_block(&of_first, false);
	struct bytes block = make_block(&of_block, true);
	const char *weirs;
	pid_t pid;

	if (ASAN || proc_wait(p) != 0) {
		print_message("not traced: no strace here, or under ASan\n");
		skip();
	}
	p = proc_start(join(strace, way_words(behind())));
	proc_send(p, greeting);
	lines = send_blocks(p, 1, &first);
	proc_more(p, 1);
	pid = atoi(content(at).ptr);
	weirs = text("%d ", preload ? relay_of(pid) : pid);
	before = lines_with(at, weirs);
	/* At least the buffers of both streams. */
	check(before >= 2, "not traced: %s", content(at).ptr);
	lines += send_blocks(p, BLOCKS, &block);
	check_equal(lines_with(at, weirs), before);
	check_rest(p, lines, GREETED + of_first + BLOCKS * of_block);
}
