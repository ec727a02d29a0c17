/* aggregator/totals.h - the figures that backends show
 *
 * Everything is computed once, by the accumulator; a backend only formats.
 * The sums that hold, to the nanosecond, in every period and in total:
 *   contexts[c].ns = sum over cpus of cpus[i].ns[c]
 *                  = sum over components of components[c][k].ns
 *                  = sum over steps and families of steps[c][s][f]
 * and all contexts together never exceed wall time x CPUs.
 */
#ifndef NETTO_AGGREGATOR_TOTALS_H
#define NETTO_AGGREGATOR_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "labels.h"
#include "netto.pb-c.h"

/* Why samples or records did not arrive, in the order of the path. */
#define LOSSES(X) \
	X(BPF_RING_FULL, "bpf_ring_full") \
	X(NO_STACK, "no_stack") \
	X(NO_SCRATCH, "no_scratch") \
	X(ENCODE, "encode") \
	X(RING_OVERRUN, "ring_overrun")   /* records, of any kind, overwritten unread */ \
	X(DECODE, "decode")               /* records refused by the decoder */

#define LOSS_ENUM(id, name) LOSS_##id,
enum loss { LOSSES(LOSS_ENUM) LOSS_COUNT };
extern const char *const loss_names[LOSS_COUNT];   /* totals.c */

struct context_figures {
	uint64_t ns;
	uint64_t events;        /* softirqs, handler or system calls; 0 where the source is samples */
	uint64_t samples;
	uint64_t unexplained;   /* of the samples; classifier.h */
};

struct component_figures {
	uint64_t ns;
	uint64_t samples;
};

struct cpu_figures {
	uint64_t ns[CONTEXT_COUNT];
	uint64_t events[CONTEXT_COUNT];
};

/* One set of figures: of a period, or since this aggregator started. */
struct figures {
	struct context_figures contexts[CONTEXT_COUNT];
	struct component_figures components[CONTEXT_COUNT][COMPONENT_COUNT];
	uint64_t steps[CONTEXT_COUNT][STEP_COUNT][FAMILY_COUNT];   /* ns */
	uint64_t works[CONTEXT_COUNT][WORK_COUNT];                 /* ns */
	struct cpu_figures *cpus;       /* cpu_slots of struct totals */
	uint64_t wall_ns;               /* time covered */
	uint64_t clipped_ns;            /* sampled time cut so that wall time x CPUs holds */
	uint64_t samples_taken;         /* as the kernel side counted them */
	uint64_t samples_filtered;
	uint64_t samples_network;       /* delivered and in a context */
	uint64_t samples_other;         /* delivered, not network */
	uint64_t records;               /* delivered, of any kind */
	uint64_t frames_unmapped;
	uint64_t calls_missed;          /* socket calls that could not be timed, wholly or in part */
	uint64_t symbols_missed;        /* programs and modules that get no name */
	uint64_t lost[LOSS_COUNT];
	uint64_t gaps;                  /* collector restarts seen */
	uint64_t gap_ns;                /* time not covered between them */
	uint64_t collector_cpu_ns;
	uint64_t aggregator_cpu_ns;
};

/* One process of --user-pids. */
struct process_figures {
	pid_t pid;
	char comm[16];                  /* terminated, any other bytes */
	bool alive;
	uint64_t user_ns;               /* user-space CPU time, this period */
	uint64_t user_ns_total;         /* since this aggregator started */
};

/* /proc/stat, first line, in nanoseconds of the period. */
#define PROC_STAT_FIELDS(X) \
	X(USER, "user") X(NICE, "nice") X(SYSTEM, "system") X(IDLE, "idle") \
	X(IOWAIT, "iowait") X(IRQ, "irq") X(SOFTIRQ, "softirq") X(STEAL, "steal")
#define PROC_STAT_ENUM(id, name) PROC_STAT_##id,
enum proc_stat_field { PROC_STAT_FIELDS(PROC_STAT_ENUM) PROC_STAT_COUNT };
extern const char *const proc_stat_names[PROC_STAT_COUNT];   /* totals.c */

/* What a backend gets at the end of a period, and when the collector comes or
 * goes. Valid during the call. */
struct totals {
	bool collector_up;
	const Netto__Hello *hello;      /* of the present or last collector; NULL: none yet */
	size_t cpu_slots;               /* length of the cpus arrays */
	uint32_t cpus_online;
	uint64_t end_ns;                /* CLOCK_REALTIME at the end of the period */
	struct figures period;          /* all zero when the collector is down */
	struct figures total;           /* since this aggregator started; never goes back */
	bool exact[CONTEXT_COUNT];      /* source of each context */
	uint64_t generation;            /* of the ring */
	uint64_t first_seq, last_seq;   /* records this period covers; delivered + lost = last - first + 1 */
	uint64_t symbols;               /* in the table; 0: components are unknown */
	const struct process_figures *processes;
	size_t process_count;
	uint64_t proc_stat_ns[PROC_STAT_COUNT];
};

#endif
