/* The yardstick for reading JSON.  The contract is in simdjson.h. */
#include "simdjson.h"

#include <simdjson.h>

static_assert(YARDSTICK_PADDING >= simdjson::SIMDJSON_PADDING,
	      "room after each text");

void *yardstick_open(size_t len)
{
	auto *parser = new simdjson::dom::parser;

	return parser->allocate(len) ? nullptr : parser;
}

int yardstick_parse(void *parser, const char *text, size_t len)
{
	auto *p = static_cast<simdjson::dom::parser *>(parser);
	simdjson::dom::object top;

	/* false: the text is padded, and is not copied. */
	if (p->parse(text, len, false).get(top))
		return -1;
	return static_cast<int>(top.size());
}

const char *yardstick_kernel(void)
{
	static const std::string name =
		simdjson::get_active_implementation()->name();

	return name.c_str();
}
