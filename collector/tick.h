/* collector/tick.h - how far apart the samples of a CPU are */
#ifndef NETTO_COLLECTOR_TICK_H
#define NETTO_COLLECTOR_TICK_H

#include <stdint.h>

/* Nanoseconds between two samples of that CPU: within 1/512 of 1/rate_hz, and
 * another for each CPU. Ticks of equal periods would stay as far apart as the
 * CPUs' clocks were started, microseconds: while the first CPU is stopped to be
 * sampled, the one that receives from it runs out of work, and would be looked
 * at in just that moment every time. Unequal ones drift through all distances. */
uint64_t tick_period_ns(uint32_t rate_hz, uint32_t cpu);

#endif
