/* attack_flood.c - connect as fast as possible, and leave at once, late, or half-way
 *
 * Every second connection is dropped before it is accepted, so that its hello
 * cannot be sent. What the collector does not give back then is gone for good.
 */
#include "hostile.h"

#include <unistd.h>

#define HELD 48   /* more than one user may have: some of them are refused */

int main(int argc, char *argv[])
{
	int held[HELD];
	unsigned long connections = 0;

	attack_start(argc, argv, 2);
	for (int i = 0; i < HELD; i++)
		held[i] = -1;
	for (int i = 0; attack_goes_on(); i = (i + 1) % HELD) {
		int gone = collector_connect(ATTACK_DIR);

		if (gone >= 0)
			close(gone);
		if (held[i] >= 0)
			close(held[i]);
		held[i] = collector_connect(ATTACK_DIR);
		connections += 2;
	}
	printf("%lu connections\n", connections);
	return attack_end();
}
