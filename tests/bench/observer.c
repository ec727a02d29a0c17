/* observer.c - something that samples, to be switched on and off from outside */
#include "observer.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

static int load_empty(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_PERF_EVENT, "empty", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), NULL);
}

int observer_empty(struct observer *o, uint32_t rate_hz)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = NS_PER_S / rate_hz, .exclude_user = 1, .disabled = 1,
	};
	int program = load_empty();

	if (program < 0)
		return program;
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF) && cpu < OBSERVER_EVENTS_MAX; cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 && errno == ENODEV)
			continue;   /* offline */
		if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, program))
			return -errno;
		o->events[o->event_count++] = fd;
	}
	return 0;
}

static bool is_perf_event(pid_t pid, const char *fd)
{
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", pid, fd);
	return readlink(path, target, sizeof(target) - 1) > 0 &&
	       !strcmp(target, "anon_inode:[perf_event]");
}

static int take_from(struct observer *o, pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), err = 0;
	const struct dirent *entry;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (pidfd < 0 || !dir)
		err = -errno;
	while (!err && (entry = readdir(dir)) && o->event_count < OBSERVER_EVENTS_MAX) {
		int fd;

		if (!is_perf_event(pid, entry->d_name))
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (fd < 0)
			err = -errno;
		else
			o->events[o->event_count++] = fd;
	}
	if (dir)
		closedir(dir);
	if (pidfd >= 0)
		close(pidfd);
	return err;
}

int observer_take(struct observer *o)
{
	int err = 0;

	for (int i = 0; i < OBSERVER_PROCESSES_MAX && o->pids[i] && !err; i++)
		err = take_from(o, o->pids[i]);
	observer_switch(o, false);
	return err ? err : o->event_count ? 0 : -ENOENT;
}

void observer_switch(const struct observer *o, bool on)
{
	for (unsigned int i = 0; i < o->event_count; i++)
		(void)ioctl(o->events[i], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

uint64_t observer_cpu_ns(const struct observer *o)
{
	uint64_t sum = 0;

	for (int i = 0; i < OBSERVER_PROCESSES_MAX && o->pids[i]; i++) {
		struct timespec used;
		clockid_t clock;

		if (!clock_getcpuclockid(o->pids[i], &clock) && !clock_gettime(clock, &used))
			sum += (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
	}
	return sum;
}
