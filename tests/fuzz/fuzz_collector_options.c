/* fuzz_collector_options.c - any lines as the arguments of netto-collector */
#include <stdlib.h>

#include "command_line.h"
#include "options.h"
#include "ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct options options;

static void parse(int argc, char *argv[])
{
	options_parse(&options, argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (!command_line_parse(data, bytes, parse))
		return 0;
	if (options.rate_hz < 1 || options.rate_hz > 10000 ||
	    options.period_ns < 100000000 || options.period_ns > 60000000000 ||
	    options.ring_bytes < RING_DATA_BYTES_MIN || options.ring_bytes > RING_DATA_BYTES_MAX ||
	    (options.ring_bytes & (options.ring_bytes - 1)) ||
	    !options.runtime_dir || !*options.runtime_dir || !options.uid ||
	    options.exact > PROBES_EXACT_OFF)
		abort();
	return 0;
}
