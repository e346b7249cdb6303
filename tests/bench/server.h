/* server - what it says to each call (server.c). */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#define RESULT                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":"    \
	"\"text\",\"text\":\"done\"}],\"isError\":false}}\n"
#define RESULT_BYTES (sizeof(RESULT) - 1)

#endif
