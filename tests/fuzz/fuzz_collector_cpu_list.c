/* fuzz_collector_cpu_list.c - any bytes as a list of CPUs */
#include <stdint.h>
#include <stdlib.h>

#include "cpu_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct cpu_list list;
	unsigned int count = 0;

	if (cpu_list_parse(&list, (const char *)data, bytes))
		return 0;
	if (!list.slots || list.slots > CPU_LIST_MAX || !list.listed[list.slots - 1])
		abort();
	for (unsigned int cpu = 0; cpu < CPU_LIST_MAX; cpu++)
		count += list.listed[cpu];
	if (count != list.count)
		abort();
	return 0;
}
