/*
 * sha256 - SHA-256 (FIPS 180-4) of bytes that come piece by piece.
 *
 *	struct sha256 h;
 *	sha256_begin(&h);
 *	sha256_add(&h, bytes, len);	any number of times
 *	sha256_end(&h, digest);
 *
 * What is made of several fields is to be added with sha256_field(), so that no
 * two lists of fields give the same bytes.
 */
#ifndef PARSER_SHA256_H
#define PARSER_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_HEX   64 /* digits, without a NUL */

struct sha256 {
	uint32_t state[8];
	uint64_t len;            /* bytes added */
	unsigned char block[64]; /* the last len % 64 of them */
};

void sha256_begin(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
void sha256_end(struct sha256 *h, unsigned char digest[SHA256_BYTES]);

/* Adds the length, as 8 bytes, the highest first, and then the bytes. */
void sha256_field(struct sha256 *h, const void *bytes, size_t len);

/* Writes a digest in hexadecimal, in small letters. */
void sha256_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX]);

#endif
