/* aggregator/procfs.h - what /proc tells beside the collector
 *
 * User-space CPU time of the processes of --user-pids, told from a later
 * process of the same number by start time, and the machine's own CPU
 * accounting. A process that ends or never existed is said once and does no
 * harm.
 */
#ifndef NETTO_AGGREGATOR_PROCFS_H
#define NETTO_AGGREGATOR_PROCFS_H

#include <stddef.h>
#include <stdint.h>

#include "totals.h"

struct procfs;

/* 0; -ENOMEM. pids is copied. */
int procfs_open(struct procfs **procfs, const pid_t *pids, size_t count);

/* Read /proc once: fills processes, process_count, proc_stat_ns and
 * period.aggregator_cpu_ns of totals with what has passed since the last call. */
void procfs_read(struct procfs *procfs, struct totals *totals);

/* Takes NULL. */
void procfs_close(struct procfs *procfs);

#endif
