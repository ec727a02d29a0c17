/* attack_linger.c - descriptors whose closing takes long, given to the collector
 *
 * A TCP socket with unsent data and SO_LINGER holds up whoever closes it last.
 * Sent over the connection and closed here, that is the collector, even if it
 * never received it. Each connection sends some before it is accepted (queued)
 * and some behind the hello.
 */
#include "hostile.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_S 4
#define SOCKETS 3   /* a message; their times add up */
#define TAKEN_MAX 24

/* A connected TCP socket with a full send buffer; *peer never reads. */
static int full_socket(int *peer)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t bytes = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char data[65536] = { 0 };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &bytes) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)))
		cannot_attack("no TCP socket");
	*peer = accept(listener, NULL, NULL);
	close(listener);
	while (send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	return fd;
}

static void set_linger(int fd, int seconds)
{
	const struct linger linger = { .l_onoff = seconds != 0, .l_linger = seconds };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static long send_rights(int over, const int *fds, size_t count)
{
	union {
		char bytes[CMSG_SPACE(SOCKETS * sizeof(int))];
		struct cmsghdr header;
	} control = { 0 };
	struct iovec byte = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};

	control.header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(count * sizeof(int)),
	};
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	return sendmsg(over, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

struct lot {
	int fds[SOCKETS], peers[SOCKETS];
};

static struct lot make_lot(void)
{
	struct lot lot;

	for (int i = 0; i < SOCKETS; i++) {
		lot.fds[i] = full_socket(&lot.peers[i]);
		set_linger(lot.fds[i], LINGER_S);
	}
	return lot;
}

/* Closed here: if they were taken, the last close is the collector's, and the
 * peers stay open, so that nothing ends its wait early. */
static void let_go(const struct lot *lot, bool taken)
{
	for (int i = 0; i < SOCKETS; i++) {
		if (!taken)
			set_linger(lot->fds[i], 0);
		close(lot->fds[i]);
		if (!taken)
			close(lot->peers[i]);
	}
}

/* Everything is ready before the connection: the time until accept is short. */
static int one_connection(const char *dir)
{
	struct lot early = make_lot(), late = make_lot();
	int fd = collector_connect(dir);
	bool early_taken, late_taken;

	early_taken = attempt("descriptors, sent before accept",
			      fd < 0 ? -1 : send_rights(fd, early.fds, SOCKETS));
	late_taken = fd >= 0 && hello_came(fd, 200) &&
		     attempt("descriptors, behind the hello", send_rights(fd, late.fds, SOCKETS));
	let_go(&early, early_taken);
	let_go(&late, late_taken);
	if (fd >= 0)
		close(fd);
	return early_taken + late_taken;
}

int main(int argc, char *argv[])
{
	int taken = 0;

	attack_start(argc, argv, 2);
	while (attack_goes_on() && taken < TAKEN_MAX)
		taken += one_connection(ATTACK_DIR);
	printf("%d lots of descriptors were taken\n", taken);
	while (attack_goes_on())
		sleep_ms(100);
	return attack_end();
}
