/* collector/publish.h - samples and counters become records of the ring
 *
 * Allocates when opened, never again; makes no system call. A record that would
 * not fit counts as lost (SamplesLost.encode).
 */
#ifndef NETTO_COLLECTOR_PUBLISH_H
#define NETTO_COLLECTOR_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "shared.h"

#include "ring.h"
#include "symbols.h"

struct publisher;

/* ring and symbols stay the caller's and must live longer. 0; -ENOMEM. */
int publisher_open(struct publisher **publisher, struct ring_writer *ring,
		   struct symbols *symbols, unsigned int cpu_slots);

/* Publish one sample, its frames as link-time addresses; publisher is a struct
 * publisher: this is a probes_sample_fn. */
void publish_sample(void *publisher, const struct shared_sample *sample);

/* Which counters those are. */
struct counters_of {
	uint64_t time_ns;            /* CLOCK_MONOTONIC, the same for all of a snapshot */
	uint64_t collector_cpu_ns;   /* published with the last CPU only, like the next one */
	uint64_t symbols_missed;     /* symbols_live_missed() */
	unsigned int cpu;
	bool last;                   /* of the snapshot; the next one begins a new snapshot */
};

/* Publish the counters of one CPU, while the kernel goes on writing them. */
void publish_counters(struct publisher *publisher, const struct shared_cpu *counters,
		      const struct counters_of *of);

/* Publish that a new symbol table has been: before the samples that use it. */
void publish_symbols_changed(struct publisher *publisher, uint64_t generation);

/* Takes NULL. */
void publisher_close(struct publisher *publisher);

#endif
