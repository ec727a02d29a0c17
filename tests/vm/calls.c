/* tests/vm/calls.c - makes exactly N socket calls of one kind
 *
 * usage: calls KIND N; calls --list. Prints "tx A rx B": the events that netto
 * has to count for them, one a system call that sends or receives. The calls are
 * between two sockets of its own, and the answers are taken by calls that count.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SMALL 100
#define PAGES 40          /* of a sendfile: several batches on every kernel */
#define PAGE 4096
#define MESSAGES 8        /* of a sendmmsg */

static int from, to;      /* the two sockets, connected */
static int tube[2];       /* a pipe */
static int file;          /* of PAGES pages */
static char bytes[PAGES * PAGE];

static void want(ssize_t got, ssize_t wanted, const char *what)
{
	if (got != wanted)
		err(1, "%s: %zd, not %zd", what, got, wanted);
}

static struct iovec vec = { bytes, SMALL };

static struct msghdr header(void)
{
	return (struct msghdr){ .msg_iov = &vec, .msg_iovlen = 1 };
}

static void do_send(void) { want(send(from, bytes, SMALL, 0), SMALL, "send"); }
static void do_recv(void) { want(recv(to, bytes, SMALL, 0), SMALL, "recv"); }

static void do_sendto(void) { want(sendto(from, bytes, SMALL, 0, NULL, 0), SMALL, "sendto"); }

static void do_recvfrom(void)
{
	struct sockaddr_storage who;
	socklen_t who_bytes = sizeof(who);

	want(recvfrom(to, bytes, SMALL, 0, (void *)&who, &who_bytes), SMALL, "recvfrom");
}

static void do_sendmsg(void)
{
	struct msghdr one = header();

	want(sendmsg(from, &one, 0), SMALL, "sendmsg");
}

static void do_recvmsg(void)
{
	struct msghdr one = header();

	want(recvmsg(to, &one, 0), SMALL, "recvmsg");
}

static void do_sendmmsg(void)
{
	struct mmsghdr all[MESSAGES] = { 0 };

	for (int i = 0; i < MESSAGES; i++)
		all[i].msg_hdr = header();
	want(sendmmsg(from, all, MESSAGES, 0), MESSAGES, "sendmmsg");
}

static void do_recvmmsg(void)
{
	struct mmsghdr all[MESSAGES] = { 0 };

	for (int i = 0; i < MESSAGES; i++)
		all[i].msg_hdr = header();
	want(recvmmsg(to, all, MESSAGES, 0, NULL), MESSAGES, "recvmmsg");
}

static void do_write(void) { want(write(from, bytes, SMALL), SMALL, "write"); }
static void do_read(void) { want(read(to, bytes, SMALL), SMALL, "read"); }
static void do_writev(void) { want(writev(from, &vec, 1), SMALL, "writev"); }
static void do_readv(void) { want(readv(to, &vec, 1), SMALL, "readv"); }
static void do_pwritev2(void) { want(pwritev2(from, &vec, 1, -1, 0), SMALL, "pwritev2"); }
static void do_preadv2(void) { want(preadv2(to, &vec, 1, -1, 0), SMALL, "preadv2"); }

static void do_sendfile(void)
{
	off_t offset = 0;

	want(sendfile(from, file, &offset, sizeof(bytes)), sizeof(bytes), "sendfile");
}

static void take_all(void)
{
	want(recv(to, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes), "recv");
}

/* Only the sockets count, not the pipe. */
static void do_splice_to(void)
{
	want(write(tube[1], bytes, SMALL), SMALL, "write to a pipe");
	want(splice(tube[0], NULL, from, NULL, SMALL, 0), SMALL, "splice to a socket");
}

static void do_splice_from(void)
{
	want(splice(to, NULL, tube[1], NULL, SMALL, 0), SMALL, "splice from a socket");
	want(read(tube[0], bytes, SMALL), SMALL, "read from a pipe");
}

/* Many pieces in one splice. */
static void do_splice_many(void)
{
	off_t offset = 0;

	want(splice(file, &offset, tube[1], NULL, 12 * PAGE, 0), 12 * PAGE, "splice to a pipe");
	want(splice(tube[0], NULL, from, NULL, 12 * PAGE, 0), 12 * PAGE, "splice to a socket");
	want(recv(to, bytes, 12 * PAGE, MSG_WAITALL), 12 * PAGE, "recv");
}

static void do_nothing_to_do(void)
{
	if (recv(to, bytes, SMALL, MSG_DONTWAIT) >= 0)
		errx(1, "recv: there was something");
}

/* No sockets at all: none of these counts. */
static void do_files(void)
{
	want(pwrite(file, bytes, SMALL, 0), SMALL, "pwrite");
	want(write(tube[1], bytes, SMALL), SMALL, "write to a pipe");
	want(read(tube[0], bytes, SMALL), SMALL, "read from a pipe");
}

static const struct kind {
	const char *name;
	void (*first)(void), (*second)(void);
	int tx, rx;                     /* events of one round */
	int type;
	bool unix_sockets;
} kinds[] = {
	{ "send", do_send, do_recv, 1, 1, SOCK_STREAM, false },
	{ "recv", do_send, do_recv, 1, 1, SOCK_STREAM, false },
	{ "sendto", do_sendto, do_recvfrom, 1, 1, SOCK_DGRAM, false },
	{ "sendmsg", do_sendmsg, do_recvmsg, 1, 1, SOCK_STREAM, false },
	{ "sendmmsg", do_sendmmsg, do_recvmmsg, 1, 1, SOCK_DGRAM, false },
	{ "write", do_write, do_read, 1, 1, SOCK_STREAM, false },
	{ "writev", do_writev, do_readv, 1, 1, SOCK_STREAM, false },
	{ "pwritev2", do_pwritev2, do_preadv2, 1, 1, SOCK_STREAM, false },
	{ "sendfile", do_sendfile, take_all, 1, 1, SOCK_STREAM, false },
	{ "splice", do_splice_to, do_splice_from, 1, 1, SOCK_STREAM, false },
	{ "splice_many", do_splice_many, NULL, 1, 1, SOCK_STREAM, false },
	{ "udp_splice", do_splice_to, do_splice_from, 1, 1, SOCK_DGRAM, false },
	{ "again", do_nothing_to_do, NULL, 0, 1, SOCK_DGRAM, false },
	{ "unix_stream", do_write, do_recvmsg, 1, 1, SOCK_STREAM, true },
	{ "unix_dgram", do_sendmmsg, do_recvmmsg, 1, 1, SOCK_DGRAM, true },
	{ "unix_sendfile", do_sendfile, take_all, 1, 1, SOCK_STREAM, true },
	{ "files", do_files, NULL, 0, 0, SOCK_STREAM, false },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void connect_both(int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t address_bytes = sizeof(address);
	int far = socket(AF_INET, type, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from = socket(AF_INET, type, 0);
	if (bind(far, (void *)&address, sizeof(address)) ||
	    getsockname(far, (void *)&address, &address_bytes) ||
	    (type == SOCK_STREAM && listen(far, 1)) ||
	    connect(from, (void *)&address, sizeof(address)))
		err(1, "cannot connect over loopback");
	to = type == SOCK_STREAM ? accept(far, NULL, NULL) : far;
}

static void set_up(const struct kind *kind)
{
	int pair[2], buffer_bytes = 1 << 20;

	if (kind->unix_sockets) {
		if (socketpair(AF_UNIX, kind->type, 0, pair))
			err(1, "socketpair");
		from = pair[0];
		to = pair[1];
	} else {
		connect_both(kind->type);
	}
	(void)setsockopt(from, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
	(void)setsockopt(to, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	file = memfd_create("calls", 0);
	if (pipe(tube) || file < 0 || ftruncate(file, sizeof(bytes)))
		err(1, "cannot make a pipe and a file");
}

static int list(void)
{
	for (size_t i = 0; i < KINDS; i++)
		puts(kinds[i].name);
	return 0;
}

int main(int argc, char *argv[])
{
	const struct kind *kind = kinds;
	long rounds;

	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list();
	if (argc != 3)
		errx(64, "usage: calls KIND N, or calls --list");
	while (kind < kinds + KINDS && strcmp(kind->name, argv[1]))
		kind++;
	if (kind == kinds + KINDS)
		errx(64, "%s: no such kind: calls --list", argv[1]);
	rounds = strtol(argv[2], NULL, 10);
	set_up(kind);
	for (long i = 0; i < rounds; i++) {
		kind->first();
		if (kind->second)
			kind->second();
	}
	printf("tx %ld rx %ld\n", rounds * kind->tx, rounds * kind->rx);
	return 0;
}
