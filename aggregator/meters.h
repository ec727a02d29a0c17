/* aggregator/meters.h - exact time on each CPU, from counter records to a period's nanoseconds
 *
 * A record's difference to the CPU's last one is pending until a period takes
 * it. A softirq is counted when it ends, so a period can be handed more time
 * than it has; a CPU whose record was lost catches up in its next one. What
 * does not fit stays pending for the next period: nothing is lost or doubled,
 * and no period holds more than wall time.
 */
#ifndef NETTO_AGGREGATOR_METERS_H
#define NETTO_AGGREGATOR_METERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accumulator.h"
#include "totals.h"

enum meter {
	METER_RX, METER_TX,
	METER_TIMER, METER_HRTIMER, METER_TASKLET, METER_HI,
	METER_IRQ,             /* handlers of network devices */
	METER_SEND, METER_RECEIVE,   /* socket calls, in task context */
	METER_COUNT,
};

struct meter_row {
	uint8_t context;
	int8_t vector;         /* VECTOR_NONE: not a softirq */
	bool shared;           /* not all of it is the context's: its samples say how much */
};
extern const struct meter_row meter_rows[METER_COUNT];

/* Cumulative, as a record has them. */
struct readings {
	uint64_t time_ns;
	uint64_t ns[METER_COUNT];
	uint64_t events[METER_COUNT];
	uint64_t taken, filtered, calls_missed;
	uint64_t lost[LOSS_RING_OVERRUN];   /* the losses that the kernel side counts */
};

struct cpu_meters {
	bool known;            /* last is of this collector */
	struct readings last;
	uint64_t room_ns;      /* wall time between its records of this period */
	uint64_t pending_ns[METER_COUNT];
	uint64_t ns[METER_COUNT];       /* of this period; set by meters_take() */
	uint64_t events[METER_COUNT];   /* of this period */
};

struct meters;

/* 0; -ENOMEM. */
int meters_open(struct meters **meters, irq_is_network_fn irq_is_network, void *arg);

/* Another collector: room for cpu_slots CPUs, each one's next record is a
 * baseline, and handlers are asked for anew. What was pending is forgotten.
 * 0; -ENOMEM. */
int meters_begin(struct meters *meters, size_t cpu_slots);

/* Take in one record of a CPU within the slots; adds samples taken, filtered
 * and lost to period. A counter that went back makes the record a baseline. */
void meters_read(struct meters *meters, const Netto__Counters *counters,
		 struct figures *period);

/* Time is counted from here: forget what is pending. */
void meters_start(struct meters *meters);

/* Move pending time into the period's ns, no more than room_ns on all CPUs
 * together and on each no more than has passed between its records. */
void meters_take(struct meters *meters, uint64_t room_ns);

/* The period's figures were used: start the next one. */
void meters_end_period(struct meters *meters);

const struct cpu_meters *meters_cpu(const struct meters *meters, size_t cpu);

/* Takes NULL. */
void meters_close(struct meters *meters);

#endif
