/* confine.c - the files that are left to the collector */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "landlock.h"

/* rmdir() needs the right in the directory above, and Landlock's rights hold for
 * all that is below: other empty directories of this user there can go too. */
static int allow_unmaking(struct landlock *l, int runtime_dir)
{
	const int above = openat(runtime_dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (above < 0)
		return 0;   /* it stays, then, and the next collector finds it */
	err = landlock_allow_fd(l, above, LANDLOCK_UNMAKE);
	close(above);
	return err;
}

/* The directory is our own user's, who may list it; Landlock alone says no. */
static int check_hold(int runtime_dir)
{
	const int fd = openat(runtime_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES ? 0 : -errno;
	close(fd);
	return -EPROTO;
}

int confine_enter(const struct confine_files *files, int tasks_dir, bool *missing)
{
	struct landlock *l = NULL;
	int err = landlock_open(&l);

	/* EPERM: a container's filter that knows nothing of it */
	*missing = err == -ENOSYS || err == -EOPNOTSUPP || err == -EPERM;
	if (err)
		return *missing ? 0 : err;
	err = landlock_allow_fd(l, files->runtime_dir, LANDLOCK_PUBLISH);
	if (!err)
		err = landlock_allow_fd(l, tasks_dir, LANDLOCK_READ);
	if (!err && files->removes_dir)
		err = allow_unmaking(l, files->runtime_dir);
	if (!err)
		err = landlock_enter(l);
	if (!err)
		err = check_hold(files->runtime_dir);
	landlock_close(l);
	return err;
}
