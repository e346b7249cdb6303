/* SHA-256, against the vectors of FIPS 180-4 and whatever way bytes come. */
#include "unit.h"

#include "../../parser/sha256.h"

static const struct {
	const char *text;
	int times; /* the text, so often */
	const char *hex;
} vectors[] = {
	{"", 1,
	 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", 1,
	 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	 1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	{"aaaaaaaaaa", 100000,
	 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void end(struct sha256 *h, char hex[SHA256_HEX + 1])
{
	unsigned char digest[SHA256_BYTES];

	sha256_end(h, digest);
	sha256_hex(digest, hex);
	hex[SHA256_HEX] = '\0';
}

TEST(known_answers)
{
	char hex[SHA256_HEX + 1];
	struct sha256 h;

	for (size_t i = 0; i < COUNT(vectors); i++) {
		sha256_begin(&h);
		for (int n = 0; n < vectors[i].times; n++)
			sha256_add(&h, vectors[i].text,
				   strlen(vectors[i].text));
		end(&h, hex);
		row_true(vectors[i].text, strcmp(hex, vectors[i].hex) == 0);
	}
}

/* Of each length over two blocks, cut at each byte: always the same. */
TEST(cut_anywhere)
{
	char bytes[130], whole[SHA256_HEX + 1], parts[SHA256_HEX + 1];
	struct sha256 h;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		sha256_begin(&h);
		sha256_add(&h, bytes, len);
		end(&h, whole);
		for (size_t cut = 0; cut <= len; cut++) {
			sha256_begin(&h);
			sha256_add(&h, bytes, cut);
			sha256_add(&h, bytes + cut, len - cut);
			end(&h, parts);
			assert_string_equal(parts, whole);
		}
	}
}

/* Fields that meet in the same bytes are different. */
TEST(fields_keep_apart)
{
	char first[SHA256_HEX + 1], second[SHA256_HEX + 1];
	struct sha256 h;

	sha256_begin(&h);
	sha256_field(&h, "ab", 2);
	sha256_field(&h, "c", 1);
	end(&h, first);
	sha256_begin(&h);
	sha256_field(&h, "a", 1);
	sha256_field(&h, "bc", 2);
	end(&h, second);
	assert_string_not_equal(first, second);
}

RUN(NULL, NULL)
