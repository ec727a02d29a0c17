/* attack_deaf.c - connect and never read, with all the ways to make a sender wait
 *
 * The doorbells of a whole attack would fill any buffer.
 */
#include "hostile.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 24

int main(int argc, char *argv[])
{
	const int smallest = 1;
	int greeted = 0;

	attack_start(argc, argv, 2);
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = collector_connect(ATTACK_DIR);

		if (fd < 0)
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
		(void)fcntl(fd, F_SETFL, 0);
		greeted += hello_came(fd, HELLO_TIMEOUT_MS);
	}
	printf("%d connections do not read\n", greeted);
	if (!greeted)
		cannot_attack("no connection");
	while (attack_goes_on())
		sleep_ms(100);
	return attack_end();
}
