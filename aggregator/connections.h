/* aggregator/connections.h - which connection goes when there are too many, or one is too slow
 *
 * Accepting never stops: whoever holds connections open can only push out the
 * oldest ones, mostly their own, while an honest request is over within a
 * millisecond. A connection that goes is shut down; its owner finds it at its
 * end and closes it, in the next turn of the loop.
 */
#ifndef NETTO_AGGREGATOR_CONNECTIONS_H
#define NETTO_AGGREGATOR_CONNECTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTIONS_MAX 64           /* at once */
#define CONNECTIONS_KEPT 48          /* from here on the oldest goes: to close takes a turn */
#define CONNECTIONS_PER_ADDRESS 16   /* of these from one address */

struct connection {
	bool used;
	bool cut;                  /* shut down, its owner will find out */
	int fd;                    /* the owner's */
	uint64_t since_ms;         /* connected, or its last answer complete */
	struct in6_addr address;   /* an IPv4 one as the last four bytes */
};

struct connections {
	struct connection slots[CONNECTIONS_MAX];
	size_t count;
};

/* Make room and add one. The caller never has more than CONNECTIONS_MAX. */
struct connection *connections_add(struct connections *connections, uint64_t now_ms,
				   const struct in6_addr *address, int fd);

/* Its answer is complete: the time for the next request begins. */
void connections_renew(struct connection *connection, uint64_t now_ms);

/* Shut down those whose request has lasted limit_ms or more. */
void connections_expire(struct connections *connections, uint64_t now_ms, uint64_t limit_ms);

void connections_remove(struct connections *connections, struct connection *connection);

#endif
