/* collector/filter.h - the system calls that are left to the collector
 *
 * seccomp, for all threads: whatever is not in the table of filter.c kills the
 * process with SIGSYS. Kernel and C library may make other calls for the same
 * work some day; tests/integration/syscalls.sh compares what is called with
 * what is allowed.
 */
#ifndef NETTO_COLLECTOR_FILTER_H
#define NETTO_COLLECTOR_FILTER_H

/* The descriptors that rules are bound to; negative: there is none. */
struct filter_files {
	int runtime_dir;
	int listener;
	int notify;
	int kallsyms;
};

/* Allow nothing but the table's calls, in all threads, for ever. 0; -ENOSYS: this
 * kernel (4.14 or newer) or container has no such filters; -ESRCH: a thread has
 * one of its own; -errno. */
int filter_enter(const struct filter_files *files);

#endif
