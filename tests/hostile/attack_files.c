/* attack_files.c - change what the collector publishes: ring and symbols
 *
 * hostile_files DIR SECONDS write|truncate|remap|reopen|directory: one kind a
 * run. Whatever a weaker file would allow is tried on the best descriptor that
 * can be had of this one.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

struct target {
	const char *dir;
	char path[256];
	int fd;               /* for writing if that can be had */
	char self[64];        /* its name by descriptor */
	off_t bytes;
	char *map;            /* read-only, as an honest reader has it */
	char source[64];      /* a file of the attacker's */
};

static long try_write(struct target *t) { return write(t->fd, "x", 1); }
static long try_pwrite(struct target *t) { return pwrite(t->fd, "x", 1, t->bytes - 1); }

static long try_append(struct target *t)
{
	return pwritev2(t->fd, &(struct iovec){ "x", 1 }, 1, 0, RWF_APPEND);
}

static long try_splice(struct target *t)
{
	loff_t at = t->bytes - 1;
	int ends[2];
	long result;

	if (pipe(ends) || write(ends[1], "x", 1) != 1)
		return -1;
	result = splice(ends[0], NULL, t->fd, &at, 1, 0);
	close(ends[0]);
	close(ends[1]);
	return result;
}

static long copy_from_source(struct target *t, bool whole)
{
	int from = open(t->source, O_RDONLY);
	loff_t at = t->bytes - 1;
	long result = from < 0 ? -1 : whole ? copy_file_range(from, NULL, t->fd, &at, 1, 0)
					    : sendfile(t->fd, from, NULL, 1);

	if (from >= 0)
		close(from);
	return result;
}

static long try_sendfile(struct target *t) { return copy_from_source(t, false); }
static long try_copy(struct target *t) { return copy_from_source(t, true); }

static long try_punch(struct target *t)
{
	return fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}

static long try_zero(struct target *t) { return fallocate(t->fd, FALLOC_FL_ZERO_RANGE, 0, 4096); }
static long try_remove(struct target *t) { return madvise(t->map, 4096, MADV_REMOVE); }
static long try_grow(struct target *t) { return ftruncate(t->fd, t->bytes * 2); }
static long try_cut(struct target *t) { return truncate(t->path, 0); }
static long try_fcut(struct target *t) { return ftruncate(t->fd, 4096); }

static long try_map(struct target *t)
{
	char *map = mmap(NULL, (size_t)t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);

	if (map == MAP_FAILED)
		return -1;
	map[t->bytes - 1] ^= 1;
	return munmap(map, (size_t)t->bytes);
}

static long try_protect(struct target *t)
{
	return mprotect(t->map, 4096, PROT_READ | PROT_WRITE);
}

/* Longer than the file is no harm; writable would be. */
static long try_move(struct target *t)
{
	void *moved = mremap(t->map, 4096, 8192, MREMAP_MAYMOVE);
	long result;

	if (moved == MAP_FAILED)
		return -1;
	result = mprotect(moved, 8192, PROT_WRITE);
	t->map = mmap(NULL, (size_t)t->bytes, PROT_READ, MAP_SHARED, t->fd, 0);
	return result;
}

/* FOLL_FORCE writes to private mappings only. */
static long try_own_memory(struct target *t)
{
	int fd = open("/proc/self/mem", O_RDWR);
	long result = fd < 0 ? -1 : pwrite(fd, "x", 1, (off_t)(uintptr_t)t->map);

	if (fd >= 0)
		close(fd);
	return result;
}

static long try_vm_write(struct target *t)
{
	struct iovec from = { "x", 1 }, to = { t->map, 1 };

	return process_vm_writev(getpid(), &from, 1, &to, 1, 0);
}

static long open_and_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

static long try_open_write(struct target *t) { return open_and_close(t->path, O_WRONLY); }
static long try_open_both(struct target *t) { return open_and_close(t->path, O_RDWR); }
static long try_open_append(struct target *t)
{
	return open_and_close(t->path, O_WRONLY | O_APPEND);
}

static long try_open_cut(struct target *t) { return open_and_close(t->path, O_RDONLY | O_TRUNC); }
static long try_reopen(struct target *t) { return open_and_close(t->self, O_RDWR); }
static long try_reopen_cut(struct target *t) { return open_and_close(t->self, O_WRONLY | O_TRUNC); }
static long try_chmod(struct target *t) { return chmod(t->path, 0666); }
static long try_fchmod(struct target *t) { return fchmod(t->fd, 0666); }
static long try_chown(struct target *t) { return chown(t->path, getuid(), (gid_t)-1); }
static long try_lease(struct target *t) { return fcntl(t->fd, F_SETLEASE, F_RDLCK); }
static long try_seal(struct target *t) { return fcntl(t->fd, F_ADD_SEALS, F_SEAL_WRITE); }
static long try_xattr(struct target *t) { return setxattr(t->path, "user.x", "x", 1, 0); }
static long try_times(struct target *t)
{
	const struct timespec both[2] = { { 0 } };

	return utimensat(AT_FDCWD, t->path, both, 0);
}

static const char *inside(const struct target *t, const char *name)
{
	static char path[2][256];
	static int next;

	next = !next;
	snprintf(path[next], sizeof(path[next]), "%s/%s", t->dir, name);
	return path[next];
}

static long try_create(struct target *t)
{
	return open(inside(t, "x"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
}

static long try_mkdir(struct target *t) { return mkdir(inside(t, "d"), 0700); }
static long try_symlink(struct target *t) { return symlink(t->source, inside(t, "ring.new")); }
static long try_link(struct target *t) { return link(t->source, inside(t, "symbols.new")); }
static long try_rename_in(struct target *t) { return rename(t->source, inside(t, "ring.new")); }
static long try_chmod_dir(struct target *t) { return chmod(t->dir, 0777); }
static long try_rename_dir(struct target *t) { return rename(t->dir, "/dev/shm/moved-away"); }
static long try_rmdir(struct target *t) { return rmdir(t->dir); }
static long try_mount(struct target *t) { return mount("x", t->dir, "tmpfs", 0, NULL); }
static long try_bind(struct target *t)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/collector.sock.new", t->dir);
	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static long try_rename_out(struct target *t)
{
	return rename(inside(t, "collector.sock"), inside(t, "was.sock"));
}

static long try_unlink(struct target *t) { return unlink(t->path); }

/* In an order in which one that gets through does not spoil the next. */
static const struct {
	const char *kind;
	const char *what;
	long (*run)(struct target *target);
} attempts[] = {
	{ "write", "write()", try_write },
	{ "write", "pwrite()", try_pwrite },
	{ "write", "splice()", try_splice },
	{ "write", "sendfile()", try_sendfile },
	{ "write", "copy_file_range()", try_copy },
	{ "write", "append", try_append },
	{ "truncate", "zero range", try_zero },
	{ "truncate", "punch a hole", try_punch },
	{ "truncate", "MADV_REMOVE", try_remove },
	{ "truncate", "grow", try_grow },
	{ "truncate", "ftruncate()", try_fcut },
	{ "truncate", "truncate()", try_cut },
	{ "remap", "map it writable", try_map },
	{ "remap", "make the mapping writable", try_protect },
	{ "remap", "move the mapping and make it writable", try_move },
	{ "remap", "write through /proc/self/mem", try_own_memory },
	{ "remap", "process_vm_writev() to the mapping", try_vm_write },
	{ "reopen", "open for writing", try_open_write },
	{ "reopen", "open for both", try_open_both },
	{ "reopen", "open for appending", try_open_append },
	{ "reopen", "reopen by /proc/self/fd", try_reopen },
	{ "reopen", "chmod()", try_chmod },
	{ "reopen", "fchmod()", try_fchmod },
	{ "reopen", "chown()", try_chown },
	{ "reopen", "a lease", try_lease },
	{ "reopen", "a seal", try_seal },
	{ "reopen", "an attribute", try_xattr },
	{ "reopen", "its times", try_times },
	{ "reopen", "reopen and cut it", try_reopen_cut },
	{ "reopen", "open and cut it", try_open_cut },
	{ "directory", "make a file", try_create },
	{ "directory", "make a directory", try_mkdir },
	{ "directory", "plant a link", try_symlink },
	{ "directory", "plant a hard link", try_link },
	{ "directory", "bind a socket", try_bind },
	{ "directory", "move a file in", try_rename_in },
	{ "directory", "chmod it", try_chmod_dir },
	{ "directory", "mount over it", try_mount },
	{ "directory", "move it away", try_rename_dir },
	{ "directory", "remove it", try_rmdir },
	{ "directory", "move the socket away", try_rename_out },
	{ "directory", "unlink a file", try_unlink },
};

static void make_source(struct target *t)
{
	int fd;

	snprintf(t->source, sizeof(t->source), "/dev/shm/hostile-source-XXXXXX");
	fd = mkstemp(t->source);
	if (fd < 0 || write(fd, "hostile", 7) != 7)
		cannot_attack("no file of my own");
	close(fd);
}

static void open_target(struct target *t, const char *dir, const char *name)
{
	struct stat st;

	t->dir = dir;
	snprintf(t->path, sizeof(t->path), "%s/%s", dir, name);
	t->fd = open(t->path, O_RDWR | O_CLOEXEC);
	if (t->fd < 0)
		t->fd = open(t->path, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0 || fstat(t->fd, &st))
		cannot_attack(t->path);
	t->bytes = st.st_size;
	t->map = mmap(NULL, (size_t)t->bytes, PROT_READ, MAP_SHARED, t->fd, 0);
	if (t->map == MAP_FAILED)
		cannot_attack("no mapping");
	snprintf(t->self, sizeof(t->self), "/proc/self/fd/%d", t->fd);
	make_source(t);
}

static void attack(const char *dir, const char *name, const char *kind)
{
	struct target t;

	open_target(&t, dir, name);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (!strcmp(attempts[i].kind, kind))
			attempt(attempts[i].what, attempts[i].run(&t));
	munmap(t.map, (size_t)t.bytes);
	close(t.fd);
	(void)unlink(t.source);
}

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 3);
	attack(ATTACK_DIR, "symbols", argv[3]);
	attack(ATTACK_DIR, "ring", argv[3]);
	return attack_end();
}
