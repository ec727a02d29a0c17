/* attack_http.c - an aggregator's metrics endpoint, asked by people who mean no good
 *
 * hostile_http DIR SECONDS PORT KIND, from several addresses of this machine:
 *   drip       a few requests whose headers come byte by byte and never end
 *   crowd      the same, more than there are places for, and again where they are cut off
 *   deaf       as many that ask for the page and never read it
 *   flood      connections as fast as they can be made
 *   oversized  paths and headers of megabytes
 *   wrong      other hosts and methods, bodies, rubbish: nothing of it is worth the page
 */
#include "hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ADDRESSES 4          /* each may have 16 connections (CONNECTIONS_PER_ADDRESS) */
#define FEW 12
#define CROWD 96             /* CONNECTIONS_MAX is 64 */
#define FLOOD 512
#define LATE_S 13            /* HTTP_REQUEST_MS is 10000, and it looks once a second */
#define ANSWER_TIMEOUT_MS 1000
#define SEGMENT_BYTES 88     /* the smallest: what the kernel buffers grows with it */
#define GET_PAGE "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"

static struct sockaddr_in server = { .sin_family = AF_INET };

struct client {
	int fd;
	time_t since;
};

static int dial(unsigned int nth)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	const int segment = SEGMENT_BYTES, smallest = 1, yes = 1;
	const struct linger no_trace = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + nth % ADDRESSES);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &no_trace, sizeof(no_trace));
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	if (!bind(fd, (struct sockaddr *)&from, sizeof(from)) &&
	    (!connect(fd, (struct sockaddr *)&server, sizeof(server)) || errno == EINPROGRESS))
		return fd;
	close(fd);
	return -1;
}

static ssize_t say(int fd, const char *text, size_t bytes)
{
	return send(fd, text, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool was_cut(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLRDHUP };

	return poll(&polled, 1, 0) == 1;
}

/* One look at a connection: make it, say the next of it, or see it gone. */
static void hold_one(struct client *c, unsigned int nth, const char *opening, bool drips)
{
	if (c->fd >= 0 && was_cut(c->fd)) {
		close(c->fd);
		c->fd = -1;
	}
	if (c->fd < 0) {
		c->fd = dial(nth);
		c->since = time(NULL);
		if (c->fd >= 0)
			(void)say(c->fd, opening, strlen(opening));
	} else if (drips) {
		(void)say(c->fd, "X", 1);
		attempt("a request that outlasts its deadline",
			time(NULL) - c->since >= LATE_S ? 0 : -1);
	}
}

static void hold(int count, const char *opening, bool drips)
{
	struct client clients[CROWD];

	for (int i = 0; i < count; i++)
		clients[i].fd = -1;
	while (attack_goes_on()) {
		for (int i = 0; i < count; i++)
			hold_one(&clients[i], (unsigned int)i, opening, drips);
		sleep_ms(100);
	}
}

static void drip(void)
{
	hold(FEW, GET_PAGE "X-", true);
}

static void crowd(void)
{
	hold(CROWD, GET_PAGE "X-", true);
}

static void deaf(void)
{
	hold(CROWD, GET_PAGE "\r\n", false);
}

/* Every second one is gone before it is accepted. */
static void flood(void)
{
	int fds[FLOOD];
	unsigned long connections = 0;

	memset(fds, -1, sizeof(fds));
	for (unsigned int i = 0; attack_goes_on(); i = (i + 1) % FLOOD) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = dial(i);
		connections += fds[i] >= 0;
		if (fds[i] >= 0 && i % 2) {
			close(fds[i]);
			fds[i] = -1;
		}
	}
	printf("%lu connections\n", connections);
}

/* As far as it is taken, or to the end of the attack. */
static void oversized(void)
{
	static char text[64 << 10];
	struct client clients[FEW];

	memset(text, 'a', sizeof(text));
	for (int i = 0; i < FEW; i++)
		clients[i].fd = -1;
	while (attack_goes_on()) {
		for (int i = 0; i < FEW; i++) {
			hold_one(&clients[i], (unsigned int)i, i % 2 ? "GET /" : GET_PAGE "X: ", false);
			if (clients[i].fd >= 0)
				(void)say(clients[i].fd, text, sizeof(text));
		}
		sleep_ms(1);
	}
}

static const struct { const char *what, *request; } wrong_ones[] = {
	{ "a host of somebody else",
	  "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n" },
	{ "a second host",
	  GET_PAGE "Host: evil.example\r\nConnection: close\r\n\r\n" },
	{ "POST", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" },
	{ "a method of its own", "QUIT /metrics HTTP/1.0\r\n\r\n" },
	{ "a body", GET_PAGE "Connection: close\r\nContent-Length: 5\r\n\r\nhello" },
	{ "a body in chunks", GET_PAGE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
	{ "two lengths", GET_PAGE "Content-Length: 0\r\nContent-Length: 40\r\n\r\n" },
	{ "no host", "GET /metrics HTTP/1.1\r\n\r\n" },
	{ "no version", "GET /metrics\r\n\r\n" },
	{ "a version to come", "GET /metrics HTTP/9.9\r\nHost: localhost\r\n\r\n" },
	{ "a way around", "GET /x/../metrics HTTP/1.0\r\n\r\n" },
	{ "another protocol", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03" },
	{ "no request", "\r\n: : :\r\n\r\n\r\n" },
};

static bool is_answered(unsigned int nth, const char *request)
{
	struct pollfd polled = { .fd = dial(nth), .events = POLLIN };
	char answer[16] = "";

	if (polled.fd < 0)
		return false;
	(void)say(polled.fd, request, strlen(request));
	(void)shutdown(polled.fd, SHUT_WR);
	if (poll(&polled, 1, ANSWER_TIMEOUT_MS) == 1)
		(void)!recv(polled.fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	close(polled.fd);
	return !strncmp(answer, "HTTP/1.", 7) && strstr(answer, " 200");
}

static void wrong(void)
{
	while (attack_goes_on())
		for (unsigned int i = 0; i < sizeof(wrong_ones) / sizeof(wrong_ones[0]); i++)
			attempt(wrong_ones[i].what, is_answered(i, wrong_ones[i].request) ? 0 : -1);
}

static const struct { const char *name; void (*run)(void); } kinds[] = {
	{ "drip", drip }, { "crowd", crowd }, { "deaf", deaf }, { "flood", flood },
	{ "oversized", oversized }, { "wrong", wrong },
};

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 4);
	server.sin_port = htons((uint16_t)atoi(argv[3]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!is_answered(0, GET_PAGE "Connection: close\r\n\r\n"))
		cannot_attack("no page");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[4], kinds[i].name))
			kinds[i].run();
	return attack_end();
}
