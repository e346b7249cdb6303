/* SHA-256.  The contract is in sha256.h; sections are of FIPS 180-4. */
#include "sha256.h"

#include <string.h>

/* The first 32 bits of the fractions of the cube roots of the first 64 primes
 * (4.2.2). */
static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, unsigned by)
{
	return x >> by | x << (32 - by);
}

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(x >> (24 - 8 * i));
}

/* Round k of eight.  The variables a to h change names with each, and stay
 * where they are: two get new values. */
static inline void step(uint32_t s[8], unsigned k, uint32_t more)
{
	uint32_t a = s[(8 - k) & 7], b = s[(9 - k) & 7], c = s[(10 - k) & 7];
	uint32_t *d = &s[(11 - k) & 7], *h = &s[(15 - k) & 7];
	uint32_t e = s[(12 - k) & 7], f = s[(13 - k) & 7], g = s[(14 - k) & 7];
	uint32_t x = *h + more + ((e & f) ^ (~e & g)) +
		     (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25));

	*d += x;
	*h = x + ((a & b) ^ (a & c) ^ (b & c)) +
	     (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22));
}

/* One block of 64 bytes (6.2.2).  s[0] to s[7] are a to h there. */
static void digest_block(uint32_t state[8], const unsigned char *block)
{
	uint32_t w[64], s[8];

	for (size_t i = 0; i < 16; i++)
		w[i] = get32(block + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		a = turn(a, 7) ^ turn(a, 18) ^ a >> 3;
		b = turn(b, 17) ^ turn(b, 19) ^ b >> 10;
		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
	memcpy(s, state, sizeof(s));
	for (size_t i = 0; i < 64; i += 8) {
		step(s, 0, constants[i] + w[i]);
		step(s, 1, constants[i + 1] + w[i + 1]);
		step(s, 2, constants[i + 2] + w[i + 2]);
		step(s, 3, constants[i + 3] + w[i + 3]);
		step(s, 4, constants[i + 4] + w[i + 4]);
		step(s, 5, constants[i + 5] + w[i + 5]);
		step(s, 6, constants[i + 6] + w[i + 6]);
		step(s, 7, constants[i + 7] + w[i + 7]);
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

void sha256_begin(struct sha256 *h)
{
	/* The same of the square roots of the first 8 primes (5.3.3). */
	static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
					  0xa54ff53a, 0x510e527f, 0x9b05688c,
					  0x1f83d9ab, 0x5be0cd19};

	memcpy(h->state, first, sizeof(first));
	h->len = 0;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	while (len > 0) {
		size_t used = h->len % sizeof(h->block);
		size_t part = sizeof(h->block) - used;

		part = part < len ? part : len;
		memcpy(h->block + used, p, part);
		h->len += part;
		p += part;
		len -= part;
		if (used + part == sizeof(h->block))
			digest_block(h->state, h->block);
	}
}

void sha256_end(struct sha256 *h, unsigned char digest[SHA256_BYTES])
{
	static const unsigned char pad[64] = {0x80};
	const uint64_t bits = h->len * 8;
	unsigned char length[8];

	put32(length, (uint32_t)(bits >> 32));
	put32(length + 4, (uint32_t)bits);
	/* A one, zeros up to 8 bytes before the end of a block (5.1.1). */
	sha256_add(h, pad, 1 + (119 - h->len % 64) % 64);
	sha256_add(h, length, sizeof(length));
	for (size_t i = 0; i < 8; i++)
		put32(digest + 4 * i, h->state[i]);
}

void sha256_field(struct sha256 *h, const void *bytes, size_t len)
{
	unsigned char length[8];

	put32(length, (uint32_t)((uint64_t)len >> 32));
	put32(length + 4, (uint32_t)len);
	sha256_add(h, length, sizeof(length));
	sha256_add(h, bytes, len);
}

void sha256_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX])
{
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
}
