/* tests/integration/exact.h - softirq time by other means than netto's
 *
 * Adds up the slices of a softirq between hard interrupts, where netto subtracts
 * the interrupts from the whole. Shared by the BPF side and the reader.
 */
#ifndef NETTO_TESTS_EXACT_H
#define NETTO_TESTS_EXACT_H

#ifdef __bpf__
#include "core_types.h"
#else
#include <linux/types.h>
#endif

#define EXACT_CPUS_MAX 512
#define EXACT_VECTORS 10

struct exact_cpu {
	__u64 ns[EXACT_VECTORS];
	__u64 events[EXACT_VECTORS];
	__u64 slice_since_ns;        /* 0: outside a softirq, or in an interrupt */
	__u64 vector;                /* of the softirq, plus one; 0: none */
};

#ifndef __bpf__
struct exact;

/* 0 or -errno. */
int exact_open(struct exact **exact);

/* Sums over all CPUs until now. */
void exact_read(const struct exact *exact, struct exact_cpu *sum);

void exact_close(struct exact *exact);
#endif

#endif
