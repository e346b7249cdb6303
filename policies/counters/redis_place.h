/*
 * redis_place - where a Redis is, and what it wants to be told first: a URL,
 * and a file with a password.
 */
#ifndef POLICIES_REDIS_PLACE_H
#define POLICIES_REDIS_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define REDIS_PORT        6379
#define REDIS_DB_MOST     1000000
#define REDIS_ADDRESSES   8   /* of one name that are tried */
#define REDIS_HOST_MOST   255 /* bytes */
#define REDIS_USER_MOST   128 /* the same */
#define REDIS_SECRET_MOST 512

struct redis_address {
	struct sockaddr_storage at;
	socklen_t len;
};

struct redis_place {
	char host[REDIS_HOST_MOST + 1]; /* that has no address yet; or "" */
	int port;
	struct redis_address addresses[REDIS_ADDRESSES];
	size_t count;
	int db;
	char user[REDIS_USER_MOST + 1];     /* or "" */
	char secret[REDIS_SECRET_MOST + 1]; /* or "" */
};

/* Reads the URL.  False: why has the reason, of a text of at most room
 * bytes. */
bool redis_place_read(struct redis_place *place, const char *url, char *why,
		      size_t room);

/* Looks up a host that the URL names, which may take long.  False: why. */
bool redis_place_find(struct redis_place *place, char *why, size_t room);

/* Reads the password from the file, which only this user may read.  False: why,
 * and the one before is kept. */
bool redis_place_secret(struct redis_place *place, const char *file, char *why,
			size_t room);

#endif
