/* stack_names.h - how tests/data/stacks spells softirq vectors and hints */
#ifndef NETTO_TESTS_STACK_NAMES_H
#define NETTO_TESTS_STACK_NAMES_H

#include <stdint.h>

#include "classifier.h"
#include "sample_hints.h"

static const char *const vector_names[VECTOR_COUNT] = {
	[VECTOR_HI] = "HI", [VECTOR_TIMER] = "TIMER", [VECTOR_NET_TX] = "NET_TX",
	[VECTOR_NET_RX] = "NET_RX", [VECTOR_BLOCK] = "BLOCK", [VECTOR_IRQ_POLL] = "IRQ_POLL",
	[VECTOR_TASKLET] = "TASKLET", [VECTOR_SCHED] = "SCHED", [VECTOR_HRTIMER] = "HRTIMER",
	[VECTOR_RCU] = "RCU",
};

static const struct { const char *name; uint32_t hint; } hint_names[] = {
	{ "idle", HINT_IDLE },
	{ "kthread", HINT_KTHREAD },
	{ "io_worker", HINT_IO_WORKER },
	{ "user_worker", HINT_USER_WORKER },
	{ "exiting", HINT_EXITING },
	{ "truncated", HINT_TRUNCATED },
};

#endif
