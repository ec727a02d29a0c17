/* procfs.c - what /proc tells beside the collector */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* From the parenthesis behind the name, proc_pid_stat(5): state is field 3. */
#define FIELD_AFTER_COMM 3
#define FIELD_UTIME 14
#define FIELD_STARTTIME 22

#define STAT_BYTES 1024   /* 52 numbers and a name; /proc/stat's first line too */

/* One process of --user-pids. Gone once is gone for good: a later process of
 * the same number is somebody else. */
struct followed {
	bool seen;
	bool gone;
	uint64_t start;      /* clock ticks since boot: who it is */
	uint64_t ticks;      /* user time at the last look */
};

struct procfs {
	uint64_t tick_ns;
	uint64_t proc_stat[PROC_STAT_COUNT];   /* ticks */
	bool proc_stat_read;
	uint64_t own_ns;
	size_t count;
	struct followed *followed;             /* count of them */
	struct process_figures *processes;     /* likewise */
};

/* What one look at /proc/PID/stat found. */
struct pid_stat {
	char comm[16];
	uint64_t user_ticks;
	uint64_t start_ticks;
};

static uint64_t own_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The start of a small file, terminated. Bytes; -errno. */
static ssize_t read_text(const char *path, char text[static STAT_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = read(fd, text, STAT_BYTES - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		n = -errno;
	else
		text[n] = '\0';
	close(fd);
	return n;
}

/* The name is in the outermost parentheses and may itself hold parentheses,
 * spaces and newlines; behind it there are only numbers and one letter. */
static int parse_pid_stat(const char *text, struct pid_stat *stat)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct pid_stat s = { 0 };
	size_t bytes;
	char *at;

	if (!open || !close || close < open)
		return -EPROTO;
	bytes = (size_t)(close - open - 1);
	memcpy(s.comm, open + 1, bytes < sizeof(s.comm) ? bytes : sizeof(s.comm) - 1);

	at = (char *)close + 1;
	for (int field = FIELD_AFTER_COMM; field <= FIELD_STARTTIME; field++) {
		while (*at == ' ')
			at++;
		if (field == FIELD_UTIME)
			s.user_ticks = strtoull(at, NULL, 10);
		if (field == FIELD_STARTTIME)
			s.start_ticks = strtoull(at, NULL, 10);
		if (!*at)
			return -EPROTO;
		at += strcspn(at, " ");
	}
	*stat = s;
	return 0;
}

static int read_pid(pid_t pid, struct pid_stat *stat)
{
	char path[64], text[STAT_BYTES];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	n = read_text(path, text);
	if (n < 0)
		return (int)n;
	return parse_pid_stat(text, stat);
}

static void lose(struct followed *f, struct process_figures *p)
{
	if (f->seen)
		log_info("process %d (%s) has ended: it is no longer followed", p->pid, p->comm);
	else
		log_warn("--user-pids: there is no process %d: it is left out", p->pid);
	f->gone = true;
	p->alive = false;
}

static void follow(const struct procfs *procfs, struct followed *f, struct process_figures *p)
{
	struct pid_stat now;

	p->user_ns = 0;
	if (f->gone)
		return;
	if (read_pid(p->pid, &now) || (f->seen && now.start_ticks != f->start)) {
		lose(f, p);
		return;
	}
	if (f->seen && now.user_ticks > f->ticks)
		p->user_ns = (now.user_ticks - f->ticks) * procfs->tick_ns;
	p->user_ns_total += p->user_ns;
	p->alive = true;
	memcpy(p->comm, now.comm, sizeof(p->comm));
	f->seen = true;
	f->start = now.start_ticks;
	f->ticks = now.user_ticks;
}

/* "cpu  user nice system idle iowait irq softirq steal guest ..." in ticks; some
 * fields can go back (idle of a CPU that was offline): then nothing has passed. */
static void read_proc_stat(struct procfs *procfs, uint64_t passed_ns[static PROC_STAT_COUNT])
{
	char text[STAT_BYTES], *at = text + strlen("cpu");

	memset(passed_ns, 0, PROC_STAT_COUNT * sizeof(*passed_ns));
	if (read_text("/proc/stat", text) < 0 || strncmp(text, "cpu ", 4))
		return;
	for (int i = 0; i < PROC_STAT_COUNT; i++) {
		uint64_t ticks = strtoull(at, &at, 10);

		if (procfs->proc_stat_read && ticks > procfs->proc_stat[i])
			passed_ns[i] = (ticks - procfs->proc_stat[i]) * procfs->tick_ns;
		procfs->proc_stat[i] = ticks;
	}
	procfs->proc_stat_read = true;
}

int procfs_open(struct procfs **out, const pid_t *pids, size_t count)
{
	struct procfs *procfs = calloc(1, sizeof(*procfs));
	uint64_t unused[PROC_STAT_COUNT];

	if (!procfs)
		return -ENOMEM;
	procfs->followed = calloc(count ? count : 1, sizeof(*procfs->followed));
	procfs->processes = calloc(count ? count : 1, sizeof(*procfs->processes));
	if (!procfs->followed || !procfs->processes) {
		procfs_close(procfs);
		return -ENOMEM;
	}
	procfs->count = count;
	procfs->tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	for (size_t i = 0; i < count; i++) {
		procfs->processes[i].pid = pids[i];
		follow(procfs, &procfs->followed[i], &procfs->processes[i]);
	}
	read_proc_stat(procfs, unused);
	procfs->own_ns = own_cpu_ns();
	*out = procfs;
	return 0;
}

void procfs_read(struct procfs *procfs, struct totals *totals)
{
	uint64_t own_ns = own_cpu_ns();

	for (size_t i = 0; i < procfs->count; i++)
		follow(procfs, &procfs->followed[i], &procfs->processes[i]);
	read_proc_stat(procfs, totals->proc_stat_ns);
	totals->processes = procfs->processes;
	totals->process_count = procfs->count;
	totals->period.aggregator_cpu_ns = own_ns - procfs->own_ns;
	procfs->own_ns = own_ns;
}

void procfs_close(struct procfs *procfs)
{
	if (!procfs)
		return;
	free(procfs->followed);
	free(procfs->processes);
	free(procfs);
}
