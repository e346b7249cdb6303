/*
 * A client's configuration: it is refused, or wrapping and unwrapping gives it
 * back, byte for byte; read as TOML or YAML, it is only read.
 */
#include "../unit/wrapped.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = exact(data, size);
	struct servers s;

	text[size] = '\0';
	must(wrapped_holds(text, size));
	must(servers_read_toml(&s, text, NULL));
	servers_free(&s);
	must(servers_read_yaml(&s, text, NULL));
	servers_free(&s);
	free(text);
	return 0;
}
