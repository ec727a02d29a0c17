/* attack_storm.c - as many softirqs, samples and deep stacks as a user can make
 *
 * Datagrams over loopback make a softirq each; a socket that is watched by
 * epoll instances watched by epoll instances makes the wake-up inside that
 * softirq recurse.
 */
#include "hostile.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 4
#define NESTED 4      /* the kernel refuses more: fs/eventpoll.c, EP_MAX_NESTS */
#define WATCHERS 8
#define BURST 32

static int watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int watcher = epoll_create1(EPOLL_CLOEXEC);

	if (watcher < 0 || epoll_ctl(watcher, EPOLL_CTL_ADD, fd, &event))
		cannot_attack("no epoll");
	return watcher;
}

static void storm(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char data[64] = { 0 };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)&address, &bytes))
		cannot_attack("no socket");
	for (int i = 0; i < WATCHERS; i++) {
		int watched = fd;

		for (int depth = 0; depth < NESTED; depth++)
			watched = watch(watched);
	}
	while (attack_goes_on()) {
		for (int i = 0; i < BURST; i++)
			(void)sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&address, bytes);
		while (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
			;
	}
}

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 2);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork())
			continue;
		storm();
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	return attack_end();
}
