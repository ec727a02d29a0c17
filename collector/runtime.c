/* runtime.c - what the collector publishes under its runtime directory */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83   /* include/uapi/asm-generic/socket.h, 6.16 */
#endif

#define DIR_MODE 0750
#define FILE_MODE 0440
#define SOCKET_UMASK 0117   /* leaves 0660 */
#define BACKLOG 64

static const struct {
	const char *name;
	const char *temporary;
	mode_t type;
} entries[RUNTIME_ENTRIES] = {
	[RUNTIME_RING]    = { "ring",           "ring.new",           S_IFREG },
	[RUNTIME_SYMBOLS] = { "symbols",        "symbols.new",        S_IFREG },
	[RUNTIME_SOCKET]  = { "collector.sock", "collector.sock.new", S_IFSOCK },
};

struct runtime {
	const char *path;
	uid_t uid;
	bool made;                     /* the directory, by us */
	int dir_fd;                    /* O_PATH */
	bool published[RUNTIME_ENTRIES];
	struct stat ours[RUNTIME_ENTRIES];
	bool made_new[RUNTIME_ENTRIES];     /* waits under its temporary name */
	struct stat fresh[RUNTIME_ENTRIES];
};

static int make_dir(struct runtime *r)
{
	mode_t before = umask(0);
	int err = mkdir(r->path, DIR_MODE) ? errno : 0;

	(void)umask(before);
	if (!err) {
		r->made = true;
		return 0;
	}
	if (err == EEXIST)
		return 0;
	log_error("cannot make %s: %s: name another directory with --runtime-dir", r->path,
		  strerror(err));
	return EXIT_ERR(err == EACCES || err == EPERM ? EX_NOPERM : EX_CANTCREAT);
}

static int open_dir(struct runtime *r)
{
	struct stat st;
	int err;

	r->dir_fd = open(r->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->dir_fd >= 0)
		return 0;
	err = errno;
	if (!lstat(r->path, &st) && !S_ISDIR(st.st_mode))
		log_error("%s is not a directory%s: remove it, or name another with --runtime-dir",
			  r->path, S_ISLNK(st.st_mode) ? " but a link" : "");
	else
		log_error("cannot open %s: %s: name another directory with --runtime-dir", r->path,
			  strerror(err));
	return EXIT_ERR(EX_CANTCREAT);
}

/* What lies in the directory can be believed if nobody else may write there. */
static int check_dir(const struct runtime *r)
{
	struct stat st;

	if (fstat(r->dir_fd, &st)) {
		log_error("cannot look at %s: %s", r->path, strerror(errno));
		return EXIT_ERR(EX_CANTCREAT);
	}
	if (st.st_uid != r->uid) {
		log_error("%s belongs to uid %u, not to the collector's uid %u: remove it, or name "
			  "another with --runtime-dir", r->path, st.st_uid, r->uid);
		return EXIT_ERR(EX_NOPERM);
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		log_error("%s can be written by others (mode %03o): remove it, or chmod it to %03o",
			  r->path, st.st_mode & 0777, DIR_MODE);
		return EXIT_ERR(EX_NOPERM);
	}
	return 0;
}

/* Just made, as root perhaps. */
static int give_dir(const struct runtime *r, gid_t gid)
{
	if (!r->made || geteuid())
		return 0;
	if (!fchownat(r->dir_fd, "", r->uid, gid, AT_EMPTY_PATH))
		return 0;
	log_error("cannot give %s to uid %u: %s: make it beforehand, of that user", r->path, r->uid,
		  strerror(errno));
	return EXIT_ERR(EX_NOPERM);
}

static void warn_of_disk(const struct runtime *r)
{
	struct statfs fs;

	if (!fstatfs(r->dir_fd, &fs) && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
		log_warn("%s is not on tmpfs: the ring will be written to a disk again and again: "
			 "better name a --runtime-dir that is, such as /dev/shm/netto", r->path);
}

int runtime_open(struct runtime **runtime, const char *path, uid_t uid, gid_t gid)
{
	struct runtime *r;
	int err;

	r = calloc(1, sizeof(*r));
	if (!r) {
		log_error("cannot open %s: %s", path, strerror(ENOMEM));
		return EXIT_ERR(EX_SOFTWARE);
	}
	r->path = path;
	r->uid = uid;
	r->dir_fd = -1;
	err = make_dir(r);
	if (!err)
		err = open_dir(r);
	if (!err)
		err = give_dir(r, gid);
	if (!err)
		err = check_dir(r);
	if (err) {
		runtime_close(r);
		return err;
	}
	warn_of_disk(r);
	*runtime = r;
	return 0;
}

/* The directory by its descriptor: a path of any length, and no other one that
 * took its place meanwhile. */
static int socket_address(const struct runtime *r, const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s",
		     r->dir_fd, name) >= (int)sizeof(address->sun_path))
		return -ENAMETOOLONG;
	return 0;
}

/* Only a living process accepts: a stale socket refuses. */
static bool collector_lives(const struct runtime *r)
{
	struct sockaddr_un address;
	bool lives;
	int fd;

	if (socket_address(r, entries[RUNTIME_SOCKET].name, &address))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	lives = !connect(fd, (struct sockaddr *)&address, sizeof(address)) || errno == EAGAIN;
	close(fd);
	return lives;
}

/* Nothing there, or something that a collector of this user may have left. */
static int check_entry(const struct runtime *r, const char *name, mode_t type)
{
	struct stat st;

	if (fstatat(r->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return 0;
		log_error("cannot look at %s/%s: %s", r->path, name, strerror(errno));
		return EXIT_ERR(EX_CANTCREAT);
	}
	if ((st.st_mode & S_IFMT) != type) {
		log_error("%s/%s is %s, not what a collector left there: remove it", r->path, name,
			  S_ISLNK(st.st_mode) ? "a link" : "of another kind");
		return EXIT_ERR(EX_CANTCREAT);
	}
	if (st.st_uid != r->uid) {
		log_error("%s/%s belongs to uid %u, not to the collector's uid %u: remove it",
			  r->path, name, st.st_uid, r->uid);
		return EXIT_ERR(EX_NOPERM);
	}
	return 0;
}

static int remove_stale(const struct runtime *r, const char *name)
{
	if (!unlinkat(r->dir_fd, name, 0) || errno == ENOENT)
		return 0;
	log_error("cannot remove the stale %s/%s: %s", r->path, name, strerror(errno));
	return EXIT_ERR(EX_CANTCREAT);
}

int runtime_clean(struct runtime *r)
{
	int err = 0;

	for (int i = 0; i < RUNTIME_ENTRIES && !err; i++) {
		err = check_entry(r, entries[i].name, entries[i].type);
		if (!err)
			err = check_entry(r, entries[i].temporary, entries[i].type);
	}
	if (!err && collector_lives(r)) {
		log_error("a collector already runs in %s: see it with \"netto top\", or name "
			  "another directory with --runtime-dir", r->path);
		err = EXIT_ERR(EX_UNAVAILABLE);
	}
	for (int i = 0; i < RUNTIME_ENTRIES && !err; i++) {
		err = remove_stale(r, entries[i].name);
		if (!err)
			err = remove_stale(r, entries[i].temporary);
	}
	return err;
}

/* Remember what was just made under its temporary name. */
static int remember(struct runtime *r, enum runtime_entry entry)
{
	if (fstatat(r->dir_fd, entries[entry].temporary, &r->fresh[entry], AT_SYMLINK_NOFOLLOW))
		return -errno;
	r->made_new[entry] = true;
	return 0;
}

int runtime_create(struct runtime *r, enum runtime_entry entry)
{
	const mode_t before = umask(0);
	int fd = openat(r->dir_fd, entries[entry].temporary,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	int err = fd < 0 ? -errno : remember(r, entry);

	(void)umask(before);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

/* A descriptor sent to us could hold us up when it is closed (a lingering TCP
 * socket); from 6.16 a socket can refuse all of them. */
static int bind_socket(const struct runtime *r, int fd)
{
	struct sockaddr_un address;
	const int no = 0;
	int err = socket_address(r, entries[RUNTIME_SOCKET].temporary, &address);

	if (err)
		return err;
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, BACKLOG))
		return -errno;
	return 0;
}

int runtime_listen(struct runtime *r)
{
	const mode_t before = umask(SOCKET_UMASK);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = fd < 0 ? -errno : bind_socket(r, fd);

	(void)umask(before);
	if (!err)
		err = remember(r, RUNTIME_SOCKET);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

int runtime_publish(struct runtime *r, enum runtime_entry entry)
{
	if (renameat(r->dir_fd, entries[entry].temporary, r->dir_fd, entries[entry].name))
		return -errno;
	r->ours[entry] = r->fresh[entry];
	r->published[entry] = true;
	r->made_new[entry] = false;
	return 0;
}

int runtime_dir(const struct runtime *r)
{
	return r->dir_fd;
}

bool runtime_made(const struct runtime *r)
{
	return r->made;
}

static bool is_inode(const struct runtime *r, const char *name, const struct stat *wanted)
{
	struct stat st;

	return !fstatat(r->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       st.st_dev == wanted->st_dev && st.st_ino == wanted->st_ino;
}

void runtime_discard(struct runtime *r, enum runtime_entry entry)
{
	const char *name = entries[entry].temporary;

	if (r->made_new[entry] && is_inode(r, name, &r->fresh[entry]))
		(void)unlinkat(r->dir_fd, name, 0);
	r->made_new[entry] = false;
}

bool runtime_intact(const struct runtime *r)
{
	for (int i = 0; i < RUNTIME_ENTRIES; i++)
		if (r->published[i] && !is_inode(r, entries[i].name, &r->ours[i]))
			return false;
	return true;
}

void runtime_close(struct runtime *r)
{
	if (!r)
		return;
	for (int i = RUNTIME_ENTRIES - 1; i >= 0; i--) {
		runtime_discard(r, i);
		if (r->published[i] && is_inode(r, entries[i].name, &r->ours[i]))
			(void)unlinkat(r->dir_fd, entries[i].name, 0);
	}
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	/* not possible in a parent such as /run: then an empty one stays for the next time */
	if (r->made)
		(void)rmdir(r->path);
	free(r);
}
