/* Every form of block in which a gzip may pack the manual. */
#include "unit.h"

#include "../../shim/verbs/unpack.h"

#define LONG                                                                   \
	"a weir, a weir, a weir: "                                             \
	"----------------------------------------------------------------"     \
	"----------------------------------------------------------------"     \
	"----------------------------------------------------------------"     \
	"----------------------------------------------------------------"     \
	"--------------------------------------------\n"
#define LETTERS "aaaabaaacaaaadaaaabaaaaaaacaaaaaaaebaaaaaaaaabacaaaaaad"

static const struct {
	const char *name, *hex, *text;
} rows[] = {
	{"stored", "010700f8ff6120776569720a", "a weir\n"},
	{"stored, empty, stored, as pigz has it",
	 "000200fdff6120000000ffff010500faff776569720a", "a weir\n"},
	{"fixed codes", "4b54284fcd2cd2514844a1ad14744701d1800b00", LONG},
	{"own codes",
	 "05c1010100300cc320ada4bb7f0b070883830003bc0064c041181c0418e00520030ec2"
	 "e020c0002f00197010060701067801c880fb",
	 LETTERS LETTERS LETTERS LETTERS},
	{"fixed codes, in two blocks, the second from inside a byte",
	 "4a54284fcd2cd25100000000ffff4b44a1ad14744701d1800b00", LONG},
};

TEST(all_forms)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t len = strlen(rows[i].hex) / 2;
		unsigned char packed[128];
		char text[512] = "";

		for (size_t k = 0; k < len; k++) {
			char byte[] = {rows[i].hex[2 * k],
				       rows[i].hex[2 * k + 1], '\0'};

			packed[k] = (unsigned char)strtoul(byte, NULL, 16);
		}
		unpack(packed, text);
		row_true(rows[i].name, strcmp(text, rows[i].text) == 0);
	}
}

RUN(NULL, NULL)
