/* aggregator/classifier.h - one stack in, one label out
 *
 * The context is the innermost boundary frame, except that the softirq vector
 * which the probes saw running on the sample's CPU is believed before the
 * stack. The component is the leaf-most match inside the context, the step the
 * last one entered on the way from the boundary to the leaf; each of them adds
 * up to its context. The rules and where they come from: README, "How a stack
 * is read"; the data: functions.tsv.
 *
 * explained: the component is neither other nor unknown, and the function that
 * the component's frame called, if there is one, is in the table too.
 */
#ifndef NETTO_AGGREGATOR_CLASSIFIER_H
#define NETTO_AGGREGATOR_CLASSIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "functions.h"
#include "labels.h"

#define STACK_FRAMES_MAX 127
#define VECTOR_NONE (-1)

/* Softirq vectors, include/linux/interrupt.h; the order never changed. */
enum softirq_vector {
	VECTOR_HI, VECTOR_TIMER, VECTOR_NET_TX, VECTOR_NET_RX, VECTOR_BLOCK,
	VECTOR_IRQ_POLL, VECTOR_TASKLET, VECTOR_SCHED, VECTOR_HRTIMER, VECTOR_RCU,
	VECTOR_COUNT,
};

struct stack {
	const function_id *functions;   /* leaf first; FUNCTION_UNKNOWN: no symbol there */
	size_t count;
	int vector;                     /* enum softirq_vector running on that CPU, or VECTOR_NONE */
	uint32_t hints;                 /* enum sample_hint */
};

/* Pure: the same stack always gets the same label. Never fails. */
struct label classifier_label(const struct stack *stack);

/* Whether the hard interrupt handler of this meaning, registered under name
 * (as in /proc/interrupts, name_bytes bytes of anything), is a network
 * device's. Some handlers serve other devices too; their name decides. */
bool classifier_irq_is_network(function_id handler, const char *name, size_t name_bytes);

#endif
