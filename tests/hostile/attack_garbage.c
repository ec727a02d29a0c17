/* attack_garbage.c - send all kinds of messages to a collector that reads none
 *
 * What is sent before it accepts may be queued and dies with the connection;
 * behind the hello nothing may get through, be it empty, huge, out of band or
 * in pieces.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONNECTIONS 8
#define LARGEST (512u << 10)

static char garbage[LARGEST];

static long send_pieces(int fd)
{
	struct iovec pieces[64];
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 64 };

	for (int i = 0; i < 64; i++)
		pieces[i] = (struct iovec){ garbage + 7 * i, 7 };
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The sender's own full buffer is a refusal of another kind: none may be queued at all. */
static void send_all_kinds(int fd)
{
	const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;

	attempt("an empty message", send(fd, garbage, 0, flags));
	attempt("one byte", send(fd, garbage, 1, flags));
	attempt("a page", send(fd, garbage, 4096, flags));
	attempt("as much as fits", send(fd, garbage, 100000, flags));
	attempt("half a megabyte", send(fd, garbage, LARGEST, flags));
	attempt("end of record", send(fd, garbage, 100, flags | MSG_EOR));
	attempt("out of band", send(fd, garbage, 1, flags | MSG_OOB));
	attempt("pieces", send_pieces(fd));
	attempt("write()", write(fd, garbage, 100));
}

static void flood_before_accept(int fd)
{
	while (send(fd, garbage, 1024, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
}

static void one_round(const char *dir)
{
	int fds[CONNECTIONS];

	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = collector_connect(dir);
		if (fds[i] < 0)
			continue;
		(void)fcntl(fds[i], F_SETFL, O_NONBLOCK);
		if (i % 2)   /* what fills its own buffer now cannot send behind the hello */
			flood_before_accept(fds[i]);
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		if (fds[i] < 0)
			continue;
		if (hello_read(fds[i], HELLO_TIMEOUT_MS) > 0)
			send_all_kinds(fds[i]);
		close(fds[i]);
	}
}

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 2);
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)random();
	while (attack_goes_on())
		one_round(ATTACK_DIR);
	return attack_end();
}
