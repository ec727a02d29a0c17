/* tests/vm/traffic.c - traffic between addresses, for a number of seconds; no Python in a guest */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES (64u << 10)
#define UDP_BYTES 64
#define BURST 32

static char chunk[CHUNK_BYTES];
static time_t end_s;
static struct addrinfo *peer;
static const char *self = "traffic";

static int must(ssize_t result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "%s: %s: %s\n", self, what, strerror(errno));
		exit(1);
	}
	return (int)result;
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static struct addrinfo *address(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *found;
	int err = getaddrinfo(host, port, &hints, &found);

	if (err) {
		fprintf(stderr, "%s: %s port %s: %s\n", self, host, port, gai_strerror(err));
		exit(64);
	}
	return found;
}

static int open_to(int type)
{
	int fd = must(socket(peer->ai_family, type | SOCK_CLOEXEC, 0), "socket");

	must(connect(fd, peer->ai_addr, peer->ai_addrlen), "connect");
	return fd;
}

static int open_file(void)
{
	int fd = must(memfd_create("traffic", MFD_CLOEXEC), "memfd_create");

	must(write(fd, chunk, sizeof(chunk)), "write");
	return fd;
}

static void send_tcp(void)
{
	int fd = open_to(SOCK_STREAM);

	while (now_s() < end_s)
		must(send(fd, chunk, sizeof(chunk), 0), "send");
}

/* At a rate that the sender holds itself to: by its own timer, without a queueing discipline. */
static void send_paced(void)
{
	int fd = open_to(SOCK_STREAM);
	unsigned int bytes_per_s = 8u << 20;

	must(setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_s, sizeof(bytes_per_s)),
	     "SO_MAX_PACING_RATE");
	while (now_s() < end_s)
		must(send(fd, chunk, 4096, 0), "send");
}

/* Nobody may be there to receive: a refusal of an earlier packet is no failure. */
static void send_udp(void)
{
	int fd = open_to(SOCK_DGRAM);

	while (now_s() < end_s) {
		for (int i = 0; i < BURST; i++)
			if (send(fd, chunk, UDP_BYTES, 0) < 0 && errno != ECONNREFUSED &&
			    errno != ENOBUFS)
				must(-1, "send");
	}
}

static void send_connections(void)
{
	while (now_s() < end_s) {
		int fd = open_to(SOCK_STREAM);

		must(send(fd, "x", 1, 0), "send");
		close(fd);
	}
}

static void send_file(void)
{
	int file = open_file(), fd = open_to(SOCK_STREAM);

	while (now_s() < end_s) {
		off_t at = 0;

		must(sendfile(fd, file, &at, sizeof(chunk)), "sendfile");
	}
}

static void send_splice(void)
{
	int file = open_file(), fd = open_to(SOCK_STREAM), ends[2];

	must(pipe2(ends, O_CLOEXEC), "pipe2");
	while (now_s() < end_s) {
		off_t at = 0;
		ssize_t bytes = must(splice(file, &at, ends[1], NULL, sizeof(chunk), 0), "splice");

		while (bytes > 0)
			bytes -= must(splice(ends[0], NULL, fd, NULL, (size_t)bytes, 0), "splice");
	}
}

static void *read_all(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[CHUNK_BYTES];

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	close(fd);
	return NULL;
}

static void *read_packets(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[UDP_BYTES];

	for (;;)
		(void)!recv(fd, buf, sizeof(buf), 0);
	return NULL;
}

static void start_thread(void *(*run)(void *), int fd)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, run, (void *)(intptr_t)fd))
		pthread_detach(thread);
	else
		close(fd);
}

/* Both protocols on one port of every address; ends with its starter's signal. */
static void serve(const char *port)
{
	int one = 1, listener, packets;

	peer = address("::", port);
	listener = must(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	packets = must(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	must(bind(packets, peer->ai_addr, peer->ai_addrlen), "bind");
	must(bind(listener, peer->ai_addr, peer->ai_addrlen), "bind");
	must(listen(listener, 128), "listen");
	start_thread(read_packets, packets);
	for (;;)
		start_thread(read_all, must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept"));
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "tcp", send_tcp },
	{ "paced", send_paced },
	{ "udp", send_udp },
	{ "connections", send_connections },
	{ "sendfile", send_file },
	{ "splice", send_splice },
};

int main(int argc, char *argv[])
{
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	for (size_t i = 0; argc == 5 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		end_s = now_s() + atoi(argv[2]);
		peer = address(argv[3], argv[4]);
		kinds[i].run();
		return 0;
	}
	fprintf(stderr, "usage: traffic serve PORT\n       traffic KIND SECONDS ADDRESS PORT\n"
			"KIND: tcp paced udp connections sendfile splice\n");
	return 64;
}
