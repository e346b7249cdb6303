/*
 * A line from the client.  One that passes must be, for json-parser too, one
 * object with the same method, name and arguments; and a JSON-RPC message.
 */
#include "../../parser/message.h"
#include "fuzz.h"

/* Its names clash with none of ours, but for the type of a value. */
#include <json-parser/json.h>

static const json_value *member(const json_value *o, const char *key)
{
	const json_value *found = NULL;

	if (!o || o->type != json_object)
		return NULL;
	for (unsigned i = 0; i < o->u.object.length; i++)
		if (strlen(key) == o->u.object.values[i].name_length &&
		    memcmp(o->u.object.values[i].name, key, strlen(key)) == 0) {
			must(!found); /* a key that decides, twice */
			found = o->u.object.values[i].value;
		}
	return found;
}

static void same_text(struct text text, const json_value *v)
{
	char *plain = malloc(text.len + 1);
	ptrdiff_t len = text_decode(text, plain, text.len);

	must(v && v->type == json_string);
	must(len == (ptrdiff_t)v->u.string.length);
	must(memcmp(plain, v->u.string.ptr, (size_t)len) == 0);
	free(plain);
}

static void compare(const struct message *m, const json_value *top)
{
	const json_value *params = member(top, "params");
	const json_value *version = member(top, "jsonrpc");
	const json_value *id = member(top, "id");

	must(top->type == json_object);
	must(version && version->type == json_string &&
	     version->u.string.length == 3 &&
	     memcmp(version->u.string.ptr, "2.0", 3) == 0);
	must(!params || params->type == json_object);
	must((m->kind == MESSAGE_NOTIFICATION) == !id);
	must(!m->id.ptr == (!id || id->type == json_null));
	if (m->kind == MESSAGE_REQUEST || m->kind == MESSAGE_NOTIFICATION)
		must(member(top, "method")->type == json_string);
	else
		must(!member(top, "method"));
	switch (m->method) {
	case METHOD_TOOLS_CALL:
	case METHOD_PROMPTS_GET:
		same_text(m->name, member(params, "name"));
		must(!m->arguments.ptr == !member(params, "arguments"));
		break;
	case METHOD_RESOURCES_READ:
		same_text(m->uri, member(params, "uri"));
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = exact(data, size);
	struct message m;
	struct fault fault;

	message_blank(line, size);
	if (message_read(line, size, &m, &fault)) {
		json_settings settings = {.settings = 0};
		char error[json_error_max];
		json_value *top = json_parse_ex(&settings, line, size, error);

		must(!memchr(line, '\r', size) && !memchr(line, '\n', size));
		must(top || unfit(line, size));
		if (top && !unfit(line, size))
			compare(&m, top);
		if (top)
			json_value_free(top);
	} else {
		must(fault.reason && fault.offset <= size);
	}
	free(line);
	return 0;
}
