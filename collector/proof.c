/* proof.c - what the kernel says of this process, held against the promise */
#include "proof.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exit_status.h"
#include "log.h"

#define STATUS_BYTES_MAX 8192

int proof_open(struct proof *p)
{
	p->count = 0;
	p->tasks_dir = open("/proc/self/task", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return p->tasks_dir < 0 ? -errno : 0;
}

static int open_status(const struct proof *p, const char *thread)
{
	char path[64];
	int fd;

	if (snprintf(path, sizeof(path), "%s/status", thread) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(p->tasks_dir, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static DIR *list_threads(const struct proof *p)
{
	const int fd = openat(p->tasks_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *threads = fd < 0 ? NULL : fdopendir(fd);

	if (!threads && fd >= 0)
		close(fd);
	return threads;
}

int proof_gather(struct proof *p)
{
	DIR *threads = list_threads(p);
	struct dirent *entry;
	int fd = 0;

	if (!threads)
		return -errno;
	while (fd >= 0 && (entry = readdir(threads))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = p->count < PROOF_THREADS_MAX ? open_status(p, entry->d_name) : -E2BIG;
		if (fd >= 0)
			p->fds[p->count++] = fd;
	}
	closedir(threads);
	if (fd >= 0)
		return 0;
	proof_release(p);
	return fd;
}

static int say_broken(const char *who, const char *broken)
{
	if (!broken)
		return 0;
	log_error("cannot give up all privilege: %s still has \"%s\"", who, broken);
	return EXIT_ERR(EX_SOFTWARE);
}

/* Uses no call that the filter forbids. */
static int check_thread(int fd, const struct promise *promise)
{
	char status[STATUS_BYTES_MAX];
	const ssize_t bytes = pread(fd, status, sizeof(status) - 1, 0);

	if (bytes < 0)
		return -errno;
	status[bytes] = '\0';
	return say_broken("a thread", promise_broken(promise, status));
}

int proof_check_threads(const struct proof *p, const struct promise *promise)
{
	int err = 0;

	for (size_t i = 0; !err && i < p->count; i++)
		err = check_thread(p->fds[i], promise);
	return err;
}

int proof_check_process(const struct promise *promise)
{
	struct promise_process facts = {
		.securebits = prctl(PR_GET_SECUREBITS),
		.dumpable = prctl(PR_GET_DUMPABLE),
	};

	if (facts.securebits < 0 || facts.dumpable < 0 || getrlimit(RLIMIT_CORE, &facts.core) ||
	    getrlimit(RLIMIT_NPROC, &facts.processes) || getrlimit(RLIMIT_NOFILE, &facts.files))
		return -errno;
	return say_broken("the process", promise_broken_by_process(promise, &facts));
}

void proof_release(struct proof *p)
{
	while (p->count)
		close(p->fds[--p->count]);
}

void proof_close(struct proof *p)
{
	proof_release(p);
	if (p->tasks_dir >= 0)
		close(p->tasks_dir);
	p->tasks_dir = -1;
}
