/* deploy/launcher/runtime_dir.h - the place where collector and aggregators meet
 *
 * A directory 0750 of the collector's user and group, on tmpfs: the ring is
 * written through mmap, which on a disk would be written out again and again.
 * Where it is not on tmpfs one is mounted over it, and goes away at the end.
 */
#ifndef NETTO_LAUNCHER_RUNTIME_DIR_H
#define NETTO_LAUNCHER_RUNTIME_DIR_H

#include <stdbool.h>
#include <sys/types.h>

struct runtime_dir {
	const char *path;   /* the caller's */
	bool made;          /* by us: removed at the end */
	bool mounted;       /* by us, or left by a netto that was killed: unmounted at the end */
};

/* Make the directory ready for a collector of that uid and gid. Refuses what
 * somebody else could have planted, and a directory in which a collector
 * lives. Says its own error; 0 or EXIT_ERR(). */
int runtime_dir_open(struct runtime_dir *dir, const char *path, uid_t uid, gid_t gid);

/* Group of an existing runtime directory, for one more consumer. Says its own
 * error; 0 or EXIT_ERR(). */
int runtime_dir_group(const char *path, gid_t *gid);

/* Whether the collector has published its socket. */
bool runtime_dir_is_ready(const struct runtime_dir *dir);

/* Unmount and remove what runtime_dir_open() brought; safe after its failure. */
void runtime_dir_close(struct runtime_dir *dir);

#endif
