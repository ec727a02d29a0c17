/* tests/unit/test_cpu_list.c - the kernel's lists of CPUs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cpu_list.h"

static const struct {
	const char *text;
	int want;
	unsigned int slots, count;
	const char *why;
} lists[] = {
	{ "0\n",           0, 1, 1,      "one CPU" },
	{ "0-3\n",         0, 4, 4,      "a range" },
	{ "0-1",           0, 2, 2,      "the newline may be missing" },
	{ "0,2,5-6\n",     0, 7, 4,      "gaps: slots go by the highest, count by those listed" },
	{ "3-3",           0, 4, 1,      "a range of one" },
	{ "1,1,0-1",       0, 2, 2,      "none counts twice" },
	{ "8191",          0, 8192, 1,   "the highest there is" },
	{ "8192",          -ERANGE, 0, 0, "beyond the highest" },
	{ "0-9999999999",  -ERANGE, 0, 0, "would overflow" },
	{ "",              -EINVAL, 0, 0, "nothing" },
	{ "\n",            -EINVAL, 0, 0, "an empty line" },
	{ "0,",            -EINVAL, 0, 0, "an empty item" },
	{ "-3",            -EINVAL, 0, 0, "a range without a start" },
	{ "3-",            -EINVAL, 0, 0, "a range without an end" },
	{ "3-1",           -EINVAL, 0, 0, "backwards" },
	{ "0-1x",          -EINVAL, 0, 0, "rubbish behind" },
	{ "0 1",           -EINVAL, 0, 0, "not a comma" },
	{ "0-3:1/2",       -EINVAL, 0, 0, "strides are input syntax only" },
	{ "0\n\n",         -EINVAL, 0, 0, "one newline at most" },
};

static void lists_are_read_as_the_kernel_writes_them(void **state)
{
	static struct cpu_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		int err = cpu_list_parse(&list, lists[i].text, strlen(lists[i].text));

		if (err != lists[i].want || (!err && (list.slots != lists[i].slots ||
						      list.count != lists[i].count)))
			fail_msg("\"%s\": %d, %u slots, %u listed: %s", lists[i].text, err,
				 list.slots, list.count, lists[i].why);
	}
}

static void only_the_cpus_named_are_listed(void **state)
{
	static struct cpu_list list;
	const char *text = "1,4-5\n";

	(void)state;
	assert_int_equal(cpu_list_parse(&list, text, strlen(text)), 0);
	for (unsigned int cpu = 0; cpu < CPU_LIST_MAX; cpu++)
		assert_int_equal(list.listed[cpu], cpu == 1 || cpu == 4 || cpu == 5);
}

static void a_list_does_not_remember_the_one_before(void **state)
{
	static struct cpu_list list;

	(void)state;
	assert_int_equal(cpu_list_parse(&list, "0-7", 3), 0);
	assert_int_equal(cpu_list_parse(&list, "1", 1), 0);
	assert_int_equal(list.slots, 2);
	assert_int_equal(list.count, 1);
	assert_false(list.listed[0]);
}

static void this_machine_has_an_online_cpu_among_the_possible(void **state)
{
	static struct cpu_list possible, online;

	(void)state;
	assert_int_equal(cpu_list_read(&possible, "/sys/devices/system/cpu/possible"), 0);
	assert_int_equal(cpu_list_read(&online, "/sys/devices/system/cpu/online"), 0);
	assert_in_range(online.count, 1, possible.count);
	assert_int_equal(cpu_list_read(&online, "/sys/devices/system/cpu/none"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_as_the_kernel_writes_them),
		cmocka_unit_test(only_the_cpus_named_are_listed),
		cmocka_unit_test(a_list_does_not_remember_the_one_before),
		cmocka_unit_test(this_machine_has_an_online_cpu_among_the_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
