/* attack_slots.c - one user takes all connections there are and keeps them
 *
 * Its share is bounded, what is above it is closed at once, and a newcomer of
 * another user still gets in.
 */
#include "hostile.h"

#include <errno.h>
#include <unistd.h>

#define WANTED 200
#define SHARE 32   /* LISTENER_SLOTS_OF_UID */

int main(int argc, char *argv[])
{
	int fds[WANTED], greeted = 0;

	attack_start(argc, argv, 2);
	for (int i = 0; i < WANTED; i++)
		fds[i] = collector_connect(ATTACK_DIR);
	for (int i = 0; i < WANTED; i++)
		if (fds[i] >= 0 && hello_came(fds[i], 1000))
			greeted++;
	printf("%d of %d connections were greeted\n", greeted, WANTED);
	attempt("more connections than one user's share", greeted > SHARE ? 0 : -1);
	while (attack_goes_on()) {
		int fd = collector_connect(ATTACK_DIR);   /* keep knocking */

		sleep_ms(10);
		if (fd >= 0)
			close(fd);
	}
	return attack_end();
}
