/* aggregator/figures.c - sums of the figures of totals.h */
#include "figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* But for the pointer cpus, figures hold nothing but uint64_t. */
#define HEAD_BYTES offsetof(struct figures, cpus)
#define TAIL offsetof(struct figures, wall_ns)
_Static_assert(HEAD_BYTES % sizeof(uint64_t) == 0 && TAIL == HEAD_BYTES + sizeof(void *),
	       "cpus stands between two blocks of uint64_t");

int figures_grow(struct figures *figures, size_t old_slots, size_t new_slots)
{
	struct cpu_figures *cpus = realloc(figures->cpus, new_slots * sizeof(*cpus));

	if (!cpus)
		return -ENOMEM;
	memset(cpus + old_slots, 0, (new_slots - old_slots) * sizeof(*cpus));
	figures->cpus = cpus;
	return 0;
}

void figures_clear(struct figures *figures, size_t cpu_slots)
{
	struct cpu_figures *cpus = figures->cpus;

	memset(figures, 0, sizeof(*figures));
	figures->cpus = cpus;
	if (cpus)
		memset(cpus, 0, cpu_slots * sizeof(*cpus));
}

static void add_words(void *sum, const void *term, size_t bytes)
{
	const uint64_t *from = term;
	uint64_t *to = sum;

	for (size_t i = 0; i < bytes / sizeof(*to); i++)
		to[i] += from[i];
}

void figures_add(struct figures *sum, const struct figures *term, size_t cpu_slots)
{
	add_words(sum, term, HEAD_BYTES);
	add_words((char *)sum + TAIL, (const char *)term + TAIL, sizeof(*sum) - TAIL);
	add_words(sum->cpus, term->cpus, cpu_slots * sizeof(*sum->cpus));
}
