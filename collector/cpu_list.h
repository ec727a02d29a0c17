/* collector/cpu_list.h - "0-3,8,10-11", as the kernel lists CPUs
 *
 * Of /sys/devices/system/cpu/possible and online.
 */
#ifndef NETTO_COLLECTOR_CPU_LIST_H
#define NETTO_COLLECTOR_CPU_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define CPU_LIST_MAX 8192      /* NR_CPUS is at most that, on all architectures */

struct cpu_list {
	unsigned int slots;    /* highest CPU listed, plus one */
	unsigned int count;    /* CPUs listed */
	bool listed[CPU_LIST_MAX];
};

/* Parse text of bytes bytes, one newline at its end allowed.
 * 0; -EINVAL: not a list; -ERANGE: a CPU beyond CPU_LIST_MAX. */
int cpu_list_parse(struct cpu_list *list, const char *text, size_t bytes);

/* The same of a file. 0; -errno of open and read. */
int cpu_list_read(struct cpu_list *list, const char *path);

#endif
