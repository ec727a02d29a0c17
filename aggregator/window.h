/* aggregator/window.h - what a context's time is split by: its samples, counted by cell
 *
 * A cell is one combination of component, step, family and work. Cells are
 * numbered as they are first seen, so that both views, and work, are split
 * jointly: what goes to a cell goes to exactly one component, one step and one
 * work, and each of the three adds up to the same time.
 *
 * A window holds a context's last 1,000 samples, without those of periods that
 * began 60 s or more before the present one. A present period with more than
 * 1,000 samples is its own window. Nothing here allocates.
 */
#ifndef NETTO_AGGREGATOR_WINDOW_H
#define NETTO_AGGREGATOR_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "labels.h"

#define WINDOW_SAMPLES 1000
#define WINDOW_NS 60000000000ull

#define CELL_OUTSIDE 0   /* timed with the context, but none of it */
#define CELL_COMBINATIONS (COMPONENT_COUNT * STEP_COUNT * FAMILY_COUNT * WORK_COUNT)
#define CELLS_MAX (CELL_COMBINATIONS + 1)

typedef uint16_t cell_id;
_Static_assert(CELLS_MAX <= UINT16_MAX, "every cell has a number");

/* Empty: all zero, and count 1 for CELL_OUTSIDE. Few of the combinations
 * exist, so nearly all of these bytes are never touched and take no memory. */
struct cells {
	uint16_t count;                       /* numbered so far */
	cell_id by_label[CELL_COMBINATIONS];  /* 0: not yet numbered */
	struct label labels[CELLS_MAX];       /* context and explained are not kept */
};

/* Cell of label's component, step, family and work, numbering it if it is new. */
cell_id cells_find(struct cells *cells, const struct label *label);

/* All zero is empty. */
struct window {
	uint64_t recent[CELLS_MAX];   /* samples by cell, of those in ring */
	uint64_t present[CELLS_MAX];  /* samples by cell, of this period */
	uint64_t present_total;
	size_t oldest, kept;          /* in ring */
	struct {
		uint64_t period_start_ns;
		cell_id cell;
	} ring[WINDOW_SAMPLES];
};

/* Count one sample of the period that began at period_start_ns. */
void window_add(struct window *window, cell_id cell, uint64_t period_start_ns);

/* Samples by cell (cells->count of them) that the time of the period begun at
 * period_start_ns is split by; all 0: none. Valid until the next call. */
const uint64_t *window_weights(struct window *window, uint64_t period_start_ns);

/* The present period is over: its samples are now past ones. */
void window_end_period(struct window *window, const struct cells *cells);

/* For share_out(): one an entry of weights. */
struct remainder {
	unsigned __int128 value;
	size_t index;
};

/* Divide amount in proportion to weights into parts that add up to it exactly,
 * by largest remainder (of equal ones, the first). No part is above the next
 * whole number over its quota, none is above 0 where the weight is 0. All
 * weights 0: all parts are. */
void share_out(uint64_t amount, const uint64_t *weights, size_t count, uint64_t *parts,
	       struct remainder *scratch);

#endif
