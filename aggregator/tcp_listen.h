/* aggregator/tcp_listen.h - from a name and a port to a listening socket */
#ifndef NETTO_AGGREGATOR_TCP_LISTEN_H
#define NETTO_AGGREGATOR_TCP_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct tcp_listener {
	int fd;                  /* the caller's to close */
	bool loopback;           /* only this machine can reach it */
	char address[INET6_ADDRSTRLEN + sizeof("[]:65535")];   /* 127.0.0.1:24040, [::1]:24040 */
};

/* Listen on the first address of name that this machine has; port 0: any free
 * one. 0; -ENOENT: the name does not resolve; -ENOMEM; -EADDRINUSE and other
 * -errno of socket, bind, listen. */
int tcp_listen(struct tcp_listener *listener, const char *name, uint16_t port);

#endif
