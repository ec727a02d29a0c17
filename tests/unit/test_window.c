/* tests/unit/test_window.c - what a context's time is split by */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "window.h"

#define SECOND 1000000000ull

static struct cells cells;
static struct window window;

static int start_empty(void **state)
{
	(void)state;
	memset(&cells, 0, sizeof(cells));
	memset(&window, 0, sizeof(window));
	cells.count = CELL_OUTSIDE + 1;
	return 0;
}

static cell_id cell_of(uint8_t component, uint8_t step)
{
	const struct label label = { .component = component, .step = step };

	return cells_find(&cells, &label);
}

static void add(cell_id cell, unsigned int times, uint64_t period_start_ns)
{
	while (times--)
		window_add(&window, cell, period_start_ns);
}

static void each_combination_has_its_own_cell(void **state)
{
	const cell_id gro = cell_of(COMPONENT_GRO, STEP_GRO);
	const cell_id rx = cell_of(COMPONENT_TCP_RX, STEP_GRO);
	const struct label last = {
		.component = COMPONENT_COUNT - 1, .step = STEP_COUNT - 1,
		.family = FAMILY_COUNT - 1, .work = WORK_COUNT - 1,
	};

	(void)state;
	assert_int_not_equal(gro, CELL_OUTSIDE);
	assert_int_not_equal(rx, CELL_OUTSIDE);
	assert_int_not_equal(gro, rx);
	assert_int_equal(cell_of(COMPONENT_GRO, STEP_GRO), gro);
	assert_int_equal(cells_find(&cells, &last), 3);
	assert_int_equal(cells.labels[gro].component, COMPONENT_GRO);
	assert_int_equal(cells.labels[3].work, WORK_COUNT - 1);
}

static void a_window_holds_the_last_1000_samples(void **state)
{
	const cell_id old = cell_of(COMPONENT_GRO, STEP_GRO);
	const cell_id new = cell_of(COMPONENT_TCP_RX, STEP_GRO);
	const uint64_t *weights;

	(void)state;
	add(old, 900, 1 * SECOND);
	window_end_period(&window, &cells);
	add(new, 400, 2 * SECOND);
	weights = window_weights(&window, 2 * SECOND);
	assert_int_equal(weights[old], 600);
	assert_int_equal(weights[new], 400);
}

static void a_larger_present_period_is_its_own_window(void **state)
{
	const cell_id old = cell_of(COMPONENT_GRO, STEP_GRO);
	const cell_id new = cell_of(COMPONENT_TCP_RX, STEP_GRO);
	const uint64_t *weights;

	(void)state;
	add(old, 900, 1 * SECOND);
	window_end_period(&window, &cells);
	add(old, 1, 2 * SECOND);
	add(new, 1500, 2 * SECOND);
	weights = window_weights(&window, 2 * SECOND);
	assert_int_equal(weights[old], 1);
	assert_int_equal(weights[new], 1500);

	window_end_period(&window, &cells);
	weights = window_weights(&window, 3 * SECOND);
	assert_int_equal(weights[old], 0);
	assert_int_equal(weights[new], 1000);
}

static void samples_are_forgotten_after_60_seconds(void **state)
{
	static const struct { uint64_t now_ns; uint64_t want; const char *why; } cases[] = {
		{ 1 * SECOND, 7, "the present period" },
		{ 61 * SECOND - 1, 7, "almost 60 s" },
		{ 61 * SECOND, 0, "60 s" },
		{ 1 * SECOND - 1, 0, "a clock that started anew" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got;
		cell_id cell;

		start_empty(state);
		cell = cell_of(COMPONENT_GRO, STEP_GRO);
		add(cell, 7, 1 * SECOND);
		window_end_period(&window, &cells);
		got = window_weights(&window, cases[i].now_ns)[cell];
		if (got != cases[i].want)
			fail_msg("%s: %lu samples", cases[i].why, (unsigned long)got);
	}
}

static void old_samples_make_room_for_later_ones(void **state)
{
	const cell_id old = cell_of(COMPONENT_GRO, STEP_GRO);
	const cell_id new = cell_of(COMPONENT_TCP_RX, STEP_GRO);
	const uint64_t *weights;

	(void)state;
	add(old, 10, 1 * SECOND);
	window_end_period(&window, &cells);
	add(new, 3, 40 * SECOND);
	window_end_period(&window, &cells);
	weights = window_weights(&window, 70 * SECOND);
	assert_int_equal(weights[old], 0);
	assert_int_equal(weights[new], 3);
}

static void the_largest_remainders_get_what_is_left(void **state)
{
	static const struct {
		uint64_t amount, weights[3], want[3];
		const char *why;
	} cases[] = {
		{ 0, { 1, 2, 3 }, { 0, 0, 0 }, "nothing to divide" },
		{ 5, { 0, 0, 0 }, { 0, 0, 0 }, "nobody to give to" },
		{ 6, { 1, 2, 3 }, { 1, 2, 3 }, "no remainder" },
		{ 10, { 1, 1, 1 }, { 4, 3, 3 }, "equal remainders: the first" },
		{ 2, { 1, 1, 1 }, { 1, 1, 0 }, "fewer units than sharers" },
		{ 10, { 1, 0, 2 }, { 3, 0, 7 }, "3.33 and 6.67" },
		{ 1, { 0, 0, 9 }, { 0, 0, 1 }, "one sharer" },
		{ UINT64_MAX, { UINT64_MAX, UINT64_MAX, 0 },
		  { UINT64_MAX / 2 + 1, UINT64_MAX / 2, 0 }, "beyond 64 bits in between" },
	};
	struct remainder scratch[3];
	uint64_t parts[3];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		share_out(cases[i].amount, cases[i].weights, 3, parts, scratch);
		if (memcmp(parts, cases[i].want, sizeof(parts)))
			fail_msg("%s: %lu %lu %lu", cases[i].why, (unsigned long)parts[0],
				 (unsigned long)parts[1], (unsigned long)parts[2]);
	}
}

static void parts_add_up_and_stay_beside_their_quota(void **state)
{
	static uint64_t weights[300], parts[300];
	static struct remainder scratch[300];
	unsigned int seed = 1;

	(void)state;
	for (unsigned int run = 0; run < 500; run++) {
		size_t count = 1 + (size_t)rand_r(&seed) % 300;
		uint64_t amount = (uint64_t)rand_r(&seed) * (uint64_t)rand_r(&seed);
		uint64_t sum = 0, total = 0;

		for (size_t i = 0; i < count; i++)
			total += weights[i] = rand_r(&seed) % 3 ? (uint64_t)rand_r(&seed) : 0;
		share_out(amount, weights, count, parts, scratch);
		for (size_t i = 0; i < count && total; i++) {
			unsigned __int128 quota = (unsigned __int128)amount * weights[i] / total;

			assert_true(parts[i] == quota || (weights[i] && parts[i] == quota + 1));
			sum += parts[i];
		}
		assert_int_equal(sum, total ? amount : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_combination_has_its_own_cell, start_empty),
		cmocka_unit_test_setup(a_window_holds_the_last_1000_samples, start_empty),
		cmocka_unit_test_setup(a_larger_present_period_is_its_own_window, start_empty),
		cmocka_unit_test_setup(samples_are_forgotten_after_60_seconds, start_empty),
		cmocka_unit_test_setup(old_samples_make_room_for_later_ones, start_empty),
		cmocka_unit_test(the_largest_remainders_get_what_is_left),
		cmocka_unit_test(parts_add_up_and_stay_beside_their_quota),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
