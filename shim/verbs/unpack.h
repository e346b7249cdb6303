/*
 * unpack - what gzip has packed (RFC 1951), as the build packs the manual.
 */
#ifndef SHIM_VERBS_UNPACK_H
#define SHIM_VERBS_UNPACK_H

/* Unpacks what stands behind a gzip header to where there is room for all of
 * it.  It is the build's own: no byte of it is doubted. */
void unpack(const unsigned char *from, char *to);

#endif
