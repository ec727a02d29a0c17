/* aggregator/figures.h - sums of the figures of totals.h */
#ifndef NETTO_AGGREGATOR_FIGURES_H
#define NETTO_AGGREGATOR_FIGURES_H

#include <stddef.h>

#include "totals.h"

/* Make figures->cpus new_slots long, the new ones zero. 0; -ENOMEM. */
int figures_grow(struct figures *figures, size_t old_slots, size_t new_slots);

/* All zero; cpus is kept, its cpu_slots entries are zero too. */
void figures_clear(struct figures *figures, size_t cpu_slots);

/* Add term to sum, CPU by CPU as well. */
void figures_add(struct figures *sum, const struct figures *term, size_t cpu_slots);

#endif
