/* collector/drain.h - hand over the samples that lie in the BPF ring buffers */
#ifndef NETTO_COLLECTOR_DRAIN_H
#define NETTO_COLLECTOR_DRAIN_H

#include "bpf_ring.h"
#include "probes.h"

/* Every sample that lies in the ring buffer of one CPU, oldest first. No
 * system call, no allocation. */
void drain_cpu(struct bpf_ring *ring, probes_sample_fn on_sample, void *arg);

#endif
