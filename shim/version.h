/* version - which weir this is: a tag, or the version to come and a commit. */
#ifndef SHIM_VERSION_H
#define SHIM_VERSION_H

extern const char version[];

#endif
