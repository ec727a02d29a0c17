/* attack_inflight.c - use up what the collector may hand out
 *
 * A descriptor that was sent and not received counts against its sender for as
 * long as the receiver likes; past the sender's limit on files nobody gets one
 * any more. So: never receive a hello, hang up, keep the connection, again.
 */
#include "hostile.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT 400

static bool has_rights(int fd)
{
	char data[8192], control[CMSG_SPACE(64 * sizeof(int))];
	struct iovec piece = { data, sizeof(data) };
	struct msghdr message = {
		.msg_iov = &piece, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	return recvmsg(fd, &message, MSG_DONTWAIT | MSG_PEEK) > 0 && message.msg_controllen > 0;
}

int main(int argc, char *argv[])
{
	int kept = 0;

	attack_start(argc, argv, 2);
	while (attack_goes_on() && kept < KEPT) {
		int fd = collector_connect(ATTACK_DIR);

		if (fd < 0)
			continue;
		if (!hello_came(fd, 300)) {
			close(fd);
			continue;
		}
		if (!kept)
			attempt("a descriptor with the hello", has_rights(fd) ? 0 : -1);
		(void)shutdown(fd, SHUT_RDWR);   /* the collector sees its end, the queue stays */
		kept++;
	}
	printf("%d hellos are kept unread\n", kept);
	while (attack_goes_on())
		sleep_ms(100);
	return attack_end();
}
