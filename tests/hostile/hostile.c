/* hostile.c - what the attacks share */
#include "hostile.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SAID_MAX 64
#define CONNECT_TIMEOUT_S 2

static const char *said[SAID_MAX];
static int through;
static double end_s;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void attack_start(int argc, char *argv[], int count)
{
	if (argc < 1 + count)
		cannot_attack("too few arguments");
	end_s = now_s() + strtod(argv[2], NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
}

bool attack_goes_on(void)
{
	return now_s() < end_s;
}

bool attempt(const char *what, long result)
{
	int i = 0;

	if (result == -1)
		return false;
	through = 1;
	while (i < SAID_MAX && said[i] && said[i] != what)
		i++;
	if (i < SAID_MAX && !said[i]) {
		said[i] = what;
		printf("got through: %s\n", what);
	}
	return true;
}

int attack_end(void)
{
	return through;
}

void cannot_attack(const char *what)
{
	printf("cannot attack: %s: %s\n", what, strerror(errno));
	exit(2);
}

int collector_connect(const char *dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = CONNECT_TIMEOUT_S };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/collector.sock", dir);
	if (fd < 0)
		return -errno;
	/* a full backlog would hold up whoever knocks */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

bool hello_came(int fd, int timeout_ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	return poll(&polled, 1, timeout_ms) == 1 && (polled.revents & POLLIN) &&
	       recv(fd, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

long hello_read(int fd, int timeout_ms)
{
	char buf[8192];

	if (!hello_came(fd, timeout_ms))
		return 0;
	return recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
}

void sleep_ms(unsigned int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	(void)nanosleep(&pause, NULL);
}
