/* attack_planted.c - what waits in a runtime directory for a collector that starts there
 *
 * hostile_planted DIR SECONDS KIND VICTIM: links end at VICTIM, a file of the
 * collector's user with something in it. The runner then starts a collector in
 * DIR and looks whether VICTIM is as it was.
 */
#include "hostile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {
	"ring", "ring.new", "symbols", "symbols.new", "collector.sock", "collector.sock.new",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static void plant(const char *dir, const char *name, const char *kind, const char *victim)
{
	char path[256];
	long result;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!strcmp(kind, "symlink"))
		result = symlink(victim, path);
	else if (!strcmp(kind, "fifo"))
		result = mkfifo(path, 0666);
	else if (!strcmp(kind, "directory"))
		result = mkdir(path, 0777);
	else
		result = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
	if (result < 0)
		cannot_attack(path);
}

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 4);
	(void)umask(0);   /* whoever is fooled can write there */
	if (!strcmp(argv[3], "linked-directory")) {
		if (symlink(argv[4], ATTACK_DIR))
			cannot_attack(ATTACK_DIR);
		return 0;
	}
	for (size_t i = 0; i < NAMES; i++)
		plant(ATTACK_DIR, names[i], argv[3], argv[4]);
	return 0;
}
