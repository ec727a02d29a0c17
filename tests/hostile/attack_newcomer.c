/* attack_newcomer.c - no attack: an honest newcomer, who must get a hello at any time */
#include "hostile.h"

#include <unistd.h>

int main(int argc, char *argv[])
{
	int fd;

	attack_start(argc, argv, 2);
	fd = collector_connect(ATTACK_DIR);
	if (fd < 0 || hello_read(fd, HELLO_TIMEOUT_MS) <= 0) {
		puts("no hello");
		return 1;
	}
	close(fd);
	return 0;
}
