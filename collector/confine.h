/* collector/confine.h - the files that are left to the collector (landlock(7))
 *
 * The filter of system calls sees the number of a directory's descriptor but not
 * the path beside it, and an absolute path, or one with "..", leads out of that
 * directory. This binds the paths.
 */
#ifndef NETTO_COLLECTOR_CONFINE_H
#define NETTO_COLLECTOR_CONFINE_H

#include <stdbool.h>

struct confine_files {
	int runtime_dir;     /* where it publishes */
	bool removes_dir;    /* at the end: then empty directories beside that can go */
};

/* Leave this thread and those that it starts later what publishing in runtime_dir
 * needs, and beside that reading below tasks_dir; no other file, and no TCP port;
 * and see that it holds. Needs no_new_privs. Stores in *missing whether this kernel
 * or container has no Landlock; then nothing is limited. 0; -EPROTO: entered, and
 * yet it does not hold; -errno. */
int confine_enter(const struct confine_files *files, int tasks_dir, bool *missing);

#endif
