/* collector/socket_check.c - whether the socket probes count what is really sent and received */
#include "socket_check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGES 5                     /* of a sendfile: some kernels send them one by one */
#define PAGE_BYTES 4096
#define SMALL_BYTES 100
#define MESSAGES 3                  /* of a sendmmsg */

/* Two connected sockets and what else it takes. */
struct pair {
	int from, to;
	int pipe[2];
	int file;
	char bytes[PAGES * PAGE_BYTES];
};

static struct msghdr message(struct iovec *vec)
{
	return (struct msghdr){ .msg_iov = vec, .msg_iovlen = 1 };
}

/* Each step is one system call that sends and one that receives as much. */
static bool step_send(struct pair *p)
{
	return send(p->from, p->bytes, SMALL_BYTES, 0) == SMALL_BYTES &&
	       recv(p->to, p->bytes, SMALL_BYTES, 0) == SMALL_BYTES;
}

static bool step_sendto(struct pair *p)
{
	return sendto(p->from, p->bytes, SMALL_BYTES, 0, NULL, 0) == SMALL_BYTES &&
	       recvfrom(p->to, p->bytes, SMALL_BYTES, 0, NULL, NULL) == SMALL_BYTES;
}

static bool step_sendmsg(struct pair *p)
{
	struct iovec vec = { p->bytes, SMALL_BYTES };
	struct msghdr header = message(&vec);

	return sendmsg(p->from, &header, 0) == SMALL_BYTES &&
	       recvmsg(p->to, &header, 0) == SMALL_BYTES;
}

static bool step_sendmmsg(struct pair *p)
{
	struct iovec vec = { p->bytes, SMALL_BYTES };
	struct mmsghdr headers[MESSAGES] = { 0 };

	for (int i = 0; i < MESSAGES; i++)
		headers[i].msg_hdr = message(&vec);
	return sendmmsg(p->from, headers, MESSAGES, 0) == MESSAGES &&
	       recvmmsg(p->to, headers, MESSAGES, 0, NULL) == MESSAGES;
}

static bool step_write(struct pair *p)
{
	return write(p->from, p->bytes, SMALL_BYTES) == SMALL_BYTES &&
	       read(p->to, p->bytes, SMALL_BYTES) == SMALL_BYTES;
}

static bool step_writev(struct pair *p)
{
	struct iovec vec = { p->bytes, SMALL_BYTES };

	return writev(p->from, &vec, 1) == SMALL_BYTES && readv(p->to, &vec, 1) == SMALL_BYTES;
}

static bool step_sendfile(struct pair *p)
{
	off_t offset = 0;

	return sendfile(p->from, p->file, &offset, sizeof(p->bytes)) == sizeof(p->bytes) &&
	       recv(p->to, p->bytes, sizeof(p->bytes), MSG_WAITALL) == sizeof(p->bytes);
}

static bool step_splice(struct pair *p)
{
	return write(p->pipe[1], p->bytes, SMALL_BYTES) == SMALL_BYTES &&
	       splice(p->pipe[0], NULL, p->from, NULL, SMALL_BYTES, 0) == SMALL_BYTES &&
	       splice(p->to, NULL, p->pipe[1], NULL, SMALL_BYTES, 0) == SMALL_BYTES &&
	       read(p->pipe[0], p->bytes, SMALL_BYTES) == SMALL_BYTES;
}

static const struct step {
	const char *name;
	bool (*run)(struct pair *p);
	bool streams;               /* only a stream carries that much in one piece */
} steps[] = {
	{ "send, recv", step_send, false },
	{ "sendto, recvfrom", step_sendto, false },
	{ "sendmsg, recvmsg", step_sendmsg, false },
	{ "sendmmsg, recvmmsg", step_sendmmsg, false },
	{ "write, read", step_write, false },
	{ "writev, readv", step_writev, false },
	{ "sendfile, recv", step_sendfile, true },
	{ "splice", step_splice, true },
};

/* Bound to a port of the kernel's choice on loopback: no packet leaves the machine. */
static int bind_loopback(int type, struct sockaddr_in *address)
{
	socklen_t bytes = sizeof(*address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (fd >= 0 && (bind(fd, (struct sockaddr *)address, bytes) ||
			getsockname(fd, (struct sockaddr *)address, &bytes))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Should a firewall drop packets even on loopback, nobody waits for ever. */
static const struct timeval patience = { .tv_sec = 1 };

static bool connect_loopback(struct pair *p, int type)
{
	struct sockaddr_in address;
	int listener;

	p->to = bind_loopback(type, &address);
	p->from = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (p->to < 0 || p->from < 0 || (type == SOCK_STREAM && listen(p->to, 1)) ||
	    setsockopt(p->from, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(p->from, (struct sockaddr *)&address, sizeof(address)))
		return false;
	if (type == SOCK_STREAM) {
		listener = p->to;
		p->to = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		close(listener);
	}
	return p->to >= 0;
}

static bool connect_unix(struct pair *p, int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds))
		return false;
	p->from = fds[0];
	p->to = fds[1];
	return true;
}

/* False: not possible here (no loopback, for one), which says nothing about probes. */
static bool open_pair(struct pair *p, int domain, int type)
{
	p->from = p->to = p->pipe[0] = p->pipe[1] = -1;
	p->file = memfd_create("netto-check", MFD_CLOEXEC);
	return p->file >= 0 && !ftruncate(p->file, sizeof(p->bytes)) &&
	       !pipe2(p->pipe, O_CLOEXEC) &&
	       (domain == AF_UNIX ? connect_unix(p, type) : connect_loopback(p, type)) &&
	       !setsockopt(p->to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

static void close_pair(struct pair *p)
{
	const int fds[] = { p->from, p->to, p->pipe[0], p->pipe[1], p->file };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static uint64_t events(const struct shared_sockets *sockets, int direction)
{
	return __atomic_load_n(&sockets->check_events[direction], __ATOMIC_RELAXED);
}

/* A step that could not be taken proves nothing, either way. */
static void take_step(struct socket_check *check, const struct step *step, struct pair *p,
		      const char *over, const struct shared_sockets *sockets,
		      unsigned int *judged)
{
	uint64_t before[SHARED_DIRECTIONS], count;

	for (int d = 0; d < SHARED_DIRECTIONS; d++)
		before[d] = events(sockets, d);
	if (!step->run(p))
		return;
	++*judged;
	for (int d = 0; d < SHARED_DIRECTIONS; d++) {
		count = events(sockets, d) - before[d];
		if (count != 1 && !check->why[d][0])
			snprintf(check->why[d], sizeof(check->why[d]),
				 "self-check: %llu events counted, not 1, of: %s over %s",
				 (unsigned long long)count, step->name, over);
	}
}

unsigned int socket_check(struct socket_check *check, struct shared_sockets *sockets)
{
	static const struct { const char *name; int domain, type; } kinds[] = {
		{ "Unix stream", AF_UNIX, SOCK_STREAM }, { "Unix datagrams", AF_UNIX, SOCK_DGRAM },
		{ "TCP", AF_INET, SOCK_STREAM }, { "UDP", AF_INET, SOCK_DGRAM },
	};
	unsigned int judged = 0, right = 0;
	struct pair pair;

	memset(check, 0, sizeof(*check));
	memset(pair.bytes, 0, sizeof(pair.bytes));
	__atomic_store_n(&sockets->check_tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELAXED);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		bool is_open = open_pair(&pair, kinds[k].domain, kinds[k].type);

		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && is_open; i++)
			if (!steps[i].streams || kinds[k].type == SOCK_STREAM)
				take_step(check, &steps[i], &pair, kinds[k].name, sockets, &judged);
		close_pair(&pair);
	}
	__atomic_store_n(&sockets->check_tid, 0, __ATOMIC_RELAXED);
	for (int d = 0; d < SHARED_DIRECTIONS; d++) {
		if (!judged)
			snprintf(check->why[d], sizeof(check->why[d]), "self-check: nothing could be sent");
		right |= (unsigned int)!check->why[d][0] << d;
	}
	return right;
}
