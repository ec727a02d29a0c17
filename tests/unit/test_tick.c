/* tests/unit/test_tick.c - no two CPUs are sampled in step, and the rate is what was asked for */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "tick.h"

static const uint32_t rates[] = { 1, 49, 997, 1000, 10000 };
static const uint32_t machines[] = { 1, 2, 3, 4, 8, 48, 256 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ticks of periods p and p + d are together again after p / d of them. */
static void neighbours_pass_each_other_within_some_hundred_samples(void **state)
{
	(void)state;
	for (size_t r = 0; r < COUNT(rates); r++) {
		int64_t nominal = 1000000000 / rates[r];

		for (uint32_t cpu = 0; cpu < 8191; cpu++) {
			int64_t one = (int64_t)tick_period_ns(rates[r], cpu);
			int64_t next = (int64_t)tick_period_ns(rates[r], cpu + 1);

			assert_true(llabs(one - next) * 700 > nominal);
		}
	}
}

static void no_two_cpus_have_the_same_period(void **state)
{
	(void)state;
	for (uint32_t a = 0; a < 256; a++)
		for (uint32_t b = 0; b < a; b++)
			assert_true(tick_period_ns(997, a) != tick_period_ns(997, b));
}

static void the_machine_is_sampled_at_the_rate(void **state)
{
	(void)state;
	for (size_t r = 0; r < COUNT(rates); r++)
		for (size_t m = 0; m < COUNT(machines); m++) {
			int64_t nominal = 1000000000 / rates[r], sum = 0;

			for (uint32_t cpu = 0; cpu < machines[m]; cpu++) {
				int64_t off = (int64_t)tick_period_ns(rates[r], cpu) - nominal;

				assert_true(llabs(off) * 512 <= nominal);
				sum += off;
			}
			assert_true(llabs(sum) / machines[m] * 1000 <= nominal);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_pass_each_other_within_some_hundred_samples),
		cmocka_unit_test(no_two_cpus_have_the_same_period),
		cmocka_unit_test(the_machine_is_sampled_at_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
