/* fuzz_record.c - any bytes as a record of the ring: decoded, labelled, accumulated */
#include <stdint.h>
#include <stdlib.h>

#include "pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void on_period(const struct totals *totals)
{
	for (int c = 0; c < CONTEXT_COUNT; c++) {
		uint64_t components = 0;

		for (int k = 0; k < COMPONENT_COUNT; k++)
			components += totals->period.components[c][k].ns;
		if (components != totals->period.contexts[c].ns)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct pipeline *pipeline;
	static struct procfs *procfs;
	static Netto__Hello hello = NETTO__HELLO__INIT;
	static uint64_t seq;

	if (!pipeline) {
		hello.rate_hz = 997;
		hello.sample_ns = 1003009;
		hello.period_ns = 500000000;
		hello.cpus_online = hello.cpu_slots = 2;
		if (procfs_open(&procfs, NULL, 0) || pipeline_open(&pipeline, procfs, on_period) ||
		    pipeline_hello(pipeline, &hello))
			abort();
	}
	pipeline_record(pipeline, ++seq, 0, data, bytes);
	return 0;
}
