/* aggregator/filter.h - the system calls that are left to the aggregator */
#ifndef NETTO_AGGREGATOR_FILTER_H
#define NETTO_AGGREGATOR_FILTER_H

/* For this thread and all that it starts, for ever: what the tables of filter.c
 * allow works, what only an intruder calls kills, and all else fails with ENOSYS, as
 * on an older kernel, for libraries to find another way. 0; -ENOSYS: no such
 * filters here; -errno. */
int filter_enter(void);

#endif
