/* aggregator/window.c - what a context's time is split by: its samples, counted by cell */
#include "window.h"

#include <stdbool.h>
#include <string.h>

cell_id cells_find(struct cells *cells, const struct label *label)
{
	size_t combination = label->component;
	cell_id *cell;

	combination = combination * STEP_COUNT + label->step;
	combination = combination * FAMILY_COUNT + label->family;
	combination = combination * WORK_COUNT + label->work;
	cell = &cells->by_label[combination];
	if (*cell == CELL_OUTSIDE) {
		*cell = cells->count++;
		cells->labels[*cell] = *label;
	}
	return *cell;
}

static void drop_oldest(struct window *window)
{
	window->recent[window->ring[window->oldest].cell]--;
	window->oldest = (window->oldest + 1) % WINDOW_SAMPLES;
	window->kept--;
}

void window_add(struct window *window, cell_id cell, uint64_t period_start_ns)
{
	size_t newest;

	if (window->kept == WINDOW_SAMPLES)
		drop_oldest(window);
	newest = (window->oldest + window->kept++) % WINDOW_SAMPLES;
	window->ring[newest].cell = cell;
	window->ring[newest].period_start_ns = period_start_ns;
	window->recent[cell]++;
	window->present[cell]++;
	window->present_total++;
}

/* A period that began after the present one is of another clock: too old as well. */
static bool too_old(uint64_t period_start_ns, uint64_t now_ns)
{
	return period_start_ns > now_ns || now_ns - period_start_ns >= WINDOW_NS;
}

const uint64_t *window_weights(struct window *window, uint64_t period_start_ns)
{
	if (window->present_total > WINDOW_SAMPLES)
		return window->present;
	while (window->kept &&
	       too_old(window->ring[window->oldest].period_start_ns, period_start_ns))
		drop_oldest(window);
	return window->recent;
}

void window_end_period(struct window *window, const struct cells *cells)
{
	if (window->present_total)
		memset(window->present, 0, cells->count * sizeof(window->present[0]));
	window->present_total = 0;
}

static bool goes_before(const struct remainder *a, const struct remainder *b)
{
	return a->value != b->value ? a->value > b->value : a->index < b->index;
}

/* Shell's sort: qsort() may allocate, and these lists are short. */
static void sort_remainders(struct remainder *remainders, size_t count)
{
	for (size_t gap = count / 2; gap; gap /= 2) {
		for (size_t i = gap; i < count; i++) {
			struct remainder moved = remainders[i];
			size_t at = i;

			for (; at >= gap && goes_before(&moved, &remainders[at - gap]); at -= gap)
				remainders[at] = remainders[at - gap];
			remainders[at] = moved;
		}
	}
}

void share_out(uint64_t amount, const uint64_t *weights, size_t count, uint64_t *parts,
	       struct remainder *scratch)
{
	unsigned __int128 total = 0;
	uint64_t left = amount;
	size_t sharers = 0;

	for (size_t i = 0; i < count; i++)
		total += weights[i];
	for (size_t i = 0; i < count; i++) {
		unsigned __int128 product = (unsigned __int128)amount * weights[i];

		parts[i] = weights[i] ? (uint64_t)(product / total) : 0;
		if (!weights[i])
			continue;
		scratch[sharers].value = product % total;
		scratch[sharers++].index = i;
		left -= parts[i];
	}
	if (!left || !sharers)
		return;
	/* Fewer units are left than there are sharers. */
	sort_remainders(scratch, sharers);
	for (size_t i = 0; i < left; i++)
		parts[scratch[i].index]++;
}
