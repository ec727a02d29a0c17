/* runtime_dir.c - the place where collector and aggregators meet */
#include "runtime_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "exit_status.h"
#include "log.h"

#define DIR_MODE 0750
#define MOUNT_SOURCE "netto"      /* by which a mount of ours is known again */
#define MOUNT_OPTIONS "mode=0750,size=64m,nr_inodes=64"   /* ring, and two symbol tables while one replaces the other */

static int socket_path(char *out, size_t bytes, const char *path)
{
	int n = snprintf(out, bytes, "%s/collector.sock", path);

	return n < 0 || (size_t)n >= bytes ? -ENAMETOOLONG : 0;
}

/* Only a living process accepts: a stale socket refuses. */
static bool collector_lives(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool lives;
	int fd;

	if (socket_path(address.sun_path, sizeof(address.sun_path), path))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	lives = !connect(fd, (struct sockaddr *)&address, sizeof(address)) || errno == EAGAIN;
	close(fd);
	return lives;
}

static bool is_memory(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* A mount that an earlier netto left when it was killed: its source names it. */
static bool is_our_mount(const char *path)
{
	char line[1024], real[PATH_MAX], at[512], source[64];
	bool ours = false;
	FILE *mounts;

	if (!realpath(path, real))
		return false;
	mounts = fopen("/proc/self/mounts", "re");
	if (!mounts)
		return false;
	while (fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%63s %511s", source, at) == 2 && !strcmp(at, real))
			ours = !strcmp(source, MOUNT_SOURCE);
	fclose(mounts);
	return ours;
}

/* A directory, no link, of root or the collector, that nobody else can write. */
static int check_owner(const char *path, uid_t uid)
{
	struct stat st;

	if (lstat(path, &st)) {
		log_error("cannot look at %s: %s", path, strerror(errno));
		return EXIT_ERR(EX_CANTCREAT);
	}
	if (!S_ISDIR(st.st_mode)) {
		log_error("%s is not a directory%s: name another with --runtime-dir", path,
			  S_ISLNK(st.st_mode) ? " but a link" : "");
		return EXIT_ERR(EX_CANTCREAT);
	}
	if (st.st_uid != 0 && st.st_uid != uid) {
		log_error("%s belongs to uid %u: the runtime directory has to be root's or the "
			  "collector's: remove it or name another with --runtime-dir", path, st.st_uid);
		return EXIT_ERR(EX_NOPERM);
	}
	return 0;
}

static int mount_memory(struct runtime_dir *dir)
{
	if (is_our_mount(dir->path))
		dir->mounted = dir->made = true;
	if (is_memory(dir->path))
		return 0;
	if (mount(MOUNT_SOURCE, dir->path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  MOUNT_OPTIONS)) {
		log_error("cannot mount tmpfs on %s: %s: name a --runtime-dir that is on tmpfs, such "
			  "as /dev/shm/netto", dir->path, strerror(errno));
		return EXIT_ERR(EX_CANTCREAT);
	}
	dir->mounted = true;
	return 0;
}

/* Through a descriptor: between a check and a chown by name a path can change. */
static int give_to_collector(const char *path, uid_t uid, gid_t gid)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || fchown(fd, uid, gid) || fchmod(fd, DIR_MODE)) {
		log_error("cannot give %s to the collector: %s", path, strerror(errno));
		err = EXIT_ERR(EX_CANTCREAT);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

int runtime_dir_open(struct runtime_dir *dir, const char *path, uid_t uid, gid_t gid)
{
	int err;

	*dir = (struct runtime_dir){ .path = path };
	if (collector_lives(path)) {
		log_error("a collector already runs in %s: see it with \"netto top\", or name another "
			  "directory with --runtime-dir", path);
		return EXIT_ERR(EX_UNAVAILABLE);
	}
	if (!mkdir(path, DIR_MODE)) {
		dir->made = true;
	} else if (errno != EEXIST) {
		log_error("cannot make %s: %s: name another directory with --runtime-dir", path,
			  strerror(errno));
		return EXIT_ERR(EX_CANTCREAT);
	}
	err = check_owner(path, uid);
	if (!err)
		err = mount_memory(dir);
	if (!err)
		err = give_to_collector(path, uid, gid);
	return err;
}

int runtime_dir_group(const char *path, gid_t *gid)
{
	struct stat st;

	if (stat(path, &st)) {
		log_error("cannot look at %s: %s: is netto running, and does it use this "
			  "--runtime-dir?", path, strerror(errno));
		return EXIT_ERR(errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE);
	}
	*gid = st.st_gid;
	return 0;
}

bool runtime_dir_is_ready(const struct runtime_dir *dir)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;

	return !socket_path(path, sizeof(path), dir->path) && !stat(path, &st);
}

/* A collector that was killed leaves its files. Only these names, and only in
 * a directory that is ours. */
static void remove_leftovers(const char *path)
{
	static const char *const names[] = { "ring", "symbols", "collector.sock" };
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(fd, names[i], 0);   /* mostly gone already */
	close(fd);
}

void runtime_dir_close(struct runtime_dir *dir)
{
	if (!dir->path)
		return;
	/* Another consumer may still hold a file open: detach, the kernel does the rest. */
	if (dir->mounted && umount2(dir->path, MNT_DETACH))
		log_warn("cannot unmount %s: %s", dir->path, strerror(errno));
	if (dir->made) {
		remove_leftovers(dir->path);
		(void)rmdir(dir->path);   /* stays if somebody else has put something there */
	}
	dir->path = NULL;
}
