/* landlock.c - which files and ports this process may use (landlock(7))
 *
 * Kernels learn to forbid more from version to version of the interface; what
 * one cannot forbid must not be named to it. Headers may be older than the
 * kernel: what came after 5.19 is defined here.
 */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ull << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ull << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ull << 1)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ull << 1)
#endif
#define RULE_NET_PORT 2   /* LANDLOCK_RULE_NET_PORT, of an enum */

/* As the kernel has them since 6.12; an older one takes the longer struct if
 * what it does not know is 0. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

#define FILES_OF_FIRST_ABI (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1)   /* all bits up to that */
#define READ_USE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define CHANGE_USE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
		    LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define USE_OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
		       LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV)

static const uint64_t uses[] = {
	[LANDLOCK_READ] = READ_USE,
	[LANDLOCK_WRITE] = READ_USE | CHANGE_USE | LANDLOCK_ACCESS_FS_TRUNCATE |
			   LANDLOCK_ACCESS_FS_IOCTL_DEV,
	[LANDLOCK_PUBLISH] = LANDLOCK_ACCESS_FS_READ_FILE | CHANGE_USE | LANDLOCK_ACCESS_FS_MAKE_SOCK,
	[LANDLOCK_UNMAKE] = LANDLOCK_ACCESS_FS_REMOVE_DIR,
};

/* What can be forbidden, and the version that learned it. */
static const struct {
	int abi;
	struct ruleset_attr adds;
} versions[] = {
	{ 1, { .handled_access_fs = FILES_OF_FIRST_ABI } },                      /* 5.13 */
	{ 2, { .handled_access_fs = LANDLOCK_ACCESS_FS_REFER } },                /* 5.19 */
	{ 3, { .handled_access_fs = LANDLOCK_ACCESS_FS_TRUNCATE } },             /* 6.2 */
	{ 4, { .handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP |
				     LANDLOCK_ACCESS_NET_CONNECT_TCP } },        /* 6.7 */
	{ 5, { .handled_access_fs = LANDLOCK_ACCESS_FS_IOCTL_DEV } },            /* 6.10 */
	{ 6, { .scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET |
			 LANDLOCK_SCOPE_SIGNAL } },                              /* 6.12 */
};

struct landlock {
	int fd;
	struct ruleset_attr forbidden;
};

int landlock_open(struct landlock **out)
{
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock *l;
	int err;

	if (abi < 0)
		return -errno;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (versions[i].abi > abi)
			continue;
		l->forbidden.handled_access_fs |= versions[i].adds.handled_access_fs;
		l->forbidden.handled_access_net |= versions[i].adds.handled_access_net;
		l->forbidden.scoped |= versions[i].adds.scoped;
	}
	l->fd = (int)syscall(SYS_landlock_create_ruleset, &l->forbidden, sizeof(l->forbidden), 0);
	if (l->fd < 0) {
		err = -errno;
		landlock_close(l);
		return err;
	}
	*out = l;
	return 0;
}

int landlock_allow_fd(struct landlock *l, int fd, enum landlock_use use)
{
	struct landlock_path_beneath_attr rule = {
		.parent_fd = fd,
		.allowed_access = uses[use] & l->forbidden.handled_access_fs,
	};
	struct stat st;

	if (!fstat(fd, &st) && !S_ISDIR(st.st_mode))
		rule.allowed_access &= USE_OF_A_FILE;
	if (syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) &&
	    errno != EBADFD)
		return -errno;
	return 0;
}

int landlock_allow(struct landlock *l, const char *path, enum landlock_use use)
{
	const int fd = open(path, O_PATH | O_CLOEXEC);
	int err;

	if (fd < 0)
		return 0;
	err = landlock_allow_fd(l, fd, use);
	close(fd);
	return err;
}

int landlock_allow_port(struct landlock *l, enum landlock_port use, uint16_t port)
{
	const struct net_port_attr rule = {
		.allowed_access = use == LANDLOCK_BIND ? LANDLOCK_ACCESS_NET_BIND_TCP :
							 LANDLOCK_ACCESS_NET_CONNECT_TCP,
		.port = port,
	};

	if (!landlock_limits_ports(l))
		return 0;
	return syscall(SYS_landlock_add_rule, l->fd, RULE_NET_PORT, &rule, 0) ? -errno : 0;
}

int landlock_enter(const struct landlock *l)
{
	return syscall(SYS_landlock_restrict_self, l->fd, 0) ? -errno : 0;
}

bool landlock_limits_ports(const struct landlock *l)
{
	return l->forbidden.handled_access_net != 0;
}

void landlock_close(struct landlock *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}
