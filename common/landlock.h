/* common/landlock.h - which files and ports this process may use (landlock(7))
 *
 * A ruleset is gathered, then put into force for this thread and those that it
 * starts later. What is open already stays usable.
 */
#ifndef NETTO_COMMON_LANDLOCK_H
#define NETTO_COMMON_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum landlock_use {
	LANDLOCK_READ,    /* files, and names in directories */
	LANDLOCK_WRITE,   /* that, and make, write, rename and remove files */
	LANDLOCK_PUBLISH, /* make, read, write, rename and remove files, rename and remove sockets */
	LANDLOCK_UNMAKE,  /* remove directories, as far as they are empty */
};

enum landlock_port { LANDLOCK_BIND, LANDLOCK_CONNECT };

struct landlock;

/* A ruleset that allows nothing. 0; -ENOSYS or -EOPNOTSUPP: this kernel has no
 * Landlock, or has it off; -errno. */
int landlock_open(struct landlock **landlock);

/* Allow use of path, a file or all below a directory. What does not exist, or is
 * not to be found by name (a pipe), is left out. 0; -errno. */
int landlock_allow(struct landlock *landlock, const char *path, enum landlock_use use);

/* The same for what fd is open on, also with O_PATH. */
int landlock_allow_fd(struct landlock *landlock, int fd, enum landlock_use use);

/* Allow a TCP port, where the kernel can forbid the others. 0; -errno. */
int landlock_allow_port(struct landlock *landlock, enum landlock_port use, uint16_t port);

/* Put it into force; needs no_new_privs. 0; -errno. */
int landlock_enter(const struct landlock *landlock);

/* Whether ports are limited too: since 6.7. */
bool landlock_limits_ports(const struct landlock *landlock);

/* Takes NULL. */
void landlock_close(struct landlock *landlock);

#endif
