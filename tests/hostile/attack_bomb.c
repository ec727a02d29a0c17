/* attack_bomb.c - a hundred thousand names, and as many processes as go into the time
 *
 * Each name does a little on the network, so that samples carry it; whoever
 * keeps a row a name, a process or a stack grows with that.
 */
#include "hostile.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES 100000
#define NAMES_OF_ONE 200

static struct sockaddr_in address = { .sin_family = AF_INET };
static int fd;

static void work_as(unsigned long number)
{
	char name[16], data[64];

	snprintf(name, sizeof(name), "%08lx%07lx", (unsigned long)random(), number);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	for (int i = 0; i < 4; i++) {
		(void)sendto(fd, name, sizeof(name), 0, (struct sockaddr *)&address, sizeof(address));
		(void)recv(fd, data, sizeof(data), MSG_DONTWAIT);
	}
}

/* A child takes on NAMES_OF_ONE names; its pid is a new one too. */
static void one_process(unsigned long number)
{
	pid_t pid = fork();

	if (pid) {
		(void)waitpid(pid, NULL, 0);
		return;
	}
	srandom((unsigned int)number);
	for (int i = 0; i < NAMES_OF_ONE; i++)
		work_as(number + (unsigned long)i);
	_exit(0);
}

int main(int argc, char *argv[])
{
	socklen_t bytes = sizeof(address);
	unsigned long names = 0;

	attack_start(argc, argv, 2);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)&address, &bytes))
		cannot_attack("no socket");
	while (attack_goes_on() || names < NAMES) {
		one_process(names);
		names += NAMES_OF_ONE;
	}
	printf("%lu names\n", names);
	return attack_end();
}
