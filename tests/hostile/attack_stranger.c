/* attack_stranger.c - get in without being a member of the collector's group
 *
 * The directory's mode keeps strangers out. The second lines of defence hold
 * where somebody has loosened it: the files' own modes, and the credentials
 * that the collector asks the kernel for.
 */
#include "hostile.h"

#include <fcntl.h>
#include <unistd.h>

static long open_file(const char *dir, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : close(fd);
}

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 2);
	do {
		int fd = collector_connect(ATTACK_DIR);

		if (fd >= 0) {
			attempt("a hello", hello_read(fd, 1000) > 0 ? 0 : -1);
			close(fd);
		}
		attempt("read the ring", open_file(ATTACK_DIR, "ring"));
		attempt("read the symbols", open_file(ATTACK_DIR, "symbols"));
		sleep_ms(10);
	} while (attack_goes_on());
	return attack_end();
}
