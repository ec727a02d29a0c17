/* attack_process.c - get at the processes themselves
 *
 * hostile_process DIR SECONDS look|control PID...: "look" is what a debugger
 * may, refused by another uid or, of the same uid, since the target is not
 * dumpable; "control" is what the same uid may.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long try_attach(pid_t pid)
{
	long result = ptrace(PTRACE_ATTACH, pid, NULL, NULL);

	if (result == 0) {
		(void)waitpid(pid, NULL, __WALL);
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	return result;
}

static long try_seize(pid_t pid)
{
	long result = ptrace(PTRACE_SEIZE, pid, NULL, NULL);

	if (result == 0) {
		(void)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
		(void)waitpid(pid, NULL, __WALL);
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	return result;
}

static long open_in_proc(pid_t pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -1 : close(fd);
}

static long try_mem(pid_t pid) { return open_in_proc(pid, "mem", O_RDWR); }
static long try_mem_read(pid_t pid) { return open_in_proc(pid, "mem", O_RDONLY); }
static long try_maps(pid_t pid) { return open_in_proc(pid, "maps", O_RDONLY); }
static long try_environ(pid_t pid) { return open_in_proc(pid, "environ", O_RDONLY); }
static long try_fds(pid_t pid) { return open_in_proc(pid, "fd", O_RDONLY | O_DIRECTORY); }
static long try_root(pid_t pid) { return open_in_proc(pid, "root/.", O_RDONLY | O_DIRECTORY); }
static long try_exe(pid_t pid) { return open_in_proc(pid, "exe", O_RDONLY); }
static long try_stack(pid_t pid) { return open_in_proc(pid, "stack", O_RDONLY); }
static long try_oom(pid_t pid) { return open_in_proc(pid, "oom_score_adj", O_WRONLY); }
static long try_refs(pid_t pid) { return open_in_proc(pid, "clear_refs", O_WRONLY); }
static long try_dump_filter(pid_t pid) { return open_in_proc(pid, "coredump_filter", O_WRONLY); }

static long try_vm_read(pid_t pid)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { (void *)&attempt, 1 };
	long result = process_vm_readv(pid, &to, 1, &from, 1, 0);

	return result == -1 && errno != EPERM ? 0 : result;   /* EFAULT: it may, there is nothing */
}

static long try_getfd(pid_t pid)
{
	int handle = (int)syscall(SYS_pidfd_open, pid, 0);
	long result = handle < 0 ? -1 : syscall(SYS_pidfd_getfd, handle, 3, 0);
	int err = errno;

	if (handle >= 0)
		close(handle);
	errno = err;
	return result;
}

static long try_compare(pid_t pid)
{
	return syscall(SYS_kcmp, getpid(), pid, KCMP_FILES, 0, 0);
}

static long try_robust_list(pid_t pid)
{
	size_t bytes;
	void *head;

	return syscall(SYS_get_robust_list, pid, &head, &bytes);
}

static long try_count(pid_t pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK,
		.exclude_kernel = 1,
	};

	return syscall(SYS_perf_event_open, &attr, pid, -1, -1, 0);
}

/* What gets through is undone at once: the harm is that it could. */
static long try_stop(pid_t pid)
{
	long result = kill(pid, SIGSTOP);

	if (!result)
		(void)kill(pid, SIGCONT);
	return result;
}

static long try_continue(pid_t pid) { return kill(pid, SIGCONT); }
static long try_zero(pid_t pid) { return kill(pid, 0); }
static long try_tgkill(pid_t pid) { return syscall(SYS_tgkill, pid, pid, SIGURG); }

static long try_queue(pid_t pid)
{
	return sigqueue(pid, SIGURG, (union sigval){ .sival_int = 0 });
}

static long try_pidfd_signal(pid_t pid)
{
	int handle = (int)syscall(SYS_pidfd_open, pid, 0);
	long result = handle < 0 ? -1 : syscall(SYS_pidfd_send_signal, handle, SIGCONT, NULL, 0);
	int err = errno;

	if (handle >= 0)
		close(handle);
	errno = err;
	return result;
}

static long try_limit(pid_t pid)
{
	struct rlimit files;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &files))
		return -1;
	return prlimit(pid, RLIMIT_NOFILE, &files, NULL);
}

static long try_nice(pid_t pid) { return setpriority(PRIO_PROCESS, (id_t)pid, 1); }
static long try_io_class(pid_t pid) { return syscall(SYS_ioprio_set, 1, pid, 0); }

static long try_scheduler(pid_t pid)
{
	return sched_setscheduler(pid, SCHED_BATCH, &(struct sched_param){ 0 });
}

static long try_affinity(pid_t pid)
{
	cpu_set_t set;

	if (sched_getaffinity(pid, sizeof(set), &set))
		return -1;
	return sched_setaffinity(pid, sizeof(set), &set);
}

static const struct {
	const char *kind;
	const char *what;
	long (*run)(pid_t pid);
} attempts[] = {
	{ "look", "ptrace attach", try_attach },
	{ "look", "ptrace seize", try_seize },
	{ "look", "/proc/PID/mem to write", try_mem },
	{ "look", "/proc/PID/mem to read", try_mem_read },
	{ "look", "/proc/PID/maps", try_maps },
	{ "look", "/proc/PID/environ", try_environ },
	{ "look", "/proc/PID/fd", try_fds },
	{ "look", "/proc/PID/root", try_root },
	{ "look", "/proc/PID/exe", try_exe },
	{ "look", "/proc/PID/stack", try_stack },
	{ "look", "/proc/PID/oom_score_adj", try_oom },
	{ "look", "/proc/PID/clear_refs", try_refs },
	{ "look", "/proc/PID/coredump_filter", try_dump_filter },
	{ "look", "process_vm_readv()", try_vm_read },
	{ "look", "pidfd_getfd()", try_getfd },
	{ "look", "kcmp()", try_compare },
	{ "look", "get_robust_list()", try_robust_list },
	{ "look", "perf_event_open()", try_count },
	{ "control", "signal 0", try_zero },
	{ "control", "SIGCONT", try_continue },
	{ "control", "SIGSTOP", try_stop },
	{ "control", "tgkill()", try_tgkill },
	{ "control", "sigqueue()", try_queue },
	{ "control", "pidfd_send_signal()", try_pidfd_signal },
	{ "control", "prlimit()", try_limit },
	{ "control", "setpriority()", try_nice },
	{ "control", "ioprio_set()", try_io_class },
	{ "control", "sched_setscheduler()", try_scheduler },
	{ "control", "sched_setaffinity()", try_affinity },
};

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 4);
	for (int target = 4; target < argc; target++)
		for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
			if (!strcmp(attempts[i].kind, argv[3]))
				attempt(attempts[i].what, attempts[i].run(atoi(argv[target])));
	return attack_end();
}
