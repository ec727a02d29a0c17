/* aggregator/self.h - what this process costs, as every Prometheus client tells it */
#ifndef NETTO_AGGREGATOR_SELF_H
#define NETTO_AGGREGATOR_SELF_H

#include <stdint.h>

struct self_figures {
	uint64_t cpu_ns;           /* user and system */
	uint64_t start_time_ns;    /* CLOCK_REALTIME */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
};

/* Read /proc/self and the limits. What cannot be read stays 0. */
void self_read(struct self_figures *self);

#endif
