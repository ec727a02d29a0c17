/* tcp_listen.c - resolving at start, binding, and saying where that is */
#include "tcp_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* Descriptor or -errno. */
static int listen_at(const struct addrinfo *at)
{
	int fd, err, on = 1, off = 0;

	fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->ai_family == AF_INET6)   /* "::" means everywhere, whatever the sysctl says */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, at->ai_addr, at->ai_addrlen) && !listen(fd, SOMAXCONN))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* An address in use ends the search: its neighbour is not what was asked for. */
static int listen_by_name(const char *name, uint16_t port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found, *at;
	char service[sizeof("65535")];
	int fd = -ENOENT;

	snprintf(service, sizeof(service), "%u", port);
	switch (getaddrinfo(name, service, &hints, &found)) {
	case 0:
		break;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -ENOENT;
	}
	for (at = found; at; at = at->ai_next) {
		fd = listen_at(at);
		if (fd != -EADDRNOTAVAIL && fd != -EAFNOSUPPORT)
			break;
	}
	freeaddrinfo(found);
	return fd;
}

static bool is_loopback(const union address *address)
{
	const struct in6_addr *six = &address->six.sin6_addr;

	if (address->any.sa_family == AF_INET)
		return ntohl(address->four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(six) ||
	       (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET);
}

static int describe(struct tcp_listener *listener, int fd)
{
	union address address;
	socklen_t bytes = sizeof(address);
	char host[INET6_ADDRSTRLEN];

	if (getsockname(fd, &address.any, &bytes))
		return -errno;
	if (address.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address.four.sin_addr, host, sizeof(host));
		snprintf(listener->address, sizeof(listener->address), "%s:%u", host,
			 ntohs(address.four.sin_port));
	} else {
		inet_ntop(AF_INET6, &address.six.sin6_addr, host, sizeof(host));
		snprintf(listener->address, sizeof(listener->address), "[%s]:%u", host,
			 ntohs(address.six.sin6_port));
	}
	listener->loopback = is_loopback(&address);
	listener->fd = fd;
	return 0;
}

int tcp_listen(struct tcp_listener *listener, const char *name, uint16_t port)
{
	int err, fd;

	fd = listen_by_name(name, port);
	if (fd < 0)
		return fd;
	err = describe(listener, fd);
	if (err)
		close(fd);
	return err;
}
