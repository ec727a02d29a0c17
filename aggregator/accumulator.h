/* aggregator/accumulator.h - samples and counters in, figures out
 *
 * An exact context (softirqs, hard interrupt handlers, socket calls where they
 * are timed) takes its time from the counters; its split comes from the shares of its last 1,000 samples or 60 s,
 * whichever is less, the present period included, and is unknown with none.
 * Any other context is samples x sample time, all of them scaled down together
 * where contexts would exceed wall time x CPUs. Rounding: largest remainder.
 * softirq_timer: the exact time of the TIMER, HRTIMER, TASKLET and HI vectors
 * x the network share of their samples. syscall_rx: the exact time of receive
 * calls, less the share of the samples in them that were busy polling.
 *
 * A period is what lies between two snapshots of the counters. Memory is
 * allocated at open and when a Hello names more CPUs; never in between.
 */
#ifndef NETTO_AGGREGATOR_ACCUMULATOR_H
#define NETTO_AGGREGATOR_ACCUMULATOR_H

#include <stdint.h>

#include "totals.h"

struct accumulator;

/* What is known of a sample before its label. */
struct sample_facts {
	uint32_t cpu;
	int vector;      /* enum softirq_vector or VECTOR_NONE */
};

/* Given the handler's link-time address and name, whether it is a network
 * device's: how the accumulator asks the symbolizer and the classifier. */
typedef bool (*irq_is_network_fn)(void *arg, uint64_t handler, const char *name,
				  size_t name_bytes);

/* 0; -ENOMEM. */
int accumulator_open(struct accumulator **accumulator, irq_is_network_fn irq_is_network,
		     void *arg);

/* A collector has come: take its rates, probes and number of CPUs; totals
 * stay, the next snapshot is a baseline. hello is the caller's. 0; -ENOMEM;
 * -EINVAL: more than 8192 CPUs. */
int accumulator_begin(struct accumulator *accumulator, const Netto__Hello *hello);

/* Every record delivered, whatever it holds, and what was lost before it. */
void accumulator_record(struct accumulator *accumulator, uint64_t seq, uint64_t lost);

/* The record with that number could not be decoded: it counts as lost. */
void accumulator_undecodable(struct accumulator *accumulator);

void accumulator_sample(struct accumulator *accumulator, const struct sample_facts *facts,
			const struct label *label);

/* One CPU's counters. true: the snapshot is complete and a period has ended;
 * take it with accumulator_period(). */
bool accumulator_counters(struct accumulator *accumulator, const Netto__Counters *counters);

/* The period that has just ended; valid until the next call that changes the
 * accumulator. Fields that it does not know (hello, processes, proc_stat,
 * symbols, aggregator_cpu_ns, collector_up, end_ns) are the pipeline's. */
struct totals *accumulator_period(struct accumulator *accumulator);

/* The collector has gone: the period is empty, the totals stand still. */
struct totals *accumulator_silence(struct accumulator *accumulator);

/* Takes NULL. */
void accumulator_close(struct accumulator *accumulator);

#endif
