/* attack_names.c - processes whose names are meant for whoever prints them
 *
 * Prints "pids PID,PID,..." and one "name PID HEX" each, then keeps them busy
 * on the network. A name is any 15 bytes but NUL.
 */
#include "hostile.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME_BYTES 15
#define RANDOM_NAMES 60

static const char *const names[] = {
	"\x1b]0;title\a", "\x9b" "2J", "\x1b[2J", "a\nb", "\n\n\n\n\n", "a\rb", "\"",
	"\\", "\\\"", "\\n", "a\"} 1\nnetto_x 5", "\"}\n# EOF\n",
	"{\"a\":1}", "\",\"pid\":1,\"", "\xc2\x9b" "2J",
	"\x7f\x08\x08", "\t\v\f", "a;b c", " ", "  ", ") R 1 1 1", "(((", ")))", "') ", "%s%n%d%x",
	"../../etc/x", "-rf", "$(reboot)", "`id`", "<script>", "&amp;", "\xff\xfe\xfd", "\xc3",
	"\xc3\x28", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\xf0\x9f\x98\x80",
	"\xe2\x80\xae" "abc", "\xe2\x80\xa8", "\xef\xbb\xbf" "bom", "\xe2\x98\xa0\xcc\x81\xcc\x81\xcc\x81",
	"a,b=c", "caf\xc3\xa9 \xe2\x82\xac", "fifteen_bytes_x", "\x01\x02\x03\x04", "le\\\\", "#c", "'q'",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

/* Any 15 bytes, each of the 255 sooner or later. */
static void random_name(char name[static NAME_BYTES + 1], int number)
{
	for (int i = 0; i < NAME_BYTES; i++)
		name[i] = (char)((number * NAME_BYTES + i) % 255 + 1);
	name[NAME_BYTES] = '\0';
	for (int i = NAME_BYTES - 1; i > 0; i--) {
		int other = (int)(random() % (i + 1));
		char byte = name[i];

		name[i] = name[other];
		name[other] = byte;
	}
}

static void live(const char *name)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		_exit(2);
	while (attack_goes_on()) {
		socklen_t bytes = sizeof(address);

		(void)getsockname(fd, (struct sockaddr *)&address, &bytes);
		for (int i = 0; i < 20; i++) {
			(void)sendto(fd, name, NAME_BYTES, 0, (struct sockaddr *)&address, bytes);
			(void)recv(fd, (char[64]){ 0 }, 64, MSG_DONTWAIT);
		}
		sleep_ms(50);
	}
	_exit(0);
}

static pid_t start(const char *name)
{
	pid_t pid = fork();

	if (!pid)
		live(name);
	printf("name %d ", pid);
	for (const char *p = name; *p; p++)
		printf("%02x", (unsigned char)*p);
	putchar('\n');
	fflush(stdout);   /* nothing is left for the next child to say again */
	return pid;
}

int main(int argc, char *argv[])
{
	pid_t pids[NAMES + RANDOM_NAMES];
	char name[NAME_BYTES + 1];

	attack_start(argc, argv, 2);
	for (size_t i = 0; i < NAMES + RANDOM_NAMES; i++) {
		if (i < NAMES)
			snprintf(name, sizeof(name), "%s", names[i]);
		else
			random_name(name, (int)(i - NAMES));
		pids[i] = start(name);
	}
	fputs("pids ", stdout);
	for (size_t i = 0; i < NAMES + RANDOM_NAMES; i++)
		printf("%s%d", i ? "," : "", pids[i]);
	putchar('\n');
	while (wait(NULL) > 0)
		;
	return attack_end();
}
