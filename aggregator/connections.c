/* connections.c - deadlines, and room for the next client */
#include "connections.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

static void connection_cut(struct connection *c)
{
	c->cut = true;
	(void)shutdown(c->fd, SHUT_RDWR);   /* fails only where the peer has gone already */
}

/* The oldest from address, or from anywhere, and in *count how many there are. */
static struct connection *oldest(struct connections *connections, const struct in6_addr *address,
				 size_t *count)
{
	struct connection *found = NULL;

	*count = 0;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &connections->slots[i];

		if (!c->used || c->cut)
			continue;
		if (address && memcmp(&c->address, address, sizeof(*address)))
			continue;
		++*count;
		if (!found || c->since_ms < found->since_ms)
			found = c;
	}
	return found;
}

static void make_room(struct connections *connections, const struct in6_addr *address)
{
	struct connection *c;
	size_t count;

	c = oldest(connections, address, &count);
	if (count < CONNECTIONS_PER_ADDRESS) {
		c = oldest(connections, NULL, &count);
		if (count < CONNECTIONS_KEPT)
			return;
	}
	connection_cut(c);
}

struct connection *connections_add(struct connections *connections, uint64_t now_ms,
				   const struct in6_addr *address, int fd)
{
	struct connection *c = connections->slots;

	assert(connections->count < CONNECTIONS_MAX);
	make_room(connections, address);
	while (c->used)
		c++;
	*c = (struct connection){ .used = true, .fd = fd, .since_ms = now_ms, .address = *address };
	connections->count++;
	return c;
}

void connections_renew(struct connection *connection, uint64_t now_ms)
{
	connection->since_ms = now_ms;
}

void connections_expire(struct connections *connections, uint64_t now_ms, uint64_t limit_ms)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &connections->slots[i];

		if (c->used && !c->cut && now_ms - c->since_ms >= limit_ms)
			connection_cut(c);
	}
}

void connections_remove(struct connections *connections, struct connection *connection)
{
	connection->used = false;
	connections->count--;
}
