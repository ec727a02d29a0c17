/* runtime_files.c - what a collector publishes, opened with distrust */
#include "runtime_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

int runtime_dir_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool trusted(int dir_fd, uid_t uid)
{
	struct stat dir;

	return uid == 0 || (!fstat(dir_fd, &dir) && uid == dir.st_uid);
}

static int check_file(int dir_fd, int fd, off_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (!trusted(dir_fd, st.st_uid) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	*bytes = st.st_size;
	return 0;
}

int runtime_file_open(int dir_fd, const char *name, off_t *bytes)
{
	/* a FIFO without a writer would hold us up */
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = check_file(dir_fd, fd, bytes);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* connect() follows links and has no *at variant: hold the very inode that was
 * looked at, and name it by its descriptor. */
static int hold_socket(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (S_ISLNK(st.st_mode))
		err = -ELOOP;
	else if (!S_ISSOCK(st.st_mode))
		err = -EINVAL;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int connect_held(int dir_fd, int held)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(struct ucred);
	struct ucred peer;
	int fd, err = 0;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", held);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
		err = -errno;
	else if (!trusted(dir_fd, peer.uid))
		err = -EPERM;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int runtime_socket_connect(int dir_fd, const char *name)
{
	int held = hold_socket(dir_fd, name);
	int fd;

	if (held < 0)
		return held;
	fd = connect_held(dir_fd, held);
	close(held);
	return fd;
}

bool runtime_file_shrunk(int fd, off_t bytes)
{
	struct stat st;

	return fstat(fd, &st) || st.st_size < bytes;
}

/* "7a1c9f52-....", 32 hexadecimal digits */
static int parse_boot_id(const char *text, uint8_t boot_id[static 16])
{
	uint8_t id[16];

	for (int i = 0; i < 16; i++) {
		unsigned int byte;

		text += *text == '-';
		if (sscanf(text, "%2x", &byte) != 1)
			return -EPROTO;
		id[i] = (uint8_t)byte;
		text += 2;
	}
	memcpy(boot_id, id, sizeof(id));
	return 0;
}

int boot_id_read(uint8_t boot_id[static 16])
{
	char text[64] = "";
	int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n < 36 ? -EPROTO : parse_boot_id(text, boot_id);
}
