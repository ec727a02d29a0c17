/* tests/bench/counted_load.h - loads that keep every CPU busy and count what they get done */
#ifndef NETTO_TESTS_COUNTED_LOAD_H
#define NETTO_TESTS_COUNTED_LOAD_H

#include <stdint.h>

struct counted_load;

/* tcp_bulk, udp_64, requests; idle does nothing at all. */
extern const char *const counted_load_names[];
extern const unsigned int counted_load_count;

/* Start that load, one process or pair of them a CPU. 0; -errno. */
int counted_load_start(struct counted_load **load, unsigned int which);

/* Work done by all CPUs since the start. */
uint64_t counted_load_work(const struct counted_load *load);

/* Takes NULL. */
void counted_load_stop(struct counted_load *load);

#endif
