/* attack_hangup.c - close connections in the moment in which the bell is rung
 *
 * The connection made last is rung first: it tells when the collector is
 * about to send to the others, and those are closed then. Two processes do so,
 * since one may share the collector's CPU.
 */
#include "hostile.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS 15

static void one_round(const char *dir)
{
	int fds[CONNECTIONS];
	char buf[8192];

	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = collector_connect(dir);
		if (fds[i] >= 0)
			(void)hello_read(fds[i], 1000);
	}
	while (attack_goes_on() &&
	       recv(fds[CONNECTIONS - 1], buf, sizeof(buf), MSG_DONTWAIT) < 0)
		;   /* asleep, it would come too late */
	for (int i = 0; i < CONNECTIONS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int main(int argc, char *argv[])
{
	pid_t other;

	attack_start(argc, argv, 2);
	other = fork();
	while (attack_goes_on())
		one_round(ATTACK_DIR);
	if (!other)
		_exit(0);
	(void)waitpid(other, NULL, 0);
	return attack_end();
}
